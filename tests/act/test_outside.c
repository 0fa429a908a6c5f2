/* The actor in earnest: the Engine's client, the store and the loop, against the model Engine behind a socket. */
#include "support/unit.h"

#include "fake/server.h"
#include "support/files.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/act.h>
#include <watchdog/memory.h>

#define PATIENCE (20 * WD_SECOND)

static const struct wd_restart_policy ALWAYS = {.kind = WD_RESTART_ALWAYS};

struct shop {
	struct fake *fake;
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	struct wd_store *store;
	struct wd_actor *actor;
	struct wd_timer *patience;
	char *socket_path;
	char id[65];

	unsigned ends;
	enum wd_plan_end end;
	char *detail, *logs, *resumed;
	struct wd_restart_policy kept;
};

static struct shop shop;

static void on_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static void on_end(void *data, const struct wd_fact *fact)
{
	(void)data;
	shop.ends++;
	shop.end = fact->acted.end;
	shop.kept = fact->acted.kept;
	wd_replace(&shop.detail, fact->acted.detail);
	wd_replace(&shop.logs, fact->acted.logs);
	wd_loop_stop(shop.loop);
}

static void on_resumed(void *data, const struct wd_resumed *resumed)
{
	(void)data;
	shop.ends++;
	shop.end = resumed->end;
	shop.kept = resumed->policy;
	wd_replace(&shop.detail, resumed->detail);
	wd_replace(&shop.resumed, resumed->plan);
	wd_loop_stop(shop.loop);
}

static void on_patience(void *data)
{
	(void)data;
	wd_loop_stop(shop.loop);
}

static void run_for(wd_time span)
{
	wd_timer_set(shop.patience, wd_loop_now(shop.loop) + span);
	wd_loop_run(shop.loop);
	wd_timer_set(shop.patience, WD_NEVER);
}

static void hire_actor(struct wd_store *store)
{
	const struct wd_actor_hooks hooks = {.on_end = on_end};

	shop.actor = wd_actor_new(shop.loop, shop.engine, store, &hooks);
}

static void add_container(void)
{
	const struct model_script script = {.lives = 300 * WD_MILLISECOND,
					    .exit_code = 3,
					    .healthy_after = WD_NEVER,
					    .unhealthy_after = WD_NEVER,
					    .logs = "cannot open /data/db\n"};
	const struct model_setup setup = {
		.name = "web", .image = "acme/web:1.5", .policy = "always", .script = &script};
	struct model *model = fake_lock(shop.fake);

	strncpy(shop.id, model_add(model, &setup), sizeof(shop.id) - 1);
	fake_unlock(shop.fake);
}

static int set_up(void **state)
{
	const struct wd_engine_hooks hooks = {.on_fact = on_fact};
	struct wd_error error = {0};

	enter_directory(state);
	shop = (struct shop){0};
	char *here = getcwd(NULL, 0);
	shop.socket_path = wd_format("%s/engine.sock", here);
	shop.fake = fake_start(shop.socket_path, MODEL_DOCKER_26, &error);
	shop.loop = wd_loop_new(&error);
	shop.http = wd_http_new(shop.loop, &error);
	const struct wd_endpoint endpoint = {
		.host = shop.socket_path, .socket_path = shop.socket_path, .base_url = (char[]){"http://localhost"}};
	shop.engine = wd_engine_new(shop.loop, shop.http, &endpoint, NULL, 5 * WD_SECOND, &hooks);
	char *warning = NULL;
	WD_AUTO_FREE char *place = wd_format("%s/state", here);
	shop.store = wd_store_open(place, shop.loop, &warning, &error);
	free(warning);
	free(here);
	shop.patience = wd_timer_new(shop.loop, on_patience, NULL);
	hire_actor(shop.store);
	add_container();
	return 0;
}

static int tear_down(void **state)
{
	wd_actor_free(shop.actor);
	wd_timer_free(shop.patience);
	wd_store_close(shop.store);
	wd_engine_free(shop.engine);
	wd_http_free(shop.http);
	wd_loop_free(shop.loop);
	fake_stop(shop.fake);
	free(shop.socket_path);
	free(shop.detail);
	free(shop.logs);
	free(shop.resumed);
	return leave_directory(state);
}

static void order(enum wd_action action, bool remembered)
{
	const struct wd_order wanted = {
		.kind = WD_ORDER_ACT,
		.ticket = 1,
		.service = "shop/web/1",
		.name = "web",
		.id = shop.id,
		.action = action,
		.policy = ALWAYS,
		.stop_timeout = 10 * WD_SECOND,
	};

	shop.ends = 0;
	wd_actor_do(shop.actor, &wanted, remembered);
}

static void act(enum wd_action action, bool remembered)
{
	order(action, remembered);
	assert_int_equal(shop.ends, 0);
	run_for(PATIENCE);
	assert_int_equal(shop.ends, 1);
}

static void count_row(void *data, const struct wd_journal *row)
{
	unsigned *count = data;

	(void)row;
	++*count;
}

static unsigned count_rows(void)
{
	unsigned count = 0;

	assert_true(wd_store_load_journal(shop.store, count_row, &count, NULL));
	return count;
}

static void assert_held(void)
{
	struct wd_error error = {0};
	struct wd_json *json = NULL;
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", shop.id);

	assert_true(wd_engine_ask(shop.engine, "GET", path, NULL, 200, &json, &error));
	assert_string_equal(wd_json_string(wd_json_path(json, "State.Status"), ""), "exited");
	assert_string_equal(wd_json_string(wd_json_path(json, "HostConfig.RestartPolicy.Name"), ""), "no");
	wd_json_free(json);
}

static void inject(const char *fault)
{
	assert_true(fake_control(shop.fake, "POST", "/_fake/fault", fault));
}

static void a_hold_and_its_release(void **state)
{
	(void)state;
	act(WD_ACTION_STOP, false);
	assert_string_equal(shop.detail, "restart policy always kept for release");
	assert_int_equal(shop.end, WD_PLAN_DONE);
	assert_string_equal(shop.logs, "cannot open /data/db");
	assert_int_equal(count_rows(), 1);
	run_for(50 * WD_MILLISECOND);
	assert_int_equal(count_rows(), 0);
	assert_held();

	act(WD_ACTION_RELEASE, false);
	assert_string_equal(shop.detail, "restart policy always given back, started");
	assert_int_equal(fake_calls(shop.fake, "POST /containers/*/start"), 1);
	run_for(50 * WD_MILLISECOND);
	assert_int_equal(count_rows(), 0);
}

static void a_remembered_hold(void **state)
{
	(void)state;
	act(WD_ACTION_STOP, true);
	assert_int_equal(shop.end, WD_PLAN_DONE);
	assert_int_equal(shop.kept.kind, WD_RESTART_ALWAYS);
	assert_int_equal(fake_calls(shop.fake, "GET /containers/*/json"), 1);
	assert_held();
}

static void a_lost_answer_is_looked_for(void **state)
{
	(void)state;
	inject("{\"method\":\"POST\",\"path\":\"*/stop\",\"do\":\"lose\",\"times\":1}");
	inject("{\"method\":\"POST\",\"path\":\"*/update\",\"do\":\"lose\",\"times\":1}");
	act(WD_ACTION_STOP, false);
	assert_int_equal(shop.end, WD_PLAN_DONE);
	assert_int_equal(fake_calls(shop.fake, "POST /containers/*/stop"), 1);
	assert_int_equal(fake_calls(shop.fake, "POST /containers/*/update"), 1);
	assert_held();
}

static void a_cut_look_is_repeated(void **state)
{
	(void)state;
	inject("{\"method\":\"GET\",\"path\":\"*/json\",\"do\":\"truncate\",\"times\":1}");
	act(WD_ACTION_STOP, false);
	assert_int_equal(shop.end, WD_PLAN_DONE);
	assert_held();
}

static void the_engines_words_reach_the_detail(void **state)
{
	(void)state;
	act(WD_ACTION_STOP, false);
	inject("{\"method\":\"POST\",\"path\":\"*/start\",\"do\":\"status\",\"times\":-1,\"status\":500,"
	       "\"body\":\"{\\\"message\\\":\\\"port is already allocated\\\"}\"}");
	act(WD_ACTION_RELEASE, false);
	assert_int_equal(shop.end, WD_PLAN_UNDONE);
	assert_string_equal(shop.detail, "start: engine said 500: port is already allocated; taken back: it is exited, "
					 "its restart policy is no");
	assert_held();
}

static void what_was_under_way_is_finished_by_the_next_actor(void **state)
{
	(void)state;
	inject("{\"method\":\"POST\",\"path\":\"*/update\",\"do\":\"delay\",\"span\":\"10s\",\"times\":1}");
	order(WD_ACTION_STOP, false);
	run_for(500 * WD_MILLISECOND);
	assert_int_equal(shop.ends, 0);
	shop.actor = wd_actor_free(shop.actor);
	assert_int_equal(count_rows(), 1);

	hire_actor(shop.store);
	assert_true(wd_actor_recover(shop.actor, on_resumed, NULL, NULL));
	run_for(PATIENCE);
	assert_int_equal(shop.ends, 1);
	assert_string_equal(shop.resumed, "hold");
	assert_int_equal(shop.end, WD_PLAN_DONE);
	assert_int_equal(shop.kept.kind, WD_RESTART_ALWAYS);
	run_for(50 * WD_MILLISECOND);
	assert_int_equal(count_rows(), 0);
	assert_held();
}

static void an_actor_freed_while_the_disk_is_awaited_is_silent(void **state)
{
	(void)state;
	order(WD_ACTION_STOP, false);
	while (fake_calls(shop.fake, "GET /containers/*/json") == 0)
		run_for(WD_MILLISECOND);
	shop.actor = wd_actor_free(shop.actor);
	run_for(100 * WD_MILLISECOND);
	assert_int_equal(shop.ends, 0);
}

static void without_a_store_there_is_no_journal(void **state)
{
	(void)state;
	wd_actor_free(shop.actor);
	hire_actor(NULL);
	assert_true(wd_actor_recover(shop.actor, on_resumed, NULL, NULL));
	act(WD_ACTION_STOP, false);
	assert_int_equal(shop.end, WD_PLAN_DONE);
	assert_held();
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(a_hold_and_its_release),
		STORY(a_remembered_hold),
		STORY(a_lost_answer_is_looked_for),
		STORY(a_cut_look_is_repeated),
		STORY(the_engines_words_reach_the_detail),
		STORY(what_was_under_way_is_finished_by_the_next_actor),
		STORY(an_actor_freed_while_the_disk_is_awaited_is_silent),
		STORY(without_a_store_there_is_no_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
