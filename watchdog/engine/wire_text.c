/* What an Engine says in its own words, made fit for people: complaints and the lines of containers. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#define COMPLAINT_MAX 300
#define LINE_MAX_BYTES 500
#define FRAME_HEADER 8

static const char ellipsis[] = "…";

/* Adds foreign bytes escaped, so that what is added is at most `limit` bytes of whole characters. */
static void add_escaped(struct wd_text *text, const char *bytes, size_t length, size_t limit)
{
	size_t start = text->length;
	wd_text_escape(text, bytes, length, limit);
	if (text->length - start <= limit)
		return;
	size_t end = start + limit - strlen(ellipsis);
	while (end > start && ((unsigned char)text->data[end] & 0xc0) == 0x80)
		end--;
	text->length = end;
	text->data[end] = '\0';
	wd_text_add(text, ellipsis);
}

/* Complaints */

static bool begins(const char *at, const char *end, const char *word)
{
	return (size_t)(end - at) >= strlen(word) && strncasecmp(at, word, strlen(word)) == 0;
}

static const char *find(const char *at, const char *end, const char *word)
{
	while (at < end && !begins(at, end, word))
		at++;
	return at;
}

/* The end of the tag at `at`, and of what stands inside it if that is not for people. */
static const char *skip_tag(const char *at, const char *end)
{
	if (begins(at, end, "<!--"))
		at = find(at + strlen("<!--"), end, "--");
	else if (begins(at, end, "<style"))
		at = find(at, end, "</style");
	else if (begins(at, end, "<script"))
		at = find(at, end, "</script");
	else if (begins(at, end, "<title"))
		at = find(at, end, "</title");
	const char *close = memchr(at, '>', (size_t)(end - at));
	return close ? close + 1 : end;
}

/* One line without tags, and without more than one space at a time. */
static void add_line(struct wd_text *line, const char *at, size_t length, bool tags)
{
	const char *end = at + length;
	bool gap = false;
	while (at < end && line->length / 4 < COMPLAINT_MAX) {
		bool tag = tags && *at == '<';
		if (tag || isspace((unsigned char)*at)) {
			gap = line->length > 0;
			at = tag ? skip_tag(at, end) : at + 1;
			continue;
		}
		if (gap)
			wd_text_add(line, " ");
		gap = false;
		wd_text_put(line, at++, 1);
	}
}

static const char *find_message(const struct wd_json *answer)
{
	static const char *const names[] = {"message", "cause", "error"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *message = wd_json_string(wd_json_get(answer, names[i]), "");
		if (*message)
			return message;
	}
	return NULL;
}

static bool is_markup(const char *at, size_t length)
{
	const char *end = at + length;
	while (at < end && isspace((unsigned char)*at))
		at++;
	return at < end && *at == '<';
}

char *wd_wire_complaint(const char *body, size_t length)
{
	WD_AUTO_TEXT struct wd_text line = {0};
	WD_AUTO_JSON struct wd_json *answer = length > 0 ? wd_json_parse(body, length, NULL) : NULL;
	const char *message = find_message(answer);
	if (message)
		add_line(&line, message, strlen(message), false);
	else if (!wd_json_is_object(answer) && !wd_json_is_array(answer))
		add_line(&line, body, length, is_markup(body, length));
	struct wd_text complaint = {0};
	add_escaped(&complaint, wd_text_get(&line), line.length, COMPLAINT_MAX);
	return wd_text_take(&complaint);
}

/* Logs */

/* The length of what the frame at `at` holds, or -1 where no frame begins. */
static int64_t frame_length(const char *at, size_t left)
{
	const unsigned char *byte = (const unsigned char *)at;
	if (left < FRAME_HEADER || byte[0] > 3 || byte[1] || byte[2] || byte[3])
		return -1;
	return (int64_t)((uint32_t)byte[4] << 24 | (uint32_t)byte[5] << 16 | (uint32_t)byte[6] << 8 | byte[7]);
}

/* Takes the frames off. A body that was cut in a frame ends there; one that goes on without a frame is taken raw. */
static void take_frames(struct wd_text *raw, const char *body, size_t length)
{
	while (length > 0) {
		int64_t frame = frame_length(body, length);
		size_t skip = frame < 0 ? 0 : FRAME_HEADER;
		size_t take = length - skip;
		if (frame >= 0 && (size_t)frame < take)
			take = (size_t)frame;
		wd_text_put(raw, body + skip, take);
		body += skip + take;
		length -= skip + take;
	}
}

static const char *line_start(const char *text, const char *end)
{
	const char *newline = end > text ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
	return newline ? newline + 1 : text;
}

/* Where the last `lines` lines begin; the end is that of the last line, without its newline. */
static const char *last_lines(const char *text, const char *end, unsigned lines)
{
	const char *start = end;
	for (unsigned i = 0; i < lines; i++) {
		start = line_start(text, start);
		if (start == text || i + 1 == lines)
			break;
		start--;
	}
	return start;
}

static void add_lines(struct wd_text *text, const char *at, const char *end)
{
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		const char *tail = stop;
		while (tail > at && tail[-1] == '\r')
			tail--;
		add_escaped(text, at, (size_t)(tail - at), LINE_MAX_BYTES);
		if (newline)
			wd_text_add(text, "\n");
		at = newline ? newline + 1 : end;
	}
}

char *wd_wire_logs(const char *body, size_t length, unsigned lines)
{
	WD_AUTO_TEXT struct wd_text raw = {0};
	struct wd_text text = {0};
	take_frames(&raw, body, length);
	const char *start = wd_text_get(&raw);
	const char *end = start + raw.length;
	while (end > start && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	add_lines(&text, last_lines(start, end, lines), end);
	return wd_text_take(&text);
}
