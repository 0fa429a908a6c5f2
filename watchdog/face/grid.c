#include "grid.h"

#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <wchar.h>

#define CELL_BYTES_MAX 4000
#define GAP 2
#define NARROWEST 8
#define BELOW_INDENT 4
#define LEGIBLE 40  /* columns of one that may go below: with so many it stays in its row, and is cut */
#define BEARABLE 12 /* columns of one that gives: while they fit, no other is left out */

struct cell {
	char *text;
	size_t width;
	enum wd_tint tint;
};

struct wd_grid {
	const struct wd_column *columns;
	size_t count;
	size_t indent;
	struct cell *cells;
	size_t filled;
	size_t room;
};

static const char *const tint_codes[] = {
	[WD_TINT_NONE] = "",          [WD_TINT_GOOD] = "\033[32m", [WD_TINT_WARM] = "\033[33m",
	[WD_TINT_BAD] = "\033[31m",   [WD_TINT_BUSY] = "\033[36m", [WD_TINT_FAINT] = "\033[2m",
	[WD_TINT_STRONG] = "\033[1m",
};

size_t wd_columns(const char *text, size_t room, const char **end)
{
	size_t columns = 0, left = strlen(text);
	while (left > 0) {
		uint32_t rune = '?';
		size_t length = wd_rune_read(text, left, &rune);
		int width = length > 0 ? wcwidth((wchar_t)rune) : 1;
		size_t taken = width < 0 ? 1 : (size_t)width;
		if (columns + taken > room)
			break;
		columns += taken;
		text += length > 0 ? length : 1;
		left -= length > 0 ? length : 1;
	}
	if (end)
		*end = text;
	return columns;
}

char *wd_harmless(const char *foreign)
{
	struct wd_text text = {0};
	if (foreign)
		wd_text_escape(&text, foreign, strlen(foreign), CELL_BYTES_MAX);
	return wd_text_take(&text);
}

size_t wd_put_cut(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text, size_t room)
{
	const char *end = NULL;
	bool tinted = style->color && tint != WD_TINT_NONE && *text;
	bool cut = room > 0 && wd_columns(text, SIZE_MAX, NULL) > room;
	size_t columns = wd_columns(text, cut ? room - 1 : SIZE_MAX, &end);
	if (tinted)
		wd_text_add(out, tint_codes[tint]);
	wd_text_put(out, text, (size_t)(end - text));
	if (cut)
		wd_text_add(out, "…");
	if (tinted)
		wd_text_add(out, "\033[0m");
	return columns + cut;
}

static void put_spaces(struct wd_text *out, size_t count)
{
	while (count-- > 0)
		wd_text_put(out, " ", 1);
}

/* The end of the first line of a text: before its last space that fits, or in the middle of a word that is too long. */
static const char *line_end(const char *text, size_t room)
{
	const char *end = NULL;
	wd_columns(text, room, &end);
	for (const char *at = end; *end && at > text; at--)
		if (*at == ' ')
			return at;
	return end;
}

void wd_put_wrapped(struct wd_text *out, const struct wd_style *style, enum wd_tint tint, const char *text,
		    size_t indent)
{
	size_t width = style->width > 0 && !style->whole ? (size_t)style->width : SIZE_MAX;
	size_t room = width > indent + NARROWEST ? width - indent : NARROWEST;
	while (*text) {
		const char *end = line_end(text, room);
		WD_AUTO_FREE char *line = wd_copy_part(text, (size_t)(end - text));
		wd_put_cut(out, style, tint, line, 0);
		text = end + strspn(end, " ");
		if (*text) {
			wd_text_add(out, "\n");
			put_spaces(out, indent);
		}
	}
}

struct wd_grid *wd_grid_new(const struct wd_column *columns, size_t indent)
{
	struct wd_grid *grid = wd_alloc(1, sizeof *grid);
	grid->columns = columns;
	while (columns[grid->count].title)
		grid->count++;
	grid->indent = indent;
	return grid;
}

struct wd_grid *wd_grid_free(struct wd_grid *grid)
{
	if (!grid)
		return NULL;
	for (size_t i = 0; i < grid->filled; i++)
		free(grid->cells[i].text);
	free(grid->cells);
	free(grid);
	return NULL;
}

void wd_grid_cell(struct wd_grid *grid, enum wd_tint tint, const char *text)
{
	if (grid->filled == grid->room) {
		grid->room = grid->room ? 2 * grid->room : 64;
		grid->cells = wd_realloc(grid->cells, grid->room, sizeof *grid->cells);
	}
	struct cell *cell = &grid->cells[grid->filled++];
	cell->text = wd_harmless(text);
	cell->width = wd_columns(cell->text, SIZE_MAX, NULL);
	cell->tint = tint;
}

/* Natural widths; 0 for a column that is left out. */
static size_t *measure(const struct wd_grid *grid, bool titles)
{
	size_t *widths = wd_alloc(grid->count, sizeof *widths);
	for (size_t i = 0; i < grid->filled; i++)
		if (grid->cells[i].width > widths[i % grid->count])
			widths[i % grid->count] = grid->cells[i].width;
	for (size_t i = 0; i < grid->count; i++) {
		size_t title = titles ? wd_columns(grid->columns[i].title, SIZE_MAX, NULL) : 0;
		bool lacks = widths[i] == 0 && (grid->columns[i].traits & WD_COLUMN_MAY_LACK);
		if (!lacks && widths[i] < title)
			widths[i] = title;
	}
	return widths;
}

static size_t line_width(const struct wd_grid *grid, const size_t *widths)
{
	size_t sum = grid->indent;
	for (size_t i = 0; i < grid->count; i++)
		if (widths[i])
			sum += widths[i] + GAP;
	return sum > GAP ? sum - GAP : 0;
}

/* How wide a line is where those that give are cut to what can still be read. */
static size_t bearable_width(const struct wd_grid *grid, const size_t *widths)
{
	size_t line = line_width(grid, widths);
	for (size_t i = 0; i < grid->count; i++)
		if ((grid->columns[i].traits & WD_COLUMN_GIVES) && widths[i] > BEARABLE)
			line -= widths[i] - BEARABLE;
	return line;
}

static void thin_out(const struct wd_grid *grid, size_t *widths, size_t room)
{
	for (size_t i = grid->count; i-- > 0 && bearable_width(grid, widths) > room;)
		if (grid->columns[i].traits & WD_COLUMN_GOES)
			widths[i] = 0;
}

/* Where the columns that stay do not fit, those that may have a line of their own below their row. */
static void move_below(const struct wd_grid *grid, size_t *widths, bool *below, size_t room)
{
	size_t line = line_width(grid, widths);
	for (size_t i = 0; i < grid->count; i++)
		if (widths[i] && (grid->columns[i].traits & WD_COLUMN_GOES))
			line -= widths[i] + GAP;
	for (size_t i = grid->count; i-- > 0 && line > room;) {
		if (!widths[i] || !(grid->columns[i].traits & WD_COLUMN_BELOW) || line - widths[i] + LEGIBLE <= room)
			continue;
		line -= widths[i] + GAP;
		below[i] = true;
		widths[i] = 0;
	}
}

/* Takes columns from the widest that can give, until the line fits or nobody can give any more. */
static void squeeze(const struct wd_grid *grid, size_t *widths, size_t room)
{
	for (size_t line = line_width(grid, widths); line > room; line--) {
		size_t *widest = NULL;
		for (size_t i = 0; i < grid->count; i++)
			if ((grid->columns[i].traits & WD_COLUMN_GIVES) && widths[i] > NARROWEST &&
			    (!widest || widths[i] > *widest))
				widest = &widths[i];
		if (!widest)
			return;
		--*widest;
	}
}

/* `cells` is a row; blanks are put before a cell, not behind it, so that no line ends with them. */
static void draw_row(const struct wd_grid *grid, const size_t *widths, const struct wd_style *style,
		     const struct cell *cells, struct wd_text *out)
{
	size_t blanks = grid->indent;
	for (size_t i = 0; i < grid->count; i++) {
		if (!widths[i])
			continue;
		bool right = (grid->columns[i].traits & WD_COLUMN_RIGHT) && cells[i].width < widths[i];
		size_t left = right ? widths[i] - cells[i].width : 0;
		if (cells[i].width == 0) {
			blanks += widths[i] + GAP;
			continue;
		}
		put_spaces(out, blanks + left);
		size_t taken = wd_put_cut(out, style, cells[i].tint, cells[i].text, widths[i]);
		blanks = widths[i] - left - taken + GAP;
	}
	wd_text_add(out, "\n");
}

/* "    why: 3 restarts within 60s", wrapped. */
static void draw_below(const struct wd_grid *grid, const bool *below, const struct wd_style *style,
		       const struct cell *cells, struct wd_text *out)
{
	for (size_t i = 0; i < grid->count; i++) {
		if (!below[i] || cells[i].width == 0)
			continue;
		size_t indent = grid->indent + BELOW_INDENT;
		WD_AUTO_FREE char *title = wd_format("%s: ", grid->columns[i].title);
		for (char *at = title; *at; at++)
			*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
		put_spaces(out, indent);
		indent += wd_put_cut(out, style, WD_TINT_FAINT, title, 0);
		wd_put_wrapped(out, style, cells[i].tint, cells[i].text, indent);
		wd_text_add(out, "\n");
	}
}

static void draw_titles(const struct wd_grid *grid, const size_t *widths, const struct wd_style *style,
			struct wd_text *out)
{
	struct cell *cells = wd_alloc(grid->count, sizeof *cells);
	for (size_t i = 0; i < grid->count; i++) {
		cells[i].text = wd_copy(grid->columns[i].title);
		cells[i].width = wd_columns(cells[i].text, SIZE_MAX, NULL);
		cells[i].tint = WD_TINT_FAINT;
	}
	draw_row(grid, widths, style, cells, out);
	for (size_t i = 0; i < grid->count; i++)
		free(cells[i].text);
	free(cells);
}

void wd_grid_draw(struct wd_grid *grid, const struct wd_style *style, bool titles, struct wd_text *out)
{
	WD_AUTO_FREE size_t *widths = measure(grid, titles);
	WD_AUTO_FREE bool *below = wd_alloc(grid->count, sizeof *below);
	if (style->width > 0 && !style->whole) {
		move_below(grid, widths, below, (size_t)style->width);
		thin_out(grid, widths, (size_t)style->width);
		squeeze(grid, widths, (size_t)style->width);
	}
	if (titles)
		draw_titles(grid, widths, style, out);
	for (size_t i = 0; i + grid->count <= grid->filled; i += grid->count) {
		draw_row(grid, widths, style, &grid->cells[i], out);
		draw_below(grid, below, style, &grid->cells[i], out);
	}
}
