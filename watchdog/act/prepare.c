/* prepare.c: what must be known before a container is made again: all that is asked, and what comes of it. */
#include "swap.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

enum { DIFFERENCES_SHOWN = 5 };

static enum wd_kept take_json(struct wd_json **slot, const struct wd_engine_answer *answer)
{
	struct wd_json *json = wd_json_parse(answer->body, answer->length, NULL);

	if (!json)
		return WD_KEPT_NOT;
	wd_json_free(*slot);
	*slot = json;
	return WD_KEPT;
}

static enum wd_kept refuse(struct wd_run *run, char *why_taken)
{
	free(run->why);
	run->why = why_taken;
	return WD_KEPT_FAILED;
}

enum wd_kept wd_prepare_inspect(struct wd_run *run, const struct wd_engine_answer *answer)
{
	run->task.policy = run->seen->policy;
	wd_replace(&run->task.name, run->seen->name);
	wd_swap_rename(run->swap, run->seen->name);
	run->swap->ran = wd_run_is_up(run) || wd_list_has(&run->swap->perishing, run->task.container);
	if (run->swap->moved_from) {
		wd_replace(&run->swap->target, run->seen->image_id);
		wd_replace(&run->swap->reference, run->seen->image);
	}
	return take_json(&run->swap->inspect, answer);
}

/* --- images --- */

char *wd_prepare_broken_path(const struct wd_run *run)
{
	return wd_format("/images/%s/json", run->seen->image_id);
}

/* It can have been removed with force while its container was down. What it had must be taken away from what the
 * container has all the same, or the old image would be started with the new one's command. */
static enum wd_kept recall_broken(struct wd_run *run)
{
	struct wd_swap *swap = run->swap;
	struct wd_json *config = swap->config ? wd_json_parse(swap->config, strlen(swap->config), NULL) : NULL;

	if (!config)
		return refuse(run, wd_format("its image %s is gone, and what it had was never seen", run->seen->image));
	wd_json_free(swap->broken);
	swap->broken = wd_json_object();
	wd_json_set_string(swap->broken, "Id", run->seen->image_id);
	wd_json_set(swap->broken, "Config", config);
	return WD_KEPT;
}

enum wd_kept wd_prepare_broken(struct wd_run *run, const struct wd_engine_answer *answer)
{
	if (answer->status == 404)
		return recall_broken(run);
	return take_json(&run->swap->broken, answer);
}

char *wd_prepare_target_path(const struct wd_run *run)
{
	return wd_format("/images/%s/json", run->swap->target);
}

static enum wd_kept refuse_gone(struct wd_run *run, const char *why)
{
	const struct wd_swap *swap = run->swap;

	return refuse(run,
		      wd_format("the image to go back to is gone: %s%s%s",
				swap->reference ? swap->reference : swap->target, why ? "; " : "", why ? why : ""));
}

/* Pruned, tag of seadog's own and all: its registry may have it. */
enum wd_kept wd_prepare_target(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	bool can_pull = swap->digest && wd_pull_is_reference(swap->digest);

	if (answer->status != 404)
		return take_json(&swap->image, answer);
	if (swap->pulled)
		return refuse_gone(run, "under its digest there is another one by now");
	if (!can_pull)
		return refuse_gone(run, NULL);
	if (!run->task.rehearsed)
		return WD_KEPT;
	WD_AUTO_FREE char *why = wd_format("it would be pulled again: %s", swap->digest);
	return refuse_gone(run, why);
}

bool wd_prepare_has_target(const struct wd_run *run)
{
	return run->swap->image != NULL;
}

char *wd_prepare_pull_path(const struct wd_run *run)
{
	return wd_pull_path(run->swap->digest);
}

char *wd_prepare_pull_auth(const struct wd_run *run)
{
	return wd_pull_auth(run->outside, run->swap->digest);
}

enum wd_kept wd_prepare_pulled(struct wd_run *run, const struct wd_engine_answer *answer)
{
	WD_AUTO_FREE char *complaint = wd_pull_complaint(run->outside, run->swap->digest, answer);

	run->swap->pulled = true;
	if (!complaint)
		return WD_KEPT;
	WD_AUTO_FREE char *why = wd_format("pull: %s", complaint);
	return refuse_gone(run, why);
}

bool wd_prepare_not_pulled(const struct wd_run *run)
{
	return !run->swap->pulled;
}

char *wd_prepare_keep_path(const struct wd_run *run)
{
	return wd_image_keep_path(run->swap->target);
}

/* --- the host --- */

enum wd_kept wd_prepare_info(struct wd_run *run, const struct wd_engine_answer *answer)
{
	return take_json(&run->swap->info, answer);
}

enum wd_kept wd_prepare_networks(struct wd_run *run, const struct wd_engine_answer *answer)
{
	return take_json(&run->swap->networks, answer);
}

enum wd_kept wd_prepare_list(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	WD_AUTO_JSON struct wd_json *list = wd_json_parse(answer->body, answer->length, NULL);

	wd_list_done(&swap->ids);
	if (!list || !wd_wire_list(list, &swap->ids, NULL))
		return WD_KEPT_NOT;
	wd_json_free(swap->others);
	swap->others = wd_json_array();
	swap->asked = 0;
	return WD_KEPT;
}

bool wd_prepare_no_other(const struct wd_run *run)
{
	return run->swap->asked >= run->swap->ids.count;
}

char *wd_prepare_other_path(const struct wd_run *run)
{
	return wd_format("/containers/%s/json", run->swap->ids.items[run->swap->asked]);
}

/* One that went meanwhile depends on nobody. */
enum wd_kept wd_prepare_other(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	struct wd_json *json = NULL;

	if (answer->status != 404) {
		if (take_json(&json, answer) != WD_KEPT)
			return WD_KEPT_NOT;
		wd_json_add(swap->others, json);
	}
	swap->asked++;
	return wd_prepare_no_other(run) ? WD_KEPT : WD_KEPT_MORE;
}

/* --- what it is made of --- */

static struct wd_recreate_source source_of(const struct wd_swap *swap)
{
	return (struct wd_recreate_source){
		.inspect = swap->inspect,
		.broken = swap->broken,
		.target = swap->image,
		.api = swap->api,
		.info = swap->info,
		.others = swap->others,
		.networks = swap->networks,
		.volumes = swap->volumes,
		.podman = swap->podman,
		.libpod = swap->libpod,
		.cascade = swap->cascade,
		.same_image = swap->moved_from != NULL,
		.moved_from = swap->moved_from,
		.moved_to = swap->moved_to,
	};
}

/* Of an earlier one that was not ended; its names would be in the way of whoever tidies it up. */
static char *find_leftover(const struct wd_swap *swap)
{
	for (const struct wd_json *other = wd_json_first(swap->others); other; other = wd_json_next(other)) {
		const char *name = wd_json_string(wd_json_get(other, "Name"), "");
		WD_AUTO_FREE char *whose = NULL;
		if (wd_spare_read(name, &whose, NULL) != WD_SPARE_NONE && wd_text_equal(whose, swap->name))
			return wd_copy(name + (*name == '/'));
	}
	return NULL;
}

static enum wd_kept build(struct wd_run *run)
{
	struct wd_swap *swap = run->swap;
	const struct wd_recreate_source source = source_of(swap);
	WD_AUTO_FREE char *leftover = find_leftover(swap);
	char *why;
	struct wd_error error = {0};

	if (leftover)
		return refuse(run, wd_format("%s is left from an earlier rollback", leftover));
	wd_recreate_free(swap->recreate);
	swap->recreate = wd_recreate_build(&source, &error);
	if (!swap->recreate)
		return refuse(run, wd_copy(error.text));
	wd_replace(&swap->body, swap->recreate->body);
	why = wd_kin_note(swap);
	return why ? refuse(run, why) : WD_KEPT;
}

/* The inspect of its compatible API leaves out what this one has: with which command it was made. */
bool wd_prepare_no_libpod(const struct wd_run *run)
{
	return !run->outside->podman(run->outside->data);
}

char *wd_prepare_libpod_path(const struct wd_run *run)
{
	return wd_format("/libpod/containers/%s/json", run->task.container);
}

enum wd_kept wd_prepare_libpod(struct wd_run *run, const struct wd_engine_answer *answer)
{
	return take_json(&run->swap->libpod, answer);
}

enum wd_kept wd_prepare_volumes(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;

	if (take_json(&swap->volumes, answer) != WD_KEPT)
		return WD_KEPT_NOT;
	swap->podman = run->outside->podman(run->outside->data);
	wd_replace(&swap->api, run->outside->api(run->outside->data));
	return build(run);
}

/* --- whether it is the same --- */

enum wd_kept wd_prepare_compare(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	const struct wd_recreate_source source = source_of(swap);
	struct wd_list differences = {0};
	struct wd_text why = {0};
	enum wd_kept kept = wd_swap_keep_view(run, answer);

	if (kept != WD_KEPT || !swap->view)
		return WD_KEPT_NOT;
	swap->compared = wd_recreate_compare(&source, swap->recreate, swap->view, &differences);
	if (!swap->compared) {
		wd_text_add(&why, "the new container would not be the same: ");
		for (size_t i = 0; i < differences.count && i < DIFFERENCES_SHOWN; i++)
			wd_text_print(&why, "%s%s", i ? "; " : "", differences.items[i]);
		kept = refuse(run, wd_text_take(&why));
	}
	wd_list_done(&differences);
	return kept;
}

void wd_prepare_tell(const struct wd_run *run, struct wd_text *text)
{
	const struct wd_swap *swap = run->swap;
	const struct wd_recreate_source source = source_of(swap);
	struct wd_list lines = {0};

	wd_recreate_changes(&source, swap->recreate, &lines);
	for (size_t i = 0; i < lines.count; i++)
		wd_text_print(text, "\n%s", lines.items[i]);
	for (size_t i = 0; i < swap->recreate->warnings.count; i++)
		wd_text_print(text, "\nwarning: %s", swap->recreate->warnings.items[i]);
	wd_kin_tell(swap, text);
	for (size_t i = 0; i < swap->recreate->left_behind.count; i++)
		wd_text_print(text, "\nvolume left behind: %s", swap->recreate->left_behind.items[i]);
	wd_list_done(&lines);
}

void wd_prepare_warn(const struct wd_run *run, struct wd_text *text)
{
	const struct wd_recreate *recreate = run->swap->recreate; /* NULL: prepared by a seadog that has died */

	for (size_t i = 0; recreate && i < recreate->left_behind.count; i++)
		wd_text_print(text, "; volume left behind: %s", recreate->left_behind.items[i]);
	for (size_t i = 0; recreate && i < recreate->warnings.count; i++)
		wd_text_print(text, "; warning: %s", recreate->warnings.items[i]);
}
