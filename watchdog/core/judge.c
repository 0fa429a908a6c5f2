#include "machine.h"

/* --- windows ---------------------------------------------------------------------------------------------------------- */

/* All back-off up to now. While the Engine waits, its wait goes on. */
wd_time wd_judge_waited(const struct wd_service *service, wd_time now)
{
	if (service->waiting_since == WD_NEVER || now < service->waiting_since)
		return service->waited;
	return service->waited + (now - service->waiting_since);
}

unsigned wd_judge_rate(const struct wd_service *service, enum wd_trigger trigger, struct wd_rate rate, wd_time now,
		       const struct wd_mark_time **ret_first)
{
	const struct wd_marks *marks = trigger == WD_TRIGGER_OOM ? &service->ooms : &service->crashes;
	wd_time waited = trigger == WD_TRIGGER_RESTARTS ? wd_judge_waited(service, now) : WD_NEVER;

	return wd_marks_within(marks, now, waited, rate.window, ret_first);
}

static const struct wd_rates *rates_of(const struct wd_policy *policy, enum wd_trigger trigger)
{
	switch (trigger) {
	case WD_TRIGGER_RESTARTS:
		return &policy->restarts;
	case WD_TRIGGER_FLAPPING:
		return &policy->flapping;
	case WD_TRIGGER_OOM:
		return &policy->oom;
	default:
		return NULL;
	}
}

bool wd_judge_rate_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
			 char **ret_why)
{
	const struct wd_rates *rates = rates_of(service->policy, trigger);

	for (unsigned i = 0; rates && i < rates->count; i++) {
		struct wd_rate rate = rates->items[i];
		const struct wd_mark_time *first;
		unsigned count = wd_judge_rate(service, trigger, rate, guard->now, &first);
		if (rate.count == 0 || count < rate.count)
			continue;
		if (ret_why)
			*ret_why = wd_reason_rate(trigger, rate, count, guard->now - first->from,
						  trigger == WD_TRIGGER_OOM ? -1 : service->last_exit);
		return true;
	}
	return false;
}

static bool proof_holds(const struct wd_service *service, char **ret_why)
{
	for (unsigned i = 0; service->proven && i < service->policy->restarts.count; i++) {
		struct wd_rate rate = service->policy->restarts.items[i];
		if (rate.count == 0 || service->proven < rate.count || (wd_time)rate.count * WD_SHORT_RUN > rate.window)
			continue;
		if (ret_why)
			*ret_why = wd_reason_proven(rate, service->proof, service->last_exit);
		return true;
	}
	return false;
}

static bool lasting_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
			  char **ret_why)
{
	bool down = trigger == WD_TRIGGER_DOWN;
	wd_time since = down ? service->down_since : service->unhealthy_since;
	wd_time limit = down ? service->policy->down : service->policy->unhealthy;
	const char *detail = down ? service->down_why : NULL;

	if (limit == 0 || since == WD_NEVER || since == service->settled[trigger] || guard->now - since < limit)
		return false;
	if (ret_why)
		*ret_why = wd_reason_lasting(trigger, guard->now - since, detail);
	return true;
}

bool wd_judge_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
		    char **ret_why)
{
	const struct wd_policy *policy = service->policy;

	if (!policy || !policy->watched)
		return false;
	switch (trigger) {
	case WD_TRIGGER_RESTARTS:
		return wd_judge_rate_holds(guard, service, trigger, ret_why) || proof_holds(service, ret_why);
	case WD_TRIGGER_FLAPPING:
	case WD_TRIGGER_OOM:
		return wd_judge_rate_holds(guard, service, trigger, ret_why);
	case WD_TRIGGER_UNHEALTHY:
	case WD_TRIGGER_DOWN:
		return lasting_holds(guard, service, trigger, ret_why);
	case WD_TRIGGER_MEMORY:
	case WD_TRIGGER_CPU:
	case WD_TRIGGER_PIDS:
	case WD_TRIGGER_PRESSURE:
	case WD_TRIGGER_FORECAST:
		return wd_usage_holds(guard, service, trigger, ret_why);
	case WD_TRIGGER_EXIT: /* held back once: does it still crash with such a code? */
		if (!wd_codes_has(&policy->exit, service->last_exit) || service->running)
			return false;
		if (ret_why)
			*ret_why = wd_reason_exit(service->last_exit);
		return true;
	default:
		return false;
	}
}

/* A restart, or half of what would trip. */
bool wd_judge_is_restless(const struct wd_service *service, const struct wd_policy *policy, wd_time now)
{
	for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		const struct wd_rates *rates = rates_of(policy, trigger);
		for (unsigned i = 0; rates && i < rates->count; i++) {
			unsigned count = wd_judge_rate(service, trigger, rates->items[i], now, NULL);
			unsigned enough = trigger == WD_TRIGGER_RESTARTS ? 1 : (rates->items[i].count + 1) / 2;
			if (rates->items[i].count && count >= enough)
				return true;
		}
	}
	return false;
}

bool wd_judge_suspects(const struct wd_guard *guard, const struct wd_service *service)
{
	if (service->unhealthy_since != WD_NEVER || service->down_since != WD_NEVER || service->owed ||
	    service->proven || service->waiting_since != WD_NEVER || wd_usage_suspects(service))
		return true;
	return service->policy && wd_judge_is_restless(service, service->policy, guard->now);
}

void wd_judge_trip(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, bool inferred)
{
	char *why = NULL;

	if (service->cases[trigger] || !wd_judge_holds(guard, service, trigger, &why))
		return;
	wd_case_trip(guard, service, trigger, why, inferred);
}

void wd_judge_prepare(struct wd_guard *guard, struct wd_service *service)
{
	if (service->remembered || service->remembering)
		return;
	service->remembering = true;
	wd_guard_dirty(guard, service, true);
}

void wd_judge_broke(struct wd_guard *guard, struct wd_service *service, wd_time at)
{
	if (service->verdict == WD_VERDICT_WELL && guard->now - at <= guard->settings->mass_failure.within)
		wd_gate_broke(guard, service);
	/* What a hold will have to give back is written now, so that the stop need not wait for the disk. */
	wd_judge_prepare(guard, service);
}

/* --- time ------------------------------------------------------------------------------------------------------------- */

static void drop_old_marks(const struct wd_guard *guard, struct wd_service *service)
{
	wd_time longest = WD_MINUTE;

	for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		const struct wd_rates *rates = rates_of(service->policy, trigger);
		for (unsigned i = 0; rates && i < rates->count; i++)
			longest = rates->items[i].window > longest ? rates->items[i].window : longest;
	}
	const struct wd_marks *crashes = &service->crashes;
	wd_time waited = wd_judge_waited(service, guard->now);
	if (crashes->count && wd_marks_within(crashes, guard->now, waited, longest, NULL) == 0) {
		wd_marks_clear(&service->crashes);
		service->waited = 0;
		service->longest_life = 0;
	}
	if (service->ooms.count && wd_marks_within(&service->ooms, guard->now, WD_NEVER, longest, NULL) == 0)
		wd_marks_clear(&service->ooms);
}

static void judge_proof(struct wd_guard *guard, struct wd_service *service)
{
	if (service->running && guard->now - service->started_at >= WD_SHORT_RUN) {
		service->proven = 0; /* a run that long ends the Engine's series */
		service->blind = false;
	}
	if (service->waiting_since == WD_NEVER || !service->blind)
		return;
	wd_crash_prove(service, guard->now - service->waiting_since);
	if (proof_holds(service, NULL)) {
		wd_judge_broke(guard, service, guard->now);
		wd_judge_trip(guard, service, WD_TRIGGER_RESTARTS, true);
	}
}

/* RestartCount runs ahead of the events, so only a second without any says that one is lost. */
static void judge_owed(struct wd_guard *guard, struct wd_service *service)
{
	if (service->heard_at <= service->owed_asked) {
		wd_crash_owed(guard, service);
		return;
	}
	service->owed = 0;
	service->square = true;
	service->look_at = guard->now;
}

void wd_judge_time(struct wd_guard *guard, struct wd_service *service)
{
	if (!service->policy)
		return;
	if (service->owed && service->owed_at <= guard->now)
		judge_owed(guard, service);
	if (service->look_at <= guard->now) {
		service->look_at = service->waiting_since != WD_NEVER && service->policy->down
					   ? guard->now + service->policy->down
					   : WD_NEVER;
		wd_guard_inspect(guard, service->container->id);
	}
	judge_proof(guard, service);
	wd_judge_trip(guard, service, WD_TRIGGER_UNHEALTHY, false);
	wd_judge_trip(guard, service, WD_TRIGGER_DOWN, false);
	drop_old_marks(guard, service);
}

static wd_time sooner(wd_time one, wd_time two)
{
	return one < two ? one : two;
}

/* When a trigger that goes by time is due; never while it cannot open a case, for it would be due again at once. */
static wd_time lasting_due(const struct wd_service *service, enum wd_trigger trigger, wd_time since, wd_time span)
{
	if (since == WD_NEVER || since == service->settled[trigger] || span == 0)
		return WD_NEVER;
	return wd_case_may_open(service, trigger) ? since + span : WD_NEVER;
}

/* When the newest of the marks leaves its windows (the waits in between make it later: asked again then). */
static wd_time marks_gone_at(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger)
{
	const struct wd_marks *marks = trigger == WD_TRIGGER_OOM ? &service->ooms : &service->crashes;
	const struct wd_rates *rates = rates_of(service->policy, trigger);
	wd_time next = WD_NEVER;

	for (unsigned i = 0; rates && marks->count && i < rates->count; i++) {
		const struct wd_mark_time *newest = &marks->items[marks->count - 1];
		wd_time waited = trigger == WD_TRIGGER_RESTARTS ? service->waited - newest->waited : 0;
		wd_time at = newest->at + rates->items[i].window + waited + 1;
		if (at > guard->now)
			next = sooner(next, at);
	}
	return next;
}

static wd_time windows_empty_at(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time next = WD_NEVER;

	if (service->waiting_since != WD_NEVER)
		return WD_NEVER;
	for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++)
		next = sooner(next, marks_gone_at(guard, service, trigger));
	return next;
}

static wd_time next_proof(const struct wd_service *service)
{
	bool more = service->proven < WD_PROOF_MOST && service->proven < service->memory.counted;

	if (!service->blind || service->waiting_since == WD_NEVER || !more)
		return WD_NEVER;
	return service->waiting_since + wd_crash_next_proof(service);
}

wd_time wd_judge_next(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time next = service->gone_at == WD_NEVER ? WD_NEVER : service->gone_at + wd_service_outlives(service);
	const struct wd_policy *policy = service->policy;

	if (!policy)
		return next;
	if (service->owed)
		next = sooner(next, service->owed_at);
	next = sooner(next, service->look_at);
	if (service->proven && service->running)
		next = sooner(next, service->started_at + WD_SHORT_RUN);
	next = sooner(next, next_proof(service));
	next = sooner(next, lasting_due(service, WD_TRIGGER_UNHEALTHY, service->unhealthy_since, policy->unhealthy));
	next = sooner(next, lasting_due(service, WD_TRIGGER_DOWN, service->down_since, policy->down));
	return sooner(next, windows_empty_at(guard, service));
}
