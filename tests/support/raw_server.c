#include "raw_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define CONNECTIONS 512

struct connection {
	struct raw_server *server;
	int descriptor;
	int nth;
	pthread_t thread;
};

struct raw_server {
	int listener;
	int stop;
	int port;
	char *path;
	raw_serve *serve;
	void *data;
	pthread_t thread;
	atomic_int count;
	struct connection connections[CONNECTIONS];
};

static void *serve_one(void *data)
{
	struct connection *connection = data;
	struct raw_server *server = connection->server;
	server->serve(server, connection->descriptor, connection->nth, server->data);
	shutdown(connection->descriptor, SHUT_RDWR);
	return NULL;
}

static void *accept_all(void *data)
{
	struct raw_server *server = data;
	for (;;) {
		struct pollfd polls[2] = {{.fd = server->listener, .events = POLLIN},
					  {.fd = server->stop, .events = POLLIN}};
		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[1].revents)
			return NULL;
		int descriptor = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		if (descriptor < 0)
			continue;
		int nth = atomic_load(&server->count);
		assert(nth < CONNECTIONS);
		server->connections[nth] = (struct connection){.server = server, .descriptor = descriptor, .nth = nth};
		pthread_create(&server->connections[nth].thread, NULL, serve_one, &server->connections[nth]);
		atomic_store(&server->count, nth + 1);
	}
}

static struct raw_server *start(int listener, raw_serve *serve, void *data)
{
	struct raw_server *server = wd_alloc(1, sizeof *server);
	server->listener = listener;
	server->serve = serve;
	server->data = data;
	server->stop = eventfd(0, EFD_CLOEXEC);
	if (listen(listener, CONNECTIONS) != 0 || pthread_create(&server->thread, NULL, accept_all, server) != 0)
		abort();
	return server;
}

struct raw_server *raw_server_unix(const char *path, raw_serve *serve, void *data)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	unlink(path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
		abort();
	struct raw_server *server = start(listener, serve, data);
	server->path = wd_copy(path);
	return server;
}

struct raw_server *raw_server_tcp(const char *text, raw_serve *serve, void *data)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	bool is_six = inet_pton(AF_INET6, text, &six.sin6_addr) == 1;
	inet_pton(AF_INET, text, &four.sin_addr);
	struct sockaddr *address = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
	socklen_t length = is_six ? sizeof six : sizeof four;
	int listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, address, length) != 0) {
		close(listener);
		return NULL;
	}
	getsockname(listener, address, &length);
	struct raw_server *server = start(listener, serve, data);
	server->port = ntohs(is_six ? six.sin6_port : four.sin_port);
	return server;
}

int raw_server_port(const struct raw_server *server)
{
	return server->port;
}

int raw_server_connections(const struct raw_server *server)
{
	return atomic_load(&server->count);
}

void raw_server_stop(struct raw_server *server)
{
	eventfd_write(server->stop, 1);
	pthread_join(server->thread, NULL);
	for (int i = 0; i < atomic_load(&server->count); i++)
		shutdown(server->connections[i].descriptor, SHUT_RDWR);
	for (int i = 0; i < atomic_load(&server->count); i++) {
		pthread_join(server->connections[i].thread, NULL);
		close(server->connections[i].descriptor);
	}
	close(server->listener);
	close(server->stop);
	if (server->path)
		unlink(server->path);
	free(server->path);
	free(server);
}

static size_t wanted_length(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	if (!end)
		return SIZE_MAX;
	const char *length = strcasestr(request, "\r\nContent-Length:");
	return (size_t)(end + 4 - request) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

char *raw_request(int connection)
{
	char *request = wd_alloc(1, 1);
	size_t length = 0;
	while (length < wanted_length(request)) {
		request = wd_realloc(request, length + 4097, 1);
		ssize_t got = recv(connection, request + length, 4096, 0);
		if (got <= 0) {
			free(request);
			return NULL;
		}
		length += (size_t)got;
		request[length] = '\0';
	}
	return request;
}

void raw_send(int connection, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

void raw_say(int connection, const char *text)
{
	raw_send(connection, text, strlen(text));
}

void raw_wait_for_close(int connection)
{
	char rest[4096];
	while (recv(connection, rest, sizeof rest, 0) > 0)
		;
}
