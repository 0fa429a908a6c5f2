/* endpoint.h: which Engine: --host, [engine] host, DOCKER_HOST, the docker context in use, the usual sockets.
 * Order as the docker client has it (docker/cli 28.5 cli/command/cli.go resolveContextName): DOCKER_HOST beats
 * DOCKER_CONTEXT, which beats `currentContext` of the client's config.json.
 */
#ifndef WATCHDOG_ENDPOINT_H
#define WATCHDOG_ENDPOINT_H

#include <watchdog/error.h>
#include <stdbool.h>

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
	const char *tls_ca, *tls_cert, *tls_key; /* [engine] tls_* */
	char *const *environment;
};

/* Finds it; does not connect, but the usual sockets are looked for on disk (system, rootless docker, podman). Schemes
 * unix, tcp, http, https; ssh, npipe and fd are refused with what to do instead. */
bool wd_endpoint_find(const struct wd_endpoint_wish *wish, struct wd_endpoint *ret_endpoint, struct wd_error *error);

#endif
