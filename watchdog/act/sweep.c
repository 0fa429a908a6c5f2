/* sweep.c: what a rollback has left that no journal knows: the journal was lost, or a create was on its way when seadog
 * died and came true after the next one had tidied up. The names tell what it is. What was never started is removed; what
 * was parked gets its name back where nobody else has it; all else is told and left alone. */
#include "actor.h"
#include "swap.h"
#include <string.h>
#include <watchdog/memory.h>

#define ORDINARY (10 * WD_SECOND)

struct wd_sweep {
	struct wd_actor *actor;
	wd_actor_swept *told;
	void *data;
	void *call;
	struct wd_json *list;
	const struct wd_json *at; /* the one that is being seen to */
	char *name, *whose;
	enum wd_spare spare;
};

struct wd_sweep *wd_sweep_free(struct wd_sweep *sweep)
{
	if (!sweep)
		return NULL;
	if (sweep->call)
		sweep->actor->outside.cancel(sweep->actor->outside.data, sweep->call);
	wd_json_free(sweep->list);
	free(sweep->name);
	free(sweep->whose);
	free(sweep);
	return NULL;
}

static void end_sweep(struct wd_sweep *sweep)
{
	sweep->actor->sweep = NULL;
	wd_sweep_free(sweep);
}

static void send(struct wd_sweep *sweep, const char *method, const char *path, wd_engine_done *done)
{
	const struct wd_outside *outside = &sweep->actor->outside;

	sweep->call = outside->send(outside->data,
				    &(struct wd_engine_request){.method = method, .path = path, .deadline = ORDINARY},
				    done, sweep);
}

/* Links of others are names, too: the container's own has one slash. */
static const char *own_name(const struct wd_json *item)
{
	for (const struct wd_json *name = wd_json_first(wd_json_get(item, "Names")); name; name = wd_json_next(name)) {
		const char *text = wd_json_string(name, "");
		if (*text == '/' && !strchr(text + 1, '/'))
			return text + 1;
	}
	return "";
}

static bool is_taken(const struct wd_sweep *sweep, const char *name)
{
	for (const struct wd_json *item = wd_json_first(sweep->list); item; item = wd_json_next(item))
		if (strcmp(own_name(item), name) == 0)
			return true;
	return false;
}

/* Some plan is at it, or will be at the next start. */
static bool is_known(const struct wd_actor *actor, uint32_t token, const char *id)
{
	for (const struct wd_run *run = actor->runs; run; run = run->next)
		if (run->swap && run->swap->token == token)
			return true;
	for (const struct wd_open *open = actor->open; open; open = open->next)
		if (open->swap->token == token)
			return true;
	return wd_map_get(actor->left, id) != NULL;
}

static void take_next(struct wd_sweep *sweep);

static void tell(struct wd_sweep *sweep, const char *text)
{
	sweep->told(sweep->data, sweep->whose, text);
}

static void on_done(void *data, const struct wd_engine_answer *answer)
{
	struct wd_sweep *sweep = data;
	bool done = answer->end == WD_HTTP_ANSWERED && answer->status < 300;
	const char *what = sweep->spare == WD_SPARE_NEW ? "removed" : "has its name again, and is as it was left";
	WD_AUTO_FREE char *text =
		done ? wd_format("%s is left from a rollback that was not ended: %s", sweep->name, what)
		     : wd_format("%s is left from a rollback that was not ended, and stays: %s", sweep->name,
				 answer->why);

	sweep->call = NULL;
	tell(sweep, text);
	take_next(sweep);
}

static void leave(struct wd_sweep *sweep)
{
	WD_AUTO_FREE char *text =
		wd_format("%s is left from a rollback that was not ended: remove it (docker rm %s), or rename it",
			  sweep->name, sweep->name);

	tell(sweep, text);
	take_next(sweep);
}

static void see_to(struct wd_sweep *sweep, const char *id)
{
	bool fresh = strcmp(wd_json_string(wd_json_get(sweep->at, "State"), ""), "created") == 0;
	WD_AUTO_FREE char *path = NULL;

	if (sweep->spare == WD_SPARE_NEW && fresh) {
		path = wd_format("/containers/%s?v=1", id);
		send(sweep, "DELETE", path, on_done);
	} else if (sweep->spare == WD_SPARE_OLD && !is_taken(sweep, sweep->whose)) {
		path = wd_format("/containers/%s/rename?name=%s", id, sweep->whose);
		send(sweep, "POST", path, on_done);
	} else {
		leave(sweep);
	}
}

static void take_next(struct wd_sweep *sweep)
{
	uint32_t token;

	for (sweep->at = sweep->at ? wd_json_next(sweep->at) : wd_json_first(sweep->list); sweep->at;
	     sweep->at = wd_json_next(sweep->at)) {
		const char *id = wd_json_string(wd_json_get(sweep->at, "Id"), "");
		wd_replace(&sweep->name, own_name(sweep->at));
		wd_replace(&sweep->whose, NULL);
		sweep->spare = wd_spare_read(sweep->name, &sweep->whose, &token);
		if (sweep->spare == WD_SPARE_NONE || !wd_id_is(id) || is_known(sweep->actor, token, id))
			continue;
		see_to(sweep, id);
		return;
	}
	end_sweep(sweep);
}

static void on_list(void *data, const struct wd_engine_answer *answer)
{
	struct wd_sweep *sweep = data;

	sweep->call = NULL;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200)
		sweep->list = wd_json_parse(answer->body, answer->length, NULL);
	take_next(sweep);
}

void wd_actor_sweep(struct wd_actor *actor, wd_actor_swept *told, void *data)
{
	struct wd_sweep *sweep;

	if (actor->sweep)
		return;
	sweep = wd_alloc(1, sizeof(*sweep));
	*sweep = (struct wd_sweep){.actor = actor, .told = told, .data = data};
	actor->sweep = sweep;
	send(sweep, "GET", "/containers/json?all=1", on_list);
}
