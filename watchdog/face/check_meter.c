/* check_meter.c: whether what containers use can be read on this machine, as `seadog check` tries it on those that run. */
#include "asker.h"
#include "check.h"

#include <stdio.h>
#include <watchdog/memory.h>
#include <watchdog/meter.h>
#include <watchdog/wire.h>

#define TRIED_MAX 20

static const char *const off_meter =
	"triggers memory, cpu, pids, forecast and pressure; what status and explain say of them";
static const char *const off_files =
	"trigger pressure, OOM kills that the Engine does not tell, looks more often than every 10 s";

struct trying {
	struct wd_meter *meter;
	struct wd_engine *engine;
	unsigned tried, good, told; /* told: by the Engine, of those that cannot be read */
	unsigned pressed;           /* of how many the kernel tells pressure */
	unsigned calling;    /* of the good ones: where the kernel calls at a limit, as the watchdog asks it to */
	struct wd_error why; /* of the last one that was not good, and of the last that was not told */
	struct wd_error why_not_told;
};

/* As the watchdog does it where the files are out of reach. */
static bool is_told(struct trying *trying, const char *id)
{
	char path[160];
	struct wd_sample sample;
	wd_stamp read;
	WD_AUTO_JSON struct wd_json *stats = NULL;
	snprintf(path, sizeof path, WD_ASKS_PATH, id);
	if (!wd_engine_ask(trying->engine, "GET", path, NULL, 0, &stats, &trying->why_not_told))
		return false;
	return wd_wire_stats(stats, (struct wd_cpus){0}, &sample, &read) ||
	       wd_fail(&trying->why_not_told, WD_ERROR_FAILED, "its answer has no figures");
}

static bool tells_pressure(struct wd_gauge *gauge)
{
	const struct wd_gauge_wish wish = {.exact_from_bytes = WD_UNLIMITED, .pressure = true};
	struct wd_sample sample;
	return wd_gauge_read(gauge, &wish, wd_time_now(), &sample) && (sample.has & WD_HAS_PRESSURE);
}

static bool is_called_for(struct wd_gauge *gauge)
{
	const struct wd_alarm_wish wish = {.memory_bytes = WD_UNLIMITED, .oom = true};
	struct wd_alarm *alarm = wd_alarm_new(gauge, &wish, NULL);
	wd_alarm_free(alarm);
	return alarm != NULL;
}

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
	struct wd_gauge *gauge = trying->meter ? wd_gauge_open(trying->meter, id, pid, &trying->why) : NULL;
	trying->tried++;
	trying->good += gauge != NULL;
	trying->pressed += gauge && tells_pressure(gauge);
	trying->calling += gauge && is_called_for(gauge);
	if (!gauge)
		trying->told += is_told(trying, id);
	wd_gauge_close(gauge);
}

static void say_tried(struct wd_checking *checking, const struct trying *trying)
{
	const char *layout = trying->meter ? wd_meter_layout(trying->meter) : "no cgroups";
	unsigned bad = trying->tried - trying->good;
	if (trying->tried == 0 && trying->meter)
		wd_check_add(checking, WD_GRADE_OK, "cgroups", NULL, "%s; no container runs to try it with", layout);
	else if (trying->tried == 0)
		wd_check_add(checking, WD_GRADE_WARNING, "cgroups", off_files,
			     "%s; the Engine would be asked, but no container runs to try it with", trying->why.text);
	else if (bad == 0)
		wd_check_add(checking, WD_GRADE_OK, "cgroups", NULL, "%s; %u of %u containers tried can be read; %s",
			     layout, trying->good, trying->tried,
			     trying->calling == trying->good ? "the kernel calls at a limit"
							     : "a limit that is reached is seen at the next look");
	else if (trying->told == bad)
		wd_check_add(checking, WD_GRADE_WARNING, "cgroups", off_files,
			     "%s; %u of %u containers tried can be read, of the others the Engine tells: %s", layout,
			     trying->good, trying->tried, trying->why.text);
	else
		wd_check_add(checking, WD_GRADE_WARNING, "cgroups", off_meter,
			     "%s; %u of %u containers tried can be read: %s; asked about the others, the Engine tells "
			     "of %u: %s",
			     layout, trying->good, trying->tried, trying->why.text, trying->told,
			     trying->why_not_told.text);
}

static void find_pressure(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	bool *wanted = data;
	(void)section, (void)origin;
	*wanted |= wd_text_equal(key, "pressure") && !wd_text_equal(value, "off");
}

/* A trigger that can never trip here. */
static void say_pressure(struct wd_checking *checking, const struct trying *trying)
{
	bool wanted = false;
	wd_settings_each(checking->call->settings, NULL, find_pressure, &wanted);
	if (wanted && trying->good > 0 && trying->pressed == 0)
		wd_check_add(checking, WD_GRADE_WARNING, "pressure", "the trigger pressure",
			     "the kernel tells no pressure of containers: that needs cgroup v2 and PSI (psi=1)");
}

void wd_check_meter(struct wd_checking *checking, struct wd_engine *engine)
{
	struct wd_error why = {0};
	struct wd_json *running = NULL;
	struct trying trying = {.engine = engine};
	trying.meter = wd_meter_new(NULL, &trying.why);
	if (wd_engine_ask(engine, "GET", "/containers/json", NULL, 0, &running, &why)) {
		for (const struct wd_json *item = wd_json_first(running); item && trying.tried < TRIED_MAX;
		     item = wd_json_next(item))
			try_one(&trying, wd_json_string(wd_json_get(item, "Id"), ""));
		say_tried(checking, &trying);
		say_pressure(checking, &trying);
	}
	wd_json_free(running);
	wd_meter_free(trying.meter);
}
