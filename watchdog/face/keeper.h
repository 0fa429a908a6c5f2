/* keeper.h: what keeper.c and taker.c share: the daemon's two hands for snapshots. */
#ifndef WATCHDOG_FACE_KEEPER_H
#define WATCHDOG_FACE_KEEPER_H

#include <watchdog/calendar.h>
#include <watchdog/json.h>
#include <watchdog/vault.h>

extern const struct wd_zone wd_keeper_zone; /* as this machine has it */
/* {"progress":{…}}; id may be NULL. The caller frees. */
struct wd_json *wd_keeper_progress(const char *id, const char *name, const struct wd_vault_progress *progress);

#endif
