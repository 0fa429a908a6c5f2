#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gauge.h"
#include <watchdog/memory.h>

#define WINDOW_USEC 2000000.0 /* of which any multiple may be asked for without a privilege, since Linux 6.5 */
#define STALLS 3

struct wd_alarm {
	struct wd_alarm_wish wish;
	int bell;           /* epoll of what calls by EPOLLPRI, and of the eventfd; -1: the eventfd alone does */
	int called;         /* v1's eventfd, or -1 */
	int events;         /* v2's memory.events, the gauge's own, or -1 */
	int stalls[STALLS]; /* PSI triggers, or -1 */
	int trouble;        /* errno of what failed last */
};

/* Files of the kernel call by EPOLLPRI, which the loop does not know: a set of their own is readable. That set may only be
 * asked whether it is: a PSI trigger that was looked at has been heard, so nobody can be told afterwards which it was. */
static bool add(struct wd_alarm *alarm, int descriptor, uint32_t events)
{
	struct epoll_event event = {.events = events};
	if (epoll_ctl(alarm->bell, EPOLL_CTL_ADD, descriptor, &event) == 0)
		return true;
	alarm->trouble = errno;
	return false;
}

static bool write_whole(struct wd_alarm *alarm, int descriptor, const char *text, size_t length)
{
	ssize_t written;
	do
		written = write(descriptor, text, length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		alarm->trouble = errno;
	return written == (ssize_t)length;
}

/* --- v1: cgroup.event_control takes "EVENTFD FILE [THRESHOLD]" --------------------------------------------------------- */

static bool order(struct wd_alarm *alarm, int desk, int called, int file, uint64_t threshold)
{
	char text[64];
	if (file < 0)
		return false;
	int length = threshold == WD_UNLIMITED
			     ? snprintf(text, sizeof(text), "%d %d", called, file)
			     : snprintf(text, sizeof(text), "%d %d %llu", called, file, (unsigned long long)threshold);
	return write_whole(alarm, desk, text, (size_t)length);
}

/* One eventfd for both: what has happened, a look tells. It is the kernel's order as long as it is open. */
static void add_calls(struct wd_alarm *alarm, struct wd_gauge *gauge)
{
	const struct wd_alarm_wish *wish = &alarm->wish;
	int called = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int desk = wd_gauge_open_file(gauge, WD_TREE_MEMORY, "cgroup.event_control", NULL, O_WRONLY);
	bool good = false;
	if (called < 0 || desk < 0)
		alarm->trouble = errno;
	if (called >= 0 && desk >= 0 && wish->memory_bytes != WD_UNLIMITED)
		good = order(alarm, desk, called, wd_gauge_file(gauge, WD_FILE_USAGE), wish->memory_bytes);
	if (called >= 0 && desk >= 0 && wish->oom)
		good = order(alarm, desk, called, wd_gauge_file(gauge, WD_FILE_OOM), WD_UNLIMITED) || good;
	if (desk >= 0)
		close(desk);
	if (good)
		alarm->called = called;
	else if (called >= 0)
		close(called);
}

/* --- v2 ---------------------------------------------------------------------------------------------------------------- */

static void hear_events(const struct wd_alarm *alarm)
{
	char text[512];
	(void)!pread(alarm->events, text, sizeof(text), 0);
}

/* What was never read rings. */
static void add_events(struct wd_alarm *alarm, struct wd_gauge *gauge)
{
	alarm->events = wd_gauge_file(gauge, WD_FILE_OOM);
	if (alarm->events >= 0)
		hear_events(alarm);
	if (alarm->events >= 0 && !add(alarm, alarm->events, EPOLLPRI))
		alarm->events = -1;
}

/* The kernel takes the text with its NUL. */
static void add_stall(struct wd_alarm *alarm, struct wd_gauge *gauge, const char *name, double share, int *ret_stall)
{
	char text[64];
	if (!(share > 0))
		return;
	double usec = share < 1 ? share * WINDOW_USEC : WINDOW_USEC;
	int length = snprintf(text, sizeof(text), "some %.0f %.0f", usec < 1 ? 1 : usec, WINDOW_USEC);
	int file = wd_gauge_open_file(gauge, WD_TREE_UNIFIED, NULL, name, O_RDWR | O_NONBLOCK);
	if (file < 0)
		alarm->trouble = errno;
	else if (write_whole(alarm, file, text, (size_t)length + 1) && add(alarm, file, EPOLLPRI))
		*ret_stall = file;
	else
		close(file);
}

/* --- up and down ------------------------------------------------------------------------------------------------------- */

static void add_all(struct wd_alarm *alarm, struct wd_gauge *gauge)
{
	const struct wd_pressure *pressure = &alarm->wish.pressure;
	if (alarm->wish.memory_bytes != WD_UNLIMITED || alarm->wish.oom) {
		if (wd_gauge_on_v1(gauge, WD_TREE_MEMORY))
			add_calls(alarm, gauge);
		else
			add_events(alarm, gauge);
	}
	add_stall(alarm, gauge, "memory.pressure", pressure->memory, &alarm->stalls[0]);
	add_stall(alarm, gauge, "cpu.pressure", pressure->cpu, &alarm->stalls[1]);
	add_stall(alarm, gauge, "io.pressure", pressure->io, &alarm->stalls[2]);
}

static bool needs_set(const struct wd_alarm *alarm)
{
	return alarm->events >= 0 || alarm->stalls[0] >= 0 || alarm->stalls[1] >= 0 || alarm->stalls[2] >= 0;
}

static void close_one(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

struct wd_alarm *wd_alarm_new(struct wd_gauge *gauge, const struct wd_alarm_wish *wish, struct wd_error *error)
{
	struct wd_alarm *alarm = wd_alloc(1, sizeof(*alarm));
	*alarm =
		(struct wd_alarm){.wish = *wish, .called = -1, .events = -1, .stalls = {-1, -1, -1}, .trouble = ENOENT};
	alarm->bell = epoll_create1(EPOLL_CLOEXEC);
	if (alarm->bell < 0)
		alarm->trouble = errno;
	else
		add_all(alarm, gauge);
	if (!needs_set(alarm))
		close_one(&alarm->bell);
	else if (alarm->called >= 0 && !add(alarm, alarm->called, EPOLLIN))
		close_one(&alarm->called);
	if (alarm->bell >= 0 || alarm->called >= 0)
		return alarm;
	errno = alarm->trouble;
	wd_fail_errno(error, WD_ERROR_FAILED, "the kernel cannot call");
	return wd_alarm_free(alarm);
}

struct wd_alarm *wd_alarm_free(struct wd_alarm *alarm)
{
	if (!alarm)
		return NULL;
	close_one(&alarm->bell);
	close_one(&alarm->called);
	for (size_t i = 0; i < STALLS; i++)
		close_one(&alarm->stalls[i]);
	free(alarm);
	return NULL;
}

const struct wd_alarm_wish *wd_alarm_wish(const struct wd_alarm *alarm)
{
	return &alarm->wish;
}

int wd_alarm_descriptor(const struct wd_alarm *alarm)
{
	return alarm->bell >= 0 ? alarm->bell : alarm->called;
}

void wd_alarm_hear(struct wd_alarm *alarm)
{
	struct epoll_event heard[STALLS];
	uint64_t count;
	if (alarm->called >= 0)
		(void)!read(alarm->called, &count, sizeof(count));
	if (alarm->events >= 0)
		hear_events(alarm);
	if (alarm->bell >= 0)
		epoll_wait(alarm->bell, heard, STALLS, 0);
}
