/* grid.h: tables and lines for terminals: cells of foreign text made harmless, measured in columns (wcwidth), tinted,
 * cut to the width there is. Texts are built in memory; who prints them decides where to.
 */
#ifndef WATCHDOG_FACE_GRID_H
#define WATCHDOG_FACE_GRID_H

#include <watchdog/report.h>
#include <watchdog/text.h>

enum wd_tint { WD_TINT_NONE, WD_TINT_GOOD, WD_TINT_WARM, WD_TINT_BAD, WD_TINT_BUSY, WD_TINT_FAINT, WD_TINT_STRONG };

/* Columns that a text without control characters takes; `end` (may be NULL): the first byte that does not fit into
 * `room` columns. */
size_t wd_columns(const char *text, size_t room, const char **end);
/* Foreign text, escaped, on one line. The caller frees. */
char *wd_harmless(const char *foreign);
/* Adds text cut to `room` columns with "…" where it is cut (room 0: not cut), in a tint where there is colour. Returns
 * the columns it took. */
size_t wd_put_cut(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text, size_t room);

/* The same over as many lines as it takes, broken at spaces; all but the first begin behind `indent` blanks. */
void wd_put_wrapped(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text,
                    size_t indent);

enum {
	WD_COLUMN_GIVES = 1, /* may become narrower where the terminal is */
	WD_COLUMN_MAY_LACK = 2, /* left out where no row has anything in it */
	WD_COLUMN_RIGHT = 4,
	WD_COLUMN_GOES = 8, /* left out where the terminal is too narrow for all: the last of them first */
	WD_COLUMN_BELOW = 16, /* where the terminal is too narrow: on lines of its own below its row, whole */
};
struct wd_column {
	const char *title;
	int traits;
};

struct wd_grid;
/* columns end with a title of NULL and are lent for the grid's life. indent: columns left of each line. */
struct wd_grid *wd_grid_new(const struct wd_column *columns, size_t indent);
struct wd_grid *wd_grid_free(struct wd_grid *grid);
/* Cells of a row from left to right; foreign text may be given as it is. NULL is an empty cell. */
void wd_grid_cell(struct wd_grid *grid, enum wd_tint tint, const char *text);
void wd_grid_draw(struct wd_grid *grid, const struct wd_style *style, bool titles, struct wd_text *out);

#endif
