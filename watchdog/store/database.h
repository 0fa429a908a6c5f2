/* database.h: one SQLite file, by one connection, without loop and without thread (database.c is the only file that
 * knows SQLite). The caller sees to it that two threads do not use it at once.
 *
 * Opened for writing it is locked as a whole (locking_mode=EXCLUSIVE before journal_mode=WAL): there is no -shm file,
 * and a second connection is turned away, so the WAL-reset race of SQLite up to 3.51.2 cannot happen.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stdbool.h>
#include <stdint.h>
#include <watchdog/error.h>

struct wd_database;

struct wd_schema {
	int application_id;
	int version;              /* the newest that this program knows */
	const char *const *steps; /* steps[n] leads from version n to n + 1; steps[0] makes an empty file one of ours */
};

enum wd_database_state {
	WD_DATABASE_OPEN,
	WD_DATABASE_DAMAGED,  /* its content is not, or no longer, a database of ours */
	WD_DATABASE_NEWER,    /* a newer program wrote it: hands off */
	WD_DATABASE_UNUSABLE, /* it cannot be reached: permissions, a full or broken disk, somebody else's lock */
};

/* For reading and writing. Older versions are brought up to date, and the whole file is checked. */
enum wd_database_state wd_database_open(const char *path, const struct wd_schema *schema,
					struct wd_database **ret_database, struct wd_error *error);
/* For reading only, also where nothing can be written, what stands in the -wal file included. Takes no lock: nobody
 * may be writing. Leaves every file as it is. */
enum wd_database_state wd_database_open_reading(const char *path, const struct wd_schema *schema,
						struct wd_database **ret_database, struct wd_error *error);
/* Makes a new file at a path where nothing is. */
bool wd_database_create(const char *path, const struct wd_schema *schema, struct wd_error *error);
struct wd_database *wd_database_close(struct wd_database *database); /* returns NULL; takes NULL */
/* Closes without a last look at the path: the file behind it is another one by now. */
struct wd_database *wd_database_abandon(struct wd_database *database);

/* Writes all of it to a new file, also where the file itself was deleted while it was open. */
bool wd_database_copy(struct wd_database *database, const char *path, struct wd_error *error);
/* Something was found since the opening that only damage explains. */
bool wd_database_is_damaged(const struct wd_database *database);
bool wd_database_is_reading(const struct wd_database *database);

/* durable: the end of the transaction waits until it is on the disk, it and all before it. */
bool wd_database_begin(struct wd_database *database, bool durable, struct wd_error *error);
bool wd_database_commit(struct wd_database *database, struct wd_error *error);
void wd_database_rollback(struct wd_database *database);

/* A statement, prepared once and kept. It lends itself until it is run to its end or reset. Values are put for its
 * question marks in their order, and read from the columns of a row in theirs. Texts that are put are lent until the
 * run; texts that are read until the next row. */
struct wd_query;
struct wd_query *wd_database_query(struct wd_database *database, const char *sql, struct wd_error *error);
void wd_query_put_number(struct wd_query *query, int64_t number);
void wd_query_put_text(struct wd_query *query, const char *text); /* NULL is null */
bool wd_query_run(struct wd_query *query, struct wd_error *error);
/* The next row: 1, none: 0 (the query is reset), or -1 with the error (it is reset as well). */
int wd_query_row(struct wd_query *query, struct wd_error *error);
int64_t wd_query_number(struct wd_query *query);
const char *wd_query_text(struct wd_query *query); /* or NULL */
void wd_query_reset(struct wd_query *query);

#endif
