/* hooks.c: hooks under way, and the steps that wait for their ends. An incident may be closed before its hook has ended:
 * it is kept until then. */
#include "case.h"

#include <string.h>

struct wd_hooking {
	uint64_t ticket;
	int64_t incident;
	unsigned step;
	char *name;
};

struct wd_hookings {
	struct wd_hooking *items;
	size_t count;
	struct wd_incident **closed; /* with a hook that has yet to end */
	size_t closed_count;
};

static bool has_hook(const struct wd_guard *guard, int64_t incident)
{
	for (size_t i = 0; guard->hooks && i < guard->hooks->count; i++)
		if (guard->hooks->items[i].incident == incident)
			return true;
	return false;
}

/* Once for an incident, however often its ladder is begun. */
static bool was_run(const struct wd_incident *incident, const char *name)
{
	size_t length = strlen(name);

	for (unsigned i = 0; i < incident->step_count; i++) {
		const struct wd_step *step = &incident->steps[i];
		if (step->action == WD_ACTION_HOOK && step->detail && strncmp(step->detail, name, length) == 0 &&
		    (step->detail[length] == ':' || step->detail[length] == '\0'))
			return true;
	}
	return false;
}

void wd_hook_begin(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, const char *name)
{
	if (was_run(the_case->incident, name))
		return;
	wd_step_begin(guard, the_case, WD_ACTION_HOOK);
	if (guard->settings->observe) {
		WD_AUTO_FREE char *detail = wd_format("mode = observe: %s would have been run", name);
		wd_step_end(guard, service, the_case, WD_RESULT_OBSERVED, detail);
		return;
	}
	wd_replace(&wd_step_last(the_case)->detail, name);
	wd_case_note(guard, the_case, "running: hook %s", name);
	wd_case_write(guard, service, the_case->incident);
	if (!guard->hooks)
		guard->hooks = wd_alloc(1, sizeof(*guard->hooks));
	struct wd_hookings *hooks = guard->hooks;
	hooks->items = wd_realloc(hooks->items, hooks->count + 1, sizeof(*hooks->items));
	hooks->items[hooks->count++] = (struct wd_hooking){.ticket = guard->next_ticket++,
							   .incident = the_case->incident->id,
							   .step = the_case->incident->step_count - 1,
							   .name = wd_copy(name)};
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_ACT, service);
	order->action = WD_ACTION_HOOK;
	order->ticket = hooks->items[hooks->count - 1].ticket;
	order->hook = wd_guard_keep(guard, wd_copy(name));
	order->incident_id = the_case->incident->id;
	order->incident = the_case->incident;
}

/* What the row says until its end is told, and for good where it never is. */
static void end_for_now(struct wd_guard *guard, struct wd_incident *incident)
{
	for (unsigned i = 0; i < incident->step_count; i++) {
		struct wd_step *step = &incident->steps[i];
		if (step->action != WD_ACTION_HOOK || step->ended != WD_STAMP_NONE)
			continue;
		WD_AUTO_FREE char *detail =
			wd_format("%s: under way when the incident was closed", step->detail ? step->detail : "");
		step->ended = guard->stamp;
		step->result = WD_RESULT_DONE;
		wd_replace(&step->detail, detail);
	}
}

bool wd_hook_keeps(struct wd_guard *guard, struct wd_incident *incident)
{
	struct wd_hookings *hooks = guard->hooks;

	end_for_now(guard, incident);

	if (!has_hook(guard, incident->id))
		return false;
	hooks->closed = wd_realloc(hooks->closed, hooks->closed_count + 1, sizeof(struct wd_incident *));
	hooks->closed[hooks->closed_count++] = incident;
	return true;
}

static struct wd_incident *find_open(const struct wd_guard *guard, int64_t id, struct wd_service **ret_service)
{
	for (size_t i = 0; i < guard->count; i++)
		for (unsigned trigger = 0; trigger < WD_TRIGGERS; trigger++) {
			const struct wd_case *the_case = guard->services[i]->cases[trigger];
			if (!the_case || the_case->incident->id != id)
				continue;
			*ret_service = guard->services[i];
			return the_case->incident;
		}
	return NULL;
}

static struct wd_incident *find_closed(const struct wd_guard *guard, int64_t id)
{
	for (size_t i = 0; i < guard->hooks->closed_count; i++)
		if (guard->hooks->closed[i]->id == id)
			return guard->hooks->closed[i];
	return NULL;
}

static void let_go(struct wd_guard *guard, struct wd_incident *incident)
{
	struct wd_hookings *hooks = guard->hooks;

	if (has_hook(guard, incident->id))
		return;
	for (size_t i = 0; i < hooks->closed_count; i++) {
		if (hooks->closed[i] != incident)
			continue;
		hooks->closed[i] = hooks->closed[--hooks->closed_count];
		wd_guard_bury_incident(guard, incident);
		return;
	}
}

static void end_hook(struct wd_guard *guard, const struct wd_hooking *hooking, const struct wd_fact *fact)
{
	struct wd_service *service = NULL;
	struct wd_incident *incident = find_open(guard, hooking->incident, &service);

	if (!incident)
		incident = find_closed(guard, hooking->incident);
	if (incident && !service)
		service = wd_map_get(guard->by_key, incident->service);
	if (!incident || hooking->step >= incident->step_count)
		return; /* its service is forgotten */
	struct wd_step *step = &incident->steps[hooking->step];
	WD_AUTO_FREE char *detail = wd_format("%s: %s", hooking->name, fact->hooked.detail);
	step->ended = guard->stamp;
	step->result = fact->hooked.ok ? WD_RESULT_DONE : WD_RESULT_FAILED;
	wd_replace(&step->detail, detail);
	wd_guard_order(guard, WD_ORDER_INCIDENT, service)->incident = incident;
	wd_guard_tell_people(guard, service, fact->hooked.ok ? WD_MOMENT_STEP : WD_MOMENT_WARNING, incident,
			     "hook: %s, %s", wd_result_name(step->result), detail);
	let_go(guard, incident);
}

void wd_hook_ends(struct wd_guard *guard, const struct wd_fact *fact)
{
	struct wd_hookings *hooks = guard->hooks;

	for (size_t i = 0; hooks && i < hooks->count; i++) {
		if (hooks->items[i].ticket != fact->hooked.ticket)
			continue;
		const struct wd_hooking ended = hooks->items[i];
		hooks->items[i] = hooks->items[--hooks->count];
		end_hook(guard, &ended, fact);
		free(ended.name);
		return;
	}
}

void wd_hook_free(struct wd_guard *guard)
{
	for (size_t i = 0; guard->hooks && i < guard->hooks->closed_count; i++)
		wd_incident_free(guard->hooks->closed[i]);
	for (size_t i = 0; guard->hooks && i < guard->hooks->count; i++)
		free(guard->hooks->items[i].name);
	if (guard->hooks) {
		free(guard->hooks->items);
		free(guard->hooks->closed);
	}
	free(guard->hooks);
}
