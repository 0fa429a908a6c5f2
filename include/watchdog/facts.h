/* facts.h: what the machine (guard.h) is told and what it orders. Plain data; what is remembered: records.h.
 * Strings in facts are lent by the teller for the call; strings in orders and records by the guard until it is told
 * the next fact.
 */
#ifndef WATCHDOG_FACTS_H
#define WATCHDOG_FACTS_H

#include <watchdog/records.h>

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
	WD_FACT_ENGINE_UP,   /* the stream stands; `restarted`: the Engine itself began anew */
	WD_FACT_ENGINE_DOWN,
	WD_FACT_CONTAINER,   /* an inspect's answer */
	WD_FACT_GONE,        /* the Engine knows no such container */
	WD_FACT_SYNCED,      /* list and inspects after a connection are complete: what was not told is gone */
	WD_FACT_EVENT,
	WD_FACT_ACTED,       /* a plan has ended */
	WD_FACT_STORED,      /* the policy of a service is durably remembered, or cannot be */
	WD_FACT_ASKED,       /* a person asks */
	WD_FACT_LATE,        /* the loop itself was late */
};
enum wd_ask { WD_ASK_HOLD, WD_ASK_RELEASE, WD_ASK_MUTE, WD_ASK_UNMUTE };

struct wd_fact {
	enum wd_fact_kind kind;
	wd_stamp stamp; /* the wall clock beside `now`, for what people will read */
	union {
		const struct wd_memory *memory;
		const struct wd_incident *incident;
		bool restarted;
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
		} acted;
		struct {
			const char *service;
			struct wd_restart_policy policy;
			const char *id;  /* of the container the policy belongs to */
			const char *why; /* NULL: it is remembered; else why not */
		} stored;
		struct {
			enum wd_ask ask;
			const char *service; /* NULL: all (mute, release) */
			wd_time until;       /* mute */
			bool no_start;       /* release */
			uint64_t request;    /* given back with the end of what was asked, in the order ANSWER */
		} asked;
		wd_time late;
	};
};

enum wd_order_kind {
	WD_ORDER_INSPECT,  /* ask the Engine about this container */
	WD_ORDER_ACT,      /* carry out a plan; its end comes back as WD_FACT_ACTED */
	WD_ORDER_REMEMBER, /* write the service's row; with `confirm`, WD_FACT_STORED comes back */
	WD_ORDER_FORGET,   /* the row of a service that is gone */
	WD_ORDER_INCIDENT, /* write the incident (opened, changed, closed) */
	WD_ORDER_TELL,     /* say this to people */
	WD_ORDER_ANSWER,   /* what a person asked for has ended */
};
enum wd_moment { WD_MOMENT_OPENED, WD_MOMENT_STEP, WD_MOMENT_CLOSED, WD_MOMENT_HELD_BACK, WD_MOMENT_STATE,
	WD_MOMENT_WARNING };

struct wd_order {
	enum wd_order_kind kind;
	uint64_t ticket;     /* ACT: names the order in WD_FACT_ACTED; ANSWER: the request */
	const char *service; /* identity; may be NULL for TELL */
	const char *name;
	const char *id;      /* container */
	enum wd_action action; /* ACT */
	double cpus;
	const char *hook;
	struct wd_restart_policy policy; /* ACT: what to give back (release), or what was remembered (stop) */
	bool no_start;       /* ACT release */
	enum wd_action hold_kind; /* ACT release: what is released, stop or pause */
	bool running;        /* ACT release: it runs already (a start by hand); only the policy goes back */
	wd_time stop_timeout;
	int64_t incident_id; /* ACT: 0 by hand */
	bool confirm;        /* REMEMBER */
	const struct wd_memory *memory;     /* REMEMBER */
	const struct wd_incident *incident; /* INCIDENT, TELL */
	enum wd_moment moment; /* TELL */
	const char *text;      /* TELL, ANSWER: for people */
	enum wd_error_kind error; /* ANSWER: NONE when it was done */
};

#endif
