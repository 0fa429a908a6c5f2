/* The net below all the other files: whether what was made is what was there. It asks the Engine's inspect of both, and
 * knows the few places where they may differ. */
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

#define VALUE_MOST 120

struct compared {
	struct wd_parts parts;         /* of the old one */
	struct wd_json *normal, *body; /* owned */
	const struct wd_json *made, *made_config, *made_host, *made_endpoints;
	const struct wd_recreate *recreate;
	struct wd_list *differences;
	bool same;
};

static void print_value(struct wd_text *text, const struct wd_json *value)
{
	WD_AUTO_FREE char *printed = value ? wd_json_print(value) : wd_copy("nothing");

	wd_text_escape(text, printed, strlen(printed), VALUE_MOST);
}

static void differ(struct compared *c, const char *path, const struct wd_json *was, const struct wd_json *is)
{
	WD_AUTO_TEXT struct wd_text line = {0};

	wd_text_print(&line, "%s: ", path);
	print_value(&line, is);
	wd_text_add(&line, ", was ");
	print_value(&line, was);
	wd_list_add(c->differences, wd_text_get(&line));
	c->same = false;
}

/* What is secret is not said. */
static void lack(struct compared *c, const char *path, const char *what)
{
	WD_AUTO_TEXT struct wd_text line = {0};

	wd_text_print(&line, "%s: ", path);
	wd_text_escape(&line, what, strlen(what), VALUE_MOST);
	wd_text_add(&line, " is not as it was");
	wd_list_add(c->differences, wd_text_get(&line));
	c->same = false;
}

static void must_equal(struct compared *c, const char *path, const struct wd_json *was, const struct wd_json *is)
{
	if (!wd_tree_equal(was, is))
		differ(c, path, was, is);
}

/* ---- HostConfig ---- */

enum how {
	AS_IT_WAS,
	AS_SENT,    /* was rewritten on the way */
	AS_LINKS,   /* in any order, and with the name of whoever was parked */
	AS_DEFAULT, /* old Engines write it down only where there is a HostConfig, or at the first start */
	IF_KEPT,    /* Engines discard what the kernel has not */
	NOT_AT_ALL,
};

static enum how how_compared(const char *name)
{
	static const struct {
		const char *name;
		enum how how;
	} rules[] = {
		{"Binds", AS_SENT},
		{"Mounts", AS_SENT},
		{"VolumesFrom", AS_SENT},
		{"PortBindings", AS_SENT},
		{"Sysctls", AS_SENT},
		{"RestartPolicy", AS_SENT},
		{"NetworkMode", AS_SENT},
		{"IpcMode", AS_SENT},
		{"PidMode", AS_SENT},
		{"Devices", AS_SENT},
		{"PidsLimit", AS_SENT},
		{"Links", AS_LINKS},
		{"Runtime", AS_DEFAULT},
		{"OomKillDisable", IF_KEPT},
		{"MemorySwappiness", IF_KEPT},
		{"KernelMemory", NOT_AT_ALL},
		{"KernelMemoryTCP", NOT_AT_ALL},
		{"ContainerIDFile", NOT_AT_ALL},
		{"ConsoleSize", NOT_AT_ALL}, /* of the client's terminal */
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(name, rules[i].name) == 0)
			return rules[i].how;
	return AS_IT_WAS;
}

static struct wd_map *given_links(const struct wd_json *links)
{
	struct wd_map *set = wd_map_new();

	for (struct wd_json *link = wd_json_first(links); link; link = wd_json_next(link)) {
		WD_AUTO_FREE char *given = wd_recreate_link_given(wd_json_string(link, ""));

		wd_map_set(set, given, link);
	}
	return set;
}

static bool has_all(const struct wd_map *wanted, const struct wd_map *there)
{
	for (struct wd_map_entry *entry = wd_map_first(wanted); entry; entry = wd_map_next(entry))
		if (wd_map_get(there, wd_map_key(entry)) == NULL)
			return false;
	return true;
}

static bool same_links(const struct wd_json *was, const struct wd_json *is)
{
	struct wd_map *old = given_links(was), *new = given_links(is);
	bool same = has_all(old, new) && has_all(new, old);

	wd_map_free(old);
	wd_map_free(new);
	return same;
}

static bool same_mode(const struct wd_json *was, const struct wd_json *is)
{
	const char *one = wd_json_string(was, ""), *two = wd_json_string(is, "");

	one = *one == '\0' || strcmp(one, "default") == 0 ? "bridge" : one;
	two = *two == '\0' || strcmp(two, "default") == 0 ? "bridge" : two;
	return strcmp(one, two) == 0;
}

/* "" is an old Engine's word for "no". */
static bool same_policy(const struct wd_json *was, const struct wd_json *is)
{
	const char *one = wd_tree_string(was, "Name"), *two = wd_tree_string(is, "Name");

	return strcmp(*one ? one : "no", *two ? two : "no") == 0 &&
	       wd_json_int(wd_json_get(was, "MaximumRetryCount"), 0) ==
		       wd_json_int(wd_json_get(is, "MaximumRetryCount"), 0);
}

static bool same_member(const struct compared *c, const char *name)
{
	const struct wd_json *was = wd_json_get(c->parts.host, name), *is = wd_json_get(c->made_host, name);
	const struct wd_json *sent = wd_json_path(c->body, "HostConfig");
	enum how how = how_compared(name);

	sent = wd_json_get(sent, name);
	if (strcmp(name, "NetworkMode") == 0)
		return same_mode(sent, is);
	if (strcmp(name, "RestartPolicy") == 0)
		return same_policy(sent, is);
	switch (how) {
	case AS_SENT:
		return wd_tree_equal(sent, is);
	case AS_LINKS:
		return same_links(was, is);
	case AS_DEFAULT:
		return wd_tree_equal(was, is) ||
		       (wd_tree_empty(was) && wd_tree_equal(is, wd_json_get(c->parts.source->info, "DefaultRuntime")));
	case IF_KEPT:
		return wd_tree_equal(was, is) || wd_tree_empty(is) || wd_json_int(is, 0) == -1;
	case NOT_AT_ALL:
		return true;
	default:
		return wd_tree_equal(was, is);
	}
}

static void compare_host(struct compared *c)
{
	const struct wd_json *const both[] = {c->parts.host, c->made_host};

	for (size_t side = 0; side < 2; side++)
		for (const struct wd_json *member = wd_json_first(both[side]); member; member = wd_json_next(member)) {
			const char *name = wd_json_name(member);
			const struct wd_json *was = wd_json_get(c->parts.host, name);

			if ((side == 1 && was) || same_member(c, name))
				continue;
			WD_AUTO_FREE char *path = wd_format("HostConfig.%.60s", name);

			differ(c, path, was, wd_json_get(c->made_host, name));
		}
}

/* ---- networks ---- */

/* Aliases as a set, without the short IDs that some Engines add. */
static struct wd_map *alias_set(const struct wd_json *endpoint, const char *id)
{
	struct wd_map *set = wd_tree_strings(wd_json_get(endpoint, "Aliases"));
	WD_AUTO_FREE char *short_id = wd_copy_part(id, strnlen(id, WD_SHORT_ID));

	wd_map_remove(set, short_id);
	return set;
}

static void compare_aliases(struct compared *c, const char *network, const struct wd_json *was,
			    const struct wd_json *is)
{
	struct wd_map *old = alias_set(was, c->parts.id), *new = alias_set(is, wd_tree_string(c->made, "Id"));
	WD_AUTO_FREE char *path = wd_format("Networks.%s.Aliases", network);

	if (!has_all(old, new) || !has_all(new, old))
		differ(c, path, wd_json_get(was, "Aliases"), wd_json_get(is, "Aliases"));
	wd_map_free(old);
	wd_map_free(new);
}

static bool same_addresses(const struct wd_json *was, const struct wd_json *is)
{
	static const char *const names[] = {"IPv4Address", "IPv6Address", "LinkLocalIPs"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!wd_tree_equal(wd_json_get(was, names[i]), wd_json_get(is, names[i])))
			return false;
	return true;
}

/* The endpoint as it was sent, where that is by the create. */
static const struct wd_json *sent_endpoint(const struct compared *c, const struct wd_json *was)
{
	const struct wd_json *sent = wd_json_path(c->body, "NetworkingConfig.EndpointsConfig");
	const struct wd_json *by_name = wd_json_get(sent, wd_json_name(was));

	return by_name ? by_name : wd_json_get(sent, wd_tree_string(was, "NetworkID"));
}

static void compare_endpoint(struct compared *c, const struct wd_json *was, const struct wd_json *is)
{
	static const char *const plain[] = {"Links", "DriverOpts", "GwPriority"};
	const char *network = wd_json_name(was);

	if (is == NULL) {
		lack(c, "Networks", network);
		return;
	}
	compare_aliases(c, network, was, is);
	if (!same_addresses(wd_json_get(was, "IPAMConfig"), wd_json_get(is, "IPAMConfig"))) {
		WD_AUTO_FREE char *path = wd_format("Networks.%s.IPAMConfig", network);

		differ(c, path, wd_json_get(was, "IPAMConfig"), wd_json_get(is, "IPAMConfig"));
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		WD_AUTO_FREE char *path = wd_format("Networks.%s.%s", network, plain[i]);
		const struct wd_json *sent = sent_endpoint(c, was);
		bool moved = sent && strcmp(plain[i], "DriverOpts") == 0; /* sysctls may have moved there */

		must_equal(c, path, wd_json_get(moved ? sent : was, plain[i]), wd_json_get(is, plain[i]));
	}
}

static void compare_networks(struct compared *c)
{
	for (const struct wd_json *was = wd_json_first(c->parts.endpoints); was; was = wd_json_next(was))
		compare_endpoint(c, was, wd_json_get(c->made_endpoints, wd_json_name(was)));
	for (const struct wd_json *is = wd_json_first(c->made_endpoints); is; is = wd_json_next(is))
		if (wd_json_get(c->parts.endpoints, wd_json_name(is)) == NULL)
			lack(c, "Networks", wd_json_name(is));
}

static void compare_mac(struct compared *c)
{
	const struct wd_json *primary = wd_recreate_primary(&c->parts);
	const struct wd_json *sent = wd_json_get(c->body, "MacAddress");
	const char *is = wd_tree_string(c->made_config, "MacAddress");

	if (sent == NULL && primary)
		sent = wd_json_get(sent_endpoint(c, primary), "MacAddress");
	if (strcmp(wd_json_string(sent, ""), is) != 0 && c->parts.api < 1052)
		differ(c, "Config.MacAddress", sent, wd_json_get(c->made_config, "MacAddress"));
}

/* ---- mounts ---- */

static char *mount_words(const struct wd_json *mount)
{
	WD_AUTO_FREE char *name = wd_recreate_volume_name(mount, NULL);
	WD_AUTO_FREE char *target = wd_tree_target(wd_tree_string(mount, "Destination"));
	const char *type = wd_tree_string(mount, "Type");
	bool volume = strcmp(type, "volume") == 0 && name;

	return wd_format("%s %s at %s, %s%s%s", type, volume ? name : wd_tree_string(mount, "Source"), target,
			 wd_json_bool(wd_json_get(mount, "RW"), true) ? "rw" : "ro",
			 *wd_tree_string(mount, "Propagation") ? ", " : "", wd_tree_string(mount, "Propagation"));
}

static struct wd_map *mount_set(const struct wd_json *mounts)
{
	struct wd_map *set = wd_map_new();

	for (struct wd_json *mount = wd_json_first(mounts); mount; mount = wd_json_next(mount)) {
		WD_AUTO_FREE char *words = mount_words(mount);

		wd_map_set(set, words, mount);
	}
	return set;
}

static bool was_left_behind(const struct compared *c, const struct wd_json *mount)
{
	WD_AUTO_FREE char *name = wd_recreate_volume_name(mount, NULL);

	return wd_list_has(&c->recreate->left_behind, name ? name : wd_tree_string(mount, "Source"));
}

/* A volume that the target image declares, where the old one had nothing. */
static bool is_new_volume(const struct compared *c, const struct wd_json *mount)
{
	WD_AUTO_FREE char *target = wd_tree_target(wd_tree_string(mount, "Destination"));
	const struct wd_json *volumes = wd_json_get(c->parts.target, "Volumes");

	for (const struct wd_json *volume = wd_json_first(volumes); volume; volume = wd_json_next(volume)) {
		WD_AUTO_FREE char *path = wd_tree_target(wd_json_name(volume) ? wd_json_name(volume) : "");

		if (strcmp(path, target) == 0)
			return true;
	}
	return false;
}

static void compare_mounts(struct compared *c)
{
	struct wd_map *old = mount_set(c->parts.mounts), *new = mount_set(wd_json_get(c->made, "Mounts"));

	for (struct wd_map_entry *entry = wd_map_first(old); entry; entry = wd_map_next(entry))
		if (wd_map_get(new, wd_map_key(entry)) == NULL && !was_left_behind(c, wd_map_value(entry)))
			lack(c, "Mounts", wd_map_key(entry));
	for (struct wd_map_entry *entry = wd_map_first(new); entry; entry = wd_map_next(entry))
		if (wd_map_get(old, wd_map_key(entry)) == NULL && !is_new_volume(c, wd_map_value(entry)))
			lack(c, "Mounts", wd_map_key(entry));
	wd_map_free(old);
	wd_map_free(new);
}

/* ---- Config: what was sent is there ---- */

static void compare_env(struct compared *c)
{
	const struct wd_json *sent = wd_json_get(c->body, "Env");
	struct wd_map *there = wd_tree_strings(wd_json_get(c->made_config, "Env"));

	for (const struct wd_json *entry = wd_json_first(sent); entry; entry = wd_json_next(entry)) {
		const char *text = wd_json_string(entry, "");
		WD_AUTO_FREE char *name = wd_copy_part(text, strcspn(text, "="));

		if (wd_map_get(there, text) == NULL)
			lack(c, "Config.Env", name);
	}
	wd_map_free(there);
}

/* Labels with their values; of ports and volumes the names. */
static void compare_names(struct compared *c, const char *member, bool values)
{
	const struct wd_json *sent = wd_json_get(c->body, member);
	struct wd_map *there = wd_tree_members(wd_json_get(c->made_config, member));
	WD_AUTO_FREE char *path = wd_format("Config.%s", member);

	for (const struct wd_json *one = wd_json_first(sent); one; one = wd_json_next(one)) {
		const struct wd_json *found = wd_map_get(there, wd_json_name(one));

		if (found == NULL || (values && !wd_tree_equal(found, one)))
			lack(c, path, wd_json_name(one));
	}
	wd_map_free(there);
}

static void compare_health(struct compared *c)
{
	const struct wd_json *sent = wd_json_get(c->body, "Healthcheck");
	const struct wd_json *is = wd_json_get(c->made_config, "Healthcheck");

	for (const struct wd_json *member = wd_json_first(sent); member; member = wd_json_next(member))
		if (!wd_tree_equal(member, wd_json_get(is, wd_json_name(member))))
			lack(c, "Config.Healthcheck", wd_json_name(member));
}

/* [""] is shown as null. */
static bool is_reset(const struct wd_json *entrypoint)
{
	const struct wd_json *first = wd_json_first(entrypoint);

	return wd_json_is_string(first) && wd_tree_empty(first) && wd_json_next(first) == NULL;
}

static bool is_compared_apart(const char *name)
{
	static const char *const names[] = {"Env",   "Labels",     "Volumes",    "ExposedPorts",    "Healthcheck",
					    "Image", "MacAddress", "HostConfig", "NetworkingConfig"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void compare_config(struct compared *c)
{
	for (const struct wd_json *sent = wd_json_first(c->body); sent; sent = wd_json_next(sent)) {
		const char *name = wd_json_name(sent);
		const struct wd_json *is = wd_json_get(c->made_config, name);
		bool reset = strcmp(name, "Entrypoint") == 0 && is_reset(sent) && wd_tree_empty(is);
		bool inherited = wd_tree_empty(sent) && !wd_json_is_array(sent); /* means: the image's */

		if (is_compared_apart(name) || reset || inherited)
			continue;
		WD_AUTO_FREE char *path = wd_format("Config.%.60s", name);

		must_equal(c, path, sent, is);
	}
	compare_env(c);
	compare_names(c, "Labels", true);
	compare_names(c, "Volumes", false);
	compare_names(c, "ExposedPorts", false);
	compare_health(c);
}

static void compare_image(struct compared *c)
{
	const char *is = wd_tree_string(c->made, "Image");

	if (strcmp(is, c->recreate->image_id) != 0)
		lack(c, "Image", is);
}

static bool open_both(struct compared *c, const struct wd_recreate_source *source, const struct wd_json *made,
		      struct wd_error *error)
{
	if (!wd_parts_open(&c->parts, source, error))
		return false;
	c->body = wd_json_parse(c->recreate->body, strlen(c->recreate->body), error);
	c->normal = source->podman && made ? wd_recreate_podman(made) : NULL;
	c->made = c->normal ? c->normal : made;
	c->made_config = wd_json_get(c->made, "Config");
	c->made_host = wd_json_get(c->made, "HostConfig");
	c->made_endpoints = wd_json_path(c->made, "NetworkSettings.Networks");
	if (c->body && (!wd_json_is_object(c->made_config) || !wd_json_is_object(c->made_host)))
		return wd_fail(error, WD_ERROR_FAILED, "the inspect of what was made has no Config and HostConfig");
	return c->body != NULL;
}

bool wd_recreate_compare(const struct wd_recreate_source *source, const struct wd_recreate *recreate,
			 const struct wd_json *made, struct wd_list *ret_differences)
{
	struct compared c = {.recreate = recreate, .differences = ret_differences, .same = true};
	struct wd_error error = {0};

	if (open_both(&c, source, made, &error)) {
		compare_image(&c);
		compare_host(&c);
		compare_networks(&c);
		compare_mac(&c);
		compare_mounts(&c);
		compare_config(&c);
	} else {
		wd_list_add(ret_differences, error.text);
		c.same = false;
	}
	wd_json_free(c.body);
	wd_json_free(c.normal);
	wd_parts_done(&c.parts);
	return c.same;
}
