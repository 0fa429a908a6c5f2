/* Archives that somebody has made to do harm, or that are broken: nothing outside the tree changes, and it is said why. */
#include "../../watchdog/vault/tar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <support/files.h>
#include <support/flows.h>
#include <support/unit.h>
#include <support/vessel.h>
#include <watchdog/memory.h>

#define FILES WD_NODE_FILE
#define FOLDER WD_NODE_DIRECTORY
#define SOFT WD_NODE_SYMLINK
#define HARD WD_NODE_HARDLINK

/* An entry of a story: what it is, and what it says; the content of a file is "owned". */
struct part {
	enum wd_node_kind kind;
	const char *path, *link;
};

static void write_archive(const struct part *parts, struct wd_text *archive)
{
	struct wd_error error = {0};
	struct wd_tar_writer *writer = wd_tar_writer_new(into_text(archive), &error);

	assert_non_null(writer);
	for (; parts->path; parts++) {
		WD_AUTO_FREE char *path = wd_copy(parts->path), *link = wd_copy(parts->link);
		struct wd_node node = {.kind = parts->kind,
				       .path = path,
				       .link = link,
				       .mode = 0755,
				       .owner = (int64_t)geteuid(),
				       .group = (int64_t)getegid(),
				       .size = parts->kind == FILES ? 5 : 0};

		if (!wd_tar_writer_head(writer, &node, &error) ||
		    (node.size && !wd_tar_writer_put(writer, "owned", 5, &error)))
			fail_msg("%s", error.text);
	}
	assert_true(wd_tar_writer_end(writer, &error));
	wd_tar_writer_free(writer);
}

/* What is beside the tree: as it was. */
static void make_outside(void)
{
	shell("mkdir -p outside && printf secret >outside/file && chmod 600 outside/file && ls -lR --full-time outside "
	      ">before");
}

static void assert_outside(void)
{
	shell("ls -lR --full-time outside | cmp - before && [ \"$(cat outside/file)\" = secret ] && "
	      "[ \"$(ls -d * | tr '\\n' ' ')\" = 'before outside tree ' ]");
}

static void refuse(const struct wd_text *archive, struct wd_tally most, enum wd_error_kind kind, const char *why)
{
	struct wd_error error = {0};
	struct wd_tally tally = {.files = 77};

	make_outside();
	assert_false(unpack_text(archive, "tree", most, NULL, &tally, &error));
	if (!strstr(error.text, why) || error.kind != kind)
		fail_msg("wanted \"%s\", got %d \"%s\"", why, error.kind, error.text);
	assert_int_equal(tally.files, 77);
	assert_outside();
	/* Whoever only looks says the same. */
	struct wd_error checked = {0};

	assert_false(check_text(archive, most, &tally, &checked));
	assert_string_equal(checked.text, error.text);
	shell("rm -rf tree outside before");
}

static void names_that_lead_out(void **state)
{
	static const struct {
		struct part parts[5];
		const char *why;
	} stories[] = {
		{{{FILES, "/tmp/seadog-owned", NULL}}, "/tmp/seadog-owned: it has an absolute name"},
		{{{FILES, "../outside/file", NULL}}, "../outside/file: it has \"..\" in its name"},
		{{{FOLDER, "./a", NULL}, {FILES, "./a/../../outside/file", NULL}}, "it has \"..\" in its name"},
		{{{FOLDER, "./..", NULL}}, "it has \"..\" in its name"},
		{{{SOFT, "./a", "../outside"}, {FILES, "./a/file", NULL}},
		 "a/file: it is in what is no directory of this archive"},
		{{{SOFT, "./a", "../outside/file"}, {FILES, "./a", NULL}}, "a: it is in the archive twice"},
		{{{FOLDER, "./a", NULL}, {SOFT, "./a", "../outside"}, {FILES, "./a/file", NULL}},
		 "a: it is in the archive twice"},
		{{{SOFT, "./a", "."}, {SOFT, "./a/b", "../outside"}},
		 "a/b: it is in what is no directory of this archive"},
		{{{FILES, "./a", NULL}, {FILES, ".//a", NULL}}, "a: it is in the archive twice"},
		{{{FOLDER, ".", NULL}, {FOLDER, "./", NULL}}, ".: it is in the archive twice"},
		{{{FILES, ".", NULL}}, ".: the tree itself is no directory"},
		{{{FILES, "./missing/file", NULL}}, "missing/file: it is in what is no directory of this archive"},
		{{{HARD, "./a", "../outside/file"}}, "hard link: ../outside/file: it has \"..\" in its name"},
		{{{HARD, "./a", "/etc/passwd"}}, "hard link: /etc/passwd: it has an absolute name"},
		{{{HARD, "./a", "./b"}}, "a: it is a hard link to what the archive has not brought"},
		{{{FOLDER, "./d", NULL}, {HARD, "./a", "./d"}},
		 "a: it is a hard link to what the archive has not brought"},
		{{{SOFT, "./s", "../outside"}, {HARD, "./a", "./s/file"}},
		 "a: it is a hard link to what the archive has not"},
		{{{SOFT, "./s", "../outside/file"}, {HARD, "./a", "./s"}, {FILES, "./a", NULL}},
		 "a: it is in the archive twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
		WD_AUTO_TEXT struct wd_text archive = {0};

		write_archive(stories[i].parts, &archive);
		refuse(&archive, ANY, WD_ERROR_REFUSED, stories[i].why);
	}
	assert_int_not_equal(access("/tmp/seadog-owned", F_OK), 0);
}

/* A hard link to a symbolic link is that link; nothing goes through it. */
static void a_hard_link_to_a_link_is_no_way(void **state)
{
	static const struct part parts[] = {{SOFT, "./s", "../outside/file"}, {HARD, "./a", "./s"}, {0}};
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_error error = {0};
	struct wd_tally tally;

	(void)state;
	make_outside();
	write_archive(parts, &archive);
	assert_true(unpack_text(&archive, "tree", ANY, NULL, &tally, &error));
	shell("[ \"$(readlink tree/a)\" = ../outside/file ]");
	assert_outside();
}

static void devices_are_refused(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};

	(void)state;
	shell("mkdir t && mkfifo t/fifo && tar -C t -cf a.tar . && rm -r t");
	read_file("a.tar", &archive);
	shell("rm a.tar");
	refuse(&archive, ANY, WD_ERROR_REFUSED, "fifo: it is a device, a fifo, or of a kind that is not known");
	if (geteuid() != 0 || system("mkdir t && mknod t/disk b 8 0 2>/dev/null") != 0)
		skip();
	wd_text_clear(&archive);
	shell("tar -C t -cf a.tar . && rm -r t");
	read_file("a.tar", &archive);
	shell("rm a.tar");
	refuse(&archive, ANY, WD_ERROR_REFUSED, "disk: it is a device, a fifo, or of a kind that is not known");
}

/* More than the manifest says is not written, whatever it unpacks to. */
static void bombs_do_not_go_off(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0}, many = {0}, hole = {0};
	struct wd_tally tally;
	struct part parts[101] = {{0}};
	char names[100][16];

	(void)state;
	shell("mkdir t && head -c 100000000 /dev/zero >t/zeros && tar -C t -cf a.tar . && rm -r t");
	read_file("a.tar", &archive);
	shell("rm a.tar");
	refuse(&archive, (struct wd_tally){.files = 9, .bytes = 1000000}, WD_ERROR_REFUSED,
	       "zeros: there is more in the archive than the manifest says");
	shell("mkdir t && truncate -s 1T t/hole && tar -C t --format=posix -S -cf a.tar . && rm -r t");
	read_file("a.tar", &hole);
	shell("rm a.tar");
	refuse(&hole, (struct wd_tally){.files = 9, .bytes = 1000000}, WD_ERROR_REFUSED,
	       "hole: there is more in the archive than the manifest says");
	for (int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof(names[i]), "./%d", i);
		parts[i] = (struct part){.kind = FOLDER, .path = names[i]};
	}
	write_archive(parts, &many);
	refuse(&many, (struct wd_tally){.files = 99, .bytes = 0}, WD_ERROR_REFUSED,
	       "99: there are more files than the manifest says");
	assert_true(unpack_text(&many, "tree", (struct wd_tally){.files = 100, .bytes = 0}, NULL, &tally, NULL));
}

/* Nothing but headers, for ever. */
static ssize_t same_again(void *data, const void **ret_bytes, struct wd_error *error)
{
	const struct wd_text *block = data;

	(void)error;
	*ret_bytes = block->data;
	return (ssize_t)block->length;
}

static void an_archive_without_an_end_has_one(void **state)
{
	static const struct part parts[] = {{FOLDER, "./a", NULL}, {0}};
	WD_AUTO_TEXT struct wd_text archive = {0}, zeros = {0};
	struct wd_error error = {0};
	struct wd_tally tally;

	(void)state;
	write_archive(parts, &archive);
	archive.length -= 1024;
	wd_text_put(&archive, "", 0);
	assert_false(
		wd_archive_check((struct wd_source){.data = &archive, .get = same_again}, NULL, ANY, &tally, &error));
	assert_non_null(strstr(error.text, "twice"));
	char block[65536] = "";

	wd_text_put(&zeros, block, sizeof(block));
	assert_false(wd_archive_check((struct wd_source){.data = &zeros, .get = same_again}, NULL,
				      (struct wd_tally){.files = 1, .bytes = 1}, &tally, &error));
	assert_string_equal(error.text, "there is more of it than there can be of such a tree");
}

static void a_path_of_a_mebibyte(void **state)
{
	static const size_t lengths[] = {70000, 1 << 20, 3 << 20};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		WD_AUTO_FREE char *path = wd_alloc(lengths[i] + 1, 1);
		WD_AUTO_TEXT struct wd_text archive = {0};
		struct wd_error error = {0};
		struct wd_tally tally;

		memset(path, 'x', lengths[i]);
		for (size_t at = 0; at < lengths[i]; at += 100)
			path[at] = at ? '/' : '.';
		const struct part parts[] = {{FOLDER, path, NULL}, {0}};

		write_archive(parts, &archive);
		assert_false(check_text(&archive, ANY, &tally, &error));
		assert_int_not_equal(error.kind, WD_ERROR_NONE);
	}
	const struct part wide[] = {
		{FILES,
		 "./xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		 NULL},
		{0}};
	WD_AUTO_TEXT struct wd_text archive = {0};

	write_archive(wide, &archive);
	refuse(&archive, ANY, WD_ERROR_REFUSED, "it has a name of more than 255 bytes");
}

/* --- what is broken --- */

static void make_one(struct wd_text *archive)
{
	shell("mkdir t && printf hello >t/a && mkdir t/b && ln -s a t/c && ln t/a t/d && head -c 3000 /dev/zero >t/e "
	      "&& "
	      "truncate -s 1M t/f && printf x >>t/f && tar -C t --format=posix -S -cf a.tar . && rm -r t");
	read_file("a.tar", archive);
	shell("rm a.tar");
}

static void what_was_cut_off_is_said(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0}, packed = {0};
	struct wd_tally tally;
	struct wd_error error = {0};

	(void)state;
	make_one(&archive);
	shell("mkdir t && printf hello >t/a && head -c 5000 /dev/zero >t/b");
	assert_true(pack_text("t", &packed, NULL, &tally, &error));
	shell("rm -r t");
	for (size_t length = 0; length < packed.length; length += 256) { /* also where an entry ends */
		const struct wd_text part = {.data = packed.data, .length = length};

		if (check_text(&part, ANY, &tally, &error))
			fail_msg("%zu of %zu bytes", length, packed.length);
		assert_int_equal(error.kind, WD_ERROR_FAILED);
	}
	const struct wd_text half = {.data = archive.data, .length = archive.length / 2 / 512 * 512};

	refuse(&half, ANY, WD_ERROR_FAILED, "");
	const struct wd_text none = {.data = archive.data, .length = 0};

	refuse(&none, ANY, WD_ERROR_FAILED, "");
}

/* Whatever bit is flipped: it is an archive still, or it is said that it is none; and nothing outside changes. */
static void flipped_bits_do_no_harm(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	unsigned refused = 0, tries = 0;

	(void)state;
	make_one(&archive);
	make_outside();
	for (size_t bit = 0; bit < archive.length * 8; bit += 2003, tries++) {
		struct wd_error error = {0};
		struct wd_tally tally;

		archive.data[bit / 8] = (char)(archive.data[bit / 8] ^ (1 << bit % 8));
		refused += !unpack_text(&archive, "tree", ANY, NULL, &tally, &error);
		assert_true(error.kind == WD_ERROR_NONE || error.text[0]);
		archive.data[bit / 8] = (char)(archive.data[bit / 8] ^ (1 << bit % 8));
		if (bit % 16 == 0)
			assert_outside();
		shell("chmod -R u+rwx tree && rm -rf tree");
	}
	shell("mkdir tree");
	assert_outside();
	assert_in_range(refused, 1, tries - 1);
}

/* As many attributes as a header holds: they come, or it is said. */
static void a_flood_of_attributes(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_error error = {0};
	struct wd_node node = {.kind = FILES, .path = wd_copy("./a"), .mode = 0644};
	struct wd_tally tally;
	char name[32];

	(void)state;
	struct wd_tar_writer *writer = wd_tar_writer_new(into_text(&archive), &error);

	node.owner = (int64_t)geteuid();
	node.group = (int64_t)getegid();
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "user.flood-%d", i);
		wd_node_attribute(&node, name, "value", 5);
	}
	assert_true(wd_tar_writer_head(writer, &node, &error));
	assert_true(wd_tar_writer_end(writer, &error));
	wd_tar_writer_free(writer);
	wd_node_done(&node);
	make_outside();
	if (!unpack_text(&archive, "tree", ANY, NULL, &tally, &error))
		assert_true(error.text[0]);
	assert_outside();
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, enter_directory, leave_directory)
	const struct CMUnitTest tests[] = {
		STORY(names_that_lead_out),      STORY(a_hard_link_to_a_link_is_no_way),   STORY(devices_are_refused),
		STORY(bombs_do_not_go_off),      STORY(an_archive_without_an_end_has_one), STORY(a_path_of_a_mebibyte),
		STORY(what_was_cut_off_is_said), STORY(flipped_bits_do_no_harm),           STORY(a_flood_of_attributes),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
