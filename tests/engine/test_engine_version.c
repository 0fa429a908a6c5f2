#include "../../watchdog/engine/version.h"
#include "support/unit.h"
#include <stdio.h>

static void versions_are_two_numbers(void **state)
{
	(void)state;
	assert_int_equal(wd_api_parse("1.45"), 1045);
	assert_int_equal(wd_api_parse("v1.45"), 1045);
	assert_int_equal(wd_api_parse("2.0"), 2000);
	assert_int_equal(wd_api_parse(NULL), 0);
	static const char *const none[] = {"",     "1",     "1.",    ".45", "1.45.1",       "1.45 ",  " 1.45",
					   "1.-4", "-1.45", "1.45x", "x",   "1.4294967297", "99999.1"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(wd_api_parse(none[i]), 0);
}

static int chosen(const char *newest, const char *oldest, const char *fixed)
{
	struct wd_api_offer offer = {newest, oldest, fixed};
	struct wd_error error;
	int api = 0;

	return wd_api_choose(&offer, &api, &error) ? api : -(int)error.kind;
}

static void the_lower_of_the_two_newest_is_spoken(void **state)
{
	(void)state;
	assert_int_equal(chosen("1.41", "1.12", NULL), 1041); /* 20.10 */
	assert_int_equal(chosen("1.45", "1.24", NULL), 1045); /* 26.1 */
	assert_int_equal(chosen("1.51", "1.24", NULL), 1051); /* 28.5 */
	assert_int_equal(chosen("1.52", "1.44", NULL), 1051); /* 29.0 */
	assert_int_equal(chosen("1.60", "1.44", NULL), 1051);
	assert_int_equal(chosen("1.60", "1.51", NULL), 1051);
	assert_int_equal(chosen("1.44", NULL, NULL), 1044);
}

static void where_there_is_no_common_version_it_says_so(void **state)
{
	(void)state;
	for (int minor = 24; minor <= 60; minor++) {
		char newest[WD_API_TEXT];
		int expected = minor < 41 ? -WD_ERROR_UNREACHABLE : 1000 + (minor < 51 ? minor : 51);

		snprintf(newest, sizeof(newest), "1.%d", minor);
		assert_int_equal(chosen(newest, minor >= 52 ? "1.44" : "1.12", NULL), expected);
	}
	assert_int_equal(chosen("1.60", "1.52", NULL), -WD_ERROR_UNREACHABLE);
	assert_int_equal(chosen(NULL, NULL, NULL), -WD_ERROR_UNREACHABLE);
	assert_int_equal(chosen("<html>", NULL, NULL), -WD_ERROR_UNREACHABLE);
}

static void a_fixed_version_is_obeyed_or_refused(void **state)
{
	(void)state;
	assert_int_equal(chosen("1.51", "1.24", "1.43"), 1043);
	assert_int_equal(chosen("1.56", "1.44", "1.55"), 1055);
	assert_int_equal(chosen(NULL, NULL, "1.44"), 1044);
	assert_int_equal(chosen("1.51", "1.24", "1.40"), -WD_ERROR_USAGE);
	assert_int_equal(chosen("1.51", "1.24", "latest"), -WD_ERROR_USAGE);
	assert_int_equal(chosen("1.52", "1.44", "1.43"), -WD_ERROR_UNREACHABLE);
	assert_int_equal(chosen("1.45", "1.24", "1.51"), -WD_ERROR_UNREACHABLE);
}

static void the_engines_complaints_about_our_version_are_known(void **state)
{
	(void)state;
	assert_true(wd_api_refused("client version 9.99 is too new. Maximum supported API version is 1.41"));
	assert_true(
		wd_api_refused("client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade "
			       "your client to a newer version"));
	assert_false(wd_api_refused("invalid container name"));
	assert_false(wd_api_refused("the image is too old"));
	assert_false(wd_api_refused(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_two_numbers),
		cmocka_unit_test(the_lower_of_the_two_newest_is_spoken),
		cmocka_unit_test(where_there_is_no_common_version_it_says_so),
		cmocka_unit_test(a_fixed_version_is_obeyed_or_refused),
		cmocka_unit_test(the_engines_complaints_about_our_version_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
