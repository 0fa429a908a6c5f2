#include "machine.h"

#include <string.h>

void wd_marks_add(struct wd_marks *marks, struct wd_mark_time mark, unsigned keep)
{
	if (keep == 0)
		return;
	marks->items = wd_realloc(marks->items, marks->count + 1, sizeof(*marks->items));
	unsigned place = marks->count++;
	for (; place > 0 && marks->items[place - 1].from > mark.from; place--)
		marks->items[place] = marks->items[place - 1];
	marks->items[place] = mark;
	if (marks->count <= keep)
		return;
	unsigned drop = marks->count - keep;
	memmove(marks->items, marks->items + drop, keep * sizeof(*marks->items));
	marks->count = keep;
}

void wd_marks_clear(struct wd_marks *marks)
{
	free(marks->items);
	*marks = (struct wd_marks){0};
}

static wd_time age(const struct wd_mark_time *mark, wd_time now, wd_time waited)
{
	wd_time plain = now - mark->from;
	return waited == WD_NEVER ? plain : plain - (waited - mark->waited);
}

unsigned wd_marks_within(const struct wd_marks *marks, wd_time now, wd_time waited, wd_time window,
			 const struct wd_mark_time **ret_first)
{
	unsigned count = 0;
	const struct wd_mark_time *first = NULL;

	for (unsigned i = marks->count; i-- > 0;) {
		if (age(&marks->items[i], now, waited) > window)
			continue;
		count++;
		first = &marks->items[i];
	}
	if (ret_first)
		*ret_first = first;
	return count;
}

void wd_marks_remember(const struct wd_marks *marks, struct wd_mark **ret_marks, unsigned *ret_count)
{
	free(*ret_marks);
	*ret_marks = marks->count ? wd_alloc(marks->count, sizeof(**ret_marks)) : NULL;
	*ret_count = marks->count;
	for (unsigned i = 0; i < marks->count; i++) {
		const struct wd_mark_time *mark = &marks->items[i];
		(*ret_marks)[i] = (struct wd_mark){.stamp = mark->stamp,
						   .from = mark->from_stamp,
						   .waited = mark->waited,
						   .exit_code = mark->exit_code,
						   .seen = mark->seen};
	}
}

/* What a stamp of the past is on our clock; never in the future, whatever was done to the wall clock. */
static wd_time mapped(wd_stamp then, wd_time now, wd_stamp stamp)
{
	wd_stamp ago = stamp - then;
	return ago > 0 ? now - ago / 1000 : now;
}

void wd_marks_recall(struct wd_marks *marks, const struct wd_mark *from, unsigned count, wd_time now, wd_stamp stamp)
{
	wd_marks_clear(marks);
	for (unsigned i = 0; i < count; i++) {
		struct wd_mark_time mark = {.at = mapped(from[i].stamp, now, stamp),
					    .from = mapped(from[i].from, now, stamp),
					    .waited = from[i].waited,
					    .stamp = from[i].stamp,
					    .from_stamp = from[i].from,
					    .exit_code = from[i].exit_code,
					    .seen = from[i].seen};
		wd_marks_add(marks, mark, WD_RATE_COUNT_MAX);
	}
}
