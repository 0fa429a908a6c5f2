#include "database.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

enum { BUSY_MILLISECONDS = 1000 };

struct wd_query {
	struct wd_database *database;
	struct wd_query *next;
	char *sql;
	sqlite3_stmt *statement;
	int put;  /* question marks that have a value */
	int read; /* columns of this row that were read */
};

struct wd_database {
	sqlite3 *handle;
	struct wd_query *queries;
	bool reading;
	bool damaged;
	bool durable; /* PRAGMA synchronous as it stands */
};

static bool is_damage(int code)
{
	int primary = code & 0xff;
	return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

/* Fills the error with SQLite's words, and the system's where they say more. */
static bool fail(struct wd_database *database, struct wd_error *error)
{
	int code = sqlite3_extended_errcode(database->handle);
	int system = sqlite3_system_errno(database->handle);
	const char *words = sqlite3_errmsg(database->handle);
	if (is_damage(code))
		database->damaged = true;
	int primary = code & 0xff;
	char room[128];
	if (system && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN))
		return wd_fail(error, WD_ERROR_FAILED, "%s: %s", words, strerror_r(system, room, sizeof(room)));
	return wd_fail(error, WD_ERROR_FAILED, "%s", words);
}

static bool run(struct wd_database *database, const char *sql, struct wd_error *error)
{
	if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return fail(database, error);
}

static bool ask_number(struct wd_database *database, const char *sql, int64_t *ret_number, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query || wd_query_row(query, error) != 1)
		return false;
	*ret_number = wd_query_number(query);
	wd_query_reset(query);
	return true;
}

static bool ask_word(struct wd_database *database, const char *sql, const char *expected, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query || wd_query_row(query, error) != 1)
		return false;
	const char *answer = wd_query_text(query);
	bool as_expected = wd_text_equal(answer, expected);
	if (!as_expected)
		wd_fail(error, WD_ERROR_FAILED, "%s: %s", sql, answer ? answer : "no answer");
	wd_query_reset(query);
	return as_expected;
}

static enum wd_database_state why_not(const struct wd_database *database)
{
	return database->damaged ? WD_DATABASE_DAMAGED : WD_DATABASE_UNUSABLE;
}

static struct wd_database *connect(const char *name, int flags, const char *vfs, struct wd_error *error)
{
	struct wd_database *database = wd_alloc(1, sizeof(*database));
	int code = sqlite3_open_v2(name, &database->handle, flags | SQLITE_OPEN_NOMUTEX, vfs);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(database->handle, BUSY_MILLISECONDS);
		return database;
	}
	if (database->handle)
		fail(database, error);
	else
		wd_fail(error, WD_ERROR_FAILED, "%s", sqlite3_errstr(code));
	return wd_database_close(database);
}

static enum wd_database_state check_origin(struct wd_database *database, const struct wd_schema *schema,
					   int64_t *ret_version, struct wd_error *error)
{
	int64_t application, version;
	if (!ask_number(database, "PRAGMA application_id", &application, error) ||
	    !ask_number(database, "PRAGMA user_version", &version, error))
		return why_not(database);
	if (application != schema->application_id) {
		wd_fail(error, WD_ERROR_FAILED, "it is another program's database");
		return WD_DATABASE_DAMAGED;
	}
	if (version > schema->version) {
		wd_fail(error, WD_ERROR_FAILED,
			"it was written by a newer seadog (schema %lld, this one knows up to %d)", (long long)version,
			schema->version);
		return WD_DATABASE_NEWER;
	}
	if (version < 1) {
		wd_fail(error, WD_ERROR_FAILED, "it has no schema");
		return WD_DATABASE_DAMAGED;
	}
	*ret_version = version;
	return WD_DATABASE_OPEN;
}

/* What quick_check finds is a row; an error of the disk is no damage. */
static enum wd_database_state check_content(struct wd_database *database, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "PRAGMA quick_check(1)", error);
	if (!query || wd_query_row(query, error) != 1)
		return why_not(database);
	const char *found = wd_query_text(query);
	bool good = wd_text_equal(found, "ok");
	if (!good)
		wd_fail(error, WD_ERROR_FAILED, "%s", found ? found : "quick_check says nothing");
	wd_query_reset(query);
	return good ? WD_DATABASE_OPEN : WD_DATABASE_DAMAGED;
}

static bool climb(struct wd_database *database, const struct wd_schema *schema, int64_t from, struct wd_error *error)
{
	if (from == schema->version)
		return true;
	bool ok = wd_database_begin(database, true, error);
	for (int64_t n = from; ok && n < schema->version; n++)
		ok = run(database, schema->steps[n], error);
	WD_AUTO_FREE char *stamp =
		wd_format("PRAGMA application_id=%d; PRAGMA user_version=%d", schema->application_id, schema->version);
	if (ok && run(database, stamp, error) && wd_database_commit(database, error))
		return true;
	wd_database_rollback(database);
	return false;
}

static bool set_up(struct wd_database *database, struct wd_error *error)
{
	return ask_word(database, "PRAGMA locking_mode=EXCLUSIVE", "exclusive", error) &&
	       run(database,
		   "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; "
		   "PRAGMA cache_size=-256",
		   error);
}

/* A file that may not be written is opened for reading without a word. */
static bool is_writable(struct wd_database *database, struct wd_error *error)
{
	if (sqlite3_db_readonly(database->handle, "main") == 0)
		return true;
	return wd_fail(error, WD_ERROR_FAILED, "it is read-only");
}

static bool set_up_writing(struct wd_database *database, struct wd_error *error)
{
	return ask_word(database, "PRAGMA journal_mode=WAL", "wal", error) &&
	       run(database,
		   "PRAGMA wal_autocheckpoint=256; PRAGMA journal_size_limit=1048576; "
		   "PRAGMA synchronous=NORMAL",
		   error);
}

enum wd_database_state wd_database_open(const char *path, const struct wd_schema *schema,
					struct wd_database **ret_database, struct wd_error *error)
{
	struct wd_database *database = connect(path, SQLITE_OPEN_READWRITE, NULL, error);
	if (!database)
		return WD_DATABASE_UNUSABLE;
	enum wd_database_state state = WD_DATABASE_OPEN;
	int64_t version = 0;
	if (!is_writable(database, error) || !set_up(database, error))
		state = why_not(database);
	/* Before the journal mode, so that somebody else's file is not touched. */
	if (state == WD_DATABASE_OPEN)
		state = check_origin(database, schema, &version, error);
	if (state == WD_DATABASE_OPEN && !set_up_writing(database, error))
		state = why_not(database);
	if (state == WD_DATABASE_OPEN)
		state = check_content(database, error);
	if (state == WD_DATABASE_OPEN && !climb(database, schema, version, error))
		state = why_not(database);
	if (state == WD_DATABASE_OPEN)
		*ret_database = database;
	else
		wd_database_abandon(database); /* a damaged one is kept as it was found */
	return state;
}

/* "file:" and the path, with what has a meaning in an URI escaped. */
static char *uri_of(const char *path, const char *options)
{
	struct wd_text uri = {0};
	wd_text_add(&uri, "file:");
	for (const char *at = path; *at; at++)
		if (strchr("?#%", *at))
			wd_text_print(&uri, "%%%02x", (unsigned)(unsigned char)*at);
		else
			wd_text_put(&uri, at, 1);
	wd_text_add(&uri, options);
	return wd_text_take(&uri);
}

/* With a -wal file the index over it is kept in memory (EXCLUSIVE) and locks are left out, as they would need to write;
 * without one, SQLite would make one unless it is told that the file is immutable. */
static struct wd_database *connect_reading(const char *path, bool has_wal, struct wd_error *error)
{
	WD_AUTO_FREE char *uri = uri_of(path, has_wal ? "?mode=ro" : "?immutable=1");
	struct wd_database *database =
		connect(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, has_wal ? "unix-none" : NULL, error);
	if (!database)
		return NULL;
	database->reading = true;
	sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return database;
}

static bool has_content(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool has = fgetc(file) != EOF;
	fclose(file);
	return has;
}

enum wd_database_state wd_database_open_reading(const char *path, const struct wd_schema *schema,
						struct wd_database **ret_database, struct wd_error *error)
{
	WD_AUTO_FREE char *wal = wd_format("%s-wal", path);
	struct wd_database *database = connect_reading(path, has_content(wal), error);
	if (!database)
		return WD_DATABASE_UNUSABLE;
	int64_t version;
	enum wd_database_state state = set_up(database, error) ? WD_DATABASE_OPEN : why_not(database);
	if (state == WD_DATABASE_OPEN)
		state = check_origin(database, schema, &version, error);
	if (state == WD_DATABASE_OPEN && version < schema->version) {
		wd_fail(error, WD_ERROR_FAILED,
			"it was written by an older seadog: the next start of the watchdog brings it up to date");
		state = WD_DATABASE_UNUSABLE;
	}
	if (state == WD_DATABASE_OPEN)
		state = check_content(database, error);
	if (state == WD_DATABASE_OPEN)
		*ret_database = database;
	else
		wd_database_close(database);
	return state;
}

bool wd_database_create(const char *path, const struct wd_schema *schema, struct wd_error *error)
{
	struct wd_database *database = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, error);
	if (!database)
		return false;
	bool made = set_up(database, error) &&
		    run(database, "PRAGMA journal_mode=DELETE; PRAGMA auto_vacuum=INCREMENTAL", error) &&
		    climb(database, schema, 0, error);
	wd_database_close(database);
	return made;
}

static void drop_queries(struct wd_database *database)
{
	while (database->queries) {
		struct wd_query *query = database->queries;
		database->queries = query->next;
		sqlite3_finalize(query->statement);
		free(query->sql);
		free(query);
	}
}

struct wd_database *wd_database_close(struct wd_database *database)
{
	if (!database)
		return NULL;
	drop_queries(database);
	int code = sqlite3_close(database->handle);
	assert(code != SQLITE_BUSY);
	(void)code;
	free(database);
	return NULL;
}

struct wd_database *wd_database_abandon(struct wd_database *database)
{
	if (database)
		sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return wd_database_close(database);
}

bool wd_database_copy(struct wd_database *database, const char *path, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "VACUUM INTO ?", error);
	if (!query)
		return false;
	wd_query_put_text(query, path);
	return wd_query_run(query, error);
}

bool wd_database_is_damaged(const struct wd_database *database)
{
	return database->damaged;
}

bool wd_database_is_reading(const struct wd_database *database)
{
	return database->reading;
}

bool wd_database_begin(struct wd_database *database, bool durable, struct wd_error *error)
{
	if (durable != database->durable &&
	    !run(database, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", error))
		return false;
	database->durable = durable;
	return run(database, "BEGIN IMMEDIATE", error);
}

bool wd_database_commit(struct wd_database *database, struct wd_error *error)
{
	return run(database, "COMMIT", error);
}

void wd_database_rollback(struct wd_database *database)
{
	/* Some failures have rolled back already. */
	if (!sqlite3_get_autocommit(database->handle))
		sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
}

static struct wd_query *find(struct wd_database *database, const char *sql)
{
	struct wd_query *query = database->queries;
	while (query && strcmp(query->sql, sql) != 0)
		query = query->next;
	return query;
}

struct wd_query *wd_database_query(struct wd_database *database, const char *sql, struct wd_error *error)
{
	struct wd_query *query = find(database, sql);
	if (query)
		return query;
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
		fail(database, error);
		return NULL;
	}
	query = wd_alloc(1, sizeof(*query));
	*query = (struct wd_query){
		.database = database, .next = database->queries, .sql = wd_copy(sql), .statement = statement};
	database->queries = query;
	return query;
}

void wd_query_put_number(struct wd_query *query, int64_t number)
{
	int code = sqlite3_bind_int64(query->statement, ++query->put, number);
	assert(code == SQLITE_OK);
	(void)code;
}

void wd_query_put_text(struct wd_query *query, const char *text)
{
	/* A text beyond SQLite's limit stays null: the row matters more than one of its texts. */
	sqlite3_bind_text(query->statement, ++query->put, text, -1, SQLITE_STATIC);
}

bool wd_query_run(struct wd_query *query, struct wd_error *error)
{
	int row = wd_query_row(query, error);
	while (row == 1)
		row = wd_query_row(query, error);
	return row == 0;
}

int wd_query_row(struct wd_query *query, struct wd_error *error)
{
	query->read = 0;
	int code = sqlite3_step(query->statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		fail(query->database, error);
	wd_query_reset(query);
	return code == SQLITE_DONE ? 0 : -1;
}

int64_t wd_query_number(struct wd_query *query)
{
	assert(query->read < sqlite3_column_count(query->statement));
	return sqlite3_column_int64(query->statement, query->read++);
}

const char *wd_query_text(struct wd_query *query)
{
	assert(query->read < sqlite3_column_count(query->statement));
	return (const char *)sqlite3_column_text(query->statement, query->read++);
}

void wd_query_reset(struct wd_query *query)
{
	sqlite3_reset(query->statement);
	sqlite3_clear_bindings(query->statement);
	query->put = 0;
	query->read = 0;
}
