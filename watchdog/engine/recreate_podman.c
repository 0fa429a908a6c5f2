/* Podman's inspect in Docker's words. It is made from what runs, so it shows what the runtime added, and leaves out some
 * of what was given: that is refused by what Podman's own inspect says it was made with. */
#include <string.h>
#include <strings.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

/* ---- what the runtime added ---- */

static bool is_added(const char *entry, const char *hostname, const char *short_id)
{
	static const char *const fixed[] = {
		"container=podman", "container=oci", "TERM=xterm", "HOME=", "HOME=/", "HOME=/root"};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(entry, fixed[i]) == 0)
			return true;
	return wd_text_starts(entry, "HOSTNAME=") &&
	       (strcmp(entry + 9, hostname) == 0 || strcmp(entry + 9, short_id) == 0);
}

static void normalise_env(struct wd_json *config, const char *id)
{
	struct wd_json *env = wd_json_get(config, "Env");
	const char *hostname = wd_tree_string(config, "Hostname");
	WD_AUTO_FREE char *short_id = wd_copy_part(id, strnlen(id, WD_SHORT_ID));

	for (struct wd_json *entry = wd_json_first(env); entry;)
		entry = is_added(wd_json_string(entry, ""), hostname, short_id) ? wd_json_drop(env, entry)
										: wd_json_next(entry);
}

/* A number, where Docker keeps the word that was given; 15 is the default. */
static void normalise_signal(struct wd_json *config)
{
	static const struct {
		const char *number, *name;
	} signals[] = {{"15", ""},       {"1", "SIGHUP"},   {"2", "SIGINT"},   {"3", "SIGQUIT"},
		       {"9", "SIGKILL"}, {"10", "SIGUSR1"}, {"12", "SIGUSR2"}, {"28", "SIGWINCH"}};
	const char *shown = wd_tree_string(config, "StopSignal");

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcmp(shown, signals[i].number) == 0) {
			wd_json_set_string(config, "StopSignal", signals[i].name);
			return;
		}
}

/* ---- HostConfig ---- */

static void drop_word(struct wd_json *host, const char *name, const char *word)
{
	if (strcmp(wd_tree_string(host, name), word) == 0)
		wd_json_set_string(host, name, "");
}

static void normalise_limits(struct wd_json *host)
{
	struct wd_json *ulimits = wd_json_get(host, "Ulimits");

	if (wd_json_int(wd_json_get(host, "NanoCpus"), 0) && wd_json_int(wd_json_get(host, "CpuPeriod"), 0) == 100000) {
		wd_json_set_int(host, "CpuPeriod", 0);
		wd_json_set_int(host, "CpuQuota", 0);
	}
	for (struct wd_json *limit = wd_json_first(ulimits); limit; limit = wd_json_next(limit)) {
		const char *name = wd_tree_string(limit, "Name");

		if (!wd_text_starts(name, "RLIMIT_"))
			continue;
		WD_AUTO_FREE char *plain = wd_copy(name + strlen("RLIMIT_"));

		for (char *at = plain; *at; at++)
			*at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
		wd_json_set_string(limit, "Name", plain);
	}
}

/* It says "bridge" whatever the network; the default network is called podman. */
static void normalise_mode(struct wd_json *host, const struct wd_json *endpoints)
{
	const struct wd_json *first = wd_json_first(endpoints);

	if (strcmp(wd_tree_string(host, "NetworkMode"), "bridge") == 0 && first && wd_json_name(first) &&
	    wd_json_get(endpoints, "bridge") == NULL)
		wd_json_set_string(host, "NetworkMode",
				   wd_json_get(endpoints, "podman") ? "podman" : wd_json_name(first));
}

/* Podman's own notes of what else is in the inspect, and of the image's signal: it makes them anew. */
static void normalise_annotations(struct wd_json *host)
{
	static const char *const own[] = {"io.container.manager", "io.podman.annotations.",
					  "org.opencontainers.image.stopSignal", "org.systemd.property."};
	struct wd_json *annotations = wd_json_get(host, "Annotations");

	for (struct wd_json *entry = wd_json_first(annotations), *next; entry; entry = next) {
		bool drop = false;

		next = wd_json_next(entry);
		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			drop |= wd_text_starts(wd_json_name(entry), own[i]);
		if (drop)
			wd_json_drop(annotations, entry);
	}
}

struct wd_json *wd_recreate_podman(const struct wd_json *inspect)
{
	static const char *const modes[] = {"PidMode", "UTSMode", "UsernsMode", "CgroupnsMode"};
	struct wd_json *normal = wd_json_clone(inspect);
	struct wd_json *config = wd_json_get(normal, "Config"), *host = wd_json_get(normal, "HostConfig");

	if (wd_json_is_object(config)) {
		normalise_env(config, wd_tree_string(normal, "Id"));
		normalise_signal(config);
	}
	if (!wd_json_is_object(host))
		return normal;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		drop_word(host, modes[i], "private");
	drop_word(host, "IpcMode", "shareable");
	if (strcmp(wd_tree_string(host, "Runtime"), "oci") == 0)
		wd_json_remove(host, "Runtime");
	wd_json_remove(host, "MemorySwappiness");
	normalise_limits(host);
	normalise_annotations(host);
	normalise_mode(host, wd_json_path(normal, "NetworkSettings.Networks"));
	return normal;
}

/* ---- refusals ---- */

/* What was asked for and is not shown: it would be lost, and nothing would tell. */
static const char *find_lossy(const struct wd_json *command)
{
	static const char *const options[] = {
		"--ip",       "--ip6",      "--mac-address", "--sysctl", "--log-opt",
		"--secret",   "--pod",      "--uidmap",      "--gidmap", "--subuidname",
		"--tz",       "--umask",    "--storage-opt", "--gpus",   "--device-cgroup-rule",
		"--requires", "--sdnotify", "--userns"};

	for (const struct wd_json *word = wd_json_first(command); word; word = wd_json_next(word)) {
		const char *text = wd_json_string(word, "");
		size_t length = strcspn(text, "=");

		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
			if (strlen(options[i]) == length && strncmp(text, options[i], length) == 0)
				return options[i];
	}
	return NULL;
}

static bool modes_are_known(const struct wd_json *host, struct wd_error *error)
{
	static const char *const modes[] = {"NetworkMode", "IpcMode",    "PidMode",
					    "UTSMode",     "UsernsMode", "CgroupnsMode"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (wd_text_starts(wd_tree_string(host, modes[i]), "ns:"))
			return wd_fail(error, WD_ERROR_REFUSED, "it shares a namespace by its path (%s)", modes[i]);
	return true;
}

bool wd_recreate_podman_permitted(const struct wd_recreate_source *source, struct wd_error *error)
{
	const struct wd_json *host = wd_json_get(source->inspect, "HostConfig");

	if (source->libpod == NULL)
		return wd_fail(error, WD_ERROR_REFUSED,
			       "Podman does not show all that a container was made with: it cannot be made again");
	const struct wd_json *command = wd_json_path(source->libpod, "Config.CreateCommand");
	const char *lossy = find_lossy(command);

	if (lossy)
		return wd_fail(error, WD_ERROR_REFUSED, "Podman does not show what was given by %s", lossy);
	if (*wd_tree_string(source->libpod, "Pod") || wd_json_bool(wd_json_get(source->libpod, "IsInfra"), false))
		return wd_fail(error, WD_ERROR_REFUSED, "it is part of a pod");
	if (wd_json_first(wd_json_path(source->libpod, "Config.Secrets")))
		return wd_fail(error, WD_ERROR_REFUSED, "Podman does not show its secrets");
	if (wd_json_first(wd_json_get(host, "Links")))
		return wd_fail(error, WD_ERROR_REFUSED, "Podman does not take links");
	if (!wd_json_first(command))
		return wd_fail(error, WD_ERROR_REFUSED, "it was made through the API: with what, Podman does not show");
	return modes_are_known(host, error);
}
