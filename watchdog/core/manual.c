#include "case.h"

#include <assert.h>
#include <stdarg.h>

#define TRY_AGAIN (30 * WD_SECOND)

static void answer(struct wd_guard *guard, const struct wd_service *service, uint64_t request, enum wd_error_kind error,
		   const char *text)
{
	if (request == 0)
		return;
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_ANSWER, service);
	order->ticket = request;
	order->error = error;
	order->text = wd_guard_keep(guard, wd_copy(text));
}

static void start_manual(struct wd_guard *guard, struct wd_service *service, bool running)
{
	struct wd_order *order = wd_hold_order(guard, service, service->manual_action);

	service->manual = order->ticket;
	service->manual_waits = false;
	order->running = running;
	order->no_start = service->manual_no_start;
	if (service->manual_action == WD_ACTION_RELEASE) {
		if (!running) /* what crashes from its start on counts, though the end of the plan comes after that */
			wd_service_empty(service);
		order->policy = service->memory.hold.policy;
		order->incident_id =
			service->memory.hold.held ? service->memory.hold.incident : service->memory.throttle.incident;
	} else {
		wd_hold_begin(guard, service, service->manual_action,
			      service->memory.hold.held ? service->memory.hold.incident : 0);
	}
}

bool wd_manual_busy(const struct wd_service *service)
{
	return service->manual || service->manual_waits || (service->move.by_hand && service->move.phase);
}

/* The policy that a hold will have to give back is written first. */
static void remember_first(struct wd_guard *guard, struct wd_service *service)
{
	if (service->remembered) {
		start_manual(guard, service, false);
		return;
	}
	service->manual_waits = service->remembering = true;
	service->manual_by = guard->now + WD_REMEMBER_PATIENCE;
	wd_guard_dirty(guard, service, true);
}

/* --- asked ------------------------------------------------------------------------------------------------------------ */

static const char *busy_with(const struct wd_service *service)
{
	if (wd_manual_busy(service))
		return "something is being done to it already: try again in a moment";
	if (wd_service_busy(service) || wd_case_is_about_to(service))
		return "it is being treated right now: try again in a moment";
	if (service->move.phase)
		return "it is being rolled back, which has yet to be verified: try again later";
	return NULL;
}

/* Why nothing can be done about it before the Engine has told what it is now, or NULL. */
static const char *out_of_reach(const struct wd_guard *guard, const struct wd_service *service,
				enum wd_error_kind *ret_kind)
{
	if (!guard->up) {
		*ret_kind = WD_ERROR_UNREACHABLE;
		return "the Engine cannot be reached";
	}
	if (!service->container && service->gone_at == WD_NEVER)
		return "the Engine has yet to tell about it: try again in a moment";
	return NULL;
}

static void ask_hold(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	const char *why = busy_with(service);
	enum wd_error_kind kind = WD_ERROR_REFUSED;

	if (!why && !wd_service_may_touch(guard, service))
		why = "it is never touched ([safety] never, or seadog itself)";
	if (!why)
		why = out_of_reach(guard, service, &kind);
	if (!why)
		why = wd_case_cannot(service, WD_ACTION_STOP);
	if (why || service->memory.hold.held) {
		answer(guard, service, fact->asked.request, why ? kind : WD_ERROR_NONE, why ? why : "is held already");
		return;
	}
	service->request = fact->asked.request;
	service->manual_action = WD_ACTION_STOP;
	service->manual_no_start = service->manual_again = false;
	remember_first(guard, service);
}

static void ask_release(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	const char *why = busy_with(service);
	enum wd_error_kind kind = WD_ERROR_REFUSED;

	if (!why && !wd_memory_is_bound(&service->memory))
		why = "it is not held";
	if (!why)
		why = out_of_reach(guard, service, &kind);
	if (why) {
		answer(guard, service, fact->asked.request, kind, why);
		return;
	}
	service->request = fact->asked.request;
	service->manual_action = WD_ACTION_RELEASE;
	service->manual_no_start = fact->asked.no_start;
	start_manual(guard, service, false);
}

static void mute_one(struct wd_guard *guard, struct wd_service *service, wd_time until)
{
	service->muted_until = until;
	service->memory.muted_until = until > guard->now ? guard->stamp + (until - guard->now) * 1000 : WD_STAMP_NONE;
	wd_guard_dirty(guard, service, true); /* nobody but the disk could tell it again */
	wd_case_ask_again(service, guard->now);
}

static void ask_mute(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	wd_time until = fact->asked.ask == WD_ASK_MUTE ? fact->asked.until : 0;

	if (service) {
		mute_one(guard, service, until);
	} else {
		guard->muted_until = until;
		for (size_t i = 0; i < guard->count; i++)
			mute_one(guard, guard->services[i], until);
	}
	answer(guard, service, fact->asked.request, WD_ERROR_NONE, until ? "muted" : "muted no more");
}

void wd_manual_ask(struct wd_guard *guard, const struct wd_fact *fact)
{
	const char *key = fact->asked.service;
	struct wd_service *service = key ? wd_map_get(guard->by_key, key) : NULL;

	if (!service && (key || (fact->asked.ask != WD_ASK_MUTE && fact->asked.ask != WD_ASK_UNMUTE))) {
		answer(guard, NULL, fact->asked.request, WD_ERROR_NOT_FOUND, "no such service");
		return;
	}
	assert(service || fact->asked.ask == WD_ASK_MUTE || fact->asked.ask == WD_ASK_UNMUTE);
	switch (fact->asked.ask) {
	case WD_ASK_HOLD:
		ask_hold(guard, service, fact);
		break;
	case WD_ASK_RELEASE:
		ask_release(guard, service, fact);
		break;
	case WD_ASK_MUTE:
	case WD_ASK_UNMUTE:
		ask_mute(guard, service, fact);
		break;
	case WD_ASK_PIN:
	case WD_ASK_UNPIN:
	case WD_ASK_FORGIVE:
		wd_pins_ask(guard, service, fact);
		break;
	case WD_ASK_ROLLBACK:
		wd_move_ask(guard, service, fact);
		break;
	}
}

/* --- by hand ---------------------------------------------------------------------------------------------------------- */

/* What nobody has asked for in words. */
static bool may_by_itself(const struct wd_guard *guard, const struct wd_service *service)
{
	return !guard->settings->observe && wd_service_may_touch(guard, service);
}

/* A person has started what was held: that releases it, so its policy goes back. */
void wd_manual_started(struct wd_guard *guard, struct wd_service *service)
{
	if (wd_manual_busy(service) || !may_by_itself(guard, service))
		return;
	if (service->cut_hold) /* no hold has emptied them */
		wd_service_empty(service);
	service->request = 0;
	service->manual_action = WD_ACTION_RELEASE;
	service->manual_no_start = false;
	start_manual(guard, service, true);
	wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL,
			     "was started by hand: its restart policy is given back");
}

/* What a dead watchdog had begun is being finished: until then nothing else is done to that service. It may have gone by
 * another name when that began, which another container may have taken since. */
void wd_manual_resuming(struct wd_guard *guard, const struct wd_fact *fact)
{
	struct wd_service *service = wd_service_by_id(guard, fact->resuming.id);

	if (!service && fact->resuming.made)
		service = wd_service_by_id(guard, fact->resuming.made);
	if (!service)
		service = wd_map_get(guard->by_key, fact->resuming.service);
	if (!service)
		return;
	if (fact->resuming.action == WD_ACTION_ROLLBACK || fact->resuming.action == WD_ACTION_COMMIT ||
	    fact->resuming.action == WD_ACTION_TAKE_BACK) {
		wd_move_resuming(guard, service, fact);
		return;
	}
	service->manual = fact->resuming.ticket;
	service->manual_action = fact->resuming.action;
	service->manual_again = false;
	service->request = 0;
}

/* Held, down, and yet with a policy that would bring it back at the next start of the Engine: somebody gave it one, or a
 * hold was cut short before its journal was on disk. */
void wd_manual_complete(struct wd_guard *guard, struct wd_service *service)
{
	if (wd_manual_busy(service) || !may_by_itself(guard, service))
		return;
	service->request = 0;
	service->manual_action = WD_ACTION_STOP;
	service->manual_no_start = false;
	service->manual_again = true;
	remember_first(guard, service);
}

/* --- ends ------------------------------------------------------------------------------------------------------------- */

static void manual_failed(struct wd_guard *guard, struct wd_service *service, const char *why)
{
	uint64_t request = service->request;

	if (service->manual_action == WD_ACTION_RELEASE || service->manual_again)
		service->look_at = guard->now + TRY_AGAIN; /* whether it is as it should be, an inspect tells then */
	else if (service->memory.hold.held)
		wd_hold_end(guard, service);
	service->manual = service->request = 0;
	service->manual_waits = false;
	wd_guard_tell_people(guard, service, WD_MOMENT_WARNING, NULL, "%s failed: %s",
			     wd_action_name(service->manual_action), why);
	answer(guard, service, request, WD_ERROR_FAILED, why);
}

void wd_manual_stored(struct wd_guard *guard, struct wd_service *service)
{
	if (!service->request && !may_by_itself(guard, service)) {
		service->manual_waits = false; /* the configuration has changed meanwhile */
		return;
	}
	if (service->remembered) {
		start_manual(guard, service, false);
		return;
	}
	WD_AUTO_FREE char *why = wd_format("its restart policy cannot be remembered: %s",
					   service->remember_trouble ? service->remember_trouble : "unknown");
	manual_failed(guard, service, why);
}

void wd_manual_time(struct wd_guard *guard, struct wd_service *service)
{
	if (service->manual_waits && service->manual_by <= guard->now)
		manual_failed(guard, service, "the disk did not take its restart policy in time");
}

wd_time wd_manual_next(const struct wd_service *service)
{
	return service->manual_waits ? service->manual_by : WD_NEVER;
}

static void released(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	if (service->memory.hold.held) {
		wd_hold_leaves(guard, service, fact->acted.kept);
		wd_hold_end(guard, service);
	}
	if (service->container && wd_throttle_is(service))
		service->container->cpus = service->memory.throttle.cut.before;
	wd_throttle_end(guard, service);
}

/* Whether it helped, its case has yet to see. */
static void throttled(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	struct wd_case *acting = wd_case_acting(service);

	wd_throttle_begin(guard, service, &fact->acted.cut, acting ? acting->incident->id : 0);
	if (!acting || acting->phase != WD_PHASE_WAITING || !service->policy)
		return;
	wd_step_begin(guard, acting, WD_ACTION_THROTTLE);
	wd_trial_begin(guard, service, acting);
}

void wd_manual_acted(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	uint64_t request = service->request;

	if (fact->acted.end != WD_PLAN_DONE) {
		manual_failed(guard, service, fact->acted.detail);
		return;
	}
	service->manual = service->request = 0;
	if (service->manual_action == WD_ACTION_RELEASE) {
		released(guard, service, fact);
		wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL, "released: %s", fact->acted.detail);
		/* It may loop since it was started. */
		for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++)
			wd_judge_trip(guard, service, trigger, false);
	} else if (service->manual_action == WD_ACTION_THROTTLE) { /* begun by a seadog before this one, as below */
		throttled(guard, service, fact);
	} else {
		wd_service_empty(service);
		if (!service->memory.hold.held) /* begun by a seadog before this one */
			wd_hold_begin(guard, service, service->manual_action, 0);
		service->cut_hold = false;
		service->memory.hold.policy = fact->acted.kept;
		wd_hold_leaves(guard, service, (struct wd_restart_policy){.kind = WD_RESTART_NO});
		wd_guard_dirty(guard, service, true);
		wd_case_close_all(guard, service, WD_OUTCOME_HELD, "put on hold by hand");
		wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL, "held by hand: %s", fact->acted.detail);
	}
	answer(guard, service, request, WD_ERROR_NONE, fact->acted.detail);
}

void wd_manual_replaced(struct wd_guard *guard, struct wd_service *service, const char *why)
{
	uint64_t request = service->request;

	if (!wd_manual_busy(service))
		return;
	service->manual = service->request = 0;
	service->manual_waits = false;
	answer(guard, service, request, WD_ERROR_FAILED, why);
}
