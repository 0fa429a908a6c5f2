#include <stdlib.h>
#include <time.h>

#include <support/unit.h>
#include <watchdog/time.h>

static void spans_go_there_and_back(void **state)
{
	static const struct {
		const char *text;
		wd_time span;
		const char *printed;
	} cases[] = {
		{"0", 0, "0s"},
		{"90s", 90 * WD_SECOND, "90s"},
		{"60", 60 * WD_SECOND, "60s"},
		{"1m", 60 * WD_SECOND, "60s"},
		{"5m", 300 * WD_SECOND, "5m"},
		{"120s", 120 * WD_SECOND, "2m"},
		{"252s", 252 * WD_SECOND, "4m12s"},
		{"1h30m", 5400 * WD_SECOND, "1h30m"},
		{"3690", 3690 * WD_SECOND, "1h1m30s"},
		{"1h", WD_HOUR, "1h"},
		{"7d", 7 * WD_DAY, "7d"},
		{"1w", 7 * WD_DAY, "7d"},
		{"1w1d1h1m1s1ms1us", 8 * WD_DAY + WD_HOUR + WD_MINUTE + WD_SECOND + 1001, "8d1h1m1.001001s"},
		{"250ms", 250 * WD_MILLISECOND, "250ms"},
		{"1.5", 1500 * WD_MILLISECOND, "1.5s"},
		{"1.5ms", 1500, "0.0015s"},
		{"0.5h", 30 * WD_MINUTE, "30m"},
		{"90.25s", 90250 * WD_MILLISECOND, "90.25s"},
		{"1us", 1, "0.000001s"},
		{"0.000001", 1, "0.000001s"},
		{"36525d", 36525 * WD_DAY, "36525d"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char buffer[WD_TIME_TEXT];
		wd_time span = -1;

		if (!wd_span_parse(cases[i].text, &span, NULL))
			fail_msg("%s was refused", cases[i].text);
		assert_true(span == cases[i].span);
		assert_string_equal(wd_span_print(span, buffer), cases[i].printed);
		assert_true(wd_span_parse(buffer, &span, NULL));
		assert_true(span == cases[i].span);
	}
}

static void what_is_no_span_is_refused(void **state)
{
	static const char *const cases[] = {
		"",     " ",    "s",     "-1",         "+1",   "1 s",   " 1s",           "1s ",
		"1S",   "1h30", "1m1h",  "1h1h",       "1.",   ".5s",   "1..5s",         "1e3",
		"0x1",  "1min", "0.1us", "1.0000001s", "1,5s", "1h-5m", "1.1234567890s", "inf",
		"never"};
	struct wd_error error;
	wd_time span = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (wd_span_parse(cases[i], &span, &error))
			fail_msg("\"%s\" was taken for a duration", cases[i]);
		assert_int_equal(error.kind, WD_ERROR_USAGE);
	}
	assert_false(wd_span_parse(NULL, &span, &error));
	assert_false(wd_span_parse("5x", &span, &error));
	assert_string_equal(error.text, "\"5x\" is no duration, write it like 90s, 5m or 1h30m");
	assert_int_equal(span, 77);
}

static void nothing_is_longer_than_a_hundred_years(void **state)
{
	static const char *const cases[] = {"36525d1us",
					    "36526d",
					    "5218w",
					    "9223372036854775807",
					    "99999999999999999999w",
					    "36525d36525d",
					    "999999999999999999999999999999999999999999.999999999w"};
	struct wd_error error;
	wd_time span = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(wd_span_parse(cases[i], &span, &error));
	assert_false(wd_span_parse("36526d", &span, &error));
	assert_string_equal(error.text, "36526d is longer than 100 years");
	assert_int_equal(span, 77);
}

static void odd_spans_are_printed_too(void **state)
{
	char buffer[WD_TIME_TEXT];

	(void)state;
	assert_string_equal(wd_span_print(WD_NEVER, buffer), "never");
	assert_string_equal(wd_span_print(-90 * WD_SECOND, buffer), "-90s");
	assert_string_equal(wd_span_print(INT64_MIN, buffer), "-106751991d4h54.775808s");
}

static void people_get_two_units(void **state)
{
	static const struct {
		wd_time span;
		const char *text;
	} cases[] = {
		{0, "0s"},
		{40 * WD_MILLISECOND, "0s"},
		{250 * WD_MILLISECOND, "0.3s"},
		{3 * WD_SECOND, "3s"},
		{3400 * WD_MILLISECOND, "3.4s"},
		{9970 * WD_MILLISECOND, "10s"},
		{10400 * WD_MILLISECOND, "10s"},
		{59600 * WD_MILLISECOND, "60s"},
		{90 * WD_SECOND, "90s"},
		{252 * WD_SECOND + 1, "4m12s"},
		{3599600 * WD_MILLISECOND, "1h"},
		{7529 * WD_SECOND, "2h5m"},
		{WD_DAY - WD_SECOND, "1d"},
		{3 * WD_DAY + 4 * WD_HOUR + 29 * WD_MINUTE, "3d4h"},
		{WD_NEVER, "never"},
		{-90 * WD_SECOND, "-90s"},
	};
	char buffer[WD_TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(wd_span_print_short(cases[i].span, buffer), cases[i].text);
}

static void stamps_are_read_as_the_engine_writes_them(void **state)
{
	static const struct {
		const char *text;
		wd_stamp stamp;
	} cases[] = {
		{"0001-01-01T00:00:00Z", WD_STAMP_NONE},
		{"1970-01-01T00:00:01Z", 1000000000},
		{"2026-01-02T03:04:05.123456789Z", 1767323045123456789},
		{"2026-01-02T03:04:05.1Z", 1767323045100000000},
		{"2026-01-02t03:04:05z", 1767323045000000000},
		{"2026-01-02T04:34:05+01:30", 1767323045000000000},
		{"2026-01-01T22:04:05-05:00", 1767323045000000000},
		{"2024-02-29T00:00:00Z", 1709164800000000000},
		{"2000-02-29T00:00:00Z", 951782400000000000},
		{"2016-12-31T23:59:60Z", 1483228800000000000},
		{"1969-12-31T23:59:59.5Z", -500000000},
		{"2262-04-11T23:47:16.854775807Z", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		wd_stamp stamp = 77;

		if (!wd_stamp_parse(cases[i].text, &stamp, NULL))
			fail_msg("%s was refused", cases[i].text);
		assert_true(stamp == cases[i].stamp);
	}
}

static void what_is_no_stamp_is_refused(void **state)
{
	static const char *const cases[] = {"",
					    "2026-01-02",
					    "2026-01-02T03:04:05",
					    "2026-01-02 03:04:05Z",
					    "2026-1-2T03:04:05Z",
					    "2026-01-02T03:04:05.Z",
					    "2026-01-02T03:04:05.1234567890Z",
					    "2026-01-02T03:04:05Zx",
					    "2026-01-02T03:04:05+0100",
					    "2026-01-02T03:04:05+24:00",
					    "2026-13-02T03:04:05Z",
					    "2026-00-02T03:04:05Z",
					    "2026-01-32T03:04:05Z",
					    "2026-01-00T03:04:05Z",
					    "2026-02-29T03:04:05Z",
					    "2100-02-29T03:04:05Z",
					    "2026-01-02T24:00:00Z",
					    "2026-01-02T03:60:05Z",
					    "2026-01-02T03:04:61Z",
					    "2262-04-11T23:47:16.854775808Z",
					    "9999-12-31T23:59:59Z",
					    "1600-01-01T00:00:00Z",
					    "yesterday"};
	struct wd_error error;
	wd_stamp stamp = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (wd_stamp_parse(cases[i], &stamp, &error))
			fail_msg("\"%s\" was taken for a time", cases[i]);
	assert_false(wd_stamp_parse(NULL, &stamp, &error));
	assert_false(wd_stamp_parse("yesterday", &stamp, &error));
	assert_string_equal(error.text, "\"yesterday\" is no RFC 3339 time");
	assert_int_equal(stamp, 77);
}

static void stamps_are_printed_in_utc(void **state)
{
	char buffer[WD_TIME_TEXT];

	(void)state;
	assert_string_equal(wd_stamp_print(1767323045123456789, buffer), "2026-01-02T03:04:05.123456789Z");
	assert_string_equal(wd_stamp_print(1767323045000000000, buffer), "2026-01-02T03:04:05.000000000Z");
	assert_string_equal(wd_stamp_print(-1, buffer), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(wd_stamp_print(INT64_MIN, buffer), "1677-09-21T00:12:43.145224192Z");
	assert_string_equal(wd_stamp_print(INT64_MAX, buffer), "2262-04-11T23:47:16.854775807Z");
}

static void people_read_their_own_time(void **state)
{
	char buffer[WD_TIME_TEXT];

	(void)state;
	setenv("TZ", "XST-2", 1); /* two hours east of Greenwich */
	tzset();
	assert_string_equal(wd_stamp_print_local(1767323045123456789, buffer), "2026-01-02 05:04:05");
	unsetenv("TZ");
	tzset();
}

static void clocks_go_on(void **state)
{
	wd_time before = wd_time_now();
	wd_stamp stamp = wd_stamp_now();
	struct timespec nap = {.tv_nsec = 2000000};

	(void)state;
	nanosleep(&nap, NULL);
	assert_true(wd_time_now() - before >= 2 * WD_MILLISECOND);
	assert_true(wd_stamp_now() / 1000000000 - (wd_stamp)time(NULL) <= 1);
	assert_true(wd_stamp_now() > stamp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_go_there_and_back),
		cmocka_unit_test(what_is_no_span_is_refused),
		cmocka_unit_test(nothing_is_longer_than_a_hundred_years),
		cmocka_unit_test(odd_spans_are_printed_too),
		cmocka_unit_test(people_get_two_units),
		cmocka_unit_test(stamps_are_read_as_the_engine_writes_them),
		cmocka_unit_test(what_is_no_stamp_is_refused),
		cmocka_unit_test(stamps_are_printed_in_utc),
		cmocka_unit_test(people_read_their_own_time),
		cmocka_unit_test(clocks_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
