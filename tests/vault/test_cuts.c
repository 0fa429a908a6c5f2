/* The vault is killed before each of its calls that change anything: what is listed is whole, what is live is the old or
 * the new, and what was left over is gone with the next job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "../../watchdog/vault/place.h"
#include "support/files.h"
#include "support/vaulting.h"

enum { CUTS_MOST = 3000 };

static bool was_cut(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* true: it came to its end, so there is no such call any more. */
static bool run_cut(const struct wd_json *job, unsigned cut)
{
	int status;
	WD_AUTO_JSON struct wd_json *last = vault_run(job, cut, &status);

	assert_true(cut < CUTS_MOST);
	if (was_cut(status))
		return false;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_non_null(wd_json_get(last, "done"));
	return true;
}

static unsigned count_hidden(const char *path)
{
	unsigned count = 0;
	DIR *directory = opendir(path);

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && entry->d_name[0] == '.';
	closedir(directory);
	return count;
}

static bool is_there(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0;
}

static void assert_sound(const char *id)
{
	WD_AUTO_JSON struct wd_json *job = vault_job("verify", id);
	WD_AUTO_JSON struct wd_json *done = vault_done(job);

	assert_int_equal(wd_json_int(wd_json_get(done, "files"), 0), 4);
}

static void run_done(struct wd_json *job_taken)
{
	WD_AUTO_JSON struct wd_json *job = job_taken;
	WD_AUTO_JSON struct wd_json *done = vault_done(job);
}

static void start_over(void)
{
	assert_true(wd_place_remove(AT_FDCWD, "snapshots", NULL));
	assert_true(wd_place_remove(AT_FDCWD, "volumes", NULL));
	vault_fill("old");
}

static void a_snapshot_is_whole_or_is_not_there(void **state)
{
	bool through = false;
	unsigned whole = 0;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		start_over();
		WD_AUTO_JSON struct wd_json *job = vault_take(VAULT_FIRST, NULL);
		through = run_cut(job, cut);
		if (is_there("snapshots/web/" VAULT_FIRST)) {
			assert_sound(VAULT_FIRST);
			whole++;
		}
		run_done(vault_take(VAULT_SECOND, VAULT_FIRST));
		assert_sound(VAULT_SECOND);
		assert_int_equal(count_hidden("snapshots/web"), 0);
		assert_true(vault_says("volumes/data/_data", "old"));
	}
	assert_true(whole > 1);
}

static void one_that_shares_what_has_not_changed_too(void **state)
{
	bool through = false;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		start_over();
		run_done(vault_take(VAULT_FIRST, NULL));
		WD_AUTO_JSON struct wd_json *job = vault_take(VAULT_SECOND, VAULT_FIRST);
		through = run_cut(job, cut);
		assert_sound(VAULT_FIRST);
		if (is_there("snapshots/web/" VAULT_SECOND))
			assert_sound(VAULT_SECOND);
	}
}

static void what_is_deleted_is_no_snapshot_before_its_first_file_goes(void **state)
{
	bool through = false;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		start_over();
		run_done(vault_take(VAULT_FIRST, NULL));
		run_done(vault_take(VAULT_SECOND, VAULT_FIRST));
		WD_AUTO_JSON struct wd_json *job = vault_job("delete", VAULT_FIRST);
		through = run_cut(job, cut);
		if (is_there("snapshots/web/" VAULT_FIRST))
			assert_sound(VAULT_FIRST);
		assert_sound(VAULT_SECOND);
		run_done(vault_job("delete", VAULT_SECOND));
		assert_int_equal(count_hidden("snapshots/web"), 0);
	}
}

static int64_t inode_of(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 ? (int64_t)found.st_ino : 0;
}

static void unpacking_touches_nothing_that_is_live(void **state)
{
	bool through = false;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		start_over();
		run_done(vault_take(VAULT_FIRST, NULL));
		vault_fill("new");
		WD_AUTO_JSON struct wd_json *job = vault_swap("unpack", 0);
		through = run_cut(job, cut);
		assert_true(vault_says("volumes/data/_data", "new"));
		run_done(vault_swap("discard", 0));
		assert_int_equal(count_hidden("volumes/data"), 0);
		assert_true(vault_says("volumes/data/_data", "new"));
	}
}

#define FRESH "volumes/data/.seadog-new-1f2e3d4c"
#define ASIDE "volumes/data/.seadog-old-1f2e3d4c"

static int64_t unpack(void)
{
	start_over();
	run_done(vault_take(VAULT_FIRST, NULL));
	vault_fill("new");
	run_done(vault_swap("unpack", 0));
	assert_true(vault_says(FRESH, "old"));
	return inode_of(FRESH);
}

/* Old data and new data are both there at any moment, each whole, one of them live. */
static void assert_both(void)
{
	const char *other = is_there(ASIDE) ? ASIDE : FRESH;

	assert_int_equal(is_there(ASIDE) + is_there(FRESH), 1);
	assert_true(vault_says("volumes/data/_data", "old") != vault_says(other, "old"));
}

static void an_exchange_is_done_or_not_and_can_be_asked_for_again(void **state)
{
	bool through = false;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		int64_t inode = unpack();
		WD_AUTO_JSON struct wd_json *job = vault_swap("exchange", inode);
		through = run_cut(job, cut);
		assert_both();
		run_done(vault_swap("exchange", inode));
		assert_true(vault_says("volumes/data/_data", "old"));
		assert_true(vault_says(ASIDE, "new"));
	}
}

static void it_is_taken_back_from_wherever_it_came_to(void **state)
{
	bool through = false;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		int64_t inode = unpack();
		WD_AUTO_JSON struct wd_json *job = vault_swap("exchange", inode);
		through = run_cut(job, cut);
		run_done(vault_swap("exchange_back", inode));
		assert_true(vault_says("volumes/data/_data", "new"));
		run_done(vault_swap("discard", inode));
		assert_true(vault_says("volumes/data/_data", "new"));
		assert_int_equal(count_hidden("volumes/data"), 0);
	}
}

static void taking_back_is_done_or_not_too(void **state)
{
	bool through = false;

	(void)state;
	for (unsigned cut = 1; !through; cut++) {
		int64_t inode = unpack();
		run_done(vault_swap("exchange", inode));
		WD_AUTO_JSON struct wd_json *job = vault_swap("exchange_back", inode);
		through = run_cut(job, cut);
		assert_both();
		run_done(vault_swap("exchange_back", inode));
		assert_true(vault_says("volumes/data/_data", "new"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)
		STORY(a_snapshot_is_whole_or_is_not_there),
		STORY(one_that_shares_what_has_not_changed_too),
		STORY(what_is_deleted_is_no_snapshot_before_its_first_file_goes),
		STORY(unpacking_touches_nothing_that_is_live),
		STORY(an_exchange_is_done_or_not_and_can_be_asked_for_again),
		STORY(it_is_taken_back_from_wherever_it_came_to),
		STORY(taking_back_is_done_or_not_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
