/* HostConfig is sent as it was shown, but for the members here; and the ports, which stand in two places. */
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

static void drop_number(struct wd_parts *parts, const char *name)
{
	if (!wd_tree_empty(wd_json_get(parts->body_host, name)))
		wd_parts_warn(parts, "HostConfig.%s is not carried along: newer Engines do not know it", name);
	wd_json_remove(parts->body_host, name);
}

/* Whether there is no such control: cgroup v2 knows neither swappiness nor a switch for the OOM killer. */
static bool is_unified(const struct wd_parts *parts)
{
	return strcmp(wd_tree_string(parts->source->info, "CgroupVersion"), "2") == 0;
}

static void choose_swappiness(struct wd_parts *parts)
{
	const struct wd_json *value = wd_json_get(parts->body_host, "MemorySwappiness");

	if (parts->source->podman || is_unified(parts) || !wd_json_is_number(value) || wd_json_int(value, 0) < 0)
		wd_json_remove(parts->body_host, "MemorySwappiness");
}

static void choose_pids(struct wd_parts *parts)
{
	const struct wd_json *value = wd_json_get(parts->body_host, "PidsLimit");

	if (wd_json_is_number(value) && wd_json_int(value, 0) <= 0)
		wd_json_remove(parts->body_host, "PidsLimit");
}

static void choose_policy(struct wd_parts *parts)
{
	struct wd_json *policy = wd_json_get(parts->body_host, "RestartPolicy");

	if (wd_json_is_object(policy) && *wd_tree_string(policy, "Name") == '\0')
		wd_json_set_string(policy, "Name", "no");
}

/* "/peer:/self/alias" -> "peer:alias". A peer that was parked is meant by the name that it had. */
char *wd_recreate_link_given(const char *link)
{
	const char *colon = strchr(link, ':');
	WD_AUTO_FREE char *shown = wd_copy_part(link, colon ? (size_t)(colon - link) : strlen(link));
	WD_AUTO_FREE char *meant = NULL;
	const char *peer = wd_spare_read(shown, &meant, NULL) ? meant : shown + (*shown == '/');

	if (colon == NULL)
		return wd_copy(peer);
	const char *slash = strrchr(colon, '/');

	return wd_format("%s:%s", peer, slash ? slash + 1 : colon + 1);
}

static void choose_links(struct wd_parts *parts)
{
	const struct wd_json *links = wd_json_get(parts->host, "Links");

	if (wd_json_first(links) == NULL)
		return;
	struct wd_json *given = wd_json_set(parts->body_host, "Links", wd_json_array());

	for (const struct wd_json *link = wd_json_first(links); link; link = wd_json_next(link)) {
		WD_AUTO_FREE char *text = wd_recreate_link_given(wd_json_string(link, ""));

		wd_json_add(given, wd_json_text(text));
	}
}

static void choose_devices(struct wd_parts *parts)
{
	struct wd_json *devices = wd_json_get(parts->body_host, "Devices");

	for (struct wd_json *device = wd_json_first(devices); device; device = wd_json_next(device))
		if (wd_json_is_object(device) && *wd_tree_string(device, "CgroupPermissions") == '\0')
			wd_json_set_string(device, "CgroupPermissions", "rwm");
}

/* A dependent that follows joins the new one. */
static void follow(struct wd_parts *parts)
{
	static const char *const modes[] = {"NetworkMode", "IpcMode", "PidMode"};
	const struct wd_recreate_source *source = parts->source;

	if (source->moved_from == NULL || source->moved_to == NULL)
		return;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const char *joined = wd_recreate_joined(parts->host, modes[i]);
		WD_AUTO_FREE char *mode = wd_format("container:%s", source->moved_to);

		if (joined && strcmp(joined, source->moved_from) == 0)
			wd_json_set_string(parts->body_host, modes[i], mode);
	}
}

void wd_recreate_host(struct wd_parts *parts)
{
	wd_json_remove(parts->body_host, "ContainerIDFile");
	if (parts->api < 1042)
		wd_json_remove(parts->body_host, "ConsoleSize");
	drop_number(parts, "KernelMemory");
	drop_number(parts, "KernelMemoryTCP");
	choose_swappiness(parts);
	choose_pids(parts);
	choose_policy(parts);
	choose_links(parts);
	choose_devices(parts);
	follow(parts);
	if (*wd_tree_string(parts->host, "ContainerIDFile"))
		wd_parts_warn(parts, "its ID is also in the file %s, which becomes stale",
			      wd_tree_string(parts->host, "ContainerIDFile"));
}

/* ---- ports ---- */

static bool is_chosen_anew(const struct wd_json *bindings)
{
	for (const struct wd_json *binding = wd_json_first(bindings); binding; binding = wd_json_next(binding)) {
		const char *port = wd_tree_string(binding, "HostPort");

		if (*port == '\0' || strcmp(port, "0") == 0 || strchr(port, '-'))
			return true;
	}
	return false;
}

/* No binding at all means any port, and newer Engines want that said. */
static struct wd_json *make_explicit(struct wd_json *all, struct wd_json *bindings)
{
	WD_AUTO_FREE char *port = wd_copy(wd_json_name(bindings));
	struct wd_json *list = wd_json_is_array(bindings) ? bindings : wd_json_set(all, port, wd_json_array());
	struct wd_json *any = wd_json_add(list, wd_json_object());

	wd_json_set_string(any, "HostIp", "");
	wd_json_set_string(any, "HostPort", "");
	return list;
}

static struct wd_json *get_exposed(struct wd_parts *parts)
{
	struct wd_json *exposed = wd_json_get(parts->body, "ExposedPorts");

	return wd_json_is_object(exposed) ? exposed : wd_json_set(parts->body, "ExposedPorts", wd_json_object());
}

/* A binding does nothing for a port that is not exposed: what only the broken image exposes was just taken away, and
 * what nobody exposes is not published now, and must not be. (Podman publishes it all the same, and does not show it.) */
static bool is_published(const struct wd_parts *parts, const struct wd_map *shown, const char *port)
{
	return parts->source->podman || wd_map_get(shown, port) != NULL;
}

static void publish(struct wd_parts *parts, struct wd_json *all)
{
	struct wd_json *exposed = get_exposed(parts);
	struct wd_map *known = wd_tree_members(exposed),
		      *shown = wd_tree_members(wd_json_get(parts->config, "ExposedPorts"));

	for (struct wd_json *bindings = wd_json_first(all); bindings;) {
		const char *port = wd_json_name(bindings);

		if (*port == '\0' || *port == '/') {
			wd_parts_warn(parts, "the published port \"%s\" has no number and is left out", port);
			bindings = wd_json_drop(all, bindings);
			continue;
		}
		if (wd_map_get(known, port) == NULL && is_published(parts, shown, port))
			wd_json_append(exposed, port, wd_json_object());
		if (wd_json_first(bindings) == NULL)
			bindings = make_explicit(all, bindings);
		if (is_chosen_anew(bindings))
			wd_parts_warn(parts, "the host's port for %s is chosen anew", wd_json_name(bindings));
		bindings = wd_json_next(bindings);
	}
	wd_map_free(known);
	wd_map_free(shown);
	if (wd_json_first(exposed) == NULL)
		wd_json_remove(parts->body, "ExposedPorts");
}

void wd_recreate_ports(struct wd_parts *parts)
{
	struct wd_json *bindings = wd_json_get(parts->body_host, "PortBindings");

	if (parts->net == WD_NET_JOINED)
		wd_json_remove(parts->body,
			       "ExposedPorts"); /* shown, but they are the image's; 400 where they are given */
	else if (wd_json_is_object(bindings) && wd_json_first(bindings))
		publish(parts, bindings);
	if (wd_json_bool(wd_json_get(parts->host, "PublishAllPorts"), false))
		wd_parts_warn(parts, "the host's ports are chosen anew, for what the target image exposes");
}
