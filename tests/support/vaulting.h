/* vaulting.h: the vault as a process, asked over a socket as the watch asks it; in the working directory of a test. */
#ifndef TESTS_SUPPORT_VAULTING_H
#define TESTS_SUPPORT_VAULTING_H

#include <sys/types.h>
#include <watchdog/json.h>

#define VAULT_FIRST "20261122T030000Z-00000001"
#define VAULT_SECOND "20261122T040000Z-00000002"

char *vault_path(const char *name); /* in the working directory, absolute; the caller frees */

/* A volume at volumes/data/_data of two files, one of them in a directory, that say `what`. */
void vault_fill(const char *what);
/* Whether both files beneath that directory say so; the test fails where they say different things, or are not there. */
bool vault_says(const char *directory, const char *what);

/* {"verb":…} about that volume, and snapshots of "web" in ./snapshots. The caller frees. */
struct wd_json *vault_job(const char *verb, const char *id);
struct wd_json *vault_take(const char *id, const char *previous);
struct wd_json *vault_swap(const char *verb, int64_t inode);

/* Runs one job to its end. cut: that call (1: the first) that may change a file is its last; 0: none. Returns the last
 * line, or NULL where there was none; the caller frees. ret_status, as waitpid(2) has it, may be NULL. */
struct wd_json *vault_run(const struct wd_json *job, unsigned cut, int *ret_status);
/* The same, where it must be done: the "done" of it. */
struct wd_json *vault_done(const struct wd_json *job);

#endif
