/* Where values come from, and which of two is nearer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <watchdog/memory.h>

#include "../../watchdog/config/config.h"
#include "../support/files.h"

static struct wd_settings *load(const struct wd_sources *sources, const char *expected)
{
	struct wd_findings findings = {0};
	struct wd_settings *settings = wd_settings_load(sources, &findings);
	assert_true((settings == NULL) == (findings.faults > 0));
	assert_findings(&findings, expected);
	return settings;
}

static struct wd_settings *load_with(char *const *environment, const char *expected)
{
	return load(&(struct wd_sources){.file = "seadog.conf", .environment = environment}, expected);
}

struct wanted {
	const char *section, *key;
	char *found; /* "value from origin" */
};

static void look(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	struct wanted *wanted = data;
	if (strcmp(section, wanted->section) != 0 || strcmp(key, wanted->key) != 0)
		return;
	assert_null(wanted->found);
	wanted->found = wd_format("%s from %s", value, origin);
}

static void assert_holds(const struct wd_settings *settings, const struct wd_container *container, const char *section,
			 const char *key, const char *expected)
{
	struct wanted wanted = {.section = section, .key = key};
	wd_settings_each(settings, container, look, &wanted);
	assert_string_equal(wanted.found, expected);
	free(wanted.found);
}

static void each_source_is_beaten_by_the_one_before_it(void **state)
{
	(void)state;
	struct wd_label label = {.key = (char[]){"seadog.verify"}, .value = (char[]){"50s"}};
	struct wd_container web = {.name = (char[]){"web"}, .labels = &label, .label_count = 1};
	char *const environment[] = {"SEADOG_DEFAULTS_VERIFY=60s", NULL};
	char *const none[] = {NULL};
	struct wd_sources sources = {.file = "seadog.conf", .environment = environment};
	wd_list_add(&sources.set, "defaults.verify=70s");
	const char *sections[] = {"[container web]\nverify = 40s\n", "[policy p]\nmatch = name:web\nverify = 30s\n",
				  "[defaults]\nverify = 20s\n", ""};
	const struct {
		bool command, environment, label;
		unsigned file; /* from which of the sections on */
		const char *holds;
		int seconds;
	} rows[] = {
		{true, true, true, 0, "70s from command line", 70},
		{false, true, true, 0, "60s from SEADOG_DEFAULTS_VERIFY", 60},
		{false, false, true, 0, "50s from label seadog.verify", 50},
		{false, false, false, 0, "40s from seadog.conf:2", 40},
		{false, false, false, 1, "30s from seadog.conf:3", 30},
		{false, false, false, 2, "20s from seadog.conf:2", 20},
		{false, false, false, 3, "60s from built in", 60},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wd_sources now = {.file = "seadog.conf",
					 .environment = rows[i].environment ? environment : none};
		WD_AUTO_TEXT struct wd_text text = {0};
		for (unsigned j = rows[i].file; j < 4; j++)
			wd_text_add(&text, sections[j]);
		write_file("seadog.conf", wd_text_get(&text));
		if (rows[i].command)
			now.set = sources.set;
		web.label_count = rows[i].label ? 1 : 0;
		struct wd_settings *settings = load(&now, "");
		assert_holds(settings, &web, "container web", "verify", rows[i].holds);
		struct wd_policy *policy = wd_settings_policy(settings, &web, NULL);
		assert_int_equal(policy->verify, rows[i].seconds * WD_SECOND);
		wd_policy_free(policy);
		wd_settings_free(settings);
	}
	wd_list_done(&sources.set);
}

static void drop_ins_come_in_order_and_override_key_by_key(void **state)
{
	(void)state;
	write_file("seadog.conf", "[engine]\ntimeout = 10s\n[seadog]\nmode = observe\nlog_level = debug\n[safety]\n"
				  "never = one, two\n");
	write_file("seadog.conf.d/20-b.conf", "[engine]\ntimeout = 30s\n[safety]\nnever = three\n");
	write_file("seadog.conf.d/10-a.conf", "[engine]\ntimeout = 20s\n[seadog]\nlog_level = error\n");
	write_file("seadog.conf.d/30-c.conf.bak", "rubbish");
	write_file("seadog.conf.d/.hidden.conf", "rubbish");
	char *const environment[] = {NULL};
	struct wd_settings *settings = load_with(environment, "");
	assert_int_equal(settings->timeout, 30 * WD_SECOND);
	assert_int_equal(settings->log_level, WD_LOG_ERROR);
	assert_true(settings->observe);
	assert_int_equal(settings->never.count, 1);
	assert_string_equal(settings->never.items[0], "three");
	assert_holds(settings, NULL, "engine", "timeout", "30s from ./seadog.conf.d/20-b.conf:2");
	assert_holds(settings, NULL, "seadog", "mode", "observe from seadog.conf:4");
	wd_settings_free(settings);
}

static void a_fault_in_a_value_that_is_overridden_is_still_a_fault(void **state)
{
	(void)state;
	write_file("seadog.conf", "[engine]\ntimeout = soon\n");
	write_file("seadog.conf.d/10.conf", "[engine]\ntimeout = 20s\n[sea]\n");
	char *const environment[] = {NULL};
	assert_null(load_with(environment,
			      "fault: seadog.conf:2: timeout = soon: \"soon\" is no duration, write it like "
			      "90s, 5m or 1h30m\n"
			      "fault: ./seadog.conf.d/10.conf:3: [sea]: unknown section\n"));
}

static void a_file_that_is_named_must_be_there(void **state)
{
	(void)state;
	assert_null(load(&(struct wd_sources){.file = "none.conf"},
			 "fault: none.conf: cannot be read: No such file or directory\n"));
	assert_int_equal(mkdir("dir.conf", 0755), 0);
	assert_null(
		load(&(struct wd_sources){.file = "dir.conf"}, "fault: dir.conf: cannot be read: Is a directory\n"));
	assert_null(load(&(struct wd_sources){.file = "/dev/zero"}, "fault: /dev/zero: is larger than 1 MiB\n"));
}

static void a_file_that_everybody_can_write_is_warned_about(void **state)
{
	(void)state;
	write_file("seadog.conf", "");
	assert_int_equal(chmod("seadog.conf", 0666), 0);
	char *const environment[] = {NULL};
	wd_settings_free(load_with(environment,
				   "warning: seadog.conf: everybody can write to it, and so command seadog: "
				   "chmod o-w seadog.conf\n"));
}

static void without_a_name_the_users_own_file_is_read(void **state)
{
	if (access("/etc/seadog", F_OK) == 0)
		skip();
	WD_AUTO_FREE char *xdg = wd_format("XDG_CONFIG_HOME=%s/xdg", (char *)*state);
	WD_AUTO_FREE char *home = wd_format("HOME=%s/home", (char *)*state);
	WD_AUTO_FREE char *path = wd_format("%s/xdg/seadog/seadog.conf", (char *)*state);
	write_file("xdg/seadog/seadog.conf", "[engine]\ntimeout = 11s\n");
	write_file("home/.config/seadog/seadog.conf", "[engine]\ntimeout = 12s\n");
	char *const both[] = {xdg, home, NULL}, *const one[] = {"XDG_CONFIG_HOME=relative", home, NULL};
	char *const neither[] = {"HOME=/nowhere", NULL};

	struct wd_settings *settings = load(&(struct wd_sources){.environment = both}, "");
	assert_int_equal(settings->timeout, 11 * WD_SECOND);
	assert_string_equal(wd_settings_file(settings), path);
	wd_settings_free(settings);

	settings = load(&(struct wd_sources){.environment = one}, "");
	assert_int_equal(settings->timeout, 12 * WD_SECOND);
	wd_settings_free(settings);

	settings = load(&(struct wd_sources){.environment = neither}, "");
	assert_int_equal(settings->timeout, 30 * WD_SECOND);
	assert_null(wd_settings_file(settings));
	wd_settings_free(settings);
}

static void drop_ins_count_even_where_the_main_file_is_missing(void **state)
{
	if (access("/etc/seadog", F_OK) == 0)
		skip();
	WD_AUTO_FREE char *xdg = wd_format("XDG_CONFIG_HOME=%s", (char *)*state);
	write_file("seadog/seadog.conf.d/1.conf", "[engine]\ntimeout = 13s\n");
	char *const environment[] = {xdg, NULL};
	struct wd_settings *settings = load(&(struct wd_sources){.environment = environment}, "");
	assert_int_equal(settings->timeout, 13 * WD_SECOND);
	assert_null(wd_settings_file(settings));
	wd_settings_free(settings);
}

static const char *seadog_value(const struct wd_config *config, const char *key)
{
	const struct wd_entry *entry =
		wd_section_get(wd_config_section(config, "seadog", NULL), wd_option_find("seadog", key));
	return entry ? entry->value : NULL;
}

static void an_ordinary_user_keeps_state_and_socket_at_home(void **state)
{
	(void)state;
	char *const plain[] = {"HOME=/home/ann", NULL};
	char *const xdg[] = {"HOME=/home/ann", "XDG_STATE_HOME=/state", "XDG_RUNTIME_DIR=/run/user/1000", NULL};
	struct wd_config *config = wd_config_new();
	wd_config_default_places(config, plain, false);
	assert_string_equal(seadog_value(config, "state_dir"), "/home/ann/.local/state/seadog");
	assert_string_equal(seadog_value(config, "control"), "/home/ann/.local/state/seadog/seadog.sock");
	wd_config_free(config);

	config = wd_config_new();
	wd_config_default_places(config, xdg, false);
	assert_string_equal(seadog_value(config, "state_dir"), "/state/seadog");
	assert_string_equal(seadog_value(config, "control"), "/run/user/1000/seadog/seadog.sock");
	wd_config_free(config);

	config = wd_config_new();
	wd_config_default_places(config, xdg, true);
	assert_null(seadog_value(config, "state_dir"));
	wd_config_free(config);
}

static void a_unit_uses_the_places_that_systemd_made_for_it(void **state)
{
	(void)state;
	char *const unit[] = {"HOME=/var/lib/seadog", "STATE_DIRECTORY=/var/lib/seadog:/var/lib/other",
			      "RUNTIME_DIRECTORY=/run/seadog", NULL};
	struct wd_config *config = wd_config_new();
	wd_config_default_places(config, unit, false);
	assert_string_equal(seadog_value(config, "state_dir"), "/var/lib/seadog");
	assert_string_equal(seadog_value(config, "control"), "/run/seadog/seadog.sock");
	wd_config_free(config);
}

static void a_place_that_was_chosen_is_not_replaced_by_the_users_own(void **state)
{
	(void)state;
	struct wd_config *config = wd_config_new();
	struct wd_findings findings = {0};
	char *const environment[] = {"HOME=/home/ann", NULL};
	const char text[] = "[seadog]\nstate_dir = /srv/dog\n";
	wd_config_read(config, "x", text, strlen(text), &findings);
	wd_config_default_places(config, environment, false);
	assert_string_equal(seadog_value(config, "state_dir"), "/srv/dog");
	assert_string_equal(seadog_value(config, "control"), "/srv/dog/seadog.sock");
	wd_config_free(config);
	wd_findings_done(&findings);
}

static void the_environment_beats_the_file_and_the_command_line_both(void **state)
{
	(void)state;
	write_file("seadog.conf", "[engine]\nhost = tcp://file:1\ntimeout = 10s\n[seadog]\nmode = observe\n");
	char *const environment[] = {"SEADOG_ENGINE_HOST=tcp://environment:1", "SEADOG_SEADOG_MODE=act",
				     "SEADOG_TRACE=engine", "SEADOG=not ours", NULL};
	struct wd_sources sources = {.file = "seadog.conf", .environment = environment};
	wd_list_add(&sources.set, "engine.host=tcp://command:1");
	struct wd_settings *settings = load(&sources, "");
	assert_false(settings->observe);
	assert_holds(settings, NULL, "engine", "host", "tcp://command:1 from --host");
	assert_holds(settings, NULL, "engine", "timeout", "10s from seadog.conf:3");
	assert_holds(settings, NULL, "seadog", "mode", "act from SEADOG_SEADOG_MODE");
	assert_holds(settings, NULL, "seadog", "log_level", "info from built in");
	wd_settings_free(settings);
	wd_list_done(&sources.set);
}

static void what_a_section_says_shows_as_overridden_where_it_is(void **state)
{
	(void)state;
	write_file("seadog.conf", "[policy web]\nmatch = name:web\nverify = 10s\non_oom = stop\n");
	char *const environment[] = {"SEADOG_DEFAULTS_VERIFY=60s", NULL};
	struct wd_settings *settings = load_with(environment, "");
	assert_holds(settings, NULL, "policy web", "verify", "60s from SEADOG_DEFAULTS_VERIFY");
	assert_holds(settings, NULL, "policy web", "on_oom", "stop from seadog.conf:4");
	assert_holds(settings, NULL, "policy web", "match", "name:web from seadog.conf:2");
	wd_settings_free(settings);
}

static void a_variable_can_name_a_file_that_holds_the_value(void **state)
{
	(void)state;
	write_file("seadog.conf", "");
	write_file("host", "tcp://secret:2376\r\n");
	write_file("two", "a\nb\n");
	char *const good[] = {"SEADOG_ENGINE_HOST_FILE=host", "SEADOG_HTTP_TOKEN_FILE=/run/token", NULL};
	struct wd_settings *settings = load_with(
		good, "warning: SEADOG_HTTP_TOKEN_FILE: token_file has no effect in this version of seadog\n");
	assert_holds(settings, NULL, "engine", "host", "tcp://secret:2376 from SEADOG_ENGINE_HOST_FILE");
	assert_holds(settings, NULL, "http", "token_file",
		     "/run/token from SEADOG_HTTP_TOKEN_FILE (no effect in this version)");
	wd_settings_free(settings);

	char *const bad[] = {"SEADOG_ENGINE_TIMEOUT=5s", "SEADOG_ENGINE_TIMEOUT_FILE=host",
			     "SEADOG_SEADOG_MODE_FILE=gone", "SEADOG_ENGINE_HOST_FILE=two", NULL};
	assert_null(load_with(bad,
			      "fault: SEADOG_ENGINE_TIMEOUT_FILE: SEADOG_ENGINE_TIMEOUT is set too, keep one of them\n"
			      "fault: SEADOG_SEADOG_MODE_FILE: gone: cannot be read: No such file or directory\n"
			      "fault: SEADOG_ENGINE_HOST_FILE: two: must hold one line of text\n"));
}

static void a_variable_nobody_knows_is_a_fault(void **state)
{
	(void)state;
	write_file("seadog.conf", "");
	char *const environment[] = {"SEADOG_ENGINE_HOTS=x",
				     "SEADOG_DEFAULTS_RESTARTS=often",
				     "SEADOG_POLICY_RESTARTS=5/60s",
				     "SEADOG_ENGINE_TIMEOUT=",
				     "SEADOG_X_FILE=/y",
				     "SEADOG_SEADOG_MODE=act\nx",
				     NULL};
	assert_null(
		load_with(environment,
			  "fault: SEADOG_ENGINE_HOTS: unknown, did you mean SEADOG_ENGINE_HOST?\n"
			  "fault: SEADOG_DEFAULTS_RESTARTS: restarts = often: must be N/WINDOW, write it like 5/60s\n"
			  "fault: SEADOG_POLICY_RESTARTS: unknown, did you mean SEADOG_DEFAULTS_RESTARTS?\n"
			  "warning: SEADOG_ENGINE_TIMEOUT: is empty, which counts as not set\n"
			  "fault: SEADOG_X_FILE: unknown, variables of seadog are named SEADOG_SECTION_KEY\n"
			  "fault: SEADOG_SEADOG_MODE: must hold one line of text\n"));
}

static void a_command_line_that_sets_what_is_not_there_is_a_fault(void **state)
{
	(void)state;
	write_file("seadog.conf", "");
	struct wd_sources sources = {.file = "seadog.conf"};
	wd_list_add(&sources.set, "engine.hots=unix:///x");
	wd_list_add(&sources.set, "engine=unix:///x");
	wd_list_add(&sources.set, "policy web.verify=5s");
	wd_list_add(&sources.set, "engine.timeout=0");
	assert_null(load(&sources, "fault: command line: engine.hots: unknown, did you mean engine.host?\n"
				   "fault: command line: engine=unix:///x: write SECTION.KEY=VALUE\n"
				   "fault: command line: policy web.verify: unknown\n"
				   "fault: command line: timeout = 0: must be between 1s and 1h\n"));
	wd_list_done(&sources.set);
}

static void a_clients_certificate_needs_its_key(void **state)
{
	(void)state;
	write_file("seadog.conf", "[engine]\ntls_cert = /cert.pem\n");
	char *const environment[] = {NULL};
	assert_null(load_with(environment, "fault: seadog.conf:2: tls_cert: needs tls_key beside it\n"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

static void assert_places(const char *text, char *const *environment, const char *control)
{
	struct wd_findings findings = {0};
	struct wd_sources sources = {.file = "seadog.conf", .environment = environment};
	write_file("seadog.conf", text);
	struct wd_settings *settings = wd_settings_load_places(&sources, &findings);
	assert_true(findings.faults > 0);
	assert_true((settings == NULL) == (control == NULL));
	if (settings)
		assert_string_equal(settings->control, control);
	wd_settings_free(settings);
	wd_findings_done(&findings);
}

/* Only what can be known in spite of the faults; whatever may have spoken of the place itself makes it unknown. */
static void places_are_known_in_spite_of_faults_elsewhere(void **state)
{
	(void)state;
	char *const nothing[] = {NULL}, *const faulty[] = {"SEADOG_DEFAULTS_RESTARTS=5", NULL},
		    *const unknown[] = {"SEADOG_SEADOG_CONTROLS=/b", NULL};
	assert_places("[seadog]\ncontrol = /a\n[defaults]\nrestarts = 5\nverfy = 1m\n", nothing, "/a");
	assert_places("[seadog]\ncontrol = /a\n[defaults]\non_restarts = hook:none\n", nothing, "/a");
	assert_places("[policy web]\n x\n[seadog]\ncontrol = /a\n", nothing, "/a");
	assert_places("[seadog]\ncontrol = /a\n", faulty, "/a");
	assert_places("[seadog]\ncontrol = /a\n", unknown, NULL);
	assert_places("[seadog]\ncontrol = a\n", nothing, NULL);
	assert_places("[seadog]\ncontrol = /a\nmode = x\n", nothing, "/a");
	assert_places("[seadog]\ncontrol = /a\ncontrl = /b\n", nothing, NULL);
	assert_places("[seadgo]\ncontrol = /a\n", nothing, NULL);
	assert_places("[defaults]\n[seadog\ncontrol = /a\n", nothing, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(each_source_is_beaten_by_the_one_before_it),
		STORY(drop_ins_come_in_order_and_override_key_by_key),
		STORY(a_fault_in_a_value_that_is_overridden_is_still_a_fault),
		STORY(a_file_that_is_named_must_be_there),
		STORY(a_file_that_everybody_can_write_is_warned_about),
		STORY(without_a_name_the_users_own_file_is_read),
		STORY(drop_ins_count_even_where_the_main_file_is_missing),
		STORY(an_ordinary_user_keeps_state_and_socket_at_home),
		STORY(a_unit_uses_the_places_that_systemd_made_for_it),
		STORY(a_place_that_was_chosen_is_not_replaced_by_the_users_own),
		STORY(the_environment_beats_the_file_and_the_command_line_both),
		STORY(what_a_section_says_shows_as_overridden_where_it_is),
		STORY(a_variable_can_name_a_file_that_holds_the_value),
		STORY(a_variable_nobody_knows_is_a_fault),
		STORY(a_command_line_that_sets_what_is_not_there_is_a_fault),
		STORY(a_clients_certificate_needs_its_key),
		STORY(places_are_known_in_spite_of_faults_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
