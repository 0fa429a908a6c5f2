#include "little_engine.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/memory.h>

struct little_peer {
	TAILQ_ENTRY(little_peer) entry;
	struct little_engine *engine;
	int descriptor;
	struct wd_ready *ready;
	struct wd_text in, out;
	size_t written;
	bool listens; /* has asked for /events */
	size_t left;  /* bytes of the stream until it is cut */
	bool ends;    /* when all was written */
};

static void accept_peers(void *data, int events);

struct little_engine *little_engine_new(struct wd_loop *loop, const char *socket_path)
{
	struct little_engine *engine = wd_alloc(1, sizeof(*engine));

	engine->loop = loop;
	engine->socket_path = wd_copy(socket_path);
	engine->listener = -1;
	engine->ping_headers = "Api-Version: 1.45\r\nServer: Docker/26.1.5 (linux)\r\n";
	engine->version_body = "{\"Version\":\"26.1.5\",\"ApiVersion\":\"1.45\",\"MinAPIVersion\":\"1.24\"}";
	engine->labels = "{}";
	engine->images = 1;
	engine->cut_after = SIZE_MAX;
	TAILQ_INIT(&engine->peers);
	little_engine_open(engine);
	return engine;
}

void little_engine_open(struct little_engine *engine)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	engine->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", engine->socket_path);
	unlink(engine->socket_path);
	if (bind(engine->listener, (struct sockaddr *)&address, sizeof(address)) || listen(engine->listener, 128))
		abort();
	engine->ready = wd_ready_new(engine->loop, engine->listener, WD_READ, accept_peers, engine);
}

static void drop(struct little_peer *peer)
{
	TAILQ_REMOVE(&peer->engine->peers, peer, entry);
	peer->engine->open--;
	wd_ready_free(peer->ready);
	close(peer->descriptor);
	wd_text_done(&peer->in);
	wd_text_done(&peer->out);
	free(peer);
}

void little_engine_cut(struct little_engine *engine)
{
	struct little_peer *peer;

	while ((peer = TAILQ_FIRST(&engine->peers)))
		drop(peer);
}

void little_engine_close(struct little_engine *engine)
{
	little_engine_cut(engine);
	if (engine->listener < 0)
		return;
	engine->ready = wd_ready_free(engine->ready);
	close(engine->listener);
	unlink(engine->socket_path);
	engine->listener = -1;
}

void little_forget(struct little_engine *engine)
{
	for (size_t i = 0; i < engine->event_count; i++)
		free(engine->events[i].line);
	engine->event_count = 0;
}

void little_engine_free(struct little_engine *engine)
{
	little_engine_close(engine);
	little_forget(engine);
	free(engine->events);
	free(engine->socket_path);
	wd_text_done(&engine->asked);
	free(engine);
}

const char *little_id(unsigned number)
{
	static char buffers[8][65];
	static unsigned next;
	char *buffer = buffers[next++ % 8];

	snprintf(buffer, 65, "%016x%048d", number + 1, 0);
	return buffer;
}

/* Writing. What the socket does not take waits for it. */

static void flush_peer(struct little_peer *peer)
{
	while (peer->written < peer->out.length) {
		ssize_t done = send(peer->descriptor, peer->out.data + peer->written, peer->out.length - peer->written,
				    MSG_NOSIGNAL);

		if (done < 0)
			break;
		peer->written += (size_t)done;
	}
	if (peer->written == peer->out.length) {
		wd_text_clear(&peer->out);
		peer->written = 0;
		if (peer->ends)
			shutdown(peer->descriptor, SHUT_RDWR);
	}
	wd_ready_set(peer->ready, peer->written < peer->out.length ? WD_READ | WD_WRITE : WD_READ);
}

void little_raw(struct little_peer *peer, const char *bytes, size_t length)
{
	wd_text_put(&peer->out, bytes, length);
	flush_peer(peer);
}

void little_hang_up(struct little_peer *peer)
{
	peer->ends = true;
	flush_peer(peer);
}

void little_reply(struct little_peer *peer, int status, const char *type, const char *body)
{
	wd_text_print(&peer->out, "HTTP/1.1 %d Whatever\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", status,
		      type, strlen(body), body);
	flush_peer(peer);
}

static void chunk(struct little_peer *peer, const char *bytes, size_t length)
{
	size_t now = length < peer->left ? length : peer->left;

	if (peer->ends)
		return;
	if (now > 0) {
		wd_text_print(&peer->out, "%zx\r\n", now);
		wd_text_put(&peer->out, bytes, now);
		wd_text_add(&peer->out, "\r\n");
	}
	peer->left -= now;
	peer->ends = peer->left == 0;
	flush_peer(peer);
}

void little_say(struct little_engine *engine, const char *bytes, size_t length)
{
	struct little_peer *peer;

	TAILQ_FOREACH(peer, &engine->peers, entry)
	if (peer->listens)
		chunk(peer, bytes, length);
}

void little_event(struct little_engine *engine, wd_stamp stamp, const char *action, unsigned number)
{
	char *line = wd_format("{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":"
			       "{\"name\":\"c%u\",\"exitCode\":\"3\"}},\"timeNano\":%lld}\n",
			       action, little_id(number), number, (long long)stamp);

	engine->events = wd_realloc(engine->events, engine->event_count + 1, sizeof(*engine->events));
	engine->events[engine->event_count++] = (struct little_event){stamp, line};
	little_say(engine, line, strlen(line));
}

/* Answering. */

static wd_stamp stamp_of(const char *path, const char *name)
{
	const char *value = strstr(path, name);
	long long seconds = 0, nanoseconds = 0;

	if (!value)
		return INT64_MAX;
	if (sscanf(value + strlen(name), "%lld.%9lld", &seconds, &nanoseconds) < 1)
		abort();
	return seconds * 1000000000 + nanoseconds;
}

static void serve_past_events(struct little_peer *peer, wd_stamp until)
{
	struct little_engine *engine = peer->engine;
	WD_AUTO_TEXT struct wd_text body = {0};

	for (size_t i = 0; i < engine->event_count; i++)
		if (engine->events[i].stamp <= until)
			wd_text_add(&body, engine->events[i].line);
	little_reply(peer, 200, "application/json", wd_text_get(&body));
}

/* As moby does it: from the newest back to the first that is older, then forward. */
static void serve_events(struct little_peer *peer, const char *path)
{
	static const char head[] =
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct little_engine *engine = peer->engine;
	size_t first = engine->event_count;
	wd_stamp since = stamp_of(path, "since=");

	if (strstr(path, "until=")) {
		serve_past_events(peer, stamp_of(path, "until="));
		return;
	}
	engine->streams++;
	wd_text_add(&peer->out, head);
	peer->left = engine->cut_after;
	engine->cut_after = SIZE_MAX;
	while (first > 0 && engine->events[first - 1].stamp >= since)
		first--;
	peer->listens = true;
	if (peer->left == 0)
		little_hang_up(peer);
	for (size_t i = first; i < engine->event_count; i++)
		chunk(peer, engine->events[i].line, strlen(engine->events[i].line));
	flush_peer(peer);
}

static void serve_list(struct little_peer *peer)
{
	WD_AUTO_TEXT struct wd_text body = {0};

	peer->engine->lists++;
	wd_text_add(&body, "[");
	for (unsigned i = 0; i < peer->engine->containers; i++)
		wd_text_print(&body, "%s{\"Id\":\"%s\"}", i ? "," : "", little_id(i));
	wd_text_add(&body, "]");
	little_reply(peer, 200, "application/json", body.data);
}

static void serve_inspect(struct little_peer *peer, const char *id)
{
	struct little_engine *engine = peer->engine;
	WD_AUTO_TEXT struct wd_text body = {0};
	unsigned number = 0;

	engine->inspects++;
	while (number < engine->containers && strncmp(id, little_id(number), 64) != 0)
		number++;
	if (number == engine->containers) {
		little_reply(peer, 404, "application/json", "{\"message\":\"No such container\"}");
		return;
	}
	wd_text_print(&body,
		      "{\"Id\":\"%s\",\"Name\":\"/c%u\",\"Image\":\"sha256:%s\",\"RestartCount\":%u,"
		      "\"State\":{\"Status\":\"running\",\"Running\":true},"
		      "\"Config\":{\"Image\":\"acme/web\",\"Labels\":%s},"
		      "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}}",
		      little_id(number), number, little_id(number % engine->images), number, engine->labels);
	little_reply(peer, 200, "application/json", body.data);
}

static void serve_ping(struct little_peer *peer)
{
	peer->engine->pings++;
	wd_text_print(&peer->out, "HTTP/1.1 200 OK\r\n%sContent-Length: 2\r\n\r\nOK", peer->engine->ping_headers);
	flush_peer(peer);
}

static const char *without_version(const char *path)
{
	const char *slash = path[1] == 'v' && path[2] >= '0' && path[2] <= '9' ? strchr(path + 1, '/') : NULL;

	return slash ? slash : path;
}

static void serve(struct little_peer *peer, const char *method, const char *path)
{
	struct little_engine *engine = peer->engine;
	const char *rest = without_version(path);

	engine->requests++;
	wd_text_print(&engine->asked, "%s %s\n", method, path);
	if (engine->answer && engine->answer(engine->data, peer, method, path))
		return;
	if (strcmp(rest, "/_ping") == 0) {
		serve_ping(peer);
	} else if (strcmp(rest, "/version") == 0) {
		little_reply(peer, 200, "application/json", engine->version_body);
	} else if (strcmp(rest, "/info") == 0) {
		little_reply(peer, 200, "application/json",
			     "{\"ID\":\"LITTLE\",\"DockerRootDir\":\"/var/lib/little\"}");
	} else if (wd_text_starts(rest, "/events")) {
		serve_events(peer, rest);
	} else if (wd_text_starts(rest, "/containers/json")) {
		serve_list(peer);
	} else if (wd_text_starts(rest, "/containers/") && strcmp(method, "GET") == 0) {
		serve_inspect(peer, rest + strlen("/containers/"));
	} else if (wd_text_starts(rest, "/images/")) {
		engine->image_inspects++;
		little_reply(peer, 200, "application/json",
			     "{\"Id\":\"sha256:1\",\"Config\":{\"Labels\":{\"seadog.enable\":\"inherited\"}}}");
	} else {
		little_reply(peer, 404, "application/json", "{\"message\":\"page not found\"}");
	}
}

/* Takes one whole request out of what was read. */
static bool take_request(struct little_peer *peer)
{
	char *end = peer->in.data ? strstr(peer->in.data, "\r\n\r\n") : NULL;
	const char *body_length = end ? strcasestr(peer->in.data, "\r\nContent-Length:") : NULL;
	char method[8], path[2048];
	size_t whole;

	if (!end)
		return false;
	whole = (size_t)(end - peer->in.data) + 4;
	if (body_length && body_length < end)
		whole += strtoul(body_length + strlen("\r\nContent-Length:"), NULL, 10);
	if (peer->in.length < whole)
		return false;
	if (sscanf(peer->in.data, "%7s %2047s", method, path) != 2)
		abort();
	memmove(peer->in.data, peer->in.data + whole, peer->in.length - whole + 1);
	peer->in.length -= whole;
	serve(peer, method, path);
	return true;
}

static void talk_to_peer(void *data, int events)
{
	struct little_peer *peer = data;
	char bytes[4096];
	ssize_t length;

	if (events & WD_WRITE)
		flush_peer(peer);
	length = recv(peer->descriptor, bytes, sizeof(bytes), 0);
	if (length == 0 || (length < 0 && errno != EAGAIN)) {
		drop(peer);
		return;
	}
	if (length > 0)
		wd_text_put(&peer->in, bytes, (size_t)length);
	take_request(peer); /* curl sends one at a time */
}

static void accept_peers(void *data, int events)
{
	struct little_engine *engine = data;
	int descriptor;
	(void)events;

	while ((descriptor = accept4(engine->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct little_peer *peer = wd_alloc(1, sizeof(*peer));

		peer->engine = engine;
		peer->descriptor = descriptor;
		peer->ready = wd_ready_new(engine->loop, descriptor, WD_READ, talk_to_peer, peer);
		TAILQ_INSERT_TAIL(&engine->peers, peer, entry);
		engine->open++;
		if (engine->open > engine->most_open)
			engine->most_open = engine->open;
	}
}
