/* Rollbacks on a real Engine: SEADOG_TEST_ENGINE names its socket, SEADOG_TEST_IMAGE an image with sh and sleep,
 * SEADOG_TEST_RESTART a command that starts the Engine anew. Skipped where there is none. seadog is a process of its own,
 * which is killed as it says each of its steps, while each of its changes is on its way, and at each of its ends, and
 * another one then goes on; or its Engine goes away under it. */
#include "support/unit.h"

#include "support/files.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/act.h>
#include <watchdog/memory.h>

#define PATIENCE (90 * WD_SECOND)
#define WATCHED (300 * WD_MILLISECOND)

#define ON_ITS_WAY (2 * WD_MILLISECOND) /* a change has been sent, and few are answered */

enum { FAILED = 100, STEPS_MAX = 90 };

/* --- the Engine, as a person would use it --- */

struct site {
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	char *id;
	size_t volumes;
};
static struct site site;

static void on_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static struct wd_engine *reach(struct wd_loop *loop, struct wd_http *http)
{
	const struct wd_engine_hooks hooks = {.on_fact = on_fact};
	char *path = getenv("SEADOG_TEST_ENGINE");
	const struct wd_endpoint endpoint = {
		.host = path, .socket_path = path, .base_url = (char[]){"http://localhost"}};

	return wd_engine_new(loop, http, &endpoint, NULL, 20 * WD_SECOND, &hooks);
}

/* NULL for 404. */
static struct wd_json *ask(const char *method, const char *path, const char *body)
{
	struct wd_error error = {0};
	struct wd_json *json = NULL;

	if (!wd_engine_ask(site.engine, method, path, body, 304, &json, &error) && error.kind != WD_ERROR_NOT_FOUND)
		fail_msg("%s %s: %s", method, path, error.text);
	return json;
}

static void tell(const char *method, const char *path, const char *body)
{
	wd_json_free(ask(method, path, body));
}

static const char *text_at(const struct wd_json *json, const char *path)
{
	return wd_json_string(wd_json_path(json, path), "");
}

/* command: a JSON array. */
static void make_image(const char *tag, const char *command)
{
	WD_AUTO_FREE char *body = wd_format("{\"Image\":\"%s\",\"Cmd\":[\"true\"]}", getenv("SEADOG_TEST_IMAGE"));
	WD_AUTO_FREE char *config = wd_format("{\"Env\":[\"VERSION=%s\"],\"Cmd\":%s,"
					      "\"Volumes\":{\"/cache\":{}}}",
					      tag, command);
	WD_AUTO_JSON struct wd_json *made = ask("POST", "/containers/create", body);
	WD_AUTO_FREE char *commit = wd_format("/commit?container=%s&repo=acme/roll&tag=%s", text_at(made, "Id"), tag);
	WD_AUTO_FREE char *remove = wd_format("/containers/%s?force=1", text_at(made, "Id"));

	tell("POST", commit, config);
	tell("DELETE", remove, NULL);
}

static void make_network(const char *name, const char *subnet)
{
	WD_AUTO_FREE char *path = wd_format("/networks/%s", name);
	WD_AUTO_FREE char *body =
		wd_format("{\"Name\":\"%s\",\"IPAM\":{\"Config\":[{\"Subnet\":\"%s\"}]}}", name, subnet);
	WD_AUTO_JSON struct wd_json *there = ask("GET", path, NULL);

	if (!there)
		tell("POST", "/networks/create", body);
}

static size_t count_volumes(void)
{
	WD_AUTO_JSON struct wd_json *json = ask("GET", "/volumes", NULL);

	return wd_json_count(wd_json_get(json, "Volumes"));
}

static const char web[] =
	"{\"Image\":\"acme/roll:1.1\",\"Env\":[\"GIVEN=1\"],\"StopTimeout\":1,\"Hostname\":\"www\","
	"\"Labels\":{\"com.docker.compose.project\":\"shop\",\"tier\":\"front\"},\"HostConfig\":{\"Memory\":134217728,"
	"\"RestartPolicy\":{\"Name\":\"always\"},\"Binds\":[\"rollback-data:/data\"],\"NetworkMode\":\"roll-shop\"},"
	"\"NetworkingConfig\":{\"EndpointsConfig\":{\"roll-shop\":{\"Aliases\":[\"www\"],"
	"\"IPAMConfig\":{\"IPv4Address\":\"10.77.1.77\"}}}}}";

static void add_secret(void);

static void begin_web(void)
{
	WD_AUTO_JSON struct wd_json *made = ask("POST", "/containers/create?name=web", web);

	wd_replace(&site.id, text_at(made, "Id"));
	tell("POST", "/networks/roll-back/connect",
	     "{\"Container\":\"web\",\"EndpointConfig\":{\"Aliases\":[\"db\"]}}");
	add_secret();
	tell("POST", "/containers/web/start", NULL);
	site.volumes = count_volumes();
}

static void end_all(void)
{
	WD_AUTO_JSON struct wd_json *list = ask("GET", "/containers/json?all=1", NULL);

	for (const struct wd_json *item = wd_json_first(list); item; item = wd_json_next(item)) {
		WD_AUTO_FREE char *path = wd_format("/containers/%s?force=1&v=1", text_at(item, "Id"));
		tell("DELETE", path, NULL);
	}
	tell("DELETE", "/volumes/rollback-data", NULL);
	WD_AUTO_JSON struct wd_json *volumes = ask("GET", "/volumes", NULL);
	for (const struct wd_json *item = wd_json_first(wd_json_get(volumes, "Volumes")); item;
	     item = wd_json_next(item)) {
		WD_AUTO_FREE char *path = wd_format("/volumes/%s", text_at(item, "Name"));
		tell("DELETE", path, NULL);
	}
}

/* --- files --- */

struct bytes {
	struct wd_loop *loop;
	char *body;
	size_t length;
	int status;
};

static void on_bytes(void *data, const struct wd_engine_answer *answer)
{
	struct bytes *bytes = data;

	bytes->status = answer->status;
	bytes->length = answer->length;
	bytes->body = wd_copy_part(answer->body, answer->length);
	wd_loop_stop(bytes->loop);
}

static struct bytes transfer(const struct wd_engine_request *request)
{
	struct bytes bytes = {.loop = site.loop};

	wd_engine_request(site.engine, request, on_bytes, &bytes);
	wd_loop_run(site.loop);
	return bytes;
}

/* As compose does it: into the container that was made, before its first start. */
static void add_secret(void)
{
	char tar[2048] = {0};
	unsigned sum = 0;

	strcpy(tar, "run/secrets/key");   // NOLINT: fits
	strcpy(tar + 100, "0000440");     // NOLINT
	strcpy(tar + 108, "0001750");     // NOLINT
	strcpy(tar + 116, "0001751");     // NOLINT
	strcpy(tar + 124, "00000000004"); // NOLINT
	strcpy(tar + 136, "14000000000"); // NOLINT
	memset(tar + 148, ' ', 8);
	tar[156] = '0';
	memcpy(tar + 257, "ustar\00000", 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)tar[i];
	snprintf(tar + 148, 8, "%06o", sum);
	memcpy(tar + 512, "hush", 4);
	struct bytes bytes = transfer(&(struct wd_engine_request){.method = "PUT",
								  .path = "/containers/web/archive?path=/&copyUIDGID=1",
								  .type = "application/x-tar",
								  .body = tar,
								  .length = sizeof(tar)});
	assert_int_equal(bytes.status, 200);
	free(bytes.body);
}

static void assert_secret(void)
{
	struct bytes bytes = transfer(
		&(struct wd_engine_request){.method = "GET", .path = "/containers/web/archive?path=/run/secrets/key"});

	assert_int_equal(bytes.status, 200);
	assert_int_equal(strtoul(bytes.body + 100, NULL, 8) & 07777, 0440);
	assert_int_equal(strtoul(bytes.body + 108, NULL, 8), 01750);
	assert_int_equal(strtoul(bytes.body + 116, NULL, 8), 01751);
	assert_memory_equal(bytes.body + 512, "hush", 4);
	free(bytes.body);
}

static bool is_reached(void)
{
	return site.engine != NULL;
}

/* SEADOG_TEST_STORY: one of them alone. */
static bool is_told(const char *story)
{
	const char *wanted = getenv("SEADOG_TEST_STORY");

	return is_reached() && (!wanted || strcmp(wanted, story) == 0);
}

static int set_up(void **state)
{
	enter_directory(state);
	site = (struct site){0};
	if (!getenv("SEADOG_TEST_ENGINE"))
		return 0;
	site.loop = wd_loop_new(NULL);
	site.http = wd_http_new(site.loop, NULL);
	site.engine = reach(site.loop, site.http);
	end_all();
	make_image("1.0", "[\"sh\",\"-c\",\"trap 'exit 0' TERM; while :; do sleep 0.1; done\"]");
	make_image("1.1", "[\"sh\",\"-c\",\"exit 3\"]");
	make_image("0.9", "[\"sh\",\"-c\",\"exit 4\"]");
	make_network("roll-shop", "10.77.1.0/24");
	make_network("roll-back", "10.77.2.0/24");
	return 0;
}

static int tear_down(void **state)
{
	if (is_reached()) {
		end_all();
		wd_engine_free(site.engine);
		wd_http_free(site.http);
		wd_loop_free(site.loop);
	}
	free(site.id);
	return leave_directory(state);
}

/* --- the invariant --- */

static bool has(const struct wd_json *list, const char *text)
{
	for (const struct wd_json *item = wd_json_first(list); item; item = wd_json_next(item))
		if (wd_text_equal(wd_json_string(item, ""), text))
			return true;
	return false;
}

static void say_list(const struct wd_json *list)
{
	for (const struct wd_json *item = wd_json_first(list); item; item = wd_json_next(item))
		print_error("  %s %s %s\n", wd_json_string(wd_json_first(wd_json_get(item, "Names")), ""),
			    text_at(item, "State"), text_at(item, "Image"));
}

static void assert_kept(const struct wd_json *now)
{
	const struct wd_json *networks = wd_json_path(now, "NetworkSettings.Networks");
	const struct wd_json *shop = wd_json_get(networks, "roll-shop"), *back = wd_json_get(networks, "roll-back");

	assert_string_equal(text_at(now, "HostConfig.RestartPolicy.Name"), "always");
	assert_int_equal(wd_json_count(networks), 2);
	assert_true(has(wd_json_get(shop, "Aliases"), "www"));
	assert_true(has(wd_json_get(back, "Aliases"), "db"));
	assert_string_equal(text_at(shop, "IPAMConfig.IPv4Address"), "10.77.1.77");
	assert_int_equal(wd_json_count(wd_json_get(now, "Mounts")), 2);
	assert_int_equal(wd_json_int(wd_json_path(now, "HostConfig.Memory"), 0), 134217728);
	assert_string_equal(text_at(now, "Config.Hostname"), "www");
	assert_string_equal(wd_json_string(wd_json_get(wd_json_path(now, "Config.Labels"), "tier"), ""), "front");
	assert_true(has(wd_json_path(now, "Config.Env"), "GIVEN=1"));
	assert_int_equal(count_volumes(), site.volumes);
	assert_secret();
}

/* One container of that name, whole, and nothing beside it. Returns whether it is the new one. */
static bool check(const char *version)
{
	WD_AUTO_JSON struct wd_json *list = ask("GET", "/containers/json?all=1", NULL);
	WD_AUTO_JSON struct wd_json *now = ask("GET", "/containers/web/json", NULL);
	WD_AUTO_FREE char *given = wd_format("VERSION=%s", version);
	bool is_new = !wd_text_equal(text_at(now, "Id"), site.id);

	if (wd_json_count(list) != 1)
		say_list(list);
	assert_int_equal(wd_json_count(list), 1);
	assert_string_equal(text_at(now, "Name"), "/web");
	assert_kept(now);
	assert_true(has(wd_json_path(now, "Config.Env"), is_new ? given : "VERSION=1.1"));
	assert_true(wd_json_bool(wd_json_path(now, "State.Running"), false));
	return is_new;
}

/* --- seadog --- */

/* What happens at the point that is its turn. */
enum blow {
	KILLED_AT_STEP, /* each step that it says is a point */
	KILLED_ON_WAY,  /* each change is, and each end of a plan, before the journal is struck */
	ENGINE_ANEW,    /* each change is */
};

struct seadog {
	struct wd_loop *loop;
	struct wd_actor *actor;
	struct wd_timer *patience, *death;
	struct wd_store *store;
	enum blow blow;
	pid_t restart;
	const char *old, *target;
	bool good;
	unsigned steps, dies_at, rows, ends;
	enum wd_plan_end end;
	char *detail, *replaced_by;
};

static void restart_engine(struct seadog *seadog)
{
	seadog->restart = fork();
	if (seadog->restart != 0)
		return;
	execl("/bin/sh", "sh", "-c", getenv("SEADOG_TEST_RESTART"), (char *)NULL);
	_exit(127);
}

static void on_death(void *data)
{
	(void)data;
	raise(SIGKILL);
}

static void on_step(void *data, const char *name, const char *plan, const char *step, const char *what)
{
	struct seadog *seadog = data;

	(void)name;
	(void)plan;
	(void)step;
	if (seadog->blow != KILLED_AT_STEP && strcmp(what, "asked") != 0)
		return;
	if (++seadog->steps != seadog->dies_at)
		return;
	if (seadog->blow == KILLED_AT_STEP)
		raise(SIGKILL);
	else if (seadog->blow == KILLED_ON_WAY)
		wd_timer_set(seadog->death, wd_time_now() + ON_ITS_WAY);
	else
		restart_engine(seadog);
}

static void take_end(struct seadog *seadog, enum wd_plan_end end, const char *detail, const char *replaced_by)
{
	if (seadog->blow == KILLED_ON_WAY && ++seadog->steps == seadog->dies_at)
		raise(SIGKILL);
	seadog->ends++;
	seadog->end = end;
	wd_replace(&seadog->detail, detail);
	wd_replace(&seadog->replaced_by, replaced_by);
	wd_loop_stop(seadog->loop);
}

static void on_end(void *data, const struct wd_fact *fact)
{
	take_end(data, fact->acted.end, fact->acted.detail, fact->acted.replaced_by);
}

static void on_resumed(void *data, const struct wd_resumed *resumed)
{
	take_end(data, resumed->end, resumed->detail, resumed->replaced_by);
}

static void on_row(void *data, const struct wd_journal *row)
{
	struct seadog *seadog = data;

	(void)row;
	seadog->rows++;
}

static void on_patience(void *data)
{
	struct seadog *seadog = data;

	wd_loop_stop(seadog->loop);
}

static void run_for(struct seadog *seadog, wd_time span)
{
	wd_timer_set(seadog->patience, wd_time_now() + span);
	wd_loop_run(seadog->loop);
	wd_timer_set(seadog->patience, WD_NEVER);
}

static void order(struct seadog *seadog, enum wd_action action, const char *id)
{
	const struct wd_order order = {.kind = WD_ORDER_ACT,
				       .ticket = 1,
				       .service = "web",
				       .name = "web",
				       .id = id,
				       .action = action,
				       .target = {.image = "acme/roll:x", .id = seadog->target},
				       .stop_timeout = WD_SECOND};

	seadog->ends = 0;
	wd_actor_do(seadog->actor, &order, false);
	run_for(seadog, PATIENCE);
}

static bool is_open(const struct seadog *seadog)
{
	return seadog->end == WD_PLAN_DONE && seadog->replaced_by && !wd_text_equal(seadog->replaced_by, seadog->old);
}

static void go(struct seadog *seadog)
{
	if (seadog->rows) {
		wd_actor_recover(seadog->actor, on_resumed, seadog, NULL);
		run_for(seadog, PATIENCE);
	} else {
		order(seadog, WD_ACTION_ROLLBACK, seadog->old);
	}
	if (!is_open(seadog))
		return;
	run_for(seadog, WATCHED);
	WD_AUTO_FREE char *made = wd_copy(seadog->replaced_by);
	order(seadog, seadog->good ? WD_ACTION_COMMIT : WD_ACTION_TAKE_BACK, made);
}

static void open_seadog(struct seadog *seadog)
{
	struct wd_http *http;
	char *warning = NULL;

	seadog->loop = wd_loop_new(NULL);
	http = wd_http_new(seadog->loop, NULL);
	seadog->store = wd_store_open("state", seadog->loop, &warning, NULL);
	seadog->patience = wd_timer_new(seadog->loop, on_patience, seadog);
	seadog->death = wd_timer_new(seadog->loop, on_death, seadog);
	seadog->actor = wd_actor_new(seadog->loop, reach(seadog->loop, http), seadog->store,
				     &(struct wd_actor_hooks){.on_end = on_end, .on_step = on_step, .data = seadog});
	wd_store_load_journal(seadog->store, on_row, seadog, NULL);
}

/* The row is struck in the turn after the end. */
static void close_seadog(struct seadog *seadog)
{
	run_for(seadog, 10 * WD_MILLISECOND);
	wd_actor_free(seadog->actor);
	wd_store_close(seadog->store);
}

/* The command says as well whether the Engine that is back runs one of the two at most. */
static bool is_engine_well(const struct seadog *seadog)
{
	int status = 0;

	return !seadog->restart || (waitpid(seadog->restart, &status, 0) == seadog->restart && status == 0);
}

/* How many points it came to, or FAILED. */
static int live(struct seadog *seadog)
{
	open_seadog(seadog);
	go(seadog);
	bool failed = seadog->end == WD_PLAN_FAILED || seadog->end == WD_PLAN_REFUSED || !seadog->ends;
	if (failed)
		fprintf(stderr, "  point %u: %s\n", seadog->dies_at, seadog->detail ? seadog->detail : "no end");
	close_seadog(seadog);
	if (!is_engine_well(seadog)) {
		fprintf(stderr, "  the Engine did not come back, or with more than one that runs\n");
		return FAILED + 1;
	}
	return failed ? FAILED : (int)seadog->steps;
}

/* Returns what it said at its end, or -1 where it was killed. */
static int run_seadog(const char *target, bool good, enum blow blow, unsigned dies_at)
{
	struct seadog seadog = {.old = site.id, .target = target, .good = good, .blow = blow, .dies_at = dies_at};

	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(live(&seadog));
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *image_id(const char *name)
{
	WD_AUTO_FREE char *path = wd_format("/images/%s/json", name);
	WD_AUTO_JSON struct wd_json *image = ask("GET", path, NULL);

	return wd_copy(text_at(image, "Id"));
}

/* --- stories --- */

/* One point after the other, until there is none of that number. */
static void play(const char *version, bool good, enum blow blow)
{
	WD_AUTO_FREE char *name = wd_format("acme/roll:%s", version);
	WD_AUTO_FREE char *target = image_id(name);
	unsigned points = 0, as_new = 0;
	bool is_last = false;

	for (unsigned at = 0; at <= STEPS_MAX && !is_last; at++) {
		begin_web();
		int said = run_seadog(target, good, blow, at);
		bool cut = said < 0 || (blow == ENGINE_ANEW && at > 0 && said == FAILED);
		is_last = at > 0 && !cut && said < (int)at;
		points += at > 0 && !is_last;
		if (cut)
			said = run_seadog(target, good, blow, 0);
		assert_in_range(said, 0, FAILED - 1);
		bool is_new = check(version);
		as_new += is_new;
		assert_true(good || !is_new);
		assert_true(points > 0 || is_new == good);
		end_all();
	}
	print_message("%s: at %u points, each time one container, %u times the new one\n", name, points, as_new);
	assert_true(is_last);
	assert_true(points >= (blow == KILLED_AT_STEP ? 16 : 8));
}

static void a_good_target_and_a_death_at_every_step(void **state)
{
	(void)state;
	if (!is_told("good"))
		skip();
	play("1.0", true, KILLED_AT_STEP);
}

static void a_bad_target_and_a_death_at_every_step(void **state)
{
	(void)state;
	if (!is_told("bad"))
		skip();
	play("0.9", false, KILLED_AT_STEP);
}

static void a_good_target_and_a_death_while_each_change_is_on_its_way(void **state)
{
	(void)state;
	if (!is_told("good-on-way"))
		skip();
	play("1.0", true, KILLED_ON_WAY);
}

static void a_bad_target_and_a_death_while_each_change_is_on_its_way(void **state)
{
	(void)state;
	if (!is_told("bad-on-way"))
		skip();
	play("0.9", false, KILLED_ON_WAY);
}

static void a_good_target_and_an_engine_that_begins_anew_at_each_change(void **state)
{
	(void)state;
	if (!is_told("good-anew") || !getenv("SEADOG_TEST_RESTART"))
		skip();
	play("1.0", true, ENGINE_ANEW);
}

static void a_bad_target_and_an_engine_that_begins_anew_at_each_change(void **state)
{
	(void)state;
	if (!is_told("bad-anew") || !getenv("SEADOG_TEST_RESTART"))
		skip();
	play("0.9", false, ENGINE_ANEW);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(a_good_target_and_a_death_at_every_step),
		STORY(a_bad_target_and_a_death_at_every_step),
		STORY(a_good_target_and_a_death_while_each_change_is_on_its_way),
		STORY(a_bad_target_and_a_death_while_each_change_is_on_its_way),
		STORY(a_good_target_and_an_engine_that_begins_anew_at_each_change),
		STORY(a_bad_target_and_an_engine_that_begins_anew_at_each_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
