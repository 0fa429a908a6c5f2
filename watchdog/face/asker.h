/* asker.h: what containers use as the Engine tells it (GET /containers/{id}/stats), for those whose cgroup files are out of
 * reach: an Engine on another machine, a container without the host's tree.
 *
 * Each question costs the Engine some milliseconds of CPU, and up to 25.0 a second of waiting (one-shot=true was
 * answered by the collector's next turn): so there is a round at most every WD_ASKS_EVERY, never more than WD_ASKS_AT_ONCE
 * questions are open, and each has a deadline. One-shot is the cheapest that Engines offer for a look now and then: one
 * reading of the files, where stream=false waits for two, and streams read every second. Nothing is asked while the Engine
 * is away.
 */
#ifndef WATCHDOG_FACE_ASKER_H
#define WATCHDOG_FACE_ASKER_H

#include <watchdog/engine.h>

#define WD_ASKS_AT_ONCE 4
#define WD_ASKS_EVERY (10 * WD_SECOND)
#define WD_ASKS_PATH "/containers/%.64s/stats?stream=false&one-shot=true"

struct wd_asker;

/* sample: its time is that at which the Engine read the files. May call wd_asker_remove(). */
typedef void wd_asker_told(void *data, const char *id, const struct wd_sample *sample);

struct wd_asker *wd_asker_new(struct wd_loop *loop, struct wd_engine *engine, wd_asker_told *told, void *data);
struct wd_asker *wd_asker_free(struct wd_asker *asker); /* before the engine */

/* Asks at once, then in each round. cpus: that it may use, which the answer does not tell; added again they are new. */
void wd_asker_add(struct wd_asker *asker, const char *id, struct wd_cpus cpus);
void wd_asker_remove(struct wd_asker *asker, const char *id);

#endif
