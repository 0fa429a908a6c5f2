/* check.c: `seadog check`: what works, what does not, and what that switches off. Changes nothing. */
#include "check.h"
#include "client.h"

#include "grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <watchdog/control.h>
#include <watchdog/memory.h>
#include <watchdog/store.h>

#define DETAIL_COLUMN 19
#define LITTLE_SPACE ((uint64_t)64 * 1024 * 1024)

static const char *const grade_names[] = {"ok", "warning", "failed"};

void wd_check_add(struct wd_checking *checking, enum wd_grade grade, const char *what, const char *off,
		  const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct wd_json *row = wd_json_add(checking->rows, wd_json_object());
	wd_json_set_string(row, "what", what);
	wd_json_set_string(row, "state", grade_names[grade]);
	wd_json_set_string(row, "detail", text);
	wd_json_set_string(row, "off", off);
	if (grade == WD_GRADE_FAILED && checking->worst.kind == WD_ERROR_NONE)
		wd_fail(&checking->worst, WD_ERROR_FAILED, "%s", "");
}

/* The configuration. */

static bool check_configuration(struct wd_checking *checking)
{
	struct wd_findings findings = {0};
	struct wd_call *call = checking->call;
	call->settings = wd_settings_load(&call->sources, &findings);
	const char *file = call->settings ? wd_settings_file(call->settings) : call->sources.file;
	for (size_t i = 0; i < findings.count; i++)
		wd_check_add(checking, findings.items[i].warning ? WD_GRADE_WARNING : WD_GRADE_FAILED, "configuration",
			     NULL, "%s", findings.items[i].text);
	if (findings.count == 0)
		wd_check_add(checking, WD_GRADE_OK, "configuration", NULL, "%s",
			     file ? file : "no file: built-in defaults");
	wd_findings_done(&findings);
	if (!call->settings)
		wd_fail(&checking->worst, WD_ERROR_USAGE, "%s", "");
	return call->settings != NULL;
}

static void check_mode(struct wd_checking *checking)
{
	if (checking->call->settings->observe)
		wd_check_add(checking, WD_GRADE_WARNING, "mode",
			     "every action by itself: it only says what it would do", "observe");
	else
		wd_check_add(checking, WD_GRADE_OK, "mode", NULL, "act");
}

/* The state directory. */

static const char *const off_state = "windows, holds and incidents are forgotten when seadog restarts";

static void check_space(struct wd_checking *checking, const char *directory)
{
	struct statvfs space;
	char free_text[WD_SIZE_TEXT];
	if (statvfs(directory, &space) != 0)
		return;
	uint64_t bytes = (uint64_t)space.f_bavail * space.f_frsize;
	bool little = bytes < LITTLE_SPACE;
	wd_check_add(checking, little ? WD_GRADE_WARNING : WD_GRADE_OK, "space", little ? off_state : NULL,
		     "%s free in %s", wd_size_print(bytes, free_text), directory);
}

static void check_parent(struct wd_checking *checking, const char *directory)
{
	WD_AUTO_FREE char *parent = wd_copy(directory);
	char *slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	if (access(slash ? parent : ".", W_OK | X_OK) == 0)
		wd_check_add(checking, WD_GRADE_OK, "state directory", NULL, "%s will be made at the first run",
			     directory);
	else
		wd_check_add(checking, WD_GRADE_FAILED, "state directory", off_state,
			     "%s is not there and cannot be made: %s", directory, strerror(errno));
}

static const char *behind(const char *text, const char *prefix)
{
	return wd_text_starts(text, prefix) ? text + strlen(prefix) : text;
}

/* Who reads it learns who holds it, whether it is sound, and takes no lock. */
static void check_memory(struct wd_checking *checking, const char *directory)
{
	struct wd_error why = {0};
	struct wd_store *store = wd_store_open_reading(directory, &why);
	if (store)
		wd_check_add(checking, WD_GRADE_OK, "state directory", NULL, "%s, no watchdog has it", directory);
	else if (why.kind == WD_ERROR_REFUSED || why.kind == WD_ERROR_NOT_FOUND)
		wd_check_add(checking, WD_GRADE_OK, "state directory", NULL, "%s",
			     why.kind == WD_ERROR_REFUSED ? behind(why.text, "state directory ") : directory);
	else
		wd_check_add(checking, WD_GRADE_FAILED, "state directory", off_state, "%s", why.text);
	wd_store_close(store);
}

static void check_state(struct wd_checking *checking)
{
	const char *directory = checking->call->settings->state_dir;
	struct stat found;
	if (stat(directory, &found) != 0 && errno == ENOENT) {
		check_parent(checking, directory);
		return;
	}
	if (access(directory, R_OK | W_OK | X_OK) != 0) {
		wd_check_add(checking, WD_GRADE_FAILED, "state directory", off_state, "%s: %s", directory,
			     strerror(errno));
		return;
	}
	check_memory(checking, directory);
	check_space(checking, directory);
}

/* The control socket. */

static void check_control(struct wd_checking *checking)
{
	struct wd_error why = {0};
	WD_AUTO_JSON struct wd_json *request = wd_request_new("ping");
	WD_AUTO_JSON struct wd_json *answer = wd_ask_once(checking->call, request, &why);
	const char *path = wd_call_control(checking->call);
	if (!answer && why.kind == WD_ERROR_NOT_RUNNING)
		wd_check_add(checking, WD_GRADE_WARNING, "watchdog",
			     "nothing is watched; explain, hold and mute need it", "%s", why.text);
	else if (!answer)
		wd_check_add(checking, WD_GRADE_FAILED, "watchdog", "explain, hold and mute", "%s", why.text);
	else if (!wd_json_bool(wd_json_get(answer, "connected"), false))
		wd_check_add(checking, WD_GRADE_WARNING, "watchdog", "nothing is watched until it hears the engine",
			     "runs (%s), but does not hear the engine", path);
	else
		wd_check_add(checking, WD_GRADE_OK, "watchdog", NULL, "runs and hears the engine (%s)", path);
}

/* Two watchdogs of one Engine refuse each other: is who guards it the one that we have just asked? */
static void check_guardian(struct wd_checking *checking)
{
	pid_t asked = 0;
	if (!checking->guarded)
		return;
	if (wd_control_probe(wd_call_control(checking->call), &asked) == WD_ERROR_NONE && asked == checking->guardian)
		return;
	WD_AUTO_FREE char *who = checking->guardian > 0 ? wd_format("pid %ld", (long)checking->guardian)
							: wd_copy("in another container");
	wd_check_add(checking, WD_GRADE_WARNING, "engine lock", "seadog run with this configuration: it is refused",
		     "another seadog guards this engine, %s", who);
}

/* The report. */

static void put_row(struct wd_text *out, const struct wd_style *style, const struct wd_json *row)
{
	static const char *const signs[] = {"✓", "!", "✗"};
	static const enum wd_tint tints[] = {WD_TINT_GOOD, WD_TINT_WARM, WD_TINT_BAD};
	const char *state = wd_json_string(wd_json_get(row, "state"), "");
	const char *off = wd_json_string(wd_json_get(row, "off"), NULL);
	size_t grade = strcmp(state, "ok") == 0 ? 0 : strcmp(state, "warning") == 0 ? 1 : 2;
	WD_AUTO_FREE char *detail = wd_harmless(wd_json_string(wd_json_get(row, "detail"), NULL));
	wd_put_cut(out, style, tints[grade], signs[grade], 0);
	wd_text_print(out, " %-16s ", wd_json_string(wd_json_get(row, "what"), ""));
	wd_put_wrapped(out, style, WD_TINT_NONE, detail, DETAIL_COLUMN);
	wd_text_add(out, "\n");
	if (!off)
		return;
	WD_AUTO_FREE char *line = wd_format("switches off: %s", off);
	wd_text_print(out, "%*s", DETAIL_COLUMN + 2, "");
	wd_put_wrapped(out, style, WD_TINT_FAINT, line, DETAIL_COLUMN + 2);
	wd_text_add(out, "\n");
}

static void put_report(const struct wd_checking *checking)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	if (wd_asked(checking->call, WD_FLAG_JSON)) {
		WD_AUTO_JSON struct wd_json *report = wd_json_object();
		wd_json_set_int(report, "schema", 1);
		wd_json_set_bool(report, "ok", checking->worst.kind == WD_ERROR_NONE);
		wd_json_set(report, "checks", wd_json_clone(checking->rows));
		wd_put_json(report);
		return;
	}
	for (const struct wd_json *row = wd_json_first(checking->rows); row; row = wd_json_next(row))
		put_row(&out, &checking->call->style, row);
	fputs(wd_text_get(&out), stdout);
}

bool wd_run_check(struct wd_call *call, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *rows = wd_json_array();
	struct wd_checking checking = {.call = call, .rows = rows};
	if (check_configuration(&checking)) {
		check_mode(&checking);
		wd_check_hooks(&checking);
		wd_check_engine(&checking);
		check_state(&checking);
		wd_check_snapshots(&checking);
		check_control(&checking);
		check_guardian(&checking);
	}
	put_report(&checking);
	*error = checking.worst;
	return error->kind == WD_ERROR_NONE;
}
