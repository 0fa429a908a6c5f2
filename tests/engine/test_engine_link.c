#include "../../watchdog/engine/client.h"
#include "support/unit.h"
#include "support/watcher.h"
#include <stdio.h>
#include <string.h>

#define MS ((wd_stamp)1000000)

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

static void ask_for_sync(struct watcher *watcher)
{
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, watcher_synced));
}

static bool has_an_event(struct watcher *watcher)
{
	return watcher->events > 0;
}

static bool has_talked(struct watcher *watcher)
{
	return watcher->talk.length > 0;
}

static unsigned count(const char *text, const char *word)
{
	unsigned found = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		found++;
	return found;
}

/* Which answer is not the little Engine's own. */
static struct {
	const char *path; /* part of the path */
	int status;       /* 0: never answered; -1: hung up */
	const char *type, *body;
} odd;

static bool answer_oddly(void *data, struct little_peer *peer, const char *method, const char *path)
{
	(void)data, (void)method;
	if (!odd.path || !strstr(path, odd.path))
		return false;
	if (odd.status > 0)
		little_reply(peer, odd.status, odd.type, odd.body);
	else if (odd.status < 0)
		little_hang_up(peer);
	return true;
}

static void be_odd(struct watcher *watcher, const char *path, int status, const char *body)
{
	odd.path = path;
	odd.status = status;
	odd.type = body && *body == '{' ? "application/json" : "text/html";
	odd.body = body;
	watcher->little->answer = answer_oddly;
}

static void the_handshake_learns_who_answers(void **state)
{
	struct watcher *watcher = *state;
	struct wd_engine_state known;

	ask_for_sync(watcher);
	known = wd_engine_state(watcher->engine);
	assert_string_equal(known.version, "26.1.5");
	assert_string_equal(known.api, "1.45");
	assert_string_equal(known.id, "LITTLE /var/lib/little");
	assert_true(known.connected);
	assert_false(known.podman);
	assert_null(known.trouble);
	assert_int_equal(count(wd_text_get(&watcher->little->asked), "GET /_ping\n"), 1);
}

static void an_info_that_is_refused_or_hangs_does_no_harm(void **state)
{
	struct watcher *watcher = *state;

	be_odd(watcher, "/info", 403, "<html><body><h1>403 Forbidden</h1></body></html>");
	ask_for_sync(watcher);
	assert_null(wd_engine_state(watcher->engine).id);
	assert_true(wd_engine_state(watcher->engine).connected);
}

static void headers_are_compared_without_case(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->ping_headers = "aPI-vERSION: 1.43\r\n";
	watcher->little->version_body = "{\"Version\":\"24.0.7\"}";
	ask_for_sync(watcher);
	assert_string_equal(wd_engine_state(watcher->engine).api, "1.43");
}

static void podman_is_known_by_its_header(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->ping_headers = "Api-Version: 1.41\r\nLibpod-Api-Version: 5.8.6\r\n";
	watcher->little->version_body = "{\"Version\":\"5.8.6\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.24\","
					"\"Components\":[{\"Name\":\"Podman Engine\"}]}";
	ask_for_sync(watcher);
	assert_true(wd_engine_state(watcher->engine).podman);
	assert_non_null(strstr(wd_text_get(&watcher->little->asked), "%22remove%22"));
	assert_non_null(strstr(wd_text_get(&watcher->talk), "Podman 5.8.6, API 1.41"));
}

/* What a handshake with these comes to: the version, or the trouble. The caller frees. */
static char *handshake(const char *headers, const char *version_body, const char *fixed)
{
	struct watcher watcher;
	struct wd_error error = {0};
	char *result;

	watcher_open(&watcher);
	watcher_replace(&watcher, NULL, fixed, 2 * WD_SECOND);
	watcher.little->ping_headers = headers;
	watcher.little->version_body = version_body;
	if (wd_engine_reach(watcher.engine, &error))
		result = wd_copy(wd_engine_state(watcher.engine).api);
	else
		result = wd_copy(strstr(error.text, ".sock: ") + strlen(".sock: "));
	watcher_close(&watcher);
	return result;
}

static void versions_from_1_24_to_1_60_are_agreed_on_or_refused(void **state)
{
	(void)state;
	for (int minor = 24; minor <= 60; minor++) {
		char expected[160], api[WD_API_TEXT];
		WD_AUTO_FREE char *headers = wd_format("Api-Version: 1.%d\r\n", minor);
		WD_AUTO_FREE char *body =
			wd_format("{\"Version\":\"x\",\"ApiVersion\":\"1.%d\",\"MinAPIVersion\":\"%s\"}", minor,
				  minor >= 52 ? "1.44" : "1.12");
		WD_AUTO_FREE char *result = handshake(headers, body, NULL);

		if (minor < 41)
			snprintf(expected, sizeof(expected),
				 "the Engine speaks API 1.%d at most; 1.41 (Docker 20.10) is needed at least", minor);
		else
			snprintf(expected, sizeof(expected), "%s", wd_api_print(1000 + (minor < 51 ? minor : 51), api));
		assert_string_equal(result, expected);
	}
}

static void a_fixed_version_is_spoken(void **state)
{
	WD_AUTO_FREE char *result =
		handshake("Api-Version: 1.51\r\n", "{\"ApiVersion\":\"1.51\",\"MinAPIVersion\":\"1.24\"}", "1.43");
	(void)state;

	assert_string_equal(result, "1.43");
}

static void what_is_no_engine_is_told_apart(void **state)
{
	WD_AUTO_FREE char *html = handshake("Content-Type: text/html\r\n", "<html>welcome to nginx</html>", NULL);
	WD_AUTO_FREE char *json = handshake("", "{\"hello\":\"world\"}", NULL);
	(void)state;

	assert_string_equal(html, "GET /version: the answer is no JSON: no Docker Engine answers there");
	assert_string_equal(json, "it names no API version: no Docker Engine answers there");
}

static void a_proxy_that_forbids_everything_is_named(void **state)
{
	struct watcher *watcher = *state;
	struct wd_error error;

	be_odd(watcher, "/", 403,
	       "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body>");
	assert_false(wd_engine_reach(watcher->engine, &error));
	assert_int_equal(error.kind, WD_ERROR_UNREACHABLE);
	assert_non_null(strstr(error.text, "GET /_ping: engine said 403: "));
	assert_non_null(strstr(error.text, "forbidden"));
}

static void a_proxy_may_forbid_the_ping_or_the_version(void **state)
{
	struct watcher *watcher = *state;
	struct wd_error error;

	be_odd(watcher, "/_ping", 403, "no");
	assert_true(wd_engine_reach(watcher->engine, &error));
	watcher_replace(watcher, NULL, NULL, WD_SECOND);
	be_odd(watcher, "/version", 403, "no");
	assert_true(wd_engine_reach(watcher->engine, &error));
	assert_null(wd_engine_state(watcher->engine).version);
}

static void an_engine_that_is_away_is_waited_for(void **state)
{
	struct watcher *watcher = *state;

	little_engine_close(watcher->little);
	watcher_start(watcher, WD_STAMP_NONE);
	watcher_run_for(watcher, 100 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "");
	assert_int_equal(count(wd_text_get(&watcher->talk), "\n"), 1);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "cannot watch unix://"));
	assert_non_null(strstr(wd_engine_state(watcher->engine).trouble, "no such file"));
	little_engine_open(watcher->little);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "up; synced; ");
	assert_int_equal(count(wd_text_get(&watcher->talk), "\n"), 2);
	assert_null(wd_engine_state(watcher->engine).trouble);
}

static void a_new_engine_is_told_from_a_lost_connection(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	watcher_forget(watcher);
	little_engine_cut(watcher->little);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up; synced; ");
	watcher_forget(watcher);
	little_engine_cut(watcher->little);
	little_forget(watcher->little); /* its memory died with it */
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up restarted; synced; ");
}

static void nothing_known_but_the_socket_vanished_is_a_new_engine(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	little_engine_close(watcher->little);
	watcher_run_for(watcher, 30 * WD_MILLISECOND);
	little_engine_open(watcher->little);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up restarted; synced; ");
	assert_int_equal(count(wd_text_get(&watcher->talk), "lost the event stream of "), 1);
	assert_int_equal(count(wd_text_get(&watcher->talk), "connected to "), 1);
}

static void an_event_of_anything_proves_the_same_engine(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	watcher_forget(watcher);
	/* Health checks have pushed the death out of its memory; one of them was before the loss. */
	little_forget(watcher->little);
	little_event(watcher->little, wd_stamp_now() - 3000 * MS, "exec_die", 1);
	little_engine_close(watcher->little);
	watcher_run_for(watcher, 30 * WD_MILLISECOND);
	little_engine_open(watcher->little);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up; synced; ");
}

static void events_since_the_loss_prove_nothing(void **state)
{
	struct watcher *watcher = *state;
	struct wd_timeline *timeline = &watcher->engine->timeline;

	ask_for_sync(watcher);
	little_event(watcher->little, wd_stamp_now() - 4000 * MS, "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	watcher_forget(watcher);
	little_engine_cut(watcher->little);
	little_forget(watcher->little);
	little_event(watcher->little, wd_stamp_now(), "start", 0);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up restarted; start c0; synced; ");
	assert_true(timeline->resumed);
}

static void a_probe_that_hangs_or_is_refused_proves_nothing(void **state)
{
	struct watcher *watcher = *state;

	watcher_replace(watcher, NULL, NULL, 100 * WD_MILLISECOND);
	ask_for_sync(watcher);
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	for (int status = 0; status <= 403; status += 403) {
		watcher_forget(watcher);
		be_odd(watcher, "until=", status, "no");
		little_engine_cut(watcher->little);
		assert_true(watcher_run(watcher, watcher_synced));
		assert_string_equal(watcher_told(watcher), "down; up restarted; synced; ");
	}
}

static void nothing_known_and_nothing_vanished_is_the_same_engine(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	little_engine_cut(watcher->little);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up; synced; ");
}

static void a_proxy_that_restarts_is_no_new_engine(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	watcher_forget(watcher);
	little_engine_close(watcher->little);
	watcher_run_for(watcher, 30 * WD_MILLISECOND);
	little_engine_open(watcher->little);
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(watcher_told(watcher), "down; up; synced; ");
}

static void a_stream_that_never_begins_is_given_up(void **state)
{
	struct watcher *watcher = *state;

	watcher_replace(watcher, NULL, NULL, 50 * WD_MILLISECOND);
	be_odd(watcher, "/events", 0, NULL);
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, has_talked));
	assert_non_null(strstr(wd_text_get(&watcher->talk), "the event stream does not begin; trying again"));
	watcher->little->answer = NULL;
	assert_true(watcher_run(watcher, watcher_synced));
}

static void a_stream_that_is_refused_says_why(void **state)
{
	struct watcher *watcher = *state;

	be_odd(watcher, "/events", 403, "{\"message\":\"events are not for you\"}");
	watcher_start(watcher, WD_STAMP_NONE);
	watcher_run_for(watcher, 60 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "");
	assert_int_equal(count(wd_text_get(&watcher->talk), "\n"), 1);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "engine said 403: events are not for you; trying again"));
}

static void a_dead_stream_is_found_by_two_pings(void **state)
{
	struct watcher *watcher = *state;

	watcher_replace(watcher, NULL, NULL, 200 * WD_MILLISECOND);
	watcher->engine->pace.ping = 20 * WD_MILLISECOND;
	ask_for_sync(watcher);
	watcher_forget(watcher);
	watcher_run_for(watcher, 100 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), ""); /* quiet is not dead */
	assert_true(count(wd_text_get(&watcher->little->asked), "GET /_ping\n") >= 2);
	be_odd(watcher, "/_ping", 0, NULL);
	watcher_forget(watcher);
	assert_true(watcher_run(watcher, watcher_down));
	assert_int_equal(count(wd_text_get(&watcher->little->asked), "GET /_ping\n"), 2);
	assert_non_null(strstr(wd_text_get(&watcher->talk), "no answer to a ping"));
	watcher->little->answer = NULL;
	assert_true(watcher_run(watcher, watcher_synced));
}

static void a_stream_that_speaks_is_not_pinged(void **state)
{
	struct watcher *watcher = *state;

	watcher->engine->pace.ping = 200 * WD_MILLISECOND;
	ask_for_sync(watcher);
	watcher_forget(watcher);
	for (int i = 0; i < 40; i++) {
		little_event(watcher->little, wd_stamp_now(), "die", 0);
		watcher_run_for(watcher, 10 * WD_MILLISECOND);
	}
	assert_int_equal(count(wd_text_get(&watcher->little->asked), "/_ping"), 0);
	assert_int_equal(watcher->events, 40);
}

static void an_engine_that_only_accepts_costs_few_descriptors(void **state)
{
	struct watcher *watcher = *state;

	watcher_replace(watcher, NULL, NULL, 30 * WD_MILLISECOND);
	be_odd(watcher, "/", 0, NULL);
	watcher_start(watcher, WD_STAMP_NONE);
	watcher_run_for(watcher, 300 * WD_MILLISECOND);
	assert_true(watcher->little->most_open <= 2);
	assert_true(watcher->little->requests >= 3);
}

static void an_engine_that_answers_only_the_stream_costs_few_descriptors(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 100;
	be_odd(watcher, "/json", 0, NULL);
	watcher->engine->pace.prove = 10 * WD_MILLISECOND;
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, watcher_up));
	odd.path = "/containers/0"; /* the list is answered, no inspect is */
	little_engine_cut(watcher->little);
	watcher->ups = 0;
	assert_true(watcher_run(watcher, watcher_up));
	watcher_run_for(watcher, 100 * WD_MILLISECOND);
	assert_true(watcher->little->most_open <= 8);
	assert_int_equal(count(wd_text_get(&watcher->little->asked), "/containers/0"), WD_LOOKS_AT_ONCE);
}

static void reconnects_back_off(void **state)
{
	struct watcher *watcher = *state;

	watcher->engine->pace.retry_first = watcher->engine->link.wait = 10 * WD_MILLISECOND;
	watcher->engine->pace.retry_most = 80 * WD_MILLISECOND;
	be_odd(watcher, "/events", -1, NULL);
	watcher_start(watcher, WD_STAMP_NONE);
	watcher_run_for(watcher, 600 * WD_MILLISECOND);
	/* 10, 20, 40, 80, 80 … of which each is at least half, and whole at most */
	assert_in_range(count(wd_text_get(&watcher->little->asked), "/_ping"), 5, 18);
}

static void an_engine_that_was_replaced_is_negotiated_with_anew(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	little_engine_cut(watcher->little);
	watcher->little->ping_headers = "Api-Version: 1.41\r\n";
	watcher->little->version_body = "{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}";
	assert_true(watcher_run(watcher, watcher_synced));
	assert_string_equal(wd_engine_state(watcher->engine).api, "1.41");
	assert_string_equal(wd_engine_state(watcher->engine).version, "20.10.24");
	assert_non_null(strstr(wd_text_get(&watcher->little->asked), "GET /v1.41/events"));
}

static void it_can_be_freed_in_every_phase(void **state)
{
	static const char *const phases[] = {"/_ping",  "/version",         "/info",
					     "/events", "/containers/json", "/containers/0"};
	struct watcher *watcher = *state;

	watcher->little->containers = 10;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		watcher_replace(watcher, NULL, NULL, WD_SECOND);
		watcher_forget(watcher);
		be_odd(watcher, phases[i], 0, NULL);
		watcher_start(watcher, WD_STAMP_NONE);
		while (!strstr(wd_text_get(&watcher->little->asked), phases[i]))
			watcher_run_for(watcher, WD_MILLISECOND);
	}
	watcher_replace(watcher, NULL, NULL, WD_SECOND);
	watcher_forget(watcher);
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "");
	assert_int_equal(watcher->little->open, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_watcher, close_watcher)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_handshake_learns_who_answers),
		TEST(an_info_that_is_refused_or_hangs_does_no_harm),
		TEST(headers_are_compared_without_case),
		TEST(podman_is_known_by_its_header),
		cmocka_unit_test(versions_from_1_24_to_1_60_are_agreed_on_or_refused),
		cmocka_unit_test(a_fixed_version_is_spoken),
		cmocka_unit_test(what_is_no_engine_is_told_apart),
		TEST(a_proxy_that_forbids_everything_is_named),
		TEST(a_proxy_may_forbid_the_ping_or_the_version),
		TEST(an_engine_that_is_away_is_waited_for),
		TEST(a_new_engine_is_told_from_a_lost_connection),
		TEST(nothing_known_but_the_socket_vanished_is_a_new_engine),
		TEST(an_event_of_anything_proves_the_same_engine),
		TEST(events_since_the_loss_prove_nothing),
		TEST(a_probe_that_hangs_or_is_refused_proves_nothing),
		TEST(nothing_known_and_nothing_vanished_is_the_same_engine),
		TEST(a_proxy_that_restarts_is_no_new_engine),
		TEST(a_stream_that_never_begins_is_given_up),
		TEST(a_stream_that_is_refused_says_why),
		TEST(a_dead_stream_is_found_by_two_pings),
		TEST(a_stream_that_speaks_is_not_pinged),
		TEST(an_engine_that_only_accepts_costs_few_descriptors),
		TEST(an_engine_that_answers_only_the_stream_costs_few_descriptors),
		TEST(reconnects_back_off),
		TEST(an_engine_that_was_replaced_is_negotiated_with_anew),
		TEST(it_can_be_freed_in_every_phase),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
