#include "support/unit.h"
#include "support/watcher.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

static int open_watcher(void **state)
{
	static struct watcher watcher;

	watcher_open(&watcher);
	*state = &watcher;
	return 0;
}

static int close_watcher(void **state)
{
	watcher_close(*state);
	return 0;
}

/* Requests whose path holds `path` get `status`, or are kept (0), the first `times` times. */
static struct {
	const char *path;
	int status;
	const char *body;
	unsigned times;
} odd;

static bool answer_oddly(void *data, struct little_peer *peer, const char *method, const char *path)
{
	(void)data, (void)method;
	if (!strstr(path, odd.path) || odd.times == 0)
		return false;
	odd.times--;
	if (odd.status)
		little_reply(peer, odd.status, "application/json", odd.body);
	return true;
}

static void be_odd(struct watcher *watcher, const char *path, int status, const char *body, unsigned times)
{
	odd.path = path;
	odd.status = status;
	odd.body = body;
	odd.times = times;
	watcher->little->answer = answer_oddly;
}

/* What came back, as words: "answered 404 page not found; ". */
static struct wd_text answers;

static void note(void *data, const struct wd_engine_answer *answer)
{
	static const char *const ends[] = {"answered", "unsent", "lost", "late"};

	(void)data;
	wd_text_print(&answers, "%s %d %s; ", ends[answer->end], answer->status, answer->why);
}

static bool has_answer(struct watcher *watcher)
{
	(void)watcher;
	return answers.length > 0;
}

static int forget_answers(void **state)
{
	wd_text_done(&answers);
	return close_watcher(state);
}

static const char *answer_to(struct watcher *watcher, const char *method, const char *path, wd_time deadline)
{
	wd_text_clear(&answers);
	assert_non_null(wd_engine_send(watcher->engine, method, path, NULL, deadline, note, NULL));
	assert_int_equal(answers.length, 0);
	assert_true(watcher_run(watcher, has_answer));
	return wd_text_get(&answers);
}

static void the_version_is_negotiated_before_the_first_call(void **state)
{
	struct watcher *watcher = *state;

	be_odd(watcher, "/stop", 204, "", 1);
	assert_string_equal(answer_to(watcher, "POST", "/containers/web/stop", WD_SECOND), "answered 204 ; ");
	assert_string_equal(wd_text_get(&watcher->little->asked), "GET /_ping\nGET /version\nGET /v1.45/info\n"
								  "POST /v1.45/containers/web/stop\n");
	assert_string_equal(answer_to(watcher, "GET", "/nothing", WD_SECOND), "answered 404 page not found; ");
	assert_int_equal(watcher->little->pings, 1);
}

static void calls_that_wait_go_in_their_order(void **state)
{
	struct watcher *watcher = *state;

	wd_engine_send(watcher->engine, "GET", "/one", NULL, WD_SECOND, note, NULL);
	wd_engine_send(watcher->engine, "GET", "/two", NULL, WD_SECOND, note, NULL);
	watcher_run_for(watcher, 50 * WD_MILLISECOND);
	assert_non_null(strstr(wd_text_get(&watcher->little->asked), "/one\nGET /v1.45/two\n"));
	assert_int_equal(watcher->little->pings, 1);
}

static void an_engine_that_is_away_was_sent_nothing(void **state)
{
	struct watcher *watcher = *state;

	little_engine_close(watcher->little);
	assert_non_null(strstr(answer_to(watcher, "POST", "/x", WD_SECOND), "unsent 0 connect to "));
	assert_non_null(strstr(wd_engine_state(watcher->engine).trouble, "connect to "));
}

static void a_handshake_that_hangs_is_not_waited_for_beyond_the_deadline(void **state)
{
	struct watcher *watcher = *state;
	wd_time before = wd_time_now();

	be_odd(watcher, "/_ping", 0, NULL, 9);
	assert_string_equal(answer_to(watcher, "POST", "/x", 50 * WD_MILLISECOND),
			    "unsent 0 the Engine did not say in time which API version it speaks; ");
	assert_true(wd_time_now() - before < WD_SECOND);
}

static void an_answer_that_never_comes_is_late(void **state)
{
	struct watcher *watcher = *state;

	be_odd(watcher, "/stop", 0, NULL, 9);
	assert_non_null(strstr(answer_to(watcher, "POST", "/containers/web/stop", 50 * WD_MILLISECOND), "late 0 "));
}

static void an_engine_that_was_upgraded_is_asked_anew_and_once(void **state)
{
	struct watcher *watcher = *state;

	answer_to(watcher, "GET", "/x", WD_SECOND);
	watcher_forget(watcher);
	watcher->little->ping_headers = "Api-Version: 1.47\r\n";
	watcher->little->version_body = "{\"Version\":\"27.0\",\"ApiVersion\":\"1.47\",\"MinAPIVersion\":\"1.46\"}";
	be_odd(watcher, "/v1.45/", 400,
	       "client version 1.45 is too old. Minimum supported API version is 1.46, please upgrade", 9);
	assert_string_equal(answer_to(watcher, "POST", "/containers/web/x", WD_SECOND),
			    "answered 404 page not found; ");
	assert_string_equal(wd_text_get(&watcher->little->asked),
			    "POST /v1.45/containers/web/x\nGET /_ping\nGET /version\nGET /v1.47/info\n"
			    "POST /v1.47/containers/web/x\n");
	/* It says so whatever we do: that is its answer then. */
	be_odd(watcher, "/containers/web/y", 400, "client version 1.47 is too new. Maximum supported is 1.41", 9);
	assert_string_equal(answer_to(watcher, "POST", "/containers/web/y", WD_SECOND),
			    "answered 400 client version 1.47 is too new. Maximum supported is 1.41; ");
}

static void changes_go_to_the_write_endpoint(void **state)
{
	struct watcher *watcher = *state;
	WD_AUTO_FREE char *path = wd_format("%s/write.sock", watcher->directory);
	struct little_engine *writer = little_engine_new(watcher->loop, path);

	watcher_replace(watcher, path, NULL, WD_SECOND);
	answer_to(watcher, "GET", "/read", WD_SECOND);
	answer_to(watcher, "POST", "/change", WD_SECOND);
	answer_to(watcher, "DELETE", "/delete", WD_SECOND);
	assert_string_equal(wd_text_get(&watcher->little->asked),
			    "GET /_ping\nGET /version\nGET /v1.45/info\nGET /v1.45/read\n");
	assert_string_equal(wd_text_get(&writer->asked), "POST /v1.45/change\nDELETE /v1.45/delete\n");
	little_engine_free(writer);
}

static void a_cancelled_call_is_silent_in_every_phase(void **state)
{
	struct watcher *watcher = *state;
	struct wd_engine_call *waiting, *flying, *other;

	waiting = wd_engine_send(watcher->engine, "GET", "/waiting", NULL, WD_SECOND, note, NULL);
	other = wd_engine_send(watcher->engine, "GET", "/other", NULL, WD_SECOND, note, NULL);
	wd_engine_cancel(waiting);
	assert_true(watcher_run(watcher, has_answer));
	(void)other;
	assert_string_equal(wd_text_get(&answers), "answered 404 page not found; ");
	assert_null(strstr(wd_text_get(&watcher->little->asked), "/waiting"));
	wd_text_clear(&answers);
	flying = wd_engine_send(watcher->engine, "GET", "/flying", NULL, WD_SECOND, note, NULL);
	watcher_run_for(watcher, 0);
	wd_engine_cancel(flying);
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_string_equal(wd_text_get(&answers), "");
}

static struct {
	struct watcher *watcher;
	struct wd_engine_call *victim;
	unsigned sent;
} chain;

static void cancel_the_other(void *data, const struct wd_engine_answer *answer)
{
	note(data, answer);
	wd_engine_cancel(chain.victim);
	if (chain.sent++ == 0)
		wd_engine_send(chain.watcher->engine, "GET", "/again", NULL, WD_SECOND, note, NULL);
}

/* All wait for one handshake that fails: the first to hear of it cancels the second and sends anew. */
static void whoever_is_answered_may_cancel_and_send(void **state)
{
	struct watcher *watcher = *state;

	little_engine_close(watcher->little);
	chain.watcher = watcher;
	chain.sent = 0;
	wd_engine_send(watcher->engine, "GET", "/first", NULL, WD_SECOND, cancel_the_other, NULL);
	chain.victim = wd_engine_send(watcher->engine, "GET", "/victim", NULL, WD_SECOND, note, NULL);
	assert_true(watcher_run(watcher, has_answer));
	little_engine_open(watcher->little);
	watcher_run_for(watcher, 50 * WD_MILLISECOND);
	const char *first = wd_text_get(&answers);
	const char *second = strstr(first, "; ") + 2;

	assert_int_equal(strncmp(first, "unsent", 6), 0);
	assert_true(strcmp(second, "answered 404 page not found; ") == 0 || strncmp(second, "unsent", 6) == 0);
	assert_string_equal(strstr(second, "; "), "; ");
}

static void commands_ask_and_get_json(void **state)
{
	struct watcher *watcher = *state;
	struct wd_json *json = NULL;
	struct wd_error error = {0};

	assert_true(wd_engine_ask(watcher->engine, "GET", "/info", NULL, 0, &json, &error));
	assert_string_equal(wd_json_string(wd_json_get(json, "ID"), ""), "LITTLE");
	json = wd_json_free(json);
	be_odd(watcher, "/stop", 204, "", 1);
	assert_true(wd_engine_ask(watcher->engine, "POST", "/containers/x/stop", NULL, 304, &json, &error));
	assert_null(json);
	be_odd(watcher, "/stop", 304, "", 1);
	assert_true(wd_engine_ask(watcher->engine, "POST", "/containers/x/stop", NULL, 304, &json, &error));
	assert_null(json);
}

static void commands_get_the_engines_own_words(void **state)
{
	struct watcher *watcher = *state;
	struct wd_json *json = NULL;
	struct wd_error error = {0};

	assert_false(wd_engine_ask(watcher->engine, "GET", "/nothing", NULL, 0, &json, &error));
	assert_int_equal(error.kind, WD_ERROR_NOT_FOUND);
	assert_string_equal(error.text, "engine said 404: page not found");
	be_odd(watcher, "/rename", 409, "{\"message\":\"name \\\"/web\\\" is in use\"}", 1);
	assert_false(wd_engine_ask(watcher->engine, "POST", "/containers/x/rename", NULL, 0, &json, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	assert_string_equal(error.text, "engine said 409: name \"/web\" is in use");
	be_odd(watcher, "/x", 200, "no json", 1);
	assert_false(wd_engine_ask(watcher->engine, "GET", "/x", NULL, 0, &json, &error));
	assert_int_equal(strncmp(error.text, "the answer to GET /x: ", 22), 0);
	assert_null(json);
}

static void commands_are_told_when_nobody_answers(void **state)
{
	struct watcher *watcher = *state;
	struct wd_error error = {0};
	wd_time before = wd_time_now();

	watcher_replace(watcher, NULL, NULL, 50 * WD_MILLISECOND);
	be_odd(watcher, "/", 0, NULL, 9);
	assert_false(wd_engine_reach(watcher->engine, &error));
	assert_int_equal(error.kind, WD_ERROR_UNREACHABLE);
	assert_true(wd_time_now() - before < WD_SECOND);
	little_engine_close(watcher->little);
	assert_false(wd_engine_ask(watcher->engine, "GET", "/x", NULL, 0, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_UNREACHABLE);
	assert_non_null(strstr(error.text, "/engine.sock: connect to "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_watcher, forget_answers)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_version_is_negotiated_before_the_first_call),
		TEST(calls_that_wait_go_in_their_order),
		TEST(an_engine_that_is_away_was_sent_nothing),
		TEST(a_handshake_that_hangs_is_not_waited_for_beyond_the_deadline),
		TEST(an_answer_that_never_comes_is_late),
		TEST(an_engine_that_was_upgraded_is_asked_anew_and_once),
		TEST(changes_go_to_the_write_endpoint),
		TEST(a_cancelled_call_is_silent_in_every_phase),
		TEST(whoever_is_answered_may_cancel_and_send),
		TEST(commands_ask_and_get_json),
		TEST(commands_get_the_engines_own_words),
		TEST(commands_are_told_when_nobody_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
