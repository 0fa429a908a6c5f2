/* A walk over the table: each row has a sound default, can be set, shows in the listing, and works as a label or is
 * refused as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <watchdog/memory.h>

#include "../../watchdog/config/config.h"
#include "../support/files.h"

/* For each kind of value one that is not the default of any row. */
static const struct {
	const struct wd_kind *kind;
	const char *value;
} samples[] = {
	{&wd_kind_span, "1h"},
	{&wd_kind_tilt, "3s, wait 20s"},
	{&wd_kind_number, "5"},
	{&wd_kind_flag, "yes"},
	{&wd_kind_path, "/srv/some/where"},
	{&wd_kind_paths, "/srv/one, /srv/two"},
	{&wd_kind_host, "tcp://engine:2376"},
	{&wd_kind_listen, "unix:///run/http.sock"},
	{&wd_kind_url, "https://example.org/hook?x=1;y=2"},
	{&wd_kind_command, "/bin/echo 'a b'"},
	{&wd_kind_text, "ann"},
	{&wd_kind_image, "ghcr.io/acme/web:1.4.2"},
	{&wd_kind_globs, "db-*, proxy"},
	{&wd_kind_names, "root-user, no-limit"},
	{&wd_kind_moments, "opened, warning"},
	{&wd_kind_reserve, "20GiB"},
	{&wd_kind_rate, "3/10m"},
	{&wd_kind_rates, "4/45s, 9/30m"},
	{&wd_kind_codes, "1, 128-159"},
	{&wd_kind_level, "80% for 2m"},
	{&wd_kind_pressure, "memory 40% for 30s, io 60% for 1m"},
	{&wd_kind_ladder, "restart, pause"},
	{&wd_kind_hook, "hook:dump"},
	{&wd_kind_mass, "9, within 20s; wait 2m"},
	{&wd_kind_schedule, "*/15 0-6 * jan,feb mon"},
	{&wd_kind_match, "name:web-*+project:shop, label:tier=front"},
};

static const char *sample_of(const struct wd_option *option)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (samples[i].kind == option->kind)
			return samples[i].value;
	for (size_t i = 0; option->words[i]; i++)
		if (!wd_text_equal(option->words[i], option->fallback))
			return option->words[i];
	fail_msg("no sample for %s", option->key);
	return NULL;
}

/* A file in which the key can stand without a fault: its section, and what it needs beside it. */
static char *file_with(const struct wd_option *option)
{
	const char *value = sample_of(option);
	const char *hook = "[hook dump]\ncommand = /bin/true\n";
	const char *key = option->key;
	if (strcmp(key, "tls_cert") == 0 || strcmp(key, "tls_key") == 0)
		return wd_format("[engine]\n%s = %s\n%s = /k\n", key, value, key[4] == 'c' ? "tls_key" : "tls_cert");
	if (strcmp(option->section, "policy") == 0)
		return wd_format("[policy web]\n%s = %s\n%s", key, value, hook);
	if (strcmp(key, "timeout") == 0 && strcmp(option->section, "hook") == 0)
		return wd_format("[hook dump]\ntimeout = %s\ncommand = /bin/true\n", value);
	if (strcmp(option->section, "hook") == 0)
		return wd_format("[hook dump]\n%s = %s\n", key, value);
	if (strcmp(option->section, "notify") != 0)
		return wd_format("[%s]\n%s = %s\n", option->section, key, value);
	if (strcmp(key, "type") == 0)
		return wd_copy("[notify me]\ntype = webhook\nurl = http://x\n");
	if (strcmp(key, "url") == 0 || strcmp(key, "url_file") == 0)
		return wd_format("[notify me]\n%s = %s\ntype = discord\n", key, value);
	if (strcmp(key, "chat") == 0)
		return wd_format("[notify me]\n%s = %s\ntype = telegram\ntoken_file = /t\n", key, value);
	if (strcmp(key, "from") == 0 || strcmp(key, "to") == 0)
		return wd_format("[notify me]\n%s = %s\ntype = email\nurl = smtp://x\n%s = ann\n", key, value,
				 key[0] == 'f' ? "to" : "from");
	return wd_format("[notify me]\n%s = %s\ntype = ntfy\nurl = http://x\n", key, value);
}

static struct wd_settings *load(const char *text, struct wd_findings *findings)
{
	write_file("seadog.conf", text);
	struct wd_sources sources = {.file = "seadog.conf"};
	return wd_settings_load(&sources, findings);
}

struct wanted {
	const char *key, *value, *origin;
	unsigned found;
};

static void look(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	struct wanted *wanted = data;
	(void)section;
	if (strcmp(key, wanted->key) == 0 && strcmp(value, wanted->value) == 0 && strcmp(origin, wanted->origin) == 0)
		wanted->found++;
}

static void each_default_is_sound_and_fits_its_place(void **state)
{
	(void)state;
	for (const struct wd_option *option = wd_options; option->key; option++) {
		struct wd_error error = {.text = ""};
		if (option->fallback && !wd_option_check(option, option->fallback, &error))
			fail_msg("%s = %s: %s", option->key, option->fallback, error.text);
		assert_true(option->kind->size <= WD_VALUE_MAX);
		if (option->place && option->room != option->kind->size)
			fail_msg("%s: %zu bytes of value for %zu bytes of room", option->key, option->kind->size,
				 option->room);
		assert_true(option->help[strlen(option->help) - 1] == '.');
		assert_true(option->place || option->pending || option->kind == &wd_kind_match ||
			    strcmp(option->section, "hook") == 0) /* wd_settings_hook() */;
		assert_ptr_equal(wd_option_find(option->section, option->key), option);
	}
}

static void each_key_can_be_set_and_shows_with_its_value_and_origin(void **state)
{
	(void)state;
	for (const struct wd_option *option = wd_options; option->key; option++) {
		struct wd_findings findings = {0};
		WD_AUTO_FREE char *text = file_with(option);
		struct wd_settings *settings = load(text, &findings);
		if (!settings)
			fail_msg("%s: %s", option->key, findings.items[0].text);
		struct wanted wanted = {
			.key = option->key,
			.value = strcmp(option->key, "type") == 0 ? "webhook" : sample_of(option),
			.origin = option->pending ? "seadog.conf:2 (no effect in this version)" : "seadog.conf:2",
		};
		wd_settings_each(settings, NULL, look, &wanted);
		if (wanted.found != 1)
			fail_msg("%s does not show", option->key);
		wd_settings_free(settings);
		wd_findings_done(&findings);
	}
}

static void each_key_without_effect_is_said_to_have_none(void **state)
{
	(void)state;
	for (const struct wd_option *option = wd_options; option->key; option++) {
		struct wd_findings findings = {0};
		WD_AUTO_FREE char *text = file_with(option);
		wd_settings_free(load(text, &findings));
		bool said = false;
		for (size_t i = 0; i < findings.count; i++)
			said = said || (wd_text_starts(findings.items[i].text, "seadog.conf:1: [") ||
					wd_text_starts(findings.items[i].text, "seadog.conf:2: "));
		bool said_so = said && strstr(findings.items[0].text, "has no effect in this version") != NULL;
		if (said_so != option->pending)
			fail_msg("%s: %s", option->key, findings.count ? findings.items[0].text : "nothing is said");
		wd_findings_done(&findings);
	}
}

static void each_policy_key_works_as_a_label_or_is_refused_as_one(void **state)
{
	(void)state;
	struct wd_findings none = {0};
	struct wd_settings *settings = load("[hook dump]\ncommand = /bin/true\n", &none);
	wd_findings_done(&none);
	for (const struct wd_option *option = wd_options; option->key; option++) {
		if (strcmp(option->section, "policy") != 0)
			continue;
		WD_AUTO_FREE char *key = wd_format("seadog.%s", option->key);
		WD_AUTO_FREE char *value = wd_copy(sample_of(option));
		WD_AUTO_FREE char *origin =
			wd_format("label %s%s", key, option->pending ? " (no effect in this version)" : "");
		struct wd_label label = {.key = key, .value = value};
		struct wd_container container = {.name = (char[]){"web"}, .labels = &label, .label_count = 1};
		struct wanted wanted = {.key = option->key, .value = value, .origin = origin};
		struct wd_findings findings = {0};
		wd_policy_free(wd_settings_policy(settings, &container, &findings));
		wd_settings_each(settings, &container, look, &wanted);
		if (wanted.found != (option->no_label ? 0 : 1))
			fail_msg("%s as a label: %u times", option->key, wanted.found);
		if (option->no_label && findings.count != 1)
			fail_msg("%s as a label is ignored in silence", option->key);
		wd_findings_done(&findings);
	}
	wd_settings_free(settings);
}

static void the_table_is_open_to_those_who_write_manuals(void **state)
{
	(void)state;
	assert_true(wd_option_count() > 70);
	struct wd_option_help help = wd_option_at(0);
	assert_string_equal(help.section, "engine");
	assert_string_equal(help.key, "host");
	assert_null(help.fallback);
	assert_false(help.label);
	unsigned labels = 0;
	for (size_t i = 0; i < wd_option_count(); i++) {
		help = wd_option_at(i);
		labels += help.label;
		if (strcmp(help.key, "restarts") == 0) {
			assert_string_equal(help.type, "rates");
			assert_string_equal(help.fallback, "5/60s");
			assert_true(help.label);
		}
		if (strcmp(help.key, "snapshot_binds") == 0)
			assert_false(help.label);
	}
	assert_true(labels > 30);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(each_default_is_sound_and_fits_its_place),
		STORY(each_key_can_be_set_and_shows_with_its_value_and_origin),
		STORY(each_key_without_effect_is_said_to_have_none),
		STORY(each_policy_key_works_as_a_label_or_is_refused_as_one),
		STORY(the_table_is_open_to_those_who_write_manuals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
