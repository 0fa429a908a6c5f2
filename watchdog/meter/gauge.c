#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gauge.h"
#include "parse.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define NUMBER_ROOM 32
#define MEMBERS_ROOM 2048
#define STAT_ROOM 8192 /* memory.stat: 1.5 to 5 KiB */

enum { UNOPENED = -1, MISSING = -2 };

/* Where the same thing stands on v1 and v2; NULL: nowhere. */
static const struct {
	enum wd_tree tree;
	const char *v1, *v2;
} files[WD_FILES] = {
	[WD_FILE_USAGE] = {WD_TREE_MEMORY, "memory.usage_in_bytes", "memory.current"},
	[WD_FILE_STAT] = {WD_TREE_MEMORY, "memory.stat", "memory.stat"},
	[WD_FILE_SWAP] = {WD_TREE_MEMORY, "memory.memsw.usage_in_bytes", "memory.swap.current"},
	[WD_FILE_OOM] = {WD_TREE_MEMORY, "memory.oom_control", "memory.events"},
	[WD_FILE_CPU] = {WD_TREE_CPUACCT, "cpuacct.usage", "cpu.stat"},
	[WD_FILE_THROTTLE] = {WD_TREE_CPU, "cpu.stat", "cpu.stat"},
	[WD_FILE_PIDS] = {WD_TREE_PIDS, "pids.current", "pids.current"},
	[WD_FILE_PRESSURE_MEMORY] = {WD_TREE_UNIFIED, NULL, "memory.pressure"},
	[WD_FILE_PRESSURE_CPU] = {WD_TREE_UNIFIED, NULL, "cpu.pressure"},
	[WD_FILE_PRESSURE_IO] = {WD_TREE_UNIFIED, NULL, "io.pressure"},
};

/* --- files ------------------------------------------------------------------------------------------------------------- */

bool wd_gauge_on_v1(const struct wd_gauge *gauge, enum wd_tree tree)
{
	return tree != WD_TREE_UNIFIED && gauge->meter->trees[tree];
}

static const char *directory_of(const struct wd_gauge *gauge, enum wd_tree tree)
{
	return gauge->place.paths[wd_gauge_on_v1(gauge, tree) ? tree : WD_TREE_UNIFIED];
}

/* The path of a file below the cgroup root; empty where there is none. */
static void print_path(const struct wd_gauge *gauge, enum wd_tree tree, const char *v1, const char *v2,
		       struct wd_text *ret_path)
{
	const char *directory = directory_of(gauge, tree), *name = wd_gauge_on_v1(gauge, tree) ? v1 : v2;
	if (directory && name)
		wd_text_print(ret_path, "%s/%s", directory, name);
}

int wd_gauge_open_file(const struct wd_gauge *gauge, enum wd_tree tree, const char *v1, const char *v2, int flags)
{
	WD_AUTO_TEXT struct wd_text path = {0};
	print_path(gauge, tree, v1, v2, &path);
	if (path.length > 0)
		return openat(gauge->meter->cgroup, path.data, flags | O_CLOEXEC | O_NOCTTY);
	errno = ENOENT;
	return -1;
}

int wd_gauge_file(struct wd_gauge *gauge, enum wd_file file)
{
	int *descriptor = &gauge->descriptors[file];
	if (*descriptor != UNOPENED)
		return *descriptor;
	*descriptor = wd_gauge_open_file(gauge, files[file].tree, files[file].v1, files[file].v2, O_RDONLY);
	int why = *descriptor < 0 ? errno : 0;
	if (why && why != ENOENT)
		gauge->trouble = why;
	if (why && why != EMFILE && why != ENFILE && why != EINTR)
		*descriptor = MISSING;
	return *descriptor;
}

/* How much was read; 0 where there is nothing to read. A cgroup that was removed answers ENODEV. */
static size_t read_file(struct wd_gauge *gauge, enum wd_file file, char *buffer, size_t room)
{
	int descriptor = wd_gauge_file(gauge, file);
	ssize_t got;
	if (descriptor < 0)
		return 0;
	do
		got = pread(descriptor, buffer, room, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == ENODEV)
		gauge->gone = true;
	return got > 0 ? (size_t)got : 0;
}

/* --- limits: read now and then, so their files are not kept open -------------------------------------------------------- */

static size_t read_once(const struct wd_gauge *gauge, enum wd_tree tree, const char *v1, const char *v2, char *buffer,
			size_t room)
{
	WD_AUTO_TEXT struct wd_text path = {0};
	print_path(gauge, tree, v1, v2, &path);
	ssize_t got = path.length > 0 ? wd_meter_read(gauge->meter->cgroup, path.data, buffer, room) : 0;
	return got > 0 ? (size_t)got : 0;
}

static uint64_t read_limit(const struct wd_gauge *gauge, enum wd_tree tree, const char *v1, const char *v2)
{
	char text[NUMBER_ROOM];
	uint64_t limit;
	size_t length = read_once(gauge, tree, v1, v2, text, sizeof(text));
	return wd_parse_limit(text, length, &limit) ? limit : WD_UNLIMITED;
}

/* v1 has the two numbers in two files, and -1 for none: joined, they read like v2's. */
static bool read_quota(const struct wd_gauge *gauge, double *ret_cpus)
{
	char text[2 * NUMBER_ROOM + 1];
	size_t length = read_once(gauge, WD_TREE_CPU, "cpu.cfs_quota_us", "cpu.max", text, NUMBER_ROOM);
	if (wd_gauge_on_v1(gauge, WD_TREE_CPU) && length > 0 && text[length - 1] == '\n') {
		text[length - 1] = ' ';
		length += read_once(gauge, WD_TREE_CPU, "cpu.cfs_period_us", NULL, text + length, NUMBER_ROOM);
	}
	return wd_parse_quota(text, length, ret_cpus);
}

static void read_cpus(struct wd_gauge *gauge)
{
	char text[MEMBERS_ROOM];
	double quota, all = gauge->meter->host_cpus;
	unsigned count;
	size_t length =
		read_once(gauge, WD_TREE_CPUSET, "cpuset.effective_cpus", "cpuset.cpus.effective", text, sizeof(text));
	if (length == 0)
		length = read_once(gauge, WD_TREE_CPUSET, "cpuset.cpus", "cpuset.cpus", text, sizeof(text));
	if (wd_parse_cpus(text, length, &count))
		all = count;
	gauge->cpus_there = all;
	gauge->cpus_allowed = read_quota(gauge, &quota) && quota < all ? quota : all;
}

static void read_memory_limit(struct wd_gauge *gauge)
{
	uint64_t memory = read_limit(gauge, WD_TREE_MEMORY, "memory.limit_in_bytes", "memory.max");
	gauge->memory_limit = memory < gauge->meter->host_memory ? memory : gauge->meter->host_memory;
}

static void read_limits(struct wd_gauge *gauge)
{
	read_memory_limit(gauge);
	gauge->pids_limit = read_limit(gauge, WD_TREE_PIDS, "pids.max", "pids.max");
	read_cpus(gauge);
	gauge->limits_known = true;
}

/* --- a look ------------------------------------------------------------------------------------------------------------ */

static bool read_number(struct wd_gauge *gauge, enum wd_file file, uint64_t *ret_number)
{
	char text[NUMBER_ROOM];
	size_t length = read_file(gauge, file, text, sizeof(text));
	return wd_parse_number(text, length, ret_number);
}

static bool read_member(struct wd_gauge *gauge, enum wd_file file, const char *v1, const char *v2, uint64_t *ret_number)
{
	char text[MEMBERS_ROOM];
	size_t length = read_file(gauge, file, text, sizeof(text));
	return wd_parse_member(text, length, wd_gauge_on_v1(gauge, files[file].tree) ? v1 : v2, ret_number);
}

/* Cache that does not fit into the usage is of another moment: the docker client leaves it in, and so do we. */
static void leave_out(uint64_t *bytes, uint64_t cache)
{
	if (cache < *bytes)
		*bytes -= cache;
}

static void look_at_memory(struct wd_gauge *gauge, const struct wd_gauge_wish *wish, struct wd_sample *sample)
{
	bool v1 = wd_gauge_on_v1(gauge, WD_TREE_MEMORY);
	char text[STAT_ROOM];
	uint64_t cache;
	if (!read_number(gauge, WD_FILE_USAGE, &sample->usage_bytes))
		return;
	sample->has |= WD_HAS_MEMORY;
	sample->working_set_bytes = sample->firm_bytes = sample->usage_bytes;
	if (wish->exact_from_bytes == WD_UNLIMITED || sample->usage_bytes < wish->exact_from_bytes)
		return;
	size_t length = read_file(gauge, WD_FILE_STAT, text, sizeof(text));
	if (!wd_parse_member(text, length, v1 ? "total_inactive_file" : "inactive_file", &cache))
		return;
	sample->has |= WD_HAS_WORKING_SET;
	leave_out(&sample->working_set_bytes, cache);
	sample->firm_bytes = sample->working_set_bytes;
	if (wd_parse_member(text, length, v1 ? "total_active_file" : "active_file", &cache))
		leave_out(&sample->firm_bytes, cache);
}

/* v1 counts memory and swap together. */
static void look_at_swap(struct wd_gauge *gauge, struct wd_sample *sample)
{
	uint64_t swap;
	if (!read_number(gauge, WD_FILE_SWAP, &swap))
		return;
	sample->has |= WD_HAS_SWAP;
	if (wd_gauge_on_v1(gauge, WD_TREE_MEMORY))
		swap = swap > sample->usage_bytes ? swap - sample->usage_bytes : 0;
	sample->swap_bytes = swap;
}

static void look_at_cpu(struct wd_gauge *gauge, struct wd_sample *sample)
{
	bool v1 = wd_gauge_on_v1(gauge, WD_TREE_CPUACCT);
	bool there = v1 ? read_number(gauge, WD_FILE_CPU, &sample->cpu_usec)
			: read_member(gauge, WD_FILE_CPU, NULL, "usage_usec", &sample->cpu_usec);
	if (!there)
		return;
	sample->has |= WD_HAS_CPU;
	if (v1)
		sample->cpu_usec /= 1000;
}

static void look_at_throttle(struct wd_gauge *gauge, struct wd_sample *sample)
{
	if (!read_member(gauge, WD_FILE_THROTTLE, "throttled_time", "throttled_usec", &sample->throttled_usec))
		return;
	sample->has |= WD_HAS_THROTTLE;
	if (wd_gauge_on_v1(gauge, WD_TREE_CPU))
		sample->throttled_usec /= 1000;
}

static bool read_pressure(struct wd_gauge *gauge, enum wd_file file, double *ret_share)
{
	char text[MEMBERS_ROOM];
	return wd_parse_pressure(text, read_file(gauge, file, text, sizeof(text)), ret_share);
}

static void look_at_pressure(struct wd_gauge *gauge, struct wd_sample *sample)
{
	bool memory = read_pressure(gauge, WD_FILE_PRESSURE_MEMORY, &sample->pressure.memory);
	bool cpu = read_pressure(gauge, WD_FILE_PRESSURE_CPU, &sample->pressure.cpu);
	bool io = read_pressure(gauge, WD_FILE_PRESSURE_IO, &sample->pressure.io);
	if (memory || cpu || io)
		sample->has |= WD_HAS_PRESSURE;
}

static void look_further(struct wd_gauge *gauge, const struct wd_gauge_wish *wish, struct wd_sample *sample)
{
	if (wish->pids && read_number(gauge, WD_FILE_PIDS, &sample->pids))
		sample->has |= WD_HAS_PIDS;
	if (wish->oom && read_member(gauge, WD_FILE_OOM, "oom_kill", "oom_kill", &sample->oom_kills))
		sample->has |= WD_HAS_OOM;
	if (wish->swap && (sample->has & WD_HAS_MEMORY))
		look_at_swap(gauge, sample);
	if (wish->throttle)
		look_at_throttle(gauge, sample);
	if (wish->pressure)
		look_at_pressure(gauge, sample);
}

bool wd_gauge_read(struct wd_gauge *gauge, const struct wd_gauge_wish *wish, wd_time now, struct wd_sample *ret_sample)
{
	struct wd_sample sample = {.at = now};
	if (gauge->gone)
		return false;
	if (wish->limits || !gauge->limits_known)
		read_limits(gauge);
	else if (wish->memory_limit)
		read_memory_limit(gauge);
	sample.memory_limit_bytes = gauge->memory_limit;
	sample.pids_limit = gauge->pids_limit;
	sample.cpus_allowed = gauge->cpus_allowed;
	sample.cpus_there = gauge->cpus_there;
	look_at_memory(gauge, wish, &sample);
	look_at_cpu(gauge, &sample);
	look_further(gauge, wish, &sample);
	if (gauge->gone)
		return false;
	*ret_sample = sample;
	return true;
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */

static bool is_id(const char *id)
{
	return strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

/* The two that every look reads. Where one is missing (no memory controller, rootless without delegation) the other will
 * do; where both are, something is wrong that must be told. */
static bool open_first(struct wd_gauge *gauge, struct wd_error *error)
{
	int usage = wd_gauge_file(gauge, WD_FILE_USAGE), cpu = wd_gauge_file(gauge, WD_FILE_CPU);
	if (usage != UNOPENED && cpu != UNOPENED && (usage >= 0 || cpu >= 0))
		return true;
	if (!gauge->trouble)
		return wd_fail(error, WD_ERROR_NOT_FOUND, "its cgroup has neither memory nor WD_FILE_CPU time");
	errno = gauge->trouble;
	return wd_fail_errno(error, WD_ERROR_FAILED, "the files of its cgroup");
}

struct wd_gauge *wd_gauge_open(struct wd_meter *meter, const char *id, int pid, struct wd_error *error)
{
	struct wd_place place;
	if (!is_id(id)) {
		wd_fail(error, WD_ERROR_NOT_FOUND, "no id of a container: %.80s", id);
		return NULL;
	}
	if (!wd_cgroup_find(meter, id, pid, &place, error))
		return NULL;
	struct wd_gauge *gauge = wd_alloc(1, sizeof(*gauge));
	gauge->meter = meter;
	gauge->place = place;
	for (size_t i = 0; i < WD_FILES; i++)
		gauge->descriptors[i] = UNOPENED;
	return open_first(gauge, error) ? gauge : wd_gauge_close(gauge);
}

struct wd_gauge *wd_gauge_close(struct wd_gauge *gauge)
{
	if (!gauge)
		return NULL;
	for (size_t i = 0; i < WD_FILES; i++)
		if (gauge->descriptors[i] >= 0)
			close(gauge->descriptors[i]);
	wd_place_done(&gauge->place);
	free(gauge);
	return NULL;
}
