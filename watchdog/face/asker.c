#include "asker.h"

#include <stdio.h>
#include <stdlib.h>

#include <watchdog/log.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#define DEADLINE (10 * WD_SECOND)
#define LARGEST ((size_t)256 * 1024) /* of an answer: 2 to 4 KiB, and a line for each of its networks */
#define DRIFT (5 * WD_SECOND)        /* the Engine's clock was set */

struct asked {
	struct wd_asker *asker;
	char *id;
	struct wd_cpus cpus;
	struct wd_engine_call *call; /* NULL: none is open */
	bool due;
	wd_stamp
		read; /* by the Engine's clock, of the last answer, and when that was by ours; WD_STAMP_NONE: none yet */
	wd_time at;
};

struct wd_asker {
	struct wd_engine *engine;
	struct wd_loop *loop;
	struct wd_timer *round;
	struct wd_map *asked; /* by id */
	unsigned open;
	bool armed;
	wd_asker_told *told;
	void *data;
};

static void go_on(struct wd_asker *asker);

/* The moment of an answer: two looks are as far apart as the Engine says, however long the answers took. */
static wd_time moment_of(const struct asked *asked, wd_stamp read, wd_time now)
{
	wd_time at = asked->at + (read - asked->read) / 1000;
	return asked->read == WD_STAMP_NONE || at > now + DRIFT || at < now - DRIFT - DEADLINE ? now : at;
}

static void take_answer(struct asked *asked, const struct wd_engine_answer *answer)
{
	WD_AUTO_JSON struct wd_json *stats = wd_json_parse(answer->body, answer->length, NULL);
	struct wd_asker *asker = asked->asker;
	struct wd_sample sample;
	wd_stamp read;
	if (!wd_wire_stats(stats, asked->cpus, &sample, &read) || read == asked->read)
		return;
	sample.at = moment_of(asked, read, wd_loop_now(asker->loop));
	asked->at = sample.at;
	asked->read = read;
	asker->told(asker->data, asked->id, &sample);
}

static void on_answer(void *data, const struct wd_engine_answer *answer)
{
	struct asked *asked = data;
	struct wd_asker *asker = asked->asker;
	asked->call = NULL;
	asker->open--;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 200)
		take_answer(asked, answer);
	else
		wd_trace("meter", asked->id, "the Engine does not tell what it uses: %d %s", answer->status,
			 answer->why);
	go_on(asker);
}

static void ask(struct asked *asked)
{
	char path[160];
	snprintf(path, sizeof(path), WD_ASKS_PATH, asked->id);
	const struct wd_engine_request request = {
		.method = "GET", .path = path, .limit = LARGEST, .deadline = DEADLINE};
	asked->due = false;
	asked->asker->open++;
	asked->call = wd_engine_request(asked->asker->engine, &request, on_answer, asked);
}

static void go_on(struct wd_asker *asker)
{
	if (!wd_engine_state(asker->engine).connected)
		return;
	for (struct wd_map_entry *entry = wd_map_first(asker->asked); entry && asker->open < WD_ASKS_AT_ONCE;
	     entry = wd_map_next(entry)) {
		struct asked *asked = wd_map_value(entry);
		if (asked->due && !asked->call)
			ask(asked);
	}
}

/* Who has no answer yet is not asked twice. */
static void on_round(void *data)
{
	struct wd_asker *asker = data;
	asker->armed = wd_map_first(asker->asked) != NULL;
	for (struct wd_map_entry *entry = wd_map_first(asker->asked); entry; entry = wd_map_next(entry)) {
		struct asked *asked = wd_map_value(entry);
		asked->due = !asked->call;
	}
	if (asker->armed)
		wd_timer_set(asker->round, wd_loop_now(asker->loop) + WD_ASKS_EVERY);
	go_on(asker);
}

void wd_asker_add(struct wd_asker *asker, const char *id, struct wd_cpus cpus)
{
	struct asked *asked = wd_map_get(asker->asked, id);
	if (asked) {
		asked->cpus = cpus;
		return;
	}
	asked = wd_alloc(1, sizeof(*asked));
	*asked = (struct asked){.asker = asker, .id = wd_copy(id), .cpus = cpus, .due = true};
	wd_map_set(asker->asked, id, asked);
	if (!asker->armed)
		wd_timer_set(asker->round, wd_loop_now(asker->loop) + WD_ASKS_EVERY);
	asker->armed = true;
	go_on(asker);
}

static void drop(struct asked *asked)
{
	if (asked->call) {
		wd_engine_cancel(asked->call);
		asked->asker->open--;
	}
	free(asked->id);
	free(asked);
}

void wd_asker_remove(struct wd_asker *asker, const char *id)
{
	struct asked *asked = wd_map_remove(asker->asked, id);
	if (asked)
		drop(asked);
}

struct wd_asker *wd_asker_new(struct wd_loop *loop, struct wd_engine *engine, wd_asker_told *told, void *data)
{
	struct wd_asker *asker = wd_alloc(1, sizeof(*asker));
	*asker = (struct wd_asker){.engine = engine, .loop = loop, .told = told, .data = data};
	asker->round = wd_timer_new(loop, on_round, asker);
	asker->asked = wd_map_new();
	return asker;
}

struct wd_asker *wd_asker_free(struct wd_asker *asker)
{
	if (!asker)
		return NULL;
	for (struct wd_map_entry *entry = wd_map_first(asker->asked); entry; entry = wd_map_next(entry))
		drop(wd_map_value(entry));
	wd_map_free(asker->asked);
	wd_timer_free(asker->round);
	free(asker);
	return NULL;
}
