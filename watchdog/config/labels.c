/* Labels: seadog.enable, seadog.policy, and any policy key but hooks and paths. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

static bool has_hook(const struct wd_option *option, const char *text)
{
	struct wd_list hooks = {0};
	wd_option_hooks(option, text, &hooks);
	bool any = hooks.count > 0;
	wd_list_done(&hooks);
	return any;
}

const char *wd_label_value(const struct wd_container *container, const struct wd_option *option)
{
	if (option->no_label || strcmp(option->section, "policy") != 0)
		return NULL;
	WD_AUTO_FREE char *key = wd_format(WD_LABEL_PREFIX "%s", option->key);
	const char *value = wd_container_label(container, key);
	return value && wd_option_check(option, value, NULL) && !has_hook(option, value) ? value : NULL;
}

static bool flag_of(const char *text, bool *ret_flag)
{
	static const struct wd_option row = {.kind = &wd_kind_flag};
	return wd_kind_flag.parse(&row, text, ret_flag, NULL);
}

bool wd_labels_enabled(const struct wd_container *container, bool fallback)
{
	const char *value = wd_container_label(container, WD_LABEL_PREFIX "enable");
	bool enabled = fallback;
	if (value)
		flag_of(value, &enabled);
	return enabled;
}

static void warn(const struct wd_container *container, const struct wd_label *label, struct wd_findings *findings,
		 const char *what)
{
	WD_AUTO_TEXT struct wd_text key = {0}, text = {0};
	wd_text_escape(&key, label->key, strlen(label->key), 100);
	wd_text_escape(&text, what, strlen(what), 400);
	wd_findings_add(findings, true, "%s: label %s %s", container->name ? container->name : container->id,
			wd_text_get(&key), wd_text_get(&text));
}

static void warn_unknown(const struct wd_container *container, const struct wd_label *label,
			 struct wd_findings *findings)
{
	const char *words[128] = {"enable", "policy"};
	size_t count = 2;
	for (const struct wd_option *option = wd_options; option->key; option++)
		if (strcmp(option->section, "policy") == 0 && !option->no_label)
			words[count++] = option->key;
	const char *nearest = wd_text_nearest(label->key + strlen(WD_LABEL_PREFIX), words, count);
	WD_AUTO_FREE char *what =
		nearest ? wd_format("is unknown, did you mean " WD_LABEL_PREFIX "%s?", nearest) : wd_copy("is unknown");
	warn(container, label, findings, what);
}

static void check_value(const struct wd_container *container, const struct wd_label *label,
			const struct wd_option *option, struct wd_findings *findings)
{
	struct wd_error error;
	WD_AUTO_FREE char *what = NULL;
	const char *rung;
	if (option->no_label)
		what = wd_format("is not obeyed: labels name no commands and no paths, put %s into [container NAME]",
				 option->key);
	else if (!wd_option_check(option, label->value, &error))
		what = wd_format("= %s is not obeyed: %s", label->value, error.text);
	else if (has_hook(option, label->value))
		what = wd_format("= %s is not obeyed: labels name no hooks, put %s into [container NAME]", label->value,
				 option->key);
	else if (option->pending)
		what = wd_copy("has no effect in this version of seadog");
	else if ((rung = wd_option_pending_rung(option, label->value)))
		what = wd_format("= %s: %s has no effect in this version of seadog, the rung is skipped", label->value,
				 rung);
	if (what)
		warn(container, label, findings, what);
}

static void check_label(const struct wd_config *config, const struct wd_container *container,
			const struct wd_label *label, struct wd_findings *findings)
{
	const char *key = label->key + strlen(WD_LABEL_PREFIX);
	const struct wd_option *option = wd_option_find("policy", key);
	bool flag;
	if (strcmp(key, "enable") == 0) {
		if (!flag_of(label->value, &flag))
			warn(container, label, findings, "is not obeyed: must be true or false");
	} else if (strcmp(key, "policy") == 0) {
		WD_AUTO_FREE char *what = wd_format("is not obeyed: there is no [policy %s]", label->value);
		if (!wd_config_section(config, "policy", label->value))
			warn(container, label, findings, what);
	} else if (!option || option->kind == &wd_kind_match) {
		warn_unknown(container, label, findings);
	} else {
		check_value(container, label, option, findings);
	}
}

void wd_labels_check(const struct wd_config *config, const struct wd_container *container, struct wd_findings *findings)
{
	for (unsigned i = 0; i < container->label_count; i++)
		if (wd_text_starts(container->labels[i].key, WD_LABEL_PREFIX))
			check_label(config, container, &container->labels[i], findings);
}
