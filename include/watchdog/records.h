/* records.h: what is remembered over a restart of seadog: services with their windows and holds, incidents with their
 * steps. Plain data; the store (store.h) keeps it, the guard (guard.h) fills it. Moments are stamps, because a clock
 * that does not jump begins anew at every boot.
 */
#ifndef WATCHDOG_RECORDS_H
#define WATCHDOG_RECORDS_H

#include <watchdog/sample.h>
#include <watchdog/text.h>
#include <watchdog/words.h>

/* A crash or an OOM kill that counts, as it is remembered. */
struct wd_mark {
	wd_stamp stamp;   /* when */
	wd_stamp from;    /* start of the gap in which it must have happened; the same as stamp where it was seen */
	wd_time waited;   /* all back-off of the Engine up to then, since the windows were last empty */
	int exit_code;    /* -1 unknown */
	bool seen;        /* happened before our eyes, not inferred from the past */
};

struct wd_hold {
	bool held;
	enum wd_action kind; /* stop or pause */
	wd_stamp since;
	int64_t incident;    /* 0: by hand */
	struct wd_restart_policy policy; /* what release gives back */
	char *id;            /* the container that is held */
};

/* An image that is known to be good for a service, and kept by a tag of seadog's own (orders.h). */
enum wd_pin_by { WD_PIN_LEARNED, WD_PIN_HAND, WD_PIN_CONFIG, WD_PIN_LABEL, WD_PIN_BYS };
const char *wd_pin_by_name(enum wd_pin_by by); /* "learned" */
bool wd_pin_by_parse(const char *name, enum wd_pin_by *ret_by);
struct wd_pin {
	char *image;    /* the name that it had: "acme/web:1.4.2" */
	char *id;       /* "sha256:…" */
	char *digests;  /* RepoDigests, by a space each, by which it can be pulled again; may be "" */
	wd_stamp since;
	enum wd_pin_by by;
};

/* A rollback: once per pair of images. Where it helped, the image that it came from is known to be bad. */
enum wd_swap_end { WD_SWAP_OPEN, WD_SWAP_HELPED, WD_SWAP_IN_VAIN, WD_SWAP_ENDS };
const char *wd_swap_end_name(enum wd_swap_end end); /* "open", "helped", "in vain" */
bool wd_swap_end_parse(const char *name, enum wd_swap_end *ret_end);
struct wd_swap_record {
	char *from_image, *from_id;
	char *to_image, *to_id;
	wd_stamp at;
	enum wd_swap_end end;
};

/* What is remembered of a service's images: written apart from its row, which changes with every crash. */
struct wd_pins {
	struct wd_pin *items; unsigned count; /* the last learned is the last */
	struct wd_swap_record *swaps; unsigned swap_count; /* the newest is the last */
	char *config_of, *config; /* the image that it runs, and its Config as JSON: where the image is removed, nobody else has it */
};
void wd_pins_done(struct wd_pins *pins); /* frees what it holds; empty after it */
void wd_pins_copy(struct wd_pins *to, const struct wd_pins *from); /* to: uninitialized, or empty */
const struct wd_swap_record *wd_pins_bad(const struct wd_pins *pins, const char *id); /* a swap away from it that helped, or NULL */

/* CPUs that seadog has taken away from what runs on, if any; a hold may be beside it. */
struct wd_throttle { struct wd_cpu_cut cut; wd_stamp since; int64_t incident; };

/* What is remembered of a service: one row. */
struct wd_memory {
	char *service, *name, *id, *image_id;
	struct wd_restart_policy policy;
	unsigned counted;       /* RestartCount up to which crashes were counted */
	wd_stamp sure;          /* when that was known to be right: what nobody saw has happened since */
	wd_stamp last_event;    /* stamp of the newest event that was taken in */
	wd_stamp started;       /* StartedAt as last seen */
	wd_stamp cooldown_until, muted_until;
	struct wd_hold hold;
	struct wd_throttle throttle; /* of the container `id` */
	struct wd_mark *crashes; unsigned crash_count;
	struct wd_mark *ooms; unsigned oom_count;
	struct wd_pins pins; /* by wd_store_pins(), not by wd_store_service() */
};
/* Whether a release has something to give back; and what: the hold's kind, which a throttle goes with, or THROTTLE. */
bool wd_memory_is_bound(const struct wd_memory *memory);
enum wd_action wd_memory_kind(const struct wd_memory *memory);
void wd_memory_done(struct wd_memory *memory); /* frees what it holds, not itself */

struct wd_step {
	enum wd_action action;
	wd_stamp started, ended; /* ended 0: under way */
	enum wd_result result;
	char *detail;
};
struct wd_note { /* a line of the incident's time line: a crash, a decision and why */
	wd_stamp at;
	char *text;
};
struct wd_incident {
	int64_t id;
	char *name, *service, *container;
	enum wd_trigger trigger;
	char *why;
	wd_stamp opened, closed; /* closed 0: open */
	enum wd_outcome outcome;
	struct wd_step *steps; unsigned step_count;
	struct wd_note *notes; unsigned note_count;
	char *logs; /* last lines of the container, or NULL */
	struct wd_point *points; unsigned point_count; /* oldest first */
	uint64_t memory_limit_bytes; /* what the points are to be held against; 0: not known */
	double cpus_allowed;
};
struct wd_incident *wd_incident_free(struct wd_incident *incident); /* returns NULL; takes NULL */
struct wd_incident *wd_incident_copy(const struct wd_incident *incident); /* heap, the caller frees */

#endif
