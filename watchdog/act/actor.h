/* actor.h: the actor, for act/ and its tests: with a world of the caller's choice behind it. */
#ifndef WATCHDOG_ACT_ACTOR_H
#define WATCHDOG_ACT_ACTOR_H

#include "plan.h"
#include <watchdog/act.h>
#include <watchdog/map.h>

struct wd_real; /* the Engine, the store and the loop as the outside (outside.c) */

struct wd_actor {
	struct wd_outside outside;
	struct wd_real *real; /* owned; NULL in tests */
	struct wd_actor_hooks hooks;
	wd_actor_resumed *on_resumed;
	void *resumed_data;
	struct wd_run *runs;  /* in the order of the calls */
	struct wd_cascade *cascade; /* under way, or NULL */
	struct wd_sweep *sweep;    /* under way, or NULL */
	struct wd_errand *errands; /* about images (errand.c) */
	struct wd_open *open; /* rollbacks that are done, and wait for their commit or for being taken back */
	struct wd_map *left;  /* container -> the journal's id (int64_t, owned) of a plan whose end is not known */
};

/* outside: copied; its data is lent. */
struct wd_actor *wd_actor_new_with(const struct wd_outside *outside, const struct wd_actor_hooks *hooks);

/* A rollback whose row stays in the journal. */
struct wd_open {
	struct wd_open *next;
	struct wd_task task;
	struct wd_swap *swap;
};

/* Who depends on what was rolled back is made again, one by one, before the end of its commit is told (cascade.c). */
struct wd_cascade;
bool wd_cascade_holds(struct wd_actor *actor, struct wd_run *run);
bool wd_cascade_is_parent(const struct wd_actor *actor, const struct wd_run *run);
/* The end of a plan of one of them; true: it is nobody else's. */
bool wd_cascade_ended(struct wd_actor *actor, const struct wd_run *run);
struct wd_cascade *wd_cascade_free(struct wd_cascade *cascade);
/* The commit of what a plan of the actor's own has left open. */
void wd_actor_commit(struct wd_actor *actor, const char *made);

struct wd_sweep;
struct wd_sweep *wd_sweep_free(struct wd_sweep *sweep); /* promises silence */
bool wd_id_is(const char *text);                        /* a container's, and nothing else */

struct wd_errand;
void wd_errands_clear(struct wd_actor *actor); /* promises silence */

/* plan NULL: it ends as refused. task, swap: taken over. */
void wd_actor_start(struct wd_actor *actor, const struct wd_plan *plan, struct wd_task *task, struct wd_swap *swap);

#endif
