/* completion.c: `seadog completion`: scripts for shells, from the tables of commands.c. Names of services and numbers of
 * incidents are asked for when they are wanted, by the hidden command __offer.
 */
#include "face.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

static const char *const offer_words[] = {
	[WD_OFFER_NOTHING] = "",
	[WD_OFFER_SERVICES] = "$(\"$seadog\" __offer services 2>/dev/null)",
	[WD_OFFER_INCIDENTS] = "$(\"$seadog\" __offer incidents 2>/dev/null)",
	[WD_OFFER_COMMANDS] = "$commands",
	[WD_OFFER_SHELLS] = "bash zsh fish",
	[WD_OFFER_SNAPSHOT] = "$(\"$seadog\" __offer snapshot 2>/dev/null)",
	[WD_OFFER_FILES] = "",
	[WD_OFFER_COLORS] = "auto always never",
};

/* "--config -c …" of a set of flags. */
static char *flag_words(unsigned bits)
{
	struct wd_text text = {0};
	for (int i = 0; i < WD_FLAGS; i++) {
		if (!(bits & WD_FLAG_BIT(i)))
			continue;
		wd_text_print(&text, "%s--%s", text.length ? " " : "", wd_flags[i].name);
		if (wd_flags[i].letter)
			wd_text_print(&text, " -%c", wd_flags[i].letter);
	}
	return wd_text_take(&text);
}

static char *command_words(void)
{
	struct wd_text text = {0};
	for (const struct wd_command *command = wd_commands; command->name; command++)
		if (command->help)
			wd_text_print(&text, "%s%s", text.length ? " " : "", command->name);
	return wd_text_take(&text);
}

/* "-c|--config" */
static char *flag_pattern(const struct wd_flag *flag)
{
	return flag->letter ? wd_format("-%c|--%s", flag->letter, flag->name) : wd_format("--%s", flag->name);
}

/* Bash. */

static void put_bash_arguments(void)
{
	puts("    case $previous in");
	for (int i = 0; i < WD_FLAGS; i++) {
		const struct wd_flag *flag = &wd_flags[i];
		if (!flag->argument)
			continue;
		WD_AUTO_FREE char *pattern = flag_pattern(flag);
		if (flag->offer == WD_OFFER_FILES)
			printf("    %s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", pattern);
		else
			printf("    %s) COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n", pattern,
			       offer_words[flag->offer]);
	}
	puts("    esac");
}

/* The command is the first word that is neither a flag nor the argument of one. */
static void put_bash_search(void)
{
	WD_AUTO_TEXT struct wd_text taking = {0};
	for (int i = 0; i < WD_FLAGS; i++) {
		if (!wd_flags[i].argument)
			continue;
		WD_AUTO_FREE char *pattern = flag_pattern(&wd_flags[i]);
		wd_text_print(&taking, "%s%s", taking.length ? "|" : "", pattern);
	}
	printf("    for ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "        case ${COMP_WORDS[i]} in\n"
	       "        %s) ((i++)) ;;\n"
	       "        =) ((i++)) ;;\n"
	       "        -*) ;;\n"
	       "        *) command=${COMP_WORDS[i]}; break ;;\n"
	       "        esac\n"
	       "    done\n",
	       wd_text_get(&taking));
}

static void put_bash_commands(void)
{
	puts("    case $command in");
	for (const struct wd_command *command = wd_commands; command->name; command++) {
		if (!command->help)
			continue;
		WD_AUTO_FREE char *flags = flag_words(wd_command_flags(command));
		printf("    %s) flags=\"%s\"; [[ $word == -* ]] || words=\"%s\" ;;\n", command->name, flags,
		       offer_words[command->offer]);
	}
	WD_AUTO_FREE char *flags =
		flag_words(wd_command_flags(wd_command_find("version")) | WD_FLAG_BIT(WD_FLAG_VERSION));
	printf("    *) flags=\"%s\"; words=$commands ;;\n    esac\n", flags);
}

static void put_bash(void)
{
	WD_AUTO_FREE char *commands = command_words();
	printf("# bash completion for seadog; made by seadog completion bash\n"
	       "_seadog() {\n"
	       "    local seadog=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "    local commands=\"%s\"\n"
	       "    local command= flags= words= i\n"
	       "    COMPREPLY=()\n"
	       "    if [[ $word == = ]]; then word=; elif [[ $previous == = ]]; then "
	       "previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n",
	       commands);
	put_bash_arguments();
	put_bash_search();
	put_bash_commands();
	puts("    if [[ $word == -* ]]; then words=$flags; fi\n"
	     "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	     "}\n"
	     "complete -F _seadog seadog");
}

/* Zsh. */

/* Text within '…' of an _arguments specification. */
static char *zsh_text(const char *text)
{
	struct wd_text quoted = {0};
	for (; *text; text++) {
		if (*text == '\'')
			wd_text_add(&quoted, "'\\''");
		else if (strchr(":[]\\", *text))
			wd_text_print(&quoted, "\\%c", *text);
		else
			wd_text_put(&quoted, text, 1);
	}
	return wd_text_take(&quoted);
}

static const char *zsh_action(enum wd_offer offer)
{
	static const char *const actions[] = {
		[WD_OFFER_NOTHING] = " ",
		[WD_OFFER_SERVICES] = "_seadog_offer services",
		[WD_OFFER_INCIDENTS] = "_seadog_offer incidents",
		[WD_OFFER_COMMANDS] = "_seadog_commands",
		[WD_OFFER_SHELLS] = "(bash zsh fish)",
		[WD_OFFER_SNAPSHOT] = "_seadog_offer snapshot",
		[WD_OFFER_FILES] = "_files",
		[WD_OFFER_COLORS] = "(auto always never)",
	};
	return actions[offer];
}

static void put_zsh_flags(unsigned bits)
{
	for (int i = 0; i < WD_FLAGS; i++) {
		const struct wd_flag *flag = &wd_flags[i];
		if (!(bits & WD_FLAG_BIT(i)))
			continue;
		WD_AUTO_FREE char *help = zsh_text(flag->help);
		WD_AUTO_FREE char *argument =
			flag->argument ? wd_format(":%s:%s", flag->argument, zsh_action(flag->offer)) : wd_copy("");
		if (flag->letter)
			printf(" \\\n            '(-%c --%s)'{-%c%s,--%s%s}'[%s]%s'", flag->letter, flag->name,
			       flag->letter, flag->argument ? "+" : "", flag->name, flag->argument ? "=" : "", help,
			       argument);
		else
			printf(" \\\n            '--%s%s[%s]%s'", flag->name, flag->argument ? "=" : "", help,
			       argument);
	}
	puts("");
}

static void put_zsh_command(const struct wd_command *command)
{
	printf("        %s)\n        _arguments -s", command->name);
	if (command->most > 0)
		printf(" \\\n            '%s:word:%s'", command->most > 1 ? "*" : "", zsh_action(command->offer));
	put_zsh_flags(wd_command_flags(command));
	puts("        ;;");
}

static void put_zsh(void)
{
	puts("#compdef seadog\n# zsh completion for seadog; made by seadog completion zsh\n"
	     "_seadog_offer() {\n"
	     "    local -a words\n"
	     "    words=(${(f)\"$(seadog __offer $1 2>/dev/null)\"})\n"
	     "    compadd -a words\n"
	     "}\n"
	     "_seadog_commands() {\n"
	     "    local -a commands=(");
	for (const struct wd_command *command = wd_commands; command->name; command++) {
		if (!command->help)
			continue;
		WD_AUTO_FREE char *help = zsh_text(command->help);
		printf("        '%s:%s'\n", command->name, help);
	}
	puts("    )\n    _describe command commands\n}\n"
	     "_seadog() {\n"
	     "    local context state state_descr line\n"
	     "    typeset -A opt_args\n"
	     "    _arguments -C -s '1:command:_seadog_commands' '*::word:->words'");
	puts("    [[ $state == words ]] || return\n    case $line[1] in");
	for (const struct wd_command *command = wd_commands; command->name; command++)
		if (command->help)
			put_zsh_command(command);
	puts("    esac\n}\n_seadog \"$@\"");
}

/* Fish. */

static char *fish_text(const char *text)
{
	struct wd_text quoted = {0};
	for (; *text; text++)
		wd_text_print(&quoted, strchr("'\\", *text) ? "\\%c" : "%c", *text);
	return wd_text_take(&quoted);
}

static const char *fish_words(enum wd_offer offer)
{
	static const char *const words[] = {
		[WD_OFFER_NOTHING] = "",
		[WD_OFFER_SERVICES] = "(seadog __offer services 2>/dev/null)",
		[WD_OFFER_INCIDENTS] = "(seadog __offer incidents 2>/dev/null)",
		[WD_OFFER_COMMANDS] = "(seadog __offer commands)",
		[WD_OFFER_SHELLS] = "bash zsh fish",
		[WD_OFFER_SNAPSHOT] = "(seadog __offer snapshot 2>/dev/null)",
		[WD_OFFER_FILES] = "",
		[WD_OFFER_COLORS] = "auto always never",
	};
	return words[offer];
}

static void put_fish_flag(const struct wd_flag *flag, const char *when)
{
	WD_AUTO_FREE char *help = fish_text(flag->help);
	printf("complete -c seadog %s -l %s", when, flag->name);
	if (flag->letter)
		printf(" -s %c", flag->letter);
	if (flag->argument && flag->offer == WD_OFFER_FILES)
		printf(" -rF");
	else if (flag->argument)
		printf(" -xa '%s'", fish_words(flag->offer));
	printf(" -d '%s'\n", help);
}

static void put_fish_command(const struct wd_command *command)
{
	WD_AUTO_FREE char *help = fish_text(command->help);
	WD_AUTO_FREE char *when = wd_format("-n '__fish_seen_subcommand_from %s'", command->name);
	printf("complete -c seadog -n __fish_use_subcommand -a %s -d '%s'\n", command->name, help);
	if (*fish_words(command->offer))
		printf("complete -c seadog %s -a '%s'\n", when, fish_words(command->offer));
	for (int i = 0; i < WD_FLAGS; i++)
		if (command->flags & WD_FLAG_BIT(i))
			put_fish_flag(&wd_flags[i], when);
}

static void put_fish(void)
{
	unsigned common = wd_command_flags(wd_command_find("version"));
	puts("# fish completion for seadog; made by seadog completion fish\ncomplete -c seadog -f");
	for (int i = 0; i < WD_FLAGS; i++)
		if (common & WD_FLAG_BIT(i))
			put_fish_flag(&wd_flags[i], "");
	for (const struct wd_command *command = wd_commands; command->name; command++)
		if (command->help)
			put_fish_command(command);
}

bool wd_run_completion(struct wd_call *call, struct wd_error *error)
{
	static const struct {
		const char *name;
		void (*put)(void);
	} shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		if (strcmp(call->words[0], shells[i].name) != 0)
			continue;
		shells[i].put();
		return true;
	}
	return wd_fail(error, WD_ERROR_USAGE, "%s: completions are there for bash, zsh and fish", call->words[0]);
}

/* What a shell asks while somebody types: names, one a line; nothing where nobody answers. */

/* Shells expand what they are offered: what is no plain word (the Engine allows no other names) is not. */
static bool is_plain(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

static void put_members(struct wd_call *call, const char *verb, const char *array, const char *name)
{
	WD_AUTO_JSON struct wd_json *request = wd_request_new(verb);
	WD_AUTO_JSON struct wd_json *answer = wd_ask_once(call, request, NULL);
	for (const struct wd_json *item = wd_json_first(wd_json_get(answer, array)); item; item = wd_json_next(item)) {
		const struct wd_json *value = wd_json_get(item, name);
		WD_AUTO_FREE char *text =
			wd_json_is_string(value) ? wd_copy(wd_json_string(value, "")) : wd_json_print(value);
		if (is_plain(text))
			puts(text);
	}
}

bool wd_run_offer(struct wd_call *call, struct wd_error *error)
{
	if (strcmp(call->words[0], "commands") == 0) {
		for (const struct wd_command *command = wd_commands; command->name; command++)
			if (command->help)
				puts(command->name);
		return true;
	}
	bool snapshot = strcmp(call->words[0], "snapshot") == 0;
	if (snapshot)
		wd_snapshot_offer();
	if (!wd_call_settings(call, error))
		return false;
	if (snapshot || strcmp(call->words[0], "services") == 0)
		put_members(call, "status", "services", "name");
	else if (strcmp(call->words[0], "incidents") == 0)
		put_members(call, "incidents", "incidents", "id");
	return true;
}
