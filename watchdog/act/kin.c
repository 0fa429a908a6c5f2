/* kin.c: who depends on what is to be made again, noted before anything is changed: who is made again behind it, who loses
 * what they share when it is stopped, who ends with it, and who is restarted behind it because the compose file says so.
 * Who shares the network of one that shares it loses it as well. */
#include "swap.h"
#include <string.h>
#include <watchdog/memory.h>

#define SHARES (WD_DEPENDS_NETWORK | WD_DEPENDS_IPC | WD_DEPENDS_PID)

static const struct wd_json *find_other(const struct wd_swap *swap, const char *id)
{
	for (const struct wd_json *other = wd_json_first(swap->others); other; other = wd_json_next(other))
		if (wd_text_equal(wd_json_string(wd_json_get(other, "Id"), ""), id))
			return other;
	return NULL;
}

static bool is_up(const struct wd_swap *swap, const char *id)
{
	return wd_json_bool(wd_json_path(find_other(swap, id), "State.Running"), false);
}

static bool is_spared(const struct wd_swap *swap, const char *id)
{
	return swap->spared && *id && strstr(swap->spared, id);
}

static void note_direct(struct wd_swap *swap, const struct wd_dependents *found)
{
	wd_list_done(&swap->dependents);
	wd_list_done(&swap->waiters);
	for (size_t i = 0; i < found->count; i++) {
		const struct wd_dependent *one = &found->items[i];
		if (one->how & WD_DEPENDS_BREAKS)
			wd_list_add(&swap->dependents, one->id);
		else if ((one->how & WD_DEPENDS_RESTART) && is_up(swap, one->id) && !is_spared(swap, one->id))
			wd_list_add(&swap->waiters, one->id);
	}
}

/* Of one that they depend on: what becomes of them when that ends (`perishes`), or begins anew. Those that are not known
 * yet are added. NULL, or one of them that must not be touched. */
static const struct wd_dependent *spread(struct wd_swap *swap, const struct wd_dependents *found, unsigned how,
					 bool perishes, struct wd_list *all)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct wd_dependent *one = &found->items[i];
		if ((one->how & how) == 0 || wd_list_has(all, one->id))
			continue;
		if (is_spared(swap, one->id))
			return one;
		wd_list_add(all, one->id);
		if (is_up(swap, one->id))
			wd_list_add(&swap->sharers, one->id);
		if (perishes && (one->how & WD_DEPENDS_PID) && is_up(swap, one->id))
			wd_list_add(&swap->perishing, one->id);
	}
	return NULL;
}

static char *refuse_spared(const struct wd_dependent *spared)
{
	return wd_format("%s depends on it, and is never touched ([safety] never, or seadog itself)", spared->name);
}

/* In the order in which they can be started again. */
static char *note_all(struct wd_swap *swap, const struct wd_dependents *direct)
{
	struct wd_dependents found = {0};
	struct wd_list all = {0};
	const struct wd_dependent *spared;
	char *why;

	wd_list_done(&swap->sharers);
	wd_list_add(&all, wd_json_string(wd_json_get(swap->inspect, "Id"), ""));
	spared = spread(swap, direct, WD_DEPENDS_BREAKS, true, &all);
	for (size_t i = 1; i < all.count && !spared; i++) {
		wd_dependents_find(find_other(swap, all.items[i]), swap->others, &found);
		spared = spread(swap, &found, SHARES, wd_list_has(&swap->perishing, all.items[i]), &all);
	}
	why = spared ? refuse_spared(spared) : NULL;
	wd_dependents_done(&found);
	wd_list_done(&all);
	return why;
}

char *wd_kin_note(struct wd_swap *swap)
{
	struct wd_dependents direct = {0};
	char *why;

	wd_dependents_find(swap->inspect, swap->others, &direct);
	note_direct(swap, &direct);
	why = note_all(swap, &direct);
	wd_dependents_done(&direct);
	return why;
}

static void tell_ids(const struct wd_swap *swap, const struct wd_list *ids, const char *what, struct wd_text *text)
{
	for (size_t i = 0; i < ids->count; i++) {
		const char *name = wd_json_string(wd_json_get(find_other(swap, ids->items[i]), "Name"), ids->items[i]);

		wd_text_print(text, "\n%s: %s", what, name + (*name == '/'));
	}
}

void wd_kin_tell(const struct wd_swap *swap, struct wd_text *text)
{
	tell_ids(swap, &swap->dependents, "made again with it", text);
	tell_ids(swap, &swap->waiters, "restarted behind it, as compose would", text);
}
