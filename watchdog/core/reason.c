#include "machine.h"

#include <stdio.h>

static void add_exit_code(struct wd_text *text, int exit_code)
{
	if (exit_code >= 0)
		wd_text_print(text, ", last exit code %d", exit_code);
}

static const char *what_counts(enum wd_trigger trigger)
{
	return trigger == WD_TRIGGER_OOM ? "OOM kills" : "restarts";
}

char *wd_reason_rate(enum wd_trigger trigger, struct wd_rate rate, unsigned count, wd_time span_on_clock, int exit_code)
{
	struct wd_text text = {0};
	char window[WD_TIME_TEXT], clock[WD_TIME_TEXT];

	wd_span_print(rate.window, window);
	wd_text_print(&text, "%u %s within %s (limit %u/%s)", count, what_counts(trigger), window, rate.count, window);
	if (span_on_clock > rate.window)
		wd_text_print(&text, ", %s on the clock", wd_span_print_short(span_on_clock, clock));
	add_exit_code(&text, exit_code);
	return wd_text_take(&text);
}

char *wd_reason_proven(struct wd_rate rate, wd_time wait, int exit_code)
{
	struct wd_text text = {0};
	char window[WD_TIME_TEXT], waited[WD_TIME_TEXT];

	wd_span_print(rate.window, window);
	wd_text_print(&text,
		      "%u restarts within %s (limit %u/%s), proven by the Engine's wait of %s before the last start",
		      rate.count, window, rate.count, window, wd_span_print_short(wait, waited));
	add_exit_code(&text, exit_code);
	return wd_text_take(&text);
}

char *wd_reason_exit(int exit_code)
{
	return wd_format("exit code %d, which is one that trips at once", exit_code);
}

char *wd_reason_lasting(enum wd_trigger trigger, wd_time span, const char *detail)
{
	char buffer[WD_TIME_TEXT];
	const char *text = wd_span_print(span - span % WD_SECOND, buffer);

	if (detail && *detail)
		return wd_format("%s for %s: %s", wd_trigger_name(trigger), text, detail);
	return wd_format("%s for %s", wd_trigger_name(trigger), text);
}

static const char *level_text(const struct wd_level *level, bool bytes, char buffer[static WD_SIZE_TEXT])
{
	if (level->kind == WD_LEVEL_RATIO)
		snprintf(buffer, WD_SIZE_TEXT, "%.4g%%", 100 * level->ratio);
	else if (bytes)
		wd_size_print(level->amount, buffer);
	else
		snprintf(buffer, WD_SIZE_TEXT, "%llu", (unsigned long long)level->amount);
	return buffer;
}

static const char *amount_text(unsigned which, double amount, char buffer[static WD_SIZE_TEXT])
{
	if (which == WD_LIMIT_MEMORY)
		wd_size_print((uint64_t)amount, buffer);
	else
		snprintf(buffer, WD_SIZE_TEXT, which == WD_LIMIT_CPU ? "%.2f" : "%.0f", amount);
	return buffer;
}

/* "memory 97% (124MiB of 128MiB) for 60s (limit 95% for 60s)" */
char *wd_reason_limit(const struct wd_service *service, unsigned which, wd_time span)
{
	const struct wd_level *level = wd_usage_level(service->policy, which);
	struct wd_comparison seen;
	struct wd_text text = {0};
	char now[WD_SIZE_TEXT], whole[WD_SIZE_TEXT], limit[WD_SIZE_TEXT], lasted[WD_TIME_TEXT], need[WD_TIME_TEXT];

	if (which >= WD_LIMIT_PRESSURE)
		wd_text_print(&text, "%s ",
			      wd_resource_name(service->policy->pressure.items[which - WD_LIMIT_PRESSURE].resource));
	wd_text_add(&text, wd_trigger_name(wd_usage_trigger(which)));
	if (wd_usage_compare(service->policy, service->usage, which, &seen)) {
		amount_text(which, seen.now, now);
		if (level->kind == WD_LEVEL_AMOUNT)
			wd_text_print(&text, " %s", now);
		else
			wd_text_print(&text, " %.0f%%", 100 * seen.now / seen.whole);
		if (level->kind == WD_LEVEL_RATIO && which < WD_LIMIT_PRESSURE)
			wd_text_print(&text, " (%s of %s%s)", now, amount_text(which, seen.whole, whole),
				      which == WD_LIMIT_CPU ? " CPUs" : "");
	}
	wd_text_print(&text, " for %s (limit %s for %s)", wd_span_print(span - span % WD_SECOND, lasted),
		      level_text(level, which == WD_LIMIT_MEMORY, limit), wd_span_print(level->span, need));
	return wd_text_take(&text);
}

/* As exact as it is known: "7m", not "6m53s". */
static wd_time about(wd_time span)
{
	wd_time grain = span < WD_MINUTE        ? WD_SECOND
			: span < 3 * WD_MINUTE  ? 5 * WD_SECOND
			: span < 10 * WD_MINUTE ? 30 * WD_SECOND
			: span < 3 * WD_HOUR    ? WD_MINUTE
			: span < WD_DAY         ? 10 * WD_MINUTE
						: WD_HOUR;

	return (span + grain / 2) / grain * grain;
}

/* By the second, the minute or the hour: whichever makes a number that people can read. */
static void add_rate(struct wd_text *text, double rate_bytes)
{
	static const struct {
		double seconds;
		const char *name;
	} units[] = {{1, "s"}, {60, "m"}, {3600, "h"}};
	unsigned which = 0;

	while (which < 2 && rate_bytes * units[which].seconds < 100.0 * 1024)
		which++;
	double kibibytes = rate_bytes * units[which].seconds / 1024;
	if (kibibytes < 1000)
		wd_text_print(text, "%.0fKiB/%s", kibibytes, units[which].name);
	else
		wd_text_print(text, "%.1fMiB/%s", kibibytes / 1024, units[which].name);
}

/* "memory reaches its limit of 128MiB in about 7m (1.0MiB/s for 5m)" */
char *wd_reason_forecast(const struct wd_forecast *forecast, uint64_t limit_bytes)
{
	struct wd_text text = {0};
	char limit[WD_SIZE_TEXT], left[WD_TIME_TEXT], span[WD_TIME_TEXT];

	wd_text_print(&text, "memory reaches its limit of %s in about %s (", wd_size_print(limit_bytes, limit),
		      wd_span_print_short(about(forecast->left), left));
	add_rate(&text, forecast->rate_bytes);
	wd_text_print(&text, " for %s)", wd_span_print_short(about(forecast->span), span));
	return wd_text_take(&text);
}

static const char *bar_text(enum wd_bar bar)
{
	switch (bar) {
	case WD_BAR_NONE:
		return "nothing stands against it";
	case WD_BAR_AWAY:
		return "the Engine cannot be reached";
	case WD_BAR_PAST:
		return "the Engine has yet to tell what happened since";
	case WD_BAR_MUTED:
		return "muted";
	case WD_BAR_GRACE:
		return "grace after a start";
	case WD_BAR_TILT:
		return "tilt: seadog's own loop was late";
	case WD_BAR_MASS:
		return "mass failure: many services broke at once, so it may not be theirs";
	case WD_BAR_COOLDOWN:
		return "cooldown since the last incident";
	case WD_BAR_BUDGET:
		return "the budget of actions (max_actions) is spent";
	case WD_BAR_NEVER:
		return "it is never touched";
	}
	return "";
}

char *wd_reason_bar(enum wd_bar bar, wd_time left)
{
	char buffer[WD_TIME_TEXT];

	if (left == WD_NEVER)
		return wd_copy(bar_text(bar));
	return wd_format("%s, looking again in %s", bar_text(bar), wd_span_print_short(left, buffer));
}

const char *wd_reason_held_back(enum wd_bar bar)
{
	switch (bar) {
	case WD_BAR_NONE:
		return "";
	case WD_BAR_AWAY:
		return "held back: the Engine is away";
	case WD_BAR_PAST:
		return "held back: the Engine has yet to tell all";
	case WD_BAR_MUTED:
		return "held back: muted";
	case WD_BAR_GRACE:
		return "held back: grace";
	case WD_BAR_TILT:
		return "held back: tilt";
	case WD_BAR_MASS:
		return "held back: mass failure";
	case WD_BAR_COOLDOWN:
		return "held back: cooldown";
	case WD_BAR_BUDGET:
		return "held back: max_actions";
	case WD_BAR_NEVER:
		return wd_reason_ignored(true, NULL);
	}
	return "";
}

const char *wd_reason_ignored(bool spared, const char *enable_label)
{
	if (spared)
		return "never touched";
	return enable_label ? "not watched: seadog.enable=false" : "not watched: no label seadog.enable=true";
}

const char *wd_reason_untreated(void)
{
	return "told, not treated";
}

char *wd_reason_crash(int exit_code, wd_time life, bool seen)
{
	struct wd_text text = {0};
	char buffer[WD_TIME_TEXT];

	wd_text_add(&text, seen ? "crash" : "crash (not seen, inferred from RestartCount)");
	if (exit_code >= 0)
		wd_text_print(&text, ", exit code %d", exit_code);
	if (life >= 0)
		wd_text_print(&text, ", after %s", wd_span_print_short(life, buffer));
	return wd_text_take(&text);
}

const char *wd_reason_skipped(enum wd_action action)
{
	switch (action) {
	case WD_ACTION_ROLLBACK:
	case WD_ACTION_ROLLBACK_RESTORE:
		return "no pinned image";
	case WD_ACTION_RESTORE:
		return "no snapshot";
	default:
		return "not to be had here";
	}
}
