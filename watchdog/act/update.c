/* update.c: the bodies of an update, and what people are told of them. */
#include "plan.h"
#include <inttypes.h>
#include <string.h>
#include <watchdog/wire.h>

static char *print_update(const struct wd_restart_policy *policy, const struct wd_cpus *cpus, size_t *ret_length)
{
	char *body = wd_wire_update(policy, cpus);

	*ret_length = strlen(body);
	return body;
}

static void show_cpus(struct wd_cpus cpus, struct wd_text *text)
{
	if (cpus.nano > 0)
		wd_text_print(text, " NanoCpus=%" PRId64, cpus.nano);
	else
		wd_text_print(text, " CpuQuota=%" PRId64, cpus.quota > 0 ? cpus.quota : -1);
}

char *wd_update_no(const struct wd_run *run, size_t *ret_length)
{
	static const struct wd_restart_policy none = {.kind = WD_RESTART_NO};

	(void)run;
	return print_update(&none, NULL, ret_length);
}

void wd_update_show_no(const struct wd_run *run, struct wd_text *text)
{
	(void)run;
	wd_text_add(text, " RestartPolicy=no");
}

char *wd_update_back(const struct wd_run *run, size_t *ret_length)
{
	const struct wd_task *task = &run->task;

	return print_update(&task->policy, wd_run_is_throttled(run) ? &task->cut.before : NULL, ret_length);
}

void wd_update_show_back(const struct wd_run *run, struct wd_text *text)
{
	wd_text_add(text, " RestartPolicy=");
	wd_policy_print(text, run->task.policy);
	if (wd_run_is_throttled(run))
		show_cpus(run->task.cut.before, text);
}

char *wd_update_cpus_down(const struct wd_run *run, size_t *ret_length)
{
	return print_update(NULL, &run->task.cut.now, ret_length);
}

void wd_update_show_cpus_down(const struct wd_run *run, struct wd_text *text)
{
	show_cpus(wd_cpus_lower((struct wd_cpus){0}, run->task.cpus), text);
}

char *wd_update_cpus_back(const struct wd_run *run, size_t *ret_length)
{
	return print_update(NULL, &run->task.cut.before, ret_length);
}

void wd_update_show_cpus_back(const struct wd_run *run, struct wd_text *text)
{
	show_cpus(run->task.cut.before, text);
}
