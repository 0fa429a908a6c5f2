/* lines.h: bytes of the event stream become lines. Pure.
 *
 * The Engine sets no limit to a line (it carries all labels of a container, or the whole command of an exec), so one
 * longer than WD_LINE_MAX is left out and counted, and costs no more memory than that.
 */
#ifndef WATCHDOG_ENGINE_LINES_H
#define WATCHDOG_ENGINE_LINES_H

#include <watchdog/text.h>

#define WD_LINE_MAX ((size_t)1 << 20)

struct wd_lines {
	struct wd_text text;
	size_t start;     /* of the first line that was not taken */
	size_t whole;     /* behind the last whole line; what follows is a part of one */
	bool leaving_out; /* the present line is too long: nothing of it is kept */
	uint64_t left_out;
};

void wd_lines_done(struct wd_lines *lines);
void wd_lines_put(struct wd_lines *lines, const char *bytes, size_t length);

/* The next whole line without its newline, or NULL; lent until the next wd_lines_put() or wd_lines_trim(). */
const char *wd_lines_take(struct wd_lines *lines, size_t *ret_length);

void wd_lines_trim(struct wd_lines *lines);            /* gives back the memory of what was taken */
size_t wd_lines_waiting(const struct wd_lines *lines); /* bytes of whole lines not taken */

#endif
