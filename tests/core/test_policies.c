/* Policies that are equal are one, and each service has its own where they differ: whatever labels, settings and
 * containers come and go. That none is freed too soon, or never, is the sanitizers' to say. */
#include <stdio.h>
#include <string.h>
#include <support/unit.h>
#include <unistd.h>
#include <watchdog/guard.h>
#include <watchdog/memory.h>

#define BASE (1000 * WD_HOUR)
#define WALL (1767225600LL * 1000000000)

static struct wd_settings *settings_of(const char *config)
{
	char path[] = "/tmp/seadog-policies-XXXXXX";
	char *environment[] = {NULL};
	int descriptor = mkstemp(path);
	assert_int_equal(write(descriptor, config, strlen(config)), strlen(config));
	close(descriptor);
	struct wd_sources sources = {.file = path, .environment = environment};
	struct wd_settings *settings = wd_settings_load(&sources, NULL);
	unlink(path);
	assert_non_null(settings);
	return settings;
}

static void tell(struct wd_guard *guard, const struct wd_fact *fact)
{
	struct wd_order order;
	struct wd_fact stamped = *fact;
	stamped.stamp = WALL;
	wd_guard_tell(guard, BASE, &stamped);
	while (wd_guard_take(guard, &order))
		;
}

/* restarts: of its label, or NULL. */
static void see(struct wd_guard *guard, unsigned number, const char *restarts)
{
	char id[65], name[16], key[] = "seadog.restarts", value[16], image[] = "acme/web:1";
	struct wd_label label = {.key = key, .value = value};
	snprintf(id, sizeof(id), "%064u", number);
	snprintf(name, sizeof(name), "web%u", number);
	snprintf(value, sizeof(value), "%s", restarts ? restarts : "");
	struct wd_container container = {.id = id,
					 .name = name,
					 .service = name,
					 .image = image,
					 .image_id = image,
					 .state = WD_STATE_RUNNING,
					 .pid = 1,
					 .created = WALL,
					 .started = WALL,
					 .labels = restarts ? &label : NULL,
					 .label_count = restarts ? 1 : 0};
	tell(guard, &(struct wd_fact){.kind = WD_FACT_CONTAINER, .seen = {.container = &container, .asked = BASE}});
}

static const struct wd_policy *policy_of(struct wd_guard *guard, unsigned number)
{
	struct wd_service_view view;
	char name[16];
	snprintf(name, sizeof(name), "web%u", number);
	assert_true(wd_guard_find(guard, name, BASE, &view));
	assert_non_null(view.policy);
	return view.policy;
}

static unsigned restarts_of(struct wd_guard *guard, unsigned number)
{
	return policy_of(guard, number)->restarts.items[0].count;
}

struct stage {
	struct wd_settings *settings, *others;
	struct wd_guard *guard;
};

static int begin(void **state)
{
	struct stage *stage = wd_alloc(1, sizeof(*stage));
	stage->settings = settings_of("[defaults]\nrestarts = 7/60s\n[container web3]\nrestarts = 8/60s\n");
	stage->others = settings_of("[defaults]\nrestarts = 9/60s\n");
	stage->guard = wd_guard_new(stage->settings, NULL, 1, BASE);
	tell(stage->guard, &(struct wd_fact){.kind = WD_FACT_ENGINE_UP});
	for (unsigned i = 0; i < 5; i++)
		see(stage->guard, i, i == 4 ? "3/30s" : NULL);
	*state = stage;
	return 0;
}

static int end(void **state)
{
	struct stage *stage = *state;
	wd_guard_free(stage->guard);
	wd_settings_free(stage->settings);
	wd_settings_free(stage->others);
	free(stage);
	return 0;
}

static void equal_ones_are_one(void **state)
{
	struct wd_guard *guard = ((struct stage *)*state)->guard;
	assert_ptr_equal(policy_of(guard, 0), policy_of(guard, 1));
	assert_ptr_equal(policy_of(guard, 0), policy_of(guard, 2));
	assert_int_equal(restarts_of(guard, 0), 7);
	assert_int_equal(restarts_of(guard, 3), 8);
	assert_int_equal(restarts_of(guard, 4), 3);
}

static void a_label_parts_it_from_the_others(void **state)
{
	struct wd_guard *guard = ((struct stage *)*state)->guard;
	see(guard, 0, "3/30s");
	assert_int_equal(restarts_of(guard, 1), 7);
	assert_ptr_equal(policy_of(guard, 0), policy_of(guard, 4));
	see(guard, 0, NULL);
	assert_ptr_equal(policy_of(guard, 0), policy_of(guard, 1));
}

static void the_last_who_has_it_takes_it_along(void **state)
{
	struct wd_guard *guard = ((struct stage *)*state)->guard;
	char id[65];
	for (unsigned i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "%064u", i);
		tell(guard, &(struct wd_fact){.kind = WD_FACT_GONE, .id = id});
	}
	see(guard, 1, NULL);
	assert_int_equal(restarts_of(guard, 1), 7);
}

static void other_settings_make_other_policies(void **state)
{
	struct stage *stage = *state;
	wd_guard_configure(stage->guard, stage->others);
	stage->settings = wd_settings_free(stage->settings);
	assert_int_equal(restarts_of(stage->guard, 0), 9);
	assert_ptr_equal(policy_of(stage->guard, 0), policy_of(stage->guard, 3));
	assert_int_equal(restarts_of(stage->guard, 4), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_ones_are_one, begin, end),
		cmocka_unit_test_setup_teardown(a_label_parts_it_from_the_others, begin, end),
		cmocka_unit_test_setup_teardown(the_last_who_has_it_takes_it_along, begin, end),
		cmocka_unit_test_setup_teardown(other_settings_make_other_policies, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
