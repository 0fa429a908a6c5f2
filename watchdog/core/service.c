#include "machine.h"

#include <assert.h>
#include <string.h>

#define YOUTH WD_HOUR
#define STRANGE_EVENTS 64 /* the last ones of a container that nobody has inspected yet */

const char *wd_service_name(const struct wd_service *service)
{
	return service->memory.name ? service->memory.name : service->memory.service;
}

struct wd_service *wd_service_by_id(const struct wd_guard *guard, const char *id)
{
	return wd_map_get(guard->by_id, id);
}

struct wd_service *wd_service_new(struct wd_guard *guard, const char *key)
{
	struct wd_service *service = wd_alloc(1, sizeof(*service));

	service->memory.service = wd_copy(key);
	service->verdict = WD_VERDICT_WELL;
	if (guard->muted_until > guard->now) {
		service->muted_until = guard->muted_until;
		service->memory.muted_until = guard->stamp + (guard->muted_until - guard->now) * 1000;
	}
	service->verdict_why = "";
	service->last_exit = -1;
	service->waiting_since = service->unhealthy_since = service->down_since = WD_NEVER;
	service->look_at = service->gone_at = service->next = service->ended_at = service->broke_at = WD_NEVER;
	guard->services = wd_realloc(guard->services, guard->count + 1, sizeof(*guard->services));
	guard->services[guard->count++] = service;
	wd_map_set(guard->by_key, key, service);
	return service;
}

void wd_service_empty(struct wd_service *service)
{
	wd_marks_clear(&service->crashes);
	wd_marks_clear(&service->ooms);
	service->waited = 0;
	service->proven = 0;
	service->last_wait = 0;
	service->longest_life = 0;
	service->pending.stamp = WD_STAMP_NONE;
	service->blind = false;
}

void wd_service_account_is_right(const struct wd_guard *guard, struct wd_service *service, wd_time at)
{
	service->sure_at = at;
	service->memory.sure = guard->stamp - (guard->now - at) * 1000;
}

static void drop_id(struct wd_guard *guard, const struct wd_service *service)
{
	if (service->memory.id && wd_map_get(guard->by_id, service->memory.id) == service)
		wd_map_remove(guard->by_id, service->memory.id);
}

static void drop_container(struct wd_guard *guard, struct wd_service *service)
{
	drop_id(guard, service);
	if (!service->container)
		return;
	service->container = wd_container_free(service->container);
	wd_policies_drop(guard, service);
	service->running = false;
	wd_usage_forget(service);
	service->unhealthy_since = service->down_since = service->look_at = WD_NEVER;
	service->waiting_since = WD_NEVER;
	service->owed = 0;
}

void wd_service_lose(struct wd_guard *guard, struct wd_service *service)
{
	if (wd_move_is_away(service)) { /* its end tells what has become of it */
		service->move.gone = true;
		return;
	}
	WD_AUTO_FREE char *claimed = service->container ? wd_copy(service->container->service) : NULL;
	bool anew = service->memory.id && wd_claim_is_made(guard, service->memory.id);
	wd_move_left(guard, service, false);
	wd_case_replaced(guard, service, anew ? "deployed anew" : "the container is gone");
	drop_container(guard, service);
	if (service->memory.id &&
	    !service->move.phase) { /* a row without a container tells the next seadog since when there is none */
		wd_guard_keep(guard, service->memory.id);
		service->memory.id = NULL;
		wd_service_account_is_right(guard, service, guard->now);
		wd_guard_dirty(guard, service, true);
	}
	service->gone_at = service->memory.id ? guard->now : wd_guard_when(guard, service->memory.sure);
	if (claimed)
		wd_claim_left(guard, claimed);
}

static void forget_row(struct wd_guard *guard, const char *key)
{
	wd_guard_order(guard, WD_ORDER_FORGET, NULL)->service = wd_guard_keep(guard, wd_copy(key));
}

/* It is out of all lists, and freed when nothing lends from it any more; its row is another matter. */
static void retire(struct wd_guard *guard, struct wd_service *service)
{
	drop_container(guard, service);
	if (wd_map_get(guard->by_key, service->memory.service) == service)
		wd_map_remove(guard->by_key, service->memory.service);
	for (size_t i = 0; i < guard->count; i++) {
		if (guard->services[i] != service)
			continue;
		guard->services[i] = guard->services[--guard->count];
		break;
	}
	for (size_t i = guard->dirty_count; i-- > 0;)
		if (guard->dirty[i] == service)
			guard->dirty[i] = guard->dirty[--guard->dirty_count];
	guard->confirm_count -= service->confirm;
	guard->dead_services = wd_realloc(guard->dead_services, guard->dead_service_count + 1, sizeof(service));
	guard->dead_services[guard->dead_service_count++] = service;
}

/* What is known of its images is worth more than its windows: who takes a service down for an hour deploys it again. */
wd_time wd_service_outlives(const struct wd_service *service)
{
	return service->memory.pins.count || service->memory.pins.swap_count ? WD_DAY : 10 * WD_MINUTE;
}

void wd_service_forget(struct wd_guard *guard, struct wd_service *service)
{
	wd_pins_forget(guard, service);
	forget_row(guard, service->memory.service);
	retire(guard, service);
}

static wd_time mapped_ahead(const struct wd_guard *guard, wd_stamp then)
{
	return then > guard->stamp ? guard->now + (then - guard->stamp) / 1000 : 0;
}

/* The back-off so far; and where a crash is the last that was heard of it, the Engine was waiting. */
static void recall_wait(struct wd_service *service)
{
	const struct wd_memory *memory = &service->memory;

	if (!service->crashes.count)
		return;
	const struct wd_mark_time *last = &service->crashes.items[service->crashes.count - 1];
	for (unsigned i = 0; i < service->crashes.count; i++)
		if (service->crashes.items[i].waited > service->waited)
			service->waited = service->crashes.items[i].waited;
	service->last_exit = last->exit_code;
	if (last->stamp == memory->last_event && memory->policy.kind != WD_RESTART_NO && !memory->hold.held)
		service->waiting_since = last->at;
}

/* seadog died between the row under a new name and the end of the one under the old: the later one counts. */
static bool is_outdated(struct wd_guard *guard, const struct wd_memory *memory)
{
	struct wd_service *twin = memory->id ? wd_service_by_id(guard, memory->id) : NULL;

	if (!twin)
		return false;
	if (memory->last_event < twin->memory.last_event ||
	    (memory->last_event == twin->memory.last_event && memory->sure < twin->memory.sure)) {
		forget_row(guard, memory->service);
		return true;
	}
	forget_row(guard, twin->memory.service);
	retire(guard, twin);
	return false;
}

void wd_service_recall(struct wd_guard *guard, const struct wd_memory *memory)
{
	if (wd_map_get(guard->by_key, memory->service) || is_outdated(guard, memory))
		return;
	struct wd_service *service = wd_service_new(guard, memory->service);
	struct wd_memory *mine = &service->memory;

	mine->name = wd_copy(memory->name);
	mine->id = wd_copy(memory->id);
	mine->image_id = wd_copy(memory->image_id);
	mine->policy = memory->policy;
	mine->counted = memory->counted;
	mine->last_event = memory->last_event;
	mine->started = memory->started;
	mine->cooldown_until = memory->cooldown_until;
	mine->muted_until = memory->muted_until;
	mine->hold = memory->hold;
	mine->hold.id = wd_copy(memory->hold.id);
	mine->throttle = memory->throttle;
	wd_pins_copy(&mine->pins, &memory->pins);
	service->cooldown_until = mapped_ahead(guard, memory->cooldown_until);
	service->muted_until = mapped_ahead(guard, memory->muted_until);
	mine->sure = memory->sure ? memory->sure : memory->started;
	service->sure_at = wd_guard_when(guard, mine->sure);
	wd_marks_recall(&service->crashes, memory->crashes, memory->crash_count, guard->now, guard->stamp);
	wd_marks_recall(&service->ooms, memory->ooms, memory->oom_count, guard->now, guard->stamp);
	if (mine->id)
		wd_map_set(guard->by_id, mine->id, service);
	recall_wait(service);
	/* A hold that was carried out has left it without a policy. */
	service->cut_hold = mine->hold.held && mine->hold.kind == WD_ACTION_STOP && mine->policy.kind != WD_RESTART_NO;
	if (mine->hold.held && mine->hold.incident >= guard->next_incident)
		guard->next_incident = mine->hold.incident + 1; /* its incident has not reached the disk */
	service->spared = !wd_service_may_touch(guard, service);
	service->next = guard->now;
}

/* --- who is who ------------------------------------------------------------------------------------------------------- */

/* What was known of the images under that name is known still. */
static void succeed(struct wd_guard *guard, struct wd_service *service, struct wd_service *gone)
{
	wd_move_left(guard, gone, true);
	if (service->memory.pins.count || service->memory.pins.swap_count) {
		wd_pins_forget(guard, gone);
	} else {
		wd_pins_done(&service->memory.pins);
		service->memory.pins = gone->memory.pins;
		gone->memory.pins = (struct wd_pins){0};
	}
	retire(guard, gone);
}

/* The row under the new name goes to the disk before the old one goes from it: a hold may stand in it. */
static void rename_key(struct wd_guard *guard, struct wd_service *service, const char *key)
{
	if (wd_text_equal(service->memory.service, key))
		return;
	if (wd_map_get(guard->by_key, service->memory.service) == service) {
		forget_row(guard, service->memory.service);
		wd_map_remove(guard->by_key, service->memory.service);
	}
	struct wd_service *taken = wd_map_get(guard->by_key, key);
	if (taken && taken->container)
		wd_service_lose(guard, taken);
	if (taken)
		succeed(guard, service, taken);
	wd_guard_keep(guard, service->memory.service);
	service->memory.service = wd_copy(key);
	wd_map_set(guard->by_key, key, service);
	wd_guard_dirty(guard, service, true);
	wd_pins_write(guard, service);
}

/* The identity of a container: what its labels say, unless another living container says the same: then each goes by
 * its name. */
static const char *identity(const struct wd_guard *guard, const struct wd_container *container)
{
	return wd_map_get(guard->contested, container->service) ? container->name : container->service;
}

static void contest(struct wd_guard *guard, const struct wd_container *container, struct wd_service *owner)
{
	wd_map_set(guard->contested, container->service, guard);
	wd_guard_tell_people(guard, NULL, WD_MOMENT_WARNING, NULL,
			     "containers %s and %s both say that they are %s: each goes by its name", container->name,
			     wd_service_name(owner), container->service);
	if (!owner->container)
		return;
	if (wd_claim_owner(guard, owner->container->name, owner->memory.id))
		wd_guard_inspect(guard, owner->memory.id); /* who had its name before is asked for then */
	else
		rename_key(guard, owner, owner->container->name);
}

/* NULL: whose service it is, the Engine has yet to say. */
static struct wd_service *service_for(struct wd_guard *guard, const struct wd_container *container)
{
	struct wd_service *service = wd_service_by_id(guard, container->id);

	if (service && container->transient) /* the parked one of a pair goes by its own name */
		return service;
	if (wd_claim_waits(guard, identity(guard, container), container->id))
		return service;
	struct wd_service *owner = wd_claim_owner(guard, identity(guard, container), container->id);
	/* A name is unique: who had it is gone, though the Engine did not say so. */
	if (owner && !wd_text_equal(identity(guard, container), container->name)) {
		contest(guard, container, owner);
		if (wd_claim_waits(guard, container->name, container->id))
			return service;
	}
	const char *key = identity(guard, container);
	if (service) {
		rename_key(guard, service, key);
		return service;
	}
	service = wd_map_get(guard->by_key, key);
	return service ? service : wd_service_new(guard, key);
}

/* A finding names its container; people are told of the service anyhow. */
static const char *without_name(const char *text, const char *name)
{
	size_t length = strlen(name);

	return wd_text_starts(text, name) && strncmp(text + length, ": ", 2) == 0 ? text + length + 2 : text;
}

static void warn_findings(struct wd_guard *guard, const struct wd_service *service, const struct wd_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		wd_guard_tell_people(guard, service, WD_MOMENT_WARNING, NULL, "%s",
				     without_name(findings->items[i].text, wd_service_name(service)));
}

static bool same_labels(const struct wd_container *one, const struct wd_container *two)
{
	if (one->label_count != two->label_count)
		return false;
	for (unsigned i = 0; i < one->label_count; i++)
		if (!wd_text_equal(one->labels[i].key, two->labels[i].key) ||
		    !wd_text_equal(one->labels[i].value, two->labels[i].value))
			return false;
	return true;
}

static bool same_subject(const struct wd_container *one, const struct wd_container *two)
{
	return one && wd_text_equal(one->name, two->name) && wd_text_equal(one->service, two->service) &&
	       wd_text_equal(one->image, two->image) && wd_text_equal(one->id, two->id) && same_labels(one, two);
}

static struct wd_container *clone(const struct wd_container *from)
{
	struct wd_container *copy = wd_alloc(1, sizeof(*copy));

	*copy = *from;
	copy->id = wd_copy(from->id);
	copy->name = wd_copy(from->name);
	copy->service = wd_copy(from->service);
	copy->image = wd_copy(from->image);
	copy->image_id = wd_copy(from->image_id);
	copy->trouble = wd_copy(from->trouble);
	copy->project = wd_copy(from->project);
	copy->labels = from->label_count ? wd_alloc(from->label_count, sizeof(*copy->labels)) : NULL;
	for (unsigned i = 0; i < from->label_count; i++) {
		copy->labels[i].key = wd_copy(from->labels[i].key);
		copy->labels[i].value = wd_copy(from->labels[i].value);
	}
	return copy;
}

/* Takes the new picture of the container in; the policy is worked out anew only where what it depends on changed. */
static bool take_picture(struct wd_guard *guard, struct wd_service *service, const struct wd_container *container)
{
	bool same = same_subject(service->container, container);

	wd_container_free(service->container);
	service->container = clone(container);
	wd_map_set(guard->by_id, container->id, service);
	service->gone_at = WD_NEVER;
	if (same && service->policy)
		return false;
	struct wd_findings findings = {0};
	wd_policies_take(guard, service, &findings);
	warn_findings(guard, service, &findings);
	wd_findings_done(&findings);
	return true;
}

/* Of a young one all crashes are in reach of the windows, those too that happened before anybody watched. */
static bool is_young(const struct wd_guard *guard, const struct wd_container *container)
{
	return container->created != WD_STAMP_NONE && guard->now - wd_guard_when(guard, container->created) < YOUTH;
}

/* What is known of the run of one container says nothing about another. */
static void forget_run(struct wd_service *service)
{
	wd_service_empty(service);
	service->stopped = service->ended = false;
	service->run_stamp = WD_STAMP_NONE;
	service->asked_until = 0;
	service->owed = 0;
	service->undecided.stamp = WD_STAMP_NONE;
	service->exit_wanted = false;
	service->waiting_since = service->ended_at = WD_NEVER;
	service->unhealthy_since = service->down_since = service->look_at = WD_NEVER;
	service->remembered = false;
	service->running = false;
	wd_usage_forget(service);
}

/* Another container under the same identity: a new deployment is a new service's chance. */
static void begin_anew(struct wd_guard *guard, struct wd_service *service, const struct wd_container *container)
{
	if (service->memory.id) {
		wd_move_left(guard, service, true);
		wd_case_replaced(guard, service, "deployed anew");
	}
	drop_id(guard, service);
	forget_run(service);
	service->blind = container->restart_count > 0;
	wd_guard_keep(guard, service->memory.id); /* orders of this turn may still lend it */
	service->memory.id = wd_copy(container->id);
	bool young = is_young(guard, container);
	service->memory.counted = young ? 0 : container->restart_count;
	service->memory.started = container->started;
	service->memory.last_event = WD_STAMP_NONE;
	wd_service_account_is_right(guard, service, young ? wd_guard_when(guard, container->created) : guard->now);
}

/* What was heard of it while it was nobody's, from its first start on. */
static void hear_adopted(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_stranger *stranger = wd_map_get(guard->strangers, service->memory.id);

	if (!stranger || !service->container)
		return; /* its first inspect hears them */
	wd_map_remove(guard->strangers, service->memory.id);
	for (unsigned i = 0; i < stranger->count; i++)
		wd_event_take(guard, service, &stranger->events[i]);
	free(stranger->events);
	free(stranger);
}

void wd_service_adopt(struct wd_guard *guard, struct wd_service *service, const char *id, const char *image_id)
{
	struct wd_container *container = service->container;

	wd_claim_drop(guard, id);
	if (wd_text_equal(service->memory.id, id)) { /* for a seadog before this one: what it counted holds */
		service->square = service->listed = true;
		return;
	}
	drop_id(guard, service);
	wd_guard_keep(guard, service->memory.id);
	service->memory.id = wd_copy(id);
	wd_map_set(guard->by_id, service->memory.id, service);
	forget_run(service);
	service->memory.counted = 0;
	service->memory.started = WD_STAMP_NONE;
	service->memory.last_event = WD_STAMP_NONE;
	wd_service_account_is_right(guard, service, guard->now);
	service->square = service->listed = true;
	if (image_id)
		wd_replace(&service->memory.image_id, image_id);
	if (container) {
		wd_replace(&container->id, id);
		wd_replace(&container->image_id, image_id ? image_id : container->image_id);
		container->restart_count = 0;
		container->policy = service->memory.policy;
		container->health = container->check_patience ? WD_HEALTH_STARTING : WD_HEALTH_NONE;
	}
	wd_guard_dirty(guard, service, true);
	hear_adopted(guard, service);
}

/* The rows' plain members; anything that changed is written. */
static void note_changes(struct wd_guard *guard, struct wd_service *service, const struct wd_container *container)
{
	struct wd_memory *memory = &service->memory;
	bool changed =
		!wd_text_equal(memory->name, container->name) || !wd_text_equal(memory->image_id, container->image_id);

	if (!wd_restart_policy_equal(memory->policy, container->policy)) {
		memory->policy = container->policy;
		service->remembered = false;
		changed = true;
	}
	if (memory->started != container->started) {
		memory->started = container->started;
		service->other_run = !service->run_told;
		service->run_told = false;
		changed = true;
	}
	wd_guard_keep(guard, memory->name); /* orders of this turn may still lend it */
	memory->name = wd_copy(container->name);
	wd_replace(&memory->image_id, container->image_id);
	if (changed)
		wd_guard_dirty(guard, service, false);
}

/* Those that its restart policy may have answered, so that RestartCount holds them: nobody asked for them. */
static unsigned count_crashes(const struct wd_service *service, const struct wd_stranger *stranger)
{
	bool asked = false;
	unsigned count = 0;

	for (unsigned i = 0; i < stranger->count; i++) {
		const struct wd_event *event = &stranger->events[i];
		if (event->stamp <= service->memory.last_event)
			continue; /* told again: taken in before seadog was restarted */
		if (event->kind == WD_EVENT_KILL)
			asked |= wd_event_ends_it(service->container, event->signal);
		else if (event->kind == WD_EVENT_STOP || event->kind == WD_EVENT_START)
			asked = event->kind == WD_EVENT_STOP;
		else if (event->kind == WD_EVENT_DIE)
			count += !asked;
	}
	return count;
}

/* Events that came before the first inspect are judged now that we know whose they are. */
static void hear_stranger(struct wd_guard *guard, struct wd_service *service, struct wd_stranger *stranger)
{
	bool created = false;

	for (unsigned i = 0; i < stranger->count; i++)
		created |= stranger->events[i].kind == WD_EVENT_CREATE;
	unsigned counted = service->memory.counted, dies = count_crashes(service, stranger);
	service->memory.counted = created || dies > counted ? 0 : counted - dies;
	if (stranger->since < service->sure_at)
		wd_service_account_is_right(guard, service, stranger->since);
	for (unsigned i = 0; i < stranger->count; i++)
		wd_event_take(guard, service, &stranger->events[i]);
	service->square = true;
	free(stranger->events);
	free(stranger);
}

/* What was remembered of it was down when it was started by hand, while no seadog watched: RestartCount began anew then,
 * for it is less than what it would be otherwise. */
static bool began_anew_unseen(const struct wd_service *service, const struct wd_stranger *stranger)
{
	const struct wd_container *container = service->container;
	const struct wd_event *first = NULL;

	for (unsigned i = 0; i < stranger->count && !first; i++) {
		const struct wd_event *event = &stranger->events[i];
		bool of_run = event->kind == WD_EVENT_START || event->kind == WD_EVENT_DIE;
		if (of_run && event->stamp > service->memory.last_event)
			first = event;
	}
	if (!first || first->kind != WD_EVENT_START || service->waiting_since != WD_NEVER || service->memory.hold.held)
		return false;
	return (container->state == WD_STATE_RUNNING || container->state == WD_STATE_RESTARTING) &&
	       container->restart_count < service->memory.counted + count_crashes(service, stranger);
}

static void hear_remembered(struct wd_guard *guard, struct wd_service *service, struct wd_stranger *stranger)
{
	service->ended |= began_anew_unseen(service, stranger);
	for (unsigned i = 0; i < stranger->count; i++)
		wd_event_take(guard, service, &stranger->events[i]);
	free(stranger->events);
	free(stranger);
}

void wd_service_see(struct wd_guard *guard, const struct wd_container *container, wd_time asked, bool synced)
{
	struct wd_stranger *stranger;

	if (container->transient && !wd_service_by_id(guard, container->id)) {
		return; /* nobody's service while it has that name; a rename brings it back */
	}
	if (wd_move_hides(guard, container)) {
		struct wd_service *moving = wd_service_by_id(guard, container->id);
		if (moving)
			moving->listed = true;
		else
			wd_claim_hidden(guard, container->id);
		return;
	}
	struct wd_service *service = service_for(guard, container);
	if (!service)
		return;
	bool fresh = !wd_text_equal(service->memory.id, container->id);
	bool first = fresh || !service->container;

	stranger = wd_map_get(guard->strangers, container->id);
	/* Which of its crashes RestartCount holds already must be known; the inspect that its die asked for tells. */
	if (stranger && fresh && stranger->died_at > asked)
		return;
	wd_map_remove(guard->strangers, container->id);
	if (fresh)
		begin_anew(guard, service, container);
	bool other_subject = take_picture(guard, service, container);
	note_changes(guard, service, container);
	service->spared = !wd_service_may_touch(guard, service);
	service->listed = true;
	service->square |= synced || first;
	if (first)
		wd_case_met(guard, service);
	if (first || other_subject)
		wd_pins_met(guard, service);
	if (fresh)
		wd_pins_deployed(guard, service);
	if (stranger && fresh)
		hear_stranger(guard, service, stranger);
	else if (stranger)
		hear_remembered(guard, service, stranger);
	wd_sight_take(guard, service, asked, first);
}

void wd_guard_stranger(struct wd_guard *guard, const struct wd_event *event)
{
	struct wd_stranger *stranger = wd_map_get(guard->strangers, event->id);

	if (event->kind == WD_EVENT_DESTROY) {
		wd_claim_drop(guard, event->id);
		if (stranger) {
			wd_map_remove(guard->strangers, event->id);
			free(stranger->events);
			free(stranger);
		}
		return;
	}
	if (!stranger) {
		if (wd_map_count(guard->strangers) >= 4096)
			return; /* the next list finds them */
		stranger = wd_alloc(1, sizeof(*stranger));
		memcpy(stranger->id, event->id, sizeof(stranger->id));
		stranger->since = event->from;
		wd_map_set(guard->strangers, event->id, stranger);
	}
	if (stranger->count == STRANGE_EVENTS)
		memmove(stranger->events, stranger->events + 1, --stranger->count * sizeof(*event));
	else
		stranger->events = wd_realloc(stranger->events, stranger->count + 1, sizeof(*event));
	stranger->events[stranger->count++] = *event;
	if (event->kind == WD_EVENT_DIE)
		stranger->died_at = guard->now;
	wd_guard_inspect(guard, event->id);
}

/* --- verdict ---------------------------------------------------------------------------------------------------------- */

/* A socket proxy is known by its address: in a compose project that is the name of its service. */
static bool is_self(const struct wd_service *service, const char *self)
{
	const char *part = strchr(service->memory.service, '/');
	size_t length = strlen(self);

	if (wd_text_equal(self, wd_service_name(service)) || wd_text_equal(self, service->memory.id))
		return true;
	return part && strncmp(part + 1, self, length) == 0 && part[1 + length] == '/';
}

bool wd_service_may_touch(const struct wd_guard *guard, const struct wd_service *service)
{
	const struct wd_list *never = &guard->settings->never;

	for (size_t i = 0; i < never->count; i++)
		if (wd_glob_match(never->items[i], wd_service_name(service)) ||
		    wd_glob_match(never->items[i], service->memory.service))
			return false;
	for (size_t i = 0; i < guard->self.count; i++)
		if (is_self(service, guard->self.items[i]))
			return false;
	return true;
}

static enum wd_verdict case_verdict(const struct wd_case *the_case)
{
	switch (the_case->phase) {
	case WD_PHASE_REMEMBERING:
	case WD_PHASE_TREATING:
		return WD_VERDICT_TREATING;
	case WD_PHASE_MOVING:
	case WD_PHASE_VERIFYING:
	case WD_PHASE_CONFIRMING:
		return WD_VERDICT_VERIFYING;
	case WD_PHASE_WAITING:
	case WD_PHASE_WATCHING:
		return WD_VERDICT_SICK;
	}
	return WD_VERDICT_SICK;
}

static enum wd_verdict worst_case(const struct wd_service *service)
{
	const struct wd_case *acting = wd_case_acting(service);

	if (acting)
		return case_verdict(acting);
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i])
			return WD_VERDICT_SICK;
	return WD_VERDICT_WELL;
}

static enum wd_verdict find_verdict(const struct wd_guard *guard, const struct wd_service *service)
{
	enum wd_verdict open = worst_case(service);

	if (service->manual || open == WD_VERDICT_TREATING || wd_move_is_away(service))
		return WD_VERDICT_TREATING;
	if (service->move.phase)
		return WD_VERDICT_VERIFYING;
	if (service->memory.hold.held)
		return WD_VERDICT_HELD;
	if (service->spared || (service->policy && !service->policy->watched))
		return WD_VERDICT_IGNORED;
	if (service->muted_until > guard->now)
		return WD_VERDICT_MUTED;
	if (open != WD_VERDICT_WELL)
		return open;
	return wd_judge_suspects(guard, service) ? WD_VERDICT_SUSPECT : WD_VERDICT_WELL;
}

void wd_service_judge_verdict(struct wd_guard *guard, struct wd_service *service)
{
	enum wd_verdict verdict = find_verdict(guard, service);

	if (verdict == service->verdict)
		return;
	wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL, "%s -> %s", wd_verdict_name(service->verdict),
			     wd_verdict_name(verdict));
	service->verdict = verdict;
}
