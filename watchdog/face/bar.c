#include "bar.h"

#include "grid.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <watchdog/memory.h>

enum { BAR_MOST = 40, BAR_LEAST = 8, NAME_MOST = 24 };

static int columns_of_terminal(void)
{
	struct winsize size = {0};
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void wd_bar_init(struct wd_bar *bar, const struct wd_call *call)
{
	*bar = (struct wd_bar){.wanted = isatty(STDERR_FILENO) && !wd_asked(call, WD_FLAG_QUIET) &&
					 !wd_asked(call, WD_FLAG_JSON)};
	bar->width = columns_of_terminal();
}

static void add_amounts(struct wd_text *text, int64_t bytes, int64_t total_bytes, int64_t rate)
{
	char size[WD_SIZE_TEXT], span[WD_TIME_TEXT];
	int64_t left = total_bytes > bytes ? total_bytes - bytes : 0;

	wd_text_add(text, wd_size_print((uint64_t)bytes, size));
	if (total_bytes > 0)
		wd_text_print(text, " of %s", wd_size_print((uint64_t)total_bytes, size));
	if (rate > 0)
		wd_text_print(text, ", %s/s", wd_size_print((uint64_t)rate, size));
	if (rate > 0 && left > 0)
		wd_text_print(text, ", %s left", wd_span_print_short(left / rate * WD_SECOND, span));
}

static void add_bar(struct wd_text *out, int64_t share, int room)
{
	int full = (int)(share * room / 100);

	wd_text_add(out, "[");
	for (int i = 0; i < room; i++)
		wd_text_add(out, i < full ? "=" : i == full ? ">" : " ");
	wd_text_print(out, "] %3d%%  ", (int)share);
}

void wd_bar_print(struct wd_text *out, const char *what, int64_t bytes, int64_t total_bytes, int64_t rate, int width)
{
	static const struct wd_style plain = {0};
	WD_AUTO_TEXT struct wd_text amounts = {0};
	WD_AUTO_FREE char *name = wd_harmless(what);
	int64_t share = total_bytes <= 0       ? 0
			: bytes >= total_bytes ? 100
					       : (int64_t)((double)bytes / (double)total_bytes * 100);

	add_amounts(&amounts, bytes, total_bytes, rate);
	int used = (int)wd_put_cut(out, &plain, WD_TINT_NONE, name, NAME_MOST) + (int)amounts.length + 13;
	int room = width - used > BAR_MOST ? BAR_MOST : width - used;
	wd_text_add(out, "  ");
	if (total_bytes > 0 && room >= BAR_LEAST)
		add_bar(out, share, room);
	else if (total_bytes > 0)
		wd_text_print(out, "%3d%%  ", (int)share);
	wd_text_add(out, wd_text_get(&amounts));
}

/* What is counted anew belongs to something else: the next volume. */
static int64_t rate_of(struct wd_bar *bar, const char *what, int64_t bytes)
{
	wd_time now = wd_time_now();

	if (strncmp(bar->what, what, sizeof(bar->what) - 1) != 0 || bytes < bar->first || bar->began == 0) {
		snprintf(bar->what, sizeof(bar->what), "%s", what);
		bar->began = now;
		bar->first = bytes;
	}
	double seconds = (double)(now - bar->began) / (double)WD_SECOND;
	return seconds < 0.2 ? 0 : (int64_t)((double)(bytes - bar->first) / seconds);
}

void wd_bar_show(struct wd_bar *bar, const char *what, int64_t bytes, int64_t total_bytes)
{
	WD_AUTO_TEXT struct wd_text line = {0};

	if (!bar->wanted)
		return;
	wd_bar_print(&line, what, bytes, total_bytes, rate_of(bar, what, bytes), bar->width - 1);
	fprintf(stderr, "\r%s\033[K", wd_text_get(&line));
	fflush(stderr);
	bar->shown = true;
}

void wd_bar_clear(struct wd_bar *bar)
{
	if (bar->shown)
		fputs("\r\033[K", stderr);
	bar->shown = false;
}
