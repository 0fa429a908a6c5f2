/* common.c: what several commands do: load the configuration, find the Engine, ask the watchdog, read arguments. */
#include "client.h"
#include "face.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/control.h>

#define SYSTEM_CONTROL "/run/seadog/seadog.sock" /* as the option table has it for root */

static void say_warnings(const struct wd_call *call, const struct wd_findings *findings)
{
	bool all = call->command->run == wd_run_run;
	for (size_t i = 0; i < findings->count; i++) {
		const struct wd_finding *finding = &findings->items[i];
		if (finding->warning && all)
			wd_note(call, "warning: %s", finding->text);
		else if (finding->warning)
			wd_whisper(call, "warning: %s", finding->text);
	}
}

/* Each on a line of its own; the object that --json makes of an error has them all in one text. */
static bool say_faults(const struct wd_call *call, const struct wd_findings *findings, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text all = {0};
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->items[i].warning)
			continue;
		wd_text_print(&all, "%s%s", all.length ? "; " : "", findings->items[i].text);
		if (!wd_asked(call, WD_FLAG_JSON))
			fprintf(stderr, "%s\n", findings->items[i].text);
	}
	if (wd_asked(call, WD_FLAG_JSON))
		return wd_fail(error, WD_ERROR_USAGE, "%s", wd_text_get(&all));
	return wd_fail(error, WD_ERROR_USAGE, "the configuration has %zu fault%s", findings->faults,
		       findings->faults == 1 ? "" : "s");
}

struct origin {
	const char *section, *key;
	char text[256];
};

static void note_origin(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	struct origin *wanted = data;
	(void)value;
	if (strcmp(section, wanted->section) == 0 && strcmp(key, wanted->key) == 0)
		snprintf(wanted->text, sizeof wanted->text, "%s", origin);
}

/* Who has their own seadog, and may not ask the system's, is told of their own. */
static const char *find_control(const struct wd_call *call)
{
	const char *own = call->settings->control;
	struct origin origin = {.section = "seadog", .key = "control"};
	pid_t pid;
	wd_settings_each(call->settings, NULL, note_origin, &origin);
	if (strcmp(origin.text, "built in") != 0 || wd_control_probe(own, &pid) != WD_ERROR_NOT_RUNNING)
		return own;
	enum wd_error_kind system = wd_control_probe(SYSTEM_CONTROL, &pid);
	bool ours =
		system == WD_ERROR_NONE || (system == WD_ERROR_FAILED && access(call->settings->state_dir, F_OK) != 0);
	return ours ? SYSTEM_CONTROL : own;
}

const char *wd_call_control(struct wd_call *call)
{
	if (call->control)
		return call->control;
	call->control = find_control(call);
	if (strcmp(call->control, call->settings->control) != 0)
		wd_whisper(call, "asking the watchdog at %s", call->control);
	return call->control;
}

/* Whoever speaks to a watchdog that runs, and needs of the configuration only where that is. */
static bool only_asks(const struct wd_call *call)
{
	static wd_command_run *const asking[] = {wd_run_status,  wd_run_top,    wd_run_incidents,   wd_run_show,
						 wd_run_explain, wd_run_hold,   wd_run_release,     wd_run_rollback,
						 wd_run_pin,     wd_run_unpin,  wd_run_pins,        wd_run_forgive,
						 wd_run_mute,    wd_run_unmute, wd_run_healthcheck, wd_run_offer};
	for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
		if (call->command->run == asking[i])
			return true;
	return false;
}

/* A watchdog that runs goes by what it has read before: a file that somebody is about to edit keeps nobody from asking. */
static bool ask_nevertheless(struct wd_call *call, size_t faults)
{
	pid_t pid;
	call->settings = wd_settings_load_places(&call->sources, NULL);
	if (call->settings && wd_control_probe(wd_call_control(call), &pid) == WD_ERROR_NONE) {
		wd_note(call,
			"warning: the configuration has %zu fault%s (see seadog check); asking the watchdog that runs",
			faults, faults == 1 ? "" : "s");
		return true;
	}
	call->settings = wd_settings_free(call->settings);
	call->control = NULL;
	return false;
}

bool wd_call_settings(struct wd_call *call, struct wd_error *error)
{
	struct wd_findings findings = {0};
	if (call->settings)
		return true;
	call->settings = wd_settings_load(&call->sources, &findings);
	say_warnings(call, &findings);
	bool sound = call->settings || (only_asks(call) && ask_nevertheless(call, findings.faults)) ||
		     say_faults(call, &findings, error);
	wd_findings_done(&findings);
	return sound;
}

void wd_call_wish(const struct wd_call *call, struct wd_wish *ret_wish)
{
	const struct wd_settings *settings = call->settings;
	*ret_wish = (struct wd_wish){.endpoint = {.host = settings->host,
						  .host_origin = ret_wish->origin,
						  .tls_ca = settings->tls_ca,
						  .tls_cert = settings->tls_cert,
						  .tls_key = settings->tls_key,
						  .environment = call->sources.environment}};
	struct origin origin = {.section = "engine", .key = "host"};
	wd_settings_each(settings, NULL, note_origin, &origin);
	snprintf(ret_wish->origin, sizeof ret_wish->origin, "%s", origin.text);
}

bool wd_call_endpoint(const struct wd_call *call, struct wd_endpoint *ret_endpoint, struct wd_error *error)
{
	struct wd_wish wish;
	wd_call_wish(call, &wish);
	return wd_endpoint_find(&wish.endpoint, ret_endpoint, error);
}

static bool find_write_endpoint(const struct wd_call *call, struct wd_endpoint *ret_endpoint, struct wd_error *error)
{
	struct wd_wish wish;
	wd_call_wish(call, &wish);
	wish.endpoint.host = call->settings->write_host;
	wish.endpoint.host_origin = "write_host";
	return wd_endpoint_find(&wish.endpoint, ret_endpoint, error);
}

struct wd_engine *wd_call_engine(const struct wd_call *call, struct wd_loop *loop, struct wd_http *http,
				 const struct wd_engine_hooks *hooks, struct wd_error *error)
{
	struct wd_endpoint endpoint = {0}, write = {0};
	struct wd_engine *engine = NULL;
	bool split = call->settings->write_host != NULL;
	if (wd_call_endpoint(call, &endpoint, error) && (!split || find_write_endpoint(call, &write, error)))
		engine = wd_engine_new(loop, http, &endpoint, split ? &write : NULL, call->settings->timeout, hooks);
	wd_endpoint_done(&endpoint);
	wd_endpoint_done(&write);
	return engine;
}

struct wd_json *wd_request_new(const char *verb)
{
	struct wd_json *request = wd_json_object();
	wd_json_set_string(request, "verb", verb);
	return request;
}

static bool keep_first(void *data, const struct wd_json *object)
{
	struct wd_json **slot = data;
	if (!*slot)
		*slot = wd_json_clone(object);
	return true;
}

struct wd_json *wd_ask_once(struct wd_call *call, const struct wd_json *request, struct wd_error *error)
{
	struct wd_json *answer = NULL;
	const char *path = wd_call_control(call);
	if (!wd_control_ask(path, request, WD_ASK_PATIENCE, keep_first, &answer, error))
		return wd_json_free(answer);
	if (!answer)
		wd_fail(error, WD_ERROR_FAILED, "the watchdog answered nothing");
	return answer;
}

bool wd_since_parse(const char *text, wd_stamp now, wd_stamp *ret_since, struct wd_error *error)
{
	wd_time span = 0;
	char today[WD_TIME_TEXT];
	bool is_moment = wd_stamp_parse(text, ret_since, NULL);
	/* A stamp ends in the year 2262; what is written for later years is a moment all the same. */
	bool is_later = !is_moment && strspn(text, "0123456789") == 4 && text[4] == '-' &&
			strncmp(text, wd_stamp_print(now, today), 4) > 0;
	if (is_later || (is_moment && *ret_since > now))
		return wd_fail(error, WD_ERROR_USAGE, "--since %s: that is in the future", text);
	if (is_moment)
		return true;
	if (!wd_span_parse(text, &span, NULL))
		return wd_fail(error, WD_ERROR_USAGE, "--since %s: write it like 2h, 7d or 2026-01-02T03:04:05Z", text);
	*ret_since = span > now / 1000 ? 1 : now - span * 1000;
	return true;
}

bool wd_incident_parse(const char *text, int64_t *ret_id, struct wd_error *error)
{
	if (wd_number_parse(*text == '#' ? text + 1 : text, 1, INT64_MAX, ret_id, NULL))
		return true;
	return wd_fail(error, WD_ERROR_USAGE, "%s: an incident has a number, see seadog incidents", text);
}
