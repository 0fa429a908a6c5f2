#include "machine.h"

#define LEAST_PROOF (1600 * WD_MILLISECOND) /* shorter waits are made by a slow Engine too */

/* How many short runs in a row the Engine's wait proves: it doubles from 0.1 s with each of them. */
static unsigned proven_by(wd_time wait)
{
	unsigned runs = 0;

	if (wait < LEAST_PROOF)
		return 0;
	for (wd_time step = 100 * WD_MILLISECOND; step <= wait && runs < WD_PROOF_MOST; step *= 2)
		runs++;
	return runs;
}

/* The wait that would prove one run more than is proven. */
wd_time wd_crash_next_proof(const struct wd_service *service)
{
	wd_time wait = (100 * WD_MILLISECOND) << service->proven;

	return wait > LEAST_PROOF ? wait : LEAST_PROOF;
}

/* Only for a service that crashed before anybody watched: else the windows know better. */
void wd_crash_prove(struct wd_service *service, wd_time wait)
{
	unsigned runs = service->blind ? proven_by(wait) : 0;

	if (runs > service->memory.counted)
		runs = service->memory.counted;
	if (runs > service->proven) {
		service->proven = runs;
		service->proof = wait;
	}
}

static unsigned most_marks(const struct wd_policy *policy)
{
	unsigned most = 1;

	for (unsigned i = 0; i < policy->restarts.count; i++)
		most = policy->restarts.items[i].count > most ? policy->restarts.items[i].count : most;
	for (unsigned i = 0; i < policy->flapping.count; i++)
		most = policy->flapping.items[i].count > most ? policy->flapping.items[i].count : most;
	return most;
}

void wd_crash_count(struct wd_guard *guard, struct wd_service *service, struct wd_mark_time mark, wd_time life)
{
	wd_judge_broke(guard, service, mark.from);
	mark.waited = service->waited;
	wd_marks_add(&service->crashes, mark, most_marks(service->policy));
	wd_guard_dirty(guard, service, false);
	if (life >= WD_SHORT_RUN)
		service->proven = 0;
	else if (life >= 0)
		wd_crash_prove(service, service->last_wait);
	bool by_windows = wd_judge_rate_holds(guard, service, WD_TRIGGER_RESTARTS, NULL);
	if (mark.seen && by_windows)
		wd_case_witnessed(guard, service, WD_TRIGGER_RESTARTS);
	wd_judge_trip(guard, service, WD_TRIGGER_RESTARTS, !mark.seen || !by_windows);
	wd_judge_trip(guard, service, WD_TRIGGER_FLAPPING, !mark.seen);
}

static bool policy_answers(const struct wd_service *service, int exit_code)
{
	struct wd_restart_policy policy = service->memory.policy;

	switch (policy.kind) {
	case WD_RESTART_ALWAYS:
	case WD_RESTART_UNLESS_STOPPED:
		return true;
	case WD_RESTART_ON_FAILURE:
		return exit_code != 0 && (policy.retries == 0 || service->memory.counted < policy.retries);
	default:
		return false;
	}
}

/* A die that came so late that it was taken for lost, and counted as unseen. */
static bool paid_before(struct wd_service *service, wd_stamp stamp)
{
	bool paid = service->paid_ahead || stamp < service->paid_until;

	service->paid_ahead = false;
	return paid;
}

static void crash(struct wd_guard *guard, struct wd_service *service, struct wd_mark_time mark, wd_time life)
{
	const struct wd_policy *policy = service->policy;
	bool answered = policy_answers(service, mark.exit_code), counts = true;

	service->ended = !answered;
	if (answered) {
		service->waiting_since = mark.at;
		counts = !paid_before(service, mark.stamp);
		service->memory.counted += counts;
		if (service->memory.counted >= service->owed)
			service->owed = 0;
	}
	if (service->container)
		service->container->state = answered ? WD_STATE_RESTARTING : WD_STATE_EXITED;
	if (service->memory.policy.kind != WD_RESTART_NO && policy->down && (answered || mark.exit_code != 0))
		service->look_at = guard->now + policy->down;
	wd_guard_dirty(guard, service, false);
	if (wd_codes_has(&policy->ignore_exit, mark.exit_code))
		return;
	service->last_exit = mark.exit_code;
	if (answered || mark.exit_code != 0) /* a job that has ended well is what was wanted, on trial as well */
		wd_case_crashed(guard, service, mark.exit_code, life, true);
	if (answered && counts)
		wd_crash_count(guard, service, mark, life);
	else if (!answered && service->memory.policy.kind == WD_RESTART_NO && mark.exit_code != 0)
		service->pending = mark;
	if (wd_codes_has(&policy->exit, mark.exit_code) && !service->cases[WD_TRIGGER_EXIT]) {
		wd_judge_broke(guard, service, mark.at);
		wd_case_trip(guard, service, WD_TRIGGER_EXIT, wd_reason_exit(mark.exit_code), !mark.seen);
	}
}

static bool codes_empty(const struct wd_codes *codes)
{
	return !(codes->bits[0] | codes->bits[1] | codes->bits[2] | codes->bits[3]);
}

static bool exit_code_decides(const struct wd_service *service)
{
	return service->memory.policy.kind == WD_RESTART_ON_FAILURE || service->memory.policy.kind == WD_RESTART_NO ||
	       !codes_empty(&service->policy->exit) || !codes_empty(&service->policy->ignore_exit);
}

void wd_crash_die(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	bool asked = service->asked_until && event->at <= service->asked_until;
	wd_time life = service->running ? event->at - service->started_at : -1;
	int exit_code = service->container->spoofs_exit_code ? -1 : event->exit_code;

	service->running = false;
	service->doubtful = service->asked_until && !asked ? event->stamp : WD_STAMP_NONE;
	service->asked_until = 0;
	service->unhealthy_since = WD_NEVER;
	wd_usage_forget(service);
	if (service->crashes.count && life > service->longest_life)
		service->longest_life =
			life; /* between two crashes: the life before the first is no part of the loop */
	if (asked) {
		service->stopped = service->ended = true;
		service->container->state = WD_STATE_EXITED;
		service->container->exit_code = event->exit_code;
		return;
	}
	service->ended_at = event->at;
	struct wd_mark_time mark = {.at = event->at,
				    .from = event->from,
				    .stamp = event->stamp,
				    .from_stamp = event->stamp - (event->at - event->from) * 1000,
				    .exit_code = exit_code,
				    .seen = !event->replayed};
	/* 137 may be an OOM kill whose event was lost; a label can forge the exit code: inspect knows, until the next start. */
	service->exit_wanted = exit_code < 0;
	if (exit_code < 0 || (exit_code == 137 && service->ooms_in_run == 0))
		wd_guard_inspect(guard, event->id);
	if (exit_code < 0 && exit_code_decides(service)) {
		service->undecided = mark;
		service->undecided_life = life;
		return;
	}
	crash(guard, service, mark, life);
}

void wd_crash_decide(struct wd_guard *guard, struct wd_service *service, int exit_code)
{
	struct wd_mark_time mark = service->undecided;

	if (!mark.stamp)
		return;
	service->undecided.stamp = WD_STAMP_NONE;
	mark.exit_code = exit_code;
	crash(guard, service, mark, service->undecided_life);
}

void wd_crash_take_back(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_marks *crashes = &service->crashes;
	struct wd_mark_time *last = crashes->count ? &crashes->items[crashes->count - 1] : NULL;

	service->undecided.stamp = service->pending.stamp = WD_STAMP_NONE;
	if (last && last->stamp == service->doubtful) {
		crashes->count--;
		service->memory.counted -= service->memory.counted > 0;
	}
	service->doubtful = WD_STAMP_NONE;
	wd_guard_dirty(guard, service, false);
}

/* The exit code that only inspect knows: read while it is not running, or lost for ever. */
void wd_crash_learn(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_container *container = service->container;
	bool readable = container->state == WD_STATE_EXITED || container->state == WD_STATE_RESTARTING;

	if (!service->exit_wanted)
		return;
	service->exit_wanted = false;
	int exit_code = readable ? container->exit_code : -1;
	if (service->undecided.stamp)
		wd_crash_decide(guard, service, exit_code);
	else if (service->crashes.count && readable)
		service->last_exit = service->crashes.items[service->crashes.count - 1].exit_code = exit_code;
}

/* Its policy had been changed, and we did not know yet. */
void wd_crash_answered(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_mark_time mark = service->pending;

	service->pending.stamp = WD_STAMP_NONE;
	service->memory.counted++;
	wd_crash_count(guard, service, mark, -1);
}

/* Crashes that RestartCount proves and no event told: nobody knows when, but after the last moment at which the count
 * was known to be right. */
void wd_crash_owed(struct wd_guard *guard, struct wd_service *service)
{
	unsigned missing = service->owed > service->memory.counted ? service->owed - service->memory.counted : 0;
	struct wd_mark_time mark = {.at = guard->now,
				    .from = service->sure_at,
				    .stamp = guard->stamp,
				    .from_stamp = service->memory.sure,
				    .exit_code = -1};

	service->memory.counted = service->owed;
	service->owed = 0;
	if (missing > WD_RATE_COUNT_MAX)
		missing = WD_RATE_COUNT_MAX;
	if (missing) {
		service->blind = true; /* the Engine's waits know more than the windows now */
		wd_case_crashed(guard, service, -1, -1, false);
	}
	for (unsigned i = 0; i < missing; i++)
		wd_crash_count(guard, service, mark, -1);
	/* The Engine counts first and says so later, up to seconds later where output is held open: of a container that is
	 * between two runs the last die may still be on its way. */
	service->paid_ahead = missing && !service->running;
	if (missing && service->running)
		service->paid_until = service->container->started;
	wd_service_account_is_right(guard, service, service->owed_asked);
	wd_guard_dirty(guard, service, false);
}

/* --- OOM kills -------------------------------------------------------------------------------------------------------- */

#define TOLD_LATE (5 * WD_SECOND)

static struct wd_mark_time oom_at(wd_time at, wd_stamp stamp, bool seen)
{
	return (struct wd_mark_time){
		.at = at, .from = at, .stamp = stamp, .from_stamp = stamp, .exit_code = 137, .seen = seen};
}

static void count_oom(struct wd_guard *guard, struct wd_service *service, struct wd_mark_time mark)
{
	unsigned keep = 1;

	for (unsigned i = 0; i < service->policy->oom.count; i++)
		keep = service->policy->oom.items[i].count > keep ? service->policy->oom.items[i].count : keep;
	wd_judge_broke(guard, service, mark.at);
	service->ooms_in_run++;
	wd_marks_add(&service->ooms, mark, keep);
	wd_guard_dirty(guard, service, false);
	wd_judge_trip(guard, service, WD_TRIGGER_OOM, !mark.seen);
}

void wd_oom_event(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	const struct wd_marks *ooms = &service->ooms;

	if (service->oom_guesses && event->at - service->oom_guessed_at < TOLD_LATE) {
		service->oom_guesses--; /* the event of a kill that was counted already */
		return;
	}
	service->oom_guesses = 0;
	/* Engines were seen to send one kill twice within a moment. */
	if (ooms->count && event->at - ooms->items[ooms->count - 1].at < 100 * WD_MILLISECOND)
		return;
	count_oom(guard, service, oom_at(event->at, event->stamp, !event->replayed));
}

/* A kill of this run was counted by a seadog before this one. */
static bool counted_in_run(const struct wd_service *service)
{
	const struct wd_marks *ooms = &service->ooms;

	return ooms->count && ooms->items[ooms->count - 1].stamp >= service->container->started;
}

/* At the first look the kill is one of the past, and may have been counted by a seadog before this one. */
void wd_oom_look(struct wd_guard *guard, struct wd_service *service, bool first)
{
	const struct wd_container *container = service->container;
	wd_stamp end = container->finished != WD_STAMP_NONE ? container->finished : guard->stamp;

	if (service->running || !container->oom_killed || service->ooms_in_run || container->exit_code != 137)
		return;
	if (container->state == WD_STATE_RUNNING || container->state == WD_STATE_PAUSED)
		return; /* it says so of the run that goes on, whose start was missed */
	if (counted_in_run(service))
		return;
	if (first && end <= service->memory.last_event) {
		service->ooms_in_run = 1; /* not ours to count, at the next look either */
		return;
	}
	service->oom_guessed_at = guard->now;
	service->oom_guesses = 1;
	count_oom(guard, service, oom_at(wd_guard_when(guard, end), end, !first));
}

/* What is missing happened since the account was last right. */
static void count_missing(struct wd_guard *guard, struct wd_service *service, uint64_t missing)
{
	const struct wd_usage *usage = service->usage;
	struct wd_mark_time mark = oom_at(guard->now, guard->stamp, true);

	mark.from = usage->oom_sure_at;
	mark.from_stamp = guard->stamp - (guard->now - mark.from) * 1000;
	if (missing > WD_RATE_COUNT_MAX)
		missing = WD_RATE_COUNT_MAX;
	service->oom_guessed_at = guard->now;
	service->oom_guesses = (unsigned)missing;
	for (; missing; missing--)
		count_oom(guard, service, mark);
}

/* The kernel counts the kill of a child, too, while the container lives on. Kills before anybody watched are not ours to
 * count; events that are on their way come first. */
void wd_oom_counter(struct wd_guard *guard, struct wd_service *service, uint64_t kills)
{
	struct wd_usage *usage = service->usage;
	uint64_t told = service->ooms_in_run;

	usage->oom_at = guard->now;
	if (!usage->oom_known || kills < usage->oom_base) {
		usage->oom_known = true;
		usage->oom_base = service->run_heard ? 0 : kills > told ? kills - told : 0;
		usage->oom_sure_at = service->run_heard ? service->started_at : guard->now;
	}
	told += usage->oom_base;
	if (kills > told && usage->oom_owed_at == WD_NEVER) {
		usage->oom_owed_at = guard->now + WD_SECOND;
		return;
	}
	if (kills > told && guard->now < usage->oom_owed_at)
		return;
	if (kills > told)
		count_missing(guard, service, kills - told);
	usage->oom_sure_at = guard->now;
	usage->oom_owed_at = WD_NEVER;
}
