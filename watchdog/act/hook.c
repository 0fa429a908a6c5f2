#include <watchdog/hook.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>

enum { AT_A_TIME = 4, WAIT_MOST = 64, KEPT = 1024, READ_MOST = 1 << 20, A_TURN = 16 };
#define PATH_USUAL "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct run {
	struct run *next;
	struct wd_hooks *hooks;
	uint64_t ticket;
	struct wd_list command, environment;
	char *input;
	wd_time timeout, began;
	pid_t pid; /* of its leader and its group; 0: not begun */
	struct wd_child *child;
	struct wd_timer *timer; /* its limit; or, where there is no child, that its end is to be told */
	int output;             /* -1: closed */
	struct wd_ready *ready;
	char kept[KEPT];
	size_t kept_length, read;
	bool timed_out;
	char *trouble; /* why it could not be run */
};

struct wd_hooks {
	struct wd_loop *loop;
	wd_hook_ended *ended;
	void *data;
	struct run *runs; /* in the order of the calls */
};

/* --- one that runs ---------------------------------------------------------------------------------------------------- */

static void close_output(struct run *run)
{
	run->ready = wd_ready_free(run->ready);
	if (run->output >= 0)
		close(run->output);
	run->output = -1;
}

static void kill_group(const struct run *run)
{
	if (run->pid > 0)
		kill(-run->pid, SIGKILL);
}

static struct run *free_run(struct run *run)
{
	close_output(run);
	wd_child_free(run->child);
	wd_timer_free(run->timer);
	wd_list_done(&run->command);
	wd_list_done(&run->environment);
	free(run->input);
	free(run->trouble);
	free(run);
	return NULL;
}

static void keep(struct run *run, const char *bytes, size_t length)
{
	size_t room = sizeof(run->kept) - run->kept_length;
	size_t part = length < room ? length : room;

	memcpy(run->kept + run->kept_length, bytes, part);
	run->kept_length += part;
	run->read += length;
}

/* Some at a time, so that one that shouts does not hold the loop; one that never stops is not listened to any more. */
static void read_output(struct run *run)
{
	char chunk[4096];
	ssize_t got = 1;

	for (int i = 0; i < A_TURN && run->output >= 0; i++) {
		got = read(run->output, chunk, sizeof(chunk));
		if (got > 0)
			keep(run, chunk, (size_t)got);
		else if (got < 0 && errno == EINTR)
			continue;
		else if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0 || run->read >= READ_MOST)
			close_output(run);
	}
}

static void on_output(void *data, int events)
{
	(void)events;
	read_output(data);
}

static void print_end(const struct run *run, int status, struct wd_text *text)
{
	char span[WD_TIME_TEXT];
	const char *lasted = wd_span_print_short(wd_loop_now(run->hooks->loop) - run->began, span);

	if (run->trouble)
		wd_text_add(text, run->trouble);
	else if (run->timed_out)
		wd_text_print(text, "killed, as it had not ended in %s", wd_span_print(run->timeout, span));
	else if (WIFSIGNALED(status))
		wd_text_print(text, "signal %d after %s", WTERMSIG(status), lasted);
	else
		wd_text_print(text, "exit code %d after %s", WEXITSTATUS(status), lasted);
	size_t length = run->kept_length;
	while (length && (run->kept[length - 1] == '\n' || run->kept[length - 1] == ' '))
		length--;
	if (!length)
		return;
	wd_text_add(text, ": ");
	wd_text_escape(text, run->kept, length, KEPT);
	if (run->read > sizeof(run->kept))
		wd_text_add(text, "…");
}

static void start_waiting(struct wd_hooks *hooks);

static void end_run(struct run *run, int status)
{
	struct wd_hooks *hooks = run->hooks;
	struct wd_text detail = {0};
	bool ok = !run->trouble && !run->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0;

	for (struct run **slot = &hooks->runs; *slot; slot = &(*slot)->next) {
		if (*slot == run) {
			*slot = run->next;
			break;
		}
	}
	print_end(run, status, &detail);
	WD_AUTO_FREE char *text = wd_text_take(&detail);
	uint64_t ticket = run->ticket;
	free_run(run);
	start_waiting(hooks);
	hooks->ended(hooks->data, ticket, ok, text);
}

/* What it left running goes with it. What it said last may still be in the pipe. */
static void on_end(void *data, int status)
{
	struct run *run = data;

	run->child = wd_child_free(run->child);
	kill_group(run);
	run->pid = 0;
	read_output(run);
	end_run(run, status);
}

static void on_time(void *data)
{
	struct run *run = data;

	if (!run->child) {
		end_run(run, 0);
		return;
	}
	run->timed_out = true;
	kill_group(run);
}

/* --- starting one ----------------------------------------------------------------------------------------------------- */

static int write_input(const char *input)
{
	int descriptor = memfd_create("seadog-hook", MFD_CLOEXEC);
	size_t length = strlen(input), done = 0;

	while (descriptor >= 0 && done < length) {
		ssize_t put = write(descriptor, input + done, length - done);
		if (put < 0 && errno != EINTR)
			break;
		done += put > 0 ? (size_t)put : 0;
	}
	if (descriptor >= 0 && done == length && lseek(descriptor, 0, SEEK_SET) == 0)
		return descriptor;
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

static int plan_descriptors(posix_spawn_file_actions_t *actions, int input, int output)
{
	int failed = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);

	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	return failed ? failed : posix_spawn_file_actions_addchdir_np(actions, "/");
}

/* Signals as a program expects them: none blocked, none ignored. */
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

static char **pointers(const struct wd_list *list, char *more)
{
	char **array = wd_alloc(list->count + 2, sizeof(*array));

	memcpy(array, list->items, list->count * sizeof(*array));
	array[list->count] = more;
	return array;
}

/* Returns 0 or an errno; that of a failed exec too. */
static int spawn(struct run *run, int input, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	const char *path = getenv("PATH");
	WD_AUTO_FREE char *search = wd_format("PATH=%s", path && *path ? path : PATH_USUAL);
	WD_AUTO_FREE char **command = pointers(&run->command, NULL);
	WD_AUTO_FREE char **environment = pointers(&run->environment, search);

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	int failed = plan_descriptors(&actions, input, output);
	failed = failed ? failed : plan_process(&attributes);
	failed = failed ? failed : posix_spawn(&run->pid, command[0], &actions, &attributes, command, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

static int launch(struct run *run)
{
	int pipe[2], input = write_input(run->input);

	if (input < 0)
		return errno;
	if (pipe2(pipe, O_CLOEXEC) != 0) {
		int failed = errno;
		close(input);
		return failed;
	}
	int failed = spawn(run, input, pipe[1]);
	close(input);
	close(pipe[1]);
	run->output = pipe[0];
	if (failed)
		run->pid = 0;
	else
		fcntl(run->output, F_SETFL, O_NONBLOCK);
	return failed;
}

/* What cannot be run is told in another turn. */
static void refuse(struct run *run, char *why_taken)
{
	run->trouble = why_taken;
	close_output(run);
	wd_timer_set(run->timer, wd_loop_now(run->hooks->loop));
}

static void start(struct run *run)
{
	struct wd_loop *loop = run->hooks->loop;

	run->began = wd_loop_now(loop);
	int failed = launch(run);
	if (failed) {
		refuse(run, wd_format("%s cannot be run: %s", run->command.items[0], strerror(failed)));
		return;
	}
	run->child = wd_child_new(loop, run->pid, on_end, run);
	run->ready = wd_ready_new(loop, run->output, WD_READ, on_output, run);
	wd_timer_set(run->timer, run->began + run->timeout);
}

static bool is_begun(const struct run *run)
{
	return run->child || run->trouble;
}

static void start_waiting(struct wd_hooks *hooks)
{
	unsigned running = 0;

	for (const struct run *run = hooks->runs; run; run = run->next)
		running += run->child != NULL;
	for (struct run *run = hooks->runs; run && running < AT_A_TIME; run = run->next) {
		if (is_begun(run))
			continue;
		start(run);
		running += run->child != NULL;
	}
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

struct wd_hooks *wd_hooks_new(struct wd_loop *loop, wd_hook_ended *ended, void *data)
{
	struct wd_hooks *hooks = wd_alloc(1, sizeof(*hooks));

	*hooks = (struct wd_hooks){.loop = loop, .ended = ended, .data = data};
	return hooks;
}

struct wd_hooks *wd_hooks_free(struct wd_hooks *hooks)
{
	if (!hooks)
		return NULL;
	while (hooks->runs) {
		struct run *run = hooks->runs;
		hooks->runs = run->next;
		kill_group(run);
		if (run->pid > 0)
			waitpid(run->pid, NULL, 0); /* it was killed: this takes no time */
		free_run(run);
	}
	free(hooks);
	return NULL;
}

void wd_hooks_run(struct wd_hooks *hooks, const struct wd_hook *hook)
{
	struct run *run = wd_alloc(1, sizeof(*run)), **slot = &hooks->runs;
	unsigned before = 0;

	*run = (struct run){.hooks = hooks, .ticket = hook->ticket, .timeout = hook->timeout, .output = -1};
	run->input = wd_copy(hook->input);
	run->timer = wd_timer_new(hooks->loop, on_time, run);
	for (size_t i = 0; i < hook->command.count; i++)
		wd_list_add(&run->command, hook->command.items[i]);
	for (size_t i = 0; i < hook->environment.count; i++)
		wd_list_add(&run->environment, hook->environment.items[i]);
	for (; *slot; slot = &(*slot)->next)
		before++;
	*slot = run;
	if (before >= AT_A_TIME + WAIT_MOST)
		refuse(run, wd_format("not run: %u hooks run or wait already", before));
	else
		start_waiting(hooks);
}
