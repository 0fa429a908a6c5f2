/* act.h: carrying orders out. A plan is a table of steps (act/plans.c): how to ask, which other status is fine, how to
 * look after a lost answer, how to undo. One runner (act/plan.c) knows the phases; every plan meets every fault in
 * tests/act. Each change is journaled before it is made; what a dead seadog left is finished or undone at the start.
 */
#ifndef WATCHDOG_ACT_H
#define WATCHDOG_ACT_H

#include <watchdog/engine.h>
#include <watchdog/orders.h>
#include <watchdog/store.h>
#include <watchdog/vault.h>

struct wd_actor;

/* The end of a plan: fact.kind is WD_FACT_ACTED, or WD_FACT_IMAGE. Never from within wd_actor_do(). */
typedef void wd_actor_told(void *data, const struct wd_fact *fact);
/* Each step as it begins and ends, for the log and the trace: "stop", "done". May be NULL. */
typedef void wd_actor_step(void *data, const char *name, const char *plan, const char *step, const char *what);

typedef void wd_actor_progress(void *data, uint64_t ticket, const struct wd_vault_progress *progress); /* of a snapshot */

struct wd_actor_hooks {
	wd_actor_told *on_end;
	wd_actor_step *on_step;
	void *data;
	wd_actor_progress *on_progress; /* may be NULL */
};

/* store may be NULL (a command that releases where the state directory is not writable refuses before this). */
struct wd_actor *wd_actor_new(struct wd_loop *loop, struct wd_engine *engine, struct wd_store *store,
                              const struct wd_actor_hooks *hooks);
struct wd_actor *wd_actor_free(struct wd_actor *actor); /* cancels; the journal keeps what was under way */
void wd_actor_use_vault(struct wd_actor *actor, struct wd_vault *vault); /* lent; without it snapshots are refused */
/* Before an end in good order: what stands still for a snapshot goes on, and the snapshot has failed. true: that is still
 * under way; ask again. */
bool wd_actor_wind_up(struct wd_actor *actor);

/* Starts the plan of an order of kind WD_ORDER_ACT (stop, pause, throttle, restart, release, or of a rollback); at most
 * one per container at a time, a second waits for the first, and at most eight in all. `remembered`: the policy in the
 * order is already durable, so a stop or a pause is sent at once: without waiting for the disk, and without the look that would refuse AutoRemove
 * and Swarm tasks (whoever remembers has looked).
 *
 * A SNAPSHOT makes way: whatever else is ordered for its container lets the service go on at once, and it has failed; once
 * the live data is read, the rest goes on beside other plans. They are taken one by one. Journaled like every change, so that
 * what a dead seadog has paused (or stopped) goes on at the next start.
 *
 * DONE: a look has shown it. REFUSED: nothing was done, and must not be. UNDONE: it did not work, and is as before.
 * FAILED: it did not work; `detail` says how the container is: a hold whose policy could not be set leaves it stopped.
 *
 * A rollback is two orders. ROLLBACK (`id`: the container, `target.id`: the image) ends DONE with `replaced_by`: the new
 * container has the name and was started, the old one is parked beside it, stopped, and the journal keeps the row. Who
 * ordered it then watches the new one and orders COMMIT (the old one is removed) or TAKE_BACK (the new one is removed,
 * the old one is as it was), both with the new one's `id`. A ROLLBACK that is UNDONE was taken back already; REFUSED:
 * nothing was touched. */
void wd_actor_do(struct wd_actor *actor, const struct wd_order *order, bool remembered);

/* An order of kind WD_ORDER_IMAGE; its end comes to on_end as WD_FACT_IMAGE, never from within the call. The tag that keeps
 * an image is "seadog/keep:" and the first digits of its ID. */
void wd_actor_image(struct wd_actor *actor, const struct wd_order *order);

/* At the start, before the first order: finishes what the journal holds, takes it back where somebody has started the
 * container by hand since, or leaves it (UNDONE) where somebody has decided otherwise. The end of each is told here and
 * not by on_end; each ends, within minutes, also without an Engine: then its row stays for the next start. The row is
 * struck in the turn after it was told, so that what is written about it is on disk before. */
struct wd_resumed {
	const char *plan, *service, *name, *container;
	enum wd_plan_end end;
	struct wd_restart_policy policy;
	struct wd_cpu_cut cut;
	int64_t incident;
	const char *detail;
	const char *replaced_by; /* as in WD_FACT_ACTED: a rollback that is DONE is to be verified anew */
};
typedef void wd_actor_resumed(void *data, const struct wd_resumed *resumed);
/* Of a row of the journal that is about a pair of containers: the new one's id, or NULL. The caller frees. */
char *wd_actor_made(const struct wd_journal *row);
bool wd_actor_recover(struct wd_actor *actor, wd_actor_resumed *callback, void *data, struct wd_error *error);

/* After wd_actor_recover(), and once more some minutes later: sees to containers that a rollback has left and no journal
 * knows. `told` per container, what was done about it or what a person should do; never from within. */
typedef void wd_actor_swept(void *data, const char *name, const char *text);
void wd_actor_sweep(struct wd_actor *actor, wd_actor_swept *told, void *data);

/* The steps of an order's plan, for --dry-run and `explain`: one line each, in order. */
void wd_plan_describe(const struct wd_order *order, struct wd_list *ret_lines);

#endif
