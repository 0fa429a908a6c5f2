#include "machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GATHERING (250 * WD_MILLISECOND)

struct wd_guard *wd_guard_new(const struct wd_settings *settings, const struct wd_list *self, int64_t next_incident,
			      wd_time now)
{
	struct wd_guard *guard = wd_alloc(1, sizeof(*guard));

	guard->settings = settings;
	if (self)
		wd_list_copy(&guard->self, self);
	guard->by_key = wd_map_new();
	guard->by_id = wd_map_new();
	guard->policies = wd_map_new();
	guard->strangers = wd_map_new();
	guard->contested = wd_map_new();
	guard->claims = wd_map_new();
	guard->next_incident = next_incident;
	guard->next_ticket = 1;
	guard->now = guard->born = now;
	guard->grace_until = guard->tilt_until = guard->mass_until = guard->muted_until = 0;
	guard->wake = WD_NEVER;
	return guard;
}

static struct wd_service *free_service(struct wd_guard *guard, struct wd_service *service)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		wd_case_free(service->cases[i]);
	wd_memory_done(&service->memory);
	wd_container_free(service->container);
	wd_policies_drop(guard, service);
	wd_marks_clear(&service->crashes);
	wd_marks_clear(&service->ooms);
	wd_pins_clear(service);
	wd_move_clear(service);
	wd_usage_free(service->usage);
	free(service->down_why);
	free(service->remember_trouble);
	free(service);
	return NULL;
}

/* What the orders of the last turn still pointed at. */
static void clear_turn(struct wd_guard *guard)
{
	for (size_t i = 0; i < guard->scratch_count; i++)
		free(guard->scratch[i]);
	for (size_t i = 0; i < guard->dead_service_count; i++)
		free_service(guard, guard->dead_services[i]);
	for (size_t i = 0; i < guard->dead_incident_count; i++)
		wd_incident_free(guard->dead_incidents[i]);
	guard->scratch_count = guard->dead_service_count = guard->dead_incident_count = 0;
	guard->order_head = guard->order_tail = 0;
}

static void free_strangers(struct wd_guard *guard)
{
	for (struct wd_map_entry *e = wd_map_first(guard->strangers); e; e = wd_map_next(e)) {
		struct wd_stranger *stranger = wd_map_value(e);
		free(stranger->events);
		free(stranger);
	}
	wd_map_free(guard->strangers);
}

struct wd_guard *wd_guard_free(struct wd_guard *guard)
{
	if (!guard)
		return NULL;
	clear_turn(guard);
	wd_hook_free(guard);
	for (size_t i = 0; i < guard->count; i++)
		free_service(guard, guard->services[i]);
	free_strangers(guard);
	wd_map_free(guard->by_key);
	wd_map_free(guard->by_id);
	wd_map_free(guard->contested);
	wd_map_free(guard->policies);
	wd_claim_clear(guard);
	wd_map_free(guard->claims);
	wd_list_done(&guard->self);
	free(guard->services);
	free(guard->actions);
	free(guard->orders);
	free(guard->dirty);
	free(guard->scratch);
	free(guard->dead_services);
	free(guard->dead_incidents);
	free(guard);
	return NULL;
}

wd_time wd_guard_when(const struct wd_guard *guard, wd_stamp then)
{
	wd_stamp ago = guard->stamp - then;

	return ago > 0 ? guard->now - ago / 1000 : guard->now;
}

/* --- orders --------------------------------------------------------------------------------------------------------- */

struct wd_order *wd_guard_order(struct wd_guard *guard, enum wd_order_kind kind, const struct wd_service *service)
{
	if (guard->order_tail == guard->order_room) {
		guard->order_room = guard->order_room ? 2 * guard->order_room : 16;
		guard->orders = wd_realloc(guard->orders, guard->order_room, sizeof(*guard->orders));
	}
	struct wd_order *order = &guard->orders[guard->order_tail++];
	*order = (struct wd_order){.kind = kind};
	if (service) {
		order->service = service->memory.service;
		order->name = wd_service_name(service);
		order->id = service->memory.id;
	}
	return order;
}

const char *wd_guard_keep(struct wd_guard *guard, char *taken)
{
	if (guard->scratch_count == guard->scratch_room) {
		guard->scratch_room = guard->scratch_room ? 2 * guard->scratch_room : 16;
		guard->scratch = wd_realloc(guard->scratch, guard->scratch_room, sizeof(*guard->scratch));
	}
	return guard->scratch[guard->scratch_count++] = taken;
}

void wd_guard_inspect(struct wd_guard *guard, const char *id)
{
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_INSPECT, NULL);
	order->id = wd_guard_keep(guard, wd_copy(id));
}

void wd_guard_dirty(struct wd_guard *guard, struct wd_service *service, bool confirm)
{
	guard->confirm_count += confirm && !service->confirm;
	service->confirm |= confirm;
	if (service->dirty)
		return;
	service->dirty = true;
	if (guard->dirty_count == 0)
		guard->flush_at = guard->now + GATHERING;
	if (guard->dirty_count == guard->dirty_room) {
		guard->dirty_room = guard->dirty_room ? 2 * guard->dirty_room : 16;
		guard->dirty = wd_realloc(guard->dirty, guard->dirty_room, sizeof(*guard->dirty));
	}
	guard->dirty[guard->dirty_count++] = service;
}

void wd_guard_tell_people(struct wd_guard *guard, const struct wd_service *service, enum wd_moment moment,
			  const struct wd_incident *incident, const char *format, ...)
{
	struct wd_text text = {0};
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	wd_text_add(&text, line);

	struct wd_order *order = wd_guard_order(guard, WD_ORDER_TELL, service);
	order->moment = moment;
	order->incident = incident;
	order->text = wd_guard_keep(guard, wd_text_take(&text));
}

void wd_guard_bury_incident(struct wd_guard *guard, struct wd_incident *incident)
{
	guard->dead_incidents =
		wd_realloc(guard->dead_incidents, guard->dead_incident_count + 1, sizeof(*guard->dead_incidents));
	guard->dead_incidents[guard->dead_incident_count++] = incident;
}

static bool acts_this_turn(const struct wd_guard *guard)
{
	for (size_t i = guard->order_head; i < guard->order_tail; i++)
		if (guard->orders[i].kind == WD_ORDER_ACT)
			return true;
	return false;
}

/* Rows go out before the orders of the turn: what a plan relies on is on its way to the disk first. Rows that nobody
 * waits for are gathered for a moment; should we die before that, the Engine tells it all again. */
static bool take_dirty(struct wd_guard *guard, struct wd_order *ret_order)
{
	bool all = guard->now >= guard->flush_at || acts_this_turn(guard);

	if (!all && guard->confirm_count == 0)
		return false;
	for (size_t i = guard->dirty_count; i-- > 0;) {
		struct wd_service *service = guard->dirty[i];
		struct wd_memory *memory = &service->memory;
		if (!all && !service->confirm)
			continue;
		guard->dirty[i] = guard->dirty[--guard->dirty_count];
		wd_marks_remember(&service->crashes, &memory->crashes, &memory->crash_count);
		wd_marks_remember(&service->ooms, &memory->ooms, &memory->oom_count);
		*ret_order = (struct wd_order){.kind = WD_ORDER_REMEMBER,
					       .service = memory->service,
					       .name = memory->name,
					       .id = memory->id,
					       .policy = memory->policy,
					       .memory = memory,
					       .confirm = service->confirm};
		guard->confirm_count -= service->confirm;
		service->dirty = service->confirm = false;
		return true;
	}
	return false;
}

bool wd_guard_take(struct wd_guard *guard, struct wd_order *ret_order)
{
	if (take_dirty(guard, ret_order))
		return true;
	if (guard->order_head == guard->order_tail)
		return false;
	*ret_order = guard->orders[guard->order_head++];
	return true;
}

/* --- facts ---------------------------------------------------------------------------------------------------------- */

static wd_time sooner(wd_time one, wd_time two)
{
	return one < two ? one : two;
}

static void schedule(struct wd_guard *guard, struct wd_service *service)
{
	wd_time judge = wd_judge_next(guard, service);
	wd_time act = wd_case_next(guard, service);
	wd_time manual = wd_manual_next(service);

	service->next = judge < act ? judge : act;
	service->next = sooner(service->next, wd_move_next(guard, service));
	service->next = sooner(service->next, wd_pins_next(service));
	if (manual < service->next)
		service->next = manual;
	if (service->next < guard->wake)
		guard->wake = service->next;
}

/* After anything was told about a service: its verdict, and when to look at it again. */
static void settle(struct wd_guard *guard, struct wd_service *service)
{
	wd_service_judge_verdict(guard, service);
	schedule(guard, service);
}

static void pass_time(struct wd_guard *guard, bool all)
{
	guard->wake = WD_NEVER;
	for (size_t i = guard->count; i-- > 0;) {
		struct wd_service *service = guard->services[i];
		if (all || service->next <= guard->now) {
			wd_manual_time(guard, service);
			wd_judge_time(guard, service);
			wd_case_time(guard, service);
			wd_move_time(guard, service);
			wd_pins_time(guard, service);
			if (service->gone_at != WD_NEVER &&
			    guard->now - service->gone_at >= wd_service_outlives(service)) {
				wd_service_forget(guard, service);
				continue;
			}
			settle(guard, service);
		} else if (service->next < guard->wake) {
			guard->wake = service->next;
		}
	}
	wd_claim_time(guard);
}

/* What is remembered has its verdict though the Engine may be away for long. */
static void tell_remembered(struct wd_guard *guard, const char *key, const char *id)
{
	struct wd_service *service = wd_map_get(guard->by_key, key);

	if (!service && id)
		service = wd_service_by_id(guard, id);
	if (service)
		settle(guard, service);
}

static void tell_event(struct wd_guard *guard, const struct wd_event *event)
{
	struct wd_service *service = wd_service_by_id(guard, event->id);

	if (!service || !service->container) {
		wd_guard_stranger(guard, event);
		return;
	}
	wd_event_take(guard, service, event);
	settle(guard, service);
	if (event->kind == WD_EVENT_DESTROY)
		wd_claim_settle(guard, event->id);
}

static void tell_seen(struct wd_guard *guard, const struct wd_fact *fact)
{
	wd_service_see(guard, fact->seen.container, fact->seen.asked, fact->seen.synced);
	struct wd_service *service = wd_service_by_id(guard, fact->seen.container->id);
	if (service)
		settle(guard, service);
	wd_claim_settle(guard, fact->seen.container->id);
}

static bool has_more_to_keep(const struct wd_guard *guard, const struct wd_service *service)
{
	return service->memory.pins.count || service->memory.pins.swap_count || service->muted_until > guard->now ||
	       service->cooldown_until > guard->now;
}

/* One that went while nobody watched is forgotten at once: until seadog ends, its row would be taken for a service. */
static void lose(struct wd_guard *guard, struct wd_service *service)
{
	bool is_known = service->container || service->move.phase || wd_manual_busy(service);

	wd_service_lose(guard, service);
	if (is_known || service->gone_at == WD_NEVER || has_more_to_keep(guard, service))
		settle(guard, service);
	else
		wd_service_forget(guard, service);
}

static void tell_gone(struct wd_guard *guard, const char *id)
{
	struct wd_service *service = wd_service_by_id(guard, id);
	struct wd_stranger *stranger = wd_map_remove(guard->strangers, id);

	if (stranger) {
		free(stranger->events);
		free(stranger);
	}
	if (service)
		lose(guard, service);
	wd_claim_settle(guard, id);
	wd_claim_drop(guard, id);
}

/* After a whole list: what was not told with it is gone, or the Engine did not answer about it. Which of them, it says
 * when it is asked for that one. */
static void tell_synced(struct wd_guard *guard, bool given_up)
{
	for (size_t i = guard->count; i-- > 0;) {
		struct wd_service *service = guard->services[i];
		bool is_missing = !service->listed && service->gone_at == WD_NEVER;
		wd_case_ask_again(service, guard->now);
		if (is_missing && !service->memory.id && !given_up) {
			lose(guard, service);
			continue;
		}
		if (is_missing && service->memory.id)
			wd_guard_inspect(guard, service->memory.id);
		settle(guard, service);
	}
	guard->synced = true;
}

static void tell_up(struct wd_guard *guard, bool restarted)
{
	guard->up = true;
	guard->synced = false;
	wd_claim_clear(guard); /* the list tells of each anew */
	for (size_t i = 0; i < guard->count; i++)
		guard->services[i]->listed = false;
	if (restarted) {
		guard->grace_until = guard->now + guard->settings->grace;
		wd_guard_tell_people(guard, NULL, WD_MOMENT_STATE, NULL,
				     "the Engine was started anew: looking, not acting, for the grace");
	}
	pass_time(guard, true);
}

static void tell_image(struct wd_guard *guard, const struct wd_fact *fact)
{
	wd_pins_answer(guard, fact);
	pass_time(guard, false);
}

static void tell_sample(struct wd_guard *guard, const struct wd_fact *fact)
{
	struct wd_service *service = wd_service_by_id(guard, fact->used.id);

	if (!service || !service->container)
		return;
	wd_usage_take(guard, service, fact->used.sample, fact->used.cpus);
	settle(guard, service);
}

static void tell_late(struct wd_guard *guard, wd_time late)
{
	const struct wd_settings *settings = guard->settings;
	char buffer[WD_TIME_TEXT], wait[WD_TIME_TEXT];

	if (settings->tilt == 0 || late < settings->tilt)
		return;
	guard->tilt_until = guard->now + settings->tilt_wait;
	wd_guard_tell_people(guard, NULL, WD_MOMENT_WARNING, NULL,
			     "tilt: seadog's own loop was %s late; looking, not acting, for %s",
			     wd_span_print_short(late, buffer), wd_span_print_short(settings->tilt_wait, wait));
}

static void tell_stored(struct wd_guard *guard, const struct wd_fact *fact)
{
	struct wd_service *service = wd_map_get(guard->by_key, fact->stored.service);

	if (!service)
		return;
	bool same = wd_text_equal(fact->stored.id, service->memory.id) &&
		    wd_restart_policy_equal(fact->stored.policy, service->memory.policy);
	service->remembering = false;
	wd_replace(&service->remember_trouble, fact->stored.why);
	service->remembered = same && !fact->stored.why;
	if (!same && !fact->stored.why)
		service->remembering = true, wd_guard_dirty(guard, service, true);
	else
		wd_case_stored(guard, service);
	settle(guard, service);
}

static void tell_acted(struct wd_guard *guard, const struct wd_fact *fact)
{
	wd_case_acted(guard, fact);
	wd_claim_settle(guard, "");
	pass_time(guard, false);
}

static void tell_asked(struct wd_guard *guard, const struct wd_fact *fact)
{
	wd_manual_ask(guard, fact);
	pass_time(guard, true);
}

static void meet_policies(struct wd_guard *guard)
{
	guard->reloaded = false;
	for (size_t i = 0; i < guard->count; i++) {
		wd_case_met(guard, guard->services[i]);
		wd_pins_met(guard, guard->services[i]);
	}
}

void wd_guard_tell(struct wd_guard *guard, wd_time now, const struct wd_fact *fact)
{
	assert(guard->order_head == guard->order_tail);
	clear_turn(guard);
	guard->now = now > guard->now ? now : guard->now;
	guard->stamp = fact->stamp;
	if (guard->reloaded)
		meet_policies(guard);

	switch (fact->kind) {
	case WD_FACT_TIME:
		pass_time(guard, false);
		break;
	case WD_FACT_MEMORY:
		wd_service_recall(guard, fact->memory);
		tell_remembered(guard, fact->memory->service, NULL);
		break;
	case WD_FACT_INCIDENT:
		wd_case_recall(guard, fact->incident);
		tell_remembered(guard, fact->incident->service, fact->incident->container);
		break;
	case WD_FACT_SPENT:
		wd_gate_acted(guard, wd_guard_when(guard, fact->spent));
		break;
	case WD_FACT_RESUMING:
		wd_manual_resuming(guard, fact);
		break;
	case WD_FACT_ENGINE_UP:
		tell_up(guard, fact->restarted);
		break;
	case WD_FACT_ENGINE_DOWN:
		guard->up = false;
		break;
	case WD_FACT_CONTAINER:
		tell_seen(guard, fact);
		break;
	case WD_FACT_GONE:
		tell_gone(guard, fact->id);
		break;
	case WD_FACT_SYNCED:
		tell_synced(guard, fact->given_up);
		break;
	case WD_FACT_EVENT:
		tell_event(guard, fact->event);
		break;
	case WD_FACT_ACTED:
		tell_acted(guard, fact);
		break;
	case WD_FACT_HOOKED:
		wd_hook_ends(guard, fact);
		break;
	case WD_FACT_STORED:
		tell_stored(guard, fact);
		break;
	case WD_FACT_ASKED:
		tell_asked(guard, fact);
		break;
	case WD_FACT_LATE:
		tell_late(guard, fact->late);
		break;
	case WD_FACT_IMAGE:
		tell_image(guard, fact);
		break;
	case WD_FACT_SAMPLE:
		tell_sample(guard, fact);
		break;
	}
}

wd_time wd_guard_wake(const struct wd_guard *guard)
{
	if (guard->dirty_count && guard->flush_at < guard->wake)
		return guard->flush_at;
	return guard->wake;
}

void wd_guard_configure(struct wd_guard *guard, const struct wd_settings *settings)
{
	guard->settings = settings;
	for (size_t i = 0; i < guard->count; i++) {
		struct wd_service *service = guard->services[i];
		service->spared = !wd_service_may_touch(guard, service);
		if (!service->container)
			continue;
		struct wd_findings ignored = {0};
		wd_policies_take(guard, service, &ignored);
		wd_findings_done(&ignored);
		memset(service->settled, 0, sizeof(service->settled)); /* there may be more to say about it now */
		if (service->memory.hold.held)
			service->look_at = guard->now; /* what was not to be touched may be now */
	}
	guard->reloaded = true;   /* what follows from it may be orders, which are given when a fact is told */
	guard->wake = guard->now; /* every deadline may have moved */
	for (size_t i = 0; i < guard->count; i++)
		guard->services[i]->next = guard->now;
}
