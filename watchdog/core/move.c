#include "case.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOST_PATIENCE (10 * WD_SECOND) /* whoever removes a container to put another in its place has done so by then */
#define LOOK_STEP (2 * WD_SECOND)
#define SWAPS_KEPT 32

static struct wd_swap_record *open_swap(struct wd_service *service)
{
	struct wd_pins *pins = &service->memory.pins;

	for (unsigned i = pins->swap_count; i-- > 0;)
		if (pins->swaps[i].end == WD_SWAP_OPEN)
			return &pins->swaps[i];
	return NULL;
}

static void drop_swap(struct wd_service *service, unsigned index)
{
	struct wd_pins *pins = &service->memory.pins;
	struct wd_swap_record *swap = &pins->swaps[index];

	free(swap->from_image);
	free(swap->from_id);
	free(swap->to_image);
	free(swap->to_id);
	pins->swap_count--;
	memmove(swap, swap + 1, (pins->swap_count - index) * sizeof(*swap));
}

/* A pair has one entry: its last. */
static void add_swap(struct wd_guard *guard, struct wd_service *service, const struct wd_target *target)
{
	const struct wd_container *container = service->container;
	struct wd_pins *pins = &service->memory.pins;

	for (unsigned i = pins->swap_count; i-- > 0;)
		if (pins->swaps[i].end == WD_SWAP_OPEN || (wd_text_equal(pins->swaps[i].from_id, container->image_id) &&
							   wd_text_equal(pins->swaps[i].to_id, target->id)))
			drop_swap(service, i);
	if (pins->swap_count >= SWAPS_KEPT)
		drop_swap(service, 0);
	pins->swaps = wd_realloc(pins->swaps, pins->swap_count + 1, sizeof(*pins->swaps));
	pins->swaps[pins->swap_count++] = (struct wd_swap_record){.from_image = wd_copy(container->image),
								  .from_id = wd_copy(container->image_id),
								  .to_image = wd_copy(target->image),
								  .to_id = wd_copy(target->id),
								  .at = guard->stamp};
}

/* Of an image that was rolled back from, what was learned was wrong. */
static void end_swap(struct wd_guard *guard, struct wd_service *service, enum wd_swap_end end)
{
	struct wd_swap_record *swap = open_swap(service);

	if (!swap)
		return;
	if (end == WD_SWAP_OPEN)
		drop_swap(service, (unsigned)(swap - service->memory.pins.swaps));
	else
		swap->end = end, swap->at = guard->stamp;
	if (end == WD_SWAP_HELPED)
		wd_pins_unlearn(guard, service, swap->from_id);
	wd_pins_write(guard, service);
}

static struct wd_case *moving_case(const struct wd_service *service)
{
	for (unsigned i = 0; i < WD_TRIGGERS; i++)
		if (service->cases[i] && service->cases[i]->phase == WD_PHASE_MOVING)
			return service->cases[i];
	return NULL;
}

static void say(struct wd_guard *guard, struct wd_service *service, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void say(struct wd_guard *guard, struct wd_service *service, const char *format, ...)
{
	struct wd_case *the_case = moving_case(service);
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (the_case) {
		wd_case_note(guard, the_case, "%s", line);
		wd_case_write(guard, service, the_case->incident);
	}
	wd_guard_tell_people(guard, service, WD_MOMENT_STATE, the_case ? the_case->incident : NULL, "rollback: %s",
			     line);
}

static void answer(struct wd_guard *guard, const struct wd_service *service, uint64_t request, enum wd_error_kind error,
		   const char *text)
{
	if (request == 0)
		return;
	struct wd_order *order = wd_guard_order(guard, WD_ORDER_ANSWER, service);
	order->ticket = request;
	order->error = error;
	order->text = wd_guard_keep(guard, wd_copy(text));
}

void wd_move_clear(struct wd_service *service)
{
	free(service->move.id);
	free(service->move.why);
	service->move = (struct wd_move){0};
}

bool wd_move_is_away(const struct wd_service *service)
{
	return service->move.phase == WD_MOVE_AWAY || service->move.phase == WD_MOVE_BACK ||
	       service->move.phase == WD_MOVE_COMMITTING;
}

static bool is_on_trial(const struct wd_service *service)
{
	return service->move.phase == WD_MOVE_ARRIVED || service->move.phase == WD_MOVE_TRIAL ||
	       service->move.phase == WD_MOVE_CONFIRMING;
}

/* --- beginning ----------------------------------------------------------------------------------------------------------- */

/* The first of several is as good as any: they are of one image. */
static const char *first_digest(struct wd_guard *guard, const char *digests)
{
	size_t length = digests ? strcspn(digests, " ") : 0;

	return length ? wd_guard_keep(guard, wd_copy_part(digests, length)) : NULL;
}

/* Who depends on it may be one of them. */
static const char *list_spared(struct wd_guard *guard)
{
	struct wd_text text = {0};

	for (size_t i = 0; i < guard->count; i++)
		if (guard->services[i]->container && !wd_service_may_touch(guard, guard->services[i]))
			wd_text_print(&text, "%s%s", text.length ? " " : "", guard->services[i]->memory.id);
	return text.length ? wd_guard_keep(guard, wd_text_take(&text)) : NULL;
}

static struct wd_order *order_move(struct wd_guard *guard, struct wd_service *service, const struct wd_pin *target)
{
	const struct wd_pins *pins = &service->memory.pins;
	struct wd_order *order = wd_hold_order(guard, service, WD_ACTION_ROLLBACK);

	order->target.image = wd_guard_keep(guard, wd_copy(target->image));
	order->target.id = wd_guard_keep(guard, wd_copy(target->id));
	order->target.digest = first_digest(guard, target->digests);
	order->cascade = service->policy && service->policy->cascade;
	order->spared = list_spared(guard);
	if (pins->config_of && wd_text_equal(pins->config_of, service->container->image_id))
		order->config = pins->config;
	return order;
}

static void begin(struct wd_guard *guard, struct wd_service *service, const struct wd_pin *target, int64_t incident,
		  wd_time longest)
{
	struct wd_order *order = order_move(guard, service, target);
	const struct wd_target to = order->target;
	uint64_t ticket = order->ticket;

	order->incident_id = incident;
	service->move.phase = WD_MOVE_AWAY;
	service->move.ticket = ticket;
	service->move.longest = longest;
	add_swap(guard, service, &to);
	wd_pins_write(guard, service);
	wd_gate_acted(guard, guard->now);
	say(guard, service, "from %s to %s", service->container->image, to.image);
}

void wd_move_begin(struct wd_guard *guard, struct wd_service *service, const struct wd_pin *target,
		   const struct wd_case *the_case)
{
	wd_move_clear(service);
	begin(guard, service, target, the_case->incident->id, the_case->longest);
}

/* --- who is the service --------------------------------------------------------------------------------------------------- */

/* While a plan moves names about, neither of the two is what it seems. */
bool wd_move_hides(const struct wd_guard *guard, const struct wd_container *container)
{
	const struct wd_service *service = wd_service_by_id(guard, container->id);

	if (service)
		return wd_move_is_away(service);
	service = wd_map_get(guard->by_key, container->service);
	if (service && wd_move_is_away(service))
		return true;
	for (size_t i = 0; i < guard->count; i++)
		if (wd_move_is_away(guard->services[i]) &&
		    wd_text_equal(wd_service_name(guard->services[i]), container->name))
			return true;
	return false;
}

static void arrive(struct wd_guard *guard, struct wd_service *service, const char *id, const char *image_id)
{
	wd_service_adopt(guard, service, id, image_id);
	wd_guard_inspect(guard, service->memory.id);
}

/* --- ends ------------------------------------------------------------------------------------------------------------------ */

/* The case climbs on, or is closed, or the person is answered. */
static void finish(struct wd_guard *guard, struct wd_service *service, enum wd_result result, enum wd_outcome outcome,
		   const char *detail)
{
	struct wd_case *the_case = moving_case(service);
	uint64_t request = service->move.request, commit = service->move.commit;

	wd_move_clear(service);
	service->move.commit = commit;
	if (!the_case) {
		wd_guard_tell_people(guard, service, result == WD_RESULT_DONE ? WD_MOMENT_STATE : WD_MOMENT_WARNING,
				     NULL, "rollback: %s, %s", wd_result_name(result), detail);
		answer(guard, service, request,
		       result == WD_RESULT_DONE      ? WD_ERROR_NONE
		       : result == WD_RESULT_SKIPPED ? WD_ERROR_REFUSED
						     : WD_ERROR_FAILED,
		       detail);
		return;
	}
	if (result != WD_RESULT_DONE && !service->policy) { /* it has yet to be seen: judged again then */
		wd_step_end(guard, service, the_case, result, detail);
		the_case->rung++;
		the_case->phase = WD_PHASE_WAITING;
		the_case->until = guard->now;
		return;
	}
	if (result != WD_RESULT_DONE) {
		wd_case_failed(guard, service, the_case, result, detail);
		return;
	}
	enum wd_trigger trigger = the_case->incident->trigger;
	wd_step_end(guard, service, the_case, result, detail);
	wd_case_close(guard, service, trigger, outcome, outcome == WD_OUTCOME_RECOVERED ? "verified to run" : detail);
}

static void commit(struct wd_guard *guard, struct wd_service *service, const char *id)
{
	struct wd_order *order = wd_hold_order(guard, service, WD_ACTION_COMMIT);

	order->id = wd_guard_keep(guard, wd_copy(id));
	service->move.commit = order->ticket;
}

static void helped(struct wd_guard *guard, struct wd_service *service, const char *how)
{
	const struct wd_swap_record *swap = open_swap(service);
	WD_AUTO_FREE char *detail =
		swap ? wd_format("%s: %s in place of %s", how, swap->to_image, swap->from_image) : wd_copy(how);

	commit(guard, service, service->memory.id);
	end_swap(guard, service, WD_SWAP_HELPED);
	wd_service_empty(service);
	finish(guard, service, WD_RESULT_DONE, WD_OUTCOME_RECOVERED, detail);
}

static void go_back(struct wd_guard *guard, struct wd_service *service, const char *why)
{
	struct wd_order *order = wd_hold_order(guard, service, WD_ACTION_TAKE_BACK);

	if (service->move.id)
		order->id = wd_guard_keep(guard, wd_copy(service->move.id));
	service->move.ticket = order->ticket;
	service->move.phase = WD_MOVE_BACK;
	service->move.gone = false;
	wd_replace(&service->move.why, why);
	say(guard, service, "%s: it is taken back", why);
}

static enum wd_result result_of(enum wd_plan_end end)
{
	return end == WD_PLAN_REFUSED ? WD_RESULT_SKIPPED : end == WD_PLAN_UNDONE ? WD_RESULT_UNDONE : WD_RESULT_FAILED;
}

static void went(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	const struct wd_swap_record *swap = open_swap(service);

	if (fact->acted.end == WD_PLAN_DONE && fact->acted.replaced_by) {
		arrive(guard, service, fact->acted.replaced_by, swap ? swap->to_id : NULL);
		wd_replace(&service->move.id, service->memory.id);
		service->move.phase = WD_MOVE_ARRIVED;
		service->move.gone = false;
		if (fact->acted.detail)
			say(guard, service, "%s", fact->acted.detail);
		return;
	}
	end_swap(guard, service, WD_SWAP_OPEN);
	if (service->memory.id)
		wd_guard_inspect(guard, service->memory.id);
	finish(guard, service, fact->acted.end == WD_PLAN_DONE ? WD_RESULT_DONE : result_of(fact->acted.end),
	       WD_OUTCOME_RECOVERED, fact->acted.detail);
}

static void came_back(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	const struct wd_swap_record *swap = open_swap(service);
	bool undone = fact->acted.end == WD_PLAN_DONE;
	const char *why = service->move.why ? service->move.why : "seadog was restarted in the middle of it";
	WD_AUTO_FREE char *detail = undone ? wd_format("%s; taken back", why)
					   : wd_format("%s; it could not be taken back: %s", why, fact->acted.detail);

	if (fact->acted.replaced_by)
		arrive(guard, service, fact->acted.replaced_by, swap ? swap->from_id : NULL);
	else if (service->memory.id)
		wd_guard_inspect(guard, service->memory.id);
	end_swap(guard, service, WD_SWAP_IN_VAIN);
	finish(guard, service, undone ? WD_RESULT_UNDONE : WD_RESULT_FAILED, WD_OUTCOME_FAILED, detail);
}

static void committed(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	service->move.commit = 0;
	if (fact->acted.end != WD_PLAN_DONE)
		wd_guard_tell_people(guard, service, WD_MOMENT_WARNING, NULL,
				     "rollback: the old container could not be removed: %s", fact->acted.detail);
	else if (fact->acted.detail)
		wd_guard_tell_people(guard, service, fact->acted.partly ? WD_MOMENT_WARNING : WD_MOMENT_STATE, NULL,
				     "rollback: %s", fact->acted.detail);
}

/* Meanwhile nothing that was seen of it was taken in. */
static void resumed_commit(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	if (service->memory.id)
		wd_guard_inspect(guard, service->memory.id);
	finish(guard, service, WD_RESULT_DONE, WD_OUTCOME_RECOVERED, fact->acted.detail);
}

static void rehearsed(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	uint64_t request = service->move.rehearsal_for;

	service->move.rehearsal = service->move.rehearsal_for = 0;
	answer(guard, service, request,
	       fact->acted.end == WD_PLAN_DONE      ? WD_ERROR_NONE
	       : fact->acted.end == WD_PLAN_REFUSED ? WD_ERROR_REFUSED
						    : WD_ERROR_FAILED,
	       fact->acted.detail);
}

/* Nothing is in the place of what somebody has removed meanwhile. */
static void ended_gone(struct wd_guard *guard, struct wd_service *service)
{
	uint64_t request = service->move.request, commit = service->move.commit;

	end_swap(guard, service, service->move.phase == WD_MOVE_BACK ? WD_SWAP_IN_VAIN : WD_SWAP_OPEN);
	wd_move_clear(service);
	service->move.commit = commit;
	answer(guard, service, request, WD_ERROR_FAILED, "somebody removed the container");
	wd_service_lose(guard, service);
}

bool wd_move_acted(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	struct wd_move *move = &service->move;
	uint64_t ticket = fact->acted.ticket;
	struct wd_case *the_case = moving_case(service);

	if (ticket == move->rehearsal) {
		rehearsed(guard, service, fact);
	} else if (ticket == move->commit) {
		committed(guard, service, fact);
	} else if (ticket != move->ticket) {
		return false;
	} else {
		move->ticket = 0;
		if (the_case && fact->acted.logs)
			wd_replace(&the_case->incident->logs, fact->acted.logs);
		if (move->gone && !fact->acted.replaced_by)
			ended_gone(guard, service);
		else if (move->phase == WD_MOVE_AWAY)
			went(guard, service, fact);
		else if (move->phase == WD_MOVE_BACK)
			came_back(guard, service, fact);
		else if (move->phase == WD_MOVE_COMMITTING)
			resumed_commit(guard, service, fact);
	}
	return true;
}

/* --- the trial ------------------------------------------------------------------------------------------------------------- */

bool wd_move_failed(struct wd_guard *guard, struct wd_service *service, const char *why)
{
	if (!is_on_trial(service))
		return false;
	go_back(guard, service, why);
	return true;
}

static void begin_trial(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_move *move = &service->move;
	wd_time patience = service->container->check_patience, span = wd_trial_span(service, move->longest);
	char buffer[WD_TIME_TEXT];

	move->phase = WD_MOVE_TRIAL;
	move->until = guard->now + span;
	move->patience = guard->now + (patience > span ? patience : span);
	say(guard, service, "verifying: it must run without a crash for %s%s", wd_span_print_short(span, buffer),
	    patience > 0 ? " and become healthy" : "");
}

static void confirm(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_move *move = &service->move;
	wd_time soon = guard->now + LOOK_STEP;

	switch (wd_trial_look(service)) {
	case WD_LOOK_RUNS:
		helped(guard, service, "verified, it runs");
		break;
	case WD_LOOK_ENDED:
		helped(guard, service, "verified, it ended with exit code 0");
		break;
	case WD_LOOK_UNHEALTHY:
		if (guard->now >= move->patience) {
			go_back(guard, service, "it did not help: not healthy in time");
			break;
		}
		move->phase = WD_MOVE_TRIAL;
		move->until = soon < move->patience ? soon : move->patience;
		break;
	case WD_LOOK_STOPPED: /* what was made stays: it was not the rollback that failed */
		commit(guard, service, service->memory.id);
		end_swap(guard, service, WD_SWAP_OPEN);
		finish(guard, service, WD_RESULT_DONE, WD_OUTCOME_SUPPRESSED, "somebody stopped it");
		break;
	case WD_LOOK_DOWN:
		go_back(guard, service, "it did not help: it does not run");
		break;
	}
}

/* A fresh inspect. Crashes that nobody saw are on their way into the account: they decide first. */
void wd_move_seen(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_move *move = &service->move;

	if (move->phase == WD_MOVE_ARRIVED && service->policy) {
		begin_trial(guard, service);
	} else if (move->phase == WD_MOVE_CONFIRMING && service->owed) {
		move->phase = WD_MOVE_TRIAL;
		move->until = service->owed_at;
	} else if (move->phase == WD_MOVE_CONFIRMING) {
		confirm(guard, service);
	}
}

/* The new one is not the service's any more. Was it removed, the old one comes back, unless something takes its place. */
void wd_move_left(struct wd_guard *guard, struct wd_service *service, bool replaced)
{
	struct wd_move *move = &service->move;

	if (!is_on_trial(service) && move->phase != WD_MOVE_LOST)
		return;
	if (!replaced) {
		move->phase = WD_MOVE_LOST;
		move->until = guard->now + LOST_PATIENCE;
		return;
	}
	commit(guard, service, move->id);
	end_swap(guard, service, WD_SWAP_OPEN);
	struct wd_case *the_case = moving_case(service);
	uint64_t request = move->request, ticket = move->commit;
	wd_move_clear(service);
	move->commit = ticket;
	if (!the_case)
		answer(guard, service, request, WD_ERROR_FAILED, "somebody deployed it anew meanwhile");
}

void wd_move_time(struct wd_guard *guard, struct wd_service *service)
{
	struct wd_move *move = &service->move;

	if (move->until > guard->now || !guard->up)
		return;
	if (move->phase == WD_MOVE_LOST) {
		go_back(guard, service, "somebody removed the new container");
	} else if (move->phase == WD_MOVE_TRIAL) {
		move->phase = WD_MOVE_CONFIRMING;
		move->until = WD_NEVER;
		wd_guard_inspect(guard, service->memory.id);
	}
}

wd_time wd_move_next(const struct wd_guard *guard, const struct wd_service *service)
{
	if (!guard->up || (service->move.phase != WD_MOVE_LOST && service->move.phase != WD_MOVE_TRIAL))
		return WD_NEVER;
	return service->move.until;
}

/* --- by hand, and after a death of seadog ----------------------------------------------------------------------------------- */

void wd_move_resuming(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	struct wd_case *the_case = moving_case(service);

	(void)guard;
	wd_move_clear(service);
	service->move.ticket = fact->resuming.ticket;
	service->move.by_hand = !the_case;
	service->move.longest = the_case ? the_case->longest : 0;
	service->move.phase = fact->resuming.action == WD_ACTION_COMMIT      ? WD_MOVE_COMMITTING
			      : fact->resuming.action == WD_ACTION_TAKE_BACK ? WD_MOVE_BACK
									     : WD_MOVE_AWAY;
}

static void start_by_hand(struct wd_guard *guard, struct wd_service *service, const struct wd_pin *target, bool dry_run,
			  uint64_t request)
{
	if (wd_text_equal(target->id, service->container->image_id)) {
		answer(guard, service, request, WD_ERROR_REFUSED, "it runs that image already");
		return;
	}
	if (dry_run) {
		struct wd_order *order = order_move(guard, service, target);
		order->rehearse = true;
		service->move.rehearsal = order->ticket;
		service->move.rehearsal_for = request;
		return;
	}
	wd_move_clear(service);
	service->move.by_hand = true;
	service->move.request = request;
	begin(guard, service, target, 0, service->longest_life);
}

static const char *why_not(const struct wd_guard *guard, const struct wd_service *service)
{
	if (wd_manual_busy(service) || service->move.phase || service->move.rehearsal)
		return "something is being done to it already: try again in a moment";
	if (wd_service_busy(service) || wd_case_is_about_to(service))
		return "it is being treated right now: try again in a moment";
	if (!wd_service_may_touch(guard, service))
		return "it is never touched ([safety] never, or seadog itself)";
	if (service->memory.hold.held)
		return "it is on hold: seadog release --no-start ends that first";
	return wd_case_cannot(service, WD_ACTION_ROLLBACK);
}

void wd_move_ask(struct wd_guard *guard, struct wd_service *service, const struct wd_fact *fact)
{
	uint64_t request = fact->asked.request;
	const char *why = guard->up ? why_not(guard, service) : "the Engine cannot be reached";
	WD_AUTO_FREE char *none = NULL;

	if (why) {
		answer(guard, service, request, guard->up ? WD_ERROR_REFUSED : WD_ERROR_UNREACHABLE, why);
		return;
	}
	if (fact->asked.image) {
		wd_pins_look(guard, service, fact->asked.image, fact->asked.dry_run, request);
		return;
	}
	const struct wd_pin *target = wd_pins_target(service, true, &none);
	if (target)
		start_by_hand(guard, service, target, fact->asked.dry_run, request);
	else
		answer(guard, service, request, WD_ERROR_REFUSED, none);
}

void wd_move_found(struct wd_guard *guard, struct wd_service *service, const struct wd_question *question,
		   const struct wd_fact *fact)
{
	const char *why = why_not(guard, service);
	bool dry_run = question->purpose == WD_FOR_REHEARSAL;

	if (fact->image.end != WD_PLAN_DONE) {
		answer(guard, service, question->request,
		       fact->image.end == WD_PLAN_REFUSED ? WD_ERROR_NOT_FOUND : WD_ERROR_FAILED, fact->image.detail);
		return;
	}
	if (why) {
		answer(guard, service, question->request, WD_ERROR_REFUSED, why);
		return;
	}
	WD_AUTO_FREE char *id = wd_copy(fact->image.id), *digests = wd_copy(fact->image.digests);
	const struct wd_pin target = {.image = question->image, .id = id, .digests = digests};
	start_by_hand(guard, service, &target, dry_run, question->request);
}
