/* stage.h: the actor on a stage: behind it the model Engine, a journal in memory and one virtual clock. Calls can be made
 * to fail in every way in which calls fail, and seadog can be killed at any of them.
 */
#ifndef TESTS_SUPPORT_STAGE_H
#define TESTS_SUPPORT_STAGE_H

#include "../../watchdog/act/actor.h"
#include "model/model.h"

enum stage_fault {
	STAGE_FINE,
	STAGE_REFUSED_409,   /* the Engine refuses, nothing is done */
	STAGE_REFUSED_500,
	STAGE_UNSENT,        /* no connection */
	STAGE_LOST_BEFORE,   /* the connection ends before the Engine has read it */
	STAGE_LOST_AFTER,    /* it is done, the answer is lost */
	STAGE_LATE_BEFORE,   /* nothing is done, and no answer until the deadline */
	STAGE_LATE_AFTER,    /* it is done, and no answer until the deadline */
	STAGE_RUBBISH,       /* it is done, 200, and the body is no JSON */
	STAGE_KILLED_BEFORE, /* seadog dies as it is about to ask */
	STAGE_KILLED_AFTER,  /* … when the Engine has read it */
	STAGE_FAULTS
};
const char *stage_fault_name(enum stage_fault fault);

struct stage_timer;
struct stage_call;

struct stage_row {
	struct wd_journal row; /* strings are owned */
	bool durable;
	wd_time due;
	wd_store_done *done;
	void *data;
};

struct stage {
	struct model *model;
	struct wd_outside outside;
	struct wd_actor *actor;
	struct stage_timer *timers;
	struct stage_call *calls;
	unsigned in_flight, most_in_flight;
	bool is_podman, answered;

	/* The call with that number (1: the first) meets the fault; or all from it on whose path ends with `sticky`. */
	unsigned fault_at;
	enum stage_fault fault;
	unsigned second_at; /* and another one */
	enum stage_fault second;
	const char *sticky;
	bool killed;

	struct wd_list asked; /* "POST stop" */
	struct wd_list said;  /* steps as told: "stop: done" */

	struct stage_row rows[16];
	unsigned row_count;
	int64_t last_plan;
	wd_time journal_takes; /* 0: it is durable before wd_store_journal() returns */
	const char *journal_fails, *load_fails;

	unsigned ends;
	enum wd_plan_end end;
	char *detail, *logs;
	uint64_t ticket;
	struct wd_restart_policy kept;
	struct wd_cpu_cut cut;
	char *plan; /* of what was resumed */
	char *replaced_by;
	char *image_id, *config, *digests; /* of an order about an image */
	bool knows_registry; /* and what it wants to know: */
	const char *helper;  /* who knows it instead, or NULL */
	char *auth;          /* as it was sent last */
	uint32_t tokens;
	bool free_at_end; /* the listener frees the actor */
	unsigned rows_at_end;
};

void stage_init(struct stage *stage, enum model_flavour flavour);
void stage_done(struct stage *stage);

/* An order for a container of the model, by name. */
struct wd_order stage_order(const struct stage *stage, enum wd_action action, const char *name);
void stage_do(struct stage *stage, const struct wd_order *order, bool remembered);
/* Time goes on until `ends` plans have ended and all is quiet, or seadog was killed, or an hour has passed. */
void stage_run(struct stage *stage, unsigned ends);
void stage_pass(struct stage *stage, wd_time span);
/* A new seadog, which has not recovered yet. */
void stage_begin_anew(struct stage *stage);
bool stage_recover(struct stage *stage, struct wd_error *error);
/* A new seadog after a death: what was not durable is gone; it recovers, and time goes on until it has. */
void stage_revive(struct stage *stage);
/* The same, and it meets that fault at the call with that number (counted from the first of all). */
void stage_revive_into(struct stage *stage, unsigned fault_at, enum stage_fault fault);

unsigned stage_count(const struct stage *stage, const char *asked);
enum wd_state stage_state(const struct stage *stage, const char *name);
struct wd_restart_policy stage_policy(const struct stage *stage, const char *name);
struct wd_cpus stage_cpus(const struct stage *stage, const char *name);
struct wd_container *stage_inspect(const struct stage *stage, const char *name); /* the caller frees */

#endif
