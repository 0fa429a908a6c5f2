/* report.h: the JSON of the contract (PRODUCT section 9), built from views and records: by the watchdog for its control
 * socket, and by commands that read the state directory without one. Tables for people are drawn from the same JSON.
 */
#ifndef WATCHDOG_REPORT_H
#define WATCHDOG_REPORT_H

#include <watchdog/engine.h>
#include <watchdog/guard.h>
#include <watchdog/json.h>
#include <watchdog/meter.h>
#include <watchdog/snapshot.h>

/* {"schema":1,"mode":…,"engine":{…},"services":[…]}; the caller adds services and frees. */
struct wd_json *wd_report_status(bool observe, const struct wd_engine_state *engine);
struct wd_json *wd_report_service(const struct wd_service_view *view); /* one of services[] */
/* Fills memory, cpu_ratio, pids and usage_from ("cgroup", or "engine": asked for want of files) of a service, which are
 * null without: memory is the working set where it was read; cpus: as wd_sample_cpus() counts them, -1: not known. Ratios
 * have four digits. */
void wd_report_usage(struct wd_json *service, const struct wd_sample *sample, double cpus);
/* One of incidents[]; whole: with "timeline":[{"at","text"}] and "logs" as `seadog show` needs them, and what it used in
 * the minutes before it was opened and closed: "samples":[{"at","usage_bytes" with page cache,"memory_bytes" without,
 * "cpus","pids"}], null where it was not read, "memory_limit_bytes" and "cpus_allowed". */
/* `seadog pins`: an empty report, and what one service adds to it. */
struct wd_json *wd_report_pins(void);
void wd_report_add_pins(struct wd_json *report, const struct wd_memory *memory);
/* `seadog snapshot list`: an empty report, and what one snapshot adds to it: an object for each of its volumes; and the
 * "snapshot" of services[]: newest may be NULL. */
struct wd_json *wd_report_snapshots(void);
void wd_report_add_snapshot(struct wd_json *report, const struct wd_snapshot *snapshot);
void wd_report_newest(struct wd_json *service, const struct wd_snapshot *newest);
struct wd_json *wd_report_incident(const struct wd_incident *incident, bool whole);
/* The data of `explain`: the service, its policy with origins, and how near each trigger is:
 * {"schema":1,"service":{…},"policy_name":…,"policy":[{"key","value","origin"}],
 *  "triggers":[{"trigger","setting","ladder","unit":"count"|"seconds"|"bytes"|"cpus"|"ratio","now","limit",
 *  "near":0.0..1.0}],"verdict_why":"…","held_back_until":…}; now, limit and near are numbers, or null where nobody knows.
 * A limit with a time has "for_seconds" and "span_seconds" besides; forecast has "rate_bytes", and its now is in how many
 * seconds the limit is reached. sample: an exact look at this moment, or NULL. */
struct wd_json *wd_report_explain(const struct wd_service_view *view, const struct wd_settings *settings,
                                  const struct wd_sample *sample, wd_time now);
/* The "event" of `seadog events`: {"time","event":"die","name","id"} and exit_code, signal or health where it has one. */
struct wd_json *wd_report_event(const struct wd_event *event);

/* Tables for people from those objects, to standard output. */
struct wd_style {
	bool color;
	bool whole; /* --no-trunc */
	int width;  /* columns of the terminal; 0: no terminal, no limit */
};
void wd_render_status(const struct wd_json *status, const struct wd_style *style);
void wd_render_pins(const struct wd_json *report, const struct wd_style *style);
void wd_render_snapshots(const struct wd_json *report, const struct wd_style *style);
void wd_render_incidents(const struct wd_json *incidents, const struct wd_style *style);
void wd_render_incident(const struct wd_json *incident, const struct wd_style *style); /* `show` */
void wd_render_explain(const struct wd_json *explain, const struct wd_style *style);
void wd_render_event(const struct wd_json *event, const struct wd_style *style);  /* one line of `events` */
void wd_render_change(const struct wd_json *incident, const struct wd_style *style); /* one line of `incidents --follow` */

#endif
