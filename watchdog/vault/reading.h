/* reading.h: an archive that is stored, as it is read: found to be what its manifest says, then checked or unpacked. */
#ifndef WATCHDOG_VAULT_READING_H
#define WATCHDOG_VAULT_READING_H

#include <watchdog/snapshot.h>

#include "archive.h"

/* The archive of one volume, open; checksums are read from the same descriptor that is unpacked later. */
struct wd_reading {
	int file;
	const struct wd_snapshot_volume *volume; /* lent */
};
bool wd_reading_open(int directory, const struct wd_snapshot_volume *volume, struct wd_reading *ret_reading,
		     struct wd_error *error);
void wd_reading_close(struct wd_reading *reading);

/* Called with how many bytes of the file were read; false: cancelled. */
typedef bool wd_reading_progress(void *data, uint64_t bytes);
/* Its length and its SHA-256 are those of the manifest. */
bool wd_reading_verify(const struct wd_reading *reading, wd_reading_progress *progress, void *data,
		       struct wd_error *error);

/* tree -1: nothing is written, all of it is held to the rules. No more than the manifest says comes out of it. */
bool wd_reading_unpack(const struct wd_reading *reading, int tree, const struct wd_archive_watch *watch,
		       struct wd_tally *ret_tally, struct wd_error *error);

#endif
