#include "server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server_inside.h"

#define POLL_MAX 2048
#define BITE (256 << 10)

wd_time fake_now(const struct fake *fake)
{
	return wd_time_now() - fake->born;
}

void fake_keep_up(struct fake *fake)
{
	wd_time behind = fake_now(fake) - model_now(fake->model);
	if (behind > 0)
		model_advance(fake->model, behind);
	stream_end_late(fake);
}

/* Connections */

static void link_free(struct link *link)
{
	if (link->ticket)
		model_forget(link->fake->model, link->ticket);
	close(link->fd);
	wd_text_done(&link->in);
	wd_text_done(&link->out);
	wd_json_free(link->filters);
	free(link->method);
	free(link->path);
	free(link);
}

static void take_link(struct fake *fake)
{
	int fd = accept4(fake->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct link *link = wd_alloc(1, sizeof(*link));
	link->fake = fake;
	link->fd = fd;
	link->next = fake->links;
	fake->links = link;
}

static void drop_dead(struct fake *fake)
{
	for (struct link **slot = &fake->links; *slot;) {
		struct link *link = *slot;
		if (!link->dead) {
			slot = &link->next;
			continue;
		}
		*slot = link->next;
		link_free(link);
	}
}

static void receive(struct link *link)
{
	char buffer[65536];
	ssize_t got = read(link->fd, buffer, sizeof(buffer));
	if (got > 0)
		wd_text_put(&link->in, buffer, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		link->dead = true;
}

static bool is_held(const struct link *link)
{
	return link->held_until > wd_time_now();
}

static void transmit(struct link *link)
{
	while (!link->dead && !is_held(link) && link->sent < link->out.length) {
		size_t left = link->out.length - link->sent;
		ssize_t put = send(link->fd, link->out.data + link->sent, left < BITE ? left : BITE, MSG_NOSIGNAL);
		if (put < 0) {
			link->dead = errno != EAGAIN && errno != EINTR;
			return;
		}
		link->sent += (size_t)put;
	}
	if (link->sent < link->out.length)
		return;
	wd_text_clear(&link->out);
	link->sent = 0;
	link->held_until = 0;
	link->dead = link->dead || link->closing;
}

/* The thread */

static int poll_timeout(const struct fake *fake)
{
	wd_time wake = model_wake(fake->model);
	wd_time span = wake == WD_NEVER ? WD_HOUR : wake - fake_now(fake);
	for (const struct link *link = fake->links; link; link = link->next) {
		if (link->held_until && link->held_until - wd_time_now() < span)
			span = link->held_until - wd_time_now();
		if (link->streaming && link->until && span > 100 * WD_MILLISECOND)
			span = 100 * WD_MILLISECOND;
	}
	return span <= 0 ? 0 : span > WD_HOUR ? 3600000 : (int)((span + WD_MILLISECOND - 1) / WD_MILLISECOND);
}

static nfds_t fill(struct fake *fake, struct pollfd *polls, struct link **links)
{
	nfds_t count = 2;
	polls[0] = (struct pollfd){.fd = fake->waker, .events = POLLIN};
	polls[1] = (struct pollfd){.fd = fake->listener, .events = POLLIN};
	for (struct link *link = fake->links; link && count < POLL_MAX; link = link->next) {
		bool waits = link->sent < link->out.length && !is_held(link);
		links[count] = link;
		polls[count++] = (struct pollfd){.fd = link->fd, .events = (short)(POLLIN | (waits ? POLLOUT : 0))};
	}
	return count;
}

static void serve(struct fake *fake, const struct pollfd *polls, struct link **links, nfds_t count)
{
	uint64_t ignored;
	if (polls[0].revents && read(fake->waker, &ignored, sizeof(ignored)) < 0)
		ignored = 0;
	fake_keep_up(fake);
	if (polls[1].revents)
		take_link(fake);
	for (nfds_t i = 2; i < count; i++)
		if (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) {
			receive(links[i]);
			if (!links[i]->dead)
				link_read(links[i]);
		}
	for (struct link *link = fake->links; link; link = link->next) {
		transmit(link);
		if (!link->dead && !link->busy)
			link_read(link);
	}
	drop_dead(fake);
}

static void *run(void *data)
{
	struct fake *fake = data;
	static _Thread_local struct pollfd polls[POLL_MAX];
	static _Thread_local struct link *links[POLL_MAX];
	pthread_mutex_lock(&fake->lock);
	while (!fake->ending) {
		nfds_t count = fill(fake, polls, links);
		int timeout = poll_timeout(fake);
		pthread_mutex_unlock(&fake->lock);
		poll(polls, count, timeout);
		pthread_mutex_lock(&fake->lock);
		serve(fake, polls, links, count);
	}
	pthread_mutex_unlock(&fake->lock);
	return NULL;
}

static void wake(struct fake *fake)
{
	uint64_t one = 1;
	if (write(fake->waker, &one, sizeof(one)) < 0)
		return; /* the counter is full: it wakes anyway */
}

static int listen_at(const char *path, struct wd_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		wd_fail(error, WD_ERROR_USAGE, "%s: too long for a socket", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 128) == 0)
		return fd;
	wd_fail_errno(error, WD_ERROR_FAILED, "%s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct fake *fake_start(const char *path, enum model_flavour flavour, struct wd_error *error)
{
	int listener = listen_at(path, error);
	if (listener < 0)
		return NULL;
	struct fake *fake = wd_alloc(1, sizeof(*fake));
	fake->path = wd_copy(path);
	fake->listener = listener;
	fake->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fake->born = wd_time_now();
	fake->model = model_new(flavour, wd_stamp_now());
	model_listen(fake->model, stream_event, fake);
	pthread_mutex_init(&fake->lock, NULL);
	pthread_create(&fake->thread, NULL, run, fake);
	return fake;
}

struct fake *fake_stop(struct fake *fake)
{
	if (fake == NULL)
		return NULL;
	pthread_mutex_lock(&fake->lock);
	fake->ending = true;
	wake(fake);
	pthread_mutex_unlock(&fake->lock);
	pthread_join(fake->thread, NULL);
	for (struct link *link = fake->links; link; link = link->next)
		link->dead = true;
	drop_dead(fake);
	unlink(fake->path);
	close(fake->listener);
	close(fake->waker);
	control(fake, "DELETE", "/_fake/fault", "", NULL);
	control(fake, "DELETE", "/_fake/calls", "", NULL);
	model_free(fake->model);
	pthread_mutex_destroy(&fake->lock);
	free(fake->calls);
	free(fake->path);
	free(fake);
	return NULL;
}

struct model *fake_lock(struct fake *fake)
{
	pthread_mutex_lock(&fake->lock);
	fake_keep_up(fake);
	return fake->model;
}

void fake_unlock(struct fake *fake)
{
	wake(fake);
	pthread_mutex_unlock(&fake->lock);
}

bool fake_control(struct fake *fake, const char *method, const char *path, const char *body)
{
	fake_lock(fake);
	int status = control(fake, method, path, body, NULL);
	fake_unlock(fake);
	return status == 200;
}

static bool call_matches(const struct called *called, const char *glob)
{
	WD_AUTO_FREE char *call = wd_format("%s %.*s", called->method, (int)strcspn(called->path, "?"), called->path);
	return wd_glob_match(glob, call);
}

unsigned fake_calls(struct fake *fake, const char *glob)
{
	unsigned count = 0;
	fake_lock(fake);
	for (size_t i = 0; i < fake->call_count; i++)
		count += call_matches(&fake->calls[i], glob);
	fake_unlock(fake);
	return count;
}

wd_time fake_call_at(struct fake *fake, const char *glob)
{
	wd_time at = -1;
	fake_lock(fake);
	for (size_t i = 0; at < 0 && i < fake->call_count; i++)
		if (call_matches(&fake->calls[i], glob))
			at = fake->calls[i].at;
	fake_unlock(fake);
	return at;
}

unsigned fake_streams(struct fake *fake)
{
	unsigned count = 0;
	fake_lock(fake);
	for (const struct link *link = fake->links; link; link = link->next)
		count += link->streaming && !link->closing;
	fake_unlock(fake);
	return count;
}
