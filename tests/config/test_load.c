/* Files: the example of the manual loads; what inih would bend in silence is a fault; all faults come at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/files.h"

static char *load(const char *text, struct wd_settings **ret_settings)
{
	struct wd_findings findings = {0};
	write_file("seadog.conf", text);
	char *const environment[] = {"HOME=/home/ann", NULL};
	struct wd_sources sources = {.file = "seadog.conf", .environment = environment};
	struct wd_settings *settings = wd_settings_load(&sources, &findings);
	assert_true((settings == NULL) == (findings.faults > 0));
	char *found = findings_text(&findings);
	wd_findings_done(&findings);
	if (ret_settings)
		*ret_settings = settings;
	else
		wd_settings_free(settings);
	return found;
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
	struct wd_settings *settings;
	char *found = load(example, &settings);
	assert_string_equal(
		found,
		"warning: seadog.conf:12: sample_interval has no effect in this version of seadog\n"
		"warning: seadog.conf:16: [http] has no effect in this version of seadog\n"
		"warning: seadog.conf:32: on_restarts: rollback has no effect in this version of seadog, the rung is "
		"skipped\n"
		"warning: seadog.conf:33: on_unhealthy: rollback has no effect in this version of seadog, the rung is "
		"skipped\n"
		"warning: seadog.conf:36: snapshot_schedule has no effect in this version of seadog\n"
		"warning: seadog.conf:37: on_restarts: rollback+restore has no effect in this version of seadog, the "
		"rung is "
		"skipped\n"
		"warning: seadog.conf:39: [hook page-me] has no effect in this version of seadog\n"
		"warning: seadog.conf:42: [notify phone] has no effect in this version of seadog\n");
	assert_string_equal(settings->host, "unix:///var/run/docker.sock");
	assert_int_equal(settings->timeout, 30 * WD_SECOND);
	assert_int_equal(settings->log_format, WD_LOG_TEXT);
	assert_string_equal(wd_settings_file(settings), "seadog.conf");
	wd_settings_free(settings);
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_example_of_the_manual_loads_and_says_what_is_not_built_yet,
						enter_directory, leave_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
