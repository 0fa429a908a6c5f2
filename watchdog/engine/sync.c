#include "client.h"
#include <watchdog/wire.h>

#define LIST_RETRY_MOST (10 * WD_SECOND)

static void list(void *data);

void wd_sync_init(struct wd_engine *engine)
{
	engine->sync.timer = wd_timer_new(engine->loop, list, engine);
}

void wd_sync_done(struct wd_engine *engine)
{
	wd_sync_stop(engine);
	engine->sync.timer = wd_timer_free(engine->sync.timer);
}

void wd_sync_stop(struct wd_engine *engine)
{
	struct wd_timer *timer = engine->sync.timer;

	if (engine->sync.call)
		wd_engine_cancel(engine->sync.call);
	wd_timer_set(timer, WD_NEVER);
	free(engine->sync.why);
	engine->sync = (struct wd_sync){.timer = timer};
}

static void finish_if_whole(struct wd_engine *engine)
{
	struct wd_sync *sync = &engine->sync;
	struct wd_fact fact = {.kind = WD_FACT_SYNCED};

	if (sync->state != WD_SYNC_LOOKING || sync->open > 0)
		return;
	sync->state = WD_SYNC_DONE;
	fact.given_up = sync->given_up > 0;
	if (sync->given_up > 0)
		wd_engine_talk(engine, WD_LOG_WARNING, "%s does not say what %zu of %zu containers are: %s; asking on",
			       engine->endpoint.host, sync->given_up, sync->total, sync->why);
	wd_trace("engine", engine->endpoint.host, "synced, %zu containers", sync->total);
	wd_engine_tell(engine, &fact);
}

void wd_sync_answered(struct wd_engine *engine)
{
	engine->sync.open--;
	finish_if_whole(engine);
}

void wd_sync_gave_up(struct wd_engine *engine, const char *why)
{
	if (engine->sync.given_up++ == 0)
		wd_replace(&engine->sync.why, why);
	wd_sync_answered(engine);
}

static void look_at_all(struct wd_engine *engine, const struct wd_list *ids)
{
	struct wd_sync *sync = &engine->sync;

	sync->state = WD_SYNC_LOOKING;
	sync->total = sync->open = ids->count;
	for (size_t i = 0; i < ids->count; i++)
		wd_looks_add(engine, ids->items[i], true);
	wd_engine_talk(engine, WD_LOG_INFO, "connected to %s: %s %s, API %s, %zu container%s", engine->endpoint.host,
		       engine->podman ? "Podman" : "Docker", engine->version ? engine->version : "of unknown version",
		       engine->api_text, sync->total, sync->total == 1 ? "" : "s");
	engine->link.said = false;
	finish_if_whole(engine);
}

static void list_again(struct wd_engine *engine, const char *why)
{
	struct wd_sync *sync = &engine->sync;
	wd_time wait = engine->pace.look_retry << (sync->tries < 8 ? sync->tries : 8);

	if (sync->tries++ == 0)
		wd_engine_talk(engine, WD_LOG_WARNING, "cannot list the containers of %s: %s; trying again",
			       engine->endpoint.host, why);
	wd_timer_set(sync->timer, wd_loop_now(engine->loop) + (wait < LIST_RETRY_MOST ? wait : LIST_RETRY_MOST));
}

static void listed(void *data, const struct wd_engine_answer *answer)
{
	struct wd_engine *engine = data;
	WD_AUTO_JSON struct wd_json *json = NULL;
	struct wd_list ids = {0};
	struct wd_error error;

	engine->sync.call = NULL;
	wd_link_proved(engine);
	if (answer->end != WD_HTTP_ANSWERED || answer->status != 200) {
		WD_AUTO_FREE char *why = wd_engine_phrase(answer->end, answer->status, answer->why);

		list_again(engine, why);
		return;
	}
	json = wd_json_parse(answer->body, answer->length, &error);
	if (json && wd_wire_list(json, &ids, &error))
		look_at_all(engine, &ids);
	else
		list_again(engine, error.text);
	wd_list_done(&ids);
}

static void list(void *data)
{
	struct wd_engine *engine = data;

	engine->sync.call =
		wd_engine_send(engine, "GET", "/containers/json?all=1", NULL, engine->timeout, listed, engine);
}

void wd_sync_begin(struct wd_engine *engine)
{
	engine->sync.state = WD_SYNC_LISTING;
	list(engine);
}
