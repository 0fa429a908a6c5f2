/* memory.h: allocation that does not fail. No memory is an abort at one place (memory.c), with one line on
 * standard error; so no caller checks. Sizes are in bytes; what these return belongs to the caller and is
 * released with free().
 */
#ifndef WATCHDOG_MEMORY_H
#define WATCHDOG_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

void *wd_alloc(size_t count, size_t size);               /* zeroed; count * size is checked */
void *wd_realloc(void *block, size_t count, size_t size); /* not zeroed beyond the old end */
char *wd_copy(const char *text);                          /* strdup; NULL gives NULL */
char *wd_copy_part(const char *text, size_t length);      /* the first length bytes and a NUL */
char *wd_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Passes on what a library has allocated; NULL means there is no memory, and the abort. */
void *wd_need(void *block);

/* Gives back to the kernel what lies free between pieces that are used, as after a burst: the C library does so by itself
 * only at the end of the heap. Costs a walk over all that is free. */
void wd_memory_trim(void);

/* Frees *slot and puts a copy of text there. */
void wd_replace(char **slot, const char *text);

/* For scopes: `WD_AUTO_FREE char *name = wd_copy(...)` is freed where the scope ends. */
void wd_auto_free(void *slot);
#define WD_AUTO_FREE __attribute__((cleanup(wd_auto_free)))

#endif
