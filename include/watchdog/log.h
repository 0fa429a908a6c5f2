/* log.h: what the daemon says on standard error. Three formats: text (a person enjoys it), logfmt, json (one object per
 * line). Every foreign text is escaped here, so no caller does, and cut at 4000 bytes (a field at 2000). What standard
 * error does not take at once is lost; how many lines were is said when it takes again. Below the face only the loop
 * and the engine's wiring log; the core says what happened by orders.
 *
 *   text    2026-01-02 03:04:05 warning  web  5 restarts within 60s (limit 5/60s), last exit code 3  trigger=restarts
 *   logfmt  time=2026-01-02T03:04:05.123Z level=warning service=web msg="5 restarts …" trigger=restarts
 *   json    {"time":"…","level":"warning","service":"web","msg":"…","trigger":"restarts"}
 */
#ifndef WATCHDOG_LOG_H
#define WATCHDOG_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum wd_log_level { WD_LOG_DEBUG, WD_LOG_INFO, WD_LOG_WARNING, WD_LOG_ERROR };
enum wd_log_format { WD_LOG_TEXT, WD_LOG_LOGFMT, WD_LOG_JSON };

struct wd_log_field {
	const char *name;  /* our own word, [a-z_]+ */
	const char *value; /* may be foreign; a field with NULL is left out */
};

/* Under systemd ($JOURNAL_STREAM names standard error) each line starts with <N> and has no time of its own. */
void wd_log_setup(enum wd_log_level least, enum wd_log_format format, bool color);
bool wd_log_level_parse(const char *text, enum wd_log_level *ret_level);
bool wd_log_format_parse(const char *text, enum wd_log_format *ret_format);

/* subject: the service's name or NULL. fields end with an entry whose name is NULL; may be NULL. */
void wd_log(enum wd_log_level level, const char *subject, const struct wd_log_field *fields, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* State changes and Engine calls, for developers: on when SEADOG_TRACE lists the room ("engine,judge", or "all").
 * One line each, with its subject. Costs one compare when off. */
bool wd_trace_on(const char *room);
void wd_trace(const char *room, const char *subject, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
