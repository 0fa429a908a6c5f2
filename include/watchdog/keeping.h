/* keeping.h: which snapshots of a service are kept, and which one is put back. Pure; all of one service, in any order. */
#ifndef WATCHDOG_KEEPING_H
#define WATCHDOG_KEEPING_H

#include <watchdog/calendar.h>
#include <watchdog/snapshot.h>

/* Sound ones are counted, the newest first: `newest` of them are kept, and the newest of each of the last `daily` local
 * days, `weekly` weeks (from Monday) and `monthly` months that have one. A broken one counts for nothing, and goes when it
 * is older than all of the `newest`. Never goes: what wd_restore_choose() would put back, plainly or under one of
 * `images`; and while the service is in trouble, whatever was taken while it was well. */
struct wd_keeping_wish {
	struct wd_keeping keeping;
	struct wd_zone zone;
	const char *const *images; /* the ids of the images that it may go back to */
	size_t image_count;
	bool trouble; /* it is held, or broken */
};
void wd_keeping_choose(const struct wd_keeping_wish *wish, const struct wd_snapshot *const *snapshots, size_t count,
                       bool *ret_kept);

/* The newest that is verified and was taken while the service was well; with an image, under that one. */
struct wd_restore_wish {
	const char *image_id; /* NULL: any */
	wd_stamp now;
	wd_time max_age; /* 0: however old */
};
/* NULL with the reason, which the caller frees; ret_why may be NULL. */
const struct wd_snapshot *wd_restore_choose(const struct wd_restore_wish *wish, const struct wd_snapshot *const *snapshots,
                                            size_t count, char **ret_why);

#endif
