/* control.h: the control socket between commands and the running watchdog. JSON lines over a unix stream socket (0660,
 * peer credentials checked: root, the watchdog's own user, or a member of the socket's group).
 *
 * A request is one line: {"verb":"status", …}. Answers are lines: {"data":{…}} any number of times (one for ordinary
 * verbs, many for streams), then {"done":true}; or {"error":"…","exit":4} and nothing more. Lines are at most 64 KiB
 * from commands; the watchdog answers a longer one, or rubbish, with an error and closes.
 *
 *   verb       members                                    data
 *   ping                                                  {"connected":true,"late_seconds":0.0}
 *   status     names?: […]                                the object of `seadog status --json`
 *   incidents  name?, since_ns?, most?                    the object of `seadog incidents --json`
 *   incidents  … follow:true                              one incident object a line, as they change, until closed
 *   show       id                                         {"schema":1,"incident":{… with "timeline" and "logs"}}
 *   explain    name                                       {"schema":1,"service":{…},"policy":[…],"triggers":[…],…}
 *   hold       name, dry_run?                             {"name":"web","plan":["…"]} for dry_run, else {"held":"web"}
 *                                                         at its end
 *   release    name | all:true, no_start?, dry_run?       the plan of each, or one {"released":"web"} each
 *   pins       name?                                      the object of `seadog pins --json`
 *   pin        name, image?, pull?                        {"detail":"…"}, as the two below
 *   unpin      name
 *   forgive    name
 *   rollback   name, image?, dry_run?                     {"progress":"…"} any number of times, {"detail":"…"} at its end;
 *                                                         {"name":"web","plan":["…"]} for dry_run
 *   snapshots  name?                                      the object of `seadog snapshot list --json`
 *   snapshot   name, dry_run?                             {"progress":{"name","files","bytes","total_bytes"}} any number
 *                                                         of times, {"snapshot":"ID","name":"web","detail":"…"} at its end;
 *                                                         {"name":"web","plan":["…"]} for dry_run
 *   verify     name?                                      {"progress":{"id",…}}; {"verified":"ID"} or {"failed":"ID",
 *                                                         "why":"…"} each. name: a service, a container or an ID
 *   prune      name?, dry_run?                            {"deleted":"ID"} or {"failed":…} each; {"plan":["…"]} for dry_run
 *   mute       name?, seconds                             {"muted_until":"…"}
 *   unmute     name?                                      {}
 *   events     follow?                                    one {"event":{…}} a line; without follow: the recent ones
 */
#ifndef WATCHDOG_CONTROL_H
#define WATCHDOG_CONTROL_H

#include <watchdog/json.h>
#include <watchdog/loop.h>

/* The watchdog's side. */
struct wd_control;
struct wd_peer; /* one request under way; lent to the handler until it finishes it */

/* A request has come. The handler answers now or later; request is lent for the call. */
typedef void wd_control_request(void *data, struct wd_peer *peer, const char *verb, const struct wd_json *request);
/* The peer went away before it was answered: forget it. */
typedef void wd_control_left(void *data, struct wd_peer *peer);

/* Binds the path (an old socket nobody listens on is replaced; one that is alive is WD_ERROR_REFUSED). The directory is
 * made (0750) where its parent is there. */
struct wd_control *wd_control_open(struct wd_loop *loop, const char *path, wd_control_request *on_request,
                                   wd_control_left *on_left, void *data, struct wd_error *error);
struct wd_control *wd_control_close(struct wd_control *control);
void wd_peer_send(struct wd_peer *peer, struct wd_json *data_taken); /* {"data":…}; a peer that does not read is dropped */
void wd_peer_finish(struct wd_peer *peer);                           /* {"done":true}; the peer is gone after this */
void wd_peer_refuse(struct wd_peer *peer, enum wd_error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The commands' side: sends the request and calls back for each data object until done. Waits at most `patience`
 * between two lines (WD_NEVER: for ever). No socket or nobody listening: WD_ERROR_NOT_RUNNING. An error answer comes
 * back with its kind and text. on_data returns false to end early. */
typedef bool wd_control_data(void *data, const struct wd_json *object);
bool wd_control_ask(const char *path, const struct wd_json *request, wd_time patience, wd_control_data *on_data,
                    void *data, struct wd_error *error);

#endif
