/* marks.h: the marks of a window as a text of JSON in the service's row, so that they are always from the same moment
 * as the row: [{"at":…,"from":…,"waited_us":…,"exit":3,"seen":true}]. */
#ifndef STORE_MARKS_H
#define STORE_MARKS_H

#include <watchdog/records.h>

char *wd_marks_print(const struct wd_mark *marks, unsigned count); /* the caller frees */
/* What cannot be read gives no marks: a window that begins anew does no harm. The caller frees the array. */
void wd_marks_parse(const char *text, struct wd_mark **ret_marks, unsigned *ret_count);

#endif
