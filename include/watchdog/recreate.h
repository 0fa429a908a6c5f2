/* recreate.h: what makes a container again with another image, and what proves that it is the same in all else. Pure:
 * answers of the Engine in, bodies of its calls out; no socket, no clock: fuzzable.
 *
 * The inspect is the source of everything: its tree is copied and what must not be in it is deleted by name, so that
 * members nobody here knows are carried along, numbers keep their digits, and null, [], "" and absent stay apart. What
 * the container has only from its image is taken away by comparing with the image it was made from (the broken one),
 * so that the target image's own values show through. Source of the rules: what Engines 20.10, 26.1 and 28.5 were seen
 * to do with each field; where they differ, the version of the API that is spoken decides (`api`). Beyond what was
 * written down about them before, they show: a binding of a port that nobody exposes publishes nothing, so it is not
 * made to; from API 1.44 on a create that names networks connects to no other, whatever NetworkMode says; 20.10 writes
 * its default runtime down only where there is a HostConfig; Mounts come in another order each time.
 */
#ifndef WATCHDOG_RECREATE_H
#define WATCHDOG_RECREATE_H

#include <watchdog/json.h>
#include <watchdog/text.h>

/* What is known; all lent. Answers as the Engine gave them. The inspect is to be asked for at API 1.51 at most: later
 * ones do not tell a configured MAC address from a generated one. */
struct wd_recreate_source {
	const struct wd_json *inspect;  /* GET /containers/{id}/json */
	const struct wd_json *broken;   /* GET /images/{its image}/json, or what was kept of it: {"Id", "Config", …} */
	const struct wd_json *target;   /* GET /images/{target}/json */
	const char *reference;          /* what the new one is made of; NULL: the target's Id, which no tag can move */
	const char *api;                /* the version that is spoken: "1.45" */
	const struct wd_json *info;     /* GET /info; NULL: not known */
	const struct wd_json *others;   /* an array of inspects of all containers; NULL: not known, and no reason to refuse */
	const struct wd_json *networks; /* GET /networks; NULL: not known */
	const struct wd_json *volumes;  /* GET /volumes; NULL: not known */
	const struct wd_json *earlier;  /* an inspect of another start of this container, which tells a MAC address that was
	                                   given from one that is made anew at each start; or NULL */
	bool podman;
	const struct wd_json *libpod;   /* Podman's own inspect, without which nothing is made again there; or NULL */
	bool cascade;                   /* containers that depend on this one are no reason to refuse */
	bool same_image;                /* nor is a target that is the image it has: a dependent that follows */
	const char *moved_from, *moved_to; /* of which container:FROM becomes container:TO; or NULL */
};

/* Calls behind the create and before the start, in order: further networks (API < 1.44 takes one at create), and a
 * network that the container was made in and that somebody has disconnected since. */
struct wd_recreate_link {
	char *network;
	char *endpoint; /* JSON; NULL: to be disconnected */
};

struct wd_recreate {
	char *body;      /* POST /containers/create */
	char *platform;  /* its query's platform, not escaped: "linux/arm64/v8"; or NULL, as nearly always */
	char *image_id;  /* what Image of the new one's inspect must be */
	struct wd_recreate_link *links;
	size_t link_count;
	struct wd_list left_behind; /* volumes of the broken image alone: not carried along, not deleted */
	struct wd_list warnings;    /* for people */
};

/* NULL with the error: WD_ERROR_REFUSED for what must not be made again, with the reason (all that the JSON tells:
 * another orchestrator's, AutoRemove, paused, dependents, a network or volume that is gone, no change of image, …);
 * WD_ERROR_FAILED for what is no inspect or no image. */
struct wd_recreate *wd_recreate_build(const struct wd_recreate_source *source, struct wd_error *error);
struct wd_recreate *wd_recreate_free(struct wd_recreate *recreate); /* takes NULL, returns NULL */

/* The path (to be POSTed, without the version) and the body for the new container's id. The caller frees. */
char *wd_recreate_link_path(const struct wd_recreate_link *link);
char *wd_recreate_link_body(const struct wd_recreate_link *link, const char *container);

/* Whether `made`, the inspect of what was made of the body, is the same container in all but the image. What differs is
 * added to ret_differences, one line each ("HostConfig.Memory: 536870912, was 0"); false if anything does. Secrets are
 * not in it: of Env and labels only the names. */
bool wd_recreate_compare(const struct wd_recreate_source *source, const struct wd_recreate *recreate,
                         const struct wd_json *made, struct wd_list *ret_differences);

/* What the change of the image changes in the configuration, for --dry-run: lines such as "Env: - APP_VERSION" and
 * "Cmd: [\"new\"], was [\"old\"]". */
void wd_recreate_changes(const struct wd_recreate_source *source, const struct wd_recreate *recreate,
                         struct wd_list *ret_lines);

/* Who refers to a container by its ID or follows it when it is renamed. */
enum wd_dependence {
	WD_DEPENDS_NETWORK = 1, /* container:ID in NetworkMode, IpcMode, PidMode: broken once the ID is gone */
	WD_DEPENDS_IPC = 2,
	WD_DEPENDS_PID = 4,
	WD_DEPENDS_LINK = 8,    /* a legacy link, which follows the parked one */
	WD_DEPENDS_VOLUMES = 16, /* VolumesFrom: was looked up when that one was made; breaks nothing now */
	WD_DEPENDS_RESTART = 32, /* depends_on with restart: true: compose restarts it when this one was made again */
};
#define WD_DEPENDS_BREAKS (WD_DEPENDS_NETWORK | WD_DEPENDS_IPC | WD_DEPENDS_PID | WD_DEPENDS_LINK)
struct wd_dependent {
	char *id, *name;
	unsigned how; /* of enum wd_dependence */
};
struct wd_dependents {
	struct wd_dependent *items;
	size_t count;
};
/* others: as in the source; the container itself may be among them. Replaces what is in *ret. */
void wd_dependents_find(const struct wd_json *inspect, const struct wd_json *others, struct wd_dependents *ret);
void wd_dependents_done(struct wd_dependents *dependents);
char *wd_dependents_text(const struct wd_dependents *dependents, unsigned how); /* "db (network, pid), cron (link)" */

/* Names while it lasts: web.rbnew-1f2e3d4c for what is being made, web.rbold-1f2e3d4c for what was parked. They are
 * nobody's service. */
enum wd_spare { WD_SPARE_NONE, WD_SPARE_NEW, WD_SPARE_OLD };
char *wd_spare_name(const char *name, enum wd_spare spare, uint32_t token); /* the caller frees */
/* What a name (also "/web.rbold-1f2e3d4c") is; ret_name (the caller's) and ret_token may be NULL, and are set only for
 * what is spare. */
enum wd_spare wd_spare_read(const char *name, char **ret_name, uint32_t *ret_token);

#endif
