/* lists.c: fills the lists of a man page from the program's own tables, so that the page cannot drift from them.
 *
 *   lists <page >page.new
 *
 * What stands between `.\" list NAME` and `.\" end` is replaced; all else is copied. Names: commands, flags, types,
 * options SECTION (those that work in this version), pending (those that do not yet).
 */
#include "../../watchdog/face/face.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#define FILL_COLUMNS 78

/* Text as mdoc wants it: a sentence begins on a line of its own, `this` is quoted by a macro. */
struct fill {
	size_t column;
};

static void fill_break(struct fill *fill)
{
	if (fill->column)
		putchar('\n');
	fill->column = 0;
}

static void put_escaped(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '\\')
			fputs("\\e", stdout);
		else
			putchar(bytes[i]);
}

static void fill_word(struct fill *fill, const char *word, size_t length)
{
	if (fill->column && fill->column + 1 + length > FILL_COLUMNS)
		fill_break(fill);
	if (fill->column)
		putchar(' ');
	else if (word[0] == '.' || word[0] == '\'')
		fputs("\\&", stdout);
	put_escaped(word, length);
	fill->column += length + 1;
	if (strchr(".?!", word[length - 1]))
		fill_break(fill);
}

/* `words` and the punctuation behind; returns what follows. */
static const char *fill_quoted(struct fill *fill, const char *text)
{
	size_t length = strcspn(text + 1, "`");
	const char *behind = text + 1 + length + (text[1 + length] == '`');
	fill_break(fill);
	fputs(".Ql ", stdout);
	put_escaped(text + 1, length);
	for (; *behind && ispunct((unsigned char)*behind); behind++)
		printf(" %c", *behind);
	putchar('\n');
	return behind;
}

static void fill_text(struct fill *fill, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");
		if (*text == ' ') {
			text++;
		} else if (*text == '`') {
			text = fill_quoted(fill, text);
		} else {
			fill_word(fill, text, length);
			text += length;
		}
	}
	fill_break(fill);
}

/* A help line of the tables is a phrase; in a page it is a sentence. */
static void put_sentence(const char *phrase)
{
	struct fill fill = {0};
	WD_AUTO_FREE char *sentence = wd_format("%s%s", phrase, phrase[strlen(phrase) - 1] == '.' ? "" : ".");
	sentence[0] = (char)toupper((unsigned char)sentence[0]);
	fill_text(&fill, sentence);
}

static bool is_choice(const struct wd_option_help *option)
{
	return strcmp(option->type, "word") == 0;
}

/* --- commands and flags ------------------------------------------------------------------------------------------- */

static void put_flag_name(const struct wd_flag *flag)
{
	if (flag->letter)
		printf(" Fl %c , Fl -%s", flag->letter, flag->name);
	else
		printf(" Fl -%s", flag->name);
	if (flag->argument)
		printf(" Ns = Ns Ar %s", flag->argument);
}

static void put_flags(unsigned bits, const char *compact)
{
	printf(".Bl -tag -width Ds%s\n", compact);
	for (int i = 0; i < WD_FLAGS; i++) {
		if (!(bits & WD_FLAG_BIT(i)))
			continue;
		fputs(".It", stdout);
		put_flag_name(&wd_flags[i]);
		putchar('\n');
		put_sentence(wd_flags[i].help);
	}
	puts(".El");
}

/* "NAME", "ID|--all": what stands in a word, or between its brackets. */
static void put_choices(const char *words, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = strcspn(words + at, "|");
		if (length > size - at)
			length = size - at;
		const char *word = words + at, *more = memmem(word, length, "…", strlen("…"));
		size_t bare = more ? (size_t)(more - word) : length;
		if (at > 0)
			fputs(" |", stdout);
		if (word[0] == '-')
			printf(" Fl %.*s", (int)bare - 1, word + 1);
		else
			printf(" %s %.*s", isupper((unsigned char)word[0]) ? "Ar" : "Cm", (int)bare, word);
		fputs(more ? " ..." : "", stdout);
		at += length + 1;
	}
}

/* "[NAME…]", "NAME|--all", "bash|zsh|fish", "NAME [IMAGE]" */
static void put_words(const char *words)
{
	while (*words) {
		size_t size = strcspn(words, " ");
		bool optional = words[0] == '[';
		fputs(optional ? " Op" : "", stdout);
		put_choices(words + optional, optional ? size - 2 : size);
		words += size + (words[size] == ' ');
	}
}

static void put_commands(void)
{
	puts(".Bl -tag -width Ds");
	for (const struct wd_command *command = wd_commands; command->name; command++) {
		if (!command->help)
			continue;
		printf(".It Cm %s", command->name);
		put_words(command->words);
		putchar('\n');
		put_sentence(command->help);
		if (command->more)
			put_sentence(command->more);
		if (command->flags)
			put_flags(command->flags, " -compact");
	}
	puts(".El");
}

/* --- options ------------------------------------------------------------------------------------------------------ */

static void put_fallback(const struct wd_option_help *option)
{
	if (option->fallback)
		printf("Default:\n.Ql %s .\n", option->fallback);
}

/* The words of a choice stand in its help. */
static bool has_form(const struct wd_option_help *option)
{
	return !option->pending && !is_choice(option);
}

static bool is_first_of_its_type(size_t index)
{
	struct wd_option_help option = wd_option_at(index);
	for (size_t i = 0; i < index; i++) {
		struct wd_option_help before = wd_option_at(i);
		if (has_form(&before) && strcmp(before.type, option.type) == 0)
			return false;
	}
	return has_form(&option);
}

static void put_types(void)
{
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < wd_option_count(); i++) {
		if (!is_first_of_its_type(i))
			continue;
		struct fill fill = {0};
		printf(".It Ar %s\n", wd_option_at(i).type);
		fill_text(&fill, wd_option_at(i).form);
	}
	puts(".El");
}

static void put_option(const struct wd_option_help *option)
{
	printf(".It Cm %s No = Ar %s\n", option->key, option->type);
	if (is_choice(option))
		puts("One of:");
	fill_text(&(struct fill){0}, option->help);
	put_fallback(option);
}

static void put_options(const char *section)
{
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < wd_option_count(); i++) {
		struct wd_option_help option = wd_option_at(i);
		if (!option.pending && strcmp(option.section, section) == 0)
			put_option(&option);
	}
	puts(".El");
}

static void put_pending(void)
{
	const char *section = "";
	for (size_t i = 0; i < wd_option_count(); i++) {
		struct wd_option_help option = wd_option_at(i);
		if (!option.pending)
			continue;
		bool same = strcmp(option.section, section) == 0;
		if (!same)
			printf("%s.It Cm %s\n", *section ? "" : ".Bl -tag -width Ds\n", option.section);
		printf(".Cm %s\n", option.key);
		section = option.section;
	}
	puts(".El");
}

/* --- the page ----------------------------------------------------------------------------------------------------- */

static bool put_list(const char *name)
{
	if (strcmp(name, "commands") == 0)
		put_commands();
	else if (strcmp(name, "flags") == 0)
		put_flags(wd_command_flags(wd_command_find("version")), "");
	else if (strcmp(name, "types") == 0)
		put_types();
	else if (strcmp(name, "pending") == 0)
		put_pending();
	else if (wd_text_starts(name, "options "))
		put_options(name + strlen("options "));
	else
		return false;
	return true;
}

int main(void)
{
	static const char begin[] = ".\\\" list ", end[] = ".\\\" end";
	char line[1024];
	bool skipping = false;
	while (fgets(line, sizeof line, stdin)) {
		skipping = skipping && !wd_text_starts(line, end);
		if (skipping)
			continue;
		fputs(line, stdout);
		line[strcspn(line, "\n")] = '\0';
		if (!wd_text_starts(line, begin))
			continue;
		skipping = true;
		if (!put_list(line + strlen(begin))) {
			fprintf(stderr, "lists: no list is called %s\n", line + strlen(begin));
			return 1;
		}
	}
	return skipping || fflush(stdout) != 0;
}
