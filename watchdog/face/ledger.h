/* ledger.h: the catalogue of snapshots in the watch's memory, kept on disk by the store, and the vault's jobs about what is
 * in it, one after the other. Internal to watchdog/face.
 */
#ifndef WATCHDOG_FACE_LEDGER_H
#define WATCHDOG_FACE_LEDGER_H

#include <watchdog/snapshot.h>
#include <watchdog/store.h>
#include <watchdog/vault.h>

struct wd_ledger;

enum wd_ledger_job { WD_LEDGER_LIST, WD_LEDGER_VERIFY, WD_LEDGER_DELETE };

struct wd_ledger_hooks { /* none from within a call; ticket and id as they were given */
	void (*progress)(void *data, uint64_t ticket, const char *id, const struct wd_vault_progress *progress);
	/* error NULL: it went well. After VERIFY or DELETE the catalogue says so, too. */
	void (*ended)(void *data, enum wd_ledger_job job, uint64_t ticket, const char *id, const struct wd_error *error);
	void *data;
};

/* All is lent. directory: where snapshots are; copied. */
struct wd_ledger *wd_ledger_new(struct wd_loop *loop, struct wd_store *store, struct wd_vault *vault,
				const char *directory, const struct wd_ledger_hooks *hooks);
struct wd_ledger *wd_ledger_free(struct wd_ledger *ledger); /* cancels; returns NULL; takes NULL */

/* Reads the catalogue back, and then has the directory looked through: what only one of the two has is put right, and the
 * directory is right. One that is not there (a disk that is yet to be mounted) says nothing. */
bool wd_ledger_recall(struct wd_ledger *ledger, struct wd_error *error);

/* Newest first, lent until the next call of any function here; service NULL: all. */
size_t wd_ledger_of(struct wd_ledger *ledger, const char *service, const struct wd_snapshot *const **ret_snapshots);
const struct wd_snapshot *wd_ledger_find(const struct wd_ledger *ledger, const char *id); /* or NULL */
const struct wd_snapshot *wd_ledger_newest(const struct wd_ledger *ledger, const char *service); /* that is not broken */

void wd_ledger_add(struct wd_ledger *ledger, const struct wd_snapshot *snapshot); /* one that was taken */
/* VERIFY or DELETE. Waits for its turn; ticket 0: nobody waits for it. */
void wd_ledger_ask(struct wd_ledger *ledger, enum wd_ledger_job job, const char *id, uint64_t ticket);
/* Where one is being taken, nothing can be deleted, and the other way round. */
void wd_ledger_spare(struct wd_ledger *ledger, bool spare); /* from now on no DELETE is begun */
bool wd_ledger_is_deleting(const struct wd_ledger *ledger);
void wd_ledger_hush(struct wd_ledger *ledger, uint64_t ticket); /* what has not begun of it is not done */

#endif
