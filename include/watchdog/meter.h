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

#include <watchdog/sample.h>

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

/* false: the cgroup is gone (the container has ended, or was started anew): close it. */
bool wd_gauge_read(struct wd_gauge *gauge, const struct wd_gauge_wish *wish, wd_time now, struct wd_sample *ret_sample);

#endif
