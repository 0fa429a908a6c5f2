/* sampler.h: what each running container uses, looked at once an interval in one pass over all of them: one wake-up, and
 * none while no container runs. Two files a container are read; what is dear is read when somebody asks.
 *
 * Where the kernel can call (wd_alarm_new()), it is looked at a container at once, and once more 50 ms later; behind the
 * third call of an interval nobody listens to it until the next pass, so one that thrashes at its limit costs no more.
 */
#ifndef WATCHDOG_FACE_SAMPLER_H
#define WATCHDOG_FACE_SAMPLER_H

#include <watchdog/engine.h>
#include <watchdog/loop.h>
#include <watchdog/meter.h>
#include <watchdog/words.h>

struct wd_sampler;

/* on_wish: what a look at this container must tell beyond usage and CPU time (limits are the sampler's own business).
 * on_sample: what it told, and the CPUs used since the look before (-1: not known). Neither may call the sampler. */
struct wd_sampler_hooks {
	void (*on_wish)(void *data, const char *id, wd_time now, struct wd_gauge_wish *ret_wish);
	void (*on_sample)(void *data, const char *id, const struct wd_sample *sample, double cpus);
	void *data;
};

/* roots: as for wd_meter_new(). Why a container's files are out of reach it says in the log, once. hooks are copied. */
struct wd_sampler *wd_sampler_new(struct wd_loop *loop, wd_time interval, const struct wd_meter_roots *roots,
				  const struct wd_sampler_hooks *hooks);
struct wd_sampler *wd_sampler_free(struct wd_sampler *sampler);
/* Where the files are out of reach the Engine is asked instead (asker.h), from now on; NULL: no more, for it goes away. */
void wd_sampler_use(struct wd_sampler *sampler, struct wd_engine *engine);
void wd_sampler_set_interval(struct wd_sampler *sampler, wd_time interval);

/* What an inspect said: it runs (its files are opened in the next pass), it does not, or its limits may be others. */
void wd_sampler_see(struct wd_sampler *sampler, const struct wd_container *container);
void wd_sampler_forget(struct wd_sampler *sampler, const char *id);

/* An exact look now (what the Engine told is as old as a round of the asker), and the CPUs used since the last one that is not too near (-1: not known yet). false: it is not
 * sampled. */
bool wd_sampler_ask(struct wd_sampler *sampler, const char *id, struct wd_sample *ret_sample, double *ret_cpus);

#endif
