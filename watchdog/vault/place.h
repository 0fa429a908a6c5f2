/* place.h: directories: how they are reached, so that nobody can lead elsewhere by a symbolic link, and what is asked of
 * them. Descriptors are the caller's to close; -1 with the error set. */
#ifndef WATCHDOG_VAULT_PLACE_H
#define WATCHDOG_VAULT_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <watchdog/error.h>

/* Component by component, none of which may be a symbolic link. Refuses what is no absolute path, and "..". */
int wd_place_open(const char *path, struct wd_error *error);
/* The directory that it is in; ret_name is the rest, a part of path. */
int wd_place_open_parent(const char *path, const char **ret_name, struct wd_error *error);
int wd_place_open_in(int directory, const char *name, struct wd_error *error);
int wd_place_make_in(int directory, const char *name, struct wd_error *error); /* 0700; it may be there already */
/* The same with whatever was there gone, and empty. */
int wd_place_make_new(int directory, const char *name, struct wd_error *error);
int wd_place_close(int descriptor); /* returns -1; takes -1 */
void wd_place_auto_close(int *descriptor);
#define WD_AUTO_CLOSE __attribute__((cleanup(wd_place_auto_close)))

bool wd_place_has(int directory, const char *name);
bool wd_place_sync(int descriptor, const char *what, struct wd_error *error); /* of a file or a directory */
bool wd_place_rename(int directory, const char *from, const char *to, struct wd_error *error); /* to: is not there */
/* A whole tree, or a file; not there is as good. With no more descriptors than three, however deep it is. */
bool wd_place_remove(int directory, const char *name, struct wd_error *error);
/* What its file system has free for us. */
bool wd_place_room(int directory, uint64_t *ret_free, uint64_t *ret_total, struct wd_error *error);

/* A service's or a volume's name as the name of a file: '/', '%', a '.' in front and control characters as "%2F". The
 * caller frees. */
char *wd_place_name(const char *text);
char *wd_place_text(const char *name); /* and back */

/* "20261122T030000Z-1f2e3d4c": names of snapshots go into paths as they are. */
bool wd_place_is_id(const char *text);
bool wd_place_is_token(const char *text); /* of a restore: letters and digits */

#endif
