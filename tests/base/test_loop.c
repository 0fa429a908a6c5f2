#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/loop.h>
#include <watchdog/memory.h>

#include <cmocka.h>

#define MANY 3000

static struct wd_loop *loop;
static int descriptors_before;

static int count_descriptors(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/fd");
	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static int set_up(void **state)
{
	(void)state;
	descriptors_before = count_descriptors();
	struct wd_error error = {0};
	loop = wd_loop_new(&error);
	assert_non_null(loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop = wd_loop_free(loop);
	assert_int_equal(count_descriptors(), descriptors_before);
	return 0;
}

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

/* What happened, one letter each, in order. */
static char story[64];

static void tell(char letter)
{
	size_t length = strlen(story);
	assert_true(length < sizeof story - 1);
	story[length] = letter;
	story[length + 1] = '\0';
}

static void expect(const char *expected)
{
	for (int i = 0; i < 2000 && strlen(story) < strlen(expected); i++)
		run_for(5 * WD_MILLISECOND);
	run_for(5 * WD_MILLISECOND);
	assert_string_equal(story, expected);
}

static void tell_letter(void *data)
{
	tell(*(const char *)data);
}

static void timers_fire_in_the_order_of_their_moments_and_never_early(void **state)
{
	(void)state;
	story[0] = '\0';
	char a = 'a', b = 'b', c = 'c', d = 'd';
	struct wd_timer *timers[] = {wd_timer_new(loop, tell_letter, &c), wd_timer_new(loop, tell_letter, &a),
				     wd_timer_new(loop, tell_letter, &b), wd_timer_new(loop, tell_letter, &d)};
	wd_time now = wd_loop_now(loop);
	wd_timer_set(timers[0], now + 20 * WD_MILLISECOND);
	wd_timer_set(timers[1], now + 5 * WD_MILLISECOND);
	wd_timer_set(timers[2], now + 5 * WD_MILLISECOND);
	wd_timer_set(timers[3], now + 10 * WD_MILLISECOND);
	wd_timer_set(timers[3], WD_NEVER);
	expect("abc");
	for (size_t i = 0; i < 4; i++)
		wd_timer_free(timers[i]);
}

struct one_of_many {
	struct wd_timer *timer;
	wd_time at;
};
static wd_time last_fired;
static int fired_count;

static void check_moment(void *data)
{
	struct one_of_many *one = data;
	assert_true(wd_loop_now(loop) >= one->at);
	assert_true(one->at >= last_fired);
	last_fired = one->at;
	fired_count++;
}

static void thousands_of_timers_keep_their_order_and_freed_ones_are_silent(void **state)
{
	(void)state;
	struct one_of_many *many = wd_alloc(MANY, sizeof *many);
	wd_time now = wd_time_now();
	uint32_t random = 7;
	last_fired = 0;
	fired_count = 0;
	for (int i = 0; i < MANY; i++) {
		random = random * 1664525 + 1013904223;
		many[i].at = now + 20 * WD_MILLISECOND + (random >> 8) % 50000;
		many[i].timer = wd_timer_new(loop, check_moment, &many[i]);
		wd_timer_set(many[i].timer, now + WD_HOUR);
		wd_timer_set(many[i].timer, many[i].at);
	}
	for (int i = 0; i < MANY; i += 3)
		many[i].timer = wd_timer_free(many[i].timer);
	for (int i = 0; i < 200 && fired_count < MANY - MANY / 3; i++)
		run_for(50 * WD_MILLISECOND);
	run_for(50 * WD_MILLISECOND);
	assert_int_equal(fired_count, MANY - MANY / 3);
	for (int i = 0; i < MANY; i++)
		wd_timer_free(many[i].timer);
	free(many);
}

static struct wd_timer *self;
static int self_count;

static void set_self_to_now(void *data)
{
	(void)data;
	self_count++;
	wd_timer_set(self, wd_loop_now(loop));
}

static void a_timer_that_always_wants_now_does_not_starve_the_others(void **state)
{
	(void)state;
	self_count = 0;
	self = wd_timer_new(loop, set_self_to_now, NULL);
	wd_timer_set(self, 0);
	run_for(10 * WD_MILLISECOND);
	assert_true(self_count > 1);
	self = wd_timer_free(self);
}

static void free_self(void *data)
{
	(void)data;
	self_count++;
	self = wd_timer_free(self);
}

static void a_timer_may_free_itself(void **state)
{
	(void)state;
	self_count = 0;
	self = wd_timer_new(loop, free_self, NULL);
	wd_timer_set(self, 0);
	run_for(5 * WD_MILLISECOND);
	assert_int_equal(self_count, 1);
	assert_null(self);
}

static void arm_another(void *data)
{
	struct wd_timer **another = data;
	if (story[0] == 'x' && !story[1]) {
		tell('e');
		wd_timer_set(*another, wd_loop_now(loop) + WD_MILLISECOND);
	}
}

static void each_turn_runs_behind_the_callbacks_and_what_it_arms_counts_at_once(void **state)
{
	(void)state;
	story[0] = '\0';
	char x = 'x', y = 'y';
	struct wd_timer *first = wd_timer_new(loop, tell_letter, &x);
	struct wd_timer *another = wd_timer_new(loop, tell_letter, &y);
	wd_loop_each_turn(loop, arm_another, &another);
	wd_timer_set(first, wd_time_now() + 2 * WD_MILLISECOND);
	expect("xey");
	wd_timer_free(first);
	wd_timer_free(another);
}

static void count_turn(void *data)
{
	(*(int *)data)++;
}

static void an_idle_loop_sleeps(void **state)
{
	(void)state;
	int turns = 0;
	wd_loop_each_turn(loop, count_turn, &turns);
	run_for(200 * WD_MILLISECOND);
	assert_in_range(turns, 1, 3);
}

static void block(void *data)
{
	wd_time before = wd_loop_now(loop);
	usleep(30000);
	assert_true(wd_loop_now(loop) == before);
	*(wd_time *)data = before;
}

static void the_time_stands_still_in_a_turn_and_a_late_turn_is_noticed(void **state)
{
	(void)state;
	run_for(5 * WD_MILLISECOND);
	assert_true(wd_loop_lateness(loop) < 5 * WD_SECOND); /* in time, as far as a loaded machine is */
	wd_time blocked_at = 0;
	struct wd_timer *blocker = wd_timer_new(loop, block, &blocked_at);
	wd_timer_set(blocker, 0);
	run_for(5 * WD_MILLISECOND); /* comes 25 ms late, because of the blocker */
	assert_true(blocked_at > 0);
	assert_true(wd_loop_now(loop) >= blocked_at + 30 * WD_MILLISECOND);
	assert_true(wd_loop_lateness(loop) >= 20 * WD_MILLISECOND);
	assert_true(wd_loop_lateness(loop) == 0);
	wd_timer_free(blocker);
}

struct end_of_pipe {
	int descriptor;
	struct wd_ready *ready;
	struct end_of_pipe *other; /* is freed by whoever comes first */
};

static void read_letter(void *data, int events)
{
	struct end_of_pipe *end = data;
	char letter;
	assert_int_equal(events, WD_READ);
	assert_int_equal(read(end->descriptor, &letter, 1), 1);
	tell(letter);
	if (end->other)
		end->other->ready = wd_ready_free(end->other->ready);
}

static void a_descriptor_is_read_when_it_is_ready_unless_it_is_switched_off(void **state)
{
	(void)state;
	int ends[2];
	story[0] = '\0';
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct end_of_pipe end = {.descriptor = ends[0]};
	end.ready = wd_ready_new(loop, ends[0], WD_READ, read_letter, &end);
	assert_int_equal(write(ends[1], "ab", 2), 2);
	expect("ab");
	wd_ready_set(end.ready, 0);
	assert_int_equal(write(ends[1], "c", 1), 1);
	expect("ab");
	wd_ready_set(end.ready, WD_READ);
	expect("abc");
	wd_ready_free(end.ready);
	close(ends[0]);
	close(ends[1]);
}

static void a_handle_freed_by_another_callback_of_the_same_turn_is_silent(void **state)
{
	(void)state;
	int one[2], two[2];
	story[0] = '\0';
	assert_int_equal(pipe2(one, O_CLOEXEC), 0);
	assert_int_equal(pipe2(two, O_CLOEXEC), 0);
	struct end_of_pipe first = {.descriptor = one[0]}, second = {.descriptor = two[0], .other = &first};
	first.other = &second;
	first.ready = wd_ready_new(loop, one[0], WD_READ, read_letter, &first);
	second.ready = wd_ready_new(loop, two[0], WD_READ, read_letter, &second);
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	expect("x");
	wd_ready_free(first.ready);
	wd_ready_free(second.ready);
	close(one[0]), close(one[1]), close(two[0]), close(two[1]);
}

static void stop_when_writable(void *data, int events)
{
	*(int *)data = events;
	wd_loop_stop(loop);
}

static void a_descriptor_is_written_when_there_is_room(void **state)
{
	(void)state;
	int ends[2], seen = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct wd_ready *ready = wd_ready_new(loop, ends[1], WD_WRITE, stop_when_writable, &seen);
	wd_loop_run(loop);
	assert_int_equal(seen, WD_WRITE);
	wd_ready_free(ready);
	close(ends[0]);
	close(ends[1]);
}

static void what_waits_in_a_socket_beats_its_deadline(void **state)
{
	(void)state;
	int ends[2];
	char late = 't';
	story[0] = '\0';
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct end_of_pipe end = {.descriptor = ends[0]};
	end.ready = wd_ready_new(loop, ends[0], WD_READ, read_letter, &end);
	struct wd_timer *deadline = wd_timer_new(loop, tell_letter, &late);
	wd_timer_set(deadline, 0);
	assert_int_equal(write(ends[1], "s", 1), 1);
	usleep(1000);
	expect("st");
	wd_timer_free(deadline);
	wd_ready_free(end.ready);
	close(ends[0]);
	close(ends[1]);
}

static void a_signal_arrives_on_the_loop(void **state)
{
	(void)state;
	char letter = 'h';
	story[0] = '\0';
	struct wd_signal *handle = wd_signal_new(loop, SIGHUP, tell_letter, &letter);
	raise(SIGHUP);
	expect("h");
	wd_signal_free(handle);
}

static void *wake_later(void *data)
{
	usleep(5000);
	wd_wake_send(data);
	return NULL;
}

static void another_thread_wakes_the_loop(void **state)
{
	(void)state;
	struct wd_wake *wake = wd_wake_new(loop, stop, NULL);
	pthread_t thread;
	wd_time before = wd_time_now();
	assert_int_equal(pthread_create(&thread, NULL, wake_later, wake), 0);
	wd_loop_run(loop);
	assert_true(wd_time_now() - before < 5 * WD_SECOND);
	pthread_join(thread, NULL);
	wd_wake_free(wake);
}

static int child_status;

static void note_status(void *data, int status)
{
	(void)data;
	child_status = status;
	wd_loop_stop(loop);
}

static pid_t start_child(unsigned milliseconds, int code)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		usleep(1000 * milliseconds);
		_exit(code);
	}
	return pid;
}

static int status_of(pid_t pid)
{
	child_status = -1;
	struct wd_child *child = wd_child_new(loop, pid, note_status, NULL);
	run_for(5 * WD_SECOND);
	wd_child_free(child);
	return child_status;
}

static void the_end_of_a_child_is_told_once_with_its_status(void **state)
{
	(void)state;
	int status = status_of(start_child(10, 3));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);

	pid_t killed = start_child(10000, 0);
	kill(killed, SIGKILL);
	status = status_of(killed);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void a_child_that_ended_before_it_was_watched_is_told_as_well(void **state)
{
	(void)state;
	pid_t pid = start_child(0, 7);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(WEXITSTATUS(status_of(pid)), 7);
}

static void a_child_that_somebody_else_took_counts_as_failed(void **state)
{
	(void)state;
	pid_t pid = start_child(0, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(WEXITSTATUS(status_of(pid)), 255);
}

static void a_child_is_watched_without_a_descriptor_to_spare(void **state)
{
	(void)state;
	struct rlimit limit, none;
	run_for(WD_MILLISECOND);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	pid_t pid = start_child(10, 4);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int status = status_of(pid);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(WEXITSTATUS(status), 4);
}

static void a_loop_without_a_descriptor_to_spare_is_an_error_with_words(void **state)
{
	(void)state;
	struct rlimit limit, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t spare = 0; spare < 2; spare++) {
		int next = dup(0);
		close(next);
		none = limit;
		none.rlim_cur = (rlim_t)next + spare;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		struct wd_error error = {0};
		struct wd_loop *second = wd_loop_new(&error);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_null(second);
		assert_int_equal(error.kind, WD_ERROR_FAILED);
		assert_non_null(strstr(error.text, spare == 0 ? "event loop: timerfd: " : "event loop: epoll: "));
	}
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(timers_fire_in_the_order_of_their_moments_and_never_early),
		STORY(thousands_of_timers_keep_their_order_and_freed_ones_are_silent),
		STORY(a_timer_that_always_wants_now_does_not_starve_the_others),
		STORY(a_timer_may_free_itself),
		STORY(each_turn_runs_behind_the_callbacks_and_what_it_arms_counts_at_once),
		STORY(an_idle_loop_sleeps),
		STORY(the_time_stands_still_in_a_turn_and_a_late_turn_is_noticed),
		STORY(a_descriptor_is_read_when_it_is_ready_unless_it_is_switched_off),
		STORY(a_handle_freed_by_another_callback_of_the_same_turn_is_silent),
		STORY(a_descriptor_is_written_when_there_is_room),
		STORY(what_waits_in_a_socket_beats_its_deadline),
		STORY(a_signal_arrives_on_the_loop),
		STORY(another_thread_wakes_the_loop),
		STORY(the_end_of_a_child_is_told_once_with_its_status),
		STORY(a_child_that_ended_before_it_was_watched_is_told_as_well),
		STORY(a_child_that_somebody_else_took_counts_as_failed),
		STORY(a_child_is_watched_without_a_descriptor_to_spare),
		STORY(a_loop_without_a_descriptor_to_spare_is_an_error_with_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
