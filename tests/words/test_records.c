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

static void an_incident_is_freed_whole(void **state)
{
	struct wd_incident *incident = wd_alloc(1, sizeof(*incident));

	(void)state;
	incident->name = wd_copy("web");
	incident->service = wd_copy("shop/web/1");
	incident->container = wd_copy("4b7b");
	incident->why = wd_copy("5 restarts within 60s");
	incident->logs = wd_copy("panic");
	incident->steps = wd_alloc(2, sizeof(*incident->steps));
	incident->step_count = 2;
	incident->steps[1].detail = wd_copy("no pinned image");
	incident->notes = wd_alloc(1, sizeof(*incident->notes));
	incident->note_count = 1;
	incident->notes[0].text = wd_copy("exit code 3");
	assert_null(wd_incident_free(incident));
	assert_null(wd_incident_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memory_is_emptied),
		cmocka_unit_test(an_incident_is_freed_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
