#include <watchdog/memory.h>
#include <watchdog/snapshot.h>

static void volume_done(struct wd_snapshot_volume *volume)
{
	free(volume->name);
	free(volume->path);
	free(volume->kind);
	free(volume->file);
	free(volume->sha256);
	wd_list_done(&volume->warnings);
}

static void volume_copy(struct wd_snapshot_volume *to, const struct wd_snapshot_volume *from)
{
	*to = *from;
	to->name = wd_copy(from->name);
	to->path = wd_copy(from->path);
	to->kind = wd_copy(from->kind);
	to->file = wd_copy(from->file);
	to->sha256 = wd_copy(from->sha256);
	to->warnings = (struct wd_list){0};
	wd_list_copy(&to->warnings, &from->warnings);
}

void wd_snapshot_done(struct wd_snapshot *snapshot)
{
	for (unsigned i = 0; i < snapshot->volume_count; i++)
		volume_done(&snapshot->volumes[i]);
	free(snapshot->volumes);
	free(snapshot->id);
	free(snapshot->service);
	free(snapshot->name);
	free(snapshot->image);
	free(snapshot->image_id);
	free(snapshot->broken);
	*snapshot = (struct wd_snapshot){0};
}

struct wd_snapshot *wd_snapshot_free(struct wd_snapshot *snapshot)
{
	if (snapshot)
		wd_snapshot_done(snapshot);
	free(snapshot);
	return NULL;
}

void wd_snapshot_copy(struct wd_snapshot *to, const struct wd_snapshot *from)
{
	*to = *from;
	to->id = wd_copy(from->id);
	to->service = wd_copy(from->service);
	to->name = wd_copy(from->name);
	to->image = wd_copy(from->image);
	to->image_id = wd_copy(from->image_id);
	to->broken = wd_copy(from->broken);
	to->volumes = from->volume_count ? wd_alloc(from->volume_count, sizeof(*to->volumes)) : NULL;
	for (unsigned i = 0; i < from->volume_count; i++)
		volume_copy(&to->volumes[i], &from->volumes[i]);
}

struct wd_snapshot_volume *wd_snapshot_add(struct wd_snapshot *snapshot)
{
	snapshot->volumes = wd_realloc(snapshot->volumes, snapshot->volume_count + 1, sizeof(*snapshot->volumes));
	struct wd_snapshot_volume *volume = &snapshot->volumes[snapshot->volume_count++];

	*volume = (struct wd_snapshot_volume){0};
	return volume;
}

uint64_t wd_snapshot_bytes(const struct wd_snapshot *snapshot)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < snapshot->volume_count; i++)
		bytes += snapshot->volumes[i].bytes;
	return bytes;
}

uint64_t wd_snapshot_stored(const struct wd_snapshot *snapshot)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < snapshot->volume_count; i++)
		bytes += snapshot->volumes[i].stored_bytes;
	return bytes;
}
