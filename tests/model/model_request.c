/* Calls: which way they go, what they need, and with what status they end (engine.md 8; fixtures). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model_inside.h"

#define GRACE_DEFAULT 10
#define BODY_MAX 700

/* A call that is being answered. Either it says how it ended, or it leaves a waiter behind. */
struct call {
	struct model *model;
	const char *method, *query;
	const struct wd_json *body;
	const char *bytes;
	size_t length;
	struct model_container *container;
	model_done *done;
	void *data;
	uint64_t ticket; /* not 0: the answer is to come */
};

static void answer_with(const struct call *call, int status, const char *type, char *body, size_t length)
{
	struct model_answer answer = {status, type, body, length};
	call->done(call->data, &answer);
	free(body);
}

static void answer_json(const struct call *call, int status, char *text)
{
	answer_with(call, status, "application/json", text, strlen(text));
}

static void answer(const struct call *call, int status)
{
	answer_with(call, status, NULL, wd_copy(""), 0);
}

static char *error_body(const struct model *model, int status, const char *message)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	if (model_is_podman(model))
		wd_json_set_string(json, "cause", message);
	wd_json_set_string(json, "message", message);
	if (model_is_podman(model))
		wd_json_set_int(json, "response", status);
	WD_AUTO_FREE char *text = wd_json_print(json);
	return wd_format("%s\n", text);
}

static void refuse(const struct call *call, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void refuse(const struct call *call, int status, const char *format, ...)
{
	char message[BODY_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	answer_json(call, status, error_body(call->model, status, message));
}

/* Waiters */

static void wait_for(struct call *call)
{
	struct model_waiter *waiter = wd_alloc(1, sizeof(*waiter));
	struct model_waiter **end = &call->container->waiters;
	while (*end)
		end = &(*end)->next;
	*waiter = (struct model_waiter){++call->model->tickets, call->done, call->data, NULL};
	*end = waiter;
	call->ticket = waiter->ticket;
}

static void answer_waiter(struct model *model, const struct model_waiter *waiter, int status, const char *message)
{
	struct call call = {.model = model, .done = waiter->done, .data = waiter->data};
	if (waiter->done == NULL)
		return;
	if (status >= 400)
		refuse(&call, status, "%s", message);
	else
		answer(&call, status);
}

void model_answer_waiters(struct model_container *container, int status, const char *message)
{
	struct model_waiter *waiter = container->waiters;
	container->waiters = NULL;
	while (waiter) {
		struct model_waiter *next = waiter->next;
		answer_waiter(container->model, waiter, status, message);
		free(waiter);
		waiter = next;
	}
}

void model_forget(struct model *model, uint64_t ticket)
{
	for (size_t i = 0; i < model->count; i++)
		for (struct model_waiter *waiter = model->containers[i]->waiters; waiter; waiter = waiter->next)
			if (waiter->ticket == ticket)
				waiter->done = NULL;
}

/* Queries */

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static char *unescape(const char *text, size_t length)
{
	struct wd_text plain = {0};
	for (size_t i = 0; i < length; i++) {
		char c = text[i] == '+' ? ' ' : text[i];
		if (c == '%' && i + 2 < length + 0 && isxdigit((unsigned char)text[i + 1]) &&
		    isxdigit((unsigned char)text[i + 2])) {
			c = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
			i += 2;
		}
		wd_text_put(&plain, &c, 1);
	}
	return wd_text_take(&plain);
}

char *model_query(const char *query, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = query; at && *at;) {
		size_t part = strcspn(at, "&");
		if (part > length && strncmp(at, name, length) == 0 && at[length] == '=')
			return unescape(at + length + 1, part - length - 1);
		at += part + (at[part] == '&');
	}
	return NULL;
}

static bool query_truth(const struct call *call, const char *name)
{
	WD_AUTO_FREE char *value = model_query(call->query, name);
	return value && *value && strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
}

/* t=: seconds of grace; the container's StopTimeout where it is not said. */
static bool query_grace(const struct call *call, wd_time *ret_grace)
{
	WD_AUTO_FREE char *value = model_query(call->query, "t");
	int64_t seconds = wd_json_int(wd_json_get(call->container->config, "StopTimeout"), GRACE_DEFAULT);
	if (value && !wd_number_parse(*value == '-' ? value + 1 : value, 0, 1000000, &seconds, NULL)) {
		refuse(call, 500, "strconv.Atoi: parsing \"%s\": invalid syntax", value);
		return false;
	}
	*ret_grace = (value && *value == '-') || seconds < 0 ? WD_NEVER - call->model->now : seconds * WD_SECOND;
	return true;
}

/* Stop, start, restart, kill */

static bool old_engine(const struct call *call)
{
	return call->model->flavour == MODEL_DOCKER_20;
}

static void post_stop(struct call *call)
{
	struct model_container *container = call->container;
	wd_time grace;
	if (!query_grace(call, &grace))
		return;
	if (!model_is_running(container)) {
		answer(call, 304);
		return;
	}
	if (container->state == WD_STATE_PAUSED && model_is_podman(call->model)) {
		refuse(call, 500, "container %s is paused", container->id);
		return;
	}
	wait_for(call);
	if (container->wish == WISH_NONE)
		model_stop(container, WISH_STOP, grace);
}

static void post_restart(struct call *call)
{
	struct model_container *container = call->container;
	wd_time grace;
	if (!query_grace(call, &grace))
		return;
	wait_for(call);
	if (model_is_podman(call->model))
		model_tell(container, "restart", NULL, NULL);
	if (model_is_running(container)) {
		model_stop(container, WISH_RESTART, grace);
		return;
	}
	bool started = model_start(container, true);
	if (started && !model_is_podman(call->model))
		model_tell(container, "restart", NULL, NULL);
	model_answer_waiters(container, started ? 204 : 500, started ? "" : container->trouble);
}

/* What a container that does not run is connected to is looked for when it is started. */
static const char *lost_network(const struct model_container *container)
{
	for (const struct wd_json *endpoint = wd_json_first(container->endpoints); endpoint;
	     endpoint = wd_json_next(endpoint))
		if (!model_has_network(container->model, wd_json_name(endpoint)))
			return wd_json_name(endpoint);
	return NULL;
}

static void post_start(struct call *call)
{
	struct model_container *container = call->container;
	const char *lost;
	if (container->state == WD_STATE_PAUSED)
		refuse(call, 409, "cannot start a paused container, try unpause instead");
	else if (model_is_running(container))
		answer(call, 304);
	else if ((lost = lost_network(container)))
		refuse(call, 404, "network %s not found", lost);
	else if (!model_start(container, true))
		refuse(call, 400, "%s", container->trouble);
	else
		answer(call, 204);
}

static int parse_signal(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"KILL", 9},
		       {"USR1", 10}, {"USR2", 12}, {"TERM", 15}, {"WINCH", 28}};
	int64_t number;
	if (text == NULL || *text == '\0')
		return 9;
	if (wd_number_parse(text, 1, 64, &number, NULL))
		return (int)number;
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcasecmp(name, signals[i].name) == 0)
			return signals[i].number;
	return 0;
}

static void post_kill(struct call *call)
{
	struct model_container *container = call->container;
	WD_AUTO_FREE char *text = model_query(call->query, "signal");
	int signal = parse_signal(text);
	if (signal == 0) {
		if (old_engine(call))
			refuse(call, 400, "Invalid signal: %s", text);
		else
			refuse(call, 400, "cannot kill container: %s: invalid signal: %s", container->name, text);
	} else if (!model_is_running(container)) {
		refuse(call, 409,
		       old_engine(call) ? "Cannot kill container: %s: Container %s is not running"
					: "cannot kill container: %s: container %s is not running",
		       container->name, container->id);
	} else if (signal == 9) {
		wait_for(call);
		model_kill(container, signal);
	} else {
		model_kill(container, signal);
		answer(call, 204);
	}
}

static void post_pause(struct call *call)
{
	struct model_container *container = call->container;
	if (container->state == WD_STATE_RESTARTING)
		refuse(call, 409, "Container %s is restarting, wait until the container is running", container->id);
	else if (container->state == WD_STATE_PAUSED)
		refuse(call, model_is_podman(call->model) ? 500 : 409, "Container %s is already paused", container->id);
	else if (container->state != WD_STATE_RUNNING)
		refuse(call, 409, "Container %s is not running", container->id);
	else {
		container->state = WD_STATE_PAUSED;
		container->paused_since = call->model->now;
		model_tell(container, "pause", NULL, NULL);
		answer(call, 204);
	}
}

static void post_unpause(struct call *call)
{
	struct model_container *container = call->container;
	if (container->state != WD_STATE_PAUSED) {
		refuse(call, 500, "Container %s is not paused", container->id);
		return;
	}
	model_unpause(container);
	answer(call, 204);
}

/* Update */

/* False: answered with what is wrong. */
static bool check_policy(const struct call *call, const struct wd_json *policy, struct wd_restart_policy *ret_policy)
{
	const char *name = wd_json_string(wd_json_get(policy, "Name"), "");
	int64_t retries = wd_json_int(wd_json_get(policy, "MaximumRetryCount"), 0);
	if (!wd_restart_parse(name, &ret_policy->kind)) {
		if (old_engine(call))
			refuse(call, 400, "invalid restart policy '%s'", name);
		else
			refuse(call, 400,
			       "invalid restart policy: unknown policy '%s'; use one of 'no', 'always', "
			       "'on-failure', or 'unless-stopped'",
			       name);
		return false;
	}
	if (retries < 0 || (retries > 0 && ret_policy->kind != WD_RESTART_ON_FAILURE)) {
		if (old_engine(call))
			refuse(call, 400, "maximum retry count cannot be used with restart policy '%s'", name);
		else
			refuse(call, 400,
			       "invalid restart policy: maximum retry count can only be used with 'on-failure'");
		return false;
	}
	ret_policy->retries = (unsigned)retries;
	return true;
}

static bool loses_race(const struct call *call)
{
	const struct model_container *container = call->container;
	wd_time end = container->due[TIMER_EXIT];
	return call->model->update_race && container->state == WD_STATE_RUNNING && end != WD_NEVER &&
	       end - container->run_since < WD_SECOND;
}

static void set_policy(struct wd_json *host, struct wd_restart_policy policy)
{
	struct wd_json *object = wd_json_set(host, "RestartPolicy", wd_json_object());
	wd_json_set_string(object, "Name", wd_restart_name(policy.kind));
	wd_json_set_int(object, "MaximumRetryCount", policy.retries);
}

static void set_resources(struct wd_json *host, const struct wd_json *body)
{
	static const char *const names[] = {"Memory", "MemorySwap", "NanoCpus", "CpuQuota", "CpuPeriod", "CpuShares"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t value = wd_json_int(wd_json_get(body, names[i]), 0);
		if (value != 0)
			wd_json_set_int(host, names[i], value);
	}
}

/* NanoCpus are quota and period by another name, so the Engine takes either (moby container_unix.go). */
static const char *conflict(const struct wd_json *host, const struct wd_json *body)
{
	bool quota = wd_json_int(wd_json_get(host, "CpuQuota"), 0) > 0;
	bool period = wd_json_int(wd_json_get(host, "CpuPeriod"), 0) > 0;
	bool nano = wd_json_int(wd_json_get(host, "NanoCpus"), 0) > 0;

	if (wd_json_int(wd_json_get(body, "NanoCpus"), 0) > 0 && (quota || period))
		return quota ? "Nano CPUs cannot be updated as CPU Quota has already been set"
			     : "Nano CPUs cannot be updated as CPU Period has already been set";
	if (nano && wd_json_int(wd_json_get(body, "CpuQuota"), 0) > 0)
		return "CPU Quota cannot be updated as NanoCPUs has already been set";
	if (nano && wd_json_int(wd_json_get(body, "CpuPeriod"), 0) > 0)
		return "CPU Period cannot be updated as NanoCPUs has already been set";
	return NULL;
}

static void post_update(struct call *call)
{
	struct model_container *container = call->container;
	const struct wd_json *said = wd_json_get(call->body, "RestartPolicy");
	struct wd_restart_policy policy = {WD_RESTART_NO, 0};
	bool change = *wd_json_string(wd_json_get(said, "Name"), "") != '\0';
	if (change && !check_policy(call, said, &policy))
		return;
	if (change && policy.kind != WD_RESTART_NO && wd_json_bool(wd_json_get(container->host, "AutoRemove"), false)) {
		refuse(call, 409, "Restart policy cannot be updated because AutoRemove is enabled for the container");
		return;
	}
	const char *against = conflict(container->host, call->body);
	if (against) {
		refuse(call, 409, "Cannot update container %s: Conflicting options: %s", container->id, against);
		return;
	}
	if (change)
		container->policy = policy;
	if (loses_race(call)) {
		if (!old_engine(call))
			model_tell(container, "update", NULL, NULL);
		refuse(call, 500, "Cannot update container %s: cannot update a stopped container: unknown",
		       container->id);
		return;
	}
	if (change)
		set_policy(container->host, policy);
	set_resources(container->host, call->body);
	model_tell(container, "update", NULL, NULL);
	answer_json(call, 200, wd_copy("{\"Warnings\":null}\n"));
}

void model_set_update_race(struct model *model, bool on)
{
	model->update_race = on;
}

/* Rename, delete, create */

static void refuse_name(const struct call *call, const char *name, bool rename)
{
	const struct model_container *holder = wd_map_get(call->model->by_name, name);
	refuse(call, 409,
	       "%sConflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove (or "
	       "rename) that container to be able to reuse that name.",
	       rename ? "Error when allocating new name: " : "", name, holder->id);
}

static bool good_name(const char *name)
{
	if (!isalnum((unsigned char)*name) || strlen(name) < 2)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

static void post_rename(struct call *call)
{
	struct model_container *container = call->container;
	WD_AUTO_FREE char *said = model_query(call->query, "name");
	const char *name = said ? said + (*said == '/') : "";
	if (!good_name(name)) {
		refuse(call, *name ? 400 : 500,
		       *name ? "Invalid container name (%s)" : "Neither old nor new names may be empty%s", name);
	} else if (strcmp(name, container->name) == 0) {
		refuse(call, 400, "Renaming a container with the same name as its current name");
	} else if (wd_map_get(call->model->by_name, name)) {
		refuse_name(call, name, true);
	} else if (container->state == WD_STATE_RESTARTING && !model_is_podman(call->model)) {
		refuse(call, 404, "sandbox %.12s not found", container->id);
	} else {
		WD_AUTO_FREE char *old = wd_format("/%s", container->name);
		wd_map_remove(call->model->by_name, container->name);
		wd_replace(&container->name, name);
		wd_map_set(call->model->by_name, container->name, container);
		model_tell(container, "rename", "oldName", old);
		answer(call, 204);
	}
}

static void delete_container(struct call *call)
{
	struct model_container *container = call->container;
	bool running = model_is_running(container);
	if (running && !query_truth(call, "force")) {
		if (old_engine(call))
			refuse(call, 409,
			       "You cannot remove a %s container %s. Stop the container before attempting "
			       "removal or force remove",
			       wd_state_name(container->state), container->id);
		else
			refuse(call, 409,
			       "cannot remove container \"/%s\": container is %s: stop the container before "
			       "removing or force remove",
			       container->name, wd_state_name(container->state));
		return;
	}
	if (query_truth(call, "v"))
		model_drop_volumes(container);
	if (running) {
		wait_for(call);
		container->wish = WISH_REMOVE;
		model_kill(container, 9);
		return;
	}
	model_tell(container, model_is_podman(call->model) ? "remove" : "destroy", NULL, NULL);
	model_answer_waiters(container, 204, "");
	model_container_drop(container);
	answer(call, 204);
}

static bool has_variable(const struct wd_json *list, const char *variable)
{
	size_t length = strcspn(variable, "=");
	for (struct wd_json *item = wd_json_first(list); item; item = wd_json_next(item)) {
		const char *text = wd_json_string(item, "");
		if (strncmp(text, variable, length) == 0 && (text[length] == '=' || text[length] == '\0'))
			return true;
	}
	return false;
}

static void merge_variables(struct wd_json *own, const struct wd_json *image)
{
	for (struct wd_json *item = wd_json_first(image); item; item = wd_json_next(item))
		if (!has_variable(own, wd_json_string(item, "")))
			wd_json_add(own, wd_json_clone(item));
}

static void merge_members(struct wd_json *own, const struct wd_json *image)
{
	for (struct wd_json *member = wd_json_first(image); member; member = wd_json_next(member))
		if (!wd_json_get(own, wd_json_name(member)))
			wd_json_set(own, wd_json_name(member), wd_json_clone(member));
}

static struct wd_json *merge_labels(const struct wd_json *image, const struct wd_json *given)
{
	struct wd_json *labels = wd_json_object();
	for (struct wd_json *label = wd_json_first(image); label; label = wd_json_next(label))
		wd_json_set_string(labels, wd_json_name(label), wd_json_string(label, ""));
	for (struct wd_json *label = wd_json_first(given); label; label = wd_json_next(label))
		wd_json_set_string(labels, wd_json_name(label), wd_json_string(label, ""));
	return labels;
}

/* What the body does not say, the image does. A command of one's own keeps the entrypoint, an entrypoint of one's own
 * does not keep the command (moby daemon/commit.go, merge). */
static void merge_config(struct wd_json *config, const struct wd_json *image)
{
	bool entered = wd_json_count(wd_json_get(config, "Entrypoint")) > 0;
	bool reset = wd_json_count(wd_json_get(config, "Entrypoint")) == 1 &&
		     !*wd_json_string(wd_json_first(wd_json_get(config, "Entrypoint")), "x");
	for (struct wd_json *member = wd_json_first(image); member; member = wd_json_next(member)) {
		const char *name = wd_json_name(member);
		struct wd_json *own = wd_json_get(config, name);
		bool list = strcmp(name, "Env") == 0;
		if (strcmp(name, "Cmd") == 0 && entered)
			continue;
		if (!own || wd_json_is_null(own) ||
		    (!wd_json_is_array(own) && !wd_json_is_object(own) && !*wd_json_string(own, "x")) ||
		    (wd_json_is_array(own) && wd_json_count(own) == 0 && strcmp(name, "Entrypoint") != 0))
			wd_json_set(config, name, wd_json_clone(member));
		else if (list)
			merge_variables(own, member);
		else if (wd_json_is_object(own))
			merge_members(own, member);
	}
	if (reset)
		wd_json_set_null(config, "Entrypoint");
}

static void configure(struct model_container *container, const struct wd_json *body)
{
	const struct wd_json *labels = wd_json_get(body, "Labels");
	container->config = body ? wd_json_clone(body) : wd_json_object();
	container->host = wd_json_is_object(wd_json_get(body, "HostConfig"))
				  ? wd_json_clone(wd_json_get(body, "HostConfig"))
				  : wd_json_object();
	wd_json_remove(container->config, "HostConfig");
	wd_json_remove(container->config, "NetworkingConfig");
	merge_config(container->config, container->image->config);
	wd_json_set(container->config, "Labels", merge_labels(container->image->labels, labels));
	set_policy(container->host, model_policy_on_disk(container));
	container->policy = model_policy_on_disk(container);
	container->endpoints = wd_json_object();
	model_place_networks(container, body);
	model_place_volumes(container);
}

static bool has_command(const struct call *call, const struct model_image *image)
{
	return wd_json_count(wd_json_get(call->body, "Cmd")) || wd_json_count(wd_json_get(call->body, "Entrypoint")) ||
	       wd_json_count(wd_json_get(image->config, "Cmd")) ||
	       wd_json_count(wd_json_get(image->config, "Entrypoint"));
}

/* One endpoint at the most below API 1.44. */
static bool has_too_many_networks(const struct call *call)
{
	return old_engine(call) && wd_json_count(wd_json_path(call->body, "NetworkingConfig.EndpointsConfig")) > 1;
}

static void post_create(struct call *call)
{
	struct wd_restart_policy policy;
	char unnamed[32];
	WD_AUTO_FREE char *said = model_query(call->query, "name");
	const char *image_name = wd_json_string(wd_json_get(call->body, "Image"), "");
	struct model_image *image = model_find_image(call->model, image_name);
	snprintf(unnamed, sizeof(unnamed), "unnamed_%llu", (unsigned long long)call->model->ids);
	const char *name = said && *said ? said + (*said == '/') : unnamed;
	if (!good_name(name)) {
		refuse(call, 400, "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
	} else if (image == NULL) {
		refuse(call, 404, "No such image: %s", image_name);
	} else if (has_too_many_networks(call)) {
		refuse(call, 400, "Container cannot be connected to network endpoints");
	} else if (!has_command(call, image)) {
		refuse(call, 400, old_engine(call) ? "No command specified" : "no command specified");
	} else if (wd_map_get(call->model->by_name, name)) {
		refuse_name(call, name, false);
	} else if (check_policy(call, wd_json_path(call->body, "HostConfig.RestartPolicy"), &policy)) {
		struct model_container *container = model_container_new(call->model, name);
		container->image = image;
		container->image_name = wd_copy(image_name);
		configure(container, call->body);
		model_tell(container, "create", NULL, NULL);
		answer_json(call, 201, wd_format("{\"Id\":\"%s\",\"Warnings\":[]}\n", container->id));
	}
}

/* Reading */

static void get_inspect(struct call *call)
{
	answer_json(call, 200, model_inspect_json(call->container));
}

static void get_logs(struct call *call)
{
	WD_AUTO_FREE char *said = model_query(call->query, "tail");
	int64_t tail = 0;
	size_t length;
	if (!query_truth(call, "stdout") && !query_truth(call, "stderr")) {
		refuse(call, 400, "Bad parameters: you must choose at least one stream");
		return;
	}
	if (said)
		wd_number_parse(said, 0, 1000000, &tail, NULL);
	char *body = model_logs(call->container, (unsigned)tail, &length);
	answer_with(call, 200, old_engine(call) ? NULL : "application/vnd.docker.raw-stream", body, length);
}

static void get_changes(struct call *call)
{
	answer_json(call, 200, model_changes_json(call->container));
}

static void get_archive(struct call *call)
{
	WD_AUTO_FREE char *path = model_query(call->query, "path");
	size_t length;
	char *tar;
	if (path && model_get_archive(call->container, path, &tar, &length))
		answer_with(call, 200, "application/x-tar", tar, length);
	else
		refuse(call, 404, "Could not find the file %s in container %s", path ? path : "",
		       call->container->name);
}

static void put_archive(struct call *call)
{
	WD_AUTO_FREE char *place = model_query(call->query, "path");
	if (wd_json_bool(wd_json_get(call->container->host, "ReadonlyRootfs"), false))
		refuse(call, old_engine(call) ? 500 : 400, "container rootfs is marked read-only");
	else if (model_put_archive(call->container, place ? place : "", call->bytes, call->length))
		answer(call, 200);
	else
		refuse(call, 500, "archive/tar: invalid tar header");
}

/* Networks */

static void call_network(struct call *call, const char *rest)
{
	size_t length = strcspn(rest, "/");
	WD_AUTO_FREE char *name = unescape(rest, length);
	const char *whom = wd_json_string(wd_json_get(call->body, "Container"), "");
	bool connects = strcmp(rest + length, "/connect") == 0;
	call->container = model_find(call->model, whom);
	if (!connects && strcmp(rest + length, "/disconnect") != 0)
		refuse(call, 404, "page not found");
	else if (!call->container)
		refuse(call, 404, "No such container: %s", whom);
	else if (!model_has_network(call->model, name) && model_is_running(call->container))
		refuse(call, 404, "network %s not found", name);
	else if (connects && model_is_running(call->container) && wd_json_get(call->container->endpoints, name))
		refuse(call, 403, "endpoint with name %s already exists in network %s", call->container->name, name);
	else if (connects || model_disconnect(call->container, name)) {
		if (connects)
			model_connect(call->container, name, wd_json_get(call->body, "EndpointConfig"));
		answer(call, 200);
	} else
		refuse(call, 500, "container %s is not connected to network %s", call->container->id, name);
}

/* Images */

void model_set_image_config(struct model *model, const char *name, const struct wd_json *config)
{
	struct model_image *image = model_find_image(model, name);
	wd_json_free(image->config);
	image->config = wd_json_clone(config);
}

void model_set_image_digest(struct model *model, const char *name, const char *digest)
{
	wd_replace(&model_find_image(model, name)->digest, digest);
}

bool model_has_image(const struct model *model, const char *name)
{
	return model_find_image(model, name) != NULL;
}

void model_remove_image(struct model *model, const char *name)
{
	struct model_image *image = model_find_image(model, name);
	if (image)
		image->removed = true;
}

/* The answer is 200 before anything is known; what went wrong stands in the last line. */
static void post_pull(struct call *call)
{
	WD_AUTO_FREE char *from = model_query(call->query, "fromImage"), *tag = model_query(call->query, "tag");
	WD_AUTO_FREE char *wanted =
		wd_format("%s%s%s", from ? from : "", tag && strchr(tag, ':') ? "@" : ":", tag ? tag : "");
	for (size_t i = 0; i < call->model->image_count; i++) {
		struct model_image *image = call->model->images[i];
		if (!wd_text_equal(image->digest, wanted))
			continue;
		image->removed = false;
		answer_json(call, 200,
			    wd_format("{\"status\":\"Pulling from %s\",\"id\":\"%s\"}\r\n"
				      "{\"status\":\"Digest: %s\"}\r\n",
				      from, tag, tag));
		return;
	}
	answer_json(call, 200,
		    wd_format("{\"status\":\"Pulling from %s\"}\r\n{\"errorDetail\":{\"message\":\"manifest "
			      "for %s not found\"},\"error\":\"manifest for %s not found\"}\r\n",
			      from ? from : "", wanted, wanted));
}

static bool is_used(const struct model *model, const struct model_image *image)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->containers[i]->image == image)
			return true;
	return false;
}

/* By a name: that name goes, and the image with its last. */
static void delete_image(struct call *call, struct model_image *image, const char *name)
{
	size_t named = 0;
	for (size_t i = 0; i < image->names.count; i++)
		named += strcmp(image->names.items[i], "<none>:<none>") != 0;
	if (named <= 1 && is_used(call->model, image) && !query_truth(call, "force")) {
		refuse(call, 409,
		       "conflict: unable to remove repository reference \"%s\" (must force) - container is using "
		       "its referenced image",
		       name);
		return;
	}
	for (size_t i = 0; i < image->names.count; i++)
		if (strcmp(image->names.items[i], name) == 0)
			wd_replace(&image->names.items[i], "<none>:<none>");
	image->removed = named <= 1;
	answer_json(call, 200, wd_format("[{\"Untagged\":\"%s\"}]\n", name));
}

void model_add_image(struct model *model, const char *name, const struct wd_json *labels)
{
	char id[65];
	struct model_image *old = model_find_image(model, name);
	struct model_image *image = wd_alloc(1, sizeof(*image));
	for (size_t i = 0; old && i < old->names.count; i++)
		if (strcmp(old->names.items[i], name) == 0)
			wd_replace(&old->names.items[i], "<none>:<none>");
	model_make_id(model, id);
	snprintf(image->id, sizeof(image->id), "sha256:%s", id);
	wd_list_add(&image->names, name);
	image->labels = labels ? wd_json_clone(labels) : NULL;
	model->images = wd_realloc(model->images, model->image_count + 1, sizeof(struct model_image *));
	model->images[model->image_count++] = image;
}

static void post_tag(struct call *call, struct model_image *image)
{
	WD_AUTO_FREE char *repository = model_query(call->query, "repo"), *tag = model_query(call->query, "tag");
	WD_AUTO_FREE char *name = wd_format("%s:%s", repository ? repository : "", tag && *tag ? tag : "latest");
	struct model_image *old = model_find_image(call->model, name);
	for (size_t i = 0; old && i < old->names.count; i++)
		if (strcmp(old->names.items[i], name) == 0)
			wd_replace(&old->names.items[i], "<none>:<none>");
	wd_list_add(&image->names, name);
	answer(call, 201);
}

static void call_image(struct call *call, const char *rest)
{
	const char *verb = strrchr(rest, '/');
	bool post = strcmp(call->method, "POST") == 0, removes = strcmp(call->method, "DELETE") == 0;
	if (post && strcmp(rest, "create") == 0) {
		post_pull(call);
		return;
	}
	if (removes)
		verb = NULL;
	WD_AUTO_FREE char *escaped = wd_copy_part(rest, verb ? (size_t)(verb - rest) : strlen(rest));
	WD_AUTO_FREE char *name = unescape(escaped, strlen(escaped));
	struct model_image *image = model_find_image(call->model, name);
	bool known = verb && ((!post && strcmp(verb, "/json") == 0) || (post && strcmp(verb, "/tag") == 0));
	if (!known && !removes)
		refuse(call, 404, "page not found");
	else if (image == NULL)
		refuse(call, 404, "%s: %s", old_engine(call) ? "no such image" : "No such image", name);
	else if (removes)
		delete_image(call, image, name);
	else if (post)
		post_tag(call, image);
	else
		answer_json(call, 200, model_image_json(call->model, image));
}

/* Ways */

static void call_container(struct call *call, const char *rest)
{
	static const struct {
		const char *method, *verb;
		void (*run)(struct call *call);
	} ways[] = {
		{"POST", "stop", post_stop},     {"POST", "start", post_start},    {"POST", "restart", post_restart},
		{"POST", "kill", post_kill},     {"POST", "pause", post_pause},    {"POST", "unpause", post_unpause},
		{"POST", "update", post_update}, {"POST", "rename", post_rename},  {"GET", "json", get_inspect},
		{"GET", "logs", get_logs},       {"DELETE", "", delete_container}, {"GET", "changes", get_changes},
		{"GET", "archive", get_archive}, {"PUT", "archive", put_archive},
	};
	size_t length = strcspn(rest, "/");
	const char *verb = rest[length] == '/' ? rest + length + 1 : "";
	WD_AUTO_FREE char *name = unescape(rest, length);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(call->method, ways[i].method) != 0 || strcmp(verb, ways[i].verb) != 0)
			continue;
		call->container = model_find(call->model, name);
		if (call->container)
			ways[i].run(call);
		else
			refuse(call, 404, "No such container: %s", name);
		return;
	}
	refuse(call, 404, "page not found");
}

static void get_volume(struct call *call, const char *name)
{
	char *volume = model_volume_json(call->model, name);
	if (volume)
		answer_json(call, 200, volume);
	else
		refuse(call, 404, "get %s: no such volume", name);
}

static void call_plain(struct call *call, const char *path)
{
	bool get = strcmp(call->method, "GET") == 0;
	if (strcmp(path, "/_ping") == 0 && (get || strcmp(call->method, "HEAD") == 0))
		answer_with(call, 200, "text/plain; charset=utf-8", wd_copy(get ? "OK" : ""), get ? 2 : 0);
	else if (strcmp(path, "/version") == 0 && get)
		answer_json(call, 200, model_version_json(call->model));
	else if (strcmp(path, "/info") == 0 && get)
		answer_json(call, 200, model_info_json(call->model));
	else if (strcmp(path, "/containers/json") == 0 && get)
		answer_json(call, 200, model_list_json(call->model, query_truth(call, "all")));
	else if (strcmp(path, "/containers/create") == 0 && strcmp(call->method, "POST") == 0)
		post_create(call);
	else if (strcmp(path, "/networks") == 0 && get)
		answer_json(call, 200, model_networks_json(call->model));
	else if (strcmp(path, "/volumes") == 0 && get)
		answer_json(call, 200, model_volumes_json(call->model));
	else if (wd_text_starts(path, "/volumes/") && get)
		get_volume(call, path + strlen("/volumes/"));
	else if (wd_text_starts(path, "/networks/") && strcmp(call->method, "POST") == 0)
		call_network(call, path + strlen("/networks/"));
	else if (wd_text_starts(path, "/containers/"))
		call_container(call, path + strlen("/containers/"));
	else if (wd_text_starts(path, "/images/"))
		call_image(call, path + strlen("/images/"));
	else
		refuse(call, 404, "page not found");
}

static int version_number(const char *text)
{
	int major = 0, minor = 0;
	return sscanf(text, "%d.%d", &major, &minor) == 2 ? major * 1000 + minor : 0;
}

/* Takes "/v1.41" off. Podman takes any version. False: answered, the version is none of ours. */
static bool take_version(const struct call *call, const char **path)
{
	if (strncmp(*path, "/v", 2) != 0 || !isdigit((unsigned char)(*path)[2]))
		return true;
	WD_AUTO_FREE char *version = wd_copy_part(*path + 2, strcspn(*path + 2, "/"));
	*path += 2 + strlen(version);
	if (model_is_podman(call->model))
		return true;
	if (version_number(version) > version_number(model_api(call->model))) {
		refuse(call, 400, "client version %s is too new. Maximum supported API version is %s", version,
		       model_api(call->model));
		return false;
	}
	if (version_number(version) < version_number(model_api_minimum(call->model))) {
		refuse(call, 400,
		       "client version %s is too old. Minimum supported API version is %s, please upgrade your "
		       "client to a newer version",
		       version, model_api_minimum(call->model));
		return false;
	}
	return true;
}

uint64_t model_send(struct model *model, const char *method, const char *path, const char *body, model_done *done,
		    void *data)
{
	return model_send_bytes(model, method, path, body, body ? strlen(body) : 0, done, data);
}

uint64_t model_send_bytes(struct model *model, const char *method, const char *path, const char *body, size_t length,
			  model_done *done, void *data)
{
	bool bytes = strcmp(method, "PUT") == 0;
	WD_AUTO_FREE char *copy = wd_copy_part(path, strcspn(path, "?"));
	WD_AUTO_JSON struct wd_json *json = !bytes && length ? wd_json_parse(body, length, NULL) : NULL;
	const char *query = strchr(path, '?'), *way = copy;
	struct call call = {.model = model,
			    .method = method,
			    .query = query ? query + 1 : NULL,
			    .body = json,
			    .bytes = body,
			    .length = length,
			    .done = done,
			    .data = data};
	if (model->down)
		answer(&call, 0);
	else if (!bytes && length && json == NULL)
		refuse(&call, 400, "invalid character in JSON body");
	else if (take_version(&call, &way))
		call_plain(&call, way);
	if (!model->down)
		model_advance(model, 0);
	return call.ticket;
}

/* The waiting call */

static void keep_answer(void *data, const struct model_answer *got)
{
	struct model_answer *slot = data;
	*slot = *got;
	slot->body = wd_copy_part(got->body, got->length);
}

/* A call that nothing will ever end (a stop without grace of what ignores it) is one that the caller gave up. */
struct model_answer model_request(struct model *model, const char *method, const char *path, const char *body)
{
	struct model_answer got = {0};
	uint64_t ticket = model_send(model, method, path, body, keep_answer, &got);
	while (got.body == NULL && model_wake(model) != WD_NEVER)
		model_advance(model, model_wake(model) - model->now);
	if (got.body == NULL) {
		model_forget(model, ticket);
		got.body = wd_copy("");
	}
	return got;
}

void model_answer_done(struct model_answer *got)
{
	free(got->body);
	got->body = NULL;
}

/* Setting up */

static char *setup_body(const struct model_setup *setup)
{
	WD_AUTO_JSON struct wd_json *body = wd_json_object();
	struct wd_restart_policy policy = {WD_RESTART_NO, setup->retries};
	wd_json_set_string(body, "Image", setup->image ? setup->image : "acme/web:1.5");
	wd_json_add(wd_json_set(body, "Cmd", wd_json_array()), wd_json_text("serve"));
	if (setup->labels)
		wd_json_set(body, "Labels", wd_json_clone(setup->labels));
	if (setup->health_check) {
		struct wd_json *test =
			wd_json_set(wd_json_set(body, "Healthcheck", wd_json_object()), "Test", wd_json_array());
		wd_json_add(test, wd_json_text("CMD"));
		wd_json_add(test, wd_json_text("check"));
	}
	struct wd_json *host = wd_json_set(body, "HostConfig", wd_json_object());
	wd_restart_parse(setup->policy ? setup->policy : "", &policy.kind);
	set_policy(host, policy);
	wd_json_set_bool(host, "AutoRemove", setup->auto_remove);
	struct wd_list volumes = {0};
	wd_list_split(&volumes, setup->volumes ? setup->volumes : "", ',');
	struct wd_json *binds = volumes.count ? wd_json_set(host, "Binds", wd_json_array()) : NULL;
	for (size_t i = 0; i < volumes.count; i++)
		wd_json_add(binds, wd_json_text(volumes.items[i]));
	wd_list_done(&volumes);
	return wd_json_print(body);
}

const char *model_add(struct model *model, const struct model_setup *setup)
{
	const char *image = setup->image ? setup->image : "acme/web:1.5";
	WD_AUTO_FREE char *body = setup_body(setup);
	WD_AUTO_FREE char *create = wd_format("/containers/create?name=%s", setup->name);
	WD_AUTO_FREE char *start = wd_format("/containers/%s/start", setup->name);
	if (model_find_image(model, image) == NULL)
		model_add_image(model, image, NULL);
	struct model_answer got = model_request(model, "POST", create, body);
	model_answer_done(&got);
	if (setup->script)
		model_set_script(model, setup->name, setup->script);
	if (!setup->created_only) {
		got = model_request(model, "POST", start, NULL);
		model_answer_done(&got);
	}
	return model_id(model, setup->name);
}
