/* Files: the example of the manual loads; what inih would bend in silence is a fault; all faults come at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/files.h"

/* What the text says; NULL where it has faults. */
static struct wd_settings *load(const char *text, const char *expected)
{
	struct wd_findings findings = {0};
	write_file("seadog.conf", text);
	char *const environment[] = {"HOME=/home/ann", NULL};
	struct wd_sources sources = {.file = "seadog.conf", .environment = environment};
	struct wd_settings *settings = wd_settings_load(&sources, &findings);
	assert_true((settings == NULL) == (findings.faults > 0));
	assert_findings(&findings, expected);
	return settings;
}

static const char example[] =
	"[engine]\n"
	"host = unix:///var/run/docker.sock   ; else DOCKER_HOST, the docker context in use, the usual sockets\n"
	"; write_host = …                     ; a second endpoint for changing calls (a socket proxy that splits the "
	"two)\n"
	"; tls_ca, tls_cert, tls_key = …      ; for tcp://\n"
	"timeout = 30s\n"
	"\n"
	"[seadog]\n"
	"mode = act                           ; or observe\n"
	"watch = all                          ; or labelled: only containers with seadog.enable=true\n"
	"state_dir = /var/lib/seadog\n"
	"control = /run/seadog/seadog.sock\n"
	"sample_interval = 2s\n"
	"log_level = info\n"
	"log_format = text                    ; or logfmt, json\n"
	"\n"
	"[http]\n"
	"listen = 127.0.0.1:9790              ; or off, or unix:///path; dashboard, API, /metrics, /healthz, /readyz\n"
	"; token_file = …                     ; needed for anything that changes something\n"
	"\n"
	"[safety]\n"
	"max_actions = 10/1h\n"
	"\n"
	"[defaults]\n"
	"restarts = 5/60s\n"
	"on_restarts = stop\n"
	"flapping = 10/1h\n"
	"on_flapping = notify\n"
	"verify = 60s\n"
	"\n"
	"[policy web]\n"
	"match = name:web-*, image:ghcr.io/acme/*, project:shop, label:tier=front\n"
	"on_restarts = rollback, stop\n"
	"on_unhealthy = restart, rollback, stop\n"
	"\n"
	"[container postgres]\n"
	"snapshot_schedule = daily 03:00\n"
	"on_restarts = rollback+restore, stop\n"
	"\n"
	"[hook page-me]\n"
	"command = /usr/local/bin/page --team infra\n"
	"\n"
	"[notify phone]\n"
	"type = ntfy                          ; webhook, ntfy, gotify, discord, slack, telegram, email, apprise, …\n"
	"url = https://ntfy.example/alerts\n"
	"when = opened, closed, failed        ; which moments\n";

static void the_example_of_the_manual_loads_and_says_what_is_not_built_yet(void **state)
{
	(void)state;
	struct wd_settings *settings = load(
		example,
		"warning: seadog.conf:16: [http] has no effect in this version of seadog\n"
		"warning: seadog.conf:37: on_restarts: rollback+restore has no effect in this version of seadog, the "
		"rung is "
		"skipped\n"
		"warning: seadog.conf:42: [notify phone] has no effect in this version of seadog\n");
	assert_string_equal(settings->host, "unix:///var/run/docker.sock");
	assert_int_equal(settings->timeout, 30 * WD_SECOND);
	assert_int_equal(settings->log_format, WD_LOG_TEXT);
	assert_string_equal(wd_settings_file(settings), "seadog.conf");
	wd_settings_free(settings);
}

static void assert_found(const char *text, const char *expected)
{
	wd_settings_free(load(text, expected));
}

static char *repeat(const char *before, char letter, size_t count, const char *after)
{
	struct wd_text text = {0};
	wd_text_add(&text, before);
	for (size_t i = 0; i < count; i++)
		wd_text_put(&text, &letter, 1);
	wd_text_add(&text, after);
	return wd_text_take(&text);
}

static void all_faults_come_at_once_each_with_its_place_and_a_remedy(void **state)
{
	(void)state;
	assert_found(
		"[seadog]\n"
		"mode = watch\n"
		"log_levl = debug\n"
		"state_dir = lib/seadog\n"
		"timeout = 30s\n"
		"[engine]\n"
		"host = /var/run/docker.sock\n"
		"timeout = soon\n"
		"[enginge]\n"
		"host = unix:///x\n"
		"[defaults]\n"
		"restarts = 5/\n"
		"flapping = 1000/1h\n"
		"exit = 1, 256\n"
		"down = 0.2s\n"
		"on_restarts = restrat, stop\n"
		"on_exit = throttle\n"
		"on_oom = hook:pageme\n"
		"match = name:*\n"
		"[policy web]\n"
		"match = nam:web-*\n"
		"verify = off\n"
		"[policy]\n"
		"[defaults again]\n"
		"[hook page-me]\n"
		"command = page 'me\n"
		"[notify phone]\n"
		"url = https://ntfy.example/alerts\n"
		"[notify desk]\n"
		"type = discord\n"
		"topic = alerts\n",
		"fault: seadog.conf:2: mode = watch: must be act or observe\n"
		"fault: seadog.conf:3: log_levl: unknown key in [seadog], did you mean log_level?\n"
		"fault: seadog.conf:4: state_dir = lib/seadog: must be an absolute path\n"
		"fault: seadog.conf:5: timeout: is no key of [seadog], it belongs into [engine]\n"
		"fault: seadog.conf:7: host = /var/run/docker.sock: did you mean unix:///var/run/docker.sock?\n"
		"fault: seadog.conf:8: timeout = soon: \"soon\" is no duration, write it like 90s, 5m or 1h30m\n"
		"fault: seadog.conf:9: [enginge]: unknown section, did you mean [engine]?\n"
		"fault: seadog.conf:12: restarts = 5/: must be N/WINDOW, write it like 5/60s\n"
		"fault: seadog.conf:13: flapping = 1000/1h: the count: 1000 is not between 1 and 100\n"
		"fault: seadog.conf:14: exit = 1, 256: 256 is not between 0 and 255\n"
		"fault: seadog.conf:15: down = 0.2s: must be between 1s and 30d, or off\n"
		"fault: seadog.conf:16: on_restarts = restrat, stop: restrat is no action, did you mean restart?\n"
		"fault: seadog.conf:17: on_exit = throttle: throttle needs more, write it like throttle:0.5\n"
		"fault: seadog.conf:18: on_oom = hook:pageme: there is no [hook pageme], did you mean hook:page-me?\n"
		"fault: seadog.conf:19: match: belongs into [policy NAME], not into [defaults]\n"
		"fault: seadog.conf:21: match = nam:web-*: unknown, did you mean name:?\n"
		"fault: seadog.conf:22: verify = off: must be between 1s and 1d\n"
		"fault: seadog.conf:23: [policy]: needs a name, write it like [policy NAME]\n"
		"fault: seadog.conf:24: [defaults again]: takes no name, write [defaults]\n"
		"fault: seadog.conf:26: command: quote ' is not closed\n"
		"warning: seadog.conf:27: [notify phone] has no effect in this version of seadog\n"
		"fault: seadog.conf:27: [notify phone]: the type is missing, such as type = ntfy\n"
		"warning: seadog.conf:29: [notify desk] has no effect in this version of seadog\n"
		"fault: seadog.conf:29: [notify desk]: discord needs url\n"
		"fault: seadog.conf:31: topic: discord does not know it, only url and when\n");
}

static void comments_stand_on_lines_of_their_own_or_behind_values_that_are_no_free_text(void **state)
{
	(void)state;
	struct wd_settings *settings = load("# one\n; two\n   ; three, indented\n\n"
					    "[engine] ; four\n"
					    "timeout = 10s ; five\n"
					    "host = tcp://engine:2375\t;; six\n"
					    "[safety] # seven\n"
					    "grace = 5s ;\n"
					    "mass_failure = 5, within 10s; wait 60s   ; eight\n",
					    "");
	assert_int_equal(settings->timeout, 10 * WD_SECOND);
	assert_string_equal(settings->host, "tcp://engine:2375");
	assert_int_equal(settings->grace, 5 * WD_SECOND);
	assert_int_equal(settings->mass_failure.wait, 60 * WD_SECOND);
	wd_settings_free(settings);
}

static void text_that_inih_would_cut_behind_a_semicolon_is_a_fault(void **state)
{
	(void)state;
	assert_found(
		"[defaults]\n"
		"verify = 60s ;90s\n"
		"[hook page]\n"
		"command = /bin/sh -c 'ls ; reboot'\n"
		"[notify phone]\n"
		"type = webhook\n"
		"url = https://example.org/?a=1 ;b=2\n"
		"user = ann ; the admin\n",
		"fault: seadog.conf:2: verify: the value would be cut at \" ;9\": a comment has a blank behind its "
		"semicolon, and no value can hold a blank and a semicolon\n"
		"fault: seadog.conf:4: command: the value would be cut at \" ;\": put comments on lines of their own, "
		"and a value that needs these bytes into a script\n"
		"warning: seadog.conf:5: [notify phone] has no effect in this version of seadog\n"
		"fault: seadog.conf:7: url: the value would be cut at \" ;\": put comments on lines of their own, and "
		"a "
		"value that needs these bytes into a file (url_file)\n"
		"fault: seadog.conf:8: user: the value would be cut at \" ;\": put comments on lines of their own, and "
		"a "
		"value that needs these bytes into a file (url_file)\n");
}

static void a_mass_rule_whose_semicolon_is_taken_for_a_comment_is_a_fault(void **state)
{
	(void)state;
	assert_found(
		"[safety]\nmass_failure = 5, within 10s ; wait 60s\n",
		"fault: seadog.conf:2: mass_failure = 5, within 10s: write it like 5, or 50% but at least 3, within "
		"10s; wait 60s: \"; wait SPAN\" is missing (without a blank before the semicolon)\n");
}

static void a_line_of_198_bytes_is_read_whole_and_one_of_199_is_a_fault(void **state)
{
	(void)state;
	char *fits = repeat("[seadog]\nstate_dir = /", 'a', 198 - strlen("state_dir = /"), "\nmode = observe\n");
	struct wd_settings *settings = load(fits, "");
	assert_int_equal(strlen(settings->state_dir), 198 - strlen("state_dir = "));
	assert_true(settings->observe);
	wd_settings_free(settings);
	free(fits);

	char *over = repeat("[seadog]\nstate_dir = /", 'a', 199 - strlen("state_dir = /"), "\n");
	assert_found(over,
		     "fault: seadog.conf:2: the line has 199 bytes, at most 198 are read: shorten it, or put a long "
		     "value into a file and name that (url_file, SEADOG_…_FILE)\n");
	free(over);
	char *comment = repeat("; ", 'a', 300, "\n[seadog]\n");
	assert_found(comment,
		     "fault: seadog.conf:1: the line has 302 bytes, at most 198 are read: shorten it, or put a long "
		     "value into a file and name that (url_file, SEADOG_…_FILE)\n");
	free(comment);
}

static void a_section_name_of_48_bytes_is_read_whole_and_one_of_49_is_a_fault(void **state)
{
	(void)state;
	char *fits = repeat("[container ", 'a', 48 - strlen("container "), "]\nverify = 5s\n");
	assert_found(fits, "");
	free(fits);
	char *over = repeat("[container ", 'a', 49 - strlen("container "), "]\nverify = 5s\n");
	assert_found(over,
		     "fault: seadog.conf:1: the name of the section has 49 bytes, at most 48 are read: use a [policy "
		     "NAME] with match = name:…\n");
	free(over);
}

static void an_indented_line_is_no_silent_continuation(void **state)
{
	(void)state;
	assert_found(
		"[defaults]\nrestarts = 5/60s\n  flapping = 3/1h\n\t[engine]\n",
		"fault: seadog.conf:3: flapping = 3/1h: is indented, which would make it part of the line above: begin "
		"it at the margin\n"
		"fault: seadog.conf:4: [engine]: is indented, which would make it part of the line above: begin it at "
		"the margin\n");
}

static void lines_that_are_no_pairs_are_faults(void **state)
{
	(void)state;
	assert_found(
		"restarts = 5/60s\n"
		"[defaults]\n"
		"restarts\n"
		"restarts: 5/60s\n"
		"restarts : x = 5\n"
		"= 5\n"
		"restarts =\n"
		"flapping ; = 5/1h\n"
		"[policy web\n"
		"verify = 60s\n"
		"[policy a ;b]\n"
		"[policy web] verify = 60s\n",
		"fault: seadog.conf:1: restarts: stands before the first section, put it below one such as [defaults]\n"
		"fault: seadog.conf:3: restarts: there is no =, write KEY = VALUE\n"
		"fault: seadog.conf:4: restarts: 5/60s: write KEY = VALUE, with = instead of the colon\n"
		"fault: seadog.conf:5: restarts : x : a key has no colon in it\n"
		"fault: seadog.conf:6: there is no key before the =\n"
		"fault: seadog.conf:7: restarts = : has no value: give it one or leave the key out\n"
		"fault: seadog.conf:8: flapping ; = 5/1h: there is no =, write KEY = VALUE\n"
		"fault: seadog.conf:9: [policy web: the closing ] is missing\n"
		"fault: seadog.conf:11: [policy a ;b]: the closing ] is missing\n"
		"fault: seadog.conf:12: [policy web] verify = 60s: there is text behind the ]\n");
}

static void a_key_twice_in_one_file_is_a_fault_even_in_a_section_that_is_opened_again(void **state)
{
	(void)state;
	assert_found("[policy web]\nverify = 60s\n[engine]\ntimeout = 5s\n[policy web]\nverify = 90s\n",
		     "fault: seadog.conf:6: verify: is set twice in [policy web], first in line 2\n");
}

static void bytes_that_no_editor_shows_are_faults(void **state)
{
	(void)state;
	struct wd_findings findings = {0};
	const char bytes[] = "\xef\xbb\xbf[engine]\r\ntimeout = 5s\0x\r\nhost = unix:///a\x1b[2J\n";
	write_bytes("seadog.conf", bytes, sizeof(bytes) - 1);
	struct wd_sources sources = {.file = "seadog.conf"};
	assert_null(wd_settings_load(&sources, &findings));
	assert_findings(&findings,
			"fault: seadog.conf:1: begins with a byte order mark, save it as UTF-8 without one\n"
			"fault: seadog.conf:2: byte 13 of the line is a control character (0x00): remove it\n"
			"fault: seadog.conf:3: byte 17 of the line is a control character (0x1b): remove it\n");
}

static void what_a_finding_shows_cannot_drive_a_terminal(void **state)
{
	(void)state;
	assert_found(
		"[engine]\nhost = x\xe2\x80\xae\x9b\n[eng\xc2\x9bine]\n",
		"fault: seadog.conf:2: host = x\\u{202e}\\x9b: must begin with unix://, tcp://, http:// or https://\n"
		"fault: seadog.conf:3: [eng\\u{009b}ine]: unknown section, did you mean [engine]?\n");
}

static void lines_may_end_as_on_windows_and_the_last_one_may_not_end_at_all(void **state)
{
	(void)state;
	struct wd_settings *settings = load("[seadog]\r\nmode = observe\r\n[engine]\r\ntimeout = 7s", "");
	assert_true(settings->observe);
	assert_int_equal(settings->timeout, 7 * WD_SECOND);
	wd_settings_free(settings);
}

static void an_empty_file_holds_the_defaults(void **state)
{
	(void)state;
	struct wd_settings *settings = load("", "");
	assert_null(settings->host);
	assert_int_equal(settings->timeout, 30 * WD_SECOND);
	assert_false(settings->observe);
	assert_false(settings->watch_labelled);
	assert_int_equal(settings->max_actions.count, 10);
	assert_int_equal(settings->max_actions.window, WD_HOUR);
	assert_int_equal(settings->mass_failure.count, 5);
	assert_true(settings->mass_failure.ratio > 0.49 && settings->mass_failure.ratio < 0.51);
	assert_int_equal(settings->mass_failure.least, 3);
	assert_int_equal(settings->mass_failure.within, 10 * WD_SECOND);
	assert_int_equal(settings->mass_failure.wait, 60 * WD_SECOND);
	assert_int_equal(settings->grace, 30 * WD_SECOND);
	assert_int_equal(settings->tilt, 2 * WD_SECOND);
	assert_int_equal(settings->tilt_wait, 30 * WD_SECOND);
	assert_int_equal(settings->never.count, 0);
	assert_int_equal(settings->keep_incidents, 90 * WD_DAY);
	assert_int_equal(settings->sample_interval, 2 * WD_SECOND);
	assert_int_equal(settings->log_level, WD_LOG_INFO);
	wd_settings_free(settings);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_example_of_the_manual_loads_and_says_what_is_not_built_yet),
		STORY(all_faults_come_at_once_each_with_its_place_and_a_remedy),
		STORY(comments_stand_on_lines_of_their_own_or_behind_values_that_are_no_free_text),
		STORY(text_that_inih_would_cut_behind_a_semicolon_is_a_fault),
		STORY(a_mass_rule_whose_semicolon_is_taken_for_a_comment_is_a_fault),
		STORY(a_line_of_198_bytes_is_read_whole_and_one_of_199_is_a_fault),
		STORY(a_section_name_of_48_bytes_is_read_whole_and_one_of_49_is_a_fault),
		STORY(an_indented_line_is_no_silent_continuation),
		STORY(lines_that_are_no_pairs_are_faults),
		STORY(a_key_twice_in_one_file_is_a_fault_even_in_a_section_that_is_opened_again),
		STORY(bytes_that_no_editor_shows_are_faults),
		STORY(what_a_finding_shows_cannot_drive_a_terminal),
		STORY(lines_may_end_as_on_windows_and_the_last_one_may_not_end_at_all),
		STORY(an_empty_file_holds_the_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
