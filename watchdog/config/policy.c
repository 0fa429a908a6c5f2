#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

struct wd_policy *wd_policy_free(struct wd_policy *policy)
{
	if (!policy)
		return NULL;
	for (unsigned trigger = 0; trigger < WD_TRIGGERS; trigger++)
		wd_ladder_done(&policy->ladders[trigger]);
	free(policy->rollback_to);
	wd_list_done(&policy->snapshot_binds);
	free(policy->snapshot_before);
	free(policy->name);
	free(policy->values);
	free(policy);
	return NULL;
}

bool wd_codes_has(const struct wd_codes *codes, int code)
{
	return code >= 0 && code <= 255 && (codes->bits[code / 64] >> (code % 64) & 1) != 0;
}

const char *wd_resource_name(enum wd_resource resource)
{
	static const char *const names[WD_RESOURCES] = {"memory", "cpu", "io"};
	return resource < WD_RESOURCES ? names[resource] : NULL;
}

bool wd_action_changes(enum wd_action action)
{
	return action != WD_ACTION_NOTIFY && action != WD_ACTION_HOOK;
}

bool wd_ladder_acts(const struct wd_ladder *ladder)
{
	for (unsigned i = 0; i < ladder->count; i++)
		if (wd_action_changes(ladder->rungs[i].action))
			return true;
	return false;
}

/* [container NAME] goes by the service's identity, which survives a new name, or by the container's name. */
static const struct wd_section *section_of(const struct wd_config *config, const struct wd_container *container)
{
	const struct wd_section *section = NULL;
	if (container->service)
		section = wd_config_section(config, "container", container->service);
	if (!section && container->name)
		section = wd_config_section(config, "container", container->name);
	return section;
}

static const struct wd_section *policy_of(const struct wd_config *config, const struct wd_container *container)
{
	const struct wd_option *match = wd_option_find("policy", "match");
	const char *name = wd_container_label(container, WD_LABEL_PREFIX "policy");
	const struct wd_section *picked = name ? wd_config_section(config, "policy", name) : NULL;
	for (size_t i = 0; !picked && i < config->count; i++) {
		const struct wd_section *section = &config->sections[i];
		const struct wd_entry *entry =
			strcmp(section->kind, "policy") == 0 ? wd_section_get(section, match) : NULL;
		if (entry && wd_match_holds(entry->value, container))
			picked = section;
	}
	return picked;
}

struct wd_scope wd_scope_of(const struct wd_config *config, const struct wd_container *container)
{
	return (struct wd_scope){
		.config = config,
		.section = section_of(config, container),
		.policy = policy_of(config, container),
		.container = container,
	};
}

struct wd_found wd_scope_find(const struct wd_scope *scope, const struct wd_option *option)
{
	const struct wd_config *config = scope->config;
	const struct wd_entry *entry = wd_section_get(&config->command, option);
	if (!entry)
		entry = wd_section_get(&config->environment, option);
	const char *label = !entry && scope->container ? wd_label_value(scope->container, option) : NULL;
	if (label)
		return (struct wd_found){.value = label};
	if (!entry)
		entry = wd_section_get(scope->section, option);
	if (!entry)
		entry = wd_section_get(scope->policy, option);
	if (!entry)
		entry = wd_section_get(wd_config_section(config, "defaults", NULL), option);
	if (entry)
		return (struct wd_found){.value = entry->value, .origin = entry->origin};
	return (struct wd_found){.value = option->fallback, .origin = "built in", .built_in = true};
}

/* With its length, so that no two lists of values are one text. */
static void add_value(struct wd_text *values, const char *value)
{
	if (value)
		wd_text_print(values, "%zu:%s,", strlen(value), value);
	else
		wd_text_add(values, "-,");
}

struct wd_policy *wd_scope_policy(const struct wd_scope *scope)
{
	struct wd_policy *policy = wd_alloc(1, sizeof(*policy));
	struct wd_text values = {0};
	policy->name = scope->policy ? wd_copy(scope->policy->name) : NULL;
	add_value(&values, policy->name);
	for (const struct wd_option *option = wd_options; option->key; option++) {
		if (!option->place || strcmp(option->section, "policy") != 0)
			continue;
		const char *value = wd_scope_find(scope, option).value;
		if (value)
			wd_option_store(option, value, policy);
		add_value(&values, value);
	}
	policy->values = wd_text_take(&values);
	return policy;
}
