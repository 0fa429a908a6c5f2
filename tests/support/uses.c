#include "uses.h"

#include <stdlib.h>
#include <string.h>

struct uses uses_nothing(void)
{
	return (struct uses){.limit_bytes = 16e9, .cpus_allowed = 4, .pids = 1, .pids_limit = WD_UNLIMITED};
}

static double size_of(const char *word)
{
	uint64_t bytes = 0;
	wd_size_parse(word, &bytes, NULL);
	return (double)bytes;
}

/* "+1MiB/s", "-200KiB/s" */
static double growth_of(const char *word)
{
	char size[64] = "";
	strncat(size, word + 1, strcspn(word + 1, "/"));
	return word[0] == '-' ? -size_of(size) : size_of(size);
}

static double memory_at(const struct uses *uses, wd_time now)
{
	return uses->memory_bytes + uses->growth_bytes * (double)(now - uses->since) / (double)WD_SECOND;
}

static bool read_pressure(struct uses *uses, const char *resource, const char *share)
{
	double ratio = strtod(share, NULL) / 100;
	if (wd_text_equal(resource, "memory"))
		uses->pressure.memory = ratio;
	else if (wd_text_equal(resource, "cpu"))
		uses->pressure.cpu = ratio;
	else if (wd_text_equal(resource, "io"))
		uses->pressure.io = ratio;
	else
		return false;
	return true;
}

/* What "of" says is the limit of what was named before. */
static void read_limit(struct uses *uses, const char *of_what, const char *word)
{
	if (wd_text_equal(of_what, "memory"))
		uses->limit_bytes = size_of(word);
	else if (wd_text_equal(of_what, "cpu"))
		uses->cpus_allowed = strtod(word, NULL);
	else
		uses->pids_limit = strtoull(word, NULL, 10);
}

bool uses_read(struct uses *uses, char *const *words, size_t count, wd_time now)
{
	const char *last = "";
	uses->memory_bytes = memory_at(uses, now);
	uses->since = now;
	uses->any = true;
	for (size_t i = 0; i + 1 < count; i += 2) {
		const char *what = words[i], *value = words[i + 1];
		if (wd_text_equal(what, "of")) {
			read_limit(uses, last, value);
			continue;
		}
		last = what;
		if (wd_text_equal(what, "memory")) {
			uses->memory_bytes = size_of(value);
			uses->growth_bytes = 0;
			if (i + 2 < count && strchr("+-", words[i + 2][0]))
				uses->growth_bytes = growth_of(words[i++ + 2]);
		} else if (wd_text_equal(what, "cache")) {
			uses->cache_bytes = size_of(value);
		} else if (wd_text_equal(what, "cpu")) {
			uses->cpus = strtod(value, NULL);
		} else if (wd_text_equal(what, "pids")) {
			uses->pids = strtoull(value, NULL, 10);
		} else if (wd_text_equal(what, "oom")) {
			uses->oom_kills = strtoull(value, NULL, 10);
		} else if (wd_text_equal(what, "pressure") && i + 2 < count) {
			if (!read_pressure(uses, value, words[i++ + 2]))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

struct wd_sample uses_look(const struct uses *uses, const struct wd_gauge_wish *wish, wd_time now)
{
	double memory = memory_at(uses, now);
	struct wd_sample sample = {.at = now,
				   .has = WD_HAS_MEMORY | WD_HAS_CPU,
				   .memory_limit_bytes = (uint64_t)uses->limit_bytes,
				   .cpus_allowed = uses->cpus_allowed,
				   .cpus_there = uses->cpus_allowed,
				   .pids_limit = uses->pids_limit};
	memory = memory < 0 ? 0 : memory > uses->limit_bytes ? uses->limit_bytes : memory;
	double usage = memory + uses->cache_bytes;
	sample.usage_bytes = (uint64_t)(usage > uses->limit_bytes ? uses->limit_bytes : usage);
	sample.working_set_bytes = sample.firm_bytes = sample.usage_bytes;
	if (sample.usage_bytes >= wish->exact_from_bytes) {
		sample.has |= WD_HAS_WORKING_SET;
		sample.working_set_bytes = sample.firm_bytes = (uint64_t)memory;
	}
	if (wish->pids) {
		sample.has |= WD_HAS_PIDS;
		sample.pids = uses->pids;
	}
	if (wish->oom) {
		sample.has |= WD_HAS_OOM;
		sample.oom_kills = uses->oom_kills;
	}
	if (wish->pressure) {
		sample.has |= WD_HAS_PRESSURE;
		sample.pressure = uses->pressure;
	}
	return sample;
}
