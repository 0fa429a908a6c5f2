/* An inspect and its two images, {"inspect", "broken", "target", "others", "networks", "volumes", "info", "podman", "api"}:
 * what is not refused is a body that holds together, and any two inspects can be compared. */
#include <fuzz/fuzz.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/recreate.h>

static void check_body(const struct wd_json *body, const struct wd_recreate *recreate)
{
	const struct wd_json *ends = wd_json_path(body, "NetworkingConfig.EndpointsConfig");

	assert(wd_json_is_object(body));
	assert(wd_json_is_string(wd_json_get(body, "Image")));
	assert(wd_json_is_object(wd_json_get(body, "HostConfig")));
	assert(!wd_json_bool(wd_json_path(body, "HostConfig.AutoRemove"), false));
	assert(!wd_json_get(wd_json_get(body, "HostConfig"), "ContainerIDFile"));
	for (const struct wd_json *end = wd_json_first(ends); end; end = wd_json_next(end)) {
		assert(wd_json_is_object(end));
		assert(!wd_json_get(end, "EndpointID") && !wd_json_get(end, "IPAddress"));
	}
	for (size_t i = 0; i < recreate->link_count; i++) {
		WD_AUTO_FREE char *path = wd_recreate_link_path(&recreate->links[i]);
		WD_AUTO_FREE char *text = wd_recreate_link_body(&recreate->links[i], "x");
		WD_AUTO_JSON struct wd_json *link = wd_json_parse(text, strlen(text), NULL);

		assert(strncmp(path, "/networks/", 10) == 0 && !strpbrk(path, " ?#\n"));
		assert(link);
	}
}

static void check_recreate(const struct wd_recreate_source *source, const struct wd_recreate *recreate)
{
	struct wd_list lines = {0};
	struct wd_dependents found = {0};
	WD_AUTO_JSON struct wd_json *body = wd_json_parse(recreate->body, strlen(recreate->body), NULL);

	assert(body);
	check_body(body, recreate);
	wd_recreate_changes(source, recreate, &lines);
	wd_recreate_compare(source, recreate, source->inspect, &lines);
	wd_recreate_compare(source, recreate, source->target, &lines);
	wd_list_done(&lines);
	wd_dependents_find(source->inspect, source->others, &found);
	free(wd_dependents_text(&found, ~0u));
	wd_dependents_done(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse((const char *)data, size, NULL);
	struct wd_error error = {0};
	struct wd_recreate_source source = {
		.inspect = wd_json_get(json, "inspect"),
		.broken = wd_json_get(json, "broken"),
		.target = wd_json_get(json, "target"),
		.others = wd_json_get(json, "others"),
		.networks = wd_json_get(json, "networks"),
		.volumes = wd_json_get(json, "volumes"),
		.info = wd_json_get(json, "info"),
		.earlier = wd_json_get(json, "earlier"),
		.api = wd_json_string(wd_json_get(json, "api"), "1.45"),
		.podman = wd_json_bool(wd_json_get(json, "podman"), false),
		.libpod = wd_json_get(json, "libpod"),
		.same_image = true,
	};
	struct wd_recreate *recreate = wd_recreate_build(&source, &error);

	if (recreate)
		check_recreate(&source, recreate);
	else
		assert(error.kind == WD_ERROR_REFUSED || error.kind == WD_ERROR_FAILED);
	wd_recreate_free(recreate);
	return 0;
}
