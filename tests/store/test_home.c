/* The state directory when it is not as one would wish: in use, damaged, full, read-only, deleted. The daemon goes on. */
#include <support/keeping.h>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>

#include "../../watchdog/store/rows.h"

static char *place;

static int set_up(void **state)
{
	(void)state;
	place = keeping_place();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keeping_clear(place);
	free(place);
	return 0;
}

static void run_sql(const char *file, const char *sql)
{
	WD_AUTO_FREE char *path = keeping_file(place, file);
	sqlite3 *handle;
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
}

/* Opens it; the warning has to contain that text (NULL: there has to be none). */
static struct wd_store *open_warned(const char *expected)
{
	char *warning = NULL;
	struct wd_error error = {0};
	struct wd_store *store = wd_store_open(place, NULL, &warning, &error);
	if (!store)
		fail_msg("%s", error.text);
	if (expected && (!warning || !strstr(warning, expected)))
		fail_msg("no \"%s\" in: %s", expected, warning ? warning : "(no warning)");
	if (!expected && warning)
		fail_msg("%s", warning);
	free(warning);
	return store;
}

static void fill(unsigned services)
{
	struct wd_store *store = open_warned(NULL);
	for (unsigned n = 0; n < services; n++) {
		char name[20];
		snprintf(name, sizeof(name), "service-%u", n);
		wd_store_service(store, keeping_memory(name, n + 1), NULL, NULL);
	}
	wd_store_close(store);
}

static bool write_one(struct wd_store *store, const char *service, unsigned number, struct keeping_told *told)
{
	*told = (struct keeping_told){0};
	wd_store_service(store, keeping_memory(service, number), keeping_done, told);
	assert_int_equal(told->calls, 1);
	assert_true((told->failures == 0) == (wd_store_trouble(store) == NULL));
	return told->failures == 0;
}

/* A child that opens the store, writes one row, and is killed with everything open. */
static void leave_a_dead_writer(void)
{
	pid_t child = fork();
	if (child == 0) {
		struct keeping_told told = {0};
		struct wd_store *store = wd_store_open(place, NULL, NULL, NULL);
		if (store)
			wd_store_service(store, keeping_memory("last words", 77), keeping_done, &told);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void flip(const char *name, off_t at, size_t length)
{
	WD_AUTO_FREE char *path = keeping_file(place, name);
	int file = open(path, O_RDWR | O_CLOEXEC);
	assert_true(file >= 0);
	for (size_t n = 0; n < length; n++) {
		unsigned char byte;
		off_t where = at + (off_t)n;
		assert_int_equal(pread(file, &byte, 1, where), 1);
		byte = (unsigned char)~byte;
		assert_int_equal(pwrite(file, &byte, 1, where), 1);
	}
	close(file);
}

static void the_second_is_refused_and_told_who_came_first(void **state)
{
	(void)state;
	struct wd_store *store = open_warned(NULL);
	struct wd_error error = {0};
	char *warning = NULL;
	assert_null(wd_store_open(place, NULL, &warning, &error));
	assert_int_equal(error.kind, WD_ERROR_REFUSED);
	assert_null(warning);
	WD_AUTO_FREE char *expected =
		wd_format("state directory %s is in use by seadog, pid %ld, since 2", place, (long)getpid());
	assert_memory_equal(error.text, expected, strlen(expected));
	wd_store_close(store);
	wd_store_close(open_warned(NULL));
}

static void who_was_killed_holds_nothing(void **state)
{
	(void)state;
	leave_a_dead_writer();
	struct wd_store *store = open_warned(NULL);
	assert_int_equal(keeping_counted(store, "last words"), 77);
	wd_store_close(store);
}

static void reading_needs_a_database_and_nobody_who_writes(void **state)
{
	(void)state;
	struct wd_error error = {0};
	assert_null(wd_store_open_reading(place, &error));
	assert_int_equal(error.kind, WD_ERROR_NOT_FOUND);
	struct wd_store *store = open_warned(NULL);
	assert_null(wd_store_open_reading(place, &error));
	assert_int_equal(error.kind, WD_ERROR_REFUSED);
	assert_non_null(strstr(error.text, "is in use by seadog, pid"));
	wd_store_close(store);
}

/* Names, sizes and times of everything in the place. */
static char *listing(void)
{
	struct wd_text text = {0};
	struct dirent **entries;
	int count = scandir(place, &entries, NULL, alphasort);
	assert_true(count >= 0);
	for (int n = 0; n < count; n++) {
		WD_AUTO_FREE char *path = keeping_file(place, entries[n]->d_name);
		struct stat status;
		if (entries[n]->d_name[0] != '.' && stat(path, &status) == 0)
			wd_text_print(&text, "%s %lld %lld.%09ld\n", entries[n]->d_name, (long long)status.st_size,
				      (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
		free(entries[n]);
	}
	free(entries);
	return wd_text_take(&text);
}

static void reading_changes_no_file(const char *service, unsigned counted)
{
	WD_AUTO_FREE char *before = listing();
	struct wd_error error = {0};
	struct wd_store *store = wd_store_open_reading(place, &error);
	if (!store)
		fail_msg("%s", error.text);
	assert_int_equal(keeping_counted(store, service), counted);
	struct keeping_told told = {0};
	wd_store_service(store, keeping_memory("no", 1), keeping_done, &told);
	assert_string_equal(told.why, "the store was opened for reading");
	wd_store_close(store);
	WD_AUTO_FREE char *after = listing();
	assert_string_equal(before, after);
}

static void reading_sees_what_a_clean_end_left(void **state)
{
	(void)state;
	fill(3);
	reading_changes_no_file("service-2", 3);
}

static void reading_sees_what_a_killed_one_left_in_its_log(void **state)
{
	(void)state;
	fill(3);
	leave_a_dead_writer();
	assert_true(keeping_has(place, "seadog.db-wal"));
	reading_changes_no_file("last words", 77);
	reading_changes_no_file("service-2", 3);
}

static void is_begun_anew(const char *warning, const char *aside)
{
	struct wd_store *store = open_warned(warning);
	struct keeping_told told;
	assert_int_equal(keeping_services(store), 0);
	assert_true(write_one(store, "new", 5, &told));
	wd_store_close(store);
	assert_true(keeping_has(place, aside));
	store = open_warned(NULL);
	assert_int_equal(keeping_counted(store, "new"), 5);
	wd_store_close(store);
}

static void what_is_no_database_is_set_aside(void **state)
{
	(void)state;
	keeping_write(place, "seadog.db", "Dear diary,\ntoday I lost my database.\n", 38);
	is_begun_anew("set aside as seadog.db.damaged-1", "seadog.db.damaged-1");
	WD_AUTO_FREE char *kept = keeping_text(place, "seadog.db.damaged-1");
	assert_string_equal(kept, "Dear diary,\ntoday I lost my database.\n");
}

static void an_empty_file_is_set_aside(void **state)
{
	(void)state;
	keeping_write(place, "seadog.db", "", 0);
	is_begun_anew("it is empty", "seadog.db.damaged-1");
}

static void a_file_that_lost_its_end_is_set_aside(void **state)
{
	(void)state;
	fill(100);
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	assert_int_equal(truncate(path, 5 * 4096), 0);
	is_begun_anew("is damaged", "seadog.db.damaged-1");
}

static void zeroes_instead_of_a_database_are_set_aside(void **state)
{
	(void)state;
	static const char zeroes[8192];
	keeping_write(place, "seadog.db", zeroes, sizeof(zeroes));
	is_begun_anew("is damaged", "seadog.db.damaged-1");
}

static void a_file_with_turned_bits_is_set_aside_with_its_log(void **state)
{
	(void)state;
	fill(100);
	leave_a_dead_writer();
	flip("seadog.db", 4096, 4096 * 4);
	is_begun_anew("is damaged", "seadog.db.damaged-1");
	assert_true(keeping_has(place, "seadog.db.damaged-1-wal"));
}

static void the_next_damaged_one_gets_the_next_number(void **state)
{
	(void)state;
	keeping_write(place, "seadog.db", "a", 1);
	wd_store_close(open_warned("seadog.db.damaged-1"));
	keeping_write(place, "seadog.db", "b", 1);
	wd_store_close(open_warned("seadog.db.damaged-2"));
	WD_AUTO_FREE char *first = keeping_text(place, "seadog.db.damaged-1");
	assert_string_equal(first, "a");
}

static void a_log_of_garbage_is_set_aside_alone(void **state)
{
	(void)state;
	fill(3);
	keeping_write(place, "seadog.db-wal", "garbage, garbage, garbage, garbage, garbage", 43);
	struct wd_store *store = open_warned("seadog.db.damaged-1-wal");
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	wd_store_close(store);
}

static void a_log_with_a_torn_end_gives_what_is_whole(void **state)
{
	(void)state;
	fill(3);
	leave_a_dead_writer();
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db-wal");
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size - 100), 0);
	struct wd_store *store = open_warned(NULL);
	assert_int_equal(keeping_services(store), 3);
	wd_store_close(store);
}

static void a_log_without_its_database_is_not_applied_to_the_next(void **state)
{
	(void)state;
	fill(3);
	leave_a_dead_writer();
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	assert_int_equal(unlink(path), 0);
	is_begun_anew("only its write-ahead log is there", "seadog.db.damaged-1-wal");
}

static void another_programs_database_is_set_aside(void **state)
{
	(void)state;
	run_sql("seadog.db", "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
	is_begun_anew("another program's database", "seadog.db.damaged-1");
}

static void what_a_newer_seadog_wrote_is_left_alone(void **state)
{
	(void)state;
	fill(1);
	run_sql("seadog.db", "PRAGMA user_version=999");
	struct wd_error error = {0};
	assert_null(wd_store_open(place, NULL, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	assert_non_null(strstr(error.text, "written by a newer seadog"));
	assert_false(keeping_has(place, "seadog.db.damaged-1"));
	assert_null(wd_store_open_reading(place, &error));
	assert_non_null(strstr(error.text, "written by a newer seadog"));
}

static void see_the_old_one(void *data, const struct wd_memory *memory)
{
	assert_string_equal(memory->service, "old");
	assert_int_equal(memory->counted, 4);
	assert_int_equal(memory->sure, WD_STAMP_NONE);
	++*(unsigned *)data;
}

static void what_an_older_seadog_wrote_is_brought_up_to_date(void **state)
{
	(void)state;
	WD_AUTO_FREE char *old =
		wd_format("%s PRAGMA application_id=%d; PRAGMA user_version=1;"
			  "INSERT INTO services (service, counted, crashes, ooms) VALUES ('old', 4, '', '')",
			  wd_rows_schema.steps[0], wd_rows_schema.application_id);
	run_sql("seadog.db", old);
	struct wd_error error = {0};
	unsigned rows = 0;
	assert_null(wd_store_open_reading(place, &error));
	assert_non_null(strstr(error.text, "written by an older seadog"));
	struct wd_store *store = open_warned(NULL);
	assert_true(wd_store_load(store, see_the_old_one, &rows, &error));
	assert_int_equal(rows, 1);
	wd_store_close(store);
	store = wd_store_open_reading(place, &error);
	assert_non_null(store);
	assert_true(wd_store_load(store, see_the_old_one, &rows, &error));
	assert_int_equal(rows, 2);
	wd_store_close(store);
}

static void a_directory_of_that_name_stops_only_the_writing(void **state)
{
	(void)state;
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	assert_int_equal(mkdir(path, 0700), 0);
	struct wd_store *store = open_warned("is not a file");
	struct keeping_told told;
	assert_int_equal(keeping_services(store), 0);
	assert_false(write_one(store, "a", 1, &told));
	assert_int_equal(rmdir(path), 0);
	assert_true(write_one(store, "a", 2, &told));
	assert_int_equal(keeping_counted(store, "a"), 2);
	wd_store_close(store);
}

static void rows_that_make_no_sense_do_no_harm(void **state)
{
	(void)state;
	fill(1);
	run_sql("seadog.db",
		"UPDATE services SET crashes='[{\"at\":\"x\"},7,null,{\"exit\":1e300}]', ooms='nonsense', counted=-5,"
		" restart_policy='sometimes', hold_kind=x'00ff', held='perhaps', started='long ago', name=NULL;"
		"INSERT INTO steps VALUES (9, 0, 'dance', 1, 2, 'fine', x'');"
		"INSERT INTO incidents (id, outcome, \"trigger\") VALUES (9223372036854775807, 'nice', NULL);");
	struct wd_store *store = open_warned(NULL);
	assert_int_equal(keeping_services(store), 1);
	assert_int_equal(keeping_counted(store, "service-0"), 0);
	assert_true(wd_store_next_incident(store) > 0);
	wd_store_close(store);
}

static void somebody_who_looks_into_it_by_hand_delays_the_writing(void **state)
{
	(void)state;
	fill(3);
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	sqlite3 *handle;
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE", NULL, NULL, NULL),
			 SQLITE_OK);
	struct keeping_told told;
	struct wd_store *store = open_warned("database is locked");
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	sqlite3_close(handle);
	assert_true(write_one(store, "a", 1, &told));
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	wd_store_close(store);
}

static void what_is_pruned_gives_its_room_back(void **state)
{
	(void)state;
	struct wd_store *store = open_warned(NULL);
	static char logs[20000];
	memset(logs, 'x', sizeof(logs) - 1);
	for (unsigned n = 1; n <= 100; n++) {
		struct wd_incident incident = *keeping_incident(n);
		incident.closed = 5;
		incident.logs = logs;
		wd_store_incident(store, &incident, NULL, NULL);
	}
	wd_store_close(store);
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	struct stat before, after;
	assert_int_equal(stat(path, &before), 0);
	store = open_warned(NULL);
	for (unsigned n = 0; n < 10; n++)
		wd_store_prune(store, 6);
	wd_store_close(store);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_size > 2000000);
	assert_true(after.st_size < 200000);
}

/* Files that are taken away while they are open. */

static void remove_file(const char *name)
{
	WD_AUTO_FREE char *path = keeping_file(place, name);
	assert_int_equal(unlink(path), 0);
}

static void comes_back_whole(struct wd_store *store)
{
	struct keeping_told told;
	assert_true(write_one(store, "after", 2, &told));
	assert_int_equal(keeping_counted(store, "before"), 1);
	assert_true(write_one(store, "later", 3, &told));
	wd_store_close(store);
	store = open_warned(NULL);
	assert_int_equal(keeping_counted(store, "before"), 1);
	assert_int_equal(keeping_counted(store, "after"), 2);
	assert_int_equal(keeping_counted(store, "later"), 3);
	wd_store_close(store);
}

static void a_deleted_database_is_written_anew(void **state)
{
	(void)state;
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	assert_true(write_one(store, "before", 1, &told));
	remove_file("seadog.db");
	comes_back_whole(store);
	WD_AUTO_FREE char *lines = keeping_text(place, "actions.log");
	assert_non_null(strstr(lines, "seadog.db was deleted: written anew from what was open"));
}

static void a_deleted_directory_is_made_anew_and_owned(void **state)
{
	(void)state;
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	assert_true(write_one(store, "before", 1, &told));
	keeping_clear(place);
	assert_true(write_one(store, "after", 2, &told));
	assert_null(wd_store_open(place, NULL, NULL, NULL));
	comes_back_whole(store);
}

static void a_deleted_log_costs_nothing(void **state)
{
	(void)state;
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	assert_true(write_one(store, "before", 1, &told));
	remove_file("seadog.db-wal");
	comes_back_whole(store);
}

static void a_replaced_database_is_the_one_from_then_on(void **state)
{
	(void)state;
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	assert_true(write_one(store, "backup", 1, &told));
	wd_store_close(store);
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	WD_AUTO_FREE char *backup = keeping_file(place, "backup.db");
	assert_int_equal(link(path, backup), 0);
	WD_AUTO_FREE char *copy = wd_format("cp %s %s.copy && mv %s.copy %s", path, path, path, path);
	assert_int_equal(system(copy), 0);
	store = open_warned(NULL);
	assert_true(write_one(store, "young", 2, &told));
	assert_int_equal(rename(backup, path), 0);
	assert_true(write_one(store, "after", 3, &told));
	assert_int_equal(keeping_counted(store, "backup"), 1);
	assert_int_equal(keeping_counted(store, "after"), 3);
	wd_store_close(store);
	wd_store_close(open_warned(NULL));
}

static void a_database_damaged_while_it_is_open_is_begun_anew(void **state)
{
	(void)state;
	fill(800);
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	WD_AUTO_FREE char *path = keeping_file(place, "seadog.db");
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size > 80 * 4096);
	flip("seadog.db", 4096, (size_t)status.st_size - 4096);
	for (unsigned n = 0; n < 800; n++) { /* more than its cache holds, so that it has to look at the disk */
		char name[20];
		snprintf(name, sizeof(name), "service-%u", n);
		write_one(store, name, n + 1, &told);
	}
	assert_true(write_one(store, "after", 1, &told));
	assert_true(keeping_has(place, "seadog.db.damaged-1"));
	wd_store_close(store);
	WD_AUTO_FREE char *lines = keeping_text(place, "actions.log");
	assert_non_null(strstr(lines, "set aside as seadog.db.damaged-1"));
}

/* Disks that cannot be written. */

static void become_nobody(void)
{
	if (geteuid() == 0)
		assert_int_equal(setresuid(65534, 65534, 0), 0);
}

static void become_oneself(void)
{
	uid_t real, effective, saved;
	getresuid(&real, &effective, &saved);
	if (saved == 0)
		assert_int_equal(setresuid(0, 0, 0), 0);
}

static void give_to_nobody(const char *name)
{
	WD_AUTO_FREE char *path = keeping_file(place, name);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 65534, 65534), 0);
}

static int become_oneself_and_tear_down(void **state)
{
	become_oneself();
	chmod(place, 0700);
	return tear_down(state);
}

static void can_be_read_and_is_written_when_it_may_be(struct wd_store *store)
{
	struct keeping_told told;
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	assert_int_equal(wd_store_next_incident(store), 1);
	assert_false(write_one(store, "a", 1, &told));
	assert_non_null(strstr(told.why, "Permission denied"));
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	assert_int_equal(chmod(place, 0700), 0);
	assert_true(write_one(store, "a", 2, &told));
	assert_int_equal(keeping_counted(store, "a"), 2);
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	wd_store_close(store);
}

static void a_read_only_directory_can_be_read_and_is_written_later(void **state)
{
	(void)state;
	fill(3);
	give_to_nobody("");
	give_to_nobody("seadog.db");
	remove_file("lock");
	assert_int_equal(chmod(place, 0555), 0);
	become_nobody();
	can_be_read_and_is_written_when_it_may_be(open_warned("nothing can be remembered"));
}

static void a_read_only_directory_with_a_lock_and_a_log_can_be_read_too(void **state)
{
	(void)state;
	fill(3);
	leave_a_dead_writer();
	give_to_nobody("");
	give_to_nobody("lock");
	give_to_nobody("seadog.db");
	give_to_nobody("seadog.db-wal");
	WD_AUTO_FREE char *database = keeping_file(place, "seadog.db");
	assert_int_equal(chmod(database, 0440), 0);
	become_nobody();
	struct wd_store *store = open_warned("read-only");
	assert_int_equal(keeping_counted(store, "last words"), 77);
	assert_int_equal(chmod(database, 0640), 0);
	struct keeping_told told;
	assert_true(write_one(store, "a", 2, &told));
	assert_int_equal(keeping_counted(store, "last words"), 77);
	wd_store_close(store);
}

static void an_empty_read_only_directory_remembers_nothing(void **state)
{
	(void)state;
	struct keeping_told told;
	give_to_nobody("");
	assert_int_equal(chmod(place, 0555), 0);
	become_nobody();
	struct wd_store *store = open_warned("nothing can be remembered");
	assert_int_equal(keeping_services(store), 0);
	assert_int_equal(wd_store_load_resume(store), 0);
	assert_false(write_one(store, "a", 1, &told));
	wd_store_journal(store, keeping_journal(1), keeping_done, &told);
	assert_int_equal(told.failures, 2);
	wd_store_close(store);
}

static void what_root_makes_belongs_to_the_owner_of_the_directory(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	give_to_nobody("");
	struct wd_store *store = open_warned(NULL);
	wd_store_journal(store, keeping_journal(1), NULL, NULL);
	static const char *const names[] = {"seadog.db", "seadog.db-wal", "lock", "actions.log"};
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		WD_AUTO_FREE char *path = keeping_file(place, names[n]);
		struct stat status;
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_uid, 65534);
		assert_int_equal(status.st_mode & 0022, 0);
	}
	wd_store_close(store);
}

static void allow_file_size(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_that_fails_fails_alone_and_is_forgotten_when_it_works_again(void **state)
{
	(void)state;
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	signal(SIGXFSZ, SIG_IGN);
	assert_true(write_one(store, "before", 1, &told));
	allow_file_size(4096);
	bool written = write_one(store, "while", 1, &told);
	wd_store_journal(store, keeping_journal(1), keeping_done, &told);
	allow_file_size(RLIM_INFINITY);
	assert_false(written);
	assert_int_equal(told.failures, 2);
	assert_non_null(strstr(told.why, "cannot write"));
	assert_non_null(wd_store_trouble(store));
	assert_true(write_one(store, "after", 2, &told));
	assert_null(wd_store_trouble(store));
	assert_int_equal(keeping_counted(store, "while"), 0);
	assert_int_equal(keeping_counted(store, "before"), 1);
	wd_store_close(store);
	store = open_warned(NULL);
	assert_int_equal(keeping_counted(store, "after"), 2);
	wd_store_close(store);
}

/* A disk of 512 KiB of its own, where that is allowed. */
static bool mount_small_disk(void)
{
	return mount("none", place, "tmpfs", 0, "size=512k") == 0;
}

static void write_filler(void)
{
	WD_AUTO_FREE char *path = keeping_file(place, "filler");
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	static const char part[4096];
	while (write(file, part, sizeof(part)) > 0)
		;
	while (write(file, part, 1) > 0)
		;
	close(file);
}

static int unmount_and_tear_down(void **state)
{
	umount2(place, MNT_DETACH);
	return tear_down(state);
}

static void a_disk_that_fills_up_and_empties_again(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	struct keeping_told told;
	struct wd_store *store = open_warned(NULL);
	assert_true(write_one(store, "before", 1, &told));
	write_filler();
	bool written = true;
	for (unsigned n = 1; n < 500 && written; n++)
		written = write_one(store, "while", n, &told);
	assert_false(written);
	assert_non_null(strstr(told.why, "full"));
	assert_int_equal(keeping_counted(store, "before"), 1);
	remove_file("filler");
	assert_true(write_one(store, "after", 2, &told));
	wd_store_close(store);
	store = open_warned(NULL);
	assert_int_equal(keeping_counted(store, "before"), 1);
	assert_int_equal(keeping_counted(store, "after"), 2);
	wd_store_close(store);
}

static void a_disk_that_is_full_from_the_start(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	struct keeping_told told;
	write_filler();
	struct wd_store *store = open_warned("nothing can be remembered");
	assert_false(write_one(store, "a", 1, &told));
	assert_int_equal(keeping_services(store), 0);
	struct wd_error error = {0};
	assert_null(wd_store_open(place, NULL, NULL, &error)); /* the lock holds on a full disk too */
	assert_int_equal(error.kind, WD_ERROR_REFUSED);
	remove_file("filler");
	assert_true(write_one(store, "a", 2, &told));
	wd_store_close(store);
	store = open_warned(NULL);
	assert_int_equal(keeping_counted(store, "a"), 2);
	wd_store_close(store);
}

static void a_full_disk_with_a_database_can_be_read(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	fill(3);
	write_filler();
	struct wd_store *store = wd_store_open(place, NULL, NULL, NULL);
	assert_non_null(store);
	assert_int_equal(keeping_counted(store, "service-2"), 3);
	wd_store_close(store);
}

static void a_mount_that_is_read_only(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	struct keeping_told told;
	fill(3);
	leave_a_dead_writer();
	assert_int_equal(mount("none", place, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=512k"), 0);
	struct wd_store *store = open_warned("Read-only file system");
	assert_int_equal(keeping_counted(store, "last words"), 77);
	assert_false(write_one(store, "a", 1, &told));
	assert_int_equal(mount("none", place, "tmpfs", MS_REMOUNT, "size=512k"), 0);
	assert_true(write_one(store, "a", 2, &told));
	assert_int_equal(keeping_counted(store, "last words"), 77);
	wd_store_close(store);
}

int main(void)
{
	/* What the stories mount is seen by nobody else and gone with them. */
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	const struct CMUnitTest tests[] = {
#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define STORY_OF_NOBODY(function) cmocka_unit_test_setup_teardown(function, set_up, become_oneself_and_tear_down)
#define STORY_OF_A_DISK(function) cmocka_unit_test_setup_teardown(function, set_up, unmount_and_tear_down)
		STORY(the_second_is_refused_and_told_who_came_first),
		STORY(who_was_killed_holds_nothing),
		STORY(reading_needs_a_database_and_nobody_who_writes),
		STORY(reading_sees_what_a_clean_end_left),
		STORY(reading_sees_what_a_killed_one_left_in_its_log),
		STORY(what_is_no_database_is_set_aside),
		STORY(an_empty_file_is_set_aside),
		STORY(a_file_that_lost_its_end_is_set_aside),
		STORY(zeroes_instead_of_a_database_are_set_aside),
		STORY(a_file_with_turned_bits_is_set_aside_with_its_log),
		STORY(the_next_damaged_one_gets_the_next_number),
		STORY(a_log_of_garbage_is_set_aside_alone),
		STORY(a_log_with_a_torn_end_gives_what_is_whole),
		STORY(a_log_without_its_database_is_not_applied_to_the_next),
		STORY(another_programs_database_is_set_aside),
		STORY(what_a_newer_seadog_wrote_is_left_alone),
		STORY(what_an_older_seadog_wrote_is_brought_up_to_date),
		STORY(a_directory_of_that_name_stops_only_the_writing),
		STORY(rows_that_make_no_sense_do_no_harm),
		STORY(somebody_who_looks_into_it_by_hand_delays_the_writing),
		STORY(what_is_pruned_gives_its_room_back),
		STORY(a_deleted_database_is_written_anew),
		STORY(a_deleted_directory_is_made_anew_and_owned),
		STORY(a_deleted_log_costs_nothing),
		STORY(a_replaced_database_is_the_one_from_then_on),
		STORY(a_database_damaged_while_it_is_open_is_begun_anew),
		STORY_OF_NOBODY(a_read_only_directory_can_be_read_and_is_written_later),
		STORY_OF_NOBODY(a_read_only_directory_with_a_lock_and_a_log_can_be_read_too),
		STORY_OF_NOBODY(an_empty_read_only_directory_remembers_nothing),
		STORY(what_root_makes_belongs_to_the_owner_of_the_directory),
		STORY(a_write_that_fails_fails_alone_and_is_forgotten_when_it_works_again),
		STORY_OF_A_DISK(a_disk_that_fills_up_and_empties_again),
		STORY_OF_A_DISK(a_disk_that_is_full_from_the_start),
		STORY_OF_A_DISK(a_full_disk_with_a_database_can_be_read),
		STORY_OF_A_DISK(a_mount_that_is_read_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
