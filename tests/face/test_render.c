/* Tables and stories for people, held against tests/golden. */
#include "../../watchdog/face/grid.h"
#include "../../watchdog/face/render.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <support/golden.h>
#include <support/shown.h>
#include <support/unit.h>
#include <time.h>
#include <watchdog/memory.h>

static const struct wd_style no_terminal = {0}, narrow = {.width = 60}, wide = {.color = true, .width = 100},
			     narrow_whole = {.width = 60, .whole = true};

static int set_place(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static void assert_drawn(const char *golden, wd_draw *draw, const struct wd_json *report, const struct wd_style *style)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	draw(report, style, &out);
	assert_golden(golden, wd_text_get(&out));
}

static struct wd_json *status_report(void)
{
	struct wd_engine_state engine = shown_engine();
	struct wd_json *status = wd_report_status(false, &engine);
	struct wd_service_view views[] = {shown_well(), shown_held(), shown_muted(), shown_forgotten(),
					  shown_held_back()};
	for (size_t i = 0; i < sizeof views / sizeof *views; i++)
		wd_json_add(wd_json_get(status, "services"), wd_report_service(&views[i]));
	return status;
}

static void status_is_a_row_for_each_service(void **state)
{
	WD_AUTO_JSON struct wd_json *status = status_report();
	(void)state;
	assert_drawn("status.txt", wd_draw_status, status, &no_terminal);
	assert_drawn("status-narrow.txt", wd_draw_status, status, &narrow);
	assert_drawn("status-80.txt", wd_draw_status, status, &(struct wd_style){.width = 80});
	assert_drawn("status-color.txt", wd_draw_status, status, &wide);
	assert_drawn("status.txt", wd_draw_status, status, &narrow_whole);
}

/* Columns in which nobody has anything are left out. */
static void status_of_the_well_is_short(void **state)
{
	struct wd_engine_state engine = shown_engine();
	struct wd_service_view view = shown_well();
	WD_AUTO_JSON struct wd_json *status = wd_report_status(false, &engine);
	WD_AUTO_TEXT struct wd_text out = {0};
	(void)state;
	wd_json_add(wd_json_get(status, "services"), wd_report_service(&view));
	wd_draw_status(status, &no_terminal, &out);
	assert_string_equal(wd_text_get(&out), "NAME  STATE    HEALTH   VERDICT  RESTARTS\n"
					       "web   running  healthy  well     1/5 in 60s · 1/10 in 1h\n");
}

/* What holds a sick service back says for how long, to the nearest second or minute. */
static void status_says_why_nothing_is_done(void **state)
{
	struct wd_engine_state engine = shown_engine();
	struct wd_service_view view = shown_held_back();
	WD_AUTO_JSON struct wd_json *status = wd_report_status(false, &engine);
	WD_AUTO_TEXT struct wd_text out = {0};
	(void)state;
	view.held_back_until = wd_stamp_now() + (150 * WD_MINUTE + 20 * WD_SECOND) * 1000;
	wd_json_add(wd_json_get(status, "services"), wd_report_service(&view));
	wd_draw_status(status, &(struct wd_style){.width = 80}, &out);
	assert_string_equal(wd_text_get(&out),
			    "NAME  STATE    VERDICT  RESTARTS                 NOTE\n"
			    "db    running  sick     6/5 in 60s · 6/10 in 1h  held back: cooldown, 2h30m\n");
}

static void explain_says_what_holds_and_how_it_ends(void **state)
{
	char *const nothing[] = {NULL};
	struct wd_sources sources = {.environment = nothing};
	struct wd_settings *settings = wd_settings_load(&sources, NULL);
	struct wd_service_view held = shown_held(), paused = shown_forgotten(), back = shown_held_back(),
			       never = shown_well(), told = shown_well(), ignored = shown_well();
	(void)state;
	assert_non_null(settings);
	never.note = "never touched", never.verdict = WD_VERDICT_IGNORED;
	ignored.note = "not watched: seadog.enable=false", ignored.verdict = WD_VERDICT_IGNORED;
	told.note = "told, not treated", told.verdict = WD_VERDICT_SICK;
	struct wd_service_view *const views[] = {&held, &paused, &back, &never, &ignored, &told};
	WD_AUTO_TEXT struct wd_text out = {0};
	for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
		WD_AUTO_JSON struct wd_json *report = wd_report_explain(views[i], settings, NULL, 1012 * WD_SECOND);
		wd_json_set(report, "policy", wd_json_array());
		wd_json_set(report, "triggers", wd_json_array());
		wd_draw_explain(report, &(struct wd_style){.width = 80}, &out);
		wd_text_add(&out, "\n");
	}
	assert_golden("explain-standing.txt", wd_text_get(&out));
	wd_settings_free(settings);
}

static void assert_status_in(int width, const char *expected)
{
	struct wd_style style = {.width = width};
	struct wd_sample sample = {.has = WD_HAS_MEMORY | WD_HAS_PIDS,
				   .working_set_bytes = 63963136,
				   .memory_limit_bytes = 134217728,
				   .cpus_allowed = 0.5,
				   .pids = 12};
	struct wd_engine_state engine = shown_engine();
	struct wd_service_view view = shown_well();
	WD_AUTO_JSON struct wd_json *status = wd_report_status(false, &engine);
	WD_AUTO_TEXT struct wd_text out = {0};
	wd_report_usage(wd_json_add(wd_json_get(status, "services"), wd_report_service(&view)), &sample, 0.25);
	wd_draw_status(status, &style, &out);
	assert_string_equal(wd_text_get(&out), expected);
}

/* Pids go first, then CPU, then memory; before one goes, restarts are cut to what can still be read. */
static void usage_goes_where_there_is_no_room(void **state)
{
	(void)state;
	assert_status_in(80, "NAME  STATE    HEALTH   VERDICT  RESTARTS                    MEMORY  CPU  PIDS\n"
			     "web   running  healthy  well     1/5 in 60s · 1/10 in 1h  61MiB 48%  50%    12\n");
	assert_status_in(64, "NAME  STATE    HEALTH   VERDICT  RESTARTS            MEMORY  CPU\n"
			     "web   running  healthy  well     1/5 in 60s · 1…  61MiB 48%  50%\n");
	assert_status_in(60, "NAME  STATE    HEALTH   VERDICT  RESTARTS             MEMORY\n"
			     "web   running  healthy  well     1/5 in 60s · 1/…  61MiB 48%\n");
	assert_status_in(50, "NAME  STATE    HEALTH   VERDICT  RESTARTS\n"
			     "web   running  healthy  well     1/5 in 60s · 1/1…\n");
}

static void incidents_are_newest_first(void **state)
{
	WD_AUTO_JSON struct wd_json *report = wd_json_object();
	struct wd_json *incidents = wd_json_set(report, "incidents", wd_json_array());
	(void)state;
	wd_json_add(incidents, wd_report_incident(shown_open_incident(), false));
	wd_json_add(incidents, wd_report_incident(shown_incident(), false));
	assert_drawn("incidents.txt", wd_draw_incidents, report, &no_terminal);
	assert_drawn("incidents-narrow.txt", wd_draw_incidents, report, &(struct wd_style){.width = 100});
	assert_drawn("incidents-80.txt", wd_draw_incidents, report, &(struct wd_style){.width = 80});
	assert_drawn("incidents-120.txt", wd_draw_incidents, report, &(struct wd_style){.width = 120});
}

static void an_incident_is_a_story(void **state)
{
	WD_AUTO_JSON struct wd_json *report = wd_json_object();
	(void)state;
	wd_json_set(report, "incident", wd_report_incident(shown_incident(), true));
	assert_drawn("show.txt", wd_draw_incident, report, &no_terminal);
	assert_drawn("show-narrow.txt", wd_draw_incident, report, &narrow);
	assert_drawn("show-color.txt", wd_draw_incident, report, &wide);
	wd_json_set(report, "incident", wd_report_incident(shown_open_incident(), true));
	assert_drawn("show-open.txt", wd_draw_incident, report, &no_terminal);
}

static void explain_draws_bars(void **state)
{
	char *const nothing[] = {NULL};
	struct wd_sources sources = {.environment = nothing};
	struct wd_findings findings = {0};
	struct wd_service_view view = shown_muted();
	struct wd_settings *settings = wd_settings_load(&sources, &findings);
	(void)state;
	assert_non_null(settings);
	WD_AUTO_JSON struct wd_json *report = wd_report_explain(&view, settings, NULL, 1012 * WD_SECOND);
	assert_drawn("explain.txt", wd_draw_explain, report, &no_terminal);
	assert_drawn("explain-color.txt", wd_draw_explain, report, &wide);
	wd_settings_free(settings);
	wd_findings_done(&findings);
}

/* What is not obeyed is told where somebody looks for why it is not. */
static void explain_says_which_labels_are_not_obeyed(void **state)
{
	char *const nothing[] = {NULL};
	struct wd_sources sources = {.environment = nothing};
	struct wd_settings *settings = wd_settings_load(&sources, NULL);
	struct wd_label labels[] = {{.key = (char[]){"seadog.restart"}, .value = (char[]){"3/30s"}},
				    {.key = (char[]){"seadog.on_oom"}, .value = (char[]){"stopp"}},
				    {.key = (char[]){"seadog.verify"}, .value = (char[]){"5s"}}};
	struct wd_service_view view = shown_well();
	struct wd_container container = *view.container;
	WD_AUTO_TEXT struct wd_text out = {0};
	(void)state;
	assert_non_null(settings);
	container.labels = labels, container.label_count = 3;
	view.container = &container;
	WD_AUTO_JSON struct wd_json *report = wd_report_explain(&view, settings, NULL, 1012 * WD_SECOND);
	wd_draw_explain(report, &(struct wd_style){.width = 80}, &out);
	assert_int_equal(wd_json_count(wd_json_get(report, "warnings")), 2);
	assert_golden("explain-labels.txt", wd_text_get(&out));
	wd_settings_free(settings);
}

static void what_streams_by_is_a_line_each(void **state)
{
	struct wd_event event = {.kind = WD_EVENT_DIE, .name = "web", .stamp = 1767323045123456789, .exit_code = 137};
	WD_AUTO_TEXT struct wd_text out = {0};
	(void)state;
	WD_AUTO_JSON struct wd_json *die = wd_report_event(&event);
	event.kind = WD_EVENT_START;
	WD_AUTO_JSON struct wd_json *start = wd_report_event(&event);
	WD_AUTO_JSON struct wd_json *closed = wd_report_incident(shown_incident(), false);
	WD_AUTO_JSON struct wd_json *open = wd_report_incident(shown_open_incident(), false);
	wd_draw_event(die, &no_terminal, &out);
	wd_draw_event(start, &no_terminal, &out);
	wd_draw_change(closed, &no_terminal, &out);
	wd_draw_change(open, &no_terminal, &out);
	assert_string_equal(wd_text_get(&out),
			    "2026-01-02 03:04:05.123  web                       die            exit code 137\n"
			    "2026-01-02 03:04:05.123  web                       start\n"
			    "2026-01-02 03:04:10  #7    loop              closed: held\n"
			    "2026-01-02 03:05:06  #8    web               restart begins\n");
}

/* A report from a watchdog of another version, or of somebody else's making, breaks nothing. */
static void reports_that_lack_everything(void **state)
{
	static const char *const reports[] = {
		"{}",
		"[]",
		"null",
		"{\"services\":[1,{},null]}",
		"{\"incident\":{\"steps\":[{}],\"timeline\":[{}],\"logs\":\"\\u001b[2J\"}}",
		"{\"triggers\":[{}],\"policy\":[{}],\"service\":3}",
		"{\"incidents\":[{\"opened\":\"never\",\"id\":\"x\"}]}"};
	static wd_draw *const draws[] = {wd_draw_status,  wd_draw_incidents, wd_draw_incident,
					 wd_draw_explain, wd_draw_event,     wd_draw_change};
	(void)state;
	for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
		for (size_t j = 0; j < sizeof draws / sizeof *draws; j++) {
			WD_AUTO_TEXT struct wd_text out = {0};
			WD_AUTO_JSON struct wd_json *report = wd_json_parse(reports[i], strlen(reports[i]), NULL);
			assert_non_null(report);
			draws[j](report, &no_terminal, &out);
			assert_null(strchr(wd_text_get(&out), '\033'));
		}
}

static void wide_letters_take_two_columns(void **state)
{
	static const struct wd_column columns[] = {{"A", WD_COLUMN_GIVES}, {"B", 0}, {0}};
	WD_AUTO_TEXT struct wd_text out = {0};
	struct wd_grid *grid = wd_grid_new(columns, 0);
	(void)state;
	wd_grid_cell(grid, WD_TINT_NONE, "中文中文中文");
	wd_grid_cell(grid, WD_TINT_NONE, "x");
	wd_grid_cell(grid, WD_TINT_NONE, "e\xcc\x81t\xc3\xa9");
	wd_grid_cell(grid, WD_TINT_NONE, "y");
	wd_grid_draw(grid, &(struct wd_style){.width = 12}, false, &out);
	assert_string_equal(wd_text_get(&out), "中文中文…  x\n"
					       "e\xcc\x81t\xc3\xa9        y\n");
	wd_grid_free(grid);
}

static void long_lines_are_broken_at_spaces(void **state)
{
	const struct wd_style terminal = {.width = 24};
	WD_AUTO_TEXT struct wd_text out = {0};
	(void)state;
	wd_put_wrapped(&out, &terminal, WD_TINT_NONE, "in use by seadog, pid 4711, since noon", 4);
	wd_text_add(&out, "\n");
	wd_put_wrapped(&out, &terminal, WD_TINT_NONE, "/a/path/that/nobody/can/break", 4);
	wd_text_add(&out, "\n");
	wd_put_wrapped(&out, &no_terminal, WD_TINT_NONE, "in use by seadog, pid 4711, since noon", 4);
	wd_text_add(&out, "\n");
	wd_put_wrapped(&out, &terminal, WD_TINT_NONE, "", 4);
	assert_string_equal(wd_text_get(&out), "in use by seadog,\n"
					       "    pid 4711, since noon\n"
					       "/a/path/that/nobody/\n"
					       "    can/break\n"
					       "in use by seadog, pid 4711, since noon\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_a_row_for_each_service),
		cmocka_unit_test(status_of_the_well_is_short),
		cmocka_unit_test(status_says_why_nothing_is_done),
		cmocka_unit_test(explain_says_what_holds_and_how_it_ends),
		cmocka_unit_test(usage_goes_where_there_is_no_room),
		cmocka_unit_test(incidents_are_newest_first),
		cmocka_unit_test(an_incident_is_a_story),
		cmocka_unit_test(explain_draws_bars),
		cmocka_unit_test(explain_says_which_labels_are_not_obeyed),
		cmocka_unit_test(what_streams_by_is_a_line_each),
		cmocka_unit_test(reports_that_lack_everything),
		cmocka_unit_test(wide_letters_take_two_columns),
		cmocka_unit_test(long_lines_are_broken_at_spaces),
	};
	return cmocka_run_group_tests_name("render", tests, set_place, NULL);
}
