/* changing.h: changes by the running watchdog, and a release without one.
 */
#ifndef WATCHDOG_FACE_CHANGING_H
#define WATCHDOG_FACE_CHANGING_H

#include "face.h"

#include <string.h>

/* Sends the request (with dry_run where it was asked for) and says each answer. */
bool wd_change(struct wd_call *call, struct wd_json *request, struct wd_error *error);

/* The plan of `seadog release` on a loop of its own, by the state directory: name NULL is every service on hold. */
bool wd_release_alone(struct wd_call *call, const char *name, struct wd_error *error);

#endif
