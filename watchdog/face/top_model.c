/* top_model.c: what `seadog top` knows and what was chosen. No terminal, no clock, no socket. */
#include "top.h"

#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), "");
}

void wd_top_done(struct wd_top *top)
{
	for (size_t i = 0; i < top->curve_count; i++)
		free(top->curves[i].service);
	free(top->curves);
	free(top->rows);
	free(top->chosen);
	free(top->message);
	free(top->trouble);
	wd_list_done(&top->lines);
	wd_json_free(top->status);
	*top = (struct wd_top){0};
}

/* --- curves ----------------------------------------------------------------------------------------------------------- */

static struct wd_top_curve *find_curve(const struct wd_top *top, const char *service)
{
	for (size_t i = 0; i < top->curve_count; i++)
		if (strcmp(top->curves[i].service, service) == 0)
			return &top->curves[i];
	return NULL;
}

const struct wd_top_curve *wd_top_curve(const struct wd_top *top, const char *service)
{
	return find_curve(top, service);
}

static void add_point(struct wd_top_curve *curve, double point)
{
	if (curve->count == WD_TOP_POINTS)
		memmove(curve->points, curve->points + 1, (--curve->count) * sizeof(*curve->points));
	curve->points[curve->count++] = point;
}

static void take_curve(struct wd_top *top, const struct wd_json *report)
{
	const struct wd_json *bytes = wd_json_path(report, "memory.bytes");
	const char *service = member(report, "service");
	struct wd_top_curve *curve = find_curve(top, service);

	if (!curve) {
		top->curves = wd_realloc(top->curves, top->curve_count + 1, sizeof(*top->curves));
		curve = &top->curves[top->curve_count++];
		*curve = (struct wd_top_curve){.service = wd_copy(service)};
	}
	curve->met = true;
	if (wd_json_is_number(bytes))
		add_point(curve, wd_json_double(bytes, 0));
}

static void drop_curves(struct wd_top *top)
{
	for (size_t i = 0; i < top->curve_count;) {
		if (top->curves[i].met) {
			top->curves[i++].met = false;
			continue;
		}
		free(top->curves[i].service);
		top->curves[i] = top->curves[--top->curve_count];
	}
}

/* --- which rows, in which order --------------------------------------------------------------------------------------- */

static const char *const sort_names[WD_TOP_SORTS] = {"trouble", "name", "memory", "cpu", "pids", "restarts"};

const char *wd_top_sort_name(enum wd_top_sort sort)
{
	return sort_names[sort];
}

double wd_top_fullest(const struct wd_json *service, const struct wd_json **ret_window)
{
	const struct wd_json *windows = wd_json_get(service, "restarts");
	double fullest = -1;

	for (const struct wd_json *window = wd_json_first(windows); window; window = wd_json_next(window)) {
		double limit = wd_json_double(wd_json_get(window, "limit"), 1);
		double share = wd_json_double(wd_json_get(window, "count"), 0) / (limit > 0 ? limit : 1);
		if (share <= fullest)
			continue;
		fullest = share;
		if (ret_window)
			*ret_window = window;
	}
	return fullest > 0 ? fullest : 0;
}

static double urgency(const struct wd_json *service)
{
	static const char *const order[] = {"sick", "treating", "verifying", "held", "suspect", "muted", "well"};
	size_t count = sizeof(order) / sizeof(order[0]), i = 0;

	while (i < count && strcmp(order[i], member(service, "verdict")) != 0)
		i++;
	return (double)(count - i) + (wd_json_is_object(wd_json_get(service, "hold")) ? 0.5 : 0);
}

static double weight(const struct wd_json *service, enum wd_top_sort sort)
{
	switch (sort) {
	case WD_TOP_BY_TROUBLE:
		return urgency(service);
	case WD_TOP_BY_MEMORY:
		return wd_json_double(wd_json_path(service, "memory.bytes"), -1);
	case WD_TOP_BY_CPU:
		return wd_json_double(wd_json_get(service, "cpu_ratio"), -1);
	case WD_TOP_BY_PIDS:
		return wd_json_double(wd_json_get(service, "pids"), -1);
	case WD_TOP_BY_RESTARTS:
		return wd_top_fullest(service, NULL);
	default:
		return 0;
	}
}

static bool comes_before(const struct wd_json *one, const struct wd_json *two, enum wd_top_sort sort)
{
	double first = weight(one, sort), second = weight(two, sort);

	if (first > second || first < second)
		return first > second;
	return strcmp(member(one, "name"), member(two, "name")) < 0;
}

/* Few rows, and nearly in order since the last time. */
static void insert_row(struct wd_top *top, const struct wd_json *service)
{
	size_t at = top->count++;

	for (; at > 0 && comes_before(service, top->rows[at - 1], top->sort); at--)
		top->rows[at] = top->rows[at - 1];
	top->rows[at] = service;
}

static bool passes(const struct wd_top *top, const struct wd_json *service)
{
	const char *words[] = {member(service, "name"), member(service, "service"), member(service, "image"),
			       member(service, "verdict")};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(words[i], top->filter))
			return true;
	return false;
}

static size_t index_of(const struct wd_top *top, const char *service)
{
	for (size_t i = 0; service && i < top->count; i++)
		if (strcmp(member(top->rows[i], "service"), service) == 0)
			return i;
	return top->count;
}

static void choose(struct wd_top *top, size_t index)
{
	if (top->count)
		wd_replace(&top->chosen, member(top->rows[index < top->count ? index : top->count - 1], "service"));
	else
		wd_replace(&top->chosen, NULL);
}

/* What was chosen stays so while it is there, wherever it goes. */
static void arrange_from(struct wd_top *top, size_t before)
{
	const struct wd_json *services = wd_json_get(top->status, "services");

	free(top->rows);
	top->rows = wd_alloc(wd_json_count(services) + 1, sizeof(*top->rows));
	top->count = 0;
	for (const struct wd_json *service = wd_json_first(services); service; service = wd_json_next(service))
		if (passes(top, service))
			insert_row(top, service);
	if (!top->chosen)
		choose(top, 0);
	else if (index_of(top, top->chosen) == top->count && top->page == WD_TOP_LIST)
		choose(top, before);
}

static void arrange(struct wd_top *top)
{
	arrange_from(top, index_of(top, top->chosen));
}

void wd_top_take(struct wd_top *top, struct wd_json *status_taken, wd_stamp now)
{
	struct wd_json *old = top->status;
	size_t before = index_of(top, top->chosen);

	top->count = 0; /* the rows are the old one's */
	top->status = status_taken;
	for (const struct wd_json *service = wd_json_first(wd_json_get(top->status, "services")); service;
	     service = wd_json_next(service))
		take_curve(top, service);
	drop_curves(top);
	arrange_from(top, before);
	wd_json_free(old);
	wd_replace(&top->trouble, NULL);
	top->told_at = now;
}

void wd_top_lose(struct wd_top *top, const char *why)
{
	wd_replace(&top->trouble, why);
}

void wd_top_say(struct wd_top *top, enum wd_tint tint, const char *text)
{
	wd_replace(&top->message, text);
	top->message_tint = tint;
}

const struct wd_json *wd_top_chosen(const struct wd_top *top)
{
	size_t index = index_of(top, top->chosen);

	return index < top->count ? top->rows[index] : NULL;
}

/* --- keys ------------------------------------------------------------------------------------------------------------- */

static size_t moved(size_t at, size_t most, int key, size_t page)
{
	switch (key) {
	case WD_TOP_UP:
	case 'k':
		return at > 0 ? at - 1 : 0;
	case WD_TOP_DOWN:
	case 'j':
		return at < most ? at + 1 : most;
	case WD_TOP_PAGE_UP:
		return at > page ? at - page : 0;
	case WD_TOP_PAGE_DOWN:
	case ' ':
		return at + page < most ? at + page : most;
	case WD_TOP_HOME:
	case 'g':
		return 0;
	case WD_TOP_END:
	case 'G':
		return most;
	default:
		return at;
	}
}

/* Characters beyond ASCII are found by what is around them. */
static void type_filter(struct wd_top *top, int key)
{
	size_t length = strlen(top->filter);

	if (key == WD_TOP_ENTER || key == WD_TOP_UP || key == WD_TOP_DOWN) {
		top->filtering = false;
	} else if (key == WD_TOP_ESCAPE) {
		top->filtering = false;
		top->filter[0] = '\0';
	} else if (key == WD_TOP_ERASE && length > 0) {
		top->filter[length - 1] = '\0';
	} else if (key >= ' ' && key < 0x7f && length < WD_TOP_FILTER) {
		top->filter[length] = (char)key;
		top->filter[length + 1] = '\0';
	}
	arrange(top);
}

static enum wd_top_wish ask(struct wd_top *top, enum wd_top_wish wish)
{
	const struct wd_json *service = wd_top_chosen(top);
	bool bound = wd_json_is_object(wd_json_get(service, "hold"));
	bool held = strcmp(member(service, "verdict"), "held") == 0;

	if (!service)
		return WD_TOP_NOTHING;
	if (top->trouble)
		wd_top_say(top, WD_TINT_BAD, "the watchdog must run for that");
	else if (wish == WD_TOP_RELEASE && !bound)
		wd_top_say(top, WD_TINT_WARM, "it is not on hold");
	else if (wish == WD_TOP_HOLD && held)
		wd_top_say(top, WD_TINT_WARM, "it is on hold already");
	else
		top->confirming = wish;
	return WD_TOP_NOTHING;
}

static enum wd_top_wish press_list(struct wd_top *top, int key, size_t rows)
{
	switch (key) {
	case 'q':
		return WD_TOP_QUIT;
	case WD_TOP_ENTER:
		return wd_top_chosen(top) ? WD_TOP_OPEN : WD_TOP_NOTHING;
	case '/':
		top->filtering = true;
		break;
	case WD_TOP_ESCAPE:
		top->filter[0] = '\0';
		arrange(top);
		break;
	case 's':
		top->sort = (top->sort + 1) % WD_TOP_SORTS;
		arrange(top);
		break;
	default:
		if (top->count)
			choose(top, moved(index_of(top, top->chosen), top->count - 1, key, rows));
		break;
	}
	return WD_TOP_NOTHING;
}

static enum wd_top_wish press_page(struct wd_top *top, int key, size_t rows)
{
	size_t most = top->lines.count > rows ? top->lines.count - rows : 0;

	if (key == 'q' || key == WD_TOP_ESCAPE || key == WD_TOP_BACK || key == WD_TOP_ERASE || key == WD_TOP_ENTER) {
		top->page = WD_TOP_LIST;
		arrange(top);
	} else {
		top->line = moved(top->line < most ? top->line : most, most, key, rows);
	}
	return WD_TOP_NOTHING;
}

enum wd_top_wish wd_top_press(struct wd_top *top, int key, size_t rows)
{
	if (top->confirming) {
		enum wd_top_wish wish = key == 'y' || key == 'Y' ? top->confirming : WD_TOP_NOTHING;
		top->confirming = WD_TOP_NOTHING;
		if (!wish)
			wd_top_say(top, WD_TINT_FAINT, "nothing was done");
		return wish;
	}
	wd_top_say(top, WD_TINT_NONE, NULL);
	if (top->filtering) {
		type_filter(top, key);
		return WD_TOP_NOTHING;
	}
	if (top->page == WD_TOP_HELP) {
		top->page = WD_TOP_LIST;
		return WD_TOP_NOTHING;
	}
	if (key == 'h')
		return ask(top, WD_TOP_HOLD);
	if (key == 'r')
		return ask(top, WD_TOP_RELEASE);
	if (key == '?') {
		top->page = WD_TOP_HELP;
		return WD_TOP_NOTHING;
	}
	return top->page == WD_TOP_DETAIL ? press_page(top, key, rows) : press_list(top, key, rows);
}
