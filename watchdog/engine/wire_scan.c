#include "wire_scan.h"

#include <string.h>

#define DEPTH_MAX 64

static bool scan_break(struct wd_scan *scan)
{
	scan->broken = true;
	return false;
}

/* The next character behind white space; NUL, which stands nowhere in JSON, also at the end. */
static char scan_peek(struct wd_scan *scan)
{
	while (scan->at < scan->end) {
		char c = *scan->at;
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		scan->at++;
	}
	return '\0';
}

static bool scan_take(struct wd_scan *scan, char wanted)
{
	if (scan->broken || scan_peek(scan) != wanted)
		return false;
	scan->at++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the UTF-8 character of more than one byte at `at`, or 0 (RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF). */
static size_t utf8_length(const char *at, const char *end)
{
	unsigned char first = (unsigned char)at[0];
	size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
	unsigned char second = (unsigned char)at[1];
	bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
		   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
	return bad ? 0 : length;
}

static size_t escape_length(const char *at, const char *end)
{
	if (end - at < 2)
		return 0;
	if (at[1] != 'u')
		return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
	if (end - at < 6)
		return 0;
	return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]) ? 6 : 0;
}

/* The rest of a string whose opening quote is behind us. */
static bool scan_rest_of_string(struct wd_scan *scan, struct wd_piece *ret_piece)
{
	const char *start = scan->at;
	for (const char *at = start; at < scan->end;) {
		unsigned char c = (unsigned char)*at;
		size_t length = 1;
		if (c == '"') {
			*ret_piece = (struct wd_piece){start, (size_t)(at - start)};
			scan->at = at + 1;
			scan->fresh = false;
			return true;
		}
		if (c < 0x20)
			return scan_break(scan);
		if (c == '\\')
			length = escape_length(at, scan->end);
		else if (c >= 0x80)
			length = utf8_length(at, scan->end);
		if (length == 0)
			return scan_break(scan);
		at += length;
	}
	return scan_break(scan);
}

static bool scan_open(struct wd_scan *scan, char bracket)
{
	if (!scan_take(scan, bracket))
		return false;
	if (++scan->depth > DEPTH_MAX)
		return scan_break(scan);
	scan->fresh = true;
	return true;
}

/* Whether another element follows inside a bracket; takes the comma before it, or the closing bracket. */
static bool scan_more(struct wd_scan *scan, char closing)
{
	if (scan->broken)
		return false;
	if (scan_take(scan, closing)) {
		scan->depth--;
		scan->fresh = false;
		return false;
	}
	if (!scan->fresh && !scan_take(scan, ','))
		return scan_break(scan);
	scan->fresh = false;
	return true;
}

bool wd_scan_object(struct wd_scan *scan)
{
	if (scan_open(scan, '{'))
		return true;
	wd_scan_skip(scan);
	return false;
}

bool wd_scan_member(struct wd_scan *scan, struct wd_piece *ret_name)
{
	if (!scan_more(scan, '}'))
		return false;
	if (!scan_take(scan, '"') || !scan_rest_of_string(scan, ret_name))
		return scan_break(scan);
	return scan_take(scan, ':') || scan_break(scan);
}

bool wd_scan_string(struct wd_scan *scan, struct wd_piece *ret_string)
{
	if (scan_take(scan, '"'))
		return scan_rest_of_string(scan, ret_string);
	wd_scan_skip(scan);
	return false;
}

static size_t digits(const char *at, const char *end)
{
	const char *start = at;
	while (at < end && is_digit(*at))
		at++;
	return (size_t)(at - start);
}

/* The length of the number at `at` by the grammar of RFC 8259, or 0; *ret_whole is the length of its whole part. */
static size_t number_length(const char *at, const char *end, size_t *ret_whole)
{
	const char *start = at;
	if (at < end && *at == '-')
		at++;
	size_t whole = digits(at, end);
	if (whole == 0 || (whole > 1 && *at == '0'))
		return 0;
	at += whole;
	*ret_whole = (size_t)(at - start);
	if (at < end && *at == '.') {
		size_t fraction = digits(at + 1, end);
		if (fraction == 0)
			return 0;
		at += 1 + fraction;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		size_t exponent = digits(at, end);
		if (exponent == 0)
			return 0;
		at += exponent;
	}
	return (size_t)(at - start);
}

static bool read_integer(const char *at, const char *end, int64_t *ret_number)
{
	bool negative = *at == '-';
	int64_t number = 0;
	for (at += negative; at < end; at++) {
		int digit = *at - '0';
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, negative ? -digit : digit, &number))
			return false;
	}
	*ret_number = number;
	return true;
}

bool wd_scan_integer(struct wd_scan *scan, int64_t *ret_number)
{
	char first = scan->broken ? '\0' : scan_peek(scan);
	if (first != '-' && !is_digit(first)) {
		wd_scan_skip(scan);
		return false;
	}
	const char *start = scan->at;
	size_t whole = 0;
	size_t length = number_length(start, scan->end, &whole);
	if (length == 0)
		return scan_break(scan);
	scan->at += length;
	scan->fresh = false;
	return length == whole && read_integer(start, start + whole, ret_number);
}

static bool scan_word(struct wd_scan *scan, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
		return scan_break(scan);
	scan->at += length;
	scan->fresh = false;
	return true;
}

void wd_scan_skip(struct wd_scan *scan)
{
	struct wd_piece ignored;
	int64_t number;
	if (scan->broken)
		return;
	switch (scan_peek(scan)) {
	case '{':
		scan_open(scan, '{');
		while (wd_scan_member(scan, &ignored))
			wd_scan_skip(scan);
		return;
	case '[':
		scan_open(scan, '[');
		while (scan_more(scan, ']'))
			wd_scan_skip(scan);
		return;
	case '"':
		scan_take(scan, '"');
		scan_rest_of_string(scan, &ignored);
		return;
	case 't':
		scan_word(scan, "true");
		return;
	case 'f':
		scan_word(scan, "false");
		return;
	case 'n':
		scan_word(scan, "null");
		return;
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		wd_scan_integer(scan, &number);
		return;
	default:
		scan_break(scan);
	}
}

bool wd_scan_end(struct wd_scan *scan)
{
	scan_peek(scan);
	return !scan->broken && scan->at == scan->end;
}

static unsigned read_hex(const char *at)
{
	unsigned value = 0;
	for (int i = 0; i < 4; i++) {
		unsigned digit = (unsigned char)at[i];
		value = value * 16 + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	return value;
}

static size_t put_utf8(unsigned code, char out[static 4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* A \uXXXX at `at`, with the second half of a surrogate pair if it follows. A half without its other is U+FFFD. */
static size_t read_unicode(const char *at, const char *end, char out[static 4], size_t *ret_taken)
{
	unsigned code = read_hex(at + 2);
	*ret_taken = 6;
	if (code >= 0xd800 && code <= 0xdbff && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
		unsigned low = read_hex(at + 8);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*ret_taken = 12;
			return put_utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
		}
	}
	return put_utf8(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, out);
}

/* One character of a piece, which scan_rest_of_string() has found to be in order. */
static size_t read_character(const char *at, const char *end, char out[static 4], size_t *ret_taken)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	if (*at == '\\' && at[1] == 'u')
		return read_unicode(at, end, out, ret_taken);
	if (*at == '\\') {
		const char *name = strchr(names, at[1]);
		out[0] = name ? values[name - names] : at[1];
		*ret_taken = 2;
		return 1;
	}
	*ret_taken = (unsigned char)*at < 0x80 ? 1 : utf8_length(at, end);
	memcpy(out, at, *ret_taken);
	return *ret_taken;
}

/* How many characters from here on stand for themselves: ASCII without escapes, which is nearly all that Engines send. */
static size_t plain_length(const char *at, const char *end)
{
	const char *start = at;
	while (at<end && * at> '\0' && *at < 0x7f && *at != '\\')
		at++;
	return (size_t)(at - start);
}

bool wd_piece_copy(struct wd_piece piece, char *buffer, size_t size)
{
	size_t used = plain_length(piece.text, piece.text ? piece.text + piece.length : NULL);
	if (piece.text && used > 0 && used == piece.length && used < size) {
		memcpy(buffer, piece.text, used);
		buffer[used] = '\0';
		return true;
	}
	used = 0;
	bool whole = piece.text != NULL;
	const char *end = whole ? piece.text + piece.length : NULL;
	for (const char *at = piece.text; whole && at < end;) {
		char character[4];
		size_t taken;
		size_t length = read_character(at, end, character, &taken);
		whole = character[0] != '\0' && used + length < size;
		if (!whole)
			break;
		memcpy(buffer + used, character, length);
		used += length;
		at += taken;
	}
	buffer[used] = '\0';
	return whole;
}

bool wd_piece_is(struct wd_piece piece, const char *text)
{
	if (piece.text == NULL)
		return false;
	if (piece.length > 0 && *piece.text != *text && *piece.text != '\\')
		return false; /* the usual answer, without a look at the rest */
	if (memchr(piece.text, '\\', piece.length) == NULL)
		return strlen(text) == piece.length && memcmp(piece.text, text, piece.length) == 0;
	char buffer[64];
	return wd_piece_copy(piece, buffer, sizeof(buffer)) && strcmp(buffer, text) == 0;
}
