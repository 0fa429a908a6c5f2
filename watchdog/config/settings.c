#include "config.h"

#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define NO_EFFECT " (no effect in this version)"

static const struct wd_entry *entry_of(const struct wd_config *config, const struct wd_option *option)
{
	return wd_section_get(wd_config_section(config, option->section, NULL), option);
}

static bool is_setting(const struct wd_option *option)
{
	return strcmp(option->section, "policy") != 0 && !wd_section_named(option->section);
}

static void fill(struct wd_settings *settings)
{
	for (const struct wd_option *option = wd_options; option->key; option++) {
		if (!is_setting(option) || !option->place)
			continue;
		const struct wd_entry *entry = entry_of(settings->config, option);
		const char *value = entry ? entry->value : option->fallback;
		if (value)
			wd_option_store(option, value, settings);
	}
}

/* Whether no fault can be about where the watchdog listens and what it remembers: each stands in a section whose header was
 * understood, or is about how sound lines fit together; and in [seadog] it is about another key that is known. An unknown
 * variable, a header or a file that cannot be read may have meant them. */
static bool spares_places(const struct wd_config *config, size_t faults, size_t across)
{
	size_t placed = across + config->environment.faulty + config->command.faulty;
	for (size_t i = 0; i < config->count; i++) {
		const struct wd_section *section = &config->sections[i];
		if (strcmp(section->kind, "seadog") == 0 && section->hides)
			return false;
		placed += section->faulty;
	}
	return faults == placed;
}

/* With `asking` what is faulty may be missing, as long as the places are known. */
static struct wd_settings *load(const struct wd_sources *sources, struct wd_findings *findings, bool asking)
{
	struct wd_settings *settings = wd_alloc(1, sizeof(*settings));
	struct wd_findings found = {0};
	settings->config = wd_config_new();
	wd_config_read_files(settings->config, sources, &found);
	wd_config_read_environment(settings->config, sources->environment, &found);
	wd_config_read_command(settings->config, &sources->set, &found);
	wd_config_default_places(settings->config, sources->environment, geteuid() == 0);
	size_t in_lines = found.faults;
	wd_config_crosscheck(settings->config, &found);
	if (found.faults == 0)
		wd_config_reach(settings->config, &found);
	fill(settings);
	wd_findings_order(&found, &settings->config->files);
	bool sound =
		found.faults == 0 || (asking && spares_places(settings->config, found.faults, found.faults - in_lines));
	for (size_t i = 0; i < found.count; i++)
		wd_findings_add(findings, found.items[i].warning, "%s", found.items[i].text);
	wd_findings_done(&found);
	return sound ? settings : wd_settings_free(settings);
}

struct wd_settings *wd_settings_load(const struct wd_sources *sources, struct wd_findings *findings)
{
	return load(sources, findings, false);
}

struct wd_settings *wd_settings_load_places(const struct wd_sources *sources, struct wd_findings *findings)
{
	return load(sources, findings, true);
}

struct wd_settings *wd_settings_free(struct wd_settings *settings)
{
	if (!settings)
		return NULL;
	for (const struct wd_option *option = wd_options; option->key; option++)
		if (is_setting(option) && option->place && option->kind->done)
			option->kind->done((char *)settings + option->place - 1);
	wd_config_free(settings->config);
	free(settings);
	return NULL;
}

struct wd_policy *wd_settings_policy(const struct wd_settings *settings, const struct wd_container *container,
				     struct wd_findings *findings)
{
	struct wd_scope scope = wd_scope_of(settings->config, container);
	struct wd_policy *policy = wd_scope_policy(&scope);
	WD_AUTO_FREE char *values = policy->values;
	policy->watched = wd_labels_enabled(container, !settings->watch_labelled);
	policy->values = wd_format("%s,%s", policy->watched ? "watched" : "left alone", values);
	if (findings) {
		wd_labels_check(settings->config, container, findings);
		wd_labels_reach(&scope, findings);
	}
	return policy;
}

bool wd_settings_hook(const struct wd_settings *settings, const char *name, struct wd_list *ret_command,
		      wd_time *ret_timeout)
{
	const struct wd_section *section = wd_config_section(settings->config, "hook", name);
	const struct wd_option *timeout = wd_option_find("hook", "timeout");
	const struct wd_entry *command = section ? wd_section_get(section, wd_option_find("hook", "command")) : NULL;
	const struct wd_entry *limit = section ? wd_section_get(section, timeout) : NULL;

	if (!command || !wd_words_split(command->value, ret_command, NULL))
		return false;
	wd_span_parse(limit ? limit->value : timeout->fallback, ret_timeout, NULL);
	return true;
}

char *wd_settings_snapshots(const struct wd_settings *settings)
{
	return settings->snapshot_dir ? wd_copy(settings->snapshot_dir)
				      : wd_format("%s/snapshots", settings->state_dir);
}

const char *wd_settings_file(const struct wd_settings *settings)
{
	return settings->config->file;
}

struct listing {
	wd_value_callback *callback;
	void *data;
};

static void list_value(const struct listing *listing, const char *section, const struct wd_option *option,
		       const char *value, const char *origin)
{
	WD_AUTO_FREE char *whole = wd_format("%s%s", origin, option->pending ? NO_EFFECT : "");
	listing->callback(listing->data, section, option->key, value, whole);
}

static void list_settings(const struct listing *listing, const struct wd_config *config)
{
	for (const struct wd_option *option = wd_options; option->key; option++) {
		if (!is_setting(option))
			continue;
		const struct wd_entry *entry = entry_of(config, option);
		if (entry)
			list_value(listing, option->section, option, entry->value, entry->origin);
		else if (option->fallback && !option->pending)
			list_value(listing, option->section, option, option->fallback, "built in");
	}
}

/* Policy keys as they hold in a scope. What has no effect is only listed where somebody set it. */
static void list_scope(const struct listing *listing, const char *title, const struct wd_scope *scope)
{
	for (const struct wd_option *option = wd_options; option->key; option++) {
		if (strcmp(option->section, "policy") != 0 || option->kind == &wd_kind_match)
			continue;
		struct wd_found found = wd_scope_find(scope, option);
		if (!found.value || (found.built_in && option->pending))
			continue;
		WD_AUTO_FREE char *label = wd_format("label " WD_LABEL_PREFIX "%s", option->key);
		list_value(listing, title, option, found.value, found.origin ? found.origin : label);
	}
}

/* What a section says, unless the environment or the command line says something nearer. */
static void list_named(const struct listing *listing, const struct wd_config *config, const struct wd_section *section)
{
	WD_AUTO_FREE char *title = wd_section_title(section);
	for (const struct wd_option *option = wd_options; option->key; option++) {
		if (!wd_section_get(section, option))
			continue;
		struct wd_found found = wd_scope_find(&(struct wd_scope){.config = config, .section = section}, option);
		list_value(listing, title, option, found.value, found.origin);
	}
}

void wd_settings_each(const struct wd_settings *settings, const struct wd_container *container,
		      wd_value_callback *callback, void *data)
{
	const struct wd_config *config = settings->config;
	struct listing listing = {.callback = callback, .data = data};
	if (container) {
		struct wd_scope scope = wd_scope_of(config, container);
		WD_AUTO_FREE char *title = wd_format("container %s", container->name ? container->name : container->id);
		list_scope(&listing, title, &scope);
		return;
	}
	list_settings(&listing, config);
	list_scope(&listing, "defaults", &(struct wd_scope){.config = config});
	for (size_t i = 0; i < config->count; i++)
		if (config->sections[i].name)
			list_named(&listing, config, &config->sections[i]);
}
