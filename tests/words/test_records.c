#include <support/unit.h>
#include <watchdog/memory.h>
#include <watchdog/records.h>

static void a_memory_is_emptied(void **state)
{
	struct wd_memory memory = {
		.service = wd_copy("shop/web/1"),
		.name = wd_copy("web"),
		.id = wd_copy("4b7b"),
		.image_id = wd_copy("sha256:1"),
		.hold = {.held = true, .id = wd_copy("4b7b")},
		.crashes = wd_alloc(3, sizeof(struct wd_mark)),
		.crash_count = 3,
		.ooms = wd_alloc(1, sizeof(struct wd_mark)),
		.oom_count = 1,
	};

	(void)state;
	wd_memory_done(&memory);
	assert_null(memory.service);
	assert_int_equal(memory.crash_count, 0);
	assert_false(memory.hold.held);
	wd_memory_done(&memory);
}

static struct wd_incident *an_incident(void)
{
	struct wd_incident *incident = wd_alloc(1, sizeof(*incident));

	incident->id = 7;
	incident->name = wd_copy("web");
	incident->service = wd_copy("shop/web/1");
	incident->container = wd_copy("4b7b");
	incident->why = wd_copy("5 restarts within 60s");
	incident->logs = wd_copy("panic");
	incident->points = wd_alloc(1, sizeof(*incident->points));
	incident->point_count = 1;
	incident->points[0].usage_bytes = 4096;
	incident->steps = wd_alloc(2, sizeof(*incident->steps));
	incident->step_count = 2;
	incident->steps[1].detail = wd_copy("no pinned image");
	incident->notes = wd_alloc(1, sizeof(*incident->notes));
	incident->note_count = 1;
	incident->notes[0].text = wd_copy("exit code 3");
	incident->notes[0].at = 1767323045123456789;
	return incident;
}

static void an_incident_is_freed_whole(void **state)
{
	(void)state;
	assert_null(wd_incident_free(an_incident()));
	assert_null(wd_incident_free(NULL));
	assert_null(wd_incident_free(wd_alloc(1, sizeof(struct wd_incident))));
}

static void a_copy_outlives_what_it_was_copied_from(void **state)
{
	struct wd_incident *incident = an_incident();
	struct wd_incident *copy = wd_incident_copy(incident);

	(void)state;
	wd_incident_free(incident);
	assert_int_equal(copy->id, 7);
	assert_string_equal(copy->service, "shop/web/1");
	assert_string_equal(copy->logs, "panic");
	assert_int_equal(copy->point_count, 1);
	assert_int_equal(copy->points[0].usage_bytes, 4096);
	assert_int_equal(copy->step_count, 2);
	assert_null(copy->steps[0].detail);
	assert_string_equal(copy->steps[1].detail, "no pinned image");
	assert_int_equal(copy->note_count, 1);
	assert_string_equal(copy->notes[0].text, "exit code 3");
	assert_true(copy->notes[0].at == 1767323045123456789);
	wd_incident_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memory_is_emptied),
		cmocka_unit_test(an_incident_is_freed_whole),
		cmocka_unit_test(a_copy_outlives_what_it_was_copied_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
