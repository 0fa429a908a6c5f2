#include "machine.h"

#define SETTLING WD_SECOND /* an event that is on its way arrives within that */
#define RETRY_INSPECT (100 * WD_MILLISECOND)

/* The Engine's own stamps measure its wait exactly: a running container keeps the FinishedAt of its previous run. */
static void measure_wait(struct wd_service *service)
{
	const struct wd_container *container = service->container;

	if (container->state != WD_STATE_RUNNING || container->restart_count == 0 || !container->finished ||
	    container->finished >= container->started)
		return;
	service->last_wait = (container->started - container->finished) / 1000;
}

static bool wanted_up(const struct wd_service *service)
{
	const struct wd_container *container = service->container;

	switch (container->policy.kind) {
	case WD_RESTART_ALWAYS:
	case WD_RESTART_UNLESS_STOPPED:
		return true;
	case WD_RESTART_ON_FAILURE:
		return container->exit_code != 0 || container->state == WD_STATE_CREATED;
	default:
		return false;
	}
}

/* `docker kill` while the Engine waits emits nothing. A restart that fails leaves its complaint, and one that the Engine
 * never meant to make is not in RestartCount. */
static bool was_killed_waiting(const struct wd_service *service)
{
	const struct wd_container *container = service->container;

	return service->waiting_since != WD_NEVER && container->state == WD_STATE_EXITED &&
	       !(container->trouble && *container->trouble) && container->restart_count == service->memory.counted;
}

/* The run as inspect tells it, where no event has told it. */
static void take_state(struct wd_guard *guard, struct wd_service *service, bool first)
{
	const struct wd_container *container = service->container;
	bool runs = container->state == WD_STATE_RUNNING || container->state == WD_STATE_PAUSED;

	if (runs && (!service->running || service->other_run)) {
		if (service->waiting_since != WD_NEVER)
			wd_event_end_wait(service, wd_guard_when(guard, container->started));
		service->running = true;
		service->stopped = false;
		service->started_at = wd_guard_when(guard, container->started);
		service->down_since = service->look_at = WD_NEVER;
		/* A kill from before we looked, told to a seadog before this one, or to nobody: not ours to count. */
		service->ooms_in_run = first && container->oom_killed;
		service->run_heard = false;
		wd_usage_forget(service);
	} else if (!runs) {
		service->running = false;
		wd_usage_forget(service);
		if (was_killed_waiting(service))
			service->stopped = service->ended = true;
		service->stopped |= first && container->state == WD_STATE_EXITED;
	}
	service->other_run = false;
	if (container->state != WD_STATE_RESTARTING)
		service->waiting_since = WD_NEVER; /* nothing waits any more, whatever ended that */
	else if (service->waiting_since == WD_NEVER)
		service->waiting_since = guard->now;
	/* A first start that fails emits no event at all. */
	if (first && container->state == WD_STATE_CREATED && wanted_up(service) && service->policy->down)
		service->look_at = guard->now + service->policy->down;
	measure_wait(service);
	if (container->health == WD_HEALTH_UNHEALTHY && runs)
		wd_event_health(guard, service, WD_HEALTH_UNHEALTHY);
	else
		service->unhealthy_since = WD_NEVER;
}

/* Whether it is down though its policy wants it up and nobody stopped it. A stop that happened before anybody watched
 * leaves no trace, so only what proves the contrary counts then: the Engine's own complaint, or retries used up. */
static bool is_down(const struct wd_service *service)
{
	const struct wd_container *container = service->container;
	bool used_up = container->policy.kind == WD_RESTART_ON_FAILURE && container->policy.retries &&
		       container->restart_count >= container->policy.retries;

	if (container->state != WD_STATE_EXITED && container->state != WD_STATE_CREATED &&
	    container->state != WD_STATE_DEAD)
		return false;
	if (!wanted_up(service))
		return false;
	if (container->trouble && *container->trouble)
		return true;
	if (container->state == WD_STATE_CREATED)
		return false;
	return !service->stopped || used_up;
}

static const char *why_down(const struct wd_container *container)
{
	if (container->trouble && *container->trouble)
		return container->trouble;
	return container->policy.kind == WD_RESTART_ON_FAILURE && container->policy.retries ? "its retries are used up"
											    : "the Engine gave up";
}

static void judge_down(struct wd_guard *guard, struct wd_service *service)
{
	if (service->memory.hold.held || !service->policy->down || !is_down(service)) {
		service->down_since = WD_NEVER;
		return;
	}
	if (service->down_since != WD_NEVER)
		return;
	wd_judge_broke(guard, service, guard->now);
	if (service->ended_at != WD_NEVER)
		service->down_since = service->ended_at;
	else if (service->container->state == WD_STATE_CREATED)
		service->down_since = wd_guard_when(guard, service->container->created);
	else
		service->down_since = guard->now;
	wd_replace(&service->down_why, why_down(service->container));
	wd_judge_trip(guard, service, WD_TRIGGER_DOWN, false);
}

/* FinishedAt is older than the die that tells it: what is heard of that end or of the start behind it was heard of all
 * that RestartCount counts. */
static bool has_been_told_all(const struct wd_service *service)
{
	wd_stamp finished = service->container->finished;

	return finished != WD_STAMP_NONE && finished <= service->run_stamp;
}

/* Its policy may have been set while we knew of none: what was counted then, RestartCount holds too. */
static void learn_policy(struct wd_guard *guard, struct wd_service *service)
{
	unsigned told = service->container->restart_count;

	if (told > service->memory.counted && service->pending.stamp)
		wd_crash_answered(guard, service);
	for (; service->by_tool && told > service->memory.counted; service->by_tool--)
		service->memory.counted++;
	service->by_tool = 0;
}

/* RestartCount against what was counted. More: an event is on its way, or was lost. Less: a start by hand or the
 * Engine's own start began it anew. */
static void compare_count(struct wd_guard *guard, struct wd_service *service, wd_time asked)
{
	unsigned told = service->container->restart_count;

	service->square = false;
	if (told > service->memory.counted) {
		service->owed = told;
		service->owed_at = asked + SETTLING;
		service->owed_asked = asked;
		if (has_been_told_all(service)) {
			wd_crash_owed(guard, service);
			service->paid_ahead = false;
		}
		return;
	}
	if (told < service->memory.counted) {
		service->memory.counted = told;
		wd_guard_dirty(guard, service, false);
	}
	service->owed = 0;
	wd_service_account_is_right(guard, service, asked);
	wd_guard_dirty(guard, service, false);
}

/* Started behind its hold, and down again before anybody looked: not by a policy, as the hold has left it none. A start that
 * is told late was before that by its StartedAt, and a clock that was set back tells no start. */
static bool ran_since_its_hold(const struct wd_guard *guard, const struct wd_service *service)
{
	return service->left_at && service->started_at > service->left_at &&
	       service->container->state == WD_STATE_EXITED &&
	       wd_guard_when(guard, service->container->started) > service->left_at;
}

/* Whether what is held is as a hold leaves it. */
static void judge_hold(struct wd_guard *guard, struct wd_service *service, bool began_anew)
{
	const struct wd_container *container = service->container;
	bool paused = service->memory.hold.kind == WD_ACTION_PAUSE;
	bool has_policy = container->policy.kind != WD_RESTART_NO;

	if (!service->memory.hold.held || wd_service_busy(service))
		return;
	if (service->cut_hold && !began_anew && has_policy)
		wd_manual_complete(guard, service);
	else if (container->state == WD_STATE_RESTARTING || /* and crashed at once, before anybody saw it run */
		 (service->running && !(paused && container->state == WD_STATE_PAUSED)) ||
		 (!paused && !has_policy && ran_since_its_hold(guard, service)))
		wd_manual_started(guard, service);
	else if (!paused && container->state == WD_STATE_EXITED && has_policy)
		wd_manual_complete(guard, service);
}

void wd_sight_take(struct wd_guard *guard, struct wd_service *service, wd_time asked, bool first)
{
	if (asked < service->heard_at) { /* older than an event that we know: not to be believed about the run */
		service->look_at = guard->now + RETRY_INSPECT;
		return;
	}
	bool began_anew = service->container->restart_count < service->memory.counted;

	wd_crash_learn(guard, service);
	wd_oom_look(guard, service, first);
	take_state(guard, service, first);
	learn_policy(guard, service);
	if (service->square || service->container->restart_count != service->memory.counted)
		compare_count(guard, service, asked);
	else
		wd_service_account_is_right(guard, service, asked); /* its row is written with the event that asked */
	judge_down(guard, service);
	judge_hold(guard, service, began_anew);
	wd_throttle_seen(guard, service, asked);
	wd_case_seen(guard, service);
}
