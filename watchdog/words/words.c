#include <stdlib.h>
#include <string.h>

#include <watchdog/facts.h>
#include <watchdog/words.h>

static const char *const triggers[WD_TRIGGERS] = {
	[WD_TRIGGER_RESTARTS] = "restarts", [WD_TRIGGER_FLAPPING] = "flapping", [WD_TRIGGER_EXIT] = "exit",
	[WD_TRIGGER_DOWN] = "down",         [WD_TRIGGER_OOM] = "oom",           [WD_TRIGGER_UNHEALTHY] = "unhealthy",
	[WD_TRIGGER_MEMORY] = "memory",     [WD_TRIGGER_CPU] = "cpu",           [WD_TRIGGER_PIDS] = "pids",
	[WD_TRIGGER_FORECAST] = "forecast", [WD_TRIGGER_PRESSURE] = "pressure",
};

static const char *const actions[WD_ACTIONS] = {
	[WD_ACTION_NOTIFY] = "notify",     [WD_ACTION_RESTART] = "restart",
	[WD_ACTION_STOP] = "stop",         [WD_ACTION_PAUSE] = "pause",
	[WD_ACTION_THROTTLE] = "throttle", [WD_ACTION_ROLLBACK] = "rollback",
	[WD_ACTION_RESTORE] = "restore",   [WD_ACTION_ROLLBACK_RESTORE] = "rollback+restore",
	[WD_ACTION_HOOK] = "hook",         [WD_ACTION_RELEASE] = "release",
	[WD_ACTION_COMMIT] = "commit",     [WD_ACTION_TAKE_BACK] = "take-back",
	[WD_ACTION_SNAPSHOT] = "snapshot",
};

static const char *const verdicts[WD_VERDICTS] = {
	[WD_VERDICT_WELL] = "well",         [WD_VERDICT_SUSPECT] = "suspect",     [WD_VERDICT_SICK] = "sick",
	[WD_VERDICT_TREATING] = "treating", [WD_VERDICT_VERIFYING] = "verifying", [WD_VERDICT_HELD] = "held",
	[WD_VERDICT_MUTED] = "muted",       [WD_VERDICT_IGNORED] = "ignored",
};

static const char *const outcomes[WD_OUTCOMES] = {
	[WD_OUTCOME_RECOVERED] = "recovered",   [WD_OUTCOME_HELD] = "held",     [WD_OUTCOME_OBSERVED] = "observed",
	[WD_OUTCOME_SUPPRESSED] = "suppressed", [WD_OUTCOME_FAILED] = "failed",
};

static const char *const results[WD_RESULTS] = {
	[WD_RESULT_DONE] = "done",       [WD_RESULT_FAILED] = "failed",     [WD_RESULT_UNDONE] = "undone",
	[WD_RESULT_SKIPPED] = "skipped", [WD_RESULT_OBSERVED] = "observed",
};

static const char *const states[WD_STATES] = {
	[WD_STATE_UNKNOWN] = "unknown",       [WD_STATE_CREATED] = "created",
	[WD_STATE_RUNNING] = "running",       [WD_STATE_PAUSED] = "paused",
	[WD_STATE_RESTARTING] = "restarting", [WD_STATE_REMOVING] = "removing",
	[WD_STATE_EXITED] = "exited",         [WD_STATE_DEAD] = "dead",
};

static const char *const restarts[WD_RESTARTS] = {
	[WD_RESTART_NO] = "no",
	[WD_RESTART_ALWAYS] = "always",
	[WD_RESTART_UNLESS_STOPPED] = "unless-stopped",
	[WD_RESTART_ON_FAILURE] = "on-failure",
};

static const char *const healths[WD_HEALTHS] = {
	[WD_HEALTH_STARTING] = "starting",
	[WD_HEALTH_HEALTHY] = "healthy",
	[WD_HEALTH_UNHEALTHY] = "unhealthy",
};

static const char *const events[WD_EVENTS] = {
	[WD_EVENT_CREATE] = "create",
	[WD_EVENT_START] = "start",
	[WD_EVENT_DIE] = "die",
	[WD_EVENT_OOM] = "oom",
	[WD_EVENT_KILL] = "kill",
	[WD_EVENT_STOP] = "stop",
	[WD_EVENT_RESTART] = "restart",
	[WD_EVENT_PAUSE] = "pause",
	[WD_EVENT_UNPAUSE] = "unpause",
	[WD_EVENT_UPDATE] = "update",
	[WD_EVENT_RENAME] = "rename",
	[WD_EVENT_DESTROY] = "destroy",
	[WD_EVENT_HEALTH] = "health_status",
};

#define NAME_OF(table, index) ((unsigned)(index) < sizeof(table) / sizeof(*(table)) ? (table)[index] : NULL)

/* -1 where no word of the table is that name. */
static int find(const char *const *table, int count, const char *name)
{
	for (int i = 0; name && i < count; i++)
		if (table[i] && strcmp(table[i], name) == 0)
			return i;
	return -1;
}

const char *wd_trigger_name(enum wd_trigger trigger)
{
	return NAME_OF(triggers, trigger);
}

const char *wd_action_name(enum wd_action action)
{
	return NAME_OF(actions, action);
}

const char *wd_verdict_name(enum wd_verdict verdict)
{
	return NAME_OF(verdicts, verdict);
}

const char *wd_outcome_name(enum wd_outcome outcome)
{
	return NAME_OF(outcomes, outcome);
}

const char *wd_result_name(enum wd_result result)
{
	return NAME_OF(results, result);
}

const char *wd_state_name(enum wd_state state)
{
	return NAME_OF(states, state);
}

const char *wd_restart_name(enum wd_restart restart)
{
	return NAME_OF(restarts, restart);
}

const char *wd_health_name(enum wd_health health)
{
	return NAME_OF(healths, health);
}

const char *wd_event_name(enum wd_event_kind kind)
{
	return NAME_OF(events, kind);
}

bool wd_trigger_parse(const char *name, enum wd_trigger *ret_trigger)
{
	int index = find(triggers, WD_TRIGGERS, name);

	if (index < 0)
		return false;
	*ret_trigger = (enum wd_trigger)index;
	return true;
}

bool wd_action_parse(const char *name, enum wd_action *ret_action)
{
	int index = find(actions, WD_ACTIONS, name);

	if (index < 0)
		return false;
	*ret_action = (enum wd_action)index;
	return true;
}

bool wd_outcome_parse(const char *name, enum wd_outcome *ret_outcome)
{
	int index = find(outcomes, WD_OUTCOMES, name);

	if (index < 0)
		return false;
	*ret_outcome = (enum wd_outcome)index;
	return true;
}

bool wd_result_parse(const char *name, enum wd_result *ret_result)
{
	int index = find(results, WD_RESULTS, name);

	if (index < 0)
		return false;
	*ret_result = (enum wd_result)index;
	return true;
}

bool wd_state_parse(const char *name, enum wd_state *ret_state)
{
	int index = find(states, WD_STATES, name);

	if (index < 0)
		return false;
	*ret_state = (enum wd_state)index;
	return true;
}

/* Engines write a policy that was never set as "" or as "no", by the way the container was created. */
bool wd_restart_parse(const char *name, enum wd_restart *ret_restart)
{
	int index = name && !*name ? WD_RESTART_NO : find(restarts, WD_RESTARTS, name);

	if (index < 0)
		return false;
	*ret_restart = (enum wd_restart)index;
	return true;
}

bool wd_restart_policy_equal(struct wd_restart_policy one, struct wd_restart_policy two)
{
	return one.kind == two.kind && (one.kind != WD_RESTART_ON_FAILURE || one.retries == two.retries);
}

#define PERIOD 100000       /* microseconds: the kernel's own, and moby's for NanoCpus */
#define QUOTA_LEAST 1000    /* the kernel takes no less, */
#define PERIOD_MOST 1000000 /* and no longer period */

static int64_t period_of(struct wd_cpus cpus)
{
	return cpus.period > 0 && cpus.period <= PERIOD_MOST ? cpus.period : PERIOD;
}

double wd_cpus_count(struct wd_cpus cpus)
{
	if (cpus.nano > 0)
		return (double)cpus.nano / 1e9;
	return cpus.quota > 0 ? (double)cpus.quota / (double)period_of(cpus) : 0;
}

struct wd_cpus wd_cpus_lower(struct wd_cpus from, double count)
{
	struct wd_cpus lower = from;
	double quota = count * (double)period_of(from);

	if (from.nano > 0)
		lower.nano = (int64_t)(count * 1e9 + 0.5);
	else
		lower.quota = quota < QUOTA_LEAST ? QUOTA_LEAST : (int64_t)(quota + 0.5);
	return lower;
}

bool wd_cpus_equal(struct wd_cpus one, struct wd_cpus two)
{
	bool none = one.quota <= 0 && two.quota <= 0;

	if (one.nano != two.nano || (!none && one.quota != two.quota))
		return false;
	return none || period_of(one) == period_of(two);
}

bool wd_cpu_cut_is(const struct wd_cpu_cut *cut)
{
	return cut->now.quota > 0 || cut->now.nano > 0;
}

struct wd_container *wd_container_free(struct wd_container *container)
{
	if (!container)
		return NULL;
	for (unsigned i = 0; i < container->label_count; i++) {
		free(container->labels[i].key);
		free(container->labels[i].value);
	}
	free(container->labels);
	free(container->id);
	free(container->name);
	free(container->service);
	free(container->image);
	free(container->image_id);
	free(container->trouble);
	free(container->project);
	free(container);
	return NULL;
}

const char *wd_container_label(const struct wd_container *container, const char *key)
{
	if (!container || !key)
		return NULL;
	for (unsigned i = 0; i < container->label_count; i++)
		if (strcmp(container->labels[i].key, key) == 0)
			return container->labels[i].value;
	return NULL;
}
