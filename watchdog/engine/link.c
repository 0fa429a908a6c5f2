#include "client.h"
#include <unistd.h>

/* A connection that stood for so long was a good one: the next back-off begins anew. */
#define GOOD_AFTER (5 * WD_SECOND)
#define PING_PATIENCE (10 * WD_SECOND)
#define PINGS_MISSED 2

static void expired(void *data);

void wd_link_init(struct wd_engine *engine)
{
	engine->link.timer = wd_timer_new(engine->loop, expired, engine);
	engine->link.wait = engine->pace.retry_first;
	engine->link.seed = (uint32_t)wd_time_now() ^ ((uint32_t)getpid() << 16) ^ 1;
}

static void set_state(struct wd_engine *engine, enum wd_link_state state)
{
	static const char *const names[] = {"off", "greeting", "probing", "opening", "proving", "up", "waiting"};

	wd_trace("engine", engine->endpoint.host, "%s -> %s", names[engine->link.state], names[state]);
	engine->link.state = state;
	wd_timer_set(engine->link.timer, WD_NEVER);
}

static void stop_ping(struct wd_link *link)
{
	if (link->ping)
		wd_http_cancel(link->ping);
	link->ping = NULL;
	link->ping_failures = 0;
}

void wd_link_done(struct wd_engine *engine)
{
	stop_ping(&engine->link);
	engine->link.timer = wd_timer_free(engine->link.timer);
}

static void arm(struct wd_engine *engine, wd_time span)
{
	wd_timer_set(engine->link.timer, wd_loop_now(engine->loop) + span);
}

void wd_link_begin(struct wd_engine *engine)
{
	set_state(engine, WD_LINK_GREETING);
	wd_greeting_begin(engine);
}

static void open_stream(struct wd_engine *engine)
{
	set_state(engine, WD_LINK_OPENING);
	arm(engine, engine->timeout);
	wd_stream_open(engine);
}

void wd_link_greeted(struct wd_engine *engine, const char *why, enum wd_http_end end)
{
	if (engine->link.state != WD_LINK_GREETING)
		return;
	if (why) {
		/* Nobody there, or nobody behind the proxy: who answers next may be another. */
		engine->link.failed = engine->link.failed || end != WD_HTTP_LATE;
		wd_link_lost(engine, why);
		return;
	}
	/* Podman keeps its events on disk, and its service may come and go without any container noticing. */
	if (engine->timeline.resumed && !engine->podman) {
		set_state(engine, WD_LINK_PROBING);
		wd_probe_begin(engine);
	} else {
		open_stream(engine);
	}
}

void wd_link_probed(struct wd_engine *engine)
{
	open_stream(engine);
}

void wd_link_answered(struct wd_engine *engine)
{
	if (engine->link.state != WD_LINK_OPENING)
		return;
	set_state(engine, WD_LINK_PROVING);
	arm(engine, engine->pace.prove);
	wd_sync_begin(engine);
}

static bool began_anew(const struct wd_engine *engine)
{
	const struct wd_timeline *timeline = &engine->timeline;

	if (!timeline->resumed || engine->podman || engine->probe.same)
		return false;
	return timeline->count > 0 || engine->link.failed;
}

void wd_link_proved(struct wd_engine *engine)
{
	struct wd_fact fact = {.kind = WD_FACT_ENGINE_UP};

	if (engine->link.state != WD_LINK_PROVING)
		return;
	fact.restarted = began_anew(engine);
	set_state(engine, WD_LINK_UP);
	engine->link.up_at = wd_loop_now(engine->loop);
	engine->link.failed = engine->link.fruitful = false;
	wd_replace(&engine->trouble, NULL);
	arm(engine, engine->pace.ping);
	wd_engine_tell(engine, &fact);
	/* The replay comes before the inspects: what it tells need not be inferred from their counters. */
	wd_stream_take_all(engine);
}

/* xorshift32 (Marsaglia 2003): enough to keep many clients of one Engine from coming back at the same moment. */
static uint32_t draw(struct wd_link *link)
{
	link->seed ^= link->seed << 13;
	link->seed ^= link->seed >> 17;
	link->seed ^= link->seed << 5;
	return link->seed;
}

/* The upper half of the back-off is left to chance. */
static void wait_a_while(struct wd_engine *engine)
{
	struct wd_link *link = &engine->link;
	wd_time half = link->wait / 2;

	set_state(engine, WD_LINK_WAITING);
	arm(engine, half + draw(link) % (half + 1));
	link->wait = link->wait * 2 < engine->pace.retry_most ? link->wait * 2 : engine->pace.retry_most;
}

static void say_lost(struct wd_engine *engine, bool was_up)
{
	if (was_up)
		wd_engine_talk(engine, WD_LOG_WARNING, "lost the event stream of %s: %s; trying again",
			       engine->endpoint.host, engine->trouble);
	else if (!engine->link.said)
		wd_engine_talk(engine, WD_LOG_WARNING, "cannot watch %s: %s; trying again", engine->endpoint.host,
			       engine->trouble);
	engine->link.said = true;
}

void wd_link_lost(struct wd_engine *engine, const char *why)
{
	struct wd_link *link = &engine->link;
	bool was_up = link->state == WD_LINK_UP;
	wd_time now = wd_loop_now(engine->loop);
	struct wd_fact fact = {.kind = WD_FACT_ENGINE_DOWN};

	wd_replace(&engine->trouble, why);
	stop_ping(link);
	wd_probe_stop(engine);
	wd_stream_close(engine);
	wd_sync_stop(engine);
	wd_looks_clear(engine);
	if (was_up) {
		wd_timeline_lost(&engine->timeline, now);
		if (link->fruitful || now - link->up_at >= GOOD_AFTER)
			link->wait = engine->pace.retry_first;
	}
	wait_a_while(engine);
	say_lost(engine, was_up);
	if (was_up)
		wd_engine_tell(engine, &fact);
}

static void ponged(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine *engine = data;
	struct wd_link *link = &engine->link;

	link->ping = NULL;
	if (answer->end == WD_HTTP_ANSWERED) {
		link->ping_failures = 0;
		wd_timeline_date(&engine->timeline, engine->date, wd_loop_now(engine->loop), link->ping_sent,
				 wd_stamp_now());
		arm(engine, engine->pace.ping);
	} else if (++link->ping_failures < PINGS_MISSED) {
		arm(engine, engine->pace.retry_first);
	} else {
		WD_AUTO_FREE char *why = wd_format("no answer to a ping: %s", answer->why);

		wd_link_lost(engine, why);
	}
}

static void note_date(void *data, const char *name, const char *value)
{
	wd_engine_date(data, name, value);
}

static void ping(struct wd_engine *engine)
{
	struct wd_http_target target = wd_engine_target(&engine->endpoint);
	wd_time patience = engine->timeout < PING_PATIENCE ? engine->timeout : PING_PATIENCE;

	engine->date[0] = '\0';
	engine->link.ping_sent = wd_stamp_now();
	engine->link.ping = wd_http_send(engine->http, &target,
					 &(struct wd_http_request){
						 .method = "GET",
						 .path = "/_ping",
						 .deadline = patience,
						 .on_header = note_date,
						 .on_done = ponged,
						 .data = engine,
					 });
}

/* A stream that brings something needs no ping; and it is only looked at here, so that no line costs a timer. */
static void ping_if_quiet(struct wd_engine *engine)
{
	wd_time quiet = wd_loop_now(engine->loop) - engine->stream.active;

	if (quiet < engine->pace.ping) {
		engine->link.ping_failures = 0;
		arm(engine, engine->pace.ping - quiet);
	} else if (!engine->link.ping) {
		ping(engine);
	}
}

static void expired(void *data)
{
	struct wd_engine *engine = data;

	switch (engine->link.state) {
	case WD_LINK_WAITING:
		wd_link_begin(engine);
		break;
	case WD_LINK_OPENING:
		wd_link_lost(engine, "the event stream does not begin");
		break;
	case WD_LINK_PROVING:
		wd_link_proved(engine);
		break;
	case WD_LINK_UP:
		ping_if_quiet(engine);
		break;
	case WD_LINK_OFF:
	case WD_LINK_GREETING:
	case WD_LINK_PROBING:
		break;
	}
}
