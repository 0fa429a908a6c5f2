#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "face.h"
#include "ledger.h"
#include "sampler.h"
#include <watchdog/memory.h>

#define INCIDENTS_AT_ONCE 200
/* Of what the Engine remembers, a loop that began before our first start is found in this; the default windows are not
 * longer. */
#define FIRST_LOOK_BACK WD_HOUR
/* Rows that nobody waits for reach the disk within that. What is told twice, the rows know. */
#define LATE_ROWS (10 * WD_SECOND)
#define TRIM_AFTER (2 * WD_SECOND)
#define SWEPT_AGAIN (2 * WD_MINUTE)
#define WINDING_TURN (50 * WD_MILLISECOND)
#define WINDING_MOST (20 * WD_SECOND)

/* --- facts ------------------------------------------------------------------------------------------------------------ */

static void stop(struct wd_daemon *daemon, int exit_code)
{
	daemon->exit_code = exit_code;
	wd_supervisor_say(daemon->supervisor, "STOPPING=1");
	wd_loop_stop(daemon->loop);
}

static void on_knock(void *data, int events)
{
	struct wd_daemon *daemon = data;

	(void)events;
	wd_self_answer(daemon->engine_lock);
}

/* The Engine's ID is known with the first connection: are we alone? */
static bool take_engine(struct wd_daemon *daemon)
{
	const char *id = wd_engine_state(daemon->engine).id;
	struct wd_error error = {0};

	if (daemon->engine_lock >= 0 || !id)
		return true;
	daemon->engine_lock = wd_self_lock_engine(id, &error);
	if (daemon->engine_lock >= 0) {
		daemon->engine_door = wd_ready_new(daemon->loop, daemon->engine_lock, WD_READ, on_knock, daemon);
		return true;
	}
	wd_log(WD_LOG_ERROR, NULL, NULL, "%s", error.text);
	stop(daemon, (int)error.kind);
	return false;
}

static void say_status(struct wd_daemon *daemon)
{
	struct wd_engine_state engine = wd_engine_state(daemon->engine);
	WD_AUTO_FREE char *text = NULL;

	if (engine.connected)
		text = wd_format("STATUS=guarding %zu services on %s, Engine %s", wd_guard_count(daemon->guard),
				 engine.host, engine.version ? engine.version : "?");
	else
		text = wd_format("STATUS=the Engine is away: %s",
				 engine.trouble ? engine.trouble : "not connected yet");
	wd_supervisor_say(daemon->supervisor, text);
}

static void finish_plans(struct wd_daemon *daemon);
static void begin_sweeping(struct wd_daemon *daemon);

/* A die that is told again from the past ended an earlier run. */
static void tell_sampler(struct wd_daemon *daemon, const struct wd_fact *fact)
{
	if (fact->kind == WD_FACT_CONTAINER)
		wd_sampler_see(daemon->sampler, fact->seen.container);
	else if (fact->kind == WD_FACT_GONE)
		wd_sampler_forget(daemon->sampler, fact->id);
	else if (fact->kind == WD_FACT_EVENT && fact->event->kind == WD_EVENT_DIE && !fact->event->replayed)
		wd_sampler_forget(daemon->sampler, fact->event->id);
}

static void on_wish(void *data, const char *id, wd_time now, struct wd_gauge_wish *ret_wish)
{
	const struct wd_daemon *daemon = data;

	wd_guard_wish(daemon->guard, id, now, ret_wish);
}

static void on_sample(void *data, const char *id, const struct wd_sample *sample, double cpus)
{
	struct wd_fact fact = {.kind = WD_FACT_SAMPLE, .used = {.id = id, .sample = sample, .cpus = cpus}};

	wd_daemon_tell(data, &fact);
}

static void on_fact(void *data, const struct wd_fact *fact)
{
	struct wd_daemon *daemon = data;
	struct wd_fact copy = *fact;

	if (fact->kind == WD_FACT_ENGINE_UP && !take_engine(daemon))
		return;
	if (fact->kind == WD_FACT_EVENT)
		wd_daemon_show_event(daemon, fact->event);
	wd_daemon_tell(daemon, &copy);
	tell_sampler(daemon, fact);
	if (fact->kind == WD_FACT_ENGINE_UP) {
		finish_plans(daemon);
		begin_sweeping(daemon);
	}
	if (fact->kind == WD_FACT_SYNCED || fact->kind == WD_FACT_ENGINE_DOWN)
		say_status(daemon);
	if (fact->kind == WD_FACT_SYNCED)
		wd_daemon_trim_later(daemon);
}

static void on_talk(void *data, enum wd_log_level level, const char *text)
{
	(void)data;
	wd_log(level, NULL, NULL, "%s", text);
}

static void on_end(void *data, const struct wd_fact *fact)
{
	struct wd_fact copy = *fact;

	if (!wd_daemon_sat(data, fact))
		wd_daemon_tell(data, &copy);
}

static void on_wake(void *data)
{
	struct wd_fact fact = {.kind = WD_FACT_TIME};

	wd_daemon_tell(data, &fact);
}

/* A loop that was late (suspend, SIGSTOP, a machine that swaps) distrusts what it sees for a while. */
static void on_turn(void *data)
{
	struct wd_daemon *daemon = data;
	wd_time late = wd_loop_lateness(daemon->loop);

	if (late > daemon->latest)
		daemon->latest = late;
	if (daemon->settings->tilt == 0 || late < daemon->settings->tilt)
		return;
	struct wd_fact fact = {.kind = WD_FACT_LATE, .late = late};
	wd_daemon_tell(daemon, &fact);
}

/* --- housework -------------------------------------------------------------------------------------------------------- */

/* Not at once: who asks each second would pay for it each second. */
static void trim(void *data)
{
	(void)data;
	wd_memory_trim();
}

void wd_daemon_trim_later(struct wd_daemon *daemon)
{
	wd_timer_set(daemon->trim, wd_loop_now(daemon->loop) + TRIM_AFTER);
}

static void do_housework(void *data)
{
	struct wd_daemon *daemon = data;
	wd_stamp last = wd_engine_state(daemon->engine).last_event;

	if (last != WD_STAMP_NONE)
		wd_store_resume(daemon->store, last);
	if (daemon->settings->keep_incidents)
		wd_store_prune(daemon->store, wd_stamp_now() - daemon->settings->keep_incidents * 1000);
	wd_daemon_take_due(daemon);
	wd_timer_set(daemon->housework, wd_loop_now(daemon->loop) + WD_MINUTE);
}

/* What stands still for a snapshot is let go on first. */
static void wind_up(void *data)
{
	struct wd_daemon *daemon = data;

	if (wd_actor_wind_up(daemon->actor) && wd_loop_now(daemon->loop) < daemon->end_by) {
		wd_timer_set(daemon->winding, wd_loop_now(daemon->loop) + WINDING_TURN);
		return;
	}
	wd_store_settle(daemon->store);
	const char *trouble = wd_store_trouble(daemon->store);
	if (trouble)
		wd_log(WD_LOG_WARNING, NULL, NULL,
		       "ending; what is held stays held, but what has changed of late is not on disk: %s", trouble);
	else
		wd_log(WD_LOG_INFO, NULL, NULL, "ending; what is held stays held, and what is remembered is on disk");
	stop(daemon, 0);
}

static void on_terminate(void *data)
{
	struct wd_daemon *daemon = data;

	if (!daemon->end_by)
		daemon->end_by = wd_loop_now(daemon->loop) + WINDING_MOST;
	wind_up(daemon);
}

static void say_findings(const struct wd_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		wd_log(findings->items[i].warning ? WD_LOG_WARNING : WD_LOG_ERROR, NULL, NULL, "%s",
		       findings->items[i].text);
}

static void say_unmoved(const struct wd_settings *old, const struct wd_settings *fresh)
{
	const struct {
		const char *name, *was, *is;
	} fixed[] = {
		{"[engine] host", old->host, fresh->host},
		{"[engine] write_host", old->write_host, fresh->write_host},
		{"[seadog] state_dir", old->state_dir, fresh->state_dir},
		{"[snapshots] dir", old->snapshot_dir, fresh->snapshot_dir},
		{"[seadog] control", old->control, fresh->control},
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!wd_text_equal(fixed[i].was, fixed[i].is))
			wd_log(WD_LOG_WARNING, NULL, NULL,
			       "%s changed: that needs a restart of seadog, a reload does not move it", fixed[i].name);
}

static void on_reload(void *data)
{
	struct wd_daemon *daemon = data;
	struct wd_findings findings = {0};

	wd_supervisor_say(daemon->supervisor, "RELOADING=1");
	struct wd_settings *fresh = wd_settings_load(daemon->sources, &findings);
	say_findings(&findings);
	wd_findings_done(&findings);
	wd_supervisor_say(daemon->supervisor, "READY=1");
	if (!fresh) {
		wd_log(WD_LOG_ERROR, NULL, NULL, "the configuration has faults: the old one stays in force");
		return;
	}
	say_unmoved(daemon->settings, fresh);
	wd_log_setup(fresh->log_level, fresh->log_format, isatty(STDERR_FILENO));
	wd_guard_configure(daemon->guard, fresh);
	wd_sampler_set_interval(daemon->sampler, fresh->sample_interval);
	wd_settings_free(daemon->reloaded);
	daemon->settings = daemon->reloaded = fresh;
	wd_timer_set(daemon->wake, wd_guard_wake(daemon->guard));
	wd_log(WD_LOG_INFO, NULL, NULL, "the configuration was loaded anew");
}

/* --- beginning -------------------------------------------------------------------------------------------------------- */

static void recall_memory(void *data, const struct wd_memory *memory)
{
	struct wd_daemon *daemon = data;
	struct wd_fact fact = {.kind = WD_FACT_MEMORY, .memory = memory};

	if (memory->last_event > daemon->resume)
		daemon->resume = memory->last_event;
	wd_daemon_tell(daemon, &fact);
}

static wd_stamp begin_of_replay(const struct wd_daemon *daemon)
{
	wd_stamp stored = wd_store_load_resume(daemon->store);
	wd_stamp newest = stored > daemon->resume ? stored : daemon->resume;

	if (newest == WD_STAMP_NONE)
		return wd_stamp_now() - FIRST_LOOK_BACK * 1000;
	return newest - LATE_ROWS * 1000;
}

static void start_engine(struct wd_daemon *daemon)
{
	wd_engine_start(daemon->engine, begin_of_replay(daemon));
	do_housework(daemon);
}

/* At most one plan per container is in the journal. */
static uint64_t ticket_of(const char *container)
{
	return wd_text_hash(container) | WD_TICKET_RESUMED;
}

static void resumed(void *data, const struct wd_resumed *plan)
{
	static const char *const ends[] = {"finished", "failed", "undone", "refused"};
	struct wd_fact fact = {.kind = WD_FACT_ACTED};

	wd_log(plan->end == WD_PLAN_DONE ? WD_LOG_INFO : WD_LOG_WARNING, plan->name, NULL,
	       "a %s that a seadog before this one had begun: %s: %s", plan->plan, ends[plan->end], plan->detail);
	fact.acted.ticket = ticket_of(plan->container);
	fact.acted.end = plan->end;
	fact.acted.detail = plan->detail;
	fact.acted.kept = plan->policy;
	fact.acted.replaced_by = plan->replaced_by;
	fact.acted.cut = plan->cut;
	wd_daemon_tell(data, &fact);
}

static enum wd_action action_of(const char *plan)
{
	if (wd_text_equal(plan, "release") || wd_text_equal(plan, "unthrottle"))
		return WD_ACTION_RELEASE;
	if (wd_text_equal(plan, "pause"))
		return WD_ACTION_PAUSE;
	if (wd_text_equal(plan, "rollback"))
		return WD_ACTION_ROLLBACK;
	if (wd_text_equal(plan, "take-back"))
		return WD_ACTION_TAKE_BACK;
	if (wd_text_equal(plan, "commit"))
		return WD_ACTION_COMMIT;
	return wd_text_equal(plan, "throttle") ? WD_ACTION_THROTTLE : WD_ACTION_STOP;
}

/* What a dead watchdog had begun is nobody else's until it is finished. */
static void announce_plan(void *data, const struct wd_journal *journal)
{
	struct wd_daemon *daemon = data;
	struct wd_fact fact = {.kind = WD_FACT_RESUMING};
	WD_AUTO_FREE char *made = wd_actor_made(journal);

	daemon->unfinished = true;
	if (wd_text_equal(journal->plan, "restart") || wd_text_starts(journal->plan, "snapshot"))
		return;
	fact.resuming.made = made;
	fact.resuming.service = journal->service;
	fact.resuming.id = journal->container;
	fact.resuming.action = action_of(journal->plan);
	fact.resuming.ticket = ticket_of(journal->container);
	wd_daemon_tell(daemon, &fact);
}

static void finish_plans(struct wd_daemon *daemon)
{
	struct wd_error error = {0};

	if (!daemon->unfinished)
		return;
	daemon->unfinished = !wd_actor_recover(daemon->actor, resumed, daemon, &error);
	if (daemon->unfinished)
		wd_log(WD_LOG_ERROR, NULL, NULL, "%s", error.text);
}

static void on_swept(void *data, const char *name, const char *text)
{
	(void)data;
	wd_log(WD_LOG_WARNING, name, NULL, "%s", text);
}

static void sweep(void *data)
{
	struct wd_daemon *daemon = data;

	wd_actor_sweep(daemon->actor, on_swept, daemon);
}

/* Twice: what a dead watchdog had asked for last can come true after the first time. */
static void begin_sweeping(struct wd_daemon *daemon)
{
	if (daemon->swept || daemon->settings->observe)
		return;
	daemon->swept = true;
	sweep(daemon);
	wd_timer_set(daemon->sweeping, wd_loop_now(daemon->loop) + SWEPT_AGAIN);
}

static void recall_incidents(void *data, const struct wd_incident *const *incidents, size_t count, const char *why)
{
	struct wd_incident_wish rest = {.open = true, .most = INCIDENTS_AT_ONCE};
	struct wd_daemon *daemon = data;
	struct wd_error error = {0};

	if (daemon->ending)
		return;
	if (why)
		wd_log(WD_LOG_WARNING, NULL, NULL, "incidents: %s", why);
	for (size_t i = 0; i < count; i++) {
		struct wd_fact fact = {.kind = WD_FACT_INCIDENT, .incident = incidents[i]};
		rest.before = incidents[i]->id;
		wd_daemon_tell(daemon, &fact);
	}
	if (count == INCIDENTS_AT_ONCE) {
		wd_store_read(daemon->store, &rest, recall_incidents, daemon);
		return;
	}
	if (!wd_store_load_journal(daemon->store, announce_plan, daemon, &error))
		wd_log(WD_LOG_ERROR, NULL, NULL, "%s", error.text);
	start_engine(daemon);
}

static void recall_action(void *data, wd_stamp began)
{
	struct wd_fact fact = {.kind = WD_FACT_SPENT, .spent = began};

	wd_daemon_tell(data, &fact);
}

static void recall(struct wd_daemon *daemon)
{
	struct wd_rate budget = daemon->settings->max_actions;
	struct wd_incident_wish open = {.open = true, .most = INCIDENTS_AT_ONCE};
	struct wd_error error = {0};

	if (!wd_store_load(daemon->store, recall_memory, daemon, &error))
		wd_log(WD_LOG_ERROR, NULL, NULL, "%s; beginning with an empty memory", error.text);
	else if (!wd_store_load_actions(daemon->store, wd_stamp_now() - budget.window * 1000, budget.count,
					recall_action, daemon, &error))
		wd_log(WD_LOG_ERROR, NULL, NULL, "%s; beginning with the whole budget of actions", error.text);
	wd_store_read(daemon->store, &open, recall_incidents, daemon);
}

/* --- up and down ------------------------------------------------------------------------------------------------------ */

/* No socket yet is no reason to give up: it may come with the Engine. */
static bool find_endpoints(struct wd_daemon *daemon, const struct wd_endpoint_wish *wish, struct wd_error *error)
{
	struct wd_endpoint_wish usual = *wish;

	if (!wd_endpoint_find(wish, &daemon->endpoint, error)) {
		if (error->kind != WD_ERROR_UNREACHABLE)
			return false;
		wd_log(WD_LOG_WARNING, NULL, NULL, "%s; waiting for /var/run/docker.sock", error->text);
		usual.host = "unix:///var/run/docker.sock";
		usual.host_origin = "the usual socket";
		if (!wd_endpoint_find(&usual, &daemon->endpoint, error))
			return false;
	}
	if (!daemon->settings->write_host)
		return true;
	usual.host = daemon->settings->write_host;
	usual.host_origin = "[engine] write_host";
	daemon->has_write_endpoint = wd_endpoint_find(&usual, &daemon->write_endpoint, error);
	return daemon->has_write_endpoint;
}

static bool open_store(struct wd_daemon *daemon, struct wd_error *error)
{
	WD_AUTO_FREE char *warning = NULL;

	daemon->store = wd_store_open(daemon->settings->state_dir, daemon->loop, &warning, error);
	if (warning)
		wd_log(WD_LOG_WARNING, NULL, NULL, "%s", warning);
	return daemon->store != NULL;
}

static void make_timers(struct wd_daemon *daemon)
{
	daemon->wake = wd_timer_new(daemon->loop, on_wake, daemon);
	daemon->trim = wd_timer_new(daemon->loop, trim, NULL);
	daemon->housework = wd_timer_new(daemon->loop, do_housework, daemon);
	daemon->winding = wd_timer_new(daemon->loop, wind_up, daemon);
	daemon->sweeping = wd_timer_new(daemon->loop, sweep, daemon);
	daemon->terminate = wd_signal_new(daemon->loop, SIGTERM, on_terminate, daemon);
	daemon->interrupt = wd_signal_new(daemon->loop, SIGINT, on_terminate, daemon);
	daemon->reload = wd_signal_new(daemon->loop, SIGHUP, on_reload, daemon);
	wd_loop_each_turn(daemon->loop, on_turn, daemon);
}

/* Each container that runs is some open files; the usual soft limit is there for programs that use select(). */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool bring_up(struct wd_daemon *daemon, const struct wd_endpoint_wish *wish, struct wd_error *error)
{
	const struct wd_engine_hooks engine_hooks = {.on_fact = on_fact, .on_talk = on_talk, .data = daemon};
	const struct wd_actor_hooks actor_hooks = {
		.on_end = on_end, .on_step = wd_daemon_step, .on_progress = wd_daemon_sitting, .data = daemon};
	const struct wd_sampler_hooks sampler_hooks = {.on_wish = on_wish, .on_sample = on_sample, .data = daemon};

	daemon->loop = wd_loop_new(error);
	if (!daemon->loop)
		return false;
	daemon->supervisor = wd_supervisor_new(daemon->loop);
	daemon->http = wd_http_new(daemon->loop, error);
	if (!daemon->http || !find_endpoints(daemon, wish, error) || !open_store(daemon, error))
		return false;
	make_timers(daemon);
	wd_self_find(&daemon->self, &daemon->endpoint, daemon->has_write_endpoint ? &daemon->write_endpoint : NULL);
	allow_descriptors();
	daemon->sampler = wd_sampler_new(daemon->loop, daemon->settings->sample_interval, NULL, &sampler_hooks);
	daemon->guard = wd_guard_new(daemon->settings, &daemon->self, wd_store_next_incident(daemon->store),
				     wd_loop_now(daemon->loop));
	daemon->engine = wd_engine_new(daemon->loop, daemon->http, &daemon->endpoint,
				       daemon->has_write_endpoint ? &daemon->write_endpoint : NULL,
				       daemon->settings->timeout, &engine_hooks);
	wd_sampler_use(daemon->sampler, daemon->engine);
	daemon->actor = wd_actor_new(daemon->loop, daemon->engine, daemon->store, &actor_hooks);
	daemon->hooks = wd_hooks_new(daemon->loop, wd_daemon_hooked, daemon);
	wd_daemon_keep(daemon);
	daemon->control = wd_control_open(daemon->loop, daemon->settings->control, wd_daemon_request, wd_daemon_left,
					  daemon, error);
	return daemon->control != NULL;
}

static void drop_handles(struct wd_daemon *daemon)
{
	if (daemon->wake)
		wd_timer_free(daemon->wake);
	if (daemon->trim)
		wd_timer_free(daemon->trim);
	if (daemon->housework)
		wd_timer_free(daemon->housework);
	if (daemon->winding)
		wd_timer_free(daemon->winding);
	if (daemon->sweeping)
		wd_timer_free(daemon->sweeping);
	if (daemon->terminate)
		wd_signal_free(daemon->terminate);
	if (daemon->interrupt)
		wd_signal_free(daemon->interrupt);
	if (daemon->reload)
		wd_signal_free(daemon->reload);
	if (daemon->engine_door)
		wd_ready_free(daemon->engine_door);
}

/* In the order of who needs whom. The store is closed after all that writes, and before what its answers go to. */
static void bring_down(struct wd_daemon *daemon)
{
	daemon->ending = true;
	if (daemon->engine && daemon->store && wd_engine_state(daemon->engine).last_event)
		wd_store_resume(daemon->store, wd_engine_state(daemon->engine).last_event);
	if (daemon->control)
		wd_control_close(daemon->control);
	for (struct wd_waiter *waiter = daemon->waiters; waiter; waiter = waiter->next)
		waiter->peer = NULL;
	if (daemon->actor)
		wd_actor_free(daemon->actor);
	wd_hooks_free(daemon->hooks);
	wd_daemon_drop_sittings(daemon);
	wd_ledger_free(daemon->ledger);
	wd_vault_free(daemon->vault);
	if (daemon->store)
		wd_store_close(daemon->store);
	if (daemon->sampler)
		wd_sampler_use(daemon->sampler, NULL);
	if (daemon->engine)
		wd_engine_free(daemon->engine);
	wd_daemon_drop_waiters(daemon);
	wd_guard_free(daemon->guard);
	wd_sampler_free(daemon->sampler);
	if (daemon->http)
		wd_http_free(daemon->http);
	drop_handles(daemon);
	wd_supervisor_free(daemon->supervisor);
	if (daemon->loop)
		wd_loop_free(daemon->loop);
	if (daemon->engine_lock >= 0)
		close(daemon->engine_lock);
	wd_endpoint_done(&daemon->endpoint);
	wd_endpoint_done(&daemon->write_endpoint);
	wd_list_done(&daemon->self);
	wd_settings_free(daemon->reloaded);
	free(daemon->store_trouble);
}

int wd_daemon_run(const struct wd_settings *settings, const struct wd_sources *sources,
		  const struct wd_endpoint_wish *wish)
{
	struct wd_daemon *daemon = wd_alloc(1, sizeof(*daemon));
	struct wd_error error = {0};

	daemon->settings = settings;
	daemon->sources = sources;
	daemon->engine_lock = -1;
	daemon->next_request = 1;
	wd_log_setup(settings->log_level, settings->log_format, isatty(STDERR_FILENO));
	if (bring_up(daemon, wish, &error)) {
		wd_log(WD_LOG_INFO, NULL, NULL, "seadog %s, %s, guarding %s (%s), memory in %s", SEADOG_VERSION,
		       settings->observe ? "observing only" : "acting", daemon->endpoint.host, daemon->endpoint.origin,
		       settings->state_dir);
		recall(daemon);
		wd_supervisor_say(daemon->supervisor, "READY=1");
		wd_loop_run(daemon->loop);
	} else {
		wd_log(WD_LOG_ERROR, NULL, NULL, "%s", error.text);
		daemon->exit_code = error.kind ? (int)error.kind : 1;
	}
	int exit_code = daemon->exit_code;
	bring_down(daemon);
	free(daemon);
	return exit_code;
}
