/* The files of a configuration: the main one and its drop-ins. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define FILE_MAX ((size_t)1 << 20)

static bool read_all(int descriptor, char *bytes, size_t *ret_length, struct wd_error *error)
{
	size_t length = 0;
	for (;;) {
		ssize_t got = read(descriptor, bytes + length, FILE_MAX + 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return wd_fail_errno(error, WD_ERROR_USAGE, "cannot be read");
		if (got == 0)
			break;
		length += (size_t)got;
		if (length > FILE_MAX)
			return wd_fail(error, WD_ERROR_USAGE, "is larger than 1 MiB");
	}
	*ret_length = length;
	return true;
}

char *wd_file_read(const char *path, size_t *ret_length, struct wd_error *error)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;
	if (descriptor < 0) {
		wd_fail_errno(error, errno == ENOENT ? WD_ERROR_NOT_FOUND : WD_ERROR_USAGE, "cannot be read");
		return NULL;
	}
	char *bytes = wd_alloc(FILE_MAX + 2, 1);
	bool sound = read_all(descriptor, bytes, &length, error);
	close(descriptor);
	if (!sound) {
		free(bytes);
		return NULL;
	}
	bytes[length] = '\0';
	*ret_length = length;
	return bytes;
}

static void warn_writable(const char *path, struct wd_findings *findings)
{
	struct stat status;
	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH))
		wd_findings_add(findings, true, "%s: everybody can write to it, and so command seadog: chmod o-w %s",
				path, path);
}

static void read_one(struct wd_config *config, const char *path, struct wd_findings *findings)
{
	struct wd_error error;
	size_t length;
	WD_AUTO_FREE char *text = wd_file_read(path, &length, &error);
	wd_list_add(&config->files, path);
	if (!text) {
		wd_findings_add(findings, false, "%s: %s", path, error.text);
		return;
	}
	warn_writable(path, findings);
	wd_config_read(config, path, text, length, findings);
}

static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **one, const struct dirent **two)
{
	return strcmp((*one)->d_name, (*two)->d_name);
}

/* The names in DIRECTORY/seadog.conf.d, sorted by their bytes whatever the locale. */
static void list_drop_ins(const char *directory, struct wd_list *ret_paths, struct wd_findings *findings)
{
	struct dirent **entries = NULL;
	WD_AUTO_FREE char *path = wd_format("%s/seadog.conf.d", directory);
	int count = scandir(path, &entries, is_drop_in, by_bytes);
	if (count < 0 && errno != ENOENT && errno != ENOTDIR)
		wd_findings_add(findings, false, "%s: cannot be read: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		WD_AUTO_FREE char *file = wd_format("%s/%s", path, entries[i]->d_name);
		wd_list_add(ret_paths, file);
		free(entries[i]);
	}
	free(entries);
}

static char *directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	if (!slash)
		return wd_copy(".");
	return slash == file ? wd_copy("/") : wd_copy_part(file, (size_t)(slash - file));
}

/* Reads FILE, unless it may be missing and is, and its drop-ins; returns whether there was anything. */
static bool read_place(struct wd_config *config, const char *file, bool may_miss, struct wd_findings *findings)
{
	struct wd_list drop_ins = {0};
	WD_AUTO_FREE char *directory = directory_of(file);
	bool missing = may_miss && access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
	list_drop_ins(directory, &drop_ins, findings);
	bool any = !missing || drop_ins.count > 0;
	if (!missing) {
		config->file = wd_copy(file);
		read_one(config, file, findings);
	}
	for (size_t i = 0; i < drop_ins.count; i++)
		read_one(config, drop_ins.items[i], findings);
	wd_list_done(&drop_ins);
	return any;
}

/* $VARIABLE/TAIL, or $HOME/HOME_TAIL/TAIL; relative paths there are ignored as the XDG rules want it. NULL: neither. */
static char *user_path(char *const *environment, const char *variable, const char *home_tail, const char *tail)
{
	const char *base = wd_environment_get(environment, variable);
	const char *home = wd_environment_get(environment, "HOME");
	if (base && base[0] == '/')
		return wd_format("%s/%s", base, tail);
	return home_tail && home && home[0] == '/' ? wd_format("%s/%s/%s", home, home_tail, tail) : NULL;
}

void wd_config_read_files(struct wd_config *config, const struct wd_sources *sources, struct wd_findings *findings)
{
	if (sources->file) {
		read_place(config, sources->file, false, findings);
		return;
	}
	if (read_place(config, "/etc/seadog/seadog.conf", true, findings))
		return;
	WD_AUTO_FREE char *own = user_path(sources->environment, "XDG_CONFIG_HOME", ".config", "seadog/seadog.conf");
	if (own)
		read_place(config, own, true, findings);
}

static void set_default(struct wd_config *config, const char *key, const char *value)
{
	const struct wd_option *option = wd_option_find("seadog", key);
	struct wd_section *section = wd_config_open(config, "seadog", NULL, "built in");
	if (value && !wd_section_get(section, option) && wd_option_check(option, value, NULL))
		wd_section_set(section, option, value, "built in");
}

/* What systemd made for this unit (StateDirectory=, RuntimeDirectory=; systemd.exec(5)); of several the first. */
static char *unit_path(char *const *environment, const char *variable, const char *tail)
{
	const char *made = wd_environment_get(environment, variable);
	return made && made[0] == '/' ? wd_format("%.*s%s", (int)strcspn(made, ":"), made, tail) : NULL;
}

void wd_config_default_places(struct wd_config *config, char *const *environment, bool root)
{
	if (root)
		return;
	WD_AUTO_FREE char *state = unit_path(environment, "STATE_DIRECTORY", "");
	if (!state)
		state = user_path(environment, "XDG_STATE_HOME", ".local/state", "seadog");
	set_default(config, "state_dir", state);
	const struct wd_entry *kept =
		wd_section_get(wd_config_section(config, "seadog", NULL), wd_option_find("seadog", "state_dir"));
	WD_AUTO_FREE char *control = unit_path(environment, "RUNTIME_DIRECTORY", "/seadog.sock");
	if (!control)
		control = user_path(environment, "XDG_RUNTIME_DIR", NULL, "seadog/seadog.sock");
	if (!control && kept)
		control = wd_format("%s/seadog.sock", kept->value);
	set_default(config, "control", control);
}
