/* The fake as its users meet it: through a socket, by the words of HTTP. */
#include "fake/server.h"
#include "support/unit.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

struct scene {
	char directory[64], path[96];
	struct fake *fake;
};

static int set_up(void **state)
{
	struct wd_error error;
	struct scene *scene = wd_alloc(1, sizeof(*scene));

	strcpy(scene->directory, "/tmp/seadog-fake-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	snprintf(scene->path, sizeof(scene->path), "%s/e.sock", scene->directory);
	scene->fake = fake_start(scene->path, MODEL_DOCKER_26, &error);
	assert_non_null(scene->fake);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	fake_stop(scene->fake);
	rmdir(scene->directory);
	free(scene);
	return 0;
}

static int dial(const struct scene *scene)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {10, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, scene->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void say(int fd, const char *method, const char *path, const char *body)
{
	WD_AUTO_FREE char *text = wd_format("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method, path,
					    strlen(body), body);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until `mark` has come; false if the other side hung up before. */
static bool hear(int fd, struct wd_text *heard, const char *mark)
{
	char buffer[65536];
	ssize_t got;

	while (strstr(wd_text_get(heard), mark) == NULL) {
		if ((got = recv(fd, buffer, sizeof(buffer), 0)) <= 0)
			return false;
		wd_text_put(heard, buffer, (size_t)got);
	}
	return true;
}

static void hear_all(int fd, struct wd_text *heard)
{
	char buffer[65536];
	ssize_t got;

	while ((got = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		wd_text_put(heard, buffer, (size_t)got);
}

/* One call on a connection of its own; everything that came back. */
static void ask(const struct scene *scene, const char *method, const char *path, const char *body,
		struct wd_text *heard)
{
	int fd = dial(scene);

	wd_text_clear(heard);
	WD_AUTO_FREE char *text = wd_format("%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
					    method, path, strlen(body), body);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	hear_all(fd, heard);
	close(fd);
}

/* Not strstr(): under the sanitizer each call measures all that is left. */
static size_t count_of(const struct wd_text *heard, const char *mark)
{
	size_t count = 0;
	const char *at = heard->data, *end = heard->data + heard->length;

	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark)))) {
		count++;
		at++;
	}
	return count;
}

static int status_of(const struct wd_text *heard)
{
	int status = 0;

	return sscanf(wd_text_get(heard), "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static int ask_status(const struct scene *scene, const char *method, const char *path, const char *body)
{
	WD_AUTO_TEXT struct wd_text heard = {0};

	ask(scene, method, path, body, &heard);
	return status_of(&heard);
}

static void do_control(const struct scene *scene, const char *path, const char *body)
{
	assert_true(fake_control(scene->fake, "POST", path, body));
}

static void it_says_who_it_is(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};

	ask(scene, "GET", "/_ping", "", &heard);
	assert_int_equal(status_of(&heard), 200);
	assert_non_null(strstr(heard.data, "Api-Version: 1.45\r\n"));
	assert_string_equal(strstr(heard.data, "\r\n\r\n"), "\r\n\r\nOK");
	ask(scene, "GET", "/version", "", &heard);
	assert_non_null(strstr(heard.data, "\"MinAPIVersion\":\"1.24\""));
	ask(scene, "HEAD", "/_ping", "", &heard);
	assert_string_equal(strstr(heard.data, "\r\n\r\n"), "\r\n\r\n");
}

static void a_connection_serves_many_calls(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"policy\":\"always\"}");
	say(fd, "POST", "/v1.45/containers/web/stop", "");
	say(fd, "POST", "/v1.45/containers/web/stop", "");
	say(fd, "GET", "/v1.45/containers/web/json", "");
	assert_true(hear(fd, &heard, "\"Status\":\"exited\""));
	assert_non_null(strstr(heard.data, "204 No Content"));
	assert_non_null(strstr(heard.data, "304 Not Modified"));
	assert_int_equal(fake_calls(scene->fake, "POST /containers/web/stop"), 2);
	close(fd);
}

static void events_are_replayed_and_then_live(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"policy\":\"no\"}");
	say(fd, "GET", "/v1.45/events?since=1&filters=%7B%22type%22%3A%5B%22container%22%5D%7D", "");
	assert_true(hear(fd, &heard, "\"Action\":\"start\""));
	assert_non_null(strstr(heard.data, "Transfer-Encoding: chunked"));
	assert_int_equal(fake_streams(scene->fake), 1);
	do_control(scene, "/_fake/emit", "{\"type\":\"network\",\"action\":\"connect\"}");
	do_control(scene, "/_fake/happen", "{\"name\":\"web\",\"what\":\"die\",\"exit_code\":7}");
	assert_true(hear(fd, &heard, "\"exitCode\":\"7\""));
	assert_null(strstr(heard.data, "\"network\""));
	close(fd);
}

static void an_until_in_the_past_ends_the_stream(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	do_control(scene, "/_fake/container", "{\"name\":\"web\"}");
	say(fd, "GET", "/events?since=1&until=9000000000.5", "");
	assert_true(hear(fd, &heard, "\"Action\":\"start\""));
	close(fd);
	ask(scene, "GET", "/events?since=1&until=2", "", &heard);
	assert_string_equal(strstr(heard.data, "\r\n\r\n"), "\r\n\r\n0\r\n\r\n");
	assert_int_equal(ask_status(scene, "GET", "/events?since=soon", ""), 500);
	assert_int_equal(ask_status(scene, "GET", "/events?since=20&until=10", ""), 400);
	assert_int_equal(ask_status(scene, "GET", "/events?filters=%7B", ""), 400);
}

static void real_time_drives_the_scripts(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	say(fd, "GET", "/events", "");
	do_control(scene, "/_fake/container",
		   "{\"name\":\"loop\",\"policy\":\"always\",\"script\":{\"lives\":\"20ms\",\"exit_code\":3}}");
	assert_true(hear(fd, &heard, "\"exitCode\":\"3\""));
	wd_text_clear(&heard);
	assert_true(hear(fd, &heard, "\"Action\":\"start\""));
	do_control(scene, "/_fake/time", "{\"advance\":\"10m\"}");
	assert_true(hear(fd, &heard, "\"exitCode\":\"3\""));
	close(fd);
}

static void a_call_that_takes_time_is_answered_when_it_is_done(void **state)
{
	const struct scene *scene = *state;
	wd_time begin = wd_time_now();

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"script\":{\"stops_in\":\"300ms\"}}");
	assert_int_equal(ask_status(scene, "POST", "/containers/web/stop", ""), 204);
	assert_true(wd_time_now() - begin >= 300 * WD_MILLISECOND);
}

static void faults_hit_the_call_they_name(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};

	do_control(scene, "/_fake/container", "{\"name\":\"web\"}");
	do_control(scene, "/_fake/fault",
		   "{\"method\":\"POST\",\"path\":\"*/update*\",\"skip\":1,\"do\":\"status\",\"status\":500,"
		   "\"body\":\"{\\\"message\\\":\\\"cannot update a stopped container\\\"}\"}");
	assert_int_equal(ask_status(scene, "POST", "/containers/web/update", "{}"), 200);
	ask(scene, "POST", "/v1.45/containers/web/update", "{}", &heard);
	assert_int_equal(status_of(&heard), 500);
	assert_non_null(strstr(heard.data, "cannot update a stopped container"));
	assert_int_equal(ask_status(scene, "POST", "/containers/web/update", "{}"), 200);
}

static void assert_state(const struct scene *scene, const char *name, const char *word)
{
	WD_AUTO_TEXT struct wd_text heard = {0};
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", name);
	WD_AUTO_FREE char *wanted = wd_format("\"Status\":\"%s\"", word);

	ask(scene, "GET", path, "", &heard);
	assert_non_null(strstr(wd_text_get(&heard), wanted));
}

static void a_lost_answer_is_not_a_call_that_never_came(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"count\":2}");
	do_control(scene, "/_fake/fault", "{\"path\":\"*/stop\",\"do\":\"refuse\"}");
	do_control(scene, "/_fake/fault", "{\"path\":\"*/stop\",\"do\":\"lose\"}");
	assert_int_equal(ask_status(scene, "POST", "/containers/web-1/stop", ""), 0);
	assert_state(scene, "web-1", "running");
	assert_int_equal(ask_status(scene, "POST", "/containers/web-2/stop", ""), 0);
	assert_state(scene, "web-2", "exited");
	do_control(scene, "/_fake/fault", "{\"path\":\"/info\",\"do\":\"truncate\"}");
	ask(scene, "GET", "/info", "", &heard);
	assert_int_equal(status_of(&heard), 200);
	assert_null(strstr(heard.data, "LiveRestoreEnabled"));
	do_control(scene, "/_fake/fault", "{\"path\":\"/info\",\"do\":\"garbage\",\"times\":-1}");
	assert_int_equal(ask_status(scene, "GET", "/info", ""), 0);
	assert_int_equal(ask_status(scene, "GET", "/info", ""), 0);
	assert_true(fake_control(scene->fake, "DELETE", "/_fake/fault", ""));
	assert_int_equal(ask_status(scene, "GET", "/info", ""), 200);
}

static void a_delayed_answer_comes_late(void **state)
{
	const struct scene *scene = *state;
	wd_time begin = wd_time_now();

	do_control(scene, "/_fake/fault", "{\"path\":\"/_ping\",\"do\":\"delay\",\"span\":\"200ms\"}");
	assert_int_equal(ask_status(scene, "GET", "/_ping", ""), 200);
	assert_true(wd_time_now() - begin >= 200 * WD_MILLISECOND);
}

static void streams_are_cut_where_it_was_said(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};

	do_control(scene, "/_fake/stream", "{\"cut_after_bytes\":10}");
	do_control(scene, "/_fake/container", "{\"name\":\"web\"}");
	ask(scene, "GET", "/events?since=1", "", &heard);
	assert_string_equal(strstr(heard.data, "\r\n\r\n"), "\r\n\r\na\r\n{\"status\":\r\n");
	do_control(scene, "/_fake/stream", "{\"cut_after_events\":1,\"times\":1}");
	ask(scene, "GET", "/events?since=1", "", &heard);
	assert_non_null(strstr(heard.data, "\"Action\":\"create\""));
	assert_null(strstr(heard.data, "\"Action\":\"start\""));
}

static void anything_can_be_sent_into_a_stream(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	say(fd, "GET", "/events", "");
	assert_true(hear(fd, &heard, "\r\n\r\n"));
	do_control(scene, "/_fake/stream", "{\"send\":\"rubbish\",\"repeat\":1500000}");
	do_control(scene, "/_fake/stream", "{\"close\":true}");
	hear_all(fd, &heard);
	assert_true(heard.length > 10 << 20);
	assert_non_null(strstr(heard.data, "rubbishrubbish"));
	close(fd);
}

static void a_flood_arrives_whole(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	say(fd, "GET", "/events", "");
	assert_true(hear(fd, &heard, "\r\n\r\n"));
	do_control(scene, "/_fake/flood", "{\"events\":20000,\"containers\":1000}");
	do_control(scene, "/_fake/stream", "{\"close\":true}");
	hear_all(fd, &heard);
	assert_int_equal(count_of(&heard, "\"Action\":\"die\""), 20000);
	close(fd);
}

static void a_flood_can_be_of_the_models_containers(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"policy\":\"always\",\"count\":2}");
	ask(scene, "GET", "/v1.45/containers/web-2/json", "", &heard);
	WD_AUTO_FREE char *id = wd_copy_part(strstr(heard.data, "\"Id\":\"") + 6, 64);
	WD_AUTO_FREE char *kill = wd_format("\"Action\":\"kill\",\"Actor\":{\"ID\":\"%s\"", id);
	WD_AUTO_FREE char *die = wd_format("\"Action\":\"die\",\"Actor\":{\"ID\":\"%s\"", id);
	wd_text_clear(&heard);
	say(fd, "GET", "/events", "");
	assert_true(hear(fd, &heard, "\r\n\r\n"));
	do_control(scene, "/_fake/flood", "{\"events\":10,\"containers\":2,\"name\":\"web\",\"action\":\"kill die\"}");
	do_control(scene, "/_fake/stream", "{\"close\":true}");
	hear_all(fd, &heard);
	assert_int_equal(count_of(&heard, kill), 3); /* kill kill die die kill kill die die kill kill */
	assert_int_equal(count_of(&heard, die), 2);
	assert_state(scene, "web-2", "running");
	close(fd);
}

static void what_a_stream_has_not_taken_is_known(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	say(fd, "GET", "/events", "");
	assert_true(hear(fd, &heard, "\r\n\r\n"));
	ask(scene, "GET", "/_fake/streams", "", &heard);
	assert_int_equal(count_of(&heard, "[{\"waiting\":0}]"), 1);
	do_control(scene, "/_fake/flood", "{\"events\":20000}");
	wd_text_clear(&heard);
	ask(scene, "GET", "/_fake/streams", "", &heard);
	assert_int_equal(count_of(&heard, "[{\"waiting\":0}]"), 0);
	assert_int_equal(count_of(&heard, "\"waiting\":"), 1);
	close(fd);
}

static void a_thousand_containers_are_listed(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"policy\":\"always\",\"count\":1000}");
	ask(scene, "GET", "/v1.45/containers/json?all=1", "", &heard);
	assert_int_equal(count_of(&heard, "\"Id\":\""), 1000);
	assert_state(scene, "web-1000", "running");
}

static void while_the_engine_is_down_nobody_answers(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};
	int fd = dial(scene);

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"policy\":\"always\"}");
	say(fd, "GET", "/events", "");
	assert_true(hear(fd, &heard, "\r\n\r\n"));
	assert_int_equal(ask_status(scene, "POST", "/_fake/engine", "{\"do\":\"stop\"}"), 200);
	hear_all(fd, &heard);
	assert_non_null(strstr(heard.data, "\"Action\":\"die\""));
	assert_int_equal(ask_status(scene, "GET", "/_ping", ""), 0);
	assert_int_equal(ask_status(scene, "POST", "/_fake/engine", "{\"do\":\"start\"}"), 200);
	assert_state(scene, "web", "running");
	close(fd);
}

static void who_hangs_up_while_waiting_does_no_harm(void **state)
{
	const struct scene *scene = *state;
	int fd = dial(scene);

	do_control(scene, "/_fake/container", "{\"name\":\"web\",\"script\":{\"stops_in\":\"100ms\"}}");
	say(fd, "POST", "/containers/web/stop", "");
	while (fake_calls(scene->fake, "POST */stop") == 0)
		usleep(1000);
	close(fd);
	usleep(200000);
	assert_state(scene, "web", "exited");
}

static void calls_are_remembered_in_order(void **state)
{
	const struct scene *scene = *state;
	WD_AUTO_TEXT struct wd_text heard = {0};

	assert_int_equal(ask_status(scene, "GET", "/v1.45/info", ""), 200);
	assert_int_equal(ask_status(scene, "POST", "/containers/none/stop?t=3", ""), 404);
	ask(scene, "GET", "/_fake/calls", "", &heard);
	assert_non_null(strstr(heard.data, "[{\"method\":\"GET\",\"path\":\"/info\",\"status\":200,"));
	assert_non_null(
		strstr(heard.data, "{\"method\":\"POST\",\"path\":\"/containers/none/stop?t=3\",\"status\":404,"));
	assert_int_equal(ask_status(scene, "POST", "/_fake/nonsense", "{}"), 404);
	assert_int_equal(ask_status(scene, "POST", "/_fake/fault", "{\"do\":\"nonsense\"}"), 400);
	assert_int_equal(ask_status(scene, "POST", "/_fake/container", "{broken"), 400);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(it_says_who_it_is),
		STORY(a_connection_serves_many_calls),
		STORY(events_are_replayed_and_then_live),
		STORY(an_until_in_the_past_ends_the_stream),
		STORY(real_time_drives_the_scripts),
		STORY(a_call_that_takes_time_is_answered_when_it_is_done),
		STORY(faults_hit_the_call_they_name),
		STORY(a_lost_answer_is_not_a_call_that_never_came),
		STORY(a_delayed_answer_comes_late),
		STORY(streams_are_cut_where_it_was_said),
		STORY(anything_can_be_sent_into_a_stream),
		STORY(a_flood_arrives_whole),
		STORY(a_flood_can_be_of_the_models_containers),
		STORY(what_a_stream_has_not_taken_is_known),
		STORY(a_thousand_containers_are_listed),
		STORY(while_the_engine_is_down_nobody_answers),
		STORY(who_hangs_up_while_waiting_does_no_harm),
		STORY(calls_are_remembered_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
