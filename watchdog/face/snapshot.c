/* snapshot.c: `seadog snapshot create|list|verify|restore|prune`. */
#include "bar.h"
#include "changing.h"
#include "offline.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/control.h>
#include <watchdog/keeping.h>
#include <watchdog/memory.h>
#include <watchdog/vault.h>

/* A volume may take hours; the watchdog says ten times a second how far it is. */
#define JOB_PATIENCE (30 * WD_MINUTE)

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

static struct wd_json *request_for(const struct wd_call *call, const char *verb)
{
	struct wd_json *request = wd_request_new(verb);
	if (call->word_count > 1)
		wd_json_set_string(request, "name", call->words[1]);
	return request;
}

/* --- list -------------------------------------------------------------------------------------------------------------- */

static struct wd_json *read_list(struct wd_call *call, const char *name, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = wd_request_new("snapshots");
	if (name)
		wd_json_set_string(request, "name", name);
	struct wd_json *report = wd_ask_once(call, request, error);
	return report || error->kind != WD_ERROR_NOT_RUNNING ? report : wd_offline_snapshots(call, name, error);
}

static bool run_list(struct wd_call *call, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *report = read_list(call, call->word_count > 1 ? call->words[1] : NULL, error);
	if (!report)
		return false;
	*error = (struct wd_error){0};
	if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(report);
	else if (wd_json_count(wd_json_get(report, "snapshots")) == 0)
		wd_note(call, "no snapshots");
	else
		wd_render_snapshots(report, &call->style);
	return true;
}

/* --- create, verify and prune: by the watchdog ---------------------------------------------------------------------------------- */

struct watching {
	const struct wd_call *call;
	struct wd_bar bar;
	unsigned answers;
};

static void show_progress(struct watching *watching, const struct wd_json *progress)
{
	const char *name = member(progress, "name"), *id = member(progress, "id");
	wd_bar_show(&watching->bar,
		    name ? name
		    : id ? id
			 : "",
		    wd_json_int(wd_json_get(progress, "bytes"), 0),
		    wd_json_int(wd_json_get(progress, "total_bytes"), 0));
}

static bool on_answer(void *data, const struct wd_json *answer)
{
	struct watching *watching = data;
	const struct wd_call *call = watching->call;

	if (wd_json_get(answer, "progress")) {
		show_progress(watching, wd_json_get(answer, "progress"));
		return true;
	}
	wd_bar_clear(&watching->bar);
	watching->answers++;
	if (wd_asked(call, WD_FLAG_JSON) || wd_json_get(answer, "plan"))
		wd_put_answer(call, answer);
	else if (member(answer, "failed"))
		wd_note(call, "%s: %s", member(answer, "failed"), member(answer, "why"));
	else if (member(answer, "verified"))
		wd_note(call, "%s is as it was written", member(answer, "verified"));
	else if (member(answer, "deleted"))
		wd_note(call, "%s is deleted", member(answer, "deleted"));
	else if (member(answer, "snapshot"))
		wd_note(call, "%s", member(answer, "detail"));
	return true;
}

static bool ask(struct wd_call *call, struct wd_json *request, const char *nothing, struct wd_error *error)
{
	struct watching watching = {.call = call};

	wd_bar_init(&watching.bar, call);
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		wd_json_set_bool(request, "dry_run", true);
	bool done = wd_control_ask(wd_call_control(call), request, JOB_PATIENCE, on_answer, &watching, error);
	wd_bar_clear(&watching.bar);
	if (done && watching.answers == 0)
		wd_note(call, "%s", nothing);
	return done;
}

static bool run_create(struct wd_call *call, struct wd_error *error)
{
	if (call->word_count < 2)
		return wd_fail(error, WD_ERROR_USAGE, "snapshot create needs NAME");
	WD_AUTO_JSON struct wd_json *request = request_for(call, "snapshot");
	return ask(call, request, "no snapshot", error);
}

static bool run_verify(struct wd_call *call, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = request_for(call, "verify");
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		return wd_fail(error, WD_ERROR_USAGE, "snapshot verify takes no --dry-run: it changes no snapshot");
	return ask(call, request, "no snapshots", error);
}

static bool run_prune(struct wd_call *call, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = request_for(call, "prune");
	return ask(call, request, "nothing to delete", error);
}

/* --- restore --to: by a vault of our own, with no more rights than who calls --------------------------------------------- */

struct shelf {
	struct wd_snapshot *items;
	const struct wd_snapshot **lent;
	size_t count;
};

static void shelf_done(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		wd_snapshot_done(&shelf->items[i]);
	free(shelf->items);
	free(shelf->lent);
}

static struct wd_snapshot *add_snapshot(struct shelf *shelf, const struct wd_json *row)
{
	shelf->items = wd_realloc(shelf->items, shelf->count + 1, sizeof(*shelf->items));
	struct wd_snapshot *snapshot = &shelf->items[shelf->count++];
	*snapshot = (struct wd_snapshot){.id = wd_copy(member(row, "id")), .service = wd_copy(member(row, "service"))};
	snapshot->broken = wd_copy(member(row, "broken"));
	snapshot->image_id = wd_copy(member(row, "image_id"));
	snapshot->well = wd_json_bool(wd_json_get(row, "well"), false);
	wd_stamp_parse(member(row, "time") ? member(row, "time") : "", &snapshot->stamp, NULL);
	wd_stamp_parse(member(row, "verified_at") ? member(row, "verified_at") : "", &snapshot->verified, NULL);
	return snapshot;
}

/* Rows of one snapshot stand together. */
static void read_shelf(struct shelf *shelf, const struct wd_json *report)
{
	for (const struct wd_json *row = wd_json_first(wd_json_get(report, "snapshots")); row;
	     row = wd_json_next(row)) {
		struct wd_snapshot *last = shelf->count ? &shelf->items[shelf->count - 1] : NULL;
		if (!last || !wd_text_equal(last->id, member(row, "id")))
			last = add_snapshot(shelf, row);
		if (!member(row, "volume"))
			continue;
		struct wd_snapshot_volume *volume = wd_snapshot_add(last);
		volume->name = wd_copy(member(row, "volume"));
		volume->bytes = (uint64_t)wd_json_int(wd_json_get(row, "bytes"), 0);
		volume->files = (uint64_t)wd_json_int(wd_json_get(row, "files"), 0);
	}
	shelf->lent = wd_alloc(shelf->count + 1, sizeof(struct wd_snapshot *));
	for (size_t i = 0; i < shelf->count; i++)
		shelf->lent[i] = &shelf->items[i];
}

/* A snapshot that is named is taken for what it is, unless it is broken. */
static const struct wd_snapshot *choose(const struct wd_call *call, const struct shelf *shelf, struct wd_error *error)
{
	const char *name = call->words[1], *id = call->word_count > 2 ? call->words[2] : name;
	const struct wd_restore_wish wish = {.now = wd_stamp_now()};
	char *why = NULL;

	for (size_t i = 0; i < shelf->count; i++) {
		if (!wd_text_equal(shelf->items[i].id, id))
			continue;
		if (!shelf->items[i].broken)
			return &shelf->items[i];
		wd_fail(error, WD_ERROR_REFUSED, "snapshot %s is broken: %s", id, shelf->items[i].broken);
		return NULL;
	}
	if (call->word_count > 2) {
		wd_fail(error, WD_ERROR_NOT_FOUND, "%s has no snapshot %s, see seadog snapshot list %s", name, id,
			name);
		return NULL;
	}
	const struct wd_snapshot *found = wd_restore_choose(&wish, shelf->lent, shelf->count, &why);
	if (!found)
		wd_fail(error, shelf->count ? WD_ERROR_REFUSED : WD_ERROR_NOT_FOUND,
			shelf->count ? "%s: %s; a snapshot can be named, see seadog snapshot list" : "%s: %s", name,
			why);
	free(why);
	return found;
}

struct unpacking {
	struct wd_loop *loop;
	struct wd_bar bar;
	const char *volume;
	bool done;
	struct wd_error *error;
};

static void on_unpacked(void *data, const struct wd_vault_end *end)
{
	struct unpacking *unpacking = data;

	unpacking->done = end->done != NULL;
	if (!unpacking->done)
		*unpacking->error = end->error;
	wd_loop_stop(unpacking->loop);
}

static void on_unpacking(void *data, const struct wd_vault_progress *progress)
{
	struct unpacking *unpacking = data;

	wd_bar_show(&unpacking->bar, unpacking->volume, (int64_t)progress->bytes, (int64_t)progress->total_bytes);
}

static bool unpack(struct unpacking *unpacking, struct wd_vault *vault, const struct wd_json *job)
{
	const struct wd_vault_hooks hooks = {.progress = on_unpacking, .ended = on_unpacked, .data = unpacking};

	wd_vault_start(vault, job, &hooks);
	wd_loop_run(unpacking->loop);
	wd_bar_clear(&unpacking->bar);
	return unpacking->done || wd_fail_in(unpacking->error, "%s", unpacking->volume);
}

/* Symbolic links are resolved here, for who calls; the vault follows none. */
static bool make_target(const char *wanted, char target[static PATH_MAX], struct wd_error *error)
{
	if (mkdir(wanted, 0700) != 0 && errno != EEXIST)
		return wd_fail_errno(error, WD_ERROR_FAILED, "--to %s", wanted);
	if (!realpath(wanted, target))
		return wd_fail_errno(error, WD_ERROR_FAILED, "--to %s", wanted);
	return true;
}

static void put_unpacked(const struct wd_call *call, const struct wd_snapshot *snapshot,
			 const struct wd_snapshot_volume *volume, const char *target)
{
	char size[WD_SIZE_TEXT];
	WD_AUTO_JSON struct wd_json *answer = wd_json_object();

	if (!wd_asked(call, WD_FLAG_JSON)) {
		wd_note(call, "%s: %llu files, %s, of %s, are in %s", volume->name, (unsigned long long)volume->files,
			wd_size_print(volume->bytes, size), snapshot->id, target);
		return;
	}
	wd_json_set_string(answer, "restored", snapshot->id);
	wd_json_set_string(answer, "service", snapshot->service);
	wd_json_set_string(answer, "volume", volume->name);
	wd_json_set_string(answer, "to", target);
	wd_put_json(answer);
}

static bool unpack_all(struct wd_call *call, const struct wd_snapshot *snapshot, struct wd_loop *loop,
		       struct wd_error *error)
{
	char target[PATH_MAX];
	WD_AUTO_FREE char *token = wd_format("%lx%llx", (long)getpid(), (unsigned long long)wd_stamp_now());
	WD_AUTO_FREE char *directory = wd_settings_snapshots(call->settings);
	struct unpacking unpacking = {.loop = loop, .error = error};
	bool done = make_target(call->flags[WD_FLAG_TO], target, error);
	struct wd_vault *vault = wd_vault_new(loop, NULL, NULL);

	wd_bar_init(&unpacking.bar, call);
	for (unsigned i = 0; done && i < snapshot->volume_count; i++) {
		WD_AUTO_JSON struct wd_json *job = wd_request_new("unpack");
		unpacking.volume = snapshot->volumes[i].name;
		wd_json_set_string(job, "directory", directory);
		wd_json_set_string(job, "service", snapshot->service);
		wd_json_set_string(job, "id", snapshot->id);
		wd_json_set_string(job, "volume", unpacking.volume);
		wd_json_set_string(job, "to", target);
		wd_json_set_string(job, "token", token);
		done = unpack(&unpacking, vault, job);
		if (done)
			put_unpacked(call, snapshot, &snapshot->volumes[i], target);
	}
	wd_vault_free(vault);
	return done;
}

static bool restore(struct wd_call *call, const struct wd_snapshot *snapshot, struct wd_error *error)
{
	if (snapshot->volume_count == 0)
		return wd_fail(error, WD_ERROR_REFUSED, "snapshot %s has no volumes", snapshot->id);
	for (unsigned i = 0; wd_asked(call, WD_FLAG_DRY_RUN) && i < snapshot->volume_count; i++) {
		WD_AUTO_FREE char *line = wd_format("unpack %s of %s into %s", snapshot->volumes[i].name, snapshot->id,
						    call->flags[WD_FLAG_TO]);
		wd_put_plan(call, call->words[1], line);
	}
	if (wd_asked(call, WD_FLAG_DRY_RUN))
		return true;
	struct wd_loop *loop = wd_loop_new(error);
	if (!loop)
		return false;
	bool done = unpack_all(call, snapshot, loop, error);
	wd_loop_free(loop);
	return done;
}

static bool run_restore(struct wd_call *call, struct wd_error *error)
{
	if (call->word_count < 2)
		return wd_fail(error, WD_ERROR_USAGE, "snapshot restore needs NAME [SNAPSHOT] --to DIR");
	if (!call->flags[WD_FLAG_TO])
		return wd_fail(
			error, WD_ERROR_USAGE,
			"snapshot restore needs --to DIR: putting a snapshot back in place is not in this version");
	WD_AUTO_JSON struct wd_json *report = read_list(call, call->words[1], error);
	if (!report)
		return false;
	*error = (struct wd_error){0};
	struct shelf shelf = {0};
	read_shelf(&shelf, report);
	const struct wd_snapshot *snapshot = choose(call, &shelf, error);
	bool done = snapshot && restore(call, snapshot, error);
	shelf_done(&shelf);
	return done;
}

/* --- which ------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	wd_command_run *run;
	size_t most; /* words */
	bool to;     /* takes --to */
} parts[] = {
	{"create", run_create, 2, false},  {"list", run_list, 2, false},   {"verify", run_verify, 2, false},
	{"restore", run_restore, 3, true}, {"prune", run_prune, 2, false},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

void wd_snapshot_offer(void)
{
	for (size_t i = 0; i < PARTS; i++)
		puts(parts[i].name);
}

static bool unknown(const char *word, struct wd_error *error)
{
	const char *names[PARTS];
	for (size_t i = 0; i < PARTS; i++)
		names[i] = parts[i].name;
	const char *nearest = wd_text_nearest(word, names, PARTS);
	return nearest ? wd_fail(error, WD_ERROR_USAGE, "unknown command snapshot %s, did you mean %s", word, nearest)
		       : wd_fail(error, WD_ERROR_USAGE, "unknown command snapshot %s, see seadog help snapshot", word);
}

bool wd_run_snapshot(struct wd_call *call, struct wd_error *error)
{
	for (size_t i = 0; i < PARTS; i++) {
		if (!wd_text_equal(parts[i].name, call->words[0]))
			continue;
		if (call->word_count > parts[i].most)
			return wd_fail(error, WD_ERROR_USAGE, "snapshot %s: one word too many: %s", parts[i].name,
				       call->words[parts[i].most]);
		if (call->flags[WD_FLAG_TO] && !parts[i].to)
			return wd_fail(error, WD_ERROR_USAGE, "snapshot %s takes no --to", parts[i].name);
		return wd_call_settings(call, error) && parts[i].run(call, error);
	}
	return unknown(call->words[0], error);
}
