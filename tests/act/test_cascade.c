/* Who depends on a container that is rolled back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <string.h>
#include <watchdog/memory.h>

static struct stage stage;
static const char *spared; /* ids of who is never touched */

static void call(const char *method, const char *path, const char *body, int status)
{
	struct model_answer answer = model_request(stage.model, method, path, body);

	if (answer.status != status)
		fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
	model_answer_done(&answer);
}

static void add_sharing(const char *mode, const char *name, const char *to, bool start)
{
	WD_AUTO_FREE char *create = wd_format("/containers/create?name=%s", name);
	WD_AUTO_FREE char *begin = wd_format("/containers/%s/start", name);
	WD_AUTO_FREE char *body = wd_format("{\"Image\":\"acme/side:1\",\"Cmd\":[\"serve\"],\"HostConfig\":{\"%s\":"
					    "\"container:%s\",\"RestartPolicy\":{\"Name\":\"always\"}}}",
					    mode, model_id(stage.model, to));

	call("POST", create, body, 201);
	if (start)
		call("POST", begin, NULL, 204);
}

static void add_joined(const char *name, const char *to, bool start)
{
	add_sharing("NetworkMode", name, to, start);
}

/* One of a compose project, started; `waits` is what its depends_on says of others. */
static void add_of_project(const char *name, const char *service, const char *waits)
{
	WD_AUTO_FREE char *create = wd_format("/containers/create?name=%s", name);
	WD_AUTO_FREE char *begin = wd_format("/containers/%s/start", name);
	WD_AUTO_FREE char *body =
		wd_format("{\"Image\":\"%s\",\"Cmd\":[\"serve\"],\"Labels\":{\"com.docker.compose.project\":\"shop\","
			  "\"com.docker.compose.service\":\"%s\",\"com.docker.compose.depends_on\":\"%s\"},"
			  "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}}",
			  strcmp(service, "web") == 0 ? "acme/web:1.5" : "acme/side:1", service, waits);

	call("POST", create, body, 201);
	call("POST", begin, NULL, 204);
}

static int set_up_project(void **state)
{
	(void)state;
	stage_init(&stage, MODEL_DOCKER_26);
	model_add_image(stage.model, "acme/web:1.4", NULL);
	model_add_image(stage.model, "acme/web:1.5", NULL);
	model_add_image(stage.model, "acme/side:1", NULL);
	add_of_project("web", "web", "");
	add_of_project("worker", "worker", "cache:service_started:false,web:service_started:true");
	add_of_project("reader", "reader", "web:service_started:false");
	add_of_project("stopped", "stopped", "web:service_healthy:true");
	add_of_project("spared", "spared", "web:service_healthy:true");
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	stage_init(&stage, MODEL_DOCKER_26);
	model_add_image(stage.model, "acme/web:1.4", NULL);
	model_add_image(stage.model, "acme/web:1.5", NULL);
	model_add_image(stage.model, "acme/side:1", NULL);
	model_add(stage.model, &(struct model_setup){.name = "web", .image = "acme/web:1.5", .policy = "always"});
	add_joined("side", "web", true);
	add_joined("spare", "web", false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_done(&stage);
	spared = NULL;
	return 0;
}

static struct wd_json *inspect(const char *name)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", name);
	struct model_answer answer = model_request(stage.model, "GET", path, NULL);
	struct wd_json *json = wd_json_parse(answer.body, answer.length, NULL);

	model_answer_done(&answer);
	return json;
}

static void roll_back(bool cascade)
{
	struct model_answer answer = model_request(stage.model, "GET", "/images/acme/web:1.4/json", NULL);
	WD_AUTO_JSON struct wd_json *image = wd_json_parse(answer.body, answer.length, NULL);
	struct wd_order order = stage_order(&stage, WD_ACTION_ROLLBACK, "web");

	model_answer_done(&answer);
	order.cascade = cascade;
	order.spared = spared;
	order.target =
		(struct wd_target){.image = "acme/web:1.4", .id = wd_json_string(wd_json_get(image, "Id"), NULL)};
	stage.ends = 0;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
}

static void end_it(enum wd_action action)
{
	struct wd_order order = stage_order(&stage, action, "web");
	WD_AUTO_FREE char *made = wd_copy(stage.replaced_by);

	order.id = made;
	stage.ends = 0;
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
}

static void assert_joined(const char *name, const char *status)
{
	WD_AUTO_JSON struct wd_json *json = inspect(name);
	WD_AUTO_FREE char *expected = wd_format("container:%s", model_id(stage.model, "web"));

	assert_string_equal(wd_json_string(wd_json_path(json, "HostConfig.NetworkMode"), ""), expected);
	assert_string_equal(wd_json_string(wd_json_path(json, "HostConfig.RestartPolicy.Name"), ""), "always");
	assert_string_equal(wd_json_string(wd_json_path(json, "State.Status"), ""), status);
}

static void who_depends_on_it_is_a_reason_to_refuse(void **state)
{
	(void)state;
	roll_back(false);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(stage.detail, "side (network)"));
	assert_non_null(strstr(stage.detail, "spare (network)"));
	assert_int_equal(stage_count(&stage, "POST create"), 0);
}

static void all_come_along_when_it_is_committed(void **state)
{
	(void)state;
	roll_back(true);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_int_equal(model_count(stage.model), 4);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_non_null(strstr(stage.detail, "made again with it: "));
	assert_non_null(strstr(stage.detail, "side"));
	assert_null(strstr(stage.detail, "could not"));
	assert_int_equal(model_count(stage.model), 3);
	assert_joined("side", "running");
	assert_joined("spare", "created");
	assert_int_equal(stage.row_count, 0);
	assert_null(stage.actor->open);
}

static void nobody_is_touched_when_it_is_taken_back(void **state)
{
	WD_AUTO_FREE char *side = wd_copy(model_id(stage.model, "side"));

	(void)state;
	roll_back(true);
	end_it(WD_ACTION_TAKE_BACK);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(model_id(stage.model, "side"), side);
	assert_joined("side", "running");
	assert_joined("spare", "created");
	assert_int_equal(stage_count(&stage, "POST restart"), 1);
}

static void one_that_cannot_be_made_again_is_named(void **state)
{
	(void)state;
	roll_back(true);
	call("POST", "/containers/side/pause", NULL, 204);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_non_null(strstr(stage.detail, "could not be made again with it: side ("));
	assert_non_null(strstr(stage.detail, "made again with it: spare"));
	assert_joined("spare", "created");
}

/* Whenever seadog dies in it, the next one ends it. */
static void a_death_in_the_midst_leaves_nobody_behind(void **state)
{
	(void)state;
	for (unsigned call_number = 1; call_number < 60; call_number++) {
		stage_done(&stage);
		set_up(state);
		roll_back(true);
		stage.fault_at = (unsigned)stage.asked.count + call_number;
		stage.fault = STAGE_KILLED_AFTER;
		end_it(WD_ACTION_COMMIT);
		if (!stage.killed)
			break;
		stage_revive(&stage);
		if (stage.replaced_by && stage.end == WD_PLAN_DONE && stage.actor->open)
			end_it(WD_ACTION_COMMIT);
		stage_pass(&stage, WD_MINUTE);
		assert_int_equal(model_count(stage.model), 3);
		assert_joined("side", "running");
		assert_joined("spare", "created");
	}
	assert_true(stage.asked.count > 40);
}

static wd_stamp started(const char *name)
{
	struct wd_container *container = stage_inspect(&stage, name);
	wd_stamp at = container->started;

	wd_container_free(container);
	return at;
}

/* The Engine ends who shares the processes of one that ends; a person has not asked for that. */
static void who_has_ended_with_the_old_one_is_started_with_the_new_one(void **state)
{
	(void)state;
	add_sharing("PidMode", "tracer", "web", true);
	add_sharing("PidMode", "idle", "web", false);
	add_sharing("PidMode", "deep", "tracer", true);
	roll_back(true);
	call("POST", "/containers/tracer/stop", NULL, 204);
	call("POST", "/containers/deep/stop", NULL, 204);
	call("POST", "/containers/side/stop", NULL, 204);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_int_equal(stage_state(&stage, "tracer"), WD_STATE_RUNNING);
	assert_int_equal(stage_state(&stage, "deep"), WD_STATE_RUNNING);
	assert_int_equal(stage_state(&stage, "idle"), WD_STATE_CREATED);
	assert_joined("side", "created");
}

static void who_shares_with_one_that_shares_is_restarted_behind_it(void **state)
{
	(void)state;
	add_joined("via", "side", true);
	roll_back(true);
	end_it(WD_ACTION_TAKE_BACK);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_int_equal(stage_count(&stage, "POST restart"), 2);
	assert_true(started("via") >= started("side"));
}

static void who_is_never_touched_is_not_made_again_further_down(void **state)
{
	WD_AUTO_FREE char *via = NULL;

	(void)state;
	add_joined("via", "side", true);
	spared = via = wd_copy(model_id(stage.model, "via"));
	roll_back(true);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(stage.detail, "via depends on it, and is never touched"));
}

static void who_is_never_touched_is_not_made_again(void **state)
{
	WD_AUTO_FREE char *side = wd_copy(model_id(stage.model, "side"));

	(void)state;
	spared = side;
	roll_back(true);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(stage.detail, "side depends on it, and is never touched"));
	assert_int_equal(stage_count(&stage, "POST create"), 0);
}

/* --- depends_on with restart: true --- */

static void who_waits_for_it_is_restarted_when_it_is_committed(void **state)
{
	WD_AUTO_FREE char *id = wd_copy(model_id(stage.model, "spared"));
	wd_stamp worker = started("worker"), reader = started("reader"), untouched = started("spared");

	(void)state;
	spared = id;
	roll_back(false);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_true(started("worker") == worker);
	stage_pass(&stage, WD_SECOND);
	call("POST", "/containers/stopped/stop", NULL, 204);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_non_null(strstr(stage.detail, "; restarted behind it: worker"));
	assert_int_equal(stage_count(&stage, "POST restart"), 1);
	assert_true(started("worker") > worker);
	assert_true(started("reader") == reader);
	assert_true(started("spared") == untouched);
	assert_int_equal(stage_state(&stage, "stopped"), WD_STATE_EXITED);
}

static void who_waits_for_it_is_left_alone_when_it_is_taken_back(void **state)
{
	wd_stamp worker = started("worker");

	(void)state;
	roll_back(false);
	end_it(WD_ACTION_TAKE_BACK);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_true(started("worker") == worker);
	assert_int_equal(stage_count(&stage, "POST restart"), 0);
}

static void a_restart_that_is_refused_is_told_and_ends_nothing(void **state)
{
	(void)state;
	roll_back(false);
	stage.sticky = "restart";
	stage.fault_at = (unsigned)stage.asked.count + 1;
	stage.fault = STAGE_REFUSED_500;
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_non_null(strstr(stage.detail, "restarted behind it: "));
	assert_non_null(strstr(stage.detail, "worker in vain: "));
	assert_int_equal(stage.row_count, 0);
}

static void a_death_in_the_midst_forgets_nobody_who_waits(void **state)
{
	(void)state;
	for (unsigned call_number = 1; call_number < 12; call_number++) {
		stage_done(&stage);
		set_up_project(state);
		wd_stamp worker = started("worker");
		roll_back(false);
		stage_pass(&stage, WD_SECOND);
		stage.fault_at = (unsigned)stage.asked.count + call_number;
		stage.fault = STAGE_KILLED_BEFORE;
		end_it(WD_ACTION_COMMIT);
		if (!stage.killed)
			return;
		stage_revive(&stage);
		if (stage.replaced_by && stage.end == WD_PLAN_DONE && stage.actor->open)
			end_it(WD_ACTION_COMMIT);
		stage_pass(&stage, WD_MINUTE);
		assert_true(started("worker") > worker);
		assert_int_equal(model_count(stage.model), 5);
	}
	fail_msg("it never came to its end");
}

int main(void)
{
#define PROJECT(name) cmocka_unit_test_setup_teardown(name, set_up_project, tear_down)

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(who_depends_on_it_is_a_reason_to_refuse),
		STORY(all_come_along_when_it_is_committed),
		STORY(nobody_is_touched_when_it_is_taken_back),
		STORY(one_that_cannot_be_made_again_is_named),
		STORY(a_death_in_the_midst_leaves_nobody_behind),
		STORY(who_is_never_touched_is_not_made_again),
		STORY(who_has_ended_with_the_old_one_is_started_with_the_new_one),
		STORY(who_shares_with_one_that_shares_is_restarted_behind_it),
		STORY(who_is_never_touched_is_not_made_again_further_down),
		PROJECT(who_waits_for_it_is_restarted_when_it_is_committed),
		PROJECT(who_waits_for_it_is_left_alone_when_it_is_taken_back),
		PROJECT(a_restart_that_is_refused_is_told_and_ends_nothing),
		PROJECT(a_death_in_the_midst_forgets_nobody_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
