/* text.h: a text that grows, lists of texts, and what is asked of texts (globs, sizes, near misses). */
#ifndef WATCHDOG_TEXT_H
#define WATCHDOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <watchdog/error.h>

/* A growing byte string, always NUL-terminated once anything was added. {0} is the empty text. */
struct wd_text {
	char *data; /* owned; NULL while empty */
	size_t length;
	size_t room;
};

void wd_text_done(struct wd_text *text);
void wd_text_clear(struct wd_text *text); /* keeps the room */
void wd_text_put(struct wd_text *text, const void *bytes, size_t length);
void wd_text_add(struct wd_text *text, const char *string); /* NULL adds nothing */
void wd_text_print(struct wd_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *wd_text_take(struct wd_text *text);            /* moves ownership; never NULL */
const char *wd_text_get(const struct wd_text *text); /* lends; "" while empty */
#define WD_AUTO_TEXT __attribute__((cleanup(wd_text_done)))

/* Adds foreign bytes so that they can do no harm on a terminal or in a log: control characters, DEL, C1, U+2028/9,
 * bidi controls and invalid UTF-8 become \n, \t, \xHH or \u{HHHH}; a backslash becomes \\; at most `limit` bytes of
 * the source are taken, then "…" is added. */
void wd_text_escape(struct wd_text *text, const char *bytes, size_t length, size_t limit);

/* The length of the UTF-8 character at the start of bytes, 1 to 4, or 0 for what is none: cut short, overlong, a
 * surrogate, beyond U+10FFFF, or no bytes at all. ret_rune may be NULL. */
size_t wd_rune_read(const char *bytes, size_t length, uint32_t *ret_rune);
bool wd_rune_harms(uint32_t rune); /* one of those that wd_text_escape() does not let through */

/* A list of owned strings. {0} is the empty list. */
struct wd_list {
	char **items;
	size_t count;
};

void wd_list_done(struct wd_list *list);
void wd_list_add(struct wd_list *list, const char *item);
void wd_list_copy(struct wd_list *list, const struct wd_list *from); /* replaces what is in list */
bool wd_list_has(const struct wd_list *list, const char *item);
/* Adds the parts between separators, white space around each trimmed, empty ones dropped. */
void wd_list_split(struct wd_list *list, const char *text, char separator);

bool wd_text_equal(const char *one, const char *two); /* two NULLs are equal */
uint64_t wd_text_hash(const char *text); /* FNV-1a: the same on every machine; no secret, no checksum */
bool wd_text_starts(const char *text, const char *prefix);
bool wd_glob_match(const char *pattern, const char *text); /* a shell glob (fnmatch, no flags) */

/* The nearest of `words` if it is near enough to be a slip of the finger (at most a third of the letters), else
 * NULL: for "did you mean". */
const char *wd_text_nearest(const char *word, const char *const *words, size_t count);

/* "512m", "1g", "1.5GiB", "4096": 1024-based as Docker reads them; suffixes b k m g t p, with or without "b"/"ib",
 * any case, a space before the suffix. Refuses junk, overflow, negative. */
bool wd_size_parse(const char *text, uint64_t *ret_bytes, struct wd_error *error);
/* "512MiB", "1.5GiB", "0B": for people. Returns buffer. */
#define WD_SIZE_TEXT 32
const char *wd_size_print(uint64_t bytes, char buffer[static WD_SIZE_TEXT]);

/* A whole decimal number and nothing else; refuses what is outside [low, high]. */
bool wd_number_parse(const char *text, int64_t low, int64_t high, int64_t *ret_number, struct wd_error *error);

/* Splits at white space with shell quoting ('…', "…", \), for hook commands; replaces what is in ret_words. Refuses an
 * unclosed quote and a backslash at the end. */
bool wd_words_split(const char *text, struct wd_list *ret_words, struct wd_error *error);

#endif
