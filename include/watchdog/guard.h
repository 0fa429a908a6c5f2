/* guard.h: the pure machine. It is told facts and gives orders; it has no clock, no file, no socket and no log, so
 * everything that can be argued about is tested with literal times (tests/scenes).
 *
 *     wd_guard_tell(guard, now, &fact);
 *     while (wd_guard_take(guard, &order)) … carry it out …
 *     wd_timer_set(timer, wd_guard_wake(guard));
 */
#ifndef WATCHDOG_GUARD_H
#define WATCHDOG_GUARD_H

#include <watchdog/facts.h>
#include <watchdog/orders.h>
#include <watchdog/settings.h>

struct wd_guard;

/* settings are lent and must outlive the guard or the next wd_guard_configure(). self: the ids and names of containers
 * that are never touched (seadog itself, its proxy); copied. next_incident: the number of the next incident. */
struct wd_guard *wd_guard_new(const struct wd_settings *settings, const struct wd_list *self, int64_t next_incident,
                              wd_time now);
struct wd_guard *wd_guard_free(struct wd_guard *guard);

/* New settings after SIGHUP: policies are resolved anew, windows and incidents stay. */
void wd_guard_configure(struct wd_guard *guard, const struct wd_settings *settings);

void wd_guard_tell(struct wd_guard *guard, wd_time now, const struct wd_fact *fact);
bool wd_guard_take(struct wd_guard *guard, struct wd_order *ret_order);
wd_time wd_guard_wake(const struct wd_guard *guard); /* when to be told WD_FACT_TIME; WD_NEVER */
/* What the next look at a container must tell for its triggers, and no more: asked before each look. */
void wd_guard_wish(const struct wd_guard *guard, const char *id, wd_time now, struct wd_gauge_wish *ret_wish);

/* For status and explain: views are lent until the next tell. */
struct wd_window_view {
	enum wd_trigger trigger;
	unsigned count, limit;
	wd_time window;
};
struct wd_level_view { /* a limit with a time: "90% for 60s" */
	enum wd_trigger trigger;
	enum wd_resource resource; /* of pressure */
	struct wd_level level;
	double now, limit; /* bytes, CPUs, pids, or a share; below 0: not known, or nothing to hold it against */
	wd_time since;     /* when it was reached; WD_NEVER: is not */
};
struct wd_forecast_view {
	wd_time horizon;   /* 0: off */
	wd_time left;      /* WD_NEVER: no trend */
	double rate_bytes; /* per second */
};
struct wd_service_view {
	const char *service;
	const struct wd_container *container; /* NULL: remembered and not seen yet, or gone */
	const struct wd_policy *policy;       /* NULL with it; windows are counted all the same */
	bool gone;                            /* it has no container any more, and is about to be forgotten */
	const struct wd_memory *memory;
	const struct wd_pin *pin; /* what a rollback would go to, else the newest that is pinned; or NULL */
	enum wd_verdict verdict;
	const char *why;        /* what the verdict rests on, for people; may be "" */
	const struct wd_incident *incident; /* open, or NULL */
	struct wd_window_view windows[2 * WD_RATES_MAX + WD_RATES_MAX]; /* restarts, flapping, oom */
	unsigned window_count;
	struct wd_level_view levels[3 + WD_PRESSURES_MAX];
	unsigned level_count;
	struct wd_forecast_view forecast;
	wd_time unhealthy_since; /* WD_NEVER: is not */
	wd_time down_since;
	const char *note;         /* why nothing is done about it, in short: "held back: cooldown"; may be "" */
	wd_stamp held_back_until; /* WD_STAMP_NONE: nothing is held back, or who knows how long */
	wd_stamp muted_until;
};
size_t wd_guard_count(const struct wd_guard *guard);
bool wd_guard_view(const struct wd_guard *guard, size_t index, wd_time now, struct wd_service_view *ret_view);
/* By identity, container name, or a unique prefix of the id. */
bool wd_guard_find(const struct wd_guard *guard, const char *name, wd_time now, struct wd_service_view *ret_view);

#endif
