/* A crash loop goes on while the stream is cut, seadog is killed, the Engine begins anew, in any combination and at any
 * point between two of its events: each crash is counted once. The loop of these tests crashes 20 ms after each start;
 * the Engine waits 100, 200, 400, 800 ms in between, so the fifth crash comes after 1.6 s, and a sixth start would come
 * 1.6 s behind it. Each story is told at all places at once: in a harbour for each. */
#include "support/harbour.h"
#include "support/unit.h"
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

/* create, start, and then die and start by turns; the fifth die is the eleventh event. */
enum { FIFTH_CRASH = 11, PLACES = FIFTH_CRASH };

#define AT_ONCE "[safety]\ngrace = off\n"
#define LOOPS                                                                                                          \
	"{\"name\":\"web\",\"image\":\"acme/"                                                                          \
	"web:1\",\"policy\":\"always\",\"script\":{\"lives\":\"20ms\",\"exit_code\":3}}"
/* Crashes five times and then runs, under a limit of six. */
#define RECOVERS                                                                                                       \
	"{\"name\":\"web\",\"image\":\"acme/web:1\",\"policy\":\"always\",\"labels\":{\"seadog.restarts\":\"6/60s\"}," \
	"\"script\":{\"lives\":\"20ms\",\"exit_code\":3,\"heals_after\":5}}"

static struct harbour harbours[PLACES];

static int set_up(void **state)
{
	(void)state;
	memset(harbours, 0, sizeof(harbours));
	for (unsigned i = 0; i < PLACES; i++) {
		harbours[i].number = i + 1;
		harbour_open(&harbours[i], AT_ONCE);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLACES; i++)
		harbour_close(&harbours[i]);
	return 0;
}

static void all_start(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		harbour_launch(&harbours[i]);
	for (unsigned i = 0; i < PLACES; i++)
		harbour_await(&harbours[i], 1, 10 * WD_SECOND, "seadog has looked", harbour_has_looked);
}

static void all_begin(const char *container)
{
	for (unsigned i = 0; i < PLACES; i++)
		harbour_fake(&harbours[i], "POST", "container", container);
}

static bool web_is_held(struct harbour *harbour)
{
	return harbour_is_held(harbour, "web");
}

static bool web_has_recovered(struct harbour *harbour)
{
	return harbour_events(harbour, "start") == 6;
}

/* Of the events that the Engine sent and of what seadog made of them. */
static void was_held_at_the_fifth(struct harbour *harbour)
{
	WD_AUTO_FREE char *why = harbour_incident(harbour, "why"), *verdict = harbour_verdict(harbour, "web");
	harbour_must(harbour, harbour_events(harbour, "die") == 5);
	harbour_must(harbour, harbour_events(harbour, "start") == 5);
	harbour_must(harbour, harbour_restarts(harbour, "web") == 5);
	harbour_must(harbour, wd_text_starts(why, "5 restarts within 60s (limit 5/60s)"));
	harbour_must(harbour, strcmp(verdict, "held") == 0);
}

static void all_are_held_at_the_fifth(void)
{
	harbour_await(harbours, PLACES, 10 * WD_SECOND, "web is held", web_is_held);
	harbour_pause(200 * WD_MILLISECOND);
	for (unsigned i = 0; i < PLACES; i++)
		was_held_at_the_fifth(&harbours[i]);
}

static bool five_are_counted(struct harbour *harbour)
{
	return harbour_count(harbour, "web") == 5;
}

static void all_have_counted_five(void)
{
	harbour_await(harbours, PLACES, 10 * WD_SECOND, "web has recovered", web_has_recovered);
	/* What an inspect says ahead of the events settles within a second. */
	harbour_pause(1500 * WD_MILLISECOND);
	for (unsigned i = 0; i < PLACES; i++) {
		harbour_must(&harbours[i], harbour_restarts(&harbours[i], "web") == 5);
		harbour_must(&harbours[i], five_are_counted(&harbours[i]));
	}
}

static void the_stream_is_cut(const char *container)
{
	for (unsigned i = 0; i < PLACES; i++) {
		WD_AUTO_FREE char *cut = wd_format("{\"cut_after_events\":%u}", i + 1);
		harbour_fake(&harbours[i], "POST", "stream", cut);
	}
	all_start();
	all_begin(container);
}

static void a_cut_stream_loses_nothing(void **state)
{
	(void)state;
	the_stream_is_cut(LOOPS);
	all_are_held_at_the_fifth();
}

static void a_cut_stream_tells_nothing_twice(void **state)
{
	(void)state;
	the_stream_is_cut(RECOVERS);
	all_have_counted_five();
}

/* Cuts what streams there are where an event has come since the last time. */
static void cut_behind_each_event(struct harbour *harbour)
{
	unsigned events = harbour_events(harbour, NULL);
	if (events > harbour->step)
		harbour_fake(harbour, "POST", "stream", "{\"close\":true}");
	harbour->step = events;
}

static bool is_held_though_cut_behind_each_event(struct harbour *harbour)
{
	cut_behind_each_event(harbour);
	return web_is_held(harbour);
}

static void a_stream_that_is_cut_behind_each_event_will_do(void **state)
{
	(void)state;
	harbour_start(&harbours[0]);
	harbour_fake(&harbours[0], "POST", "container", LOOPS);
	harbour_await(harbours, 1, 10 * WD_SECOND, "web is held", is_held_though_cut_behind_each_event);
	harbour_pause(500 * WD_MILLISECOND);
	was_held_at_the_fifth(&harbours[0]);
}

static bool has_come_so_far(struct harbour *harbour)
{
	if (harbour_events(harbour, NULL) < harbour->number)
		return false;
	harbour_launch(harbour);
	return true;
}

static void a_loop_that_was_under_way_is_held_at_the_fifth(void **state)
{
	(void)state;
	all_begin(LOOPS);
	harbour_await(harbours, PLACES, 10 * WD_SECOND, "the loop is under way", has_come_so_far);
	all_are_held_at_the_fifth();
}

static bool was_killed_behind_its_event(struct harbour *harbour)
{
	if (harbour_events(harbour, NULL) < harbour->number)
		return false;
	harbour_kill(harbour);
	harbour_launch(harbour);
	return true;
}

static void all_are_killed_once(void)
{
	harbour_await(harbours, PLACES, 10 * WD_SECOND, "the event comes", was_killed_behind_its_event);
}

static void a_kill_loses_nothing(void **state)
{
	(void)state;
	all_start();
	all_begin(LOOPS);
	all_are_killed_once();
	all_are_held_at_the_fifth();
}

static void a_kill_counts_nothing_twice(void **state)
{
	(void)state;
	all_start();
	all_begin(RECOVERS);
	all_are_killed_once();
	all_have_counted_five();
}

static bool is_killed_and_cut(struct harbour *harbour)
{
	cut_behind_each_event(harbour);
	if (!harbour->done)
		harbour->done = was_killed_behind_its_event(harbour);
	return harbour->done;
}

static bool is_held_though_killed_and_cut(struct harbour *harbour)
{
	return is_killed_and_cut(harbour) && web_is_held(harbour);
}

static bool has_recovered_though_killed_and_cut(struct harbour *harbour)
{
	return is_killed_and_cut(harbour) && web_has_recovered(harbour);
}

static void both_at_once_lose_nothing(void **state)
{
	(void)state;
	all_start();
	all_begin(LOOPS);
	harbour_await(harbours, PLACES, 10 * WD_SECOND, "web is held", is_held_though_killed_and_cut);
	all_are_held_at_the_fifth();
}

static void both_at_once_count_nothing_twice(void **state)
{
	(void)state;
	all_start();
	all_begin(RECOVERS);
	harbour_await(harbours, PLACES, 10 * WD_SECOND, "web has recovered", has_recovered_though_killed_and_cut);
	all_have_counted_five();
}

/* Behind every single event. */
static bool is_killed_again_and_again(struct harbour *harbour)
{
	if (harbour_events(harbour, NULL) > harbour->step) {
		harbour->step = harbour_events(harbour, NULL);
		harbour_kill(harbour);
		harbour_launch(harbour);
	}
	return web_is_held(harbour);
}

static void killed_behind_every_event_it_holds_at_the_fifth(void **state)
{
	(void)state;
	harbour_start(&harbours[0]);
	harbour_fake(&harbours[0], "POST", "container", LOOPS);
	harbour_await(harbours, 1, 10 * WD_SECOND, "web is held", is_killed_again_and_again);
	harbour_pause(500 * WD_MILLISECOND);
	was_held_at_the_fifth(&harbours[0]);
}

int main(void)
{
	cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER"));
	const struct CMUnitTest tests[] = {
#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		STORY(a_cut_stream_loses_nothing),
		STORY(a_cut_stream_tells_nothing_twice),
		STORY(a_stream_that_is_cut_behind_each_event_will_do),
		STORY(a_loop_that_was_under_way_is_held_at_the_fifth),
		STORY(a_kill_loses_nothing),
		STORY(a_kill_counts_nothing_twice),
		STORY(both_at_once_lose_nothing),
		STORY(both_at_once_count_nothing_twice),
		STORY(killed_behind_every_event_it_holds_at_the_fifth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
