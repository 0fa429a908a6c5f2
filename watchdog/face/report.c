#include <watchdog/report.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

static void set_stamp(struct wd_json *object, const char *name, wd_stamp stamp)
{
	char text[WD_TIME_TEXT];
	if (stamp == WD_STAMP_NONE)
		wd_json_set_null(object, name);
	else
		wd_json_set_string(object, name, wd_stamp_print(stamp, text));
}

/* Spans as JSON has them: whole seconds where they are whole, so that 60 is no 60.0. */
static void set_seconds(struct wd_json *object, const char *name, wd_time span)
{
	if (span % WD_SECOND == 0)
		wd_json_set_int(object, name, span / WD_SECOND);
	else
		wd_json_set_double(object, name, (double)span / (double)WD_SECOND);
}

static void set_policy(struct wd_json *object, const char *name, struct wd_restart_policy policy)
{
	char text[64];
	snprintf(text, sizeof text, "%s:%u", wd_restart_name(policy.kind), policy.retries);
	bool counted = policy.kind == WD_RESTART_ON_FAILURE && policy.retries > 0;
	wd_json_set_string(object, name, counted ? text : wd_restart_name(policy.kind));
}

static struct wd_json *engine_report(const struct wd_engine_state *engine)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_string(report, "host", engine->host);
	wd_json_set_string(report, "version", engine->version);
	wd_json_set_string(report, "api", engine->api);
	wd_json_set_bool(report, "connected", engine->connected);
	set_stamp(report, "last_event", engine->last_event);
	wd_json_set_string(report, "trouble", engine->connected ? NULL : engine->trouble);
	return report;
}

struct wd_json *wd_report_status(bool observe, const struct wd_engine_state *engine)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "schema", 1);
	wd_json_set_string(report, "mode", observe ? "observe" : "act");
	wd_json_set(report, "engine", engine_report(engine));
	wd_json_set(report, "services", wd_json_array());
	return report;
}

static struct wd_json *windows_report(const struct wd_service_view *view)
{
	struct wd_json *windows = wd_json_array();
	for (unsigned i = 0; i < view->window_count; i++) {
		const struct wd_window_view *window = &view->windows[i];
		if (window->trigger != WD_TRIGGER_RESTARTS && window->trigger != WD_TRIGGER_FLAPPING)
			continue;
		struct wd_json *item = wd_json_add(windows, wd_json_object());
		wd_json_set_string(item, "trigger", wd_trigger_name(window->trigger));
		wd_json_set_int(item, "count", window->count);
		wd_json_set_int(item, "limit", window->limit);
		set_seconds(item, "window_seconds", window->window);
	}
	return windows;
}

static struct wd_json *hold_report(const struct wd_memory *memory)
{
	if (!memory || !wd_memory_is_bound(memory))
		return wd_json_null();
	struct wd_json *hold = wd_json_object();
	bool held = memory->hold.held;
	int64_t incident = held ? memory->hold.incident : memory->throttle.incident;
	set_stamp(hold, "since", held ? memory->hold.since : memory->throttle.since);
	if (incident > 0)
		wd_json_set_int(hold, "incident", incident);
	else
		wd_json_set_null(hold, "incident");
	set_policy(hold, "restart_policy", held ? memory->hold.policy : memory->policy);
	wd_json_set_string(hold, "kind", wd_action_name(wd_memory_kind(memory)));
	if (wd_cpu_cut_is(&memory->throttle.cut))
		wd_json_set_double(hold, "cpus", wd_cpus_count(memory->throttle.cut.now));
	return hold;
}

/* What the container says, or what is remembered of it where it was not seen yet. */
static void set_identity(struct wd_json *report, const struct wd_service_view *view)
{
	const struct wd_container *container = view->container;
	const struct wd_memory *memory = view->memory;
	const char *name = container ? container->name : memory ? memory->name : view->service;
	wd_json_set_string(report, "name", name);
	wd_json_set_string(report, "service", view->service);
	wd_json_set_string(report, "id", container ? container->id : memory ? memory->id : NULL);
	wd_json_set_string(report, "image", container ? container->image : NULL);
	wd_json_set_string(report, "image_id", container ? container->image_id : memory ? memory->image_id : NULL);
	wd_json_set_string(report, "state", wd_state_name(container ? container->state : WD_STATE_UNKNOWN));
}

static void set_ratio(struct wd_json *object, const char *name, double part, double whole)
{
	wd_json_set_double(object, name, round(part / whole * 10000) / 10000);
}

static int64_t in_bounds(uint64_t number)
{
	return number < INT64_MAX ? (int64_t)number : INT64_MAX;
}

void wd_report_usage(struct wd_json *service, const struct wd_sample *sample, double cpus)
{
	if (sample->has & WD_HAS_MEMORY) {
		struct wd_json *memory = wd_json_set(service, "memory", wd_json_object());
		wd_json_set_int(memory, "bytes", in_bounds(sample->working_set_bytes));
		wd_json_set_int(memory, "limit_bytes", in_bounds(sample->memory_limit_bytes));
		set_ratio(memory, "ratio", (double)sample->working_set_bytes, (double)sample->memory_limit_bytes);
	}
	if (cpus >= 0)
		set_ratio(service, "cpu_ratio", cpus, sample->cpus_allowed);
	if (sample->has & WD_HAS_PIDS)
		wd_json_set_int(service, "pids", in_bounds(sample->pids));
	wd_json_set_string(service, "usage_from", sample->has & WD_FROM_ENGINE ? "engine" : "cgroup");
}

static struct wd_json *pin_report(const struct wd_pin *pin)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_string(report, "image", pin->image);
	wd_json_set_string(report, "image_id", pin->id);
	set_stamp(report, "since", pin->since);
	wd_json_set_string(report, "by", wd_pin_by_name(pin->by));
	return report;
}

struct wd_json *wd_report_pins(void)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "schema", 1);
	wd_json_set(report, "pins", wd_json_array());
	wd_json_set(report, "swaps", wd_json_array());
	return report;
}

static struct wd_json *swap_report(const struct wd_swap_record *swap)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_string(report, "image", swap->from_image);
	wd_json_set_string(report, "image_id", swap->from_id);
	wd_json_set_string(report, "to", swap->to_image);
	wd_json_set_string(report, "to_id", swap->to_id);
	set_stamp(report, "at", swap->at);
	wd_json_set_bool(report, "bad", swap->end == WD_SWAP_HELPED);
	wd_json_set_string(report, "result", wd_swap_end_name(swap->end));
	return report;
}

void wd_report_add_pins(struct wd_json *report, const struct wd_memory *memory)
{
	struct wd_json *item;
	for (unsigned i = memory->pins.count; i-- > 0;) {
		item = wd_json_add(wd_json_get(report, "pins"), pin_report(&memory->pins.items[i]));
		wd_json_set_string(item, "service", memory->service);
		wd_json_set_string(item, "name", memory->name ? memory->name : memory->service);
	}
	for (unsigned i = memory->pins.swap_count; i-- > 0;) {
		item = wd_json_add(wd_json_get(report, "swaps"), swap_report(&memory->pins.swaps[i]));
		wd_json_set_string(item, "service", memory->service);
		wd_json_set_string(item, "name", memory->name ? memory->name : memory->service);
	}
}

/* The members that the sampler, pins and snapshots fill are there from the start: scripts may rely on them. */
struct wd_json *wd_report_service(const struct wd_service_view *view)
{
	struct wd_json *report = wd_json_object();
	set_identity(report, view);
	wd_json_set_string(report, "verdict", wd_verdict_name(view->verdict));
	wd_json_set_string(report, "why", view->why);
	wd_json_set_string(report, "note", view->note);
	set_stamp(report, "held_back_until", view->held_back_until);
	wd_json_set(report, "restarts", windows_report(view));
	wd_json_set_null(report, "memory");
	wd_json_set_null(report, "cpu_ratio");
	wd_json_set_null(report, "pids");
	wd_json_set_null(report, "usage_from");
	wd_json_set_string(report, "health", view->container ? wd_health_name(view->container->health) : NULL);
	wd_json_set(report, "pin", view->pin ? pin_report(view->pin) : wd_json_null());
	wd_json_set(report, "hold", hold_report(view->memory));
	wd_json_set_null(report, "snapshot");
	set_stamp(report, "muted_until", view->muted_until);
	if (view->incident)
		wd_json_set_int(report, "incident", view->incident->id);
	else
		wd_json_set_null(report, "incident");
	return report;
}

static struct wd_json *step_report(const struct wd_step *step)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_string(report, "action", wd_action_name(step->action));
	set_stamp(report, "started", step->started);
	set_stamp(report, "ended", step->ended);
	wd_json_set_string(report, "result", wd_result_name(step->result));
	wd_json_set_string(report, "detail", step->detail ? step->detail : "");
	return report;
}

static void set_read(struct wd_json *object, const char *name, uint64_t number)
{
	if (number == 0)
		wd_json_set_null(object, name);
	else
		wd_json_set_int(object, name, in_bounds(number));
}

static void set_points(struct wd_json *report, const struct wd_incident *incident)
{
	struct wd_json *samples = wd_json_set(report, "samples", wd_json_array());
	for (unsigned i = 0; i < incident->point_count; i++) {
		const struct wd_point *point = &incident->points[i];
		struct wd_json *item = wd_json_add(samples, wd_json_object());
		set_stamp(item, "at", point->at);
		wd_json_set_int(item, "usage_bytes", in_bounds(point->usage_bytes));
		set_read(item, "memory_bytes", point->working_set_bytes);
		if (point->cpus < 0)
			wd_json_set_null(item, "cpus");
		else
			wd_json_set_double(item, "cpus", round(point->cpus * 100) / 100);
		set_read(item, "pids", point->pids);
	}
	set_read(report, "memory_limit_bytes", incident->memory_limit_bytes);
	if (incident->cpus_allowed > 0)
		wd_json_set_double(report, "cpus_allowed", incident->cpus_allowed);
	else
		wd_json_set_null(report, "cpus_allowed");
}

static void set_story(struct wd_json *report, const struct wd_incident *incident)
{
	struct wd_json *line = wd_json_set(report, "timeline", wd_json_array());
	for (unsigned i = 0; i < incident->note_count; i++) {
		struct wd_json *note = wd_json_add(line, wd_json_object());
		set_stamp(note, "at", incident->notes[i].at);
		wd_json_set_string(note, "text", incident->notes[i].text);
	}
	wd_json_set_string(report, "logs", incident->logs);
	set_points(report, incident);
}

struct wd_json *wd_report_incident(const struct wd_incident *incident, bool whole)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "id", incident->id);
	wd_json_set_string(report, "name", incident->name);
	wd_json_set_string(report, "service", incident->service);
	wd_json_set_string(report, "trigger", wd_trigger_name(incident->trigger));
	wd_json_set_string(report, "why", incident->why);
	set_stamp(report, "opened", incident->opened);
	set_stamp(report, "closed", incident->closed);
	wd_json_set_string(report, "outcome", wd_outcome_name(incident->outcome));
	struct wd_json *steps = wd_json_set(report, "steps", wd_json_array());
	for (unsigned i = 0; i < incident->step_count; i++)
		wd_json_add(steps, step_report(&incident->steps[i]));
	if (whole) {
		wd_json_set_string(report, "container", incident->container);
		set_story(report, incident);
	}
	return report;
}

struct wd_json *wd_report_event(const struct wd_event *event)
{
	struct wd_json *report = wd_json_object();
	set_stamp(report, "time", event->stamp);
	wd_json_set_string(report, "event", wd_event_name(event->kind));
	wd_json_set_string(report, "name", event->name);
	wd_json_set_string(report, "id", event->id);
	if (event->kind == WD_EVENT_DIE && event->exit_code >= 0)
		wd_json_set_int(report, "exit_code", event->exit_code);
	if (event->kind == WD_EVENT_KILL && event->signal > 0)
		wd_json_set_int(report, "signal", event->signal);
	if (event->kind == WD_EVENT_HEALTH)
		wd_json_set_string(report, "health", wd_health_name(event->health));
	return report;
}

/* Explain. */

struct explaining {
	struct wd_json *policy;
};

static void add_value(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	struct explaining *explaining = data;
	(void)section;
	struct wd_json *row = wd_json_add(explaining->policy, wd_json_object());
	wd_json_set_string(row, "key", key);
	wd_json_set_string(row, "value", value);
	wd_json_set_string(row, "origin", origin);
}

/* What `seadog run` said of its labels when it saw them first; the name in front is known here. */
static void add_warnings(struct wd_json *list, const struct wd_settings *settings, const struct wd_container *container)
{
	struct wd_findings findings = {0};
	wd_policy_free(wd_settings_policy(settings, container, &findings));
	const char *name = container->name ? container->name : container->id;
	for (size_t i = 0; i < findings.count; i++) {
		const char *text = findings.items[i].text;
		bool named = wd_text_starts(text, name) && strncmp(text + strlen(name), ": ", 2) == 0;
		wd_json_add(list, wd_json_text(named ? text + strlen(name) + 2 : text));
	}
	wd_findings_done(&findings);
}

static const char *value_of(const struct wd_json *policy, const char *key)
{
	for (const struct wd_json *row = wd_json_first(policy); row; row = wd_json_next(row))
		if (wd_text_equal(wd_json_string(wd_json_get(row, "key"), NULL), key))
			return wd_json_string(wd_json_get(row, "value"), "");
	return "";
}

static struct wd_json *add_trigger(struct wd_json *triggers, const struct wd_json *policy, enum wd_trigger trigger)
{
	WD_AUTO_FREE char *ladder = wd_format("on_%s", wd_trigger_name(trigger));
	struct wd_json *row = wd_json_add(triggers, wd_json_object());
	wd_json_set_string(row, "trigger", wd_trigger_name(trigger));
	wd_json_set_string(row, "setting", value_of(policy, wd_trigger_name(trigger)));
	wd_json_set_string(row, "ladder", value_of(policy, ladder));
	return row;
}

static double nearness(double now, double limit)
{
	double near = limit > 0 ? now / limit : 0;
	return near > 1 ? 1 : near;
}

static void add_windows(struct wd_json *triggers, const struct wd_json *policy, const struct wd_service_view *view)
{
	char window[WD_TIME_TEXT];
	for (unsigned i = 0; i < view->window_count; i++) {
		const struct wd_window_view *seen = &view->windows[i];
		struct wd_json *row = add_trigger(triggers, policy, seen->trigger);
		WD_AUTO_FREE char *setting = wd_format("%u/%s", seen->limit, wd_span_print(seen->window, window));
		wd_json_set_string(row, "setting", setting);
		wd_json_set_string(row, "unit", "count");
		wd_json_set_int(row, "now", seen->count);
		wd_json_set_int(row, "limit", seen->limit);
		wd_json_set_double(row, "near", nearness(seen->count, seen->limit));
	}
}

static void add_span(struct wd_json *triggers, const struct wd_json *policy, enum wd_trigger trigger, wd_time since,
		     wd_time limit, wd_time now)
{
	if (limit == 0)
		return;
	wd_time lasted = since == WD_NEVER || since > now ? 0 : now - since;
	struct wd_json *row = add_trigger(triggers, policy, trigger);
	wd_json_set_string(row, "unit", "seconds");
	set_seconds(row, "now", lasted / WD_SECOND * WD_SECOND);
	set_seconds(row, "limit", limit);
	wd_json_set_double(row, "near", nearness((double)lasted, (double)limit));
}

/* A set of exit codes trips at the first of them: there is no "nearly". */
static void add_exit(struct wd_json *triggers, const struct wd_json *policy, const struct wd_codes *codes)
{
	if (!(codes->bits[0] | codes->bits[1] | codes->bits[2] | codes->bits[3]))
		return;
	struct wd_json *row = add_trigger(triggers, policy, WD_TRIGGER_EXIT);
	wd_json_set_string(row, "unit", "count");
	wd_json_set_int(row, "now", 0);
	wd_json_set_int(row, "limit", 1);
	wd_json_set_double(row, "near", 0);
}

static void set_known(struct wd_json *object, const char *name, double value)
{
	if (value < 0)
		wd_json_set_null(object, name);
	else
		wd_json_set_double(object, name, round(value * 10000) / 10000);
}

static const char *unit_of(enum wd_trigger trigger)
{
	switch (trigger) {
	case WD_TRIGGER_MEMORY:
		return "bytes";
	case WD_TRIGGER_CPU:
		return "cpus";
	case WD_TRIGGER_PIDS:
		return "count";
	default:
		return "ratio";
	}
}

/* "memory 40% for 30s" */
static char *pressure_setting(const struct wd_level_view *level)
{
	char span[WD_TIME_TEXT];
	return wd_format("%s %.4g%% for %s", wd_resource_name(level->resource), 100 * level->level.ratio,
			 wd_span_print(level->level.span, span));
}

/* Usage with page cache is no answer: for memory the exact look is. */
static double level_now(const struct wd_level_view *level, const struct wd_sample *sample)
{
	if (level->trigger == WD_TRIGGER_MEMORY && sample && (sample->has & WD_HAS_WORKING_SET))
		return (double)sample->working_set_bytes;
	return level->now;
}

static void add_level(struct wd_json *triggers, const struct wd_json *policy, const struct wd_level_view *level,
		      const struct wd_sample *sample, wd_time now)
{
	wd_time lasted = level->since == WD_NEVER || level->since > now ? 0 : now - level->since;
	struct wd_json *row = add_trigger(triggers, policy, level->trigger);
	double used = level_now(level, sample);
	if (level->trigger == WD_TRIGGER_PRESSURE) {
		WD_AUTO_FREE char *setting = pressure_setting(level);
		wd_json_set_string(row, "setting", setting);
	}
	wd_json_set_string(row, "unit", unit_of(level->trigger));
	set_known(row, "now", used);
	set_known(row, "limit", level->limit);
	wd_json_set_double(row, "near", used < 0 ? 0 : nearness(used, level->limit));
	set_seconds(row, "for_seconds", lasted / WD_SECOND * WD_SECOND);
	set_seconds(row, "span_seconds", level->level.span);
}

static void add_forecast(struct wd_json *triggers, const struct wd_json *policy,
			 const struct wd_forecast_view *forecast)
{
	if (forecast->horizon == 0)
		return;
	bool trend = forecast->left != WD_NEVER;
	struct wd_json *row = add_trigger(triggers, policy, WD_TRIGGER_FORECAST);
	wd_json_set_string(row, "unit", "seconds");
	if (trend)
		set_seconds(row, "now", forecast->left / WD_SECOND * WD_SECOND);
	else
		wd_json_set_null(row, "now");
	set_seconds(row, "limit", forecast->horizon);
	wd_json_set_double(row, "near", trend ? nearness((double)forecast->horizon, (double)forecast->left + 1) : 0);
	wd_json_set_double(row, "rate_bytes", round(forecast->rate_bytes));
}

struct wd_json *wd_report_explain(const struct wd_service_view *view, const struct wd_settings *settings,
				  const struct wd_sample *sample, wd_time now)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "schema", 1);
	wd_json_set(report, "service", wd_report_service(view));
	wd_json_set_string(report, "policy_name", view->policy ? view->policy->name : NULL);
	struct explaining explaining = {.policy = wd_json_set(report, "policy", wd_json_array())};
	if (view->container)
		wd_settings_each(settings, view->container, add_value, &explaining);
	struct wd_json *warnings = wd_json_set(report, "warnings", wd_json_array());
	if (view->container)
		add_warnings(warnings, settings, view->container);
	struct wd_json *triggers = wd_json_set(report, "triggers", wd_json_array());
	add_windows(triggers, explaining.policy, view);
	if (view->policy) {
		add_exit(triggers, explaining.policy, &view->policy->exit);
		add_span(triggers, explaining.policy, WD_TRIGGER_DOWN, view->down_since, view->policy->down, now);
		add_span(triggers, explaining.policy, WD_TRIGGER_UNHEALTHY, view->unhealthy_since,
			 view->policy->unhealthy, now);
	}
	for (unsigned i = 0; i < view->level_count; i++)
		add_level(triggers, explaining.policy, &view->levels[i], sample, now);
	add_forecast(triggers, explaining.policy, &view->forecast);
	wd_json_set_string(report, "verdict_why", view->why);
	set_stamp(report, "held_back_until", view->held_back_until);
	return report;
}
