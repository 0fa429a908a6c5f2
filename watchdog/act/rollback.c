/* rollback.c: the plans about a pair, each a table. The new container is made and compared before the old one is touched:
 * ports and addresses are taken at a start, not when a container is made. The old one is stopped before it is renamed,
 * because what is being restarted cannot be, and gets its restart policy taken away only when it is down and parked: so a
 * reboot of the host before that brings it back, and after that it fights nobody for its ports. The new one has its
 * policy from the first, so that it is whole if seadog dies. Until it is committed, all of it can be taken back. */
#include "rollback.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

enum { LOG_LINES = 20, FILE_MOST = 4 << 20 };

#define ORDINARY (10 * WD_SECOND)
#define MAKING (2 * WD_MINUTE) /* what the image has at a volume's place is copied into it */
#define STARTING WD_MINUTE
#define READING (5 * WD_SECOND)

/* --- paths and bodies --- */

static char *path_create(const struct wd_run *run)
{
	const char *platform = run->swap->recreate ? run->swap->recreate->platform : NULL;
	WD_AUTO_FREE char *escaped = platform ? wd_http_escape(platform) : NULL;

	return wd_format("/containers/create?name=%s%s%s", run->swap->fresh, platform ? "&platform=" : "",
			 platform ? escaped : "");
}

static char *body_create(const struct wd_run *run, size_t *ret_length)
{
	*ret_length = strlen(run->swap->body);
	return wd_copy(run->swap->body);
}

static char *path_connect(const struct wd_run *run)
{
	return wd_recreate_link_path(&run->swap->recreate->links[run->swap->linked]);
}

static char *body_connect(const struct wd_run *run, size_t *ret_length)
{
	char *body = wd_recreate_link_body(&run->swap->recreate->links[run->swap->linked], run->swap->made);

	*ret_length = strlen(body);
	return body;
}

static char *path_new(const struct wd_run *run)
{
	return wd_swap_path(run, "/json");
}

static char *path_park(const struct wd_run *run)
{
	return wd_format("/containers/%s/rename?name=%s", run->task.container, run->swap->parked);
}

static char *path_name(const struct wd_run *run)
{
	WD_AUTO_FREE char *verb = wd_format("/rename?name=%s", run->swap->name);

	return wd_swap_path(run, verb);
}

static char *path_name_back(const struct wd_run *run)
{
	return wd_format("/containers/%s/rename?name=%s", run->task.container, run->swap->name);
}

static char *path_start(const struct wd_run *run)
{
	return wd_swap_path(run, "/start");
}

static char *path_wake(const struct wd_run *run)
{
	return wd_format("/containers/%s/restart", run->swap->sharers.items[run->swap->woken]);
}

static char *path_rouse(const struct wd_run *run)
{
	return wd_format("/containers/%s/restart", run->swap->waiters.items[run->swap->roused]);
}

static char *path_stop(const struct wd_run *run)
{
	return wd_swap_path(run, "/stop");
}

static char *path_logs(const struct wd_run *run)
{
	return wd_swap_path(run, "/logs?stdout=1&stderr=1&tail=20");
}

/* Its own volumes go with it; those that it was given by name stay. */
static char *path_remove(const struct wd_run *run)
{
	return wd_swap_path(run, "?force=1&v=1");
}

/* --- what is not needed --- */

static bool is_gone(const struct wd_run *run)
{
	return run->seen == NULL;
}

static bool is_not_gone(const struct wd_run *run)
{
	return !is_gone(run);
}

static bool has_no_links(const struct wd_run *run)
{
	return !run->swap->recreate || run->swap->recreate->link_count == 0;
}

static bool is_follower_down(const struct wd_run *run)
{
	return run->swap->moved_from && !run->swap->ran;
}

static bool is_not_to_run(const struct wd_run *run)
{
	return is_gone(run) || !run->swap->ran;
}

static bool are_all_woken(const struct wd_run *run)
{
	return is_not_to_run(run) || run->swap->woken >= run->swap->sharers.count;
}

static bool does_nobody_wait(const struct wd_run *run)
{
	return run->swap->waiters.count == 0;
}

/* Who was stopped since is to stay so: where that is not known, nobody is restarted. */
static bool are_all_roused(const struct wd_run *run)
{
	return !run->swap->waiters_seen || run->swap->roused >= run->swap->waiters.count;
}

/* --- what the last look shows --- */

static bool is_linked(const struct wd_run *run)
{
	return run->swap->linked >= run->swap->recreate->link_count;
}

static bool is_compared(const struct wd_run *run)
{
	return run->swap->compared;
}

static bool is_down(const struct wd_run *run)
{
	return is_gone(run) || wd_run_is_down(run);
}

static bool is_parked(const struct wd_run *run)
{
	return is_gone(run) || wd_text_equal(run->seen->name, run->swap->parked);
}

static bool is_called_back(const struct wd_run *run)
{
	return is_gone(run) || wd_text_equal(run->seen->name, run->swap->name);
}

static bool has_no(const struct wd_run *run)
{
	return is_gone(run) || run->seen->policy.kind == WD_RESTART_NO;
}

static bool has_back(const struct wd_run *run)
{
	return is_gone(run) || wd_restart_policy_equal(run->seen->policy, run->task.policy);
}

/* A stop whose answer nobody has seen: it is up, and may be down in a moment. Another one waits for the first. */
static bool is_stopping(const struct wd_run *run)
{
	return run->swap->ran && run->swap->stopping && !run->swap->stopped_back;
}

/* Neither the name nor the policy of what is in a loop may be changed: that fails at times, and nobody knows what came
 * of it. */
static bool is_back(const struct wd_run *run)
{
	return is_gone(run) || (is_called_back(run) && has_back(run) && !is_stopping(run));
}

static bool is_down_for_good(const struct wd_run *run)
{
	return is_gone(run) || (wd_run_is_down(run) && !is_stopping(run));
}

static bool is_new_gone(const struct wd_run *run)
{
	return !wd_swap_is_there(run);
}

static bool is_new_down(const struct wd_run *run)
{
	return !wd_json_bool(wd_json_path(run->swap->view, "State.Running"), false);
}

static bool is_back_up(const struct wd_run *run)
{
	return run->swap->started_back || wd_run_is_up(run);
}

/* --- what is kept of answers --- */

static enum wd_kept keep_created(struct wd_run *run, const struct wd_engine_answer *answer)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(answer->body, answer->length, NULL);
	const char *id = wd_json_string(wd_json_get(json, "Id"), NULL);

	if (!id)
		return WD_KEPT_NOT;
	wd_replace(&run->swap->made, id);
	return WD_KEPT;
}

static enum wd_kept keep_link(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->swap->linked++;
	return is_linked(run) ? WD_KEPT : WD_KEPT_MORE;
}

static enum wd_kept keep_stopped(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->swap->stopped_back = true;
	return WD_KEPT;
}

static enum wd_kept keep_started(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->swap->started_back = true;
	return WD_KEPT;
}

static enum wd_kept keep_woken(struct wd_run *run, const struct wd_engine_answer *answer)
{
	(void)answer;
	run->swap->woken++;
	return WD_KEPT_MORE;
}

/* A link gives it further names, with a second slash in them. */
static const char *own_name(const struct wd_json *entry)
{
	const struct wd_json *names = wd_json_get(entry, "Names");

	for (const struct wd_json *name = wd_json_first(names); name; name = wd_json_next(name)) {
		const char *text = wd_json_string(name, "");
		if (*text == '/' && !strchr(text + 1, '/'))
			return text + 1;
	}
	return wd_json_string(wd_json_get(entry, "Id"), "");
}

static enum wd_kept keep_waiters(struct wd_run *run, const struct wd_engine_answer *answer)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(answer->body, answer->length, NULL);
	struct wd_swap *swap = run->swap;
	struct wd_list up = {0}, waiters = {0};

	if (json && wd_wire_list(json, &up, NULL)) {
		for (const struct wd_json *entry = wd_json_first(json); entry; entry = wd_json_next(entry)) {
			const char *id = wd_json_string(wd_json_get(entry, "Id"), "");
			if (!wd_list_has(&swap->waiters, id))
				continue;
			wd_list_add(&waiters, id);
			wd_list_add(&swap->waiter_names, own_name(entry));
		}
		wd_list_done(&swap->waiters);
		swap->waiters = waiters;
		swap->waiters_seen = true;
	}
	wd_list_done(&up);
	return WD_KEPT;
}

static enum wd_kept keep_roused(struct wd_run *run, const struct wd_engine_answer *answer)
{
	struct wd_swap *swap = run->swap;
	bool fine = answer->end == WD_HTTP_ANSWERED && answer->status >= 200 && answer->status < 300;

	wd_text_print(&swap->roused_text, "%s%s%s%s", swap->roused_text.length ? ", " : "",
		      swap->waiter_names.items[swap->roused], fine ? "" : " in vain: ", fine ? "" : answer->why);
	run->partly |= !fine;
	swap->roused++;
	return WD_KEPT_MORE;
}

static enum wd_kept keep_logs(struct wd_run *run, const struct wd_engine_answer *answer)
{
	free(run->logs);
	run->logs = wd_wire_logs(answer->body, answer->length, LOG_LINES);
	return WD_KEPT;
}

/* clang-format off */
#define LOOK   .name = "look", .kind = WD_ROW_LOOK, .method = "GET", .verb = "/json", .patience = ORDINARY
#define READ   .kind = WD_ROW_READ, .method = "GET", .patience = ORDINARY
#define CHANGE .kind = WD_ROW_CHANGE, .lasts = true
#define POST   CHANGE, .method = "POST"
#define VIEW   .name = "view the new one", .kind = WD_ROW_VIEW, .method = "GET", .path = path_new, .patience = ORDINARY, \
	.fine = 404, .keep = wd_swap_keep_view
#define VERIFY .name = "verify", .kind = WD_ROW_VERIFY, .method = "GET", .verb = "/json", .patience = ORDINARY
#define LOGS   .name = "logs", .kind = WD_ROW_FETCH, .method = "GET", .patience = READING, .keep = keep_logs

static char *path_info(const struct wd_run *run) { (void)run; return wd_copy("/info"); }
static char *path_networks(const struct wd_run *run) { (void)run; return wd_copy("/networks"); }
static char *path_up(const struct wd_run *run) { (void)run; return wd_copy("/containers/json"); }
static char *path_list(const struct wd_run *run) { (void)run; return wd_copy("/containers/json?all=1"); }
static char *path_volumes(const struct wd_run *run) { (void)run; return wd_copy("/volumes"); }

#define NAME_NEW .name = "name the new one", POST, .path = path_name, .patience = ORDINARY, .tries = 5, \
	.holds = wd_swap_has_name
#define START_NEW .name = "start the new one", POST, .path = path_start, .patience = STARTING, .fine = 304, .tries = 3, \
	.holds = wd_swap_was_started

static const struct wd_row rollback_rows[] = {
	/* What must be known. */
	{LOOK, .keep = wd_prepare_inspect},
	{.name = "its image", READ, .path = wd_prepare_broken_path, .fine = 404, .keep = wd_prepare_broken},
	{.name = "the other image", READ, .path = wd_prepare_target_path, .fine = 404, .keep = wd_prepare_target},
	{.name = "pull it again", .kind = WD_ROW_READ, .method = "POST", .path = wd_prepare_pull_path,
	 .auth = wd_prepare_pull_auth, .patience = WD_PULL_TIME, .needless = wd_prepare_has_target, .any = true,
	 .keep = wd_prepare_pulled},
	{.name = "the other image, pulled", READ, .path = wd_prepare_target_path, .fine = 404,
	 .needless = wd_prepare_has_target, .keep = wd_prepare_target},
	{.name = "keep it", .kind = WD_ROW_FETCH, .method = "POST", .path = wd_prepare_keep_path, .patience = ORDINARY,
	 .needless = wd_prepare_not_pulled},
	{.name = "the host", READ, .path = path_info, .keep = wd_prepare_info},
	{.name = "networks", READ, .path = path_networks, .keep = wd_prepare_networks},
	{.name = "containers", READ, .path = path_list, .keep = wd_prepare_list},
	{.name = "who depends on it", READ, .path = wd_prepare_other_path, .needless = wd_prepare_no_other, .fine = 404,
	 .keep = wd_prepare_other},
	{.name = "what Podman knows", READ, .path = wd_prepare_libpod_path, .needless = wd_prepare_no_libpod,
	 .keep = wd_prepare_libpod},
	{.name = "volumes", READ, .path = path_volumes, .keep = wd_prepare_volumes},
	{.name = "files of its own", READ, .verb = "/changes", .needless = wd_inject_none, .keep = wd_inject_changes},
	{.name = "fetch files", READ, .path = wd_inject_fetch_path, .needless = wd_inject_all_fetched, .any = true,
	 .limit = FILE_MOST, .keep = wd_inject_fetched},
	/* The old one is not touched yet. */
	{.name = "create", POST, .path = path_create, .body = body_create, .patience = MAKING, .tries = 3,
	 .holds = wd_swap_is_there, .keep = keep_created},
	{.name = "connect", POST, .path = path_connect, .body = body_connect, .patience = ORDINARY, .tries = 3,
	 .needless = has_no_links, .holds = is_linked, .keep = keep_link},
	{.name = "copy files", CHANGE, .method = "PUT", .path = wd_inject_path, .body = wd_inject_body,
	 .type = "application/x-tar", .patience = STARTING, .tries = 3, .needless = wd_inject_all_put,
	 .holds = wd_inject_all_put, .keep = wd_inject_put},
	{.name = "compare", CHANGE, .method = "GET", .path = path_new, .patience = ORDINARY, .tries = 3, .holds = is_compared,
	 .keep = wd_prepare_compare},
	/* One goes, the other comes. */
	{.name = "stop", POST, .verb = "/stop", .stops = true, .fine = 304, .patience = ORDINARY, .tries = 5, .sure = true,
	 .holds = is_down},
	{.name = "park", POST, .path = path_park, .patience = ORDINARY, .tries = 5, .holds = is_parked},
	{NAME_NEW},
	{.name = "disarm", POST, .verb = "/update", .body = wd_update_no, .shows = wd_update_show_no, .patience = ORDINARY, .tries = 5,
	 .holds = has_no},
	{START_NEW, .needless = is_follower_down},
	{VIEW},
	{VERIFY},
	{0},
};

/* What is finished of it after a death: the old one is gone, and the new one has not got its name yet. */
static const struct wd_row rollback_resume_rows[] = {
	{NAME_NEW},
	{START_NEW},
	{VIEW},
	{VERIFY},
	{0},
};

/* The new one is not removed where it is all that is left: then it gets the name. */
#define TAKE_BACK \
	{.name = "remove the new one", CHANGE, .method = "DELETE", .path = path_remove, .patience = STARTING, .fine = 404, \
	 .tries = 5, .needless = is_gone, .holds = is_new_gone}, \
	{.name = "stop", POST, .verb = "/stop", .stops = true, .fine = 304, .patience = ORDINARY, .tries = 5, \
	 .needless = is_back, .holds = is_down_for_good, .keep = keep_stopped}, \
	{.name = "name back", POST, .path = path_name_back, .patience = ORDINARY, .tries = 5, .holds = is_called_back}, \
	{.name = "policy back", POST, .verb = "/update", .body = wd_update_back, .patience = ORDINARY, .tries = 10, \
	 .holds = has_back}, \
	{.name = "start", POST, .verb = "/start", .patience = STARTING, .fine = 304, .tries = 3, \
	 .needless = is_not_to_run, .holds = is_back_up, .keep = keep_started}, \
	/* They have lost the namespaces that they share with it. */ \
	{.name = "restart who depends on it", .kind = WD_ROW_FETCH, .method = "POST", .path = path_wake, .stops = true, \
	 .any = true, .patience = STARTING, .needless = are_all_woken, .keep = keep_woken}, \
	{NAME_NEW, .needless = is_not_gone}, \
	{START_NEW, .needless = is_not_gone}, \
	{VIEW}, \
	{VERIFY}, \
	{0}

static const struct wd_row rollback_undo_rows[] = {TAKE_BACK};

static const struct wd_row take_back_rows[] = {
	{LOOK},
	/* It has run for a while: it may have something to put in order. If not, it is removed all the same. */
	{.name = "stop the new one", .kind = WD_ROW_FETCH, .method = "POST", .path = path_stop, .stops = true, .fine = 304,
	 .patience = ORDINARY, .needless = is_new_down},
	{LOGS, .path = path_logs},
	TAKE_BACK,
};

static const struct wd_row commit_rows[] = {
	{LOGS, .verb = "/logs?stdout=1&stderr=1&tail=20"},
	/* Without force: what somebody has started since is not ours to remove. Without v: its volumes are the new one's. */
	{.name = "remove the old one", CHANGE, .method = "DELETE", .verb = "", .patience = STARTING, .fine = 404,
	 .tries = 3, .holds = is_gone},
	{VIEW},
	{VERIFY},
	/* `restart: true` below `depends_on`: they hold connections to the one that is gone. */
	{.name = "who waits for it", .kind = WD_ROW_FETCH, .method = "GET", .path = path_up, .patience = ORDINARY,
	 .needless = does_nobody_wait, .keep = keep_waiters},
	{.name = "restart who waits for it", .kind = WD_ROW_FETCH, .method = "POST", .path = path_rouse, .stops = true,
	 .any = true, .patience = STARTING, .needless = are_all_roused, .keep = keep_roused},
	{0},
};
/* clang-format on */

/* --- what must not be --- */

static const char *refuse_rollback(const struct wd_run *run)
{
	if (is_gone(run))
		return "the container is gone";
	if (!run->swap->moved_from && !wd_image_is_id(run->swap->target))
		return "there is no image to go back to";
	return NULL;
}

static const char *refuse_take_back(const struct wd_run *run)
{
	return is_gone(run) ? "the old container is gone: there is nothing to go back to" : NULL;
}

/* --- after a death --- */

static bool is_new_in_place(const struct wd_run *run)
{
	return wd_swap_is_there(run) && wd_swap_has_name(run) && (wd_swap_was_started(run) || is_follower_down(run));
}

/* What was started under its name is watched once more; what had not come so far is taken back. Where the old one is
 * gone, the new one is all there is. */
static enum wd_choice choose_rollback(const struct wd_run *run, const char **ret_why)
{
	*ret_why = "seadog ended in the midst of it";
	if (is_new_in_place(run))
		return WD_CHOICE_DONE;
	if (is_gone(run) && wd_swap_is_there(run))
		return WD_CHOICE_FINISH;
	if (is_gone(run))
		*ret_why = "both containers are gone";
	return is_gone(run) ? WD_CHOICE_LEAVE : WD_CHOICE_UNDO;
}

static enum wd_choice choose_take_back(const struct wd_run *run, const char **ret_why)
{
	*ret_why = refuse_take_back(run);
	return is_gone(run) && is_new_in_place(run) ? WD_CHOICE_LEAVE : WD_CHOICE_FINISH;
}

static enum wd_choice choose_commit(const struct wd_run *run, const char **ret_why)
{
	(void)run;
	(void)ret_why;
	return WD_CHOICE_FINISH;
}

/* --- for people --- */

static const char *image_of(const struct wd_run *run)
{
	return run->swap->reference ? run->swap->reference : run->swap->target;
}

static void goal_rollback(const struct wd_run *run, struct wd_text *text)
{
	wd_text_print(text, "the new one is called %s and started, the old one is stopped and parked", run->swap->name);
}

static void goal_take_back(const struct wd_run *run, struct wd_text *text)
{
	wd_text_print(text, "%s is as it was", run->swap->name);
}

static void goal_commit(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, "the old one is gone");
}

static void tell_steps(const struct wd_run *run, struct wd_text *text)
{
	struct wd_list lines = {0};

	wd_run_describe(run, &lines);
	for (size_t i = 0; i < lines.count; i++)
		wd_text_print(text, "\n%s", lines.items[i]);
	wd_list_done(&lines);
}

static void done_rollback(const struct wd_run *run, struct wd_text *text)
{
	wd_text_print(text, run->task.rehearsed ? "would go back to %s" : "went back to %s", image_of(run));
	if (run->task.rehearsed) {
		tell_steps(run, text);
		wd_prepare_tell(run, text);
		return;
	}
	wd_prepare_warn(run, text);
	if (is_gone(run))
		wd_text_add(text, "; the old container is gone");
	else
		wd_text_print(text, "; until it is verified, the old container is kept as %s", run->swap->parked);
}

static void done_take_back(const struct wd_run *run, struct wd_text *text)
{
	wd_text_print(text, "taken back: the old container is %s again, its restart policy ", run->swap->name);
	wd_policy_print(text, run->task.policy);
}

static void done_commit(const struct wd_run *run, struct wd_text *text)
{
	wd_text_print(text, "runs %s; the old container is removed", image_of(run));
	if (run->swap->roused_text.length)
		wd_text_print(text, "; restarted behind it: %s", wd_text_get(&run->swap->roused_text));
}

/* clang-format off */
#define ROLLBACK_AS(NAME) { \
	.name = (NAME), .pair = true, .stays = true, \
	.rows = rollback_rows, .resume = rollback_resume_rows, .undo = rollback_undo_rows, \
	.refuses = refuse_rollback, .choose = choose_rollback, .goal = goal_rollback, .done = done_rollback, \
}
/* clang-format on */

const struct wd_plan wd_plan_rollback = ROLLBACK_AS("rollback");

/* Of who depends on what was rolled back: the same, with the image it has. */
const struct wd_plan wd_plan_follow = ROLLBACK_AS("follow");

const struct wd_plan wd_plan_take_back = {
	.name = "take-back",
	.pair = true,
	.rows = take_back_rows,
	.refuses = refuse_take_back,
	.choose = choose_take_back,
	.goal = goal_take_back,
	.done = done_take_back,
};

const struct wd_plan wd_plan_commit = {
	.name = "commit",
	.pair = true,
	.rows = commit_rows,
	.choose = choose_commit,
	.goal = goal_commit,
	.done = done_commit,
};
