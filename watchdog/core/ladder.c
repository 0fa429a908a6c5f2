#include "case.h"

static void start_plan(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		       enum wd_action action)
{
	struct wd_order *order = wd_hold_order(guard, service, action);

	if (action == WD_ACTION_THROTTLE)
		order->cpus = wd_case_ladder(service, the_case)->rungs[the_case->rung].cpus;
	order->incident_id = the_case->incident->id;
	the_case->ticket = order->ticket;
	the_case->phase = WD_PHASE_TREATING;
	the_case->until = WD_NEVER;
	if (action == WD_ACTION_STOP || action == WD_ACTION_PAUSE)
		wd_hold_begin(guard, service, action, the_case->incident->id);
	wd_gate_acted(guard, guard->now);
	wd_case_note(guard, the_case, "doing: %s", wd_action_name(action));
	wd_case_write(guard, service, the_case->incident);
}

/* A hold needs the policy on disk first; nearly always it is there since the service became suspect. A throttle
 * needs the row: what its journal has is for that service. */
static void begin_action(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
			 enum wd_action action)
{
	wd_step_begin(guard, the_case, action);
	if (action == WD_ACTION_ROLLBACK) {
		the_case->phase = WD_PHASE_MOVING;
		the_case->until = WD_NEVER;
		wd_move_begin(guard, service, wd_pins_target(service, false, NULL), the_case);
		return;
	}
	the_case->tried_stop |= action == WD_ACTION_STOP;
	if (action == WD_ACTION_RESTART || service->remembered) {
		start_plan(guard, service, the_case, action);
		return;
	}
	the_case->phase = WD_PHASE_REMEMBERING;
	the_case->until = guard->now + WD_REMEMBER_PATIENCE;
	service->remembering = true;
	wd_guard_dirty(guard, service, true);
}

static void observe(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, enum wd_action action)
{
	struct wd_case *the_case = service->cases[trigger];

	wd_step_begin(guard, the_case, action);
	wd_step_end(guard, service, the_case, WD_RESULT_OBSERVED, "mode = observe: this is what would have been done");
	wd_service_empty(service);
	wd_case_close(guard, service, trigger, WD_OUTCOME_OBSERVED, "mode = observe, nothing was changed");
}

static void skip_rung(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		      enum wd_action action, const char *why)
{
	wd_step_begin(guard, the_case, action);
	wd_step_end(guard, service, the_case, WD_RESULT_SKIPPED, why);
	the_case->rung++;
}

static void wait_at_gate(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, enum wd_bar bar,
			 wd_time until)
{
	WD_AUTO_FREE char *why = wd_reason_bar(bar, until == WD_NEVER ? WD_NEVER : until - guard->now);

	the_case->phase = WD_PHASE_WAITING;
	the_case->until = until == WD_NEVER ? guard->now + WD_WATCH_STEP : until;
	the_case->away = bar == WD_BAR_AWAY;
	wd_case_note(guard, the_case, "held back: %s", why);
	wd_case_write(guard, service, the_case->incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_HELD_BACK, the_case->incident, "held back: %s", why);
}

/* Whether the action of a rung can be had here at all; else why not. */
const char *wd_case_cannot(const struct wd_service *service, enum wd_action action)
{
	const struct wd_container *container = service->container;

	if (!container)
		return "the container is gone";
	if (action == WD_ACTION_STOP && container->auto_remove)
		return "the Engine would remove it when it stops (AutoRemove), and that cannot be taken back";
	if ((action == WD_ACTION_STOP || action == WD_ACTION_PAUSE || action == WD_ACTION_RESTART) &&
	    container->swarm_task)
		return "a Swarm task would be replaced: act on its service instead";
	if (action == WD_ACTION_THROTTLE && wd_throttle_is(service))
		return "it is throttled already";
	if (action == WD_ACTION_ROLLBACK && container->swarm_task)
		return "a Swarm task would be replaced: roll its service back instead";
	if (action == WD_ACTION_ROLLBACK && container->auto_remove)
		return "the Engine would remove it when it stops (AutoRemove), and that cannot be taken back";
	if (action == WD_ACTION_STOP || action == WD_ACTION_PAUSE || action == WD_ACTION_RESTART ||
	    action == WD_ACTION_THROTTLE || action == WD_ACTION_ROLLBACK)
		return NULL;
	return wd_reason_skipped(action);
}

/* One changing rung: true when the case is now waiting for something. */
static bool try_action(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger,
		       enum wd_action action)
{
	struct wd_case *the_case = service->cases[trigger];
	const char *why = wd_case_cannot(service, action);
	WD_AUTO_FREE char *nowhere = NULL;
	wd_time until;

	if (!why && action == WD_ACTION_ROLLBACK && !wd_pins_target(service, false, &nowhere))
		why = nowhere;
	if (why) {
		skip_rung(guard, service, the_case, action, why);
		return false;
	}
	enum wd_bar bar = wd_gate_bar(guard, service, the_case, &until);
	if (bar != WD_BAR_NONE)
		wait_at_gate(guard, service, the_case, bar, until);
	else if (guard->settings->observe)
		observe(guard, service, trigger, action);
	else
		begin_action(guard, service, the_case, action);
	return true;
}

/* The end of the ladder: a hold, unless the last rung was to tell people, or a hold has failed already. */
static void reach_end(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger)
{
	struct wd_case *the_case = service->cases[trigger];
	const struct wd_ladder *ladder = wd_case_ladder(service, the_case);
	bool told_last = ladder->count == 0 || ladder->rungs[ladder->count - 1].action == WD_ACTION_NOTIFY;

	if (the_case->acts && !told_last && !the_case->tried_stop &&
	    !wd_step_has(the_case, WD_ACTION_STOP, WD_RESULT_SKIPPED) &&
	    try_action(guard, service, trigger, WD_ACTION_STOP))
		return;
	if (the_case->acts && (!told_last || the_case->tried_stop)) {
		wd_service_empty(service);
		wd_case_rest(guard, service);
		wd_case_close(guard, service, trigger, WD_OUTCOME_FAILED, "no rung of its ladder could be carried out");
		return;
	}
	the_case->phase = WD_PHASE_WATCHING;
	the_case->climbed = the_case->acts;
	the_case->acts = false;
	the_case->until = guard->now + WD_WATCH_STEP;
}

/* Goes on from the present rung until something has to be waited for. */
void wd_case_climb(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger)
{
	struct wd_case *the_case = service->cases[trigger];
	const struct wd_ladder *ladder = wd_case_ladder(service, the_case);

	while (the_case->rung < ladder->count) {
		const struct wd_rung *rung = &ladder->rungs[the_case->rung];
		if (rung->action == WD_ACTION_NOTIFY) {
			wd_step_begin(guard, the_case, WD_ACTION_NOTIFY);
			wd_step_end(guard, service, the_case, WD_RESULT_DONE, "");
			the_case->rung++;
		} else if (rung->action == WD_ACTION_HOOK) {
			wd_hook_begin(guard, service, the_case, rung->hook);
			the_case->rung++;
		} else if (try_action(guard, service, trigger, rung->action)) {
			return;
		}
	}
	reach_end(guard, service, trigger);
}

void wd_case_failed(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, enum wd_result result,
		    const char *detail)
{
	wd_step_end(guard, service, the_case, result, detail);
	the_case->rung++;
	wd_case_climb(guard, service, the_case->incident->trigger);
}

/* The disk has taken the policy. Meanwhile others may have used the budget up, or somebody has muted it: the rung is
 * begun anew. */
static void go_on(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	if (wd_step_last(the_case)->action == WD_ACTION_STOP)
		the_case->tried_stop = false;
	the_case->incident->step_count--;
	wd_case_climb(guard, service, the_case->incident->trigger);
}

void wd_case_stored(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_case *acting = wd_case_acting(service);

	if (service->manual_waits) {
		wd_manual_stored(guard, service);
		return;
	}
	if (!acting || acting->phase != WD_PHASE_REMEMBERING)
		return;
	if (service->remembered) {
		go_on(guard, service, acting);
		return;
	}
	WD_AUTO_FREE char *why = wd_format("refused: its restart policy cannot be remembered: %s",
					   service->remember_trouble ? service->remember_trouble : "unknown");
	wd_case_failed(guard, service, acting, WD_RESULT_SKIPPED, why);
}

static void plan_done(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		      const struct wd_fact *fact)
{
	enum wd_action action = wd_step_last(the_case)->action;

	wd_service_empty(service);
	if (action == WD_ACTION_THROTTLE)
		wd_throttle_begin(guard, service, &fact->acted.cut, the_case->incident->id);
	if (action == WD_ACTION_RESTART || action == WD_ACTION_THROTTLE) {
		wd_trial_begin(guard, service, the_case);
		return;
	}
	service->memory.hold.policy = fact->acted.kept;
	wd_hold_leaves(guard, service, (struct wd_restart_policy){.kind = WD_RESTART_NO});
	wd_guard_dirty(guard, service, true);
	wd_step_end(guard, service, the_case, WD_RESULT_DONE, fact->acted.detail);
	wd_case_close_all(guard, service, WD_OUTCOME_HELD,
			  action == WD_ACTION_PAUSE ? "paused until it is released" : "stopped until it is released");
}

static enum wd_result result_of(enum wd_plan_end end)
{
	switch (end) {
	case WD_PLAN_DONE:
		return WD_RESULT_DONE;
	case WD_PLAN_UNDONE:
		return WD_RESULT_UNDONE;
	case WD_PLAN_REFUSED:
		return WD_RESULT_SKIPPED;
	default:
		return WD_RESULT_FAILED;
	}
}

static void case_acted(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		       const struct wd_fact *fact)
{
	the_case->ticket = 0;
	if (fact->acted.logs)
		wd_replace(&the_case->incident->logs, fact->acted.logs);
	if (fact->acted.end == WD_PLAN_DONE) {
		plan_done(guard, service, the_case, fact);
		return;
	}
	if (service->memory.hold.held)
		wd_hold_end(guard, service);
	wd_case_failed(guard, service, the_case, result_of(fact->acted.end), fact->acted.detail);
}

static struct wd_case *case_of_ticket(const struct wd_service *service, uint64_t ticket)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i] && service->cases[i]->ticket == ticket)
			return service->cases[i];
	return NULL;
}

void wd_case_acted(struct wd_guard *guard, const struct wd_fact *fact)
{
	for (size_t i = 0; i < guard->count && fact->acted.ticket; i++) {
		struct wd_service *service = guard->services[i];
		struct wd_case *the_case = case_of_ticket(service, fact->acted.ticket);
		service->next = guard->now;
		if (wd_move_acted(guard, service, fact))
			return;
		if (service->manual == fact->acted.ticket) {
			wd_manual_acted(guard, service, fact);
			return;
		}
		if (the_case) {
			case_acted(guard, service, the_case, fact);
			return;
		}
	}
}
