#include "client.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/wire.h>

/* One step: the timers and the other descriptors get their turn in between. In one turn of the loop curl reads up to a
 * hundred times; what is beyond FULL_BYTES is left in the socket, which never happens at the rates of a real Engine. */
#define STEP_BYTES ((size_t)64 << 10)
#define FULL_BYTES (2 * STEP_BYTES)
/* What may wait for the list's answer. */
#define WAITING_MOST ((size_t)1 << 20)
#define HEAD_KEPT ((size_t)2048)

static void step(void *data);

void wd_stream_init(struct wd_engine *engine)
{
	engine->stream.step = wd_timer_new(engine->loop, step, engine);
}

void wd_stream_done(struct wd_engine *engine)
{
	wd_stream_close(engine);
	engine->stream.step = wd_timer_free(engine->stream.step);
}

/* Set once, not moved by each of the bytes that follow: those of the next turn come before its timers, and would put it
 * off for as long as there are any. */
static void go_on(struct wd_engine *engine)
{
	if (!engine->stream.due)
		wd_timer_set(engine->stream.step, wd_loop_now(engine->loop));
	engine->stream.due = true;
}

static void noted_header(void *data, const char *name, const char *value)
{
	struct wd_engine *engine = data;

	(void)name, (void)value;
	engine->stream.active = wd_loop_now(engine->loop);
	if (!engine->stream.answered)
		go_on(engine);
	engine->stream.answered = true;
}

static void noted_bytes(void *data, const char *bytes, size_t length)
{
	struct wd_engine *engine = data;
	struct wd_stream *stream = &engine->stream;
	size_t room = HEAD_KEPT - stream->head.length;

	stream->active = wd_loop_now(engine->loop);
	if (room > 0)
		wd_text_put(&stream->head, bytes, length < room ? length : room);
	wd_lines_put(&stream->lines, bytes, length);
	stream->answered = true;
	if (!stream->paused && engine->link.state == WD_LINK_UP && wd_lines_waiting(&stream->lines) > FULL_BYTES) {
		stream->paused = true;
		wd_http_pause(stream->call, true);
	}
	go_on(engine);
}

static void noted_end(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine *engine = data;
	struct wd_stream *stream = &engine->stream;
	struct wd_http_answer whole = *answer;

	stream->call = NULL;
	stream->ended = true;
	stream->broken = answer->status != 200;
	if (answer->end == WD_HTTP_UNSENT)
		engine->link.failed = true;
	if (stream->answered && !stream->broken) {
		wd_trace("engine", engine->endpoint.host, "stream: %s", answer->why);
		stream->why = wd_copy("the connection was closed");
	} else {
		whole.body = wd_text_get(&stream->head);
		whole.length = stream->head.length;
		stream->why = wd_engine_complaint(&whole);
	}
	go_on(engine);
}

static char *path_of(struct wd_engine *engine)
{
	wd_stamp since = wd_timeline_since(&engine->timeline, wd_loop_now(engine->loop), wd_stamp_now());
	const char *filters = wd_wire_filters(engine->podman);

	if (since == WD_STAMP_NONE)
		return wd_format("/v%s/events?filters=%s", engine->api_text, filters);
	return wd_format("/v%s/events?filters=%s&since=%lld.%09lld", engine->api_text, filters,
			 (long long)(since / WD_STAMP_SECOND), (long long)(since % WD_STAMP_SECOND));
}

void wd_stream_open(struct wd_engine *engine)
{
	struct wd_http_target target = wd_engine_target(&engine->endpoint);
	WD_AUTO_FREE char *path = path_of(engine);

	wd_trace("engine", engine->endpoint.host, "GET %s", path);
	wd_timeline_connected(&engine->timeline, wd_loop_now(engine->loop), wd_stamp_now());
	engine->stream.call = wd_http_send(engine->http, &target,
					   &(struct wd_http_request){
						   .method = "GET",
						   .path = path,
						   .on_header = noted_header,
						   .on_bytes = noted_bytes,
						   .on_done = noted_end,
						   .data = engine,
					   });
}

void wd_stream_close(struct wd_engine *engine)
{
	struct wd_stream *stream = &engine->stream;
	struct wd_timer *timer = stream->step;

	if (stream->call)
		wd_http_cancel(stream->call);
	wd_timer_set(timer, WD_NEVER);
	wd_lines_done(&stream->lines);
	wd_text_done(&stream->head);
	free(stream->why);
	*stream = (struct wd_stream){.step = timer};
}

static void say_rubbish(struct wd_engine *engine, const char *line, size_t length)
{
	WD_AUTO_TEXT struct wd_text shown = {0};

	if (engine->stream.rubbish++ > 0)
		return;
	wd_text_escape(&shown, line, length, 80);
	wd_engine_talk(engine, WD_LOG_WARNING, "%s sends what is no event: %s", engine->endpoint.host,
		       wd_text_get(&shown));
}

static void say_long(struct wd_engine *engine)
{
	struct wd_stream *stream = &engine->stream;

	if (stream->lines.left_out == 0 || stream->said_long)
		return;
	stream->said_long = true;
	wd_engine_talk(engine, WD_LOG_WARNING, "%s sent an event of more than 1 MiB, which was left out",
		       engine->endpoint.host);
}

static void show_line(const struct wd_engine *engine, const char *line, size_t length)
{
	if (engine->hooks.on_line)
		engine->hooks.on_line(engine->hooks.data, line, length);
}

static void tell_event(struct wd_engine *engine, struct wd_event *event)
{
	struct wd_fact fact = {.kind = WD_FACT_EVENT, .event = event};
	wd_stamp wall = wd_stamp_now();

	engine->link.fruitful = true;
	wd_timeline_take(&engine->timeline, event, wall);
	wd_timeline_place(&engine->timeline, wd_loop_now(engine->loop), wall, event);
	wd_engine_tell(engine, &fact);
}

static void take_line(struct wd_engine *engine, const char *line, size_t length)
{
	enum wd_wire_line kind;
	struct wd_event event;

	if (length == 0 || (length == 1 && *line == '\r'))
		return;
	kind = wd_wire_event(line, length, &event);
	if (kind == WD_WIRE_OTHER) {
		show_line(engine, line, length);
	} else if (kind == WD_WIRE_RUBBISH) {
		say_rubbish(engine, line, length);
	} else if (!wd_timeline_knows(&engine->timeline, &event)) {
		show_line(engine, line, length);
		tell_event(engine, &event);
	}
}

void wd_stream_take_all(struct wd_engine *engine)
{
	const char *line;
	size_t length;

	say_long(engine);
	while ((line = wd_lines_take(&engine->stream.lines, &length)))
		take_line(engine, line, length);
	wd_lines_trim(&engine->stream.lines);
}

static void take_some(struct wd_engine *engine)
{
	struct wd_stream *stream = &engine->stream;
	size_t bytes = 0, length;
	const char *line;

	say_long(engine);
	while (bytes < STEP_BYTES && (line = wd_lines_take(&stream->lines, &length))) {
		bytes += length + 1;
		take_line(engine, line, length);
	}
	wd_lines_trim(&stream->lines);
	if (stream->paused && wd_lines_waiting(&stream->lines) <= STEP_BYTES) {
		stream->paused = false;
		wd_http_pause(stream->call, false);
	}
}

static void step(void *data)
{
	struct wd_engine *engine = data;
	struct wd_stream *stream = &engine->stream;

	stream->due = false;
	if (stream->answered && !stream->broken)
		wd_link_answered(engine);
	if ((stream->ended && !stream->broken) || wd_lines_waiting(&stream->lines) > WAITING_MOST)
		wd_link_proved(engine);
	if (engine->link.state == WD_LINK_UP)
		take_some(engine);
	if (engine->link.state == WD_LINK_UP)
		wd_looks_go_on(engine);
	if (engine->link.state == WD_LINK_UP && wd_lines_waiting(&stream->lines) > 0) {
		go_on(engine);
	} else if (stream->ended) {
		WD_AUTO_FREE char *why = wd_copy(stream->why);

		wd_link_lost(engine, why);
	}
}
