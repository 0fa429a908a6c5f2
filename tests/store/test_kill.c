/* kill -9 in the middle of a storm of writes, fifty times on the same database: it is whole, and what was confirmed is
 * in it. (The page cache outlives the process; that a confirmed change waits for its fsync is shown by test_slow.c.) */
#include <support/keeping.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>

enum { ROUNDS = 50, WRITERS = 12, PLANS = 1 << 16, KEPT_EACH = 16 };

/* What the child says that was confirmed to it. */
struct news {
	enum { WRITTEN, JOURNALED, STRUCK } what;
	unsigned writer;
	int64_t number;
};

/* A writer writes its service, then a plan, then strikes that out (but for some), and so on; each when the one before is
 * confirmed. */
struct writer {
	struct wd_store *store;
	int pipe;
	struct news last;
	unsigned count;
	char name[16];
};

static void next_service(struct writer *writer);

static void say(const struct writer *writer, const char *why)
{
	if (why || write(writer->pipe, &writer->last, sizeof(writer->last)) != sizeof(writer->last))
		_exit(1);
}

static void on_struck(void *data, const char *why)
{
	say(data, why);
	next_service(data);
}

static void on_journaled(void *data, const char *why)
{
	struct writer *writer = data;
	say(writer, why);
	if (writer->last.number % KEPT_EACH == 0) {
		next_service(writer);
		return;
	}
	writer->last.what = STRUCK;
	wd_store_strike(writer->store, writer->last.number, on_struck, writer);
}

static void on_written(void *data, const char *why)
{
	struct writer *writer = data;
	say(writer, why);
	writer->last.what = JOURNALED;
	writer->last.number = wd_store_next_plan(writer->store);
	wd_store_journal(writer->store, keeping_journal(writer->last.number), on_journaled, writer);
}

static void next_service(struct writer *writer)
{
	writer->last.what = WRITTEN;
	writer->last.number = ++writer->count;
	wd_store_service(writer->store, keeping_memory(writer->name, writer->count), on_written, writer);
	wd_store_incident(writer->store, keeping_incident(writer->count % 100 + 1), NULL, NULL);
}

static _Noreturn void storm(const char *place, int pipe, const unsigned counts[WRITERS])
{
	static struct writer writers[WRITERS];
	char *warning = NULL;
	struct wd_loop *loop = wd_loop_new(NULL);
	struct wd_store *store = wd_store_open(place, loop, &warning, NULL);
	if (!store || warning)
		_exit(1);
	for (unsigned n = 0; n < WRITERS; n++) {
		writers[n] = (struct writer){.store = store, .pipe = pipe, .last.writer = n, .count = counts[n]};
		snprintf(writers[n].name, sizeof(writers[n].name), "writer-%u", n);
		next_service(&writers[n]);
	}
	wd_loop_run(loop);
	_exit(1);
}

/* What has to be in the database. */
struct ledger {
	unsigned counted[WRITERS]; /* at least */
	enum { UNKNOWN, KEPT, GONE } plans[PLANS];
	unsigned told; /* in this round */
};

static void take_news(struct ledger *ledger, const struct news *news)
{
	ledger->told++;
	if (news->what == WRITTEN)
		ledger->counted[news->writer] = (unsigned)news->number;
	else if (news->number < PLANS && news->what == STRUCK)
		ledger->plans[news->number] = GONE;
	else if (news->number < PLANS && news->number % KEPT_EACH == 0)
		ledger->plans[news->number] = KEPT;
}

static unsigned random_below(unsigned limit)
{
	unsigned number = 0;
	assert_int_equal(getrandom(&number, sizeof(number), 0), sizeof(number));
	return number % limit;
}

static void run_and_kill(const char *place, struct ledger *ledger)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	pid_t child = fork();
	if (child == 0)
		storm(place, ends[1], ledger->counted);
	close(ends[1]);
	struct news news;
	bool first = true;
	while (read(ends[0], &news, sizeof(news)) == sizeof(news)) {
		take_news(ledger, &news);
		if (first) {
			usleep(random_below(25000));
			kill(child, SIGKILL);
		}
		first = false;
	}
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status)); /* it did not give up by itself */
	assert_false(first);
}

static void find_plan(void *data, const struct wd_journal *journal)
{
	struct ledger *ledger = data;
	if (journal->id >= PLANS)
		return;
	assert_int_not_equal(ledger->plans[journal->id], GONE);
	if (ledger->plans[journal->id] == KEPT)
		ledger->plans[journal->id] = UNKNOWN;
}

static void find_service(void *data, const struct wd_memory *memory)
{
	struct ledger *ledger = data;
	unsigned n;
	assert_int_equal(sscanf(memory->service, "writer-%u", &n), 1);
	assert_true(n < WRITERS);
	assert_true(memory->counted >= ledger->counted[n]);
	/* One row is of one moment: its marks are those of its count. */
	keeping_same_memory(memory, keeping_memory(memory->service, memory->counted));
	ledger->counted[n] = memory->counted;
}

static void is_whole_and_complete(const char *place, struct ledger *ledger)
{
	static struct ledger wanted;
	wanted = *ledger;
	char *warning = NULL;
	struct wd_store *store = wd_store_open(place, NULL, &warning, NULL);
	assert_non_null(store);
	assert_null(warning); /* quick_check was content */
	assert_true(wd_store_load(store, find_service, ledger, NULL));
	assert_int_equal(keeping_services(store), WRITERS);
	assert_true(wd_store_load_journal(store, find_plan, &wanted, NULL));
	for (unsigned n = 0; n < PLANS; n++)
		assert_int_not_equal(wanted.plans[n], KEPT);
	wd_store_close(store);
}

static void what_was_confirmed_is_there_after_kill_9(void **state)
{
	(void)state;
	static struct ledger ledger;
	char *place = keeping_place();
	unsigned told = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		ledger.told = 0;
		run_and_kill(place, &ledger);
		is_whole_and_complete(place, &ledger);
		told += ledger.told;
	}
	print_message("%u confirmed changes in %d rounds\n", told, ROUNDS);
	assert_true(told > 10 * ROUNDS);
	keeping_clear(place);
	free(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_confirmed_is_there_after_kill_9)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
