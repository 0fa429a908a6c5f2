/* config_print.c: `seadog config`: the configuration in force, with the origin of each value. */
#include "face.h"
#include "grid.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

/* {"schema":1,"file":…,"values":[{"section","key","value","origin"}]} */
static void add_value(void *data, const char *section, const char *key, const char *value, const char *origin)
{
	struct wd_json *row = wd_json_add(data, wd_json_object());
	wd_json_set_string(row, "section", section);
	wd_json_set_string(row, "key", key);
	wd_json_set_string(row, "value", value);
	wd_json_set_string(row, "origin", origin);
}

static struct wd_json *config_report(const struct wd_settings *settings, const struct wd_container *container)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "schema", 1);
	wd_json_set_string(report, "file", wd_settings_file(settings));
	wd_json_set_string(report, "container", container ? container->name : NULL);
	wd_settings_each(settings, container, add_value, wd_json_set(report, "values", wd_json_array()));
	return report;
}

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

static void put_row(struct wd_grid *grid, const struct wd_json *row)
{
	const char *value = member(row, "value"), *origin = member(row, "origin");
	bool own = !wd_text_equal(origin, "built in");
	wd_grid_cell(grid, own ? WD_TINT_STRONG : WD_TINT_NONE, member(row, "key"));
	wd_grid_cell(grid, WD_TINT_FAINT, "=");
	wd_grid_cell(grid, own ? WD_TINT_STRONG : WD_TINT_NONE, value);
	wd_grid_cell(grid, WD_TINT_FAINT, origin);
}

/* Section by section, each a table of its own under its name. */
static const struct wd_json *put_section(const struct wd_json *row, const struct wd_style *style, struct wd_text *out)
{
	static const struct wd_column columns[] = {
		{"KEY", 0}, {"", 0}, {"VALUE", WD_COLUMN_GIVES}, {"ORIGIN", WD_COLUMN_GIVES}, {0}};
	const char *section = member(row, "section");
	WD_AUTO_FREE char *title = wd_harmless(section);
	wd_text_print(out, "%s[%s]\n", out->length ? "\n" : "", title);
	struct wd_grid *grid = wd_grid_new(columns, 0);
	for (; row && wd_text_equal(member(row, "section"), section); row = wd_json_next(row))
		put_row(grid, row);
	wd_grid_draw(grid, style, false, out);
	wd_grid_free(grid);
	return row;
}

static void put_config(struct wd_call *call, const struct wd_json *report)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	const struct wd_json *row = wd_json_first(wd_json_get(report, "values"));
	while (row)
		row = put_section(row, &call->style, &out);
	fputs(wd_text_get(&out), stdout);
}

/* One container, as the Engine tells it. */

static void ignore_fact(void *data, const struct wd_fact *fact)
{
	(void)data;
	(void)fact;
}

/* An image that is gone leaves no way to tell a given label from an inherited one: then none counts as given. */
static struct wd_container *read_container(struct wd_engine *engine, const char *name, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *inspect = NULL, *image = NULL;
	WD_AUTO_FREE char *escaped = wd_http_escape(name);
	WD_AUTO_FREE char *path = wd_format("/containers/%s/json", escaped);
	if (!wd_engine_ask(engine, "GET", path, NULL, 0, &inspect, error)) {
		if (error->kind == WD_ERROR_NOT_FOUND)
			wd_fail(error, WD_ERROR_NOT_FOUND, "no such container: %s", name);
		return NULL;
	}
	if (wd_wire_needs_image(inspect) && wd_wire_image_id(inspect)) {
		WD_AUTO_FREE char *image_path = wd_format("/images/%s/json", wd_wire_image_id(inspect));
		wd_engine_ask(engine, "GET", image_path, NULL, 0, &image, NULL);
	}
	WD_AUTO_JSON struct wd_json *labels = wd_wire_image_labels(image);
	return wd_wire_container(inspect, labels, error);
}

static struct wd_container *ask_container(struct wd_call *call, const char *name, struct wd_error *error)
{
	struct wd_engine_hooks hooks = {.on_fact = ignore_fact};
	struct wd_container *container = NULL;
	struct wd_loop *loop = wd_loop_new(error);
	struct wd_http *http = loop ? wd_http_new(loop, error) : NULL;
	struct wd_engine *engine = http ? wd_call_engine(call, loop, http, &hooks, error) : NULL;
	if (engine && wd_engine_reach(engine, error))
		container = read_container(engine, name, error);
	wd_engine_free(engine);
	wd_http_free(http);
	wd_loop_free(loop);
	return container;
}

static void say_label_warnings(struct wd_call *call, const struct wd_container *container)
{
	struct wd_findings findings = {0};
	wd_policy_free(wd_settings_policy(call->settings, container, &findings));
	for (size_t i = 0; i < findings.count; i++)
		wd_note(call, "warning: %s", findings.items[i].text);
	wd_findings_done(&findings);
}

bool wd_run_config(struct wd_call *call, struct wd_error *error)
{
	struct wd_container *container = NULL;
	if (wd_asked(call, WD_FLAG_EXAMPLE)) {
		wd_example_put();
		return true;
	}
	if (!wd_call_settings(call, error))
		return false;
	if (call->word_count) {
		container = ask_container(call, call->words[0], error);
		if (!container)
			return false;
		say_label_warnings(call, container);
	}
	WD_AUTO_JSON struct wd_json *report = config_report(call->settings, container);
	if (wd_asked(call, WD_FLAG_JSON))
		wd_put_json(report);
	else
		put_config(call, report);
	wd_container_free(container);
	return true;
}
