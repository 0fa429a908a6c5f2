/* The grammar of each kind of value: what is taken, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../watchdog/config/config.h"

struct saying {
	const char *section, *key, *value, *complaint; /* complaint NULL: is taken; else must be part of what is said */
};

static const struct saying sayings[] = {
	{"engine", "timeout", "30", NULL},
	{"engine", "timeout", "1m30s", NULL},
	{"engine", "timeout", "off", "between 1s and 1h"},
	{"engine", "timeout", "0", "between 1s and 1h"},
	{"engine", "timeout", "-5s", "-5s"},
	{"engine", "timeout", "", "has no value"},
	{"engine", "host", "unix:///run/x.sock", NULL},
	{"engine", "host", "unix://run/x.sock", "must be absolute"},
	{"engine", "host", "tcp://", "name of the host is missing"},
	{"engine", "host", "tcp://:2375", "name of the host is missing"},
	{"engine", "host", "ssh://ann@host", "ssh is not spoken"},
	{"engine", "host", "engine:2375", "must begin with"},
	{"engine", "host", "tcp://a b", "blanks"},
	{"engine", "tls_ca", "~/ca.pem", "~ is a shell's word"},
	{"seadog", "mode", "observ", "did you mean observe?"},
	{"seadog", "log_level", "warn", "debug, info, warning or error"},
	{"seadog", "control", "/run/seadog.sock", NULL},
	{"seadog", "control",
	 "/run/a-very-long-path/a-very-long-path/a-very-long-path/a-very-long-path/a-very-long-path/a-very-long-path/s",
	 "longer than 107 bytes"},
	{"seadog", "keep_incidents", "off", "between 1h and"},
	{"safety", "max_actions", "off", NULL},
	{"safety", "max_actions", "3/1h, 10/1d", "a single N/WINDOW"},
	{"safety", "mass_failure", "off", NULL},
	{"safety", "mass_failure", "5, within 10s; wait 60s", NULL},
	{"safety", "mass_failure", "5,or 50%,within 10s;wait 60s", NULL},
	{"safety", "mass_failure", "5, or 50% but at least 3, within 10s;  wait  1m", NULL},
	{"safety", "mass_failure", "5 within 10s; wait 60s", NULL},
	{"safety", "mass_failure", "1, within 10s; wait 60s", "between 2 and"},
	{"safety", "mass_failure", "5, or 500%, within 10s; wait 60s", "at most 100%"},
	{"safety", "mass_failure", "5, or 50%; wait 60s", "write it like"},
	{"safety", "mass_failure", "5, within 10s; wait", "write it like"},
	{"safety", "mass_failure", "5, within 10s; wait 60s and more", "write it like"},
	{"safety", "mass_failure", "5, within 2h; wait 60s", "between 1s and 1h"},
	{"safety", "tilt", "off", NULL},
	{"safety", "tilt", "2s,wait 30s", NULL},
	{"safety", "tilt", "2s, wait off", NULL},
	{"safety", "tilt", "2s", "2s, wait 30s"},
	{"safety", "tilt", "2s, 30s", "2s, wait 30s"},
	{"safety", "tilt", "1ms, wait 30s", "between 100ms and 1h"},
	{"http", "listen", "off", NULL},
	{"http", "listen", ":9790", NULL},
	{"http", "listen", "[::1]:9790", NULL},
	{"http", "listen", "::1:9790", "ADDRESS:PORT"},
	{"http", "listen", "9790", "ADDRESS:PORT"},
	{"http", "listen", "127.0.0.1:0", "port"},
	{"http", "listen", "127.0.0.1:65536", "port"},
	{"http", "listen", "unix://run/http", "absolute"},
	{"snapshots", "min_free", "0.5%", NULL},
	{"snapshots", "min_free", "5", NULL},
	{"snapshots", "min_free", "lots", "10%"},
	{"policy", "restarts", "5/60s, 10/10m", NULL},
	{"policy", "restarts", "off", NULL},
	{"policy", "restarts", "none", NULL},
	{"policy", "restarts", "5", "write it like 5/60s"},
	{"policy", "restarts", "/60s", "write it like 5/60s"},
	{"policy", "restarts", "0/60s", "between 1 and 100"},
	{"policy", "restarts", "101/60s", "between 1 and 100"},
	{"policy", "restarts", "+5/60s", "+5"},
	{"policy", "restarts", "5/100ms", "between 1s and 30d"},
	{"policy", "restarts", "5/31d", "between 1s and 30d"},
	{"policy", "restarts", ",", "one to 8 times"},
	{"policy", "restarts", "1/1s,1/2s,1/3s,1/4s,1/5s,1/6s,1/7s,1/8s,1/9s", "one to 8 times"},
	{"policy", "exit", "0", NULL},
	{"policy", "exit", "1,137 , 128-159", NULL},
	{"policy", "exit", "9-5", "must not be above"},
	{"policy", "exit", "-1", "-1"},
	{"policy", "exit", "1-", "no whole number"},
	{"policy", "exit", "SIGKILL", "SIGKILL"},
	{"policy", "memory", "90% for 60s", NULL},
	{"policy", "memory", "1.5GiB for 60s", NULL},
	{"policy", "memory", "90%  for  60s", NULL},
	{"policy", "memory", "90%", "90% for 60s or 1.5GiB for 60s"},
	{"policy", "memory", "90% 5 for 60s", "90% for 60s or 1.5GiB for 60s"},
	{"policy", "memory", "0% for 60s", "above 0%"},
	{"policy", "memory", "101% for 60s", "at most 100%"},
	{"policy", "memory", "0 for 60s", "above 0"},
	{"policy", "memory", "90% for 2d", "at most 1d"},
	{"policy", "cpu", "1.5GiB for 60s", "is no percentage"},
	{"policy", "cpu", "97.5% for 5m", NULL},
	{"policy", "cpu", "97.5000% for 5m", "is no percentage"},
	{"policy", "cpu", "1e1% for 5m", "is no percentage"},
	{"policy", "pids", "200 for 60s", NULL},
	{"policy", "pids", "2k for 60s", "2k"},
	{"policy", "forecast", "2h", NULL},
	{"policy", "forecast", "2s", "or off"},
	{"policy", "pressure", "memory 40% for 30s, cpu 50% for 1m", NULL},
	{"policy", "pressure", "40% for 30s", "memory, cpu or io"},
	{"policy", "pressure", "disk 40% for 30s", "memory, cpu or io"},
	{"policy", "pressure", "memory 40%", "for 5m"},
	{"policy", "on_restarts", "notify, restart, pause, throttle:0.5, rollback, restore, rollback+restore, stop",
	 NULL},
	{"policy", "on_restarts", "hook:page-me", NULL},
	{"policy", "on_restarts", "hook:", "hook:NAME"},
	{"policy", "on_restarts", "hook", "hook:NAME"},
	{"policy", "on_restarts", "throttle:0", "between 0.01 and 1024"},
	{"policy", "on_restarts", "throttle:-1", "between 0.01 and 1024"},
	{"policy", "on_restarts", "throttle:nan", "between 0.01 and 1024"},
	{"policy", "on_restarts", "stop:now", "nothing behind a colon"},
	{"policy", "on_restarts", "release", "is no action"},
	{"policy", "on_restarts", "delete", "is no action"},
	{"policy", "on_restarts", "off", "a ladder cannot be off"},
	{"policy", "on_restarts", ",,", "one to 8 actions"},
	{"policy", "on_restarts", "stop,stop,stop,stop,stop,stop,stop,stop,stop", "one to 8 actions"},
	{"policy", "rollback_to", "acme/web@sha256:0123", NULL},
	{"policy", "rollback_to", "-rf", "name of an image"},
	{"policy", "rollback_to", "acme web", "name of an image"},
	{"policy", "snapshot_schedule", "hourly", NULL},
	{"policy", "snapshot_schedule", "daily 23:59", NULL},
	{"policy", "snapshot_schedule", "daily", "daily 03:00"},
	{"policy", "snapshot_schedule", "daily 24:00", "daily 03:00"},
	{"policy", "snapshot_schedule", "daily 3:00", "daily 03:00"},
	{"policy", "snapshot_schedule", "weekly", "five fields"},
	{"policy", "snapshot_schedule", "0 3 * * 7", NULL},
	{"policy", "snapshot_schedule", "0,30 */6 1-15/2 Jan-Mar sun,wed", NULL},
	{"policy", "snapshot_schedule", "60 3 * * *", "60 is no minute"},
	{"policy", "snapshot_schedule", "0 3 0 * *", "0 is no day of the month"},
	{"policy", "snapshot_schedule", "0 5-3 * * *", "5-3 is no hour"},
	{"policy", "snapshot_schedule", "*/0 3 * * *", "*/0 is no minute"},
	{"policy", "snapshot_schedule", "0 3 * *", "five fields"},
	{"policy", "snapshot_schedule", "0 3 30 feb *", "never comes"},
	{"policy", "snapshot_schedule", "0 3 31 4,6,9,11 *", "never comes"},
	{"policy", "snapshot_schedule", "0 3 30 feb mon", NULL},
	{"policy", "snapshot_schedule", "0 3 29 2 *", NULL},
	{"policy", "snapshot_schedule", "5-/2 3 * * *", "5-/2 is no minute"},
	{"policy", "snapshot_binds", "/srv/data, /opt/app/files/", NULL},
	{"policy", "snapshot_binds", "none", NULL},
	{"policy", "snapshot_binds", "/etc/", "path of the system"},
	{"policy", "snapshot_binds", "/", "path of the system"},
	{"policy", "snapshot_binds", "/run/docker.sock", "path of the system"},
	{"policy", "snapshot_binds", "/srv/../etc", "plain form"},
	{"policy", "snapshot_binds", "/srv/..", "plain form"},
	{"policy", "snapshot_binds", "data", "absolute path"},
	{"policy", "snapshot_before", "hook:dump", NULL},
	{"policy", "snapshot_before", "pg_dump", "hook:NAME"},
	{"policy", "snapshot_on_change", "maybe", "yes or no"},
	{"policy", "pins_kept", "0", "between 1 and 100"},
	{"policy", "keep_daily", "0", NULL},
	{"policy", "keep_daily", "-1", "-1"},
	{"policy", "audit_ignore", "Root User", "names of checks"},
	{"policy", "match", "name:web-*", NULL},
	{"policy", "match", "project:shop+label:tier=front, image:*/web", NULL},
	{"policy", "match", "name:", "glob is missing"},
	{"policy", "match", "web-*", "must begin with"},
	{"policy", "match", "label:tier", "label:tier=front"},
	{"policy", "match", "label:=x", "label:tier=front"},
	{"policy", "match", "+", "nothing around the +"},
	{"policy", "match", "images:web", "did you mean image:?"},
	{"hook", "command", "/bin/sh -c \"echo 'x'\"", NULL},
	{"hook", "command", "''", "must be an absolute path"},
	{"hook", "command", "page --team infra", "page must be an absolute path, such as /usr/local/bin/page"},
	{"hook", "command", "echo \"x", "not closed"},
	{"notify", "url", "ntfy.example/alerts", "must begin with"},
	{"notify", "url", "https:///alerts", "name of a host"},
	{"notify", "url", "javascript://x", "must begin with"},
	{"notify", "when", "opened,closed", NULL},
	{"notify", "when", "open", "did you mean opened?"},
	{"notify", "when", ",", "names no moment"},
	{"notify", "priority", "11", "between 0 and 10"},
};

static void each_value_is_taken_or_refused_with_a_reason(void **state)
{
	(void)state;
	unsigned wrong = 0;
	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		const struct saying *saying = &sayings[i];
		struct wd_error error = {.text = ""};
		const struct wd_option *option = wd_option_find(saying->section, saying->key);
		assert_non_null(option);
		bool taken = wd_option_check(option, saying->value, &error);
		if (taken == !saying->complaint && (taken || strstr(error.text, saying->complaint)))
			continue;
		print_error("%s = %s: %s\n", saying->key, saying->value, taken ? "is taken" : error.text);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void a_rule_of_rates_keeps_their_order(void **state)
{
	(void)state;
	struct wd_policy policy = {.down = 0};
	wd_option_store(wd_option_find("policy", "restarts"), "5/60s, 20/1h", &policy);
	assert_int_equal(policy.restarts.count, 2);
	assert_int_equal(policy.restarts.items[0].count, 5);
	assert_int_equal(policy.restarts.items[0].window, 60 * WD_SECOND);
	assert_int_equal(policy.restarts.items[1].count, 20);
	assert_int_equal(policy.restarts.items[1].window, WD_HOUR);
}

static void a_set_of_codes_holds_single_ones_and_ranges(void **state)
{
	(void)state;
	struct wd_policy policy = {.down = 0};
	wd_option_store(wd_option_find("policy", "exit"), "0, 62-65, 255", &policy);
	assert_true(wd_codes_has(&policy.exit, 0));
	assert_false(wd_codes_has(&policy.exit, 1));
	assert_false(wd_codes_has(&policy.exit, 61));
	assert_true(wd_codes_has(&policy.exit, 62));
	assert_true(wd_codes_has(&policy.exit, 63));
	assert_true(wd_codes_has(&policy.exit, 64));
	assert_true(wd_codes_has(&policy.exit, 65));
	assert_false(wd_codes_has(&policy.exit, 66));
	assert_true(wd_codes_has(&policy.exit, 255));
	assert_false(wd_codes_has(&policy.exit, 256));
	assert_false(wd_codes_has(&policy.exit, -1));
}

static void a_ladder_keeps_its_rungs_with_what_they_need(void **state)
{
	(void)state;
	struct wd_policy *policy = wd_policy_free(NULL);
	struct wd_config *config = wd_config_new();
	struct wd_findings findings = {0};
	const char text[] = "[defaults]\non_restarts = throttle:0.25, hook:page-me, rollback+restore\n[hook page-me]\n";
	wd_config_read(config, "x", text, strlen(text), &findings);
	policy = wd_scope_policy(&(struct wd_scope){.config = config});
	const struct wd_ladder *ladder = &policy->ladders[WD_TRIGGER_RESTARTS];
	assert_int_equal(ladder->count, 3);
	assert_int_equal(ladder->rungs[0].action, WD_ACTION_THROTTLE);
	assert_true(ladder->rungs[0].cpus > 0.249 && ladder->rungs[0].cpus < 0.251);
	assert_int_equal(ladder->rungs[1].action, WD_ACTION_HOOK);
	assert_string_equal(ladder->rungs[1].hook, "page-me");
	assert_int_equal(ladder->rungs[2].action, WD_ACTION_ROLLBACK_RESTORE);
	assert_int_equal(policy->ladders[WD_TRIGGER_EXIT].rungs[0].action, WD_ACTION_STOP);
	assert_int_equal(policy->ladders[WD_TRIGGER_PRESSURE].rungs[0].action, WD_ACTION_NOTIFY);
	wd_policy_free(policy);
	wd_config_free(config);
	wd_findings_done(&findings);
}

static void the_defaults_of_a_policy_are_those_of_the_manual(void **state)
{
	(void)state;
	struct wd_config *config = wd_config_new();
	struct wd_policy *policy = wd_scope_policy(&(struct wd_scope){.config = config});
	assert_null(policy->name);
	assert_int_equal(policy->restarts.items[0].count, 5);
	assert_int_equal(policy->restarts.items[0].window, WD_MINUTE);
	assert_int_equal(policy->flapping.items[0].count, 10);
	assert_int_equal(policy->flapping.items[0].window, WD_HOUR);
	assert_int_equal(policy->oom.items[0].count, 3);
	assert_int_equal(policy->oom.items[0].window, 10 * WD_MINUTE);
	assert_int_equal(policy->down, 30 * WD_SECOND);
	assert_int_equal(policy->unhealthy, WD_MINUTE);
	assert_int_equal(policy->verify, WD_MINUTE);
	assert_int_equal(policy->cooldown, 5 * WD_MINUTE);
	for (int code = 0; code < 256; code++) {
		assert_false(wd_codes_has(&policy->exit, code));
		assert_false(wd_codes_has(&policy->ignore_exit, code));
	}
	for (unsigned trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		bool stops = trigger == WD_TRIGGER_RESTARTS || trigger == WD_TRIGGER_EXIT;
		assert_int_equal(policy->ladders[trigger].count, 1);
		assert_int_equal(policy->ladders[trigger].rungs[0].action, stops ? WD_ACTION_STOP : WD_ACTION_NOTIFY);
	}
	wd_policy_free(policy);
	wd_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_is_taken_or_refused_with_a_reason),
		cmocka_unit_test(a_rule_of_rates_keeps_their_order),
		cmocka_unit_test(a_set_of_codes_holds_single_ones_and_ranges),
		cmocka_unit_test(a_ladder_keeps_its_rungs_with_what_they_need),
		cmocka_unit_test(the_defaults_of_a_policy_are_those_of_the_manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
