#include "model.h"

#include <stdio.h>
#include <string.h>

#include "model_inside.h"

struct model *model_new(enum model_flavour flavour, wd_stamp epoch)
{
	struct model *model = wd_alloc(1, sizeof(*model));
	model->flavour = flavour;
	model->epoch = epoch;
	model->by_id = wd_map_new();
	model->by_name = wd_map_new();
	model->pids = 1000;
	model_add_network(model, "bridge");
	model_add_network(model, "host");
	model_add_network(model, "none");
	model->ids = 0; /* theirs are not counted: the first container is number one */
	return model;
}

static void free_image(struct model_image *image)
{
	wd_list_done(&image->names);
	wd_json_free(image->labels);
	wd_json_free(image->config);
	free(image->digest);
	model_script_done(&image->script);
	free(image);
}

static void clear_ring(struct model *model)
{
	for (size_t i = 0; i < MODEL_RING; i++) {
		free(model->ring[i].line);
		model->ring[i].line = NULL;
	}
	model->ring_first = model->ring_count = 0;
}

struct model *model_free(struct model *model)
{
	if (model == NULL)
		return NULL;
	for (size_t i = 0; i < model->count; i++)
		model_container_free(model->containers[i]);
	for (size_t i = 0; i < model->image_count; i++)
		free_image(model->images[i]);
	clear_ring(model);
	wd_list_done(&model->networks);
	wd_list_done(&model->network_ids);
	wd_list_done(&model->volumes);
	wd_map_free(model->by_id);
	wd_map_free(model->by_name);
	free(model->containers);
	free(model->images);
	free(model);
	return NULL;
}

bool model_is_podman(const struct model *model)
{
	return model->flavour == MODEL_PODMAN;
}

bool model_is_up(const struct model *model)
{
	return !model->down;
}

const char *model_version(const struct model *model)
{
	static const char *const versions[] = {"20.10.24", "26.1.5", "5.8.6"};
	return versions[model->flavour];
}

const char *model_api(const struct model *model)
{
	static const char *const versions[] = {"1.41", "1.45", "1.44"};
	return versions[model->flavour];
}

const char *model_api_minimum(const struct model *model)
{
	static const char *const versions[] = {"1.12", "1.24", "1.24"};
	return versions[model->flavour];
}

/* Ids: 64 hex digits that look like an Engine's and are the same in every run (splitmix64 of a counter). */
void model_make_id(struct model *model, char ret_id[static 65])
{
	uint64_t seed = ++model->ids * 4;
	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed + (uint64_t)i) * 0x9e3779b97f4a7c15u;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		snprintf(ret_id + 16 * i, 17, "%016llx", (unsigned long long)(z ^ z >> 31));
	}
}

/* The clock */

wd_time model_now(const struct model *model)
{
	return model->now;
}

wd_stamp model_stamp(const struct model *model)
{
	return model->epoch + model->now * 1000;
}

void model_set_clock(struct model *model, wd_stamp now)
{
	model->epoch = now - model->now * 1000;
	model->last_stamp = 0;
}

wd_time model_wake(const struct model *model)
{
	return model_next_timer(model).at;
}

void model_advance(struct model *model, wd_time span)
{
	wd_time end = model->now + span;
	for (;;) {
		struct model_timer_due next = model_next_timer(model);
		if (next.container == NULL || next.at > end)
			break;
		if (next.at > model->now)
			model->now = next.at;
		model_run_timer(next.container, next.timer);
	}
	model->now = end;
}

/* Events */

/* No two events have one stamp, as no two of a real Engine have. */
static wd_stamp next_stamp(struct model *model)
{
	wd_stamp stamp = model_stamp(model);
	if (stamp <= model->last_stamp)
		stamp = model->last_stamp + 1;
	model->last_stamp = stamp;
	return stamp;
}

static struct model_kept *next_place(struct model *model)
{
	size_t index = (model->ring_first + model->ring_count) % MODEL_RING;
	if (model->ring_count < MODEL_RING)
		model->ring_count++;
	else
		model->ring_first = (model->ring_first + 1) % MODEL_RING;
	free(model->ring[index].line);
	return &model->ring[index];
}

static void publish(struct model *model, const char *type, const char *action, const char *id, const char *name,
		    wd_stamp stamp, char *line)
{
	struct model_kept *kept = next_place(model);
	snprintf(kept->type, sizeof(kept->type), "%s", type);
	snprintf(kept->action, sizeof(kept->action), "%s", action);
	snprintf(kept->id, sizeof(kept->id), "%s", id);
	snprintf(kept->name, sizeof(kept->name), "%s", name);
	kept->line = line;
	kept->event = (struct model_event){stamp, kept->type, kept->action, kept->id, kept->name, line, strlen(line)};
	if (model->listener)
		model->listener(model->listener_data, &kept->event);
}

void model_tell(struct model_container *container, const char *action, const char *key, const char *value)
{
	struct model *model = container->model;
	if (model->down || model->no_events)
		return;
	wd_stamp stamp = next_stamp(model);
	WD_AUTO_JSON struct wd_json *json = model_event_json(container, action, key, value, stamp);
	publish(model, "container", action, container->id, container->name, stamp, wd_json_print(json));
}

void model_emit(struct model *model, const char *type, const char *action, const char *id, wd_stamp stamp)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	if (stamp == WD_STAMP_NONE)
		stamp = next_stamp(model);
	wd_json_set_string(json, "Type", type);
	wd_json_set_string(json, "Action", action);
	struct wd_json *actor = wd_json_set(json, "Actor", wd_json_object());
	wd_json_set_string(actor, "ID", id);
	wd_json_set(actor, "Attributes", wd_json_object());
	bool swarm = strcmp(type, "service") == 0 || strcmp(type, "node") == 0;
	wd_json_set_string(json, "scope", swarm ? "swarm" : "local");
	wd_json_set_int(json, "time", stamp / 1000000000);
	wd_json_set_int(json, "timeNano", stamp);
	publish(model, type, action, id, "", stamp, wd_json_print(json));
}

void model_listen(struct model *model, model_listener *listener, void *data)
{
	model->listener = listener;
	model->listener_data = data;
}

void model_make_no_events(struct model *model)
{
	model->no_events = true;
}

void model_replay(const struct model *model, wd_stamp since, model_listener *listener, void *data)
{
	size_t first = model->ring_count;
	while (first > 0 && model->ring[(model->ring_first + first - 1) % MODEL_RING].event.stamp >= since)
		first--;
	for (size_t i = first; i < model->ring_count; i++)
		listener(data, &model->ring[(model->ring_first + i) % MODEL_RING].event);
}

/* A list of words, or an object of them as docker's own client writes it: {"die":true}. */
static const char *word_of(const struct wd_json *word)
{
	const char *name = wd_json_name(word);
	return name ? name : wd_json_string(word, "");
}

static bool prefixed(const struct wd_json *words)
{
	for (struct wd_json *word = wd_json_first(words); word; word = wd_json_next(word)) {
		const char *text = word_of(word);
		if (!strcmp(text, "health_status") || !strcmp(text, "exec_create") || !strcmp(text, "exec_start"))
			return true;
	}
	return false;
}

static bool one_of(const struct wd_json *words, const char *text, bool prefix)
{
	if (wd_json_count(words) == 0)
		return true;
	for (struct wd_json *word = wd_json_first(words); word; word = wd_json_next(word)) {
		const char *wanted = word_of(word);
		if (prefix ? wd_text_starts(text, wanted) : strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

bool model_filter(const struct wd_json *filters, const struct model_event *event)
{
	const struct wd_json *words = wd_json_get(filters, "event"), *names = wd_json_get(filters, "container");
	if (!one_of(wd_json_get(filters, "type"), event->type, false) || !one_of(words, event->action, prefixed(words)))
		return false;
	return one_of(names, event->id, true) || one_of(names, event->name, true);
}

/* The Engine */

static void hang_up(struct model *model)
{
	for (size_t i = 0; i < model->count; i++)
		model_answer_waiters(model->containers[i], 0, "");
}

void model_engine_down(struct model *model, enum model_halt halt, bool live_restore)
{
	model->shutting_down = true;
	for (size_t i = 0; halt == MODEL_STOP && !live_restore && i < model->count; i++)
		if (model_is_running(model->containers[i]))
			model_stop(model->containers[i], WISH_STOP, 0);
	if (halt == MODEL_STOP && !live_restore)
		model_advance(model, 0);
	model->shutting_down = false;
	model->was_killed = halt == MODEL_KILL;
	model->live_restore = live_restore;
	model->down = true;
	hang_up(model);
}

/* The new Engine ends what the killed one left running, and takes that for a stop by hand (moby 41302). */
static void end_orphan(struct model_container *container)
{
	char signal[12];
	snprintf(signal, sizeof(signal), "%d", model_stop_signal(container));
	model_tell(container, "kill", "signal", signal);
	model_tell(container, "kill", "signal", "9");
	container->canceled = container->stopped_by_hand = true;
	container->wish = WISH_STOP;
	model_end(container, 137, false);
}

/* False: it was removed at its end. */
static bool settle(struct model_container *container)
{
	bool auto_remove = wd_json_bool(wd_json_get(container->host, "AutoRemove"), false);
	if (container->state != WD_STATE_RESTARTING && !container->silent_death)
		end_orphan(container);
	else
		model_finish(container, container->exit_code);
	return !auto_remove;
}

/* Returns whether the container is still there. */
static bool bring_back(struct model_container *container)
{
	struct model *model = container->model;
	bool alive = model_is_running(container) && !container->silent_death && container->state != WD_STATE_RESTARTING;
	if (alive && !(model->was_killed && !model->live_restore))
		return true;
	if (model_is_running(container) && !settle(container))
		return false;
	container->canceled = container->silent_death = false;
	container->policy = model_policy_on_disk(container);
	container->tries = container->restarts;
	if (container->started != WD_STAMP_NONE && model_wants_restart(container, container->exit_code, 0))
		model_start(container, true);
	return true;
}

void model_engine_up(struct model *model)
{
	if (!model->down)
		return;
	clear_ring(model);
	model->down = false;
	for (size_t i = 0; i < model->count;)
		i += bring_back(model->containers[i]);
	model->was_killed = model->live_restore = false;
}
