#include "trees.h"

#include "files.h"
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <watchdog/memory.h>

/* As kernel 6.18 writes it on v1: the container's own first, then with its children. */
static const char stat_v1[] =
	"cache 62914560\nrss 41943040\nrss_huge 0\nshmem 20971520\nmapped_file 0\ndirty 0\n"
	"writeback 0\nworkingset_refault_anon 0\nworkingset_refault_file 0\nswap 0\npgpgin 25600\n"
	"pgpgout 0\npgfault 11000\npgmajfault 0\ninactive_anon 20971520\nactive_anon 41943040\n"
	"inactive_file 1048576\nactive_file 0\nunevictable 0\n"
	"hierarchical_memory_limit 134217728\nhierarchical_memsw_limit 9223372036854771712\n"
	"total_cache 62914560\ntotal_rss 41943040\ntotal_shmem 20971520\n"
	"total_inactive_anon 20971520\ntotal_active_anon 41943040\n"
	"total_inactive_file 41943040\ntotal_active_file 10485760\ntotal_unevictable 0\n";

static const char stat_v2[] = "anon 41943040\nfile 62914560\nkernel 1048576\nkernel_stack 16384\npagetables 131072\n"
			      "sec_pagetables 0\npercpu 0\nsock 0\nvmalloc 0\nshmem 20971520\nzswap 0\nzswapped 0\n"
			      "file_mapped 0\nfile_dirty 0\nfile_writeback 0\nswapcached 0\nanon_thp 0\nfile_thp 0\n"
			      "shmem_thp 0\ninactive_anon 20971520\nactive_anon 41943040\ninactive_file 41943040\n"
			      "active_file 10485760\nunevictable 0\nslab_reclaimable 131072\npgfault 11000\n";

void tree_host(void)
{
	write_file("proc/stat", "cpu  1 2 3 4 5 6 7 0 0 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\ncpu2 1 2 3 4\ncpu3 1 2 3 4\n"
				"intr 12345 0 9\nctxt 99\n");
	write_file("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:          999999 kB\n");
	write_file("sys/README", "");
}

void tree_file(const char *directory, const char *file, const char *text)
{
	WD_AUTO_FREE char *path = wd_format("sys/%s/%s", directory, file);
	write_file(path, text);
}

void tree_v1(const char *directory)
{
	static const struct {
		const char *tree, *file, *text;
	} files[] = {
		{"memory", "memory.usage_in_bytes", "104857600\n"},
		{"memory", "memory.limit_in_bytes", "134217728\n"},
		{"memory", "memory.stat", stat_v1},
		{"memory", "memory.memsw.usage_in_bytes", "105906176\n"},
		{"memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"},
		{"cpu,cpuacct", "cpuacct.usage", "2500000999\n"},
		{"cpu,cpuacct", "cpu.stat", "nr_periods 50\nnr_throttled 20\nthrottled_time 750000000\n"},
		{"cpu,cpuacct", "cpu.cfs_quota_us", "50000\n"},
		{"cpu,cpuacct", "cpu.cfs_period_us", "100000\n"},
		{"cpuset", "cpuset.cpus", "0-1\n"},
		{"pids", "pids.current", "7\n"},
		{"pids", "pids.max", "100\n"},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		WD_AUTO_FREE char *path = wd_format("%s/%s", files[i].tree, directory);
		tree_file(path, files[i].file, files[i].text);
	}
}

void tree_v2(const char *directory)
{
	static const char *const files[][2] = {
		{"memory.current", "104857600\n"},
		{"memory.max", "134217728\n"},
		{"memory.stat", stat_v2},
		{"memory.swap.current", "1048576\n"},
		{"memory.events", "low 0\nhigh 0\nmax 88\noom 3\noom_kill 3\noom_group_kill 0\n"},
		{"cpu.stat",
		 "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 50\nnr_throttled 20\n"
		 "throttled_usec 750000\n"},
		{"cpu.max", "50000 100000\n"},
		{"cpuset.cpus", "\n"},
		{"cpuset.cpus.effective", "0-1\n"},
		{"pids.current", "7\n"},
		{"pids.max", "100\n"},
		{"memory.pressure", "some avg10=12.34 avg60=5.00 avg300=1.00 total=123456\n"
				    "full avg10=2.00 avg60=0.00 avg300=0.00 total=1\n"},
		{"cpu.pressure", "some avg10=50.00 avg60=5.00 avg300=1.00 total=123456\n"},
		{"io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		tree_file(directory, files[i][0], files[i][1]);
}

void tree_process(int pid, const char *text)
{
	WD_AUTO_FREE char *path = wd_format("proc/%d/cgroup", pid);
	write_file(path, text);
}

struct wd_meter *tree_meter(void)
{
	struct wd_meter_roots roots = {.proc = "proc", .cgroup = "sys"};
	struct wd_error error = {0};
	struct wd_meter *meter = wd_meter_new(&roots, &error);
	if (!meter)
		print_error("%s\n", error.text);
	assert_non_null(meter);
	return meter;
}

unsigned open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;
	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}
