/* describe.c: what a plan would do, from the same tables that do it. */
#include "plan.h"
#include <inttypes.h>
#include <watchdog/act.h>
#include <watchdog/memory.h>

enum { SHORT_ID = 12 };

static void describe_cpus(struct wd_cpus cpus, struct wd_text *text)
{
	if (cpus.nano > 0)
		wd_text_print(text, " NanoCpus=%" PRId64, cpus.nano);
	else
		wd_text_print(text, " CpuQuota=%" PRId64, cpus.quota > 0 ? cpus.quota : -1);
}

static void describe_change(const struct wd_run *run, const struct wd_row *row, struct wd_text *text)
{
	char span[WD_TIME_TEXT];

	wd_text_print(text, "%s /containers/%.*s…%s", row->method, SHORT_ID, run->task.container, row->verb);
	if (row->body == WD_BODY_POLICY_NO)
		wd_text_add(text, " RestartPolicy=no");
	if (row->body == WD_BODY_POLICY_BACK) {
		wd_text_add(text, " RestartPolicy=");
		wd_policy_print(text, run->task.policy);
	}
	if (row->body == WD_BODY_CPUS_DOWN)
		describe_cpus(wd_cpus_lower((struct wd_cpus){0}, run->task.cpus), text);
	if (row->body == WD_BODY_CPUS_BACK || (row->body == WD_BODY_POLICY_BACK && wd_run_is_throttled(run)))
		describe_cpus(run->task.cut.before, text);
	if (row->stops)
		wd_text_print(text, " (up to %s)", wd_span_print(wd_row_deadline(run, row), span));
}

static void describe_row(const struct wd_run *run, const struct wd_row *row, struct wd_list *lines)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	if (row->kind == WD_ROW_VERIFY) {
		wd_text_add(&text, "verify: ");
		run->plan->goal(run, &text);
	} else if (row->kind == WD_ROW_CHANGE) {
		describe_change(run, row, &text);
	} else {
		return;
	}
	wd_list_add(lines, wd_text_get(&text));
}

/* The container as it is when such an order is given. */
static enum wd_state state_before(const struct wd_order *order)
{
	if (order->action != WD_ACTION_RELEASE || order->running || order->hold_kind == WD_ACTION_THROTTLE)
		return WD_STATE_RUNNING;
	return order->hold_kind == WD_ACTION_PAUSE ? WD_STATE_PAUSED : WD_STATE_EXITED;
}

void wd_plan_describe(const struct wd_order *order, struct wd_list *ret_lines)
{
	struct wd_container seen = {
		.state = state_before(order), .stop_timeout = order->stop_timeout, .cpus = order->cut.now};
	struct wd_run run = {.plan = wd_plan_of(order), .seen = &seen};

	if (!run.plan)
		return;
	wd_task_of(&run.task, order, true);
	for (const struct wd_row *row = run.plan->rows; row->name; row++)
		if (!row->needless || row->kind != WD_ROW_CHANGE || !row->needless(&run))
			describe_row(&run, row, ret_lines);
	wd_task_done(&run.task);
}
