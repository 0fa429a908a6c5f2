#include "images.h"
#include <watchdog/map.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

struct wd_images {
	struct wd_map *labels; /* image id -> struct wd_json */
};

struct wd_images *wd_images_new(void)
{
	struct wd_images *images = wd_alloc(1, sizeof(*images));

	images->labels = wd_map_new();
	return images;
}

static void drop_oldest(struct wd_images *images)
{
	struct wd_map_entry *oldest = wd_map_first(images->labels);

	wd_json_free(wd_map_remove(images->labels, wd_map_key(oldest)));
}

struct wd_images *wd_images_free(struct wd_images *images)
{
	if (!images)
		return NULL;
	while (wd_map_count(images->labels) > 0)
		drop_oldest(images);
	wd_map_free(images->labels);
	free(images);
	return NULL;
}

const struct wd_json *wd_images_get(const struct wd_images *images, const char *image_id)
{
	return wd_map_get(images->labels, image_id);
}

const struct wd_json *wd_images_put(struct wd_images *images, const char *image_id, const struct wd_json *image)
{
	struct wd_json *labels = wd_wire_image_labels(image);

	if (!labels)
		return NULL;
	wd_json_free(wd_map_set(images->labels, image_id, labels));
	if (wd_map_count(images->labels) > WD_IMAGES_KEPT)
		drop_oldest(images);
	return labels;
}
