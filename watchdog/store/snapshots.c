#include "snapshots.h"

#include <watchdog/memory.h>

const char wd_snapshots_schema[] =
	"CREATE TABLE snapshots (id TEXT PRIMARY KEY NOT NULL, service TEXT, name TEXT, time INTEGER, image TEXT,"
	" image_id TEXT, well INTEGER, verified INTEGER, broken TEXT, paused_ms INTEGER) WITHOUT ROWID;"
	"CREATE TABLE snapshot_volumes (snapshot TEXT NOT NULL, number INTEGER NOT NULL, name TEXT, path TEXT, kind "
	"TEXT,"
	" file TEXT, sha256 TEXT, bytes INTEGER, stored_bytes INTEGER, files INTEGER, warnings TEXT,"
	" PRIMARY KEY (snapshot, number)) WITHOUT ROWID;";

static bool drop_from(struct wd_database *database, const char *sql, const char *id, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query)
		return false;
	wd_query_put_text(query, id);
	return wd_query_run(query, error);
}

bool wd_rows_drop_snapshot(struct wd_database *database, const char *id, struct wd_error *error)
{
	return drop_from(database, "DELETE FROM snapshots WHERE id = ?", id, error) &&
	       drop_from(database, "DELETE FROM snapshot_volumes WHERE snapshot = ?", id, error);
}

/* A line each, as a person would look at them. */
static char *print_warnings(const struct wd_list *warnings)
{
	struct wd_text text = {0};
	for (size_t i = 0; i < warnings->count; i++)
		wd_text_print(&text, "%s%s", i ? "\n" : "", warnings->items[i]);
	return wd_text_take(&text);
}

static int64_t in_bounds(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static bool put_volume(struct wd_database *database, const char *id, unsigned number,
		       const struct wd_snapshot_volume *volume, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"REPLACE INTO snapshot_volumes (snapshot, number, name, path, kind, file, sha256, bytes, stored_bytes,"
		" files, warnings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		error);
	if (!query)
		return false;
	WD_AUTO_FREE char *warnings = print_warnings(&volume->warnings);
	wd_query_put_text(query, id);
	wd_query_put_number(query, number);
	wd_query_put_text(query, volume->name);
	wd_query_put_text(query, volume->path);
	wd_query_put_text(query, volume->kind);
	wd_query_put_text(query, volume->file);
	wd_query_put_text(query, volume->sha256);
	wd_query_put_number(query, in_bounds(volume->bytes));
	wd_query_put_number(query, in_bounds(volume->stored_bytes));
	wd_query_put_number(query, in_bounds(volume->files));
	wd_query_put_text(query, warnings);
	return wd_query_run(query, error);
}

static bool put_whole(struct wd_database *database, const struct wd_snapshot *snapshot, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"REPLACE INTO snapshots (id, service, name, time, image, image_id, well, verified, broken, paused_ms)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, snapshot->id);
	wd_query_put_text(query, snapshot->service);
	wd_query_put_text(query, snapshot->name);
	wd_query_put_number(query, snapshot->stamp);
	wd_query_put_text(query, snapshot->image);
	wd_query_put_text(query, snapshot->image_id);
	wd_query_put_number(query, snapshot->well);
	wd_query_put_number(query, snapshot->verified);
	wd_query_put_text(query, snapshot->broken);
	wd_query_put_number(query, (int64_t)(snapshot->paused_seconds * 1000 + 0.5));
	return wd_query_run(query, error);
}

bool wd_rows_put_snapshot(struct wd_database *database, const struct wd_snapshot *snapshot, struct wd_error *error)
{
	bool ok = wd_rows_drop_snapshot(database, snapshot->id, error) && put_whole(database, snapshot, error);
	for (unsigned n = 0; ok && n < snapshot->volume_count; n++)
		ok = put_volume(database, snapshot->id, n, &snapshot->volumes[n], error);
	return ok;
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static uint64_t count_of(int64_t number)
{
	return number < 0 ? 0 : (uint64_t)number;
}

static bool read_volumes(struct wd_database *database, struct wd_snapshot *snapshot, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"SELECT name, path, kind, file, sha256, bytes, stored_bytes, files, warnings FROM snapshot_volumes"
		" WHERE snapshot = ? ORDER BY number",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, snapshot->id);
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error)) {
		struct wd_snapshot_volume *volume = wd_snapshot_add(snapshot);
		volume->name = wd_copy(wd_query_text(query));
		volume->path = wd_copy(wd_query_text(query));
		volume->kind = wd_copy(wd_query_text(query));
		volume->file = wd_copy(wd_query_text(query));
		volume->sha256 = wd_copy(wd_query_text(query));
		volume->bytes = count_of(wd_query_number(query));
		volume->stored_bytes = count_of(wd_query_number(query));
		volume->files = count_of(wd_query_number(query));
		const char *warnings = wd_query_text(query);
		wd_list_split(&volume->warnings, warnings ? warnings : "", '\n');
	}
	return row == 0;
}

static struct wd_snapshot *add_row(struct wd_query *query, struct wd_snapshot **snapshots, size_t *count)
{
	*snapshots = wd_realloc(*snapshots, *count + 1, sizeof(**snapshots));
	struct wd_snapshot *snapshot = &(*snapshots)[(*count)++];
	*snapshot = (struct wd_snapshot){.id = wd_copy(wd_query_text(query))};
	snapshot->service = wd_copy(wd_query_text(query));
	snapshot->name = wd_copy(wd_query_text(query));
	snapshot->stamp = wd_query_number(query);
	snapshot->image = wd_copy(wd_query_text(query));
	snapshot->image_id = wd_copy(wd_query_text(query));
	snapshot->well = wd_query_number(query) != 0;
	snapshot->verified = wd_query_number(query);
	snapshot->broken = wd_copy(wd_query_text(query));
	snapshot->paused_seconds = (double)wd_query_number(query) / 1000;
	return snapshot;
}

bool wd_rows_snapshots(struct wd_database *database, struct wd_snapshot **ret_snapshots, size_t *ret_count,
		       struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"SELECT id, service, name, time, image, image_id, well, verified, broken, paused_ms FROM snapshots"
		" WHERE service IS NOT NULL ORDER BY time DESC, id DESC",
		error);
	if (!query)
		return false;
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error))
		add_row(query, ret_snapshots, ret_count);
	bool ok = row == 0;
	for (size_t i = 0; ok && i < *ret_count; i++)
		ok = read_volumes(database, &(*ret_snapshots)[i], error);
	return ok;
}
