/* cascade.c: who depends on a container by its ID (its network, its processes, a legacy link) is broken when that is made
 * again under another ID, and is made again as well: one by one, each with the image it has, each a plan of its own in
 * the journal. The commit that began it is told, and its row struck, when all of them have ended; so what a death of
 * seadog leaves undone, the next start does. Who cannot be made again is named; that takes nothing back. */
#include "actor.h"
#include "rollback.h"
#include <watchdog/memory.h>

struct item {
	char *id, *from, *to;
};

struct wd_cascade {
	struct wd_run *parent;
	struct item *items;
	size_t count, at;
	struct wd_text done, failed;
};

struct wd_cascade *wd_cascade_free(struct wd_cascade *cascade)
{
	if (!cascade)
		return NULL;
	for (size_t i = 0; i < cascade->count; i++) {
		free(cascade->items[i].id);
		free(cascade->items[i].from);
		free(cascade->items[i].to);
	}
	free(cascade->items);
	wd_text_done(&cascade->done);
	wd_text_done(&cascade->failed);
	free(cascade);
	return NULL;
}

bool wd_cascade_is_parent(const struct wd_actor *actor, const struct wd_run *run)
{
	return actor->cascade && actor->cascade->parent == run;
}

static void add_dependents(struct wd_cascade *cascade, const struct wd_run *run)
{
	const struct wd_swap *swap = run->swap;

	for (size_t i = 0; i < swap->dependents.count; i++) {
		cascade->items = wd_realloc(cascade->items, cascade->count + 1, sizeof(*cascade->items));
		cascade->items[cascade->count++] = (struct item){.id = wd_copy(swap->dependents.items[i]),
								 .from = wd_copy(run->task.container),
								 .to = wd_copy(swap->made)};
	}
}

/* What became of them stands behind what became of the first. */
static void finish(struct wd_actor *actor)
{
	struct wd_cascade *cascade = actor->cascade;
	struct wd_run *parent = cascade->parent;
	struct wd_text detail = {0};

	wd_text_add(&detail, parent->detail);
	if (cascade->done.length)
		wd_text_print(&detail, "; made again with it: %s", wd_text_get(&cascade->done));
	if (cascade->failed.length)
		wd_text_print(&detail, "; could not be made again with it: %s", wd_text_get(&cascade->failed));
	parent->partly |= cascade->failed.length > 0;
	free(parent->detail);
	parent->detail = wd_text_take(&detail);
	wd_list_done(&parent->swap->dependents);
	actor->cascade = wd_cascade_free(cascade);
	wd_run_let_go(parent);
}

static void go_on(struct wd_actor *actor)
{
	struct wd_cascade *cascade = actor->cascade;
	const struct item *item = &cascade->items[cascade->at];

	if (cascade->at >= cascade->count) {
		finish(actor);
		return;
	}
	cascade->at++;
	struct wd_task task = {.container = wd_copy(item->id),
			       .name = wd_copy("?"),
			       .service = wd_copy(""),
			       .incident = cascade->parent->task.incident,
			       .stop_timeout = 10 * WD_SECOND};
	wd_actor_start(actor, &wd_plan_follow, &task,
		       wd_swap_follow(cascade->parent->swap, item->from, item->to,
				      actor->outside.random(actor->outside.data)));
}

bool wd_cascade_holds(struct wd_actor *actor, struct wd_run *run)
{
	if (run->plan != &wd_plan_commit || run->end != WD_PLAN_DONE || run->swap->moved_from ||
	    run->swap->dependents.count == 0)
		return false;
	if (wd_cascade_is_parent(actor, run))
		return true;
	actor->cascade = wd_alloc(1, sizeof(*actor->cascade));
	actor->cascade->parent = run;
	add_dependents(actor->cascade, run);
	go_on(actor);
	return true;
}

static void note(struct wd_text *text, const char *name, const char *why)
{
	wd_text_print(text, "%s%s%s%s%s", text->length ? ", " : "", name, why ? " (" : "", why ? why : "",
		      why ? ")" : "");
}

static void take_end(struct wd_actor *actor, const struct wd_run *run)
{
	struct wd_cascade *cascade = actor->cascade;

	if (run->end == WD_PLAN_DONE) {
		note(&cascade->done, run->swap->name, NULL);
		add_dependents(cascade, run);
	} else if (run->seen || run->end != WD_PLAN_REFUSED) {
		note(&cascade->failed, run->task.name, run->detail);
	}
	go_on(actor);
}

/* One that is not there any more was made again before, or was removed by somebody. */
bool wd_cascade_ended(struct wd_actor *actor, const struct wd_run *run)
{
	if (!run->swap || !run->swap->moved_from)
		return false;
	if (run->plan == &wd_plan_follow && run->end == WD_PLAN_DONE)
		wd_actor_commit(actor, run->swap->made);
	else if (actor->cascade && !run->task.resumed)
		take_end(actor, run);
	return !run->task.resumed;
}
