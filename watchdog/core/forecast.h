/* forecast.h: whether the memory of a container is heading for its limit, and when it arrives. Pure.
 *
 * Kept is a point now and then, WD_TREND_POINTS of them, over a window as long as the forecast looks ahead (at least two
 * minutes). Its last half, or the whole of it, is a leak if
 *
 *   - the container was watched for as long as the forecast looks ahead, or, for more than ten minutes ahead, four times
 *     as long, a day at the most: so that a first slow tooth of a saw is over. What grows evenly from its start for
 *     longer than that, and then stops by itself, cannot be told from a leak;
 *   - it grows by a hundredth of the limit at least, and evenly: from third to third (medians, so that single peaks do
 *     not matter), the last gain no smaller than 0.85 of the one before. A warm-up that slows down is none;
 *   - it never gives back more than a quarter of what it took: a collector does;
 *   - half of what it gained is new ground: it was not there before within one or two days. What comes back every hour,
 *     or every day, is a rhythm. Before a day was seen, nothing that lies more than two hours ahead is said;
 *   - the line fits: its slope is the median of all slopes between two points (Theil, Sen), which a quarter of wild
 *     points does not move, and the median distance of points from it is below a tenth of the growth.
 *
 * The limit is then (limit - line now) / slope away. Whether that is near enough is judged by the smaller of that slope
 * and that of the last third.
 */
#ifndef WATCHDOG_CORE_FORECAST_H
#define WATCHDOG_CORE_FORECAST_H

#include <watchdog/time.h>

#define WD_TREND_POINTS 48

struct wd_trend {
	wd_time since; /* the first look; WD_NEVER: none yet */
	wd_time day;   /* when `highest` was last moved on */
	unsigned count;
	struct {
		uint32_t at;        /* tenths of a second behind `since` */
		uint32_t kibibytes; /* the working set */
	} points[WD_TREND_POINTS];  /* oldest first */
	uint32_t highest[2];        /* of what has left the points: since `day`, and in the day before */
};

struct wd_forecast {
	wd_time left;      /* until the limit is reached; 0: now */
	double rate_bytes; /* per second */
	wd_time span;      /* for how long it has grown so */
};

void wd_trend_begin(struct wd_trend *trend);
/* Whether a look now gives a point; `interval` is how often looks are taken. */
bool wd_trend_due(const struct wd_trend *trend, wd_time horizon, wd_time interval, wd_time now);
/* A gap in the looks ends what is known. */
void wd_trend_add(struct wd_trend *trend, wd_time horizon, wd_time at, uint64_t bytes);
/* Whether there is a trend that reaches the limit within the horizon. Where there is a trend at all, *ret_forecast says
 * what it is (its span is 0 otherwise). */
bool wd_trend_forecast(const struct wd_trend *trend, wd_time horizon, uint64_t limit_bytes,
		       struct wd_forecast *ret_forecast);

#endif
