#include "shown.h"

#define HEX(digit) digit digit digit digit digit digit digit digit
#define ID(digit) HEX(digit) HEX(digit) HEX(digit) HEX(digit) HEX(digit) HEX(digit) HEX(digit) HEX(digit)
#define AT(seconds) ((wd_stamp)(1767323045 + (seconds)) * 1000000000) /* 2026-01-02T03:04:05Z and so much later */

static const struct wd_policy usual = {
	.watched = true,
	.restarts = {.items = {{5, 60 * WD_SECOND}}, .count = 1},
	.flapping = {.items = {{10, WD_HOUR}}, .count = 1},
	.down = 30 * WD_SECOND,
	.unhealthy = 60 * WD_SECOND,
};

struct wd_engine_state shown_engine(void)
{
	return (struct wd_engine_state){.host = "unix:///var/run/docker.sock",
					.version = "26.1.5",
					.api = "1.45",
					.connected = true,
					.last_event = AT(0) + 123456789};
}

static struct wd_service_view view_of(const char *service, struct wd_container *container, struct wd_memory *memory,
				      unsigned restarts, unsigned flaps)
{
	return (struct wd_service_view){
		.service = service,
		.container = container,
		.policy = &usual,
		.memory = memory,
		.why = "",
		.windows = {{WD_TRIGGER_RESTARTS, restarts, 5, 60 * WD_SECOND},
			    {WD_TRIGGER_FLAPPING, flaps, 10, WD_HOUR},
			    {WD_TRIGGER_OOM, 1, 3, 600 * WD_SECOND}},
		.window_count = 3,
		.unhealthy_since = WD_NEVER,
		.down_since = WD_NEVER,
		.note = "",
	};
}

struct wd_service_view shown_well(void)
{
	static struct wd_container container = {.id = ID("a"),
						.name = "web",
						.service = "shop/web/1",
						.image = "acme/web:1.5.0",
						.image_id = "sha256:" ID("1"),
						.state = WD_STATE_RUNNING,
						.health = WD_HEALTH_HEALTHY};
	static struct wd_memory memory = {.service = "shop/web/1", .name = "web"};
	return view_of("shop/web/1", &container, &memory, 1, 1);
}

struct wd_service_view shown_held(void)
{
	static struct wd_container container = {.id = ID("b"),
						.name = "loop",
						.service = "loop",
						.image = "acme/loop:2",
						.image_id = "sha256:" ID("2"),
						.state = WD_STATE_EXITED};
	static struct wd_memory memory = {.service = "loop",
					  .name = "loop",
					  .hold = {.held = true,
						   .kind = WD_ACTION_STOP,
						   .since = AT(5),
						   .incident = 7,
						   .policy = {WD_RESTART_ON_FAILURE, 3}}};
	struct wd_service_view view = view_of("loop", &container, &memory, 0, 6);
	view.verdict = WD_VERDICT_HELD;
	view.why = "5 restarts within 60s (limit 5/60s), last exit code 3";
	return view;
}

/* Limits with a time, of each kind of figure, and a trend. */
static void add_levels(struct wd_service_view *view)
{
	view->levels[view->level_count++] = (struct wd_level_view){
		.trigger = WD_TRIGGER_MEMORY,
		.level = {.kind = WD_LEVEL_RATIO, .ratio = 0.95, .span = WD_MINUTE},
		.now = 125829120, /* with page cache: the exact look is what counts */
		.limit = 127506841,
		.since = WD_NEVER,
	};
	view->levels[view->level_count++] =
		(struct wd_level_view){.trigger = WD_TRIGGER_PIDS,
				       .level = {.kind = WD_LEVEL_RATIO, .ratio = 0.9, .span = WD_MINUTE},
				       .now = 7,
				       .limit = -1,
				       .since = WD_NEVER};
	view->levels[view->level_count++] =
		(struct wd_level_view){.trigger = WD_TRIGGER_PRESSURE,
				       .resource = WD_RESOURCE_IO,
				       .level = {.kind = WD_LEVEL_RATIO, .ratio = 0.4, .span = 30 * WD_SECOND},
				       .now = 0.61,
				       .limit = 0.4,
				       .since = 1000 * WD_SECOND};
	view->forecast =
		(struct wd_forecast_view){.horizon = 10 * WD_MINUTE, .left = 25 * WD_MINUTE, .rate_bytes = 1048576};
}

struct wd_service_view shown_muted(void)
{
	static struct wd_container container = {.id = ID("c"),
						.name = "evil\033[2J\nname",
						.service = "evil",
						.image = "h\xc3\xa9llo/\xe4\xb8\xad\xe6\x96\x87:1",
						.image_id = "sha256:" ID("3"),
						.state = WD_STATE_RESTARTING,
						.health = WD_HEALTH_UNHEALTHY};
	static struct wd_memory memory = {.service = "evil", .name = "evil"};
	struct wd_service_view view = view_of("evil", &container, &memory, 5, 10);
	view.verdict = WD_VERDICT_MUTED;
	view.muted_until = AT(1800);
	view.incident = shown_open_incident();
	view.unhealthy_since = 1000 * WD_SECOND;
	add_levels(&view);
	return view;
}

struct wd_service_view shown_held_back(void)
{
	static struct wd_container container = {.id = ID("e"),
						.name = "db",
						.service = "db",
						.image = "acme/db:3",
						.image_id = "sha256:" ID("5"),
						.state = WD_STATE_RUNNING};
	static struct wd_memory memory = {.service = "db", .name = "db"};
	struct wd_service_view view = view_of("db", &container, &memory, 6, 6);
	view.verdict = WD_VERDICT_SICK;
	view.why = "5 restarts within 60s (limit 5/60s), last exit code 1";
	view.note = "held back: cooldown";
	view.held_back_until = AT(300);
	return view;
}

struct wd_service_view shown_forgotten(void)
{
	static struct wd_memory memory = {
		.service = "old",
		.name = "old",
		.id = ID("d"),
		.hold = {.held = true, .kind = WD_ACTION_PAUSE, .since = AT(0), .policy = {WD_RESTART_ALWAYS, 0}}};
	struct wd_service_view view = view_of("old", NULL, &memory, 0, 0);
	view.policy = NULL;
	view.window_count = 0;
	view.verdict = WD_VERDICT_HELD;
	return view;
}

const struct wd_incident *shown_incident(void)
{
	static struct wd_step steps[] = {
		{WD_ACTION_ROLLBACK, AT(4), AT(4), WD_RESULT_SKIPPED, "no pinned image"},
		{WD_ACTION_STOP, AT(4), AT(5), WD_RESULT_DONE, "restart policy always kept for release"},
	};
	static struct wd_note notes[] = {
		{AT(0) - 3200000000, "crash, exit code 3"},
		{AT(0) - 1600000000, "crash, exit code 3"},
		{AT(0), "crash, exit code 3: 5 restarts within 60s (limit 5/60s)"},
		{AT(4), "rollback skipped: no pinned image"},
		{AT(5), "stopped; restart policy no"},
	};
	static struct wd_point points[] = {{AT(-8), 8388608, 6291456, -1, 0},
					   {AT(-6), 41943040, 33554432, 0.02, 0},
					   {AT(-4), 83886080, 71303168, 0.5, 12},
					   {AT(-2), 109051904, 96468992, 1.98, 14},
					   {AT(0), 134217728, 127926272, 1.2, 15}};
	static const struct wd_incident incident = {
		.id = 7,
		.name = "loop",
		.service = "loop",
		.container = ID("b"),
		.trigger = WD_TRIGGER_RESTARTS,
		.why = "5 restarts within 60s (limit 5/60s), last exit code 3",
		.opened = AT(0),
		.closed = AT(5) + 250000000,
		.outcome = WD_OUTCOME_HELD,
		.steps = steps,
		.step_count = 2,
		.notes = notes,
		.note_count = 5,
		.logs = "connecting to db:5432\npanic: \\x1b[31mno route to host\\x1b[0m\ngoroutine 1 [running]:\n",
		.points = points,
		.point_count = sizeof points / sizeof *points,
		.memory_limit_bytes = 134217728,
		.cpus_allowed = 2,
	};
	return &incident;
}

const struct wd_incident *shown_open_incident(void)
{
	static struct wd_step steps[] = {{WD_ACTION_RESTART, AT(61), WD_STAMP_NONE, WD_RESULT_OPEN, NULL}};
	static const struct wd_incident incident = {
		.id = 8,
		.name = "web",
		.service = "shop/web/1",
		.container = ID("a"),
		.trigger = WD_TRIGGER_UNHEALTHY,
		.why = "unhealthy for 60s",
		.opened = AT(60),
		.steps = steps,
		.step_count = 1,
	};
	return &incident;
}
