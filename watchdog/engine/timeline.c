#include "timeline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MARGIN (5 * WD_STAMP_SECOND)    /* how far out of order events may come */
#define TOLERANCE (2 * WD_STAMP_SECOND) /* of clocks, and of an event on its way */

static wd_time span_of(wd_stamp stamps)
{
	return stamps / 1000;
}

void wd_timeline_start(struct wd_timeline *timeline, wd_stamp since, wd_time now)
{
	timeline->newest = timeline->floor = since;
	timeline->lost_at = now;
}

void wd_timeline_connected(struct wd_timeline *timeline, wd_time now, wd_stamp wall)
{
	timeline->connected_at = now;
	timeline->live = WD_STAMP_NONE;
	timeline->epoch = wall - now * 1000;
	if (timeline->newest == WD_STAMP_NONE)
		timeline->newest = timeline->floor = wall + timeline->skew;
}

void wd_timeline_lost(struct wd_timeline *timeline, wd_time now)
{
	timeline->lost_at = now;
	timeline->resumed = true;
}

static wd_stamp loss(const struct wd_timeline *timeline, wd_time now, wd_stamp wall)
{
	return wall + timeline->skew - (now - timeline->lost_at) * 1000;
}

wd_stamp wd_timeline_before_loss(const struct wd_timeline *timeline, wd_time now, wd_stamp wall)
{
	wd_stamp before = loss(timeline, now, wall) - TOLERANCE;

	/* What was seen was before the loss, whatever the clocks say. */
	return timeline->count > 0 && timeline->newest > before ? timeline->newest : before;
}

wd_stamp wd_timeline_since(const struct wd_timeline *timeline, wd_time now, wd_stamp wall)
{
	wd_stamp lost = loss(timeline, now, wall);
	wd_stamp since = timeline->newest - MARGIN;

	if (timeline->newest == WD_STAMP_NONE || !timeline->resumed)
		return timeline->newest;
	/* The clock was set back: by its new time the connection was lost earlier than the newest stamp says. */
	if (lost - MARGIN < since)
		since = lost - MARGIN;
	if (since < timeline->floor && timeline->floor <= lost)
		since = timeline->floor;
	return since > 0 ? since : 1;
}

static struct wd_timeline_key key_of(const struct wd_event *event)
{
	char part[17];

	memcpy(part, event->id, 16);
	part[16] = '\0';
	return (struct wd_timeline_key){
		.id = strtoull(part, NULL, 16), .kind = (uint8_t)event->kind, .health = (uint8_t)event->health};
}

static bool same_key(struct wd_timeline_key one, struct wd_timeline_key two)
{
	return one.id == two.id && one.kind == two.kind && one.health == two.health;
}

bool wd_timeline_knows(const struct wd_timeline *timeline, const struct wd_event *event)
{
	if (event->stamp <= 0 || event->stamp > timeline->highest)
		return false;
	for (unsigned i = 0; i < timeline->count; i++)
		if (timeline->stamps[i] == event->stamp && same_key(timeline->keys[i], key_of(event)))
			return true;
	return false;
}

void wd_timeline_take(struct wd_timeline *timeline, const struct wd_event *event, wd_stamp wall)
{
	if (event->stamp <= 0)
		return;
	if (event->stamp > timeline->highest)
		timeline->highest = event->stamp;
	timeline->stamps[timeline->next] = event->stamp;
	timeline->keys[timeline->next] = key_of(event);
	timeline->next = (timeline->next + 1) % WD_TIMELINE_KEYS;
	if (timeline->count < WD_TIMELINE_KEYS)
		timeline->count++;
	if (event->stamp < timeline->floor) /* it was on its way when we connected: it is looked for in a replay */
		timeline->floor = event->stamp;
	if (event->stamp > timeline->newest && event->stamp <= wall + timeline->skew + TOLERANCE)
		timeline->newest = event->stamp;
}

static wd_stamp distance(wd_stamp one, wd_stamp other)
{
	return one > other ? one - other : other - one;
}

/* Our clock was set. The Engine's is the same, or one that was not: the stamp is nearer to what that one says now. */
static void note_set(struct wd_timeline *timeline, wd_time now, wd_stamp wall, wd_stamp stamp)
{
	wd_stamp set = wall - now * 1000 - timeline->epoch;
	wd_stamp there = wall + timeline->skew;

	if (stamp <= 0 || distance(set, 0) <= TOLERANCE)
		return;
	timeline->epoch += set;
	if (distance(stamp, there - set) < distance(stamp, there))
		timeline->skew -= set;
	else
		timeline->live = WD_STAMP_NONE;
}

/* How far another machine's clock is ahead is known to a second or two. Behind the first connection a replay that is taken
 * for live does no harm: what was seen is known. */
static wd_time doubt(const struct wd_timeline *timeline)
{
	return timeline->skew != 0 && timeline->resumed ? span_of(TOLERANCE) : 0;
}

void wd_timeline_place(struct wd_timeline *timeline, wd_time now, wd_stamp wall, struct wd_event *event)
{
	wd_stamp there;
	wd_time behind, then;

	note_set(timeline, now, wall, event->stamp);
	there = wall + timeline->skew;
	event->at = event->from = now;
	event->replayed = false;
	if (event->stamp <= 0 || event->stamp > there + TOLERANCE) {
		if (timeline->live != WD_STAMP_NONE)
			return;
		event->from = timeline->lost_at;
		/* What a seadog before us had seen lies ahead: the clock was set back since, and this is of before. */
		event->replayed = event->stamp > 0 && !timeline->resumed && timeline->floor > there + TOLERANCE;
		return;
	}
	/* Behind what is live nothing is replayed: the Engine's clock was set back. */
	if (event->stamp < timeline->live - MARGIN)
		return;
	behind = event->stamp < there ? span_of(there - event->stamp) : 0;
	then = now - behind;
	event->replayed = then < timeline->connected_at - doubt(timeline);
	if (!event->replayed && event->stamp > timeline->live)
		timeline->live = event->stamp;
	if (!event->replayed && behind <= span_of(TOLERANCE))
		return;
	/* A replay tells what the connection before did not: what seems older happened in the gap, and the clock was
	 * set forward meanwhile. */
	if (event->replayed && timeline->resumed && then < timeline->lost_at - span_of(MARGIN)) {
		event->from = timeline->lost_at;
		return;
	}
	event->at = event->from = then;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), the one form that Go's servers send. */
static bool parse_date(const char *date, wd_stamp *ret_stamp)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	const char *found;
	struct tm tm = {0};

	if (sscanf(date, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &tm.tm_year,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	found = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!found || (found - months) % 3 != 0 || tm.tm_year < 1970 || tm.tm_year > 2200)
		return false;
	tm.tm_mon = (int)(found - months) / 3;
	tm.tm_year -= 1900;
	*ret_stamp = (wd_stamp)timegm(&tm) * WD_STAMP_SECOND;
	return true;
}

void wd_timeline_date(struct wd_timeline *timeline, const char *date, wd_time now, wd_stamp sent, wd_stamp received)
{
	wd_stamp theirs;

	if (!parse_date(date, &theirs))
		return;
	timeline->epoch = received - now * 1000;
	if (theirs + WD_STAMP_SECOND < sent - TOLERANCE || theirs > received + TOLERANCE)
		timeline->skew = theirs + WD_STAMP_SECOND / 2 - (sent + (received - sent) / 2);
	else
		timeline->skew = 0;
}
