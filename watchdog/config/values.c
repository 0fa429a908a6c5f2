/* Values of one thing: a span, a number, a word, a path. Rules of several parts stand in rules.c. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

#define USAGE(...) wd_fail(error, WD_ERROR_USAGE, __VA_ARGS__)

bool wd_value_off(const char *text)
{
	return strcmp(text, "off") == 0 || strcmp(text, "none") == 0;
}

static void text_done(void *value)
{
	free(*(char **)value);
}

static void list_done(void *value)
{
	wd_list_done(value);
}

static bool keep_text(const char *text, void *ret_value)
{
	*(char **)ret_value = wd_copy(text);
	return true;
}

static bool parse_span(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	char low[WD_TIME_TEXT], high[WD_TIME_TEXT];
	wd_time span = 0;
	if (!wd_value_off(text) && !wd_span_parse(text, &span, error))
		return false;
	if ((span == 0 && !option->off) || (span != 0 && (span < option->low || span > option->high)))
		return USAGE("must be between %s and %s%s", wd_span_print(option->low, low),
			     wd_span_print(option->high, high), option->off ? ", or off" : "");
	*(wd_time *)ret_value = span;
	return true;
}

/* "2s, wait 30s" fills tilt and tilt_wait, which lie side by side. */
static bool parse_tilt(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	static const struct wd_option wait_row = {.low = 0, .high = WD_HOUR, .off = true};
	const char *form = "write it like 2s, wait 30s";
	wd_time both[2] = {0, 0};
	if (!wd_value_off(text)) {
		const char *comma = strchr(text, ',');
		if (!comma)
			return USAGE("%s", form);
		WD_AUTO_FREE char *late = wd_copy_part(text, (size_t)(comma - text));
		comma += 1 + strspn(comma + 1, " \t");
		if (!wd_text_starts(comma, "wait "))
			return USAGE("%s", form);
		if (!parse_span(option, late, &both[0], error) || !parse_span(&wait_row, comma + 5, &both[1], error))
			return wd_fail_in(error, "%s", form);
	}
	memcpy(ret_value, both, sizeof(both));
	return true;
}

static bool parse_number(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	int64_t number;
	if (!wd_number_parse(text, option->low, option->high, &number, error))
		return false;
	*(int64_t *)ret_value = number;
	return true;
}

static bool parse_flag(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
	(void)option;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0) {
			*(bool *)ret_value = i % 2;
			return true;
		}
	return USAGE("must be yes or no");
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;
	while (words[count])
		count++;
	return count;
}

static bool fail_word(const char *const *words, const char *text, struct wd_error *error)
{
	size_t count = count_words(words);
	const char *nearest = wd_text_nearest(text, words, count);
	WD_AUTO_TEXT struct wd_text list = {0};
	for (size_t i = 0; i < count; i++)
		wd_text_print(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	if (nearest)
		return USAGE("must be %s, did you mean %s?", wd_text_get(&list), nearest);
	return USAGE("must be %s", wd_text_get(&list));
}

static bool parse_choice(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	for (unsigned i = 0; option->words[i]; i++)
		if (strcmp(text, option->words[i]) == 0) {
			*(unsigned *)ret_value = i;
			return true;
		}
	return fail_word(option->words, text, error);
}

static bool parse_either(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	unsigned which;
	if (!parse_choice(option, text, &which, error))
		return false;
	*(bool *)ret_value = which == 1;
	return true;
}

static bool check_path(const struct wd_option *option, const char *text, struct wd_error *error)
{
	if (text[0] != '/')
		return USAGE("must be an absolute path%s",
			     text[0] == '~' ? " (~ is a shell's word and is not replaced)" : "");
	if (option->high && strlen(text) > (size_t)option->high)
		return USAGE("is longer than %d bytes, which is all that fits into the address of a socket",
			     (int)option->high);
	return true;
}

static bool parse_path(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	return check_path(option, text, error) && keep_text(text, ret_value);
}

/* Mounts whose content is the system's and never a service's data. */
static bool is_system_path(const char *path)
{
	static const char *const whole[] = {"/",    "/bin",  "/boot", "/etc", "/home", "/lib", "/lib64", "/mnt",
					    "/opt", "/root", "/sbin", "/srv", "/tmp",  "/usr", "/var",   "/var/lib"};
	static const char *const below[] = {"/dev", "/proc", "/run", "/sys", "/var/run", "/var/lib/docker"};
	WD_AUTO_FREE char *plain = wd_copy(path);
	for (size_t length = strlen(plain); length > 1 && plain[length - 1] == '/'; length--)
		plain[length - 1] = '\0';
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (strcmp(plain, whole[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		size_t length = strlen(below[i]);
		if (strncmp(plain, below[i], length) == 0 && (plain[length] == '/' || plain[length] == '\0'))
			return true;
	}
	return false;
}

static bool is_plain_path(const char *path)
{
	struct wd_list parts = {0};
	wd_list_split(&parts, path, '/');
	bool plain = !wd_list_has(&parts, ".") && !wd_list_has(&parts, "..") && !strstr(path, "//");
	wd_list_done(&parts);
	return plain;
}

static bool check_bind(const struct wd_option *option, const char *path, struct wd_error *error)
{
	if (!check_path(option, path, error))
		return wd_fail_in(error, "%s", path);
	if (!is_plain_path(path) || is_system_path(path))
		return USAGE("%s: is a path of the system or none in its plain form, name the service's own directory",
			     path);
	return true;
}

static bool parse_paths(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_list list = {0};
	if (!wd_value_off(text))
		wd_list_split(&list, text, ',');
	for (size_t i = 0; i < list.count; i++)
		if (!check_bind(option, list.items[i], error)) {
			wd_list_done(&list);
			return false;
		}
	*(struct wd_list *)ret_value = list;
	return true;
}

static bool parse_host(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	(void)option;
	if (text[0] == '/')
		return USAGE("did you mean unix://%s?", text);
	if (wd_text_starts(text, "unix://")) {
		if (text[7] != '/')
			return USAGE("the path of the socket must be absolute, such as unix:///var/run/docker.sock");
	} else if (wd_text_starts(text, "ssh://")) {
		return USAGE("ssh is not spoken, forward the socket with `ssh -L` and name it as unix://");
	} else if (!wd_text_starts(text, "tcp://") && !wd_text_starts(text, "http://") &&
		   !wd_text_starts(text, "https://")) {
		return USAGE("must begin with unix://, tcp://, http:// or https://");
	} else if (strchr("/:", strstr(text, "://")[3])) {
		return USAGE("the name of the host is missing");
	}
	if (strpbrk(text, " \t"))
		return USAGE("must not hold blanks");
	return keep_text(text, ret_value);
}

/* "127.0.0.1:9790", "[::1]:9790", ":9790" */
static bool parse_listen(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	static const struct wd_option socket_row = {.high = 107};
	int64_t port;
	if (strcmp(text, "off") == 0)
		return keep_text(text, ret_value);
	if (wd_text_starts(text, "unix://"))
		return check_path(option->high ? option : &socket_row, text + 7, error) && keep_text(text, ret_value);
	const char *colon = strrchr(text, ':');
	if (!colon || strpbrk(text, " \t/") || (memchr(text, ':', (size_t)(colon - text)) && colon[-1] != ']'))
		return USAGE("must be ADDRESS:PORT, unix:///path or off");
	if (!wd_number_parse(colon + 1, 1, 65535, &port, error))
		return wd_fail_in(error, "port");
	return keep_text(text, ret_value);
}

static bool parse_url(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	const char *colon = strstr(text, "://");
	bool known = false;
	for (const char *const *scheme = option->words; *scheme; scheme++)
		known = known || (colon && strncmp(text, *scheme, strlen(*scheme)) == 0 &&
				  strlen(*scheme) == (size_t)(colon - text));
	if (!known)
		return USAGE("must begin with http://, https://, smtp:// or smtps://");
	if (strchr("/:?#", colon[3]) || strpbrk(text, " \t"))
		return USAGE("must be a URL with the name of a host and without blanks");
	return keep_text(text, ret_value);
}

static bool parse_command(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_list words = {0};
	(void)option;
	bool sound = wd_words_split(text, &words, error);
	if (sound && words.count == 0)
		sound = USAGE("holds no command");
	else if (sound && words.items[0][0] != '/')
		sound = USAGE("%s must be an absolute path, such as /usr/local/bin/page", words.items[0]);
	wd_list_done(&words);
	return sound && keep_text(text, ret_value);
}

static bool parse_text(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	(void)option;
	(void)error;
	return keep_text(text, ret_value);
}

static bool parse_image(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	(void)option;
	if (text[0] == '-' || text[0] == '/' ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@-")])
		return USAGE("must be the name of an image such as acme/web:1.4.2");
	return keep_text(text, ret_value);
}

static bool parse_globs(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_list list = {0};
	(void)option;
	(void)error;
	if (!wd_value_off(text))
		wd_list_split(&list, text, ',');
	*(struct wd_list *)ret_value = list;
	return true;
}

static bool parse_names(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_list list = {0};
	(void)option;
	if (!wd_value_off(text))
		wd_list_split(&list, text, ',');
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i][strspn(list.items[i], "abcdefghijklmnopqrstuvwxyz0123456789-_.*")]) {
			wd_list_done(&list);
			return USAGE("must be names of checks with commas between them");
		}
	*(struct wd_list *)ret_value = list;
	return true;
}

static bool parse_moments(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_list list = {0};
	wd_list_split(&list, text, ',');
	bool sound = list.count > 0 || USAGE("names no moment");
	for (size_t i = 0; sound && i < list.count; i++) {
		unsigned which;
		sound = parse_choice(option, list.items[i], &which, error);
	}
	if (sound)
		*(struct wd_list *)ret_value = list;
	else
		wd_list_done(&list);
	return sound;
}

/* "10%" of a file system, or so many bytes. */
static bool parse_reserve(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	double ratio;
	uint64_t bytes;
	(void)option;
	bool percent = strchr(text, '%') != NULL;
	if (percent ? !wd_percent_parse(text, &ratio, error) : !wd_size_parse(text, &bytes, error))
		return wd_fail_in(error, "write it like 10%% or 20GiB");
	return keep_text(text, ret_value);
}

const struct wd_kind wd_kind_span = {"duration", "90s, 5m, 1h30m, 7d; a bare number is seconds", sizeof(wd_time),
				     parse_span, .done = NULL};
const struct wd_kind wd_kind_tilt = {"delay and wait", "2s, wait 30s; or off", 2 * sizeof(wd_time), parse_tilt,
				     .done = NULL};
const struct wd_kind wd_kind_number = {"number", "a whole number", sizeof(int64_t), parse_number, .done = NULL};
const struct wd_kind wd_kind_flag = {"yes or no", "yes, no", sizeof(bool), parse_flag, .done = NULL};
const struct wd_kind wd_kind_choice = {"word", "one of the words", sizeof(unsigned), parse_choice, .done = NULL};
const struct wd_kind wd_kind_either = {"word", "one of the words", sizeof(bool), parse_either, .done = NULL};
const struct wd_kind wd_kind_path = {"path", "an absolute path", sizeof(char *), parse_path, .done = text_done};
const struct wd_kind wd_kind_paths = {"paths", "absolute paths with commas between them", sizeof(struct wd_list),
				      parse_paths, .done = list_done};
const struct wd_kind wd_kind_host = {"endpoint", "unix:///path, tcp://host:port, https://host:port", sizeof(char *),
				     parse_host, .done = text_done};
const struct wd_kind wd_kind_listen = {"address", "address:port, unix:///path, off", sizeof(char *), parse_listen,
				       .done = text_done};
const struct wd_kind wd_kind_url = {"URL", "https://host/path", sizeof(char *), parse_url, text_done, true, true};
const struct wd_kind wd_kind_command = {
	"command", "words, quoted as in a shell", sizeof(char *), parse_command, text_done, true, true};
const struct wd_kind wd_kind_text = {"text", "any text", sizeof(char *), parse_text, text_done, true, false};
const struct wd_kind wd_kind_image = {"image", "acme/web:1.4.2", sizeof(char *), parse_image, .done = text_done};
const struct wd_kind wd_kind_globs = {"globs", "shell globs with commas between them, or none", sizeof(struct wd_list),
				      parse_globs, .done = list_done};
const struct wd_kind wd_kind_names = {"names", "names with commas between them, or none", sizeof(struct wd_list),
				      parse_names, .done = list_done};
const struct wd_kind wd_kind_moments = {"moments", "words with commas between them", sizeof(struct wd_list),
					parse_moments, .done = list_done};
const struct wd_kind wd_kind_reserve = {"share or size", "10%, 20GiB", sizeof(char *), parse_reserve,
					.done = text_done};
