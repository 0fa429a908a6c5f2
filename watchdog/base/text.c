#include <assert.h>
#include <ctype.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/text.h>

void wd_text_done(struct wd_text *text)
{
	free(text->data);
	*text = (struct wd_text){0};
}

void wd_text_clear(struct wd_text *text)
{
	text->length = 0;
	if (text->data)
		text->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL behind them. */
static void reserve(struct wd_text *text, size_t more)
{
	if (more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4)
		wd_need(NULL);
	size_t wanted = text->length + more + 1;

	if (wanted <= text->room)
		return;
	size_t room = text->room < 64 ? 64 : text->room * 2;

	if (room < wanted)
		room = wanted;
	text->data = wd_realloc(text->data, room, 1);
	text->room = room;
}

void wd_text_put(struct wd_text *text, const void *bytes, size_t length)
{
	reserve(text, length);
	if (length)
		memcpy(text->data + text->length, bytes, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void wd_text_add(struct wd_text *text, const char *string)
{
	if (string)
		wd_text_put(text, string, strlen(string));
}

void wd_text_print(struct wd_text *text, const char *format, ...)
{
	va_list arguments;

	reserve(text, 64);
	va_start(arguments, format);
	int length = vsnprintf(text->data + text->length, text->room - text->length, format, arguments);
	va_end(arguments);
	if (length < 0)
		wd_need(NULL);
	if ((size_t)length >= text->room - text->length) {
		reserve(text, (size_t)length);
		va_start(arguments, format);
		vsnprintf(text->data + text->length, text->room - text->length, format, arguments);
		va_end(arguments);
	}
	text->length += (size_t)length;
}

char *wd_text_take(struct wd_text *text)
{
	char *data = text->data ? text->data : wd_copy("");

	*text = (struct wd_text){0};
	return data;
}

const char *wd_text_get(const struct wd_text *text)
{
	return text->data ? text->data : "";
}

/* Unicode 15, table 3-7: well-formed sequences. The second byte's bounds keep out overlong forms, surrogates and
 * what is beyond U+10FFFF. */
size_t wd_rune_read(const char *bytes, size_t length, uint32_t *ret_rune)
{
	const unsigned char *b = (const unsigned char *)bytes;
	uint32_t rune;
	size_t size;

	if (length == 0)
		return 0;
	if (b[0] < 0x80) {
		rune = b[0];
		size = 1;
	} else if (b[0] >= 0xc2 && b[0] <= 0xf4) {
		unsigned low = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
		unsigned high = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;

		size = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
		if (length < size || b[1] < low || b[1] > high)
			return 0;
		rune = b[0] & (0x7fU >> size);
		for (size_t i = 1; i < size; i++) {
			if ((b[i] & 0xc0) != 0x80)
				return 0;
			rune = rune << 6 | (b[i] & 0x3fU);
		}
	} else {
		return 0;
	}
	if (ret_rune)
		*ret_rune = rune;
	return size;
}

bool wd_rune_harms(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune <= 0x9f) || rune == 0x061c || rune == 0x200e || rune == 0x200f ||
	       (rune >= 0x2028 && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069);
}

static void escape_rune(struct wd_text *text, uint32_t rune)
{
	if (rune == '\n')
		wd_text_put(text, "\\n", 2);
	else if (rune == '\t')
		wd_text_put(text, "\\t", 2);
	else if (rune < 0x80)
		wd_text_print(text, "\\x%02x", (unsigned)rune);
	else
		wd_text_print(text, "\\u{%04x}", (unsigned)rune);
}

void wd_text_escape(struct wd_text *text, const char *bytes, size_t length, size_t limit)
{
	size_t plain = 0; /* where the run begins that needs nothing done */
	size_t i = 0;

	while (i < length) {
		uint32_t rune = 0;
		size_t size = wd_rune_read(bytes + i, length - i, &rune);
		size_t step = size ? size : 1;

		if (i + step > limit)
			break;
		if (!size || rune == '\\' || wd_rune_harms(rune)) {
			wd_text_put(text, bytes + plain, i - plain);
			if (!size)
				wd_text_print(text, "\\x%02x", (unsigned char)bytes[i]);
			else if (rune == '\\')
				wd_text_put(text, "\\\\", 2);
			else
				escape_rune(text, rune);
			plain = i + step;
		}
		i += step;
	}
	if (i > plain)
		wd_text_put(text, bytes + plain, i - plain);
	if (i < length)
		wd_text_add(text, "…");
}

void wd_list_done(struct wd_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct wd_list){0};
}

/* Room is not kept in the struct: it is the next power of two. */
static void list_push(struct wd_list *list, char *item)
{
	if ((list->count & (list->count - 1)) == 0)
		list->items = wd_realloc(list->items, list->count ? list->count * 2 : 1, sizeof(*list->items));
	list->items[list->count++] = item;
}

void wd_list_add(struct wd_list *list, const char *item)
{
	assert(item);
	list_push(list, wd_copy(item));
}

void wd_list_copy(struct wd_list *list, const struct wd_list *from)
{
	struct wd_list copy = {0};

	for (size_t i = 0; i < from->count; i++)
		wd_list_add(&copy, from->items[i]);
	wd_list_done(list);
	*list = copy;
}

bool wd_list_has(const struct wd_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (wd_text_equal(list->items[i], item))
			return true;
	return false;
}

void wd_list_split(struct wd_list *list, const char *text, char separator)
{
	while (text) {
		const char *end = strchr(text, separator);
		const char *from = text;
		const char *to = end ? end : text + strlen(text);

		while (from < to && isspace((unsigned char)*from))
			from++;
		while (to > from && isspace((unsigned char)to[-1]))
			to--;
		if (to > from)
			list_push(list, wd_copy_part(from, (size_t)(to - from)));
		text = end && separator ? end + 1 : NULL;
	}
}

bool wd_text_equal(const char *one, const char *two)
{
	return one && two ? strcmp(one, two) == 0 : one == two;
}

uint64_t wd_text_hash(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
	return hash;
}

bool wd_text_starts(const char *text, const char *prefix)
{
	return text && prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool wd_glob_match(const char *pattern, const char *text)
{
	return pattern && text && fnmatch(pattern, text, 0) == 0;
}

#define NEAREST_MAX 63

static bool same_letter(char one, char two)
{
	return tolower((unsigned char)one) == tolower((unsigned char)two);
}

static size_t least(size_t one, size_t two)
{
	return one < two ? one : two;
}

/* How many letters must be added, dropped, changed or swapped with their neighbour (optimal string alignment). */
static size_t distance(const char *one, size_t one_length, const char *two, size_t two_length)
{
	size_t rows[3][NEAREST_MAX + 1];

	for (size_t j = 0; j <= two_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= one_length; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];

		row[0] = i;
		for (size_t j = 1; j <= two_length; j++) {
			size_t change = above[j - 1] + (same_letter(one[i - 1], two[j - 1]) ? 0 : 1);

			row[j] = least(change, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(one[i - 1], two[j - 2]) &&
			    same_letter(one[i - 2], two[j - 1]))
				row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
		}
	}
	return rows[one_length % 3][two_length];
}

const char *wd_text_nearest(const char *word, const char *const *words, size_t count)
{
	size_t length = word ? strlen(word) : 0;
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	if (length == 0 || length > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = words[i] ? strlen(words[i]) : 0;

		if (other == 0 || other > NEAREST_MAX)
			continue;
		size_t far = distance(word, length, words[i], other);

		if (far < best && far * 3 <= (length > other ? length : other)) {
			best = far;
			nearest = words[i];
		}
	}
	return nearest;
}

/* The power of 1024 that a suffix names ("", "b", "k", "kb", "ki", "kib", ...), or -1. */
static int size_power(const char *suffix)
{
	static const char letters[] = "kmgtp";
	const char *letter = *suffix ? strchr(letters, tolower((unsigned char)*suffix)) : NULL;

	if (letter) {
		suffix++;
		suffix += tolower((unsigned char)*suffix) == 'i' ? 1 : 0;
	}
	suffix += tolower((unsigned char)*suffix) == 'b' ? 1 : 0;
	return *suffix ? -1 : letter ? (int)(letter - letters) + 1 : 0;
}

/* Reads digits up to what is none; false where they are too many for 64 bits. */
static bool take_digits(const char **at, uint64_t *number)
{
	bool fits = true;

	for (*number = 0; isdigit((unsigned char)**at); ++*at)
		fits = fits && !__builtin_mul_overflow(*number, 10, number) &&
		       !__builtin_add_overflow(*number, (uint64_t)(**at - '0'), number);
	return fits;
}

/* The part of a unit of 2^shift bytes that the digits behind a point name; digits beyond the fifteenth are less than
 * a byte. */
static uint64_t take_fraction(const char **at, int shift)
{
	unsigned __int128 digits = 0, scale = 1;

	for (int i = 0; isdigit((unsigned char)**at); i++, ++*at) {
		if (i >= 15)
			continue;
		digits = digits * 10 + (unsigned)(**at - '0');
		scale *= 10;
	}
	return (uint64_t)((digits << shift) / scale);
}

bool wd_size_parse(const char *text, uint64_t *ret_bytes, struct wd_error *error)
{
	const char *at = text ? text : "";
	uint64_t whole, part = 0;

	if (!isdigit((unsigned char)*at))
		return wd_fail(error, WD_ERROR_USAGE, "\"%.40s\" is no size, write it like 512m or 1.5GiB", at);
	bool fits = take_digits(&at, &whole);
	const char *fraction = *at == '.' && isdigit((unsigned char)at[1]) ? at + 1 : NULL;

	if (fraction)
		at = fraction + strspn(fraction, "0123456789");
	int power = size_power(*at == ' ' && at[1] ? at + 1 : at);

	if (power < 0)
		return wd_fail(error, WD_ERROR_USAGE, "\"%.40s\" is no size, write it like 512m or 1.5GiB", text);
	if (!fits || whole > UINT64_MAX >> (10 * power))
		return wd_fail(error, WD_ERROR_USAGE, "%.40s is too large a size", text);
	if (fraction)
		part = take_fraction(&fraction, 10 * power);
	*ret_bytes = (whole << (10 * power)) + part;
	return true;
}

const char *wd_size_print(uint64_t bytes, char buffer[static WD_SIZE_TEXT])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double amount = (double)bytes;
	size_t unit = 0;

	/* 1023.95 would be shown as 1024.0 */
	while (amount >= (unit ? 1023.95 : 1024.0) && unit + 1 < sizeof(units) / sizeof(*units)) {
		amount /= 1024;
		unit++;
	}
	snprintf(buffer, WD_SIZE_TEXT, "%.1f", amount);
	char *point = strstr(buffer, ".0");

	if (!point)
		point = buffer + strlen(buffer);
	snprintf(point, WD_SIZE_TEXT - (size_t)(point - buffer), "%s", units[unit]);
	return buffer;
}

bool wd_number_parse(const char *text, int64_t low, int64_t high, int64_t *ret_number, struct wd_error *error)
{
	const char *at = text ? text : "";
	bool minus = *at == '-';
	int64_t number = 0;
	bool over = false;

	at += minus ? 1 : 0;
	if (!*at || at[strspn(at, "0123456789")])
		return wd_fail(error, WD_ERROR_USAGE, "\"%.40s\" is no whole number", text ? text : "");
	for (; *at; at++) {
		over = over || __builtin_mul_overflow(number, 10, &number) ||
		       __builtin_sub_overflow(number, *at - '0', &number);
	}
	/* built downwards, as the least number has no positive twin */
	if (!minus && !over)
		over = __builtin_sub_overflow(0, number, &number);
	if (over || number < low || number > high)
		return wd_fail(error, WD_ERROR_USAGE, "%.40s is not between %lld and %lld", text, (long long)low,
			       (long long)high);
	*ret_number = number;
	return true;
}

/* Takes one word from *at, which stands on its first byte. In double quotes a backslash counts only before " and \. */
static bool take_word(const char **at, struct wd_text *word, struct wd_error *error)
{
	char quote = '\0';
	const char *p = *at;

	for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
		bool escapes = *p == '\\' && (!quote || (quote == '"' && (p[1] == '"' || p[1] == '\\')));

		if (escapes && !p[1])
			return wd_fail(error, WD_ERROR_USAGE, "nothing behind the backslash at the end");
		if (escapes)
			wd_text_put(word, ++p, 1);
		else if (quote ? *p == quote : (*p == '\'' || *p == '"'))
			quote = quote ? '\0' : *p;
		else
			wd_text_put(word, p, 1);
	}
	*at = p;
	return !quote || wd_fail(error, WD_ERROR_USAGE, "quote %c is not closed", quote);
}

bool wd_words_split(const char *text, struct wd_list *ret_words, struct wd_error *error)
{
	struct wd_list words = {0};

	for (const char *at = text;;) {
		WD_AUTO_TEXT struct wd_text word = {0};

		while (isspace((unsigned char)*at))
			at++;
		if (!*at)
			break;
		if (!take_word(&at, &word, error)) {
			wd_list_done(&words);
			return false;
		}
		list_push(&words, wd_text_take(&word));
	}
	wd_list_done(ret_words);
	*ret_words = words;
	return true;
}
