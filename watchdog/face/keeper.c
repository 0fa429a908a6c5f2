/* keeper.c: what the running watchdog does about snapshots: answers what is asked, and keeps them by their rules. */
#include "daemon.h"

#include "keeper.h"
#include "ledger.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <watchdog/keeping.h>
#include <watchdog/memory.h>

static int64_t ahead_of(const void *data, int64_t second)
{
	time_t moment = (time_t)second;
	struct tm wall;

	(void)data;
	return localtime_r(&moment, &wall) ? wall.tm_gmtoff : 0;
}

const struct wd_zone wd_keeper_zone = {.ahead = ahead_of};

/* --- which ------------------------------------------------------------------------------------------------------------- */

/* By a snapshot's id, a service's identity, or a container's name, of one that is there or was. NULL adds all. */
static void find_ids(struct wd_daemon *daemon, const char *name, struct wd_list *ret_ids)
{
	const struct wd_snapshot *const *all;
	size_t count = wd_ledger_of(daemon->ledger, NULL, &all);
	struct wd_service_view view;
	const char *service = name;

	if (name && wd_guard_find(daemon->guard, name, wd_loop_now(daemon->loop), &view))
		service = view.service;
	for (size_t i = 0; i < count; i++)
		if (!name || wd_text_equal(all[i]->id, name) || wd_text_equal(all[i]->service, service) ||
		    wd_text_equal(all[i]->name, name))
			wd_list_add(ret_ids, all[i]->id);
}

/* false: there is none, and the peer was told. All services may have none. */
static bool choose_ids(struct wd_daemon *daemon, struct wd_peer *peer, const char *name, struct wd_list *ret_ids)
{
	struct wd_service_view view;

	find_ids(daemon, name, ret_ids);
	if (ret_ids->count || !name)
		return true;
	if (wd_guard_find(daemon->guard, name, wd_loop_now(daemon->loop), &view))
		return true;
	wd_peer_refuse(peer, WD_ERROR_NOT_FOUND, "no such service and no such snapshot: %s", name);
	return false;
}

/* --- list -------------------------------------------------------------------------------------------------------------- */

static void do_list(struct wd_daemon *daemon, struct wd_peer *peer, const char *name)
{
	struct wd_list ids = {0};

	if (choose_ids(daemon, peer, name, &ids)) {
		struct wd_json *report = wd_report_snapshots();
		for (size_t i = 0; i < ids.count; i++)
			wd_report_add_snapshot(report, wd_ledger_find(daemon->ledger, ids.items[i]));
		wd_peer_send(peer, report);
		wd_peer_finish(peer);
	}
	wd_list_done(&ids);
}

/* --- what is kept ------------------------------------------------------------------------------------------------------ */

static bool is_in_trouble(const struct wd_service_view *view)
{
	return view->memory->hold.held || view->incident || !view->container || view->verdict == WD_VERDICT_SICK;
}

/* Of one whose container is gone, the configuration file alone says how many are kept. */
static struct wd_policy *policy_of_gone(const struct wd_daemon *daemon, const struct wd_snapshot *snapshot)
{
	struct wd_container container = {.id = snapshot->service, .name = snapshot->name, .service = snapshot->service};
	return wd_settings_policy(daemon->settings, &container, NULL);
}

/* Adds the ids of those that may go. */
static void choose_superfluous(struct wd_daemon *daemon, const char *service, struct wd_list *ret_ids)
{
	struct wd_keeping_wish wish = {.zone = wd_keeper_zone};
	const struct wd_snapshot *const *snapshots;
	struct wd_service_view view = {0};
	const char *images[8];
	size_t count = wd_ledger_of(daemon->ledger, service, &snapshots);
	bool known = wd_guard_find(daemon->guard, service, wd_loop_now(daemon->loop), &view);

	if (count == 0)
		return;
	bool has_policy = known && view.policy;
	struct wd_policy *own = has_policy ? NULL : policy_of_gone(daemon, snapshots[0]);
	const struct wd_policy *policy = has_policy ? view.policy : own;
	wish.keeping = policy->keeping;
	wish.trouble = known && is_in_trouble(&view);
	for (unsigned i = known ? view.memory->pins.count : 0; i-- > 0 && wish.image_count < 8;)
		images[wish.image_count++] = view.memory->pins.items[i].id;
	wish.images = images;
	WD_AUTO_FREE bool *kept = wd_alloc(count, sizeof(*kept));
	wd_keeping_choose(&wish, snapshots, count, kept);
	for (size_t i = 0; i < count; i++)
		if (!kept[i])
			wd_list_add(ret_ids, snapshots[i]->id);
	wd_policy_free(own);
}

/* Behind a new one. What was asked to be verified by hand does not delete anything. */
static void prune_after(struct wd_daemon *daemon, const char *id)
{
	const struct wd_snapshot *snapshot = wd_ledger_find(daemon->ledger, id);
	WD_AUTO_FREE char *service = snapshot ? wd_copy(snapshot->service) : NULL;
	struct wd_list superfluous = {0};

	if (service)
		choose_superfluous(daemon, service, &superfluous);
	for (size_t i = 0; i < superfluous.count; i++)
		wd_ledger_ask(daemon->ledger, WD_LEDGER_DELETE, superfluous.items[i], 0);
	wd_list_done(&superfluous);
}

/* --- jobs that somebody waits for ---------------------------------------------------------------------------------------- */

static void begin_jobs(struct wd_daemon *daemon, struct wd_peer *peer, enum wd_ledger_job job,
		       const struct wd_list *ids)
{
	if (ids->count == 0) {
		wd_peer_finish(peer);
		return;
	}
	struct wd_waiter *waiter = wd_daemon_wait(daemon, peer, WD_WAITS_VAULT, NULL);
	waiter->answers_due = (unsigned)ids->count;
	waiter->plain = ids->count == 1;
	for (size_t i = 0; i < ids->count; i++)
		wd_ledger_ask(daemon->ledger, job, ids->items[i], waiter->request);
}

static void do_verify(struct wd_daemon *daemon, struct wd_peer *peer, const char *name)
{
	struct wd_list ids = {0};

	if (choose_ids(daemon, peer, name, &ids))
		begin_jobs(daemon, peer, WD_LEDGER_VERIFY, &ids);
	wd_list_done(&ids);
}

struct wd_json *wd_keeper_progress(const char *id, const char *name, const struct wd_vault_progress *progress)
{
	struct wd_json *answer = wd_json_object(), *item = wd_json_set(answer, "progress", wd_json_object());

	if (id)
		wd_json_set_string(item, "id", id);
	wd_json_set_string(item, "name", name);
	wd_json_set_int(item, "files", (int64_t)progress->files);
	wd_json_set_int(item, "bytes", (int64_t)progress->bytes);
	wd_json_set_int(item, "total_bytes", (int64_t)progress->total_bytes);
	return answer;
}

static void on_progress(void *data, uint64_t ticket, const char *id, const struct wd_vault_progress *progress)
{
	struct wd_daemon *daemon = data;
	const struct wd_waiter *waiter = wd_daemon_waiter(daemon, ticket);
	const struct wd_snapshot *snapshot = wd_ledger_find(daemon->ledger, id);

	if (waiter)
		wd_peer_send(waiter->peer, wd_keeper_progress(id, snapshot ? snapshot->name : NULL, progress));
}

static void tell_end(struct wd_waiter *waiter, enum wd_ledger_job job, const char *id, const struct wd_error *error)
{
	struct wd_json *answer = wd_json_object();

	if (error) {
		waiter->failed++;
		wd_json_set_string(answer, "failed", id);
		wd_json_set_string(answer, "why", error->text);
	} else {
		wd_json_set_string(answer, job == WD_LEDGER_VERIFY ? "verified" : "deleted", id);
	}
	wd_peer_send(waiter->peer, answer);
}

static void say_background(enum wd_ledger_job job, const char *id, const struct wd_error *error)
{
	static const char *const jobs[] = {"the snapshots on disk could not be looked through", "could not be verified",
					   "could not be deleted"};
	if (error)
		wd_log(WD_LOG_WARNING, NULL, NULL, "%s%s%s: %s", id ? "snapshot " : "", id ? id : "",
		       id ? jobs[job] : jobs[WD_LEDGER_LIST], error->text);
}

static void on_ended(void *data, enum wd_ledger_job job, uint64_t ticket, const char *id, const struct wd_error *error)
{
	struct wd_daemon *daemon = data;
	struct wd_waiter *waiter = ticket ? wd_daemon_waiter(daemon, ticket) : NULL;

	wd_daemon_sit_on(daemon);
	if (!waiter) {
		say_background(job, id, error);
		if (job == WD_LEDGER_VERIFY && ticket == 0)
			prune_after(daemon, id);
		return;
	}
	if (waiter->plain && error) {
		wd_peer_refuse(waiter->peer, error->kind, "snapshot %s: %s", id, error->text);
		wd_daemon_drop_waiter(daemon, waiter);
		return;
	}
	unsigned due = --waiter->answers_due;
	tell_end(waiter, job, id, error);
	if (due)
		return;
	if (waiter->failed)
		wd_peer_refuse(waiter->peer, WD_ERROR_PARTLY, "%u snapshot%s could not be %s", waiter->failed,
			       waiter->failed == 1 ? "" : "s", job == WD_LEDGER_VERIFY ? "verified" : "deleted");
	else
		wd_peer_finish(waiter->peer);
	wd_daemon_drop_waiter(daemon, waiter);
}

/* --- prune --------------------------------------------------------------------------------------------------------------- */

/* Each service once. */
static void services_of(struct wd_daemon *daemon, const struct wd_list *ids, struct wd_list *ret_services)
{
	for (size_t i = 0; i < ids->count; i++) {
		const char *service = wd_ledger_find(daemon->ledger, ids->items[i])->service;
		if (!wd_list_has(ret_services, service))
			wd_list_add(ret_services, service);
	}
}

static void send_plan(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_list *ids)
{
	struct wd_json *answer = wd_json_object(), *plan = wd_json_set(answer, "plan", wd_json_array());
	char size[WD_SIZE_TEXT], age[WD_TIME_TEXT];

	for (size_t i = 0; i < ids->count; i++) {
		const struct wd_snapshot *snapshot = wd_ledger_find(daemon->ledger, ids->items[i]);
		wd_time old = (wd_stamp_now() - snapshot->stamp) / 1000;
		WD_AUTO_FREE char *line = wd_format("delete %s of %s: %s old, %s%s", snapshot->id,
						    snapshot->name ? snapshot->name : snapshot->service,
						    wd_span_print_short(old > 0 ? old : 0, age),
						    wd_size_print(wd_snapshot_stored(snapshot), size),
						    snapshot->broken ? ", broken" : "");
		wd_json_add(plan, wd_json_text(line));
	}
	wd_json_set_null(answer, "name");
	wd_peer_send(peer, answer);
	wd_peer_finish(peer);
}

static void do_prune(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request, const char *name)
{
	struct wd_list ids = {0}, services = {0}, superfluous = {0};

	if (choose_ids(daemon, peer, name, &ids)) {
		services_of(daemon, &ids, &services);
		for (size_t i = 0; i < services.count; i++)
			choose_superfluous(daemon, services.items[i], &superfluous);
		if (wd_json_bool(wd_json_get(request, "dry_run"), false))
			send_plan(daemon, peer, &superfluous);
		else
			begin_jobs(daemon, peer, WD_LEDGER_DELETE, &superfluous);
	}
	wd_list_done(&ids);
	wd_list_done(&services);
	wd_list_done(&superfluous);
}

/* --- up ---------------------------------------------------------------------------------------------------------------- */

bool wd_daemon_snapshots(struct wd_daemon *daemon, struct wd_peer *peer, const char *verb,
			 const struct wd_json *request)
{
	const char *name = wd_json_string(wd_json_get(request, "name"), NULL);

	if (wd_text_equal(verb, "snapshots"))
		do_list(daemon, peer, name);
	else if (wd_text_equal(verb, "snapshot"))
		wd_daemon_create(daemon, peer, request, name);
	else if (wd_text_equal(verb, "verify"))
		do_verify(daemon, peer, name);
	else if (wd_text_equal(verb, "prune"))
		do_prune(daemon, peer, request, name);
	else
		return false;
	return true;
}

void wd_daemon_keep(struct wd_daemon *daemon)
{
	const struct wd_ledger_hooks hooks = {.progress = on_progress, .ended = on_ended, .data = daemon};
	WD_AUTO_FREE char *directory = wd_settings_snapshots(daemon->settings);
	struct wd_error error = {0};

	daemon->born = wd_stamp_now();
	daemon->vault = wd_vault_new(daemon->loop, NULL, NULL);
	/* Over a network the same path may lead to another machine's volume here, or to none. */
	daemon->has_vault = wd_vault_look().owns && wd_text_starts(daemon->endpoint.host, "unix://");
	if (daemon->has_vault)
		wd_actor_use_vault(daemon->actor, daemon->vault);
	daemon->ledger = wd_ledger_new(daemon->loop, daemon->store, daemon->vault, directory, &hooks);
	if (!wd_ledger_recall(daemon->ledger, &error))
		wd_log(WD_LOG_ERROR, NULL, NULL, "%s; the catalogue of snapshots is made anew from what is on disk",
		       error.text);
}
