/* The kernel itself: cgroups made by hand (as root), with busybox in them. Elsewhere these tests are skipped. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/cgroups.h>
#include <support/trees.h>
#include <support/unit.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define MIB ((uint64_t)1048576)

static const struct wd_gauge_wish exact = {.pids = true, .oom = true, .limits = true};

static struct wd_sample look(struct wd_gauge *gauge)
{
	struct wd_sample sample;
	assert_true(wd_gauge_read(gauge, &exact, wd_time_now(), &sample));
	return sample;
}

/* A file that was written is cache that can be given back once it is on the disk: 30 MiB of it are in the usage, not in the
 * working set. */
static void page_cache_is_usage_and_no_working_set(void **state)
{
	int ready;
	(void)state;
	need_cgroups();
	limit_memory(TREE_ID, "67108864");
	pid_t pid = run_inside(TREE_ID,
			       "busybox dd if=/dev/zero of=big bs=1M count=30 2>/dev/null; busybox sync; "
			       "echo ready; while :; do busybox sleep 1; done",
			       &ready);
	await_ready(ready);
	struct wd_meter *meter = kernels_meter();
	struct wd_gauge *gauge = open_gauge(meter, pid);
	struct wd_sample sample = look(gauge);
	end_inside(pid, ready);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
	assert_int_equal(sample.memory_limit_bytes, 64 * MIB);
	assert_in_range(sample.usage_bytes, 28 * MIB, 64 * MIB);
	assert_in_range(sample.working_set_bytes, 1, 8 * MIB);
	assert_in_range(sample.pids, 1, 3);
}

/* As many looks as a machine needs that has other things to do between the clock and the file. */
static bool uses(struct wd_gauge *gauge, double least, double most)
{
	for (int tries = 0; tries < 50; tries++) {
		struct wd_sample first = look(gauge);
		usleep(200000);
		struct wd_sample second = look(gauge);
		double cpus = wd_sample_cpus(&first, &second);
		if (cpus >= least && cpus <= most)
			return true;
	}
	return false;
}

static void a_busy_process_uses_its_cpus(void **state)
{
	int ready;
	(void)state;
	need_cgroups();
	pid_t pid = run_inside(TREE_ID, "echo ready; while :; do :; done", &ready);
	await_ready(ready);
	struct wd_meter *meter = kernels_meter();
	struct wd_gauge *gauge = open_gauge(meter, pid);
	assert_true(uses(gauge, 0.2, 1.2));
	kill(-pid, SIGSTOP); /* nothing more is used */
	assert_true(uses(gauge, 0, 0.01));
	end_inside(pid, ready);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

/* The child of a container dies of it and the container lives on: the Engine never says so, the counter does. */
static void the_kill_of_a_child_is_counted(void **state)
{
	int ready;
	(void)state;
	need_cgroups();
	limit_memory(TREE_ID, "16777216");
	pid_t pid = run_inside(TREE_ID,
			       "busybox tail /dev/zero >/dev/null 2>&1; echo ready; while :; do busybox sleep 1; done",
			       &ready);
	await_ready(ready);
	struct wd_meter *meter = kernels_meter();
	struct wd_gauge *gauge = open_gauge(meter, pid);
	struct wd_sample sample = look(gauge);
	end_inside(pid, ready);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
	assert_true(sample.has & WD_HAS_OOM);
	assert_int_equal(sample.oom_kills, 1);
}

/* A removed cgroup says so, and one made anew at the same place is another. */
static void a_gauge_ends_with_its_cgroup(void **state)
{
	struct wd_sample sample;
	(void)state;
	need_cgroups();
	unsigned before = open_descriptors();
	struct wd_meter *meter = kernels_meter();
	int ready;
	pid_t pid = run_inside(TREE_ID, "echo ready; while :; do busybox sleep 1; done", &ready);
	await_ready(ready);
	struct wd_gauge *gauge = open_gauge(meter, pid);
	look(gauge);
	end_inside(pid, ready);
	remove_cgroup(TREE_ID);
	assert_false(wd_gauge_read(gauge, &exact, wd_time_now(), &sample));
	assert_true(make_cgroup(TREE_ID));
	assert_false(wd_gauge_read(gauge, &exact, wd_time_now(), &sample));
	wd_gauge_close(gauge);
	wd_meter_free(meter);
	assert_int_equal(open_descriptors(), before);
}

struct coming_and_going {
	atomic_bool stop;
	atomic_uint rounds;
};

static void *come_and_go(void *data)
{
	struct coming_and_going *work = data;
	while (!atomic_load(&work->stop)) {
		make_cgroup(TREE_ID);
		usleep(3000);
		remove_cgroup(TREE_ID);
		atomic_fetch_add(&work->rounds, 1);
		usleep(1000);
	}
	return NULL;
}

/* More than a hundred a second, while they are being opened and read: at any moment one may be gone. */
static void cgroups_that_come_and_go_leave_nothing_open(void **state)
{
	struct coming_and_going work = {0};
	struct wd_error error = {0};
	struct wd_sample sample;
	unsigned opened = 0, ended = 0;
	pthread_t thread;
	(void)state;
	need_cgroups();
	struct wd_meter *meter = kernels_meter();
	WD_AUTO_FREE char *whole =
		wd_format("4:memory:/%s/" TREE_ID "\n0::/%s/" TREE_ID "\n", cgroups_parent(), cgroups_parent());
	struct wd_meter_roots roots = {.proc = "proc", .cgroup = CGROUPS};
	tree_host();
	tree_process(42, whole);
	wd_meter_free(meter);
	meter = wd_meter_new(&roots, &error);
	unsigned before = open_descriptors();
	assert_int_equal(pthread_create(&thread, NULL, come_and_go, &work), 0);
	wd_time until = wd_time_now() + 120 * WD_SECOND;
	while (wd_time_now() < until && (atomic_load(&work.rounds) < 150 || opened < 10)) {
		struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 42, &error);
		if (!gauge)
			continue;
		opened++;
		while (wd_gauge_read(gauge, &exact, wd_time_now(), &sample))
			usleep(100);
		ended++;
		wd_gauge_close(gauge);
	}
	atomic_store(&work.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(open_descriptors(), before);
	wd_meter_free(meter);
	assert_true(opened >= 10);
	assert_int_equal(opened, ended);
	assert_true(atomic_load(&work.rounds) >= 150);
}

#define WITH_KERNEL(test) cmocka_unit_test_setup_teardown(test, begin_cgroups, end_cgroups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(page_cache_is_usage_and_no_working_set),
		WITH_KERNEL(a_busy_process_uses_its_cpus),
		WITH_KERNEL(the_kill_of_a_child_is_counted),
		WITH_KERNEL(a_gauge_ends_with_its_cgroup),
		WITH_KERNEL(cgroups_that_come_and_go_leave_nothing_open),
	};
	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
