/* endpoint.h: which Engine: --host, [engine] host, DOCKER_HOST, the docker context in use, the usual sockets.
 * Order as the docker client has it (docker/cli 28.5 cli/command/cli.go resolveContextName): DOCKER_HOST beats
 * DOCKER_CONTEXT, which beats `currentContext` of the client's config.json.
 */
#ifndef WATCHDOG_ENDPOINT_H
#define WATCHDOG_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <watchdog/error.h>
#include <watchdog/text.h>

struct wd_endpoint {
	char *host;        /* as people write it: "unix:///var/run/docker.sock", "tcp://10.0.0.5:2376" */
	char *socket_path; /* unix, else NULL */
	char *base_url;    /* "http://localhost" for unix, "http(s)://host:port" for tcp */
	char *tls_ca, *tls_cert, *tls_key; /* PEM files or NULL */
	bool tls_insecure;
	char *origin;      /* "--host", "DOCKER_HOST", "docker context \"lab\"", "the usual socket" */
	char *version;     /* DOCKER_API_VERSION: fixes the version, or NULL */
};
void wd_endpoint_done(struct wd_endpoint *endpoint);

struct wd_endpoint_wish {
	const char *host;       /* --host or [engine] host, or NULL */
	const char *host_origin; /* "--host", "/etc/seadog/seadog.conf:3" */
	const char *tls_ca, *tls_cert, *tls_key; /* [engine] tls_*: one of them means TLS with verification */
	char *const *environment;                /* "NAME=value", ends with NULL */
};

/* Finds it; does not connect, but the usual sockets are looked for on disk (system, rootless docker, podman). Schemes
 * unix, tcp, http, https; ssh, npipe and fd are refused with what to do instead. */
bool wd_endpoint_find(const struct wd_endpoint_wish *wish, struct wd_endpoint *ret_endpoint, struct wd_error *error);

/* What the docker client's config.json has for the registry of an image, as X-Registry-Auth; NULL where it has nothing, or
 * only the name of a helper. The caller frees. */
char *wd_endpoint_credentials(char *const *environment, const char *image);
/* Where there is nothing: the helper that keeps it ("pass", of docker-credential-pass), or NULL. It is not run: it would be a program of
 * somebody else's beside the Engine's socket, and could ask whom it likes. The caller frees. */
char *wd_endpoint_helper(char *const *environment, const char *image);

/* The parts it is made of; the first four touch nothing but their arguments. What they return the caller frees. */

/* host, socket_path and base_url of "unix:///path", "tcp://name:2375", "/path", "name:2375". With tls, tcp means port
 * 2376 and https. */
bool wd_endpoint_parse(const char *host, bool tls, struct wd_endpoint *ret_endpoint, struct wd_error *error);

/* `currentContext` of a config.json; NULL where none, or "default", is in use. */
bool wd_context_current(const char *text, size_t length, char **ret_name, struct wd_error *error);

/* X-Registry-Auth for an image by the text of a config.json, or NULL. */
char *wd_context_login(const char *text, size_t length, const char *image);
char *wd_context_helper(const char *text, size_t length, const char *image);

/* Host and SkipTLSVerify of a context's meta.json. */
bool wd_context_read(const char *text, size_t length, char **ret_host, bool *ret_insecure, struct wd_error *error);

/* Where Docker, rootless Docker and Podman usually listen, and the first of such places that is a socket. */
void wd_endpoint_usual_sockets(char *const *environment, struct wd_list *ret_places);
bool wd_endpoint_first_socket(const struct wd_list *places, char **ret_path, struct wd_error *error);

#endif
