/* When snapshots are taken: off, hourly, daily HH:MM, or the five fields of cron (crontab(5)). */
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

/* "*", "5" or "1-5"; "5" before a step is the first of the rest. */
static bool read_bounds(const struct field *field, const char **text, int *ret_low, int *ret_high)
{
	*ret_low = field->low;
	*ret_high = field->high;
	if (**text == '*')
		return (*text)++, true;
	if (!read_number(field, text, ret_low))
		return false;
	if (**text == '-')
		return (*text)++, read_number(field, text, ret_high) && *ret_high >= *ret_low;
	if (**text != '/')
		*ret_high = *ret_low;
	return true;
}

static bool read_range(const struct field *field, const char *text, uint64_t *bits)
{
	static const struct field step_field = {"step", 1, 59, NULL};
	int low, high, step = 1;
	if (!read_bounds(field, &text, &low, &high))
		return false;
	if (*text == '/' && (text++, !read_number(&step_field, &text, &step)))
		return false;
	for (int bit = low; bit <= high; bit += step)
		*bits |= UINT64_C(1) << bit;
	return *text == '\0';
}

static bool read_field(const struct field *field, const char *text, uint64_t *ret_bits, struct wd_error *error)
{
	struct wd_list ranges = {0};
	wd_list_split(&ranges, text, ',');
	bool sound = ranges.count > 0;
	*ret_bits = 0;
	for (size_t i = 0; sound && i < ranges.count; i++)
		sound = read_range(field, ranges.items[i], ret_bits);
	wd_list_done(&ranges);
	return sound || USAGE("%s is no %s (%d to %d, *, ranges, steps)", text, field->name, field->low, field->high);
}

/* A 30th of February never comes. */
static bool check_dates(const struct wd_schedule *schedule, struct wd_error *error)
{
	static const unsigned char longest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool either = !schedule->any_day && !schedule->any_weekday;
	for (unsigned month = 1; month <= 12; month++) {
		uint32_t days = schedule->days & ((UINT32_C(2) << longest[month]) - 1);
		if ((schedule->months >> month & 1) && (days || either))
			return true;
	}
	return USAGE("no month has such a day: it never comes");
}

static bool read_cron(const struct wd_list *words, struct wd_schedule *ret_schedule, struct wd_error *error)
{
	uint64_t bits[5];
	for (size_t i = 0; i < 5; i++)
		if (!read_field(&fields[i], words->items[i], &bits[i], error))
			return false;
	*ret_schedule = (struct wd_schedule){
		.on = true,
		.any_minute = words->items[0][0] == '*' || words->items[1][0] == '*',
		.any_day = words->items[2][0] == '*',
		.any_weekday = words->items[4][0] == '*',
		.minutes = bits[0],
		.hours = (uint32_t)bits[1],
		.days = (uint32_t)bits[2],
		.months = (uint32_t)bits[3],
		.weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
	};
	return check_dates(ret_schedule, error);
}

static bool read_fields(const char *text, struct wd_schedule *ret_schedule, struct wd_error *error)
{
	struct wd_list words = {0};
	wd_list_split(&words, text, ' ');
	bool sound = words.count == 5 ? read_cron(&words, ret_schedule, error)
				      : USAGE("must be off, hourly, daily 03:00 or the five fields of cron");
	wd_list_done(&words);
	return sound;
}

static bool read_daily(const char *text, struct wd_schedule *ret_schedule, struct wd_error *error)
{
	const char *const digits = "0123456789";
	bool shaped = strlen(text) == 5 && strspn(text, digits) == 2 && text[2] == ':' && strspn(text + 3, digits) == 2;
	if (!shaped || memcmp(text, "23", 2) > 0 || text[3] > '5')
		return USAGE("daily needs a time of day, write it like daily 03:00");
	WD_AUTO_FREE char *cron = wd_format("%s %.2s * * *", text + 3, text);
	return read_fields(cron, ret_schedule, error);
}

static bool parse_schedule(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_schedule schedule = {0};
	bool sound = true;
	(void)option;
	if (strcmp(text, "hourly") == 0)
		sound = read_fields("0 * * * *", &schedule, error);
	else if (wd_text_starts(text, "daily"))
		sound = read_daily(text[5] == ' ' ? text + 6 : "", &schedule, error);
	else if (!wd_value_off(text))
		sound = read_fields(text, &schedule, error);
	if (sound)
		*(struct wd_schedule *)ret_value = schedule;
	return sound;
}

const struct wd_kind wd_kind_schedule = {"schedule", "off, hourly, daily 03:00, five cron fields",
					 sizeof(struct wd_schedule), parse_schedule, .done = NULL};
