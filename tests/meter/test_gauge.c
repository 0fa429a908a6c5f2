/* Layouts that machines have, as trees of files: where a container's cgroup is, and what a look says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/files.h>
#include <support/trees.h>
#include <support/unit.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define MIB ((uint64_t)1048576)

static const struct wd_gauge_wish everything = {
	.pids = true, .pressure = true, .throttle = true, .swap = true, .oom = true, .limits = true};

static int begin(void **state)
{
	enter_directory(state);
	tree_host();
	return 0;
}

static struct wd_sample look(struct wd_gauge *gauge, const struct wd_gauge_wish *wish)
{
	struct wd_sample sample;
	assert_non_null(gauge);
	assert_true(wd_gauge_read(gauge, wish, 5 * WD_SECOND, &sample));
	assert_int_equal(sample.at, 5 * WD_SECOND);
	return sample;
}

/* Opens, takes one look at everything, closes. */
static struct wd_sample look_once(int pid)
{
	struct wd_meter *meter = tree_meter();
	struct wd_error error = {0};
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, pid, &error);
	if (!gauge)
		print_error("%s\n", error.text);
	struct wd_sample sample = look(gauge, &everything);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
	return sample;
}

static void assert_nowhere(const char *id, int pid, enum wd_error_kind kind)
{
	struct wd_meter *meter = tree_meter();
	struct wd_error error = {0};
	unsigned before = open_descriptors();
	assert_null(wd_gauge_open(meter, id, pid, &error));
	assert_int_equal(error.kind, kind);
	assert_int_equal(open_descriptors(), before);
	wd_meter_free(meter);
}

/* What trees.h says is in both kinds of trees. */
static void assert_whole(const struct wd_sample *sample)
{
	assert_int_equal(sample->usage_bytes, 100 * MIB);
	assert_int_equal(sample->working_set_bytes, 60 * MIB);
	assert_int_equal(sample->firm_bytes, 50 * MIB);
	assert_int_equal(sample->memory_limit_bytes, 128 * MIB);
	assert_int_equal(sample->swap_bytes, 1 * MIB);
	assert_int_equal(sample->cpu_usec, 2500000);
	assert_int_equal(sample->throttled_usec, 750000);
	assert_true(sample->cpus_allowed == 0.5);
	assert_true(sample->cpus_there >= 1);
	assert_int_equal(sample->pids, 7);
	assert_int_equal(sample->pids_limit, 100);
	assert_int_equal(sample->oom_kills, 3);
}

static const unsigned all_but_pressure =
	WD_HAS_MEMORY | WD_HAS_WORKING_SET | WD_HAS_CPU | WD_HAS_PIDS | WD_HAS_OOM | WD_HAS_SWAP | WD_HAS_THROTTLE;

/* --- layouts ----------------------------------------------------------------------------------------------------------- */

static void v1_cgroupfs(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_ID);
	tree_process(42, "8:pids:/docker/" TREE_ID "\n4:memory:/docker/" TREE_ID "\n3:cpuset:/docker/" TREE_ID
			 "\n2:cpu,cpuacct:/docker/" TREE_ID "\n1:name=systemd:/docker/" TREE_ID "\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
	assert_int_equal(sample.has, all_but_pressure);
}

static void v2_systemd(void **state)
{
	(void)state;
	tree_file("", "cgroup.controllers", "cpuset cpu io memory pids\n");
	tree_v2("system.slice/docker-" TREE_ID ".scope");
	tree_process(42, "0::/system.slice/docker-" TREE_ID ".scope\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
	assert_int_equal(sample.has, all_but_pressure | WD_HAS_PRESSURE);
	assert_float_equal(sample.pressure.memory, 0.1234, 1e-9);
	assert_float_equal(sample.pressure.cpu, 0.5, 1e-9);
	assert_float_equal(sample.pressure.io, 0, 1e-9);
}

/* v1 counts, v2 stands beside it with pressure alone. */
static void hybrid(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_ID);
	tree_file("unified", "cgroup.controllers", "hugetlb\n");
	tree_file("unified/docker/" TREE_ID, "memory.pressure", "some avg10=12.34 avg60=0.00 avg300=0.00 total=1\n");
	tree_file("unified/docker/" TREE_ID, "cpu.stat", "usage_usec 999\n");
	tree_process(42, "4:memory:/docker/" TREE_ID "\n2:cpu,cpuacct:/docker/" TREE_ID "\n3:cpuset:/docker/" TREE_ID
			 "\n5:pids:/docker/" TREE_ID "\n0::/docker/" TREE_ID "\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
	assert_int_equal(sample.has, all_but_pressure | WD_HAS_PRESSURE);
	assert_float_equal(sample.pressure.memory, 0.1234, 1e-9);
}

/* cgroup_no_v1=memory: that controller is in the unified tree, the others are not. */
static void hybrid_with_memory_on_v2(void **state)
{
	(void)state;
	tree_v2("unified/docker/" TREE_ID);
	tree_file("unified", "cgroup.controllers", "memory\n");
	tree_file("cpuacct/docker/" TREE_ID, "cpuacct.usage", "4000000000\n");
	tree_file("pids/docker/" TREE_ID, "pids.current", "9\n");
	tree_process(42, "2:cpuacct:/docker/" TREE_ID "\n3:pids:/docker/" TREE_ID "\n0::/docker/" TREE_ID "\n");
	struct wd_sample sample = look_once(42);
	assert_int_equal(sample.working_set_bytes, 60 * MIB);
	assert_int_equal(sample.cpu_usec, 4000000);
	assert_int_equal(sample.pids, 9);
}

static void podman_counts_where_the_limit_is(void **state)
{
	(void)state;
	tree_file("", "cgroup.controllers", "cpu memory pids\n");
	tree_v2("machine.slice/libpod-" TREE_ID ".scope");
	tree_file("machine.slice/libpod-" TREE_ID ".scope/container", "memory.current", "1\n");
	tree_process(42, "0::/machine.slice/libpod-" TREE_ID ".scope/container\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
}

static void rootless_below_the_slice_of_a_user(void **state)
{
	(void)state;
	tree_file("", "cgroup.controllers", "memory pids\n");
	tree_v2("user.slice/user-1000.slice/user@1000.service/user.slice/docker-" TREE_ID ".scope");
	tree_process(42, "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" TREE_ID ".scope\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
}

static void an_engine_in_a_container(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_OTHER_ID "/docker/" TREE_ID);
	tree_process(42, "4:memory:/docker/" TREE_OTHER_ID "/docker/" TREE_ID "/init.scope\n"
			 "2:cpu,cpuacct:/docker/" TREE_OTHER_ID "/docker/" TREE_ID "\n"
			 "3:cpuset:/docker/" TREE_OTHER_ID "/docker/" TREE_ID "\n"
			 "5:pids:/docker/" TREE_OTHER_ID "/docker/" TREE_ID "\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
}

/* --- without the kernel's word ----------------------------------------------------------------------------------------- */

static void usual_places(void **state)
{
	WD_AUTO_FREE char *own =
		wd_format("user.slice/user-%u.slice/user@%u.service/user.slice/docker-" TREE_ID ".scope",
			  (unsigned)getuid(), (unsigned)getuid());
	const char *const places[] = {"docker/" TREE_ID, "system.slice/docker-" TREE_ID ".scope",
				      "machine.slice/libpod-" TREE_ID ".scope", "libpod_parent/libpod-" TREE_ID, own};
	(void)state;
	tree_file("", "cgroup.controllers", "memory\n");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		WD_AUTO_FREE char *whole = wd_format("sys/%s", places[i]);
		WD_AUTO_FREE char *away = wd_format("away-%zu", i);
		tree_v2(places[i]);
		struct wd_sample sample = look_once(0);
		assert_whole(&sample);
		assert_int_equal(rename(whole, away), 0);
	}
	assert_nowhere(TREE_ID, 0, WD_ERROR_NOT_FOUND);
}

/* A cgroup namespace of our own: paths of others climb out of it. */
static void a_private_cgroup_namespace(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_ID);
	tree_process(42, "4:memory:/../" TREE_ID "\n2:cpu,cpuacct:/../" TREE_ID "\n");
	struct wd_sample sample = look_once(42);
	assert_whole(&sample);
}

/* A parent of one's own is searched for once; the next container beside it is found by habit. */
static void a_parent_of_ones_own_is_learnt(void **state)
{
	struct wd_error error = {0};
	(void)state;
	tree_v1("tenants/blue/web-" TREE_ID ".scope");
	struct wd_meter *meter = tree_meter();
	for (int i = 0; i < 2; i++)
		assert_null(wd_gauge_open(meter, TREE_OTHER_ID, 0, &error));
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	struct wd_sample sample = look(gauge, &everything);
	assert_whole(&sample);
	wd_gauge_close(gauge);
	for (int i = 0; i < 5; i++)
		assert_null(wd_gauge_open(meter, "00000000000000000000000000000000000000000000000000000000000000ab", 0,
					  &error));
	tree_v1("tenants/blue/web-" TREE_OTHER_ID ".scope");
	gauge = wd_gauge_open(meter, TREE_OTHER_ID, 0, &error);
	sample = look(gauge, &everything);
	assert_whole(&sample);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

/* The pid was given to somebody else: its path does not bear the id. */
static void a_pid_used_again_is_not_believed(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_OTHER_ID);
	tree_process(42, "4:memory:/docker/" TREE_OTHER_ID "\n2:cpu,cpuacct:/docker/" TREE_OTHER_ID "\n");
	assert_nowhere(TREE_ID, 42, WD_ERROR_NOT_FOUND);
}

static void what_is_no_id_is_nowhere(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_ID);
	assert_nowhere("", 0, WD_ERROR_NOT_FOUND);
	assert_nowhere("0a1b2c3d", 0, WD_ERROR_NOT_FOUND);
	assert_nowhere("../../../../../../../../../../../../../../../../../../../../etc/pw", 0, WD_ERROR_NOT_FOUND);
}

/* An Engine on another machine: nothing is found, and searching ends. */
static void searching_in_vain_ends(void **state)
{
	struct wd_error error = {0};
	(void)state;
	tree_v1("docker/" TREE_OTHER_ID);
	struct wd_meter *meter = tree_meter();
	for (int i = 0; i < 4; i++)
		assert_null(wd_gauge_open(meter, TREE_ID, 0, &error));
	tree_v1("tenants/" TREE_ID);
	assert_null(wd_gauge_open(meter, TREE_ID, 0, &error));
	tree_process(42, "4:memory:/tenants/" TREE_ID "\n");
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 42, &error);
	assert_non_null(gauge);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

static void no_tree_at_all(void **state)
{
	struct wd_meter_roots roots = {.proc = "proc", .cgroup = "sys"}, away = {.proc = "proc", .cgroup = "nowhere"};
	struct wd_error error = {0};
	(void)state;
	unsigned before = open_descriptors();
	assert_null(wd_meter_new(&roots, &error));
	assert_string_equal(error.text, "sys: no cgroup tree is mounted there");
	assert_null(wd_meter_new(&away, &error));
	assert_int_equal(error.kind, WD_ERROR_NOT_FOUND);
	assert_int_equal(open_descriptors(), before);
}

/* --- looks ------------------------------------------------------------------------------------------------------------- */

static void memory_stat_is_read_only_where_it_matters(void **state)
{
	struct wd_gauge_wish wish = {.exact_from_bytes = WD_UNLIMITED};
	struct wd_error error = {0};
	(void)state;
	tree_v1("docker/" TREE_ID);
	struct wd_meter *meter = tree_meter();
	unsigned before = open_descriptors();
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	struct wd_sample sample = look(gauge, &wish);
	assert_int_equal(sample.has, WD_HAS_MEMORY | WD_HAS_CPU);
	assert_int_equal(sample.working_set_bytes, 100 * MIB);
	assert_int_equal(sample.firm_bytes, 100 * MIB);
	wish.exact_from_bytes = 100 * MIB + 1;
	sample = look(gauge, &wish);
	assert_int_equal(sample.has, WD_HAS_MEMORY | WD_HAS_CPU);
	assert_int_equal(open_descriptors(), before + 2);
	wish.exact_from_bytes = 100 * MIB;
	sample = look(gauge, &wish);
	assert_int_equal(sample.has, WD_HAS_MEMORY | WD_HAS_CPU | WD_HAS_WORKING_SET);
	assert_int_equal(sample.working_set_bytes, 60 * MIB);
	look(gauge, &wish);
	assert_int_equal(open_descriptors(), before + 3);
	wd_gauge_close(gauge);
	assert_int_equal(open_descriptors(), before);
	wd_meter_free(meter);
}

/* `docker update --memory` is seen where it is asked for. */
static void limits_are_read_anew_when_wished(void **state)
{
	struct wd_gauge_wish wish = {.exact_from_bytes = WD_UNLIMITED};
	struct wd_error error = {0};
	(void)state;
	tree_v1("docker/" TREE_ID);
	struct wd_meter *meter = tree_meter();
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	assert_int_equal(look(gauge, &wish).memory_limit_bytes, 128 * MIB);
	tree_file("memory/docker/" TREE_ID, "memory.limit_in_bytes", "268435456\n");
	assert_int_equal(look(gauge, &wish).memory_limit_bytes, 128 * MIB);
	wish.limits = true;
	assert_int_equal(look(gauge, &wish).memory_limit_bytes, 256 * MIB);
	tree_file("memory/docker/" TREE_ID, "memory.limit_in_bytes", "134217728\n");
	tree_file("pids/docker/" TREE_ID, "pids.max", "77\n");
	wish.limits = false;
	wish.memory_limit = true;
	uint64_t pids = look(gauge, &wish).pids_limit;
	assert_int_not_equal(pids, 77);
	assert_int_equal(look(gauge, &wish).memory_limit_bytes, 128 * MIB);
	wish.limits = true;
	assert_int_equal(look(gauge, &wish).pids_limit, 77);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

static void without_limits_the_host_is_the_limit(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_ID);
	tree_file("memory/docker/" TREE_ID, "memory.limit_in_bytes", "9223372036854771712\n");
	tree_file("cpu,cpuacct/docker/" TREE_ID, "cpu.cfs_quota_us", "-1\n");
	tree_file("cpuset/docker/" TREE_ID, "cpuset.cpus", "\n");
	tree_file("pids/docker/" TREE_ID, "pids.max", "max\n");
	struct wd_sample sample = look_once(0);
	assert_int_equal(sample.memory_limit_bytes, 8192 * MIB);
	assert_true(sample.cpus_allowed == 4);
	assert_true(sample.pids_limit == WD_UNLIMITED);
	tree_file("cpuset/docker/" TREE_ID, "cpuset.cpus", "1,3\n");
	sample = look_once(0);
	assert_true(sample.cpus_allowed == 2);
}

/* systemd's ProcSubset=pid: what /proc does not say, the kernel says of itself. */
static void a_sandbox_hides_the_host(void **state)
{
	(void)state;
	assert_int_equal(remove("proc/stat"), 0);
	assert_int_equal(remove("proc/meminfo"), 0);
	tree_file("", "cgroup.controllers", "cpu\n");
	tree_file("docker/" TREE_ID, "cpu.stat", "usage_usec 77\n");
	struct wd_sample sample = look_once(0);
	assert_int_equal(sample.memory_limit_bytes / MIB,
			 (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / MIB);
	assert_true(sample.cpus_allowed == (double)sysconf(_SC_NPROCESSORS_ONLN));
}

static void a_limit_above_the_host_is_none(void **state)
{
	(void)state;
	tree_file("", "cgroup.controllers", "memory\n");
	tree_v2("docker/" TREE_ID);
	tree_file("docker/" TREE_ID, "memory.max", "1099511627776\n");
	tree_file("docker/" TREE_ID, "cpu.max", "max 100000\n");
	struct wd_sample sample = look_once(0);
	assert_int_equal(sample.memory_limit_bytes, 8192 * MIB);
	assert_true(sample.cpus_allowed == 2);
}

/* Rootless without delegation: CPU time is always there on v2, memory and pids are not. */
static void missing_controllers_are_missing_alone(void **state)
{
	(void)state;
	tree_file("", "cgroup.controllers", "cpuset cpu io memory pids\n");
	tree_file("docker/" TREE_ID, "cpu.stat", "usage_usec 77\nuser_usec 70\nsystem_usec 7\n");
	struct wd_sample sample = look_once(0);
	assert_int_equal(sample.has, WD_HAS_CPU);
	assert_int_equal(sample.cpu_usec, 77);
	assert_int_equal(sample.memory_limit_bytes, 8192 * MIB);
	assert_true(sample.cpus_allowed == 4);
	assert_true(sample.pids_limit == WD_UNLIMITED);
}

static void a_cgroup_without_any_file_is_told(void **state)
{
	(void)state;
	tree_file("", "cgroup.controllers", "memory\n");
	tree_file("docker/" TREE_ID, "cgroup.procs", "");
	assert_nowhere(TREE_ID, 0, WD_ERROR_NOT_FOUND);
}

static void files_without_permission_are_told(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip(); /* nothing is forbidden to root */
	tree_v1("docker/" TREE_ID);
	chmod("sys/memory/docker/" TREE_ID "/memory.usage_in_bytes", 0);
	chmod("sys/cpu,cpuacct/docker/" TREE_ID "/cpuacct.usage", 0);
	assert_nowhere(TREE_ID, 0, WD_ERROR_FAILED);
}

/* What is empty, cut, rubbish or huge is not there; the rest is. */
static void rubbish_is_not_there(void **state)
{
	static char huge[64 * 1024 + 1];
	const char *const bad[] = {"", "\n", "rubbish\n", "-5\n", "123456789012345678901234567890\n", "12.5\n", huge};
	(void)state;
	memset(huge, '7', sizeof(huge) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tree_v1("docker/" TREE_ID);
		tree_file("memory/docker/" TREE_ID, "memory.usage_in_bytes", bad[i]);
		struct wd_sample sample = look_once(0);
		assert_int_equal(sample.has, WD_HAS_CPU | WD_HAS_PIDS | WD_HAS_OOM | WD_HAS_THROTTLE);
		tree_v1("docker/" TREE_ID);
		tree_file("memory/docker/" TREE_ID, "memory.stat", bad[i]);
		tree_file("memory/docker/" TREE_ID, "memory.limit_in_bytes", bad[i]);
		tree_file("pids/docker/" TREE_ID, "pids.current", bad[i]);
		tree_file("cpuset/docker/" TREE_ID, "cpuset.cpus", bad[i]);
		sample = look_once(0);
		assert_int_equal(sample.has, WD_HAS_MEMORY | WD_HAS_CPU | WD_HAS_OOM | WD_HAS_SWAP | WD_HAS_THROTTLE);
		assert_int_equal(sample.working_set_bytes, 100 * MIB);
		assert_int_equal(sample.memory_limit_bytes, 8192 * MIB);
		assert_true(sample.cpus_allowed == 0.5);
	}
}

/* The kernel's files are of different moments: then the cache is left in, as the docker client does. */
static void more_cache_than_usage_is_not_taken_off(void **state)
{
	(void)state;
	tree_v1("docker/" TREE_ID);
	tree_file("memory/docker/" TREE_ID, "memory.usage_in_bytes", "41943040\n");
	struct wd_sample sample = look_once(0);
	assert_int_equal(sample.working_set_bytes, 40 * MIB);
	assert_int_equal(sample.swap_bytes, 105906176 - 40 * MIB);
}

/* Written into while it is open: pread() sees what is there now. */
static void each_look_is_fresh(void **state)
{
	struct wd_gauge_wish wish = {.exact_from_bytes = WD_UNLIMITED};
	struct wd_error error = {0};
	(void)state;
	tree_v1("docker/" TREE_ID);
	struct wd_meter *meter = tree_meter();
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	struct wd_sample first = look(gauge, &wish);
	tree_file("cpu,cpuacct/docker/" TREE_ID, "cpuacct.usage", "4000000000\n");
	tree_file("memory/docker/" TREE_ID, "memory.usage_in_bytes", "5\n");
	struct wd_sample second = look(gauge, &wish);
	assert_int_equal(second.cpu_usec - first.cpu_usec, 1500000);
	assert_int_equal(second.usage_bytes, 5);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

static void cpus_between_two_looks(void **state)
{
	struct wd_sample first = {.at = 10 * WD_SECOND, .has = WD_HAS_CPU, .cpu_usec = 1000000};
	struct wd_sample second = {.at = 12 * WD_SECOND, .has = WD_HAS_CPU, .cpu_usec = 4000000};
	(void)state;
	assert_true(wd_sample_cpus(&first, &second) == 1.5);
	assert_true(wd_sample_cpus(&first, &first) == -1);  /* no time */
	assert_true(wd_sample_cpus(&second, &first) == -1); /* time went back */
	second.cpu_usec = 999999;
	assert_true(wd_sample_cpus(&first, &second) == -1); /* the counter did */
	second.cpu_usec = 1000000;
	assert_true(wd_sample_cpus(&first, &second) == 0);
	second.has = 0;
	assert_true(wd_sample_cpus(&first, &second) == -1);
}

/* None left: told as what it is, not as a container that is not here; and it is opened when there are some again. */
static void out_of_descriptors(void **state)
{
	struct rlimit before, none;
	struct wd_gauge_wish wish = {.exact_from_bytes = 0};
	struct wd_error error = {0};
	struct wd_sample sample;
	(void)state;
	tree_v1("docker/" TREE_ID);
	struct wd_meter *meter = tree_meter();
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){0, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	bool read = wd_gauge_read(gauge, &wish, WD_SECOND, &sample);
	struct wd_gauge *second = wd_gauge_open(meter, TREE_ID, 0, &error);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(read);
	assert_int_equal(sample.has, WD_HAS_MEMORY | WD_HAS_CPU);
	assert_null(second);
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	assert_int_equal(look(gauge, &wish).working_set_bytes, 60 * MIB);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, begin, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(v1_cgroupfs),
		IN_TREE(v2_systemd),
		IN_TREE(hybrid),
		IN_TREE(hybrid_with_memory_on_v2),
		IN_TREE(podman_counts_where_the_limit_is),
		IN_TREE(rootless_below_the_slice_of_a_user),
		IN_TREE(an_engine_in_a_container),
		IN_TREE(usual_places),
		IN_TREE(a_private_cgroup_namespace),
		IN_TREE(a_parent_of_ones_own_is_learnt),
		IN_TREE(a_pid_used_again_is_not_believed),
		IN_TREE(what_is_no_id_is_nowhere),
		IN_TREE(searching_in_vain_ends),
		IN_TREE(no_tree_at_all),
		IN_TREE(memory_stat_is_read_only_where_it_matters),
		IN_TREE(limits_are_read_anew_when_wished),
		IN_TREE(without_limits_the_host_is_the_limit),
		IN_TREE(a_sandbox_hides_the_host),
		IN_TREE(a_limit_above_the_host_is_none),
		IN_TREE(missing_controllers_are_missing_alone),
		IN_TREE(a_cgroup_without_any_file_is_told),
		IN_TREE(files_without_permission_are_told),
		IN_TREE(rubbish_is_not_there),
		IN_TREE(more_cache_than_usage_is_not_taken_off),
		IN_TREE(each_look_is_fresh),
		cmocka_unit_test(cpus_between_two_looks),
		IN_TREE(out_of_descriptors),
	};
	return cmocka_run_group_tests_name("gauge", tests, NULL, NULL);
}
