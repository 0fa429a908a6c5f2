/* Config: what the container has from its image alone is taken away, so that the target's own values show through. */
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

/* Whose owner finds the container by them: always sent. An image that `compose build` made has them as well, and they
 * would be lost with a target that came another way. */
static const char *const kept_labels[] = {"com.docker.compose.", "com.docker.stack.", "io.portainer."};

static bool is_kept_label(const char *name)
{
	for (size_t i = 0; i < sizeof(kept_labels) / sizeof(kept_labels[0]); i++)
		if (wd_text_starts(name, kept_labels[i]))
			return true;
	return false;
}

static void drop_if_same(struct wd_json *object, const struct wd_json *image, const char *name)
{
	if (wd_tree_equal(wd_json_get(object, name), wd_json_get(image, name)))
		wd_json_remove(object, name);
}

static void drop_if_empty(struct wd_json *object, const char *name)
{
	if (wd_tree_empty(wd_json_get(object, name)))
		wd_json_remove(object, name);
}

/* The default is the short ID, which the new container gets of its own. A joined network brings its owner's names. */
static void choose_names(struct wd_parts *parts)
{
	const char *hostname = wd_tree_string(parts->config, "Hostname");
	bool host_uts = strcmp(wd_tree_string(parts->host, "UTSMode"), "host") == 0;
	bool machines = parts->net == WD_NET_HOST && *hostname &&
			strcmp(hostname, wd_tree_string(parts->source->info, "Name")) == 0;

	if (parts->net == WD_NET_JOINED)
		wd_json_remove(parts->body, "Domainname");
	if (parts->net == WD_NET_JOINED || host_uts || machines || strcmp(hostname, parts->short_id) == 0)
		wd_json_remove(parts->body, "Hostname");
	else if (strlen(hostname) == WD_SHORT_ID && strspn(hostname, "0123456789abcdef") == WD_SHORT_ID)
		wd_parts_warn(parts, "its host name %s is another container's short ID, and stays", hostname);
}

/* An entry without "=" unsets the image's variable and is kept as any other. */
static void subtract_env(struct wd_parts *parts)
{
	struct wd_json *env = wd_json_get(parts->body, "Env");
	struct wd_map *inherited = wd_tree_strings(wd_json_get(parts->broken, "Env"));

	for (struct wd_json *item = wd_json_first(env); item;) {
		const char *entry = wd_json_string(item, NULL);

		item = entry && wd_map_get(inherited, entry) ? wd_json_drop(env, item) : wd_json_next(item);
	}
	wd_map_free(inherited);
	drop_if_empty(parts->body, "Env");
}

static void subtract_labels(struct wd_parts *parts)
{
	struct wd_json *labels = wd_json_get(parts->body, "Labels");
	struct wd_map *inherited = wd_tree_members(wd_json_get(parts->broken, "Labels"));

	for (struct wd_json *label = wd_json_first(labels); label;) {
		const struct wd_json *old = wd_map_get(inherited, wd_json_name(label));
		bool same = old && wd_text_equal(wd_json_string(old, NULL), wd_json_string(label, NULL));

		label = same && !is_kept_label(wd_json_name(label)) ? wd_json_drop(labels, label) : wd_json_next(label);
	}
	wd_map_free(inherited);
	drop_if_empty(parts->body, "Labels");
}

/* Volumes and ExposedPorts are sets: their values say nothing, and an object of empty members is not empty here. */
static void subtract_names(struct wd_parts *parts, const char *name)
{
	struct wd_json *set = wd_json_get(parts->body, name);
	struct wd_map *inherited = wd_tree_members(wd_json_get(parts->broken, name));

	for (struct wd_json *member = wd_json_first(set); member;)
		member = wd_map_get(inherited, wd_json_name(member)) ? wd_json_drop(set, member) : wd_json_next(member);
	wd_map_free(inherited);
	if (wd_json_first(set) == NULL)
		wd_json_remove(parts->body, name);
}

/* A member that is empty is the image's. */
static void subtract_health(struct wd_parts *parts)
{
	struct wd_json *health = wd_json_get(parts->body, "Healthcheck");
	const struct wd_json *inherited = wd_json_get(parts->broken, "Healthcheck");

	if (!wd_json_is_object(health)) {
		wd_json_remove(parts->body, "Healthcheck");
		return;
	}
	for (struct wd_json *member = wd_json_first(health); member;) {
		const char *name = wd_json_name(member);
		bool unknown = parts->api < 1044 && strcmp(name, "StartInterval") == 0;
		bool same = wd_tree_empty(member) || wd_tree_equal(member, wd_json_get(inherited, name));

		member = unknown || same ? wd_json_drop(health, member) : wd_json_next(member);
	}
	if (wd_json_first(health) == NULL)
		wd_json_remove(parts->body, "Healthcheck");
}

static void reset_entrypoint(struct wd_json *body)
{
	struct wd_json *list = wd_json_set(body, "Entrypoint", wd_json_array());

	wd_json_add(list, wd_json_text(""));
}

/* An entrypoint that is given keeps the image's Cmd away; one that is reset is shown as null where that was done with
 * [""] (and must have a Cmd), and as [] where it was done with [] (and inherits Cmd). */
static void choose_command(struct wd_parts *parts)
{
	const struct wd_json *entry = wd_json_get(parts->body, "Entrypoint"), *cmd = wd_json_get(parts->body, "Cmd");
	bool same_entry = wd_tree_equal(entry, wd_json_get(parts->broken, "Entrypoint"));
	bool same_cmd = wd_tree_equal(cmd, wd_json_get(parts->broken, "Cmd"));
	bool no_entry = wd_tree_empty(entry), no_cmd = wd_tree_empty(cmd);
	bool reset = !same_entry && no_entry && !wd_json_is_array(entry);

	if (same_entry ? same_cmd || no_cmd : !no_entry ? no_cmd : !reset && same_cmd)
		wd_json_remove(parts->body, "Cmd");
	if (reset)
		reset_entrypoint(parts->body);
	else if (same_entry && (same_cmd || !no_cmd))
		wd_json_remove(parts->body, "Entrypoint");
}

void wd_recreate_config(struct wd_parts *parts)
{
	static const char *const plain[] = {"User", "WorkingDir", "StopSignal", "OnBuild", "ArgsEscaped", "Shell"};

	choose_names(parts);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		drop_if_same(parts->body, parts->broken, plain[i]);
	subtract_env(parts);
	subtract_labels(parts);
	subtract_health(parts);
	choose_command(parts);
	subtract_names(parts, "Volumes");
	subtract_names(parts, "ExposedPorts");
}

/* ---- what the Engine fills in (its own merge of a body and an image) ---- */

static void fill(struct wd_json *config, const struct wd_json *image, const char *name)
{
	const struct wd_json *value = wd_json_get(image, name);

	if (value && wd_tree_empty(wd_json_get(config, name)))
		wd_json_set(config, name, wd_json_clone(value));
}

/* The members that the config has not yet. */
static void fill_members(struct wd_json *config, const struct wd_json *image, const char *name)
{
	const struct wd_json *from = wd_json_get(image, name);
	struct wd_json *to = wd_json_get(config, name);

	if (wd_json_first(from) == NULL || !wd_json_is_object(from))
		return;
	if (!wd_json_is_object(to))
		to = wd_json_set(config, name, wd_json_object());
	struct wd_map *had = wd_tree_members(to);

	for (const struct wd_json *member = wd_json_first(from); member; member = wd_json_next(member))
		if (wd_map_get(had, wd_json_name(member)) == NULL)
			wd_json_append(to, wd_json_name(member), wd_json_clone(member));
	wd_map_free(had);
}

static char *variable_name(const struct wd_json *entry)
{
	const char *text = wd_json_string(entry, "");

	return wd_copy_part(text, strcspn(text, "="));
}

static void fill_env(struct wd_json *config, const struct wd_json *image)
{
	const struct wd_json *from = wd_json_get(image, "Env");
	struct wd_json *to = wd_json_get(config, "Env");
	struct wd_map *had = wd_map_new();

	if (wd_json_first(from) && !wd_json_is_array(to))
		to = wd_json_set(config, "Env", wd_json_array());
	for (struct wd_json *entry = wd_json_first(to); entry; entry = wd_json_next(entry)) {
		WD_AUTO_FREE char *name = variable_name(entry);

		wd_map_set(had, name, entry);
	}
	for (const struct wd_json *entry = wd_json_first(from); entry; entry = wd_json_next(entry)) {
		WD_AUTO_FREE char *name = variable_name(entry);

		if (wd_map_get(had, name) == NULL)
			wd_json_add(to, wd_json_clone(entry));
	}
	wd_map_free(had);
}

static void fill_health(struct wd_json *config, const struct wd_json *image)
{
	const struct wd_json *from = wd_json_get(image, "Healthcheck");
	struct wd_json *to = wd_json_get(config, "Healthcheck");

	if (!wd_json_is_object(to)) {
		fill(config, image, "Healthcheck");
		return;
	}
	for (const struct wd_json *member = wd_json_first(from); member; member = wd_json_next(member))
		fill(to, from, wd_json_name(member));
}

static void fill_command(struct wd_json *config, const struct wd_json *image)
{
	const struct wd_json *entry = wd_json_get(config, "Entrypoint");
	const struct wd_json *first = wd_json_first(entry);

	if (wd_tree_empty(entry)) {
		fill(config, image, "Cmd");
		if (!wd_json_is_array(entry))
			fill(config, image, "Entrypoint");
	} else if (wd_tree_empty(first) && wd_json_next(first) == NULL) {
		wd_json_set_null(config, "Entrypoint");
	}
}

struct wd_json *wd_recreate_merged(const struct wd_json *body, const struct wd_json *image_config)
{
	static const char *const plain[] = {"User", "WorkingDir", "StopSignal", "OnBuild", "ArgsEscaped", "Shell"};
	static const char *const sets[] = {"Labels", "Volumes", "ExposedPorts"};
	struct wd_json *config = wd_json_clone(body);

	wd_json_remove(config, "HostConfig");
	wd_json_remove(config, "NetworkingConfig");
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		fill(config, image_config, plain[i]);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		fill_members(config, image_config, sets[i]);
	fill_env(config, image_config);
	fill_health(config, image_config);
	fill_command(config, image_config);
	return config;
}
