/* call.c: the arguments of the program, by the tables of commands.c. */
#include "face.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define NO_LETTER 256 /* what getopt_long returns for flags without a letter: this and the flag's number */

struct letters {
	char text[2 * WD_FLAGS + 2];
	struct option options[WD_FLAGS + 1];
};

static void letters_init(struct letters *letters)
{
	*letters = (struct letters){0};
	char *end = letters->text;
	*end++ = ':'; /* a missing argument is told apart from an unknown flag */
	for (int i = 0; i < WD_FLAGS; i++) {
		const struct wd_flag *flag = &wd_flags[i];
		letters->options[i] = (struct option){.name = flag->name,
						      .has_arg = flag->argument ? required_argument : no_argument,
						      .val = NO_LETTER + i};
		if (!flag->letter)
			continue;
		*end++ = flag->letter;
		if (flag->argument)
			*end++ = ':';
	}
}

static int flag_of(int found)
{
	if (found >= NO_LETTER)
		return found - NO_LETTER;
	for (int i = 0; i < WD_FLAGS; i++)
		if (wd_flags[i].letter && wd_flags[i].letter == found)
			return i;
	return -1;
}

static bool unknown_flag(const char *word, int letter, struct wd_error *error)
{
	const char *names[WD_FLAGS];
	if (letter)
		return wd_fail(error, WD_ERROR_USAGE, "unknown flag -%c", letter);
	WD_AUTO_FREE char *name = wd_copy_part(word + 2, strcspn(word + 2, "="));
	for (int i = 0; i < WD_FLAGS; i++)
		names[i] = wd_flags[i].name;
	const char *nearest = wd_text_nearest(name, names, WD_FLAGS);
	if (nearest)
		return wd_fail(error, WD_ERROR_USAGE, "unknown flag --%s, did you mean --%s", name, nearest);
	return wd_fail(error, WD_ERROR_USAGE, "unknown flag --%s", name);
}

static bool bad_flag(int found, char *const *argv, struct wd_error *error)
{
	int flag = flag_of(optopt);
	if (flag < 0)
		return unknown_flag(argv[optind - 1], optopt, error);
	if (found == ':')
		return wd_fail(error, WD_ERROR_USAGE, "--%s needs %s", wd_flags[flag].name, wd_flags[flag].argument);
	return wd_fail(error, WD_ERROR_USAGE, "--%s takes no argument", wd_flags[flag].name);
}

static bool read_flags(struct wd_call *call, int argc, char **argv, struct wd_error *error)
{
	struct letters letters;
	int found;
	letters_init(&letters);
	opterr = 0;
	optind = 0;
	while ((found = getopt_long(argc, argv, letters.text, letters.options, NULL)) != -1) {
		if (found == '?' || found == ':')
			return bad_flag(found, argv, error);
		call->flags[flag_of(found)] = optarg ? optarg : "";
	}
	return true;
}

/* A word that begins a usage error is known although the flags were not read to their end. */
static bool wants_json(int argc, char *const *argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static bool find_command(struct wd_call *call, struct wd_error *error)
{
	const char *name = call->words[0];
	call->command = wd_command_find(name);
	if (call->command) {
		call->words++;
		call->word_count--;
		return true;
	}
	const char *nearest = wd_command_nearest(name);
	if (nearest)
		return wd_fail(error, WD_ERROR_USAGE, "unknown command %s, did you mean %s", name, nearest);
	return wd_fail(error, WD_ERROR_USAGE, "unknown command %s, see seadog help", name);
}

static bool check_flags(const struct wd_call *call, struct wd_error *error)
{
	unsigned taken = wd_command_flags(call->command);
	for (int i = 0; i < WD_FLAGS; i++)
		if (call->flags[i] && !(taken & WD_FLAG_BIT(i)))
			return wd_fail(error, WD_ERROR_USAGE, "%s takes no --%s", call->command->name,
				       wd_flags[i].name);
	return true;
}

static bool check_words(const struct wd_call *call, struct wd_error *error)
{
	const struct wd_command *command = call->command;
	if (call->word_count < command->least)
		return wd_fail(error, WD_ERROR_USAGE, "%s needs %s", command->name, command->words);
	if (call->word_count > command->most)
		return wd_fail(error, WD_ERROR_USAGE, "%s: one word too many: %s", command->name,
			       call->words[command->most]);
	return true;
}

static int terminal_width(void)
{
	struct winsize size = {0};
	int64_t columns = 0;
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (wd_number_parse(getenv("COLUMNS") ? getenv("COLUMNS") : "", 1, 10000, &columns, NULL))
		return (int)columns;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static bool wants_color(const char *when)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (wd_text_equal(when, "always"))
		return true;
	if (wd_text_equal(when, "never") || (no_color && *no_color))
		return false;
	return isatty(STDOUT_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

static bool read_style(struct wd_call *call, struct wd_error *error)
{
	static const char *const moments[] = {"auto", "always", "never"};
	const char *when = call->flags[WD_FLAG_COLOR];
	if (when && strcmp(when, "auto") != 0 && strcmp(when, "always") != 0 && strcmp(when, "never") != 0) {
		const char *nearest = wd_text_nearest(when, moments, 3);
		return wd_fail(error, WD_ERROR_USAGE, "--color=%s: write %s", when,
			       nearest ? nearest : "auto, always or never");
	}
	call->style.color = wants_color(when);
	call->style.whole = wd_asked(call, WD_FLAG_NO_TRUNC);
	call->style.width = terminal_width();
	return true;
}

static void read_sources(struct wd_call *call)
{
	call->sources.file = call->flags[WD_FLAG_CONFIG];
	if (call->flags[WD_FLAG_HOST]) {
		WD_AUTO_FREE char *set = wd_format("engine.host=%s", call->flags[WD_FLAG_HOST]);
		wd_list_add(&call->sources.set, set);
	}
}

bool wd_call_read(struct wd_call *call, int argc, char **argv, struct wd_error *error)
{
	call->sources.environment = environ;
	if (wants_json(argc, argv))
		call->flags[WD_FLAG_JSON] = "";
	if (!read_flags(call, argc, argv, error))
		return false;
	call->words = argv + optind;
	call->word_count = (size_t)(argc - optind);
	read_sources(call);
	if (!read_style(call, error))
		return false;
	if (call->word_count == 0)
		return true;
	if (!find_command(call, error) || !check_flags(call, error))
		return false;
	return wd_asked(call, WD_FLAG_HELP) || check_words(call, error);
}

void wd_call_done(struct wd_call *call)
{
	wd_settings_free(call->settings);
	wd_list_done(&call->sources.set);
}

bool wd_asked(const struct wd_call *call, enum wd_flag_id flag)
{
	return call->flags[flag] != NULL;
}
