/* actions.h: actions.log in the state directory: a line as each plan begins and one as it ends, readable when nothing
 * else is. Best effort: no fsync, and a line that cannot be written is not missed. At 1 MiB it becomes actions.log.1.
 *
 *   2026-01-02T03:04:05Z hold web 0123456789ab incident 7 policy always
 *   2026-01-02T03:04:06Z hold web 0123456789ab ended
 */
#ifndef STORE_ACTIONS_H
#define STORE_ACTIONS_H

#include "home.h"
#include <watchdog/store.h>

struct wd_actions {
	const struct wd_home *home;
	struct wd_under_way *under_way;
};

void wd_actions_init(struct wd_actions *actions, const struct wd_home *home);
void wd_actions_done(struct wd_actions *actions);

/* The first time that a plan is journaled it has begun; a later row of the same is no news. known: begun before this
 * seadog, so without a line. */
void wd_actions_begun(struct wd_actions *actions, const struct wd_journal *journal, bool known);
void wd_actions_ended(struct wd_actions *actions, int64_t journal_id);
void wd_actions_failed(struct wd_actions *actions, int64_t journal_id,
		       const char *why); /* its row could not be written */
void wd_actions_say(struct wd_actions *actions, const char *text);

#endif
