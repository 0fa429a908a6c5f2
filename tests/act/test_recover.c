/* What a dead seadog left: finished, taken back, or left alone where somebody has decided otherwise since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <string.h>
#include <watchdog/memory.h>

static const struct wd_restart_policy ALWAYS = {.kind = WD_RESTART_ALWAYS};

static struct stage stage;

static int set_up(void **state)
{
	(void)state;
	stage_init(&stage, MODEL_DOCKER_26);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_done(&stage);
	return 0;
}

static void add_living(const char *name, wd_time lives)
{
	const struct model_script script = {
		.lives = lives, .exit_code = 3, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};

	model_add(stage.model,
		  &(struct model_setup){.name = name, .image = "acme/web:1.5", .policy = "always", .script = &script});
	stage_pass(&stage, 2 * WD_SECOND);
}

/* seadog dies as it is about to make that call (1: the first). */
static void die_before(unsigned call, enum wd_action action, const char *name)
{
	struct wd_order order = stage_order(&stage, action, name);

	order.policy = ALWAYS;
	stage.fault_at = (unsigned)stage.asked.count + call;
	stage.fault = STAGE_KILLED_BEFORE;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
	assert_true(stage.killed);
	stage.killed = false;
	stage.actor = wd_actor_free(stage.actor);
	stage_pass(&stage, WD_MINUTE);
}

static void hold(const char *name)
{
	struct wd_order order = stage_order(&stage, WD_ACTION_STOP, name);

	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	stage.ends = 0;
}

static void post(const char *name, const char *verb, const char *body)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/%s", name, verb);
	struct model_answer answer = model_request(stage.model, "POST", path, body);

	assert_true(answer.status == 200 || answer.status == 204);
	model_answer_done(&answer);
}

static void assert_resumed(const char *plan, enum wd_plan_end end, const char *detail)
{
	assert_int_equal(stage.ends, 1);
	assert_string_equal(stage.plan, plan);
	assert_string_equal(stage.detail, detail);
	assert_int_equal(stage.end, end);
	assert_int_equal(stage.row_count, 0);
}

static void assert_is(const char *name, enum wd_state state, enum wd_restart policy)
{
	assert_int_equal(stage_state(&stage, name), state);
	assert_int_equal(stage_policy(&stage, name).kind, policy);
}

static void a_hold_is_finished(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	assert_is("web", WD_STATE_EXITED, WD_RESTART_ALWAYS);
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_DONE, "restart policy always kept for release");
	assert_int_equal(stage.kept.kind, WD_RESTART_ALWAYS);
	assert_is("web", WD_STATE_EXITED, WD_RESTART_NO);
}

static void a_hold_of_a_loop_that_goes_on_is_finished(void **state)
{
	(void)state;
	add_living("web", WD_SECOND);
	die_before(2, WD_ACTION_STOP, "web");
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_DONE, "restart policy always kept for release");
	assert_is("web", WD_STATE_EXITED, WD_RESTART_NO);
}

static void a_start_by_hand_since_ends_the_hold_and_gives_the_policy_back(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(4, WD_ACTION_STOP, "web");
	assert_is("web", WD_STATE_EXITED, WD_RESTART_NO);
	post("web", "start", NULL);
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_UNDONE,
		       "started again since; taken back: it is running, its restart policy is always");
	assert_is("web", WD_STATE_RUNNING, WD_RESTART_ALWAYS);
}

/* By a person, or by the Engine when the machine came up again. */
static void a_start_since_leaves_a_hold_that_had_not_got_to_the_policy(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	model_engine_down(stage.model, MODEL_STOP, false);
	model_engine_up(stage.model);
	stage_pass(&stage, WD_MINUTE);
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_UNDONE, "started again since");
	assert_is("web", WD_STATE_RUNNING, WD_RESTART_ALWAYS);
}

static void a_policy_that_somebody_has_set_since_is_left_alone(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	post("web", "update", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}");
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_UNDONE, "somebody has set another restart policy since");
	assert_is("web", WD_STATE_EXITED, WD_RESTART_UNLESS_STOPPED);
}

static void a_container_that_was_deleted_since_is_struck(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	struct model_answer answer = model_request(stage.model, "DELETE", "/containers/web", NULL);
	assert_int_equal(answer.status, 204);
	model_answer_done(&answer);
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_FAILED, "the container is gone");
}

static void a_release_is_finished(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	hold("web");
	die_before(3, WD_ACTION_RELEASE, "web");
	assert_is("web", WD_STATE_EXITED, WD_RESTART_ALWAYS);
	stage_revive(&stage);
	assert_resumed("release", WD_PLAN_DONE, "restart policy always given back, started");
	assert_is("web", WD_STATE_RUNNING, WD_RESTART_ALWAYS);
}

static void what_a_person_started_and_stopped_is_not_started_by_a_release(void **state)
{
	struct wd_order order;

	(void)state;
	add_living("web", WD_NEVER);
	hold("web");
	post("web", "start", NULL);
	order = stage_order(&stage, WD_ACTION_RELEASE, "web");
	order.policy = ALWAYS;
	order.running = true;
	stage.fault_at = (unsigned)stage.asked.count + 2;
	stage.fault = STAGE_KILLED_BEFORE;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
	post("web", "stop", NULL);
	stage_revive(&stage);
	assert_resumed("release", WD_PLAN_DONE, "restart policy always given back, it is down");
	assert_is("web", WD_STATE_EXITED, WD_RESTART_ALWAYS);
}

static void a_pause_is_finished(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_PAUSE, "web");
	assert_is("web", WD_STATE_PAUSED, WD_RESTART_ALWAYS);
	stage_revive(&stage);
	assert_resumed("pause", WD_PLAN_DONE, "restart policy always kept for release");
	assert_is("web", WD_STATE_PAUSED, WD_RESTART_NO);
}

/* Its evidence is gone. */
static void a_pause_that_an_engine_restart_ended_gives_the_policy_back(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(4, WD_ACTION_PAUSE, "web");
	post("web", "unpause", NULL);
	post("web", "restart", NULL);
	stage_revive(&stage);
	assert_resumed(
		"pause", WD_PLAN_UNDONE,
		"it is not the run any more that was to be paused; taken back: it is running, its restart policy "
		"is always");
	assert_is("web", WD_STATE_RUNNING, WD_RESTART_ALWAYS);
}

static void a_pause_that_never_came_to_be_is_not_made_up_for(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(2, WD_ACTION_PAUSE, "web");
	post("web", "restart", NULL);
	stage_revive(&stage);
	assert_resumed("pause", WD_PLAN_UNDONE, "it is not the run any more that was to be paused");
}

static void a_restart_that_never_was_is_not_made_up_for(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(2, WD_ACTION_RESTART, "web");
	stage_revive(&stage);
	assert_resumed("restart", WD_PLAN_UNDONE, "it was not restarted and runs on");
}

static void what_a_restart_left_down_is_started(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(2, WD_ACTION_RESTART, "web");
	post("web", "stop", NULL);
	stage_revive(&stage);
	assert_resumed("restart", WD_PLAN_DONE, "restarted");
	assert_is("web", WD_STATE_RUNNING, WD_RESTART_ALWAYS);
}

static void an_engine_that_comes_late_is_waited_for(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	stage.sticky = "/json";
	stage.fault = STAGE_UNSENT;
	stage.fault_at = 0;
	stage_begin_anew(&stage);
	assert_true(stage_recover(&stage, NULL));
	stage_pass(&stage, 30 * WD_SECOND);
	assert_int_equal(stage.ends, 0);
	stage.fault = STAGE_FINE;
	stage_run(&stage, 1);
	assert_resumed("hold", WD_PLAN_DONE, "restart policy always kept for release");
}

/* The watchdog begins to watch only then. */
static void an_engine_that_does_not_come_leaves_it_to_the_next_start(void **state)
{
	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	stage.sticky = "/json";
	stage.fault = STAGE_LATE_BEFORE;
	stage.fault_at = 0;
	stage_begin_anew(&stage);
	assert_true(stage_recover(&stage, NULL));
	stage_pass(&stage, 3 * WD_MINUTE);
	assert_int_equal(stage.ends, 1);
	assert_int_equal(stage.end, WD_PLAN_FAILED);
	assert_int_equal(stage.row_count, 1);

	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_DONE, "restart policy always kept for release");
}

static void a_new_order_waits_for_what_is_resumed(void **state)
{
	struct wd_error error = {0};
	struct wd_order order;

	(void)state;
	add_living("web", WD_NEVER);
	die_before(3, WD_ACTION_STOP, "web");
	stage.fault = STAGE_FINE;
	stage_begin_anew(&stage);
	assert_true(stage_recover(&stage, &error));
	order = stage_order(&stage, WD_ACTION_RELEASE, "web");
	order.policy = ALWAYS;
	stage_do(&stage, &order, false);
	stage_run(&stage, 2);
	assert_int_equal(stage.ticket, order.ticket);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_is("web", WD_STATE_RUNNING, WD_RESTART_ALWAYS);
	assert_int_equal(stage.row_count, 0);
}

static void which_engine_it_is_is_known_by_the_first_look(void **state)
{
	(void)state;
	stage_done(&stage);
	stage_init(&stage, MODEL_PODMAN);
	add_living("web", WD_NEVER);
	die_before(2, WD_ACTION_STOP, "web");
	wd_list_done(&stage.asked);
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_DONE, "restart policy always kept for release");
	assert_string_equal(stage.asked.items[0], "GET json");
	assert_string_equal(stage.asked.items[1], "POST update");
}

static void leave_row(const char *plan, const char *container)
{
	struct wd_journal *row = &stage.rows[stage.row_count].row;

	stage.rows[stage.row_count++] = (struct stage_row){.durable = true, .due = WD_NEVER};
	row->id = 7;
	row->plan = wd_copy(plan);
	row->name = wd_copy("web");
	row->service = wd_copy("web");
	row->container = wd_copy(container);
}

static void a_row_that_nobody_understands_is_told_and_struck(void **state)
{
	(void)state;
	leave_row("hold", "../../images/prune");
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_REFUSED, "it has no container id");
	leave_row("transmute", "0000000000000000000000000000000000000000000000000000000000000000");
	stage_revive(&stage);
	assert_resumed("", WD_PLAN_REFUSED, "there is no plan for that");
	leave_row("hold", NULL);
	stage_revive(&stage);
	assert_resumed("hold", WD_PLAN_REFUSED, "it has no container id");
	assert_int_equal(stage.asked.count, 0);
}

static void a_journal_that_cannot_be_read_is_an_error(void **state)
{
	struct wd_error error = {0};

	(void)state;
	stage.load_fails = "database disk image is malformed";
	assert_false(stage_recover(&stage, &error));
	assert_string_equal(error.text, "journal: database disk image is malformed");
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(a_hold_is_finished),
		STORY(a_hold_of_a_loop_that_goes_on_is_finished),
		STORY(a_start_by_hand_since_ends_the_hold_and_gives_the_policy_back),
		STORY(a_start_since_leaves_a_hold_that_had_not_got_to_the_policy),
		STORY(a_policy_that_somebody_has_set_since_is_left_alone),
		STORY(a_container_that_was_deleted_since_is_struck),
		STORY(a_release_is_finished),
		STORY(what_a_person_started_and_stopped_is_not_started_by_a_release),
		STORY(a_pause_is_finished),
		STORY(a_pause_that_an_engine_restart_ended_gives_the_policy_back),
		STORY(a_pause_that_never_came_to_be_is_not_made_up_for),
		STORY(a_restart_that_never_was_is_not_made_up_for),
		STORY(what_a_restart_left_down_is_started),
		STORY(an_engine_that_comes_late_is_waited_for),
		STORY(an_engine_that_does_not_come_leaves_it_to_the_next_start),
		STORY(a_new_order_waits_for_what_is_resumed),
		STORY(which_engine_it_is_is_known_by_the_first_look),
		STORY(a_row_that_nobody_understands_is_told_and_struck),
		STORY(a_journal_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
