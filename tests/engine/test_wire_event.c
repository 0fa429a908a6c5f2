#include "support/fixtures.h"
#include "support/unit.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/wire.h>

#define ID "8e4e0f2a1b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"

static enum wd_wire_line read_line(const char *line, struct wd_event *ret_event)
{
	return wd_wire_event(line, strlen(line), ret_event);
}

static struct wd_event read_event(const char *line)
{
	struct wd_event event;

	assert_int_equal(read_line(line, &event), WD_WIRE_EVENT);
	return event;
}

static void assert_other(const char *line)
{
	struct wd_event event;

	assert_int_equal(read_line(line, &event), WD_WIRE_OTHER);
}

static void assert_rubbish(const char *line)
{
	struct wd_event event;

	if (read_line(line, &event) != WD_WIRE_RUBBISH)
		fail_msg("not rubbish: %s", line);
}

/* An event of a container of ours with that action and those attributes. */
static struct wd_event told(const char *action, const char *attributes)
{
	WD_AUTO_FREE char *line = wd_format("{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"" ID
					    "\",\"Attributes\":{%s}},\"scope\":\"local\",\"timeNano\":17}",
					    action, attributes);
	return read_event(line);
}

static void a_crash_is_read(void **state)
{
	(void)state;
	struct wd_event event =
		read_event("{\"status\":\"die\",\"id\":\"" ID
			   "\",\"from\":\"t-app:1.0\",\"Type\":\"container\",\"Action\":\"die\","
			   "\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{\"execDuration\":\"0\",\"exitCode\":\"3\","
			   "\"image\":\"t-app:1.0\",\"name\":\"t-a\"}},\"scope\":\"local\",\"time\":1795290028,"
			   "\"timeNano\":1795290028620630680}\n");

	assert_int_equal(event.kind, WD_EVENT_DIE);
	assert_string_equal(event.id, ID);
	assert_string_equal(event.name, "t-a");
	assert_int_equal(event.stamp, 1795290028620630680);
	assert_int_equal(event.exit_code, 3);
	assert_int_equal(event.signal, 0);
	assert_int_equal(event.at, 0);
	assert_false(event.replayed);
}

static void every_action_that_matters_is_known(void **state)
{
	static const struct {
		const char *action;
		enum wd_event_kind kind;
	} known[] = {
		{"create", WD_EVENT_CREATE},   {"start", WD_EVENT_START},     {"die", WD_EVENT_DIE},
		{"died", WD_EVENT_DIE},        {"oom", WD_EVENT_OOM},         {"kill", WD_EVENT_KILL},
		{"stop", WD_EVENT_STOP},       {"restart", WD_EVENT_RESTART}, {"pause", WD_EVENT_PAUSE},
		{"unpause", WD_EVENT_UNPAUSE}, {"update", WD_EVENT_UPDATE},   {"rename", WD_EVENT_RENAME},
		{"destroy", WD_EVENT_DESTROY}, {"remove", WD_EVENT_DESTROY},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(told(known[i].action, "").kind, known[i].kind);
}

static void health_is_read_from_docker_and_from_podman(void **state)
{
	(void)state;
	assert_int_equal(told("health_status: healthy", "").health, WD_HEALTH_HEALTHY);
	assert_int_equal(told("health_status: unhealthy", "").health, WD_HEALTH_UNHEALTHY);
	assert_int_equal(told("health_status: unhealthy", "").kind, WD_EVENT_HEALTH);
	struct wd_event event =
		read_event("{\"Type\":\"container\",\"Action\":\"health_status\",\"HealthStatus\":\"unhealthy\","
			   "\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{\"name\":\"web\"}}}");
	assert_int_equal(event.kind, WD_EVENT_HEALTH);
	assert_int_equal(event.health, WD_HEALTH_UNHEALTHY);
	assert_other("{\"Type\":\"container\",\"Action\":\"health_status\",\"Actor\":{\"ID\":\"" ID "\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"health_status: odd\",\"Actor\":{\"ID\":\"" ID "\"}}");
}

static void numbers_are_read_only_where_they_are_numbers(void **state)
{
	(void)state;
	assert_int_equal(told("die", "\"exitCode\":\"137\"").exit_code, 137);
	assert_int_equal(told("die", "\"exitCode\":\"0\"").exit_code, 0);
	assert_int_equal(told("die", "").exit_code, -1);
	assert_int_equal(told("die", "\"exitCode\":\"\"").exit_code, -1);
	assert_int_equal(told("die", "\"exitCode\":\"-1\"").exit_code, -1);
	assert_int_equal(told("die", "\"exitCode\":\"3 \"").exit_code, -1);
	assert_int_equal(told("die", "\"exitCode\":\"99999999999999999999\"").exit_code, -1);
	assert_int_equal(told("die", "\"exitCode\":3").exit_code, -1);
	assert_int_equal(told("kill", "\"signal\":\"9\",\"exitCode\":\"3\"").signal, 9);
	assert_int_equal(told("kill", "\"signal\":\"9\",\"exitCode\":\"3\"").exit_code, -1);
	assert_int_equal(told("kill", "\"signal\":\"TERM\"").signal, 0);
	assert_int_equal(told("die", "\"signal\":\"9\"").signal, 0);
}

static void what_is_not_about_a_container_of_ours_is_other(void **state)
{
	(void)state;
	assert_other("{}");
	assert_other("{\"message\":\"page not found\"}");
	assert_other("{\"Type\":\"network\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID "\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"exec_create: die\",\"Actor\":{\"ID\":\"" ID "\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"top\",\"Actor\":{\"ID\":\"" ID "\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"die\",\"scope\":\"swarm\",\"Actor\":{\"ID\":\"" ID "\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"8e4e\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID "0\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":null}");
	assert_other("{\"Type\":\"container\",\"Action\":\"die\",\"id\":\"" ID "\"}");
	assert_other("{\"type\":\"container\",\"action\":\"die\",\"actor\":{\"ID\":\"" ID "\"}}");
	assert_other("{\"Type\":7,\"Action\":[\"die\"],\"Actor\":{\"ID\":{}}}");
}

static void an_id_that_would_climb_in_a_path_is_refused(void **state)
{
	(void)state;
	assert_other(
		"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"../../../../../../../../../../../../.."
		"/../../../../../containers/x\"}}");
	assert_other("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID "\\u0000\"}}");
}

static void labels_cannot_pose_as_the_event(void **state)
{
	(void)state;
	struct wd_event event = told(
		"die", "\"Type\":\"network\",\"Action\":\"start\",\"ID\":\"x\",\"exitCode\":\"3\",\"name\":\"web\"");

	assert_int_equal(event.kind, WD_EVENT_DIE);
	assert_string_equal(event.id, ID);
	assert_int_equal(event.exit_code, 3);
}

static void of_two_members_of_one_name_the_first_counts(void **state)
{
	(void)state;
	struct wd_event event = read_event("{\"Type\":\"container\",\"Type\":\"network\",\"Action\":\"die\",\"Action\":"
					   "\"start\",\"Actor\":{\"ID\":\"" ID "\",\"ID\":\"x\",\"Attributes\":"
					   "{\"exitCode\":\"3\",\"exitCode\":\"0\"}},\"timeNano\":5,\"timeNano\":6}");

	assert_int_equal(event.kind, WD_EVENT_DIE);
	assert_int_equal(event.exit_code, 3);
	assert_int_equal(event.stamp, 5);
}

static void missing_and_null_members_are_tolerated(void **state)
{
	(void)state;
	struct wd_event event =
		read_event("{\"scope\":null,\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":"
			   "\"" ID "\",\"Attributes\":null},\"timeNano\":null}");
	assert_string_equal(event.name, "");
	assert_int_equal(event.exit_code, -1);
	assert_int_equal(event.stamp, WD_STAMP_NONE);
	assert_int_equal(
		read_event("{\"Type\":\"container\",\"Action\":\"die\",\"time\":1795290028,\"Actor\":{\"ID\":\"" ID
			   "\"}}")
			.stamp,
		1795290028000000000);
}

static void a_name_that_is_too_long_is_cut_between_letters(void **state)
{
	char attributes[700] = "\"name\":\"";
	(void)state;

	for (int i = 0; i < 128; i++)
		strcat(attributes, "é");
	strcat(attributes, "\"");
	struct wd_event event = told("start", attributes);
	assert_int_equal(strlen(event.name), 254);
	assert_string_equal(event.name + 252, "é");
}

static void escapes_are_understood(void **state)
{
	(void)state;
	assert_int_equal(told("d\\u0069e", "\"exit\\u0043ode\":\"\\u0033\"").exit_code, 3);
	assert_string_equal(told("start", "\"name\":\"a\\\"b\\\\c\\/d\\u00e9\\ud83d\\ude00\\ud83d\\n\"").name,
			    "a\"b\\c/dé😀\xef\xbf\xbd\n");
}

static void records_of_json_seq_are_read(void **state)
{
	struct wd_event event;
	(void)state;

	assert_int_equal(
		read_line("\x1e{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID "\"}}\r\n", &event),
		WD_WIRE_EVENT);
}

static void rubbish_is_told_from_json(void **state)
{
	static const char *const rubbish[] = {"",
					      " ",
					      "\x1e",
					      "x",
					      "{",
					      "}",
					      "[]",
					      "3",
					      "null",
					      "\"die\"",
					      "{]",
					      "[}",
					      "{\"a\"}",
					      "{\"a\":}",
					      "{a:1}",
					      "{\"a\":1,}",
					      "{,\"a\":1}",
					      "{\"a\":1 \"b\":2}",
					      "{\"a\":1}{",
					      "{\"a\":1}x",
					      "{\"a\":01}",
					      "{\"a\":+1}",
					      "{\"a\":1.}",
					      "{\"a\":.5}",
					      "{\"a\":1e}",
					      "{\"a\":-}",
					      "{\"a\":0x1}",
					      "{\"a\":tru}",
					      "{\"a\":nul}",
					      "{\"a\":NaN}",
					      "{\"a\":\"}",
					      "{\"a\":\"\\x\"}",
					      "{\"a\":\"\\u12g4\"}",
					      "{\"a\":\"\\u12",
					      "{\"a\":\"\t\"}",
					      "{\"a\":\"\xff\"}",
					      "{\"a\":\"\xc0\x80\"}",
					      "{\"a\":\"\xed\xa0\x80\"}",
					      "{\"a\":\"\xf4\x90\x80\x80\"}",
					      "{\"a\":\"\xe2\x82\"}",
					      "{\"a\":[1,]}",
					      "{\"a\":[1 2]}",
					      "{\"a\":[,]}",
					      "<html>",
					      "HTTP/1.1 200 OK"};
	(void)state;

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++)
		assert_rubbish(rubbish[i]);
	assert_other("{ \"a\" : [ 1 , -0.5e+3 , true , false , null , {} , [] , \"é\" ] }");
}

static void nesting_has_an_end(void **state)
{
	WD_AUTO_TEXT struct wd_text deep = {0};
	(void)state;

	wd_text_add(&deep, "{\"a\":");
	for (int i = 0; i < 100000; i++)
		wd_text_add(&deep, "[");
	assert_rubbish(deep.data);
}

static void no_byte_behind_the_end_is_read(void **state)
{
	static const char line[] =
		"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID
		"\",\"Attributes\":{\"exitCode\":\"3\",\"name\":\"\\u00e9é\"}},\"timeNano\":-12.5e3}";
	(void)state;

	for (size_t length = 0; length < sizeof(line) - 1; length++) {
		WD_AUTO_FREE char *part = wd_alloc(length + 1, 1); /* exactly so long, for the sanitizer */
		char *exact = wd_realloc(part, length ? length : 1, 1);
		struct wd_event event;

		part = exact;
		memcpy(exact, line, length);
		assert_int_equal(wd_wire_event(exact, length, &event), WD_WIRE_RUBBISH);
	}
}

/* "loop: create start die(3) start …" as the recorded stream has it. */
static void tell_story(const char *fixture, const char *name, struct wd_text *story)
{
	size_t length;
	WD_AUTO_FREE char *lines = read_fixture(fixture, &length);
	char *rest = lines;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		struct wd_event event;
		enum wd_wire_line kind = wd_wire_event(line, strlen(line), &event);
		assert_int_not_equal(kind, WD_WIRE_RUBBISH);
		if (kind != WD_WIRE_EVENT || strcmp(event.name, name) != 0)
			continue;
		assert_true(event.stamp > 1795298480000000000);
		wd_text_print(story, "%s%s", story->length ? " " : "", wd_event_name(event.kind));
		if (event.kind == WD_EVENT_DIE)
			wd_text_print(story, "(%d)", event.exit_code);
		if (event.kind == WD_EVENT_KILL)
			wd_text_print(story, "(%d)", event.signal);
		if (event.kind == WD_EVENT_HEALTH)
			wd_text_print(story, "(%s)", wd_health_name(event.health));
	}
}

static void assert_story(const char *engine, const char *name, const char *expected)
{
	WD_AUTO_FREE char *fixture = wd_format("engine-%s/events.jsonl", engine);
	WD_AUTO_TEXT struct wd_text story = {0};

	tell_story(fixture, name, &story);
	assert_string_equal(wd_text_get(&story), expected);
}

static void recorded_streams_tell_what_happened(void **state)
{
	(void)state;
	assert_story("20.10", "web", "create start kill(15) kill(9) die(137) stop start restart kill(1)");
	assert_story("26.1", "web", "create start kill(15) kill(9) stop die(137) start restart kill(1)");
	assert_story("20.10", "tries", "create start die(4) start die(4) start die(4) start die(4)");
	assert_story("26.1", "tries", "create start die(4) start die(4) start die(4) start die(4)");
	assert_story("20.10", "hungry", "create start oom die(137)");
	assert_story("20.10", "frozen", "create start pause unpause kill(9) die(137) destroy");
	assert_story("20.10", "stopping", "create start kill(15) die(0) stop");
	assert_story("26.1", "stopping", "create start kill(15) stop die(0)");
	assert_story("20.10", "looped", "rename");
	assert_story(
		"20.10", "checked",
		"create start health_status(healthy) health_status(unhealthy) kill(2) kill(9) die(137) stop destroy");
	/* A label "exitCode" is stronger than the truth, which was 3. */
	assert_story("20.10", "liar", "create start die(0)");
	assert_story("26.1", "liar", "create start die(0)");
}

static void a_million_lines_take_seconds_at_most(void **state)
{
	static const char line[] =
		"{\"status\":\"die\",\"id\":\"" ID "\",\"from\":\"acme/web:1.5\",\"Type\":\"container\","
		"\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{\"com.docker.compose.project\":"
		"\"shop\",\"com.docker.compose.service\":\"web\",\"execDuration\":\"0\",\"exitCode\":\"3\","
		"\"image\":\"acme/web:1.5\",\"name\":\"web\"}},\"scope\":\"local\",\"time\":1795290028,"
		"\"timeNano\":1795290028620630680}";
	struct wd_event event;
	wd_time begin = wd_time_now();
	(void)state;

	for (int i = 0; i < 100000; i++)
		assert_int_equal(wd_wire_event(line, sizeof(line) - 1, &event), WD_WIRE_EVENT);
	/* A tenth of them, with sanitizers and on a busy machine. */
	assert_true(wd_time_now() - begin < 5 * WD_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_is_read),
		cmocka_unit_test(every_action_that_matters_is_known),
		cmocka_unit_test(health_is_read_from_docker_and_from_podman),
		cmocka_unit_test(numbers_are_read_only_where_they_are_numbers),
		cmocka_unit_test(what_is_not_about_a_container_of_ours_is_other),
		cmocka_unit_test(an_id_that_would_climb_in_a_path_is_refused),
		cmocka_unit_test(labels_cannot_pose_as_the_event),
		cmocka_unit_test(of_two_members_of_one_name_the_first_counts),
		cmocka_unit_test(missing_and_null_members_are_tolerated),
		cmocka_unit_test(a_name_that_is_too_long_is_cut_between_letters),
		cmocka_unit_test(escapes_are_understood),
		cmocka_unit_test(records_of_json_seq_are_read),
		cmocka_unit_test(rubbish_is_told_from_json),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(no_byte_behind_the_end_is_read),
		cmocka_unit_test(recorded_streams_tell_what_happened),
		cmocka_unit_test(a_million_lines_take_seconds_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
