/* index.h: what each file of a tree was: so that a tree that has not changed since costs a look at each file, not a copy.
 *
 * A file that was changed within the last tick of its file system's clock may be changed again without its times saying
 * so; such an entry is unsure and equals nothing, itself included. */
#ifndef WATCHDOG_VAULT_INDEX_H
#define WATCHDOG_VAULT_INDEX_H

#include <sys/stat.h>
#include <watchdog/text.h>
#include <watchdog/time.h>

#include "archive.h"

struct wd_index_entry {
	uint64_t device, inode, size;
	wd_stamp changed; /* mtime: of the content */
	wd_stamp touched; /* ctime: of anything of it */
	bool unsure;
	size_t path;      /* where in paths; paths begin with "." and are bytes */
};
struct wd_index {
	struct wd_index_entry *entries;
	size_t count, room;
	struct wd_text paths; /* each ends with a NUL */
};
void wd_index_done(struct wd_index *index); /* empty after it */

/* Takes down one file; `now` is the clock's time before it was looked at. */
void wd_index_add(struct wd_index *index, const char *path, const struct stat *status, wd_stamp now);

/* Looks at each file of the tree, an open directory. What cannot be packed (a device, something mounted there) is in it
 * too. watch and its members may be NULL. Fails where a directory cannot be read, or where it is cancelled. */
bool wd_index_scan(int tree, const struct wd_archive_watch *watch, struct wd_index *ret_index, struct wd_tally *ret_tally,
		   struct wd_error *error);
bool wd_index_equal(const struct wd_index *one, const struct wd_index *two);

/* On disk, in a form that only seadog reads: what is broken or of another version is an error, and a copy is taken. The
 * descriptor is read from, and written to, where it stands. */
bool wd_index_write(const struct wd_index *index, int descriptor, struct wd_error *error);
bool wd_index_read(int descriptor, struct wd_index *ret_index, struct wd_error *error);

#endif
