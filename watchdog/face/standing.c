#include "standing.h"

#include "looks.h"

#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/words.h>

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

/* How long it is to there; 0 where that is past, or nobody knows. */
static wd_time left_until(wd_stamp until)
{
	wd_stamp now = wd_stamp_now();
	return until != WD_STAMP_NONE && until > now ? (until - now) / 1000 : 0;
}

char *wd_standing_note(const struct wd_json *service)
{
	char span[WD_TIME_TEXT];
	char *note = wd_member_harmless(service, "note");
	wd_time left = left_until(wd_moment_get(service, "held_back_until"));
	wd_stamp muted = wd_moment_get(service, "muted_until");
	if (!*note && muted != WD_STAMP_NONE) {
		free(note);
		return wd_format("muted until %s", wd_moment_print_short(muted, span));
	}
	if (!*note || left < WD_SECOND)
		return note;
	char *whole = wd_format("%s, %s", note, wd_span_print_short(left, span));
	free(note);
	return whole;
}

/* A throttle takes CPUs and nothing else: the service runs on. */
static void say_throttle(struct wd_text *out, const struct wd_json *hold, const char *name)
{
	char since[WD_TIME_TEXT];
	int64_t incident = wd_json_int(wd_json_get(hold, "incident"), 0);

	wd_text_print(out, "throttled to %.4g CPUs since %s", wd_json_double(wd_json_get(hold, "cpus"), 0),
		      wd_moment_print(wd_moment_get(hold, "since"), since));
	if (incident > 0)
		wd_text_print(out, ", incident %lld", (long long)incident);
	wd_text_print(out, ": it runs on, and is watched as before\n");
	wd_text_print(out, "ends with seadog release %s, another limit that somebody sets, or a new deployment\n",
		      name);
}

static void say_hold(struct wd_text *out, const struct wd_json *hold, const char *name)
{
	char since[WD_TIME_TEXT];
	bool paused = wd_text_equal(member(hold, "kind"), wd_action_name(WD_ACTION_PAUSE));
	int64_t incident = wd_json_int(wd_json_get(hold, "incident"), 0);
	const char *policy = member(hold, "restart_policy");
	wd_text_print(out, "on hold since %s, ", wd_moment_print(wd_moment_get(hold, "since"), since));
	if (incident > 0)
		wd_text_print(out, "incident %lld", (long long)incident);
	else
		wd_text_add(out, "by hand");
	wd_text_print(out, ": it stays %s\n", paused ? "paused" : "stopped");
	wd_text_print(out, "ends with seadog release %s%s\n", name,
		      paused ? "" : ", a start by hand, or a new deployment");
	if (wd_json_get(hold, "cpus"))
		wd_text_print(out, "then it is no longer throttled to %.4g CPUs\n",
			      wd_json_double(wd_json_get(hold, "cpus"), 0));
	if (policy && !paused && strcmp(policy, wd_restart_name(WD_RESTART_NO)) != 0)
		wd_text_print(out, "then its restart policy is %s again\n", policy);
}

static void say_mute(struct wd_text *out, wd_stamp until, const char *name)
{
	char text[WD_TIME_TEXT];
	wd_text_print(out, "muted until %s: watched, but nothing is done about it\n", wd_moment_print(until, text));
	wd_text_print(out, "ends before that with seadog unmute %s\n", name);
}

static void say_held_back(struct wd_text *out, const struct wd_json *service, const char *note)
{
	char at[WD_TIME_TEXT], span[WD_TIME_TEXT];
	wd_stamp until = wd_moment_get(service, "held_back_until");
	wd_time left = left_until(until);
	wd_text_print(out, "%s\n", note);
	if (left > 0)
		wd_text_print(out, "judged again at %s, in %s\n", wd_moment_print(until, at),
			      wd_span_print_short(left, span));
}

/* What the notes mean that a cell has no room for (core/reason.c phrases them). */
static const char *meaning_of(const char *note)
{
	if (wd_text_equal(note, "never touched"))
		return "[safety] never names it, or it is seadog's own; people are told";
	if (wd_text_equal(note, "told, not treated"))
		return "its ladder ends with notify";
	return wd_text_starts(note, "not watched") ? "nothing is counted and nothing is done" : NULL;
}

void wd_standing_lines(const struct wd_json *service, struct wd_list *ret_lines)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	WD_AUTO_FREE char *name = wd_member_harmless(service, "name");
	WD_AUTO_FREE char *note = wd_member_harmless(service, "note");
	const struct wd_json *hold = wd_json_get(service, "hold");
	wd_stamp muted = wd_moment_get(service, "muted_until");
	const char *meaning = meaning_of(note);
	if (wd_text_equal(member(hold, "kind"), wd_action_name(WD_ACTION_THROTTLE)))
		say_throttle(&out, hold, name);
	else if (wd_json_is_object(hold))
		say_hold(&out, hold, name);
	if (muted != WD_STAMP_NONE)
		say_mute(&out, muted, name);
	if (meaning)
		wd_text_print(&out, "%s: %s\n", note, meaning);
	else if (*note)
		say_held_back(&out, service, note);
	wd_list_split(ret_lines, wd_text_get(&out), '\n');
}
