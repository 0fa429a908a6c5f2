#include "watcher.h"
#include "../../watchdog/engine/client.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_down(struct watcher *watcher, const char *what, const char *whose, const char *how)
{
	if (!watcher->quiet)
		wd_text_print(&watcher->told, "%s%s%s%s%s; ", what, *whose ? " " : "", whose, *how ? " " : "", how);
}

static void told_event(struct watcher *watcher, const struct wd_event *event)
{
	if (watcher->events == watcher->room) {
		watcher->room = watcher->room ? 2 * watcher->room : 64;
		watcher->stamps = wd_realloc(watcher->stamps, watcher->room, sizeof(wd_stamp));
	}
	watcher->stamps[watcher->events++] = event->stamp;
	watcher->last_event = *event;
	write_down(watcher, wd_event_name(event->kind), event->name, "");
	if (watcher->on_event)
		watcher->on_event(watcher, event);
}

static void told(void *data, const struct wd_fact *fact)
{
	struct watcher *watcher = data;

	switch (fact->kind) {
	case WD_FACT_ENGINE_UP:
		watcher->ups++;
		write_down(watcher, "up", "", fact->restarted ? "restarted" : "");
		break;
	case WD_FACT_ENGINE_DOWN:
		watcher->downs++;
		write_down(watcher, "down", "", "");
		break;
	case WD_FACT_CONTAINER:
		watcher->containers++;
		watcher->last_asked = fact->seen.asked;
		write_down(watcher, "container", fact->seen.container->name, fact->seen.synced ? "synced" : "");
		break;
	case WD_FACT_GONE:
		watcher->gones++;
		write_down(watcher, "gone", "", "");
		break;
	case WD_FACT_SYNCED:
		watcher->syncs++;
		write_down(watcher, "synced", "", "");
		break;
	case WD_FACT_EVENT:
		told_event(watcher, fact->event);
		break;
	default:
		write_down(watcher, "what?", "", "");
	}
}

static void talked(void *data, enum wd_log_level level, const char *text)
{
	struct watcher *watcher = data;

	(void)level;
	wd_text_print(&watcher->talk, "%s\n", text);
}

static void lined(void *data, const char *line, size_t length)
{
	struct watcher *watcher = data;

	if (watcher->quiet)
		return;
	wd_text_put(&watcher->lines, line, length);
	wd_text_add(&watcher->lines, "\n");
}

static void each_turn(void *data)
{
	struct watcher *watcher = data;

	if (watcher->until && watcher->until(watcher))
		wd_loop_stop(watcher->loop);
}

static void limit_passed(void *data)
{
	struct watcher *watcher = data;

	watcher->timed_out = true;
	wd_loop_stop(watcher->loop);
}

static void make_client(struct watcher *watcher, const char *write_path, const char *version, wd_time timeout)
{
	const struct wd_engine_hooks hooks = {told, talked, lined, watcher};
	WD_AUTO_FREE char *host = wd_format("unix://%s", watcher->socket_path);
	char base_url[] = "http://localhost", origin[] = "test";
	WD_AUTO_FREE char *path = wd_copy(write_path);
	WD_AUTO_FREE char *fixed = wd_copy(version);
	struct wd_endpoint endpoint = {.host = host,
				       .socket_path = watcher->socket_path,
				       .base_url = base_url,
				       .origin = origin,
				       .version = fixed};
	struct wd_endpoint write = {.host = host, .socket_path = path, .base_url = base_url, .origin = origin};

	watcher->engine =
		wd_engine_new(watcher->loop, watcher->http, &endpoint, write_path ? &write : NULL, timeout, &hooks);
	watcher->engine->pace.retry_first = watcher->engine->link.wait = WD_MILLISECOND;
	watcher->engine->pace.retry_most = 8 * WD_MILLISECOND;
	watcher->engine->link.seed = 7;
}

void watcher_open(struct watcher *watcher)
{
	*watcher = (struct watcher){0};
	snprintf(watcher->directory, sizeof(watcher->directory), "/tmp/seadog-test-XXXXXX");
	if (!mkdtemp(watcher->directory))
		abort();
	snprintf(watcher->socket_path, sizeof(watcher->socket_path), "%s/engine.sock", watcher->directory);
	watcher->loop = wd_loop_new(NULL);
	watcher->http = wd_http_new(watcher->loop, NULL);
	watcher->limit = wd_timer_new(watcher->loop, limit_passed, watcher);
	watcher->little = little_engine_new(watcher->loop, watcher->socket_path);
	wd_loop_each_turn(watcher->loop, each_turn, watcher);
	make_client(watcher, NULL, NULL, 5 * WD_SECOND);
}

void watcher_replace(struct watcher *watcher, const char *write_path, const char *version, wd_time timeout)
{
	wd_engine_free(watcher->engine);
	make_client(watcher, write_path, version, timeout);
}

void watcher_close(struct watcher *watcher)
{
	wd_engine_free(watcher->engine);
	little_engine_free(watcher->little);
	wd_http_free(watcher->http);
	wd_timer_free(watcher->limit);
	wd_loop_free(watcher->loop);
	rmdir(watcher->directory);
	wd_text_done(&watcher->told);
	wd_text_done(&watcher->talk);
	wd_text_done(&watcher->lines);
	free(watcher->stamps);
}

void watcher_start(struct watcher *watcher, wd_stamp since)
{
	wd_engine_start(watcher->engine, since);
}

bool watcher_run(struct watcher *watcher, bool (*until)(struct watcher *watcher))
{
	watcher->until = until;
	watcher->timed_out = false;
	wd_timer_set(watcher->limit, wd_time_now() + 10 * WD_SECOND);
	wd_loop_run(watcher->loop);
	wd_timer_set(watcher->limit, WD_NEVER);
	watcher->until = NULL;
	return !watcher->timed_out;
}

void watcher_run_for(struct watcher *watcher, wd_time span)
{
	wd_timer_set(watcher->limit, wd_time_now() + span);
	wd_loop_run(watcher->loop);
}

void watcher_forget(struct watcher *watcher)
{
	wd_text_clear(&watcher->told);
	wd_text_clear(&watcher->talk);
	wd_text_clear(&watcher->lines);
	wd_text_clear(&watcher->little->asked);
	watcher->ups = watcher->downs = watcher->events = watcher->containers = watcher->gones = watcher->syncs = 0;
}

const char *watcher_told(const struct watcher *watcher)
{
	return wd_text_get(&watcher->told);
}

bool watcher_synced(struct watcher *watcher)
{
	return watcher->syncs > 0;
}

bool watcher_up(struct watcher *watcher)
{
	return watcher->ups > 0;
}

bool watcher_down(struct watcher *watcher)
{
	return watcher->downs > 0;
}
