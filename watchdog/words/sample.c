#include <watchdog/sample.h>

double wd_sample_cpus(const struct wd_sample *before, const struct wd_sample *after)
{
	if (!(before->has & after->has & WD_HAS_CPU) || after->at <= before->at || after->cpu_usec < before->cpu_usec)
		return -1;
	return (double)(after->cpu_usec - before->cpu_usec) / (double)(after->at - before->at);
}
