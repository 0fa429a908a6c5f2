#include "reading.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/digest.h>
#include <watchdog/memory.h>

#include "place.h"
#include "squeeze.h"

enum { BLOCK = 256 * 1024 };

bool wd_reading_open(int directory, const struct wd_snapshot_volume *volume, struct wd_reading *ret_reading,
		     struct wd_error *error)
{
	int file = openat(directory, volume->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat found;

	if (file < 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s", volume->file);
	if (fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || (uint64_t)found.st_size != volume->stored_bytes) {
		close(file);
		return wd_fail(error, WD_ERROR_FAILED, "%s: it is not the %llu bytes that the manifest tells of",
			       volume->file, (unsigned long long)volume->stored_bytes);
	}
	*ret_reading = (struct wd_reading){.file = file, .volume = volume};
	return true;
}

void wd_reading_close(struct wd_reading *reading)
{
	reading->file = wd_place_close(reading->file);
}

static ssize_t read_some(int file, void *block)
{
	ssize_t got;

	do
		got = read(file, block, BLOCK);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool fail_read(const struct wd_reading *reading, struct wd_error *error)
{
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s cannot be read", reading->volume->file);
}

bool wd_reading_verify(const struct wd_reading *reading, wd_reading_progress *progress, void *data,
		       struct wd_error *error)
{
	struct wd_digest *digest = wd_digest_new();
	WD_AUTO_FREE char *block = wd_alloc(1, BLOCK);
	char sum[WD_DIGEST_TEXT];
	uint64_t bytes = 0;
	ssize_t got = lseek(reading->file, 0, SEEK_SET) == 0 ? 1 : -1;
	bool wanted = true;

	while (got > 0 && wanted && (got = read_some(reading->file, block)) > 0) {
		wd_digest_put(digest, block, (size_t)got);
		bytes += (uint64_t)got;
		wanted = progress(data, bytes);
	}
	wd_digest_get(digest, sum);
	wd_digest_free(digest);
	if (!wanted)
		return wd_fail(error, WD_ERROR_FAILED, "%s", "nobody waits for it any more");
	if (got < 0)
		return fail_read(reading, error);
	if (!wd_digest_equal(sum, reading->volume->sha256))
		return wd_fail(error, WD_ERROR_FAILED, "%s: its checksum is %s, the manifest says %s: it was changed",
			       reading->volume->file, sum, reading->volume->sha256);
	return true;
}

/* --- as a source ------------------------------------------------------------------------------------------------------ */

struct bytes {
	const struct wd_reading *reading;
	char *block;
};

static ssize_t get_bytes(void *data, const void **ret_bytes, struct wd_error *error)
{
	const struct bytes *bytes = data;
	ssize_t got = read_some(bytes->reading->file, bytes->block);

	if (got < 0)
		fail_read(bytes->reading, error);
	*ret_bytes = bytes->block;
	return got;
}

static bool unpack(struct wd_source source, int tree, const struct wd_archive_watch *watch, struct wd_tally most,
		   struct wd_tally *ret_tally, struct wd_error *error)
{
	if (tree < 0)
		return wd_archive_check(source, watch, most, ret_tally, error);
	return wd_archive_unpack(source, tree, watch, most, ret_tally, error);
}

static bool is_squeezed(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && strcmp(name + length - 4, ".zst") == 0;
}

bool wd_reading_unpack(const struct wd_reading *reading, int tree, const struct wd_archive_watch *watch,
		       struct wd_tally *ret_tally, struct wd_error *error)
{
	WD_AUTO_FREE char *block = wd_alloc(1, BLOCK);
	struct bytes bytes = {reading, block};
	const struct wd_source source = {&bytes, get_bytes};
	const struct wd_tally most = {reading->volume->files, reading->volume->bytes};
	struct wd_unsqueeze *unsqueeze;
	bool good;

	if (lseek(reading->file, 0, SEEK_SET) != 0)
		return fail_read(reading, error);
	if (!is_squeezed(reading->volume->file))
		return unpack(source, tree, watch, most, ret_tally, error);
	unsqueeze = wd_unsqueeze_new(source, error);
	good = unsqueeze && unpack(wd_unsqueeze_source(unsqueeze), tree, watch, most, ret_tally, error);
	wd_unsqueeze_free(unsqueeze);
	return good;
}
