/* Hooks with real processes: those that hang, shout, fork, close what they are given, and those that are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/hook.h>
#include <watchdog/memory.h>

#define LONG (60 * WD_SECOND)

static struct wd_loop *loop;
static struct wd_hooks *hooks;
static unsigned wanted, ends;
static uint64_t tickets[128];
static bool good;
static char *detail;

static void on_end(void *data, uint64_t ticket, bool ok, const char *text)
{
	(void)data;
	tickets[ends++] = ticket;
	good = ok;
	wd_replace(&detail, text);
	if (ends == wanted)
		wd_loop_stop(loop);
}

static int set_up(void **state)
{
	(void)state;
	loop = wd_loop_new(NULL);
	hooks = wd_hooks_new(loop, on_end, NULL);
	ends = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hooks = wd_hooks_free(hooks);
	loop = wd_loop_free(loop);
	wd_replace(&detail, NULL);
	return 0;
}

static void begin(uint64_t ticket, wd_time timeout, const char *input, const char *program, const char *argument)
{
	struct wd_hook hook = {.ticket = ticket, .timeout = timeout, .input = input};

	wd_list_add(&hook.command, program);
	if (argument && strcmp(program, "/bin/sh") == 0)
		wd_list_add(&hook.command, "-c");
	if (argument)
		wd_list_add(&hook.command, argument);
	wd_list_add(&hook.environment, "SEADOG_HOOK_INCIDENT=7");
	unsigned before = ends;
	wd_hooks_run(hooks, &hook);
	assert_int_equal(ends, before); /* never from within */
	wd_list_done(&hook.command);
	wd_list_done(&hook.environment);
}

static void wait_for(unsigned count)
{
	wanted = ends + count;
	wd_loop_run(loop);
}

static void run(const char *script)
{
	begin(1, LONG, "{\"id\":7}\n", "/bin/sh", script);
	wait_for(1);
}

static void assert_says(const char *part)
{
	if (!strstr(detail, part))
		fail_msg("\"%s\" does not say \"%s\"", detail, part);
}

static void it_reads_the_incident_and_what_it_says_is_kept(void **state)
{
	(void)state;
	run("cat; echo problem >&2");
	assert_true(good);
	assert_says("exit code 0 after ");
	assert_says(": {\"id\":7}\\nproblem");
}

static void it_has_a_clean_environment_and_no_descriptors_but_three(void **state)
{
	(void)state;
	setenv("SECRET", "of seadog", 1);
	run("env | sort | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=; pwd; echo; ls /proc/self/fd | wc -l");
	unsetenv("SECRET");
	assert_null(strstr(detail, "SECRET"));
	assert_says("PATH=");
	assert_says("SEADOG_HOOK_INCIDENT=7\\n/\\n");
	assert_says("\\n4"); /* three, and the one that lists them */
}

static void how_it_ends_is_told(void **state)
{
	(void)state;
	run("exit 3");
	assert_false(good);
	assert_says("exit code 3 after ");
	run("kill -TERM $$");
	assert_false(good);
	assert_says("signal 15 after ");
}

static void what_cannot_be_run_says_why(void **state)
{
	char path[] = "/tmp/seadog-hook-XXXXXX";
	int descriptor = mkstemp(path);

	(void)state;
	close(descriptor);
	begin(1, LONG, "", "/no/such/program", NULL);
	wait_for(1);
	assert_false(good);
	assert_string_equal(detail, "/no/such/program cannot be run: No such file or directory");
	begin(2, LONG, "", path, NULL);
	wait_for(1);
	unlink(path);
	assert_false(good);
	assert_says("cannot be run: Permission denied");
	begin(3, LONG, "", "/tmp", NULL);
	wait_for(1);
	assert_says("cannot be run: Permission denied");
}

static void no_shell_is_between(void **state)
{
	(void)state;
	begin(1, LONG, "", "/bin/echo", "$HOME; exit 3 `id` * \"quoted\"");
	wait_for(1);
	assert_true(good);
	assert_says(": $HOME; exit 3 `id` * \"quoted\"");
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) != 0;
}

static pid_t pid_told(void)
{
	const char *at = strstr(detail, "pid ");

	assert_non_null(at);
	return (pid_t)atol(at + 4);
}

/* A killed orphan is gone when whoever inherits it has taken notice. */
static void assert_dies(pid_t pid)
{
	char path[64], line[256] = "";

	for (int i = 0; i < 1000 && !is_gone(pid); i++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		FILE *file = fopen(path, "r");
		if (!file || !fgets(line, sizeof(line), file) || strstr(line, ") Z ")) {
			if (file)
				fclose(file);
			return;
		}
		fclose(file);
		usleep(10000);
	}
	assert_true(is_gone(pid));
}

static void one_that_hangs_is_killed_with_all_that_it_started(void **state)
{
	(void)state;
	begin(1, WD_SECOND, "", "/bin/sh", "trap '' TERM INT HUP; sleep 1000 & echo pid $!; wait; sleep 1000");
	wait_for(1);
	assert_false(good);
	assert_says("killed, as it had not ended in 1s");
	assert_dies(pid_told());
}

static void what_it_leaves_running_goes_with_it(void **state)
{
	(void)state;
	run("sleep 1000 & echo pid $!");
	assert_true(good);
	assert_dies(pid_told());
}

static void one_that_closes_everything_is_no_trouble(void **state)
{
	(void)state;
	run("exec <&- >&- 2>&-; sleep 0.2; exit 5");
	assert_says("exit code 5 after ");
	WD_AUTO_FREE char *large = wd_alloc(3 << 20, 1);
	memset(large, 'x', (3 << 20) - 1);
	begin(1, LONG, large, "/bin/true", NULL); /* which reads nothing */
	wait_for(1);
	assert_true(good);
	begin(2, LONG, large, "/usr/bin/wc", "-c");
	wait_for(1);
	assert_says(": 3145727");
}

static void one_that_shouts_is_cut_and_one_that_never_stops_is_not_listened_to(void **state)
{
	(void)state;
	run("i=0; while [ $i -lt 2000 ]; do echo a line of it; i=$((i + 1)); done; exit 4");
	assert_says("exit code 4 after ");
	assert_says("…");
	assert_true(strlen(detail) < 2048);
	begin(1, LONG, "", "/usr/bin/yes", NULL);
	wait_for(1);
	assert_false(good);
	assert_says("signal 13 after ");
}

static void what_it_says_does_no_harm(void **state)
{
	(void)state;
	run("printf '\\033[2Jred\\000\\377 end'");
	for (const char *at = detail; *at; at++)
		assert_true((unsigned char)*at >= ' ');
	assert_says("end");
}

static void few_run_at_a_time_and_too_many_are_refused(void **state)
{
	(void)state;
	for (uint64_t ticket = 1; ticket <= 70; ticket++)
		begin(ticket, LONG, "", "/bin/true", NULL);
	wait_for(70);
	bool met[71] = {false};
	for (unsigned i = 0; i < 70; i++)
		met[tickets[i]] = true;
	for (unsigned i = 1; i <= 70; i++)
		assert_true(met[i]);
	begin(71, LONG, "", "/bin/echo", "again");
	wait_for(1);
	assert_true(good);
}

static void those_that_run_die_with_the_loop(void **state)
{
	char path[] = "/tmp/seadog-hook-XXXXXX", line[32] = "";
	int descriptor = mkstemp(path);
	WD_AUTO_FREE char *script = wd_format("echo $$ >%s; sleep 1000", path);

	(void)state;
	begin(1, LONG, "", "/bin/sh", script);
	for (int i = 0; i < 1000 && pread(descriptor, line, sizeof(line) - 1, 0) <= 0; i++)
		usleep(10000);
	hooks = wd_hooks_free(hooks);
	assert_true(is_gone((pid_t)atol(line)));
	assert_int_equal(ends, 0);
	close(descriptor);
	unlink(path);
}

static unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void no_descriptor_is_left_behind(void **state)
{
	unsigned before = count_descriptors();

	(void)state;
	for (int i = 0; i < 20; i++)
		run("echo x; sleep 1000 &");
	begin(1, LONG, "", "/no/such/program", NULL);
	wait_for(1);
	assert_int_equal(count_descriptors(), before);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(it_reads_the_incident_and_what_it_says_is_kept),
		STORY(it_has_a_clean_environment_and_no_descriptors_but_three),
		STORY(how_it_ends_is_told),
		STORY(what_cannot_be_run_says_why),
		STORY(no_shell_is_between),
		STORY(one_that_hangs_is_killed_with_all_that_it_started),
		STORY(what_it_leaves_running_goes_with_it),
		STORY(one_that_closes_everything_is_no_trouble),
		STORY(one_that_shouts_is_cut_and_one_that_never_stops_is_not_listened_to),
		STORY(what_it_says_does_no_harm),
		STORY(few_run_at_a_time_and_too_many_are_refused),
		STORY(those_that_run_die_with_the_loop),
		STORY(no_descriptor_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
