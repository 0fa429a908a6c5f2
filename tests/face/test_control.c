/* The control socket: a watchdog on a loop in a thread, commands and hostile peers before it. */
#include "../../watchdog/face/client.h"
#include "../../watchdog/face/request.h"

#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <support/unit.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/control.h>
#include <watchdog/memory.h>

struct watchdog {
	char directory[64];
	char *path;
	struct wd_loop *loop;
	struct wd_control *control;
	struct wd_wake *end;
	struct wd_timer *later;
	struct wd_peer *waiting;
	pthread_t thread;
	atomic_int asked, left;
};

static struct wd_json *said(const char *what)
{
	struct wd_json *data = wd_json_object();
	wd_json_set_string(data, "said", what);
	return data;
}

/* 64 KiB a line until the peer is dropped for not reading, or the end. */
static void flood(struct wd_peer *peer, int lines)
{
	WD_AUTO_FREE char *kilobytes = wd_alloc(64 * 1024, 1);
	memset(kilobytes, 'x', 64 * 1024 - 1);
	for (int i = 0; i < lines; i++)
		wd_peer_send(peer, said(kilobytes));
}

static void on_request(void *data, struct wd_peer *peer, const char *verb, const struct wd_json *request)
{
	struct watchdog *watchdog = data;
	watchdog->asked++;
	if (strcmp(verb, "ping") == 0) {
		wd_peer_send(peer, said("pong"));
		wd_peer_finish(peer);
	} else if (strcmp(verb, "echo") == 0) {
		wd_peer_send(peer, wd_json_clone(request));
		wd_peer_finish(peer);
	} else if (strcmp(verb, "refuse") == 0) {
		wd_peer_refuse(peer, WD_ERROR_NOT_FOUND, "no such service: %s",
			       wd_json_string(wd_json_get(request, "name"), "?"));
	} else if (strcmp(verb, "flood") == 0) {
		flood(peer, (int)wd_json_int(wd_json_get(request, "lines"), 1));
		if (wd_json_bool(wd_json_get(request, "finish"), true))
			wd_peer_finish(peer);
	} else if (strcmp(verb, "later") == 0) {
		watchdog->waiting = peer;
		wd_timer_set(watchdog->later, wd_loop_now(watchdog->loop) + 50 * WD_MILLISECOND);
	}
}

static void on_left(void *data, struct wd_peer *peer)
{
	struct watchdog *watchdog = data;
	watchdog->left++;
	if (watchdog->waiting == peer)
		watchdog->waiting = NULL;
}

static void on_later(void *data)
{
	struct watchdog *watchdog = data;
	if (!watchdog->waiting)
		return;
	wd_peer_send(watchdog->waiting, said("at last"));
	wd_peer_finish(watchdog->waiting);
	watchdog->waiting = NULL;
}

static void on_end(void *data)
{
	wd_loop_stop(data);
}

static void *run(void *data)
{
	wd_loop_run(data);
	return NULL;
}

static int begin(void **state)
{
	struct watchdog *watchdog = wd_alloc(1, sizeof *watchdog);
	struct wd_error error = {0};
	strcpy(watchdog->directory, "/tmp/seadog-control-XXXXXX");
	assert_non_null(mkdtemp(watchdog->directory));
	watchdog->path = wd_format("%s/run/seadog.sock", watchdog->directory);
	watchdog->loop = wd_loop_new(&error);
	watchdog->control = wd_control_open(watchdog->loop, watchdog->path, on_request, on_left, watchdog, &error);
	assert_string_equal(error.text, "");
	assert_non_null(watchdog->control);
	wd_control_hurry(watchdog->control, 300 * WD_MILLISECOND);
	watchdog->end = wd_wake_new(watchdog->loop, on_end, watchdog->loop);
	watchdog->later = wd_timer_new(watchdog->loop, on_later, watchdog);
	assert_int_equal(pthread_create(&watchdog->thread, NULL, run, watchdog->loop), 0);
	*state = watchdog;
	return 0;
}

static int end(void **state)
{
	struct watchdog *watchdog = *state;
	wd_wake_send(watchdog->end);
	pthread_join(watchdog->thread, NULL);
	wd_control_close(watchdog->control);
	assert_int_equal(access(watchdog->path, F_OK), -1);
	wd_wake_free(watchdog->end);
	wd_timer_free(watchdog->later);
	wd_loop_free(watchdog->loop);
	WD_AUTO_FREE char *run_directory = wd_format("%s/run", watchdog->directory);
	assert_int_equal(rmdir(run_directory), 0);
	assert_int_equal(rmdir(watchdog->directory), 0);
	free(watchdog->path);
	free(watchdog);
	return 0;
}

/* Commands. */

static struct wd_json *request_of(const char *text)
{
	struct wd_json *request = wd_json_parse(text, strlen(text), NULL);
	assert_non_null(request);
	return request;
}

static bool collect(void *data, const struct wd_json *object)
{
	struct wd_text *all = data;
	wd_text_print(all, "%s;", wd_json_string(wd_json_get(object, "said"), "?"));
	return true;
}

static bool ask(const struct watchdog *watchdog, const char *request, struct wd_text *answer, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *json = request_of(request);
	return wd_control_ask(watchdog->path, json, 5 * WD_SECOND, collect, answer, error);
}

static void assert_alive(const struct watchdog *watchdog)
{
	WD_AUTO_TEXT struct wd_text answer = {0};
	struct wd_error error = {0};
	if (!ask(watchdog, "{\"verb\":\"ping\"}", &answer, &error))
		fail_msg("%s", error.text);
	assert_string_equal(wd_text_get(&answer), "pong;");
}

static void a_command_is_answered(void **state)
{
	assert_alive(*state);
}

static void an_answer_may_come_later(void **state)
{
	WD_AUTO_TEXT struct wd_text answer = {0};
	assert_true(ask(*state, "{\"verb\":\"later\"}", &answer, NULL));
	assert_string_equal(wd_text_get(&answer), "at last;");
}

static void an_error_comes_back_with_its_kind(void **state)
{
	struct wd_error error = {0};
	assert_false(ask(*state, "{\"verb\":\"refuse\",\"name\":\"w\\u0007eb\"}", NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_NOT_FOUND);
	assert_string_equal(error.text, "no such service: w\aeb");
}

static void answers_of_megabytes_arrive_whole(void **state)
{
	WD_AUTO_TEXT struct wd_text answer = {0};
	struct wd_error error = {0};
	assert_true(ask(*state, "{\"verb\":\"flood\",\"lines\":50}", &answer, &error));
	assert_int_equal(answer.length, 50 * (size_t)(64 * 1024));
}

static bool keep_number(void *data, const struct wd_json *object)
{
	*(int64_t *)data = wd_json_int(wd_json_get(object, "since_ns"), 0);
	return true;
}

static void nanoseconds_keep_their_digits(void **state)
{
	const struct watchdog *watchdog = *state;
	int64_t number = 0;
	WD_AUTO_JSON struct wd_json *request = request_of("{\"verb\":\"echo\",\"since_ns\":1761234567123456789}");
	assert_true(wd_control_ask(watchdog->path, request, WD_SECOND, keep_number, &number, NULL));
	assert_true(number == 1761234567123456789);
}

static bool want_no_more(void *data, const struct wd_json *object)
{
	(void)object;
	++*(int *)data;
	return false;
}

static void a_command_may_have_heard_enough(void **state)
{
	const struct watchdog *watchdog = *state;
	int heard = 0;
	WD_AUTO_JSON struct wd_json *request = request_of("{\"verb\":\"flood\",\"lines\":20}");
	assert_true(wd_control_ask(watchdog->path, request, WD_SECOND, want_no_more, &heard, NULL));
	assert_int_equal(heard, 1);
	assert_alive(watchdog);
}

static void patience_ends(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_error error = {0};
	WD_AUTO_JSON struct wd_json *request = request_of("{\"verb\":\"never\"}");
	assert_false(wd_control_ask(watchdog->path, request, 50 * WD_MILLISECOND, want_no_more, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	assert_string_equal(error.text, "the watchdog does not answer");
}

static void nobody_listens(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_error error = {0};
	WD_AUTO_JSON struct wd_json *request = request_of("{\"verb\":\"ping\"}");
	WD_AUTO_FREE char *path = wd_format("%s/other.sock", watchdog->directory);
	assert_false(wd_control_ask(path, request, WD_SECOND, want_no_more, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_NOT_RUNNING);
}

/* The socket's file. */

static void only_its_group_and_user_may_open_it(void **state)
{
	const struct watchdog *watchdog = *state;
	struct stat found;
	WD_AUTO_FREE char *directory = wd_format("%s/run", watchdog->directory);
	assert_int_equal(stat(watchdog->path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0660);
	assert_int_equal(stat(directory, &found), 0);
	assert_int_equal(found.st_mode & 07777 & ~0750u, 0);
}

static void a_second_watchdog_is_refused(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_error error = {0};
	struct wd_loop *loop = wd_loop_new(NULL);
	assert_null(wd_control_open(loop, watchdog->path, on_request, on_left, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_REFUSED);
	wd_loop_free(loop);
	assert_alive(watchdog);
}

static int socket_at(const char *path, bool bound)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, path, strlen(path));
	int done = bound ? bind(descriptor, (struct sockaddr *)&address, sizeof address)
			 : connect(descriptor, (struct sockaddr *)&address, sizeof address);
	assert_int_equal(done, 0);
	return descriptor;
}

static void a_dead_ones_socket_is_replaced_but_no_file(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_error error = {0};
	struct wd_loop *loop = wd_loop_new(NULL);
	WD_AUTO_FREE char *stale = wd_format("%s/stale.sock", watchdog->directory);
	WD_AUTO_FREE char *file = wd_format("%s/file", watchdog->directory);
	close(socket_at(stale, true));
	struct wd_control *control = wd_control_open(loop, stale, on_request, on_left, NULL, &error);
	assert_non_null(control);
	wd_control_close(control);
	fclose(fopen(file, "w"));
	assert_null(wd_control_open(loop, file, on_request, on_left, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_REFUSED);
	assert_int_equal(unlink(file), 0);
	wd_loop_free(loop);
}

/* Who took the name meanwhile keeps it. */
static void anothers_socket_is_not_removed(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_loop *loop = wd_loop_new(NULL);
	WD_AUTO_FREE char *path = wd_format("%s/mine.sock", watchdog->directory);
	struct wd_control *control = wd_control_open(loop, path, on_request, on_left, NULL, NULL);
	assert_non_null(control);
	assert_int_equal(unlink(path), 0);
	int other = socket_at(path, true);
	wd_control_close(control);
	assert_int_equal(unlink(path), 0);
	close(other);
	wd_loop_free(loop);
}

static void paths_that_cannot_be(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_error error = {0};
	struct wd_loop *loop = wd_loop_new(NULL);
	char path[200];
	memset(path, 'a', sizeof path);
	memcpy(path, "/tmp/", 5);
	path[sizeof path - 1] = '\0';
	assert_null(wd_control_open(loop, path, on_request, on_left, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_USAGE);
	WD_AUTO_FREE char *deep = wd_format("%s/not/there/s.sock", watchdog->directory);
	assert_null(wd_control_open(loop, deep, on_request, on_left, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	wd_loop_free(loop);
}

/* Another user, whose process comes through a socket that was opened too wide; what it is told goes into `ret_heard`. */
static void ask_as_nobody(const struct watchdog *watchdog, gid_t group, char ret_heard[static 256])
{
	int told[2];
	assert_int_equal(pipe(told), 0);
	pid_t child = fork();
	if (child == 0) {
		char heard[255] = "";
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		memcpy(address.sun_path, watchdog->path, strlen(watchdog->path));
		int peer = socket(AF_UNIX, SOCK_STREAM, 0);
		bool there = setgroups(1, &group) == 0 && setgid(65534) == 0 && setuid(65534) == 0 &&
			     connect(peer, (struct sockaddr *)&address, sizeof address) == 0 &&
			     send(peer, "{\"verb\":\"ping\"}\n", 16, MSG_NOSIGNAL) != 0 &&
			     read(peer, heard, sizeof heard - 1) > 0;
		_exit(!there || write(told[1], heard, strlen(heard) + 1) < 0);
	}
	close(told[1]);
	assert_true(read(told[0], ret_heard, 256) > 0);
	close(told[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void strangers_are_refused_by_what_they_are(void **state)
{
	const struct watchdog *watchdog = *state;
	char heard[256] = "";
	WD_AUTO_FREE char *directory = wd_format("%s/run", watchdog->directory);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(watchdog->directory, 0755) | chmod(directory, 0755) | chmod(watchdog->path, 0666), 0);
	assert_int_equal(chown(watchdog->path, 0, 4242), 0);
	ask_as_nobody(watchdog, 65534, heard);
	assert_non_null(strstr(heard, "\"exit\":5"));
	assert_int_equal(watchdog->asked, 0);
	ask_as_nobody(watchdog, 4242, heard);
	assert_non_null(strstr(heard, "pong"));
}

/* Hostile peers. */

static void put(int descriptor, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
		if (sent < 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

static void say(int descriptor, const char *text)
{
	put(descriptor, text, strlen(text));
}

/* All that comes until the end of file, waiting at most two seconds for each piece. */
static char *hear(int descriptor)
{
	struct wd_text all = {0};
	char chunk[4096];
	struct pollfd look = {.fd = descriptor, .events = POLLIN};
	while (poll(&look, 1, 2000) > 0) {
		ssize_t got = read(descriptor, chunk, sizeof chunk);
		if (got <= 0) {
			close(descriptor);
			return wd_text_take(&all);
		}
		wd_text_put(&all, chunk, (size_t)got);
	}
	fail_msg("the watchdog neither speaks nor closes");
	return NULL;
}

static void await_left(struct watchdog *watchdog, int count)
{
	for (int i = 0; i < 200 && watchdog->left < count; i++)
		usleep(10000);
	assert_int_equal(watchdog->left, count);
}

static void lines_may_come_in_pieces(void **state)
{
	const struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	for (const char *byte = "{\"verb\":\"ping\"}\n"; *byte; byte++) {
		put(peer, byte, 1);
		usleep(1000);
	}
	WD_AUTO_FREE char *heard = hear(peer);
	assert_string_equal(heard, "{\"data\":{\"said\":\"pong\"}}\n{\"done\":true}\n");
}

static void rubbish_is_answered_and_closed(void **state)
{
	static const char *const rubbish[] = {"\n",
					      "hello\n",
					      "{}\n",
					      "[\"verb\"]\n",
					      "{\"verb\":7}\n",
					      "{\"verb\":\"\"}\n",
					      "{\"verb\":\"PING\"}\n",
					      "{\"verb\":\"../../etc\"}\n",
					      "{\"verb\":\"ping\"} x\n",
					      "{\"verb\":\"ping\"}\n{\"verb\":\"ping\"}\n",
					      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"};
	struct watchdog *watchdog = *state;
	for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
		int peer = socket_at(watchdog->path, false);
		say(peer, rubbish[i]);
		WD_AUTO_FREE char *heard = hear(peer);
		WD_AUTO_JSON struct wd_json *answer = wd_json_parse(heard, strlen(heard), NULL);
		assert_int_equal(wd_json_int(wd_json_get(answer, "exit"), 0), WD_ERROR_USAGE);
		assert_non_null(wd_json_string(wd_json_get(answer, "error"), NULL));
	}
	assert_int_equal(watchdog->asked, 0);
	assert_alive(watchdog);
}

static void a_line_of_70_kib_is_refused(void **state)
{
	struct watchdog *watchdog = *state;
	WD_AUTO_FREE char *line = wd_alloc(70 * 1024, 1);
	memset(line, 'x', 70 * 1024);
	int peer = socket_at(watchdog->path, false);
	put(peer, line, 70 * 1024);
	WD_AUTO_FREE char *heard = hear(peer);
	assert_string_equal(heard, "{\"error\":\"a request has at most 65536 bytes\",\"exit\":2}\n");
	assert_alive(watchdog);
}

/* The client reads what it is told although it could not say all it wanted. */
static void a_command_that_says_too_much_learns_why(void **state)
{
	const struct watchdog *watchdog = *state;
	struct wd_error error = {0};
	WD_AUTO_FREE char *name = wd_alloc(1024 * 1024, 1);
	memset(name, 'x', 1024 * 1024 - 1);
	WD_AUTO_JSON struct wd_json *request = request_of("{\"verb\":\"echo\"}");
	wd_json_set_string(request, "name", name);
	assert_false(wd_control_ask(watchdog->path, request, 5 * WD_SECOND, want_no_more, NULL, &error));
	assert_int_equal(error.kind, WD_ERROR_USAGE);
	assert_string_equal(error.text, "a request has at most 65536 bytes");
}

static void half_a_line_and_silence_is_dropped(void **state)
{
	const struct watchdog *watchdog = *state;
	int silent = socket_at(watchdog->path, false), half = socket_at(watchdog->path, false);
	say(half, "{\"verb\":");
	assert_alive(watchdog);
	WD_AUTO_FREE char *from_silent = hear(silent);
	WD_AUTO_FREE char *from_half = hear(half);
	assert_string_equal(from_silent, "");
	assert_string_equal(from_half, "");
}

static void who_leaves_before_the_answer_is_told_once(void **state)
{
	struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	say(peer, "{\"verb\":\"never\"}\n");
	while (watchdog->asked < 1)
		usleep(1000);
	close(peer);
	await_left(watchdog, 1);
	close(socket_at(watchdog->path, false));
	assert_alive(watchdog);
	assert_int_equal(watchdog->left, 1);
}

/* `nc -N`: the request is said, then the sending side is shut, and the answer is still wanted. */
static void a_half_closed_peer_is_answered(void **state)
{
	const struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	say(peer, "{\"verb\":\"later\"}\n");
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	WD_AUTO_FREE char *heard = hear(peer);
	assert_string_equal(heard, "{\"data\":{\"said\":\"at last\"}}\n{\"done\":true}\n");
}

static void who_goes_on_talking_is_dropped(void **state)
{
	struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	say(peer, "{\"verb\":\"never\"}\n");
	while (watchdog->asked < 1)
		usleep(1000);
	say(peer, "more");
	WD_AUTO_FREE char *heard = hear(peer);
	assert_string_equal(heard, "");
	await_left(watchdog, 1);
}

static void who_never_reads_is_dropped_at_4_mib(void **state)
{
	struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	say(peer, "{\"verb\":\"flood\",\"lines\":100,\"finish\":false}\n");
	await_left(watchdog, 1);
	assert_alive(watchdog);
	WD_AUTO_FREE char *heard = hear(peer);
	assert_true(strlen(heard) < 5 * 1024 * 1024);
}

/* The handler did not notice and finishes: then nobody is told that the peer left. */
static void who_never_reads_and_is_finished_goes_in_silence(void **state)
{
	struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	say(peer, "{\"verb\":\"flood\",\"lines\":100}\n");
	WD_AUTO_FREE char *heard = hear(peer);
	assert_null(strstr(heard, "done"));
	assert_alive(watchdog);
	assert_int_equal(watchdog->left, 0);
}

/* Within the bound, but never read to the end: patience is renewed by progress only. */
static void who_reads_nothing_of_a_finished_answer_is_dropped(void **state)
{
	struct watchdog *watchdog = *state;
	int peer = socket_at(watchdog->path, false);
	say(peer, "{\"verb\":\"flood\",\"lines\":40}\n");
	struct pollfd hung_up = {.fd = peer};
	assert_int_equal(poll(&hung_up, 1, 30000), 1);
	WD_AUTO_FREE char *heard = hear(peer);
	assert_null(strstr(heard, "done"));
	assert_alive(watchdog);
}

static void a_hundred_peers(void **state)
{
	struct watchdog *watchdog = *state;
	int peers[100];
	unsigned turned_away = 0;
	for (int i = 0; i < 100; i++) {
		peers[i] = socket_at(watchdog->path, false);
		say(peers[i], "{\"verb\":\"never\"}\n");
	}
	for (int i = 0; i < 200 && watchdog->asked < 64; i++)
		usleep(10000);
	assert_int_equal(watchdog->asked, 64);
	for (int i = 64; i < 100; i++) {
		WD_AUTO_FREE char *heard = hear(peers[i]);
		turned_away += strcmp(heard, "{\"error\":\"too many commands at once\",\"exit\":1}\n") == 0;
	}
	assert_int_equal(turned_away, 36);
	for (int i = 0; i < 64; i++)
		close(peers[i]);
	await_left(watchdog, 64);
	assert_alive(watchdog);
}

/* No descriptors left: the listener rests instead of spinning, and accepts again when there are some. */
static void out_of_descriptors_is_survived(void **state)
{
	const struct watchdog *watchdog = *state;
	struct rlimit limit, tight;
	int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, watchdog->path, strlen(watchdog->path));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	tight = (struct rlimit){.rlim_cur = (rlim_t)peer + 1, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
	say(peer, "{\"verb\":\"ping\"}\n");
	usleep(100000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	WD_AUTO_FREE char *heard = hear(peer);
	assert_non_null(strstr(heard, "pong"));
}

/* Closing with peers in every state leaks nothing and calls nobody. */
static void closing_promises_silence(void **state)
{
	struct watchdog *watchdog = *state;
	int lent = socket_at(watchdog->path, false), asking = socket_at(watchdog->path, false);
	int leaving = socket_at(watchdog->path, false);
	say(lent, "{\"verb\":\"never\"}\n");
	say(asking, "{\"ver");
	say(leaving, "{\"verb\":\"flood\",\"lines\":40}\n");
	while (watchdog->asked < 2)
		usleep(1000);
	wd_wake_send(watchdog->end);
	pthread_join(watchdog->thread, NULL);
	watchdog->control = wd_control_close(watchdog->control);
	assert_int_equal(watchdog->left, 0);
	assert_int_equal(pthread_create(&watchdog->thread, NULL, run, watchdog->loop), 0);
	close(lent);
	close(asking);
	close(leaving);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_command_is_answered),
		STORY(an_answer_may_come_later),
		STORY(an_error_comes_back_with_its_kind),
		STORY(answers_of_megabytes_arrive_whole),
		STORY(nanoseconds_keep_their_digits),
		STORY(a_command_may_have_heard_enough),
		STORY(patience_ends),
		STORY(nobody_listens),
		STORY(only_its_group_and_user_may_open_it),
		STORY(a_second_watchdog_is_refused),
		STORY(a_dead_ones_socket_is_replaced_but_no_file),
		STORY(anothers_socket_is_not_removed),
		STORY(paths_that_cannot_be),
		STORY(strangers_are_refused_by_what_they_are),
		STORY(lines_may_come_in_pieces),
		STORY(rubbish_is_answered_and_closed),
		STORY(a_line_of_70_kib_is_refused),
		STORY(a_command_that_says_too_much_learns_why),
		STORY(half_a_line_and_silence_is_dropped),
		STORY(who_leaves_before_the_answer_is_told_once),
		STORY(a_half_closed_peer_is_answered),
		STORY(who_goes_on_talking_is_dropped),
		STORY(who_never_reads_is_dropped_at_4_mib),
		STORY(who_never_reads_and_is_finished_goes_in_silence),
		STORY(who_reads_nothing_of_a_finished_answer_is_dropped),
		STORY(a_hundred_peers),
		STORY(out_of_descriptors_is_survived),
		STORY(closing_promises_silence),
	};
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
