#include <stdlib.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/records.h>

static const char *const pin_bys[WD_PIN_BYS] = {
	[WD_PIN_LEARNED] = "learned",
	[WD_PIN_HAND] = "hand",
	[WD_PIN_CONFIG] = "config",
	[WD_PIN_LABEL] = "label",
};

static const char *const swap_ends[WD_SWAP_ENDS] = {
	[WD_SWAP_OPEN] = "open",
	[WD_SWAP_HELPED] = "helped",
	[WD_SWAP_IN_VAIN] = "in vain",
};

const char *wd_pin_by_name(enum wd_pin_by by)
{
	return (unsigned)by < WD_PIN_BYS ? pin_bys[by] : NULL;
}

const char *wd_swap_end_name(enum wd_swap_end end)
{
	return (unsigned)end < WD_SWAP_ENDS ? swap_ends[end] : NULL;
}

bool wd_pin_by_parse(const char *name, enum wd_pin_by *ret_by)
{
	for (unsigned i = 0; name && i < WD_PIN_BYS; i++)
		if (strcmp(pin_bys[i], name) == 0)
			return *ret_by = (enum wd_pin_by)i, true;
	return false;
}

bool wd_swap_end_parse(const char *name, enum wd_swap_end *ret_end)
{
	for (unsigned i = 0; name && i < WD_SWAP_ENDS; i++)
		if (strcmp(swap_ends[i], name) == 0)
			return *ret_end = (enum wd_swap_end)i, true;
	return false;
}

void wd_pins_done(struct wd_pins *pins)
{
	for (unsigned i = 0; i < pins->count; i++) {
		free(pins->items[i].image);
		free(pins->items[i].id);
		free(pins->items[i].digests);
	}
	for (unsigned i = 0; i < pins->swap_count; i++) {
		free(pins->swaps[i].from_image);
		free(pins->swaps[i].from_id);
		free(pins->swaps[i].to_image);
		free(pins->swaps[i].to_id);
	}
	free(pins->items);
	free(pins->swaps);
	free(pins->config_of);
	free(pins->config);
	*pins = (struct wd_pins){0};
}

void wd_pins_copy(struct wd_pins *to, const struct wd_pins *from)
{
	*to = *from;
	to->items = from->count ? wd_alloc(from->count, sizeof(*to->items)) : NULL;
	to->swaps = from->swap_count ? wd_alloc(from->swap_count, sizeof(*to->swaps)) : NULL;
	for (unsigned i = 0; i < from->count; i++) {
		to->items[i] = from->items[i];
		to->items[i].image = wd_copy(from->items[i].image);
		to->items[i].id = wd_copy(from->items[i].id);
		to->items[i].digests = wd_copy(from->items[i].digests);
	}
	for (unsigned i = 0; i < from->swap_count; i++) {
		to->swaps[i] = from->swaps[i];
		to->swaps[i].from_image = wd_copy(from->swaps[i].from_image);
		to->swaps[i].from_id = wd_copy(from->swaps[i].from_id);
		to->swaps[i].to_image = wd_copy(from->swaps[i].to_image);
		to->swaps[i].to_id = wd_copy(from->swaps[i].to_id);
	}
	to->config_of = wd_copy(from->config_of);
	to->config = wd_copy(from->config);
}

const struct wd_swap_record *wd_pins_bad(const struct wd_pins *pins, const char *id)
{
	for (unsigned i = pins->swap_count; id && i-- > 0;)
		if (pins->swaps[i].end == WD_SWAP_HELPED && wd_text_equal(pins->swaps[i].from_id, id))
			return &pins->swaps[i];
	return NULL;
}

void wd_memory_done(struct wd_memory *memory)
{
	free(memory->service);
	free(memory->name);
	free(memory->id);
	free(memory->image_id);
	free(memory->hold.id);
	free(memory->crashes);
	free(memory->ooms);
	wd_pins_done(&memory->pins);
	memset(memory, 0, sizeof(*memory));
}

bool wd_memory_is_bound(const struct wd_memory *memory)
{
	return memory->hold.held || wd_cpu_cut_is(&memory->throttle.cut);
}

enum wd_action wd_memory_kind(const struct wd_memory *memory)
{
	return memory->hold.held || !wd_cpu_cut_is(&memory->throttle.cut) ? memory->hold.kind : WD_ACTION_THROTTLE;
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
	free(incident->points);
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
	copy->points = incident->point_count ? wd_alloc(incident->point_count, sizeof(*copy->points)) : NULL;
	for (unsigned i = 0; i < incident->point_count; i++)
		copy->points[i] = incident->points[i];
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
