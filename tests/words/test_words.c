#include <support/unit.h>
#include <watchdog/facts.h>
#include <watchdog/memory.h>
#include <watchdog/words.h>

/* Every name but those of the open and the absent, and back again. */
static void names_go_there_and_back(void **state)
{
	(void)state;
	for (int i = 0; i < WD_TRIGGERS; i++) {
		enum wd_trigger trigger = WD_TRIGGERS;

		assert_true(wd_trigger_parse(wd_trigger_name((enum wd_trigger)i), &trigger));
		assert_int_equal(trigger, i);
	}
	for (int i = 0; i < WD_ACTIONS; i++) {
		enum wd_action action = WD_ACTIONS;

		assert_true(wd_action_parse(wd_action_name((enum wd_action)i), &action));
		assert_int_equal(action, i);
	}
	for (int i = WD_OUTCOME_OPEN + 1; i < WD_OUTCOMES; i++) {
		enum wd_outcome outcome = WD_OUTCOMES;

		assert_true(wd_outcome_parse(wd_outcome_name((enum wd_outcome)i), &outcome));
		assert_int_equal(outcome, i);
	}
	for (int i = WD_RESULT_OPEN + 1; i < WD_RESULTS; i++) {
		enum wd_result result = WD_RESULTS;

		assert_true(wd_result_parse(wd_result_name((enum wd_result)i), &result));
		assert_int_equal(result, i);
	}
	for (int i = 0; i < WD_STATES; i++) {
		enum wd_state container = WD_STATES;

		assert_true(wd_state_parse(wd_state_name((enum wd_state)i), &container));
		assert_int_equal(container, i);
	}
	for (int i = 0; i < WD_RESTARTS; i++) {
		enum wd_restart restart = WD_RESTARTS;

		assert_true(wd_restart_parse(wd_restart_name((enum wd_restart)i), &restart));
		assert_int_equal(restart, i);
	}
	for (int i = 0; i < WD_VERDICTS; i++)
		assert_non_null(wd_verdict_name((enum wd_verdict)i));
	for (int i = 0; i < WD_EVENTS; i++)
		assert_non_null(wd_event_name((enum wd_event_kind)i));
}

static void cpus_are_lowered_in_their_own_kind(void **state)
{
	const struct wd_cpus none = {0}, quota = {60000, 50000, 0}, nano = {0, 0, 1500000000};
	const struct wd_cpu_cut nothing = {.before = quota}, cut = {.now = nano};

	(void)state;
	assert_true(wd_cpus_count(none) == 0);
	assert_true(wd_cpus_count((struct wd_cpus){.quota = -1}) == 0);
	assert_true(wd_cpus_count(quota) == 1.2);
	assert_true(wd_cpus_count(nano) == 1.5);
	assert_int_equal(wd_cpus_lower(none, 0.5).quota, 50000);
	assert_int_equal(wd_cpus_lower(none, 0.5).nano, 0);
	assert_int_equal(wd_cpus_lower(quota, 0.5).quota, 25000);
	assert_int_equal(wd_cpus_lower(quota, 0.5).period, 50000);
	assert_int_equal(wd_cpus_lower(quota, 0.01).quota, 1000); /* the kernel takes no less */
	assert_int_equal(wd_cpus_lower((struct wd_cpus){0, INT64_MAX, 0}, 1024).quota, 102400000);
	assert_int_equal(wd_cpus_lower(nano, 0.5).nano, 500000000);
	assert_int_equal(wd_cpus_lower(nano, 0.5).quota, 0);
	assert_true(wd_cpus_equal(none, (struct wd_cpus){.quota = -1}));
	assert_true(wd_cpus_equal(none, (struct wd_cpus){.period = 50000}));
	assert_true(wd_cpus_equal((struct wd_cpus){5000, 0, 0}, (struct wd_cpus){5000, 100000, 0}));
	assert_false(wd_cpus_equal(quota, (struct wd_cpus){60000, 100000, 0}));
	assert_false(wd_cpus_equal(none, nano));
	assert_false(wd_cpu_cut_is(&nothing));
	assert_true(wd_cpu_cut_is(&cut));
}

static void names_are_those_of_the_contract(void **state)
{
	(void)state;
	assert_string_equal(wd_trigger_name(WD_TRIGGER_RESTARTS), "restarts");
	assert_string_equal(wd_trigger_name(WD_TRIGGER_PRESSURE), "pressure");
	assert_string_equal(wd_action_name(WD_ACTION_ROLLBACK_RESTORE), "rollback+restore");
	assert_string_equal(wd_action_name(WD_ACTION_RELEASE), "release");
	assert_string_equal(wd_verdict_name(WD_VERDICT_VERIFYING), "verifying");
	assert_string_equal(wd_outcome_name(WD_OUTCOME_SUPPRESSED), "suppressed");
	assert_string_equal(wd_result_name(WD_RESULT_UNDONE), "undone");
	assert_string_equal(wd_state_name(WD_STATE_RESTARTING), "restarting");
	assert_string_equal(wd_restart_name(WD_RESTART_UNLESS_STOPPED), "unless-stopped");
	assert_string_equal(wd_health_name(WD_HEALTH_UNHEALTHY), "unhealthy");
	assert_string_equal(wd_event_name(WD_EVENT_DIE), "die");
	assert_string_equal(wd_event_name(WD_EVENT_HEALTH), "health_status");
	assert_null(wd_outcome_name(WD_OUTCOME_OPEN));
	assert_null(wd_result_name(WD_RESULT_OPEN));
	assert_null(wd_health_name(WD_HEALTH_NONE));
}

static void other_words_are_none(void **state)
{
	enum wd_trigger trigger = WD_TRIGGER_CPU;
	enum wd_action action = WD_ACTION_PAUSE;
	enum wd_restart restart = WD_RESTART_ALWAYS;
	enum wd_outcome outcome = WD_OUTCOME_HELD;

	(void)state;
	assert_false(wd_trigger_parse("Restarts", &trigger));
	assert_false(wd_trigger_parse(NULL, &trigger));
	assert_false(wd_trigger_parse("", &trigger));
	assert_false(wd_action_parse("stop ", &action));
	assert_false(wd_restart_parse("never", &restart));
	assert_false(wd_restart_parse(NULL, &restart));
	assert_false(wd_outcome_parse("open", &outcome));
	assert_int_equal(trigger, WD_TRIGGER_CPU);
	assert_int_equal(action, WD_ACTION_PAUSE);
	assert_int_equal(restart, WD_RESTART_ALWAYS);
	assert_int_equal(outcome, WD_OUTCOME_HELD);
	assert_null(wd_trigger_name(WD_TRIGGERS));
	assert_null(wd_action_name((enum wd_action) - 1));
	assert_true(wd_restart_parse("", &restart));
	assert_int_equal(restart, WD_RESTART_NO);
}

static void retries_count_only_with_on_failure(void **state)
{
	(void)state;
	assert_true(wd_restart_policy_equal((struct wd_restart_policy){WD_RESTART_ALWAYS, 0},
					    (struct wd_restart_policy){WD_RESTART_ALWAYS, 3}));
	assert_false(wd_restart_policy_equal((struct wd_restart_policy){WD_RESTART_ON_FAILURE, 0},
					     (struct wd_restart_policy){WD_RESTART_ON_FAILURE, 3}));
	assert_true(wd_restart_policy_equal((struct wd_restart_policy){WD_RESTART_ON_FAILURE, 3},
					    (struct wd_restart_policy){WD_RESTART_ON_FAILURE, 3}));
	assert_false(wd_restart_policy_equal((struct wd_restart_policy){WD_RESTART_ALWAYS, 0},
					     (struct wd_restart_policy){WD_RESTART_UNLESS_STOPPED, 0}));
}

/* The leak checker says whether all of it is freed. */
static void a_container_has_labels(void **state)
{
	struct wd_container *container = wd_alloc(1, sizeof(*container));

	(void)state;
	for (char **const *slot = (char **[]){&container->id, &container->name, &container->service, &container->image,
					      &container->image_id, &container->trouble, &container->project, NULL};
	     *slot; slot++)
		**slot = wd_copy("x");
	container->labels = wd_alloc(2, sizeof(*container->labels));
	container->label_count = 2;
	container->labels[0] = (struct wd_label){wd_copy("seadog.enable"), wd_copy("true")};
	container->labels[1] = (struct wd_label){wd_copy("seadog.restarts"), wd_copy("3/30s")};
	assert_string_equal(wd_container_label(container, "seadog.restarts"), "3/30s");
	assert_null(wd_container_label(container, "seadog.Restarts"));
	assert_null(wd_container_label(container, NULL));
	assert_null(wd_container_label(NULL, "seadog.restarts"));
	assert_null(wd_container_free(container));
	assert_null(wd_container_free(NULL));
	assert_null(wd_container_free(wd_alloc(1, sizeof(*container))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_there_and_back), cmocka_unit_test(names_are_those_of_the_contract),
		cmocka_unit_test(other_words_are_none),    cmocka_unit_test(retries_count_only_with_on_failure),
		cmocka_unit_test(a_container_has_labels),  cmocka_unit_test(cpus_are_lowered_in_their_own_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
