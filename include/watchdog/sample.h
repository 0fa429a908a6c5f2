/* sample.h: one look at what a container uses, as the meter (meter.h) reads it and the guard (guard.h) judges it. Plain
 * data.
 */
#ifndef WATCHDOG_SAMPLE_H
#define WATCHDOG_SAMPLE_H

#include <watchdog/time.h>

#define WD_UNLIMITED UINT64_MAX

/* One look. What the kernel does not tell here is 0 and its bit unset in `has`. The limits are always there. */
enum { WD_HAS_MEMORY = 1, WD_HAS_WORKING_SET = 2, WD_HAS_CPU = 4, WD_HAS_PIDS = 8, WD_HAS_OOM = 16, WD_HAS_PRESSURE = 32,
	WD_HAS_SWAP = 64, WD_HAS_THROTTLE = 128,
	WD_FROM_ENGINE = 256 /* not the kernel: the Engine told it */ };
struct wd_pressure { /* PSI, share of the last 10 s in which some task waited: 0..1 */
	double memory, cpu, io;
};
struct wd_sample {
	wd_time at;
	unsigned has;
	uint64_t usage_bytes;        /* with page cache */
	uint64_t working_set_bytes;  /* without its inactive part, as clients show it; usage_bytes where memory.stat was not read */
	uint64_t firm_bytes;         /* without any, which is what limits are tested with; the same where it was not read */
	uint64_t memory_limit_bytes; /* of the container, or the host's memory where it has none or a higher one */
	uint64_t swap_bytes;
	uint64_t cpu_usec;           /* since the cgroup was made */
	uint64_t throttled_usec;
	double cpus_allowed;         /* the quota, but not more than cpus_there; above 0 */
	double cpus_there;           /* that its cpuset has, or the host */
	uint64_t pids, pids_limit;   /* threads count too; WD_UNLIMITED */
	uint64_t oom_kills;          /* since the cgroup was made, children included on v2 */
	struct wd_pressure pressure;
};

/* What need not wait for the next look, where the kernel can call (wd_alarm_new() says what it does). */
struct wd_alarm_wish {
	uint64_t memory_bytes;       /* WD_UNLIMITED: not wished */
	bool oom;
	struct wd_pressure pressure; /* shares above 0 are wished */
};
#define WD_INCIDENT_POINTS 96
struct wd_point { /* of an incident: what was used in the minutes before it was opened, and before it was closed */
	wd_stamp at;
	uint64_t usage_bytes;       /* with page cache */
	uint64_t working_set_bytes; /* without; 0: not read then */
	double cpus;                /* used at that time; below 0: not known */
	uint64_t pids;              /* 0: not read */
};

/* What a look must know beyond usage and CPU time. */
struct wd_gauge_wish {
	uint64_t exact_from_bytes; /* read memory.stat where the usage reaches this; WD_UNLIMITED: never, 0: always */
	bool pids, pressure, throttle, swap, oom;
	bool limits;       /* read them anew (`docker update`), else as they were when they were last read */
	bool memory_limit; /* that of memory alone */
	bool more_limits;  /* those of CPUs and pids are tested, too: they are read anew now and then, as memory's is */
	struct wd_alarm_wish call;
};

/* CPUs used between two looks at one container, as a number of CPUs (1.5), or -1 where that cannot be said: no counter,
 * no time in between, or a counter that went back. */
double wd_sample_cpus(const struct wd_sample *before, const struct wd_sample *after);

#endif
