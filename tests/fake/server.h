/* server.h: the model Engine behind a unix socket, in a thread of its own and in real time. HTTP/1.1 with keep-alive,
 * /events chunked with since, until and filters. For unit tests of what speaks to Engines, and for the program
 * seadog-fake-engine.
 *
 * Beside the Engine's own paths it obeys, on the same socket, with JSON bodies:
 *   POST /_fake/image      {"name","labels":{},"script":{…}}
 *   POST /_fake/container  {"name","image","policy","retries","labels":{},"auto_remove","health_check","start":true,
 *                           "count":N (then NAME-1 to NAME-N),"script":{…}} -> 200 ["<id>",…]
 *   POST /_fake/script     {"name" or "image", and the script's members}
 *       script: {"lives":"2s","exit_code","oom","heals_after","ignores_stop","stops_in":"1s","stop_exit_code",
 *                "fails_from","fails_with","healthy_after":"1s","unhealthy_after":"5s","logs"}
 *   POST /_fake/happen     {"name","what":"die"|"oom"|"oom_child"|"healthy"|"unhealthy","exit_code"}
 *   POST /_fake/fault      {"method":"POST","path":"*" "/stop*" (shell globs; the path is without version, with query),
 *                           "skip":0,"times":1 (-1: always),"do":…,"status","body","span":"5s"}
 *       do: "status" answers that, "lose" does it and hangs up, "refuse" hangs up before, "delay" does it and answers
 *       after the span, "garbage" answers no HTTP, "truncate" does it and hangs up in the middle of the answer
 *   DELETE /_fake/fault    forgets faults, those of streams too
 *   POST /_fake/stream     {"cut_after_bytes","cut_after_events","times":1} for the streams to come (a stream that is
 *                           resumed begins with the last event again: "between every two" is 2, for ever -1);
 *                          {"send":"text","repeat":N} at once to all open ones, {"close":true} ends them
 *   POST /_fake/flood      {"events":N,"containers":M,"action":"kill die stop start","name":"c"} written to all streams
 *                           as fast as they take it: each action of all M containers, then the next; of c-1 to c-M of
 *                           the model, whose state it leaves alone, or without a name of ids that nobody made
 *   GET /_fake/streams     [{"waiting":BYTES},…] of the open ones: what the client has not taken yet
 *   POST /_fake/emit       {"type","action","id","stamp"} any other event
 *   POST /_fake/engine     {"do":"stop"|"kill"|"start","live_restore"}: while it is down only /_fake is answered
 *   POST /_fake/time       {"advance":"60s"} the Engine's time jumps; {"clock":"<RFC 3339>"} its wall clock is set
 *   POST /_fake/race       {"on":true} update of a quickly exiting container fails (model.h)
 *   GET /_fake/calls       [{"method","path","status","at_us"},…], oldest first; DELETE forgets them
 */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include "model/model.h"

struct fake;

/* Listens on the path (an old socket there is replaced) and starts the thread. */
struct fake *fake_start(const char *path, enum model_flavour flavour, struct wd_error *error);
struct fake *fake_stop(struct fake *fake); /* ends the thread, removes the socket; returns NULL; takes NULL */

/* The model, while the thread keeps its hands off it. What is done to it takes effect with fake_unlock(). */
struct model *fake_lock(struct fake *fake);
void fake_unlock(struct fake *fake);

/* The control interface without a socket: the same paths and bodies. False if it was refused. */
bool fake_control(struct fake *fake, const char *method, const char *path, const char *body);
/* How many calls whose "METHOD path" (without version and query) matches the shell glob have come in so far. */
unsigned fake_calls(struct fake *fake, const char *glob);
wd_time fake_call_at(struct fake *fake, const char *glob); /* when the first of them came, by model_now(); -1: none */
unsigned fake_streams(struct fake *fake); /* open /events */

#endif
