/* A random walk: a few containers crash, are stopped, paused, removed, made anew and rolled back; the Engine goes and comes,
 * the disk answers late or not, people ask for this and that, seadog is reloaded and killed. The guard is told what it would be
 * told, and what it orders is held against promises that hold whatever happens. The walk depends on nothing but its
 * seed: `test_random SEED` repeats the one that failed, `test_random FROM TO` walks more of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <watchdog/guard.h>
#include <watchdog/memory.h>

#include "support/disk.h"
#include "support/uses.h"

#define BASE (1000 * WD_HOUR)
#define WALL (1767225600LL * 1000000000) /* 2026-01-01 */
#define BOXES 6
#define SEEDS 75
#define STEPS 2000
#define REAL_MOST 4096
#define BUDGET 4
#define IMAGES 4

struct deed { /* what waits for an answer */
	struct deed *next;
	enum deed_kind { DEED_INSPECT, DEED_STORE, DEED_PLAN, DEED_REHEARSAL, DEED_HOOK, DEED_IMAGE } kind;
	wd_time asked;
	char *service, *id;
	struct wd_restart_policy policy;
	enum wd_action action;
	uint64_t ticket;
	bool no_start;
	double cpus;
	struct wd_cpu_cut cut;
	bool alone;    /* release of a throttle alone */
	bool finished; /* its seadog died before it could be told so */
	char *image, *image_id;
	enum wd_image_job job;
};

/* What a rollback has put aside until it is verified, and the journal's open row knows. */
struct parked {
	char id[65], made[65]; /* the old one; the new one. "": there is none */
	char service[64];      /* as it was called then */
	enum wd_action row;    /* the plan that the journal has */
	bool gone;             /* somebody has removed the old one */
	unsigned image;
	wd_stamp created;
	struct wd_restart_policy policy;
	struct wd_cpus cpus;
	unsigned restart_count;
};

struct box { /* what the Engine knows */
	struct wd_container container;
	char id[65];
	bool there, bad, asked;          /* bad: it crashes as soon as it runs; asked: a kill came before */
	bool held;                       /* a hold of it has been carried out */
	bool kept;                       /* the disk has confirmed its policy, */
	struct wd_restart_policy policy; /* which was this */
	unsigned born;
	bool ends_told[2 * STEPS]; /* of each that was born: the guard was told that it is gone */
	struct parked parked;
	unsigned image;          /* which one it runs */
	wd_time real[REAL_MOST]; /* deaths that nobody asked for */
	unsigned real_count;
	struct uses uses;
	bool looked_at; /* this run is known to who looks at what it uses */
	wd_time kills[REAL_MOST];
	unsigned kill_count;
};

struct walk {
	uint64_t seed, random;
	unsigned step;
	struct wd_settings *settings[2];
	bool observe;
	struct wd_guard *guard;
	wd_time now;
	struct box boxes[BOXES];
	struct deed *deeds;
	struct disk disk;
	struct wd_event missed[64]; /* while the stream is away */
	unsigned missed_count;
	bool up, calm;
	unsigned dies_in; /* seadog dies when it has carried out so many orders more; 0: it does not */
	bool dead;
	struct wd_event last_event; /* that was told */
	wd_time up_at;
	bool by_hand[BOXES]; /* a person's wish is under way */
	wd_time acts[1024];
	unsigned act_count, said_count, resumed_count;
	char said[64][200]; /* the last orders, for the report */
};

static void tell(struct walk *walk, struct wd_fact *fact);

/* --- chance ----------------------------------------------------------------------------------------------------------- */

static unsigned below(struct walk *walk, unsigned limit)
{
	walk->random = walk->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(walk->random >> 33) % limit;
}

static bool one_in(struct walk *walk, unsigned count)
{
	return below(walk, count) == 0;
}

static void broken(const struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void broken(const struct walk *walk, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (unsigned i = walk->said_count > 64 ? walk->said_count - 64 : 0; i < walk->said_count; i++)
		print_error("  %s\n", walk->said[i % 64]);
	fail_msg("seed %llu, step %u, %.3fs: %s", (unsigned long long)walk->seed, walk->step,
		 (double)(walk->now - BASE) / (double)WD_SECOND, text);
}

static wd_stamp stamp_at(wd_time at)
{
	return WALL + (at - BASE) * 1000;
}

static struct box *box_of(struct walk *walk, const char *id)
{
	for (unsigned i = 0; id && i < BOXES; i++)
		if (strcmp(walk->boxes[i].id, id) == 0)
			return &walk->boxes[i];
	return NULL;
}

/* Of an id as create() makes it: whose, and the how many-eth. */
static void split_id(const char *id, unsigned *ret_box, unsigned *ret_born)
{
	assert_int_equal(sscanf(id, "%4x%60x", ret_box, ret_born), 2);
}

static void remark(struct walk *walk, const char *what, const char *name, const char *more)
{
	snprintf(walk->said[walk->said_count++ % 64], sizeof(walk->said[0]), "%10.3fs %s %s: %s",
		 (double)(walk->now - BASE) / (double)WD_SECOND, what, name ? name : "-", more ? more : "");
}

/* --- the disk --------------------------------------------------------------------------------------------------------- */

/* One that is written twice in a turn is lent as it is at the end, both times. */
static void write_incident(struct walk *walk, const struct wd_incident *incident)
{
	const struct wd_incident *before = disk_incident(&walk->disk, incident->id);

	if (before && before->closed && before->closed != incident->closed)
		broken(walk, "incident %lld is written after it was closed", (long long)incident->id);
	if ((incident->closed != 0) != (incident->outcome != WD_OUTCOME_OPEN))
		broken(walk, "incident %lld has an outcome before its end, or none after", (long long)incident->id);
	for (unsigned i = 0; i < incident->step_count; i++)
		if (incident->closed && !incident->steps[i].ended)
			broken(walk, "incident %lld is closed with an open step", (long long)incident->id);
	disk_note(&walk->disk, incident);
}

/* --- orders ----------------------------------------------------------------------------------------------------------- */

static struct deed *add_deed(struct walk *walk, const struct wd_order *order, enum deed_kind kind)
{
	struct deed *deed = wd_alloc(1, sizeof(*deed)), **slot = &walk->deeds;

	deed->kind = kind;
	deed->asked = walk->now;
	deed->service = wd_copy(order->service);
	deed->id = wd_copy(order->id);
	deed->policy = order->policy;
	deed->action = order->action;
	deed->ticket = order->ticket;
	deed->no_start = order->no_start;
	deed->cpus = order->cpus;
	deed->cut = order->cut;
	deed->alone = order->action == WD_ACTION_RELEASE && order->hold_kind == WD_ACTION_THROTTLE;
	deed->image = wd_copy(order->target.image);
	deed->image_id = wd_copy(order->target.id);
	deed->job = order->job;
	while (*slot)
		slot = &(*slot)->next;
	return *slot = deed;
}

static void check_budget(struct walk *walk)
{
	unsigned within = 1;

	for (unsigned i = 0; i < walk->act_count; i++)
		within += walk->now - walk->acts[i] <= WD_HOUR;
	if (within > BUDGET)
		broken(walk, "%u actions within an hour, %u are allowed", within, BUDGET);
	if (walk->act_count < 1024)
		walk->acts[walk->act_count++] = walk->now;
}

static bool is_of_pair(enum wd_action action)
{
	return action == WD_ACTION_ROLLBACK || action == WD_ACTION_COMMIT || action == WD_ACTION_TAKE_BACK;
}

/* Of one service at a time; only that an old container is removed goes on beside what comes next. */
static void check_alone(struct walk *walk, const struct wd_order *order)
{
	unsigned which, born, other;

	split_id(order->id, &which, &born);
	for (struct deed *deed = walk->deeds; deed; deed = deed->next) {
		if (deed->kind != DEED_PLAN || deed->action == WD_ACTION_COMMIT)
			continue;
		split_id(deed->id, &other, &born);
		const struct parked *parked = &walk->boxes[other].parked;
		if (wd_text_equal(deed->id, order->id) || wd_text_equal(deed->service, order->service) ||
		    (is_of_pair(deed->action) && wd_text_equal(parked->made, order->id)))
			broken(walk, "%s: %s while a %s is under way", order->name, wd_action_name(order->action),
			       wd_action_name(deed->action));
	}
}

/* Once per service, broken image and target, unless a person says so or has forgiven it. */
static void check_rollback(struct walk *walk, const struct wd_order *order, const struct box *box)
{
	const struct wd_memory *row = disk_find(&walk->disk, order->service);

	if (box && wd_text_equal(box->container.image_id, order->target.id))
		broken(walk, "%s: a rollback to what it runs", order->name);
	for (unsigned i = 0; order->incident_id && row && box && i < row->pins.swap_count; i++) {
		const struct wd_swap_record *swap = &row->pins.swaps[i];
		if (swap->end != WD_SWAP_OPEN && wd_text_equal(swap->from_id, box->container.image_id) &&
		    wd_text_equal(swap->to_id, order->target.id))
			broken(walk, "%s: the same rollback a second time", order->name);
	}
}

/* The end of a rollback; it is due whatever is to be done, or not done, from now on. */
static void check_pair_end(struct walk *walk, const struct wd_order *order)
{
	unsigned which, born;

	split_id(order->id, &which, &born);
	const struct parked *parked = &walk->boxes[which].parked;
	if (parked->id[0] && !wd_text_equal(parked->made, order->id))
		broken(walk, "%s: %s of another container than was made", order->name, wd_action_name(order->action));
	if (order->action == WD_ACTION_TAKE_BACK && !parked->id[0])
		broken(walk, "%s: it is taken back, but nothing is parked", order->name);
}

/* box is NULL where the container is gone and nobody has told the guard: the Engine refuses such a plan. */
static void check_act(struct walk *walk, const struct wd_order *order)
{
	struct box *box = box_of(walk, order->id);
	const struct wd_memory *row = disk_find(&walk->disk, order->service);
	bool of_incident = order->incident_id && order->action != WD_ACTION_RELEASE;
	struct wd_service_view view;
	unsigned which, born;

	check_alone(walk, order);
	if (order->action == WD_ACTION_COMMIT || order->action == WD_ACTION_TAKE_BACK) {
		check_pair_end(walk, order);
		return;
	}
	if (order->action == WD_ACTION_ROLLBACK)
		check_rollback(walk, order, box);
	split_id(order->id, &which, &born);
	if (walk->boxes[which].ends_told[born] || !wd_guard_find(walk->guard, order->service, walk->now, &view) ||
	    !view.policy)
		broken(walk, "%s: a plan for a container that is not known", order->name);
	if (order->action != WD_ACTION_RESTART && (!row || !wd_text_equal(row->id, order->id)))
		broken(walk, "%s: a plan for what nobody remembers", order->name);
	if (order->action == WD_ACTION_STOP || order->action == WD_ACTION_PAUSE) {
		if (box && (!box->kept || !wd_restart_policy_equal(box->policy, order->policy)))
			broken(walk, "%s: a hold whose policy the disk has not confirmed", order->name);
		if (!row->hold.held || !wd_restart_policy_equal(row->hold.policy, order->policy))
			broken(walk, "%s: a hold whose policy is not on disk", order->name);
	}
	bool by_hand = walk->by_hand[which];
	if (walk->observe && !by_hand)
		broken(walk, "%s: a plan in mode observe", order->name);
	if (wd_text_equal(order->name, "never") && !by_hand)
		broken(walk, "a plan for what is never touched");
	if (!of_incident)
		return;
	if (box && box->held)
		broken(walk, "%s: a plan for what is held", order->name);
	if (wd_text_equal(order->name, "ignored"))
		broken(walk, "a plan for what is not watched");
	if (view.muted_until)
		broken(walk, "%s: a plan while it is muted", order->name);
	check_budget(walk);
}

/* What is known to be bad is not learned to be good; an image is pinned once by whoever pins it. */
static void check_pins(struct walk *walk, const struct wd_order *order)
{
	const struct wd_pins *pins = &order->memory->pins;
	unsigned open = 0;

	for (unsigned i = 0; i < pins->count; i++) {
		const struct wd_pin *pin = &pins->items[i];
		if (pin->by == WD_PIN_LEARNED && wd_pins_bad(pins, pin->id))
			broken(walk, "%s: %s is learned though it is known to be bad", order->name, pin->image);
		for (unsigned j = 0; j < i; j++)
			if (pins->items[j].by == pin->by && wd_text_equal(pins->items[j].id, pin->id))
				broken(walk, "%s: %s is pinned twice", order->name, pin->image);
	}
	for (unsigned i = 0; i < pins->swap_count; i++)
		open += pins->swaps[i].end == WD_SWAP_OPEN;
	if (open > 1)
		broken(walk, "%s: %u rollbacks are open at a time", order->name, open);
}

static void carry_out(struct walk *walk, const struct wd_order *order)
{
	switch (order->kind) {
	case WD_ORDER_INSPECT:
		add_deed(walk, order, DEED_INSPECT);
		break;
	case WD_ORDER_ACT:
		remark(walk, wd_action_name(order->action), order->name, "ordered");
		if (order->action == WD_ACTION_HOOK) {
			add_deed(walk, order, DEED_HOOK);
			break;
		}
		if (order->rehearse) {
			add_deed(walk, order, DEED_REHEARSAL);
			break;
		}
		check_act(walk, order);
		add_deed(walk, order, DEED_PLAN);
		break;
	case WD_ORDER_REMEMBER:
		disk_write(&walk->disk, order->memory);
		if (order->confirm)
			add_deed(walk, order, DEED_STORE);
		break;
	case WD_ORDER_PINS:
		check_pins(walk, order);
		disk_write_pins(&walk->disk, order->service, &order->memory->pins);
		break;
	case WD_ORDER_FORGET:
		disk_forget(&walk->disk, order->service);
		break;
	case WD_ORDER_INCIDENT:
		write_incident(walk, order->incident);
		break;
	case WD_ORDER_TELL:
		remark(walk, "told", order->name, order->text);
		break;
	case WD_ORDER_IMAGE:
		if (order->ticket)
			add_deed(walk, order, DEED_IMAGE);
		break;
	case WD_ORDER_ANSWER:
		walk->by_hand[order->ticket - 1] = false;
		break;
	}
}

/* From now on no plan may be for it. */
static void note_end(struct walk *walk, const struct wd_fact *fact)
{
	bool destroyed = fact->kind == WD_FACT_EVENT && fact->event->kind == WD_EVENT_DESTROY;
	unsigned which, born;

	if (!destroyed && fact->kind != WD_FACT_GONE)
		return;
	split_id(destroyed ? fact->event->id : fact->id, &which, &born);
	walk->boxes[which].ends_told[born] = true;
}

static void tell(struct walk *walk, struct wd_fact *fact)
{
	struct wd_order order;
	unsigned count = 0;

	if (walk->dead)
		return;
	fact->stamp = stamp_at(walk->now);
	note_end(walk, fact);
	wd_guard_tell(walk->guard, walk->now, fact);
	while (!walk->dead && wd_guard_take(walk->guard, &order)) {
		carry_out(walk, &order);
		walk->dead = walk->dies_in && --walk->dies_in == 0;
		if (++count > 10000)
			broken(walk, "orders without an end");
	}
}

/* A guard that wants to be woken at once, again and again, eats a processor. */
static void pass(struct walk *walk, wd_time span)
{
	struct wd_fact time = {.kind = WD_FACT_TIME};
	wd_time to = walk->now + span, last = 0;
	unsigned same = 0;

	while (!walk->dead && wd_guard_wake(walk->guard) <= to) {
		wd_time wake = wd_guard_wake(walk->guard);
		walk->now = wake > walk->now ? wake : walk->now;
		same = walk->now == last ? same + 1 : 0;
		last = walk->now;
		if (same > 20)
			broken(walk, "the guard wakes up again and again");
		tell(walk, &time);
	}
	walk->now = to;
}

/* --- containers ------------------------------------------------------------------------------------------------------- */

static void tell_event_of(struct walk *walk, const struct box *box, const char *id, const char *name,
			  enum wd_event_kind kind, int code)
{
	struct wd_event event = {.kind = kind,
				 .at = walk->now,
				 .from = walk->now,
				 .stamp = stamp_at(walk->now),
				 .exit_code = kind == WD_EVENT_DIE ? code : -1,
				 .signal = kind == WD_EVENT_KILL ? code : 0,
				 .health = kind == WD_EVENT_HEALTH ? box->container.health : WD_HEALTH_NONE};
	struct wd_fact fact = {.kind = WD_FACT_EVENT, .event = &event};

	memcpy(event.id, id, sizeof(event.id));
	snprintf(event.name, sizeof(event.name), "%s", name);
	remark(walk, wd_event_name(kind), event.name, walk->up ? "seen" : "missed");
	walk->last_event = event;
	if (walk->up)
		tell(walk, &fact);
	else if (walk->missed_count < 64)
		walk->missed[walk->missed_count++] = event;
	walk->now++; /* no two events have one stamp */
}

static void tell_event(struct walk *walk, struct box *box, enum wd_event_kind kind, int code)
{
	char id[65];

	memcpy(id, box->id, sizeof(id)); /* what it leads to may make another one of it */
	tell_event_of(walk, box, id, box->container.name, kind, code);
}

static bool answers(const struct wd_container *container, int code)
{
	if (container->policy.kind == WD_RESTART_ON_FAILURE)
		return code && (!container->policy.retries || container->restart_count < container->policy.retries);
	return container->policy.kind != WD_RESTART_NO;
}

static void die(struct walk *walk, struct box *box, int code)
{
	struct wd_container *container = &box->container;
	bool answered = !box->asked && answers(container, code);

	container->restart_count += answered;
	container->state = answered ? WD_STATE_RESTARTING : WD_STATE_EXITED;
	container->finished = stamp_at(walk->now);
	container->exit_code = code;
	if (!box->asked)
		box->real[box->real_count++ % REAL_MOST] = walk->now;
	/* Whose kill nobody has told is counted when it ends with that code, which may be much later. */
	if (code == 137 && box->kill_count)
		box->kills[(box->kill_count - 1) % REAL_MOST] = walk->now;
	box->looked_at = false;
	box->uses.oom_kills = 0;
	tell_event(walk, box, WD_EVENT_DIE, code);
}

/* A look at each that runs, of what the guard wishes to know. */
static void look_around(struct walk *walk)
{
	for (unsigned i = 0; i < BOXES; i++) {
		struct box *box = &walk->boxes[i];
		struct wd_gauge_wish wish;
		if (!box->there || !box->looked_at || one_in(walk, 20))
			continue;
		wd_guard_wish(walk->guard, box->id, walk->now, &wish);
		struct wd_sample sample = uses_look(&box->uses, &wish, walk->now);
		struct wd_fact fact = {.kind = WD_FACT_SAMPLE,
				       .used = {.id = box->id, .sample = &sample, .cpus = box->uses.cpus}};
		tell(walk, &fact);
	}
}

/* It uses more, or less, or grows from now on. */
static void use(struct walk *walk, struct box *box)
{
	struct uses *uses = &box->uses;

	uses->since = walk->now;
	uses->memory_bytes = 1e6 * (double)below(walk, 110);
	uses->growth_bytes = one_in(walk, 3) ? 1e6 * (double)below(walk, 3) : 0;
	uses->cache_bytes = one_in(walk, 3) ? 2e8 : 0;
	uses->cpus = (double)below(walk, 22) / 10;
	uses->pids = below(walk, 110);
	uses->pressure.memory = uses->pressure.io = (double)below(walk, 100) / 100;
}

static void kill_a_child(struct walk *walk, struct box *box)
{
	box->uses.oom_kills++;
	box->kills[box->kill_count++ % REAL_MOST] = walk->now;
}

static void start(struct walk *walk, struct box *box, bool by_policy)
{
	struct wd_container *container = &box->container;

	if (!by_policy)
		container->restart_count = 0;
	container->state = WD_STATE_RUNNING;
	container->started = stamp_at(walk->now);
	container->oom_killed = false;
	container->health = container->check_patience ? WD_HEALTH_STARTING : WD_HEALTH_NONE;
	wd_replace(&container->trouble, NULL);
	box->asked = box->held = false;
	tell_event(walk, box, WD_EVENT_START, -1);
}

static void stop(struct walk *walk, struct box *box)
{
	if (box->container.state == WD_STATE_RESTARTING) {
		box->container.state = WD_STATE_EXITED;
	} else if (box->container.state == WD_STATE_RUNNING || box->container.state == WD_STATE_PAUSED) {
		tell_event(walk, box, WD_EVENT_KILL, 15);
		box->asked = true;
		die(walk, box, 143);
	} else {
		return;
	}
	tell_event(walk, box, WD_EVENT_STOP, -1);
}

static void new_id(const struct walk *walk, struct box *box)
{
	snprintf(box->id, sizeof(box->id), "%04x%060x", (unsigned)(box - walk->boxes), ++box->born);
	wd_replace(&box->container.id, box->id);
}

static void set_image(struct box *box, unsigned image)
{
	box->image = image;
	free(box->container.image);
	free(box->container.image_id);
	box->container.image = wd_format("acme/app:%u", image);
	box->container.image_id = wd_format("sha256:%u", image);
}

static void create(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;

	new_id(walk, box);
	if (one_in(walk, 3))
		set_image(box, 1 + below(walk, IMAGES));
	wd_replace(&container->trouble, NULL);
	container->policy.kind = (enum wd_restart)below(walk, WD_RESTARTS);
	container->policy.retries = container->policy.kind == WD_RESTART_ON_FAILURE ? below(walk, 5) : 0;
	container->restart_count = 0;
	container->created = stamp_at(walk->now);
	container->cpus = (struct wd_cpus){0};
	container->started = container->finished = WD_STAMP_NONE;
	container->state = WD_STATE_CREATED;
	container->oom_killed = false;
	container->exit_code = 0;
	box->there = true;
	box->held = box->kept = false;
	tell_event(walk, box, WD_EVENT_CREATE, -1);
	if (!one_in(walk, 8))
		start(walk, box, false);
}

static void run(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;

	switch (below(walk, 12)) {
	case 0:
		stop(walk, box);
		break;
	case 1:
		container->oom_killed = true;
		kill_a_child(walk, box);
		if (!one_in(walk, 4))
			tell_event(walk, box, WD_EVENT_OOM, -1);
		break;
	case 2:
		if (!container->check_patience)
			break;
		container->health = one_in(walk, 2) ? WD_HEALTH_UNHEALTHY : WD_HEALTH_HEALTHY;
		tell_event(walk, box, WD_EVENT_HEALTH, -1);
		break;
	case 3:
		if (!one_in(walk, 4))
			break;
		container->state = WD_STATE_PAUSED;
		tell_event(walk, box, WD_EVENT_PAUSE, -1);
		break;
	case 4:
		tell_event(walk, box, WD_EVENT_KILL, 1);
		break;
	default:
		if (box->bad || one_in(walk, 10))
			die(walk, box, container->oom_killed ? 137 : (int)below(walk, 4));
		break;
	}
}

static void rest(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;

	if (one_in(walk, 10)) {
		box->there = false;
		tell_event(walk, box, WD_EVENT_DESTROY, -1);
	} else if (one_in(walk, 10)) {
		container->policy.kind = (enum wd_restart)below(walk, WD_RESTARTS);
		container->policy.retries = 0;
		tell_event(walk, box, WD_EVENT_UPDATE, -1);
	} else if (one_in(walk, 3)) {
		start(walk, box, false);
	}
}

/* It says that it is another one, or itself again: labels do not change, so it is made anew for that. */
static void claim(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;
	const char *other = one_in(walk, 2) ? "shop/web/1" : container->name;

	stop(walk, box);
	tell_event(walk, box, WD_EVENT_DESTROY, -1);
	wd_replace(&container->service, other);
	create(walk, box);
}

static void take_name(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;
	char name[64];
	bool own = wd_text_equal(container->service, container->name);

	if (box < &walk->boxes[2])
		return; /* whose name is what is held against */
	snprintf(name, sizeof(name), "box-%u-%u", (unsigned)(box - walk->boxes), below(walk, 3));
	wd_replace(&container->name, name);
	if (own)
		wd_replace(&container->service, name);
	tell_event(walk, box, WD_EVENT_RENAME, -1);
}

static void live(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;

	if (box->parked.id[0] && !box->parked.gone && one_in(walk, 100)) { /* somebody tidies up */
		box->parked.gone = true;
		tell_event_of(walk, box, box->parked.id, "x.rbold-1", WD_EVENT_DESTROY, -1);
		return;
	}
	if (!box->there) {
		if (one_in(walk, 4))
			create(walk, box);
		return;
	}
	if (one_in(walk, 30))
		box->bad = !box->bad;
	if (one_in(walk, 5))
		use(walk, box);
	if (one_in(walk, 100)) {
		one_in(walk, 2) ? claim(walk, box) : take_name(walk, box);
		return;
	}
	if (container->state == WD_STATE_RUNNING) {
		run(walk, box);
	} else if (container->state == WD_STATE_PAUSED) {
		container->state = WD_STATE_RUNNING;
		box->held = false;
		tell_event(walk, box, WD_EVENT_UNPAUSE, -1);
	} else if (container->state == WD_STATE_RESTARTING) {
		if (one_in(walk, 30)) {
			container->state = WD_STATE_EXITED;
			wd_replace(&container->trouble, one_in(walk, 2) ? "no such mount" : NULL);
		} else if (one_in(walk, 20)) {
			stop(walk, box);
		} else {
			start(walk, box, true);
		}
	} else {
		rest(walk, box);
	}
}

/* --- answers ---------------------------------------------------------------------------------------------------------- */

static void show(struct walk *walk, struct box *box, wd_time asked, bool synced)
{
	struct wd_fact fact = {.kind = WD_FACT_CONTAINER};

	fact.seen.container = &box->container;
	fact.seen.asked = asked;
	fact.seen.synced = synced;
	tell(walk, &fact);
	box->looked_at = box->container.state == WD_STATE_RUNNING || box->container.state == WD_STATE_PAUSED;
}

static void show_parked(struct walk *walk, const struct box *box, wd_time asked, bool synced)
{
	WD_AUTO_FREE char *id = wd_copy(box->parked.id);
	struct wd_container old = box->container;
	struct wd_fact fact = {.kind = WD_FACT_CONTAINER, .seen = {&old, asked, synced}};

	old.id = id;
	old.name = old.service = (char[]){"x.rbold-1"};
	old.transient = true;
	old.state = WD_STATE_EXITED;
	old.policy = (struct wd_restart_policy){0};
	tell(walk, &fact);
}

static void answer_inspect(struct walk *walk, const struct deed *deed)
{
	struct box *box = box_of(walk, deed->id);
	struct wd_fact gone = {.kind = WD_FACT_GONE, .id = deed->id};

	for (unsigned i = 0; i < BOXES; i++)
		if (wd_text_equal(walk->boxes[i].parked.id, deed->id) && !walk->boxes[i].parked.gone) {
			show_parked(walk, &walk->boxes[i], deed->asked, false);
			return;
		}
	if (box && box->there)
		show(walk, box, deed->asked, false);
	else
		tell(walk, &gone);
}

static void answer_store(struct walk *walk, const struct deed *deed)
{
	struct wd_fact fact = {.kind = WD_FACT_STORED};

	fact.stored.service = deed->service;
	fact.stored.id = deed->id;
	fact.stored.policy = deed->policy;
	fact.stored.why = !walk->calm && one_in(walk, 10) ? "No space left on device" : NULL;
	struct box *box = box_of(walk, deed->id);
	const struct wd_memory *row = disk_find(&walk->disk, deed->service);
	/* A row that was forgotten since, as its service goes by another name, is not the one that counts. */
	if (box && !fact.stored.why && row && wd_text_equal(row->id, deed->id)) {
		box->kept = true;
		box->policy = deed->policy;
	}
	tell(walk, &fact);
}

static void make_true(struct walk *walk, struct box *box, const struct deed *deed)
{
	struct wd_container *container = &box->container;

	if (deed->action == WD_ACTION_THROTTLE)
		container->cpus = wd_cpus_lower(container->cpus, deed->cpus);
	if (deed->action == WD_ACTION_RELEASE &&
	    wd_cpu_cut_is(&deed->cut)) /* of one that could not be taken back, too */
		container->cpus = box->parked.cpus = deed->cut.before;
	if (deed->action == WD_ACTION_THROTTLE || deed->alone) {
		tell_event(walk, box, WD_EVENT_UPDATE, -1);
		return;
	}

	if (deed->action == WD_ACTION_STOP || deed->action == WD_ACTION_RESTART)
		stop(walk, box);
	if (deed->action == WD_ACTION_RESTART)
		start(walk, box, false);
	if (deed->action == WD_ACTION_PAUSE && container->state == WD_STATE_RUNNING) {
		container->state = WD_STATE_PAUSED;
		tell_event(walk, box, WD_EVENT_PAUSE, -1);
	}
	if (deed->action == WD_ACTION_RESTART)
		return;
	container->policy = deed->action == WD_ACTION_RELEASE ? deed->policy : (struct wd_restart_policy){0};
	tell_event(walk, box, WD_EVENT_UPDATE, -1);
	if (deed->action != WD_ACTION_RELEASE || deed->no_start || container->state == WD_STATE_RUNNING)
		return;
	if (container->state == WD_STATE_PAUSED) {
		container->state = WD_STATE_RUNNING;
		tell_event(walk, box, WD_EVENT_UNPAUSE, -1);
	} else if (container->state != WD_STATE_RESTARTING) {
		start(walk, box, false);
	}
}

/* --- rollbacks -------------------------------------------------------------------------------------------------------- */

static bool is_made(const struct box *box)
{
	return box->there && wd_text_equal(box->id, box->parked.made);
}

static void park(struct walk *walk, struct box *box, const struct deed *deed)
{
	struct wd_container *container = &box->container;
	struct parked parked = {.row = WD_ACTION_ROLLBACK,
				.image = box->image,
				.created = container->created,
				.policy = container->policy,
				.cpus = container->cpus,
				.restart_count = container->restart_count};
	unsigned image = (unsigned)atoi(deed->image_id + strlen("sha256:"));

	stop(walk, box);
	snprintf(parked.id, sizeof(parked.id), "%s", box->id);
	snprintf(parked.service, sizeof(parked.service), "%s", deed->service);
	new_id(walk, box);
	snprintf(parked.made, sizeof(parked.made), "%s", box->id);
	box->parked = parked;
	set_image(box, image);
	container->created = stamp_at(walk->now);
	container->started = container->finished = WD_STAMP_NONE;
	container->state = WD_STATE_CREATED;
	container->oom_killed = false;
	container->exit_code = 0;
	box->kept = box->looked_at = false;
	box->bad = one_in(walk, 3);
	tell_event_of(walk, box, parked.id, "x.rbold-1", WD_EVENT_RENAME, -1);
	tell_event(walk, box, WD_EVENT_RENAME, -1);
	start(walk, box, false);
}

static void bring_back(struct walk *walk, struct box *box)
{
	struct wd_container *container = &box->container;
	const struct parked parked = box->parked;

	if (box->there) {
		stop(walk, box);
		tell_event(walk, box, WD_EVENT_DESTROY, -1);
	}
	memcpy(box->id, parked.id, sizeof(box->id));
	wd_replace(&container->id, box->id);
	set_image(box, parked.image);
	container->created = parked.created;
	container->policy = parked.policy;
	container->cpus = parked.cpus;
	container->restart_count = parked.restart_count;
	container->state = WD_STATE_EXITED;
	box->parked = (struct parked){0};
	box->there = true;
	box->kept = box->held = box->looked_at = false;
	tell_event(walk, box, WD_EVENT_RENAME, -1);
	tell_event(walk, box, WD_EVENT_UPDATE, -1);
	start(walk, box, false);
}

/* One that a seadog has left open: what was started is watched anew, all else is taken back. */
static enum wd_plan_end end_open(struct walk *walk, struct box *box, const char **ret_by)
{
	if (is_made(box)) {
		*ret_by = box->parked.made;
		return WD_PLAN_DONE;
	}
	if (!box->there && !box->parked.gone) {
		bring_back(walk, box);
		return WD_PLAN_UNDONE;
	}
	box->parked = (struct parked){0}; /* somebody else has the name, or both are gone */
	return WD_PLAN_FAILED;
}

static enum wd_plan_end end_rollback(struct walk *walk, struct box *box, const struct deed *deed, const char **ret_by)
{
	if (wd_text_equal(box->parked.id, deed->id))
		return end_open(walk, box, ret_by);
	if (box->parked.id[0] || !box->there || !wd_text_equal(box->id, deed->id))
		return WD_PLAN_REFUSED;
	if (deed->ticket & WD_TICKET_RESUMED || (!walk->calm && one_in(walk, 4))) {
		if (one_in(walk, 2))
			return WD_PLAN_REFUSED;
		stop(walk, box);
		if (one_in(walk, 3))
			return WD_PLAN_FAILED;
		start(walk, box, false);
		return WD_PLAN_UNDONE;
	}
	park(walk, box, deed);
	if (one_in(walk, 2))
		show(walk, box, walk->now, false);
	*ret_by = box->parked.made;
	return WD_PLAN_DONE;
}

static enum wd_plan_end end_take_back(struct walk *walk, struct box *box, const struct deed *deed, const char **ret_by)
{
	if (deed->finished) {
		*ret_by = deed->id;
		return WD_PLAN_DONE;
	}
	if (!box->parked.id[0] || box->parked.gone) {
		box->parked = (struct parked){0};
		return WD_PLAN_REFUSED;
	}
	if (box->there && !is_made(box)) { /* somebody else has the name */
		box->parked = (struct parked){0};
		return WD_PLAN_FAILED;
	}
	if (!walk->calm && one_in(walk, 8)) {
		box->parked.row = WD_ACTION_TAKE_BACK;
		return WD_PLAN_FAILED;
	}
	bring_back(walk, box);
	*ret_by = box->id;
	return WD_PLAN_DONE;
}

static enum wd_plan_end end_commit(struct walk *walk, struct box *box)
{
	const struct parked parked = box->parked;

	if (!parked.id[0])
		return WD_PLAN_DONE;
	if (!walk->calm && one_in(walk, 8)) {
		box->parked.row = WD_ACTION_COMMIT;
		return WD_PLAN_FAILED;
	}
	box->parked = (struct parked){0};
	if (!parked.gone)
		tell_event_of(walk, box, parked.id, "x.rbold-1", WD_EVENT_DESTROY, -1);
	return WD_PLAN_DONE;
}

static void end_pair(struct walk *walk, const struct deed *deed)
{
	struct wd_fact fact = {.kind = WD_FACT_ACTED};
	unsigned which, born;
	const char *by = NULL;

	split_id(deed->id, &which, &born);
	struct box *box = &walk->boxes[which];
	fact.acted.ticket = deed->ticket;
	if (deed->action == WD_ACTION_ROLLBACK)
		fact.acted.end = end_rollback(walk, box, deed, &by);
	else if (deed->action == WD_ACTION_TAKE_BACK)
		fact.acted.end = end_take_back(walk, box, deed, &by);
	else
		fact.acted.end = end_commit(walk, box);
	WD_AUTO_FREE char *copy = wd_copy(by);
	fact.acted.replaced_by = copy;
	fact.acted.detail = fact.acted.end == WD_PLAN_DONE ? "done" : "the Engine did not like it";
	remark(walk, "acted", wd_action_name(deed->action), fact.acted.detail);
	tell(walk, &fact);
	/* What is parked still is in the journal's open row. */
	if (walk->dead && deed->action == WD_ACTION_TAKE_BACK && fact.acted.end == WD_PLAN_DONE) {
		const struct wd_order order = {.action = deed->action, .service = deed->service, .id = by};
		add_deed(walk, &order, DEED_PLAN)->finished = true;
	}
}

static void end_rehearsal(struct walk *walk, const struct deed *deed)
{
	struct wd_fact fact = {.kind = WD_FACT_ACTED};

	fact.acted.ticket = deed->ticket;
	fact.acted.end = one_in(walk, 4) ? WD_PLAN_REFUSED : WD_PLAN_DONE;
	fact.acted.detail = "would go back";
	tell(walk, &fact);
}

static void answer_image(struct walk *walk, const struct deed *deed)
{
	struct wd_fact fact = {.kind = WD_FACT_IMAGE};
	const char *number = deed->image ? strchr(deed->image, ':') + 1 : "";
	WD_AUTO_FREE char *id = deed->image_id ? wd_copy(deed->image_id) : wd_format("sha256:%s", number);

	fact.image.ticket = deed->ticket;
	if (!walk->calm && one_in(walk, 8))
		fact.image.end = one_in(walk, 2) ? WD_PLAN_REFUSED : WD_PLAN_FAILED;
	fact.image.detail = fact.image.end == WD_PLAN_DONE ? NULL : "there is no such image on this host";
	fact.image.id = fact.image.end == WD_PLAN_DONE ? id : NULL;
	fact.image.digests = "";
	fact.image.config = "{}";
	tell(walk, &fact);
}

static void end_plan(struct walk *walk, const struct deed *deed)
{
	if (is_of_pair(deed->action)) {
		end_pair(walk, deed);
		return;
	}
	static const enum wd_plan_end ends[] = {WD_PLAN_FAILED, WD_PLAN_UNDONE, WD_PLAN_REFUSED};
	struct box *box = box_of(walk, deed->id);
	struct wd_fact fact = {.kind = WD_FACT_ACTED};
	bool can = box && box->there && !(deed->action == WD_ACTION_PAUSE && box->container.state != WD_STATE_RUNNING);

	fact.acted.ticket = deed->ticket;
	fact.acted.kept = deed->policy;
	fact.acted.end = can && (walk->calm || !one_in(walk, 6)) ? WD_PLAN_DONE : ends[below(walk, 3)];
	fact.acted.detail = fact.acted.end == WD_PLAN_DONE ? "done" : "the Engine did not like it";
	if (fact.acted.end == WD_PLAN_DONE) {
		fact.acted.cut.before = box->container.cpus;
		make_true(walk, box, deed);
		fact.acted.cut.now = box->container.cpus;
		if (deed->action != WD_ACTION_THROTTLE && !deed->alone)
			box->held = deed->action == WD_ACTION_STOP || deed->action == WD_ACTION_PAUSE;
	}
	remark(walk, "acted", deed->service, fact.acted.detail);
	tell(walk, &fact);
}

static void end_hook(struct walk *walk, const struct deed *deed)
{
	struct wd_fact fact = {.kind = WD_FACT_HOOKED};

	fact.hooked.ticket = deed->ticket;
	fact.hooked.ok = one_in(walk, 2);
	fact.hooked.detail = "exit code 0";
	tell(walk, &fact);
}

static void free_deed(struct deed *deed)
{
	free(deed->service);
	free(deed->id);
	free(deed->image);
	free(deed->image_id);
	free(deed);
}

/* The disk takes one thing after the other. */
static bool is_first_of_disk(const struct walk *walk, const struct deed *deed)
{
	const struct deed *first = walk->deeds;

	while (first->kind != DEED_STORE)
		first = first->next;
	return first == deed;
}

static bool answered(struct walk *walk, struct deed *deed)
{
	if (walk->dead || (deed->kind == DEED_STORE ? !is_first_of_disk(walk, deed) : !walk->up))
		return false;
	if (!walk->calm && one_in(walk, 3))
		return false;
	for (struct deed **slot = &walk->deeds; *slot; slot = &(*slot)->next)
		if (*slot == deed) {
			*slot = deed->next;
			break;
		}
	switch (deed->kind) {
	case DEED_INSPECT:
		answer_inspect(walk, deed);
		break;
	case DEED_STORE:
		answer_store(walk, deed);
		break;
	case DEED_HOOK:
		end_hook(walk, deed);
		break;
	case DEED_IMAGE:
		answer_image(walk, deed);
		break;
	case DEED_REHEARSAL:
		end_rehearsal(walk, deed);
		break;
	case DEED_PLAN:
		end_plan(walk, deed);
		break;
	}
	if (walk->dead && deed->kind == DEED_PLAN && !is_of_pair(deed->action)) { /* its row is struck later */
		deed->next = walk->deeds;
		walk->deeds = deed;
		return false;
	}
	free_deed(deed);
	return true;
}

static void answer_some(struct walk *walk)
{
	struct deed *deed = walk->deeds, *next;

	for (unsigned i = 0; deed && i < 64; i++, deed = next) {
		next = deed->next;
		answered(walk, deed);
	}
}

/* --- the Engine's stream ---------------------------------------------------------------------------------------------- */

static void come_up(struct walk *walk)
{
	struct wd_fact up = {.kind = WD_FACT_ENGINE_UP, .restarted = one_in(walk, 4)};
	struct wd_fact synced = {.kind = WD_FACT_SYNCED};
	bool replay = !one_in(walk, 3);

	remark(walk, "engine", NULL, replay ? "up" : "up, what happened since is lost");
	walk->up = true;
	walk->up_at = walk->now;
	tell(walk, &up);
	for (unsigned i = 0; replay && i < walk->missed_count; i++) {
		struct wd_fact fact = {.kind = WD_FACT_EVENT, .event = &walk->missed[i]};
		walk->missed[i].replayed = true;
		tell(walk, &fact);
	}
	walk->missed_count = 0;
	walk->now++;
	unsigned first = below(walk, BOXES), stride = one_in(walk, 2) ? 1 : BOXES - 1;
	for (unsigned i = 0; i < BOXES; i++) {
		struct box *box = &walk->boxes[(first + i * stride) % BOXES];
		if (box->parked.id[0] && !box->parked.gone)
			show_parked(walk, box, walk->now, true);
		if (box->there)
			show(walk, box, walk->now, true);
	}
	tell(walk, &synced);
}

/* Inspects die with the connection; plans find their way over the next one. */
static void go_down(struct walk *walk)
{
	struct wd_fact down = {.kind = WD_FACT_ENGINE_DOWN};

	remark(walk, "engine", NULL, "down");
	walk->up = false;
	tell(walk, &down);
	for (struct deed **slot = &walk->deeds; *slot;) {
		struct deed *deed = *slot;
		if (deed->kind != DEED_INSPECT) {
			slot = &deed->next;
			continue;
		}
		*slot = deed->next;
		free_deed(deed);
	}
}

/* --- people, and seadog itself ---------------------------------------------------------------------------------------- */

static void ask(struct walk *walk)
{
	static const char *const asks[] = {"hold", "release", "mute", "unmute", "pin", "unpin", "forgive", "rollback"};
	unsigned which = below(walk, BOXES);
	struct wd_fact fact = {.kind = WD_FACT_ASKED};

	if (walk->by_hand[which])
		return;
	fact.asked.ask = (enum wd_ask)below(walk, WD_ASK_ROLLBACK + 1);
	struct wd_service_view view;
	if (!wd_guard_find(walk->guard, walk->boxes[which].container.name, walk->now, &view))
		return;
	WD_AUTO_FREE char *service = wd_copy(view.service);
	fact.asked.service = service;
	fact.asked.until = walk->now + (wd_time)below(walk, 1800) * WD_SECOND;
	fact.asked.no_start = one_in(walk, 4);
	fact.asked.request = which + 1;
	if ((fact.asked.ask == WD_ASK_MUTE || fact.asked.ask == WD_ASK_UNMUTE) && one_in(walk, 4))
		fact.asked.service = NULL;
	char image[16];
	snprintf(image, sizeof(image), "acme/app:%u", 1 + below(walk, IMAGES));
	if (one_in(walk, 2))
		fact.asked.image = image;
	fact.asked.dry_run = one_in(walk, 4);
	fact.asked.pull = one_in(walk, 4);
	remark(walk, "asked", service, asks[fact.asked.ask]);
	walk->by_hand[which] = true;
	tell(walk, &fact);
}

static struct wd_settings *settings_of(struct walk *walk, const char *config)
{
	char path[] = "/tmp/seadog-random-XXXXXX";
	char *environment[] = {NULL};
	struct wd_findings findings = {0};
	int descriptor = mkstemp(path);

	assert_int_equal(write(descriptor, config, strlen(config)), strlen(config));
	close(descriptor);
	struct wd_sources sources = {.file = path, .environment = environment};
	struct wd_settings *settings = wd_settings_load(&sources, &findings);
	unlink(path);
	if (!settings)
		broken(walk, "%s", findings.items[0].text);
	wd_findings_done(&findings);
	return settings;
}

static void reload(struct walk *walk)
{
	static const char *const ladders[] = {"stop",
					      "restart, stop",
					      "notify",
					      "restart, notify",
					      "notify, stop",
					      "pause",
					      "throttle:0.5, restart, restart, stop",
					      "throttle:2",
					      "hook:none, restart, stop",
					      "rollback, stop",
					      "restart, rollback, stop",
					      "rollback, notify"};
	static const char *const triggers[] = {"restarts", "flapping", "exit", "down",     "oom",     "unhealthy",
					       "memory",   "cpu",      "pids", "pressure", "forecast"};
	struct wd_text text = {0};

	walk->observe = one_in(walk, 8);
	wd_text_print(&text, "[seadog]\nmode = %s\n[safety]\nnever = never\nmax_actions = %u/1h\n",
		      walk->observe ? "observe" : "act", BUDGET);
	wd_text_print(&text,
		      "mass_failure = %s\n[hook none]\ncommand = /bin/true\n[defaults]\nexit = %s\ncooldown = %s\n",
		      one_in(walk, 2) ? "off" : "3 within 10s; wait 60s", one_in(walk, 2) ? "3" : "off",
		      one_in(walk, 2) ? "5m" : "10s");
	wd_text_print(&text, "memory = %s\ncpu = %s\npids = %s\npressure = %s\nforecast = %s\n",
		      one_in(walk, 4) ? "off" : "90% for 3s", one_in(walk, 2) ? "off" : "90% for 20s",
		      one_in(walk, 2) ? "off" : "100 for 0s",
		      one_in(walk, 2) ? "off" : "io 60% for 2s, memory 90% for 1s", one_in(walk, 2) ? "off" : "1m");
	if (one_in(walk, 2))
		wd_text_print(&text, "rollback_to = acme/app:%u\n", 1 + below(walk, IMAGES));
	wd_text_print(&text, "good_after = %s\npins_kept = %u\n", one_in(walk, 2) ? "10s" : "10m", 1 + below(walk, 3));
	for (unsigned i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++)
		wd_text_print(&text, "on_%s = %s\n", triggers[i],
			      ladders[below(walk, sizeof(ladders) / sizeof(ladders[0]))]);
	struct wd_settings *fresh = settings_of(walk, wd_text_get(&text));
	if (walk->guard)
		wd_guard_configure(walk->guard, fresh);
	wd_settings_free(walk->settings[0]);
	walk->settings[0] = fresh;
	wd_text_done(&text);
	remark(walk, "reload", NULL, walk->observe ? "observe" : "act");
}

static void recall(void *data, struct wd_fact *fact)
{
	tell(data, fact);
}

static bool cut_pair(struct walk *walk, struct deed *deed)
{
	unsigned which, born, chance = below(walk, 3);

	split_id(deed->id, &which, &born);
	struct box *box = &walk->boxes[which];
	if (deed->finished)
		return true;
	if (deed->ticket & WD_TICKET_RESUMED)
		return deed->action == WD_ACTION_ROLLBACK && !box->parked.id[0];
	if (deed->action == WD_ACTION_ROLLBACK) {
		if (chance == 0 && box->there && wd_text_equal(box->id, deed->id) && !box->parked.id[0])
			park(walk, box, deed);
		return chance == 1;
	}
	if (!box->parked.id[0])
		return false;
	if (chance == 0 && deed->action == WD_ACTION_TAKE_BACK && !box->parked.gone && (!box->there || is_made(box))) {
		wd_replace(&deed->id, box->parked.id);
		deed->finished = true;
		bring_back(walk, box);
		return true;
	}
	if (chance)
		box->parked.row = deed->action;
	return false;
}

/* The first change may have been made, and its row written, or not; what follows takes the open row over. */
static void cut_pairs(struct walk *walk)
{
	for (struct deed **slot = &walk->deeds; *slot;) {
		struct deed *deed = *slot;
		if (deed->kind != DEED_PLAN || !is_of_pair(deed->action) || cut_pair(walk, deed)) {
			slot = &deed->next;
			continue;
		}
		*slot = deed->next;
		free_deed(deed);
	}
	for (unsigned i = 0; i < BOXES; i++) {
		const struct parked *parked = &walk->boxes[i].parked;
		const struct wd_order order = {.action = parked->row, .service = parked->service, .id = parked->id};
		if (parked->id[0])
			add_deed(walk, &order, DEED_PLAN);
	}
}

static const char *made_of(const struct walk *walk, const struct deed *deed)
{
	for (unsigned i = 0; i < BOXES; i++)
		if (wd_text_equal(walk->boxes[i].parked.id, deed->id))
			return walk->boxes[i].parked.made;
	return NULL;
}

/* kill -9, and the next start. Plans that change a policy are in the journal. */
static void begin_again(struct walk *walk)
{
	remark(walk, "seadog", NULL, walk->dead ? "was killed in the midst of a turn" : "was killed");
	walk->missed_count = 0;
	if (walk->dead && walk->last_event.at >= walk->up_at) /* it is told again: no row is newer */
		walk->missed[walk->missed_count++] = walk->last_event;
	walk->up = walk->dead = false;
	walk->dies_in = 0;
	cut_pairs(walk);
	wd_guard_free(walk->guard);
	walk->act_count = 0;
	memset(walk->by_hand, 0, sizeof(walk->by_hand));
	for (unsigned i = 0; i < BOXES; i++)
		walk->boxes[i].kept = walk->boxes[i].looked_at = false;
	walk->guard = wd_guard_new(walk->settings[0], NULL, disk_next_incident(&walk->disk), walk->now);
	disk_recall(&walk->disk, recall, walk);
	for (struct deed **slot = &walk->deeds; *slot;) {
		struct deed *deed = *slot;
		struct wd_fact fact = {.kind = WD_FACT_RESUMING};
		if (deed->kind == DEED_PLAN && deed->action != WD_ACTION_RESTART) {
			deed->ticket = ++walk->resumed_count | WD_TICKET_RESUMED;
			fact.resuming.made = made_of(walk, deed);
			fact.resuming.service = deed->service;
			fact.resuming.id = deed->id;
			fact.resuming.action = deed->action;
			fact.resuming.ticket = deed->ticket;
			tell(walk, &fact);
			slot = &deed->next;
			continue;
		}
		*slot = deed->next;
		free_deed(deed);
	}
}

/* --- the walk --------------------------------------------------------------------------------------------------------- */

/* No crash is counted that was none, and none twice. */
static void check_counts(struct walk *walk)
{
	struct wd_service_view view;

	for (unsigned i = 0; i < BOXES; i++) {
		struct box *box = &walk->boxes[i];
		unsigned real = 0;
		if (!wd_guard_find(walk->guard, box->container.name, walk->now, &view))
			continue;
		for (unsigned j = 0; j < box->real_count && j < REAL_MOST; j++)
			real += walk->now - box->real[j] <= WD_HOUR;
		for (unsigned j = 0; j < view.window_count; j++)
			if (view.windows[j].trigger == WD_TRIGGER_FLAPPING && view.windows[j].count > real)
				broken(walk, "%s: %u crashes counted of %u", box->container.name, view.windows[j].count,
				       real);
	}
}

/* No OOM kill is counted that was none, and none twice, whoever tells: the event, inspect, the kernel's count. */
static void check_kills(struct walk *walk)
{
	struct wd_service_view view;

	for (unsigned i = 0; i < BOXES; i++) {
		const struct box *box = &walk->boxes[i];
		unsigned real = 0;
		if (!wd_guard_find(walk->guard, box->container.name, walk->now, &view))
			continue;
		for (unsigned j = 0; j < box->kill_count && j < REAL_MOST; j++)
			real += walk->now - box->kills[j] <= 10 * WD_MINUTE;
		for (unsigned j = 0; j < view.window_count; j++)
			if (view.windows[j].trigger == WD_TRIGGER_OOM && view.windows[j].count > real)
				broken(walk, "%s: %u OOM kills counted of %u", box->container.name,
				       view.windows[j].count, real);
	}
}

static void take_step(struct walk *walk)
{
	static const wd_time spans[] = {0,
					WD_MILLISECOND,
					100 * WD_MILLISECOND,
					WD_SECOND,
					WD_SECOND,
					3 * WD_SECOND,
					10 * WD_SECOND,
					40 * WD_SECOND,
					WD_MINUTE,
					10 * WD_MINUTE,
					WD_HOUR};
	struct wd_fact late = {.kind = WD_FACT_LATE, .late = 3 * WD_SECOND};

	if (one_in(walk, 200) && walk->up && walk->now - walk->up_at > 10 * WD_SECOND)
		walk->dies_in = 1 + below(walk, 12);
	pass(walk, spans[below(walk, one_in(walk, 20) ? 11 : 6)] + (wd_time)below(walk, 1000));
	if (walk->dead)
		begin_again(walk);
	else if (one_in(walk, 40))
		walk->up ? go_down(walk) : come_up(walk);
	else if (one_in(walk, 8) && !walk->up)
		come_up(walk);
	else if (one_in(walk, 100))
		tell(walk, &late);
	else if (one_in(walk, 60))
		ask(walk);
	else if (one_in(walk, 200))
		reload(walk);
	else if (one_in(walk, 200) && walk->now - walk->up_at > 10 * WD_SECOND)
		begin_again(
			walk); /* not while RestartCount is being squared: from when on it was right is not on disk */
	else
		live(walk, &walk->boxes[below(walk, BOXES)]);
	if (!one_in(walk, 3))
		answer_some(walk);
	look_around(walk);
	if (walk->dead)
		begin_again(walk);
	check_counts(walk);
	check_kills(walk);
}

/* Everything is well from now on: nothing may hang. */
static void calm_down(struct walk *walk)
{
	walk->calm = true;
	walk->dies_in = 0;
	if (!walk->up)
		come_up(walk);
	for (unsigned i = 0; i < BOXES; i++)
		walk->boxes[i].bad = false, walk->boxes[i].uses = uses_nothing();
	for (unsigned round = 0; round < 400; round++) {
		answer_some(walk);
		pass(walk, round < 200 ? WD_SECOND : 10 * WD_MINUTE);
		look_around(walk);
		struct box *box = &walk->boxes[round % BOXES];
		if (!box->there || round < 50)
			continue;
		if (box->container.state == WD_STATE_RESTARTING)
			start(walk, box, true);
		if (box->container.state == WD_STATE_RUNNING && box->container.check_patience &&
		    box->container.health != WD_HEALTH_HEALTHY) {
			box->container.health = WD_HEALTH_HEALTHY;
			tell_event(walk, box, WD_EVENT_HEALTH, -1);
		}
	}
}

/* Each container is one service, and each service has one. */
static void check_whole(struct walk *walk)
{
	struct wd_service_view view;
	unsigned there = 0, known = 0;

	for (unsigned i = 0; i < BOXES; i++)
		there += walk->boxes[i].there;
	for (size_t i = 0; i < wd_guard_count(walk->guard); i++) {
		if (!wd_guard_view(walk->guard, i, walk->now, &view))
			continue;
		const struct box *box = view.container ? box_of(walk, view.container->id) : NULL;
		if (!box || !box->there)
			broken(walk, "%s is known, and is not there", view.service);
		if (!wd_text_equal(view.container->image_id, box->container.image_id))
			broken(walk, "%s is said to run %s, and runs %s", view.service, view.container->image,
			       box->container.image);
		known++;
	}
	if (known != there)
		broken(walk, "%u containers are %u services", there, known);
}

static void check_calm(struct walk *walk)
{
	struct wd_service_view view;

	for (unsigned i = 0; i < BOXES; i++) {
		const struct box *box = &walk->boxes[i];
		bool found = wd_guard_find(walk->guard, box->container.name, walk->now, &view);
		if (found != box->there)
			broken(walk, "%s is %s", box->container.name, found ? "kept after its end" : "not known");
		if (!found)
			continue;
		bool runs = box->container.state == WD_STATE_RUNNING;
		if (view.verdict == WD_VERDICT_TREATING || view.verdict == WD_VERDICT_VERIFYING ||
		    (runs && (view.verdict == WD_VERDICT_SICK || view.verdict == WD_VERDICT_SUSPECT)))
			broken(walk, "%s is %s for ever: %s", box->container.name, wd_verdict_name(view.verdict),
			       view.why);
		if (view.memory->hold.held && runs && !walk->observe && i != 1)
			broken(walk, "%s is held, and runs", box->container.name);
		if (wd_cpu_cut_is(&view.memory->throttle.cut) != (box->container.cpus.quota > 0))
			broken(walk, "%s is %s to be throttled", box->container.name,
			       box->container.cpus.quota > 0 ? "not known" : "said");
		if (walk->by_hand[i])
			broken(walk, "a person waits for %s for ever", box->container.name);
		if (box->parked.id[0] && box->parked.row == WD_ACTION_ROLLBACK)
			broken(walk, "what %s was rolled back from is parked for ever", box->container.name);
		if (runs && view.incident)
			broken(walk, "an incident of %s never ends: %s", box->container.name, view.why);
	}
	check_whole(walk);
	for (struct deed *deed = walk->deeds; deed; deed = deed->next)
		if (deed->kind != DEED_INSPECT)
			broken(walk, "something is under way for ever");
}

static void finish(struct walk *walk)
{
	wd_guard_free(walk->guard);
	wd_settings_free(walk->settings[0]);
	while (walk->deeds) {
		struct deed *deed = walk->deeds;
		walk->deeds = deed->next;
		free_deed(deed);
	}
	disk_done(&walk->disk);
	for (unsigned i = 0; i < BOXES; i++) {
		struct wd_container *heap = wd_alloc(1, sizeof(*heap));
		*heap = walk->boxes[i].container;
		wd_container_free(heap);
	}
	free(walk);
}

static void walk_along(uint64_t seed)
{
	static const char *const names[BOXES] = {"ignored", "never", "web", "db", "cache", "job"};
	struct walk *walk = wd_alloc(1, sizeof(*walk));

	walk->seed = walk->random = seed;
	walk->now = BASE;
	below(walk, 2);
	reload(walk);
	walk->guard = wd_guard_new(walk->settings[0], NULL, 1, BASE);
	for (unsigned i = 0; i < BOXES; i++) {
		struct wd_container *container = &walk->boxes[i].container;
		*container = (struct wd_container){.name = wd_copy(names[i]),
						   .service = wd_copy(names[i]),
						   .check_patience = i % 2 ? 0 : 90 * WD_SECOND,
						   .stop_timeout = 10 * WD_SECOND,
						   .spoofs_exit_code = i == 4,
						   .stop_signal = 15};
		if (i == 0) {
			container->labels = wd_alloc(1, sizeof(struct wd_label));
			container->labels[container->label_count++] =
				(struct wd_label){.key = wd_copy("seadog.enable"), .value = wd_copy("false")};
		}
		walk->boxes[i].uses = uses_nothing();
		walk->boxes[i].uses.limit_bytes = 1e8;
		walk->boxes[i].uses.pids_limit = 100;
		set_image(&walk->boxes[i], 1);
		create(walk, &walk->boxes[i]);
	}
	for (walk->step = 0; walk->step < STEPS; walk->step++)
		take_step(walk);
	calm_down(walk);
	check_calm(walk);
	finish(walk);
}

static void test_promises_hold_on_any_way(void **state)
{
	const uint64_t *only = *state;

	for (uint64_t seed = only ? only[0] : 1; seed <= (only ? only[1] : SEEDS); seed++)
		walk_along(seed);
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t seeds[] = {first, argc > 2 ? strtoull(argv[2], NULL, 10) : first};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_promises_hold_on_any_way, argc > 1 ? seeds : NULL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
