/* The client against the fake Engine, which is a thread of its own and in real time. */
#include "../../watchdog/engine/client.h"
#include "fake/server.h"
#include "support/unit.h"
#include "support/watcher.h"
#include <stdio.h>
#include <string.h>

static struct fake *fake;

static int open_both(void **state)
{
	static struct watcher watcher;
	struct wd_error error = {0};

	watcher_open(&watcher);
	little_engine_close(watcher.little);
	fake = fake_start(watcher.socket_path, MODEL_DOCKER_26, &error);
	if (!fake)
		fprintf(stderr, "%s\n", error.text);
	*state = &watcher;
	return fake ? 0 : -1;
}

static int close_both(void **state)
{
	fake = fake_stop(fake);
	watcher_close(*state);
	return 0;
}

static void control(const char *path, const char *body)
{
	assert_true(fake_control(fake, "POST", path, body));
}

static struct {
	unsigned events, downs, looks;
} wanted;

static bool has_events(struct watcher *watcher)
{
	return watcher->events >= wanted.events;
}

static bool has_downs_and_is_synced(struct watcher *watcher)
{
	return watcher->downs > 0 && watcher->syncs > 0;
}

static unsigned count(const char *text, const char *word)
{
	unsigned found = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		found++;
	return found;
}

static void ask_for_sync(struct watcher *watcher)
{
	watcher_start(watcher, WD_STAMP_NONE);
	assert_true(watcher_run(watcher, watcher_synced));
}

static void what_it_tells_is_understood(void **state)
{
	struct watcher *watcher = *state;

	control("/_fake/container", "{\"name\":\"web\",\"image\":\"acme/web\",\"policy\":\"always\","
				    "\"labels\":{\"seadog.enable\":\"true\"},\"start\":true,\"script\":{}}");
	ask_for_sync(watcher);
	assert_string_equal(watcher_told(watcher), "up; container web synced; synced; ");
	watcher_forget(watcher);
	control("/_fake/happen", "{\"name\":\"web\",\"what\":\"die\",\"exit_code\":3}");
	wanted.events = 2;
	assert_true(watcher_run(watcher, has_events));
	assert_string_equal(watcher_told(watcher), "die web; start web; ");
}

static void a_thousand_containers_are_synced(void **state)
{
	struct watcher *watcher = *state;

	watcher->quiet = true;
	control("/_fake/container",
		"{\"name\":\"c\",\"image\":\"acme/web\",\"count\":1000,\"start\":true,\"script\":{}}");
	ask_for_sync(watcher);
	assert_int_equal(watcher->containers, 1000);
}

static size_t most_waiting;

static void look_at_what_waits(struct watcher *watcher, const struct wd_event *event)
{
	size_t room = watcher->engine->stream.lines.text.room;

	(void)event;
	most_waiting = room > most_waiting ? room : most_waiting;
}

/* The sender is a thread of its own, and faster than we are: what waits must not grow with it. */
static void a_flood_of_100000_events_is_told_whole(void **state)
{
	struct watcher *watcher = *state;

	ask_for_sync(watcher);
	watcher->quiet = true;
	watcher->on_event = look_at_what_waits;
	most_waiting = 0;
	control("/_fake/flood", "{\"events\":100000,\"containers\":50,\"action\":\"die\"}");
	wanted.events = 100000;
	assert_true(watcher_run(watcher, has_events));
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_int_equal(watcher->events, 100000);
	assert_int_equal(watcher->downs, 0);
	assert_true(most_waiting <= (size_t)512 << 10);
	assert_true(watcher->engine->stream.lines.text.room <= (size_t)256 << 10);
}

static void look_at_it(struct watcher *watcher, const struct wd_event *event)
{
	wd_engine_inspect(watcher->engine, event->id);
}

static bool has_looked(struct watcher *watcher)
{
	return has_events(watcher) && watcher->containers >= wanted.looks;
}

/* An answer that is older than the next event is of no use: behind a burst each container is looked at once. */
static void what_came_in_one_go_is_looked_at_once(void **state)
{
	struct watcher *watcher = *state;

	control("/_fake/container", "{\"name\":\"c\",\"image\":\"acme/web\",\"count\":10,\"script\":{}}");
	ask_for_sync(watcher);
	watcher->quiet = true;
	watcher->on_event = look_at_it;
	watcher->containers = 0;
	control("/_fake/flood", "{\"events\":20000,\"containers\":10,\"name\":\"c\",\"action\":\"start\"}");
	wanted.events = 20000;
	wanted.looks = 10;
	assert_true(watcher_run(watcher, has_looked));
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_int_equal(watcher->events, 20000);
	assert_true(fake_calls(fake, "GET /containers/*/json") < 10 + 2000);
}

static bool has_downs(struct watcher *watcher)
{
	return watcher->downs >= wanted.downs;
}

static void streams_cut_between_events_lose_and_double_none(void **state)
{
	struct watcher *watcher = *state;

	control("/_fake/container",
		"{\"name\":\"c\",\"image\":\"acme/web\",\"count\":30,\"start\":true,\"script\":{}}");
	ask_for_sync(watcher);
	watcher_forget(watcher);
	for (int i = 1; i <= 30; i++) {
		char body[80];

		snprintf(body, sizeof(body), "{\"name\":\"c-%d\",\"what\":\"die\",\"exit_code\":1}", i);
		if (i % 3 == 0)
			control("/_fake/stream", "{\"close\":true}");
		control("/_fake/happen", body);
		wanted.downs = (unsigned)i / 3;
		wanted.events = (unsigned)i;
		assert_true(watcher_run(watcher, has_downs));
		assert_true(watcher_run(watcher, has_events));
	}
	watcher_run_for(watcher, 50 * WD_MILLISECOND);
	assert_int_equal(watcher->events, 30);
	assert_int_equal(watcher->downs, 10);
	assert_null(strstr(watcher_told(watcher), "restarted"));
}

static void an_engine_that_is_restarted_is_known_for_it(void **state)
{
	struct watcher *watcher = *state;

	control("/_fake/container", "{\"name\":\"web\",\"image\":\"acme/web\",\"policy\":\"always\",\"start\":true,"
				    "\"script\":{}}");
	ask_for_sync(watcher);
	watcher_forget(watcher);
	control("/_fake/engine", "{\"do\":\"kill\",\"live_restore\":true}");
	assert_true(watcher_run(watcher, watcher_down));
	watcher_run_for(watcher, 50 * WD_MILLISECOND);
	control("/_fake/engine", "{\"do\":\"start\"}");
	assert_true(watcher_run(watcher, watcher_synced));
	assert_int_equal(count(watcher_told(watcher), "up restarted; "), 1);
	assert_int_equal(count(watcher_told(watcher), "container web synced; "), 1);
}

static void answers_that_go_wrong_are_asked_for_again(void **state)
{
	static const char *const faults[] = {
		"{\"method\":\"GET\",\"path\":\"/_ping\",\"do\":\"garbage\"}",
		"{\"method\":\"GET\",\"path\":\"/_ping\",\"do\":\"refuse\"}",
		"{\"method\":\"GET\",\"path\":\"/version*\",\"do\":\"truncate\"}",
		"{\"method\":\"GET\",\"path\":\"/info*\",\"do\":\"garbage\"}",
		"{\"method\":\"GET\",\"path\":\"/events*\",\"do\":\"garbage\"}",
		"{\"method\":\"GET\",\"path\":\"/events*\",\"do\":\"refuse\"}",
		"{\"method\":\"GET\",\"path\":\"/containers/json*\",\"do\":\"truncate\"}",
		"{\"method\":\"GET\",\"path\":\"/containers/json*\",\"do\":\"lose\"}",
		"{\"method\":\"GET\",\"path\":\"/containers/*/json\",\"do\":\"truncate\",\"times\":2}",
		"{\"method\":\"GET\",\"path\":\"/containers/*/json\",\"do\":\"garbage\",\"times\":2}",
		"{\"method\":\"GET\",\"path\":\"/images/*\",\"do\":\"truncate\",\"times\":2}",
	};
	struct watcher *watcher = *state;

	control("/_fake/container", "{\"name\":\"c\",\"image\":\"acme/web\",\"count\":3,\"start\":true,"
				    "\"labels\":{\"seadog.enable\":\"true\"},\"script\":{}}");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		watcher_replace(watcher, NULL, NULL, 2 * WD_SECOND);
		watcher->engine->pace.look_retry = WD_MILLISECOND;
		watcher_forget(watcher);
		control("/_fake/fault", faults[i]);
		ask_for_sync(watcher);
		assert_int_equal(watcher->containers, 3);
		assert_true(fake_control(fake, "DELETE", "/_fake/fault", ""));
	}
}

static void a_clock_that_is_set_does_not_stop_the_stream(void **state)
{
	struct watcher *watcher = *state;

	control("/_fake/container", "{\"name\":\"c\",\"image\":\"acme/web\",\"count\":3,\"start\":true,\"script\":{}}");
	ask_for_sync(watcher);
	watcher_forget(watcher);
	control("/_fake/happen", "{\"name\":\"c-1\",\"what\":\"die\",\"exit_code\":1}");
	control("/_fake/time", "{\"clock\":\"2001-01-01T00:00:00Z\"}");
	control("/_fake/happen", "{\"name\":\"c-2\",\"what\":\"die\",\"exit_code\":1}");
	control("/_fake/stream", "{\"close\":true}");
	assert_true(watcher_run(watcher, has_downs_and_is_synced));
	watcher_run_for(watcher, 20 * WD_MILLISECOND);
	assert_int_equal(count(watcher_told(watcher), "die c-1; "), 1);
	assert_int_equal(count(watcher_told(watcher), "die c-2; "), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_tells_is_understood),
		TEST(a_thousand_containers_are_synced),
		TEST(a_flood_of_100000_events_is_told_whole),
		TEST(what_came_in_one_go_is_looked_at_once),
		TEST(streams_cut_between_events_lose_and_double_none),
		TEST(an_engine_that_is_restarted_is_known_for_it),
		TEST(answers_that_go_wrong_are_asked_for_again),
		TEST(a_clock_that_is_set_does_not_stop_the_stream),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
