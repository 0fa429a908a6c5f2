#include "change.h"

#include "pins.h"
#include "rows.h"
#include "snapshots.h"
#include <inttypes.h>
#include <string.h>
#include <watchdog/memory.h>

static struct wd_change *new_change(enum wd_change_kind kind)
{
	struct wd_change *change = wd_alloc(1, sizeof(*change));
	change->kind = kind;
	return change;
}

static struct wd_mark *copy_marks(const struct wd_mark *marks, unsigned count)
{
	if (!count)
		return NULL;
	struct wd_mark *copy = wd_alloc(count, sizeof(*copy));
	memcpy(copy, marks, count * sizeof(*copy));
	return copy;
}

struct wd_change *wd_change_service(const struct wd_memory *memory)
{
	struct wd_change *change = new_change(WD_CHANGE_SERVICE);
	struct wd_memory *copy = &change->memory;
	*copy = *memory;
	copy->service = wd_copy(memory->service);
	copy->name = wd_copy(memory->name);
	copy->id = wd_copy(memory->id);
	copy->image_id = wd_copy(memory->image_id);
	copy->hold.id = wd_copy(memory->hold.id);
	copy->crashes = copy_marks(memory->crashes, memory->crash_count);
	copy->ooms = copy_marks(memory->ooms, memory->oom_count);
	copy->pins = (struct wd_pins){0};
	return change;
}

struct wd_change *wd_change_pins(const char *service, const struct wd_pins *pins)
{
	struct wd_change *change = new_change(WD_CHANGE_PINS);
	change->pins.service = wd_copy(service);
	wd_pins_copy(&change->pins.record, pins);
	return change;
}

struct wd_change *wd_change_forget(const char *service)
{
	struct wd_change *change = new_change(WD_CHANGE_FORGET);
	change->service = wd_copy(service);
	return change;
}

struct wd_change *wd_change_snapshot(const struct wd_snapshot *snapshot)
{
	struct wd_change *change = new_change(WD_CHANGE_SNAPSHOT);
	wd_snapshot_copy(&change->snapshot, snapshot);
	return change;
}

struct wd_change *wd_change_drop_snapshot(const char *id)
{
	struct wd_change *change = new_change(WD_CHANGE_DROP_SNAPSHOT);
	change->dropped = wd_copy(id);
	return change;
}

struct wd_change *wd_change_incident(const struct wd_incident *incident)
{
	struct wd_change *change = new_change(WD_CHANGE_INCIDENT);
	change->incident = wd_incident_copy(incident);
	return change;
}

struct wd_change *wd_change_journal(const struct wd_journal *journal)
{
	struct wd_change *change = new_change(WD_CHANGE_JOURNAL);
	struct wd_journal *copy = &change->journal;
	*copy = *journal;
	copy->plan = wd_copy(journal->plan);
	copy->service = wd_copy(journal->service);
	copy->name = wd_copy(journal->name);
	copy->container = wd_copy(journal->container);
	copy->details = wd_copy(journal->details);
	return change;
}

void wd_journal_done(struct wd_journal *journal)
{
	free(journal->plan);
	free(journal->service);
	free(journal->name);
	free(journal->container);
	free(journal->details);
	*journal = (struct wd_journal){0};
}

struct wd_change *wd_change_number(enum wd_change_kind kind, int64_t number)
{
	struct wd_change *change = new_change(kind);
	change->number = number;
	return change;
}

struct wd_change *wd_change_reading(const struct wd_incident_wish *wish)
{
	struct wd_change *change = new_change(WD_CHANGE_READ);
	change->reading.wish = *wish;
	change->reading.service = wd_copy(wish->service);
	change->reading.wish.service = change->reading.service;
	return change;
}

static void free_reading(struct wd_change *change)
{
	for (size_t n = 0; n < change->reading.count; n++)
		wd_incident_free(change->reading.found[n]);
	free(change->reading.found);
	free(change->reading.service);
}

static void free_record(struct wd_change *change)
{
	switch (change->kind) {
	case WD_CHANGE_SERVICE:
		wd_memory_done(&change->memory);
		break;
	case WD_CHANGE_PINS:
		free(change->pins.service);
		wd_pins_done(&change->pins.record);
		break;
	case WD_CHANGE_FORGET:
		free(change->service);
		break;
	case WD_CHANGE_SNAPSHOT:
		wd_snapshot_done(&change->snapshot);
		break;
	case WD_CHANGE_DROP_SNAPSHOT:
		free(change->dropped);
		break;
	case WD_CHANGE_INCIDENT:
		wd_incident_free(change->incident);
		break;
	case WD_CHANGE_JOURNAL:
		wd_journal_done(&change->journal);
		break;
	case WD_CHANGE_READ:
		free_reading(change);
		break;
	case WD_CHANGE_RESUME:
	case WD_CHANGE_STRIKE:
	case WD_CHANGE_PRUNE:
		break;
	}
}

struct wd_change *wd_change_free(struct wd_change *change)
{
	if (!change)
		return NULL;
	free_record(change);
	free(change->why);
	free(change);
	return NULL;
}

char *wd_change_subject(const struct wd_change *change)
{
	switch (change->kind) {
	case WD_CHANGE_SERVICE:
		return wd_format("service %s", change->memory.service);
	case WD_CHANGE_FORGET:
		return wd_format("service %s", change->service);
	case WD_CHANGE_PINS:
		return wd_format("pins %s", change->pins.service);
	case WD_CHANGE_SNAPSHOT:
		return wd_format("snapshot %s", change->snapshot.id);
	case WD_CHANGE_DROP_SNAPSHOT:
		return wd_format("snapshot %s", change->dropped);
	case WD_CHANGE_INCIDENT:
		return wd_format("incident %" PRId64, change->incident->id);
	case WD_CHANGE_RESUME:
		return wd_copy("resume");
	case WD_CHANGE_PRUNE:
		return wd_copy("prune");
	case WD_CHANGE_JOURNAL:
	case WD_CHANGE_STRIKE:
	case WD_CHANGE_READ:
		break;
	}
	return NULL;
}

void wd_change_replace(struct wd_change *change, struct wd_change *replaced)
{
	change->durable = change->durable || replaced->durable;
	change->older = replaced->older;
	replaced->older = NULL;
	if (!replaced->done) {
		wd_change_free(replaced);
		return;
	}
	free_record(replaced);
	replaced->kind = WD_CHANGE_RESUME; /* nothing but its done is left of it */
	replaced->older = change->older;
	change->older = replaced;
}

bool wd_change_apply(const struct wd_change *change, struct wd_database *database, struct wd_error *error)
{
	switch (change->kind) {
	case WD_CHANGE_SERVICE:
		return wd_rows_put_service(database, &change->memory, error);
	case WD_CHANGE_PINS:
		return wd_rows_put_pins(database, change->pins.service, &change->pins.record, error);
	case WD_CHANGE_FORGET:
		return wd_rows_drop_service(database, change->service, error);
	case WD_CHANGE_SNAPSHOT:
		return wd_rows_put_snapshot(database, &change->snapshot, error);
	case WD_CHANGE_DROP_SNAPSHOT:
		return wd_rows_drop_snapshot(database, change->dropped, error);
	case WD_CHANGE_INCIDENT:
		return wd_rows_put_incident(database, change->incident, error);
	case WD_CHANGE_RESUME:
		return wd_rows_put_resume(database, change->number, error);
	case WD_CHANGE_JOURNAL:
		return wd_rows_put_journal(database, &change->journal, error);
	case WD_CHANGE_STRIKE:
		return wd_rows_strike(database, change->number, error);
	case WD_CHANGE_PRUNE:
		return wd_rows_prune(database, change->number, error);
	case WD_CHANGE_READ:
		break;
	}
	return wd_fail(error, WD_ERROR_FAILED, "a reading changes nothing");
}

bool wd_change_read(struct wd_change *change, struct wd_database *database, struct wd_error *error)
{
	return wd_rows_incidents(database, &change->reading.wish, &change->reading.found, &change->reading.count,
				 error);
}

void wd_change_tell(const struct wd_change *change)
{
	if (change->done)
		change->done(change->data, change->why);
	if (change->answer)
		change->answer(change->data, (const struct wd_incident *const *)change->reading.found,
			       change->reading.count, change->why);
}
