/* The model beside a real Engine: the calls that a rollback makes, in the same order on both, must be answered with the
 * same status, and the same must be seen afterwards. SEADOG_TEST_ENGINE names the socket, SEADOG_TEST_IMAGE an image with
 * sh. Skipped where there is none. */
#include "support/unit.h"

#include "model.h"
#include <stdlib.h>
#include <string.h>
#include <watchdog/engine.h>
#include <watchdog/memory.h>

struct pair {
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	struct model *model;
	int status; /* of the real one's last answer */
	char *body;
};
static struct pair pair;

static void on_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static void on_answer(void *data, const struct wd_engine_answer *answer)
{
	(void)data;
	pair.status = answer->status;
	free(pair.body);
	pair.body = wd_copy_part(answer->body, answer->length);
	wd_loop_stop(pair.loop);
}

static void ask_real(const char *method, const char *path, const char *body)
{
	wd_engine_send(pair.engine, method, path, body, 60 * WD_SECOND, on_answer, NULL);
	wd_loop_run(pair.loop);
}

/* On both; returns the model's answer. */
static char *both(const char *method, const char *path, const char *body)
{
	struct model_answer answer = model_request(pair.model, method, path, body);

	ask_real(method, path, body);
	if (pair.status != answer.status)
		fail_msg("%s %s: the model says %d, the Engine %d: %s", method, path, answer.status, pair.status,
			 pair.body);
	return answer.body;
}

static void same(const char *method, const char *path, const char *body)
{
	free(both(method, path, body));
}

/* What is at that place of both inspects, as text. */
static void same_at(const char *name, const char *place)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", name);
	WD_AUTO_FREE char *body = both("GET", path, NULL);
	WD_AUTO_JSON struct wd_json *model = wd_json_parse(body, strlen(body), NULL);
	WD_AUTO_JSON struct wd_json *real = wd_json_parse(pair.body, strlen(pair.body), NULL);
	const struct wd_json *one = wd_json_path(model, place), *two = wd_json_path(real, place);
	WD_AUTO_FREE char *of_model = one ? wd_json_print(one) : wd_copy("-");
	WD_AUTO_FREE char *of_real = two ? wd_json_print(two) : wd_copy("-");

	assert_string_equal(of_model, of_real);
}

static int set_up(void **state)
{
	const struct wd_engine_hooks hooks = {.on_fact = on_fact};
	char *path = getenv("SEADOG_TEST_ENGINE");

	(void)state;
	pair = (struct pair){0};
	if (!path)
		return 0;
	const struct wd_endpoint endpoint = {
		.host = path, .socket_path = path, .base_url = (char[]){"http://localhost"}};
	pair.loop = wd_loop_new(NULL);
	pair.http = wd_http_new(pair.loop, NULL);
	pair.engine = wd_engine_new(pair.loop, pair.http, &endpoint, NULL, 20 * WD_SECOND, &hooks);
	if (!wd_engine_reach(pair.engine, NULL))
		return -1;
	bool old = strcmp(wd_engine_state(pair.engine).api, "1.44") < 0;
	pair.model = model_new(old ? MODEL_DOCKER_20 : MODEL_DOCKER_26, 1767323045000000000);
	model_add_image(pair.model, getenv("SEADOG_TEST_IMAGE"), NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (pair.engine) {
		wd_engine_free(pair.engine);
		wd_http_free(pair.http);
		wd_loop_free(pair.loop);
		model_free(pair.model);
	}
	free(pair.body);
	return 0;
}

static void create(const char *name, const char *more)
{
	WD_AUTO_FREE char *path = wd_format("/containers/create?name=%s", name);
	WD_AUTO_FREE char *body = wd_format(
		"{\"Image\":\"%s\",\"Cmd\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; while :; do sleep 0.1; done\"],"
		"\"StopTimeout\":3,\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}%s}",
		getenv("SEADOG_TEST_IMAGE"), more);

	same("POST", path, body);
}

static void names_and_policies(void **state)
{
	(void)state;
	if (!pair.engine)
		skip();
	create("held", "");
	create("held", "");
	same("POST", "/containers/held/start", NULL);
	same("POST", "/containers/held/start", NULL);
	same("POST", "/containers/held/rename?name=held", NULL);
	same("POST", "/containers/held/stop", NULL);
	same("POST", "/containers/held/stop", NULL);
	same("POST", "/containers/held/rename?name=held.rbold-0a0b0c0d", NULL);
	create("held", "");
	same("POST", "/containers/held.rbold-0a0b0c0d/rename?name=held", NULL);
	same("POST", "/containers/held.rbold-0a0b0c0d/update", "{\"RestartPolicy\":{\"Name\":\"no\"}}");
	same_at("held.rbold-0a0b0c0d", "HostConfig.RestartPolicy");
	same_at("held", "HostConfig.RestartPolicy");
	same_at("held", "State.Status");
	same("DELETE", "/containers/held.rbold-0a0b0c0d", NULL);
	same("DELETE", "/containers/held.rbold-0a0b0c0d", NULL);
	same("POST", "/containers/held/start", NULL);
	same("DELETE", "/containers/held", NULL);
	same("DELETE", "/containers/held?force=1&v=1", NULL);
	same("GET", "/containers/held/json", NULL);
}

static void networks(void **state)
{
	(void)state;
	if (!pair.engine)
		skip();
	ask_real("POST", "/networks/create", "{\"Name\":\"model-back\"}");
	model_add_network(pair.model, "model-back");
	create("netted", "");
	same("POST", "/networks/model-back/connect",
	     "{\"Container\":\"netted\",\"EndpointConfig\":{\"Aliases\":[\"db\"]}}");
	same("POST", "/networks/model-back/connect", "{\"Container\":\"netted\",\"EndpointConfig\":{}}");
	same("POST", "/networks/model-none/connect", "{\"Container\":\"netted\",\"EndpointConfig\":{}}");
	same("POST", "/containers/netted/start", NULL);
	same("POST", "/networks/model-none/disconnect", "{\"Container\":\"netted\"}");
	same_at("netted", "NetworkSettings.Networks.model-back.IPAMConfig");
	same("POST", "/networks/model-back/disconnect", "{\"Container\":\"netted\"}");
	same_at("netted", "NetworkSettings.Networks.model-back");
	create("two", ",\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{},\"model-back\":{}}}");
	same("DELETE", "/containers/netted?force=1", NULL);
	ask_real("DELETE", "/containers/two?force=1", NULL);
	ask_real("DELETE", "/networks/model-back", NULL);
}

static bool real_has_volume(const char *name)
{
	WD_AUTO_FREE char *path = wd_format("/volumes/%s", name);

	ask_real("GET", path, NULL);
	return pair.status == 200;
}

static void volumes(void **state)
{
	(void)state;
	if (!pair.engine)
		skip();
	WD_AUTO_FREE char *body = wd_format("{\"Image\":\"%s\",\"Cmd\":[\"true\"],\"Volumes\":{\"/own\":{}},"
					    "\"HostConfig\":{\"Binds\":[\"model-data:/data\"]}}",
					    getenv("SEADOG_TEST_IMAGE"));
	same("POST", "/containers/create?name=filled", body);
	WD_AUTO_FREE char *inspect = both("GET", "/containers/filled/json", NULL);
	WD_AUTO_JSON struct wd_json *model = wd_json_parse(inspect, strlen(inspect), NULL);
	WD_AUTO_JSON struct wd_json *real = wd_json_parse(pair.body, strlen(pair.body), NULL);
	assert_int_equal(wd_json_count(wd_json_get(model, "Mounts")), wd_json_count(wd_json_get(real, "Mounts")));
	same("DELETE", "/containers/filled?force=1&v=1", NULL);
	assert_true(model_has_volume(pair.model, "model-data") && real_has_volume("model-data"));
	assert_int_equal(model_volume_count(pair.model), 1);
	ask_real("DELETE", "/volumes/model-data", NULL);
}

static void files_and_images(void **state)
{
	(void)state;
	if (!pair.engine)
		skip();
	WD_AUTO_FREE char *name = wd_copy(getenv("SEADOG_TEST_IMAGE"));
	WD_AUTO_FREE char *tag = wd_format("/images/%s/tag?repo=seadog/keep&tag=model", name);
	WD_AUTO_FREE char *image = wd_format("/images/%s/json", name);
	create("filed", "");
	same("GET", "/containers/filed/changes", NULL);
	same("GET", "/containers/filed/archive?path=/nowhere", NULL);
	same("PUT", "/containers/nobody/archive?path=/", NULL);
	same("DELETE", "/containers/filed?force=1", NULL);
	same("GET", image, NULL);
	same("GET", "/images/acme/none:1/json", NULL);
	same("POST", tag, NULL);
	same("GET", "/images/seadog/keep:model/json", NULL);
	same("DELETE", "/images/seadog/keep:model", NULL);
	same("DELETE", "/images/seadog/keep:model", NULL);
	same("GET", image, NULL);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(names_and_policies),
		STORY(networks),
		STORY(volumes),
		STORY(files_and_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
