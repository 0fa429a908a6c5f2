/* Trees that somebody changes while they are read, to have us read what is not in them; and files that cannot be read. */
#include "../../watchdog/vault/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <support/files.h>
#include <support/flows.h>
#include <support/unit.h>
#include <support/vessel.h>

#define ROUNDS 150

static atomic_bool over;

/* A directory is a directory, and then a link to one outside; a file is a file, and then a link to a secret. */
static void *exchange(void *data)
{
	(void)data;
	while (!atomic_load(&over)) {
		rename("tree/folder", "aside");
		rename("link-to-folder", "tree/folder");
		rename("tree/folder", "link-to-folder");
		rename("aside", "tree/folder");
		rename("tree/inner/file", "aside-file");
		rename("link-to-file", "tree/inner/file");
		rename("tree/inner/file", "link-to-file");
		rename("aside-file", "tree/inner/file");
	}
	return NULL;
}

static bool has(const struct wd_text *text, const char *what)
{
	return memmem(text->data, text->length, what, strlen(what)) != NULL;
}

static void nobody_leads_us_out(void **state)
{
	unsigned complete = 0;
	pthread_t thread;

	(void)state;
	shell("mkdir -p tree/folder tree/inner outside && printf SECRET >outside/secret && printf mine "
	      ">tree/folder/secret && "
	      "printf mine >tree/inner/file && ln -s ../outside link-to-folder && ln -s ../../outside/secret "
	      "link-to-file");
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&thread, NULL, exchange, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		WD_AUTO_TEXT struct wd_text archive = {0};
		struct wd_tally tally;
		struct wd_error error = {0};
		struct witness by = {0};

		if (!pack_text("tree", &archive, &by, &tally, &error))
			fail_msg("%s", error.text);
		wd_text_done(&by.said);
		assert_false(has(&archive, "SECRET"));
		assert_true(check_text(&archive, ANY, &tally, &error));
		complete += has(&archive, "./folder/secret") && has(&archive, "./inner/file");
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	assert_in_range(complete, 1, ROUNDS); /* it read something on the way */
}

/* --- the kernel says that a disk is broken: pread from 2 MiB on fails as it does there --- */

static void break_the_disk(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 2 << 20, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(*filter), .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(77);
}

static int pack_on_broken_disk(void)
{
	struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	int tree = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	break_the_disk();
	if (wd_archive_pack(tree, into_text(&archive), NULL, NULL, &tally, &error))
		return 1;
	return strcmp(error.text, "./large: cannot read it: Input/output error") == 0 ? 0 : 2;
}

static void a_read_error_fails_the_whole(void **state)
{
	int status = 0;

	(void)state;
	shell("mkdir tree && head -c 5000000 /dev/zero >tree/large && printf x >tree/small");
	pid_t child = fork();

	if (child == 0)
		_exit(pack_on_broken_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- no descriptors left --- */

static int pack_without_descriptors(rlim_t most)
{
	struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
	int tree = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	setrlimit(RLIMIT_NOFILE, &limit);
	if (wd_archive_pack(tree, into_text(&archive), NULL, NULL, &tally, &error))
		return 1;
	return strstr(error.text, "Too many open files") ? 0 : 2;
}

static void without_descriptors_it_is_said(void **state)
{
	(void)state;
	shell("mkdir -p tree/a/b/c/d/e/f && printf x >tree/a/b/c/d/e/f/g");
	for (rlim_t most = 4; most < 11; most++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0)
			_exit(pack_without_descriptors(most));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("%d descriptors: %x", (int)most, (unsigned)status);
	}
}

static void deeper_than_deep_is_said(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
	struct rlimit before;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	if (before.rlim_max < limit.rlim_cur)
		skip();
	const struct rlimit more = {.rlim_cur = limit.rlim_cur, .rlim_max = before.rlim_max};

	setrlimit(RLIMIT_NOFILE, &more);
	shell("mkdir tree && cd tree && for i in $(seq 998); do mkdir d && cd -P d || exit 1; done && printf x >file");
	assert_true(pack_text("tree", &archive, NULL, &tally, &error));
	if (!unpack_text(&archive, "back", tally, NULL, &tally, &error))
		fail_msg("%s", error.text);
	shell("rsync -nacHi --delete tree/ back/ >said; ! [ -s said ]");
	shell("mkdir deeper && cd deeper && for i in $(seq 1005); do mkdir d && cd -P d || exit 1; done && printf x "
	      ">file");
	assert_false(pack_text("deeper", &archive, NULL, &tally, &error));
	assert_non_null(strstr(error.text, "it is deeper than 1000 directories"));
	shell("rm -rf tree back deeper");
	setrlimit(RLIMIT_NOFILE, &before);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, enter_directory, leave_directory)
	const struct CMUnitTest tests[] = {
		STORY(nobody_leads_us_out),
		STORY(a_read_error_fails_the_whole),
		STORY(without_descriptors_it_is_said),
		STORY(deeper_than_deep_is_said),
	};

	return cmocka_run_group_tests_name("unsteady", tests, NULL, NULL);
}
