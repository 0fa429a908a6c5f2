/* Forecasts on a day of looks, one each two seconds, of what memory does: leaks, and what looks like one for a while. */
#include "../../watchdog/core/forecast.h"

#include <math.h>
#include <stdio.h>
#include <support/unit.h>

#define MIB 1048576.0
#define LIMIT (128 * MIB)
#define STEP (2 * WD_SECOND)
#define BASE (1000 * WD_HOUR)

typedef double level(double seconds);

static uint64_t chance = 1;

static double noise(double most)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return most * ((double)(chance >> 40) / (1 << 23) - 1);
}

/* When it alarms first, in seconds; -1: never. *ret_forecast: what it says then. */
static double alarm_of(level *series, double seconds, wd_time horizon, double limit, struct wd_forecast *ret_forecast)
{
	struct wd_trend trend;
	chance = 1;
	wd_trend_begin(&trend);
	for (wd_time at = 0; at <= (wd_time)(seconds * (double)WD_SECOND); at += STEP) {
		if (!wd_trend_due(&trend, horizon, STEP, BASE + at))
			continue;
		double bytes = series((double)at / (double)WD_SECOND);
		wd_trend_add(&trend, horizon, BASE + at, (uint64_t)(bytes < limit ? bytes : limit));
		if (wd_trend_forecast(&trend, horizon, (uint64_t)limit, ret_forecast))
			return (double)at / (double)WD_SECOND;
	}
	return -1;
}

static const wd_time horizons[] = {WD_MINUTE,   5 * WD_MINUTE, 10 * WD_MINUTE, 30 * WD_MINUTE,
				   2 * WD_HOUR, 6 * WD_HOUR,   WD_DAY};

static void assert_silent(const char *name, level *series)
{
	for (size_t i = 0; i < sizeof(horizons) / sizeof(horizons[0]); i++) {
		struct wd_forecast said;
		char horizon[WD_TIME_TEXT];
		double at = alarm_of(series, (horizons[i] > WD_HOUR ? 3 : 1) * 86400, horizons[i], LIMIT, &said);
		if (at >= 0)
			fail_msg("%s: an alarm after %.0fs with a horizon of %s: in %.0fs, %.0f bytes/s for %.0fs",
				 name, at, wd_span_print(horizons[i], horizon), (double)said.left / (double)WD_SECOND,
				 said.rate_bytes, (double)said.span / (double)WD_SECOND);
	}
}

/* Says it at the moment that the horizon asks for, give or take a tenth, and tells when within a tenth. */
static void assert_foretold(level *series, double limit, double end, wd_time horizon)
{
	struct wd_forecast said = {0};
	double at = alarm_of(series, end, horizon, limit, &said);
	double left = end - at, told = (double)said.left / (double)WD_SECOND;
	if (at < 0)
		fail_msg("nothing was said");
	if (fabs(told - left) > 0.1 * left)
		fail_msg("after %.0fs it says %.0fs, but %.0fs are left", at, told, left);
	if (left < 0.85 * (double)horizon / (double)WD_SECOND && at > 1.2 * (double)horizon / (double)WD_SECOND)
		fail_msg("said only %.0fs ahead", left);
}

/* --- leaks -------------------------------------------------------------------------------------------------------------- */

static double leak_from_the_start(double seconds)
{
	return 40 * MIB + MIB * seconds + noise(0.5 * MIB);
}

static double leak_after_hours(double seconds)
{
	return 300 * MIB + noise(3 * MIB) + (seconds > 20000 ? MIB * (seconds - 20000) : 0);
}

static double leak_with_garbage(double seconds)
{
	return 200 * MIB + MIB * seconds + 30 * MIB * fmod(seconds, 41) / 41;
}

static double slow_leak(double seconds)
{
	return 40 * MIB + 4 * MIB * seconds / 3600 + noise(0.3 * MIB);
}

static void a_leak_of_a_mebibyte_a_second_is_foretold_minutes_ahead(void **state)
{
	(void)state;
	assert_foretold(leak_from_the_start, 1024 * MIB, 984, 5 * WD_MINUTE);
	assert_foretold(leak_from_the_start, 1024 * MIB, 984, 7 * WD_MINUTE);
	assert_foretold(leak_from_the_start, 512 * MIB, 472, 2 * WD_MINUTE);
	assert_foretold(leak_from_the_start, 128 * MIB, 88, WD_MINUTE);
	assert_foretold(leak_after_hours, 1024 * MIB, 20724, 5 * WD_MINUTE);
	assert_foretold(leak_with_garbage, 1024 * MIB, 794, 5 * WD_MINUTE);
}

static void a_slow_leak_is_foretold_hours_ahead(void **state)
{
	(void)state;
	assert_foretold(slow_leak, LIMIT, 22 * 3600, 2 * WD_HOUR);
	assert_foretold(slow_leak, 256 * MIB, 54 * 3600, 12 * WD_HOUR);
}

static void what_is_far_is_not_said(void **state)
{
	struct wd_forecast said;
	(void)state;
	assert_true(alarm_of(leak_from_the_start, 500, 5 * WD_MINUTE, 4096 * MIB, &said) < 0);
	assert_true(said.span > 0); /* but there is a trend */
	assert_true(fabs(said.rate_bytes - MIB) < 0.05 * MIB);
}

/* --- what is none ------------------------------------------------------------------------------------------------------- */

static double saw(double seconds, double period, double from, double to)
{
	return MIB * (from + (to - from) * fmod(seconds, period) / period);
}

static double garbage_of_seconds(double seconds)
{
	return saw(seconds, 7, 50, 110) + noise(2 * MIB);
}

static double garbage_of_a_minute(double seconds)
{
	return saw(seconds, 60, 60, 118) + noise(2 * MIB);
}

static double garbage_of_minutes(double seconds)
{
	return saw(seconds, 290, 60, 115) + noise(2 * MIB);
}

/* Its teeth are of different heights. */
static double garbage_of_a_quarter(double seconds)
{
	double tooth = floor(seconds / 900);
	return saw(seconds, 900, 40, 90 + 10 * sin(tooth * 2.1)) + noise(2 * MIB);
}

static double garbage_of_hours(double seconds)
{
	return saw(seconds, 3 * 3600, 50, 100) + saw(seconds, 33, 0, 8) + noise(MIB);
}

static double warm_up(double seconds, double within)
{
	return MIB * (20 + 95 * (1 - exp(-seconds / within))) + noise(0.5 * MIB);
}

static double warm_up_of_a_minute(double seconds)
{
	return warm_up(seconds, 60);
}

static double warm_up_of_minutes(double seconds)
{
	return warm_up(seconds, 600);
}

static double warm_up_of_hours(double seconds)
{
	return warm_up(seconds, 4 * 3600);
}

/* It takes what it wants, and keeps it. */
static double filled_cache(double seconds)
{
	return MIB * (seconds < 50 ? 20 + 2 * seconds : 120) + noise(0.2 * MIB);
}

static double day(double seconds, double begin)
{
	return MIB * (70 + 40 * sin((seconds / 3600 + begin) / 24 * 6.283185)) + noise(2 * MIB);
}

static double day_from_the_morning(double seconds)
{
	return day(seconds, 18);
}

static double day_from_noon(double seconds)
{
	return day(seconds, 0);
}

static double steady(double seconds)
{
	(void)seconds;
	return 120 * MIB + noise(3 * MIB);
}

static double one_step(double seconds)
{
	return MIB * (seconds < 4000 ? 50 : 100) + noise(MIB);
}

static double hourly_job(double seconds)
{
	double minute = fmod(seconds, 3600) / 60;
	return MIB * (30 + (minute < 20 ? 3 * minute : 0)) + noise(MIB);
}

static void garbage_that_is_collected_is_no_leak(void **state)
{
	(void)state;
	assert_silent("garbage of seconds", garbage_of_seconds);
	assert_silent("garbage of a minute", garbage_of_a_minute);
	assert_silent("garbage of minutes", garbage_of_minutes);
	assert_silent("garbage of a quarter of an hour", garbage_of_a_quarter);
	assert_silent("garbage of hours", garbage_of_hours);
}

static void a_cache_that_warms_up_is_no_leak(void **state)
{
	(void)state;
	assert_silent("a minute", warm_up_of_a_minute);
	assert_silent("minutes", warm_up_of_minutes);
	assert_silent("hours", warm_up_of_hours);
	assert_silent("filled", filled_cache);
}

static void what_comes_back_every_day_is_no_leak(void **state)
{
	(void)state;
	assert_silent("from the morning", day_from_the_morning);
	assert_silent("from noon", day_from_noon);
	assert_silent("hourly", hourly_job);
}

static void what_stands_still_is_no_leak(void **state)
{
	(void)state;
	assert_silent("steady", steady);
	assert_silent("a step", one_step);
}

/* --- edges -------------------------------------------------------------------------------------------------------------- */

/* Not known is what happened in a gap: it begins anew. */
static void a_gap_ends_what_is_known(void **state)
{
	struct wd_trend trend;
	struct wd_forecast said;
	(void)state;
	wd_trend_begin(&trend);
	for (wd_time at = 0; at < 5 * WD_MINUTE; at += STEP)
		if (wd_trend_due(&trend, 2 * WD_MINUTE, STEP, BASE + at))
			wd_trend_add(&trend, 2 * WD_MINUTE, BASE + at,
				     (uint64_t)(MIB * (double)at / (double)WD_SECOND));
	assert_true(wd_trend_forecast(&trend, 2 * WD_MINUTE, (uint64_t)(350 * MIB), &said));
	wd_trend_add(&trend, 2 * WD_MINUTE, BASE + WD_HOUR, (uint64_t)(301 * MIB));
	assert_int_equal(trend.count, 1);
	assert_false(wd_trend_forecast(&trend, 2 * WD_MINUTE, (uint64_t)(350 * MIB), &said));
	assert_int_equal(said.span, 0);
}

static void at_the_limit_nothing_is_left(void **state)
{
	struct wd_trend trend;
	struct wd_forecast said;
	(void)state;
	wd_trend_begin(&trend);
	for (int i = 0; i < WD_TREND_POINTS; i++)
		wd_trend_add(&trend, 2 * WD_MINUTE, BASE + i * 4 * WD_SECOND, (uint64_t)i * 4 << 20);
	assert_true(wd_trend_forecast(&trend, 2 * WD_MINUTE, (uint64_t)(100 * MIB), &said));
	assert_int_equal(said.left, 0);
	for (uint64_t i = 0; i < 100; i++) { /* numbers that no machine has */
		wd_trend_add(&trend, 2 * WD_MINUTE, BASE + WD_HOUR + (wd_time)i * 4 * WD_SECOND, UINT64_MAX - i);
		wd_trend_forecast(&trend, 2 * WD_MINUTE, UINT64_MAX, &said);
		wd_trend_forecast(&trend, 2 * WD_MINUTE, 0, &said);
	}
	assert_true(sizeof(trend) <= 512); /* of the 4 KiB that a container may cost */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_of_a_mebibyte_a_second_is_foretold_minutes_ahead),
		cmocka_unit_test(a_slow_leak_is_foretold_hours_ahead),
		cmocka_unit_test(what_is_far_is_not_said),
		cmocka_unit_test(garbage_that_is_collected_is_no_leak),
		cmocka_unit_test(a_cache_that_warms_up_is_no_leak),
		cmocka_unit_test(what_comes_back_every_day_is_no_leak),
		cmocka_unit_test(what_stands_still_is_no_leak),
		cmocka_unit_test(a_gap_ends_what_is_known),
		cmocka_unit_test(at_the_limit_nothing_is_left),
	};
	return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
