/* change.h: what the store's thread is asked for: one change, or one reading, with who wants to know. */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "database.h"
#include <sys/queue.h>
#include <watchdog/store.h>

enum wd_change_kind {
	WD_CHANGE_SERVICE,
	WD_CHANGE_PINS,
	WD_CHANGE_FORGET,
	WD_CHANGE_SNAPSHOT,
	WD_CHANGE_DROP_SNAPSHOT,
	WD_CHANGE_INCIDENT,
	WD_CHANGE_RESUME,
	WD_CHANGE_JOURNAL,
	WD_CHANGE_STRIKE,
	WD_CHANGE_PRUNE,
	WD_CHANGE_READ, /* none, but it takes its turn among them */
};

struct wd_change {
	TAILQ_ENTRY(wd_change) entry;
	struct wd_change *older; /* what this one replaced while it waited, for their done; newest first; owned */
	enum wd_change_kind kind;
	bool durable; /* somebody waits for it: it must be on the disk, not only on its way */
	union {
		struct wd_memory memory;
		char *service;
		struct {
			char *service;
			struct wd_pins record;
		} pins;
		struct wd_incident *incident;
		struct wd_snapshot snapshot;
		char *dropped; /* the id of a snapshot */
		struct wd_journal journal;
		int64_t number; /* a moment, or the id of what is struck out */
		struct {
			struct wd_incident_wish wish;
			char *service;
			struct wd_incident **found;
			size_t count;
		} reading;
	};
	/* Only the loop's thread changes these three, behind the store's lock once it is queued. */
	wd_store_done *done;
	wd_store_incidents *answer;
	void *data;
	char *why; /* the outcome; NULL: it went well */
};
TAILQ_HEAD(wd_changes, wd_change);

/* Copies the record. */
struct wd_change *wd_change_service(const struct wd_memory *memory);
struct wd_change *wd_change_pins(const char *service, const struct wd_pins *pins);
struct wd_change *wd_change_forget(const char *service);
struct wd_change *wd_change_snapshot(const struct wd_snapshot *snapshot);
struct wd_change *wd_change_drop_snapshot(const char *id);
struct wd_change *wd_change_incident(const struct wd_incident *incident);
struct wd_change *wd_change_journal(const struct wd_journal *journal);
struct wd_change *wd_change_number(enum wd_change_kind kind, int64_t number);
struct wd_change *wd_change_reading(const struct wd_incident_wish *wish);
struct wd_change *wd_change_free(struct wd_change *change); /* not what is older; returns NULL */

/* The name of what it changes, where a newer change of the same makes this one needless; else NULL. The caller frees. */
char *wd_change_subject(const struct wd_change *change);
/* Makes `change` stand for `replaced` too. */
void wd_change_replace(struct wd_change *change, struct wd_change *replaced);

/* In a transaction of the caller's. */
bool wd_change_apply(const struct wd_change *change, struct wd_database *database, struct wd_error *error);
bool wd_change_read(struct wd_change *change, struct wd_database *database, struct wd_error *error);
/* Tells who wanted to know. */
void wd_change_tell(const struct wd_change *change);

#endif
