/* check_hooks.c: whether the commands of [hook NAME] can be run, and whether it is safe to run them. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

/* Whoever may write it, or may put another one in its place, is whoever runs seadog. */
static const char *unsafe(const struct stat *found)
{
	if (found->st_uid != 0 && found->st_uid != geteuid())
		return "belongs to another user";
	if (found->st_mode & S_IWOTH)
		return "can be written by everybody";
	return NULL;
}

static char *folder_of(const char *program)
{
	const char *slash = strrchr(program, '/');

	return slash && slash != program ? wd_copy_part(program, (size_t)(slash - program)) : wd_copy("/");
}

/* A folder that everybody may write lets nobody replace what is another's where it is sticky. */
static const char *unsafe_folder(const char *program)
{
	struct stat found;
	WD_AUTO_FREE char *folder = folder_of(program);

	if (stat(folder, &found) != 0 || (found.st_mode & S_ISVTX))
		return NULL;
	return unsafe(&found) ? "is in a folder that others can change" : NULL;
}

static void check_program(struct wd_checking *checking, const char *title, const char *program)
{
	WD_AUTO_FREE char *off = wd_format("%s: the rung fails, and the ladder goes on", title);
	struct stat found;

	if (stat(program, &found) != 0) {
		wd_check_add(checking, WD_GRADE_FAILED, "hook", off, "%s: %s", program, strerror(errno));
	} else if (!S_ISREG(found.st_mode)) {
		wd_check_add(checking, WD_GRADE_FAILED, "hook", off, "%s is no program", program);
	} else if (access(program, X_OK) != 0) {
		wd_check_add(checking, WD_GRADE_FAILED, "hook", off, "%s: %s", program, strerror(errno));
	} else {
		const char *why = unsafe(&found);
		why = why ? why : unsafe_folder(program);
		if (why)
			wd_check_add(checking, WD_GRADE_FAILED, "hook", NULL,
				     "%s %s: who does so runs commands as seadog", program, why);
		else
			wd_check_add(checking, WD_GRADE_OK, "hook", NULL, "%s: %s", title, program);
	}
}

static void on_value(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	struct wd_list words = {0};

	(void)origin;
	if (!wd_text_starts(section, "hook ") || !wd_text_equal(key, "command"))
		return;
	if (wd_words_split(value, &words, NULL) && words.count)
		check_program(data, section, words.items[0]);
	wd_list_done(&words);
}

void wd_check_hooks(struct wd_checking *checking)
{
	wd_settings_each(checking->call->settings, NULL, on_value, checking);
}
