/* run.c: `seadog run`: what is settled before the daemon begins. */
#include "face.h"

/* -n, -v and -q are the command line's say about the mode and the log. */
static void add_settings(struct wd_call *call)
{
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		wd_list_add(&call->sources.set, "seadog.mode=observe");
	if (wd_asked(call, WD_FLAG_VERBOSE))
		wd_list_add(&call->sources.set, "seadog.log_level=debug");
	else if (wd_asked(call, WD_FLAG_QUIET))
		wd_list_add(&call->sources.set, "seadog.log_level=warning");
}

bool wd_run_run(struct wd_call *call, struct wd_error *error)
{
	struct wd_wish wish;
	add_settings(call);
	if (!wd_call_settings(call, error))
		return false;
	wd_call_wish(call, &wish);
	int code = wd_daemon_run(call->settings, &call->sources, &wish.endpoint);
	return code == 0 || wd_fail(error, (enum wd_error_kind)code, "%s", "");
}
