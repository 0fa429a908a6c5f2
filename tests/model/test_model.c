/* The model is held to what real Engines were recorded to do, and to the rules of engine.md. */
#include "model/model.h"
#include "support/fixtures.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/wire.h>

#define EPOCH 1795298480000000000

struct scene {
	struct model *model;
	struct wd_text story; /* "create start die(3) …" of all containers */
};

static void listen(void *data, const struct model_event *event)
{
	struct scene *scene = data;
	struct wd_event fact;

	assert_int_equal(wd_wire_event(event->line, event->length, &fact), WD_WIRE_EVENT);
	assert_int_equal(fact.stamp, event->stamp);
	wd_text_print(&scene->story, "%s%s", scene->story.length ? " " : "", wd_event_name(fact.kind));
	if (fact.kind == WD_EVENT_DIE)
		wd_text_print(&scene->story, "(%d)", fact.exit_code);
	if (fact.kind == WD_EVENT_KILL && fact.signal)
		wd_text_print(&scene->story, "(%d)", fact.signal);
	if (fact.kind == WD_EVENT_HEALTH)
		wd_text_print(&scene->story, "(%s)", wd_health_name(fact.health));
}

static struct scene begin(enum model_flavour flavour)
{
	return (struct scene){.model = model_new(flavour, EPOCH)};
}

static void watch(struct scene *scene)
{
	model_listen(scene->model, listen, scene);
}

static void end(struct scene *scene)
{
	scene->model = model_free(scene->model);
	wd_text_done(&scene->story);
}

static void add(struct scene *scene, const char *name, const char *policy, const struct model_script *script)
{
	watch(scene);
	assert_non_null(
		model_add(scene->model, &(struct model_setup){.name = name, .policy = policy, .script = script}));
}

/* Sends a call and compares the status; it may take its time. */
static void call(struct scene *scene, const char *method, const char *path, const char *body, int status)
{
	struct model_answer answer = model_request(scene->model, method, path, body);

	if (answer.status != status)
		fail_msg("%s %s: %d, not %d: %s", method, path, answer.status, status, answer.body);
	model_answer_done(&answer);
}

static void assert_told(struct scene *scene, const char *expected)
{
	assert_string_equal(wd_text_get(&scene->story), expected);
	wd_text_clear(&scene->story);
}

static struct wd_container *inspect(struct scene *scene, const char *name)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", name);
	struct model_answer answer = model_request(scene->model, "GET", path, NULL);
	struct wd_error error;
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(answer.body, answer.length, &error);
	struct wd_container *container = wd_wire_container(json, NULL, &error);

	assert_int_equal(answer.status, 200);
	assert_non_null(container);
	model_answer_done(&answer);
	return container;
}

static void assert_is(struct scene *scene, const char *name, enum wd_state state, enum wd_restart policy,
		      unsigned restarts)
{
	struct wd_container *container = inspect(scene, name);

	assert_int_equal(container->state, state);
	assert_int_equal(container->policy.kind, policy);
	assert_int_equal(container->restart_count, restarts);
	wd_container_free(container);
}

static const struct model_script crashes = {
	.lives = 20 * WD_MILLISECOND, .exit_code = 3, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};
static const struct model_script stubborn = {
	.lives = WD_NEVER, .ignores_stop = true, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};

/* Against the records */

static void recorded_story(const char *engine, const char *name, struct wd_text *story)
{
	size_t length;
	WD_AUTO_FREE char *fixture = wd_format("engine-%s/events.jsonl", engine);
	WD_AUTO_FREE char *lines = read_fixture(fixture, &length);
	char *rest = lines;
	struct scene scene = {0};

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		struct wd_event fact;
		if (wd_wire_event(line, strlen(line), &fact) == WD_WIRE_EVENT && strcmp(fact.name, name) == 0)
			listen(&scene,
			       &(struct model_event){.line = line, .length = strlen(line), .stamp = fact.stamp});
	}
	*story = scene.story;
}

static void assert_as_recorded(struct scene *scene, const char *engine, const char *name)
{
	WD_AUTO_TEXT struct wd_text recorded = {0};

	recorded_story(engine, name, &recorded);
	assert_true(recorded.length > 0);
	assert_told(scene, recorded.data);
}

static void repeat_the_recorded_calls(enum model_flavour flavour, const char *engine)
{
	struct scene scene = begin(flavour);
	struct model_script tries = crashes, hungry = crashes;

	add(&scene, "web", "unless-stopped", &stubborn);
	call(&scene, "POST", "/containers/web/restart?t=1", NULL, 204);
	call(&scene, "POST", "/containers/web/kill?signal=HUP", NULL, 204);
	assert_as_recorded(&scene, engine, "web");

	tries.exit_code = 4;
	assert_non_null(model_add(
		scene.model,
		&(struct model_setup){.name = "tries", .policy = "on-failure", .retries = 3, .script = &tries}));
	model_advance(scene.model, WD_HOUR);
	assert_as_recorded(&scene, engine, "tries");

	hungry.oom = true;
	add(&scene, "hungry", "no", &hungry);
	model_advance(scene.model, WD_SECOND);
	assert_as_recorded(&scene, engine, "hungry");

	add(&scene, "stopping", "unless-stopped", NULL);
	call(&scene, "POST", "/containers/stopping/stop?t=5", NULL, 204);
	assert_as_recorded(&scene, engine, "stopping");

	add(&scene, "killed", "always", NULL);
	call(&scene, "POST", "/containers/killed/kill", NULL, 204);
	model_advance(scene.model, WD_HOUR);
	assert_as_recorded(&scene, engine, "killed");

	add(&scene, "frozen", "no", &stubborn);
	call(&scene, "POST", "/containers/frozen/pause", NULL, 204);
	call(&scene, "POST", "/containers/frozen/pause", NULL, 409);
	call(&scene, "POST", "/containers/frozen/start", NULL, 409);
	call(&scene, "POST", "/containers/frozen/unpause", NULL, 204);
	call(&scene, "POST", "/containers/frozen/unpause", NULL, 500);
	call(&scene, "POST", "/containers/frozen/kill?signal=NOSUCH", NULL, 400);
	call(&scene, "DELETE", "/containers/frozen", NULL, 409);
	call(&scene, "DELETE", "/containers/frozen?force=1", NULL, 204);
	assert_as_recorded(&scene, engine, "frozen");

	assert_non_null(model_add(scene.model, &(struct model_setup){.name = "brief",
								     .auto_remove = true,
								     .script = &(struct model_script){.lives = 1000}}));
	model_advance(scene.model, WD_SECOND);
	assert_as_recorded(&scene, engine, "brief");
	assert_null(model_id(scene.model, "brief"));
	end(&scene);
}

static void events_come_as_engine_20_10_sent_them(void **state)
{
	(void)state;
	repeat_the_recorded_calls(MODEL_DOCKER_20, "20.10");
}

static void events_come_as_engine_26_1_sent_them(void **state)
{
	(void)state;
	repeat_the_recorded_calls(MODEL_DOCKER_26, "26.1");
}

static void a_label_overwrites_what_an_event_says(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	WD_AUTO_JSON struct wd_json *labels = wd_json_object();
	(void)state;

	wd_json_set_string(labels, "exitCode", "0");
	wd_json_set_string(labels, "name", "Y");
	watch(&scene);
	model_add(scene.model, &(struct model_setup){.name = "liar", .labels = labels, .script = &crashes});
	model_advance(scene.model, WD_SECOND);
	assert_as_recorded(&scene, "26.1", "liar");
	struct wd_container *liar = inspect(&scene, "liar");
	assert_int_equal(liar->exit_code, 3);
	wd_container_free(liar);
	end(&scene);
}

/* The restart manager */

static void note_death(void *data, const struct model_event *event)
{
	struct wd_text *deaths = data;

	if (strcmp(event->action, "die") == 0)
		wd_text_print(deaths, "%lld ", (long long)((event->stamp - EPOCH) / 1000000));
}

static void waits_double_up_to_a_minute(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	WD_AUTO_TEXT struct wd_text deaths = {0};
	(void)state;

	add(&scene, "loop", "always", &crashes);
	model_listen(scene.model, note_death, &deaths);
	model_advance(scene.model, 5 * WD_MINUTE);
	/* 20 ms of life, then 0.1, 0.2, 0.4 … 51.2, 60, 60 s */
	assert_string_equal(deaths.data,
			    "20 140 360 780 1600 3220 6440 12860 25680 51300 102520 162540 222560 282580 ");
	assert_is(&scene, "loop", WD_STATE_RESTARTING, WD_RESTART_ALWAYS, 14);
	end(&scene);
}

static void a_run_of_ten_seconds_resets_the_wait(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	WD_AUTO_TEXT struct wd_text deaths = {0};
	struct model_script slow = crashes;
	(void)state;

	slow.lives = 10 * WD_SECOND;
	add(&scene, "slow", "always", &slow);
	model_listen(scene.model, note_death, &deaths);
	model_advance(scene.model, 41 * WD_SECOND);
	assert_string_equal(deaths.data, "10000 20100 30200 40300 ");
	end(&scene);
}

static void a_container_heals_when_its_script_says_so(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script heals = crashes;
	(void)state;

	heals.heals_after = 2;
	add(&scene, "web", "always", &heals);
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "create start die(3) start die(3) start");
	assert_is(&scene, "web", WD_STATE_RUNNING, WD_RESTART_ALWAYS, 2);
	end(&scene);
}

static void a_restart_that_fails_ends_the_loop_without_a_word(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script fails = crashes;
	(void)state;

	fails.fails_from = 3;
	fails.fails_with = "bind source path does not exist";
	add(&scene, "web", "always", &fails);
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "create start die(3) start die(3)");
	struct wd_container *web = inspect(&scene, "web");
	assert_int_equal(web->state, WD_STATE_EXITED);
	assert_string_equal(web->trouble, "bind source path does not exist");
	assert_int_equal(web->policy.kind, WD_RESTART_ALWAYS);
	wd_container_free(web);
	end(&scene);
}

static void what_cannot_start_at_all_stays_created(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_20);
	struct model_script fails = crashes;
	(void)state;

	fails.fails_from = 1;
	add(&scene, "broken", "always", &fails);
	call(&scene, "POST", "/containers/broken/start", NULL, 400);
	model_advance(scene.model, WD_HOUR);
	assert_as_recorded(&scene, "20.10", "broken");
	struct wd_container *broken = inspect(&scene, "broken");
	assert_int_equal(broken->state, WD_STATE_CREATED);
	assert_int_equal(broken->exit_code, 127);
	wd_container_free(broken);
	end(&scene);
}

/* Calls during a restart's wait (engine.md 3.3) */

static void begin_looping(struct scene *scene, enum model_flavour flavour)
{
	*scene = begin(flavour);
	add(scene, "loop", "always", &crashes);
	model_advance(scene->model, 3 * WD_SECOND);
	assert_is(scene, "loop", WD_STATE_RESTARTING, WD_RESTART_ALWAYS, 5);
	wd_text_clear(&scene->story);
}

static void a_stop_takes_the_pending_restart_away(void **state)
{
	struct scene scene;
	(void)state;

	begin_looping(&scene, MODEL_DOCKER_26);
	call(&scene, "POST", "/v1.45/containers/loop/stop", NULL, 204);
	call(&scene, "POST", "/v1.45/containers/loop/stop", NULL, 304);
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "stop");
	assert_is(&scene, "loop", WD_STATE_EXITED, WD_RESTART_ALWAYS, 5);
	end(&scene);
}

static void a_kill_does_the_same_in_silence(void **state)
{
	struct scene scene;
	(void)state;

	begin_looping(&scene, MODEL_DOCKER_26);
	call(&scene, "POST", "/containers/loop/kill", NULL, 204);
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "");
	assert_is(&scene, "loop", WD_STATE_EXITED, WD_RESTART_ALWAYS, 5);
	end(&scene);
}

static void other_calls_while_restarting(void **state)
{
	struct scene scene;
	(void)state;

	begin_looping(&scene, MODEL_DOCKER_20);
	call(&scene, "POST", "/containers/loop/start", NULL, 304);
	call(&scene, "POST", "/containers/loop/pause", NULL, 409);
	call(&scene, "POST", "/containers/loop/rename?name=other", NULL, 404);
	call(&scene, "DELETE", "/containers/loop", NULL, 409);
	call(&scene, "POST", "/containers/loop/restart", NULL, 204);
	assert_told(&scene, "stop start restart");
	assert_is(&scene, "loop", WD_STATE_RUNNING, WD_RESTART_ALWAYS, 0);
	end(&scene);
}

static void an_update_lets_the_pending_restart_happen_once(void **state)
{
	struct scene scene;
	(void)state;

	begin_looping(&scene, MODEL_DOCKER_26);
	call(&scene, "POST", "/containers/loop/update", "{\"RestartPolicy\":{\"Name\":\"no\"}}", 200);
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "update start die(3)");
	assert_is(&scene, "loop", WD_STATE_EXITED, WD_RESTART_NO, 5);
	end(&scene);
}

static void an_update_of_a_quick_crasher_can_be_half_undone(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "loop", "always", &crashes);
	wd_text_clear(&scene.story);
	model_set_update_race(scene.model, true);
	call(&scene, "POST", "/containers/loop/update", "{\"RestartPolicy\":{\"Name\":\"no\"}}", 500);
	model_advance(scene.model, WD_HOUR);
	/* The loop ends now, but the disk says always: it would come back with the next Engine. */
	assert_told(&scene, "update die(3)");
	assert_is(&scene, "loop", WD_STATE_EXITED, WD_RESTART_ALWAYS, 0);
	model_engine_down(scene.model, MODEL_STOP, false);
	model_engine_up(scene.model);
	assert_is(&scene, "loop", WD_STATE_RUNNING, WD_RESTART_ALWAYS, 0);
	end(&scene);
}

static void the_order_stop_then_update_holds(void **state)
{
	struct scene scene;
	(void)state;

	begin_looping(&scene, MODEL_DOCKER_26);
	model_set_update_race(scene.model, true);
	call(&scene, "POST", "/containers/loop/stop", NULL, 204);
	call(&scene, "POST", "/containers/loop/update", "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0}}",
	     200);
	model_engine_down(scene.model, MODEL_STOP, false);
	model_engine_up(scene.model);
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "stop update");
	assert_is(&scene, "loop", WD_STATE_EXITED, WD_RESTART_NO, 5);
	end(&scene);
}

static void policies_are_checked(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", NULL);
	model_add(scene.model, &(struct model_setup){.name = "brief", .auto_remove = true});
	call(&scene, "POST", "/containers/web/update", "{}", 200);
	call(&scene, "POST", "/containers/web/update", "{\"RestartPolicy\":{\"Name\":\"sometimes\"}}", 400);
	call(&scene, "POST", "/containers/web/update", "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":2}}",
	     400);
	call(&scene, "POST", "/containers/web/update", "{broken", 400);
	call(&scene, "POST", "/containers/brief/update", "{\"RestartPolicy\":{\"Name\":\"always\"}}", 409);
	call(&scene, "POST", "/containers/brief/update", "{\"RestartPolicy\":{\"Name\":\"no\"}}", 200);
	call(&scene, "POST", "/containers/none/update", "{}", 404);
	assert_is(&scene, "web", WD_STATE_RUNNING, WD_RESTART_ALWAYS, 0);
	end(&scene);
}

static void a_hangup_signal_takes_the_policy_away(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", NULL);
	call(&scene, "POST", "/containers/web/kill?signal=HUP", NULL, 204);
	assert_true(model_die(scene.model, "web", 1));
	model_advance(scene.model, WD_HOUR);
	assert_told(&scene, "create start kill(1) die(1)");
	end(&scene);
}

/* Stops that take their time */

static void a_stop_takes_as_long_as_the_process(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script slow = MODEL_SCRIPT_GOOD;
	(void)state;

	slow.stops_in = 4 * WD_SECOND;
	slow.stop_exit_code = 143;
	add(&scene, "web", "always", &slow);
	call(&scene, "POST", "/containers/web/stop", NULL, 204);
	assert_int_equal(model_now(scene.model), 4 * WD_SECOND);
	assert_told(&scene, "create start kill(15) stop die(143)");
	end(&scene);
}

static void grace_ends_in_a_kill(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", &stubborn);
	call(&scene, "POST", "/containers/web/stop?t=7", NULL, 204);
	assert_int_equal(model_now(scene.model), 7 * WD_SECOND);
	assert_told(&scene, "create start kill(15) kill(9) stop die(137)");
	end(&scene);
}

static void count_answer(void *data, const struct model_answer *answer)
{
	assert_int_equal(answer->status, 204);
	++*(int *)data;
}

static void who_hangs_up_gets_no_answer_but_the_stop_goes_on(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	int first = 0, second = 0;
	(void)state;

	add(&scene, "web", "always", &stubborn);
	uint64_t ticket = model_send(scene.model, "POST", "/containers/web/stop?t=5", NULL, count_answer, &first);
	assert_int_not_equal(ticket, 0);
	assert_int_not_equal(model_send(scene.model, "POST", "/containers/web/stop?t=5", NULL, count_answer, &second),
			     0);
	model_forget(scene.model, ticket);
	model_advance(scene.model, 4 * WD_SECOND);
	assert_int_equal(second, 0);
	model_advance(scene.model, 2 * WD_SECOND);
	assert_int_equal(first, 0);
	assert_int_equal(second, 1);
	assert_is(&scene, "web", WD_STATE_EXITED, WD_RESTART_ALWAYS, 0);
	end(&scene);
}

/* Health, OOM, freezing */

static void health_changes_are_told_once(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script sick = MODEL_SCRIPT_GOOD;
	(void)state;

	sick.healthy_after = 2 * WD_SECOND;
	sick.unhealthy_after = 9 * WD_SECOND;
	watch(&scene);
	model_add(scene.model, &(struct model_setup){.name = "web", .health_check = true, .script = &sick});
	model_advance(scene.model, WD_MINUTE);
	assert_true(model_health(scene.model, "web", WD_HEALTH_UNHEALTHY));
	assert_told(&scene, "create start health_status(healthy) health_status(unhealthy)");
	end(&scene);
}

static void an_oom_kill_of_a_child_is_told_without_a_death(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", NULL);
	assert_true(model_oom_child(scene.model, "web"));
	struct wd_container *web = inspect(&scene, "web");
	assert_true(web->oom_killed);
	assert_int_equal(web->state, WD_STATE_RUNNING);
	wd_container_free(web);
	assert_told(&scene, "create start oom");
	end(&scene);
}

static void a_frozen_container_does_not_age(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script short_lived = crashes;
	(void)state;

	short_lived.lives = 5 * WD_SECOND;
	add(&scene, "web", "no", &short_lived);
	model_advance(scene.model, WD_SECOND);
	call(&scene, "POST", "/containers/web/pause", NULL, 204);
	model_advance(scene.model, WD_MINUTE);
	call(&scene, "POST", "/containers/web/unpause", NULL, 204);
	model_advance(scene.model, 3 * WD_SECOND);
	assert_told(&scene, "create start pause unpause");
	model_advance(scene.model, WD_SECOND);
	assert_told(&scene, "die(3)");
	end(&scene);
}

/* Names and creation */

static void create_rename_and_remove(void **state)
{
	static const char body[] =
		"{\"Image\":\"acme/web:1.5\",\"Cmd\":[\"serve\"],\"Labels\":{\"a\":\"b\"},\"HostConfig\":"
		"{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":4}}}";
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", NULL);
	call(&scene, "POST", "/containers/create?name=web", body, 409);
	call(&scene, "POST", "/containers/create?name=-web", body, 400);
	call(&scene, "POST", "/containers/create?name=new", "{\"Image\":\"acme/none:1\",\"Cmd\":[\"x\"]}", 404);
	call(&scene, "POST", "/containers/create?name=new", "{\"Image\":\"acme/web:1.5\"}", 400);
	call(&scene, "POST", "/containers/create?name=new", body, 201);
	assert_is(&scene, "new", WD_STATE_CREATED, WD_RESTART_ON_FAILURE, 0);
	call(&scene, "POST", "/containers/new/rename?name=web", NULL, 409);
	call(&scene, "POST", "/containers/new/rename?name=new", NULL, 400);
	call(&scene, "POST", "/containers/web/rename?name=web.seadog-1", NULL, 204);
	call(&scene, "POST", "/containers/new/rename?name=web", NULL, 204);
	call(&scene, "DELETE", "/containers/web", NULL, 204);
	call(&scene, "DELETE", "/containers/web", NULL, 404);
	assert_told(&scene, "create start create rename rename destroy");
	assert_int_equal(model_count(scene.model), 1);
	end(&scene);
}

static void versions_are_checked(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	call(&scene, "GET", "/_ping", NULL, 200);
	call(&scene, "GET", "/v1.45/containers/json", NULL, 200);
	call(&scene, "GET", "/v1.46/containers/json", NULL, 400);
	call(&scene, "GET", "/v1.99/_ping", NULL, 400);
	call(&scene, "GET", "/v1.12/info", NULL, 400);
	call(&scene, "GET", "/nosuch", NULL, 404);
	end(&scene);
}

static void logs_come_in_frames_and_can_be_cut(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script talks = crashes;
	(void)state;

	talks.logs = "starting\nno database\n";
	add(&scene, "web", "no", &talks);
	struct model_answer answer =
		model_request(scene.model, "GET", "/containers/web/logs?stdout=1&stderr=1&tail=1", NULL);
	assert_int_equal(answer.length, 8 + strlen("no database\n"));
	WD_AUTO_FREE char *text = wd_wire_logs(answer.body, answer.length, 20);
	assert_string_equal(text, "no database");
	model_answer_done(&answer);
	call(&scene, "GET", "/containers/web/logs", NULL, 400);
	end(&scene);
}

/* The ring */

static void count_event(void *data, const struct model_event *event)
{
	(void)event;
	++*(int *)data;
}

static int replayed(const struct scene *scene, wd_stamp since)
{
	int count = 0;

	model_replay(scene->model, since, count_event, &count);
	return count;
}

static void the_ring_keeps_256(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	for (int i = 0; i < 300; i++) {
		model_advance(scene.model, WD_SECOND);
		model_emit(scene.model, "network", "connect", "n", WD_STAMP_NONE);
	}
	assert_int_equal(replayed(&scene, 0), 256);
	/* Inclusive: the event of that very stamp is there, one nanosecond later it is not. */
	assert_int_equal(replayed(&scene, model_stamp(scene.model) - 9 * 1000000000LL), 10);
	assert_int_equal(replayed(&scene, model_stamp(scene.model) - 9 * 1000000000LL + 1), 9);
	end(&scene);
}

static void an_old_stamp_cuts_the_replay_short(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	model_advance(scene.model, WD_HOUR);
	add(&scene, "web", "no", NULL);
	model_listen(scene.model, NULL, NULL);
	model_emit(scene.model, "service", "update", "s", EPOCH);
	model_die(scene.model, "web", 1);
	assert_int_equal(replayed(&scene, EPOCH + 1), 1);
	end(&scene);
}

static bool passes(const char *filters, const char *action)
{
	struct model_event event = {.type = "container", .action = action, .id = "8e4e", .name = "web"};
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(filters, strlen(filters), NULL);

	return model_filter(json, &event);
}

static void filters_match_as_the_engine_matches(void **state)
{
	(void)state;
	assert_true(passes("{\"event\":[\"die\"]}", "die"));
	assert_false(passes("{\"event\":[\"di\"]}", "die"));
	assert_true(passes("{\"event\":[\"di\",\"health_status\"]}", "die"));
	assert_true(passes("{\"event\":[\"health_status\"]}", "health_status: healthy"));
	assert_false(passes("{\"type\":[\"network\"]}", "die"));
	assert_true(passes("{\"container\":[\"w\"],\"nonsense\":[\"x\"]}", "die"));
	assert_false(passes("{\"container\":[\"db\"]}", "die"));
	assert_true(passes("{\"event\":{\"die\":true,\"oom\":true}}", "die")); /* as docker's client writes it */
	assert_false(passes("{\"event\":{\"die\":true,\"oom\":true}}", "start"));
	/* What seadog asks for, unescaped. */
	WD_AUTO_FREE char *query = wd_format("filters=%s", wd_wire_filters(false));
	WD_AUTO_FREE char *filters = model_query(query, "filters");
	assert_true(passes(filters, "health_status: unhealthy"));
	assert_true(passes(filters, "unpause"));
	assert_false(passes(filters, "exec_create: stop"));
	assert_false(passes(filters, "top"));
}

/* The Engine's own end (engine.md 3.6, 1.7) */

static void assert_after_engine(const char *policy, const char *before, enum wd_state after)
{
	struct scene scene = begin(MODEL_DOCKER_26);

	add(&scene, "web", policy, NULL);
	if (strcmp(before, "die") == 0)
		model_die(scene.model, "web", 1);
	else if (*before)
		call(&scene, "POST", before, NULL, 204);
	model_engine_down(scene.model, MODEL_STOP, false);
	assert_false(model_is_up(scene.model));
	call(&scene, "GET", "/_ping", NULL, 0);
	model_advance(scene.model, WD_MINUTE);
	model_engine_up(scene.model);
	struct wd_container *web = inspect(&scene, "web");
	if (web->state != after)
		fail_msg("%s, %s: %s", policy, before, wd_state_name(web->state));
	wd_container_free(web);
	end(&scene);
}

static void what_comes_back_with_the_engine(void **state)
{
	(void)state;
	assert_after_engine("always", "", WD_STATE_RUNNING);
	assert_after_engine("always", "/containers/web/stop", WD_STATE_RUNNING);
	assert_after_engine("always", "/containers/web/kill", WD_STATE_RUNNING);
	assert_after_engine("unless-stopped", "", WD_STATE_RUNNING);
	assert_after_engine("unless-stopped", "/containers/web/stop", WD_STATE_EXITED);
	assert_after_engine("unless-stopped", "/containers/web/kill?signal=USR1", WD_STATE_EXITED);
	assert_after_engine("on-failure", "/containers/web/stop", WD_STATE_EXITED);
	assert_after_engine("on-failure", "/containers/web/kill", WD_STATE_RUNNING);
	assert_after_engine("no", "", WD_STATE_EXITED);
}

static void a_stopping_engine_says_so_and_forgets(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", NULL);
	wd_text_clear(&scene.story);
	model_engine_down(scene.model, MODEL_STOP, false);
	assert_told(&scene, "kill(15) stop die(0)");
	model_engine_up(scene.model);
	assert_told(&scene, "start");
	assert_int_equal(replayed(&scene, 0), 1);
	end(&scene);
}

static void a_killed_engine_ends_its_orphans_when_it_is_back(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	(void)state;

	add(&scene, "web", "always", NULL);
	add(&scene, "tmp", "unless-stopped", NULL);
	wd_text_clear(&scene.story);
	model_engine_down(scene.model, MODEL_KILL, false);
	assert_told(&scene, "");
	model_engine_up(scene.model);
	assert_told(&scene, "kill(15) kill(9) stop die(137) start kill(15) kill(9) stop die(137)");
	assert_is(&scene, "tmp", WD_STATE_EXITED, WD_RESTART_UNLESS_STOPPED, 0);
	end(&scene);
}

static void under_live_restore_a_death_is_not_seen(void **state)
{
	struct scene scene = begin(MODEL_DOCKER_26);
	struct model_script dies = crashes;
	(void)state;

	dies.lives = WD_MINUTE;
	add(&scene, "web", "always", NULL);
	add(&scene, "dies", "always", &dies);
	add(&scene, "task", "no", &dies);
	wd_text_clear(&scene.story);
	model_engine_down(scene.model, MODEL_STOP, true);
	model_advance(scene.model, WD_HOUR);
	model_engine_up(scene.model);
	assert_told(&scene, "start");
	assert_is(&scene, "web", WD_STATE_RUNNING, WD_RESTART_ALWAYS, 0);
	assert_is(&scene, "dies", WD_STATE_RUNNING, WD_RESTART_ALWAYS, 0);
	struct wd_container *task = inspect(&scene, "task");
	assert_int_equal(task->state, WD_STATE_EXITED);
	assert_int_equal(task->exit_code, 255);
	wd_container_free(task);
	end(&scene);
}

/* Podman (engine.md 9) */

static void podman_restarts_without_back_off_and_tells_it_otherwise(void **state)
{
	struct scene scene = begin(MODEL_PODMAN);
	(void)state;

	model_add(scene.model, &(struct model_setup){.name = "loop", .policy = "always", .script = &crashes});
	model_advance(scene.model, 50 * WD_MILLISECOND);
	call(&scene, "POST", "/containers/loop/stop", NULL, 304);
	model_advance(scene.model, 12 * WD_SECOND);
	struct wd_container *loop = inspect(&scene, "loop");
	assert_true(loop->restart_count >= 25 && loop->restart_count <= 30);
	wd_container_free(loop);
	end(&scene);
}

static void podman_is_silent_about_a_stop(void **state)
{
	struct scene scene = begin(MODEL_PODMAN);
	(void)state;

	model_add(scene.model, &(struct model_setup){.name = "web", .policy = "always"});
	watch(&scene);
	call(&scene, "POST", "/v1.99/containers/web/stop", NULL, 204);
	call(&scene, "DELETE", "/v4.0.0/containers/web", NULL, 204);
	assert_told(&scene, "die(0) destroy");
	end(&scene);
}

static void the_same_calls_give_the_same_bytes(void **state)
{
	struct scene one, two;
	(void)state;

	begin_looping(&one, MODEL_DOCKER_26);
	begin_looping(&two, MODEL_DOCKER_26);
	struct model_answer first = model_request(one.model, "GET", "/containers/json?all=1", NULL);
	struct model_answer second = model_request(two.model, "GET", "/containers/json?all=1", NULL);
	assert_string_equal(first.body, second.body);
	assert_string_equal(model_id(one.model, "loop"), model_id(two.model, "loop"));
	assert_int_equal(strlen(model_id(one.model, "loop")), 64);
	model_answer_done(&first);
	model_answer_done(&second);
	end(&one);
	end(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_as_engine_20_10_sent_them),
		cmocka_unit_test(events_come_as_engine_26_1_sent_them),
		cmocka_unit_test(a_label_overwrites_what_an_event_says),
		cmocka_unit_test(waits_double_up_to_a_minute),
		cmocka_unit_test(a_run_of_ten_seconds_resets_the_wait),
		cmocka_unit_test(a_container_heals_when_its_script_says_so),
		cmocka_unit_test(a_restart_that_fails_ends_the_loop_without_a_word),
		cmocka_unit_test(what_cannot_start_at_all_stays_created),
		cmocka_unit_test(a_stop_takes_the_pending_restart_away),
		cmocka_unit_test(a_kill_does_the_same_in_silence),
		cmocka_unit_test(other_calls_while_restarting),
		cmocka_unit_test(an_update_lets_the_pending_restart_happen_once),
		cmocka_unit_test(an_update_of_a_quick_crasher_can_be_half_undone),
		cmocka_unit_test(the_order_stop_then_update_holds),
		cmocka_unit_test(policies_are_checked),
		cmocka_unit_test(a_hangup_signal_takes_the_policy_away),
		cmocka_unit_test(a_stop_takes_as_long_as_the_process),
		cmocka_unit_test(grace_ends_in_a_kill),
		cmocka_unit_test(who_hangs_up_gets_no_answer_but_the_stop_goes_on),
		cmocka_unit_test(health_changes_are_told_once),
		cmocka_unit_test(an_oom_kill_of_a_child_is_told_without_a_death),
		cmocka_unit_test(a_frozen_container_does_not_age),
		cmocka_unit_test(create_rename_and_remove),
		cmocka_unit_test(versions_are_checked),
		cmocka_unit_test(logs_come_in_frames_and_can_be_cut),
		cmocka_unit_test(the_ring_keeps_256),
		cmocka_unit_test(an_old_stamp_cuts_the_replay_short),
		cmocka_unit_test(filters_match_as_the_engine_matches),
		cmocka_unit_test(what_comes_back_with_the_engine),
		cmocka_unit_test(a_stopping_engine_says_so_and_forgets),
		cmocka_unit_test(a_killed_engine_ends_its_orphans_when_it_is_back),
		cmocka_unit_test(under_live_restore_a_death_is_not_seen),
		cmocka_unit_test(podman_restarts_without_back_off_and_tells_it_otherwise),
		cmocka_unit_test(podman_is_silent_about_a_stop),
		cmocka_unit_test(the_same_calls_give_the_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
