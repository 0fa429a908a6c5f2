/* inventory.c: what is kept: listed, verified, deleted. */
#include "verbs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

#include "jail.h"
#include "manifest.h"
#include "place.h"
#include "reading.h"
#include "shelf.h"

/* --- list ------------------------------------------------------------------------------------------------------------- */

static bool say_snapshot(const struct wd_work *work, const struct wd_snapshot *snapshot, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *line = wd_json_object();

	wd_json_set(line, "snapshot", wd_manifest_print(snapshot));
	if (!wd_talk_say(work->talk, line))
		return wd_fail(error, WD_ERROR_FAILED, "%s", "the watchdog has gone away");
	return true;
}

/* One whose manifest says that it is another's is no snapshot of this one. */
static void check_place(struct wd_snapshot *snapshot, const char *service, const char *id)
{
	if (wd_text_equal(snapshot->service, service) && wd_text_equal(snapshot->id, id))
		return;
	wd_replace(&snapshot->broken, "its manifest is that of another snapshot");
	wd_replace(&snapshot->service, service);
	wd_replace(&snapshot->id, id);
}

static bool list_one(const struct wd_work *work, const struct wd_shelf *shelf, const char *id, struct wd_error *error)
{
	struct wd_error broken = {0};
	struct wd_snapshot snapshot = {0};
	WD_AUTO_FREE char *service = wd_place_text(shelf->name);
	WD_AUTO_CLOSE int directory = wd_shelf_read(shelf, id, &snapshot, &broken);

	if (directory < 0) {
		wd_replace(&snapshot.id, id);
		wd_replace(&snapshot.service, service);
		wd_replace(&snapshot.broken, broken.text);
	}
	check_place(&snapshot, service, id);
	bool good = say_snapshot(work, &snapshot, error);
	wd_snapshot_done(&snapshot);
	return good;
}

static bool list_service(const struct wd_work *work, const struct wd_shelf *shelf, struct wd_error *error)
{
	struct wd_list ids = {0};
	bool good = wd_shelf_names(shelf->service, &ids, error);

	for (size_t i = 0; good && i < ids.count; i++)
		good = !wd_place_is_id(ids.items[i]) || list_one(work, shelf, ids.items[i], error);
	wd_list_done(&ids);
	return good;
}

/* What is no directory is none of ours. */
static bool list_all(const struct wd_work *work, const struct wd_shelf *all, struct wd_error *error)
{
	struct wd_list names = {0};
	bool good = wd_shelf_names(all->top, &names, error);

	for (size_t i = 0; good && i < names.count; i++) {
		struct wd_shelf shelf = {
			.top = -1,
			.service = openat(all->top, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
		if (shelf.service < 0)
			continue;
		shelf.name = wd_copy(names.items[i]);
		good = list_service(work, &shelf, error);
		wd_shelf_close(&shelf);
	}
	wd_list_done(&names);
	return good;
}

bool wd_verb_list(struct wd_work *work, struct wd_error *error)
{
	struct wd_error missing = {0};
	WD_AUTO_SHELF struct wd_shelf shelf = {.top = -1, .service = -1};
	bool there = wd_shelf_open_all(work->job, &shelf, &missing);

	work->done = wd_json_object();
	if (!there && missing.kind == WD_ERROR_NOT_FOUND)
		return true; /* no snapshot was ever taken */
	if (!there)
		return wd_fail(error, missing.kind, "%s", missing.text);
	return wd_jail_enter(&(struct wd_jail_place){shelf.top, false}, 1, error) && list_all(work, &shelf, error);
}

/* --- verify ----------------------------------------------------------------------------------------------------------- */

struct verifying {
	struct wd_work *work;
	uint64_t before, whole; /* bytes that are to be read: each archive is, twice */
	uint64_t files;
};

static bool on_bytes(void *data, uint64_t bytes)
{
	const struct verifying *verifying = data;

	return wd_talk_progress(verifying->work->talk, verifying->files, verifying->before + bytes, verifying->whole);
}

static bool on_checked(void *data, const struct wd_tally *tally)
{
	const struct verifying *verifying = data;

	return wd_talk_progress(verifying->work->talk, verifying->files + tally->files, verifying->before,
				verifying->whole);
}

static bool verify_volume(struct verifying *verifying, int directory, const struct wd_snapshot_volume *volume,
			  struct wd_error *error)
{
	const struct wd_archive_watch watch = {verifying, on_checked, NULL};
	struct wd_reading reading;
	struct wd_tally tally = {0};

	if (!wd_reading_open(directory, volume, &reading, error))
		return false;
	bool good = wd_reading_verify(&reading, on_bytes, verifying, error);
	verifying->before += volume->stored_bytes;
	good = good && wd_reading_unpack(&reading, -1, &watch, &tally, error);
	wd_reading_close(&reading);
	if (good && (tally.files != volume->files || tally.bytes != volume->bytes))
		return wd_fail(error, WD_ERROR_FAILED,
			       "%s: %llu files and %llu bytes are in it, the manifest says %llu and %llu", volume->file,
			       (unsigned long long)tally.files, (unsigned long long)tally.bytes,
			       (unsigned long long)volume->files, (unsigned long long)volume->bytes);
	verifying->files += tally.files;
	return good;
}

static bool verify(struct wd_work *work, int directory, const struct wd_snapshot *snapshot, struct wd_error *error)
{
	struct verifying verifying = {.work = work, .whole = wd_snapshot_stored(snapshot)};

	for (unsigned i = 0; i < snapshot->volume_count; i++)
		if (!verify_volume(&verifying, directory, &snapshot->volumes[i], error))
			return wd_fail_in(error, "%s", snapshot->volumes[i].name);
	work->done = wd_json_object();
	wd_json_set_int(work->done, "files", (int64_t)verifying.files);
	wd_json_set_int(work->done, "bytes", (int64_t)wd_snapshot_bytes(snapshot));
	return true;
}

bool wd_verb_verify(struct wd_work *work, struct wd_error *error)
{
	WD_AUTO_SHELF struct wd_shelf shelf = {.top = -1, .service = -1};
	struct wd_snapshot snapshot = {0};

	if (!wd_shelf_open(work->job, false, &shelf, error) ||
	    !wd_jail_enter(&(struct wd_jail_place){shelf.service, false}, 1, error))
		return false;
	WD_AUTO_CLOSE int directory = wd_shelf_read(&shelf, wd_work_text(work, "id"), &snapshot, error);
	bool good = directory >= 0 && verify(work, directory, &snapshot, error);
	wd_snapshot_done(&snapshot);
	return good;
}

/* --- delete ----------------------------------------------------------------------------------------------------------- */

static bool delete_one(const struct wd_shelf *shelf, const char *id, struct wd_error *error)
{
	WD_AUTO_FREE char *temporary = wd_shelf_temporary(id);

	if (!wd_place_has(shelf->service, id))
		return wd_fail(error, WD_ERROR_NOT_FOUND, "there is no snapshot %s", id);
	return wd_place_rename(shelf->service, id, temporary, error) &&
	       wd_place_sync(shelf->service, shelf->name, error) && wd_place_remove(shelf->service, temporary, error);
}

/* It is no snapshot any more before the first of its files goes. */
bool wd_verb_delete(struct wd_work *work, struct wd_error *error)
{
	const char *id = wd_work_text(work, "id");
	WD_AUTO_SHELF struct wd_shelf shelf = {.top = -1, .service = -1};

	if (!wd_place_is_id(id))
		return wd_fail(error, WD_ERROR_REFUSED, "%s: that is no snapshot's id", id ? id : "(nothing)");
	if (!wd_shelf_open(work->job, false, &shelf, error) ||
	    !wd_jail_enter(&(struct wd_jail_place){shelf.service, true}, 1, error))
		return false;
	work->done = wd_json_object();
	return wd_shelf_lock(&shelf, error) && delete_one(&shelf, id, error);
}
