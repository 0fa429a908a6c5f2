#include "support/fixtures.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#define ID "8e4e0f2a1b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"

static void the_recorded_list_gives_its_ids_in_order(void **state)
{
	struct wd_list ids = {0};
	struct wd_error error;
	WD_AUTO_JSON struct wd_json *list = json_fixture("engine-20.10/list.json");
	(void)state;

	assert_true(wd_wire_list(list, &ids, &error));
	assert_int_equal(ids.count, wd_json_count(list));
	assert_string_equal(ids.items[0], wd_json_string(wd_json_get(wd_json_first(list), "Id"), ""));
	wd_list_done(&ids);
}

static void assert_list_refused(const char *text, const char *why)
{
	struct wd_list ids = {0};
	struct wd_error error;
	WD_AUTO_JSON struct wd_json *list = wd_json_parse(text, strlen(text), &error);

	wd_list_add(&ids, "kept");
	assert_false(wd_wire_list(list, &ids, &error));
	assert_string_equal(error.text, why);
	assert_int_equal(ids.count, 1);
	wd_list_done(&ids);
}

static void a_list_with_a_bad_id_is_refused_whole(void **state)
{
	(void)state;
	assert_list_refused("{\"message\":\"no\"}", "list: no JSON array");
	assert_list_refused("[{\"Id\":\"" ID "\"},{\"Id\":null}]", "list: [1].Id is no string");
	assert_list_refused("[{\"Id\":\"../x\"}]", "list: [0].Id is not 64 hexadecimal digits");
	assert_list_refused("[3]", "list: [0].Id is no string");
}

static void assert_complaint(const char *body, const char *expected)
{
	WD_AUTO_FREE char *complaint = wd_wire_complaint(body, strlen(body));

	assert_string_equal(complaint, expected);
}

static void complaints_are_read_from_every_kind_of_body(void **state)
{
	(void)state;
	assert_complaint("{\"message\":\"No such container: web\"}\n", "No such container: web");
	assert_complaint(
		"{\"cause\":\"container is stopped\",\"message\":\"web: container is stopped\",\"response\":500}",
		"web: container is stopped");
	assert_complaint("{\"cause\":\"container is stopped\",\"message\":\"\"}", "container is stopped");
	assert_complaint("client version 1.11 is too old\n", "client version 1.11 is too old");
	assert_complaint(
		"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n",
		"403 Forbidden Request forbidden by administrative rules.");
	assert_complaint("<!DOCTYPE html><html><head><title>502</title><style>b > i {}</style></head><!-- a > b -->"
			 "<body>Bad\tGateway <script>x()</script></body></html>",
			 "Bad Gateway");
	assert_complaint("", "");
	assert_complaint("{}", "");
	assert_complaint("{\"message\":7}", "");
	assert_complaint("[]", "");
	assert_complaint("<unclosed", "");
}

static void a_complaint_can_do_no_harm(void **state)
{
	char body[2000] = "{\"message\":\"";
	(void)state;

	assert_complaint("{\"message\":\"one\\ntwo \\u001b[31mred\"}", "one two \\x1b[31mred");
	for (int i = 0; i < 400; i++)
		strcat(body, "é");
	strcat(body, "\"}");
	WD_AUTO_FREE char *complaint = wd_wire_complaint(body, strlen(body));
	assert_true(strlen(complaint) <= 300 && strlen(complaint) > 290);
	assert_string_equal(complaint + strlen(complaint) - 5, "é…");
}

static char *read_log(const char *name, unsigned lines)
{
	size_t length;
	WD_AUTO_FREE char *body = read_fixture(name, &length);

	return wd_wire_logs(body, length, lines);
}

static void recorded_logs_lose_their_frames(void **state)
{
	(void)state;
	WD_AUTO_FREE char *all = read_log("engine-26.1/logs-frames.bin", 20);
	WD_AUTO_FREE char *last = read_log("engine-26.1/logs-frames.bin", 2);
	WD_AUTO_FREE char *terminal = read_log("engine-20.10/logs-tty.bin", 20);
	WD_AUTO_FREE char *none = read_log("engine-26.1/logs-frames.bin", 0);

	assert_string_equal(all, "one\nthree\ntwo");
	assert_string_equal(last, "three\ntwo");
	assert_string_equal(terminal, "one\ntwo");
	assert_string_equal(none, "");
}

static void assert_logs(const char *body, size_t length, unsigned lines, const char *expected)
{
	WD_AUTO_FREE char *logs = wd_wire_logs(body, length, lines);

	assert_string_equal(logs, expected);
}
#define ASSERT_LOGS(body, lines, expected) assert_logs(body, sizeof(body) - 1, lines, expected)

static void logs_that_are_broken_off_give_what_is_there(void **state)
{
	(void)state;
	ASSERT_LOGS("", 5, "");
	ASSERT_LOGS("\n\n", 5, "");
	ASSERT_LOGS("a\n\nb\n", 2, "\nb");
	ASSERT_LOGS("a\n\nb\n", 9, "a\n\nb");
	ASSERT_LOGS("\1\0\0\0\0\0\0\x05hel", 5, "hel");
	ASSERT_LOGS("\1\0\0\0\xff\xff\xff\xffhello\n", 5, "hello");
	ASSERT_LOGS("\1\0\0\0\0\0\0\x02"
		    "a\n\2\0\0\0\0\0\0\2b\n\1\0\0",
		    5, "a\nb\n\\x01\\x00\\x00");
	ASSERT_LOGS("\1\0\0\0\0\0\0\3hel\1\0\0\0\0\0\0\3lo\n", 5, "hello");
	ASSERT_LOGS("\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 5, "");
}

static void a_line_of_a_log_can_do_no_harm(void **state)
{
	char line[3000];
	(void)state;

	ASSERT_LOGS("\x1b[2J\\ \xff\n", 1, "\\x1b[2J\\\\ \\xff");
	memset(line, 1, sizeof(line));
	WD_AUTO_FREE char *logs = wd_wire_logs(line, sizeof(line), 1);
	assert_true(strlen(logs) <= 500 && strlen(logs) > 490);
}

static void filters_are_escaped_json(void **state)
{
	static const char docker[] = "%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22create%22%2C%22start%"
				     "22%2C%22die%22%2C%22oom%22"
				     "%2C%22kill%22%2C%22stop%22%2C%22restart%22%2C%22pause%22%2C%22unpause%22%2C%"
				     "22update%22%2C%22rename%22%2C"
				     "%22destroy%22%2C%22health_status%22%5D%7D";
	(void)state;

	assert_string_equal(wd_wire_filters(false), docker);
	assert_non_null(strstr(wd_wire_filters(true), "%22health_status%22%2C%22remove%22%5D%7D"));
}

static void assert_update(struct wd_restart_policy policy, const char *expected)
{
	WD_AUTO_FREE char *body = wd_wire_update(&policy, NULL);

	assert_string_equal(body, expected);
}

static void an_update_says_both_fields(void **state)
{
	(void)state;
	assert_update((struct wd_restart_policy){WD_RESTART_NO, 0},
		      "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0}}");
	assert_update((struct wd_restart_policy){WD_RESTART_ON_FAILURE, 5},
		      "{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":5}}");
	assert_update((struct wd_restart_policy){WD_RESTART_UNLESS_STOPPED, 5},
		      "{\"RestartPolicy\":{\"Name\":\"unless-stopped\",\"MaximumRetryCount\":0}}");
}

static void assert_cpus(struct wd_cpus cpus, const char *expected)
{
	WD_AUTO_FREE char *body = wd_wire_update(NULL, &cpus);

	assert_string_equal(body, expected);
}

static void cpus_are_set_in_the_way_in_which_they_can_be_given_back(void **state)
{
	const struct wd_restart_policy always = {WD_RESTART_ALWAYS, 0};
	const struct wd_cpus none = {0};
	WD_AUTO_FREE char *both = wd_wire_update(&always, &none);

	(void)state;
	assert_cpus((struct wd_cpus){.quota = 50000}, "{\"CpuQuota\":50000}");
	assert_cpus((struct wd_cpus){.quota = 25000, .period = 50000}, "{\"CpuQuota\":25000}");
	assert_cpus((struct wd_cpus){0}, "{\"CpuQuota\":-1}");
	assert_cpus((struct wd_cpus){.nano = 1500000000}, "{\"NanoCpus\":1500000000}");
	assert_string_equal(both, "{\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0},\"CpuQuota\":-1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recorded_list_gives_its_ids_in_order),
		cmocka_unit_test(a_list_with_a_bad_id_is_refused_whole),
		cmocka_unit_test(complaints_are_read_from_every_kind_of_body),
		cmocka_unit_test(a_complaint_can_do_no_harm),
		cmocka_unit_test(recorded_logs_lose_their_frames),
		cmocka_unit_test(logs_that_are_broken_off_give_what_is_there),
		cmocka_unit_test(a_line_of_a_log_can_do_no_harm),
		cmocka_unit_test(filters_are_escaped_json),
		cmocka_unit_test(an_update_says_both_fields),
		cmocka_unit_test(cpus_are_set_in_the_way_in_which_they_can_be_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
