#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/unit.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

static void write_golden(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static char *read_golden(const char *path)
{
	struct wd_text text = {0};
	char chunk[4096];
	size_t got;
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("%s is not there: run the tests at the top of the tree", path);
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
		wd_text_put(&text, chunk, got);
	fclose(file);
	return wd_text_take(&text);
}

void assert_golden(const char *name, const char *text)
{
	WD_AUTO_FREE char *path = wd_format("tests/golden/%s", name);
	const char *wish = getenv("SEADOG_GOLDEN");
	if (wish && strcmp(wish, "write") == 0)
		write_golden(path, text);
	WD_AUTO_FREE char *expected = read_golden(path);
	if (strcmp(expected, text) != 0)
		fail_msg("%s says\n%s\nbut this is\n%s", path, expected, text);
}
