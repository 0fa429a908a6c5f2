/* Whatever labels a container was given, one "key=value" a line: no crash, no hook by a label, and nothing of seadog's
 * that is neither obeyed nor warned about. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <watchdog/memory.h>

#include "../../watchdog/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "[defaults]\nrestarts = 4/60s\n"
			   "[policy web]\nmatch = name:web-*, label:tier=front+label:zone=*\non_exit = restart, stop\n"
			   "[hook page]\ncommand = /bin/true\n";

static void add_label(struct wd_container *container, const char *line, size_t length)
{
	const char *equals = memchr(line, '=', length);
	if (!equals || memchr(line, '\0', length) || container->label_count == 64)
		return;
	container->labels[container->label_count++] = (struct wd_label){
		.key = wd_copy_part(line, (size_t)(equals - line)),
		.value = wd_copy_part(equals + 1, length - (size_t)(equals - line) - 1),
	};
}

static struct wd_container *make_container(const char *lines, size_t left)
{
	struct wd_container *container = wd_alloc(1, sizeof(*container));
	container->name = wd_copy("db");
	container->service = wd_copy("shop/db/1");
	container->labels = wd_alloc(64, sizeof(*container->labels));
	while (left > 0) {
		const char *end = memchr(lines, '\n', left);
		size_t length = end ? (size_t)(end - lines) : left;
		add_label(container, lines, length);
		lines += length + (end ? 1 : 0);
		left -= length + (end ? 1 : 0);
	}
	return container;
}

static void check_policy(const struct wd_policy *policy)
{
	for (unsigned trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		assert(policy->ladders[trigger].count > 0 && policy->ladders[trigger].count <= WD_RUNGS_MAX);
		for (unsigned i = 0; i < policy->ladders[trigger].count; i++)
			assert(policy->ladders[trigger].rungs[i].action != WD_ACTION_HOOK);
	}
	assert(policy->restarts.count <= WD_RATES_MAX && policy->verify > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wd_findings findings = {0};
	struct wd_config *config = wd_config_new();
	wd_config_read(config, "fuzz.conf", text, sizeof(text) - 1, NULL);
	struct wd_container *container = make_container((const char *)data, size);
	struct wd_scope scope = wd_scope_of(config, container);
	struct wd_policy *policy = wd_scope_policy(&scope);
	check_policy(policy);
	wd_labels_check(config, container, &findings);
	wd_labels_reach(&scope, &findings);
	assert(findings.faults == 0);
	wd_labels_enabled(container, true);
	wd_policy_free(policy);
	wd_container_free(container);
	wd_config_free(config);
	wd_findings_done(&findings);
	return 0;
}
