/* changing.h: changes by the running watchdog, and how they are told.
 */
#ifndef WATCHDOG_FACE_CHANGING_H
#define WATCHDOG_FACE_CHANGING_H

#include "face.h"

/* Sends the request (with dry_run where it was asked for) and says each answer; how many there were in *ret_answers. */
bool wd_change(struct wd_call *call, struct wd_json *request, size_t *ret_answers, struct wd_error *error);

/* One answer: a plan, or what was done. */
void wd_put_answer(const struct wd_call *call, const struct wd_json *answer);

/* What a dry run would do, in one line, as an answer of the watchdog would say it; name may be NULL: every service. */
void wd_put_plan(const struct wd_call *call, const char *name, const char *line);

#endif
