/* tap LISTEN TARGET: a wire between a client and an Engine, both unix sockets, that says for each stop when the last die
 * of that container became readable for the client and when its stop request arrived:
 *   ID DIE_NS STOP_NS                nanoseconds since 1970, a line each
 * It is the same wire for every rival. Single connections wait for each other no longer than a write takes. */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WIRES_MAX 256
#define DEATHS_MAX 4096
#define ID_LENGTH 64

struct wire {
	int client, engine;
	char rest[8192]; /* what the Engine sent of a line that has not ended yet */
	size_t rest_length;
};

struct death {
	char id[ID_LENGTH];
	int64_t at;
};

static struct wire *wires[WIRES_MAX];
static size_t wire_count;
static struct death deaths[DEATHS_MAX];
static size_t death_count;

static int64_t now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_socket(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	if (fd < 0)
		fail(path);
	return fd;
}

static struct death *find_death(const char *id)
{
	for (size_t i = 0; i < death_count; i++)
		if (memcmp(deaths[i].id, id, ID_LENGTH) == 0)
			return &deaths[i];
	return NULL;
}

static void note_death(const char *id, int64_t at)
{
	struct death *death = find_death(id);
	if (death == NULL) {
		if (death_count == DEATHS_MAX)
			death_count = 0;
		death = &deaths[death_count++];
		memcpy(death->id, id, ID_LENGTH);
	}
	death->at = at;
}

static void read_line(const char *line, size_t length, int64_t at)
{
	static const char word[] = "\"Action\":\"die\"", before_id[] = "\"ID\":\"";
	const char *action = memmem(line, length, word, sizeof(word) - 1), *id;
	if (action == NULL)
		return;
	id = memmem(action, length - (size_t)(action - line), before_id, sizeof(before_id) - 1);
	if (id && (size_t)(line + length - id) > sizeof(before_id) + ID_LENGTH)
		note_death(id + sizeof(before_id) - 1, at);
}

/* The time is that of the write that ended the line. */
static void scan_answer(struct wire *wire, const char *bytes, size_t length, int64_t at)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			read_line(wire->rest, wire->rest_length, at);
			wire->rest_length = 0;
		} else if (wire->rest_length < sizeof(wire->rest)) {
			wire->rest[wire->rest_length++] = bytes[i];
		}
	}
}

static void scan_request(const char *bytes, size_t length, int64_t at)
{
	static const char before[] = "/containers/";
	const char *id;
	struct death *death;
	if (length < 5 || memcmp(bytes, "POST ", 5) != 0)
		return;
	id = memmem(bytes, length, before, sizeof(before) - 1);
	if (id == NULL || (size_t)(bytes + length - id) < sizeof(before) + ID_LENGTH + 5)
		return;
	id += sizeof(before) - 1;
	if (memcmp(id + ID_LENGTH, "/stop", 5) != 0 || (death = find_death(id)) == NULL)
		return;
	printf("%.*s %lld %lld\n", ID_LENGTH, id, (long long)death->at, (long long)at);
	fflush(stdout);
}

static void drop_wire(size_t index)
{
	close(wires[index]->client);
	close(wires[index]->engine);
	free(wires[index]);
	wires[index] = wires[--wire_count];
}

static void take_wire(int listener, const char *target)
{
	struct sockaddr_un address;
	struct wire *wire = calloc(1, sizeof(*wire));
	if (wire == NULL)
		fail("tap");
	wire->client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	wire->engine = open_socket(target, &address);
	wires[wire_count++] = wire;
	if (wire->client < 0 || connect(wire->engine, (struct sockaddr *)&address, sizeof(address)) < 0)
		drop_wire(wire_count - 1);
}

static bool put_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = send(fd, bytes, length, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		bytes += put;
		length -= (size_t)put;
	}
	return true;
}

static bool pass(struct wire *wire, bool from_engine)
{
	static char bytes[65536];
	ssize_t got = read(from_engine ? wire->engine : wire->client, bytes, sizeof(bytes));
	int64_t at = now();
	if (got <= 0)
		return false;
	if (!put_all(from_engine ? wire->client : wire->engine, bytes, (size_t)got))
		return false;
	if (from_engine)
		scan_answer(wire, bytes, (size_t)got, at);
	else
		scan_request(bytes, (size_t)got, at);
	return true;
}

static void turn(int listener, const char *target)
{
	static struct pollfd polls[1 + 2 * WIRES_MAX];
	size_t count = wire_count;
	polls[0] = (struct pollfd){.fd = count < WIRES_MAX ? listener : -1, .events = POLLIN};
	for (size_t i = 0; i < count; i++) {
		polls[1 + 2 * i] = (struct pollfd){.fd = wires[i]->client, .events = POLLIN};
		polls[2 + 2 * i] = (struct pollfd){.fd = wires[i]->engine, .events = POLLIN};
	}
	if (poll(polls, 1 + 2 * count, -1) < 0)
		return;
	for (size_t i = count; i-- > 0;)
		if ((polls[2 + 2 * i].revents && !pass(wires[i], true)) ||
		    (polls[1 + 2 * i].revents && !pass(wires[i], false)))
			drop_wire(i);
	if (polls[0].revents)
		take_wire(listener, target);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address;
	if (argc != 3) {
		fprintf(stderr, "usage: %s LISTEN TARGET\n", argv[0]);
		return 2;
	}
	unlink(argv[1]);
	int listener = open_socket(argv[1], &address);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 64) < 0)
		fail(argv[1]);
	for (;;)
		turn(listener, argv[2]);
}
