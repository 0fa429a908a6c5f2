#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/loop.h>
#include <watchdog/memory.h>

/* libev's own timers count on CLOCK_MONOTONIC, which stands still while the machine sleeps. So there are none: one
 * timerfd on CLOCK_BOOTTIME is the only source of time, the kernel wakes us behind a suspend, and the moments wait in a
 * heap. The timerfd has the lowest priority: what waits in a socket is read before a deadline passes on it. */
struct wd_loop {
	struct ev_loop *ev;
	ev_prepare before_sleep;
	ev_check after_sleep;
	ev_io clock_ready;
	int clock;
	wd_time now;
	wd_time woke; /* when the last sleep ended */
	wd_time lateness;
	wd_time alarm; /* what the timerfd is set to */
	struct wd_timer **heap;
	size_t heap_count;
	size_t heap_room;
	uint64_t order;
	wd_callback *each_turn;
	void *each_turn_data;
	size_t handles;
};

struct wd_timer {
	struct wd_loop *loop;
	wd_callback *callback;
	void *data;
	wd_time at;     /* WD_NEVER: not in the heap */
	uint64_t order; /* among equal moments: as they were set */
	size_t position;
};

static bool sooner(const struct wd_timer *one, const struct wd_timer *two)
{
	return one->at < two->at || (one->at == two->at && one->order < two->order);
}

static void heap_place(struct wd_loop *loop, size_t position, struct wd_timer *timer)
{
	loop->heap[position] = timer;
	timer->position = position;
}

static void heap_rise(struct wd_loop *loop, struct wd_timer *timer)
{
	size_t position = timer->position;
	while (position > 0 && sooner(timer, loop->heap[(position - 1) / 2])) {
		heap_place(loop, position, loop->heap[(position - 1) / 2]);
		position = (position - 1) / 2;
	}
	heap_place(loop, position, timer);
}

static void heap_sink(struct wd_loop *loop, struct wd_timer *timer)
{
	size_t position = timer->position;
	for (;;) {
		size_t child = 2 * position + 1;
		if (child + 1 < loop->heap_count && sooner(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (child >= loop->heap_count || !sooner(loop->heap[child], timer))
			break;
		heap_place(loop, position, loop->heap[child]);
		position = child;
	}
	heap_place(loop, position, timer);
}

static void heap_insert(struct wd_loop *loop, struct wd_timer *timer)
{
	if (loop->heap_count == loop->heap_room) {
		loop->heap_room = loop->heap_room ? 2 * loop->heap_room : 64;
		loop->heap = wd_realloc(loop->heap, loop->heap_room, sizeof(struct wd_timer *));
	}
	timer->position = loop->heap_count++;
	heap_rise(loop, timer);
}

static void heap_remove(struct wd_loop *loop, struct wd_timer *timer)
{
	struct wd_timer *last = loop->heap[--loop->heap_count];
	if (last == timer)
		return;
	heap_place(loop, timer->position, last);
	heap_rise(loop, last);
	heap_sink(loop, last);
}

struct wd_timer *wd_timer_new(struct wd_loop *loop, wd_callback *callback, void *data)
{
	struct wd_timer *timer = wd_alloc(1, sizeof *timer);
	*timer = (struct wd_timer){.loop = loop, .callback = callback, .data = data, .at = WD_NEVER};
	loop->handles++;
	return timer;
}

struct wd_timer *wd_timer_free(struct wd_timer *timer)
{
	if (timer) {
		wd_timer_set(timer, WD_NEVER);
		timer->loop->handles--;
		free(timer);
	}
	return NULL;
}

void wd_timer_set(struct wd_timer *timer, wd_time at)
{
	struct wd_loop *loop = timer->loop;
	if (timer->at != WD_NEVER)
		heap_remove(loop, timer);
	/* A moment that has passed comes with the next turn: a timer that sets itself to "now" cannot starve the rest. */
	timer->at = at > loop->now ? at : loop->now + 1;
	timer->order = loop->order++;
	if (at != WD_NEVER)
		heap_insert(loop, timer);
}

static wd_time heap_first(const struct wd_loop *loop)
{
	return loop->heap_count ? loop->heap[0]->at : WD_NEVER;
}

static void set_alarm(struct wd_loop *loop)
{
	wd_time at = heap_first(loop);
	if (at == loop->alarm)
		return;
	struct itimerspec when = {0}; /* all zero disarms */
	if (at != WD_NEVER) {
		when.it_value.tv_sec = (time_t)(at / WD_SECOND);
		when.it_value.tv_nsec = (long)(at % WD_SECOND) * 1000;
	}
	int failed = timerfd_settime(loop->clock, TFD_TIMER_ABSTIME, &when, NULL);
	assert(failed == 0);
	(void)failed;
	loop->alarm = at;
}

static void on_before_sleep(struct ev_loop *ev, ev_prepare *watcher, int events)
{
	struct wd_loop *loop = watcher->data;
	(void)ev, (void)events;
	if (loop->each_turn)
		loop->each_turn(loop->each_turn_data);
	set_alarm(loop);
}

static void on_after_sleep(struct ev_loop *ev, ev_check *watcher, int events)
{
	struct wd_loop *loop = watcher->data;
	(void)ev, (void)events;
	wd_time since = heap_first(loop);
	if (since < loop->woke) /* what was late by then was counted then: a turn may leave a timer to the next */
		since = loop->woke;
	loop->now = loop->woke = wd_time_now();
	if (since < loop->now && loop->now - since > loop->lateness)
		loop->lateness = loop->now - since;
}

static void on_clock(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct wd_loop *loop = watcher->data;
	(void)ev, (void)events;
	/* Expired and not read: setting it anew, which set_alarm() will do now, makes it unready as well. */
	loop->alarm = -1;
	while (loop->heap_count && loop->heap[0]->at <= loop->now) {
		struct wd_timer *timer = loop->heap[0];
		wd_timer_set(timer, WD_NEVER);
		timer->callback(timer->data);
	}
}

static void start_watchers(struct wd_loop *loop)
{
	ev_prepare_init(&loop->before_sleep, on_before_sleep);
	ev_check_init(&loop->after_sleep, on_after_sleep);
	ev_io_init(&loop->clock_ready, on_clock, loop->clock, EV_READ);
	ev_set_priority(&loop->before_sleep, EV_MINPRI);
	ev_set_priority(&loop->after_sleep, EV_MAXPRI);
	ev_set_priority(&loop->clock_ready, EV_MINPRI);
	loop->before_sleep.data = loop->after_sleep.data = loop->clock_ready.data = loop;
	ev_prepare_start(loop->ev, &loop->before_sleep);
	ev_check_start(loop->ev, &loop->after_sleep);
	ev_io_start(loop->ev, &loop->clock_ready);
}

struct wd_loop *wd_loop_new(struct wd_error *error)
{
	int clock = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (clock < 0) {
		wd_fail_errno(error, WD_ERROR_FAILED, "event loop: timerfd");
		return NULL;
	}
	/* NOENV: LIBEV_FLAGS of the environment is not one of our options. Epoll by name, as without a descriptor to spare
	 * libev would quietly take a slower way. */
	struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOSIGMASK | EVFLAG_NOENV);
	if (!ev) {
		wd_fail_errno(error, WD_ERROR_FAILED, "event loop: epoll");
		close(clock);
		return NULL;
	}
	struct wd_loop *loop = wd_alloc(1, sizeof *loop);
	*loop = (struct wd_loop){.ev = ev, .clock = clock, .now = wd_time_now(), .alarm = WD_NEVER};
	start_watchers(loop);
	return loop;
}

struct wd_loop *wd_loop_free(struct wd_loop *loop)
{
	if (!loop)
		return NULL;
	assert(loop->handles == 0);
	ev_io_stop(loop->ev, &loop->clock_ready);
	ev_check_stop(loop->ev, &loop->after_sleep);
	ev_prepare_stop(loop->ev, &loop->before_sleep);
	ev_loop_destroy(loop->ev);
	close(loop->clock);
	free(loop->heap);
	free(loop);
	return NULL;
}

void wd_loop_run(struct wd_loop *loop)
{
	loop->now = wd_time_now();
	ev_run(loop->ev, 0);
}

void wd_loop_stop(struct wd_loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

wd_time wd_loop_now(const struct wd_loop *loop)
{
	return loop->now;
}

wd_time wd_loop_lateness(struct wd_loop *loop)
{
	wd_time lateness = loop->lateness;
	loop->lateness = 0;
	return lateness;
}

void wd_loop_each_turn(struct wd_loop *loop, wd_callback *callback, void *data)
{
	loop->each_turn = callback;
	loop->each_turn_data = data;
}

struct wd_ready {
	ev_io io;
	struct wd_loop *loop;
	wd_ready_callback *callback;
	void *data;
};

static void on_ready(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct wd_ready *ready = watcher->data;
	(void)ev;
	int flags = (events & EV_READ ? WD_READ : 0) | (events & EV_WRITE ? WD_WRITE : 0);
	ready->callback(ready->data, flags);
}

struct wd_ready *wd_ready_new(struct wd_loop *loop, int descriptor, int events, wd_ready_callback *callback, void *data)
{
	struct wd_ready *ready = wd_alloc(1, sizeof *ready);
	*ready = (struct wd_ready){.loop = loop, .callback = callback, .data = data};
	ev_io_init(&ready->io, on_ready, descriptor, 0);
	ready->io.data = ready;
	loop->handles++;
	wd_ready_set(ready, events);
	return ready;
}

struct wd_ready *wd_ready_free(struct wd_ready *ready)
{
	if (ready) {
		ev_io_stop(ready->loop->ev, &ready->io);
		ready->loop->handles--;
		free(ready);
	}
	return NULL;
}

void wd_ready_set(struct wd_ready *ready, int events)
{
	int flags = (events & WD_READ ? EV_READ : 0) | (events & WD_WRITE ? EV_WRITE : 0);
	ev_io_stop(ready->loop->ev, &ready->io);
	ev_io_set(&ready->io, ready->io.fd, flags);
	if (flags)
		ev_io_start(ready->loop->ev, &ready->io);
}

struct wd_signal {
	ev_signal watcher;
	struct wd_loop *loop;
	wd_callback *callback;
	void *data;
};

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
	struct wd_signal *sig = watcher->data;
	(void)ev, (void)events;
	sig->callback(sig->data);
}

struct wd_signal *wd_signal_new(struct wd_loop *loop, int number, wd_callback *callback, void *data)
{
	struct wd_signal *sig = wd_alloc(1, sizeof *sig);
	*sig = (struct wd_signal){.loop = loop, .callback = callback, .data = data};
	ev_signal_init(&sig->watcher, on_signal, number);
	sig->watcher.data = sig;
	loop->handles++;
	ev_signal_start(loop->ev, &sig->watcher);
	return sig;
}

struct wd_signal *wd_signal_free(struct wd_signal *sig)
{
	if (sig) {
		ev_signal_stop(sig->loop->ev, &sig->watcher);
		sig->loop->handles--;
		free(sig);
	}
	return NULL;
}

struct wd_wake {
	ev_async watcher;
	struct wd_loop *loop;
	wd_callback *callback;
	void *data;
};

static void on_wake(struct ev_loop *ev, ev_async *watcher, int events)
{
	struct wd_wake *wake = watcher->data;
	(void)ev, (void)events;
	wake->callback(wake->data);
}

struct wd_wake *wd_wake_new(struct wd_loop *loop, wd_callback *callback, void *data)
{
	struct wd_wake *wake = wd_alloc(1, sizeof *wake);
	*wake = (struct wd_wake){.loop = loop, .callback = callback, .data = data};
	ev_async_init(&wake->watcher, on_wake);
	wake->watcher.data = wake;
	loop->handles++;
	ev_async_start(loop->ev, &wake->watcher);
	return wake;
}

struct wd_wake *wd_wake_free(struct wd_wake *wake)
{
	if (wake) {
		ev_async_stop(wake->loop->ev, &wake->watcher);
		wake->loop->handles--;
		free(wake);
	}
	return NULL;
}

void wd_wake_send(struct wd_wake *wake)
{
	ev_async_send(wake->loop->ev, &wake->watcher);
}

/* libev watches children only on its default loop, by SIGCHLD. A pidfd needs neither; where there is none (a kernel
 * before 5.3, a seccomp filter, no descriptor left) the child is asked for now and then. */
struct wd_child {
	struct wd_loop *loop;
	wd_child_callback *callback;
	void *data;
	pid_t pid;
	int pidfd;
	struct wd_ready *ended;
	struct wd_timer *again;
};

#define CHILD_POLL (50 * WD_MILLISECOND)
#define STATUS_UNKNOWN (255 << 8)

static void look_at_child(struct wd_child *child)
{
	int status = STATUS_UNKNOWN;
	pid_t got;
	while ((got = waitpid(child->pid, &status, WNOHANG)) < 0 && errno == EINTR)
		;
	if (got == 0) {
		if (child->again)
			wd_timer_set(child->again, wd_loop_now(child->loop) + CHILD_POLL);
		return;
	}
	child->ended = wd_ready_free(child->ended);
	child->again = wd_timer_free(child->again);
	child->callback(child->data, status);
}

static void on_child_ended(void *data, int events)
{
	(void)events;
	look_at_child(data);
}

static void on_child_again(void *data)
{
	look_at_child(data);
}

struct wd_child *wd_child_new(struct wd_loop *loop, pid_t pid, wd_child_callback *callback, void *data)
{
	struct wd_child *child = wd_alloc(1, sizeof *child);
	*child = (struct wd_child){.loop = loop, .callback = callback, .data = data, .pid = pid};
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
	if (child->pidfd >= 0) {
		child->ended = wd_ready_new(loop, child->pidfd, WD_READ, on_child_ended, child);
	} else {
		child->again = wd_timer_new(loop, on_child_again, child);
		wd_timer_set(child->again, wd_loop_now(loop));
	}
	loop->handles++;
	return child;
}

struct wd_child *wd_child_free(struct wd_child *child)
{
	if (child) {
		wd_ready_free(child->ended);
		wd_timer_free(child->again);
		if (child->pidfd >= 0)
			close(child->pidfd);
		child->loop->handles--;
		free(child);
	}
	return NULL;
}
