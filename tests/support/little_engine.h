/* little_engine.h: an Engine of a few lines on the test's own loop, so that the test decides what it does at each byte:
 * where the stream is cut, which answer never comes, what is rubbish. It knows /_ping, /version, /info, /events with
 * replay, the list, inspects and images; everything else is the test's to answer.
 */
#ifndef TESTS_LITTLE_ENGINE_H
#define TESTS_LITTLE_ENGINE_H

#include <sys/queue.h>
#include <watchdog/loop.h>
#include <watchdog/text.h>

struct little_peer;
TAILQ_HEAD(little_peers, little_peer);

/* Asked first for each request; true: it has answered, or will, or never. */
typedef bool little_answer(void *data, struct little_peer *peer, const char *method, const char *path);

struct little_event {
	wd_stamp stamp;
	char *line; /* with its newline */
};

struct little_engine {
	struct wd_loop *loop;
	char *socket_path;
	int listener; /* -1: closed */
	struct wd_ready *ready;
	struct little_peers peers;

	const char *ping_headers; /* each with its \r\n */
	const char *version_body;
	unsigned containers; /* their ids are little_id(0), little_id(1), … */
	unsigned images;     /* container n is of image n % images */
	const char *labels;  /* of each container: JSON */
	size_t cut_after;    /* bytes of the next stream that is opened; SIZE_MAX: never */
	struct little_event *events;
	size_t event_count;

	little_answer *answer; /* may be NULL */
	void *data;
	/* Counted. */
	unsigned requests, pings, streams, lists, inspects, image_inspects;
	unsigned open, most_open; /* connections */
	struct wd_text asked;     /* "GET /v1.45/events?…\n" */
};

struct little_engine *little_engine_new(struct wd_loop *loop, const char *socket_path);
void little_engine_free(struct little_engine *engine);
void little_engine_open(struct little_engine *engine);
void little_engine_close(struct little_engine *engine); /* the socket vanishes, all connections end */
void little_engine_cut(struct little_engine *engine);   /* all connections end */

const char *little_id(unsigned number); /* 64 hex digits; one of eight buffers */

/* An event of container `number`, live to those who listen and kept for replays. */
void little_event(struct little_engine *engine, wd_stamp stamp, const char *action, unsigned number);
/* Bytes to those who listen, as they are. */
void little_say(struct little_engine *engine, const char *bytes, size_t length);
void little_forget(struct little_engine *engine); /* what was kept for replays */

void little_reply(struct little_peer *peer, int status, const char *type, const char *body);
void little_raw(struct little_peer *peer, const char *bytes, size_t length);
void little_hang_up(struct little_peer *peer); /* when all was written */

#endif
