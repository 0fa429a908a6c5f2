#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <watchdog/memory.h>

/* A row that the guard wants confirmed, on its way to the disk. */
struct remembering {
	struct wd_daemon *daemon;
	char *service, *id;
	struct wd_restart_policy policy;
};

/* Says it once when the disk stops taking, and once when it takes again. */
static void watch_store(struct wd_daemon *daemon)
{
	const char *trouble = wd_store_trouble(daemon->store);

	if (wd_text_equal(trouble, daemon->store_trouble))
		return;
	if (trouble)
		wd_log(WD_LOG_ERROR, NULL, NULL,
		       "the state directory cannot be written: %s; watching goes on, but nothing that must be "
		       "remembered is done",
		       trouble);
	else
		wd_log(WD_LOG_INFO, NULL, NULL, "the state directory can be written again");
	wd_replace(&daemon->store_trouble, trouble);
}

static void stored(void *data, const char *why)
{
	struct remembering *wait = data;
	struct wd_fact fact = {.kind = WD_FACT_STORED};

	fact.stored.service = wait->service;
	fact.stored.id = wait->id;
	fact.stored.policy = wait->policy;
	fact.stored.why = why;
	watch_store(wait->daemon);
	wd_daemon_tell(wait->daemon, &fact);
	free(wait->service);
	free(wait->id);
	free(wait);
}

static void written(void *data, const char *why)
{
	(void)why;
	watch_store(data);
}

static void remember(struct wd_daemon *daemon, const struct wd_order *order)
{
	if (!order->confirm) {
		wd_store_service(daemon->store, order->memory, NULL, NULL);
		return;
	}
	struct remembering *wait = wd_alloc(1, sizeof(*wait));
	wait->daemon = daemon;
	wait->service = wd_copy(order->service);
	wait->id = wd_copy(order->id);
	wait->policy = order->policy;
	wd_store_service(daemon->store, order->memory, stored, wait);
}

static enum wd_log_level level_of(const struct wd_order *order)
{
	switch (order->moment) {
	case WD_MOMENT_OPENED:
	case WD_MOMENT_WARNING:
	case WD_MOMENT_HELD_BACK:
		return WD_LOG_WARNING;
	case WD_MOMENT_STATE:
	case WD_MOMENT_STEP:
	case WD_MOMENT_CLOSED:
		return WD_LOG_INFO;
	}
	return WD_LOG_INFO;
}

/* A change of verdict is for the trace; what people are told goes to the log, with the incident that it belongs to. */
static void say(struct wd_daemon *daemon, const struct wd_order *order)
{
	const struct wd_incident *incident = order->incident;
	char number[32] = "";

	wd_daemon_show_progress(daemon, order);
	if (order->moment == WD_MOMENT_STATE && strstr(order->text, " -> ")) {
		wd_trace("judge", order->name, "%s", order->text);
		return;
	}
	if (incident)
		snprintf(number, sizeof(number), "%lld", (long long)incident->id);
	struct wd_log_field fields[] = {
		{"incident", incident ? number : NULL},
		{"trigger", incident ? wd_trigger_name(incident->trigger) : NULL},
		{"outcome", incident && order->moment == WD_MOMENT_CLOSED ? wd_outcome_name(incident->outcome) : NULL},
		{0},
	};
	wd_log(level_of(order), order->name, fields, "%s", order->text);
	if (incident)
		wd_daemon_show_incident(daemon, incident);
}

static void carry_out(struct wd_daemon *daemon, const struct wd_order *order)
{
	switch (order->kind) {
	case WD_ORDER_INSPECT:
		wd_engine_inspect(daemon->engine, order->id);
		break;
	case WD_ORDER_ACT:
		if (order->action == WD_ACTION_HOOK) {
			wd_daemon_hook(daemon, order);
			break;
		}
		wd_actor_do(daemon->actor, order, order->action == WD_ACTION_STOP || order->action == WD_ACTION_PAUSE);
		break;
	case WD_ORDER_REMEMBER:
		remember(daemon, order);
		break;
	case WD_ORDER_PINS:
		wd_store_pins(daemon->store, order->service, &order->memory->pins);
		wd_daemon_take_known_good(daemon, order->service);
		break;
	case WD_ORDER_FORGET:
		wd_store_forget(daemon->store, order->service);
		break;
	case WD_ORDER_INCIDENT:
		wd_store_incident(daemon->store, order->incident, written, daemon);
		break;
	case WD_ORDER_TELL:
		say(daemon, order);
		break;
	case WD_ORDER_IMAGE:
		wd_actor_image(daemon->actor, order);
		break;
	case WD_ORDER_ANSWER:
		wd_daemon_answer(daemon, order);
		break;
	}
}

void wd_daemon_tell(struct wd_daemon *daemon, struct wd_fact *fact)
{
	struct wd_order order;

	if (daemon->ending)
		return;
	fact->stamp = wd_stamp_now();
	wd_guard_tell(daemon->guard, wd_loop_now(daemon->loop), fact);
	while (wd_guard_take(daemon->guard, &order))
		carry_out(daemon, &order);
	wd_timer_set(daemon->wake, wd_guard_wake(daemon->guard));
}

void wd_daemon_step(void *data, const char *name, const char *plan, const char *step, const char *what)
{
	(void)data;
	wd_trace("act", name, "%s: %s: %s", plan, step, what);
}
