/* Stories with time (tests/scenes/NAME.scene), played to the guard alone: no Engine, no disk, no clock.
 *
 *     config                      an INI file, indented, up to the next line that is not
 *     at 1s 2s 3s web crashes 3   once for each moment; `crashes` is a die, and the policy's start 100 ms later
 *     expect stop web because "5 restarts within 60s"
 *     end                         nothing may be left pending
 *
 * Verbs of a container: runs [always|no|on-failure:N|unless-stopped] [count=N] [waited=6.4s] [label KEY=VALUE] [exit=N]
 * [check] [autoremove] [id=N] · dies CODE · starts [by hand] · crashes CODE · killed [SIGNAL] · stopped · oom · healthy ·
 * unhealthy · limited CPUS (by somebody) · paused · removed · vanishes (without an event) · gives-up "why" (a restart that fails without an event) ·
 * renamed NAME (parked by a plan) · called NAME (by a person) · pin [IMAGE] · unpin · forgive · rollback [IMAGE] · refused "why" · undone "why" · resumes [release|throttle|commit]
 * (a rollback, or that, that a dead seadog left) · did (the plan ordered last is done; of a rollback: the new container runs) · begins (a release has started it, and goes on) · failed "why" · seen (as it is,
 * by the list after a connection) · uses memory 120MiB +1MiB/s of 128MiB cache 20MiB cpu 0.5 of 2 pids 7 of 100 oom 1
 * pressure memory 40% (support/uses.h; looked at once an interval from then on, as far as the guard wishes) · died-at 5s CODE (told only now) · stale 1s (an inspect that was asked then) · started (the event alone) · hold · release · mute 30m · unmute. Of the world: engine up|down|restarted, synced,
 * disk full|fine|slow|loses incidents (until seadog dies), late 3s, blind on|off (inspects are not answered), deaf on|off (nothing is told, though it
 * happens), self NAME (first), all-muted 30m, replay on|off (events are from the past), seadog killed (and started again with what is on disk; then tell
 * it again that the engine is up, who is `seen`, and synced), reload "key = value" (that line of the configuration).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <watchdog/guard.h>
#include <watchdog/memory.h>

#include "support/disk.h"
#include "support/uses.h"

#define BASE (1000 * WD_SECOND)
#define WALL (1767225600LL * 1000000000) /* 2026-01-01 */

struct box { /* what the Engine would know */
	struct wd_container container;
	char id[65], old_id[65]; /* old_id: what is parked while a rollback is on trial */
	char *old_image;
	bool there;
	struct uses uses;
};

struct scene {
	const char *file;
	int line;
	struct wd_settings *settings;
	struct wd_guard *guard;
	wd_time now;
	wd_time look_at; /* when samples are due; WD_NEVER: nobody uses anything */
	struct box boxes[64];
	unsigned count;
	char *acts[64];    /* "stop web" */
	char *targets[64]; /* of a rollback */
	char *target;      /* of the plan that `did` speaks of */
	uint64_t tickets[64];
	struct wd_order orders[64];
	struct wd_order last; /* that was expected: the one that `did` and `failed` speak of */
	unsigned act_count;
	struct wd_text told;
	char *why; /* of the incident opened last */
	long opened;
	struct wd_list answers, jobs;
	struct wd_list missing; /* images that are not on the host */
	char *moved, *moved_to; /* a tag that names another image by now */
	bool blind, deaf, begun, disk_full, disk_slow, disk_loses, replay;
	struct disk disk;
	char *config;
};

static void fail_at(const struct scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail_at(const struct scene *scene, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fail_msg("%s:%d: at %.1fs: %s\ntold so far:\n%s", scene->file, scene->line,
		 (double)(scene->now - BASE) / (double)WD_SECOND, text, wd_text_get(&scene->told));
}

static wd_stamp stamp_at(wd_time at)
{
	return WALL + (at - BASE) * 1000;
}

static struct box *box_of(struct scene *scene, const char *name)
{
	for (unsigned i = 0; i < scene->count; i++)
		if (wd_text_equal(scene->boxes[i].container.name, name))
			return &scene->boxes[i];
	assert_true(scene->count < 64);
	struct box *box = &scene->boxes[scene->count++];
	snprintf(box->id, sizeof(box->id), "%02x%062x", scene->count, 7);
	box->container = (struct wd_container){.id = wd_copy(box->id),
					       .name = wd_copy(name),
					       .service = wd_copy(name),
					       .image = wd_copy("acme/app:1"),
					       .image_id = wd_copy("sha256:1"),
					       .stop_timeout = 10 * WD_SECOND,
					       .stop_signal = 15};
	box->uses = uses_nothing();
	return box;
}

static void tell(struct scene *scene, struct wd_fact *fact);

static const struct box *box_by_id(const struct scene *scene, const char *id)
{
	for (unsigned i = 0; i < scene->count; i++)
		if (strcmp(scene->boxes[i].id, id) == 0)
			return &scene->boxes[i];
	return NULL;
}

/* One that was made anew is another container: the old one is gone. */
static void answer_inspect(struct scene *scene, const char *id)
{
	const struct box *box = box_by_id(scene, id);
	struct wd_fact fact = {.kind = WD_FACT_GONE, .id = id};

	if (box && box->there) {
		fact.kind = WD_FACT_CONTAINER;
		fact.seen.container = &box->container;
		fact.seen.asked = scene->now;
	}
	tell(scene, &fact);
}

static void answer_store(struct scene *scene, const struct wd_order *order)
{
	struct wd_fact fact = {.kind = WD_FACT_STORED};
	WD_AUTO_FREE char *service = wd_copy(order->service), *id = wd_copy(order->id);

	if (!order->confirm || scene->disk_slow)
		return;
	fact.stored.service = service;
	fact.stored.id = id;
	fact.stored.policy = order->policy;
	fact.stored.why = scene->disk_full ? "No space left on device" : NULL;
	tell(scene, &fact);
}

static char *image_id(const struct scene *scene, const char *name)
{
	if (wd_text_starts(name, "sha256:"))
		return wd_copy(name);
	return wd_format("sha256:%s", wd_text_equal(name, scene->moved) ? scene->moved_to : name);
}

static void answer_image(struct scene *scene, const struct wd_order *order)
{
	struct wd_fact fact = {.kind = WD_FACT_IMAGE};
	WD_AUTO_FREE char *image = wd_copy(order->target.image);
	WD_AUTO_FREE char *id = wd_copy(order->target.id);
	bool missing = image && order->job != WD_IMAGE_FETCH && wd_list_has(&scene->missing, image);

	if (!id)
		id = image_id(scene, image);
	fact.image.ticket = order->ticket;
	fact.image.end = missing ? WD_PLAN_REFUSED : WD_PLAN_DONE;
	fact.image.detail = missing ? "there is no such image on this host" : NULL;
	fact.image.id = id;
	fact.image.digests = "acme/web@sha256:1 acme/web@sha256:2";
	fact.image.config = "{}";
	tell(scene, &fact);
}

static void check_steps(const struct scene *scene, const struct wd_incident *incident)
{
	for (unsigned i = 0; incident->closed && i < incident->step_count; i++)
		if (!incident->steps[i].ended)
			fail_at(scene, "incident %lld is closed with an open step", (long long)incident->id);
}

static void note_order(struct scene *scene, const struct wd_order *order)
{
	char clock[64];

	switch (order->kind) {
	case WD_ORDER_ACT:
		assert_true(scene->act_count < 64);
		scene->orders[scene->act_count] = *order;
		scene->tickets[scene->act_count] = order->ticket;
		scene->targets[scene->act_count] = wd_copy(order->target.image);
		scene->acts[scene->act_count++] = wd_format("%s %s", wd_action_name(order->action), order->name);
		break;
	case WD_ORDER_TELL:
		snprintf(clock, sizeof(clock), "%7.1fs ", (double)(scene->now - BASE) / (double)WD_SECOND);
		wd_text_print(&scene->told, "%s%s: %s\n", clock, order->name ? order->name : "-", order->text);
		if (order->moment == WD_MOMENT_OPENED)
			wd_replace(&scene->why, order->incident->why), scene->opened++;
		break;
	case WD_ORDER_ANSWER: {
		WD_AUTO_FREE char *answer = wd_format("%d %s", (int)order->error, order->text);
		wd_list_add(&scene->answers, answer);
		break;
	}
	case WD_ORDER_IMAGE: {
		static const char *const jobs[] = {"look", "keep", "unkeep", "fetch"};
		WD_AUTO_FREE char *job = wd_format("%s %s", jobs[order->job],
						   order->target.image ? order->target.image : order->target.id);
		wd_list_add(&scene->jobs, job);
		break;
	}
	case WD_ORDER_PINS:
		disk_write_pins(&scene->disk, order->service, &order->memory->pins);
		break;
	case WD_ORDER_REMEMBER:
		disk_write(&scene->disk, order->memory);
		break;
	case WD_ORDER_FORGET:
		disk_forget(&scene->disk, order->service);
		break;
	case WD_ORDER_INCIDENT:
		check_steps(scene, order->incident);
		if (!scene->disk_loses)
			disk_note(&scene->disk, order->incident);
		break;
	default:
		break;
	}
}

/* Orders are copied out of the guard before any is answered: an answer is a new fact. */
static void tell(struct scene *scene, struct wd_fact *fact)
{
	struct wd_order order, later[256];
	unsigned count = 0;

	fact->stamp = stamp_at(scene->now);
	wd_guard_tell(scene->guard, scene->now, fact);
	while (wd_guard_take(scene->guard, &order)) {
		note_order(scene, &order);
		if (order.kind != WD_ORDER_INSPECT && order.kind != WD_ORDER_REMEMBER && order.kind != WD_ORDER_IMAGE)
			continue;
		assert_true(count < 256);
		later[count] = order;
		later[count].target.image = wd_copy(order.target.image);
		later[count].target.id = wd_copy(order.target.id);
		later[count].service = wd_copy(order.service);
		later[count++].id = wd_copy(order.id);
	}
	for (unsigned i = 0; i < count; i++) {
		if (later[i].kind == WD_ORDER_REMEMBER)
			answer_store(scene, &later[i]);
		else if (later[i].kind == WD_ORDER_IMAGE)
			answer_image(scene, &later[i]);
		else if (!scene->blind)
			answer_inspect(scene, later[i].id);
		free((void *)(uintptr_t)later[i].service);
		free((void *)(uintptr_t)later[i].id);
		free((void *)(uintptr_t)later[i].target.image);
		free((void *)(uintptr_t)later[i].target.id);
	}
}

static void look(struct scene *scene)
{
	scene->look_at = scene->now + scene->settings->sample_interval;
	for (unsigned i = 0; i < scene->count; i++) {
		struct box *box = &scene->boxes[i];
		struct wd_gauge_wish wish;
		if (!box->there || !box->uses.any || box->container.state != WD_STATE_RUNNING)
			continue;
		wd_guard_wish(scene->guard, box->id, scene->now, &wish);
		struct wd_sample sample = uses_look(&box->uses, &wish, scene->now);
		double limit = wd_cpus_count(box->container.cpus), cpus = box->uses.cpus;
		sample.cpus_allowed = limit > 0 ? limit : sample.cpus_allowed;
		cpus = limit > 0 && limit < cpus ? limit : cpus;
		struct wd_fact fact = {.kind = WD_FACT_SAMPLE,
				       .used = {.id = box->id, .sample = &sample, .cpus = cpus}};
		tell(scene, &fact);
	}
}

static wd_time next_turn(const struct scene *scene)
{
	wd_time wake = wd_guard_wake(scene->guard);

	return scene->look_at < wake ? scene->look_at : wake;
}

static void run_to(struct scene *scene, wd_time at)
{
	struct wd_fact time = {.kind = WD_FACT_TIME};
	unsigned turns = 0;

	while (next_turn(scene) <= at) {
		wd_time wake = next_turn(scene);
		scene->now = wake > scene->now ? wake : scene->now;
		if (scene->look_at <= scene->now)
			look(scene);
		if (wd_guard_wake(scene->guard) <= scene->now)
			tell(scene, &time);
		if (++turns > 1000000)
			fail_at(scene, "the guard wakes up again and again");
	}
	scene->now = at > scene->now ? at : scene->now;
}

static void tell_event_of(struct scene *scene, struct box *box, wd_time at, enum wd_event_kind kind, int exit_code,
			  int signal, enum wd_health health)
{
	struct wd_event event = {.kind = kind,
				 .at = at,
				 .from = at,
				 .stamp = stamp_at(at),
				 .exit_code = exit_code,
				 .signal = signal,
				 .health = health,
				 .replayed = scene->replay};
	struct wd_fact fact = {.kind = WD_FACT_EVENT, .event = &event};

	if (scene->deaf)
		return;
	memcpy(event.id, box->id, sizeof(event.id));
	snprintf(event.name, sizeof(event.name), "%s", box->container.name);
	tell(scene, &fact);
}

static void tell_event(struct scene *scene, struct box *box, enum wd_event_kind kind, int exit_code, int signal,
		       enum wd_health health)
{
	tell_event_of(scene, box, scene->now, kind, exit_code, signal, health);
}

/* --- what a container does -------------------------------------------------------------------------------------------- */

static bool answers(const struct wd_container *container, int exit_code)
{
	if (container->policy.kind == WD_RESTART_ON_FAILURE)
		return exit_code != 0 &&
		       (!container->policy.retries || container->restart_count < container->policy.retries);
	return container->policy.kind != WD_RESTART_NO;
}

static void dies(struct scene *scene, struct box *box, int exit_code, bool asked)
{
	struct wd_container *container = &box->container;
	bool answered = !asked && answers(container, exit_code);

	container->restart_count += answered;
	container->state = answered ? WD_STATE_RESTARTING : WD_STATE_EXITED;
	container->finished = stamp_at(scene->now);
	container->exit_code = exit_code;
	tell_event(scene, box, WD_EVENT_DIE, container->spoofs_exit_code ? 0 : exit_code, 0, WD_HEALTH_NONE);
}

static void starts(struct scene *scene, struct box *box, bool by_hand)
{
	struct wd_container *container = &box->container;

	if (by_hand || container->policy.kind == WD_RESTART_NO)
		container->restart_count = 0;
	container->state = WD_STATE_RUNNING;
	container->started = stamp_at(scene->now);
	container->oom_killed = false;
	wd_replace(&container->trouble, NULL);
	if (container->check_patience)
		container->health = WD_HEALTH_STARTING;
	tell_event(scene, box, WD_EVENT_START, -1, 0, WD_HEALTH_NONE);
}

static wd_time span_of(const struct scene *scene, const char *text)
{
	wd_time span;
	struct wd_error error = {0};

	if (!wd_span_parse(text, &span, &error))
		fail_at(scene, "%s", error.text);
	return span;
}

static void set_policy(struct scene *scene, struct wd_container *container, const char *word)
{
	char kind[64];

	snprintf(kind, sizeof(kind), "%s", word);
	char *colon = strchr(kind, ':');
	if (colon) {
		container->policy.retries = (unsigned)atol(colon + 1);
		*colon = 0;
	}
	if (!wd_restart_parse(kind, &container->policy.kind))
		fail_at(scene, "no policy: %s", word);
}

static void add_label(struct wd_container *container, const char *text)
{
	const char *equals = strchr(text, '=');

	container->labels = wd_realloc(container->labels, container->label_count + 1, sizeof(struct wd_label));
	container->labels[container->label_count].key = wd_copy_part(text, (size_t)(equals - text));
	container->labels[container->label_count++].value = wd_copy(equals + 1);
}

static void seen(struct scene *scene, const struct box *box, wd_time ago)
{
	struct wd_fact fact = {.kind = WD_FACT_CONTAINER};

	fact.seen.container = &box->container;
	fact.seen.asked = scene->now - ago;
	fact.seen.synced = !ago;
	if (!scene->deaf)
		tell(scene, &fact);
}

static void set_image(struct scene *scene, struct wd_container *container, const char *image)
{
	free(container->image_id);
	container->image_id = image_id(scene, image);
	wd_replace(&container->image, image);
}

static void runs(struct scene *scene, struct box *box, char **words, size_t count)
{
	struct wd_container *container = &box->container;

	container->started = stamp_at(scene->now);
	container->created = stamp_at(scene->now);
	container->state = WD_STATE_RUNNING;
	for (size_t i = 0; i < count; i++) {
		const char *word = words[i];
		if (wd_text_starts(word, "count="))
			container->restart_count = (unsigned)atol(word + 6),
			container->created -= 365 * WD_DAY * 1000, /* it is not of today */
				container->finished = container->started - 100 * WD_MILLISECOND * 1000;
		else if (wd_text_starts(word, "waited="))
			container->finished = container->started - span_of(scene, word + 7) * 1000;
		else if (wd_text_starts(word, "exit="))
			container->exit_code = (int)atol(word + 5);
		else if (wd_text_starts(word, "id="))
			snprintf(box->id, sizeof(box->id), "%064ld", atol(word + 3)),
				wd_replace(&container->id, box->id), container->restart_count = 0;
		else if (wd_text_starts(word, "image="))
			set_image(scene, container, word + 6);
		else if (wd_text_starts(word, "state="))
			wd_state_parse(word + 6, &container->state);
		else if (wd_text_starts(word, "service="))
			wd_replace(&container->service, word + 8);
		else if (wd_text_equal(word, "label"))
			add_label(container, words[++i]);
		else if (wd_text_equal(word, "check"))
			container->check_patience = 90 * WD_SECOND, container->health = WD_HEALTH_HEALTHY;
		else if (wd_text_equal(word, "autoremove"))
			container->auto_remove = true;
		else if (wd_text_equal(word, "spoofs"))
			container->spoofs_exit_code = true;
		else
			set_policy(scene, container, word);
	}
	box->there = true;
	seen(scene, box, 0);
}

/* What a release does to the container: the rest of the plan is to look whether it did. */
static void release_begins(struct scene *scene, struct box *box, const struct wd_order *order)
{
	if (wd_cpu_cut_is(&order->cut))
		box->container.cpus = order->cut.before;
	if (order->hold_kind != WD_ACTION_THROTTLE)
		box->container.policy = order->policy;
	tell_event(scene, box, WD_EVENT_UPDATE, -1, 0, WD_HEALTH_NONE);
	if (!order->no_start && box->container.state != WD_STATE_RUNNING && order->hold_kind != WD_ACTION_THROTTLE)
		starts(scene, box, true);
}

static void plan_begins(struct scene *scene, struct box *box)
{
	if (scene->last.action != WD_ACTION_RELEASE)
		fail_at(scene, "no release was ordered");
	release_begins(scene, box, &scene->last);
	scene->begun = true;
}

static void swap_ids(struct scene *scene, struct box *box, const char *id, const char *image)
{
	static unsigned made;

	dies(scene, box, 143, true);
	tell_event(scene, box, WD_EVENT_STOP, -1, 0, WD_HEALTH_NONE);
	if (id)
		snprintf(box->id, sizeof(box->id), "%s", id);
	else
		snprintf(box->id, sizeof(box->id), "%060xabcd", ++made);
	wd_replace(&box->container.id, box->id);
	set_image(scene, &box->container, image);
	box->container.created = stamp_at(scene->now);
	starts(scene, box, true);
}

/* The parked one is stopped and renamed, and the new one runs under the name; and the other way round. */
static void rollback_ends(struct scene *scene, struct box *box, const struct wd_order *order, struct wd_fact *fact)
{
	char old[65];

	memcpy(old, box->old_id, sizeof(old));
	if (order->action == WD_ACTION_ROLLBACK && !box->old_id[0]) {
		memcpy(box->old_id, box->id, sizeof(box->old_id));
		wd_replace(&box->old_image, box->container.image);
		tell_event(scene, box, WD_EVENT_KILL, -1, 15, WD_HEALTH_NONE);
		swap_ids(scene, box, NULL, scene->target);
	} else if (order->action == WD_ACTION_TAKE_BACK) {
		box->old_id[0] = 0;
		box->there = true;
		swap_ids(scene, box, old, box->old_image);
	} else if (order->action == WD_ACTION_COMMIT) {
		box->old_id[0] = 0;
	}
	if (order->action != WD_ACTION_COMMIT)
		fact->acted.replaced_by = box->id;
}

static void hook_ended(struct scene *scene, bool ok, const char *detail)
{
	struct wd_fact fact = {.kind = WD_FACT_HOOKED};

	fact.hooked.ticket = scene->last.ticket;
	fact.hooked.ok = ok;
	fact.hooked.detail = detail;
	tell(scene, &fact);
	memset(&scene->last, 0, sizeof(scene->last));
}

/* The plan that was ordered last for it has ended; the world is what the plan made it. */
static void plan_ended(struct scene *scene, struct box *box, enum wd_plan_end end, const char *detail)
{
	struct wd_container *container = &box->container;
	struct wd_fact fact = {.kind = WD_FACT_ACTED};

	if (!scene->last.ticket)
		fail_at(scene, "no plan was ordered");
	if (scene->last.action == WD_ACTION_HOOK) {
		hook_ended(scene, end == WD_PLAN_DONE, detail);
		return;
	}
	const struct wd_order done = scene->last, *order = &done;
	memset(&scene->last, 0, sizeof(scene->last)); /* the end of one may be the beginning of the next */
	fact.acted.ticket = order->ticket;
	fact.acted.end = end;
	fact.acted.detail = detail;
	fact.acted.kept = order->policy;
	if (end == WD_PLAN_DONE && order->action == WD_ACTION_STOP) {
		fact.acted.kept = container->policy;
		container->policy = (struct wd_restart_policy){.kind = WD_RESTART_NO};
		container->state = WD_STATE_EXITED;
	} else if (end == WD_PLAN_DONE && order->action == WD_ACTION_THROTTLE) {
		fact.acted.cut.before = container->cpus;
		fact.acted.cut.now = container->cpus = wd_cpus_lower(container->cpus, order->cpus);
		tell_event(scene, box, WD_EVENT_UPDATE, -1, 0, WD_HEALTH_NONE);
	} else if (end == WD_PLAN_DONE && order->action == WD_ACTION_RELEASE) {
		if (!scene->begun)
			release_begins(scene, box, order);
		scene->begun = false;
	} else if (end == WD_PLAN_DONE && (order->action == WD_ACTION_ROLLBACK || order->action == WD_ACTION_COMMIT ||
					   order->action == WD_ACTION_TAKE_BACK)) {
		rollback_ends(scene, box, order, &fact);
	} else if (end == WD_PLAN_DONE && order->action == WD_ACTION_RESTART) {
		tell_event(scene, box, WD_EVENT_KILL, -1, 15, WD_HEALTH_NONE);
		dies(scene, box, 143, true);
		starts(scene, box, true);
	}
	tell(scene, &fact);
}

/* A rollback is written down with the container that it replaces. */
static void resumes(struct scene *scene, const struct box *box, const char *plan)
{
	struct wd_fact fact = {.kind = WD_FACT_RESUMING};

	bool pair = !*plan || wd_text_equal(plan, "commit");
	fact.resuming.id = pair ? box->old_id : box->id;
	fact.resuming.made = pair ? box->id : NULL;
	fact.resuming.service = box->container.service;
	fact.resuming.action = WD_ACTION_ROLLBACK;
	if (*plan && !wd_action_parse(plan, &fact.resuming.action))
		fail_at(scene, "no such plan: %s", plan);
	fact.resuming.ticket = WD_TICKET_RESUMED | 7;
	tell(scene, &fact);
	scene->last = (struct wd_order){.action = fact.resuming.action,
					.ticket = fact.resuming.ticket,
					.policy = scene->last.policy,
					.cpus = scene->last.cpus};
}

static void ask_for(struct scene *scene, const char *name, enum wd_ask what, wd_time until, const char *image)
{
	struct wd_fact fact = {.kind = WD_FACT_ASKED};
	struct wd_service_view view;
	bool found = name && wd_guard_find(scene->guard, name, scene->now, &view);
	WD_AUTO_FREE char *service = wd_copy(found ? view.service : name);

	fact.asked.ask = what;
	fact.asked.service = service;
	fact.asked.until = until;
	fact.asked.image = image && *image ? image : NULL;
	fact.asked.request = 1;
	tell(scene, &fact);
}

static void ask(struct scene *scene, const char *name, enum wd_ask what, wd_time until)
{
	ask_for(scene, name, what, until, NULL);
}

/* A name of seadog's own making, as a plan gives it. */
static void parked(struct scene *scene, struct box *box, const char *name)
{
	wd_replace(&box->container.name, name);
	wd_replace(&box->container.service, name);
	box->container.transient = true;
	tell_event(scene, box, WD_EVENT_RENAME, -1, 0, WD_HEALTH_NONE);
}

/* Its own labels, if it has any, say what they said. */
static void called(struct scene *scene, struct box *box, const char *name)
{
	struct wd_container *container = &box->container;

	if (wd_text_equal(container->service, container->name))
		wd_replace(&container->service, name);
	wd_replace(&container->name, name);
	tell_event(scene, box, WD_EVENT_RENAME, -1, 0, WD_HEALTH_NONE);
}

static void health(struct scene *scene, struct box *box, enum wd_health is)
{
	box->container.health = is;
	tell_event(scene, box, WD_EVENT_HEALTH, -1, 0, is);
}

static void uses(struct scene *scene, struct box *box, char *const *words, size_t count)
{
	if (!uses_read(&box->uses, words, count, scene->now))
		fail_at(scene, "cannot read what it uses");
	if (scene->look_at == WD_NEVER)
		scene->look_at = scene->now;
}

static void container_does(struct scene *scene, struct box *box, char **words, size_t count)
{
	const char *verb = words[0], *what = count > 1 ? words[1] : "";

	if (wd_text_equal(verb, "runs"))
		runs(scene, box, words + 1, count - 1);
	else if (wd_text_equal(verb, "seen"))
		seen(scene, box, 0);
	else if (wd_text_equal(verb, "uses"))
		uses(scene, box, words + 1, count - 1);
	else if (wd_text_equal(verb, "stale"))
		seen(scene, box, span_of(scene, what));
	else if (wd_text_equal(verb, "dies"))
		dies(scene, box, (int)atol(what), count > 2);
	else if (wd_text_equal(verb, "died-at"))
		tell_event_of(scene, box, BASE + span_of(scene, what), WD_EVENT_DIE, (int)atol(words[2]), 0,
			      WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "starts"))
		starts(scene, box, count > 1);
	else if (wd_text_equal(verb, "killed"))
		tell_event(scene, box, WD_EVENT_KILL, -1, count > 1 ? (int)atol(what) : 15, WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "stopped"))
		tell_event(scene, box, WD_EVENT_STOP, -1, 0, WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "oom"))
		box->container.oom_killed = true, tell_event(scene, box, WD_EVENT_OOM, -1, 0, WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "oomed"))
		box->container.oom_killed = true;
	else if (wd_text_equal(verb, "healthy"))
		health(scene, box, WD_HEALTH_HEALTHY);
	else if (wd_text_equal(verb, "unhealthy"))
		health(scene, box, WD_HEALTH_UNHEALTHY);
	else if (wd_text_equal(verb, "removed"))
		box->there = false, tell_event(scene, box, WD_EVENT_DESTROY, -1, 0, WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "vanishes"))
		box->there = false;
	else if (wd_text_equal(verb, "started"))
		tell_event(scene, box, WD_EVENT_START, -1, 0, WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "gives-up"))
		box->container.state = WD_STATE_EXITED, wd_replace(&box->container.trouble, what);
	else if (wd_text_equal(verb, "limited"))
		box->container.cpus = wd_cpus_lower((struct wd_cpus){0}, atof(what)),
		tell_event(scene, box, WD_EVENT_UPDATE, -1, 0, WD_HEALTH_NONE);
	else if (wd_text_equal(verb, "begins"))
		plan_begins(scene, box);
	else if (wd_text_equal(verb, "did"))
		plan_ended(scene, box, WD_PLAN_DONE, "done");
	else if (wd_text_equal(verb, "failed"))
		plan_ended(scene, box, WD_PLAN_FAILED, what);
	else if (wd_text_equal(verb, "renamed"))
		parked(scene, box, what);
	else if (wd_text_equal(verb, "called"))
		called(scene, box, what);
	else if (wd_text_equal(verb, "refused"))
		plan_ended(scene, box, WD_PLAN_REFUSED, what);
	else if (wd_text_equal(verb, "undone"))
		plan_ended(scene, box, WD_PLAN_UNDONE, what);
	else if (wd_text_equal(verb, "resumes"))
		resumes(scene, box, what);
	else if (wd_text_equal(verb, "pin"))
		ask_for(scene, box->container.name, WD_ASK_PIN, 0, what);
	else if (wd_text_equal(verb, "unpin"))
		ask(scene, box->container.name, WD_ASK_UNPIN, 0);
	else if (wd_text_equal(verb, "forgive"))
		ask(scene, box->container.name, WD_ASK_FORGIVE, 0);
	else if (wd_text_equal(verb, "rollback"))
		ask_for(scene, box->container.name, WD_ASK_ROLLBACK, 0, what);
	else if (wd_text_equal(verb, "hold"))
		ask(scene, box->container.name, WD_ASK_HOLD, 0);
	else if (wd_text_equal(verb, "release"))
		ask(scene, box->container.name, WD_ASK_RELEASE, 0);
	else if (wd_text_equal(verb, "mute"))
		ask(scene, box->container.name, WD_ASK_MUTE, scene->now + span_of(scene, what));
	else if (wd_text_equal(verb, "unmute"))
		ask(scene, box->container.name, WD_ASK_UNMUTE, 0);
	else
		fail_at(scene, "no such verb: %s", verb);
}

/* --- the world -------------------------------------------------------------------------------------------------------- */

static void tell_plain(struct scene *scene, enum wd_fact_kind kind)
{
	struct wd_fact fact = {.kind = kind};

	tell(scene, &fact);
}

static struct wd_settings *settings_of(const struct scene *scene, const char *config)
{
	char path[] = "/tmp/seadog-scene-XXXXXX";
	char *environment[] = {NULL};
	struct wd_findings findings = {0};
	int descriptor = mkstemp(path);

	assert_int_equal(write(descriptor, config, strlen(config)), strlen(config));
	close(descriptor);
	struct wd_sources sources = {.file = path, .environment = environment};
	struct wd_settings *settings = wd_settings_load(&sources, &findings);
	unlink(path);
	if (!settings)
		fail_at(scene, "%s", findings.items[0].text);
	wd_findings_done(&findings);
	return settings;
}

static void begin(struct scene *scene, const char *config)
{
	scene->config = wd_copy(config);
	scene->settings = settings_of(scene, config);
	scene->now = BASE;
	scene->look_at = WD_NEVER;
	scene->guard = wd_guard_new(scene->settings, NULL, 1, BASE);
}

/* The line with that key says something else now. */
static void reload(struct scene *scene, const char *line)
{
	size_t key = strcspn(line, "=") + 1;
	struct wd_text text = {0};
	char *rest = scene->config, *old;
	bool found = false;

	while ((old = strsep(&rest, "\n"))) {
		bool is = strncmp(old, line, key) == 0;
		found |= is;
		wd_text_print(&text, "%s\n", is ? line : old);
	}
	free(scene->config);
	scene->config = wd_text_take(&text);
	if (!found)
		fail_at(scene, "no such key in the configuration: %s", line);
	struct wd_settings *fresh = settings_of(scene, scene->config);
	wd_guard_configure(scene->guard, fresh);
	wd_settings_free(scene->settings);
	scene->settings = fresh;
}

static void recall(void *data, struct wd_fact *fact)
{
	tell(data, fact);
}

static void kill_seadog(struct scene *scene)
{
	wd_guard_free(scene->guard);
	scene->guard = wd_guard_new(scene->settings, NULL, disk_next_incident(&scene->disk), scene->now);
	disk_recall(&scene->disk, recall, scene);
}

static bool world_does(struct scene *scene, char **words)
{
	const char *verb = words[0], *what = words[1];

	if (wd_text_equal(verb, "engine") && wd_text_equal(what, "down")) {
		tell_plain(scene, WD_FACT_ENGINE_DOWN);
	} else if (wd_text_equal(verb, "engine")) {
		struct wd_fact fact = {.kind = WD_FACT_ENGINE_UP, .restarted = wd_text_equal(what, "restarted")};
		tell(scene, &fact);
	} else if (wd_text_equal(verb, "synced")) {
		tell_plain(scene, WD_FACT_SYNCED);
	} else if (wd_text_equal(verb, "disk")) {
		scene->disk_full = wd_text_equal(what, "full");
		scene->disk_slow = wd_text_equal(what, "slow");
		scene->disk_loses = wd_text_equal(what, "loses");
	} else if (wd_text_equal(verb, "blind")) {
		scene->blind = wd_text_equal(what, "on");
	} else if (wd_text_equal(verb, "deaf")) {
		scene->deaf = wd_text_equal(what, "on");
	} else if (wd_text_equal(verb, "replay")) {
		scene->replay = wd_text_equal(what, "on");
	} else if (wd_text_equal(verb, "self")) {
		struct wd_list self = {.items = words + 1, .count = 1};
		wd_guard_free(scene->guard);
		scene->guard = wd_guard_new(scene->settings, &self, 1, scene->now);
	} else if (wd_text_equal(verb, "all-muted")) {
		ask(scene, NULL, WD_ASK_MUTE, scene->now + span_of(scene, what));
	} else if (wd_text_equal(verb, "seadog")) {
		kill_seadog(scene);
	} else if (wd_text_equal(verb, "reload")) {
		reload(scene, what);
	} else if (wd_text_equal(verb, "image") && wd_text_equal(words[2], "missing")) {
		wd_list_add(&scene->missing, what);
	} else if (wd_text_equal(verb, "image")) { /* image NAME is OTHER: what the tag names by now */
		wd_replace(&scene->moved, what);
		wd_replace(&scene->moved_to, words[3]);
	} else if (wd_text_equal(verb, "late")) {
		struct wd_fact fact = {.kind = WD_FACT_LATE, .late = span_of(scene, what)};
		tell(scene, &fact);
	} else {
		return false;
	}
	return true;
}

/* --- what is expected ------------------------------------------------------------------------------------------------- */

static void drop_act(struct scene *scene, unsigned index)
{
	struct wd_order order = scene->orders[index];

	free(scene->acts[index]);
	free(scene->target);
	scene->target = scene->targets[index];
	for (unsigned i = index + 1; i < scene->act_count; i++) {
		scene->acts[i - 1] = scene->acts[i];
		scene->targets[i - 1] = scene->targets[i];
		scene->orders[i - 1] = scene->orders[i];
	}
	scene->act_count--;
	scene->last = order;
}

static void expect_because(struct scene *scene, const struct wd_list *words, size_t at)
{
	if (at >= words->count)
		return;
	if (!scene->why || !strstr(scene->why, words->items[at + 1]))
		fail_at(scene, "expected because \"%s\", but it was \"%s\"", words->items[at + 1], scene->why);
}

static void expect_view(struct scene *scene, const char *name, const char *verdict)
{
	struct wd_service_view view;

	if (!wd_guard_find(scene->guard, name, scene->now, &view))
		fail_at(scene, "no service %s", name);
	if (!wd_text_equal(wd_verdict_name(view.verdict), verdict))
		fail_at(scene, "%s is %s, expected %s", name, wd_verdict_name(view.verdict), verdict);
}

static void expect_note(struct scene *scene, const char *name, const char *note)
{
	struct wd_service_view view;

	if (!wd_guard_find(scene->guard, name, scene->now, &view))
		fail_at(scene, "no service %s", name);
	if (!wd_text_equal(view.note, note))
		fail_at(scene, "the note of %s is \"%s\", expected \"%s\"", name, view.note, note);
}

static void expect_pin(struct scene *scene, const char *name, const char *image)
{
	struct wd_service_view view;

	if (!wd_guard_find(scene->guard, name, scene->now, &view))
		fail_at(scene, "no service %s", name);
	if (!wd_text_equal(view.pin ? view.pin->image : "none", image))
		fail_at(scene, "the pin of %s is %s, expected %s", name, view.pin ? view.pin->image : "none", image);
}

static void expect_count(struct scene *scene, const char *name, const char *trigger, unsigned count)
{
	struct wd_service_view view;

	if (!wd_guard_find(scene->guard, name, scene->now, &view))
		fail_at(scene, "no service %s", name);
	for (unsigned i = 0; i < view.window_count; i++)
		if (wd_text_equal(wd_trigger_name(view.windows[i].trigger), trigger)) {
			if (view.windows[i].count != count)
				fail_at(scene, "%s of %s: %u, expected %u", trigger, name, view.windows[i].count,
					count);
			return;
		}
	fail_at(scene, "%s has no window of %s", name, trigger);
}

/* What the container may use, and whether seadog knows that it is throttled: "0.5 throttled", "all". */
static void expect_cpus(struct scene *scene, const char *name, const char *cpus)
{
	struct wd_service_view view;

	if (!wd_guard_find(scene->guard, name, scene->now, &view))
		fail_at(scene, "no service %s", name);
	bool throttled = wd_cpu_cut_is(&view.memory->throttle.cut);
	double count = wd_cpus_count(box_of(scene, name)->container.cpus);
	WD_AUTO_FREE char *is = count > 0 ? wd_format("%.4g%s", count, throttled ? " throttled" : "")
					  : wd_format("all%s", throttled ? " throttled" : "");
	if (!wd_text_equal(is, cpus))
		fail_at(scene, "%s has \"%s\" CPUs, expected \"%s\"", name, is, cpus);
}

static void expect(struct scene *scene, const struct wd_list *words)
{
	const char *what = words->items[1];

	if (wd_text_equal(what, "cpus")) {
		expect_cpus(scene, words->items[2], words->items[3]);
	} else if (wd_text_equal(what, "nothing")) {
		if (scene->act_count)
			fail_at(scene, "expected nothing, but: %s", scene->acts[0]);
	} else if (wd_text_equal(what, "told")) {
		if (!wd_text_get(&scene->told) || !strstr(wd_text_get(&scene->told), words->items[2]))
			fail_at(scene, "nobody was told \"%s\"", words->items[2]);
	} else if (wd_text_equal(what, "silence")) {
		if (strstr(wd_text_get(&scene->told), words->items[2]))
			fail_at(scene, "people were told \"%s\"", words->items[2]);
	} else if (wd_text_equal(what, "gone")) {
		struct wd_service_view view;
		if (wd_guard_find(scene->guard, words->items[2], scene->now, &view) && view.container)
			fail_at(scene, "%s is still there", words->items[2]);
	} else if (wd_text_equal(what, "forgotten")) {
		if (disk_find(&scene->disk, words->items[2]))
			fail_at(scene, "%s is still on disk", words->items[2]);
	} else if (wd_text_equal(what, "remembered")) {
		if (!disk_find(&scene->disk, words->items[2]))
			fail_at(scene, "%s is not on disk", words->items[2]);
	} else if (wd_text_equal(what, "verdict")) {
		expect_view(scene, words->items[2], words->items[3]);
	} else if (wd_text_equal(what, "note")) {
		expect_note(scene, words->items[2], words->items[3]);
	} else if (wd_text_equal(what, "pin")) {
		expect_pin(scene, words->items[2], words->items[3]);
	} else if (wd_text_equal(what, "job")) {
		if (!wd_list_has(&scene->jobs, words->items[2]))
			fail_at(scene, "nobody ordered \"%s\"", words->items[2]);
	} else if (wd_text_equal(what, "count")) {
		expect_count(scene, words->items[2], words->items[3], (unsigned)atol(words->items[4]));
	} else if (wd_text_equal(what, "incidents")) {
		if (scene->opened != atol(words->items[2]))
			fail_at(scene, "%ld incidents, expected %s", scene->opened, words->items[2]);
	} else if (wd_text_equal(what, "answer")) {
		if (!scene->answers.count || !strstr(scene->answers.items[scene->answers.count - 1], words->items[2]))
			fail_at(scene, "the last answer is not \"%s\"", words->items[2]);
	} else {
		WD_AUTO_FREE char *wanted = wd_format("%s %s", what, words->items[2]);
		for (unsigned i = 0; i < scene->act_count; i++) {
			if (!wd_text_equal(scene->acts[i], wanted))
				continue;
			drop_act(scene, i);
			bool aims = words->count > 4 && wd_text_equal(words->items[3], "to");
			if (aims && !wd_text_equal(scene->target, words->items[4]))
				fail_at(scene, "it goes to %s, expected %s", scene->target, words->items[4]);
			expect_because(scene, words, aims ? 5 : 3);
			return;
		}
		fail_at(scene, "expected %s; ordered: %s", wanted, scene->act_count ? scene->acts[0] : "nothing");
	}
}

/* --- reading a scene -------------------------------------------------------------------------------------------------- */

static void moment(struct scene *scene, const struct wd_list *words)
{
	size_t first = 1;
	wd_time at;

	while (first < words->count && wd_span_parse(words->items[first], &at, NULL))
		first++;
	for (size_t i = 1; i < first; i++) {
		run_to(scene, BASE + span_of(scene, words->items[i]));
		char **verbs = words->items + first;
		if (wd_text_equal(verbs[0], "expect")) {
			struct wd_list rest = {.items = verbs, .count = words->count - first};
			expect(scene, &rest);
			continue;
		}
		if (world_does(scene, verbs))
			continue;
		struct box *box = box_of(scene, verbs[0]);
		if (wd_text_equal(verbs[1], "crashes")) {
			dies(scene, box, (int)atol(verbs[2]), false);
			if (box->container.state == WD_STATE_RESTARTING) {
				run_to(scene, scene->now + 100 * WD_MILLISECOND);
				starts(scene, box, false);
			}
			continue;
		}
		container_does(scene, box, verbs + 1, words->count - first - 1);
	}
}

static void end(struct scene *scene)
{
	if (scene->act_count)
		fail_at(scene, "left pending: %s", scene->acts[0]);
	wd_guard_free(scene->guard);
	wd_settings_free(scene->settings);
	for (unsigned i = 0; i < scene->count; i++) {
		struct wd_container *heap = wd_alloc(1, sizeof(*heap));
		*heap = scene->boxes[i].container;
		wd_container_free(heap);
		free(scene->boxes[i].old_image);
	}
	disk_done(&scene->disk);
	wd_text_done(&scene->told);
	wd_list_done(&scene->answers);
	wd_list_done(&scene->jobs);
	wd_list_done(&scene->missing);
	free(scene->moved);
	free(scene->moved_to);
	free(scene->target);
	free(scene->config);
	free(scene->why);
}

static void play_line(struct scene *scene, char *line)
{
	struct wd_list words = {0};
	struct wd_error error = {0};

	if (!wd_words_split(line, &words, &error))
		fail_at(scene, "%s", error.text);
	if (words.count && wd_text_equal(words.items[0], "at"))
		moment(scene, &words);
	else if (words.count && wd_text_equal(words.items[0], "expect"))
		expect(scene, &words);
	else if (words.count && !wd_text_equal(words.items[0], "end"))
		fail_at(scene, "cannot read: %s", line);
	wd_list_done(&words);
}

static void play(void **state)
{
	struct scene scene = {.file = *state};
	struct wd_text config = {0};
	char line[1024];
	FILE *file = fopen(*state, "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		scene.line++;
		char *hash = line[0] == '#' ? line : strstr(line, "  #");
		if (hash)
			*hash = 0;
		line[strcspn(line, "\n")] = 0;
		if (!scene.guard && (line[0] == ' ' || line[0] == '\t')) {
			wd_text_print(&config, "%s\n", line + strspn(line, " \t"));
			continue;
		}
		if (line[0] == 0 || strcmp(line, "config") == 0)
			continue;
		if (!scene.guard)
			begin(&scene, wd_text_get(&config));
		play_line(&scene, line);
	}
	fclose(file);
	end(&scene);
	wd_text_done(&config);
}

static int by_name(const void *one, const void *two)
{
	const struct CMUnitTest *first = one, *second = two;

	return strcmp(first->name, second->name);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "tests/scenes";
	struct CMUnitTest tests[256] = {0};
	size_t count = 0;
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)) && count < 256) {
		size_t length = strlen(entry->d_name);
		if (length < 7 || strcmp(entry->d_name + length - 6, ".scene") != 0)
			continue;
		char *path = wd_format("%s/%s", folder, entry->d_name);
		tests[count++] = (struct CMUnitTest){.name = path, .test_func = play, .initial_state = path};
	}
	if (directory)
		closedir(directory);
	qsort(tests, count, sizeof(tests[0]), by_name);
	int failed = _cmocka_run_group_tests("scenes", tests, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)tests[i].name);
	return count ? failed : 1;
}
