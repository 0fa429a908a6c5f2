/* What only shows when everything is read. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

static const char *nearest_hook(const struct wd_config *config, const char *name)
{
	struct wd_list known = {0};
	for (size_t i = 0; i < config->count; i++)
		if (strcmp(config->sections[i].kind, "hook") == 0)
			wd_list_add(&known, config->sections[i].name);
	const char *nearest = wd_text_nearest(name, (const char *const *)known.items, known.count);
	const struct wd_section *section = nearest ? wd_config_section(config, "hook", nearest) : NULL;
	wd_list_done(&known);
	return section ? section->name : NULL;
}

static void check_hook(const struct wd_config *config, const struct wd_entry *entry, const char *name,
		       struct wd_findings *findings)
{
	if (wd_config_section(config, "hook", name))
		return;
	const char *nearest = nearest_hook(config, name);
	if (nearest)
		wd_findings_add(findings, false, "%s: %s = %s: there is no [hook %s], did you mean hook:%s?",
				entry->origin, entry->option->key, entry->value, name, nearest);
	else
		wd_findings_add(findings, false, "%s: %s = %s: there is no [hook %s], define it with its command",
				entry->origin, entry->option->key, entry->value, name);
}

static void check_hooks(const struct wd_config *config, const struct wd_section *section, struct wd_findings *findings)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct wd_entry *entry = &section->entries[i];
		struct wd_list hooks = {0};
		wd_option_hooks(entry->option, entry->value, &hooks);
		for (size_t j = 0; j < hooks.count; j++)
			check_hook(config, entry, hooks.items[j], findings);
		wd_list_done(&hooks);
	}
}

static void check_section(const struct wd_config *config, const struct wd_section *section,
			  struct wd_findings *findings)
{
	if (strcmp(section->kind, "notify") == 0)
		wd_notify_check(section, findings);
	if (strcmp(section->kind, "hook") == 0 && !section->faulty &&
	    !wd_section_get(section, wd_option_find("hook", "command")))
		wd_findings_add(findings, false, "%s: [hook %s]: the command is missing", section->origin,
				section->name);
	check_hooks(config, section, findings);
}

/* A client's certificate and its key only work together. */
static void check_tls(const struct wd_config *config, struct wd_findings *findings)
{
	const struct wd_section *engine = wd_config_section(config, "engine", NULL);
	const struct wd_entry *cert = wd_section_get(engine, wd_option_find("engine", "tls_cert"));
	const struct wd_entry *key = wd_section_get(engine, wd_option_find("engine", "tls_key"));
	if (!cert != !key)
		wd_findings_add(findings, false, "%s: %s: needs %s beside it", (cert ? cert : key)->origin,
				(cert ? cert : key)->option->key, cert ? "tls_key" : "tls_cert");
}

void wd_config_crosscheck(const struct wd_config *config, struct wd_findings *findings)
{
	check_tls(config, findings);
	for (size_t i = 0; i < config->count; i++)
		check_section(config, &config->sections[i], findings);
	check_hooks(config, &config->environment, findings);
	check_hooks(config, &config->command, findings);
}
