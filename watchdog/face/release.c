/* release.c: `seadog release`: by the watchdog, or without one: then the same plan, by the same actor, on a loop of its own. What a dead
 * seadog left half done is finished first, as its next start would have done.
 */
#include "changing.h"
#include "offline.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/act.h>
#include <watchdog/memory.h>

struct held {
	struct wd_memory memory;
	bool wanted;
};

struct releasing {
	struct wd_call *call;
	const char *name; /* NULL: every service on hold */
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	struct wd_store *store;
	struct wd_actor *actor;
	struct held *services;
	size_t count;
	size_t next;       /* the service that is looked at next; the one under way is before it */
	size_t unfinished; /* plans of a dead seadog that are still to end */
	size_t unwritten;  /* rows on their way to the disk */
	bool releases;     /* one is under way: the row of what was resumed is written beside it */
	size_t done, failed;
	bool finished;
	struct wd_error error; /* the first failure */
};

/* Which services. */

static void copy_hold(struct wd_hold *to, const struct wd_hold *from)
{
	*to = *from;
	to->id = wd_copy(from->id);
}

/* The windows are left out: they are empty after a release. */
static void keep_service(void *data, const struct wd_memory *memory)
{
	struct releasing *releasing = data;
	releasing->services = wd_realloc(releasing->services, releasing->count + 1, sizeof *releasing->services);
	struct held *held = &releasing->services[releasing->count++];
	*held = (struct held){.memory = *memory};
	held->memory.service = wd_copy(memory->service);
	held->memory.name = wd_copy(memory->name);
	held->memory.id = wd_copy(memory->id);
	held->memory.image_id = wd_copy(memory->image_id);
	held->memory.crashes = held->memory.ooms = NULL;
	held->memory.crash_count = held->memory.oom_count = 0;
	held->memory.pins = (struct wd_pins){0}; /* the row does not hold them */
	copy_hold(&held->memory.hold, &memory->hold);
}

static void forget_services(struct releasing *releasing)
{
	for (size_t i = 0; i < releasing->count; i++)
		wd_memory_done(&releasing->services[i].memory);
	free(releasing->services);
	releasing->services = NULL;
	releasing->count = 0;
}

static struct held *find_held(struct releasing *releasing, const char *name)
{
	struct held *prefixed = NULL;
	size_t prefixed_count = 0;
	for (size_t i = 0; i < releasing->count; i++) {
		const struct wd_memory *memory = &releasing->services[i].memory;
		if (wd_text_equal(memory->name, name) || wd_text_equal(memory->service, name))
			return &releasing->services[i];
		if (strlen(name) >= 4 && memory->id && wd_text_starts(memory->id, name)) {
			prefixed = &releasing->services[i];
			prefixed_count++;
		}
	}
	return prefixed_count == 1 ? prefixed : NULL;
}

/* Marks what is to be released. */
static bool choose(struct releasing *releasing, const char *name, struct wd_error *error)
{
	for (size_t i = 0; i < releasing->count && !name; i++)
		releasing->services[i].wanted = wd_memory_is_bound(&releasing->services[i].memory);
	if (!name)
		return true;
	struct held *held = find_held(releasing, name);
	if (!held)
		return wd_fail(error, WD_ERROR_NOT_FOUND, "no such service: %s", name);
	if (!wd_memory_is_bound(&held->memory))
		return wd_fail(error, WD_ERROR_REFUSED, "%s is not on hold", name);
	held->wanted = true;
	return true;
}

static struct wd_order order_of(const struct releasing *releasing, const struct held *held)
{
	const struct wd_memory *memory = &held->memory;
	return (struct wd_order){.kind = WD_ORDER_ACT,
				 .ticket = (uint64_t)(held - releasing->services) + 1,
				 .service = memory->service,
				 .name = memory->name,
				 .id = memory->hold.held && memory->hold.id ? memory->hold.id : memory->id,
				 .action = WD_ACTION_RELEASE,
				 .hold_kind = wd_memory_kind(memory),
				 .cut = memory->throttle.cut,
				 .policy = memory->hold.policy,
				 .no_start = wd_asked(releasing->call, WD_FLAG_NO_START),
				 .incident_id = memory->hold.held ? memory->hold.incident : memory->throttle.incident};
}

/* Carrying it out: one service after the other. */

static void fail(struct releasing *releasing, const char *name, const char *why)
{
	if (releasing->failed++ == 0)
		wd_fail(&releasing->error, WD_ERROR_FAILED, "release %s: %s", name, why ? why : "failed");
	else
		wd_note(releasing->call, "release %s: %s", name, why ? why : "failed");
}

static void finish(struct releasing *releasing)
{
	releasing->finished = true;
	wd_loop_stop(releasing->loop);
}

static void go_on(struct releasing *releasing)
{
	if (releasing->releases)
		return;
	while (releasing->next < releasing->count && !releasing->services[releasing->next].wanted)
		releasing->next++;
	if (releasing->next < releasing->count) {
		struct wd_order order = order_of(releasing, &releasing->services[releasing->next++]);
		releasing->releases = true;
		wd_actor_do(releasing->actor, &order, true);
	} else if (releasing->unwritten == 0) {
		finish(releasing);
	}
}

static void on_written(void *data, const char *why)
{
	struct releasing *releasing = data;
	releasing->unwritten--;
	if (why)
		fail(releasing, "state directory", why);
	if (releasing->unfinished == 0)
		go_on(releasing);
}

static void write_row(struct releasing *releasing, struct held *held)
{
	releasing->unwritten++;
	wd_store_service(releasing->store, &held->memory, on_written, releasing);
}

static void clear_hold(struct wd_memory *memory)
{
	free(memory->hold.id);
	memory->hold = (struct wd_hold){0};
	memory->throttle = (struct wd_throttle){0};
}

static void say_released(const struct wd_call *call, const char *name)
{
	WD_AUTO_JSON struct wd_json *answer = wd_json_object();
	wd_json_set_string(answer, "released", name);
	wd_put_answer(call, answer);
}

/* The next one begins when the row is written: a power cut then leaves at most one release to be repeated. */
static void on_end(void *data, const struct wd_fact *fact)
{
	struct releasing *releasing = data;
	if (fact->acted.ticket == 0 || fact->acted.ticket > releasing->count)
		return;
	struct held *held = &releasing->services[fact->acted.ticket - 1];
	releasing->releases = false;
	if (fact->acted.end == WD_PLAN_DONE) {
		releasing->done++;
		clear_hold(&held->memory);
		say_released(releasing->call, held->memory.name);
		write_row(releasing, held);
		return;
	}
	fail(releasing, held->memory.name, fact->acted.detail);
	go_on(releasing);
}

static void on_step(void *data, const char *name, const char *plan, const char *step, const char *what)
{
	struct releasing *releasing = data;
	wd_whisper(releasing->call, "%s: %s: %s %s", name, plan, step, what);
}

/* What a dead seadog had under way. */

static void count_unfinished(void *data, const struct wd_journal *journal)
{
	size_t *count = data;
	(void)journal;
	++*count;
}

static void take_over(struct held *held, const struct wd_resumed *resumed)
{
	bool pause = wd_text_equal(resumed->plan, "pause");
	if (wd_text_equal(resumed->plan, "throttle")) {
		held->memory.throttle = (struct wd_throttle){
			.cut = resumed->cut, .since = wd_stamp_now(), .incident = resumed->incident};
	} else if (wd_text_equal(resumed->plan, "release") || wd_text_equal(resumed->plan, "unthrottle")) {
		clear_hold(&held->memory);
	} else if (pause || wd_text_equal(resumed->plan, "hold")) {
		free(held->memory.hold.id);
		held->memory.hold = (struct wd_hold){.held = true,
						     .kind = pause ? WD_ACTION_PAUSE : WD_ACTION_STOP,
						     .since = wd_stamp_now(),
						     .incident = resumed->incident,
						     .policy = resumed->policy,
						     .id = wd_copy(resumed->container)};
	}
}

static void begin(struct releasing *releasing)
{
	if (choose(releasing, releasing->name, &releasing->error))
		go_on(releasing);
	else
		finish(releasing);
}

static void on_resumed(void *data, const struct wd_resumed *resumed)
{
	struct releasing *releasing = data;
	struct held *held = find_held(releasing, resumed->service);
	wd_note(releasing->call, "%s: %s, which was under way when the watchdog ended: %s", resumed->name,
		resumed->plan, resumed->detail ? resumed->detail : "ended");
	if (held && resumed->end == WD_PLAN_DONE) {
		take_over(held, resumed);
		write_row(releasing, held);
	}
	if (--releasing->unfinished == 0)
		begin(releasing);
}

/* Opening and closing all of it. */

static bool open_store(struct releasing *releasing, struct wd_error *error)
{
	WD_AUTO_FREE char *warning = NULL;
	const char *directory = releasing->call->settings->state_dir;
	struct wd_store *reading = wd_offline_open(releasing->call, error);
	if (!reading)
		return false;
	wd_store_close(reading);
	wd_note(releasing->call, "the watchdog is not running: releasing from what %s remembers", directory);
	releasing->store = wd_store_open(directory, releasing->loop, &warning, error);
	if (!releasing->store)
		return false;
	if (warning)
		wd_note(releasing->call, "%s", warning);
	const char *trouble = wd_store_trouble(releasing->store);
	return !trouble || wd_fail(error, WD_ERROR_FAILED, "nothing can be written to %s: %s", directory, trouble);
}

static void ignore_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static void on_talk(void *data, enum wd_log_level level, const char *text)
{
	struct releasing *releasing = data;
	(void)level;
	wd_whisper(releasing->call, "engine: %s", text);
}

static bool open_engine(struct releasing *releasing, struct wd_error *error)
{
	struct wd_engine_hooks hooks = {.on_fact = ignore_fact, .on_talk = on_talk, .data = releasing};
	releasing->http = wd_http_new(releasing->loop, error);
	if (!releasing->http)
		return false;
	releasing->engine = wd_call_engine(releasing->call, releasing->loop, releasing->http, &hooks, error);
	return releasing->engine && wd_engine_reach(releasing->engine, error);
}

static void close_all(struct releasing *releasing)
{
	wd_actor_free(releasing->actor);
	wd_engine_free(releasing->engine);
	wd_http_free(releasing->http);
	wd_store_close(releasing->store);
	wd_loop_free(releasing->loop);
	forget_services(releasing);
}

static bool outcome(const struct releasing *releasing, struct wd_error *error)
{
	if (releasing->error.kind == WD_ERROR_NONE) {
		if (releasing->done == 0)
			wd_note(releasing->call, "no service is on hold");
		return true;
	}
	*error = releasing->error;
	if (releasing->done > 0)
		error->kind = WD_ERROR_PARTLY;
	return false;
}

static bool carry_out(struct releasing *releasing, struct wd_error *error)
{
	struct wd_actor_hooks hooks = {.on_end = on_end, .on_step = on_step, .data = releasing};
	if (!wd_store_load(releasing->store, keep_service, releasing, error) ||
	    !wd_store_load_journal(releasing->store, count_unfinished, &releasing->unfinished, error))
		return false;
	if (releasing->unfinished == 0 && !choose(releasing, releasing->name, error))
		return false;
	if (!open_engine(releasing, error))
		return false;
	releasing->actor = wd_actor_new(releasing->loop, releasing->engine, releasing->store, &hooks);
	if (releasing->unfinished > 0 && !wd_actor_recover(releasing->actor, on_resumed, releasing, error))
		return false;
	if (releasing->unfinished == 0)
		go_on(releasing);
	if (!releasing->finished)
		wd_loop_run(releasing->loop);
	return outcome(releasing, error);
}

static void put_order(const struct wd_call *call, const struct wd_order *order)
{
	struct wd_list lines = {0};
	WD_AUTO_JSON struct wd_json *answer = wd_json_object();
	wd_json_set_string(answer, "name", order->name);
	struct wd_json *plan = wd_json_set(answer, "plan", wd_json_array());
	wd_plan_describe(order, &lines);
	for (size_t i = 0; i < lines.count; i++)
		wd_json_add(plan, wd_json_text(lines.items[i]));
	wd_put_answer(call, answer);
	wd_list_done(&lines);
}

/* What would be done, from the state directory alone. */
static bool describe(struct wd_call *call, const char *name, struct wd_error *error)
{
	struct releasing releasing = {.call = call, .name = name};
	releasing.store = wd_offline_open(call, error);
	if (!releasing.store)
		return false;
	bool known = wd_store_load(releasing.store, keep_service, &releasing, error) && choose(&releasing, name, error);
	for (size_t i = 0; i < releasing.count && known; i++) {
		struct wd_order order = order_of(&releasing, &releasing.services[i]);
		if (releasing.services[i].wanted)
			put_order(call, &order);
	}
	close_all(&releasing);
	return known;
}

static bool release_alone(struct wd_call *call, const char *name, struct wd_error *error)
{
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		return describe(call, name, error);
	struct releasing releasing = {.call = call, .name = name};
	releasing.loop = wd_loop_new(error);
	bool done = releasing.loop && open_store(&releasing, error) && carry_out(&releasing, error);
	close_all(&releasing);
	return done;
}

/* Only a terminal is asked: a script that says --all means it. */
static bool confirmed(const struct wd_call *call, struct wd_error *error)
{
	char answer[16] = "";
	if (wd_asked(call, WD_FLAG_YES) || wd_asked(call, WD_FLAG_DRY_RUN) || !isatty(STDIN_FILENO))
		return true;
	fprintf(stderr, "Release every service that is on hold? [y/N] ");
	if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	return wd_fail(error, WD_ERROR_REFUSED, "not confirmed");
}

bool wd_run_release(struct wd_call *call, struct wd_error *error)
{
	bool all = wd_asked(call, WD_FLAG_ALL);
	const char *name = call->word_count ? call->words[0] : NULL;
	if (all == (name != NULL))
		return wd_fail(error, WD_ERROR_USAGE, "release needs either a NAME or --all");
	if (!wd_call_settings(call, error) || (all && !confirmed(call, error)))
		return false;
	WD_AUTO_JSON struct wd_json *request = wd_request_new("release");
	if (name)
		wd_json_set_string(request, "name", name);
	else
		wd_json_set_bool(request, "all", true);
	if (wd_asked(call, WD_FLAG_NO_START))
		wd_json_set_bool(request, "no_start", true);
	size_t answers = 0;
	if (wd_change(call, request, &answers, error)) {
		if (answers == 0)
			wd_note(call, "no service is on hold");
		return true;
	}
	if (error->kind != WD_ERROR_NOT_RUNNING)
		return false;
	*error = (struct wd_error){0};
	return release_alone(call, name, error);
}
