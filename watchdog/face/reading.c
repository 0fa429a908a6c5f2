/* reading.c: commands that ask: status, incidents, show, explain, healthcheck. */
#include "client.h"
#include "offline.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

/* Status. */

static struct wd_json *ask_status(struct wd_call *call, char *const *names, size_t count, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = wd_request_new("status");
	struct wd_json *list = wd_json_set(request, "names", wd_json_array());
	for (size_t i = 0; i < count; i++)
		wd_json_add(list, wd_json_text(names[i]));
	return wd_ask_once(call, request, error);
}

/* Of those that were named; of all where one of the names is nobody's, for the rest is shown nevertheless. */
static struct wd_json *read_status(struct wd_call *call, struct wd_error *error)
{
	struct wd_json *status = ask_status(call, call->words, call->word_count, error);
	if (!status && call->word_count && error->kind == WD_ERROR_NOT_FOUND)
		status = ask_status(call, NULL, 0, error);
	if (status || error->kind != WD_ERROR_NOT_RUNNING)
		return status;
	return wd_offline_status(call, error);
}

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

/* By container name, identity, or a prefix of the id of at least four digits that only one has. */
static const struct wd_json *find_service(const struct wd_json *services, const char *name)
{
	const struct wd_json *prefixed = NULL;
	size_t prefixed_count = 0;
	for (const struct wd_json *service = wd_json_first(services); service; service = wd_json_next(service)) {
		const char *id = member(service, "id");
		if (wd_text_equal(member(service, "name"), name) || wd_text_equal(member(service, "service"), name))
			return service;
		if (strlen(name) >= 4 && id && wd_text_starts(id, name)) {
			prefixed = service;
			prefixed_count++;
		}
	}
	return prefixed_count == 1 ? prefixed : NULL;
}

/* Leaves the services that were named, in the order they were; names that nobody has are the error. */
static bool pick_services(struct wd_json *status, const struct wd_call *call, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text unknown = {0};
	struct wd_json *picked = wd_json_array();
	for (size_t i = 0; i < call->word_count; i++) {
		const struct wd_json *service = find_service(wd_json_get(status, "services"), call->words[i]);
		if (service)
			wd_json_add(picked, wd_json_clone(service));
		else
			wd_text_print(&unknown, "%s%s", unknown.length ? ", " : "", call->words[i]);
	}
	wd_json_set(status, "services", picked);
	return unknown.length == 0 || wd_fail(error, WD_ERROR_NOT_FOUND, "no such service: %s", unknown.data);
}

/* Only what is not as it should be is said; the rest with -v. */
static void say_state(const struct wd_call *call, const struct wd_json *status)
{
	const struct wd_json *engine = wd_json_get(status, "engine");
	const char *host = member(engine, "host"), *version = member(engine, "version"),
		   *trouble = member(engine, "trouble");
	if (wd_json_bool(wd_json_get(engine, "connected"), false))
		wd_whisper(call, "engine %s at %s", version ? version : "?", host ? host : "?");
	else if (host && trouble)
		wd_note(call, "not connected to the engine at %s: %s", host, trouble);
	if (wd_text_equal(member(status, "mode"), "observe"))
		wd_note(call, "mode observe: nothing is done by itself; what is asked for by hand is done");
}

bool wd_run_status(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *status = read_status(call, error);
	if (!status)
		return false;
	*error = (struct wd_error){0};
	bool all = call->word_count == 0 || pick_services(status, call, error);
	if (wd_asked(call, WD_FLAG_JSON)) {
		wd_put_json(status);
		return all;
	}
	say_state(call, status);
	if (wd_json_count(wd_json_get(status, "services")) > 0)
		wd_render_status(status, &call->style);
	else if (all)
		wd_note(call, "no services");
	return all;
}

/* Incidents. */

static bool read_wish(const struct wd_call *call, struct wd_incident_wish *ret_wish, struct wd_error *error)
{
	const char *since = call->flags[WD_FLAG_SINCE];
	ret_wish->service = call->word_count ? call->words[0] : NULL;
	return !since || wd_since_parse(since, wd_stamp_now(), &ret_wish->since, error);
}

static struct wd_json *incidents_request(const struct wd_incident_wish *wish, bool follow)
{
	struct wd_json *request = wd_request_new("incidents");
	if (wish->service)
		wd_json_set_string(request, "name", wish->service);
	if (wish->since)
		wd_json_set_int(request, "since_ns", wish->since);
	if (follow)
		wd_json_set_bool(request, "follow", true);
	return request;
}

static struct wd_json *read_incidents(struct wd_call *call, const struct wd_incident_wish *wish, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = incidents_request(wish, false);
	struct wd_json *report = wd_ask_once(call, request, error);
	if (report || error->kind != WD_ERROR_NOT_RUNNING)
		return report;
	return wd_offline_incidents(call, wish, error);
}

/* No incident of a name: is there such a service at all? The watchdog that cannot say so is believed. */
static bool check_name(struct wd_call *call, const char *name, struct wd_error *error)
{
	struct wd_error refusal = {0};
	WD_AUTO_JSON struct wd_json *status = ask_status(call, call->words, 1, &refusal);
	if (refusal.kind == WD_ERROR_NOT_RUNNING)
		return wd_offline_knows(call, name, error);
	if (status || refusal.kind != WD_ERROR_NOT_FOUND)
		return true;
	return wd_fail(error, WD_ERROR_NOT_FOUND, "no such service: %s", name);
}

static bool put_incidents(struct wd_call *call, const struct wd_json *report, struct wd_error *error)
{
	bool json = wd_asked(call, WD_FLAG_JSON);
	bool none = wd_json_count(wd_json_get(report, "incidents")) == 0;
	if (none && call->word_count && !check_name(call, call->words[0], error))
		return false;
	if (json)
		wd_put_json(report);
	else if (none)
		wd_note(call, "no incidents");
	else
		wd_render_incidents(report, &call->style);
	return true;
}

struct following {
	struct wd_call *call;
	struct wd_error *error;
	bool broken;
};

static bool put_change(void *data, const struct wd_json *incident)
{
	struct following *following = data;
	if (wd_asked(following->call, WD_FLAG_JSON)) {
		WD_AUTO_FREE char *line = wd_json_print(incident);
		puts(line);
	} else {
		wd_render_change(incident, &following->call->style);
	}
	following->broken = !wd_flush_output(following->error);
	return !following->broken;
}

/* What there is, oldest first, each a line as the changes will be. */
static bool put_before(struct following *following, const struct wd_json *report)
{
	const struct wd_json *incidents = wd_json_get(report, "incidents");
	size_t count = wd_json_count(incidents);
	WD_AUTO_FREE const struct wd_json **order = wd_alloc(count + 1, sizeof *order);
	size_t i = count;
	for (const struct wd_json *incident = wd_json_first(incidents); incident; incident = wd_json_next(incident))
		order[--i] = incident;
	for (i = 0; i < count; i++)
		if (!put_change(following, order[i]))
			return false;
	return true;
}

/* The subscription stands before the list is read, so that no change falls between the two. */
static bool follow_incidents(struct wd_call *call, const struct wd_incident_wish *wish, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = incidents_request(wish, true);
	struct wd_asking *asking = wd_asking_new(wd_call_control(call), request, WD_ASK_PATIENCE, error);
	if (!asking)
		return false;
	WD_AUTO_JSON struct wd_json *before = read_incidents(call, wish, error);
	struct following following = {.call = call, .error = error};
	bool done = before && put_before(&following, before) &&
		    wd_asking_read(asking, WD_NEVER, put_change, &following, error) && !following.broken;
	wd_asking_free(asking);
	return done;
}

bool wd_run_incidents(struct wd_call *call, struct wd_error *error)
{
	struct wd_incident_wish wish = {0};
	if (!read_wish(call, &wish, error) || !wd_call_settings(call, error))
		return false;
	if (wd_asked(call, WD_FLAG_FOLLOW))
		return follow_incidents(call, &wish, error);
	WD_AUTO_JSON struct wd_json *report = read_incidents(call, &wish, error);
	if (!report)
		return false;
	*error = (struct wd_error){0};
	return put_incidents(call, report, error);
}

/* Show and explain. */

static struct wd_json *read_incident(struct wd_call *call, int64_t id, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = wd_request_new("show");
	wd_json_set_int(request, "id", id);
	struct wd_json *report = wd_ask_once(call, request, error);
	if (report || error->kind != WD_ERROR_NOT_RUNNING)
		return report;
	return wd_offline_incident(call, id, error);
}

bool wd_run_show(struct wd_call *call, struct wd_error *error)
{
	int64_t id = 0;
	if (!wd_incident_parse(call->words[0], &id, error) || !wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *report = read_incident(call, id, error);
	if (!report)
		return false;
	*error = (struct wd_error){0};
	if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(report);
	else
		wd_render_incident(report, &call->style);
	return true;
}

bool wd_run_explain(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *request = wd_request_new("explain");
	wd_json_set_string(request, "name", call->words[0]);
	WD_AUTO_JSON struct wd_json *report = wd_ask_once(call, request, error);
	if (!report)
		return false;
	if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(report);
	else
		wd_render_explain(report, &call->style);
	return true;
}

/* Health check. */

bool wd_run_healthcheck(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *request = wd_request_new("ping");
	WD_AUTO_JSON struct wd_json *answer = wd_ask_once(call, request, error);
	if (!answer)
		return false;
	if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(answer);
	wd_whisper(call, "its loop was late by %.3fs", wd_json_double(wd_json_get(answer, "late_seconds"), 0));
	if (!wd_json_bool(wd_json_get(answer, "connected"), false))
		return wd_fail(error, WD_ERROR_FAILED, "the watchdog runs, but does not hear the engine");
	wd_whisper(call, "healthy");
	return true;
}
