#include "looks.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

struct look {
	const char *word;
	enum wd_tint tint;
	const char *sign;
};

static const struct look looks[] = {
	{"well", WD_TINT_GOOD, ""},       {"suspect", WD_TINT_WARM, ""},     {"sick", WD_TINT_BAD, ""},
	{"treating", WD_TINT_BUSY, ""},   {"verifying", WD_TINT_BUSY, ""},   {"held", WD_TINT_BAD, ""},
	{"muted", WD_TINT_FAINT, ""},     {"ignored", WD_TINT_FAINT, ""},    {"recovered", WD_TINT_GOOD, ""},
	{"observed", WD_TINT_FAINT, "·"}, {"suppressed", WD_TINT_FAINT, ""}, {"failed", WD_TINT_BAD, "✗"},
	{"done", WD_TINT_GOOD, "✓"},      {"undone", WD_TINT_WARM, "↺"},     {"skipped", WD_TINT_FAINT, "–"},
	{"open", WD_TINT_BUSY, "…"},
};

static const struct look *look_at(const char *word)
{
	static const struct look plain = {"", WD_TINT_NONE, " "};
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		if (word && strcmp(looks[i].word, word) == 0)
			return &looks[i];
	return &plain;
}

enum wd_tint wd_verdict_tint(const char *verdict)
{
	return look_at(verdict)->tint;
}

enum wd_tint wd_outcome_tint(const char *outcome)
{
	return look_at(outcome ? outcome : "open")->tint;
}

enum wd_tint wd_result_tint(const char *result)
{
	return look_at(result ? result : "open")->tint;
}

const char *wd_result_sign(const char *result)
{
	return look_at(result ? result : "open")->sign;
}

wd_stamp wd_moment_get(const struct wd_json *object, const char *name)
{
	wd_stamp stamp = WD_STAMP_NONE;
	const char *text = wd_json_string(wd_json_get(object, name), NULL);
	if (text && !wd_stamp_parse(text, &stamp, NULL))
		return WD_STAMP_NONE;
	return stamp;
}

const char *wd_moment_print(wd_stamp stamp, char buffer[static WD_TIME_TEXT])
{
	if (stamp != WD_STAMP_NONE)
		return wd_stamp_print_local(stamp, buffer);
	buffer[0] = '\0';
	return buffer;
}

const char *wd_moment_print_short(wd_stamp stamp, char buffer[static WD_TIME_TEXT])
{
	char whole[WD_TIME_TEXT];
	const char *year_end = strchr(wd_moment_print(stamp, whole), '-');
	snprintf(buffer, WD_TIME_TEXT, "%.11s", year_end ? year_end + 1 : "");
	return buffer;
}

const char *wd_moment_print_exact(wd_stamp stamp, char buffer[static WD_TIME_TEXT])
{
	char whole[WD_TIME_TEXT];
	buffer[0] = '\0';
	if (stamp == WD_STAMP_NONE)
		return buffer;
	const char *time = strchr(wd_stamp_print_local(stamp, whole), ' ');
	wd_stamp milliseconds = stamp > 0 ? stamp / 1000000 % 1000 : 0;
	snprintf(buffer, WD_TIME_TEXT, "%.20s.%03u", time ? time + 1 : whole, (unsigned)milliseconds % 1000);
	return buffer;
}

const char *wd_lasted_print(wd_stamp from, wd_stamp to, char buffer[static WD_TIME_TEXT])
{
	wd_time lasted = to > from ? (to - from) / 1000 : 0;
	buffer[0] = '\0';
	if (from == WD_STAMP_NONE || to == WD_STAMP_NONE || lasted == 0)
		return buffer;
	if (lasted >= 100 * WD_MILLISECOND)
		return wd_span_print_short(lasted, buffer);
	snprintf(buffer, WD_TIME_TEXT, "%dms", (int)(lasted / WD_MILLISECOND));
	return buffer;
}

char *wd_member_harmless(const struct wd_json *object, const char *name)
{
	return wd_harmless(wd_json_string(wd_json_get(object, name), NULL));
}
