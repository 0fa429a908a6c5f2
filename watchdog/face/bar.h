/* bar.h: how far something is, on one line of a terminal, on standard error; nothing where there is none, with -q, or with
 * --json.
 */
#ifndef WATCHDOG_FACE_BAR_H
#define WATCHDOG_FACE_BAR_H

#include "face.h"

struct wd_bar {
	bool wanted;
	bool shown;
	int width;     /* columns */
	char what[80]; /* what it was last shown for, and since when, and from which byte on */
	wd_time began;
	int64_t first;
};
void wd_bar_init(struct wd_bar *bar, const struct wd_call *call);
/* "db  [=====>      ]  45%  1.2GiB of 2.6GiB, 210MiB/s, 7s left"; total 0: nobody knows. what is foreign text. */
void wd_bar_show(struct wd_bar *bar, const char *what, int64_t bytes, int64_t total_bytes);
/* The line itself, for so many columns. */
void wd_bar_print(struct wd_text *out, const char *what, int64_t bytes, int64_t total_bytes, int64_t rate, int width);
void wd_bar_clear(struct wd_bar *bar); /* the line is empty again */

#endif
