/* A disk that takes 300 ms for every fsync: whoever asks waits for nothing, the loop turns on, and what is confirmed
 * was synced. The program starts itself anew with support/slow_fsync.so preloaded. */
#include <support/keeping.h>

#include <stdlib.h>

enum { SYNC = 300 * 1000, TICK = 10 * 1000 };

static char *place;
static struct wd_loop *loop;
static struct wd_store *store;

/* A timer that fires every 10 ms, and the longest that it ever took. */
static struct ticking {
	struct wd_timer *timer;
	wd_time last, worst;
	unsigned ticks;
} ticking;

static void tick(void *data)
{
	struct ticking *clock = data;
	wd_time now = wd_time_now();
	if (clock->last && now - clock->last > clock->worst)
		clock->worst = now - clock->last;
	clock->last = now;
	clock->ticks++;
	wd_timer_set(clock->timer, wd_loop_now(loop) + TICK);
}

static int set_up(void **state)
{
	(void)state;
	place = keeping_place();
	setenv("SLOW_FSYNC_MS", "0", 1); /* there is no other thread yet */
	wd_store_close(wd_store_open(place, NULL, NULL, NULL));
	setenv("SLOW_FSYNC_MS", "300", 1);
	loop = wd_loop_new(NULL);
	store = wd_store_open(place, loop, NULL, NULL);
	ticking = (struct ticking){.timer = wd_timer_new(loop, tick, &ticking)};
	wd_timer_set(ticking.timer, wd_time_now());
	return store ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	wd_timer_free(ticking.timer);
	wd_store_close(store);
	loop = wd_loop_free(loop);
	keeping_clear(place);
	free(place);
	return 0;
}

static void the_loop_turned_on(wd_time span)
{
	assert_true(ticking.worst < SYNC / 2);
	assert_true(ticking.ticks > span / TICK / 4);
}

static void what_is_confirmed_was_synced_while_the_loop_turned(void **state)
{
	(void)state;
	struct keeping_told told = {.loop = loop, .awaited = 3};
	wd_time began = wd_time_now();
	wd_store_journal(store, keeping_journal(1), keeping_done, &told);
	wd_store_service(store, keeping_memory("a", 1), keeping_done, &told);
	wd_store_incident(store, keeping_incident(1), keeping_done, &told);
	assert_true(wd_time_now() - began < SYNC / 3);
	keeping_wait(&told);
	wd_time span = wd_time_now() - began;
	assert_int_equal(told.failures, 0);
	assert_true(span >= SYNC);
	the_loop_turned_on(span);
}

static void two_hundred_that_wait_share_a_sync(void **state)
{
	(void)state;
	struct keeping_told told = {.loop = loop, .awaited = 200};
	wd_time began = wd_time_now();
	for (unsigned n = 0; n < 200; n++)
		wd_store_journal(store, keeping_journal(n + 1), keeping_done, &told);
	assert_true(wd_time_now() - began < SYNC / 2);
	keeping_wait(&told);
	assert_int_equal(told.failures, 0);
	assert_true(wd_time_now() - began < 10 * SYNC);
	the_loop_turned_on(wd_time_now() - began);
}

static void what_nobody_waits_for_is_not_synced(void **state)
{
	(void)state;
	wd_time began = wd_time_now();
	for (unsigned n = 0; n < 20; n++) {
		wd_store_service(store, keeping_memory("a", n), NULL, NULL);
		assert_int_equal(keeping_counted(store, "a"), n);
	}
	assert_true(wd_time_now() - began < 5 * SYNC);
}

static void a_reading_waits_its_turn_without_the_loop(void **state)
{
	(void)state;
	struct keeping_told told = {.loop = loop, .awaited = 20};
	for (unsigned n = 0; n < 20; n++) {
		wd_store_journal(store, keeping_journal(n + 1), NULL, NULL);
		wd_store_service(store, keeping_memory("a", n), keeping_done, &told);
	}
	keeping_wait(&told);
	assert_int_equal(told.failures, 0);
	assert_int_equal(keeping_counted(store, "a"), 19);
	the_loop_turned_on(SYNC);
}

int main(int count, char **arguments)
{
	(void)count;
	keeping_preload("slow_fsync.so", arguments);
	const struct CMUnitTest tests[] = {
#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		STORY(what_is_confirmed_was_synced_while_the_loop_turned),
		STORY(two_hundred_that_wait_share_a_sync),
		STORY(what_nobody_waits_for_is_not_synced),
		STORY(a_reading_waits_its_turn_without_the_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
