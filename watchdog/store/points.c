#include "points.h"

#include <inttypes.h>
#include <string.h>
#include <watchdog/json.h>
#include <watchdog/memory.h>

char *wd_points_print(const struct wd_incident *incident)
{
	struct wd_text text = {0};
	if (incident->point_count == 0)
		return NULL;
	wd_text_print(&text, "{\"memory_limit_bytes\":%" PRIu64 ",\"cpus_allowed\":%.3f,\"points\":[",
		      incident->memory_limit_bytes < INT64_MAX ? incident->memory_limit_bytes : 0,
		      incident->cpus_allowed);
	for (unsigned n = 0; n < incident->point_count; n++) {
		const struct wd_point *point = &incident->points[n];
		wd_text_print(&text, "%s[%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%.2f,%" PRIu64 "]", n ? "," : "",
			      point->at, point->usage_bytes, point->working_set_bytes, point->cpus, point->pids);
	}
	wd_text_add(&text, "]}");
	return wd_text_take(&text);
}

static uint64_t natural(const struct wd_json *json)
{
	int64_t number = wd_json_int(json, 0);
	return number > 0 ? (uint64_t)number : 0;
}

static struct wd_point read_point(const struct wd_json *json)
{
	const struct wd_json *at = wd_json_first(json);
	const struct wd_json *usage = at ? wd_json_next(at) : NULL;
	const struct wd_json *working = usage ? wd_json_next(usage) : NULL;
	const struct wd_json *cpus = working ? wd_json_next(working) : NULL;
	return (struct wd_point){
		.at = wd_json_int(at, 0),
		.usage_bytes = natural(usage),
		.working_set_bytes = natural(working),
		.cpus = wd_json_double(cpus, -1),
		.pids = natural(cpus ? wd_json_next(cpus) : NULL),
	};
}

void wd_points_parse(const char *text, struct wd_incident *incident)
{
	WD_AUTO_JSON struct wd_json *json = text ? wd_json_parse(text, strlen(text), NULL) : NULL;
	struct wd_json *points = wd_json_get(json, "points");
	if (!wd_json_is_array(points) || wd_json_count(points) == 0)
		return;
	incident->memory_limit_bytes = natural(wd_json_get(json, "memory_limit_bytes"));
	incident->cpus_allowed = wd_json_double(wd_json_get(json, "cpus_allowed"), 0);
	incident->points = wd_alloc(WD_INCIDENT_POINTS, sizeof(*incident->points));
	for (struct wd_json *item = wd_json_first(points); item && incident->point_count < WD_INCIDENT_POINTS;
	     item = wd_json_next(item))
		incident->points[incident->point_count++] = read_point(item);
}
