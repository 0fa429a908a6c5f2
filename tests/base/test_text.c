#include <string.h>

#include <support/unit.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

static void a_text_grows(void **state)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	(void)state;
	assert_string_equal(wd_text_get(&text), "");
	wd_text_add(&text, NULL);
	wd_text_add(&text, "web");
	wd_text_put(&text, "/1!", 2);
	wd_text_print(&text, " %d of %s", 5, "60s");
	assert_string_equal(wd_text_get(&text), "web/1 5 of 60s");
	assert_int_equal(text.length, 14);
	wd_text_clear(&text);
	assert_string_equal(wd_text_get(&text), "");
	for (int i = 0; i < 1000; i++)
		wd_text_print(&text, "%0100d", i);
	assert_int_equal(text.length, 100000);
	assert_string_equal(text.data + 99990, "0000000999");
}

static void a_text_is_taken(void **state)
{
	struct wd_text text = {0};

	(void)state;
	WD_AUTO_FREE char *nothing = wd_text_take(&text);

	assert_string_equal(nothing, "");
	wd_text_add(&text, "something");
	WD_AUTO_FREE char *something = wd_text_take(&text);

	assert_string_equal(something, "something");
	assert_null(text.data);
	assert_int_equal(text.length, 0);
}

static void runes_are_read(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		uint32_t rune;
	} cases[] = {
		{"a", 1, 'a'},
		{"\x7f", 1, 0x7f},
		{"\xc2\x80", 2, 0x80},
		{"\xdf\xbf", 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 0x800},
		{"\xed\x9f\xbf", 3, 0xd7ff},
		{"\xee\x80\x80", 3, 0xe000},
		{"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
		{"\x80", 0, 0},             /* goes on, but from nothing */
		{"\xc0\xaf", 0, 0},         /* overlong */
		{"\xe0\x9f\xbf", 0, 0},     /* overlong */
		{"\xf0\x8f\xbf\xbf", 0, 0}, /* overlong */
		{"\xed\xa0\x80", 0, 0},     /* a surrogate */
		{"\xf4\x90\x80\x80", 0, 0}, /* beyond U+10FFFF */
		{"\xf5\x80\x80\x80", 0, 0},
		{"\xe2\x82", 0, 0}, /* cut short */
		{"\xe2\x82z", 0, 0},
		{"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t rune = 0;

		assert_int_equal(wd_rune_read(cases[i].bytes, strlen(cases[i].bytes), &rune), cases[i].size);
		assert_int_equal(rune, cases[i].rune);
	}
}

static void assert_escaped(const char *bytes, size_t limit, const char *wanted)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	wd_text_escape(&text, bytes, strlen(bytes), limit);
	assert_string_equal(wd_text_get(&text), wanted);
}

static void foreign_bytes_do_no_harm(void **state)
{
	(void)state;
	assert_escaped("plain text, Grüße, 容器 🐳", 100, "plain text, Grüße, 容器 🐳");
	assert_escaped("one\ntwo\tthree\r", 100, "one\\ntwo\\tthree\\x0d");
	assert_escaped("\033[2Jgone", 100, "\\x1b[2Jgone");
	assert_escaped("C:\\n", 100, "C:\\\\n");
	assert_escaped("\x7f", 100, "\\x7f");
	assert_escaped("\xc2\x9b"
		       "31m",
		       100, "\\u{009b}31m");
	assert_escaped("a\xe2\x80\xae"
		       "b",
		       100, "a\\u{202e}b");
	assert_escaped("a\xe2\x80\xa8"
		       "b",
		       100, "a\\u{2028}b");
	assert_escaped("\xd8\x9c\xe2\x81\xa6\xe2\x80\x8f", 100, "\\u{061c}\\u{2066}\\u{200f}");
	assert_escaped("\xff\xfe"
		       "a\xc3",
		       100, "\\xff\\xfea\\xc3");
}

static void a_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	assert_escaped("abcdef", 6, "abcdef");
	assert_escaped("abcdef", 5, "abcde…");
	assert_escaped("äöü", 5, "äö…");
	assert_escaped("äöü", 0, "…");
	assert_escaped("", 0, "");
}

static void a_nul_is_escaped_too(void **state)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	(void)state;
	wd_text_escape(&text, "a\0b", 3, 100);
	assert_string_equal(wd_text_get(&text), "a\\x00b");
}

static void lists_hold_copies(void **state)
{
	struct wd_list list = {0}, copy = {0};

	(void)state;
	wd_list_split(&list, " web-* ,, db,\tcache \n,", ',');
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0], "web-*");
	assert_string_equal(list.items[1], "db");
	assert_string_equal(list.items[2], "cache");
	assert_true(wd_list_has(&list, "db"));
	assert_false(wd_list_has(&list, "d"));

	wd_list_add(&copy, "old");
	wd_list_copy(&copy, &list);
	wd_list_done(&list);
	assert_int_equal(copy.count, 3);
	assert_string_equal(copy.items[2], "cache");
	wd_list_copy(&copy, &copy);
	assert_int_equal(copy.count, 3);
	wd_list_split(&copy, "one", ',');
	assert_int_equal(copy.count, 4);
	wd_list_split(&copy, NULL, ',');
	wd_list_split(&copy, "  ", ',');
	assert_int_equal(copy.count, 4);
	for (int i = 0; i < 1000; i++)
		wd_list_add(&copy, "x");
	assert_int_equal(copy.count, 1004);
	assert_string_equal(copy.items[3], "one");
	wd_list_done(&copy);
}

static void texts_are_compared(void **state)
{
	(void)state;
	assert_true(wd_text_equal("a", "a"));
	assert_false(wd_text_equal("a", "A"));
	assert_true(wd_text_equal(NULL, NULL));
	assert_false(wd_text_equal("", NULL));
	assert_true(wd_text_starts("seadog.restarts", "seadog."));
	assert_false(wd_text_starts("sea", "seadog."));
	assert_false(wd_text_starts(NULL, "seadog."));
	assert_true(wd_glob_match("web-*", "web-1"));
	assert_true(wd_glob_match("ghcr.io/acme/*", "ghcr.io/acme/web/x:1"));
	assert_true(wd_glob_match("[ab]?", "b9"));
	assert_false(wd_glob_match("web", "web-1"));
	assert_false(wd_glob_match("*", NULL));
}

static void a_slip_of_the_finger_is_seen(void **state)
{
	static const char *const keys[] = {"restarts", "on_restarts", "flapping", "oom", "cpu", "verify"};

	(void)state;
	assert_string_equal(wd_text_nearest("restart", keys, 6), "restarts");
	assert_string_equal(wd_text_nearest("on_restart", keys, 6), "on_restarts");
	assert_string_equal(wd_text_nearest("falpping", keys, 6), "flapping"); /* swapped neighbours are one slip */
	assert_string_equal(wd_text_nearest("OOM", keys, 6), "oom");
	assert_string_equal(wd_text_nearest("cpus", keys, 6), "cpu");
	assert_null(wd_text_nearest("timeout", keys, 6));
	assert_null(wd_text_nearest("ab", keys, 6));
	assert_null(wd_text_nearest("", keys, 6));
	assert_null(wd_text_nearest(NULL, keys, 6));
	assert_null(wd_text_nearest("restarts", NULL, 0));
	assert_null(
		wd_text_nearest("rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr", keys, 6));
}

static void sizes_are_read_as_docker_reads_them(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{"0", 0},
		{"4096", 4096},
		{"4096b", 4096},
		{"1k", 1024},
		{"512m", 536870912},
		{"512M", 536870912},
		{"512MB", 536870912},
		{"512MiB", 536870912},
		{"512 mib", 536870912},
		{"1.5GiB", 1610612736},
		{"1g", 1073741824},
		{"2t", 2199023255552},
		{"1p", 1125899906842624},
		{"0.5k", 512},
		{"0.333333333333333333333k", 341},
		{"18446744073709551615", UINT64_MAX},
		{"16383p", UINT64_C(16383) << 50},
		{"16383.999999999999999p", (UINT64_C(16383) << 50) + 1125899906842622},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t bytes = 1;

		assert_true(wd_size_parse(cases[i].text, &bytes, NULL));
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const cases[] = {"",
					    "m",
					    "-1",
					    "+1",
					    " 1",
					    "1 ",
					    "1  k",
					    "1.",
					    "1.k",
					    ".5g",
					    "1e3",
					    "1kk",
					    "1x",
					    "1ib",
					    "1k1",
					    "0x10",
					    "1bb",
					    "1.5.5k",
					    "inf",
					    "nan",
					    "1m;",
					    "１",
					    "18446744073709551616",
					    "16384p",
					    "99999999999999999999999999p"};
	struct wd_error error;
	uint64_t bytes = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (wd_size_parse(cases[i], &bytes, &error))
			fail_msg("\"%s\" was taken for a size", cases[i]);
		assert_int_equal(error.kind, WD_ERROR_USAGE);
	}
	assert_int_equal(bytes, 77);
	assert_false(wd_size_parse(NULL, &bytes, &error));
	assert_false(wd_size_parse("12q", &bytes, &error));
	assert_string_equal(error.text, "\"12q\" is no size, write it like 512m or 1.5GiB");
	assert_false(wd_size_parse("99999p", &bytes, &error));
	assert_string_equal(error.text, "99999p is too large a size");
}

static void sizes_are_printed_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0B"},
		{1023, "1023B"},
		{1024, "1KiB"},
		{1536, "1.5KiB"},
		{536870912, "512MiB"},
		{1610612736, "1.5GiB"},
		{1048575, "1MiB"}, /* not 1024KiB */
		{UINT64_C(5) << 60, "5EiB"},
		{UINT64_MAX, "16EiB"},
	};
	char buffer[WD_SIZE_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(wd_size_print(cases[i].bytes, buffer), cases[i].text);
}

static void numbers_are_whole_and_within_bounds(void **state)
{
	struct wd_error error;
	int64_t number = 77;

	(void)state;
	assert_true(wd_number_parse("9790", 1, 65535, &number, NULL));
	assert_int_equal(number, 9790);
	assert_true(wd_number_parse("-12", -20, 0, &number, NULL));
	assert_int_equal(number, -12);
	assert_true(wd_number_parse("9223372036854775807", 0, INT64_MAX, &number, NULL));
	assert_true(number == INT64_MAX);
	assert_true(wd_number_parse("-9223372036854775808", INT64_MIN, 0, &number, NULL));
	assert_true(number == INT64_MIN);

	number = 77;
	static const char *const junk[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "one", "--1", "1-"};

	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++)
		assert_false(wd_number_parse(junk[i], INT64_MIN, INT64_MAX, &number, &error));
	assert_false(wd_number_parse(NULL, 0, 9, &number, &error));
	assert_false(wd_number_parse("9223372036854775808", INT64_MIN, INT64_MAX, &number, &error));
	assert_false(wd_number_parse("-9223372036854775809", INT64_MIN, INT64_MAX, &number, &error));
	assert_false(wd_number_parse("99999999999999999999999", INT64_MIN, INT64_MAX, &number, &error));
	assert_false(wd_number_parse("65536", 1, 65535, &number, &error));
	assert_string_equal(error.text, "65536 is not between 1 and 65535");
	assert_int_equal(error.kind, WD_ERROR_USAGE);
	assert_int_equal(number, 77);
}

static void assert_words(const char *text, size_t count, const char *const *wanted)
{
	struct wd_list words = {0};

	assert_true(wd_words_split(text, &words, NULL));
	assert_int_equal(words.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(words.items[i], wanted[i]);
	wd_list_done(&words);
}

static void commands_are_split_as_a_shell_does(void **state)
{
	(void)state;
	assert_words("  /usr/local/bin/page --team infra\n", 3,
		     (const char *[]){"/usr/local/bin/page", "--team", "infra"});
	assert_words("sh -c 'exit 1; \"\\n\"'", 3, (const char *[]){"sh", "-c", "exit 1; \"\\n\""});
	assert_words("echo \"a b\" c\\ d \"\" ''e\"f\"'g'", 5, (const char *[]){"echo", "a b", "c d", "", "efg"});
	assert_words("\"say \\\"hi\\\" \\\\ \\n\"", 1, (const char *[]){"say \"hi\" \\ \\n"});
	assert_words(" \t ", 0, NULL);
}

static void an_open_quote_is_refused(void **state)
{
	struct wd_list words = {0};
	struct wd_error error;

	(void)state;
	wd_list_add(&words, "before");
	assert_false(wd_words_split("page 'infra", &words, &error));
	assert_string_equal(error.text, "quote ' is not closed");
	assert_false(wd_words_split("page \"in\\\"", &words, &error));
	assert_false(wd_words_split("page \\", &words, &error));
	assert_string_equal(error.text, "nothing behind the backslash at the end");
	assert_int_equal(words.count, 1);
	assert_true(wd_words_split("after", &words, &error));
	assert_int_equal(words.count, 1);
	assert_string_equal(words.items[0], "after");
	wd_list_done(&words);
}

static void a_hash_is_the_same_everywhere(void **state)
{
	(void)state;

	assert_true(wd_text_hash("") == UINT64_C(0xcbf29ce484222325));
	assert_true(wd_text_hash("a") == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(wd_text_hash("foobar") == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_the_same_everywhere),
		cmocka_unit_test(a_text_grows),
		cmocka_unit_test(a_text_is_taken),
		cmocka_unit_test(runes_are_read),
		cmocka_unit_test(foreign_bytes_do_no_harm),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(a_nul_is_escaped_too),
		cmocka_unit_test(lists_hold_copies),
		cmocka_unit_test(texts_are_compared),
		cmocka_unit_test(a_slip_of_the_finger_is_seen),
		cmocka_unit_test(sizes_are_read_as_docker_reads_them),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(sizes_are_printed_for_people),
		cmocka_unit_test(numbers_are_whole_and_within_bounds),
		cmocka_unit_test(commands_are_split_as_a_shell_does),
		cmocka_unit_test(an_open_quote_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
