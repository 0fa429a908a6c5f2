#include "daemon.h"

#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "sampler.h"
#include <watchdog/memory.h>

/* --- waiters ---------------------------------------------------------------------------------------------------------- */

struct wd_waiter *wd_daemon_wait(struct wd_daemon *daemon, struct wd_peer *peer, enum wd_waits for_what,
				 const char *name)
{
	struct wd_waiter *waiter = wd_alloc(1, sizeof(*waiter));

	waiter->peer = peer;
	waiter->for_what = for_what;
	waiter->request = daemon->next_request++;
	waiter->name = wd_copy(name);
	waiter->next = daemon->waiters;
	daemon->waiters = waiter;
	return waiter;
}

void wd_daemon_drop_waiter(struct wd_daemon *daemon, struct wd_waiter *waiter)
{
	for (struct wd_waiter **slot = &daemon->waiters; *slot; slot = &(*slot)->next) {
		if (*slot != waiter)
			continue;
		*slot = waiter->next;
		break;
	}
	free(waiter->name);
	free(waiter);
}

struct wd_waiter *wd_daemon_waiter(const struct wd_daemon *daemon, uint64_t request)
{
	struct wd_waiter *waiter = daemon->waiters;

	while (waiter && waiter->request != request)
		waiter = waiter->next;
	return waiter;
}

void wd_daemon_left(void *data, struct wd_peer *peer)
{
	struct wd_daemon *daemon = data;

	for (struct wd_waiter *waiter = daemon->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->peer != peer)
			continue;
		if (waiter->for_what == WD_WAITS_VAULT)
			wd_ledger_hush(daemon->ledger, waiter->request);
		if (waiter->for_what == WD_WAITS_STORE)
			waiter->peer = NULL; /* the store still holds it */
		else
			wd_daemon_drop_waiter(daemon, waiter);
	}
}

void wd_daemon_drop_waiters(struct wd_daemon *daemon)
{
	while (daemon->waiters)
		wd_daemon_drop_waiter(daemon, daemon->waiters);
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

static bool find(struct wd_daemon *daemon, struct wd_peer *peer, const char *name, struct wd_service_view *ret_view)
{
	if (wd_guard_find(daemon->guard, name, wd_loop_now(daemon->loop), ret_view) && !ret_view->gone)
		return true;
	wd_peer_refuse(peer, WD_ERROR_NOT_FOUND, "no such service: %s", name);
	return false;
}

static void do_ping(struct wd_daemon *daemon, struct wd_peer *peer)
{
	struct wd_json *data = wd_json_object();

	wd_json_set_bool(data, "connected", wd_engine_state(daemon->engine).connected);
	wd_json_set_double(data, "late_seconds", (double)daemon->latest / (double)WD_SECOND);
	daemon->latest = 0;
	wd_peer_send(peer, data);
	wd_peer_finish(peer);
}

/* What it uses at this moment, where that is known. */
static struct wd_json *add_usage(struct wd_daemon *daemon, const struct wd_service_view *view, struct wd_json *service)
{
	struct wd_sample sample;
	double cpus;

	if (view->container && wd_sampler_ask(daemon->sampler, view->container->id, &sample, &cpus))
		wd_report_usage(service, &sample, cpus);
	return service;
}

static struct wd_json *service_report(struct wd_daemon *daemon, const struct wd_service_view *view)
{
	struct wd_json *report = wd_report_service(view);

	wd_report_newest(report, wd_ledger_newest(daemon->ledger, view->service));
	return add_usage(daemon, view, report);
}

static int by_name(const void *one, const void *two)
{
	const struct wd_service_view *first = one, *second = two;

	return strcmp(first->memory->name ? first->memory->name : first->service,
		      second->memory->name ? second->memory->name : second->service);
}

static void add_all(struct wd_daemon *daemon, struct wd_json *services)
{
	size_t count = wd_guard_count(daemon->guard), shown = 0;
	struct wd_service_view *views = wd_alloc(count + 1, sizeof(*views));

	for (size_t i = 0; i < count; i++)
		if (wd_guard_view(daemon->guard, i, wd_loop_now(daemon->loop), &views[shown]) && !views[shown].gone)
			shown++;
	qsort(views, shown, sizeof(*views), by_name);
	for (size_t i = 0; i < shown; i++)
		wd_json_add(services, service_report(daemon, &views[i]));
	free(views);
}

static void do_status(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request)
{
	struct wd_engine_state engine = wd_engine_state(daemon->engine);
	struct wd_json *names = wd_json_get(request, "names");
	struct wd_service_view view;

	for (struct wd_json *name = wd_json_first(names); name; name = wd_json_next(name))
		if (!find(daemon, peer, wd_json_string(name, ""), &view))
			return;
	struct wd_json *status = wd_report_status(daemon->settings->observe, &engine);
	struct wd_json *services = wd_json_get(status, "services");
	if (wd_json_count(names) == 0)
		add_all(daemon, services);
	for (struct wd_json *name = wd_json_first(names); name; name = wd_json_next(name))
		if (find(daemon, peer, wd_json_string(name, ""), &view))
			wd_json_add(services, service_report(daemon, &view));
	wd_peer_send(peer, status);
	wd_peer_finish(peer);
}

/* Of what is only remembered. */
void wd_daemon_refuse_unseen(struct wd_daemon *daemon, struct wd_peer *peer, const char *name)
{
	struct wd_engine_state engine = wd_engine_state(daemon->engine);

	if (engine.connected)
		wd_peer_refuse(peer, WD_ERROR_REFUSED, "%s: the Engine has yet to tell about it: try again in a moment",
			       name);
	else
		wd_peer_refuse(peer, WD_ERROR_UNREACHABLE, "%s: the Engine cannot be reached%s%s", name,
			       engine.trouble ? ": " : "", engine.trouble ? engine.trouble : "");
}

/* The labels that its policy may come from are the Engine's to tell. */
static void do_pins(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request)
{
	const char *name = wd_json_string(wd_json_get(request, "name"), NULL);
	struct wd_service_view view;

	if (name && !find(daemon, peer, name, &view))
		return;
	struct wd_json *report = wd_report_pins();
	if (name)
		wd_report_add_pins(report, view.memory);
	for (size_t i = 0; !name && wd_guard_view(daemon->guard, i, wd_loop_now(daemon->loop), &view); i++)
		wd_report_add_pins(report, view.memory);
	wd_peer_send(peer, report);
	wd_peer_finish(peer);
}

static void do_explain(struct wd_daemon *daemon, struct wd_peer *peer, const char *name)
{
	struct wd_service_view view;

	if (!find(daemon, peer, name, &view))
		return;
	if (!view.container) {
		wd_daemon_refuse_unseen(daemon, peer, name);
		return;
	}
	struct wd_sample sample;
	double cpus;
	bool known = wd_sampler_ask(daemon->sampler, view.container->id, &sample, &cpus);
	struct wd_json *explain =
		wd_report_explain(&view, daemon->settings, known ? &sample : NULL, wd_loop_now(daemon->loop));
	if (known)
		wd_report_usage(wd_json_get(explain, "service"), &sample, cpus);
	wd_peer_send(peer, explain);
	wd_peer_finish(peer);
}

/* --- incidents -------------------------------------------------------------------------------------------------------- */

struct reading {
	struct wd_daemon *daemon;
	struct wd_waiter *waiter;
	bool one;
};

static void send_incidents(struct reading *reading, const struct wd_incident *const *incidents, size_t count)
{
	struct wd_peer *peer = reading->waiter->peer;
	struct wd_json *data = wd_json_object();

	wd_json_set_int(data, "schema", 1);
	if (reading->one) {
		wd_json_set(data, "incident", wd_report_incident(incidents[0], true));
	} else {
		struct wd_json *list = wd_json_set(data, "incidents", wd_json_array());
		for (size_t i = 0; i < count; i++)
			wd_json_add(list, wd_report_incident(incidents[i], false));
	}
	wd_peer_send(peer, data);
	wd_peer_finish(peer);
}

static void incidents_read(void *data, const struct wd_incident *const *incidents, size_t count, const char *why)
{
	struct reading *reading = data;
	struct wd_waiter *waiter = reading->waiter;

	if (waiter->peer && why)
		wd_peer_refuse(waiter->peer, WD_ERROR_FAILED, "incidents: %s", why);
	else if (waiter->peer && reading->one && count == 0)
		wd_peer_refuse(waiter->peer, WD_ERROR_NOT_FOUND, "no incident %s", waiter->name);
	else if (waiter->peer)
		send_incidents(reading, incidents, count);
	wd_daemon_drop_waiter(reading->daemon, waiter);
	free(reading);
}

static void read_incidents(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_incident_wish *wish,
			   const char *what)
{
	struct reading *reading = wd_alloc(1, sizeof(*reading));

	reading->daemon = daemon;
	reading->one = wish->id != 0;
	reading->waiter = wd_daemon_wait(daemon, peer, WD_WAITS_STORE, what);
	wd_store_read(daemon->store, wish, incidents_read, reading);
}

static void do_incidents(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request)
{
	const char *name = wd_json_string(wd_json_get(request, "name"), NULL);
	int64_t most = wd_json_int(wd_json_get(request, "most"), 0);
	struct wd_service_view view;

	if (wd_json_bool(wd_json_get(request, "follow"), false)) {
		wd_daemon_wait(daemon, peer, WD_WAITS_INCIDENTS, name);
		return;
	}
	if (name && wd_guard_find(daemon->guard, name, wd_loop_now(daemon->loop), &view))
		name = view.service;
	struct wd_incident_wish wish = {.service = name,
					.since = wd_json_int(wd_json_get(request, "since_ns"), 0),
					.most = most > 0 && most < 100000 ? (unsigned)most : 0,
					.brief = true};
	read_incidents(daemon, peer, &wish, name);
}

static void do_show(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request)
{
	struct wd_incident_wish wish = {.id = wd_json_int(wd_json_get(request, "id"), 0)};
	WD_AUTO_FREE char *what = wd_format("%lld", (long long)wish.id);

	if (wish.id <= 0)
		wd_peer_refuse(peer, WD_ERROR_USAGE, "show: which incident? a number is needed");
	else
		read_incidents(daemon, peer, &wish, what);
}

void wd_daemon_show_incident(struct wd_daemon *daemon, const struct wd_incident *incident)
{
	for (struct wd_waiter *waiter = daemon->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->for_what != WD_WAITS_INCIDENTS)
			continue;
		if (waiter->name && !wd_text_equal(waiter->name, incident->name) &&
		    !wd_text_equal(waiter->name, incident->service))
			continue;
		wd_peer_send(waiter->peer, wd_report_incident(incident, false));
	}
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

static struct wd_json *event_data(const struct wd_json *event)
{
	struct wd_json *data = wd_json_object();

	wd_json_set(data, "event", wd_json_clone(event));
	return data;
}

static bool anybody_follows(const struct wd_daemon *daemon)
{
	for (const struct wd_waiter *waiter = daemon->waiters; waiter; waiter = waiter->next)
		if (waiter->for_what == WD_WAITS_EVENTS)
			return true;
	return false;
}

void wd_daemon_show_event(struct wd_daemon *daemon, const struct wd_event *event)
{
	daemon->recent[daemon->recent_next++ % WD_RECENT_EVENTS] = *event;
	if (!anybody_follows(daemon))
		return;
	WD_AUTO_JSON struct wd_json *report = wd_report_event(event);
	for (struct wd_waiter *waiter = daemon->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->for_what == WD_WAITS_EVENTS)
			wd_peer_send(waiter->peer, event_data(report));
	}
}

static void do_events(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request)
{
	if (wd_json_bool(wd_json_get(request, "follow"), false)) {
		wd_daemon_wait(daemon, peer, WD_WAITS_EVENTS, NULL);
		return;
	}
	unsigned first = daemon->recent_next > WD_RECENT_EVENTS ? daemon->recent_next - WD_RECENT_EVENTS : 0;
	for (unsigned i = first; i != daemon->recent_next; i++) {
		WD_AUTO_JSON struct wd_json *report = wd_report_event(&daemon->recent[i % WD_RECENT_EVENTS]);
		wd_peer_send(peer, event_data(report));
	}
	wd_peer_finish(peer);
}

/* --- changing --------------------------------------------------------------------------------------------------------- */

/* How long a mute is to last; 0 where nothing sensible was said. */
static wd_time span_of(const struct wd_json *request)
{
	double seconds = wd_json_double(wd_json_get(request, "seconds"), 0);

	return seconds >= 0 && seconds <= 366.0 * 86400 ? (wd_time)(seconds * (double)WD_SECOND) : 0;
}

static void ask_guard(struct wd_daemon *daemon, enum wd_ask ask, const char *service, const struct wd_json *request,
		      uint64_t number)
{
	struct wd_fact fact = {.kind = WD_FACT_ASKED};

	fact.asked.ask = ask;
	fact.asked.service = service;
	fact.asked.until = wd_loop_now(daemon->loop) + span_of(request);
	fact.asked.no_start = wd_json_bool(wd_json_get(request, "no_start"), false);
	fact.asked.image = wd_json_string(wd_json_get(request, "image"), NULL);
	fact.asked.pull = wd_json_bool(wd_json_get(request, "pull"), false);
	fact.asked.dry_run = wd_json_bool(wd_json_get(request, "dry_run"), false);
	fact.asked.request = number;
	wd_daemon_tell(daemon, &fact);
}

static void send_plan(struct wd_peer *peer, const struct wd_service_view *view, enum wd_action action, bool no_start)
{
	struct wd_order order = {.kind = WD_ORDER_ACT,
				 .service = view->service,
				 .name = view->container->name,
				 .id = view->container->id,
				 .action = action,
				 .policy = view->memory->hold.held ? view->memory->hold.policy : view->memory->policy,
				 .hold_kind = wd_memory_kind(view->memory),
				 .cut = view->memory->throttle.cut,
				 .no_start = no_start,
				 .stop_timeout = view->container->stop_timeout};
	struct wd_list lines = {0};
	struct wd_json *data = wd_json_object(), *plan = wd_json_set(data, "plan", wd_json_array());

	wd_json_set_string(data, "name", view->container->name);
	wd_plan_describe(&order, &lines);
	for (size_t i = 0; i < lines.count; i++)
		wd_json_add(plan, wd_json_text(lines.items[i]));
	wd_list_done(&lines);
	wd_peer_send(peer, data);
}

static void do_change(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request, enum wd_ask ask)
{
	const char *name = wd_json_string(wd_json_get(request, "name"), NULL);
	struct wd_service_view view;

	if (!name && ask != WD_ASK_MUTE && ask != WD_ASK_UNMUTE) {
		wd_peer_refuse(peer, WD_ERROR_USAGE, "which service? a name is needed");
		return;
	}
	if (name && !find(daemon, peer, name, &view))
		return;
	bool dry_run = wd_json_bool(wd_json_get(request, "dry_run"), false);
	if (name && !view.container && (ask == WD_ASK_HOLD || ask == WD_ASK_RELEASE)) {
		wd_daemon_refuse_unseen(daemon, peer, name);
		return;
	}
	if (dry_run && name && (ask == WD_ASK_HOLD || ask == WD_ASK_RELEASE)) {
		send_plan(peer, &view, ask == WD_ASK_HOLD ? WD_ACTION_STOP : WD_ACTION_RELEASE,
			  wd_json_bool(wd_json_get(request, "no_start"), false));
		wd_peer_finish(peer);
		return;
	}
	struct wd_waiter *waiter = wd_daemon_wait(daemon, peer, WD_WAITS_ANSWER,
						  name ? (view.memory->name ? view.memory->name : view.service) : NULL);
	waiter->answers_due = 1;
	waiter->ask = ask;
	waiter->dry_run = dry_run;
	waiter->mute_ends = wd_stamp_now() + span_of(request) * 1000;
	WD_AUTO_FREE char *service = name ? wd_copy(view.service) : NULL;
	ask_guard(daemon, ask, service, request, waiter->request);
}

/* One that is held and may not be asked about now, if there is one. */
static bool find_held_unseen(struct wd_daemon *daemon, struct wd_service_view *ret_view)
{
	bool connected = wd_engine_state(daemon->engine).connected;

	for (size_t i = 0; wd_guard_view(daemon->guard, i, wd_loop_now(daemon->loop), ret_view); i++)
		if (wd_memory_is_bound(ret_view->memory) && (!ret_view->container || !connected))
			return true;
	return false;
}

/* All that are held; each gives an answer of its own. */
static void do_release_all(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request)
{
	bool dry_run = wd_json_bool(wd_json_get(request, "dry_run"), false);
	struct wd_list held = {0};
	struct wd_service_view view;

	if (find_held_unseen(daemon, &view)) {
		wd_daemon_refuse_unseen(daemon, peer, view.memory->name ? view.memory->name : view.service);
		return;
	}
	for (size_t i = 0; wd_guard_view(daemon->guard, i, wd_loop_now(daemon->loop), &view); i++) {
		if (!wd_memory_is_bound(view.memory))
			continue;
		if (dry_run)
			send_plan(peer, &view, WD_ACTION_RELEASE,
				  wd_json_bool(wd_json_get(request, "no_start"), false));
		wd_list_add(&held, view.service);
	}
	if (dry_run || held.count == 0) {
		wd_peer_finish(peer);
	} else {
		struct wd_waiter *waiter = wd_daemon_wait(daemon, peer, WD_WAITS_ANSWER, NULL);
		uint64_t number = waiter->request;
		waiter->answers_due = (unsigned)held.count;
		waiter->ask = WD_ASK_RELEASE;
		waiter->all = true;
		for (size_t i = 0; i < held.count; i++)
			ask_guard(daemon, WD_ASK_RELEASE, held.items[i], request, number);
	}
	wd_list_done(&held);
}

/* What a rollback would do: a line each. */
static void send_lines(const struct wd_waiter *waiter, const struct wd_order *order)
{
	struct wd_list lines = {0};
	struct wd_json *data = wd_json_object(), *plan = wd_json_set(data, "plan", wd_json_array());

	wd_json_set_string(data, "name", waiter->name);
	wd_list_split(&lines, order->text, '\n');
	for (size_t i = 0; i < lines.count; i++)
		wd_json_add(plan, wd_json_text(lines.items[i]));
	wd_list_done(&lines);
	wd_peer_send(waiter->peer, data);
}

void wd_daemon_show_progress(struct wd_daemon *daemon, const struct wd_order *order)
{
	for (struct wd_waiter *waiter = daemon->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->for_what != WD_WAITS_ANSWER || waiter->ask != WD_ASK_ROLLBACK || waiter->dry_run ||
		    !wd_text_equal(waiter->name, order->name) || strstr(order->text, " -> "))
			continue;
		struct wd_json *data = wd_json_object();
		wd_json_set_string(data, "progress", order->text);
		wd_peer_send(waiter->peer, data);
	}
}

static struct wd_json *report_done(struct wd_daemon *daemon, const struct wd_waiter *waiter,
				   const struct wd_order *order)
{
	struct wd_json *data = wd_json_object();
	struct wd_service_view view;
	char stamp[WD_TIME_TEXT];

	if (waiter->ask == WD_ASK_HOLD)
		wd_json_set_string(data, "held", order->name);
	else if (waiter->ask == WD_ASK_RELEASE)
		wd_json_set_string(data, "released", order->name);
	else if (waiter->ask == WD_ASK_MUTE && !order->service)
		wd_json_set_string(data, "muted_until", wd_stamp_print(waiter->mute_ends, stamp));
	else if (waiter->ask == WD_ASK_MUTE &&
		 wd_guard_find(daemon->guard, order->service, wd_loop_now(daemon->loop), &view) && view.muted_until)
		wd_json_set_string(data, "muted_until", wd_stamp_print(view.muted_until, stamp));
	wd_json_set_string(data, "detail", order->text);
	return data;
}

static void send_done(struct wd_daemon *daemon, const struct wd_waiter *waiter, const struct wd_order *order)
{
	if (waiter->ask == WD_ASK_ROLLBACK && waiter->dry_run)
		send_lines(waiter, order);
	else
		wd_peer_send(waiter->peer, report_done(daemon, waiter, order));
}

/* What is done to nothing but the memory: its answer has to say whether the disk took it. */
static bool is_but_remembered(const struct wd_waiter *waiter)
{
	switch (waiter->ask) {
	case WD_ASK_MUTE:
	case WD_ASK_UNMUTE:
	case WD_ASK_PIN:
	case WD_ASK_UNPIN:
	case WD_ASK_FORGIVE:
		return true;
	case WD_ASK_HOLD:
	case WD_ASK_RELEASE:
	case WD_ASK_ROLLBACK:
		return false;
	}
	return false;
}

struct writing {
	struct wd_daemon *daemon;
	struct wd_waiter *waiter;
	struct wd_json *answer;
};

static void written_before(void *data, const struct wd_incident *const *incidents, size_t count, const char *why)
{
	struct writing *writing = data;
	struct wd_peer *peer = writing->waiter->peer;
	const char *trouble = wd_store_trouble(writing->daemon->store);

	(void)incidents, (void)count, (void)why;
	if (trouble)
		wd_json_set_string(writing->answer, "not_remembered", trouble);
	if (peer) {
		wd_peer_send(peer, writing->answer);
		wd_peer_finish(peer);
	} else {
		wd_json_free(writing->answer);
	}
	wd_daemon_drop_waiter(writing->daemon, writing->waiter);
	free(writing);
}

/* A reading of an incident that there cannot be: it is answered when all that was to be written before it has been tried. */
static void send_when_written(struct wd_daemon *daemon, struct wd_waiter *waiter, const struct wd_order *order)
{
	const struct wd_incident_wish none = {.id = INT64_MAX, .most = 1, .brief = true};
	struct writing *writing = wd_alloc(1, sizeof(*writing));

	writing->daemon = daemon;
	writing->waiter = waiter;
	writing->answer = report_done(daemon, waiter, order);
	waiter->for_what = WD_WAITS_STORE;
	wd_store_read(daemon->store, &none, written_before, writing);
}

void wd_daemon_answer(struct wd_daemon *daemon, const struct wd_order *order)
{
	struct wd_waiter *waiter = wd_daemon_waiter(daemon, order->ticket);

	if (!waiter)
		return;
	waiter->answers_due--;
	if (order->error == WD_ERROR_NONE && is_but_remembered(waiter)) {
		send_when_written(daemon, waiter, order);
		return;
	}
	if (order->error == WD_ERROR_NONE)
		send_done(daemon, waiter, order);
	else
		waiter->failed++;
	if (order->error != WD_ERROR_NONE && !waiter->all) {
		wd_peer_refuse(waiter->peer, order->error, "%s: %s", waiter->name ? waiter->name : "seadog",
			       order->text);
		wd_daemon_drop_waiter(daemon, waiter);
		return;
	}
	if (waiter->answers_due)
		return;
	if (waiter->failed)
		wd_peer_refuse(waiter->peer, WD_ERROR_PARTLY, "%u could not be released; the log says why",
			       waiter->failed);
	else
		wd_peer_finish(waiter->peer);
	wd_daemon_drop_waiter(daemon, waiter);
}

static bool do_image_verb(struct wd_daemon *daemon, struct wd_peer *peer, const char *verb,
			  const struct wd_json *request)
{
	if (wd_text_equal(verb, "pins"))
		do_pins(daemon, peer, request);
	else if (wd_text_equal(verb, "pin"))
		do_change(daemon, peer, request, WD_ASK_PIN);
	else if (wd_text_equal(verb, "unpin"))
		do_change(daemon, peer, request, WD_ASK_UNPIN);
	else if (wd_text_equal(verb, "forgive"))
		do_change(daemon, peer, request, WD_ASK_FORGIVE);
	else if (wd_text_equal(verb, "rollback"))
		do_change(daemon, peer, request, WD_ASK_ROLLBACK);
	else
		return false;
	return true;
}

void wd_daemon_request(void *data, struct wd_peer *peer, const char *verb, const struct wd_json *request)
{
	struct wd_daemon *daemon = data;

	wd_daemon_trim_later(daemon);
	if (wd_text_equal(verb, "ping"))
		do_ping(daemon, peer);
	else if (wd_text_equal(verb, "status"))
		do_status(daemon, peer, request);
	else if (wd_text_equal(verb, "incidents"))
		do_incidents(daemon, peer, request);
	else if (wd_text_equal(verb, "show"))
		do_show(daemon, peer, request);
	else if (wd_text_equal(verb, "explain"))
		do_explain(daemon, peer, wd_json_string(wd_json_get(request, "name"), ""));
	else if (wd_text_equal(verb, "events"))
		do_events(daemon, peer, request);
	else if (wd_text_equal(verb, "hold"))
		do_change(daemon, peer, request, WD_ASK_HOLD);
	else if (wd_text_equal(verb, "release") && wd_json_bool(wd_json_get(request, "all"), false))
		do_release_all(daemon, peer, request);
	else if (wd_text_equal(verb, "release"))
		do_change(daemon, peer, request, WD_ASK_RELEASE);
	else if (wd_text_equal(verb, "mute"))
		do_change(daemon, peer, request, WD_ASK_MUTE);
	else if (wd_text_equal(verb, "unmute"))
		do_change(daemon, peer, request, WD_ASK_UNMUTE);
	else if (!do_image_verb(daemon, peer, verb, request) && !wd_daemon_snapshots(daemon, peer, verb, request))
		wd_peer_refuse(peer, WD_ERROR_USAGE, "no such verb: %.40s", verb);
}
