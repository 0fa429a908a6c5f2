#include "machine.h"

#include <math.h>
#include <string.h>

/* How many services must break within the window to be the host's fault. */
static unsigned mass_limit(const struct wd_guard *guard)
{
	const struct wd_mass_rule *rule = &guard->settings->mass_failure;
	unsigned watched = 0;

	for (size_t i = 0; i < guard->count; i++)
		watched += guard->services[i]->policy && guard->services[i]->policy->watched;
	unsigned share = (unsigned)ceil(rule->ratio * watched);
	if (share < rule->least)
		share = rule->least;
	return rule->ratio > 0 && share < rule->count ? share : rule->count;
}

void wd_gate_broke(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_mass_rule *rule = &guard->settings->mass_failure;
	unsigned recent = 0;
	char wait[WD_TIME_TEXT], within[WD_TIME_TEXT];

	if (rule->count == 0)
		return;
	service->broke_at = guard->now;
	for (size_t i = 0; i < guard->count; i++)
		recent += guard->services[i]->broke_at != WD_NEVER &&
			  guard->now - guard->services[i]->broke_at <= rule->within;
	if (recent < mass_limit(guard) || guard->mass_until > guard->now)
		return;
	guard->mass_until = guard->now + rule->wait;
	wd_guard_tell_people(
		guard, NULL, WD_MOMENT_WARNING, NULL,
		"mass failure: %u services broke within %s; it may not be theirs, so looking again in %s before "
		"acting on any",
		recent, wd_span_print(rule->within, within), wd_span_print(rule->wait, wait));
}

void wd_gate_acted(struct wd_guard *guard, wd_time at)
{
	unsigned most = guard->settings->max_actions.count;

	if (most == 0)
		return;
	if (guard->action_count >= most) {
		unsigned drop = guard->action_count - most + 1;
		memmove(guard->actions, guard->actions + drop, (guard->action_count - drop) * sizeof(wd_time));
		guard->action_count -= drop;
	}
	guard->actions = wd_realloc(guard->actions, guard->action_count + 1, sizeof(wd_time));
	unsigned place = guard->action_count++;
	for (; place > 0 && guard->actions[place - 1] > at; place--)
		guard->actions[place] = guard->actions[place - 1];
	guard->actions[place] = at;
}

/* When the budget has room again; a moment that is past where it has. */
static wd_time budget_until(const struct wd_guard *guard)
{
	struct wd_rate rate = guard->settings->max_actions;

	if (rate.count == 0 || guard->action_count < rate.count)
		return 0;
	return guard->actions[guard->action_count - rate.count] + rate.window + 1;
}

static wd_time later(wd_time one, wd_time two)
{
	return one > two ? one : two;
}

enum wd_bar wd_gate_bar(const struct wd_guard *guard, const struct wd_service *service, const struct wd_case *the_case,
			wd_time *ret_until)
{
	wd_time grace = the_case->inferred ? later(guard->grace_until, guard->born + guard->settings->grace)
					   : guard->grace_until;
	const struct {
		enum wd_bar bar;
		wd_time until;
	} bars[] = {
		{WD_BAR_NEVER, service->policy->watched && wd_service_may_touch(guard, service) ? 0 : WD_NEVER},
		{WD_BAR_AWAY, guard->up ? 0 : WD_NEVER},
		{WD_BAR_PAST, guard->synced || !the_case->inferred ? 0 : WD_NEVER},
		{WD_BAR_MUTED, service->muted_until},
		{WD_BAR_GRACE, grace},
		{WD_BAR_TILT, guard->tilt_until},
		{WD_BAR_MASS, guard->mass_until},
		{WD_BAR_COOLDOWN, service->cooldown_until},
		{WD_BAR_BUDGET, budget_until(guard)},
	};

	for (unsigned i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		if (bars[i].until <= guard->now)
			continue;
		*ret_until = bars[i].until;
		return bars[i].bar;
	}
	return WD_BAR_NONE;
}
