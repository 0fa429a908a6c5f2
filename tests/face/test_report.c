/* The JSON of the contract, section 9, word for word. */
#include <support/golden.h>
#include <support/shown.h>
#include <support/unit.h>
#include <watchdog/memory.h>
#include <watchdog/report.h>

static void assert_json(const char *golden, struct wd_json *report_taken)
{
	WD_AUTO_FREE char *text = wd_json_print_pretty(report_taken);
	WD_AUTO_FREE char *line = wd_format("%s\n", text);
	wd_json_free(report_taken);
	assert_golden(golden, line);
}

static void the_status_of_four_services(void **state)
{
	struct wd_engine_state engine = shown_engine();
	struct wd_json *status = wd_report_status(false, &engine);
	struct wd_json *services = wd_json_get(status, "services");
	struct wd_service_view views[] = {shown_well(), shown_held(), shown_muted(), shown_forgotten()};
	(void)state;
	for (size_t i = 0; i < 4; i++)
		wd_json_add(services, wd_report_service(&views[i]));
	assert_json("status.json", status);
}

/* Four digits; what is not known stays null. */
static void usage_fills_what_was_null(void **state)
{
	struct wd_service_view view = shown_well();
	struct wd_sample sample = {.has = WD_HAS_MEMORY | WD_HAS_PIDS,
				   .usage_bytes = 2097152,
				   .working_set_bytes = 1048576,
				   .memory_limit_bytes = 134217728,
				   .cpus_allowed = 1.5,
				   .pids = 3};
	(void)state;
	WD_AUTO_JSON struct wd_json *service = wd_report_service(&view);
	wd_report_usage(service, &sample, 0.5);
	WD_AUTO_FREE char *memory = wd_json_print(wd_json_get(service, "memory"));
	assert_string_equal(memory, "{\"bytes\":1048576,\"limit_bytes\":134217728,\"ratio\":0.0078}");
	WD_AUTO_FREE char *cpu = wd_json_print(wd_json_get(service, "cpu_ratio"));
	assert_string_equal(cpu, "0.3333");
	assert_int_equal(wd_json_int(wd_json_get(service, "pids"), 0), 3);
	WD_AUTO_JSON struct wd_json *little = wd_report_service(&view);
	sample.has = WD_HAS_CPU;
	wd_report_usage(little, &sample, -1);
	assert_true(wd_json_is_null(wd_json_get(little, "memory")));
	assert_true(wd_json_is_null(wd_json_get(little, "cpu_ratio")));
	assert_true(wd_json_is_null(wd_json_get(little, "pids")));
}

static void an_engine_that_was_never_reached(void **state)
{
	struct wd_engine_state engine = {.host = "unix:///run/docker.sock", .trouble = "connection refused"};
	(void)state;
	assert_json("status-unreached.json", wd_report_status(true, &engine));
}

static void incidents_short_and_whole(void **state)
{
	(void)state;
	assert_json("incident.json", wd_report_incident(shown_incident(), false));
	assert_json("incident-whole.json", wd_report_incident(shown_incident(), true));
	assert_json("incident-open.json", wd_report_incident(shown_open_incident(), false));
}

static void a_window_of_half_a_second_stays_one(void **state)
{
	struct wd_service_view view = shown_well();
	(void)state;
	view.windows[0].window = 500 * WD_MILLISECOND;
	WD_AUTO_JSON struct wd_json *service = wd_report_service(&view);
	const struct wd_json *window = wd_json_first(wd_json_get(service, "restarts"));
	assert_true(wd_json_double(wd_json_get(window, "window_seconds"), 0) == 0.5);
}

static void events_have_what_belongs_to_them(void **state)
{
	struct wd_event event = {
		.kind = WD_EVENT_DIE, .id = "abc", .name = "web", .stamp = 1767323045000000001, .exit_code = 3};
	(void)state;
	WD_AUTO_JSON struct wd_json *die = wd_report_event(&event);
	WD_AUTO_FREE char *die_text = wd_json_print(die);
	assert_string_equal(die_text, "{\"time\":\"2026-01-02T03:04:05.000000001Z\",\"event\":\"die\",\"name\":\"web\","
				      "\"id\":\"abc\",\"exit_code\":3}");
	event.exit_code = -1;
	WD_AUTO_JSON struct wd_json *unsaid = wd_report_event(&event);
	assert_null(wd_json_get(unsaid, "exit_code"));
	event.kind = WD_EVENT_HEALTH;
	event.health = WD_HEALTH_UNHEALTHY;
	WD_AUTO_JSON struct wd_json *health = wd_report_event(&event);
	assert_string_equal(wd_json_string(wd_json_get(health, "health"), ""), "unhealthy");
	event.kind = WD_EVENT_KILL;
	event.signal = 9;
	WD_AUTO_JSON struct wd_json *kill = wd_report_event(&event);
	assert_int_equal(wd_json_int(wd_json_get(kill, "signal"), 0), 9);
}

/* How near a trigger is comes from the windows and from what lasts; values and origins from the settings. */
static void explain_says_how_near_it_is(void **state)
{
	char *const nothing[] = {NULL};
	struct wd_sources sources = {.environment = nothing};
	struct wd_findings findings = {0};
	struct wd_service_view view = shown_muted();
	const struct wd_sample sample = {.has = WD_HAS_MEMORY | WD_HAS_WORKING_SET, .working_set_bytes = 62914560};
	(void)state;
	wd_list_add(&sources.set, "defaults.restarts=4/30s");
	struct wd_settings *settings = wd_settings_load(&sources, &findings);
	assert_non_null(settings);
	assert_json("explain.json", wd_report_explain(&view, settings, &sample, 1012 * WD_SECOND + 400000));
	wd_settings_free(settings);
	wd_findings_done(&findings);
	wd_list_done(&sources.set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_of_four_services),
		cmocka_unit_test(usage_fills_what_was_null),
		cmocka_unit_test(an_engine_that_was_never_reached),
		cmocka_unit_test(incidents_short_and_whole),
		cmocka_unit_test(a_window_of_half_a_second_stays_one),
		cmocka_unit_test(events_have_what_belongs_to_them),
		cmocka_unit_test(explain_says_how_near_it_is),
	};
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
