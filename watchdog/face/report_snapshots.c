/* report_snapshots.c: the JSON of snapshots, and the table that is drawn of it. */
#include "grid.h"
#include "looks.h"
#include "render.h"

#include <stdio.h>
#include <watchdog/memory.h>
#include <watchdog/report.h>

static void set_moment(struct wd_json *object, const char *name, wd_stamp stamp)
{
	char text[WD_TIME_TEXT];
	if (stamp == WD_STAMP_NONE)
		wd_json_set_null(object, name);
	else
		wd_json_set_string(object, name, wd_stamp_print(stamp, text));
}

static void set_number(struct wd_json *object, const char *name, uint64_t number)
{
	wd_json_set_int(object, name, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

struct wd_json *wd_report_snapshots(void)
{
	struct wd_json *report = wd_json_object();
	wd_json_set_int(report, "schema", 1);
	wd_json_set(report, "snapshots", wd_json_array());
	return report;
}

static void set_snapshot(struct wd_json *item, const struct wd_snapshot *snapshot)
{
	wd_json_set_string(item, "id", snapshot->id);
	wd_json_set_string(item, "service", snapshot->service);
	wd_json_set_string(item, "name", snapshot->name ? snapshot->name : snapshot->service);
	set_moment(item, "time", snapshot->stamp);
	wd_json_set_string(item, "image", snapshot->image);
	wd_json_set_string(item, "image_id", snapshot->image_id);
	wd_json_set_bool(item, "well", snapshot->well);
	wd_json_set_bool(item, "verified", snapshot->verified && !snapshot->broken);
	set_moment(item, "verified_at", snapshot->verified);
	wd_json_set_string(item, "broken", snapshot->broken);
	wd_json_set_double(item, "paused_seconds", snapshot->paused_seconds);
}

static void set_volume(struct wd_json *item, const struct wd_snapshot_volume *volume)
{
	wd_json_set_string(item, "volume", volume->name);
	wd_json_set_string(item, "kind", volume->kind);
	wd_json_set_string(item, "path", volume->path);
	set_number(item, "bytes", volume->bytes);
	set_number(item, "stored_bytes", volume->stored_bytes);
	set_number(item, "files", volume->files);
	wd_json_set_string(item, "sha256", volume->sha256);
	struct wd_json *warnings = wd_json_set(item, "warnings", wd_json_array());
	for (size_t i = 0; i < volume->warnings.count; i++)
		wd_json_add(warnings, wd_json_text(volume->warnings.items[i]));
}

void wd_report_add_snapshot(struct wd_json *report, const struct wd_snapshot *snapshot)
{
	static const struct wd_snapshot_volume unknown = {0};
	for (unsigned i = 0; i < snapshot->volume_count || i == 0; i++) {
		struct wd_json *item = wd_json_add(wd_json_get(report, "snapshots"), wd_json_object());
		set_snapshot(item, snapshot);
		set_volume(item, snapshot->volume_count ? &snapshot->volumes[i] : &unknown);
	}
}

void wd_report_newest(struct wd_json *service, const struct wd_snapshot *newest)
{
	if (!newest) {
		wd_json_set_null(service, "snapshot");
		return;
	}
	struct wd_json *report = wd_json_set(service, "snapshot", wd_json_object());
	wd_json_set_string(report, "id", newest->id);
	set_moment(report, "time", newest->stamp);
	wd_json_set_bool(report, "verified", newest->verified != 0);
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

static const char *member(const struct wd_json *object, const char *name)
{
	return wd_json_string(wd_json_get(object, name), NULL);
}

static void size_cell(struct wd_grid *grid, const struct wd_json *item, const char *name)
{
	char size[WD_SIZE_TEXT];
	int64_t bytes = wd_json_int(wd_json_get(item, name), 0);
	wd_grid_cell(grid, WD_TINT_NONE, wd_size_print((uint64_t)bytes, size));
}

static void state_cell(struct wd_grid *grid, const struct wd_json *item)
{
	if (member(item, "broken"))
		wd_grid_cell(grid, WD_TINT_BAD, "broken");
	else if (wd_json_bool(wd_json_get(item, "verified"), false))
		wd_grid_cell(grid, WD_TINT_GOOD, "verified");
	else
		wd_grid_cell(grid, WD_TINT_WARM, "unverified");
}

/* What a restore would not take without being told to. */
static const char *note_of(const struct wd_json *item)
{
	if (member(item, "broken"))
		return member(item, "broken");
	return wd_json_bool(wd_json_get(item, "well"), false) ? "" : "taken while it was not well";
}

static void snapshot_row(struct wd_grid *grid, const struct wd_json *item)
{
	char time[WD_TIME_TEXT], files[32];
	snprintf(files, sizeof files, "%lld", (long long)wd_json_int(wd_json_get(item, "files"), 0));
	wd_grid_cell(grid, WD_TINT_STRONG, member(item, "id"));
	wd_grid_cell(grid, WD_TINT_FAINT, wd_moment_print(wd_moment_get(item, "time"), time));
	wd_grid_cell(grid, WD_TINT_STRONG, member(item, "name"));
	wd_grid_cell(grid, WD_TINT_NONE, member(item, "volume"));
	size_cell(grid, item, "bytes");
	size_cell(grid, item, "stored_bytes");
	wd_grid_cell(grid, WD_TINT_NONE, files);
	state_cell(grid, item);
	wd_grid_cell(grid, WD_TINT_NONE, member(item, "image"));
	wd_grid_cell(grid, WD_TINT_NONE, note_of(item));
}

void wd_draw_snapshots(const struct wd_json *report, const struct wd_style *style, struct wd_text *out)
{
	static const struct wd_column columns[] = {{"ID", 0},
						   {"TIME", WD_COLUMN_GOES},
						   {"NAME", WD_COLUMN_GIVES},
						   {"VOLUME", WD_COLUMN_GIVES},
						   {"SIZE", WD_COLUMN_RIGHT},
						   {"STORED", WD_COLUMN_RIGHT},
						   {"FILES", WD_COLUMN_RIGHT | WD_COLUMN_GOES},
						   {"STATE", 0},
						   {"IMAGE", WD_COLUMN_GIVES | WD_COLUMN_GOES},
						   {"NOTE", WD_COLUMN_GIVES | WD_COLUMN_MAY_LACK | WD_COLUMN_BELOW},
						   {0}};
	struct wd_grid *grid = wd_grid_new(columns, 0);
	for (const struct wd_json *item = wd_json_first(wd_json_get(report, "snapshots")); item;
	     item = wd_json_next(item))
		snapshot_row(grid, item);
	wd_grid_draw(grid, style, true, out);
	wd_grid_free(grid);
}

void wd_render_snapshots(const struct wd_json *report, const struct wd_style *style)
{
	WD_AUTO_TEXT struct wd_text out = {0};
	wd_draw_snapshots(report, style, &out);
	fputs(wd_text_get(&out), stdout);
}
