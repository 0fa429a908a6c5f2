#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <watchdog/map.h>
#include <watchdog/memory.h>

#include "index.h"
#include "tar.h"
#include "walk.h"

#define BLOCK_BYTES ((size_t)1 << 20)
#define LINK_MAX_BYTES 65536

struct pack {
	struct wd_tar_writer *writer;
	const struct wd_archive_watch *watch;
	struct wd_index *index; /* or NULL */
	struct wd_map *linked;  /* "device:inode" of files with several names -> the first one, owned */
	struct wd_tally tally;
	int descriptors; /* /proc/self/fd */
	char *block, *zeros;
};

/* What is of another kind than it was a moment ago was exchanged for something else. */
static bool is_exchanged(struct pack *pack, const struct wd_place *place)
{
	wd_archive_warn(pack->watch, place->path, "it was taken away while it was read: left out");
	return true;
}

/* Refers to what the name is now without opening it (a device would notice); -1 with *ret_good. */
static int refer(struct pack *pack, const struct wd_place *place, struct stat *status, bool *ret_good,
		 struct wd_error *error)
{
	int descriptor = openat(place->above, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	*ret_good = true;
	if (descriptor < 0) {
		*ret_good = errno == ENOENT ? is_exchanged(pack, place)
					    : wd_fail_path(error, place->path, "cannot open it");
		return -1;
	}
	if (fstat(descriptor, status) != 0) {
		*ret_good = wd_fail_path(error, place->path, "cannot look at it");
	} else if ((status->st_mode & S_IFMT) != (place->status->st_mode & S_IFMT)) {
		*ret_good = is_exchanged(pack, place);
	} else {
		return descriptor;
	}
	close(descriptor);
	return -1;
}

static bool count(struct pack *pack, const struct wd_place *place, const struct stat *status, wd_stamp now,
		  struct wd_error *error)
{
	pack->tally.files++;
	if (pack->index)
		wd_index_add(pack->index, place->path, status, now);
	return wd_archive_progress(pack->watch, &pack->tally, error);
}

/* --- hard links --- */

static const char *key_of(const struct stat *status, char buffer[static 64])
{
	snprintf(buffer, 64, "%" PRIx64 ":%" PRIx64, (uint64_t)status->st_dev, (uint64_t)status->st_ino);
	return buffer;
}

/* The first name of what is here again, or NULL. */
static const char *known_as(struct pack *pack, const struct stat *status)
{
	char key[64];

	return status->st_nlink > 1 ? wd_map_get(pack->linked, key_of(status, key)) : NULL;
}

static void remember(struct pack *pack, const struct stat *status, const char *path)
{
	char key[64];

	if (status->st_nlink > 1)
		wd_map_set(pack->linked, key_of(status, key), wd_copy(path));
}

/* --- content --- */

/* Where a file has holes: its parts between them. */
static bool find_extents(int descriptor, struct wd_node *node, struct wd_error *error)
{
	off_t at = 0, size = (off_t)node->size;

	while (at < size) {
		off_t from = lseek(descriptor, at, SEEK_DATA);

		if (from < 0 && errno == ENXIO)
			break; /* nothing but a hole up to the end */
		off_t to = from >= 0 ? lseek(descriptor, from, SEEK_HOLE) : -1;

		if (to < 0 && errno == ENXIO)
			break; /* it has become shorter meanwhile */
		if (to < 0)
			return wd_fail_path(error, node->path, "cannot find its holes");
		from = from < size ? from : size;
		to = to < size ? to : size;
		if (to > from)
			wd_node_extent(node, (uint64_t)from, (uint64_t)(to - from));
		at = to;
	}
	node->sparse = true;
	return true;
}

static bool look_for_holes(int descriptor, const struct stat *status, struct wd_node *node, struct wd_error *error)
{
	return status->st_size == 0 || (int64_t)status->st_blocks * 512 >= (int64_t)status->st_size ||
	       find_extents(descriptor, node, error);
}

/* Reads a whole block as far as there is one. */
static ssize_t read_block(int descriptor, char *block, size_t length, uint64_t offset)
{
	size_t filled = 0;

	while (filled < length) {
		ssize_t got = pread(descriptor, block + filled, length - filled, (off_t)(offset + filled));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

static bool passed(struct pack *pack, size_t length, struct wd_error *error)
{
	pack->tally.bytes += length;
	return wd_archive_progress(pack->watch, &pack->tally, error);
}

/* From offset to end; what is not there any more is zeros. ret_short: something was not there. */
static bool put_part(struct pack *pack, int descriptor, const struct wd_node *node, uint64_t offset, uint64_t end,
		     bool *ret_short, struct wd_error *error)
{
	while (offset < end) {
		size_t length = end - offset < BLOCK_BYTES ? (size_t)(end - offset) : BLOCK_BYTES;
		ssize_t got = *ret_short ? 0 : read_block(descriptor, pack->block, length, offset);

		if (got < 0)
			return wd_fail_path(error, node->path, "cannot read it");
		if ((size_t)got < length) {
			memset(pack->block + got, 0, length - (size_t)got);
			*ret_short = true;
		}
		if (!wd_tar_writer_put(pack->writer, pack->block, length, error) || !passed(pack, length, error))
			return false;
		offset += length;
	}
	return true;
}

static bool put_hole(struct pack *pack, uint64_t length, struct wd_error *error)
{
	pack->tally.bytes += length;
	while (length > 0) {
		size_t part = length < BLOCK_BYTES ? (size_t)length : BLOCK_BYTES;

		if (!wd_tar_writer_put(pack->writer, pack->zeros, part, error))
			return false;
		length -= part;
	}
	return wd_archive_progress(pack->watch, &pack->tally, error);
}

static bool put_sparse(struct pack *pack, int descriptor, const struct wd_node *node, bool *ret_short,
		       struct wd_error *error)
{
	uint64_t at = 0;

	for (size_t i = 0; i < node->extent_count; i++) {
		const struct wd_extent *extent = &node->extents[i];
		uint64_t end = extent->offset + extent->length;

		if (!put_hole(pack, extent->offset - at, error) ||
		    !put_part(pack, descriptor, node, extent->offset, end, ret_short, error))
			return false;
		at = end;
	}
	return put_hole(pack, node->size - at, error);
}

static void compare(struct pack *pack, int descriptor, const struct wd_node *node, const struct stat *before, bool cut)
{
	struct stat after;

	if (cut)
		return wd_archive_warn(pack->watch, node->path,
				       "it became shorter while it was read: filled up with zeros");
	if (fstat(descriptor, &after) != 0)
		return;
	if (after.st_size > before->st_size)
		return wd_archive_warn(pack->watch, node->path, "it grew while it was read: cut");
	if (after.st_mtim.tv_sec != before->st_mtim.tv_sec || after.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
		wd_archive_warn(pack->watch, node->path, "it was changed while it was read");
}

static bool put_content(struct pack *pack, int descriptor, const struct wd_node *node, const struct stat *status,
			struct wd_error *error)
{
	bool cut = false;

	if (!(node->sparse ? put_sparse(pack, descriptor, node, &cut, error)
			   : put_part(pack, descriptor, node, 0, node->size, &cut, error)))
		return false;
	compare(pack, descriptor, node, status, cut);
	return true;
}

/* --- each kind --- */

static bool pack_open_file(struct pack *pack, int descriptor, const struct stat *status, struct wd_node *node,
			   struct wd_error *error)
{
	node->kind = WD_NODE_FILE;
	node->size = (uint64_t)status->st_size;
	if (!wd_attributes_get(descriptor, node, pack->watch, error) ||
	    !look_for_holes(descriptor, status, node, error) || !wd_tar_writer_head(pack->writer, node, error))
		return false;
	remember(pack, status, node->path);
	return put_content(pack, descriptor, node, status, error);
}

/* Only what is known to be a file is opened, by the one name that nobody can exchange. */
static bool pack_file(struct pack *pack, int reference, const struct stat *status, struct wd_node *node,
		      struct wd_error *error)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", reference);
	int descriptor = wd_open_quietly(pack->descriptors, number, 0);

	if (descriptor < 0)
		return wd_fail_path(error, node->path, "cannot open it");
	bool good = pack_open_file(pack, descriptor, status, node, error);

	close(descriptor);
	return good;
}

static bool pack_symlink(struct pack *pack, int reference, const struct stat *status, struct wd_node *node,
			 struct wd_error *error)
{
	WD_AUTO_FREE char *target = wd_alloc(LINK_MAX_BYTES, 1);
	ssize_t length = readlinkat(reference, "", target, LINK_MAX_BYTES - 1);

	if (length < 0)
		return wd_fail_path(error, node->path, "cannot read the link");
	node->kind = WD_NODE_SYMLINK;
	node->link = wd_copy_part(target, (size_t)length);
	if (!wd_attributes_get(reference, node, pack->watch, error) || !wd_tar_writer_head(pack->writer, node, error))
		return false;
	remember(pack, status, node->path);
	return true;
}

static bool pack_hardlink(struct pack *pack, const char *first, struct wd_node *node, struct wd_error *error)
{
	node->kind = WD_NODE_HARDLINK;
	node->link = wd_copy(first);
	return wd_tar_writer_head(pack->writer, node, error);
}

static bool pack_leaf(struct pack *pack, const struct wd_place *place, struct wd_error *error)
{
	bool good = true;
	struct stat status;
	struct wd_node node = {0};
	wd_stamp now = wd_stamp_now();
	int reference = refer(pack, place, &status, &good, error);

	if (reference < 0)
		return good;
	const char *first = known_as(pack, &status);

	node.path = wd_copy(place->path);
	wd_node_stat(&node, &status);
	good = first                     ? pack_hardlink(pack, first, &node, error)
	       : S_ISREG(status.st_mode) ? pack_file(pack, reference, &status, &node, error)
					 : pack_symlink(pack, reference, &status, &node, error);
	wd_node_done(&node);
	close(reference);
	return good && count(pack, place, &status, now, error);
}

static bool pack_directory(struct pack *pack, const struct wd_place *place, struct wd_error *error)
{
	struct wd_node node = {.kind = WD_NODE_DIRECTORY, .path = wd_copy(place->path)};
	wd_stamp now = wd_stamp_now();

	wd_node_stat(&node, place->status);
	bool good = wd_attributes_get(place->directory, &node, pack->watch, error) &&
		    wd_tar_writer_head(pack->writer, &node, error) && count(pack, place, place->status, now, error);

	wd_node_done(&node);
	return good;
}

/* What is left out is in the index nevertheless, as the scan has it. */
static bool leave_out(struct pack *pack, const struct wd_place *place, const char *what)
{
	wd_archive_warn(pack->watch, place->path, what);
	if (pack->index)
		wd_index_add(pack->index, place->path, place->status, wd_stamp_now());
	return true;
}

static bool visit(void *data, const struct wd_place *place, struct wd_error *error)
{
	struct pack *pack = data;

	if (place->mounted && place->above >= 0)
		return leave_out(pack, place, "something is mounted there: left out");
	switch (place->status->st_mode & S_IFMT) {
	case S_IFDIR:
		return pack_directory(pack, place, error);
	case S_IFREG:
	case S_IFLNK:
		return pack_leaf(pack, place, error);
	case S_IFIFO:
		return leave_out(pack, place, "a fifo is left out");
	case S_IFSOCK:
		return leave_out(pack, place, "a socket is left out");
	default:
		return leave_out(pack, place, "a device is left out");
	}
}

static void pack_done(struct pack *pack)
{
	for (struct wd_map_entry *e = wd_map_first(pack->linked); e; e = wd_map_next(e))
		free(wd_map_value(e));
	wd_map_free(pack->linked);
	wd_tar_writer_free(pack->writer);
	free(pack->block);
	free(pack->zeros);
	if (pack->descriptors >= 0)
		close(pack->descriptors);
}

bool wd_archive_pack(int tree, struct wd_sink sink, const struct wd_archive_watch *watch, struct wd_index *ret_index,
		     struct wd_tally *ret_tally, struct wd_error *error)
{
	struct wd_index index = {0};
	struct pack pack = {
		.watch = watch,
		.index = ret_index ? &index : NULL,
		.linked = wd_map_new(),
		.descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.block = wd_alloc(BLOCK_BYTES, 1),
		.zeros = wd_alloc(BLOCK_BYTES, 1),
	};
	bool good = pack.descriptors >= 0 ||
		    wd_fail_errno(error, WD_ERROR_FAILED,
				  "cannot open /proc/self/fd, without which no file is safely read");

	good = good && (pack.writer = wd_tar_writer_new(sink, error)) && wd_walk(tree, watch, &pack, visit, error) &&
	       wd_tar_writer_end(pack.writer, error);
	if (good) {
		*ret_tally = pack.tally;
		if (ret_index)
			*ret_index = index;
	} else {
		wd_index_done(&index);
	}
	pack_done(&pack);
	return good;
}
