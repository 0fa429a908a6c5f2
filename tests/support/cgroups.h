/* cgroups.h: the kernel's own cgroups, made by hand (as root) below one of this test's own, with busybox in them. Where that
 * cannot be, a test that needs them is skipped. */
#ifndef SUPPORT_CGROUPS_H
#define SUPPORT_CGROUPS_H

#include <sys/types.h>
#include <watchdog/meter.h>

#define CGROUPS "/sys/fs/cgroup"

int begin_cgroups(void **state); /* cmocka set-up: also a directory of one's own, see files.h */
int end_cgroups(void **state);   /* cmocka tear-down */
void need_cgroups(void);         /* makes the cgroup TREE_ID, or skips the test */
bool cgroups_on_v2(void);
const char *cgroups_parent(void); /* "seadog-test-1234" */

bool make_cgroup(const char *name);   /* in all trees; false where one is not there, or not ours to change */
void remove_cgroup(const char *name); /* waits for the processes that the kernel is still taking out */
/* Whether the kernel took it: one file of v1's tree ("memory/"), or of v2's. */
bool set_in_cgroup(const char *name, const char *tree, const char *v1, const char *v2, const char *text);
void limit_memory(const char *name, const char *bytes); /* and no swap beyond */

/* A script of busybox in the cgroup, in a process group of its own; *ret_ready: what it writes. */
pid_t run_inside(const char *name, const char *script, int *ret_ready);
void await_ready(int ready); /* it has written "ready\n" */
void end_inside(pid_t pid, int ready);

struct wd_meter *kernels_meter(void);
struct wd_gauge *open_gauge(struct wd_meter *meter, pid_t pid); /* of TREE_ID */

#endif
