#include "machine.h"

void wd_hold_end(struct wd_guard *guard, struct wd_service *service)
{
	service->memory.hold.held = service->cut_hold = false;
	if (service->unhealthy_since != WD_NEVER) /* its time begins anew, as its windows do */
		service->unhealthy_since = guard->now;
	wd_usage_forget(service);
	wd_replace(&service->memory.hold.id, NULL);
	wd_guard_dirty(guard, service, false);
}

/* The row says held before the plan's journal is struck out, so there is no moment at which nobody remembers. */
void wd_hold_begin(struct wd_guard *guard, struct wd_service *service, enum wd_action kind, int64_t incident)
{
	struct wd_hold *hold = &service->memory.hold;

	hold->held = true;
	hold->kind = kind;
	hold->since = guard->stamp;
	hold->incident = incident;
	hold->policy = service->memory.policy;
	wd_replace(&hold->id, service->memory.id);
	wd_guard_dirty(guard, service, true);
}

/* What a plan has left it with: the next crash may come before the next inspect. */
void wd_hold_leaves(struct wd_guard *guard, struct wd_service *service, struct wd_restart_policy policy)
{
	service->memory.policy = policy;
	service->left_at = guard->now;
	service->remembered = false;
	if (service->container)
		service->container->policy = policy;
	wd_guard_dirty(guard, service, false);
}

struct wd_order *wd_hold_order(struct wd_guard *guard, const struct wd_service *service, enum wd_action action)
{
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_ACT, service);

	order->action = action;
	order->ticket = guard->next_ticket++;
	order->policy = service->memory.policy;
	order->hold_kind = wd_memory_kind(&service->memory);
	if (action == WD_ACTION_RELEASE)
		order->cut = service->memory.throttle.cut;
	if (service->container)
		order->stop_timeout = service->container->stop_timeout;
	return order;
}

bool wd_throttle_is(const struct wd_service *service)
{
	return wd_cpu_cut_is(&service->memory.throttle.cut);
}

/* As with a hold: the row says so before the plan's journal is struck out. */
void wd_throttle_begin(struct wd_guard *guard, struct wd_service *service, const struct wd_cpu_cut *cut,
		       int64_t incident)
{
	service->memory.throttle = (struct wd_throttle){.cut = *cut, .since = guard->stamp, .incident = incident};
	service->throttled_at = guard->now;
	wd_usage_forget(service); /* what it used before says nothing of what it uses now */
	if (service->container)
		service->container->cpus = cut->now;
	wd_guard_dirty(guard, service, true);
}

void wd_throttle_end(struct wd_guard *guard, struct wd_service *service)
{
	if (!wd_throttle_is(service))
		return;
	service->memory.throttle = (struct wd_throttle){0};
	wd_guard_dirty(guard, service, false);
}

void wd_throttle_seen(struct wd_guard *guard, struct wd_service *service, wd_time asked)
{
	if (!wd_throttle_is(service) || wd_service_busy(service) || asked < service->throttled_at)
		return;
	if (wd_cpus_equal(service->container->cpus, service->memory.throttle.cut.now))
		return;
	wd_throttle_end(guard, service);
	wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL,
			     "the throttle has ended: somebody has set another limit of CPUs");
}
