/* request.h: lines of the control socket without the socket: how bytes become lines and lines requests. Fuzzed by
 * tests/fuzz/fuzz_control.c.
 */
#ifndef WATCHDOG_FACE_REQUEST_H
#define WATCHDOG_FACE_REQUEST_H

#include <watchdog/json.h>
#include <watchdog/text.h>
#include <watchdog/time.h>

#define WD_REQUEST_MAX ((size_t)64 * 1024) /* bytes of a request line, newline included */

/* Bytes as they come from a socket, until they are lines. {.limit = …} begins; done() frees. */
struct wd_inbox {
	size_t limit; /* of a line, newline included */
	struct wd_text bytes;
	size_t start;   /* of the line that is next */
	size_t scanned; /* no newline before this */
};
enum wd_inbox_end { WD_INBOX_MORE, WD_INBOX_LINE, WD_INBOX_TOO_LONG };

void wd_inbox_done(struct wd_inbox *inbox);
void wd_inbox_put(struct wd_inbox *inbox, const char *bytes, size_t length);
/* The next whole line without its newline, lent until the next put. */
enum wd_inbox_end wd_inbox_take(struct wd_inbox *inbox, const char **ret_line, size_t *ret_length);
bool wd_inbox_empty(const struct wd_inbox *inbox);

/* A request: an object whose "verb" is a word of at most 32 letters from a to z. Rubbish is WD_ERROR_USAGE. The caller
 * frees *ret_request; the verb is lent by it. */
bool wd_request_read(const char *line, size_t length, struct wd_json **ret_request, const char **ret_verb,
                     struct wd_error *error);

/* For tests: how long a silent peer is borne, instead of 10 s. */
struct wd_control;
void wd_control_hurry(struct wd_control *control, wd_time patience);

#endif
