#include "daemon.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The first run of exactly 64 hex digits. */
static bool find_id(const char *text, char ret_id[static 65])
{
	for (const char *at = text; *at;) {
		size_t length = 0;
		while (is_hex(at[length]))
			length++;
		if (length == 64) {
			memcpy(ret_id, at, 64);
			ret_id[64] = 0;
			return true;
		}
		at += length ? length : 1;
	}
	return false;
}

/* The Engine mounts /etc/hostname of each container from a folder that bears its id; other mounts of the host may bear
 * the ids of other containers, so only that one counts. */
static void find_own_container(struct wd_list *self)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], root[2048], where[2048], id[65];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %*s %2047s %2047s", root, where) != 2)
			continue;
		if (strcmp(where, "/etc/hostname") == 0 && find_id(root, id))
			wd_list_add(self, id);
	}
	fclose(file);
}

/* tcp://socket-proxy:2375 names a container; an address does not. */
static void find_proxy(struct wd_list *self, const struct wd_endpoint *endpoint)
{
	struct wd_text name = {0};
	const char *host = endpoint->base_url ? strstr(endpoint->base_url, "://") : NULL;

	if (endpoint->socket_path || !host)
		return;
	host += 3;
	wd_text_put(&name, host, strcspn(host, ":/"));
	if (!wd_text_equal(wd_text_get(&name), "localhost"))
		wd_list_add(self, wd_text_get(&name));
	wd_text_done(&name);
}

void wd_self_find(struct wd_list *ret_self, const struct wd_endpoint *endpoint, const struct wd_endpoint *write)
{
	find_own_container(ret_self);
	find_proxy(ret_self, endpoint);
	if (write)
		find_proxy(ret_self, write);
}

static socklen_t lock_address(const char *engine_id, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int name = snprintf(ret_address->sun_path + 1, sizeof(ret_address->sun_path) - 1, "seadog/%016llx",
			    (unsigned long long)wd_text_hash(engine_id));

	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)name);
}

bool wd_self_engine_holder(const char *engine_id, pid_t *ret_pid)
{
	struct sockaddr_un address;
	struct ucred peer = {0};
	socklen_t length = lock_address(engine_id, &address), size = sizeof(peer);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (probe < 0)
		return false;
	bool connected = connect(probe, (const struct sockaddr *)&address, length) == 0;
	bool held = connected || errno == EAGAIN; /* others ask at this moment */
	if (connected)
		getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	close(probe);
	if (held)
		*ret_pid = peer.pid;
	return held;
}

int wd_self_lock_engine(const char *engine_id, struct wd_error *error)
{
	struct sockaddr_un address;
	socklen_t length = lock_address(engine_id, &address);
	int lock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (lock < 0) {
		wd_fail_errno(error, WD_ERROR_FAILED, "socket");
		return -1;
	}
	if (bind(lock, (struct sockaddr *)&address, length) == 0 && listen(lock, 1) == 0)
		return lock;
	int failed = errno;
	close(lock);
	pid_t pid = 0;
	if (failed == EADDRINUSE && wd_self_engine_holder(engine_id, &pid) && pid > 0)
		wd_fail(error, WD_ERROR_REFUSED,
			"this Engine is guarded by another seadog already, pid %ld: stop that one first", (long)pid);
	else if (failed == EADDRINUSE)
		wd_fail(error, WD_ERROR_REFUSED,
			"this Engine is guarded by another seadog already, in another container: stop that one first");
	else
		wd_fail(error, WD_ERROR_FAILED, "lock of the Engine: %s", strerror(failed));
	return -1;
}

void wd_self_answer(int lock)
{
	int peer;

	while ((peer = accept4(lock, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(peer);
}
