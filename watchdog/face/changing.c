/* changing.c: commands that ask the watchdog for a change: hold, mute, unmute, and release while it runs. */
#include "changing.h"

#include "grid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/control.h>
#include <watchdog/memory.h>

/* A container may be given minutes to stop, and a quarter of an hour to become healthy; the watchdog answers when it has. */
#define CHANGE_PATIENCE (30 * WD_MINUTE)

#define LONGEST_MUTE (366 * WD_DAY) /* the watchdog takes no more */

/* Plans of several services each have a title. */
static void put_plan(const struct wd_call *call, const char *name, const struct wd_json *plan)
{
	bool titled = wd_asked(call, WD_FLAG_ALL);
	WD_AUTO_FREE char *title = wd_harmless(name);
	if (titled)
		printf("%s:\n", title);
	for (const struct wd_json *line = wd_json_first(plan); line; line = wd_json_next(line)) {
		WD_AUTO_FREE char *text = wd_harmless(wd_json_string(line, NULL));
		printf("%s%s\n", titled ? "  " : "", text);
	}
}

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

void wd_put_answer(const struct wd_call *call, const struct wd_json *answer)
{
	char until[WD_TIME_TEXT];
	wd_stamp stamp = 0;
	if (member(answer, "progress") && wd_asked(call, WD_FLAG_JSON))
		return;
	if (member(answer, "progress"))
		wd_note(call, "%s", member(answer, "progress"));
	else if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(answer);
	else if (wd_json_get(answer, "plan"))
		put_plan(call, member(answer, "name"), wd_json_get(answer, "plan"));
	else if (member(answer, "held"))
		wd_note(call, "%s is on hold", member(answer, "held"));
	else if (member(answer, "released"))
		wd_note(call, "%s is released", member(answer, "released"));
	else if (member(answer, "muted_until") && wd_stamp_parse(member(answer, "muted_until"), &stamp, NULL))
		wd_note(call, "muted until %s", wd_stamp_print_local(stamp, until));
	else if (member(answer, "detail"))
		wd_note(call, "%s", member(answer, "detail"));
	if (member(answer, "not_remembered") && !wd_asked(call, WD_FLAG_JSON))
		wd_note(call, "warning: this is not remembered over a restart of seadog: %s",
			member(answer, "not_remembered"));
}

struct changing {
	const struct wd_call *call;
	size_t answers;
	bool under_way; /* the watchdog has begun */
};

static const int leaving[] = {SIGINT, SIGTERM};
static char parting[2][160]; /* what is said at each, whole: a handler can only write */

static void leave(int signal)
{
	const char *text = parting[signal == SIGTERM];
	ssize_t put = write(STDERR_FILENO, text, strlen(text));
	(void)put;
	raise(signal); /* which now ends the process, as nobody handles it any more */
}

/* Who leaves while the watchdog is at it has to know that this does not end it. */
static void mind_leaving(const struct wd_call *call)
{
	static const char text[] = "interrupted, but the watchdog goes on: see seadog status";
	for (size_t i = 0; i < sizeof leaving / sizeof *leaving; i++) {
		struct sigaction action = {.sa_handler = leave, .sa_flags = (int)SA_RESETHAND};
		if (wd_asked(call, WD_FLAG_JSON))
			snprintf(parting[i], sizeof parting[i], "{\"error\":\"%s\",\"exit\":%d}\n", text,
				 128 + leaving[i]);
		else
			snprintf(parting[i], sizeof parting[i], "seadog: %s\n", text);
		struct sigaction before;
		if (sigaction(leaving[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(leaving[i], &action, NULL);
	}
}

static bool on_answer(void *data, const struct wd_json *answer)
{
	struct changing *changing = data;
	changing->answers++;
	if (!changing->under_way && member(answer, "progress")) {
		changing->under_way = true;
		mind_leaving(changing->call);
	}
	wd_put_answer(changing->call, answer);
	return true;
}

bool wd_change(struct wd_call *call, struct wd_json *request, size_t *ret_answers, struct wd_error *error)
{
	struct changing changing = {.call = call};
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		wd_json_set_bool(request, "dry_run", true);
	if (!wd_control_ask(wd_call_control(call), request, CHANGE_PATIENCE, on_answer, &changing, error))
		return false;
	if (ret_answers)
		*ret_answers = changing.answers;
	return true;
}

bool wd_run_hold(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	WD_AUTO_JSON struct wd_json *request = wd_request_new("hold");
	wd_json_set_string(request, "name", call->words[0]);
	return wd_change(call, request, NULL, error);
}

void wd_put_plan(const struct wd_call *call, const char *name, const char *line)
{
	WD_AUTO_JSON struct wd_json *answer = wd_json_object();
	wd_json_add(wd_json_set(answer, "plan", wd_json_array()), wd_json_text(line));
	wd_json_set_string(answer, "name", name);
	wd_put_answer(call, answer);
}

/* The watchdog is asked whether it runs and knows the name, so that a dry run fails where the real one would. */
static bool mute_dry(struct wd_call *call, const char *what, struct wd_error *error)
{
	const char *name = call->word_count ? call->words[0] : NULL;
	WD_AUTO_JSON struct wd_json *request = wd_request_new("status");
	struct wd_json *names = name ? wd_json_set(request, "names", wd_json_array()) : NULL;
	if (name)
		wd_json_add(names, wd_json_text(name));
	WD_AUTO_JSON struct wd_json *status = wd_ask_once(call, request, error);
	if (!status)
		return false;
	WD_AUTO_FREE char *line = wd_format("%s %s", what, name ? name : "every service");
	wd_put_plan(call, name, line);
	return true;
}

bool wd_run_mute(struct wd_call *call, struct wd_error *error)
{
	wd_time span = 30 * WD_MINUTE;
	const char *wanted = call->flags[WD_FLAG_FOR];
	if (wanted && (!wd_span_parse(wanted, &span, error) || span < WD_SECOND || span > LONGEST_MUTE))
		return wd_fail(error, WD_ERROR_USAGE, "--for %s: from 1s to 366d, written like 30m or 2h", wanted);
	if (!wd_call_settings(call, error))
		return false;
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		return mute_dry(call, "mute", error);
	WD_AUTO_JSON struct wd_json *request = wd_request_new("mute");
	if (call->word_count)
		wd_json_set_string(request, "name", call->words[0]);
	wd_json_set_double(request, "seconds", (double)span / (double)WD_SECOND);
	return wd_change(call, request, NULL, error);
}

bool wd_run_unmute(struct wd_call *call, struct wd_error *error)
{
	if (!wd_call_settings(call, error))
		return false;
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		return mute_dry(call, "unmute", error);
	WD_AUTO_JSON struct wd_json *request = wd_request_new("unmute");
	if (call->word_count)
		wd_json_set_string(request, "name", call->words[0]);
	return wd_change(call, request, NULL, error);
}
