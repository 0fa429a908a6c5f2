/* wire_scan.h: a strict reader of JSON that walks a text once and allocates nothing, for the event stream: a crash loop
 * of a thousand containers must not be a matter of memory. Every value is either read or skipped; what breaks the
 * grammar (also: nesting beyond 64, raw control characters, invalid UTF-8) sets `broken`, and then nothing more is
 * found. Pieces are lent from the text.
 *
 *     if (wd_scan_object(&scan))
 *             while (wd_scan_member(&scan, &name)) … read or skip exactly one value …
 */
#ifndef WATCHDOG_ENGINE_WIRE_SCAN_H
#define WATCHDOG_ENGINE_WIRE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wd_scan {
	const char *at, *end;
	unsigned depth;
	bool fresh; /* just inside a bracket: no comma yet */
	bool broken;
};

/* The inside of a string, escapes still in it; text is NULL where there is no string. */
struct wd_piece {
	const char *text;
	size_t length;
};

bool wd_scan_object(struct wd_scan *scan); /* false: the value is no object and was skipped */
bool wd_scan_member(struct wd_scan *scan, struct wd_piece *ret_name);   /* false: that was the last, or broken */
bool wd_scan_string(struct wd_scan *scan, struct wd_piece *ret_string); /* false: no string, skipped */
bool wd_scan_integer(struct wd_scan *scan, int64_t *ret_number);        /* false: no whole int64, skipped */
void wd_scan_skip(struct wd_scan *scan);
bool wd_scan_end(struct wd_scan *scan); /* nothing but white space is left, and nothing was broken */

bool wd_piece_is(struct wd_piece piece, const char *text);
/* Unescapes into buffer, cut to whole characters that fit, always terminated. False if it was cut, holds \u0000 or is
 * no string; the buffer then holds what came before. */
bool wd_piece_copy(struct wd_piece piece, char *buffer, size_t size);

#endif
