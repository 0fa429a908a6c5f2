/* top.h: `seadog top` in three parts: what is known and chosen (top_model.c), how that looks on so many rows and columns
 * (top_paint.c), and the terminal with its keys (top.c, the only one that knows ncurses).
 */
#ifndef WATCHDOG_FACE_TOP_H
#define WATCHDOG_FACE_TOP_H

#include "grid.h"

#include <watchdog/json.h>
#include <watchdog/time.h>

#define WD_TOP_POINTS 240 /* of a curve: a look a second, so the last four minutes */
#define WD_TOP_FILTER 32

/* Keys that are no characters. */
enum wd_top_key { WD_TOP_UP = 0x110000, WD_TOP_DOWN, WD_TOP_PAGE_UP, WD_TOP_PAGE_DOWN, WD_TOP_HOME, WD_TOP_END,
	WD_TOP_ENTER, WD_TOP_BACK, WD_TOP_ESCAPE, WD_TOP_ERASE };
enum wd_top_sort { WD_TOP_BY_TROUBLE, WD_TOP_BY_NAME, WD_TOP_BY_MEMORY, WD_TOP_BY_CPU, WD_TOP_BY_PIDS,
	WD_TOP_BY_RESTARTS, WD_TOP_SORTS };
enum wd_top_page { WD_TOP_LIST, WD_TOP_DETAIL, WD_TOP_HELP };
enum wd_top_wish { WD_TOP_NOTHING, WD_TOP_QUIT, WD_TOP_OPEN, WD_TOP_HOLD, WD_TOP_RELEASE };

struct wd_top_curve { /* memory of a service, oldest first */
	char *service;
	double points[WD_TOP_POINTS];
	unsigned count;
	bool met; /* in the last report */
};

struct wd_top {
	struct wd_json *status;       /* as last told, or NULL */
	const struct wd_json **rows;  /* of its services, those that are shown, in order */
	size_t count, first;          /* first: that is on the screen */
	struct wd_top_curve *curves;
	size_t curve_count;
	char *chosen; /* service; NULL: none */
	enum wd_top_sort sort;
	char filter[WD_TOP_FILTER + 1];
	bool filtering; /* the filter is being typed */
	enum wd_top_page page;
	struct wd_list lines; /* of the detail page */
	size_t line;          /* the first that is shown */
	enum wd_top_wish confirming; /* HOLD, RELEASE: waits for y */
	char *message;        /* what became of what was asked for, or NULL */
	enum wd_tint message_tint;
	char *trouble;        /* why the watchdog tells nothing; NULL: it does */
	wd_stamp told_at;     /* when it last did */
	bool ascii;           /* no other characters */
};

void wd_top_done(struct wd_top *top);
/* The watchdog has told its status: taken over. */
void wd_top_take(struct wd_top *top, struct wd_json *status_taken, wd_stamp now);
/* It has not, and why. */
void wd_top_lose(struct wd_top *top, const char *why);
void wd_top_say(struct wd_top *top, enum wd_tint tint, const char *text);
/* A key was pressed; `rows` fit on the screen. What the caller is to do. */
enum wd_top_wish wd_top_press(struct wd_top *top, int key, size_t rows);
const struct wd_json *wd_top_chosen(const struct wd_top *top); /* lent, or NULL */
const struct wd_top_curve *wd_top_curve(const struct wd_top *top, const char *service);
const char *wd_top_sort_name(enum wd_top_sort sort);
double wd_top_fullest(const struct wd_json *service, const struct wd_json **ret_window); /* of its windows: 0..1 and above */

/* A place to paint on: put() is given harmless text that fits. */
struct wd_canvas {
	size_t rows, columns;
	void (*put)(void *data, size_t row, size_t column, enum wd_tint tint, bool marked, const char *text);
	void *data;
};
size_t wd_top_room(const struct wd_canvas *canvas); /* rows for services, or for lines */
void wd_top_paint(struct wd_top *top, const struct wd_canvas *canvas, wd_stamp now);
/* "▁▂▅█": the whole curve in at most `width` columns. */
void wd_top_spark(const struct wd_top_curve *curve, size_t width, bool ascii, struct wd_text *out);
void wd_top_bar(double share, size_t width, bool ascii, struct wd_text *out);

#endif
