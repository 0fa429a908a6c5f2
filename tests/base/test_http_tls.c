/* The HTTP client against a real TLS server, `openssl s_server`, with certificates made here. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/files.h>
#include <support/raw_server.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/http.h>
#include <watchdog/memory.h>

#include <cmocka.h>

static const char make_certificates[] =
	"set -e; exec >log 2>&1\n"
	"key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }\n"
	"authority() { key $1; openssl req -x509 -new -key $1.key -subj /CN=$1 -days 2 -out $1.pem; }\n"
	"signed() { openssl req -new -key $2.key -subj /CN=$1 -out $1.csr; printf \"subjectAltName=$4\" >$1.names;\n"
	"  openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days $5 -extfile $1.names -out "
	"$1.pem; }\n"
	"authority lab; authority other; key server; key client\n"
	"signed server server lab IP:127.0.0.1,DNS:localhost 2\n"
	"signed elsewhere server lab DNS:elsewhere.example 2\n"
	"signed expired server lab IP:127.0.0.1 0\n"
	"openssl req -x509 -new -key server.key -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -days 2 -out "
	"self.pem\n"
	"signed client client lab DNS:client 2; signed stranger client other DNS:stranger 2\n";

static struct wd_loop *loop;
static struct wd_http *http;
static bool have_certificates;

static int set_up_all(void **state)
{
	enter_directory(state);
	have_certificates = system("command -v openssl >/dev/null") == 0;
	if (have_certificates && system(make_certificates) != 0)
		return 1;
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	loop = wd_loop_new(NULL);
	http = wd_http_new(loop, NULL);
	return http ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	http = wd_http_free(http);
	loop = wd_loop_free(loop);
	return 0;
}

struct server {
	pid_t pid;
	int port;
};

static void exec_server(const char *certificate, const char *key, bool asks_for_client)
{
	const char *words[] = {"openssl",   "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
			       certificate, "-key",     key,       "-Verify",     "1",    "-verify_return_error",
			       "-CAfile",   "lab.pem",  NULL};
	if (!asks_for_client)
		words[9] = NULL;
	int nothing = open("/dev/null", O_RDWR);
	dup2(nothing, 0);
	dup2(nothing, 2);
	execvp(words[0], (char *const *)(uintptr_t)words);
	_exit(127);
}

static struct server start(const char *certificate, const char *key, bool asks_for_client)
{
	int ends[2];
	struct server server = {0};
	assert_int_equal(pipe(ends), 0);
	server.pid = fork();
	if (server.pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		exec_server(certificate, key, asks_for_client);
	}
	close(ends[1]);
	FILE *output = fdopen(ends[0], "r");
	char line[200];
	while (server.port == 0 && fgets(line, sizeof line, output))
		sscanf(line, "ACCEPT 127.0.0.1:%d", &server.port);
	fclose(output);
	assert_int_not_equal(server.port, 0);
	return server;
}

static void end(struct server server)
{
	kill(server.pid, SIGKILL);
	assert_int_equal(waitpid(server.pid, NULL, 0), server.pid);
}

static enum wd_http_end ended;
static int status;
static char why[600];

static void note(void *data, const struct wd_http_answer *answer)
{
	(void)data;
	ended = answer->end;
	status = answer->status;
	snprintf(why, sizeof why, "%s", answer->why);
	wd_loop_stop(loop);
}

static void ask_at(const char *base_url, struct wd_http_target target)
{
	struct wd_http_request request = {.method = "GET", .path = "/", .deadline = 20 * WD_SECOND, .on_done = note};
	target.base_url = base_url;
	ended = (enum wd_http_end) - 1;
	wd_http_send(http, &target, &request);
	wd_loop_run(loop);
}

static void ask(int port, struct wd_http_target target)
{
	WD_AUTO_FREE char *url = wd_format("https://127.0.0.1:%d", port);
	ask_at(url, target);
}

static void assert_refused(int port, struct wd_http_target target, const char *words)
{
	ask(port, target);
	assert_int_equal(ended, WD_HTTP_UNSENT);
	if (!strstr(why, "connect to https://127.0.0.1:") || !strstr(why, words))
		fail_msg("\"%s\" does not tell of \"%s\"", why, words);
}

#define NEEDS_OPENSSL                                                                                                  \
	do {                                                                                                           \
		(void)state;                                                                                           \
		if (!have_certificates)                                                                                \
			skip();                                                                                        \
	} while (0)

static void a_certificate_of_the_given_authority_is_trusted(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("server.pem", "server.key", false);
	ask(server.port, (struct wd_http_target){.tls_ca = "lab.pem"});
	assert_int_equal(ended, WD_HTTP_ANSWERED);
	assert_int_equal(status, 200);
	WD_AUTO_FREE char *by_name = wd_format("https://localhost:%d", server.port);
	ask_at(by_name, (struct wd_http_target){.tls_ca = "lab.pem"});
	assert_int_equal(ended, WD_HTTP_ANSWERED);
	end(server);
}

static void a_certificate_nobody_vouches_for_is_refused(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("server.pem", "server.key", false);
	assert_refused(
		server.port, (struct wd_http_target){.tls_ca = "other.pem"},
		"SSL certificate problem: unable to get local issuer certificate (name its authority by tls_ca)");
	assert_refused(
		server.port, (struct wd_http_target){0},
		"SSL certificate problem: unable to get local issuer certificate (name its authority by tls_ca)");
	end(server);
	server = start("self.pem", "server.key", false);
	assert_refused(server.port, (struct wd_http_target){.tls_ca = "lab.pem"}, "self");
	end(server);
}

static void an_expired_certificate_is_refused(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("expired.pem", "server.key", false);
	assert_refused(server.port, (struct wd_http_target){.tls_ca = "lab.pem"}, "certificate has expired");
	end(server);
}

static void a_certificate_for_another_host_is_refused(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("elsewhere.pem", "server.key", false);
	assert_refused(server.port, (struct wd_http_target){.tls_ca = "lab.pem"},
		       "no alternative certificate subject name");
	end(server);
}

static void only_who_says_insecure_gets_it(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("elsewhere.pem", "server.key", false);
	ask(server.port, (struct wd_http_target){.tls_insecure = true});
	assert_int_equal(ended, WD_HTTP_ANSWERED);
	/* and what was opened so is not used for a call that verifies */
	assert_refused(server.port, (struct wd_http_target){.tls_ca = "lab.pem"},
		       "no alternative certificate subject name");
	end(server);
}

static void a_client_shows_its_certificate_where_it_is_asked_for(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("server.pem", "server.key", true);
	struct wd_http_target target = {.tls_ca = "lab.pem", .tls_cert = "client.pem", .tls_key = "client.key"};
	ask(server.port, target);
	assert_int_equal(ended, WD_HTTP_ANSWERED);
	ask(server.port, (struct wd_http_target){.tls_ca = "lab.pem"});
	assert_int_not_equal(ended, WD_HTTP_ANSWERED); /* with TLS 1.3 the refusal comes behind the request */
	assert_non_null(strstr(why, "certificate required"));
	target.tls_cert = "stranger.pem";
	ask(server.port, target);
	assert_int_not_equal(ended, WD_HTTP_ANSWERED);
	assert_non_null(strstr(why, "alert"));
	end(server);
}

static void unusable_files_are_named_before_anything_is_sent(void **state)
{
	NEEDS_OPENSSL;
	struct server server = start("server.pem", "server.key", false);
	write_file("rubbish.pem", "this is no certificate\n");
	assert_refused(server.port, (struct wd_http_target){.tls_ca = "absent.pem"}, "absent.pem");
	assert_refused(server.port, (struct wd_http_target){.tls_ca = "rubbish.pem"}, "rubbish.pem");
	assert_refused(server.port,
		       (struct wd_http_target){.tls_ca = "lab.pem", .tls_cert = "rubbish.pem", .tls_key = "client.key"},
		       "client certificate");
	assert_refused(server.port,
		       (struct wd_http_target){.tls_ca = "lab.pem", .tls_cert = "client.pem", .tls_key = "server.key"},
		       "key");
	end(server);
}

static void serve_plain(struct raw_server *server, int connection, int nth, void *data)
{
	(void)server, (void)nth, (void)data;
	raw_say(connection, "HTTP/1.0 400 Bad Request\r\n\r\nthis is no TLS");
	raw_wait_for_close(connection);
}

static void serve_nothing(struct raw_server *server, int connection, int nth, void *data)
{
	(void)server, (void)nth, (void)data;
	raw_wait_for_close(connection);
}

static void who_speaks_no_tls_gets_no_request(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_tcp("127.0.0.1", serve_plain, NULL);
	assert_refused(raw_server_port(server), (struct wd_http_target){0},
		       "wrong version number (is it TLS that is spoken there?)");
	raw_server_stop(server);
}

static void a_handshake_that_hangs_is_unsent_at_the_deadline(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_tcp("127.0.0.1", serve_nothing, NULL);
	WD_AUTO_FREE char *url = wd_format("https://127.0.0.1:%d", raw_server_port(server));
	struct wd_http_target target = {.base_url = url};
	struct wd_http_request request = {
		.method = "POST", .path = "/", .deadline = 60 * WD_MILLISECOND, .on_done = note};
	wd_http_send(http, &target, &request);
	wd_loop_run(loop);
	assert_int_equal(ended, WD_HTTP_UNSENT);
	assert_non_null(strstr(why, "not connected within 60ms"));
	raw_server_stop(server);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_certificate_of_the_given_authority_is_trusted),
		STORY(a_certificate_nobody_vouches_for_is_refused),
		STORY(an_expired_certificate_is_refused),
		STORY(a_certificate_for_another_host_is_refused),
		STORY(only_who_says_insecure_gets_it),
		STORY(a_client_shows_its_certificate_where_it_is_asked_for),
		STORY(unusable_files_are_named_before_anything_is_sent),
		STORY(who_speaks_no_tls_gets_no_request),
		STORY(a_handshake_that_hangs_is_unsent_at_the_deadline),
	};
	return cmocka_run_group_tests(tests, set_up_all, leave_directory);
}
