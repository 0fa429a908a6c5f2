/* timeline.h: what was seen of the event stream, and when it happened. Pure: told the clocks, never asks.
 *
 * The Engine stamps events with its wall clock, hands some of them out twice, those of different containers out of
 * order, and replays at most 256 (engine.md 1.1, 2.3). Windows want a clock that does not jump. So each event is
 * compared with the last ones seen, and its stamp is mapped by how far it lies behind the wall clock of this moment:
 * a clock that was set in between moves both. Where it is only ours that was set, or only that of an Engine elsewhere,
 * a stream that tells what is new does not begin to tell what is old.
 */
#ifndef WATCHDOG_ENGINE_TIMELINE_H
#define WATCHDOG_ENGINE_TIMELINE_H

#include <watchdog/facts.h>

#define WD_TIMELINE_KEYS 2048
#define WD_STAMP_SECOND ((wd_stamp)1000000000)

struct wd_timeline {
	wd_stamp newest;               /* the newest stamp taken in; resume from here */
	wd_stamp highest;              /* the same with stamps from the future: what is beyond was never taken in */
	wd_stamp floor;                /* nothing before this is asked for again */
	wd_stamp skew;                 /* the Engine's wall clock minus ours */
	wd_stamp epoch;                /* our wall clock at the moment 0 of the one that nobody sets, when last looked at */
	wd_stamp live;                 /* the newest stamp of this connection that was no replay; or WD_STAMP_NONE */
	wd_time connected_at, lost_at; /* lost_at: or the start, before anything was lost */
	bool resumed;                  /* there was a connection before this one */
	unsigned count, next;
	wd_stamp stamps[WD_TIMELINE_KEYS]; /* apart from the rest, because they are what is searched */
	struct wd_timeline_key {
		uint64_t id;
		uint8_t kind, health;
	} keys[WD_TIMELINE_KEYS];
};

/* since: as wd_engine_start() is told. */
void wd_timeline_start(struct wd_timeline *timeline, wd_stamp since, wd_time now);
void wd_timeline_connected(struct wd_timeline *timeline, wd_time now, wd_stamp wall);
void wd_timeline_lost(struct wd_timeline *timeline, wd_time now);

/* From where to resume: the newest stamp minus a margin, since events of different containers come out of order.
 * WD_STAMP_NONE: from now. */
wd_stamp wd_timeline_since(const struct wd_timeline *timeline, wd_time now, wd_stamp wall);

/* By the Engine's clock: a moment before which an event must have happened before the connection was lost. */
wd_stamp wd_timeline_before_loss(const struct wd_timeline *timeline, wd_time now, wd_stamp wall);

/* Whether this very event was seen. An event without a stamp never was. */
bool wd_timeline_knows(const struct wd_timeline *timeline, const struct wd_event *event);
/* Remembers it, and moves `newest`. A stamp ahead of the Engine's clock does not: it would skip what follows. */
void wd_timeline_take(struct wd_timeline *timeline, const struct wd_event *event, wd_stamp wall);
/* Fills at, from and replayed. */
void wd_timeline_place(struct wd_timeline *timeline, wd_time now, wd_stamp wall, struct wd_event *event);

/* The `Date` header of an answer, which has a resolution of a second, to a request sent at `sent` and answered at
 * `received`, which is now (our wall clock). Under 2 s it is no skew. */
void wd_timeline_date(struct wd_timeline *timeline, const char *date, wd_time now, wd_stamp sent, wd_stamp received);

#endif
