/* keeping.h: what the tests of the store share: a directory of their own, records with something in every field, and a
 * loop that runs until what was asked for is told. */
#ifndef TESTS_SUPPORT_KEEPING_H
#define TESTS_SUPPORT_KEEPING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <watchdog/store.h>

char *keeping_place(void);              /* a new empty directory; the caller frees the name */
void keeping_clear(const char *place);  /* removes it with all that is in it */
char *keeping_file(const char *place, const char *name); /* "place/name"; the caller frees */
bool keeping_has(const char *place, const char *name);
char *keeping_text(const char *place, const char *name); /* its content, or NULL */
void keeping_write(const char *place, const char *name, const void *bytes, size_t length);

/* Something in every field; `number` makes it different. The fields are lent until the next call. */
const struct wd_memory *keeping_memory(const char *service, unsigned number);
const struct wd_incident *keeping_incident(int64_t id);
const struct wd_journal *keeping_journal(int64_t id);
void keeping_same_cut(const struct wd_cpu_cut *one, const struct wd_cpu_cut *two);
void keeping_same_memory(const struct wd_memory *one, const struct wd_memory *two);
void keeping_same_incident(const struct wd_incident *one, const struct wd_incident *two);

/* What a done was told. */
struct keeping_told {
	struct wd_loop *loop; /* stopped when the last is told; may be NULL */
	unsigned awaited;     /* how many calls there are to be */
	unsigned calls;
	unsigned failures;
	char why[700];        /* of the last failure */
};
void keeping_done(void *told, const char *why);
void keeping_wait(struct keeping_told *told); /* runs the loop until all awaited calls came; fails after 20 s */

/* Starts the program anew with that file of build/…/tests/support preloaded, unless it is. */
void keeping_preload(const char *name, char **arguments);

/* The `counted` of that service's row, by a load; 0: no such row. */
unsigned keeping_counted(struct wd_store *store, const char *service);
unsigned keeping_services(struct wd_store *store); /* how many rows */

#endif
