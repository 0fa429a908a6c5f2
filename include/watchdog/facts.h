/* facts.h: what the machine (guard.h) is told: plain data, strings lent for the call. What it orders: orders.h. */
#ifndef WATCHDOG_FACTS_H
#define WATCHDOG_FACTS_H

#include <watchdog/records.h>
#include <watchdog/snapshot.h>

/* What the Engine's event stream says, container events only (GET /events). */
enum wd_event_kind { WD_EVENT_CREATE, WD_EVENT_START, WD_EVENT_DIE, WD_EVENT_OOM, WD_EVENT_KILL, WD_EVENT_STOP,
	WD_EVENT_RESTART, WD_EVENT_PAUSE, WD_EVENT_UNPAUSE, WD_EVENT_UPDATE, WD_EVENT_RENAME, WD_EVENT_DESTROY,
	WD_EVENT_HEALTH, WD_EVENTS };
const char *wd_event_name(enum wd_event_kind kind); /* "die", "health_status" */

struct wd_event {
	enum wd_event_kind kind;
	char id[65];        /* the container */
	char name[256];     /* its name; the new one of a rename; may be "" */
	wd_stamp stamp;     /* timeNano */
	wd_time at;         /* when it happened, on our clock */
	wd_time from;       /* the same; or the start of the gap it must have happened in, where no stamp can be mapped */
	bool replayed;      /* told again from the past, not seen live */
	int exit_code;      /* of a die; -1 where the event does not say */
	int signal;         /* of a kill; 0 where the event does not say */
	enum wd_health health; /* of a health_status */
};
enum wd_plan_end { WD_PLAN_DONE, WD_PLAN_FAILED, WD_PLAN_UNDONE, WD_PLAN_REFUSED };

enum wd_fact_kind {
	WD_FACT_TIME,        /* nothing but that time went on */
	WD_FACT_MEMORY,      /* at the start: one service as it was remembered */
	WD_FACT_INCIDENT,    /* at the start, after the memories: an incident that was open when seadog ended */
	WD_FACT_SPENT,       /* at the start: when a seadog before this one changed something by itself, for the budget */
	WD_FACT_RESUMING,    /* at the start: a plan of a dead seadog is being finished; its end is ACTED with that ticket */
	WD_FACT_ENGINE_UP,   /* the stream stands; `restarted`: the Engine itself began anew */
	WD_FACT_ENGINE_DOWN,
	WD_FACT_CONTAINER,   /* an inspect's answer */
	WD_FACT_GONE,        /* the Engine knows no such container */
	WD_FACT_SYNCED,      /* list and inspects after a connection: what was not told is gone, unless some were given up */
	WD_FACT_EVENT,
	WD_FACT_ACTED,       /* a plan has ended */
	WD_FACT_HOOKED,      /* a hook has ended */
	WD_FACT_STORED,      /* the policy of a service is durably remembered, or cannot be */
	WD_FACT_ASKED,       /* a person asks */
	WD_FACT_LATE,        /* the loop itself was late */
	WD_FACT_IMAGE,       /* an order about an image has ended */
	WD_FACT_SAMPLE,      /* what a container uses; asked for by wd_guard_wish() */
};
#define WD_TICKET_RESUMED (UINT64_C(1) << 63)
enum wd_ask { WD_ASK_HOLD, WD_ASK_RELEASE, WD_ASK_MUTE, WD_ASK_UNMUTE, WD_ASK_PIN, WD_ASK_UNPIN, WD_ASK_FORGIVE,
	WD_ASK_ROLLBACK };

struct wd_fact {
	enum wd_fact_kind kind;
	wd_stamp stamp; /* the wall clock beside `now`, for what people will read */
	union {
		const struct wd_memory *memory;
		const struct wd_incident *incident;
		wd_stamp spent;
		struct {
			const char *id;        /* of its container */
			const char *made;      /* a rollback: of the new one, which may be the service by now; may be NULL */
			const char *service;   /* as it was called then: for one whose container is another by now */
			enum wd_action action; /* STOP or PAUSE: a hold; THROTTLE; RELEASE */
			uint64_t ticket;       /* with WD_TICKET_RESUMED set, so that it is none of the guard's own */
		} resuming;
		bool restarted, given_up; /* the second: SYNCED: some that were listed could not be inspected; they come later */
		struct {
			const struct wd_container *container;
			wd_time asked; /* when the inspect was sent */
			bool synced;   /* belongs to the list after a connection */
		} seen;
		const char *id; /* GONE */
		const struct wd_event *event;
		struct {
			uint64_t ticket; /* of the order */
			enum wd_plan_end end;
			const char *detail;  /* for the step: "restart policy always kept for release" */
			const char *logs;    /* the container's last lines, or NULL */
			struct wd_restart_policy kept; /* hold: the policy that was found before it was set to no */
			struct wd_cpu_cut cut;         /* throttle: what was found, and what holds now */
			const char *replaced_by; /* the container that is the service from now on: the new one of a rollback that is DONE,
			                            which waits for COMMIT or TAKE_BACK, the old one of a TAKE_BACK; NULL: as before */
			bool partly; /* DONE, but not for all who depend on it: detail says for whom not */
			const struct wd_snapshot *snapshot; /* of one that was taken and is DONE */
		} acted;
		struct { uint64_t ticket; bool ok; const char *detail; } hooked; /* the order's */
		struct {
			const char *service;
			struct wd_restart_policy policy;
			const char *id;  /* of the container the policy belongs to */
			const char *why; /* NULL: it is remembered; else why not */
		} stored;
		struct {
			enum wd_ask ask;
			const char *service; /* NULL: all (mute and unmute only) */
			wd_time until;       /* mute */
			bool no_start;       /* release */
			const char *image;   /* pin, rollback: NULL: the one that it runs; the pinned one */
			bool pull;           /* pin: where it is not on the host */
			bool dry_run;        /* rollback: the answer's text is what would be done */
			uint64_t request;    /* given back with the end of what was asked, in the order ANSWER */
		} asked;
		wd_time late;
		struct {
			uint64_t ticket;       /* of the order */
			enum wd_plan_end end;  /* DONE; REFUSED: there is no such image; FAILED: nobody knows, or it did not work */
			const char *detail;    /* for people, unless it is DONE */
			const char *id;        /* "sha256:…", or NULL */
			const char *digests;   /* its RepoDigests, by a space each; "" where it has none */
			const char *config;    /* its Config as JSON, number lexemes kept; may be NULL */
		} image;
		struct {
			const char *id;
			const struct wd_sample *sample;
			double cpus; /* used since the look before, as a number of CPUs; -1: not known */
		} used;
	};
};

#endif
