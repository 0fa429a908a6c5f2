#include "client.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

/* /info is only asked for the Engine's ID, and some proxies let it hang: it is not waited for longer than this. */
#define INFO_PATIENCE (3 * WD_SECOND)

bool wd_greeting_under_way(const struct wd_engine *engine)
{
	return engine->greeting.call != NULL;
}

static void forget(struct wd_greeting *greeting)
{
	bool reaching = greeting->reaching;

	free(greeting->newest);
	free(greeting->oldest);
	free(greeting->version);
	free(greeting->complaint);
	*greeting = (struct wd_greeting){.reaching = reaching};
}

void wd_greeting_stop(struct wd_engine *engine)
{
	if (engine->greeting.call)
		wd_http_cancel(engine->greeting.call);
	forget(&engine->greeting);
}

static void ask(struct wd_engine *engine, const char *path, wd_time patience, wd_http_header *header,
		wd_http_done *done)
{
	struct wd_http_target target = wd_engine_target(&engine->endpoint);
	wd_time left = engine->greeting.ends - wd_loop_now(engine->loop);

	if (left > patience)
		left = patience;
	engine->greeting.call = wd_http_send(engine->http, &target,
					     &(struct wd_http_request){
						     .method = "GET",
						     .path = path,
						     .deadline = left > WD_MILLISECOND ? left : WD_MILLISECOND,
						     .on_header = header,
						     .on_done = done,
						     .data = engine,
					     });
}

/* The end, well or not. Whoever waited is told last, because they may begin anew. */
static void over(struct wd_engine *engine, const char *why, enum wd_http_end end)
{
	WD_AUTO_FREE char *kept = wd_copy(why);

	forget(&engine->greeting);
	if (kept || engine->link.state == WD_LINK_OFF)
		wd_replace(&engine->trouble, kept);
	wd_trace("engine", engine->endpoint.host, "handshake: %s", kept ? kept : engine->api_text);
	if (engine->greeting.reaching)
		wd_loop_stop(engine->loop);
	wd_link_greeted(engine, kept, end);
	wd_calls_greeted(engine, kept);
}

static void informed(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine *engine = data;

	engine->greeting.call = NULL;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200) {
		WD_AUTO_JSON struct wd_json *info = wd_json_parse(answer->body, answer->length, NULL);
		const char *id = wd_json_string(wd_json_get(info, "ID"), NULL);

		if (id && *id) {
			free(engine->id);
			engine->id = wd_format("%s %s", id, wd_json_string(wd_json_get(info, "DockerRootDir"), ""));
		}
	}
	over(engine, NULL, WD_HTTP_ANSWERED);
}

static void agree(struct wd_engine *engine)
{
	struct wd_greeting *greeting = &engine->greeting;
	struct wd_api_offer offer = {greeting->newest, greeting->oldest, engine->endpoint.version};
	char path[WD_API_TEXT + 16];
	struct wd_error error;

	if (!wd_api_choose(&offer, &engine->api, &error)) {
		over(engine, error.text, WD_HTTP_ANSWERED);
		return;
	}
	wd_api_print(engine->api, engine->api_text);
	wd_replace(&engine->version, greeting->version);
	engine->podman = greeting->podman;
	snprintf(path, sizeof(path), "/v%s/info", engine->api_text);
	ask(engine, path, INFO_PATIENCE, NULL, informed);
}

static bool is_podman(const struct wd_json *version)
{
	const struct wd_json *components = wd_json_get(version, "Components");

	for (const struct wd_json *part = wd_json_first(components); part; part = wd_json_next(part))
		if (wd_text_starts(wd_json_string(wd_json_get(part, "Name"), ""), "Podman"))
			return true;
	return false;
}

static void take_version(struct wd_greeting *greeting, const struct wd_json *version)
{
	const char *newest = wd_json_string(wd_json_get(version, "ApiVersion"), NULL);

	if (newest)
		wd_replace(&greeting->newest, newest);
	wd_replace(&greeting->oldest, wd_json_string(wd_json_get(version, "MinAPIVersion"), NULL));
	wd_replace(&greeting->version, wd_json_string(wd_json_get(version, "Version"), NULL));
	greeting->podman = greeting->podman || is_podman(version);
}

static char *no_version(const struct wd_engine *engine, const struct wd_http_answer *answer)
{
	WD_AUTO_FREE char *complaint = wd_engine_complaint(answer);

	if (engine->greeting.complaint)
		return wd_copy(engine->greeting.complaint);
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200)
		return wd_copy("GET /version: the answer is no JSON: no Docker Engine answers there");
	return wd_format("GET /version: %s", complaint);
}

static void versioned(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine *engine = data;
	WD_AUTO_JSON struct wd_json *version = NULL;

	engine->greeting.call = NULL;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200)
		version = wd_json_parse(answer->body, answer->length, NULL);
	if (wd_json_is_object(version)) {
		take_version(&engine->greeting, version);
	} else if (!engine->greeting.newest || answer->end != WD_HTTP_ANSWERED) {
		/* A proxy may refuse /version alone; without both there is nothing to go by. */
		WD_AUTO_FREE char *why = no_version(engine, answer);

		over(engine, why, answer->end);
		return;
	}
	agree(engine);
}

static void ping_header(void *data, const char *name, const char *value)
{
	struct wd_engine *engine = data;

	if (strcasecmp(name, "Api-Version") == 0)
		wd_replace(&engine->greeting.newest, value);
	else if (strcasecmp(name, "Libpod-Api-Version") == 0)
		engine->greeting.podman = true;
	else
		wd_engine_date(engine, name, value);
}

static void ponged(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine *engine = data;

	engine->greeting.call = NULL;
	if (answer->end != WD_HTTP_ANSWERED) {
		over(engine, answer->why, answer->end);
		return;
	}
	wd_timeline_date(&engine->timeline, engine->date, wd_loop_now(engine->loop), engine->greeting.sent,
			 wd_stamp_now());
	if (answer->status != 200) {
		WD_AUTO_FREE char *complaint = wd_engine_complaint(answer);

		engine->greeting.complaint = wd_format("GET /_ping: %s", complaint);
	}
	ask(engine, "/version", engine->timeout, NULL, versioned);
}

void wd_greeting_begin(struct wd_engine *engine)
{
	if (wd_greeting_under_way(engine))
		return;
	forget(&engine->greeting);
	engine->greeting.ends = wd_loop_now(engine->loop) + engine->timeout;
	engine->greeting.sent = wd_stamp_now();
	engine->date[0] = '\0';
	ask(engine, "/_ping", engine->timeout, ping_header, ponged);
}
