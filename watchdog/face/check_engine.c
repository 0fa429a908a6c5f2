/* check_engine.c: the Engine as `seadog check` sees it. A changing call is tried on a container that cannot be there: an
 * Engine answers 404, a proxy that does not let it through says so before.
 */
#include "check.h"
#include "daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/engine.h>
#include <watchdog/memory.h>

#define NOBODY "0000000000000000000000000000000000000000000000000000000000000000"

struct probe {
	const char *what;
	const char *method, *path, *body;
	const char *off; /* what is off without it */
};

static const struct probe probes[] = {
	{"list containers", "GET", "/containers/json?limit=1", NULL, "everything: containers are not seen"},
	{"inspect containers", "GET", "/containers/" NOBODY "/json", NULL, "everything: containers are not seen"},
	{"events", "GET", "/events?since=1&until=1", NULL, "everything: crashes are not seen"},
	{"info", "GET", "/info", NULL, "telling a restart of the engine from a broken connection"},
	/* Without "sha256:" it is no name for Podman. */
	{"inspect images", "GET", "/images/sha256:" NOBODY "/json", NULL,
	 "labels: given ones cannot be told from the image's"},
	{"logs", "GET", "/containers/" NOBODY "/logs?stdout=1", NULL, "the last log lines in incidents"},
	{"stop", "POST", "/containers/" NOBODY "/stop", NULL, "holds"},
	{"update", "POST", "/containers/" NOBODY "/update", "{\"RestartPolicy\":{\"Name\":\"no\"}}",
	 "holds and release"},
	{"start", "POST", "/containers/" NOBODY "/start", NULL, "release"},
	{"restart", "POST", "/containers/" NOBODY "/restart", NULL, "the action restart"},
	{"pause", "POST", "/containers/" NOBODY "/pause", NULL, "the action pause"},
	{"unpause", "POST", "/containers/" NOBODY "/unpause", NULL, "release from pause"},
};
#define PROBES (sizeof probes / sizeof *probes)

struct probing {
	struct wd_checking *checking;
	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_engine *engine;
	const struct probe *probe; /* under way */
	size_t allowed;
};

static void on_answer(void *data, const struct wd_engine_answer *answer)
{
	struct probing *probing = data;
	const struct probe *probe = probing->probe;
	bool through = answer->end == WD_HTTP_ANSWERED && (answer->status < 400 || answer->status == 404);
	wd_loop_stop(probing->loop);
	if (through) {
		probing->allowed++;
		wd_whisper(probing->checking->call, "%s: allowed (%d)", probe->what, answer->status);
		return;
	}
	wd_check_add(probing->checking, WD_GRADE_FAILED, probe->what, probe->off, "%s %s: %s", probe->method,
		     answer->end == WD_HTTP_ANSWERED ? "is refused" : "failed", answer->why);
}

static void try_all(struct probing *probing)
{
	wd_time timeout = probing->checking->call->settings->timeout;
	for (size_t i = 0; i < PROBES; i++) {
		const struct probe *probe = probing->probe = &probes[i];
		wd_engine_send(probing->engine, probe->method, probe->path, probe->body, timeout, on_answer, probing);
		wd_loop_run(probing->loop);
	}
	wd_check_add(probing->checking, probing->allowed == PROBES ? WD_GRADE_OK : WD_GRADE_WARNING, "permissions",
		     NULL, "%zu of %zu kinds of calls are allowed", probing->allowed, PROBES);
}

/* A socket that may not be opened: who could? */
static void explain_socket(struct wd_checking *checking, const char *path)
{
	struct stat socket_file;
	if (!path || access(path, R_OK | W_OK) == 0 || errno != EACCES || stat(path, &socket_file) != 0)
		return;
	wd_check_add(checking, WD_GRADE_FAILED, "permissions", NULL,
		     "%s is for user %lu and group %lu; you are user %lu", path, (unsigned long)socket_file.st_uid,
		     (unsigned long)socket_file.st_gid, (unsigned long)geteuid());
}

static void say_unreachable(struct wd_checking *checking, const struct wd_error *why)
{
	wd_check_add(checking, WD_GRADE_FAILED, "engine", "everything", "%s", why->text);
	wd_fail(&checking->worst, why->kind == WD_ERROR_USAGE ? WD_ERROR_USAGE : WD_ERROR_UNREACHABLE, "%s", "");
}

static void say_reached(struct wd_checking *checking, const struct wd_engine *engine, const char *origin)
{
	struct wd_engine_state state = wd_engine_state(engine);
	wd_check_add(checking, WD_GRADE_OK, "engine", NULL, "%s %s, API %s, at %s (%s)",
		     state.podman ? "podman" : "docker", state.version ? state.version : "?",
		     state.api ? state.api : "?", state.host, origin);
	checking->guarded = state.id && wd_self_engine_holder(state.id, &checking->guardian);
}

static void ignore_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

static void on_talk(void *data, enum wd_log_level level, const char *text)
{
	struct probing *probing = data;
	if (level >= WD_LOG_WARNING)
		wd_check_add(probing->checking, WD_GRADE_WARNING, "engine", NULL, "%s", text);
}

static void probe_engine(struct probing *probing, const struct wd_endpoint *endpoint)
{
	struct wd_error why = {0};
	struct wd_engine_hooks hooks = {.on_fact = ignore_fact, .on_talk = on_talk, .data = probing};
	probing->loop = wd_loop_new(&why);
	probing->http = probing->loop ? wd_http_new(probing->loop, &why) : NULL;
	if (probing->http)
		probing->engine = wd_call_engine(probing->checking->call, probing->loop, probing->http, &hooks, &why);
	if (probing->engine && wd_engine_reach(probing->engine, &why)) {
		say_reached(probing->checking, probing->engine, endpoint->origin);
		try_all(probing);
		wd_check_meter(probing->checking, probing->engine);
	} else {
		say_unreachable(probing->checking, &why);
		explain_socket(probing->checking, endpoint->socket_path);
	}
	wd_engine_free(probing->engine);
	wd_http_free(probing->http);
	wd_loop_free(probing->loop);
}

void wd_check_engine(struct wd_checking *checking)
{
	struct probing probing = {.checking = checking};
	struct wd_endpoint endpoint = {0};
	struct wd_error why = {0};
	if (wd_call_endpoint(checking->call, &endpoint, &why))
		probe_engine(&probing, &endpoint);
	else
		say_unreachable(checking, &why);
	wd_endpoint_done(&endpoint);
}
