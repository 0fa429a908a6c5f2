/* standing.h: what stands in the way of a service, in words: held, muted, held back, ignored; and how that ends. Read
 * from one of services[] of a report.
 */
#ifndef WATCHDOG_FACE_STANDING_H
#define WATCHDOG_FACE_STANDING_H

#include <watchdog/json.h>
#include <watchdog/text.h>

/* "held back: cooldown, 3m51s" or "muted until 01-02 03:04", for a cell; "" where there is nothing to say. The caller frees. */
char *wd_standing_note(const struct wd_json *service);
/* Lines for `seadog explain`, added to the list. */
void wd_standing_lines(const struct wd_json *service, struct wd_list *ret_lines);

#endif
