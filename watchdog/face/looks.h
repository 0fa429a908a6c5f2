/* looks.h: how words of the reports look to people: their tints, moments and spans.
 */
#ifndef WATCHDOG_FACE_LOOKS_H
#define WATCHDOG_FACE_LOOKS_H

#include "grid.h"

#include <watchdog/time.h>

enum wd_tint wd_verdict_tint(const char *verdict);
enum wd_tint wd_outcome_tint(const char *outcome); /* NULL: open */
enum wd_tint wd_result_tint(const char *result);
const char *wd_result_sign(const char *result); /* "✓" */

/* A member of a report that is a moment; WD_STAMP_NONE where it is null. */
wd_stamp wd_moment_get(const struct wd_json *object, const char *name);
/* "2026-01-02 03:04:05", or "" for none. */
const char *wd_moment_print(wd_stamp stamp, char buffer[static WD_TIME_TEXT]);
/* "01-02 03:04": for tables that are wide already. */
const char *wd_moment_print_short(wd_stamp stamp, char buffer[static WD_TIME_TEXT]);
/* "03:04:05.123": the time of day, with milliseconds. */
const char *wd_moment_print_exact(wd_stamp stamp, char buffer[static WD_TIME_TEXT]);
/* "4.2s" or "27ms" between two stamps; "" where one of them is none, or where no time went by. */
const char *wd_lasted_print(wd_stamp from, wd_stamp to, char buffer[static WD_TIME_TEXT]);

/* A member that is a string, harmless; "" where it is null. The caller frees. */
char *wd_member_harmless(const struct wd_json *object, const char *name);

#endif
