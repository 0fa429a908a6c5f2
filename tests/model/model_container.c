/* The life of a container: daemon/{start,stop,kill,monitor,delete}.go and restartmanager.go of moby in short. */
#include <stdio.h>
#include <string.h>

#include "model_inside.h"

#define SIGNAL_KILL 9

static const struct model_script *script_of(const struct model_container *container)
{
	static const struct model_script good = MODEL_SCRIPT_GOOD;
	if (container->own_script)
		return &container->script;
	return container->image->has_script ? &container->image->script : &good;
}

void model_script_done(struct model_script *script)
{
	free((void *)(uintptr_t)script->fails_with);
	free((void *)(uintptr_t)script->logs);
	*script = (struct model_script){0};
}

void model_script_copy(struct model_script *slot, const struct model_script *script)
{
	struct model_script copy = *script;
	copy.fails_with = wd_copy(script->fails_with);
	copy.logs = wd_copy(script->logs);
	model_script_done(slot);
	*slot = copy;
}

bool model_is_running(const struct model_container *container)
{
	return container->state == WD_STATE_RUNNING || container->state == WD_STATE_PAUSED ||
	       container->state == WD_STATE_RESTARTING;
}

static bool has_check(const struct model_container *container)
{
	return wd_json_count(wd_json_path(container->config, "Healthcheck.Test")) > 0;
}

int model_stop_signal(const struct model_container *container)
{
	const char *name = wd_json_string(wd_json_get(container->config, "StopSignal"), "SIGTERM");
	return strcmp(name, "SIGINT") == 0 ? 2 : strcmp(name, "SIGQUIT") == 0 ? 3 : 15;
}

struct wd_restart_policy model_policy_on_disk(const struct model_container *container)
{
	const struct wd_json *policy = wd_json_get(container->host, "RestartPolicy");
	struct wd_restart_policy found = {WD_RESTART_NO, 0};
	wd_restart_parse(wd_json_string(wd_json_get(policy, "Name"), ""), &found.kind);
	found.retries = (unsigned)wd_json_int(wd_json_get(policy, "MaximumRetryCount"), 0);
	return found;
}

/* Lists */

struct model_container *model_find(const struct model *model, const char *name)
{
	struct model_container *found = wd_map_get(model->by_id, name);
	if (found == NULL)
		found = wd_map_get(model->by_name, name);
	for (size_t i = 0; found == NULL && strlen(name) >= 4 && i < model->count; i++)
		if (wd_text_starts(model->containers[i]->id, name))
			found = model->containers[i];
	return found;
}

struct model_image *model_find_image(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->image_count; i++) {
		struct model_image *image = model->images[i];
		if (image->removed)
			continue;
		if (wd_list_has(&image->names, name) || strcmp(image->id, name) == 0 ||
		    wd_text_equal(image->digest, name) || strcmp(image->id + strlen("sha256:"), name) == 0)
			return image;
	}
	return NULL;
}

void model_reset_timers(struct model_container *container)
{
	for (enum model_timer timer = 0; timer < TIMERS; timer++)
		container->due[timer] = WD_NEVER;
}

struct model_container *model_container_new(struct model *model, const char *name)
{
	struct model_container *container = wd_alloc(1, sizeof(*container));
	container->model = model;
	container->name = wd_copy(name);
	container->state = WD_STATE_CREATED;
	container->created = model_stamp(model);
	model_reset_timers(container);
	model_make_id(model, container->id);
	if (model->count == model->room) {
		model->room = model->room ? 2 * model->room : 16;
		model->containers = wd_realloc(model->containers, model->room, sizeof(struct model_container *));
	}
	model->containers[model->count++] = container;
	wd_map_set(model->by_id, container->id, container);
	wd_map_set(model->by_name, container->name, container);
	return container;
}

void model_container_free(struct model_container *container)
{
	for (struct model_waiter *waiter = container->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		free(waiter);
	}
	model_script_done(&container->script);
	wd_text_done(&container->output);
	wd_json_free(container->endpoints);
	wd_json_free(container->mounts);
	wd_list_done(&container->own_volumes);
	model_drop_files(container);
	wd_json_free(container->config);
	wd_json_free(container->host);
	free(container->image_name);
	free(container->trouble);
	free(container->name);
	free(container);
}

void model_container_drop(struct model_container *container)
{
	struct model *model = container->model;
	size_t index = 0;
	while (model->containers[index] != container)
		index++;
	model->count--;
	memmove(&model->containers[index], &model->containers[index + 1],
		(model->count - index) * sizeof(struct model_container *));
	wd_map_remove(model->by_id, container->id);
	wd_map_remove(model->by_name, container->name);
	model_container_free(container);
}

/* The restart manager (restartmanager.go, ShouldRestart) */

static wd_time next_wait(const struct model_container *container)
{
	if (model_is_podman(container->model))
		return MODEL_PODMAN_WAIT;
	if (container->wait == 0)
		return MODEL_WAIT_FIRST;
	return container->wait * 2 < MODEL_WAIT_LAST ? container->wait * 2 : MODEL_WAIT_LAST;
}

bool model_wants_restart(struct model_container *container, int exit_code, wd_time lasted)
{
	bool by_hand = container->stopped_by_hand || container->model->shutting_down;
	struct wd_restart_policy policy = container->policy;
	if (policy.kind == WD_RESTART_NO || container->canceled)
		return false;
	if (lasted >= MODEL_GOOD_RUN)
		container->wait = 0;
	container->wait = next_wait(container);
	if (policy.kind == WD_RESTART_ON_FAILURE &&
	    (exit_code == 0 || (policy.retries != 0 && container->tries >= policy.retries)))
		return false;
	if (policy.kind == WD_RESTART_UNLESS_STOPPED && by_hand)
		return false;
	container->tries++;
	return true;
}

/* Start */

static bool fail_start(struct model_container *container, const struct model_script *script)
{
	wd_replace(&container->trouble, script->fails_with ? script->fails_with : "exec: no such file or directory");
	container->exit_code = 127;
	container->state = container->started == WD_STAMP_NONE ? WD_STATE_CREATED : WD_STATE_EXITED;
	return false;
}

static wd_time from_now(const struct model_container *container, wd_time span)
{
	return span == WD_NEVER ? WD_NEVER : container->model->now + span;
}

static void arm_run(struct model_container *container, const struct model_script *script)
{
	bool healed = script->heals_after != 0 && container->starts > script->heals_after;
	model_reset_timers(container);
	container->due[TIMER_EXIT] = healed ? WD_NEVER : from_now(container, script->lives);
	if (has_check(container)) {
		container->due[TIMER_HEALTHY] = from_now(container, script->healthy_after);
		container->due[TIMER_UNHEALTHY] = healed ? WD_NEVER : from_now(container, script->unhealthy_after);
	}
}

static void forget_past(struct model_container *container)
{
	container->restarts = container->tries = 0;
	container->wait = 0;
	container->canceled = container->stopped_by_hand = false;
	container->policy = model_policy_on_disk(container);
}

bool model_start(struct model_container *container, bool by_hand)
{
	const struct model_script *script = script_of(container);
	container->starts++;
	if (by_hand)
		forget_past(container);
	if (script->fails_from != 0 && container->starts >= script->fails_from)
		return fail_start(container, script);
	container->state = WD_STATE_RUNNING;
	container->pid = ++container->model->pids;
	container->exit_code = 0;
	container->oom_killed = false;
	container->health = has_check(container) ? WD_HEALTH_STARTING : WD_HEALTH_NONE;
	container->started = model_stamp(container->model);
	container->run_since = container->model->now;
	wd_replace(&container->trouble, NULL);
	wd_text_add(&container->output, script->logs);
	arm_run(container, script);
	if (model_is_podman(container->model))
		model_tell(container, "init", NULL, NULL);
	model_tell(container, "start", NULL, NULL);
	return true;
}

/* End */

/* Out of all that is running; the health check of what does not run is "unhealthy" (moby: CloseMonitorChannel). */
void model_finish(struct model_container *container, int exit_code)
{
	model_reset_timers(container);
	container->state = WD_STATE_EXITED;
	container->exit_code = exit_code;
	container->finished = model_stamp(container->model);
	container->pid = 0;
	container->health = has_check(container) ? WD_HEALTH_UNHEALTHY : WD_HEALTH_NONE;
}

static void tell_died(struct model_container *container)
{
	char code[12];
	snprintf(code, sizeof(code), "%d", container->exit_code);
	model_tell(container, "die", "exitCode", code);
}

static void tell_stop(struct model_container *container, bool after_die)
{
	bool asked = container->wish == WISH_STOP || container->wish == WISH_RESTART;
	bool late = container->model->flavour == MODEL_DOCKER_20;
	if (asked && late == after_die && !model_is_podman(container->model))
		model_tell(container, "stop", NULL, NULL);
}

static void destroy(struct model_container *container)
{
	model_tell(container, model_is_podman(container->model) ? "remove" : "destroy", NULL, NULL);
	model_answer_waiters(container, 204, "");
	model_container_drop(container);
}

static void restart_by_hand(struct model_container *container)
{
	bool started = model_start(container, true);
	if (started && !model_is_podman(container->model))
		model_tell(container, "restart", NULL, NULL);
	model_answer_waiters(container, started ? 204 : 500, started ? "" : container->trouble);
}

/* Carries on with what was asked for, now that nothing runs. May free the container. */
static void fulfil(struct model_container *container)
{
	enum model_wish wish = container->wish;
	container->wish = WISH_NONE;
	bool auto_remove = wd_json_bool(wd_json_get(container->host, "AutoRemove"), false);
	if (wish == WISH_RESTART)
		restart_by_hand(container);
	else if (wish == WISH_REMOVE || (auto_remove && container->state == WD_STATE_EXITED))
		destroy(container);
	else
		model_answer_waiters(container, 204, "");
}

/* While the Engine is down nobody sees the end, and nobody knows how it came. */
static void end_unseen(struct model_container *container)
{
	enum wd_state state = container->state;
	model_finish(container, container->model->flavour == MODEL_DOCKER_20 ? 137 : 255);
	container->state = state;
	container->silent_death = true;
}

void model_end(struct model_container *container, int exit_code, bool oom)
{
	struct model *model = container->model;
	wd_time lasted = model->now - container->run_since;
	if (model->down) {
		end_unseen(container);
		return;
	}
	model_finish(container, exit_code);
	container->oom_killed = oom;
	bool again = container->wish == WISH_NONE && model_wants_restart(container, exit_code, lasted);
	if (again) {
		container->restarts++;
		container->due[TIMER_RESTART] = model->now + container->wait;
		container->state = model_is_podman(model) ? WD_STATE_EXITED : WD_STATE_RESTARTING;
	}
	tell_stop(container, false);
	tell_died(container);
	tell_stop(container, true);
	if (!again)
		fulfil(container);
}

/* Stop and kill */

/* The time in which it was frozen is none of its life. */
void model_unpause(struct model_container *container)
{
	if (container->state != WD_STATE_PAUSED)
		return;
	if (container->due[TIMER_EXIT] != WD_NEVER)
		container->due[TIMER_EXIT] += container->model->now - container->paused_since;
	container->state = WD_STATE_RUNNING;
	model_tell(container, "unpause", NULL, NULL);
}

static void tell_kill(struct model_container *container, int signal)
{
	char number[12];
	snprintf(number, sizeof(number), "%d", signal);
	model_tell(container, "kill", model_is_podman(container->model) ? NULL : "signal", number);
}

static void cancel_restart(struct model_container *container)
{
	container->canceled = true;
	if (!container->model->shutting_down)
		container->stopped_by_hand = true;
}

/* Nothing runs between a crash and its restart; to take the restart away is all there is to do. */
static void stop_waiting(struct model_container *container)
{
	model_finish(container, container->exit_code);
	if (container->wish == WISH_STOP || container->wish == WISH_RESTART)
		model_tell(container, "stop", NULL, NULL);
	fulfil(container);
}

void model_stop(struct model_container *container, enum model_wish wish, wd_time grace)
{
	const struct model_script *script = script_of(container);
	bool shutting_down = container->model->shutting_down;
	wd_time takes = script->ignores_stop ? WD_NEVER : shutting_down ? 0 : script->stops_in;
	container->wish = wish;
	cancel_restart(container);
	if (container->state == WD_STATE_RESTARTING) {
		stop_waiting(container);
		return;
	}
	if (!model_is_podman(container->model))
		tell_kill(container, model_stop_signal(container));
	model_unpause(container);
	container->due[TIMER_EXIT] = WD_NEVER;
	container->stop_code = script->stop_exit_code;
	if (takes <= grace)
		container->due[TIMER_STOPPED] = container->model->now + takes;
	else
		container->due[TIMER_GRACE] = container->model->now + grace;
}

static void kill_now(struct model_container *container)
{
	container->stop_code = 137;
	container->due[TIMER_EXIT] = container->due[TIMER_GRACE] = WD_NEVER;
	container->due[TIMER_STOPPED] = container->model->now;
	if (container->wish == WISH_NONE)
		container->wish = WISH_KILL;
}

static void obey(struct model_container *container)
{
	const struct model_script *script = script_of(container);
	if (script->ignores_stop)
		return;
	container->stop_code = script->stop_exit_code;
	container->due[TIMER_EXIT] = WD_NEVER;
	container->due[TIMER_STOPPED] = container->model->now + script->stops_in;
}

void model_kill(struct model_container *container, int signal)
{
	bool own = wd_json_is_string(wd_json_get(container->config, "StopSignal"));
	bool ends = signal == SIGNAL_KILL || !own || signal == model_stop_signal(container);
	container->stopped_by_hand = true;
	if (ends)
		container->canceled = true;
	if (container->state == WD_STATE_RESTARTING) {
		if (ends)
			stop_waiting(container);
		return;
	}
	tell_kill(container, signal);
	if (ends)
		model_unpause(container);
	if (signal == SIGNAL_KILL)
		kill_now(container);
	else if (signal == 15 || signal == 2 || signal == 3)
		obey(container);
}

/* Timers */

static void run_again(struct model_container *container)
{
	if (model_is_podman(container->model))
		model_tell(container, "restart", NULL, NULL);
	container->due[TIMER_RESTART] = WD_NEVER;
	if (!model_start(container, false) && container->state == WD_STATE_EXITED)
		model_reset_timers(container);
}

static void set_health(struct model_container *container, enum wd_health health)
{
	bool podman = model_is_podman(container->model);
	bool changed = container->health != health;
	container->health = health;
	if (podman)
		model_tell(container, "health_status", "HealthStatus", wd_health_name(health));
	else if (changed)
		model_tell(container,
			   health == WD_HEALTH_HEALTHY ? "health_status: healthy" : "health_status: unhealthy", NULL,
			   NULL);
}

void model_run_timer(struct model_container *container, enum model_timer timer)
{
	container->due[timer] = WD_NEVER;
	if (timer == TIMER_RESTART) {
		run_again(container);
	} else if (timer == TIMER_EXIT) {
		bool oom = script_of(container)->oom;
		if (oom && !model_is_podman(container->model))
			model_tell(container, "oom", NULL, NULL);
		model_end(container, oom ? 137 : script_of(container)->exit_code, oom);
	} else if (timer == TIMER_STOPPED) {
		model_end(container, container->stop_code, false);
	} else if (timer == TIMER_GRACE) {
		if (!model_is_podman(container->model))
			tell_kill(container, SIGNAL_KILL);
		model_end(container, 137, false);
	} else {
		set_health(container, timer == TIMER_HEALTHY ? WD_HEALTH_HEALTHY : WD_HEALTH_UNHEALTHY);
	}
}

static wd_time timer_at(const struct model_container *container, enum model_timer timer)
{
	/* A frozen process does not end, and while the Engine is down nothing but processes go on. */
	if (container->state == WD_STATE_PAUSED && timer == TIMER_EXIT)
		return WD_NEVER;
	return container->model->down && timer != TIMER_EXIT ? WD_NEVER : container->due[timer];
}

/* Of two things due at one moment, the one of the older container comes first. */
struct model_timer_due model_next_timer(const struct model *model)
{
	struct model_timer_due next = {.at = WD_NEVER};
	for (size_t i = 0; i < model->count; i++)
		for (enum model_timer timer = 0; timer < TIMERS; timer++) {
			wd_time at = timer_at(model->containers[i], timer);
			if (at < next.at)
				next = (struct model_timer_due){model->containers[i], timer, at};
		}
	return next;
}

/* What tests make happen */

static struct model_container *find_running(struct model *model, const char *name)
{
	struct model_container *container = model_find(model, name);
	return container && container->state == WD_STATE_RUNNING ? container : NULL;
}

bool model_die(struct model *model, const char *name, int exit_code)
{
	struct model_container *container = find_running(model, name);
	if (container)
		model_end(container, exit_code, false);
	return container != NULL;
}

bool model_oom(struct model *model, const char *name)
{
	struct model_container *container = find_running(model, name);
	if (container && !model_is_podman(model))
		model_tell(container, "oom", NULL, NULL);
	if (container)
		model_end(container, 137, true);
	return container != NULL;
}

bool model_oom_child(struct model *model, const char *name)
{
	struct model_container *container = find_running(model, name);
	if (container == NULL)
		return false;
	container->oom_killed = true;
	model_tell(container, "oom", NULL, NULL);
	return true;
}

bool model_health(struct model *model, const char *name, enum wd_health health)
{
	struct model_container *container = find_running(model, name);
	if (container && has_check(container))
		set_health(container, health);
	return container && has_check(container);
}

bool model_set_script(struct model *model, const char *name, const struct model_script *script)
{
	struct model_container *container = model_find(model, name);
	if (container == NULL)
		return false;
	model_script_copy(&container->script, script);
	container->own_script = true;
	if (container->state == WD_STATE_RUNNING && container->wish == WISH_NONE)
		arm_run(container, script);
	return true;
}

void model_set_image_script(struct model *model, const char *name, const struct model_script *script)
{
	struct model_image *image = model_find_image(model, name);
	if (image == NULL)
		return;
	model_script_copy(&image->script, script);
	image->has_script = true;
}

const char *model_id(const struct model *model, const char *name)
{
	const struct model_container *container = model_find(model, name);
	return container ? container->id : NULL;
}

size_t model_count(const struct model *model)
{
	return model->count;
}
