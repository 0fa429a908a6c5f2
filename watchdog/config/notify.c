/* What a [notify NAME] of each type needs, and which keys it knows. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

static const struct {
	const char *type, *needs, *knows; /* type and when are known to all; "url" stands for url_file too */
} types[] = {
	{"webhook", "url", "url, token_file, user, password_file"},
	{"ntfy", "url", "url, token_file, user, password_file, topic, priority"},
	{"gotify", "url, token_file", "url, token_file, priority"},
	{"discord", "url", "url"},
	{"slack", "url", "url"},
	{"telegram", "token_file, chat", "url, token_file, chat"},
	{"email", "url, from, to", "url, user, password_file, from, to"},
	{"apprise", "url", "url, token_file, user, password_file"},
	{"healthchecks", "url", "url"},
};

static bool names(const char *list, const char *key)
{
	struct wd_list keys = {0};
	wd_list_split(&keys, list, ',');
	bool has = wd_list_has(&keys, key);
	wd_list_done(&keys);
	return has;
}

static const struct wd_entry *entry_of(const struct wd_section *section, const char *key)
{
	return wd_section_get(section, wd_option_find("notify", key));
}

static bool is_given(const struct wd_section *section, const char *key)
{
	return entry_of(section, key) || (strcmp(key, "url") == 0 && entry_of(section, "url_file"));
}

static void check_known(const struct wd_section *section, size_t type, struct wd_findings *findings)
{
	for (size_t i = 0; i < section->count; i++) {
		const char *key = section->entries[i].option->key;
		const char *plain = strcmp(key, "url_file") == 0 ? "url" : key;
		if (strcmp(key, "type") != 0 && strcmp(key, "when") != 0 && !names(types[type].knows, plain))
			wd_findings_add(findings, false, "%s: %s: %s does not know it, only %s and when",
					section->entries[i].origin, key, types[type].type, types[type].knows);
	}
}

static void check_needed(const struct wd_section *section, size_t type, struct wd_findings *findings)
{
	struct wd_list needs = {0};
	wd_list_split(&needs, types[type].needs, ',');
	for (size_t i = 0; i < needs.count; i++)
		if (!is_given(section, needs.items[i]))
			wd_findings_add(findings, false, "%s: [notify %s]: %s needs %s", section->origin, section->name,
					types[type].type, needs.items[i]);
	wd_list_done(&needs);
}

void wd_notify_check(const struct wd_section *section, struct wd_findings *findings)
{
	const struct wd_entry *entry = entry_of(section, "type");
	const struct wd_entry *file = entry_of(section, "url_file");
	size_t type = 0;
	if (!entry && section->faulty)
		return;
	if (!entry) {
		wd_findings_add(findings, false, "%s: [notify %s]: the type is missing, such as type = ntfy",
				section->origin, section->name);
		return;
	}
	while (strcmp(types[type].type, entry->value) != 0)
		type++;
	check_known(section, type, findings);
	if (!section->faulty)
		check_needed(section, type, findings);
	if (file && entry_of(section, "url"))
		wd_findings_add(findings, false, "%s: url_file: url is set too, keep one of them", file->origin);
}
