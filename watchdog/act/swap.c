/* swap.c: the record of a pair, and what of it is in the journal. */
#include "swap.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

static void name_pair(struct wd_swap *swap)
{
	free(swap->fresh);
	free(swap->parked);
	swap->fresh = wd_spare_name(swap->name, WD_SPARE_NEW, swap->token);
	swap->parked = wd_spare_name(swap->name, WD_SPARE_OLD, swap->token);
}

struct wd_swap *wd_swap_new(const struct wd_order *order, uint32_t token)
{
	struct wd_swap *swap = wd_alloc(1, sizeof(*swap));

	swap->token = token;
	swap->name = wd_copy(order->name);
	swap->target = wd_copy(order->target.id);
	swap->reference = wd_copy(order->target.image);
	swap->config = wd_copy(order->config);
	swap->digest = wd_copy(order->target.digest);
	swap->cascade = order->cascade;
	swap->spared = wd_copy(order->spared);
	name_pair(swap);
	return swap;
}

struct wd_swap *wd_swap_follow(const struct wd_swap *parent, const char *from, const char *to, uint32_t token)
{
	struct wd_swap *swap = wd_alloc(1, sizeof(*swap));

	swap->token = token;
	swap->name = wd_copy("follower");
	swap->spared = wd_copy(parent->spared);
	wd_list_copy(&swap->perishing, &parent->perishing);
	swap->moved_from = wd_copy(from);
	swap->moved_to = wd_copy(to);
	swap->cascade = true;
	name_pair(swap);
	return swap;
}

void wd_swap_rename(struct wd_swap *swap, const char *name)
{
	wd_replace(&swap->name, name);
	name_pair(swap);
}

static void free_names(struct wd_swap *swap)
{
	free(swap->name);
	free(swap->fresh);
	free(swap->parked);
	free(swap->target);
	free(swap->reference);
	free(swap->made);
	free(swap->body);
	free(swap->config);
	free(swap->digest);
	free(swap->moved_from);
	free(swap->moved_to);
	free(swap->spared);
	wd_list_done(&swap->dependents);
	wd_list_done(&swap->perishing);
	wd_list_done(&swap->waiters);
	wd_list_done(&swap->waiter_names);
	wd_text_done(&swap->roused_text);
	wd_list_done(&swap->sharers);
	free(swap->api);
}

struct wd_swap *wd_swap_free(struct wd_swap *swap)
{
	if (!swap)
		return NULL;
	free_names(swap);
	wd_json_free(swap->inspect);
	wd_json_free(swap->broken);
	wd_json_free(swap->image);
	wd_json_free(swap->info);
	wd_json_free(swap->networks);
	wd_json_free(swap->libpod);
	wd_json_free(swap->volumes);
	wd_json_free(swap->others);
	wd_json_free(swap->view);
	wd_list_done(&swap->ids);
	wd_recreate_free(swap->recreate);
	wd_inject_clear(swap);
	free(swap);
	return NULL;
}

/* --- the journal --- */

static void add_ids(struct wd_json *json, const char *name, const struct wd_list *ids)
{
	struct wd_json *array = wd_json_set(json, name, wd_json_array());

	for (size_t i = 0; i < ids->count; i++)
		wd_json_add(array, wd_json_text(ids->items[i]));
}

char *wd_swap_details(const struct wd_swap *swap)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();

	wd_json_set_int(json, "token", swap->token);
	wd_json_set_string(json, "target", swap->target);
	wd_json_set_string(json, "reference", swap->reference);
	wd_json_set_string(json, "new", swap->made);
	wd_json_set_bool(json, "ran", swap->ran);
	wd_json_set_bool(json, "stopping", swap->stopping && !swap->stopped_back);
	wd_json_set_string(json, "from", swap->moved_from);
	wd_json_set_string(json, "to", swap->moved_to);
	add_ids(json, "dependents", &swap->dependents);
	add_ids(json, "perishing", &swap->perishing);
	add_ids(json, "waiters", &swap->waiters);
	wd_json_set_string(json, "spared", swap->spared);
	wd_json_set_string(json, "body", swap->body);
	return wd_json_print(json);
}

static char *recall_text(const struct wd_json *json, const char *name)
{
	return wd_copy(wd_json_string(wd_json_get(json, name), NULL));
}

static void recall_ids(const struct wd_json *json, const char *name, struct wd_list *ret)
{
	for (const struct wd_json *id = wd_json_first(wd_json_get(json, name)); id; id = wd_json_next(id))
		wd_list_add(ret, wd_json_string(id, ""));
}

/* It goes into paths. */
static bool is_sound(const struct wd_json *json)
{
	static const char allowed[] = "0123456789abcdef";
	const struct wd_json *token = wd_json_get(json, "token");
	const char *made = wd_json_string(wd_json_get(json, "new"), NULL);

	if (!wd_json_is_number(token) || wd_json_int(token, -1) < 0 || wd_json_int(token, -1) > UINT32_MAX)
		return false;
	return !made || (strlen(made) == 64 && strspn(made, allowed) == 64);
}

struct wd_swap *wd_swap_recall(const char *name, const char *details)
{
	WD_AUTO_JSON struct wd_json *json = details ? wd_json_parse(details, strlen(details), NULL) : NULL;
	struct wd_swap *swap;

	if (!name || !is_sound(json))
		return NULL;
	swap = wd_alloc(1, sizeof(*swap));
	swap->token = (uint32_t)wd_json_int(wd_json_get(json, "token"), 0);
	swap->name = wd_copy(name);
	swap->target = recall_text(json, "target");
	swap->reference = recall_text(json, "reference");
	swap->made = recall_text(json, "new");
	swap->body = recall_text(json, "body");
	swap->moved_from = recall_text(json, "from");
	swap->moved_to = recall_text(json, "to");
	swap->spared = recall_text(json, "spared");
	recall_ids(json, "dependents", &swap->dependents);
	recall_ids(json, "perishing", &swap->perishing);
	recall_ids(json, "waiters", &swap->waiters);
	swap->ran = wd_json_bool(wd_json_get(json, "ran"), true);
	swap->stopping = wd_json_bool(wd_json_get(json, "stopping"), false);
	name_pair(swap);
	return swap;
}

/* --- the new one --- */

bool wd_swap_is_there(const struct wd_run *run)
{
	return run->swap->view != NULL;
}

bool wd_swap_has_name(const struct wd_run *run)
{
	const char *name = wd_json_string(wd_json_get(run->swap->view, "Name"), "");

	return wd_text_equal(name + (*name == '/'), run->swap->name);
}

bool wd_swap_was_started(const struct wd_run *run)
{
	const char *started = wd_json_string(wd_json_path(run->swap->view, "State.StartedAt"), "0001");

	return *started && !wd_text_starts(started, "0001");
}

char *wd_swap_path(const struct wd_run *run, const char *verb)
{
	const struct wd_swap *swap = run->swap;

	return wd_format("/containers/%s%s", swap->made ? swap->made : swap->fresh, verb);
}

/* What was made and is not there any more has to be made anew. */
static void forget_made(struct wd_swap *swap)
{
	swap->view = wd_json_free(swap->view);
	wd_replace(&swap->made, NULL);
	swap->linked = 0;
	swap->injected = 0;
	swap->compared = false;
}

static bool is_connected(const struct wd_json *view, const char *network)
{
	const struct wd_json *networks = wd_json_path(view, "NetworkSettings.Networks");

	for (const struct wd_json *endpoint = wd_json_first(networks); endpoint; endpoint = wd_json_next(endpoint))
		if (wd_text_equal(wd_json_name(endpoint), network) ||
		    wd_text_equal(wd_json_string(wd_json_get(endpoint, "NetworkID"), NULL), network))
			return true;
	return false;
}

/* How many of the later connections the look shows, from the first. */
static void count_links(struct wd_swap *swap)
{
	const struct wd_recreate *recreate = swap->recreate;
	size_t count = 0;

	while (recreate && count < recreate->link_count &&
	       is_connected(swap->view, recreate->links[count].network) == (recreate->links[count].endpoint != NULL))
		count++;
	swap->linked = count;
}

enum wd_kept wd_swap_keep_view(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	struct wd_json *view;
	const char *id;

	if (answer->status == 404) {
		forget_made(swap);
		return WD_KEPT;
	}
	view = wd_json_parse(answer->body, answer->length, NULL);
	id = wd_json_string(wd_json_get(view, "Id"), NULL);
	if (!id || !wd_json_is_object(wd_json_get(view, "State"))) {
		wd_json_free(view);
		return WD_KEPT_NOT;
	}
	wd_replace(&swap->made, id);
	wd_json_free(swap->view);
	swap->view = view;
	count_links(swap);
	return WD_KEPT;
}
