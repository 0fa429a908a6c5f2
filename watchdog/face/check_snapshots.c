/* check_snapshots.c: whether there can be snapshots, and how the process that makes them is fenced in. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <watchdog/memory.h>
#include <watchdog/vault.h>

static void add_fence(struct wd_text *text, const struct wd_vault_might *might)
{
	wd_text_add(text, might->networkless ? "the vault has no network" : "this kernel leaves the vault its network");
	if (might->landlock)
		wd_text_print(text, ", and sees nothing but its volumes (Landlock %d)", might->landlock);
	else
		wd_text_add(text, "; this kernel has no Landlock");
}

/* Over a network the same path may lead to another volume here, or to none. */
static bool is_elsewhere(const struct wd_checking *checking, char **ret_host)
{
	struct wd_endpoint endpoint = {0};
	bool found = wd_call_endpoint(checking->call, &endpoint, NULL);
	bool elsewhere = found && !wd_text_starts(endpoint.host, "unix://");
	*ret_host = elsewhere ? wd_copy(endpoint.host) : NULL;
	wd_endpoint_done(&endpoint);
	return elsewhere;
}

/* A directory that is not there yet is made with the first snapshot. */
void wd_check_snapshots(struct wd_checking *checking)
{
	static const char off[] = "snapshots of volumes";
	WD_AUTO_FREE char *directory = wd_settings_snapshots(checking->call->settings);
	const struct wd_vault_might might = wd_vault_look();
	WD_AUTO_TEXT struct wd_text text = {0};
	WD_AUTO_FREE char *host = NULL;
	struct stat found;

	if (is_elsewhere(checking, &host))
		wd_check_add(
			checking, WD_GRADE_WARNING, "snapshots", off,
			"the Engine is spoken to at %s: whether its volumes are files on this machine is not to be "
			"known; a unix:// socket says that they are",
			host);
	else if (stat(directory, &found) != 0 && errno != ENOENT && errno != EACCES)
		wd_check_add(checking, WD_GRADE_FAILED, "snapshots", off, "%s: %s", directory, strerror(errno));
	else if (!might.owns)
		wd_check_add(checking, WD_GRADE_WARNING, "snapshots", off,
			     "who runs this may not read what is others' in a volume, and give it back to them: run as "
			     "root, or in a container that has the volumes' directory and the capabilities CHOWN, "
			     "DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID and SETFCAP");
	else {
		add_fence(&text, &might);
		wd_check_add(checking, WD_GRADE_OK, "snapshots", NULL, "%s; %s", directory, wd_text_get(&text));
	}
}
