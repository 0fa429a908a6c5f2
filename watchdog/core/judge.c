#include "machine.h"

#define SHORT_RUN (10 * WD_SECOND)          /* a run that long resets the Engine's back-off (moby restartmanager.go) */
#define LEAST_PROOF (1600 * WD_MILLISECOND) /* shorter waits are made by a slow Engine too */
#define SETTLING WD_SECOND                  /* an event that is on its way arrives within that */
#define AFTER_KILL (5 * WD_SECOND)
#define RETRY_INSPECT (100 * WD_MILLISECOND)

/* --- windows ---------------------------------------------------------------------------------------------------------- */

/* All back-off up to now. While the Engine waits, its wait goes on. */
static wd_time waited_until(const struct wd_service *service, wd_time now)
{
	if (service->waiting_since == WD_NEVER || now < service->waiting_since)
		return service->waited;
	return service->waited + (now - service->waiting_since);
}

unsigned wd_judge_rate(const struct wd_service *service, enum wd_trigger trigger, struct wd_rate rate, wd_time now,
		       const struct wd_mark_time **ret_first)
{
	const struct wd_marks *marks = trigger == WD_TRIGGER_OOM ? &service->ooms : &service->crashes;
	wd_time waited = trigger == WD_TRIGGER_RESTARTS ? waited_until(service, now) : WD_NEVER;

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

static unsigned most_marks(const struct wd_policy *policy)
{
	unsigned most = 1;

	for (unsigned i = 0; i < policy->restarts.count; i++)
		most = policy->restarts.items[i].count > most ? policy->restarts.items[i].count : most;
	for (unsigned i = 0; i < policy->flapping.count; i++)
		most = policy->flapping.items[i].count > most ? policy->flapping.items[i].count : most;
	return most;
}

static int last_exit_code(const struct wd_service *service)
{
	return service->crashes.count ? service->crashes.items[service->crashes.count - 1].exit_code : -1;
}

static bool rate_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
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
						  trigger == WD_TRIGGER_OOM ? -1 : last_exit_code(service));
		return true;
	}
	return false;
}

static bool proof_holds(const struct wd_service *service, char **ret_why)
{
	for (unsigned i = 0; service->proven && i < service->policy->restarts.count; i++) {
		struct wd_rate rate = service->policy->restarts.items[i];
		if (rate.count == 0 || service->proven < rate.count || (wd_time)rate.count * SHORT_RUN > rate.window)
			continue;
		if (ret_why)
			*ret_why = wd_reason_proven(rate, service->proof, last_exit_code(service));
		return true;
	}
	return false;
}

static bool lasting_holds(const struct wd_guard *guard, enum wd_trigger trigger, wd_time since, wd_time limit,
			  const char *detail, char **ret_why)
{
	if (limit == 0 || since == WD_NEVER || guard->now - since < limit)
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
		return rate_holds(guard, service, trigger, ret_why) || proof_holds(service, ret_why);
	case WD_TRIGGER_FLAPPING:
	case WD_TRIGGER_OOM:
		return rate_holds(guard, service, trigger, ret_why);
	case WD_TRIGGER_UNHEALTHY:
		return lasting_holds(guard, trigger, service->unhealthy_since, policy->unhealthy, NULL, ret_why);
	case WD_TRIGGER_DOWN:
		return lasting_holds(guard, trigger, service->down_since, policy->down, service->down_why, ret_why);
	case WD_TRIGGER_EXIT: /* held back once: does it still crash with such a code? */
		if (!wd_codes_has(&policy->exit, last_exit_code(service)) || service->running)
			return false;
		if (ret_why)
			*ret_why = wd_reason_exit(last_exit_code(service));
		return true;
	default:
		return false;
	}
}

bool wd_judge_suspects(const struct wd_guard *guard, const struct wd_service *service)
{
	if (service->unhealthy_since != WD_NEVER || service->down_since != WD_NEVER || service->owed ||
	    service->proven || service->waiting_since != WD_NEVER)
		return true;
	if (!service->policy)
		return false;
	for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		const struct wd_rates *rates = rates_of(service->policy, trigger);
		for (unsigned i = 0; rates && i < rates->count; i++) {
			unsigned count = wd_judge_rate(service, trigger, rates->items[i], guard->now, NULL);
			unsigned enough = trigger == WD_TRIGGER_RESTARTS ? 1 : (rates->items[i].count + 1) / 2;
			if (rates->items[i].count && count >= enough)
				return true;
		}
	}
	return false;
}

static void judge_trigger(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, bool inferred)
{
	char *why = NULL;

	if (service->cases[trigger] || !wd_judge_holds(guard, service, trigger, &why))
		return;
	wd_case_trip(guard, service, trigger, why, inferred);
}

static void broke(struct wd_guard *guard, struct wd_service *service)
{
	if (service->verdict == WD_VERDICT_WELL)
		wd_gate_broke(guard, service);
	/* What a hold will have to give back is written now, so that the stop need not wait for the disk. */
	if (!service->remembered && !service->remembering) {
		service->remembering = true;
		wd_guard_dirty(guard, service, true);
	}
}

/* --- crashes ---------------------------------------------------------------------------------------------------------- */

/* How many short runs in a row the Engine's wait proves: it doubles from 0.1 s with each of them. */
static unsigned proven_by(wd_time wait)
{
	unsigned runs = 0;

	if (wait < LEAST_PROOF)
		return 0;
	for (wd_time step = 100 * WD_MILLISECOND; step <= wait && runs < 10; step *= 2)
		runs++;
	return runs;
}

/* Only for a service that crashed before anybody watched: else the windows know better. */
static void prove(struct wd_service *service, wd_time wait)
{
	unsigned runs = service->blind ? proven_by(wait) : 0;

	if (runs > service->memory.counted)
		runs = service->memory.counted;
	if (runs > service->proven) {
		service->proven = runs;
		service->proof = wait;
	}
}

static void count_mark(struct wd_guard *guard, struct wd_service *service, struct wd_mark_time mark, wd_time life)
{
	broke(guard, service);
	mark.waited = service->waited;
	wd_marks_add(&service->crashes, mark, most_marks(service->policy));
	wd_guard_dirty(guard, service, false);
	if (life >= SHORT_RUN)
		service->proven = 0;
	else if (life >= 0)
		prove(service, service->last_wait);
	bool by_windows = rate_holds(guard, service, WD_TRIGGER_RESTARTS, NULL);
	judge_trigger(guard, service, WD_TRIGGER_RESTARTS, !mark.seen || !by_windows);
	judge_trigger(guard, service, WD_TRIGGER_FLAPPING, !mark.seen);
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

static void crash(struct wd_guard *guard, struct wd_service *service, struct wd_mark_time mark, wd_time life)
{
	const struct wd_policy *policy = service->policy;
	bool answered = policy_answers(service, mark.exit_code);

	if (answered) {
		service->memory.counted++;
		service->waiting_since = mark.at;
		if (service->owed && service->memory.counted >= service->owed)
			service->owed = 0;
	}
	if (service->container)
		service->container->state = answered ? WD_STATE_RESTARTING : WD_STATE_EXITED;
	if (service->memory.policy.kind != WD_RESTART_NO && policy->down && (answered || mark.exit_code != 0))
		service->look_at = guard->now + policy->down;
	wd_guard_dirty(guard, service, false);
	if (wd_codes_has(&policy->ignore_exit, mark.exit_code))
		return;
	wd_case_crashed(guard, service, mark.exit_code, life);
	if (answered)
		count_mark(guard, service, mark, life);
	else if (service->memory.policy.kind == WD_RESTART_NO && mark.exit_code != 0)
		service->pending = mark;
	if (wd_codes_has(&policy->exit, mark.exit_code) && !service->cases[WD_TRIGGER_EXIT]) {
		broke(guard, service);
		if (!answered)
			wd_marks_add(&service->crashes, mark, most_marks(policy));
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

static void on_die(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	bool asked = service->asked_until && event->at <= service->asked_until;
	wd_time life = service->running ? event->at - service->started_at : -1;
	int exit_code = service->container->spoofs_exit_code ? -1 : event->exit_code;

	service->running = false;
	service->asked_until = 0;
	service->unhealthy_since = WD_NEVER;
	if (life > service->longest_life)
		service->longest_life = life;
	if (asked) {
		service->stopped = true;
		service->container->state = WD_STATE_EXITED;
		service->container->exit_code = event->exit_code;
		return;
	}
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

/* The exit code that only inspect knows: read while it is not running, or lost for ever. */
static void learn_exit_code(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_container *container = service->container;
	bool readable = container->state == WD_STATE_EXITED || container->state == WD_STATE_RESTARTING;

	if (!service->exit_wanted)
		return;
	service->exit_wanted = false;
	int exit_code = readable ? container->exit_code : -1;
	if (service->undecided.stamp) {
		struct wd_mark_time mark = service->undecided;
		service->undecided.stamp = WD_STAMP_NONE;
		mark.exit_code = exit_code;
		crash(guard, service, mark, service->undecided_life);
	} else if (service->crashes.count && readable) {
		service->crashes.items[service->crashes.count - 1].exit_code = exit_code;
	}
}

/* --- OOM kills -------------------------------------------------------------------------------------------------------- */

static void count_oom(struct wd_guard *guard, struct wd_service *service, wd_time at, wd_stamp stamp, bool seen)
{
	struct wd_mark_time mark = {
		.at = at, .from = at, .stamp = stamp, .from_stamp = stamp, .exit_code = 137, .seen = seen};
	unsigned keep = 1;

	for (unsigned i = 0; i < service->policy->oom.count; i++)
		keep = service->policy->oom.items[i].count > keep ? service->policy->oom.items[i].count : keep;
	broke(guard, service);
	service->ooms_in_run++;
	wd_marks_add(&service->ooms, mark, keep);
	wd_guard_dirty(guard, service, false);
	judge_trigger(guard, service, WD_TRIGGER_OOM, !seen);
}

static void on_oom(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	const struct wd_marks *ooms = &service->ooms;

	if (service->oom_guessed_at && event->at - service->oom_guessed_at < 5 * WD_SECOND) {
		service->oom_guessed_at = 0; /* the event of a kill that inspect has told already */
		return;
	}
	/* Engines were seen to send one kill twice within a moment. */
	if (ooms->count && event->at - ooms->items[ooms->count - 1].at < 100 * WD_MILLISECOND)
		return;
	count_oom(guard, service, event->at, event->stamp, !event->replayed);
}

static void look_for_oom(struct wd_guard *guard, struct wd_service *service)
{
	if (service->running || !service->container->oom_killed || service->ooms_in_run ||
	    service->container->exit_code != 137)
		return;
	service->oom_guessed_at = guard->now;
	count_oom(guard, service, guard->now, guard->stamp, true);
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

static bool busy(const struct wd_service *service)
{
	const struct wd_case *acting = wd_case_acting(service);

	return service->manual || (acting && acting->phase == WD_PHASE_TREATING);
}

static void begin_run(struct wd_service *service, wd_time at)
{
	service->running = true;
	service->stopped = false;
	service->started_at = at;
	service->asked_until = 0;
	service->ooms_in_run = 0;
	service->unhealthy_since = service->down_since = service->look_at = WD_NEVER;
	service->container->state = WD_STATE_RUNNING;
	service->container->oom_killed = false;
}

static void end_wait(struct wd_service *service, wd_time at)
{
	wd_time wait = at > service->waiting_since ? at - service->waiting_since : 0;

	service->last_wait = wait;
	service->waited += wait;
	service->waiting_since = WD_NEVER;
}

static void on_start(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	struct wd_mark_time pending = service->pending;

	service->pending.stamp = WD_STAMP_NONE;
	if (service->waiting_since != WD_NEVER)
		end_wait(service, event->at);
	else
		service->memory.counted = 0; /* a start by hand: RestartCount begins anew */
	begin_run(service, event->at);
	wd_guard_inspect(guard, event->id);
	if (busy(service))
		return;
	if (service->memory.hold.held)
		wd_manual_started(guard, service);
	else if (pending.stamp) /* nobody's policy, but something starts it again and again */
		count_mark(guard, service, pending, -1);
}

static bool ends_it(const struct wd_container *container, int signal)
{
	return container->spoofs_signal || signal == 0 || signal == 2 || signal == 3 || signal == 9 || signal == 15 ||
	       signal == container->stop_signal;
}

static void on_kill(struct wd_service *service, const struct wd_event *event)
{
	if (ends_it(service->container, event->signal))
		service->asked_until = event->at + service->container->stop_timeout + AFTER_KILL;
}

/* Before or behind its die, or alone where the Engine was waiting: no marker of anything but that last case. */
static void on_stop(struct wd_service *service)
{
	service->stopped = true;
	service->down_since = service->look_at = WD_NEVER;
	if (service->waiting_since != WD_NEVER) {
		service->waiting_since = WD_NEVER;
		service->container->state = WD_STATE_EXITED;
	}
}

static void on_health(struct wd_guard *guard, struct wd_service *service, enum wd_health health)
{
	service->container->health = health;
	if (health != WD_HEALTH_UNHEALTHY) {
		service->unhealthy_since = WD_NEVER;
		return;
	}
	if (service->unhealthy_since != WD_NEVER)
		return;
	service->unhealthy_since = guard->now;
	broke(guard, service);
	wd_case_unhealthy(guard, service);
}

static void take_event(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	switch (event->kind) {
	case WD_EVENT_DIE:
		on_die(guard, service, event);
		break;
	case WD_EVENT_START:
		on_start(guard, service, event);
		break;
	case WD_EVENT_KILL:
		on_kill(service, event);
		break;
	case WD_EVENT_STOP:
		on_stop(service);
		break;
	case WD_EVENT_OOM:
		on_oom(guard, service, event);
		break;
	case WD_EVENT_HEALTH:
		on_health(guard, service, event->health);
		break;
	case WD_EVENT_DESTROY:
		wd_service_lose(guard, service);
		break;
	case WD_EVENT_PAUSE:
	case WD_EVENT_UNPAUSE:
		service->container->state = event->kind == WD_EVENT_PAUSE ? WD_STATE_PAUSED : WD_STATE_RUNNING;
		if (event->kind == WD_EVENT_UNPAUSE && service->memory.hold.held && !busy(service))
			wd_manual_started(guard, service);
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

void wd_judge_event(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event)
{
	if (event->replayed && event->stamp <= service->memory.last_event)
		return; /* taken in before seadog was restarted */
	service->heard_at = guard->now;
	if (event->stamp > service->memory.last_event)
		service->memory.last_event = event->stamp;
	wd_guard_dirty(guard, service, false);
	take_event(guard, service, event);
}

/* --- inspects --------------------------------------------------------------------------------------------------------- */

static wd_time mapped(const struct wd_guard *guard, wd_stamp then)
{
	wd_stamp ago = guard->stamp - then;
	return ago > 0 ? guard->now - ago / 1000 : guard->now;
}

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

/* The run as inspect tells it, where no event has told it. */
static void take_state(struct wd_guard *guard, struct wd_service *service, bool first)
{
	const struct wd_container *container = service->container;
	bool runs = container->state == WD_STATE_RUNNING || container->state == WD_STATE_PAUSED;

	if (runs && !service->running) {
		if (service->waiting_since != WD_NEVER)
			end_wait(service, mapped(guard, container->started));
		service->running = true;
		service->stopped = false;
		service->started_at = mapped(guard, container->started);
		service->down_since = service->look_at = WD_NEVER;
	} else if (!runs) {
		service->running = false;
		service->stopped |= first && container->state == WD_STATE_EXITED;
	}
	if (container->state == WD_STATE_RESTARTING && service->waiting_since == WD_NEVER)
		service->waiting_since = guard->now;
	/* A first start that fails emits no event at all. */
	if (first && container->state == WD_STATE_CREATED && wanted_up(service) && service->policy->down)
		service->look_at = guard->now + service->policy->down;
	measure_wait(service);
	if (container->health == WD_HEALTH_UNHEALTHY && runs)
		on_health(guard, service, WD_HEALTH_UNHEALTHY);
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
	if (service->memory.hold.held || !is_down(service)) {
		service->down_since = WD_NEVER;
		return;
	}
	if (service->down_since != WD_NEVER)
		return;
	broke(guard, service);
	if (service->waiting_since != WD_NEVER)
		service->down_since = service->waiting_since;
	else if (service->container->state == WD_STATE_CREATED)
		service->down_since = mapped(guard, service->container->created);
	else
		service->down_since = guard->now;
	service->waiting_since = WD_NEVER;
	wd_replace(&service->down_why, why_down(service->container));
	judge_trigger(guard, service, WD_TRIGGER_DOWN, false);
}

/* RestartCount against what was counted. More: an event is on its way, or was lost. Less: a start by hand or the
 * Engine's own start began it anew. */
static void compare_count(struct wd_guard *guard, struct wd_service *service)
{
	unsigned told = service->container->restart_count;

	service->square = false;
	if (told > service->memory.counted) {
		service->owed = told;
		service->owed_at = guard->now + SETTLING;
		return;
	}
	if (told < service->memory.counted) {
		service->memory.counted = told;
		wd_guard_dirty(guard, service, false);
	}
	service->owed = 0;
	service->sure_at = guard->now;
	service->sure_stamp = guard->stamp;
}

void wd_judge_seen(struct wd_guard *guard, struct wd_service *service, wd_time asked, bool first)
{
	if (asked < service->heard_at) { /* older than an event that we know: not to be believed about the run */
		if (service->square || service->exit_wanted)
			service->look_at = guard->now + RETRY_INSPECT;
		return;
	}
	learn_exit_code(guard, service);
	look_for_oom(guard, service);
	take_state(guard, service, first);
	if (service->square || service->container->restart_count != service->memory.counted)
		compare_count(guard, service);
	judge_down(guard, service);
	if (service->memory.hold.held && service->running && !busy(service) &&
	    (service->memory.hold.kind != WD_ACTION_PAUSE || service->container->state != WD_STATE_PAUSED))
		wd_manual_started(guard, service);
	wd_case_seen(guard, service);
}

/* --- time ------------------------------------------------------------------------------------------------------------- */

static void settle_owed(struct wd_guard *guard, struct wd_service *service)
{
	unsigned missing = service->owed > service->memory.counted ? service->owed - service->memory.counted : 0;
	struct wd_mark_time mark = {.at = guard->now,
				    .from = service->sure_at,
				    .stamp = guard->stamp,
				    .from_stamp = service->sure_stamp,
				    .exit_code = -1};

	service->memory.counted = service->owed;
	service->owed = 0;
	if (missing > WD_RATE_COUNT_MAX)
		missing = WD_RATE_COUNT_MAX;
	for (unsigned i = 0; i < missing; i++)
		count_mark(guard, service, mark, -1);
	service->sure_at = guard->now;
	service->sure_stamp = guard->stamp;
}

static void drop_old_marks(const struct wd_guard *guard, struct wd_service *service)
{
	wd_time longest = WD_MINUTE;

	for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		const struct wd_rates *rates = rates_of(service->policy, trigger);
		for (unsigned i = 0; rates && i < rates->count; i++)
			longest = rates->items[i].window > longest ? rates->items[i].window : longest;
	}
	const struct wd_marks *crashes = &service->crashes;
	wd_time waited = waited_until(service, guard->now);
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
	if (service->running && guard->now - service->started_at >= SHORT_RUN) {
		service->proven = 0; /* a run that long ends the Engine's series */
		service->blind = false;
	}
	if (service->waiting_since == WD_NEVER || !service->blind)
		return;
	prove(service, guard->now - service->waiting_since);
	if (proof_holds(service, NULL)) {
		broke(guard, service);
		judge_trigger(guard, service, WD_TRIGGER_RESTARTS, true);
	}
}

void wd_judge_time(struct wd_guard *guard, struct wd_service *service)
{
	if (!service->policy)
		return;
	if (service->owed && service->owed_at <= guard->now)
		settle_owed(guard, service);
	if (service->look_at <= guard->now) {
		service->look_at = service->waiting_since != WD_NEVER && service->policy->down
					   ? guard->now + service->policy->down
					   : WD_NEVER;
		wd_guard_inspect(guard, service->container->id);
	}
	judge_proof(guard, service);
	judge_trigger(guard, service, WD_TRIGGER_UNHEALTHY, false);
	judge_trigger(guard, service, WD_TRIGGER_DOWN, false);
	drop_old_marks(guard, service);
}

static wd_time sooner(wd_time one, wd_time two)
{
	return one < two ? one : two;
}

static wd_time after(wd_time since, wd_time span)
{
	return since == WD_NEVER || span == 0 ? WD_NEVER : since + span;
}

/* When the newest mark leaves the windows of `restarts` (the waits in between make it later: asked again then). */
static wd_time windows_empty_at(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time next = WD_NEVER;

	if (service->crashes.count == 0 || service->waiting_since != WD_NEVER)
		return WD_NEVER;
	const struct wd_mark_time *newest = &service->crashes.items[service->crashes.count - 1];
	for (enum wd_trigger trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		const struct wd_rates *rates = rates_of(service->policy, trigger);
		for (unsigned i = 0; rates && i < rates->count; i++) {
			wd_time at = newest->at + rates->items[i].window + (service->waited - newest->waited) + 1;
			if (at > guard->now)
				next = sooner(next, at);
		}
	}
	return next;
}

/* The wait that would prove one run more than is proven. */
static wd_time next_proof(const struct wd_service *service)
{
	wd_time wait = (100 * WD_MILLISECOND) << service->proven;

	return wait > LEAST_PROOF ? wait : LEAST_PROOF;
}

wd_time wd_judge_next(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time next = WD_NEVER;

	if (service->gone_at != WD_NEVER)
		next = service->gone_at + 10 * WD_MINUTE;
	if (service->owed)
		next = sooner(next, service->owed_at);
	next = sooner(next, service->look_at);
	if (!service->policy)
		return next;
	if (service->proven && service->running)
		next = sooner(next, service->started_at + SHORT_RUN);
	if (service->blind && service->waiting_since != WD_NEVER && service->proven < 10)
		next = sooner(next, service->waiting_since + next_proof(service));
	if (!service->cases[WD_TRIGGER_UNHEALTHY])
		next = sooner(next, after(service->unhealthy_since, service->policy->unhealthy));
	if (!service->cases[WD_TRIGGER_DOWN])
		next = sooner(next, after(service->down_since, service->policy->down));
	return sooner(next, windows_empty_at(guard, service));
}
