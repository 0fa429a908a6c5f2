/* The kernel's call, on the kernel that is here: v1's eventfds, or v2's memory.events and PSI triggers (make check-vm). */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/cgroups.h>
#include <support/files.h>
#include <support/trees.h>
#include <support/unit.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define MIB ((uint64_t)1048576)
#define LONG 30000 /* milliseconds: what comes comes before, however loaded the machine is */

static const struct wd_gauge_wish all = {.oom = true};
static const char full[] = "echo ready; busybox tail /dev/zero >/dev/null 2>&1; while :; do busybox sleep 1; done";

struct watch {
	struct wd_meter *meter;
	struct wd_gauge *gauge;
	struct wd_alarm *alarm;
};

static struct watch watch(pid_t pid, const struct wd_alarm_wish *wish)
{
	struct wd_error error = {0};
	struct watch watch = {.meter = kernels_meter()};
	watch.gauge = open_gauge(watch.meter, pid);
	watch.alarm = wd_alarm_new(watch.gauge, wish, &error);
	if (!watch.alarm)
		print_error("%s\n", error.text);
	assert_non_null(watch.alarm);
	assert_memory_equal(wd_alarm_wish(watch.alarm), wish, sizeof(*wish));
	return watch;
}

static void unwatch(struct watch *watch)
{
	wd_alarm_free(watch->alarm);
	wd_gauge_close(watch->gauge);
	wd_meter_free(watch->meter);
}

/* And is heard. */
static bool rings_within(const struct watch *watch, int milliseconds)
{
	struct pollfd bell = {.fd = wd_alarm_descriptor(watch->alarm), .events = POLLIN};
	if (poll(&bell, 1, milliseconds) != 1)
		return false;
	wd_alarm_hear(watch->alarm);
	return true;
}

static struct wd_sample look(const struct watch *watch)
{
	struct wd_sample sample;
	assert_true(wd_gauge_read(watch->gauge, &all, wd_time_now(), &sample));
	return sample;
}

/* --- memory ------------------------------------------------------------------------------------------------------------ */

/* Little, and when it is told to by a file, 20 MiB for good. */
static const char grows[] = "echo ready; while [ ! -e go ]; do busybox usleep 10000; done; "
			    "busybox dd if=/dev/zero of=/dev/null bs=20M 2>/dev/null";

/* When the usage reached it, as somebody sees it who does nothing but look. */
struct looking {
	struct wd_gauge *gauge;
	uint64_t from_bytes;
	wd_time crossed;
};

static void *look_on(void *data)
{
	struct looking *looking = data;
	const struct wd_gauge_wish least = {.exact_from_bytes = WD_UNLIMITED};
	wd_time until = wd_time_now() + LONG * WD_MILLISECOND;
	struct wd_sample sample = {0};
	while (sample.usage_bytes < looking->from_bytes && wd_time_now() < until) {
		usleep(20);
		if (!wd_gauge_read(looking->gauge, &least, wd_time_now(), &sample))
			break;
	}
	looking->crossed = wd_time_now();
	return NULL;
}

/* On v1 any usage can be named, on v2 it is where the container is throttled, or its limit. */
static void reaching_the_limit_rings(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = 16 * MIB};
	struct looking looking = {.from_bytes = 16 * MIB};
	pthread_t thread;
	int ready;
	(void)state;
	need_cgroups();
	if (cgroups_on_v2())
		assert_true(set_in_cgroup(TREE_ID, "", "", "memory.high", "16777216"));
	pid_t pid = run_inside(TREE_ID, grows, &ready);
	await_ready(ready);
	struct watch watched = watch(pid, &wish);
	assert_false(rings_within(&watched, 100));
	looking.gauge = open_gauge(watched.meter, pid);
	assert_int_equal(pthread_create(&thread, NULL, look_on, &looking), 0);
	write_file("go", "");
	assert_true(rings_within(&watched, LONG));
	wd_time rang = wd_time_now();
	pthread_join(thread, NULL);
	print_message("rang %.2f ms after somebody saw it who looks every 20 us\n",
		      (double)(rang - looking.crossed) / 1000);
	assert_true(look(&watched).usage_bytes >= 12 * MIB);
	end_inside(pid, ready);
	wd_gauge_close(looking.gauge);
	unwatch(&watched);
}

static void below_it_nothing_rings(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = 24 * MIB, .oom = true};
	int ready;
	(void)state;
	need_cgroups();
	limit_memory(TREE_ID, "33554432");
	pid_t pid = run_inside(
		TREE_ID,
		"busybox dd if=/dev/zero of=/dev/null bs=4M count=1 2>/dev/null; echo ready; "
		"busybox dd if=/dev/zero of=/dev/null bs=4M count=9 2>/dev/null; while :; do busybox sleep 1; done",
		&ready);
	struct watch watched = watch(pid, &wish);
	await_ready(ready);
	assert_false(rings_within(&watched, 500));
	end_inside(pid, ready);
	unwatch(&watched);
}

/* --- OOM --------------------------------------------------------------------------------------------------------------- */

/* The child dies, the container lives on. v1 calls before the killer has counted. */
static void a_kill_rings_and_is_counted_soon(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = WD_UNLIMITED, .oom = true};
	int ready;
	(void)state;
	need_cgroups();
	limit_memory(TREE_ID, "16777216");
	pid_t pid = run_inside(TREE_ID, full, &ready);
	struct watch watched = watch(pid, &wish);
	await_ready(ready);
	assert_true(rings_within(&watched, LONG));
	wd_time rang = wd_time_now();
	while (look(&watched).oom_kills == 0 && wd_time_now() < rang + 30 * WD_SECOND)
		usleep(200);
	print_message("counted %.2f ms after it rang\n", (double)(wd_time_now() - rang) / 1000);
	assert_int_equal(look(&watched).oom_kills, 1);
	end_inside(pid, ready);
	unwatch(&watched);
}

static const char thrashes[] =
	"while [ ! -e go ]; do busybox usleep 10000; done; while :; do busybox tail /dev/zero >/dev/null 2>&1; done";

/* At its limit a container makes the kernel call without end. */
static void a_container_that_thrashes_rings_again_and_again(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = 14 * MIB, .oom = true};
	int ready;
	(void)state;
	need_cgroups();
	limit_memory(TREE_ID, "16777216");
	pid_t pid = run_inside(TREE_ID, thrashes, &ready);
	struct watch watched = watch(pid, &wish);
	write_file("go", "");
	for (int i = 0; i < 5; i++)
		assert_true(rings_within(&watched, LONG));
	end_inside(pid, ready);
	unwatch(&watched);
}

/* --- pressure ---------------------------------------------------------------------------------------------------------- */

static void who_waits_for_a_cpu_rings(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = WD_UNLIMITED, .pressure = {.cpu = 0.2}};
	int ready;
	(void)state;
	if (!cgroups_on_v2() || access("/proc/pressure/cpu", F_OK) != 0)
		skip();
	need_cgroups();
	assert_true(set_in_cgroup(TREE_ID, "cpu/", "cpu.cfs_quota_us", "cpu.max", "10000 100000"));
	pid_t pid = run_inside(TREE_ID, "echo ready; while [ ! -e go ]; do busybox sleep 1; done; while :; do :; done",
			       &ready);
	await_ready(ready);
	struct watch watched = watch(pid, &wish);
	assert_false(rings_within(&watched, 500));
	write_file("go", "");
	assert_true(rings_within(&watched, LONG));
	assert_true(rings_within(&watched, LONG));
	end_inside(pid, ready);
	unwatch(&watched);
}

/* --- ends -------------------------------------------------------------------------------------------------------------- */

/* It rings, and the look says that it is over. v2 does not tell. */
static void the_end_of_a_cgroup_rings(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = 14 * MIB, .oom = true};
	struct wd_sample sample;
	int ready;
	(void)state;
	if (cgroups_on_v2())
		skip();
	need_cgroups();
	pid_t pid = run_inside(TREE_ID, "echo ready; while :; do busybox sleep 1; done", &ready);
	await_ready(ready);
	unsigned before = open_descriptors();
	struct watch watched = watch(pid, &wish);
	end_inside(pid, ready);
	remove_cgroup(TREE_ID);
	assert_true(rings_within(&watched, LONG));
	assert_false(wd_gauge_read(watched.gauge, &all, wd_time_now(), &sample));
	unwatch(&watched);
	assert_int_equal(open_descriptors(), before - 1); /* the pipe is closed */
}

static void freed_it_leaves_nothing(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = 14 * MIB, .oom = true};
	struct wd_error error = {0};
	int ready;
	(void)state;
	need_cgroups();
	limit_memory(TREE_ID, "16777216");
	pid_t pid = run_inside(TREE_ID, thrashes, &ready);
	struct watch watched = watch(pid, &wish);
	write_file("go", "");
	assert_true(rings_within(&watched, LONG));
	unsigned before = open_descriptors();
	for (int i = 0; i < 50; i++) {
		wd_alarm_free(watched.alarm);
		watched.alarm = wd_alarm_new(watched.gauge, &wish, &error);
		assert_non_null(watched.alarm);
	}
	assert_int_equal(open_descriptors(), before);
	assert_true(rings_within(&watched, LONG));
	end_inside(pid, ready);
	unwatch(&watched);
}

/* Plain files do not call, nor does what is not there; that is said, and nothing stays open. */
static void files_that_cannot_call(void **state)
{
	struct wd_alarm_wish wish = {.memory_bytes = 100, .oom = true, .pressure = {0.1, 0.1, 0.1}};
	struct wd_error error = {0};
	(void)state;
	tree_host();
	tree_file("", "cgroup.controllers", "memory\n");
	tree_v2("docker/" TREE_ID);
	struct wd_meter *meter = tree_meter();
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	assert_non_null(gauge);
	assert_null(wd_alarm_new(gauge, &wish, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	assert_non_null(strstr(error.text, "the kernel cannot call: "));
	unsigned before = open_descriptors();
	assert_null(wd_alarm_new(gauge, &wish, &error));
	assert_int_equal(open_descriptors(), before);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

#define WITH_KERNEL(test) cmocka_unit_test_setup_teardown(test, begin_cgroups, end_cgroups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(reaching_the_limit_rings),
		WITH_KERNEL(below_it_nothing_rings),
		WITH_KERNEL(a_kill_rings_and_is_counted_soon),
		WITH_KERNEL(a_container_that_thrashes_rings_again_and_again),
		WITH_KERNEL(who_waits_for_a_cpu_rings),
		WITH_KERNEL(the_end_of_a_cgroup_rings),
		WITH_KERNEL(freed_it_leaves_nothing),
		WITH_KERNEL(files_that_cannot_call),
	};
	return cmocka_run_group_tests_name("alarm", tests, NULL, NULL);
}
