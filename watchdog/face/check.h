/* check.h: the rows of `seadog check`.
 */
#ifndef WATCHDOG_FACE_CHECK_H
#define WATCHDOG_FACE_CHECK_H

#include "face.h"

#include <sys/types.h>

enum wd_grade { WD_GRADE_OK, WD_GRADE_WARNING, WD_GRADE_FAILED };

struct wd_checking {
	struct wd_call *call;
	struct wd_json *rows;
	bool guarded;   /* the Engine has its watchdog, */
	pid_t guardian; /* which is this one; 0: not to be seen from here */
	struct wd_error worst; /* the first failure: the exit code; its text is in the rows */
};

/* off: what it switches off, or NULL. */
void wd_check_add(struct wd_checking *checking, enum wd_grade grade, const char *what, const char *off,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The Engine: is it to be reached, and which calls does it, or a proxy before it, let through? */
void wd_check_engine(struct wd_checking *checking);
/* The commands of [hook NAME]: are they there, and nobody's to change but root's or our own? */
void wd_check_hooks(struct wd_checking *checking);
/* Whether there can be snapshots. */
void wd_check_snapshots(struct wd_checking *checking);
/* The cgroups of its containers; the Engine has been reached. */
void wd_check_meter(struct wd_checking *checking, struct wd_engine *engine);

#endif
