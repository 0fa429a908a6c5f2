#include "actions.h"
#include "change.h"
#include "home.h"
#include "rows.h"
#include "snapshots.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>

enum { STACK_BYTES = 1 << 20 };

/* Two threads, and a line between them. The loop's thread queues changes and tells their ends. The store's thread owns
 * home, database and actions while it works; while it is idle the loop's thread may use them, as it alone can give it
 * new work. What both touch is behind `lock`. */
struct wd_store {
	struct wd_home home;
	struct wd_database *database; /* NULL: there is none, or it cannot be opened */
	struct wd_actions actions;
	bool only_reading;
	/* The last transaction failed. Where only its sync did, it stands whole behind the end of the log, and would come
	 * back to life after a crash, unless the next one is written over it: so the next has to write something, even if it
	 * only strikes out what never was. */
	bool has_failed;
	/* Plans that have ended, and whose strike did not reach the disk: struck out when it takes again, or they would be
	 * finished once more by the next seadog. */
	int64_t *unstruck;
	size_t unstruck_count;

	struct wd_loop *loop; /* NULL: no thread, everything at once */
	struct wd_wake *wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t something_to_do, nothing_to_do;
	struct wd_changes waiting, working, finished;
	struct wd_map *newest; /* the last waiting change of each subject, lent */
	bool ending;
	char *trouble; /* as it is known to the store's thread */
	bool has_news; /* it has changed */

	char *shown_trouble; /* as it is known to the loop's thread */
	int64_t last_plan, last_incident;
	bool *is_gone; /* set by wd_store_close() within a done */
};

/* Writing, on the store's thread. */

static void set_trouble(struct wd_store *store, const char *why)
{
	pthread_mutex_lock(&store->lock);
	if (!wd_text_equal(store->trouble, why)) {
		wd_replace(&store->trouble, why);
		store->has_news = true;
	}
	pthread_mutex_unlock(&store->lock);
}

/* The old connection for reading is closed first: closing it later would give back the locks of the new one, which are
 * the process's (fcntl). */
static enum wd_database_state open_anew(struct wd_store *store, struct wd_text *warning, struct wd_error *error)
{
	struct wd_database *old = store->database;
	store->database = NULL;
	if (old && !wd_database_is_reading(old))
		return wd_home_return(&store->home, old, &store->database, warning, error);
	wd_database_close(old);
	enum wd_database_state state = WD_DATABASE_UNUSABLE;
	if (store->home.locked >= 0 || (wd_home_make(&store->home, error) && wd_home_lock(&store->home, error)))
		state = wd_home_open(&store->home, &store->database, warning, error);
	if (state != WD_DATABASE_OPEN)
		wd_home_open_reading(&store->home, &store->database, NULL);
	return state;
}

static bool is_in_order(const struct wd_store *store)
{
	return store->database && !wd_database_is_reading(store->database) &&
	       !wd_database_is_damaged(store->database) && !wd_home_is_astray(&store->home);
}

/* Before a connection for reading is given up for nothing. */
static bool could_be_written(const struct wd_store *store, struct wd_error *error)
{
	if (!store->database || !wd_database_is_reading(store->database) || wd_home_is_writable(&store->home))
		return true;
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s", store->home.directory);
}

static bool make_ready(struct wd_store *store, struct wd_error *error)
{
	if (store->only_reading)
		return wd_fail(error, WD_ERROR_REFUSED, "the store was opened for reading");
	if (is_in_order(store))
		return true;
	if (!could_be_written(store, error))
		return false;
	WD_AUTO_TEXT struct wd_text warning = {0};
	enum wd_database_state state = open_anew(store, &warning, error);
	if (warning.length)
		wd_actions_say(&store->actions, wd_text_get(&warning));
	return state == WD_DATABASE_OPEN;
}

static bool is_durable(const struct wd_change *first, const struct wd_change *end)
{
	for (const struct wd_change *change = first; change != end; change = TAILQ_NEXT(change, entry))
		if (change->durable)
			return true;
	return false;
}

static bool write_together(struct wd_store *store, struct wd_change *first, const struct wd_change *end,
			   struct wd_error *error)
{
	bool ok = wd_database_begin(store->database, is_durable(first, end), error);
	if (ok && store->has_failed)
		ok = wd_rows_put_trouble(store->database, wd_stamp_now(), error);
	for (struct wd_change *change = first; ok && change != end; change = TAILQ_NEXT(change, entry))
		ok = wd_change_apply(change, store->database, error);
	store->has_failed = !ok || !wd_database_commit(store->database, error);
	if (!store->has_failed)
		return true;
	wd_database_rollback(store->database);
	return wd_fail_in(error, "cannot write %s", store->home.database);
}

/* One that cannot be written must not take the others with it. */
static void write_alone(struct wd_store *store, struct wd_change *first, const struct wd_change *end)
{
	WD_AUTO_FREE char *trouble = NULL;
	struct wd_error error = {0};
	bool ready = true; /* once it is not, trying again for each would take long where the disk does */
	for (struct wd_change *change = first; change != end; change = TAILQ_NEXT(change, entry)) {
		ready = ready && make_ready(store, &error);
		if (ready && write_together(store, change, TAILQ_NEXT(change, entry), &error))
			continue;
		wd_replace(&change->why, error.text);
		wd_replace(&trouble, error.text);
	}
	set_trouble(store, trouble);
}

static void refuse_all(struct wd_store *store, struct wd_change *first, const struct wd_change *end, const char *why)
{
	for (struct wd_change *change = first; change != end; change = TAILQ_NEXT(change, entry))
		wd_replace(&change->why, why);
	set_trouble(store, why);
}

static void log_before(struct wd_store *store, const struct wd_change *first, const struct wd_change *end)
{
	for (const struct wd_change *change = first; change != end; change = TAILQ_NEXT(change, entry))
		if (change->kind == WD_CHANGE_JOURNAL && !store->only_reading)
			wd_actions_begun(&store->actions, &change->journal, false);
}

static void log_after(struct wd_store *store, const struct wd_change *first, const struct wd_change *end)
{
	for (const struct wd_change *change = first; change != end; change = TAILQ_NEXT(change, entry))
		if (change->kind == WD_CHANGE_STRIKE)
			wd_actions_ended(&store->actions, change->number);
		else if (change->kind == WD_CHANGE_JOURNAL && change->why)
			wd_actions_failed(&store->actions, change->journal.id, change->why);
}

static void note_unstruck(struct wd_store *store, const struct wd_change *first, const struct wd_change *end)
{
	for (const struct wd_change *change = first; change != end; change = TAILQ_NEXT(change, entry)) {
		if (change->kind != WD_CHANGE_STRIKE || !change->why)
			continue;
		store->unstruck = wd_realloc(store->unstruck, store->unstruck_count + 1, sizeof(*store->unstruck));
		store->unstruck[store->unstruck_count++] = change->number;
	}
}

/* In a transaction of their own, so that they take no other with them. */
static void strike_again(struct wd_store *store)
{
	struct wd_error error = {0};
	bool ok = wd_database_begin(store->database, true, &error);
	for (size_t n = 0; ok && n < store->unstruck_count; n++)
		ok = wd_rows_strike(store->database, store->unstruck[n], &error);
	if (ok && wd_database_commit(store->database, &error)) {
		store->unstruck_count = 0;
		return;
	}
	wd_database_rollback(store->database);
	store->has_failed = true;
	set_trouble(store, error.text);
}

static void write_changes(struct wd_store *store, struct wd_change *first, const struct wd_change *end)
{
	struct wd_error error = {0};
	log_before(store, first, end);
	if (!make_ready(store, &error))
		refuse_all(store, first, end, error.text);
	else if (write_together(store, first, end, NULL))
		set_trouble(store, NULL);
	else
		write_alone(store, first, end);
	if (store->unstruck_count && is_in_order(store) && !store->has_failed)
		strike_again(store);
	note_unstruck(store, first, end);
	log_after(store, first, end);
}

static void read_incidents(struct wd_store *store, struct wd_change *change)
{
	struct wd_error error = {0};
	if (!store->database)
		wd_fail(&error, WD_ERROR_NOT_FOUND, "there is no database in %s", store->home.directory);
	else if (wd_change_read(change, store->database, &error))
		return;
	wd_replace(&change->why, error.text);
}

static struct wd_change *next_reading(struct wd_change *change)
{
	while (change && change->kind != WD_CHANGE_READ)
		change = TAILQ_NEXT(change, entry);
	return change;
}

/* Changes between two readings go into one transaction. */
static void carry_out(struct wd_store *store, const struct wd_changes *changes)
{
	struct wd_change *change = TAILQ_FIRST(changes);
	while (change) {
		struct wd_change *reading = next_reading(change);
		if (change != reading)
			write_changes(store, change, reading);
		if (reading)
			read_incidents(store, reading);
		change = reading ? TAILQ_NEXT(reading, entry) : NULL;
	}
}

/* What was replaced while it waited has the same end, and is told first. */
static void unfold(struct wd_changes *changes)
{
	struct wd_change *change;
	TAILQ_FOREACH(change, changes, entry)
	{
		struct wd_change *place = change;
		while (change->older) {
			struct wd_change *older = change->older;
			change->older = older->older;
			older->why = wd_copy(change->why);
			TAILQ_INSERT_BEFORE(place, older, entry);
			place = older;
		}
	}
}

/* What nobody wants to know of does not wait for the loop, and does not wake it. */
static void drop_untold(struct wd_changes *changes)
{
	struct wd_change *change = TAILQ_FIRST(changes);
	while (change) {
		struct wd_change *next = TAILQ_NEXT(change, entry);
		if (!change->done && !change->answer) {
			TAILQ_REMOVE(changes, change, entry);
			wd_change_free(change);
		}
		change = next;
	}
}

static void hand_over(struct wd_store *store)
{
	unfold(&store->working);
	drop_untold(&store->working);
	if (!TAILQ_EMPTY(&store->working) || store->has_news)
		wd_wake_send(store->wake);
	store->has_news = false;
	TAILQ_CONCAT(&store->finished, &store->working, entry);
	pthread_cond_signal(&store->nothing_to_do);
}

static void *work(void *data)
{
	struct wd_store *store = data;
	pthread_mutex_lock(&store->lock);
	for (;;) {
		while (TAILQ_EMPTY(&store->waiting) && !store->ending)
			pthread_cond_wait(&store->something_to_do, &store->lock);
		if (TAILQ_EMPTY(&store->waiting))
			break;
		TAILQ_CONCAT(&store->working, &store->waiting, entry);
		store->newest = wd_map_free(store->newest);
		pthread_mutex_unlock(&store->lock);
		carry_out(store, &store->working);
		pthread_mutex_lock(&store->lock);
		hand_over(store);
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* Telling, on the loop's thread. */

static struct wd_change *next_finished(struct wd_store *store)
{
	pthread_mutex_lock(&store->lock);
	struct wd_change *change = TAILQ_FIRST(&store->finished);
	if (change)
		TAILQ_REMOVE(&store->finished, change, entry);
	if (!wd_text_equal(store->shown_trouble, store->trouble))
		wd_replace(&store->shown_trouble, store->trouble);
	pthread_mutex_unlock(&store->lock);
	return change;
}

static void tell_finished(void *data)
{
	struct wd_store *store = data;
	bool is_gone = false;
	bool *outer = store->is_gone;
	store->is_gone = &is_gone;
	struct wd_change *change;
	while (!is_gone && (change = next_finished(store)) != NULL) {
		wd_change_tell(change);
		wd_change_free(change);
	}
	if (!is_gone)
		store->is_gone = outer;
	else if (outer)
		*outer = true;
}

static void queue(struct wd_store *store, struct wd_change *change)
{
	WD_AUTO_FREE char *subject = wd_change_subject(change);
	pthread_mutex_lock(&store->lock);
	if (!store->newest)
		store->newest = wd_map_new();
	struct wd_change *replaced = subject ? wd_map_set(store->newest, subject, change) : NULL;
	if (replaced) {
		TAILQ_REMOVE(&store->waiting, replaced, entry);
		wd_change_replace(change, replaced);
	}
	/* A reading shows what was asked for before it, so nothing from before may go behind it. */
	if (change->kind == WD_CHANGE_READ)
		store->newest = wd_map_free(store->newest);
	TAILQ_INSERT_TAIL(&store->waiting, change, entry);
	pthread_cond_signal(&store->something_to_do);
	pthread_mutex_unlock(&store->lock);
}

static void do_at_once(struct wd_store *store, struct wd_change *change)
{
	struct wd_changes changes = TAILQ_HEAD_INITIALIZER(changes);
	TAILQ_INSERT_TAIL(&changes, change, entry);
	carry_out(store, &changes);
	wd_replace(&store->shown_trouble, store->trouble);
	wd_change_tell(change);
	wd_change_free(change);
}

static void ask(struct wd_store *store, struct wd_change *change, wd_store_done *done, void *data)
{
	change->done = done;
	change->data = data;
	change->durable = done || change->kind == WD_CHANGE_JOURNAL || change->kind == WD_CHANGE_STRIKE;
	if (store->loop)
		queue(store, change);
	else
		do_at_once(store, change);
}

void wd_store_service(struct wd_store *store, const struct wd_memory *memory, wd_store_done *done, void *data)
{
	ask(store, wd_change_service(memory), done, data);
}

void wd_store_pins(struct wd_store *store, const char *service, const struct wd_pins *pins)
{
	ask(store, wd_change_pins(service, pins), NULL, NULL);
}

void wd_store_forget(struct wd_store *store, const char *service)
{
	ask(store, wd_change_forget(service), NULL, NULL);
}

void wd_store_snapshot(struct wd_store *store, const struct wd_snapshot *snapshot)
{
	ask(store, wd_change_snapshot(snapshot), NULL, NULL);
}

void wd_store_drop_snapshot(struct wd_store *store, const char *id)
{
	ask(store, wd_change_drop_snapshot(id), NULL, NULL);
}

void wd_store_incident(struct wd_store *store, const struct wd_incident *incident, wd_store_done *done, void *data)
{
	ask(store, wd_change_incident(incident), done, data);
}

void wd_store_resume(struct wd_store *store, wd_stamp last_event)
{
	ask(store, wd_change_number(WD_CHANGE_RESUME, last_event), NULL, NULL);
}

void wd_store_journal(struct wd_store *store, const struct wd_journal *journal, wd_store_done *done, void *data)
{
	ask(store, wd_change_journal(journal), done, data);
}

void wd_store_strike(struct wd_store *store, int64_t journal_id, wd_store_done *done, void *data)
{
	ask(store, wd_change_number(WD_CHANGE_STRIKE, journal_id), done, data);
}

void wd_store_prune(struct wd_store *store, wd_stamp before)
{
	ask(store, wd_change_number(WD_CHANGE_PRUNE, before), NULL, NULL);
}

void wd_store_read(struct wd_store *store, const struct wd_incident_wish *wish, wd_store_incidents *answer, void *data)
{
	struct wd_change *change = wd_change_reading(wish);
	change->answer = answer;
	ask(store, change, NULL, data);
}

static void hush(struct wd_changes *changes, const void *data)
{
	struct wd_change *first;
	TAILQ_FOREACH(first, changes, entry)
	for (struct wd_change *change = first; change; change = change->older)
		if (change->data == data) {
			change->done = NULL;
			change->answer = NULL;
		}
}

void wd_store_hush(struct wd_store *store, const void *data)
{
	pthread_mutex_lock(&store->lock);
	hush(&store->waiting, data);
	hush(&store->working, data);
	hush(&store->finished, data);
	pthread_mutex_unlock(&store->lock);
}

/* Reading at once, on the loop's thread, while the store's is idle. */

static void wait_until_idle(struct wd_store *store)
{
	pthread_mutex_lock(&store->lock);
	while (store->loop && !(TAILQ_EMPTY(&store->waiting) && TAILQ_EMPTY(&store->working)))
		pthread_cond_wait(&store->nothing_to_do, &store->lock);
	pthread_mutex_unlock(&store->lock);
}

bool wd_store_load(struct wd_store *store, wd_store_memory_callback *callback, void *data, struct wd_error *error)
{
	wait_until_idle(store);
	struct wd_memory *memories = NULL;
	size_t count = 0;
	bool ok = !store->database || wd_rows_services(store->database, &memories, &count, error);
	for (size_t n = 0; n < count; n++) {
		if (ok)
			callback(data, &memories[n]);
		wd_memory_done(&memories[n]);
	}
	free(memories);
	return ok;
}

bool wd_store_load_snapshots(struct wd_store *store, wd_store_snapshot_callback *callback, void *data,
			     struct wd_error *error)
{
	wait_until_idle(store);
	struct wd_snapshot *snapshots = NULL;
	size_t count = 0;
	bool ok = !store->database || wd_rows_snapshots(store->database, &snapshots, &count, error);
	for (size_t n = 0; n < count; n++) {
		if (ok)
			callback(data, &snapshots[n]);
		wd_snapshot_done(&snapshots[n]);
	}
	free(snapshots);
	return ok;
}

bool wd_store_load_journal(struct wd_store *store, wd_store_journal_callback *callback, void *data,
			   struct wd_error *error)
{
	wait_until_idle(store);
	struct wd_journal *journal = NULL;
	size_t count = 0;
	bool ok = !store->database || wd_rows_journal(store->database, &journal, &count, error);
	for (size_t n = 0; ok && n < count; n++)
		wd_actions_begun(&store->actions, &journal[n], true);
	for (size_t n = 0; n < count; n++) {
		if (ok)
			callback(data, &journal[n]);
		wd_journal_done(&journal[n]);
	}
	free(journal);
	return ok;
}

bool wd_store_load_actions(struct wd_store *store, wd_stamp since, size_t most, wd_store_action_callback *callback,
			   void *data, struct wd_error *error)
{
	wait_until_idle(store);
	WD_AUTO_FREE wd_stamp *began = NULL;
	size_t count = 0;
	bool ok = !store->database || wd_rows_actions(store->database, since, most, &began, &count, error);
	for (size_t n = 0; ok && n < count; n++)
		callback(data, began[n]);
	return ok;
}

wd_stamp wd_store_load_resume(struct wd_store *store)
{
	wd_stamp last_event = WD_STAMP_NONE;
	wait_until_idle(store);
	if (store->database)
		wd_rows_resume(store->database, &last_event, NULL);
	return last_event;
}

/* A number from a file may be any. */
static int64_t after(int64_t number)
{
	return number < 0 ? 1 : number < INT64_MAX ? number + 1 : number;
}

int64_t wd_store_next_incident(struct wd_store *store)
{
	int64_t highest = 0;
	wait_until_idle(store);
	if (store->database && wd_rows_highest(store->database, "incidents", &highest, NULL) &&
	    highest > store->last_incident)
		store->last_incident = highest;
	return after(store->last_incident);
}

int64_t wd_store_next_plan(struct wd_store *store)
{
	return store->last_plan = after(store->last_plan);
}

void wd_store_settle(struct wd_store *store)
{
	wait_until_idle(store);
	pthread_mutex_lock(&store->lock);
	wd_replace(&store->shown_trouble, store->trouble);
	pthread_mutex_unlock(&store->lock);
}

const char *wd_store_trouble(const struct wd_store *store)
{
	return store->shown_trouble;
}

/* Opening and closing. */

static struct wd_store *new_store(const char *directory)
{
	struct wd_store *store = wd_alloc(1, sizeof(*store));
	wd_home_init(&store->home, directory);
	wd_actions_init(&store->actions, &store->home);
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->something_to_do, NULL);
	pthread_cond_init(&store->nothing_to_do, NULL);
	TAILQ_INIT(&store->waiting);
	TAILQ_INIT(&store->working);
	TAILQ_INIT(&store->finished);
	return store;
}

static struct wd_store *free_store(struct wd_store *store)
{
	wd_database_close(store->database);
	wd_actions_done(&store->actions);
	wd_home_done(&store->home);
	wd_map_free(store->newest);
	wd_wake_free(store->wake);
	pthread_cond_destroy(&store->nothing_to_do);
	pthread_cond_destroy(&store->something_to_do);
	pthread_mutex_destroy(&store->lock);
	free(store->unstruck);
	free(store->trouble);
	free(store->shown_trouble);
	free(store);
	return NULL;
}

/* Where a file is there that cannot be read, the numbers in it are not known: those of the clock are above them all. */
static void find_numbers(struct wd_store *store)
{
	if (store->database && wd_rows_highest(store->database, "journal", &store->last_plan, NULL) &&
	    wd_rows_highest(store->database, "incidents", &store->last_incident, NULL))
		return;
	if (access(store->home.database, F_OK) == 0)
		store->last_plan = store->last_incident = wd_stamp_now() / 1000000000;
}

/* The Kernel's answer for a directory that is not there and cannot be made is a mistake in the configuration; all else
 * that keeps it from being written may pass. */
static bool find_home(struct wd_store *store, struct wd_error *error)
{
	if (wd_home_make(&store->home, error))
		return true;
	return errno != ENOENT && errno != ENOTDIR;
}

static bool open_database(struct wd_store *store, char **ret_warning, struct wd_error *error)
{
	struct wd_error why = {0};
	WD_AUTO_TEXT struct wd_text warning = {0};
	if (!find_home(store, error))
		return false;
	enum wd_database_state state = open_anew(store, &warning, &why);
	if (why.kind == WD_ERROR_REFUSED || state == WD_DATABASE_NEWER) {
		if (error)
			*error = why;
		return false;
	}
	if (state != WD_DATABASE_OPEN) {
		wd_text_print(&warning, "%snothing can be remembered: %s", warning.length ? "; " : "", why.text);
		wd_replace(&store->trouble, why.text);
		wd_replace(&store->shown_trouble, why.text);
	}
	find_numbers(store);
	if (ret_warning)
		*ret_warning = warning.length ? wd_text_take(&warning) : NULL;
	return true;
}

/* Signals are the loop's. */
static bool start_thread(struct wd_store *store, struct wd_error *error)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&store->thread, &attributes, work, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (code == 0)
		return true;
	errno = code;
	return wd_fail_errno(error, WD_ERROR_FAILED, "cannot start the store's thread");
}

struct wd_store *wd_store_open(const char *directory, struct wd_loop *loop, char **ret_warning, struct wd_error *error)
{
	struct wd_store *store = new_store(directory);
	WD_AUTO_FREE char *warning = NULL;
	if (!open_database(store, &warning, error))
		return free_store(store);
	if (loop) {
		store->wake = wd_wake_new(loop, tell_finished, store);
		if (!start_thread(store, error))
			return free_store(store);
		store->loop = loop;
	}
	if (ret_warning) {
		*ret_warning = warning;
		warning = NULL;
	}
	return store;
}

struct wd_store *wd_store_open_reading(const char *directory, struct wd_error *error)
{
	struct wd_store *store = new_store(directory);
	store->only_reading = true;
	if (access(store->home.database, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		wd_fail(error, WD_ERROR_NOT_FOUND, "there is no database in %s", directory);
	else if (wd_home_is_free(&store->home, error) &&
		 wd_home_open_reading(&store->home, &store->database, error) == WD_DATABASE_OPEN)
		return store;
	return free_store(store);
}

static void end_thread(struct wd_store *store)
{
	pthread_mutex_lock(&store->lock);
	store->ending = true;
	pthread_cond_signal(&store->something_to_do);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	store->loop = NULL; /* what a done asks for now is done at once */
}

struct wd_store *wd_store_close(struct wd_store *store)
{
	if (!store)
		return NULL;
	if (store->loop)
		end_thread(store);
	tell_finished(store);
	if (store->is_gone)
		*store->is_gone = true;
	return free_store(store);
}
