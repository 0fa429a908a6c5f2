/* The store as its users see it: what was given to it comes back, in order, told once, and the loop goes on. */
#include <support/keeping.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

static char *place;
static struct wd_loop *loop;

static int set_up(void **state)
{
	(void)state;
	place = keeping_place();
	loop = wd_loop_new(NULL);
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop = wd_loop_free(loop);
	keeping_clear(place);
	free(place);
	return 0;
}

static struct wd_store *open_with(struct wd_loop *with)
{
	char *warning = NULL;
	struct wd_error error = {0};
	struct wd_store *store = wd_store_open(place, with, &warning, &error);
	assert_string_equal(error.text, "");
	assert_non_null(store);
	assert_null(warning);
	return store;
}

static struct wd_store *again(struct wd_store *store)
{
	assert_null(wd_store_close(store));
	return open_with(NULL);
}

static void is_example(void *data, const struct wd_memory *memory)
{
	keeping_same_memory(memory, keeping_memory("shop/web/1", 42));
	++*(unsigned *)data;
}

static void a_service_comes_back_as_it_was_given(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	struct keeping_told told = {0};
	wd_store_service(store, keeping_memory("shop/web/1", 42), keeping_done, &told);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.failures, 0);
	store = again(store);
	unsigned rows = 0;
	assert_true(wd_store_load(store, is_example, &rows, NULL));
	assert_int_equal(rows, 1);
	wd_store_close(store);
}

static void is_bare(void *data, const struct wd_memory *memory)
{
	char name[] = "bare";
	keeping_same_memory(memory, &(struct wd_memory){.service = name});
	++*(unsigned *)data;
}

static void a_service_of_which_nothing_is_known_comes_back_too(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	char name[] = "bare";
	wd_store_service(store, &(struct wd_memory){.service = name}, NULL, NULL);
	store = again(store);
	unsigned rows = 0;
	assert_true(wd_store_load(store, is_bare, &rows, NULL));
	assert_int_equal(rows, 1);
	wd_store_close(store);
}

/* --- images --- */

static char *lent(const char *text)
{
	union {
		const char *given;
		char *wanted;
	} either = {.given = text};
	return either.wanted;
}

static void put_pins(struct wd_store *store, const char *service)
{
	struct wd_pin items[] = {
		{lent("acme/web:1.4"), lent("sha256:14"), lent("acme/web@sha256:d14 x@sha256:e"), 17, WD_PIN_LEARNED},
		{lent("acme/web:1.3"), lent("sha256:13"), lent(""), 16, WD_PIN_LABEL},
	};
	struct wd_swap_record swaps[] = {
		{lent("acme/web:1.5"), lent("sha256:15"), lent("acme/web:1.4"), lent("sha256:14"), 18, WD_SWAP_HELPED},
		{lent("acme/web:1.6"), lent("sha256:16"), lent("acme/web:1.4"), lent("sha256:14"), 19, WD_SWAP_IN_VAIN},
	};
	const struct wd_pins pins = {
		items, 2, swaps, 2, .config_of = lent("sha256:15"), .config = lent("{\"Env\":[\"it's=1\"]}")};
	wd_store_service(store, keeping_memory(service, 1), NULL, NULL);
	wd_store_pins(store, service, &pins);
}

static void has_pins(void *data, const struct wd_memory *memory)
{
	const struct wd_pins *pins = &memory->pins;
	++*(unsigned *)data;
	assert_int_equal(pins->count, 2);
	assert_string_equal(pins->items[0].image, "acme/web:1.4");
	assert_string_equal(pins->items[0].digests, "acme/web@sha256:d14 x@sha256:e");
	assert_int_equal(pins->items[0].since, 17);
	assert_int_equal(pins->items[0].by, WD_PIN_LEARNED);
	assert_string_equal(pins->items[1].id, "sha256:13");
	assert_int_equal(pins->items[1].by, WD_PIN_LABEL);
	assert_int_equal(pins->swap_count, 2);
	assert_string_equal(pins->swaps[0].from_id, "sha256:15");
	assert_string_equal(pins->swaps[1].to_image, "acme/web:1.4");
	assert_int_equal(pins->swaps[1].end, WD_SWAP_IN_VAIN);
	assert_ptr_equal(wd_pins_bad(pins, "sha256:15"), &pins->swaps[0]);
	assert_null(wd_pins_bad(pins, "sha256:16"));
	assert_null(wd_pins_bad(pins, NULL));
	assert_string_equal(pins->config_of, "sha256:15");
	assert_string_equal(pins->config, "{\"Env\":[\"it's=1\"]}");
}

static void what_is_known_of_images_outlives_the_changes_of_its_service(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	unsigned rows = 0;
	put_pins(store, "web");
	wd_store_service(store, keeping_memory("web", 2), NULL, NULL);
	store = again(store);
	assert_true(wd_store_load(store, has_pins, &rows, NULL));
	assert_int_equal(rows, 1);
	wd_store_close(store);
}

static void has_none(void *data, const struct wd_memory *memory)
{
	++*(unsigned *)data;
	assert_int_equal(memory->pins.count + memory->pins.swap_count, 0);
	assert_null(memory->pins.config);
}

static unsigned count_rows(const char *table)
{
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db"), *sql = wd_format("SELECT count(*) FROM %s", table);
	sqlite3 *database = NULL;
	sqlite3_stmt *query = NULL;
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &query, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(query), SQLITE_ROW);
	unsigned count = (unsigned)sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(database);
	return count;
}

static void who_is_forgotten_leaves_no_images_behind(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	unsigned rows = 0;
	put_pins(store, "web");
	put_pins(store, "other");
	wd_store_close(store);
	assert_int_equal(count_rows("pins"), 4);
	assert_int_equal(count_rows("configs"), 1);
	store = open_with(NULL);
	wd_store_forget(store, "web");
	wd_store_pins(store, "other", &(struct wd_pins){0});
	assert_true(wd_store_load(store, has_none, &rows, NULL));
	assert_int_equal(rows, 1);
	wd_store_close(store);
	assert_int_equal(count_rows("pins") + count_rows("swaps") + count_rows("running") + count_rows("configs"), 0);
}

static void a_forgotten_service_is_gone(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	wd_store_service(store, keeping_memory("a", 1), NULL, NULL);
	wd_store_service(store, keeping_memory("b", 2), NULL, NULL);
	wd_store_forget(store, "a");
	wd_store_forget(store, "never seen");
	store = again(store);
	assert_int_equal(keeping_services(store), 1);
	assert_int_equal(keeping_counted(store, "b"), 2);
	wd_store_close(store);
}

struct seen {
	unsigned calls;
	size_t count;
	int64_t ids[20];
	char why[200];
	const struct wd_incident *expected;
	struct wd_loop *loop;
};

static void see(void *data, const struct wd_incident *const *incidents, size_t count, const char *why)
{
	struct seen *seen = data;
	seen->calls++;
	seen->count = count;
	snprintf(seen->why, sizeof(seen->why), "%s", why ? why : "");
	for (size_t n = 0; n < count && n < 20; n++)
		seen->ids[n] = incidents[n]->id;
	if (seen->expected && count)
		keeping_same_incident(incidents[0], seen->expected);
	if (seen->loop)
		wd_loop_stop(seen->loop);
}

static void an_incident_comes_back_with_its_steps_notes_and_logs(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	wd_store_incident(store, keeping_incident(7), NULL, NULL);
	store = again(store);
	struct seen seen = {.expected = keeping_incident(7)};
	wd_store_read(store, &(struct wd_incident_wish){.id = 7}, see, &seen);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.why, "");
	wd_store_close(store);
}

static void a_list_of_incidents_may_be_brief(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	wd_store_incident(store, keeping_incident(7), NULL, NULL);
	struct wd_incident brief = *keeping_incident(7);
	brief.logs = NULL;
	brief.point_count = 0;
	brief.memory_limit_bytes = 0;
	brief.cpus_allowed = 0;
	brief.note_count = 0;
	struct seen seen = {.expected = &brief};
	wd_store_read(store, &(struct wd_incident_wish){.brief = true}, see, &seen);
	assert_int_equal(seen.count, 1);
	wd_store_close(store);
}

static void an_incident_that_changes_keeps_nothing_of_its_older_self(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	wd_store_incident(store, keeping_incident(7), NULL, NULL);
	struct wd_incident closed = *keeping_incident(7);
	closed.closed = closed.opened + 5;
	closed.outcome = WD_OUTCOME_HELD;
	closed.step_count = 1;
	closed.note_count = 2;
	closed.logs = NULL;
	closed.point_count = 0;
	closed.memory_limit_bytes = 0;
	closed.cpus_allowed = 0;
	wd_store_incident(store, &closed, NULL, NULL);
	struct seen seen = {.expected = &closed};
	wd_store_read(store, &(struct wd_incident_wish){0}, see, &seen);
	assert_int_equal(seen.count, 1);
	wd_store_close(store);
}

static void write_incident(struct wd_store *store, int64_t id, const char *service, wd_stamp opened, wd_stamp closed)
{
	struct wd_incident incident = *keeping_incident(id);
	WD_AUTO_FREE char *owned = wd_copy(service);
	incident.service = owned;
	incident.opened = opened;
	incident.closed = closed;
	wd_store_incident(store, &incident, NULL, NULL);
}

static void incidents_are_found_by_service_name_time_and_number_newest_first(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	write_incident(store, 1, "shop/web/1", 1000, 1500);
	write_incident(store, 2, "shop/db/1", 2000, 0);
	write_incident(store, 3, "shop/web/1", 3000, 0);
	struct seen seen = {0};
	wd_store_read(store, &(struct wd_incident_wish){0}, see, &seen);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ids[0], 3);
	assert_int_equal(seen.ids[2], 1);
	wd_store_read(store, &(struct wd_incident_wish){.service = "shop/web/1"}, see, &seen);
	assert_int_equal(seen.count, 2);
	wd_store_read(store, &(struct wd_incident_wish){.service = "web"}, see, &seen);
	assert_int_equal(seen.count, 3);
	wd_store_read(store, &(struct wd_incident_wish){.service = "we"}, see, &seen);
	assert_int_equal(seen.count, 0);
	wd_store_read(store, &(struct wd_incident_wish){.since = 2000}, see, &seen);
	assert_int_equal(seen.count, 2);
	wd_store_read(store, &(struct wd_incident_wish){.most = 1}, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], 3);
	wd_store_read(store, &(struct wd_incident_wish){.id = 2}, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], 2);
	wd_store_read(store, &(struct wd_incident_wish){.open = true}, see, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[1], 2);
	wd_store_close(store);
}

/* All that are open, however many, and whatever was closed since; the clock was set back meanwhile. */
static void a_long_list_is_read_in_pages(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	for (int64_t id = 1; id <= 25; id++)
		write_incident(store, id, "a", 10000 - id, id % 5 ? 0 : 20000);
	struct wd_incident_wish wish = {.open = true, .most = 8};
	struct seen seen = {0};
	unsigned pages = 0;
	size_t all = 0;
	int64_t last = 26;
	do {
		wd_store_read(store, &wish, see, &seen);
		for (unsigned n = 0; n < seen.count; n++) {
			assert_true(seen.ids[n] < last && seen.ids[n] % 5);
			wish.before = last = seen.ids[n];
		}
		all += seen.count;
		pages++;
	} while (seen.count == wish.most);
	assert_int_equal(all, 20);
	assert_int_equal(pages, 3);
	wd_store_close(store);
}

struct began {
	wd_stamp items[8];
	unsigned count;
};

static void take_action(void *data, wd_stamp began)
{
	struct began *all = data;
	assert_true(all->count < 8);
	all->items[all->count++] = began;
}

static void write_steps(struct wd_store *store, int64_t id, const struct wd_step *steps, unsigned count)
{
	struct wd_step copy[4];
	memcpy(copy, steps, count * sizeof(*steps));
	struct wd_incident incident = *keeping_incident(id);
	incident.steps = copy;
	incident.step_count = count;
	wd_store_incident(store, &incident, NULL, NULL);
}

static void write_plan(struct wd_store *store, int64_t id, char *plan, int64_t incident, wd_stamp began)
{
	struct wd_journal journal = *keeping_journal(id);
	journal.plan = plan;
	journal.incident = incident;
	journal.began = began;
	wd_store_journal(store, &journal, NULL, NULL);
}

/* The fourth incident's step is under way, and so is in the journal too; the fifth's has not reached the disk. */
static void what_was_changed_of_late_is_told_newest_first(void **state)
{
	static const struct wd_step told[] = {{WD_ACTION_NOTIFY, 5000, 5001, WD_RESULT_DONE, NULL},
					      {WD_ACTION_ROLLBACK, 5100, 5101, WD_RESULT_SKIPPED, NULL},
					      {WD_ACTION_RESTART, 5200, 5201, WD_RESULT_FAILED, NULL},
					      {WD_ACTION_STOP, 5300, 5301, WD_RESULT_DONE, NULL}};
	static const struct wd_step old[] = {{WD_ACTION_PAUSE, 999, 1200, WD_RESULT_DONE, NULL}};
	static const struct wd_step observed[] = {{WD_ACTION_STOP, 5400, 5401, WD_RESULT_OBSERVED, NULL}};
	static const struct wd_step under_way[] = {{WD_ACTION_THROTTLE, 5500, 0, WD_RESULT_OPEN, NULL}};
	struct wd_store *store = open_with(NULL);
	struct began began = {0};
	(void)state;
	write_steps(store, 1, told, 4);
	write_steps(store, 2, old, 1);
	write_steps(store, 3, observed, 1);
	write_steps(store, 4, under_way, 1);
	write_plan(store, 1, (char[]){"throttle"}, 4, 5502);
	write_plan(store, 2, (char[]){"hold"}, 5, 5250);
	write_plan(store, 3, (char[]){"hold"}, 0, 5601);
	write_plan(store, 4, (char[]){"release"}, 1, 5602);
	assert_true(wd_store_load_actions(store, 1000, 8, take_action, &began, NULL));
	assert_int_equal(began.count, 4);
	assert_int_equal(began.items[0], 5500);
	assert_int_equal(began.items[1], 5300);
	assert_int_equal(began.items[2], 5250);
	assert_int_equal(began.items[3], 5200);
	began.count = 0;
	assert_true(wd_store_load_actions(store, 0, 2, take_action, &began, NULL));
	assert_int_equal(began.count, 2);
	assert_int_equal(began.items[1], 5300);
	assert_true(wd_store_load_actions(store, 0, 0, take_action, &began, NULL));
	assert_int_equal(began.count, 2);
	wd_store_close(store);
}

static void only_old_closed_incidents_are_pruned_and_no_number_is_used_twice(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	assert_int_equal(wd_store_next_incident(store), 1);
	write_incident(store, 1, "a", 1000, 0);
	write_incident(store, 2, "a", 1000, 1500);
	write_incident(store, 3, "a", 1000, 2500);
	write_incident(store, 4, "a", 1000, 1999);
	wd_store_prune(store, 2000);
	struct seen seen = {0};
	wd_store_read(store, &(struct wd_incident_wish){0}, see, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], 3);
	assert_int_equal(seen.ids[1], 1);
	wd_store_prune(store, 9000);
	store = again(store);
	assert_int_equal(wd_store_next_incident(store), 5);
	wd_store_close(store);
}

static void is_journal(void *data, const struct wd_journal *journal)
{
	const struct wd_journal *expected = keeping_journal(3);
	assert_int_equal(journal->id, expected->id);
	assert_string_equal(journal->plan, expected->plan);
	assert_string_equal(journal->service, expected->service);
	assert_string_equal(journal->name, expected->name);
	assert_string_equal(journal->container, expected->container);
	assert_int_equal(journal->incident, expected->incident);
	assert_int_equal(journal->step, expected->step);
	assert_true(wd_restart_policy_equal(journal->policy, expected->policy));
	keeping_same_cut(&journal->cut, &expected->cut);
	assert_true(journal->no_start);
	assert_string_equal(journal->details, expected->details);
	assert_int_equal(journal->began, expected->began);
	++*(unsigned *)data;
}

static void the_journal_keeps_what_is_not_struck_out(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	assert_int_equal(wd_store_next_plan(store), 1);
	assert_int_equal(wd_store_next_plan(store), 2);
	struct keeping_told told = {0};
	wd_store_journal(store, keeping_journal(3), keeping_done, &told);
	wd_store_journal(store, keeping_journal(4), keeping_done, &told);
	wd_store_strike(store, 4, keeping_done, &told);
	assert_int_equal(told.calls, 3);
	assert_int_equal(told.failures, 0);
	store = again(store);
	unsigned rows = 0;
	assert_true(wd_store_load_journal(store, is_journal, &rows, NULL));
	assert_int_equal(rows, 1);
	assert_int_equal(wd_store_next_plan(store), 5);
	wd_store_close(store);
}

static void the_moment_to_resume_at_is_kept(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	assert_int_equal(wd_store_load_resume(store), WD_STAMP_NONE);
	wd_store_resume(store, 1767323045123456789);
	store = again(store);
	assert_int_equal(wd_store_load_resume(store), 1767323045123456789);
	wd_store_close(store);
}

static void on_a_loop_nothing_is_told_within_the_call_and_everything_once(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct keeping_told told = {.loop = loop, .awaited = 5};
	wd_store_service(store, keeping_memory("a", 1), keeping_done, &told);
	wd_store_incident(store, keeping_incident(1), keeping_done, &told);
	wd_store_journal(store, keeping_journal(1), keeping_done, &told);
	wd_store_strike(store, 1, keeping_done, &told);
	wd_store_service(store, keeping_memory("b", 2), keeping_done, &told);
	assert_int_equal(told.calls, 0);
	keeping_wait(&told);
	assert_int_equal(told.failures, 0);
	wd_store_close(store);
	assert_int_equal(told.calls, 5);
}

static void a_thousand_versions_of_one_service_end_as_the_newest_and_are_all_told(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct keeping_told told = {.loop = loop, .awaited = 2000};
	for (unsigned n = 1; n <= 1000; n++) {
		wd_store_service(store, keeping_memory("a", n), keeping_done, &told);
		wd_store_incident(store, keeping_incident(n % 3 + 1), keeping_done, &told);
	}
	keeping_wait(&told);
	assert_int_equal(told.failures, 0);
	assert_int_equal(keeping_counted(store, "a"), 1000);
	wd_store_close(store);
	assert_int_equal(told.calls, 2000);
}

static void the_last_word_about_a_service_counts(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	wd_store_service(store, keeping_memory("forgotten", 1), NULL, NULL);
	wd_store_forget(store, "forgotten");
	wd_store_forget(store, "back");
	wd_store_service(store, keeping_memory("back", 2), NULL, NULL);
	assert_int_equal(keeping_counted(store, "back"), 2);
	assert_int_equal(keeping_services(store), 1);
	wd_store_close(store);
}

struct ordered {
	struct wd_loop *loop;
	char letters[16];
};
struct letter {
	struct ordered *order;
	char letter;
};

static void note_letter(void *data, const char *why)
{
	struct letter *letter = data;
	assert_null(why);
	size_t length = strlen(letter->order->letters);
	letter->order->letters[length] = letter->letter;
	if (letter->letter == 'e')
		wd_loop_stop(letter->order->loop);
}

static void ends_are_told_in_the_order_of_the_calls(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct ordered order = {.loop = loop};
	struct letter letters[] = {{&order, 'a'}, {&order, 'b'}, {&order, 'c'}, {&order, 'd'}, {&order, 'e'}};
	wd_store_service(store, keeping_memory("a", 1), note_letter, &letters[0]);
	wd_store_service(store, keeping_memory("a", 2), note_letter, &letters[1]);
	wd_store_service(store, keeping_memory("a", 3), note_letter, &letters[2]);
	wd_store_journal(store, keeping_journal(1), note_letter, &letters[3]);
	wd_store_strike(store, 1, note_letter, &letters[4]);
	wd_loop_run(loop);
	assert_string_equal(order.letters, "abcde");
	wd_store_close(store);
}

static void the_lender_may_change_its_record_at_once(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	char service[] = "mine";
	struct wd_mark marks[1] = {{.stamp = 5}};
	struct wd_memory memory = {.service = service, .counted = 9, .crashes = marks, .crash_count = 1};
	wd_store_service(store, &memory, NULL, NULL);
	memset(service, 'x', 4);
	memory.counted = 1;
	marks[0].stamp = 6;
	assert_int_equal(keeping_counted(store, "mine"), 9);
	wd_store_close(store);
}

static void reading_on_a_loop_shows_what_was_asked_for_before_it(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct seen seen = {.loop = loop};
	wd_store_incident(store, keeping_incident(1), NULL, NULL);
	wd_store_read(store, &(struct wd_incident_wish){0}, see, &seen);
	wd_store_incident(store, keeping_incident(2), NULL, NULL);
	wd_store_incident(store, keeping_incident(1), NULL, NULL);
	assert_int_equal(seen.calls, 0);
	wd_loop_run(loop);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], 1);
	wd_store_close(store);
}

static void closing_writes_and_tells_what_is_still_queued(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct keeping_told told = {0};
	struct seen seen = {0};
	for (unsigned n = 1; n <= 100; n++)
		wd_store_journal(store, keeping_journal(n), keeping_done, &told);
	wd_store_read(store, &(struct wd_incident_wish){0}, see, &seen);
	wd_store_close(store);
	assert_int_equal(told.calls, 100);
	assert_int_equal(told.failures, 0);
	assert_int_equal(seen.calls, 1);
}

static void who_ends_before_the_store_is_not_told(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct keeping_told ended = {0}, told = {.loop = loop, .awaited = 2};
	struct seen seen = {0};
	wd_store_service(store, keeping_memory("a", 1), keeping_done, &ended);
	wd_store_service(store, keeping_memory("a", 2), keeping_done, &told);
	wd_store_read(store, &(struct wd_incident_wish){0}, see, &seen);
	wd_store_service(store, keeping_memory("b", 3), keeping_done, &ended);
	wd_store_service(store, keeping_memory("c", 4), keeping_done, &told);
	wd_store_hush(store, &ended);
	wd_store_hush(store, &seen);
	keeping_wait(&told);
	assert_int_equal(ended.calls, 0);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(keeping_counted(store, "b"), 3);
	wd_store_close(store);
	assert_int_equal(ended.calls, 0);
}

static void stop_it(void *which)
{
	wd_loop_stop(which);
}

static void count_turn(void *turns)
{
	++*(unsigned *)turns;
}

/* Twenty times: a row, if there is a store, and a sleep of 2 ms. Returns how often the loop turned. */
static unsigned turns_while_writing(struct wd_store *store)
{
	unsigned turns = 0;
	struct wd_timer *end = wd_timer_new(loop, stop_it, loop);
	wd_loop_each_turn(loop, count_turn, &turns);
	for (unsigned n = 0; n < 20; n++) {
		if (store)
			wd_store_service(store, keeping_memory("a", n), NULL, NULL);
		wd_timer_set(end, wd_time_now() + 2 * WD_MILLISECOND);
		wd_loop_run(loop);
	}
	wd_loop_each_turn(loop, NULL, NULL);
	wd_timer_free(end);
	return turns;
}

static void what_nobody_waits_for_does_not_wake_the_loop(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	unsigned alone = turns_while_writing(NULL);
	unsigned writing = turns_while_writing(store);
	assert_int_equal(keeping_counted(store, "a"), 19);
	assert_true(writing <= alone + 3);
	wd_store_close(store);
}

struct closer {
	struct wd_store *store;
	struct keeping_told *rest;
};

static void close_it(void *data, const char *why)
{
	struct closer *closer = data;
	assert_null(why);
	closer->store = wd_store_close(closer->store);
	assert_int_equal(closer->rest->calls, 2);
	wd_loop_stop(loop);
}

static void a_done_may_close_the_store(void **state)
{
	(void)state;
	struct keeping_told rest = {0};
	struct closer closer = {open_with(loop), &rest};
	wd_store_service(closer.store, keeping_memory("a", 1), close_it, &closer);
	wd_store_service(closer.store, keeping_memory("b", 1), keeping_done, &rest);
	wd_store_service(closer.store, keeping_memory("c", 1), keeping_done, &rest);
	wd_loop_run(loop);
	assert_null(closer.store);
	struct wd_store *store = open_with(NULL);
	assert_int_equal(keeping_services(store), 3);
	wd_store_close(store);
}

struct chain {
	struct wd_store *store;
	unsigned left;
};

static void go_on(void *data, const char *why)
{
	struct chain *chain = data;
	assert_null(why);
	if (--chain->left)
		wd_store_service(chain->store, keeping_memory("a", chain->left), go_on, chain);
	else if (loop)
		wd_loop_stop(loop);
}

static void a_done_may_ask_for_the_next_change(void **state)
{
	(void)state;
	struct chain chain = {open_with(loop), 20};
	wd_store_service(chain.store, keeping_memory("a", 20), go_on, &chain);
	wd_loop_run(loop);
	assert_int_equal(keeping_counted(chain.store, "a"), 1);
	chain.left = 20;
	wd_store_service(chain.store, keeping_memory("a", 20), go_on, &chain);
	wd_store_close(chain.store); /* the rest of the chain while it closes */
	assert_int_equal(chain.left, 0);
	chain = (struct chain){open_with(NULL), 20};
	wd_store_service(chain.store, keeping_memory("a", 20), go_on, &chain);
	assert_int_equal(chain.left, 0);
	assert_int_equal(keeping_counted(chain.store, "a"), 1);
	wd_store_close(chain.store);
}

static void write_more(void *data, const struct wd_memory *memory)
{
	struct wd_memory copy = *memory;
	copy.counted++;
	wd_store_service(data, &copy, NULL, NULL);
}

static void a_load_may_write_while_it_is_told(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	for (unsigned n = 0; n < 10; n++) {
		char name[] = {'a', (char)('0' + n), '\0'};
		wd_store_service(store, keeping_memory(name, 1), NULL, NULL);
	}
	assert_true(wd_store_load(store, write_more, store, NULL));
	assert_int_equal(keeping_counted(store, "a9"), 2);
	wd_store_close(store);
}

/* As a database might that some later version spoilt: this one service cannot be written. */
static void refuse_service(const char *sql)
{
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	wd_store_close(open_with(NULL));
	sqlite3 *handle;
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
}

static void one_that_cannot_be_written_does_not_take_the_others_with_it(void **state)
{
	(void)state;
	refuse_service("CREATE TRIGGER poison BEFORE INSERT ON services WHEN new.service = 'bad' "
		       "BEGIN SELECT RAISE(ABORT, 'it is poisoned'); END");
	struct wd_store *store = open_with(loop);
	struct keeping_told good = {.loop = loop, .awaited = 3}, bad = {0};
	wd_store_service(store, keeping_memory("a", 1), keeping_done, &good);
	wd_store_service(store, keeping_memory("bad", 1), keeping_done, &bad);
	wd_store_service(store, keeping_memory("bad", 2), keeping_done, &bad);
	wd_store_incident(store, keeping_incident(1), keeping_done, &good);
	wd_store_service(store, keeping_memory("b", 2), keeping_done, &good);
	keeping_wait(&good);
	assert_int_equal(good.failures, 0);
	assert_int_equal(bad.calls, 2);
	assert_int_equal(bad.failures, 2);
	assert_non_null(strstr(bad.why, "it is poisoned"));
	assert_non_null(strstr(wd_store_trouble(store), "it is poisoned"));
	assert_int_equal(keeping_services(store), 2);
	wd_store_close(store);
}

static void plans_leave_lines_that_need_no_database(void **state)
{
	(void)state;
	struct wd_store *store = open_with(loop);
	struct wd_journal journal = *keeping_journal(1);
	wd_store_journal(store, &journal, NULL, NULL);
	journal.step = 3;
	wd_store_journal(store, &journal, NULL, NULL);
	wd_store_strike(store, 1, NULL, NULL);
	journal = *keeping_journal(2);
	char name[] = "web\n2026 forged";
	journal.name = name;
	journal.incident = 0;
	journal.no_start = false;
	journal.policy = (struct wd_restart_policy){WD_RESTART_ON_FAILURE, 3};
	wd_store_journal(store, &journal, NULL, NULL);
	wd_store_close(store);
	WD_AUTO_FREE char *text = keeping_text(place, "actions.log");
	assert_non_null(text);
	unsigned lines = 0;
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 3);
	assert_non_null(strstr(text, "Z hold web 0123456789ab incident 7 policy always no-start\n"));
	assert_non_null(strstr(text, "Z hold web 0123456789ab ended\n"));
	assert_non_null(strstr(text, "Z hold web\\n2026 forged 0123456789ab by hand policy on-failure:3\n"));
}

static void count_row(void *data, const struct wd_journal *journal)
{
	(void)journal;
	++*(unsigned *)data;
}

static void what_a_dead_seadog_began_is_ended_in_the_lines_too(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	wd_store_journal(store, keeping_journal(1), NULL, NULL);
	store = again(store);
	unsigned rows = 0;
	assert_true(wd_store_load_journal(store, count_row, &rows, NULL));
	assert_int_equal(rows, 1);
	wd_store_strike(store, 1, NULL, NULL);
	wd_store_close(store);
	WD_AUTO_FREE char *text = keeping_text(place, "actions.log");
	assert_non_null(strstr(text, " ended\n"));
	assert_non_null(strstr(text, " incident 7 "));
	assert_null(strstr(strstr(text, " incident 7 ") + 1, " incident 7 "));
}

static void the_lines_do_not_grow_for_ever(void **state)
{
	(void)state;
	WD_AUTO_FREE char *log = keeping_file(place, "actions.log");
	keeping_write(place, "actions.log", "old\n", 4);
	assert_int_equal(truncate(log, 1 << 20), 0);
	struct wd_store *store = open_with(NULL);
	wd_store_journal(store, keeping_journal(1), NULL, NULL);
	wd_store_close(store);
	WD_AUTO_FREE char *text = keeping_text(place, "actions.log");
	assert_true(strlen(text) < 200);
	assert_true(keeping_has(place, "actions.log.1"));
}

static void the_directory_is_private_and_made_if_its_parent_is_there(void **state)
{
	(void)state;
	WD_AUTO_FREE char *made = keeping_file(place, "state");
	WD_AUTO_FREE char *too_deep = keeping_file(place, "not/there");
	struct wd_store *store = wd_store_open(made, NULL, NULL, NULL);
	assert_non_null(store);
	wd_store_close(store);
	struct stat status;
	assert_int_equal(stat(made, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	struct wd_error error = {0};
	assert_null(wd_store_open(too_deep, NULL, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	assert_non_null(strstr(error.text, "cannot make state directory"));
}

static void put_snapshot(struct wd_store *store, const char *id, wd_stamp stamp, const char *broken)
{
	struct wd_snapshot snapshot = {
		.stamp = stamp, .well = true, .verified = broken ? 0 : 77, .paused_seconds = 1.25};
	snapshot.id = wd_copy(id);
	snapshot.service = wd_copy("shop/db/1");
	snapshot.name = wd_copy("db");
	snapshot.image = wd_copy("postgres:16");
	snapshot.image_id = wd_copy("sha256:0123");
	snapshot.broken = wd_copy(broken);
	for (unsigned n = 0; n < 2; n++) {
		struct wd_snapshot_volume *volume = wd_snapshot_add(&snapshot);
		volume->name = wd_copy(n ? "/srv/files" : "data");
		volume->path = wd_copy("/srv/files");
		volume->kind = wd_copy(n ? "bind" : "volume");
		volume->file = wd_copy("data.tar.zst");
		volume->sha256 = wd_copy("abc");
		volume->bytes = 5000000000;
		volume->stored_bytes = 1234 + n;
		volume->files = 100000;
		wd_list_add(&volume->warnings, "run/x.sock: a socket, left out");
		wd_list_add(&volume->warnings, "dev/null: a device, left out");
	}
	wd_store_snapshot(store, &snapshot);
	wd_snapshot_done(&snapshot);
}

struct shelf {
	struct wd_snapshot items[4];
	size_t count;
};

static void keep_snapshot(void *data, const struct wd_snapshot *snapshot)
{
	struct shelf *shelf = data;
	assert_true(shelf->count < 4);
	wd_snapshot_copy(&shelf->items[shelf->count++], snapshot);
}

static void load_snapshots(struct wd_store *store, struct shelf *shelf)
{
	struct wd_error error = {0};
	shelf->count = 0;
	assert_true(wd_store_load_snapshots(store, keep_snapshot, shelf, &error));
}

static void empty_shelf(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		wd_snapshot_done(&shelf->items[i]);
}

static void snapshots_come_back_as_they_were_given_newest_first(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	struct shelf shelf;
	put_snapshot(store, "one", 1000, NULL);
	put_snapshot(store, "two", 2000, NULL);
	put_snapshot(store, "two", 2000, "data.tar.zst: the checksum is another");
	store = again(store);
	load_snapshots(store, &shelf);
	assert_int_equal(shelf.count, 2);
	const struct wd_snapshot *two = &shelf.items[0], *one = &shelf.items[1];
	assert_string_equal(two->id, "two");
	assert_string_equal(two->broken, "data.tar.zst: the checksum is another");
	assert_int_equal(two->verified, 0);
	assert_string_equal(one->id, "one");
	assert_null(one->broken);
	assert_int_equal(one->verified, 77);
	assert_true(one->well);
	assert_int_equal(one->stamp, 1000);
	assert_true(one->paused_seconds > 1.2499 && one->paused_seconds < 1.2501);
	assert_string_equal(one->service, "shop/db/1");
	assert_string_equal(one->name, "db");
	assert_string_equal(one->image, "postgres:16");
	assert_string_equal(one->image_id, "sha256:0123");
	assert_int_equal(one->volume_count, 2);
	const struct wd_snapshot_volume *volume = &one->volumes[1];
	assert_string_equal(volume->name, "/srv/files");
	assert_string_equal(volume->path, "/srv/files");
	assert_string_equal(volume->kind, "bind");
	assert_string_equal(volume->file, "data.tar.zst");
	assert_string_equal(volume->sha256, "abc");
	assert_true(volume->bytes == 5000000000 && volume->stored_bytes == 1235 && volume->files == 100000);
	assert_int_equal(volume->warnings.count, 2);
	assert_string_equal(volume->warnings.items[1], "dev/null: a device, left out");
	empty_shelf(&shelf);
	wd_store_close(store);
}

static void a_snapshot_that_is_dropped_is_gone_with_its_volumes(void **state)
{
	(void)state;
	struct wd_store *store = open_with(NULL);
	struct shelf shelf;
	put_snapshot(store, "one", 1000, NULL);
	put_snapshot(store, "two", 2000, NULL);
	wd_store_drop_snapshot(store, "one");
	store = again(store);
	load_snapshots(store, &shelf);
	assert_int_equal(shelf.count, 1);
	assert_string_equal(shelf.items[0].id, "two");
	assert_int_equal(shelf.items[0].volume_count, 2);
	empty_shelf(&shelf);
	wd_store_close(store);
	struct wd_error error = {0};
	store = wd_store_open_reading(place, &error);
	assert_non_null(store);
	load_snapshots(store, &shelf);
	assert_int_equal(shelf.count, 1);
	empty_shelf(&shelf);
	wd_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		STORY(a_service_comes_back_as_it_was_given),
		STORY(a_service_of_which_nothing_is_known_comes_back_too),
		STORY(what_is_known_of_images_outlives_the_changes_of_its_service),
		STORY(who_is_forgotten_leaves_no_images_behind),
		STORY(a_forgotten_service_is_gone),
		STORY(snapshots_come_back_as_they_were_given_newest_first),
		STORY(a_snapshot_that_is_dropped_is_gone_with_its_volumes),
		STORY(an_incident_comes_back_with_its_steps_notes_and_logs),
		STORY(a_list_of_incidents_may_be_brief),
		STORY(an_incident_that_changes_keeps_nothing_of_its_older_self),
		STORY(incidents_are_found_by_service_name_time_and_number_newest_first),
		STORY(a_long_list_is_read_in_pages),
		STORY(what_was_changed_of_late_is_told_newest_first),
		STORY(only_old_closed_incidents_are_pruned_and_no_number_is_used_twice),
		STORY(the_journal_keeps_what_is_not_struck_out),
		STORY(the_moment_to_resume_at_is_kept),
		STORY(on_a_loop_nothing_is_told_within_the_call_and_everything_once),
		STORY(a_thousand_versions_of_one_service_end_as_the_newest_and_are_all_told),
		STORY(the_last_word_about_a_service_counts),
		STORY(ends_are_told_in_the_order_of_the_calls),
		STORY(the_lender_may_change_its_record_at_once),
		STORY(reading_on_a_loop_shows_what_was_asked_for_before_it),
		STORY(closing_writes_and_tells_what_is_still_queued),
		STORY(who_ends_before_the_store_is_not_told),
		STORY(what_nobody_waits_for_does_not_wake_the_loop),
		STORY(a_done_may_close_the_store),
		STORY(a_done_may_ask_for_the_next_change),
		STORY(a_load_may_write_while_it_is_told),
		STORY(one_that_cannot_be_written_does_not_take_the_others_with_it),
		STORY(plans_leave_lines_that_need_no_database),
		STORY(what_a_dead_seadog_began_is_ended_in_the_lines_too),
		STORY(the_lines_do_not_grow_for_ever),
		STORY(the_directory_is_private_and_made_if_its_parent_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
