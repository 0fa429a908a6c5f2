/* hook.h: commands that the configuration names ([hook NAME]), run beside everything else: never waited for, bounded in
 * time and in what is kept of their output. No shell is between: argv is what the words of the command are.
 *
 * A hook has the input on its standard input, as a file that ends; its output and its errors in one pipe; "/" as its
 * directory; and of the environment PATH and what it is given, nothing else. No other descriptor is open in it. It has a
 * process group of its own, which is killed when its time is over, when it has ended and left something running, and
 * when seadog ends. Of a seadog that is killed itself it knows nothing: it goes on, unless the unit's end takes it along.
 */
#ifndef WATCHDOG_HOOK_H
#define WATCHDOG_HOOK_H

#include <watchdog/loop.h>
#include <watchdog/text.h>

struct wd_hooks;

/* How it ended: "exit code 0 after 1.2s: what it said", the first KiB of that, escaped. ok: exit code 0.
 * Never from within wd_hooks_run(). */
typedef void wd_hook_ended(void *data, uint64_t ticket, bool ok, const char *detail);

struct wd_hooks *wd_hooks_new(struct wd_loop *loop, wd_hook_ended *ended, void *data);
struct wd_hooks *wd_hooks_free(struct wd_hooks *hooks); /* kills what runs; nothing is told any more; returns NULL */

struct wd_hook { /* all lent for the call */
	uint64_t ticket;
	struct wd_list command;     /* the program, which is an absolute path, and its arguments */
	wd_time timeout;
	const char *input;
	struct wd_list environment; /* "SEADOG_HOOK_INCIDENT=7"; PATH is added */
};
/* Four run at a time; some more wait for their turn, and what is beyond those is refused, by an end that says so. */
void wd_hooks_run(struct wd_hooks *hooks, const struct wd_hook *hook);

#endif
