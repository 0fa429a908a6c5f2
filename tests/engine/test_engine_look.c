#include "../../watchdog/engine/client.h"
#include "support/unit.h"
#include "support/watcher.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_watcher(void **state)
{
	static struct watcher watcher;

	watcher_open(&watcher);
	watcher.engine->pace.look = 100 * WD_MILLISECOND;
	watcher.engine->pace.look_retry = 5 * WD_MILLISECOND;
	*state = &watcher;
	return 0;
}

static int close_watcher(void **state)
{
	watcher_close(*state);
	return 0;
}

static void ask_for_sync(struct watcher *watcher)
{
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, watcher_synced));
}

static unsigned count(const char *text, const char *word)
{
	unsigned found = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		found++;
	return found;
}

static unsigned asked(const struct watcher *watcher, const char *word)
{
	return count(wd_text_get(&watcher->little->asked), word);
}

/* Requests whose path holds `path` are kept, or get `status`, the first `times` times. */
static struct {
	char path[160];
	int status; /* 0: kept */
	const char *body;
	unsigned times;
	struct little_peer *kept;
} odd;

static bool answer_oddly(void *data, struct little_peer *peer, const char *method, const char *path)
{
	(void)data, (void)method;
	if (!strstr(path, odd.path) || odd.times == 0)
		return false;
	odd.times--;
	if (odd.status)
		little_reply(peer, odd.status, "application/json", odd.body);
	else
		odd.kept = peer;
	return true;
}

static void be_odd(struct watcher *watcher, const char *path, int status, const char *body, unsigned times)
{
	snprintf(odd.path, sizeof(odd.path), "%s", path);
	odd.status = status;
	odd.body = body;
	odd.times = times;
	odd.kept = NULL;
	watcher->little->answer = answer_oddly;
}

static bool has_a_container(struct watcher *watcher)
{
	return watcher->containers > 0;
}

static bool has_two_containers(struct watcher *watcher)
{
	return watcher->containers > 1;
}

static bool is_gone(struct watcher *watcher)
{
	return watcher->gones > 0;
}

static bool is_kept(struct watcher *watcher)
{
	(void)watcher;
	return odd.kept != NULL;
}

static void a_container_is_asked_for(void **state)
{
	struct watcher *watcher = *state;
	wd_time before;

	watcher->little->containers = 3;
	ask_for_sync(watcher);
	watcher_forget(watcher);
	before = wd_loop_now(watcher->loop);
	wd_engine_inspect(watcher->engine, little_id(1));
	assert_true(watcher_run(watcher, has_a_container));
	assert_string_equal(watcher_told(watcher), "container c1; ");
	assert_true(watcher->last_asked >= before);
}

static void one_that_is_gone_is_told_to_be(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	wd_engine_inspect(watcher->engine, little_id(7));
	assert_true(watcher_run(watcher, is_gone));
	assert_string_equal(watcher_told(watcher), "gone; ");
}

static void what_is_no_id_is_never_asked_for(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	wd_engine_inspect(watcher->engine, "../../images");
	wd_engine_inspect(watcher->engine, "web");
	wd_engine_inspect(watcher->engine, "");
	watcher_run_for(watcher, 10 * WD_MILLISECOND);
	assert_int_equal(asked(watcher, "\n"), 0);
}

static void several_questions_at_once_are_one(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 1;
	ask_for_sync(watcher);
	watcher_forget(watcher);
	for (int i = 0; i < 5; i++)
		wd_engine_inspect(watcher->engine, little_id(0));
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "container c0; ");
	assert_int_equal(asked(watcher, "/json"), 1);
}

/* What happens while an inspect is under way may not be in its answer: who asks then gets another. */
static void a_question_during_an_older_one_is_asked_anew(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 1;
	ask_for_sync(watcher);
	watcher_forget(watcher);
	be_odd(watcher, "/containers/", 0, NULL, 1);
	watcher->engine->pace.look = 5 * WD_SECOND;
	wd_engine_inspect(watcher->engine, little_id(0));
	assert_true(watcher_run(watcher, is_kept));
	watcher_run_for(watcher, WD_MILLISECOND);
	for (int i = 0; i < 3; i++)
		wd_engine_inspect(watcher->engine, little_id(0));
	wd_time between = wd_loop_now(watcher->loop);

	little_reply(odd.kept, 200, "application/json",
		     "{\"Id\":\"0000000000000001000000000000000000000000000000000000000000000000\",\"Name\":\"/c0\"}");
	assert_true(watcher_run(watcher, has_a_container));
	assert_true(watcher->last_asked < between);
	assert_true(watcher_run(watcher, has_two_containers));
	assert_true(watcher->last_asked >= between);
	watcher_run_for(watcher, 10 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "container c0; container c0; ");
}

static void an_event_during_the_sync_is_told_at_once(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 1;
	be_odd(watcher, "/containers/0", 0, NULL, 1);
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, is_kept));
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "up; die c0; container c0 synced; synced; ");
}

static void a_hung_inspect_holds_nobody_up_and_is_given_up(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 30;
	be_odd(watcher, little_id(4), 0, NULL, 3);
	watcher->engine->pace.look = 30 * WD_MILLISECOND;
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_int_equal(watcher->containers, 29);
	assert_null(strstr(watcher_told(watcher), "container c4"));
	assert_int_equal(asked(watcher, little_id(4)), 3);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "does not say what 1 of 30 containers are: "));
	/* It is asked on, and when it answers, told. */
	watcher_forget(watcher);
	assert_true(watcher_run(watcher, has_a_container));
	assert_string_equal(watcher_told(watcher), "container c4; ");
}

static void an_engine_that_stumbles_is_asked_again(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 2;
	be_odd(watcher, little_id(0), 500, "{\"message\":\"stumbled\"}", 2);
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 2);
	assert_int_equal(asked(watcher, little_id(0)), 3);
	assert_null(strstr(wd_text_get(&watcher->talk), "does not say"));
}

static void another_containers_answer_is_none(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 1;
	be_odd(watcher, little_id(0), 200,
	       "{\"Id\":\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\",\"Name\":\"/evil\"}", 2);
	ask_for_sync(watcher);
	assert_string_equal(watcher_told(watcher), "up; container c0 synced; synced; ");
}

static void an_answer_of_many_megabytes_is_refused_and_holds_nobody_up(void **state)
{
	struct watcher *watcher = *state;
	char *body = malloc(((size_t)5 << 20) + 1);

	assert_non_null(body);
	memset(body, '[', (size_t)5 << 20);
	body[(size_t)5 << 20] = '\0';
	watcher->little->containers = 3;
	watcher->engine->pace.look = 5 * WD_SECOND;
	be_odd(watcher, little_id(1), 200, body, 3);
	ask_for_sync(watcher);
	free(body);
	assert_int_equal(watcher->containers, 2);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "an answer of more than 4MiB; asking on"));
}

static void one_that_vanishes_during_the_sync_is_not_told(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 2;
	be_odd(watcher, little_id(0), 404, "{\"message\":\"no such container\"}", 1);
	ask_for_sync(watcher);
	assert_string_equal(watcher_told(watcher), "up; container c1 synced; synced; ");
}

static void a_list_that_fails_is_asked_for_again(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 2;
	be_odd(watcher, "/containers/json", 500, "{\"message\":\"database is locked\"}", 3);
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 2);
	assert_int_equal(count(wd_text_get(&watcher->talk), "cannot list the containers"), 1);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "engine said 500: database is locked"));
}

static void a_list_that_is_none_too(void **state)
{
	struct watcher *watcher = *state;

	be_odd(watcher, "/containers/json", 200, "{}", 1);
	ask_for_sync(watcher);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "cannot list the containers"));
}

static void an_image_is_asked_for_once(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 20;
	watcher->little->labels = "{\"seadog.enable\":\"true\"}";
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 20);
	assert_in_range(watcher->little->image_inspects, 1, WD_LOOKS_AT_ONCE);
	unsigned before = watcher->little->image_inspects;

	little_engine_cut(watcher->little);
	watcher->syncs = 0;
	assert_true(watcher_run(watcher, watcher_synced));
	assert_int_equal(watcher->containers, 40);
	assert_int_equal(watcher->little->image_inspects, before);
}

static void images_that_are_forbidden_make_labels_count_as_inherited(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 2;
	watcher->little->labels = "{\"seadog.enable\":\"true\"}";
	be_odd(watcher, "/images/", 403, "no", 9);
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 2);
	assert_int_equal(count(wd_text_get(&watcher->talk), "cannot inspect images: engine said 403"), 1);
}

static void images_that_are_not_answered_are_asked_again(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 1;
	watcher->little->labels = "{\"seadog.enable\":\"true\"}";
	be_odd(watcher, "/images/", 500, "no", 2);
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 1);
	assert_int_equal(watcher->little->image_inspects, 1);
	assert_int_equal(watcher->little->inspects, 3);
}

static void a_thousand_containers_come_in_a_bounded_way(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 1000;
	watcher->little->images = 300; /* more than are kept */
	watcher->little->labels = "{\"seadog.enable\":\"true\"}";
	watcher->engine->pace.look = 5 * WD_SECOND;
	watcher->quiet = true;
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 1000);
	assert_true(watcher->little->most_open <= 8);
}

static void a_lost_connection_ends_all_questions(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 3;
	ask_for_sync(watcher);
	be_odd(watcher, little_id(1), 0, NULL, 1);
	wd_engine_inspect(watcher->engine, little_id(1));
	assert_true(watcher_run(watcher, is_kept));
	watcher_forget(watcher);
	little_engine_cut(watcher->little);
	assert_true(watcher_run(watcher, watcher_down));
	wd_engine_inspect(watcher->engine, little_id(2)); /* the list will answer it */
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher),
			    "down; up; container c0 synced; container c1 synced; container c2 synced; synced; ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_watcher, close_watcher)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_container_is_asked_for),
		TEST(one_that_is_gone_is_told_to_be),
		TEST(what_is_no_id_is_never_asked_for),
		TEST(several_questions_at_once_are_one),
		TEST(a_question_during_an_older_one_is_asked_anew),
		TEST(an_event_during_the_sync_is_told_at_once),
		TEST(a_hung_inspect_holds_nobody_up_and_is_given_up),
		TEST(an_engine_that_stumbles_is_asked_again),
		TEST(another_containers_answer_is_none),
		TEST(an_answer_of_many_megabytes_is_refused_and_holds_nobody_up),
		TEST(one_that_vanishes_during_the_sync_is_not_told),
		TEST(a_list_that_fails_is_asked_for_again),
		TEST(a_list_that_is_none_too),
		TEST(an_image_is_asked_for_once),
		TEST(images_that_are_forbidden_make_labels_count_as_inherited),
		TEST(images_that_are_not_answered_are_asked_again),
		TEST(a_thousand_containers_come_in_a_bounded_way),
		TEST(a_lost_connection_ends_all_questions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
