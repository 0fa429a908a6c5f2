/* talk.c: what commands say beside their data, and how data goes out. */
#include "face.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list arguments)
{
	char line[2048];
	WD_AUTO_TEXT struct wd_text clean = {0};
	vsnprintf(line, sizeof line, format, arguments);
	wd_text_escape(&clean, line, strlen(line), sizeof line);
	fprintf(stderr, "%s\n", wd_text_get(&clean));
}

void wd_note(const struct wd_call *call, const char *format, ...)
{
	va_list arguments;
	if (wd_asked(call, WD_FLAG_QUIET))
		return;
	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

void wd_whisper(const struct wd_call *call, const char *format, ...)
{
	va_list arguments;
	if (!wd_asked(call, WD_FLAG_VERBOSE))
		return;
	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

void wd_put_json(const struct wd_json *report)
{
	WD_AUTO_FREE char *text = isatty(STDOUT_FILENO) ? wd_json_print_pretty(report) : wd_json_print(report);
	puts(text);
}

bool wd_flush_output(struct wd_error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	return wd_fail_errno(error, WD_ERROR_FAILED, "standard output");
}
