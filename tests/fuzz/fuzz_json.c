/* What is taken for JSON is printed, and what was printed is taken again and printed the same, to the last digit. */
#include <fuzz/fuzz.h>
#include <string.h>

#include <watchdog/json.h>
#include <watchdog/memory.h>

static void visit(const struct wd_json *json, int depth)
{
	double number = wd_json_double(json, 0);

	assert(depth <= 64);
	assert(number - number == 0);
	assert(wd_json_is_number(json) || wd_json_int(json, 7) == 7);
	assert(!wd_json_is_string(json) || wd_json_string(json, NULL));
	size_t count = 0;

	for (const struct wd_json *item = wd_json_first(json); item; item = wd_json_next(item), count++) {
		if (wd_json_is_object(json))
			assert(wd_json_get(json, wd_json_name(item)));
		else
			assert(!wd_json_name(item));
		visit(item, depth + 1);
	}
	assert(count == wd_json_count(json));
}

static void assert_same(const char *text, const char *printed)
{
	struct wd_error error = {0};
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(text, strlen(text), &error);

	assert(json);
	WD_AUTO_FREE char *again = wd_json_print(json);

	assert(strcmp(again, printed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wd_error error = {0};
	WD_AUTO_JSON struct wd_json *json = wd_json_parse((const char *)data, size, &error);

	if (!json) {
		assert(error.kind == WD_ERROR_FAILED);
		assert(strncmp(error.text, "bad JSON at byte ", 17) == 0); /* the strict reader said it, not cJSON */
		return 0;
	}
	WD_AUTO_FREE char *printed = wd_json_print(json);
	WD_AUTO_FREE char *pretty = wd_json_print_pretty(json);
	WD_AUTO_JSON struct wd_json *clone = wd_json_clone(json);
	WD_AUTO_FREE char *cloned = wd_json_print(clone);

	visit(json, 0);
	assert_same(printed, printed);
	assert_same(pretty, printed);
	assert(strcmp(cloned, printed) == 0);
	if (wd_json_is_object(json) && wd_json_first(json)) {
		WD_AUTO_FREE char *name = wd_copy(wd_json_name(wd_json_first(json)));

		wd_json_set_int(json, name, 1);
		assert(wd_json_int(wd_json_get(json, name), 0) == 1);
		wd_json_remove(json, name);
		assert(!wd_json_get(json, name));
	}
	return 0;
}
