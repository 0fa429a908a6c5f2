/* describe.c: what a plan would do, from the same tables that do it. */
#include "rollback.h"

#include <string.h>
#include <watchdog/act.h>
#include <watchdog/memory.h>

enum { SHORT_ID = 12 };

/* Nobody reads an ID of 64 digits. */
static void put_path(struct wd_text *text, const char *path, const char *id)
{
	const char *at = strstr(path, id);

	if (at && strlen(id) > SHORT_ID)
		wd_text_print(text, "%.*s%.*s…%s", (int)(at - path), path, SHORT_ID, id, at + strlen(id));
	else
		wd_text_add(text, path);
}

static void describe_change(const struct wd_run *run, const struct wd_row *row, struct wd_text *text)
{
	char span[WD_TIME_TEXT];

	if (row->path) {
		WD_AUTO_FREE char *path = row->path(run);
		wd_text_print(text, "%s ", row->method);
		put_path(text, path, run->task.container);
	} else {
		wd_text_print(text, "%s /containers/%.*s…%s", row->method, SHORT_ID, run->task.container, row->verb);
	}
	if (row->shows)
		row->shows(run, text);
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

void wd_run_describe(const struct wd_run *run, struct wd_list *ret_lines)
{
	for (const struct wd_row *row = run->plan->rows; row->name; row++)
		if (!row->needless || row->kind != WD_ROW_CHANGE || !row->needless(run))
			describe_row(run, row, ret_lines);
}

void wd_plan_describe(const struct wd_order *order, struct wd_list *ret_lines)
{
	struct wd_container seen = {
		.state = state_before(order), .stop_timeout = order->stop_timeout, .cpus = order->cut.now};
	struct wd_run run = {.plan = wd_plan_of(order), .seen = &seen};

	if (!run.plan)
		return;
	wd_task_of(&run.task, order, true);
	run.swap = run.plan->pair ? wd_swap_new(order, 0) : NULL;
	wd_run_describe(&run, ret_lines);
	wd_swap_free(run.swap);
	wd_task_done(&run.task);
}
