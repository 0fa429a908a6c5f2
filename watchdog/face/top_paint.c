/* top_paint.c: how what `seadog top` knows looks, on so many rows and columns. No terminal: a canvas is painted on. */
#include "top.h"

#include "looks.h"
#include "standing.h"

#include <math.h>
#include <string.h>
#include <watchdog/memory.h>

enum { VERDICT = 9, COUNT = 5, SHARE = 4, PIDS = 4, HEALTH = 9, USED = 11, LEAST_NAME = 10, LEAST_NOTE = 12 };

/* Which columns there are room for, and how wide; 0: left out. */
struct layout {
	size_t name, bar, spark, used, share, pids, health, note;
};

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), "");
}

/* --- signs ------------------------------------------------------------------------------------------------------------ */

static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const letters[] = {"_", ".", "-", "~", "=", "+", "*", "#"};

void wd_top_bar(double share, size_t width, bool ascii, struct wd_text *out)
{
	double full = share < 0 ? 0 : share > 1 ? 1 : share;
	size_t filled = (size_t)ceil(full * (double)width - 1e-9);

	for (size_t i = 0; i < width; i++)
		wd_text_add(out, i < filled ? (ascii ? "#" : "█") : ascii ? "-" : "░");
}

/* The mean of the points that belong to a column. */
static double mean_of(const struct wd_top_curve *curve, size_t column, size_t columns)
{
	size_t from = column * curve->count / columns, to = (column + 1) * curve->count / columns;
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += curve->points[i];
	return sum / (double)(to - from);
}

/* A tenth of the highest is the least that fills the height, so that noise does not look like a mountain; and
 * what is flat is a little above the middle, where nothing makes it flicker. */
void wd_top_spark(const struct wd_top_curve *curve, size_t width, bool ascii, struct wd_text *out)
{
	size_t columns = curve && curve->count < width ? curve->count : width;
	double low = INFINITY, high = 0;

	if (!curve || curve->count == 0 || width == 0)
		return;
	for (unsigned i = 0; i < curve->count; i++) {
		low = fmin(low, curve->points[i]);
		high = fmax(high, curve->points[i]);
	}
	double range = fmax(high - low, fmax(high / 10, 1)), floor_at = (low + high - range) / 2 - range / 100;
	for (size_t column = 0; column < columns; column++) {
		double height = (mean_of(curve, column, columns) - floor_at) / range * 8;
		size_t level = height < 0 ? 0 : height >= 8 ? 7 : (size_t)height;
		wd_text_add(out, ascii ? letters[level] : blocks[level]);
	}
}

/* --- putting ---------------------------------------------------------------------------------------------------------- */

struct brush {
	const struct wd_canvas *canvas;
	size_t row, column;
	bool marked, ascii;
};

static void plain_letters(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (((unsigned char)*from & 0xc0) != 0x80)
			*to++ = (unsigned char)*from < 0x80 ? *from : '?';
	*to = '\0';
}

/* Text cut to the room, then blanks up to it; right: the blanks first. Foreign text is made harmless. */
static void put(struct brush *brush, enum wd_tint tint, const char *text, size_t room, bool right)
{
	struct wd_style style = {.width = 0};
	WD_AUTO_TEXT struct wd_text cut = {0}, whole = {0};
	WD_AUTO_FREE char *harmless = wd_harmless(text);
	size_t left = brush->column < brush->canvas->columns ? brush->canvas->columns - brush->column : 0;

	room = room < left ? room : left;
	if (room == 0)
		return;
	if (brush->ascii)
		plain_letters(harmless);
	if (brush->ascii && wd_columns(harmless, SIZE_MAX, NULL) > room)
		harmless[room] = '\0';
	size_t took = wd_put_cut(&cut, &style, WD_TINT_NONE, harmless, room);
	for (size_t i = took; right && i < room; i++)
		wd_text_add(&whole, " ");
	wd_text_add(&whole, wd_text_get(&cut));
	for (size_t i = took; !right && i < room; i++)
		wd_text_add(&whole, " ");
	brush->canvas->put(brush->canvas->data, brush->row, brush->column, tint, brush->marked, wd_text_get(&whole));
	brush->column += room;
}

static void put_all(struct brush *brush, enum wd_tint tint, const char *text)
{
	put(brush, tint, text, wd_columns(text, SIZE_MAX, NULL), false);
}

static void fill_line(struct brush *brush, enum wd_tint tint)
{
	put(brush, tint, "", SIZE_MAX, false);
}

static struct brush line_at(const struct wd_top *top, const struct wd_canvas *canvas, size_t row)
{
	return (struct brush){.canvas = canvas, .row = row, .ascii = top->ascii};
}

/* --- the head --------------------------------------------------------------------------------------------------------- */

static size_t count_verdict(const struct wd_top *top, const char *verdict)
{
	const struct wd_json *services = wd_json_get(top->status, "services");
	size_t count = 0;

	for (const struct wd_json *service = wd_json_first(services); service; service = wd_json_next(service))
		count += strcmp(member(service, "verdict"), verdict) == 0;
	return count;
}

static void put_counts(const struct wd_top *top, struct brush *brush)
{
	static const char *const verdicts[] = {"sick",    "treating", "verifying", "held",
					       "suspect", "muted",    "ignored",   "well"};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		size_t count = count_verdict(top, verdicts[i]);
		WD_AUTO_FREE char *text = wd_format("  %zu %s", count, verdicts[i]);
		if (count)
			put_all(brush, wd_verdict_tint(verdicts[i]), text);
	}
}

/* "Docker 26.1.5  03:04:05" at the right edge, where there is room for it. */
static void put_clock(const struct wd_top *top, struct brush *brush, wd_stamp now)
{
	const struct wd_json *engine = wd_json_get(top->status, "engine");
	char moment[WD_TIME_TEXT];
	const char *clock = strchr(wd_moment_print(now, moment), ' ');
	WD_AUTO_FREE char *text = wd_format("%s%s  %.8s", *member(engine, "version") ? "Engine " : "",
					    member(engine, "version"), clock ? clock + 1 : "");
	size_t columns = brush->canvas->columns, room = wd_columns(text, SIZE_MAX, NULL);

	if (brush->column + room + 2 < columns)
		put(brush, WD_TINT_NONE, "", columns - room - 1 - brush->column, false);
	put_all(brush, WD_TINT_FAINT, brush->column + room <= columns ? text : "");
}

static void put_trouble(const struct wd_top *top, struct brush *brush)
{
	char moment[WD_TIME_TEXT];
	const char *clock = strchr(wd_moment_print(top->told_at, moment), ' ');
	WD_AUTO_FREE char *text = wd_format("  %s", top->trouble);
	WD_AUTO_FREE char *since = wd_format("  as of %s", clock ? clock + 1 : "");

	put_all(brush, WD_TINT_BAD, text);
	if (top->told_at != WD_STAMP_NONE)
		put_all(brush, WD_TINT_FAINT, since);
}

static void paint_head(const struct wd_top *top, const struct wd_canvas *canvas, wd_stamp now)
{
	struct brush brush = line_at(top, canvas, 0);
	const struct wd_json *engine = wd_json_get(top->status, "engine");
	bool connected = wd_json_bool(wd_json_get(engine, "connected"), false);

	put_all(&brush, WD_TINT_STRONG, "seadog");
	if (strcmp(member(top->status, "mode"), "observe") == 0)
		put_all(&brush, WD_TINT_WARM, " observing");
	if (top->trouble)
		put_trouble(top, &brush);
	else if (top->status && !connected)
		put_all(&brush, WD_TINT_BAD, "  the Engine is away");
	else if (!top->status)
		put_all(&brush, WD_TINT_FAINT, "  asking the watchdog");
	if (!top->trouble)
		put_counts(top, &brush);
	put_clock(top, &brush, now);
	fill_line(&brush, WD_TINT_NONE);
}

/* --- the list --------------------------------------------------------------------------------------------------------- */

static size_t width_of(const struct layout *layout)
{
	const size_t cells[] = {layout->bar ? layout->bar + 1 + COUNT : 0,
				layout->spark,
				layout->used,
				layout->share,
				layout->pids,
				layout->health,
				layout->note};
	size_t width = 2 + layout->name + 1 + VERDICT;

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		width += cells[i] ? 1 + cells[i] : 0;
	return width;
}

static size_t longest_name(const struct wd_top *top)
{
	size_t longest = LEAST_NAME;

	for (size_t i = 0; i < top->count; i++) {
		size_t columns = wd_columns(member(top->rows[i], "name"), SIZE_MAX, NULL);
		longest = columns > longest ? columns : longest;
	}
	return longest < 40 ? longest : 40;
}

/* What must go goes from the least telling on; what is left over makes curves longer, then says why. */
static struct layout lay_out(const struct wd_top *top, size_t columns)
{
	struct layout layout = {LEAST_NAME, 4, 6, USED, SHARE, PIDS, HEALTH, 0};
	size_t *const going[] = {&layout.pids, &layout.health, &layout.spark, &layout.share, &layout.used, &layout.bar};
	size_t wanted = longest_name(top), rest;

	for (size_t i = 0; i < sizeof(going) / sizeof(going[0]) && width_of(&layout) > columns; i++)
		*going[i] = 0;
	rest = columns > width_of(&layout) ? columns - width_of(&layout) : 0;
	layout.name += rest < wanted - layout.name ? rest : wanted - layout.name;
	rest = columns > width_of(&layout) ? columns - width_of(&layout) : 0;
	if (rest > LEAST_NOTE && layout.spark) {
		size_t longer = (rest - LEAST_NOTE) / 3 < 18 ? (rest - LEAST_NOTE) / 3 : 18;
		layout.spark += longer;
		layout.bar += longer / 3;
	}
	rest = columns > width_of(&layout) ? columns - width_of(&layout) : 0;
	layout.note = rest > LEAST_NOTE ? rest - 1 : 0;
	return layout;
}

static void cell(struct brush *brush, enum wd_tint tint, const char *text, size_t room, bool right)
{
	if (room == 0)
		return;
	put(brush, WD_TINT_NONE, "", 1, false);
	put(brush, tint, text, room, right);
}

static void paint_titles(const struct wd_top *top, const struct wd_canvas *canvas, const struct layout *layout)
{
	struct brush brush = line_at(top, canvas, 1);

	put(&brush, WD_TINT_FAINT, "", 2, false);
	put(&brush, WD_TINT_FAINT, "NAME", layout->name, false);
	cell(&brush, WD_TINT_FAINT, "VERDICT", VERDICT, false);
	cell(&brush, WD_TINT_FAINT, "RESTARTS", layout->bar ? layout->bar + 1 + COUNT : 0, false);
	if (layout->spark)
		cell(&brush, WD_TINT_FAINT, "MEMORY", layout->spark + 1 + layout->used, false);
	else
		cell(&brush, WD_TINT_FAINT, "MEMORY", layout->used, true);
	cell(&brush, WD_TINT_FAINT, "CPU", layout->share, true);
	cell(&brush, WD_TINT_FAINT, "PIDS", layout->pids, true);
	cell(&brush, WD_TINT_FAINT, "HEALTH", layout->health, false);
	fill_line(&brush, WD_TINT_FAINT);
}

static enum wd_tint share_tint(double share)
{
	return share >= 0.95 ? WD_TINT_BAD : share >= 0.8 ? WD_TINT_WARM : WD_TINT_NONE;
}

static void put_window(struct brush *brush, const struct wd_json *service, size_t width)
{
	const struct wd_json *window = NULL;
	double share = wd_top_fullest(service, &window);
	enum wd_tint tint = share >= 1     ? WD_TINT_BAD
			    : share >= 0.5 ? WD_TINT_WARM
			    : share > 0    ? WD_TINT_NONE
					   : WD_TINT_FAINT;
	WD_AUTO_TEXT struct wd_text text = {0};

	if (window) {
		wd_top_bar(share, width, brush->ascii, &text);
		wd_text_print(&text, " %lld/%lld", (long long)wd_json_int(wd_json_get(window, "count"), 0),
			      (long long)wd_json_int(wd_json_get(window, "limit"), 0));
	}
	cell(brush, tint, wd_text_get(&text), width ? width + 1 + COUNT : 0, false);
}

static void put_memory(struct brush *brush, const struct wd_top *top, const struct wd_json *service,
		       const struct layout *layout)
{
	const struct wd_json *memory = wd_json_get(service, "memory");
	double ratio = wd_json_double(wd_json_get(memory, "ratio"), 0);
	WD_AUTO_TEXT struct wd_text spark = {0}, used = {0};
	char bytes[WD_SIZE_TEXT];

	wd_top_spark(wd_top_curve(top, member(service, "service")), layout->spark, brush->ascii, &spark);
	cell(brush, share_tint(ratio) == WD_TINT_NONE ? WD_TINT_GOOD : share_tint(ratio), wd_text_get(&spark),
	     layout->spark, true);
	if (wd_json_is_object(memory)) {
		wd_size_print((uint64_t)wd_json_int(wd_json_get(memory, "bytes"), 0), bytes);
		wd_text_print(&used, "%s %.0f%%", bytes, 100 * ratio);
	}
	cell(brush, share_tint(ratio), wd_text_get(&used), layout->used, true);
}

static void put_numbers(struct brush *brush, const struct wd_json *service, const struct layout *layout)
{
	const struct wd_json *cpu = wd_json_get(service, "cpu_ratio"), *pids = wd_json_get(service, "pids");
	WD_AUTO_FREE char *share =
		wd_json_is_number(cpu) ? wd_format("%.0f%%", 100 * wd_json_double(cpu, 0)) : wd_copy("");
	WD_AUTO_FREE char *count =
		wd_json_is_number(pids) ? wd_format("%lld", (long long)wd_json_int(pids, 0)) : wd_copy("");

	cell(brush, share_tint(wd_json_double(cpu, 0)), share, layout->share, true);
	cell(brush, WD_TINT_NONE, count, layout->pids, true);
}

static enum wd_tint health_tint(const char *health)
{
	if (strcmp(health, "unhealthy") == 0)
		return WD_TINT_BAD;
	return strcmp(health, "starting") == 0 ? WD_TINT_BUSY : WD_TINT_FAINT;
}

/* What is done about it, or why nothing is; else why it is not well. */
static char *note_of(const struct wd_json *service)
{
	const struct wd_json *hold = wd_json_get(service, "hold");
	double cpus = wd_json_double(wd_json_get(hold, "cpus"), 0);
	int64_t incident = wd_json_int(wd_json_get(hold, "incident"), 0);
	WD_AUTO_FREE char *of = incident > 0 ? wd_format("incident %lld", (long long)incident) : wd_copy("by hand");

	if (wd_json_is_object(hold) && cpus > 0)
		return wd_format("throttled to %.4g CPUs, %s", cpus, of);
	if (wd_json_is_object(hold))
		return wd_format("%s, %s", strcmp(member(hold, "kind"), "pause") == 0 ? "paused" : "on hold", of);
	char *note = wd_standing_note(service);
	if (*note)
		return note;
	free(note);
	return wd_copy(member(service, "why"));
}

static void paint_row(const struct wd_top *top, const struct wd_canvas *canvas, const struct layout *layout, size_t at,
		      size_t row)
{
	struct brush brush = line_at(top, canvas, row);
	const struct wd_json *service = top->rows[at];
	const char *verdict = member(service, "verdict"), *health = member(service, "health");
	WD_AUTO_FREE char *note = note_of(service);

	brush.marked = strcmp(member(service, "service"), top->chosen ? top->chosen : "") == 0;
	put(&brush, WD_TINT_NONE, brush.marked ? ">" : "", 2, false);
	put(&brush, brush.marked ? WD_TINT_STRONG : WD_TINT_NONE, member(service, "name"), layout->name, false);
	cell(&brush, wd_verdict_tint(verdict), verdict, VERDICT, false);
	put_window(&brush, service, layout->bar);
	put_memory(&brush, top, service, layout);
	put_numbers(&brush, service, layout);
	cell(&brush, health_tint(health), health, layout->health, false);
	cell(&brush, WD_TINT_FAINT, note, layout->note, false);
	fill_line(&brush, WD_TINT_NONE);
}

static size_t chosen_index(const struct wd_top *top)
{
	for (size_t i = 0; i < top->count; i++)
		if (strcmp(member(top->rows[i], "service"), top->chosen ? top->chosen : "") == 0)
			return i;
	return 0;
}

static const char *why_empty(const struct wd_top *top)
{
	if (!top->status)
		return "";
	return top->filter[0] ? "  no service passes the filter: Esc clears it" : "  no services";
}

static void paint_list(struct wd_top *top, const struct wd_canvas *canvas)
{
	struct layout layout = lay_out(top, canvas->columns);
	size_t room = wd_top_room(canvas), chosen = chosen_index(top);

	if (chosen < top->first)
		top->first = chosen;
	if (chosen >= top->first + room)
		top->first = chosen - room + 1;
	if (top->first + room > top->count)
		top->first = top->count > room ? top->count - room : 0;
	paint_titles(top, canvas, &layout);
	for (size_t i = 0; i < room; i++) {
		struct brush brush = line_at(top, canvas, 2 + i);
		if (top->first + i < top->count)
			paint_row(top, canvas, &layout, top->first + i, 2 + i);
		else
			put(&brush, WD_TINT_FAINT, i == 0 ? why_empty(top) : "", SIZE_MAX, false);
	}
}

/* --- other pages ------------------------------------------------------------------------------------------------------ */

static void paint_lines(struct wd_top *top, const struct wd_canvas *canvas)
{
	size_t room = wd_top_room(canvas) + 1; /* no titles */

	if (top->line + room > top->lines.count)
		top->line = top->lines.count > room ? top->lines.count - room : 0;
	for (size_t i = 0; i < room; i++) {
		struct brush brush = line_at(top, canvas, 1 + i);
		put(&brush, i + top->line == 0 ? WD_TINT_STRONG : WD_TINT_NONE,
		    top->line + i < top->lines.count ? top->lines.items[top->line + i] : "", SIZE_MAX, false);
	}
}

static void paint_help(const struct wd_top *top, const struct wd_canvas *canvas)
{
	static const char *const lines[] = {
		"",
		"  Up Down k j     choose a service          PgUp PgDn Home End   go further",
		"  Enter           its triggers, how near each is, and its incidents; Esc: back",
		"  /               filter by name, image or verdict; Esc: all again",
		"  s               sort: by trouble, name, memory, cpu, pids, restarts",
		"  h               hold: stop it and keep it stopped; asks first",
		"  r               release: end its hold or its throttle; asks first",
		"  q Ctrl-C        leave                     Ctrl-Z   for a moment",
		"",
		"  RESTARTS  its fullest window, as full as it is: at the limit the trigger trips",
		"  MEMORY    the last four minutes; what is used now, and how much of what it may",
		"  CPU       of what it may use              PIDS   processes and threads",
		"  VERDICT   well, suspect, sick, treating, verifying, held, muted, ignored",
	};

	for (size_t i = 0; i < wd_top_room(canvas) + 1; i++) {
		struct brush brush = line_at(top, canvas, 1 + i);
		put(&brush, WD_TINT_NONE, i < sizeof(lines) / sizeof(lines[0]) ? lines[i] : "", SIZE_MAX, false);
	}
}

/* --- the foot --------------------------------------------------------------------------------------------------------- */

static void put_question(const struct wd_top *top, struct brush *brush)
{
	const struct wd_json *service = wd_top_chosen(top);
	bool hold = top->confirming == WD_TOP_HOLD;
	WD_AUTO_FREE char *text =
		wd_format("%s %s?  %s  y: yes, any other key: no", hold ? "Hold" : "Release", member(service, "name"),
			  hold ? "It is stopped, and stays stopped." : "It gets back what was taken.");

	put(brush, WD_TINT_WARM, text, SIZE_MAX, false);
}

/* One line about what goes on: a question, an answer, the filter, or why the chosen one is not well. */
static void paint_news(const struct wd_top *top, const struct wd_canvas *canvas)
{
	struct brush brush = line_at(top, canvas, canvas->rows - 2);
	const struct wd_json *service = wd_top_chosen(top);
	WD_AUTO_FREE char *note = service ? note_of(service) : wd_copy("");
	WD_AUTO_FREE char *filter = wd_format("filter: %s%s", top->filter, top->filtering ? "_" : "");
	WD_AUTO_FREE char *told = *note ? wd_format("%s: %s", member(service, "name"), note) : wd_copy("");

	if (top->confirming)
		put_question(top, &brush);
	else if (top->message)
		put(&brush, top->message_tint, top->message, SIZE_MAX, false);
	else if (top->page == WD_TOP_LIST && (top->filtering || top->filter[0]))
		put(&brush, WD_TINT_BUSY, filter, SIZE_MAX, false);
	else
		put(&brush, WD_TINT_FAINT, told, SIZE_MAX, false);
}

static void put_key(struct brush *brush, const char *key, const char *does)
{
	WD_AUTO_FREE char *text = wd_format(" %s  ", does);

	if (brush->column + wd_columns(key, SIZE_MAX, NULL) + wd_columns(text, SIZE_MAX, NULL) > brush->canvas->columns)
		return;
	put_all(brush, WD_TINT_STRONG, key);
	put_all(brush, WD_TINT_FAINT, text);
}

static void paint_keys(const struct wd_top *top, const struct wd_canvas *canvas)
{
	struct brush brush = line_at(top, canvas, canvas->rows - 1);
	WD_AUTO_FREE char *sorted = wd_format("by %s", wd_top_sort_name(top->sort));

	if (top->page == WD_TOP_HELP) {
		put_key(&brush, "any key", "back");
	} else {
		put_key(&brush, top->page == WD_TOP_DETAIL ? "Esc" : "q", top->page == WD_TOP_DETAIL ? "back" : "quit");
		if (top->page == WD_TOP_LIST) {
			put_key(&brush, "Enter", "open");
			put_key(&brush, "/", "filter");
			put_key(&brush, "s", sorted);
		}
		put_key(&brush, "h", "hold");
		put_key(&brush, "r", "release");
		put_key(&brush, "?", "help");
	}
	fill_line(&brush, WD_TINT_FAINT);
}

size_t wd_top_room(const struct wd_canvas *canvas)
{
	return canvas->rows > 4 ? canvas->rows - 4 : 0;
}

void wd_top_paint(struct wd_top *top, const struct wd_canvas *canvas, wd_stamp now)
{
	if (canvas->rows == 0 || canvas->columns == 0)
		return;
	if (canvas->rows < 5 || canvas->columns < 22) {
		struct brush brush = line_at(top, canvas, 0);
		put(&brush, WD_TINT_NONE, "too small", SIZE_MAX, false);
		return;
	}
	paint_head(top, canvas, now);
	if (top->page == WD_TOP_HELP)
		paint_help(top, canvas);
	else if (top->page == WD_TOP_DETAIL)
		paint_lines(top, canvas);
	else
		paint_list(top, canvas);
	paint_news(top, canvas);
	paint_keys(top, canvas);
}
