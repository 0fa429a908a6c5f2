/* store.h: durable memory in the state directory (the only file that knows SQLite is store/database.c).
 *
 * The loop never waits for a disk: changes go to a thread of their own and the answer comes back on the loop. WAL,
 * one connection, locking_mode=EXCLUSIVE (SQLite up to 3.51.2 has the WAL-reset race with two connections). Changes
 * are committed in the order of the calls, several in one transaction where they queue up; a confirmed change is
 * fsynced. A file that is damaged is set aside as seadog.db.damaged-N and a fresh one begun, with a warning. A disk
 * that is full or read-only fails the change, never the daemon; writing is tried again with the next change.
 */
#ifndef WATCHDOG_STORE_H
#define WATCHDOG_STORE_H

#include <watchdog/json.h>
#include <watchdog/loop.h>
#include <watchdog/records.h>
#include <watchdog/snapshot.h>

struct wd_store;

/* One owner per state directory: fails as WD_ERROR_REFUSED with who holds it (pid, since when). Creates the directory
 * (0700) where its parent is there. With loop NULL every change is made at once and done is called before it returns
 * (commands without a watchdog). *ret_warning: something that people should know (set aside, read-only), or NULL; the
 * caller frees. A store that cannot be written is opened all the same, with the warning. */
struct wd_store *wd_store_open(const char *directory, struct wd_loop *loop,
                               char **ret_warning, struct wd_error *error);
/* Waits until everything queued is on disk and calls what is still to be called. Allowed in a done. Returns NULL. */
struct wd_store *wd_store_close(struct wd_store *store);

/* Reads, for commands while no watchdog runs: fails as NOT_FOUND where there is no database, as REFUSED while a watchdog
 * has it. Takes no lock and no thread, writes nothing; only the wd_store_load/incident functions may be called. */
struct wd_store *wd_store_open_reading(const char *directory, struct wd_error *error);

/* All functions belong to the loop's thread. Records are copied in the call. why: NULL when it is on disk, or one that is
 * newer: of a service or an incident of which several versions wait, only the newest is written. With a loop, done is
 * called from the loop, never from within the call; once, at the latest by wd_store_close(). After a failure it may be on
 * disk all the same, as after a sync that failed behind the write. */
typedef void wd_store_done(void *data, const char *why);

void wd_store_service(struct wd_store *store, const struct wd_memory *memory, wd_store_done *done, void *data);
/* The images alone; wd_store_service() leaves them as they are. */
void wd_store_pins(struct wd_store *store, const char *service, const struct wd_pins *pins);
void wd_store_forget(struct wd_store *store, const char *service);
void wd_store_incident(struct wd_store *store, const struct wd_incident *incident, wd_store_done *done, void *data);
/* The catalogue of snapshots. Their manifests, beside them, say the same: it may be lost. */
void wd_store_snapshot(struct wd_store *store, const struct wd_snapshot *snapshot);
void wd_store_drop_snapshot(struct wd_store *store, const char *id);
void wd_store_resume(struct wd_store *store, wd_stamp last_event); /* where the event stream is to be resumed */

/* From now on no done and no answer with that data is called; what was asked for happens all the same. For owners that
 * end before the store does. */
void wd_store_hush(struct wd_store *store, const void *data);

/* The journal of plans: a row is written before the first change, advanced before each further one, and struck out at
 * the end; what is left at the start is what a dead seadog had under way. */
struct wd_journal {
	int64_t id;          /* given by the caller: unique (wd_store_next_plan) */
	char *plan;          /* "hold", "release" */
	char *service, *name, *container;
	int64_t incident;
	unsigned step;       /* the step that may have begun */
	struct wd_restart_policy policy;
	struct wd_cpu_cut cut;
	bool no_start;
	wd_stamp began;
	char *details;       /* what only its plan understands, as JSON; may be NULL */
};
void wd_journal_done(struct wd_journal *journal);
int64_t wd_store_next_plan(struct wd_store *store);
void wd_store_journal(struct wd_store *store, const struct wd_journal *journal, wd_store_done *done, void *data);
/* One that fails is repeated behind the next change that succeeds. */
void wd_store_strike(struct wd_store *store, int64_t journal_id, wd_store_done *done, void *data);

/* Reading, at the start and for commands; these wait for what is queued, so not in the middle of the loop's work. */
typedef void wd_store_memory_callback(void *data, const struct wd_memory *memory);
typedef void wd_store_journal_callback(void *data, const struct wd_journal *journal);
bool wd_store_load(struct wd_store *store, wd_store_memory_callback *callback, void *data, struct wd_error *error);
bool wd_store_load_journal(struct wd_store *store, wd_store_journal_callback *callback, void *data,
                           struct wd_error *error);
typedef void wd_store_snapshot_callback(void *data, const struct wd_snapshot *snapshot); /* newest first */
bool wd_store_load_snapshots(struct wd_store *store, wd_store_snapshot_callback *callback, void *data,
                             struct wd_error *error);
/* When plans of incidents have begun since that moment, newest first, `most` at most. */
typedef void wd_store_action_callback(void *data, wd_stamp began);
bool wd_store_load_actions(struct wd_store *store, wd_stamp since, size_t most, wd_store_action_callback *callback,
                           void *data, struct wd_error *error);
wd_stamp wd_store_load_resume(struct wd_store *store);
int64_t wd_store_next_incident(struct wd_store *store);

/* Incidents, newest first, read by the store's thread while the loop goes on; the callback comes on the loop (at once
 * where there is no loop) with an array that is lent. service NULL: all; since: opened then or later; 0: all; id 0: any. */
struct wd_incident_wish {
	const char *service; /* identity or name */
	wd_stamp since;
	int64_t id;
	bool open;      /* only those that are not closed */
	int64_t before; /* only those with a lower number: the next page of a long list; 0: all */
	unsigned most;  /* 0: 1000 */
	bool brief;     /* without notes and logs, for lists; never write such a one back */
};
typedef void wd_store_incidents(void *data, const struct wd_incident *const *incidents, size_t count, const char *why);
void wd_store_read(struct wd_store *store, const struct wd_incident_wish *wish, wd_store_incidents *callback, void *data);

/* Drops closed incidents older than that moment (a few at a time). */
void wd_store_prune(struct wd_store *store, wd_stamp before);
/* Waits until everything queued has been tried; the dones are called later all the same. wd_store_trouble() knows then. */
void wd_store_settle(struct wd_store *store);
/* NULL while writing works, else why not, for status and check. */
const char *wd_store_trouble(const struct wd_store *store);

#endif
