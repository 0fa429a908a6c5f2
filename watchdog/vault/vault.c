/* vault.c: the process: one line in, one job, a last line out. */
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <watchdog/memory.h>
#include <watchdog/vault.h>

#include "jail.h"

#define JOB_PATIENCE (30 * WD_SECOND)

static const struct {
	const char *name;
	wd_verb *verb;
} verbs[] = {
	{"take", wd_verb_take},     {"list", wd_verb_list},       {"verify", wd_verb_verify},
	{"delete", wd_verb_delete}, {"unpack", wd_verb_unpack},   {"exchange", wd_verb_exchange},
	{"look", wd_verb_look},     {"discard", wd_verb_discard}, {"exchange_back", wd_verb_exchange_back},
};

const char *wd_work_text(const struct wd_work *work, const char *name)
{
	return wd_json_string(wd_json_get(work->job, name), NULL);
}

static bool do_job(struct wd_work *work, struct wd_error *error)
{
	const char *name = wd_work_text(work, "verb");

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (wd_text_equal(verbs[i].name, name))
			return verbs[i].verb(work, error);
	return wd_fail(error, WD_ERROR_REFUSED, "the vault knows no job %s", name ? name : "without a verb");
}

static void tell_done(struct wd_work *work)
{
	WD_AUTO_JSON struct wd_json *line = wd_json_object();

	wd_json_set(line, "done", work->done ? work->done : wd_json_object());
	work->done = NULL;
	wd_talk_say(work->talk, line);
}

static const char *kind_of(const struct wd_work *work, const struct wd_error *error)
{
	if (work->full)
		return "full";
	if (error->kind == WD_ERROR_NOT_FOUND)
		return "gone";
	return error->kind == WD_ERROR_REFUSED ? "refused" : "failed";
}

static void tell_error(const struct wd_work *work, const struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *line = wd_json_object();

	wd_json_set_string(line, "error", error->text);
	wd_json_set_string(line, "kind", kind_of(work, error));
	wd_json_set_int(line, "exit", error->kind);
	wd_talk_say(work->talk, line);
}

static bool is_socket(int descriptor)
{
	struct stat found;

	return fstat(descriptor, &found) == 0 && S_ISSOCK(found.st_mode);
}

bool wd_vault_serve(int descriptor, struct wd_error *error)
{
	struct wd_talk talk = {.descriptor = descriptor};
	struct wd_work work = {.talk = &talk};
	struct wd_error trouble = {0};

	if (!is_socket(descriptor))
		return wd_fail(error, WD_ERROR_USAGE, "%s",
			       "the vault is started by seadog itself, or by systemd (seadog-vault.socket)");
	WD_AUTO_JSON struct wd_json *job = wd_talk_hear(&talk, JOB_PATIENCE, &trouble);
	work.job = job;
	if (job && do_job(&work, &trouble))
		tell_done(&work);
	else
		tell_error(&work, &trouble);
	wd_json_free(work.done);
	wd_talk_done(&talk);
	return true;
}

struct wd_vault_might wd_vault_look(void)
{
	return (struct wd_vault_might){
		.owns = wd_jail_owns_files(),
		.landlock = wd_jail_landlock(),
		.networkless = wd_jail_has_filter(),
	};
}
