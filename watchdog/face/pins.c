/* pins.c: commands about images: pins, pin, unpin, forgive, rollback. */
#include "changing.h"
#include "offline.h"

#include <stdio.h>
#include <watchdog/memory.h>

static struct wd_json *request_for(const struct wd_call *call, const char *verb)
{
	struct wd_json *request = wd_request_new(verb);
	if (call->word_count)
		wd_json_set_string(request, "name", call->words[0]);
	return request;
}

/* By container name or identity, as the watchdog takes it. */
static void pick(struct wd_json *report, const char *list, const char *name)
{
	struct wd_json *picked = wd_json_array();
	for (const struct wd_json *item = wd_json_first(wd_json_get(report, list)); item; item = wd_json_next(item))
		if (wd_text_equal(wd_json_string(wd_json_get(item, "name"), NULL), name) ||
		    wd_text_equal(wd_json_string(wd_json_get(item, "service"), NULL), name))
			wd_json_add(picked, wd_json_clone(item));
	wd_json_set(report, list, picked);
}

static struct wd_json *read_pins(struct wd_call *call, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = request_for(call, "pins");
	struct wd_json *report = wd_ask_once(call, request, error);
	if (report || error->kind != WD_ERROR_NOT_RUNNING)
		return report;
	*error = (struct wd_error){0};
	if (call->word_count && !wd_offline_knows(call, call->words[0], error))
		return NULL;
	report = wd_offline_pins(call, error);
	if (report && call->word_count) {
		pick(report, "pins", call->words[0]);
		pick(report, "swaps", call->words[0]);
	}
	return report;
}

bool wd_run_pins(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *report = read_pins(call, error);
	if (!report)
		return false;
	*error = (struct wd_error){0};
	if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(report);
	else if (wd_json_count(wd_json_get(report, "pins")) + wd_json_count(wd_json_get(report, "swaps")) == 0)
		wd_note(call, "no pins");
	else
		wd_render_pins(report, &call->style);
	return true;
}

/* What is pinned where no image is named; lent by *ret_status, which the caller frees. */
static const char *running_image(struct wd_call *call, struct wd_json **ret_status, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = wd_request_new("status");
	wd_json_add(wd_json_set(request, "names", wd_json_array()), wd_json_text(call->words[0]));
	if (!(*ret_status = wd_ask_once(call, request, error)))
		return NULL;
	const struct wd_json *service = wd_json_first(wd_json_get(*ret_status, "services"));
	const char *image = wd_json_string(wd_json_get(service, "image"), NULL);
	if (!image)
		wd_fail(error, WD_ERROR_UNREACHABLE, "%s: the Engine has yet to tell its image", call->words[0]);
	return image;
}

/* The watchdog is asked whether it runs and knows the name, so that a dry run fails where the real one would. */
static bool only_say(struct wd_call *call, const char *what, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = request_for(call, "pins");
	WD_AUTO_JSON struct wd_json *report = wd_ask_once(call, request, error);
	if (!report)
		return false;
	WD_AUTO_JSON struct wd_json *status = NULL;
	const char *image = call->word_count > 1 ? call->words[1] : NULL;
	if (!image && wd_text_equal(what, "pin") && !(image = running_image(call, &status, error)))
		return false;
	WD_AUTO_FREE char *line = wd_format("%s %s%s%s", what, call->words[0], image ? " " : "", image ? image : "");
	wd_put_plan(call, call->words[0], line);
	return true;
}

static bool ask_for(struct wd_call *call, const char *verb, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		return only_say(call, verb, error);
	WD_AUTO_JSON struct wd_json *request = request_for(call, verb);
	if (call->word_count > 1)
		wd_json_set_string(request, "image", call->words[1]);
	if (wd_asked(call, WD_FLAG_PULL))
		wd_json_set_bool(request, "pull", true);
	return wd_change(call, request, NULL, error);
}

bool wd_run_pin(struct wd_call *call, struct wd_error *error)
{
	return ask_for(call, "pin", error);
}

bool wd_run_unpin(struct wd_call *call, struct wd_error *error)
{
	return ask_for(call, "unpin", error);
}

bool wd_run_forgive(struct wd_call *call, struct wd_error *error)
{
	return ask_for(call, "forgive", error);
}

bool wd_run_rollback(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *request = request_for(call, "rollback");
	if (call->flags[WD_FLAG_TO])
		wd_json_set_string(request, "image", call->flags[WD_FLAG_TO]);
	return wd_change(call, request, NULL, error);
}
