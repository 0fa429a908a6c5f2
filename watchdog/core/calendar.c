#include <watchdog/calendar.h>

/* All times here are minutes since 1970: UTC, or as the clock on the wall counts them. */
enum {
	HOUR = 60,
	DAY = 24 * HOUR,
	QUARTER = 15,        /* clocks are changed at such a minute, and by such spans */
	CHANGE_MAX = 3 * 60, /* a greater step is no change of the clocks, as with cron */
	YEARS_MAX = 41,      /* a 29th of February on a Sunday: 28 years, 40 over a year like 2100 */
};
#define STAMP_MINUTE ((wd_stamp)60 * 1000000000)

struct date {
	int64_t year;
	unsigned month, day, weekday; /* from 1; Sunday is 0 */
};

static int64_t floor_of(int64_t number, int64_t by)
{
	return number / by - (number % by < 0);
}

static int64_t rest_of(int64_t number, int64_t by)
{
	return number - floor_of(number, by) * by;
}

/* Days since 1970 to a date of the Gregorian calendar; years are counted from March, so that a leap day is the last. */
static struct date date_of(int64_t days)
{
	enum { ERA = 146097, TO_MARCH_0000 = 719468 };
	int64_t era = floor_of(days + TO_MARCH_0000, ERA), of_era = rest_of(days + TO_MARCH_0000, ERA);
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	return (struct date){
		.year = year + era * 400 + (month >= 10),
		.month = (unsigned)(month < 10 ? month + 3 : month - 9),
		.day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
		.weekday = (unsigned)rest_of(days + 4, 7),
	};
}

static int64_t ahead_at(const struct wd_zone *zone, int64_t minute)
{
	return floor_of(zone->ahead(zone->data, minute * 60), 60);
}

/* A day of the month and one of the week are both asked for, unless both are given: then either will do. */
static bool day_matches(const struct wd_schedule *schedule, int64_t wall)
{
	struct date date = date_of(floor_of(wall, DAY));
	bool day = schedule->days >> date.day & 1, weekday = schedule->weekdays >> date.weekday & 1;
	if (!(schedule->months >> date.month & 1))
		return false;
	return schedule->any_day || schedule->any_weekday ? day && weekday : day || weekday;
}

static bool hour_matches(const struct wd_schedule *schedule, int64_t wall)
{
	return schedule->hours >> (rest_of(wall, DAY) / HOUR) & 1;
}

static bool matches(const struct wd_schedule *schedule, int64_t wall)
{
	return (schedule->minutes >> rest_of(wall, HOUR) & 1) && hour_matches(schedule, wall) &&
	       day_matches(schedule, wall);
}

/* The wall's clock said so once before: it was set back since. */
static bool was_before(const struct wd_zone *zone, int64_t minute, int64_t ahead)
{
	int64_t earlier = ahead_at(zone, minute - CHANGE_MAX);
	int64_t same = minute + ahead - earlier;
	return earlier > ahead && same < minute && ahead_at(zone, same) == earlier;
}

static bool is_due(const struct wd_schedule *schedule, const struct wd_zone *zone, int64_t minute)
{
	int64_t ahead = ahead_at(zone, minute), wall = minute + ahead;
	int64_t left_out = ahead - ahead_at(zone, minute - 1);
	if (schedule->any_minute)
		return matches(schedule, wall);
	if (matches(schedule, wall))
		return !was_before(zone, minute, ahead);
	for (int64_t past = 1; left_out <= CHANGE_MAX && past <= left_out; past++)
		if (matches(schedule, wall - past))
			return true;
	return false;
}

/* How far it is safe to go on without a look. Behind what matches, each quarter may begin with a change of the clocks. */
static int64_t stride(const struct wd_schedule *schedule, const struct wd_zone *zone, int64_t minute)
{
	int64_t wall = minute + ahead_at(zone, minute), left = DAY - rest_of(wall, DAY);
	bool settled = rest_of(wall, DAY) > CHANGE_MAX;
	if (settled && left > CHANGE_MAX && !day_matches(schedule, wall))
		return left - CHANGE_MAX;
	return hour_matches(schedule, wall) ? 1 : QUARTER - rest_of(wall, QUARTER);
}

wd_stamp wd_schedule_next(const struct wd_schedule *schedule, const struct wd_zone *zone, wd_stamp after)
{
	int64_t minute = floor_of(after, STAMP_MINUTE) + 1, last = minute + (int64_t)YEARS_MAX * 366 * DAY;
	if (!schedule->on)
		return WD_NEVER;
	for (; minute < last; minute += stride(schedule, zone, minute))
		if (is_due(schedule, zone, minute))
			return minute * STAMP_MINUTE;
	return WD_NEVER;
}

struct wd_dates wd_dates_of(const struct wd_zone *zone, wd_stamp stamp)
{
	int64_t minute = floor_of(stamp, STAMP_MINUTE);
	int64_t days = floor_of(minute + ahead_at(zone, minute), DAY);
	struct date date = date_of(days);
	return (struct wd_dates){.day = days, .week = floor_of(days + 3, 7), .month = date.year * 12 + date.month};
}
