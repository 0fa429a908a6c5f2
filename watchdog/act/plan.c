/* plan.c: the runner: how a table of rows is walked. */
#include "plan.h"
#include "snapshot.h"
#include "swap.h"
#include <assert.h>
#include <limits.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

enum {
	LATE_MAX = 2,   /* a change that the Engine does not finish in time: no storm of retries */
	SILENT_MAX = 6, /* looks without an answer before anything that lasts was changed, about 6 s of pauses */
	SILENT_RESUMED_MAX = 12, /* … of what a dead seadog left, for which others wait: about 40 s */
	UNSENT_MAX = 12, /* changes to a pair that do not get there, about 30 s: an Engine ends its containers in 15 */
	SILENT_CHANGED_MAX = 60, /* … after something that lasts was changed: about 5 min */
};
#define PAUSE_FIRST (100 * WD_MILLISECOND)
#define PAUSE_ASKED_MAX WD_SECOND
#define PAUSE_LOOKS_MAX (5 * WD_SECOND)
#define PATIENT_STOP (10 * WD_MINUTE) /* StopTimeout -1: the Engine waits for ever */

static void take_row(struct wd_run *run);
static void settle(struct wd_run *run);

/* --- the task --- */

void wd_task_of(struct wd_task *task, const struct wd_order *order, bool remembered)
{
	*task = (struct wd_task){
		.ticket = order->ticket,
		.service = wd_copy(order->service),
		.name = wd_copy(order->name),
		.container = wd_copy(order->id),
		.incident = order->incident_id,
		.policy = order->policy,
		.cut = order->cut,
		.cpus = order->cpus,
		.remembered = remembered,
		.no_start = order->no_start || order->running,
		.rehearsed = order->rehearse,
		.stop_timeout = order->stop_timeout,
		.taking = wd_taking_new(order),
	};
}

void wd_task_done(struct wd_task *task)
{
	free(task->service);
	free(task->name);
	free(task->container);
	wd_taking_free(task->taking);
	*task = (struct wd_task){0};
}

/* --- what the last look showed --- */

bool wd_run_is_up(const struct wd_run *run)
{
	return run->seen->state == WD_STATE_RUNNING || run->seen->state == WD_STATE_RESTARTING;
}

bool wd_run_is_down(const struct wd_run *run)
{
	if (run->seen->state == WD_STATE_UNKNOWN)
		return run->seen->pid == 0;
	return run->seen->state == WD_STATE_EXITED || run->seen->state == WD_STATE_CREATED ||
	       run->seen->state == WD_STATE_DEAD;
}

bool wd_run_is_paused(const struct wd_run *run)
{
	return run->seen->state == WD_STATE_PAUSED;
}

bool wd_run_started(const struct wd_run *run)
{
	if (run->task.resumed)
		return run->seen->started > run->task.began;
	return run->seen->started != run->started_before;
}

bool wd_run_is_throttled(const struct wd_run *run)
{
	return wd_cpu_cut_is(&run->task.cut) && run->seen && wd_cpus_equal(run->seen->cpus, run->task.cut.now);
}

wd_time wd_row_deadline(const struct wd_run *run, const struct wd_row *row)
{
	wd_time stop = run->seen ? run->seen->stop_timeout : run->task.stop_timeout;

	if (!row->stops)
		return row->patience;
	if (stop < 0 || stop > WD_DAY)
		stop = PATIENT_STOP;
	return row->patience + stop;
}

/* --- phases --- */

static void tell_step(const struct wd_run *run, const char *step, const char *what)
{
	if (run->hooks.step)
		run->hooks.step(run->hooks.data, run, step, what);
}

static void cancel_call(struct wd_run *run)
{
	void *call = run->call;

	run->call = NULL;
	if (call)
		run->outside->cancel(run->outside->data, call);
}

static void hush_journal(struct wd_run *run)
{
	if (run->phase == WD_PHASE_JOURNALING)
		run->outside->hush(run->outside->data, run);
}

/* The one place where the phase changes: what the new one may not own is dropped. */
static void enter(struct wd_run *run, enum wd_phase phase)
{
	assert(run->phase != WD_PHASE_STRIKING);
	assert(phase == WD_PHASE_STRIKING || run->phase != WD_PHASE_ENDING);
	if (phase != WD_PHASE_ASKING)
		cancel_call(run);
	hush_journal(run);
	run->outside->timer_set(run->timer, WD_NEVER);
	if (run->taking && phase == WD_PHASE_ENDING)
		wd_taking_cancel(run);
	run->phase = phase;
}

static void end_run(struct wd_run *run, enum wd_plan_end end, char *detail_taken)
{
	run->end = end;
	run->detail = detail_taken;
	enter(run, WD_PHASE_ENDING);
	run->outside->timer_set(run->timer, run->outside->now(run->outside->data));
}

static void pause_run(struct wd_run *run, unsigned already, wd_time most)
{
	wd_time span = PAUSE_FIRST;

	for (unsigned i = 1; i < already && span < most; i++)
		span *= 2;
	enter(run, WD_PHASE_PAUSING);
	run->outside->timer_set(run->timer, run->outside->now(run->outside->data) + (span < most ? span : most));
}

/* --- how it ends --- */

static void print_seen(const struct wd_run *run, struct wd_text *text)
{
	if (!run->seen) {
		wd_text_add(text, "it is gone");
		return;
	}
	if (run->plan->pair && !wd_text_equal(run->seen->name, run->task.name))
		wd_text_print(text, "it is called %s, ", run->seen->name);
	wd_text_print(text, "it is %s, its restart policy is ", wd_state_name(run->seen->state));
	wd_policy_print(text, run->seen->policy);
	if (wd_cpu_cut_is(&run->task.cut))
		wd_text_print(text, ", its CPUs %s",
			      wd_cpus_equal(run->seen->cpus, run->task.cut.now) ? "throttled" : "not throttled");
}

/* What the undo table asks for is there. */
static void end_undone(struct wd_run *run)
{
	struct wd_text detail = {0};
	bool as_before =
		run->plan->pair ? run->seen != NULL : run->undone && (run->plan->wakes || !wd_run_is_down(run));

	wd_text_add(&detail, run->why);
	wd_text_add(&detail, run->undone ? "; taken back: " : "; ");
	print_seen(run, &detail);
	end_run(run, as_before ? WD_PLAN_UNDONE : WD_PLAN_FAILED, wd_text_take(&detail));
}

static void end_done(struct wd_run *run)
{
	struct wd_text detail = {0};

	run->leave = run->plan->stays && !run->task.rehearsed;
	run->plan->done(run, &detail);
	end_run(run, WD_PLAN_DONE, wd_text_take(&detail));
}

static void end_gone(struct wd_run *run)
{
	end_run(run, WD_PLAN_FAILED, wd_copy("the container is gone"));
}

/* Nobody knows how the container is. Where its policy or its CPUs may be others, the journal keeps the row. */
static void end_unknown(struct wd_run *run)
{
	run->leave = run->lasting || (run->plan->pair && run->changed) || run->inherited;
	end_run(run, WD_PLAN_FAILED,
		wd_format("%s%s", run->why,
			  run->leave     ? "; not known how it is now: the next start of seadog finishes it"
			  : run->changed ? "; not known how it is now"
					 : ""));
}

static void walk(struct wd_run *run, const struct wd_row *rows)
{
	run->rows = rows;
	run->row = rows;
	memset(run->asked, 0, sizeof(run->asked));
	memset(run->late, 0, sizeof(run->late));
}

/* Where a look begins: at the views before it, if there are any. */
static const struct wd_row *verify_row(const struct wd_run *run)
{
	const struct wd_row *row = run->rows;

	while (row->kind != WD_ROW_VERIFY)
		row++;
	while (row > run->rows && row[-1].kind == WD_ROW_VIEW)
		row--;
	return row;
}

static void look_again(struct wd_run *run)
{
	run->row = verify_row(run);
	take_row(run);
}

static void take_back(struct wd_run *run)
{
	run->undoing = true;
	tell_step(run, "undo", run->why);
	walk(run, run->plan->undo);
	run->row = verify_row(run);
	if (run->plan->pair || run->taking)
		take_row(run);
	else
		settle(run);
}

/* For good; the last look is fresh, but that of a snapshot. */
static void fail(struct wd_run *run)
{
	struct wd_text detail = {0};

	if (!run->undoing && run->changed && run->plan->undo) {
		take_back(run);
		return;
	}
	wd_text_add(&detail, run->why);
	if (run->changed) {
		wd_text_add(&detail, run->undoing ? "; it could not be taken back: " : "; ");
		print_seen(run, &detail);
	}
	run->leave = (run->plan->pair || run->plan->persists) && (run->changed || (run->inherited && run->unheard));
	end_run(run, WD_PLAN_FAILED, wd_text_take(&detail));
}

static void fail_at(struct wd_run *run, const struct wd_row *row)
{
	char *why = run->why;

	if (run->late[row - run->rows] >= LATE_MAX && row->stops)
		run->why = wd_format("it cannot be stopped: %s", why);
	else if (!why)
		run->why = wd_format("%s: asked %u times, and still not so", row->name, row->tries);
	if (run->why != why)
		free(why);
	fail(run);
}

/* --- asking --- */

static void note(struct wd_run *run, const char *why)
{
	wd_replace(&run->why, why);
	tell_step(run, run->row->name, why);
}

static void next_row(struct wd_run *run)
{
	run->row++;
	take_row(run);
}

static bool is_fine(const struct wd_row *row, const struct wd_engine_answer *answer)
{
	if (answer->end != WD_HTTP_ANSWERED)
		return false;
	return (answer->status >= 200 && answer->status <= 299) || (row->fine && answer->status == row->fine);
}

static char *print_trouble(const struct wd_row *row, const struct wd_engine_answer *answer)
{
	if (answer->end == WD_HTTP_ANSWERED)
		return wd_format("%s: engine said %d%s%s", row->name, answer->status, *answer->why ? ": " : "",
				 answer->why);
	return wd_format("%s: %s", row->name, answer->why);
}

/* The status alone tells it: below 500 the Engine refused before it did anything. */
static bool may_have_arrived(const struct wd_engine_answer *answer)
{
	if (answer->end == WD_HTTP_ANSWERED)
		return answer->status < 400 || answer->status >= 500;
	return answer->end != WD_HTTP_UNSENT;
}

static enum wd_kept keep(struct wd_run *run, const struct wd_engine_answer *answer)
{
	return run->row->keep ? run->row->keep(run, answer) : WD_KEPT;
}

static void once_more(struct wd_run *run)
{
	run->asked[run->row - run->rows] = 0;
	take_row(run);
}

static void on_changed(struct wd_run *run, const struct wd_engine_answer *answer)
{
	enum wd_kept kept = keep(run, answer);

	if (kept == WD_KEPT_NOT) {
		note(run, "the engine's answer cannot be read");
		look_again(run);
		return;
	}
	tell_step(run, run->row->name, kept == WD_KEPT_FAILED ? run->why : "done");
	if (kept == WD_KEPT_FAILED)
		fail(run);
	else if (kept == WD_KEPT_MORE)
		once_more(run);
	else
		next_row(run);
}

static bool has_to_end(const struct wd_run *run)
{
	return run->lasting || run->inherited;
}

/* The Engine is away, or on its way down: it takes no new connection then, though it still answers looks. While a pair
 * is to be ended that is no try, as a look without an answer is none. */
static void excuse_unsent(struct wd_run *run)
{
	if (!run->plan->pair || !has_to_end(run) || run->unsent >= UNSENT_MAX)
		return;
	run->asked[run->row - run->rows]--;
	run->unsent++;
}

static void on_change(struct wd_run *run, const struct wd_engine_answer *answer)
{
	bool arrived = may_have_arrived(answer);

	run->changed |= arrived;
	run->lasting |= arrived && run->row->lasts;
	if (answer->end == WD_HTTP_UNSENT)
		excuse_unsent(run);
	else
		run->unsent = 0;
	run->unheard = answer->end != WD_HTTP_ANSWERED;
	if (is_fine(run->row, answer)) {
		on_changed(run, answer);
		return;
	}
	if (answer->end == WD_HTTP_LATE)
		run->late[run->row - run->rows]++;
	if (answer->end != WD_HTTP_LOST)
		run->not_before = 0;
	WD_AUTO_FREE char *trouble = print_trouble(run->row, answer);
	note(run, trouble);
	look_again(run);
}

static void on_fetch(struct wd_run *run, const struct wd_engine_answer *answer)
{
	enum wd_kept kept = WD_KEPT;

	if (is_fine(run->row, answer) || run->row->any)
		kept = keep(run, answer);
	if (kept == WD_KEPT_MORE)
		take_row(run);
	else
		next_row(run);
}

static struct wd_container *read_container(const struct wd_run *run, const struct wd_engine_answer *answer,
					   struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(answer->body, answer->length, error);
	struct wd_container *seen = json ? wd_wire_container(json, NULL, error) : NULL;

	if (seen && !wd_text_equal(seen->id, run->task.container)) {
		wd_fail(error, WD_ERROR_FAILED, "the engine told of another container: %s", seen->id);
		seen = wd_container_free(seen);
	}
	if (!seen)
		wd_fail_in(error, "%s", run->row->name);
	return seen;
}

static unsigned most_silent(const struct wd_run *run)
{
	if (run->task.resumed)
		return run->plan->persists ? SILENT_CHANGED_MAX : SILENT_RESUMED_MAX;
	if (has_to_end(run))
		return run->plan->persists ? UINT_MAX : SILENT_CHANGED_MAX;
	return SILENT_MAX;
}

/* A look without an answer: again, but not for ever. */
static void on_silence(struct wd_run *run, const char *why)
{
	tell_step(run, run->row->name, why);
	if (!run->why)
		wd_replace(&run->why, why);
	if (++run->silent >= most_silent(run))
		end_unknown(run);
	else
		pause_run(run, run->silent, PAUSE_LOOKS_MAX);
}

/* What must be known, and what is looked at beside the container. */
static void on_read(struct wd_run *run, const struct wd_engine_answer *answer)
{
	enum wd_kept kept;

	if (!run->row->any && !is_fine(run->row, answer)) {
		WD_AUTO_FREE char *trouble = print_trouble(run->row, answer);
		on_silence(run, trouble);
		return;
	}
	kept = keep(run, answer);
	if (kept == WD_KEPT_NOT) {
		on_silence(run, "the engine's answer cannot be read");
		return;
	}
	run->silent = 0;
	if (kept == WD_KEPT_FAILED)
		end_run(run, WD_PLAN_REFUSED, wd_copy(run->why));
	else if (kept == WD_KEPT_MORE)
		take_row(run);
	else
		next_row(run);
}

static const struct wd_row *pick_rows(const struct wd_run *run)
{
	if (run->plan->podman && run->outside->podman(run->outside->data))
		return run->plan->podman;
	return run->task.resumed && run->plan->resume ? run->plan->resume : run->plan->rows;
}

static void choose(struct wd_run *run)
{
	const char *why = "";
	enum wd_choice choice = run->plan->choose(run, &why);

	run->chosen = true;
	if (choice == WD_CHOICE_DONE) {
		end_done(run);
		return;
	}
	if (choice == WD_CHOICE_FINISH) {
		/* Which Engine it is was not known before this look. */
		walk(run, pick_rows(run));
		run->row = verify_row(run);
		settle(run);
		return;
	}
	wd_replace(&run->why, why);
	if (choice == WD_CHOICE_UNDO && run->plan->undo)
		take_back(run);
	else
		end_run(run, WD_PLAN_UNDONE, wd_copy(why));
}

static void on_first_look(struct wd_run *run, const struct wd_engine_answer *answer)
{
	const char *why = run->plan->refuses ? run->plan->refuses(run) : NULL;

	run->started_before = run->seen ? run->seen->started : WD_STAMP_NONE;
	if (why)
		end_run(run, WD_PLAN_REFUSED, wd_copy(why));
	else if (keep(run, answer) == WD_KEPT_FAILED)
		end_run(run, WD_PLAN_REFUSED, wd_copy(run->why));
	else
		next_row(run);
}

static void take_look(struct wd_run *run, const struct wd_engine_answer *answer, struct wd_container *seen_taken)
{
	run->silent = 0;
	wd_container_free(run->seen);
	run->seen = seen_taken;
	if (run->row->kind == WD_ROW_LOOK)
		on_first_look(run, answer);
	else if (run->task.resumed && !run->chosen)
		choose(run);
	else
		settle(run);
}

static void on_look(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_error error = {0};
	struct wd_container *seen;

	if (answer->end == WD_HTTP_ANSWERED && answer->status == 404) {
		if (run->plan->pair)
			take_look(run, answer, NULL);
		else
			end_gone(run);
		return;
	}
	if (!is_fine(run->row, answer)) {
		WD_AUTO_FREE char *trouble = print_trouble(run->row, answer);
		on_silence(run, trouble);
		return;
	}
	seen = read_container(run, answer, &error);
	if (seen)
		take_look(run, answer, seen);
	else
		on_silence(run, error.text);
}

static void on_answer(void *data, const struct wd_engine_answer *answer)
{
	struct wd_run *run = data;

	run->call = NULL;
	if (run->row->kind == WD_ROW_CHANGE)
		on_change(run, answer);
	else if (run->row->kind == WD_ROW_FETCH)
		on_fetch(run, answer);
	else if (run->row->kind == WD_ROW_READ || run->row->kind == WD_ROW_VIEW)
		on_read(run, answer);
	else
		on_look(run, answer);
}

char *wd_row_path(const struct wd_run *run, const struct wd_row *row)
{
	return row->path ? row->path(run) : wd_format("/containers/%s%s", run->task.container, row->verb);
}

static void ask(struct wd_run *run)
{
	const struct wd_row *row = run->row;
	wd_time deadline = wd_row_deadline(run, row);
	size_t length = 0;
	WD_AUTO_FREE char *path = wd_row_path(run, row);
	WD_AUTO_FREE char *body = row->body ? row->body(run, &length) : NULL;
	WD_AUTO_FREE char *auth = row->auth ? row->auth(run) : NULL;

	if (row->kind == WD_ROW_CHANGE) {
		run->asked[row - run->rows]++;
		run->undone |= run->undoing;
		if (!run->first_change)
			run->first_change = run->outside->now(run->outside->data);
		run->not_before = row->once ? run->outside->now(run->outside->data) + deadline : 0;
		tell_step(run, row->name, "asked");
	}
	enter(run, WD_PHASE_ASKING);
	run->call = run->outside->send(run->outside->data,
				       &(struct wd_engine_request){.method = row->method,
								   .path = path,
								   .type = row->type,
								   .auth = auth,
								   .body = body,
								   .length = length,
								   .deadline = deadline,
								   .limit = row->limit},
				       on_answer, run);
}

/* --- the vault --- */

static bool is_at_job(const struct wd_run *run)
{
	return run->phase == WD_PHASE_ASKING && (run->row->kind == WD_ROW_JOB || run->row->kind == WD_ROW_AWAIT);
}

static void fail_job(struct wd_run *run, const char *why)
{
	wd_taking_cancel(run);
	note(run, why);
	fail(run);
}

/* While the Engine is asked for something else, what has come is met at the next of such rows. */
void wd_run_job_moved(struct wd_run *run)
{
	const struct wd_taking *taking = run->taking;

	if (!is_at_job(run))
		return;
	if (taking->trouble) {
		WD_AUTO_FREE char *why = wd_copy(taking->trouble);
		fail_job(run, why);
	} else if (run->row->kind == WD_ROW_JOB ? taking->read : taking->made != NULL) {
		tell_step(run, run->row->name, "done");
		next_row(run);
	}
}

static void begin_job(struct wd_run *run)
{
	const struct wd_outside *outside = run->outside;

	enter(run, WD_PHASE_ASKING);
	outside->timer_set(run->timer, outside->now(outside->data) + run->row->patience);
	if (run->way) {
		fail_job(run, run->way);
		return;
	}
	tell_step(run, run->row->name, "asked");
	wd_taking_begin(run);
}

/* It is as it was: from here on whoever pauses it is somebody else. */
static void forget_changes(struct wd_run *run)
{
	if (run->steps)
		run->outside->strike(run->outside->data, run->task.journal);
	run->steps = 0;
	run->changed = false;
	run->lasting = false;
}

static void await_job(struct wd_run *run)
{
	const struct wd_outside *outside = run->outside;

	enter(run, WD_PHASE_ASKING);
	outside->timer_set(run->timer, outside->now(outside->data) + run->row->patience);
	forget_changes(run);
	wd_taking_release(run);
	if (run->hooks.freed)
		run->hooks.freed(run->hooks.data, run);
	wd_run_job_moved(run);
}

bool wd_run_needs_container(const struct wd_run *run)
{
	return !(is_at_job(run) && run->row->kind == WD_ROW_AWAIT);
}

/* A change that is under way is not given up: it might be done after the look that would find it undone. */
void wd_run_give_way(struct wd_run *run, const char *why)
{
	if (run->phase == WD_PHASE_WAITING)
		wd_run_refuse(run, why);
	else if (run->phase == WD_PHASE_ENDING || run->phase == WD_PHASE_STRIKING || run->undoing)
		return;
	else if (is_at_job(run) && run->row->kind == WD_ROW_JOB)
		fail_job(run, why);
	else if (!run->taking->read)
		wd_replace(&run->way, why);
}

/* --- the journal --- */

static void on_written(void *data, const char *why)
{
	struct wd_run *run = data;

	if (!why) {
		ask(run);
		return;
	}
	if (run->changed) {
		WD_AUTO_FREE char *trouble = wd_format("the journal cannot be written: %s", why);
		wd_replace(&run->why, trouble);
		fail(run);
		return;
	}
	run->steps = 0;
	end_run(run, WD_PLAN_FAILED, wd_format("nothing was done, because the journal cannot be written: %s", why));
}

static void on_written_whatever(void *data, const char *why)
{
	(void)data;
	(void)why;
}

static void write_row(const struct wd_run *run, wd_store_done *done, void *data)
{
	const struct wd_task *task = &run->task;
	WD_AUTO_FREE char *details = run->swap ? wd_swap_details(run->swap) : NULL;
	const struct wd_journal row = {
		.id = task->journal,
		.plan = (char *)(uintptr_t)run->plan->name,
		.service = task->service,
		.name = task->name,
		.container = task->container,
		.incident = task->incident,
		.step = run->steps,
		.policy = task->policy,
		.cut = task->cut,
		.no_start = task->no_start,
		.began = task->began,
		.details = details,
	};

	run->outside->journal(run->outside->data, &row, done, data);
}

/* Before the first change it is waited for, unless what the row is to keep is durable already. Later rows tell people
 * how far it came; what is to be done about it, a look tells, unless the row is one that must be sure. */
static void journal(struct wd_run *run)
{
	const struct wd_outside *outside = run->outside;
	bool wait = (run->steps == 0 && !run->task.remembered && !run->task.resumed) || run->row->sure;

	if (!run->task.journal)
		run->task.journal = outside->next_plan(outside->data);
	if (!run->task.began)
		run->task.began = outside->stamp(outside->data);
	run->journaled = run->row;
	run->steps++;
	if (run->swap && run->row->sure)
		run->swap->stopping = true;
	if (!wait) {
		write_row(run, on_written_whatever, NULL);
		ask(run);
		return;
	}
	enter(run, WD_PHASE_JOURNALING);
	write_row(run, on_written, run);
}

/* --- walking --- */

/* By the last look; that of a pair shows more than what was just changed, and a second time is not always harmless. */
static bool is_skipped(const struct wd_run *run, const struct wd_row *row)
{
	if (row->needless && row->needless(run))
		return true;
	return run->plan->pair && row->kind == WD_ROW_CHANGE && row->holds(run);
}

static void take_row(struct wd_run *run)
{
	while (run->row->name && is_skipped(run, run->row))
		run->row++;
	if (!run->row->name)
		run->undoing ? end_undone(run) : end_done(run);
	else if ((run->row->kind == WD_ROW_CHANGE || run->row->kind == WD_ROW_JOB) && run->task.rehearsed)
		end_done(run);
	else if (run->row->kind == WD_ROW_CHANGE && run->outside->journaled && run->journaled != run->row)
		journal(run);
	else if (run->row->kind == WD_ROW_JOB)
		begin_job(run);
	else if (run->row->kind == WD_ROW_AWAIT)
		await_job(run);
	else
		ask(run);
}

static const struct wd_row *first_undone(const struct wd_run *run)
{
	for (const struct wd_row *row = run->rows; row->name; row++)
		if ((row->kind == WD_ROW_CHANGE || row->kind == WD_ROW_JOB) && !(row->needless && row->needless(run)) &&
		    !row->holds(run))
			return row;
	return NULL;
}

/* After a look: on, or back to the first row that it does not show. */
static void settle(struct wd_run *run)
{
	const struct wd_row *row = first_undone(run);
	unsigned asked = row ? run->asked[row - run->rows] : 0;

	if (!row) {
		next_row(run);
		return;
	}
	if (asked >= row->tries || run->late[row - run->rows] >= LATE_MAX) {
		fail_at(run, row);
		return;
	}
	if (row->once && asked && run->outside->now(run->outside->data) < run->not_before) {
		pause_run(run, ++run->waits, PAUSE_LOOKS_MAX);
		return;
	}
	run->row = row;
	if (run->unsent)
		pause_run(run, run->unsent, PAUSE_LOOKS_MAX);
	else if (asked)
		pause_run(run, asked, PAUSE_ASKED_MAX);
	else
		take_row(run);
}

/* The row is an earlier plan's. */
static bool takes_over(const struct wd_run *run)
{
	return run->swap && run->task.journal;
}

static void on_timer(void *data)
{
	struct wd_run *run = data;
	const struct wd_outside *outside = run->outside;

	if (run->phase == WD_PHASE_PAUSING) {
		take_row(run);
	} else if (is_at_job(run)) {
		WD_AUTO_FREE char *why = wd_taking_late(run);
		fail_job(run, why);
	} else if (run->phase == WD_PHASE_ENDING && run->hooks.holds && run->hooks.holds(run->hooks.data, run)) {
		return;
	} else if (run->phase == WD_PHASE_ENDING) {
		/* In another turn: what the listener writes about it is to be on disk before the row is struck. */
		enter(run, WD_PHASE_STRIKING);
		outside->timer_set(run->timer, outside->now(outside->data));
		run->hooks.ended(run->hooks.data, run);
	} else if (run->phase == WD_PHASE_STRIKING) {
		if (outside->journaled && !run->leave && (run->steps || run->task.resumed || takes_over(run)))
			outside->strike(outside->data, run->task.journal);
		run->hooks.over(run->hooks.data, run);
	}
}

/* --- the run --- */

struct wd_run *wd_run_new(const struct wd_outside *outside, const struct wd_run_hooks *hooks,
			  const struct wd_plan *plan, struct wd_task *task, struct wd_swap *swap)
{
	struct wd_run *run = wd_alloc(1, sizeof(*run));

	run->outside = outside;
	run->hooks = *hooks;
	run->plan = plan;
	run->task = *task;
	run->taking = task->taking;
	*task = (struct wd_task){0};
	run->swap = swap;
	run->timer = outside->timer_new(outside->data, on_timer, run);
	return run;
}

struct wd_run *wd_run_free(struct wd_run *run)
{
	if (!run)
		return NULL;
	cancel_call(run);
	wd_taking_cancel(run);
	hush_journal(run);
	run->outside->timer_free(run->timer);
	wd_container_free(run->seen);
	wd_task_done(&run->task);
	if (!run->swap_kept)
		wd_swap_free(run->swap);
	free(run->way);
	free(run->why);
	free(run->detail);
	free(run->logs);
	free(run);
	return NULL;
}

void wd_run_begin(struct wd_run *run)
{
	assert(run->phase == WD_PHASE_WAITING);
	walk(run, pick_rows(run));
	run->inherited = takes_over(run);
	if (run->task.resumed) {
		run->changed = true;
		run->lasting = true;
		run->row = verify_row(run);
	}
	take_row(run);
}

void wd_run_let_go(struct wd_run *run)
{
	assert(run->phase == WD_PHASE_ENDING);
	run->outside->timer_set(run->timer, run->outside->now(run->outside->data));
}

void wd_run_refuse(struct wd_run *run, const char *why)
{
	assert(run->phase == WD_PHASE_WAITING);
	end_run(run, WD_PLAN_REFUSED, wd_copy(why));
}
