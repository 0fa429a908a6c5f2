#include "cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define PLACES_ROOM ((size_t)16 * 1024) /* of /proc/PID/cgroup */
#define SEARCHED_MAX 2048               /* directories: some milliseconds */

void wd_place_done(struct wd_place *place)
{
	for (size_t i = 0; i < WD_TREES; i++)
		free(place->paths[i]);
	*place = (struct wd_place){0};
}

static bool is_directory(const struct wd_meter *meter, const char *path)
{
	WD_AUTO_FREE char *inside = wd_format("%s/.", path);
	return faccessat(meter->cgroup, inside, F_OK, 0) == 0;
}

/* The tree that is looked at where one must do for all. */
static const char *first_tree(const struct wd_meter *meter)
{
	char *const *trees = meter->trees;
	if (trees[WD_TREE_MEMORY])
		return trees[WD_TREE_MEMORY];
	return trees[WD_TREE_UNIFIED] ? trees[WD_TREE_UNIFIED] : trees[WD_TREE_CPUACCT];
}

/* --- as the kernel says ------------------------------------------------------------------------------------------------ */

static char *path_in(const struct wd_meter *meter, enum wd_tree tree, const char *id, const char *text, size_t length)
{
	static const char *const names[] = {
		[WD_TREE_MEMORY] = "memory", [WD_TREE_CPU] = "cpu",   [WD_TREE_CPUACCT] = "cpuacct",
		[WD_TREE_CPUSET] = "cpuset", [WD_TREE_PIDS] = "pids", [WD_TREE_UNIFIED] = ""};
	const char *path;
	size_t bearer;
	if (!meter->trees[tree] || !wd_parse_place(text, length, names[tree], &path, &bearer))
		return NULL;
	bearer = wd_parse_bearer(path, bearer, id);
	if (bearer == 0 || memchr(path, '\0', bearer))
		return NULL;
	while (bearer > 0 && *path == '/')
		path++, bearer--;
	WD_AUTO_FREE char *whole = wd_format("%s%.*s", meter->trees[tree], (int)bearer, path);
	return is_directory(meter, whole) ? wd_copy(whole) : NULL;
}

/* The container's limits are on the part that bears its id, also where its processes are further below (Podman's
 * "container", a systemd inside). */
static bool ask_kernel(const struct wd_meter *meter, const char *id, int pid, struct wd_place *ret_place)
{
	if (pid <= 0)
		return false;
	WD_AUTO_FREE char *name = wd_format("%d/cgroup", pid);
	WD_AUTO_FREE char *text = wd_alloc(1, PLACES_ROOM);
	ssize_t length = wd_meter_read(meter->proc, name, text, PLACES_ROOM);
	bool found = false;
	for (enum wd_tree tree = 0; length > 0 && tree < WD_TREES; tree++) {
		ret_place->paths[tree] = path_in(meter, tree, id, text, (size_t)length);
		found = found || ret_place->paths[tree];
	}
	return found;
}

/* --- where they usually are -------------------------------------------------------------------------------------------- */

/* One path for all trees. */
static bool take_place(const struct wd_meter *meter, const char *path, struct wd_place *ret_place)
{
	WD_AUTO_FREE char *first = wd_format("%s%s", first_tree(meter), path);
	if (!is_directory(meter, first))
		return false;
	for (enum wd_tree tree = 0; tree < WD_TREES; tree++) {
		if (!meter->trees[tree])
			continue;
		WD_AUTO_FREE char *whole = wd_format("%s%s", meter->trees[tree], path);
		if (is_directory(meter, whole))
			ret_place->paths[tree] = wd_copy(whole);
	}
	return true;
}

static bool try_usual(const struct wd_meter *meter, const char *id, struct wd_place *ret_place)
{
	static const struct {
		const char *before, *behind;
		bool rootless; /* below the slice of the user we are */
	} usual[] = {
		{"docker/", "", false},
		{"system.slice/docker-", ".scope", false},
		{"machine.slice/libpod-", ".scope", false},
		{"libpod_parent/libpod-", "", false},
		{"user.slice/docker-", ".scope", true},
		{"user.slice/libpod-", ".scope", true},
	};
	unsigned user = (unsigned)getuid();
	WD_AUTO_FREE char *slice = wd_format("user.slice/user-%u.slice/user@%u.service/", user, user);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		WD_AUTO_FREE char *path =
			wd_format("%s%s%s%s", usual[i].rootless ? slice : "", usual[i].before, id, usual[i].behind);
		if (take_place(meter, path, ret_place))
			return true;
	}
	return false;
}

static bool try_habit(const struct wd_meter *meter, const char *id, struct wd_place *ret_place)
{
	if (!meter->habit_before)
		return false;
	WD_AUTO_FREE char *path = wd_format("%s%s%s", meter->habit_before, id, meter->habit_behind);
	return take_place(meter, path, ret_place);
}

/* --- anywhere ---------------------------------------------------------------------------------------------------------- */

/* Adds the directories in one; returns the one that bears the id. */
static char *look_into(int tree, const char *path, const char *id, struct wd_list *ret_found)
{
	int descriptor = openat(tree, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
	char *bearer = NULL;
	if (!directory) {
		if (descriptor >= 0)
			close(descriptor);
		return NULL;
	}
	for (struct dirent *entry = readdir(directory); entry && !bearer; entry = readdir(directory)) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		WD_AUTO_FREE char *child = wd_format("%s%s%s", path, *path ? "/" : "", entry->d_name);
		if (strstr(entry->d_name, id))
			bearer = wd_copy(child);
		else if (ret_found->count < SEARCHED_MAX)
			wd_list_add(ret_found, child);
	}
	closedir(directory);
	return bearer;
}

/* Level by level: a container that makes a cgroup of another's name inside its own comes behind it. */
static char *search(const struct wd_meter *meter, const char *id)
{
	const char *name = first_tree(meter);
	int tree = openat(meter->cgroup, *name ? name : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct wd_list found = {0};
	char *bearer = NULL;
	if (tree < 0)
		return NULL;
	wd_list_add(&found, "");
	for (size_t i = 0; i < found.count && !bearer; i++)
		bearer = look_into(tree, found.items[i], id, &found);
	wd_list_done(&found);
	close(tree);
	return bearer;
}

static void learn(struct wd_meter *meter, const char *path, const char *id)
{
	const char *bearer = strstr(path, id);
	free(meter->habit_before);
	meter->habit_before = wd_copy_part(path, (size_t)(bearer - path));
	wd_replace(&meter->habit_behind, bearer + strlen(id));
}

/* An Engine on another machine has containers that are nowhere here: a few searches in vain end the searching. */
static bool try_search(struct wd_meter *meter, const char *id, struct wd_place *ret_place)
{
	if (meter->searches_left == 0)
		return false;
	WD_AUTO_FREE char *path = search(meter, id);
	if (!path) {
		meter->searches_left--;
		return false;
	}
	learn(meter, path, id);
	return take_place(meter, path, ret_place);
}

/* Without a descriptor to look with, nothing that is not found is known not to be there. */
static bool can_look(const struct wd_meter *meter)
{
	int descriptor = fcntl(meter->cgroup, F_DUPFD_CLOEXEC, 0);
	if (descriptor >= 0)
		close(descriptor);
	return descriptor >= 0;
}

bool wd_cgroup_find(struct wd_meter *meter, const char *id, int pid, struct wd_place *ret_place, struct wd_error *error)
{
	struct wd_place place = {0};
	if (!can_look(meter))
		return wd_fail_errno(error, WD_ERROR_FAILED, "looking for its cgroup");
	if (!ask_kernel(meter, id, pid, &place) && !try_habit(meter, id, &place) && !try_usual(meter, id, &place) &&
	    !try_search(meter, id, &place))
		return wd_fail(error, WD_ERROR_NOT_FOUND, "no cgroup on this machine bears its id");
	*ret_place = place;
	return true;
}
