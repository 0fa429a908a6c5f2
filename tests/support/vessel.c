#include <support/vessel.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <support/flows.h>
#include <support/unit.h>
#include <watchdog/memory.h>

static bool progress(void *data, const struct wd_tally *tally)
{
	struct witness *witness = data;

	witness->calls++;
	if (witness->at)
		witness->at(witness, tally);
	return witness->cancel_at == 0 || tally->files < witness->cancel_at;
}

static void warn(void *data, const char *path, const char *what)
{
	struct witness *witness = data;

	wd_text_print(&witness->said, "%s: %s\n", path, what);
}

const struct wd_archive_watch *witness(struct witness *witness)
{
	witness->watch = (struct wd_archive_watch){.data = witness, .progress = progress, .warn = warn};
	return &witness->watch;
}

int open_tree(const char *name)
{
	int tree = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(tree >= 0);
	return tree;
}

bool pack(const char *tree, struct wd_sink sink, struct witness *by, struct wd_index *ret_index, struct wd_tally *tally,
	  struct wd_error *error)
{
	int directory = open_tree(tree);
	bool good = wd_archive_pack(directory, sink, by ? witness(by) : NULL, ret_index, tally, error);

	close(directory);
	return good;
}

bool pack_text(const char *tree, struct wd_text *archive, struct witness *by, struct wd_tally *tally,
	       struct wd_error *error)
{
	return pack(tree, into_text(archive), by, NULL, tally, error);
}

bool check_text(const struct wd_text *archive, struct wd_tally most, struct wd_tally *tally, struct wd_error *error)
{
	struct pieces pieces = {.bytes = wd_text_get(archive), .length = archive->length, .step = 10000};

	return wd_archive_check(from_pieces(&pieces), NULL, most, tally, error);
}

bool unpack_text(const struct wd_text *archive, const char *tree, struct wd_tally most, struct witness *by,
		 struct wd_tally *tally, struct wd_error *error)
{
	struct pieces pieces = {.bytes = wd_text_get(archive), .length = archive->length, .step = 10000};

	assert_int_equal(mkdir(tree, 0700), 0);
	int directory = open_tree(tree);
	bool good = wd_archive_unpack(from_pieces(&pieces), directory, by ? witness(by) : NULL, most, tally, error);

	close(directory);
	return good;
}

void shell(const char *command)
{
	int status = system(command);

	if (status != 0)
		fail_msg("status %d of: %s", status, command);
}

bool have(const char *program)
{
	WD_AUTO_FREE char *command = wd_format("command -v %s >/dev/null", program);

	return system(command) == 0;
}

void read_file(const char *name, struct wd_text *text)
{
	char block[65536];
	ssize_t got;
	int descriptor = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(descriptor >= 0);
	while ((got = read(descriptor, block, sizeof(block))) > 0)
		wd_text_put(text, block, (size_t)got);
	assert_int_equal(got, 0);
	close(descriptor);
}
