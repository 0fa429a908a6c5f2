/* What the kernel writes, and what it never would. */
#include "../../watchdog/meter/parse.h"

#include <string.h>
#include <support/unit.h>
#include <watchdog/meter.h>

static uint64_t number(const char *text)
{
	uint64_t value = 4711;
	return wd_parse_number(text, strlen(text), &value) ? value : 4711;
}

static void numbers(void **state)
{
	(void)state;
	assert_int_equal(number("0\n"), 0);
	assert_int_equal(number("104857600\n"), 104857600);
	assert_int_equal(number("12 34"), 12);
	assert_true(number("18446744073709551615") == UINT64_MAX);
	assert_int_equal(number("18446744073709551616"), 4711); /* one too many */
	assert_int_equal(number("99999999999999999999999999"), 4711);
	assert_int_equal(number(""), 4711);
	assert_int_equal(number("\n"), 4711);
	assert_int_equal(number("-1\n"), 4711);
	assert_int_equal(number("12x"), 4711);
	assert_int_equal(number(" 12"), 4711);
}

static void nothing_behind_the_length_is_read(void **state)
{
	uint64_t value;
	(void)state;
	assert_true(wd_parse_number("123456", 3, &value));
	assert_int_equal(value, 123);
	assert_false(wd_parse_member("anon 1\ninactive_file 5\n", 12, "inactive_file", &value));
}

static uint64_t limit(const char *text)
{
	uint64_t value = 4711;
	return wd_parse_limit(text, strlen(text), &value) ? value : 4711;
}

static void no_limit_has_three_spellings(void **state)
{
	(void)state;
	assert_int_equal(limit("134217728\n"), 134217728);
	assert_true(limit("max\n") == WD_UNLIMITED);
	assert_true(limit("9223372036854771712\n") == WD_UNLIMITED); /* pages of 4 KiB */
	assert_true(limit("9223372036854710272\n") == WD_UNLIMITED); /* pages of 64 KiB */
	assert_int_equal(limit("maximum\n"), 4711);
	assert_int_equal(limit("-1\n"), 4711);
}

static void members_are_whole_words_at_the_start_of_a_line(void **state)
{
	static const char text[] = "total_inactive_file 7\ninactive_file 5\nactive_file 6\nbroken\nworse x\n";
	uint64_t value = 4711;
	(void)state;
	assert_true(wd_parse_member(text, strlen(text), "inactive_file", &value));
	assert_int_equal(value, 5);
	assert_true(wd_parse_member(text, strlen(text), "total_inactive_file", &value));
	assert_int_equal(value, 7);
	assert_false(wd_parse_member(text, strlen(text), "inactive", &value));
	assert_false(wd_parse_member(text, strlen(text), "broken", &value));
	assert_false(wd_parse_member(text, strlen(text), "worse", &value));
	assert_int_equal(value, 7);
}

static double quota(const char *text)
{
	double value = -1;
	return wd_parse_quota(text, strlen(text), &value) ? value : -1;
}

static void quotas_are_numbers_of_cpus(void **state)
{
	(void)state;
	assert_true(quota("50000 100000\n") == 0.5);
	assert_true(quota("300000 100000\n") == 3);
	assert_true(quota("max 100000\n") == -1);
	assert_true(quota("-1 100000\n") == -1);
	assert_true(quota("50000 0\n") == -1);
	assert_true(quota("0 100000\n") == -1);
	assert_true(quota("50000\n") == -1);
}

static int cpus(const char *text)
{
	unsigned value = 0;
	return wd_parse_cpus(text, strlen(text), &value) ? (int)value : -1;
}

static void lists_of_cpus_are_counted(void **state)
{
	(void)state;
	assert_int_equal(cpus("0\n"), 1);
	assert_int_equal(cpus("0-3\n"), 4);
	assert_int_equal(cpus("0-3,8,10-11\n"), 7);
	assert_int_equal(cpus("\n"), -1); /* v2 before anything was set */
	assert_int_equal(cpus("3-0\n"), -1);
	assert_int_equal(cpus("0-\n"), -1);
	assert_int_equal(cpus("0,\n"), -1);
	assert_int_equal(cpus("0-4294967295\n"), -1);
	assert_int_equal(cpus("0-65535,0-65535\n"), -1);
}

static double pressure(const char *text)
{
	double value = -1;
	return wd_parse_pressure(text, strlen(text), &value) ? value : -1;
}

static void pressure_is_a_share(void **state)
{
	(void)state;
	assert_float_equal(pressure("some avg10=12.34 avg60=0.00 avg300=0.00 total=9\n"), 0.1234, 1e-9);
	assert_float_equal(pressure("full avg10=1.00 total=1\nsome avg10=100.00 avg60=0\n"), 1, 1e-9);
	assert_float_equal(pressure("some avg10=5 avg60"), 0.05, 1e-9);
	assert_true(pressure("some avg10=100.01 avg60=0\n") == -1);
	assert_true(pressure("some avg10=1.2.3\n") == -1);
	assert_true(pressure("some avg10=. total=1\n") == -1);
	assert_true(pressure("full avg10=1.00\n") == -1);
	assert_true(pressure("") == -1);
}

static void assert_place(const char *text, const char *controller, const char *expected)
{
	const char *path = NULL;
	size_t length = 0;
	bool found = wd_parse_place(text, strlen(text), controller, &path, &length);
	assert_true(found == (expected != NULL));
	if (expected) {
		assert_int_equal(length, strlen(expected));
		assert_memory_equal(path, expected, length);
	}
}

static void a_process_is_somewhere_in_each_tree(void **state)
{
	static const char hybrid[] = "12:pids:/docker/abc\n4:memory:/m\n3:cpu,cpuacct:/c:with:colons\n"
				     "1:name=systemd:/s\n0::/docker/abc\n";
	(void)state;
	assert_place(hybrid, "memory", "/m");
	assert_place(hybrid, "cpuacct", "/c:with:colons");
	assert_place(hybrid, "cpu", "/c:with:colons");
	assert_place(hybrid, "", "/docker/abc");
	assert_place(hybrid, "cpuset", NULL);
	assert_place(hybrid, "name", NULL);
	assert_place("0::/\n", "", "/");
	assert_place("0::/\n", "memory", NULL);
	assert_place("rubbish\n4:memory\n:memory:/x\n", "memory", NULL);
	assert_place("", "", NULL);
}

static size_t bearer(const char *path, const char *id)
{
	return wd_parse_bearer(path, strlen(path), id);
}

static void the_path_is_cut_behind_the_id(void **state)
{
	(void)state;
	assert_int_equal(bearer("/docker/abc", "abc"), strlen("/docker/abc"));
	assert_int_equal(bearer("/system.slice/docker-abc.scope/init.scope", "abc"),
			 strlen("/system.slice/docker-abc.scope"));
	assert_int_equal(bearer("/docker/outer/docker/abc/system.slice", "abc"), strlen("/docker/outer/docker/abc"));
	assert_int_equal(bearer("/docker/abd", "abc"), 0);
	assert_int_equal(bearer("/docker/ab/c", "abc"), 0);
	assert_int_equal(bearer("/", "abc"), 0);
	assert_int_equal(bearer("/docker/abc", ""), 0);
}

/* As another cgroup namespace shows it: not to be followed from here. */
static void paths_that_climb_are_refused(void **state)
{
	(void)state;
	assert_int_equal(bearer("/../abc", "abc"), 0);
	assert_int_equal(bearer("/docker/abc/..", "abc"), 0);
	assert_int_equal(bearer("/docker/..abc", "abc"), strlen("/docker/..abc"));
}

static void the_host_has_so_many_cpus(void **state)
{
	static const char text[] = "cpu  1 2\ncpu0 1\ncpu1 1\ncpu10 1\nintr 5\ncpufreq 1\n";
	(void)state;
	assert_int_equal(wd_parse_host_cpus(text, strlen(text)), 3);
	assert_int_equal(wd_parse_host_cpus("", 0), 0);
}

static uint64_t total(const char *text)
{
	uint64_t value = 4711;
	return wd_parse_total(text, strlen(text), &value) ? value : 4711;
}

static void and_so_much_memory(void **state)
{
	(void)state;
	assert_int_equal(total("MemTotal:        8388608 kB\nMemFree: 1 kB\n"), 8388608);
	assert_int_equal(total("MemFree: 1 kB\n"), 4711);
	assert_int_equal(total("MemTotal:\n8388608 kB\n"), 4711);
	assert_int_equal(total("MemTotal: 0 kB\n"), 4711);
	assert_int_equal(total("MemTotal: 18446744073709551615 kB\n"), 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(nothing_behind_the_length_is_read),
		cmocka_unit_test(no_limit_has_three_spellings),
		cmocka_unit_test(members_are_whole_words_at_the_start_of_a_line),
		cmocka_unit_test(quotas_are_numbers_of_cpus),
		cmocka_unit_test(lists_of_cpus_are_counted),
		cmocka_unit_test(pressure_is_a_share),
		cmocka_unit_test(a_process_is_somewhere_in_each_tree),
		cmocka_unit_test(the_path_is_cut_behind_the_id),
		cmocka_unit_test(paths_that_climb_are_refused),
		cmocka_unit_test(the_host_has_so_many_cpus),
		cmocka_unit_test(and_so_much_memory),
	};
	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
