#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "walk.h"

#define DEPTH_MAX 1000
#define SHOWN_MAX 300

struct walk {
	const struct wd_archive_watch *watch;
	void *data;
	bool (*visit)(void *data, const struct wd_place *place, struct wd_error *error);
	struct wd_text path;
	unsigned depth;
};

struct name {
	ino_t inode;
	char *text;
};

struct names {
	struct name *items;
	size_t count, room;
};

void wd_archive_warn(const struct wd_archive_watch *watch, const char *path, const char *what)
{
	if (watch && watch->warn)
		watch->warn(watch->data, path, what);
}

bool wd_archive_progress(const struct wd_archive_watch *watch, const struct wd_tally *tally, struct wd_error *error)
{
	return !watch || !watch->progress || watch->progress(watch->data, tally) ||
	       wd_fail(error, WD_ERROR_FAILED, "it was cancelled");
}

bool wd_refuse_path(struct wd_error *error, enum wd_error_kind kind, const char *path, const char *what)
{
	WD_AUTO_TEXT struct wd_text shown = {0};

	wd_text_escape(&shown, path, strlen(path), SHOWN_MAX);
	return wd_fail(error, kind, "%s: %s", wd_text_get(&shown), what);
}

bool wd_fail_path(struct wd_error *error, const char *path, const char *what)
{
	int number = errno;
	WD_AUTO_TEXT struct wd_text shown = {0};

	wd_text_escape(&shown, path, strlen(path), SHOWN_MAX);
	errno = number;
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s: %s", wd_text_get(&shown), what);
}

int wd_open_quietly(int directory, const char *name, int flags)
{
	int descriptor = openat(directory, name, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOATIME);

	if (descriptor < 0 && errno == EPERM) /* somebody else's file, and no capability */
		descriptor = openat(directory, name, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return descriptor;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i].text);
	free(names->items);
}

static void names_add(struct names *names, const struct dirent *entry)
{
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return;
	if (names->count == names->room) {
		names->room = names->room ? 2 * names->room : 16;
		names->items = wd_realloc(names->items, names->room, sizeof(*names->items));
	}
	names->items[names->count++] = (struct name){.inode = entry->d_ino, .text = wd_copy(entry->d_name)};
}

/* By inode; hard links to one of them by name. */
static int compare(const void *one, const void *two)
{
	const struct name *a = one, *b = two;

	return a->inode != b->inode ? (a->inode < b->inode ? -1 : 1) : strcmp(a->text, b->text);
}

static bool names_read(struct names *names, int directory, const char *path, struct wd_error *error)
{
	int copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry = NULL;

	if (!stream) {
		wd_fail_path(error, path, "cannot read the directory");
		if (copy >= 0)
			close(copy);
		return false;
	}
	rewinddir(stream); /* a copy stands where the original stands */
	for (errno = 0; (entry = readdir(stream)); errno = 0)
		names_add(names, entry);
	bool good = errno == 0 || wd_fail_path(error, path, "cannot read the directory");

	closedir(stream);
	if (names->count > 1)
		qsort(names->items, names->count, sizeof(*names->items), compare);
	return good;
}

static bool is_mount(int directory)
{
	struct statx status = {0};

	return statx(directory, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &status) == 0 &&
	       (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool walk_into(struct walk *walk, struct wd_place *place, struct wd_error *error);

static bool walk_directory(struct walk *walk, const struct wd_place *seen, struct wd_error *error)
{
	struct stat status;
	struct wd_place place = *seen;

	place.directory = wd_open_quietly(place.above, place.name, O_DIRECTORY | O_NOFOLLOW);
	if (place.directory < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return wd_archive_warn(walk->watch, place.path, "it was taken away while it was read: left out"), true;
	if (place.directory < 0)
		return wd_fail_path(error, place.path, "cannot open the directory");
	place.mounted = is_mount(place.directory);
	place.status = &status;
	bool good = (fstat(place.directory, &status) == 0 || wd_fail_path(error, place.path, "cannot look at it")) &&
		    walk_into(walk, &place, error);

	close(place.directory);
	return good;
}

static bool walk_name(struct walk *walk, int above, const char *name, struct wd_error *error)
{
	struct stat status;
	struct wd_place place = {
		.path = walk->path.data,
		.name = name,
		.above = above,
		.directory = -1,
		.status = &status,
	};

	if (fstatat(above, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0)
		return S_ISDIR(status.st_mode) ? walk_directory(walk, &place, error)
					       : walk->visit(walk->data, &place, error);
	if (errno != ENOENT)
		return wd_fail_path(error, place.path, "cannot look at it");
	wd_archive_warn(walk->watch, place.path, "it has vanished while it was read: left out");
	return true;
}

static bool walk_names(struct walk *walk, int directory, const struct names *names, struct wd_error *error)
{
	size_t length = walk->path.length;
	bool good = true;

	for (size_t i = 0; good && i < names->count; i++) {
		wd_text_add(&walk->path, "/");
		wd_text_add(&walk->path, names->items[i].text);
		good = walk_name(walk, directory, names->items[i].text, error);
		walk->path.length = length;
		walk->path.data[length] = '\0';
	}
	return good;
}

/* Visits an open directory, then what is in it. */
static bool walk_into(struct walk *walk, struct wd_place *place, struct wd_error *error)
{
	struct names names = {0};

	if (!walk->visit(walk->data, place, error))
		return false;
	if (place->mounted)
		return true;
	if (walk->depth == DEPTH_MAX)
		return wd_refuse_path(error, WD_ERROR_FAILED, place->path, "it is deeper than 1000 directories");
	walk->depth++;
	bool good = names_read(&names, place->directory, place->path, error) &&
		    walk_names(walk, place->directory, &names, error);

	walk->depth--;
	names_done(&names);
	return good;
}

bool wd_walk(int tree, const struct wd_archive_watch *watch, void *data,
	     bool (*visit)(void *data, const struct wd_place *place, struct wd_error *error), struct wd_error *error)
{
	struct walk walk = {.watch = watch, .data = data, .visit = visit};
	struct stat status;
	struct wd_place place = {.name = ".", .above = -1, .directory = tree, .status = &status};

	wd_text_add(&walk.path, ".");
	place.path = walk.path.data;
	bool good = (fstat(tree, &status) == 0 || wd_fail_path(error, ".", "cannot look at the directory")) &&
		    walk_into(&walk, &place, error);

	wd_text_done(&walk.path);
	return good;
}
