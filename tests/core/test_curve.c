/* The curve of the last minutes: the whole of it at first, a point each ten seconds later, and always the newest. */
#include "../../watchdog/core/curve.h"

#include <support/unit.h>
#include <watchdog/memory.h>

#define BASE (1000 * WD_HOUR)
#define WALL (1767225600LL * 1000000000)
#define KIB ((uint64_t)1024)

static void look(struct wd_curve *curve, wd_time at, uint64_t kibibytes)
{
	struct wd_sample sample = {.at = BASE + at, .has = WD_HAS_MEMORY, .usage_bytes = kibibytes * KIB};
	wd_curve_add(curve, &sample, 0.5);
}

static wd_time apart(const struct wd_incident *incident, unsigned index)
{
	return (incident->points[index].at - incident->points[index - 1].at) / 1000;
}

static struct wd_incident *told(const struct wd_curve *curve, wd_time now)
{
	struct wd_incident *incident = wd_alloc(1, sizeof(*incident));
	wd_curve_tell(curve, BASE + now, WALL + now * 1000, incident);
	return incident;
}

static void the_first_looks_are_all_kept(void **state)
{
	struct wd_curve curve = {0};
	(void)state;
	for (int i = 0; i < 10; i++)
		look(&curve, i * 2 * WD_SECOND, (uint64_t)i + 1);
	struct wd_incident *incident = told(&curve, 20 * WD_SECOND);
	assert_int_equal(incident->point_count, 10);
	assert_true(incident->points[0].at == WALL);
	assert_int_equal(incident->points[9].usage_bytes, 10 * KIB);
	assert_int_equal(incident->points[9].working_set_bytes, 0);
	assert_true(incident->points[9].cpus == 0.5);
	wd_incident_free(incident);
}

static void after_hours_it_holds_the_last_minutes(void **state)
{
	struct wd_curve curve = {0};
	(void)state;
	for (wd_time at = 0; at <= 5 * WD_HOUR; at += 2 * WD_SECOND)
		look(&curve, at, (uint64_t)(at / WD_SECOND) + 1);
	struct wd_incident *incident = told(&curve, 5 * WD_HOUR);
	assert_true(incident->point_count >= WD_CURVE_POINTS - 1);
	for (unsigned i = 1; i < incident->point_count; i++)
		assert_in_range(apart(incident, i), 10 * WD_SECOND, 20 * WD_SECOND);
	wd_stamp newest = incident->points[incident->point_count - 1].at;
	assert_in_range(WALL + 5 * WD_HOUR * 1000 - newest, 0, 20 * WD_SECOND * 1000);
	assert_in_range(newest - incident->points[0].at, 7 * WD_MINUTE * 1000, 17 * WD_MINUTE * 1000);
	wd_incident_free(incident);
}

/* Closed, it gets what came since it was opened, and never more than there is room for. */
static void what_is_told_again_goes_on(void **state)
{
	struct wd_curve curve = {0};
	(void)state;
	for (int i = 0; i < 10; i++)
		look(&curve, i * 2 * WD_SECOND, 1);
	struct wd_incident *incident = told(&curve, 20 * WD_SECOND);
	look(&curve, 20 * WD_SECOND, 2);
	wd_curve_tell(&curve, BASE + 21 * WD_SECOND, WALL + 21 * WD_SECOND * 1000, incident);
	assert_int_equal(incident->point_count, 11);
	assert_int_equal(incident->points[10].usage_bytes, 2 * KIB);
	for (int round = 1; round < 50; round++) {
		wd_time at = round * WD_HOUR;
		for (int i = 0; i < 60; i++)
			look(&curve, at + i * 10 * WD_SECOND, 3);
		at += 600 * WD_SECOND;
		wd_curve_tell(&curve, BASE + at, WALL + at * 1000, incident);
	}
	assert_int_equal(incident->point_count, WD_INCIDENT_POINTS);
	for (unsigned i = 1; i < incident->point_count; i++)
		assert_true(apart(incident, i) > 0);
	assert_true(sizeof(curve) <= 1024); /* of the 4 KiB that a container may cost */
	wd_incident_free(incident);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_looks_are_all_kept),
		cmocka_unit_test(after_hours_it_holds_the_last_minutes),
		cmocka_unit_test(what_is_told_again_goes_on),
	};
	return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
