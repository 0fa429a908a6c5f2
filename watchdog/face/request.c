#include "request.h"

#include <string.h>

void wd_inbox_done(struct wd_inbox *inbox)
{
	wd_text_done(&inbox->bytes);
}

/* Lines that were taken make room before new bytes come, so that what is lent stays until then. */
static void compact(struct wd_inbox *inbox)
{
	if (inbox->start == 0)
		return;
	memmove(inbox->bytes.data, inbox->bytes.data + inbox->start, inbox->bytes.length - inbox->start);
	inbox->bytes.length -= inbox->start;
	inbox->scanned -= inbox->start;
	inbox->start = 0;
}

void wd_inbox_put(struct wd_inbox *inbox, const char *bytes, size_t length)
{
	compact(inbox);
	wd_text_put(&inbox->bytes, bytes, length);
}

enum wd_inbox_end wd_inbox_take(struct wd_inbox *inbox, const char **ret_line, size_t *ret_length)
{
	const char *newline = NULL;
	if (inbox->scanned < inbox->bytes.length)
		newline = memchr(inbox->bytes.data + inbox->scanned, '\n', inbox->bytes.length - inbox->scanned);
	size_t end = newline ? (size_t)(newline - inbox->bytes.data) : inbox->bytes.length;
	if (end - inbox->start >= inbox->limit)
		return WD_INBOX_TOO_LONG;
	if (!newline) {
		inbox->scanned = end;
		return WD_INBOX_MORE;
	}
	*ret_line = inbox->bytes.data + inbox->start;
	*ret_length = end - inbox->start;
	inbox->start = inbox->scanned = end + 1;
	return WD_INBOX_LINE;
}

bool wd_inbox_empty(const struct wd_inbox *inbox)
{
	return inbox->start == inbox->bytes.length;
}

static bool is_verb(const char *text)
{
	size_t length = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz") : 0;
	return length > 0 && length <= 32 && text[length] == '\0';
}

bool wd_request_read(const char *line, size_t length, struct wd_json **ret_request, const char **ret_verb,
		     struct wd_error *error)
{
	struct wd_error why = {0};
	struct wd_json *request = wd_json_parse(line, length, &why);
	if (!request)
		return wd_fail(error, WD_ERROR_USAGE, "no request: %s", why.text);
	const char *verb = wd_json_string(wd_json_get(request, "verb"), NULL);
	if (!is_verb(verb)) {
		wd_json_free(request);
		return wd_fail(error, WD_ERROR_USAGE, "no request: it must be an object with a verb");
	}
	*ret_request = request;
	*ret_verb = verb;
	return true;
}
