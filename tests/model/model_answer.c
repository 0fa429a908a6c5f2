/* What the Engine's JSON looks like (recorded: tests/fixtures). */
#include <stdio.h>
#include <string.h>

#include "model_inside.h"

static void set_stamp(struct wd_json *object, const char *name, wd_stamp stamp)
{
	char text[WD_TIME_TEXT];
	wd_json_set_string(object, name, stamp ? wd_stamp_print(stamp, text) : "0001-01-01T00:00:00Z");
}

static void set_copy(struct wd_json *object, const char *name, const struct wd_json *value)
{
	wd_json_set(object, name, value ? wd_json_clone(value) : wd_json_null());
}

/* Labels overwrite what the event says of itself, except image and name; Podman's exitCode wins (engine.md 1.4, 9). */
static struct wd_json *attributes(const struct model_container *container, const char *key, const char *value)
{
	struct wd_json *object = wd_json_object();
	const struct wd_json *labels = wd_json_get(container->config, "Labels");
	bool podman = model_is_podman(container->model);
	if (key && !podman)
		wd_json_set_string(object, key, value);
	for (struct wd_json *label = wd_json_first(labels); label; label = wd_json_next(label))
		wd_json_set_string(object, wd_json_name(label), wd_json_string(label, ""));
	if (key && podman && strcmp(key, "HealthStatus") != 0)
		wd_json_set_string(object, key, value);
	wd_json_set_string(object, "image", container->image_name);
	wd_json_set_string(object, "name", container->name);
	return object;
}

struct wd_json *model_event_json(const struct model_container *container, const char *action, const char *key,
				 const char *value, wd_stamp stamp)
{
	struct wd_json *json = wd_json_object();
	wd_json_set_string(json, "status", action);
	wd_json_set_string(json, "id", container->id);
	wd_json_set_string(json, "from", container->image_name);
	wd_json_set_string(json, "Type", "container");
	wd_json_set_string(json, "Action", action);
	struct wd_json *actor = wd_json_set(json, "Actor", wd_json_object());
	wd_json_set_string(actor, "ID", container->id);
	wd_json_set(actor, "Attributes", attributes(container, key, value));
	wd_json_set_string(json, "scope", "local");
	wd_json_set_int(json, "time", stamp / 1000000000);
	wd_json_set_int(json, "timeNano", stamp);
	if (key && model_is_podman(container->model) && strcmp(key, "HealthStatus") == 0)
		wd_json_set_string(json, "HealthStatus", value);
	return json;
}

static struct wd_json *state_json(const struct model_container *container)
{
	struct wd_json *state = wd_json_object();
	/* In state restarting FinishedAt is the Engine's present (engine.md 2.5). */
	wd_stamp finished =
		container->state == WD_STATE_RESTARTING ? model_stamp(container->model) : container->finished;
	wd_json_set_string(state, "Status", wd_state_name(container->state));
	wd_json_set_bool(state, "Running", model_is_running(container));
	wd_json_set_bool(state, "Paused", container->state == WD_STATE_PAUSED);
	wd_json_set_bool(state, "Restarting", container->state == WD_STATE_RESTARTING);
	wd_json_set_bool(state, "OOMKilled", container->oom_killed);
	wd_json_set_bool(state, "Dead", false);
	wd_json_set_int(state, "Pid", (int64_t)container->pid);
	wd_json_set_int(state, "ExitCode", container->exit_code);
	wd_json_set_string(state, "Error", container->trouble ? container->trouble : "");
	set_stamp(state, "StartedAt", container->started);
	set_stamp(state, "FinishedAt", finished);
	if (container->health != WD_HEALTH_NONE) {
		struct wd_json *health = wd_json_set(state, "Health", wd_json_object());
		wd_json_set_string(health, "Status", wd_health_name(container->health));
		wd_json_set_int(health, "FailingStreak", container->health == WD_HEALTH_UNHEALTHY ? 3 : 0);
		wd_json_set(health, "Log", wd_json_array());
	}
	return state;
}

char *model_inspect_json(const struct model_container *container)
{
	WD_AUTO_FREE char *name = wd_format("/%s", container->name);
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	wd_json_set_string(json, "Id", container->id);
	set_stamp(json, "Created", container->created);
	wd_json_set(json, "State", state_json(container));
	wd_json_set_string(json, "Image", container->image->id);
	wd_json_set_string(json, "Name", name);
	wd_json_set_int(json, "RestartCount", container->restarts);
	wd_json_set_string(json, "Driver", "overlay2");
	wd_json_set_string(json, "Platform", "linux");
	set_copy(json, "HostConfig", container->host);
	set_copy(json, "Mounts", container->mounts);
	set_copy(json, "Config", container->config);
	struct wd_json *networks = wd_json_set(json, "NetworkSettings", wd_json_object());
	set_copy(networks, "Networks", container->endpoints);
	return wd_json_print(json);
}

static struct wd_json *list_item(const struct model_container *container)
{
	WD_AUTO_FREE char *name = wd_format("/%s", container->name);
	struct wd_json *item = wd_json_object();
	wd_json_set_string(item, "Id", container->id);
	wd_json_add(wd_json_set(item, "Names", wd_json_array()), wd_json_text(name));
	wd_json_set_string(item, "Image", container->image_name);
	wd_json_set_string(item, "ImageID", container->image->id);
	wd_json_set_int(item, "Created", container->created / 1000000000);
	wd_json_set(item, "Ports", wd_json_array());
	set_copy(item, "Labels", wd_json_get(container->config, "Labels"));
	wd_json_set_string(item, "State", wd_state_name(container->state));
	wd_json_set(item, "Mounts", wd_json_array());
	return item;
}

/* Newest first, as the Engine lists. */
char *model_list_json(const struct model *model, bool all)
{
	WD_AUTO_JSON struct wd_json *list = wd_json_array();
	for (size_t i = model->count; i > 0; i--)
		if (all || model_is_running(model->containers[i - 1]))
			wd_json_add(list, list_item(model->containers[i - 1]));
	return wd_json_print(list);
}

char *model_image_json(const struct model *model, const struct model_image *image)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	wd_json_set_string(json, "Id", image->id);
	struct wd_json *tags = wd_json_set(json, "RepoTags", wd_json_array());
	for (size_t i = 0; i < image->names.count; i++)
		wd_json_add(tags, wd_json_text(image->names.items[i]));
	struct wd_json *digests = wd_json_set(json, "RepoDigests", wd_json_array());
	if (image->digest)
		wd_json_add(digests, wd_json_text(image->digest));
	set_stamp(json, "Created", model->epoch);
	struct wd_json *config =
		wd_json_set(json, "Config", image->config ? wd_json_clone(image->config) : wd_json_object());
	set_copy(config, "Labels", image->labels);
	wd_json_set_string(json, "Os", "linux");
	wd_json_set_string(json, "Architecture", "amd64");
	wd_json_set_int(json, "Size", 1982326);
	return wd_json_print(json);
}

char *model_version_json(const struct model *model)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	struct wd_json *components = wd_json_set(json, "Components", wd_json_array());
	struct wd_json *component = wd_json_add(components, wd_json_object());
	wd_json_set_string(component, "Name", model_is_podman(model) ? "Podman Engine" : "Engine");
	wd_json_set_string(component, "Version", model_version(model));
	wd_json_set_string(json, "Version", model_version(model));
	wd_json_set_string(json, "ApiVersion", model_api(model));
	wd_json_set_string(json, "MinAPIVersion", model_api_minimum(model));
	wd_json_set_string(json, "Os", "linux");
	wd_json_set_string(json, "Arch", "amd64");
	return wd_json_print(json);
}

char *model_info_json(const struct model *model)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	unsigned long long born = (unsigned long long)model->epoch;
	WD_AUTO_FREE char *id = wd_format("CEW7:OFYM:TDUC:X5PQ:ODBI:WGA5:J75X:JLD5:%04llX:%04llX:%04llX:%04llX",
					  born >> 48, born >> 32 & 0xffff, born >> 16 & 0xffff, born & 0xffff);
	wd_json_set_string(json, "ID",
			   id); /* of its own: a host has one seadog per Engine, and tests run side by side */
	wd_json_set_int(json, "Containers", (int64_t)model->count);
	wd_json_set_string(json, "ServerVersion", model_version(model));
	wd_json_set_string(json, "CgroupDriver", "systemd");
	wd_json_set_string(json, "CgroupVersion", "2");
	wd_json_set_string(json, "Name", "model");
	wd_json_set_string(json, "OSType", "linux");
	wd_json_set_int(json, "NCPU", 4);
	wd_json_set_int(json, "MemTotal", 8589934592);
	wd_json_set_bool(json, "LiveRestoreEnabled", false);
	return wd_json_print(json);
}

/* The last `tail` lines, each in a frame of standard output unless the container has a terminal. */
char *model_logs(const struct model_container *container, unsigned tail, size_t *ret_length)
{
	bool terminal = wd_json_bool(wd_json_get(container->config, "Tty"), false);
	const char *output = wd_text_get(&container->output), *end = output + container->output.length;
	const char *at = end;
	struct wd_text body = {0};
	for (unsigned lines = 0; at > output; at--)
		if (at[-1] == '\n' && at != end && ++lines == tail)
			break;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = newline ? (size_t)(newline + 1 - at) : (size_t)(end - at);
		unsigned char header[8] = {1,
					   0,
					   0,
					   0,
					   (unsigned char)(length >> 24),
					   (unsigned char)(length >> 16),
					   (unsigned char)(length >> 8),
					   (unsigned char)length};
		if (!terminal)
			wd_text_put(&body, header, sizeof(header));
		wd_text_put(&body, at, length);
		at += length;
	}
	*ret_length = body.length;
	return wd_text_take(&body);
}
