#include <stdlib.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/records.h>

void wd_memory_done(struct wd_memory *memory)
{
	free(memory->service);
	free(memory->name);
	free(memory->id);
	free(memory->image_id);
	free(memory->hold.id);
	free(memory->crashes);
	free(memory->ooms);
	memset(memory, 0, sizeof(*memory));
}

struct wd_incident *wd_incident_free(struct wd_incident *incident)
{
	if (!incident)
		return NULL;
	for (unsigned i = 0; i < incident->step_count; i++)
		free(incident->steps[i].detail);
	for (unsigned i = 0; i < incident->note_count; i++)
		free(incident->notes[i].text);
	free(incident->steps);
	free(incident->notes);
	free(incident->name);
	free(incident->service);
	free(incident->container);
	free(incident->why);
	free(incident->logs);
	free(incident);
	return NULL;
}

struct wd_incident *wd_incident_copy(const struct wd_incident *incident)
{
	struct wd_incident *copy = wd_alloc(1, sizeof(*copy));

	*copy = *incident;
	copy->name = wd_copy(incident->name);
	copy->service = wd_copy(incident->service);
	copy->container = wd_copy(incident->container);
	copy->why = wd_copy(incident->why);
	copy->logs = wd_copy(incident->logs);
	copy->steps = incident->step_count ? wd_alloc(incident->step_count, sizeof(*copy->steps)) : NULL;
	for (unsigned i = 0; i < incident->step_count; i++) {
		copy->steps[i] = incident->steps[i];
		copy->steps[i].detail = wd_copy(incident->steps[i].detail);
	}
	copy->notes = incident->note_count ? wd_alloc(incident->note_count, sizeof(*copy->notes)) : NULL;
	for (unsigned i = 0; i < incident->note_count; i++)
		copy->notes[i] =
			(struct wd_note){.at = incident->notes[i].at, .text = wd_copy(incident->notes[i].text)};
	return copy;
}
