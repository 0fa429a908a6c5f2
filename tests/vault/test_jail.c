/* What the vault cannot do any more once it has begun. Each is tried by a process of its own, as it is for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../watchdog/vault/jail.h"
#include "../../watchdog/vault/place.h"
#include "support/files.h"

static bool enter(void)
{
	const struct wd_jail_place places[] = {{open("given", O_RDONLY | O_DIRECTORY | O_CLOEXEC), false},
					       {open("kept", O_RDONLY | O_DIRECTORY | O_CLOEXEC), true}};
	struct wd_error error = {0};
	bool good = wd_jail_enter(places, 2, &error);

	if (!good)
		fprintf(stderr, "%s\n", error.text);
	return good;
}

/* In the jail, in a process of its own: 0 where it says yes. */
static int in_jail(bool (*tries)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(!enter() ? 2 : tries() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int set_up(void **state)
{
	enter_directory(state);
	write_file("given/file", "given");
	write_file("kept/file", "kept");
	write_file("outside/file", "outside");
	return 0;
}

static bool can_open(const char *name, int flags)
{
	int file = open(name, flags | O_CLOEXEC, 0600);

	wd_place_close(file);
	return file >= 0;
}

static bool reads_what_is_given(void)
{
	return can_open("given/file", O_RDONLY) && can_open("kept/file", O_RDONLY);
}

static bool writes_what_is_kept(void)
{
	return can_open("kept/new", O_WRONLY | O_CREAT | O_TRUNC) && mkdir("kept/sub", 0700) == 0 &&
	       rename("kept/new", "kept/sub/other") == 0 && link("kept/sub/other", "kept/linked") == 0 &&
	       symlink("/etc/passwd", "kept/way") == 0 && unlink("kept/linked") == 0;
}

static bool writes_what_is_given(void)
{
	return can_open("given/file", O_WRONLY) || can_open("given/new", O_WRONLY | O_CREAT) ||
	       unlink("given/file") == 0 || mkdir("given/sub", 0700) == 0;
}

static bool reads_outside(void)
{
	return can_open("outside/file", O_RDONLY) || can_open("/etc/passwd", O_RDONLY) ||
	       can_open("kept/../outside/file", O_RDONLY);
}

static bool writes_outside(void)
{
	return can_open("outside/file", O_WRONLY) || can_open("outside/new", O_WRONLY | O_CREAT) ||
	       unlink("outside/file") == 0 || rename("kept/file", "outside/file") == 0 ||
	       link("outside/file", "kept/linked") == 0;
}

static bool speaks_to_anybody(void)
{
	int pair[2];

	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0 ||
	       socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}

static bool runs_a_program(void)
{
	char *const words[] = {(char[]){"true"}, NULL};

	execv("/bin/true", words);
	return false;
}

static bool makes_a_device(void)
{
	return mknod("kept/disk", S_IFBLK | 0600, 0x800) == 0;
}

static bool gains_rights(void)
{
	return setuid(0) != 0 || chroot("kept") == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static bool leaves_a_core(void)
{
	struct rlimit most;

	return getrlimit(RLIMIT_CORE, &most) != 0 || most.rlim_max != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

static void what_it_needs_it_can(void **state)
{
	(void)state;
	assert_int_equal(in_jail(reads_what_is_given), 0);
	assert_int_equal(in_jail(writes_what_is_kept), 0);
}

static void no_file_outside(void **state)
{
	(void)state;
	if (!wd_jail_landlock())
		skip();
	assert_int_equal(in_jail(writes_what_is_given), 1);
	assert_int_equal(in_jail(reads_outside), 1);
	assert_int_equal(in_jail(writes_outside), 1);
}

static void no_network_and_no_other_program(void **state)
{
	(void)state;
	assert_int_equal(in_jail(speaks_to_anybody), 1);
	assert_int_equal(in_jail(runs_a_program), 1);
}

static void no_right_but_those_for_files(void **state)
{
	(void)state;
	assert_int_equal(in_jail(makes_a_device), 1);
	if (geteuid() == 0)
		assert_int_equal(in_jail(gains_rights), 1);
	assert_int_equal(in_jail(leaves_a_core), 1);
}

/* Its owner is another, and it is nobody's to read: the rights that it keeps are enough for that. */
static bool reads_what_is_another_s(void)
{
	return can_open("given/file", O_RDONLY) && fchownat(AT_FDCWD, "kept/file", 4321, 1234, 0) == 0 &&
	       fchmodat(AT_FDCWD, "kept/file", 04755, 0) == 0;
}

static void files_of_others_can_be_read_and_given_back(void **state)
{
	(void)state;
	if (!wd_jail_owns_files())
		skip();
	assert_int_equal(chown("given/file", 4321, 4321), 0);
	assert_int_equal(chmod("given/file", 0), 0);
	assert_int_equal(in_jail(reads_what_is_another_s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, leave_directory)
		STORY(what_it_needs_it_can),
		STORY(no_file_outside),
		STORY(no_network_and_no_other_program),
		STORY(no_right_but_those_for_files),
		STORY(files_of_others_can_be_read_and_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
