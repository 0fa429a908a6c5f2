/* home.h: the state directory: who owns it (lock), and the database in it, found, made, set aside, found again. */
#ifndef STORE_HOME_H
#define STORE_HOME_H

#include "database.h"
#include <sys/types.h>
#include <watchdog/text.h>

struct wd_home {
	char *directory, *database, *wal, *lock;
	int locked; /* the descriptor that holds the lock, or -1 */
	struct {
		dev_t device;
		ino_t inode; /* 0: was not there */
	} files[3];          /* the database, its -wal and the lock as they were opened */
};

void wd_home_init(struct wd_home *home, const char *directory);
void wd_home_done(struct wd_home *home); /* gives the lock back */

/* Makes the directory (0700) if its parent is there; errno stays as it was when it failed. */
bool wd_home_make(struct wd_home *home, struct wd_error *error);
/* Takes the lock, which the Kernel gives back when the process ends, however it ends. Fails as WD_ERROR_REFUSED with
 * who holds it; as WD_ERROR_FAILED where no lock can be had (nothing can be written there). */
bool wd_home_lock(struct wd_home *home, struct wd_error *error);
/* Fails as WD_ERROR_REFUSED while somebody holds the lock; takes nothing. */
bool wd_home_is_free(const struct wd_home *home, struct wd_error *error);

/* As far as permissions and the mount tell; errno says why not. */
bool wd_home_is_writable(const struct wd_home *home);

/* With the lock held. What is damaged is set aside as seadog.db.damaged-N, its -wal with it, and a fresh one is begun;
 * what happened is added to warning (people read it). */
enum wd_database_state wd_home_open(struct wd_home *home, struct wd_database **ret_database, struct wd_text *warning,
				    struct wd_error *error);
enum wd_database_state wd_home_open_reading(struct wd_home *home, struct wd_database **ret_database,
					    struct wd_error *error);

/* The files behind the open database are no longer those in the directory: somebody deleted or replaced them. */
bool wd_home_is_astray(const struct wd_home *home);
/* Closes it and opens what is there now; where nothing is there, all that was open is written anew first. */
enum wd_database_state wd_home_return(struct wd_home *home, struct wd_database *database,
				      struct wd_database **ret_database, struct wd_text *warning,
				      struct wd_error *error);

/* A file that root makes in somebody else's directory belongs to the directory's owner. */
void wd_home_give(const struct wd_home *home, int descriptor);

#endif
