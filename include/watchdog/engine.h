/* engine.h: the client of one Engine, on the loop. Owns the handshake (/_ping, version), the event stream with its
 * resume, resync and reconnects, inspects, and sends what plans ask for. Never blocks; always drains the stream.
 */
#ifndef WATCHDOG_ENGINE_H
#define WATCHDOG_ENGINE_H

#include <watchdog/endpoint.h>
#include <watchdog/facts.h>
#include <watchdog/http.h>
#include <watchdog/json.h>
#include <watchdog/log.h>

struct wd_engine;

/* Facts it tells: ENGINE_UP, ENGINE_DOWN, CONTAINER, GONE, SYNCED, EVENT. Never from within one of the calls below. */
typedef void wd_engine_fact(void *data, const struct wd_fact *fact);

struct wd_engine_hooks {
	wd_engine_fact *on_fact;
	/* Words for the log when the connection changes or the Engine is odd; may be NULL. */
	void (*on_talk)(void *data, enum wd_log_level level, const char *text);
	/* Each event line as it came, for `seadog events`; may be NULL. */
	void (*on_line)(void *data, const char *line, size_t length);
	void *data;
};

/* endpoint: copied. write: a second endpoint for changing calls, or NULL. timeout: of an ordinary call. http and loop
 * must outlive it. Freeing it cancels in silence whatever is under way. */
struct wd_engine *wd_engine_new(struct wd_loop *loop, struct wd_http *http, const struct wd_endpoint *endpoint,
                                const struct wd_endpoint *write, wd_time timeout, const struct wd_engine_hooks *hooks);
struct wd_engine *wd_engine_free(struct wd_engine *engine);

/* Begins: handshake, stream from `since` (WD_STAMP_NONE: from now), list and inspect all; reconnects for ever with
 * back-off and jitter (50 ms doubled to 5 s). A ping a minute tells a dead stream from a quiet one. */
void wd_engine_start(struct wd_engine *engine, wd_stamp since);

/* Asks about one container; CONTAINER or GONE comes back as a fact. Several at once for one id are one; one that is
 * asked for while an older question is under way gets an answer of its own. What cannot be answered now is asked again
 * with back-off. While the connection is away nothing is asked: the list behind the next one answers it. */
void wd_engine_inspect(struct wd_engine *engine, const char *id);

/* What is known for status; strings lent until the next turn. */
struct wd_engine_state {
	const char *host;
	const char *version; /* "26.1.5", or NULL until known */
	const char *api;     /* "1.45" */
	const char *id;      /* GET /info: ID and DockerRootDir (Engines of one host can share an ID), or NULL */
	bool connected;
	bool podman;
	wd_stamp last_event; /* newest event taken in: resume from here */
	const char *trouble; /* why it is not connected, or NULL */
};
struct wd_engine_state wd_engine_state(const struct wd_engine *engine);

/* One call, for plans and commands. path is without the version ("/containers/ID/stop"). On the write endpoint where
 * the method is not GET or HEAD. The version is negotiated first if need be, and again where the Engine was replaced
 * by one that does not speak it. deadline: a span from now to the end of the answer; 0: the ordinary time-out. The
 * handle is valid until done returns, or it is cancelled; done is never called from within wd_engine_send(). */
struct wd_engine_call;
struct wd_engine_answer {
	enum wd_http_end end;
	int status;
	const char *body; /* lent */
	size_t length;
	const char *why;  /* for people: the Engine's own complaint ("" where it has none), or why there is no answer */
};
typedef void wd_engine_done(void *data, const struct wd_engine_answer *answer);
struct wd_engine_call *wd_engine_send(struct wd_engine *engine, const char *method, const char *path, const char *body,
                                      wd_time deadline, wd_engine_done *done, void *data);

/* The same for what is not JSON. */
struct wd_engine_request {
	const char *method, *path;
	const char *type;   /* of the body; NULL: application/json */
	const char *body;   /* bytes, copied; NULL: none */
	size_t length;
	const char *auth;   /* X-Registry-Auth, or NULL */
	wd_time deadline;   /* as of wd_engine_send() */
	size_t limit;       /* of the answer; 0: the HTTP client's own */
};
struct wd_engine_call *wd_engine_request(struct wd_engine *engine, const struct wd_engine_request *request,
                                         wd_engine_done *done, void *data);
void wd_engine_cancel(struct wd_engine_call *call); /* promises silence */

/* For commands and `seadog check`: runs the loop until the handshake is done, or fails as WD_ERROR_UNREACHABLE within
 * the time-out. Not for the daemon. */
bool wd_engine_reach(struct wd_engine *engine, struct wd_error *error);
/* The same for one call: *ret_json is NULL for an empty body. A status above 299 other than `fine` is an error (404:
 * WD_ERROR_NOT_FOUND). */
bool wd_engine_ask(struct wd_engine *engine, const char *method, const char *path, const char *body, int fine,
                   struct wd_json **ret_json, struct wd_error *error);

#endif
