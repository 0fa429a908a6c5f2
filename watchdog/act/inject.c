/* inject.c: files that a container has of its own, in its writable layer, and that the next one is to have as well.
 * Compose copies secrets and configs that are given by value into the container it has made, before its first start: they
 * are no mounts, and a container that is made again without them starts without its secrets. What is below /run/secrets
 * is such a file, and so is one that nobody may write and that is as old as the container. Others of that age may be
 * compose's or the program's own: they are named in a rehearsal, and stay behind. */
#include "swap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>

enum { FILES_MAX = 64, TRIES = 3, KIND_ADDED = 1, MODE_MASK = 07777, MODE_WRITE = 0222 };
#define COMPOSE "com.docker.compose.project"
#define SECRETS "/run/secrets/"
#define INJECTED_WITHIN ((wd_stamp)60 * 1000000000)

/* A header of tar (POSIX ustar). */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8];
	char owner[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == 512, "a block of tar");

bool wd_inject_none(const struct wd_run *run)
{
	const struct wd_json *labels = wd_json_path(run->swap->inspect, "Config.Labels");

	return wd_json_bool(wd_json_path(run->swap->inspect, "HostConfig.ReadonlyRootfs"), false) ||
	       wd_json_get(labels, COMPOSE) == NULL;
}

void wd_inject_clear(struct wd_swap *swap)
{
	for (size_t i = 0; i < swap->file_count; i++) {
		free(swap->files[i].path);
		free(swap->files[i].tar);
	}
	free(swap->files);
	swap->files = NULL;
	swap->file_count = swap->fetched = 0;
}

/* --- which --- */

static bool is_secret(const char *path)
{
	return wd_text_starts(path, SECRETS);
}

static bool is_within(const char *path, const char *place)
{
	size_t length = strlen(place);

	return length > 1 && strncmp(path, place, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_mounted(const struct wd_swap *swap, const char *path)
{
	for (const struct wd_json *mount = wd_json_first(wd_json_get(swap->inspect, "Mounts")); mount;
	     mount = wd_json_next(mount))
		if (is_within(path, wd_json_string(wd_json_get(mount, "Destination"), "")))
			return true;
	return false;
}

/* The list is sorted: what is in a directory comes right behind it. */
static bool is_directory(const struct wd_json *change, const char *path)
{
	const struct wd_json *next = wd_json_next(change);

	return next && is_within(wd_json_string(wd_json_get(next, "Path"), ""), path);
}

static void add_file(struct wd_swap *swap, const char *path)
{
	swap->files = wd_realloc(swap->files, swap->file_count + 1, sizeof(*swap->files));
	swap->files[swap->file_count++] = (struct wd_swap_file){.path = wd_copy(path)};
}

static void add_files(struct wd_swap *swap, const struct wd_json *changes, bool secrets)
{
	for (const struct wd_json *change = wd_json_first(changes); change; change = wd_json_next(change)) {
		const char *path = wd_json_string(wd_json_get(change, "Path"), "");
		if (wd_json_int(wd_json_get(change, "Kind"), -1) != KIND_ADDED || path[0] != '/' ||
		    is_secret(path) != secrets || is_directory(change, path) || is_mounted(swap, path))
			continue;
		if (secrets || swap->file_count < FILES_MAX)
			add_file(swap, path);
	}
}

enum wd_kept wd_inject_changes(struct wd_run *run, const struct wd_engine_answer *answer)
{
	WD_AUTO_JSON struct wd_json *changes = wd_json_parse(answer->body, answer->length, NULL);

	if (!changes)
		return WD_KEPT_NOT;
	wd_inject_clear(run->swap);
	add_files(run->swap, changes, true);
	add_files(run->swap, changes, false);
	return WD_KEPT;
}

/* --- fetching --- */

bool wd_inject_all_fetched(const struct wd_run *run)
{
	return run->swap->fetched >= run->swap->file_count;
}

char *wd_inject_fetch_path(const struct wd_run *run)
{
	WD_AUTO_FREE char *escaped = wd_http_escape(run->swap->files[run->swap->fetched].path);

	return wd_format("/containers/%s/archive?path=%s", run->task.container, escaped);
}

static unsigned long number_of(const char *field, size_t room)
{
	WD_AUTO_FREE char *text = wd_copy_part(field, strnlen(field, room));

	return strtoul(text, NULL, 8);
}

static void print_number(char *field, size_t room, unsigned long number)
{
	snprintf(field, room, "%0*lo", (int)room - 1, number);
}

static void sum_up(struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned long sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	snprintf(header->checksum, sizeof(header->checksum), "%06lo", sum);
	header->checksum[7] = ' ';
}

/* Where the member's own header is: further ones about times and the like may stand before it. NULL: there is none, or its
 * name is in one of those. */
static struct header *find_header(char *tar, size_t length)
{
	size_t at = 0;

	while (at + sizeof(struct header) <= length) {
		struct header *header = (struct header *)(void *)(tar + at);
		unsigned long size = number_of(header->size, sizeof(header->size));
		if (header->type != 'x' && header->type != 'g')
			return size <= length - at - sizeof(*header) ? header : NULL;
		if (size > length - at - sizeof(*header) ||
		    memmem(tar + at + sizeof(*header), size, " path=", strlen(" path=")))
			return NULL;
		at += sizeof(*header) + (size + sizeof(*header) - 1) / sizeof(*header) * sizeof(*header);
	}
	return NULL;
}

/* Its name becomes the whole path: so the directories that the image lacks are made. */
static bool rename_member(struct header *header, const char *path)
{
	const char *name = path + 1, *cut = name;
	size_t length = strlen(name);

	while (length - (size_t)(cut - name) > sizeof(header->name)) {
		cut = strchr(cut, '/');
		if (!cut || (size_t)(cut - name) > sizeof(header->prefix))
			return false;
		cut++;
	}
	memset(header->name, 0, sizeof(header->name));
	memset(header->prefix, 0, sizeof(header->prefix));
	memcpy(header->name, cut, strlen(cut));
	if (cut > name)
		memcpy(header->prefix, name, (size_t)(cut - name) - 1);
	/* Engine 20.10 has the kind of the file in it as well. */
	print_number(header->mode, sizeof(header->mode), number_of(header->mode, sizeof(header->mode)) & MODE_MASK);
	sum_up(header);
	return true;
}

static bool is_as_old(const struct wd_swap *swap, const struct header *header)
{
	wd_stamp made = WD_STAMP_NONE;
	wd_stamp changed = (wd_stamp)number_of(header->mtime, sizeof(header->mtime)) * 1000000000;

	if (!wd_stamp_parse(wd_json_string(wd_json_get(swap->inspect, "Created"), ""), &made, NULL))
		return false;
	return changed >= made - made % 1000000000 && changed <= made + INJECTED_WITHIN;
}

/* A config has the mode that the compose file gives it, 0444 where it gives none. What may be written could as well be what
 * the program has left behind: a lock, the number of its process. */
static bool is_config(const struct wd_swap *swap, const struct header *header)
{
	return (number_of(header->mode, sizeof(header->mode)) & MODE_WRITE) == 0 && is_as_old(swap, header);
}

static void drop_file(struct wd_swap *swap)
{
	struct wd_swap_file *file = &swap->files[swap->fetched];

	free(file->path);
	free(file->tar);
	memmove(file, file + 1, (--swap->file_count - swap->fetched) * sizeof(*file));
}

static void warn_of(struct wd_swap *swap, const char *path)
{
	WD_AUTO_FREE char *warning =
		wd_format("%s is as old as the container, can be written, and is not copied", path);

	wd_list_add(&swap->recreate->warnings, warning);
}

/* False: it is not to be had. */
static bool take_tar(struct wd_swap *swap, const struct wd_engine_answer *answer)
{
	struct wd_swap_file *file = &swap->files[swap->fetched];
	WD_AUTO_FREE char *tar = wd_copy_part(answer->body, answer->length);
	struct header *header = find_header(tar, answer->length);

	if (header && header->type != '0' && header->type != '\0') {
		drop_file(swap);
		return true;
	}
	if (header && !is_secret(file->path) && !is_config(swap, header)) {
		if (is_as_old(swap, header))
			warn_of(swap, file->path);
		drop_file(swap);
		return true;
	}
	if (!header || !rename_member(header, file->path))
		return false;
	file->tar = wd_copy_part(tar, answer->length);
	file->length = answer->length;
	swap->fetched++;
	return true;
}

static enum wd_kept miss_file(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	struct wd_swap_file *file = &swap->files[swap->fetched];

	bool gone = answer->end == WD_HTTP_ANSWERED && answer->status == 404;

	if (++file->tries < TRIES && !gone)
		return WD_KEPT_NOT;
	if (!is_secret(file->path)) {
		drop_file(swap);
		return WD_KEPT;
	}
	free(run->why);
	run->why = wd_format("%s, which compose has copied into it, cannot be copied into the new one%s%s", file->path,
			     *answer->why ? ": " : "", answer->why);
	return WD_KEPT_FAILED;
}

enum wd_kept wd_inject_fetched(struct wd_run *run, const struct wd_engine_answer *answer)
{
	bool fine = answer->end == WD_HTTP_ANSWERED && answer->status == 200;
	enum wd_kept kept = WD_KEPT;

	if (!fine || !take_tar(run->swap, answer))
		kept = miss_file(run, answer);
	return kept == WD_KEPT && !wd_inject_all_fetched(run) ? WD_KEPT_MORE : kept;
}

/* --- putting --- */

bool wd_inject_all_put(const struct wd_run *run)
{
	return run->swap->injected >= run->swap->file_count;
}

char *wd_inject_path(const struct wd_run *run)
{
	return wd_swap_path(run, "/archive?path=/&copyUIDGID=1");
}

char *wd_inject_body(const struct wd_run *run, size_t *ret_length)
{
	const struct wd_swap_file *file = &run->swap->files[run->swap->injected];

	*ret_length = file->length;
	return wd_copy_part(file->tar, file->length);
}

enum wd_kept wd_inject_put(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->swap->injected++;
	return wd_inject_all_put(run) ? WD_KEPT : WD_KEPT_MORE;
}
