/* A snapshot around a vault that is played: whatever fails, the Engine's calls, the vault, seadog itself, the service runs on
 * as it did, and stands still for a moment at the most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/stage.h"
#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#define READING (3 * WD_SECOND)
#define WRITING (20 * WD_SECOND)

/* How the vault ends. */
enum course { WELL, DIES_READING, DIES_WRITING, REFUSES, NEVER_READS, COURSES };

/* One job at a time is all that there is. */
struct vault {
	struct stage *stage;
	enum course course;
	bool busy, has_read;
	struct wd_vault_hooks hooks;
	void *timer;
	struct wd_json *job;
	unsigned begun, cancelled;
	wd_time paused;        /* as it was told */
	enum wd_state at_read; /* how the service was then */
};

struct play {
	struct stage stage;
	struct vault vault;
	char id[65];
};

/* --- the vault -------------------------------------------------------------------------------------------------------- */

static void end_job(struct vault *vault, const struct wd_vault_end *end)
{
	vault->busy = false;
	vault->hooks.ended(vault->hooks.data, end);
}

static void fail_job(struct vault *vault, const char *why)
{
	struct wd_vault_end end = {.kind = "gone"};

	wd_fail(&end.error, WD_ERROR_FAILED, "%s", why);
	end_job(vault, &end);
}

static struct wd_json *print_manifest(const struct vault *vault)
{
	struct wd_json *manifest = wd_json_object();

	wd_json_set_int(manifest, "schema", 1);
	wd_json_set_string(manifest, "id", wd_json_string(wd_json_get(vault->job, "id"), ""));
	wd_json_set_string(manifest, "service", wd_json_string(wd_json_get(vault->job, "service"), ""));
	wd_json_set_string(manifest, "name", wd_json_string(wd_json_get(vault->job, "name"), ""));
	wd_json_set_string(manifest, "time", "2026-11-22T03:00:00Z");
	wd_json_set_double(manifest, "paused_seconds", (double)vault->paused / (double)WD_SECOND);
	wd_json_set(manifest, "volumes", wd_json_array());
	return manifest;
}

static void finish_job(struct vault *vault)
{
	WD_AUTO_JSON struct wd_json *done = wd_json_object();

	wd_json_set(done, "snapshot", print_manifest(vault));
	end_job(vault, &(struct wd_vault_end){.done = done});
}

static bool was_told(const struct vault *vault)
{
	return vault->paused || !wd_json_bool(wd_json_get(vault->job, "paused"), false);
}

static void wait_for(struct vault *vault, wd_time span)
{
	vault->stage->outside.timer_set(vault->timer, model_now(vault->stage->model) + span);
}

static void on_time(void *data)
{
	struct vault *vault = data;

	if (!vault->busy || vault->course == NEVER_READS)
		return;
	if (vault->course == REFUSES)
		fail_job(vault, "not enough room");
	else if (!vault->has_read && vault->course == DIES_READING)
		fail_job(vault, "the vault ended with signal 9");
	else if (vault->has_read && vault->course == DIES_WRITING)
		fail_job(vault, "the vault ended with signal 9");
	else if (vault->has_read && was_told(vault))
		finish_job(vault);
	else if (!vault->has_read) {
		vault->has_read = true;
		vault->at_read = stage_state(vault->stage, "web");
		wait_for(vault, WRITING);
		vault->hooks.read(vault->hooks.data);
	}
}

static struct vault *the_vault;

static void *start_job(void *data, const struct wd_json *job, const struct wd_vault_hooks *hooks)
{
	struct vault *vault = the_vault;

	(void)data;
	assert_false(vault->busy);
	wd_json_free(vault->job);
	vault->job = wd_json_clone(job);
	vault->hooks = *hooks;
	vault->busy = true;
	vault->has_read = false;
	vault->paused = 0;
	vault->begun++;
	wait_for(vault, vault->course == REFUSES ? 0 : READING);
	return vault;
}

static void tell_paused(void *job, wd_time span)
{
	struct vault *vault = job;

	assert_true(vault->busy && vault->has_read && span > 0);
	vault->paused = span;
	wait_for(vault, WRITING);
}

static void cancel_job(void *job)
{
	struct vault *vault = job;

	assert_true(vault->busy);
	vault->busy = false;
	vault->cancelled++;
}

/* --- the play --------------------------------------------------------------------------------------------------------- */

static const struct model_script good = {
	.lives = WD_NEVER, .stops_in = 200 * WD_MILLISECOND, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER};

static void open_play_with(struct play *play, enum course course, const char *volumes, bool auto_remove)
{
	const struct model_setup setup = {.name = "web",
					  .image = "acme/web:1.5",
					  .policy = auto_remove ? "no" : "always",
					  .script = &good,
					  .auto_remove = auto_remove,
					  .volumes = volumes};

	*play = (struct play){.vault = {.course = course}};
	stage_init(&play->stage, MODEL_DOCKER_20);
	play->vault.stage = &play->stage;
	play->vault.timer = play->stage.outside.timer_new(&play->stage, on_time, &play->vault);
	the_vault = &play->vault;
	play->stage.outside.vault = start_job;
	play->stage.outside.vault_paused = tell_paused;
	play->stage.outside.vault_cancel = cancel_job;
	stage_begin_anew(&play->stage);
	play->stage.answered = true;
	snprintf(play->id, sizeof(play->id), "%s", model_add(play->stage.model, &setup));
	model_advance(play->stage.model, 2 * WD_SECOND);
}

static void open_play(struct play *play, enum course course)
{
	open_play_with(play, course, "data:/data,logs:/logs", false);
}

static void close_play(struct play *play)
{
	play->stage.actor = wd_actor_free(play->stage.actor);
	play->stage.outside.timer_free(play->vault.timer);
	stage_done(&play->stage);
	wd_json_free(play->vault.job);
}

static void begin(struct play *play, enum wd_consistency consistency)
{
	const struct wd_snapshot_wish wish = {.directory = "/var/lib/seadog/snapshots",
					      .previous = "20261121T030000Z-00000001",
					      .min_free = "10%",
					      .consistency = consistency,
					      .squeeze = true,
					      .well = true};
	struct wd_order order = stage_order(&play->stage, WD_ACTION_SNAPSHOT, "web");

	order.snapshot = &wish;
	stage_do(&play->stage, &order, false);
}

static void post(struct play *play, const char *verb)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/%s", play->id, verb);
	struct model_answer answer = model_request(play->stage.model, "POST", path, NULL);

	assert_int_equal(answer.status, 204);
	model_answer_done(&answer);
}

static void assert_runs_on(const struct play *play)
{
	assert_int_equal(stage_state(&play->stage, "web"), WD_STATE_RUNNING);
	assert_int_equal(stage_policy(&play->stage, "web").kind, WD_RESTART_ALWAYS);
	assert_int_equal(play->stage.row_count, 0);
	assert_false(play->vault.busy);
}

/* --- stories ---------------------------------------------------------------------------------------------------------- */

static void it_is_paused_until_its_data_is_read(void **state)
{
	struct play play;

	(void)state;
	open_play(&play, WELL);
	begin(&play, WD_CONSISTENCY_PAUSE);
	stage_pass(&play.stage, READING - WD_SECOND);
	assert_int_equal(stage_state(&play.stage, "web"), WD_STATE_PAUSED);
	assert_int_equal(play.stage.row_count, 1);
	stage_pass(&play.stage, 2 * WD_SECOND);
	assert_int_equal(play.vault.at_read, WD_STATE_PAUSED);
	assert_int_equal(stage_state(&play.stage, "web"), WD_STATE_RUNNING);
	assert_int_equal(play.stage.ends, 0);
	stage_run(&play.stage, 1);
	assert_int_equal(play.stage.end, WD_PLAN_DONE);
	assert_true(play.vault.paused >= READING && play.vault.paused < READING + WD_SECOND);
	assert_non_null(strstr(play.stage.detail, "paused for 3"));
	assert_runs_on(&play);
	close_play(&play);
}

static void the_job_names_the_volumes_and_where_they_are(void **state)
{
	struct play play;

	(void)state;
	open_play(&play, WELL);
	begin(&play, WD_CONSISTENCY_LIVE);
	stage_run(&play.stage, 1);
	WD_AUTO_FREE char *volumes = wd_json_print(wd_json_get(play.vault.job, "volumes"));
	assert_string_equal(volumes,
			    "[{\"name\":\"logs\",\"path\":\"/var/lib/docker/volumes/logs/_data\",\"kind\":\"volume\"},"
			    "{\"name\":\"data\",\"path\":\"/var/lib/docker/volumes/data/_data\",\"kind\":\"volume\"}]");
	assert_string_equal(wd_json_string(wd_json_get(play.vault.job, "previous"), ""), "20261121T030000Z-00000001");
	assert_string_equal(wd_json_string(wd_json_get(play.vault.job, "image"), ""), "acme/web:1.5");
	assert_string_equal(wd_json_string(wd_json_get(play.vault.job, "compress"), ""), "zstd");
	assert_false(wd_json_bool(wd_json_get(play.vault.job, "paused"), true));
	assert_int_equal(stage_count(&play.stage, "POST pause"), 0);
	close_play(&play);
}

static void with_stop_it_is_down_and_comes_back(void **state)
{
	struct play play;

	(void)state;
	open_play(&play, WELL);
	begin(&play, WD_CONSISTENCY_STOP);
	stage_run(&play.stage, 1);
	assert_int_equal(play.stage.end, WD_PLAN_DONE);
	assert_int_equal(play.vault.at_read, WD_STATE_EXITED);
	assert_runs_on(&play);
	close_play(&play);
}

static void what_its_owner_has_paused_or_stopped_stays_so(void **state)
{
	static const char *const verbs[] = {"pause", "stop"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (enum wd_consistency how = WD_CONSISTENCY_PAUSE; how <= WD_CONSISTENCY_STOP; how++) {
			struct play play;
			open_play(&play, WELL);
			post(&play, verbs[i]);
			begin(&play, how);
			stage_run(&play.stage, 1);
			assert_int_equal(play.stage.end, WD_PLAN_DONE);
			assert_int_equal(stage_state(&play.stage, "web"), i ? WD_STATE_EXITED : WD_STATE_PAUSED);
			assert_int_equal(play.stage.row_count, 0);
			close_play(&play);
		}
	}
}

static void a_vault_that_dies_or_refuses_lets_it_go_on(void **state)
{
	(void)state;
	for (enum course course = DIES_READING; course < COURSES; course++) {
		for (enum wd_consistency how = WD_CONSISTENCY_PAUSE; how <= WD_CONSISTENCY_LIVE; how++) {
			struct play play;
			open_play(&play, course);
			begin(&play, how);
			if (course == NEVER_READS) {
				stage_pass(&play.stage, 9 * WD_MINUTE);
				assert_int_equal(play.stage.ends, 0);
				stage_pass(&play.stage, how == WD_CONSISTENCY_LIVE ? WD_DAY : WD_HOUR);
			} else {
				stage_run(&play.stage, 1);
			}
			assert_int_equal(play.stage.ends, 1);
			assert_true(play.stage.end == WD_PLAN_FAILED || play.stage.end == WD_PLAN_UNDONE);
			assert_runs_on(&play);
			close_play(&play);
		}
	}
}

static void it_gives_way_to_whatever_else_is_to_be_done(void **state)
{
	(void)state;
	for (wd_time after = 0; after < READING + 2 * WD_SECOND; after += 20 * WD_MILLISECOND) {
		struct play play;
		open_play(&play, WELL);
		begin(&play, WD_CONSISTENCY_PAUSE);
		if (after)
			stage_pass(&play.stage, after);
		struct wd_order hold = stage_order(&play.stage, WD_ACTION_STOP, "web");
		stage_do(&play.stage, &hold, false);
		stage_pass(&play.stage, 2 * WD_SECOND);
		assert_int_equal(stage_state(&play.stage, "web"), WD_STATE_EXITED);
		stage_run(&play.stage, 2);
		assert_int_equal(stage_policy(&play.stage, "web").kind, WD_RESTART_NO);
		assert_int_equal(play.stage.row_count, 0);
		close_play(&play);
	}
}

static void an_end_in_good_order_leaves_nothing_paused(void **state)
{
	(void)state;
	for (wd_time after = 0; after < READING + 2 * WD_SECOND; after += 20 * WD_MILLISECOND) {
		struct play play;
		open_play(&play, WELL);
		begin(&play, WD_CONSISTENCY_PAUSE);
		if (after)
			stage_pass(&play.stage, after);
		for (int i = 0; wd_actor_wind_up(play.stage.actor); i++) {
			stage_pass(&play.stage, 10 * WD_MILLISECOND);
			assert_true(i < 100);
		}
		play.stage.actor = wd_actor_free(play.stage.actor);
		assert_int_equal(stage_state(&play.stage, "web"), WD_STATE_RUNNING);
		assert_int_equal(play.stage.row_count, 0);
		close_play(&play);
	}
}

static void what_cannot_be_read_from_here_is_refused(void **state)
{
	static const struct {
		const char *volumes, *why;
	} cases[] = {
		{NULL, "it has no volume"},
		{"data:/data,nfs-home:/home", "volume nfs-home has mount options"},
		{"rexray-x:/x", "volume rexray-x is of the driver rexray"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct play play;
		open_play_with(&play, WELL, cases[i].volumes, false);
		begin(&play, WD_CONSISTENCY_PAUSE);
		stage_run(&play.stage, 1);
		assert_int_equal(play.stage.end, WD_PLAN_REFUSED);
		assert_non_null(strstr(play.stage.detail, cases[i].why));
		assert_int_equal(stage_count(&play.stage, "POST pause"), 0);
		close_play(&play);
	}
}

static void a_stop_that_would_delete_it_is_refused(void **state)
{
	struct play play;

	(void)state;
	open_play_with(&play, WELL, "data:/data", true);
	begin(&play, WD_CONSISTENCY_STOP);
	stage_run(&play.stage, 1);
	assert_int_equal(play.stage.end, WD_PLAN_REFUSED);
	assert_non_null(strstr(play.stage.detail, "AutoRemove"));
	close_play(&play);
}

static void without_a_vault_it_is_refused(void **state)
{
	struct play play;

	(void)state;
	open_play(&play, WELL);
	play.stage.outside.vault = NULL;
	stage_begin_anew(&play.stage);
	begin(&play, WD_CONSISTENCY_PAUSE);
	stage_run(&play.stage, 1);
	assert_int_equal(play.stage.end, WD_PLAN_REFUSED);
	close_play(&play);
}

/* --- every fault ------------------------------------------------------------------------------------------------------ */

static unsigned count_calls(enum wd_consistency how, enum course course)
{
	struct play play;

	open_play(&play, course);
	begin(&play, how);
	stage_run(&play.stage, 1);
	unsigned count = (unsigned)play.stage.asked.count;
	close_play(&play);
	return count;
}

/* What is killed is gone with its vault. */
static void revive(struct play *play)
{
	play->stage.actor = wd_actor_free(play->stage.actor);
	assert_false(play->vault.busy);
	stage_revive(&play->stage);
	stage_pass(&play->stage, WD_MINUTE);
}

static void play_fault(enum wd_consistency how, enum course course, unsigned at, enum stage_fault fault)
{
	struct play play;

	open_play(&play, course);
	play.stage.fault_at = at;
	play.stage.fault = fault;
	begin(&play, how);
	stage_run(&play.stage, 1);
	if (play.stage.killed)
		revive(&play);
	else
		assert_int_equal(play.stage.ends, 1);
	if (stage_state(&play.stage, "web") != WD_STATE_RUNNING || play.stage.row_count)
		fail_msg("consistency %d, course %d, call %u %s: it is %s, %u rows, %s", how, course, at,
			 stage_fault_name(fault), wd_state_name(stage_state(&play.stage, "web")), play.stage.row_count,
			 play.stage.detail ? play.stage.detail : "-");
	assert_runs_on(&play);
	close_play(&play);
}

static void every_fault_at_every_call_leaves_it_running(void **state)
{
	unsigned played = 0;

	(void)state;
	for (enum wd_consistency how = WD_CONSISTENCY_PAUSE; how < WD_CONSISTENCIES; how++)
		for (enum course course = WELL; course < NEVER_READS; course++) {
			unsigned calls = count_calls(how, course);
			for (unsigned at = 1; at <= calls; at++)
				for (enum stage_fault fault = STAGE_REFUSED_409; fault < STAGE_FAULTS;
				     fault++, played++)
					play_fault(how, course, at, fault);
		}
	assert_true(played > 400);
}

static void an_engine_that_is_away_is_waited_for_as_long_as_it_takes(void **state)
{
	struct play play;

	(void)state;
	open_play(&play, WELL);
	begin(&play, WD_CONSISTENCY_PAUSE);
	stage_pass(&play.stage, WD_SECOND);
	play.stage.sticky = "";
	play.stage.fault = STAGE_UNSENT;
	stage_pass(&play.stage, 30 * WD_MINUTE);
	assert_int_equal(stage_state(&play.stage, "web"), WD_STATE_PAUSED);
	play.stage.sticky = NULL;
	play.stage.fault = STAGE_FINE;
	stage_pass(&play.stage, WD_MINUTE);
	assert_runs_on(&play);
	close_play(&play);
}

static void killed_at_any_moment_it_goes_on_at_the_next_start(void **state)
{
	(void)state;
	for (enum wd_consistency how = WD_CONSISTENCY_PAUSE; how < WD_CONSISTENCIES; how++)
		for (wd_time after = WD_MILLISECOND; after < READING + 2 * WD_SECOND; after += 10 * WD_MILLISECOND) {
			struct play play;
			open_play(&play, WELL);
			begin(&play, how);
			stage_pass(&play.stage, after);
			revive(&play);
			assert_runs_on(&play);
			close_play(&play);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_paused_until_its_data_is_read),
		cmocka_unit_test(the_job_names_the_volumes_and_where_they_are),
		cmocka_unit_test(with_stop_it_is_down_and_comes_back),
		cmocka_unit_test(what_its_owner_has_paused_or_stopped_stays_so),
		cmocka_unit_test(a_vault_that_dies_or_refuses_lets_it_go_on),
		cmocka_unit_test(it_gives_way_to_whatever_else_is_to_be_done),
		cmocka_unit_test(an_end_in_good_order_leaves_nothing_paused),
		cmocka_unit_test(what_cannot_be_read_from_here_is_refused),
		cmocka_unit_test(a_stop_that_would_delete_it_is_refused),
		cmocka_unit_test(without_a_vault_it_is_refused),
		cmocka_unit_test(every_fault_at_every_call_leaves_it_running),
		cmocka_unit_test(an_engine_that_is_away_is_waited_for_as_long_as_it_takes),
		cmocka_unit_test(killed_at_any_moment_it_goes_on_at_the_next_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
