/* THE table: every option once. From it come the reader of files, environment, labels and command line, `seadog config`,
 * the example file and the manual. Keys whose feature is not built yet are here too, so that a file that has them is
 * checked and its owner is told. */
#include "config.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static_assert(offsetof(struct wd_settings, tilt_wait) == offsetof(struct wd_settings, tilt) + sizeof(wd_time),
	      "wd_kind_tilt writes both");

static const char *const modes[] = {"act", "observe", NULL};
static const char *const watches[] = {"all", "labelled", NULL};
static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const formats[] = {"text", "logfmt", "json", NULL};
static const char *const dependents[] = {"refuse", "cascade", NULL};
static const char *const consistencies[] = {"pause", "stop", "live", NULL};
static const char *const compressions[] = {"zstd", "none", NULL};
static const char *const schemes[] = {"http", "https", "smtp", "smtps", NULL};
static const char *const types[] = {"webhook",  "ntfy",  "gotify",  "discord",      "slack",
				    "telegram", "email", "apprise", "healthchecks", NULL};
static const char *const moments[] = {"opened", "step",  "closed",  "recovered", "held", "held_back",
				      "failed", "state", "warning", "all",       NULL};

#define OF(type, member) .place = 1 + offsetof(struct type, member), .room = sizeof(((struct type *)0)->member)
#define SETTING(member) OF(wd_settings, member)
#define POLICY(member) OF(wd_policy, member)
#define LADDER(trigger) POLICY(ladders[trigger])
#define SPAN(least, most) .low = (least), .high = (most)
#define PENDING .pending = true
#define SOCKET_PATH_MAX 107

const struct wd_option wd_options[] = {
	{"engine", "host", &wd_kind_host, NULL,
	 "The Engine's endpoint. Without it: DOCKER_HOST, the docker context in use, the usual sockets (rootless, "
	 "podman).",
	 SETTING(host)},
	{"engine", "write_host", &wd_kind_host, NULL,
	 "A second endpoint for changing calls, where a socket proxy splits the two.", SETTING(write_host)},
	{"engine", "tls_ca", &wd_kind_path, NULL, "The authority's certificate (PEM), for tcp://.", SETTING(tls_ca)},
	{"engine", "tls_cert", &wd_kind_path, NULL, "The client's certificate (PEM), for tcp://.", SETTING(tls_cert)},
	{"engine", "tls_key", &wd_kind_path, NULL, "The client's key (PEM), for tcp://.", SETTING(tls_key)},
	{"engine", "timeout", &wd_kind_span, "30s", "How long a call of the Engine may take.", SETTING(timeout),
	 SPAN(WD_SECOND, WD_HOUR)},

	{"seadog", "mode", &wd_kind_either, "act",
	 "act, or observe: say what would be done and do nothing by itself; what is asked for by hand is done.",
	 SETTING(observe), .words = modes},
	{"seadog", "watch", &wd_kind_either, "all", "all, or labelled: only containers with seadog.enable=true.",
	 SETTING(watch_labelled), .words = watches},
	{"seadog", "state_dir", &wd_kind_path, "/var/lib/seadog",
	 "What is remembered. For an ordinary user: $XDG_STATE_HOME/seadog.", SETTING(state_dir)},
	{"seadog", "control", &wd_kind_path, "/run/seadog/seadog.sock",
	 "The socket through which commands speak to the watchdog. For an ordinary user: "
	 "$XDG_RUNTIME_DIR/seadog/seadog.sock; where nobody listens there, commands ask the system's.",
	 SETTING(control), .high = SOCKET_PATH_MAX},
	{"seadog", "sample_interval", &wd_kind_span, "2s", "How often memory, CPU and pids are sampled.",
	 SETTING(sample_interval), SPAN(100 * WD_MILLISECOND, WD_HOUR)},
	{"seadog", "log_level", &wd_kind_choice, "info", "debug, info, warning or error.", SETTING(log_level),
	 .words = levels},
	{"seadog", "log_format", &wd_kind_choice, "text", "text, logfmt or json.", SETTING(log_format),
	 .words = formats},
	{"seadog", "keep_incidents", &wd_kind_span, "90d", "How long closed incidents are kept.",
	 SETTING(keep_incidents), SPAN(WD_HOUR, 3650 * WD_DAY)},

	{"http", "listen", &wd_kind_listen, "127.0.0.1:9790",
	 "Where the dashboard, the API, /metrics, /healthz and /readyz are served; off, or unix:///path.", PENDING},
	{"http", "token_file", &wd_kind_path, NULL, "A file with the token that changing requests need.", PENDING},

	{"safety", "max_actions", &wd_kind_rate, "10/1h",
	 "Never more than this many changing actions on the host; or off.", SETTING(max_actions)},
	{"safety", "mass_failure", &wd_kind_mass, "5, or 50% but at least 3, within 10s; wait 60s",
	 "Many services that break at once are the host's fault: wait and look again before acting on any; or off.",
	 SETTING(mass_failure)},
	{"safety", "grace", &wd_kind_span, "30s",
	 "After the Engine's start: look but do not act. After seadog's own: do not act on what is only inferred.",
	 SETTING(grace), SPAN(WD_MILLISECOND, WD_HOUR), .off = true},
	{"safety", "tilt", &wd_kind_tilt, "2s, wait 30s",
	 "When seadog's own loop was this late (suspend, a stopped process): look but do not act for so long; or off.",
	 .place = 1 + offsetof(struct wd_settings, tilt), .room = 2 * sizeof(wd_time),
	 SPAN(100 * WD_MILLISECOND, WD_HOUR)},
	{"safety", "never", &wd_kind_globs, "none",
	 "Names that are never touched. seadog itself and its socket proxy never are.", SETTING(never)},

	{"snapshots", "dir", &wd_kind_path, NULL,
	 "Where snapshots are kept; without it: snapshots/ in the state directory.", SETTING(snapshot_dir)},
	{"snapshots", "min_free", &wd_kind_reserve, "10%",
	 "How much of the file system a snapshot leaves free: a share or a size.", SETTING(min_free)},

	{"policy", "match", &wd_kind_match, NULL,
	 "Whom the policy is for: name:, image:, project:GLOB or label:KEY=GLOB; commas mean or, + means and. The "
	 "first "
	 "policy in file order that matches is the one. Only in [policy NAME].",
	 .no_label = true},
	{"policy", "restarts", &wd_kind_rates, "5/60s",
	 "Trips when N restarts fall within the window; the Engine's own waits do not count as part of it.",
	 POLICY(restarts)},
	{"policy", "flapping", &wd_kind_rates, "10/1h", "The same over a long window, in plain wall time: slow loops.",
	 POLICY(flapping)},
	{"policy", "exit", &wd_kind_codes, "off", "Exit codes that trip at the first crash.", POLICY(exit)},
	{"policy", "down", &wd_kind_span, "30s",
	 "A service that its restart policy wants up is down for this long, and nobody stopped it.", POLICY(down),
	 SPAN(WD_SECOND, 30 * WD_DAY), .off = true},
	{"policy", "ignore_exit", &wd_kind_codes, "none", "Exit codes that do not count as a crash.",
	 POLICY(ignore_exit)},
	{"policy", "oom", &wd_kind_rates, "3/10m", "OOM kills in a window.", POLICY(oom)},
	{"policy", "unhealthy", &wd_kind_span, "60s", "The health check fails for this long without a break.",
	 POLICY(unhealthy), SPAN(WD_SECOND, 30 * WD_DAY), .off = true},
	{"policy", "memory", &wd_kind_level, "95% for 60s",
	 "Memory above a share of the container's limit (of the host's memory where it has none) or a size, for so "
	 "long.",
	 POLICY(memory), .amount = WD_AMOUNT_SIZE},
	{"policy", "cpu", &wd_kind_level, "off", "CPU above a share of what it may use, for so long.", POLICY(cpu),
	 .amount = WD_AMOUNT_NONE},
	{"policy", "pids", &wd_kind_level, "off", "Processes above a share of its pids limit or a number, for so long.",
	 POLICY(pids), .amount = WD_AMOUNT_NUMBER},
	{"policy", "forecast", &wd_kind_span, "off",
	 "The memory trend says that the limit is reached within this time (leaks).", POLICY(forecast),
	 SPAN(WD_MINUTE, 30 * WD_DAY), .off = true},
	{"policy", "pressure", &wd_kind_pressure, "off", "Pressure stall information of memory, cpu or io (cgroup v2).",
	 POLICY(pressure)},

	{"policy", "on_restarts", &wd_kind_ladder, "stop",
	 "What is done when restarts trips, one action after the other.", LADDER(WD_TRIGGER_RESTARTS)},
	{"policy", "on_flapping", &wd_kind_ladder, "notify", "What is done when flapping trips.",
	 LADDER(WD_TRIGGER_FLAPPING)},
	{"policy", "on_exit", &wd_kind_ladder, "stop", "What is done when exit trips.", LADDER(WD_TRIGGER_EXIT)},
	{"policy", "on_down", &wd_kind_ladder, "notify", "What is done when down trips.", LADDER(WD_TRIGGER_DOWN)},
	{"policy", "on_oom", &wd_kind_ladder, "notify", "What is done when oom trips.", LADDER(WD_TRIGGER_OOM)},
	{"policy", "on_unhealthy", &wd_kind_ladder, "notify", "What is done when unhealthy trips.",
	 LADDER(WD_TRIGGER_UNHEALTHY)},
	{"policy", "on_memory", &wd_kind_ladder, "notify", "What is done when memory trips.",
	 LADDER(WD_TRIGGER_MEMORY)},
	{"policy", "on_cpu", &wd_kind_ladder, "notify", "What is done when cpu trips.", LADDER(WD_TRIGGER_CPU)},
	{"policy", "on_pids", &wd_kind_ladder, "notify", "What is done when pids trips.", LADDER(WD_TRIGGER_PIDS)},
	{"policy", "on_forecast", &wd_kind_ladder, "notify", "What is done when forecast trips.",
	 LADDER(WD_TRIGGER_FORECAST)},
	{"policy", "on_pressure", &wd_kind_ladder, "notify", "What is done when pressure trips.",
	 LADDER(WD_TRIGGER_PRESSURE)},

	{"policy", "verify", &wd_kind_span, "60s", "How long a container must run without a crash after an action.",
	 POLICY(verify), SPAN(WD_SECOND, WD_DAY)},
	{"policy", "cooldown", &wd_kind_span, "5m", "Between two incidents of a service that act.", POLICY(cooldown),
	 SPAN(WD_SECOND, 30 * WD_DAY), .off = true},
	{"policy", "good_after", &wd_kind_span, "10m", "An image that ran for so long without a crash is known good.",
	 POLICY(good_after), SPAN(WD_SECOND, 365 * WD_DAY)},
	{"policy", "pins_kept", &wd_kind_number, "2", "How many known good images are kept per service.",
	 POLICY(pins_kept), .low = 1, .high = 100},
	{"policy", "rollback_to", &wd_kind_image, NULL, "The image that rollback goes back to.", POLICY(rollback_to)},
	{"policy", "dependents", &wd_kind_either, "refuse",
	 "What a rollback does where others share the container's namespaces: refuse, or cascade.", POLICY(cascade),
	 .words = dependents},
	{"policy", "restore_max_age", &wd_kind_span, "36h", "A ladder never restores an older snapshot.",
	 SPAN(WD_MINUTE, 3650 * WD_DAY), .off = true, PENDING},
	{"policy", "snapshot_schedule", &wd_kind_schedule, "off",
	 "When snapshots are taken, and, where it is not off, once more when an image has become known good. Times are "
	 "local, changes of the clocks as cron has them; what was missed is caught up once.",
	 POLICY(snapshot_schedule)},
	{"policy", "snapshots_kept", &wd_kind_number, "7",
	 "How many snapshots are kept; behind each new one the others are deleted.", .low = 1, .high = 10000,
	 POLICY(keeping.newest)},
	{"policy", "keep_daily", &wd_kind_number, "0", "Of how many days one snapshot is kept.", .high = 10000,
	 POLICY(keeping.daily)},
	{"policy", "keep_weekly", &wd_kind_number, "0", "Of how many weeks one snapshot is kept.", .high = 10000,
	 POLICY(keeping.weekly)},
	{"policy", "keep_monthly", &wd_kind_number, "0", "Of how many months one snapshot is kept.", .high = 10000,
	 POLICY(keeping.monthly)},
	{"policy", "snapshot_consistency", &wd_kind_choice, "pause",
	 "What happens to the container until its data is read: pause, stop or live.", .words = consistencies,
	 POLICY(snapshot_consistency)},
	{"policy", "snapshot_compress", &wd_kind_either, "zstd", "How archives are compressed: zstd or none.",
	 .words = compressions, POLICY(snapshot_plain)},
	{"policy", "snapshot_binds", &wd_kind_paths, "none",
	 "Bind mounts that belong to the snapshot, beside the volumes.", .no_label = true, POLICY(snapshot_binds)},
	{"policy", "snapshot_on_change", &wd_kind_flag, "no",
	 "Whether one is taken when the service is about to be replaced.", PENDING},
	{"policy", "snapshot_before", &wd_kind_hook, NULL, "hook:NAME runs first; if it fails, no snapshot.",
	 .no_label = true, POLICY(snapshot_before)},
	{"policy", "audit_ignore", &wd_kind_names, "none", "Checks of `seadog audit` that do not apply.", PENDING},

	{"hook", "command", &wd_kind_command, NULL,
	 "What hook:NAME runs, with the incident as JSON on its standard input. No shell is between.",
	 .no_label = true},
	{"hook", "timeout", &wd_kind_span, "30s", "How long it may run; then it is killed with what it has started.",
	 SPAN(WD_SECOND, WD_HOUR)},

	{"notify", "type", &wd_kind_choice, NULL, "Who is spoken to.", .words = types, PENDING},
	{"notify", "url", &wd_kind_url, NULL, "Where to.", .words = schemes, PENDING},
	{"notify", "url_file", &wd_kind_path, NULL, "A file with the URL.", PENDING},
	{"notify", "token_file", &wd_kind_path, NULL, "A file with the token.", PENDING},
	{"notify", "user", &wd_kind_text, NULL, "The user's name.", PENDING},
	{"notify", "password_file", &wd_kind_path, NULL, "A file with the password.", PENDING},
	{"notify", "topic", &wd_kind_text, NULL, "ntfy: the topic, where the URL does not name it.", PENDING},
	{"notify", "chat", &wd_kind_text, NULL, "telegram: the chat.", PENDING},
	{"notify", "from", &wd_kind_text, NULL, "email: the sender.", PENDING},
	{"notify", "to", &wd_kind_text, NULL, "email: who gets it, with commas between them.", PENDING},
	{"notify", "priority", &wd_kind_number, NULL, "How loud: ntfy 1 to 5, gotify 0 to 10.", .high = 10, PENDING},
	{"notify", "when", &wd_kind_moments, "opened, closed, failed", "At which moments.", .words = moments, PENDING},

	{.key = NULL},
};

const struct wd_option *wd_option_find(const char *section, const char *key)
{
	for (const struct wd_option *option = wd_options; option->key; option++)
		if (strcmp(option->section, section) == 0 && strcmp(option->key, key) == 0)
			return option;
	return NULL;
}

const char *wd_option_nearest(const char *section, const char *key)
{
	const char *words[sizeof(wd_options) / sizeof(wd_options[0])];
	size_t count = 0;
	for (const struct wd_option *option = wd_options; option->key; option++)
		if (strcmp(option->section, section) == 0)
			words[count++] = option->key;
	return wd_text_nearest(key, words, count);
}

static void release(const struct wd_option *option, void *value)
{
	if (option->kind->done)
		option->kind->done(value);
}

/* A part of a list is named in front of what is wrong with it; where it is the whole value, the caller has named it. */
static bool drop_repetition(const char *text, struct wd_error *error)
{
	size_t length = strlen(text);
	if (error && strncmp(error->text, text, length) == 0 && strncmp(error->text + length, ": ", 2) == 0)
		memmove(error->text, error->text + length + 2, strlen(error->text + length + 2) + 1);
	return false;
}

bool wd_option_check(const struct wd_option *option, const char *text, struct wd_error *error)
{
	_Alignas(max_align_t) char value[WD_VALUE_MAX];
	if (text[0] == '\0')
		return wd_fail(error, WD_ERROR_USAGE, "has no value: give it one or leave the key out");
	if (!option->kind->parse(option, text, value, error))
		return drop_repetition(text, error);
	release(option, value);
	return true;
}

void wd_option_store(const struct wd_option *option, const char *text, void *ret_struct)
{
	_Alignas(max_align_t) char value[WD_VALUE_MAX];
	bool sound = option->kind->parse(option, text, value, NULL);
	assert(sound && option->place && option->room == option->kind->size);
	if (sound)
		memcpy((char *)ret_struct + option->place - 1, value, option->kind->size);
}

void wd_option_hooks(const struct wd_option *option, const char *text, struct wd_list *ret_names)
{
	struct wd_list rungs = {0};
	if (option->kind == &wd_kind_ladder || option->kind == &wd_kind_hook)
		wd_list_split(&rungs, text, ',');
	for (size_t i = 0; i < rungs.count; i++)
		if (wd_text_starts(rungs.items[i], "hook:"))
			wd_list_add(ret_names, rungs.items[i] + 5);
	wd_list_done(&rungs);
}

/* What this version can carry out. */
static bool is_pending(enum wd_action action)
{
	return action == WD_ACTION_RESTORE || action == WD_ACTION_ROLLBACK_RESTORE;
}

const char *wd_option_pending_rung(const struct wd_option *option, const char *text)
{
	struct wd_ladder ladder;
	const char *name = NULL;
	if (option->kind != &wd_kind_ladder || option->pending || !option->kind->parse(option, text, &ladder, NULL))
		return NULL;
	for (unsigned i = 0; !name && i < ladder.count; i++)
		if (is_pending(ladder.rungs[i].action))
			name = wd_action_name(ladder.rungs[i].action);
	release(option, &ladder);
	return name;
}

size_t wd_option_count(void)
{
	return sizeof(wd_options) / sizeof(wd_options[0]) - 1;
}

struct wd_option_help wd_option_at(size_t index)
{
	const struct wd_option *option = &wd_options[index];
	return (struct wd_option_help){
		.section = option->section,
		.key = option->key,
		.type = option->kind->name,
		.form = option->kind->hint,
		.fallback = option->fallback,
		.help = option->help,
		.label = strcmp(option->section, "policy") == 0 && !option->no_label,
		.pending = option->pending,
	};
}
