/* What must not hurt: cgroups that come and go under the reader's hands, counters that go back, what is frozen. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <support/cgroups.h>
#include <support/trees.h>
#include <support/unit.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define MIB ((uint64_t)1048576)
#define CROWD 16
#define THREADS 4              /* each has its own part of the crowd */
#define LONG (120 * WD_SECOND) /* what ends, ends before, however loaded the machine is */

static const struct wd_gauge_wish everything = {
	.pids = true, .pressure = true, .throttle = true, .swap = true, .oom = true, .limits = true};

/* --- a crowd that comes and goes --------------------------------------------------------------------------------------- */

struct crowd {
	atomic_bool stop;
	atomic_uint threads, ended;
};

static char *name_of(unsigned one)
{
	return wd_format("%.62s%02x", TREE_ID, one);
}

static void *come_and_go(void *data)
{
	struct crowd *crowd = data;
	unsigned first = atomic_fetch_add(&crowd->threads, 1) * CROWD / THREADS, turn = 0;
	while (!atomic_load(&crowd->stop)) {
		WD_AUTO_FREE char *name = name_of(first + turn++ % (CROWD / THREADS));
		make_cgroup(name);
		usleep(2000);
		remove_cgroup(name);
		atomic_fetch_add(&crowd->ended, 1);
	}
	return NULL;
}

/* Nobody is in them: whatever is told is next to nothing. */
static void assert_figures(const struct wd_sample *sample)
{
	assert_true(sample->usage_bytes < 16 * MIB && sample->working_set_bytes <= sample->usage_bytes);
	assert_true(sample->memory_limit_bytes > 0 && sample->cpus_allowed > 0 && sample->pids_limit > 0);
	assert_true(sample->cpu_usec < 1000000 && sample->pids == 0 && sample->oom_kills == 0);
	assert_true(sample->pressure.memory >= 0 && sample->pressure.memory <= 1);
}

/* One gauge and its alarm, from wherever in its life it is caught to its end. */
static bool follow(struct wd_meter *meter, unsigned one)
{
	const struct wd_alarm_wish call = {.memory_bytes = MIB, .oom = true};
	struct wd_error error = {0};
	struct wd_sample sample;
	WD_AUTO_FREE char *name = name_of(one);
	struct wd_gauge *gauge = wd_gauge_open(meter, name, 0, &error);
	if (!gauge)
		return false;
	struct wd_alarm *alarm = wd_alarm_new(gauge, &call, &error);
	for (unsigned looks = 0; looks < 1000 && wd_gauge_read(gauge, &everything, wd_time_now(), &sample); looks++) {
		assert_figures(&sample);
		usleep(200);
	}
	wd_alarm_free(alarm);
	wd_gauge_close(gauge);
	return true;
}

/* The path is the same for all, as in a cgroup tree of an Engine: what was searched for once is known by habit. */
static void a_crowd_that_comes_and_goes(void **state)
{
	struct crowd crowd = {0};
	pthread_t threads[THREADS];
	unsigned followed = 0;
	(void)state;
	need_cgroups();
	struct wd_meter *meter = kernels_meter();
	struct wd_gauge *first = wd_gauge_open(meter, TREE_ID, 0, NULL);
	assert_non_null(first);
	wd_gauge_close(first);
	unsigned before = open_descriptors();
	wd_time begun = wd_time_now();
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowd), 0);
	for (unsigned i = 0; wd_time_now() < begun + LONG && (followed < 30 || atomic_load(&crowd.ended) < 400); i++)
		followed += follow(meter, i % CROWD);
	double seconds = (double)(wd_time_now() - begun) / WD_SECOND;
	atomic_store(&crowd.stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	print_message("%u cgroups ended, %.0f a second; %u were read to their end\n", atomic_load(&crowd.ended),
		      atomic_load(&crowd.ended) / seconds, followed);
	assert_int_equal(open_descriptors(), before);
	assert_true(followed >= 30 && atomic_load(&crowd.ended) >= 400);
	wd_meter_free(meter);
}

/* --- counters that go back --------------------------------------------------------------------------------------------- */

static struct wd_sample look_at_file(struct wd_gauge *gauge, const char *cpu, const char *memory, wd_time now)
{
	struct wd_sample sample;
	tree_file("cpu,cpuacct/docker/" TREE_ID, "cpuacct.usage", cpu);
	tree_file("memory/docker/" TREE_ID, "memory.usage_in_bytes", memory);
	assert_true(wd_gauge_read(gauge, &everything, now, &sample));
	return sample;
}

/* No share of the CPU is said, neither below nothing nor as of the whole of 64 bits; the next two looks agree again. */
static void counters_that_go_back(void **state)
{
	struct wd_error error = {0};
	(void)state;
	tree_host();
	tree_v1("docker/" TREE_ID);
	struct wd_meter *meter = tree_meter();
	struct wd_gauge *gauge = wd_gauge_open(meter, TREE_ID, 0, &error);
	assert_non_null(gauge);
	struct wd_sample first = look_at_file(gauge, "5000000000\n", "104857600\n", 1 * WD_SECOND);
	struct wd_sample back = look_at_file(gauge, "1000000000\n", "4096\n", 2 * WD_SECOND);
	struct wd_sample on = look_at_file(gauge, "1500000000\n", "8192\n", 3 * WD_SECOND);
	assert_true(wd_sample_cpus(&first, &back) == -1);
	assert_int_equal(back.working_set_bytes, 4096); /* more cache than that is of another moment */
	assert_int_equal(back.swap_bytes, 105906176 - 4096);
	assert_true(wd_sample_cpus(&back, &on) == 0.5);
	assert_true(wd_sample_cpus(&on, &on) == -1);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

/* --- frozen ------------------------------------------------------------------------------------------------------------ */

static bool freeze(bool frozen)
{
	return set_in_cgroup(TREE_ID, "freezer/", "freezer.state", "cgroup.freeze",
			     cgroups_on_v2() ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED"));
}

static bool uses(struct wd_gauge *gauge, double least, double most)
{
	struct wd_sample before, after = {0};
	for (wd_time until = wd_time_now() + LONG; wd_time_now() < until;) {
		assert_true(wd_gauge_read(gauge, &everything, wd_time_now(), &before));
		usleep(200000);
		assert_true(wd_gauge_read(gauge, &everything, wd_time_now(), &after));
		double cpus = wd_sample_cpus(&before, &after);
		if (cpus >= least && cpus <= most)
			return true;
	}
	return false;
}

/* As `docker pause` does it: what it has it keeps, what it used it uses no more, and all of it can be read. */
static void a_frozen_one(void **state)
{
	struct wd_sample sample;
	int ready;
	(void)state;
	need_cgroups();
	pid_t pid = run_inside(TREE_ID, "echo ready; while :; do :; done", &ready);
	await_ready(ready);
	struct wd_meter *meter = kernels_meter();
	struct wd_gauge *gauge = open_gauge(meter, pid);
	assert_true(uses(gauge, 0.1, 1.5));
	assert_true(freeze(true));
	assert_true(uses(gauge, 0, 0.001));
	assert_true(wd_gauge_read(gauge, &everything, wd_time_now(), &sample));
	assert_true(sample.usage_bytes > 0 && sample.pids == 1);
	assert_true(freeze(false));
	assert_true(uses(gauge, 0.1, 1.5));
	end_inside(pid, ready);
	wd_gauge_close(gauge);
	wd_meter_free(meter);
}

#define WITH_KERNEL(test) cmocka_unit_test_setup_teardown(test, begin_cgroups, end_cgroups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(a_crowd_that_comes_and_goes),
		WITH_KERNEL(counters_that_go_back),
		WITH_KERNEL(a_frozen_one),
	};
	return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
