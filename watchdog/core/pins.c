#include "machine.h"

#include <string.h>

#define ASK_AGAIN (10 * WD_MINUTE)

void wd_pins_write(struct wd_guard *guard, const struct wd_service *service)
{
	wd_guard_order(guard, WD_ORDER_PINS, service)->memory = &service->memory;
}

/* --- what is asked of the Engine -------------------------------------------------------------------------------------- */

static struct wd_question *add_question(struct wd_guard *guard, struct wd_service *service, int purpose,
					const char *image)
{
	service->questions = wd_realloc(service->questions, service->question_count + 1, sizeof(*service->questions));
	struct wd_question *question = &service->questions[service->question_count++];
	*question = (struct wd_question){.ticket = guard->next_ticket++, .image = wd_copy(image)};
	question->purpose = purpose;
	return question;
}

static void order_image(struct wd_guard *guard, const struct wd_service *service, uint64_t ticket,
			enum wd_image_job job, const char *image, const char *id)
{
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_IMAGE, service);

	order->ticket = ticket;
	order->job = job;
	order->target.image = image ? wd_guard_keep(guard, wd_copy(image)) : NULL;
	order->target.id = id ? wd_guard_keep(guard, wd_copy(id)) : NULL;
}

static bool is_asked(const struct wd_service *service, int purpose)
{
	for (unsigned i = 0; i < service->question_count; i++)
		if ((int)service->questions[i].purpose == purpose)
			return true;
	return false;
}

void wd_pins_clear(struct wd_service *service)
{
	for (unsigned i = 0; i < service->question_count; i++)
		free(service->questions[i].image);
	free(service->questions);
	service->questions = NULL;
	service->question_count = 0;
}

/* --- the list ---------------------------------------------------------------------------------------------------------- */

static bool is_pinned(const struct wd_service *service, const char *id)
{
	for (unsigned i = 0; i < service->memory.pins.count; i++)
		if (wd_text_equal(service->memory.pins.items[i].id, id))
			return true;
	return false;
}

/* The tag is the image's, whoever needs it; a rollback that is under way needs it too. */
static void let_go(struct wd_guard *guard, const struct wd_service *service, const char *id)
{
	for (size_t i = 0; i < guard->count; i++)
		if (is_pinned(guard->services[i], id))
			return;
	if (!guard->settings->observe)
		order_image(guard, service, 0, WD_IMAGE_UNKEEP, NULL, id);
}

static void drop_pin(struct wd_guard *guard, struct wd_service *service, unsigned index)
{
	struct wd_pins *pins = &service->memory.pins;
	struct wd_pin pin = pins->items[index];

	pins->count--;
	memmove(pins->items + index, pins->items + index + 1, (pins->count - index) * sizeof(pin));
	let_go(guard, service, pin.id);
	free(pin.image);
	free(pin.id);
	free(pin.digests);
}

static bool is_of_policy(enum wd_pin_by by)
{
	return by == WD_PIN_CONFIG || by == WD_PIN_LABEL;
}

/* What the new one takes the place of: the same image learned before; one by hand that by hand; one by policy that. */
static bool displaces(const struct wd_pin *old, const struct wd_pin *fresh)
{
	if (fresh->by == WD_PIN_LEARNED)
		return old->by == WD_PIN_LEARNED && wd_text_equal(old->id, fresh->id);
	return is_of_policy(fresh->by) ? is_of_policy(old->by) : old->by == fresh->by;
}

static void add_pin(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		    const struct wd_fact *fact)
{
	struct wd_pins *pins = &service->memory.pins;
	struct wd_pin pin = {.image = wd_copy(question->image),
			     .id = wd_copy(fact->image.id),
			     .digests = wd_copy(fact->image.digests),
			     .since = guard->stamp,
			     .by = question->by};

	pins->items = wd_realloc(pins->items, pins->count + 1, sizeof(pin));
	pins->items[pins->count++] = pin;
	for (unsigned i = pins->count - 1; i-- > 0;)
		if (displaces(&pins->items[i], &pin))
			drop_pin(guard, service, i);
}

static void trim(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_pins *pins = &service->memory.pins;
	int64_t left = service->policy ? service->policy->pins_kept : INT64_MAX;

	for (unsigned i = pins->count; i-- > 0;)
		if (pins->items[i].by == WD_PIN_LEARNED && left-- <= 0)
			drop_pin(guard, service, i);
}

static void drop_by(struct wd_guard *guard, struct wd_service *service, bool of_policy)
{
	for (unsigned i = service->memory.pins.count; i-- > 0;)
		if (is_of_policy(service->memory.pins.items[i].by) == of_policy)
			drop_pin(guard, service, i);
}

void wd_pins_unlearn(struct wd_guard *guard, struct wd_service *service, const char *id)
{
	for (unsigned i = service->memory.pins.count; i-- > 0;)
		if (service->memory.pins.items[i].by == WD_PIN_LEARNED &&
		    wd_text_equal(service->memory.pins.items[i].id, id))
			drop_pin(guard, service, i);
}

void wd_pins_forget(struct wd_guard *guard, struct wd_service *service)
{
	while (service->memory.pins.count)
		drop_pin(guard, service, service->memory.pins.count - 1);
}

/* --- learning ---------------------------------------------------------------------------------------------------------- */

static bool is_known(const struct wd_service *service, const char *id)
{
	const struct wd_pins *pins = &service->memory.pins;
	bool newest = true;

	for (unsigned i = pins->count; i-- > 0;) {
		bool learned = pins->items[i].by == WD_PIN_LEARNED;
		if (wd_text_equal(pins->items[i].id, id) && (!learned || newest))
			return true;
		newest = newest && !learned;
	}
	return wd_pins_bad(pins, id) != NULL;
}

static bool could_learn(const struct wd_service *service)
{
	const struct wd_container *container = service->container;

	if (!service->policy || !service->policy->watched || service->spared || !service->running ||
	    container->state != WD_STATE_RUNNING)
		return false;
	if (service->memory.hold.held || service->move.phase || wd_manual_busy(service) || wd_case_acting(service) ||
	    service->unhealthy_since != WD_NEVER || is_asked(service, WD_FOR_LEARNING))
		return false;
	if (container->check_patience > 0 && container->health != WD_HEALTH_HEALTHY)
		return false;
	return !is_known(service, container->image_id);
}

wd_time wd_pins_next(const struct wd_service *service)
{
	if (!could_learn(service))
		return WD_NEVER;
	wd_time from = service->started_at > service->learn_from ? service->started_at : service->learn_from;
	wd_time at = from + service->policy->good_after;
	return at > service->learn_next ? at : service->learn_next;
}

void wd_pins_time(struct wd_guard *guard, struct wd_service *service)
{
	if (wd_pins_next(service) > guard->now)
		return;
	const struct wd_container *container = service->container;
	struct wd_question *question = add_question(guard, service, WD_FOR_LEARNING, container->image);
	question->by = WD_PIN_LEARNED;
	order_image(guard, service, question->ticket, guard->settings->observe ? WD_IMAGE_LOOK : WD_IMAGE_KEEP,
		    container->image, container->image_id);
}

static void learned(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		    const struct wd_fact *fact)
{
	char span[WD_TIME_TEXT];

	if (fact->image.end != WD_PLAN_DONE) {
		service->learn_next = guard->now + ASK_AGAIN;
		return;
	}
	add_pin(guard, service, question, fact);
	trim(guard, service);
	wd_pins_write(guard, service);
	wd_guard_tell_people(guard, service, WD_MOMENT_STATE, NULL, "%s is known to be good: it has run for %s",
			     question->image,
			     wd_span_print_short(service->policy ? service->policy->good_after : 0, span));
}

/* --- what the policy names ---------------------------------------------------------------------------------------------- */

static const struct wd_pin *pin_of_policy(const struct wd_service *service)
{
	for (unsigned i = 0; i < service->memory.pins.count; i++)
		if (is_of_policy(service->memory.pins.items[i].by))
			return &service->memory.pins.items[i];
	return NULL;
}

/* The first time it gets the tag; later it is only looked whether the name means another image by now. */
static void resolve(struct wd_guard *guard, struct wd_service *service)
{
	const char *image = service->policy->rollback_to;
	const struct wd_pin *pin = pin_of_policy(service);

	if (!image || !service->policy->watched || service->spared || is_asked(service, WD_FOR_POLICY))
		return;
	struct wd_question *question = add_question(guard, service, WD_FOR_POLICY, image);
	question->known = pin && wd_text_equal(pin->image, image);
	question->by = wd_text_equal(wd_container_label(service->container, "seadog.rollback_to"), image)
			       ? WD_PIN_LABEL
			       : WD_PIN_CONFIG;
	order_image(guard, service, question->ticket,
		    question->known || guard->settings->observe ? WD_IMAGE_LOOK : WD_IMAGE_KEEP, image, NULL);
}

static void warn_missing(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
			 const char *why)
{
	if (!service->unresolved)
		wd_guard_tell_people(guard, service, WD_MOMENT_WARNING, NULL,
				     "rollback_to = %s: %s; seadog pin %s %s --pull fetches it", question->image, why,
				     wd_service_name(service), question->image);
	service->unresolved = true;
}

static void resolved(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		     const struct wd_fact *fact)
{
	const struct wd_pin *pin = pin_of_policy(service);

	if (!service->policy || !wd_text_equal(service->policy->rollback_to, question->image))
		return;
	if (fact->image.end == WD_PLAN_REFUSED && !question->known)
		warn_missing(guard, service, question, fact->image.detail);
	if (fact->image.end != WD_PLAN_DONE)
		return;
	service->unresolved = false;
	if (!question->known) {
		add_pin(guard, service, question, fact);
		wd_pins_write(guard, service);
	} else if (pin && !wd_text_equal(pin->id, fact->image.id)) {
		wd_guard_tell_people(
			guard, service, WD_MOMENT_WARNING, NULL,
			"rollback_to = %s names another image by now (%.19s); what was pinned stays: %.19s",
			question->image, fact->image.id, pin->id);
	}
}

/* --- what it runs -------------------------------------------------------------------------------------------------------- */

static bool may_move(const struct wd_policy *policy)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		for (unsigned n = 0; n < policy->ladders[i].count; n++)
			if (policy->ladders[i].rungs[n].action == WD_ACTION_ROLLBACK ||
			    policy->ladders[i].rungs[n].action == WD_ACTION_ROLLBACK_RESTORE)
				return true;
	return policy->rollback_to != NULL;
}

static void keep_config(struct wd_guard *guard, struct wd_service *service, const char *id, const char *config)
{
	struct wd_pins *pins = &service->memory.pins;

	if (!config || !service->container || !wd_text_equal(service->container->image_id, id) ||
	    wd_text_equal(pins->config_of, id))
		return;
	wd_replace(&pins->config_of, id);
	wd_replace(&pins->config, config);
	wd_pins_write(guard, service);
}

static const char *config_known(const struct wd_guard *guard, const char *id)
{
	for (size_t i = 0; i < guard->count; i++)
		if (wd_text_equal(guard->services[i]->memory.pins.config_of, id))
			return guard->services[i]->memory.pins.config;
	return NULL;
}

/* An image can be removed by force under a container that runs it: then nobody else could tell any more what the
 * container has from its image and what it was given. */
static void remember_config(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_container *container = service->container;

	if (!may_move(service->policy) || !service->policy->watched || !container->image_id ||
	    wd_text_equal(service->memory.pins.config_of, container->image_id) || is_asked(service, WD_FOR_CONFIG))
		return;
	const char *known = config_known(guard, container->image_id);
	if (known) {
		keep_config(guard, service, container->image_id, known);
		return;
	}
	struct wd_question *question = add_question(guard, service, WD_FOR_CONFIG, container->image);
	order_image(guard, service, question->ticket, WD_IMAGE_LOOK, container->image, container->image_id);
}

void wd_pins_met(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_pin *pin = pin_of_policy(service);

	if (!service->policy || !service->container)
		return;
	if (pin && !service->policy->rollback_to) {
		drop_by(guard, service, true);
		wd_pins_write(guard, service);
	}
	resolve(guard, service);
	remember_config(guard, service);
}

void wd_pins_deployed(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_swap_record *bad = wd_pins_bad(&service->memory.pins, service->container->image_id);
	char span[WD_TIME_TEXT];

	if (!bad)
		return;
	wd_guard_tell_people(guard, service, WD_MOMENT_WARNING, NULL,
			     "%s was deployed again: it was rolled back from %s ago, to %s; seadog forgive %s if it is "
			     "another one by now",
			     service->container->image, wd_span_print_short((guard->stamp - bad->at) / 1000, span),
			     bad->to_image, wd_service_name(service));
}

/* --- where to ------------------------------------------------------------------------------------------------------------ */

static const struct wd_swap_record *tried(const struct wd_service *service, const char *to)
{
	const struct wd_pins *pins = &service->memory.pins;

	for (unsigned i = pins->swap_count; i-- > 0;)
		if (wd_text_equal(pins->swaps[i].from_id, service->container->image_id) &&
		    wd_text_equal(pins->swaps[i].to_id, to) && pins->swaps[i].end != WD_SWAP_OPEN)
			return &pins->swaps[i];
	return NULL;
}

/* What people have named goes before what was learned, and alone. */
static const struct wd_pin *named(const struct wd_service *service)
{
	const struct wd_pins *pins = &service->memory.pins;

	for (unsigned i = 0; i < pins->count; i++)
		if (pins->items[i].by == WD_PIN_HAND)
			return &pins->items[i];
	return pin_of_policy(service);
}

static bool fits(const struct wd_service *service, const struct wd_pin *pin, bool by_hand, char **ret_why)
{
	const struct wd_swap_record *before;

	if (wd_text_equal(pin->id, service->container->image_id)) {
		free(*ret_why);
		*ret_why = wd_copy("the pinned image is the one that runs");
		return false;
	}
	before = by_hand ? NULL : tried(service, pin->id);
	if (before) {
		free(*ret_why);
		*ret_why = wd_format("already rolled back from %s to %s%s", before->from_image, before->to_image,
				     before->end == WD_SWAP_IN_VAIN ? ", and it did not help" : "");
	}
	return before == NULL;
}

const struct wd_pin *wd_pins_target(const struct wd_service *service, bool by_hand, char **ret_why)
{
	const struct wd_pins *pins = &service->memory.pins;
	const struct wd_pin *pin = named(service), *found = NULL;
	char *why = wd_copy("no pinned image");

	if (pin && fits(service, pin, by_hand, &why))
		found = pin;
	for (unsigned i = pins->count; !pin && !found && i-- > 0;)
		if (fits(service, &pins->items[i], by_hand, &why))
			found = &pins->items[i];
	if (found || !ret_why)
		free(why);
	else
		*ret_why = why;
	return found;
}

const struct wd_pin *wd_pins_shown(const struct wd_service *service)
{
	const struct wd_pins *pins = &service->memory.pins;
	const struct wd_pin *pin = service->container ? wd_pins_target(service, true, NULL) : NULL;

	if (!pin)
		pin = named(service);
	return pin || pins->count == 0 ? pin : &pins->items[pins->count - 1];
}

/* --- what people ask for ------------------------------------------------------------------------------------------------- */

static void answer(struct wd_guard *guard, const struct wd_service *service, uint64_t request, enum wd_error_kind error,
		   char *text_taken)
{
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_ANSWER, service);

	order->ticket = request;
	order->error = error;
	order->text = wd_guard_keep(guard, text_taken);
}

static void ask_pin(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	const struct wd_container *container = service->container;
	const char *image = fact->asked.image;

	if (!guard->up) {
		answer(guard, service, fact->asked.request, WD_ERROR_UNREACHABLE,
		       wd_copy("the Engine cannot be reached"));
		return;
	}
	if (!image && !container) {
		answer(guard, service, fact->asked.request, WD_ERROR_REFUSED,
		       wd_copy("it has no container: name the image"));
		return;
	}
	struct wd_question *question = add_question(guard, service, WD_FOR_PIN, image ? image : container->image);
	question->by = WD_PIN_HAND;
	question->request = fact->asked.request;
	order_image(guard, service, question->ticket, fact->asked.pull ? WD_IMAGE_FETCH : WD_IMAGE_KEEP,
		    question->image, image ? NULL : container->image_id);
}

static void pinned(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		   const struct wd_fact *fact)
{
	if (fact->image.end != WD_PLAN_DONE) {
		answer(guard, service, question->request,
		       fact->image.end == WD_PLAN_REFUSED ? WD_ERROR_NOT_FOUND : WD_ERROR_FAILED,
		       wd_copy(fact->image.detail));
		return;
	}
	add_pin(guard, service, question, fact);
	wd_pins_write(guard, service);
	bool bad = wd_pins_bad(&service->memory.pins, fact->image.id) != NULL;
	answer(guard, service, question->request, WD_ERROR_NONE,
	       wd_format("%s is pinned (%.19s)%s", question->image, fact->image.id,
			 bad ? ", though it was rolled back from before" : ""));
}

static void unpin(struct wd_guard *guard, struct wd_service *service, uint64_t request)
{
	unsigned before = service->memory.pins.count;
	const struct wd_pin *stays;

	drop_by(guard, service, false);
	stays = pin_of_policy(service);
	service->learn_from = guard->now;
	if (before != service->memory.pins.count)
		wd_pins_write(guard, service);
	answer(guard, service, request, WD_ERROR_NONE,
	       stays ? wd_format("%s stays: rollback_to names it", stays->image)
		     : wd_copy(before ? "nothing is pinned any more" : "nothing was pinned"));
}

static void forgive(struct wd_guard *guard, struct wd_service *service, uint64_t request)
{
	struct wd_pins *pins = &service->memory.pins;
	unsigned count = 0, before = pins->swap_count;

	for (unsigned i = 0; i < before; i++) {
		struct wd_swap_record *swap = &pins->swaps[i];
		if (swap->end == WD_SWAP_OPEN) {
			pins->swaps[count++] = *swap;
			continue;
		}
		free(swap->from_image);
		free(swap->from_id);
		free(swap->to_image);
		free(swap->to_id);
	}
	pins->swap_count = count;
	if (count != before)
		wd_pins_write(guard, service);
	answer(guard, service, request, WD_ERROR_NONE,
	       count == before ? wd_copy("there was nothing to forgive")
			       : wd_format("%u %s forgiven", before - count,
					   before - count == 1 ? "rollback is" : "rollbacks are"));
}

void wd_pins_ask(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	if (fact->asked.ask == WD_ASK_PIN)
		ask_pin(guard, service, fact);
	else if (fact->asked.ask == WD_ASK_UNPIN)
		unpin(guard, service, fact->asked.request);
	else
		forgive(guard, service, fact->asked.request);
}

void wd_pins_look(struct wd_guard *guard, struct wd_service *service, const char *image, bool rehearse,
		  uint64_t request)
{
	struct wd_question *question = add_question(guard, service, rehearse ? WD_FOR_REHEARSAL : WD_FOR_MOVE, image);

	question->request = request;
	order_image(guard, service, question->ticket, WD_IMAGE_LOOK, question->image, NULL);
}

/* --- what the Engine says ------------------------------------------------------------------------------------------------ */

static bool take_question(struct wd_service *service, uint64_t ticket, struct wd_question *ret_question)
{
	for (unsigned i = 0; i < service->question_count; i++) {
		if (service->questions[i].ticket != ticket)
			continue;
		*ret_question = service->questions[i];
		service->questions[i] = service->questions[--service->question_count];
		return true;
	}
	return false;
}

/* Others that run the same image waited for the same answer, or would ask for it. */
static void share_config(struct wd_guard *guard, const struct wd_fact *fact)
{
	for (size_t i = 0; i < guard->count; i++)
		if (guard->services[i]->policy && may_move(guard->services[i]->policy))
			keep_config(guard, guard->services[i], fact->image.id, fact->image.config);
}

static void hear(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		 const struct wd_fact *fact)
{
	switch (question->purpose) {
	case WD_FOR_CONFIG:
		break;
	case WD_FOR_LEARNING:
		learned(guard, service, question, fact);
		break;
	case WD_FOR_POLICY:
		resolved(guard, service, question, fact);
		break;
	case WD_FOR_PIN:
		pinned(guard, service, question, fact);
		break;
	case WD_FOR_MOVE:
	case WD_FOR_REHEARSAL:
		wd_move_found(guard, service, question, fact);
		break;
	}
}

void wd_pins_answer(struct wd_guard *guard, const struct wd_fact *fact)
{
	struct wd_question question;

	for (size_t i = 0; i < guard->count && fact->image.ticket; i++) {
		struct wd_service *service = guard->services[i];
		if (!take_question(service, fact->image.ticket, &question))
			continue;
		if (fact->image.end == WD_PLAN_DONE)
			share_config(guard, fact);
		hear(guard, service, &question, fact);
		service->next = guard->now;
		free(question.image);
		return;
	}
}
