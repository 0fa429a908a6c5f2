/* What an Engine says of a container's use: whatever comes, the figures fit to one another. */
#include <math.h>
#include <stdint.h>

#include <fuzz/fuzz.h>
#include <watchdog/wire.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WD_AUTO_JSON struct wd_json *stats = wd_json_parse((const char *)data, size, NULL);
	struct wd_sample sample;
	wd_stamp read;
	if (!wd_wire_stats(stats, (struct wd_cpus){.nano = 1500000000}, &sample, &read))
		return 0;
	assert(read > 0);
	assert(sample.has & WD_FROM_ENGINE);
	assert(sample.working_set_bytes <= sample.usage_bytes);
	assert(sample.memory_limit_bytes > 0 && sample.pids_limit > 0);
	assert(sample.cpus_allowed > 0 && sample.cpus_allowed <= sample.cpus_there && isfinite(sample.cpus_there));
	return 0;
}
