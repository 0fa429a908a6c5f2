/* top.c: `seadog top`: the terminal, its keys, and what is asked of the watchdog meanwhile. The only file that knows
 * ncurses. Nothing here waits for an answer: each question is a socket beside the keyboard.
 */
#include "top.h"

#include "client.h"
#include "face.h"
#include "render.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <watchdog/memory.h>

#define TICK WD_SECOND
#define SILENT_LONG (5 * WD_SECOND)
#define KNOCK (200 * WD_MILLISECOND)
#define REST_OF_LINE (2 * WD_SECOND) /* an answer that has begun */
#define CTRL(letter) ((letter)&0x1f)
#define REPEAT 2 /* seconds between two tables where there is no screen */

static volatile sig_atomic_t ended_by;

struct question {
	struct wd_asking *asking; /* NULL: nothing is asked */
	wd_time since;
	char *about; /* the service */
};

struct terminal {
	struct wd_call *call;
	struct wd_top top;
	SCREEN *screen;
	bool color;
	struct question status, explain, incidents, change;
	struct wd_text explained; /* of the detail page; incidents are behind it */
	enum wd_top_wish changing;
	wd_time next; /* tick */
};

/* --- what is asked ---------------------------------------------------------------------------------------------------- */

static void drop(struct question *question)
{
	question->asking = wd_asking_free(question->asking);
	wd_replace(&question->about, NULL);
}

static bool ask(struct terminal *terminal, struct question *question, const char *verb, const char *name,
		struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *request = wd_request_new(verb);

	if (name)
		wd_json_set_string(request, "name", name);
	drop(question);
	question->asking = wd_asking_new(wd_call_control(terminal->call), request, KNOCK, error);
	question->since = wd_time_now();
	wd_replace(&question->about, name);
	return question->asking != NULL;
}

static bool keep(void *data, const struct wd_json *answer)
{
	struct wd_json **slot = data;

	wd_json_free(*slot);
	*slot = wd_json_clone(answer);
	return true;
}

/* What was asked is answered, or will not be: NULL with the error. The caller frees. */
static struct wd_json *read_answer(struct question *question, struct wd_error *error)
{
	struct wd_json *answer = NULL;
	bool done = wd_asking_read(question->asking, REST_OF_LINE, keep, &answer, error);

	question->asking = wd_asking_free(question->asking);
	if (done)
		return answer;
	wd_json_free(answer);
	return NULL;
}

static void ask_status(struct terminal *terminal)
{
	struct wd_error error = {0};

	if (terminal->status.asking) {
		if (wd_time_now() - terminal->status.since < SILENT_LONG)
			return;
		wd_top_lose(&terminal->top, "the watchdog does not answer");
	}
	if (!ask(terminal, &terminal->status, "status", NULL, &error))
		wd_top_lose(&terminal->top,
			    error.kind == WD_ERROR_NOT_RUNNING ? "the watchdog is not running" : error.text);
}

static void take_status(struct terminal *terminal)
{
	struct wd_error error = {0};
	struct wd_json *status = read_answer(&terminal->status, &error);

	if (status)
		wd_top_take(&terminal->top, status, wd_stamp_now());
	else
		wd_top_lose(&terminal->top, error.text);
}

/* --- the detail page -------------------------------------------------------------------------------------------------- */

static struct wd_style style_of(void)
{
	return (struct wd_style){.width = COLS};
}

static void ask_detail(struct terminal *terminal)
{
	const struct wd_json *service = wd_top_chosen(&terminal->top);
	const char *name = wd_json_string(wd_json_get(service, "name"), NULL);

	if (!name || terminal->top.trouble)
		return;
	if (!terminal->explain.asking && !terminal->incidents.asking)
		ask(terminal, &terminal->explain, "explain", name, NULL);
}

static void open_detail(struct terminal *terminal)
{
	drop(&terminal->explain);
	drop(&terminal->incidents);
	wd_list_done(&terminal->top.lines);
	terminal->top.line = 0;
	terminal->top.page = WD_TOP_DETAIL;
	ask_detail(terminal);
}

static void take_explain(struct terminal *terminal)
{
	const struct wd_style style = style_of();
	WD_AUTO_FREE char *about = wd_copy(terminal->explain.about);
	WD_AUTO_JSON struct wd_json *report = read_answer(&terminal->explain, NULL);

	wd_text_done(&terminal->explained);
	if (report)
		wd_draw_explain(report, &style, &terminal->explained);
	ask(terminal, &terminal->incidents, "incidents", about, NULL);
}

/* Both answers are there: the page is made anew as a whole, and stays where it is scrolled to. */
static void take_incidents(struct terminal *terminal)
{
	const struct wd_style style = style_of();
	WD_AUTO_JSON struct wd_json *report = read_answer(&terminal->incidents, NULL);
	WD_AUTO_TEXT struct wd_text text = {0};
	char *line, *rest;

	wd_text_print(&text, "%s\n", wd_text_get(&terminal->explained));
	if (wd_json_count(wd_json_get(report, "incidents")) > 0)
		wd_draw_incidents(report, &style, &text);
	else if (report)
		wd_text_add(&text, "no incidents\n");
	wd_list_done(&terminal->top.lines);
	WD_AUTO_FREE char *whole = wd_text_take(&text);
	for (rest = whole; (line = strsep(&rest, "\n")) && (*line || rest);)
		wd_list_add(&terminal->top.lines, line);
}

/* --- changes ---------------------------------------------------------------------------------------------------------- */

static void begin_change(struct terminal *terminal, enum wd_top_wish wish)
{
	const struct wd_json *service = wd_top_chosen(&terminal->top);
	const char *name = wd_json_string(wd_json_get(service, "name"), NULL);
	const char *verb = wish == WD_TOP_HOLD ? "hold" : "release";
	struct wd_error error = {0};

	if (!name)
		return;
	if (terminal->change.asking) {
		wd_top_say(&terminal->top, WD_TINT_WARM, "something is under way already: one after the other");
		return;
	}
	terminal->changing = wish;
	WD_AUTO_FREE char *text = wd_format("%s %s: under way", verb, name);
	if (ask(terminal, &terminal->change, verb, name, &error))
		wd_top_say(&terminal->top, WD_TINT_BUSY, text);
	else
		wd_top_say(&terminal->top, WD_TINT_BAD, error.text);
}

static void take_change(struct terminal *terminal)
{
	struct wd_error error = {0};
	WD_AUTO_FREE char *about = wd_copy(terminal->change.about);
	WD_AUTO_JSON struct wd_json *answer = read_answer(&terminal->change, &error);
	const char *detail = answer ? wd_json_string(wd_json_get(answer, "detail"), "done") : error.text;
	WD_AUTO_FREE char *text =
		wd_format("%s %s: %s", terminal->changing == WD_TOP_HOLD ? "hold" : "release", about, detail);

	wd_top_say(&terminal->top, answer ? WD_TINT_GOOD : WD_TINT_BAD, text);
	terminal->next = 0; /* show it at once */
}

/* --- the screen ------------------------------------------------------------------------------------------------------- */

/* Without colour the worst and the chosen still stand out. */
static void take_brush(const struct terminal *terminal, enum wd_tint tint, bool marked)
{
	static const short colors[] = {[WD_TINT_GOOD] = COLOR_GREEN,
				       [WD_TINT_WARM] = COLOR_YELLOW,
				       [WD_TINT_BAD] = COLOR_RED,
				       [WD_TINT_BUSY] = COLOR_CYAN,
				       [WD_TINT_STRONG] = 0};
	bool known = (size_t)tint < sizeof(colors) / sizeof(colors[0]);
	attr_t look = tint == WD_TINT_BAD || tint == WD_TINT_STRONG ? A_BOLD : A_NORMAL;

	if (terminal->color && tint == WD_TINT_FAINT && !marked)
		look = A_DIM;
	attr_set(look | (marked ? A_REVERSE : A_NORMAL), terminal->color && known ? colors[tint] : (short)0, NULL);
}

static void put(void *data, size_t row, size_t column, enum wd_tint tint, bool marked, const char *text)
{
	take_brush(data, tint, marked);
	mvaddstr((int)row, (int)column, text);
	take_brush(data, WD_TINT_NONE, false);
}

static struct wd_canvas canvas_of(struct terminal *terminal)
{
	return (struct wd_canvas){
		.rows = LINES > 0 ? (size_t)LINES : 0,
		.columns = COLS > 0 ? (size_t)COLS : 0,
		.put = put,
		.data = terminal,
	};
}

static void paint(struct terminal *terminal)
{
	const struct wd_canvas canvas = canvas_of(terminal);

	erase();
	wd_top_paint(&terminal->top, &canvas, wd_stamp_now());
	refresh();
}

/* A locale that was named and has no UTF-8: the terminal may not have it either. */
static bool has_no_utf8(void)
{
	const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return !strcasestr(value, "utf-8") && !strcasestr(value, "utf8");
	}
	return false;
}

static void choose_colors(struct terminal *terminal)
{
	static const short used[] = {COLOR_GREEN, COLOR_YELLOW, COLOR_RED, COLOR_CYAN};

	terminal->color = terminal->call->style.color && has_colors() && start_color() == OK;
	if (!terminal->color)
		return;
	use_default_colors();
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		init_pair(used[i], used[i], -1);
}

/* False: this terminal has no screen that could be painted on. */
static bool open_screen(struct terminal *terminal)
{
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !type || !*type || strcmp(type, "dumb") == 0)
		return false;
	terminal->screen = newterm(NULL, stdout, stdin);
	if (!terminal->screen)
		return false;
	set_term(terminal->screen);
	if (tigetstr("cup") == NULL || tigetstr("cup") == (char *)-1) {
		endwin();
		delscreen(terminal->screen);
		return false;
	}
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	choose_colors(terminal);
	terminal->top.ascii = has_no_utf8();
	return true;
}

static void close_screen(struct terminal *terminal)
{
	endwin();
	delscreen(terminal->screen);
}

/* --- keys ------------------------------------------------------------------------------------------------------------- */

static int key_of(int key)
{
	static const struct {
		int theirs, ours;
	} keys[] = {
		{KEY_UP, WD_TOP_UP},           {KEY_DOWN, WD_TOP_DOWN},   {KEY_PPAGE, WD_TOP_PAGE_UP},
		{KEY_NPAGE, WD_TOP_PAGE_DOWN}, {KEY_HOME, WD_TOP_HOME},   {KEY_END, WD_TOP_END},
		{KEY_ENTER, WD_TOP_ENTER},     {'\r', WD_TOP_ENTER},      {'\n', WD_TOP_ENTER},
		{KEY_LEFT, WD_TOP_BACK},       {KEY_RIGHT, WD_TOP_ENTER}, {27, WD_TOP_ESCAPE},
		{KEY_BACKSPACE, WD_TOP_ERASE}, {127, WD_TOP_ERASE},       {8, WD_TOP_ERASE},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].theirs == key)
			return keys[i].ours;
	return key;
}

static void suspend(void)
{
	endwin();
	raise(SIGTSTP);
	refresh();
}

/* False: it is over. */
static bool press(struct terminal *terminal, int key)
{
	const struct wd_canvas canvas = canvas_of(terminal);

	switch (key) {
	case CTRL('c'):
		return false;
	case CTRL('z'):
		suspend();
		return true;
	case CTRL('l'):
		clearok(stdscr, TRUE);
		return true;
	case KEY_RESIZE:
		return true;
	default:
		break;
	}
	enum wd_top_wish wish = wd_top_press(&terminal->top, key_of(key), wd_top_room(&canvas));
	if (wish == WD_TOP_OPEN)
		open_detail(terminal);
	else if (wish == WD_TOP_HOLD || wish == WD_TOP_RELEASE)
		begin_change(terminal, wish);
	return wish != WD_TOP_QUIT;
}

static bool read_keys(struct terminal *terminal)
{
	int key;

	while ((key = getch()) != ERR)
		if (!press(terminal, key))
			return false;
	return true;
}

/* --- the loop --------------------------------------------------------------------------------------------------------- */

static void tick(struct terminal *terminal)
{
	ask_status(terminal);
	if (terminal->top.page == WD_TOP_DETAIL)
		ask_detail(terminal);
	terminal->next = wd_time_now() + TICK;
}

static void on_signal(int number)
{
	ended_by = number;
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

/* Waits for a key, an answer or the next tick; false when the keyboard is gone. */
static bool wait_for(struct terminal *terminal)
{
	struct question *const questions[] = {&terminal->status, &terminal->explain, &terminal->incidents,
					      &terminal->change};
	void (*const take[])(struct terminal *) = {take_status, take_explain, take_incidents, take_change};
	enum { COUNT = sizeof(questions) / sizeof(questions[0]) };
	struct pollfd looks[COUNT + 1] = {[COUNT] = {.fd = STDIN_FILENO, .events = POLLIN}};
	wd_time left = terminal->next - wd_time_now();

	for (size_t i = 0; i < COUNT; i++)
		looks[i] = (struct pollfd){.fd = wd_asking_descriptor(questions[i]->asking), .events = POLLIN};
	if (poll(looks, COUNT + 1, left > 0 ? (int)(left / WD_MILLISECOND) + 1 : 0) < 0)
		return errno == EINTR;
	for (size_t i = 0; i < COUNT; i++)
		if (looks[i].revents && questions[i]->asking)
			take[i](terminal);
	return !(looks[COUNT].revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void run(struct terminal *terminal)
{
	bool goes_on = true;

	while (goes_on && !ended_by) {
		if (wd_time_now() >= terminal->next)
			tick(terminal);
		paint(terminal);
		goes_on = wait_for(terminal) && read_keys(terminal);
	}
}

/* No screen: what `status` says, again and again, until it is interrupted or nobody reads it any more. */
static bool repeat(struct wd_call *call, struct wd_error *error)
{
	while (!ended_by) {
		struct wd_error trouble = {0};
		char moment[WD_TIME_TEXT];
		if (!wd_asked(call, WD_FLAG_JSON))
			printf("%s\n", wd_stamp_print_local(wd_stamp_now(), moment));
		if (!wd_run_status(call, &trouble))
			wd_note(call, "%s", trouble.text);
		if (!wd_asked(call, WD_FLAG_JSON))
			putchar('\n');
		if (!wd_flush_output(error))
			return false;
		poll(NULL, 0, REPEAT * 1000); /* a signal ends it */
	}
	return true;
}

bool wd_run_top(struct wd_call *call, struct wd_error *error)
{
	struct terminal terminal = {.call = call};
	bool done = true;

	if (!wd_call_settings(call, error))
		return false;
	catch_signals();
	if (!wd_asked(call, WD_FLAG_JSON) && open_screen(&terminal)) {
		run(&terminal);
		close_screen(&terminal);
	} else {
		done = repeat(call, error);
	}
	drop(&terminal.status);
	drop(&terminal.explain);
	drop(&terminal.incidents);
	drop(&terminal.change);
	wd_text_done(&terminal.explained);
	wd_top_done(&terminal.top);
	if (ended_by) { /* the exit code is the signal's */
		signal(ended_by, SIG_DFL);
		raise(ended_by);
	}
	return done;
}
