/* The create body of a container that exists: a copy of its inspect, from which the other files delete by name. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"
#include "version.h"
#include "wire_id.h"

void wd_parts_warn(struct wd_parts *parts, const char *format, ...)
{
	char text[400];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	wd_list_add(&parts->result->warnings, text);
}

static enum wd_net read_net(const struct wd_json *host)
{
	const char *mode = wd_tree_string(host, "NetworkMode");

	if (strcmp(mode, "host") == 0)
		return WD_NET_HOST;
	if (strcmp(mode, "none") == 0)
		return WD_NET_NONE;
	return wd_text_starts(mode, "container:") ? WD_NET_JOINED : WD_NET_OWN;
}

static bool read_inspect(struct wd_parts *parts, struct wd_error *error)
{
	const char *name = wd_tree_string(parts->inspect, "Name");

	parts->id = wd_tree_string(parts->inspect, "Id");
	parts->config = wd_json_get(parts->inspect, "Config");
	parts->host = wd_json_get(parts->inspect, "HostConfig");
	parts->mounts = wd_json_get(parts->inspect, "Mounts");
	parts->endpoints = wd_json_path(parts->inspect, "NetworkSettings.Networks");
	parts->name = name + (*name == '/');
	if (!wd_wire_is_id(parts->id))
		return wd_fail(error, WD_ERROR_FAILED, "inspect: Id is not 64 hexadecimal digits");
	if (*parts->name == '\0')
		return wd_fail(error, WD_ERROR_FAILED, "inspect: Name is missing");
	if (!wd_json_is_object(parts->config) || !wd_json_is_object(parts->host))
		return wd_fail(error, WD_ERROR_FAILED, "inspect: Config or HostConfig is missing");
	if (parts->endpoints && !wd_json_is_object(parts->endpoints) && !wd_json_is_null(parts->endpoints))
		return wd_fail(error, WD_ERROR_FAILED, "inspect: NetworkSettings.Networks is no object");
	memcpy(parts->short_id, parts->id, WD_SHORT_ID);
	parts->net = read_net(parts->host);
	return true;
}

bool wd_parts_open(struct wd_parts *parts, const struct wd_recreate_source *source, struct wd_error *error)
{
	*parts = (struct wd_parts){.source = source, .api = wd_api_parse(source->api)};
	parts->result = wd_alloc(1, sizeof(*parts->result));
	if (parts->api == 0)
		return wd_fail(error, WD_ERROR_FAILED, "\"%.20s\" is no version of the API",
			       source->api ? source->api : "");
	parts->normal = source->podman && source->inspect ? wd_recreate_podman(source->inspect) : NULL;
	parts->inspect = parts->normal ? parts->normal : source->inspect;
	parts->broken = wd_json_get(source->broken, "Config");
	parts->target = wd_json_get(source->target, "Config");
	return read_inspect(parts, error);
}

void wd_parts_done(struct wd_parts *parts)
{
	wd_json_free(parts->normal);
	wd_json_free(parts->body);
	wd_recreate_free(parts->result);
	*parts = (struct wd_parts){0};
}

struct wd_recreate *wd_recreate_free(struct wd_recreate *recreate)
{
	if (recreate == NULL)
		return NULL;
	for (size_t i = 0; i < recreate->link_count; i++) {
		free(recreate->links[i].network);
		free(recreate->links[i].endpoint);
	}
	free(recreate->links);
	free(recreate->body);
	free(recreate->platform);
	free(recreate->image_id);
	wd_list_done(&recreate->left_behind);
	wd_list_done(&recreate->warnings);
	free(recreate);
	return NULL;
}

/* "x86_64", as the kernel calls it, is "amd64". */
static const char *machine_word(const char *architecture)
{
	if (strcmp(architecture, "x86_64") == 0)
		return "amd64";
	return strcmp(architecture, "aarch64") == 0 ? "arm64" : architecture;
}

/* With the containerd image store one reference is many images: the same one is wanted, if it is not the default. */
static char *choose_platform(const struct wd_parts *parts)
{
	const struct wd_json *platform = wd_json_path(parts->inspect, "ImageManifestDescriptor.platform");
	const char *os = wd_tree_string(platform, "os"), *machine = wd_tree_string(platform, "architecture");
	const char *variant = wd_tree_string(platform, "variant");
	const char *own = machine_word(wd_tree_string(parts->source->info, "Architecture"));

	if (*os == '\0' || *machine == '\0' || *own == '\0' || strcmp(machine, own) == 0)
		return NULL;
	return wd_format("%s/%s%s%s", os, machine, *variant ? "/" : "", variant);
}

static void begin_body(struct wd_parts *parts)
{
	const char *id = wd_tree_string(parts->source->target, "Id"), *reference = parts->source->reference;

	assert(parts->result); /* it was opened */
	parts->body = wd_json_clone(parts->config);
	parts->body_host = wd_json_set(parts->body, "HostConfig", wd_json_clone(parts->host));
	wd_json_remove(parts->body, "NetworkingConfig");
	wd_json_set_string(parts->body, "Image", reference ? reference : id);
	parts->result->image_id = wd_copy(id);
	parts->result->platform = choose_platform(parts);
}

static bool put_together(struct wd_parts *parts, struct wd_error *error)
{
	begin_body(parts);
	wd_recreate_config(parts);
	wd_recreate_host(parts);
	wd_recreate_ports(parts);
	return wd_recreate_mounts(parts, error) && wd_recreate_networks(parts, error);
}

struct wd_recreate *wd_recreate_build(const struct wd_recreate_source *source, struct wd_error *error)
{
	struct wd_parts parts;
	struct wd_recreate *result = NULL;

	if (wd_parts_open(&parts, source, error) && wd_recreate_permitted(&parts, error) &&
	    put_together(&parts, error)) {
		result = parts.result;
		result->body = wd_json_print(parts.body);
		parts.result = NULL;
	}
	wd_parts_done(&parts);
	return result;
}
