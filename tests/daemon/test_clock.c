/* Somebody sets the wall clock while containers crash: the machine's, which is seadog's and its Engine's, or only one of
 * theirs, where the Engine is elsewhere. Nothing trips by it, nothing is forgotten, nothing is counted twice. Crashes come when
 * the test says so: what seadog has counted is waited for. On the release build, which takes a preloaded clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/harbour.h"
#include "support/unit.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define PATIENCE (20 * WD_SECOND)
#define WHILE_NOTHING_HAPPENS (1500 * WD_MILLISECOND)
#define RUNS(name) "{\"name\":\"" name "\",\"image\":\"acme/" name ":1\",\"policy\":\"always\"}"

enum whose { MACHINE, SEADOG, ENGINE };

/* What the clock does behind the second, the third and the fourth crash. */
static const struct step {
	enum whose whose;
	wd_time by[3];
} steps[] = {
	{MACHINE, {WD_HOUR, 0, -WD_HOUR}},
	{MACHINE, {-WD_HOUR, 0, WD_HOUR}},
	{MACHINE, {3 * WD_SECOND, -3 * WD_SECOND, 45 * WD_SECOND}},
	{SEADOG, {WD_HOUR, 0, -WD_HOUR}},
	{SEADOG, {-WD_HOUR, -WD_HOUR, WD_HOUR}},
	{ENGINE, {WD_HOUR, 0, -WD_HOUR}},
	{ENGINE, {-WD_HOUR, -WD_HOUR, WD_HOUR}},
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

static struct harbour harbours[STEPS];
static wd_time ahead[STEPS];

static void open_all(const char *settings)
{
	for (unsigned i = 0; i < STEPS; i++) {
		harbours[i].number = i + 1;
		harbour_open(&harbours[i], settings);
		harbours[i].plain = true;
		harbours[i].preload = "stepped_clock";
		ahead[i] = 0;
	}
	for (unsigned i = 0; i < STEPS; i++)
		harbour_start(&harbours[i]);
}

static int set_up(void **state)
{
	(void)state;
	memset(harbours, 0, sizeof(harbours));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STEPS; i++)
		if (harbours[i].fake)
			harbour_close(&harbours[i]);
	return 0;
}

static unsigned index_of(const struct harbour *harbour)
{
	return harbour->number - 1;
}

static void set_clock(struct harbour *harbour, unsigned nth)
{
	const struct step *step = &steps[index_of(harbour)];
	char text[WD_TIME_TEXT];
	wd_stamp now = wd_stamp_now() + (ahead[index_of(harbour)] += step->by[nth]) * 1000;
	WD_AUTO_FREE char *body = wd_format("{\"clock\":\"%s\"}", wd_stamp_print(now, text));
	if (step->by[nth] == 0)
		return;
	if (step->whose != ENGINE)
		harbour_set_clock(harbour, ahead[index_of(harbour)]);
	if (step->whose != SEADOG)
		harbour_fake(harbour, "POST", "time", body);
}

static void set_clocks(unsigned nth)
{
	for (unsigned i = 0; i < STEPS; i++)
		set_clock(&harbours[i], nth);
}

/* --- crashes ---------------------------------------------------------------------------------------------------------- */

static void crash_all(const char *name)
{
	WD_AUTO_FREE char *body = wd_format("{\"name\":\"%s\",\"what\":\"die\",\"exit_code\":3}", name);
	for (unsigned i = 0; i < STEPS; i++) {
		if (harbour_is_held(&harbours[i], name))
			continue;
		harbours[i].step++;
		harbour_fake(&harbours[i], "POST", "happen", body);
	}
}

/* And runs again: one more start than crashes. */
static bool is_counted(struct harbour *harbour)
{
	return harbour_events(harbour, "web", "start") == harbour->step + 1 &&
	       harbour_count(harbour, "web") == (int)harbour->step;
}

static void crash_and_count(void)
{
	crash_all("web");
	harbour_await(harbours, STEPS, PATIENCE, "the crash is counted, and web runs again", is_counted);
}

static bool web_is_held(struct harbour *harbour)
{
	return harbour_is_held(harbour, "web");
}

static void the_fifth_is_held(void)
{
	for (unsigned i = 0; i < STEPS; i++)
		harbour_must(&harbours[i], !harbour_said(&harbours[i], "incident="));
	crash_all("web");
	harbour_await(harbours, STEPS, PATIENCE, "web is held", web_is_held);
	for (unsigned i = 0; i < STEPS; i++) {
		harbour_must(&harbours[i], harbour_restarts(&harbours[i], "web") == 5);
		harbour_must(&harbours[i], harbour_events(&harbours[i], "web", "start") == 5);
		harbour_must(&harbours[i], harbour_said(&harbours[i], "web  5 restarts within 60s (limit 5/60s)"));
		harbour_must(&harbours[i], !harbour_said(&harbours[i], "tilt: "));
	}
}

static bool knows_web(struct harbour *harbour)
{
	return harbour_count(harbour, "web") == 0;
}

static void add_web(void)
{
	for (unsigned i = 0; i < STEPS; i++)
		harbour_fake(&harbours[i], "POST", "container", RUNS("web"));
	harbour_await(harbours, STEPS, PATIENCE, "web is known", knows_web);
}

/* --- stories ---------------------------------------------------------------------------------------------------------- */

/* The clock that an incident was written by, or this test proves nothing. */
static void its_clock_was_set(struct harbour *harbour)
{
	WD_AUTO_FREE char *opened = harbour_incident(harbour, "opened");
	wd_stamp stamp = WD_STAMP_NONE;
	harbour_must(harbour, wd_stamp_parse(opened, &stamp, NULL));
	wd_time set = steps[index_of(harbour)].whose == ENGINE ? 0 : ahead[index_of(harbour)];
	wd_time off = (stamp - wd_stamp_now()) / 1000 - set;
	harbour_must(harbour, off > -WD_MINUTE && off < WD_MINUTE);
}

static void a_step_hides_no_crash(void **state)
{
	(void)state;
	open_all(NULL);
	add_web();
	for (unsigned crash = 1; crash <= 4; crash++) {
		crash_and_count();
		if (crash >= 2)
			set_clocks(crash - 2);
	}
	the_fifth_is_held();
	for (unsigned i = 0; i < STEPS; i++)
		its_clock_was_set(&harbours[i]);
}

static bool has_looked_again(struct harbour *harbour)
{
	return harbour_syncs(harbour) > harbour->seen;
}

/* The stream is resumed by stamps of a clock that is not the one any more. */
static void a_stream_that_is_cut_behind_a_step(void **state)
{
	(void)state;
	open_all(NULL);
	add_web();
	for (unsigned crash = 1; crash <= 4; crash++) {
		crash_and_count();
		if (crash < 2)
			continue;
		set_clocks(crash - 2);
		for (unsigned i = 0; i < STEPS; i++) {
			harbours[i].seen = harbour_syncs(&harbours[i]);
			harbour_fake(&harbours[i], "POST", "stream", "{\"close\":true}");
		}
		harbour_await(harbours, STEPS, PATIENCE, "seadog has looked again", has_looked_again);
		harbour_await(harbours, STEPS, PATIENCE, "all crashes are still counted, once", is_counted);
	}
	the_fifth_is_held();
}

static bool web_runs(struct harbour *harbour)
{
	return harbour_events(harbour, "web", "start") == harbour->step + 1;
}

static bool web_runs_or_is_held(struct harbour *harbour)
{
	return web_runs(harbour) || harbour_is_held(harbour, "web");
}

/* The rows of what was counted carry stamps of before the step, of the past or of the future: what they are worth
 * depends on the step. Five crashes that are seen make a hold in any case, and fewer than five in none. */
static void a_seadog_that_begins_anew_behind_a_step(void **state)
{
	(void)state;
	open_all("[safety]\ngrace = off\n");
	add_web();
	crash_and_count();
	crash_and_count();
	set_clocks(0);
	for (unsigned i = 0; i < STEPS; i++) {
		harbour_kill(&harbours[i]);
		harbour_launch(&harbours[i]);
	}
	harbour_await(harbours, STEPS, PATIENCE, "seadog has looked", harbour_has_looked);
	crash_all("web");
	harbour_await(harbours, STEPS, PATIENCE, "web runs again", web_runs);
	crash_all("web");
	harbour_await(harbours, STEPS, PATIENCE, "web runs again", web_runs);
	for (unsigned i = 0; i < STEPS; i++)
		harbour_must(&harbours[i], !harbour_said(&harbours[i], "incident="));
	for (unsigned crash = 5; crash <= 7; crash++) {
		crash_all("web");
		harbour_await(harbours, STEPS, PATIENCE, "web runs again, or is held", web_runs_or_is_held);
	}
	harbour_await(harbours, STEPS, PATIENCE, "web is held", web_is_held);
}

static bool all_is_known(struct harbour *harbour)
{
	WD_AUTO_FREE char *ill = harbour_verdict(harbour, "ill"), *gone = harbour_verdict(harbour, "gone");
	return strcmp(ill, "suspect") == 0 && strcmp(gone, "suspect") == 0;
}

/* What lasts, lasts by a clock that nobody sets: ten minutes of illness are not over in a second. */
static void a_step_ends_no_wait(void **state)
{
	(void)state;
	open_all("[defaults]\nunhealthy = 10m\ndown = 10m\non_unhealthy = stop\non_down = stop\n");
	for (unsigned i = 0; i < STEPS; i++) {
		harbour_fake(&harbours[i], "POST", "container",
			     "{\"name\":\"ill\",\"image\":\"acme/ill:1\",\"policy\":\"always\",\"health_check\":true,"
			     "\"script\":{\"unhealthy_after\":\"10ms\"}}");
		harbour_fake(&harbours[i], "POST", "container",
			     "{\"name\":\"gone\",\"image\":\"acme/gone:1\",\"policy\":\"always\","
			     "\"script\":{\"lives\":\"10ms\",\"exit_code\":3,\"fails_from\":1}}");
	}
	harbour_await(harbours, STEPS, PATIENCE, "one is ill, one is gone", all_is_known);
	for (unsigned nth = 0; nth < 3; nth++) {
		set_clocks(nth);
		harbour_pause(WHILE_NOTHING_HAPPENS);
		for (unsigned i = 0; i < STEPS; i++)
			harbour_must(&harbours[i], !harbour_said(&harbours[i], "incident="));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		STORY(a_step_hides_no_crash),
		STORY(a_stream_that_is_cut_behind_a_step),
		STORY(a_seadog_that_begins_anew_behind_a_step),
		STORY(a_step_ends_no_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
