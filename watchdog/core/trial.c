#include "case.h"

#define VERIFY_MOST (5 * WD_MINUTE)
#define OUR_STOP (2 * WD_SECOND) /* a stop of ours follows the crash at once; the Engine's word of it a little later */
#define STOPPED_BY_SOMEBODY "somebody stopped it"

/* Whether a rung has been done and has yet to show that it helped; what people ask for meanwhile goes first. */
static bool is_on_trial(const struct wd_service *service, const struct wd_case *the_case)
{
	return !wd_manual_busy(service) &&
	       (the_case->phase == WD_PHASE_VERIFYING || the_case->phase == WD_PHASE_CONFIRMING);
}

static bool is_throttle(const struct wd_case *the_case)
{
	return wd_step_last(the_case)->action == WD_ACTION_THROTTLE;
}

void wd_case_crashed(struct wd_guard *guard, struct wd_service *service, int exit_code, wd_time life, bool seen)
{
	struct wd_case *acting = wd_case_acting(service);
	WD_AUTO_FREE char *text = wd_reason_crash(exit_code, life, seen);

	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i])
			wd_case_note(guard, service->cases[i], "%s", text);
	if (service->move.phase) {
		WD_AUTO_FREE char *why = wd_format("it did not help: %s", text);
		wd_move_failed(guard, service, why);
		return;
	}
	if (!acting)
		return;
	if (life > acting->longest)
		acting->longest = life;
	if (is_on_trial(service, acting)) {
		WD_AUTO_FREE char *why = wd_format("it did not help: %s", text);
		wd_case_failed(guard, service, acting, WD_RESULT_FAILED, why);
	}
}

void wd_case_unhealthy(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_case *acting = wd_case_acting(service);

	if (wd_move_failed(guard, service, "it did not help: unhealthy again"))
		return;
	if (!acting || !is_on_trial(service, acting))
		return;
	if (is_throttle(acting) && acting->incident->trigger == WD_TRIGGER_UNHEALTHY)
		return; /* it was so all the time, and has until the end of its trial */
	wd_case_failed(guard, service, acting, WD_RESULT_FAILED, "it did not help: unhealthy again");
}

void wd_case_over(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger)
{
	struct wd_case *the_case = service->cases[trigger];
	WD_AUTO_FREE char *why = NULL;

	if (!the_case || !the_case->acts || !is_on_trial(service, the_case) ||
	    !wd_judge_holds(guard, service, trigger, &why))
		return;
	WD_AUTO_FREE char *detail = wd_format("it did not help: %s", why);
	wd_case_failed(guard, service, the_case, WD_RESULT_FAILED, detail);
}

static bool has_check(const struct wd_service *service)
{
	return service->container && service->container->check_patience > 0;
}

static void note_trial(struct wd_guard *guard, const struct wd_service *service, struct wd_case *the_case, wd_time span)
{
	char buffer[WD_TIME_TEXT];
	const char *text = wd_span_print_short(span, buffer);

	if (is_throttle(the_case))
		wd_case_note(guard, the_case, "verifying: in %s %s must have cleared", text,
			     wd_trigger_name(the_case->incident->trigger));
	else
		wd_case_note(guard, the_case, "verifying: it must run without a crash for %s%s", text,
			     has_check(service) ? " and become healthy" : "");
}

wd_time wd_trial_span(const struct wd_service *service, wd_time longest)
{
	wd_time span = service->policy->verify;
	wd_time twice = 2 * longest < VERIFY_MOST ? 2 * longest : VERIFY_MOST;

	return twice > span ? twice : span;
}

void wd_trial_begin(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	wd_time span = wd_trial_span(service, the_case->longest);

	the_case->phase = WD_PHASE_VERIFYING;
	the_case->until = guard->now + span;
	the_case->patience = guard->now + span;
	if (has_check(service) && service->container->check_patience > span)
		the_case->patience = guard->now + service->container->check_patience;
	note_trial(guard, service, the_case, span);
	wd_case_write(guard, service, the_case->incident);
}

static void helped(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, const char *how)
{
	enum wd_trigger trigger = the_case->incident->trigger;

	wd_step_end(guard, service, the_case, WD_RESULT_DONE, how);
	wd_service_empty(service);
	wd_case_close(guard, service, trigger, WD_OUTCOME_RECOVERED,
		      wd_throttle_is(service) ? "it goes on throttled until it is released" : "verified to run");
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

static void look_again(struct wd_case *the_case, wd_time at)
{
	the_case->phase = WD_PHASE_VERIFYING;
	the_case->until = at;
}

/* A throttle is done to end what tripped, and to nothing else. */
static const char *missing_health(const struct wd_service *service, const struct wd_case *the_case)
{
	if (!is_throttle(the_case))
		return has_check(service) && service->container->health != WD_HEALTH_HEALTHY ? "not healthy in time"
											     : NULL;
	if (the_case->incident->trigger == WD_TRIGGER_UNHEALTHY && service->unhealthy_since != WD_NEVER)
		return "unhealthy still";
	return NULL;
}

static void confirm_running(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	enum wd_trigger trigger = the_case->incident->trigger;
	const char *yet = missing_health(service, the_case);
	wd_time soon = guard->now + 2 * WD_SECOND;

	if (yet && guard->now < the_case->patience) {
		look_again(the_case, soon < the_case->patience ? soon : the_case->patience);
	} else if (yet) {
		WD_AUTO_FREE char *why = wd_format("it did not help: %s", yet);
		wd_case_failed(guard, service, the_case, WD_RESULT_FAILED, why);
	} else if (wd_usage_is_over(service, trigger)) {
		look_again(the_case, guard->now + WD_WATCH_STEP); /* it clears, or trips again and ends the trial */
	} else {
		WD_AUTO_FREE char *cleared = wd_format("verified: %s has cleared", wd_trigger_name(trigger));
		helped(guard, service, the_case, is_throttle(the_case) ? cleared : "verified: it runs");
	}
}

enum wd_look wd_trial_look(const struct wd_service *service)
{
	const struct wd_container *container = service->container;

	if (container->state == WD_STATE_RUNNING && has_check(service) && container->health != WD_HEALTH_HEALTHY)
		return WD_LOOK_UNHEALTHY;
	if (container->state == WD_STATE_RUNNING)
		return WD_LOOK_RUNS;
	if (stopped_by_somebody(service))
		return WD_LOOK_STOPPED;
	return has_ended_well(service) ? WD_LOOK_ENDED : WD_LOOK_DOWN;
}

/* The last inspect of a verification decides. */
static void confirm(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	enum wd_look look = wd_trial_look(service);

	if (look == WD_LOOK_RUNS || look == WD_LOOK_UNHEALTHY) {
		confirm_running(guard, service, the_case);
	} else if (look == WD_LOOK_STOPPED) {
		wd_step_end(guard, service, the_case, WD_RESULT_DONE, STOPPED_BY_SOMEBODY);
		wd_case_close(guard, service, the_case->incident->trigger, WD_OUTCOME_SUPPRESSED, STOPPED_BY_SOMEBODY);
	} else if (look == WD_LOOK_ENDED) {
		helped(guard, service, the_case, "verified: it ended with exit code 0");
	} else {
		WD_AUTO_FREE char *why = wd_format("it did not help: %s", wd_state_name(service->container->state));
		wd_case_failed(guard, service, the_case, WD_RESULT_FAILED, why);
	}
}

/* Crashes that nobody saw are on their way into the account: they decide first. */
void wd_case_seen(struct wd_guard *guard, struct wd_service *service)
{
	wd_move_seen(guard, service);
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

	if (!wd_step_changed(the_case))
		return !wd_judge_holds(guard, service, trigger, NULL) || (crashes && outlived(guard, service));
	if (service->running)
		return service->unhealthy_since == WD_NEVER && !wd_usage_is_over(service, trigger) &&
		       outlived(guard, service);
	return has_ended_well(service);
}

/* A stop right behind the crash that tripped, told from the past, by a ladder whose next rung it is: it may have been our
 * own, sent by a seadog that died before the disk had taken anything. A hold is what was to become of it either way. */
static bool may_be_our_stop(const struct wd_service *service, const struct wd_case *the_case)
{
	const struct wd_ladder *ladder = wd_case_ladder(service, the_case);
	const struct wd_mark_time *last =
		service->crashes.count ? &service->crashes.items[service->crashes.count - 1] : NULL;

	if (!the_case->inferred || service->running || !service->stopped || !last || the_case->rung >= ladder->count)
		return false;
	return ladder->rungs[the_case->rung].action == WD_ACTION_STOP && service->stopped_at >= last->at &&
	       service->stopped_at - last->at <= OUR_STOP;
}

/* Whether it is over without any more doing; if so the case is closed. */
bool wd_trial_over(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	enum wd_trigger trigger = the_case->incident->trigger;
	bool told = the_case->phase == WD_PHASE_WATCHING;

	if ((the_case->cut && !service->running) || may_be_our_stop(service, the_case))
		return false;
	if (stopped_by_somebody(service) && trigger != WD_TRIGGER_DOWN)
		wd_case_close(guard, service, trigger, WD_OUTCOME_SUPPRESSED, STOPPED_BY_SOMEBODY);
	else if (!well_again(guard, service, the_case))
		return false;
	else if (told || wd_step_changed(the_case))
		wd_case_close(guard, service, trigger, WD_OUTCOME_RECOVERED, "well again");
	else
		wd_case_close(guard, service, trigger, WD_OUTCOME_SUPPRESSED, "well again before anything was done");
	return true;
}
