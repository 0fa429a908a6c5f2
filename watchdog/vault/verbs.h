/* verbs.h: the jobs, each a function: it opens what it needs, enters the jail, and does it. */
#ifndef WATCHDOG_VAULT_VERBS_H
#define WATCHDOG_VAULT_VERBS_H

#include "talk.h"

struct wd_work {
	const struct wd_json *job;
	struct wd_talk *talk;
	bool full;            /* why it failed: there is no room */
	struct wd_json *done; /* for the last line; freed by whoever called */
};
typedef bool wd_verb(struct wd_work *work, struct wd_error *error);

wd_verb wd_verb_take;
wd_verb wd_verb_list, wd_verb_verify, wd_verb_delete;
wd_verb wd_verb_unpack, wd_verb_exchange, wd_verb_exchange_back, wd_verb_discard, wd_verb_look;

const char *wd_work_text(const struct wd_work *work, const char *name); /* a member of the job, or NULL */

#endif
