/* The matrix for a rollback, in whole: every fault at every call, and with each every second fault at every call behind
 * it, a hundred thousand plays. This is always the release build, a process for each scene; the sanitizers see some of
 * the plays in test_rollback_faults.c. */
#include "support/unit.h"

#include "support/rollback_play.h"
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_rollback_meets_every_pair_of_faults(void **state)
{
	const struct play_scene *scene = *state;
	struct play_share share = {.one_in = 1};

	play_pairs(scene, &share);
	print_message("%s: %u pairs\n", scene->name, share.played);
	assert_true(share.played > 15000);
}

static int run(struct play_scene scene)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(a_rollback_meets_every_pair_of_faults, &scene),
	};

	mallopt(M_PERTURB, 0xa5); /* what is used after it was freed is rubbish */
	return cmocka_run_group_tests_name(scene.name, tests, NULL, NULL);
}

int main(void)
{
	pid_t children[PLAY_SCENES];
	int failed = 0;

	for (size_t i = 0; i < PLAY_SCENES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			return run(play_scenes[i]);
	}
	for (size_t i = 0; i < PLAY_SCENES; i++) {
		int status = 0;
		failed += children[i] < 0 || waitpid(children[i], &status, 0) < 0 || status != 0;
	}
	return failed;
}
