#include "support/fixtures.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/wire.h>

#define ID "8e4e0f2a1b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"
#define COMPOSE(number)                                                                                                \
	"\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\","                              \
	"\"com.docker.compose.container-number\":\"" number "\""

static struct wd_json *parse(const char *text)
{
	struct wd_error error;
	struct wd_json *json = wd_json_parse(text, strlen(text), &error);

	if (json == NULL)
		fail_msg("%s: %s", text, error.text);
	return json;
}

/* The container of an inspect with that name and those members; image_labels NULL: the image is not to be had. */
static struct wd_container *read_named(const char *name, const char *members, const char *image_labels)
{
	struct wd_error error;
	WD_AUTO_FREE char *text =
		wd_format("{\"Id\":\"" ID "\",\"Name\":\"/%s\"%s%s}", name, *members ? "," : "", members);
	WD_AUTO_JSON struct wd_json *inspect = parse(text);
	WD_AUTO_JSON struct wd_json *labels = image_labels ? parse(image_labels) : NULL;
	struct wd_container *container = wd_wire_container(inspect, labels, &error);

	if (container == NULL)
		fail_msg("%s", error.text);
	return container;
}

static struct wd_container *read_part(const char *members)
{
	return read_named("web", members, "{}");
}

static struct wd_container *read_labelled(const char *name, const char *labels, const char *image_labels)
{
	WD_AUTO_FREE char *members = wd_format("\"Config\":{\"Labels\":{%s}}", labels);
	return read_named(name, members, image_labels);
}

static struct wd_container *read_recorded(const char *inspect_name, const char *image_name)
{
	struct wd_error error;
	WD_AUTO_JSON struct wd_json *inspect = json_fixture(inspect_name);
	WD_AUTO_JSON struct wd_json *image = json_fixture(image_name);
	WD_AUTO_JSON struct wd_json *labels = wd_wire_image_labels(image);
	struct wd_container *container = wd_wire_container(inspect, labels, &error);

	if (container == NULL)
		fail_msg("%s: %s", inspect_name, error.text);
	return container;
}

static void a_running_service_of_compose(void **state)
{
	(void)state;
	struct wd_container *web = read_recorded("engine-20.10/inspect-web.json", "engine-20.10/image-web.json");

	assert_int_equal(strlen(web->id), 64);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->service, "shop/web/1");
	assert_string_equal(web->project, "shop");
	assert_string_equal(web->image, "acme/web:1.5");
	assert_true(strncmp(web->image_id, "sha256:", 7) == 0);
	assert_null(web->trouble);
	assert_int_equal(web->state, WD_STATE_RUNNING);
	assert_true(web->pid > 0);
	assert_int_equal(web->policy.kind, WD_RESTART_UNLESS_STOPPED);
	assert_int_equal(web->restart_count, 0);
	assert_true(web->started > web->created && web->created > 0 && web->finished > 0);
	assert_int_equal(web->health, WD_HEALTH_NONE);
	assert_int_equal(web->check_patience, 0);
	assert_int_equal(web->stop_timeout, 10 * WD_SECOND);
	assert_int_equal(web->stop_signal, 15);
	assert_string_equal(wd_container_label(web, "seadog.restarts"), "3/30s");
	assert_string_equal(wd_container_label(web, "tier"), "front");
	assert_false(web->transient || web->swarm_task || web->auto_remove || web->spoofs_exit_code ||
		     web->spoofs_signal);
	wd_container_free(web);
}

static void a_loop_and_its_hold(void **state)
{
	(void)state;
	struct wd_container *loop = read_recorded("engine-20.10/inspect-loop.json", "engine-20.10/image-web.json");
	struct wd_container *held = read_recorded("engine-26.1/inspect-loop-held.json", "engine-26.1/image-web.json");

	assert_int_equal(loop->state, WD_STATE_RESTARTING);
	assert_int_equal(loop->exit_code, 3);
	assert_int_equal(loop->restart_count, 6);
	assert_int_equal(loop->policy.kind, WD_RESTART_ALWAYS);
	assert_int_equal(loop->pid, 0);
	assert_string_equal(loop->service, "loop");
	assert_int_equal(held->state, WD_STATE_EXITED);
	assert_int_equal(held->restart_count, 6);
	assert_int_equal(held->policy.kind, WD_RESTART_NO);
	wd_container_free(loop);
	wd_container_free(held);
}

static void states_and_ends_as_engines_record_them(void **state)
{
	static const char *const engines[] = {"20.10", "26.1"};
	static const struct {
		const char *name;
		enum wd_state state;
		int exit_code;
		bool oom;
		enum wd_restart policy;
		unsigned retries;
	} known[] = {
		{"fresh", WD_STATE_CREATED, 0, false, WD_RESTART_ALWAYS, 0},
		{"done", WD_STATE_EXITED, 0, false, WD_RESTART_NO, 0},
		{"tries", WD_STATE_EXITED, 4, false, WD_RESTART_ON_FAILURE, 3},
		{"frozen", WD_STATE_PAUSED, 0, false, WD_RESTART_NO, 0},
		{"hungry", WD_STATE_EXITED, 137, true, WD_RESTART_NO, 0},
		{"broken", WD_STATE_CREATED, 127, false, WD_RESTART_ALWAYS, 0},
		{"stopping", WD_STATE_EXITED, 0, false, WD_RESTART_UNLESS_STOPPED, 0},
		{"killed", WD_STATE_EXITED, 137, false, WD_RESTART_ALWAYS, 0},
	};
	(void)state;

	for (size_t i = 0; i < 2 * sizeof(known) / sizeof(known[0]); i++) {
		const char *engine = engines[i % 2];
		WD_AUTO_FREE char *inspect = wd_format("engine-%s/inspect-%s.json", engine, known[i / 2].name);
		WD_AUTO_FREE char *image = wd_format("engine-%s/image-web.json", engine);
		struct wd_container *container = read_recorded(inspect, image);

		assert_int_equal(container->state, known[i / 2].state);
		assert_int_equal(container->exit_code, known[i / 2].exit_code);
		assert_int_equal(container->oom_killed, known[i / 2].oom);
		assert_int_equal(container->policy.kind, known[i / 2].policy);
		assert_int_equal(container->policy.retries, known[i / 2].retries);
		wd_container_free(container);
	}
}

static void one_that_never_started_says_why(void **state)
{
	(void)state;
	struct wd_container *broken = read_recorded("engine-20.10/inspect-broken.json", "engine-20.10/image-web.json");

	assert_non_null(strstr(broken->trouble, "/no/such/thing"));
	assert_int_equal(broken->started, WD_STAMP_NONE);
	assert_int_equal(broken->finished, WD_STAMP_NONE);
	wd_container_free(broken);
}

static void a_health_check_and_what_the_image_brought(void **state)
{
	(void)state;
	struct wd_container *checked =
		read_recorded("engine-20.10/inspect-checked-unhealthy.json", "engine-20.10/image-labelled.json");

	assert_int_equal(checked->health, WD_HEALTH_UNHEALTHY);
	assert_int_equal(checked->check_patience, 6500 * WD_MILLISECOND); /* 0.5s + (1s + 2s) * 2 */
	assert_int_equal(checked->stop_timeout, 3 * WD_SECOND);
	assert_int_equal(checked->stop_signal, 2);
	/* seadog.enable and a compose project came with the image: nobody gave them to this container. */
	assert_int_equal(checked->label_count, 0);
	assert_null(checked->project);
	assert_string_equal(checked->service, "checked");
	wd_container_free(checked);
}

static void a_liar_is_known_by_its_labels(void **state)
{
	(void)state;
	struct wd_container *liar = read_recorded("engine-26.1/inspect-liar.json", "engine-26.1/image-web.json");

	assert_true(liar->spoofs_exit_code);
	assert_true(liar->spoofs_signal);
	assert_int_equal(liar->exit_code, 3);
	assert_string_equal(liar->name, "liar");
	wd_container_free(liar);
}

static void only_given_labels_count(void **state)
{
	(void)state;
	struct wd_container *web = read_labelled(
		"web", "\"seadog.enable\":\"true\",\"seadog.restarts\":\"3/30s\",\"seadog.policy\":\"x\",\"a\":\"b\"",
		"{\"seadog.enable\":\"true\",\"seadog.restarts\":\"9/1h\"}");

	assert_int_equal(web->label_count, 3);
	assert_string_equal(wd_container_label(web, "a"), "b");
	assert_null(wd_container_label(web, "seadog.enable"));
	assert_string_equal(wd_container_label(web, "seadog.restarts"), "3/30s");
	assert_string_equal(wd_container_label(web, "seadog.policy"), "x");
	wd_container_free(web);

	web = read_labelled("web", "\"seadog.enable\":\"false\"," COMPOSE("1"), NULL);
	assert_int_equal(web->label_count, 0);
	assert_string_equal(web->service, "web");
	wd_container_free(web);
}

static void a_label_said_twice_is_what_it_was_first(void **state)
{
	(void)state;
	struct wd_container *web = read_labelled("web", "\"seadog.enable\":\"true\",\"seadog.enable\":\"false\"",
						 "{\"seadog.enable\":\"true\",\"seadog.enable\":\"x\"}");

	assert_int_equal(web->label_count, 0);
	wd_container_free(web);
}

static void an_image_full_of_labels_costs_no_time(void **state)
{
	WD_AUTO_TEXT struct wd_text labels = {0};
	wd_time begin = wd_time_now();
	(void)state;

	for (int i = 0; i < 50000; i++)
		wd_text_print(&labels, "%s\"seadog.x%d\":\"y\"", i ? "," : "", i);
	WD_AUTO_FREE char *image = wd_format("{%s}", labels.data);
	struct wd_container *web = read_labelled("web", labels.data, image);
	assert_int_equal(web->label_count, 0);
	wd_container_free(web);
	web = read_labelled("web", labels.data, "{}");
	assert_int_equal(web->label_count, 50000);
	wd_container_free(web);
	assert_true(wd_time_now() - begin < 5 * WD_SECOND);
}

static void the_image_is_asked_only_where_it_matters(void **state)
{
	(void)state;
	WD_AUTO_FREE char *huge = wd_format("{\"Config\":{\"Labels\":{\"a\":\"%0300d\"}}}", 0);
	WD_AUTO_JSON struct wd_json *plain = parse("{\"Config\":{\"Labels\":{}}}");
	WD_AUTO_JSON struct wd_json *bulky = parse(huge);
	WD_AUTO_JSON struct wd_json *ours = parse("{\"Config\":{\"Labels\":{\"a\":\"b\",\"seadog.enable\":\"x\"}}}");
	WD_AUTO_JSON struct wd_json *composed = parse("{\"Config\":{\"Labels\":{" COMPOSE("1") "}}}");
	WD_AUTO_JSON struct wd_json *none = parse("{\"Config\":{\"Labels\":null}}");

	assert_false(wd_wire_needs_image(plain));
	assert_false(wd_wire_needs_image(bulky));
	assert_true(wd_wire_needs_image(ours));
	assert_true(wd_wire_needs_image(composed));
	assert_false(wd_wire_needs_image(none));
	assert_false(wd_wire_needs_image(NULL));
}

static void an_image_without_labels_gives_none(void **state)
{
	static const char *const images[] = {"{\"Id\":\"sha256:1\"}", "{\"Id\":\"sha256:1\",\"Config\":null}",
					     "{\"Id\":\"sha256:1\",\"Config\":{\"Labels\":null}}"};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		WD_AUTO_JSON struct wd_json *image = parse(images[i]);
		WD_AUTO_JSON struct wd_json *labels = wd_wire_image_labels(image);

		assert_non_null(labels);
		assert_int_equal(wd_json_count(labels), 0);
	}
	WD_AUTO_JSON struct wd_json *error = parse("{\"message\":\"no such image\"}");
	assert_null(wd_wire_image_labels(error));
	assert_null(wd_wire_image_labels(NULL));
}

static void assert_service(const char *name, const char *labels, const char *service, bool transient)
{
	struct wd_container *container = read_labelled(name, labels, "{}");

	assert_string_equal(container->service, service);
	assert_int_equal(container->transient, transient);
	wd_container_free(container);
}

static void identity_is_composes_or_the_name(void **state)
{
	(void)state;
	assert_service("shop-web-1", COMPOSE("1"), "shop/web/1", false);
	assert_service("shop-web-2", COMPOSE("2"), "shop/web/2", false);
	assert_service("shop-web-1", COMPOSE("1") ",\"com.docker.compose.oneoff\":\"False\"", "shop/web/1", false);
	assert_service("shop-web-run-1", COMPOSE("1") ",\"com.docker.compose.oneoff\":\"True\"", "shop-web-run-1",
		       true);
	assert_service("web", COMPOSE(""), "web", false);
	assert_service("web", COMPOSE("1/2"), "web", false);
	assert_service("web", "\"com.docker.compose.project\":\"shop\"", "web", false);
	assert_service("web", "", "web", false);
}

static void passing_names_are_nobodys(void **state)
{
	(void)state;
	assert_service("web.rbnew-3fa91234", "", "web.rbnew-3fa91234", true);
	assert_service("web.rbnew-", "", "web.rbnew-", false);
	assert_service("web.rbold-old", "", "web.rbold-old", false);
	assert_service("web.rbold-x.rbold-12ab34cd", "", "web.rbold-x.rbold-12ab34cd", true);
	assert_service(".rbold-12ab34cd", "", ".rbold-12ab34cd", false);
	assert_service("0123456789ab_shop-web-1", COMPOSE("1"), "0123456789ab_shop-web-1", true);
	/* Somebody's own choice of name, without compose. */
	assert_service("0123456789ab_shop-web-1", "", "0123456789ab_shop-web-1", false);
	assert_service("0123456789ab_", COMPOSE("1"), "shop/web/1", false);
}

static void swarm_tasks_are_known(void **state)
{
	(void)state;
	struct wd_container *task = read_labelled("web.1.x", "\"com.docker.swarm.task.id\":\"x\"", NULL);

	assert_true(task->swarm_task);
	wd_container_free(task);
}

static void assert_patience(const char *check, wd_time expected)
{
	WD_AUTO_FREE char *members = wd_format("\"Config\":{\"Healthcheck\":%s}", check);
	struct wd_container *container = read_part(members);

	assert_int_equal(container->check_patience, expected);
	wd_container_free(container);
}

static void patience_follows_the_check(void **state)
{
	(void)state;
	assert_patience("null", 0);
	assert_patience("{}", 0);
	assert_patience("{\"Test\":null}", 0);
	assert_patience("{\"Test\":[]}", 0);
	assert_patience("{\"Test\":[\"NONE\"]}", 0);
	assert_patience("{\"Test\":[\"CMD\",\"x\"]}", 3 * WD_MINUTE);
	assert_patience("{\"Test\":[\"CMD\",\"x\"],\"Interval\":5000000000,\"Timeout\":1000000000,\"Retries\":2,"
			"\"StartPeriod\":60000000000}",
			72 * WD_SECOND);
	assert_patience("{\"Test\":[\"CMD\",\"x\"],\"Interval\":3600000000000}", 15 * WD_MINUTE);
	assert_patience("{\"Test\":[\"CMD\",\"x\"],\"Interval\":9223372036854775807,\"Timeout\":9223372036854775807,"
			"\"Retries\":9223372036854775807,\"StartPeriod\":9223372036854775807}",
			15 * WD_MINUTE);
	assert_patience("{\"Test\":[\"CMD\",\"x\"],\"Interval\":-1,\"Timeout\":-1,\"Retries\":-1,\"StartPeriod\":-1}",
			3 * WD_MINUTE);
}

static void assert_stopping(const char *config, int signal, wd_time timeout)
{
	WD_AUTO_FREE char *members = wd_format("\"Config\":{%s}", config);
	struct wd_container *container = read_part(members);

	assert_int_equal(container->stop_signal, signal);
	assert_int_equal(container->stop_timeout, timeout);
	wd_container_free(container);
}

static void how_it_wants_to_be_stopped(void **state)
{
	(void)state;
	assert_stopping("", 15, 10 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"SIGQUIT\",\"StopTimeout\":90", 3, 90 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"winch\",\"StopTimeout\":0", 28, 0);
	assert_stopping("\"StopSignal\":\"2\",\"StopTimeout\":null", 2, 10 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"SIGRTMIN+3\",\"StopTimeout\":-1", 37, 10 * WD_MINUTE);
	assert_stopping("\"StopSignal\":\"RTMAX-2\"", 62, 10 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"RTMIN\"", 34, 10 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"RTMIN-1\"", 15, 10 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"SIGNONE\",\"StopTimeout\":\"x\"", 15, 10 * WD_SECOND);
	assert_stopping("\"StopSignal\":\"99\",\"StopTimeout\":9223372036854775807", 15, WD_DAY);
}

static void assert_state(const char *members, enum wd_state expected)
{
	WD_AUTO_FREE char *part = wd_format("\"State\":{%s}", members);
	struct wd_container *container = read_part(part);

	assert_int_equal(container->state, expected);
	wd_container_free(container);
}

static void states_of_every_engine(void **state)
{
	(void)state;
	assert_state("\"Status\":\"running\"", WD_STATE_RUNNING);
	assert_state("\"Status\":\"removing\"", WD_STATE_REMOVING);
	assert_state("\"Status\":\"dead\"", WD_STATE_DEAD);
	assert_state("\"Status\":\"configured\"", WD_STATE_CREATED);
	assert_state("\"Status\":\"stopped\"", WD_STATE_EXITED);
	assert_state("\"Status\":\"novel\",\"Running\":true", WD_STATE_RUNNING);
	assert_state("\"Running\":true,\"Paused\":true", WD_STATE_PAUSED);
	assert_state("\"Running\":true,\"Restarting\":true", WD_STATE_RESTARTING);
	assert_state("\"Status\":5", WD_STATE_UNKNOWN);
	assert_state("", WD_STATE_UNKNOWN);
}

static void what_is_missing_is_what_it_means(void **state)
{
	(void)state;
	struct wd_container *bare =
		read_named("", "\"State\":null,\"HostConfig\":[],\"Config\":7,\"Created\":\"soon\"", "{}");

	assert_string_equal(bare->name, "8e4e0f2a1b3c");
	assert_string_equal(bare->service, "8e4e0f2a1b3c");
	assert_string_equal(bare->image, "");
	assert_int_equal(bare->policy.kind, WD_RESTART_NO);
	assert_int_equal(bare->created, WD_STAMP_NONE);
	assert_int_equal(bare->stop_timeout, 10 * WD_SECOND);
	wd_container_free(bare);
}

static void numbers_out_of_range_do_not_wrap(void **state)
{
	(void)state;
	struct wd_container *odd = read_part("\"RestartCount\":-1,\"State\":{\"Pid\":99999999999,\"ExitCode\":-5},"
					     "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"on-failure\","
					     "\"MaximumRetryCount\":-3}}");
	assert_int_equal(odd->restart_count, 0);
	assert_int_equal(odd->pid, 2147483647);
	assert_int_equal(odd->exit_code, -5);
	assert_int_equal(odd->policy.retries, 0);
	wd_container_free(odd);
}

static void assert_refused(const char *text, const char *why)
{
	struct wd_error error;
	WD_AUTO_JSON struct wd_json *inspect = parse(text);

	assert_null(wd_wire_container(inspect, NULL, &error));
	assert_string_equal(error.text, why);
}

static void what_is_no_container_is_refused(void **state)
{
	(void)state;
	assert_refused("[]", "inspect: no JSON object");
	assert_refused("{\"message\":\"no such container\"}", "inspect: Id is no string");
	assert_refused("{\"Id\":7}", "inspect: Id is no string");
	assert_refused("{\"Id\":\"../../info\"}", "inspect: Id is not 64 hexadecimal digits");
	assert_refused("{\"Id\":\"" ID "\",\"Name\":{}}", "inspect: Name is no string");
	assert_refused("{\"Id\":\"" ID "\",\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"at-random\"}}}",
		       "inspect: HostConfig.RestartPolicy.Name: unknown policy \"at-random\"");
	assert_refused("{\"Id\":\"" ID "\",\"HostConfig\":{\"RestartPolicy\":{\"Name\":1}}}",
		       "inspect: HostConfig.RestartPolicy.Name is no string");
}

static void an_image_id_is_safe_in_a_path(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *good = parse("{\"Image\":\"sha256:" ID "\"}");
	WD_AUTO_JSON struct wd_json *bare = parse("{\"Image\":\"" ID "\"}");
	WD_AUTO_JSON struct wd_json *bad = parse("{\"Image\":\"sha256:../../containers/x\"}");
	WD_AUTO_JSON struct wd_json *none = parse("{\"Image\":null}");

	assert_string_equal(wd_wire_image_id(good), "sha256:" ID);
	assert_string_equal(wd_wire_image_id(bare), ID);
	assert_null(wd_wire_image_id(bad));
	assert_null(wd_wire_image_id(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_service_of_compose),
		cmocka_unit_test(a_loop_and_its_hold),
		cmocka_unit_test(states_and_ends_as_engines_record_them),
		cmocka_unit_test(one_that_never_started_says_why),
		cmocka_unit_test(a_health_check_and_what_the_image_brought),
		cmocka_unit_test(a_liar_is_known_by_its_labels),
		cmocka_unit_test(only_given_labels_count),
		cmocka_unit_test(a_label_said_twice_is_what_it_was_first),
		cmocka_unit_test(an_image_full_of_labels_costs_no_time),
		cmocka_unit_test(the_image_is_asked_only_where_it_matters),
		cmocka_unit_test(an_image_without_labels_gives_none),
		cmocka_unit_test(identity_is_composes_or_the_name),
		cmocka_unit_test(passing_names_are_nobodys),
		cmocka_unit_test(swarm_tasks_are_known),
		cmocka_unit_test(patience_follows_the_check),
		cmocka_unit_test(how_it_wants_to_be_stopped),
		cmocka_unit_test(states_of_every_engine),
		cmocka_unit_test(what_is_missing_is_what_it_means),
		cmocka_unit_test(numbers_out_of_range_do_not_wrap),
		cmocka_unit_test(what_is_no_container_is_refused),
		cmocka_unit_test(an_image_id_is_safe_in_a_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
