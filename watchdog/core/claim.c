#include "machine.h"

#include <stdio.h>

#define PATIENCE                                                                                                       \
	(10 * WD_SECOND) /* an Engine that does not say what became of one container must not blind us to another */

struct wd_claim {
	char owner[65]; /* the container that the identity is remembered of; "": of whom a plan is at work on */
	wd_time until;
	bool settled; /* the Engine has told what became of the owner */
};

struct wd_service *wd_claim_owner(const struct wd_guard *guard, const char *key, const char *id)
{
	struct wd_service *owner = wd_map_get(guard->by_key, key);

	if (!owner || !owner->memory.id || owner->gone_at != WD_NEVER || wd_text_equal(owner->memory.id, id))
		return NULL;
	if (owner->container && (owner->container->state == WD_STATE_REMOVING || owner->container->transient))
		return NULL;
	return owner;
}

static void set_claim(struct wd_guard *guard, const char *id, const char *owner)
{
	struct wd_claim *claim = wd_alloc(1, sizeof(*claim));

	snprintf(claim->owner, sizeof(claim->owner), "%s", owner);
	claim->until = *owner ? guard->now + PATIENCE : WD_NEVER;
	free(wd_map_set(guard->claims, id, claim));
	guard->wake = claim->until < guard->wake ? claim->until : guard->wake;
}

void wd_claim_drop(struct wd_guard *guard, const char *id)
{
	free(wd_map_remove(guard->claims, id));
}

bool wd_claim_waits(struct wd_guard *guard, const char *key, const char *id)
{
	const struct wd_service *owner = wd_claim_owner(guard, key, id);
	const struct wd_claim *claim = wd_map_get(guard->claims, id);

	if (owner && (!claim || !wd_text_equal(claim->owner, owner->memory.id))) {
		set_claim(guard, id, owner->memory.id);
		wd_guard_inspect(guard, owner->memory.id);
		return true;
	}
	if (owner && !claim->settled && claim->until > guard->now)
		return true;
	wd_claim_drop(guard, id);
	return false;
}

void wd_claim_hidden(struct wd_guard *guard, const char *id)
{
	set_claim(guard, id, "");
}

bool wd_claim_is_made(const struct wd_guard *guard, const char *owner)
{
	for (struct wd_map_entry *e = wd_map_first(guard->claims); e; e = wd_map_next(e)) {
		const struct wd_claim *claim = wd_map_value(e);
		if (wd_text_equal(claim->owner, owner))
			return true;
	}
	return false;
}

void wd_claim_settle(struct wd_guard *guard, const char *owner)
{
	for (struct wd_map_entry *e = wd_map_first(guard->claims); e; e = wd_map_next(e)) {
		struct wd_claim *claim = wd_map_value(e);
		if (claim->settled || !wd_text_equal(claim->owner, owner))
			continue;
		claim->settled = true;
		claim->until = WD_NEVER;
		wd_guard_inspect(guard, wd_map_key(e));
	}
}

void wd_claim_time(struct wd_guard *guard)
{
	for (struct wd_map_entry *e = wd_map_first(guard->claims); e && guard->up; e = wd_map_next(e)) {
		struct wd_claim *claim = wd_map_value(e);
		if (claim->until <= guard->now) {
			claim->settled = true;
			claim->until = WD_NEVER;
			wd_guard_inspect(guard, wd_map_key(e));
		} else if (claim->until < guard->wake) {
			guard->wake = claim->until;
		}
	}
}

void wd_claim_clear(struct wd_guard *guard)
{
	struct wd_map_entry *next;

	for (struct wd_map_entry *e = wd_map_first(guard->claims); e; e = next) {
		next = wd_map_next(e);
		wd_claim_drop(guard, wd_map_key(e));
	}
}

void wd_claim_left(struct wd_guard *guard, const char *key)
{
	const struct wd_service *last = NULL;
	unsigned count = 0;

	if (!wd_map_get(guard->contested, key))
		return;
	for (size_t i = 0; i < guard->count; i++) {
		const struct wd_service *service = guard->services[i];
		if (!service->container || !wd_text_equal(service->container->service, key))
			continue;
		last = service;
		count++;
	}
	if (count > 1)
		return;
	wd_map_remove(guard->contested, key);
	if (last)
		wd_guard_inspect(guard, last->memory.id);
}
