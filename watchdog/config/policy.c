#include <stdlib.h>

#include <watchdog/policy.h>

struct wd_policy *wd_policy_free(struct wd_policy *policy)
{
	if (!policy)
		return NULL;
	for (unsigned trigger = 0; trigger < WD_TRIGGERS; trigger++)
		for (unsigned i = 0; i < WD_RUNGS_MAX; i++)
			free(policy->ladders[trigger].rungs[i].hook);
	free(policy->name);
	free(policy);
	return NULL;
}

bool wd_codes_has(const struct wd_codes *codes, int code)
{
	return code >= 0 && code <= 255 && (codes->bits[code / 64] >> (code % 64) & 1) != 0;
}

bool wd_action_changes(enum wd_action action)
{
	return action != WD_ACTION_NOTIFY && action != WD_ACTION_HOOK;
}

bool wd_ladder_acts(const struct wd_ladder *ladder)
{
	for (unsigned i = 0; i < ladder->count; i++)
		if (wd_action_changes(ladder->rungs[i].action))
			return true;
	return false;
}
