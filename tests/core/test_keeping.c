/* Which snapshots are kept, and which one is put back. Snapshots are named by their moments. */
#include <watchdog/keeping.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/unit.h>
#include <time.h>

static int64_t ahead_of(const void *data, int64_t second)
{
	time_t moment = (time_t)second;
	struct tm wall;

	(void)data;
	localtime_r(&moment, &wall);
	return wall.tm_gmtoff;
}

/* "2026-11-22T03:00": sound, verified and well; "!" behind it: broken, "?": not verified, "-": not well, "@x": its image. */
struct shelf {
	struct wd_snapshot items[64];
	const struct wd_snapshot *lent[64];
	size_t count;
};

static void put(struct shelf *shelf, const char *word)
{
	struct wd_snapshot *snapshot = &shelf->items[shelf->count];
	char moment[32];

	*snapshot = (struct wd_snapshot){.id = strdup(word), .well = true, .image_id = strdup("sha256:any")};
	snprintf(moment, sizeof moment, "%.16s:00Z", word);
	if (!wd_stamp_parse(moment, &snapshot->stamp, NULL))
		fail_msg("%s is no moment", moment);
	snapshot->verified = snapshot->stamp + 1;
	for (const char *mark = word + 16; *mark; mark++) {
		if (*mark == '!')
			snapshot->broken = strdup("the checksum is another");
		else if (*mark == '?')
			snapshot->verified = 0;
		else if (*mark == '-')
			snapshot->well = false;
		else if (*mark == '@') {
			free(snapshot->image_id);
			snapshot->image_id = strdup(mark + 1);
			break;
		}
	}
	shelf->lent[shelf->count++] = snapshot;
}

static void fill(struct shelf *shelf, const char *words)
{
	struct wd_list list = {0};

	shelf->count = 0;
	wd_list_split(&list, words, ' ');
	for (size_t i = 0; i < list.count; i++)
		put(shelf, list.items[i]);
	wd_list_done(&list);
}

static void empty(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		wd_snapshot_done(&shelf->items[i]);
}

static void assert_kept(const struct wd_keeping_wish *wish, const char *words, const char *expected)
{
	struct wd_keeping_wish whole = *wish;
	struct shelf shelf;
	struct wd_text found = {0};
	bool kept[64];

	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	whole.zone = (struct wd_zone){.ahead = ahead_of};
	fill(&shelf, words);
	wd_keeping_choose(&whole, shelf.lent, shelf.count, kept);
	for (size_t i = 0; i < shelf.count; i++)
		if (kept[i])
			wd_text_print(&found, "%s%s", found.length ? " " : "", shelf.items[i].id);
	assert_string_equal(wd_text_get(&found), expected);
	wd_text_done(&found);
	empty(&shelf);
}

static void the_newest_are_kept(void **state)
{
	(void)state;
	struct wd_keeping_wish wish = {.keeping = {.newest = 2}};
	assert_kept(&wish, "", "");
	assert_kept(&wish, "2026-11-20T03:00", "2026-11-20T03:00");
	assert_kept(&wish, "2026-11-22T03:00 2026-11-20T03:00 2026-11-21T03:00", "2026-11-22T03:00 2026-11-21T03:00");
}

static void a_broken_one_counts_for_nothing_and_goes_in_its_time(void **state)
{
	(void)state;
	struct wd_keeping_wish wish = {.keeping = {.newest = 2, .daily = 2}};
	assert_kept(&wish, "2026-11-20T03:00 2026-11-21T03:00! 2026-11-22T03:00",
		    "2026-11-20T03:00 2026-11-21T03:00! 2026-11-22T03:00");
	assert_kept(&wish, "2026-11-20T03:00! 2026-11-21T03:00 2026-11-22T03:00", "2026-11-21T03:00 2026-11-22T03:00");
}

static void days_weeks_and_months_keep_their_newest(void **state)
{
	(void)state;
	struct wd_keeping_wish wish = {.keeping = {.newest = 1, .daily = 3}};
	/* 23:30 UTC is the next day in Berlin. */
	assert_kept(&wish, "2026-11-18T12:00 2026-11-19T12:00 2026-11-20T12:00 2026-11-20T23:30 2026-11-21T12:00",
		    "2026-11-19T12:00 2026-11-20T12:00 2026-11-21T12:00");
	/* Days without one do not count. */
	assert_kept(&wish, "2026-10-01T12:00 2026-11-01T08:00 2026-11-01T12:00 2026-11-21T12:00",
		    "2026-10-01T12:00 2026-11-01T12:00 2026-11-21T12:00");
	wish.keeping = (struct wd_keeping){.newest = 1, .weekly = 2};
	assert_kept(&wish, "2026-11-13T12:00 2026-11-15T12:00 2026-11-16T12:00 2026-11-22T12:00",
		    "2026-11-15T12:00 2026-11-22T12:00");
	wish.keeping = (struct wd_keeping){.newest = 1, .monthly = 3};
	assert_kept(&wish, "2025-12-31T22:30 2025-12-31T23:30 2026-01-31T12:00 2026-02-01T12:00 2026-02-02T12:00",
		    "2025-12-31T22:30 2026-01-31T12:00 2026-02-02T12:00");
}

static void what_may_be_needed_never_goes(void **state)
{
	(void)state;
	const char *const images[] = {"old", "older"};
	struct wd_keeping_wish wish = {.keeping = {.newest = 1}, .images = images, .image_count = 2};
	/* The newest are of a service that was not well, or were not verified yet. */
	assert_kept(&wish, "2026-11-18T03:00 2026-11-19T03:00 2026-11-20T03:00? 2026-11-21T03:00-",
		    "2026-11-19T03:00 2026-11-21T03:00-");
	assert_kept(&wish, "2026-11-16T03:00@old 2026-11-17T03:00@old 2026-11-18T03:00@older! 2026-11-22T03:00@new",
		    "2026-11-17T03:00@old 2026-11-22T03:00@new");
	wish.trouble = true;
	assert_kept(&wish, "2026-11-17T03:00 2026-11-18T03:00! 2026-11-19T03:00- 2026-11-20T03:00 2026-11-21T03:00-",
		    "2026-11-17T03:00 2026-11-20T03:00 2026-11-21T03:00-");
}

static void assert_put_back(const char *image, const char *words, const char *expected)
{
	struct wd_restore_wish wish = {.image_id = image, .max_age = 36 * WD_HOUR};
	struct shelf shelf;
	char *why = NULL;

	assert_true(wd_stamp_parse("2026-11-22T12:00:00Z", &wish.now, NULL));
	fill(&shelf, words);
	const struct wd_snapshot *found = wd_restore_choose(&wish, shelf.lent, shelf.count, &why);
	assert_string_equal(found ? found->id : why, expected);
	assert_true(found ? !why : why != NULL);
	free(why);
	empty(&shelf);
}

static void the_newest_that_is_good_is_put_back(void **state)
{
	(void)state;
	assert_put_back(NULL, "2026-11-22T03:00 2026-11-21T03:00", "2026-11-22T03:00");
	assert_put_back(NULL, "2026-11-22T03:00! 2026-11-22T02:00? 2026-11-22T01:00- 2026-11-21T03:00",
			"2026-11-21T03:00");
	assert_put_back("old", "2026-11-21T03:00@old 2026-11-22T03:00@new", "2026-11-21T03:00@old");
}

static void why_none_is_put_back(void **state)
{
	(void)state;
	assert_put_back(NULL, "", "no snapshot");
	assert_put_back(NULL, "2026-11-22T03:00!", "every snapshot is broken");
	assert_put_back(NULL, "2026-11-22T03:00! 2026-11-22T03:00?", "no snapshot is verified yet");
	assert_put_back(NULL, "2026-11-22T03:00-", "no verified snapshot was taken while it was well");
	assert_put_back("sha256:0123456789abcdef", "2026-11-22T03:00@new",
			"no verified snapshot under the image sha256:0123456789ab");
	assert_put_back(NULL, "2026-11-20T12:00",
			"the newest snapshot that could be put back is 2d old, restore_max_age is 1d12h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_are_kept),
		cmocka_unit_test(a_broken_one_counts_for_nothing_and_goes_in_its_time),
		cmocka_unit_test(days_weeks_and_months_keep_their_newest),
		cmocka_unit_test(what_may_be_needed_never_goes),
		cmocka_unit_test(the_newest_that_is_good_is_put_back),
		cmocka_unit_test(why_none_is_put_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
