#include "rows.h"

#include "marks.h"
#include "pins.h"
#include "points.h"
#include "snapshots.h"
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <watchdog/memory.h>
#include <watchdog/policy.h>

/* 0x73656164 is "sead". */
enum { APPLICATION_ID = 0x73656164, MOST_INCIDENTS = 1000, PRUNED_AT_ONCE = 100 };

/* AUTOINCREMENT keeps the highest number ever used, so that none is used twice. */
static const char first_schema[] =
	"CREATE TABLE services (service TEXT PRIMARY KEY NOT NULL, name TEXT, id TEXT, image_id TEXT,"
	" restart_policy TEXT, restart_retries INTEGER, counted INTEGER, last_event INTEGER, started INTEGER,"
	" cooldown_until INTEGER, muted_until INTEGER,"
	" held INTEGER, hold_kind TEXT, hold_since INTEGER, hold_incident INTEGER, hold_restart_policy TEXT,"
	" hold_restart_retries INTEGER, hold_id TEXT, crashes TEXT, ooms TEXT) WITHOUT ROWID;"
	"CREATE TABLE incidents (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, service TEXT, container TEXT,"
	" \"trigger\" TEXT, why TEXT, opened INTEGER, closed INTEGER, outcome TEXT, logs TEXT);"
	"CREATE INDEX incidents_of_service ON incidents (service);"
	"CREATE INDEX incidents_of_name ON incidents (name);"
	"CREATE INDEX incidents_closed ON incidents (closed);"
	"CREATE TABLE steps (incident INTEGER NOT NULL, number INTEGER NOT NULL, action TEXT, started INTEGER,"
	" ended INTEGER, result TEXT, detail TEXT, PRIMARY KEY (incident, number)) WITHOUT ROWID;"
	"CREATE TABLE notes (incident INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER, text TEXT,"
	" PRIMARY KEY (incident, number)) WITHOUT ROWID;"
	"CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, plan TEXT, service TEXT, name TEXT, container "
	"TEXT,"
	" incident INTEGER, step INTEGER, restart_policy TEXT, restart_retries INTEGER, no_start INTEGER,"
	" began INTEGER);"
	"CREATE TABLE moments (name TEXT PRIMARY KEY NOT NULL, at INTEGER) WITHOUT ROWID;"
	"CREATE VIEW holds AS SELECT name, service, hold_kind AS kind,"
	" datetime(hold_since / 1000000000, 'unixepoch') AS since_utc, hold_incident AS incident,"
	" hold_restart_policy AS restart_policy, hold_restart_retries AS restart_retries, hold_id AS container"
	" FROM services WHERE held;";

/* What a rollback must know after a death of seadog. */
static const char journal_details[] = "ALTER TABLE journal ADD COLUMN details TEXT;";

/* When the account of restarts was last right. */
static const char account_schema[] = "ALTER TABLE services ADD COLUMN sure INTEGER NOT NULL DEFAULT 0;";

/* What a throttle has taken, and what its journal gives back. */
static const char throttle_schema[] = "ALTER TABLE services ADD COLUMN throttle_since INTEGER;"
				      "ALTER TABLE services ADD COLUMN throttle_incident INTEGER;"
				      "ALTER TABLE services ADD COLUMN cpu_quota_now INTEGER;"
				      "ALTER TABLE services ADD COLUMN nano_cpus_now INTEGER;"
				      "ALTER TABLE services ADD COLUMN cpu_quota_before INTEGER;"
				      "ALTER TABLE services ADD COLUMN nano_cpus_before INTEGER;"
				      "ALTER TABLE services ADD COLUMN cpu_period_now INTEGER;"
				      "ALTER TABLE services ADD COLUMN cpu_period_before INTEGER;"
				      "ALTER TABLE journal ADD COLUMN cpu_quota_now INTEGER;"
				      "ALTER TABLE journal ADD COLUMN nano_cpus_now INTEGER;"
				      "ALTER TABLE journal ADD COLUMN cpu_quota_before INTEGER;"
				      "ALTER TABLE journal ADD COLUMN nano_cpus_before INTEGER;"
				      "ALTER TABLE journal ADD COLUMN cpu_period_now INTEGER;"
				      "ALTER TABLE journal ADD COLUMN cpu_period_before INTEGER;"
				      "CREATE VIEW throttles AS SELECT name, service,"
				      " datetime(throttle_since / 1000000000, 'unixepoch') AS since_utc,"
				      " throttle_incident AS incident, cpu_quota_now, nano_cpus_now, cpu_quota_before,"
				      " nano_cpus_before, cpu_period_now AS cpu_period, id AS container FROM services"
				      " WHERE cpu_quota_now > 0 OR nano_cpus_now > 0;";

/* What the service used before an incident. */
static const char points_schema[] = "ALTER TABLE incidents ADD COLUMN points TEXT;";

static const char *const schema_steps[] = {first_schema,    journal_details, account_schema,     wd_pins_schema,
					   throttle_schema, points_schema,   wd_snapshots_schema};

const struct wd_schema wd_rows_schema = {
	.application_id = APPLICATION_ID,
	.version = sizeof(schema_steps) / sizeof(schema_steps[0]),
	.steps = schema_steps,
};

/* A column: its name, and where its value is in the record. */
enum kind { TEXT, NUMBER, UNSIGNED, TRUTH, ACTION, RESTART, TRIGGER, OUTCOME, RESULT };

struct column {
	const char *name;
	enum kind kind;
	size_t offset;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): members of offsetof */
/* clang-format off */
#define CUT_COLUMNS(record, cut)                                      \
	{"cpu_quota_now", NUMBER, offsetof(record, cut.now.quota)},       \
	{"nano_cpus_now", NUMBER, offsetof(record, cut.now.nano)},        \
	{"cpu_quota_before", NUMBER, offsetof(record, cut.before.quota)}, \
	{"nano_cpus_before", NUMBER, offsetof(record, cut.before.nano)},  \
	{"cpu_period_now", NUMBER, offsetof(record, cut.now.period)},     \
	{"cpu_period_before", NUMBER, offsetof(record, cut.before.period)}
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct column service_columns[] = {
	{"service", TEXT, offsetof(struct wd_memory, service)},
	{"name", TEXT, offsetof(struct wd_memory, name)},
	{"id", TEXT, offsetof(struct wd_memory, id)},
	{"image_id", TEXT, offsetof(struct wd_memory, image_id)},
	{"restart_policy", RESTART, offsetof(struct wd_memory, policy.kind)},
	{"restart_retries", UNSIGNED, offsetof(struct wd_memory, policy.retries)},
	{"counted", UNSIGNED, offsetof(struct wd_memory, counted)},
	{"sure", NUMBER, offsetof(struct wd_memory, sure)},
	{"last_event", NUMBER, offsetof(struct wd_memory, last_event)},
	{"started", NUMBER, offsetof(struct wd_memory, started)},
	{"cooldown_until", NUMBER, offsetof(struct wd_memory, cooldown_until)},
	{"muted_until", NUMBER, offsetof(struct wd_memory, muted_until)},
	{"held", TRUTH, offsetof(struct wd_memory, hold.held)},
	{"hold_kind", ACTION, offsetof(struct wd_memory, hold.kind)},
	{"hold_since", NUMBER, offsetof(struct wd_memory, hold.since)},
	{"hold_incident", NUMBER, offsetof(struct wd_memory, hold.incident)},
	{"hold_restart_policy", RESTART, offsetof(struct wd_memory, hold.policy.kind)},
	{"hold_restart_retries", UNSIGNED, offsetof(struct wd_memory, hold.policy.retries)},
	{"hold_id", TEXT, offsetof(struct wd_memory, hold.id)},
	{"throttle_since", NUMBER, offsetof(struct wd_memory, throttle.since)},
	{"throttle_incident", NUMBER, offsetof(struct wd_memory, throttle.incident)},
	CUT_COLUMNS(struct wd_memory, throttle.cut),
	{0},
};

static const struct column incident_columns[] = {
	{"id", NUMBER, offsetof(struct wd_incident, id)},
	{"name", TEXT, offsetof(struct wd_incident, name)},
	{"service", TEXT, offsetof(struct wd_incident, service)},
	{"container", TEXT, offsetof(struct wd_incident, container)},
	{"\"trigger\"", TRIGGER, offsetof(struct wd_incident, trigger)},
	{"why", TEXT, offsetof(struct wd_incident, why)},
	{"opened", NUMBER, offsetof(struct wd_incident, opened)},
	{"closed", NUMBER, offsetof(struct wd_incident, closed)},
	{"outcome", OUTCOME, offsetof(struct wd_incident, outcome)},
	{0},
};

static const struct column step_columns[] = {
	{"action", ACTION, offsetof(struct wd_step, action)}, {"started", NUMBER, offsetof(struct wd_step, started)},
	{"ended", NUMBER, offsetof(struct wd_step, ended)},   {"result", RESULT, offsetof(struct wd_step, result)},
	{"detail", TEXT, offsetof(struct wd_step, detail)},   {0},
};

static const struct column note_columns[] = {
	{"at", NUMBER, offsetof(struct wd_note, at)},
	{"text", TEXT, offsetof(struct wd_note, text)},
	{0},
};

static const struct column journal_columns[] = {
	{"id", NUMBER, offsetof(struct wd_journal, id)},
	{"plan", TEXT, offsetof(struct wd_journal, plan)},
	{"service", TEXT, offsetof(struct wd_journal, service)},
	{"name", TEXT, offsetof(struct wd_journal, name)},
	{"container", TEXT, offsetof(struct wd_journal, container)},
	{"incident", NUMBER, offsetof(struct wd_journal, incident)},
	{"step", UNSIGNED, offsetof(struct wd_journal, step)},
	{"restart_policy", RESTART, offsetof(struct wd_journal, policy.kind)},
	{"restart_retries", UNSIGNED, offsetof(struct wd_journal, policy.retries)},
	{"no_start", TRUTH, offsetof(struct wd_journal, no_start)},
	{"began", NUMBER, offsetof(struct wd_journal, began)},
	{"details", TEXT, offsetof(struct wd_journal, details)},
	CUT_COLUMNS(struct wd_journal, cut),
	{0},
};

static const char *word_of(enum kind kind, const void *field)
{
	switch (kind) {
	case ACTION:
		return wd_action_name(*(const enum wd_action *)field);
	case RESTART:
		return wd_restart_name(*(const enum wd_restart *)field);
	case TRIGGER:
		return wd_trigger_name(*(const enum wd_trigger *)field);
	case OUTCOME:
		return wd_outcome_name(*(const enum wd_outcome *)field);
	case RESULT:
		return wd_result_name(*(const enum wd_result *)field);
	default:
		return *(char *const *)field;
	}
}

static void put_columns(struct wd_query *query, const struct column *columns, const void *record)
{
	for (const struct column *column = columns; column->name; column++) {
		const void *field = (const char *)record + column->offset;
		if (column->kind == NUMBER)
			wd_query_put_number(query, *(const int64_t *)field);
		else if (column->kind == UNSIGNED)
			wd_query_put_number(query, *(const unsigned *)field);
		else if (column->kind == TRUTH)
			wd_query_put_number(query, *(const bool *)field);
		else
			wd_query_put_text(query, word_of(column->kind, field));
	}
}

/* A word that is none of ours, or none at all, leaves the field as it is: 0. */
static void take_word(enum kind kind, const char *word, void *field)
{
	if (kind == TEXT)
		*(char **)field = wd_copy(word);
	else if (!word)
		return;
	else if (kind == ACTION)
		wd_action_parse(word, field);
	else if (kind == RESTART)
		wd_restart_parse(word, field);
	else if (kind == TRIGGER)
		wd_trigger_parse(word, field);
	else if (kind == OUTCOME)
		wd_outcome_parse(word, field);
	else if (kind == RESULT)
		wd_result_parse(word, field);
}

static unsigned clamp(int64_t number)
{
	return number < 0 ? 0 : number > UINT_MAX ? UINT_MAX : (unsigned)number;
}

/* The record is zeroed before. */
static void take_columns(struct wd_query *query, const struct column *columns, void *record)
{
	for (const struct column *column = columns; column->name; column++) {
		void *field = (char *)record + column->offset;
		if (column->kind == NUMBER)
			*(int64_t *)field = wd_query_number(query);
		else if (column->kind == UNSIGNED)
			*(unsigned *)field = clamp(wd_query_number(query));
		else if (column->kind == TRUTH)
			*(bool *)field = wd_query_number(query) != 0;
		else
			take_word(column->kind, wd_query_text(query), field);
	}
}

static void add_names(struct wd_text *sql, const struct column *columns)
{
	for (const struct column *column = columns; column->name; column++)
		wd_text_print(sql, "%s%s", column == columns ? "" : ", ", column->name);
}

/* "REPLACE INTO table (a, b, more) VALUES (?, ?, ?)"; more: names of columns that are put by hand behind the others. */
static struct wd_query *replacing(struct wd_database *database, const char *table, const struct column *columns,
				  const char *const *more, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text sql = {0}, marks = {0};
	wd_text_print(&sql, "REPLACE INTO %s (", table);
	add_names(&sql, columns);
	for (const struct column *column = columns; column->name; column++)
		wd_text_add(&marks, column == columns ? "?" : ", ?");
	for (; *more; more++) {
		wd_text_print(&sql, ", %s", *more);
		wd_text_add(&marks, ", ?");
	}
	wd_text_print(&sql, ") VALUES (%s)", wd_text_get(&marks));
	return wd_database_query(database, wd_text_get(&sql), error);
}

static struct wd_query *selecting(struct wd_database *database, const struct column *columns, const char *rest,
				  struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text sql = {0};
	wd_text_add(&sql, "SELECT ");
	add_names(&sql, columns);
	wd_text_print(&sql, " %s", rest);
	return wd_database_query(database, wd_text_get(&sql), error);
}

static const char *const no_more[] = {NULL};

bool wd_rows_put_service(struct wd_database *database, const struct wd_memory *memory, struct wd_error *error)
{
	static const char *const more[] = {"crashes", "ooms", NULL};
	struct wd_query *query = replacing(database, "services", service_columns, more, error);
	if (!query)
		return false;
	WD_AUTO_FREE char *crashes = wd_marks_print(memory->crashes, memory->crash_count);
	WD_AUTO_FREE char *ooms = wd_marks_print(memory->ooms, memory->oom_count);
	put_columns(query, service_columns, memory);
	wd_query_put_text(query, crashes);
	wd_query_put_text(query, ooms);
	return wd_query_run(query, error);
}

bool wd_rows_drop_service(struct wd_database *database, const char *service, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "DELETE FROM services WHERE service = ?", error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	return wd_query_run(query, error) && wd_rows_drop_pins(database, service, error);
}

static bool drop_rest(struct wd_database *database, const char *sql, int64_t incident, unsigned count,
		      struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query)
		return false;
	wd_query_put_number(query, incident);
	wd_query_put_number(query, count);
	return wd_query_run(query, error);
}

static bool put_part(struct wd_database *database, const char *table, const struct column *columns, int64_t incident,
		     unsigned number, const void *record, struct wd_error *error)
{
	static const char *const more[] = {"incident", "number", NULL};
	struct wd_query *query = replacing(database, table, columns, more, error);
	if (!query)
		return false;
	put_columns(query, columns, record);
	wd_query_put_number(query, incident);
	wd_query_put_number(query, number);
	return wd_query_run(query, error);
}

static bool put_parts(struct wd_database *database, const struct wd_incident *incident, struct wd_error *error)
{
	bool ok = true;
	for (unsigned n = 0; ok && n < incident->step_count; n++)
		ok = put_part(database, "steps", step_columns, incident->id, n, &incident->steps[n], error);
	for (unsigned n = 0; ok && n < incident->note_count; n++)
		ok = put_part(database, "notes", note_columns, incident->id, n, &incident->notes[n], error);
	return ok &&
	       drop_rest(database, "DELETE FROM steps WHERE incident = ? AND number >= ?", incident->id,
			 incident->step_count, error) &&
	       drop_rest(database, "DELETE FROM notes WHERE incident = ? AND number >= ?", incident->id,
			 incident->note_count, error);
}

bool wd_rows_put_incident(struct wd_database *database, const struct wd_incident *incident, struct wd_error *error)
{
	static const char *const more[] = {"logs", "points", NULL};
	struct wd_query *query = replacing(database, "incidents", incident_columns, more, error);
	if (!query)
		return false;
	put_columns(query, incident_columns, incident);
	WD_AUTO_FREE char *points = wd_points_print(incident);
	wd_query_put_text(query, incident->logs);
	wd_query_put_text(query, points);
	return wd_query_run(query, error) && put_parts(database, incident, error);
}

bool wd_rows_put_journal(struct wd_database *database, const struct wd_journal *journal, struct wd_error *error)
{
	struct wd_query *query = replacing(database, "journal", journal_columns, no_more, error);
	if (!query)
		return false;
	put_columns(query, journal_columns, journal);
	return wd_query_run(query, error);
}

bool wd_rows_strike(struct wd_database *database, int64_t journal_id, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "DELETE FROM journal WHERE id = ?", error);
	if (!query)
		return false;
	wd_query_put_number(query, journal_id);
	return wd_query_run(query, error);
}

static bool put_moment(struct wd_database *database, const char *name, wd_stamp at, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "REPLACE INTO moments (name, at) VALUES (?, ?)", error);
	if (!query)
		return false;
	wd_query_put_text(query, name);
	wd_query_put_number(query, at);
	return wd_query_run(query, error);
}

bool wd_rows_put_resume(struct wd_database *database, wd_stamp last_event, struct wd_error *error)
{
	return put_moment(database, "last event", last_event, error);
}

bool wd_rows_put_trouble(struct wd_database *database, wd_stamp now, struct wd_error *error)
{
	return put_moment(database, "last trouble", now, error);
}

static bool prune_part(struct wd_database *database, const char *sql, wd_stamp before, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query)
		return false;
	wd_query_put_number(query, before);
	wd_query_put_number(query, PRUNED_AT_ONCE);
	return wd_query_run(query, error);
}

#define OLD "(SELECT id FROM incidents WHERE closed > 0 AND closed < ? ORDER BY closed, id LIMIT ?)"

bool wd_rows_prune(struct wd_database *database, wd_stamp before, struct wd_error *error)
{
	if (!prune_part(database, "DELETE FROM steps WHERE incident IN " OLD, before, error) ||
	    !prune_part(database, "DELETE FROM notes WHERE incident IN " OLD, before, error) ||
	    !prune_part(database, "DELETE FROM incidents WHERE id IN " OLD, before, error))
		return false;
	struct wd_query *query = wd_database_query(database, "PRAGMA incremental_vacuum(64)", error);
	return query && wd_query_run(query, error);
}

bool wd_rows_services(struct wd_database *database, struct wd_memory **ret_memories, size_t *ret_count,
		      struct wd_error *error)
{
	struct wd_query *query =
		selecting(database, service_columns, ", crashes, ooms FROM services ORDER BY service", error);
	struct wd_memory *memories = NULL;
	size_t count = 0;
	int row = query ? wd_query_row(query, error) : -1;
	for (; row == 1; row = wd_query_row(query, error)) {
		memories = wd_realloc(memories, count + 1, sizeof(*memories));
		struct wd_memory *memory = &memories[count++];
		*memory = (struct wd_memory){0};
		take_columns(query, service_columns, memory);
		wd_marks_parse(wd_query_text(query), &memory->crashes, &memory->crash_count);
		wd_marks_parse(wd_query_text(query), &memory->ooms, &memory->oom_count);
	}
	bool ok = row == 0;
	for (size_t n = 0; ok && n < count; n++)
		ok = wd_rows_pins(database, memories[n].service, &memories[n].pins, error);
	*ret_memories = memories;
	*ret_count = count;
	return ok;
}

bool wd_rows_journal(struct wd_database *database, struct wd_journal **ret_journal, size_t *ret_count,
		     struct wd_error *error)
{
	struct wd_query *query = selecting(database, journal_columns, "FROM journal ORDER BY id", error);
	struct wd_journal *journal = NULL;
	size_t count = 0;
	int row = query ? wd_query_row(query, error) : -1;
	for (; row == 1; row = wd_query_row(query, error)) {
		journal = wd_realloc(journal, count + 1, sizeof(*journal));
		journal[count] = (struct wd_journal){0};
		take_columns(query, journal_columns, &journal[count++]);
	}
	*ret_journal = journal;
	*ret_count = count;
	return row == 0;
}

struct moments {
	wd_stamp *items;
	size_t count;
};

static void add_moment(struct moments *moments, wd_stamp at)
{
	moments->items = wd_realloc(moments->items, moments->count + 1, sizeof(*moments->items));
	moments->items[moments->count++] = at;
}

static bool is_action(const struct wd_step *step)
{
	return wd_action_changes(step->action) && step->result != WD_RESULT_SKIPPED &&
	       step->result != WD_RESULT_OBSERVED;
}

static bool read_actions(struct wd_database *database, wd_stamp since, size_t most, struct moments *moments,
			 struct wd_error *error)
{
	struct wd_query *query =
		selecting(database, step_columns, "FROM steps WHERE started >= ? ORDER BY started DESC", error);
	if (!query)
		return false;
	wd_query_put_number(query, since);
	int row = wd_query_row(query, error);
	for (; row == 1 && moments->count < most; row = wd_query_row(query, error)) {
		struct wd_step step = {0};
		take_columns(query, step_columns, &step);
		if (is_action(&step))
			add_moment(moments, step.started);
		free(step.detail);
	}
	wd_query_reset(query);
	return row >= 0;
}

/* Plans that a dead seadog had begun, and whose step had not reached the disk yet. */
static bool read_plans(struct wd_database *database, wd_stamp since, struct moments *moments, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"SELECT began FROM journal WHERE began >= ? AND incident > 0 AND plan <> 'release' AND NOT EXISTS"
		" (SELECT 1 FROM steps WHERE steps.incident = journal.incident AND ended = 0)",
		error);
	if (!query)
		return false;
	wd_query_put_number(query, since);
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error))
		add_moment(moments, wd_query_number(query));
	return row == 0;
}

static int newest_first(const void *one, const void *two)
{
	wd_stamp first = *(const wd_stamp *)one, second = *(const wd_stamp *)two;
	return first < second ? 1 : first > second ? -1 : 0;
}

bool wd_rows_actions(struct wd_database *database, wd_stamp since, size_t most, wd_stamp **ret_began, size_t *ret_count,
		     struct wd_error *error)
{
	struct moments moments = {0};
	bool ok = read_actions(database, since, most, &moments, error) && read_plans(database, since, &moments, error);
	if (moments.count)
		qsort(moments.items, moments.count, sizeof(*moments.items), newest_first);
	*ret_began = moments.items;
	*ret_count = moments.count < most ? moments.count : most;
	return ok;
}

static bool read_number(struct wd_query *query, int64_t *ret_number, struct wd_error *error)
{
	int row = wd_query_row(query, error);
	if (row < 0)
		return false;
	*ret_number = row == 1 ? wd_query_number(query) : 0;
	wd_query_reset(query);
	return true;
}

bool wd_rows_resume(struct wd_database *database, wd_stamp *ret_last_event, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "SELECT at FROM moments WHERE name = 'last event'", error);
	return query && read_number(query, ret_last_event, error);
}

bool wd_rows_highest(struct wd_database *database, const char *table, int64_t *ret_number, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, "SELECT seq FROM sqlite_sequence WHERE name = ?", error);
	if (!query)
		return false;
	wd_query_put_text(query, table);
	return read_number(query, ret_number, error);
}

struct heap {
	struct wd_incident **items;
	size_t count;
};

static bool read_heads(struct wd_query *query, bool brief, struct heap *ret_incidents, struct wd_error *error)
{
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error)) {
		struct wd_incident *incident = wd_alloc(1, sizeof(*incident));
		take_columns(query, incident_columns, incident);
		if (!brief) {
			incident->logs = wd_copy(wd_query_text(query));
			wd_points_parse(wd_query_text(query), incident);
		}
		ret_incidents->items =
			wd_realloc(ret_incidents->items, ret_incidents->count + 1, sizeof(*ret_incidents->items));
		ret_incidents->items[ret_incidents->count++] = incident;
	}
	return row == 0;
}

static bool read_steps(struct wd_database *database, struct wd_incident *incident, struct wd_error *error)
{
	struct wd_query *query =
		selecting(database, step_columns, "FROM steps WHERE incident = ? ORDER BY number", error);
	if (!query)
		return false;
	wd_query_put_number(query, incident->id);
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error)) {
		incident->steps = wd_realloc(incident->steps, incident->step_count + 1, sizeof(*incident->steps));
		incident->steps[incident->step_count] = (struct wd_step){0};
		take_columns(query, step_columns, &incident->steps[incident->step_count++]);
	}
	return row == 0;
}

static bool read_notes(struct wd_database *database, struct wd_incident *incident, struct wd_error *error)
{
	struct wd_query *query =
		selecting(database, note_columns, "FROM notes WHERE incident = ? ORDER BY number", error);
	if (!query)
		return false;
	wd_query_put_number(query, incident->id);
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error)) {
		incident->notes = wd_realloc(incident->notes, incident->note_count + 1, sizeof(*incident->notes));
		incident->notes[incident->note_count] = (struct wd_note){0};
		take_columns(query, note_columns, &incident->notes[incident->note_count++]);
	}
	return row == 0;
}

static void drop(struct heap *incidents)
{
	for (size_t n = 0; n < incidents->count; n++)
		wd_incident_free(incidents->items[n]);
	free(incidents->items);
}

bool wd_rows_incidents(struct wd_database *database, const struct wd_incident_wish *wish,
		       struct wd_incident ***ret_incidents, size_t *ret_count, struct wd_error *error)
{
	WD_AUTO_FREE char *rest =
		wd_format(", logs, points FROM incidents WHERE %s(?1 IS NULL OR service = ?1 OR name = ?1)"
			  " AND opened >= ?2 AND (?3 = 0 OR id = ?3) AND (?4 = 0 OR id < ?4)"
			  " ORDER BY id DESC LIMIT ?5",
			  wish->open ? "closed = 0 AND " : "");
	struct wd_query *query = selecting(database, incident_columns, rest, error);
	if (!query)
		return false;
	wd_query_put_text(query, wish->service);
	wd_query_put_number(query, wish->since);
	wd_query_put_number(query, wish->id);
	wd_query_put_number(query, wish->before);
	wd_query_put_number(query, wish->most ? wish->most : MOST_INCIDENTS);
	struct heap incidents = {0};
	bool ok = read_heads(query, wish->brief, &incidents, error);
	for (size_t n = 0; ok && n < incidents.count; n++)
		ok = read_steps(database, incidents.items[n], error) &&
		     (wish->brief || read_notes(database, incidents.items[n], error));
	if (!ok) {
		drop(&incidents);
		return false;
	}
	*ret_incidents = incidents.items;
	*ret_count = incidents.count;
	return true;
}
