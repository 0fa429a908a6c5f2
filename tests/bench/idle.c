/* idle: a program that initialises the libraries that seadog is linked with, uses each of them once, and then waits for
 * a signal. What it takes is what seadog's memory is held against. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <ev.h>
#include <ini.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static int take_value(void *data, const char *section, const char *name, const char *value)
{
	(void)data, (void)section, (void)name, (void)value;
	return 1;
}

static void end(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)watcher, (void)events;
	ev_break(loop, EVBREAK_ALL);
}

static bool open_database(const char *path, sqlite3 **ret_database)
{
	return sqlite3_open(path, ret_database) == SQLITE_OK &&
	       sqlite3_exec(*ret_database,
			    "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v TEXT);"
			    "INSERT OR REPLACE INTO t VALUES ('a', 'b'); SELECT * FROM t;",
			    NULL, NULL, NULL) == SQLITE_OK;
}

/* One request over the Engine's socket, so that curl has set up what it needs for that. */
static bool ask(const char *engine)
{
	CURL *easy = curl_easy_init();
	FILE *nowhere = fopen("/dev/null", "w");
	bool asked = easy && nowhere && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, engine) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_URL, "http://localhost/_ping") == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_WRITEDATA, nowhere) == CURLE_OK &&
		     curl_easy_perform(easy) == CURLE_OK;
	if (nowhere)
		fclose(nowhere);
	return asked; /* the handle stays, as those of a program that works do */
}

int main(int argc, char **argv)
{
	sqlite3 *database;
	ev_signal watcher;
	struct ev_loop *loop = ev_default_loop(0);
	if (argc != 3) {
		fprintf(stderr, "usage: %s DATABASE ENGINE_SOCKET\n", argv[0]);
		return 2;
	}
	cJSON *json = cJSON_Parse("{\"a\":[1,2,3]}");
	if (loop == NULL || json == NULL || sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    ini_parse_string("[a]\nb = c\n", take_value, NULL) != 0 || !open_database(argv[1], &database) ||
	    !ask(argv[2]))
		return 1;
	cJSON_Delete(json);
	CURLM *multi = curl_multi_init();
	ev_signal_init(&watcher, end, SIGTERM);
	ev_signal_start(loop, &watcher);
	ev_run(loop, 0);
	curl_multi_cleanup(multi);
	sqlite3_close(database);
	return 0;
}
