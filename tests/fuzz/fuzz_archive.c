/* Whatever is taken for an archive: what is written of it is in the tree, all else is as it was; who only looks at it says
 * the same; and what has come out goes into an archive again. */
#include <fuzz/fuzz.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <watchdog/text.h>

#include "../../watchdog/vault/archive.h"

#define MOST ((struct wd_tally){.files = 200, .bytes = 1 << 20})

struct pieces {
	const char *bytes;
	size_t length;
};

static ssize_t get(void *data, const void **ret_bytes, struct wd_error *error)
{
	struct pieces *pieces = data;
	size_t length = pieces->length < 700 ? pieces->length : 700;

	(void)error;
	*ret_bytes = pieces->bytes;
	pieces->bytes += length;
	pieces->length -= length;
	return (ssize_t)length;
}

static bool put(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	(void)error;
	wd_text_put(data, bytes, length);
	return true;
}

static char place[64]; /* in memory where there is such a place; "tree" and "secret" are in it */
static int root = -1;  /* it itself */
static struct stat secret_before;

static void remove_tree(int above, const char *name)
{
	int directory = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (directory < 0 && fchmodat(above, name, 0700, 0) == 0)
		directory = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fdopendir(directory);
	struct dirent *entry;

	assert(stream);
	fchmod(directory, 0700);
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    unlinkat(directory, entry->d_name, 0) != 0)
			remove_tree(directory, entry->d_name);
	closedir(stream);
	assert(unlinkat(above, name, AT_REMOVEDIR) == 0);
}

static void leave(void)
{
	unlinkat(root, "secret", 0);
	rmdir(place);
}

static void enter(void)
{
	const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(place, sizeof(place), "%s/seadog-fuzz-XXXXXX", above);
	assert(mkdtemp(place) && (root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	int secret = openat(root, "secret", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert(secret >= 0 && write(secret, "secret", 6) == 6 && fstat(secret, &secret_before) == 0);
	close(secret);
	atexit(leave);
}

/* Beside the tree there is the secret, as it was, and nothing else. */
static void look_outside(void)
{
	DIR *stream = opendir(place);
	struct dirent *entry;
	struct stat now;
	unsigned count = 0;

	while ((entry = readdir(stream)))
		count++;
	closedir(stream);
	assert(count == 4);
	assert(fstatat(root, "secret", &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_ctim.tv_sec == secret_before.st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == secret_before.st_ctim.tv_nsec && now.st_nlink == 1 && now.st_size == 6);
}

static void pack_again(int tree)
{
	struct wd_error error = {0};
	struct wd_tally packed, checked;
	WD_AUTO_TEXT struct wd_text archive = {0};

	assert(wd_archive_pack(tree, (struct wd_sink){.data = &archive, .put = put}, NULL, NULL, &packed, &error));
	struct pieces pieces = {.bytes = archive.data, .length = archive.length};

	assert(wd_archive_check((struct wd_source){.data = &pieces, .get = get}, NULL, packed, &checked, &error));
	assert(packed.files == checked.files && packed.bytes == checked.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wd_error error = {0}, checked = {0};
	struct wd_tally tally, seen;
	struct pieces pieces = {.bytes = (const char *)data, .length = size}, again = pieces;

	if (root < 0)
		enter();
	assert(mkdirat(root, "tree", 0700) == 0);
	int tree = openat(root, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good =
		wd_archive_unpack((struct wd_source){.data = &pieces, .get = get}, tree, NULL, MOST, &tally, &error);
	bool looks_good = wd_archive_check((struct wd_source){.data = &again, .get = get}, NULL, MOST, &seen, &checked);

	assert(good || error.text[0]);
	assert(looks_good || !good); /* the file system may have more against it */
	if (good) {
		assert(tally.files == seen.files && tally.bytes == seen.bytes);
		assert(tally.files <= MOST.files && tally.bytes <= MOST.bytes);
		if (geteuid() == 0)
			pack_again(tree);
	}
	close(tree);
	look_outside();
	remove_tree(root, "tree");
	return 0;
}
