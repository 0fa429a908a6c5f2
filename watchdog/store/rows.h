/* rows.h: the records of records.h and store.h as rows. Tables and columns are named so that a person with sqlite3 can
 * read them; moments are whole nanoseconds since 1970, 0 is never. The caller begins and ends transactions. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "database.h"
#include <watchdog/store.h>

extern const struct wd_schema wd_rows_schema;

bool wd_rows_put_service(struct wd_database *database, const struct wd_memory *memory, struct wd_error *error);
bool wd_rows_drop_service(struct wd_database *database, const char *service, struct wd_error *error);
bool wd_rows_put_incident(struct wd_database *database, const struct wd_incident *incident, struct wd_error *error);
bool wd_rows_put_journal(struct wd_database *database, const struct wd_journal *journal, struct wd_error *error);
bool wd_rows_strike(struct wd_database *database, int64_t journal_id, struct wd_error *error);
bool wd_rows_put_resume(struct wd_database *database, wd_stamp last_event, struct wd_error *error);
/* When writing had failed and was tried again: a row that is always another one, see store.c. */
bool wd_rows_put_trouble(struct wd_database *database, wd_stamp now, struct wd_error *error);
/* At most a hundred at a time; gives their room back to the disk. */
bool wd_rows_prune(struct wd_database *database, wd_stamp before, struct wd_error *error);

/* The caller frees the arrays and what is in them, also after a failure (which keeps what came before it). */
bool wd_rows_services(struct wd_database *database, struct wd_memory **ret_memories, size_t *ret_count,
		      struct wd_error *error);
bool wd_rows_journal(struct wd_database *database, struct wd_journal **ret_journal, size_t *ret_count,
                     struct wd_error *error);
bool wd_rows_actions(struct wd_database *database, wd_stamp since, size_t most, wd_stamp **ret_began, size_t *ret_count,
                     struct wd_error *error);
bool wd_rows_resume(struct wd_database *database, wd_stamp *ret_last_event, struct wd_error *error);
/* The highest number that a table ("incidents", "journal") has ever had; 0: none yet. */
bool wd_rows_highest(struct wd_database *database, const char *table, int64_t *ret_number, struct wd_error *error);
/* The caller frees the array and what is in it. */
bool wd_rows_incidents(struct wd_database *database, const struct wd_incident_wish *wish,
		       struct wd_incident ***ret_incidents, size_t *ret_count, struct wd_error *error);

#endif
