/* The live view without a terminal: what is chosen, sorted and filtered, and how it looks on a canvas of letters. */
#include "../../watchdog/face/top.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <support/unit.h>
#include <time.h>
#include <watchdog/memory.h>

enum { ROWS = 50, COLUMNS = 200 };

static struct wd_top top;
static char *screen[ROWS];

static void put(void *data, size_t row, size_t column, enum wd_tint tint, bool marked, const char *text)
{
	const struct wd_canvas *canvas = data;

	(void)tint;
	(void)marked;
	assert_true(row < canvas->rows);
	assert_true(column + wd_columns(text, SIZE_MAX, NULL) <= canvas->columns);
	assert_int_equal(wd_columns(screen[row], SIZE_MAX, NULL), column); /* from left to right, without a gap */
	char *longer = wd_format("%s%s", screen[row], text);
	free(screen[row]);
	screen[row] = longer;
}

static void wipe(void)
{
	for (size_t i = 0; i < ROWS; i++)
		wd_replace(&screen[i], "");
}

static void paint(size_t rows, size_t columns)
{
	struct wd_canvas canvas = {.rows = rows, .columns = columns, .put = put};

	canvas.data = &canvas;
	wipe();
	wd_top_paint(&top, &canvas, 1767225600LL * 1000000000);
}

static bool shows(const char *text)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strstr(screen[i], text))
			return true;
	return false;
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	setenv("TZ", "UTC", 1);
	tzset();
	top = (struct wd_top){0};
	wipe();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wd_top_done(&top);
	for (size_t i = 0; i < ROWS; i++)
		wd_replace(&screen[i], NULL);
	return 0;
}

static void add(struct wd_text *text, const char *name, const char *verdict, unsigned crashes, unsigned mebibytes)
{
	wd_text_print(text,
		      "%s{\"name\":\"%s\",\"service\":\"%s\",\"image\":\"acme/%s:1\",\"verdict\":\"%s\",\"hold\":%s,"
		      "\"why\":\"\",\"note\":\"\",\"health\":\"healthy\",\"restarts\":[{\"trigger\":\"restarts\","
		      "\"count\":%u,\"limit\":5}],\"memory\":{\"bytes\":%u,\"limit_bytes\":134217728,\"ratio\":0.5},"
		      "\"cpu_ratio\":0.12,\"pids\":7}",
		      text->length ? "," : "", name, name, name, verdict,
		      strcmp(verdict, "held") == 0 ? "{\"incident\":3,\"kind\":\"stop\"}" : "null", crashes,
		      mebibytes << 20);
}

static void tell(const struct wd_text *services)
{
	WD_AUTO_FREE char *whole =
		wd_format("{\"mode\":\"act\",\"engine\":{\"version\":\"26.1.5\",\"connected\":true},\"services\":[%s]}",
			  services->length ? wd_text_get(services) : "");
	struct wd_json *status = wd_json_parse(whole, strlen(whole), NULL);

	assert_non_null(status);
	wd_top_take(&top, status, 1767225600LL * 1000000000);
}

static void tell_usual(unsigned mebibytes)
{
	WD_AUTO_TEXT struct wd_text services = {0};

	add(&services, "web", "well", 0, 30);
	add(&services, "api", "held", 2, mebibytes);
	add(&services, "db", "sick", 5, 60);
	add(&services, "cache", "well", 1, 10);
	tell(&services);
}

static void assert_order(const char *expected)
{
	WD_AUTO_TEXT struct wd_text names = {0};

	for (size_t i = 0; i < top.count; i++)
		wd_text_print(&names, "%s%s", i ? " " : "", wd_json_string(wd_json_get(top.rows[i], "name"), "?"));
	assert_string_equal(names.length ? wd_text_get(&names) : "", expected);
}

static void press(const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(wd_top_press(&top, *keys, 10), WD_TOP_NOTHING);
}

static void rows_are_sorted_by_what_was_asked_for(void **state)
{
	(void)state;
	tell_usual(1);
	assert_order("db api cache web");
	press("s");
	assert_order("api cache db web");
	press("s");
	assert_order("db web cache api");
	press("sss");
	assert_order("db api cache web"); /* restarts */
	press("s");
	assert_int_equal(top.sort, WD_TOP_BY_TROUBLE);
}

static void what_is_chosen_stays_chosen_wherever_it_goes(void **state)
{
	WD_AUTO_TEXT struct wd_text services = {0};

	(void)state;
	tell_usual(1);
	assert_string_equal(top.chosen, "db");
	press("jj");
	assert_string_equal(top.chosen, "cache");
	press("s");
	assert_string_equal(top.chosen, "cache");
	add(&services, "web", "well", 0, 30);
	add(&services, "api", "held", 2, 30);
	tell(&services);
	assert_string_equal(top.chosen, "web"); /* the one that took its place */
	wd_text_done(&services);
	tell(&services);
	assert_null(top.chosen);
	paint(24, 80);
	assert_true(shows("no services"));
	assert_int_equal(wd_top_press(&top, WD_TOP_ENTER, 10), WD_TOP_NOTHING);
	assert_int_equal(wd_top_press(&top, 'h', 10), WD_TOP_NOTHING);
}

static void a_filter_leaves_what_it_names(void **state)
{
	(void)state;
	tell_usual(1);
	press("/WE");
	assert_order("cache web"); /* well, and web */
	wd_top_press(&top, WD_TOP_ERASE, 10);
	press("eb");
	assert_order("web");
	paint(24, 80);
	assert_true(shows("filter: Web_"));
	press("q"); /* a letter like others */
	assert_order("");
	paint(24, 80);
	assert_true(shows("no service passes the filter"));
	wd_top_press(&top, WD_TOP_ESCAPE, 10);
	assert_order("db api cache web");
	press("/");
	for (int i = 0; i < 100; i++)
		press("x");
	assert_int_equal(strlen(top.filter), WD_TOP_FILTER);
}

static void nothing_is_changed_without_a_yes(void **state)
{
	(void)state;
	tell_usual(1);
	press("r");
	assert_int_equal(top.confirming, WD_TOP_NOTHING);
	assert_string_equal(top.message, "it is not on hold");
	press("h");
	paint(24, 80);
	assert_true(shows("Hold db?"));
	assert_int_equal(wd_top_press(&top, WD_TOP_ENTER, 10), WD_TOP_NOTHING);
	assert_string_equal(top.message, "nothing was done");
	press("h");
	assert_int_equal(wd_top_press(&top, 'y', 10), WD_TOP_HOLD);
	press("j");
	press("h");
	assert_string_equal(top.message, "it is on hold already");
	press("r");
	assert_int_equal(wd_top_press(&top, 'Y', 10), WD_TOP_RELEASE);
	wd_top_lose(&top, "the watchdog is not running");
	press("r");
	assert_string_equal(top.message, "the watchdog must run for that");
	paint(24, 80);
	assert_true(shows("the watchdog is not running"));
	assert_true(shows("as of 00:00:00"));
	assert_true(shows("db"));
}

static void every_size_is_filled_and_not_overrun(void **state)
{
	static const int pages[] = {WD_TOP_LIST, WD_TOP_HELP, WD_TOP_DETAIL};

	(void)state;
	tell_usual(1);
	for (int i = 0; i < 60; i++)
		wd_list_add(&top.lines,
			    "a line of the page that is about it — as long as it may be, and longer than most "
			    "terminals are wide, so that it is cut somewhere on its way");
	for (size_t page = 0; page < 3; page++)
		for (size_t rows = 0; rows < ROWS; rows++)
			for (size_t columns = 1; columns < COLUMNS; columns += 3) {
				top.page = (enum wd_top_page)pages[page];
				top.ascii = columns % 2;
				paint(rows, columns);
				for (size_t i = 0; rows >= 5 && columns >= 22 && i < rows; i++)
					assert_int_equal(wd_columns(screen[i], SIZE_MAX, NULL), columns);
			}
}

static void what_there_is_room_for_is_shown(void **state)
{
	(void)state;
	tell_usual(64);
	paint(24, 80);
	assert_string_equal(screen[2],
			    "> db         sick      \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88 5/5        "
			    "\xe2\x96\x85   60MiB 50%  12%    7 healthy          ");
	paint(24, 50);
	assert_true(shows("VERDICT"));
	assert_false(shows("PIDS"));
	paint(24, 24);
	assert_true(shows("sick"));
	paint(24, 140);
	assert_true(shows("on hold, incident 3"));
	top.ascii = true;
	paint(24, 80);
	assert_string_equal(screen[2],
			    "> db         sick      #### 5/5        =   60MiB 50%  12%    7 healthy          ");
}

static void the_list_scrolls_with_the_chosen_one(void **state)
{
	WD_AUTO_TEXT struct wd_text services = {0};

	(void)state;
	for (int i = 0; i < 60; i++) {
		WD_AUTO_FREE char *name = wd_format("service-%02d", i);
		add(&services, name, "well", 0, 1);
	}
	tell(&services);
	wd_top_press(&top, WD_TOP_END, 20);
	paint(24, 80);
	assert_true(shows("> service-59"));
	assert_true(shows("service-40"));
	assert_false(shows("service-39"));
	wd_top_press(&top, WD_TOP_PAGE_UP, 20);
	paint(24, 80);
	assert_true(shows("> service-39"));
	wd_top_press(&top, WD_TOP_HOME, 20);
	paint(24, 80);
	assert_true(shows("> service-00"));
	assert_false(shows("service-20"));
}

static void assert_spark(const struct wd_top_curve *curve, size_t width, const char *expected)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	wd_top_spark(curve, width, true, &text);
	assert_string_equal(text.length ? wd_text_get(&text) : "", expected);
}

static void a_curve_shows_a_trend_and_no_noise(void **state)
{
	struct wd_top_curve curve = {.points = {0, 1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6}, .count = 8};

	(void)state;
	assert_spark(&curve, 8, "_.-~=+*#");
	assert_spark(&curve, 4, "_-+#");
	assert_spark(&curve, 20, "_.-~=+*#");
	assert_spark(&curve, 0, "");
	assert_spark(NULL, 8, "");
	for (unsigned i = 0; i < 8; i++)
		curve.points[i] = 1e9 + i % 2;
	assert_spark(&curve, 8, "========");
	curve.count = 0;
	assert_spark(&curve, 8, "");
}

static void a_curve_goes_on_with_each_report_and_ends_with_its_service(void **state)
{
	WD_AUTO_TEXT struct wd_text services = {0};

	(void)state;
	for (unsigned i = 0; i < WD_TOP_POINTS + 10; i++)
		tell_usual(i);
	const struct wd_top_curve *curve = wd_top_curve(&top, "api");
	assert_non_null(curve);
	assert_int_equal(curve->count, WD_TOP_POINTS);
	assert_true(curve->points[WD_TOP_POINTS - 1] == (double)((uint32_t)(WD_TOP_POINTS + 9) << 20));
	assert_true(curve->points[0] == (double)(10u << 20));
	add(&services, "web", "well", 0, 30);
	tell(&services);
	assert_null(wd_top_curve(&top, "api"));
	assert_int_equal(top.curve_count, 1);
}

static void foreign_text_does_no_harm(void **state)
{
	static const char rubbish[] =
		"{\"services\":[{\"name\":\"\\u001b[2J\\u0007evil\\n\",\"service\":\"x\",\"verdict\":7,\"restarts\":{},"
		"\"memory\":[],\"cpu_ratio\":\"1\",\"pids\":null,\"hold\":true},{},[],null]}";

	(void)state;
	wd_top_take(&top, wd_json_parse(rubbish, strlen(rubbish), NULL), 0);
	for (int key = 0; key < 256; key++) {
		paint(24, 80);
		assert_false(shows("\033"));
		wd_top_press(&top, key, 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_sorted_by_what_was_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_chosen_stays_chosen_wherever_it_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_filter_leaves_what_it_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_changed_without_a_yes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_size_is_filled_and_not_overrun, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_there_is_room_for_is_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_list_scrolls_with_the_chosen_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_curve_shows_a_trend_and_no_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_curve_goes_on_with_each_report_and_ends_with_its_service, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(foreign_text_does_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
