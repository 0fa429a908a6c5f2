/* The sampler on a loop, over trees of files: who is looked at, and when nobody is. */
#include "../../watchdog/face/sampler.h"

#include <stdio.h>
#include <string.h>
#include <support/cgroups.h>
#include <support/files.h>
#include <support/trees.h>
#include <support/unit.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define MIB ((uint64_t)1048576)
#define INTERVAL (2 * WD_MILLISECOND)

static struct wd_loop *loop;
static struct wd_timer *end_of_run;
static struct wd_sampler *sampler;
static unsigned turns;

static void stop(void *data)
{
	wd_loop_stop(data);
}

static void count_turn(void *data)
{
	(void)data;
	turns++;
}

static void run_for(wd_time span)
{
	wd_timer_set(end_of_run, wd_time_now() + span);
	wd_loop_run(loop);
}

static struct wd_gauge_wish wished;
static struct wd_sample told;
static double told_cpus;
static unsigned looks;

static void on_wish(void *data, const char *id, wd_time now, struct wd_gauge_wish *ret_wish)
{
	(void)data, (void)now;
	assert_int_equal(strlen(id), 64);
	*ret_wish = wished;
}

static void on_sample(void *data, const char *id, const struct wd_sample *sample, double cpus)
{
	(void)data;
	assert_int_equal(strlen(id), 64);
	told = *sample;
	looks++;
	told_cpus = cpus;
}

static const struct wd_sampler_hooks hooks = {.on_wish = on_wish, .on_sample = on_sample};

static int begin(void **state)
{
	struct wd_meter_roots roots = {.proc = "proc", .cgroup = "sys"};
	enter_directory(state);
	tree_host();
	tree_v1("docker/" TREE_ID);
	turns = 0;
	wished = (struct wd_gauge_wish){.exact_from_bytes = WD_UNLIMITED, .call.memory_bytes = WD_UNLIMITED};
	told = (struct wd_sample){0};
	loop = wd_loop_new(NULL);
	end_of_run = wd_timer_new(loop, stop, loop);
	wd_loop_each_turn(loop, count_turn, NULL);
	sampler = wd_sampler_new(loop, INTERVAL, &roots, &hooks);
	return 0;
}

static int end(void **state)
{
	sampler = wd_sampler_free(sampler);
	wd_timer_free(end_of_run);
	loop = wd_loop_free(loop);
	return leave_directory(state);
}

static void see(const char *id, int pid)
{
	char own[65], name[] = "web";
	strcpy(own, id);
	struct wd_container container = {.id = own, .name = name, .pid = pid, .state = WD_STATE_RUNNING};
	wd_sampler_see(sampler, &container);
}

static bool is_sampled(void)
{
	struct wd_sample sample;
	double cpus;
	return wd_sampler_ask(sampler, TREE_ID, &sample, &cpus);
}

/* Two passes make a share of the CPU. */
static void await_sample(void)
{
	struct wd_sample sample;
	double cpus = -1;
	for (int tries = 0; tries < 200 && !(cpus >= 0); tries++) {
		run_for(20 * WD_MILLISECOND);
		wd_sampler_ask(sampler, TREE_ID, &sample, &cpus);
	}
	assert_true(cpus >= 0);
}

static void a_running_container_is_looked_at(void **state)
{
	struct wd_sample sample;
	double cpus;
	(void)state;
	see(TREE_ID, 42);
	await_sample();
	tree_file("cpu,cpuacct/docker/" TREE_ID, "cpuacct.usage", "2600000000\n"); /* 0.1 s more */
	assert_true(wd_sampler_ask(sampler, TREE_ID, &sample, &cpus));
	assert_int_equal(sample.working_set_bytes, 60 * MIB);
	assert_int_equal(sample.memory_limit_bytes, 128 * MIB);
	assert_int_equal(sample.pids, 7);
	assert_true(sample.cpus_allowed == 0.5);
	assert_true(cpus > 0.1); /* within some milliseconds */
	assert_false(wd_sampler_ask(sampler, TREE_OTHER_ID, &sample, &cpus));
}

/* What nobody wished for is not read: two files, and no memory.stat. */
static void each_look_is_told_as_it_was_wished(void **state)
{
	(void)state;
	see(TREE_ID, 42);
	for (int tries = 0; tries < 100 && !told.at; tries++)
		run_for(20 * WD_MILLISECOND);
	assert_int_equal(told.has, WD_HAS_MEMORY | WD_HAS_CPU);
	assert_int_equal(told.memory_limit_bytes, 128 * MIB);
	wished = (struct wd_gauge_wish){.exact_from_bytes = 0, .pids = true};
	told.at = 0;
	for (int tries = 0; tries < 100 && !told.at; tries++)
		run_for(20 * WD_MILLISECOND);
	assert_int_equal(told.has, WD_HAS_MEMORY | WD_HAS_CPU | WD_HAS_WORKING_SET | WD_HAS_PIDS);
	assert_int_equal(told.working_set_bytes, 60 * MIB);
	assert_int_equal(told.pids, 7);
	for (int tries = 0; tries < 100 && told_cpus < 0; tries++)
		run_for(WD_SECOND);
	assert_true(told_cpus >= 0);
}

/* Whoever asks early is told what is known: no share of the CPU. */
static void asked_before_the_first_pass(void **state)
{
	struct wd_sample sample;
	double cpus = 0;
	(void)state;
	see(TREE_ID, 42);
	assert_true(wd_sampler_ask(sampler, TREE_ID, &sample, &cpus));
	assert_int_equal(sample.working_set_bytes, 60 * MIB);
	assert_true(cpus == -1);
}

/* Until nothing but the end of the run wakes the loop; a loaded machine takes its time, and one quiet moment may be that
 * it had none for us. */
static void assert_falls_asleep(void)
{
	unsigned quiet = 0;
	for (int tries = 0; tries < 200; tries++) {
		turns = 0;
		run_for(50 * WD_MILLISECOND);
		quiet = turns <= 3 ? quiet + 1 : 0;
		if (quiet == 5)
			return;
	}
	fail_msg("it never sleeps");
}

static void nobody_runs_and_nothing_wakes(void **state)
{
	(void)state;
	assert_falls_asleep();
	see(TREE_ID, 42);
	turns = 0;
	for (int tries = 0; tries < 100 && turns <= 5; tries++)
		run_for(50 * WD_MILLISECOND);
	assert_true(turns > 5);
	wd_sampler_forget(sampler, TREE_ID);
	assert_falls_asleep();
	assert_false(is_sampled());
}

static void what_has_ended_is_closed(void **state)
{
	(void)state;
	unsigned before = open_descriptors();
	see(TREE_ID, 42);
	await_sample();
	assert_true(open_descriptors() > before);
	see(TREE_ID, 0); /* an inspect says: it does not run */
	assert_int_equal(open_descriptors(), before);
	assert_false(is_sampled());
}

/* Another run is another cgroup of the same name: what was kept open of the first one is not read any more. */
static void a_restart_is_another_cgroup(void **state)
{
	struct wd_sample sample;
	double cpus;
	(void)state;
	see(TREE_ID, 42);
	await_sample();
	unsigned opened = open_descriptors();
	assert_int_equal(rename("sys/memory/docker/" TREE_ID, "gone"), 0);
	tree_v1("docker/" TREE_ID);
	tree_file("memory/docker/" TREE_ID, "memory.usage_in_bytes", "41943041\n");
	see(TREE_ID, 43);
	assert_true(wd_sampler_ask(sampler, TREE_ID, &sample, &cpus));
	assert_int_equal(sample.usage_bytes, 40 * MIB + 1);
	assert_true(cpus == -1);
	assert_int_equal(open_descriptors(), opened);
}

/* The same run, seen again: what it had is kept, but its limits may have been changed. */
static void an_update_makes_the_limits_new(void **state)
{
	struct wd_sample sample;
	double cpus;
	(void)state;
	see(TREE_ID, 42);
	await_sample();
	tree_file("memory/docker/" TREE_ID, "memory.limit_in_bytes", "268435456\n");
	see(TREE_ID, 42);
	assert_true(wd_sampler_ask(sampler, TREE_ID, &sample, &cpus));
	assert_int_equal(sample.memory_limit_bytes, 256 * MIB);
	assert_true(cpus >= 0);
}

/* Of an Engine on another machine: it is looked for a few times, then nothing wakes for it. */
static void looking_for_what_is_not_here_ends(void **state)
{
	(void)state;
	see(TREE_OTHER_ID, 42);
	unsigned before = open_descriptors();
	run_for(150 * WD_MILLISECOND); /* longer than the first pass is waited for */
	assert_falls_asleep();
	assert_int_equal(open_descriptors(), before);
	see(TREE_OTHER_ID, 42);
	turns = 0;
	run_for(150 * WD_MILLISECOND);
	assert_in_range(turns, 1, 3);
	tree_v1("docker/" TREE_OTHER_ID);
	see(TREE_OTHER_ID, 43); /* started anew, and here */
	run_for(120 * WD_MILLISECOND);
	struct wd_sample sample;
	double cpus;
	assert_true(wd_sampler_ask(sampler, TREE_OTHER_ID, &sample, &cpus));
}

static void without_any_tree_nothing_is_sampled(void **state)
{
	struct wd_meter_roots nowhere = {.proc = "proc", .cgroup = "nowhere"};
	(void)state;
	wd_sampler_free(sampler);
	sampler = wd_sampler_new(loop, INTERVAL, &nowhere, &hooks);
	see(TREE_ID, 42);
	run_for(20 * WD_MILLISECOND);
	assert_false(is_sampled());
}

/* --- the kernel's call ------------------------------------------------------------------------------------------------- */

static int begin_with_kernel(void **state)
{
	begin_cgroups(state);
	wished = (struct wd_gauge_wish){.exact_from_bytes = WD_UNLIMITED,
					.call = {.memory_bytes = WD_UNLIMITED, .oom = true}};
	told = (struct wd_sample){0};
	looks = 0;
	loop = wd_loop_new(NULL);
	end_of_run = wd_timer_new(loop, stop, loop);
	sampler = wd_sampler_new(loop, WD_HOUR, NULL, &hooks);
	return 0;
}

static int end_with_kernel(void **state)
{
	sampler = wd_sampler_free(sampler);
	wd_timer_free(end_of_run);
	loop = wd_loop_free(loop);
	return end_cgroups(state);
}

/* It waits for a file "go", then it lets a child be killed for want of memory, once or for ever. */
static pid_t run_out_of_memory(const char *how, int *ret_ready)
{
	need_cgroups();
	limit_memory(TREE_ID, "16777216");
	WD_AUTO_FREE char *script = wd_format("echo ready; while [ ! -e go ]; do busybox usleep 10000; done; %s; "
					      "while :; do busybox sleep 1; done",
					      how);
	pid_t pid = run_inside(TREE_ID, script, ret_ready);
	await_ready(*ret_ready);
	see(TREE_ID, pid);
	for (int tries = 0; tries < 300 && looks == 0; tries++)
		run_for(100 * WD_MILLISECOND);
	assert_int_equal(looks, 1);
	return pid;
}

/* The next pass is an hour away. */
static void a_kill_is_known_before_the_next_pass(void **state)
{
	int ready;
	(void)state;
	pid_t pid = run_out_of_memory("busybox tail /dev/zero >/dev/null 2>&1", &ready);
	write_file("go", "");
	for (int tries = 0; tries < 300 && told.oom_kills == 0; tries++)
		run_for(100 * WD_MILLISECOND);
	assert_int_equal(told.oom_kills, 1);
	end_inside(pid, ready);
}

/* However often the kernel calls: three times two looks, then nobody listens. */
static void one_that_thrashes_costs_no_more(void **state)
{
	int ready;
	(void)state;
	pid_t pid = run_out_of_memory("while :; do busybox tail /dev/zero >/dev/null 2>&1; done", &ready);
	write_file("go", "");
	for (int tries = 0; tries < 300 && looks < 6; tries++)
		run_for(100 * WD_MILLISECOND);
	run_for(500 * WD_MILLISECOND);
	assert_in_range(looks, 5, 1 + 2 * 3);
	end_inside(pid, ready);
}

/* v1 calls then; nothing stays open. */
static void the_end_is_known_before_the_next_pass(void **state)
{
	int ready;
	(void)state;
	if (cgroups_on_v2())
		skip();
	unsigned before = open_descriptors();
	pid_t pid = run_out_of_memory(":", &ready);
	end_inside(pid, ready);
	remove_cgroup(TREE_ID);
	for (int tries = 0; tries < 300 && open_descriptors() > before; tries++)
		run_for(100 * WD_MILLISECOND);
	assert_int_equal(open_descriptors(), before);
}

#define WITH_KERNEL(test) cmocka_unit_test_setup_teardown(test, begin_with_kernel, end_with_kernel)
#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(each_look_is_told_as_it_was_wished),
		ON_LOOP(a_running_container_is_looked_at),
		ON_LOOP(asked_before_the_first_pass),
		ON_LOOP(nobody_runs_and_nothing_wakes),
		ON_LOOP(what_has_ended_is_closed),
		ON_LOOP(a_restart_is_another_cgroup),
		ON_LOOP(an_update_makes_the_limits_new),
		ON_LOOP(looking_for_what_is_not_here_ends),
		ON_LOOP(without_any_tree_nothing_is_sampled),
		WITH_KERNEL(a_kill_is_known_before_the_next_pass),
		WITH_KERNEL(one_that_thrashes_costs_no_more),
		WITH_KERNEL(the_end_is_known_before_the_next_pass),
	};
	return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
