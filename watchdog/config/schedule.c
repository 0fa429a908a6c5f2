/* When snapshots are taken: off, hourly, daily HH:MM, or the five fields of cron. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

#define USAGE(...) wd_fail(error, WD_ERROR_USAGE, __VA_ARGS__)

struct field {
	const char *name;
	int low, high;
	const char *words; /* three letters each, from `low` up */
};
static const struct field fields[] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of the month", 1, 31, NULL},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"day of the week", 0, 7, "sunmontuewedthufrisat"},
};

static bool read_number(const struct field *field, const char **text, int *ret_number)
{
	int number = 0, digits = 0;
	for (size_t i = 0; field->words && strlen(*text) >= 3 && field->words[i]; i += 3)
		if (strncasecmp(*text, field->words + i, 3) == 0) {
			*text += 3;
			*ret_number = field->low + (int)(i / 3);
			return true;
		}
	for (; **text >= '0' && **text <= '9' && digits < 3; digits++)
		number = number * 10 + (*(*text)++ - '0');
	*ret_number = number;
	return digits > 0 && number >= field->low && number <= field->high;
}

/* One of "*", "5", "1-5", each with an optional step such as "/15". */
static bool sound_range(const struct field *field, const char *text)
{
	static const struct field step_field = {"step", 1, 59, NULL};
	int low = field->low, high = field->high, step;
	if (*text == '*')
		text++;
	else if (!read_number(field, &text, &low) ||
		 (*text == '-' && (text++, !read_number(field, &text, &high) || high < low)))
		return false;
	if (*text == '/' && (text++, !read_number(&step_field, &text, &step)))
		return false;
	return *text == '\0';
}

static bool check_field(const struct field *field, const char *text, struct wd_error *error)
{
	struct wd_list ranges = {0};
	wd_list_split(&ranges, text, ',');
	bool sound = ranges.count > 0;
	for (size_t i = 0; sound && i < ranges.count; i++)
		sound = sound_range(field, ranges.items[i]);
	wd_list_done(&ranges);
	return sound || USAGE("%s is no %s (%d to %d, *, ranges, steps)", text, field->name, field->low, field->high);
}

static bool check_daily(const char *text, struct wd_error *error)
{
	const char *const digits = "0123456789";
	bool shaped = strlen(text) == 5 && strspn(text, digits) == 2 && text[2] == ':' && strspn(text + 3, digits) == 2;
	if (!shaped || memcmp(text, "23", 2) > 0 || text[3] > '5')
		return USAGE("daily needs a time of day, write it like daily 03:00");
	return true;
}

static bool check_schedule(const char *text, struct wd_error *error)
{
	struct wd_list words = {0};
	if (wd_value_off(text) || strcmp(text, "hourly") == 0)
		return true;
	if (wd_text_starts(text, "daily"))
		return check_daily(text[5] == ' ' ? text + 6 : "", error);
	wd_list_split(&words, text, ' ');
	bool sound = words.count == 5 || USAGE("must be off, hourly, daily 03:00 or the five fields of cron");
	for (size_t i = 0; sound && i < 5; i++)
		sound = check_field(&fields[i], words.items[i], error);
	wd_list_done(&words);
	return sound;
}

static bool parse_schedule(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	(void)option;
	if (!check_schedule(text, error))
		return false;
	*(char **)ret_value = wd_copy(text);
	return true;
}

static void schedule_done(void *value)
{
	free(*(char **)value);
}

const struct wd_kind wd_kind_schedule = {"schedule", "off, hourly, daily 03:00, five cron fields", sizeof(char *),
					 parse_schedule, .done = schedule_done};
