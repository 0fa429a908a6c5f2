/* walk.h: a way through a tree that nobody can lead astray: each directory is opened relative to the one above it, by its
 * name, following no link. Directories come before what is in them; what is in one comes by its inode, as the disk has it,
 * so that two walks over the same tree are the same. */
#ifndef WATCHDOG_VAULT_WALK_H
#define WATCHDOG_VAULT_WALK_H

#include <sys/stat.h>

#include "archive.h"

struct wd_place {
	const char *path;          /* "." for the tree itself, "./a/b" */
	const char *name;          /* "b" */
	int above;                 /* the directory that name is in; -1 for the tree itself */
	int directory;             /* it itself, open, where it is a directory; else -1 */
	bool mounted;              /* something is mounted there: it is not entered */
	const struct stat *status; /* of a directory that of what is open, else what the name was a moment ago */
};

/* Of the visitor, a failure ends the walk. What has vanished before it could be looked at is a warning to `watch`. */
bool wd_walk(int tree, const struct wd_archive_watch *watch, void *data,
	     bool (*visit)(void *data, const struct wd_place *place, struct wd_error *error), struct wd_error *error);

void wd_archive_warn(const struct wd_archive_watch *watch, const char *path, const char *what);
bool wd_archive_progress(const struct wd_archive_watch *watch, const struct wd_tally *tally, struct wd_error *error);

/* Like wd_fail_errno() and wd_fail(), with the path before it, escaped; return false. */
bool wd_fail_path(struct wd_error *error, const char *path, const char *what);
bool wd_refuse_path(struct wd_error *error, enum wd_error_kind kind, const char *path, const char *what);

/* Opens for reading without leaving a trace in its atime where that is allowed. */
int wd_open_quietly(int directory, const char *name, int flags);

#endif
