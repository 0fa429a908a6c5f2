/* GET /containers/{id}/json. What is missing or null is what the Engine means by leaving it out; what is of another
 * type than the API's is an error only where acting on a guess would hit the wrong container. */
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <watchdog/map.h>
#include <watchdog/memory.h>
#include <watchdog/recreate.h>
#include <watchdog/wire.h>

#include "wire_id.h"

#define SIGTERM_NUMBER 15
#define SIGRTMIN_NUMBER 34 /* the Engine's numbers, whatever the C library here keeps for itself */
#define SIGRTMAX_NUMBER 64
#define PATIENCE_MAX (15 * WD_MINUTE)
#define STOP_TIMEOUT_DEFAULT (10 * WD_SECOND)
#define STOP_TIMEOUT_ENDLESS (10 * WD_MINUTE) /* -1: the Engine waits for ever; a plan does not */
#define STOP_TIMEOUT_MAX WD_DAY

#define LABEL_PROJECT "com.docker.compose.project"
#define LABEL_SERVICE "com.docker.compose.service"
#define LABEL_NUMBER "com.docker.compose.container-number"
#define LABEL_ONE_OFF "com.docker.compose.oneoff"
#define LABEL_SWARM_TASK "com.docker.swarm.task.id"

static const char *get_string(const struct wd_json *object, const char *path, const char *fallback)
{
	return wd_json_string(wd_json_path(object, path), fallback);
}

static int64_t get_int(const struct wd_json *object, const char *path, int64_t low, int64_t high)
{
	int64_t number = wd_json_int(wd_json_path(object, path), 0);
	return number < low ? low : number > high ? high : number;
}

static wd_stamp get_stamp(const struct wd_json *object, const char *path)
{
	wd_stamp stamp;
	return wd_stamp_parse(get_string(object, path, ""), &stamp, NULL) ? stamp : WD_STAMP_NONE;
}

/* Labels. A name with dots is looked up by hand: wd_json_path() would take it apart. */

static const struct wd_json *get_labels(const struct wd_json *inspect)
{
	return wd_json_path(inspect, "Config.Labels");
}

/* What a policy can be picked by: any label, but a huge one is no selector and is not kept for each container. */
#define LABEL_MOST 256

static bool matters(const struct wd_json *label)
{
	const char *key = wd_json_name(label), *value = wd_json_string(label, NULL);

	if (value == NULL || wd_text_starts(key, "seadog."))
		return value != NULL;
	return strlen(key) <= LABEL_MOST && strlen(value) <= LABEL_MOST;
}

/* Labels by name, the first of two of one name. An image can bring a quarter of a million of them, so nothing here may
 * look one up by walking them all. */
static struct wd_map *index_labels(const struct wd_json *labels)
{
	struct wd_map *map = wd_map_new();
	for (struct wd_json *label = wd_json_first(labels); label; label = wd_json_next(label))
		if (matters(label) && wd_map_get(map, wd_json_name(label)) == NULL)
			wd_map_set(map, wd_json_name(label), label);
	return map;
}

static void add_given(struct wd_container *container, const struct wd_map *own, const struct wd_map *inherited)
{
	container->labels = wd_alloc(wd_map_count(own) + 1, sizeof(*container->labels));
	for (struct wd_map_entry *entry = wd_map_first(own); entry; entry = wd_map_next(entry)) {
		const char *key = wd_map_key(entry);
		const char *value = wd_json_string(wd_map_value(entry), NULL);
		const char *old = wd_json_string(wd_map_get(inherited, key), NULL);
		if (value != NULL && (old == NULL || strcmp(old, value) != 0))
			container->labels[container->label_count++] = (struct wd_label){wd_copy(key), wd_copy(value)};
	}
}

static void read_labels(struct wd_container *container, const struct wd_json *labels,
			const struct wd_json *image_labels)
{
	if (image_labels == NULL || !wd_json_is_object(labels))
		return;
	struct wd_map *own = index_labels(labels), *inherited = index_labels(image_labels);
	add_given(container, own, inherited);
	wd_map_free(own);
	wd_map_free(inherited);
}

bool wd_wire_needs_image(const struct wd_json *inspect)
{
	const struct wd_json *labels = get_labels(inspect);
	if (!wd_json_is_object(labels))
		return false;
	for (struct wd_json *label = wd_json_first(labels); label; label = wd_json_next(label))
		if (matters(label))
			return true;
	return false;
}

struct wd_json *wd_wire_image_labels(const struct wd_json *image)
{
	if (!wd_json_is_string(wd_json_get(image, "Id")))
		return NULL;
	const struct wd_json *labels = get_labels(image);
	return wd_json_is_object(labels) ? wd_json_clone(labels) : wd_json_object();
}

const char *wd_wire_image_id(const struct wd_json *inspect)
{
	const char *id = wd_json_string(wd_json_get(inspect, "Image"), NULL);
	if (id == NULL)
		return NULL;
	return wd_wire_is_id(wd_text_starts(id, "sha256:") ? id + strlen("sha256:") : id) ? id : NULL;
}

/* A part of an identity: two services must not meet in one because of a slash. */
static bool is_part(const char *text)
{
	if (text == NULL || *text == '\0')
		return false;
	for (; *text; text++)
		if (*text == '/' || (unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static char *find_service(const struct wd_container *container)
{
	const char *project = wd_container_label(container, LABEL_PROJECT);
	const char *service = wd_container_label(container, LABEL_SERVICE);
	const char *number = wd_container_label(container, LABEL_NUMBER);
	if (container->transient || !is_part(project) || !is_part(service) || !is_part(number))
		return wd_copy(container->name);
	return wd_format("%s/%s/%s", project, service, number);
}

/* Names that are nobody's */

static bool is_hex(const char *text, size_t length)
{
	return length > 0 && strspn(text, "0123456789abcdef") >= length;
}

static bool is_composes_name(const char *name)
{
	return strlen(name) > 13 && is_hex(name, 12) && name[12] == '_';
}

static bool is_transient(const struct wd_container *container, const struct wd_json *labels)
{
	const char *one_off = wd_container_label(container, LABEL_ONE_OFF);
	if (one_off != NULL && strcasecmp(one_off, "true") == 0)
		return true;
	return wd_spare_read(container->name, NULL, NULL) != WD_SPARE_NONE ||
	       (is_composes_name(container->name) && wd_json_get(labels, LABEL_PROJECT) != NULL);
}

/* State */

/* Podman's words that Docker has not, as its compatible API lets them through in some versions. */
static bool find_podman_state(const char *word, enum wd_state *ret_state)
{
	static const struct {
		const char *word;
		enum wd_state state;
	} words[] = {
		{"configured", WD_STATE_CREATED},
		{"initialized", WD_STATE_CREATED},
		{"stopped", WD_STATE_EXITED},
		{"stopping", WD_STATE_RUNNING},
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0) {
			*ret_state = words[i].state;
			return true;
		}
	return false;
}

static enum wd_state find_state(const struct wd_json *state)
{
	enum wd_state found;
	const char *word = get_string(state, "Status", "");
	if (wd_state_parse(word, &found) || find_podman_state(word, &found))
		return found;
	if (wd_json_bool(wd_json_get(state, "Restarting"), false))
		return WD_STATE_RESTARTING;
	if (wd_json_bool(wd_json_get(state, "Paused"), false))
		return WD_STATE_PAUSED;
	return wd_json_bool(wd_json_get(state, "Running"), false) ? WD_STATE_RUNNING : WD_STATE_UNKNOWN;
}

static enum wd_health find_health(const struct wd_json *state)
{
	const char *word = get_string(state, "Health.Status", "");
	for (enum wd_health health = WD_HEALTH_STARTING; health < WD_HEALTHS; health++)
		if (wd_text_equal(word, wd_health_name(health)))
			return health;
	return WD_HEALTH_NONE;
}

static void read_state(struct wd_container *container, const struct wd_json *state)
{
	const char *trouble = get_string(state, "Error", "");
	container->state = find_state(state);
	container->pid = (int)get_int(state, "Pid", 0, INT_MAX);
	container->exit_code = (int)get_int(state, "ExitCode", INT_MIN, INT_MAX);
	container->oom_killed = wd_json_bool(wd_json_get(state, "OOMKilled"), false);
	container->trouble = *trouble ? wd_copy(trouble) : NULL;
	container->started = get_stamp(state, "StartedAt");
	container->finished = get_stamp(state, "FinishedAt");
	container->health = find_health(state);
}

/* Config */

static bool has_check(const struct wd_json *check)
{
	const struct wd_json *test = wd_json_get(check, "Test");
	const char *kind = wd_json_string(wd_json_first(test), "");
	return wd_json_count(test) > 0 && strcmp(kind, "NONE") != 0;
}

/* A span of the check's settings, which are in nanoseconds; 0 is the Engine's default. */
static wd_time check_span(const struct wd_json *check, const char *name, wd_time fallback)
{
	int64_t nanoseconds = wd_json_int(wd_json_get(check, name), 0);
	wd_time span = nanoseconds <= 0 ? fallback : nanoseconds / 1000;
	return span < PATIENCE_MAX ? span : PATIENCE_MAX;
}

static wd_time find_patience(const struct wd_json *check)
{
	if (!has_check(check))
		return 0;
	int64_t retries = wd_json_int(wd_json_get(check, "Retries"), 0);
	if (retries <= 0)
		retries = 3;
	if (retries > PATIENCE_MAX / WD_MILLISECOND) /* the Engine's least interval is a millisecond */
		return PATIENCE_MAX;
	wd_time round = check_span(check, "Interval", 30 * WD_SECOND) + check_span(check, "Timeout", 30 * WD_SECOND);
	wd_time patience = check_span(check, "StartPeriod", 0) + round * retries;
	return patience < PATIENCE_MAX ? patience : PATIENCE_MAX;
}

static wd_time find_stop_timeout(const struct wd_json *config)
{
	const struct wd_json *timeout = wd_json_get(config, "StopTimeout");
	if (!wd_json_is_number(timeout))
		return STOP_TIMEOUT_DEFAULT;
	int64_t seconds = wd_json_int(timeout, 0);
	if (seconds < 0)
		return STOP_TIMEOUT_ENDLESS;
	return seconds < STOP_TIMEOUT_MAX / WD_SECOND ? seconds * WD_SECOND : STOP_TIMEOUT_MAX;
}

static int find_signal_name(const char *name)
{
	static const char *const names[] = {"HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",  "FPE",
					    "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM", "STKFLT",
					    "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",  "XCPU",
					    "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return (int)i + 1;
	return 0;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2" */
static int find_realtime_signal(const char *name)
{
	int64_t offset = 0;
	bool low = strncasecmp(name, "RTMIN", 5) == 0;
	if (!low && strncasecmp(name, "RTMAX", 5) != 0)
		return 0;
	if (name[5] != '\0' && (name[5] != (low ? '+' : '-') ||
				!wd_number_parse(name + 6, 0, SIGRTMAX_NUMBER - SIGRTMIN_NUMBER, &offset, NULL)))
		return 0;
	return low ? SIGRTMIN_NUMBER + (int)offset : SIGRTMAX_NUMBER - (int)offset;
}

static int find_signal(const char *text)
{
	int64_t number;
	if (wd_number_parse(text, 1, SIGRTMAX_NUMBER, &number, NULL))
		return (int)number;
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int signal = find_signal_name(name);
	if (signal == 0)
		signal = find_realtime_signal(name);
	return signal != 0 ? signal : SIGTERM_NUMBER;
}

static void read_config(struct wd_container *container, const struct wd_json *config)
{
	const struct wd_json *labels = wd_json_get(config, "Labels");
	container->image = wd_copy(get_string(config, "Image", ""));
	container->check_patience = find_patience(wd_json_get(config, "Healthcheck"));
	container->stop_timeout = find_stop_timeout(config);
	container->stop_signal = find_signal(get_string(config, "StopSignal", ""));
	container->spoofs_exit_code = wd_json_get(labels, "exitCode") != NULL;
	container->spoofs_signal = wd_json_get(labels, "signal") != NULL;
	container->swarm_task = wd_json_get(labels, LABEL_SWARM_TASK) != NULL;
}

/* HostConfig */

static void read_cpus(struct wd_container *container, const struct wd_json *host)
{
	container->cpus.quota = wd_json_int(wd_json_get(host, "CpuQuota"), 0);
	container->cpus.period = wd_json_int(wd_json_get(host, "CpuPeriod"), 0);
	container->cpus.nano = wd_json_int(wd_json_get(host, "NanoCpus"), 0);
}

static bool read_policy(struct wd_container *container, const struct wd_json *host, struct wd_error *error)
{
	const struct wd_json *name = wd_json_path(host, "RestartPolicy.Name");
	if (name != NULL && !wd_json_is_string(name) && !wd_json_is_null(name))
		return wd_fail(error, WD_ERROR_FAILED, "HostConfig.RestartPolicy.Name is no string");
	const char *word = wd_json_string(name, "");
	if (!wd_restart_parse(word, &container->policy.kind))
		return wd_fail(error, WD_ERROR_FAILED, "HostConfig.RestartPolicy.Name: unknown policy \"%.40s\"", word);
	if (container->policy.kind == WD_RESTART_ON_FAILURE)
		container->policy.retries = (unsigned)get_int(host, "RestartPolicy.MaximumRetryCount", 0, INT_MAX);
	container->auto_remove = wd_json_bool(wd_json_get(host, "AutoRemove"), false);
	return true;
}

static bool read_identity(struct wd_container *container, const struct wd_json *inspect, struct wd_error *error)
{
	const struct wd_json *id = wd_json_get(inspect, "Id"), *name = wd_json_get(inspect, "Name");
	if (!wd_json_is_object(inspect))
		return wd_fail(error, WD_ERROR_FAILED, "no JSON object");
	if (!wd_json_is_string(id))
		return wd_fail(error, WD_ERROR_FAILED, "Id is no string");
	if (!wd_wire_is_id(wd_json_string(id, "")))
		return wd_fail(error, WD_ERROR_FAILED, "Id is not 64 hexadecimal digits");
	if (name != NULL && !wd_json_is_string(name) && !wd_json_is_null(name))
		return wd_fail(error, WD_ERROR_FAILED, "Name is no string");
	const char *text = wd_json_string(name, "");
	text += *text == '/';
	container->id = wd_copy(wd_json_string(id, ""));
	container->name = *text ? wd_copy(text) : wd_copy_part(container->id, 12);
	return true;
}

struct wd_container *wd_wire_container(const struct wd_json *inspect, const struct wd_json *image_labels,
				       struct wd_error *error)
{
	struct wd_container *container = wd_alloc(1, sizeof(*container));
	if (!read_identity(container, inspect, error) ||
	    !read_policy(container, wd_json_get(inspect, "HostConfig"), error)) {
		wd_fail_in(error, "inspect");
		return wd_container_free(container);
	}
	read_cpus(container, wd_json_get(inspect, "HostConfig"));
	read_state(container, wd_json_get(inspect, "State"));
	read_config(container, wd_json_get(inspect, "Config"));
	read_labels(container, get_labels(inspect), image_labels);
	container->created = get_stamp(inspect, "Created");
	container->restart_count = (unsigned)get_int(inspect, "RestartCount", 0, INT_MAX);
	container->image_id = wd_copy(wd_json_string(wd_json_get(inspect, "Image"), ""));
	container->project = wd_copy(wd_container_label(container, LABEL_PROJECT));
	container->transient = is_transient(container, get_labels(inspect));
	container->service = find_service(container);
	return container;
}
