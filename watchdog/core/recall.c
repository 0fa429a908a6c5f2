#include "case.h"

static bool in_action(const struct wd_case *the_case, enum wd_action action)
{
	return wd_step_open(the_case) && wd_step_last(the_case)->action == action;
}

static void recall_step(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	struct wd_step *step = wd_step_last(the_case);

	if (step->action == WD_ACTION_STOP || step->action == WD_ACTION_PAUSE) {
		the_case->cut = true;
		the_case->rung--;
	}
	if (step->action == WD_ACTION_THROTTLE)
		the_case->rung--; /* nothing has been done, or its journal will tell */
	step->ended = guard->stamp;
	bool holds = step->action != WD_ACTION_ROLLBACK && service->memory.hold.held;
	step->result = holds ? WD_RESULT_DONE : WD_RESULT_FAILED;
	wd_replace(&step->detail, "seadog was restarted in the middle of it");
}

/* Its end will not be told; and it is not run again, for it may have done its work. */
static void end_hooks(struct wd_guard *guard, struct wd_incident *incident)
{
	for (unsigned i = 0; i < incident->step_count; i++) {
		struct wd_step *step = &incident->steps[i];
		if (step->action != WD_ACTION_HOOK || step->ended != WD_STAMP_NONE)
			continue;
		WD_AUTO_FREE char *detail =
			wd_format("%s: seadog was restarted in the middle of it", step->detail ? step->detail : "");
		step->ended = guard->stamp;
		step->result = WD_RESULT_FAILED;
		wd_replace(&step->detail, detail);
	}
}

/* Its service is not remembered any more: nobody would ever close it. */
static void close_orphan(struct wd_guard *guard, struct wd_incident *incident_taken)
{
	struct wd_incident *incident = incident_taken;

	for (unsigned i = 0; i < incident->step_count; i++) {
		struct wd_step *step = &incident->steps[i];
		if (step->ended == WD_STAMP_NONE) {
			step->ended = guard->stamp;
			step->result = WD_RESULT_FAILED;
		}
	}
	incident->closed = guard->stamp;
	incident->outcome = WD_OUTCOME_SUPPRESSED;
	wd_guard_order(guard, WD_ORDER_INCIDENT, NULL)->incident = incident;
	wd_guard_bury_incident(guard, incident);
}

/* An incident that was open when seadog ended: judged again, from the rung that it had reached. Whether a restart or a
 * throttle has helped is looked at anew. */
void wd_case_recall(struct wd_guard *guard, const struct wd_incident *incident)
{
	struct wd_service *service = wd_map_get(guard->by_key, incident->service);

	if (!service && incident->container)
		service = wd_service_by_id(guard, incident->container);
	if (!service || service->cases[incident->trigger]) {
		close_orphan(guard, wd_incident_copy(incident));
		return;
	}
	struct wd_case *the_case = wd_alloc(1, sizeof(*the_case));
	the_case->incident = wd_incident_copy(incident);
	the_case->phase = WD_PHASE_WAITING;
	the_case->until = guard->born + guard->settings->grace;
	the_case->inferred = true;
	the_case->acts = true;
	the_case->rung = the_case->incident->step_count;
	service->cases[incident->trigger] = the_case;
	end_hooks(guard, the_case->incident);
	wd_case_note(guard, the_case, "seadog was restarted");
	bool tried = in_action(the_case, WD_ACTION_RESTART) ||
		     (in_action(the_case, WD_ACTION_THROTTLE) && wd_throttle_is(service));
	if (in_action(the_case, WD_ACTION_ROLLBACK) &&
	    !service->memory.hold.held) { /* its plan, if it had begun, is told next */
		the_case->rung--;
		the_case->phase = WD_PHASE_MOVING;
		the_case->until = WD_NEVER;
	} else if (tried && !service->memory.hold.held) {
		the_case->rung--;
		the_case->phase = WD_PHASE_VERIFYING;
		the_case->until = WD_NEVER;
	} else if (wd_step_open(the_case)) {
		recall_step(guard, service, the_case);
	}
	if (service->memory.hold.held)
		wd_case_close(guard, service, incident->trigger, WD_OUTCOME_HELD, "stopped until it is released");
	service->next = guard->now;
}
