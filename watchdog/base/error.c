#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <watchdog/error.h>

/* What does not fit ends in "…", and never in half a character. */
static void put(struct wd_error *error, const char *text)
{
	static const char more[] = "…";
	size_t length = strlen(text);
	size_t room = sizeof(error->text) - 1;

	if (length <= room) {
		memcpy(error->text, text, length + 1);
		return;
	}
	length = room - (sizeof(more) - 1);
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	memcpy(error->text, text, length);
	memcpy(error->text + length, more, sizeof(more));
}

/* The arguments may point into the very error that is replaced: so everything is composed beside it first. */
#define WHOLE (2 * sizeof(((struct wd_error *)0)->text))

bool wd_fail(struct wd_error *error, enum wd_error_kind kind, const char *format, ...)
{
	char whole[WHOLE];
	va_list arguments;

	assert(kind != WD_ERROR_NONE);
	if (!error)
		return false;
	va_start(arguments, format);
	vsnprintf(whole, sizeof(whole), format, arguments);
	va_end(arguments);
	error->kind = kind;
	put(error, whole);
	return false;
}

bool wd_fail_in(struct wd_error *error, const char *format, ...)
{
	char whole[WHOLE];
	va_list arguments;

	if (!error)
		return false;
	va_start(arguments, format);
	int length = vsnprintf(whole, sizeof(whole), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(whole))
		snprintf(whole + length, sizeof(whole) - (size_t)length, ": %s", error->text);
	put(error, whole);
	return false;
}

bool wd_fail_errno(struct wd_error *error, enum wd_error_kind kind, const char *format, ...)
{
	int number = errno;
	char whole[WHOLE];
	char room[128];
	va_list arguments;

	assert(kind != WD_ERROR_NONE);
	if (!error)
		return false;
	va_start(arguments, format);
	int length = vsnprintf(whole, sizeof(whole), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(whole))
		snprintf(whole + length, sizeof(whole) - (size_t)length, ": %s",
			 strerror_r(number, room, sizeof(room)));
	error->kind = kind;
	put(error, whole);
	return false;
}
