/* One line of /events. The grammar is that of every Engine since API 1.22 and of Podman's copy; `status`, `id` and
 * `from` are its old copies, which API 1.52 has dropped, and are not read. */
#include "wire_id.h"
#include "wire_scan.h"

#include <limits.h>
#include <string.h>
#include <watchdog/wire.h>

#define ACTION_MAX 64 /* longer than every action we know; exec_create carries a whole command line */

struct line {
	struct wd_piece type, action, scope, health; /* health: Podman's HealthStatus */
	struct wd_piece id, name, exit_code, signal;
	int64_t nanoseconds, seconds;
};

/* The first of two members of one name is the one that counts, as in json.h. */
static void read_once(struct wd_scan *scan, struct wd_piece *slot)
{
	struct wd_piece piece;
	if (slot->text != NULL)
		wd_scan_skip(scan);
	else if (wd_scan_string(scan, &piece))
		*slot = piece;
}

static void read_time(struct wd_scan *scan, int64_t *slot)
{
	int64_t number;
	if (*slot != 0)
		wd_scan_skip(scan);
	else if (wd_scan_integer(scan, &number) && number > 0)
		*slot = number;
}

static void read_attributes(struct wd_scan *scan, struct line *line)
{
	struct wd_piece name;
	if (!wd_scan_object(scan))
		return;
	while (wd_scan_member(scan, &name)) {
		if (wd_piece_is(name, "name"))
			read_once(scan, &line->name);
		else if (wd_piece_is(name, "exitCode"))
			read_once(scan, &line->exit_code);
		else if (wd_piece_is(name, "signal"))
			read_once(scan, &line->signal);
		else
			wd_scan_skip(scan);
	}
}

static void read_actor(struct wd_scan *scan, struct line *line)
{
	struct wd_piece name;
	if (!wd_scan_object(scan))
		return;
	while (wd_scan_member(scan, &name)) {
		if (wd_piece_is(name, "ID"))
			read_once(scan, &line->id);
		else if (wd_piece_is(name, "Attributes"))
			read_attributes(scan, line);
		else
			wd_scan_skip(scan);
	}
}

static void read_member(struct wd_scan *scan, struct wd_piece name, struct line *line)
{
	if (wd_piece_is(name, "Type"))
		read_once(scan, &line->type);
	else if (wd_piece_is(name, "Action"))
		read_once(scan, &line->action);
	else if (wd_piece_is(name, "scope"))
		read_once(scan, &line->scope);
	else if (wd_piece_is(name, "HealthStatus"))
		read_once(scan, &line->health);
	else if (wd_piece_is(name, "timeNano"))
		read_time(scan, &line->nanoseconds);
	else if (wd_piece_is(name, "time"))
		read_time(scan, &line->seconds);
	else if (wd_piece_is(name, "Actor"))
		read_actor(scan, line);
	else
		wd_scan_skip(scan);
}

static bool read_line(const char *text, size_t length, struct line *ret_line)
{
	struct wd_scan scan = {.at = text, .end = text + length};
	struct wd_piece name;
	while (scan.at < scan.end && *scan.at == '\x1e')
		scan.at++;
	if (!wd_scan_object(&scan))
		return false;
	while (wd_scan_member(&scan, &name))
		read_member(&scan, name, ret_line);
	return wd_scan_end(&scan);
}

static bool find_health(const char *word, enum wd_health *ret_health)
{
	if (strcmp(word, "healthy") == 0)
		*ret_health = WD_HEALTH_HEALTHY;
	else if (strcmp(word, "unhealthy") == 0)
		*ret_health = WD_HEALTH_UNHEALTHY;
	else if (strcmp(word, "starting") == 0)
		*ret_health = WD_HEALTH_STARTING;
	else
		return false;
	return true;
}

/* "health_status: healthy" (Docker), or "health_status" with the word in a member of its own (Podman). */
static bool read_health(const struct line *line, const char *action, struct wd_event *event)
{
	static const char word[] = "health_status";
	size_t length = sizeof(word) - 1;
	char health[16];
	if (strncmp(action, word, length) != 0)
		return false;
	event->kind = WD_EVENT_HEALTH;
	if (strncmp(action + length, ": ", 2) == 0)
		return find_health(action + length + 2, &event->health);
	return action[length] == '\0' && wd_piece_copy(line->health, health, sizeof(health)) &&
	       find_health(health, &event->health);
}

static bool find_kind(const char *action, enum wd_event_kind *ret_kind)
{
	static const struct {
		const char *word;
		enum wd_event_kind kind;
	} actions[] = {
		{"create", WD_EVENT_CREATE},   {"start", WD_EVENT_START},     {"die", WD_EVENT_DIE},
		{"died", WD_EVENT_DIE},        {"oom", WD_EVENT_OOM},         {"kill", WD_EVENT_KILL},
		{"stop", WD_EVENT_STOP},       {"restart", WD_EVENT_RESTART}, {"pause", WD_EVENT_PAUSE},
		{"unpause", WD_EVENT_UNPAUSE}, {"update", WD_EVENT_UPDATE},   {"rename", WD_EVENT_RENAME},
		{"destroy", WD_EVENT_DESTROY}, {"remove", WD_EVENT_DESTROY},
	};
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(action, actions[i].word) == 0) {
			*ret_kind = actions[i].kind;
			return true;
		}
	return false;
}

/* A whole number from 0 that an attribute holds as text, else the fallback. */
static int read_number(struct wd_piece piece, int fallback)
{
	char digits[12];
	if (!wd_piece_copy(piece, digits, sizeof(digits)) || digits[0] == '\0')
		return fallback;
	int64_t number = 0;
	for (const char *at = digits; *at; at++) {
		if (*at < '0' || *at > '9')
			return fallback;
		number = number * 10 + (*at - '0');
	}
	return number <= INT_MAX ? (int)number : fallback;
}

static wd_stamp find_stamp(const struct line *line)
{
	wd_stamp stamp;
	if (line->nanoseconds > 0)
		return line->nanoseconds;
	return __builtin_mul_overflow(line->seconds, 1000000000, &stamp) ? WD_STAMP_NONE : stamp;
}

static bool read_event(const struct line *line, struct wd_event *event)
{
	char action[ACTION_MAX];
	if (!wd_piece_is(line->type, "container") || (line->scope.text != NULL && !wd_piece_is(line->scope, "local")))
		return false;
	if (!wd_piece_copy(line->id, event->id, sizeof(event->id)) || !wd_wire_is_id(event->id))
		return false;
	if (!wd_piece_copy(line->action, action, sizeof(action)))
		return false;
	if (!find_kind(action, &event->kind) && !read_health(line, action, event))
		return false;
	/* A name only says whom to show; the id says who it is. So one that is too long is cut, not refused. */
	wd_piece_copy(line->name, event->name, sizeof(event->name));
	if (event->name[0] == '/')
		memmove(event->name, event->name + 1, strlen(event->name));
	event->exit_code = event->kind == WD_EVENT_DIE ? read_number(line->exit_code, -1) : -1;
	event->signal = event->kind == WD_EVENT_KILL ? read_number(line->signal, 0) : 0;
	event->stamp = find_stamp(line);
	return true;
}

enum wd_wire_line wd_wire_event(const char *text, size_t length, struct wd_event *ret_event)
{
	struct line line = {0};
	if (!read_line(text, length, &line))
		return WD_WIRE_RUBBISH;
	struct wd_event event = {0};
	if (!read_event(&line, &event))
		return WD_WIRE_OTHER;
	*ret_event = event;
	return WD_WIRE_EVENT;
}
