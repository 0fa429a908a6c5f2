#include "machine.h"

#define AFTER_KILL (5 * WD_SECOND)
#define BEHIND_DIE (WD_SECOND * 1000) /* of stamps */

bool wd_service_busy(const struct wd_service *service)
{
	const struct wd_case *acting = wd_case_acting(service);

	return service->manual || wd_move_is_away(service) || (acting && acting->phase == WD_PHASE_TREATING);
}

void wd_event_begin_run(struct wd_service *service, wd_time at)
{
	service->running = service->run_told = true;
	service->stopped = service->ended = false;
	service->ended_at = WD_NEVER;
	service->started_at = at;
	service->asked_until = 0;
	service->doubtful = WD_STAMP_NONE;
	service->ooms_in_run = 0;
	service->run_heard = true;
	wd_usage_forget(service);
	service->paid_ahead = false;
	service->unhealthy_since = service->down_since = service->look_at = WD_NEVER;
	service->container->state = WD_STATE_RUNNING;
	service->container->oom_killed = false;
}

void wd_event_end_wait(struct wd_service *service, wd_time at)
{
	wd_time wait = at > service->waiting_since ? at - service->waiting_since : 0;

	service->last_wait = wait;
	service->waited += wait;
	service->waiting_since = WD_NEVER;
}

static void on_start(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	wd_crash_decide(guard, service, -1); /* it is too late to ask for its exit code */
	struct wd_mark_time pending = service->pending;

	service->pending.stamp = WD_STAMP_NONE;
	if (service->waiting_since != WD_NEVER)
		wd_event_end_wait(service, event->at);
	else if (service->ended && (service->stopped || service->memory.policy.kind != WD_RESTART_NO))
		service->memory.counted = 0; /* a start by hand: RestartCount begins anew */
	else
		service->square = true; /* its end was missed, or the policy that answered it is no more: whose start
					 * this is, RestartCount tells */
	wd_event_begin_run(service, event->at);
	wd_guard_inspect(guard, event->id);
	if (wd_service_busy(service) || service->memory.hold.held)
		return; /* whether what is held runs again, the inspect tells: this may have been before it was stopped */
	if (pending.stamp) { /* nobody's policy, but something starts it again and again */
		service->by_tool++;
		wd_crash_count(guard, service, pending, -1);
	}
}

bool wd_event_ends_it(const struct wd_container *container, int signal)
{
	return container->spoofs_signal || signal == 0 || signal == 2 || signal == 3 || signal == 9 || signal == 15 ||
	       signal == container->stop_signal;
}

static void on_kill(struct wd_service *service, const struct wd_event *event)
{
	if (wd_event_ends_it(service->container, event->signal))
		service->asked_until = event->at + service->container->stop_timeout + AFTER_KILL;
}

/* Before or behind its die, or alone where the Engine was waiting: no marker of anything but that last case. */
static void on_stop(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	/* Older Engines say so behind the die, which may have taken longer than we were told. */
	if (service->doubtful && event->stamp - service->doubtful <= BEHIND_DIE)
		wd_crash_take_back(guard, service);
	if (service->running) /* newer Engines say so before the die, which may have taken longer than we were told */
		service->asked_until = event->at + AFTER_KILL;
	service->stopped = service->ended = true;
	service->stopped_at = event->at;
	service->down_since = service->look_at = WD_NEVER;
	if (service->waiting_since != WD_NEVER) {
		service->waiting_since = WD_NEVER;
		service->container->state = WD_STATE_EXITED;
	}
}

void wd_event_health(struct wd_guard *guard, struct wd_service *service, enum wd_health health)
{
	service->container->health = health;
	if (health != WD_HEALTH_UNHEALTHY) {
		service->unhealthy_since = WD_NEVER;
		return;
	}
	if (service->unhealthy_since != WD_NEVER)
		return;
	service->unhealthy_since = guard->now;
	wd_judge_broke(guard, service, guard->now);
	wd_case_unhealthy(guard, service);
}

static void take_event(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	switch (event->kind) {
	case WD_EVENT_DIE:
		wd_crash_die(guard, service, event);
		break;
	case WD_EVENT_START:
		on_start(guard, service, event);
		break;
	case WD_EVENT_KILL:
		on_kill(service, event);
		break;
	case WD_EVENT_STOP:
		on_stop(guard, service, event);
		break;
	case WD_EVENT_OOM:
		wd_oom_event(guard, service, event);
		break;
	case WD_EVENT_HEALTH:
		wd_event_health(guard, service, event->health);
		break;
	case WD_EVENT_DESTROY:
		wd_service_lose(guard, service);
		break;
	case WD_EVENT_PAUSE:
	case WD_EVENT_UNPAUSE:
		service->container->state = event->kind == WD_EVENT_PAUSE ? WD_STATE_PAUSED : WD_STATE_RUNNING;
		wd_guard_inspect(guard, event->id);
		break;
	case WD_EVENT_UPDATE:
	case WD_EVENT_RENAME:
		wd_guard_inspect(guard, event->id);
		break;
	default:
		break;
	}
}

void wd_event_take(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	if (event->replayed && event->stamp <= service->memory.last_event)
		return; /* taken in before seadog was restarted */
	service->heard_at = guard->now;
	if (event->stamp > service->memory.last_event)
		service->memory.last_event = event->stamp;
	if (event->kind == WD_EVENT_DIE || event->kind == WD_EVENT_START)
		service->run_stamp = event->stamp;
	wd_guard_dirty(guard, service, false);
	take_event(guard, service, event);
}
