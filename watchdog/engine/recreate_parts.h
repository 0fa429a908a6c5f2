/* recreate_parts.h: what the files of recreate share while a body is put together, for them alone.
 *
 * recreate.c opens the parts and calls the others in turn; each rewrites its own members of the body, which begins as a
 * copy of the inspect's Config and HostConfig. C is the container's, I the broken image's, N the target's Config.
 */
#ifndef WATCHDOG_ENGINE_RECREATE_PARTS_H
#define WATCHDOG_ENGINE_RECREATE_PARTS_H

#include <watchdog/map.h>
#include <watchdog/recreate.h>

#define WD_SHORT_ID 12

enum wd_net { WD_NET_OWN, WD_NET_HOST, WD_NET_NONE, WD_NET_JOINED };

struct wd_parts {
	const struct wd_recreate_source *source;
	int api;                   /* 1045 */
	struct wd_json *normal;    /* Podman's inspect in Docker's words; else NULL */
	const struct wd_json *inspect, *config, *host, *mounts, *endpoints;
	const struct wd_json *broken, *target; /* Config of the images; NULL: empty */
	const char *id, *name;     /* without the slash */
	char short_id[WD_SHORT_ID + 1];
	enum wd_net net;
	struct wd_json *body, *body_host;
	struct wd_recreate *result;
};

/* What is in the inspect; false with the error for what is none. The body is not begun. */
bool wd_parts_open(struct wd_parts *parts, const struct wd_recreate_source *source, struct wd_error *error);
void wd_parts_done(struct wd_parts *parts); /* the result, too, if nobody took it */

bool wd_recreate_permitted(const struct wd_parts *parts, struct wd_error *error); /* recreate_refuse.c */
void wd_recreate_config(struct wd_parts *parts);
void wd_recreate_host(struct wd_parts *parts);
void wd_recreate_ports(struct wd_parts *parts);
bool wd_recreate_mounts(struct wd_parts *parts, struct wd_error *error);
bool wd_recreate_networks(struct wd_parts *parts, struct wd_error *error);
struct wd_json *wd_recreate_podman(const struct wd_json *inspect); /* Docker's words; the caller frees */
bool wd_recreate_podman_permitted(const struct wd_recreate_source *source, struct wd_error *error);

/* The Config that the Engine makes of a body and an image: what it fills in where the body says nothing. */
struct wd_json *wd_recreate_merged(const struct wd_json *body, const struct wd_json *image_config);

void wd_parts_warn(struct wd_parts *parts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Looks at trees. Empty are null, absent, false, 0, "", [] and {}; two empty ones are equal, whatever they are, but a
 * name with "" and no such name are not; numbers by their digits. */
bool wd_tree_empty(const struct wd_json *json);
bool wd_tree_equal(const struct wd_json *one, const struct wd_json *two);
const char *wd_tree_string(const struct wd_json *object, const char *path); /* "" where there is none */
struct wd_map *wd_tree_members(const struct wd_json *object); /* name -> the first member of that name; to be freed */
struct wd_map *wd_tree_strings(const struct wd_json *array);  /* string -> item */

/* A target of a mount without slashes at its end; the caller frees. */
char *wd_tree_target(const char *path);
/* A member of inspect.Mounts: the volume's name, also where the Engine shows only its place; NULL: not known. */
char *wd_recreate_volume_name(const struct wd_json *mount, const struct wd_json *volumes);
/* A legacy link as it is given: "/peer:/self/alias" -> "peer:alias". The caller frees. */
char *wd_recreate_link_given(const char *link);
/* The endpoint that NetworkMode names, or NULL. */
const struct wd_json *wd_recreate_primary(const struct wd_parts *parts);
/* The container that NetworkMode, IpcMode or PidMode joins, without "container:", or NULL. */
const char *wd_recreate_joined(const struct wd_json *host, const char *mode);
/* Whether a reference (an ID, the beginning of one, a name) is this container. */
bool wd_recreate_is(const struct wd_json *inspect, const char *reference);

#endif
