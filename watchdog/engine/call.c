#include "client.h"
#include <string.h>
#include <watchdog/wire.h>

struct wd_engine_call {
	TAILQ_ENTRY(wd_engine_call) entry;
	struct wd_call_queue *in; /* NULL while `done` is being called */
	struct wd_engine *engine;
	char *method, *path, *type, *more;
	char *body;
	size_t length;
	size_t limit; /* of the answer; 0: the HTTP client's own */
	wd_time ends; /* the moment of its deadline */
	wd_engine_done *done;
	void *data;
	struct wd_http_call *http;
	struct wd_timer *timer; /* while it waits for a version */
	bool renegotiated;
};

static void move(struct wd_engine_call *call, struct wd_call_queue *to)
{
	if (call->in)
		TAILQ_REMOVE(call->in, call, entry);
	if (to)
		TAILQ_INSERT_TAIL(to, call, entry);
	call->in = to;
}

static void release(struct wd_engine_call *call)
{
	wd_timer_free(call->timer);
	free(call->method);
	free(call->path);
	free(call->type);
	free(call->more);
	free(call->body);
	free(call);
}

static void finish(struct wd_engine_call *call, const struct wd_engine_answer *answer)
{
	move(call, NULL);
	call->done(call->data, answer);
	release(call);
}

static void finish_unsent(struct wd_engine_call *call, const char *why)
{
	finish(call, &(struct wd_engine_answer){.end = WD_HTTP_UNSENT, .body = "", .why = why});
}

/* The moment has come, and there still is no version: it was never sent. */
static void too_late(void *data)
{
	finish_unsent(data, "the Engine did not say in time which API version it speaks");
}

static void wait_for_version(struct wd_engine_call *call)
{
	move(call, &call->engine->waiting);
	if (!call->timer)
		call->timer = wd_timer_new(call->engine->loop, too_late, call);
	wd_timer_set(call->timer, call->ends);
	wd_greeting_begin(call->engine);
}

static bool renegotiate(struct wd_engine_call *call, const struct wd_http_answer *answer)
{
	WD_AUTO_FREE char *words = NULL;

	if (answer->end != WD_HTTP_ANSWERED || answer->status != 400 || call->renegotiated)
		return false;
	words = wd_wire_complaint(answer->body, answer->length);
	if (!words || !wd_api_refused(words))
		return false;
	call->renegotiated = true;
	wait_for_version(call);
	return true;
}

static void answered(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine_call *call = data;
	WD_AUTO_FREE char *why = NULL;

	call->http = NULL;
	if (renegotiate(call, answer))
		return;
	if (answer->end != WD_HTTP_ANSWERED)
		why = wd_copy(answer->why);
	else if (answer->status >= 400)
		why = wd_wire_complaint(answer->body, answer->length);
	wd_trace("engine", call->engine->endpoint.host, "%s %s: %d %s", call->method, call->path, answer->status,
		 why ? why : "");
	finish(call, &(struct wd_engine_answer){
			     .end = answer->end,
			     .status = answer->status,
			     .body = answer->body ? answer->body : "",
			     .length = answer->length,
			     .why = why ? why : "",
		     });
}

static bool changes(const struct wd_engine_call *call)
{
	return strcmp(call->method, "GET") != 0 && strcmp(call->method, "HEAD") != 0;
}

static void transmit(struct wd_engine_call *call)
{
	struct wd_engine *engine = call->engine;
	bool write = engine->has_write && changes(call);
	struct wd_http_target target = wd_engine_target(write ? &engine->write : &engine->endpoint);
	WD_AUTO_FREE char *path = wd_format("/v%s%s", engine->api_text, call->path);
	wd_time left = call->ends - wd_loop_now(engine->loop);

	move(call, &engine->flying);
	call->timer = wd_timer_free(call->timer);
	call->http = wd_http_send(engine->http, &target,
				  &(struct wd_http_request){
					  .method = call->method,
					  .path = path,
					  .content_type = call->type ? call->type : "application/json",
					  .body = call->body,
					  .body_length = call->length,
					  .more = call->more,
					  .limit = call->limit,
					  .deadline = left > WD_MILLISECOND ? left : WD_MILLISECOND,
					  .on_done = answered,
					  .data = call,
				  });
}

/* Whoever is answered may cancel others and send anew, so the list is taken out first: what is sent anew waits for the
 * next handshake. */
void wd_calls_greeted(struct wd_engine *engine, const char *why)
{
	struct wd_call_queue batch = TAILQ_HEAD_INITIALIZER(batch);
	struct wd_engine_call *call;

	while ((call = TAILQ_FIRST(&engine->waiting)))
		move(call, &batch);
	while ((call = TAILQ_FIRST(&batch))) {
		if (why && !engine->api)
			finish_unsent(call, why);
		else
			transmit(call);
	}
}

static struct wd_engine_call *take_first(struct wd_call_queue *queue)
{
	struct wd_engine_call *call = TAILQ_FIRST(queue);

	if (call) {
		TAILQ_REMOVE(queue, call, entry);
		call->in = NULL;
	}
	return call;
}

static void clear(struct wd_engine_call *call)
{
	if (call->http)
		wd_http_cancel(call->http);
	release(call);
}

void wd_calls_clear(struct wd_engine *engine)
{
	struct wd_engine_call *call;

	while ((call = take_first(&engine->waiting)) || (call = take_first(&engine->flying)))
		clear(call);
}

static void go(struct wd_engine_call *call)
{
	if (call->engine->api)
		transmit(call);
	else
		wait_for_version(call);
}

static struct wd_engine_call *new_call(struct wd_engine *engine, const char *method, const char *path, wd_time deadline,
				       wd_engine_done *done, void *data)
{
	struct wd_engine_call *call = wd_alloc(1, sizeof(*call));

	call->engine = engine;
	call->method = wd_copy(method);
	call->path = wd_copy(path);
	call->ends = wd_loop_now(engine->loop) + (deadline > 0 ? deadline : engine->timeout);
	call->done = done;
	call->data = data;
	return call;
}

struct wd_engine_call *wd_engine_send(struct wd_engine *engine, const char *method, const char *path, const char *body,
				      wd_time deadline, wd_engine_done *done, void *data)
{
	struct wd_engine_call *call = new_call(engine, method, path, deadline, done, data);

	call->body = wd_copy(body);
	call->length = body ? strlen(body) : 0;
	go(call);
	return call;
}

struct wd_engine_call *wd_engine_request(struct wd_engine *engine, const struct wd_engine_request *request,
					 wd_engine_done *done, void *data)
{
	struct wd_engine_call *call = new_call(engine, request->method, request->path, request->deadline, done, data);

	call->type = wd_copy(request->type);
	call->more = request->auth ? wd_format("X-Registry-Auth: %s", request->auth) : NULL;
	call->body = request->body ? wd_copy_part(request->body, request->length) : NULL;
	call->length = request->length;
	call->limit = request->limit;
	go(call);
	return call;
}

struct wd_engine_call *wd_call_get(struct wd_engine *engine, const char *path, size_t limit, wd_time deadline,
				   wd_engine_done *done, void *data)
{
	struct wd_engine_call *call = new_call(engine, "GET", path, deadline, done, data);

	call->limit = limit;
	go(call);
	return call;
}

void wd_engine_cancel(struct wd_engine_call *call)
{
	if (!call->in)
		return;
	move(call, NULL);
	clear(call);
}

bool wd_engine_reach(struct wd_engine *engine, struct wd_error *error)
{
	if (engine->api)
		return true;
	engine->greeting.reaching = true;
	wd_greeting_begin(engine);
	wd_loop_run(engine->loop);
	engine->greeting.reaching = false;
	if (engine->api)
		return true;
	return wd_fail(error, WD_ERROR_UNREACHABLE, "%s: %s", engine->endpoint.host,
		       engine->trouble ? engine->trouble : "no answer");
}

/* One answer, kept beyond its callback. */
struct asking {
	struct wd_loop *loop;
	struct wd_engine_answer answer;
	char *body, *why;
};

static void keep(void *data, const struct wd_engine_answer *answer)
{
	struct asking *asking = data;

	asking->answer = *answer;
	asking->body = wd_copy_part(answer->body, answer->length);
	asking->why = wd_copy(answer->why);
	wd_loop_stop(asking->loop);
}

static bool judge(const struct wd_engine *engine, const struct asking *asking, int fine, struct wd_error *error)
{
	WD_AUTO_FREE char *phrase = wd_engine_phrase(asking->answer.end, asking->answer.status, asking->why);
	int status = asking->answer.status;

	if (asking->answer.end != WD_HTTP_ANSWERED)
		return wd_fail(error, WD_ERROR_UNREACHABLE, "%s: %s", engine->endpoint.host, phrase);
	if ((status >= 200 && status < 300) || status == fine)
		return true;
	return wd_fail(error, status == 404 ? WD_ERROR_NOT_FOUND : WD_ERROR_FAILED, "%s", phrase);
}

bool wd_engine_ask(struct wd_engine *engine, const char *method, const char *path, const char *body, int fine,
		   struct wd_json **ret_json, struct wd_error *error)
{
	struct asking asking = {.loop = engine->loop};
	struct wd_json *json = NULL;
	bool done;

	if (!wd_engine_reach(engine, error))
		return false;
	wd_engine_send(engine, method, path, body, engine->timeout, keep, &asking);
	wd_loop_run(engine->loop);
	done = judge(engine, &asking, fine, error);
	if (done && asking.answer.length > 0 && asking.answer.status < 300) {
		json = wd_json_parse(asking.body, asking.answer.length, error);
		done = json || wd_fail_in(error, "the answer to %s %s", method, path);
	}
	if (done && ret_json)
		*ret_json = json;
	else
		wd_json_free(json);
	free(asking.body);
	free(asking.why);
	return done;
}
