/* See rollback_play.h. What is ordered is what the core orders; the stage has the Engine, the journal and the clock. */
#include "rollback_play.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

enum { CALLS_MAX = 160 };

const struct play_scene play_scenes[PLAY_SCENES] = {
	{"a good target, one network at create", MODEL_DOCKER_20, 50 * WD_MILLISECOND, true},
	{"a bad target, one network at create", MODEL_DOCKER_20, 50 * WD_MILLISECOND, false},
	{"a good target, all networks at create", MODEL_DOCKER_26, WD_SECOND, true},
	{"a bad target, all networks at create", MODEL_DOCKER_26, WD_NEVER, false},
};

static const char image_new[] =
	"{\"Env\":[\"PATH=/bin\",\"VERSION=1.5\"],\"Cmd\":[\"serve\",\"--new\"],\"Entrypoint\":null,"
	"\"WorkingDir\":\"\",\"User\":\"\",\"Volumes\":{\"/cache\":{}}}";
static const char image_old[] = "{\"Env\":[\"PATH=/bin\",\"VERSION=1.4\"],\"Cmd\":[\"serve\"],\"Entrypoint\":null,"
				"\"WorkingDir\":\"\",\"User\":\"\",\"Volumes\":{\"/cache\":{}}}";
static const char body_first[] =
	"{\"Image\":\"acme/web:1.5\",\"Env\":[\"GIVEN=1\"],\"Labels\":{\"com.docker.compose.project\":\"shop\"},"
	"\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0},\"Binds\":[\"data:/data\"],"
	"\"NetworkMode\":\"shop\",\"Memory\":9223372036854771712},"
	"\"NetworkingConfig\":{\"EndpointsConfig\":{\"shop\":{\"Aliases\":[\"www\"]}}}}";

static void call(struct play *play, const char *method, const char *path, const char *body, int status)
{
	struct model_answer answer = model_request(play->stage.model, method, path, body);

	if (answer.status != status)
		fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
	model_answer_done(&answer);
}

static void add_image(struct play *play, const char *name, const char *config, const struct model_script *script)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse(config, strlen(config), NULL);

	model_add_image(play->stage.model, name, NULL);
	model_set_image_config(play->stage.model, name, json);
	model_set_image_script(play->stage.model, name, script);
}

static void open_play(struct play *play, const struct play_scene *scene)
{
	const struct model_script loops = {.lives = scene->lives,
					   .exit_code = 3,
					   .stops_in = 200 * WD_MILLISECOND,
					   .healthy_after = WD_NEVER,
					   .unhealthy_after = WD_NEVER};

	*play = (struct play){.scene = scene};
	stage_init(&play->stage, scene->flavour);
	model_make_no_events(play->stage.model);
	add_image(play, "acme/web:1.4", image_old, &MODEL_SCRIPT_GOOD);
	add_image(play, "acme/web:1.5", image_new, &loops);
	model_add_network(play->stage.model, "shop");
	model_add_network(play->stage.model, "back");
	call(play, "POST", "/containers/create?name=web", body_first, 201);
	call(play, "POST", "/networks/back/connect",
	     "{\"Container\":\"web\",\"EndpointConfig\":{\"Aliases\":[\"db\"]}}", 200);
	model_put_file(play->stage.model, "web", "/run/secrets/key", 0400, model_stamp(play->stage.model), "hush");
	call(play, "POST", "/containers/web/start", NULL, 204);
	snprintf(play->old, sizeof(play->old), "%s", model_id(play->stage.model, "web"));
	model_advance(play->stage.model, 2 * WD_SECOND);
}

/* --- what is ordered --- */

static struct wd_json *get(const struct play *play, const char *path)
{
	struct model_answer answer = model_request(play->stage.model, "GET", path, NULL);
	struct wd_json *json = answer.status == 200 ? wd_json_parse(answer.body, answer.length, NULL) : NULL;

	model_answer_done(&answer);
	return json;
}

static void order_rollback(struct play *play)
{
	struct wd_order order = stage_order(&play->stage, WD_ACTION_ROLLBACK, "web");
	WD_AUTO_JSON struct wd_json *image = get(play, "/images/acme/web:1.4/json");

	order.target.image = "acme/web:1.4";
	order.target.id = wd_json_string(wd_json_get(image, "Id"), NULL);
	stage_do(&play->stage, &order, false);
	stage_run(&play->stage, 1);
}

/* What the core says after it has watched the new one. */
static void order_end(struct play *play)
{
	enum wd_action action = play->scene->good ? WD_ACTION_COMMIT : WD_ACTION_TAKE_BACK;
	struct wd_order order = stage_order(&play->stage, action, "web");
	WD_AUTO_FREE char *made = wd_copy(play->stage.replaced_by);

	order.id = made;
	play->told = true;
	play->stage.ends = 0;
	stage_pass(&play->stage, 3 * WD_SECOND);
	if (play->stage.killed)
		return;
	stage_do(&play->stage, &order, false);
	stage_run(&play->stage, 1);
}

static bool is_to_be_ended(const struct play *play)
{
	return !play->stage.killed && play->stage.ends == 1 && play->stage.end == WD_PLAN_DONE &&
	       play->stage.replaced_by && !wd_text_equal(play->stage.replaced_by, play->old);
}

static void go(struct play *play)
{
	order_rollback(play);
	if (is_to_be_ended(play))
		order_end(play);
	for (unsigned deaths = 0; play->stage.killed && deaths < 3; deaths++) {
		unsigned again = play->stage.second_at;
		stage_revive_into(&play->stage, again, again ? play->stage.second : STAGE_FINE);
		if (is_to_be_ended(play))
			order_end(play);
	}
}

/* What could not be finished stays in the journal, for the next start. */
static void start_anew(struct play *play)
{
	play->stage.second_at = 0;
	stage_revive(&play->stage);
	if (is_to_be_ended(play))
		order_end(play);
}

/* --- the invariant --- */

static void fail_play(const struct play *play, const char *what)
{
	const struct stage *stage = &play->stage;

	print_error("%s: call %u %s, call %u %s: %s\n", play->scene->name, play->at, stage_fault_name(play->fault),
		    play->second_at, stage_fault_name(play->second), what);
	for (size_t i = 0; i < stage->asked.count; i++)
		print_error("  %zu %s\n", i + 1, stage->asked.items[i]);
	for (size_t i = 0; i < stage->said.count; i++)
		print_error("  %s\n", stage->said.items[i]);
	WD_AUTO_JSON struct wd_json *all = get(play, "/containers/json?all=1");
	WD_AUTO_FREE char *text = wd_json_print(all);
	print_error("  %s\n", text);
	print_error("  ended %u, %d: %s\n", stage->ends, stage->end, stage->detail ? stage->detail : "-");
	fail();
}

static void expect(const struct play *play, bool truth, const char *what)
{
	if (!truth)
		fail_play(play, what);
}

static bool has_string(const struct wd_json *list, const char *text)
{
	for (const struct wd_json *item = wd_json_first(list); item; item = wd_json_next(item))
		if (wd_text_equal(wd_json_string(item, ""), text))
			return true;
	return false;
}

static bool has_all(const struct play *play, const struct wd_json *web)
{
	const struct wd_json *networks = wd_json_path(web, "NetworkSettings.Networks");
	const struct wd_json *shop = wd_json_get(networks, "shop"), *back = wd_json_get(networks, "back");
	const struct wd_json *mount = wd_json_first(wd_json_get(web, "Mounts"));
	unsigned mode = 0;
	WD_AUTO_FREE char *secret = model_read_file(play->stage.model, "web", "/run/secrets/key", &mode);

	return wd_json_count(networks) == 2 && has_string(wd_json_get(shop, "Aliases"), "www") &&
	       has_string(wd_json_get(back, "Aliases"), "db") && wd_json_count(wd_json_get(web, "Mounts")) == 2 &&
	       wd_text_equal(wd_json_string(wd_json_get(mount, "Name"), ""), "data") &&
	       wd_json_int(wd_json_path(web, "HostConfig.Memory"), 0) == 9223372036854771712 &&
	       has_string(wd_json_path(web, "Config.Env"), "GIVEN=1") && wd_text_equal(secret, "hush") &&
	       (mode & 07777) == 0400 && model_volume_count(play->stage.model) == 2;
}

static bool is_up(const struct wd_json *web)
{
	const char *status = wd_json_string(wd_json_path(web, "State.Status"), "");

	return wd_text_equal(status, "running") || wd_text_equal(status, "restarting");
}

static bool has_policy(const struct wd_json *web)
{
	return wd_text_equal(wd_json_string(wd_json_path(web, "HostConfig.RestartPolicy.Name"), ""), "always");
}

/* The old one, as it was. */
static bool is_old(const struct play *play, const struct wd_json *web)
{
	return wd_text_equal(wd_json_string(wd_json_get(web, "Id"), ""), play->old) &&
	       has_string(wd_json_path(web, "Config.Env"), "VERSION=1.5");
}

static bool is_new(const struct play *play, const struct wd_json *web)
{
	return !wd_text_equal(wd_json_string(wd_json_get(web, "Id"), ""), play->old) &&
	       has_string(wd_json_path(web, "Config.Env"), "VERSION=1.4") &&
	       wd_json_count(wd_json_path(web, "Config.Cmd")) == 1;
}

static void check_always(const struct play *play)
{
	WD_AUTO_JSON struct wd_json *web = get(play, "/containers/web/json");

	expect(play, web != NULL, "there is none of that name");
	expect(play, model_count(play->stage.model) == 1, "not one container");
	expect(play, is_old(play, web) || is_new(play, web), "neither the old nor the new one");
	expect(play, has_policy(web), "its policy is lost");
	expect(play, has_all(play, web), "something of it is lost");
	expect(play, is_up(web), "it is down");
	expect(play, play->stage.row_count == 0, "left in the journal");
	expect(play, play->stage.asked.count <= CALLS_MAX, "a storm of calls");
	expect(play, play->stage.in_flight == 0, "calls left in flight");
	expect(play, play->told || is_old(play, web), "new, and nobody was told");
	expect(play, play->stage.asked.count >= play->at, "the first fault was not met");
	expect(play, play->stage.asked.count >= play->second_at, "the second fault was not met");
}

/* Done as it was wanted: no single fault but a death keeps a rollback from that. */
static void check_wanted(const struct play *play)
{
	WD_AUTO_JSON struct wd_json *web = get(play, "/containers/web/json");

	expect(play, play->told, "is not done");
	expect(play, play->stage.end == WD_PLAN_DONE, "its end is not done");
	expect(play, play->scene->good ? is_new(play, web) : is_old(play, web), "not as wanted");
}

/* --- plays --- */

void play_one(struct play *play, const struct play_scene *scene, unsigned at, enum stage_fault fault)
{
	open_play(play, scene);
	play->at = play->stage.fault_at = at;
	play->fault = play->stage.fault = fault;
	go(play);
	stage_pass(&play->stage, WD_MINUTE);
	if (fault < STAGE_KILLED_BEFORE)
		check_wanted(play);
	check_always(play);
}

void play_done(struct play *play)
{
	stage_done(&play->stage);
}

/* It may be given up, but then all is as before. */
static void play_two(const struct play *first, unsigned second_at, enum stage_fault second)
{
	struct play play;

	open_play(&play, first->scene);
	play.at = play.stage.fault_at = first->at;
	play.fault = play.stage.fault = first->fault;
	play.second_at = play.stage.second_at = second_at;
	play.second = play.stage.second = second;
	go(&play);
	if (play.stage.row_count)
		start_anew(&play);
	stage_pass(&play.stage, WD_MINUTE);
	check_always(&play);
	play_done(&play);
}

bool play_differs(const struct play *play, unsigned at, enum stage_fault fault)
{
	bool after = fault == STAGE_LOST_AFTER || fault == STAGE_LATE_AFTER || fault == STAGE_KILLED_AFTER;

	return !after || !wd_text_starts(play->stage.asked.items[at - 1], "GET ");
}

/* Up to the second one all goes as with the first alone. */
static void play_behind(const struct play *first, struct play_share *share)
{
	for (unsigned at = first->at + 1; at <= first->stage.asked.count; at++)
		for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_FAULTS; fault++) {
			if (!play_differs(first, at, fault) || share->number++ % share->one_in)
				continue;
			play_two(first, at, fault);
			share->played++;
		}
}

void play_pairs(const struct play_scene *scene, struct play_share *share)
{
	struct play none, first;

	play_one(&none, scene, 0, STAGE_FINE);
	for (unsigned at = 1; at <= none.stage.asked.count; at++)
		for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_FAULTS; fault++) {
			if (!play_differs(&none, at, fault))
				continue;
			play_one(&first, scene, at, fault);
			play_behind(&first, share);
			play_done(&first);
		}
	play_done(&none);
}
