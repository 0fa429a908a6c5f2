#include "ledger.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/memory.h>

struct errand {
	struct errand *next;
	enum wd_ledger_job job;
	uint64_t ticket;
	char *id;
};

struct wd_ledger {
	struct wd_store *store;
	struct wd_vault *vault;
	char *directory;
	struct wd_ledger_hooks hooks;
	struct wd_snapshot **items; /* newest first */
	size_t count;
	const struct wd_snapshot **lent; /* what _of() gave last */

	struct errand *errands; /* the first is under way, once it has a job */
	struct wd_vault_job *job;
	struct wd_timer *turn;
	bool spares;                /* nothing is deleted for now */
	struct wd_snapshot **found; /* by a listing under way */
	size_t found_count;
};

/* --- what is in it ----------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct wd_ledger *ledger, const char *id)
{
	size_t place = 0;
	while (place < ledger->count && !wd_text_equal(ledger->items[place]->id, id))
		place++;
	return place;
}

const struct wd_snapshot *wd_ledger_find(const struct wd_ledger *ledger, const char *id)
{
	size_t place = place_of(ledger, id);
	return place < ledger->count ? ledger->items[place] : NULL;
}

static void take_out(struct wd_ledger *ledger, size_t place)
{
	wd_snapshot_free(ledger->items[place]);
	memmove(ledger->items + place, ledger->items + place + 1, (--ledger->count - place) * sizeof(*ledger->items));
}

static void put_in(struct wd_ledger *ledger, const struct wd_snapshot *snapshot)
{
	size_t place = place_of(ledger, snapshot->id);
	if (place < ledger->count)
		take_out(ledger, place);
	ledger->items = wd_realloc(ledger->items, ledger->count + 1, sizeof(*ledger->items));
	for (place = 0; place < ledger->count && ledger->items[place]->stamp >= snapshot->stamp;)
		place++;
	memmove(ledger->items + place + 1, ledger->items + place, (ledger->count++ - place) * sizeof(*ledger->items));
	ledger->items[place] = wd_alloc(1, sizeof(*snapshot));
	wd_snapshot_copy(ledger->items[place], snapshot);
}

void wd_ledger_add(struct wd_ledger *ledger, const struct wd_snapshot *snapshot)
{
	put_in(ledger, snapshot);
	wd_store_snapshot(ledger->store, snapshot);
}

static void drop(struct wd_ledger *ledger, const char *id)
{
	size_t place = place_of(ledger, id);
	wd_store_drop_snapshot(ledger->store, id);
	if (place < ledger->count)
		take_out(ledger, place);
}

size_t wd_ledger_of(struct wd_ledger *ledger, const char *service, const struct wd_snapshot *const **ret_snapshots)
{
	size_t count = 0;
	ledger->lent = wd_realloc(ledger->lent, ledger->count + 1, sizeof(struct wd_snapshot *));
	for (size_t i = 0; i < ledger->count; i++)
		if (!service || wd_text_equal(ledger->items[i]->service, service))
			ledger->lent[count++] = ledger->items[i];
	*ret_snapshots = ledger->lent;
	return count;
}

const struct wd_snapshot *wd_ledger_newest(const struct wd_ledger *ledger, const char *service)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (!ledger->items[i]->broken && wd_text_equal(ledger->items[i]->service, service))
			return ledger->items[i];
	return NULL;
}

/* --- the directory ----------------------------------------------------------------------------------------------------- */

static void forget_found(struct wd_ledger *ledger)
{
	for (size_t i = 0; i < ledger->found_count; i++)
		wd_snapshot_free(ledger->found[i]);
	free(ledger->found);
	ledger->found = NULL;
	ledger->found_count = 0;
}

static void on_item(void *data, const struct wd_json *json)
{
	struct wd_ledger *ledger = data;
	struct wd_snapshot *snapshot = wd_alloc(1, sizeof(*snapshot));
	const char *broken = wd_json_string(wd_json_get(json, "broken"), NULL);

	if (!wd_vault_snapshot(json, snapshot, NULL)) {
		*snapshot = (struct wd_snapshot){.id = wd_copy(wd_json_string(wd_json_get(json, "id"), NULL))};
		snapshot->service = wd_copy(wd_json_string(wd_json_get(json, "service"), NULL));
		snapshot->broken = wd_copy(broken ? broken : "its manifest cannot be read");
	}
	if (!snapshot->id || !snapshot->service) {
		wd_snapshot_free(snapshot);
		return;
	}
	ledger->found = wd_realloc(ledger->found, ledger->found_count + 1, sizeof(*ledger->found));
	ledger->found[ledger->found_count++] = snapshot;
}

static bool was_found(const struct wd_ledger *ledger, const char *id)
{
	for (size_t i = 0; i < ledger->found_count; i++)
		if (wd_text_equal(ledger->found[i]->id, id))
			return true;
	return false;
}

/* What was verified, or found to be broken, only the catalogue knows. */
static void square(struct wd_ledger *ledger)
{
	for (size_t i = ledger->count; i-- > 0;) {
		WD_AUTO_FREE char *id = wd_copy(ledger->items[i]->id);
		if (!was_found(ledger, id))
			drop(ledger, id);
	}
	for (size_t i = 0; i < ledger->found_count; i++) {
		const struct wd_snapshot *known = wd_ledger_find(ledger, ledger->found[i]->id);
		if (!known || (ledger->found[i]->broken && !known->broken))
			wd_ledger_add(ledger, ledger->found[i]);
	}
}

/* --- jobs -------------------------------------------------------------------------------------------------------------- */

static struct errand *free_errand(struct errand *errand)
{
	free(errand->id);
	free(errand);
	return NULL;
}

static void next_turn(struct wd_ledger *ledger)
{
	wd_timer_set(ledger->turn, ledger->errands && !ledger->job ? 0 : WD_NEVER);
}

/* Says what a check has found. Where the vault could not be asked, or was not allowed to look, nothing is known. */
static void note_verified(struct wd_ledger *ledger, const char *id, const struct wd_vault_end *end)
{
	const struct wd_snapshot *known = wd_ledger_find(ledger, id);
	bool checked = end->done || wd_text_equal(end->kind, "failed") || end->error.kind == WD_ERROR_NOT_FOUND;
	struct wd_snapshot snapshot;

	if (!known || !checked)
		return;
	wd_snapshot_copy(&snapshot, known);
	wd_replace(&snapshot.broken, end->done ? NULL : end->error.text);
	snapshot.verified = end->done ? wd_stamp_now() : 0;
	wd_ledger_add(ledger, &snapshot);
	wd_snapshot_done(&snapshot);
}

static void note(struct wd_ledger *ledger, const struct errand *errand, const struct wd_vault_end *end)
{
	if (errand->job == WD_LEDGER_VERIFY)
		note_verified(ledger, errand->id, end);
	else if (errand->job == WD_LEDGER_DELETE && (end->done || end->error.kind == WD_ERROR_NOT_FOUND))
		drop(ledger, errand->id);
	else if (errand->job == WD_LEDGER_LIST && end->done)
		square(ledger);
	forget_found(ledger);
}

static void on_ended(void *data, const struct wd_vault_end *end)
{
	struct wd_ledger *ledger = data;
	struct errand *errand = ledger->errands;

	ledger->job = NULL;
	ledger->errands = errand->next;
	note(ledger, errand, end);
	next_turn(ledger);
	ledger->hooks.ended(ledger->hooks.data, errand->job, errand->ticket, errand->id,
			    end->done ? NULL : &end->error);
	free_errand(errand);
}

static void on_progress(void *data, const struct wd_vault_progress *progress)
{
	const struct wd_ledger *ledger = data;
	const struct errand *errand = ledger->errands;

	if (errand->ticket)
		ledger->hooks.progress(ledger->hooks.data, errand->ticket, errand->id, progress);
}

static void begin(void *data)
{
	static const char *const verbs[] = {"list", "verify", "delete"};
	struct wd_ledger *ledger = data;
	const struct errand *errand = ledger->errands;
	const struct wd_vault_hooks hooks = {
		.progress = on_progress, .item = on_item, .ended = on_ended, .data = ledger};

	if (!errand || ledger->job || (ledger->spares && errand->job == WD_LEDGER_DELETE))
		return;
	const struct wd_snapshot *snapshot = wd_ledger_find(ledger, errand->id);
	WD_AUTO_JSON struct wd_json *job = wd_json_object();
	wd_json_set_string(job, "verb", verbs[errand->job]);
	wd_json_set_string(job, "directory", ledger->directory);
	if (snapshot)
		wd_json_set_string(job, "service", snapshot->service);
	if (errand->id)
		wd_json_set_string(job, "id", errand->id);
	ledger->job = wd_vault_start(ledger->vault, job, &hooks);
}

void wd_ledger_ask(struct wd_ledger *ledger, enum wd_ledger_job job, const char *id, uint64_t ticket)
{
	struct errand **slot = &ledger->errands, *errand = wd_alloc(1, sizeof(*errand));

	*errand = (struct errand){.job = job, .ticket = ticket, .id = wd_copy(id)};
	while (*slot)
		slot = &(*slot)->next;
	*slot = errand;
	next_turn(ledger);
}

void wd_ledger_spare(struct wd_ledger *ledger, bool spare)
{
	ledger->spares = spare;
	next_turn(ledger);
}

bool wd_ledger_is_deleting(const struct wd_ledger *ledger)
{
	return ledger->job && ledger->errands->job == WD_LEDGER_DELETE;
}

/* What is under way is let end: what it finds is of use. */
void wd_ledger_hush(struct wd_ledger *ledger, uint64_t ticket)
{
	struct errand **slot = ledger->job ? &ledger->errands->next : &ledger->errands;

	while (*slot) {
		struct errand *errand = *slot;
		if (errand->ticket != ticket) {
			slot = &errand->next;
			continue;
		}
		*slot = errand->next;
		free_errand(errand);
	}
}

/* --- up and down -------------------------------------------------------------------------------------------------------- */

static void recall(void *data, const struct wd_snapshot *snapshot)
{
	put_in(data, snapshot);
}

bool wd_ledger_recall(struct wd_ledger *ledger, struct wd_error *error)
{
	bool read = wd_store_load_snapshots(ledger->store, recall, ledger, error);
	if (access(ledger->directory, F_OK) == 0 || errno != ENOENT)
		wd_ledger_ask(ledger, WD_LEDGER_LIST, NULL, 0);
	return read;
}

struct wd_ledger *wd_ledger_new(struct wd_loop *loop, struct wd_store *store, struct wd_vault *vault,
				const char *directory, const struct wd_ledger_hooks *hooks)
{
	struct wd_ledger *ledger = wd_alloc(1, sizeof(*ledger));

	*ledger = (struct wd_ledger){.store = store, .vault = vault, .directory = wd_copy(directory), .hooks = *hooks};
	ledger->turn = wd_timer_new(loop, begin, ledger);
	return ledger;
}

struct wd_ledger *wd_ledger_free(struct wd_ledger *ledger)
{
	if (!ledger)
		return NULL;
	wd_vault_cancel(ledger->job);
	for (struct errand *errand = ledger->errands, *next; errand; errand = next) {
		next = errand->next;
		free_errand(errand);
	}
	forget_found(ledger);
	for (size_t i = 0; i < ledger->count; i++)
		wd_snapshot_free(ledger->items[i]);
	wd_timer_free(ledger->turn);
	free(ledger->items);
	free(ledger->lent);
	free(ledger->directory);
	free(ledger);
	return NULL;
}
