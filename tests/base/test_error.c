#include <errno.h>
#include <string.h>

#include <support/unit.h>
#include <watchdog/error.h>

static void context_is_added_on_the_way_up(void **state)
{
	struct wd_error error = {0};

	(void)state;
	assert_false(wd_fail(&error, WD_ERROR_FAILED, "engine said %d: %s", 409, "container is marked for removal"));
	assert_false(wd_fail_in(&error, "update %s", "policy"));
	assert_false(wd_fail_in(&error, "release web"));
	assert_string_equal(error.text, "release web: update policy: engine said 409: container is marked for removal");
	assert_int_equal(error.kind, WD_ERROR_FAILED);
}

static void the_text_of_errno_stands_behind(void **state)
{
	struct wd_error error = {0};

	(void)state;
	errno = ENOENT;
	assert_false(wd_fail_errno(&error, WD_ERROR_UNREACHABLE, "connect %s", "/run/docker.sock"));
	assert_string_equal(error.text, "connect /run/docker.sock: No such file or directory");
	assert_int_equal(error.kind, WD_ERROR_UNREACHABLE);
}

static void nobody_need_listen(void **state)
{
	(void)state;
	assert_false(wd_fail(NULL, WD_ERROR_USAGE, "no"));
	assert_false(wd_fail_in(NULL, "still"));
	assert_false(wd_fail_errno(NULL, WD_ERROR_FAILED, "no"));
}

static void an_error_may_quote_itself(void **state)
{
	struct wd_error error = {0};

	(void)state;
	wd_fail(&error, WD_ERROR_FAILED, "disk full");
	wd_fail(&error, WD_ERROR_PARTLY, "tried twice, then: %s", error.text);
	assert_string_equal(error.text, "tried twice, then: disk full");
	wd_fail_in(&error, "after \"%s\"", error.text);
	assert_string_equal(error.text, "after \"tried twice, then: disk full\": tried twice, then: disk full");
}

static void a_long_one_is_cut_between_characters(void **state)
{
	struct wd_error error = {0};
	char many[1001];

	(void)state;
	for (size_t i = 0; i < 1000; i += 2)
		memcpy(many + i, "ä", 2);
	many[1000] = '\0';
	wd_fail(&error, WD_ERROR_FAILED, "%s", many);
	assert_int_equal(strlen(error.text), 596 + 3);
	assert_memory_equal(error.text + 594, "ä…", 6);

	/* one letter moves all the others: the same room holds one character less */
	wd_fail(&error, WD_ERROR_FAILED, "x%s", many);
	assert_int_equal(strlen(error.text), 595 + 3);
	assert_memory_equal(error.text + 593, "ä…", 6);

	wd_fail_in(&error, "%s", many);
	assert_int_equal(strlen(error.text), 596 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_is_added_on_the_way_up),
		cmocka_unit_test(the_text_of_errno_stands_behind),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(an_error_may_quote_itself),
		cmocka_unit_test(a_long_one_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
