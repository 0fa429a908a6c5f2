/* orders.h: what the machine (guard.h) orders. Plain data. Strings and records in orders are lent by the guard until it is
 * told the next fact.
 */
#ifndef WATCHDOG_ORDERS_H
#define WATCHDOG_ORDERS_H

#include <watchdog/records.h>

enum wd_order_kind {
	WD_ORDER_INSPECT,  /* ask the Engine about this container */
	WD_ORDER_ACT,      /* carry out a plan; its end comes back as WD_FACT_ACTED */
	WD_ORDER_REMEMBER, /* write the service's row; with `confirm`, WD_FACT_STORED comes back */
	WD_ORDER_PINS,     /* write what is known of the service's images: memory->pins */
	WD_ORDER_FORGET,   /* the row of a service that is gone */
	WD_ORDER_INCIDENT, /* write the incident (opened, changed, closed) */
	WD_ORDER_TELL,     /* say this to people */
	WD_ORDER_ANSWER,   /* what a person asked for has ended */
	WD_ORDER_IMAGE,    /* something about an image; comes back as WD_FACT_IMAGE */
};
enum wd_moment { WD_MOMENT_OPENED, WD_MOMENT_STEP, WD_MOMENT_CLOSED, WD_MOMENT_HELD_BACK, WD_MOMENT_STATE,
	WD_MOMENT_WARNING };

/* seadog's own tag of an image is made of the image's ID: one per image, whoever needs it. */
enum wd_image_job {
	WD_IMAGE_LOOK,   /* which image is that? By `id`, or where that is NULL by `image` */
	WD_IMAGE_KEEP,   /* the same, and it gets the tag */
	WD_IMAGE_UNKEEP, /* the tag is taken away; what nothing else names or uses the Engine then deletes */
	WD_IMAGE_FETCH,  /* as KEEP; an image that is gone is pulled again by `digest`, or where there is no `id`, by `image` */
};
struct wd_target {
	const char *image;  /* the reference as people know it, "acme/web:1.4"; may be NULL */
	const char *id;     /* "sha256:…" */
	const char *digest; /* "acme/web@sha256:…": by which it can be pulled again; may be NULL */
};

/* What a snapshot is to be; of a container's volumes, and of those of its bind mounts that are in `binds`. */
struct wd_snapshot_wish {
	const char *directory; /* [snapshots] dir */
	const char *previous;  /* id of the newest sound one of the service: what has not changed since is not read; or NULL */
	const char *min_free;  /* "10%", "20GiB" */
	enum wd_consistency consistency;
	bool squeeze;          /* with zstd */
	bool well;             /* the service is */
	const struct wd_list *binds; /* paths on the host; may be NULL */
};

struct wd_order {
	enum wd_order_kind kind;
	uint64_t ticket;     /* ACT: names the order in WD_FACT_ACTED; ANSWER: the request */
	const char *service; /* identity; may be NULL for TELL */
	const char *name;
	const char *id;      /* container */
	enum wd_action action; /* ACT */
	double cpus;           /* ACT throttle: how many are left */
	struct wd_cpu_cut cut; /* ACT release: what a throttle took and is given back; none: it took none */
	const char *hook;      /* ACT hook: its name; `incident` is for its input */
	struct wd_restart_policy policy; /* ACT: what to give back (release), or what was remembered (stop) */
	bool no_start;       /* ACT release */
	enum wd_action hold_kind; /* ACT release: what is released: stop, pause, or throttle alone */
	bool running;        /* ACT release: it runs already (a start by hand); only the policy goes back */
	wd_time stop_timeout;
	struct wd_target target; /* ACT rollback: the image to go to; IMAGE */
	const char *config;  /* ACT rollback: Config of the image that it runs, as WD_FACT_IMAGE told it once, for the case that
	                        this image is gone; may be NULL */
	bool rehearse;       /* ACT rollback, snapshot: asks all that is to be known, changes nothing, and ends DONE: `detail` then has a line
	                        for each step and for each difference of the configuration */
	bool cascade;        /* ACT rollback: containers that depend on it are recreated too; else it is refused */
	const char *spared;  /* ACT rollback: ids of containers that are never touched, a space between them; may be NULL */
	const struct wd_snapshot_wish *snapshot; /* ACT snapshot */
	enum wd_image_job job; /* IMAGE */
	int64_t incident_id; /* ACT: 0 by hand */
	bool confirm;        /* REMEMBER */
	const struct wd_memory *memory;     /* REMEMBER, PINS */
	const struct wd_incident *incident; /* INCIDENT, TELL, ACT hook */
	enum wd_moment moment; /* TELL */
	const char *text;      /* TELL, ANSWER: for people */
	enum wd_error_kind error; /* ANSWER: NONE when it was done */
};

#endif
