#include <support/unit.h>
#include <watchdog/memory.h>
#include <watchdog/snapshot.h>

static void a_copy_is_its_own(void **state)
{
	struct wd_snapshot one = {
		.id = wd_copy("20261122T030000Z-1f2e3d4c"), .service = wd_copy("shop/web/1"), .well = true};
	struct wd_snapshot *two = wd_alloc(1, sizeof(*two));
	struct wd_snapshot_volume *volume = wd_snapshot_add(&one);

	(void)state;
	volume->name = wd_copy("data");
	volume->bytes = 5;
	volume->stored_bytes = 3;
	wd_list_add(&volume->warnings, "run.sock: a socket is left out");
	wd_snapshot_add(&one)->bytes = 7;
	wd_snapshot_copy(two, &one);
	wd_snapshot_done(&one);
	assert_null(one.volumes);
	assert_int_equal(one.volume_count, 0);
	wd_snapshot_done(&one);
	assert_string_equal(two->id, "20261122T030000Z-1f2e3d4c");
	assert_true(two->well);
	assert_int_equal(two->volume_count, 2);
	assert_string_equal(two->volumes[0].name, "data");
	assert_string_equal(two->volumes[0].warnings.items[0], "run.sock: a socket is left out");
	assert_null(two->volumes[1].name);
	assert_int_equal(wd_snapshot_bytes(two), 12);
	assert_int_equal(wd_snapshot_stored(two), 3);
	assert_null(wd_snapshot_free(two));
	assert_null(wd_snapshot_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_its_own),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
