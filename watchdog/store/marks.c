#include "marks.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <watchdog/json.h>
#include <watchdog/memory.h>

char *wd_marks_print(const struct wd_mark *marks, unsigned count)
{
	struct wd_text text = {0};
	wd_text_add(&text, "[");
	for (unsigned n = 0; n < count; n++)
		wd_text_print(&text,
			      "%s{\"at\":%" PRId64 ",\"from\":%" PRId64 ",\"waited_us\":%" PRId64
			      ",\"exit\":%d,\"seen\":%s}",
			      n ? "," : "", marks[n].stamp, marks[n].from, marks[n].waited, marks[n].exit_code,
			      marks[n].seen ? "true" : "false");
	wd_text_add(&text, "]");
	return wd_text_take(&text);
}

static struct wd_mark read_mark(const struct wd_json *json)
{
	int64_t exit_code = wd_json_int(wd_json_get(json, "exit"), -1);
	return (struct wd_mark){
		.stamp = wd_json_int(wd_json_get(json, "at"), 0),
		.from = wd_json_int(wd_json_get(json, "from"), 0),
		.waited = wd_json_int(wd_json_get(json, "waited_us"), 0),
		.exit_code = exit_code < INT_MIN || exit_code > INT_MAX ? -1 : (int)exit_code,
		.seen = wd_json_bool(wd_json_get(json, "seen"), false),
	};
}

void wd_marks_parse(const char *text, struct wd_mark **ret_marks, unsigned *ret_count)
{
	WD_AUTO_JSON struct wd_json *json = text ? wd_json_parse(text, strlen(text), NULL) : NULL;
	size_t room = wd_json_is_array(json) ? wd_json_count(json) : 0;
	struct wd_mark *marks = room ? wd_alloc(room, sizeof(*marks)) : NULL;
	unsigned count = 0;
	for (struct wd_json *item = room ? wd_json_first(json) : NULL; item; item = wd_json_next(item))
		marks[count++] = read_mark(item);
	*ret_marks = marks;
	*ret_count = count;
}
