/* calendar.h: local days and hours, and when a schedule is due. Pure: the rules of the time zone are told.
 *
 * As cron(8) of Debian does it where clocks are changed by up to three hours. A schedule of fixed times (neither minute
 * nor hour begins with a star) that falls into the hour that is left out is due at the first moment behind it; one that
 * falls into the hour that comes twice is due the first time only. Any other goes by what the clock on the wall says:
 * "hourly" is due once in each hour that really passes.
 */
#ifndef WATCHDOG_CALENDAR_H
#define WATCHDOG_CALENDAR_H

#include <watchdog/policy.h>
#include <watchdog/time.h>

/* How many seconds local time is ahead of UTC at a moment (seconds since 1970). */
struct wd_zone {
	int64_t (*ahead)(const void *data, int64_t second);
	const void *data;
};

/* The first moment behind `after` at which it is due, a whole minute; WD_NEVER: it is off. */
wd_stamp wd_schedule_next(const struct wd_schedule *schedule, const struct wd_zone *zone, wd_stamp after);

/* The local day, week (from Monday) and month of a moment, as numbers that grow with time. */
struct wd_dates {
	int64_t day, week, month;
};
struct wd_dates wd_dates_of(const struct wd_zone *zone, wd_stamp stamp);

#endif
