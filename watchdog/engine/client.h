/* client.h: the parts of the Engine client, and what they ask of each other. Only for watchdog/engine.
 *
 *   link.c       the connection's states: greeting, probing, opening, proving, up, waiting; pings
 *   handshake.c  /_ping, /version, /info: which version is spoken
 *   probe.c      whether it is the same Engine process as before the loss
 *   stream.c     /events: bytes to lines to facts, in bounded steps
 *   sync.c       the list after a connection
 *   look.c       inspects: at most WD_LOOKS_AT_ONCE, one per container, retried
 *   call.c       what plans and commands send
 *
 * One event's way: curl hands over bytes, which are noted (stream.c); a timer set to this very moment tells them as
 * facts from the loop's next turn, so that whoever is told may send a request.
 */
#ifndef WATCHDOG_ENGINE_CLIENT_H
#define WATCHDOG_ENGINE_CLIENT_H

#include <sys/queue.h>

#include <watchdog/engine.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>

#include "images.h"
#include "lines.h"
#include "timeline.h"
#include "version.h"

/* With the stream and a ping that makes eight descriptors, however badly the Engine hangs. */
#define WD_LOOKS_AT_ONCE 6

/* off -> greeting -> (probing ->) opening -> proving -> up; each of them -> waiting -> greeting. */
enum wd_link_state {
	WD_LINK_OFF,
	WD_LINK_GREETING, /* the handshake is under way */
	WD_LINK_PROBING,  /* again after a loss: is it the same Engine? */
	WD_LINK_OPENING,  /* the stream was asked for */
	WD_LINK_PROVING,  /* its answer has begun: it may still be a refusal, until the list is answered as well */
	WD_LINK_UP,
	WD_LINK_WAITING, /* back-off */
};

/* How fast things go; tests are in more of a hurry. */
struct wd_pace {
	wd_time retry_first, retry_most; /* back-off of the connection */
	wd_time ping;                    /* quiet for so long: ping */
	wd_time prove;                   /* a stream that began is believed after this, even without a list */
	wd_time look, look_retry;        /* deadline of an inspect; its first back-off */
};

struct wd_link {
	enum wd_link_state state;
	struct wd_timer *timer; /* what it is for depends on the state */
	struct wd_http_call *ping;
	wd_stamp ping_sent;
	unsigned ping_failures;
	wd_time wait; /* the next back-off */
	wd_time up_at;
	uint32_t seed;
	bool failed;   /* since the loss a handshake failed, other than by hanging */
	bool said;     /* people know of this outage */
	bool fruitful; /* this connection brought an event that was new */
};

struct wd_greeting {
	struct wd_http_call *call;
	wd_time ends;
	wd_stamp sent;
	char *newest, *oldest, *version;
	bool podman;
	char *complaint; /* of the /_ping that was refused */
	bool reaching;   /* wd_engine_reach() runs the loop until it is over */
};

struct wd_probe {
	struct wd_http_call *call;
	wd_stamp until;
	bool same;
};

struct wd_stream {
	struct wd_http_call *call;
	struct wd_timer *step;
	bool due;    /* it is set */
	bool paused; /* more waits than a step takes: the rest stays in the socket */
	struct wd_lines lines;
	struct wd_text head; /* its first bytes, which may be a complaint instead */
	wd_time active;      /* when the last bytes came */
	bool answered;       /* the answer has begun */
	bool ended, broken;  /* the call is over; with another status than 200 */
	char *why;
	uint64_t rubbish; /* in this connection */
	bool said_long;
};

enum wd_sync_state { WD_SYNC_OFF, WD_SYNC_LISTING, WD_SYNC_LOOKING, WD_SYNC_DONE };
struct wd_sync {
	enum wd_sync_state state;
	struct wd_engine_call *call;
	struct wd_timer *timer; /* to list again */
	unsigned tries;
	size_t total, open, given_up;
	char *why; /* it gave up on the first */
};

struct wd_look;
TAILQ_HEAD(wd_look_queue, wd_look);
struct wd_looks {
	struct wd_map *by_id;
	struct wd_look_queue queued, asking, resting;
	unsigned asking_count;
	struct wd_timer *timer; /* the first of the resting */
	struct wd_images *images;
	bool said_images;
};

TAILQ_HEAD(wd_call_queue, wd_engine_call);

struct wd_engine {
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_endpoint endpoint, write;
	bool has_write;
	wd_time timeout;
	struct wd_engine_hooks hooks;
	struct wd_pace pace;

	int api; /* 1045; 0 until negotiated */
	char api_text[WD_API_TEXT];
	char *version, *id, *trouble;
	bool podman;
	char date[40]; /* the Date header of the ping under way */

	struct wd_link link;
	struct wd_greeting greeting;
	struct wd_probe probe;
	struct wd_stream stream;
	struct wd_sync sync;
	struct wd_looks looks;
	struct wd_timeline timeline;
	struct wd_call_queue waiting, flying; /* for a version; for an answer */
};

/* engine.c */
void wd_engine_talk(struct wd_engine *engine, enum wd_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void wd_engine_tell(struct wd_engine *engine, struct wd_fact *fact); /* fills the stamp */
struct wd_http_target wd_engine_target(const struct wd_endpoint *endpoint);
void wd_engine_date(struct wd_engine *engine, const char *name, const char *value); /* notes a ping's Date header */
/* "engine said 403: …", or why there was no answer. The caller frees. */
char *wd_engine_phrase(enum wd_http_end end, int status, const char *why);
char *wd_engine_complaint(const struct wd_http_answer *answer); /* the same, from the body */

/* handshake.c: joins one that is under way; ends in wd_link_greeted() and wd_calls_greeted(). */
void wd_greeting_begin(struct wd_engine *engine);
bool wd_greeting_under_way(const struct wd_engine *engine);
void wd_greeting_stop(struct wd_engine *engine);

/* link.c */
void wd_link_init(struct wd_engine *engine);
void wd_link_done(struct wd_engine *engine);
void wd_link_begin(struct wd_engine *engine);
/* why NULL: it went well. end: of the request that did not. */
void wd_link_greeted(struct wd_engine *engine, const char *why, enum wd_http_end end);
void wd_link_answered(struct wd_engine *engine); /* the stream's answer has begun */
void wd_link_probed(struct wd_engine *engine);
void wd_link_proved(struct wd_engine *engine); /* the stream stands; nothing unless proving */
void wd_link_lost(struct wd_engine *engine, const char *why);

/* probe.c: ends in wd_link_probed(). */
void wd_probe_begin(struct wd_engine *engine);
void wd_probe_stop(struct wd_engine *engine);

/* stream.c */
void wd_stream_init(struct wd_engine *engine);
void wd_stream_done(struct wd_engine *engine);
void wd_stream_open(struct wd_engine *engine);
void wd_stream_close(struct wd_engine *engine);
void wd_stream_take_all(struct wd_engine *engine); /* tells what waits */

/* sync.c */
void wd_sync_init(struct wd_engine *engine);
void wd_sync_done(struct wd_engine *engine);
void wd_sync_begin(struct wd_engine *engine);
void wd_sync_stop(struct wd_engine *engine);
void wd_sync_answered(struct wd_engine *engine); /* one of its containers */
void wd_sync_gave_up(struct wd_engine *engine, const char *why);

/* look.c */
void wd_looks_init(struct wd_engine *engine);
void wd_looks_done(struct wd_engine *engine);
void wd_looks_add(struct wd_engine *engine, const char *id, bool synced);
void wd_looks_go_on(struct wd_engine *engine); /* a step of the stream is over */
void wd_looks_clear(struct wd_engine *engine);

/* call.c */
/* wd_engine_send() of a GET whose answer has at most so many bytes: what a container's owner can make long must not
 * cost us our memory. */
struct wd_engine_call *wd_call_get(struct wd_engine *engine, const char *path, size_t limit, wd_time deadline,
				   wd_engine_done *done, void *data);
void wd_calls_greeted(struct wd_engine *engine, const char *why);
void wd_calls_clear(struct wd_engine *engine);

#endif
