#include "client.h"

#include "request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define ANSWER_LINE_MAX ((size_t)64 * 1024 * 1024)

struct wd_asking {
	int descriptor;
	struct wd_inbox inbox;
};

/* Waits for the socket until the moment; false with the error when it passes. */
static bool await(int descriptor, short events, wd_time until, struct wd_error *error)
{
	for (;;) {
		wd_time left = until == WD_NEVER ? WD_NEVER : until - wd_time_now();
		if (left <= 0)
			return wd_fail(error, WD_ERROR_FAILED, "the watchdog does not answer");
		int wait = left > WD_HOUR ? (int)(WD_HOUR / WD_MILLISECOND) : (int)(left / WD_MILLISECOND) + 1;
		struct pollfd look = {.fd = descriptor, .events = events};
		int found = poll(&look, 1, wait);
		if (found > 0)
			return true;
		if (found < 0 && errno != EINTR)
			return wd_fail_errno(error, WD_ERROR_FAILED, "poll");
	}
}

static wd_time from_now(wd_time patience)
{
	return patience == WD_NEVER ? WD_NEVER : wd_time_now() + patience;
}

static bool refused(const char *path, struct wd_error *error)
{
	if (errno == ENOENT || errno == ECONNREFUSED)
		return wd_fail(error, WD_ERROR_NOT_RUNNING, "the watchdog is not running (nobody listens on %s)", path);
	if (errno == EACCES || errno == EPERM)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s (only root and the socket's group may ask)", path);
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s", path);
}

/* A unix socket whose backlog is full says EAGAIN and cannot be waited for: knock again. */
static bool reach(int descriptor, const char *path, wd_time until, struct wd_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return wd_fail(error, WD_ERROR_USAGE, "%s: a socket's path has at most %zu bytes", path,
			       sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, strlen(path));
	while (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return refused(path, error);
		if (wd_time_now() >= until)
			return wd_fail(error, WD_ERROR_FAILED, "the watchdog does not answer");
		poll(NULL, 0, 20);
	}
	return true;
}

/* A watchdog that has had enough closes while we still send; what it said is then to be read. */
static bool tell(int descriptor, const char *text, size_t length, wd_time until, struct wd_error *error)
{
	while (length > 0) {
		ssize_t put = send(descriptor, text, length, MSG_NOSIGNAL);
		if (put >= 0) {
			text += put;
			length -= (size_t)put;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return true;
		} else if (errno != EAGAIN && errno != EINTR) {
			return wd_fail_errno(error, WD_ERROR_FAILED, "control socket");
		} else if (!await(descriptor, POLLOUT, until, error)) {
			return false;
		}
	}
	return true;
}

struct wd_asking *wd_asking_new(const char *path, const struct wd_json *request, wd_time patience,
				struct wd_error *error)
{
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0) {
		wd_fail_errno(error, WD_ERROR_FAILED, "socket");
		return NULL;
	}
	struct wd_asking *asking = wd_alloc(1, sizeof *asking);
	asking->descriptor = descriptor;
	asking->inbox.limit = ANSWER_LINE_MAX;
	WD_AUTO_TEXT struct wd_text line = {0};
	WD_AUTO_FREE char *text = wd_json_print(request);
	wd_text_add(&line, text);
	wd_text_add(&line, "\n");
	wd_time until = from_now(patience);
	if (!reach(descriptor, path, until, error) || !tell(descriptor, line.data, line.length, until, error))
		return wd_asking_free(asking);
	return asking;
}

struct wd_asking *wd_asking_free(struct wd_asking *asking)
{
	if (!asking)
		return NULL;
	close(asking->descriptor);
	wd_inbox_done(&asking->inbox);
	free(asking);
	return NULL;
}

int wd_asking_descriptor(const struct wd_asking *asking)
{
	return asking ? asking->descriptor : -1;
}

static bool receive(struct wd_asking *asking, wd_time until, struct wd_error *error)
{
	char chunk[16 * 1024];
	if (!await(asking->descriptor, POLLIN, until, error))
		return false;
	ssize_t got = read(asking->descriptor, chunk, sizeof chunk);
	if (got > 0)
		wd_inbox_put(&asking->inbox, chunk, (size_t)got);
	else if ((got == 0 || errno == ECONNRESET) && until == WD_NEVER)
		return wd_fail(error, WD_ERROR_NOT_RUNNING, "the watchdog has ended");
	else if (got == 0 || errno == ECONNRESET)
		return wd_fail(error, WD_ERROR_FAILED, "the watchdog went away before it had answered");
	else if (errno != EAGAIN && errno != EINTR)
		return wd_fail_errno(error, WD_ERROR_FAILED, "control socket");
	return true;
}

static bool next_line(struct wd_asking *asking, wd_time patience, struct wd_json **ret_line, struct wd_error *error)
{
	const char *line = NULL;
	size_t length = 0;
	wd_time until = from_now(patience);
	enum wd_inbox_end end;
	while ((end = wd_inbox_take(&asking->inbox, &line, &length)) == WD_INBOX_MORE)
		if (!receive(asking, until, error))
			return false;
	if (end == WD_INBOX_TOO_LONG)
		return wd_fail(error, WD_ERROR_FAILED, "the watchdog's answer is too long");
	struct wd_json *json = wd_json_parse(line, length, error);
	if (!json)
		return wd_fail_in(error, "the watchdog's answer");
	*ret_line = json;
	return true;
}

static bool said_error(const struct wd_json *line, struct wd_error *error)
{
	int64_t kind = wd_json_int(wd_json_get(line, "exit"), WD_ERROR_FAILED);
	if (kind <= WD_ERROR_NONE || kind > WD_ERROR_NOT_RUNNING)
		kind = WD_ERROR_FAILED;
	return wd_fail(error, (enum wd_error_kind)kind, "%s",
		       wd_json_string(wd_json_get(line, "error"), "unknown error"));
}

bool wd_asking_read(struct wd_asking *asking, wd_time patience, wd_control_data *on_data, void *data,
		    struct wd_error *error)
{
	for (;;) {
		WD_AUTO_JSON struct wd_json *line = NULL;
		if (!next_line(asking, patience, &line, error))
			return false;
		const struct wd_json *object = wd_json_get(line, "data");
		if (wd_json_get(line, "error"))
			return said_error(line, error);
		if (wd_json_bool(wd_json_get(line, "done"), false))
			return true;
		if (object && !on_data(data, object))
			return true;
	}
}

bool wd_control_ask(const char *path, const struct wd_json *request, wd_time patience, wd_control_data *on_data,
		    void *data, struct wd_error *error)
{
	struct wd_asking *asking = wd_asking_new(path, request, patience, error);
	if (!asking)
		return false;
	bool done = wd_asking_read(asking, patience, on_data, data, error);
	wd_asking_free(asking);
	return done;
}

enum wd_error_kind wd_control_probe(const char *path, pid_t *ret_pid)
{
	struct ucred peer = {0};
	socklen_t size = sizeof peer;
	struct wd_error error = {0};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return WD_ERROR_FAILED;
	if (reach(descriptor, path, from_now(WD_SECOND), &error))
		getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	close(descriptor);
	*ret_pid = peer.pid;
	return error.kind;
}
