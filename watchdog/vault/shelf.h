/* shelf.h: the directory of the snapshots: DIR/<service>/<id>/ with manifest.json, an archive and an index for each volume.
 * What is being made, or removed, is DIR/<service>/.<id>.tmp/: it has never been a snapshot, or is none any more. */
#ifndef WATCHDOG_VAULT_SHELF_H
#define WATCHDOG_VAULT_SHELF_H

#include <watchdog/json.h>
#include <watchdog/snapshot.h>

struct wd_shelf {
	int top, service; /* open directories; service -1: only the whole */
	char *name;       /* of the service's directory */
};
void wd_shelf_close(struct wd_shelf *shelf);
#define WD_AUTO_SHELF __attribute__((cleanup(wd_shelf_close)))

/* By the job's "directory" and "service". make: both are made if they are not there. */
bool wd_shelf_open(const struct wd_json *job, bool make, struct wd_shelf *ret_shelf, struct wd_error *error);
bool wd_shelf_open_all(const struct wd_json *job, struct wd_shelf *ret_shelf, struct wd_error *error);

/* No other vault writes to this service's until this process ends; then what one has left half-done is removed. Refused
 * where another one is at work. */
bool wd_shelf_lock(const struct wd_shelf *shelf, struct wd_error *error);

char *wd_shelf_temporary(const char *id); /* ".<id>.tmp"; the caller frees */

/* The job's "id". The caller frees what `snapshot` holds, and closes the directory that is returned. */
int wd_shelf_read(const struct wd_shelf *shelf, const char *id, struct wd_snapshot *ret_snapshot, struct wd_error *error);

/* What is in a directory and begins with no '.'; in order. */
bool wd_shelf_names(int directory, struct wd_list *ret_names, struct wd_error *error);

/* Removes what begins and ends like this. */
bool wd_shelf_sweep(int directory, const char *begins, const char *ends, struct wd_error *error);

/* A whole file of at most some MiB; and one that is on the disk when it returns. */
bool wd_shelf_read_file(int directory, const char *name, struct wd_text *text, struct wd_error *error);
bool wd_shelf_write_file(int directory, const char *name, const char *text, struct wd_error *error);

#define WD_SHELF_MANIFEST "manifest.json"

#endif
