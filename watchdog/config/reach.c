/* Rules that can never trip, or trip at any restart: sound by their grammar, and still not what anybody means. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

/* Docker's waits between a crash and its own restart (moby restartmanager.go): 100 ms, doubled each time, a minute at
 * the most, and from the start again after a run of ten seconds. */
#define FIRST_WAIT (100 * WD_MILLISECOND)
#define LONGEST_WAIT WD_MINUTE
#define LONG_RUN (10 * WD_SECOND)
/* No Engine was seen to start and lose a container in less: runc alone takes about so long. */
#define SHORTEST_ROUND (100 * WD_MILLISECOND)

/* One place where policy keys hold together: [defaults], a [policy NAME] or [container NAME] over it, or a container
 * with its labels. Only keys that stand in the place itself are reported, so that each is reported once. */
struct reach {
	const struct wd_scope *scope;
	const struct wd_section *own; /* NULL: [defaults] and what is above it, or the labels */
	const struct wd_policy *policy;
	struct wd_findings *findings;
};

static const struct wd_option *row(const char *key)
{
	return wd_option_find("policy", key);
}

/* "seadog.conf:12: restarts", or NULL where the key does not stand here. */
static char *place_of(const struct reach *reach, const char *key)
{
	struct wd_found found = wd_scope_find(reach->scope, row(key));
	const struct wd_container *container = reach->scope->container;
	const struct wd_entry *entry = wd_section_get(reach->own, row(key));
	if (container)
		return found.origin ? NULL : wd_format("%s: label " WD_LABEL_PREFIX "%s", container->name, key);
	if (reach->own ? !entry || entry->origin != found.origin : found.built_in)
		return NULL;
	return wd_format("%s: %s", found.origin, key);
}

static bool stands_here(const struct reach *reach, const char *key)
{
	WD_AUTO_FREE char *place = place_of(reach, key);
	return place != NULL;
}

static void warn(const struct reach *reach, const char *key, char *what_taken)
{
	WD_AUTO_FREE char *place = place_of(reach, key);
	if (place)
		wd_findings_add(reach->findings, true, "%s: %s", place, what_taken);
	free(what_taken);
}

#define RATE_TEXT (WD_TIME_TEXT + 16)
static const char *rate_text(struct wd_rate rate, char buffer[static RATE_TEXT])
{
	char window[WD_TIME_TEXT];
	snprintf(buffer, RATE_TEXT, "%u/%s", rate.count, wd_span_print(rate.window, window));
	return buffer;
}

/* The most crashes within a window that a steady loop can make: one that crashes at once and is slowed by the Engine, or
 * one that lives just long enough not to be. */
static unsigned most_crashes(wd_time window)
{
	unsigned fast = 1;
	wd_time wait = FIRST_WAIT, at = FIRST_WAIT;
	for (; at <= window && wait < LONGEST_WAIT; fast++) {
		wait = 2 * wait < LONGEST_WAIT ? 2 * wait : LONGEST_WAIT;
		at += wait;
	}
	if (at <= window)
		fast += 1 + (unsigned)((window - at) / LONGEST_WAIT);
	unsigned slow = 1 + (unsigned)(window / LONG_RUN);
	return fast > slow ? fast : slow;
}

/* Whether `one` has always tripped when `two` does. */
static bool is_first(struct wd_rate one, struct wd_rate two)
{
	return one.count <= two.count && one.window >= two.window;
}

static void check_single(const struct reach *reach, const char *key, struct wd_rate rate)
{
	char text[RATE_TEXT], window[WD_TIME_TEXT];
	wd_span_print(rate.window, window);
	rate_text(rate, text);
	if (rate.count == 1)
		warn(reach, key, wd_format("%s trips at any restart, give it a second one", text));
	else if (strcmp(key, "restarts") == 0 && (wd_time)(rate.count - 1) * SHORTEST_ROUND > rate.window)
		warn(reach, key, wd_format("%s can never trip: no Engine restarts a container so often", text));
	else if (strcmp(key, "flapping") == 0 && rate.count > most_crashes(rate.window))
		warn(reach, key,
		     wd_format("%s can never trip: with the Engine's own waits a loop reaches at most %u within %s",
			       text, most_crashes(rate.window), window));
}

static void check_rates(const struct reach *reach, const char *key, const struct wd_rates *rates, bool singles)
{
	for (unsigned i = 0; i < rates->count; i++) {
		if (singles)
			check_single(reach, key, rates->items[i]);
		for (unsigned j = 0; j < rates->count; j++) {
			struct wd_rate one = rates->items[j], two = rates->items[i];
			char first[RATE_TEXT], second[RATE_TEXT];
			if (j == i || !is_first(one, two) || (is_first(two, one) && j > i))
				continue;
			warn(reach, key,
			     wd_format("%s never trips, %s always has before it", rate_text(two, second),
				       rate_text(one, first)));
			break;
		}
	}
}

/* restarts leaves the Engine's waits out, so what flapping counts within a window has tripped it before. */
static void check_flapping(const struct reach *reach)
{
	const struct wd_rates *restarts = &reach->policy->restarts, *flapping = &reach->policy->flapping;
	for (unsigned i = 0; i < flapping->count; i++)
		for (unsigned j = 0; j < restarts->count; j++) {
			char first[RATE_TEXT], second[RATE_TEXT];
			if (!is_first(restarts->items[j], flapping->items[i]))
				continue;
			warn(reach, "flapping",
			     wd_format("%s never trips alone, restarts = %s always has before it",
				       rate_text(flapping->items[i], second), rate_text(restarts->items[j], first)));
			break;
		}
}

static unsigned count_codes(const struct wd_codes *codes, const struct wd_codes *without)
{
	unsigned count = 0;
	for (int code = 0; code <= 255; code++)
		count += wd_codes_has(codes, code) && !(without && wd_codes_has(without, code));
	return count;
}

static void check_codes(const struct reach *reach)
{
	const struct wd_codes *exits = &reach->policy->exit, *ignored = &reach->policy->ignore_exit;
	const char *key = stands_here(reach, "exit") ? "exit" : "ignore_exit";
	if (count_codes(ignored, NULL) == 256)
		warn(reach, "ignore_exit",
		     wd_copy("no exit code is left that counts as a crash: restarts, flapping and exit can never "
			     "trip"));
	else if (count_codes(exits, NULL) > 0 && count_codes(exits, ignored) == 0)
		warn(reach, key, wd_copy("exit can never trip: ignore_exit takes away all of its codes"));
	if (count_codes(exits, NULL) >= 255)
		warn(reach, "exit", wd_copy("trips at any crash, name the codes that are beyond hope"));
}

static bool is_off(const struct wd_policy *policy, enum wd_trigger trigger)
{
	switch (trigger) {
	case WD_TRIGGER_RESTARTS:
		return policy->restarts.count == 0;
	case WD_TRIGGER_FLAPPING:
		return policy->flapping.count == 0;
	case WD_TRIGGER_EXIT:
		return count_codes(&policy->exit, NULL) == 0;
	case WD_TRIGGER_DOWN:
		return policy->down == 0;
	case WD_TRIGGER_OOM:
		return policy->oom.count == 0;
	case WD_TRIGGER_UNHEALTHY:
		return policy->unhealthy == 0;
	case WD_TRIGGER_MEMORY:
		return policy->memory.kind == WD_LEVEL_OFF;
	case WD_TRIGGER_CPU:
		return policy->cpu.kind == WD_LEVEL_OFF;
	case WD_TRIGGER_PIDS:
		return policy->pids.kind == WD_LEVEL_OFF;
	case WD_TRIGGER_PRESSURE:
		return policy->pressure.count == 0;
	case WD_TRIGGER_FORECAST:
		return policy->forecast == 0;
	default:
		return false;
	}
}

/* A ladder may be for a trigger that another section switches on, which holds for the same container. */
static bool is_on_elsewhere(const struct reach *reach, const struct wd_option *option)
{
	const struct wd_config *config = reach->scope->config;
	for (size_t i = 0; !reach->scope->container && i < config->count; i++) {
		const struct wd_section *section = &config->sections[i];
		const struct wd_entry *entry = section->name ? wd_section_get(section, option) : NULL;
		bool rival = reach->own && strcmp(section->kind, reach->own->kind) == 0;
		if (entry && !rival && !wd_value_off(entry->value))
			return true;
	}
	return false;
}

static void check_ladders(const struct reach *reach)
{
	for (unsigned trigger = 0; trigger < WD_TRIGGERS; trigger++) {
		const char *name = wd_trigger_name((enum wd_trigger)trigger);
		WD_AUTO_FREE char *key = wd_format("on_%s", name);
		if (is_off(reach->policy, (enum wd_trigger)trigger) && !is_on_elsewhere(reach, row(name)))
			warn(reach, key, wd_format("%s is off, so this is never used", name));
	}
}

static void check_scope(const struct wd_scope *scope, const struct wd_section *own, struct wd_findings *findings)
{
	struct wd_policy *policy = wd_scope_policy(scope);
	struct reach reach = {.scope = scope, .own = own, .policy = policy, .findings = findings};
	check_rates(&reach, "restarts", &policy->restarts, true);
	check_rates(&reach, "flapping", &policy->flapping, true);
	check_rates(&reach, "oom", &policy->oom, false);
	check_flapping(&reach);
	check_codes(&reach);
	check_ladders(&reach);
	wd_policy_free(policy);
}

/* A policy that stands behind one that takes everything. */
static void check_order(const struct wd_config *config, struct wd_findings *findings)
{
	const struct wd_section *greedy = NULL;
	for (size_t i = 0; i < config->count; i++) {
		const struct wd_section *section = &config->sections[i];
		const struct wd_entry *entry =
			strcmp(section->kind, "policy") == 0 ? wd_section_get(section, row("match")) : NULL;
		if (!entry)
			continue;
		if (greedy)
			wd_findings_add(findings, true,
					"%s: match is never asked, as [policy %s] before it takes everything",
					entry->origin, greedy->name);
		struct wd_list choices = {0};
		wd_list_split(&choices, entry->value, ',');
		if (wd_list_has(&choices, "name:*"))
			greedy = section;
		wd_list_done(&choices);
	}
}

void wd_config_reach(const struct wd_config *config, struct wd_findings *findings)
{
	check_scope(&(struct wd_scope){.config = config}, NULL, findings);
	for (size_t i = 0; i < config->count; i++) {
		const struct wd_section *section = &config->sections[i];
		if (strcmp(section->kind, "policy") == 0)
			check_scope(&(struct wd_scope){.config = config, .policy = section}, section, findings);
		if (strcmp(section->kind, "container") == 0) {
			struct wd_container likely = {.name = section->name, .service = section->name};
			struct wd_scope scope = wd_scope_of(config, &likely);
			scope.container = NULL;
			check_scope(&scope, section, findings);
		}
	}
	check_order(config, findings);
}

void wd_labels_reach(const struct wd_scope *scope, struct wd_findings *findings)
{
	check_scope(scope, NULL, findings);
}
