/* The matrix: every plan, every one of its calls, every fault. The invariant after each: one container of that name, as
 * it was before or as the plan wants it, its restart policy not lost, nothing left in the journal, and no storm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

enum { CALLS_MAX = 40 };

struct scene {
	const char *name;
	enum model_flavour flavour;
	enum wd_action action;
	const char *policy;
	unsigned retries;
	wd_time lives;       /* WD_NEVER: a good one; else it exits with 3 */
	enum wd_action held; /* stop, pause: it is on hold so before; else: not */
	bool no_start, remembered, race;
	struct wd_cpus cpus; /* that it was given; what a throttle finds */
	bool throttled;      /* … and it is throttled to half a CPU before */
	wd_time journal_takes;
};

#define SCENE(NAME, FLAVOUR, ACTION, POLICY, LIVES)                                                                    \
	.name = NAME, .flavour = MODEL_##FLAVOUR, .action = WD_ACTION_##ACTION, .policy = POLICY, .lives = LIVES
#define HALF 0.5
#define FAST (50 * WD_MILLISECOND)

static const struct scene scenes[] = {
	{SCENE("hold a good one", DOCKER_20, STOP, "always", WD_NEVER)},
	{SCENE("hold a fast loop", DOCKER_20, STOP, "always", FAST), .race = true},
	{SCENE("hold a loop of 26", DOCKER_26, STOP, "unless-stopped", WD_SECOND), .race = true},
	{SCENE("hold one that may fail five times", DOCKER_26, STOP, "on-failure", WD_SECOND), .retries = 5},
	{SCENE("hold one without a policy", DOCKER_20, STOP, "no", WD_NEVER)},
	{SCENE("hold one of podman", PODMAN, STOP, "always", 300 * WD_MILLISECOND)},
	{SCENE("hold with the policy remembered", DOCKER_20, STOP, "always", FAST), .remembered = true, .race = true},
	{SCENE("hold with a slow disk", DOCKER_20, STOP, "always", WD_NEVER), .journal_takes = 3 * WD_SECOND},
	{SCENE("pause", DOCKER_26, PAUSE, "always", WD_NEVER)},
	{SCENE("release", DOCKER_20, RELEASE, "always", WD_NEVER), .held = WD_ACTION_STOP},
	{SCENE("release a loop", DOCKER_20, RELEASE, "on-failure", FAST), .retries = 5, .held = WD_ACTION_STOP,
	 .race = true},
	{SCENE("release without a start", DOCKER_26, RELEASE, "always", WD_NEVER), .held = WD_ACTION_STOP,
	 .no_start = true},
	{SCENE("release one of podman", PODMAN, RELEASE, "always", WD_NEVER), .held = WD_ACTION_STOP},
	{SCENE("release from a pause", DOCKER_20, RELEASE, "always", WD_NEVER), .held = WD_ACTION_PAUSE},
	{SCENE("throttle one that may use all", DOCKER_20, THROTTLE, "always", WD_NEVER)},
	{SCENE("throttle one with a quota", DOCKER_26, THROTTLE, "no", WD_NEVER), .cpus = {75000, 50000, 0}},
	{SCENE("throttle one with NanoCpus", DOCKER_20, THROTTLE, "always", WD_NEVER), .cpus = {0, 0, 1500000000}},
	{SCENE("throttle with a slow disk", DOCKER_20, THROTTLE, "always", WD_NEVER), .journal_takes = 3 * WD_SECOND},
	{SCENE("release from a throttle", DOCKER_20, RELEASE, "always", WD_NEVER), .held = WD_ACTION_THROTTLE,
	 .throttled = true},
	{SCENE("release from a throttle of NanoCpus", DOCKER_26, RELEASE, "always", WD_NEVER),
	 .held = WD_ACTION_THROTTLE, .throttled = true, .cpus = {0, 0, 1500000000}},
	{SCENE("release what is held and throttled", DOCKER_20, RELEASE, "always", WD_NEVER), .held = WD_ACTION_STOP,
	 .throttled = true, .cpus = {75000, 50000, 0}},
	{SCENE("restart a good one", DOCKER_20, RESTART, "always", WD_NEVER)},
	{SCENE("restart one without a policy", DOCKER_26, RESTART, "no", WD_NEVER)},
};

struct play {
	const struct scene *scene;
	struct stage stage;
	char id[65];
	struct wd_restart_policy policy; /* the one to be kept */
	wd_stamp started;
};

static void post(struct play *play, const char *verb, const char *body)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/%s", play->id, verb);
	struct model_answer answer = model_request(play->stage.model, "POST", path, body);

	assert_true(answer.status == 200 || answer.status == 204);
	model_answer_done(&answer);
}

static struct wd_cpu_cut cut_of(const struct scene *scene)
{
	return (struct wd_cpu_cut){.before = scene->cpus, .now = wd_cpus_lower(scene->cpus, HALF)};
}

static void set_cpus(struct play *play)
{
	const struct wd_cpu_cut cut = cut_of(play->scene);
	WD_AUTO_FREE char *given = wd_wire_update(NULL, &cut.before), *taken = wd_wire_update(NULL, &cut.now);

	if (cut.before.period)
		post(play, "update", "{\"CpuPeriod\":50000}");
	if (cut.before.quota || cut.before.nano)
		post(play, "update", given);
	if (play->scene->throttled)
		post(play, "update", taken);
}

static void open_play(struct play *play, const struct scene *scene)
{
	const struct model_script script = {.lives = scene->lives,
					    .exit_code = 3,
					    .stops_in = 200 * WD_MILLISECOND,
					    .healthy_after = WD_NEVER,
					    .unhealthy_after = WD_NEVER};
	const struct model_setup setup = {.name = "web",
					  .image = "acme/web:1.5",
					  .policy = scene->policy,
					  .retries = scene->retries,
					  .script = &script};

	*play = (struct play){.scene = scene};
	stage_init(&play->stage, scene->flavour);
	snprintf(play->id, sizeof(play->id), "%s", model_add(play->stage.model, &setup));
	play->policy = stage_policy(&play->stage, "web");
	model_advance(play->stage.model, 2 * WD_SECOND);
	set_cpus(play);
	if (scene->held == WD_ACTION_STOP)
		post(play, "stop", NULL);
	if (scene->held == WD_ACTION_PAUSE)
		post(play, "pause", NULL);
	if (scene->held && scene->held != WD_ACTION_THROTTLE)
		post(play, "update", "{\"RestartPolicy\":{\"Name\":\"no\"}}");
	model_set_update_race(play->stage.model, scene->race);
	play->stage.journal_takes = scene->journal_takes;
	struct wd_container *seen = stage_inspect(&play->stage, "web");
	play->started = seen->started;
	wd_container_free(seen);
}

static void begin_play(struct play *play)
{
	struct wd_order order = stage_order(&play->stage, play->scene->action, "web");

	order.policy = play->scene->remembered || play->scene->held ? play->policy : (struct wd_restart_policy){0};
	order.no_start = play->scene->no_start;
	order.cpus = HALF;
	order.hold_kind = play->scene->held;
	if (play->scene->throttled)
		order.cut = cut_of(play->scene);
	stage_do(&play->stage, &order, play->scene->remembered);
	stage_run(&play->stage, 1);
}

/* --- the invariant --- */

static bool is_up(enum wd_state state)
{
	return state == WD_STATE_RUNNING || state == WD_STATE_RESTARTING;
}

static bool has_cpus(const struct play *play, bool throttled)
{
	const struct wd_cpu_cut cut = cut_of(play->scene);

	return wd_cpus_equal(stage_cpus(&play->stage, "web"), throttled ? cut.now : cut.before);
}

static bool has_own_policy(const struct play *play)
{
	return wd_restart_policy_equal(stage_policy(&play->stage, "web"), play->policy);
}

static bool is_held(const struct play *play)
{
	enum wd_state state = stage_state(&play->stage, "web");
	enum wd_action kind = play->scene->held ? play->scene->held : play->scene->action;

	if (stage_policy(&play->stage, "web").kind != WD_RESTART_NO)
		return false;
	return kind == WD_ACTION_PAUSE ? state == WD_STATE_PAUSED : state == WD_STATE_EXITED;
}

static bool was_started(const struct play *play)
{
	struct wd_container *seen = stage_inspect(&play->stage, "web");
	bool started = seen->started != play->started;

	wd_container_free(seen);
	return started;
}

/* A loop of Podman is "exited" between two runs. */
static bool goes_on(const struct play *play)
{
	return has_own_policy(play) && (is_up(stage_state(&play->stage, "web")) || play->scene->lives != WD_NEVER);
}

static bool is_released(const struct play *play)
{
	bool paused = play->scene->held == WD_ACTION_PAUSE;

	if (!has_own_policy(play))
		return false;
	if (play->scene->no_start)
		return stage_state(&play->stage, "web") == WD_STATE_EXITED;
	return paused ? is_up(stage_state(&play->stage, "web")) : was_started(play);
}

static bool is_as_wanted(const struct play *play)
{
	if (!has_cpus(play, play->scene->action == WD_ACTION_THROTTLE))
		return false;
	if (play->scene->action == WD_ACTION_THROTTLE || play->scene->held == WD_ACTION_THROTTLE)
		return goes_on(play) && !was_started(play);
	if (play->scene->action == WD_ACTION_RELEASE)
		return is_released(play);
	if (play->scene->action == WD_ACTION_RESTART)
		return was_started(play) && goes_on(play);
	return is_held(play);
}

static bool is_as_before(const struct play *play)
{
	if (play->scene->held && play->scene->held != WD_ACTION_THROTTLE)
		return is_held(play);
	return goes_on(play) && (play->scene->throttled == has_cpus(play, true));
}

static void fail_play(const struct play *play, const char *what, unsigned at, enum stage_fault fault)
{
	print_error("%s: call %u %s: %s\n", play->scene->name, at, stage_fault_name(fault), what);
	for (size_t i = 0; i < play->stage.asked.count; i++)
		print_error("  %s\n", play->stage.asked.items[i]);
	print_error("  ended %u, %d: %s; it is %s with %s\n", play->stage.ends, play->stage.end,
		    play->stage.detail ? play->stage.detail : "-", wd_state_name(stage_state(&play->stage, "web")),
		    wd_restart_name(stage_policy(&play->stage, "web").kind));
	fail();
}

static void expect(const struct play *play, bool truth, const char *what, unsigned at, enum stage_fault fault)
{
	if (!truth)
		fail_play(play, what, at, fault);
}

/* --- one fault --- */

static unsigned count_calls(const struct scene *scene)
{
	struct play play;
	unsigned count;

	open_play(&play, scene);
	begin_play(&play);
	expect(&play, play.stage.end == WD_PLAN_DONE, "is not done without a fault", 0, STAGE_FINE);
	expect(&play, is_as_wanted(&play), "is not as wanted without a fault", 0, STAGE_FINE);
	count = (unsigned)play.stage.asked.count;
	stage_done(&play.stage);
	return count;
}

static bool keeps_cpus(const struct play *play)
{
	const struct wd_cpu_cut cut = cut_of(play->scene);

	return wd_cpus_equal(play->stage.cut.before, cut.before) && wd_cpus_equal(play->stage.cut.now, cut.now);
}

/* No single fault keeps a plan from its end. */
static void check_alive(const struct play *play, unsigned at, enum stage_fault fault)
{
	expect(play, play->stage.ends == 1, "does not end", at, fault);
	expect(play, play->stage.end == WD_PLAN_DONE, "is not done", at, fault);
	expect(play, is_as_wanted(play), "is not as wanted", at, fault);
	if (play->scene->action == WD_ACTION_STOP || play->scene->action == WD_ACTION_PAUSE)
		expect(play, wd_restart_policy_equal(play->stage.kept, play->policy), "policy lost", at, fault);
	if (play->scene->action == WD_ACTION_THROTTLE)
		expect(play, keeps_cpus(play), "CPUs lost", at, fault);
}

static void check_revived(const struct play *play, unsigned at, enum stage_fault fault)
{
	bool known = play->stage.ends == 1;

	if (known && play->stage.end == WD_PLAN_DONE)
		expect(play, is_as_wanted(play), "resumed, and not as wanted", at, fault);
	else
		expect(play, is_as_before(play) || is_as_wanted(play), "neither before nor after", at, fault);
	expect(play, !known || play->stage.end != WD_PLAN_FAILED, "resumed, and failed", at, fault);
	if (known)
		expect(play, wd_restart_policy_equal(play->stage.kept, play->policy), "policy lost", at, fault);
}

static void check_always(const struct play *play, unsigned at, enum stage_fault fault)
{
	expect(play, model_count(play->stage.model) == 1, "not one container", at, fault);
	expect(play, play->stage.row_count == 0, "left in the journal", at, fault);
	expect(play, play->stage.asked.count <= CALLS_MAX, "a storm of calls", at, fault);
	expect(play, play->stage.in_flight == 0, "calls left in flight", at, fault);
}

static void play_fault(const struct scene *scene, unsigned at, enum stage_fault fault)
{
	struct play play;

	open_play(&play, scene);
	play.stage.fault_at = at;
	play.stage.fault = fault;
	begin_play(&play);
	if (play.stage.killed) {
		stage_revive(&play.stage);
		check_revived(&play, at, fault);
	} else {
		check_alive(&play, at, fault);
	}
	check_always(&play, at, fault);
	stage_pass(&play.stage, 5 * WD_MINUTE);
	expect(&play, is_as_wanted(&play) || is_as_before(&play), "does not last", at, fault);
	stage_done(&play.stage);
}

static void every_plan_meets_every_fault_at_every_call(void **state)
{
	unsigned played = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		unsigned calls = count_calls(&scenes[i]);
		for (unsigned at = 1; at <= calls; at++)
			for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_FAULTS; fault++, played++)
				play_fault(&scenes[i], at, fault);
	}
	assert_true(played > 600);
}

/* --- dying again while recovering --- */

static void play_two_deaths(const struct scene *scene, unsigned at, unsigned again, enum stage_fault fault)
{
	struct play play;

	open_play(&play, scene);
	play.stage.fault_at = at;
	play.stage.fault = STAGE_KILLED_AFTER;
	begin_play(&play);
	if (play.stage.killed && play.stage.row_count) {
		stage_revive_into(&play.stage, (unsigned)play.stage.asked.count + again, fault);
		if (play.stage.killed)
			stage_revive(&play.stage);
		check_revived(&play, at, fault);
		check_always(&play, at, fault);
	}
	stage_done(&play.stage);
}

static void a_recovery_meets_every_fault_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		unsigned calls = count_calls(&scenes[i]);
		for (unsigned at = 1; at <= calls; at++)
			for (unsigned again = 1; again <= 4; again++)
				for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_FAULTS; fault++)
					play_two_deaths(&scenes[i], at, again, fault);
	}
}

/* --- two faults --- */

static bool is_stopped_as_it_was(const struct play *play)
{
	return play->scene->action == WD_ACTION_STOP && has_own_policy(play) &&
	       stage_state(&play->stage, "web") == WD_STATE_EXITED;
}

static void check_end(const struct play *play, unsigned at, enum stage_fault fault)
{
	expect(play, play->stage.ends == 1, "does not end", at, fault);
	if (play->stage.end == WD_PLAN_DONE)
		expect(play, is_as_wanted(play), "done, and not as wanted", at, fault);
	else if (play->stage.end == WD_PLAN_UNDONE)
		expect(play, is_as_before(play), "undone, and not as before", at, fault);
	else
		expect(play, is_as_before(play) || is_as_wanted(play) || is_stopped_as_it_was(play), "torn", at, fault);
}

static void play_two(const struct scene *scene, unsigned at, enum stage_fault fault, unsigned again,
		     enum stage_fault second)
{
	struct play play;

	open_play(&play, scene);
	play.stage.fault_at = at;
	play.stage.fault = fault;
	play.stage.second_at = at + again;
	play.stage.second = second;
	begin_play(&play);
	check_end(&play, at, fault);
	check_always(&play, at, fault);
	stage_done(&play.stage);
}

/* All pairs would take a minute: each scene has its share of them, another one each. */
static void two_faults_tear_nothing(void **state)
{
	enum { SHARE = 11 };
	unsigned number = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++, number++)
		for (unsigned at = 1; at <= 6; at++)
			for (unsigned again = 1; again <= 5; again++)
				for (enum stage_fault one = STAGE_REFUSED_409; one < STAGE_KILLED_BEFORE; one++)
					for (enum stage_fault two = STAGE_REFUSED_409; two < STAGE_KILLED_BEFORE; two++)
						if (number++ % SHARE == 0)
							play_two(&scenes[i], at, one, again, two);
}

/* --- for ever --- */

/* One kind of call never works. The end says so, and the container is as before, as wanted, or, where it was stopped
 * because it was sick, stopped with its policy. */
static void play_for_ever(const struct scene *scene, const char *verb, enum stage_fault fault)
{
	struct play play;

	open_play(&play, scene);
	play.stage.sticky = verb;
	play.stage.fault = fault;
	begin_play(&play);
	check_end(&play, 0, fault);
	check_always(&play, 0, fault);
	stage_done(&play.stage);
}

static void a_call_that_never_works_ends_the_plan_in_good_order(void **state)
{
	static const char *const verbs[] = {"/stop", "/update", "/start", "/restart", "/pause", "/unpause", "/logs"};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		for (size_t verb = 0; verb < sizeof(verbs) / sizeof(verbs[0]); verb++)
			for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_KILLED_BEFORE; fault++)
				play_for_ever(&scenes[i], verbs[verb], fault);
}

/* --- nobody answers any more --- */

static void play_silence(const struct scene *scene, unsigned from)
{
	struct play play;

	open_play(&play, scene);
	play.stage.sticky = "";
	play.stage.fault_at = from;
	play.stage.fault = STAGE_UNSENT;
	begin_play(&play);
	expect(&play, play.stage.ends == 1, "does not end", from, STAGE_UNSENT);
	play.stage.sticky = NULL;
	if (play.stage.row_count)
		stage_revive(&play.stage);
	expect(&play, play.stage.row_count == 0, "left in the journal", from, STAGE_UNSENT);
	if (play.stage.end == WD_PLAN_DONE)
		expect(&play, is_as_wanted(&play), "done, and not as wanted", from, STAGE_UNSENT);
	stage_done(&play.stage);
}

static void an_engine_that_goes_silent_for_good_loses_no_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		unsigned calls = count_calls(&scenes[i]);
		for (unsigned from = 1; from <= calls; from++)
			play_silence(&scenes[i], from);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plan_meets_every_fault_at_every_call),
		cmocka_unit_test(a_recovery_meets_every_fault_too),
		cmocka_unit_test(two_faults_tear_nothing),
		cmocka_unit_test(a_call_that_never_works_ends_the_plan_in_good_order),
		cmocka_unit_test(an_engine_that_goes_silent_for_good_loses_no_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
