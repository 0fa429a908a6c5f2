#include "case.h"

#include <assert.h>

struct wd_case *wd_case_free(struct wd_case *the_case)
{
	if (the_case) {
		wd_incident_free(the_case->incident);
		free(the_case);
	}
	return NULL;
}

struct wd_case *wd_case_acting(const struct wd_service *service)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i] && service->cases[i]->acts)
			return service->cases[i];
	return NULL;
}

bool wd_case_is_about_to(const struct wd_service *service)
{
	const struct wd_case *acting = wd_case_acting(service);

	return acting && acting->phase == WD_PHASE_REMEMBERING;
}

const struct wd_ladder *wd_case_ladder(const struct wd_service *service, const struct wd_case *the_case)
{
	static const struct wd_ladder empty;

	return service->policy ? &service->policy->ladders[the_case->incident->trigger] : &empty;
}

void wd_case_rest(struct wd_guard *guard, struct wd_service *service)
{
	wd_time span = service->policy ? service->policy->cooldown : 0;

	service->cooldown_until = guard->now + span;
	service->memory.cooldown_until = guard->stamp + span * 1000;
	wd_guard_dirty(guard, service, false);
}

/* What outlasts its incident does not open the next one at once. Where a plan failed, it is begun to be counted anew when
 * the cooldown ends; where nothing could be tried, or only be observed, one incident has said all there is to say. */
static void settle(struct wd_service *service, enum wd_trigger trigger, wd_time now)
{
	wd_time *since = trigger == WD_TRIGGER_UNHEALTHY ? &service->unhealthy_since
			 : trigger == WD_TRIGGER_DOWN    ? &service->down_since
							 : NULL;
	const struct wd_case *the_case = service->cases[trigger];

	bool failed = wd_step_has(the_case, WD_ACTION_STOP, WD_RESULT_FAILED) ||
		      wd_step_has(the_case, WD_ACTION_PAUSE, WD_RESULT_FAILED) ||
		      wd_step_has(the_case, WD_ACTION_THROTTLE, WD_RESULT_FAILED) ||
		      wd_step_has(the_case, WD_ACTION_ROLLBACK, WD_RESULT_FAILED) ||
		      wd_step_has(the_case, WD_ACTION_RESTART, WD_RESULT_FAILED);
	wd_time anew = service->cooldown_until > now ? service->cooldown_until : now;

	wd_usage_settle(service, trigger, failed ? anew : WD_NEVER);
	if (!since || *since == WD_NEVER)
		return;
	if (failed)
		*since = anew;
	else
		service->settled[trigger] = *since;
}

void wd_case_close(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, enum wd_outcome outcome,
		   const char *why)
{
	struct wd_case *the_case = service->cases[trigger];

	assert(the_case);
	struct wd_incident *incident = the_case->incident;

	if (wd_step_changed(the_case))
		wd_case_rest(guard, service);
	settle(service, trigger, guard->now);
	wd_case_note(guard, the_case, "%s: %s", wd_outcome_name(outcome), why);
	wd_usage_tell(guard, service, incident);
	incident->closed = guard->stamp;
	incident->outcome = outcome;
	bool kept = wd_hook_keeps(guard, incident);
	wd_case_write(guard, service, incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_CLOSED, incident, "%s: %s", wd_outcome_name(outcome), why);
	service->cases[trigger] = NULL;
	if (!kept)
		wd_guard_bury_incident(guard, incident);
	if (the_case->acts)
		wd_case_met(guard, service); /* another's turn? */
	free(the_case);
}

static struct wd_case *open_case(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger,
				 char *why_taken, bool inferred)
{
	struct wd_case *the_case = wd_alloc(1, sizeof(*the_case));
	struct wd_incident *incident = wd_alloc(1, sizeof(*incident));

	incident->id = guard->next_incident++;
	incident->name = wd_copy(wd_service_name(service));
	incident->service = wd_copy(service->memory.service);
	incident->container = wd_copy(service->memory.id);
	incident->trigger = trigger;
	incident->why = why_taken;
	incident->opened = guard->stamp;
	the_case->incident = incident;
	the_case->inferred = inferred;
	the_case->longest = service->longest_life;
	the_case->until = WD_NEVER;
	the_case->acts = wd_ladder_acts(&service->policy->ladders[trigger]);
	return the_case;
}

static void note_history(struct wd_guard *guard, const struct wd_service *service, struct wd_case *the_case)
{
	for (unsigned i = 0; i < service->crashes.count; i++) {
		const struct wd_mark_time *mark = &service->crashes.items[i];
		WD_AUTO_FREE char *text = wd_reason_crash(mark->exit_code, -1, mark->from == mark->at);
		wd_case_note(guard, the_case, "%s", text);
		the_case->incident->notes[the_case->incident->note_count - 1].at = mark->stamp;
	}
}

bool wd_case_may_open(const struct wd_service *service, enum wd_trigger trigger)
{
	const struct wd_policy *policy = service->policy;

	if (!policy || !policy->watched || service->cases[trigger] || wd_manual_busy(service) ||
	    service->memory.hold.held)
		return false;
	return !wd_case_acting(service) || !wd_ladder_acts(&policy->ladders[trigger]);
}

/* Of two that act the first has the service; the other is noted in it, once. */
static void note_beside(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, const char *why)
{
	struct wd_case *acting = wd_case_acting(service);

	if (!acting || service->cases[trigger] || (acting->beside & 1u << trigger))
		return;
	acting->beside |= 1u << trigger;
	wd_case_note(guard, acting, "%s tripped as well: %s", wd_trigger_name(trigger), why);
}

void wd_case_trip(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, char *why_taken,
		  bool inferred)
{
	if (!wd_case_may_open(service, trigger)) {
		note_beside(guard, service, trigger, why_taken);
		free(why_taken);
		return;
	}
	struct wd_case *the_case = open_case(guard, service, trigger, why_taken, inferred);
	service->cases[trigger] = the_case;
	note_history(guard, service, the_case);
	wd_usage_tell(guard, service, the_case->incident);
	wd_case_write(guard, service, the_case->incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_OPENED, the_case->incident, "%s", the_case->incident->why);
	wd_case_climb(guard, service, trigger);
}

/* All that is open about a service ends with what was done to it. */
void wd_case_close_all(struct wd_guard *guard, struct wd_service *service, enum wd_outcome outcome, const char *why)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++) {
		struct wd_case *the_case = service->cases[i];
		if (!the_case)
			continue;
		if (wd_step_open(the_case)) /* a restart that had yet to show that it helped */
			wd_step_end(guard, service, the_case, WD_RESULT_DONE, why);
		wd_case_close(guard, service, (enum wd_trigger)i, outcome, why);
	}
}

void wd_case_replaced(struct wd_guard *guard, struct wd_service *service, const char *why)
{
	if (service->memory.hold.held) {
		wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL, "the hold has ended: %s", why);
		wd_hold_end(guard, service);
	}
	if (service->move.phase != WD_MOVE_LOST) /* what it was rolled back from may come back, and has it still */
		wd_throttle_end(guard, service);
	wd_manual_replaced(guard, service, why);
	for (unsigned i = 0; i < WD_TRIGGERS; i++) {
		struct wd_case *the_case = service->cases[i];
		if (!the_case)
			continue;
		if (wd_step_open(the_case))
			wd_step_end(guard, service, the_case, WD_RESULT_FAILED, why);
		wd_case_close(guard, service, (enum wd_trigger)i, WD_OUTCOME_SUPPRESSED, why);
	}
}

static bool in_hand(const struct wd_case *the_case)
{
	return the_case && the_case->acts && the_case->phase != WD_PHASE_WAITING;
}

static void meet(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, bool acts)
{
	if (the_case->phase == WD_PHASE_MOVING &&
	    !service->move.phase) { /* it died before its plan was in the journal */
		wd_step_end(guard, service, the_case, WD_RESULT_FAILED, "seadog was restarted before it had begun");
		the_case->phase = WD_PHASE_WAITING;
		the_case->until = guard->now;
	} else if (the_case->phase == WD_PHASE_VERIFYING && the_case->until == WD_NEVER) {
		wd_trial_begin(guard, service, the_case);
	} else if (the_case->phase == WD_PHASE_WATCHING && acts && !the_case->climbed) {
		the_case->phase = WD_PHASE_WAITING;
		the_case->rung = 0;
		the_case->acts = true;
		the_case->until = guard->now;
	} else if (the_case->phase == WD_PHASE_WAITING && !acts) {
		the_case->phase = WD_PHASE_WATCHING;
		the_case->acts = false;
	}
}

/* What its policy says, which is known from now on, or has changed: does it act? Of several one does: that which is at
 * it already, else the first. */
void wd_case_met(struct wd_guard *guard, struct wd_service *service)
{
	bool taken = false;

	if (!service->policy)
		return;
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		taken |= in_hand(service->cases[i]);
	for (unsigned i = 0; i < WD_TRIGGERS; i++) {
		struct wd_case *the_case = service->cases[i];
		if (!the_case)
			continue;
		meet(guard, service, the_case, !taken && wd_ladder_acts(wd_case_ladder(service, the_case)));
		taken |= the_case->acts;
	}
}
