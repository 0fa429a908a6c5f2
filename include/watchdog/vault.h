/* vault.h: what reads and writes volumes, in a process of its own. The watch holds the Engine's socket and never touches a
 * volume; the vault has no network and no Engine, and sees nothing but the directory of the snapshots and the volumes of its
 * one job. They speak in whole lines of JSON over a socket.
 *
 * The job, one line (paths absolute; a volume's path is opened without following a symbolic link anywhere):
 *   {"verb":"take","directory":DIR,"service":S,"name":N,"image":I,"image_id":…,"id":ID,"compress":"zstd"|"none",
 *    "min_free":"10%"|"512m","well":bool,"paused":bool,"volumes":[{"name":V,"path":P,"kind":"volume"|"bind"}],"previous":ID|null}
 *   {"verb":"verify","directory":DIR,"service":S,"id":ID}     the checksums, and each archive read to its end
 *   {"verb":"list","directory":DIR}                            a line {"snapshot":{…}} for each; a broken one has "broken"
 *   {"verb":"delete","directory":DIR,"service":S,"id":ID}
 *   {"verb":"unpack","directory":DIR,"service":S,"id":ID,"volume":V,"target":P,"token":T}    beside P, as .seadog-new-T
 *   {"verb":"unpack",…,"volume":V,"to":P}                      into P/V, which must not be there yet
 *   {"verb":"exchange"|"exchange_back"|"discard"|"look","target":P,"token":T,"inode":N}      N: as unpack told it
 * Its answers: {"progress":{"files":n,"bytes":n,"total_bytes":n}}, at most ten a second; {"phase":"read"} from take, once the
 * live data is not needed any more; and a last one: {"done":{…}} or {"error":"…","kind":"refused"|"failed"|"full"|"gone"}.
 * With "paused", take then waits for {"paused_seconds":1.25}, which it writes down.
 *
 * Whatever moment it dies at: what is listed is whole, what is live is the old or the new, and what is left over goes with
 * the next job there.
 */
#ifndef WATCHDOG_VAULT_H
#define WATCHDOG_VAULT_H

#include <watchdog/json.h>
#include <watchdog/loop.h>
#include <watchdog/snapshot.h>

/* --- the watch's side, on its loop --- */

struct wd_vault;     /* where a vault is to be had, and those that are under way */
struct wd_vault_job; /* one of them; the caller's until its end is told or it is cancelled */

struct wd_vault_progress { uint64_t files, bytes, total_bytes; };
struct wd_vault_end {
	const struct wd_json *done; /* the last line's member; NULL: it failed */
	const char *kind;           /* then: "refused", …; "gone": it ended without a word */
	struct wd_error error;
};
struct wd_vault_hooks { /* none from within wd_vault_start() */
	void (*progress)(void *data, const struct wd_vault_progress *progress); /* may be NULL */
	void (*read)(void *data);                                               /* may be NULL */
	void (*item)(void *data, const struct wd_json *snapshot);               /* of a list; may be NULL */
	void (*ended)(void *data, const struct wd_vault_end *end);              /* once; the job is no more */
	void *data;
};

/* program: of which a child is made, NULL: this one. socket: where one listens already (systemd), NULL: none. */
struct wd_vault *wd_vault_new(struct wd_loop *loop, const char *program, const char *socket);
struct wd_vault *wd_vault_free(struct wd_vault *vault); /* kills what is under way; returns NULL */
struct wd_vault_job *wd_vault_start(struct wd_vault *vault, const struct wd_json *job, const struct wd_vault_hooks *hooks);
void wd_vault_paused(struct wd_vault_job *job, wd_time span);
/* Promises silence. It is let go on for a moment, to tidy up, and is killed then. Returns NULL. */
struct wd_vault_job *wd_vault_cancel(struct wd_vault_job *job);

/* A manifest, as it is in `item` and in the "done" of a take. The caller frees what ret_snapshot holds. */
bool wd_vault_snapshot(const struct wd_json *json, struct wd_snapshot *ret_snapshot, struct wd_error *error);

/* --- the vault's own --- */

/* Does the one job that is asked for on this socket, and tells how it ended there. Whoever calls gives up, for the whole
 * process, all rights that the job does not need. false: that is no socket, and nothing was done. */
bool wd_vault_serve(int descriptor, struct wd_error *error);

/* What this kernel and this user would let a vault be, for `seadog check`. */
struct wd_vault_might {
	bool owns;       /* may read what is others', and give it back to them: else snapshots are off */
	int landlock;    /* version of the kernel's own fence for files; 0: none, what is named is all that is opened */
	bool networkless; /* has no network, and cannot reach the Engine's socket either */
};
struct wd_vault_might wd_vault_look(void);

#endif
