/* What must not be made again: not ours to touch, not to be undone, or not to be had once more. */
#include <string.h>
#include <strings.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

#define LABEL_ONE_OFF "com.docker.compose.oneoff"

/* Labels that were given, not inherited: images of some of these families carry such labels of their own. */
static const struct {
	const char *label; /* the whole, or its beginning where it ends in a dot */
	const char *owner;
} owners[] = {
	{"com.docker.swarm.service.id", "it is a task of a Swarm service, which has a rollback of its own"},
	{"com.docker.swarm.task.id", "it is a task of a Swarm service, which has a rollback of its own"},
	{"io.kubernetes.", "Kubernetes owns it"},
	{"com.amazonaws.ecs.", "Amazon ECS owns it"},
	{"io.balena.", "balena owns it"},
	{"com.hashicorp.nomad.", "Nomad owns it"},
	{"io.hass.", "Home Assistant's supervisor owns it"},
	{"PODMAN_SYSTEMD_UNIT", "a unit of systemd owns it"},
};

static bool matches(const char *name, const char *label)
{
	return label[strlen(label) - 1] == '.' ? wd_text_starts(name, label) : strcmp(name, label) == 0;
}

static bool belongs_to_nobody_else(const struct wd_parts *parts, struct wd_error *error)
{
	const struct wd_json *labels = wd_json_get(parts->config, "Labels");
	struct wd_map *inherited = wd_tree_members(wd_json_get(parts->broken, "Labels"));
	bool free = true;

	for (const struct wd_json *label = wd_json_first(labels); label && free; label = wd_json_next(label)) {
		const char *name = wd_json_name(label);

		if (name == NULL || wd_tree_equal(wd_map_get(inherited, name), label))
			continue;
		for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]) && free; i++)
			if (matches(name, owners[i].label))
				free = wd_fail(error, WD_ERROR_REFUSED, "%s (label %.100s)", owners[i].owner, name);
	}
	wd_map_free(inherited);
	if (free && strcasecmp(wd_json_string(wd_json_get(labels, LABEL_ONE_OFF), ""), "true") == 0)
		return wd_fail(error, WD_ERROR_REFUSED, "it is a one-off run of compose");
	return free;
}

static bool is_alive(const struct wd_parts *parts, struct wd_error *error)
{
	const struct wd_json *state = wd_json_get(parts->inspect, "State");

	if (wd_json_bool(wd_json_get(state, "Dead"), false) || strcmp(wd_tree_string(state, "Status"), "dead") == 0 ||
	    strcmp(wd_tree_string(state, "Status"), "removing") == 0)
		return wd_fail(error, WD_ERROR_REFUSED, "it is being removed");
	if (wd_json_bool(wd_json_get(state, "Paused"), false))
		return wd_fail(error, WD_ERROR_REFUSED, "it is paused: somebody is looking at it");
	if (wd_json_bool(wd_json_get(parts->host, "AutoRemove"), false))
		return wd_fail(error, WD_ERROR_REFUSED,
			       "it is removed when it stops (--rm), and could not be put back");
	return true;
}

/* ---- images ---- */

static bool same_kind(const struct wd_recreate_source *source, const char *member)
{
	const char *was = wd_tree_string(source->broken, member), *is = wd_tree_string(source->target, member);

	return *was == '\0' || *is == '\0' || strcmp(was, is) == 0;
}

static bool images_fit(const struct wd_parts *parts, struct wd_error *error)
{
	const struct wd_recreate_source *source = parts->source;
	const char *current = wd_tree_string(parts->inspect, "Image");
	const char *broken = wd_tree_string(source->broken, "Id"), *target = wd_tree_string(source->target, "Id");

	if (!wd_json_is_object(wd_json_get(source->broken, "Config")))
		return wd_fail(error, WD_ERROR_REFUSED,
			       "the image it has is gone and its configuration was not kept: what is the image's and "
			       "what was given cannot be told apart");
	if (*broken && strcmp(broken, current) != 0)
		return wd_fail(error, WD_ERROR_FAILED, "%.80s is not the image it has, but %.80s", broken, current);
	if (*target == '\0')
		return wd_fail(error, WD_ERROR_REFUSED, "there is no image to go back to");
	if (strcmp(target, current) == 0 && !source->same_image)
		return wd_fail(error, WD_ERROR_REFUSED, "it has the image that it would go back to");
	if (!same_kind(source, "Os") || !same_kind(source, "Architecture"))
		return wd_fail(error, WD_ERROR_REFUSED, "the image to go back to is for %s/%s, not for %s/%s",
			       wd_tree_string(source->target, "Os"), wd_tree_string(source->target, "Architecture"),
			       wd_tree_string(source->broken, "Os"), wd_tree_string(source->broken, "Architecture"));
	return true;
}

/* ---- other containers ---- */

static bool is_free_of_leftovers(const struct wd_parts *parts, struct wd_error *error)
{
	const struct wd_json *others = parts->source->others;

	if (wd_spare_read(parts->name, NULL, NULL))
		return wd_fail(error, WD_ERROR_REFUSED, "%s is what a rollback has left", parts->name);
	for (const struct wd_json *other = wd_json_first(others); other; other = wd_json_next(other)) {
		const char *name = wd_tree_string(other, "Name");
		WD_AUTO_FREE char *of = NULL;

		if (wd_spare_read(name, &of, NULL) && strcmp(of, parts->name) == 0)
			return wd_fail(error, WD_ERROR_REFUSED, "%s is there still, from another rollback", name + 1);
	}
	return true;
}

static bool is_there(const struct wd_json *others, const char *id)
{
	for (const struct wd_json *other = wd_json_first(others); other; other = wd_json_next(other))
		if (wd_recreate_is(other, id))
			return true;
	return false;
}

static bool can_join(const struct wd_parts *parts, struct wd_error *error)
{
	static const char *const modes[] = {"NetworkMode", "IpcMode", "PidMode"};
	const struct wd_recreate_source *source = parts->source;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && source->others; i++) {
		const char *joined = wd_recreate_joined(parts->host, modes[i]);

		if (joined == NULL || (source->moved_from && strcmp(joined, source->moved_from) == 0))
			continue;
		if (!is_there(source->others, joined))
			return wd_fail(error, WD_ERROR_REFUSED, "%s: the container %.12s that it joins is gone",
				       modes[i], joined);
	}
	return true;
}

static bool nobody_depends(const struct wd_parts *parts, struct wd_error *error)
{
	struct wd_dependents found = {0};
	bool free = true;

	wd_dependents_find(parts->inspect, parts->source->others, &found);
	WD_AUTO_FREE char *text = wd_dependents_text(&found, WD_DEPENDS_BREAKS);

	if (*text && !parts->source->cascade)
		free = wd_fail(error, WD_ERROR_REFUSED,
			       "containers depend on its ID: %.300s (dependents = cascade makes them again, too)",
			       text);
	wd_dependents_done(&found);
	return free;
}

bool wd_recreate_permitted(const struct wd_parts *parts, struct wd_error *error)
{
	if (strcmp(wd_tree_string(parts->inspect, "Platform"), "windows") == 0)
		return wd_fail(error, WD_ERROR_REFUSED, "it is a Windows container");
	return belongs_to_nobody_else(parts, error) && is_alive(parts, error) &&
	       (!parts->source->podman || wd_recreate_podman_permitted(parts->source, error)) &&
	       images_fit(parts, error) && is_free_of_leftovers(parts, error) && can_join(parts, error) &&
	       nobody_depends(parts, error);
}
