#include "support/unit.h"
#include <stdlib.h>
#include <watchdog/memory.h>
#include <watchdog/recreate.h>

static void names_go_there_and_back(void **state)
{
	static const enum wd_spare spares[] = {WD_SPARE_NEW, WD_SPARE_OLD};
	static const char *const names[] = {"web", "a.b_c-d", "x.rbnew-12345678"};
	(void)state;

	for (size_t i = 0; i < 6; i++) {
		WD_AUTO_FREE char *name = wd_spare_name(names[i % 3], spares[i / 3], 0x1f2eu + (uint32_t)i);
		WD_AUTO_FREE char *of = NULL;
		uint32_t token = 0;

		assert_int_equal(wd_spare_read(name, &of, &token), spares[i / 3]);
		assert_string_equal(of, names[i % 3]);
		assert_int_equal(token, 0x1f2eu + i);
	}
}

static void they_read_as_written(void **state)
{
	WD_AUTO_FREE char *new = wd_spare_name("web", WD_SPARE_NEW, 0x1f2e3d4c);
	WD_AUTO_FREE char *old = wd_spare_name("/web", WD_SPARE_OLD, 7);
	(void)state;

	assert_string_equal(new, "web.rbnew-1f2e3d4c");
	assert_string_equal(old, "web.rbold-00000007");
	assert_int_equal(wd_spare_read("/web.rbold-00000007", NULL, NULL), WD_SPARE_OLD);
}

static void other_names_are_other_names(void **state)
{
	static const char *const names[] = {"",
					    "/",
					    "web",
					    "web.rbnew-",
					    "web.rbnew-1f2e3d4",
					    "web.rbnew-1f2e3d4cc",
					    "web.rbnew-1F2E3D4C",
					    "web.rbnew-1f2e3d4g",
					    "web.rbmid-1f2e3d4c",
					    ".rbnew-1f2e3d4c",
					    "/.rbold-1f2e3d4c",
					    "web-rbnew-1f2e3d4c",
					    "web.rbnew-1f2e3d4c-1"};
	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *of = NULL;
		uint32_t token = 5;

		assert_int_equal(wd_spare_read(names[i], &of, &token), WD_SPARE_NONE);
		assert_null(of);
		assert_int_equal(token, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_there_and_back),
		cmocka_unit_test(they_read_as_written),
		cmocka_unit_test(other_names_are_other_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
