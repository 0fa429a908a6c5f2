/* daemon.h: the running watchdog, as its files see it. daemon.c brings it up and down and reloads it; orders.c carries
 * the guard's orders out, hooking.c the hooks; requests.c answers the control socket, keeper.c what is asked about
 * snapshots, which taker.c takes; sampler.c looks at what containers use; self.c knows who we are; supervisor.c speaks to systemd.
 * Internal to watchdog/face.
 */
#ifndef WATCHDOG_FACE_DAEMON_H
#define WATCHDOG_FACE_DAEMON_H

#include <sys/types.h>
#include <watchdog/act.h>
#include <watchdog/control.h>
#include <watchdog/guard.h>
#include <watchdog/hook.h>
#include <watchdog/report.h>
#include <watchdog/vault.h>

#define WD_RECENT_EVENTS 256

struct wd_attempt;
struct wd_ledger;
struct wd_sampler;
struct wd_sitting;
struct wd_supervisor;

enum wd_waits { WD_WAITS_ANSWER, WD_WAITS_EVENTS, WD_WAITS_INCIDENTS, WD_WAITS_STORE, WD_WAITS_VAULT };

/* A request of the control socket that is answered later, or goes on until its peer leaves. */
struct wd_waiter {
	struct wd_peer *peer;
	enum wd_waits for_what;
	uint64_t request;
	enum wd_ask ask;
	bool dry_run;
	wd_stamp mute_ends; /* of a mute of every service */
	bool all; /* release --all: answers are counted, not reported one by one as failures */
	unsigned answers_due;
	unsigned failed;
	bool plain; /* WAITS_VAULT: one job, whose failure is the answer */
	char *name; /* of the service, for the answer; incidents: only of that one; NULL: all */
	struct wd_waiter *next;
};

struct wd_daemon {
	const struct wd_settings *settings;
	struct wd_settings *reloaded; /* owned; NULL until the first SIGHUP */
	const struct wd_sources *sources;
	struct wd_endpoint endpoint, write_endpoint;
	bool has_write_endpoint;
	struct wd_list self;

	struct wd_loop *loop;
	struct wd_http *http;
	struct wd_store *store;
	struct wd_engine *engine;
	struct wd_actor *actor;
	struct wd_hooks *hooks;
	struct wd_guard *guard;
	struct wd_vault *vault;
	struct wd_ledger *ledger;
	struct wd_sitting *sittings; /* snapshots under way */
	struct wd_attempt *attempts;
	bool has_vault; /* who we are may read and write volumes */
	wd_stamp born;
	struct wd_control *control;
	struct wd_sampler *sampler;
	struct wd_supervisor *supervisor;
	struct wd_timer *wake;      /* when the guard wants to be told the time */
	struct wd_timer *sweeping;  /* once more, for what rollbacks of a dead watchdog have left */
	bool swept;
	struct wd_timer *winding; /* the end waits for what stands still for a snapshot */
	wd_time end_by;           /* 0: nobody has asked for the end */
	struct wd_timer *trim;      /* the Engine's list and people's questions are answered in bursts of memory */
	struct wd_timer *housework; /* once a minute: the resume point, old incidents */
	struct wd_signal *terminate, *interrupt, *reload;
	int engine_lock; /* one watchdog per Engine; -1 until taken */
	struct wd_ready *engine_door; /* those who are refused knock at it */

	struct wd_waiter *waiters;
	uint64_t next_request;
	struct wd_event recent[WD_RECENT_EVENTS]; /* newest at (recent_next - 1), modulo */
	unsigned recent_next;
	char *store_trouble; /* as last said */
	wd_time latest;      /* the deepest lateness of the loop since the last ping */
	wd_stamp resume;     /* the newest event that a row remembers */
	bool unfinished;     /* the journal holds plans of a dead watchdog: finished at the first connection */
	bool ending;         /* answers of the store that still come are for nobody */
	int exit_code;
};

/* daemon.c: gives memory back to the kernel once there were no answers for two seconds. */
void wd_daemon_trim_later(struct wd_daemon *daemon);

/* orders.c */
void wd_daemon_tell(struct wd_daemon *daemon, struct wd_fact *fact); /* and carries out what is ordered */
void wd_daemon_step(void *data, const char *name, const char *plan, const char *step, const char *what);

/* hooking.c: the rung hook:NAME. */
void wd_daemon_hook(struct wd_daemon *daemon, const struct wd_order *order);
void wd_daemon_hooked(void *data, uint64_t ticket, bool ok, const char *detail);

/* requests.c */
void wd_daemon_request(void *data, struct wd_peer *peer, const char *verb, const struct wd_json *request);
void wd_daemon_left(void *data, struct wd_peer *peer);
void wd_daemon_answer(struct wd_daemon *daemon, const struct wd_order *order);
void wd_daemon_show_progress(struct wd_daemon *daemon, const struct wd_order *order); /* of a rollback that somebody waits for */
void wd_daemon_show_event(struct wd_daemon *daemon, const struct wd_event *event);
void wd_daemon_show_incident(struct wd_daemon *daemon, const struct wd_incident *incident);
void wd_daemon_drop_waiters(struct wd_daemon *daemon);
struct wd_waiter *wd_daemon_wait(struct wd_daemon *daemon, struct wd_peer *peer, enum wd_waits for_what,
				 const char *name);
struct wd_waiter *wd_daemon_waiter(const struct wd_daemon *daemon, uint64_t request); /* or NULL: its peer left */
void wd_daemon_drop_waiter(struct wd_daemon *daemon, struct wd_waiter *waiter);

void wd_daemon_refuse_unseen(struct wd_daemon *daemon, struct wd_peer *peer, const char *name);

/* taker.c: snapshots that are taken. Ends that are none of theirs: false. */
#define WD_TICKET_SNAPSHOT (UINT64_C(1) << 62)
void wd_daemon_create(struct wd_daemon *daemon, struct wd_peer *peer, const struct wd_json *request, const char *name);
void wd_daemon_take_due(struct wd_daemon *daemon); /* once a minute: what schedules ask for */
void wd_daemon_take_known_good(struct wd_daemon *daemon, const char *service); /* its images have changed */
bool wd_daemon_sat(struct wd_daemon *daemon, const struct wd_fact *fact);
bool wd_daemon_sat_before(struct wd_daemon *daemon, uint64_t ticket, bool ok, const char *detail);
void wd_daemon_sit_on(struct wd_daemon *daemon); /* the vault has ended a job */
void wd_daemon_sitting(void *data, uint64_t ticket, const struct wd_vault_progress *progress);
void wd_daemon_drop_sittings(struct wd_daemon *daemon);

/* keeper.c: snapshots: what is asked about them, and what is kept of them. */
void wd_daemon_keep(struct wd_daemon *daemon); /* makes the vault and the catalogue */
bool wd_daemon_snapshots(struct wd_daemon *daemon, struct wd_peer *peer, const char *verb,
			 const struct wd_json *request); /* false: the verb is none of theirs */

/* self.c: the container that we run in (by the mounts that the Engine gives each), and the proxy that we speak through
 * (the host of a tcp endpoint is its container's or compose service's name). */
void wd_self_find(struct wd_list *ret_self, const struct wd_endpoint *endpoint, const struct wd_endpoint *write);
/* One watchdog per Engine on this machine: an abstract socket named by the Engine's ID, which the kernel takes back when
 * we die. Returns a descriptor, or -1 with who holds it (WD_ERROR_REFUSED). */
int wd_self_lock_engine(const char *engine_id, struct wd_error *error);
/* Whether somebody has that lock, and who: 0 where that is not to be seen from here. Takes nothing. */
bool wd_self_engine_holder(const char *engine_id, pid_t *ret_pid);
/* Somebody has knocked to learn who we are, which the kernel has told: makes room for the next. */
void wd_self_answer(int lock);

/* supervisor.c: sd_notify(3) by its protocol: READY, STATUS, RELOADING, STOPPING, and WATCHDOG from the loop. */
struct wd_supervisor *wd_supervisor_new(struct wd_loop *loop);
struct wd_supervisor *wd_supervisor_free(struct wd_supervisor *supervisor);
void wd_supervisor_say(struct wd_supervisor *supervisor, const char *state);

#endif
