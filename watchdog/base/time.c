#include <stdio.h>
#include <string.h>
#include <time.h>

#include <watchdog/time.h>

#define DIGITS "0123456789"
#define STAMP_SECOND INT64_C(1000000000)

static const wd_time span_max = 36525 * WD_DAY; /* 100 years */

wd_time wd_time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * WD_SECOND + now.tv_nsec / 1000;
}

wd_stamp wd_stamp_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * STAMP_SECOND + now.tv_nsec;
}

static const struct unit {
	const char *name;
	wd_time span;
} units[] = {
	{"w", 7 * WD_DAY}, {"d", WD_DAY},          {"h", WD_HOUR}, {"m", WD_MINUTE},
	{"s", WD_SECOND},  {"ms", WD_MILLISECOND}, {"us", 1},
};

static const struct unit *find_unit(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
			return &units[i];
	return NULL;
}

struct decimal { /* number / scale */
	__int128 number;
	int64_t scale;
};

/* Digits, and up to nine more behind a point. What is too long for any unit stays too long, but does not overflow. */
static bool take_decimal(const char **at, struct decimal *decimal)
{
	size_t digits = strspn(*at, DIGITS);

	if (digits == 0)
		return false;
	*decimal = (struct decimal){.number = 0, .scale = 1};
	for (; digits; digits--, ++*at)
		if (decimal->number <= span_max)
			decimal->number = decimal->number * 10 + (**at - '0');
	if (**at != '.')
		return true;
	digits = strspn(++*at, DIGITS);
	if (digits == 0 || digits > 9)
		return false;
	for (; digits; digits--, ++*at) {
		decimal->number = decimal->number * 10 + (**at - '0');
		decimal->scale *= 10;
	}
	return true;
}

/* Adds one number with its unit to the span. *unit is the unit before it, NULL at the start: units fall, so that
 * none comes twice; only a number that is alone needs none. What microseconds do not hold exactly is refused. */
static bool take_component(const char **at, const struct unit **unit, __int128 *span)
{
	struct decimal decimal;

	if (!take_decimal(at, &decimal))
		return false;
	size_t letters = strspn(*at, "abcdefghijklmnopqrstuvwxyz");
	const struct unit *next = !*unit && !**at ? find_unit("s", 1) : find_unit(*at, letters);

	if (!next || (*unit && next->span >= (*unit)->span) || decimal.number * next->span % decimal.scale != 0)
		return false;
	*span += decimal.number * next->span / decimal.scale;
	*unit = next;
	*at += letters;
	return true;
}

bool wd_span_parse(const char *text, wd_time *ret_span, struct wd_error *error)
{
	const char *at = text ? text : "";
	const struct unit *unit = NULL;
	__int128 span = 0;

	do {
		if (!take_component(&at, &unit, &span))
			return wd_fail(error, WD_ERROR_USAGE,
				       "\"%.40s\" is no duration, write it like 90s, 5m or 1h30m", text ? text : "");
	} while (*at);
	if (span > span_max)
		return wd_fail(error, WD_ERROR_USAGE, "%.40s is longer than 100 years", text);
	*ret_span = (wd_time)span;
	return true;
}

/* Seconds with as much fraction as there is. */
static void print_seconds(uint64_t span, char *buffer, size_t room)
{
	int length = snprintf(buffer, room, "%u.%06u", (unsigned)(span / (uint64_t)WD_SECOND),
			      (unsigned)(span % (uint64_t)WD_SECOND));

	while (buffer[length - 1] == '0')
		length--;
	if (buffer[length - 1] == '.')
		length--;
	snprintf(buffer + length, room - (size_t)length, "s");
}

const char *wd_span_print(wd_time span, char buffer[static WD_TIME_TEXT])
{
	uint64_t left = span < 0 ? -(uint64_t)span : (uint64_t)span;
	const bool components = left >= 2 * (uint64_t)WD_MINUTE;
	char *end = buffer;
	size_t room = WD_TIME_TEXT;

	if (span == WD_NEVER) {
		snprintf(buffer, room, "never");
		return buffer;
	}
	if (span < 0) {
		*end++ = '-';
		room--;
	}
	for (const struct unit *unit = &units[1]; components && unit->span > WD_SECOND; unit++) {
		uint64_t count = left / (uint64_t)unit->span;
		int length = count ? snprintf(end, room, "%llu%s", (unsigned long long)count, unit->name) : 0;

		end += length;
		room -= (size_t)length;
		left %= (uint64_t)unit->span;
	}
	if (!components && left > 0 && left < (uint64_t)WD_SECOND && left % (uint64_t)WD_MILLISECOND == 0)
		snprintf(end, room, "%ums", (unsigned)(left / (uint64_t)WD_MILLISECOND));
	else if (!components || left > 0)
		print_seconds(left, end, room);
	return buffer;
}

const char *wd_span_print_short(wd_time span, char buffer[static WD_TIME_TEXT])
{
	wd_time grain = span < WD_HOUR ? WD_SECOND : span < WD_DAY ? WD_MINUTE : WD_HOUR;

	if (span >= 0 && span < 10 * WD_SECOND) {
		unsigned tenths = (unsigned)((span + 50 * WD_MILLISECOND) / (100 * WD_MILLISECOND));

		snprintf(buffer, WD_TIME_TEXT, tenths % 10 ? "%u.%us" : "%us", tenths / 10, tenths % 10);
		return buffer;
	}
	if (span < 0 || span > WD_NEVER - grain)
		return wd_span_print(span, buffer);
	return wd_span_print((span + grain / 2) / grain * grain, buffer);
}

/* Exactly `count` digits; *at moves behind them. */
static bool take_digits(const char **at, unsigned count, int *ret_number)
{
	int number = 0;

	for (unsigned i = 0; i < count; i++, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		number = number * 10 + (**at - '0');
	}
	*ret_number = number;
	return true;
}

static bool take_mark(const char **at, const char *marks)
{
	if (!**at || !strchr(marks, **at))
		return false;
	++*at;
	return true;
}

/* Nanoseconds behind the point, if there is one. */
static bool take_nanoseconds(const char **at, int64_t *ret_nanoseconds)
{
	int64_t number = 0;
	size_t digits;

	*ret_nanoseconds = 0;
	if (!take_mark(at, "."))
		return true;
	digits = strspn(*at, DIGITS);
	if (digits == 0 || digits > 9)
		return false;
	for (size_t i = 0; i < 9; i++)
		number = number * 10 + (i < digits ? (*at)[i] - '0' : 0);
	*at += digits;
	*ret_nanoseconds = number;
	return true;
}

/* Z, or +hh:mm, -hh:mm: seconds that the text is ahead of UTC. */
static bool take_offset(const char **at, int *ret_seconds)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*ret_seconds = 0;
	if (take_mark(at, "Zz"))
		return true;
	if (!take_mark(at, "+-") || !take_digits(at, 2, &hours) || !take_mark(at, ":") || !take_digits(at, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return hours <= 23 && minutes <= 59;
}

static bool take_date(const char **at, struct tm *tm)
{
	return take_digits(at, 4, &tm->tm_year) && take_mark(at, "-") && take_digits(at, 2, &tm->tm_mon) &&
	       take_mark(at, "-") && take_digits(at, 2, &tm->tm_mday) && take_mark(at, "Tt") &&
	       take_digits(at, 2, &tm->tm_hour) && take_mark(at, ":") && take_digits(at, 2, &tm->tm_min) &&
	       take_mark(at, ":") && take_digits(at, 2, &tm->tm_sec);
}

static bool is_date(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (tm->tm_year % 4 == 0 && tm->tm_year % 100 != 0) || tm->tm_year % 400 == 0;

	/* a leap second is a 60 (RFC 3339 5.7) */
	if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
		return false;
	return tm->tm_mday >= 1 && tm->tm_mday <= days[tm->tm_mon - 1] + (leap && tm->tm_mon == 2 ? 1 : 0);
}

bool wd_stamp_parse(const char *text, wd_stamp *ret_stamp, struct wd_error *error)
{
	const char *at = text ? text : "";
	struct tm tm = {0};
	int64_t nanoseconds, stamp;
	int offset;

	if (!take_date(&at, &tm) || !take_nanoseconds(&at, &nanoseconds) || !take_offset(&at, &offset) || *at ||
	    !is_date(&tm))
		return wd_fail(error, WD_ERROR_FAILED, "\"%.60s\" is no RFC 3339 time", text ? text : "");
	if (tm.tm_year == 1) {
		*ret_stamp = WD_STAMP_NONE;
		return true;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (__builtin_mul_overflow(timegm(&tm) - offset, STAMP_SECOND, &stamp) ||
	    __builtin_add_overflow(stamp, nanoseconds, &stamp))
		return wd_fail(error, WD_ERROR_FAILED, "%.60s is out of range", text);
	*ret_stamp = stamp;
	return true;
}

/* Whole seconds, rounded down before 1970 too, and the nanoseconds that are left. */
static time_t split_stamp(wd_stamp stamp, int64_t *nanoseconds)
{
	int64_t rest = stamp % STAMP_SECOND;

	if (rest < 0)
		rest += STAMP_SECOND;
	*nanoseconds = rest;
	return (time_t)((stamp - stamp % STAMP_SECOND) / STAMP_SECOND - (stamp % STAMP_SECOND < 0 ? 1 : 0));
}

const char *wd_stamp_print(wd_stamp stamp, char buffer[static WD_TIME_TEXT])
{
	int64_t nanoseconds;
	time_t seconds = split_stamp(stamp, &nanoseconds);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t length = strftime(buffer, WD_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(buffer + length, WD_TIME_TEXT - length, ".%09dZ", (int)nanoseconds);
	return buffer;
}

const char *wd_stamp_print_local(wd_stamp stamp, char buffer[static WD_TIME_TEXT])
{
	int64_t nanoseconds;
	time_t seconds = split_stamp(stamp, &nanoseconds);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(buffer, WD_TIME_TEXT, "%Y-%m-%d %H:%M:%S", &tm);
	return buffer;
}
