#include "support/fixtures.h"
#include "support/unit.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

char *read_fixture(const char *name, size_t *ret_length)
{
	WD_AUTO_FREE char *path = wd_format("tests/fixtures/%s", name);
	struct wd_text text = {0};
	char buffer[8192];
	size_t got;
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		fail_msg("%s: cannot be read", path);
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0)
		wd_text_put(&text, buffer, got);
	fclose(file);
	*ret_length = text.length;
	return wd_text_take(&text);
}

struct wd_json *json_fixture(const char *name)
{
	size_t length;
	struct wd_error error;
	WD_AUTO_FREE char *text = read_fixture(name, &length);
	struct wd_json *json = wd_json_parse(text, length, &error);

	if (json == NULL)
		fail_msg("%s: %s", name, error.text);
	return json;
}
