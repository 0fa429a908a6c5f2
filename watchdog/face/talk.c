/* talk.c: what commands say beside their data, and how data goes out. */
#include "face.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

/* With --json an error is one object on standard error and nothing beside it, so notes wait for how it ends. */
static struct wd_text waiting;

static bool waits(const struct wd_call *call)
{
	return wd_asked(call, WD_FLAG_JSON) && !wd_asked(call, WD_FLAG_FOLLOW) && call->command->run != wd_run_run;
}

static void __attribute__((format(printf, 2, 0))) say(const struct wd_call *call, const char *format, va_list arguments)
{
	char line[2048];
	WD_AUTO_TEXT struct wd_text clean = {0};
	vsnprintf(line, sizeof line, format, arguments);
	wd_text_escape(&clean, line, strlen(line), sizeof line);
	if (waits(call))
		wd_text_print(&waiting, "%s\n", wd_text_get(&clean));
	else
		fprintf(stderr, "%s\n", wd_text_get(&clean));
}

void wd_note(const struct wd_call *call, const char *format, ...)
{
	va_list arguments;
	if (wd_asked(call, WD_FLAG_QUIET))
		return;
	va_start(arguments, format);
	say(call, format, arguments);
	va_end(arguments);
}

void wd_whisper(const struct wd_call *call, const char *format, ...)
{
	va_list arguments;
	if (!wd_asked(call, WD_FLAG_VERBOSE))
		return;
	va_start(arguments, format);
	say(call, format, arguments);
	va_end(arguments);
}

static void say_object(const struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *object = wd_json_object();
	wd_json_set_string(object, "error", error->text);
	wd_json_set_int(object, "exit", error->kind);
	WD_AUTO_FREE char *text = wd_json_print(object);
	fprintf(stderr, "%s\n", text);
}

void wd_say_end(const struct wd_call *call, const struct wd_error *error)
{
	if (error->kind == WD_ERROR_NONE)
		fputs(wd_text_get(&waiting), stderr);
	wd_text_done(&waiting);
	waiting = (struct wd_text){0};
	if (!*error->text)
		return;
	if (wd_asked(call, WD_FLAG_JSON)) {
		say_object(error);
		return;
	}
	WD_AUTO_TEXT struct wd_text clean = {0};
	wd_text_escape(&clean, error->text, strlen(error->text), sizeof error->text);
	fprintf(stderr, "seadog: %s\n", wd_text_get(&clean));
}

void wd_put_json(const struct wd_json *report)
{
	WD_AUTO_FREE char *text = isatty(STDOUT_FILENO) ? wd_json_print_pretty(report) : wd_json_print(report);
	puts(text);
}

/* A reader that has enough is told nothing. */
bool wd_flush_output(struct wd_error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (errno == EPIPE)
		return wd_fail(error, WD_ERROR_FAILED, "%s", "");
	return wd_fail_errno(error, WD_ERROR_FAILED, "standard output");
}
