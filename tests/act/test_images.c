/* Orders about images, and what rollbacks have left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <string.h>
#include <watchdog/memory.h>

#define DIGEST "acme/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct stage stage;
static struct wd_text swept;

static int set_up(void **state)
{
	(void)state;
	stage_init(&stage, MODEL_DOCKER_26);
	model_add_image(stage.model, "acme/web:1.4", NULL);
	model_set_image_digest(stage.model, "acme/web:1.4", DIGEST);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_done(&stage);
	wd_text_done(&swept);
	return 0;
}

static void order(enum wd_image_job job, const char *image, const char *id, const char *digest)
{
	const struct wd_order order = {.kind = WD_ORDER_IMAGE,
				       .ticket = 1,
				       .job = job,
				       .target = {.image = image, .id = id, .digest = digest}};

	stage.ends = 0;
	wd_actor_image(stage.actor, &order);
	assert_int_equal(stage.ends, 0);
	stage_run(&stage, 1);
	assert_int_equal(stage.ends, 1);
	assert_null(stage.actor->errands);
}

static char *tag_of(const char *id)
{
	return wd_format("seadog/keep:%.24s", id + strlen("sha256:"));
}

static void an_image_is_found_and_kept(void **state)
{
	(void)state;
	order(WD_IMAGE_LOOK, "acme/web:1.4", NULL, NULL);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(stage.digests, DIGEST);
	assert_int_equal(strlen(stage.image_id), 71);
	assert_non_null(strstr(stage.config, "\"Labels\""));
	WD_AUTO_FREE char *tag = tag_of(stage.image_id);
	assert_false(model_has_image(stage.model, tag));

	order(WD_IMAGE_KEEP, "acme/web:1.4", NULL, NULL);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_true(model_has_image(stage.model, tag));
	WD_AUTO_FREE char *id = wd_copy(stage.image_id);
	order(WD_IMAGE_UNKEEP, NULL, id, NULL);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_false(model_has_image(stage.model, tag));
	assert_true(model_has_image(stage.model, "acme/web:1.4"));
	order(WD_IMAGE_UNKEEP, NULL, id, NULL);
	assert_int_equal(stage.end, WD_PLAN_DONE);
}

static void what_is_not_there_is_refused_or_pulled(void **state)
{
	(void)state;
	order(WD_IMAGE_KEEP, "acme/none:1", NULL, NULL);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_string_equal(stage.detail, "there is no image acme/none:1 on this host");

	order(WD_IMAGE_LOOK, "acme/web:1.4", NULL, NULL);
	WD_AUTO_FREE char *id = wd_copy(stage.image_id);
	model_remove_image(stage.model, "acme/web:1.4");
	order(WD_IMAGE_KEEP, "acme/web:1.4", id, DIGEST);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	order(WD_IMAGE_FETCH, "acme/web:1.4", id, DIGEST);
	assert_null(stage.detail);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(stage.image_id, id);
	assert_int_equal(stage_count(&stage, "POST create"), 1);
}

static void a_registry_is_told_who_asks(void **state)
{
	(void)state;
	stage.knows_registry = true;
	model_remove_image(stage.model, "acme/web:1.4");
	order(WD_IMAGE_FETCH, "acme/web:1.4", NULL, DIGEST);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_string_equal(stage.auth, "login-for-acme/web");
}

/* 200, and the reason in the last line. */
static void a_pull_that_fails_says_why(void **state)
{
	(void)state;
	order(WD_IMAGE_FETCH, "acme/web:9", NULL, NULL);
	assert_int_equal(stage.end, WD_PLAN_FAILED);
	assert_string_equal(stage.detail, "pull: manifest for acme/web:9 not found");
}

static void another_image_under_that_digest_is_not_taken(void **state)
{
	char other[] = "sha256:00000000000000000000000000000000000000000000000000000000000000ff";

	(void)state;
	order(WD_IMAGE_FETCH, "acme/web:1.4", other, DIGEST);
	assert_int_equal(stage.end, WD_PLAN_FAILED);
	assert_non_null(strstr(stage.detail, "it is another image under that digest: sha256:"));
}

static void what_is_no_name_goes_into_no_path(void **state)
{
	static const char *const names[] = {"../containers/json", "a b", "a?b", "-a", "a//b", "", "a%2f"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		order(WD_IMAGE_KEEP, names[i], NULL, NULL);
		assert_int_equal(stage.end, WD_PLAN_REFUSED);
	}
	order(WD_IMAGE_KEEP, NULL, "sha256:../..", NULL);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	order(WD_IMAGE_UNKEEP, "acme/web:1.4", NULL, NULL);
	assert_int_equal(stage.end, WD_PLAN_REFUSED);
	assert_int_equal(stage.asked.count, 0);
}

static void an_engine_that_does_not_answer_is_no_absence(void **state)
{
	(void)state;
	stage.sticky = "";
	stage.fault = STAGE_LOST_BEFORE;
	order(WD_IMAGE_KEEP, "acme/web:1.4", NULL, NULL);
	assert_int_equal(stage.end, WD_PLAN_FAILED);
	assert_string_equal(stage.detail, "look: connection reset");
}

/* --- what was left --- */

static void on_swept(void *data, const char *name, const char *text)
{
	(void)data;
	wd_text_print(&swept, "%s: %s\n", name, text);
}

static void sweep(void)
{
	wd_text_clear(&swept);
	wd_actor_sweep(stage.actor, on_swept, NULL);
	stage_pass(&stage, WD_SECOND);
	assert_null(stage.actor->sweep);
}

static void add(const char *name, bool created_only)
{
	model_add(stage.model,
		  &(struct model_setup){.name = name, .image = "acme/web:1.4", .created_only = created_only});
}

static void what_was_never_started_is_removed(void **state)
{
	(void)state;
	add("web", false);
	add("web.rbnew-0a0b0c0d", true);
	sweep();
	assert_string_equal(wd_text_get(&swept),
			    "web: web.rbnew-0a0b0c0d is left from a rollback that was not ended: removed\n");
	assert_int_equal(model_count(stage.model), 1);
	sweep();
	assert_string_equal(wd_text_get(&swept), "");
}

static void what_was_parked_gets_its_name_back_where_nobody_has_it(void **state)
{
	(void)state;
	add("web.rbold-0a0b0c0d", false);
	sweep();
	assert_string_equal(wd_text_get(&swept),
			    "web: web.rbold-0a0b0c0d is left from a rollback that was not ended: has "
			    "its name again, and is as it was left\n");
	assert_non_null(model_id(stage.model, "web"));
}

static void what_somebody_may_want_is_told_and_left_alone(void **state)
{
	(void)state;
	add("web", false);
	add("web.rbold-0a0b0c0d", false);
	add("db.rbnew-0a0b0c0e", false);
	sweep();
	assert_int_equal(model_count(stage.model), 3);
	assert_non_null(strstr(wd_text_get(&swept), "web: web.rbold-0a0b0c0d is left"));
	assert_non_null(strstr(wd_text_get(&swept), "db: db.rbnew-0a0b0c0e is left"));
	assert_int_equal(stage_count(&stage, "POST rename"), 0);
}

static void what_a_plan_is_at_is_not_swept(void **state)
{
	struct wd_order rollback;

	(void)state;
	model_add_image(stage.model, "acme/web:1.5", NULL);
	model_add(stage.model, &(struct model_setup){.name = "web", .image = "acme/web:1.5", .policy = "always"});
	order(WD_IMAGE_LOOK, "acme/web:1.4", NULL, NULL);
	rollback = stage_order(&stage, WD_ACTION_ROLLBACK, "web");
	rollback.target = (struct wd_target){.image = "acme/web:1.4", .id = stage.image_id};
	stage.ends = 0;
	stage_do(&stage, &rollback, false);
	stage_run(&stage, 1);
	assert_int_equal(stage.end, WD_PLAN_DONE);
	assert_int_equal(model_count(stage.model), 2);
	sweep();
	assert_string_equal(wd_text_get(&swept), "");
	assert_int_equal(model_count(stage.model), 2);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(an_image_is_found_and_kept),
		STORY(what_is_not_there_is_refused_or_pulled),
		STORY(a_registry_is_told_who_asks),
		STORY(a_pull_that_fails_says_why),
		STORY(another_image_under_that_digest_is_not_taken),
		STORY(what_is_no_name_goes_into_no_path),
		STORY(an_engine_that_does_not_answer_is_no_absence),
		STORY(what_was_never_started_is_removed),
		STORY(what_was_parked_gets_its_name_back_where_nobody_has_it),
		STORY(what_somebody_may_want_is_told_and_left_alone),
		STORY(what_a_plan_is_at_is_not_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
