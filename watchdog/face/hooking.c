/* hooking.c: the rung hook:NAME: which command that is, and what it is told. */
#include "daemon.h"

#include <stdlib.h>
#include <watchdog/memory.h>

void wd_daemon_hooked(void *data, uint64_t ticket, bool ok, const char *detail)
{
	struct wd_fact fact = {.kind = WD_FACT_HOOKED};

	if (wd_daemon_sat_before(data, ticket, ok, detail))
		return;

	fact.hooked.ticket = ticket;
	fact.hooked.ok = ok;
	fact.hooked.detail = detail;
	wd_daemon_tell(data, &fact);
}

static void add_fact(struct wd_list *environment, const char *name, const char *value)
{
	WD_AUTO_FREE char *entry = wd_format("SEADOG_HOOK_%s=%s", name, value ? value : "");

	wd_list_add(environment, entry);
}

/* The short facts are in the environment too, for commands that read no JSON. */
static void add_facts(struct wd_list *environment, const struct wd_order *order)
{
	WD_AUTO_FREE char *id = wd_format("%lld", (long long)order->incident->id);

	add_fact(environment, "NAME", order->hook);
	add_fact(environment, "INCIDENT", id);
	add_fact(environment, "SERVICE", order->incident->service);
	add_fact(environment, "CONTAINER", order->incident->name);
	add_fact(environment, "TRIGGER", wd_trigger_name(order->incident->trigger));
}

/* A reload may have taken the section away since the ladder was read: one without a command is refused by its name. */
void wd_daemon_hook(struct wd_daemon *daemon, const struct wd_order *order)
{
	struct wd_hook hook = {.ticket = order->ticket};
	WD_AUTO_JSON struct wd_json *report = wd_report_incident(order->incident, true);
	WD_AUTO_FREE char *input = wd_json_print(report);

	hook.input = input;
	if (!wd_settings_hook(daemon->settings, order->hook, &hook.command, &hook.timeout))
		wd_list_add(&hook.command, order->hook);
	add_facts(&hook.environment, order);
	wd_hooks_run(daemon->hooks, &hook);
	wd_list_done(&hook.command);
	wd_list_done(&hook.environment);
}
