#include "client.h"
#include <string.h>

/* The Engine keeps its last 256 events in memory only (engine.md 2.1). One of them from before the connection was lost
 * proves that it is the same process; none, that it began anew, or that it had 256 others since. Asked without filters,
 * as the events of health checks are a proof as well. */
#define PATIENCE WD_SECOND
#define BODY_MOST ((size_t)4 << 20)

void wd_probe_stop(struct wd_engine *engine)
{
	if (engine->probe.call)
		wd_http_cancel(engine->probe.call);
	engine->probe = (struct wd_probe){0};
}

static bool is_from_before(const char *line, size_t length, wd_stamp until)
{
	WD_AUTO_JSON struct wd_json *event = wd_json_parse(line, length, NULL);
	int64_t stamp = wd_json_int(wd_json_get(event, "timeNano"), 0);

	return stamp > 0 && stamp <= until;
}

/* An Engine that knows no `until` streams on: so what came is looked at however the call ended. */
static bool any_from_before(const struct wd_http_answer *answer, wd_stamp until)
{
	const char *line = answer->body, *end = answer->body + answer->length;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		if (is_from_before(line, (size_t)(stop - line), until))
			return true;
		line = stop + 1;
	}
	return false;
}

static void answered(void *data, const struct wd_http_answer *answer)
{
	struct wd_engine *engine = data;

	engine->probe.call = NULL;
	engine->probe.same = any_from_before(answer, engine->probe.until);
	wd_trace("engine", engine->endpoint.host, "probe: %s", engine->probe.same ? "the same Engine" : "no proof");
	wd_link_probed(engine);
}

void wd_probe_begin(struct wd_engine *engine)
{
	struct wd_http_target target = wd_engine_target(&engine->endpoint);
	wd_stamp until = wd_timeline_before_loss(&engine->timeline, wd_loop_now(engine->loop), wd_stamp_now());
	WD_AUTO_FREE char *path = wd_format("/v%s/events?since=1&until=%lld.%09lld", engine->api_text,
					    (long long)(until / WD_STAMP_SECOND), (long long)(until % WD_STAMP_SECOND));

	engine->probe = (struct wd_probe){.until = until};
	engine->probe.call = wd_http_send(engine->http, &target,
					  &(struct wd_http_request){
						  .method = "GET",
						  .path = path,
						  .deadline = engine->timeout < PATIENCE ? engine->timeout : PATIENCE,
						  .limit = BODY_MOST,
						  .on_done = answered,
						  .data = engine,
					  });
}
