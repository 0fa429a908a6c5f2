/* offline.h: what the state directory remembers, for commands while no watchdog runs; the reports say on standard error
 * that it does not. Nothing to read is WD_ERROR_NOT_RUNNING. The caller frees the reports.
 */
#ifndef WATCHDOG_FACE_OFFLINE_H
#define WATCHDOG_FACE_OFFLINE_H

#include "face.h"

#include <watchdog/store.h>

/* The state directory for reading, without a word. */
struct wd_store *wd_offline_open(const struct wd_call *call, struct wd_error *error);

struct wd_json *wd_offline_pins(struct wd_call *call, struct wd_error *error);
/* name: of a snapshot, a service or a container; NULL: all. NOT_FOUND where nothing of that name is in it. */
struct wd_json *wd_offline_snapshots(struct wd_call *call, const char *name, struct wd_error *error);
/* Whether a service of that name or identity is remembered; where it is not, the error. */
bool wd_offline_knows(struct wd_call *call, const char *name, struct wd_error *error);
struct wd_json *wd_offline_status(struct wd_call *call, struct wd_error *error);
struct wd_json *wd_offline_incidents(struct wd_call *call, const struct wd_incident_wish *wish, struct wd_error *error);
/* {"schema":1,"incident":{…}}; WD_ERROR_NOT_FOUND where there is none of that number. */
struct wd_json *wd_offline_incident(struct wd_call *call, int64_t id, struct wd_error *error);

#endif
