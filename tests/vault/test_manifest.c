#include "../../watchdog/vault/manifest.h"

#include <string.h>

#include <support/unit.h>
#include <watchdog/memory.h>

#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct wd_snapshot a_snapshot(void)
{
	struct wd_snapshot snapshot = {
		.id = wd_copy("20261122T030000Z-1f2e3d4c"),
		.service = wd_copy("shop/web/1"),
		.name = wd_copy("web"),
		.image = wd_copy("acme/web:1.4"),
		.image_id = wd_copy("sha256:1"),
		.stamp = 1795318200123456789,
		.well = true,
		.paused_seconds = 1.25,
	};

	for (int i = 0; i < 2; i++) {
		struct wd_snapshot_volume *volume = wd_snapshot_add(&snapshot);

		volume->name = wd_format("data%d", i);
		volume->path = wd_copy("/var/lib/docker/volumes/data/_data");
		volume->kind = wd_copy(i ? "bind" : "volume");
		volume->file = wd_format("data%d.tar.zst", i);
		volume->sha256 = wd_copy(SHA);
		volume->bytes = (1ull << 53) + 1; /* more than a double holds */
		volume->stored_bytes = 7;
		volume->files = 3;
	}
	wd_list_add(&snapshot.volumes[1].warnings, "./run.sock: a socket is left out");
	return snapshot;
}

static void what_is_written_is_read(void **state)
{
	struct wd_snapshot snapshot = a_snapshot(), again = {0};
	struct wd_error error = {0};
	WD_AUTO_JSON struct wd_json *json = wd_manifest_print(&snapshot);
	WD_AUTO_FREE char *text = wd_json_print(json);
	WD_AUTO_JSON struct wd_json *parsed = wd_json_parse(text, strlen(text), &error);

	(void)state;
	assert_true(wd_manifest_read(parsed, &again, &error));
	WD_AUTO_JSON struct wd_json *json_again = wd_manifest_print(&again);
	WD_AUTO_FREE char *text_again = wd_json_print(json_again);

	assert_string_equal(text, text_again);
	assert_non_null(strstr(text, "\"schema\":1"));
	assert_non_null(strstr(text, "\"verified\":null"));
	assert_int_equal(again.volumes[0].bytes, (1ull << 53) + 1);
	assert_string_equal(again.volumes[1].warnings.items[0], "./run.sock: a socket is left out");
	assert_true(again.well);
	assert_int_equal(again.stamp, snapshot.stamp);
	wd_snapshot_done(&snapshot);
	wd_snapshot_done(&again);
}

/* What is wrong, and what is said of it. */
static void broken_ones_are_refused(void **state)
{
	static const struct {
		const char *member, *value, *volume_member, *said;
	} rows[] = {
		{"schema", "2", NULL, "a newer seadog wrote it"},
		{"schema", "0", NULL, "which there is not"},
		{"id", "\"\"", NULL, "id is missing"},
		{"service", "7", NULL, "service is missing"},
		{"time", "\"yesterday\"", NULL, "time"},
		{"time", "null", NULL, "time is missing"},
		{"volumes", "{}", NULL, "volumes is missing, or no list"},
		{NULL, "\"../data.tar\"", "file", "volumes[0]: file is no name of a file in this directory"},
		{NULL, "\"..\"", "file", "file is no name of a file"},
		{NULL, "\"data1.tar.zst\"", "file", "volumes[1] is there twice"},
		{NULL, "\"BA\"", "sha256", "volumes[0]: sha256 is no SHA-256"},
		{NULL, "-1", "bytes", "volumes[0]: bytes is missing, or no count"},
		{NULL, "\"7\"", "files", "files is missing, or no count"},
		{NULL, "\"plugin\"", "kind", "kind is neither"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct wd_snapshot snapshot = a_snapshot(), again = {.id = (char *)"untouched"};
		struct wd_error error = {0};
		WD_AUTO_JSON struct wd_json *json = wd_manifest_print(&snapshot);
		struct wd_json *volume = wd_json_first(wd_json_get(json, "volumes"));
		struct wd_json *value = wd_json_parse(rows[i].value, strlen(rows[i].value), &error);

		wd_json_set(rows[i].member ? json : volume, rows[i].member ? rows[i].member : rows[i].volume_member,
			    value);
		assert_false(wd_manifest_read(json, &again, &error));
		assert_string_equal(again.id, "untouched");
		if (!strstr(error.text, rows[i].said))
			fail_msg("row %zu: \"%s\"", i, error.text);
		wd_snapshot_done(&snapshot);
	}
	WD_AUTO_JSON struct wd_json *array = wd_json_array();
	struct wd_snapshot none;

	assert_false(wd_manifest_read(array, &none, NULL));
	assert_false(wd_manifest_read(NULL, &none, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(broken_ones_are_refused),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
