#include "machine.h"

#define RELEASE 0.95
#define OOM_LAST (10 * WD_SECOND)  /* the Engine tells most of them, and at once */
#define CLEARING (30 * WD_SECOND)  /* of a forecast, at the least */
#define GAP_LEAST (40 * WD_SECOND) /* where the Engine must be asked, looks are ten seconds apart */
#define GAP_TOLD WD_MINUTE         /* the Engine is asked seldom, and many containers take it their time */

/* --- one limit with a time ---------------------------------------------------------------------------------------------- */

struct wd_over wd_over_none(void)
{
	return (struct wd_over){.since = WD_NEVER, .last = WD_NEVER, .below = WD_NEVER};
}

static bool has_cleared(const struct wd_over *over, wd_time span, wd_time at)
{
	bool below = over->below != WD_NEVER;

	if (!over->held)
		return below || at - over->last >= span / 4;
	return (below && at - over->below >= span / 4) || at - over->last >= span;
}

void wd_over_take(struct wd_over *over, double now, double limit, wd_time span, wd_time at)
{
	if (now >= limit) {
		over->since = over->since == WD_NEVER ? at : over->since;
		over->last = at;
		over->below = WD_NEVER;
		over->held = over->held || at - over->since >= span;
		return;
	}
	if (over->since == WD_NEVER)
		return;
	if (now >= RELEASE * limit)
		over->below = WD_NEVER;
	else if (over->below == WD_NEVER)
		over->below = at;
	if (has_cleared(over, span, at))
		*over = wd_over_none();
}

void wd_over_break(struct wd_over *over)
{
	if (!over->held)
		*over = wd_over_none();
}

/* --- what is compared --------------------------------------------------------------------------------------------------- */

const struct wd_level *wd_usage_level(const struct wd_policy *policy, unsigned which)
{
	static const struct wd_level off = {.kind = WD_LEVEL_OFF};

	switch (which) {
	case WD_LIMIT_MEMORY:
		return &policy->memory;
	case WD_LIMIT_CPU:
		return &policy->cpu;
	case WD_LIMIT_PIDS:
		return &policy->pids;
	default:
		which -= WD_LIMIT_PRESSURE;
		return which < policy->pressure.count ? &policy->pressure.items[which].level : &off;
	}
}

enum wd_trigger wd_usage_trigger(unsigned which)
{
	switch (which) {
	case WD_LIMIT_MEMORY:
		return WD_TRIGGER_MEMORY;
	case WD_LIMIT_CPU:
		return WD_TRIGGER_CPU;
	case WD_LIMIT_PIDS:
		return WD_TRIGGER_PIDS;
	default:
		return WD_TRIGGER_PRESSURE;
	}
}

static double pressure_of(const struct wd_pressure *pressure, enum wd_resource resource)
{
	switch (resource) {
	case WD_RESOURCE_MEMORY:
		return pressure->memory;
	case WD_RESOURCE_CPU:
		return pressure->cpu;
	default:
		return pressure->io;
	}
}

static void fill(const struct wd_policy *policy, const struct wd_usage *usage, unsigned which,
		 struct wd_comparison *comparison)
{
	const struct wd_sample *sample = &usage->sample;

	switch (which) {
	case WD_LIMIT_MEMORY:
		comparison->now = (double)sample->firm_bytes;
		comparison->whole = (double)sample->memory_limit_bytes;
		break;
	case WD_LIMIT_CPU:
		comparison->now = usage->cpus;
		comparison->whole = sample->cpus_allowed;
		break;
	case WD_LIMIT_PIDS:
		comparison->now = (double)sample->pids;
		comparison->whole = sample->pids_limit == WD_UNLIMITED ? 0 : (double)sample->pids_limit;
		break;
	default:
		comparison->now =
			pressure_of(&sample->pressure, policy->pressure.items[which - WD_LIMIT_PRESSURE].resource);
		comparison->whole = 1;
	}
}

/* Usage with page cache that reaches the limit says nothing; below it, it says enough. */
static bool is_known(const struct wd_usage *usage, unsigned which, const struct wd_comparison *comparison)
{
	const struct wd_sample *sample = &usage->sample;
	double decides =
		usage->overs[WD_LIMIT_MEMORY].since == WD_NEVER ? comparison->limit : RELEASE * comparison->limit;

	switch (which) {
	case WD_LIMIT_MEMORY:
		return (sample->has & WD_HAS_WORKING_SET) ||
		       ((sample->has & WD_HAS_MEMORY) && comparison->now < decides);
	case WD_LIMIT_CPU:
		return usage->cpus >= 0;
	case WD_LIMIT_PIDS:
		return sample->has & WD_HAS_PIDS;
	default:
		return sample->has & WD_HAS_PRESSURE;
	}
}

bool wd_usage_compare(const struct wd_policy *policy, const struct wd_usage *usage, unsigned which,
		      struct wd_comparison *ret_comparison)
{
	struct wd_comparison found = {.level = wd_usage_level(policy, which)};

	if (found.level->kind == WD_LEVEL_OFF || usage->sample.at == WD_NEVER)
		return false;
	fill(policy, usage, which, &found);
	found.limit =
		found.level->kind == WD_LEVEL_RATIO ? found.level->ratio * found.whole : (double)found.level->amount;
	if (found.limit <= 0 || !is_known(usage, which, &found))
		return false;
	*ret_comparison = found;
	return true;
}

/* --- a service ---------------------------------------------------------------------------------------------------------- */

static void begin_leak(struct wd_leak *leak)
{
	*leak = (struct wd_leak){.clear_since = WD_NEVER};
	wd_trend_begin(&leak->trend);
}

static void begin_anew(struct wd_usage *usage)
{
	usage->sample = (struct wd_sample){.at = WD_NEVER};
	usage->cpus = -1;
	usage->oom_known = false;
	usage->oom_at = usage->oom_owed_at = WD_NEVER;
	if (usage->leak)
		begin_leak(usage->leak);
	for (unsigned which = 0; which < WD_LIMITS; which++)
		usage->overs[which] = wd_over_none();
}

struct wd_usage *wd_usage_free(struct wd_usage *usage)
{
	if (usage)
		free(usage->leak);
	free(usage);
	return NULL;
}

void wd_usage_forget(struct wd_service *service)
{
	if (service->usage)
		begin_anew(service->usage);
}

static bool is_gap(const struct wd_guard *guard, const struct wd_usage *usage, const struct wd_sample *fresh)
{
	wd_time most = 4 * guard->settings->sample_interval;
	wd_time least = fresh->has & WD_FROM_ENGINE ? GAP_TOLD : GAP_LEAST;

	return usage->sample.at != WD_NEVER && fresh->at - usage->sample.at > (most > least ? most : least);
}

/* What is over makes it suspect: what a hold will have to give back is written now. */
static void judge_limit(struct wd_guard *guard, struct wd_service *service, unsigned which)
{
	struct wd_over *over = &service->usage->overs[which];
	struct wd_comparison comparison;
	bool held = over->held;

	if (wd_usage_level(service->policy, which)->kind == WD_LEVEL_OFF)
		*over = wd_over_none();
	if (!wd_usage_compare(service->policy, service->usage, which, &comparison))
		return;
	wd_over_take(over, comparison.now, comparison.limit, comparison.level->span, service->usage->sample.at);
	if (over->since != WD_NEVER)
		wd_judge_prepare(guard, service);
	if (over->held && !held && service->verdict <= WD_VERDICT_SUSPECT)
		wd_gate_broke(guard, service);
	if (!over->held)
		return;
	wd_case_over(guard, service, wd_usage_trigger(which));
	wd_judge_trip(guard, service, wd_usage_trigger(which), false);
}

/* A throttle is no reason to trip: what it left is compared with what was allowed before it. */
static double allowed(const struct wd_service *service, const struct wd_sample *sample)
{
	double before = wd_cpus_count(service->memory.throttle.cut.before);

	if (!wd_throttle_is(service) || sample->cpus_there <= sample->cpus_allowed)
		return sample->cpus_allowed;
	return before > 0 && before < sample->cpus_there ? before : sample->cpus_there;
}

/* Only where the policy asks does a trend cost memory. */
static struct wd_leak *leak_of(const struct wd_service *service)
{
	struct wd_usage *usage = service->usage;

	if (service->policy->forecast == 0) {
		free(usage->leak);
		usage->leak = NULL;
	} else if (!usage->leak) {
		usage->leak = wd_alloc(1, sizeof(*usage->leak));
		begin_leak(usage->leak);
	}
	return usage->leak;
}

static void clear_leak(struct wd_leak *leak, wd_time horizon, wd_time at)
{
	wd_time patience = horizon / 8 > CLEARING ? horizon / 8 : CLEARING;

	if (leak->seen.span && leak->seen.left <= horizon + horizon / 2)
		leak->clear_since = WD_NEVER;
	else if (leak->clear_since == WD_NEVER)
		leak->clear_since = at;
	else if (at - leak->clear_since >= patience)
		leak->held = leak->settled = false;
}

static void judge_leak(struct wd_guard *guard, struct wd_service *service)
{
	const struct wd_sample *sample = &service->usage->sample;
	struct wd_leak *leak = leak_of(service);
	wd_time horizon = service->policy->forecast;

	if (!leak || !(sample->has & WD_HAS_WORKING_SET) ||
	    !wd_trend_due(&leak->trend, horizon, guard->settings->sample_interval, sample->at))
		return;
	wd_trend_add(&leak->trend, horizon, sample->at, sample->firm_bytes);
	bool near = wd_trend_forecast(&leak->trend, horizon, sample->memory_limit_bytes, &leak->seen);
	if (near && !leak->held && sample->at >= leak->not_before) {
		leak->held = true;
		leak->clear_since = WD_NEVER;
		wd_judge_prepare(guard, service);
	} else if (leak->held && !near) {
		clear_leak(leak, horizon, sample->at);
	}
	if (!leak->held)
		return;
	wd_case_over(guard, service, WD_TRIGGER_FORECAST);
	wd_judge_trip(guard, service, WD_TRIGGER_FORECAST, false);
}

void wd_usage_take(struct wd_guard *guard, struct wd_service *service, const struct wd_sample *sample, double cpus)
{
	if (!service->running || !service->policy)
		return;
	if (!service->usage) {
		service->usage = wd_alloc(1, sizeof(*service->usage));
		begin_anew(service->usage);
	}
	struct wd_usage *usage = service->usage;
	for (unsigned which = 0; is_gap(guard, usage, sample) && which < WD_LIMITS; which++)
		wd_over_break(&usage->overs[which]);
	usage->sample = *sample;
	usage->sample.cpus_allowed = allowed(service, sample);
	usage->cpus = cpus;
	wd_curve_add(&usage->curve, sample, cpus);
	for (unsigned which = 0; which < WD_LIMITS; which++)
		judge_limit(guard, service, which);
	judge_leak(guard, service);
	if (sample->has & WD_HAS_OOM)
		wd_oom_counter(guard, service, sample->oom_kills);
}

static bool leaks(const struct wd_service *service)
{
	return service->usage && service->usage->leak && service->usage->leak->held;
}

bool wd_usage_is_over(const struct wd_service *service, enum wd_trigger trigger)
{
	if (trigger == WD_TRIGGER_FORECAST)
		return leaks(service);
	for (unsigned which = 0; service->usage && which < WD_LIMITS; which++)
		if (wd_usage_trigger(which) == trigger && service->usage->overs[which].since != WD_NEVER)
			return true;
	return false;
}

bool wd_usage_suspects(const struct wd_service *service)
{
	for (unsigned which = 0; service->usage && which < WD_LIMITS; which++)
		if (service->usage->overs[which].since != WD_NEVER)
			return true;
	return leaks(service);
}

/* Which of its limits holds (of pressure there may be several); NULL: none. */
static const struct wd_over *holding(const struct wd_service *service, enum wd_trigger trigger, unsigned *ret_which)
{
	for (unsigned which = 0; service->usage && which < WD_LIMITS; which++) {
		const struct wd_over *over = &service->usage->overs[which];
		if (wd_usage_trigger(which) != trigger || !over->held || over->settled)
			continue;
		*ret_which = which;
		return over;
	}
	return NULL;
}

static bool leak_holds(const struct wd_service *service, char **ret_why)
{
	const struct wd_usage *usage = service->usage;

	if (!leaks(service) || usage->leak->settled || service->policy->forecast == 0)
		return false;
	if (ret_why)
		*ret_why = wd_reason_forecast(&usage->leak->seen, usage->sample.memory_limit_bytes);
	return true;
}

bool wd_usage_holds(const struct wd_guard *guard, const struct wd_service *service, enum wd_trigger trigger,
		    char **ret_why)
{
	unsigned which;

	if (trigger == WD_TRIGGER_FORECAST)
		return leak_holds(service, ret_why);
	const struct wd_over *over = holding(service, trigger, &which);

	if (!over || wd_usage_level(service->policy, which)->kind == WD_LEVEL_OFF)
		return false;
	if (ret_why)
		*ret_why = wd_reason_limit(service, which, guard->now - over->since);
	return true;
}

static void settle_leak(struct wd_leak *leak, wd_time anew)
{
	leak->settled = anew == WD_NEVER;
	if (anew == WD_NEVER)
		return;
	leak->held = false;
	leak->not_before = anew;
}

void wd_usage_settle(struct wd_service *service, enum wd_trigger trigger, wd_time anew)
{
	if (trigger == WD_TRIGGER_FORECAST && leaks(service))
		settle_leak(service->usage->leak, anew);
	for (unsigned which = 0; service->usage && which < WD_LIMITS; which++) {
		struct wd_over *over = &service->usage->overs[which];
		if (wd_usage_trigger(which) != trigger || !over->held)
			continue;
		over->settled = anew == WD_NEVER;
		if (anew != WD_NEVER) {
			over->held = false;
			over->since = anew;
		}
	}
}

/* --- what the next look must tell --------------------------------------------------------------------------------------- */

static uint64_t exact_from(const struct wd_policy *policy, const struct wd_usage *usage)
{
	const struct wd_level *level = &policy->memory;
	bool over = usage && usage->overs[WD_LIMIT_MEMORY].since != WD_NEVER;
	double limit = (double)level->amount;

	if (level->kind == WD_LEVEL_OFF)
		return WD_UNLIMITED;
	if (level->kind == WD_LEVEL_RATIO && (!usage || usage->sample.at == WD_NEVER))
		return 0; /* the first look, which tells the container's limit */
	if (level->kind == WD_LEVEL_RATIO)
		limit = level->ratio * (double)usage->sample.memory_limit_bytes;
	return (uint64_t)(over ? RELEASE * limit : limit);
}

static bool oom_due(const struct wd_usage *usage, wd_time now)
{
	return !usage || usage->oom_at == WD_NEVER || usage->oom_owed_at != WD_NEVER || now - usage->oom_at >= OOM_LAST;
}

static bool point_due(const struct wd_guard *guard, const struct wd_service *service, wd_time now)
{
	const struct wd_leak *leak = service->usage ? service->usage->leak : NULL;
	wd_time horizon = service->policy->forecast;

	return horizon && (!leak || wd_trend_due(&leak->trend, horizon, guard->settings->sample_interval, now));
}

static void wish_for_calls(const struct wd_policy *policy, struct wd_gauge_wish *wish)
{
	struct wd_pressure *shares = &wish->call.pressure;

	wish->call.memory_bytes = wish->exact_from_bytes > 0 ? wish->exact_from_bytes : WD_UNLIMITED;
	wish->call.oom = policy->oom.count > 0;
	for (unsigned i = 0; i < policy->pressure.count; i++) {
		const struct wd_pressure_rule *rule = &policy->pressure.items[i];
		double *share = rule->resource == WD_RESOURCE_MEMORY ? &shares->memory
				: rule->resource == WD_RESOURCE_CPU  ? &shares->cpu
								     : &shares->io;
		if (*share == 0 || rule->level.ratio < *share)
			*share = rule->level.ratio;
	}
}

void wd_guard_wish(const struct wd_guard *guard, const char *id, wd_time now, struct wd_gauge_wish *ret_wish)
{
	const struct wd_service *service = wd_service_by_id(guard, id);

	*ret_wish = (struct wd_gauge_wish){.exact_from_bytes = WD_UNLIMITED, .call.memory_bytes = WD_UNLIMITED};
	if (!service || !service->policy || !service->policy->watched)
		return;
	ret_wish->exact_from_bytes = exact_from(service->policy, service->usage);
	wish_for_calls(service->policy, ret_wish);
	if (point_due(guard, service, now))
		ret_wish->exact_from_bytes = 0;
	ret_wish->pids = service->policy->pids.kind != WD_LEVEL_OFF;
	ret_wish->oom = service->policy->oom.count > 0 && oom_due(service->usage, now);
	ret_wish->pressure = service->policy->pressure.count > 0;
	ret_wish->more_limits =
		service->policy->cpu.kind == WD_LEVEL_RATIO || service->policy->pids.kind == WD_LEVEL_RATIO;
}

void wd_usage_tell(const struct wd_guard *guard, const struct wd_service *service, struct wd_incident *incident)
{
	const struct wd_usage *usage = service->usage;

	if (!usage)
		return;
	wd_curve_tell(&usage->curve, guard->now, guard->stamp, incident);
	if (usage->sample.at == WD_NEVER)
		return;
	incident->memory_limit_bytes = usage->sample.memory_limit_bytes;
	incident->cpus_allowed = usage->sample.cpus_allowed;
}
