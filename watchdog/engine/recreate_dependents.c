/* Who depends on a container's ID, or on its name in a way that follows it when it is parked. */
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

const char *wd_recreate_joined(const struct wd_json *host, const char *mode)
{
	static const char prefix[] = "container:";
	const char *value = wd_json_string(wd_json_get(host, mode), "");

	return wd_text_starts(value, prefix) ? value + strlen(prefix) : NULL;
}

/* The Engine keeps links of the default bridge alone here; those of other networks go by name and are the endpoint's. */
static bool links_to(const struct wd_json *host, const struct wd_json *inspect)
{
	const struct wd_json *links = wd_json_get(host, "Links");

	for (const struct wd_json *link = wd_json_first(links); link; link = wd_json_next(link)) {
		const char *text = wd_json_string(link, "");
		WD_AUTO_FREE char *peer = wd_copy_part(text, strcspn(text, ":"));

		if (wd_recreate_is(inspect, peer))
			return true;
	}
	return false;
}

static bool has_volumes_from(const struct wd_json *host, const struct wd_json *inspect)
{
	const struct wd_json *sources = wd_json_get(host, "VolumesFrom");

	for (const struct wd_json *source = wd_json_first(sources); source; source = wd_json_next(source)) {
		const char *text = wd_json_string(source, "");
		WD_AUTO_FREE char *name = wd_copy_part(text, strcspn(text, ":"));

		if (wd_recreate_is(inspect, name))
			return true;
	}
	return false;
}

static bool joins(const struct wd_json *host, const char *mode, const struct wd_json *inspect)
{
	const char *joined = wd_recreate_joined(host, mode);

	return joined && wd_recreate_is(inspect, joined);
}

#define COMPOSE "com.docker.compose."

static const char *label_of(const struct wd_json *inspect, const char *name)
{
	const struct wd_json *labels = wd_json_path(inspect, "Config.Labels");

	return wd_json_string(wd_json_get(labels, name), "");
}

/* "db:service_healthy:true,cache:service_started:false": whether that service is in it, with true at the end. */
static bool names_to_restart(const char *list, const char *service)
{
	WD_AUTO_FREE char *copy = wd_copy(list);
	char *rest = copy, *entry;

	while ((entry = strsep(&rest, ","))) {
		const char *name = strsep(&entry, ":");
		const char *condition = strsep(&entry, ":");

		if (condition && entry && strcmp(name, service) == 0 && strcmp(entry, "true") == 0)
			return true;
	}
	return false;
}

/* `depends_on: {db: {restart: true}}` of a compose file, as compose writes it down. */
static bool is_restarted_behind(const struct wd_json *other, const struct wd_json *inspect)
{
	const char *project = label_of(inspect, COMPOSE "project"), *service = label_of(inspect, COMPOSE "service");

	return *project && *service && strcmp(label_of(other, COMPOSE "project"), project) == 0 &&
	       strcmp(label_of(other, COMPOSE "oneoff"), "True") != 0 &&
	       names_to_restart(label_of(other, COMPOSE "depends_on"), service);
}

static unsigned how_it_depends(const struct wd_json *other, const struct wd_json *inspect)
{
	const struct wd_json *host = wd_json_get(other, "HostConfig");
	unsigned how = 0;

	if (strcmp(wd_tree_string(other, "Id"), wd_tree_string(inspect, "Id")) == 0)
		return 0;
	how |= joins(host, "NetworkMode", inspect) ? WD_DEPENDS_NETWORK : 0;
	how |= joins(host, "IpcMode", inspect) ? WD_DEPENDS_IPC : 0;
	how |= joins(host, "PidMode", inspect) ? WD_DEPENDS_PID : 0;
	how |= links_to(host, inspect) ? WD_DEPENDS_LINK : 0;
	how |= has_volumes_from(host, inspect) ? WD_DEPENDS_VOLUMES : 0;
	how |= is_restarted_behind(other, inspect) ? WD_DEPENDS_RESTART : 0;
	return how;
}

void wd_dependents_find(const struct wd_json *inspect, const struct wd_json *others, struct wd_dependents *ret)
{
	wd_dependents_done(ret);
	for (const struct wd_json *other = wd_json_first(others); other; other = wd_json_next(other)) {
		unsigned how = how_it_depends(other, inspect);
		const char *name = wd_tree_string(other, "Name");

		if (how == 0)
			continue;
		ret->items = wd_realloc(ret->items, ret->count + 1, sizeof(*ret->items));
		ret->items[ret->count++] = (struct wd_dependent){wd_copy(wd_tree_string(other, "Id")),
								 wd_copy(name + (*name == '/')), how};
	}
}

void wd_dependents_done(struct wd_dependents *dependents)
{
	for (size_t i = 0; i < dependents->count; i++) {
		free(dependents->items[i].id);
		free(dependents->items[i].name);
	}
	free(dependents->items);
	*dependents = (struct wd_dependents){0};
}

static void print_how(struct wd_text *text, unsigned how)
{
	static const char *const words[] = {"network", "ipc", "pid", "link", "volumes", "restart"};
	bool first = true;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (how & (1u << i)) {
			wd_text_print(text, "%s%s", first ? "" : ", ", words[i]);
			first = false;
		}
}

char *wd_dependents_text(const struct wd_dependents *dependents, unsigned how)
{
	struct wd_text text = {0};

	for (size_t i = 0; i < dependents->count; i++) {
		const struct wd_dependent *one = &dependents->items[i];

		if ((one->how & how) == 0)
			continue;
		wd_text_print(&text, "%s%s (", text.length ? ", " : "", one->name);
		print_how(&text, one->how & how);
		wd_text_add(&text, ")");
	}
	return wd_text_take(&text);
}
