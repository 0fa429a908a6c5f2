#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <watchdog/map.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "tar.h"
#include "walk.h"

#define PATH_BYTES_MAX 65536
#define NAME_BYTES_MAX 255
#define LINK_BYTES_MAX 4095 /* what symlink(2) takes */
#define DEPTH_MAX 1001
#define HEADER_BYTES_MAX ((uint64_t)1280 << 10) /* what stands before the content of an entry, at most */
#define MORE_FILES 16
#define PROGRESS_BYTES (1 << 20)

/* What the archive has brought; as values of a map. */
static char is_directory, is_no_directory;

struct unpack {
	struct wd_tar_reader *reader;
	const struct wd_archive_watch *watch;
	struct wd_tally most, tally;
	struct wd_map *brought; /* clean path -> &is_directory, &is_no_directory */
	int tree;               /* -1: it is only looked at */
	int above;              /* the directory that was last written to, or -1 */
	char *above_path;
	struct wd_node *directories;
	size_t count, room; /* in the order in which they came; finished when all is there */
};

/* --- what is let in --- */

static bool hostile(struct wd_error *error, const char *path, const char *what)
{
	return wd_refuse_path(error, WD_ERROR_REFUSED, path, what);
}

static bool add_part(struct wd_text *clean, const char *part, size_t length, const char *path, struct wd_error *error)
{
	if (length == 2 && part[0] == '.' && part[1] == '.')
		return hostile(error, path, "it has \"..\" in its name");
	if (length > NAME_BYTES_MAX)
		return hostile(error, path, "it has a name of more than 255 bytes");
	if (length == 0 || (length == 1 && part[0] == '.'))
		return true;
	if (clean->length)
		wd_text_add(clean, "/");
	wd_text_put(clean, part, length);
	return true;
}

/* "./a//b/" to "a/b"; the tree itself is "". */
static bool clean_path(const char *path, struct wd_text *clean, struct wd_error *error)
{
	unsigned depth = 0;

	if (path[0] == '/')
		return hostile(error, path, "it has an absolute name");
	if (path[0] == '\0')
		return hostile(error, path, "it has no name");
	if (strlen(path) > PATH_BYTES_MAX)
		return hostile(error, path, "its name is longer than 65536 bytes");
	for (const char *part = path;; depth++) {
		size_t length = strcspn(part, "/");

		if (!add_part(clean, part, length, path, error))
			return false;
		if (part[length] == '\0')
			break;
		part += length + 1;
	}
	return depth <= DEPTH_MAX || hostile(error, path, "it is deeper than 1000 directories");
}

static bool is_brought(const struct unpack *unpack, const char *path, const void *as)
{
	return wd_map_get(unpack->brought, path) == as;
}

static char *above_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return wd_copy_part(path, slash ? (size_t)(slash - path) : 0);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool check_place(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	WD_AUTO_FREE char *above = above_of(node->path);

	if (wd_map_get(unpack->brought, node->path))
		return hostile(error, *node->path ? node->path : ".", "it is in the archive twice");
	if (*node->path == '\0')
		return node->kind == WD_NODE_DIRECTORY || hostile(error, ".", "the tree itself is no directory");
	return *above == '\0' || is_brought(unpack, above, &is_directory) ||
	       hostile(error, node->path, "it is in what is no directory of this archive");
}

/* The link of a node becomes clean too, if it names a place in the archive. */
static bool check_link(struct unpack *unpack, struct wd_node *node, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text clean = {0};

	if (node->kind == WD_NODE_SYMLINK)
		return (node->link && node->link[0] && strlen(node->link) <= LINK_BYTES_MAX) ||
		       hostile(error, node->path, "it is a symbolic link of no, or of too much, text");
	if (node->kind != WD_NODE_HARDLINK)
		return true;
	if (!clean_path(node->link, &clean, error))
		return wd_fail_in(error, "hard link");
	wd_replace(&node->link, wd_text_get(&clean));
	return is_brought(unpack, node->link, &is_no_directory) ||
	       hostile(error, node->path, "it is a hard link to what the archive has not brought");
}

static bool check_amount(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	if (unpack->tally.files >= unpack->most.files)
		return hostile(error, node->path, "there are more files than the manifest says");
	return node->size <= unpack->most.bytes - unpack->tally.bytes ||
	       hostile(error, node->path, "there is more in the archive than the manifest says");
}

static bool check_numbers(const struct wd_node *node, struct wd_error *error)
{
	/* The last one means "leave it" to chown(2). */
	if (node->owner < 0 || node->owner >= UINT32_MAX || node->group < 0 || node->group >= UINT32_MAX)
		return hostile(error, node->path, "it has an owner that cannot be");
	return node->nanoseconds < 1000000000 || hostile(error, node->path, "it has a time that cannot be");
}

/* Holds an entry to the rules; its path becomes clean. */
static bool let_in(struct unpack *unpack, struct wd_node *node, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text clean = {0};

	if (!clean_path(node->path, &clean, error))
		return false;
	wd_replace(&node->path, wd_text_get(&clean));
	if (node->kind == WD_NODE_OTHER)
		return hostile(error, node->path, "it is a device, a fifo, or of a kind that is not known");
	if (!check_place(unpack, node, error) || !check_link(unpack, node, error) ||
	    !check_amount(unpack, node, error) || !check_numbers(node, error))
		return false;
	wd_map_set(unpack->brought, node->path, node->kind == WD_NODE_DIRECTORY ? &is_directory : &is_no_directory);
	unpack->tally.files++;
	return true;
}

/* --- where it goes --- */

/* Opens a directory of the tree step by step: no step is a link. -1 with the error. */
static int open_directory(struct unpack *unpack, const char *path, struct wd_error *error)
{
	int at = openat(unpack->tree, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (const char *part = path; at >= 0 && *part;) {
		size_t length = strcspn(part, "/");
		char name[NAME_BYTES_MAX + 1] = "";

		memcpy(name, part, length);
		int next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int number = errno;

		close(at);
		errno = number;
		at = next;
		part += length + (part[length] == '/');
	}
	if (at < 0)
		wd_fail_path(error, *path ? path : ".", "cannot open the directory");
	return at;
}

static bool go_to(struct unpack *unpack, const char *path, struct wd_error *error)
{
	WD_AUTO_FREE char *above = above_of(path);

	if (unpack->above >= 0 && strcmp(unpack->above_path, above) == 0)
		return true;
	int next = open_directory(unpack, above, error);

	if (next < 0)
		return false;
	if (unpack->above >= 0)
		close(unpack->above);
	unpack->above = next;
	wd_replace(&unpack->above_path, above);
	return true;
}

/* --- making it --- */

static bool finish(int descriptor, const struct wd_node *node, const struct wd_archive_watch *watch,
		   struct wd_error *error)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_sec = node->seconds, .tv_nsec = (long)node->nanoseconds}};

	/* A new owner takes setuid and capabilities away, a new mode the mask of an ACL: each comes before. */
	if (fchown(descriptor, (uid_t)node->owner, (gid_t)node->group) != 0)
		return wd_fail_path(error, node->path, "cannot set its owner");
	if (!wd_attributes_set(descriptor, node, watch, error))
		return false;
	if (fchmod(descriptor, node->mode) != 0)
		return wd_fail_path(error, node->path, "cannot set its mode");
	return futimens(descriptor, times) == 0 || wd_fail_path(error, node->path, "cannot set its time");
}

static bool write_at(int descriptor, const char *bytes, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t put = pwrite(descriptor, bytes, length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		length -= (size_t)put;
		offset += (size_t)put;
	}
	return true;
}

/* The content, and where it belongs; descriptor -1: it is only looked at. */
static bool take_content(struct unpack *unpack, const struct wd_node *node, int descriptor, struct wd_error *error)
{
	const void *bytes = NULL;
	size_t length = 0;
	uint64_t offset = 0, end = 0, told = 0;
	struct wd_tally before = unpack->tally;
	int more;

	while ((more = wd_tar_reader_get(unpack->reader, &bytes, &length, &offset, error)) > 0) {
		if (offset < end || offset > node->size || length > node->size - offset)
			return hostile(error, node->path, "it has content where none belongs");
		if (descriptor >= 0 && !write_at(descriptor, bytes, length, offset))
			return wd_fail_path(error, node->path, "cannot write it");
		end = offset + length;
		unpack->tally.bytes = before.bytes + end;
		if (end - told >= PROGRESS_BYTES && !wd_archive_progress(unpack->watch, &unpack->tally, error))
			return false;
		told = end - told >= PROGRESS_BYTES ? end : told;
	}
	unpack->tally.bytes = before.bytes + node->size;
	if (more < 0)
		return wd_fail_in(error, "in a file");
	return descriptor < 0 || ftruncate(descriptor, (off_t)node->size) == 0 ||
	       wd_fail_path(error, node->path, "cannot set its size");
}

static bool make_file(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	int descriptor =
		openat(unpack->above, name_of(node->path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (descriptor < 0)
		return wd_fail_path(error, node->path, "cannot make it");
	bool good = take_content(unpack, node, descriptor, error) && finish(descriptor, node, unpack->watch, error);

	if (close(descriptor) != 0 && good)
		good = wd_fail_path(error, node->path, "cannot write it");
	return good;
}

static bool finish_symlink(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	const char *name = name_of(node->path);
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_sec = node->seconds, .tv_nsec = (long)node->nanoseconds}};

	if (fchownat(unpack->above, name, (uid_t)node->owner, (gid_t)node->group, AT_SYMLINK_NOFOLLOW) != 0)
		return wd_fail_path(error, node->path, "cannot set its owner");
	if (node->attribute_count) {
		int descriptor = openat(unpack->above, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (descriptor < 0)
			return wd_fail_path(error, node->path, "cannot open it");
		bool good = wd_attributes_set(descriptor, node, unpack->watch, error);

		close(descriptor);
		if (!good)
			return false;
	}
	return utimensat(unpack->above, name, times, AT_SYMLINK_NOFOLLOW) == 0 ||
	       wd_fail_path(error, node->path, "cannot set its time");
}

static bool make_symlink(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	if (symlinkat(node->link, unpack->above, name_of(node->path)) != 0)
		return wd_fail_path(error, node->path, "cannot make the link");
	return finish_symlink(unpack, node, error);
}

static bool make_hardlink(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	WD_AUTO_FREE char *above = above_of(node->link);
	int from = open_directory(unpack, above, error);

	if (from < 0)
		return false;
	bool good = linkat(from, name_of(node->link), unpack->above, name_of(node->path), 0) == 0 ||
		    wd_fail_path(error, node->path, "cannot make the hard link");

	close(from);
	return good;
}

/* Moves the node to those that are finished at the end: what is made in them would change their times, and what they hand
 * down (default ACLs) would change what is made in them. */
static void keep_directory(struct unpack *unpack, struct wd_node *node)
{
	if (unpack->count == unpack->room) {
		unpack->room = unpack->room ? 2 * unpack->room : 16;
		unpack->directories = wd_realloc(unpack->directories, unpack->room, sizeof(*unpack->directories));
	}
	unpack->directories[unpack->count++] = *node;
	*node = (struct wd_node){0};
}

static bool make_directory(struct unpack *unpack, struct wd_node *node, struct wd_error *error)
{
	if (*node->path && mkdirat(unpack->above, name_of(node->path), 0700) != 0)
		return wd_fail_path(error, node->path, "cannot make the directory");
	keep_directory(unpack, node);
	return true;
}

static bool make(struct unpack *unpack, struct wd_node *node, struct wd_error *error)
{
	if (!go_to(unpack, node->path, error))
		return false;
	switch (node->kind) {
	case WD_NODE_FILE:
		return make_file(unpack, node, error);
	case WD_NODE_DIRECTORY:
		return make_directory(unpack, node, error);
	case WD_NODE_SYMLINK:
		return make_symlink(unpack, node, error);
	default:
		return make_hardlink(unpack, node, error);
	}
}

static bool finish_directory(struct unpack *unpack, const struct wd_node *node, struct wd_error *error)
{
	int reference = open_directory(unpack, node->path, error);
	int descriptor = reference >= 0 ? wd_open_quietly(reference, ".", O_DIRECTORY) : -1;
	bool good = descriptor >= 0 && finish(descriptor, node, unpack->watch, error);

	if (reference >= 0 && descriptor < 0)
		wd_fail_path(error, node->path, "cannot open the directory");
	if (reference >= 0)
		close(reference);
	if (descriptor >= 0)
		close(descriptor);
	return good;
}

/* --- all of it --- */

static bool take_entry(struct unpack *unpack, struct wd_node *node, struct wd_error *error)
{
	if (!let_in(unpack, node, error))
		return false;
	bool good = unpack->tree >= 0            ? make(unpack, node, error)
		    : node->kind == WD_NODE_FILE ? take_content(unpack, node, -1, error)
						 : true;

	return good && wd_archive_progress(unpack->watch, &unpack->tally, error);
}

static bool take_all(struct unpack *unpack, struct wd_error *error)
{
	for (;;) {
		struct wd_node node = {0};
		int more = wd_tar_reader_next(unpack->reader, unpack->watch, &node, error);
		bool good = more > 0 && take_entry(unpack, &node, error);

		wd_node_done(&node);
		if (more == 0)
			break;
		if (!good)
			return false;
	}
	for (size_t i = unpack->count; i-- > 0;)
		if (!finish_directory(unpack, &unpack->directories[i], error))
			return false;
	return true;
}

/* Headers and maps of holes come on top of the content, and are bounded by that. */
static uint64_t stream_most(struct wd_tally most)
{
	uint64_t bytes = most.bytes < UINT64_MAX / 4 ? 2 * most.bytes : UINT64_MAX / 2;
	uint64_t files = most.files < UINT32_MAX ? most.files + MORE_FILES : UINT32_MAX;

	return bytes + files * HEADER_BYTES_MAX;
}

static void unpack_done(struct unpack *unpack)
{
	wd_tar_reader_free(unpack->reader);
	wd_map_free(unpack->brought);
	for (size_t i = 0; i < unpack->count; i++)
		wd_node_done(&unpack->directories[i]);
	free(unpack->directories);
	free(unpack->above_path);
	if (unpack->above >= 0)
		close(unpack->above);
}

static bool run(struct wd_source source, int tree, const struct wd_archive_watch *watch, struct wd_tally most,
		struct wd_tally *ret_tally, struct wd_error *error)
{
	struct unpack unpack = {.watch = watch, .most = most, .tree = tree, .above = -1, .brought = wd_map_new()};

	unpack.reader = wd_tar_reader_new(source, stream_most(most), error);
	bool good = unpack.reader && take_all(&unpack, error);

	if (good)
		*ret_tally = unpack.tally;
	unpack_done(&unpack);
	return good;
}

bool wd_archive_check(struct wd_source source, const struct wd_archive_watch *watch, struct wd_tally most,
		      struct wd_tally *ret_tally, struct wd_error *error)
{
	return run(source, -1, watch, most, ret_tally, error);
}

bool wd_archive_unpack(struct wd_source source, int tree, const struct wd_archive_watch *watch, struct wd_tally most,
		       struct wd_tally *ret_tally, struct wd_error *error)
{
	return run(source, tree, watch, most, ret_tally, error);
}
