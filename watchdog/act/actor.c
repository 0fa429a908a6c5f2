/* actor.c: who has which plan under way: one per container at a time, a few in all. */
#include "actor.h"
#include <assert.h>
#include <string.h>
#include <watchdog/memory.h>

enum { RUNNING_MAX = 8 }; /* each has one call in flight, and so one descriptor, at the most */

static bool is_busy(const struct wd_run *run)
{
	return run->phase != WD_PHASE_WAITING;
}

/* Whether an earlier plan has the container. */
static bool has_to_wait(const struct wd_actor *actor, const struct wd_run *run)
{
	for (const struct wd_run *other = actor->runs; other != run; other = other->next)
		if (strcmp(other->task.container, run->task.container) == 0)
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
			  .cut = run->task.cut},
	};

	if (actor->hooks.on_end)
		actor->hooks.on_end(actor->hooks.data, &fact);
}

static void on_ended(void *data, struct wd_run *run)
{
	if (run->task.resumed)
		tell_resumed(data, run);
	else
		tell_acted(data, run);
}

static void note_left(struct wd_actor *actor, const struct wd_run *run)
{
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
	wd_errands_clear(actor);
	for (struct wd_map_entry *e = wd_map_first(actor->left); e; e = wd_map_next(e))
		free(wd_map_value(e));
	wd_map_free(actor->left);
	free(actor->real);
	free(actor);
	return NULL;
}

/* What goes into a path must be an id and nothing else: it may come from a file that was damaged. */
static bool is_id(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	return length == 64 && strspn(text, "0123456789abcdef") == length;
}

void wd_actor_start(struct wd_actor *actor, const struct wd_plan *plan, struct wd_task *task)
{
	const struct wd_run_hooks hooks = {.step = on_step, .ended = on_ended, .over = on_over, .data = actor};
	const char *why = NULL;
	struct wd_run *run, **slot = &actor->runs;

	if (!plan)
		why = "there is no plan for that";
	else if (!is_id(task->container))
		why = "it has no container id";
	if (!task->container)
		task->container = wd_copy("");
	run = wd_run_new(&actor->outside, &hooks, plan, task);
	while (*slot)
		slot = &(*slot)->next;
	*slot = run;
	if (why)
		wd_run_refuse(run, why);
	else
		begin_waiting(actor);
}

void wd_actor_do(struct wd_actor *actor, const struct wd_order *order, bool remembered)
{
	struct wd_task task;

	assert(order->kind == WD_ORDER_ACT);
	wd_task_of(&task, order, remembered);
	wd_actor_start(actor, wd_plan_of(order), &task);
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

	wd_actor_start(actor, wd_plan_named(row->plan), &task);
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
