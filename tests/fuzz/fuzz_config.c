/* Whatever a file holds: no crash, no value taken that its own check refuses, and the same file says the same twice. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../watchdog/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_section(const struct wd_section *section)
{
	for (size_t i = 0; i < section->count; i++)
		assert(wd_option_check(section->entries[i].option, section->entries[i].value, NULL));
}

static struct wd_config *read(const uint8_t *data, size_t size, struct wd_findings *findings)
{
	struct wd_config *config = wd_config_new();
	wd_config_read(config, "fuzz.conf", (const char *)data, size, findings);
	wd_config_crosscheck(config, findings);
	wd_config_reach(config, findings);
	return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wd_findings first = {0}, second = {0};
	struct wd_config *config = read(data, size, &first);
	struct wd_container container = {.name = (char[]){"web"}, .service = (char[]){"shop/web/1"}};
	struct wd_scope scope = wd_scope_of(config, &container);
	for (size_t i = 0; i < config->count; i++)
		check_section(&config->sections[i]);
	wd_policy_free(wd_scope_policy(&scope));
	wd_config_free(config);

	wd_config_free(read(data, size, &second));
	assert(first.count == second.count && first.faults == second.faults);
	for (size_t i = 0; i < first.count; i++)
		assert(strcmp(first.items[i].text, second.items[i].text) == 0);
	wd_findings_done(&first);
	wd_findings_done(&second);
	return 0;
}
