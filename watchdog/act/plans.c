/* plans.c: the plans, each a table. Why the rows stand in this order: with `update` first, a container that exits
 * quickly makes it fail with 500 in up to two of three tries (moby also updates the resources of a task that may be
 * gone), so Docker is asked to stop first. Podman forgets a stop that meets the moment between two runs, so there the
 * policy comes first. A stop carries neither signal nor time-out: with a foreign signal moby does not cancel the
 * restart policy, and how long a container may take is its owner's choice. */
#include "rollback.h"
#include "snapshot.h"
#include <stdlib.h>
#include <string.h>
#include <watchdog/wire.h>

enum { LOG_LINES = 20 };

#define ORDINARY (10 * WD_SECOND)
#define STARTING (30 * WD_SECOND)
#define LOGS (5 * WD_SECOND)

static bool has_no(const struct wd_run *run)
{
	return run->seen->policy.kind == WD_RESTART_NO;
}

static bool has_back(const struct wd_run *run)
{
	return wd_restart_policy_equal(run->seen->policy, run->task.policy);
}

static bool has_all_back(const struct wd_run *run)
{
	return has_back(run) && !wd_run_is_throttled(run);
}

/* What somebody has set since stays. */
static bool is_not_throttled(const struct wd_run *run)
{
	return run->seen && !wd_run_is_throttled(run);
}

static bool is_remembered(const struct wd_run *run)
{
	return run->task.remembered;
}

static bool is_not_paused(const struct wd_run *run)
{
	return !run->seen || run->task.no_start || !wd_run_is_paused(run);
}

/* A paused one is running as soon as it is unpaused. */
static bool needs_no_start(const struct wd_run *run)
{
	return run->task.no_start || (run->seen && (wd_run_is_up(run) || wd_run_is_paused(run)));
}

static bool is_not_frozen(const struct wd_run *run)
{
	return !wd_run_is_paused(run);
}

static bool runs_or_ran(const struct wd_run *run)
{
	return wd_run_is_up(run) || wd_run_started(run);
}

static enum wd_kept keep_policy(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->task.policy = run->seen->policy;
	return WD_KEPT;
}

static enum wd_kept keep_cpus(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->task.policy = run->seen->policy;
	run->task.cut.before = run->seen->cpus;
	run->task.cut.now = wd_cpus_lower(run->seen->cpus, run->task.cpus);
	return WD_KEPT;
}

static enum wd_kept keep_logs(struct wd_run *run, const struct wd_engine_answer *answer)
{
	free(run->logs);
	run->logs = wd_wire_logs(answer->body, answer->length, LOG_LINES);
	return WD_KEPT;
}

/* clang-format off */
#define LOOK   .name = "look", .kind = WD_ROW_LOOK, .method = "GET", .verb = "/json", .patience = ORDINARY
#define CHANGE .kind = WD_ROW_CHANGE, .method = "POST"
#define STOP   .name = "stop", CHANGE, .verb = "/stop", .patience = ORDINARY, .stops = true, .fine = 304, .tries = 5, \
	.holds = wd_run_is_down
#define UPDATE CHANGE, .verb = "/update", .patience = ORDINARY, .lasts = true
#define TO_NO  .name = "policy", UPDATE, .body = wd_update_no, .shows = wd_update_show_no, .tries = 5, .holds = has_no
#define BACK   .name = "policy", UPDATE, .body = wd_update_back, .shows = wd_update_show_back, .tries = 10, \
	.holds = has_back
#define ALL_BACK .name = "policy", UPDATE, .body = wd_update_back, .shows = wd_update_show_back, .tries = 10, \
	.holds = has_all_back
#define START  .name = "start", CHANGE, .verb = "/start", .patience = STARTING, .fine = 304, .tries = 2, \
	.needless = needs_no_start, .holds = runs_or_ran
#define VERIFY .name = "verify", .kind = WD_ROW_VERIFY, .method = "GET", .verb = "/json", .patience = ORDINARY
#define FETCH  .name = "logs", .kind = WD_ROW_FETCH, .method = "GET", .patience = LOGS, .keep = keep_logs, \
	.verb = "/logs?stdout=1&stderr=1&tail=20"

static const struct wd_row hold_rows[] = {
	{LOOK, .needless = is_remembered, .keep = keep_policy},
	{STOP},
	{TO_NO},
	{VERIFY},
	{FETCH},
	{0},
};

static const struct wd_row hold_podman_rows[] = {
	{LOOK, .needless = is_remembered, .keep = keep_policy},
	{TO_NO},
	{STOP},
	{VERIFY},
	{FETCH},
	{0},
};

/* What was stopped stays stopped: it was stopped because it is sick. */
static const struct wd_row hold_undo_rows[] = {
	{BACK},
	{VERIFY},
	{0},
};

static const struct wd_row pause_rows[] = {
	{LOOK, .needless = is_remembered, .keep = keep_policy},
	{.name = "pause", CHANGE, .verb = "/pause", .patience = ORDINARY, .tries = 5, .holds = wd_run_is_paused},
	{TO_NO},
	{VERIFY},
	{0},
};

static const struct wd_row pause_undo_rows[] = {
	{BACK},
	{.name = "unpause", CHANGE, .verb = "/unpause", .patience = ORDINARY, .tries = 3, .needless = is_not_paused,
	 .holds = is_not_frozen},
	{VERIFY},
	{0},
};

/* A limit lasts over restarts of the container, and of the Engine: the journal has it before it is set. */
static const struct wd_row throttle_rows[] = {
	{LOOK, .keep = keep_cpus},
	{.name = "throttle", UPDATE, .body = wd_update_cpus_down, .shows = wd_update_show_cpus_down, .tries = 5,
	 .holds = wd_run_is_throttled},
	{VERIFY},
	{0},
};

#define CPUS_BACK .name = "cpus", UPDATE, .body = wd_update_cpus_back, .shows = wd_update_show_cpus_back, .tries = 10, \
	.needless = is_not_throttled, \
	.holds = is_not_throttled

static const struct wd_row throttle_undo_rows[] = {
	{CPUS_BACK},
	{VERIFY},
	{0},
};

/* The release of what is only throttled: it runs on, and its restart policy was never touched. */
static const struct wd_row unthrottle_rows[] = {
	{LOOK},
	{CPUS_BACK},
	{VERIFY},
	{0},
};

static const struct wd_row release_rows[] = {
	{LOOK},
	{ALL_BACK},
	{.name = "unpause", CHANGE, .verb = "/unpause", .patience = ORDINARY, .tries = 3, .needless = is_not_paused,
	 .holds = is_not_frozen},
	{START},
	{VERIFY},
	{0},
};

static const struct wd_row release_undo_rows[] = {
	{TO_NO},
	{VERIFY},
	{0},
};

static const struct wd_row restart_rows[] = {
	{LOOK, .keep = keep_policy},
	{.name = "restart", CHANGE, .verb = "/restart", .patience = STARTING, .stops = true, .tries = 2, .once = true,
	 .holds = wd_run_started},
	{VERIFY},
	{0},
};

/* The Engine finishes a restart that nobody waits for; what it leaves down if it dies as well is started. */
static const struct wd_row restart_resume_rows[] = {
	{START},
	{VERIFY},
	{0},
};
/* clang-format on */

static const char *refuse_hold(const struct wd_run *run)
{
	if (run->seen->auto_remove)
		return "a stop would delete it: it has AutoRemove (--rm)";
	if (run->seen->swarm_task)
		return "it is a Swarm task and would be replaced: act on its service instead";
	return NULL;
}

static const char *refuse_restart(const struct wd_run *run)
{
	if (run->seen->swarm_task)
		return "it is a Swarm task and would be replaced: act on its service instead";
	return NULL;
}

static const char *refuse_throttle(const struct wd_run *run)
{
	double may = wd_cpus_count(run->seen->cpus);

	if (!wd_run_is_up(run))
		return "it does not run";
	if (may > 0 && may <= run->task.cpus)
		return "it may not use more CPUs than that anyway";
	return NULL;
}

static bool has_another(const struct wd_run *run)
{
	return !has_no(run) && !has_back(run);
}

/* It was started since. By a person if that set the count of restarts to 0, or if no policy can have done it. */
static enum wd_choice choose_hold(const struct wd_run *run, const char **ret_why)
{
	bool again = wd_run_is_up(run) && wd_run_started(run);

	*ret_why = "started again since";
	if (has_another(run)) {
		*ret_why = "somebody has set another restart policy since";
		return WD_CHOICE_LEAVE;
	}
	if (again && has_no(run) && !has_back(run))
		return WD_CHOICE_UNDO;
	if (again && run->seen->restart_count == 0)
		return WD_CHOICE_LEAVE;
	return WD_CHOICE_FINISH;
}

static enum wd_choice choose_pause(const struct wd_run *run, const char **ret_why)
{
	*ret_why = "it is not the run any more that was to be paused";
	if (has_another(run)) {
		*ret_why = "somebody has set another restart policy since";
		return WD_CHOICE_LEAVE;
	}
	if (wd_run_is_paused(run) || (wd_run_is_up(run) && !wd_run_started(run)))
		return WD_CHOICE_FINISH;
	return has_back(run) ? WD_CHOICE_LEAVE : WD_CHOICE_UNDO;
}

static enum wd_choice choose_throttle(const struct wd_run *run, const char **ret_why)
{
	*ret_why = "somebody has set another limit of CPUs since";
	if (wd_run_is_throttled(run) || wd_cpus_equal(run->seen->cpus, run->task.cut.before))
		return WD_CHOICE_FINISH;
	return WD_CHOICE_LEAVE;
}

static enum wd_choice choose_release(const struct wd_run *run, const char **ret_why)
{
	(void)run;
	(void)ret_why;
	return WD_CHOICE_FINISH;
}

static enum wd_choice choose_restart(const struct wd_run *run, const char **ret_why)
{
	*ret_why = "it was not restarted and runs on";
	return !wd_run_is_down(run) && !wd_run_started(run) ? WD_CHOICE_LEAVE : WD_CHOICE_FINISH;
}

void wd_policy_print(struct wd_text *text, struct wd_restart_policy policy)
{
	wd_text_add(text, wd_restart_name(policy.kind));
	if (policy.kind == WD_RESTART_ON_FAILURE && policy.retries)
		wd_text_print(text, ":%u", policy.retries);
}

static void goal_hold(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, "stopped and policy no");
}

static void goal_pause(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, "paused and policy no");
}

static void goal_release(const struct wd_run *run, struct wd_text *text)
{
	wd_text_add(text, run->task.no_start ? "policy " : "started and policy ");
	wd_policy_print(text, run->task.policy);
}

static void print_cpus(struct wd_text *text, struct wd_cpus cpus)
{
	double count = wd_cpus_count(cpus);

	if (count > 0)
		wd_text_print(text, "%.4g CPUs", count);
	else
		wd_text_add(text, "all CPUs");
}

static void goal_throttle(const struct wd_run *run, struct wd_text *text)
{
	wd_text_print(text, "throttled to %.4g CPUs", run->task.cpus);
}

static void goal_unthrottle(const struct wd_run *run, struct wd_text *text)
{
	print_cpus(text, run->task.cut.before);
}

static void goal_restart(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, "started anew");
}

static void done_hold(const struct wd_run *run, struct wd_text *text)
{
	wd_text_add(text, "restart policy ");
	wd_policy_print(text, run->task.policy);
	wd_text_add(text, " kept for release");
}

static void done_release(const struct wd_run *run, struct wd_text *text)
{
	wd_text_add(text, "restart policy ");
	wd_policy_print(text, run->task.policy);
	wd_text_add(text, " given back");
	if (wd_cpu_cut_is(&run->task.cut)) {
		wd_text_add(text, ", ");
		print_cpus(text, run->seen->cpus);
	}
	if (!run->task.no_start)
		wd_text_add(text, ", started");
	else if (wd_run_is_down(run))
		wd_text_add(text, ", it is down");
}

static void done_throttle(const struct wd_run *run, struct wd_text *text)
{
	print_cpus(text, run->task.cut.now);
	wd_text_add(text, ", ");
	print_cpus(text, run->task.cut.before);
	wd_text_add(text, " kept for release");
}

static void done_unthrottle(const struct wd_run *run, struct wd_text *text)
{
	bool ours = wd_cpus_equal(run->seen->cpus, run->task.cut.before);

	print_cpus(text, run->seen->cpus);
	wd_text_add(text, ours ? " given back" : ", which somebody has set since, are left");
}

static void done_restart(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, "restarted");
}

static const struct wd_plan plans[] = {
	{.name = "hold",
	 .rows = hold_rows,
	 .podman = hold_podman_rows,
	 .undo = hold_undo_rows,
	 .refuses = refuse_hold,
	 .choose = choose_hold,
	 .goal = goal_hold,
	 .done = done_hold},
	{.name = "pause",
	 .rows = pause_rows,
	 .undo = pause_undo_rows,
	 .choose = choose_pause,
	 .goal = goal_pause,
	 .done = done_hold},
	{.name = "release",
	 .wakes = true,
	 .rows = release_rows,
	 .undo = release_undo_rows,
	 .choose = choose_release,
	 .goal = goal_release,
	 .done = done_release},
	{.name = "throttle",
	 .rows = throttle_rows,
	 .undo = throttle_undo_rows,
	 .refuses = refuse_throttle,
	 .choose = choose_throttle,
	 .goal = goal_throttle,
	 .done = done_throttle},
	{.name = "unthrottle",
	 .wakes = true,
	 .rows = unthrottle_rows,
	 .choose = choose_release,
	 .goal = goal_unthrottle,
	 .done = done_unthrottle},
	{.name = "restart",
	 .rows = restart_rows,
	 .resume = restart_resume_rows,
	 .refuses = refuse_restart,
	 .choose = choose_restart,
	 .goal = goal_restart,
	 .done = done_restart},
};

static const struct wd_plan *const others[] = {
	&wd_plan_rollback,       &wd_plan_follow,        &wd_plan_commit,        &wd_plan_take_back,
	&wd_plan_snapshot_pause, &wd_plan_snapshot_stop, &wd_plan_snapshot_live,
};

const struct wd_plan *wd_plan_named(const char *name)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		if (wd_text_equal(plans[i].name, name))
			return &plans[i];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (wd_text_equal(others[i]->name, name))
			return others[i];
	return NULL;
}

static const struct wd_plan *plan_of_snapshot(const struct wd_snapshot_wish *wish)
{
	if (!wish)
		return NULL;
	if (wish->consistency == WD_CONSISTENCY_LIVE)
		return &wd_plan_snapshot_live;
	return wish->consistency == WD_CONSISTENCY_STOP ? &wd_plan_snapshot_stop : &wd_plan_snapshot_pause;
}

const struct wd_plan *wd_plan_of(const struct wd_order *order)
{
	switch (order->action) {
	case WD_ACTION_STOP:
		return wd_plan_named("hold");
	case WD_ACTION_PAUSE:
		return wd_plan_named("pause");
	case WD_ACTION_THROTTLE:
		return wd_plan_named("throttle");
	case WD_ACTION_RELEASE:
		return wd_plan_named(order->hold_kind == WD_ACTION_THROTTLE ? "unthrottle" : "release");
	case WD_ACTION_RESTART:
		return wd_plan_named("restart");
	case WD_ACTION_ROLLBACK:
		return &wd_plan_rollback;
	case WD_ACTION_COMMIT:
		return &wd_plan_commit;
	case WD_ACTION_TAKE_BACK:
		return &wd_plan_take_back;
	case WD_ACTION_SNAPSHOT:
		return plan_of_snapshot(order->snapshot);
	default:
		return NULL;
	}
}
