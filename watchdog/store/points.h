/* points.h: what an incident's service used, as a text of JSON in the incident's row:
 * {"memory_limit_bytes":…,"cpus_allowed":2,"points":[[at, usage_bytes, working_set_bytes, cpus, pids], …]}. */
#ifndef STORE_POINTS_H
#define STORE_POINTS_H

#include <watchdog/records.h>

char *wd_points_print(const struct wd_incident *incident); /* NULL where there are none; the caller frees */
/* Fills the incident; what cannot be read is left out. */
void wd_points_parse(const char *text, struct wd_incident *incident);

#endif
