/* The matrix for a rollback: each call meets every fault, and one seadog dies at each. All pairs of two faults are in
 * test_rollback_pairs.c; a few of them are here, because here the sanitizers see them. */
#include "support/unit.h"

#include "support/rollback_play.h"

static void a_rollback_meets_every_fault_at_every_call(void **state)
{
	unsigned played = 0;

	(void)state;
	for (size_t i = 0; i < PLAY_SCENES; i++) {
		struct play none, one;
		play_one(&none, &play_scenes[i], 0, STAGE_FINE);
		for (unsigned at = 1; at <= none.stage.asked.count; at++)
			for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_FAULTS; fault++, played++) {
				play_one(&one, &play_scenes[i], at, fault);
				play_done(&one);
			}
		play_done(&none);
	}
	assert_true(played > 800);
}

static void a_rollback_meets_one_in_fifty_pairs_of_faults_under_the_sanitizers(void **state)
{
	struct play_share share = {.one_in = 50};

	(void)state;
	for (size_t i = 0; i < PLAY_SCENES; i++)
		play_pairs(&play_scenes[i], &share);
	assert_true(share.played > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rollback_meets_every_fault_at_every_call),
		cmocka_unit_test(a_rollback_meets_one_in_fifty_pairs_of_faults_under_the_sanitizers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
