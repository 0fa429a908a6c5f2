/* SEADOG_SECTION_KEY of the environment, SEADOG_SECTION_KEY_FILE for what stands in a file, and what the command line
 * sets: section.key=value. Only sections without a name of their own can be meant. */
#include "config.h"

#include <ctype.h>
#include <string.h>
#include <watchdog/memory.h>

#define PREFIX "SEADOG_"
#define FILE_SUFFIX "_FILE"

static const char *const sections[] = {"engine", "seadog", "http", "safety", "snapshots", "defaults"};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

const char *wd_environment_get(char *const *environment, const char *name)
{
	size_t length = strlen(name);
	for (char *const *at = environment; at && *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return (*at)[length + 1] ? *at + length + 1 : NULL;
	return NULL;
}

/* "SEADOG_ENGINE_HOST" */
static char *variable_of(const char *section, const char *key)
{
	char *name = wd_format(PREFIX "%s_%s", section, key);
	for (char *at = name; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return name;
}

struct variable {
	const char *section; /* NULL: none of ours */
	const struct wd_option *option;
};

static bool can_stand_in(const struct wd_option *option, const char *section)
{
	return strcmp(option->section, wd_section_table(section)) == 0 && option->kind != &wd_kind_match;
}

static struct variable find_variable(const char *name)
{
	for (size_t i = 0; i < SECTIONS; i++)
		for (const struct wd_option *option = wd_options; option->key; option++) {
			if (!can_stand_in(option, sections[i]))
				continue;
			WD_AUTO_FREE char *own = variable_of(sections[i], option->key);
			if (strcmp(own, name) == 0)
				return (struct variable){sections[i], option};
		}
	return (struct variable){NULL, NULL};
}

static void fault_unknown(const char *name, struct wd_findings *findings)
{
	struct wd_list known = {0};
	WD_AUTO_TEXT struct wd_text shown = {0};
	wd_text_escape(&shown, name, strlen(name), 100);
	for (size_t i = 0; i < SECTIONS; i++)
		for (const struct wd_option *option = wd_options; option->key; option++)
			if (can_stand_in(option, sections[i])) {
				WD_AUTO_FREE char *own = variable_of(sections[i], option->key);
				wd_list_add(&known, own);
			}
	const char *nearest = wd_text_nearest(name, (const char *const *)known.items, known.count);
	if (nearest)
		wd_findings_add(findings, false, "%s: unknown, did you mean %s?", wd_text_get(&shown), nearest);
	else
		wd_findings_add(findings, false, "%s: unknown, variables of seadog are named SEADOG_SECTION_KEY",
				wd_text_get(&shown));
	wd_list_done(&known);
}

static void put(struct wd_config *config, struct wd_section *over, const struct variable *variable, const char *value,
		const char *origin, struct wd_findings *findings)
{
	bool policy = strcmp(variable->section, "defaults") == 0;
	if (wd_section_pending(variable->section))
		wd_findings_add(findings, true, "%s: %s has no effect in this version of seadog", origin,
				variable->option->key);
	wd_config_put(policy ? over : wd_config_open(config, variable->section, NULL, origin), variable->option, value,
		      origin, findings);
}

static char *value_from_file(const char *name, const char *path, struct wd_findings *findings)
{
	struct wd_error error;
	size_t length;
	char *text = wd_file_read(path, &length, &error);
	if (!text) {
		wd_findings_add(findings, false, "%s: %s: %s", name, path, error.text);
		return NULL;
	}
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)text[i])) {
			wd_findings_add(findings, false, "%s: %s: must hold one line of text", name, path);
			free(text);
			return NULL;
		}
	return text;
}

static void take_file(struct wd_config *config, char *const *environment, const char *name, const char *path,
		      struct wd_findings *findings)
{
	WD_AUTO_FREE char *plain = wd_copy_part(name, strlen(name) - strlen(FILE_SUFFIX));
	struct variable variable = find_variable(plain);
	if (!variable.option) {
		fault_unknown(name, findings);
		return;
	}
	if (wd_environment_get(environment, plain)) {
		wd_findings_add(findings, false, "%s: %s is set too, keep one of them", name, plain);
		return;
	}
	WD_AUTO_FREE char *value = value_from_file(name, path, findings);
	if (value)
		put(config, &config->environment, &variable, value, name, findings);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length > tail && strcmp(text + length - tail, end) == 0;
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

static void take_variable(struct wd_config *config, char *const *environment, const char *name, const char *value,
			  struct wd_findings *findings)
{
	struct variable variable = find_variable(name);
	if (!variable.option && !ends_with(name, FILE_SUFFIX))
		fault_unknown(name, findings);
	else if (!*value)
		wd_findings_add(findings, true, "%s: is empty, which counts as not set", name);
	else if (!variable.option)
		take_file(config, environment, name, value, findings);
	else if (!printable(value))
		wd_findings_add(findings, false, "%s: must hold one line of text", name);
	else
		put(config, &config->environment, &variable, value, name, findings);
}

void wd_config_read_environment(struct wd_config *config, char *const *environment, struct wd_findings *findings)
{
	for (char *const *at = environment; at && *at; at++) {
		const char *equals = strchr(*at, '=');
		if (!equals || !wd_text_starts(*at, PREFIX))
			continue;
		WD_AUTO_FREE char *name = wd_copy_part(*at, (size_t)(equals - *at));
		if (strcmp(name, "SEADOG_TRACE") != 0 &&
		    !wd_text_starts(name, "SEADOG_HOOK_")) /* what a hook is told */
			take_variable(config, environment, name, equals + 1, findings);
	}
}

static void take_set(struct wd_config *config, const char *text, struct wd_findings *findings)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');
	if (!equals || !dot || dot > equals) {
		wd_findings_add(findings, false, "command line: %s: write SECTION.KEY=VALUE", text);
		return;
	}
	WD_AUTO_FREE char *section = wd_copy_part(text, (size_t)(dot - text));
	WD_AUTO_FREE char *key = wd_copy_part(dot + 1, (size_t)(equals - dot - 1));
	WD_AUTO_FREE char *own = variable_of(section, key);
	struct variable variable = find_variable(own);
	bool host = strcmp(section, "engine") == 0 && strcmp(key, "host") == 0;
	const char *nearest = wd_section_table(section) ? wd_option_nearest(wd_section_table(section), key) : NULL;
	if (variable.option)
		put(config, &config->command, &variable, equals + 1, host ? "--host" : "command line", findings);
	else if (nearest)
		wd_findings_add(findings, false, "command line: %s.%s: unknown, did you mean %s.%s?", section, key,
				section, nearest);
	else
		wd_findings_add(findings, false, "command line: %s.%s: unknown", section, key);
}

void wd_config_read_command(struct wd_config *config, const struct wd_list *set, struct wd_findings *findings)
{
	for (size_t i = 0; i < set->count; i++)
		take_set(config, set->items[i], findings);
}
