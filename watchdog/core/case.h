/* case.h: what the files of a case share, and nobody else sees. A case (struct wd_case, machine.h) is opened and closed in
 * case.c, climbs its ladder in ladder.c, shows in trial.c whether a rung has helped, waits in patience.c, comes back from
 * the store in recall.c, and is written down in incident.c. */
#ifndef WATCHDOG_CORE_CASE_H
#define WATCHDOG_CORE_CASE_H

#include "machine.h"

#define WD_WATCH_STEP (10 * WD_SECOND) /* how often is looked whether it is over, where nothing else says when */

/* --- case.c ---------------------------------------------------------------------------------------------------------- */

/* Of its trigger, by its service's policy; empty where that is not known. */
const struct wd_ladder *wd_case_ladder(const struct wd_service *service, const struct wd_case *the_case);
/* Frees the case. Another one of the service may take its turn. */
void wd_case_close(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, enum wd_outcome outcome,
		   const char *why);
void wd_case_rest(struct wd_guard *guard, struct wd_service *service); /* the cooldown begins */

/* --- ladder.c -------------------------------------------------------------------------------------------------------- */

/* Goes on from the present rung until something has to be waited for; the case may be closed and gone afterwards. */
void wd_case_climb(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger);
/* Ends the step under way and climbs on. */
void wd_case_failed(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, enum wd_result result,
		    const char *detail);

/* --- trial.c --------------------------------------------------------------------------------------------------------- */

/* How long it must run: `verify`, or twice the longest life of the loop (at most 5 m). */
wd_time wd_trial_span(const struct wd_service *service, wd_time longest);
/* What the last inspect of a verification says. */
enum wd_look { WD_LOOK_RUNS, WD_LOOK_UNHEALTHY, WD_LOOK_STOPPED, WD_LOOK_ENDED, WD_LOOK_DOWN };
enum wd_look wd_trial_look(const struct wd_service *service);
void wd_trial_begin(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case);
/* Whether it is over without any more doing; if so the case is closed. */
bool wd_trial_over(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case);

/* --- hooks.c --------------------------------------------------------------------------------------------------------- */

void wd_hook_begin(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, const char *name);
/* Whether a hook of this closed incident has yet to end: then it is kept here until that. */
bool wd_hook_keeps(struct wd_guard *guard, struct wd_incident *incident);

/* --- incident.c: steps and notes ------------------------------------------------------------------------------------- */

void wd_case_write(struct wd_guard *guard, const struct wd_service *service, const struct wd_incident *incident);
struct wd_step *wd_step_last(const struct wd_case *the_case); /* there must be one */
bool wd_step_open(const struct wd_case *the_case);            /* whether the last, if it is no hook, has yet to end */
void wd_step_begin(struct wd_guard *guard, struct wd_case *the_case, enum wd_action action);
void wd_step_end(struct wd_guard *guard, struct wd_service *service, struct wd_case *the_case, enum wd_result result,
		 const char *detail);
bool wd_step_has(const struct wd_case *the_case, enum wd_action action, enum wd_result result);
bool wd_step_changed(const struct wd_case *the_case); /* whether any step changed the container, or tried to */

#endif
