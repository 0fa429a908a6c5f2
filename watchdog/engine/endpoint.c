#include <assert.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/endpoint.h>
#include <watchdog/memory.h>

#include "context.h"

#define SOCKET_PATH_LIMIT (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

void wd_endpoint_done(struct wd_endpoint *endpoint)
{
	free(endpoint->host);
	free(endpoint->socket_path);
	free(endpoint->base_url);
	free(endpoint->tls_ca);
	free(endpoint->tls_cert);
	free(endpoint->tls_key);
	free(endpoint->origin);
	free(endpoint->version);
	*endpoint = (struct wd_endpoint){0};
}

/* From a text to an address. */

struct scheme {
	const char *name;
	bool is_tls;
	int port; /* 0: not an address of tcp */
	int tls_port;
	const char *instead; /* what to do where it is refused */
};

static const struct scheme schemes[] = {
	{.name = "unix"},
	{.name = "tcp", .port = 2375, .tls_port = 2376},
	{.name = "http", .port = 80, .tls_port = 443},
	{.name = "https", .is_tls = true, .port = 443, .tls_port = 443},
	{.name = "ssh",
	 .instead = "ssh is not spoken here: forward the socket, ssh -nNT -L /run/engine.sock:/var/run/docker.sock "
		    "USER@HOST, and use unix:///run/engine.sock"},
	{.name = "npipe", .instead = "named pipes are for Windows: use tcp:// or unix://"},
	{.name = "fd",
	 .instead = "fd:// is how the Engine is started, not how it is reached: name its socket, "
		    "unix:///var/run/docker.sock"},
};
#define SCHEMES (sizeof schemes / sizeof *schemes)

static const struct scheme *find_scheme(const char *name, size_t length)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		if (strlen(schemes[i].name) == length && memcmp(schemes[i].name, name, length) == 0)
			return &schemes[i];
	}
	return NULL;
}

static bool fail_scheme(const char *host, size_t length, struct wd_error *error)
{
	const char *names[SCHEMES];
	for (size_t i = 0; i < SCHEMES; i++)
		names[i] = schemes[i].name;
	WD_AUTO_FREE char *name = wd_copy_part(host, length);
	const char *near = wd_text_nearest(name, names, SCHEMES);
	if (near)
		return wd_fail(error, WD_ERROR_USAGE, "unknown scheme \"%s\", did you mean \"%s\"", name, near);
	return wd_fail(error, WD_ERROR_USAGE, "unknown scheme \"%s\": use unix://, tcp://, http:// or https://", name);
}

static bool parse_socket(const char *path, struct wd_endpoint *endpoint, struct wd_error *error)
{
	if (path[0] == '\0')
		path = "/var/run/docker.sock"; /* "unix://", as the docker client reads it */
	if (path[0] != '/')
		return wd_fail(error, WD_ERROR_USAGE, "a socket is named by its absolute path, unix:///…");
	if (strlen(path) > SOCKET_PATH_LIMIT)
		return wd_fail(error, WD_ERROR_USAGE,
			       "the path of a socket has at most %zu bytes; make a symbolic link to its directory",
			       SOCKET_PATH_LIMIT);
	endpoint->socket_path = wd_copy(path);
	endpoint->base_url = wd_copy("http://localhost");
	return true;
}

/* "name", "10.0.0.5", "[fe80::1%25eth0]": of name, how many bytes; 0 where it is none. */
static size_t name_length(const char *address)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	if (address[0] != '[')
		return strspn(address, letters);
	size_t length = 1 + strspn(address + 1, "0123456789abcdefABCDEF:.");
	if (length < 3)
		return 0;
	if (wd_text_starts(address + length, "%25"))
		length += 3 + strspn(address + length + 3, letters);
	return address[length] == ']' ? length + 1 : 0;
}

static bool parse_port(const char **at, int64_t *port, struct wd_error *error)
{
	if (**at != ':')
		return true;
	size_t length = strcspn(*at + 1, "/");
	WD_AUTO_FREE char *digits = wd_copy_part(*at + 1, length);
	*at += 1 + length;
	if (length > 0 && !wd_number_parse(digits, 1, 65535, port, error))
		return wd_fail_in(error, "port");
	return true;
}

/* The path may come from a proxy that serves several Engines; it is put before what is asked for. */
static bool check_path(const char *path, struct wd_error *error)
{
	for (const char *at = path; *at; at++) {
		if (*at <= ' ' || *at > '~' || strchr("?#\"<>\\^`{|}", *at))
			return wd_fail(error, WD_ERROR_USAGE, "a path has no such character as the one at \"%.20s\"",
				       at);
	}
	return true;
}

static bool parse_address(const struct scheme *scheme, const char *address, bool tls, struct wd_endpoint *endpoint,
			  struct wd_error *error)
{
	bool is_tls = tls || scheme->is_tls;
	int64_t port = is_tls ? scheme->tls_port : scheme->port;
	size_t length = name_length(address);
	const char *at = address + length;
	if (address[0] != '[' && *at == ':' && strchr(at + 1, ':'))
		return wd_fail(error, WD_ERROR_USAGE, "an IPv6 address stands in brackets, tcp://[::1]:2375");
	if (memchr(address, '@', strcspn(address, "/")))
		return wd_fail(error, WD_ERROR_USAGE, "a user cannot be given; use the tls_ options");
	if (length == 0 && *at != ':')
		return wd_fail(error, WD_ERROR_USAGE, "it names no host");
	if (!parse_port(&at, &port, error))
		return false;
	if (*at != '\0' && *at != '/')
		return wd_fail(error, WD_ERROR_USAGE, "there is no host of that name");
	if (!check_path(at, error))
		return false;
	size_t path_length = strlen(at);
	while (path_length > 0 && at[path_length - 1] == '/')
		path_length--;
	endpoint->base_url = wd_format("%s://%.*s:%d%.*s", is_tls ? "https" : "http", length ? (int)length : 9,
				       length ? address : "localhost", (int)port, (int)path_length, at);
	return true;
}

static bool parse_host(const char *host, bool tls, struct wd_endpoint *endpoint, struct wd_error *error)
{
	const char *colon = strstr(host, "://");
	const char *rest = colon ? colon + 3 : host;
	const struct scheme *scheme = find_scheme("tcp", 3); /* "name:2375", as the docker client reads it */
	if (colon && !(scheme = find_scheme(host, (size_t)(colon - host))))
		return fail_scheme(host, (size_t)(colon - host), error);
	if (scheme->instead)
		return wd_fail(error, WD_ERROR_USAGE, "%s", scheme->instead);
	if (!colon && wd_text_starts(host, "unix:"))
		return wd_fail(error, WD_ERROR_USAGE, "did you mean unix://%s", host + strlen("unix:"));
	bool is_socket = colon ? !scheme->port : host[0] == '/';
	if (is_socket && !parse_socket(rest, endpoint, error))
		return false;
	if (!is_socket && !parse_address(scheme, rest, tls, endpoint, error))
		return false;
	endpoint->host = colon ? wd_copy(host) : wd_format("%s://%s", is_socket ? "unix" : "tcp", host);
	return true;
}

bool wd_endpoint_parse(const char *host, bool tls, struct wd_endpoint *ret_endpoint, struct wd_error *error)
{
	struct wd_endpoint endpoint = {0};
	if (!parse_host(host, tls, &endpoint, error)) {
		WD_AUTO_TEXT struct wd_text shown = {0};
		wd_text_escape(&shown, host, strlen(host), 200);
		wd_endpoint_done(&endpoint);
		return wd_fail_in(error, "\"%s\"", wd_text_get(&shown));
	}
	*ret_endpoint = endpoint;
	return true;
}

/* The usual places. */

static const char *look_up(char *const *environment, const char *name)
{
	size_t length = strlen(name);
	for (; environment && *environment; environment++) {
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return (*environment)[length + 1] ? *environment + length + 1 : NULL;
	}
	return NULL;
}

static void add_place(struct wd_list *places, const char *directory, const char *rest)
{
	if (!directory || directory[0] != '/')
		return;
	WD_AUTO_FREE char *place = wd_format("%s/%s", directory, rest);
	wd_list_add(places, place);
}

void wd_endpoint_usual_sockets(char *const *environment, struct wd_list *ret_places)
{
	const char *runtime = look_up(environment, "XDG_RUNTIME_DIR"), *home = look_up(environment, "HOME");
	struct wd_list places = {0};
	add_place(&places, "/var/run", "docker.sock");
	add_place(&places, "/run", "docker.sock");
	add_place(&places, runtime, "docker.sock");
	add_place(&places, home, ".docker/run/docker.sock");
	add_place(&places, home, ".docker/desktop/docker.sock");
	add_place(&places, "/run/podman", "podman.sock");
	add_place(&places, runtime, "podman/podman.sock");
	*ret_places = places;
}

bool wd_endpoint_first_socket(const struct wd_list *places, char **ret_path, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text looked = {0};
	for (size_t i = 0; i < places->count; i++) {
		struct stat status;
		if (stat(places->items[i], &status) == 0 && S_ISSOCK(status.st_mode)) {
			*ret_path = wd_copy(places->items[i]);
			return true;
		}
		wd_text_print(&looked, "%s%s", i ? ", " : "", places->items[i]);
	}
	return wd_fail(
		error, WD_ERROR_UNREACHABLE,
		"no Engine found: there is no socket at %s; start Docker or Podman, or say where it is (--host, host "
		"in [engine], DOCKER_HOST)",
		wd_text_get(&looked));
}

/* From wishes to an endpoint. */

struct choice {
	char *host;
	char *origin;
	bool is_tls;
	struct wd_context tls; /* of it only tls_*: from [engine], the environment, or the context */
};

static void choice_done(struct choice *choice)
{
	free(choice->host);
	free(choice->origin);
	wd_context_done(&choice->tls);
}

static bool choose_usual(const struct wd_endpoint_wish *wish, struct choice *choice, struct wd_error *error)
{
	struct wd_list places;
	WD_AUTO_FREE char *path = NULL;
	wd_endpoint_usual_sockets(wish->environment, &places);
	bool good = wd_endpoint_first_socket(&places, &path, error);
	wd_list_done(&places);
	if (!good)
		return false;
	choice->host = wd_format("unix://%s", path);
	choice->origin = wd_copy("the usual socket");
	return true;
}

static bool choose_context(const struct wd_endpoint_wish *wish, const char *directory, struct choice *choice,
			   struct wd_error *error)
{
	const char *asked = look_up(wish->environment, "DOCKER_CONTEXT");
	WD_AUTO_FREE char *name = asked && strcmp(asked, "default") != 0 ? wd_copy(asked) : NULL;
	bool must = look_up(wish->environment, "DOCKER_CONFIG") != NULL;
	if (!asked && directory && !wd_context_in_use(directory, must, &name, error))
		return wd_fail_in(error, "docker context in use");
	if (!name)
		return choose_usual(wish, choice, error);
	if (!directory)
		return wd_fail(error, WD_ERROR_USAGE,
			       "DOCKER_CONTEXT: docker contexts are kept in $DOCKER_CONFIG or $HOME/.docker, but "
			       "neither is set");
	if (!wd_context_load(directory, name, &choice->tls, error))
		return wd_fail_in(error, "docker context \"%s\"", name);
	choice->is_tls = choice->tls.tls_ca || choice->tls.tls_cert || choice->tls.tls_key || choice->tls.tls_insecure;
	choice->host = wd_copy(choice->tls.host);
	choice->origin = wd_format("docker context \"%s\"", name);
	return true;
}

/* DOCKER_TLS_VERIFY and DOCKER_TLS count as soon as they are not empty, "0" included. */
static void take_tls_of_environment(const struct wd_endpoint_wish *wish, const char *directory, struct choice *choice)
{
	const char *verify = look_up(wish->environment, "DOCKER_TLS_VERIFY");
	const char *named = look_up(wish->environment, "DOCKER_CERT_PATH");
	const char *files = named ? named : directory;
	if (!verify && !look_up(wish->environment, "DOCKER_TLS"))
		return;
	choice->is_tls = true;
	choice->tls.tls_insecure = !verify;
	if (!files)
		return;
	if (verify)
		choice->tls.tls_ca = wd_format("%s/ca.pem", files); /* a must; the others are taken if they are there */
	choice->tls.tls_cert = wd_context_file(files, "cert.pem");
	choice->tls.tls_key = wd_context_file(files, "key.pem");
}

static bool choose(const struct wd_endpoint_wish *wish, const char *directory, struct choice *choice,
		   struct wd_error *error)
{
	const char *docker_host = look_up(wish->environment, "DOCKER_HOST");
	if (wish->host && wish->host[0]) {
		choice->host = wd_copy(wish->host);
		choice->origin = wd_copy(wish->host_origin ? wish->host_origin : "--host");
	} else if (docker_host) {
		choice->host = wd_copy(docker_host);
		choice->origin = wd_copy("DOCKER_HOST");
	} else if (!choose_context(wish, directory, choice, error)) {
		return false;
	}
	if (wish->tls_ca || wish->tls_cert || wish->tls_key) {
		wd_context_done(&choice->tls);
		choice->is_tls = true;
		choice->tls.tls_ca = wd_copy(wish->tls_ca);
		choice->tls.tls_cert = wd_copy(wish->tls_cert);
		choice->tls.tls_key = wd_copy(wish->tls_key);
	} else if (!choice->tls.host) {
		take_tls_of_environment(wish, directory, choice);
	}
	return true;
}

static bool check_tls_files(const struct wd_endpoint *endpoint, struct wd_error *error)
{
	const char *files[] = {endpoint->tls_ca, endpoint->tls_cert, endpoint->tls_key};
	for (size_t i = 0; i < 3; i++) {
		if (files[i] && access(files[i], R_OK) != 0)
			return wd_fail_errno(error, WD_ERROR_USAGE,
					     "TLS needs %s (set by [engine] tls_* or DOCKER_CERT_PATH)", files[i]);
	}
	if (!endpoint->tls_cert != !endpoint->tls_key)
		return wd_fail(error, WD_ERROR_USAGE,
			       "a client's certificate and its key go together: there is only %s",
			       endpoint->tls_cert ? endpoint->tls_cert : endpoint->tls_key);
	return true;
}

static bool take_tls(struct choice *choice, struct wd_endpoint *endpoint, struct wd_error *error)
{
	if (!wd_text_starts(endpoint->base_url, "https:"))
		return true; /* a unix socket has none, whatever the environment says */
	endpoint->tls_ca = wd_copy(choice->tls.tls_ca);
	endpoint->tls_cert = wd_copy(choice->tls.tls_cert);
	endpoint->tls_key = wd_copy(choice->tls.tls_key);
	endpoint->tls_insecure = choice->tls.tls_insecure;
	return check_tls_files(endpoint, error);
}

static bool take_version(const struct wd_endpoint_wish *wish, struct wd_endpoint *endpoint, struct wd_error *error)
{
	static const char digits[] = "0123456789";
	const char *version = look_up(wish->environment, "DOCKER_API_VERSION");
	if (!version)
		return true;
	version += version[0] == 'v';
	size_t major = strspn(version, digits), length = strlen(version);
	size_t minor = version[major] == '.' ? strspn(version + major + 1, digits) : 0;
	if (length > 20 || major == 0 || minor == 0 || major + 1 + minor != length)
		return wd_fail(error, WD_ERROR_USAGE, "DOCKER_API_VERSION is no version such as 1.41");
	endpoint->version = wd_copy(version);
	return true;
}

static bool build(const struct wd_endpoint_wish *wish, struct choice *choice, struct wd_endpoint *endpoint,
		  struct wd_error *error)
{
	assert(choice->host); /* it was chosen */
	if (!wd_endpoint_parse(choice->host, choice->is_tls, endpoint, error) || !take_tls(choice, endpoint, error))
		return wd_fail_in(error, "%s", choice->origin);
	endpoint->origin = wd_copy(choice->origin);
	return take_version(wish, endpoint, error);
}

static char *config_directory(char *const *environment)
{
	const char *named = look_up(environment, "DOCKER_CONFIG"), *home = look_up(environment, "HOME");
	if (named)
		return wd_copy(named);
	return home ? wd_format("%s/.docker", home) : NULL;
}

bool wd_endpoint_find(const struct wd_endpoint_wish *wish, struct wd_endpoint *ret_endpoint, struct wd_error *error)
{
	struct wd_endpoint endpoint = {0};
	struct choice choice = {0};
	WD_AUTO_FREE char *directory = config_directory(wish->environment);
	bool good = choose(wish, directory, &choice, error) && build(wish, &choice, &endpoint, error);
	choice_done(&choice);
	if (!good) {
		wd_endpoint_done(&endpoint);
		return false;
	}
	*ret_endpoint = endpoint;
	return true;
}

char *wd_endpoint_credentials(char *const *environment, const char *image)
{
	WD_AUTO_FREE char *directory = config_directory(environment);
	return directory ? wd_context_credentials(directory, image) : NULL;
}

char *wd_endpoint_helper(char *const *environment, const char *image)
{
	WD_AUTO_FREE char *directory = config_directory(environment);
	return directory ? wd_context_keeper(directory, image) : NULL;
}
