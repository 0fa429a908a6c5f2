/* Rules that can never trip, or trip at any restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/files.h"

static void assert_warned(const char *text, const char *expected)
{
	struct wd_findings findings = {0};
	write_file("seadog.conf", text);
	wd_settings_free(wd_settings_load(&(struct wd_sources){.file = "seadog.conf"}, &findings));
	assert_findings(&findings, expected);
}

static void one_restart_is_no_loop(void **state)
{
	(void)state;
	assert_warned("[defaults]\nrestarts = 1/60s, 5/10m\nflapping = 1/1h\noom = 1/1h\n",
		      "warning: seadog.conf:2: restarts: 1/60s trips at any restart, give it a second one\n"
		      "warning: seadog.conf:3: flapping: 1/1h trips at any restart, give it a second one\n");
}

static void ten_crashes_in_a_minute_are_the_most_that_the_engine_lets_happen(void **state)
{
	(void)state;
	assert_warned("[defaults]\nflapping = 10/61s\n", "");
	assert_warned("[defaults]\nflapping = 11/61s\n",
		      "warning: seadog.conf:2: flapping: 11/61s can never trip: with the "
		      "Engine's own waits a loop reaches at most 10 within 61s\n");
	assert_warned("[defaults]\nflapping = 61/10m\n", "");
	assert_warned("[defaults]\nflapping = 100/10m\n",
		      "warning: seadog.conf:2: flapping: 100/10m can never trip: with the "
		      "Engine's own waits a loop reaches at most 61 within 10m\n");
}

static void without_the_engines_waits_nearly_all_is_in_reach(void **state)
{
	(void)state;
	assert_warned("[defaults]\nrestarts = 100/60s\n", "");
	assert_warned("[defaults]\nrestarts = 50/2s\n",
		      "warning: seadog.conf:2: restarts: 50/2s can never trip: no Engine "
		      "restarts a container so often\n");
}

static void a_rate_behind_another_that_always_trips_first_is_no_rule(void **state)
{
	(void)state;
	assert_warned("[defaults]\nrestarts = 5/60s, 5/60s, 3/10s, 20/30s\noom = 3/1h, 4/10m\n",
		      "warning: seadog.conf:2: restarts: 5/60s never trips, 5/60s always has before it\n"
		      "warning: seadog.conf:2: restarts: 20/30s never trips, 5/60s always has before it\n"
		      "warning: seadog.conf:3: oom: 4/10m never trips, 3/1h always has before it\n");
	assert_warned("[policy web]\nflapping = 6/30s\n", "warning: seadog.conf:2: flapping: 6/30s never trips alone, "
							  "restarts = 5/60s always has before it\n");
}

static void exit_codes_that_are_ignored_trip_nothing(void **state)
{
	(void)state;
	assert_warned("[defaults]\nexit = 1, 2\nignore_exit = 0-9\n",
		      "warning: seadog.conf:2: exit: exit can never trip: ignore_exit takes away all of its codes\n");
	assert_warned(
		"[defaults]\nexit = 1, 2\n[container web]\nignore_exit = 1-2\n",
		"warning: seadog.conf:4: ignore_exit: exit can never trip: ignore_exit takes away all of its codes\n");
	assert_warned("[defaults]\nexit = 1, 2\nignore_exit = 1\n", "");
	assert_warned(
		"[policy web]\nignore_exit = 0-255\n",
		"warning: seadog.conf:2: ignore_exit: no exit code is left that counts as a crash: restarts, flapping "
		"and exit can never trip\n");
	assert_warned("[policy web]\nexit = 1-255\n",
		      "warning: seadog.conf:2: exit: trips at any crash, name the codes that are beyond hope\n");
}

static void a_ladder_for_a_trigger_that_is_off_is_never_used(void **state)
{
	(void)state;
	assert_warned("[defaults]\non_exit = stop\n",
		      "warning: seadog.conf:2: on_exit: exit is off, so this is never used\n");
	assert_warned("[defaults]\nunhealthy = off\nrestarts = none\ndown = 0\noom = off\nflapping = off\n"
		      "[policy web]\non_unhealthy = stop\non_restarts = stop\non_down = stop\non_oom = stop\n"
		      "on_flapping = stop\n",
		      "warning: seadog.conf:8: on_unhealthy: unhealthy is off, so this is never used\n"
		      "warning: seadog.conf:9: on_restarts: restarts is off, so this is never used\n"
		      "warning: seadog.conf:10: on_down: down is off, so this is never used\n"
		      "warning: seadog.conf:11: on_oom: oom is off, so this is never used\n"
		      "warning: seadog.conf:12: on_flapping: flapping is off, so this is never used\n");
}

static void a_ladder_for_a_trigger_that_another_section_switches_on_is_fine(void **state)
{
	(void)state;
	assert_warned("[defaults]\non_exit = notify\n[policy web]\nexit = 3\n", "");
	assert_warned("[policy web]\nmatch = name:web\nexit = 3\n[container web]\non_exit = notify\n", "");
	assert_warned("[policy web]\non_exit = notify\n[policy db]\nexit = 3\n",
		      "warning: seadog.conf:2: on_exit: exit is off, so this is never used\n");
}

static void a_policy_behind_one_that_takes_everything_is_never_asked(void **state)
{
	(void)state;
	assert_warned("[policy all]\nmatch = project:x, name:*\n[policy web]\nmatch = name:web\n",
		      "warning: seadog.conf:4: match is never asked, as [policy all] before it takes everything\n");
	assert_warned("[policy web]\nmatch = name:web\n[policy all]\nmatch = name:*\n", "");
}

static void what_is_built_in_is_not_complained_about(void **state)
{
	(void)state;
	assert_warned("", "");
	assert_warned("[defaults]\n[policy a]\n[container b]\n", "");
	assert_warned("[defaults]\nrestarts = 10/1h\n", "");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(one_restart_is_no_loop),
		STORY(ten_crashes_in_a_minute_are_the_most_that_the_engine_lets_happen),
		STORY(without_the_engines_waits_nearly_all_is_in_reach),
		STORY(a_rate_behind_another_that_always_trips_first_is_no_rule),
		STORY(exit_codes_that_are_ignored_trip_nothing),
		STORY(a_ladder_for_a_trigger_that_is_off_is_never_used),
		STORY(a_ladder_for_a_trigger_that_another_section_switches_on_is_fine),
		STORY(a_policy_behind_one_that_takes_everything_is_never_asked),
		STORY(what_is_built_in_is_not_complained_about),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
