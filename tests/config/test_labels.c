/* Containers: which policy is theirs, and what their labels may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <watchdog/memory.h>

#include "../support/files.h"

static struct wd_settings *load(const char *text)
{
	struct wd_findings findings = {0};
	write_file("seadog.conf", text);
	struct wd_settings *settings = wd_settings_load(&(struct wd_sources){.file = "seadog.conf"}, &findings);
	for (size_t i = 0; i < findings.count; i++)
		if (!findings.items[i].warning)
			fail_msg("%s", findings.items[i].text);
	wd_findings_done(&findings);
	return settings;
}

/* A container with labels written as "key=value", ended by NULL. */
static struct wd_container *container(const char *name, const char *const *labels)
{
	struct wd_container *made = wd_alloc(1, sizeof(*made));
	made->name = wd_copy(name);
	made->service = wd_copy(name);
	made->labels = wd_alloc(16, sizeof(*made->labels));
	for (; labels && *labels; labels++) {
		const char *equals = strchr(*labels, '=');
		made->labels[made->label_count++] = (struct wd_label){
			.key = wd_copy_part(*labels, (size_t)(equals - *labels)),
			.value = wd_copy(equals + 1),
		};
	}
	return made;
}
#define LABELS(...)                                                                                                    \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}

static struct wd_policy *policy_of(const struct wd_settings *settings, struct wd_container *container_taken,
				   const char *expected)
{
	struct wd_findings findings = {0};
	struct wd_policy *policy = wd_settings_policy(settings, container_taken, &findings);
	assert_findings(&findings, expected);
	wd_container_free(container_taken);
	return policy;
}

static void assert_policy(const struct wd_settings *settings, struct wd_container *container_taken, const char *name)
{
	struct wd_policy *policy = policy_of(settings, container_taken, "");
	if (!wd_text_equal(policy->name, name))
		fail_msg("policy %s instead of %s", policy->name ? policy->name : "none", name ? name : "none");
	wd_policy_free(policy);
}

static void the_first_policy_that_matches_is_the_one(void **state)
{
	(void)state;
	struct wd_settings *settings =
		load("[policy a]\nmatch = name:web-*\n[policy b]\nmatch = name:web-1, name:db\n");
	assert_policy(settings, container("web-1", NULL), "a");
	assert_policy(settings, container("db", NULL), "b");
	assert_policy(settings, container("cache", NULL), NULL);
	assert_policy(settings, container("my-web-1", NULL), NULL);
	wd_settings_free(settings);
}

static void images_projects_and_labels_are_matched_and_a_plus_means_both(void **state)
{
	(void)state;
	struct wd_settings *settings = load("[policy image]\nmatch = image:ghcr.io/acme/*\n"
					    "[policy both]\nmatch = project:shop+label:tier=front\n"
					    "[policy tier]\nmatch = label:tier=*\n"
					    "[policy shop]\nmatch = project:sh?p\n");
	struct wd_container *web = container("web", NULL);
	web->image = wd_copy("ghcr.io/acme/web:1.5");
	assert_policy(settings, web, "image");
	struct wd_container *front = container("web", LABELS("tier=front"));
	front->project = wd_copy("shop");
	assert_policy(settings, front, "both");
	assert_policy(settings, container("web", LABELS("tier=front")), "tier");
	struct wd_container *back = container("web", NULL);
	back->project = wd_copy("shop");
	assert_policy(settings, back, "shop");
	assert_policy(settings, container("web", LABELS("tiers=front")), NULL);
	wd_settings_free(settings);
}

static void a_container_section_goes_by_identity_before_name(void **state)
{
	(void)state;
	struct wd_settings *settings = load(
		"[container web]\nverify = 10s\n[container shop/web/1]\nverify = 20s\n[container db]\nverify = 30s\n");
	struct wd_container *web = container("web", NULL);
	wd_replace(&web->service, "shop/web/1");
	struct wd_policy *policy = policy_of(settings, web, "");
	assert_int_equal(policy->verify, 20 * WD_SECOND);
	wd_policy_free(policy);
	struct wd_container *db = container("db", NULL);
	wd_replace(&db->service, "shop/db/1");
	policy = policy_of(settings, db, "");
	assert_int_equal(policy->verify, 30 * WD_SECOND);
	wd_policy_free(policy);
	wd_settings_free(settings);
}

static void a_label_picks_a_policy_that_is_there(void **state)
{
	(void)state;
	struct wd_settings *settings = load("[policy a]\nmatch = name:*\n[policy quiet]\nverify = 10s\n");
	assert_policy(settings, container("web", LABELS("seadog.policy=quiet")), "quiet");
	struct wd_policy *policy =
		policy_of(settings, container("web", LABELS("seadog.policy=loud")),
			  "warning: web: label seadog.policy is not obeyed: there is no [policy loud]\n");
	assert_string_equal(policy->name, "a");
	wd_policy_free(policy);
	wd_settings_free(settings);
}

static void a_label_is_nearer_than_any_section_and_replaces_lists_whole(void **state)
{
	(void)state;
	struct wd_settings *settings = load("[container web]\nrestarts = 5/60s, 9/1h\nignore_exit = 1, 2\n");
	struct wd_policy *policy = policy_of(
		settings,
		container("web", LABELS("seadog.restarts=3/30s", "seadog.ignore_exit=3",
					"seadog.on_restarts=restart, stop", "com.docker.compose.project=shop")),
		"");
	assert_int_equal(policy->restarts.count, 1);
	assert_int_equal(policy->restarts.items[0].count, 3);
	assert_int_equal(policy->restarts.items[0].window, 30 * WD_SECOND);
	assert_false(wd_codes_has(&policy->ignore_exit, 1));
	assert_true(wd_codes_has(&policy->ignore_exit, 3));
	assert_int_equal(policy->ladders[WD_TRIGGER_RESTARTS].count, 2);
	assert_int_equal(policy->ladders[WD_TRIGGER_RESTARTS].rungs[0].action, WD_ACTION_RESTART);
	wd_policy_free(policy);
	wd_settings_free(settings);
}

static void labels_that_are_unknown_faulty_or_not_allowed_are_said_and_not_obeyed(void **state)
{
	(void)state;
	struct wd_settings *settings = load("[container web]\nverify = 10s\n[hook page]\ncommand = /bin/true\n");
	struct wd_policy *policy = policy_of(
		settings,
		container("web",
			  LABELS("seadog.restart=3/30s", "seadog.verify=soon", "seadog.on_restarts=hook:page, stop",
				 "seadog.snapshot_binds=/srv", "seadog.snapshot_before=hook:page",
				 "seadog.match=name:*", "seadog.enable=maybe", "seadog.audit_ignore=user",
				 "seadog.on_oom=restore, stop", "seadog.\x1b[2J=x")),
		"warning: web: label seadog.restart is unknown, did you mean seadog.restarts?\n"
		"warning: web: label seadog.verify = soon is not obeyed: \"soon\" is no duration, write it like 90s, "
		"5m or "
		"1h30m\n"
		"warning: web: label seadog.on_restarts = hook:page, stop is not obeyed: labels name no hooks, put "
		"on_restarts "
		"into [container NAME]\n"
		"warning: web: label seadog.snapshot_binds is not obeyed: labels name no commands and no paths, put "
		"snapshot_binds into [container NAME]\n"
		"warning: web: label seadog.snapshot_before is not obeyed: labels name no commands and no paths, put "
		"snapshot_before into [container NAME]\n"
		"warning: web: label seadog.match is unknown\n"
		"warning: web: label seadog.enable is not obeyed: must be true or false\n"
		"warning: web: label seadog.audit_ignore has no effect in this version of seadog\n"
		"warning: web: label seadog.on_oom = restore, stop: restore has no effect in this version of seadog, "
		"the rung "
		"is skipped\n"
		"warning: web: label seadog.\\x1b[2J is unknown\n");
	assert_int_equal(policy->verify, 10 * WD_SECOND);
	assert_int_equal(policy->ladders[WD_TRIGGER_RESTARTS].count, 1);
	assert_int_equal(policy->ladders[WD_TRIGGER_RESTARTS].rungs[0].action, WD_ACTION_STOP);
	wd_policy_free(policy);
	wd_settings_free(settings);
}

static bool is_watched(const char *config, const char *label)
{
	struct wd_settings *settings = load(config);
	struct wd_container *web = container("web", label ? LABELS(label) : NULL);
	struct wd_policy *policy = wd_settings_policy(settings, web, NULL);
	bool watched = policy->watched;
	wd_policy_free(policy);
	wd_container_free(web);
	wd_settings_free(settings);
	return watched;
}

static void whether_a_container_is_watched_is_said_by_its_label_else_by_watch(void **state)
{
	(void)state;
	assert_true(is_watched("", NULL));
	assert_true(is_watched("", "seadog.enable=true"));
	assert_false(is_watched("", "seadog.enable=false"));
	assert_true(is_watched("", "seadog.enable=nonsense"));
	assert_false(is_watched("[seadog]\nwatch = labelled\n", NULL));
	assert_true(is_watched("[seadog]\nwatch = labelled\n", "seadog.enable=true"));
	assert_false(is_watched("[seadog]\nwatch = labelled\n", "seadog.enable=false"));
	assert_false(is_watched("[seadog]\nwatch = labelled\n", "seadog.enable=nonsense"));
}

static void rules_of_labels_that_cannot_mean_well_are_warned_about(void **state)
{
	(void)state;
	struct wd_settings *settings = load("[defaults]\nflapping = 99/1m\n");
	struct wd_policy *policy =
		policy_of(settings, container("web", LABELS("seadog.restarts=1/60s", "seadog.on_exit=stop")),
			  "warning: web: label seadog.restarts: 1/60s trips at any restart, give it a second one\n"
			  "warning: web: label seadog.on_exit: exit is off, so this is never used\n");
	wd_policy_free(policy);
	wd_settings_free(settings);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_first_policy_that_matches_is_the_one),
		STORY(images_projects_and_labels_are_matched_and_a_plus_means_both),
		STORY(a_container_section_goes_by_identity_before_name),
		STORY(a_label_picks_a_policy_that_is_there),
		STORY(a_label_is_nearer_than_any_section_and_replaces_lists_whole),
		STORY(labels_that_are_unknown_faulty_or_not_allowed_are_said_and_not_obeyed),
		STORY(whether_a_container_is_watched_is_said_by_its_label_else_by_watch),
		STORY(rules_of_labels_that_cannot_mean_well_are_warned_about),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
