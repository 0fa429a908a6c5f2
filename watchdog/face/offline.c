#include "offline.h"

#include <string.h>
#include <watchdog/memory.h>

struct wd_store *wd_offline_open(const struct wd_call *call, struct wd_error *error)
{
	struct wd_error why = {0};
	struct wd_store *store = wd_store_open_reading(call->settings->state_dir, &why);
	if (!store && why.kind == WD_ERROR_REFUSED)
		wd_fail(error, WD_ERROR_NOT_RUNNING, "nobody listens on %s, but %s", call->settings->control, why.text);
	else if (!store && why.kind == WD_ERROR_NOT_FOUND)
		wd_fail(error, WD_ERROR_NOT_RUNNING, "the watchdog is not running, and %s remembers nothing",
			call->settings->state_dir);
	else if (!store)
		wd_fail(error, WD_ERROR_NOT_RUNNING, "the watchdog is not running, and nothing is to be read: %s",
			why.text);
	return store;
}

static struct wd_store *open_memory(struct wd_call *call, struct wd_error *error)
{
	struct wd_store *store = wd_offline_open(call, error);
	if (store)
		wd_note(call, "the watchdog is not running: this is what %s remembers", call->settings->state_dir);
	return store;
}

/* Crashes within the windows as they are remembered; the Engine's own waits, which the watchdog leaves out of a
 * window, are left out here too. */
static unsigned count_marks(const struct wd_memory *memory, wd_time window, wd_stamp now)
{
	unsigned count = 0;
	for (unsigned i = 0; i < memory->crash_count; i++) {
		const struct wd_mark *mark = &memory->crashes[i], *last = &memory->crashes[memory->crash_count - 1];
		wd_time age = (now - mark->from) / 1000 - (last->waited - mark->waited);
		count += age <= window;
	}
	return count;
}

static void add_windows(struct wd_service_view *view, enum wd_trigger trigger, const struct wd_rates *rates,
			wd_stamp now)
{
	for (unsigned i = 0; i < rates->count; i++) {
		const struct wd_rate *rate = &rates->items[i];
		if (rate->count == 0)
			continue;
		view->windows[view->window_count++] =
			(struct wd_window_view){.trigger = trigger,
						.count = count_marks(view->memory, rate->window, now),
						.limit = rate->count,
						.window = rate->window};
	}
}

/* A restart, or half of what would trip: as the watchdog has it. */
static bool is_restless(const struct wd_service_view *view)
{
	for (unsigned i = 0; i < view->window_count; i++) {
		const struct wd_window_view *window = &view->windows[i];
		if (window->count >= (window->trigger == WD_TRIGGER_RESTARTS ? 1 : (window->limit + 1) / 2))
			return true;
	}
	return false;
}

static enum wd_verdict remembered_verdict(const struct wd_service_view *view, wd_stamp now)
{
	if (view->memory->hold.held)
		return WD_VERDICT_HELD;
	if (view->memory->muted_until > now)
		return WD_VERDICT_MUTED;
	return is_restless(view) ? WD_VERDICT_SUSPECT : WD_VERDICT_WELL;
}

/* --- snapshots --- */

struct shelving {
	struct wd_json *report;
	const char *name;
};

static void shelve(void *data, const struct wd_snapshot *snapshot)
{
	const struct shelving *shelving = data;
	const char *name = shelving->name;
	if (!name || wd_text_equal(snapshot->id, name) || wd_text_equal(snapshot->service, name) ||
	    wd_text_equal(snapshot->name, name))
		wd_report_add_snapshot(shelving->report, snapshot);
}

struct wd_json *wd_offline_snapshots(struct wd_call *call, const char *name, struct wd_error *error)
{
	struct wd_store *store = open_memory(call, error);
	if (!store)
		return NULL;
	struct shelving shelving = {wd_report_snapshots(), name};
	bool read = wd_store_load_snapshots(store, shelve, &shelving, error);
	wd_store_close(store);
	if (read && name && wd_json_count(wd_json_get(shelving.report, "snapshots")) == 0)
		read = wd_fail(error, WD_ERROR_NOT_FOUND, "no snapshots of %s", name);
	return read ? shelving.report : wd_json_free(shelving.report);
}

/* The newest that is not broken: rows come newest first. */
static void show_newest(void *data, const struct wd_snapshot *snapshot)
{
	for (struct wd_json *service = wd_json_first(data); service; service = wd_json_next(service))
		if (!snapshot->broken && wd_json_is_null(wd_json_get(service, "snapshot")) &&
		    wd_text_equal(wd_json_string(wd_json_get(service, "service"), NULL), snapshot->service))
			wd_report_newest(service, snapshot);
}

struct remembering {
	const struct wd_settings *settings;
	struct wd_json *services;
	wd_stamp now;
};

/* "shop" of "shop/web/1"; NULL where the identity is a name, which holds no slash. The caller frees. */
static char *project_of(const char *service)
{
	const char *slash = service ? strchr(service, '/') : NULL;
	return slash ? wd_copy_part(service, (size_t)(slash - service)) : NULL;
}

/* Labels and names of images are not remembered: the limits are those of the configuration without them. */
static void add_service(void *data, const struct wd_memory *memory)
{
	struct remembering *remembering = data;
	WD_AUTO_FREE char *project = project_of(memory->service);
	struct wd_container container = {
		.id = memory->id, .name = memory->name, .service = memory->service, .project = project};
	struct wd_policy *policy = wd_settings_policy(remembering->settings, &container, NULL);
	struct wd_service_view view = {.service = memory->service,
				       .policy = policy,
				       .memory = memory,
				       .pin = memory->pins.count ? &memory->pins.items[memory->pins.count - 1] : NULL,
				       .why = "",
				       .unhealthy_since = WD_NEVER,
				       .down_since = WD_NEVER,
				       .note = ""};
	if (memory->muted_until > remembering->now)
		view.muted_until = memory->muted_until;
	add_windows(&view, WD_TRIGGER_RESTARTS, &policy->restarts, remembering->now);
	add_windows(&view, WD_TRIGGER_FLAPPING, &policy->flapping, remembering->now);
	view.verdict = remembered_verdict(&view, remembering->now);
	wd_json_add(remembering->services, wd_report_service(&view));
	wd_policy_free(policy);
}

struct wd_json *wd_offline_status(struct wd_call *call, struct wd_error *error)
{
	struct wd_store *store = open_memory(call, error);
	if (!store)
		return NULL;
	wd_note(call, "limits are those of the configuration alone, as labels are not remembered");
	struct wd_engine_state engine = {.host = call->settings->host, .last_event = wd_store_load_resume(store)};
	struct wd_json *status = wd_report_status(call->settings->observe, &engine);
	struct remembering remembering = {call->settings, wd_json_get(status, "services"), wd_stamp_now()};
	bool read = wd_store_load(store, add_service, &remembering, error) &&
		    wd_store_load_snapshots(store, show_newest, remembering.services, error);
	wd_store_close(store);
	return read ? status : wd_json_free(status);
}

struct looking {
	const char *name;
	bool found;
};

static void look_at(void *data, const struct wd_memory *memory)
{
	struct looking *looking = data;
	if (wd_text_equal(memory->name, looking->name) || wd_text_equal(memory->service, looking->name))
		looking->found = true;
}

bool wd_offline_knows(struct wd_call *call, const char *name, struct wd_error *error)
{
	struct looking looking = {.name = name};
	struct wd_store *store = wd_offline_open(call, error);
	if (!store)
		return false;
	bool read = wd_store_load(store, look_at, &looking, error);
	wd_store_close(store);
	return read && (looking.found || wd_fail(error, WD_ERROR_NOT_FOUND, "no such service: %s", name));
}

static void add_pins(void *data, const struct wd_memory *memory)
{
	wd_report_add_pins(data, memory);
}

struct wd_json *wd_offline_pins(struct wd_call *call, struct wd_error *error)
{
	struct wd_store *store = open_memory(call, error);
	if (!store)
		return NULL;
	struct wd_json *report = wd_report_pins();
	bool read = wd_store_load(store, add_pins, report, error);
	wd_store_close(store);
	return read ? report : wd_json_free(report);
}

struct reading {
	struct wd_json *report; /* what is read goes in */
	bool whole;             /* one incident, as `show` needs it */
	char *why;
};

static void take_incidents(void *data, const struct wd_incident *const *incidents, size_t count, const char *why)
{
	struct reading *reading = data;
	reading->why = wd_copy(why);
	for (size_t i = 0; i < count; i++) {
		struct wd_json *incident = wd_report_incident(incidents[i], reading->whole);
		if (reading->whole)
			wd_json_set(reading->report, "incident", incident);
		else
			wd_json_add(wd_json_get(reading->report, "incidents"), incident);
	}
}

static struct wd_json *read_incidents(struct wd_call *call, const struct wd_incident_wish *wish, bool whole,
				      struct wd_error *error)
{
	struct wd_store *store = open_memory(call, error);
	if (!store)
		return NULL;
	struct reading reading = {.report = wd_json_object(), .whole = whole};
	wd_json_set_int(reading.report, "schema", 1);
	if (!whole)
		wd_json_set(reading.report, "incidents", wd_json_array());
	wd_store_read(store, wish, take_incidents, &reading);
	wd_store_close(store);
	if (!reading.why)
		return reading.report;
	wd_fail(error, WD_ERROR_FAILED, "%s", reading.why);
	free(reading.why);
	return wd_json_free(reading.report);
}

struct wd_json *wd_offline_incidents(struct wd_call *call, const struct wd_incident_wish *wish, struct wd_error *error)
{
	return read_incidents(call, wish, false, error);
}

struct wd_json *wd_offline_incident(struct wd_call *call, int64_t id, struct wd_error *error)
{
	struct wd_incident_wish wish = {.id = id, .most = 1};
	struct wd_json *report = read_incidents(call, &wish, true, error);
	if (!report || wd_json_get(report, "incident"))
		return report;
	wd_fail(error, WD_ERROR_NOT_FOUND, "no incident %lld", (long long)id);
	return wd_json_free(report);
}
