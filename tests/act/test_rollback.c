/* A rollback and what others do meanwhile. The numbers are those of the specification's cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#define WD_STAMP_SECOND ((wd_stamp)1000000000)
#define DIGEST "acme/web@sha256:1111111111111111111111111111111111111111111111111111111111111111"

static struct stage stage;
static char old[65];
static bool rehearsed;
static const char *pruned; /* the other image, and what it can be pulled by */

static int set_up(void **state)
{
	const struct model_script loops = {
		.lives = WD_SECOND, .exit_code = 3, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};

	(void)state;
	stage_init(&stage, MODEL_DOCKER_20);
	model_add_image(stage.model, "acme/web:1.4", NULL);
	model_add_image(stage.model, "acme/web:1.5", NULL);
	model_set_image_digest(stage.model, "acme/web:1.4", DIGEST);
	model_set_image_script(stage.model, "acme/web:1.5", &loops);
	model_add(stage.model, &(struct model_setup){.name = "web", .image = "acme/web:1.5", .policy = "always"});
	snprintf(old, sizeof(old), "%s", model_id(stage.model, "web"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_done(&stage);
	rehearsed = false;
	pruned = NULL;
	return 0;
}

static void call(const char *method, const char *path, const char *body, int status)
{
	struct model_answer answer = model_request(stage.model, method, path, body);

	if (answer.status != status)
		fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
	model_answer_done(&answer);
}

static void roll_back(void)
{
	struct model_answer answer = model_request(stage.model, "GET", "/images/acme/web:1.4/json", NULL);
	WD_AUTO_JSON struct wd_json *image = wd_json_parse(answer.body, answer.length, NULL);
	struct wd_order order = stage_order(&stage, WD_ACTION_ROLLBACK, "web");

	model_answer_done(&answer);
	order.rehearse = rehearsed;
	order.target =
		(struct wd_target){.image = "acme/web:1.4", .id = wd_json_string(wd_json_get(image, "Id"), NULL)};
	if (pruned) {
		order.target.digest = pruned;
		model_remove_image(stage.model, "acme/web:1.4");
	}
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

static void assert_image(const char *name, const char *image)
{
	struct wd_container *seen = stage_inspect(&stage, name);
	WD_AUTO_FREE char *path = wd_format("/images/%s/json", image);
	struct model_answer answer = model_request(stage.model, "GET", path, NULL);
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(answer.body, answer.length, NULL);

	assert_string_equal(seen->image_id, wd_json_string(wd_json_get(json, "Id"), ""));
	model_answer_done(&answer);
	wd_container_free(seen);
}

static char *parked(void)
{
	return wd_format("web.rbold-%08x", 0x10000000u + stage.tokens);
}

/* 30: only the image that it had has a volume there. */
static void a_volume_that_is_left_behind_is_named_and_stays(void **state)
{
	const char *text = "{\"Volumes\":{\"/cache\":{}}}";
	WD_AUTO_JSON struct wd_json *config = wd_json_parse(text, strlen(text), NULL);

	(void)state;
	model_set_image_config(stage.model, "acme/web:1.5", config);
	call("DELETE", "/containers/web?force=1&v=1", NULL, 204);
	model_add(stage.model, &(struct model_setup){.name = "web", .image = "acme/web:1.5", .policy = "always"});
	struct model_answer answer = model_request(stage.model, "GET", "/containers/web/json", NULL);
	WD_AUTO_JSON struct wd_json *web = wd_json_parse(answer.body, answer.length, NULL);
	const char *volume =
		wd_json_string(wd_json_get(wd_json_first(wd_json_get(web, "Mounts")), "Name"), "it has none");
	model_answer_done(&answer);
	roll_back();
	WD_AUTO_FREE char *told = wd_format("went back to acme/web:1.4; volume left behind: %s; until", volume);
	assert_ptr_equal(strstr(stage.detail, told), stage.detail);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_true(model_has_volume(stage.model, volume));
	assert_int_equal(model_volume_count(stage.model), 1);
}

/* 38 */
static void the_old_one_is_pruned_and_the_new_one_stays(void **state)
{
	WD_AUTO_FREE char *path = NULL;

	(void)state;
	roll_back();
	path = wd_format("/containers/%s", old);
	call("DELETE", path, NULL, 204);
	end_it(WD_ACTION_TAKE_BACK);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_string_equal(stage.detail, "the old container is gone: there is nothing to go back to");
	assert_image("web", "acme/web:1.4");
	assert_int_equal(model_count(stage.model), 1);
	assert_int_equal(stage.row_count, 0);
}

static void the_new_one_is_removed_and_the_old_one_comes_back(void **state)
{
	(void)state;
	roll_back();
	call("DELETE", "/containers/web?force=1", NULL, 204);
	end_it(WD_ACTION_TAKE_BACK);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(model_id(stage.model, "web"), old);
	assert_int_equal(stage_policy(&stage, "web").kind, WD_RESTART_ALWAYS);
	assert_int_equal(model_count(stage.model), 1);
}

/* Somebody has deployed the service anew: theirs is not touched, and nothing is lost. */
static void the_name_is_taken_by_a_third(void **state)
{
	WD_AUTO_FREE char *name = NULL;

	(void)state;
	roll_back();
	name = parked();
	call("DELETE", "/containers/web?force=1", NULL, 204);
	model_add(stage.model, &(struct model_setup){.name = "web", .image = "acme/web:1.4", .policy = "no"});
	WD_AUTO_FREE char *third = wd_copy(model_id(stage.model, "web"));
	end_it(WD_ACTION_TAKE_BACK);
	assert_int_equal(stage.end, WD_PLAN_FAILED);
	assert_non_null(strstr(stage.detail, "is already in use"));
	assert_string_equal(model_id(stage.model, "web"), third);
	assert_string_equal(model_id(stage.model, name), old);
	assert_int_equal(stage_state(&stage, name), WD_STATE_EXITED);
	assert_int_equal(stage.row_count, 1);

	call("DELETE", "/containers/web?force=1", NULL, 204);
	stage_revive(&stage);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(model_id(stage.model, "web"), old);
	assert_int_equal(stage.row_count, 0);
}

static void the_parked_one_was_started_and_is_not_removed(void **state)
{
	WD_AUTO_FREE char *path = NULL;

	(void)state;
	roll_back();
	path = wd_format("/containers/%s/start", old);
	call("POST", path, NULL, 204);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_FAILED);
	assert_int_equal(model_count(stage.model), 2);
	assert_image("web", "acme/web:1.4");
}

/* 39 */
static void one_rollback_at_a_time(void **state)
{
	(void)state;
	roll_back();
	WD_AUTO_FREE char *made = wd_copy(stage.replaced_by);
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_string_equal(stage.detail, "a rollback of it is not verified yet");
	wd_replace(&stage.replaced_by, made);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	wd_replace(&stage.replaced_by, made);
	end_it(WD_ACTION_COMMIT);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_string_equal(stage.detail, "no rollback of it waits for that");
}

/* 37: the Engine is gone at a call, and back a minute later. */
static void an_engine_that_begins_anew_in_the_midst(void **state)
{
	for (unsigned at = 1; at < 30; at++) {
		stage_done(&stage);
		set_up(state);
		stage.fault_at = at;
		stage.fault = STAGE_KILLED_AFTER;
		roll_back();
		if (!stage.killed)
			break;
		model_engine_down(stage.model, MODEL_STOP, false);
		stage.killed = false;
		stage.actor = wd_actor_free(stage.actor);
		stage_pass(&stage, WD_MINUTE);
		model_engine_up(stage.model);
		stage_revive(&stage);
		if (stage.replaced_by && stage.actor->open)
			end_it(WD_ACTION_COMMIT);
		stage_pass(&stage, WD_MINUTE);
		assert_int_equal(model_count(stage.model), 1);
		assert_non_null(model_id(stage.model, "web"));
		assert_int_equal(stage_policy(&stage, "web").kind, WD_RESTART_ALWAYS);
		assert_int_not_equal(stage_state(&stage, "web"), WD_STATE_EXITED);
		assert_int_not_equal(stage_state(&stage, "web"), WD_STATE_CREATED);
		assert_int_equal(stage.row_count, 0);
	}
	assert_true(stage.tokens > 0);
}

/* 37: it answers looks still, and nothing new gets there: what is to be taken back waits for its return. */
static void an_engine_on_its_way_down_is_waited_for(void **state)
{
	(void)state;
	roll_back();
	struct wd_order order = stage_order(&stage, WD_ACTION_TAKE_BACK, "web");
	WD_AUTO_FREE char *made = wd_copy(stage.replaced_by);
	order.id = made;
	stage.ends = 0;
	stage.fault_at = 1;
	stage.fault = STAGE_UNSENT;
	stage.sticky = "/rename";
	stage_do(&stage, &order, false);
	stage_pass(&stage, 15 * WD_SECOND);
	assert_int_equal(stage.ends, 0);
	stage.sticky = NULL;
	stage.fault_at = 0;
	stage_run(&stage, 1);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_image("web", "acme/web:1.5");
	assert_int_equal(model_count(stage.model), 1);
	assert_int_equal(stage_policy(&stage, "web").kind, WD_RESTART_ALWAYS);
	assert_int_equal(stage.row_count, 0);
}

/* 37: it was away when the end was ordered, and came back when that was given up: the next start of seadog ends it. */
static void an_engine_that_is_away_at_the_end(void **state)
{
	const enum wd_action ends[] = {WD_ACTION_COMMIT, WD_ACTION_TAKE_BACK};

	for (unsigned i = 0; i < 2; i++) {
		stage_done(&stage);
		set_up(state);
		roll_back();
		WD_AUTO_FREE char *made = wd_copy(stage.replaced_by);
		model_engine_down(stage.model, MODEL_KILL, true);
		end_it(ends[i]);
		assert_int_equal(stage.end, WD_PLAN_FAILED);
		assert_int_equal(stage.row_count, 1);
		model_engine_up(stage.model);
		stage_revive(&stage);
		if (stage.replaced_by && stage.actor->open) { /* on trial once more */
			wd_replace(&stage.replaced_by, made);
			end_it(ends[i]);
		}
		assert_int_equal(stage.end, WD_PLAN_DONE);
		assert_int_equal(stage.row_count, 0);
		assert_int_equal(model_count(stage.model), 1);
		assert_image("web", ends[i] == WD_ACTION_COMMIT ? "acme/web:1.4" : "acme/web:1.5");
		assert_int_equal(stage_policy(&stage, "web").kind, WD_RESTART_ALWAYS);
		assert_int_not_equal(stage_state(&stage, "web"), WD_STATE_EXITED);
	}
}

static void a_rehearsal_tells_and_changes_nothing(void **state)
{
	struct model_answer answer = model_request(stage.model, "GET", "/images/acme/web:1.4/json", NULL);
	WD_AUTO_JSON struct wd_json *image = wd_json_parse(answer.body, answer.length, NULL);
	struct wd_order order = stage_order(&stage, WD_ACTION_ROLLBACK, "web");

	(void)state;
	model_answer_done(&answer);
	order.rehearse = true;
	order.target =
		(struct wd_target){.image = "acme/web:1.4", .id = wd_json_string(wd_json_get(image, "Id"), NULL)};
	stage_do(&stage, &order, false);
	stage_run(&stage, 1);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_null(stage.replaced_by);
	assert_true(wd_text_starts(stage.detail, "would go back to acme/web:1.4\nPOST /containers/create?name="));
	const char *stop = strstr(stage.detail, "/stop (up to "), *name = strstr(stage.detail, "/rename?name=web\n"),
		   *start = strstr(stage.detail, "/start\n");
	assert_true(stop && name && start && stop < name && name < start);
	assert_int_equal(model_count(stage.model), 1);
	assert_int_equal(stage.row_count, 0);
	for (size_t i = 0; i < stage.asked.count; i++)
		assert_true(wd_text_starts(stage.asked.items[i], "GET "));
}

/* --- 43: what compose has copied in --- */

static void make_composed(void)
{
	call("DELETE", "/containers/web?force=1", NULL, 204);
	call("POST", "/containers/create?name=web",
	     "{\"Image\":\"acme/web:1.5\",\"Cmd\":[\"serve\"],\"Labels\":{\"com.docker.compose.project\":\"shop\"}}",
	     201);
}

static void put_file(const char *path, unsigned mode, wd_stamp age)
{
	model_put_file(stage.model, "web", path, mode, model_stamp(stage.model) + age, "content");
}

static unsigned mode_in_web(const char *path)
{
	unsigned mode = 0;

	free(model_read_file(stage.model, "web", path, &mode));
	return mode;
}

static void c43_configs_of_any_mode_come_along_and_what_the_program_wrote_does_not(void **state)
{
	(void)state;
	make_composed();
	call("POST", "/containers/web/start", NULL, 204);
	put_file("/run/secrets/token", 0640, WD_STAMP_SECOND);
	put_file("/etc/plain.conf", 0444, WD_STAMP_SECOND);
	put_file("/etc/own.conf", 0440, WD_STAMP_SECOND);
	put_file("/run/web.pid", 0644, WD_STAMP_SECOND);
	put_file("/var/late", 0444, 3600 * WD_STAMP_SECOND);
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_int_equal(mode_in_web("/run/secrets/token"), 0640);
	assert_int_equal(mode_in_web("/etc/plain.conf"), 0444);
	assert_int_equal(mode_in_web("/etc/own.conf"), 0440);
	assert_int_equal(mode_in_web("/run/web.pid"), 0);
	assert_int_equal(mode_in_web("/var/late"), 0);
}

static void c43_what_might_be_a_config_and_is_not_copied_is_named(void **state)
{
	(void)state;
	make_composed();
	put_file("/etc/own.conf", 0644, WD_STAMP_SECOND);
	put_file("/var/late", 0644, 3600 * WD_STAMP_SECOND);
	rehearsed = true;
	roll_back();
	rehearsed = false;
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_non_null(strstr(stage.detail, "warning: /etc/own.conf is as old as the container"));
	assert_null(strstr(stage.detail, "/var/late"));
}

/* --- 28: a target that was pruned --- */

static void c28_a_pruned_target_is_pulled_again_by_its_digest(void **state)
{
	(void)state;
	pruned = DIGEST;
	stage.knows_registry = true;
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(stage.auth, "login-for-acme/web");
	assert_image("web", "acme/web:1.4");
	assert_int_equal(stage_count(&stage, "POST tag"), 1);
}

static void c28_what_cannot_be_pulled_is_a_reason_and_touches_nothing(void **state)
{
	(void)state;
	pruned = "acme/none@sha256:2222222222222222222222222222222222222222222222222222222222222222";
	stage.helper = "pass";
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(stage.detail, "the image to go back to is gone: acme/web:1.4; pull: manifest for"));
	assert_non_null(strstr(stage.detail, "docker-credential-pass"));
	assert_string_equal(model_id(stage.model, "web"), old);
	assert_int_equal(stage_count(&stage, "POST stop"), 0);
}

static void c28_a_registry_that_does_not_answer_is_a_reason(void **state)
{
	(void)state;
	pruned = DIGEST;
	stage.fault_at = (unsigned)stage.asked.count + 4;
	stage.fault = STAGE_LATE_BEFORE;
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(stage.detail, "; pull: "));
}

static void c28_a_rehearsal_pulls_nothing(void **state)
{
	(void)state;
	pruned = DIGEST;
	rehearsed = true;
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(stage.detail, "it would be pulled again: " DIGEST));
	assert_int_equal(stage_count(&stage, "POST create"), 0);
}

static void c28_without_a_digest_it_is_gone(void **state)
{
	(void)state;
	pruned = "";
	roll_back();
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_string_equal(stage.detail, "the image to go back to is gone: acme/web:1.4");
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(a_volume_that_is_left_behind_is_named_and_stays),
		STORY(the_old_one_is_pruned_and_the_new_one_stays),
		STORY(the_new_one_is_removed_and_the_old_one_comes_back),
		STORY(the_name_is_taken_by_a_third),
		STORY(the_parked_one_was_started_and_is_not_removed),
		STORY(one_rollback_at_a_time),
		STORY(an_engine_that_begins_anew_in_the_midst),
		STORY(an_engine_on_its_way_down_is_waited_for),
		STORY(an_engine_that_is_away_at_the_end),
		STORY(a_rehearsal_tells_and_changes_nothing),
		STORY(c43_configs_of_any_mode_come_along_and_what_the_program_wrote_does_not),
		STORY(c28_a_pruned_target_is_pulled_again_by_its_digest),
		STORY(c28_what_cannot_be_pulled_is_a_reason_and_touches_nothing),
		STORY(c28_a_registry_that_does_not_answer_is_a_reason),
		STORY(c28_a_rehearsal_pulls_nothing),
		STORY(c28_without_a_digest_it_is_gone),
		STORY(c43_what_might_be_a_config_and_is_not_copied_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
