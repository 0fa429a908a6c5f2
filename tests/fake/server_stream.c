#include <stdio.h>
#include <string.h>

#include "server_inside.h"

void stream_send(struct link *link, const char *bytes, size_t length)
{
	char head[20];
	if (link->closing || length == 0)
		return;
	if (link->cut_bytes && link->streamed_bytes + length >= link->cut_bytes) {
		length = link->cut_bytes - link->streamed_bytes;
		link->closing = true;
	}
	link->streamed_bytes += length;
	int head_length = snprintf(head, sizeof(head), "%zx\r\n", length);
	if (length > 0) {
		wd_text_put(&link->out, head, (size_t)head_length);
		wd_text_put(&link->out, bytes, length);
		wd_text_put(&link->out, "\r\n", 2);
	}
}

void stream_end(struct link *link)
{
	if (!link->closing)
		wd_text_add(&link->out, "0\r\n\r\n");
	link->closing = true;
}

static void send_event(void *data, const struct model_event *event)
{
	struct link *link = data;
	WD_AUTO_TEXT struct wd_text line = {0};
	if (link->closing || (link->until && event->stamp > link->until) || !model_filter(link->filters, event))
		return;
	wd_text_put(&line, event->line, event->length);
	wd_text_put(&line, "\n", 1);
	stream_send(link, line.data, line.length);
	if (link->cut_events && ++link->streamed_events >= link->cut_events)
		link->closing = true;
}

void stream_event(void *data, const struct model_event *event)
{
	struct fake *fake = data;
	for (struct link *link = fake->links; link; link = link->next)
		if (link->streaming)
			send_event(link, event);
}

/* "SEC[.NANO]" */
static bool parse_moment(const char *text, wd_stamp *ret_stamp)
{
	char *end;
	long long seconds = strtoll(text, &end, 10);
	if (end == text)
		return false;
	long long nanoseconds = 0, weight = 100000000;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++, weight /= 10)
			nanoseconds += (*end - '0') * weight;
	if (__builtin_mul_overflow(seconds, 1000000000LL, ret_stamp) ||
	    __builtin_add_overflow(*ret_stamp, nanoseconds, ret_stamp))
		return false;
	return *end == '\0';
}

static void refuse(struct link *link, int status, const char *message)
{
	WD_AUTO_FREE char *body = wd_format("{\"message\":\"%s\"}\n", message);
	link_answer(link, status, "application/json", body, strlen(body));
}

static bool read_moment(struct link *link, const char *query, const char *name, wd_stamp *ret_stamp)
{
	WD_AUTO_FREE char *text = model_query(query, name);
	if (text == NULL || *text == '\0' || parse_moment(text, ret_stamp))
		return true;
	refuse(link, 500, "strconv.ParseInt: invalid syntax");
	return false;
}

static void take_cut(struct link *link)
{
	struct fake *fake = link->fake;
	if (fake->cut_times == 0)
		return;
	if (fake->cut_times > 0)
		fake->cut_times--;
	link->cut_bytes = fake->cut_bytes;
	link->cut_events = fake->cut_events;
}

void stream_open(struct link *link, const char *query)
{
	WD_AUTO_FREE char *filters = model_query(query, "filters");
	wd_stamp since = WD_STAMP_NONE, until = WD_STAMP_NONE;
	if (!read_moment(link, query, "since", &since) || !read_moment(link, query, "until", &until))
		return;
	if (since && until && since > until) {
		refuse(link, 400, "`since` time cannot be after `until` time");
		return;
	}
	link->filters = filters && *filters ? wd_json_parse(filters, strlen(filters), NULL) : NULL;
	if (filters && *filters && link->filters == NULL) {
		refuse(link, 400, "invalid filter");
		return;
	}
	link->until = until;
	link->streaming = true;
	link_note(link, 200);
	take_cut(link);
	wd_text_print(&link->out, "HTTP/1.1 200 OK\r\nApi-Version: %s\r\nContent-Type: application/json\r\n",
		      model_api(link->fake->model));
	link_date(link);
	wd_text_add(&link->out, "Transfer-Encoding: chunked\r\n\r\n");
	if (since || until)
		model_replay(link->fake->model, since, send_event, link);
	if (until && until <= model_stamp(link->fake->model))
		stream_end(link);
}

void stream_end_late(struct fake *fake)
{
	for (struct link *link = fake->links; link; link = link->next)
		if (link->streaming && link->until && link->until <= model_stamp(fake->model))
			stream_end(link);
}
