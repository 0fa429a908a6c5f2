/* What else goes wrong while a container loops: rubbish on the stream, an Engine that hangs, refuses, loses answers or is
 * away, a disk that is full, a seadog that was stopped, callers that misbehave. The loops crash 20 ms after each start;
 * the fifth crash comes after 1.6 s. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/harbour.h"
#include "support/unit.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define PATIENCE (20 * WD_SECOND)
#define WEB                                                                                                            \
	"{\"name\":\"web\",\"image\":\"acme/"                                                                          \
	"web:1\",\"policy\":\"always\",\"script\":{\"lives\":\"20ms\",\"exit_code\":3}}"

static struct harbour harbours[5];
static struct harbour *const harbour = &harbours[0];

static void open_harbours(unsigned count, const char *settings)
{
	for (unsigned i = 0; i < count; i++) {
		harbours[i].number = i + 1;
		harbour_open(&harbours[i], settings);
	}
}

static int set_up(void **state)
{
	(void)state;
	memset(harbours, 0, sizeof(harbours));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(harbours) / sizeof(harbours[0]); i++)
		if (harbours[i].fake)
			harbour_close(&harbours[i]);
	return 0;
}

static bool web_is_held(struct harbour *one)
{
	return harbour_is_held(one, "web");
}

static void web_is_held_at_the_fifth(struct harbour *one)
{
	harbour_await(one, 1, PATIENCE, "web is held", web_is_held);
	harbour_must(one, harbour_restarts(one, "web") == 5);
	harbour_must(one, harbour_events(one, "web", "start") == 5);
	harbour_must(one, harbour_said(one, "web  5 restarts within 60s (limit 5/60s)"));
}

/* --- the stream ------------------------------------------------------------------------------------------------------- */

static void send_text(const char *text, unsigned repeat)
{
	WD_AUTO_JSON struct wd_json *body = wd_json_object();
	wd_json_set_string(body, "send", text);
	wd_json_set_int(body, "repeat", repeat);
	WD_AUTO_FREE char *printed = wd_json_print(body);
	harbour_fake(harbour, "POST", "stream", printed);
}

static void rubbish_hides_no_crash(void **state)
{
	static const char *const rubbish[] = {
		"}{\n",
		"null\n",
		"[]\n",
		"\n\r\n",
		"{\"Type\":12,\"Action\":[],\"Actor\":null}\n",
		"\xff\xfe\n",
		"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"../../etc/"
		"passwd\"},\"timeNano\":1e300}\n",
		"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"\"},\"timeNano\":-9223372036854775808}"
		"\n",
	};
	char kilobyte[1025];
	(void)state;
	memset(kilobyte, 'x', 1024);
	kilobyte[1024] = '\0';
	open_harbours(1, NULL);
	harbour_start(harbour);
	harbour_fake(harbour, "POST", "container", WEB);
	send_text("{\"Type\":\"container\",\"Action\":\"die\",\"x\":\"", 1);
	for (unsigned i = 0; i < 10; i++)
		send_text(kilobyte, 1024);
	send_text("\"}\n", 1);
	for (unsigned i = 0; i < 200; i++)
		send_text(rubbish[i % (sizeof(rubbish) / sizeof(rubbish[0]))], 1);
	web_is_held_at_the_fifth(harbour);
	harbour_must(harbour, harbour_said(harbour, "sent an event of more than 1 MiB, which was left out"));
	harbour_must(harbour, harbour_said(harbour, "sends what is no event"));
}

/* --- the Engine ------------------------------------------------------------------------------------------------------- */

static void who_does_not_answer_keeps_nobody_waiting(void **state)
{
	(void)state;
	open_harbours(1, NULL);
	harbour_fake(harbour, "POST", "container",
		     "{\"name\":\"stuck\",\"image\":\"acme/stuck:1\",\"policy\":\"always\",\"count\":8}");
	/* More than are asked at once. */
	for (unsigned i = 1; i <= 8; i++) {
		WD_AUTO_FREE char *name = wd_format("stuck-%u", i);
		const char *id = model_id(fake_lock(harbour->fake), name);
		WD_AUTO_FREE char *fault = wd_format(
			"{\"path\":\"*/containers/%s/json\",\"do\":\"delay\",\"span\":\"1h\",\"times\":-1}", id);
		fake_unlock(harbour->fake);
		harbour_fake(harbour, "POST", "fault", fault);
	}
	harbour_launch(harbour);
	harbour_pause(500 * WD_MILLISECOND);
	harbour_fake(harbour, "POST", "container", WEB);
	web_is_held_at_the_fifth(harbour);
}

/* What the five harbours' Engines do to the calls of a hold. */
static const char *const faults[] = {
	"{\"path\":\"*/stop*\",\"do\":\"status\",\"status\":500,\"body\":\"{\\\"message\\\":\\\"out of "
	"luck\\\"}\",\"times\":2}",
	"{\"path\":\"*/stop*\",\"do\":\"lose\"}",
	"{\"path\":\"*/stop*\",\"do\":\"delay\",\"span\":\"1s\"}",
	"{\"path\":\"*/update*\",\"do\":\"lose\"}",
	"{\"path\":\"*/update*\",\"do\":\"status\",\"status\":403,\"times\":-1,"
	"\"body\":\"<html><body><h1>403 Forbidden</h1>Request forbidden by administrative rules.</body></html>\"}",
};

static bool has_closed_its_incident(struct harbour *one)
{
	return harbour_said(one, " outcome=");
}

static void calls_that_fail(void **state)
{
	enum { ALL = sizeof(faults) / sizeof(faults[0]) };
	(void)state;
	open_harbours(ALL, NULL);
	for (unsigned i = 0; i < ALL; i++) {
		harbour_fake(&harbours[i], "POST", "fault", faults[i]);
		harbour_launch(&harbours[i]);
	}
	harbour_await(harbours, ALL, PATIENCE, "seadog has looked", harbour_has_looked);
	for (unsigned i = 0; i < ALL; i++)
		harbour_fake(&harbours[i], "POST", "container", WEB);
	harbour_await(harbours, ALL, PATIENCE, "the incident is closed", has_closed_its_incident);
	for (unsigned i = 0; i < ALL - 1; i++) {
		WD_AUTO_FREE char *verdict = harbour_verdict(&harbours[i], "web");
		harbour_must(&harbours[i], strcmp(verdict, "held") == 0);
		web_is_held_at_the_fifth(&harbours[i]);
	}
	/* The proxy that lets stop through and update not: it says so, in the proxy's words. */
	struct harbour *proxied = &harbours[ALL - 1];
	WD_AUTO_FREE char *outcome = harbour_incident(proxied, "outcome");
	WD_AUTO_FREE char *detail = harbour_incident(proxied, "step.detail");
	harbour_must(proxied, strcmp(outcome, "failed") == 0);
	harbour_must(proxied, strstr(detail, "403") != NULL && strstr(detail, "403 Forbidden") != NULL);
	harbour_must(proxied, strchr(detail, '<') == NULL);
}

static void the_engine_is_away_for_a_while(void **state)
{
	(void)state;
	open_harbours(1, "[safety]\ngrace = off\n");
	harbour_start(harbour);
	for (unsigned i = 0; i < 2; i++) {
		harbour_fake(harbour, "POST", "engine", "{\"do\":\"kill\"}");
		harbour_pause(600 * WD_MILLISECOND);
		harbour_must(harbour, harbour_said(harbour, "lost the event stream"));
		harbour_fake(harbour, "POST", "engine", "{\"do\":\"start\"}");
		harbour_await(harbour, 1, PATIENCE, "seadog has looked again", harbour_has_looked);
	}
	harbour_fake(harbour, "POST", "container", WEB);
	web_is_held_at_the_fifth(harbour);
}

static bool has_crashed_twice(struct harbour *one)
{
	return harbour_events(one, "web", "die") >= 2;
}

/* Its stamps jump ahead by an hour between the second and the third crash. */
static void the_engines_clock_is_set(void **state)
{
	char text[WD_TIME_TEXT];
	(void)state;
	open_harbours(1, NULL);
	harbour_start(harbour);
	harbour_fake(harbour, "POST", "container", WEB);
	harbour_await(harbour, 1, PATIENCE, "web has crashed twice", has_crashed_twice);
	WD_AUTO_FREE char *body =
		wd_format("{\"clock\":\"%s\"}", wd_stamp_print(wd_stamp_now() + WD_HOUR * 1000, text));
	harbour_fake(harbour, "POST", "time", body);
	web_is_held_at_the_fifth(harbour);
}

/* --- the disk --------------------------------------------------------------------------------------------------------- */

static bool mount_small_disk(struct harbour *one)
{
	WD_AUTO_FREE char *place = wd_format("%s/state", one->directory);
	return mkdir(place, 0700) == 0 && mount("none", place, "tmpfs", 0, "size=1m,mode=0700") == 0;
}

static void remove_small_disk(struct harbour *one)
{
	WD_AUTO_FREE char *place = wd_format("%s/state", one->directory);
	umount2(place, MNT_DETACH);
}

static void fill_disk(struct harbour *one, bool fill)
{
	WD_AUTO_FREE char *path = wd_format("%s/state/ballast", one->directory);
	char block[512] = "";
	if (!fill) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	while (write(file, block, sizeof(block)) > 0)
		;
	close(file);
}

static bool was_refused(struct harbour *one)
{
	return harbour_said(one, "stop: skipped, refused: its restart policy cannot be remembered");
}

static void a_full_disk_refuses_until_there_is_room(void **state)
{
	(void)state;
	open_harbours(1, "[defaults]\nrestarts = 2/60s\ncooldown = off\n");
	if (!mount_small_disk(harbour)) {
		print_message("no right to mount a small disk here\n");
		skip();
	}
	harbour_start(harbour);
	fill_disk(harbour, true);
	harbour_fake(harbour, "POST", "container", WEB);
	harbour_await(harbour, 1, PATIENCE, "the hold is refused", was_refused);
	harbour_must(harbour, harbour_said(harbour, "the state directory cannot be written"));
	harbour_must(harbour, !harbour_is_held(harbour, "web"));
	fill_disk(harbour, false);
	harbour_await(harbour, 1, PATIENCE, "web is held", web_is_held);
	harbour_must(harbour, harbour_said(harbour, "the state directory can be written again"));
	int code = harbour_end(harbour);
	remove_small_disk(harbour);
	harbour_must(harbour, code == 0);
}

static void where_nothing_can_be_written_nothing_is_held(void **state)
{
	(void)state;
	open_harbours(1, NULL);
	WD_AUTO_FREE char *place = wd_format("%s/state", harbour->directory);
	if (!mount_small_disk(harbour) || mount("none", place, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0) {
		print_message("no right to mount a disk here\n");
		skip();
	}
	harbour_start(harbour);
	harbour_must(harbour, harbour_said(harbour, "nothing can be remembered: cannot open"));
	harbour_fake(harbour, "POST", "container", WEB);
	harbour_await(harbour, 1, PATIENCE, "the hold is refused", was_refused);
	harbour_must(harbour, harbour_events(harbour, "web", "die") == 5);
	harbour_must(harbour, fake_calls(harbour->fake, "POST *") == 0);
	int code = harbour_end(harbour);
	remove_small_disk(harbour);
	harbour_must(harbour, code == 0);
}

/* --- seadog itself ---------------------------------------------------------------------------------------------------- */

static void a_seadog_that_was_stopped_looks_before_it_acts(void **state)
{
	(void)state;
	open_harbours(1, "[safety]\ntilt = 2s, wait 2s\n");
	harbour_start(harbour);
	harbour_fake(harbour, "POST", "container", WEB);
	harbour_fake(harbour, "POST", "container",
		     "{\"name\":\"api\",\"image\":\"acme/api:1\",\"policy\":\"always\","
		     "\"labels\":{\"seadog.restarts\":\"6/60s\"},"
		     "\"script\":{\"lives\":\"20ms\",\"exit_code\":3,\"heals_after\":5}}");
	harbour_await(harbour, 1, PATIENCE, "web has crashed twice", has_crashed_twice);
	harbour_signal(harbour, SIGSTOP);
	harbour_fake(harbour, "POST", "flood", "{\"events\":20000,\"containers\":100,\"action\":\"pause\"}");
	harbour_pause(4 * WD_SECOND);
	harbour_signal(harbour, SIGCONT);
	harbour_await(harbour, 1, PATIENCE, "web is held", web_is_held);
	harbour_must(harbour, harbour_said(harbour, "tilt: seadog's own loop was"));
	harbour_must(harbour, harbour_said(harbour, "held back: "));
	harbour_must(harbour, harbour_count(harbour, "api") == 5);
	harbour_must(harbour, harbour_restarts(harbour, "api") == 5);
}

static int dial(const struct harbour *one)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/seadog.sock", one->directory);
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(descriptor >= 0);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

static void pester(int descriptor, unsigned turn)
{
	static const char *const words[] = {"\n\n\n",
					    "{",
					    "{\"verb\":\"status\"}\n",
					    "\xff\xff\n",
					    "[1,2,3]\n",
					    "{\"verb\":\"follow\"}\n",
					    "{\"verb\":\"hold\",\"name\":\"",
					    "GET / HTTP/1.1\r\n\r\n"};
	static const char block[8192];
	if (turn % 3 == 0)
		send(descriptor, block, sizeof(block), MSG_NOSIGNAL);
	else
		send(descriptor, words[turn % 8], strlen(words[turn % 8]), MSG_NOSIGNAL);
}

static void callers_that_misbehave_delay_nothing(void **state)
{
	enum { CALLERS = 100, TURNS = 40 };
	int callers[CALLERS];
	(void)state;
	open_harbours(1, NULL);
	harbour_start(harbour);
	unsigned descriptors = harbour_descriptors(harbour);
	harbour_fake(harbour, "POST", "container", WEB);
	for (unsigned i = 0; i < CALLERS; i++)
		callers[i] = dial(harbour);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		for (unsigned i = 0; i < CALLERS; i++)
			if (callers[i] >= 0)
				pester(callers[i], turn + i);
		harbour_pause(20 * WD_MILLISECOND);
	}
	web_is_held_at_the_fifth(harbour);
	for (unsigned i = 0; i < CALLERS; i++)
		if (callers[i] >= 0)
			close(callers[i]);
	WD_AUTO_FREE char *verdict = harbour_verdict(harbour, "web");
	harbour_must(harbour, strcmp(verdict, "held") == 0);
	harbour_pause(200 * WD_MILLISECOND);
	harbour_must(harbour, harbour_descriptors(harbour) <= descriptors + 2);
}

int main(void)
{
	/* What the stories mount is seen by nobody else and gone with them. */
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	const struct CMUnitTest tests[] = {
#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		STORY(rubbish_hides_no_crash),
		STORY(who_does_not_answer_keeps_nobody_waiting),
		STORY(calls_that_fail),
		STORY(the_engine_is_away_for_a_while),
		STORY(the_engines_clock_is_set),
		STORY(a_full_disk_refuses_until_there_is_room),
		STORY(where_nothing_can_be_written_nothing_is_held),
		STORY(a_seadog_that_was_stopped_looks_before_it_acts),
		STORY(callers_that_misbehave_delay_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
