#include "render.h"

#include "looks.h"
#include "standing.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

/* Status. */

/* "1/5 in 60s · 1/10 in 1h" */
static char *windows_text(const struct wd_json *windows)
{
	struct wd_text text = {0};
	char span[WD_TIME_TEXT];
	for (const struct wd_json *window = wd_json_first(windows); window; window = wd_json_next(window)) {
		double seconds = wd_json_double(wd_json_get(window, "window_seconds"), 0);
		wd_text_print(&text, "%s%lld/%lld in %s", text.length ? " · " : "",
			      (long long)wd_json_int(wd_json_get(window, "count"), 0),
			      (long long)wd_json_int(wd_json_get(window, "limit"), 0),
			      wd_span_print((wd_time)(seconds * (double)WD_SECOND), span));
	}
	return wd_text_take(&text);
}

/* The nearer a window is to its limit, the warmer. */
static enum wd_tint windows_tint(const struct wd_json *windows)
{
	enum wd_tint tint = WD_TINT_FAINT;
	for (const struct wd_json *window = wd_json_first(windows); window; window = wd_json_next(window)) {
		int64_t count = wd_json_int(wd_json_get(window, "count"), 0);
		int64_t limit = wd_json_int(wd_json_get(window, "limit"), 1);
		if (count >= limit)
			return WD_TINT_BAD;
		if (2 * count >= limit)
			tint = WD_TINT_WARM;
		else if (count > 0 && tint == WD_TINT_FAINT)
			tint = WD_TINT_NONE;
	}
	return tint;
}

/* "incident 7, since 01-02 03:04": what matters first, as the end is cut on narrow terminals. */
static char *hold_text(const struct wd_json *hold)
{
	char at[WD_TIME_TEXT];
	if (!wd_json_is_object(hold))
		return NULL;
	struct wd_text text = {0};
	int64_t incident = wd_json_int(wd_json_get(hold, "incident"), 0);
	if (wd_text_equal(member(hold, "kind"), wd_action_name(WD_ACTION_PAUSE)))
		wd_text_add(&text, "paused, ");
	if (wd_json_get(hold, "cpus"))
		wd_text_print(&text, "throttled to %.4g CPUs, ", wd_json_double(wd_json_get(hold, "cpus"), 0));
	if (incident > 0)
		wd_text_print(&text, "incident %lld", (long long)incident);
	else
		wd_text_add(&text, "by hand");
	wd_text_print(&text, ", since %s", wd_moment_print_short(wd_moment_get(hold, "since"), at));
	return wd_text_take(&text);
}

static enum wd_tint health_tint(const char *health)
{
	if (wd_text_equal(health, "unhealthy"))
		return WD_TINT_BAD;
	return wd_text_equal(health, "starting") ? WD_TINT_BUSY : WD_TINT_NONE;
}

/* "60MiB 47%": what it uses, and how much that is of what it may. */
static char *memory_text(const struct wd_json *memory)
{
	char bytes[WD_SIZE_TEXT];
	if (!wd_json_is_object(memory))
		return NULL;
	wd_size_print((uint64_t)wd_json_int(wd_json_get(memory, "bytes"), 0), bytes);
	return wd_format("%s %.0f%%", bytes, 100 * wd_json_double(wd_json_get(memory, "ratio"), 0));
}

static char *share_text(const struct wd_json *ratio)
{
	return wd_json_is_number(ratio) ? wd_format("%.0f%%", 100 * wd_json_double(ratio, 0)) : NULL;
}

static char *number_text(const struct wd_json *number)
{
	return wd_json_is_number(number) ? wd_format("%lld", (long long)wd_json_int(number, 0)) : NULL;
}

/* Near the limit, a container is about to be killed. */
static enum wd_tint share_tint(const struct wd_json *ratio)
{
	double share = wd_json_double(ratio, 0);
	return share >= 0.95 ? WD_TINT_BAD : share >= 0.8 ? WD_TINT_WARM : WD_TINT_NONE;
}

static void usage_cells(struct wd_grid *grid, const struct wd_json *service)
{
	const struct wd_json *memory = wd_json_get(service, "memory"), *cpu = wd_json_get(service, "cpu_ratio");
	WD_AUTO_FREE char *used = memory_text(memory);
	WD_AUTO_FREE char *share = share_text(cpu);
	WD_AUTO_FREE char *pids = number_text(wd_json_get(service, "pids"));
	wd_grid_cell(grid, share_tint(wd_json_get(memory, "ratio")), used);
	wd_grid_cell(grid, WD_TINT_NONE, share);
	wd_grid_cell(grid, WD_TINT_NONE, pids);
}

static void status_row(struct wd_grid *grid, const struct wd_json *service)
{
	const char *verdict = member(service, "verdict");
	const char *health = member(service, "health");
	const struct wd_json *windows = wd_json_get(service, "restarts");
	WD_AUTO_FREE char *restarts = windows_text(windows);
	WD_AUTO_FREE char *hold = hold_text(wd_json_get(service, "hold"));
	WD_AUTO_FREE char *note = wd_standing_note(service);
	wd_grid_cell(grid, WD_TINT_STRONG, member(service, "name"));
	wd_grid_cell(grid, WD_TINT_NONE, member(service, "state"));
	wd_grid_cell(grid, health_tint(health), health);
	wd_grid_cell(grid, wd_verdict_tint(verdict), verdict);
	wd_grid_cell(grid, windows_tint(windows), restarts);
	usage_cells(grid, service);
	wd_grid_cell(grid, WD_TINT_NONE, member(wd_json_get(service, "pin"), "image"));
	wd_grid_cell(grid, WD_TINT_NONE, hold);
	wd_grid_cell(grid, WD_TINT_NONE, note);
}

void wd_draw_status(const struct wd_json *status, const struct wd_style *style, struct wd_text *out)
{
	static const struct wd_column columns[] = {
		{"NAME", WD_COLUMN_GIVES},
		{"STATE", 0},
		{"HEALTH", WD_COLUMN_MAY_LACK},
		{"VERDICT", 0},
		{"RESTARTS", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK},
		{"MEMORY", WD_COLUMN_RIGHT | WD_COLUMN_MAY_LACK | WD_COLUMN_GOES},
		{"CPU", WD_COLUMN_RIGHT | WD_COLUMN_MAY_LACK | WD_COLUMN_GOES},
		{"PIDS", WD_COLUMN_RIGHT | WD_COLUMN_MAY_LACK | WD_COLUMN_GOES},
		{"PIN", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK | WD_COLUMN_GOES},
		{"HOLD", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK | WD_COLUMN_BELOW},
		{"NOTE", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK | WD_COLUMN_BELOW},
		{0},
	};
	struct wd_grid *grid = wd_grid_new(columns, 0);
	for (const struct wd_json *service = wd_json_first(wd_json_get(status, "services")); service;
	     service = wd_json_next(service))
		status_row(grid, service);
	wd_grid_draw(grid, style, true, out);
	wd_grid_free(grid);
}

/* Pins: the good ones, and then what was rolled back from. */

static void swap_row(struct wd_grid *grid, const struct wd_json *swap)
{
	char at[WD_TIME_TEXT];
	bool bad = wd_json_bool(wd_json_get(swap, "bad"), false);
	WD_AUTO_FREE char *note = wd_format("rolled back to %s%s", member(swap, "to") ? member(swap, "to") : "?",
					    bad                                             ? ""
					    : wd_text_equal(member(swap, "result"), "open") ? ", under way"
											    : ", in vain");
	wd_grid_cell(grid, WD_TINT_STRONG, member(swap, "name"));
	wd_grid_cell(grid, bad ? WD_TINT_BAD : WD_TINT_NONE, bad ? "bad" : "tried");
	wd_grid_cell(grid, WD_TINT_NONE, member(swap, "image"));
	wd_grid_cell(grid, WD_TINT_FAINT, wd_moment_print(wd_moment_get(swap, "at"), at));
	wd_grid_cell(grid, WD_TINT_NONE, note);
}

static void pin_row(struct wd_grid *grid, const struct wd_json *pin)
{
	char since[WD_TIME_TEXT];
	wd_grid_cell(grid, WD_TINT_STRONG, member(pin, "name"));
	wd_grid_cell(grid, WD_TINT_GOOD, "good");
	wd_grid_cell(grid, WD_TINT_NONE, member(pin, "image"));
	wd_grid_cell(grid, WD_TINT_FAINT, wd_moment_print(wd_moment_get(pin, "since"), since));
	wd_grid_cell(grid, WD_TINT_NONE, member(pin, "by"));
}

void wd_draw_pins(const struct wd_json *report, const struct wd_style *style, struct wd_text *out)
{
	static const struct wd_column columns[] = {{"NAME", WD_COLUMN_GIVES},
						   {"KIND", 0},
						   {"IMAGE", WD_COLUMN_GIVES},
						   {"SINCE", 0},
						   {"BY", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK},
						   {0}};
	struct wd_grid *grid = wd_grid_new(columns, 0);
	for (const struct wd_json *pin = wd_json_first(wd_json_get(report, "pins")); pin; pin = wd_json_next(pin))
		pin_row(grid, pin);
	for (const struct wd_json *swap = wd_json_first(wd_json_get(report, "swaps")); swap; swap = wd_json_next(swap))
		swap_row(grid, swap);
	wd_grid_draw(grid, style, true, out);
	wd_grid_free(grid);
}

/* Incidents. */

#define WIDE 140 /* columns of a terminal from which a moment has its year and its seconds */

/* "rollback skipped, stop done" */
static char *steps_text(const struct wd_json *steps)
{
	struct wd_text text = {0};
	for (const struct wd_json *step = wd_json_first(steps); step; step = wd_json_next(step)) {
		const char *action = member(step, "action"), *result = member(step, "result");
		wd_text_print(&text, "%s%s %s", text.length ? ", " : "", action ? action : "?",
			      result ? result : "under way");
	}
	return wd_text_take(&text);
}

static void incident_row(struct wd_grid *grid, const struct wd_json *incident, bool narrow)
{
	char opened[WD_TIME_TEXT], lasted[WD_TIME_TEXT], id[32];
	const char *outcome = member(incident, "outcome");
	wd_stamp from = wd_moment_get(incident, "opened"), to = wd_moment_get(incident, "closed");
	WD_AUTO_FREE char *steps = steps_text(wd_json_get(incident, "steps"));
	snprintf(id, sizeof id, "%lld", (long long)wd_json_int(wd_json_get(incident, "id"), 0));
	wd_grid_cell(grid, WD_TINT_STRONG, id);
	wd_grid_cell(grid, WD_TINT_NONE, narrow ? wd_moment_print_short(from, opened) : wd_moment_print(from, opened));
	wd_grid_cell(grid, WD_TINT_FAINT, wd_lasted_print(from, to, lasted));
	wd_grid_cell(grid, WD_TINT_STRONG, member(incident, "name"));
	wd_grid_cell(grid, WD_TINT_NONE, member(incident, "trigger"));
	wd_grid_cell(grid, wd_outcome_tint(outcome), outcome ? outcome : "open");
	wd_grid_cell(grid, WD_TINT_NONE, steps);
	wd_grid_cell(grid, WD_TINT_NONE, member(incident, "why"));
}

void wd_draw_incidents(const struct wd_json *incidents, const struct wd_style *style, struct wd_text *out)
{
	static const struct wd_column columns[] = {{"ID", WD_COLUMN_RIGHT},
						   {"OPENED", 0},
						   {"LASTED", WD_COLUMN_RIGHT | WD_COLUMN_MAY_LACK},
						   {"NAME", WD_COLUMN_GIVES},
						   {"TRIGGER", 0},
						   {"OUTCOME", 0},
						   {"STEPS", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK},
						   {"WHY", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK | WD_COLUMN_BELOW},
						   {0}};
	struct wd_grid *grid = wd_grid_new(columns, 0);
	for (const struct wd_json *incident = wd_json_first(wd_json_get(incidents, "incidents")); incident;
	     incident = wd_json_next(incident))
		incident_row(grid, incident, style->width > 0 && style->width < WIDE && !style->whole);
	wd_grid_draw(grid, style, true, out);
	wd_grid_free(grid);
}

/* Lines that stream by: no table can be measured, so the columns have widths of their own. */

static const struct wd_json *last_of(const struct wd_json *array)
{
	const struct wd_json *last = NULL;
	for (const struct wd_json *item = wd_json_first(array); item; item = wd_json_next(item))
		last = item;
	return last;
}

static char *change_text(const struct wd_json *incident)
{
	WD_AUTO_FREE char *why = wd_member_harmless(incident, "why");
	const char *outcome = member(incident, "outcome");
	if (outcome)
		return wd_format("closed: %s", outcome);
	const struct wd_json *step = last_of(wd_json_get(incident, "steps"));
	if (!step)
		return wd_format("opened: %s", why);
	WD_AUTO_FREE char *detail = wd_member_harmless(step, "detail");
	const char *action = member(step, "action"), *result = member(step, "result");
	return wd_format("%s %s%s%s", action ? action : "?", result ? result : "begins", *detail ? ": " : "", detail);
}

static wd_stamp change_moment(const struct wd_json *incident)
{
	const struct wd_json *step = last_of(wd_json_get(incident, "steps"));
	wd_stamp closed = wd_moment_get(incident, "closed"), ended = wd_moment_get(step, "ended");
	wd_stamp started = wd_moment_get(step, "started");
	return closed ? closed : ended ? ended : started ? started : wd_moment_get(incident, "opened");
}

/* The rest of a line, cut where the terminal ends; `used` columns are taken. */
static void put_rest(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text,
		     size_t used)
{
	size_t width = (size_t)style->width;
	size_t room = style->whole || style->width <= 0 ? 0 : width > used + 1 ? width - used : 1;
	wd_put_cut(out, style, tint, text, room);
	wd_text_add(out, "\n");
}

static size_t put_padded(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text,
			 size_t width)
{
	size_t taken = wd_put_cut(out, style, tint, text, style->whole ? 0 : width);
	for (; taken < width; taken++)
		wd_text_add(out, " ");
	wd_text_add(out, "  ");
	return taken + 2;
}

void wd_draw_change(const struct wd_json *incident, const struct wd_style *style, struct wd_text *out)
{
	char at[WD_TIME_TEXT];
	const char *outcome = member(incident, "outcome");
	WD_AUTO_FREE char *name = wd_member_harmless(incident, "name");
	WD_AUTO_FREE char *text = change_text(incident);
	WD_AUTO_FREE char *id = wd_format("#%lld", (long long)wd_json_int(wd_json_get(incident, "id"), 0));
	size_t used = put_padded(out, style, WD_TINT_FAINT, wd_moment_print(change_moment(incident), at), 19);
	used += put_padded(out, style, WD_TINT_FAINT, id, 4);
	used += put_padded(out, style, WD_TINT_STRONG, name, 16);
	put_rest(out, style, outcome ? wd_outcome_tint(outcome) : WD_TINT_NONE, text, used);
}

static char *event_detail(const struct wd_json *event)
{
	const struct wd_json *exit_code = wd_json_get(event, "exit_code"), *number = wd_json_get(event, "signal");
	if (exit_code)
		return wd_format("exit code %lld", (long long)wd_json_int(exit_code, 0));
	if (number)
		return wd_format("signal %lld", (long long)wd_json_int(number, 0));
	return wd_member_harmless(event, "health");
}

static enum wd_tint event_tint(const char *event)
{
	if (wd_text_equal(event, "die") || wd_text_equal(event, "oom"))
		return WD_TINT_BAD;
	return wd_text_equal(event, "start") ? WD_TINT_GOOD : WD_TINT_NONE;
}

void wd_draw_event(const struct wd_json *event, const struct wd_style *style, struct wd_text *out)
{
	char date[WD_TIME_TEXT], time[WD_TIME_TEXT];
	const char *kind = member(event, "event");
	wd_stamp stamp = wd_moment_get(event, "time");
	WD_AUTO_FREE char *name = wd_member_harmless(event, "name");
	WD_AUTO_FREE char *detail = event_detail(event);
	wd_moment_print(stamp, date);
	wd_moment_print_exact(stamp, time);
	WD_AUTO_FREE char *at = wd_format("%.10s %s", date, time);
	WD_AUTO_FREE char *what = wd_harmless(kind);
	size_t used = put_padded(out, style, WD_TINT_FAINT, at, 23);
	used += put_padded(out, style, WD_TINT_STRONG, name, 24);
	if (!*detail) {
		put_rest(out, style, event_tint(kind), what, used);
		return;
	}
	used += put_padded(out, style, event_tint(kind), what, 13);
	put_rest(out, style, WD_TINT_NONE, detail, used);
}

/* To standard output. */

static void print(wd_draw *draw, const struct wd_json *report, const struct wd_style *style)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	draw(report, style, &out);
	fputs(wd_text_get(&out), stdout);
}

void wd_render_status(const struct wd_json *status, const struct wd_style *style)
{
	print(wd_draw_status, status, style);
}

void wd_render_pins(const struct wd_json *report, const struct wd_style *style)
{
	print(wd_draw_pins, report, style);
}

void wd_render_incidents(const struct wd_json *incidents, const struct wd_style *style)
{
	print(wd_draw_incidents, incidents, style);
}

void wd_render_incident(const struct wd_json *incident, const struct wd_style *style)
{
	print(wd_draw_incident, incident, style);
}

void wd_render_explain(const struct wd_json *explain, const struct wd_style *style)
{
	print(wd_draw_explain, explain, style);
}

void wd_render_event(const struct wd_json *event, const struct wd_style *style)
{
	print(wd_draw_event, event, style);
}

void wd_render_change(const struct wd_json *incident, const struct wd_style *style)
{
	print(wd_draw_change, incident, style);
}
