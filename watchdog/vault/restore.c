/* restore.c: an archive back into a directory beside the live data, and the exchange of the two: one rename, which is done
 * or not. Beside a volume P, .seadog-new-T is what was unpacked, and .seadog-old-T what was live before. Between the
 * exchange and the second name the old data is still called new: which of them is which, their inodes tell. */
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

#include "jail.h"
#include "place.h"
#include "reading.h"
#include "shelf.h"

#define TO_PREFIX ".seadog-to-"
enum { FILE_COSTS = 4096 }; /* of a disk, beside its content */

/* --- the directory that it is about ----------------------------------------------------------------------------------- */

struct beside {
	int parent;
	const char *name;    /* of the live data in it */
	char *fresh, *aside; /* names */
};

static void close_beside(struct beside *beside)
{
	beside->parent = wd_place_close(beside->parent);
	free(beside->fresh);
	free(beside->aside);
	*beside = (struct beside){.parent = -1};
}
#define WD_AUTO_BESIDE __attribute__((cleanup(close_beside)))

static uint64_t inode_of(const struct beside *beside, const char *name)
{
	struct stat found;

	if (!name || fstatat(beside->parent, name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(found.st_mode))
		return 0;
	return found.st_ino;
}

/* A mount point cannot be exchanged, and what is mounted there is another file system. */
static bool check_live(const struct beside *beside, const char *path, struct wd_error *error)
{
	struct stat live, parent;

	if (fstatat(beside->parent, beside->name, &live, AT_SYMLINK_NOFOLLOW) != 0)
		return wd_fail_errno(error, WD_ERROR_NOT_FOUND, "%s", path);
	if (!S_ISDIR(live.st_mode))
		return wd_fail(error, WD_ERROR_REFUSED, "%s is no directory", path);
	if (fstat(beside->parent, &parent) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s", path);
	if (live.st_dev != parent.st_dev)
		return wd_fail(error, WD_ERROR_REFUSED,
			       "%s is a mount point itself, which cannot be exchanged; restore it elsewhere (--to)",
			       path);
	return true;
}

static bool open_beside(const struct wd_work *work, struct beside *beside, struct wd_error *error)
{
	const char *target = wd_work_text(work, "target"), *token = wd_work_text(work, "token");

	if (!wd_place_is_token(token))
		return wd_fail(error, WD_ERROR_REFUSED, "%s", "the job has no token");
	beside->parent = wd_place_open_parent(target, &beside->name, error);
	if (beside->parent < 0)
		return false;
	beside->fresh = wd_format(".seadog-new-%s", token);
	beside->aside = wd_format(".seadog-old-%s", token);
	return check_live(beside, target, error);
}

/* --- unpacking -------------------------------------------------------------------------------------------------------- */

struct unpacking {
	struct wd_work *work;
	struct wd_shelf shelf;
	struct wd_snapshot snapshot;
	int directory;
	const struct wd_snapshot_volume *volume;
	struct wd_reading reading;
	struct beside beside; /* with "to": its name is that of the volume */
	bool elsewhere;
};

static bool on_bytes(void *data, uint64_t bytes)
{
	const struct unpacking *unpacking = data;

	(void)bytes;
	return wd_talk_progress(unpacking->work->talk, 0, 0, unpacking->volume->bytes);
}

static bool on_unpacked(void *data, const struct wd_tally *tally)
{
	const struct unpacking *unpacking = data;

	return wd_talk_progress(unpacking->work->talk, tally->files, tally->bytes, unpacking->volume->bytes);
}

static bool find_volume(struct unpacking *unpacking, struct wd_error *error)
{
	const char *name = wd_work_text(unpacking->work, "volume");

	for (unsigned i = 0; i < unpacking->snapshot.volume_count; i++)
		if (wd_text_equal(unpacking->snapshot.volumes[i].name, name))
			unpacking->volume = &unpacking->snapshot.volumes[i];
	if (unpacking->volume)
		return true;
	return wd_fail(error, WD_ERROR_NOT_FOUND, "snapshot %s has no volume %s", unpacking->snapshot.id,
		       name ? name : "(nothing)");
}

static bool open_stored(struct unpacking *unpacking, struct wd_error *error)
{
	const struct wd_work *work = unpacking->work;

	if (!wd_shelf_open(work->job, false, &unpacking->shelf, error))
		return false;
	unpacking->directory = wd_shelf_read(&unpacking->shelf, wd_work_text(work, "id"), &unpacking->snapshot, error);
	return unpacking->directory >= 0 && find_volume(unpacking, error) &&
	       wd_reading_open(unpacking->directory, unpacking->volume, &unpacking->reading, error);
}

/* Where a person wants it: the way there may go over symbolic links. */
static bool open_elsewhere(struct unpacking *unpacking, struct wd_error *error)
{
	const char *path = wd_work_text(unpacking->work, "to"), *token = wd_work_text(unpacking->work, "token");
	struct beside *beside = &unpacking->beside;

	if (path[0] != '/' || !wd_place_is_token(token))
		return wd_fail(error, WD_ERROR_REFUSED, "%s: that is no absolute path, or the job has no token", path);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be made", path);
	beside->parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (beside->parent < 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s", path);
	beside->aside = wd_place_name(unpacking->volume->name);
	beside->name = beside->aside;
	beside->fresh = wd_format(TO_PREFIX "%s", token);
	if (wd_place_has(beside->parent, beside->name))
		return wd_fail(error, WD_ERROR_REFUSED, "%s/%s is there already; nothing is written over", path,
			       beside->name);
	return true;
}

/* What a dead one has left there. */
static bool sweep_elsewhere(const struct beside *beside, struct wd_error *error)
{
	if (flock(beside->parent, LOCK_EX | LOCK_NB) != 0)
		return wd_fail_errno(error, WD_ERROR_REFUSED, "another vault is at work there");
	return wd_shelf_sweep(beside->parent, TO_PREFIX, "", error);
}

static bool check_room(struct unpacking *unpacking, struct wd_error *error)
{
	const struct wd_snapshot_volume *volume = unpacking->volume;
	uint64_t needed = volume->bytes + volume->files * FILE_COSTS, free, total;
	char has[WD_SIZE_TEXT], wants[WD_SIZE_TEXT];

	if (!wd_place_room(unpacking->beside.parent, &free, &total, error))
		return false;
	if (needed <= free)
		return true;
	unpacking->work->full = true;
	return wd_fail(error, WD_ERROR_REFUSED, "not enough room: %s are free there, and %s are needed",
		       wd_size_print(free, has), wd_size_print(needed, wants));
}

static bool check_tally(const struct unpacking *unpacking, const struct wd_tally *tally, struct wd_error *error)
{
	const struct wd_snapshot_volume *volume = unpacking->volume;

	if (tally->files == volume->files && tally->bytes == volume->bytes)
		return true;
	return wd_fail(error, WD_ERROR_FAILED,
		       "%s: %llu files and %llu bytes are in it, the manifest says %llu and %llu", volume->file,
		       (unsigned long long)tally->files, (unsigned long long)tally->bytes,
		       (unsigned long long)volume->files, (unsigned long long)volume->bytes);
}

static bool fill(struct unpacking *unpacking, struct wd_error *error)
{
	const struct wd_archive_watch watch = {unpacking, on_unpacked, NULL};
	struct wd_tally tally = {0};
	WD_AUTO_CLOSE int tree = wd_place_make_new(unpacking->beside.parent, unpacking->beside.fresh, error);

	if (tree < 0 || !wd_reading_unpack(&unpacking->reading, tree, &watch, &tally, error) ||
	    !check_tally(unpacking, &tally, error))
		return false;
	if (syncfs(tree) != 0) /* each file by itself would take as long as all of it */
		return wd_fail_errno(error, WD_ERROR_FAILED, "it cannot be written to the disk");
	unpacking->work->done = wd_json_object();
	wd_json_set_int(unpacking->work->done, "files", (int64_t)tally.files);
	wd_json_set_int(unpacking->work->done, "bytes", (int64_t)tally.bytes);
	return true;
}

static bool place(struct unpacking *unpacking, struct wd_error *error)
{
	const struct beside *beside = &unpacking->beside;

	if (unpacking->elsewhere && !wd_place_rename(beside->parent, beside->fresh, beside->name, error))
		return false;
	wd_json_set_int(unpacking->work->done, "inode",
			(int64_t)inode_of(beside, unpacking->elsewhere ? beside->name : beside->fresh));
	return wd_place_sync(beside->parent, "the directory", error);
}

/* Whatever it was that failed: it may have been told as something else. */
static void note_full(struct unpacking *unpacking)
{
	uint64_t free, total;

	if (wd_place_room(unpacking->beside.parent, &free, &total, NULL))
		unpacking->work->full |= free < FILE_COSTS;
}

static bool do_unpack(struct unpacking *unpacking, struct wd_error *error)
{
	if (!open_stored(unpacking, error) ||
	    !(unpacking->elsewhere ? open_elsewhere(unpacking, error)
				   : open_beside(unpacking->work, &unpacking->beside, error)))
		return false;
	const struct wd_jail_place places[] = {{unpacking->directory, false}, {unpacking->beside.parent, true}};
	if (!wd_jail_enter(places, 2, error))
		return false;
	if (unpacking->elsewhere && !sweep_elsewhere(&unpacking->beside, error))
		return false;
	if (!check_room(unpacking, error) || !wd_reading_verify(&unpacking->reading, on_bytes, unpacking, error))
		return false;
	if (fill(unpacking, error) && place(unpacking, error))
		return true;
	note_full(unpacking);
	wd_place_remove(unpacking->beside.parent, unpacking->beside.fresh, NULL); /* else when it is discarded */
	return false;
}

bool wd_verb_unpack(struct wd_work *work, struct wd_error *error)
{
	struct unpacking unpacking = {.work = work,
				      .shelf = {.top = -1, .service = -1},
				      .directory = -1,
				      .reading = {.file = -1},
				      .beside = {.parent = -1},
				      .elsewhere = wd_work_text(work, "to") != NULL};
	bool good = do_unpack(&unpacking, error);

	wd_reading_close(&unpacking.reading);
	close_beside(&unpacking.beside);
	wd_place_close(unpacking.directory);
	wd_snapshot_done(&unpacking.snapshot);
	wd_shelf_close(&unpacking.shelf);
	return good;
}

/* --- the exchange ----------------------------------------------------------------------------------------------------- */

static bool open_jailed(const struct wd_work *work, struct beside *beside, struct wd_error *error)
{
	return open_beside(work, beside, error) &&
	       wd_jail_enter(&(struct wd_jail_place){beside->parent, true}, 1, error);
}

static uint64_t wanted_inode(const struct wd_work *work)
{
	return (uint64_t)wd_json_int(wd_json_get(work->job, "inode"), 0);
}

static bool swap(const struct beside *beside, const char *other, struct wd_error *error)
{
	if (renameat2(beside->parent, beside->name, beside->parent, other, RENAME_EXCHANGE) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s and %s cannot be exchanged", beside->name, other);
	return true;
}

static void tell_inodes(struct wd_work *work, const struct beside *beside)
{
	work->done = wd_json_object();
	wd_json_set_int(work->done, "target", (int64_t)inode_of(beside, beside->name));
	wd_json_set_int(work->done, "new", (int64_t)inode_of(beside, beside->fresh));
	wd_json_set_int(work->done, "old", (int64_t)inode_of(beside, beside->aside));
}

/* Asked for again it finds what was done, and does the rest. */
bool wd_verb_exchange(struct wd_work *work, struct wd_error *error)
{
	WD_AUTO_BESIDE struct beside beside = {.parent = -1};
	uint64_t fresh = wanted_inode(work);

	if (!open_jailed(work, &beside, error))
		return false;
	if (inode_of(&beside, beside.name) != fresh) {
		if (!fresh || inode_of(&beside, beside.fresh) != fresh)
			return wd_fail(error, WD_ERROR_REFUSED, "%s", "what was unpacked is not there any more");
		if (!swap(&beside, beside.fresh, error))
			return false;
	}
	if (inode_of(&beside, beside.fresh) && !wd_place_rename(beside.parent, beside.fresh, beside.aside, error))
		return false;
	if (!wd_place_sync(beside.parent, "the directory", error))
		return false;
	tell_inodes(work, &beside);
	return true;
}

bool wd_verb_exchange_back(struct wd_work *work, struct wd_error *error)
{
	WD_AUTO_BESIDE struct beside beside = {.parent = -1};
	uint64_t fresh = wanted_inode(work);

	if (!open_jailed(work, &beside, error))
		return false;
	if (fresh && inode_of(&beside, beside.name) == fresh) {
		const char *old = inode_of(&beside, beside.aside) ? beside.aside : beside.fresh;
		if (!inode_of(&beside, old))
			return wd_fail(error, WD_ERROR_REFUSED, "%s", "what was set aside is not there any more");
		if (!swap(&beside, old, error))
			return false;
	}
	if (inode_of(&beside, beside.aside) == fresh && fresh &&
	    !wd_place_rename(beside.parent, beside.aside, beside.fresh, error))
		return false;
	if (!wd_place_sync(beside.parent, "the directory", error))
		return false;
	tell_inodes(work, &beside);
	return true;
}

bool wd_verb_look(struct wd_work *work, struct wd_error *error)
{
	WD_AUTO_BESIDE struct beside beside = {.parent = -1};

	if (!open_jailed(work, &beside, error))
		return false;
	tell_inodes(work, &beside);
	return true;
}

/* What is beside the live data goes, the live data never. */
bool wd_verb_discard(struct wd_work *work, struct wd_error *error)
{
	WD_AUTO_BESIDE struct beside beside = {.parent = -1};

	if (!open_jailed(work, &beside, error) || !wd_place_remove(beside.parent, beside.fresh, error) ||
	    !wd_place_remove(beside.parent, beside.aside, error) ||
	    !wd_place_sync(beside.parent, "the directory", error))
		return false;
	tell_inodes(work, &beside);
	return true;
}
