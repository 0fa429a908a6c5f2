/* meter.h: what a container uses, read from the kernel's own files, which are kept open: no call of the Engine, one
 * pread() a file, no allocation in a sample.
 *
 * Memory is the working set as the docker client counts it (docker/cli cli/command/container/stats_helpers.go):
 * usage less the page cache that can be given back (v1 total_inactive_file, v2 inactive_file); tmpfs stays in it. The
 * dear memory.stat is read only where the usage itself already reaches what is asked about: the working set never
 * exceeds it, so nothing is missed.
 *
 * Sources: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst, accounting/psi.rst of the kernel.
 */
#ifndef WATCHDOG_METER_H
#define WATCHDOG_METER_H

#include <watchdog/time.h>

#define WD_UNLIMITED UINT64_MAX

/* One look. What the kernel does not tell here is 0 and its bit unset in `has`. The limits are always there. */
enum { WD_HAS_MEMORY = 1, WD_HAS_WORKING_SET = 2, WD_HAS_CPU = 4, WD_HAS_PIDS = 8, WD_HAS_OOM = 16, WD_HAS_PRESSURE = 32,
	WD_HAS_SWAP = 64, WD_HAS_THROTTLE = 128 };
struct wd_pressure { /* PSI, share of the last 10 s in which some task waited: 0..1 */
	double memory, cpu, io;
};
struct wd_sample {
	wd_time at;
	unsigned has;
	uint64_t usage_bytes;        /* with page cache */
	uint64_t working_set_bytes;  /* without; usage_bytes where memory.stat was not read */
	uint64_t memory_limit_bytes; /* of the container, or the host's memory where it has none or a higher one */
	uint64_t swap_bytes;
	uint64_t cpu_usec;           /* since the cgroup was made */
	uint64_t throttled_usec;
	double cpus_allowed;         /* the quota, but not more than its cpuset has, or the host; above 0 */
	uint64_t pids, pids_limit;   /* threads count too; WD_UNLIMITED */
	uint64_t oom_kills;          /* since the cgroup was made, children included on v2 */
	struct wd_pressure pressure;
};

/* Where the kernel's trees are, or fixture trees in tests. */
struct wd_meter_roots {
	const char *proc;   /* NULL: /proc */
	const char *cgroup; /* NULL: /sys/fs/cgroup */
};
/* Keeps two descriptors. roots may be NULL; copied. WD_ERROR_NOT_FOUND where no tree is mounted. */
struct wd_meter;
struct wd_meter *wd_meter_new(const struct wd_meter_roots *roots, struct wd_error *error);
struct wd_meter *wd_meter_free(struct wd_meter *meter); /* its gauges must be closed */
const char *wd_meter_layout(const struct wd_meter *meter); /* "cgroup v1", "cgroup v2", "cgroup v1 and v2" */

/* A container's kept-open files: two at first, one more for each wish beyond them, opened when it is first wished.
 * id: 64 hex; pid: State.Pid, or 0 where it is not known. /proc/PID/cgroup says where, and is believed only where the
 * path bears the id (pids are used again); where the host's processes cannot be seen, or the path is of another cgroup
 * namespace, the usual places of the drivers and of Podman are tried, then the tree is searched, a little.
 * WD_ERROR_NOT_FOUND where no cgroup that bears the id is there; WD_ERROR_FAILED where its files may not be read or no
 * descriptor is left. */
struct wd_gauge;
struct wd_gauge *wd_gauge_open(struct wd_meter *meter, const char *id, int pid, struct wd_error *error);
struct wd_gauge *wd_gauge_close(struct wd_gauge *gauge);

/* What a look must know beyond usage and CPU time. */
struct wd_gauge_wish {
	uint64_t exact_from_bytes; /* read memory.stat where the usage reaches this; WD_UNLIMITED: never, 0: always */
	bool pids, pressure, throttle, swap, oom;
	bool limits; /* read them anew (`docker update`), else as they were when they were last read */
};
/* false: the cgroup is gone (the container has ended, or was started anew): close it. */
bool wd_gauge_read(struct wd_gauge *gauge, const struct wd_gauge_wish *wish, wd_time now, struct wd_sample *ret_sample);

/* CPUs used between two looks at one gauge, as a number of CPUs (1.5), or -1 where that cannot be said: no counter, no
 * time in between, or a counter that went back. */
double wd_sample_cpus(const struct wd_sample *before, const struct wd_sample *after);

#endif
