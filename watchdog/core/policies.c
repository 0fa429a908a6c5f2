#include "machine.h"

/* The new one first: it may be the old one once more. */
void wd_policies_take(struct wd_guard *guard, struct wd_service *service, struct wd_findings *findings)
{
	struct wd_policy *policy = wd_settings_policy(guard->settings, service->container, findings);
	struct wd_policy *known = wd_map_get(guard->policies, policy->values);

	if (known)
		wd_policy_free(policy);
	else
		wd_map_set(guard->policies, policy->values, policy);
	policy = known ? known : policy;
	policy->users++;
	wd_policies_drop(guard, service);
	service->policy = policy;
}

void wd_policies_drop(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_policy *policy = service->policy ? wd_map_get(guard->policies, service->policy->values) : NULL;

	service->policy = NULL;
	if (!policy || --policy->users > 0)
		return;
	wd_map_remove(guard->policies, policy->values);
	wd_policy_free(policy);
}
