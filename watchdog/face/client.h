/* client.h: the commands' side of the control socket in two halves, for commands that subscribe first, read something
 * else, and then follow. wd_control_ask() of control.h is both in one.
 */
#ifndef WATCHDOG_FACE_CLIENT_H
#define WATCHDOG_FACE_CLIENT_H

#include <sys/types.h>
#include <watchdog/control.h>

struct wd_asking;

/* Connects and sends the request. NULL with the error: WD_ERROR_NOT_RUNNING where nobody listens. */
struct wd_asking *wd_asking_new(const char *path, const struct wd_json *request, wd_time patience,
                                struct wd_error *error);
struct wd_asking *wd_asking_free(struct wd_asking *asking);
int wd_asking_descriptor(const struct wd_asking *asking); /* for poll(2); -1 for NULL */
/* Reads answers until they are done; as wd_control_ask(). A stream (patience WD_NEVER) that breaks off is
 * WD_ERROR_NOT_RUNNING. */
bool wd_asking_read(struct wd_asking *asking, wd_time patience, wd_control_data *on_data, void *data,
                    struct wd_error *error);

/* Whether somebody listens there: WD_ERROR_NONE, and *ret_pid is who (0 where that is not to be seen from here);
 * WD_ERROR_NOT_RUNNING; WD_ERROR_FAILED where it is not for us to ask. Asks nothing. */
enum wd_error_kind wd_control_probe(const char *path, pid_t *ret_pid);

#endif
