#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <watchdog/memory.h>

#define LOOK_EVERY (100 * WD_MILLISECOND)

void wd_talk_done(struct wd_talk *talk)
{
	wd_text_done(&talk->heard);
}

/* --- hearing ---------------------------------------------------------------------------------------------------------- */

static bool wait_for(const struct wd_talk *talk, wd_time until, struct wd_error *error)
{
	for (;;) {
		wd_time left = until - wd_time_now();
		struct pollfd watched = {.fd = talk->descriptor, .events = POLLIN};
		int ready = poll(&watched, 1, left > 0 ? (int)(left / WD_MILLISECOND) + 1 : 0);

		if (ready > 0)
			return true;
		if (ready == 0)
			return wd_fail(error, WD_ERROR_FAILED, "%s", "the watchdog has said nothing in time");
		if (errno != EINTR)
			return wd_fail_errno(error, WD_ERROR_FAILED, "the watchdog cannot be heard");
	}
}

static bool hear_more(struct wd_talk *talk, struct wd_error *error)
{
	char block[4096];
	ssize_t got = recv(talk->descriptor, block, sizeof(block), MSG_DONTWAIT);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	talk->gone = got <= 0;
	if (got == 0)
		return wd_fail(error, WD_ERROR_FAILED, "%s", "the watchdog has gone away");
	if (got < 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "the watchdog cannot be heard");
	wd_text_put(&talk->heard, block, (size_t)got);
	if (talk->heard.length > WD_TALK_LINE_MOST)
		return wd_fail(error, WD_ERROR_FAILED, "%s", "the watchdog's line has no end");
	return true;
}

static struct wd_json *take_line(struct wd_talk *talk, size_t length, struct wd_error *error)
{
	struct wd_json *line = wd_json_parse(talk->heard.data, length, error);
	size_t rest = talk->heard.length - length - 1;

	if (!line)
		wd_fail_in(error, "the watchdog's line");
	memmove(talk->heard.data, talk->heard.data + length + 1, rest);
	talk->heard.length = rest;
	talk->heard.data[rest] = '\0';
	return line;
}

struct wd_json *wd_talk_hear(struct wd_talk *talk, wd_time patience, struct wd_error *error)
{
	wd_time until = wd_time_now() + patience;

	for (;;) {
		const char *end = talk->heard.length ? memchr(talk->heard.data, '\n', talk->heard.length) : NULL;

		if (end)
			return take_line(talk, (size_t)(end - talk->heard.data), error);
		if (!wait_for(talk, until, error) || !hear_more(talk, error))
			return NULL;
	}
}

/* --- saying ----------------------------------------------------------------------------------------------------------- */

/* A line that was begun is finished: half of one would spoil what is behind it. */
static bool send_line(struct wd_talk *talk, const struct wd_json *line, int flags)
{
	WD_AUTO_FREE char *text = wd_json_print(line);
	size_t length = strlen(text), sent = 0;

	text[length++] = '\n'; /* in the place of its end */
	while (sent < length) {
		ssize_t put = send(talk->descriptor, text + sent, length - sent, MSG_NOSIGNAL | flags);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN && flags)
			return true;
		if (put <= 0) {
			talk->gone = true;
			return false;
		}
		sent += (size_t)put;
		flags = 0;
	}
	return true;
}

bool wd_talk_say(struct wd_talk *talk, const struct wd_json *line)
{
	return !talk->gone && send_line(talk, line, 0);
}

static bool is_gone(const struct wd_talk *talk)
{
	struct pollfd watched = {.fd = talk->descriptor, .events = POLLRDHUP};

	return poll(&watched, 1, 0) > 0 && watched.revents != 0;
}

bool wd_talk_progress(struct wd_talk *talk, uint64_t files, uint64_t bytes, uint64_t total_bytes)
{
	wd_time now = wd_time_now();
	struct wd_json *progress;

	if (talk->gone)
		return false;
	if (now - talk->looked < LOOK_EVERY)
		return true;
	talk->looked = now;
	talk->gone = is_gone(talk);
	WD_AUTO_JSON struct wd_json *line = wd_json_object();
	progress = wd_json_set(line, "progress", wd_json_object());
	wd_json_set_int(progress, "files", (int64_t)files);
	wd_json_set_int(progress, "bytes", (int64_t)bytes);
	wd_json_set_int(progress, "total_bytes", (int64_t)total_bytes);
	return !talk->gone && send_line(talk, line, MSG_DONTWAIT);
}
