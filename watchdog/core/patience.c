#include "case.h"

/* The gate may be open now: is it still sick? A loop is never let run on because it was once let pass. */
static void judge_again(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	wd_time until;

	if (wd_trial_over(guard, service, the_case))
		return;
	enum wd_bar bar = wd_gate_bar(guard, service, the_case, &until);
	the_case->away = bar == WD_BAR_AWAY;
	if (bar != WD_BAR_NONE)
		the_case->until = until == WD_NEVER ? guard->now + WD_WATCH_STEP : until;
	else
		wd_case_climb(guard, service, the_case->incident->trigger);
}

void wd_case_ask_again(struct wd_service *service, wd_time now)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i] && service->cases[i]->phase == WD_PHASE_WAITING && service->cases[i]->until > now)
			service->cases[i]->until = now;
}

void wd_case_witnessed(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger)
{
	struct wd_case *the_case = service->cases[trigger];

	if (!the_case || the_case->phase != WD_PHASE_WAITING || !the_case->inferred)
		return;
	the_case->inferred = false;
	the_case->until = guard->now;
}

static void watch(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	if (!wd_trial_over(guard, service, the_case))
		the_case->until = guard->now + WD_WATCH_STEP;
}

static void time_of(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case)
{
	bool due = the_case->until <= guard->now;

	switch (the_case->phase) {
	case WD_PHASE_WAITING:
		if (due)
			judge_again(guard, service, the_case);
		break;
	case WD_PHASE_REMEMBERING:
		if (due)
			wd_case_failed(guard, service, the_case, WD_RESULT_SKIPPED,
				       "refused: the disk did not take the restart policy in time, so it could not be "
				       "given back");
		break;
	case WD_PHASE_VERIFYING:
		if (!due || !guard->up)
			break;
		the_case->phase = WD_PHASE_CONFIRMING;
		the_case->until = WD_NEVER;
		wd_guard_inspect(guard, service->memory.id);
		break;
	case WD_PHASE_WATCHING:
		if (due)
			watch(guard, service, the_case);
		break;
	default:
		break;
	}
}

/* While people have it, and while it is only remembered: nothing can be said about it then. */
static bool stands_still(const struct wd_service *service)
{
	return wd_manual_busy(service) || !service->policy;
}

void wd_case_time(struct wd_guard *guard, struct wd_service *service)
{
	if (stands_still(service))
		return;
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i])
			time_of(guard, service, service->cases[i]);
}

wd_time wd_case_next(const struct wd_guard *guard, const struct wd_service *service)
{
	wd_time next = WD_NEVER;

	for (unsigned i = 0; i < WD_TRIGGERS && !stands_still(service); i++) {
		const struct wd_case *the_case = service->cases[i];
		if (!the_case || (the_case->phase == WD_PHASE_VERIFYING && !guard->up))
			continue;
		if (the_case->until < next)
			next = the_case->until;
	}
	if (service->muted_until > guard->now && service->muted_until < next)
		next = service->muted_until;
	return next;
}
