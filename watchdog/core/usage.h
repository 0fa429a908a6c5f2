/* usage.h: what is made of the samples of a container (sample.h): for how long it has been over its limits.
 *
 * A limit with a time, such as "90% for 60s", means without a break, and what dances around the limit shall neither trip
 * by one peak after the other nor begin anew for ever. The release level lies a twentieth below the limit.
 *
 *   - It is over from the first look at or above the limit. One look below the release level ends that; so does a
 *     quarter of the time spent between the two without touching the limit again. A shorter dip does not.
 *   - It trips at a look at or above the limit, when it has been over for the whole time.
 *   - What has tripped holds until it was below the release level for a quarter of the time without a break, or below
 *     the limit for the whole time.
 *   - Where no look was taken for longer than a few intervals (seadog was stopped, the machine slept), nobody knows
 *     what happened in between: what has not tripped yet begins anew.
 *
 * Each run of a container is another cgroup: what was known of the last run is forgotten.
 */
#ifndef WATCHDOG_CORE_USAGE_H
#define WATCHDOG_CORE_USAGE_H

#include "curve.h"
#include "forecast.h"
#include <watchdog/policy.h>
#include <watchdog/sample.h>

struct wd_over {
	wd_time since; /* WD_NEVER: it is not over; in the future: counted only from then on */
	wd_time last;  /* when it was last at or above the limit */
	wd_time below; /* since when it is below the release level; WD_NEVER */
	bool held;     /* it has tripped, and has not cleared since */
	bool settled;  /* an incident was closed over it, to no avail: it must clear before it trips again */
};

/* The limits that a policy may set, each with its own wd_over. */
enum {
	WD_LIMIT_MEMORY,
	WD_LIMIT_CPU,
	WD_LIMIT_PIDS,
	WD_LIMIT_PRESSURE,
	WD_LIMITS = WD_LIMIT_PRESSURE + WD_PRESSURES_MAX
};

/* Where its memory is heading; only where the policy asks. What has tripped holds until the limit was more than one and
 * a half horizons away, or there was no trend any more, for a while. */
struct wd_leak {
	struct wd_trend trend;
	struct wd_forecast seen; /* at the last point; span 0: no trend */
	wd_time clear_since;     /* WD_NEVER: it has not begun to clear */
	wd_time not_before;      /* an action failed: it trips from then on */
	bool held, settled;
};

struct wd_usage {
	struct wd_sample sample; /* the last; at WD_NEVER: none in this run */
	double cpus;
	struct wd_over overs[WD_LIMITS];
	struct wd_leak *leak;  /* or NULL */
	struct wd_curve curve; /* goes on over runs */
	/* the kernel's count of OOM kills, squared with what was told (crash.c) */
	bool oom_known;
	uint64_t oom_base;   /* of the count: what was before anybody watched */
	wd_time oom_at;      /* when it was last looked at; WD_NEVER */
	wd_time oom_sure_at; /* when the account was last right */
	wd_time oom_owed_at; /* when what is missing counts; WD_NEVER: nothing is */
};

struct wd_over wd_over_none(void);
/* One more look: `now` against `limit`, at that moment. */
void wd_over_take(struct wd_over *over, double now, double limit, wd_time span, wd_time at);
/* A gap in the looks: what has not tripped is begun anew. */
void wd_over_break(struct wd_over *over);

/* What a limit compares: false where it is off, or nothing is known (yet), or there is nothing to hold it against. */
struct wd_comparison {
	double now, limit, whole; /* whole: what a ratio is of */
	const struct wd_level *level;
};
bool wd_usage_compare(const struct wd_policy *policy, const struct wd_usage *usage, unsigned which,
		      struct wd_comparison *ret_comparison);
const struct wd_level *wd_usage_level(const struct wd_policy *policy, unsigned which);
enum wd_trigger wd_usage_trigger(unsigned which);

#endif
