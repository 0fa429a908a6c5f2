/* actor.c: who has which plan under way: one per container at a time, a few in all. */
#include "actor.h"
#include "rollback.h"
#include "snapshot.h"
#include <assert.h>
#include <string.h>
#include <watchdog/memory.h>

enum { RUNNING_MAX = 8 }; /* each has one call in flight, and so one descriptor, at the most */

static bool is_busy(const struct wd_run *run)
{
	return run->phase != WD_PHASE_WAITING;
}

static bool is_pair(const struct wd_run *run)
{
	return run->plan && run->plan->pair;
}

static bool has(const struct wd_run *run, const char *container)
{
	return wd_text_equal(run->task.container, container) ||
	       (run->swap && wd_text_equal(run->swap->made, container));
}

static bool is_follower(const struct wd_run *run)
{
	return run->swap && run->swap->moved_from;
}

/* Pairs go one by one: what depends on what, each must see as it is. Snapshots too: they all want the same disk, and
 * the services that stand still are to be few. */
static bool excludes(const struct wd_run *other, const struct wd_run *run)
{
	if ((is_pair(other) && is_pair(run)) || (other->taking && run->taking))
		return true;
	return has(other, run->task.container) && wd_run_needs_container(other);
}

static bool has_to_wait(const struct wd_actor *actor, const struct wd_run *run)
{
	for (const struct wd_run *other = actor->runs; other != run; other = other->next)
		if (!(is_follower(run) && wd_cascade_is_parent(actor, other)) && excludes(other, run))
			return true;
	return false;
}

static unsigned count_busy(const struct wd_actor *actor)
{
	unsigned count = 0;

	for (const struct wd_run *run = actor->runs; run; run = run->next)
		count += is_busy(run);
	return count;
}

/* A plan that ended unknown left its row; the next one for that container takes the row over, so that there is never
 * more than one. */
static void begin(struct wd_actor *actor, struct wd_run *run)
{
	int64_t *left = wd_map_get(actor->left, run->task.container);

	if (left && !run->task.resumed)
		run->task.journal = *left;
	wd_run_begin(run);
}

static void begin_waiting(struct wd_actor *actor)
{
	unsigned busy = count_busy(actor);

	for (struct wd_run *run = actor->runs; run && busy < RUNNING_MAX; run = run->next) {
		if (is_busy(run) || has_to_wait(actor, run))
			continue;
		begin(actor, run);
		busy++;
	}
}

static void on_step(void *data, const struct wd_run *run, const char *step, const char *what)
{
	const struct wd_actor *actor = data;

	if (actor->hooks.on_step)
		actor->hooks.on_step(actor->hooks.data, run->task.name, run->plan ? run->plan->name : "", step, what);
}

/* The container that is the service from now on. */
static const char *replaced_by(const struct wd_run *run)
{
	if (!run->swap || run->end != WD_PLAN_DONE || run->task.rehearsed)
		return NULL;
	if (run->plan == &wd_plan_rollback)
		return run->swap->made;
	return run->plan == &wd_plan_take_back ? run->task.container : NULL;
}

static void tell_resumed(struct wd_actor *actor, const struct wd_run *run)
{
	const struct wd_resumed resumed = {
		.plan = run->plan ? run->plan->name : "",
		.service = run->task.service,
		.name = run->task.name,
		.container = run->task.container,
		.end = run->end,
		.policy = run->task.policy,
		.cut = run->task.cut,
		.incident = run->task.incident,
		.detail = run->detail,
		.replaced_by = replaced_by(run),
	};

	if (actor->on_resumed)
		actor->on_resumed(actor->resumed_data, &resumed);
}

static void tell_acted(struct wd_actor *actor, const struct wd_run *run)
{
	const struct wd_fact fact = {
		.kind = WD_FACT_ACTED,
		.stamp = actor->outside.stamp(actor->outside.data),
		.acted = {.ticket = run->task.ticket,
			  .end = run->end,
			  .detail = run->detail,
			  .logs = run->logs,
			  .kept = run->task.policy,
			  .cut = run->task.cut,
			  .replaced_by = replaced_by(run),
			  .partly = run->partly,
			  .snapshot = run->taking ? run->taking->made : NULL},
	};

	if (actor->hooks.on_end)
		actor->hooks.on_end(actor->hooks.data, &fact);
}

/* It waits for its commit, or for being taken back. */
static void keep_open(struct wd_actor *actor, struct wd_run *run)
{
	struct wd_open *open = wd_alloc(1, sizeof(*open));

	open->next = actor->open;
	actor->open = open;
	open->task = run->task;
	open->task.service = wd_copy(run->task.service);
	open->task.name = wd_copy(run->task.name);
	open->task.container = wd_copy(run->task.container);
	open->swap = run->swap;
	run->swap_kept = true;
}

static struct wd_open *free_open(struct wd_open *open)
{
	wd_task_done(&open->task);
	wd_swap_free(open->swap);
	free(open);
	return NULL;
}

static struct wd_open **find_open(struct wd_actor *actor, const char *made)
{
	struct wd_open **slot = &actor->open;

	while (*slot && !wd_text_equal((*slot)->swap->made, made))
		slot = &(*slot)->next;
	return slot;
}

static bool is_open(const struct wd_actor *actor, const char *name)
{
	for (const struct wd_open *open = actor->open; open; open = open->next)
		if (wd_text_equal(open->task.name, name))
			return true;
	return false;
}

static bool on_holds(void *data, struct wd_run *run)
{
	return wd_cascade_holds(data, run);
}

static void on_ended(void *data, struct wd_run *run)
{
	/* First: whoever is told may order its commit at once. */
	if (run->leave && run->end == WD_PLAN_DONE)
		keep_open(data, run);
	if (wd_cascade_ended(data, run))
		return;
	if (run->task.resumed)
		tell_resumed(data, run);
	else
		tell_acted(data, run);
}

static void note_left(struct wd_actor *actor, const struct wd_run *run)
{
	if (run->swap_kept)
		return;
	if (run->leave) {
		int64_t *left = wd_alloc(1, sizeof(*left));
		*left = run->task.journal;
		free(wd_map_set(actor->left, run->task.container, left));
	} else if (run->steps) {
		free(wd_map_remove(actor->left, run->task.container));
	}
}

static void on_over(void *data, struct wd_run *run)
{
	struct wd_actor *actor = data;

	note_left(actor, run);
	for (struct wd_run **slot = &actor->runs; *slot; slot = &(*slot)->next) {
		if (*slot == run) {
			*slot = run->next;
			break;
		}
	}
	wd_run_free(run);
	begin_waiting(actor);
}

static void on_freed(void *data, struct wd_run *run)
{
	(void)run;
	begin_waiting(data);
}

static void on_progress(void *data, const struct wd_run *run, const struct wd_vault_progress *progress)
{
	const struct wd_actor *actor = data;

	if (actor->hooks.on_progress)
		actor->hooks.on_progress(actor->hooks.data, run->task.ticket, progress);
}

static void make_way(const struct wd_actor *actor, const struct wd_plan *plan, const char *container)
{
	for (struct wd_run *run = actor->runs; run; run = run->next)
		if (run->plan && run->plan->gives_way && run->taking && plan && !plan->gives_way && has(run, container))
			wd_run_give_way(run, "something else had to be done to it");
}

bool wd_actor_wind_up(struct wd_actor *actor)
{
	bool left = false;

	for (struct wd_run *run = actor->runs; run; run = run->next) {
		if (!run->taking)
			continue;
		wd_run_give_way(run, "seadog was ended");
		left = left || (run->changed && wd_run_needs_container(run));
	}
	return left;
}

struct wd_actor *wd_actor_new_with(const struct wd_outside *outside, const struct wd_actor_hooks *hooks)
{
	struct wd_actor *actor = wd_alloc(1, sizeof(*actor));

	actor->outside = *outside;
	actor->hooks = *hooks;
	actor->left = wd_map_new();
	return actor;
}

struct wd_actor *wd_actor_free(struct wd_actor *actor)
{
	struct wd_run *next;

	if (!actor)
		return NULL;
	for (struct wd_run *run = actor->runs; run; run = next) {
		next = run->next;
		wd_run_free(run);
	}
	for (struct wd_open *open = actor->open, *after; open; open = after) {
		after = open->next;
		free_open(open);
	}
	actor->sweep = wd_sweep_free(actor->sweep);
	actor->cascade = wd_cascade_free(actor->cascade);
	wd_errands_clear(actor);
	for (struct wd_map_entry *e = wd_map_first(actor->left); e; e = wd_map_next(e))
		free(wd_map_value(e));
	wd_map_free(actor->left);
	free(actor->real);
	free(actor);
	return NULL;
}

/* What goes into a path must be an id and nothing else: it may come from a file that was damaged. */
bool wd_id_is(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	return length == 64 && strspn(text, "0123456789abcdef") == length;
}

static const char *refuse(const struct wd_actor *actor, const struct wd_plan *plan, const struct wd_task *task,
			  const struct wd_swap *swap)
{
	if (!plan)
		return "there is no plan for that";
	if (!wd_id_is(task->container))
		return "it has no container id";
	if (plan->pair && !swap)
		return task->resumed ? "the journal says too little about it" : "no rollback of it waits for that";
	if (plan == &wd_plan_rollback && is_open(actor, task->name))
		return "a rollback of it is not verified yet";
	return NULL;
}

void wd_actor_start(struct wd_actor *actor, const struct wd_plan *plan, struct wd_task *task, struct wd_swap *swap)
{
	const struct wd_run_hooks hooks = {
		.step = on_step,
		.progress = on_progress,
		.holds = on_holds,
		.freed = on_freed,
		.ended = on_ended,
		.over = on_over,
		.data = actor,
	};
	const char *why = refuse(actor, plan, task, swap);
	struct wd_run *run, **slot = &actor->runs;

	if (!task->container)
		task->container = wd_copy("");
	make_way(actor, why ? NULL : plan, task->container);
	run = wd_run_new(&actor->outside, &hooks, plan, task, swap);
	while (*slot)
		slot = &(*slot)->next;
	*slot = run;
	if (why)
		wd_run_refuse(run, why);
	else
		begin_waiting(actor);
}

/* What an earlier rollback has left open is what the order is about. */
static struct wd_swap *take_open(struct wd_actor *actor, struct wd_task *task)
{
	struct wd_open **slot = find_open(actor, task->container), *open = *slot;
	struct wd_swap *swap;

	if (!open)
		return NULL;
	*slot = open->next;
	wd_replace(&task->container, open->task.container);
	task->policy = open->task.policy;
	task->journal = open->task.journal;
	task->began = open->task.began;
	swap = open->swap;
	open->swap = NULL;
	free_open(open);
	return swap;
}

void wd_actor_commit(struct wd_actor *actor, const char *made)
{
	struct wd_task task = {.container = wd_copy(made), .service = wd_copy(""), .stop_timeout = 10 * WD_SECOND};
	struct wd_swap *swap = take_open(actor, &task);

	task.name = wd_copy(swap ? swap->name : "");
	wd_actor_start(actor, &wd_plan_commit, &task, swap);
}

void wd_actor_do(struct wd_actor *actor, const struct wd_order *order, bool remembered)
{
	const struct wd_plan *plan = wd_plan_of(order);
	struct wd_swap *swap = NULL;
	struct wd_task task;

	assert(order->kind == WD_ORDER_ACT);
	wd_task_of(&task, order, remembered);
	if (plan == &wd_plan_rollback)
		swap = wd_swap_new(order, actor->outside.random(actor->outside.data));
	else if (plan && plan->pair)
		swap = take_open(actor, &task);
	wd_actor_start(actor, plan, &task, swap);
}

static void on_left(void *data, const struct wd_journal *row)
{
	struct wd_actor *actor = data;
	struct wd_task task = {
		.service = wd_copy(row->service),
		.name = wd_copy(row->name),
		.container = wd_copy(row->container),
		.incident = row->incident,
		.policy = row->policy,
		.cut = row->cut,
		.no_start = row->no_start,
		.resumed = true,
		.began = row->began,
		.journal = row->id,
	};

	const struct wd_plan *plan = wd_plan_named(row->plan);
	struct wd_swap *swap = plan && plan->pair ? wd_swap_recall(row->name, row->details) : NULL;

	wd_actor_start(actor, plan, &task, swap);
}

char *wd_actor_made(const struct wd_journal *row)
{
	struct wd_swap *swap = wd_swap_recall(row->name, row->details);
	char *made = swap ? wd_copy(swap->made) : NULL;

	wd_swap_free(swap);
	return made;
}

bool wd_actor_recover(struct wd_actor *actor, wd_actor_resumed *callback, void *data, struct wd_error *error)
{
	actor->on_resumed = callback;
	actor->resumed_data = data;
	if (!actor->outside.journaled)
		return true;
	if (!actor->outside.load(actor->outside.data, on_left, actor, error))
		return wd_fail_in(error, "journal");
	return true;
}
