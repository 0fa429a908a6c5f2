#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/raw_server.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/http.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#include <cmocka.h>

static char directory[64];
static char socket_path[96];
static struct wd_loop *loop;
static struct wd_http *http;
static struct wd_http_target target;
static int descriptors_before;

static int count_descriptors(void)
{
	int count = 0;
	DIR *all = opendir("/proc/self/fd");
	assert_non_null(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

static int set_up(void **state)
{
	(void)state;
	descriptors_before = count_descriptors();
	strcpy(directory, "/tmp/seadog-http-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(socket_path, sizeof socket_path, "%s/engine.sock", directory);
	target = (struct wd_http_target){.socket_path = socket_path, .base_url = "http://localhost"};
	loop = wd_loop_new(NULL);
	http = wd_http_new(loop, NULL);
	assert_non_null(http);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http = wd_http_free(http);
	loop = wd_loop_free(loop);
	assert_int_equal(rmdir(directory), 0);
	/* A resolver that was left alone closes its own a little later. */
	for (int i = 0; i < 5000 && count_descriptors() != descriptors_before; i++)
		usleep(1000);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

/* One call and how it ended. */
struct outcome {
	struct wd_http_call *call;
	int done;
	enum wd_http_end end;
	int status;
	char why[600];
	struct wd_text body;
	struct wd_text headers;
	size_t streamed;
	wd_time at;
};

static void stop(void *data)
{
	(void)data;
	wd_loop_stop(loop);
}

static void run_for(wd_time span)
{
	struct wd_timer *end = wd_timer_new(loop, stop, NULL);
	wd_timer_set(end, wd_time_now() + span);
	wd_loop_run(loop);
	wd_timer_free(end);
}

static void note_done(void *data, const struct wd_http_answer *answer)
{
	struct outcome *outcome = data;
	outcome->call = NULL;
	outcome->done++;
	outcome->end = answer->end;
	outcome->status = answer->status;
	outcome->at = wd_time_now();
	assert_int_equal(answer->body[answer->length], '\0');
	assert_int_equal(answer->end == WD_HTTP_ANSWERED, answer->why[0] == '\0');
	wd_text_put(&outcome->body, answer->body, answer->length);
	snprintf(outcome->why, sizeof outcome->why, "%s", answer->why);
	wd_loop_stop(loop);
}

static void note_header(void *data, const char *name, const char *value)
{
	struct outcome *outcome = data;
	wd_text_print(&outcome->headers, "[%s=%s]", name, value);
}

static void note_bytes(void *data, const char *bytes, size_t length)
{
	struct outcome *outcome = data;
	(void)bytes;
	outcome->streamed += length;
}

static void outcome_done(struct outcome *outcome)
{
	wd_text_done(&outcome->body);
	wd_text_done(&outcome->headers);
}
#define AUTO_OUTCOME __attribute__((cleanup(outcome_done))) struct outcome

static void send_request(struct outcome *outcome, struct wd_http_request request)
{
	request.data = outcome;
	request.on_done = note_done;
	outcome->call = wd_http_send(http, &target, &request);
	assert_int_equal(outcome->done, 0);
}

static void wait_for(struct outcome *outcome)
{
	struct wd_timer *end = wd_timer_new(loop, stop, NULL);
	wd_time at = wd_time_now() + 20 * WD_SECOND;
	wd_timer_set(end, at);
	while (!outcome->done && wd_time_now() < at)
		wd_loop_run(loop);
	wd_timer_free(end);
	assert_int_equal(outcome->done, 1);
}

static void ask(struct outcome *outcome, const char *method, const char *path)
{
	send_request(outcome,
		     (struct wd_http_request){
			     .method = method, .path = path, .deadline = 10 * WD_SECOND, .on_header = note_header});
	wait_for(outcome);
}

#define assert_ends_with(text, end)                                                                                    \
	do {                                                                                                           \
		size_t text_length = strlen(text), end_length = strlen(end);                                           \
		assert_true(text_length >= end_length);                                                                \
		assert_string_equal((text) + text_length - end_length, end);                                           \
	} while (0)

/* Servers. */

static char *_Atomic last_request;
static atomic_int requests;

static void keep_request(char *request)
{
	free(atomic_exchange(&last_request, request));
	atomic_fetch_add(&requests, 1);
}

/* Answers every request on the connection with the text in data. */
static void serve_text(struct raw_server *server, int connection, int nth, void *data)
{
	char *request;
	(void)server, (void)nth;
	while ((request = raw_request(connection))) {
		keep_request(request);
		raw_say(connection, data);
	}
}

/* Answers one request, then closes. */
static void serve_once(struct raw_server *server, int connection, int nth, void *data)
{
	char *request = raw_request(connection);
	(void)server, (void)nth;
	if (request)
		raw_say(connection, data);
	free(request);
}

static void serve_silence(struct raw_server *server, int connection, int nth, void *data)
{
	(void)server, (void)nth, (void)data;
	raw_wait_for_close(connection);
}

#define OK_TEXT(body, length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n\r\n" body

static void a_get_brings_status_headers_and_body(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text,
						    "HTTP/1.1 404 Not Found\r\nApi-Version:  1.41 \r\nX-Empty:\r\n"
						    "Content-Length: 22\r\n\r\n{\"message\":\"no such\"}\n");
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "GET", "/v1.41/containers/web/json?size=0");
	assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	assert_int_equal(outcome.status, 404);
	assert_string_equal(wd_text_get(&outcome.body), "{\"message\":\"no such\"}\n");
	assert_string_equal(wd_text_get(&outcome.headers), "[Api-Version=1.41][X-Empty=][Content-Length=22]");
	assert_string_equal(atomic_load(&last_request),
			    "GET /v1.41/containers/web/json?size=0 HTTP/1.1\r\n"
			    "Host: localhost\r\nUser-Agent: seadog/" SEADOG_VERSION "\r\nAccept: */*\r\n\r\n");
	raw_server_stop(server);
}

static void a_post_carries_its_body_without_asking_first(void **state)
{
	(void)state;
	char body[5000];
	memset(body, 'x', sizeof body);
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("", 0));
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome, (struct wd_http_request){.method = "POST",
							.path = "/containers/create",
							.content_type = "application/json",
							.body = body,
							.body_length = sizeof body});
	memset(body, 'y', sizeof body); /* was copied */
	wait_for(&outcome);
	assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	const char *request = atomic_load(&last_request);
	assert_non_null(strstr(request, "POST /containers/create HTTP/1.1\r\n"));
	assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(request, "\r\nContent-Length: 5000\r\n"));
	assert_null(strstr(request, "Expect"));
	assert_ends_with(request, "xxxxxxxx");
	raw_server_stop(server);
}

static void a_post_without_body_and_a_delete_say_so(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, "HTTP/1.1 204 No Content\r\n\r\n");
	AUTO_OUTCOME stop_call = {0};
	ask(&stop_call, "POST", "/containers/web/stop?t=10");
	assert_int_equal(stop_call.status, 204);
	assert_non_null(strstr(atomic_load(&last_request), "POST /containers/web/stop?t=10 HTTP/1.1\r\n"));
	assert_non_null(strstr(atomic_load(&last_request), "\r\nContent-Length: 0\r\n"));
	assert_null(strstr(atomic_load(&last_request), "Content-Type"));
	AUTO_OUTCOME delete_call = {0};
	ask(&delete_call, "DELETE", "/containers/web");
	assert_int_equal(delete_call.status, 204);
	assert_non_null(strstr(atomic_load(&last_request), "DELETE /containers/web HTTP/1.1\r\n"));
	raw_server_stop(server);
}

static void a_head_has_headers_only(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(
		socket_path, serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.41\r\n\r\n");
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "HEAD", "/_ping");
	assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	assert_int_equal(outcome.body.length, 0);
	assert_non_null(strstr(wd_text_get(&outcome.headers), "[Api-Version=1.41]"));
	raw_server_stop(server);
}

static void a_request_is_on_the_wire_before_the_loop_turns(void **state)
{
	(void)state;
	atomic_store(&requests, 0);
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("", 0));
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome, (struct wd_http_request){.method = "POST", .path = "/containers/web/stop"});
	for (int i = 0; i < 2000 && atomic_load(&requests) == 0; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&requests), 1);
	wait_for(&outcome);
	raw_server_stop(server);
}

static void interim_answers_and_a_body_up_to_the_close_are_understood(void **state)
{
	(void)state;
	struct raw_server *server =
		raw_server_unix(socket_path, serve_once,
				"HTTP/1.1 102 Processing\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nY: 2\r\n\r\nall of it");
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "GET", "/");
	assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	assert_int_equal(outcome.status, 200);
	assert_string_equal(wd_text_get(&outcome.headers), "[Y=2]");
	assert_string_equal(wd_text_get(&outcome.body), "all of it");
	raw_server_stop(server);
}

static void a_redirect_is_an_answer_and_no_proxy_is_taken_from_the_environment(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_tcp("127.0.0.1", serve_text,
						   "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
						   "Content-Length: 0\r\n\r\n");
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	WD_AUTO_FREE char *url = wd_format("http://127.0.0.1:%d", raw_server_port(server));
	target = (struct wd_http_target){.base_url = url};
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "GET", "/");
	unsetenv("http_proxy");
	assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	assert_int_equal(outcome.status, 302);
	raw_server_stop(server);
}

static void an_ipv6_address_is_reached(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_tcp("::1", serve_text, OK_TEXT("six", 3));
	if (!server)
		skip();
	WD_AUTO_FREE char *url = wd_format("http://[::1]:%d", raw_server_port(server));
	target = (struct wd_http_target){.base_url = url};
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "GET", "/");
	assert_string_equal(wd_text_get(&outcome.body), "six");
	raw_server_stop(server);
}

/* Ends that are not answers. */

static void where_nothing_listens_it_is_unsent_and_told_later_with_a_reason(void **state)
{
	(void)state;
	AUTO_OUTCOME absent = {0};
	ask(&absent, "POST", "/containers/web/stop");
	assert_int_equal(absent.end, WD_HTTP_UNSENT);
	assert_int_equal(absent.status, 0);
	WD_AUTO_FREE char *expected =
		wd_format("connect to %s: no such file or directory (is the Engine running?)", socket_path);
	assert_string_equal(absent.why, expected);

	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
	close(dead);
	AUTO_OUTCOME refused = {0};
	ask(&refused, "GET", "/_ping");
	assert_int_equal(refused.end, WD_HTTP_UNSENT);
	assert_ends_with(refused.why, "engine.sock: connection refused (is the Engine running?)");
	unlink(socket_path);

	target = (struct wd_http_target){.base_url = "http://127.0.0.1:1"};
	AUTO_OUTCOME tcp = {0};
	ask(&tcp, "GET", "/_ping");
	assert_int_equal(tcp.end, WD_HTTP_UNSENT);
	assert_string_equal(tcp.why, "connect to http://127.0.0.1:1: connection refused (is the Engine running?)");
}

static void a_socket_of_another_group_is_explained(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("", 0));
	chmod(socket_path, 0600);
	chmod(directory, 0755);
	if (geteuid() != 0 || seteuid(65534) != 0) {
		raw_server_stop(server);
		skip();
	}
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "GET", "/_ping");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(outcome.end, WD_HTTP_UNSENT);
	assert_ends_with(outcome.why, "engine.sock: permission denied (is your user in the socket's group?)");
	raw_server_stop(server);
}

static void without_a_descriptor_to_spare_it_is_unsent(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("", 0));
	struct rlimit limit, none;
	AUTO_OUTCOME outcome = {0};
	run_for(WD_MILLISECOND);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ask(&outcome, "GET", "/_ping");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(outcome.end, WD_HTTP_UNSENT);
	assert_ends_with(outcome.why, "engine.sock: too many open files");
	raw_server_stop(server);
}

static void nonsense_for_a_target_is_unsent(void **state)
{
	(void)state;
	static const char *const urls[] = {"gopher://localhost", "file:///etc", "http://", "http://[::1", ""};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		target = (struct wd_http_target){.base_url = urls[i]};
		AUTO_OUTCOME outcome = {0};
		ask(&outcome, "GET", "/passwd");
		assert_int_equal(outcome.end, WD_HTTP_UNSENT);
	}
	target = (struct wd_http_target){.base_url = "http://host.invalid"};
	AUTO_OUTCOME unknown = {0};
	ask(&unknown, "GET", "/");
	assert_int_equal(unknown.end, WD_HTTP_UNSENT);
	assert_non_null(strstr(unknown.why, "connect to http://host.invalid: could not resolve host"));
	char long_path[200];
	memset(long_path, 'x', sizeof long_path);
	long_path[0] = '/', long_path[sizeof long_path - 1] = '\0';
	target = (struct wd_http_target){.base_url = "http://localhost", .socket_path = long_path};
	AUTO_OUTCOME too_long = {0};
	ask(&too_long, "GET", "/");
	assert_int_equal(too_long.end, WD_HTTP_UNSENT);
}

struct piece {
	const char *bytes;
	size_t length;
};

static void serve_piece(struct raw_server *server, int connection, int nth, void *data)
{
	const struct piece *piece = data;
	char *request = raw_request(connection);
	(void)server, (void)nth;
	raw_send(connection, piece->bytes, piece->length);
	free(request);
}

/* whole: from how many bytes on it may be an answer; all of them must be one. */
static void cut_everywhere(const char *method, const char *answer, size_t whole)
{
	for (size_t length = 0; length <= strlen(answer); length++) {
		struct piece piece = {.bytes = answer, .length = length};
		struct raw_server *server = raw_server_unix(socket_path, serve_piece, &piece);
		AUTO_OUTCOME outcome = {0};
		ask(&outcome, method, "/");
		bool answered = outcome.end == WD_HTTP_ANSWERED;
		if (answered ? length < whole : length == strlen(answer))
			fail_msg("%zu bytes of \"%s\" ended as %d (%s)", length, answer, (int)outcome.end, outcome.why);
		if (!answered)
			assert_int_equal(outcome.end, WD_HTTP_LOST);
		raw_server_stop(server);
	}
}

static void an_answer_cut_at_any_byte_is_lost(void **state)
{
	(void)state;
	const char *sized = "HTTP/1.1 201 Created\r\nApi-Version: 1.41\r\nContent-Length: 12\r\n\r\n{\"Id\":\"abc\"}";
	cut_everywhere("POST", sized, strlen(sized));
	const char *empty = "HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n";
	cut_everywhere("POST", empty, strlen(empty));
	const char *chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	cut_everywhere("GET", chunked, strlen(chunked) - 1); /* curl before 8.11 does not insist on the very last \n */
	const char *interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nA: b\r\n\r\n";
	cut_everywhere("POST", interim, strlen(interim));
}

static void answers_that_are_not_http_are_lost(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"hello",
		"HTTP/1.1 OK\r\n\r\n",
		"HTTP/1.1 99 Odd\r\n\r\n",
		"HTTP/9.9 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nx",
		"\x15\x03\x01\x00\x02\x02\x46",
	};
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct raw_server *server = raw_server_unix(socket_path, serve_once, (void *)(uintptr_t)answers[i]);
		AUTO_OUTCOME outcome = {0};
		ask(&outcome, "GET", "/");
		if (outcome.end != WD_HTTP_LOST)
			fail_msg("\"%s\" ended as %d with %d", answers[i], (int)outcome.end, outcome.status);
		assert_non_null(strstr(outcome.why, socket_path));
		raw_server_stop(server);
	}
}

static void serve_reset(struct raw_server *server, int connection, int nth, void *data)
{
	char *request = raw_request(connection);
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	(void)server, (void)nth, (void)data;
	connect(connection, &nobody, sizeof nobody); /* resets it */
	free(request);
}

static void a_reset_connection_is_lost(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_tcp("127.0.0.1", serve_reset, NULL);
	WD_AUTO_FREE char *url = wd_format("http://127.0.0.1:%d", raw_server_port(server));
	target = (struct wd_http_target){.base_url = url};
	AUTO_OUTCOME outcome = {0};
	ask(&outcome, "POST", "/containers/web/restart");
	assert_int_equal(outcome.end, WD_HTTP_LOST);
	assert_non_null(strstr(outcome.why, "reset by peer"));
	raw_server_stop(server);
}

static void serve_endless_headers(struct raw_server *server, int connection, int nth, void *data)
{
	char *request = raw_request(connection);
	(void)server, (void)nth, (void)data;
	raw_say(connection, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 20000; i++)
		raw_say(connection, "X-Header: and another one of these, as if there were no end to them\r\n");
	free(request);
}

static void endless_headers_are_ended(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_endless_headers, NULL);
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome, (struct wd_http_request){.method = "GET", .path = "/"});
	wait_for(&outcome);
	assert_int_equal(outcome.end, WD_HTTP_LOST);
	assert_int_equal(outcome.status, 0);
	assert_ends_with(outcome.why, ": an answer of more than 256KiB");
	raw_server_stop(server);
}

static void serve_megabytes(struct raw_server *server, int connection, int nth, void *data)
{
	static char block[1 << 16];
	char *request = raw_request(connection);
	(void)server, (void)nth;
	raw_say(connection, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 16 * *(int *)data; i++)
		raw_send(connection, block, sizeof block);
	free(request);
}

static void a_body_above_the_limit_is_lost_but_a_stream_has_none(void **state)
{
	(void)state;
	int megabytes = 3;
	struct raw_server *server = raw_server_unix(socket_path, serve_megabytes, &megabytes);
	AUTO_OUTCOME limited = {0};
	send_request(&limited, (struct wd_http_request){.method = "GET", .path = "/", .limit = 2 << 20});
	wait_for(&limited);
	assert_int_equal(limited.end, WD_HTTP_LOST);
	assert_ends_with(limited.why, "engine.sock: an answer of more than 2MiB");
	AUTO_OUTCOME exact = {0};
	send_request(&exact, (struct wd_http_request){.method = "GET", .path = "/", .limit = 3 << 20});
	wait_for(&exact);
	assert_int_equal(exact.end, WD_HTTP_ANSWERED);
	assert_int_equal(exact.body.length, 3 << 20);
	AUTO_OUTCOME stream = {0};
	send_request(&stream,
		     (struct wd_http_request){.method = "GET", .path = "/", .limit = 1, .on_bytes = note_bytes});
	wait_for(&stream);
	assert_int_equal(stream.end, WD_HTTP_ANSWERED);
	assert_int_equal(stream.streamed, 3 << 20);
	assert_int_equal(stream.body.length, 0);
	raw_server_stop(server);
}

static void pause_at_once(void *data, const char *bytes, size_t length)
{
	struct outcome *outcome = data;
	note_bytes(data, bytes, length);
	wd_http_pause(outcome->call, true);
}

static void a_paused_stream_stays_in_the_socket(void **state)
{
	(void)state;
	int megabytes = 3;
	struct raw_server *server = raw_server_unix(socket_path, serve_megabytes, &megabytes);
	AUTO_OUTCOME stream = {0};
	send_request(&stream, (struct wd_http_request){.method = "GET", .path = "/", .on_bytes = pause_at_once});
	run_for(30 * WD_MILLISECOND);
	size_t before = stream.streamed;
	assert_true(before > 0 && before < 64 << 10);
	run_for(30 * WD_MILLISECOND);
	assert_int_equal(stream.streamed, before);
	assert_int_equal(stream.done, 0);
	while (stream.call) {
		wd_http_pause(stream.call, false);
		run_for(WD_MILLISECOND);
	}
	assert_int_equal(stream.end, WD_HTTP_ANSWERED);
	assert_int_equal(stream.streamed, 3 << 20);
	raw_server_stop(server);
}

/* Deadlines. */

static void a_server_that_never_answers_is_late_at_the_deadline(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_silence, NULL);
	AUTO_OUTCOME outcome = {0};
	wd_time begin = wd_time_now();
	run_for(0);
	send_request(&outcome,
		     (struct wd_http_request){.method = "POST", .path = "/", .deadline = 60 * WD_MILLISECOND});
	wait_for(&outcome);
	assert_int_equal(outcome.end, WD_HTTP_LATE);
	assert_ends_with(outcome.why, "engine.sock: no answer within 60ms");
	assert_in_range(outcome.at - begin, 60 * WD_MILLISECOND, 15 * WD_SECOND);
	raw_server_stop(server);
}

static void serve_drops(struct raw_server *server, int connection, int nth, void *data)
{
	char *request = raw_request(connection);
	(void)server, (void)nth, (void)data;
	raw_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	for (int i = 0; i < 900 && send(connection, "x", 1, MSG_NOSIGNAL) == 1; i++)
		usleep(5000);
	free(request);
}

static void drops_of_an_answer_do_not_move_the_deadline(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_drops, NULL);
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome,
		     (struct wd_http_request){.method = "GET", .path = "/", .deadline = 500 * WD_MILLISECOND});
	wait_for(&outcome);
	assert_int_equal(outcome.end, WD_HTTP_LATE);
	assert_int_equal(outcome.status, 200);
	assert_ends_with(outcome.why, "engine.sock: no whole answer within 500ms");
	raw_server_stop(server);
}

static void a_deadline_before_the_connection_means_unsent(void **state)
{
	(void)state;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int full = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(full, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(full, 0), 0);
	getsockname(full, (struct sockaddr *)&address, &length);
	int others[4];
	for (int i = 0; i < 4; i++) { /* nobody accepts: behind the first the rest waits for its connection */
		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(others[i], (struct sockaddr *)&address, length);
	}
	WD_AUTO_FREE char *url = wd_format("http://127.0.0.1:%d", ntohs(address.sin_port));
	target = (struct wd_http_target){.base_url = url};
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome,
		     (struct wd_http_request){.method = "POST", .path = "/", .deadline = 50 * WD_MILLISECOND});
	wait_for(&outcome);
	assert_int_equal(outcome.end, WD_HTTP_UNSENT);
	assert_ends_with(outcome.why, ": not connected within 50ms");
	for (int i = 0; i < 4; i++)
		close(others[i]);
	close(full);
}

static void serve_at_once(struct raw_server *server, int connection, int nth, void *data)
{
	serve_once(server, connection, nth, data);
	atomic_fetch_add(&requests, 1);
}

static void an_answer_that_waits_in_the_socket_beats_the_deadline(void **state)
{
	(void)state;
	atomic_store(&requests, 0);
	struct raw_server *server = raw_server_unix(socket_path, serve_at_once, OK_TEXT("here", 4));
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome, (struct wd_http_request){.method = "GET", .path = "/", .deadline = 20 * WD_MILLISECOND});
	while (atomic_load(&requests) == 0)
		usleep(1000);
	usleep(40000); /* the process was stopped, say */
	wait_for(&outcome);
	assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	assert_string_equal(wd_text_get(&outcome.body), "here");
	raw_server_stop(server);
}

/* Connections used again. */

static void gets_share_a_connection(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("a", 1));
	for (int i = 0; i < 5; i++) {
		AUTO_OUTCOME outcome = {0};
		ask(&outcome, "GET", "/");
		assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
	}
	assert_int_equal(raw_server_connections(server), 1);
	raw_server_stop(server);
}

static void serve_and_forget(struct raw_server *server, int connection, int nth, void *data)
{
	serve_once(server, connection, nth, data);
	usleep(5000);
}

static void a_connection_that_was_closed_meanwhile_does_no_harm(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_and_forget, OK_TEXT("a", 1));
	for (int i = 0; i < 3; i++) {
		AUTO_OUTCOME outcome = {0};
		ask(&outcome, i == 2 ? "POST" : "GET", "/");
		assert_int_equal(outcome.end, WD_HTTP_ANSWERED);
		usleep(20000);
	}
	assert_int_equal(raw_server_connections(server), 3);
	raw_server_stop(server);
}

/* The first request of a connection is answered; the second kills it. */
static void serve_one_then_die(struct raw_server *server, int connection, int nth, void *data)
{
	(void)server, (void)nth;
	for (int i = 0; i < 2; i++) {
		char *request = raw_request(connection);
		if (!request)
			return;
		keep_request(request);
		if (i == 0 && strncmp(request, "GET", 3) == 0)
			raw_say(connection, data);
		else
			return;
	}
}

static void a_get_is_asked_again_but_a_post_that_died_is_lost_and_sent_once(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_one_then_die, OK_TEXT("a", 1));
	AUTO_OUTCOME first = {0};
	ask(&first, "GET", "/");
	AUTO_OUTCOME second = {0};
	ask(&second, "GET", "/");
	assert_int_equal(second.end, WD_HTTP_ANSWERED);
	AUTO_OUTCOME pooled = {0};
	ask(&pooled, "GET", "/");
	atomic_store(&requests, 0);
	AUTO_OUTCOME post = {0};
	ask(&post, "POST", "/containers/web/restart");
	assert_int_equal(post.end, WD_HTTP_LOST);
	assert_ends_with(post.why, "engine.sock: closed the connection without an answer");
	run_for(20 * WD_MILLISECOND);
	assert_int_equal(atomic_load(&requests), 1);
	raw_server_stop(server);
}

/* Cancelling, and callbacks that call. */

static void a_cancelled_call_is_silent_in_every_phase(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_drops, NULL);
	for (int milliseconds = 0; milliseconds < 12; milliseconds++) {
		AUTO_OUTCOME outcome = {0};
		send_request(&outcome, (struct wd_http_request){.method = "GET", .path = "/", .on_bytes = note_bytes});
		if (milliseconds > 0)
			run_for((milliseconds - 1) * WD_MILLISECOND);
		wd_http_cancel(outcome.call);
		size_t streamed = outcome.streamed;
		run_for(10 * WD_MILLISECOND);
		assert_int_equal(outcome.done, 0);
		assert_int_equal(outcome.streamed, streamed);
	}
	raw_server_stop(server);
	AUTO_OUTCOME refused = {0}; /* has ended already, but was not yet told */
	send_request(&refused, (struct wd_http_request){.method = "GET", .path = "/"});
	wd_http_cancel(refused.call);
	run_for(5 * WD_MILLISECOND);
	assert_int_equal(refused.done, 0);
	wd_http_cancel(NULL);
}

static void a_cancel_does_not_wait_for_a_name_server(void **state)
{
	(void)state;
	target = (struct wd_http_target){.base_url = "http://name.of.nobody.invalid:2375"};
	wd_time begin = wd_time_now();
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome, (struct wd_http_request){.method = "GET", .path = "/"});
	wd_http_cancel(outcome.call);
	assert_true(wd_time_now() - begin < WD_SECOND);
	run_for(5 * WD_MILLISECOND);
	assert_int_equal(outcome.done, 0);
}

static void freeing_the_client_cancels_what_is_under_way(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_silence, NULL);
	struct outcome outcomes[3] = {{0}};
	for (int i = 0; i < 3; i++)
		send_request(&outcomes[i],
			     (struct wd_http_request){.method = "GET", .path = "/", .deadline = WD_SECOND});
	run_for(5 * WD_MILLISECOND);
	http = wd_http_free(http);
	run_for(5 * WD_MILLISECOND);
	for (int i = 0; i < 3; i++)
		assert_int_equal(outcomes[i].done, 0);
	raw_server_stop(server);
}

static void free_client(void *data, const struct wd_http_answer *answer)
{
	note_done(data, answer);
	http = wd_http_free(http);
	assert_string_equal(answer->body, "last");
}

static void the_client_may_be_freed_from_its_own_callback(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("last", 4));
	AUTO_OUTCOME first = {0};
	AUTO_OUTCOME second = {0};
	struct wd_http_request request = {.method = "GET", .path = "/", .on_done = free_client, .data = &first};
	wd_http_send(http, &target, &request);
	request.data = &second;
	wd_http_send(http, &target, &request);
	while (first.done + second.done == 0)
		run_for(5 * WD_MILLISECOND);
	run_for(30 * WD_MILLISECOND);
	assert_int_equal(first.done + second.done, 1);
	assert_null(http);
	raw_server_stop(server);
}

struct pair {
	struct outcome *self, *other;
};

static void cancel_other(void *data, const struct wd_http_answer *answer)
{
	struct pair *pair = data;
	note_done(pair->self, answer);
	wd_http_cancel(pair->other->call);
	pair->other->call = NULL;
}

static void a_callback_may_cancel_its_neighbour(void **state)
{
	(void)state; /* both have ended when the first is told */
	AUTO_OUTCOME one = {0};
	AUTO_OUTCOME two = {0};
	struct pair first = {&one, &two}, second = {&two, &one};
	struct wd_http_request request = {.method = "GET", .path = "/", .on_done = cancel_other, .data = &first};
	one.call = wd_http_send(http, &target, &request);
	request.data = &second;
	two.call = wd_http_send(http, &target, &request);
	wait_for(&one);
	run_for(5 * WD_MILLISECOND);
	assert_int_equal(one.done, 1);
	assert_int_equal(two.done, 0);
}

static void send_next(void *data, const struct wd_http_answer *answer)
{
	struct outcome *outcomes = data;
	note_done(&outcomes[0], answer);
	send_request(&outcomes[1], (struct wd_http_request){.method = "GET", .path = "/next"});
}

static void a_callback_may_send_the_next_request(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("a", 1));
	struct outcome outcomes[2] = {{0}};
	struct wd_http_request request = {.method = "GET", .path = "/", .on_done = send_next, .data = outcomes};
	wd_http_send(http, &target, &request);
	wait_for(&outcomes[1]);
	assert_int_equal(outcomes[1].end, WD_HTTP_ANSWERED);
	assert_non_null(strstr(atomic_load(&last_request), "GET /next "));
	assert_int_equal(raw_server_connections(server), 1);
	outcome_done(&outcomes[0]);
	outcome_done(&outcomes[1]);
	raw_server_stop(server);
}

static void send_and_cancel_within_bytes(void *data, const char *bytes, size_t length)
{
	struct outcome *outcomes = data;
	(void)bytes, (void)length;
	outcomes[0].streamed++;
	send_request(&outcomes[1], (struct wd_http_request){.method = "GET", .path = "/next"});
	wd_http_cancel(outcomes[0].call);
}

static void even_within_the_bytes_one_may_send_and_cancel(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("a", 1));
	struct outcome outcomes[2] = {{0}};
	struct wd_http_request request = {.method = "GET",
					  .path = "/",
					  .on_done = note_done,
					  .on_bytes = send_and_cancel_within_bytes,
					  .data = outcomes};
	outcomes[0].call = wd_http_send(http, &target, &request);
	wait_for(&outcomes[1]);
	assert_int_equal(outcomes[0].done, 0);
	assert_int_equal(outcomes[0].streamed, 1);
	assert_string_equal(wd_text_get(&outcomes[1].body), "a");
	outcome_done(&outcomes[1]);
	raw_server_stop(server);
}

static void two_hundred_calls_at_once_are_all_answered(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_text, OK_TEXT("many", 4));
	static struct outcome outcomes[200];
	memset(outcomes, 0, sizeof outcomes);
	for (int i = 0; i < 200; i++)
		send_request(&outcomes[i], (struct wd_http_request){.method = i % 3 ? "GET" : "POST",
								    .path = "/",
								    .deadline = 20 * WD_SECOND});
	for (int i = 0; i < 200; i++) {
		wait_for(&outcomes[i]);
		assert_int_equal(outcomes[i].end, WD_HTTP_ANSWERED);
		assert_string_equal(wd_text_get(&outcomes[i].body), "many");
		outcome_done(&outcomes[i]);
	}
	assert_true(count_descriptors() < descriptors_before + 250);
	raw_server_stop(server);
}

static bool leads_to_the_engine(int descriptor)
{
	struct sockaddr_un peer = {0};
	socklen_t length = sizeof peer;
	return getpeername(descriptor, (struct sockaddr *)&peer, &length) == 0 && peer.sun_family == AF_UNIX &&
	       strcmp(peer.sun_path, socket_path) == 0;
}

static void no_way_to_the_engine_is_left_for_a_child(void **state)
{
	(void)state;
	struct raw_server *server = raw_server_unix(socket_path, serve_silence, NULL);
	AUTO_OUTCOME outcome = {0};
	send_request(&outcome, (struct wd_http_request){.method = "GET", .path = "/"});
	run_for(2 * WD_MILLISECOND);
	int seen = 0;
	for (int descriptor = 3; descriptor < 64; descriptor++) {
		if (!leads_to_the_engine(descriptor))
			continue;
		seen++;
		assert_true(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
	}
	assert_int_equal(seen, 1);
	wd_http_cancel(outcome.call);
	raw_server_stop(server);
}

static void query_values_are_escaped(void **state)
{
	(void)state;
	WD_AUTO_FREE char *filters = wd_http_escape("{\"type\":[\"container\"]} a+b/ä%");
	assert_string_equal(filters, "%7B%22type%22%3A%5B%22container%22%5D%7D%20a%2Bb%2F%C3%A4%25");
	WD_AUTO_FREE char *plain = wd_http_escape("web-1.2_~A9");
	assert_string_equal(plain, "web-1.2_~A9");
	WD_AUTO_FREE char *empty = wd_http_escape("");
	assert_string_equal(empty, "");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_get_brings_status_headers_and_body),
		STORY(a_post_carries_its_body_without_asking_first),
		STORY(a_post_without_body_and_a_delete_say_so),
		STORY(a_head_has_headers_only),
		STORY(a_request_is_on_the_wire_before_the_loop_turns),
		STORY(interim_answers_and_a_body_up_to_the_close_are_understood),
		STORY(a_redirect_is_an_answer_and_no_proxy_is_taken_from_the_environment),
		STORY(an_ipv6_address_is_reached),
		STORY(where_nothing_listens_it_is_unsent_and_told_later_with_a_reason),
		STORY(a_socket_of_another_group_is_explained),
		STORY(without_a_descriptor_to_spare_it_is_unsent),
		STORY(nonsense_for_a_target_is_unsent),
		STORY(an_answer_cut_at_any_byte_is_lost),
		STORY(answers_that_are_not_http_are_lost),
		STORY(a_reset_connection_is_lost),
		STORY(endless_headers_are_ended),
		STORY(a_body_above_the_limit_is_lost_but_a_stream_has_none),
		STORY(a_paused_stream_stays_in_the_socket),
		STORY(a_server_that_never_answers_is_late_at_the_deadline),
		STORY(drops_of_an_answer_do_not_move_the_deadline),
		STORY(a_deadline_before_the_connection_means_unsent),
		STORY(an_answer_that_waits_in_the_socket_beats_the_deadline),
		STORY(gets_share_a_connection),
		STORY(a_connection_that_was_closed_meanwhile_does_no_harm),
		STORY(a_get_is_asked_again_but_a_post_that_died_is_lost_and_sent_once),
		STORY(a_cancelled_call_is_silent_in_every_phase),
		STORY(a_cancel_does_not_wait_for_a_name_server),
		STORY(freeing_the_client_cancels_what_is_under_way),
		STORY(the_client_may_be_freed_from_its_own_callback),
		STORY(a_callback_may_cancel_its_neighbour),
		STORY(a_callback_may_send_the_next_request),
		STORY(even_within_the_bytes_one_may_send_and_cancel),
		STORY(two_hundred_calls_at_once_are_all_answered),
		STORY(no_way_to_the_engine_is_left_for_a_child),
		STORY(query_values_are_escaped),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(atomic_load(&last_request));
	return failed;
}
