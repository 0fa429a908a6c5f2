/* machine.h: what the files of the core share. The guard (guard.c) owns services (service.c). Events (event.c) and inspects
 * (sight.c) become crashes and OOM kills (crash.c) in windows (window.c); the judge (judge.c) trips triggers; a tripped
 * trigger is a case (case.c and its neighbours, see case.h), which climbs its ladder (ladder.c) as far as the gate (gate.c)
 * lets it; what people ask for goes its own way (manual.c); holds are in hold.c, reasons are phrased in reason.c. Whose an
 * identity is that two containers claim: claim.c.
 *
 * States of a service, as people see them (wd_verdict):
 *
 *     well -> suspect -> sick -> treating -> verifying -> well
 *                          |         |           |
 *                          |         +-> held <--+   (release, a start by hand, a new deployment: -> well)
 *                          +-> sick, held back by the gate: judged again when that ends
 */
#ifndef WATCHDOG_CORE_MACHINE_H
#define WATCHDOG_CORE_MACHINE_H

#include <watchdog/guard.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>

#include "usage.h"

#define WD_REMEMBER_PATIENCE (10 * WD_SECOND) /* what is not on disk by then is not done */
#define WD_PROOF_MOST 10                      /* runs in a row that the longest wait (a minute) proves */
#define WD_SHORT_RUN (10 * WD_SECOND)         /* a longer run resets the Engine's back-off (moby restartmanager.go) */

/* --- windows (window.c) --------------------------------------------------------------------------------------------- */

struct wd_mark_time {     /* a crash or an OOM kill that counts */
	wd_time at, from; /* from < at: it happened somewhere in between, unseen */
	wd_time waited;   /* the Engine's back-off summed up to then */
	wd_stamp stamp, from_stamp;
	int exit_code; /* -1 unknown */
	bool seen;
};
struct wd_marks {
	struct wd_mark_time *items; /* oldest first */
	unsigned count;
};
/* Adds a mark and drops the oldest beyond `keep`: what nobody saw may be as old as the gap in which it happened. */
void wd_marks_add(struct wd_marks *marks, struct wd_mark_time mark, unsigned keep);
void wd_marks_clear(struct wd_marks *marks);
/* How many lie within `window` before `now`; *ret_first is the oldest of them. With `waited` (the back-off summed up to
 * now) the Engine's waits do not count; WD_NEVER: plain time. */
unsigned wd_marks_within(const struct wd_marks *marks, wd_time now, wd_time waited, wd_time window,
			 const struct wd_mark_time **ret_first);
void wd_marks_remember(const struct wd_marks *marks, struct wd_mark **ret_marks, unsigned *ret_count);
void wd_marks_recall(struct wd_marks *marks, const struct wd_mark *from, unsigned count, wd_time now, wd_stamp stamp);

/* --- cases (case.h) ------------------------------------------------------------------------------------------------- */

enum wd_phase {
	WD_PHASE_WAITING,     /* the gate holds it back; judged again at `until` */
	WD_PHASE_REMEMBERING, /* the store has yet to confirm the policy that a hold must give back */
	WD_PHASE_TREATING,    /* a plan is under way */
	WD_PHASE_VERIFYING,   /* the rung has been done; does it help? */
	WD_PHASE_CONFIRMING,  /* time is up: the last inspect decides */
	WD_PHASE_MOVING,      /* it is on its way to another image (move.c) */
	WD_PHASE_WATCHING,    /* people are told; it is open until the trigger clears */
};
struct wd_case {
	struct wd_incident *incident;
	enum wd_phase phase;
	unsigned rung;    /* of the ladder; == count: the hold at its end */
	uint64_t ticket;  /* of the plan under way */
	wd_time until;    /* WAITING, VERIFYING: when to look again */
	wd_time patience; /* VERIFYING: when its health check must have said healthy */
	wd_time longest;  /* the longest life seen in the loop */
	bool acts;
	bool inferred; /* tripped by what nobody saw */
	bool away;     /* WAITING: for the Engine */
	bool cut;      /* seadog died in the middle of its hold: the stop may have been ours */
	bool tried_stop;
	bool climbed;    /* it acted once, and its ladder is used up: only people are left */
	unsigned beside; /* triggers that tripped as well, a bit for each */
};

/* --- images (pins.c) ------------------------------------------------------------------------------------------------ */

/* A question about an image that is under way. */
struct wd_question {
	uint64_t ticket;
	enum { WD_FOR_CONFIG, WD_FOR_LEARNING, WD_FOR_POLICY, WD_FOR_PIN, WD_FOR_MOVE, WD_FOR_REHEARSAL } purpose;
	char *image;
	enum wd_pin_by by;
	bool known;       /* FOR_POLICY: it is pinned by that name already */
	uint64_t request; /* of the person who asked */
};

/* --- rollbacks (move.c) --------------------------------------------------------------------------------------------- */

enum wd_move_phase {
	WD_MOVE_NONE,
	WD_MOVE_AWAY,       /* the plan is under way: what is seen of both containers is not taken in */
	WD_MOVE_ARRIVED,    /* the new one is the service, and has not been seen yet */
	WD_MOVE_TRIAL,      /* does it run? */
	WD_MOVE_CONFIRMING, /* the last inspect decides */
	WD_MOVE_BACK,       /* it is taken back */
	WD_MOVE_COMMITTING, /* a dead seadog had begun to commit it */
	WD_MOVE_LOST,       /* somebody has removed the new one: does something take its place? */
};
struct wd_move {
	enum wd_move_phase phase;
	uint64_t ticket;  /* of the plan under way */
	uint64_t request; /* of the person who asked; 0: nobody waits */
	bool by_hand;     /* no case has ordered it */
	bool gone;        /* while the plan was under way somebody removed the container that was the service before */
	char *id;         /* the new one's */
	char *why;        /* why it is taken back */
	wd_time until, patience, longest;
	uint64_t commit;                    /* ticket: the old one is being removed */
	uint64_t rehearsal, rehearsal_for; /* ticket and request of a dry run */
};

/* --- services (service.c) ------------------------------------------------------------------------------------------- */

struct wd_service {
	struct wd_memory memory;        /* what is remembered; marks are filled in when it is written */
	struct wd_container *container; /* as last inspected; NULL: remembered, or just removed */
	const struct wd_policy *policy; /* NULL with it; shared */
	enum wd_verdict verdict;
	const char *verdict_why;

	/* the run */
	bool spared; /* never touched: [safety] never, or seadog's own; as of its picture and the settings */
	bool listed; /* told since the Engine came */
	bool running;
	bool stopped;                  /* somebody wanted it down */
	wd_time stopped_at;            /* when it was stopped between two runs */
	wd_time left_at;               /* when a plan of a hold was over; 0: none was since seadog began */
	bool ended;                    /* its last run is over, and no policy answers that */
	wd_time asked_until;           /* a die up to then was asked for; 0: nobody asked */
	wd_stamp doubtful;             /* its last die came later than that; NONE: it did not */
	bool run_told;                 /* a start was heard since StartedAt was last seen to change */
	bool other_run;                /* StartedAt has changed, and no start was heard: a run that nobody told */
	wd_time started_at;            /* of this run, or of the last */
	wd_time ended_at;              /* when its last run ended by itself; WD_NEVER: it runs, or nobody saw it */
	wd_time waiting_since;         /* a crash that the policy answers: the Engine waits; WD_NEVER: it does not */
	wd_time waited;                /* all waits since the windows were last empty */
	wd_time last_wait;             /* the wait before this run */
	wd_time longest_life;          /* since the windows were last empty */
	wd_time heard_at;              /* when the last event about it came */
	int last_exit;                 /* of the last crash; -1 unknown */
	wd_stamp run_stamp;            /* of its last die or start that was heard */
	bool exit_wanted;              /* the last crash waits for its exit code from inspect */
	struct wd_mark_time undecided; /* a crash that only its exit code can judge; stamp 0: none */
	wd_time undecided_life;
	struct wd_mark_time pending; /* a crash that counts once something starts it again; stamp 0: none */

	/* windows */
	struct wd_marks crashes, ooms;
	struct wd_usage *usage; /* what it uses; NULL: nobody has told yet */
	bool blind;             /* it crashed before anybody watched: the Engine's waits may prove a loop */
	unsigned proven;        /* crashes in a row that the Engine's wait proves */
	wd_time proof;          /* that wait */
	unsigned ooms_in_run;
	bool run_heard;         /* this run was heard to start: the kernel's count of OOM kills began with it */
	wd_time oom_guessed_at; /* OOM kills counted from inspect or by the kernel, whose events may still come, */
	unsigned oom_guesses;   /* and how many */

	/* squaring with RestartCount */
	bool square;        /* the next fresh inspect is to be compared */
	unsigned owed;      /* RestartCount that is not counted yet; 0: nothing owed */
	wd_time owed_at;    /* when it is counted as unseen */
	wd_time owed_asked; /* when the inspect was asked that told it */
	unsigned by_tool;   /* counted as started by a tool since the last look: it may have been a policy set since */
	bool paid_ahead;    /* the die that may still come was counted as unseen already */
	wd_stamp paid_until; /* and so was each of before that run */
	wd_time sure_at;    /* memory.sure on our clock */

	wd_time broke_at;                    /* when it was well for the last time and broke; WD_NEVER: never */
	wd_time unhealthy_since, down_since; /* WD_NEVER: is not */
	wd_time settled[WD_TRIGGERS];        /* of these two: the one that an incident was closed over, to no avail */
	wd_time look_at;                     /* when to inspect it (a start that should have come); WD_NEVER */
	char *down_why;
	wd_time gone_at; /* no container any more since; WD_NEVER: has one */

	/* what is done about it */
	struct wd_case *cases[WD_TRIGGERS];
	wd_time cooldown_until, muted_until; /* 0: none */
	wd_time throttled_at;                /* what was asked before that knows nothing of it */
	uint64_t manual;  /* ticket of a plan that a person asked for, or that a start by hand made; 0: none */
	uint64_t request; /* of the person */
	enum wd_action manual_action;
	bool cut_hold; /* seadog died between the row that says held and the hold: it was stopped by nobody yet */
	bool manual_again; /* the hold stood before that: it stands if that fails, too */
	bool manual_waits; /* for the store, */
	wd_time manual_by; /* but not for ever */
	bool manual_no_start;
	struct wd_question *questions;
	unsigned question_count;
	wd_time learn_from; /* what ran before that has been forgotten by hand */
	wd_time learn_next; /* what failed is not asked again before that */
	bool unresolved;    /* people were told that its rollback_to is not on the host */
	struct wd_move move;
	bool remembered; /* the store confirmed memory.policy of memory.id */
	bool remembering;
	char *remember_trouble;

	bool dirty, confirm; /* to be written at the end of the turn */
	wd_time next;        /* when to be looked at; WD_NEVER */
};

/* A container that events speak of and that nobody has inspected yet. */
struct wd_stranger {
	char id[65];
	wd_time since;
	wd_time died_at; /* when we heard of its last die */
	struct wd_event *events;
	unsigned count;
};

struct wd_hookings;
struct wd_guard {
	const struct wd_settings *settings;
	struct wd_list self;
	struct wd_service **services;
	size_t count;
	struct wd_map *by_key; /* identity -> service */
	struct wd_map *by_id;  /* container id -> service */
	struct wd_map *policies; /* values -> policy, which services share */
	struct wd_map *strangers;
	struct wd_map *contested; /* identities that two containers claim */
	struct wd_map *claims;    /* containers that are not taken in yet, or not under that name (claim.c) */
	int64_t next_incident;
	uint64_t next_ticket;
	wd_time now; /* of the fact being told */
	wd_stamp stamp;
	wd_time wake;

	bool up, synced;           /* synced: the list and what happened meanwhile are told */
	wd_time born, grace_until; /* after the Engine's start: nobody acts */
	wd_time tilt_until, mass_until;
	bool reloaded;       /* the policies are others, and nothing has followed from it yet */
	wd_time muted_until; /* of all, and of who is still to come; each may be unmuted by itself */
	wd_time *actions;    /* when the host was changed, oldest first */
	unsigned action_count;

	struct wd_order *orders; /* queue: [head, tail) */
	size_t order_head, order_tail, order_room;
	struct wd_service **dirty;
	size_t dirty_count, dirty_room, confirm_count; /* of the dirty: those that somebody waits for */
	wd_time flush_at;                              /* when rows that nobody waits for are written */
	char **scratch;                                /* strings of orders, until the next tell */
	size_t scratch_count, scratch_room;
	struct wd_hookings *hooks; /* under way; NULL: none was ever */
	struct wd_service **dead_services;
	size_t dead_service_count;
	struct wd_incident **dead_incidents;
	size_t dead_incident_count;
};

/* Works its policy out anew (policies.c). Policies that are equal are one: hosts have many containers and few policies. */
void wd_policies_take(struct wd_guard *guard, struct wd_service *service, struct wd_findings *findings);
void wd_policies_drop(struct wd_guard *guard, struct wd_service *service);

struct wd_service *wd_service_new(struct wd_guard *guard, const char *key);
struct wd_service *wd_service_by_id(const struct wd_guard *guard, const char *id);
void wd_service_see(struct wd_guard *guard, const struct wd_container *container, wd_time asked, bool synced);
/* Another container is the service from now on, by a rollback: no new deployment. image_id may be NULL. */
void wd_service_adopt(struct wd_guard *guard, struct wd_service *service, const char *id, const char *image_id);
void wd_service_lose(struct wd_guard *guard, struct wd_service *service); /* its container is gone */
/* How long it is remembered without a container. */
wd_time wd_service_outlives(const struct wd_service *service);
void wd_service_forget(struct wd_guard *guard, struct wd_service *service);
void wd_service_recall(struct wd_guard *guard, const struct wd_memory *memory);
void wd_service_empty(struct wd_service *service); /* its windows */
/* memory.counted was right at that moment, which is not ahead of us. */
void wd_service_account_is_right(const struct wd_guard *guard, struct wd_service *service, wd_time at);
void wd_service_judge_verdict(struct wd_guard *guard, struct wd_service *service);
const char *wd_service_name(const struct wd_service *service);
bool wd_service_may_touch(const struct wd_guard *guard, const struct wd_service *service);
bool wd_service_busy(const struct wd_service *service); /* a plan of ours is under way */
void wd_guard_stranger(struct wd_guard *guard, const struct wd_event *event);

/* --- who is who (claim.c) ------------------------------------------------------------------------------------------- */

/* An identity is its container's, whose id the row remembers, until the Engine has said what became of that: it is there
 * (then each goes by its name), it goes by another name, or it is gone (then the newcomer is a new deployment). Lists and
 * answers come in any order, so the Engine is asked about the owner first, and about the newcomer again after it. */
bool wd_claim_waits(struct wd_guard *guard, const char *key, const char *id); /* it is not that service yet */
/* Whose the identity is as far as we know, if that is another container, which may or may not be there still; or NULL. */
struct wd_service *wd_claim_owner(const struct wd_guard *guard, const char *key, const char *id);
void wd_claim_hidden(struct wd_guard *guard, const char *id);                     /* asked again when the plan ends */
bool wd_claim_is_made(const struct wd_guard *guard, const char *owner);
/* What became of it is known; "": a plan has ended, so what it had hidden is asked for. */
void wd_claim_settle(struct wd_guard *guard, const char *owner);
void wd_claim_drop(struct wd_guard *guard, const char *id);
void wd_claim_left(struct wd_guard *guard, const char *key); /* one that claimed it is gone: the last has it for itself */
void wd_claim_time(struct wd_guard *guard);
void wd_claim_clear(struct wd_guard *guard);

/* --- what is heard and seen: events (event.c), inspects (sight.c), crashes and OOM kills (crash.c) ---------------------- */

void wd_event_take(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event);
void wd_event_health(struct wd_guard *guard, struct wd_service *service, enum wd_health health);
void wd_event_begin_run(struct wd_service *service, wd_time at);
/* Whether a kill with that signal asks it to end. */
bool wd_event_ends_it(const struct wd_container *container, int signal);
void wd_event_end_wait(struct wd_service *service, wd_time at); /* the Engine's back-off is over */
void wd_sight_take(struct wd_guard *guard, struct wd_service *service, wd_time asked, bool first);
void wd_crash_die(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event);
void wd_crash_count(struct wd_guard *guard, struct wd_service *service, struct wd_mark_time mark, wd_time life);
void wd_crash_take_back(struct wd_guard *guard, struct wd_service *service); /* the doubtful die was asked for */
void wd_crash_answered(struct wd_guard *guard, struct wd_service *service); /* a pending one, by the policy after all */
void wd_crash_owed(struct wd_guard *guard, struct wd_service *service);     /* what was owed has not come */
void wd_crash_learn(struct wd_guard *guard, struct wd_service *service);    /* the exit code, from inspect */
void wd_crash_decide(struct wd_guard *guard, struct wd_service *service, int exit_code); /* one that waited for that */
void wd_crash_prove(struct wd_service *service, wd_time wait);
wd_time wd_crash_next_proof(const struct wd_service *service);
void wd_oom_event(struct wd_guard *guard, struct wd_service *service, const struct wd_event *event);
void wd_oom_look(struct wd_guard *guard, struct wd_service *service, bool first);
void wd_oom_counter(struct wd_guard *guard, struct wd_service *service, uint64_t kills); /* as the kernel counts them */

/* --- the judge (judge.c) -------------------------------------------------------------------------------------------- */

/* Opens a case if the trigger holds and has none. inferred: by what nobody saw. */
void wd_judge_trip(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, bool inferred);
void wd_judge_broke(struct wd_guard *guard, struct wd_service *service, wd_time at); /* something went wrong with it */
void wd_judge_prepare(struct wd_guard *guard, struct wd_service *service);           /* for a hold that may come */
void wd_judge_time(struct wd_guard *guard, struct wd_service *service);
wd_time wd_judge_next(const struct wd_guard *guard, const struct wd_service *service);
/* Whether the trigger holds now; why: phrased, or NULL. The caller frees *ret_why. */
bool wd_judge_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
		    char **ret_why);
bool wd_judge_rate_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
			 char **ret_why);
bool wd_judge_is_restless(const struct wd_service *service, const struct wd_policy *policy, wd_time now);
bool wd_judge_suspects(const struct wd_guard *guard, const struct wd_service *service);
wd_time wd_judge_waited(const struct wd_service *service, wd_time now);
unsigned wd_judge_rate(const struct wd_service *service, enum wd_trigger trigger, struct wd_rate rate, wd_time now,
		       const struct wd_mark_time **ret_first);

/* --- samples (usage.c) ---------------------------------------------------------------------------------------------- */

void wd_usage_take(struct wd_guard *guard, struct wd_service *service, const struct wd_sample *sample, double cpus);
struct wd_usage *wd_usage_free(struct wd_usage *usage); /* returns NULL; takes NULL */
/* Appends to an incident what was used since its last point. */
void wd_usage_tell(const struct wd_guard *guard, const struct wd_service *service, struct wd_incident *incident);
void wd_usage_forget(struct wd_service *service); /* another run */
bool wd_usage_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
		    char **ret_why);
bool wd_usage_is_over(const struct wd_service *service, enum wd_trigger trigger); /* on its way to it, or holding */
bool wd_usage_suspects(const struct wd_service *service);
/* An incident was closed over what holds still: counted anew from then on, or (WD_NEVER) only when it has cleared. */
void wd_usage_settle(struct wd_service *service, enum wd_trigger trigger, wd_time anew);

/* --- cases (case.h) ------------------------------------------------------------------------------------------------- */

void wd_case_trip(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger, char *why_taken,
		  bool inferred);
/* Whether a case may be opened for a trigger that holds. What may not is judged again as soon as it may. */
bool wd_case_may_open(const struct wd_service *service, enum wd_trigger trigger);
void wd_case_recall(struct wd_guard *guard, const struct wd_incident *incident);
void wd_case_met(struct wd_guard *guard, struct wd_service *service); /* its policy is known, or is another one */
void wd_case_crashed(struct wd_guard *guard, struct wd_service *service, int exit_code, wd_time life, bool seen);
/* What was inferred was seen to happen: it waits for no grace any more. */
void wd_case_witnessed(struct wd_guard *guard, struct wd_service *service, enum wd_trigger trigger);
void wd_case_unhealthy(struct wd_guard *guard, struct wd_service *service);
void wd_case_over(struct wd_guard *guard, struct wd_service *service,
		  enum wd_trigger trigger);                            /* it has tripped again */
void wd_case_seen(struct wd_guard *guard, struct wd_service *service); /* a fresh inspect */
void wd_case_ask_again(struct wd_service *service, wd_time now);       /* what the gate held back: it may be open now */
void wd_case_time(struct wd_guard *guard, struct wd_service *service);
void wd_case_acted(struct wd_guard *guard, const struct wd_fact *fact);
void wd_case_stored(struct wd_guard *guard, struct wd_service *service);
void wd_case_replaced(struct wd_guard *guard, struct wd_service *service, const char *why); /* gone or deployed anew */
void wd_case_note(struct wd_guard *guard, struct wd_case *the_case, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Why the action cannot be had for this container at all, or NULL. */
const char *wd_case_cannot(const struct wd_service *service, enum wd_action action);
void wd_case_close_all(struct wd_guard *guard, struct wd_service *service, enum wd_outcome outcome, const char *why);
wd_time wd_case_next(const struct wd_guard *guard, const struct wd_service *service);
struct wd_case *wd_case_acting(const struct wd_service *service);
bool wd_case_is_about_to(const struct wd_service *service); /* its plan waits for the disk and for nothing else */
struct wd_case *wd_case_free(struct wd_case *the_case);

/* Holds (hold.c): the row says held before the plan's journal is struck out. */
void wd_hold_begin(struct wd_guard *guard, struct wd_service *service, enum wd_action kind, int64_t incident);
void wd_hold_end(struct wd_guard *guard, struct wd_service *service);
void wd_hold_leaves(struct wd_guard *guard, struct wd_service *service, struct wd_restart_policy policy);
/* A throttle (hold.c) takes CPUs from what runs on, so all else goes on as without it. */
bool wd_throttle_is(const struct wd_service *service);
void wd_throttle_begin(struct wd_guard *guard, struct wd_service *service, const struct wd_cpu_cut *cut,
		       int64_t incident);
void wd_throttle_end(struct wd_guard *guard, struct wd_service *service);
void wd_throttle_seen(struct wd_guard *guard, struct wd_service *service,
		      wd_time asked); /* is it still as it was left? */
struct wd_order *wd_hold_order(struct wd_guard *guard, const struct wd_service *service, enum wd_action action);

/* Hooks (hooks.c) run beside everything; their ends find the step that waits for them, its incident closed or not. */
void wd_hook_ends(struct wd_guard *guard, const struct wd_fact *fact);
void wd_hook_free(struct wd_guard *guard);

/* --- what people ask for, and what they do by hand (manual.c) --------------------------------------------------------- */

void wd_manual_ask(struct wd_guard *guard, const struct wd_fact *fact);
void wd_manual_resuming(struct wd_guard *guard, const struct wd_fact *fact);
void wd_manual_complete(struct wd_guard *guard, struct wd_service *service); /* a hold that is not whole */
void wd_manual_started(struct wd_guard *guard, struct wd_service *service);  /* a held container runs again */
void wd_manual_stored(struct wd_guard *guard, struct wd_service *service);
bool wd_manual_busy(const struct wd_service *service); /* cases wait meanwhile */
void wd_manual_time(struct wd_guard *guard, struct wd_service *service);
wd_time wd_manual_next(const struct wd_service *service);
void wd_manual_acted(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact);
void wd_manual_replaced(struct wd_guard *guard, struct wd_service *service, const char *why);

/* --- images (pins.c) ------------------------------------------------------------------------------------------------ */

void wd_pins_met(struct wd_guard *guard, struct wd_service *service);      /* its container and policy are known, or others */
void wd_pins_deployed(struct wd_guard *guard, struct wd_service *service); /* another container */
void wd_pins_time(struct wd_guard *guard, struct wd_service *service);
wd_time wd_pins_next(const struct wd_service *service);
void wd_pins_answer(struct wd_guard *guard, const struct wd_fact *fact);
void wd_pins_ask(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact);
void wd_pins_write(struct wd_guard *guard, const struct wd_service *service);
void wd_pins_unlearn(struct wd_guard *guard, struct wd_service *service, const char *id);
void wd_pins_forget(struct wd_guard *guard, struct wd_service *service); /* the service itself is being forgotten */
void wd_pins_clear(struct wd_service *service);                          /* frees the questions */
/* Asks which image a person means; the answer goes to wd_move_found(). */
void wd_pins_look(struct wd_guard *guard, struct wd_service *service, const char *image, bool rehearse,
		  uint64_t request);
/* What a rollback would go to; NULL with why not (the caller frees). by_hand: also what was tried before. */
const struct wd_pin *wd_pins_target(const struct wd_service *service, bool by_hand, char **ret_why);
/* What people are shown: what a rollback would go to, else the newest. NULL: there is none. */
const struct wd_pin *wd_pins_shown(const struct wd_service *service);

/* --- rollbacks (move.c) --------------------------------------------------------------------------------------------- */

void wd_move_begin(struct wd_guard *guard, struct wd_service *service, const struct wd_pin *target,
		   const struct wd_case *the_case);
void wd_move_ask(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact);
void wd_move_found(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		   const struct wd_fact *fact);
void wd_move_resuming(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact);
bool wd_move_acted(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact); /* whether it was its */
bool wd_move_hides(const struct wd_guard *guard, const struct wd_container *container); /* not to be taken in now */
bool wd_move_is_away(const struct wd_service *service); /* a plan is at work on its containers */
bool wd_move_failed(struct wd_guard *guard, struct wd_service *service, const char *why); /* while it is on trial */
void wd_move_seen(struct wd_guard *guard, struct wd_service *service);
void wd_move_left(struct wd_guard *guard, struct wd_service *service, bool replaced); /* the new one is gone */
void wd_move_time(struct wd_guard *guard, struct wd_service *service);
wd_time wd_move_next(const struct wd_guard *guard, const struct wd_service *service);
void wd_move_clear(struct wd_service *service);

/* --- the gate (gate.c) ---------------------------------------------------------------------------------------------- */

enum wd_bar {
	WD_BAR_NONE,
	WD_BAR_AWAY,
	WD_BAR_PAST,
	WD_BAR_MUTED,
	WD_BAR_GRACE,
	WD_BAR_TILT,
	WD_BAR_MASS,
	WD_BAR_COOLDOWN,
	WD_BAR_BUDGET,
	WD_BAR_NEVER
};
/* What stands against acting now, and until when (WD_NEVER: for good, or until told). */
enum wd_bar wd_gate_bar(const struct wd_guard *guard, const struct wd_service *service, const struct wd_case *the_case,
			wd_time *ret_until);
void wd_gate_acted(struct wd_guard *guard, wd_time at);                 /* one action of the budget was spent */
void wd_gate_broke(struct wd_guard *guard, struct wd_service *service); /* was well, is not */

/* --- reasons (reason.c): the only place that phrases them; the caller frees ------------------------------------------- */

char *wd_reason_rate(enum wd_trigger trigger, struct wd_rate rate, unsigned count, wd_time span_on_clock,
		     int exit_code);
char *wd_reason_proven(struct wd_rate rate, wd_time wait, int exit_code);
char *wd_reason_exit(int exit_code);
char *wd_reason_lasting(enum wd_trigger trigger, wd_time span, const char *detail);
char *wd_reason_limit(const struct wd_service *service, unsigned which, wd_time span);
char *wd_reason_forecast(const struct wd_forecast *forecast, uint64_t limit_bytes);
char *wd_reason_bar(enum wd_bar bar, wd_time left);
const char *wd_reason_held_back(enum wd_bar bar); /* in short, for a table; "" for WD_BAR_NONE */
const char *wd_reason_ignored(bool spared, const char *enable_label);
const char *wd_reason_untreated(void); /* its ladder has told people, and does no more */
char *wd_reason_crash(int exit_code, wd_time life, bool seen);
const char *wd_reason_skipped(enum wd_action action);

/* --- orders (guard.c) ----------------------------------------------------------------------------------------------- */

wd_time wd_guard_when(const struct wd_guard *guard, wd_stamp then); /* a stamp of the past on our clock */
struct wd_order *wd_guard_order(struct wd_guard *guard, enum wd_order_kind kind, const struct wd_service *service);
const char *wd_guard_keep(struct wd_guard *guard, char *taken); /* a string of an order: freed at the next tell */
void wd_guard_inspect(struct wd_guard *guard, const char *id);
void wd_guard_dirty(struct wd_guard *guard, struct wd_service *service, bool confirm);
void wd_guard_tell_people(struct wd_guard *guard, const struct wd_service *service, enum wd_moment moment,
			  const struct wd_incident *incident, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void wd_guard_bury_incident(struct wd_guard *guard, struct wd_incident *incident);

#endif
