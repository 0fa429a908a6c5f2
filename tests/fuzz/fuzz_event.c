/* Lines of /events: what is taken for an event names a container by a sound id; and the scanner that allocates nothing
 * agrees with the parser of json.h about what is JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_event(const struct wd_event *event)
{
	if (strlen(event->id) != 64 || strspn(event->id, "0123456789abcdef") != 64)
		abort();
	if ((unsigned)event->kind >= WD_EVENTS || event->exit_code < -1 || event->signal < 0 || event->stamp < 0)
		abort();
	if (memchr(event->name, '\0', sizeof(event->name)) == NULL)
		abort();
}

/* json.h refuses \u0000 and half a surrogate pair anywhere; the scanner reads around them where nobody wants them. */
static bool has_odd_escape(const char *text, size_t length)
{
	return memmem(text, length, "\\u0000", 6) || memmem(text, length, "\\ud", 3) || memmem(text, length, "\\uD", 3);
}

/* … and numbers that are too long to be one. */
static bool has_long_number(const char *text, size_t length)
{
	size_t run = 0;
	for (size_t i = 0; i < length && run < 60; i++)
		run = strchr("0123456789+-.eE", text[i]) && text[i] ? run + 1 : 0;
	return run == 60;
}

static void check_agreement(const char *text, size_t length, enum wd_wire_line kind)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(text, length, NULL);
	bool object = wd_json_is_object(json);
	if (object && kind == WD_WIRE_RUBBISH)
		abort();
	if (!object && kind != WD_WIRE_RUBBISH && !has_odd_escape(text, length) && !has_long_number(text, length))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wd_event event;
	enum wd_wire_line kind = wd_wire_event((const char *)data, size, &event);
	if (kind == WD_WIRE_EVENT)
		check_event(&event);
	if (size > 0 && data[0] != 0x1e)
		check_agreement((const char *)data, size, kind);
	return 0;
}
