/* Request lines of the control socket, in pieces as a socket may bring them: the first byte says how large. The second is
 * the first of the line, and decides between a narrow limit and the real one. */
#include "../../watchdog/face/request.h"

#include <fuzz/fuzz.h>
#include <string.h>

static void read_line(const char *line, size_t length)
{
	struct wd_json *request = NULL;
	const char *verb = NULL;
	struct wd_error error = {0};
	if (!wd_request_read(line, length, &request, &verb, &error)) {
		assert(error.kind == WD_ERROR_USAGE && *error.text && !request && !verb);
		return;
	}
	assert(strlen(verb) <= 32 && strspn(verb, "abcdefghijklmnopqrstuvwxyz") == strlen(verb));
	wd_json_free(request);
}

static bool take_lines(struct wd_inbox *inbox, size_t *taken)
{
	const char *line = NULL;
	size_t length = 0;
	enum wd_inbox_end end;
	while ((end = wd_inbox_take(inbox, &line, &length)) == WD_INBOX_LINE) {
		assert(length < inbox->limit && !memchr(line, '\n', length));
		*taken += length + 1;
		read_line(line, length);
	}
	return end != WD_INBOX_TOO_LONG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	if (size < 2)
		return 0;
	size_t piece = (size_t)data[0] + 1, put = 1, taken = 0;
	struct wd_inbox inbox = {.limit = (data[1] & 1) ? 64 : WD_REQUEST_MAX};
	bool going = true;
	while (put < size && going) {
		size_t length = size - put < piece ? size - put : piece;
		wd_inbox_put(&inbox, bytes + put, length);
		put += length;
		going = take_lines(&inbox, &taken);
	}
	assert(taken <= size);
	assert(!going || inbox.bytes.length - inbox.start < inbox.limit);
	wd_inbox_done(&inbox);
	return 0;
}
