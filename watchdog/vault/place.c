#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

enum { NAME_MOST = 255 };
#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int wd_place_close(int descriptor)
{
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

void wd_place_auto_close(int *descriptor)
{
	*descriptor = wd_place_close(*descriptor);
}

/* --- the way there ---------------------------------------------------------------------------------------------------- */

static int fail_open(const char *path, struct wd_error *error)
{
	if (errno == ELOOP || errno == ENOTDIR)
		wd_fail(error, WD_ERROR_REFUSED, "%s: on the way there is a symbolic link, or no directory", path);
	else if (errno == ENOENT)
		wd_fail(error, WD_ERROR_NOT_FOUND, "%s: there is no such directory here", path);
	else
		wd_fail_errno(error, WD_ERROR_FAILED, "%s", path);
	return -1;
}

static bool is_step(const char *name, size_t length)
{
	return length > 0 && length <= NAME_MOST && !(length == 1 && name[0] == '.') &&
	       !(length == 2 && memcmp(name, "..", 2) == 0);
}

/* `end`: the way ends there. */
static int walk(const char *path, const char *end, struct wd_error *error)
{
	int here = open("/", DIRECTORY);

	for (const char *name = path + 1, *next; here >= 0 && name < end; name = next + 1) {
		next = memchr(name, '/', (size_t)(end - name));
		next = next ? next : end;
		if (!is_step(name, (size_t)(next - name))) {
			wd_place_close(here);
			wd_fail(error, WD_ERROR_REFUSED, "%s: that is no plain absolute path", path);
			return -1;
		}
		WD_AUTO_FREE char *step = wd_copy_part(name, (size_t)(next - name));
		int there = openat(here, step, DIRECTORY);
		close(here);
		here = there;
	}
	return here >= 0 ? here : fail_open(path, error);
}

static int fail_relative(const char *path, struct wd_error *error)
{
	wd_fail(error, WD_ERROR_REFUSED, "%s: that is no absolute path", path ? path : "(nothing)");
	return -1;
}

int wd_place_open(const char *path, struct wd_error *error)
{
	if (!path || path[0] != '/')
		return fail_relative(path, error);
	return walk(path, path + strlen(path), error);
}

int wd_place_open_parent(const char *path, const char **ret_name, struct wd_error *error)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash || path[0] != '/')
		return fail_relative(path, error);
	if (!is_step(slash + 1, strlen(slash + 1))) {
		wd_fail(error, WD_ERROR_REFUSED, "%s: that is no plain absolute path", path);
		return -1;
	}
	int parent = walk(path, slash > path ? slash : path + 1, error);
	if (parent >= 0)
		*ret_name = slash + 1;
	return parent;
}

int wd_place_open_in(int directory, const char *name, struct wd_error *error)
{
	int there = openat(directory, name, DIRECTORY);

	return there >= 0 ? there : fail_open(name, error);
}

int wd_place_make_in(int directory, const char *name, struct wd_error *error)
{
	if (mkdirat(directory, name, 0700) != 0 && errno != EEXIST) {
		wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be made", name);
		return -1;
	}
	return wd_place_open_in(directory, name, error);
}

int wd_place_make_new(int directory, const char *name, struct wd_error *error)
{
	if (!wd_place_remove(directory, name, error))
		return -1;
	return wd_place_make_in(directory, name, error);
}

/* --- what is asked of it ---------------------------------------------------------------------------------------------- */

bool wd_place_has(int directory, const char *name)
{
	struct stat found;

	return fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0;
}

bool wd_place_sync(int descriptor, const char *what, struct wd_error *error)
{
	if (fsync(descriptor) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be written to the disk", what);
	return true;
}

bool wd_place_rename(int directory, const char *from, const char *to, struct wd_error *error)
{
	if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0)
		return true;
	/* Not every file system knows that flag. */
	if (errno == EINVAL && !wd_place_has(directory, to) && renameat(directory, from, directory, to) == 0)
		return true;
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be renamed to %s", from, to);
}

bool wd_place_room(int directory, uint64_t *ret_free, uint64_t *ret_total, struct wd_error *error)
{
	struct statvfs found;

	if (fstatvfs(directory, &found) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "how much room there is cannot be told");
	*ret_free = (uint64_t)found.f_bavail * found.f_frsize;
	*ret_total = (uint64_t)found.f_blocks * found.f_frsize;
	return true;
}

/* --- removing --------------------------------------------------------------------------------------------------------- */

static bool is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static DIR *list(int descriptor)
{
	int copy = openat(descriptor, ".", DIRECTORY);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;

	if (!entries)
		wd_place_close(copy);
	return entries;
}

/* Files go; what is a directory with something in it is put into `top` under a name of its own, where it will be met: so
 * nothing has to be remembered, however deep it was. */
static bool clear(int directory, int top, unsigned *number)
{
	DIR *entries = list(directory);
	bool good = entries != NULL;

	for (struct dirent *entry; good && (entry = readdir(entries));) {
		char name[32];
		if (!is_entry(entry) || unlinkat(directory, entry->d_name, 0) == 0)
			continue;
		if (unlinkat(directory, entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		if (errno != ENOTEMPTY && errno != EEXIST)
			good = false;
		do
			snprintf(name, sizeof(name), ".seadog-%u", (*number)++);
		while (good && wd_place_has(top, name));
		good = good && renameat(directory, entry->d_name, top, name) == 0;
	}
	int number_of_error = errno;
	if (entries)
		closedir(entries);
	errno = number_of_error;
	return good;
}

/* For who is not root; nobody else is in what is to be removed. */
static void let_in(int directory, const char *name)
{
	struct stat found;

	if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode) &&
	    (found.st_mode & S_IRWXU) != S_IRWXU && fchmodat(directory, name, S_IRWXU, 0) != 0)
		return; /* opening it will tell */
}

/* One that is in `top`, and not empty. */
static bool clear_sub(int top, const char *name, unsigned *number)
{
	let_in(top, name);
	WD_AUTO_CLOSE int sub = openat(top, name, DIRECTORY);

	return sub >= 0 && clear(sub, top, number) && unlinkat(top, name, AT_REMOVEDIR) == 0;
}

static bool clear_top(int top)
{
	unsigned number = 0;
	bool more = true, good = true;

	while (good && more) {
		DIR *entries = list(top);
		good = entries != NULL;
		more = false;
		for (struct dirent *entry; good && (entry = readdir(entries));) {
			if (!is_entry(entry))
				continue;
			more = true;
			if (unlinkat(top, entry->d_name, 0) != 0 && unlinkat(top, entry->d_name, AT_REMOVEDIR) != 0)
				good = clear_sub(top, entry->d_name, &number);
		}
		int number_of_error = errno;
		if (entries)
			closedir(entries);
		errno = number_of_error;
	}
	return good;
}

bool wd_place_remove(int directory, const char *name, struct wd_error *error)
{
	if (unlinkat(directory, name, 0) == 0 || errno == ENOENT || unlinkat(directory, name, AT_REMOVEDIR) == 0)
		return true;
	let_in(directory, name);
	WD_AUTO_CLOSE int top = openat(directory, name, DIRECTORY);
	if (top >= 0 && clear_top(top) && unlinkat(directory, name, AT_REMOVEDIR) == 0)
		return true;
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be removed", name);
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

static bool is_plain(unsigned char byte, bool first)
{
	return byte > ' ' && byte != 0x7f && byte != '/' && byte != '%' && !(first && byte == '.');
}

char *wd_place_name(const char *text)
{
	struct wd_text name = {0};

	for (const char *at = text; *at; at++) {
		if (is_plain((unsigned char)*at, at == text))
			wd_text_put(&name, at, 1);
		else
			wd_text_print(&name, "%%%02X", (unsigned char)*at);
	}
	return wd_text_take(&name);
}

static int digit(char letter)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = letter ? strchr(digits, letter) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *wd_place_text(const char *name)
{
	struct wd_text text = {0};

	for (const char *at = name; *at; at++) {
		bool coded = *at == '%' && digit(at[1]) >= 0 && digit(at[2]) >= 0;
		char byte = coded ? (char)(digit(at[1]) * 16 + digit(at[2])) : *at;
		wd_text_put(&text, &byte, 1);
		at += coded ? 2 : 0;
	}
	return wd_text_take(&text);
}

static bool is_made_of(const char *text, const char *allowed, size_t most)
{
	size_t length = text ? strlen(text) : 0;

	return length > 0 && length <= most && strspn(text, allowed) == length;
}

bool wd_place_is_id(const char *text)
{
	return is_made_of(text, "0123456789abcdefTZ-", 40) && text[0] != '-';
}

bool wd_place_is_token(const char *text)
{
	return is_made_of(text, "0123456789abcdefghijklmnopqrstuvwxyz", 40);
}
