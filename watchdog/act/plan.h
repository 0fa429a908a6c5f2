/* plan.h: the runner of plans, for act/ alone. A plan is a table of rows that reads from top to bottom as a manual
 * would tell it.
 *
 * Each row is asked in turn; a fine answer leads to the next. Anything else (refused, lost, late, never sent) leads to
 * a look: what the look shows as done is done, and the first row that it does not show is asked again, as often as the
 * row allows. So a lost answer is neither success nor failure, a container that starts in between is stopped again, and
 * finishing what a dead seadog left is the same walk begun with a look. A plan that cannot be finished walks the table
 * that takes it back, by the same rules.
 *
 *     waiting -> journaling <-> asking <-> pausing -> ending -> striking
 */
#ifndef WATCHDOG_ACT_PLAN_H
#define WATCHDOG_ACT_PLAN_H

#include <watchdog/engine.h>
#include <watchdog/orders.h>
#include <watchdog/store.h>
#include <watchdog/text.h>

/* Everything that a plan reaches outside: the Engine, the journal, the clocks. In tests the model stands behind it. */
struct wd_outside {
	void *data;
	void *(*send)(void *data, const struct wd_engine_request *request, wd_engine_done *done,
		      void *done_data); /* done never from within */
	void (*cancel)(void *data, void *call);
	/* What a registry wants to know before it gives that image (X-Registry-Auth), or NULL; the caller frees. */
	char *(*credentials)(void *data, const char *image);
	bool (*podman)(void *data);
	void *(*timer_new)(void *data, wd_callback *callback, void *callback_data);
	void (*timer_set)(void *timer, wd_time at);
	void (*timer_free)(void *timer);
	wd_time (*now)(void *data);
	wd_stamp (*stamp)(void *data);
	bool journaled; /* false: the five below are not there */
	int64_t (*next_plan)(void *data);
	void (*journal)(void *data, const struct wd_journal *row, wd_store_done *done, void *done_data);
	void (*hush)(void *data, const void *done_data);
	void (*strike)(void *data, int64_t id);
	bool (*load)(void *data, wd_store_journal_callback *callback, void *callback_data, struct wd_error *error);
};

struct wd_run;

enum wd_row_kind {
	WD_ROW_LOOK,   /* inspect, before anything is changed: learn, and refuse what must not be done */
	WD_ROW_CHANGE, /* journaled before it is asked */
	WD_ROW_VERIFY, /* inspect: where each row that was not fine leads to, and what ends the changes */
	WD_ROW_FETCH,  /* nice to have: its failure is nobody's */
};
enum wd_row_body {
	WD_BODY_NONE,
	WD_BODY_POLICY_NO,
	WD_BODY_POLICY_BACK, /* and the CPUs that a throttle took, if there is one */
	WD_BODY_CPUS_DOWN,
	WD_BODY_CPUS_BACK
};

struct wd_row {
	const char *name; /* NULL ends the table */
	enum wd_row_kind kind;
	const char *method;
	const char *verb; /* behind /containers/ID */
	enum wd_row_body body;
	wd_time patience; /* how long the Engine may take */
	bool stops;       /* … beside the time the container is given to stop */
	int fine;         /* a status beside 2xx that is as good; 0: none */
	unsigned tries;   /* asked so often at the most */
	bool once;        /* twice would do it twice: asked again only when the time of the first is over */
	bool (*needless)(const struct wd_run *run); /* by what is asked for and the last look; may be NULL */
	bool (*holds)(const struct wd_run *run);    /* the last look shows it done */
	void (*keep)(struct wd_run *run, const struct wd_engine_answer *answer); /* of a fine answer; may be NULL */
};
#define WD_ROWS_MAX 8

/* What is to become of a plan that a dead seadog left, by the first look. */
enum wd_choice { WD_CHOICE_FINISH, WD_CHOICE_UNDO, WD_CHOICE_LEAVE };

struct wd_plan {
	const char *name; /* in the journal and the log */
	bool wakes;       /* what it acts on is down before it */
	const struct wd_row *rows;
	const struct wd_row *podman; /* other order for Podman; NULL: the same */
	const struct wd_row *resume; /* what finishes it after a death of seadog; NULL: the same rows */
	const struct wd_row *undo;   /* what takes it back; NULL: nothing can */
	const char *(*refuses)(
		const struct wd_run *run); /* after the first look: why it must not be done; may be NULL */
	enum wd_choice (*choose)(const struct wd_run *run, const char **ret_why);
	void (*goal)(const struct wd_run *run, struct wd_text *text); /* "stopped and policy no" */
	void (*done)(const struct wd_run *run, struct wd_text *text); /* for the step, when it went well */
};
const struct wd_plan *wd_plan_of(const struct wd_order *order);              /* NULL: no plan for that */
const struct wd_plan *wd_plan_named(const char *name);                       /* as the journal has it, or NULL */
void wd_policy_print(struct wd_text *text, struct wd_restart_policy policy); /* "always", "on-failure:3" */

enum wd_phase {
	WD_PHASE_WAITING,
	WD_PHASE_JOURNALING,
	WD_PHASE_ASKING,
	WD_PHASE_PAUSING,
	WD_PHASE_ENDING,
	WD_PHASE_STRIKING
};

struct wd_run_hooks {
	void (*step)(void *data, const struct wd_run *run, const char *step, const char *what);
	void (*ended)(void *data, struct wd_run *run); /* once; the journal's row is still there */
	void (*over)(void *data, struct wd_run *run);  /* the row is struck: the run may be freed */
	void *data;
};

/* What is asked for. Strings are owned by the run. */
struct wd_task {
	uint64_t ticket;
	char *service, *name, *container;
	int64_t incident;
	struct wd_restart_policy policy; /* to be given back; a hold learns it with its look */
	struct wd_cpu_cut cut; /* of a throttle, which learns it with its look; or to be given back */
	double cpus;           /* throttle: how many are left */
	bool remembered; /* the policy is durable already: nothing is waited for, and no look before the first change */
	bool no_start;
	wd_time stop_timeout;
	bool resumed;    /* left by a dead seadog */
	wd_stamp began;  /* when the plan began */
	int64_t journal; /* id of its row; 0: to be given one */
};
void wd_task_of(struct wd_task *task, const struct wd_order *order, bool remembered); /* strings are copied */
void wd_task_done(struct wd_task *task);

struct wd_run {
	struct wd_run *next; /* the actor's */
	const struct wd_outside *outside;
	struct wd_run_hooks hooks;
	const struct wd_plan *plan;
	struct wd_task task;

	enum wd_phase phase;
	const struct wd_row *rows, *row;
	bool undoing;
	void *call, *timer;

	struct wd_container *seen;   /* by the last look */
	wd_stamp started_before;     /* StartedAt at the first look */
	unsigned asked[WD_ROWS_MAX]; /* of each row, how often */
	unsigned late[WD_ROWS_MAX];  /* … and how often not answered in time */
	unsigned silent;             /* looks without an answer, in a row */
	bool changed;                /* a change may have been made */
	bool lasts;                  /* … one of what stays after it: the restart policy, the CPUs */
	bool chosen;                 /* what is to become of what a dead seadog left */
	bool undone;                 /* something was asked to be taken back */
	wd_time not_before;          /* a row that must not be done twice waits until then … */
	unsigned waits;              /* … looking so often */
	const struct wd_row *journaled;
	unsigned steps; /* rows written to the journal */
	bool leave;     /* the row stays in the journal: how it ended is not known */

	enum wd_plan_end end;
	char *why;    /* what went wrong last */
	char *detail; /* at the end */
	char *logs;
};

/* task: taken over, {0} after it. */
struct wd_run *wd_run_new(const struct wd_outside *outside, const struct wd_run_hooks *hooks,
			  const struct wd_plan *plan, struct wd_task *task);
struct wd_run *wd_run_free(struct wd_run *run); /* promises silence */
void wd_run_begin(struct wd_run *run);
/* Ends a run that has not begun, without having done anything. */
void wd_run_refuse(struct wd_run *run, const char *why);

/* What the rows of plans.c ask of the last look. */
bool wd_run_is_up(const struct wd_run *run); /* runs, or is about to be restarted by its policy */
bool wd_run_is_down(const struct wd_run *run);
bool wd_run_is_paused(const struct wd_run *run);
bool wd_run_is_throttled(const struct wd_run *run); /* by seadog: its CPUs are those of the task's cut */
bool wd_run_started(const struct wd_run *run); /* started anew since the plan began */
wd_time wd_row_deadline(const struct wd_run *run, const struct wd_row *row);

#endif
