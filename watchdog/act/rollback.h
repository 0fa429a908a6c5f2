/* rollback.h: the plans about a pair, for act/ alone. */
#ifndef WATCHDOG_ACT_ROLLBACK_H
#define WATCHDOG_ACT_ROLLBACK_H

#include "swap.h"

extern const struct wd_plan wd_plan_rollback, wd_plan_follow, wd_plan_commit, wd_plan_take_back;

#endif
