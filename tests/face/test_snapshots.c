/* What people and scripts are shown of snapshots: the table, the objects, and the line that says how far one is. */
#include "../../watchdog/face/bar.h"
#include "../../watchdog/face/render.h"

#include <stdlib.h>
#include <support/golden.h>
#include <support/unit.h>
#include <time.h>
#include <watchdog/memory.h>

static void fill(struct wd_snapshot *snapshot, const char *id, wd_stamp stamp)
{
	*snapshot = (struct wd_snapshot){.id = wd_copy(id), .stamp = stamp, .well = true, .paused_seconds = 0.25};
	snapshot->service = wd_copy("shop/db/1");
	snapshot->name = wd_copy("shop-db-1");
	snapshot->image = wd_copy("postgres:16");
	snapshot->image_id = wd_copy("sha256:0123");
	struct wd_snapshot_volume *volume = wd_snapshot_add(snapshot);
	volume->name = wd_copy("data");
	volume->kind = wd_copy("volume");
	volume->path = wd_copy("/var/lib/docker/volumes/data/_data");
	volume->sha256 = wd_copy("abcd");
	volume->bytes = 3 * UINT64_C(1073741824);
	volume->stored_bytes = 1073741824;
	volume->files = 1234;
	wd_list_add(&volume->warnings, "run/x.sock: a socket, left out");
}

static struct wd_json *example(void)
{
	struct wd_json *report = wd_report_snapshots();
	struct wd_snapshot snapshot;
	fill(&snapshot, "20261122T030000Z-1f2e3d4c", INT64_C(1795316400000000000));
	snapshot.verified = snapshot.stamp + 5000000000;
	struct wd_snapshot_volume *bind = wd_snapshot_add(&snapshot);
	bind->name = wd_copy("/srv/files\033[31m");
	bind->kind = wd_copy("bind");
	wd_report_add_snapshot(report, &snapshot);
	wd_snapshot_done(&snapshot);
	fill(&snapshot, "20261121T030000Z-0a1b2c3d", INT64_C(1795230000000000000));
	snapshot.well = false;
	wd_report_add_snapshot(report, &snapshot);
	wd_snapshot_done(&snapshot);
	/* Of one whose manifest cannot be read, nothing but its place is known. */
	snapshot = (struct wd_snapshot){.id = wd_copy("20261120T030000Z-ffffffff"), .service = wd_copy("shop/db/1")};
	snapshot.broken = wd_copy("manifest.json: byte 17: a value is missing");
	wd_report_add_snapshot(report, &snapshot);
	wd_snapshot_done(&snapshot);
	return report;
}

static void the_table_says_which_is_good_and_why_another_is_not(void **state)
{
	(void)state;
	static const struct wd_style styles[] = {{0}, {.width = 80}};
	WD_AUTO_JSON struct wd_json *report = example();
	WD_AUTO_TEXT struct wd_text wide = {0}, narrow = {0};
	setenv("TZ", "UTC", 1);
	tzset();
	wd_draw_snapshots(report, &styles[0], &wide);
	assert_golden("snapshots.txt", wd_text_get(&wide));
	wd_draw_snapshots(report, &styles[1], &narrow);
	assert_golden("snapshots-80.txt", wd_text_get(&narrow));
}

static void scripts_find_every_volume_with_its_snapshot(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *report = example();
	WD_AUTO_FREE char *text = wd_json_print_pretty(report);
	assert_golden("snapshots.json", text);
}

static void assert_bar(const char *what, int64_t bytes, int64_t total_bytes, int64_t rate, int width,
		       const char *expected)
{
	WD_AUTO_TEXT struct wd_text line = {0};
	wd_bar_print(&line, what, bytes, total_bytes, rate, width);
	assert_string_equal(wd_text_get(&line), expected);
}

static void the_bar_says_how_far_how_fast_and_how_long(void **state)
{
	(void)state;
	const int64_t mib = 1 << 20;
	assert_bar("db", 512 * mib, 2048 * mib, 128 * mib, 80,
		   "db  [=======>                       ]  25%  512MiB of 2GiB, 128MiB/s, 12s left");
	assert_bar("db", 2048 * mib, 2048 * mib, 128 * mib, 80,
		   "db  [========================================] 100%  2GiB of 2GiB, 128MiB/s");
	assert_bar("db", 0, 2048 * mib, 0, 20, "db    0%  0B of 2GiB");
	assert_bar("db", 4096 * mib, 2048 * mib, 0, 0, "db  100%  4GiB of 2GiB");
	assert_bar("db", 5 * mib, 0, 0, 80, "db  5MiB");
	assert_bar("a\033[2J", 5 * mib, 0, 0, 80, "a\\x1b[2J  5MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_says_which_is_good_and_why_another_is_not),
		cmocka_unit_test(scripts_find_every_volume_with_its_snapshot),
		cmocka_unit_test(the_bar_says_how_far_how_fast_and_how_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
