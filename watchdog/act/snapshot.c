/* snapshot.c: the tables, and what is between the runner and the vault. */
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>

enum { VOLUMES_MOST = 200, RUNS_AFTER = 1000, ID_TEXT = 64 };

/* How long a service may stand still for it. Who stops it has taken that into account. */
#define PAUSED_MOST (10 * WD_MINUTE)
#define STOPPED_MOST WD_HOUR
#define READ_MOST WD_DAY
#define WRITTEN_MOST (6 * WD_HOUR)
#define ORDINARY (10 * WD_SECOND)
#define STARTING (30 * WD_SECOND)

/* --- what is known ---------------------------------------------------------------------------------------------------- */

struct wd_taking *wd_taking_new(const struct wd_order *order)
{
	const struct wd_snapshot_wish *wish = order->snapshot;
	struct wd_taking *taking;

	if (!wish)
		return NULL;
	taking = wd_alloc(1, sizeof(*taking));
	taking->directory = wd_copy(wish->directory);
	taking->previous = wd_copy(wish->previous);
	taking->min_free = wd_copy(wish->min_free);
	taking->squeeze = wish->squeeze;
	taking->well = wish->well;
	taking->stops = wish->consistency == WD_CONSISTENCY_STOP;
	taking->pauses = wish->consistency == WD_CONSISTENCY_PAUSE;
	if (wish->binds)
		wd_list_copy(&taking->binds, wish->binds);
	return taking;
}

struct wd_taking *wd_taking_free(struct wd_taking *taking)
{
	if (!taking)
		return NULL;
	free(taking->directory);
	free(taking->previous);
	free(taking->min_free);
	free(taking->trouble);
	wd_list_done(&taking->binds);
	wd_list_done(&taking->ask);
	wd_json_free(taking->volumes);
	wd_snapshot_free(taking->made);
	free(taking);
	return NULL;
}

/* --- the vault's job -------------------------------------------------------------------------------------------------- */

static void on_progress(void *data, const struct wd_vault_progress *progress)
{
	const struct wd_run *run = data;

	if (run->hooks.progress)
		run->hooks.progress(run->hooks.data, run, progress);
}

static void on_read(void *data)
{
	struct wd_run *run = data;

	run->taking->read = true;
	wd_run_job_moved(run);
}

static void on_ended(void *data, const struct wd_vault_end *end)
{
	struct wd_run *run = data;
	struct wd_taking *taking = run->taking;
	struct wd_error error = {0};

	taking->job = NULL;
	if (end->done) {
		struct wd_snapshot *made = wd_alloc(1, sizeof(*made));
		if (wd_vault_snapshot(wd_json_get(end->done, "snapshot"), made, &error))
			taking->made = made;
		else
			wd_snapshot_free(made);
		taking->trouble = taking->made ? NULL : wd_copy(error.text);
	} else {
		taking->trouble = wd_copy(end->error.text);
	}
	taking->read = true;
	wd_run_job_moved(run);
}

/* Sorted by its name it is sorted by its time; seconds are enough, as the rest is nobody else's. */
static void print_id(const struct wd_outside *outside, char id[static ID_TEXT])
{
	char stamp[WD_TIME_TEXT], *to = id;

	wd_stamp_print(outside->stamp(outside->data), stamp);
	for (const char *at = stamp; *at && *at != '.'; at++)
		if (*at != '-' && *at != ':' && *at != 'Z')
			*to++ = *at;
	snprintf(to, (size_t)(id + ID_TEXT - to), "Z-%08x", (unsigned)outside->random(outside->data));
}

static struct wd_json *print_job(const struct wd_run *run)
{
	const struct wd_taking *taking = run->taking;
	struct wd_json *job = wd_json_object();
	char id[ID_TEXT];

	print_id(run->outside, id);
	wd_json_set_string(job, "verb", "take");
	wd_json_set_string(job, "directory", taking->directory);
	wd_json_set_string(job, "service", run->task.service);
	wd_json_set_string(job, "name", run->task.name);
	wd_json_set_string(job, "image", run->seen->image);
	wd_json_set_string(job, "image_id", run->seen->image_id);
	wd_json_set_string(job, "id", id);
	wd_json_set_string(job, "compress", taking->squeeze ? "zstd" : "none");
	wd_json_set_string(job, "min_free", taking->min_free);
	wd_json_set_string(job, "previous", taking->previous);
	wd_json_set_bool(job, "well", taking->well);
	wd_json_set_bool(job, "paused", taking->stands);
	wd_json_set(job, "volumes", wd_json_clone(taking->volumes));
	return job;
}

void wd_taking_begin(struct wd_run *run)
{
	WD_AUTO_JSON struct wd_json *job = print_job(run);
	const struct wd_vault_hooks hooks = {.progress = on_progress, .read = on_read, .ended = on_ended, .data = run};

	run->taking->job = run->outside->vault(run->outside->data, job, &hooks);
}

void wd_taking_release(struct wd_run *run)
{
	const struct wd_outside *outside = run->outside;

	if (run->taking->job && run->taking->stands)
		outside->vault_paused(run->taking->job, outside->now(outside->data) - run->first_change);
}

void wd_taking_cancel(struct wd_run *run)
{
	void *job = run->taking ? run->taking->job : NULL;

	if (!job)
		return;
	run->taking->job = NULL;
	run->outside->vault_cancel(job);
}

char *wd_taking_late(const struct wd_run *run)
{
	char span[WD_TIME_TEXT];
	const char *most = wd_span_print(run->row->patience, span);

	if (run->row->kind == WD_ROW_AWAIT || !run->taking->stands)
		return wd_format("the vault had not done it within %s", most);
	return wd_format("the service stood still for %s, and its data was not read yet: "
			 "snapshot_consistency = live, or a file system that clones",
			 most);
}

/* --- what belongs to it ----------------------------------------------------------------------------------------------- */

static enum wd_kept refuse(struct wd_run *run, char *why_taken)
{
	free(run->why);
	run->why = why_taken;
	return WD_KEPT_FAILED;
}

/* It goes into a path as it is. */
static bool is_volume_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *name && *name != '.' && strlen(name) < 256 && name[strspn(name, allowed)] == '\0';
}

static void add_volume(struct wd_taking *taking, const char *name, const char *path, const char *kind)
{
	struct wd_json *volume = wd_json_add(taking->volumes, wd_json_object());

	wd_json_set_string(volume, "name", name);
	wd_json_set_string(volume, "path", path);
	wd_json_set_string(volume, "kind", kind);
}

static bool same_path(const char *one, const char *other)
{
	size_t length = strlen(one), other_length = strlen(other);

	while (length > 1 && one[length - 1] == '/')
		length--;
	while (other_length > 1 && other[other_length - 1] == '/')
		other_length--;
	return length == other_length && memcmp(one, other, length) == 0;
}

static bool has_path(const struct wd_list *paths, const char *path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (same_path(paths->items[i], path))
			return true;
	return false;
}

static bool is_added(const struct wd_taking *taking, const char *path)
{
	for (const struct wd_json *volume = wd_json_first(taking->volumes); volume; volume = wd_json_next(volume))
		if (wd_text_equal(wd_json_string(wd_json_get(volume, "path"), ""), path))
			return true;
	return false;
}

static bool take_mount(struct wd_taking *taking, const struct wd_json *mount)
{
	const char *type = wd_json_string(wd_json_get(mount, "Type"), "");
	const char *name = wd_json_string(wd_json_get(mount, "Name"), "");
	const char *source = wd_json_string(wd_json_get(mount, "Source"), "");

	if (wd_text_equal(type, "volume")) {
		if (!wd_list_has(&taking->ask, name))
			wd_list_add(&taking->ask, name);
		return is_volume_name(name);
	}
	if (wd_text_equal(type, "bind") && has_path(&taking->binds, source) && !is_added(taking, source))
		add_volume(taking, source, source, "bind");
	return true;
}

static enum wd_kept keep_mounts(struct wd_run *run, const struct wd_engine_answer *answer)
{
	WD_AUTO_JSON struct wd_json *inspect = wd_json_parse(answer->body, answer->length, NULL);
	const struct wd_json *mounts = wd_json_get(inspect, "Mounts");
	struct wd_taking *taking = run->taking;
	bool named = true;

	wd_json_free(taking->volumes);
	taking->volumes = wd_json_array();
	wd_list_done(&taking->ask);
	for (const struct wd_json *mount = wd_json_first(mounts); mount; mount = wd_json_next(mount))
		named = take_mount(taking, mount) && named;
	taking->stands = run->seen->state == WD_STATE_RUNNING && (taking->stops || taking->pauses);
	if (!named || taking->ask.count > VOLUMES_MOST)
		return refuse(run, wd_copy("its volumes have names that the engine does not give, or are too many"));
	if (!taking->ask.count && !wd_json_count(taking->volumes))
		return refuse(run, wd_copy("it has no volume, and no bind mount that snapshot_binds names"));
	return WD_KEPT;
}

static bool has_no_volume(const struct wd_run *run)
{
	return run->taking->ask.count == 0;
}

static char *volume_path(const struct wd_run *run)
{
	return wd_format("/volumes/%s", run->taking->ask.items[run->taking->ask.count - 1]);
}

/* With options it is mounted while it is used, and is an empty directory else; of another driver it can be anywhere. */
static enum wd_kept keep_volume(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_taking *taking = run->taking;
	WD_AUTO_JSON struct wd_json *volume = wd_json_parse(answer->body, answer->length, NULL);
	WD_AUTO_FREE char *name = wd_copy(taking->ask.items[taking->ask.count - 1]);
	const char *driver = wd_json_string(wd_json_get(volume, "Driver"), "");
	const char *path = wd_json_string(wd_json_get(volume, "Mountpoint"), "");

	if (!volume || *path != '/')
		return WD_KEPT_NOT;
	if (!wd_text_equal(driver, "local"))
		return refuse(run,
			      wd_format("volume %s is of the driver %s: only those of the driver local are files here",
					name, driver));
	if (wd_json_count(wd_json_get(volume, "Options")))
		return refuse(
			run,
			wd_format("volume %s has mount options: it is another file system, mounted while it is used",
				  name));
	add_volume(taking, name, path, "volume");
	free(taking->ask.items[--taking->ask.count]);
	return has_no_volume(run) ? WD_KEPT : WD_KEPT_MORE;
}

/* --- the tables ------------------------------------------------------------------------------------------------------- */

static bool is_read(const struct wd_run *run)
{
	return run->taking->read;
}

/* What runs no more has nothing to stand still for. */
static bool needs_no_halt(const struct wd_run *run)
{
	return run->taking && (is_read(run) || !run->taking->stands || wd_run_is_down(run));
}

static bool stood_not(const struct wd_run *run)
{
	return run->taking && !run->taking->stands;
}

static bool is_not_frozen(const struct wd_run *run)
{
	return !wd_run_is_paused(run);
}

static bool runs_or_ran(const struct wd_run *run)
{
	return wd_run_is_up(run) || wd_run_is_paused(run) || wd_run_started(run);
}

/* clang-format off */
#define LOOK    .name = "look", .kind = WD_ROW_LOOK, .method = "GET", .verb = "/json", .patience = ORDINARY, .keep = keep_mounts
#define VOLUMES .name = "volumes", .kind = WD_ROW_READ, .method = "GET", .path = volume_path, .patience = ORDINARY, \
	.needless = has_no_volume, .keep = keep_volume
#define CHANGE  .kind = WD_ROW_CHANGE, .method = "POST"
#define PAUSE   .name = "pause", CHANGE, .verb = "/pause", .patience = ORDINARY, .tries = 3, .lasts = true, \
	.needless = needs_no_halt, .holds = wd_run_is_paused
#define UNPAUSE .name = "unpause", CHANGE, .verb = "/unpause", .patience = ORDINARY, .tries = RUNS_AFTER, .lasts = true, \
	.needless = stood_not, .holds = is_not_frozen
#define STOP    .name = "stop", CHANGE, .verb = "/stop", .patience = ORDINARY, .stops = true, .fine = 304, .tries = 3, \
	.lasts = true, .needless = needs_no_halt, .holds = wd_run_is_down
#define STOP_AGAIN .name = "stop", CHANGE, .verb = "/stop", .patience = ORDINARY, .stops = true, .fine = 304, .tries = 3, \
	.needless = wd_run_started, .holds = wd_run_is_down
#define START   .name = "start", CHANGE, .verb = "/start", .patience = STARTING, .fine = 304, .tries = RUNS_AFTER, \
	.lasts = true, .needless = stood_not, .holds = runs_or_ran
#define READ    .name = "read", .kind = WD_ROW_JOB, .holds = is_read
#define VERIFY  .name = "verify", .kind = WD_ROW_VERIFY, .method = "GET", .verb = "/json", .patience = ORDINARY
#define WRITE   .name = "write", .kind = WD_ROW_AWAIT, .patience = WRITTEN_MOST

static const struct wd_row pause_rows[] = {
	{LOOK},
	{VOLUMES},
	{PAUSE},
	{READ, .patience = PAUSED_MOST},
	{UNPAUSE},
	{VERIFY},
	{WRITE},
	{0},
};

static const struct wd_row pause_undo_rows[] = {
	{UNPAUSE},
	{VERIFY},
	{0},
};

static const struct wd_row stop_rows[] = {
	{LOOK},
	{VOLUMES},
	{STOP},
	{READ, .patience = STOPPED_MOST},
	{START},
	{VERIFY},
	{WRITE},
	{0},
};

static const struct wd_row stop_undo_rows[] = {
	{START},
	{VERIFY},
	{0},
};

/* A stop may be under way still, which another one waits for. */
static const struct wd_row stop_resume_rows[] = {
	{STOP_AGAIN},
	{START},
	{VERIFY},
	{0},
};

static const struct wd_row live_rows[] = {
	{LOOK},
	{VOLUMES},
	{READ, .patience = READ_MOST},
	{VERIFY},
	{WRITE},
	{0},
};
/* clang-format on */

static const char *refuse_any(const struct wd_run *run)
{
	if (!run->outside->vault)
		return "there is no vault here: seadog check says why";
	if (run->seen->state == WD_STATE_RESTARTING || run->seen->state == WD_STATE_REMOVING)
		return "it is being restarted, or removed";
	return NULL;
}

static const char *refuse_stop(const struct wd_run *run)
{
	if (run->seen->auto_remove)
		return "a stop would delete it: it has AutoRemove (--rm); snapshot_consistency = pause";
	if (run->seen->swarm_task)
		return "it is a Swarm task and would be replaced; snapshot_consistency = pause";
	return refuse_any(run);
}

static enum wd_choice choose_pause(const struct wd_run *run, const char **ret_why)
{
	bool ours = wd_run_is_paused(run) && !wd_run_started(run);

	*ret_why = ours ? "it stood still for it" : "it goes on already";
	return ours ? WD_CHOICE_UNDO : WD_CHOICE_LEAVE;
}

static enum wd_choice choose_stop(const struct wd_run *run, const char **ret_why)
{
	*ret_why = "it goes on already";
	return wd_run_started(run) ? WD_CHOICE_LEAVE : WD_CHOICE_FINISH;
}

static void goal(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, "running as before");
}

static void print_rehearsal(const struct wd_taking *taking, struct wd_text *text)
{
	for (const struct wd_json *volume = wd_json_first(taking->volumes); volume; volume = wd_json_next(volume))
		wd_text_print(text, "%s%s %s: %s", volume == wd_json_first(taking->volumes) ? "" : "\n",
			      wd_json_string(wd_json_get(volume, "kind"), ""),
			      wd_json_string(wd_json_get(volume, "name"), ""),
			      wd_json_string(wd_json_get(volume, "path"), ""));
}

static void done(const struct wd_run *run, struct wd_text *text)
{
	const struct wd_snapshot *made = run->taking ? run->taking->made : NULL;
	char whole[WD_SIZE_TEXT], stored[WD_SIZE_TEXT], span[WD_TIME_TEXT];

	if (!run->taking) {
		wd_text_add(text, "it goes on");
		return;
	}
	if (!made) {
		print_rehearsal(run->taking, text);
		return;
	}
	wd_text_print(text, "snapshot %s: %s in %s", made->id, wd_size_print(wd_snapshot_bytes(made), whole),
		      wd_size_print(wd_snapshot_stored(made), stored));
	if (run->taking->stands)
		wd_text_print(text, ", %s for %s", run->taking->stops ? "stopped" : "paused",
			      wd_span_print_short((wd_time)(made->paused_seconds * (double)WD_SECOND), span));
}

const struct wd_plan wd_plan_snapshot_pause = {
	.name = "snapshot",
	.gives_way = true,
	.persists = true,
	.rows = pause_rows,
	.undo = pause_undo_rows,
	.refuses = refuse_any,
	.choose = choose_pause,
	.goal = goal,
	.done = done,
};

const struct wd_plan wd_plan_snapshot_stop = {
	.name = "snapshot-stop",
	.gives_way = true,
	.persists = true,
	.rows = stop_rows,
	.resume = stop_resume_rows,
	.undo = stop_undo_rows,
	.refuses = refuse_stop,
	.choose = choose_stop,
	.goal = goal,
	.done = done,
};

const struct wd_plan wd_plan_snapshot_live = {
	.name = "snapshot-live",
	.gives_way = true,
	.rows = live_rows,
	.refuses = refuse_any,
	.choose = choose_pause,
	.goal = goal,
	.done = done,
};
