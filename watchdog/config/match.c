/* Whom a [policy NAME] is for: "name:web-*, project:shop+label:tier=front": commas mean or, + means and. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

#define USAGE(...) wd_fail(error, WD_ERROR_USAGE, __VA_ARGS__)

static bool check_term(const char *term, struct wd_error *error)
{
	static const char *const words[] = {"name", "image", "project", "label"};
	const char *colon = strchr(term, ':');
	WD_AUTO_FREE char *word = wd_copy_part(term, colon ? (size_t)(colon - term) : strlen(term));
	size_t which = 0;
	while (which < 4 && strcmp(word, words[which]) != 0)
		which++;
	const char *nearest = which == 4 ? wd_text_nearest(word, words, 4) : NULL;
	if (nearest)
		return USAGE("%s: unknown, did you mean %s:?", term, nearest);
	if (!colon || which == 4)
		return USAGE("%s: must begin with name:, image:, project: or label:", term);
	if (colon[1] == '\0')
		return USAGE("%s: the glob is missing", term);
	const char *equals = strchr(colon, '=');
	if (which == 3 && (!equals || equals == colon + 1))
		return USAGE("%s: write it like label:tier=front, or label:tier=* for any value", term);
	return true;
}

static bool check_match(const char *text, struct wd_error *error)
{
	struct wd_list choices = {0};
	wd_list_split(&choices, text, ',');
	bool sound = choices.count > 0 || USAGE("matches nothing, write it like name:web-*");
	for (size_t i = 0; sound && i < choices.count; i++) {
		struct wd_list terms = {0};
		wd_list_split(&terms, choices.items[i], '+');
		sound = terms.count > 0 || USAGE("there is nothing around the +");
		for (size_t j = 0; sound && j < terms.count; j++)
			sound = check_term(terms.items[j], error);
		wd_list_done(&terms);
	}
	wd_list_done(&choices);
	return sound;
}

static bool parse_match(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	(void)option;
	if (!check_match(text, error))
		return false;
	*(char **)ret_value = wd_copy(text);
	return true;
}

static void match_done(void *value)
{
	free(*(char **)value);
}

static bool label_holds(const char *term, const struct wd_container *container)
{
	const char *equals = strchr(term, '=');
	if (!equals)
		return false;
	WD_AUTO_FREE char *key = wd_copy_part(term, (size_t)(equals - term));
	const char *value = wd_container_label(container, key);
	return value && wd_glob_match(equals + 1, value);
}

static bool term_holds(const char *term, const struct wd_container *container)
{
	const char *text = NULL;
	if (wd_text_starts(term, "label:"))
		return label_holds(term + 6, container);
	if (wd_text_starts(term, "name:"))
		text = container->name;
	else if (wd_text_starts(term, "image:"))
		text = container->image;
	else if (wd_text_starts(term, "project:"))
		text = container->project;
	return text && wd_glob_match(strchr(term, ':') + 1, text);
}

static bool choice_holds(const char *choice, const struct wd_container *container)
{
	struct wd_list terms = {0};
	wd_list_split(&terms, choice, '+');
	bool holds = terms.count > 0;
	for (size_t i = 0; holds && i < terms.count; i++)
		holds = term_holds(terms.items[i], container);
	wd_list_done(&terms);
	return holds;
}

bool wd_match_holds(const char *match, const struct wd_container *container)
{
	struct wd_list choices = {0};
	bool holds = false;
	wd_list_split(&choices, match, ',');
	for (size_t i = 0; !holds && i < choices.count; i++)
		holds = choice_holds(choices.items[i], container);
	wd_list_done(&choices);
	return holds;
}

const struct wd_kind wd_kind_match = {"match", "name:GLOB, image:GLOB, project:GLOB, label:KEY=GLOB; + means and",
				      sizeof(char *), parse_match, .done = match_done};
