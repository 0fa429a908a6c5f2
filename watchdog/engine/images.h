/* images.h: labels of images by image id, so that a container's own labels can be told from inherited ones without
 * asking the Engine each time. An image's id names its content: what is kept never goes stale. Bounded.
 */
#ifndef WATCHDOG_ENGINE_IMAGES_H
#define WATCHDOG_ENGINE_IMAGES_H

#include <watchdog/json.h>

#define WD_IMAGES_KEPT 128

struct wd_images;
struct wd_images *wd_images_new(void);
struct wd_images *wd_images_free(struct wd_images *images); /* takes NULL, returns NULL */

/* NULL: not known. An image without labels is an empty object. Lent until the next put. */
const struct wd_json *wd_images_get(const struct wd_images *images, const char *image_id);
/* Keeps the labels in the answer of GET /images/{id}/json, and lends them; NULL for what is no image. The oldest goes
 * where there are too many. */
const struct wd_json *wd_images_put(struct wd_images *images, const char *image_id, const struct wd_json *image);

#endif
