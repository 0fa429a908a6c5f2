#include <stdlib.h>
#include <string.h>

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
