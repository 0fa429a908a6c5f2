/* raw_server.h: a server that speaks bytes, not HTTP: each connection has a thread, and the test says what it sends. */
#ifndef TESTS_RAW_SERVER_H
#define TESTS_RAW_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct raw_server;

/* Serves one connection; nth counts from 0; it is closed behind the return. */
typedef void raw_serve(struct raw_server *server, int connection, int nth, void *data);

struct raw_server *raw_server_unix(const char *path, raw_serve *serve, void *data);
struct raw_server *raw_server_tcp(const char *address, raw_serve *serve, void *data); /* NULL without such an address */
int raw_server_port(const struct raw_server *server);
int raw_server_connections(const struct raw_server *server);
void raw_server_stop(struct raw_server *server); /* ends all connections, waits for their threads */

/* For serving threads. The request is NUL-terminated, with its body; NULL when the client hung up. The caller frees. */
char *raw_request(int connection);
void raw_send(int connection, const char *bytes, size_t length);
void raw_say(int connection, const char *text);
void raw_wait_for_close(int connection);

#endif
