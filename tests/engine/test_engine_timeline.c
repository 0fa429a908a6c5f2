#include "../../watchdog/engine/timeline.h"
#include "support/unit.h"
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>

/* Half past noon on some day, by the wall clock; 1000 s by ours. */
#define NOON ((wd_stamp)1767355800 * WD_STAMP_SECOND)
#define NOW (1000 * WD_SECOND)
#define S WD_STAMP_SECOND

static struct wd_event event_of(wd_stamp stamp, char id, enum wd_event_kind kind)
{
	struct wd_event event = {.kind = kind, .stamp = stamp, .exit_code = -1};

	memset(event.id, id, 64);
	return event;
}

/* Connected at NOON, which is NOW; `resumed` after it was lost 10 s before that. */
static struct wd_timeline *connected(bool resumed)
{
	struct wd_timeline *timeline = wd_alloc(1, sizeof(*timeline));

	wd_timeline_start(timeline, WD_STAMP_NONE, NOW - 100 * WD_SECOND);
	if (resumed) {
		wd_timeline_connected(timeline, NOW - 99 * WD_SECOND, NOON - 99 * S);
		wd_timeline_lost(timeline, NOW - 10 * WD_SECOND);
	}
	wd_timeline_connected(timeline, NOW, NOON);
	return timeline;
}

static void placed(struct wd_timeline *timeline, wd_time now, wd_stamp wall, wd_stamp stamp, wd_time at, wd_time from,
		   bool replayed)
{
	struct wd_event event = event_of(stamp, 'a', WD_EVENT_DIE);

	wd_timeline_place(timeline, now, wall, &event);
	assert_int_equal(event.at, at);
	assert_int_equal(event.from, from);
	assert_int_equal(event.replayed, replayed);
}

static void a_live_event_happened_when_it_was_seen(void **state)
{
	struct wd_timeline *timeline = connected(true);
	wd_time now = NOW + 60 * WD_SECOND;
	wd_stamp wall = NOON + 60 * S;
	(void)state;

	placed(timeline, now, wall, wall, now, now, false);
	placed(timeline, now, wall, wall - 45000000, now, now, false);
	placed(timeline, now, wall, wall - 2 * S, now, now, false);
	placed(timeline, now, wall, wall + 2 * S, now, now, false);
	free(timeline);
}

static void a_late_one_happened_when_its_stamp_says(void **state)
{
	struct wd_timeline *timeline = connected(true);
	wd_time now = NOW + 60 * WD_SECOND;
	wd_stamp wall = NOON + 60 * S;
	(void)state;

	placed(timeline, now, wall, wall - 30 * S, now - 30 * WD_SECOND, now - 30 * WD_SECOND, false);
	free(timeline);
}

static void a_replayed_one_too_and_it_says_so(void **state)
{
	struct wd_timeline *timeline = connected(true);
	(void)state;

	placed(timeline, NOW, NOON, NOON - 1 * S, NOW - WD_SECOND, NOW - WD_SECOND, true);
	placed(timeline, NOW, NOON, NOON - 9 * S, NOW - 9 * WD_SECOND, NOW - 9 * WD_SECOND, true);
	free(timeline);
}

static void at_the_first_connection_a_replay_may_reach_back_far(void **state)
{
	struct wd_timeline *timeline = connected(false);
	(void)state;

	placed(timeline, NOW, NOON, NOON - 3600 * S, NOW - WD_HOUR, NOW - WD_HOUR, true);
	free(timeline);
}

static void a_stamp_of_the_future_or_none_is_somewhere_in_the_gap(void **state)
{
	struct wd_timeline *timeline = connected(true);
	wd_time lost = NOW - 10 * WD_SECOND;
	(void)state;

	placed(timeline, NOW, NOON, NOON + 3 * S, NOW, lost, false);
	placed(timeline, NOW, NOON, INT64_MAX, NOW, lost, false);
	placed(timeline, NOW, NOON, WD_STAMP_NONE, NOW, lost, false);
	placed(timeline, NOW, NOON, -5, NOW, lost, false);
	free(timeline);
}

static void what_was_asked_from_the_future_on_is_of_before_the_clock_was_set_back(void **state)
{
	struct wd_timeline timeline = {0};
	wd_time now = NOW + 5 * WD_SECOND;
	wd_stamp wall = NOON + 5 * S;
	(void)state;

	wd_timeline_start(&timeline, NOON + 3600 * S, NOW - WD_SECOND);
	wd_timeline_connected(&timeline, NOW, NOON);
	placed(&timeline, now, wall, NOON + 3601 * S, now, NOW - WD_SECOND, true);
	placed(&timeline, now, wall, wall, now, now, false);
	placed(&timeline, now, wall, NOON + 3602 * S, now, now, false);
}

static void a_clock_that_is_set_moves_nothing(void **state)
{
	struct wd_timeline *timeline = connected(true);
	wd_time now = NOW + 60 * WD_SECOND;
	(void)state;

	/* Set back by an hour, and forward by a year, while the stream stands: live is live. */
	placed(timeline, now, NOON - 3600 * S, NOON - 3600 * S - 1000000, now, now, false);
	placed(timeline, now, NOON + 31536000 * S, NOON + 31536000 * S - 1000000, now, now, false);
	/* Set forward by an hour during the gap: the replay is no hour old. */
	wd_timeline_lost(timeline, now);
	wd_timeline_connected(timeline, now + 10 * WD_SECOND, NOON + 3670 * S);
	placed(timeline, now + 10 * WD_SECOND, NOON + 3670 * S, NOON + 65 * S, now + 10 * WD_SECOND, now, true);
	free(timeline);
}

static void our_clock_alone_is_set_and_live_is_live(void **state)
{
	static const wd_stamp sets[] = {3600, -7200, -31536000, 20, 0};
	struct wd_timeline *timeline = connected(true);
	wd_time now = NOW;
	wd_stamp theirs = NOON, set = 0;
	(void)state;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		now += WD_SECOND;
		theirs += S;
		set += sets[i] * S;
		placed(timeline, now, theirs + set, theirs - 1000000, now, now, false);
		assert_int_equal(timeline->skew, -set);
	}
	/* What was not read for a while is as old as it is. */
	placed(timeline, now + 9 * WD_SECOND, theirs + 9 * S + set, theirs + 2 * S, now + 2 * WD_SECOND,
	       now + 2 * WD_SECOND, false);
	free(timeline);
}

static void the_engines_alone_is_set_and_live_is_live(void **state)
{
	struct wd_timeline *timeline = connected(true);
	wd_time now = NOW + WD_SECOND;
	wd_stamp wall = NOON + S;
	(void)state;

	placed(timeline, now, wall, wall, now, now, false);
	placed(timeline, now, wall, wall - 3600 * S, now, now, false);
	placed(timeline, now, wall, wall + 3600 * S, now, now, false);
	placed(timeline, now, wall, INT64_MAX, now, now, false);
	placed(timeline, now, wall, wall - 7200 * S, now, now, false);
	placed(timeline, now, wall, wall + 1, now, now, false);
	free(timeline);
}

static void an_event_is_known_by_stamp_kind_and_container(void **state)
{
	struct wd_timeline *timeline = connected(false);
	struct wd_event die = event_of(NOON, 'a', WD_EVENT_DIE), other = event_of(NOON, 'b', WD_EVENT_DIE);
	struct wd_event start = event_of(NOON, 'a', WD_EVENT_START), later = event_of(NOON + 1, 'a', WD_EVENT_DIE);
	struct wd_event none = event_of(WD_STAMP_NONE, 'a', WD_EVENT_DIE);
	(void)state;

	assert_false(wd_timeline_knows(timeline, &die));
	wd_timeline_take(timeline, &die, NOON);
	wd_timeline_take(timeline, &none, NOON);
	assert_true(wd_timeline_knows(timeline, &die));
	assert_false(wd_timeline_knows(timeline, &other));
	assert_false(wd_timeline_knows(timeline, &start));
	assert_false(wd_timeline_knows(timeline, &later));
	assert_false(wd_timeline_knows(timeline, &none));
	free(timeline);
}

static void healthy_and_unhealthy_are_two(void **state)
{
	struct wd_timeline *timeline = connected(false);
	struct wd_event healthy = event_of(NOON, 'a', WD_EVENT_HEALTH), unhealthy = healthy;
	(void)state;

	healthy.health = WD_HEALTH_HEALTHY;
	unhealthy.health = WD_HEALTH_UNHEALTHY;
	wd_timeline_take(timeline, &healthy, NOON);
	assert_true(wd_timeline_knows(timeline, &healthy));
	assert_false(wd_timeline_knows(timeline, &unhealthy));
	free(timeline);
}

static void the_last_2048_are_remembered(void **state)
{
	struct wd_timeline *timeline = connected(false);
	(void)state;

	for (int i = 0; i < 3000; i++) {
		struct wd_event event = event_of(NOON + i, 'a', WD_EVENT_DIE);

		wd_timeline_take(timeline, &event, NOON + S);
	}
	for (int i = 0; i < 3000; i++) {
		struct wd_event event = event_of(NOON + i, 'a', WD_EVENT_DIE);

		assert_int_equal(wd_timeline_knows(timeline, &event), i >= 3000 - 2048);
	}
	free(timeline);
}

static void take_at(struct wd_timeline *timeline, wd_stamp stamp, wd_stamp wall)
{
	struct wd_event event = event_of(stamp, 'a', WD_EVENT_DIE);

	wd_timeline_take(timeline, &event, wall);
}

static void it_is_resumed_five_seconds_before_the_newest(void **state)
{
	struct wd_timeline *timeline = connected(false);
	wd_time lost = NOW + 100 * WD_SECOND;
	(void)state;

	take_at(timeline, NOON + 60 * S, NOON + 60 * S);
	take_at(timeline, NOON + 59 * S, NOON + 60 * S); /* out of order */
	wd_timeline_lost(timeline, lost);
	assert_int_equal(wd_timeline_since(timeline, lost + WD_SECOND, NOON + 101 * S), NOON + 55 * S);
	free(timeline);
}

static void never_from_before_the_start(void **state)
{
	struct wd_timeline *timeline = connected(false);
	(void)state;

	wd_timeline_lost(timeline, NOW + WD_SECOND);
	assert_int_equal(wd_timeline_since(timeline, NOW + 2 * WD_SECOND, NOON + 2 * S), NOON);
	free(timeline);
}

static void the_first_time_from_where_we_were_told(void **state)
{
	struct wd_timeline timeline = {0};
	(void)state;

	wd_timeline_start(&timeline, WD_STAMP_NONE, NOW);
	assert_int_equal(wd_timeline_since(&timeline, NOW, NOON), WD_STAMP_NONE);
	wd_timeline_start(&timeline, NOON - 7, NOW);
	assert_int_equal(wd_timeline_since(&timeline, NOW, NOON), NOON - 7);
}

static void a_clock_set_back_does_not_skip_what_follows(void **state)
{
	struct wd_timeline *timeline = connected(false);
	wd_time lost = NOW + 100 * WD_SECOND;
	(void)state;

	take_at(timeline, NOON + 60 * S, NOON + 60 * S);
	wd_timeline_lost(timeline, lost);
	/* Set back by an hour; a second ago, by its new time, the connection was lost. */
	assert_int_equal(wd_timeline_since(timeline, lost + WD_SECOND, NOON - 3500 * S), NOON - 3501 * S - 5 * S);
	free(timeline);
}

static void nor_does_a_stamp_from_the_future(void **state)
{
	struct wd_timeline *timeline = connected(false);
	(void)state;

	take_at(timeline, NOON + 60 * S, NOON + 60 * S);
	take_at(timeline, NOON + 86400 * S, NOON + 61 * S);
	assert_int_equal(timeline->newest, NOON + 60 * S);
	free(timeline);
}

static void the_date_header_tells_how_far_the_clocks_are_apart(void **state)
{
	static const struct {
		const char *date;
		wd_stamp sent, received, skew; /* seconds after 1767355800 */
	} rows[] = {
		{"Fri, 02 Jan 2026 12:10:00 GMT", 0, 0, 0},
		{"Fri, 02 Jan 2026 12:10:02 GMT", 0, 0, 0},
		{"Fri, 02 Jan 2026 12:09:57 GMT", 0, 0, 0},
		{"Fri, 02 Jan 2026 12:09:00 GMT", 0, 0, -59500},
		{"Fri, 02 Jan 2026 13:10:00 GMT", 0, 0, 3600500},
		/* A slow answer is no skew. */
		{"Fri, 02 Jan 2026 12:10:01 GMT", 0, 20, 0},
		{"Fri, 02 Jan 2026 12:10:20 GMT", 0, 20, 0},
		{"Fri, 02 Jan 2026 12:11:10 GMT", 0, 20, 60500},
		/* What is no date says nothing. */
		{"yesterday", 0, 0, 7},
		{"", 0, 0, 7},
		{"Fri, 02 Nix 2026 12:10:00 GMT", 0, 0, 7},
		{"Fri, 02 anF 2026 12:10:00 GMT", 0, 0, 7},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wd_timeline timeline = {.skew = 7 * 1000000};

		wd_timeline_date(&timeline, rows[i].date, NOW, NOON + rows[i].sent * S, NOON + rows[i].received * S);
		assert_int_equal(timeline.skew, rows[i].skew * 1000000);
	}
}

static void a_skewed_engine_is_mapped_by_its_own_clock(void **state)
{
	struct wd_timeline *timeline = connected(true);
	wd_time now = NOW + 60 * WD_SECOND;
	wd_stamp wall = NOON + 60 * S;
	(void)state;

	timeline->skew = 3600 * S;
	placed(timeline, now, wall, wall + 3603 * S, now, NOW - 10 * WD_SECOND, false);
	placed(timeline, now, wall, wall + 3570 * S, now - 30 * WD_SECOND, now - 30 * WD_SECOND, false);
	placed(timeline, now, wall, wall + 3600 * S, now, now, false);
	free(timeline);
	/* That clock is known to two seconds: what is new seems to be of before the connection. */
	timeline = connected(true);
	timeline->skew = 3600 * S;
	placed(timeline, NOW + WD_SECOND, NOON + S, NOON + 3599 * S, NOW + WD_SECOND, NOW + WD_SECOND, false);
	placed(timeline, NOW + WD_SECOND, NOON + S, NOON + 3597 * S, NOW - 3 * WD_SECOND, NOW - 3 * WD_SECOND, true);
	free(timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_live_event_happened_when_it_was_seen),
		cmocka_unit_test(a_late_one_happened_when_its_stamp_says),
		cmocka_unit_test(a_replayed_one_too_and_it_says_so),
		cmocka_unit_test(at_the_first_connection_a_replay_may_reach_back_far),
		cmocka_unit_test(a_stamp_of_the_future_or_none_is_somewhere_in_the_gap),
		cmocka_unit_test(a_clock_that_is_set_moves_nothing),
		cmocka_unit_test(what_was_asked_from_the_future_on_is_of_before_the_clock_was_set_back),
		cmocka_unit_test(our_clock_alone_is_set_and_live_is_live),
		cmocka_unit_test(the_engines_alone_is_set_and_live_is_live),
		cmocka_unit_test(an_event_is_known_by_stamp_kind_and_container),
		cmocka_unit_test(healthy_and_unhealthy_are_two),
		cmocka_unit_test(the_last_2048_are_remembered),
		cmocka_unit_test(it_is_resumed_five_seconds_before_the_newest),
		cmocka_unit_test(never_from_before_the_start),
		cmocka_unit_test(the_first_time_from_where_we_were_told),
		cmocka_unit_test(a_clock_set_back_does_not_skip_what_follows),
		cmocka_unit_test(nor_does_a_stamp_from_the_future),
		cmocka_unit_test(the_date_header_tells_how_far_the_clocks_are_apart),
		cmocka_unit_test(a_skewed_engine_is_mapped_by_its_own_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
