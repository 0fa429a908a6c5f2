#include <watchdog/keeping.h>

#include <string.h>
#include <watchdog/memory.h>

/* Newest first. Two of the same moment have an order all the same, so that what is kept does not depend on chance. */
static bool is_newer(const struct wd_snapshot *one, const struct wd_snapshot *other)
{
	return one->stamp != other->stamp ? one->stamp > other->stamp : strcmp(one->id, other->id) > 0;
}

static bool can_be_put_back(const struct wd_snapshot *snapshot, const char *image_id)
{
	return snapshot->verified && !snapshot->broken && snapshot->well &&
	       (!image_id || wd_text_equal(snapshot->image_id, image_id));
}

static const struct wd_snapshot *newest_for(const char *image_id, const struct wd_snapshot *const *snapshots,
					    size_t count)
{
	const struct wd_snapshot *newest = NULL;
	for (size_t i = 0; i < count; i++)
		if (can_be_put_back(snapshots[i], image_id) && (!newest || is_newer(snapshots[i], newest)))
			newest = snapshots[i];
	return newest;
}

static char *why_none(const char *image_id, const struct wd_snapshot *const *snapshots, size_t count)
{
	bool sound = false, verified = false, well = false;
	for (size_t i = 0; i < count; i++) {
		sound = sound || !snapshots[i]->broken;
		verified = verified || (!snapshots[i]->broken && snapshots[i]->verified);
		well = well || can_be_put_back(snapshots[i], NULL);
	}
	if (well)
		return wd_format("no verified snapshot under the image %.19s", image_id);
	if (verified)
		return wd_copy("no verified snapshot was taken while it was well");
	return wd_copy(sound ? "no snapshot is verified yet" : count ? "every snapshot is broken" : "no snapshot");
}

static char *why_too_old(wd_time age, wd_time max_age)
{
	char is[WD_TIME_TEXT], most[WD_TIME_TEXT];
	return wd_format("the newest snapshot that could be put back is %s old, restore_max_age is %s",
			 wd_span_print_short(age, is), wd_span_print(max_age, most));
}

const struct wd_snapshot *wd_restore_choose(const struct wd_restore_wish *wish,
					    const struct wd_snapshot *const *snapshots, size_t count, char **ret_why)
{
	const struct wd_snapshot *found = newest_for(wish->image_id, snapshots, count);
	wd_time age = found ? (wish->now - found->stamp) / 1000 : 0;
	bool too_old = wish->max_age && age > wish->max_age;
	if (found && !too_old)
		return found;
	if (ret_why)
		*ret_why = found ? why_too_old(age, wish->max_age) : why_none(wish->image_id, snapshots, count);
	return NULL;
}

/* --- what is kept ------------------------------------------------------------------------------------------------------ */

struct shelf {
	const struct wd_keeping_wish *wish;
	const struct wd_snapshot *const *snapshots;
	size_t *order; /* indexes, the newest first */
	size_t count;
	bool *kept;
};

static void sort(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++) {
		size_t place = i;
		for (; place > 0 && is_newer(shelf->snapshots[i], shelf->snapshots[shelf->order[place - 1]]); place--)
			shelf->order[place] = shelf->order[place - 1];
		shelf->order[place] = i;
	}
}

static void keep_newest(struct shelf *shelf)
{
	int64_t left = shelf->wish->keeping.newest;
	for (size_t i = 0; i < shelf->count && left > 0; i++) {
		shelf->kept[shelf->order[i]] = true;
		if (!shelf->snapshots[shelf->order[i]]->broken)
			left--;
	}
}

enum period { DAYS, WEEKS, MONTHS };

static int64_t number_of(const struct wd_dates *dates, enum period period)
{
	return period == DAYS ? dates->day : period == WEEKS ? dates->week : dates->month;
}

static void keep_periods(struct shelf *shelf, enum period period, int64_t left)
{
	int64_t last = INT64_MAX;
	for (size_t i = 0; i < shelf->count && left > 0; i++) {
		const struct wd_snapshot *snapshot = shelf->snapshots[shelf->order[i]];
		struct wd_dates dates = wd_dates_of(&shelf->wish->zone, snapshot->stamp);
		if (snapshot->broken || number_of(&dates, period) >= last)
			continue;
		last = number_of(&dates, period);
		shelf->kept[shelf->order[i]] = true;
		left--;
	}
}

static void keep_for(struct shelf *shelf, const char *image_id)
{
	const struct wd_snapshot *needed = newest_for(image_id, shelf->snapshots, shelf->count);
	for (size_t i = 0; needed && i < shelf->count; i++)
		if (shelf->snapshots[i] == needed)
			shelf->kept[i] = true;
}

static void keep_for_trouble(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		if (shelf->snapshots[i]->well && !shelf->snapshots[i]->broken)
			shelf->kept[i] = true;
}

void wd_keeping_choose(const struct wd_keeping_wish *wish, const struct wd_snapshot *const *snapshots, size_t count,
		       bool *ret_kept)
{
	WD_AUTO_FREE size_t *order = wd_alloc(count + 1, sizeof(*order));
	struct shelf shelf = {.wish = wish, .snapshots = snapshots, .order = order, .count = count, .kept = ret_kept};
	for (size_t i = 0; i < count; i++)
		ret_kept[i] = false;
	sort(&shelf);
	keep_newest(&shelf);
	keep_periods(&shelf, DAYS, wish->keeping.daily);
	keep_periods(&shelf, WEEKS, wish->keeping.weekly);
	keep_periods(&shelf, MONTHS, wish->keeping.monthly);
	keep_for(&shelf, NULL);
	for (size_t i = 0; i < wish->image_count; i++)
		keep_for(&shelf, wish->images[i]);
	if (wish->trouble)
		keep_for_trouble(&shelf);
}
