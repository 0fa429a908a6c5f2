/* taker.c: snapshots that are taken: asked for by hand, due by their schedule, or because an image has become known good. */
#include "daemon.h"

#include "keeper.h"
#include "ledger.h"

#include <string.h>
#include <watchdog/memory.h>

/* One that is under way, or whose command before it is. */
struct wd_sitting {
	struct wd_sitting *next;
	uint64_t request; /* also of the waiter, if there is one */
	char *service, *name;
	bool dry_run;
	bool waits; /* for its turn: something is being deleted */
};

/* When one was tried last: what failed is tried again when it is due again, not at once. */
struct wd_attempt {
	struct wd_attempt *next;
	char *service;
	wd_stamp at;
};

/* Tickets of the guard count from 1. */
static uint64_t ticket_of(const struct wd_sitting *sitting)
{
	return sitting->request | WD_TICKET_SNAPSHOT;
}

static struct wd_sitting **find_sitting(struct wd_daemon *daemon, uint64_t ticket)
{
	struct wd_sitting **slot = &daemon->sittings;

	while (*slot && ticket_of(*slot) != ticket)
		slot = &(*slot)->next;
	return slot;
}

static bool sits(const struct wd_daemon *daemon, const char *service)
{
	for (const struct wd_sitting *sitting = daemon->sittings; sitting; sitting = sitting->next)
		if (!sitting->dry_run && wd_text_equal(sitting->service, service))
			return true;
	return false;
}

static void free_sitting(struct wd_sitting *sitting)
{
	free(sitting->service);
	free(sitting->name);
	free(sitting);
}

static void note_attempt(struct wd_daemon *daemon, const char *service, wd_stamp at)
{
	struct wd_attempt *attempt = daemon->attempts;

	while (attempt && !wd_text_equal(attempt->service, service))
		attempt = attempt->next;
	if (!attempt) {
		attempt = wd_alloc(1, sizeof(*attempt));
		attempt->service = wd_copy(service);
		attempt->next = daemon->attempts;
		daemon->attempts = attempt;
	}
	attempt->at = at;
}

void wd_daemon_drop_sittings(struct wd_daemon *daemon)
{
	for (struct wd_sitting *sitting = daemon->sittings, *next; sitting; sitting = next) {
		next = sitting->next;
		free_sitting(sitting);
	}
	for (struct wd_attempt *attempt = daemon->attempts, *next; attempt; attempt = next) {
		next = attempt->next;
		free(attempt->service);
		free(attempt);
	}
	daemon->sittings = NULL;
	daemon->attempts = NULL;
}

/* --- how it ends ------------------------------------------------------------------------------------------------------- */

static void send_plan(struct wd_peer *peer, const struct wd_sitting *sitting, const char *detail)
{
	struct wd_json *answer = wd_json_object(), *plan = wd_json_set(answer, "plan", wd_json_array());
	struct wd_list lines = {0};

	wd_json_set_string(answer, "name", sitting->name);
	wd_list_split(&lines, detail ? detail : "", '\n');
	for (size_t i = 0; i < lines.count; i++)
		wd_json_add(plan, wd_json_text(lines.items[i]));
	wd_list_done(&lines);
	wd_peer_send(peer, answer);
}

static void answer(struct wd_daemon *daemon, const struct wd_sitting *sitting, enum wd_error_kind kind,
		   const struct wd_snapshot *snapshot, const char *detail)
{
	struct wd_waiter *waiter = wd_daemon_waiter(daemon, sitting->request);

	if (!waiter)
		return;
	if (kind != WD_ERROR_NONE) {
		wd_peer_refuse(waiter->peer, kind, "%s: %s", sitting->name, detail);
	} else if (sitting->dry_run) {
		send_plan(waiter->peer, sitting, detail);
		wd_peer_finish(waiter->peer);
	} else {
		struct wd_json *data = wd_json_object();
		wd_json_set_string(data, "snapshot", snapshot->id);
		wd_json_set_string(data, "name", sitting->name);
		wd_json_set_string(data, "detail", detail);
		wd_peer_send(waiter->peer, data);
		wd_peer_finish(waiter->peer);
	}
	wd_daemon_drop_waiter(daemon, waiter);
}

static void say(const struct wd_sitting *sitting, enum wd_error_kind kind, const char *detail)
{
	if (sitting->dry_run)
		return;
	if (kind == WD_ERROR_NONE)
		wd_log(WD_LOG_INFO, sitting->name, NULL, "%s", detail);
	else
		wd_log(WD_LOG_WARNING, sitting->name, NULL, "no snapshot was taken: %s", detail);
}

static void end(struct wd_daemon *daemon, struct wd_sitting **slot, enum wd_error_kind kind,
		const struct wd_snapshot *snapshot, const char *detail)
{
	struct wd_sitting *sitting = *slot;

	*slot = sitting->next;
	say(sitting, kind, detail);
	if (snapshot) {
		wd_ledger_add(daemon->ledger, snapshot);
		wd_ledger_ask(daemon->ledger, WD_LEDGER_VERIFY, snapshot->id, 0);
	}
	answer(daemon, sitting, kind, snapshot, detail);
	free_sitting(sitting);
	wd_ledger_spare(daemon->ledger, daemon->sittings != NULL);
}

bool wd_daemon_sat(struct wd_daemon *daemon, const struct wd_fact *fact)
{
	struct wd_sitting **slot = find_sitting(daemon, fact->acted.ticket);
	const char *detail = fact->acted.detail;

	if (fact->kind != WD_FACT_ACTED || !*slot)
		return false;
	enum wd_error_kind kind = fact->acted.end == WD_PLAN_DONE      ? WD_ERROR_NONE
				  : fact->acted.end == WD_PLAN_REFUSED ? WD_ERROR_REFUSED
								       : WD_ERROR_FAILED;
	if (kind == WD_ERROR_NONE && !fact->acted.snapshot && !(*slot)->dry_run)
		kind = WD_ERROR_FAILED;
	end(daemon, slot, kind, fact->acted.snapshot, detail ? detail : "it is not known why");
	return true;
}

void wd_daemon_sitting(void *data, uint64_t ticket, const struct wd_vault_progress *progress)
{
	struct wd_daemon *daemon = data;
	const struct wd_sitting *sitting = *find_sitting(daemon, ticket);
	const struct wd_waiter *waiter = sitting ? wd_daemon_waiter(daemon, sitting->request) : NULL;

	if (waiter)
		wd_peer_send(waiter->peer, wd_keeper_progress(NULL, sitting->name, progress));
}

/* --- how it begins ------------------------------------------------------------------------------------------------------ */

static void order(struct wd_daemon *daemon, const struct wd_sitting *sitting, const struct wd_service_view *view)
{
	const struct wd_snapshot *previous = wd_ledger_newest(daemon->ledger, view->service);
	const struct wd_policy *policy = view->policy;
	WD_AUTO_FREE char *directory = wd_settings_snapshots(daemon->settings);
	const struct wd_snapshot_wish wish = {
		.directory = directory,
		.previous = previous ? previous->id : NULL,
		.min_free = daemon->settings->min_free,
		.consistency = policy->snapshot_consistency,
		.squeeze = !policy->snapshot_plain,
		.well = view->verdict == WD_VERDICT_WELL,
		.binds = &policy->snapshot_binds,
	};
	const struct wd_order order = {
		.kind = WD_ORDER_ACT,
		.action = WD_ACTION_SNAPSHOT,
		.ticket = ticket_of(sitting),
		.service = view->service,
		.name = view->container->name,
		.id = view->container->id,
		.stop_timeout = view->container->stop_timeout,
		.snapshot = &wish,
		.rehearse = sitting->dry_run,
	};

	wd_ledger_spare(daemon->ledger, true);
	wd_actor_do(daemon->actor, &order, false);
}

/* The service may be another one by now: it is looked for anew. */
static void go_on(struct wd_daemon *daemon, struct wd_sitting **slot)
{
	struct wd_service_view view;

	(*slot)->waits = wd_ledger_is_deleting(daemon->ledger);
	if ((*slot)->waits)
		return;
	if (wd_guard_find(daemon->guard, (*slot)->service, wd_loop_now(daemon->loop), &view) && view.container)
		order(daemon, *slot, &view);
	else
		end(daemon, slot, WD_ERROR_FAILED, NULL, "its container is gone");
}

void wd_daemon_sit_on(struct wd_daemon *daemon)
{
	struct wd_sitting **slot = &daemon->sittings;

	while (*slot) {
		const struct wd_sitting *sitting = *slot;
		if (sitting->waits)
			go_on(daemon, slot);
		if (*slot == sitting)
			slot = &(*slot)->next;
	}
}

/* The command that writes what the snapshot is to hold: a dump of a database, say. */
static void run_before(struct wd_daemon *daemon, struct wd_sitting *sitting, const char *named)
{
	const char *name = named + strlen("hook:");
	struct wd_hook hook = {.ticket = ticket_of(sitting)};
	WD_AUTO_FREE char *service = wd_format("SEADOG_HOOK_SERVICE=%s", sitting->service);
	WD_AUTO_FREE char *container = wd_format("SEADOG_HOOK_CONTAINER=%s", sitting->name);
	WD_AUTO_FREE char *own = wd_format("SEADOG_HOOK_NAME=%s", name);
	WD_AUTO_JSON struct wd_json *input = wd_json_object();

	wd_json_set_string(input, "service", sitting->service);
	wd_json_set_string(input, "name", sitting->name);
	WD_AUTO_FREE char *text = wd_json_print(input);
	hook.input = text;
	if (!wd_settings_hook(daemon->settings, name, &hook.command, &hook.timeout))
		wd_list_add(&hook.command, name);
	wd_list_add(&hook.environment, own);
	wd_list_add(&hook.environment, service);
	wd_list_add(&hook.environment, container);
	wd_hooks_run(daemon->hooks, &hook);
	wd_list_done(&hook.command);
	wd_list_done(&hook.environment);
}

bool wd_daemon_sat_before(struct wd_daemon *daemon, uint64_t ticket, bool ok, const char *detail)
{
	struct wd_sitting **slot = find_sitting(daemon, ticket);

	if (!*slot)
		return false;
	if (!ok) {
		WD_AUTO_FREE char *why = wd_format("snapshot_before: %s", detail);
		end(daemon, slot, WD_ERROR_FAILED, NULL, why);
	} else {
		go_on(daemon, slot);
	}
	return true;
}

static void begin(struct wd_daemon *daemon, const struct wd_service_view *view, uint64_t request, bool dry_run)
{
	struct wd_sitting *sitting = wd_alloc(1, sizeof(*sitting));

	sitting->request = request;
	sitting->service = wd_copy(view->service);
	sitting->name = wd_copy(view->container->name);
	sitting->dry_run = dry_run;
	sitting->next = daemon->sittings;
	daemon->sittings = sitting;
	if (!dry_run)
		note_attempt(daemon, view->service, wd_stamp_now());
	if (view->policy->snapshot_before && !dry_run)
		run_before(daemon, sitting, view->policy->snapshot_before);
	else
		go_on(daemon, &daemon->sittings);
}

/* Who we are ourselves, or speak through, must not stand still for us. */
static bool is_spared(const struct wd_daemon *daemon, const struct wd_service_view *view)
{
	const struct wd_container *container = view->container;

	if (wd_list_has(&daemon->self, container->id) || wd_list_has(&daemon->self, container->name))
		return true;
	for (size_t i = 0; i < daemon->settings->never.count; i++)
		if (wd_glob_match(daemon->settings->never.items[i], container->name))
			return true;
	return false;
}

/* --- by hand ----------------------------------------------------------------------------------------------------------- */

void wd_daemon_create(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request, const char *name)
{
	struct wd_service_view view;

	if (!name)
		wd_peer_refuse(peer, WD_ERROR_USAGE, "which service? a name is needed");
	else if (!wd_guard_find(daemon->guard, name, wd_loop_now(daemon->loop), &view) || view.gone)
		wd_peer_refuse(peer, WD_ERROR_NOT_FOUND, "no such service: %s", name);
	else if (!view.container)
		wd_daemon_refuse_unseen(daemon, peer, name);
	else if (is_spared(daemon, &view))
		wd_peer_refuse(peer, WD_ERROR_REFUSED,
			       "%s: never touched: [safety] never names it, or it is seadog's own", name);
	else if (sits(daemon, view.service))
		wd_peer_refuse(peer, WD_ERROR_REFUSED, "%s: a snapshot of it is being taken", name);
	else
		begin(daemon, &view, wd_daemon_wait(daemon, peer, WD_WAITS_VAULT, name)->request,
		      wd_json_bool(wd_json_get(request, "dry_run"), false));
}

/* --- by itself --------------------------------------------------------------------------------------------------------- */

/* What is sick, held or under treatment is left alone: what it missed is caught up, once, when it is well again. */
static bool may_be_taken(const struct wd_daemon *daemon, const struct wd_service_view *view)
{
	if (!daemon->has_vault || !view->container || !view->policy || !view->policy->watched ||
	    view->memory->hold.held || view->incident)
		return false;
	if (view->container->state != WD_STATE_RUNNING && view->container->state != WD_STATE_EXITED)
		return false;
	return !sits(daemon, view->service) && !is_spared(daemon, view) && !daemon->settings->observe;
}

static wd_stamp last_of(const struct wd_daemon *daemon, const char *service)
{
	const struct wd_snapshot *newest = wd_ledger_newest(daemon->ledger, service);
	const struct wd_attempt *attempt = daemon->attempts;

	while (attempt && !wd_text_equal(attempt->service, service))
		attempt = attempt->next;
	wd_stamp last = newest ? newest->stamp : daemon->born;
	return attempt && attempt->at > last ? attempt->at : last;
}

void wd_daemon_take_due(struct wd_daemon *daemon)
{
	wd_stamp now = wd_stamp_now();
	struct wd_service_view view;

	for (size_t i = 0; wd_guard_view(daemon->guard, i, wd_loop_now(daemon->loop), &view); i++)
		if (view.policy && view.policy->snapshot_schedule.on && may_be_taken(daemon, &view) &&
		    wd_schedule_next(&view.policy->snapshot_schedule, &wd_keeper_zone, last_of(daemon, view.service)) <=
			    now)
			begin(daemon, &view, daemon->next_request++, false);
}

static bool has_under(struct wd_daemon *daemon, const char *service, const char *image_id)
{
	const struct wd_snapshot *const *snapshots;
	size_t count = wd_ledger_of(daemon->ledger, service, &snapshots);

	for (size_t i = 0; i < count; i++)
		if (!snapshots[i]->broken && wd_text_equal(snapshots[i]->image_id, image_id))
			return true;
	return false;
}

void wd_daemon_take_known_good(struct wd_daemon *daemon, const char *service)
{
	struct wd_service_view view;

	if (!wd_guard_find(daemon->guard, service, wd_loop_now(daemon->loop), &view) || !may_be_taken(daemon, &view) ||
	    !view.policy->snapshot_schedule.on)
		return;
	const struct wd_pins *pins = &view.memory->pins;
	const struct wd_pin *newest = pins->count ? &pins->items[pins->count - 1] : NULL;
	if (newest && newest->by == WD_PIN_LEARNED && wd_text_equal(newest->id, view.container->image_id) &&
	    !has_under(daemon, view.service, newest->id))
		begin(daemon, &view, daemon->next_request++, false);
}
