/* uses.h: what a container of a story uses, and what a look at it would tell. */
#ifndef TESTS_SUPPORT_USES_H
#define TESTS_SUPPORT_USES_H

#include <watchdog/sample.h>
#include <watchdog/text.h>

struct uses {
	bool any; /* a look tells something */
	wd_time since;
	double memory_bytes, cache_bytes, limit_bytes; /* memory at `since`, and how it grows */
	double growth_bytes;                           /* per second */
	double cpus, cpus_allowed;
	uint64_t pids, pids_limit, oom_kills;
	struct wd_pressure pressure;
};
struct uses uses_nothing(void);
/* "memory 120MiB +1MiB/s of 128MiB cache 20MiB cpu 0.5 of 2 pids 7 of 100 oom 1 pressure memory 40%"; what is not named
 * stays as it is. false: a word that is none of these. */
bool uses_read(struct uses *uses, char *const *words, size_t count, wd_time now);
/* A look that tells no more than was wished. */
struct wd_sample uses_look(const struct uses *uses, const struct wd_gauge_wish *wish, wd_time now);

#endif
