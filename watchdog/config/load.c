/* The only file that knows inih. inih reads; before it is given a line, the line is looked at for what inih would bend
 * or cut without a word, and is kept from it if there is any such thing. */
#include "config.h"

#include <ini.h>
#include <string.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>

struct reading {
	struct wd_config *config;
	struct wd_findings *findings;
	const char *name;
	const char *rest;
	size_t left;
	unsigned line;
	char header[WD_SECTION_MAX + 1]; /* as it stands between the brackets */
	struct wd_section *section;      /* NULL: none yet, or one that is no section of ours */
	bool any_section;
	struct wd_map *seen; /* "section\nkey" -> line */
};

#define FAULT(reading, ...) add_finding(reading, false, wd_format(__VA_ARGS__))
#define WARN(reading, ...) add_finding(reading, true, wd_format(__VA_ARGS__))

static bool add_finding(struct reading *reading, bool warning, char *what_taken)
{
	WD_AUTO_TEXT struct wd_text shown = {0};
	wd_text_escape(&shown, what_taken, strlen(what_taken), 400);
	wd_findings_add(reading->findings, warning, "%s:%u: %s", reading->name, reading->line, wd_text_get(&shown));
	free(what_taken);
	if (!warning && reading->section) {
		reading->section->faulty++;
		reading->section->hides = true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *copy_trimmed(const char *text, size_t length)
{
	while (length > 0 && is_blank(*text)) {
		text++;
		length--;
	}
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	return wd_copy_part(text, length);
}

/* Where inih begins to see a comment: the first ";" behind white space. NULL: nowhere. */
static const char *find_comment(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at == ';' && at > text && is_blank(at[-1]))
			return at;
	return NULL;
}

static bool sound_bytes(struct reading *reading, const char *line, size_t length)
{
	if (length > WD_LINE_MAX)
		return FAULT(reading,
			     "the line has %zu bytes, at most %d are read: shorten it, or put a long value into a "
			     "file and name that (url_file, SEADOG_…_FILE)",
			     length, WD_LINE_MAX);
	for (size_t i = 0; i < length; i++)
		if (line[i] == '\0' || (line[i] > 0 && line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return FAULT(reading, "byte %zu of the line is a control character (0x%02x): remove it", i + 1,
				     (unsigned)(unsigned char)line[i]);
	return true;
}

static struct wd_section *open_section(struct reading *reading, const char *kind, const char *name)
{
	WD_AUTO_FREE char *origin = wd_format("%s:%u", reading->name, reading->line);
	struct wd_section *section = wd_config_open(reading->config, kind, name, origin);
	if (wd_section_pending(kind))
		WARN(reading, "[%s] has no effect in this version of seadog", reading->header);
	return section;
}

static bool take_section(struct reading *reading, const char *kind, const char *name)
{
	const char *nearest = wd_section_nearest(kind);
	if (!wd_section_table(kind) && nearest)
		return FAULT(reading, "[%s]: unknown section, did you mean [%s%s]?", reading->header, nearest,
			     wd_section_named(nearest) ? " NAME" : "");
	if (!wd_section_table(kind))
		return FAULT(reading, "[%s]: unknown section", reading->header);
	if (wd_section_named(kind) && !*name)
		return FAULT(reading, "[%s]: needs a name, write it like [%s NAME]", reading->header, kind);
	if (!wd_section_named(kind) && *name)
		return FAULT(reading, "[%s]: takes no name, write [%s]", reading->header, kind);
	if (strcmp(kind, "hook") == 0 && strchr(name, ','))
		return FAULT(reading, "[%s]: a ladder could not name this hook, as commas part its rungs",
			     reading->header);
	reading->section = open_section(reading, kind, *name ? name : NULL);
	return true;
}

static bool sound_header(struct reading *reading, const char *line)
{
	const char *close = strchr(line, ']'), *comment = find_comment(line);
	reading->section = NULL;
	reading->any_section = true;
	if (!close || (comment && comment < close))
		return FAULT(reading, "%s: the closing ] is missing", line);
	size_t length = (size_t)(close - line - 1);
	if (length > WD_SECTION_MAX)
		return FAULT(reading,
			     "the name of the section has %zu bytes, at most %d are read: use a [policy NAME] with "
			     "match = name:…",
			     length, WD_SECTION_MAX);
	const char *behind = close + 1 + strspn(close + 1, " \t");
	if (*behind && *behind != ';' && *behind != '#')
		return FAULT(reading, "%s: there is text behind the ]", line);
	memcpy(reading->header, line + 1, length);
	reading->header[length] = '\0';
	WD_AUTO_FREE char *whole = copy_trimmed(line + 1, length);
	size_t word = strcspn(whole, " \t");
	WD_AUTO_FREE char *kind = wd_copy_part(whole, word);
	return take_section(reading, kind, whole + word + strspn(whole + word, " \t"));
}

static bool sound_value(struct reading *reading, const char *key, const char *value)
{
	const char *comment = find_comment(value);
	if (!comment)
		return true;
	const struct wd_option *option = wd_option_find(wd_section_table(reading->section->kind), key);
	if (option && option->kind->free_text)
		return FAULT(reading,
			     "%s: the value would be cut at \" ;\": put comments on lines of their own, and a value "
			     "that needs these bytes into a %s",
			     key, option->kind == &wd_kind_command ? "script" : "file (url_file)");
	if (comment[1] && !is_blank(comment[1]) && comment[1] != ';')
		return FAULT(reading,
			     "%s: the value would be cut at \" ;%c\": a comment has a blank behind its semicolon, and "
			     "no value can hold a blank and a semicolon",
			     key, comment[1]);
	return true;
}

static bool sound_pair(struct reading *reading, const char *line)
{
	const char *equals = strchr(line, '='), *colon = strchr(line, ':'), *comment = find_comment(line);
	if (!equals && colon)
		return FAULT(reading, "%s: write KEY = VALUE, with = instead of the colon", line);
	if (!equals || (comment && comment < equals))
		return FAULT(reading, "%s: there is no =, write KEY = VALUE", line);
	if (colon && colon < equals)
		return FAULT(reading, "%.*s: a key has no colon in it", (int)(equals - line), line);
	if (equals == line)
		return FAULT(reading, "there is no key before the =");
	WD_AUTO_FREE char *key = copy_trimmed(line, (size_t)(equals - line));
	if (!reading->any_section)
		return FAULT(reading, "%s: stands before the first section, put it below one such as [defaults]", key);
	return reading->section && sound_value(reading, key, equals + 1);
}

static bool sound_line(struct reading *reading, const char *line, size_t length)
{
	if (!sound_bytes(reading, line, length))
		return false;
	WD_AUTO_FREE char *text = wd_copy_part(line, length);
	const char *start = text + strspn(text, " \t");
	if (*start == '\0' || *start == ';' || *start == '#')
		return false;
	if (start > text)
		return FAULT(reading,
			     "%s: is indented, which would make it part of the line above: begin it at the margin",
			     start);
	return *text == '[' ? sound_header(reading, text) : sound_pair(reading, text);
}

/* One line for inih at each call; an empty one in place of what it must not see, so that both count alike. */
static char *next_line(char *buffer, int room, void *stream)
{
	struct reading *reading = stream;
	if (reading->left == 0)
		return NULL;
	const char *line = reading->rest, *end = memchr(line, '\n', reading->left);
	size_t length = end ? (size_t)(end - line) : reading->left;
	reading->rest += length + (end ? 1 : 0);
	reading->left -= length + (end ? 1 : 0);
	reading->line++;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (!sound_line(reading, line, length))
		length = 0;
	else if (length + 2 > (size_t)room)
		length = FAULT(reading, "the line is longer than the %d bytes that this build of inih reads", room - 2);
	memcpy(buffer, line, length);
	buffer[length] = '\n';
	buffer[length + 1] = '\0';
	return buffer;
}

static bool is_repeated(struct reading *reading, const char *key)
{
	WD_AUTO_FREE char *title = wd_section_title(reading->section);
	WD_AUTO_FREE char *place = wd_format("%s\n%s", title, key);
	uintptr_t before =
		(uintptr_t)wd_map_set(reading->seen, place, (void *)(uintptr_t)reading->line); // NOLINT: a number
	if (before != 0)
		FAULT(reading, "%s: is set twice in [%s], first in line %u", key, title, (unsigned)before);
	return before != 0;
}

/* Where else the key would be known. */
static const char *home_of(const char *key)
{
	for (const struct wd_option *option = wd_options; option->key; option++)
		if (strcmp(option->key, key) == 0)
			return strcmp(option->section, "policy") == 0 ? "defaults], [policy NAME] or [container NAME"
								      : option->section;
	return NULL;
}

static void fault_unknown(struct reading *reading, const char *key)
{
	const char *nearest = wd_option_nearest(wd_section_table(reading->section->kind), key);
	const char *home = home_of(key);
	if (home)
		FAULT(reading, "%s: is no key of [%s], it belongs into [%s]", key, reading->header, home);
	else if (nearest)
		FAULT(reading, "%s: unknown key in [%s], did you mean %s?", key, reading->header, nearest);
	else
		FAULT(reading, "%s: unknown key in [%s]", key, reading->header);
}

static int take_pair(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	if (strcmp(section, reading->header) != 0) {
		FAULT(reading, "[%s]: inih read it as [%s]", reading->header, section);
		return 1;
	}
	const struct wd_option *option = wd_option_find(wd_section_table(reading->section->kind), key);
	WD_AUTO_FREE char *origin = wd_format("%s:%u", reading->name, reading->line);
	if (!option)
		fault_unknown(reading, key);
	else if (option->kind == &wd_kind_match && strcmp(reading->section->kind, "policy") != 0)
		FAULT(reading, "match: belongs into [policy NAME], not into [%s]", reading->header);
	else if (!is_repeated(reading, key))
		wd_config_put(reading->section, option, value, origin, reading->findings);
	return 1;
}

void wd_config_read(struct wd_config *config, const char *name, const char *text, size_t length,
		    struct wd_findings *findings)
{
	struct reading reading = {.config = config, .findings = findings, .name = name, .rest = text, .left = length};
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		reading.rest += 3;
		reading.left -= 3;
		wd_findings_add(findings, false, "%s:1: begins with a byte order mark, save it as UTF-8 without one",
				name);
	}
	reading.seen = wd_map_new();
	int refused = ini_parse_stream(next_line, &reading, take_pair, &reading);
	if (refused != 0)
		wd_findings_add(findings, false, "%s:%d: inih cannot read the line", name, refused);
	wd_map_free(reading.seen);
}
