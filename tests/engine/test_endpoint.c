#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/files.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/endpoint.h>
#include <watchdog/memory.h>

#include <cmocka.h>

/* sha256 of "lab" */
#define LAB "a51146d38077ff992eba84cf1d5e9b249073503eb74868699016153b031a38f7"
#define META "/contexts/meta/" LAB "/meta.json"
#define TLS "/contexts/tls/" LAB "/docker/"

static void assert_address(const char *host, bool tls, const char *socket_path, const char *base_url)
{
	struct wd_endpoint endpoint = {0};
	struct wd_error error = {0};
	if (!wd_endpoint_parse(host, tls, &endpoint, &error))
		fail_msg("%s", error.text);
	if (socket_path)
		assert_string_equal(endpoint.socket_path, socket_path);
	else
		assert_null(endpoint.socket_path);
	assert_string_equal(endpoint.base_url, base_url);
	wd_endpoint_done(&endpoint);
	assert_null(endpoint.host);
}

static void assert_no_address(const char *host, const char *why)
{
	struct wd_endpoint endpoint = {0};
	struct wd_error error = {0};
	assert_false(wd_endpoint_parse(host, false, &endpoint, &error));
	assert_string_equal(error.text, why);
	assert_int_equal(error.kind, WD_ERROR_USAGE);
	assert_null(endpoint.base_url);
}

static void addresses_are_read_as_the_docker_client_reads_them(void **state)
{
	(void)state;
	assert_address("unix:///var/run/docker.sock", false, "/var/run/docker.sock", "http://localhost");
	assert_address("unix:///var/run/docker.sock", true, "/var/run/docker.sock", "http://localhost");
	assert_address("unix://", false, "/var/run/docker.sock", "http://localhost");
	assert_address("/run/engine two.sock", false, "/run/engine two.sock", "http://localhost");
	assert_address("tcp://10.0.0.5", false, NULL, "http://10.0.0.5:2375");
	assert_address("tcp://10.0.0.5", true, NULL, "https://10.0.0.5:2376");
	assert_address("tcp://engine.lan:4243", false, NULL, "http://engine.lan:4243");
	assert_address("tcp://engine.lan:4243", true, NULL, "https://engine.lan:4243");
	assert_address("tcp://:2375", false, NULL, "http://localhost:2375");
	assert_address("engine_1:2375", false, NULL, "http://engine_1:2375");
	assert_address(":2375", false, NULL, "http://localhost:2375");
	assert_address("localhost", false, NULL, "http://localhost:2375");
	assert_address("http://proxy", false, NULL, "http://proxy:80");
	assert_address("http://proxy:2375", true, NULL, "https://proxy:2375");
	assert_address("https://proxy", false, NULL, "https://proxy:443");
	assert_address("https://proxy:2376/lab/one/", false, NULL, "https://proxy:2376/lab/one");
	assert_address("tcp://proxy/", false, NULL, "http://proxy:2375");
	assert_address("tcp://[::1]", false, NULL, "http://[::1]:2375");
	assert_address("tcp://[2001:db8::5]:4243", false, NULL, "http://[2001:db8::5]:4243");
	assert_address("tcp://[fe80::1%25eth0]:2375", false, NULL, "http://[fe80::1%25eth0]:2375");
}

static void what_cannot_be_an_address_is_refused_with_what_to_do_instead(void **state)
{
	(void)state;
	assert_no_address("ssh://me@box", "\"ssh://me@box\": ssh is not spoken here: forward the socket, ssh -nNT -L "
					  "/run/engine.sock:/var/run/docker.sock USER@HOST, and use "
					  "unix:///run/engine.sock");
	assert_no_address("npipe:////./pipe/docker_engine",
			  "\"npipe:////./pipe/docker_engine\": named pipes are for Windows: use tcp:// or unix://");
	assert_no_address("fd://",
			  "\"fd://\": fd:// is how the Engine is started, not how it is reached: name its socket, "
			  "unix:///var/run/docker.sock");
	assert_no_address("unxi:///run/x", "\"unxi:///run/x\": unknown scheme \"unxi\", did you mean \"unix\"");
	assert_no_address("gopher://x",
			  "\"gopher://x\": unknown scheme \"gopher\": use unix://, tcp://, http:// or https://");
	assert_no_address("unix:/run/x", "\"unix:/run/x\": did you mean unix:///run/x");
	assert_no_address("unix://run/x", "\"unix://run/x\": a socket is named by its absolute path, unix:///…");
	assert_no_address("tcp://::1:2375", "\"tcp://::1:2375\": an IPv6 address stands in brackets, tcp://[::1]:2375");
	assert_no_address("tcp://", "\"tcp://\": it names no host");
	assert_no_address("", "\"\": it names no host");
	assert_no_address("tcp://[::1", "\"tcp://[::1\": it names no host");
	assert_no_address("tcp://[]:1", "\"tcp://[]:1\": it names no host");
	assert_no_address("tcp://host:0", "\"tcp://host:0\": port: 0 is not between 1 and 65535");
	assert_no_address("tcp://host:65536", "\"tcp://host:65536\": port: 65536 is not between 1 and 65535");
	assert_no_address("tcp://host:x", "\"tcp://host:x\": port: \"x\" is no whole number");
	assert_no_address("tcp://me:secret@host",
			  "\"tcp://me:secret@host\": a user cannot be given; use the tls_ options");
	assert_no_address("tcp://a b", "\"tcp://a b\": there is no host of that name");
	assert_no_address("tcp://host/a?b", "\"tcp://host/a?b\": a path has no such character as the one at \"?b\"");
	assert_no_address("tcp://host\n", "\"tcp://host\\n\": there is no host of that name");
	char path[140] = "unix:///";
	memset(path + 8, 'x', 120);
	struct wd_error error = {0};
	assert_false(wd_endpoint_parse(path, false, &(struct wd_endpoint){0}, &error));
	assert_non_null(strstr(error.text, "the path of a socket has at most 107 bytes"));
}

/* What is found. */

static struct wd_endpoint found;
static struct wd_error failure;

static bool find(const char *host, char *const *environment)
{
	struct wd_endpoint_wish wish = {.host = host, .environment = environment};
	wd_endpoint_done(&found);
	failure = (struct wd_error){0};
	return wd_endpoint_find(&wish, &found, &failure);
}

static int leave(void **state)
{
	wd_endpoint_done(&found);
	return leave_directory(state);
}

static void assert_fails(char *const *environment, const char *why)
{
	assert_false(find(NULL, environment));
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.kind, WD_ERROR_USAGE);
	assert_null(found.host);
}

#define ENVIRONMENT(...) ((char *[]){__VA_ARGS__, NULL})

static void the_nearer_wish_wins(void **state)
{
	(void)state;
	write_file("config/config.json", "{\"currentContext\":\"lab\",\"auths\":{}}");
	write_file("config" META, "{\"Name\":\"lab\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://lab\"}}}");

	assert_true(find("tcp://one", ENVIRONMENT("DOCKER_HOST=tcp://two", "DOCKER_CONFIG=config")));
	assert_string_equal(found.host, "tcp://one");
	assert_string_equal(found.origin, "--host");

	assert_true(find(NULL, ENVIRONMENT("DOCKER_CONTEXT=lab", "DOCKER_HOST=tcp://two", "DOCKER_CONFIG=config")));
	assert_string_equal(found.host, "tcp://two");
	assert_string_equal(found.origin, "DOCKER_HOST");

	assert_true(find(NULL, ENVIRONMENT("DOCKER_HOST=", "DOCKER_CONFIG=config")));
	assert_string_equal(found.host, "tcp://lab");
	assert_string_equal(found.base_url, "http://lab:2375");
	assert_string_equal(found.origin, "docker context \"lab\"");

	struct wd_endpoint_wish wish = {
		.host = "/run/x.sock", .host_origin = "/etc/seadog/seadog.conf:3", .environment = ENVIRONMENT("A=b")};
	wd_endpoint_done(&found);
	assert_true(wd_endpoint_find(&wish, &found, NULL));
	assert_string_equal(found.host, "unix:///run/x.sock");
	assert_string_equal(found.origin, "/etc/seadog/seadog.conf:3");
}

static void a_context_named_by_the_environment_beats_the_one_in_use(void **state)
{
	(void)state;
	write_file("home/.docker/config.json", "{\"currentContext\":\"other\"}");
	write_file("home/.docker" META, "{\"Endpoints\":{\"docker\":{\"Host\":\"unix:///lab.sock\"}}}");
	assert_true(find(NULL, ENVIRONMENT("HOME=home", "DOCKER_CONTEXT=lab")));
	assert_string_equal(found.socket_path, "/lab.sock");
	assert_fails(ENVIRONMENT("HOME=home"),
		     "docker context \"other\": there is no such context in home/.docker (docker "
		     "context ls lists them)");
	assert_fails(ENVIRONMENT("DOCKER_CONTEXT=lab"), "DOCKER_CONTEXT: docker contexts are kept in $DOCKER_CONFIG or "
							"$HOME/.docker, but neither is set");
}

static void a_context_brings_its_certificates(void **state)
{
	(void)state;
	write_file("c" META, "{\"Endpoints\":{\"docker\":{\"Host\":\"tcp://lab\"}}}");
	write_file("c" TLS "ca.pem", "ca");
	write_file("c" TLS "cert.pem", "cert");
	char *const *environment = ENVIRONMENT("DOCKER_CONFIG=c", "DOCKER_CONTEXT=lab", "DOCKER_TLS=1");
	assert_fails(environment,
		     "docker context \"lab\": a client's certificate and its key go together: there is only "
		     "c" TLS "cert.pem");
	write_file("c" TLS "key.pem", "key");
	assert_true(find(NULL, environment));
	assert_string_equal(found.base_url, "https://lab:2376");
	assert_string_equal(found.tls_ca, "c" TLS "ca.pem");
	assert_string_equal(found.tls_cert, "c" TLS "cert.pem");
	assert_string_equal(found.tls_key, "c" TLS "key.pem");
	assert_false(found.tls_insecure);
}

static void a_context_may_skip_verification(void **state)
{
	(void)state;
	write_file("c" META, "{\"Endpoints\":{\"docker\":{\"Host\":\"tcp://lab\",\"SkipTLSVerify\":true}}}");
	assert_true(find(NULL, ENVIRONMENT("DOCKER_CONFIG=c", "DOCKER_CONTEXT=lab")));
	assert_string_equal(found.base_url, "https://lab:2376");
	assert_true(found.tls_insecure);
	assert_null(found.tls_ca);
}

static void broken_files_of_the_client_are_named(void **state)
{
	(void)state;
	char *const *environment = ENVIRONMENT("DOCKER_CONFIG=c");
	write_file("c/config.json", "[]");
	assert_fails(environment, "docker context in use: c/config.json: not a JSON object");
	write_file("c/config.json", "{\"currentContext\":7}");
	assert_fails(environment, "docker context in use: c/config.json: currentContext is not a string");
	write_file("c/config.json", "{\"currentContext\":\"../x\\u0007\"}");
	assert_fails(environment, "docker context in use: c/config.json: currentContext: \"../x\\x07\" is no name of a "
				  "docker context");
	write_file("c/config.json", "{\"currentContext\":");
	assert_false(find(NULL, environment));
	assert_int_equal(failure.kind, WD_ERROR_USAGE);
	assert_non_null(strstr(failure.text, "docker context in use: c/config.json: bad JSON at byte "));
	write_file("c/config.json", "{\"currentContext\":\"lab\"}");
	write_file("c" META, "{\"Endpoints\":{\"kubernetes\":{}}}");
	assert_fails(environment, "docker context \"lab\": c" META ": it has no endpoint named \"docker\"");
	write_file("c" META, "{\"Endpoints\":{\"docker\":{\"Host\":\"\"}}}");
	assert_fails(environment, "docker context \"lab\": c" META ": its endpoint \"docker\" names no host");
	write_file("c" META, "{\"Endpoints\":{\"docker\":{\"Host\":\"npipe://x\"}}}");
	assert_fails(environment,
		     "docker context \"lab\": \"npipe://x\": named pipes are for Windows: use tcp:// or unix://");
}

static void strange_files_neither_block_nor_fill_the_memory(void **state)
{
	(void)state;
	char *const *environment = ENVIRONMENT("DOCKER_CONFIG=c");
	assert_int_equal(mkdir("c", 0755), 0);
	assert_int_equal(mkfifo("c/config.json", 0644), 0);
	assert_false(find(NULL, environment));
	assert_non_null(strstr(failure.text, "c/config.json: "));
	unlink("c/config.json");
	assert_int_equal(mkdir("c/config.json", 0755), 0);
	assert_false(find(NULL, environment));
	assert_non_null(strstr(failure.text, "c/config.json: "));
	rmdir("c/config.json");
	write_file("c/config.json", "{");
	assert_int_equal(truncate("c/config.json", 2 << 20), 0);
	assert_false(find(NULL, environment));
	assert_non_null(strstr(failure.text, "c/config.json: "));
}

static void a_home_that_may_not_be_read_is_nobodys_choice(void **state)
{
	(void)state;
	write_file("home/.docker/config.json", "{\"currentContext\":\"lab\"}");
	chmod("home", 0700);
	char here[200];
	assert_non_null(getcwd(here, sizeof here));
	chmod(here, 0755);
	if (geteuid() != 0 || seteuid(65534) != 0)
		skip();
	bool good = find(NULL, ENVIRONMENT("HOME=home"));
	bool told = !good && failure.kind == WD_ERROR_UNREACHABLE;
	bool insisted = find(NULL, ENVIRONMENT("DOCKER_CONFIG=home/.docker"));
	assert_int_equal(seteuid(0), 0);
	assert_true(good || told); /* as the machine has a usual socket or not */
	assert_false(insisted);
	assert_non_null(strstr(failure.text, "docker context in use: home/.docker/config.json: "));
}

static void the_environment_asks_for_tls_as_with_the_docker_client(void **state)
{
	(void)state;
	write_file("certs/ca.pem", "ca");
	assert_true(find(NULL, ENVIRONMENT("DOCKER_HOST=tcp://lab", "DOCKER_TLS_VERIFY=0", "DOCKER_CERT_PATH=certs")));
	assert_string_equal(found.base_url, "https://lab:2376");
	assert_string_equal(found.tls_ca, "certs/ca.pem");
	assert_null(found.tls_cert);
	assert_null(found.tls_key);
	assert_false(found.tls_insecure);

	assert_true(find(NULL, ENVIRONMENT("DOCKER_HOST=tcp://lab", "DOCKER_TLS=1", "DOCKER_CERT_PATH=certs")));
	assert_string_equal(found.base_url, "https://lab:2376");
	assert_null(found.tls_ca);
	assert_true(found.tls_insecure);

	assert_true(find(NULL, ENVIRONMENT("DOCKER_HOST=tcp://lab", "DOCKER_TLS_VERIFY=", "DOCKER_TLS=")));
	assert_string_equal(found.base_url, "http://lab:2375");

	assert_true(
		find(NULL, ENVIRONMENT("DOCKER_HOST=unix:///x", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=nowhere")));
	assert_string_equal(found.base_url, "http://localhost");
	assert_null(found.tls_ca);

	assert_false(
		find(NULL, ENVIRONMENT("DOCKER_HOST=tcp://lab", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=nowhere")));
	assert_int_equal(failure.kind, WD_ERROR_USAGE);
	assert_non_null(strstr(failure.text, "DOCKER_HOST: TLS needs nowhere/ca.pem (set by [engine] tls_* or "
					     "DOCKER_CERT_PATH): "));
}

static void the_settings_beat_the_environment_in_tls(void **state)
{
	(void)state;
	write_file("ca.pem", "ca");
	struct wd_endpoint_wish wish = {
		.host = "tcp://lab", .tls_ca = "ca.pem", .environment = ENVIRONMENT("DOCKER_TLS=1")};
	assert_true(wd_endpoint_find(&wish, &found, &failure));
	assert_string_equal(found.base_url, "https://lab:2376");
	assert_string_equal(found.tls_ca, "ca.pem");
	assert_false(found.tls_insecure);
	wd_endpoint_done(&found);
	wish.tls_cert = "cert.pem";
	assert_false(wd_endpoint_find(&wish, &found, &failure));
	assert_non_null(strstr(failure.text, "--host: TLS needs cert.pem"));
}

static void the_version_can_be_fixed(void **state)
{
	(void)state;
	assert_true(find("tcp://lab", ENVIRONMENT("DOCKER_API_VERSION=1.41")));
	assert_string_equal(found.version, "1.41");
	assert_true(find("tcp://lab", ENVIRONMENT("DOCKER_API_VERSION=v1.44")));
	assert_string_equal(found.version, "1.44");
	assert_true(find("tcp://lab", ENVIRONMENT("DOCKER_API_VERSION=")));
	assert_null(found.version);
	static char *const wrong[] = {"DOCKER_API_VERSION=1",     "DOCKER_API_VERSION=1.",     "DOCKER_API_VERSION=.1",
				      "DOCKER_API_VERSION=1.4/x", "DOCKER_API_VERSION=latest", "DOCKER_API_VERSION=v"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_false(find("tcp://lab", ENVIRONMENT(wrong[i])));
		assert_string_equal(failure.text, "DOCKER_API_VERSION is no version such as 1.41");
	}
}

/* The usual places. */

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
	return descriptor;
}

static void the_usual_places_are_those_of_docker_rootless_docker_and_podman(void **state)
{
	(void)state;
	struct wd_list places;
	wd_endpoint_usual_sockets(ENVIRONMENT("HOME=/home/ada", "XDG_RUNTIME_DIR=/run/user/7"), &places);
	static const char *const expected[] = {"/var/run/docker.sock",
					       "/run/docker.sock",
					       "/run/user/7/docker.sock",
					       "/home/ada/.docker/run/docker.sock",
					       "/home/ada/.docker/desktop/docker.sock",
					       "/run/podman/podman.sock",
					       "/run/user/7/podman/podman.sock"};
	assert_int_equal(places.count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_string_equal(places.items[i], expected[i]);
	wd_list_done(&places);
	wd_endpoint_usual_sockets(ENVIRONMENT("HOME=relative"), &places);
	assert_int_equal(places.count, 3);
	wd_list_done(&places);
}

static void the_first_place_that_is_a_socket_is_taken(void **state)
{
	(void)state;
	struct wd_list places = {0};
	char *path = NULL;
	wd_list_split(&places, "absent.sock,file.sock,real.sock,later.sock", ',');
	write_file("file.sock", "not a socket");
	assert_false(wd_endpoint_first_socket(&places, &path, &failure));
	assert_int_equal(failure.kind, WD_ERROR_UNREACHABLE);
	assert_string_equal(
		failure.text,
		"no Engine found: there is no socket at absent.sock, file.sock, real.sock, later.sock; start "
		"Docker or Podman, or say where it is (--host, host in [engine], DOCKER_HOST)");
	int later = listen_at("later.sock"), real = listen_at("real.sock");
	assert_true(wd_endpoint_first_socket(&places, &path, &failure));
	assert_string_equal(path, "real.sock");
	free(path);
	close(later);
	close(real);
	wd_list_done(&places);
}

static void without_any_wish_a_usual_socket_is_found(void **state)
{
	const char *here = *state;
	write_file(".docker/config.json", "{\"currentContext\":\"default\"}");
	write_file(".docker/run/empty", "");
	int descriptor = listen_at(".docker/run/docker.sock");
	WD_AUTO_FREE char *home = wd_format("HOME=%s", here);
	assert_true(find(NULL, ENVIRONMENT(home)));
	assert_string_equal(found.origin, "the usual socket");
	assert_string_equal(found.base_url, "http://localhost");
	WD_AUTO_FREE char *ours = wd_format("%s/.docker/run/docker.sock", here);
	if (access("/var/run/docker.sock", F_OK) != 0)
		assert_string_equal(found.socket_path, ours);
	close(descriptor);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave)

/* "me:secret" in base64 is bWU6c2VjcmV0; what is sent is base64 for URLs. */
static void assert_login(const char *config, const char *image, const char *expected)
{
	WD_AUTO_FREE char *login = wd_context_login(config, strlen(config), image);

	if (expected)
		assert_string_equal(login, expected);
	else
		assert_null(login);
}

static void assert_helper(const char *config, const char *image, const char *expected)
{
	WD_AUTO_FREE char *helper = wd_context_helper(config, strlen(config), image);

	if (expected)
		assert_string_equal(helper, expected);
	else
		assert_null(helper);
}

static void a_helper_is_named_where_it_alone_knows(void **state)
{
	static const char config[] =
		"{\"auths\":{\"ghcr.example:5000\":{\"auth\":\"bWU6c2VjcmV0\"},\"helped.example\":{}},"
		"\"credHelpers\":{\"own.example\":\"pass\",\"ghcr.example:5000\":\"gcr\"},"
		"\"credsStore\":\"desktop\"}";
	(void)state;
	assert_helper(config, "helped.example/web", "desktop");
	assert_helper(config, "acme/web", "desktop");
	assert_helper(config, "own.example/web", "pass");
	assert_helper(config, "ghcr.example:5000/web", NULL);
	assert_helper("{\"auths\":{\"own.example\":{}}}", "own.example/web", NULL);
	assert_helper("[]", "own.example/web", NULL);
	assert_helper("{\"credsStore\":7,\"credHelpers\":[]}", "own.example/web", NULL);
}

static void registries_are_told_who_asks(void **state)
{
	static const char config[] =
		"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"bWU6c2VjcmV0\"},"
		"\"ghcr.example:5000\":{\"auth\":\"bWU6c2VjcmV0\"},"
		"\"https://old.example\":{\"identitytoken\":\"t\"},\"broken.example\":{\"auth\":\"%\"},"
		"\"helped.example\":{}},\"credsStore\":\"desktop\"}";
	/* {"serveraddress":"https://index.docker.io/v1/","username":"me","password":"secret"} */
	static const char hub[] =
		"eyJzZXJ2ZXJhZGRyZXNzIjoiaHR0cHM6Ly9pbmRleC5kb2NrZXIuaW8vdjEvIiwidXNlcm5hbWUiOiJtZSIsIn"
		"Bhc3N3b3JkIjoic2VjcmV0In0=";

	(void)state;
	assert_login(config, "acme/web", hub);
	assert_login(config, "web", hub);
	assert_login(config, "docker.io/acme/web", hub);
	assert_login(
		config, "ghcr.example:5000/acme/web",
		"eyJzZXJ2ZXJhZGRyZXNzIjoiZ2hjci5leGFtcGxlOjUwMDAiLCJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJzZWNyZXQifQ==");
	assert_login(config, "old.example/web", "eyJzZXJ2ZXJhZGRyZXNzIjoib2xkLmV4YW1wbGUiLCJpZGVudGl0eXRva2VuIjoidCJ9");
	assert_login(config, "broken.example/web", NULL);
	assert_login(config, "helped.example/web", NULL);
	assert_login(config, "nobody.example/web", NULL);
	assert_login("{", "web", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(addresses_are_read_as_the_docker_client_reads_them),
		STORY(what_cannot_be_an_address_is_refused_with_what_to_do_instead),
		STORY(the_nearer_wish_wins),
		STORY(a_context_named_by_the_environment_beats_the_one_in_use),
		STORY(a_context_brings_its_certificates),
		STORY(a_context_may_skip_verification),
		STORY(broken_files_of_the_client_are_named),
		STORY(strange_files_neither_block_nor_fill_the_memory),
		STORY(a_home_that_may_not_be_read_is_nobodys_choice),
		STORY(the_environment_asks_for_tls_as_with_the_docker_client),
		STORY(the_settings_beat_the_environment_in_tls),
		STORY(the_version_can_be_fixed),
		STORY(the_usual_places_are_those_of_docker_rootless_docker_and_podman),
		STORY(the_first_place_that_is_a_socket_is_taken),
		STORY(without_any_wish_a_usual_socket_is_found),
		STORY(registries_are_told_who_asks),
		STORY(a_helper_is_named_where_it_alone_knows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
