#include <watchdog/control.h>

#include "request.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define PEERS_MAX 64
#define ANSWER_MAX ((size_t)4 * 1024 * 1024)
#define PATIENCE (10 * WD_SECOND)
#define GROUPS_MAX 1024

/* ASKING until its request is whole, LENT while the handler has it, LEAVING while the rest of the answer goes out. A
 * peer is freed by its own callbacks only, never below a call of the handler. */
enum peer_state { PEER_ASKING, PEER_LENT, PEER_LEAVING };

struct wd_peer {
	struct wd_control *control;
	enum peer_state state;
	int descriptor;
	bool deaf;   /* it has shut its sending side: nothing more is to be read */
	bool broken; /* to be dropped as soon as the loop turns */
	struct wd_ready *ready;
	struct wd_timer *timer;
	struct wd_inbox inbox;
	struct wd_text answer;
	size_t sent;
};

struct wd_control {
	struct wd_loop *loop;
	char *path;
	dev_t device; /* of the socket's name, so that only our own is removed */
	ino_t inode;
	int descriptor;
	struct wd_ready *ready;
	struct wd_timer *rest; /* no descriptors left: accept again later */
	wd_time patience;      /* with a peer that is to say its request, or to take the rest of its answer */
	wd_control_request *on_request;
	wd_control_left *on_left;
	void *data;
	struct wd_peer *peers[PEERS_MAX];
};

static void peer_watch(struct wd_peer *peer)
{
	int events = peer->sent < peer->answer.length ? WD_WRITE : 0;
	if (peer->state != PEER_LEAVING && !peer->deaf)
		events |= WD_READ;
	wd_ready_set(peer->ready, events);
}

static void peer_enter(struct wd_peer *peer, enum peer_state state)
{
	assert(state == peer->state + 1 || (peer->state == PEER_ASKING && state == PEER_LEAVING));
	peer->state = state;
	wd_timer_set(peer->timer,
		     state == PEER_LENT ? WD_NEVER : wd_loop_now(peer->control->loop) + peer->control->patience);
	peer_watch(peer);
}

static void peer_free(struct wd_peer *peer)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peer->control->peers[i] == peer)
			peer->control->peers[i] = NULL;
	wd_ready_free(peer->ready);
	wd_timer_free(peer->timer);
	close(peer->descriptor);
	wd_inbox_done(&peer->inbox);
	wd_text_done(&peer->answer);
	free(peer);
}

static void peer_drop(struct wd_peer *peer)
{
	if (peer->state == PEER_LENT)
		peer->control->on_left(peer->control->data, peer);
	peer_free(peer);
}

static void peer_break(struct wd_peer *peer)
{
	peer->broken = true;
	wd_text_clear(&peer->answer);
	peer->sent = 0;
	wd_ready_set(peer->ready, 0);
	wd_timer_set(peer->timer, wd_loop_now(peer->control->loop));
}

/* What was sent makes room once it is half of all, so that a stream that never runs dry does not grow for ever. */
static void peer_compact(struct wd_peer *peer)
{
	if (peer->sent < peer->answer.length - peer->sent)
		return;
	if (peer->sent > 0)
		memmove(peer->answer.data, peer->answer.data + peer->sent, peer->answer.length - peer->sent);
	peer->answer.length -= peer->sent;
	peer->sent = 0;
}

static void peer_say(struct wd_peer *peer, struct wd_json *line_taken)
{
	WD_AUTO_FREE char *text = wd_json_print(line_taken);
	wd_json_free(line_taken);
	if (peer->broken)
		return;
	peer_compact(peer);
	wd_text_add(&peer->answer, text);
	wd_text_add(&peer->answer, "\n");
	if (peer->answer.length - peer->sent > ANSWER_MAX)
		peer_break(peer);
	else
		peer_watch(peer);
}

void wd_peer_send(struct wd_peer *peer, struct wd_json *data_taken)
{
	assert(peer->state == PEER_LENT);
	struct wd_json *line = wd_json_object();
	wd_json_set(line, "data", data_taken);
	peer_say(peer, line);
}

/* A broken peer that is finished meanwhile goes in silence: its state is no longer LENT when the timer fires. */
static void peer_leave(struct wd_peer *peer)
{
	peer_enter(peer, PEER_LEAVING);
	if (peer->broken)
		peer_break(peer);
}

void wd_peer_finish(struct wd_peer *peer)
{
	assert(peer->state == PEER_LENT);
	struct wd_json *line = wd_json_object();
	wd_json_set_bool(line, "done", true);
	peer_say(peer, line);
	peer_leave(peer);
}

static void peer_say_error(struct wd_peer *peer, enum wd_error_kind kind, const char *text)
{
	struct wd_json *line = wd_json_object();
	wd_json_set_string(line, "error", text);
	wd_json_set_int(line, "exit", kind);
	peer_say(peer, line);
	peer_leave(peer);
}

void wd_peer_refuse(struct wd_peer *peer, enum wd_error_kind kind, const char *format, ...)
{
	assert(peer->state == PEER_LENT);
	struct wd_error error = {0};
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error.text, sizeof error.text, format, arguments);
	va_end(arguments);
	peer_say_error(peer, kind, error.text);
}

static void peer_request(struct wd_peer *peer, const char *line, size_t length)
{
	WD_AUTO_JSON struct wd_json *request = NULL;
	const char *verb = NULL;
	struct wd_error error = {0};
	if (!wd_request_read(line, length, &request, &verb, &error)) {
		peer_say_error(peer, error.kind, error.text);
		return;
	}
	if (!wd_inbox_empty(&peer->inbox)) {
		peer_say_error(peer, WD_ERROR_USAGE, "one request for each connection");
		return;
	}
	peer_enter(peer, PEER_LENT);
	peer->control->on_request(peer->control->data, peer, verb, request);
}

/* An end of file is a command that left, or one that only has nothing more to say (`nc -N`): poll(2) knows. */
static void peer_ended(struct wd_peer *peer)
{
	struct pollfd look = {.fd = peer->descriptor};
	if (peer->state == PEER_ASKING || (poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)))) {
		peer_drop(peer);
		return;
	}
	peer->deaf = true;
	peer_watch(peer);
}

static void peer_read(struct wd_peer *peer)
{
	char chunk[16 * 1024];
	ssize_t got = read(peer->descriptor, chunk, sizeof chunk);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == 0) {
		peer_ended(peer);
		return;
	}
	if (got < 0 || peer->state != PEER_ASKING) {
		peer_drop(peer);
		return;
	}
	wd_inbox_put(&peer->inbox, chunk, (size_t)got);
	const char *line = NULL;
	size_t length = 0;
	switch (wd_inbox_take(&peer->inbox, &line, &length)) {
	case WD_INBOX_MORE:
		break;
	case WD_INBOX_LINE:
		peer_request(peer, line, length);
		break;
	case WD_INBOX_TOO_LONG:
		peer_say_error(peer, WD_ERROR_USAGE, "a request has at most 65536 bytes");
		break;
	}
}

/* Returns false when the peer is no more. */
static bool peer_write(struct wd_peer *peer)
{
	ssize_t put =
		send(peer->descriptor, peer->answer.data + peer->sent, peer->answer.length - peer->sent, MSG_NOSIGNAL);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (put < 0) {
		peer_drop(peer);
		return false;
	}
	peer->sent += (size_t)put;
	if (peer->state == PEER_LEAVING) {
		if (peer->sent == peer->answer.length) {
			peer_free(peer);
			return false;
		}
		wd_timer_set(peer->timer, wd_loop_now(peer->control->loop) + peer->control->patience);
	}
	peer_watch(peer);
	return true;
}

static void on_peer_ready(void *data, int events)
{
	struct wd_peer *peer = data;
	if ((events & WD_WRITE) && peer->sent < peer->answer.length && !peer_write(peer))
		return;
	if ((events & WD_READ) && peer->state != PEER_LEAVING && !peer->deaf)
		peer_read(peer);
}

static void on_peer_late(void *data)
{
	peer_drop(data);
}

static struct wd_peer **free_seat(struct wd_control *control)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (!control->peers[i])
			return &control->peers[i];
	return NULL;
}

/* Too early for a peer of its own: what fits into the empty socket is said, then it is closed. */
static void turn_away(int descriptor, enum wd_error_kind kind, const char *text)
{
	WD_AUTO_FREE char *line = wd_format("{\"error\":\"%s\",\"exit\":%d}\n", text, (int)kind);
	ssize_t put = send(descriptor, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)put;
	close(descriptor);
}

static bool in_groups(int descriptor, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof groups;
	if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof *groups; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The mode of the socket keeps others out already; a descriptor that was handed on would not be. */
static bool may_ask(const struct wd_control *control, int descriptor)
{
	struct ucred who = {0};
	socklen_t size = sizeof who;
	if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
		return false;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	struct stat socket_file;
	if (stat(control->path, &socket_file) != 0)
		return false;
	return who.gid == socket_file.st_gid || in_groups(descriptor, socket_file.st_gid);
}

static void peer_new(struct wd_control *control, int descriptor, struct wd_peer **seat)
{
	struct wd_peer *peer = wd_alloc(1, sizeof *peer);
	peer->control = control;
	peer->descriptor = descriptor;
	peer->inbox.limit = WD_REQUEST_MAX;
	peer->ready = wd_ready_new(control->loop, descriptor, WD_READ, on_peer_ready, peer);
	peer->timer = wd_timer_new(control->loop, on_peer_late, peer);
	wd_timer_set(peer->timer, wd_loop_now(control->loop) + control->patience);
	*seat = peer;
}

static void welcome(struct wd_control *control, int descriptor)
{
	struct wd_peer **seat = free_seat(control);
	if (!may_ask(control, descriptor))
		turn_away(descriptor, WD_ERROR_REFUSED,
			  "only root, the watchdog's own user and the socket's group may ask");
	else if (!seat)
		turn_away(descriptor, WD_ERROR_FAILED, "too many commands at once");
	else
		peer_new(control, descriptor, seat);
}

static void on_knock(void *data, int events)
{
	struct wd_control *control = data;
	(void)events;
	for (int i = 0; i < PEERS_MAX; i++) {
		int descriptor = accept4(control->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (descriptor >= 0) {
			welcome(control, descriptor);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			wd_ready_set(control->ready, 0);
			wd_timer_set(control->rest, wd_loop_now(control->loop) + WD_SECOND);
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void on_rested(void *data)
{
	struct wd_control *control = data;
	wd_ready_set(control->ready, WD_READ);
}

static bool make_directory(const char *path, struct wd_error *error)
{
	WD_AUTO_FREE char *directory = wd_copy(path);
	char *slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return true;
	*slash = '\0';
	if (mkdir(directory, 0750) == 0 || errno == EEXIST)
		return true;
	return wd_fail_errno(error, WD_ERROR_FAILED, "%s", directory);
}

/* A name that a dead watchdog left is removed; one that answers is another watchdog's. */
static bool clear_name(const struct sockaddr_un *address, struct wd_error *error)
{
	struct stat found;
	if (lstat(address->sun_path, &found) != 0)
		return errno == ENOENT || wd_fail_errno(error, WD_ERROR_FAILED, "%s", address->sun_path);
	if (!S_ISSOCK(found.st_mode))
		return wd_fail(error, WD_ERROR_REFUSED, "%s: is there and is no socket", address->sun_path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "socket");
	bool dead = connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
	close(probe);
	if (!dead)
		return wd_fail(error, WD_ERROR_REFUSED, "%s: another watchdog listens there", address->sun_path);
	if (unlink(address->sun_path) != 0 && errno != ENOENT)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s", address->sun_path);
	return true;
}

/* The mode is given to the socket before it has a name, so that it never has a wider one; the umask may have narrowed
 * it, which chmod(2) mends. */
static bool bind_name(int descriptor, const struct sockaddr_un *address, struct wd_error *error)
{
	if (fchmod(descriptor, 0660) != 0 || bind(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 ||
	    chmod(address->sun_path, 0660) != 0 || listen(descriptor, PEERS_MAX) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "%s", address->sun_path);
	return true;
}

static int listen_at(const char *path, struct wd_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) {
		wd_fail(error, WD_ERROR_USAGE, "%s: a socket's path has at most %zu bytes", path,
			sizeof address.sun_path - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (!make_directory(path, error) || !clear_name(&address, error))
		return -1;
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0) {
		wd_fail_errno(error, WD_ERROR_FAILED, "socket");
		return -1;
	}
	if (!bind_name(descriptor, &address, error)) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

struct wd_control *wd_control_open(struct wd_loop *loop, const char *path, wd_control_request *on_request,
				   wd_control_left *on_left, void *data, struct wd_error *error)
{
	int descriptor = listen_at(path, error);
	if (descriptor < 0) {
		wd_fail_in(error, "control socket");
		return NULL;
	}
	struct wd_control *control = wd_alloc(1, sizeof *control);
	struct stat named = {0};
	stat(path, &named);
	control->device = named.st_dev;
	control->inode = named.st_ino;
	control->loop = loop;
	control->patience = PATIENCE;
	control->path = wd_copy(path);
	control->descriptor = descriptor;
	control->on_request = on_request;
	control->on_left = on_left;
	control->data = data;
	control->ready = wd_ready_new(loop, descriptor, WD_READ, on_knock, control);
	control->rest = wd_timer_new(loop, on_rested, control);
	return control;
}

void wd_control_hurry(struct wd_control *control, wd_time patience)
{
	control->patience = patience;
}

/* What a peer would still be told goes out as far as its socket takes it now. */
static void peer_farewell(struct wd_peer *peer)
{
	if (peer->sent < peer->answer.length) {
		ssize_t put = send(peer->descriptor, peer->answer.data + peer->sent, peer->answer.length - peer->sent,
				   MSG_NOSIGNAL);
		(void)put;
	}
	peer_free(peer);
}

struct wd_control *wd_control_close(struct wd_control *control)
{
	if (!control)
		return NULL;
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (control->peers[i])
			peer_farewell(control->peers[i]);
	struct stat named;
	if (stat(control->path, &named) == 0 && named.st_dev == control->device && named.st_ino == control->inode)
		unlink(control->path);
	wd_ready_free(control->ready);
	wd_timer_free(control->rest);
	close(control->descriptor);
	free(control->path);
	free(control);
	return NULL;
}
