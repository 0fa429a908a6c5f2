/* snapshot.h: what a snapshot is: plain data. The vault makes it and writes it beside the archives as manifest.json, the
 * catalogue keeps it, the core chooses among them. */
#ifndef WATCHDOG_SNAPSHOT_H
#define WATCHDOG_SNAPSHOT_H

#include <watchdog/text.h>
#include <watchdog/time.h>

/* One volume, or one bind mount, of a snapshot. */
struct wd_snapshot_volume {
	char *name;            /* the volume's name; of a bind mount its path */
	char *path;            /* where it was read */
	char *kind;            /* "volume" or "bind" */
	char *file;            /* the archive's name beside the manifest: "data.tar.zst" */
	char *sha256;          /* of that file */
	uint64_t bytes;        /* of the content, holes included */
	uint64_t stored_bytes; /* of that file */
	uint64_t files;        /* entries of the archive, directories included */
	struct wd_list warnings; /* what was left out, cut or filled up, and why */
};

struct wd_snapshot {
	char *id;                /* "20261122T030000Z-1f2e3d4c" */
	char *service, *name;    /* of the service; the container's name */
	char *image, *image_id;  /* what it ran */
	wd_stamp stamp;          /* when it was begun */
	bool well;               /* the service was well then */
	wd_stamp verified;       /* when its checksums were last read and found right; 0: not since it was written */
	char *broken;            /* why it must not be used, or NULL */
	double paused_seconds;   /* how long the service stood still for it; 0: it did not */
	struct wd_snapshot_volume *volumes; unsigned volume_count;
};

struct wd_snapshot *wd_snapshot_free(struct wd_snapshot *snapshot); /* heap; returns NULL; takes NULL */
void wd_snapshot_done(struct wd_snapshot *snapshot);                /* frees what it holds; empty after it */
void wd_snapshot_copy(struct wd_snapshot *to, const struct wd_snapshot *from); /* to: uninitialized, or empty */
/* Appends an empty one and lends it, until the next is added. */
struct wd_snapshot_volume *wd_snapshot_add(struct wd_snapshot *snapshot);
/* Sums over its volumes. */
uint64_t wd_snapshot_bytes(const struct wd_snapshot *snapshot);
uint64_t wd_snapshot_stored(const struct wd_snapshot *snapshot);

#endif
