#include "shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

#include "manifest.h"
#include "place.h"

enum { NAME_MOST = 255 };
#define FILE_MOST ((size_t)32 << 20)

/* --- directories ------------------------------------------------------------------------------------------------------ */

void wd_shelf_close(struct wd_shelf *shelf)
{
	shelf->top = wd_place_close(shelf->top);
	shelf->service = wd_place_close(shelf->service);
	free(shelf->name);
	shelf->name = NULL;
}

/* The way there is the configuration's: it may go over symbolic links. */
static int open_top(const char *path, bool make, struct wd_error *error)
{
	int top;

	if (!path || path[0] != '/') {
		wd_fail(error, WD_ERROR_REFUSED, "the directory of the snapshots: %s is no absolute path",
			path ? path : "(nothing)");
		return -1;
	}
	if (make && mkdir(path, 0700) != 0 && errno != EEXIST) {
		wd_fail_errno(error, WD_ERROR_FAILED, "the directory of the snapshots: %s cannot be made", path);
		return -1;
	}
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		wd_fail_errno(error, errno == ENOENT ? WD_ERROR_NOT_FOUND : WD_ERROR_FAILED,
			      "the directory of the snapshots: %s", path);
	return top;
}

bool wd_shelf_open_all(const struct wd_json *job, struct wd_shelf *ret_shelf, struct wd_error *error)
{
	int top = open_top(wd_json_string(wd_json_get(job, "directory"), NULL), false, error);

	if (top >= 0)
		*ret_shelf = (struct wd_shelf){.top = top, .service = -1};
	return top >= 0;
}

bool wd_shelf_open(const struct wd_json *job, bool make, struct wd_shelf *ret_shelf, struct wd_error *error)
{
	const char *service = wd_json_string(wd_json_get(job, "service"), NULL);
	struct wd_shelf shelf = {.service = -1};

	if (!service || !*service)
		return wd_fail(error, WD_ERROR_REFUSED, "%s", "the job names no service");
	shelf.top = open_top(wd_json_string(wd_json_get(job, "directory"), NULL), make, error);
	if (shelf.top < 0)
		return false;
	shelf.name = wd_place_name(service);
	if (strlen(shelf.name) > NAME_MOST)
		wd_fail(error, WD_ERROR_REFUSED, "%s: a name that long cannot be that of a directory", service);
	else
		shelf.service = make ? wd_place_make_in(shelf.top, shelf.name, error)
				     : wd_place_open_in(shelf.top, shelf.name, error);
	if (shelf.service < 0) {
		wd_shelf_close(&shelf);
		return wd_fail_in(error, "the snapshots of %s", service);
	}
	*ret_shelf = shelf;
	return true;
}

char *wd_shelf_temporary(const char *id)
{
	return wd_format(".%s.tmp", id);
}

/* --- what is in them -------------------------------------------------------------------------------------------------- */

static int compare(const void *one, const void *two)
{
	return strcmp(*(char *const *)one, *(char *const *)two);
}

static bool list(int directory, bool hidden, struct wd_list *names, struct wd_error *error)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;

	if (!entries) {
		wd_place_close(copy);
		return wd_fail_errno(error, WD_ERROR_FAILED, "the snapshots cannot be listed");
	}
	errno = 0;
	for (struct dirent *entry; (entry = readdir(entries)); errno = 0)
		if ((entry->d_name[0] == '.') == hidden)
			wd_list_add(names, entry->d_name);
	int number = errno;
	closedir(entries);
	errno = number;
	if (number)
		return wd_fail_errno(error, WD_ERROR_FAILED, "the snapshots cannot be listed");
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare);
	return true;
}

bool wd_shelf_names(int directory, struct wd_list *ret_names, struct wd_error *error)
{
	struct wd_list names = {0};

	if (!list(directory, false, &names, error)) {
		wd_list_done(&names);
		return false;
	}
	*ret_names = names;
	return true;
}

static bool fits(const char *name, const char *begins, const char *ends)
{
	size_t length = strlen(name), tail = strlen(ends);

	return length > strlen(begins) + tail && wd_text_starts(name, begins) &&
	       strcmp(name + length - tail, ends) == 0;
}

bool wd_shelf_sweep(int directory, const char *begins, const char *ends, struct wd_error *error)
{
	struct wd_list names = {0};
	bool good = list(directory, true, &names, error);

	for (size_t i = 0; good && i < names.count; i++)
		if (fits(names.items[i], begins, ends))
			good = wd_place_remove(directory, names.items[i], error);
	wd_list_done(&names);
	return good;
}

bool wd_shelf_lock(const struct wd_shelf *shelf, struct wd_error *error)
{
	if (flock(shelf->service, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return wd_fail(error, WD_ERROR_REFUSED, "%s: another vault is at work there", shelf->name);
	return wd_shelf_sweep(shelf->service, ".", ".tmp", error) || wd_fail_in(error, "what was left half-done");
}

/* --- files ------------------------------------------------------------------------------------------------------------ */

static bool read_all(int descriptor, struct wd_text *text)
{
	char block[65536];

	for (;;) {
		ssize_t got = read(descriptor, block, sizeof(block));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		wd_text_put(text, block, (size_t)got);
		if (text->length > FILE_MOST) {
			errno = EFBIG;
			return false;
		}
	}
}

bool wd_shelf_read_file(int directory, const char *name, struct wd_text *text, struct wd_error *error)
{
	WD_AUTO_CLOSE int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (file < 0 || !read_all(file, text))
		return wd_fail_errno(error, errno == ENOENT ? WD_ERROR_NOT_FOUND : WD_ERROR_FAILED, "%s", name);
	return true;
}

static bool write_all(int file, const char *text, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t put = write(file, text + done, length - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

bool wd_shelf_write_file(int directory, const char *name, const char *text, struct wd_error *error)
{
	WD_AUTO_CLOSE int file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0 || !write_all(file, text, strlen(text)) || fsync(file) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be written", name);
	return true;
}

static bool read_manifest(int directory, struct wd_snapshot *ret_snapshot, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	if (!wd_shelf_read_file(directory, WD_SHELF_MANIFEST, &text, error))
		return false;
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(wd_text_get(&text), text.length, error);
	return (json && wd_manifest_read(json, ret_snapshot, error)) || wd_fail_in(error, WD_SHELF_MANIFEST);
}

int wd_shelf_read(const struct wd_shelf *shelf, const char *id, struct wd_snapshot *ret_snapshot,
		  struct wd_error *error)
{
	int directory = -1;

	if (!wd_place_is_id(id)) {
		wd_fail(error, WD_ERROR_REFUSED, "%s: that is no snapshot's id", id ? id : "(nothing)");
		return -1;
	}
	directory = openat(shelf->service, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 && errno == ENOENT)
		wd_fail(error, WD_ERROR_NOT_FOUND, "there is no snapshot %s", id);
	else if (directory < 0)
		wd_fail_errno(error, WD_ERROR_FAILED, "snapshot %s", id);
	else if (read_manifest(directory, ret_snapshot, error))
		return directory;
	else
		wd_fail_in(error, "snapshot %s", id);
	return wd_place_close(directory);
}
