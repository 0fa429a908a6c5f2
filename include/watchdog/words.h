/* words.h: the words that all rooms share: triggers, actions, verdicts, outcomes, and what a container is.
 * Plain data; the only functions are the names of the enums (words.c), which are also the names in JSON, labels,
 * configuration and metrics. NULL-safe; wd_*_parse() return false for a word that is none of theirs.
 */
#ifndef WATCHDOG_WORDS_H
#define WATCHDOG_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <watchdog/time.h>

enum wd_trigger {
	WD_TRIGGER_RESTARTS, WD_TRIGGER_FLAPPING, WD_TRIGGER_EXIT, WD_TRIGGER_DOWN, WD_TRIGGER_OOM, WD_TRIGGER_UNHEALTHY,
	WD_TRIGGER_MEMORY, WD_TRIGGER_CPU, WD_TRIGGER_PIDS, WD_TRIGGER_FORECAST, WD_TRIGGER_PRESSURE,
	WD_TRIGGERS
};
enum wd_action {
	WD_ACTION_NOTIFY, WD_ACTION_RESTART, WD_ACTION_STOP, WD_ACTION_PAUSE, WD_ACTION_THROTTLE, WD_ACTION_ROLLBACK,
	WD_ACTION_RESTORE, WD_ACTION_ROLLBACK_RESTORE, WD_ACTION_HOOK,
	/* Never a rung. RELEASE: what `seadog release` and a start by hand ask for. COMMIT and TAKE_BACK end a rollback
	 * that was verified, or was not. */
	WD_ACTION_RELEASE, WD_ACTION_COMMIT, WD_ACTION_TAKE_BACK, WD_ACTION_SNAPSHOT,
	WD_ACTIONS
};
enum wd_consistency { WD_CONSISTENCY_PAUSE, WD_CONSISTENCY_STOP, WD_CONSISTENCY_LIVE, WD_CONSISTENCIES };
enum wd_verdict {
	WD_VERDICT_WELL, WD_VERDICT_SUSPECT, WD_VERDICT_SICK, WD_VERDICT_TREATING, WD_VERDICT_VERIFYING, WD_VERDICT_HELD,
	WD_VERDICT_MUTED, WD_VERDICT_IGNORED, WD_VERDICTS
};
enum wd_outcome { WD_OUTCOME_OPEN, WD_OUTCOME_RECOVERED, WD_OUTCOME_HELD, WD_OUTCOME_OBSERVED, WD_OUTCOME_SUPPRESSED,
	WD_OUTCOME_FAILED, WD_OUTCOMES };
enum wd_result { WD_RESULT_OPEN, WD_RESULT_DONE, WD_RESULT_FAILED, WD_RESULT_UNDONE, WD_RESULT_SKIPPED,
	WD_RESULT_OBSERVED, WD_RESULTS };

const char *wd_trigger_name(enum wd_trigger trigger); /* "restarts" */
const char *wd_action_name(enum wd_action action);    /* "stop", "rollback+restore" */
const char *wd_verdict_name(enum wd_verdict verdict); /* "well" */
const char *wd_outcome_name(enum wd_outcome outcome); /* "held"; NULL while open */
const char *wd_result_name(enum wd_result result);    /* "done"; NULL while open */
bool wd_trigger_parse(const char *name, enum wd_trigger *ret_trigger);
bool wd_action_parse(const char *name, enum wd_action *ret_action);
bool wd_outcome_parse(const char *name, enum wd_outcome *ret_outcome);
bool wd_result_parse(const char *name, enum wd_result *ret_result);

/* A container, as `GET /containers/{id}/json` tells it (Engine API 1.41 and up). */
enum wd_state { WD_STATE_UNKNOWN, WD_STATE_CREATED, WD_STATE_RUNNING, WD_STATE_PAUSED, WD_STATE_RESTARTING,
	WD_STATE_REMOVING, WD_STATE_EXITED, WD_STATE_DEAD, WD_STATES };
enum wd_restart { WD_RESTART_NO, WD_RESTART_ALWAYS, WD_RESTART_UNLESS_STOPPED, WD_RESTART_ON_FAILURE, WD_RESTARTS };
enum wd_health { WD_HEALTH_NONE, WD_HEALTH_STARTING, WD_HEALTH_HEALTHY, WD_HEALTH_UNHEALTHY, WD_HEALTHS };

const char *wd_state_name(enum wd_state state);       /* the Engine's word; "unknown" */
const char *wd_restart_name(enum wd_restart restart); /* "unless-stopped" */
const char *wd_health_name(enum wd_health health);    /* "healthy"; NULL where there is no check */
bool wd_state_parse(const char *name, enum wd_state *ret_state);
bool wd_restart_parse(const char *name, enum wd_restart *ret_restart); /* "" and "no" are WD_RESTART_NO */

struct wd_restart_policy {
	enum wd_restart kind;
	unsigned retries; /* MaximumRetryCount; 0 is no limit; only with on-failure */
};
bool wd_restart_policy_equal(struct wd_restart_policy one, struct wd_restart_policy two);

/* What HostConfig says of CPU time: CpuQuota and CpuPeriod (microseconds) or NanoCpus; 0 where it is not set, and a quota
 * of -1 is none either. Set to 0 the Engine leaves them as they are (moby container_unix.go), and it refuses a quota
 * beside NanoCpus: so what is taken away is taken in the way in which it was given, and where nothing was set, by the
 * quota, which -1 gives back. */
struct wd_cpus {
	int64_t quota, period, nano;
};
struct wd_cpu_cut { /* a throttle: what holds, and what is given back; all 0: none */
	struct wd_cpus before, now;
};
double wd_cpus_count(struct wd_cpus cpus);                      /* how many it may use; 0: no limit */
struct wd_cpus wd_cpus_lower(struct wd_cpus from, double count); /* the same kind of limit, of so many */
bool wd_cpus_equal(struct wd_cpus one, struct wd_cpus two);     /* -1 is the same as nothing set */
bool wd_cpu_cut_is(const struct wd_cpu_cut *cut);               /* whether it is any */

struct wd_label {
	char *key;
	char *value;
};

struct wd_container {
	char *id;       /* 64 hex */
	char *name;     /* without the leading slash */
	char *service;  /* identity: "project/service/number" from labels it was given, else the name */
	char *image;    /* Config.Image: the name as it was given */
	char *image_id; /* Image: "sha256:…" */
	char *trouble;  /* State.Error, or NULL */
	enum wd_state state;
	int pid;        /* 0 unless running */
	int exit_code;  /* of the last run; means nothing while it runs */
	bool oom_killed;
	bool auto_remove;
	bool transient;       /* a name of seadog's or compose's own making, a one-off run: nobody's service */
	bool swarm_task;
	bool spoofs_exit_code; /* has a label "exitCode": its events cannot be believed about that (engine.md 1.4) */
	bool spoofs_signal;    /* has a label "signal" */
	struct wd_restart_policy policy;
	struct wd_cpus cpus;
	unsigned restart_count; /* policy restarts since the last start by hand */
	wd_stamp created, started, finished; /* WD_STAMP_NONE where never */
	enum wd_health health;
	wd_time check_patience; /* how long its health check's own settings need to say healthy or not; 0: no check */
	wd_time stop_timeout;   /* Config.StopTimeout, 10 s where it is not set */
	int stop_signal;        /* 15 where it is not set */
	struct wd_label *labels; /* that the container was GIVEN, not its image's: seadog.*, compose's, and those that
	                            `match = label:KEY=GLOB` may ask for */
	unsigned label_count;
	char *project; /* compose project given to it, or NULL */
};

struct wd_container *wd_container_free(struct wd_container *container); /* heap; returns NULL; takes NULL */
const char *wd_container_label(const struct wd_container *container, const char *key); /* or NULL */

#endif
