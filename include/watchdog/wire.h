/* wire.h: Engine JSON <-> facts. No socket, no clock: fuzzable. Sources: Engine API v1.41 and up (docs.docker.com
 * /engine/api), and what real Engines 20.10, 26.1, 28.5 and Podman 5 were seen to send.
 */
#ifndef WATCHDOG_WIRE_H
#define WATCHDOG_WIRE_H

#include <watchdog/facts.h>
#include <watchdog/json.h>

/* One line of /events. `at`, `from` and `replayed` are 0: the caller's to say. WD_WIRE_OTHER: JSON that is no
 * container event of ours (to be counted, not an error); WD_WIRE_RUBBISH: no event at all. Accepts the RS (0x1E) of json-seq.
 * Podman's words are understood: died, remove, health_status with HealthStatus. exit_code is -1 and signal 0 where the
 * attribute is absent or no number. */
enum wd_wire_line { WD_WIRE_EVENT, WD_WIRE_OTHER, WD_WIRE_RUBBISH };
enum wd_wire_line wd_wire_event(const char *line, size_t length, struct wd_event *ret_event);

/* The answer of GET /containers/{id}/json. image_labels: wd_wire_image_labels() of its image, or NULL when the image is
 * not to be had: then no label counts as given. A label counts as given only if the image has not the same key with
 * the same value. Names that seadog gives while it makes a container again (recreate.h) are nobody's service, as are
 * compose's "<12 hex>_NAME" of a container with its labels, and its one-off runs. Returns NULL with the error for what
 * is no container, and for a restart policy that is unknown (it could not be given back). */
struct wd_container *wd_wire_container(const struct wd_json *inspect, const struct wd_json *image_labels,
                                       struct wd_error *error);
/* The labels in the answer of GET /images/{id}/json as a document of the caller's: an empty object where it has none
 * (newer Engines leave the member out). NULL for what is no image. */
struct wd_json *wd_wire_image_labels(const struct wd_json *image);
/* Whether the container has a label for which it matters if it was given or inherited (any that a policy can be picked
 * by: those of up to 256 bytes, and seadog.* of any length): else the image need not be asked. */
bool wd_wire_needs_image(const struct wd_json *inspect);
/* The image's ID as inspect has it ("sha256:…", safe in a path), lent, or NULL. */
const char *wd_wire_image_id(const struct wd_json *inspect);

/* The ids of GET /containers/json?all=1, in order. */
bool wd_wire_list(const struct wd_json *list, struct wd_list *ret_ids, struct wd_error *error);

/* The answer of GET /containers/{id}/stats as a look (`at` is the caller's to say), where the kernel's files cannot be read,
 * and when the Engine took it. False for what is no look: a refusal (Podman sends one with status 200), or a container that
 * does not run (its `read` is the year 1). cpus: of the container, which stats do not tell.
 * The figures are those of `docker stats` (docker/cli cli/command/container/stats_helpers.go): memory is usage less
 * total_inactive_file (v1), or inactive_file (v2), where that is less than the usage. CPU is the difference of
 * cpu_usage.total_usage between two looks, as there, but over the difference of `read`, not of system_cpu_usage: that one
 * is counted in ticks of 10 ms, and says 53 % of a container that is held at 50 %. It has no pressure and no OOM kills. */
bool wd_wire_stats(const struct wd_json *stats, struct wd_cpus cpus, struct wd_sample *ret_sample, wd_stamp *ret_read);

/* "message" of an Engine's error body (JSON, text, a proxy's HTML), cut to one escaped line of at most 300 bytes, for
 * people; "" where there is none. Podman's {"cause","message","response"} too. The caller frees. */
char *wd_wire_complaint(const char *body, size_t length);

/* The last `lines` lines of GET /containers/{id}/logs: frames of 8-byte headers where the container has no terminal,
 * else raw. Escaped line by line, cut to 500 bytes a line, joined by \n. The caller frees. */
char *wd_wire_logs(const char *body, size_t length, unsigned lines);

/* The query value of the server-side filter for /events, already escaped: container events that matter, and neither
 * health-check execs nor anything else. */
const char *wd_wire_filters(bool podman);

/* Body of POST /containers/{id}/update that sets a restart policy, or the CPUs that it may use, or both, and nothing else;
 * NULL: not that. The caller frees. */
char *wd_wire_update(const struct wd_restart_policy *policy, const struct wd_cpus *cpus);

#endif
