#include "disk.h"

#include <stdlib.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/policy.h>

struct disk_row {
	struct disk_row *next;
	struct wd_memory memory;
};

static struct wd_mark *copy_marks(const struct wd_mark *from, unsigned count)
{
	struct wd_mark *copy = count ? wd_alloc(count, sizeof(*copy)) : NULL;

	if (count)
		memcpy(copy, from, count * sizeof(*copy));
	return copy;
}

static void copy_memory(struct wd_memory *to, const struct wd_memory *from)
{
	*to = *from;
	to->service = wd_copy(from->service);
	to->name = wd_copy(from->name);
	to->id = wd_copy(from->id);
	to->image_id = wd_copy(from->image_id);
	to->hold.id = wd_copy(from->hold.id);
	to->crashes = copy_marks(from->crashes, from->crash_count);
	to->ooms = copy_marks(from->ooms, from->oom_count);
	wd_pins_copy(&to->pins, &from->pins);
}

void disk_forget(struct disk *disk, const char *service)
{
	for (struct disk_row **slot = &disk->rows; *slot; slot = &(*slot)->next) {
		struct disk_row *row = *slot;
		if (!wd_text_equal(row->memory.service, service))
			continue;
		*slot = row->next;
		wd_memory_done(&row->memory);
		free(row);
		return;
	}
}

static struct disk_row *find_row(const struct disk *disk, const char *service)
{
	struct disk_row *row = disk->rows;

	while (row && !wd_text_equal(row->memory.service, service))
		row = row->next;
	return row;
}

void disk_write_pins(struct disk *disk, const char *service, const struct wd_pins *pins)
{
	struct disk_row *row = find_row(disk, service);

	if (!row) { /* its row is on its way */
		const struct wd_memory bare = {.service = (char *)(uintptr_t)service};
		disk_write(disk, &bare);
		row = find_row(disk, service);
	}
	wd_pins_done(&row->memory.pins);
	wd_pins_copy(&row->memory.pins, pins);
}

/* Its pins are written apart. */
void disk_write(struct disk *disk, const struct wd_memory *memory)
{
	struct disk_row *row = wd_alloc(1, sizeof(*row)), *old = find_row(disk, memory->service);

	copy_memory(&row->memory, memory);
	wd_pins_done(&row->memory.pins);
	if (old) {
		row->memory.pins = old->memory.pins;
		old->memory.pins = (struct wd_pins){0};
	}
	disk_forget(disk, memory->service);
	row->next = disk->rows;
	disk->rows = row;
}

const struct wd_memory *disk_find(const struct disk *disk, const char *service)
{
	for (const struct disk_row *row = disk->rows; row; row = row->next)
		if (wd_text_equal(row->memory.service, service))
			return &row->memory;
	return NULL;
}

void disk_note(struct disk *disk, const struct wd_incident *incident)
{
	int64_t room = incident->id + 1;

	if (room > disk->room) {
		disk->incidents = wd_realloc(disk->incidents, (size_t)room, sizeof(*disk->incidents));
		memset(disk->incidents + disk->room, 0, (size_t)(room - disk->room) * sizeof(*disk->incidents));
		disk->room = room;
	}
	wd_incident_free(disk->incidents[incident->id]);
	disk->incidents[incident->id] = wd_incident_copy(incident);
}

const struct wd_incident *disk_incident(const struct disk *disk, int64_t id)
{
	return id >= 0 && id < disk->room ? disk->incidents[id] : NULL;
}

int64_t disk_next_incident(const struct disk *disk)
{
	return disk->room ? disk->room : 1;
}

static void tell_actions(const struct disk *disk, void (*tell)(void *data, struct wd_fact *fact), void *data)
{
	for (int64_t id = 0; id < disk->room; id++) {
		const struct wd_incident *incident = disk->incidents[id];
		for (unsigned i = 0; incident && i < incident->step_count; i++) {
			const struct wd_step *step = &incident->steps[i];
			struct wd_fact fact = {.kind = WD_FACT_SPENT, .spent = step->started};
			if (wd_action_changes(step->action) && step->result != WD_RESULT_SKIPPED &&
			    step->result != WD_RESULT_OBSERVED)
				tell(data, &fact);
		}
	}
}

void disk_recall(struct disk *disk, void (*tell)(void *data, struct wd_fact *fact), void *data)
{
	struct disk before = {0};

	for (struct disk_row *row = disk->rows; row; row = row->next)
		disk_write(&before, &row->memory), disk_write_pins(&before, row->memory.service, &row->memory.pins);
	for (struct disk_row *row = before.rows; row; row = row->next) {
		struct wd_fact fact = {.kind = WD_FACT_MEMORY, .memory = &row->memory};
		tell(data, &fact);
	}
	disk_done(&before);
	tell_actions(disk, tell, data);
	for (int64_t id = disk->room; id-- > 0;) {
		if (!disk->incidents[id] || disk->incidents[id]->closed)
			continue;
		struct wd_incident *incident = wd_incident_copy(disk->incidents[id]);
		struct wd_fact fact = {.kind = WD_FACT_INCIDENT, .incident = incident};
		tell(data, &fact);
		wd_incident_free(incident);
	}
}

void disk_done(struct disk *disk)
{
	while (disk->rows)
		disk_forget(disk, disk->rows->memory.service);
	for (int64_t id = 0; id < disk->room; id++)
		wd_incident_free(disk->incidents[id]);
	free(disk->incidents);
	*disk = (struct disk){0};
}
