/* policy.h: what is to be done for one service, as configuration and labels say together. Plain data, read-only to
 * everybody but config/. The defaults and the grammar of each value stand in config/options.c, once.
 */
#ifndef WATCHDOG_POLICY_H
#define WATCHDOG_POLICY_H

#include <watchdog/text.h>
#include <watchdog/words.h>

#define WD_RATES_MAX 8
#define WD_RATE_COUNT_MAX 100 /* N of N/WINDOW at the most: what a service must remember */
#define WD_RUNGS_MAX 8

struct wd_rate {
	unsigned count;
	wd_time window;
};
struct wd_rates { /* N/WINDOW, several with commas; count 0 is off */
	struct wd_rate items[WD_RATES_MAX];
	unsigned count;
};
struct wd_codes { /* a set of exit codes 0..255 */
	uint64_t bits[4];
};
struct wd_level { /* "90% for 60s", "1.5GiB for 60s", "off" */
	enum { WD_LEVEL_OFF, WD_LEVEL_RATIO, WD_LEVEL_AMOUNT } kind;
	double ratio;
	uint64_t amount;
	wd_time span;
};
#define WD_PRESSURES_MAX 4
enum wd_resource { WD_RESOURCE_MEMORY, WD_RESOURCE_CPU, WD_RESOURCE_IO, WD_RESOURCES };
const char *wd_resource_name(enum wd_resource resource); /* "memory" */
struct wd_pressure_rule { /* "memory 40% for 30s" */
	enum wd_resource resource;
	struct wd_level level;
};
struct wd_pressures { /* count 0 is off */
	struct wd_pressure_rule items[WD_PRESSURES_MAX];
	unsigned count;
};
struct wd_rung {
	enum wd_action action;
	double cpus; /* throttle:CPUS */
	char *hook;  /* hook:NAME */
};
struct wd_ladder {
	struct wd_rung *rungs; /* as many as there are: a container has a ladder for each trigger */
	unsigned count;
};

/* When snapshots are taken: sets of bits, as the five fields of cron say it; "hourly" and "daily 03:00" are such too. */
struct wd_schedule {
	bool on;
	bool any_minute, any_day, any_weekday; /* the field (for any_minute: or that of the hour) begins with a star */
	uint64_t minutes;
	uint32_t hours, days, months; /* days from bit 1, months from bit 1 */
	uint32_t weekdays;            /* bit 0: Sunday */
};
struct wd_keeping { /* how many snapshots are kept: the newest, and the newest of so many days, weeks and months */
	int64_t newest, daily, weekly, monthly;
};

struct wd_policy {
	char *name;  /* of the [policy NAME] that matched, or NULL */
	bool watched;
	struct wd_rates restarts;
	struct wd_rates flapping;
	struct wd_codes exit;
	struct wd_codes ignore_exit;
	wd_time down; /* 0 is off, as for every span here */
	struct wd_rates oom;
	wd_time unhealthy;
	struct wd_level memory, cpu, pids;
	struct wd_pressures pressure;
	wd_time forecast;
	struct wd_ladder ladders[WD_TRIGGERS];
	wd_time verify;
	wd_time cooldown;
	wd_time good_after;
	int64_t pins_kept;
	char *rollback_to; /* the name of an image, or NULL */
	struct wd_schedule snapshot_schedule;
	struct wd_keeping keeping;
	enum wd_consistency snapshot_consistency;
	bool snapshot_plain;           /* not compressed */
	struct wd_list snapshot_binds; /* paths on the host */
	char *snapshot_before;         /* name of a hook, or NULL */
	bool cascade;      /* a rollback recreates what depends on the container too, instead of being refused */
	char *values;      /* all that it was made of, as one text: policies of the same values are equal */
	size_t users;      /* of one that is shared, kept by whoever shares it */
};

struct wd_policy *wd_policy_free(struct wd_policy *policy); /* returns NULL; takes NULL */
bool wd_codes_has(const struct wd_codes *codes, int code);  /* false for a code outside 0..255 */
/* Whether a ladder changes anything (has a rung other than notify and hook). */
bool wd_ladder_acts(const struct wd_ladder *ladder);
/* Whether a rung changes a container. */
bool wd_action_changes(enum wd_action action);

#endif
