/* A tree that has not changed is known by a look at each of its files; one that may have, is not taken for the same. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <support/files.h>
#include <support/flows.h>
#include <support/unit.h>
#include <support/vessel.h>

static struct wd_index scan(void)
{
	int tree = open_tree("tree");
	struct wd_index index = {0};
	struct wd_tally tally;
	struct wd_error error = {0};

	if (!wd_index_scan(tree, NULL, &index, &tally, &error))
		fail_msg("%s", error.text);
	close(tree);
	return index;
}

static void make_tree(void)
{
	shell("mkdir -p tree/a/b && printf hello >tree/a/b/file && ln -s x tree/soft && mkfifo tree/fifo && ln "
	      "tree/a/b/file tree/hard");
	shell("printf y >\"$(printf 'tree/n\\377\\nm')\" && sleep 0.1"); /* older than a tick of the clock of files */
}

static void the_same_is_the_same(void **state)
{
	struct wd_index one, two, packed = {0}, read = {0};
	struct wd_tally tally;
	struct wd_error error = {0};

	(void)state;
	make_tree();
	one = scan();
	assert_true(pack("tree", into_nothing(), NULL, &packed, &tally, &error));
	two = scan();
	assert_int_equal(one.count, 8);
	assert_true(wd_index_equal(&one, &two));
	assert_true(
		wd_index_equal(&one, &packed)); /* packing has changed nothing, not even an atime that would count */
	int file = open("index", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(wd_index_write(&packed, file, &error));
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_true(wd_index_read(file, &read, &error));
	assert_true(wd_index_equal(&two, &read));
	close(file);
	wd_index_done(&one);
	wd_index_done(&two);
	wd_index_done(&packed);
	wd_index_done(&read);
}

static void each_change_is_seen(void **state)
{
	static const char *const changes[] = {
		"printf more >>tree/a/b/file",
		"printf HELLO >tree/a/b/file", /* as long as before */
		"printf hellO >tree/a/b/file && touch -d '2020-01-01 UTC' tree/a/b/file",
		"touch -r tree/a/b/file stamp && printf jello >tree/a/b/file && touch -r stamp "
		"tree/a/b/file", /* mtime put back */
		"chmod 600 tree/a/b/file",
		"mv tree/soft tree/soft2",
		"rm tree/soft",
		"rm tree/hard",
		"mkdir tree/a/c",
		"setfattr -n user.x -v 1 tree/a/b/file",
		"cp -a tree tree2 && rm -r tree && mv tree2 tree", /* other inodes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct wd_index one, two;

		if (strstr(changes[i], "setfattr") && !have("setfattr"))
			continue;
		make_tree();
		one = scan();
		shell(changes[i]);
		two = scan();
		if (wd_index_equal(&one, &two))
			fail_msg("not seen: %s", changes[i]);
		shell("rm -r tree");
		wd_index_done(&one);
		wd_index_done(&two);
	}
}

/* What was changed in this tick may be changed again in it. */
static void what_is_too_young_is_unsure(void **state)
{
	struct wd_index young = {0}, old = {0};
	struct stat status = {
		.st_size = 5, .st_mtim = {.tv_sec = 1000, .tv_nsec = 7}, .st_ctim = {.tv_sec = 1000, .tv_nsec = 7}};
	wd_stamp then = (wd_stamp)1000 * 1000000000 + 7;

	(void)state;
	wd_index_add(&young, "./a", &status, then + 5000000);
	assert_false(wd_index_equal(&young, &young));
	wd_index_add(&old, "./a", &status, then + 50000000);
	assert_true(wd_index_equal(&old, &old));
	status.st_mtim.tv_nsec = status.st_ctim.tv_nsec = 0; /* a file system that knows whole seconds */
	wd_index_add(&old, "./b", &status, then + 1000000000);
	assert_false(wd_index_equal(&old, &old));
	wd_index_done(&young);
	wd_index_done(&old);
}

static void broken_ones_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"seadog index 1",
		"seadog index 2 0\n",
		"seadog index 1 1\n",
		"seadog index 1 x\n",
		"seadog index 1 0\nmore",
		"seadog index 1 1\n1 2 3 4 5 0 ./a",
		"seadog index 1 1\n1 2 3 4 5 7 ./a",
		"seadog index 1 99999999999999999999\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct wd_index index = {.count = 77};
		struct wd_error error = {0};

		write_bytes("index", texts[i], strlen(texts[i]));
		int file = open("index", O_RDONLY | O_CLOEXEC);

		if (wd_index_read(file, &index, &error))
			fail_msg("taken: %s", texts[i]);
		assert_string_equal(error.text, "the index is broken, or of another version");
		assert_int_equal(index.count, 77);
		close(file);
	}
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, enter_directory, leave_directory)
	const struct CMUnitTest tests[] = {
		STORY(the_same_is_the_same),
		STORY(each_change_is_seen),
		STORY(what_is_too_young_is_unsure),
		STORY(broken_ones_are_refused),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
