#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <support/unit.h>
#include <watchdog/json.h>
#include <watchdog/log.h>
#include <watchdog/text.h>

static int kept = -1, file = -1;
static char said[20000];

/* Standard error is a file until heard(). */
static void listen_to_it(void)
{
	char path[] = "/tmp/test_log.XXXXXX";

	kept = dup(STDERR_FILENO);
	file = mkstemp(path);
	assert_true(kept >= 0 && file >= 0);
	unlink(path);
	dup2(file, STDERR_FILENO);
}

static const char *heard(void)
{
	ssize_t length = pread(file, said, sizeof(said) - 1, 0);

	dup2(kept, STDERR_FILENO);
	close(kept);
	close(file);
	assert_true(length >= 0);
	said[length] = '\0';
	return said;
}

/* What is said on one line, without the moment that it begins with (where it has one, in the given form). */
static const char *say(enum wd_log_format format, bool color, const char *subject, const struct wd_log_field *fields,
		       const char *message)
{
	listen_to_it();
	wd_log_setup(WD_LOG_DEBUG, format, color);
	wd_log(WD_LOG_WARNING, subject, fields, "%s", message);
	const char *line = heard();
	size_t moment =
		format == WD_LOG_TEXT ? strlen("2026-01-02 03:04:05 ") : strlen("time=2026-01-02T03:04:05.123Z ");

	assert_true(strlen(line) > moment);
	return line + moment;
}

static const struct wd_log_field fields[] = {
	{"trigger", "restarts"}, {"gone", NULL}, {"image", "acme/web:1 \"new\""}, {"code", ""}, {NULL, NULL}};

static void people_get_a_line_to_read(void **state)
{
	(void)state;
	assert_string_equal(say(WD_LOG_TEXT, false, "web", fields, "5 restarts within 60s (limit 5/60s)"),
			    "warning  web  5 restarts within 60s (limit 5/60s)  trigger=restarts "
			    "image=\"acme/web:1 \\\"new\\\"\" code=\"\"\n");
	assert_string_equal(say(WD_LOG_TEXT, false, NULL, NULL, "connected"), "warning  connected\n");
	assert_string_equal(say(WD_LOG_TEXT, false, NULL, (struct wd_log_field[]){{"a", NULL}, {NULL, NULL}}, "up"),
			    "warning  up\n");
}

static void colors_are_for_terminals(void **state)
{
	struct tm tm;
	int color;

	(void)state;
	listen_to_it();
	wd_log_setup(WD_LOG_DEBUG, WD_LOG_TEXT, true);
	wd_log(WD_LOG_ERROR, "web", NULL, "gone");
	char *line = strdup(heard());

	assert_int_equal(sscanf(line, "\033[2m%d-%d-%d", &tm.tm_year, &tm.tm_mon, &color), 3);
	assert_non_null(strstr(line, "\033[0m \033[31merror  \033[0m  \033[1mweb\033[0m  gone\n"));
	free(line);
}

static void machines_get_logfmt(void **state)
{
	(void)state;
	assert_string_equal(say(WD_LOG_LOGFMT, true, "web", fields, "5 restarts"),
			    "level=warning service=web msg=\"5 restarts\" trigger=restarts "
			    "image=\"acme/web:1 \\\"new\\\"\" code=\"\"\n");
	assert_string_equal(say(WD_LOG_LOGFMT, false, NULL, NULL, "up"), "level=warning msg=up\n");
}

static void machines_get_json(void **state)
{
	(void)state;
	listen_to_it();
	wd_log_setup(WD_LOG_DEBUG, WD_LOG_JSON, true);
	wd_log(WD_LOG_INFO, "web", fields, "a\"b\n\033 \xc2\x9b \xff");
	const char *line = heard();

	assert_null(strchr(line, '\033'));
	assert_null(strstr(line, "\xc2\x9b"));
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(line, strlen(line), NULL);

	assert_string_equal(wd_json_string(wd_json_get(json, "level"), NULL), "info");
	assert_string_equal(wd_json_string(wd_json_get(json, "service"), NULL), "web");
	assert_string_equal(wd_json_string(wd_json_get(json, "msg"), NULL), "a\"b\n\033 \xc2\x9b \uFFFD");
	assert_string_equal(wd_json_string(wd_json_get(json, "image"), NULL), "acme/web:1 \"new\"");
	assert_null(wd_json_get(json, "gone"));
	assert_int_equal(strlen(wd_json_string(wd_json_get(json, "time"), NULL)), strlen("2026-01-02T03:04:05.123Z"));
	assert_int_equal(strlen(strchr(line, '\n')), 1);
}

/* A container named or labelled to forge a line does not. */
static void nobody_forges_a_line(void **state)
{
	static const struct wd_log_field foreign[] = {{"why", "x\nerror  db  gone"}, {NULL, NULL}};

	(void)state;
	assert_string_equal(say(WD_LOG_TEXT, false, "web\033[2J", foreign, "exit\n2026"),
			    "warning  web\\x1b[2J  exit\\n2026  why=\"x\\nerror  db  gone\"\n");
	assert_string_equal(say(WD_LOG_LOGFMT, false, "we b", foreign, "level=error"),
			    "level=warning service=\"we b\" msg=\"level=error\" why=\"x\\nerror  db  gone\"\n");
}

static void a_flood_is_cut(void **state)
{
	char many[9001];

	(void)state;
	memset(many, 'x', 9000);
	many[9000] = '\0';
	memcpy(many + 3999, "ä", 2);
	for (int format = WD_LOG_TEXT; format <= WD_LOG_JSON; format++) {
		const char *line = say((enum wd_log_format)format, false, NULL,
				       (struct wd_log_field[]){{"a", many}, {NULL, NULL}}, many);

		assert_true(strlen(line) < 6200);
		assert_non_null(strstr(line, "x…"));
	}
}

static void what_is_not_asked_for_is_not_said(void **state)
{
	(void)state;
	listen_to_it();
	wd_log_setup(WD_LOG_WARNING, WD_LOG_TEXT, false);
	wd_log(WD_LOG_DEBUG, NULL, NULL, "one");
	wd_log(WD_LOG_INFO, NULL, NULL, "two");
	wd_log(WD_LOG_WARNING, NULL, NULL, "three");
	wd_log(WD_LOG_ERROR, NULL, NULL, "four");
	const char *lines = heard();

	assert_null(strstr(lines, "one"));
	assert_null(strstr(lines, "two"));
	assert_non_null(strstr(lines, "warning  three\n"));
	assert_non_null(strstr(lines, "error    four\n"));
}

/* The journal has a clock and levels of its own. */
static void the_journal_gets_priorities(void **state)
{
	struct stat status;
	char stream[64];

	(void)state;
	listen_to_it();
	fstat(STDERR_FILENO, &status);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	wd_log_setup(WD_LOG_INFO, WD_LOG_TEXT, false);
	wd_log(WD_LOG_ERROR, "web", NULL, "one");
	wd_log_setup(WD_LOG_INFO, WD_LOG_LOGFMT, false);
	wd_log(WD_LOG_WARNING, "web", NULL, "two");
	wd_log_setup(WD_LOG_INFO, WD_LOG_JSON, false);
	wd_log(WD_LOG_INFO, "web", NULL, "three");
	setenv("JOURNAL_STREAM", "1:1", 1); /* inherited, but standard error is another now */
	wd_log_setup(WD_LOG_INFO, WD_LOG_LOGFMT, false);
	wd_log(WD_LOG_INFO, "web", NULL, "four");
	unsetenv("JOURNAL_STREAM");
	wd_log_setup(WD_LOG_INFO, WD_LOG_TEXT, false);
	const char *lines = heard();

	assert_true(wd_text_starts(lines, "<3>error    web  one\n"
					  "<4>level=warning service=web msg=two\n"
					  "<6>{\"level\":\"info\",\"service\":\"web\",\"msg\":\"three\"}\n"
					  "time=2"));
}

/* Standard error is a pipe that nobody empties: the watchdog goes on, and says later what is missing. */
static void a_deaf_reader_holds_nobody_up(void **state)
{
	static char wall[900];
	int ends[2], error;
	ssize_t got;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	kept = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	wd_log_setup(WD_LOG_INFO, WD_LOG_LOGFMT, false);
	memset(wall, 'x', sizeof(wall) - 1);
	errno = ENOENT;
	for (int i = 0; i < 1000; i++)
		wd_log(WD_LOG_INFO, NULL, NULL, "%s", wall);
	error = errno;
	while ((got = read(ends[0], said, sizeof(said))) > 0)
		;
	wd_log(WD_LOG_INFO, NULL, NULL, "again");
	got = read(ends[0], said, sizeof(said) - 1);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(error, ENOENT);
	assert_true(got > 0);
	said[got] = '\0';
	assert_non_null(strstr(said, "level=warning msg=\""));
	assert_non_null(strstr(said, " lines of this log were lost\"\n"));
	assert_non_null(strstr(said, "level=info msg=again\n"));
	assert_int_equal(said[0], '\n');
}

static void levels_and_formats_are_words(void **state)
{
	enum wd_log_level level = WD_LOG_INFO;
	enum wd_log_format format = WD_LOG_TEXT;

	(void)state;
	assert_true(wd_log_level_parse("debug", &level));
	assert_int_equal(level, WD_LOG_DEBUG);
	assert_true(wd_log_level_parse("error", &level));
	assert_int_equal(level, WD_LOG_ERROR);
	assert_false(wd_log_level_parse("trace", &level));
	assert_false(wd_log_level_parse(NULL, &level));
	assert_int_equal(level, WD_LOG_ERROR);
	assert_true(wd_log_format_parse("json", &format));
	assert_int_equal(format, WD_LOG_JSON);
	assert_false(wd_log_format_parse("xml", &format));
}

/* Must be the first to ask: what SEADOG_TRACE says is read once. */
static void developers_list_the_rooms(void **state)
{
	(void)state;
	setenv("SEADOG_TRACE", "engine,judge", 1);
	assert_true(wd_trace_on("engine"));
	assert_true(wd_trace_on("judge"));
	assert_false(wd_trace_on("eng"));
	assert_false(wd_trace_on("judge2"));
	assert_false(wd_trace_on("store"));
	listen_to_it();
	wd_log_setup(WD_LOG_ERROR, WD_LOG_LOGFMT, false);
	wd_trace("judge", "web", "%s -> %s", "suspect", "sick");
	wd_trace("store", "web", "wrote");
	const char *lines = heard();

	assert_non_null(strstr(lines, "level=trace service=web msg=\"suspect -> sick\" room=judge\n"));
	assert_null(strstr(lines, "wrote"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(developers_list_the_rooms),
		cmocka_unit_test(people_get_a_line_to_read),
		cmocka_unit_test(colors_are_for_terminals),
		cmocka_unit_test(machines_get_logfmt),
		cmocka_unit_test(machines_get_json),
		cmocka_unit_test(nobody_forges_a_line),
		cmocka_unit_test(a_flood_is_cut),
		cmocka_unit_test(what_is_not_asked_for_is_not_said),
		cmocka_unit_test(the_journal_gets_priorities),
		cmocka_unit_test(a_deaf_reader_holds_nobody_up),
		cmocka_unit_test(levels_and_formats_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
