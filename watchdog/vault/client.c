/* client.c: the watch's side. A job that has ended, or is not wanted any more, is let go on for a moment, so that it tidies
 * up; after that it is killed, and what it leaves goes with the next one. */
#include "manifest.h"
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/vault.h>

#define TIDY_TIME (5 * WD_SECOND)
enum { BLOCKS_A_TURN = 16 };

struct wd_vault_job {
	struct wd_vault_job *next;
	struct wd_vault *vault;
	struct wd_vault_hooks hooks;
	bool silent;    /* whoever started it is not to hear of it any more */
	int descriptor; /* -1: closed */
	struct wd_ready *ready;
	struct wd_text heard, unsaid;
	pid_t pid;   /* 0: no child of ours, or none any more */
	char *ended; /* how it ended, once it has */
	struct wd_child *child;
	struct wd_timer *timer;
	char *trouble; /* why it could not be begun */
};

struct wd_vault {
	struct wd_loop *loop;
	char *program, *socket;
	struct wd_vault_job *jobs;
};

/* --- the end ---------------------------------------------------------------------------------------------------------- */

static void close_line(struct wd_vault_job *job)
{
	job->ready = wd_ready_free(job->ready);
	if (job->descriptor >= 0)
		close(job->descriptor);
	job->descriptor = -1;
}

static void free_job(struct wd_vault_job *job)
{
	struct wd_vault_job **slot = &job->vault->jobs;

	while (*slot != job)
		slot = &(*slot)->next;
	*slot = job->next;
	close_line(job);
	wd_child_free(job->child);
	wd_timer_free(job->timer);
	wd_text_done(&job->heard);
	wd_text_done(&job->unsaid);
	free(job->trouble);
	free(job->ended);
	free(job);
}

/* From here on nobody but this file knows it. */
static void let_end(struct wd_vault_job *job)
{
	job->silent = true;
	close_line(job);
	if (job->child)
		wd_timer_set(job->timer, wd_loop_now(job->vault->loop) + TIDY_TIME);
	else
		free_job(job);
}

static void tell_end(struct wd_vault_job *job, const struct wd_vault_end *end)
{
	const struct wd_vault_hooks hooks = job->hooks;

	let_end(job);
	hooks.ended(hooks.data, end);
}

static void tell_trouble(struct wd_vault_job *job, const char *why)
{
	struct wd_vault_end end = {.kind = "gone"};

	wd_fail(&end.error, WD_ERROR_FAILED, "%s", why ? why : "the vault has gone away without a word");
	tell_end(job, &end);
}

static void on_child(void *data, int status)
{
	struct wd_vault_job *job = data;

	job->child = wd_child_free(job->child);
	job->pid = 0;
	if (job->silent) {
		free_job(job);
		return;
	}
	job->ended = WIFSIGNALED(status)
			     ? wd_format("the vault ended with signal %d", WTERMSIG(status))
			     : wd_format("the vault ended with exit code %d and without a word", WEXITSTATUS(status));
	if (job->descriptor < 0) /* else what it said last is yet to be read */
		tell_trouble(job, job->ended);
}

static void on_time(void *data)
{
	struct wd_vault_job *job = data;

	if (job->trouble)
		tell_trouble(job, job->trouble);
	else if (job->pid > 0)
		kill(job->pid, SIGKILL);
}

/* It speaks no more. How it ended, its parent will know. */
static void on_silence(struct wd_vault_job *job)
{
	close_line(job);
	if (job->child)
		wd_timer_set(job->timer, wd_loop_now(job->vault->loop) + TIDY_TIME);
	else
		tell_trouble(job, job->ended);
}

/* --- what it says ----------------------------------------------------------------------------------------------------- */

static void take_progress(const struct wd_vault_job *job, const struct wd_json *json)
{
	const struct wd_vault_progress progress = {
		.files = (uint64_t)wd_json_int(wd_json_get(json, "files"), 0),
		.bytes = (uint64_t)wd_json_int(wd_json_get(json, "bytes"), 0),
		.total_bytes = (uint64_t)wd_json_int(wd_json_get(json, "total_bytes"), 0),
	};

	if (job->hooks.progress)
		job->hooks.progress(job->hooks.data, &progress);
}

static void take_error(struct wd_vault_job *job, const struct wd_json *line)
{
	struct wd_vault_end end = {.kind = wd_json_string(wd_json_get(line, "kind"), "failed")};
	int64_t number = wd_json_int(wd_json_get(line, "exit"), WD_ERROR_FAILED);
	bool known = number > WD_ERROR_NONE && number <= WD_ERROR_NOT_RUNNING;

	wd_fail(&end.error, known ? (enum wd_error_kind)number : WD_ERROR_FAILED, "%s",
		wd_json_string(wd_json_get(line, "error"), ""));
	tell_end(job, &end);
}

/* false: the job is no more, or somebody has let go of it. */
static bool take_line(struct wd_vault_job *job, const struct wd_json *line)
{
	const struct wd_json *done = wd_json_get(line, "done"), *item = wd_json_get(line, "snapshot");

	if (wd_json_get(line, "progress"))
		take_progress(job, wd_json_get(line, "progress"));
	else if (wd_text_equal(wd_json_string(wd_json_get(line, "phase"), NULL), "read") && job->hooks.read)
		job->hooks.read(job->hooks.data);
	else if (item && job->hooks.item)
		job->hooks.item(job->hooks.data, item);
	else if (done)
		return tell_end(job, &(struct wd_vault_end){.done = done}), false;
	else if (wd_json_get(line, "error"))
		return take_error(job, line), false;
	return true;
}

static bool is_wanted(const struct wd_vault *vault, const struct wd_vault_job *job)
{
	for (const struct wd_vault_job *one = vault->jobs; one; one = one->next)
		if (one == job)
			return !job->silent;
	return false;
}

/* Any line may be the one at which it is cancelled, and freed. */
static bool take_lines(struct wd_vault_job *job)
{
	const struct wd_vault *vault = job->vault;
	struct wd_text lines = job->heard;
	char *rest = lines.data, *end;

	job->heard = (struct wd_text){0};
	while (rest && (end = memchr(rest, '\n', (size_t)(lines.data + lines.length - rest)))) {
		WD_AUTO_JSON struct wd_json *line = wd_json_parse(rest, (size_t)(end - rest), NULL);
		rest = end + 1;
		if (!take_line(job, line) || !is_wanted(vault, job)) {
			wd_text_done(&lines);
			return false;
		}
	}
	wd_text_put(&job->heard, rest, (size_t)(lines.data + lines.length - rest));
	wd_text_done(&lines);
	return true;
}

static void hear(struct wd_vault_job *job)
{
	char block[16384];

	for (int i = 0; i < BLOCKS_A_TURN; i++) {
		ssize_t got = recv(job->descriptor, block, sizeof(block), MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0 || job->heard.length > WD_TALK_LINE_MOST) {
			on_silence(job);
			return;
		}
		wd_text_put(&job->heard, block, (size_t)got);
		if (!take_lines(job))
			return;
	}
}

/* --- what it is told -------------------------------------------------------------------------------------------------- */

static void say(struct wd_vault_job *job)
{
	while (job->unsaid.length) {
		ssize_t put = send(job->descriptor, job->unsaid.data, job->unsaid.length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			break; /* not yet, or never more: reading tells */
		job->unsaid.length -= (size_t)put;
		memmove(job->unsaid.data, job->unsaid.data + put, job->unsaid.length);
	}
	wd_ready_set(job->ready, job->unsaid.length ? WD_READ | WD_WRITE : WD_READ);
}

static void on_ready(void *data, int events)
{
	struct wd_vault_job *job = data;

	if (events & WD_WRITE)
		say(job);
	if (events & WD_READ)
		hear(job);
}

static void add_line(struct wd_vault_job *job, const struct wd_json *line)
{
	WD_AUTO_FREE char *text = wd_json_print(line);

	wd_text_add(&job->unsaid, text);
	wd_text_add(&job->unsaid, "\n");
}

/* --- the beginning ---------------------------------------------------------------------------------------------------- */

static int plan_descriptors(posix_spawn_file_actions_t *actions, int line)
{
	int failed = posix_spawn_file_actions_adddup2(actions, line, STDIN_FILENO);

	failed = failed ? failed : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	return failed ? failed : posix_spawn_file_actions_addchdir_np(actions, "/");
}

static int plan_process(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int failed = posix_spawnattr_setflags(attributes,
					      POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

	sigemptyset(&none);
	sigfillset(&all);
	failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0);
	failed = failed ? failed : posix_spawnattr_setsigmask(attributes, &none);
	return failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
}

/* 0, or an errno. Of the environment nothing is passed on: there may be secrets in it. */
static int spawn(struct wd_vault_job *job, int line)
{
	const char *program = job->vault->program ? job->vault->program : "/proc/self/exe";
	char *const command[] = {"seadog", "vault", NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	int failed = plan_descriptors(&actions, line);
	failed = failed ? failed : plan_process(&attributes);
	failed = failed ? failed : posix_spawn(&job->pid, program, &actions, &attributes, command, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (failed)
		job->pid = 0;
	return failed;
}

static bool begin_child(struct wd_vault_job *job)
{
	int pair[2], failed;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		job->trouble = wd_format("the vault cannot be started: %s", strerror(errno));
		return false;
	}
	failed = spawn(job, pair[1]);
	close(pair[1]);
	job->descriptor = pair[0];
	if (failed) {
		job->trouble = wd_format("the vault cannot be started: %s", strerror(failed));
		return false;
	}
	job->child = wd_child_new(job->vault->loop, job->pid, on_child, job);
	return true;
}

static bool begin_connection(struct wd_vault_job *job)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(job->vault->socket);

	if (length >= sizeof(address.sun_path)) {
		job->trouble = wd_format("%s: longer than the path of a socket may be", job->vault->socket);
		return false;
	}
	memcpy(address.sun_path, job->vault->socket, length);
	job->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (job->descriptor >= 0 && connect(job->descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	job->trouble = wd_format("no vault listens at %s: %s", job->vault->socket, strerror(errno));
	return false;
}

struct wd_vault_job *wd_vault_start(struct wd_vault *vault, const struct wd_json *line,
				    const struct wd_vault_hooks *hooks)
{
	struct wd_vault_job *job = wd_alloc(1, sizeof(*job));

	*job = (struct wd_vault_job){.next = vault->jobs, .vault = vault, .hooks = *hooks, .descriptor = -1};
	vault->jobs = job;
	job->timer = wd_timer_new(vault->loop, on_time, job);
	if (!(vault->socket ? begin_connection(job) : begin_child(job))) {
		close_line(job);
		wd_timer_set(job->timer, wd_loop_now(vault->loop));
		return job;
	}
	job->ready = wd_ready_new(vault->loop, job->descriptor, WD_READ, on_ready, job);
	add_line(job, line);
	say(job);
	return job;
}

void wd_vault_paused(struct wd_vault_job *job, wd_time span)
{
	WD_AUTO_JSON struct wd_json *line = wd_json_object();

	wd_json_set_double(line, "paused_seconds", (double)span / (double)WD_SECOND);
	if (job->descriptor < 0)
		return;
	add_line(job, line);
	say(job);
}

struct wd_vault_job *wd_vault_cancel(struct wd_vault_job *job)
{
	if (job)
		let_end(job);
	return NULL;
}

bool wd_vault_snapshot(const struct wd_json *json, struct wd_snapshot *ret_snapshot, struct wd_error *error)
{
	return wd_manifest_read(json, ret_snapshot, error);
}

struct wd_vault *wd_vault_new(struct wd_loop *loop, const char *program, const char *socket)
{
	struct wd_vault *vault = wd_alloc(1, sizeof(*vault));

	*vault = (struct wd_vault){.loop = loop, .program = wd_copy(program), .socket = wd_copy(socket)};
	return vault;
}

struct wd_vault *wd_vault_free(struct wd_vault *vault)
{
	if (!vault)
		return NULL;
	for (struct wd_vault_job *job = vault->jobs, *next; job; job = next) {
		next = job->next;
		if (job->pid > 0) {
			kill(job->pid, SIGKILL);
			waitpid(job->pid, NULL, 0); /* it was killed: this takes no time */
		}
		free_job(job);
	}
	free(vault->program);
	free(vault->socket);
	free(vault);
	return NULL;
}
