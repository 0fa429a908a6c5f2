/* snapshot.h: the plans that take a snapshot around the vault's job: what the service needs to stand still for lies between
 * a pause (or a stop) and its end, and the journal knows that it is to be taken back before it is done. For act/ alone. */
#ifndef WATCHDOG_ACT_SNAPSHOT_H
#define WATCHDOG_ACT_SNAPSHOT_H

#include "plan.h"
#include <watchdog/snapshot.h>

struct wd_taking {
	char *directory, *previous, *min_free; /* as the wish has them */
	bool squeeze, well, stops, pauses;     /* the last two: if it runs */
	struct wd_list binds;
	bool stands;              /* it ran, and stands still for it */
	struct wd_list ask;       /* volumes that are yet to be looked at, the last first */
	struct wd_json *volumes;  /* those that were: as the job names them */
	void *job;                /* the vault's; NULL: not begun, or over */
	bool read;                /* the live data is not needed any more */
	struct wd_snapshot *made; /* it is done */
	char *trouble;            /* it has failed */
};

/* NULL where the order has no wish. */
struct wd_taking *wd_taking_new(const struct wd_order *order);
struct wd_taking *wd_taking_free(struct wd_taking *taking); /* its job is over; returns NULL; takes NULL */

void wd_taking_begin(struct wd_run *run);
void wd_taking_release(struct wd_run *run); /* the service goes on: tells the vault how long it stood still */
void wd_taking_cancel(struct wd_run *run);
char *wd_taking_late(const struct wd_run *run); /* what to say when its time is over; the caller frees */

extern const struct wd_plan wd_plan_snapshot_pause, wd_plan_snapshot_stop, wd_plan_snapshot_live;

#endif
