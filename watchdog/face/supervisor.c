#include "daemon.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <watchdog/memory.h>

struct wd_supervisor {
	struct wd_loop *loop;
	struct wd_timer *timer;
	int socket;
	struct sockaddr_un address;
	socklen_t length;
	wd_time period; /* 0: no watchdog */
};

static void pat(void *data)
{
	struct wd_supervisor *supervisor = data;

	wd_supervisor_say(supervisor, "WATCHDOG=1");
	wd_timer_set(supervisor->timer, wd_loop_now(supervisor->loop) + supervisor->period);
}

static bool take_address(struct wd_supervisor *supervisor, const char *path)
{
	size_t length = strlen(path);

	if (length < 2 || length >= sizeof(supervisor->address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return false;
	supervisor->address.sun_family = AF_UNIX;
	memcpy(supervisor->address.sun_path, path, length);
	if (path[0] == '@')
		supervisor->address.sun_path[0] = 0;
	supervisor->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return true;
}

/* WATCHDOG_USEC holds for the process that WATCHDOG_PID names; pat at half of it (sd_watchdog_enabled(3)). */
static wd_time watchdog_period(void)
{
	const char *span = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t number = 0;

	if (!span || !wd_number_parse(span, 1, INT64_MAX, &number, NULL))
		return 0;
	int64_t whose = getpid();
	if (pid && !wd_number_parse(pid, 1, INT64_MAX, &whose, NULL))
		return 0;
	return whose == getpid() ? number / 2 : 0;
}

struct wd_supervisor *wd_supervisor_new(struct wd_loop *loop)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct wd_supervisor *supervisor = wd_alloc(1, sizeof(*supervisor));

	supervisor->loop = loop;
	supervisor->socket = -1;
	if (!path || !take_address(supervisor, path))
		return supervisor;
	supervisor->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	supervisor->period = watchdog_period();
	if (supervisor->period) {
		supervisor->timer = wd_timer_new(loop, pat, supervisor);
		wd_timer_set(supervisor->timer, wd_loop_now(loop) + supervisor->period);
	}
	return supervisor;
}

struct wd_supervisor *wd_supervisor_free(struct wd_supervisor *supervisor)
{
	if (!supervisor)
		return NULL;
	if (supervisor->timer)
		wd_timer_free(supervisor->timer);
	if (supervisor->socket >= 0)
		close(supervisor->socket);
	free(supervisor);
	return NULL;
}

void wd_supervisor_say(struct wd_supervisor *supervisor, const char *state)
{
	if (supervisor->socket < 0)
		return;
	/* Nobody reading is the supervisor's affair, not ours. */
	ssize_t sent = sendto(supervisor->socket, state, strlen(state), MSG_NOSIGNAL,
			      (struct sockaddr *)&supervisor->address, supervisor->length);
	(void)sent;
}
