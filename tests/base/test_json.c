#include <float.h>
#include <math.h>
#include <string.h>

#include <support/unit.h>
#include <watchdog/json.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

static struct wd_json *parse(const char *text)
{
	struct wd_error error = {0};
	struct wd_json *json = wd_json_parse(text, strlen(text), &error);

	if (!json)
		fail_msg("%s: %s", text, error.text);
	return json;
}

static void assert_prints(const struct wd_json *json, const char *wanted)
{
	WD_AUTO_FREE char *printed = wd_json_print(json);

	assert_string_equal(printed, wanted);
}

static void an_event_is_read(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *event =
		parse("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"4b7b\",\"Attributes\":"
		      "{\"exitCode\":\"3\",\"name\":\"web\",\"a.b\":\"dotted\"}},\"timeNano\":1761234567123456789}");

	assert_string_equal(wd_json_string(wd_json_get(event, "Action"), NULL), "die");
	assert_string_equal(wd_json_string(wd_json_path(event, "Actor.Attributes.exitCode"), NULL), "3");
	assert_null(wd_json_path(event, "Actor.Nothing.exitCode"));
	assert_null(wd_json_path(event, "Actor.Attributes.a.b"));
	assert_string_equal(wd_json_string(wd_json_get(wd_json_path(event, "Actor.Attributes"), "a.b"), NULL),
			    "dotted");
	assert_true(wd_json_int(wd_json_get(event, "timeNano"), 0) == 1761234567123456789);
	assert_null(wd_json_get(event, "action")); /* names differ by case */
}

/* What Engines and kernels send: nanoseconds, the pids limit, 8 GiB. */
static void numbers_keep_their_digits(void **state)
{
	static const struct {
		const char *text;
		int64_t number;
	} cases[] = {
		{"0", 0},
		{"-0", 0},
		{"7", 7},
		{"-7", -7},
		{"2147483648", 2147483648},
		{"8589934592", 8589934592},
		{"999999999999999", 999999999999999},
		{"1000000000000000", 1000000000000000},
		{"9007199254740991", 9007199254740991},
		{"9007199254740993", 9007199254740993},
		{"1761234567123456789", 1761234567123456789},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
		{"9223372036854775808", INT64_MAX},
		{"18446744073709551615", INT64_MAX},
		{"-18446744073709551615", INT64_MIN},
		{"100000000000000000000000000000000000000000000000000000000000000", INT64_MAX},
		{"1.50", 1},
		{"-1.9", -1},
		{"1e3", 1000},
		{"1E+3", 1000},
		{"0.1e-2", 0},
		{"1e30", INT64_MAX},
		{"-1e999", INT64_MIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		WD_AUTO_JSON struct wd_json *json = parse(cases[i].text);

		assert_true(wd_json_is_number(json));
		assert_true(wd_json_int(json, 77) == cases[i].number);
		assert_prints(json, cases[i].text);
	}
}

static void digits_go_to_their_own_number(void **state)
{
	static const char text[] = "{\"a\":[1,1.0,{\"b\":2,\"c\":9007199254740993}],\"s\":\"9007199254740995\","
				   "\"d\":9007199254740997,\"e\":[[],{},[[3.10]]],\"f\":4}";

	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse(text);

	assert_prints(json, text);
	assert_true(wd_json_int(wd_json_get(json, "d"), 0) == 9007199254740997);
	assert_int_equal(wd_json_int(wd_json_get(json, "f"), 0), 4);
	assert_true(wd_json_is_string(wd_json_get(json, "s")));
	assert_false(wd_json_is_string(wd_json_get(json, "d")));
	assert_null(wd_json_string(wd_json_get(json, "d"), NULL));
	WD_AUTO_JSON struct wd_json *copy = wd_json_clone(json);

	assert_prints(copy, text);
}

static void doubles_are_finite(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *list = parse("[0.0078, 1e999, -1e999, 18446744073709551615, \"1\"]");
	const struct wd_json *item = wd_json_first(list);

	assert_true(wd_json_double(item, 0) == 0.0078);
	item = wd_json_next(item);
	assert_true(wd_json_double(item, 0) == DBL_MAX);
	item = wd_json_next(item);
	assert_true(wd_json_double(item, 0) == -DBL_MAX);
	item = wd_json_next(item);
	assert_true(wd_json_double(item, 0) == 18446744073709551616.0);
	item = wd_json_next(item);
	assert_true(wd_json_double(item, 0.5) == 0.5);
	assert_null(wd_json_next(item));
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"", "bad JSON at byte 0: the text ends too soon"},
		{"  ", "bad JSON at byte 2: the text ends too soon"},
		{"{} x", "bad JSON at byte 3: rubbish behind the document"},
		{"{}{}", "bad JSON at byte 2: rubbish behind the document"},
		{"[1,]", "bad JSON at byte 3: no such number in JSON"},
		{"[1 2]", "bad JSON at byte 3: no comma and no end where one is due"},
		{"{\"a\":1,}", "bad JSON at byte 7: no name where one is due"},
		{"{\"a\" 1}", "bad JSON at byte 5: no colon behind the name"},
		{"{a:1}", "bad JSON at byte 1: no name where one is due"},
		{"{\"a\":", "bad JSON at byte 5: the text ends too soon"},
		{"[1", "bad JSON at byte 2: the text ends too soon"},
		{"[1}", "bad JSON at byte 2: no comma and no end where one is due"},
		{"\"abc", "bad JSON at byte 4: the text ends too soon"},
		{"\"abc\\", "bad JSON at byte 5: the text ends too soon"},
		{"nul", "bad JSON at byte 0: no value of JSON"},
		{"True", "bad JSON at byte 0: no such number in JSON"},
		{"01", "bad JSON at byte 2: a number with a leading zero"},
		{"-01", "bad JSON at byte 3: a number with a leading zero"},
		{"1.", "bad JSON at byte 2: the text ends too soon"},
		{"1.e3", "bad JSON at byte 2: no digit behind the point"},
		{"1e+", "bad JSON at byte 3: the text ends too soon"},
		{"1e*", "bad JSON at byte 2: no digit in the exponent"},
		{"+1", "bad JSON at byte 0: no such number in JSON"},
		{".5", "bad JSON at byte 0: no such number in JSON"},
		{"0x10", "bad JSON at byte 1: rubbish behind the document"},
		{"NaN", "bad JSON at byte 0: no such number in JSON"},
		{"-Infinity", "bad JSON at byte 1: no such number in JSON"},
		{"1000000000000000000000000000000000000000000000000000000000000000",
		 "bad JSON at byte 64: a number of more than 63 characters"},
		{"\"a\nb\"", "bad JSON at byte 2: a control character in a string"},
		{"\"\\x41\"", "bad JSON at byte 2: no such escape in JSON"},
		{"\"\\u00g0\"", "bad JSON at byte 5: no four hex digits behind \\u"},
		{"\"\\u\x10\x10\x10\x10\"", "bad JSON at byte 3: no four hex digits behind \\u"},
		{"\"\\u0000\"", "bad JSON at byte 7: \\u0000 in a string"},
		{"\"\\ud800\"", "bad JSON at byte 7: half a surrogate pair"},
		{"\"\\udc00\"", "bad JSON at byte 7: half a surrogate pair"},
		{"\"\\ud800\\u0041\"", "bad JSON at byte 13: half a surrogate pair"},
		{"\"\xff\"", "bad JSON at byte 1: invalid UTF-8"},
		{"\"\xc0\xaf\"", "bad JSON at byte 1: invalid UTF-8"},
		{"\"\xed\xa0\x80\"", "bad JSON at byte 1: invalid UTF-8"},
		{"\xef\xbb\xbf{}", "bad JSON at byte 0: no such number in JSON"},
		{"<html>", "bad JSON at byte 0: no such number in JSON"},
	};
	struct wd_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(wd_json_parse(cases[i].text, strlen(cases[i].text), &error));
		assert_string_equal(error.text, cases[i].why);
		assert_int_equal(error.kind, WD_ERROR_FAILED);
	}
	assert_null(wd_json_parse("{\0}", 3, &error));
	assert_null(wd_json_parse("\"\\\0\"", 4, &error));
	assert_null(wd_json_parse(NULL, 0, &error));
	assert_null(wd_json_parse("{", 1, NULL));
}

/* A page of a proxy or a hostile Engine may nest as deep as it likes; our stack does not. */
static void nesting_has_an_end(void **state)
{
	char text[2001];
	struct wd_error error;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	wd_json_free(wd_json_parse(text, 128, &error));
	WD_AUTO_JSON struct wd_json *deepest = wd_json_parse(text, 128, &error);

	assert_non_null(deepest);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_null(wd_json_parse(text, 130, &error));
	assert_string_equal(error.text, "bad JSON at byte 65: nested too deep");
	memset(text, '[', 2000);
	assert_null(wd_json_parse(text, 2000, &error));
	WD_AUTO_JSON struct wd_json *wide = parse("[[],[[]],[],{\"a\":[]}]");

	assert_int_equal(wd_json_count(wide), 4);
}

static void the_end_of_the_bytes_is_the_end(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = wd_json_parse("[12345]rubbish", 7, NULL);
	WD_AUTO_JSON struct wd_json *number = wd_json_parse("12345", 3, NULL);

	assert_prints(json, "[12345]");
	assert_int_equal(wd_json_int(number, 0), 123);
}

static void escapes_are_understood(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\udC33\"");

	assert_string_equal(wd_json_string(json, NULL), "\"\\/\b\f\n\r\tä🐳");
	assert_prints(json, "\"\\\"\\\\/\\b\\f\\n\\r\\tä🐳\"");
}

static void lookups_need_no_check_in_between(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse("{\"s\":\"x\",\"n\":null,\"l\":[true,false],\"o\":{}}");
	const struct wd_json *text = wd_json_get(json, "s");

	assert_null(wd_json_get(NULL, "a"));
	assert_null(wd_json_get(text, "a"));
	assert_null(wd_json_get(wd_json_get(json, "l"), "a"));
	assert_null(wd_json_get(json, NULL));
	assert_null(wd_json_path(json, NULL));
	assert_null(wd_json_path(NULL, "a.b"));
	assert_null(wd_json_first(NULL));
	assert_null(wd_json_first(text));
	assert_null(wd_json_next(NULL));
	assert_null(wd_json_name(NULL));
	assert_null(wd_json_name(json));
	assert_string_equal(wd_json_name(text), "s");
	assert_int_equal(wd_json_count(text), 0);
	assert_int_equal(wd_json_count(NULL), 0);
	assert_int_equal(wd_json_count(json), 4);
	assert_int_equal(wd_json_int(text, 5), 5);
	assert_int_equal(wd_json_int(NULL, 5), 5);
	assert_true(wd_json_bool(NULL, true));
	assert_true(wd_json_bool(text, true));
	assert_true(wd_json_bool(wd_json_first(wd_json_get(json, "l")), false));
	assert_true(wd_json_is_null(wd_json_get(json, "n")));
	assert_false(wd_json_is_null(NULL));
	assert_true(wd_json_is_object(wd_json_get(json, "o")));
	assert_true(wd_json_is_array(wd_json_get(json, "l")));
	assert_false(wd_json_is_array(NULL));
	assert_string_equal(wd_json_string(wd_json_get(json, "n"), "none"), "none");
	assert_null(wd_json_clone(NULL));
	assert_null(wd_json_free(NULL));
}

static void documents_are_built(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	struct wd_json *list = wd_json_set(json, "list", wd_json_array());

	wd_json_set_int(json, "nano", 1761234567123456789);
	wd_json_set_int(json, "least", INT64_MIN);
	wd_json_set_double(json, "ratio", 0.0078);
	wd_json_set_double(json, "lost", (double)NAN);
	wd_json_set_bool(json, "yes", true);
	wd_json_set_string(json, "quote", "a\"b\n\x01");
	wd_json_set_string(json, "nothing", NULL);
	wd_json_set_null(json, "null");
	wd_json_add(list, wd_json_integer(15));
	wd_json_set_string(wd_json_add(list, wd_json_object()), "a", "b");
	assert_prints(json,
		      "{\"list\":[15,{\"a\":\"b\"}],\"nano\":1761234567123456789,\"least\":-9223372036854775808,"
		      "\"ratio\":0.0078,\"lost\":null,\"yes\":true,\"quote\":\"a\\\"b\\n\\u0001\",\"nothing\":null,"
		      "\"null\":null}");
	assert_true(wd_json_int(wd_json_get(json, "least"), 0) == INT64_MIN);
}

static void a_member_is_set_in_its_place(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse("{\"a\":1,\"b\":2,\"c\":3}");

	wd_json_set_string(json, "b", "two");
	assert_prints(json, "{\"a\":1,\"b\":\"two\",\"c\":3}");
	wd_json_remove(json, "a");
	wd_json_remove(json, "nothing");
	wd_json_remove(NULL, "a");
	assert_prints(json, "{\"b\":\"two\",\"c\":3}");
	wd_json_set_int(json, "B", 1);
	assert_prints(json, "{\"b\":\"two\",\"c\":3,\"B\":1}");
}

/* We find the first of two; whoever reads what we send may find the last. */
static void of_two_members_neither_survives_the_other(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse("{\"a\":1,\"b\":2,\"a\":3,\"a\":4}");

	assert_int_equal(wd_json_int(wd_json_get(json, "a"), 0), 1);
	wd_json_set_int(json, "a", 5);
	assert_prints(json, "{\"a\":5,\"b\":2}");
	WD_AUTO_JSON struct wd_json *other = parse("{\"a\":1,\"b\":2,\"a\":3}");

	wd_json_remove(other, "a");
	assert_prints(other, "{\"b\":2}");
	wd_json_set_int(other, "c", 6);
	assert_prints(other, "{\"b\":2,\"c\":6}");
}

static void foreign_bytes_become_replacement_characters(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = wd_json_object();

	wd_json_set_string(json, "a\xff", "\xc3(\xed\xa0\x80ä");
	assert_prints(json, "{\"a\uFFFD\":\"\uFFFD(\uFFFD\uFFFD\uFFFDä\"}");
	assert_non_null(wd_json_get(json, "a\uFFFD"));
}

static void a_clone_has_no_name(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse("{\"a\":{\"b\":9007199254740993}}");
	WD_AUTO_JSON struct wd_json *list = wd_json_array();

	wd_json_add(list, wd_json_clone(wd_json_get(json, "a")));
	assert_null(wd_json_name(wd_json_first(list)));
	assert_prints(list, "[{\"b\":9007199254740993}]");
}

static void people_get_it_indented(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *json = parse("{\"a\":[1,{\"b\":null}],\"c\":{},\"d\":[],\"e\\n\":\"x\"}");
	WD_AUTO_FREE char *text = wd_json_print_pretty(json);
	WD_AUTO_FREE char *nothing = wd_json_print_pretty(NULL);

	assert_string_equal(text, "{\n"
				  "  \"a\": [\n"
				  "    1,\n"
				  "    {\n"
				  "      \"b\": null\n"
				  "    }\n"
				  "  ],\n"
				  "  \"c\": {},\n"
				  "  \"d\": [],\n"
				  "  \"e\\n\": \"x\"\n"
				  "}");
	assert_string_equal(nothing, "null");
	WD_AUTO_JSON struct wd_json *again = parse(text);
	WD_AUTO_FREE char *one = wd_json_print(json);

	assert_prints(again, one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_read),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(digits_go_to_their_own_number),
		cmocka_unit_test(doubles_are_finite),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(the_end_of_the_bytes_is_the_end),
		cmocka_unit_test(escapes_are_understood),
		cmocka_unit_test(lookups_need_no_check_in_between),
		cmocka_unit_test(documents_are_built),
		cmocka_unit_test(a_member_is_set_in_its_place),
		cmocka_unit_test(of_two_members_neither_survives_the_other),
		cmocka_unit_test(foreign_bytes_become_replacement_characters),
		cmocka_unit_test(a_clone_has_no_name),
		cmocka_unit_test(people_get_it_indented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
