#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/wire.h>

/* A counter; false where it is none. Below 0 it is no counter either; what does not fit saturates. */
static bool get_count(const struct wd_json *stats, const char *path, uint64_t *ret_count)
{
	const struct wd_json *number = wd_json_path(stats, path);
	int64_t count = wd_json_int(number, -1);
	if (!wd_json_is_number(number) || count < 0)
		return false;
	*ret_count = (uint64_t)count;
	return true;
}

/* 2^64-1 stands for none, and so does what is not there. */
static uint64_t get_limit(const struct wd_json *stats, const char *path)
{
	uint64_t limit;
	return get_count(stats, path, &limit) && limit > 0 && limit < INT64_MAX ? limit : WD_UNLIMITED;
}

/* v1 has the sums of all below it under names of their own. */
static void leave_out(uint64_t *bytes, const struct wd_json *stats, const char *v1, const char *v2)
{
	uint64_t cache;
	if ((get_count(stats, v1, &cache) || get_count(stats, v2, &cache)) && cache < *bytes)
		*bytes -= cache;
}

static void take_memory(const struct wd_json *stats, struct wd_sample *sample)
{
	sample->memory_limit_bytes = get_limit(stats, "memory_stats.limit");
	if (!get_count(stats, "memory_stats.usage", &sample->usage_bytes))
		return;
	sample->has |= WD_HAS_MEMORY | WD_HAS_WORKING_SET;
	sample->working_set_bytes = sample->usage_bytes;
	leave_out(&sample->working_set_bytes, stats, "memory_stats.stats.total_inactive_file",
		  "memory_stats.stats.inactive_file");
	sample->firm_bytes = sample->working_set_bytes;
	leave_out(&sample->firm_bytes, stats, "memory_stats.stats.total_active_file", "memory_stats.stats.active_file");
}

static void take_cpu(const struct wd_json *stats, struct wd_sample *sample)
{
	uint64_t nanoseconds, cpus;
	sample->cpus_there = get_count(stats, "cpu_stats.online_cpus", &cpus) && cpus > 0 ? (double)cpus : 1;
	sample->cpus_allowed = sample->cpus_there;
	if (get_count(stats, "cpu_stats.cpu_usage.total_usage", &nanoseconds)) {
		sample->has |= WD_HAS_CPU;
		sample->cpu_usec = nanoseconds / 1000;
	}
	if (get_count(stats, "cpu_stats.throttling_data.throttled_time", &nanoseconds)) {
		sample->has |= WD_HAS_THROTTLE;
		sample->throttled_usec = nanoseconds / 1000;
	}
}

bool wd_wire_stats(const struct wd_json *stats, struct wd_cpus cpus, struct wd_sample *ret_sample, wd_stamp *ret_read)
{
	struct wd_sample sample = {.has = WD_FROM_ENGINE};
	wd_stamp read;
	if (!wd_stamp_parse(wd_json_string(wd_json_get(stats, "read"), ""), &read, NULL) || read <= 0)
		return false;
	take_memory(stats, &sample);
	take_cpu(stats, &sample);
	if (!(sample.has & WD_HAS_MEMORY) && !(sample.has & WD_HAS_CPU))
		return false;
	double quota = wd_cpus_count(cpus);
	if (quota > 0 && quota < sample.cpus_allowed)
		sample.cpus_allowed = quota;
	sample.pids_limit = get_limit(stats, "pids_stats.limit");
	if (get_count(stats, "pids_stats.current", &sample.pids))
		sample.has |= WD_HAS_PIDS;
	*ret_sample = sample;
	*ret_read = read;
	return true;
}
