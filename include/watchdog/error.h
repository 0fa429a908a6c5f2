/* error.h: one error value on the caller's stack, with context added on the way up.
 *
 * A function that can fail returns bool and takes a `struct wd_error *` as its last parameter. On failure it
 * fills the error and returns false, and leaves its outputs untouched. Callers add where it happened:
 *     release web: update policy: engine said 409: container is marked for removal
 * Texts are lower case, without a full stop, and keep the other side's words. `error` may be NULL everywhere:
 * the caller then does not want to know why.
 */
#ifndef WATCHDOG_ERROR_H
#define WATCHDOG_ERROR_H

#include <stdbool.h>
#include <stdarg.h>

/* What kind of failure it is. The numbers are the exit codes of the contract. */
enum wd_error_kind {
	WD_ERROR_NONE = 0,
	WD_ERROR_FAILED = 1,      /* it was tried and did not work */
	WD_ERROR_USAGE = 2,       /* wrong usage or configuration */
	WD_ERROR_PARTLY = 3,      /* done in part */
	WD_ERROR_NOT_FOUND = 4,   /* no such thing */
	WD_ERROR_REFUSED = 5,     /* refused by a rule, or not confirmed */
	WD_ERROR_UNREACHABLE = 6, /* the Engine cannot be reached */
	WD_ERROR_NOT_RUNNING = 7, /* the watchdog is not running */
};

struct wd_error {
	enum wd_error_kind kind;
	char text[600];
};

/* Sets the error (replacing what was there) and returns false, so that `return wd_fail(...)` reads well. */
bool wd_fail(struct wd_error *error, enum wd_error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " before the text that is there and returns false. The kind stays. */
bool wd_fail_in(struct wd_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Like wd_fail(), with ": " and the text of errno behind it. */
bool wd_fail_errno(struct wd_error *error, enum wd_error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
