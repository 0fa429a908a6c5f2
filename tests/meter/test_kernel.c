/* The kernel itself: cgroups made by hand (as root), with busybox in them. Elsewhere these tests are skipped. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/files.h>
#include <support/trees.h>
#include <support/unit.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define ROOT "/sys/fs/cgroup"
#define MIB ((uint64_t)1048576)

static const struct wd_gauge_wish exact = {.pids = true, .oom = true, .limits = true};
static char parent[32]; /* of this run alone: several may be under way */
static const char *const v1_trees[] = {"memory/", "cpuacct/", "pids/"};
static const char *const v2_trees[] = {""};

static bool on_v2(void)
{
	return access(ROOT "/cgroup.controllers", F_OK) == 0;
}

static size_t trees(const char *const **ret_names)
{
	*ret_names = on_v2() ? v2_trees : v1_trees;
	return on_v2() ? 1 : 3;
}

static bool write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool good = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
	if (file >= 0)
		close(file);
	return good;
}

/* false where a tree is not there, or not ours to change. */
static bool make_cgroup(const char *name)
{
	const char *const *names;
	size_t count = trees(&names);
	for (size_t i = 0; i < count; i++) {
		WD_AUTO_FREE char *path = wd_format(ROOT "/%s%s/%s", names[i], parent, name);
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

static void remove_cgroup(const char *name)
{
	const char *const *names;
	size_t count = trees(&names);
	for (size_t i = 0; i < count; i++) {
		WD_AUTO_FREE char *path = wd_format(ROOT "/%s%s/%s", names[i], parent, name);
		for (int tries = 0; rmdir(path) != 0 && errno == EBUSY && tries < 200; tries++)
			usleep(10000); /* the kernel is still taking the processes out */
	}
}

static void limit_memory(const char *name, const char *bytes)
{
	WD_AUTO_FREE char *path = wd_format(ROOT "/%s%s/%s/%s", on_v2() ? "" : "memory/", parent, name,
					    on_v2() ? "memory.max" : "memory.limit_in_bytes");
	assert_true(write_text(path, bytes));
}

static int begin(void **state)
{
	const char *const *names;
	size_t count = trees(&names);
	snprintf(parent, sizeof(parent), "seadog-test-%d", (int)getpid());
	enter_directory(state);
	if (geteuid() != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		WD_AUTO_FREE char *path = wd_format(ROOT "/%s%s", names[i], parent);
		mkdir(path, 0755);
	}
	if (on_v2()) {
		WD_AUTO_FREE char *below = wd_format(ROOT "/%s/cgroup.subtree_control", parent);
		write_text(ROOT "/cgroup.subtree_control", "+memory +pids +cpu");
		write_text(below, "+memory +pids +cpu");
	}
	return 0;
}

static int end(void **state)
{
	remove_cgroup(TREE_ID);
	remove_cgroup(TREE_OTHER_ID);
	remove_cgroup("");
	return leave_directory(state);
}

static void need_cgroups(void)
{
	if (geteuid() != 0 || access("/bin/busybox", X_OK) != 0 || !make_cgroup(TREE_ID))
		skip();
}

/* Busybox in the cgroup; it says "ready" through the pipe when its script does. */
static pid_t run_inside(const char *name, const char *script, int *ret_ready)
{
	int pipes[2];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		const char *const *names;
		size_t count = trees(&names);
		bool inside = setpgid(0, 0) == 0;
		for (size_t i = 0; i < count; i++) {
			char path[256];
			snprintf(path, sizeof(path), ROOT "/%s%s/%s/cgroup.procs", names[i], parent, name);
			inside = write_text(path, "0") && inside;
		}
		dup2(pipes[1], 1);
		if (inside)
			execl("/bin/busybox", "busybox", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	*ret_ready = pipes[0];
	return pid;
}

static void await_ready(int ready)
{
	char line[16] = "";
	assert_true(read(ready, line, sizeof(line) - 1) > 0);
	assert_string_equal(line, "ready\n");
}

static void end_inside(pid_t pid, int ready)
{
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready);
}

static struct wd_sample look(struct wd_gauge *gauge)
{
	struct wd_sample sample;
	assert_true(wd_gauge_read(gauge, &exact, wd_time_now(), &sample));
	return sample;
}

static struct wd_meter *kernels_meter(void)
{
	struct wd_error error = {0};
	struct wd_meter *meter = wd_meter_new(NULL, &error);
	assert_non_null(meter);
	return meter;
}

static struct wd_gauge *open_gauge(struct wd_meter *meter, pid_t pid)
{
	struct wd_error error = {0};
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, pid, &error);
	if (!gauge)
		print_error("%s\n", error.text);
	assert_non_null(gauge);
	return gauge;
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

static void a_busy_process_uses_its_cpus(void **state)
{
	int ready;
	(void)state;
	need_cgroups();
	pid_t pid = run_inside(TREE_ID, "echo ready; while :; do :; done", &ready);
	await_ready(ready);
	struct wd_meter *meter = kernels_meter();
	struct wd_gauge *gauge = open_gauge(meter, pid);
	struct wd_sample first = look(gauge);
	usleep(400000);
	struct wd_sample second = look(gauge);
	kill(-pid, SIGSTOP); /* as docker pause: nothing more is used */
	usleep(50000);
	struct wd_sample third = look(gauge);
	usleep(200000);
	struct wd_sample fourth = look(gauge);
	end_inside(pid, ready);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
	assert_true(wd_sample_cpus(&first, &second) > 0.02 && wd_sample_cpus(&first, &second) < 1.2);
	assert_true(wd_sample_cpus(&third, &fourth) < 0.05);
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
	WD_AUTO_FREE char *whole = wd_format("4:memory:/%s/" TREE_ID "\n0::/%s/" TREE_ID "\n", parent, parent);
	struct wd_meter_roots roots = {.proc = "proc", .cgroup = ROOT};
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

#define WITH_KERNEL(test) cmocka_unit_test_setup_teardown(test, begin, end)

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
