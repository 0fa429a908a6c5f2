/* When a schedule is due, over changes of the clocks as the time zone database has them. */
#include "../../watchdog/config/config.h"

#include <stdlib.h>
#include <string.h>
#include <support/unit.h>
#include <time.h>
#include <watchdog/calendar.h>

static int64_t ahead_of(const void *data, int64_t second)
{
	time_t moment = (time_t)second;
	struct tm wall;

	(void)data;
	localtime_r(&moment, &wall);
	return wall.tm_gmtoff;
}

static const struct wd_zone zone = {.ahead = ahead_of};

static void live_in(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static struct wd_schedule schedule_of(const char *text)
{
	struct wd_schedule schedule;
	struct wd_error error = {0};

	if (!wd_kind_schedule.parse(wd_option_find("policy", "snapshot_schedule"), text, &schedule, &error))
		fail_msg("%s: %s", text, error.text);
	return schedule;
}

static wd_stamp stamp_of(const char *text)
{
	wd_stamp stamp;

	assert_true(wd_stamp_parse(text, &stamp, NULL));
	return stamp;
}

/* The moments at which it is due behind `after`, in UTC as far as the minute, "never" at the end of all. */
static void assert_due(const char *where, const char *text, const char *after, const char *expected)
{
	struct wd_schedule schedule = schedule_of(text);
	struct wd_text found = {0};
	wd_stamp at = stamp_of(after);
	char moment[WD_TIME_TEXT];

	live_in(where);
	for (const char *rest = expected; rest; rest = strchr(rest, ' ') ? strchr(rest, ' ') + 1 : NULL) {
		at = wd_schedule_next(&schedule, &zone, at);
		wd_text_print(&found, "%s%.16s", found.length ? " " : "",
			      at == WD_NEVER ? "never" : wd_stamp_print(at, moment));
		if (at == WD_NEVER)
			break;
	}
	if (strcmp(wd_text_get(&found), expected) != 0)
		fail_msg("%s, %s behind %s: %s instead of %s", where, text, after, wd_text_get(&found), expected);
	wd_text_done(&found);
}

static void it_is_due_at_its_minutes(void **state)
{
	(void)state;
	assert_due("UTC", "off", "2026-01-01T00:00:00Z", "never");
	assert_due("UTC", "hourly", "2026-01-01T23:10:00Z", "2026-01-02T00:00 2026-01-02T01:00");
	assert_due("UTC", "daily 03:00", "2026-01-01T02:59:59.999999999Z", "2026-01-01T03:00 2026-01-02T03:00");
	assert_due("UTC", "daily 03:00", "2026-01-01T03:00:00Z", "2026-01-02T03:00");
	assert_due("UTC", "*/20 6-7 * * *", "2026-01-01T06:30:00Z",
		   "2026-01-01T06:40 2026-01-01T07:00 2026-01-01T07:20 2026-01-01T07:40 2026-01-02T06:00");
	assert_due("UTC", "50/5 23 * * *", "2026-01-01T00:00:00Z",
		   "2026-01-01T23:50 2026-01-01T23:55 2026-01-02T23:50");
	assert_due("UTC", "59 23 31 dec *", "2026-01-01T00:00:00Z", "2026-12-31T23:59 2027-12-31T23:59");
	assert_due("Asia/Kathmandu", "daily 00:00", "2026-01-01T00:00:00Z", "2026-01-01T18:15 2026-01-02T18:15");
	assert_due("UTC", "daily 03:00", "1969-12-30T12:00:00Z", "1969-12-31T03:00 1970-01-01T03:00");
}

static void it_is_due_on_its_days(void **state)
{
	(void)state;
	assert_due("UTC", "0 3 31 * *", "2026-01-31T03:00:00Z", "2026-03-31T03:00 2026-05-31T03:00 2026-07-31T03:00");
	assert_due("UTC", "0 3 29 2 *", "2025-03-01T00:00:00Z", "2028-02-29T03:00 2032-02-29T03:00");
	assert_due("UTC", "0 3 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T03:00");
	assert_due("UTC", "0 0 * * 7", "2026-11-20T00:00:00Z", "2026-11-22T00:00 2026-11-29T00:00");
	assert_due("UTC", "0 0 * * mon-fri", "2026-11-20T00:00:00Z", "2026-11-23T00:00 2026-11-24T00:00");
	/* A day of the month or one of the week; both, where one of them begins with a star. */
	assert_due("UTC", "0 0 13 * fri", "2026-11-01T00:00:00Z", "2026-11-06T00:00 2026-11-13T00:00 2026-11-20T00:00");
	assert_due("UTC", "0 0 30 2 mon", "2026-02-01T00:00:00Z", "2026-02-02T00:00 2026-02-09T00:00");
	assert_due("UTC", "0 0 13 * */5", "2026-01-14T00:00:00Z", "2026-02-13T00:00 2026-03-13T00:00 2026-09-13T00:00");
	assert_due("UTC", "0 0 29 2 */7", "2026-01-01T00:00:00Z", "2032-02-29T00:00 2060-02-29T00:00");
}

/* 2026-03-29 02:00 -> 03:00 (01:00 UTC), 2026-10-25 03:00 -> 02:00 (01:00 UTC). */
static void clocks_are_changed_in_berlin(void **state)
{
	(void)state;
	const char *here = "Europe/Berlin";
	assert_due(here, "daily 02:30", "2026-03-28T00:00:00Z", "2026-03-28T01:30 2026-03-29T01:00 2026-03-30T00:30");
	assert_due(here, "daily 02:30", "2026-10-24T00:00:00Z", "2026-10-24T00:30 2026-10-25T00:30 2026-10-26T01:30");
	assert_due(here, "daily 03:00", "2026-03-28T00:00:00Z", "2026-03-28T02:00 2026-03-29T01:00 2026-03-30T01:00");
	assert_due(here, "daily 03:00", "2026-10-24T00:00:00Z", "2026-10-24T01:00 2026-10-25T02:00 2026-10-26T02:00");
	assert_due(here, "10,50 2,3 * * *", "2026-03-29T00:00:00Z",
		   "2026-03-29T01:00 2026-03-29T01:10 2026-03-29T01:50");
	assert_due(here, "hourly", "2026-03-28T23:30:00Z", "2026-03-29T00:00 2026-03-29T01:00 2026-03-29T02:00");
	assert_due(here, "hourly", "2026-10-24T23:30:00Z", "2026-10-25T00:00 2026-10-25T01:00 2026-10-25T02:00");
	assert_due(here, "*/30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:00 2026-03-30T00:30");
	assert_due(here, "*/30 2 * * *", "2026-10-24T12:00:00Z",
		   "2026-10-25T00:00 2026-10-25T00:30 2026-10-25T01:00 2026-10-25T01:30 2026-10-26T01:00");
	assert_due(here, "30 2 29 3 *", "2026-03-01T00:00:00Z", "2026-03-29T01:00 2027-03-29T00:30");
	assert_due(here, "0 4 * * *", "2026-03-28T12:00:00Z", "2026-03-29T02:00 2026-03-30T02:00");
}

/* 2026-03-08 02:00 -> 03:00 (07:00 UTC), 2026-11-01 02:00 -> 01:00 (06:00 UTC). */
static void clocks_are_changed_in_new_york(void **state)
{
	(void)state;
	const char *here = "America/New_York";
	assert_due(here, "daily 02:00", "2026-03-07T12:00:00Z", "2026-03-08T07:00 2026-03-09T06:00");
	assert_due(here, "daily 02:59", "2026-03-07T12:00:00Z", "2026-03-08T07:00 2026-03-09T06:59");
	assert_due(here, "daily 01:30", "2026-10-31T12:00:00Z", "2026-11-01T05:30 2026-11-02T06:30");
	assert_due(here, "daily 02:00", "2026-10-31T12:00:00Z", "2026-11-01T07:00 2026-11-02T07:00");
	assert_due(here, "hourly", "2026-11-01T04:30:00Z", "2026-11-01T05:00 2026-11-01T06:00 2026-11-01T07:00");
}

/* Half an hour: 2026-10-04 02:00 -> 02:30 (2026-10-03 15:30 UTC), 2026-04-05 02:00 -> 01:30 (2026-04-04 15:00 UTC). */
static void clocks_are_changed_by_half_an_hour(void **state)
{
	(void)state;
	const char *here = "Australia/Lord_Howe";
	assert_due(here, "daily 02:15", "2026-10-03T00:00:00Z", "2026-10-03T15:30 2026-10-04T15:15");
	assert_due(here, "daily 01:45", "2026-04-04T00:00:00Z", "2026-04-04T14:45 2026-04-05T15:15");
	assert_due(here, "daily 02:00", "2026-04-03T16:00:00Z", "2026-04-04T15:30 2026-04-05T15:30");
}

/* Beirut changes at midnight, from one day to the same; Samoa left out a whole day, which is no change of the clocks. */
static void days_that_begin_late_or_never(void **state)
{
	(void)state;
	assert_due("Asia/Beirut", "daily 00:00", "2026-03-27T12:00:00Z",
		   "2026-03-27T22:00 2026-03-28T22:00 2026-03-29T21:00");
	assert_due("Asia/Beirut", "30 0 29 3 *", "2026-03-01T00:00:00Z", "2026-03-28T22:00 2027-03-28T21:30");
	assert_due("Pacific/Apia", "daily 12:00", "2011-12-29T00:00:00Z", "2011-12-29T22:00 2011-12-30T22:00");
}

static void days_weeks_and_months_are_those_of_the_wall(void **state)
{
	(void)state;
	live_in("Europe/Berlin");
	struct wd_dates before = wd_dates_of(&zone, stamp_of("2026-11-22T22:59:59Z")); /* Sunday */
	struct wd_dates behind = wd_dates_of(&zone, stamp_of("2026-11-22T23:00:00Z")); /* Monday */
	assert_int_equal(behind.day, before.day + 1);
	assert_int_equal(behind.week, before.week + 1);
	assert_int_equal(behind.month, before.month);
	before = wd_dates_of(&zone, stamp_of("2026-12-31T22:59:59Z"));
	behind = wd_dates_of(&zone, stamp_of("2026-12-31T23:00:00Z"));
	assert_int_equal(behind.month, before.month + 1);
	assert_int_equal(behind.week, before.week);
	before = wd_dates_of(&zone, stamp_of("1969-12-28T22:00:00Z")); /* Sunday */
	behind = wd_dates_of(&zone, stamp_of("1970-01-01T00:00:00Z")); /* Thursday */
	assert_int_equal(behind.day, 0);
	assert_int_equal(before.day, -4);
	assert_int_equal(behind.week, before.week + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_due_at_its_minutes),
		cmocka_unit_test(it_is_due_on_its_days),
		cmocka_unit_test(clocks_are_changed_in_berlin),
		cmocka_unit_test(clocks_are_changed_in_new_york),
		cmocka_unit_test(clocks_are_changed_by_half_an_hour),
		cmocka_unit_test(days_that_begin_late_or_never),
		cmocka_unit_test(days_weeks_and_months_are_those_of_the_wall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
