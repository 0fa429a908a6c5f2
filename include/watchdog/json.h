/* json.h: JSON documents (the only file that knows cJSON is json.c).
 *
 * cJSON keeps every number as a double, so `timeNano` and 2^64-1 would lose digits. After parsing, each number that
 * a double does not hold exactly is kept by its own lexeme beside it: wd_json_int() and printing use that, so what
 * came in goes out digit for digit. Names are matched by case (labels differ by case). Rubbish behind the document,
 * invalid UTF-8, raw control characters in strings, \u0000, half surrogate pairs, numbers that JSON does not know or of
 * more than 63 characters, and nesting beyond 64 are errors. Duplicate names: the first is the one that is found.
 */
#ifndef WATCHDOG_JSON_H
#define WATCHDOG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <watchdog/error.h>

struct wd_json; /* a value: a document, or a part that is lent by its document */

/* Returns a document that the caller frees, or NULL with the error (which names the byte offset). */
struct wd_json *wd_json_parse(const char *text, size_t length, struct wd_error *error);
struct wd_json *wd_json_free(struct wd_json *json); /* a whole document only; returns NULL; takes NULL */
struct wd_json *wd_json_clone(const struct wd_json *json);
void wd_json_auto_free(struct wd_json **slot);
#define WD_AUTO_JSON __attribute__((cleanup(wd_json_auto_free)))

/* Reading. All take NULL and a value of another type, and then give NULL, the fallback, or 0: a chain of lookups
 * needs no check in between. */
struct wd_json *wd_json_get(const struct wd_json *object, const char *name);
struct wd_json *wd_json_path(const struct wd_json *object, const char *dotted); /* "State.Health.Status" */
size_t wd_json_count(const struct wd_json *array_or_object);
struct wd_json *wd_json_first(const struct wd_json *array_or_object);
struct wd_json *wd_json_next(const struct wd_json *item);
const char *wd_json_name(const struct wd_json *item);                      /* of a member; else NULL */
const char *wd_json_string(const struct wd_json *json, const char *fallback); /* lends */
int64_t wd_json_int(const struct wd_json *json, int64_t fallback);   /* exact; saturates at the ends of int64 */
double wd_json_double(const struct wd_json *json, double fallback);  /* always finite: saturates */
bool wd_json_bool(const struct wd_json *json, bool fallback);
bool wd_json_is_null(const struct wd_json *json); /* an explicit null; NULL itself is absent, not null */
bool wd_json_is_object(const struct wd_json *json);
bool wd_json_is_array(const struct wd_json *json);
bool wd_json_is_string(const struct wd_json *json);
bool wd_json_is_number(const struct wd_json *json);

/* Building. _set moves the value into the object (replacing all members of that name), _add into the array; both return
 * the value that is now a part. Strings are copied; a NULL string becomes null; bytes that are no UTF-8 become U+FFFD. */
struct wd_json *wd_json_object(void);
struct wd_json *wd_json_array(void);
struct wd_json *wd_json_null(void);
struct wd_json *wd_json_text(const char *string);
struct wd_json *wd_json_integer(int64_t number); /* printed exactly */
struct wd_json *wd_json_set(struct wd_json *object, const char *name, struct wd_json *value);
struct wd_json *wd_json_add(struct wd_json *array, struct wd_json *value);
void wd_json_set_string(struct wd_json *object, const char *name, const char *string);
void wd_json_set_int(struct wd_json *object, const char *name, int64_t number);
void wd_json_set_double(struct wd_json *object, const char *name, double number); /* not finite becomes null */
void wd_json_set_bool(struct wd_json *object, const char *name, bool truth);
void wd_json_set_null(struct wd_json *object, const char *name);
void wd_json_remove(struct wd_json *object, const char *name);
/* For walks over large trees. _append is _set for a name that the object is known not to have: nothing is searched.
 * _drop takes out an item of the array or object and frees it; it returns the one behind it. */
struct wd_json *wd_json_append(struct wd_json *object, const char *name, struct wd_json *value);
struct wd_json *wd_json_drop(struct wd_json *array_or_object, struct wd_json *item);

/* One line without white space, or indented for people. The caller frees the text. */
char *wd_json_print(const struct wd_json *json);
char *wd_json_print_pretty(const struct wd_json *json);

#endif
