/* archive.h: a tree of files as a tar archive (pax), and back (the only file that knows libarchive is tar.c).
 *
 * Kept: owners by number, mode with setuid, setgid and sticky, mtime to the nanosecond, extended attributes of all name
 * spaces, POSIX ACLs, hard links, symbolic links as they are, holes, empty directories, and names that are any bytes. Left
 * out, with a warning: fifos, sockets, devices, what is mounted inside the tree, and extended attributes beyond 512 KiB of
 * one file. Not kept: atime, ctime, file flags (chattr).
 *
 * Packing follows no symbolic link and opens no device, whoever exchanges names in the tree meanwhile. A file that
 * vanishes is left out, one that shrinks is filled up with zeros, one that grows is cut, each with a warning; one that
 * cannot be read fails the whole.
 *
 * Checking and unpacking distrust the archive. Of the kind REFUSED (hostile): absolute names, "..", a way through what is
 * no directory of this archive, a name that is there twice, hard links to what the archive has not brought, devices,
 * fifos, more files or bytes than `most`. Of the kind FAILED: an archive that is broken or ends too early, and what the
 * file system says. Nothing outside the tree is touched in any case; what is in it after a failure is half a tree.
 */
#ifndef WATCHDOG_VAULT_ARCHIVE_H
#define WATCHDOG_VAULT_ARCHIVE_H

#include <stdint.h>

#include "flow.h"

/* How much there is, or was done: entries, directories included; bytes of content, holes included. */
struct wd_tally {
	uint64_t files, bytes;
};

/* Who looks on. Each member may be NULL. */
struct wd_archive_watch {
	void *data;
	bool (*progress)(void *data, const struct wd_tally *tally); /* after each file and each MiB; false: cancelled */
	void (*warn)(void *data, const char *path, const char *what); /* path: raw bytes */
};

struct wd_index; /* index.h */

/* tree: an open directory, which stays open. ret_index: what was packed, as it was when it was; may be NULL. */
bool wd_archive_pack(int tree, struct wd_sink sink, const struct wd_archive_watch *watch, struct wd_index *ret_index,
		     struct wd_tally *ret_tally, struct wd_error *error);

/* Reads all of it and holds it to the rules above, but writes nothing. */
bool wd_archive_check(struct wd_source source, const struct wd_archive_watch *watch, struct wd_tally most,
		      struct wd_tally *ret_tally, struct wd_error *error);

/* tree: an open, empty directory, which gets the owner, mode, times and attributes of the archive's own. */
bool wd_archive_unpack(struct wd_source source, int tree, const struct wd_archive_watch *watch, struct wd_tally most,
		       struct wd_tally *ret_tally, struct wd_error *error);

#endif
