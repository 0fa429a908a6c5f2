#include "forecast.h"

#include <string.h>

#define LEAST_WINDOW (2 * WD_MINUTE)
#define LEAST_POINTS 12
#define TENTH (100 * WD_MILLISECOND)
#define NEAR (10 * WD_MINUTE)
#define UNSEEN_DAY (2 * WD_HOUR) /* how far is looked ahead before a day was seen, */
#define SEEN_DAY (26 * WD_HOUR)  /* which is over by then */
#define SLOPES (WD_TREND_POINTS * (WD_TREND_POINTS - 1) / 2)

/* Points as they are computed with: seconds behind the first look, bytes; single peaks are smoothed away. */
struct series {
	double at[WD_TREND_POINTS], level[WD_TREND_POINTS];
	unsigned count;
};

/* --- points ------------------------------------------------------------------------------------------------------------- */

void wd_trend_begin(struct wd_trend *trend)
{
	*trend = (struct wd_trend){.since = WD_NEVER};
}

static wd_time window_of(wd_time horizon)
{
	return horizon > LEAST_WINDOW ? horizon : LEAST_WINDOW;
}

static wd_time last_at(const struct wd_trend *trend)
{
	return trend->since + trend->points[trend->count - 1].at * TENTH;
}

bool wd_trend_due(const struct wd_trend *trend, wd_time horizon, wd_time interval, wd_time now)
{
	return trend->count == 0 || now - last_at(trend) >= window_of(horizon) / WD_TREND_POINTS - interval / 2;
}

/* The oldest point goes, but how high it was is remembered for a day or two. */
static void drop_oldest(struct wd_trend *trend, wd_time at)
{
	uint32_t level = trend->points[0].kibibytes;

	if (at - trend->day >= WD_DAY) {
		trend->highest[1] = trend->highest[0];
		trend->highest[0] = 0;
		trend->day = at;
	}
	if (level > trend->highest[0])
		trend->highest[0] = level;
	memmove(trend->points, trend->points + 1, --trend->count * sizeof(trend->points[0]));
}

void wd_trend_add(struct wd_trend *trend, wd_time horizon, wd_time at, uint64_t bytes)
{
	if (trend->count && at - last_at(trend) > window_of(horizon) / 4)
		wd_trend_begin(trend);
	if (trend->since == WD_NEVER)
		trend->since = trend->day = at;
	if ((at - trend->since) / TENTH > UINT32_MAX)
		wd_trend_begin(trend), trend->since = trend->day = at;
	if (trend->count == WD_TREND_POINTS)
		drop_oldest(trend, at);
	trend->points[trend->count].at = (uint32_t)((at - trend->since) / TENTH);
	trend->points[trend->count++].kibibytes = bytes / 1024 < UINT32_MAX ? (uint32_t)(bytes / 1024) : UINT32_MAX;
}

/* --- medians ------------------------------------------------------------------------------------------------------------ */

static void swap(double *one, double *two)
{
	double kept = *one;

	*one = *two;
	*two = kept;
}

/* The value that has `rank` others below it (Hoare's selection). Moves them about. */
static double select_rank(double *values, unsigned count, unsigned rank)
{
	unsigned low = 0, high = count - 1;

	while (low < high) {
		double pivot = values[low + (high - low) / 2];
		unsigned left = low, right = high;
		while (left <= right) {
			while (values[left] < pivot)
				left++;
			while (values[right] > pivot)
				right--;
			if (left <= right) {
				swap(&values[left++], &values[right]);
				if (right == 0)
					break;
				right--;
			}
		}
		if (rank <= right && right < high)
			high = right;
		else if (rank >= left)
			low = left;
		else
			break;
	}
	return values[rank];
}

static double median(double *values, unsigned count)
{
	double upper = select_rank(values, count, count / 2);

	return count % 2 ? upper : (upper + select_rank(values, count, count / 2 - 1)) / 2;
}

static double middle_of(double one, double two, double three)
{
	double values[] = {one, two, three};

	return median(values, 3);
}

static double median_of(const double *values, unsigned from, unsigned to)
{
	double copy[WD_TREND_POINTS];

	memcpy(copy, values + from, (to - from) * sizeof(*values));
	return median(copy, to - from);
}

/* --- a series ----------------------------------------------------------------------------------------------------------- */

static void read_series(const struct wd_trend *trend, unsigned first, struct series *series)
{
	double raw[WD_TREND_POINTS];

	series->count = trend->count - first;
	for (unsigned i = 0; i < series->count; i++) {
		series->at[i] = trend->points[first + i].at / 10.0;
		raw[i] = 1024.0 * trend->points[first + i].kibibytes;
	}
	for (unsigned i = 0; i < series->count; i++)
		series->level[i] =
			i == 0 || i + 1 == series->count ? raw[i] : middle_of(raw[i - 1], raw[i], raw[i + 1]);
}

static double span_of(const struct series *series)
{
	return series->at[series->count - 1] - series->at[0];
}

static double slope_of(const struct series *series)
{
	double slopes[SLOPES];
	unsigned count = 0;

	for (unsigned i = 0; i < series->count; i++)
		for (unsigned j = i + 1; j < series->count; j++)
			if (series->at[j] > series->at[i])
				slopes[count++] =
					(series->level[j] - series->level[i]) / (series->at[j] - series->at[i]);
	return count ? median(slopes, count) : 0;
}

static double base_of(const struct series *series, double slope)
{
	double rests[WD_TREND_POINTS];

	for (unsigned i = 0; i < series->count; i++)
		rests[i] = series->level[i] - slope * series->at[i];
	return median(rests, series->count);
}

static double distance_from(const struct series *series, double base, double slope)
{
	double distances[WD_TREND_POINTS];

	for (unsigned i = 0; i < series->count; i++) {
		double distance = series->level[i] - base - slope * series->at[i];
		distances[i] = distance < 0 ? -distance : distance;
	}
	return median(distances, series->count);
}

static bool gives_back(const struct series *series, double most)
{
	double highest = series->level[0];

	for (unsigned i = 1; i < series->count; i++) {
		if (series->level[i] > highest)
			highest = series->level[i];
		if (highest - series->level[i] > most)
			return true;
	}
	return false;
}

/* It lags behind its line. */
static bool has_stopped(const struct series *series, double start, double growth)
{
	unsigned last = series->count - 1;

	return start + growth - middle_of(series->level[last - 2], series->level[last - 1], series->level[last]) >
	       growth / 8;
}

/* The medians of its thirds tell how it grows: *ret_recent is the gain a second of the last. */
static bool grows_evenly(const struct series *series, double *ret_recent)
{
	unsigned third = series->count / 3;
	double first = median_of(series->level, 0, third);
	double second = median_of(series->level, third, series->count - third);
	double last = median_of(series->level, series->count - third, series->count);

	if (second <= first || last - second < 0.85 * (second - first) || last - second > 2 * (second - first))
		return false;
	*ret_recent = (last - second) / (span_of(series) / 3);
	return true;
}

/* The highest that it ever was before. */
static double highest_before(const struct wd_trend *trend, unsigned first)
{
	uint32_t highest = trend->highest[0] > trend->highest[1] ? trend->highest[0] : trend->highest[1];

	for (unsigned i = 0; i < first; i++)
		if (trend->points[i].kibibytes > highest)
			highest = trend->points[i].kibibytes;
	return 1024.0 * highest;
}

static wd_time seconds(double count)
{
	return count > 1e9 ? WD_NEVER : (wd_time)(count * (double)WD_SECOND);
}

/* The series from `first` on, as a leak: what it is, and in *ret_near how far the limit is by the more careful slope. */
static bool is_leak(const struct wd_trend *trend, unsigned first, double limit, struct wd_forecast *ret_forecast,
		    wd_time *ret_near)
{
	struct series series;
	double recent;

	read_series(trend, first, &series);
	if (!grows_evenly(&series, &recent))
		return false;
	double slope = slope_of(&series), base = base_of(&series, slope);
	double growth = slope * span_of(&series), start = base + slope * series.at[0];
	if (slope <= 0 || growth < limit / 100 || gives_back(&series, growth / 4) ||
	    has_stopped(&series, start, growth) || highest_before(trend, first) > start + growth / 2 ||
	    distance_from(&series, base, slope) > growth / 10)
		return false;
	double way = limit - start - growth;
	if (way < 0)
		way = 0;
	*ret_forecast = (struct wd_forecast){
		.left = seconds(way / slope), .rate_bytes = slope, .span = seconds(span_of(&series))};
	*ret_near = seconds(way / (recent < slope ? recent : slope));
	return true;
}

/* The first point of the last half of the window. */
static unsigned half_of(const struct wd_trend *trend, wd_time window)
{
	unsigned first = trend->count - 1;
	wd_time half = trend->points[first].at * TENTH - window / 2;

	while (first > 0 && trend->points[first].at * TENTH > half)
		first--;
	return first;
}

/* For how long it must have been watched. */
static wd_time acquaintance(wd_time horizon)
{
	if (horizon <= NEAR)
		return horizon;
	return 4 * horizon < WD_DAY ? 4 * horizon : WD_DAY;
}

bool wd_trend_forecast(const struct wd_trend *trend, wd_time horizon, uint64_t limit_bytes,
		       struct wd_forecast *ret_forecast)
{
	struct wd_forecast found = {0};
	wd_time near = WD_NEVER;

	*ret_forecast = found;
	if (trend->count < LEAST_POINTS)
		return false;
	wd_time watched = last_at(trend) - trend->since;
	wd_time ahead = watched < SEEN_DAY && horizon > UNSEEN_DAY ? UNSEEN_DAY : horizon;
	unsigned half = half_of(trend, window_of(horizon));
	if (watched < window_of(horizon) / 2)
		return false;
	if (!is_leak(trend, 0, (double)limit_bytes, &found, &near) &&
	    (trend->count - half < LEAST_POINTS || !is_leak(trend, half, (double)limit_bytes, &found, &near)))
		return false;
	*ret_forecast = found;
	return watched >= acquaintance(horizon) && near <= ahead;
}
