/* What an Engine says of a container's use: recorded answers, and odd ones. */
#include "support/fixtures.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/wire.h>

#define NOW "\"read\":\"2026-01-02T03:04:05.5Z\""

static const unsigned all =
	WD_FROM_ENGINE | WD_HAS_MEMORY | WD_HAS_WORKING_SET | WD_HAS_CPU | WD_HAS_THROTTLE | WD_HAS_PIDS;
static const struct wd_cpus no_limit;

static bool take(const char *text, struct wd_cpus cpus, struct wd_sample *ret_sample, wd_stamp *ret_read)
{
	struct wd_error error = {0};
	WD_AUTO_JSON struct wd_json *stats = wd_json_parse(text, strlen(text), &error);
	if (!stats)
		fail_msg("%s: %s", text, error.text);
	return wd_wire_stats(stats, cpus, ret_sample, ret_read);
}

static struct wd_sample read_stats(const char *text)
{
	struct wd_sample sample;
	wd_stamp read;
	assert_true(take(text, no_limit, &sample, &read));
	assert_true(read == 1767323045500000000);
	return sample;
}

/* 20 MiB of 20.9 are cache that can be given back; docker stats said 888 KiB and 900 KiB. */
static void recorded(void **state)
{
	static const struct {
		const char *name;
		uint64_t working_set, usage, cpu;
		wd_stamp read;
	} answers[] = {
		{"engine-20.10/stats-web.json", 888 * 1024, 21880832, 849297, 1795311645653141682},
		{"engine-26.1/stats-web.json", 900 * 1024, 21893120, 366388, 1795311656267563468},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		WD_AUTO_JSON struct wd_json *stats = json_fixture(answers[i].name);
		struct wd_sample sample;
		wd_stamp read;
		assert_true(wd_wire_stats(stats, no_limit, &sample, &read));
		assert_int_equal(sample.has, all);
		assert_int_equal(sample.usage_bytes, answers[i].usage);
		assert_int_equal(sample.working_set_bytes, answers[i].working_set);
		assert_int_equal(sample.memory_limit_bytes, 67108864);
		assert_int_equal(sample.cpu_usec, answers[i].cpu);
		assert_true(sample.cpus_allowed == 2 && sample.cpus_there == 2);
		assert_int_equal(sample.pids, 1);
		assert_int_equal(sample.pids_limit, 100);
		assert_true(read == answers[i].read);
	}
}

/* Zeros with the year 1: no figures, rather than false ones. */
static void one_that_does_not_run_is_refused(void **state)
{
	const char *const names[] = {"engine-20.10/stats-off.json", "engine-26.1/stats-off.json"};
	struct wd_sample sample = {.at = 7};
	wd_stamp read = 8;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		WD_AUTO_JSON struct wd_json *stats = json_fixture(names[i]);
		assert_false(wd_wire_stats(stats, no_limit, &sample, &read));
	}
	assert_false(take("{\"cause\":\"container is stopped\",\"message\":\"it is\",\"response\":500}", no_limit,
			  &sample, &read));
	assert_false(take("[]", no_limit, &sample, &read));
	assert_false(take("{" NOW "}", no_limit, &sample, &read));
	assert_false(take("{" NOW
			  ",\"memory_stats\":{\"usage\":-5},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":\"9\"}}}",
			  no_limit, &sample, &read));
	assert_int_equal(sample.at, 7);
	assert_int_equal(read, 8);
}

static void v2_has_another_word_for_cache_and_none_for_no_limit(void **state)
{
	(void)state;
	struct wd_sample sample = read_stats("{" NOW ",\"memory_stats\":{\"usage\":1000,\"limit\":5000,\"stats\":{"
					     "\"inactive_file\":400,\"active_file\":100,\"file\":900}},"
					     "\"pids_stats\":{\"current\":3,\"limit\":18446744073709551615}}");
	assert_int_equal(sample.has, WD_FROM_ENGINE | WD_HAS_MEMORY | WD_HAS_WORKING_SET | WD_HAS_PIDS);
	assert_int_equal(sample.working_set_bytes, 600);
	assert_int_equal(sample.firm_bytes, 500);
	assert_true(sample.pids_limit == WD_UNLIMITED);
	assert_true(sample.cpus_allowed == 1);
}

/* As the client counts: where the cache does not fit into the usage it stays in. */
static void more_cache_than_usage_is_not_taken_off(void **state)
{
	(void)state;
	struct wd_sample sample = read_stats(
		"{" NOW
		",\"memory_stats\":{\"usage\":1000,\"stats\":{\"total_inactive_file\":1000,\"inactive_file\":1}}}");
	assert_int_equal(sample.working_set_bytes, 1000);
	assert_true(sample.memory_limit_bytes == WD_UNLIMITED);
}

static void a_quota_is_what_it_may_use(void **state)
{
	static const char text[] = "{" NOW ",\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":5000},\"online_cpus\":4}}";
	struct wd_sample sample;
	wd_stamp read;
	(void)state;
	assert_true(take(text, (struct wd_cpus){.nano = 1500000000}, &sample, &read));
	assert_true(sample.cpus_allowed == 1.5 && sample.cpus_there == 4);
	assert_int_equal(sample.cpu_usec, 5);
	assert_true(take(text, (struct wd_cpus){.nano = 9000000000}, &sample, &read));
	assert_true(sample.cpus_allowed == 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded),
		cmocka_unit_test(one_that_does_not_run_is_refused),
		cmocka_unit_test(v2_has_another_word_for_cache_and_none_for_no_limit),
		cmocka_unit_test(more_cache_than_usage_is_not_taken_off),
		cmocka_unit_test(a_quota_is_what_it_may_use),
	};
	return cmocka_run_group_tests_name("wire stats", tests, NULL, NULL);
}
