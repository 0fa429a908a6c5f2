/* plan.h: the runner of plans, for act/ alone. A plan is a table of rows that reads from top to bottom as a manual
 * would tell it.
 *
 * Each row is asked in turn; a fine answer leads to the next. Anything else (refused, lost, late, never sent) leads to
 * a look: what the look shows as done is done, and the first row that it does not show is asked again, as often as the
 * row allows. So a lost answer is neither success nor failure, a container that starts in between is stopped again, and
 * finishing what a dead seadog left is the same walk begun with a look. A plan that cannot be finished walks the table
 * that takes it back, by the same rules.
 *
 * Most plans are about one container. That of a rollback is about a pair, the old one and the new one (swap.h): its looks
 * are two, and that one of them is not there is no end of it but something that its rows know what to do about.
 *
 *     waiting -> journaling <-> asking <-> pausing -> ending -> striking
 */
#ifndef WATCHDOG_ACT_PLAN_H
#define WATCHDOG_ACT_PLAN_H

#include <watchdog/engine.h>
#include <watchdog/orders.h>
#include <watchdog/store.h>
#include <watchdog/text.h>
#include <watchdog/vault.h>

/* Everything that a plan reaches outside: the Engine, the journal, the clocks. In tests the model stands behind it. */
struct wd_outside {
	void *data;
	void *(*send)(void *data, const struct wd_engine_request *request, wd_engine_done *done,
		      void *done_data); /* done never from within */
	void (*cancel)(void *data, void *call);
	/* What a registry wants to know before it gives that image (X-Registry-Auth), or NULL; the caller frees. */
	char *(*credentials)(void *data, const char *image);
	char *(*helper)(void *data, const char *image); /* … or whom it would have to ask: "pass"; or NULL; the caller frees */
	bool (*podman)(void *data);
	const char *(*api)(void *data); /* the version that is spoken, "1.45", or NULL */
	void *(*timer_new)(void *data, wd_callback *callback, void *callback_data);
	void (*timer_set)(void *timer, wd_time at);
	void (*timer_free)(void *timer);
	uint32_t (*random)(void *data); /* which no other seadog had */
	wd_time (*now)(void *data);
	wd_stamp (*stamp)(void *data);
	/* The vault; NULL: there is none. */
	void *(*vault)(void *data, const struct wd_json *job, const struct wd_vault_hooks *hooks);
	void (*vault_paused)(void *job, wd_time span);
	void (*vault_cancel)(void *job);
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
	WD_ROW_READ,   /* what else must be known before anything is changed */
	WD_ROW_CHANGE, /* journaled before it is asked */
	WD_ROW_VIEW,   /* a look at something else, right before VERIFY, and asked whenever that is */
	WD_ROW_VERIFY, /* inspect: where each row that was not fine leads to, and what ends the changes */
	WD_ROW_FETCH,  /* nice to have: its failure is nobody's */
	WD_ROW_JOB,    /* the vault's, until it does not need the live data any more; longer than `patience` is a failure */
	WD_ROW_AWAIT,  /* … until it is done; the container is not needed for it */
};
/* What a row made of an answer that was fine. */
enum wd_kept {
	WD_KEPT,        /* on to the next row */
	WD_KEPT_MORE,   /* the same row once more, for the next of several */
	WD_KEPT_NOT,    /* it could not be read: as if it had been lost */
	WD_KEPT_FAILED, /* for good: run->why says why */
};

struct wd_row {
	const char *name; /* NULL ends the table */
	enum wd_row_kind kind;
	const char *method;
	const char *verb;                                    /* behind /containers/ID … */
	char *(*path)(const struct wd_run *run);             /* … or the whole path, which the caller frees */
	char *(*body)(const struct wd_run *run, size_t *ret_length); /* the caller frees; NULL: none */
	char *(*auth)(const struct wd_run *run);             /* X-Registry-Auth, which the caller frees; may be NULL */
	const char *type;                                    /* of the body, unless it is JSON */
	void (*shows)(const struct wd_run *run, struct wd_text *text); /* of the body, for people; may be NULL */
	bool lasts;       /* what it changes outlives the container's next start */
	bool sure;        /* the journal's row about it is to be on disk first: of a pair, that of its stop */
	size_t limit;     /* of the answer; 0: the HTTP client's own */
	bool any;         /* of a READ: `keep` is asked about any answer, also about none */
	wd_time patience; /* how long the Engine may take */
	bool stops;       /* … beside the time the container is given to stop */
	int fine;         /* a status beside 2xx that is as good; 0: none */
	unsigned tries;   /* asked so often at the most */
	bool once;        /* twice would do it twice: asked again only when the time of the first is over */
	bool (*needless)(const struct wd_run *run); /* by what is asked for and the last look; may be NULL */
	bool (*holds)(const struct wd_run *run);    /* the last look shows it done */
	enum wd_kept (*keep)(struct wd_run *run, const struct wd_engine_answer *answer); /* of a fine answer; or NULL */
};
#define WD_ROWS_MAX 28

/* What is to become of a plan that a dead seadog left, by the first look. */
enum wd_choice {
	WD_CHOICE_FINISH,
	WD_CHOICE_UNDO,
	WD_CHOICE_LEAVE,
	WD_CHOICE_DONE, /* it is done already */
};

struct wd_plan {
	const char *name; /* in the journal and the log */
	bool wakes;       /* what it acts on is down before it */
	bool pair;        /* about an old and a new container */
	bool stays;       /* done, its row stays in the journal: another plan ends it */
	bool gives_way;   /* to whatever else is to be done to the container */
	bool persists;    /* what it has changed it takes back, however long the Engine is away */
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

/* Pulling (pull.c). A reference has a tag or a digest; what is returned the caller frees. */
#define WD_PULL_TIME (30 * WD_MINUTE)
bool wd_pull_is_reference(const char *text); /* nothing else may go into a path */
char *wd_pull_path(const char *reference);
char *wd_pull_auth(const struct wd_outside *outside, const char *reference); /* X-Registry-Auth, or NULL */
/* What was wrong; NULL: it is there now. */
char *wd_pull_complaint(const struct wd_outside *outside, const char *reference, const struct wd_engine_answer *answer);

/* Bodies of an update, and what a dry run says of them (update.c). */
char *wd_update_no(const struct wd_run *run, size_t *ret_length);
char *wd_update_back(const struct wd_run *run, size_t *ret_length); /* and the CPUs that a throttle took, if there is one */
char *wd_update_cpus_down(const struct wd_run *run, size_t *ret_length);
char *wd_update_cpus_back(const struct wd_run *run, size_t *ret_length);
void wd_update_show_no(const struct wd_run *run, struct wd_text *text);
void wd_update_show_back(const struct wd_run *run, struct wd_text *text);
void wd_update_show_cpus_down(const struct wd_run *run, struct wd_text *text);
void wd_update_show_cpus_back(const struct wd_run *run, struct wd_text *text);

enum wd_phase {
	WD_PHASE_WAITING,
	WD_PHASE_JOURNALING,
	WD_PHASE_ASKING,
	WD_PHASE_PAUSING,
	WD_PHASE_ENDING,
	WD_PHASE_STRIKING
};

struct wd_run_hooks {
	void (*progress)(void *data, const struct wd_run *run, const struct wd_vault_progress *progress); /* or NULL */
	void (*step)(void *data, const struct wd_run *run, const char *step, const char *what);
	void (*freed)(void *data, struct wd_run *run); /* it does not need its container any more; may be NULL */
	/* Right before `ended`: true where something else must end first; then wd_run_let_go(). May be NULL. */
	bool (*holds)(void *data, struct wd_run *run);
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
	bool rehearsed;  /* nothing is changed: it ends before that, and says what it would do */
	bool resumed;    /* left by a dead seadog */
	wd_stamp began;  /* when the plan began */
	int64_t journal; /* id of its row; 0: to be given one */
	struct wd_taking *taking; /* of a snapshot, else NULL; goes over to the run */
};
void wd_task_of(struct wd_task *task, const struct wd_order *order, bool remembered); /* strings are copied */
void wd_task_done(struct wd_task *task);

struct wd_swap; /* what a plan about a pair knows (swap.h) */
struct wd_taking; /* what the plan of a snapshot knows (snapshot.h) */

struct wd_run {
	struct wd_run *next; /* the actor's */
	const struct wd_outside *outside;
	struct wd_run_hooks hooks;
	const struct wd_plan *plan;
	struct wd_task task;
	struct wd_swap *swap; /* of a pair; else NULL */
	bool swap_kept;       /* it is somebody else's by now */
	struct wd_taking *taking; /* of a snapshot; else NULL */

	enum wd_phase phase;
	const struct wd_row *rows, *row;
	bool undoing;
	void *call, *timer;

	struct wd_container *seen;   /* by the last look; NULL: not there, of a pair alone */
	wd_stamp started_before;     /* StartedAt at the first look */
	unsigned asked[WD_ROWS_MAX]; /* of each row, how often */
	unsigned late[WD_ROWS_MAX];  /* … and how often not answered in time */
	unsigned silent;             /* looks without an answer, in a row */
	bool changed;                /* a change may have been made */
	bool inherited;              /* its row was there before it began: a pair is to be ended, whatever comes of this plan */
	unsigned unsent;             /* changes that did not get to the Engine, in a row */
	bool unheard;                /* the last change that was asked for, and not done: nobody has refused it */
	bool lasting;                /* … one of what stays after it: the restart policy, the CPUs, the name */
	bool chosen;                 /* what is to become of what a dead seadog left */
	char *way;                   /* why it makes way to something else, as soon as it can */
	bool undone;                 /* something was asked to be taken back */
	wd_time first_change;        /* when the first one was asked for; 0: none was */
	wd_time not_before;          /* a row that must not be done twice waits until then … */
	unsigned waits;              /* … looking so often */
	const struct wd_row *journaled;
	unsigned steps; /* rows written to the journal */
	bool partly;    /* it went well, but not for all who depend on it */
	bool leave;     /* the row stays in the journal: how it ended is not known */

	enum wd_plan_end end;
	char *why;    /* what went wrong last */
	char *detail; /* at the end */
	char *logs;
};

/* task, swap: taken over; task is {0} after it. swap: NULL unless the plan is about a pair. */
struct wd_run *wd_run_new(const struct wd_outside *outside, const struct wd_run_hooks *hooks,
			  const struct wd_plan *plan, struct wd_task *task, struct wd_swap *swap);
struct wd_run *wd_run_free(struct wd_run *run); /* promises silence */
void wd_run_begin(struct wd_run *run);
void wd_run_let_go(struct wd_run *run);
/* The vault's job is told to have come that far (snapshot.c). */
void wd_run_job_moved(struct wd_run *run);
/* It has to make way; what it has changed is taken back. Nothing happens where it does not need the container any more. */
void wd_run_give_way(struct wd_run *run, const char *why);
bool wd_run_needs_container(const struct wd_run *run);
/* Ends a run that has not begun, without having done anything. */
void wd_run_refuse(struct wd_run *run, const char *why);

/* What the rows of plans.c ask of the last look. */
bool wd_run_is_up(const struct wd_run *run); /* runs, or is about to be restarted by its policy */
bool wd_run_is_down(const struct wd_run *run);
bool wd_run_is_paused(const struct wd_run *run);
bool wd_run_is_throttled(const struct wd_run *run); /* by seadog: its CPUs are those of the task's cut */
bool wd_run_started(const struct wd_run *run); /* started anew since the plan began */
/* A line for each change that its plan would make from here; adds to the list. */
void wd_run_describe(const struct wd_run *run, struct wd_list *ret_lines);
char *wd_row_path(const struct wd_run *run, const struct wd_row *row); /* the caller frees */
wd_time wd_row_deadline(const struct wd_run *run, const struct wd_row *row);

#endif
