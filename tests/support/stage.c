#include "stage.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#define EPOCH ((wd_stamp)1767323045 * 1000000000) /* 2026-01-02T03:04:05Z */

struct stage_timer {
	struct stage_timer *next;
	struct stage *stage;
	wd_callback *callback;
	void *data;
	wd_time at;
};

struct stage_call {
	struct stage_call *next;
	struct stage *stage;
	uint64_t ticket;
	wd_time due; /* when it is told */
	struct wd_engine_answer answer;
	char *body, *why;
	wd_engine_done *done;
	void *data;
};

const char *stage_fault_name(enum stage_fault fault)
{
	static const char *const names[STAGE_FAULTS] = {"fine",        "refused 409",   "refused 500", "unsent",
							"lost before", "lost after",    "late before", "late after",
							"rubbish",     "killed before", "killed after"};

	return names[fault];
}

/* --- timers --- */

static const char *stage_api(void *data)
{
	const struct stage *stage = data;

	return model_api(stage->model);
}

static char *stage_credentials(void *data, const char *image)
{
	const struct stage *stage = data;

	return stage->knows_registry ? wd_format("login-for-%s", image) : NULL;
}

static char *stage_helper(void *data, const char *image)
{
	const struct stage *stage = data;

	(void)image;
	return stage->helper ? wd_copy(stage->helper) : NULL;
}

static uint32_t stage_random(void *data)
{
	struct stage *stage = data;

	return 0x10000000 + ++stage->tokens;
}

static void *stage_timer_new(void *data, wd_callback *callback, void *callback_data)
{
	struct stage *stage = data;
	struct stage_timer *timer = wd_alloc(1, sizeof(*timer));

	*timer = (struct stage_timer){stage->timers, stage, callback, callback_data, WD_NEVER};
	stage->timers = timer;
	return timer;
}

static void stage_timer_set(void *handle, wd_time at)
{
	struct stage_timer *timer = handle;

	timer->at = at;
}

static void stage_timer_free(void *handle)
{
	struct stage_timer *timer = handle;

	for (struct stage_timer **slot = &timer->stage->timers; *slot; slot = &(*slot)->next) {
		if (*slot == timer) {
			*slot = timer->next;
			break;
		}
	}
	free(timer);
}

/* --- calls --- */

static void on_model(void *data, const struct model_answer *answer)
{
	struct stage_call *call = data;

	call->body = wd_copy_part(answer->body, answer->length);
	call->why = answer->status >= 400 ? wd_wire_complaint(answer->body, answer->length) : wd_copy("");
	call->answer = (struct wd_engine_answer){
		.end = answer->status ? WD_HTTP_ANSWERED : WD_HTTP_UNSENT,
		.status = answer->status,
		.body = call->body,
		.length = answer->length,
		.why = answer->status ? call->why : "connect: connection refused",
	};
	call->due = model_now(call->stage->model);
	call->ticket = 0;
}

static void on_nobody(void *data, const struct model_answer *answer)
{
	(void)data;
	(void)answer;
}

static void answer_without(struct stage_call *call, enum wd_http_end end, const char *why, wd_time after)
{
	call->answer = (struct wd_engine_answer){.end = end, .body = "", .why = why};
	call->due = model_now(call->stage->model) + after;
}

static void answer_with(struct stage_call *call, int status, const char *message)
{
	call->body = wd_format("{\"message\":\"%s\"}", message);
	call->answer = (struct wd_engine_answer){
		.end = WD_HTTP_ANSWERED,
		.status = status,
		.body = call->body,
		.length = strlen(call->body),
		.why = message,
	};
	call->due = model_now(call->stage->model);
}

static void answer_rubbish(struct stage_call *call)
{
	answer_with(call, 200, "");
	strcpy(call->body, "<p>"); // NOLINT: shorter than what is there
	call->answer.length = 3;
}

/* When it is done. */
static void on_rubbish(void *data, const struct model_answer *answer)
{
	struct stage_call *call = data;

	(void)answer;
	call->ticket = 0;
	answer_rubbish(call);
}

static enum stage_fault fault_of(const struct stage *stage, const char *path)
{
	size_t length = strcspn(path, "?"), tail = stage->sticky ? strlen(stage->sticky) : 0;

	if (stage->second_at && stage->asked.count == stage->second_at)
		return stage->second;
	if (!stage->sticky)
		return stage->asked.count == stage->fault_at ? stage->fault : STAGE_FINE;
	if (stage->asked.count < stage->fault_at || length < tail ||
	    strncmp(path + length - tail, stage->sticky, tail) != 0)
		return STAGE_FINE;
	return stage->fault;
}

static void meet(struct stage_call *call, enum stage_fault fault, const struct wd_engine_request *request)
{
	wd_time deadline = request->deadline;
	struct stage *stage = call->stage;
	bool happens = fault == STAGE_LOST_AFTER || fault == STAGE_LATE_AFTER || fault == STAGE_KILLED_AFTER;

	if (happens)
		model_send_bytes(stage->model, request->method, request->path, request->body, request->length,
				 on_nobody, NULL);
	if (fault == STAGE_REFUSED_409)
		answer_with(call, 409, "not now");
	else if (fault == STAGE_REFUSED_500)
		answer_with(call, 500, "something is broken");
	else if (fault == STAGE_UNSENT)
		answer_without(call, WD_HTTP_UNSENT, "connect: connection refused", 0);
	else if (fault == STAGE_LOST_BEFORE || fault == STAGE_LOST_AFTER)
		answer_without(call, WD_HTTP_LOST, "connection reset", 0);
	else if (fault == STAGE_LATE_BEFORE || fault == STAGE_LATE_AFTER)
		answer_without(call, WD_HTTP_LATE, "no answer in time", deadline);
	else if (fault == STAGE_RUBBISH)
		call->ticket = model_send_bytes(stage->model, request->method, request->path, request->body,
						request->length, on_rubbish, call);
	else
		stage->killed = true;
}

static void note_asked(struct stage *stage, const char *method, const char *path)
{
	WD_AUTO_FREE char *plain = wd_copy_part(path, strcspn(path, "?"));
	WD_AUTO_FREE char *text = wd_format("%s %s", method, strrchr(plain, '/') + 1);

	wd_list_add(&stage->asked, text);
}

static void *stage_send(void *data, const struct wd_engine_request *request, wd_engine_done *done, void *done_data)
{
	const char *method = request->method, *path = request->path;
	wd_time deadline = request->deadline;
	struct stage *stage = data;
	struct stage_call *call = wd_alloc(1, sizeof(*call));

	note_asked(stage, method, path);
	if (request->auth)
		wd_replace(&stage->auth, request->auth);
	*call = (struct stage_call){.next = stage->calls, .stage = stage, .done = done, .data = done_data};
	stage->calls = call;
	if (++stage->in_flight > stage->most_in_flight)
		stage->most_in_flight = stage->in_flight;
	answer_without(call, WD_HTTP_LATE, "no answer in time", deadline);

	enum stage_fault fault = fault_of(stage, path);
	if (fault == STAGE_FINE)
		call->ticket =
			model_send_bytes(stage->model, method, path, request->body, request->length, on_model, call);
	else
		meet(call, fault, request);
	return call;
}

static void unlink_call(struct stage_call *call)
{
	struct stage *stage = call->stage;

	for (struct stage_call **slot = &stage->calls; *slot; slot = &(*slot)->next) {
		if (*slot == call) {
			*slot = call->next;
			break;
		}
	}
	stage->in_flight--;
	if (call->ticket)
		model_forget(stage->model, call->ticket);
}

static void free_call(struct stage_call *call)
{
	free(call->body);
	free(call->why);
	free(call);
}

static void stage_cancel(void *data, void *call)
{
	(void)data;
	unlink_call(call);
	free_call(call);
}

/* Known from the first answer on, as the client of the Engine has it. */
static bool stage_podman(void *data)
{
	const struct stage *stage = data;

	return stage->answered && stage->is_podman;
}

static wd_time stage_now(void *data)
{
	const struct stage *stage = data;

	return model_now(stage->model);
}

static wd_stamp stage_stamp(void *data)
{
	const struct stage *stage = data;

	return model_stamp(stage->model);
}

/* --- the journal --- */

static int64_t stage_next_plan(void *data)
{
	struct stage *stage = data;

	return ++stage->last_plan;
}

static void fill_row(struct wd_journal *slot, const struct wd_journal *row)
{
	*slot = *row;
	slot->plan = wd_copy(row->plan);
	slot->service = wd_copy(row->service);
	slot->name = wd_copy(row->name);
	slot->container = wd_copy(row->container);
	slot->details = wd_copy(row->details);
}

static void empty_row(struct wd_journal *row)
{
	free(row->plan);
	free(row->service);
	free(row->name);
	free(row->container);
	free(row->details);
}

static struct stage_row *find_row(struct stage *stage, int64_t id)
{
	for (unsigned i = 0; i < stage->row_count; i++)
		if (stage->rows[i].row.id == id)
			return &stage->rows[i];
	return NULL;
}

static void stage_journal(void *data, const struct wd_journal *row, wd_store_done *done, void *done_data)
{
	struct stage *stage = data;
	struct stage_row *slot = find_row(stage, row->id);

	if (stage->journal_fails) {
		done(done_data, stage->journal_fails);
		return;
	}
	if (slot) {
		empty_row(&slot->row);
		fill_row(&slot->row, row);
		done(done_data, NULL);
		return;
	}
	slot = &stage->rows[stage->row_count++];
	*slot = (struct stage_row){.durable = stage->journal_takes == 0, .done = done, .data = done_data};
	fill_row(&slot->row, row);
	slot->due = slot->durable ? WD_NEVER : model_now(stage->model) + stage->journal_takes;
	if (slot->durable)
		done(done_data, NULL);
}

static void on_hushed(void *data, const char *why)
{
	(void)data;
	(void)why;
}

static void stage_hush(void *data, const void *done_data)
{
	struct stage *stage = data;

	for (unsigned i = 0; i < stage->row_count; i++)
		if (stage->rows[i].data == done_data)
			stage->rows[i].done = on_hushed;
}

static void remove_row(struct stage *stage, struct stage_row *row)
{
	empty_row(&row->row);
	*row = stage->rows[--stage->row_count];
}

static void stage_strike(void *data, int64_t id)
{
	struct stage_row *row = find_row(data, id);

	if (row)
		remove_row(data, row);
}

static bool stage_load(void *data, wd_store_journal_callback *callback, void *callback_data, struct wd_error *error)
{
	struct stage *stage = data;

	if (stage->load_fails)
		return wd_fail(error, WD_ERROR_FAILED, "%s", stage->load_fails);
	for (unsigned i = 0; i < stage->row_count; i++)
		callback(callback_data, &stage->rows[i].row);
	return true;
}

/* --- the listener --- */

static void keep_end(struct stage *stage, enum wd_plan_end end, const char *detail, struct wd_restart_policy kept,
		     const struct wd_cpu_cut *cut)
{
	stage->ends++;
	stage->end = end;
	stage->kept = kept;
	stage->cut = *cut;
	stage->rows_at_end = stage->row_count;
	wd_replace(&stage->detail, detail);
	if (stage->free_at_end)
		stage->actor = wd_actor_free(stage->actor);
}

static void keep_image(struct stage *stage, const struct wd_fact *fact)
{
	stage->ends++;
	stage->end = fact->image.end;
	wd_replace(&stage->detail, fact->image.detail);
	wd_replace(&stage->image_id, fact->image.id);
	wd_replace(&stage->config, fact->image.config);
	wd_replace(&stage->digests, fact->image.digests);
}

static void on_end(void *data, const struct wd_fact *fact)
{
	struct stage *stage = data;

	if (fact->kind == WD_FACT_IMAGE) {
		keep_image(stage, fact);
		return;
	}
	wd_replace(&stage->replaced_by, fact->acted.replaced_by);
	stage->ticket = fact->acted.ticket;
	wd_replace(&stage->logs, fact->acted.logs);
	keep_end(stage, fact->acted.end, fact->acted.detail, fact->acted.kept, &fact->acted.cut);
}

static void on_resumed(void *data, const struct wd_resumed *resumed)
{
	struct stage *stage = data;

	wd_replace(&stage->plan, resumed->plan);
	wd_replace(&stage->replaced_by, resumed->replaced_by);
	keep_end(stage, resumed->end, resumed->detail, resumed->policy, &resumed->cut);
}

static void on_step(void *data, const char *name, const char *plan, const char *step, const char *what)
{
	struct stage *stage = data;
	WD_AUTO_FREE char *text = wd_format("%s %s: %s: %s", plan, name, step, what);

	wd_list_add(&stage->said, text);
}

static void make_actor(struct stage *stage)
{
	const struct wd_actor_hooks hooks = {.on_end = on_end, .on_step = on_step, .data = stage};

	stage->actor = wd_actor_new_with(&stage->outside, &hooks);
}

void stage_init(struct stage *stage, enum model_flavour flavour)
{
	*stage = (struct stage){.model = model_new(flavour, EPOCH), .is_podman = flavour == MODEL_PODMAN};
	stage->outside = (struct wd_outside){
		.data = stage,
		.send = stage_send,
		.cancel = stage_cancel,
		.podman = stage_podman,
		.api = stage_api,
		.credentials = stage_credentials,
		.helper = stage_helper,
		.random = stage_random,
		.timer_new = stage_timer_new,
		.timer_set = stage_timer_set,
		.timer_free = stage_timer_free,
		.now = stage_now,
		.stamp = stage_stamp,
		.journaled = true,
		.next_plan = stage_next_plan,
		.journal = stage_journal,
		.hush = stage_hush,
		.strike = stage_strike,
		.load = stage_load,
	};
	stage->answered = true; /* the watchdog watches already */
	make_actor(stage);
}

/* The store answers what it was given even after the actor is gone. */
static void answer_journal(struct stage *stage)
{
	for (unsigned i = 0; i < stage->row_count; i++) {
		struct stage_row *row = &stage->rows[i];
		if (row->due > model_now(stage->model))
			continue;
		row->due = WD_NEVER;
		row->durable = true;
		row->done(row->data, NULL);
	}
}

static void drop_undurable(struct stage *stage)
{
	for (unsigned i = stage->row_count; i-- > 0;) {
		struct stage_row *row = &stage->rows[i];
		if (row->durable)
			continue;
		row->done(row->data, "it was killed");
		remove_row(stage, row);
	}
}

void stage_done(struct stage *stage)
{
	wd_actor_free(stage->actor);
	drop_undurable(stage);
	while (stage->row_count)
		remove_row(stage, stage->rows);
	model_free(stage->model);
	wd_list_done(&stage->asked);
	wd_list_done(&stage->said);
	free(stage->detail);
	free(stage->logs);
	free(stage->plan);
	free(stage->replaced_by);
	free(stage->image_id);
	free(stage->config);
	free(stage->digests);
	free(stage->auth);
}

/* --- time --- */

static wd_time next_due(const struct stage *stage)
{
	wd_time at = model_wake(stage->model);

	for (const struct stage_timer *timer = stage->timers; timer; timer = timer->next)
		at = timer->at < at ? timer->at : at;
	for (const struct stage_call *call = stage->calls; call; call = call->next)
		at = call->due < at ? call->due : at;
	for (unsigned i = 0; i < stage->row_count; i++)
		at = stage->rows[i].due < at ? stage->rows[i].due : at;
	return at;
}

static bool answer_call(struct stage *stage)
{
	for (struct stage_call *call = stage->calls; call; call = call->next) {
		if (call->due > model_now(stage->model))
			continue;
		unlink_call(call);
		stage->answered = true;
		call->done(call->data, &call->answer);
		free_call(call);
		return true;
	}
	return false;
}

static bool fire_timer(struct stage *stage)
{
	for (struct stage_timer *timer = stage->timers; timer; timer = timer->next) {
		if (timer->at > model_now(stage->model))
			continue;
		timer->at = WD_NEVER;
		timer->callback(timer->data);
		return true;
	}
	return false;
}

static void turn(struct stage *stage, wd_time until)
{
	wd_time at = next_due(stage);

	at = at < until ? at : until;
	if (at > model_now(stage->model))
		model_advance(stage->model, at - model_now(stage->model));
	answer_journal(stage);
	while (!stage->killed && (answer_call(stage) || fire_timer(stage)))
		;
}

static bool is_quiet(const struct stage *stage)
{
	return !stage->actor || !stage->actor->runs;
}

void stage_run(struct stage *stage, unsigned ends)
{
	wd_time until = model_now(stage->model) + WD_HOUR;

	while (!stage->killed && (stage->ends < ends || !is_quiet(stage)) && model_now(stage->model) < until)
		turn(stage, until);
}

void stage_pass(struct stage *stage, wd_time span)
{
	wd_time until = model_now(stage->model) + span;

	do
		turn(stage, until);
	while (!stage->killed && model_now(stage->model) < until);
}

void stage_begin_anew(struct stage *stage)
{
	stage->actor = wd_actor_free(stage->actor);
	drop_undurable(stage);
	stage->killed = false;
	stage->answered = false;
	stage->ends = 0;
	make_actor(stage);
}

bool stage_recover(struct stage *stage, struct wd_error *error)
{
	return wd_actor_recover(stage->actor, on_resumed, stage, error);
}

void stage_revive_into(struct stage *stage, unsigned fault_at, enum stage_fault fault)
{
	unsigned rows;

	stage_begin_anew(stage);
	stage->sticky = NULL;
	stage->fault_at = fault_at;
	stage->fault = fault;
	rows = stage->row_count;
	stage_recover(stage, NULL);
	stage_run(stage, rows);
}

void stage_revive(struct stage *stage)
{
	stage_revive_into(stage, 0, STAGE_FINE);
}

/* --- asking --- */

struct wd_order stage_order(const struct stage *stage, enum wd_action action, const char *name)
{
	static uint64_t tickets = 40;

	return (struct wd_order){
		.kind = WD_ORDER_ACT,
		.ticket = ++tickets,
		.service = name,
		.name = name,
		.id = model_id(stage->model, name),
		.action = action,
		.stop_timeout = 10 * WD_SECOND,
	};
}

void stage_do(struct stage *stage, const struct wd_order *order, bool remembered)
{
	wd_actor_do(stage->actor, order, remembered);
}

unsigned stage_count(const struct stage *stage, const char *asked)
{
	unsigned count = 0;

	for (size_t i = 0; i < stage->asked.count; i++)
		count += strcmp(stage->asked.items[i], asked) == 0;
	return count;
}

struct wd_container *stage_inspect(const struct stage *stage, const char *name)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", name);
	struct model_answer answer = model_request(stage->model, "GET", path, NULL);
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(answer.body, answer.length, NULL);
	struct wd_container *container = json ? wd_wire_container(json, NULL, NULL) : NULL;

	model_answer_done(&answer);
	return container;
}

enum wd_state stage_state(const struct stage *stage, const char *name)
{
	struct wd_container *container = stage_inspect(stage, name);
	enum wd_state state = container ? container->state : WD_STATE_UNKNOWN;

	wd_container_free(container);
	return state;
}

struct wd_cpus stage_cpus(const struct stage *stage, const char *name)
{
	struct wd_container *container = stage_inspect(stage, name);
	struct wd_cpus cpus = container ? container->cpus : (struct wd_cpus){0};

	wd_container_free(container);
	return cpus;
}

struct wd_restart_policy stage_policy(const struct stage *stage, const char *name)
{
	struct wd_container *container = stage_inspect(stage, name);
	struct wd_restart_policy policy = container ? container->policy : (struct wd_restart_policy){0};

	wd_container_free(container);
	return policy;
}
