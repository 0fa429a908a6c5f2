#include "client.h"
#include "wire_id.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <watchdog/wire.h>

static const struct wd_pace ordinary_pace = {
	.retry_first = 50 * WD_MILLISECOND,
	.retry_most = 5 * WD_SECOND,
	.ping = WD_MINUTE,
	.prove = WD_SECOND,
	.look = 10 * WD_SECOND,
	.look_retry = 250 * WD_MILLISECOND,
};

static void copy_endpoint(struct wd_endpoint *to, const struct wd_endpoint *from)
{
	*to = (struct wd_endpoint){
		.host = wd_copy(from->host),
		.socket_path = wd_copy(from->socket_path),
		.base_url = wd_copy(from->base_url),
		.tls_ca = wd_copy(from->tls_ca),
		.tls_cert = wd_copy(from->tls_cert),
		.tls_key = wd_copy(from->tls_key),
		.tls_insecure = from->tls_insecure,
		.origin = wd_copy(from->origin),
		.version = wd_copy(from->version),
	};
}

struct wd_engine *wd_engine_new(struct wd_loop *loop, struct wd_http *http, const struct wd_endpoint *endpoint,
				const struct wd_endpoint *write, wd_time timeout, const struct wd_engine_hooks *hooks)
{
	struct wd_engine *engine = wd_alloc(1, sizeof(*engine));

	engine->loop = loop;
	engine->http = http;
	engine->timeout = timeout;
	engine->hooks = *hooks;
	engine->pace = ordinary_pace;
	copy_endpoint(&engine->endpoint, endpoint);
	engine->has_write = write != NULL;
	if (write)
		copy_endpoint(&engine->write, write);
	wd_link_init(engine);
	wd_stream_init(engine);
	wd_sync_init(engine);
	wd_looks_init(engine);
	TAILQ_INIT(&engine->waiting);
	TAILQ_INIT(&engine->flying);
	return engine;
}

struct wd_engine *wd_engine_free(struct wd_engine *engine)
{
	if (!engine)
		return NULL;
	wd_link_done(engine);
	wd_greeting_stop(engine);
	wd_probe_stop(engine);
	wd_looks_done(engine);
	wd_sync_done(engine);
	wd_stream_done(engine);
	wd_calls_clear(engine);
	wd_endpoint_done(&engine->endpoint);
	wd_endpoint_done(&engine->write);
	free(engine->version);
	free(engine->id);
	free(engine->trouble);
	free(engine);
	return NULL;
}

void wd_engine_start(struct wd_engine *engine, wd_stamp since)
{
	wd_timeline_start(&engine->timeline, since, wd_loop_now(engine->loop));
	wd_link_begin(engine);
}

void wd_engine_inspect(struct wd_engine *engine, const char *id)
{
	enum wd_link_state state = engine->link.state;

	/* While there is no connection the list after the next one answers it. */
	if (wd_wire_is_id(id) && (state == WD_LINK_OFF || state == WD_LINK_PROVING || state == WD_LINK_UP))
		wd_looks_add(engine, id, false);
}

struct wd_engine_state wd_engine_state(const struct wd_engine *engine)
{
	return (struct wd_engine_state){
		.host = engine->endpoint.host,
		.version = engine->version,
		.api = engine->api ? engine->api_text : NULL,
		.id = engine->id,
		.connected = engine->link.state == WD_LINK_UP,
		.podman = engine->podman,
		.last_event = engine->timeline.newest,
		.trouble = engine->trouble,
	};
}

void wd_engine_talk(struct wd_engine *engine, enum wd_log_level level, const char *format, ...)
{
	char text[700];
	va_list arguments;

	if (!engine->hooks.on_talk)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	engine->hooks.on_talk(engine->hooks.data, level, text);
}

void wd_engine_tell(struct wd_engine *engine, struct wd_fact *fact)
{
	fact->stamp = wd_stamp_now();
	engine->hooks.on_fact(engine->hooks.data, fact);
}

struct wd_http_target wd_engine_target(const struct wd_endpoint *endpoint)
{
	return (struct wd_http_target){
		.socket_path = endpoint->socket_path,
		.base_url = endpoint->base_url,
		.tls_ca = endpoint->tls_ca,
		.tls_cert = endpoint->tls_cert,
		.tls_key = endpoint->tls_key,
		.tls_insecure = endpoint->tls_insecure,
	};
}

void wd_engine_date(struct wd_engine *engine, const char *name, const char *value)
{
	if (strcasecmp(name, "Date") == 0)
		snprintf(engine->date, sizeof(engine->date), "%s", value);
}

char *wd_engine_phrase(enum wd_http_end end, int status, const char *why)
{
	if (end != WD_HTTP_ANSWERED)
		return wd_copy(*why ? why : "no answer");
	return wd_format("engine said %d%s%s", status, *why ? ": " : "", why);
}

char *wd_engine_complaint(const struct wd_http_answer *answer)
{
	WD_AUTO_FREE char *words = wd_wire_complaint(answer->body, answer->length);

	return wd_engine_phrase(answer->end, answer->status, answer->end == WD_HTTP_ANSWERED ? words : answer->why);
}
