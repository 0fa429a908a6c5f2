#include <inttypes.h>
#include <string.h>

#include <watchdog/digest.h>
#include <watchdog/memory.h>

#include "manifest.h"

#define SCHEMA 1

static struct wd_json *print_volume(const struct wd_snapshot_volume *volume)
{
	struct wd_json *json = wd_json_object(), *warnings = wd_json_array();

	wd_json_set_string(json, "name", volume->name);
	wd_json_set_string(json, "path", volume->path);
	wd_json_set_string(json, "kind", volume->kind);
	wd_json_set_string(json, "file", volume->file);
	wd_json_set_string(json, "sha256", volume->sha256);
	wd_json_set_int(json, "bytes", (int64_t)volume->bytes);
	wd_json_set_int(json, "stored_bytes", (int64_t)volume->stored_bytes);
	wd_json_set_int(json, "files", (int64_t)volume->files);
	for (size_t i = 0; i < volume->warnings.count; i++)
		wd_json_add(warnings, wd_json_text(volume->warnings.items[i]));
	wd_json_set(json, "warnings", warnings);
	return json;
}

static void set_stamp(struct wd_json *json, const char *name, wd_stamp stamp)
{
	char text[WD_TIME_TEXT];

	wd_json_set_string(json, name, stamp == WD_STAMP_NONE ? NULL : wd_stamp_print(stamp, text));
}

struct wd_json *wd_manifest_print(const struct wd_snapshot *snapshot)
{
	struct wd_json *json = wd_json_object(), *volumes = wd_json_array();

	wd_json_set_int(json, "schema", SCHEMA);
	wd_json_set_string(json, "id", snapshot->id);
	wd_json_set_string(json, "service", snapshot->service);
	wd_json_set_string(json, "name", snapshot->name);
	set_stamp(json, "time", snapshot->stamp);
	wd_json_set_string(json, "image", snapshot->image);
	wd_json_set_string(json, "image_id", snapshot->image_id);
	wd_json_set_bool(json, "well", snapshot->well);
	set_stamp(json, "verified", snapshot->verified);
	wd_json_set_string(json, "broken", snapshot->broken);
	wd_json_set_double(json, "paused_seconds", snapshot->paused_seconds);
	for (unsigned i = 0; i < snapshot->volume_count; i++)
		wd_json_add(volumes, print_volume(&snapshot->volumes[i]));
	wd_json_set(json, "volumes", volumes);
	return json;
}

static bool bad(struct wd_error *error, const char *name, const char *what)
{
	return wd_fail(error, WD_ERROR_FAILED, "%s %s", name, what);
}

/* A text that must be there, and not empty. */
static bool need_text(const struct wd_json *json, const char *name, char **ret_text, struct wd_error *error)
{
	const char *text = wd_json_string(wd_json_get(json, name), "");

	if (*text == '\0')
		return bad(error, name, "is missing, or no text");
	wd_replace(ret_text, text);
	return true;
}

static void take_text(const struct wd_json *json, const char *name, char **ret_text)
{
	wd_replace(ret_text, wd_json_string(wd_json_get(json, name), NULL));
}

static bool need_count(const struct wd_json *json, const char *name, uint64_t *ret_count, struct wd_error *error)
{
	const struct wd_json *value = wd_json_get(json, name);
	int64_t number = wd_json_int(value, -1);

	if (!wd_json_is_number(value) || number < 0)
		return bad(error, name, "is missing, or no count");
	*ret_count = (uint64_t)number;
	return true;
}

static bool take_stamp(const struct wd_json *json, const char *name, bool must, wd_stamp *ret_stamp,
		       struct wd_error *error)
{
	const char *text = wd_json_string(wd_json_get(json, name), NULL);

	if (!text)
		return !must || bad(error, name, "is missing, or no text");
	return wd_stamp_parse(text, ret_stamp, error) || wd_fail_in(error, "%s", name);
}

/* A name in the manifest's own directory: nothing that leads out of it, nothing that is hidden there. */
static bool is_file_name(const char *name)
{
	return name[0] != '.' && strlen(name) <= 255 && !strchr(name, '/');
}

static bool is_sha256(const char *text)
{
	return strlen(text) == WD_DIGEST_TEXT - 1 && text[strspn(text, "0123456789abcdef")] == '\0';
}

static bool read_volume(const struct wd_json *json, struct wd_snapshot_volume *volume, struct wd_error *error)
{
	const struct wd_json *warnings = wd_json_get(json, "warnings");

	if (!need_text(json, "name", &volume->name, error) || !need_text(json, "path", &volume->path, error) ||
	    !need_text(json, "kind", &volume->kind, error) || !need_text(json, "file", &volume->file, error) ||
	    !need_text(json, "sha256", &volume->sha256, error) || !need_count(json, "bytes", &volume->bytes, error) ||
	    !need_count(json, "stored_bytes", &volume->stored_bytes, error) ||
	    !need_count(json, "files", &volume->files, error))
		return false;
	if (strcmp(volume->kind, "volume") != 0 && strcmp(volume->kind, "bind") != 0)
		return bad(error, "kind", "is neither \"volume\" nor \"bind\"");
	if (!is_file_name(volume->file))
		return bad(error, "file", "is no name of a file in this directory");
	if (!is_sha256(volume->sha256))
		return bad(error, "sha256", "is no SHA-256");
	for (const struct wd_json *item = wd_json_first(warnings); item; item = wd_json_next(item))
		wd_list_add(&volume->warnings, wd_json_string(item, ""));
	return true;
}

static bool is_named_before(const struct wd_snapshot *snapshot, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (strcmp(snapshot->volumes[k].file, snapshot->volumes[i].file) == 0 ||
		    strcmp(snapshot->volumes[k].name, snapshot->volumes[i].name) == 0)
			return true;
	return false;
}

static bool read_volumes(const struct wd_json *json, struct wd_snapshot *snapshot, struct wd_error *error)
{
	if (!wd_json_is_array(json))
		return bad(error, "volumes", "is missing, or no list");
	for (const struct wd_json *item = wd_json_first(json); item; item = wd_json_next(item)) {
		struct wd_snapshot_volume *volume = wd_snapshot_add(snapshot);
		unsigned i = snapshot->volume_count - 1;

		if (!read_volume(item, volume, error))
			return wd_fail_in(error, "volumes[%u]", i);
		if (is_named_before(snapshot, i))
			return wd_fail(error, WD_ERROR_FAILED, "volumes[%u] is there twice", i);
	}
	return true;
}

static bool read_snapshot(const struct wd_json *json, struct wd_snapshot *snapshot, struct wd_error *error)
{
	int64_t schema = wd_json_int(wd_json_get(json, "schema"), 0);

	if (!wd_json_is_object(json))
		return wd_fail(error, WD_ERROR_FAILED, "it is no JSON object");
	if (schema != SCHEMA)
		return wd_fail(error, WD_ERROR_FAILED,
			       schema > SCHEMA ? "its schema is %" PRId64 ": a newer seadog wrote it, take that one"
					       : "its schema is %" PRId64 ", which there is not",
			       schema);
	take_text(json, "name", &snapshot->name);
	take_text(json, "image", &snapshot->image);
	take_text(json, "image_id", &snapshot->image_id);
	take_text(json, "broken", &snapshot->broken);
	snapshot->well = wd_json_bool(wd_json_get(json, "well"), false);
	snapshot->paused_seconds = wd_json_double(wd_json_get(json, "paused_seconds"), 0);
	return need_text(json, "id", &snapshot->id, error) && need_text(json, "service", &snapshot->service, error) &&
	       take_stamp(json, "time", true, &snapshot->stamp, error) &&
	       take_stamp(json, "verified", false, &snapshot->verified, error) &&
	       read_volumes(wd_json_get(json, "volumes"), snapshot, error);
}

bool wd_manifest_read(const struct wd_json *json, struct wd_snapshot *ret_snapshot, struct wd_error *error)
{
	struct wd_snapshot snapshot = {0};

	if (!read_snapshot(json, &snapshot, error)) {
		wd_snapshot_done(&snapshot);
		return false;
	}
	*ret_snapshot = snapshot;
	return true;
}
