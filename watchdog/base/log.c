#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <watchdog/json.h>
#include <watchdog/log.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/time.h>

#define MESSAGE_MAX 4000 /* bytes of foreign text in one line */
#define VALUE_MAX 2000
#define PLAIN "\033[0m"

struct level {
	const char *name;
	int priority; /* of syslog(3), as systemd reads <N> */
	const char *color;
};

static const struct level levels[] = {
	[WD_LOG_DEBUG] = {"debug", 7, "\033[2m"},
	[WD_LOG_INFO] = {"info", 6, "\033[32m"},
	[WD_LOG_WARNING] = {"warning", 4, "\033[33m"},
	[WD_LOG_ERROR] = {"error", 3, "\033[31m"},
};
static const struct level tracing = {"trace", 7, "\033[2m"};

static const char *const formats[] = {[WD_LOG_TEXT] = "text", [WD_LOG_LOGFMT] = "logfmt", [WD_LOG_JSON] = "json"};

static struct {
	enum wd_log_level least;
	enum wd_log_format format;
	bool color;
	bool journal;  /* standard error is systemd's journal: it has a clock of its own */
	unsigned lost; /* lines that standard error did not take */
	enum { TRACE_UNKNOWN, TRACE_OFF, TRACE_ON } trace;
	const char *rooms;
} state = {.least = WD_LOG_INFO};

struct line {
	const struct level *level;
	const char *subject;
	const char *message;
	const struct wd_log_field *fields;
	wd_stamp stamp;
};

/* systemd.exec(5): $JOURNAL_STREAM is "device:inode" of the journal's socket; it is inherited, so it may be another
 * stream than ours. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char ours[64];

	if (!stream || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	return strcmp(stream, ours) == 0;
}

void wd_log_setup(enum wd_log_level least, enum wd_log_format format, bool color)
{
	state.least = least;
	state.format = format;
	state.color = color;
	state.journal = is_journal();
}

bool wd_log_level_parse(const char *text, enum wd_log_level *ret_level)
{
	for (int i = WD_LOG_DEBUG; i <= WD_LOG_ERROR; i++)
		if (wd_text_equal(text, levels[i].name)) {
			*ret_level = (enum wd_log_level)i;
			return true;
		}
	return false;
}

bool wd_log_format_parse(const char *text, enum wd_log_format *ret_format)
{
	for (int i = WD_LOG_TEXT; i <= WD_LOG_JSON; i++)
		if (wd_text_equal(text, formats[i])) {
			*ret_format = (enum wd_log_format)i;
			return true;
		}
	return false;
}

/* A value that stands bare where nothing in it could be taken for the end, else in quotes. */
static void put_value(struct wd_text *out, const char *value, size_t limit)
{
	WD_AUTO_TEXT struct wd_text escaped = {0};

	wd_text_escape(&escaped, value, strlen(value), limit);
	const char *bytes = wd_text_get(&escaped);

	if (*bytes && !strpbrk(bytes, " \"=")) {
		wd_text_add(out, bytes);
		return;
	}
	wd_text_add(out, "\"");
	for (; *bytes; bytes++)
		wd_text_print(out, *bytes == '"' ? "\\%c" : "%c", *bytes);
	wd_text_add(out, "\"");
}

static void put_pair(struct wd_text *out, const char *name, const char *value, size_t limit)
{
	if (!value)
		return;
	wd_text_add(out, out->length ? " " : "");
	wd_text_print(out, "%s=", name);
	put_value(out, value, limit);
}

static void put_fields(struct wd_text *out, const struct wd_log_field *field)
{
	for (; field && field->name; field++)
		put_pair(out, field->name, field->value, VALUE_MAX);
}

static void compose_text(struct wd_text *out, const struct line *line)
{
	const char *plain = state.color ? PLAIN : "";
	char time[WD_TIME_TEXT];

	if (!state.journal)
		wd_text_print(out, "%s%s%s ", state.color ? "\033[2m" : "", wd_stamp_print_local(line->stamp, time),
			      plain);
	wd_text_print(out, "%s%-7s%s  ", state.color ? line->level->color : "", line->level->name, plain);
	if (line->subject) {
		wd_text_add(out, state.color ? "\033[1m" : "");
		wd_text_escape(out, line->subject, strlen(line->subject), VALUE_MAX);
		wd_text_print(out, "%s  ", plain);
	}
	wd_text_escape(out, line->message, strlen(line->message), MESSAGE_MAX);
	wd_text_add(out, " ");
	size_t before = out->length;

	put_fields(out, line->fields);
	if (out->length == before)
		out->data[--out->length] = '\0';
}

static const char *print_milliseconds(wd_stamp stamp, char buffer[static WD_TIME_TEXT])
{
	wd_stamp_print(stamp, buffer);
	char *point = strchr(buffer, '.');

	if (point)
		snprintf(point + 4, 2, "Z");
	return buffer;
}

static void compose_logfmt(struct wd_text *out, const struct line *line)
{
	char time[WD_TIME_TEXT];

	if (!state.journal)
		put_pair(out, "time", print_milliseconds(line->stamp, time), VALUE_MAX);
	put_pair(out, "level", line->level->name, VALUE_MAX);
	put_pair(out, "service", line->subject, VALUE_MAX);
	put_pair(out, "msg", line->message, MESSAGE_MAX);
	put_fields(out, line->fields);
}

/* JSON itself lets DEL, C1 and bidi controls pass; they stand only in strings, where \uHHHH means the same. */
static void put_json(struct wd_text *out, const char *json)
{
	size_t length = strlen(json);

	for (size_t i = 0; i < length;) {
		uint32_t rune = 0;
		size_t size = wd_rune_read(json + i, length - i, &rune);

		if (wd_rune_harms(rune))
			wd_text_print(out, "\\u%04x", (unsigned)rune);
		else
			wd_text_put(out, json + i, size);
		i += size;
	}
}

static void set_cut(struct wd_json *object, const char *name, const char *value, size_t limit)
{
	size_t length = strnlen(value, limit + 1);
	WD_AUTO_TEXT struct wd_text cut = {0};

	if (length > limit) {
		for (length = limit; length > 0 && ((unsigned char)value[length] & 0xc0) == 0x80;)
			length--;
		wd_text_put(&cut, value, length);
		wd_text_add(&cut, "…");
		value = wd_text_get(&cut);
	}
	wd_json_set_string(object, name, value);
}

static void compose_json(struct wd_text *out, const struct line *line)
{
	WD_AUTO_JSON struct wd_json *object = wd_json_object();
	char time[WD_TIME_TEXT];

	if (!state.journal)
		wd_json_set_string(object, "time", print_milliseconds(line->stamp, time));
	wd_json_set_string(object, "level", line->level->name);
	if (line->subject)
		set_cut(object, "service", line->subject, VALUE_MAX);
	set_cut(object, "msg", line->message, MESSAGE_MAX);
	for (const struct wd_log_field *field = line->fields; field && field->name; field++)
		if (field->value)
			set_cut(object, field->name, field->value, VALUE_MAX);
	WD_AUTO_FREE char *json = wd_json_print(object);

	put_json(out, json);
}

/* A reader that has gone, or does not read, must not hold up a watchdog: what it does not take at once is lost. */
static bool write_whole(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDERR_FILENO, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

static void put_line(struct wd_text *out, const struct line *line)
{
	static void (*const composers[])(struct wd_text *, const struct line *) = {
		[WD_LOG_TEXT] = compose_text,
		[WD_LOG_LOGFMT] = compose_logfmt,
		[WD_LOG_JSON] = compose_json,
	};
	WD_AUTO_TEXT struct wd_text body = {0};

	composers[state.format](&body, line);
	if (state.journal)
		wd_text_print(out, "<%d>", line->level->priority);
	wd_text_print(out, "%s\n", wd_text_get(&body));
}

static void emit(const struct line *line)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	int number = errno;

	if (state.lost) {
		WD_AUTO_FREE char *message = wd_format("%u lines of this log were lost", state.lost);

		wd_text_add(&out, "\n"); /* ends what may have been cut */
		put_line(&out, &(struct line){&levels[WD_LOG_WARNING], NULL, message, NULL, line->stamp});
	}
	put_line(&out, line);
	state.lost = write_whole(out.data, out.length) ? 0 : state.lost + 1;
	errno = number;
}

__attribute__((format(printf, 2, 0))) static void emit_format(struct line line, const char *format, va_list arguments)
{
	WD_AUTO_FREE char *message = NULL;

	wd_need(vasprintf(&message, format, arguments) < 0 ? NULL : message);
	line.message = message;
	line.stamp = wd_stamp_now();
	emit(&line);
}

void wd_log(enum wd_log_level level, const char *subject, const struct wd_log_field *fields, const char *format, ...)
{
	va_list arguments;

	if (level < state.least)
		return;
	va_start(arguments, format);
	emit_format((struct line){.level = &levels[level], .subject = subject, .fields = fields}, format, arguments);
	va_end(arguments);
}

static bool lists(const char *rooms, const char *room)
{
	size_t length = strlen(room);

	for (const char *at = rooms; at; at = strchr(at, ',')) {
		at += *at == ',' ? 1 : 0;
		if (strncmp(at, room, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

bool wd_trace_on(const char *room)
{
	if (state.trace == TRACE_OFF)
		return false;
	if (state.trace == TRACE_UNKNOWN) {
		state.rooms = getenv("SEADOG_TRACE");
		state.trace = state.rooms && *state.rooms ? TRACE_ON : TRACE_OFF;
	}
	return state.trace == TRACE_ON && (lists(state.rooms, room) || lists(state.rooms, "all"));
}

void wd_trace(const char *room, const char *subject, const char *format, ...)
{
	const struct wd_log_field fields[] = {{"room", room}, {NULL, NULL}};
	va_list arguments;

	if (!wd_trace_on(room))
		return;
	va_start(arguments, format);
	emit_format((struct line){.level = &tracing, .subject = subject, .fields = fields}, format, arguments);
	va_end(arguments);
}
