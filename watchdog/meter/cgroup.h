/* cgroup.h: where the kernel's trees are, and where in them a container's files. Internal to watchdog/meter.
 */
#ifndef WATCHDOG_METER_CGROUP_H
#define WATCHDOG_METER_CGROUP_H

#include <sys/types.h>
#include <watchdog/meter.h>

/* The controllers that have a tree of their own on v1; what has none there is in the unified tree. */
enum wd_tree { WD_TREE_MEMORY, WD_TREE_CPU, WD_TREE_CPUACCT, WD_TREE_CPUSET, WD_TREE_PIDS, WD_TREE_UNIFIED, WD_TREES };

struct wd_meter {
	int proc, cgroup;      /* O_PATH */
	char *trees[WD_TREES]; /* below the cgroup root: "cpu,cpuacct/", "unified/", "" for the root itself; NULL: none */
	uint64_t host_memory;
	unsigned host_cpus;
	char *habit_before, *habit_behind; /* where what had to be searched for was: before and behind the id; or NULL */
	unsigned searches_left;
};

/* Directories below the cgroup root, one per tree; NULL where the container has none. */
struct wd_place {
	char *paths[WD_TREES];
};
void wd_place_done(struct wd_place *place);

bool wd_cgroup_find(struct wd_meter *meter, const char *id, int pid, struct wd_place *ret_place,
                    struct wd_error *error);

/* The beginning of a file, as much as there is room for; -1 with errno. */
ssize_t wd_meter_read(int directory, const char *path, char *buffer, size_t room);

#endif
