#include "parse.h"

#include <string.h>

#include <watchdog/meter.h>

#define NO_LIMIT_FROM (UINT64_C(1) << 62) /* LONG_MAX rounded down to a page, whatever a page is */

/* What is left of a text. */
struct rest {
	const char *at, *end;
};

static bool take_number(struct rest *rest, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *begin = rest->at;
	for (; rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9'; rest->at++)
		if (__builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*rest->at - '0'), &number))
			return false;
	if (rest->at == begin)
		return false;
	*ret_number = number;
	return true;
}

static bool take(struct rest *rest, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(rest->end - rest->at) < length || memcmp(rest->at, word, length) != 0)
		return false;
	rest->at += length;
	return true;
}

static bool at_border(const struct rest *rest)
{
	return rest->at == rest->end || *rest->at == '\n' || *rest->at == ' ';
}

/* The next line without its newline; false behind the last. */
static bool take_line(struct rest *rest, struct rest *ret_line)
{
	if (rest->at == rest->end)
		return false;
	const char *newline = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
	*ret_line = (struct rest){rest->at, newline ? newline : rest->end};
	rest->at = newline ? newline + 1 : rest->end;
	return true;
}

bool wd_parse_number(const char *text, size_t length, uint64_t *ret_number)
{
	struct rest rest = {text, text + length};
	uint64_t number;
	if (!take_number(&rest, &number) || !at_border(&rest))
		return false;
	*ret_number = number;
	return true;
}

bool wd_parse_limit(const char *text, size_t length, uint64_t *ret_limit)
{
	struct rest rest = {text, text + length};
	uint64_t number = WD_UNLIMITED;
	if ((!take(&rest, "max") && !take_number(&rest, &number)) || !at_border(&rest))
		return false;
	*ret_limit = number >= NO_LIMIT_FROM ? WD_UNLIMITED : number;
	return true;
}

bool wd_parse_member(const char *text, size_t length, const char *name, uint64_t *ret_number)
{
	struct rest rest = {text, text + length}, line;
	while (take_line(&rest, &line))
		if (take(&line, name) && take(&line, " "))
			return wd_parse_number(line.at, (size_t)(line.end - line.at), ret_number);
	return false;
}

bool wd_parse_quota(const char *text, size_t length, double *ret_cpus)
{
	struct rest rest = {text, text + length};
	uint64_t quota, period;
	if (!take_number(&rest, &quota) || !take(&rest, " ") || !take_number(&rest, &period) || !at_border(&rest))
		return false;
	if (quota == 0 || period == 0)
		return false;
	*ret_cpus = (double)quota / (double)period;
	return true;
}

/* "3" or "0-3" */
static bool take_range(struct rest *rest, uint64_t *ret_count)
{
	uint64_t first, last;
	if (!take_number(rest, &first))
		return false;
	last = first;
	if (take(rest, "-") && !take_number(rest, &last))
		return false;
	if (last < first || last >= WD_CPUS_MAX)
		return false;
	*ret_count = last - first + 1;
	return true;
}

bool wd_parse_cpus(const char *text, size_t length, unsigned *ret_count)
{
	struct rest rest = {text, text + length};
	uint64_t sum = 0, count;
	do {
		if (!take_range(&rest, &count))
			return false;
		sum += count;
	} while (take(&rest, ","));
	if (!at_border(&rest) || sum > WD_CPUS_MAX)
		return false;
	*ret_count = (unsigned)sum;
	return true;
}

/* "12.34" as 0.1234; the kernel writes two digits behind the point. */
static bool take_percent(struct rest *rest, double *ret_share)
{
	uint64_t whole, part = 0;
	double scale = 1;
	if (!take_number(rest, &whole))
		return false;
	if (take(rest, ".")) {
		const char *begin = rest->at;
		if (!take_number(rest, &part) || rest->at - begin > 9)
			return false;
		for (; begin < rest->at; begin++)
			scale *= 10;
	}
	double percent = (double)whole + (double)part / scale;
	if (percent > 100)
		return false;
	*ret_share = percent / 100;
	return true;
}

bool wd_parse_pressure(const char *text, size_t length, double *ret_share)
{
	struct rest rest = {text, text + length}, line;
	double share;
	while (take_line(&rest, &line)) {
		if (!take(&line, "some avg10="))
			continue;
		if (!take_percent(&line, &share) || !at_border(&line))
			return false;
		*ret_share = share;
		return true;
	}
	return false;
}

/* "cpu,cpuacct" has "cpu"; "" has "" alone. */
static bool list_has(const char *list, size_t length, const char *word)
{
	const char *end = list + length;
	for (;;) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		size_t part = (size_t)((comma ? comma : end) - list);
		if (part == strlen(word) && memcmp(list, word, part) == 0)
			return true;
		if (!comma)
			return false;
		list = comma + 1;
	}
}

bool wd_parse_place(const char *text, size_t length, const char *controller, const char **ret_path, size_t *ret_length)
{
	struct rest rest = {text, text + length}, line;
	uint64_t hierarchy;
	while (take_line(&rest, &line)) {
		if (!take_number(&line, &hierarchy) || !take(&line, ":"))
			continue;
		const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
		if (!colon || !list_has(line.at, (size_t)(colon - line.at), controller))
			continue;
		*ret_path = colon + 1;
		*ret_length = (size_t)(line.end - colon - 1);
		return true;
	}
	return false;
}

size_t wd_parse_bearer(const char *path, size_t length, const char *id)
{
	const char *end = path + length;
	size_t bearer = 0;
	if (!*id)
		return 0;
	for (const char *part = path; part < end;) {
		const char *slash = memchr(part, '/', (size_t)(end - part));
		const char *border = slash ? slash : end;
		size_t size = (size_t)(border - part);
		if (size == 2 && memcmp(part, "..", 2) == 0)
			return 0;
		if (!bearer && memmem(part, size, id, strlen(id)))
			bearer = (size_t)(border - path);
		part = slash ? slash + 1 : end;
	}
	return bearer;
}

bool wd_parse_total(const char *text, size_t length, uint64_t *ret_kibibytes)
{
	struct rest rest = {text, text + length}, line;
	while (take_line(&rest, &line)) {
		if (!take(&line, "MemTotal:"))
			continue;
		while (take(&line, " "))
			continue;
		uint64_t kibibytes;
		if (!take_number(&line, &kibibytes) || kibibytes == 0 || kibibytes > UINT64_MAX / 1024)
			return false;
		*ret_kibibytes = kibibytes;
		return true;
	}
	return false;
}

unsigned wd_parse_host_cpus(const char *text, size_t length)
{
	struct rest rest = {text, text + length}, line;
	unsigned count = 0;
	uint64_t number;
	while (take_line(&rest, &line))
		if (take(&line, "cpu") && take_number(&line, &number))
			count++;
	return count;
}
