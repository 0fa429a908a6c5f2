#include "case.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define NOTES_MAX 200

void wd_case_write(struct wd_guard *guard, const struct wd_service *service, const struct wd_incident *incident)
{
	wd_guard_order(guard, WD_ORDER_INCIDENT, service)->incident = incident;
}

void wd_case_note(struct wd_guard *guard, struct wd_case *the_case, const char *format, ...)
{
	struct wd_incident *incident = the_case->incident;
	char line[512];
	va_list arguments;

	if (incident->note_count >= NOTES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	incident->notes = wd_realloc(incident->notes, incident->note_count + 1, sizeof(*incident->notes));
	incident->notes[incident->note_count++] = (struct wd_note){.at = guard->stamp, .text = wd_copy(line)};
}

struct wd_step *wd_step_last(const struct wd_case *the_case)
{
	struct wd_incident *incident = the_case->incident;

	assert(incident->steps && incident->step_count);
	return &incident->steps[incident->step_count - 1];
}

bool wd_step_open(const struct wd_case *the_case)
{
	const struct wd_step *last = the_case->incident->step_count ? wd_step_last(the_case) : NULL;

	return last && last->ended == WD_STAMP_NONE && last->action != WD_ACTION_HOOK;
}

void wd_step_begin(struct wd_guard *guard, struct wd_case *the_case, enum wd_action action)
{
	struct wd_incident *incident = the_case->incident;

	incident->steps = wd_realloc(incident->steps, incident->step_count + 1, sizeof(*incident->steps));
	incident->steps[incident->step_count++] = (struct wd_step){.action = action, .started = guard->stamp};
}

void wd_step_end(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, enum wd_result result,
		 const char *detail)
{
	struct wd_step *step = wd_step_last(the_case);

	step->ended = guard->stamp;
	step->result = result;
	wd_replace(&step->detail, detail ? detail : "");
	wd_case_write(guard, service, the_case->incident);
	wd_guard_tell_people(guard, service, WD_MOMENT_STEP, the_case->incident, "%s: %s%s%s",
			     wd_action_name(step->action), wd_result_name(result), detail && *detail ? ", " : "",
			     detail ? detail : "");
}

bool wd_step_changed(const struct wd_case *the_case)
{
	for (unsigned i = 0; i < the_case->incident->step_count; i++) {
		const struct wd_step *step = &the_case->incident->steps[i];
		if (wd_action_changes(step->action) && step->result != WD_RESULT_SKIPPED)
			return true;
	}
	return false;
}

bool wd_step_has(const struct wd_case *the_case, enum wd_action action, enum wd_result result)
{
	for (unsigned i = 0; i < the_case->incident->step_count; i++) {
		const struct wd_step *step = &the_case->incident->steps[i];
		if (step->action == action && step->result == result)
			return true;
	}
	return false;
}
