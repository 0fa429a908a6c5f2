#include "lines.h"
#include <string.h>

/* A buffer that once held a giant line is given back; below this it is worth keeping. */
#define ROOM_KEPT ((size_t)256 << 10)

void wd_lines_done(struct wd_lines *lines)
{
	wd_text_done(&lines->text);
	*lines = (struct wd_lines){0};
}

/* Drops what was taken, once that is cheap: always when nothing is left, else when most of the buffer is taken. */
void wd_lines_trim(struct wd_lines *lines)
{
	size_t left = lines->text.length - lines->start;

	if (left == 0 && lines->text.room > ROOM_KEPT) {
		wd_text_done(&lines->text);
		lines->start = lines->whole = 0;
	}
	if (lines->start == 0 || left > lines->start)
		return;
	memmove(lines->text.data, lines->text.data + lines->start, left + 1);
	lines->text.length = left;
	lines->whole -= lines->start;
	lines->start = 0;
}

static void put_part(struct wd_lines *lines, const char *bytes, size_t length)
{
	if (!lines->leaving_out && lines->text.length - lines->whole + length > WD_LINE_MAX) {
		lines->leaving_out = true;
		lines->text.length = lines->whole;
		if (lines->text.data)
			lines->text.data[lines->whole] = '\0';
	}
	if (!lines->leaving_out)
		wd_text_put(&lines->text, bytes, length);
}

static void end_line(struct wd_lines *lines)
{
	if (lines->leaving_out)
		lines->left_out++;
	lines->leaving_out = false;
	lines->whole = lines->text.length;
}

void wd_lines_put(struct wd_lines *lines, const char *bytes, size_t length)
{
	wd_lines_trim(lines);
	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline ? (size_t)(newline - bytes) + 1 : length;

		put_part(lines, bytes, part);
		if (newline)
			end_line(lines);
		bytes += part;
		length -= part;
	}
}

const char *wd_lines_take(struct wd_lines *lines, size_t *ret_length)
{
	const char *line, *newline;

	if (lines->start == lines->whole)
		return NULL;
	line = lines->text.data + lines->start;
	newline = memchr(line, '\n', lines->whole - lines->start);
	*ret_length = (size_t)(newline - line);
	lines->start += *ret_length + 1;
	return line;
}

size_t wd_lines_waiting(const struct wd_lines *lines)
{
	return lines->whole - lines->start;
}
