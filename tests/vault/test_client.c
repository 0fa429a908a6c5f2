/* The watch's side of the vault, with the program itself at the other end: how a job goes, how one is ended, and who is
 * told what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/vault.h>

#include "support/files.h"
#include "support/vaulting.h"

#define PATIENCE (60 * WD_SECOND)

struct scene {
	struct wd_loop *loop;
	struct wd_vault *vault;
	struct wd_vault_job *job;
	struct wd_timer *patience;
	unsigned reads, items, ends;
	bool done, cancel_at_read;
	char *kind, *error, *broken;
};

static char *program(void)
{
	char self[PATH_MAX] = "";
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	char *tests = strstr(self, "/tests/");
	assert_non_null(tests);
	return wd_format("%.*s/seadog", (int)(tests - self), self);
}

static void on_patience(void *data)
{
	(void)data;
	fail_msg("nothing was told in time");
}

static void open_scene(struct scene *scene, const char *socket)
{
	WD_AUTO_FREE char *path = program();

	*scene = (struct scene){.loop = wd_loop_new(NULL)};
	assert_non_null(scene->loop);
	scene->vault = wd_vault_new(scene->loop, path, socket);
	scene->patience = wd_timer_new(scene->loop, on_patience, scene);
}

static void close_scene(struct scene *scene)
{
	wd_vault_free(scene->vault);
	wd_timer_free(scene->patience);
	wd_loop_free(scene->loop);
	free(scene->kind);
	free(scene->error);
	free(scene->broken);
}

static void on_read(void *data)
{
	struct scene *scene = data;

	scene->reads++;
	if (!scene->cancel_at_read) {
		wd_vault_paused(scene->job, 1500 * WD_MILLISECOND);
		return;
	}
	scene->job = wd_vault_cancel(scene->job);
	wd_loop_stop(scene->loop);
}

static void on_item(void *data, const struct wd_json *item)
{
	struct scene *scene = data;
	struct wd_snapshot snapshot = {0};

	scene->items++;
	assert_true(wd_vault_snapshot(item, &snapshot, NULL));
	wd_replace(&scene->broken, snapshot.broken);
	wd_snapshot_done(&snapshot);
}

static void on_ended(void *data, const struct wd_vault_end *end)
{
	struct scene *scene = data;

	scene->ends++;
	scene->job = NULL;
	scene->done = end->done != NULL;
	wd_replace(&scene->kind, end->kind);
	wd_replace(&scene->error, end->error.text);
	wd_loop_stop(scene->loop);
}

static void start(struct scene *scene, struct wd_json *job_taken)
{
	WD_AUTO_JSON struct wd_json *job = job_taken;
	const struct wd_vault_hooks hooks = {.read = on_read, .item = on_item, .ended = on_ended, .data = scene};

	unsigned ends = scene->ends;
	scene->job = wd_vault_start(scene->vault, job, &hooks);
	assert_int_equal(scene->ends, ends);
}

static void run(struct scene *scene)
{
	wd_timer_set(scene->patience, wd_time_now() + PATIENCE);
	wd_loop_run(scene->loop);
}

static struct wd_json *paused_take(void)
{
	struct wd_json *job = vault_take(VAULT_FIRST, NULL);

	wd_json_set_bool(job, "paused", true);
	return job;
}

static void a_snapshot_is_taken_listed_and_deleted(void **state)
{
	struct scene scene;

	(void)state;
	vault_fill("old");
	open_scene(&scene, NULL);
	start(&scene, paused_take());
	run(&scene);
	assert_true(scene.done);
	assert_int_equal(scene.reads, 1);
	start(&scene, vault_job("list", NULL));
	run(&scene);
	assert_int_equal(scene.items, 1);
	assert_null(scene.broken);
	start(&scene, vault_job("delete", VAULT_FIRST));
	run(&scene);
	start(&scene, vault_job("list", NULL));
	run(&scene);
	assert_int_equal(scene.items, 1);
	assert_int_equal(scene.ends, 4);
	close_scene(&scene);
}

static unsigned count_left(void)
{
	unsigned count = 0;
	DIR *directory = opendir("snapshots/web");

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	closedir(directory);
	return count;
}

static void tick(void *data)
{
	struct scene *scene = data;

	wd_loop_stop(scene->loop);
}

static void let_pass(struct scene *scene, wd_time span)
{
	struct wd_timer *timer = wd_timer_new(scene->loop, tick, scene);

	wd_timer_set(timer, wd_time_now() + span);
	wd_loop_run(scene->loop);
	wd_timer_free(timer);
}

static void one_that_is_cancelled_is_silent_and_tidies_up(void **state)
{
	struct scene scene;

	(void)state;
	vault_fill("old");
	open_scene(&scene, NULL);
	scene.cancel_at_read = true;
	start(&scene, paused_take());
	run(&scene);
	assert_int_equal(scene.reads, 1);
	for (wd_time until = wd_time_now() + PATIENCE; count_left() && wd_time_now() < until;)
		let_pass(&scene, 20 * WD_MILLISECOND);
	assert_int_equal(count_left(), 0);
	assert_int_equal(scene.ends, 0);
	close_scene(&scene);
}

static void one_whose_vault_cannot_be_started_is_told_in_another_turn(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, NULL);
	scene.vault = wd_vault_free(scene.vault);
	scene.vault = wd_vault_new(scene.loop, "/nowhere/seadog", NULL);
	start(&scene, vault_job("list", NULL));
	run(&scene);
	assert_false(scene.done);
	assert_string_equal(scene.kind, "gone");
	assert_non_null(strstr(scene.error, "cannot be started: No such file"));
	close_scene(&scene);
}

static void a_vault_that_is_killed_is_an_error_that_says_so(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, NULL);
	scene.vault = wd_vault_free(scene.vault);
	write_file("dies", "#!/bin/sh\nkill -9 $$\n");
	assert_int_equal(chmod("dies", 0755), 0);
	WD_AUTO_FREE char *path = vault_path("dies");
	scene.vault = wd_vault_new(scene.loop, path, NULL);
	start(&scene, vault_job("list", NULL));
	run(&scene);
	assert_string_equal(scene.error, "the vault ended with signal 9");
	assert_string_equal(scene.kind, "gone");
	close_scene(&scene);
}

static void what_is_refused_says_why(void **state)
{
	static const char *const ids[] = {"../../etc", "", "-", "no/such"};
	struct scene scene;

	(void)state;
	vault_fill("old");
	open_scene(&scene, NULL);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		start(&scene, vault_take(ids[i], NULL));
		run(&scene);
		assert_string_equal(scene.kind, "refused");
	}
	assert_int_equal(rename("volumes/data/_data", "volumes/data/real"), 0);
	assert_int_equal(symlink("real", "volumes/data/_data"), 0);
	start(&scene, vault_take(VAULT_FIRST, NULL));
	run(&scene);
	assert_string_equal(scene.kind, "refused");
	assert_non_null(strstr(scene.error, "symbolic link"));
	start(&scene, vault_job("shred", VAULT_FIRST));
	run(&scene);
	assert_string_equal(scene.kind, "refused");
	close_scene(&scene);
}

static void where_a_vault_listens_it_is_asked_there(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "vault.sock"};
	struct scene scene;
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listening, 4), 0);
	pid_t child = fork();
	if (child == 0) {
		int line = accept(listening, NULL, NULL);
		_exit(line >= 0 && wd_vault_serve(line, NULL) ? 0 : 1);
	}
	open_scene(&scene, "vault.sock");
	start(&scene, vault_job("list", NULL));
	run(&scene);
	assert_true(scene.done);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(listening);
	unlink("vault.sock");
	start(&scene, vault_job("list", NULL));
	run(&scene);
	assert_string_equal(scene.kind, "gone");
	assert_non_null(strstr(scene.error, "no vault listens at vault.sock: "));
	close_scene(&scene);
}

/* A disk of one MiB, for a volume that says more than that and does not squeeze. */
static bool mount_small(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mkdir("snapshots", 0700) == 0 && mount("none", "snapshots", "tmpfs", 0, "size=1m") == 0;
}

static void fill_with_noise(void)
{
	static char noise[3 << 20];
	unsigned seed = 1;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
	write_bytes("volumes/data/_data/noise", noise, sizeof(noise));
}

static void a_full_disk_keeps_nothing_half_and_harms_nothing(void **state)
{
	static const char *const reserves[] = {NULL, "10%", "400k"};
	struct scene scene;

	(void)state;
	if (geteuid() != 0 || !mount_small())
		skip();
	open_scene(&scene, NULL);
	vault_fill("old");
	start(&scene, vault_take(VAULT_SECOND, NULL));
	run(&scene);
	assert_true(scene.done);
	fill_with_noise();
	for (size_t i = 0; i < sizeof(reserves) / sizeof(reserves[0]); i++) {
		struct wd_json *job = vault_take(VAULT_FIRST, NULL);
		wd_json_set_string(job, "min_free", reserves[i]);
		start(&scene, job);
		run(&scene);
		assert_false(scene.done);
		assert_string_equal(scene.kind, "full");
		assert_int_equal(count_left(), 1);
	}
	start(&scene, vault_job("verify", VAULT_SECOND));
	run(&scene);
	assert_true(scene.done);
	umount("snapshots");
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORY(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)
		STORY(a_snapshot_is_taken_listed_and_deleted),
		STORY(one_that_is_cancelled_is_silent_and_tidies_up),
		STORY(one_whose_vault_cannot_be_started_is_told_in_another_turn),
		STORY(a_vault_that_is_killed_is_an_error_that_says_so),
		STORY(what_is_refused_says_why),
		STORY(where_a_vault_listens_it_is_asked_there),
		STORY(a_full_disk_keeps_nothing_half_and_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
