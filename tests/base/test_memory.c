#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <support/unit.h>
#include <watchdog/memory.h>

static void memory_comes_zeroed(void **state)
{
	(void)state;
	WD_AUTO_FREE unsigned char *block = wd_alloc(100, 3);

	for (int i = 0; i < 300; i++)
		assert_int_equal(block[i], 0);
	WD_AUTO_FREE void *nothing = wd_alloc(0, 8);

	assert_non_null(nothing);
}

static void a_block_grows_with_what_is_in_it(void **state)
{
	char *block = wd_copy("web");

	(void)state;
	block = wd_realloc(block, 100, 10);
	assert_string_equal(block, "web");
	block = wd_realloc(block, 0, 10);
	assert_non_null(block);
	free(block);
}

static void texts_are_copied(void **state)
{
	(void)state;
	WD_AUTO_FREE char *whole = wd_copy("seadog");
	WD_AUTO_FREE char *part = wd_copy_part("seadog", 3);
	WD_AUTO_FREE char *none = wd_copy_part(NULL, 0);
	WD_AUTO_FREE char *made = wd_format("%s-%d", "web", 7);

	assert_string_equal(whole, "seadog");
	assert_string_equal(part, "sea");
	assert_string_equal(none, "");
	assert_string_equal(made, "web-7");
	assert_null(wd_copy(NULL));
}

static void a_slot_takes_a_part_of_itself(void **state)
{
	char *slot = NULL;

	(void)state;
	wd_replace(&slot, "/web");
	wd_replace(&slot, slot + 1);
	assert_string_equal(slot, "web");
	wd_replace(&slot, NULL);
	assert_null(slot);
}

/* Without this the sanitizer itself ends the process where malloc() would return NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* Runs what must not return in a child; true where it aborted and said so in one line. */
static bool aborts(void (*act)(void))
{
	char said[4000] = "";
	size_t length = 0;
	ssize_t got;
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();

	if (child == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		act();
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += (size_t)got;
	close(ends[0]);
	waitpid(child, &status, 0);
	return strstr(said, "seadog: out of memory\n") && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static volatile size_t many = SIZE_MAX / 2;

static void ask_for_too_many(void)
{
	free(wd_realloc(NULL, many, 4));
}

static void ask_for_nothing(void)
{
	wd_need(NULL);
}

static void ask_for_an_endless_text(void)
{
	free(wd_copy_part("", many * 2 + 1));
}

static void no_memory_is_an_abort_with_one_line(void **state)
{
	(void)state;
	assert_true(aborts(ask_for_nothing));
	assert_true(aborts(ask_for_too_many));
	assert_true(aborts(ask_for_an_endless_text));
	assert_ptr_equal(wd_need(state), state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_comes_zeroed),
		cmocka_unit_test(a_block_grows_with_what_is_in_it),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(a_slot_takes_a_part_of_itself),
		cmocka_unit_test(no_memory_is_an_abort_with_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
