#include "actions.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

enum { ROOM_BYTES = 1 << 20, TEXT_MOST = 256, ID_SHOWN = 12 };

struct wd_under_way {
	struct wd_under_way *next;
	int64_t id;
	char *what; /* "hold web 0123456789ab" */
};

void wd_actions_init(struct wd_actions *actions, const struct wd_home *home)
{
	*actions = (struct wd_actions){.home = home};
}

static void drop(struct wd_under_way **slot)
{
	struct wd_under_way *gone = *slot;
	*slot = gone->next;
	free(gone->what);
	free(gone);
}

void wd_actions_done(struct wd_actions *actions)
{
	while (actions->under_way)
		drop(&actions->under_way);
}

static int open_log(const struct wd_home *home, const char *path)
{
	struct stat now;
	if (stat(path, &now) == 0 && now.st_size >= ROOM_BYTES) {
		WD_AUTO_FREE char *older = wd_format("%s.1", path);
		rename(path, older);
	}
	int descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (descriptor >= 0)
		wd_home_give(home, descriptor);
	return descriptor;
}

void wd_actions_say(struct wd_actions *actions, const char *text)
{
	char now[WD_TIME_TEXT];
	WD_AUTO_TEXT struct wd_text line = {0};
	wd_text_print(&line, "%.19sZ %s\n", wd_stamp_print(wd_stamp_now(), now), text);
	WD_AUTO_FREE char *path = wd_format("%s/actions.log", actions->home->directory);
	int descriptor = open_log(actions->home, path);
	if (descriptor < 0)
		return;
	(void)!write(descriptor, line.data, line.length);
	close(descriptor);
}

static void add(struct wd_text *text, const char *foreign, size_t limit)
{
	if (!foreign)
		foreign = "-";
	wd_text_escape(text, foreign, strnlen(foreign, limit), limit);
}

static char *name_plan(const struct wd_journal *journal)
{
	struct wd_text what = {0};
	add(&what, journal->plan, TEXT_MOST);
	wd_text_add(&what, " ");
	add(&what, journal->name ? journal->name : journal->service, TEXT_MOST);
	wd_text_add(&what, " ");
	add(&what, journal->container, ID_SHOWN);
	return wd_text_take(&what);
}

static void say_begun(struct wd_actions *actions, const char *what, const struct wd_journal *journal)
{
	WD_AUTO_TEXT struct wd_text line = {0};
	wd_text_add(&line, what);
	if (journal->incident)
		wd_text_print(&line, " incident %" PRId64, journal->incident);
	else
		wd_text_add(&line, " by hand");
	wd_text_print(&line, " policy %s", wd_restart_name(journal->policy.kind));
	if (journal->policy.retries)
		wd_text_print(&line, ":%u", journal->policy.retries);
	if (journal->no_start)
		wd_text_add(&line, " no-start");
	wd_actions_say(actions, wd_text_get(&line));
}

static struct wd_under_way **find(struct wd_actions *actions, int64_t id)
{
	struct wd_under_way **slot = &actions->under_way;
	while (*slot && (*slot)->id != id)
		slot = &(*slot)->next;
	return slot;
}

void wd_actions_begun(struct wd_actions *actions, const struct wd_journal *journal, bool known)
{
	struct wd_under_way **slot = find(actions, journal->id);
	if (*slot)
		return;
	*slot = wd_alloc(1, sizeof(**slot));
	(*slot)->id = journal->id;
	(*slot)->what = name_plan(journal);
	if (!known)
		say_begun(actions, (*slot)->what, journal);
}

void wd_actions_ended(struct wd_actions *actions, int64_t journal_id)
{
	struct wd_under_way **slot = find(actions, journal_id);
	if (!*slot)
		return;
	WD_AUTO_FREE char *line = wd_format("%s ended", (*slot)->what);
	wd_actions_say(actions, line);
	drop(slot);
}

void wd_actions_failed(struct wd_actions *actions, int64_t journal_id, const char *why)
{
	struct wd_under_way **slot = find(actions, journal_id);
	if (!*slot)
		return;
	WD_AUTO_FREE char *line = wd_format("%s not in the journal: %s", (*slot)->what, why);
	wd_actions_say(actions, line);
	drop(slot);
}
