/* Three passes, each cheap: a strict reader of our own says whether it is JSON at all and notes the numbers that a
 * double would spoil; cJSON builds the tree; where there are such numbers, a walk in document order gives them back
 * their digits. Such an item is a cJSON_Raw, which cJSON prints as it stands; no other item is ever raw. */
#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <watchdog/json.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define DEPTH_MAX 64
#define EXACT_DIGITS 15 /* whole numbers of so many digits come out of cJSON as they went in */
#define NUMBER_MAX 63   /* cJSON 1.7 reads numbers through a buffer of 64 */

static const cJSON *as_item(const struct wd_json *json)
{
	return (const cJSON *)json;
}

static cJSON *as_own(struct wd_json *json)
{
	return (cJSON *)json;
}

static struct wd_json *as_json(cJSON *item)
{
	return (struct wd_json *)item;
}

/* ---- the strict reader (RFC 8259) ---- */

struct digits {
	size_t ordinal; /* which number of the document */
	const char *at;
	size_t length;
};

struct reader {
	const char *text, *at, *end;
	const char *complaint; /* NULL while all is well */
	unsigned depth;
	size_t numbers;
	struct digits *kept;
	size_t kept_count;
};

static bool complain(struct reader *r, const char *complaint)
{
	if (!r->complaint)
		r->complaint = complaint;
	return false;
}

static bool complain_here(struct reader *r, const char *complaint)
{
	return complain(r, r->at == r->end ? "the text ends too soon" : complaint);
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static bool take(struct reader *r, char wanted)
{
	if (r->at == r->end || *r->at != wanted)
		return false;
	r->at++;
	return true;
}

static size_t take_digits(struct reader *r)
{
	const char *from = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (size_t)(r->at - from);
}

static void keep(struct reader *r, const char *from)
{
	if ((r->kept_count & (r->kept_count - 1)) == 0)
		r->kept = wd_realloc(r->kept, r->kept_count ? r->kept_count * 2 : 1, sizeof(*r->kept));
	r->kept[r->kept_count++] = (struct digits){r->numbers, from, (size_t)(r->at - from)};
}

static bool read_number(struct reader *r)
{
	const char *from = r->at;
	bool minus = take(r, '-');
	bool zero = r->at < r->end && *r->at == '0';
	size_t whole = take_digits(r);
	bool exact = whole <= EXACT_DIGITS && !(minus && zero);

	if (whole == 0)
		return complain_here(r, "no such number in JSON");
	if (zero && whole > 1)
		return complain(r, "a number with a leading zero");
	if (take(r, '.')) {
		exact = false;
		if (take_digits(r) == 0)
			return complain_here(r, "no digit behind the point");
	}
	if (take(r, 'e') || take(r, 'E')) {
		exact = false;
		if (!take(r, '+'))
			take(r, '-');
		if (take_digits(r) == 0)
			return complain_here(r, "no digit in the exponent");
	}
	if (r->at - from > NUMBER_MAX)
		return complain(r, "a number of more than 63 characters");
	if (!exact)
		keep(r, from);
	r->numbers++;
	return true;
}

/* Four hex digits, or -1. */
static int read_hex(struct reader *r)
{
	int number = 0;

	for (int i = 0; i < 4; i++, r->at++) {
		int digit = r->at < r->end && isxdigit((unsigned char)*r->at) ? tolower((unsigned char)*r->at) : -1;

		if (digit < 0)
			return -1;
		number = number * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10);
	}
	return number;
}

/* What follows \u: no NUL, which C strings do not hold, and surrogates only in pairs. */
static bool read_unicode(struct reader *r)
{
	int unit = read_hex(r);

	if (unit < 0)
		return complain_here(r, "no four hex digits behind \\u");
	if (unit == 0)
		return complain(r, "\\u0000 in a string");
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit < 0xdc00 && take(r, '\\') && take(r, 'u')) {
		int low = read_hex(r);

		if (low >= 0xdc00 && low <= 0xdfff)
			return true;
	}
	return complain_here(r, "half a surrogate pair");
}

static bool read_escape(struct reader *r)
{
	if (take(r, 'u'))
		return read_unicode(r);
	if (r->at == r->end || !*r->at || !strchr("\"\\/bfnrt", *r->at))
		return complain_here(r, "no such escape in JSON");
	r->at++;
	return true;
}

static bool read_string(struct reader *r)
{
	for (r->at++; r->at < r->end;) {
		unsigned char byte = (unsigned char)*r->at;

		if (byte == '"') {
			r->at++;
			return true;
		}
		if (byte == '\\') {
			r->at++;
			if (!read_escape(r))
				return false;
		} else if (byte < 0x20) {
			return complain(r, "a control character in a string");
		} else if (byte < 0x80) {
			r->at++;
		} else {
			size_t size = wd_rune_read(r->at, (size_t)(r->end - r->at), NULL);

			if (size == 0)
				return complain(r, "invalid UTF-8");
			r->at += size;
		}
	}
	return complain_here(r, NULL);
}

static bool read_value(struct reader *r);

static bool read_word(struct reader *r, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
		return complain(r, "no value of JSON");
	r->at += length;
	return true;
}

static bool read_member(struct reader *r)
{
	skip_space(r);
	if (r->at == r->end || *r->at != '"')
		return complain_here(r, "no name where one is due");
	if (!read_string(r))
		return false;
	skip_space(r);
	return take(r, ':') || complain_here(r, "no colon behind the name");
}

/* An array or an object, behind its opening bracket. */
static bool read_items(struct reader *r, char close)
{
	if (++r->depth > DEPTH_MAX)
		return complain(r, "nested too deep");
	skip_space(r);
	if (!take(r, close)) {
		do {
			if ((close == '}' && !read_member(r)) || !read_value(r))
				return false;
			skip_space(r);
		} while (take(r, ','));
		if (!take(r, close))
			return complain_here(r, "no comma and no end where one is due");
	}
	r->depth--;
	return true;
}

static bool read_value(struct reader *r)
{
	skip_space(r);
	if (r->at == r->end)
		return complain_here(r, NULL);
	switch (*r->at) {
	case '{':
		r->at++;
		return read_items(r, '}');
	case '[':
		r->at++;
		return read_items(r, ']');
	case '"':
		return read_string(r);
	case 't':
		return read_word(r, "true");
	case 'f':
		return read_word(r, "false");
	case 'n':
		return read_word(r, "null");
	default:
		return read_number(r);
	}
}

static bool read_document(struct reader *r)
{
	if (!read_value(r))
		return false;
	skip_space(r);
	return r->at == r->end || complain(r, "rubbish behind the document");
}

/* ---- digits that are kept ---- */

static bool is_number(const cJSON *item)
{
	return cJSON_IsNumber(item) || cJSON_IsRaw(item);
}

static void make_raw(cJSON *item, const char *digits, size_t length)
{
	item->type = (item->type & ~0xff) | cJSON_Raw;
	item->valuestring = wd_copy_part(digits, length);
}

/* Walks in document order, at most 64 deep. */
static void give_back(cJSON *item, struct reader *r, size_t *ordinal, size_t *next)
{
	for (; item && *next < r->kept_count; item = item->next) {
		if (cJSON_IsNumber(item)) {
			if (*ordinal == r->kept[*next].ordinal) {
				make_raw(item, r->kept[*next].at, r->kept[*next].length);
				++*next;
			}
			++*ordinal;
		}
		give_back(item->child, r, ordinal, next);
	}
}

struct wd_json *wd_json_parse(const char *text, size_t length, struct wd_error *error)
{
	const char *start = text ? text : "";
	struct reader r = {.text = start, .at = start, .end = start + (text ? length : 0)};
	size_t ordinal = 0, next = 0;
	cJSON *root = NULL;

	if (read_document(&r)) {
		root = cJSON_ParseWithLengthOpts(start, length, NULL, 0);
		if (!root)
			wd_fail(error, WD_ERROR_FAILED, "bad JSON: cJSON does not take it");
		give_back(root, &r, &ordinal, &next);
	} else {
		wd_fail(error, WD_ERROR_FAILED, "bad JSON at byte %zu: %s", (size_t)(r.at - r.text), r.complaint);
	}
	free(r.kept);
	return as_json(root);
}

struct wd_json *wd_json_free(struct wd_json *json)
{
	cJSON_Delete(as_own(json));
	return NULL;
}

struct wd_json *wd_json_clone(const struct wd_json *json)
{
	if (!json)
		return NULL;
	cJSON *copy = wd_need(cJSON_Duplicate(as_item(json), 1));

	/* a document has no name, even if what it was copied from was a member */
	cJSON_free(copy->string);
	copy->string = NULL;
	return as_json(copy);
}

void wd_json_auto_free(struct wd_json **slot)
{
	*slot = wd_json_free(*slot);
}

/* ---- reading ---- */

struct wd_json *wd_json_get(const struct wd_json *object, const char *name)
{
	if (!name || !wd_json_is_object(object))
		return NULL;
	return as_json(cJSON_GetObjectItemCaseSensitive(as_item(object), name));
}

struct wd_json *wd_json_path(const struct wd_json *object, const char *dotted)
{
	struct wd_json *found = NULL;

	for (const char *at = dotted; at; object = found) {
		const char *dot = strchr(at, '.');
		WD_AUTO_FREE char *name = wd_copy_part(at, dot ? (size_t)(dot - at) : strlen(at));

		found = wd_json_get(object, name);
		at = dot ? dot + 1 : NULL;
	}
	return found;
}

size_t wd_json_count(const struct wd_json *array_or_object)
{
	size_t count = 0;

	for (struct wd_json *item = wd_json_first(array_or_object); item; item = wd_json_next(item))
		count++;
	return count;
}

struct wd_json *wd_json_first(const struct wd_json *array_or_object)
{
	return array_or_object ? as_json(as_item(array_or_object)->child) : NULL;
}

struct wd_json *wd_json_next(const struct wd_json *item)
{
	return item ? as_json(as_item(item)->next) : NULL;
}

const char *wd_json_name(const struct wd_json *item)
{
	return item ? as_item(item)->string : NULL;
}

const char *wd_json_string(const struct wd_json *json, const char *fallback)
{
	return wd_json_is_string(json) ? as_item(json)->valuestring : fallback;
}

/* Towards zero, and to the ends of int64 what is beyond them. */
static int64_t whole(double number)
{
	if (number >= 0x1p63)
		return INT64_MAX;
	return number < -0x1p63 ? INT64_MIN : (int64_t)number;
}

int64_t wd_json_int(const struct wd_json *json, int64_t fallback)
{
	const cJSON *item = as_item(json);

	if (!is_number(item))
		return fallback;
	if (!cJSON_IsRaw(item) || strpbrk(item->valuestring, ".eE"))
		return whole(item->valuedouble);
	return strtoll(item->valuestring, NULL, 10); /* saturates by itself */
}

double wd_json_double(const struct wd_json *json, double fallback)
{
	if (!is_number(as_item(json)))
		return fallback;
	return fmax(-DBL_MAX, fmin(DBL_MAX, as_item(json)->valuedouble));
}

bool wd_json_bool(const struct wd_json *json, bool fallback)
{
	return cJSON_IsBool(as_item(json)) ? cJSON_IsTrue(as_item(json)) != 0 : fallback;
}

bool wd_json_is_null(const struct wd_json *json)
{
	return cJSON_IsNull(as_item(json)) != 0;
}

bool wd_json_is_object(const struct wd_json *json)
{
	return cJSON_IsObject(as_item(json)) != 0;
}

bool wd_json_is_array(const struct wd_json *json)
{
	return cJSON_IsArray(as_item(json)) != 0;
}

bool wd_json_is_string(const struct wd_json *json)
{
	return cJSON_IsString(as_item(json)) != 0;
}

bool wd_json_is_number(const struct wd_json *json)
{
	return is_number(as_item(json));
}

/* ---- building ---- */

struct wd_json *wd_json_object(void)
{
	return as_json(wd_need(cJSON_CreateObject()));
}

struct wd_json *wd_json_array(void)
{
	return as_json(wd_need(cJSON_CreateArray()));
}

struct wd_json *wd_json_null(void)
{
	return as_json(wd_need(cJSON_CreateNull()));
}

/* A copy in which each byte that begins no character is U+FFFD. */
static char *valid_copy(const char *string)
{
	struct wd_text text = {0};
	size_t length = strlen(string), run = 0; /* where that begins which is copied as it stands */

	for (size_t i = 0; i < length;) {
		size_t size = (unsigned char)string[i] < 0x80 ? 1 : wd_rune_read(string + i, length - i, NULL);

		if (!size) {
			wd_text_put(&text, string + run, i - run);
			wd_text_add(&text, "\xef\xbf\xbd");
			run = i + 1;
		}
		i += size ? size : 1;
	}
	wd_text_put(&text, string + run, length - run);
	return wd_text_take(&text);
}

struct wd_json *wd_json_text(const char *string)
{
	if (!string)
		return wd_json_null();
	WD_AUTO_FREE char *valid = valid_copy(string);

	return as_json(wd_need(cJSON_CreateString(valid)));
}

struct wd_json *wd_json_integer(int64_t number)
{
	cJSON *item = wd_need(cJSON_CreateNumber((double)number));
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%lld", (long long)number);

	if (length > EXACT_DIGITS)
		make_raw(item, digits, (size_t)length);
	return as_json(item);
}

/* Removes all members of that name from `from` on: whoever reads what we print may take the last of two, not the
 * first. */
static void remove_from(cJSON *object, cJSON *from, const char *name)
{
	while (from) {
		cJSON *next = from->next;

		if (strcmp(from->string, name) == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(object, from));
		from = next;
	}
}

struct wd_json *wd_json_set(struct wd_json *object, const char *name, struct wd_json *value)
{
	assert(wd_json_is_object(object) && name && value);
	WD_AUTO_FREE char *valid = valid_copy(name);
	cJSON *old = cJSON_GetObjectItemCaseSensitive(as_item(object), valid);
	bool done;

	if (old) {
		remove_from(as_own(object), old->next, valid);
		done = cJSON_ReplaceItemInObjectCaseSensitive(as_own(object), valid, as_own(value));
	} else {
		done = cJSON_AddItemToObject(as_own(object), valid, as_own(value));
	}
	return wd_need(done ? value : NULL);
}

struct wd_json *wd_json_add(struct wd_json *array, struct wd_json *value)
{
	assert(wd_json_is_array(array) && value);
	cJSON_AddItemToArray(as_own(array), as_own(value));
	return value;
}

void wd_json_set_string(struct wd_json *object, const char *name, const char *string)
{
	wd_json_set(object, name, wd_json_text(string));
}

void wd_json_set_int(struct wd_json *object, const char *name, int64_t number)
{
	wd_json_set(object, name, wd_json_integer(number));
}

void wd_json_set_double(struct wd_json *object, const char *name, double number)
{
	wd_json_set(object, name, isfinite(number) ? as_json(wd_need(cJSON_CreateNumber(number))) : wd_json_null());
}

void wd_json_set_bool(struct wd_json *object, const char *name, bool truth)
{
	wd_json_set(object, name, as_json(wd_need(cJSON_CreateBool(truth))));
}

void wd_json_set_null(struct wd_json *object, const char *name)
{
	wd_json_set(object, name, wd_json_null());
}

void wd_json_remove(struct wd_json *object, const char *name)
{
	if (name && wd_json_is_object(object))
		remove_from(as_own(object), as_own(object)->child, name);
}

struct wd_json *wd_json_append(struct wd_json *object, const char *name, struct wd_json *value)
{
	assert(wd_json_is_object(object) && name && value);
	WD_AUTO_FREE char *valid = valid_copy(name);

	return wd_need(cJSON_AddItemToObject(as_own(object), valid, as_own(value)) ? value : NULL);
}

struct wd_json *wd_json_drop(struct wd_json *array_or_object, struct wd_json *item)
{
	struct wd_json *next = wd_json_next(item);

	cJSON_Delete(cJSON_DetachItemViaPointer(as_own(array_or_object), as_own(item)));
	return next;
}

/* ---- printing ---- */

char *wd_json_print(const struct wd_json *json)
{
	return json ? wd_need(cJSON_PrintUnformatted(as_item(json))) : wd_copy("null");
}

static void print_name(struct wd_text *text, const cJSON *item)
{
	struct wd_json *name = as_json(wd_need(cJSON_CreateStringReference(item->string)));
	WD_AUTO_FREE char *quoted = wd_json_print(name);

	wd_text_print(text, "%s: ", quoted);
	wd_json_free(name);
}

/* cJSON's own indented form has tabs behind the colons. */
static void print_indented(struct wd_text *text, const cJSON *item, int depth)
{
	bool object = cJSON_IsObject(item);

	if (!item->child) {
		WD_AUTO_FREE char *plain = wd_need(cJSON_PrintUnformatted(item));

		wd_text_add(text, plain);
		return;
	}
	wd_text_add(text, object ? "{" : "[");
	for (const cJSON *child = item->child; child; child = child->next) {
		wd_text_print(text, "%s\n%*s", child == item->child ? "" : ",", 2 * (depth + 1), "");
		if (object)
			print_name(text, child);
		print_indented(text, child, depth + 1);
	}
	wd_text_print(text, "\n%*s%s", 2 * depth, "", object ? "}" : "]");
}

char *wd_json_print_pretty(const struct wd_json *json)
{
	struct wd_text text = {0};

	if (!json)
		return wd_copy("null");
	print_indented(&text, as_item(json), 0);
	return wd_text_take(&text);
}
