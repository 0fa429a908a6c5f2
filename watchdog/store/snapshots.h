/* snapshots.h: the catalogue of snapshots, as rows. The caller begins and ends transactions. */
#ifndef STORE_SNAPSHOTS_H
#define STORE_SNAPSHOTS_H

#include "database.h"
#include <watchdog/snapshot.h>

/* In the schema from this step on. */
extern const char wd_snapshots_schema[];

bool wd_rows_put_snapshot(struct wd_database *database, const struct wd_snapshot *snapshot, struct wd_error *error);
bool wd_rows_drop_snapshot(struct wd_database *database, const char *id, struct wd_error *error);
/* Newest first. The caller frees the array and empties what is in it, also after a failure. */
bool wd_rows_snapshots(struct wd_database *database, struct wd_snapshot **ret_snapshots, size_t *ret_count,
		       struct wd_error *error);

#endif
