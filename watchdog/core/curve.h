/* curve.h: what a service used in the last minutes, for the incident that may come: every look at first; when the room is
 * used up, every second one of them, until they are ten seconds apart; then the oldest goes. It goes on over restarts of
 * the container. Pure. */
#ifndef WATCHDOG_CORE_CURVE_H
#define WATCHDOG_CORE_CURVE_H

#include <watchdog/records.h>
#include <watchdog/sample.h>

#define WD_CURVE_POINTS 48

struct wd_curve {
	wd_time since; /* of the first look ever */
	wd_time step;  /* looks nearer than that to the last are left out */
	unsigned count;
	struct wd_curve_point {
		uint32_t at;                     /* tenths of a second behind `since` */
		uint32_t usage_kib, working_kib; /* working: 0 where it was not read */
		uint16_t cpus, pids;             /* hundredths, UINT16_MAX: not known; 0: not known */
	} points[WD_CURVE_POINTS];               /* oldest first */
};

void wd_curve_add(struct wd_curve *curve, const struct wd_sample *sample, double cpus);
/* Appends to an incident what is newer than its last point. now and stamp: one moment on both clocks. */
void wd_curve_tell(const struct wd_curve *curve, wd_time now, wd_stamp stamp, struct wd_incident *incident);

#endif
