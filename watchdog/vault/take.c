/* take.c: a snapshot: each volume into an archive of its own, beside the others, and only when all of them and the manifest
 * are on the disk is the whole called a snapshot, by one rename. */
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/digest.h>
#include <watchdog/memory.h>

#include "index.h"
#include "jail.h"
#include "manifest.h"
#include "place.h"
#include "shelf.h"
#include "squeeze.h"

enum { LEVEL = 3, WORKERS_MOST = 8, WARNINGS_MOST = 100, PATH_SHOWN = 300, PARTS_MOST = 1000, USUAL_RATIO = 3 };
#define LOOK_EVERY ((uint64_t)16 << 20)
#define PAUSE_PATIENCE (15 * WD_MINUTE)

/* One volume. */
struct part {
	const char *name, *path, *kind;
	int tree;
	struct wd_index index; /* what it is, and then what was packed */
	struct wd_tally tally;
	const struct wd_snapshot_volume
		*old; /* in the previous snapshot; NULL: it has changed since, or was not there */
	char *file, *index_file;
	int archive; /* -1: not open */
	struct wd_digest *digest;
	uint64_t stored;
	struct wd_squeeze *squeeze;
};

struct take {
	struct wd_work *work;
	struct wd_shelf shelf;
	int temporary, previous; /* directories */
	char *temporary_name;
	const char *id, *suffix;
	uint64_t reserve, unlooked; /* bytes that stay free; bytes written since that was looked at */
	struct wd_snapshot before, made;
	struct part *parts;
	size_t count;
	struct part *now;
	struct wd_tally whole, done;
};

/* --- room ------------------------------------------------------------------------------------------------------------- */

static bool fail_full(struct take *take, uint64_t free, uint64_t needed, struct wd_error *error)
{
	char has[WD_SIZE_TEXT], wants[WD_SIZE_TEXT], stays[WD_SIZE_TEXT];

	take->work->full = true;
	return wd_fail(
		error, WD_ERROR_FAILED,
		"not enough room for it: %s are free, it takes some %s, and %s stay free (min_free); remove older "
		"snapshots, or put [snapshots] dir on a larger disk",
		wd_size_print(free, has), wd_size_print(needed, wants), wd_size_print(take->reserve, stays));
}

static bool check_room(struct take *take, uint64_t needed, struct wd_error *error)
{
	uint64_t free, total;

	take->unlooked = 0;
	if (!wd_place_room(take->shelf.service, &free, &total, error))
		return false;
	if (free < take->reserve || free - take->reserve < needed)
		return fail_full(take, free, needed, error);
	return true;
}

static bool read_reserve(struct take *take, struct wd_error *error)
{
	const char *text = wd_work_text(take->work, "min_free");
	uint64_t free, total;
	char *end;

	if (!text || !strchr(text, '%'))
		return !text || wd_size_parse(text, &take->reserve, error) || wd_fail_in(error, "min_free");
	double percent = strtod(text, &end);
	if (*end != '%' || !(percent >= 0 && percent <= 100))
		return wd_fail(error, WD_ERROR_REFUSED, "min_free: %s is no share", text);
	if (!wd_place_room(take->shelf.top, &free, &total, error))
		return false;
	take->reserve = (uint64_t)((double)total * percent / 100);
	return true;
}

/* As the previous one was squeezed, or as most are. */
static uint64_t guess_stored(const struct take *take, const struct part *part)
{
	if (strcmp(take->suffix, ".tar") == 0)
		return part->tally.bytes;
	for (unsigned i = 0; i < take->before.volume_count; i++) {
		const struct wd_snapshot_volume *old = &take->before.volumes[i];
		if (wd_text_equal(old->name, part->name) && old->bytes)
			return (uint64_t)((double)part->tally.bytes * (double)old->stored_bytes / (double)old->bytes);
	}
	return part->tally.bytes / USUAL_RATIO;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static bool fail_write(struct take *take, const char *name, struct wd_error *error)
{
	take->work->full |= errno == ENOSPC || errno == EDQUOT;
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be written", name);
}

static bool put_archive(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	struct take *take = data;
	struct part *part = take->now;
	const char *rest = bytes;

	wd_digest_put(part->digest, bytes, length);
	for (size_t left = length; left;) {
		ssize_t put = write(part->archive, rest, left);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail_write(take, part->file, error);
		rest += put;
		left -= (size_t)put;
	}
	part->stored += length;
	take->unlooked += length;
	if (take->unlooked < LOOK_EVERY)
		return true;
	/* So that not all of it is left to the end. */
	sync_file_range(part->archive, 0, 0, SYNC_FILE_RANGE_WRITE);
	return check_room(take, 0, error);
}

static bool on_progress(void *data, const struct wd_tally *tally)
{
	const struct take *take = data;

	return wd_talk_progress(take->work->talk, take->done.files + tally->files, take->done.bytes + tally->bytes,
				take->whole.bytes);
}

static bool on_scan(void *data, const struct wd_tally *tally)
{
	const struct take *take = data;

	(void)tally;
	return wd_talk_progress(take->work->talk, 0, 0, 0);
}

static void on_warning(void *data, const char *path, const char *what)
{
	struct take *take = data;
	struct wd_snapshot_volume *volume = &take->made.volumes[take->made.volume_count - 1];
	struct wd_text text = {0};

	if (volume->warnings.count > WARNINGS_MOST)
		return;
	if (volume->warnings.count == WARNINGS_MOST) {
		wd_list_add(&volume->warnings, "… and more");
		return;
	}
	wd_text_escape(&text, path, strlen(path), PATH_SHOWN);
	wd_text_print(&text, ": %s", what);
	WD_AUTO_FREE char *warning = wd_text_take(&text);
	wd_list_add(&volume->warnings, warning);
}

/* --- one volume ------------------------------------------------------------------------------------------------------- */

static struct wd_snapshot_volume *add_volume(struct take *take, const struct part *part)
{
	struct wd_snapshot_volume *volume = wd_snapshot_add(&take->made);

	wd_replace(&volume->name, part->name);
	wd_replace(&volume->path, part->path);
	wd_replace(&volume->kind, part->kind);
	wd_replace(&volume->file, part->file);
	return volume;
}

static unsigned count_workers(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 1 ? 1 : processors > WORKERS_MOST ? WORKERS_MOST : (unsigned)processors;
}

static struct wd_sink begin_archive(struct take *take, struct part *part, struct wd_error *error)
{
	struct wd_sink sink = {take, put_archive};

	part->digest = wd_digest_new();
	part->archive = openat(take->temporary, part->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (part->archive < 0)
		return fail_write(take, part->file, error), (struct wd_sink){0};
	if (strcmp(take->suffix, ".tar") == 0)
		return sink;
	part->squeeze = wd_squeeze_new(sink, LEVEL, count_workers(), error);
	return part->squeeze ? wd_squeeze_sink(part->squeeze) : (struct wd_sink){0};
}

/* After it, the live data is not needed any more. */
static bool pack(struct take *take, struct part *part, struct wd_error *error)
{
	const struct wd_archive_watch watch = {take, on_progress, on_warning};
	struct wd_snapshot_volume *volume = add_volume(take, part);
	struct wd_sink sink = begin_archive(take, part, error);

	if (!sink.put)
		return false;
	wd_index_done(&part->index);
	if (!wd_archive_pack(part->tree, sink, &watch, &part->index, &part->tally, error))
		return false;
	part->tree = wd_place_close(part->tree);
	volume->bytes = part->tally.bytes;
	volume->files = part->tally.files;
	take->done.bytes += part->tally.bytes;
	take->done.files += part->tally.files;
	return true;
}

static bool write_index(struct take *take, const struct part *part, struct wd_error *error)
{
	WD_AUTO_CLOSE int file =
		openat(take->temporary, part->index_file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0)
		return fail_write(take, part->index_file, error);
	return wd_index_write(&part->index, file, error) && wd_place_sync(file, part->index_file, error);
}

static bool end_archive(struct take *take, struct part *part, struct wd_snapshot_volume *volume, struct wd_error *error)
{
	char sum[WD_DIGEST_TEXT];

	take->now = part;
	if (part->squeeze && !wd_squeeze_end(part->squeeze, error))
		return false;
	part->squeeze = wd_squeeze_free(part->squeeze);
	if (fsync(part->archive) != 0)
		return fail_write(take, part->file, error);
	part->archive = wd_place_close(part->archive);
	wd_digest_get(part->digest, sum);
	wd_replace(&volume->sha256, sum);
	volume->stored_bytes = part->stored;
	return write_index(take, part, error);
}

/* --- one that has not changed ----------------------------------------------------------------------------------------- */

static bool copy_all(int from, int to)
{
	char block[65536];

	for (;;) {
		ssize_t got = read(from, block, sizeof(block));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		for (ssize_t done = 0; done < got;) {
			ssize_t put = write(to, block + done, (size_t)(got - done));
			if (put < 0 && errno != EINTR)
				return false;
			done += put > 0 ? put : 0;
		}
	}
}

/* The same file once more; where the file system has no links, a copy. */
static bool keep_file(struct take *take, const char *old, const char *name, struct wd_error *error)
{
	if (linkat(take->previous, old, take->temporary, name, 0) == 0)
		return true;
	WD_AUTO_CLOSE int from = openat(take->previous, old, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	WD_AUTO_CLOSE int to =
		openat(take->temporary, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (from < 0 || to < 0 || !copy_all(from, to) || fsync(to) != 0)
		return fail_write(take, name, error);
	return true;
}

static bool keep_old(struct take *take, struct part *part, struct wd_error *error)
{
	const struct wd_snapshot_volume *old = part->old;
	struct wd_snapshot_volume *volume = add_volume(take, part);

	wd_replace(&volume->sha256, old->sha256);
	volume->bytes = old->bytes;
	volume->stored_bytes = old->stored_bytes;
	volume->files = old->files;
	wd_list_copy(&volume->warnings, &old->warnings);
	take->done.files += part->tally.files;
	take->done.bytes += part->tally.bytes;
	return keep_file(take, old->file, part->file, error) &&
	       keep_file(take, part->index_file, part->index_file, error);
}

static bool has_whole(const struct take *take, const struct wd_snapshot_volume *volume)
{
	struct stat found;

	return fstatat(take->previous, volume->file, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode) &&
	       (uint64_t)found.st_size == volume->stored_bytes;
}

static bool is_same(const struct take *take, const struct part *part, const struct wd_snapshot_volume *old)
{
	struct wd_index index = {0};
	bool same = wd_text_equal(old->name, part->name) && wd_text_equal(old->path, part->path) &&
		    wd_text_equal(old->file, part->file) && has_whole(take, old);
	WD_AUTO_CLOSE int file =
		same ? openat(take->previous, part->index_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

	same = same && file >= 0 && wd_index_read(file, &index, NULL) && wd_index_equal(&index, &part->index);
	wd_index_done(&index);
	return same;
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

static bool scan(struct take *take, struct part *part, struct wd_error *error)
{
	const struct wd_archive_watch watch = {take, on_scan, NULL};

	if (!wd_index_scan(part->tree, &watch, &part->index, &part->tally, error))
		return wd_fail_in(error, "%s", part->name);
	for (unsigned i = 0; take->previous >= 0 && i < take->before.volume_count; i++)
		if (is_same(take, part, &take->before.volumes[i]))
			part->old = &take->before.volumes[i];
	take->whole.bytes += part->tally.bytes;
	return true;
}

static bool scan_all(struct take *take, struct wd_error *error)
{
	uint64_t needed = 0;

	for (size_t i = 0; i < take->count; i++) {
		if (!scan(take, &take->parts[i], error))
			return false;
		needed += take->parts[i].old ? 0 : guess_stored(take, &take->parts[i]);
	}
	return check_room(take, needed, error);
}

static bool read_all(struct take *take, struct wd_error *error)
{
	for (size_t i = 0; i < take->count; i++) {
		struct part *part = &take->parts[i];
		take->now = part;
		if (!(part->old ? keep_old(take, part, error) : pack(take, part, error)))
			return wd_fail_in(error, "%s", part->name);
	}
	WD_AUTO_JSON struct wd_json *line = wd_json_object();
	wd_json_set_string(line, "phase", "read");
	if (!wd_talk_say(take->work->talk, line))
		return wd_fail(error, WD_ERROR_FAILED, "%s", "the watchdog has gone away");
	return true;
}

/* How long the service stood still is known once it goes on. */
static bool hear_paused(struct take *take, struct wd_error *error)
{
	if (!wd_json_bool(wd_json_get(take->work->job, "paused"), false))
		return true;
	WD_AUTO_JSON struct wd_json *line = wd_talk_hear(take->work->talk, PAUSE_PATIENCE, error);
	if (!line)
		return false;
	take->made.paused_seconds = wd_json_double(wd_json_get(line, "paused_seconds"), 0);
	return true;
}

static bool end_all(struct take *take, struct wd_error *error)
{
	for (size_t i = 0; i < take->count; i++) {
		struct part *part = &take->parts[i];
		if (!part->old && !end_archive(take, part, &take->made.volumes[i], error))
			return wd_fail_in(error, "%s", part->name);
	}
	return true;
}

static bool publish(struct take *take, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *manifest = wd_manifest_print(&take->made);
	WD_AUTO_FREE char *text = wd_json_print_pretty(manifest);

	if (!wd_shelf_write_file(take->temporary, WD_SHELF_MANIFEST, text, error) ||
	    !wd_place_sync(take->temporary, take->temporary_name, error))
		return false;
	if (!wd_place_rename(take->shelf.service, take->temporary_name, take->id, error))
		return false;
	if (!wd_place_sync(take->shelf.service, take->shelf.name, error) ||
	    !wd_place_sync(take->shelf.top, "the directory of the snapshots", error))
		return false;
	take->work->done = wd_json_object();
	wd_json_set(take->work->done, "snapshot", wd_json_clone(manifest));
	return true;
}

/* --- beginning and end ------------------------------------------------------------------------------------------------ */

static bool open_part(struct take *take, const struct wd_json *volume, struct wd_error *error)
{
	struct part *part = &take->parts[take->count++];

	*part = (struct part){.name = wd_json_string(wd_json_get(volume, "name"), NULL),
			      .path = wd_json_string(wd_json_get(volume, "path"), NULL),
			      .kind = wd_json_string(wd_json_get(volume, "kind"), "volume"),
			      .archive = -1,
			      .tree = -1};
	if (!part->name || !*part->name)
		return wd_fail(error, WD_ERROR_REFUSED, "%s", "the job has a volume without a name");
	WD_AUTO_FREE char *name = wd_place_name(part->name);
	part->file = wd_format("%s%s", name, take->suffix);
	part->index_file = wd_format("%s.index", name);
	part->tree = wd_place_open(part->path, error);
	return part->tree >= 0 || wd_fail_in(error, "%s", part->name);
}

static bool open_parts(struct take *take, struct wd_error *error)
{
	const struct wd_json *volumes = wd_json_get(take->work->job, "volumes");
	size_t count = wd_json_count(volumes);

	if (count == 0 || count > PARTS_MOST)
		return wd_fail(error, WD_ERROR_REFUSED, "%s",
			       count ? "too many volumes" : "there is no volume to keep");
	take->parts = wd_alloc(count, sizeof(*take->parts));
	for (const struct wd_json *volume = wd_json_first(volumes); volume; volume = wd_json_next(volume))
		if (!open_part(take, volume, error))
			return false;
	return true;
}

/* Without it each volume is read anew, so that it is gone or broken is no trouble. */
static void open_previous(struct take *take)
{
	const char *previous = wd_work_text(take->work, "previous");

	if (previous)
		take->previous = wd_shelf_read(&take->shelf, previous, &take->before, NULL);
}

static bool enter_jail(const struct take *take, struct wd_error *error)
{
	WD_AUTO_FREE struct wd_jail_place *places = wd_alloc(take->count + 1, sizeof(*places));

	for (size_t i = 0; i < take->count; i++)
		places[i] = (struct wd_jail_place){take->parts[i].tree, false};
	places[take->count] = (struct wd_jail_place){take->shelf.top, true};
	return wd_jail_enter(places, take->count + 1, error);
}

static bool describe(struct take *take, struct wd_error *error)
{
	struct wd_snapshot *made = &take->made;
	const char *compress = wd_work_text(take->work, "compress");

	take->id = wd_work_text(take->work, "id");
	if (!wd_place_is_id(take->id))
		return wd_fail(error, WD_ERROR_REFUSED, "%s: that is no snapshot's id",
			       take->id ? take->id : "(nothing)");
	take->suffix = wd_text_equal(compress, "none") ? ".tar" : ".tar.zst";
	take->temporary_name = wd_shelf_temporary(take->id);
	wd_replace(&made->id, take->id);
	wd_replace(&made->service, wd_work_text(take->work, "service"));
	wd_replace(&made->name, wd_work_text(take->work, "name"));
	wd_replace(&made->image, wd_work_text(take->work, "image"));
	wd_replace(&made->image_id, wd_work_text(take->work, "image_id"));
	made->well = wd_json_bool(wd_json_get(take->work->job, "well"), false);
	made->stamp = wd_stamp_now();
	return true;
}

static bool do_take(struct take *take, struct wd_error *error)
{
	if (!describe(take, error) || !wd_shelf_open(take->work->job, true, &take->shelf, error) ||
	    !open_parts(take, error) || !enter_jail(take, error))
		return false;
	if (!wd_shelf_lock(&take->shelf, error) || !read_reserve(take, error))
		return false;
	if (wd_place_has(take->shelf.service, take->id))
		return wd_fail(error, WD_ERROR_REFUSED, "there is a snapshot %s already", take->id);
	open_previous(take);
	take->temporary = wd_place_make_new(take->shelf.service, take->temporary_name, error);
	return take->temporary >= 0 && scan_all(take, error) && read_all(take, error) && hear_paused(take, error) &&
	       end_all(take, error) && publish(take, error);
}

static void close_part(struct part *part)
{
	wd_squeeze_free(part->squeeze);
	wd_digest_free(part->digest);
	wd_index_done(&part->index);
	wd_place_close(part->tree);
	wd_place_close(part->archive);
	free(part->file);
	free(part->index_file);
}

static void close_take(struct take *take)
{
	for (size_t i = 0; i < take->count; i++)
		close_part(&take->parts[i]);
	free(take->parts);
	free(take->temporary_name);
	wd_place_close(take->temporary);
	wd_place_close(take->previous);
	wd_shelf_close(&take->shelf);
	wd_snapshot_done(&take->before);
	wd_snapshot_done(&take->made);
}

bool wd_verb_take(struct wd_work *work, struct wd_error *error)
{
	struct take take = {.work = work, .shelf = {.top = -1, .service = -1}, .temporary = -1, .previous = -1};
	bool good = do_take(&take, error);

	if (!good && take.temporary >= 0)
		wd_place_remove(take.shelf.service, take.temporary_name, NULL); /* else with the next one */
	close_take(&take);
	return good;
}
