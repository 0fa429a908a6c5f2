#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "parse.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define SEARCHES 3 /* in a row that find nothing, before no more are made */
#define STAT_ROOM ((size_t)128 * 1024)

static const char *const controllers[] = {
	[WD_TREE_MEMORY] = "memory", [WD_TREE_CPU] = "cpu",   [WD_TREE_CPUACCT] = "cpuacct",
	[WD_TREE_CPUSET] = "cpuset", [WD_TREE_PIDS] = "pids",
};

ssize_t wd_meter_read(int directory, const char *path, char *buffer, size_t room)
{
	int file = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;
	ssize_t got = file < 0 ? -1 : 1;
	while (got > 0 && length < room) {
		got = read(file, buffer + length, room - length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			length += (size_t)got;
	}
	int kept = errno;
	if (file >= 0)
		close(file);
	errno = kept;
	return got < 0 ? -1 : (ssize_t)length;
}

static bool is_there(const struct wd_meter *meter, const char *path)
{
	return faccessat(meter->cgroup, path, F_OK, 0) == 0;
}

/* A directory such as "cpu,cpuacct", or a link of a controller's name to one. */
static void find_v1(struct wd_meter *meter, const char *name)
{
	struct wd_list parts = {0};
	wd_list_split(&parts, name, ',');
	for (size_t i = 0; i < WD_TREE_UNIFIED; i++)
		if (!meter->trees[i] && wd_list_has(&parts, controllers[i]))
			meter->trees[i] = wd_format("%s/", name);
	wd_list_done(&parts);
}

static void find_trees(struct wd_meter *meter)
{
	if (is_there(meter, "cgroup.controllers")) {
		meter->trees[WD_TREE_UNIFIED] = wd_copy("");
		return;
	}
	if (is_there(meter, "unified/cgroup.controllers"))
		meter->trees[WD_TREE_UNIFIED] = wd_copy("unified/");
	int descriptor = openat(meter->cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *root = descriptor < 0 ? NULL : fdopendir(descriptor);
	if (!root) {
		if (descriptor >= 0)
			close(descriptor);
		return;
	}
	for (struct dirent *entry = readdir(root); entry; entry = readdir(root))
		find_v1(meter, entry->d_name);
	closedir(root);
}

static uint64_t host_memory(const struct wd_meter *meter, char *text)
{
	struct sysinfo host;
	uint64_t kibibytes;
	ssize_t length = wd_meter_read(meter->proc, "meminfo", text, STAT_ROOM);
	if (length > 0 && wd_parse_total(text, (size_t)length, &kibibytes))
		return kibibytes * 1024;
	return sysinfo(&host) == 0 ? (uint64_t)host.totalram * host.mem_unit : WD_UNLIMITED;
}

/* The files first, as a container may be shown less than the host has; a sandbox may have hidden them. */
static void read_host(struct wd_meter *meter)
{
	WD_AUTO_FREE char *text = wd_alloc(1, STAT_ROOM);
	ssize_t length = wd_meter_read(meter->proc, "stat", text, STAT_ROOM);
	meter->host_cpus = length > 0 ? wd_parse_host_cpus(text, (size_t)length) : 0;
	if (meter->host_cpus == 0)
		meter->host_cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	meter->host_memory = host_memory(meter, text);
}

struct wd_meter *wd_meter_new(const struct wd_meter_roots *roots, struct wd_error *error)
{
	const char *proc = roots && roots->proc ? roots->proc : "/proc";
	const char *cgroup = roots && roots->cgroup ? roots->cgroup : "/sys/fs/cgroup";
	struct wd_meter *meter = wd_alloc(1, sizeof(*meter));
	meter->searches_left = SEARCHES;
	meter->proc = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	meter->cgroup = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (meter->proc < 0 || meter->cgroup < 0) {
		wd_fail_errno(error, WD_ERROR_NOT_FOUND, "%s", meter->proc < 0 ? proc : cgroup);
		return wd_meter_free(meter);
	}
	find_trees(meter);
	if (!meter->trees[WD_TREE_MEMORY] && !meter->trees[WD_TREE_CPUACCT] && !meter->trees[WD_TREE_UNIFIED]) {
		wd_fail(error, WD_ERROR_NOT_FOUND, "%s: no cgroup tree is mounted there", cgroup);
		return wd_meter_free(meter);
	}
	read_host(meter);
	return meter;
}

struct wd_meter *wd_meter_free(struct wd_meter *meter)
{
	if (!meter)
		return NULL;
	if (meter->proc >= 0)
		close(meter->proc);
	if (meter->cgroup >= 0)
		close(meter->cgroup);
	for (size_t i = 0; i < WD_TREES; i++)
		free(meter->trees[i]);
	free(meter->habit_before);
	free(meter->habit_behind);
	free(meter);
	return NULL;
}

const char *wd_meter_layout(const struct wd_meter *meter)
{
	if (!meter->trees[WD_TREE_MEMORY] && !meter->trees[WD_TREE_CPUACCT])
		return "cgroup v2";
	return meter->trees[WD_TREE_UNIFIED] ? "cgroup v1 and v2" : "cgroup v1";
}
