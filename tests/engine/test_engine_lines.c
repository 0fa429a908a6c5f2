#include "../../watchdog/engine/lines.h"
#include "support/unit.h"
#include <stdlib.h>
#include <string.h>

static void put(struct wd_lines *lines, const char *text)
{
	wd_lines_put(lines, text, strlen(text));
}

static void expect_line(struct wd_lines *lines, const char *expected)
{
	size_t length = 0;
	const char *line = wd_lines_take(lines, &length);

	assert_non_null(line);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(line, expected, length);
}

static void expect_none(struct wd_lines *lines)
{
	size_t length;

	assert_null(wd_lines_take(lines, &length));
}

static void lines_come_whole_however_they_were_cut(void **state)
{
	static const char text[] = "one\n\ntwo three\nrest";
	(void)state;

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct wd_lines lines = {0};

		wd_lines_put(&lines, text, cut);
		wd_lines_put(&lines, text + cut, sizeof(text) - 1 - cut);
		expect_line(&lines, "one");
		expect_line(&lines, "");
		expect_line(&lines, "two three");
		expect_none(&lines);
		put(&lines, " of it\n");
		expect_line(&lines, "rest of it");
		expect_none(&lines);
		wd_lines_done(&lines);
	}
}

static void put_long_line(struct wd_lines *lines, size_t length, size_t piece)
{
	char *bytes = malloc(piece);

	assert_non_null(bytes);
	memset(bytes, 'x', piece);
	for (; length > 0; length -= length < piece ? length : piece)
		wd_lines_put(lines, bytes, length < piece ? length : piece);
	free(bytes);
	wd_lines_put(lines, "\n", 1);
}

static void a_line_of_a_mebibyte_is_kept_and_one_more_byte_is_too_much(void **state)
{
	struct wd_lines lines = {0};
	size_t length = 0;
	(void)state;

	put_long_line(&lines, WD_LINE_MAX - 1, 16384);
	assert_non_null(wd_lines_take(&lines, &length));
	assert_int_equal(length, WD_LINE_MAX - 1);
	put_long_line(&lines, WD_LINE_MAX, 16384);
	expect_none(&lines);
	assert_int_equal(lines.left_out, 1);
	wd_lines_done(&lines);
}

static void what_is_too_long_costs_no_memory_and_its_neighbours_nothing(void **state)
{
	struct wd_lines lines = {0};
	(void)state;

	put(&lines, "before\n");
	put_long_line(&lines, (size_t)64 << 20, 16384);
	assert_true(lines.text.room <= 4 * WD_LINE_MAX);
	put(&lines, "behind\n");
	expect_line(&lines, "before");
	expect_line(&lines, "behind");
	expect_none(&lines);
	wd_lines_trim(&lines);
	assert_true(lines.text.room <= 1024);
	assert_int_equal(lines.left_out, 1);
	wd_lines_done(&lines);
}

static void a_long_stream_keeps_its_buffer_small(void **state)
{
	struct wd_lines lines = {0};
	size_t length, taken = 0;
	(void)state;

	for (int i = 0; i < 100000; i++) {
		put(&lines, "a line of forty bytes, and its newline.\nand a ha");
		put(&lines, "lf\n");
		if (i % 3 == 0)
			while (wd_lines_take(&lines, &length))
				taken++;
	}
	while (wd_lines_take(&lines, &length))
		taken++;
	assert_int_equal(taken, 200000);
	assert_true(lines.text.room < 4096);
	wd_lines_done(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_whole_however_they_were_cut),
		cmocka_unit_test(a_line_of_a_mebibyte_is_kept_and_one_more_byte_is_too_much),
		cmocka_unit_test(what_is_too_long_costs_no_memory_and_its_neighbours_nothing),
		cmocka_unit_test(a_long_stream_keeps_its_buffer_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
