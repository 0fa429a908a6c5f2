#include "harbour.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define PATIENCE (20 * WD_SECOND)

static char *inside(const struct harbour *harbour, const char *name)
{
	return wd_format("%s/%s", harbour->directory, name);
}

static char *read_whole(int descriptor)
{
	struct wd_text text = {0};
	char buffer[4096];
	ssize_t got;
	while ((got = read(descriptor, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR))
		wd_text_put(&text, buffer, got > 0 ? (size_t)got : 0);
	return wd_text_take(&text);
}

static char *read_file(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return wd_copy("");
	char *text = read_whole(descriptor);
	close(descriptor);
	return text;
}

void harbour_fail(struct harbour *harbour, const char *what)
{
	WD_AUTO_FREE char *path = inside(harbour, "seadog.log");
	WD_AUTO_FREE char *log = read_file(path);
	fprintf(stderr, "harbour %u: not so: %s\nseadog said:\n%s\n", harbour->number, what, log);
	fprintf(stderr, "the Engine: %u dies, %u starts in its memory\n", harbour_events(harbour, NULL, "die"),
		harbour_events(harbour, NULL, "start"));
	fail();
	abort();
}

void harbour_pause(wd_time span)
{
	struct timespec left = {span / WD_SECOND, span % WD_SECOND * 1000};
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void harbour_await(struct harbour *harbours, unsigned count, wd_time span, const char *what, harbour_done *done)
{
	wd_time end = wd_time_now() + span;
	bool *over = wd_alloc(count, sizeof(*over));
	for (unsigned left = count; left > 0; harbour_pause(WD_MILLISECOND)) {
		bool late = wd_time_now() > end;
		left = 0;
		for (unsigned i = 0; i < count; i++) {
			over[i] = over[i] || done(&harbours[i]);
			left += !over[i];
			if (late && !over[i])
				harbour_fail(&harbours[i], what);
		}
	}
	free(over);
}

/* --- seadog itself ---------------------------------------------------------------------------------------------------- */

/* The tests stand in build/KIND/tests/daemon; the release build stands beside the sanitized one. */
static char *built(bool plain, const char *name)
{
	char self[PATH_MAX] = "";
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		abort();
	char *kind = dirname(dirname(dirname(self)));
	return plain ? wd_format("%s/../release/%s", kind, name) : wd_format("%s/%s", kind, name);
}

static void write_settings(const struct harbour *harbour, const char *settings)
{
	WD_AUTO_FREE char *path = inside(harbour, "seadog.conf");
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file,
		"[engine]\nhost = unix://%s/engine.sock\n[seadog]\nstate_dir = %s/state\ncontrol = %s/seadog.sock\n%s",
		harbour->directory, harbour->directory, harbour->directory, settings ? settings : "");
	assert_int_equal(fclose(file), 0);
}

/* What else the machine is busy with must not decide who is first, seadog or the next crash: where that is allowed, the
 * loops and what watches them go before it, and their folders are in memory, whose fsync waits for nobody. */
static void go_first(void)
{
	sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
}

static void make_directory(struct harbour *harbour)
{
	snprintf(harbour->directory, sizeof(harbour->directory), "/dev/shm/seadog-test-XXXXXX");
	if (mkdtemp(harbour->directory))
		return;
	snprintf(harbour->directory, sizeof(harbour->directory), "/tmp/seadog-test-XXXXXX");
	assert_non_null(mkdtemp(harbour->directory));
}

void harbour_open(struct harbour *harbour, const char *settings)
{
	unsigned number = harbour->number;
	struct wd_error error = {0};
	*harbour = (struct harbour){.number = number};
	go_first();
	make_directory(harbour);
	WD_AUTO_FREE char *socket = inside(harbour, "engine.sock");
	harbour->fake = fake_start(socket, MODEL_DOCKER_26, &error);
	assert_non_null(harbour->fake);
	write_settings(harbour, settings);
	harbour_set_clock(harbour, 0);
}

void harbour_set_clock(struct harbour *harbour, wd_time ahead)
{
	WD_AUTO_FREE char *path = inside(harbour, "clock");
	int64_t offset = ahead * 1000;
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, &offset, sizeof(offset)), sizeof(offset));
	close(file);
}

/* Between fork and exec: nothing that takes a lock. */
static _Noreturn void become(const char *program, char *const *words, char *const *environment, int output, int error)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (output >= 0)
		dup2(output, STDOUT_FILENO);
	if (error >= 0)
		dup2(error, STDERR_FILENO);
	execve(program, words, environment);
	_exit(127);
}

void harbour_launch(struct harbour *harbour)
{
	WD_AUTO_FREE char *program = built(harbour->plain, "seadog");
	WD_AUTO_FREE char *log_path = inside(harbour, "seadog.log"), *settings = inside(harbour, "seadog.conf");
	WD_AUTO_FREE char *library = wd_format("tests/support/%s.so", harbour->preload ? harbour->preload : "");
	WD_AUTO_FREE char *library_path = built(false, library);
	WD_AUTO_FREE char *preload = wd_format("LD_PRELOAD=%s", harbour->preload ? library_path : "");
	WD_AUTO_FREE char *clock = wd_format("STEPPED_CLOCK=%s/clock", harbour->directory);
	char *words[] = {program, (char[]){"run"}, (char[]){"--config"}, settings, NULL};
	char *environment[] = {preload, clock, (char[]){"SEADOG_TRACE=judge,act,engine"},
			       (char[]){"ASAN_OPTIONS=exitcode=99"}, NULL};
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(log >= 0);
	harbour->seen = harbour_syncs(harbour);
	assert_int_equal(harbour->seadog, 0);
	harbour->seadog = fork();
	assert_true(harbour->seadog >= 0);
	if (harbour->seadog == 0)
		become(program, words, environment, log, log);
	close(log);
}

unsigned harbour_syncs(const struct harbour *harbour)
{
	WD_AUTO_FREE char *path = inside(harbour, "seadog.log");
	WD_AUTO_FREE char *log = read_file(path);
	unsigned count = 0;
	for (const char *at = log; (at = strstr(at, "  synced, ")); at++)
		count++;
	return count;
}

bool harbour_has_looked(struct harbour *harbour)
{
	return harbour_syncs(harbour) > harbour->seen;
}

static bool is_preloaded(const struct harbour *harbour)
{
	WD_AUTO_FREE char *path = wd_format("/proc/%ld/maps", (long)harbour->seadog);
	WD_AUTO_FREE char *maps = read_file(path);
	return strstr(maps, harbour->preload) != NULL;
}

void harbour_start(struct harbour *harbour)
{
	harbour_launch(harbour);
	harbour_await(harbour, 1, PATIENCE, "seadog has looked at all containers", harbour_has_looked);
	harbour_must(harbour, !harbour->preload || is_preloaded(harbour));
}

void harbour_signal(struct harbour *harbour, int signal)
{
	harbour_must(harbour, harbour->seadog > 0 && kill(harbour->seadog, signal) == 0);
}

int harbour_await_exit(struct harbour *harbour)
{
	wd_time end = wd_time_now() + PATIENCE;
	int status;
	pid_t got;
	while ((got = waitpid(harbour->seadog, &status, WNOHANG)) == 0) {
		if (wd_time_now() > end)
			harbour_fail(harbour, "it ends");
		harbour_pause(WD_MILLISECOND);
	}
	assert_int_equal(got, harbour->seadog);
	harbour->seadog = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void harbour_kill(struct harbour *harbour)
{
	harbour_signal(harbour, SIGKILL);
	int code = harbour_await_exit(harbour);
	harbour_must(harbour, code == 128 + SIGKILL);
}

int harbour_end(struct harbour *harbour)
{
	harbour_signal(harbour, SIGTERM);
	return harbour_await_exit(harbour);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void harbour_close(struct harbour *harbour)
{
	if (harbour->seadog > 0) {
		int code = harbour_end(harbour);
		harbour_must(harbour, code == 0);
	}
	harbour->fake = fake_stop(harbour->fake);
	nftw(harbour->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- the Engine ------------------------------------------------------------------------------------------------------- */

void harbour_fake(struct harbour *harbour, const char *method, const char *path, const char *body)
{
	WD_AUTO_FREE char *whole = wd_format("/_fake/%s", path);
	if (!fake_control(harbour->fake, method, whole, body))
		harbour_fail(harbour, body);
}

struct wd_json *harbour_inspect(struct harbour *harbour, const char *container)
{
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", container);
	struct model *model = fake_lock(harbour->fake);
	struct model_answer answer = model_request(model, "GET", path, NULL);
	struct wd_json *json = answer.status == 200 ? wd_json_parse(answer.body, answer.length, NULL) : NULL;
	model_answer_done(&answer);
	fake_unlock(harbour->fake);
	return json;
}

unsigned harbour_restarts(struct harbour *harbour, const char *container)
{
	WD_AUTO_JSON struct wd_json *json = harbour_inspect(harbour, container);
	return (unsigned)wd_json_int(wd_json_get(json, "RestartCount"), 0);
}

bool harbour_is_held(struct harbour *harbour, const char *container)
{
	WD_AUTO_JSON struct wd_json *json = harbour_inspect(harbour, container);
	return wd_text_equal(wd_json_string(wd_json_path(json, "State.Status"), ""), "exited") &&
	       wd_text_equal(wd_json_string(wd_json_path(json, "HostConfig.RestartPolicy.Name"), ""), "no");
}

struct search {
	const char *container, *action;
	unsigned count, nth;
	wd_stamp stamp;
};

static void find_event(void *data, const struct model_event *event)
{
	struct search *search = data;
	if (strcmp(event->type, "container") != 0 || (search->action && strcmp(event->action, search->action) != 0) ||
	    (search->container && strcmp(event->name, search->container) != 0))
		return;
	if (++search->count == search->nth)
		search->stamp = event->stamp;
}

unsigned harbour_events(struct harbour *harbour, const char *container, const char *action)
{
	struct search search = {.container = container, .action = action};
	model_replay(fake_lock(harbour->fake), 0, find_event, &search);
	fake_unlock(harbour->fake);
	return search.count;
}

wd_stamp harbour_event_stamp(struct harbour *harbour, const char *container, const char *action, unsigned nth)
{
	struct search search = {.container = container, .action = action, .nth = nth};
	model_replay(fake_lock(harbour->fake), 0, find_event, &search);
	fake_unlock(harbour->fake);
	harbour_must(harbour, search.count >= nth);
	return search.stamp;
}

wd_time harbour_event_at(struct harbour *harbour, const char *container, const char *action, unsigned nth)
{
	struct model *model = fake_lock(harbour->fake);
	wd_stamp epoch = model_stamp(model) - model_now(model) * 1000;
	fake_unlock(harbour->fake);
	return (harbour_event_stamp(harbour, container, action, nth) - epoch) / 1000;
}

wd_time harbour_call_at(struct harbour *harbour, const char *glob)
{
	wd_time at = fake_call_at(harbour->fake, glob);
	harbour_must(harbour, at >= 0);
	return at;
}

/* --- what seadog says ------------------------------------------------------------------------------------------------- */

static char *run_command(struct harbour *harbour, char *const *words)
{
	char *environment[] = {(char[]){"LC_ALL=C.UTF-8"}, NULL};
	int ends[2], status;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		become(words[0], words, environment, ends[1], -1);
	close(ends[1]);
	char *text = read_whole(ends[0]);
	close(ends[0]);
	harbour_must(harbour, waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return text;
}

struct wd_json *harbour_ask(struct harbour *harbour, const char *command)
{
	return harbour_ask_of(harbour, command, NULL);
}

struct wd_json *harbour_ask_of(struct harbour *harbour, const char *command, const char *name)
{
	WD_AUTO_FREE char *program = built(harbour->plain, "seadog");
	WD_AUTO_FREE char *settings = inside(harbour, "seadog.conf"), *what = wd_copy(command);
	WD_AUTO_FREE char *of = name ? wd_copy(name) : NULL;
	char *words[] = {program, what, (char[]){"--json"}, (char[]){"--config"}, settings, of, NULL};
	WD_AUTO_FREE char *text = run_command(harbour, words);
	struct wd_json *json = wd_json_parse(text, strlen(text), NULL);
	harbour_must(harbour, json != NULL);
	return json;
}

static struct wd_json *named(struct wd_json *status, const char *name)
{
	struct wd_json *service = wd_json_first(wd_json_get(status, "services"));
	while (service && !wd_text_equal(wd_json_string(wd_json_get(service, "name"), ""), name))
		service = wd_json_next(service);
	return service;
}

char *harbour_verdict(struct harbour *harbour, const char *name)
{
	WD_AUTO_JSON struct wd_json *status = harbour_ask(harbour, "status");
	return wd_copy(wd_json_string(wd_json_get(named(status, name), "verdict"), ""));
}

int harbour_count(struct harbour *harbour, const char *name)
{
	WD_AUTO_JSON struct wd_json *status = harbour_ask(harbour, "status");
	struct wd_json *windows = wd_json_get(named(status, name), "restarts");
	return (int)wd_json_int(wd_json_get(wd_json_first(windows), "count"), -1);
}

char *harbour_incident(struct harbour *harbour, const char *member)
{
	WD_AUTO_JSON struct wd_json *all = harbour_ask(harbour, "incidents");
	struct wd_json *incident = wd_json_first(wd_json_get(all, "incidents"));
	if (wd_text_starts(member, "step.")) {
		incident = wd_json_first(wd_json_get(incident, "steps"));
		member += strlen("step.");
	}
	return wd_copy(wd_json_string(wd_json_get(incident, member), ""));
}

bool harbour_said(struct harbour *harbour, const char *text)
{
	WD_AUTO_FREE char *path = inside(harbour, "seadog.log");
	WD_AUTO_FREE char *log = read_file(path);
	return strstr(log, text) != NULL;
}

long harbour_memory(const struct harbour *harbour)
{
	WD_AUTO_FREE char *path = wd_format("/proc/%ld/smaps_rollup", (long)harbour->seadog);
	WD_AUTO_FREE char *text = read_file(path);
	const char *clean = strstr(text, "Private_Clean:"), *dirty = strstr(text, "Private_Dirty:");
	assert_non_null(clean);
	assert_non_null(dirty);
	return strtol(clean + strlen("Private_Clean:"), NULL, 10) + strtol(dirty + strlen("Private_Dirty:"), NULL, 10);
}

unsigned harbour_descriptors(const struct harbour *harbour)
{
	WD_AUTO_FREE char *path = wd_format("/proc/%ld/fd", (long)harbour->seadog);
	DIR *folder = opendir(path);
	unsigned count = 0;
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2;
}
