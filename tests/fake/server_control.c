/* /_fake: what tests make the Engine do. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "server_inside.h"

static const char *text_of(const struct wd_json *body, const char *name)
{
	return wd_json_string(wd_json_get(body, name), NULL);
}

static int int_of(const struct wd_json *body, const char *name, int fallback)
{
	int64_t number = wd_json_int(wd_json_get(body, name), fallback);
	return number < INT_MIN || number > INT_MAX ? fallback : (int)number;
}

static bool truth_of(const struct wd_json *body, const char *name, bool fallback)
{
	return wd_json_bool(wd_json_get(body, name), fallback);
}

static wd_time span_of(const struct wd_json *body, const char *name, wd_time fallback)
{
	wd_time span;
	const char *text = text_of(body, name);
	return text && wd_span_parse(text, &span, NULL) ? span : fallback;
}

static struct model_script script_of(const struct wd_json *body)
{
	return (struct model_script){
		.lives = span_of(body, "lives", WD_NEVER),
		.exit_code = int_of(body, "exit_code", 0),
		.oom = truth_of(body, "oom", false),
		.heals_after = (unsigned)int_of(body, "heals_after", 0),
		.ignores_stop = truth_of(body, "ignores_stop", false),
		.stops_in = span_of(body, "stops_in", 0),
		.stop_exit_code = int_of(body, "stop_exit_code", 0),
		.fails_from = (unsigned)int_of(body, "fails_from", 0),
		.fails_with = text_of(body, "fails_with"),
		.healthy_after = span_of(body, "healthy_after", WD_NEVER),
		.unhealthy_after = span_of(body, "unhealthy_after", WD_NEVER),
		.logs = text_of(body, "logs"),
	};
}

static int post_script(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	struct model_script script = script_of(body);
	const char *name = text_of(body, "name"), *image = text_of(body, "image");
	if (name)
		return model_set_script(fake->model, name, &script) ? 200 : 404;
	if (image == NULL)
		return 400;
	model_set_image_script(fake->model, image, &script);
	return 200;
}

static int post_image(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	const char *name = text_of(body, "name");
	struct model_script script = script_of(wd_json_get(body, "script"));
	if (name == NULL)
		return 400;
	model_add_image(fake->model, name, wd_json_get(body, "labels"));
	if (wd_json_is_object(wd_json_get(body, "script")))
		model_set_image_script(fake->model, name, &script);
	return 200;
}

static int post_container(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	const char *name = text_of(body, "name");
	const struct wd_json *said = wd_json_get(body, "script");
	struct model_script script = script_of(said);
	struct model_setup setup = {.image = text_of(body, "image"),
				    .policy = text_of(body, "policy"),
				    .retries = (unsigned)int_of(body, "retries", 0),
				    .auto_remove = truth_of(body, "auto_remove", false),
				    .health_check = truth_of(body, "health_check", false),
				    .created_only = !truth_of(body, "start", true),
				    .labels = wd_json_get(body, "labels"),
				    .script = wd_json_is_object(said) ? &script : NULL};
	int count = int_of(body, "count", 0);
	if (name == NULL)
		return 400;
	for (int i = 1; i <= (count ? count : 1); i++) {
		WD_AUTO_FREE char *numbered = count ? wd_format("%s-%d", name, i) : wd_copy(name);
		setup.name = numbered;
		const char *id = model_add(fake->model, &setup);
		if (id == NULL)
			return 409;
		wd_text_print(answer, "%s\"%s\"", i == 1 ? "[" : ",", id);
	}
	wd_text_add(answer, "]\n");
	return 200;
}

static int post_happen(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	const char *name = text_of(body, "name"), *what = text_of(body, "what");
	bool done = false;
	if (name == NULL || what == NULL)
		return 400;
	if (strcmp(what, "die") == 0)
		done = model_die(fake->model, name, int_of(body, "exit_code", 1));
	else if (strcmp(what, "oom") == 0)
		done = model_oom(fake->model, name);
	else if (strcmp(what, "oom_child") == 0)
		done = model_oom_child(fake->model, name);
	else if (strcmp(what, "healthy") == 0)
		done = model_health(fake->model, name, WD_HEALTH_HEALTHY);
	else if (strcmp(what, "unhealthy") == 0)
		done = model_health(fake->model, name, WD_HEALTH_UNHEALTHY);
	return done ? 200 : 404;
}

static enum fault_kind fault_kind_of(const char *word)
{
	static const char *const words[] = {"", "status", "lose", "refuse", "delay", "garbage", "truncate"};
	for (enum fault_kind kind = FAULT_STATUS; word && kind <= FAULT_TRUNCATE; kind++)
		if (strcmp(word, words[kind]) == 0)
			return kind;
	return FAULT_NONE;
}

static int post_fault(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	const char *method = text_of(body, "method"), *path = text_of(body, "path");
	enum fault_kind kind = fault_kind_of(text_of(body, "do"));
	struct fault **end = &fake->faults;
	if (kind == FAULT_NONE)
		return 400;
	while (*end)
		end = &(*end)->next;
	*end = wd_alloc(1, sizeof(**end));
	**end = (struct fault){wd_copy(method ? method : "*"),
			       wd_copy(path ? path : "*"),
			       wd_copy(text_of(body, "body")),
			       int_of(body, "skip", 0),
			       int_of(body, "times", 1),
			       int_of(body, "status", 500),
			       kind,
			       span_of(body, "span", 0),
			       NULL};
	return 200;
}

static int delete_faults(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)body;
	(void)answer;
	while (fake->faults) {
		struct fault *next = fake->faults->next;
		fault_free(fake->faults);
		fake->faults = next;
	}
	fake->cut_times = 0;
	return 200;
}

static void send_all(struct fake *fake, const char *bytes, size_t length)
{
	for (struct link *link = fake->links; link; link = link->next)
		if (link->streaming)
			stream_send(link, bytes, length);
}

static int post_stream(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	const char *send = text_of(body, "send");
	WD_AUTO_TEXT struct wd_text text = {0};
	for (int i = 0; send && i < int_of(body, "repeat", 1); i++)
		wd_text_add(&text, send);
	send_all(fake, wd_text_get(&text), text.length);
	for (struct link *link = fake->links; link; link = link->next)
		if (link->streaming && truth_of(body, "close", false))
			link->closing = true;
	if (wd_json_get(body, "cut_after_bytes") || wd_json_get(body, "cut_after_events")) {
		fake->cut_bytes = (size_t)int_of(body, "cut_after_bytes", 0);
		fake->cut_events = (unsigned)int_of(body, "cut_after_events", 0);
		fake->cut_times = int_of(body, "times", 1);
	}
	return 200;
}

/* A line as the Engine writes it, but past its ring. */
static void put_flood(struct wd_text *text, const char *action, int length, const char *id, const char *name,
		      int number, wd_stamp stamp)
{
	wd_text_print(text,
		      "{\"status\":\"%.*s\",\"id\":\"%s\",\"from\":\"acme/flood:1\",\"Type\":\"container\","
		      "\"Action\":\"%.*s\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":{\"exitCode\":\"3\","
		      "\"image\":\"acme/flood:1\",\"name\":\"%s-%d\"}},\"scope\":\"local\",\"time\":%lld,"
		      "\"timeNano\":%lld}\n",
		      length, action, id, length, action, id, name, number, (long long)(stamp / 1000000000),
		      (long long)stamp);
}

/* The word behind this one, or the first of all again. */
static const char *next_word(const char *words, const char *word)
{
	word += strcspn(word, " ");
	return *word ? word + 1 : words;
}

/* Of the model's container NAME-N, or without a name one that nobody made. */
static char *flood_id(const struct fake *fake, const char *name, int number)
{
	WD_AUTO_FREE char *numbered = wd_format("%s-%d", name ? name : "", number);
	const char *id = name ? model_id(fake->model, numbered) : NULL;
	return id ? wd_copy(id) : wd_format("%064x", number);
}

static void flood(struct fake *fake, const char *name, const char *words, char **ids, int containers, int events)
{
	wd_stamp stamp = model_stamp(fake->model);
	const char *word = words;
	WD_AUTO_TEXT struct wd_text text = {0};
	for (int i = 0; i < events; i++, stamp++) {
		if (i > 0 && i % containers == 0)
			word = next_word(words, word);
		put_flood(&text, word, (int)strcspn(word, " "), ids[i % containers], name ? name : "flood",
			  i % containers + 1, stamp);
		if (text.length > 65536 || i + 1 == events) {
			send_all(fake, text.data, text.length);
			wd_text_clear(&text);
		}
	}
}

static int post_flood(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	int events = int_of(body, "events", 1000), containers = int_of(body, "containers", 1);
	const char *words = text_of(body, "action"), *name = text_of(body, "name");
	if (events < 0 || containers < 1)
		return 400;
	char **ids = wd_alloc((size_t)containers, sizeof(*ids));
	for (int i = 0; i < containers; i++)
		ids[i] = flood_id(fake, name, i + 1);
	flood(fake, name, words ? words : "die", ids, containers, events);
	for (int i = 0; i < containers; i++)
		free(ids[i]);
	free(ids);
	return 200;
}

static int get_streams(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)body;
	WD_AUTO_JSON struct wd_json *list = wd_json_array();
	for (const struct link *link = fake->links; link; link = link->next) {
		if (!link->streaming)
			continue;
		struct wd_json *item = wd_json_add(list, wd_json_object());
		wd_json_set_int(item, "waiting", (int64_t)(link->out.length - link->sent));
	}
	WD_AUTO_FREE char *text = wd_json_print(list);
	wd_text_add(answer, text);
	return 200;
}

static int post_emit(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	const char *type = text_of(body, "type"), *action = text_of(body, "action"), *id = text_of(body, "id");
	if (type == NULL || action == NULL)
		return 400;
	model_emit(fake->model, type, action, id ? id : "x", wd_json_int(wd_json_get(body, "stamp"), WD_STAMP_NONE));
	return 200;
}

static int post_engine(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	const char *what = text_of(body, "do");
	if (what && strcmp(what, "start") == 0) {
		model_engine_up(fake->model);
		return 200;
	}
	if (what == NULL || (strcmp(what, "stop") != 0 && strcmp(what, "kill") != 0))
		return 400;
	model_engine_down(fake->model, strcmp(what, "kill") == 0 ? MODEL_KILL : MODEL_STOP,
			  truth_of(body, "live_restore", false));
	for (struct link *link = fake->links; link; link = link->next)
		if (link->streaming)
			link->closing = true;
	return 200;
}

static int post_time(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	wd_stamp clock;
	fake->born -= span_of(body, "advance", 0);
	fake_keep_up(fake);
	if (text_of(body, "clock") && wd_stamp_parse(text_of(body, "clock"), &clock, NULL))
		model_set_clock(fake->model, clock);
	return 200;
}

static int post_race(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)answer;
	model_set_update_race(fake->model, truth_of(body, "on", true));
	return 200;
}

static int get_calls(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)body;
	WD_AUTO_JSON struct wd_json *list = wd_json_array();
	for (size_t i = 0; i < fake->call_count; i++) {
		struct wd_json *item = wd_json_add(list, wd_json_object());
		wd_json_set_string(item, "method", fake->calls[i].method);
		wd_json_set_string(item, "path", fake->calls[i].path);
		wd_json_set_int(item, "status", fake->calls[i].status);
		wd_json_set_int(item, "at_us", fake->calls[i].at);
	}
	WD_AUTO_FREE char *text = wd_json_print(list);
	wd_text_add(answer, text);
	return 200;
}

static int delete_calls(struct fake *fake, const struct wd_json *body, struct wd_text *answer)
{
	(void)body;
	(void)answer;
	for (size_t i = 0; i < fake->call_count; i++) {
		free(fake->calls[i].method);
		free(fake->calls[i].path);
	}
	fake->call_count = 0;
	return 200;
}

int control(struct fake *fake, const char *method, const char *path, const char *body, struct wd_text *ret_answer)
{
	static const struct {
		const char *method, *path;
		int (*run)(struct fake *fake, const struct wd_json *body, struct wd_text *answer);
	} ways[] = {
		{"POST", "image", post_image},   {"POST", "container", post_container},
		{"POST", "script", post_script}, {"POST", "happen", post_happen},
		{"POST", "fault", post_fault},   {"DELETE", "fault", delete_faults},
		{"POST", "stream", post_stream}, {"POST", "flood", post_flood},
		{"POST", "emit", post_emit},     {"POST", "engine", post_engine},
		{"POST", "time", post_time},     {"POST", "race", post_race},
		{"GET", "calls", get_calls},     {"DELETE", "calls", delete_calls},
		{"GET", "streams", get_streams},
	};
	WD_AUTO_JSON struct wd_json *json = body && *body ? wd_json_parse(body, strlen(body), NULL) : NULL;
	WD_AUTO_TEXT struct wd_text unread = {0};
	if (body && *body && json == NULL)
		return 400;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(method, ways[i].method) == 0 && strcmp(path + strlen("/_fake/"), ways[i].path) == 0)
			return ways[i].run(fake, json, ret_answer ? ret_answer : &unread);
	return 404;
}
