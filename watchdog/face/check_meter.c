/* check_meter.c: whether what containers use can be read on this machine, as `seadog check` tries it on those that run. */
#include "check.h"

#include <stdio.h>
#include <watchdog/meter.h>

#define TRIED_MAX 20

static const char *const off_meter = "memory, CPU and pids in status and explain";

struct trying {
	struct wd_meter *meter;
	struct wd_engine *engine;
	unsigned tried, good;
	struct wd_error why; /* of the last one that was not good */
};

/* One that has ended since it was listed says nothing. */
static void try_one(struct trying *trying, const char *id)
{
	char path[128];
	struct wd_json *inspect = NULL;
	snprintf(path, sizeof path, "/containers/%.64s/json", id);
	if (!wd_engine_ask(trying->engine, "GET", path, NULL, 0, &inspect, NULL))
		return;
	int pid = (int)wd_json_int(wd_json_path(inspect, "State.Pid"), 0);
	wd_json_free(inspect);
	if (pid <= 0)
		return;
	struct wd_gauge *gauge = wd_gauge_open(trying->meter, id, pid, &trying->why);
	trying->tried++;
	trying->good += gauge != NULL;
	wd_gauge_close(gauge);
}

static void say_tried(struct wd_checking *checking, const struct trying *trying)
{
	const char *layout = wd_meter_layout(trying->meter);
	if (trying->tried == 0)
		wd_check_add(checking, WD_GRADE_OK, "cgroups", NULL, "%s; no container runs to try it with", layout);
	else if (trying->good == trying->tried)
		wd_check_add(checking, WD_GRADE_OK, "cgroups", NULL, "%s; %u of %u containers tried can be read",
			     layout, trying->good, trying->tried);
	else
		wd_check_add(checking, WD_GRADE_WARNING, "cgroups", off_meter,
			     "%s; %u of %u containers tried can be read: %s", layout, trying->good, trying->tried,
			     trying->why.text);
}

void wd_check_meter(struct wd_checking *checking, struct wd_engine *engine)
{
	struct wd_error why = {0};
	struct wd_json *running = NULL;
	struct trying trying = {.meter = wd_meter_new(NULL, &why), .engine = engine};
	if (!trying.meter) {
		wd_check_add(checking, WD_GRADE_WARNING, "cgroups", off_meter, "%s", why.text);
		return;
	}
	if (wd_engine_ask(engine, "GET", "/containers/json", NULL, 0, &running, &why)) {
		for (const struct wd_json *item = wd_json_first(running); item && trying.tried < TRIED_MAX;
		     item = wd_json_next(item))
			try_one(&trying, wd_json_string(wd_json_get(item, "Id"), ""));
		say_tried(checking, &trying);
	}
	wd_json_free(running);
	wd_meter_free(trying.meter);
}
