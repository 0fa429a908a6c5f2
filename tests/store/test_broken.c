/* Every call that changes a file fails once, at each place where there is one, and then all from there on: the store
 * opens, tells each end once, and what it confirmed is there when the disk works again. Nothing is ever set aside for it.
 * The program starts itself anew with support/broken_disk.so preloaded. */
#include <support/keeping.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

enum { FOR_EVER = 1000000 };

static void (*arm)(int first, int more, int why);
static int (*calls)(void);
static char *place;

/* What was confirmed before it, and in, the life of a store. */
struct life {
	unsigned counted;
	bool incident, kept, struck;
	unsigned failures;
};

static bool told_well(struct keeping_told *told, struct life *life)
{
	assert_int_equal(told->calls, 1);
	bool well = told->failures == 0;
	life->failures += told->failures;
	*told = (struct keeping_told){0};
	return well;
}

static struct life live(struct life life)
{
	struct keeping_told told = {0};
	struct wd_error error = {0};
	struct wd_store *store = wd_store_open(place, NULL, NULL, &error);
	if (!store)
		fail_msg("call %d: %s", calls(), error.text);
	unsigned next = life.counted + 1;
	wd_store_journal(store, keeping_journal(1), keeping_done, &told);
	life.kept |= told_well(&told, &life);
	wd_store_journal(store, keeping_journal(2), keeping_done, &told);
	told_well(&told, &life);
	wd_store_service(store, keeping_memory("a", next), keeping_done, &told);
	life.counted = told_well(&told, &life) ? next : life.counted;
	wd_store_incident(store, keeping_incident(1), keeping_done, &told);
	life.incident |= told_well(&told, &life);
	wd_store_prune(store, 5);
	wd_store_strike(store, 2, keeping_done, &told);
	life.struck = told_well(&told, &life); /* what failed may have been done all the same */
	wd_store_close(store);
	return life;
}

static void note_plan(void *data, const struct wd_journal *journal)
{
	((bool *)data)[journal->id == 1] = true;
}

static void note_incident(void *data, const struct wd_incident *const *incidents, size_t count, const char *why)
{
	assert_null(why);
	if (count == 1)
		keeping_same_incident(incidents[0], keeping_incident(1));
	*(bool *)data = count == 1;
}

static void is_kept(const struct life *life, int failed)
{
	char *warning = NULL;
	bool plans[2] = {false, false}, incident = false;
	struct wd_store *store = wd_store_open(place, NULL, &warning, NULL);
	if (warning)
		fail_msg("after failing call %d: %s", failed, warning);
	assert_true(keeping_counted(store, "a") >= life->counted);
	assert_true(wd_store_load_journal(store, note_plan, plans, NULL));
	assert_true(plans[1] || !life->kept);
	assert_false(plans[0] && life->struck);
	wd_store_read(store, &(struct wd_incident_wish){0}, note_incident, &incident);
	assert_true(incident || !life->incident);
	wd_store_close(store);
}

static struct life born(bool with_a_past)
{
	place = keeping_place();
	return with_a_past ? live((struct life){0}) : (struct life){0};
}

/* Returns how many places there were. */
static int break_everywhere(bool with_a_past, int more, int why)
{
	int n = 0;
	bool reached = true;
	while (reached) {
		n++;
		struct life life = born(with_a_past);
		arm(n, more, why);
		life = live(life);
		reached = calls() >= n;
		arm(0, -1, 0);
		is_kept(&life, n);
		assert_true(life.failures == 0 || reached);
		keeping_clear(place);
		free(place);
	}
	return n - 1;
}

static void a_call_that_fails_once_for_want_of_room(void **state)
{
	(void)state;
	assert_true(break_everywhere(false, 0, ENOSPC) > 20);
	assert_true(break_everywhere(true, 0, ENOSPC) > 10);
}

static void a_call_that_fails_once_for_a_broken_disk(void **state)
{
	(void)state;
	assert_true(break_everywhere(false, 0, EIO) > 20);
	assert_true(break_everywhere(true, 0, EIO) > 10);
}

static void all_calls_fail_from_some_moment_on(void **state)
{
	(void)state;
	assert_true(break_everywhere(false, FOR_EVER, ENOSPC) > 20);
	assert_true(break_everywhere(true, FOR_EVER, EIO) > 10);
}

static struct wd_store *open_here(void)
{
	struct wd_error error = {0};
	struct wd_store *store = wd_store_open(place, NULL, NULL, &error);
	if (!store)
		fail_msg("%s", error.text);
	return store;
}

/* The plan has ended, and the disk is full for that moment: it must not be carried out once more. */
static void a_strike_that_fails_is_repeated_when_the_disk_works(void **state)
{
	(void)state;
	struct keeping_told told = {0};
	bool plans[2] = {false, false};
	place = keeping_place();
	struct wd_store *store = open_here();
	wd_store_journal(store, keeping_journal(1), keeping_done, &told);
	wd_store_journal(store, keeping_journal(2), keeping_done, &told);
	assert_int_equal(told.failures, 0);
	arm(1, FOR_EVER, ENOSPC);
	wd_store_strike(store, 1, keeping_done, &told);
	wd_store_service(store, keeping_memory("a", 1), keeping_done, &told);
	assert_int_equal(told.failures, 2);
	arm(0, -1, 0);
	assert_true(wd_store_load_journal(store, note_plan, plans, NULL));
	assert_true(plans[1]);
	wd_store_service(store, keeping_memory("a", 2), keeping_done, &told);
	assert_int_equal(told.failures, 2);
	wd_store_close(store);
	store = open_here();
	plans[0] = plans[1] = false;
	assert_true(wd_store_load_journal(store, note_plan, plans, NULL));
	assert_true(plans[0] && !plans[1]);
	wd_store_close(store);
	keeping_clear(place);
	free(place);
}

static void a_disk_that_never_works_fails_every_change(void **state)
{
	(void)state;
	place = keeping_place();
	arm(1, FOR_EVER, EIO);
	struct life life = live((struct life){0});
	arm(0, -1, 0);
	assert_int_equal(life.failures, 5);
	keeping_clear(place);
	free(place);
}

int main(int count, char **arguments)
{
	(void)count;
	keeping_preload("broken_disk.so", arguments);
	*(void **)&arm = dlsym(RTLD_DEFAULT, "broken_disk_arm");
	*(void **)&calls = dlsym(RTLD_DEFAULT, "broken_disk_calls");
	/* What breaks here are calls, so memory is as good as a disk, and faster. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_fails_once_for_want_of_room),
		cmocka_unit_test(a_call_that_fails_once_for_a_broken_disk),
		cmocka_unit_test(all_calls_fail_from_some_moment_on),
		cmocka_unit_test(a_strike_that_fails_is_repeated_when_the_disk_works),
		cmocka_unit_test(a_disk_that_never_works_fails_every_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
