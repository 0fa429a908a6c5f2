/* gauge.h: a container's files, for what else must have them open. Internal to watchdog/meter.
 */
#ifndef WATCHDOG_METER_GAUGE_H
#define WATCHDOG_METER_GAUGE_H

#include "cgroup.h"

enum wd_file { WD_FILE_USAGE, WD_FILE_STAT, WD_FILE_SWAP, WD_FILE_OOM, WD_FILE_CPU, WD_FILE_THROTTLE, WD_FILE_PIDS,
	WD_FILE_PRESSURE_MEMORY, WD_FILE_PRESSURE_CPU, WD_FILE_PRESSURE_IO, WD_FILES };

struct wd_gauge {
	struct wd_meter *meter;
	struct wd_place place;
	int descriptors[WD_FILES];
	int trouble; /* errno of the open() that failed last, other than ENOENT */
	bool gone;
	bool limits_known;
	uint64_t memory_limit, pids_limit;
	double cpus_allowed, cpus_there;
};

/* v1 has a tree of its own for it, which the container is in. */
bool wd_gauge_on_v1(const struct wd_gauge *gauge, enum wd_tree tree);
/* Kept open; below 0: it is not there, or not to be had now. */
int wd_gauge_file(struct wd_gauge *gauge, enum wd_file file);
/* Another of its files, the caller's own; -1 with errno. */
int wd_gauge_open_file(const struct wd_gauge *gauge, enum wd_tree tree, const char *v1, const char *v2, int flags);

#endif
