/* watcher.h: an Engine client against a little Engine, both on one loop, and what the client told, as words:
 *
 *     up; container c0 synced; synced; die c0; down; up restarted
 */
#ifndef TESTS_WATCHER_H
#define TESTS_WATCHER_H

#include <watchdog/engine.h>

#include "little_engine.h"

struct watcher {
	struct wd_loop *loop;
	struct wd_http *http;
	struct little_engine *little;
	struct wd_engine *engine;
	struct wd_timer *limit;
	char directory[32];
	char socket_path[64];
	struct wd_text told;  /* as above, each with "; " behind it */
	struct wd_text talk;  /* for people, each with a newline */
	struct wd_text lines; /* as on_line had them */
	unsigned ups, downs, events, containers, gones, syncs;
	wd_stamp *stamps; /* of the events */
	unsigned room;    /* for them */
	struct wd_event last_event;
	wd_time last_asked;
	void (*on_event)(struct watcher *watcher, const struct wd_event *event); /* may be NULL */
	bool (*until)(struct watcher *watcher);
	bool timed_out;
	bool quiet; /* counts, but does not write down */
};

/* Everything but the client's start. The client is in a hurry: back-off from 1 ms to 8 ms. */
void watcher_open(struct watcher *watcher);
void watcher_close(struct watcher *watcher);
void watcher_start(struct watcher *watcher, wd_stamp since);
/* Another client in the place of the present one, with this endpoint for changes and this fixed version. */
void watcher_replace(struct watcher *watcher, const char *write_path, const char *version, wd_time timeout);

/* Runs the loop until this holds; false after 10 s. */
bool watcher_run(struct watcher *watcher, bool (*until)(struct watcher *watcher));
void watcher_run_for(struct watcher *watcher, wd_time span);
void watcher_forget(struct watcher *watcher); /* what was told so far */
const char *watcher_told(const struct watcher *watcher);

bool watcher_synced(struct watcher *watcher);
bool watcher_up(struct watcher *watcher);
bool watcher_down(struct watcher *watcher);

#endif
