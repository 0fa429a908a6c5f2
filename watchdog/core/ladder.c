#include "machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NOTES_MAX 200
#define VERIFY_MOST (5 * WD_MINUTE)
#define WATCH_STEP (10 * WD_SECOND)
#define OUR_STOP (2 * WD_SECOND) /* a stop of ours follows the crash at once; the Engine's word of it a little later */
#define STOPPED_BY_SOMEBODY "somebody stopped it"

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

static const struct wd_ladder *ladder_of(const struct wd_service *service, const struct wd_case *the_case)
{
	static const struct wd_ladder empty;

	return service->policy ? &service->policy->ladders[the_case->incident->trigger] : &empty;
}

/* --- the incident's record -------------------------------------------------------------------------------------------- */

static void write_incident(struct wd_guard *guard, const struct wd_service *service, const struct wd_incident *incident)
{
	wd_guard_order(guard, WD_ORDER_INCIDENT, service)->incident = incident;
}

void wd_case_note(struct wd_guard *guard, struct wd_case *the_case, const char *format, ...)
{
	struct wd_incident *incident = the_case->incident;
	char line[512];
	va_list arguments;

	if (incident->note_count >= NOTES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	incident->notes = wd_realloc(incident->notes, incident->note_count + 1, sizeof(*incident->notes));
	incident->notes[incident->note_count++] = (struct wd_note){.at = guard->stamp, .text = wd_copy(line)};
}

static struct wd_step *last_step(const struct wd_case *the_case)
{
	struct wd_incident *incident = the_case->incident;

	assert(incident->steps && incident->step_count);
	return &incident->steps[incident->step_count - 1];
}

static bool in_a_step(const struct wd_case *the_case)
{
	return the_case->incident->step_count && last_step(the_case)->ended == WD_STAMP_NONE;
}

static void begin_step(struct wd_guard *guard, struct wd_case *the_case, enum wd_action action)
{
	struct wd_incident *incident = the_case->incident;

	incident->steps = wd_realloc(incident->steps, incident->step_count + 1, sizeof(*incident->steps));
	incident->steps[incident->step_count++] = (struct wd_step){.action = action, .started = guard->stamp};
}

static void end_step(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		     enum wd_result result, const char *detail)
{
	struct wd_step *step = last_step(the_case);

	step->ended = guard->stamp;
	step->result = result;
	wd_replace(&step->detail, detail ? detail : "");
	write_incident(guard, service, the_case->incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_STEP, the_case->incident, "%s: %s%s%s",
			     wd_action_name(step->action), wd_result_name(result), detail && *detail ? ", " : "",
			     detail ? detail : "");
}

static bool did_act(const struct wd_case *the_case)
{
	for (unsigned i = 0; i < the_case->incident->step_count; i++) {
		const struct wd_step *step = &the_case->incident->steps[i];
		if (wd_action_changes(step->action) && step->result != WD_RESULT_SKIPPED)
			return true;
	}
	return false;
}

static void begin_cooldown(struct wd_guard *guard, struct wd_service *service)
{
	wd_time span = service->policy ? service->policy->cooldown : 0;

	service->cooldown_until = guard->now + span;
	service->memory.cooldown_until = guard->stamp + span * 1000;
	wd_guard_dirty(guard, service, false);
}

static bool has_step(const struct wd_case *the_case, enum wd_action action, enum wd_result result)
{
	for (unsigned i = 0; i < the_case->incident->step_count; i++) {
		const struct wd_step *step = &the_case->incident->steps[i];
		if (step->action == action && step->result == result)
			return true;
	}
	return false;
}

/* What outlasts its incident does not open the next one at once. Where a plan failed, it is begun to be counted anew when
 * the cooldown ends; where nothing could be tried, or only be observed, one incident has said all there is to say. */
static void settle(struct wd_service *service, enum wd_trigger trigger, wd_time now)
{
	wd_time *since = trigger == WD_TRIGGER_UNHEALTHY ? &service->unhealthy_since
			 : trigger == WD_TRIGGER_DOWN    ? &service->down_since
							 : NULL;
	const struct wd_case *the_case = service->cases[trigger];

	if (!since || *since == WD_NEVER)
		return;
	if (has_step(the_case, WD_ACTION_STOP, WD_RESULT_FAILED) ||
	    has_step(the_case, WD_ACTION_PAUSE, WD_RESULT_FAILED) ||
	    has_step(the_case, WD_ACTION_RESTART, WD_RESULT_FAILED))
		*since = service->cooldown_until > now ? service->cooldown_until : now;
	else
		service->settled[trigger] = *since;
}

static void close_case(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger,
		       enum wd_outcome outcome, const char *why)
{
	struct wd_case *the_case = service->cases[trigger];

	assert(the_case);
	struct wd_incident *incident = the_case->incident;

	if (did_act(the_case))
		begin_cooldown(guard, service);
	settle(service, trigger, guard->now);
	wd_case_note(guard, the_case, "%s: %s", wd_outcome_name(outcome), why);
	incident->closed = guard->stamp;
	incident->outcome = outcome;
	write_incident(guard, service, incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_CLOSED, incident, "%s: %s", wd_outcome_name(outcome), why);
	service->cases[trigger] = NULL;
	wd_guard_bury_incident(guard, incident);
	if (the_case->acts)
		wd_case_met(guard, service); /* another's turn? */
	free(the_case);
}

/* --- holds ------------------------------------------------------------------------------------------------------------ */

void wd_hold_end(struct wd_guard *guard, struct wd_service *service)
{
	service->memory.hold.held = false;
	if (service->unhealthy_since != WD_NEVER) /* its time begins anew, as its windows do */
		service->unhealthy_since = guard->now;
	wd_replace(&service->memory.hold.id, NULL);
	wd_guard_dirty(guard, service, false);
}

/* The row says held before the plan's journal is struck out, so there is no moment at which nobody remembers. */
void wd_hold_begin(struct wd_guard *guard, struct wd_service *service, enum wd_action kind, int64_t incident)
{
	struct wd_hold *hold = &service->memory.hold;

	hold->held = true;
	hold->kind = kind;
	hold->since = guard->stamp;
	hold->incident = incident;
	hold->policy = service->memory.policy;
	wd_replace(&hold->id, service->memory.id);
	wd_guard_dirty(guard, service, true);
}

/* What a plan has left it with: the next crash may come before the next inspect. */
void wd_hold_leaves(struct wd_guard *guard, struct wd_service *service, struct wd_restart_policy policy)
{
	service->memory.policy = policy;
	service->remembered = false;
	if (service->container)
		service->container->policy = policy;
	wd_guard_dirty(guard, service, false);
}

struct wd_order *wd_hold_order(struct wd_guard *guard, const struct wd_service *service, enum wd_action action)
{
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_ACT, service);

	order->action = action;
	order->ticket = guard->next_ticket++;
	order->policy = service->memory.policy;
	order->hold_kind = service->memory.hold.kind;
	if (service->container)
		order->stop_timeout = service->container->stop_timeout;
	return order;
}

/* --- climbing --------------------------------------------------------------------------------------------------------- */

static void climb(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger);

static void start_plan(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		       enum wd_action action)
{
	struct wd_order *order = wd_hold_order(guard, service, action);

	order->incident_id = the_case->incident->id;
	the_case->ticket = order->ticket;
	the_case->phase = WD_PHASE_TREATING;
	the_case->until = WD_NEVER;
	if (action == WD_ACTION_STOP || action == WD_ACTION_PAUSE)
		wd_hold_begin(guard, service, action, the_case->incident->id);
	wd_gate_acted(guard, guard->now);
	wd_case_note(guard, the_case, "doing: %s", wd_action_name(action));
	write_incident(guard, service, the_case->incident);
}

/* A hold needs the policy on disk first; nearly always it is there since the service became suspect. */
static void begin_action(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
			 enum wd_action action)
{
	begin_step(guard, the_case, action);
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

	begin_step(guard, the_case, action);
	end_step(guard, service, the_case, WD_RESULT_OBSERVED, "mode = observe: this is what would have been done");
	wd_service_empty(service);
	close_case(guard, service, trigger, WD_OUTCOME_OBSERVED, "mode = observe, nothing was changed");
}

static void skip_rung(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		      enum wd_action action, const char *why)
{
	begin_step(guard, the_case, action);
	end_step(guard, service, the_case, WD_RESULT_SKIPPED, why);
	the_case->rung++;
}

static void wait_at_gate(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, enum wd_bar bar,
			 wd_time until)
{
	WD_AUTO_FREE char *why = wd_reason_bar(bar, until == WD_NEVER ? WD_NEVER : until - guard->now);

	the_case->phase = WD_PHASE_WAITING;
	the_case->until = until == WD_NEVER ? guard->now + WATCH_STEP : until;
	the_case->away = bar == WD_BAR_AWAY;
	wd_case_note(guard, the_case, "held back: %s", why);
	write_incident(guard, service, the_case->incident);
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
	if (action == WD_ACTION_STOP || action == WD_ACTION_PAUSE || action == WD_ACTION_RESTART)
		return NULL;
	return wd_reason_skipped(action);
}

/* One changing rung: true when the case is now waiting for something. */
static bool try_action(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger,
		       enum wd_action action)
{
	struct wd_case *the_case = service->cases[trigger];
	const char *why = wd_case_cannot(service, action);
	wd_time until;

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
	const struct wd_ladder *ladder = ladder_of(service, the_case);
	bool told_last = ladder->count == 0 || ladder->rungs[ladder->count - 1].action == WD_ACTION_NOTIFY;

	if (the_case->acts && !told_last && !the_case->tried_stop &&
	    !has_step(the_case, WD_ACTION_STOP, WD_RESULT_SKIPPED) &&
	    try_action(guard, service, trigger, WD_ACTION_STOP))
		return;
	if (the_case->acts && (!told_last || the_case->tried_stop)) {
		wd_service_empty(service);
		begin_cooldown(guard, service);
		close_case(guard, service, trigger, WD_OUTCOME_FAILED, "no rung of its ladder could be carried out");
		return;
	}
	the_case->phase = WD_PHASE_WATCHING;
	the_case->climbed = the_case->acts;
	the_case->acts = false;
	the_case->until = guard->now + WATCH_STEP;
}

/* Goes on from the present rung until something has to be waited for. */
static void climb(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger)
{
	struct wd_case *the_case = service->cases[trigger];
	const struct wd_ladder *ladder = ladder_of(service, the_case);

	while (the_case->rung < ladder->count) {
		const struct wd_rung *rung = &ladder->rungs[the_case->rung];
		if (rung->action == WD_ACTION_NOTIFY) {
			begin_step(guard, the_case, WD_ACTION_NOTIFY);
			end_step(guard, service, the_case, WD_RESULT_DONE, "");
			the_case->rung++;
		} else if (try_action(guard, service, trigger, rung->action)) {
			return;
		}
	}
	reach_end(guard, service, trigger);
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
	write_incident(guard, service, the_case->incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_OPENED, the_case->incident, "%s", the_case->incident->why);
	climb(guard, service, trigger);
}

/* --- what happens to a case ------------------------------------------------------------------------------------------- */

static void rung_failed(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
			enum wd_result result, const char *detail)
{
	end_step(guard, service, the_case, result, detail);
	the_case->rung++;
	climb(guard, service, the_case->incident->trigger);
}

/* Whether a rung has been done and has yet to show that it helped; what people ask for meanwhile goes first. */
static bool is_on_trial(const struct wd_service *service, const struct wd_case *the_case)
{
	return !wd_manual_busy(service) &&
	       (the_case->phase == WD_PHASE_VERIFYING || the_case->phase == WD_PHASE_CONFIRMING);
}

void wd_case_crashed(struct wd_guard *guard, struct wd_service *service, int exit_code, wd_time life, bool seen)
{
	struct wd_case *acting = wd_case_acting(service);
	WD_AUTO_FREE char *text = wd_reason_crash(exit_code, life, seen);

	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i])
			wd_case_note(guard, service->cases[i], "%s", text);
	if (!acting)
		return;
	if (life > acting->longest)
		acting->longest = life;
	if (is_on_trial(service, acting)) {
		WD_AUTO_FREE char *why = wd_format("it did not help: %s", text);
		rung_failed(guard, service, acting, WD_RESULT_FAILED, why);
	}
}

void wd_case_unhealthy(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_case *acting = wd_case_acting(service);

	if (acting && is_on_trial(service, acting))
		rung_failed(guard, service, acting, WD_RESULT_FAILED, "it did not help: unhealthy again");
}

static bool has_check(const struct wd_service *service)
{
	return service->container && service->container->check_patience > 0;
}

static void begin_verifying(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	wd_time span = service->policy->verify;
	wd_time longest = 2 * the_case->longest < VERIFY_MOST ? 2 * the_case->longest : VERIFY_MOST;

	if (longest > span)
		span = longest;
	the_case->phase = WD_PHASE_VERIFYING;
	the_case->until = guard->now + span;
	the_case->patience = guard->now + span;
	if (has_check(service) && service->container->check_patience > span)
		the_case->patience = guard->now + service->container->check_patience;
	char buffer[WD_TIME_TEXT];
	wd_case_note(guard, the_case, "verifying: it must run without a crash for %s%s",
		     wd_span_print_short(span, buffer), has_check(service) ? " and become healthy" : "");
	write_incident(guard, service, the_case->incident);
}

static void helped(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, const char *how)
{
	enum wd_trigger trigger = the_case->incident->trigger;

	end_step(guard, service, the_case, WD_RESULT_DONE, how);
	wd_service_empty(service);
	close_case(guard, service, trigger, WD_OUTCOME_RECOVERED, "verified to run");
}

static bool stopped_by_somebody(const struct wd_service *service)
{
	return service->stopped && !service->running;
}

static bool has_ended_well(const struct wd_service *service)
{
	const struct wd_container *container = service->container;

	return container->state == WD_STATE_EXITED && container->exit_code == 0 && service->waiting_since == WD_NEVER &&
	       service->down_since == WD_NEVER;
}

static void look_again(const struct wd_guard *guard, struct wd_case *the_case)
{
	wd_time soon = guard->now + 2 * WD_SECOND;

	the_case->phase = WD_PHASE_VERIFYING;
	the_case->until = soon < the_case->patience ? soon : the_case->patience;
}

/* The last inspect of a verification decides. */
static void confirm(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	const struct wd_container *container = service->container;

	if (container->state == WD_STATE_RUNNING && has_check(service) && container->health != WD_HEALTH_HEALTHY) {
		if (guard->now < the_case->patience)
			look_again(guard, the_case);
		else
			rung_failed(guard, service, the_case, WD_RESULT_FAILED, "it did not help: not healthy in time");
	} else if (container->state == WD_STATE_RUNNING) {
		helped(guard, service, the_case, "verified: it runs");
	} else if (stopped_by_somebody(service)) {
		end_step(guard, service, the_case, WD_RESULT_DONE, STOPPED_BY_SOMEBODY);
		close_case(guard, service, the_case->incident->trigger, WD_OUTCOME_SUPPRESSED, STOPPED_BY_SOMEBODY);
	} else if (has_ended_well(service)) {
		helped(guard, service, the_case, "verified: it ended with exit code 0");
	} else {
		WD_AUTO_FREE char *why = wd_format("it did not help: %s", wd_state_name(container->state));
		rung_failed(guard, service, the_case, WD_RESULT_FAILED, why);
	}
}

/* Crashes that nobody saw are on their way into the account: they decide first. */
void wd_case_seen(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_case *acting = wd_case_acting(service);

	if (acting && acting->phase == WD_PHASE_WAITING && acting->away && guard->up) {
		acting->away = false;
		acting->until = guard->now;
	}
	if (!acting || acting->phase != WD_PHASE_CONFIRMING)
		return;
	if (service->owed || wd_manual_busy(service)) {
		acting->phase = WD_PHASE_VERIFYING;
		acting->until = service->owed ? service->owed_at : guard->now;
	} else {
		confirm(guard, service, acting);
	}
}

/* Whether it has outlived the loop: it runs, and for twice as long as it ever did between two crashes. */
static bool outlived(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time enough = 2 * service->longest_life > WD_SHORT_RUN ? 2 * service->longest_life : WD_SHORT_RUN;

	return service->running && guard->now - service->started_at >= enough;
}

/* Windows are empty after an action, so that they prove nothing then: only a life that is long enough does. */
static bool well_again(const struct wd_guard *guard, const struct wd_service *service, const struct wd_case *the_case)
{
	enum wd_trigger trigger = the_case->incident->trigger;
	bool crashes = trigger == WD_TRIGGER_RESTARTS || trigger == WD_TRIGGER_FLAPPING || trigger == WD_TRIGGER_EXIT;

	if (!did_act(the_case))
		return !wd_judge_holds(guard, service, trigger, NULL) || (crashes && outlived(guard, service));
	if (service->running)
		return service->unhealthy_since == WD_NEVER && outlived(guard, service);
	return has_ended_well(service);
}

/* A stop right behind the crash that tripped, told from the past, by a ladder whose next rung it is: it may have been our
 * own, sent by a seadog that died before the disk had taken anything. A hold is what was to become of it either way. */
static bool may_be_our_stop(const struct wd_service *service, const struct wd_case *the_case)
{
	const struct wd_ladder *ladder = ladder_of(service, the_case);
	const struct wd_mark_time *last =
		service->crashes.count ? &service->crashes.items[service->crashes.count - 1] : NULL;

	if (!the_case->inferred || service->running || !service->stopped || !last || the_case->rung >= ladder->count)
		return false;
	return ladder->rungs[the_case->rung].action == WD_ACTION_STOP && service->stopped_at >= last->at &&
	       service->stopped_at - last->at <= OUR_STOP;
}

/* Whether it is over without any more doing; if so the case is closed. */
static bool is_over(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	enum wd_trigger trigger = the_case->incident->trigger;
	bool told = the_case->phase == WD_PHASE_WATCHING;

	if ((the_case->cut && !service->running) || may_be_our_stop(service, the_case))
		return false;
	if (stopped_by_somebody(service) && trigger != WD_TRIGGER_DOWN)
		close_case(guard, service, trigger, WD_OUTCOME_SUPPRESSED, STOPPED_BY_SOMEBODY);
	else if (!well_again(guard, service, the_case))
		return false;
	else if (told || did_act(the_case))
		close_case(guard, service, trigger, WD_OUTCOME_RECOVERED, "well again");
	else
		close_case(guard, service, trigger, WD_OUTCOME_SUPPRESSED, "well again before anything was done");
	return true;
}

/* The gate may be open now: is it still sick? A loop is never let run on because it was once let pass. */
static void judge_again(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	wd_time until;

	if (is_over(guard, service, the_case))
		return;
	enum wd_bar bar = wd_gate_bar(guard, service, the_case, &until);
	the_case->away = bar == WD_BAR_AWAY;
	if (bar != WD_BAR_NONE)
		the_case->until = until == WD_NEVER ? guard->now + WATCH_STEP : until;
	else
		climb(guard, service, the_case->incident->trigger);
}

void wd_case_ask_again(struct wd_service *service, wd_time now)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i] && service->cases[i]->phase == WD_PHASE_WAITING && service->cases[i]->until > now)
			service->cases[i]->until = now;
}

void wd_case_witnessed(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger)
{
	struct wd_case *the_case = service->cases[trigger];

	if (!the_case || the_case->phase != WD_PHASE_WAITING || !the_case->inferred)
		return;
	the_case->inferred = false;
	the_case->until = guard->now;
}

static void watch(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	if (!is_over(guard, service, the_case))
		the_case->until = guard->now + WATCH_STEP;
}

static void time_of(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	bool due = the_case->until <= guard->now;

	switch (the_case->phase) {
	case WD_PHASE_WAITING:
		if (due)
			judge_again(guard, service, the_case);
		break;
	case WD_PHASE_REMEMBERING:
		if (due)
			rung_failed(guard, service, the_case, WD_RESULT_SKIPPED,
				    "refused: the disk did not take the restart policy in time, so it could not be "
				    "given back");
		break;
	case WD_PHASE_VERIFYING:
		if (!due || !guard->up)
			break;
		the_case->phase = WD_PHASE_CONFIRMING;
		the_case->until = WD_NEVER;
		wd_guard_inspect(guard, service->memory.id);
		break;
	case WD_PHASE_WATCHING:
		if (due)
			watch(guard, service, the_case);
		break;
	default:
		break;
	}
}

/* While people have it, and while it is only remembered: nothing can be said about it then. */
static bool stands_still(const struct wd_service *service)
{
	return wd_manual_busy(service) || !service->policy;
}

void wd_case_time(struct wd_guard *guard, struct wd_service *service)
{
	if (stands_still(service))
		return;
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i])
			time_of(guard, service, service->cases[i]);
}

wd_time wd_case_next(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time next = WD_NEVER;

	for (unsigned i = 0; i < WD_TRIGGERS && !stands_still(service); i++) {
		const struct wd_case *the_case = service->cases[i];
		if (!the_case || (the_case->phase == WD_PHASE_VERIFYING && !guard->up))
			continue;
		if (the_case->until < next)
			next = the_case->until;
	}
	if (service->muted_until > guard->now && service->muted_until < next)
		next = service->muted_until;
	return next;
}

/* The disk has taken the policy. Meanwhile others may have used the budget up, or somebody has muted it: the rung is
 * begun anew. */
static void go_on(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	if (last_step(the_case)->action == WD_ACTION_STOP)
		the_case->tried_stop = false;
	the_case->incident->step_count--;
	climb(guard, service, the_case->incident->trigger);
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
	rung_failed(guard, service, acting, WD_RESULT_SKIPPED, why);
}

/* --- ends of plans ---------------------------------------------------------------------------------------------------- */

/* All that is open about a service ends with what was done to it. */
void wd_case_close_all(struct wd_guard *guard, struct wd_service *service, enum wd_outcome outcome, const char *why)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++) {
		struct wd_case *the_case = service->cases[i];
		if (!the_case)
			continue;
		if (in_a_step(the_case)) /* a restart that had yet to show that it helped */
			end_step(guard, service, the_case, WD_RESULT_DONE, why);
		close_case(guard, service, (enum wd_trigger)i, outcome, why);
	}
}

static void plan_done(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case,
		      const struct wd_fact *fact)
{
	enum wd_action action = last_step(the_case)->action;

	wd_service_empty(service);
	if (action == WD_ACTION_RESTART) {
		begin_verifying(guard, service, the_case);
		return;
	}
	service->memory.hold.policy = fact->acted.kept;
	wd_hold_leaves(guard, service, (struct wd_restart_policy){.kind = WD_RESTART_NO});
	wd_guard_dirty(guard, service, true);
	end_step(guard, service, the_case, WD_RESULT_DONE, fact->acted.detail);
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
	rung_failed(guard, service, the_case, result_of(fact->acted.end), fact->acted.detail);
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

/* --- others' doing ---------------------------------------------------------------------------------------------------- */

void wd_case_replaced(struct wd_guard *guard, struct wd_service *service, const char *why)
{
	if (service->memory.hold.held) {
		wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL, "the hold has ended: %s", why);
		wd_hold_end(guard, service);
	}
	wd_manual_replaced(guard, service, why);
	for (unsigned i = 0; i < WD_TRIGGERS; i++) {
		struct wd_case *the_case = service->cases[i];
		if (!the_case)
			continue;
		if (in_a_step(the_case))
			end_step(guard, service, the_case, WD_RESULT_FAILED, why);
		close_case(guard, service, (enum wd_trigger)i, WD_OUTCOME_SUPPRESSED, why);
	}
}

static bool in_action(const struct wd_case *the_case, enum wd_action action)
{
	return in_a_step(the_case) && last_step(the_case)->action == action;
}

static bool in_hand(const struct wd_case *the_case)
{
	return the_case && the_case->acts && the_case->phase != WD_PHASE_WAITING;
}

static void meet(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, bool acts)
{
	if (the_case->phase == WD_PHASE_VERIFYING && the_case->until == WD_NEVER) {
		begin_verifying(guard, service, the_case);
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
		meet(guard, service, the_case, !taken && wd_ladder_acts(ladder_of(service, the_case)));
		taken |= the_case->acts;
	}
}

static void recall_step(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	struct wd_step *step = last_step(the_case);

	if (step->action == WD_ACTION_STOP || step->action == WD_ACTION_PAUSE) {
		the_case->cut = true;
		the_case->rung--;
	}
	step->ended = guard->stamp;
	step->result = service->memory.hold.held ? WD_RESULT_DONE : WD_RESULT_FAILED;
	wd_replace(&step->detail, "seadog was restarted in the middle of it");
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

/* An incident that was open when seadog ended: judged again, from the rung that it had reached. Whether a restart has
 * helped is looked at anew. */
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
	wd_case_note(guard, the_case, "seadog was restarted");
	if (in_action(the_case, WD_ACTION_RESTART) && !service->memory.hold.held) {
		the_case->rung--;
		the_case->phase = WD_PHASE_VERIFYING;
		the_case->until = WD_NEVER;
	} else if (in_a_step(the_case)) {
		recall_step(guard, service, the_case);
	}
	if (service->memory.hold.held)
		close_case(guard, service, incident->trigger, WD_OUTCOME_HELD, "stopped until it is released");
	service->next = guard->now;
}
