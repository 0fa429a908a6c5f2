#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <watchdog/memory.h>

#include "index.h"
#include "walk.h"

#define HEAD "seadog index 1"
#define TICK_FINE ((wd_stamp)20000000)     /* the kernel's clock for files ticks at least each 10 ms */
#define TICK_COARSE ((wd_stamp)2000000000) /* where times have no fraction: ext3, FAT */
#define INDEX_MAX ((size_t)4 << 30)
#define BLOCK_BYTES ((size_t)256 << 10)

void wd_index_done(struct wd_index *index)
{
	free(index->entries);
	wd_text_done(&index->paths);
	*index = (struct wd_index){0};
}

static wd_stamp stamp_of(struct timespec time)
{
	return (wd_stamp)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct wd_index_entry *append(struct wd_index *index, const char *path)
{
	if (index->count == index->room) {
		index->room = index->room ? 2 * index->room : 64;
		index->entries = wd_realloc(index->entries, index->room, sizeof(*index->entries));
	}
	struct wd_index_entry *entry = &index->entries[index->count++];

	*entry = (struct wd_index_entry){.path = index->paths.length};
	wd_text_put(&index->paths, path, strlen(path) + 1);
	return entry;
}

void wd_index_add(struct wd_index *index, const char *path, const struct stat *status, wd_stamp now)
{
	struct wd_index_entry *entry = append(index, path);
	bool coarse = status->st_mtim.tv_nsec == 0 && status->st_ctim.tv_nsec == 0;

	entry->device = status->st_dev;
	entry->inode = status->st_ino;
	entry->size = (uint64_t)status->st_size;
	entry->changed = stamp_of(status->st_mtim);
	entry->touched = stamp_of(status->st_ctim);
	entry->unsure = entry->touched > now - (coarse ? TICK_COARSE : TICK_FINE);
}

struct scan {
	struct wd_index index;
	struct wd_tally tally;
	const struct wd_archive_watch *watch;
};

static bool visit(void *data, const struct wd_place *place, struct wd_error *error)
{
	struct scan *scan = data;

	wd_index_add(&scan->index, place->path, place->status, wd_stamp_now());
	scan->tally.files++;
	if (S_ISREG(place->status->st_mode))
		scan->tally.bytes += (uint64_t)place->status->st_size;
	return wd_archive_progress(scan->watch, &scan->tally, error);
}

bool wd_index_scan(int tree, const struct wd_archive_watch *watch, struct wd_index *ret_index,
		   struct wd_tally *ret_tally, struct wd_error *error)
{
	struct scan scan = {.watch = watch};

	if (!wd_walk(tree, watch, &scan, visit, error)) {
		wd_index_done(&scan.index);
		return false;
	}
	*ret_index = scan.index;
	*ret_tally = scan.tally;
	return true;
}

static bool is_same(const struct wd_index *one, const struct wd_index *two, size_t i)
{
	const struct wd_index_entry *a = &one->entries[i], *b = &two->entries[i];

	return !a->unsure && !b->unsure && a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed == b->changed && a->touched == b->touched &&
	       strcmp(one->paths.data + a->path, two->paths.data + b->path) == 0;
}

bool wd_index_equal(const struct wd_index *one, const struct wd_index *two)
{
	bool same = one->count == two->count;

	for (size_t i = 0; same && i < one->count; i++)
		same = is_same(one, two, i);
	return same;
}

/* --- on disk: a line, then one record for each file that ends with the NUL of its path --- */

static bool flush(int descriptor, struct wd_text *text, struct wd_error *error)
{
	size_t at = 0;

	while (at < text->length) {
		ssize_t put = write(descriptor, text->data + at, text->length - at);

		if (put < 0 && errno != EINTR)
			return wd_fail_errno(error, WD_ERROR_FAILED, "cannot write the index");
		at += put > 0 ? (size_t)put : 0;
	}
	wd_text_clear(text);
	return true;
}

bool wd_index_write(const struct wd_index *index, int descriptor, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text text = {0};
	bool good = true;

	wd_text_print(&text, HEAD " %zu\n", index->count);
	for (size_t i = 0; good && i < index->count; i++) {
		const struct wd_index_entry *entry = &index->entries[i];
		const char *path = index->paths.data + entry->path;

		wd_text_print(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %d ", entry->device,
			      entry->inode, entry->size, entry->changed, entry->touched, entry->unsure);
		wd_text_put(&text, path, strlen(path) + 1);
		good = text.length < BLOCK_BYTES || flush(descriptor, &text, error);
	}
	return good && flush(descriptor, &text, error);
}

static bool read_all(int descriptor, struct wd_text *text, struct wd_error *error)
{
	WD_AUTO_FREE char *block = wd_alloc(BLOCK_BYTES, 1);

	for (;;) {
		ssize_t got = read(descriptor, block, BLOCK_BYTES);

		if (got < 0 && errno != EINTR)
			return wd_fail_errno(error, WD_ERROR_FAILED, "cannot read the index");
		if (got == 0)
			return true;
		wd_text_put(text, block, got > 0 ? (size_t)got : 0);
		if (text->length > INDEX_MAX)
			return wd_fail(error, WD_ERROR_FAILED, "the index is too large");
	}
}

/* A number and the blank, or the end of the line, behind it. */
static bool take_number(const char **at, bool negative, uint64_t *ret_number)
{
	char *end = NULL;
	bool minus = **at == '-';

	if ((!minus || !negative) && (**at < '0' || **at > '9'))
		return false;
	errno = 0;
	*ret_number = negative ? (uint64_t)strtoll(*at, &end, 10) : strtoull(*at, &end, 10);
	if (errno != 0 || end == *at || (*end != ' ' && *end != '\n'))
		return false;
	*at = end + 1;
	return true;
}

static bool take_entry(const char **at, const char *end, struct wd_index *index)
{
	uint64_t numbers[6];

	for (size_t i = 0; i < 6; i++)
		if (!take_number(at, i == 3 || i == 4, &numbers[i]))
			return false;
	size_t length = strlen(*at);

	if (*at + length >= end || length == 0 || numbers[5] > 1)
		return false;
	struct wd_index_entry *entry = append(index, *at);

	entry->device = numbers[0];
	entry->inode = numbers[1];
	entry->size = numbers[2];
	entry->changed = (wd_stamp)numbers[3];
	entry->touched = (wd_stamp)numbers[4];
	entry->unsure = numbers[5] == 1;
	*at += length + 1;
	return true;
}

static bool parse(const struct wd_text *text, struct wd_index *index)
{
	const char *at = wd_text_get(text), *end = at + text->length;
	uint64_t count = 0;

	if (!wd_text_starts(at, HEAD " "))
		return false;
	at += strlen(HEAD " ");
	if (!take_number(&at, false, &count))
		return false;
	while (at < end && index->count < count)
		if (!take_entry(&at, end, index))
			return false;
	return at == end && index->count == count;
}

bool wd_index_read(int descriptor, struct wd_index *ret_index, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text text = {0};
	struct wd_index index = {0};

	if (!read_all(descriptor, &text, error))
		return false;
	if (!parse(&text, &index)) {
		wd_index_done(&index);
		return wd_fail(error, WD_ERROR_FAILED, "the index is broken, or of another version");
	}
	*ret_index = index;
	return true;
}
