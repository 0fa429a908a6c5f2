/* time.h: moments and spans.
 *
 * Two clocks, never mixed:
 *   wd_time   microseconds of CLOCK_BOOTTIME: does not jump, goes on while the machine sleeps. Deadlines,
 *             windows and timers use it. A span is a wd_time too.
 *   wd_stamp  nanoseconds since 1970 (UTC): what the Engine's `timeNano` says and what people read. Only for
 *             identity, for replayed events, and for what is stored or shown.
 * Nothing but the loop and the shell asks for the time; everybody else is told.
 */
#ifndef WATCHDOG_TIME_H
#define WATCHDOG_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <watchdog/error.h>

typedef int64_t wd_time;
typedef int64_t wd_stamp;

#define WD_MILLISECOND ((wd_time)1000)
#define WD_SECOND ((wd_time)1000000)
#define WD_MINUTE (60 * WD_SECOND)
#define WD_HOUR (60 * WD_MINUTE)
#define WD_DAY (24 * WD_HOUR)
#define WD_NEVER INT64_MAX /* a moment that does not come */
#define WD_STAMP_NONE ((wd_stamp)0)
#define WD_TIME_TEXT 40 /* room enough for each of the printers below */

wd_time wd_time_now(void);   /* CLOCK_BOOTTIME */
wd_stamp wd_stamp_now(void); /* CLOCK_REALTIME */

/* "90s", "5m", "1h30m", "7d", "1w", "250ms"; a bare number is seconds. Refuses junk, overflow, negative and empty
 * text, and anything above 100 years. */
bool wd_span_parse(const char *text, wd_time *ret_span, struct wd_error *error);

/* The same language, shortest exact form: 60 s is "60s", 300 s "5m", 252 s "4m12s", 90 s "90s", 3600 s "1h",
 * 1.5 s "1.5s", 0 "0s". Whole minutes up to 60 s stay seconds, as people write them ("60s", but "2m").
 * Returns buffer. */
const char *wd_span_print(wd_time span, char buffer[static WD_TIME_TEXT]);

/* Like wd_span_print() but rounded for people to two units: "3s", "4m12s", "2h5m", "3d4h"; under 10 s with a
 * tenth ("3.4s"). */
const char *wd_span_print_short(wd_time span, char buffer[static WD_TIME_TEXT]);

/* RFC 3339 with up to nine digits of fraction and Z or an offset, as the Engine writes `StartedAt`.
 * "0001-01-01T00:00:00Z" (the Engine's "never") gives WD_STAMP_NONE. */
bool wd_stamp_parse(const char *text, wd_stamp *ret_stamp, struct wd_error *error);

/* RFC 3339 in UTC with nanoseconds: "2026-01-02T03:04:05.123456789Z". Returns buffer. */
const char *wd_stamp_print(wd_stamp stamp, char buffer[static WD_TIME_TEXT]);

/* Local time for people: "2026-01-02 03:04:05". Returns buffer. */
const char *wd_stamp_print_local(wd_stamp stamp, char buffer[static WD_TIME_TEXT]);

#endif
