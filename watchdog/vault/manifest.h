/* manifest.h: a snapshot's manifest.json, which lies beside its archives. */
#ifndef WATCHDOG_VAULT_MANIFEST_H
#define WATCHDOG_VAULT_MANIFEST_H

#include <watchdog/json.h>
#include <watchdog/snapshot.h>

/* {"schema":1,"id":…,"service":…,"name":…,"time":…,"image":…,"image_id":…,"well":…,"verified":…,"broken":…,
 * "paused_seconds":…,"volumes":[{"name","path","kind","file","sha256","bytes","stored_bytes","files","warnings":[…]}]}.
 * The caller frees. */
struct wd_json *wd_manifest_print(const struct wd_snapshot *snapshot);

/* Refuses what is of a newer schema, and what would lead out of its directory or could not be checked: a file with a
 * slash, a checksum that is none, sizes below zero, an archive named twice. */
bool wd_manifest_read(const struct wd_json *json, struct wd_snapshot *ret_snapshot, struct wd_error *error);

#endif
