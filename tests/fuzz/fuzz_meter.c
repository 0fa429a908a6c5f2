/* The kernel's files: whatever is in one, what is taken from it is within bounds, and nothing behind its end is read. */
#include <math.h>
#include <string.h>

#include "../../watchdog/meter/parse.h"
#include <fuzz/fuzz.h>

static void check_shares(const char *text, size_t length)
{
	double share = -1, quota = -1;
	unsigned cpus = 0;
	assert(wd_parse_pressure(text, length, &share) ? share >= 0 && share <= 1 : share == -1);
	assert(wd_parse_quota(text, length, &quota) ? quota > 0 && isfinite(quota) : quota == -1);
	assert(wd_parse_cpus(text, length, &cpus) ? cpus > 0 && cpus <= WD_CPUS_MAX : cpus == 0);
	assert(wd_parse_host_cpus(text, length) <= length);
}

static void check_numbers(const char *text, size_t length)
{
	uint64_t number = 0, limit = 0, member = 0;
	bool is_number = wd_parse_number(text, length, &number), is_limit = wd_parse_limit(text, length, &limit);
	assert(!is_number || is_limit);
	assert(!is_number || limit >= number);
	if (wd_parse_member(text, length, "oom_kill", &member))
		assert(memmem(text, length, "oom_kill ", 9));
}

static void check_total(const char *text, size_t length)
{
	uint64_t kibibytes = 0;
	if (wd_parse_total(text, length, &kibibytes))
		assert(kibibytes > 0 && kibibytes * 1024 / 1024 == kibibytes);
}

static void check_place(const char *text, size_t length, const char *controller)
{
	static const char id[] = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
	const char *path = NULL;
	size_t size = 0;
	if (!wd_parse_place(text, length, controller, &path, &size))
		return;
	assert(path > text && path + size <= text + length);
	size_t bearer = wd_parse_bearer(path, size, id);
	assert(bearer <= size);
	assert(bearer == 0 || memmem(path, bearer, id, sizeof(id) - 1));
	assert(bearer == 0 || !memmem(path, bearer, "/../", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	check_shares(text, size);
	check_numbers(text, size);
	check_total(text, size);
	check_place(text, size, "memory");
	check_place(text, size, "");
	return 0;
}
