#include "support/unit.h"
#include "support/watcher.h"
#include <stdio.h>
#include <string.h>

#define START ((wd_stamp)1767355800 * 1000000000)
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

static bool is_up_again(struct watcher *watcher)
{
	return watcher->ups > 0 && watcher->syncs > 0;
}

static void first_the_stream_then_the_list_then_each(void **state)
{
	struct watcher *watcher = *state;

	watcher->little->containers = 2;
	ask_for_sync(watcher);
	assert_string_equal(watcher_told(watcher), "up; container c0 synced; container c1 synced; synced; ");
	const char *asked = wd_text_get(&watcher->little->asked);
	const char *events = strstr(asked, "GET /v1.45/events?filters=");

	assert_non_null(events);
	assert_true(events < strstr(asked, "GET /v1.45/containers/json?all=1\n"));
	assert_null(strstr(asked, "since="));
	assert_non_null(strstr(wd_text_get(&watcher->talk), "Docker 26.1.5, API 1.45, 2 containers\n"));
}

static void an_event_is_told_once_and_now(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	wd_stamp now = wd_stamp_now();

	little_event(watcher->little, now, "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	assert_string_equal(watcher_told(watcher), "die c0; ");
	assert_int_equal(watcher->last_event.exit_code, 3);
	assert_int_equal(watcher->last_event.stamp, now);
	assert_false(watcher->last_event.replayed);
	assert_true(watcher->last_event.at == watcher->last_event.from);
	assert_true(wd_time_now() - watcher->last_event.at < WD_SECOND);
	assert_int_equal(wd_engine_state(watcher->engine).last_event, now);
	assert_non_null(strstr(wd_text_get(&watcher->lines), "\"Action\":\"die\""));
}

static void what_is_sent_twice_is_told_once(void **state)
{
	struct watcher *watcher = *state;
	wd_stamp now = wd_stamp_now();

	ask_for_sync(watcher);
	watcher_forget(watcher);
	little_event(watcher->little, now, "die", 0);
	little_event(watcher->little, now, "die", 0);
	little_event(watcher->little, now, "die", 1);
	little_event(watcher->little, now, "start", 0);
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "die c0; die c1; start c0; ");
}

static void a_start_from_a_stamp_replays(void **state)
{
	struct watcher *watcher = *state;
	wd_stamp now = wd_stamp_now();

	little_event(watcher->little, now - 9000 * MS, "die", 0);
	little_event(watcher->little, now - 4000 * MS, "start", 0);
	watcher_start(watcher, now - 4000 * MS);
	assert_true(watcher_run(watcher, is_up_again));
	assert_string_equal(watcher_told(watcher), "up; start c0; synced; ");
	assert_true(watcher->last_event.replayed);
	wd_time behind = wd_time_now() - watcher->last_event.at;

	assert_in_range(behind, 3900 * WD_MILLISECOND, 5000 * WD_MILLISECOND);
}

static void other_lines_and_rubbish_are_left_out_and_said_once(void **state)
{
	static const char lines[] = "\n"
				    "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n\"}}\n"
				    "rubbish \x1b[31m\n"
				    "{\"Type\":\n"
				    "]\r\n"
				    "\r\n";
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	little_say(watcher->little, lines, sizeof(lines) - 1);
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	assert_string_equal(watcher_told(watcher), "die c0; ");
	const char *talk = wd_text_get(&watcher->talk);

	assert_non_null(strstr(talk, "sends what is no event: rubbish \\x1b[31m\n"));
	assert_ptr_equal(strchr(talk, '\n') + 1, talk + strlen(talk));
}

static void a_line_of_ten_megabytes_is_left_out(void **state)
{
	static char part[10000];
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	memset(part, '[', sizeof(part));
	for (int i = 0; i < 1000; i++)
		little_say(watcher->little, part, sizeof(part));
	little_say(watcher->little, "\n", 1);
	little_event(watcher->little, wd_stamp_now(), "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	assert_string_equal(watcher_told(watcher), "die c0; ");
	assert_non_null(strstr(wd_text_get(&watcher->talk), "more than 1 MiB"));
}

static void a_cut_between_any_two_events_loses_and_doubles_none(void **state)
{
	struct watcher *watcher = *state;
	wd_stamp first;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	first = wd_stamp_now();
	for (unsigned i = 0; i < 40; i++) {
		watcher->syncs = watcher->ups = 0;
		little_engine_cut(watcher->little);
		little_event(watcher->little, first + i * MS, "die", i);
		assert_true(watcher_run(watcher, is_up_again));
	}
	assert_int_equal(watcher->events, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(watcher->stamps[i], first + i * MS);
}

static struct {
	unsigned wanted;
} transcript;

static bool has_all(struct watcher *watcher)
{
	return watcher->events >= transcript.wanted;
}

/* The stream of 40 lines is cut behind byte 0, and, after a replay, behind byte 1, and so on: at each byte of the first
 * lines, then at every eleventh, which is at each byte of a line too. */
static void a_cut_at_any_byte_loses_and_doubles_none(void **state)
{
	struct watcher *watcher = *state;
	wd_stamp first = wd_stamp_now();
	size_t total = 0;

	watcher->quiet = true;
	for (unsigned i = 0; i < 40; i++) {
		little_event(watcher->little, first + i * MS, i % 2 ? "start" : "die", i / 2);
		total += strlen(watcher->little->events[i].line);
	}
	for (size_t cut = 0; cut <= total; cut += cut < total / 8 ? 1 : 11) {
		if (cut == 0)
			watcher_start(watcher, first);
		else
			little_engine_cut(watcher->little);
		watcher->ups = watcher->downs = 0;
		watcher->little->cut_after = cut;
		assert_true(watcher_run(watcher, watcher_up));
		if (watcher->downs == 0 && cut < total)
			assert_true(watcher_run(watcher, watcher_down));
	}
	watcher->little->cut_after = SIZE_MAX;
	transcript.wanted = 40;
	assert_true(watcher_run(watcher, has_all));
	assert_int_equal(watcher->events, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(watcher->stamps[i], first + i * MS);
}

static void out_of_order_across_a_cut_is_no_loss(void **state)
{
	struct watcher *watcher = *state;
	wd_stamp now;

	ask_for_sync(watcher);
	watcher_forget(watcher);
	now = wd_stamp_now() + 10 * MS;
	little_event(watcher->little, now, "die", 0);
	assert_true(watcher_run(watcher, has_an_event));
	little_engine_cut(watcher->little);
	watcher->ups = watcher->syncs = 0;
	little_event(watcher->little, now - MS, "die", 1); /* stamped before, sent behind */
	assert_true(watcher_run(watcher, is_up_again));
	watcher_run_for(watcher, 10 * WD_MILLISECOND);
	assert_string_equal(watcher_told(watcher), "die c0; down; up; die c1; synced; ");
}

static void many_events_at_once_are_all_told_and_cost_little(void **state)
{
	struct watcher *watcher = *state;
	wd_stamp now = wd_stamp_now();

	ask_for_sync(watcher);
	watcher_forget(watcher);
	watcher->quiet = true;
	for (unsigned batch = 1; batch <= 100; batch++) {
		for (unsigned i = 0; i < 1000; i++)
			little_event(watcher->little, now + (batch * 1000 + i) * 1000, "die", i % 50);
		transcript.wanted = batch * 1000;
		assert_true(watcher_run(watcher, has_all));
		little_forget(watcher->little);
	}
	assert_int_equal(watcher->events, 100000);
	watcher_run_for(watcher, 5 * WD_MILLISECOND);
	assert_int_equal(watcher->events, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_the_stream_then_the_list_then_each, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(an_event_is_told_once_and_now, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(what_is_sent_twice_is_told_once, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(a_start_from_a_stamp_replays, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(other_lines_and_rubbish_are_left_out_and_said_once, open_watcher,
						close_watcher),
		cmocka_unit_test_setup_teardown(a_line_of_ten_megabytes_is_left_out, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(a_cut_between_any_two_events_loses_and_doubles_none, open_watcher,
						close_watcher),
		cmocka_unit_test_setup_teardown(a_cut_at_any_byte_loses_and_doubles_none, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(out_of_order_across_a_cut_is_no_loss, open_watcher, close_watcher),
		cmocka_unit_test_setup_teardown(many_events_at_once_are_all_told_and_cost_little, open_watcher,
						close_watcher),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
