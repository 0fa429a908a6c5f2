/* meter.h: what a container uses, read from the kernel's own files, which are kept open: no call of the Engine, one
 * pread() a file, no allocation in a sample.
 *
 * Memory is the working set as the docker client counts it (docker/cli cli/command/container/stats_helpers.go):
 * usage less the page cache that was read but once (v1 total_inactive_file, v2 inactive_file); tmpfs stays in it. Who reads
 * one file again and again makes its cache active, which the kernel gives back as well: what limits are tested with is
 * less that, too (v1 total_active_file, v2 active_file). The dear memory.stat is read only where the usage itself already
 * reaches what is asked about: neither ever exceeds it, so nothing is missed.
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

/* The kernel's call: what would be found at the next look is known within milliseconds. It rings
 *   memory    v1: where the usage crosses memory_bytes, up or down (an eventfd; some hundred pages are counted late), and
 *             when the cgroup goes away; v2: where it meets memory.high or memory.max, which is all that the kernel tells
 *   oom       v1: before the killer looks for a victim (an eventfd); v2: then, and when one was killed (memory.events)
 *   pressure  v2: where some task has waited for that share of two seconds (PSI triggers; PSI on, its files writable)
 * A container that thrashes at its limit makes it ring without end: whoever has heard it should not listen for a while.
 * What happens meanwhile rings then. Sources: cgroup-v1/memory.rst sections 9 and 10, cgroup-v2.rst "memory.events",
 * accounting/psi.rst "Monitoring for pressure thresholds". */
/* NULL where the kernel cannot call: the next look will have to do (WD_ERROR_FAILED: files that may not be written, PSI
 * switched off, no descriptor left). wish: copied. Keeps a descriptor; on v2 one more for each pressure. */
struct wd_alarm;
struct wd_alarm *wd_alarm_new(struct wd_gauge *gauge, const struct wd_alarm_wish *wish, struct wd_error *error);
struct wd_alarm *wd_alarm_free(struct wd_alarm *alarm); /* before its gauge */
const struct wd_alarm_wish *wd_alarm_wish(const struct wd_alarm *alarm);
int wd_alarm_descriptor(const struct wd_alarm *alarm); /* readable while it rings; the alarm's own, never to be read */
void wd_alarm_hear(struct wd_alarm *alarm);            /* ends the ringing: before the look */

#endif
