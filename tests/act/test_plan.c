/* The plans as stories: what is asked, in which order, and how it ends. The model Engine stands behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <string.h>
#include <watchdog/memory.h>

static const struct wd_restart_policy ALWAYS = {.kind = WD_RESTART_ALWAYS};
static const struct wd_restart_policy FIVE_TIMES = {.kind = WD_RESTART_ON_FAILURE, .retries = 5};
static const struct wd_restart_policy NO = {.kind = WD_RESTART_NO};

static struct stage stage;

static int set_up(void **state)
{
	(void)state;
	stage_init(&stage, MODEL_DOCKER_20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_done(&stage);
	return 0;
}

static void add_good(const char *name, const char *policy)
{
	model_add(stage.model, &(struct model_setup){.name = name, .image = "acme/web:1.5", .policy = policy});
}

static void add_looping(const char *name, const char *policy, unsigned retries, wd_time lives)
{
	const struct model_script script = {.lives = lives,
					    .exit_code = 3,
					    .healthy_after = WD_NEVER,
					    .unhealthy_after = WD_NEVER,
					    .logs = "cannot open /data/db\n"};

	model_add(stage.model, &(struct model_setup){.name = name,
						     .image = "acme/web:1.5",
						     .policy = policy,
						     .retries = retries,
						     .script = &script});
}

static void act(enum wd_action action, const char *name)
{
	struct wd_order order = stage_order(&stage, action, name);

	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
}

static void give_back(const char *name, struct wd_restart_policy policy, bool no_start)
{
	struct wd_order order = stage_order(&stage, WD_ACTION_RELEASE, name);

	order.policy = policy;
	order.no_start = no_start;
	stage.ends = 0;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
}

static void assert_asked(const char *list)
{
	WD_AUTO_TEXT struct wd_text all = {0};

	for (size_t i = 0; i < stage.asked.count; i++)
		wd_text_print(&all, "%s%s", i ? ", " : "", stage.asked.items[i]);
	assert_string_equal(wd_text_get(&all), list);
}

static void assert_policy(const char *name, struct wd_restart_policy policy)
{
	assert_int_equal(stage_policy(&stage, name).kind, policy.kind);
	assert_int_equal(stage_policy(&stage, name).retries, policy.retries);
}

static void assert_ended(enum wd_plan_end end, const char *detail)
{
	assert_int_equal(stage.ends, 1);
	assert_string_equal(stage.detail, detail);
	assert_int_equal(stage.end, end);
	assert_int_equal(stage.in_flight, 0);
}

static void a_hold_looks_stops_takes_the_policy_and_verifies(void **state)
{
	(void)state;
	add_looping("web", "always", 0, 50 * WD_MILLISECOND);
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_DONE, "restart policy always kept for release");
	assert_asked("GET json, POST stop, POST update, GET json, GET logs");
	assert_int_equal(stage.kept.kind, WD_RESTART_ALWAYS);
	assert_string_equal(stage.logs, "cannot open /data/db");
	assert_int_equal(stage.row_count, 0);

	stage_pass(&stage, 10 * WD_MINUTE);
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_EXITED);
	assert_policy("web", NO);
}

static void a_hold_survives_an_engine_restart(void **state)
{
	(void)state;
	add_looping("web", "always", 0, 50 * WD_MILLISECOND);
	act(WD_ACTION_STOP, "web");
	model_engine_down(stage.model, MODEL_STOP, false);
	model_engine_up(stage.model);
	stage_pass(&stage, WD_MINUTE);
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_EXITED);
}

static void the_row_is_in_the_journal_until_the_listener_was_told(void **state)
{
	(void)state;
	add_good("web", "always");
	act(WD_ACTION_STOP, "web");
	assert_int_equal(stage.rows_at_end, 1);
	assert_int_equal(stage.row_count, 0);
}

static void the_stop_waits_for_the_disk_unless_the_policy_is_remembered(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	add_good("db", "unless-stopped");
	stage.journal_takes = 5 * WD_MILLISECOND;
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	stage_do(&stage, &order, false);
	stage_pass(&stage, 4 * WD_MILLISECOND);
	assert_asked("GET json");
	stage_pass(&stage, WD_MILLISECOND);
	assert_int_equal(stage_count(&stage, "POST stop"), 1);
	stage_run(&stage, 1);

	order = stage_order(&stage, WD_ACTION_STOP, "db");
	order.policy = (struct wd_restart_policy){.kind = WD_RESTART_UNLESS_STOPPED};
	wd_list_done(&stage.asked);
	stage_do(&stage, &order, true);
	assert_asked("POST stop");
	stage_run(&stage, 2);
	assert_asked("POST stop, POST update, GET json, GET logs");
	assert_string_equal(stage.detail, "restart policy unless-stopped kept for release");
}

static void what_cannot_be_journaled_is_not_done(void **state)
{
	(void)state;
	add_good("web", "always");
	stage.journal_fails = "disk full";
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_FAILED, "nothing was done, because the journal cannot be written: disk full");
	assert_asked("GET json");
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_RUNNING);
}

static void a_policy_of_no_is_kept_as_no(void **state)
{
	(void)state;
	add_good("job", "no");
	act(WD_ACTION_STOP, "job");
	assert_ended(WD_PLAN_DONE, "restart policy no kept for release");
	give_back("job", stage.kept, false);
	assert_ended(WD_PLAN_DONE, "restart policy no given back, started");
	assert_policy("job", NO);
	assert_int_equal(stage_state(&stage, "job"), WD_STATE_RUNNING);
}

static void the_number_of_retries_comes_back(void **state)
{
	(void)state;
	add_looping("web", "on-failure", 5, WD_SECOND);
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_DONE, "restart policy on-failure:5 kept for release");
	give_back("web", stage.kept, true);
	assert_ended(WD_PLAN_DONE, "restart policy on-failure:5 given back, it is down");
	assert_policy("web", FIVE_TIMES);
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_EXITED);
}

static void a_container_with_auto_remove_is_not_stopped(void **state)
{
	(void)state;
	model_add(stage.model,
		  &(struct model_setup){.name = "tmp", .image = "acme/web:1.5", .policy = "no", .auto_remove = true});
	act(WD_ACTION_STOP, "tmp");
	assert_ended(WD_PLAN_REFUSED, "a stop would delete it: it has AutoRemove (--rm)");
	assert_asked("GET json");
	assert_int_equal(stage_state(&stage, "tmp"), WD_STATE_RUNNING);
}

static void a_swarm_task_is_neither_stopped_nor_restarted(void **state)
{
	WD_AUTO_JSON struct wd_json *labels = wd_json_object();

	(void)state;
	wd_json_set_string(labels, "com.docker.swarm.task.id", "x1");
	model_add(stage.model,
		  &(struct model_setup){.name = "task", .image = "acme/web:1.5", .policy = "no", .labels = labels});
	act(WD_ACTION_STOP, "task");
	assert_ended(WD_PLAN_REFUSED, "it is a Swarm task and would be replaced: act on its service instead");
	stage.ends = 0;
	act(WD_ACTION_RESTART, "task");
	assert_ended(WD_PLAN_REFUSED, "it is a Swarm task and would be replaced: act on its service instead");
	assert_asked("GET json, GET json");
}

static void an_action_without_a_plan_is_refused_and_not_from_within(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_HOOK, "web");
	stage_do(&stage, &order, false);
	assert_int_equal(stage.ends, 0);
	stage_run(&stage, 1);
	assert_ended(WD_PLAN_REFUSED, "there is no plan for that");
}

static void what_is_no_id_never_gets_into_a_path(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	order.id = "../images/prune?x=";
	stage_do(&stage, &order, true);
	stage_run(&stage, 1);
	assert_ended(WD_PLAN_REFUSED, "it has no container id");
	assert_int_equal(stage.asked.count, 0);
}

/* moby: 500, the old policy on disk, the new one in memory (engine.md 3.4). Here the container starts again between
 * the stop and the update. */
static void the_race_of_the_update_is_won_by_stopping_again(void **state)
{
	(void)state;
	add_looping("web", "always", 0, 50 * WD_MILLISECOND);
	stage.fault_at = 3;
	stage.fault = STAGE_REFUSED_500;
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_DONE, "restart policy always kept for release");
	assert_asked("GET json, POST stop, POST update, GET json, POST update, GET json, GET logs");
}

static void on_podman_the_policy_comes_before_the_stop(void **state)
{
	(void)state;
	stage_done(&stage);
	stage_init(&stage, MODEL_PODMAN);
	add_looping("web", "always", 0, 50 * WD_MILLISECOND);
	act(WD_ACTION_STOP, "web");
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(stage.asked.items[1], "POST update");
	assert_string_equal(stage.asked.items[2], "POST stop");
	stage_pass(&stage, 10 * WD_MINUTE);
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_EXITED);
}

/* moby#41579: two calls, and no storm. */
static void a_container_that_cannot_be_stopped_is_given_up_after_two_stops(void **state)
{
	(void)state;
	add_good("web", "always");
	add_good("db", "always");
	stage.sticky = "/stop";
	stage.fault = STAGE_LATE_BEFORE;
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_FAILED,
		     "it cannot be stopped: stop: no answer in time; it is running, its restart policy is "
		     "always");
	assert_int_equal(stage_count(&stage, "POST stop"), 2);
	assert_int_equal(stage_count(&stage, "POST update"), 0);
	assert_int_equal(stage.row_count, 0);
}

static void one_that_cannot_be_stopped_holds_up_no_other(void **state)
{
	struct wd_order web, db;

	(void)state;
	add_good("web", "always");
	add_good("db", "always");
	stage.fault_at = 1;
	stage.fault = STAGE_LATE_BEFORE;
	web = stage_order(&stage, WD_ACTION_STOP, "web");
	stage_do(&stage, &web, true);
	db = stage_order(&stage, WD_ACTION_STOP, "db");
	stage_do(&stage, &db, true);
	stage_pass(&stage, WD_SECOND);
	assert_int_equal(stage.ends, 1);
	assert_int_equal(stage.ticket, db.ticket);
	assert_int_equal(stage.end, WD_PLAN_DONE);
}

static void a_stop_may_take_the_containers_own_time(void **state)
{
	const struct model_script slow = {
		.lives = WD_NEVER, .ignores_stop = true, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};

	(void)state;
	add_good("db", "always");
	model_set_script(stage.model, "db", &slow);
	act(WD_ACTION_STOP, "db");
	assert_ended(WD_PLAN_DONE, "restart policy always kept for release");
	assert_int_equal(stage_count(&stage, "POST stop"), 1);
}

static void a_hold_whose_policy_cannot_be_set_says_what_it_left(void **state)
{
	(void)state;
	add_good("web", "always");
	stage.sticky = "/update";
	stage.fault = STAGE_REFUSED_500;
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_FAILED,
		     "policy: engine said 500: something is broken; it is exited, its restart policy is "
		     "always");
	assert_int_equal(stage_count(&stage, "POST update"), 5);
	assert_int_equal(stage.row_count, 0);
}

static void a_container_that_is_gone_is_said_to_be_gone(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	order.id = "0000000000000000000000000000000000000000000000000000000000000000";
	stage_do(&stage, &order, true);
	stage_run(&stage, 1);
	assert_ended(WD_PLAN_FAILED, "the container is gone");
	assert_asked("POST stop, GET json");
	assert_int_equal(stage.row_count, 0);
}

static void a_release_gives_the_policy_back_and_starts(void **state)
{
	(void)state;
	add_looping("web", "always", 0, 50 * WD_MILLISECOND);
	act(WD_ACTION_STOP, "web");
	wd_list_done(&stage.asked);
	give_back("web", ALWAYS, false);
	assert_ended(WD_PLAN_DONE, "restart policy always given back, started");
	assert_asked("GET json, POST update, POST start, GET json");
	assert_policy("web", ALWAYS);
	stage_pass(&stage, 10 * WD_SECOND);
	assert_true(stage_state(&stage, "web") == WD_STATE_RESTARTING ||
		    stage_state(&stage, "web") == WD_STATE_RUNNING);
}

static void a_start_by_hand_gives_only_the_policy_back(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	act(WD_ACTION_STOP, "web");
	WD_AUTO_FREE char *path = wd_format("/containers/%s/start", model_id(stage.model, "web"));
	struct model_answer answer = model_request(stage.model, "POST", path, NULL);
	model_answer_done(&answer);
	wd_list_done(&stage.asked);
	stage.ends = 0;
	order = stage_order(&stage, WD_ACTION_RELEASE, "web");
	order.policy = ALWAYS;
	order.running = true;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
	assert_ended(WD_PLAN_DONE, "restart policy always given back");
	assert_asked("GET json, POST update, GET json");
	assert_policy("web", ALWAYS);
}

static void a_release_that_cannot_start_holds_again(void **state)
{
	(void)state;
	add_good("web", "always");
	act(WD_ACTION_STOP, "web");
	stage.sticky = "/start";
	stage.fault = STAGE_REFUSED_500;
	give_back("web", ALWAYS, false);
	assert_ended(WD_PLAN_UNDONE,
		     "start: engine said 500: something is broken; taken back: it is exited, its restart "
		     "policy is no");
	assert_policy("web", NO);
	assert_int_equal(stage_count(&stage, "POST start"), 2);
	assert_int_equal(stage.row_count, 0);
}

static void a_release_that_can_neither_start_nor_hold_again_says_both(void **state)
{
	(void)state;
	add_good("web", "always");
	act(WD_ACTION_STOP, "web");
	wd_list_done(&stage.asked);
	const struct model_script broken = {.lives = WD_NEVER,
					    .healthy_after = WD_NEVER,
					    .unhealthy_after = WD_NEVER,
					    .fails_from = 1,
					    .fails_with = "port is already allocated"};
	model_set_script(stage.model, "web", &broken);
	stage.sticky = "/update";
	stage.fault_at = 3;
	stage.fault = STAGE_REFUSED_500;
	give_back("web", ALWAYS, false);
	assert_ended(WD_PLAN_FAILED, "policy: engine said 500: something is broken; it could not be taken back: it is "
				     "exited, its restart policy is always");
	assert_int_equal(stage.row_count, 0);
}

static void a_restart_restarts_once(void **state)
{
	(void)state;
	add_good("web", "always");
	stage_pass(&stage, WD_MINUTE);
	act(WD_ACTION_RESTART, "web");
	assert_ended(WD_PLAN_DONE, "restarted");
	assert_asked("GET json, POST restart, GET json");
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_RUNNING);
	assert_policy("web", ALWAYS);
}

/* The Engine is in the middle of it: it stops, and has not started yet. */
static void a_restart_whose_answer_is_lost_is_not_asked_for_twice(void **state)
{
	const struct model_script slow = {
		.lives = WD_NEVER, .stops_in = 5 * WD_SECOND, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};

	(void)state;
	add_good("web", "always");
	model_set_script(stage.model, "web", &slow);
	stage_pass(&stage, WD_MINUTE);
	stage.fault_at = 2;
	stage.fault = STAGE_LOST_AFTER;
	act(WD_ACTION_RESTART, "web");
	assert_ended(WD_PLAN_DONE, "restarted");
	assert_int_equal(stage_count(&stage, "POST restart"), 1);
}

static void a_pause_keeps_the_policy_and_a_release_unpauses(void **state)
{
	(void)state;
	add_good("web", "always");
	act(WD_ACTION_PAUSE, "web");
	assert_ended(WD_PLAN_DONE, "restart policy always kept for release");
	assert_asked("GET json, POST pause, POST update, GET json");
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_PAUSED);
	assert_policy("web", NO);

	wd_list_done(&stage.asked);
	give_back("web", stage.kept, false);
	assert_ended(WD_PLAN_DONE, "restart policy always given back, started");
	assert_asked("GET json, POST update, POST unpause, GET json");
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_RUNNING);
}

static void a_pause_whose_policy_cannot_be_set_is_taken_back(void **state)
{
	(void)state;
	add_good("web", "always");
	stage.sticky = "/update";
	stage.fault = STAGE_REFUSED_409;
	act(WD_ACTION_PAUSE, "web");
	assert_ended(WD_PLAN_UNDONE,
		     "policy: engine said 409: not now; taken back: it is running, its restart policy is always");
}

static void the_second_plan_for_a_container_waits_for_the_first(void **state)
{
	struct wd_order hold, release;

	(void)state;
	add_good("web", "always");
	hold = stage_order(&stage, WD_ACTION_STOP, "web");
	release = stage_order(&stage, WD_ACTION_RELEASE, "web");
	release.policy = ALWAYS;
	stage_do(&stage, &hold, false);
	stage_do(&stage, &release, false);
	stage_run(&stage, 2);
	assert_int_equal(stage.ends, 2);
	assert_int_equal(stage.most_in_flight, 1);
	assert_int_equal(stage.ticket, release.ticket);
	assert_int_equal(stage_state(&stage, "web"), WD_STATE_RUNNING);
	assert_policy("web", ALWAYS);
}

static void at_most_eight_calls_are_in_flight(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		WD_AUTO_FREE char *name = wd_format("web%u", i);
		add_good(name, "always");
		struct wd_order order = stage_order(&stage, WD_ACTION_STOP, name);
		stage_do(&stage, &order, true);
	}
	stage_run(&stage, 12);
	assert_int_equal(stage.ends, 12);
	assert_int_equal(stage.most_in_flight, 8);
}

static void the_listener_may_free_the_actor(void **state)
{
	(void)state;
	add_good("web", "always");
	stage.free_at_end = true;
	act(WD_ACTION_STOP, "web");
	assert_null(stage.actor);
	assert_int_equal(stage.row_count, 1); /* so the next start looks again */
}

static void a_freed_actor_is_silent(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	stage.journal_takes = 5 * WD_MILLISECOND;
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	stage_do(&stage, &order, false);
	stage_pass(&stage, WD_MILLISECOND); /* the journal's answer is awaited */
	stage.actor = wd_actor_free(stage.actor);
	stage_pass(&stage, WD_SECOND);
	assert_int_equal(stage.ends, 0);
	assert_asked("GET json");
}

static void an_engine_that_never_answers_changes_nothing(void **state)
{
	(void)state;
	add_good("web", "always");
	model_engine_down(stage.model, MODEL_KILL, true);
	act(WD_ACTION_STOP, "web");
	assert_ended(WD_PLAN_FAILED, "look: connect: connection refused");
	assert_int_equal(stage.asked.count, 6);
	assert_int_equal(stage.row_count, 0);
}

static void an_engine_that_goes_away_in_the_middle_is_waited_for(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	order.policy = ALWAYS;
	stage.sticky = "/json";
	stage.fault = STAGE_UNSENT;
	stage_do(&stage, &order, true);
	stage_pass(&stage, WD_MINUTE);
	assert_int_equal(stage.ends, 0);
	stage.fault = STAGE_FINE;
	stage_run(&stage, 1);
	assert_ended(WD_PLAN_DONE, "restart policy always kept for release");
}

static void what_is_not_known_stays_in_the_journal_and_is_finished_by_the_next_start(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	order.policy = ALWAYS;
	stage.sticky = "/json";
	stage.fault = STAGE_UNSENT;
	stage_do(&stage, &order, true);
	stage_run(&stage, 1);
	assert_ended(WD_PLAN_FAILED, "verify: connect: connection refused; not known how it is now: the next start of "
				     "seadog finishes it");
	assert_int_equal(stage.row_count, 1);

	stage_revive(&stage);
	assert_ended(WD_PLAN_DONE, "restart policy always kept for release");
	assert_string_equal(stage.plan, "hold");
	assert_int_equal(stage.kept.kind, WD_RESTART_ALWAYS);
	assert_int_equal(stage.row_count, 0);
}

static void a_new_plan_takes_over_the_row_of_one_that_ended_unknown(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_STOP, "web");
	order.policy = ALWAYS;
	stage.sticky = "/json";
	stage.fault = STAGE_UNSENT;
	stage_do(&stage, &order, true);
	stage_run(&stage, 1);
	assert_int_equal(stage.row_count, 1);
	stage.fault = STAGE_FINE;
	give_back("web", ALWAYS, false);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_int_equal(stage.row_count, 0);
	assert_int_equal(stage.last_plan, 1);
}

static void steps_are_told_as_they_begin_and_end(void **state)
{
	(void)state;
	add_good("web", "always");
	act(WD_ACTION_STOP, "web");
	assert_int_equal(stage.said.count, 4);
	assert_string_equal(stage.said.items[0], "hold web: stop: asked");
	assert_string_equal(stage.said.items[1], "hold web: stop: done");
	assert_string_equal(stage.said.items[2], "hold web: policy: asked");
	assert_string_equal(stage.said.items[3], "hold web: policy: done");
}

static void assert_described(enum wd_action action, enum wd_action hold_kind, size_t count, const char *const *lines)
{
	struct wd_order order = {
		.kind = WD_ORDER_ACT,
		.action = action,
		.policy = FIVE_TIMES,
		.hold_kind = hold_kind,
		.stop_timeout = 20 * WD_SECOND,
		.id = "3f2a00000000000000000000000000000000000000000000000000000000cafe",
	};
	struct wd_list told = {0};

	wd_plan_describe(&order, &told);
	assert_int_equal(told.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(told.items[i], lines[i]);
	wd_list_done(&told);
}

static void a_dry_run_of_a_throttle_says_which_limit(void **state)
{
	struct wd_order order = stage_order(&stage, WD_ACTION_THROTTLE, "web");
	const struct wd_cpu_cut quota = {.before = {75000, 50000, 0}, .now = {25000, 50000, 0}};
	struct wd_list told = {0};

	(void)state;
	order.id = "3f2a0000000000000000000000000000000000000000000000000000000000ff";
	order.cpus = 0.5;
	wd_plan_describe(&order, &told);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.items[0], "POST /containers/3f2a00000000…/update CpuQuota=50000");
	assert_string_equal(told.items[1], "verify: throttled to 0.5 CPUs");
	wd_list_done(&told);
	order.action = WD_ACTION_RELEASE;
	order.hold_kind = WD_ACTION_THROTTLE;
	order.cut = quota;
	wd_plan_describe(&order, &told);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.items[0], "POST /containers/3f2a00000000…/update CpuQuota=75000");
	assert_string_equal(told.items[1], "verify: 1.5 CPUs");
	wd_list_done(&told);
}

static void a_throttle_that_takes_nothing_is_refused(void **state)
{
	struct wd_order order;

	(void)state;
	add_good("web", "always");
	order = stage_order(&stage, WD_ACTION_THROTTLE, "web");
	order.cpus = 0.5;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(stage.detail, "0.5 CPUs, all CPUs kept for release");
	order.cpus = 2;
	stage_do(&stage, &order, false);
	stage_run(&stage, 2);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_string_equal(stage.detail, "it may not use more CPUs than that anyway");
	assert_int_equal(stage_count(&stage, "POST update"), 1);
}

static void a_dry_run_reads_from_the_same_tables(void **state)
{
	static const char *const hold[] = {"POST /containers/3f2a00000000…/stop (up to 30s)",
					   "POST /containers/3f2a00000000…/update RestartPolicy=no",
					   "verify: stopped and policy no"};
	static const char *const thaw[] = {"POST /containers/3f2a00000000…/update RestartPolicy=on-failure:5",
					   "POST /containers/3f2a00000000…/unpause",
					   "verify: started and policy on-failure:5"};
	static const char *const release[] = {"POST /containers/3f2a00000000…/update RestartPolicy=on-failure:5",
					      "POST /containers/3f2a00000000…/start",
					      "verify: started and policy on-failure:5"};

	(void)state;
	assert_described(WD_ACTION_STOP, 0, 3, hold);
	assert_described(WD_ACTION_RELEASE, WD_ACTION_STOP, 3, release);
	assert_described(WD_ACTION_RELEASE, WD_ACTION_PAUSE, 3, thaw);
	assert_described(WD_ACTION_NOTIFY, 0, 0, NULL);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(a_hold_looks_stops_takes_the_policy_and_verifies),
		STORY(a_hold_survives_an_engine_restart),
		STORY(the_row_is_in_the_journal_until_the_listener_was_told),
		STORY(the_stop_waits_for_the_disk_unless_the_policy_is_remembered),
		STORY(what_cannot_be_journaled_is_not_done),
		STORY(a_policy_of_no_is_kept_as_no),
		STORY(the_number_of_retries_comes_back),
		STORY(a_container_with_auto_remove_is_not_stopped),
		STORY(a_swarm_task_is_neither_stopped_nor_restarted),
		STORY(an_action_without_a_plan_is_refused_and_not_from_within),
		STORY(what_is_no_id_never_gets_into_a_path),
		STORY(the_race_of_the_update_is_won_by_stopping_again),
		STORY(on_podman_the_policy_comes_before_the_stop),
		STORY(a_container_that_cannot_be_stopped_is_given_up_after_two_stops),
		STORY(one_that_cannot_be_stopped_holds_up_no_other),
		STORY(a_stop_may_take_the_containers_own_time),
		STORY(a_hold_whose_policy_cannot_be_set_says_what_it_left),
		STORY(a_container_that_is_gone_is_said_to_be_gone),
		STORY(a_release_gives_the_policy_back_and_starts),
		STORY(a_start_by_hand_gives_only_the_policy_back),
		STORY(a_release_that_cannot_start_holds_again),
		STORY(a_release_that_can_neither_start_nor_hold_again_says_both),
		STORY(a_restart_restarts_once),
		STORY(a_restart_whose_answer_is_lost_is_not_asked_for_twice),
		STORY(a_pause_keeps_the_policy_and_a_release_unpauses),
		STORY(a_pause_whose_policy_cannot_be_set_is_taken_back),
		STORY(the_second_plan_for_a_container_waits_for_the_first),
		STORY(at_most_eight_calls_are_in_flight),
		STORY(the_listener_may_free_the_actor),
		STORY(a_freed_actor_is_silent),
		STORY(an_engine_that_never_answers_changes_nothing),
		STORY(an_engine_that_goes_away_in_the_middle_is_waited_for),
		STORY(what_is_not_known_stays_in_the_journal_and_is_finished_by_the_next_start),
		STORY(a_new_plan_takes_over_the_row_of_one_that_ended_unknown),
		STORY(steps_are_told_as_they_begin_and_end),
		STORY(a_dry_run_of_a_throttle_says_which_limit),
		STORY(a_throttle_that_takes_nothing_is_refused),
		STORY(a_dry_run_reads_from_the_same_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
