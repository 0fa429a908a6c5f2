/* help.c: help and version, from the tables of commands.c. */
#include "face.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#define HELP_COLUMNS 78

/* Paragraphs broken at spaces; a column is a byte here, all texts being ASCII but for quotes. */
static void put_wrapped(const char *text)
{
	size_t column = 0;
	while (*text) {
		size_t word = strcspn(text, " ");
		if (column > 0 && column + 1 + word > HELP_COLUMNS) {
			fputs("\n", stdout);
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)word, text);
		text += word + (text[word] == ' ');
	}
	fputs("\n", stdout);
}

static void put_flags(unsigned bits)
{
	for (int i = 0; i < WD_FLAGS; i++) {
		const struct wd_flag *flag = &wd_flags[i];
		if (!(bits & WD_FLAG_BIT(i)))
			continue;
		WD_AUTO_FREE char *name = wd_format("--%s%s%s", flag->name, flag->argument ? "=" : "",
						    flag->argument ? flag->argument : "");
		if (flag->letter)
			printf("  -%c, %-16s %s\n", flag->letter, name, flag->help);
		else
			printf("      %-16s %s\n", name, flag->help);
	}
}

/* What all commands take: the flags of the one that takes nothing else. */
static unsigned common_flags(void)
{
	return wd_command_flags(wd_command_find("version"));
}

void wd_help_usage(void)
{
	fputs("usage: seadog COMMAND [WORDS] [FLAGS]\n"
	      "       seadog help lists the commands, seadog help COMMAND tells about one\n",
	      stderr);
}

void wd_help_all(void)
{
	puts("seadog watches the containers of a Docker Engine and ends restart loops.\n\n"
	     "usage: seadog COMMAND [WORDS] [FLAGS]\n\nCommands:");
	for (const struct wd_command *command = wd_commands; command->name; command++)
		if (command->help)
			printf("  %-12s %s\n", command->name, command->help);
	puts("\nFlags of every command, before or behind it:");
	put_flags(common_flags());
	puts("\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done in part,\n"
	     "4 no such thing, 5 refused or not confirmed, 6 Engine unreachable,\n"
	     "7 watchdog not running.");
}

void wd_help_command(const struct wd_command *command)
{
	unsigned own = command->flags;
	printf("usage: seadog %s%s%s [FLAGS]\n\n", command->name, *command->words ? " " : "", command->words);
	put_wrapped(command->help ? command->help : command->name);
	if (command->more) {
		fputs("\n", stdout);
		put_wrapped(command->more);
	}
	if (own) {
		puts("\nFlags:");
		put_flags(own);
	}
	puts("\nFlags of every command:");
	put_flags(common_flags());
}

bool wd_run_help(struct wd_call *call, struct wd_error *error)
{
	if (call->word_count == 0) {
		wd_help_all();
		return true;
	}
	const struct wd_command *command = wd_command_find(call->words[0]);
	const char *nearest = command ? NULL : wd_command_nearest(call->words[0]);
	if (nearest)
		return wd_fail(error, WD_ERROR_USAGE, "unknown command %s, did you mean %s", call->words[0], nearest);
	if (!command)
		return wd_fail(error, WD_ERROR_USAGE, "unknown command %s", call->words[0]);
	wd_help_command(command);
	return true;
}

bool wd_run_version(struct wd_call *call, struct wd_error *error)
{
	(void)error;
	if (!wd_asked(call, WD_FLAG_JSON)) {
		puts("seadog " SEADOG_VERSION);
		return true;
	}
	WD_AUTO_JSON struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "schema", 1);
	wd_json_set_string(report, "version", SEADOG_VERSION);
	wd_put_json(report);
	return true;
}
