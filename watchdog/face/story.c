/* story.c: `seadog show` and `seadog explain`: one incident, one service, told from top to bottom. */
#include "looks.h"
#include "render.h"
#include "standing.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>

#define BAR_COLUMNS 10
#define SPARK_MOST 60
#define SPARK_BESIDE 40 /* columns that the figures beside a spark line may take */

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

static size_t room(const struct wd_style *style, size_t used)
{
	if (style->whole || style->width <= 0)
		return 0;
	return (size_t)style->width > used ? (size_t)style->width - used : 1;
}

static void put_title(struct wd_text *out, const struct wd_style *style, const char *title)
{
	wd_text_add(out, "\n");
	wd_put_cut(out, style, WD_TINT_FAINT, title, 0);
	wd_text_add(out, "\n");
}

static void put_line(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text)
{
	wd_text_add(out, "  ");
	wd_put_cut(out, style, tint, text, room(style, 2));
	wd_text_add(out, "\n");
}

/* The name, and the identity where it says more than the name. */
static void put_name(struct wd_text *out, const struct wd_style *style, const struct wd_json *object)
{
	WD_AUTO_FREE char *name = wd_member_harmless(object, "name");
	WD_AUTO_FREE char *service = wd_member_harmless(object, "service");
	wd_put_cut(out, style, WD_TINT_STRONG, name, 0);
	if (*service && strcmp(name, service) != 0)
		wd_text_print(out, " (%s)", service);
}

/* Show. */

static void put_opening(struct wd_text *out, const struct wd_style *style, const struct wd_json *incident)
{
	char at[WD_TIME_TEXT], span[WD_TIME_TEXT];
	const char *outcome = member(incident, "outcome"), *trigger = member(incident, "trigger");
	wd_stamp opened = wd_moment_get(incident, "opened"), closed = wd_moment_get(incident, "closed");
	wd_text_print(out, "Incident %lld  ", (long long)wd_json_int(wd_json_get(incident, "id"), 0));
	put_name(out, style, incident);
	wd_text_add(out, "\n  ");
	wd_put_cut(out, style, wd_outcome_tint(outcome), outcome ? outcome : "open", 0);
	wd_text_print(out, " · %s · opened %s", trigger ? trigger : "?", wd_moment_print(opened, at));
	const char *lasted = wd_lasted_print(opened, closed, span);
	if (closed != WD_STAMP_NONE)
		wd_text_print(out, ", closed %s%s", *lasted ? "after " : "at once", lasted);
	wd_text_add(out, "\n");
	WD_AUTO_FREE char *why = wd_member_harmless(incident, "why");
	put_line(out, style, WD_TINT_NONE, why);
}

/* Moments as distances from the opening: "-4.2s", "+0.3s". */
static char *distance_text(wd_stamp from, wd_stamp at)
{
	char span[WD_TIME_TEXT];
	if (from == WD_STAMP_NONE || at == WD_STAMP_NONE)
		return NULL;
	wd_time distance = at >= from ? (at - from) / 1000 : (from - at) / 1000;
	wd_span_print_short(distance, span);
	return wd_format("%s%s", wd_text_equal(span, "0s") ? "" : at >= from ? "+" : "-", span);
}

static void put_time_line(struct wd_text *out, const struct wd_style *style, const struct wd_json *incident)
{
	static const struct wd_column columns[] = {
		{"AT", 0}, {"FROM OPENING", WD_COLUMN_RIGHT}, {"WHAT", WD_COLUMN_GIVES}, {0}};
	const struct wd_json *line = wd_json_get(incident, "timeline");
	wd_stamp opened = wd_moment_get(incident, "opened");
	if (wd_json_count(line) == 0)
		return;
	put_title(out, style, "Time line");
	struct wd_grid *grid = wd_grid_new(columns, 2);
	for (const struct wd_json *note = wd_json_first(line); note; note = wd_json_next(note)) {
		char at[WD_TIME_TEXT];
		wd_stamp stamp = wd_moment_get(note, "at");
		WD_AUTO_FREE char *distance = distance_text(opened, stamp);
		wd_grid_cell(grid, WD_TINT_FAINT, wd_moment_print_exact(stamp, at));
		wd_grid_cell(grid, WD_TINT_FAINT, distance);
		wd_grid_cell(grid, WD_TINT_NONE, member(note, "text"));
	}
	wd_grid_draw(grid, style, false, out);
	wd_grid_free(grid);
}

static void step_row(struct wd_grid *grid, const struct wd_json *step)
{
	char span[WD_TIME_TEXT];
	const char *result = member(step, "result");
	wd_grid_cell(grid, wd_result_tint(result), wd_result_sign(result));
	wd_grid_cell(grid, WD_TINT_STRONG, member(step, "action"));
	wd_grid_cell(grid, wd_result_tint(result), result ? result : "under way");
	wd_grid_cell(grid, WD_TINT_FAINT,
		     wd_lasted_print(wd_moment_get(step, "started"), wd_moment_get(step, "ended"), span));
	wd_grid_cell(grid, WD_TINT_NONE, member(step, "detail"));
}

static void put_steps(struct wd_text *out, const struct wd_style *style, const struct wd_json *incident)
{
	static const struct wd_column columns[] = {{"", 0},
						   {"STEP", 0},
						   {"RESULT", 0},
						   {"TOOK", WD_COLUMN_RIGHT | WD_COLUMN_MAY_LACK},
						   {"DETAIL", WD_COLUMN_GIVES},
						   {0}};
	const struct wd_json *steps = wd_json_get(incident, "steps");
	if (wd_json_count(steps) == 0)
		return;
	put_title(out, style, "Steps");
	struct wd_grid *grid = wd_grid_new(columns, 2);
	for (const struct wd_json *step = wd_json_first(steps); step; step = wd_json_next(step))
		step_row(grid, step);
	wd_grid_draw(grid, style, false, out);
	wd_grid_free(grid);
}

static const char *amount_text(const char *unit, double amount, char buffer[static WD_SIZE_TEXT])
{
	if (wd_text_equal(unit, "bytes"))
		wd_size_print(amount > 0 ? (uint64_t)amount : 0, buffer);
	else if (wd_text_equal(unit, "ratio"))
		snprintf(buffer, WD_SIZE_TEXT, "%.0f%%", 100 * amount);
	else
		snprintf(buffer, WD_SIZE_TEXT, wd_text_equal(unit, "cpus") ? "%.2f" : "%.0f", amount);
	return buffer;
}

static const struct wd_json *samples_at(const struct wd_json *samples, size_t index)
{
	const struct wd_json *item = wd_json_first(samples);
	while (item && index-- > 0)
		item = wd_json_next(item);
	return item;
}

/* One column a point, as high as its share of the highest. */
static char *spark_text(const double *values, size_t count)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	struct wd_text text = {0};
	double most = 0;
	for (size_t i = 0; i < count; i++)
		most = values[i] > most ? values[i] : most;
	for (size_t i = 0; i < count; i++) {
		double share = most > 0 && values[i] > 0 ? values[i] / most : 0;
		size_t height = (size_t)(share * 8);
		wd_text_add(&text, values[i] < 0 ? " " : bars[height > 7 ? 7 : height]);
	}
	return wd_text_take(&text);
}

/* A member of the last `count` samples; -1 where one has none. */
static void read_curve(const struct wd_json *samples, const char *name, size_t count, double *ret_values)
{
	size_t skip = wd_json_count(samples) - count, at = 0;
	for (size_t i = 0; i < count; i++)
		ret_values[i] = -1;
	for (const struct wd_json *item = wd_json_first(samples); item; item = wd_json_next(item), at++)
		if (at >= skip)
			ret_values[at - skip] = wd_json_double(wd_json_get(item, name), -1);
}

static bool is_whole(const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values[i] < 0)
			return false;
	return true;
}

/* "▁▂▄█  4MiB to 124MiB of 128MiB" */
static void put_curve(struct wd_text *out, const char *name, const double *values, size_t count, const char *unit,
		      double limit)
{
	char from[WD_SIZE_TEXT], to[WD_SIZE_TEXT], most[WD_SIZE_TEXT];
	size_t first = 0;
	while (first < count && values[first] < 0)
		first++;
	if (first == count)
		return;
	WD_AUTO_FREE char *spark = spark_text(values, count);
	wd_text_print(out, "  %-7s %s  %s to ", name, spark, amount_text(unit, values[first], from));
	wd_text_add(out, values[count - 1] < 0 ? "?" : amount_text(unit, values[count - 1], to));
	if (limit > 0)
		wd_text_print(out, " of %s", amount_text(unit, limit, most));
	wd_text_add(out, "\n");
}

/* With page cache where it was not read without it each time. */
static void put_samples(struct wd_text *out, const struct wd_style *style, const struct wd_json *incident)
{
	const struct wd_json *samples = wd_json_get(incident, "samples");
	size_t count = wd_json_count(samples), most = SPARK_MOST;
	double values[SPARK_MOST];
	char span[WD_TIME_TEXT];
	if (count < 2)
		return;
	if (style->width > 0 && !style->whole && (size_t)style->width < most + SPARK_BESIDE)
		most = style->width > SPARK_BESIDE + 10 ? (size_t)style->width - SPARK_BESIDE : 10;
	count = count < most ? count : most;
	const struct wd_json *last = samples_at(samples, wd_json_count(samples) - 1);
	wd_lasted_print(wd_moment_get(samples_at(samples, wd_json_count(samples) - count), "at"),
			wd_moment_get(last, "at"), span);
	read_curve(samples, "memory_bytes", count, values);
	bool exact = is_whole(values, count);
	if (!exact)
		read_curve(samples, "usage_bytes", count, values);
	WD_AUTO_FREE char *title = wd_format("What it used, over %s%s", span, exact ? "" : " (memory with page cache)");
	put_title(out, style, title);
	put_curve(out, "memory", values, count, "bytes",
		  wd_json_double(wd_json_get(incident, "memory_limit_bytes"), 0));
	read_curve(samples, "cpus", count, values);
	put_curve(out, "CPUs", values, count, "cpus", wd_json_double(wd_json_get(incident, "cpus_allowed"), 0));
	read_curve(samples, "pids", count, values);
	put_curve(out, "pids", values, count, "count", 0);
}

/* The store keeps them escaped already, line by line; a second escape would double their backslashes, but a report
 * from elsewhere may hold anything: what is a control character is still made harmless. */
static void put_log_line(struct wd_text *out, const struct wd_style *style, const char *line, size_t length)
{
	WD_AUTO_TEXT struct wd_text clean = {0};
	for (size_t i = 0; i < length;) {
		size_t run = i;
		while (run < length && line[run] != '\\')
			run++;
		wd_text_escape(&clean, line + i, run - i, SIZE_MAX);
		size_t slashes = run;
		while (slashes < length && line[slashes] == '\\')
			slashes++;
		wd_text_put(&clean, line + run, slashes - run);
		i = slashes;
	}
	wd_text_add(out, "  ");
	wd_put_cut(out, style, WD_TINT_FAINT, "│ ", 0);
	wd_put_cut(out, style, WD_TINT_NONE, wd_text_get(&clean), room(style, 4));
	wd_text_add(out, "\n");
}

static void put_logs(struct wd_text *out, const struct wd_style *style, const struct wd_json *incident)
{
	const char *logs = member(incident, "logs");
	if (!logs || !*logs)
		return;
	put_title(out, style, "Its last words");
	while (*logs) {
		size_t length = strcspn(logs, "\n");
		put_log_line(out, style, logs, length);
		logs += length + (logs[length] == '\n');
	}
}

void wd_draw_incident(const struct wd_json *report, const struct wd_style *style, struct wd_text *out)
{
	const struct wd_json *incident = wd_json_get(report, "incident");
	put_opening(out, style, incident);
	put_time_line(out, style, incident);
	put_steps(out, style, incident);
	put_samples(out, style, incident);
	put_logs(out, style, incident);
	if (wd_text_equal(member(incident, "outcome"), "held")) {
		WD_AUTO_FREE char *name = wd_member_harmless(incident, "name");
		WD_AUTO_FREE char *advice = wd_format("seadog release %s", name);
		put_title(out, style, "To give it another chance");
		put_line(out, style, WD_TINT_NONE, advice);
	}
}

/* Explain. */

static char *bar_text(double near)
{
	struct wd_text text = {0};
	int full = near <= 0 ? 0 : near >= 1 ? BAR_COLUMNS : (int)(near * BAR_COLUMNS + 0.5);
	for (int i = 0; i < BAR_COLUMNS; i++)
		wd_text_add(&text, i < full ? "█" : "░");
	return wd_text_take(&text);
}

static enum wd_tint bar_tint(double near)
{
	if (near >= 0.8)
		return WD_TINT_BAD;
	return near >= 0.5 ? WD_TINT_WARM : near > 0 ? WD_TINT_GOOD : WD_TINT_FAINT;
}

/* "60MiB of 122MiB", "0.98 of 0.95, for 12s of 60s" */
static char *level_text(const struct wd_json *trigger)
{
	const struct wd_json *now = wd_json_get(trigger, "now"), *limit = wd_json_get(trigger, "limit");
	const char *unit = member(trigger, "unit");
	char used[WD_SIZE_TEXT], most[WD_SIZE_TEXT], lasted[WD_TIME_TEXT], span[WD_TIME_TEXT];
	double seconds = wd_json_double(wd_json_get(trigger, "for_seconds"), 0);
	double all = wd_json_double(wd_json_get(trigger, "span_seconds"), 0);
	if (!wd_json_is_number(now))
		return wd_copy("not known");
	amount_text(unit, wd_json_double(now, 0), used);
	if (!wd_json_is_number(limit))
		return wd_format("%s, no limit", used);
	amount_text(unit, wd_json_double(limit, 0), most);
	if (seconds <= 0)
		return wd_format("%s of %s", used, most);
	return wd_format("%s of %s, for %s of %s", used, most,
			 wd_span_print_short((wd_time)(seconds * (double)WD_SECOND), lasted),
			 wd_span_print((wd_time)(all * (double)WD_SECOND), span));
}

static char *forecast_text(const struct wd_json *trigger)
{
	const struct wd_json *now = wd_json_get(trigger, "now");
	char left[WD_TIME_TEXT];
	if (!wd_json_is_number(now))
		return wd_copy("no trend");
	return wd_format("limit in %s",
			 wd_span_print_short((wd_time)(wd_json_double(now, 0) * (double)WD_SECOND), left));
}

/* "1 of 5", "12s of 60s" */
static char *near_text(const struct wd_json *trigger)
{
	if (wd_json_get(trigger, "span_seconds"))
		return level_text(trigger);
	if (wd_json_get(trigger, "rate_bytes"))
		return forecast_text(trigger);
	char now_text[WD_TIME_TEXT], limit_text[WD_TIME_TEXT];
	double now = wd_json_double(wd_json_get(trigger, "now"), 0);
	double limit = wd_json_double(wd_json_get(trigger, "limit"), 0);
	if (!wd_text_equal(member(trigger, "unit"), "seconds"))
		return wd_format("%.0f of %.0f", now, limit);
	return wd_format("%s of %s", wd_span_print_short((wd_time)(now * (double)WD_SECOND), now_text),
			 wd_span_print((wd_time)(limit * (double)WD_SECOND), limit_text));
}

static void put_triggers(struct wd_text *out, const struct wd_style *style, const struct wd_json *triggers)
{
	static const struct wd_column columns[] = {{"TRIGGER", 0}, {"SETTING", WD_COLUMN_GIVES}, {"", 0},
						   {"NOW", 0},     {"THEN", WD_COLUMN_GIVES},    {0}};
	if (wd_json_count(triggers) == 0)
		return;
	put_title(out, style, "How near each trigger is");
	struct wd_grid *grid = wd_grid_new(columns, 2);
	for (const struct wd_json *trigger = wd_json_first(triggers); trigger; trigger = wd_json_next(trigger)) {
		double near = wd_json_double(wd_json_get(trigger, "near"), 0);
		WD_AUTO_FREE char *bar = bar_text(near);
		WD_AUTO_FREE char *now = near_text(trigger);
		WD_AUTO_FREE char *then = wd_format("→ %s", member(trigger, "ladder") ? member(trigger, "ladder") : "");
		wd_grid_cell(grid, WD_TINT_STRONG, member(trigger, "trigger"));
		wd_grid_cell(grid, WD_TINT_NONE, member(trigger, "setting"));
		wd_grid_cell(grid, bar_tint(near), bar);
		wd_grid_cell(grid, WD_TINT_NONE, now);
		wd_grid_cell(grid, WD_TINT_NONE, then);
	}
	wd_grid_draw(grid, style, false, out);
	wd_grid_free(grid);
}

/* A terminal has 24 lines: what is built in would push what matters out of it. */
static void put_policy(struct wd_text *out, const struct wd_style *style, const struct wd_json *explain)
{
	static const struct wd_column columns[] = {
		{"KEY", 0}, {"VALUE", WD_COLUMN_GIVES}, {"ORIGIN", WD_COLUMN_GIVES}, {0}};
	WD_AUTO_FREE char *name = wd_member_harmless(explain, "policy_name");
	WD_AUTO_FREE char *title = *name ? wd_format("Policy %s", name) : wd_copy("Policy");
	if (wd_json_count(wd_json_get(explain, "policy")) == 0)
		return;
	put_title(out, style, title);
	struct wd_grid *grid = wd_grid_new(columns, 2);
	bool all = style->whole || style->width <= 0;
	size_t left_out = 0;
	for (const struct wd_json *row = wd_json_first(wd_json_get(explain, "policy")); row; row = wd_json_next(row)) {
		const char *origin = member(row, "origin");
		bool own = !wd_text_equal(origin, "built in");
		if (!own && !all) {
			left_out++;
			continue;
		}
		wd_grid_cell(grid, own ? WD_TINT_STRONG : WD_TINT_NONE, member(row, "key"));
		wd_grid_cell(grid, WD_TINT_NONE, member(row, "value"));
		wd_grid_cell(grid, own ? WD_TINT_NONE : WD_TINT_FAINT, origin);
	}
	wd_grid_draw(grid, style, false, out);
	wd_grid_free(grid);
	WD_AUTO_FREE char *rest = wd_format("built in: %zu values, --no-trunc lists them", left_out);
	if (left_out > 0)
		put_line(out, style, WD_TINT_FAINT, rest);
}

static void put_service(struct wd_text *out, const struct wd_style *style, const struct wd_json *explain)
{
	const struct wd_json *service = wd_json_get(explain, "service");
	const char *verdict = member(service, "verdict"), *state = member(service, "state");
	WD_AUTO_FREE char *image = wd_member_harmless(service, "image");
	WD_AUTO_FREE char *why = wd_member_harmless(explain, "verdict_why");
	put_name(out, style, service);
	wd_text_print(out, "\n  %s · ", state ? state : "?");
	wd_put_cut(out, style, wd_verdict_tint(verdict), verdict ? verdict : "?", 0);
	wd_text_add(out, "\n");
	if (*why)
		put_line(out, style, WD_TINT_NONE, why);
	if (*image)
		put_line(out, style, WD_TINT_FAINT, image);
}

static void put_standing(struct wd_text *out, const struct wd_style *style, const struct wd_json *service)
{
	struct wd_list lines = {0};
	wd_standing_lines(service, &lines);
	if (lines.count > 0)
		wd_text_add(out, "\n");
	for (size_t i = 0; i < lines.count; i++)
		put_line(out, style, i == 0 ? WD_TINT_WARM : WD_TINT_NONE, lines.items[i]);
	wd_list_done(&lines);
}

static void put_warnings(struct wd_text *out, const struct wd_style *style, const struct wd_json *warnings)
{
	if (wd_json_count(warnings) > 0)
		put_title(out, style, "Warnings");
	for (const struct wd_json *row = wd_json_first(warnings); row; row = wd_json_next(row)) {
		WD_AUTO_FREE char *text = wd_harmless(wd_json_string(row, ""));
		wd_text_add(out, "  ");
		wd_put_wrapped(out, style, WD_TINT_WARM, text, 2);
		wd_text_add(out, "\n");
	}
}

void wd_draw_explain(const struct wd_json *explain, const struct wd_style *style, struct wd_text *out)
{
	put_service(out, style, explain);
	put_standing(out, style, wd_json_get(explain, "service"));
	put_triggers(out, style, wd_json_get(explain, "triggers"));
	put_warnings(out, style, wd_json_get(explain, "warnings"));
	put_policy(out, style, explain);
}
