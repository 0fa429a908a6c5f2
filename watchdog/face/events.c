/* events.c: `seadog events`: from the running watchdog, or from the Engine itself. */
#include "client.h"
#include "face.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/control.h>
#include <watchdog/engine.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#define RECENT WD_HOUR /* the Engine keeps 256 events at the most; those of the last hour are asked for */

struct listening {
	struct wd_call *call;
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	wd_stamp since; /* WD_STAMP_NONE: from now on */
	FILE *record;
	bool from_watchdog; /* it has been reached */
	bool any;           /* event was told */
	struct wd_error error;
};

static bool put_event(struct listening *listening, const struct wd_json *event)
{
	const struct wd_call *call = listening->call;
	listening->any = true;
	if (wd_asked(call, WD_FLAG_JSON)) {
		WD_AUTO_FREE char *line = wd_json_print(event);
		puts(line);
	} else {
		wd_render_event(event, &call->style);
	}
	return wd_flush_output(&listening->error);
}

/* From the watchdog. */

static bool on_event(void *data, const struct wd_json *object)
{
	struct listening *listening = data;
	const struct wd_json *event = wd_json_get(object, "event");
	return !event || put_event(listening, event);
}

static bool ask_watchdog(struct listening *listening, struct wd_error *error)
{
	bool follow = wd_asked(listening->call, WD_FLAG_FOLLOW);
	WD_AUTO_JSON struct wd_json *request = wd_request_new("events");
	if (follow)
		wd_json_set_bool(request, "follow", true);
	struct wd_asking *asking = wd_asking_new(wd_call_control(listening->call), request, WD_ASK_PATIENCE, error);
	if (!asking)
		return false;
	listening->from_watchdog = true;
	bool done = wd_asking_read(asking, follow ? WD_NEVER : WD_ASK_PATIENCE, on_event, listening, error);
	wd_asking_free(asking);
	return done;
}

/* From the Engine. */

static bool write_record(struct listening *listening, const char *line, size_t length)
{
	if (!listening->record)
		return true;
	if (fwrite(line, 1, length, listening->record) == length && fputc('\n', listening->record) != EOF &&
	    fflush(listening->record) == 0)
		return true;
	return wd_fail_errno(&listening->error, WD_ERROR_FAILED, "%s", listening->call->flags[WD_FLAG_RECORD]);
}

static bool take_line(struct listening *listening, const char *line, size_t length)
{
	struct wd_event event = {0};
	if (!write_record(listening, line, length))
		return false;
	if (wd_wire_event(line, length, &event) != WD_WIRE_EVENT)
		return true;
	WD_AUTO_JSON struct wd_json *report = wd_report_event(&event);
	return put_event(listening, report);
}

static void on_line(void *data, const char *line, size_t length)
{
	struct listening *listening = data;
	if (listening->error.kind == WD_ERROR_NONE && !take_line(listening, line, length))
		wd_loop_stop(listening->loop);
}

static void on_talk(void *data, enum wd_log_level level, const char *text)
{
	struct listening *listening = data;
	if (level >= WD_LOG_WARNING)
		wd_note(listening->call, "engine: %s", text);
	else
		wd_whisper(listening->call, "engine: %s", text);
}

static void ignore_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static void on_recent(void *data, const struct wd_engine_answer *answer)
{
	struct listening *listening = data;
	const char *line = answer->body;
	wd_loop_stop(listening->loop);
	if (answer->end != WD_HTTP_ANSWERED || answer->status != 200) {
		wd_fail(&listening->error, WD_ERROR_FAILED, "events: %s", answer->why);
		return;
	}
	while (line < answer->body + answer->length) {
		size_t length = strcspn(line, "\n");
		if (length > 0 && !take_line(listening, line, length))
			return;
		line += length + 1;
	}
}

/* A stream that ends now: the Engine closes it once it has told what it remembers. */
static void ask_recent(struct listening *listening)
{
	wd_stamp until = wd_stamp_now();
	wd_stamp since = listening->since ? listening->since : until - RECENT * 1000;
	bool podman = wd_engine_state(listening->engine).podman;
	WD_AUTO_FREE char *path =
		wd_format("/events?since=%lld.%09lld&until=%lld.%09lld&filters=%s", (long long)(since / 1000000000),
			  (long long)(since % 1000000000), (long long)(until / 1000000000),
			  (long long)(until % 1000000000), wd_wire_filters(podman));
	wd_engine_send(listening->engine, "GET", path, NULL, listening->call->settings->timeout, on_recent, listening);
}

static bool listen(struct listening *listening, struct wd_error *error)
{
	struct wd_engine_hooks hooks = {
		.on_fact = ignore_fact, .on_talk = on_talk, .on_line = on_line, .data = listening};
	listening->loop = wd_loop_new(error);
	listening->http = listening->loop ? wd_http_new(listening->loop, error) : NULL;
	if (!listening->http)
		return false;
	listening->engine = wd_call_engine(listening->call, listening->loop, listening->http, &hooks, error);
	if (!listening->engine || !wd_engine_reach(listening->engine, error))
		return false;
	if (wd_asked(listening->call, WD_FLAG_FOLLOW))
		wd_engine_start(listening->engine, listening->since);
	else
		ask_recent(listening);
	wd_loop_run(listening->loop);
	if (listening->error.kind == WD_ERROR_NONE)
		return true;
	*error = listening->error;
	return false;
}

static bool open_record(struct listening *listening, struct wd_error *error)
{
	const char *path = listening->call->flags[WD_FLAG_RECORD];
	if (!path)
		return true;
	int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	listening->record = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	return listening->record || wd_fail_errno(error, WD_ERROR_FAILED, "%s", path);
}

static bool ask_engine(struct listening *listening, struct wd_error *error)
{
	bool done = open_record(listening, error) && listen(listening, error);
	wd_engine_free(listening->engine);
	wd_http_free(listening->http);
	wd_loop_free(listening->loop);
	if (listening->record && fclose(listening->record) != 0 && done)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s", listening->call->flags[WD_FLAG_RECORD]);
	return done;
}

static bool run(struct listening *listening, bool from_engine, struct wd_error *error)
{
	if (!from_engine) {
		bool done = ask_watchdog(listening, error);
		if (done && listening->error.kind != WD_ERROR_NONE)
			*error = listening->error;
		if (listening->from_watchdog || error->kind != WD_ERROR_NOT_RUNNING)
			return done && error->kind == WD_ERROR_NONE;
		*error = (struct wd_error){0};
		wd_whisper(listening->call, "the watchdog is not running: asking the engine");
	}
	return ask_engine(listening, error);
}

bool wd_run_events(struct wd_call *call, struct wd_error *error)
{
	struct listening listening = {.call = call};
	const char *since = call->flags[WD_FLAG_SINCE];
	if (since && !wd_since_parse(since, wd_stamp_now(), &listening.since, error))
		return false;
	if (!wd_call_settings(call, error))
		return false;
	bool done = run(&listening, since || wd_asked(call, WD_FLAG_RECORD), error);
	if (done && !listening.any && !wd_asked(call, WD_FLAG_JSON))
		wd_note(call, "no events");
	return done;
}
