#include "client.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/wire.h>

#define RETRY_MOST WD_MINUTE
#define ANSWER_MOST ((size_t)4 << 20)
#define SYNC_TRIES 3 /* a list is not held up any longer by one container that the Engine does not answer about */

enum look_state { LOOK_QUEUED, LOOK_ASKING, LOOK_RESTING };

struct wd_look {
	TAILQ_ENTRY(wd_look) entry;
	struct wd_engine *engine;
	char id[65];
	enum look_state state;
	bool wanted; /* somebody asked for this one: its end is told too */
	bool synced; /* belongs to the list after the connection */
	bool again;  /* somebody asked after it was sent: what it says may be too old */
	unsigned tries;
	wd_time asked, due;
	struct wd_engine_call *call;
	struct wd_json *inspect; /* while its image is asked */
};

static void wake(void *data);

void wd_looks_init(struct wd_engine *engine)
{
	struct wd_looks *looks = &engine->looks;

	looks->by_id = wd_map_new();
	looks->images = wd_images_new();
	looks->timer = wd_timer_new(engine->loop, wake, engine);
	TAILQ_INIT(&looks->queued);
	TAILQ_INIT(&looks->asking);
	TAILQ_INIT(&looks->resting);
}

static struct wd_look_queue *queue_of(struct wd_looks *looks, enum look_state state)
{
	return state == LOOK_QUEUED ? &looks->queued : state == LOOK_ASKING ? &looks->asking : &looks->resting;
}

static void set_state(struct wd_look *look, enum look_state state)
{
	struct wd_looks *looks = &look->engine->looks;

	looks->asking_count += (unsigned)(state == LOOK_ASKING) - (unsigned)(look->state == LOOK_ASKING);
	TAILQ_REMOVE(queue_of(looks, look->state), look, entry);
	look->state = state;
	if (state == LOOK_QUEUED && look->wanted)
		TAILQ_INSERT_HEAD(&looks->queued, look, entry);
	else
		TAILQ_INSERT_TAIL(queue_of(looks, state), look, entry);
}

static void drop(struct wd_look *look)
{
	struct wd_looks *looks = &look->engine->looks;

	if (look->call)
		wd_engine_cancel(look->call);
	looks->asking_count -= look->state == LOOK_ASKING;
	TAILQ_REMOVE(queue_of(looks, look->state), look, entry);
	wd_map_remove(looks->by_id, look->id);
	wd_json_free(look->inspect);
	free(look);
}

void wd_looks_clear(struct wd_engine *engine)
{
	struct wd_map_entry *entry;

	while ((entry = wd_map_first(engine->looks.by_id)))
		drop(wd_map_value(entry));
	wd_timer_set(engine->looks.timer, WD_NEVER);
}

void wd_looks_done(struct wd_engine *engine)
{
	wd_looks_clear(engine);
	wd_map_free(engine->looks.by_id);
	wd_images_free(engine->looks.images);
	engine->looks.timer = wd_timer_free(engine->looks.timer);
}

static void answered(void *data, const struct wd_engine_answer *answer);

static void ask(struct wd_look *look)
{
	struct wd_engine *engine = look->engine;
	char path[96];

	snprintf(path, sizeof(path), "/containers/%s/json", look->id);
	set_state(look, LOOK_ASKING);
	look->asked = wd_loop_now(engine->loop);
	look->call = wd_call_get(engine, path, ANSWER_MOST, engine->pace.look, answered, look);
}

/* While events wait to be told, an answer would be older than they are: behind the last of them one look does for all
 * that happened to a container. What somebody waits for is not kept waiting by a list that the Engine does not answer
 * about. */
static void pump(struct wd_engine *engine)
{
	struct wd_look *look;

	if (engine->link.state == WD_LINK_UP && wd_lines_waiting(&engine->stream.lines) > 0)
		return;
	while ((look = TAILQ_FIRST(&engine->looks.queued)) &&
	       engine->looks.asking_count < (look->wanted ? 2 * WD_LOOKS_AT_ONCE : WD_LOOKS_AT_ONCE))
		ask(look);
}

/* The resting are not sorted: there are few, and only while the Engine does not answer. */
static void arm(struct wd_engine *engine)
{
	wd_time first = WD_NEVER;
	struct wd_look *look;

	TAILQ_FOREACH(look, &engine->looks.resting, entry)
	if (look->due < first)
		first = look->due;
	wd_timer_set(engine->looks.timer, first);
}

static void wake(void *data)
{
	struct wd_engine *engine = data;
	wd_time now = wd_loop_now(engine->loop);
	struct wd_look *look, *next;

	for (look = TAILQ_FIRST(&engine->looks.resting); look; look = next) {
		next = TAILQ_NEXT(look, entry);
		if (look->due <= now)
			set_state(look, LOOK_QUEUED);
	}
	arm(engine);
	pump(engine);
}

/* It was answered, one way or the other. */
static void over(struct wd_look *look)
{
	struct wd_engine *engine = look->engine;
	bool synced = look->synced;

	if (look->again) {
		look->again = look->synced = false;
		look->wanted = true;
		look->tries = 0;
		set_state(look, LOOK_QUEUED);
	} else {
		drop(look);
	}
	pump(engine);
	if (synced)
		wd_sync_answered(engine);
}

/* Asked again later, for ever, but ever more seldom: one request a container at most is under way. */
static void rest(struct wd_look *look, const char *why)
{
	struct wd_engine *engine = look->engine;
	wd_time wait = engine->pace.look_retry << (look->tries < 8 ? look->tries : 8);
	bool gives_up = false;

	look->tries++;
	if (look->synced && look->tries >= SYNC_TRIES) {
		look->synced = false;
		look->wanted = gives_up = true;
	}
	look->again = false;
	look->due = wd_loop_now(engine->loop) + (wait < RETRY_MOST ? wait : RETRY_MOST);
	look->inspect = wd_json_free(look->inspect);
	set_state(look, LOOK_RESTING);
	arm(engine);
	pump(engine);
	if (gives_up)
		wd_sync_gave_up(engine, why);
}

static void tell(struct wd_look *look, const struct wd_json *image_labels)
{
	struct wd_error error = {.text = "another container's answer"};
	struct wd_container *container = wd_wire_container(look->inspect, image_labels, &error);
	struct wd_fact fact = {.kind = WD_FACT_CONTAINER};

	if (!container || !wd_text_equal(container->id, look->id)) {
		wd_container_free(container);
		rest(look, error.text);
		return;
	}
	fact.seen.container = container;
	fact.seen.asked = look->asked;
	fact.seen.synced = look->synced;
	look->inspect = wd_json_free(look->inspect);
	wd_engine_tell(look->engine, &fact);
	wd_container_free(container);
	over(look);
}

static void say_images(struct wd_engine *engine, const char *why)
{
	if (engine->looks.said_images)
		return;
	engine->looks.said_images = true;
	wd_engine_talk(engine, WD_LOG_WARNING,
		       "cannot inspect images: %s; labels count as inherited, so that none of them is obeyed", why);
}

static void image_answered(void *data, const struct wd_engine_answer *answer)
{
	struct wd_look *look = data;
	struct wd_engine *engine = look->engine;
	WD_AUTO_FREE char *why = wd_engine_phrase(answer->end, answer->status, answer->why);
	WD_AUTO_JSON struct wd_json *image = NULL;
	const struct wd_json *labels = NULL;

	look->call = NULL;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200)
		image = wd_json_parse(answer->body, answer->length, NULL);
	if (image)
		labels = wd_images_put(engine->looks.images, wd_wire_image_id(look->inspect), image);
	if (labels) {
		tell(look, labels);
	} else if (answer->end == WD_HTTP_ANSWERED && answer->status >= 400 && answer->status < 500) {
		if (answer->status != 404)
			say_images(engine, why);
		tell(look, NULL);
	} else {
		rest(look, why);
	}
}

static void ask_image(struct wd_look *look)
{
	struct wd_engine *engine = look->engine;
	const char *id = wd_wire_image_id(look->inspect);
	const struct wd_json *labels;
	char path[128];

	if (!id || !wd_wire_needs_image(look->inspect)) {
		tell(look, NULL);
		return;
	}
	labels = wd_images_get(engine->looks.images, id);
	if (labels) {
		tell(look, labels);
		return;
	}
	snprintf(path, sizeof(path), "/images/%s/json", id);
	look->call = wd_call_get(engine, path, ANSWER_MOST, engine->pace.look, image_answered, look);
}

static void gone(struct wd_look *look)
{
	struct wd_fact fact = {.kind = WD_FACT_GONE, .id = look->id};

	if (look->wanted)
		wd_engine_tell(look->engine, &fact);
	over(look);
}

static void answered(void *data, const struct wd_engine_answer *answer)
{
	struct wd_look *look = data;
	WD_AUTO_FREE char *why = wd_engine_phrase(answer->end, answer->status, answer->why);

	look->call = NULL;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 404) {
		gone(look);
		return;
	}
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200)
		look->inspect = wd_json_parse(answer->body, answer->length, NULL);
	if (look->inspect)
		ask_image(look);
	else
		rest(look, why);
}

void wd_looks_go_on(struct wd_engine *engine)
{
	pump(engine);
}

static struct wd_look *new_look(struct wd_engine *engine, const char *id)
{
	struct wd_look *look = wd_alloc(1, sizeof(*look));

	look->engine = engine;
	snprintf(look->id, sizeof(look->id), "%s", id);
	wd_map_set(engine->looks.by_id, id, look);
	TAILQ_INSERT_TAIL(&engine->looks.queued, look, entry);
	return look;
}

void wd_looks_add(struct wd_engine *engine, const char *id, bool synced)
{
	struct wd_look *look = wd_map_get(engine->looks.by_id, id);
	wd_time now = wd_loop_now(engine->loop);

	if (!look)
		look = new_look(engine, id);
	look->synced = look->synced || synced;
	look->wanted = look->wanted || !synced;
	if (look->state == LOOK_QUEUED && !synced)
		set_state(look, LOOK_QUEUED); /* to the front */
	if (look->state == LOOK_ASKING && !synced && look->asked < now)
		look->again = true;
	if (look->state == LOOK_RESTING && look->due > now + engine->pace.look_retry) {
		look->due = now + engine->pace.look_retry;
		arm(engine);
	}
	pump(engine);
}
