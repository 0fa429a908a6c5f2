/* The plans on a real Engine: SEADOG_TEST_ENGINE names its socket, SEADOG_TEST_IMAGE an image with sh and sleep. Skipped
 * where there is none. */
#include "support/unit.h"

#include "support/files.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <watchdog/act.h>
#include <watchdog/memory.h>

#define PATIENCE (60 * WD_SECOND)

struct site {
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	struct wd_store *store;
	struct wd_actor *actor;
	struct wd_timer *patience;
	char *id;

	unsigned ends;
	enum wd_plan_end end;
	char *detail, *logs;
	struct wd_restart_policy kept;
};

static struct site site;

static void on_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static void on_end(void *data, const struct wd_fact *fact)
{
	(void)data;
	site.ends++;
	site.end = fact->acted.end;
	site.kept = fact->acted.kept;
	wd_replace(&site.detail, fact->acted.detail);
	wd_replace(&site.logs, fact->acted.logs);
	wd_loop_stop(site.loop);
}

static void on_patience(void *data)
{
	(void)data;
	wd_loop_stop(site.loop);
}

static void run_for(wd_time span)
{
	wd_timer_set(site.patience, wd_time_now() + span);
	wd_loop_run(site.loop);
	wd_timer_set(site.patience, WD_NEVER);
}

static struct wd_json *ask(const char *method, const char *verb, const char *body)
{
	struct wd_error error = {0};
	struct wd_json *json = NULL;
	WD_AUTO_FREE char *path = wd_format("/containers/%s%s", site.id ? site.id : "", verb);

	if (!wd_engine_ask(site.engine, method, path, body, 304, &json, &error))
		fail_msg("%s", error.text);
	return json;
}

static int set_up(void **state)
{
	const struct wd_engine_hooks engine_hooks = {.on_fact = on_fact};
	const struct wd_actor_hooks hooks = {.on_end = on_end};
	char *path = getenv("SEADOG_TEST_ENGINE");
	char *warning = NULL;

	enter_directory(state);
	site = (struct site){0};
	if (!path)
		return 0;
	const struct wd_endpoint endpoint = {
		.host = path, .socket_path = path, .base_url = (char[]){"http://localhost"}};
	site.loop = wd_loop_new(NULL);
	site.http = wd_http_new(site.loop, NULL);
	site.engine = wd_engine_new(site.loop, site.http, &endpoint, NULL, 10 * WD_SECOND, &engine_hooks);
	site.store = wd_store_open("state", site.loop, &warning, NULL);
	free(warning);
	site.patience = wd_timer_new(site.loop, on_patience, NULL);
	site.actor = wd_actor_new(site.loop, site.engine, site.store, &hooks);
	return 0;
}

static int tear_down(void **state)
{
	if (site.engine) {
		if (site.id)
			wd_json_free(ask("DELETE", "?force=1", NULL));
		wd_actor_free(site.actor);
		wd_timer_free(site.patience);
		wd_store_close(site.store);
		wd_engine_free(site.engine);
		wd_http_free(site.http);
		wd_loop_free(site.loop);
	}
	free(site.id);
	free(site.detail);
	free(site.logs);
	return leave_directory(state);
}

/* command: for sh -c. policy: {"Name":…}. */
static void start(const char *command, const char *policy)
{
	if (!site.engine)
		skip();
	WD_AUTO_FREE char *body = wd_format("{\"Image\":\"%s\",\"Cmd\":[\"sh\",\"-c\",\"%s\"],\"StopTimeout\":1,"
					    "\"HostConfig\":{\"NetworkMode\":\"none\",\"RestartPolicy\":%s}}",
					    getenv("SEADOG_TEST_IMAGE"), command, policy);
	WD_AUTO_JSON struct wd_json *made = NULL;
	struct wd_error error = {0};
	if (!wd_engine_ask(site.engine, "POST", "/containers/create", body, 0, &made, &error))
		fail_msg("%s", error.text);
	site.id = wd_copy(wd_json_string(wd_json_get(made, "Id"), NULL));
	wd_json_free(ask("POST", "/start", NULL));
}

static void act(enum wd_action action, struct wd_restart_policy policy, bool remembered)
{
	const struct wd_order order = {
		.kind = WD_ORDER_ACT,
		.ticket = 1,
		.service = "web",
		.name = "web",
		.id = site.id,
		.action = action,
		.policy = policy,
		.stop_timeout = WD_SECOND,
	};

	site.ends = 0;
	wd_actor_do(site.actor, &order, remembered);
	run_for(PATIENCE);
	assert_int_equal(site.ends, 1);
}

static void assert_is(const char *status, const char *policy)
{
	WD_AUTO_JSON struct wd_json *json = ask("GET", "/json", NULL);

	assert_string_equal(wd_json_string(wd_json_path(json, "State.Status"), ""), status);
	assert_string_equal(wd_json_string(wd_json_path(json, "HostConfig.RestartPolicy.Name"), ""), policy);
}

static void a_loop_is_held_and_released(void **state)
{
	(void)state;
	start("echo no database; exit 3", "{\"Name\":\"always\"}");
	run_for(2 * WD_SECOND);
	act(WD_ACTION_STOP, (struct wd_restart_policy){0}, false);
	assert_string_equal(site.detail, "restart policy always kept for release");
	assert_int_equal(site.end, WD_PLAN_DONE);
	assert_non_null(strstr(site.logs, "no database"));
	run_for(4 * WD_SECOND);
	assert_is("exited", "no");

	act(WD_ACTION_RELEASE, site.kept, false);
	assert_string_equal(site.detail, "restart policy always given back, started");
	run_for(2 * WD_SECOND);
	WD_AUTO_JSON struct wd_json *json = ask("GET", "/json", NULL);
	assert_true(wd_json_int(wd_json_get(json, "RestartCount"), 0) > 0);
}

/* At other moments of a loop each time, as the order of the rows has to win every race. */
static void a_loop_is_held_at_any_moment(void **state)
{
	(void)state;
	start("sleep 0.05; exit 3", "{\"Name\":\"always\"}");
	for (unsigned i = 0; i < 12; i++) {
		run_for((300 + i * 37) * WD_MILLISECOND);
		act(WD_ACTION_STOP, (struct wd_restart_policy){.kind = WD_RESTART_ALWAYS}, true);
		assert_int_equal(site.end, WD_PLAN_DONE);
		assert_is("exited", "no");
		act(WD_ACTION_RELEASE, site.kept, false);
		assert_string_equal(site.detail, "restart policy always given back, started");
	}
}

static void retries_survive(void **state)
{
	(void)state;
	start("sleep 1000", "{\"Name\":\"on-failure\",\"MaximumRetryCount\":7}");
	act(WD_ACTION_STOP, (struct wd_restart_policy){0}, false);
	assert_string_equal(site.detail, "restart policy on-failure:7 kept for release");
	assert_is("exited", "no");
	act(WD_ACTION_RELEASE, site.kept, false);
	assert_is("running", "on-failure");
	WD_AUTO_JSON struct wd_json *json = ask("GET", "/json", NULL);
	assert_int_equal(wd_json_int(wd_json_path(json, "HostConfig.RestartPolicy.MaximumRetryCount"), 0), 7);
}

static void a_pause_and_its_release(void **state)
{
	(void)state;
	start("sleep 1000", "{\"Name\":\"unless-stopped\"}");
	act(WD_ACTION_PAUSE, (struct wd_restart_policy){0}, false);
	assert_string_equal(site.detail, "restart policy unless-stopped kept for release");
	assert_is("paused", "no");
	act(WD_ACTION_RELEASE, site.kept, false);
	assert_int_equal(site.end, WD_PLAN_DONE);
	assert_is("running", "unless-stopped");
}

static void a_restart(void **state)
{
	(void)state;
	start("sleep 1000", "{\"Name\":\"always\"}");
	act(WD_ACTION_RESTART, (struct wd_restart_policy){0}, false);
	assert_string_equal(site.detail, "restarted");
	assert_is("running", "always");
}

static void what_is_deleted_is_gone(void **state)
{
	(void)state;
	start("sleep 1000", "{\"Name\":\"always\"}");
	wd_json_free(ask("DELETE", "?force=1", NULL));
	act(WD_ACTION_STOP, (struct wd_restart_policy){.kind = WD_RESTART_ALWAYS}, true);
	assert_string_equal(site.detail, "the container is gone");
	free(site.id);
	site.id = NULL;
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(a_loop_is_held_and_released),
		STORY(a_loop_is_held_at_any_moment),
		STORY(retries_survive),
		STORY(a_pause_and_its_release),
		STORY(a_restart),
		STORY(what_is_deleted_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
