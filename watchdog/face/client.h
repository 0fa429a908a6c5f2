/* client.h: the commands' side of the control socket in two halves, for commands that subscribe first, read something
 * else, and then follow. wd_control_ask() of control.h is both in one.
 */
#ifndef WATCHDOG_FACE_CLIENT_H
#define WATCHDOG_FACE_CLIENT_H

#include <watchdog/control.h>

struct wd_asking;

/* Connects and sends the request. NULL with the error: WD_ERROR_NOT_RUNNING where nobody listens. */
struct wd_asking *wd_asking_new(const char *path, const struct wd_json *request, wd_time patience,
                                struct wd_error *error);
struct wd_asking *wd_asking_free(struct wd_asking *asking);
/* Reads answers until they are done; as wd_control_ask(). A stream (patience WD_NEVER) that breaks off is
 * WD_ERROR_NOT_RUNNING. */
bool wd_asking_read(struct wd_asking *asking, wd_time patience, wd_control_data *on_data, void *data,
                    struct wd_error *error);

#endif
