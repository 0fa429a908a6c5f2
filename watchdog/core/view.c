#include "machine.h"

#include <assert.h>
#include <string.h>

static void add_windows(struct wd_service_view *view, const struct wd_service *service, enum wd_trigger trigger,
			const struct wd_rates *rates, wd_time now)
{
	for (unsigned i = 0; i < rates->count; i++) {
		if (rates->items[i].count == 0)
			continue;
		struct wd_window_view *window = &view->windows[view->window_count++];
		window->trigger = trigger;
		window->count = wd_judge_rate(service, trigger, rates->items[i], now, NULL);
		window->limit = rates->items[i].count;
		window->window = rates->items[i].window;
	}
}

static void add_level(struct wd_service_view *view, const struct wd_service *service, unsigned which)
{
	struct wd_level_view *level = &view->levels[view->level_count++];
	struct wd_comparison seen = {.now = -1, .limit = -1};

	if (service->usage)
		wd_usage_compare(service->policy, service->usage, which, &seen);
	*level = (struct wd_level_view){.trigger = wd_usage_trigger(which),
					.level = *wd_usage_level(service->policy, which),
					.now = seen.now,
					.limit = seen.limit,
					.since = service->usage ? service->usage->overs[which].since : WD_NEVER};
	if (which >= WD_LIMIT_PRESSURE)
		level->resource = service->policy->pressure.items[which - WD_LIMIT_PRESSURE].resource;
}

static void add_usage(struct wd_service_view *view, const struct wd_service *service)
{
	const struct wd_leak *leak = service->usage ? service->usage->leak : NULL;

	for (unsigned which = 0; which < WD_LIMITS; which++)
		if (wd_usage_level(service->policy, which)->kind != WD_LEVEL_OFF)
			add_level(view, service, which);
	view->forecast = (struct wd_forecast_view){.horizon = service->policy->forecast, .left = WD_NEVER};
	if (!leak || !leak->seen.span)
		return;
	view->forecast.left = leak->seen.left;
	view->forecast.rate_bytes = leak->seen.rate_bytes;
}

static const struct wd_incident *open_incident(const struct wd_service *service)
{
	const struct wd_case *acting = wd_case_acting(service);

	if (acting)
		return acting->incident;
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i])
			return service->cases[i]->incident;
	return NULL;
}

static void add_all_windows(struct wd_service_view *view, const struct wd_service *service,
			    const struct wd_policy *policy, wd_time now)
{
	add_windows(view, service, WD_TRIGGER_RESTARTS, &policy->restarts, now);
	add_windows(view, service, WD_TRIGGER_FLAPPING, &policy->flapping, now);
	add_windows(view, service, WD_TRIGGER_OOM, &policy->oom, now);
}

/* A muted or held service has members of its own that say so. */
static void add_note(const struct wd_guard *guard, const struct wd_service *service, struct wd_service_view *view)
{
	const struct wd_case *acting = wd_case_acting(service);
	wd_time until = WD_NEVER;

	if (!service->policy || view->verdict == WD_VERDICT_HELD || view->verdict == WD_VERDICT_MUTED)
		return;
	if (service->spared || !service->policy->watched)
		view->note =
			wd_reason_ignored(service->spared, wd_container_label(service->container, "seadog.enable"));
	else if (!acting && view->incident)
		view->note = wd_reason_untreated();
	else if (acting && acting->phase == WD_PHASE_WAITING)
		view->note = wd_reason_held_back(wd_gate_bar(guard, service, acting, &until));
	if (until != WD_NEVER)
		view->held_back_until = guard->stamp + (until - guard->now) * 1000;
}

/* What was not seen since seadog was started. Labels are not remembered: the limits are those of the configuration file. */
static void fill_remembered(const struct wd_guard *guard, const struct wd_service *service, wd_time now,
			    struct wd_service_view *view)
{
	const struct wd_memory *memory = &service->memory;
	const struct wd_container known = {.id = memory->id, .name = memory->name, .service = memory->service};
	struct wd_policy *policy = wd_settings_policy(guard->settings, &known, NULL);

	add_all_windows(view, service, policy, now);
	if (view->verdict == WD_VERDICT_WELL && wd_judge_is_restless(service, policy, guard->now))
		view->verdict = WD_VERDICT_SUSPECT;
	if (view->verdict == WD_VERDICT_SICK)
		view->note = wd_reason_held_back(guard->up ? WD_BAR_PAST : WD_BAR_AWAY);
	wd_policy_free(policy);
}

static void fill(const struct wd_guard *guard, const struct wd_service *service, wd_time now,
		 struct wd_service_view *view)
{
	*view = (struct wd_service_view){.service = service->memory.service,
					 .container = service->container,
					 .policy = service->policy,
					 .memory = &service->memory,
					 .pin = wd_pins_shown(service),
					 .gone = service->gone_at != WD_NEVER,
					 .verdict = service->verdict,
					 .incident = open_incident(service),
					 .unhealthy_since = service->unhealthy_since,
					 .down_since = service->down_since,
					 .note = ""};
	view->why = view->incident ? view->incident->why : "";
	if (service->muted_until > now)
		view->muted_until = guard->stamp + (service->muted_until - guard->now) * 1000;
	add_note(guard, service, view);
	if (service->policy)
		add_usage(view, service);
	if (service->policy)
		add_all_windows(view, service, service->policy, now);
	else if (!view->gone)
		fill_remembered(guard, service, now, view);
}

size_t wd_guard_count(const struct wd_guard *guard)
{
	return guard->count;
}

bool wd_guard_view(const struct wd_guard *guard, size_t index, wd_time now, struct wd_service_view *ret_view)
{
	if (index >= guard->count)
		return false;
	fill(guard, guard->services[index], now, ret_view);
	return true;
}

static const struct wd_service *find_name(const struct wd_guard *guard, const char *name)
{
	for (size_t i = 0; i < guard->count; i++) {
		const struct wd_service *service = guard->services[i];
		assert(service);
		if (wd_text_equal(wd_service_name(service), name))
			return service;
	}
	return NULL;
}

/* The only one whose container's id begins so. */
static const struct wd_service *find_id(const struct wd_guard *guard, const char *prefix)
{
	const struct wd_service *found = NULL;
	size_t length = strlen(prefix);

	for (size_t i = 0; length >= 4 && i < guard->count; i++) {
		const char *id = guard->services[i]->memory.id;
		if (!id || strncmp(id, prefix, length) != 0)
			continue;
		if (found)
			return NULL;
		found = guard->services[i];
	}
	return found;
}

bool wd_guard_find(const struct wd_guard *guard, const char *name, wd_time now, struct wd_service_view *ret_view)
{
	const struct wd_service *found = wd_map_get(guard->by_key, name);

	if (!found)
		found = find_name(guard, name);
	if (!found)
		found = find_id(guard, name);
	if (!found)
		return false;
	fill(guard, found, now, ret_view);
	return true;
}
