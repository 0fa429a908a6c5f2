#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

/* The kinds of sections, each with the part of the option table that it takes. */
static const struct {
	const char *kind, *table;
	bool named;
} kinds[] = {
	{"engine", "engine", false}, {"seadog", "seadog", false},       {"http", "http", false},
	{"safety", "safety", false}, {"snapshots", "snapshots", false}, {"defaults", "policy", false},
	{"policy", "policy", true},  {"container", "policy", true},     {"hook", "hook", true},
	{"notify", "notify", true},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *wd_section_table(const char *kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].table;
	return NULL;
}

bool wd_section_named(const char *kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].named;
	return false;
}

const char *wd_section_nearest(const char *kind)
{
	const char *words[KINDS];
	for (size_t i = 0; i < KINDS; i++)
		words[i] = kinds[i].kind;
	return wd_text_nearest(kind, words, KINDS);
}

bool wd_section_pending(const char *kind)
{
	const char *table = wd_section_table(kind);
	for (const struct wd_option *option = wd_options; option->key; option++)
		if (wd_text_equal(option->section, table) && !option->pending)
			return false;
	return true;
}

char *wd_section_title(const struct wd_section *section)
{
	return section->name ? wd_format("%s %s", section->kind, section->name) : wd_copy(section->kind);
}

struct wd_config *wd_config_new(void)
{
	struct wd_config *config = wd_alloc(1, sizeof(*config));
	config->environment.kind = wd_copy("defaults");
	config->command.kind = wd_copy("defaults");
	return config;
}

static void section_done(struct wd_section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		free(section->entries[i].value);
		free(section->entries[i].origin);
	}
	free(section->entries);
	free(section->kind);
	free(section->name);
	free(section->origin);
}

struct wd_config *wd_config_free(struct wd_config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->count; i++)
		section_done(&config->sections[i]);
	section_done(&config->environment);
	section_done(&config->command);
	free(config->sections);
	free(config->file);
	wd_list_done(&config->files);
	free(config);
	return NULL;
}

struct wd_section *wd_config_section(const struct wd_config *config, const char *kind, const char *name)
{
	for (size_t i = 0; i < config->count; i++) {
		struct wd_section *section = &config->sections[i];
		if (strcmp(section->kind, kind) == 0 && wd_text_equal(section->name, name))
			return section;
	}
	return NULL;
}

struct wd_section *wd_config_open(struct wd_config *config, const char *kind, const char *name, const char *origin)
{
	struct wd_section *section = wd_config_section(config, kind, name);
	if (section)
		return section;
	config->sections = wd_realloc(config->sections, config->count + 1, sizeof(*section));
	section = &config->sections[config->count++];
	*section = (struct wd_section){.kind = wd_copy(kind), .name = wd_copy(name), .origin = wd_copy(origin)};
	return section;
}

const struct wd_entry *wd_section_get(const struct wd_section *section, const struct wd_option *option)
{
	for (size_t i = 0; section && i < section->count; i++)
		if (section->entries[i].option == option)
			return &section->entries[i];
	return NULL;
}

void wd_section_set(struct wd_section *section, const struct wd_option *option, const char *value, const char *origin)
{
	for (size_t i = 0; i < section->count; i++) {
		struct wd_entry *entry = &section->entries[i];
		if (entry->option == option) {
			wd_replace(&entry->value, value);
			wd_replace(&entry->origin, origin);
			return;
		}
	}
	section->entries = wd_realloc(section->entries, section->count + 1, sizeof(*section->entries));
	section->entries[section->count++] =
		(struct wd_entry){.option = option, .value = wd_copy(value), .origin = wd_copy(origin)};
}

static void warn_pending(const struct wd_section *section, const struct wd_option *option, const char *value,
			 const char *origin, struct wd_findings *findings)
{
	const char *rung = wd_option_pending_rung(option, value);
	if (option->pending && !wd_section_pending(section->kind))
		wd_findings_add(findings, true, "%s: %s has no effect in this version of seadog", origin, option->key);
	else if (rung)
		wd_findings_add(findings, true,
				"%s: %s: %s has no effect in this version of seadog, the rung is skipped", origin,
				option->key, rung);
}

void wd_config_put(struct wd_section *section, const struct wd_option *option, const char *value, const char *origin,
		   struct wd_findings *findings)
{
	struct wd_error error;
	if (wd_option_check(option, value, &error)) {
		wd_section_set(section, option, value, origin);
		warn_pending(section, option, value, origin, findings);
		return;
	}
	section->faulty++;
	section->hides |= strcmp(option->key, "control") == 0 || strcmp(option->key, "state_dir") == 0;
	WD_AUTO_TEXT struct wd_text shown = {0};
	if (!option->kind->secret) {
		wd_text_add(&shown, " = ");
		wd_text_escape(&shown, value, strlen(value), 120);
	}
	wd_findings_add(findings, false, "%s: %s%s: %s", origin, option->key, wd_text_get(&shown), error.text);
}
