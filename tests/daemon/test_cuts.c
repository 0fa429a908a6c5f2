/* Crash loops go on while the stream is cut, seadog is killed, the Engine begins anew, in any combination and at any point
 * between two of their events: each crash is counted once. Containers of these tests crash 20 ms after each start; the
 * Engine waits 100, 200, 400, 800 ms in between, so the fifth crash comes after 1.6 s, and a sixth start would come 1.6 s
 * behind it. Web goes on like this, and is to be held at its fifth crash; api, which may crash five times in a minute,
 * but not six times, runs from its sixth start on, and is not to be touched.
 *
 * Each story is told at all places at once: in a harbour for each. */
#include <stdlib.h>
#include <string.h>

#include "support/harbour.h"
#include "support/unit.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

/* create, start, and then die and start by turns; the fifth die is the eleventh event. */
enum { PLACES = 11 };

#define PATIENCE (2 * WD_MINUTE)
#define AT_ONCE "[safety]\ngrace = off\n"
#define WEB                                                                                                            \
	"{\"name\":\"web\",\"image\":\"acme/"                                                                          \
	"web:1\",\"policy\":\"always\",\"script\":{\"lives\":\"20ms\",\"exit_code\":3}}"
#define API                                                                                                            \
	"{\"name\":\"api\",\"image\":\"acme/api:1\",\"policy\":\"always\",\"labels\":{\"seadog.restarts\":\"6/60s\"}," \
	"\"script\":{\"lives\":\"20ms\",\"exit_code\":3,\"heals_after\":5}}"

static struct harbour harbours[PLACES];

static void open_harbours(unsigned count)
{
	memset(harbours, 0, sizeof(harbours));
	for (unsigned i = 0; i < count; i++) {
		harbours[i].number = i + 1;
		harbour_open(&harbours[i], AT_ONCE);
	}
}

static int set_up(void **state)
{
	(void)state;
	open_harbours(PLACES);
	return 0;
}

static int set_up_one(void **state)
{
	(void)state;
	open_harbours(1);
	return 0;
}

static int set_up_budget(void **state)
{
	(void)state;
	memset(harbours, 0, sizeof(harbours));
	harbours[0].number = 1;
	harbour_open(&harbours[0],
		     AT_ONCE "max_actions = 1/1h\n[defaults]\nrestarts = 2/60s\non_restarts = restart, notify\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLACES; i++)
		if (harbours[i].fake)
			harbour_close(&harbours[i]);
	return 0;
}

static void all_start(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		harbour_launch(&harbours[i]);
	harbour_await(harbours, PLACES, PATIENCE, "seadog has looked", harbour_has_looked);
}

static void begin(struct harbour *harbour)
{
	harbour_fake(harbour, "POST", "container", WEB);
	harbour_fake(harbour, "POST", "container", API);
}

static void all_begin(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		begin(&harbours[i]);
}

/* --- how it must end -------------------------------------------------------------------------------------------------- */

static void launch(struct harbour *harbour)
{
	harbour_launch(harbour);
	harbour->looked = false;
}

/* How far the loop had come when seadog saw it: a slow machine may have it start late. */
static void note_look(struct harbour *harbour)
{
	if (harbour->looked || !harbour_has_looked(harbour))
		return;
	harbour->looked = true;
	harbour->before = harbour_restarts(harbour, "web");
}

static bool web_is_held(struct harbour *harbour)
{
	note_look(harbour);
	return harbour_is_held(harbour, "web");
}

static bool is_over(struct harbour *harbour)
{
	return web_is_held(harbour) && harbour_events(harbour, "api", "start") == 6;
}

static bool says_count(struct harbour *harbour, unsigned count)
{
	WD_AUTO_FREE char *why = wd_format("web  %u restarts within 60s (limit 5/60s)", count);
	return harbour_said(harbour, why);
}

/* The five were counted before there was a sixth, however long the stop took then. */
static bool was_judged_in_time(struct harbour *harbour, unsigned excess)
{
	WD_AUTO_FREE char *text = harbour_incident(harbour, "opened");
	unsigned dies = harbour_events(harbour, "web", "die");
	wd_stamp opened = WD_STAMP_NONE;
	harbour_must(harbour, wd_stamp_parse(text, &opened, NULL) && dies > excess);
	return opened < harbour_event_stamp(harbour, "web", "die", dies - excess + 1);
}

static void was_held_at_five(struct harbour *harbour, unsigned restarts)
{
	harbour_must(harbour, says_count(harbour, 5));
	harbour_must(harbour, restarts == 5 || (restarts > 5 && was_judged_in_time(harbour, restarts - 5)));
}

static void was_held(struct harbour *harbour)
{
	unsigned restarts = harbour_restarts(harbour, "web"), said = 5;
	unsigned dies = harbour_events(harbour, "web", "die");
	harbour_must(harbour,
		     dies == restarts || dies == restarts + 1); /* stopped while it waited, or in its last run */
	harbour_must(harbour, harbour_events(harbour, "web", "start") == dies);
	if (harbour->before < 5) {
		was_held_at_five(harbour, dies);
		return;
	}
	while (said < restarts && !says_count(harbour, said))
		said++;
	harbour_must(harbour, says_count(harbour, said) && restarts <= harbour->before + 1);
}

static void was_let_alone(struct harbour *harbour)
{
	WD_AUTO_FREE char *verdict = harbour_verdict(harbour, "api");
	harbour_must(harbour, harbour_restarts(harbour, "api") == 5);
	harbour_must(harbour, harbour_count(harbour, "api") == 5);
	harbour_must(harbour, strcmp(verdict, "suspect") == 0);
}

static void each_crash_was_counted_once(unsigned count)
{
	harbour_await(harbours, count, PATIENCE, "web is held, and api runs", is_over);
	/* What an inspect says ahead of the events settles within a second. */
	harbour_pause(1500 * WD_MILLISECOND);
	for (unsigned i = 0; i < count; i++) {
		was_held(&harbours[i]);
		was_let_alone(&harbours[i]);
	}
}

/* --- what happens meanwhile ------------------------------------------------------------------------------------------- */

static void a_stream_is_cut(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLACES; i++) {
		WD_AUTO_FREE char *cut = wd_format("{\"cut_after_events\":%u}", 2 * (i + 1));
		harbour_fake(&harbours[i], "POST", "stream", cut);
	}
	all_start();
	all_begin();
	each_crash_was_counted_once(PLACES);
}

static bool has_come_so_far(struct harbour *harbour)
{
	if (harbour_events(harbour, "web", NULL) < harbour->number)
		return false;
	launch(harbour);
	return true;
}

static void a_loop_was_under_way(void **state)
{
	(void)state;
	all_begin();
	harbour_await(harbours, PLACES, PATIENCE, "the loop is under way", has_come_so_far);
	each_crash_was_counted_once(PLACES);
}

static bool was_killed_behind_its_event(struct harbour *harbour)
{
	if (harbour_events(harbour, "web", NULL) < harbour->number)
		return false;
	harbour_kill(harbour);
	launch(harbour);
	return true;
}

static void seadog_is_killed(void **state)
{
	(void)state;
	all_start();
	all_begin();
	harbour_await(harbours, PLACES, PATIENCE, "the event comes", was_killed_behind_its_event);
	each_crash_was_counted_once(PLACES);
}

/* Cuts what streams there are where an event has come since the last time. */
static void cut_behind_each_event(struct harbour *harbour)
{
	unsigned events = harbour_events(harbour, NULL, NULL);
	if (events > harbour->step)
		harbour_fake(harbour, "POST", "stream", "{\"close\":true}");
	harbour->step = events;
}

static bool is_over_though_killed_and_cut(struct harbour *harbour)
{
	cut_behind_each_event(harbour);
	harbour->done = harbour->done || was_killed_behind_its_event(harbour);
	return harbour->done && is_over(harbour);
}

static void seadog_is_killed_and_all_streams_are_cut(void **state)
{
	(void)state;
	all_start();
	all_begin();
	harbour_await(harbours, PLACES, PATIENCE, "web is held, and api runs", is_over_though_killed_and_cut);
	each_crash_was_counted_once(PLACES);
}

static bool is_over_though_killed_again_and_again(struct harbour *harbour)
{
	unsigned events = harbour_events(harbour, "web", NULL);
	if (events > harbour->step && !web_is_held(harbour)) {
		harbour->step = events;
		harbour_kill(harbour);
		launch(harbour);
	}
	return is_over(harbour);
}

static void seadog_is_killed_behind_each_event(void **state)
{
	(void)state;
	harbour_start(&harbours[0]);
	begin(&harbours[0]);
	harbour_await(harbours, 1, PATIENCE, "web is held, and api runs", is_over_though_killed_again_and_again);
	each_crash_was_counted_once(1);
}

/* Within the 20 ms in which the stop is asked, done, journaled and remembered. */
static bool was_killed_while_it_held(struct harbour *harbour)
{
	if (harbour_events(harbour, "web", "die") < 5)
		return false;
	harbour_pause((harbour->number - 1) * 2 * WD_MILLISECOND);
	harbour_kill(harbour);
	launch(harbour);
	return true;
}

static void seadog_is_killed_while_it_holds(void **state)
{
	(void)state;
	all_start();
	for (unsigned i = 0; i < PLACES; i++) {
		begin(&harbours[i]);
		harbour_pause(30 * WD_MILLISECOND);
	}
	harbour_await(harbours, PLACES, PATIENCE, "the fifth crash comes", was_killed_while_it_held);
	each_crash_was_counted_once(PLACES);
	for (unsigned i = 0; i < PLACES; i++) {
		WD_AUTO_FREE char *verdict = harbour_verdict(&harbours[i], "web");
		harbour_must(&harbours[i], strcmp(verdict, "held") == 0);
	}
}

/* From that event on it hears nothing, until the Engine has forgotten what came behind it, a die at least. */
static bool has_missed_a_crash(struct harbour *harbour)
{
	unsigned events = harbour_events(harbour, "web", NULL);
	if (events >= harbour->number && harbour->step == 0) {
		harbour_fake(harbour, "POST", "fault", "{\"path\":\"/events*\",\"do\":\"refuse\",\"times\":-1}");
		harbour_fake(harbour, "POST", "stream", "{\"close\":true}");
		harbour->step = events;
	}
	if (harbour->step == 0 || events < harbour->step + 2)
		return false;
	for (unsigned i = 0; i < 300; i++)
		harbour_fake(harbour, "POST", "emit", "{\"type\":\"network\",\"action\":\"connect\"}");
	harbour_fake(harbour, "DELETE", "fault", "");
	return true;
}

/* What nobody told counts when a second has brought no event of it: in the last wait, of 1.6 s. */
static void what_was_missed_is_lost(void **state)
{
	enum { ENOUGH = 7 };
	(void)state;
	for (unsigned i = 0; i < ENOUGH; i++)
		launch(&harbours[i]);
	harbour_await(harbours, ENOUGH, PATIENCE, "seadog has looked", harbour_has_looked);
	for (unsigned i = 0; i < ENOUGH; i++)
		harbour_fake(&harbours[i], "POST", "container", WEB);
	harbour_await(harbours, ENOUGH, PATIENCE, "a crash is missed", has_missed_a_crash);
	harbour_await(harbours, ENOUGH, PATIENCE, "web is held", web_is_held);
	for (unsigned i = 0; i < ENOUGH; i++) {
		was_held_at_five(&harbours[i], harbour_restarts(&harbours[i], "web"));
	}
}

static void engine(struct harbour *harbour, const char *what)
{
	WD_AUTO_FREE char *body = wd_format("{\"do\":\"%s\"}", what);
	harbour_fake(harbour, "POST", "engine", body);
}

/* Behind one to four crashes; RestartCount begins anew with the Engine. */
static bool engine_was_restarted(struct harbour *harbour)
{
	if (harbour_events(harbour, "web", NULL) < harbour->number)
		return false;
	harbour->step = harbour_events(harbour, "web", "die");
	engine(harbour, harbour->number % 2 ? "stop" : "kill");
	harbour_pause(20 * WD_MILLISECOND);
	engine(harbour, "start");
	return true;
}

static void the_engine_begins_anew(void **state)
{
	enum { FIRST = 3, LAST = 10 }; /* the first and the fifth start */
	struct harbour *some = &harbours[FIRST - 1];
	(void)state;
	all_start();
	for (unsigned i = 0; i <= LAST - FIRST; i++)
		harbour_fake(&some[i], "POST", "container", WEB);
	harbour_await(some, LAST - FIRST + 1, PATIENCE, "the Engine is restarted", engine_was_restarted);
	harbour_await(some, LAST - FIRST + 1, PATIENCE, "web is held", web_is_held);
	for (unsigned i = 0; i <= LAST - FIRST; i++) {
		was_held_at_five(&some[i], some[i].step + harbour_restarts(&some[i], "web"));
	}
}

static bool is_being_restarted(struct harbour *harbour)
{
	return harbour_events(harbour, "web", "restart") == 1;
}

static bool api_is_held_back(struct harbour *harbour)
{
	return harbour_said(harbour, "api  held back: the budget of actions (max_actions) is spent");
}

/* Killed while it restarts one: whatever of that has reached the disk, it counts. */
static void the_budget_is_not_filled_again(void **state)
{
	(void)state;
	harbour_start(&harbours[0]);
	harbour_fake(&harbours[0], "POST", "container",
		     "{\"name\":\"web\",\"image\":\"acme/web:1\",\"policy\":\"always\","
		     "\"script\":{\"lives\":\"20ms\",\"exit_code\":3,\"heals_after\":2}}");
	harbour_await(harbours, 1, PATIENCE, "web is restarted", is_being_restarted);
	harbour_kill(&harbours[0]);
	harbour_start(&harbours[0]);
	harbour_fake(&harbours[0], "POST", "container",
		     "{\"name\":\"api\",\"image\":\"acme/api:1\",\"policy\":\"always\","
		     "\"script\":{\"lives\":\"20ms\",\"exit_code\":3}}");
	harbour_await(harbours, 1, PATIENCE, "api is held back", api_is_held_back);
	harbour_must(&harbours[0], harbour_events(&harbours[0], "api", "restart") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(function, set_up) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		STORY(a_stream_is_cut, set_up),
		STORY(a_loop_was_under_way, set_up),
		STORY(seadog_is_killed, set_up),
		STORY(seadog_is_killed_and_all_streams_are_cut, set_up),
		STORY(seadog_is_killed_behind_each_event, set_up_one),
		STORY(seadog_is_killed_while_it_holds, set_up),
		STORY(what_was_missed_is_lost, set_up),
		STORY(the_engine_begins_anew, set_up),
		STORY(the_budget_is_not_filled_again, set_up_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
