#include "sampler.h"

#include <stdlib.h>
#include <string.h>

#include "asker.h"

#include <watchdog/log.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define LIMITS_LAST (30 * WD_SECOND)   /* `docker update` makes them known at once; other tools do not */
#define NEAREST (500 * WD_MILLISECOND) /* CPU time over less than this is noise */
#define SOON (100 * WD_MILLISECOND)
#define TRIES 5     /* to find it: 0, 1, 3, 7 and 15 passes after one another */
#define PATIENCE 15 /* passes until what may not be read, or what there is no descriptor for, is tried again */
#define LIMITS_A_PASS 8
#define AFTERWARDS (50 * WD_MILLISECOND) /* a second look behind a call: what made the kernel call may not be over */
#define CALLS_A_PASS 3                   /* then nobody listens to this container until the next pass */

struct watched {
	struct wd_sampler *sampler;
	char *id, *name;
	int pid;
	struct wd_cpus cpus;
	bool asked;             /* its files are out of reach: the Engine tells */
	struct wd_gauge *gauge; /* NULL: not open yet, or not to be had */
	unsigned failures, passes_to_skip;
	struct wd_alarm *alarm; /* NULL: nothing is wished, or the kernel cannot */
	struct wd_ready *bell;
	bool alarm_failed, rang, deaf;
	unsigned calls; /* since the last pass */
	bool limits_stale;
	wd_time limits_at;
	struct wd_sample last, before; /* at WD_NEVER: none yet */
};

struct wd_sampler {
	struct wd_loop *loop;
	struct wd_timer *timer, *afterwards;
	struct wd_sampler_hooks hooks;
	struct wd_meter *meter; /* NULL: no tree is mounted here */
	struct wd_asker *asker; /* NULL: nobody is asked */
	struct wd_map *watched; /* by id */
	wd_time interval;
	wd_time due;          /* WD_NEVER: nobody to look at */
	unsigned limits_left; /* in this pass */
	bool complained;
};

static void forget_samples(struct watched *watched)
{
	watched->last = watched->before = (struct wd_sample){.at = WD_NEVER};
}

static void listen_no_more(struct watched *watched)
{
	if (watched->bell)
		watched->bell = wd_ready_free(watched->bell);
	watched->alarm = wd_alarm_free(watched->alarm);
	watched->deaf = false;
}

static void drop(struct watched *watched)
{
	listen_no_more(watched);
	if (watched->asked && watched->sampler->asker)
		wd_asker_remove(watched->sampler->asker, watched->id);
	wd_gauge_close(watched->gauge);
	free(watched->id);
	free(watched->name);
	free(watched);
}

void wd_sampler_forget(struct wd_sampler *sampler, const char *id)
{
	struct watched *watched = wd_map_remove(sampler->watched, id);
	if (watched)
		drop(watched);
}

/* --- one container ----------------------------------------------------------------------------------------------------- */

/* Why nothing is known of many containers is one thing: it is said once. */
static void complain(struct wd_sampler *sampler, const struct watched *watched, const struct wd_error *why)
{
	wd_trace("meter", watched->name, "%s", why->text);
	if (sampler->complained)
		return;
	sampler->complained = true;
	wd_log(WD_LOG_INFO, watched->name, NULL,
	       "the files of its cgroup are out of reach: %s; the Engine is asked what it uses (`seadog check` says "
	       "more)",
	       why->text);
}

static void ask_instead(struct watched *watched, bool instead)
{
	struct wd_asker *asker = watched->sampler->asker;
	if (asker && instead)
		wd_asker_add(asker, watched->id, watched->cpus);
	else if (asker && watched->asked)
		wd_asker_remove(asker, watched->id);
	watched->asked = instead;
}

/* An Engine on another machine has containers that are nowhere here: looking for them ends. */
static bool open_gauge(struct wd_sampler *sampler, const char *id, struct watched *watched)
{
	struct wd_error why = {0};
	if (watched->gauge)
		return true;
	if (!sampler->meter || watched->failures >= TRIES || watched->passes_to_skip > 0)
		return false;
	watched->gauge = wd_gauge_open(sampler->meter, id, watched->pid, &why);
	ask_instead(watched, !watched->gauge);
	if (watched->gauge)
		return true;
	bool nowhere = why.kind == WD_ERROR_NOT_FOUND;
	watched->passes_to_skip = nowhere ? (1u << watched->failures++) - 1 : PATIENCE;
	if (!nowhere || watched->failures == TRIES)
		complain(sampler, watched, &why);
	return false;
}

/* false: it is gone. */
static bool look(struct watched *watched, struct wd_gauge_wish *wish, wd_time now, struct wd_sample *ret_sample)
{
	if (!wd_gauge_read(watched->gauge, wish, now, ret_sample))
		return false;
	if (wish->limits)
		watched->limits_stale = false;
	if (wish->limits || wish->memory_limit)
		watched->limits_at = now;
	return true;
}

/* --- the kernel's call ------------------------------------------------------------------------------------------------- */

static bool same_call(const struct wd_alarm_wish *one, const struct wd_alarm_wish *two)
{
	return one->memory_bytes == two->memory_bytes && one->oom == two->oom &&
	       one->pressure.memory == two->pressure.memory && one->pressure.cpu == two->pressure.cpu &&
	       one->pressure.io == two->pressure.io;
}

static void on_call(void *data, int events);

static void set_deaf(struct watched *watched, bool deaf)
{
	if (watched->bell && watched->deaf != deaf)
		wd_ready_set(watched->bell, deaf ? 0 : WD_READ);
	watched->deaf = deaf;
}

/* Where the kernel cannot call, the next pass must do; it is not asked again for this run of the container. */
static void listen_for(struct watched *watched, const struct wd_alarm_wish *wish)
{
	static const struct wd_alarm_wish nothing = {.memory_bytes = WD_UNLIMITED};
	struct wd_error why = {0};
	if (watched->alarm_failed || same_call(watched->alarm ? wd_alarm_wish(watched->alarm) : &nothing, wish))
		return;
	listen_no_more(watched);
	if (same_call(&nothing, wish))
		return;
	watched->alarm = wd_alarm_new(watched->gauge, wish, &why);
	if (watched->alarm)
		watched->bell = wd_ready_new(watched->sampler->loop, wd_alarm_descriptor(watched->alarm), WD_READ,
					     on_call, watched);
	else
		wd_trace("meter", watched->name, "%s", why.text);
	watched->alarm_failed = !watched->alarm;
}

/* --- the pass ---------------------------------------------------------------------------------------------------------- */

/* All are five files to be opened: a few containers a pass read theirs anew, and what nobody tests is as the Engine has
 * said it last. */
static void wish_for_limits(struct watched *watched, wd_time now, struct wd_gauge_wish *wish)
{
	bool old = now - watched->limits_at >= LIMITS_LAST;
	if ((!old && !watched->limits_stale) || watched->sampler->limits_left == 0)
		return;
	wish->limits = watched->limits_stale || wish->more_limits;
	wish->memory_limit = true;
	watched->sampler->limits_left--;
}

static double cpus_used(const struct watched *watched, const struct wd_sample *fresh)
{
	const struct wd_sample *base = &watched->last;
	if (base->at != WD_NEVER && fresh->at - base->at < NEAREST)
		base = &watched->before;
	return base->at == WD_NEVER ? -1 : wd_sample_cpus(base, fresh);
}

/* false: it has ended. */
static bool sample(struct watched *watched, wd_time now, bool called, struct wd_sample *ret_sample)
{
	struct wd_sampler *sampler = watched->sampler;
	struct wd_gauge_wish wish = {.exact_from_bytes = WD_UNLIMITED, .call.memory_bytes = WD_UNLIMITED};
	sampler->hooks.on_wish(sampler->hooks.data, watched->id, now, &wish);
	wish_for_limits(watched, now, &wish);
	wish.oom = wish.oom || called;
	if (!look(watched, &wish, now, ret_sample))
		return false;
	listen_for(watched, &wish.call);
	sampler->hooks.on_sample(sampler->hooks.data, watched->id, ret_sample, cpus_used(watched, ret_sample));
	return true;
}

static bool sample_in_turn(struct watched *watched, wd_time now)
{
	struct wd_sample fresh;
	if (!open_gauge(watched->sampler, watched->id, watched)) {
		watched->passes_to_skip -= watched->passes_to_skip > 0;
		return true;
	}
	if (!sample(watched, now, false, &fresh))
		return false;
	watched->before = watched->last;
	watched->last = fresh;
	watched->calls = 0;
	watched->rang = false;
	set_deaf(watched, false);
	return true;
}

/* Out of turn, and once more when what made the kernel call may be over. The CPU time is of the passes alone: over less it
 * is noise. */
static void sample_out_of_turn(struct watched *watched, wd_time now)
{
	struct wd_sample fresh;
	if (!sample(watched, now, true, &fresh))
		wd_sampler_forget(watched->sampler, watched->id);
}

static void on_call(void *data, int events)
{
	struct watched *watched = data;
	struct wd_sampler *sampler = watched->sampler;
	wd_time now = wd_loop_now(sampler->loop);
	(void)events;
	wd_alarm_hear(watched->alarm);
	set_deaf(watched, true);
	watched->rang = true;
	watched->calls++;
	wd_timer_set(sampler->afterwards, now + AFTERWARDS);
	sample_out_of_turn(watched, now);
}

static void on_afterwards(void *data)
{
	struct wd_sampler *sampler = data;
	wd_time now = wd_loop_now(sampler->loop);
	for (struct wd_map_entry *entry = wd_map_first(sampler->watched), *next; entry; entry = next) {
		struct watched *watched = wd_map_value(entry);
		next = wd_map_next(entry);
		if (!watched->rang)
			continue;
		watched->rang = false;
		if (watched->calls < CALLS_A_PASS)
			set_deaf(watched, false);
		sample_out_of_turn(watched, now);
	}
}

static void arm(struct wd_sampler *sampler, wd_time due)
{
	sampler->due = due;
	wd_timer_set(sampler->timer, due);
}

static void on_pass(void *data)
{
	struct wd_sampler *sampler = data;
	wd_time now = wd_loop_now(sampler->loop);
	bool more = false;
	sampler->limits_left = LIMITS_A_PASS;
	for (struct wd_map_entry *entry = wd_map_first(sampler->watched), *next; entry; entry = next) {
		struct watched *watched = wd_map_value(entry);
		next = wd_map_next(entry);
		if (!sample_in_turn(watched, now))
			wd_sampler_forget(sampler, wd_map_key(entry));
		else
			more = more || watched->gauge || watched->failures < TRIES;
	}
	arm(sampler, more ? now + sampler->interval : WD_NEVER);
}

/* --- what runs --------------------------------------------------------------------------------------------------------- */

static struct watched *watch(struct wd_sampler *sampler, const struct wd_container *container)
{
	struct watched *watched = wd_alloc(1, sizeof(*watched));
	watched->sampler = sampler;
	watched->id = wd_copy(container->id);
	watched->pid = container->pid;
	forget_samples(watched);
	wd_map_set(sampler->watched, container->id, watched);
	return watched;
}

void wd_sampler_see(struct wd_sampler *sampler, const struct wd_container *container)
{
	if (container->pid <= 0 || container->transient) {
		wd_sampler_forget(sampler, container->id);
		return;
	}
	struct watched *watched = wd_map_get(sampler->watched, container->id);
	if (watched && watched->pid != container->pid) {
		wd_sampler_forget(sampler, container->id); /* another run, in another cgroup of the same name */
		watched = NULL;
	}
	if (!watched)
		watched = watch(sampler, container);
	watched->limits_stale = true;
	watched->cpus = container->cpus;
	wd_replace(&watched->name, container->name);
	if (!sampler->meter || watched->asked)
		ask_instead(watched, true);
	if (sampler->meter && sampler->due == WD_NEVER && watched->failures < TRIES)
		arm(sampler, wd_loop_now(sampler->loop) + (sampler->interval < SOON ? sampler->interval : SOON));
}

/* --- the Engine instead ------------------------------------------------------------------------------------------------ */

static void on_told(void *data, const char *id, const struct wd_sample *sample)
{
	struct wd_sampler *sampler = data;
	struct watched *watched = wd_map_get(sampler->watched, id);
	if (!watched)
		return;
	watched->before = watched->last;
	watched->last = *sample;
	double cpus = watched->before.at == WD_NEVER ? -1 : wd_sample_cpus(&watched->before, &watched->last);
	sampler->hooks.on_sample(sampler->hooks.data, id, sample, cpus);
}

void wd_sampler_use(struct wd_sampler *sampler, struct wd_engine *engine)
{
	sampler->asker = wd_asker_free(sampler->asker);
	if (engine)
		sampler->asker = wd_asker_new(sampler->loop, engine, on_told, sampler);
}

static bool as_it_was_told(const struct watched *watched, struct wd_sample *ret_sample, double *ret_cpus)
{
	if (!watched->asked || watched->last.at == WD_NEVER)
		return false;
	*ret_sample = watched->last;
	*ret_cpus = watched->before.at == WD_NEVER ? -1 : wd_sample_cpus(&watched->before, &watched->last);
	return true;
}

bool wd_sampler_ask(struct wd_sampler *sampler, const char *id, struct wd_sample *ret_sample, double *ret_cpus)
{
	struct wd_gauge_wish wish = {.exact_from_bytes = 0, .pids = true, .limits = true};
	struct watched *watched = wd_map_get(sampler->watched, id);
	if (!watched)
		return false;
	if (!open_gauge(sampler, id, watched))
		return as_it_was_told(watched, ret_sample, ret_cpus);
	if (!look(watched, &wish, wd_loop_now(sampler->loop), ret_sample))
		return false;
	*ret_cpus = cpus_used(watched, ret_sample);
	return true;
}

/* --- up and down ------------------------------------------------------------------------------------------------------- */

struct wd_sampler *wd_sampler_new(struct wd_loop *loop, wd_time interval, const struct wd_meter_roots *roots,
				  const struct wd_sampler_hooks *hooks)
{
	struct wd_sampler *sampler = wd_alloc(1, sizeof(*sampler));
	struct wd_error why = {0};
	sampler->loop = loop;
	sampler->hooks = *hooks;
	sampler->interval = interval;
	sampler->due = WD_NEVER;
	sampler->timer = wd_timer_new(loop, on_pass, sampler);
	sampler->afterwards = wd_timer_new(loop, on_afterwards, sampler);
	sampler->watched = wd_map_new();
	sampler->meter = wd_meter_new(roots, &why);
	if (!sampler->meter)
		wd_log(WD_LOG_INFO, NULL, NULL, "%s: the Engine is asked what containers use", why.text);
	return sampler;
}

struct wd_sampler *wd_sampler_free(struct wd_sampler *sampler)
{
	if (!sampler)
		return NULL;
	for (struct wd_map_entry *entry = wd_map_first(sampler->watched); entry; entry = wd_map_next(entry))
		drop(wd_map_value(entry));
	wd_map_free(sampler->watched);
	wd_asker_free(sampler->asker);
	wd_meter_free(sampler->meter);
	wd_timer_free(sampler->timer);
	wd_timer_free(sampler->afterwards);
	free(sampler);
	return NULL;
}

void wd_sampler_set_interval(struct wd_sampler *sampler, wd_time interval)
{
	sampler->interval = interval;
	if (sampler->due != WD_NEVER)
		arm(sampler, wd_loop_now(sampler->loop) + interval);
}
