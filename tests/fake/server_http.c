#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server_inside.h"

/* Answers */

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *words;
	} reasons[] = {{200, "OK"},           {201, "Created"},     {204, "No Content"},
		       {304, "Not Modified"}, {400, "Bad Request"}, {403, "Forbidden"},
		       {404, "Not Found"},    {409, "Conflict"},    {500, "Internal Server Error"}};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].words;
	return "Odd";
}

/* As Go's servers do (RFC 9110 6.6.1). */
void link_date(struct link *link)
{
	char date[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
	time_t seconds = (time_t)(model_stamp(link->fake->model) / 1000000000);
	struct tm tm;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &tm));
	wd_text_print(&link->out, "Date: %s\r\n", date);
}

static void put_head(struct link *link, int status, const char *type, size_t length)
{
	const struct model *model = link->fake->model;
	bool empty = status == 204 || status == 304;
	wd_text_print(&link->out, "HTTP/1.1 %d %s\r\nApi-Version: %s\r\nOstype: linux\r\nServer: Docker/%s (linux)\r\n",
		      status, reason(status), model_api(model), model_version(model));
	if (strcmp(model_version(model), "5.8.6") == 0)
		wd_text_add(&link->out, "Libpod-Api-Version: 5.8.6\r\n");
	link_date(link);
	if (type)
		wd_text_print(&link->out, "Content-Type: %s\r\n", type);
	if (!empty)
		wd_text_print(&link->out, "Content-Length: %zu\r\n", length);
	wd_text_add(&link->out, link->last ? "Connection: close\r\n\r\n" : "\r\n");
}

void link_note(const struct link *link, int status)
{
	for (size_t i = link->fake->call_count; i > 0; i--) {
		struct called *called = &link->fake->calls[i - 1];
		if (called->status == 0 && strcmp(called->path, link->path) == 0 &&
		    strcmp(called->method, link->method) == 0) {
			called->status = status;
			return;
		}
	}
}

void link_answer(struct link *link, int status, const char *type, const char *body, size_t length)
{
	link_note(link, status);
	link->busy = false;
	link->ticket = 0;
	if (status == 0 || link->fault == FAULT_LOSE) {
		link->dead = true;
		return;
	}
	put_head(link, status, type, length);
	if (link->fault == FAULT_TRUNCATE)
		length /= 2;
	if (!link->head)
		wd_text_put(&link->out, body, length);
	if (link->fault == FAULT_DELAY)
		link->held_until = wd_time_now() + link->span;
	if (link->last || link->fault == FAULT_TRUNCATE)
		link->closing = true;
}

static void answered(void *data, const struct model_answer *answer)
{
	link_answer(data, answer->status, answer->type, answer->body, answer->length);
}

/* Faults */

void fault_free(struct fault *fault)
{
	free(fault->method);
	free(fault->path);
	free(fault->body);
	free(fault);
}

static const char *without_version(const char *path)
{
	if (strncmp(path, "/v", 2) != 0 || !isdigit((unsigned char)path[2]))
		return path;
	const char *rest = strchr(path + 1, '/');
	return rest ? rest : path;
}

static const struct fault *find_fault(struct fake *fake, const char *method, const char *path)
{
	for (struct fault *fault = fake->faults; fault; fault = fault->next) {
		if (fault->times == 0 || !wd_glob_match(fault->method, method) || !wd_glob_match(fault->path, path))
			continue;
		if (fault->skip > 0) {
			fault->skip--;
			continue;
		}
		if (fault->times > 0)
			fault->times--;
		return fault;
	}
	return NULL;
}

/* True: the request ends here. */
static bool run_fault(struct link *link, const struct fault *fault)
{
	static const char garbage[] = "\x16\x03\x01\x02 this is no HTTP\r\n\r\n";
	link->fault = fault ? fault->kind : FAULT_NONE;
	link->span = fault ? fault->span : 0;
	switch (link->fault) {
	case FAULT_REFUSE:
		link_note(link, -1);
		link->dead = true;
		return true;
	case FAULT_GARBAGE:
		link_note(link, -1);
		wd_text_put(&link->out, garbage, sizeof(garbage) - 1);
		link->closing = true;
		link->busy = false;
		return true;
	case FAULT_STATUS:
		link_answer(link, fault->status, fault->body && *fault->body == '<' ? "text/html" : "application/json",
			    fault->body ? fault->body : "", fault->body ? strlen(fault->body) : 0);
		return true;
	default:
		return false;
	}
}

/* Requests */

static void note_call(struct link *link)
{
	struct fake *fake = link->fake;
	if (fake->call_count == fake->call_room) {
		fake->call_room = fake->call_room ? 2 * fake->call_room : 64;
		fake->calls = wd_realloc(fake->calls, fake->call_room, sizeof(*fake->calls));
	}
	fake->calls[fake->call_count++] =
		(struct called){wd_copy(link->method), wd_copy(link->path), 0, fake_now(fake)};
}

static void answer_control(struct link *link, const char *body)
{
	WD_AUTO_TEXT struct wd_text text = {0};
	int status = control(link->fake, link->method, link->path, body, &text);
	link->fault = FAULT_NONE;
	link_answer(link, status, "application/json", wd_text_get(&text), text.length);
}

static void run_request(struct link *link, const char *full_path, const char *body)
{
	struct fake *fake = link->fake;
	if (wd_text_starts(link->path, "/_fake/")) {
		answer_control(link, body);
		return;
	}
	note_call(link);
	if (run_fault(link, find_fault(fake, link->method, link->path)))
		return;
	if (!model_is_up(fake->model)) {
		link->dead = true;
		return;
	}
	if (strcmp(link->method, "GET") == 0 &&
	    (strcmp(link->path, "/events") == 0 || wd_text_starts(link->path, "/events?"))) {
		const char *query = strchr(link->path, '?');
		stream_open(link, query ? query + 1 : "");
		return;
	}
	uint64_t ticket = model_send(fake->model, link->method, full_path, body, answered, link);
	if (link->busy)
		link->ticket = ticket;
}

static const char *find_header(const char *head, const char *end, const char *name)
{
	size_t length = strlen(name);
	for (const char *line = head; line && line < end; line = strstr(line, "\r\n")) {
		line += line == head ? 0 : 2;
		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " ");
		if (line == head)
			line++;
	}
	return NULL;
}

static void begin_request(struct link *link, const char *head, const char *end)
{
	size_t method = strcspn(head, " \r\n");
	const char *path = head + method + strspn(head + method, " ");
	WD_AUTO_FREE char *full = wd_copy_part(path, strcspn(path, " \r\n"));
	const char *connection = find_header(head, end, "Connection");
	free(link->method);
	link->method = wd_copy_part(head, method);
	wd_replace(&link->path, without_version(full));
	link->head = strcmp(link->method, "HEAD") == 0;
	link->last = connection && strncasecmp(connection, "close", 5) == 0;
	link->busy = true;
}

static char *full_path(const char *head)
{
	const char *path = head + strcspn(head, " ");
	path += strspn(path, " ");
	return wd_copy_part(path, strcspn(path, " \r\n"));
}

static void discard(struct wd_text *text, size_t length)
{
	text->length -= length;
	memmove(text->data, text->data + length, text->length + 1);
}

void link_read(struct link *link)
{
	while (!link->dead && !link->closing && !link->busy && !link->streaming && link->out.length == 0) {
		const char *head = wd_text_get(&link->in), *end = strstr(head, "\r\n\r\n");
		if (end == NULL)
			return;
		size_t head_length = (size_t)(end - head) + 4;
		const char *said = find_header(head, end, "Content-Length");
		size_t body_length = said ? strtoul(said, NULL, 10) : 0;
		if (link->in.length - head_length < body_length)
			return;
		WD_AUTO_FREE char *path = full_path(head);
		WD_AUTO_FREE char *body = wd_copy_part(head + head_length, body_length);
		begin_request(link, head, end);
		discard(&link->in, head_length + body_length);
		run_request(link, path, body);
	}
}
