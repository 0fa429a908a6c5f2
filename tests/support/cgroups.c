#include "cgroups.h"

#include "files.h"
#include "trees.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

static char parent[32]; /* of this run alone: several may be under way */
static const char *const v1_trees[] = {"memory/", "cpuacct/", "pids/", "freezer/"};
static const char *const v2_trees[] = {""};

bool cgroups_on_v2(void)
{
	return access(CGROUPS "/cgroup.controllers", F_OK) == 0;
}

static size_t trees(const char *const **ret_names)
{
	*ret_names = cgroups_on_v2() ? v2_trees : v1_trees;
	return cgroups_on_v2() ? 1 : sizeof(v1_trees) / sizeof(v1_trees[0]);
}

const char *cgroups_parent(void)
{
	return parent;
}

static bool write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool good = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
	if (file >= 0)
		close(file);
	return good;
}

bool make_cgroup(const char *name)
{
	const char *const *names;
	size_t count = trees(&names);
	for (size_t i = 0; i < count; i++) {
		WD_AUTO_FREE char *path = wd_format(CGROUPS "/%s%s/%s", names[i], parent, name);
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

void remove_cgroup(const char *name)
{
	const char *const *names;
	size_t count = trees(&names);
	for (size_t i = 0; i < count; i++) {
		WD_AUTO_FREE char *path = wd_format(CGROUPS "/%s%s/%s", names[i], parent, name);
		for (int tries = 0; rmdir(path) != 0 && errno == EBUSY && tries < 200; tries++)
			usleep(10000); /* the kernel is still taking the processes out */
	}
}

bool set_in_cgroup(const char *name, const char *tree, const char *v1, const char *v2, const char *text)
{
	WD_AUTO_FREE char *path = cgroups_on_v2() ? wd_format(CGROUPS "/%s/%s/%s", parent, name, v2)
						  : wd_format(CGROUPS "/%s%s/%s/%s", tree, parent, name, v1);
	return write_text(path, text);
}

void limit_memory(const char *name, const char *bytes)
{
	assert_true(set_in_cgroup(name, "memory/", "memory.limit_in_bytes", "memory.max", bytes));
	set_in_cgroup(name, "memory/", "memory.memsw.limit_in_bytes", "memory.swap.max", cgroups_on_v2() ? "0" : bytes);
}

int begin_cgroups(void **state)
{
	const char *const *names;
	size_t count = trees(&names);
	snprintf(parent, sizeof(parent), "seadog-test-%d", (int)getpid());
	enter_directory(state);
	if (geteuid() != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		WD_AUTO_FREE char *path = wd_format(CGROUPS "/%s%s", names[i], parent);
		mkdir(path, 0755);
	}
	if (cgroups_on_v2()) {
		WD_AUTO_FREE char *below = wd_format(CGROUPS "/%s/cgroup.subtree_control", parent);
		write_text(CGROUPS "/cgroup.subtree_control", "+memory +pids +cpu");
		write_text(below, "+memory +pids +cpu");
	}
	return 0;
}

int end_cgroups(void **state)
{
	remove_cgroup(TREE_ID);
	remove_cgroup(TREE_OTHER_ID);
	remove_cgroup("");
	return leave_directory(state);
}

void need_cgroups(void)
{
	if (geteuid() != 0 || access("/bin/busybox", X_OK) != 0 || !make_cgroup(TREE_ID))
		skip();
}

pid_t run_inside(const char *name, const char *script, int *ret_ready)
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
			snprintf(path, sizeof(path), CGROUPS "/%s%s/%s/cgroup.procs", names[i], parent, name);
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

void await_ready(int ready)
{
	char line[16] = "";
	assert_true(read(ready, line, sizeof(line) - 1) > 0);
	assert_string_equal(line, "ready\n");
}

void end_inside(pid_t pid, int ready)
{
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready);
}

struct wd_meter *kernels_meter(void)
{
	struct wd_error error = {0};
	struct wd_meter *meter = wd_meter_new(NULL, &error);
	assert_non_null(meter);
	return meter;
}

struct wd_gauge *open_gauge(struct wd_meter *meter, pid_t pid)
{
	struct wd_error error = {0};
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, pid, &error);
	if (!gauge)
		print_error("%s\n", error.text);
	assert_non_null(gauge);
	return gauge;
}
