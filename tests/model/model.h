/* model.h: a container Engine in memory, with a clock of its own that only model_advance() moves. It answers the calls
 * that seadog makes with the status codes and bodies of real Engines, sends their events in their order, and keeps the
 * rules of their restart manager. Deterministic: the same calls give the same bytes.
 *
 * What it does is what Engines were seen to do: tests/fixtures has the records, tests/model/test_model.c holds it to
 * them. What it leaves out: addresses and ports, exec, build.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <watchdog/json.h>
#include <watchdog/words.h>

struct model;

enum model_flavour { MODEL_DOCKER_20, MODEL_DOCKER_26, MODEL_PODMAN };

/* epoch: the wall clock at the model's moment 0. */
struct model *model_new(enum model_flavour flavour, wd_stamp epoch);
struct model *model_free(struct model *model);

wd_time model_now(const struct model *model);    /* since model_new() */
wd_stamp model_stamp(const struct model *model); /* the wall clock of that moment */
wd_time model_wake(const struct model *model);   /* when the next thing is due, or WD_NEVER */
void model_advance(struct model *model, wd_time span);
/* The Engine's wall clock is set: stamps change, moments do not. */
void model_set_clock(struct model *model, wd_stamp now);

/* How the process of a container behaves. {0} with lives = WD_NEVER is a good one. */
struct model_script {
	wd_time lives;           /* how long a run lasts; WD_NEVER: until it is stopped */
	int exit_code;           /* of such a run */
	bool oom;                /* such a run ends by an OOM kill, 137 */
	unsigned heals_after;    /* after so many starts it lives for ever; 0: never */
	bool ignores_stop;       /* only SIGKILL ends it */
	wd_time stops_in;        /* how long it takes to end after its stop signal */
	int stop_exit_code;      /* then */
	unsigned fails_from;     /* from the n-th start on (1: the first) it cannot be started; 0: never */
	const char *fails_with;  /* what the Engine then says; copied */
	wd_time healthy_after;   /* its health check says healthy so long after each start; WD_NEVER: never */
	wd_time unhealthy_after; /* … and unhealthy */
	const char *logs;        /* what each run writes to its output; copied; NULL: nothing */
};
#define MODEL_SCRIPT_GOOD                                                                                              \
	((struct model_script){.lives = WD_NEVER, .healthy_after = WD_NEVER, .unhealthy_after = WD_NEVER})

/* An image; its id is made of its name and of how many were made before. labels: an object, copied, or NULL. */
void model_add_image(struct model *model, const char *name, const struct wd_json *labels);
/* What its Config has beside labels: Env, Cmd, Entrypoint, Volumes and the like; copied. */
void model_set_image_config(struct model *model, const char *image, const struct wd_json *config);
/* "acme/web@sha256:…", by which it can be pulled from a registry that always answers, also when it was removed. */
void model_set_image_digest(struct model *model, const char *image, const char *digest);
bool model_has_image(const struct model *model, const char *name); /* on the host */
/* Removes it, with force. */
void model_remove_image(struct model *model, const char *name);
/* The script of a container, by name or id; its present run goes on under it from now. False: no such container. */
bool model_set_script(struct model *model, const char *container, const struct model_script *script);
/* The script of all containers of an image that have none of their own, also of those yet to be created. */
void model_set_image_script(struct model *model, const char *image, const struct model_script *script);

/* A container by the short way: POST create with these and, with `start`, POST start. The image is added if there is
 * none. Returns its id, lent. policy NULL: "no". labels: an object, copied, or NULL. */
struct model_setup {
	const char *name, *image, *policy;
	unsigned retries;
	bool auto_remove, health_check, created_only;
	const struct wd_json *labels;
	const struct model_script *script;
	const char *volumes; /* "data:/data", with commas between them; one called nfs-… is mounted while it is used, one
	                        called rexray-… is of another driver; NULL: none */
};
const char *model_add(struct model *model, const struct model_setup *setup);
const char *model_id(const struct model *model, const char *name); /* lent, or NULL */
size_t model_count(const struct model *model);

/* Networks beside "bridge", "host" and "none"; volumes come with the containers that name them. */
void model_add_network(struct model *model, const char *name);
bool model_has_network(const struct model *model, const char *name);
bool model_has_volume(const struct model *model, const char *name);
size_t model_volume_count(const struct model *model);
/* A file in the writable layer of a container, as compose copies a secret into it; what is in it is short. */
void model_put_file(struct model *model, const char *container, const char *path, unsigned mode, wd_stamp changed,
		    const char *content);
char *model_read_file(const struct model *model, const char *container, const char *path, unsigned *ret_mode);

/* Things that happen to a container, by name or id. False: no such container, or it does not run. */
bool model_die(struct model *model, const char *container, int exit_code); /* its process ends by itself */
bool model_oom(struct model *model, const char *container);                /* … by the OOM killer */
bool model_oom_child(struct model *model, const char *container);          /* a child of it is killed; it lives */
bool model_health(struct model *model, const char *container, enum wd_health health);

/* Calls. path: with or without "/vX.Y", with its query. */
struct model_answer {
	int status;       /* 0: the Engine is down */
	const char *type; /* Content-Type, or NULL */
	char *body;       /* owned by who holds the answer; never NULL */
	size_t length;
};
void model_answer_done(struct model_answer *answer);
/* The call takes the time it takes: the model's clock goes on until it is answered (a stop with its grace). */
struct model_answer model_request(struct model *model, const char *method, const char *path, const char *body);
/* The same without waiting: done is called at once, or from within a later model_advance() or call. The answer is
 * lent. Returns a ticket for model_forget() where the answer is to come yet, else 0. */
typedef void model_done(void *data, const struct model_answer *answer);
uint64_t model_send(struct model *model, const char *method, const char *path, const char *body, model_done *done,
		    void *data);
/* The same with a body that is no JSON. */
uint64_t model_send_bytes(struct model *model, const char *method, const char *path, const char *body, size_t length,
			  model_done *done, void *data);
/* The caller hung up: its answer is dropped, what it asked for goes on, as in real Engines. */
void model_forget(struct model *model, uint64_t ticket);

/* A value of a query, unescaped, or NULL. The caller frees. */
char *model_query(const char *query, const char *name);

/* Events: the last 256 of all kinds are kept. */
struct model_event {
	wd_stamp stamp;
	const char *type, *action, *id, *name, *line; /* line: the JSON, without a newline */
	size_t length;
};
typedef void model_listener(void *data, const struct model_event *event);
void model_listen(struct model *model, model_listener *listener, void *data); /* NULL ends it */
/* Nobody will listen or ask: no more are made, which takes a tenth of the time of a test that plays often. */
void model_make_no_events(struct model *model);
/* Oldest first, from `since` on (inclusive), found as the Engine finds them: from the newest back to the first that is
 * older. */
void model_replay(const struct model *model, wd_stamp since, model_listener *listener, void *data);
/* An event that no container of ours sends: a network's, an exec's, a swarm's with an old stamp. */
void model_emit(struct model *model, const char *type, const char *action, const char *id, wd_stamp stamp);
/* Whether an event passes {"type":[…],"event":[…],"container":[…]}; NULL passes all (engine.md 2.4). */
bool model_filter(const struct wd_json *filters, const struct model_event *event);

/* Update of the policy of a running container that ends at once is answered 500 and half undone, as in 10 to 67 % of
 * tries on real Engines: on disk the old one, in memory the new one. */
void model_set_update_race(struct model *model, bool on);

/* The Engine itself. Stop: SIGTERM, every container is stopped. Kill: SIGKILL. With live_restore containers go on
 * meanwhile. Start: what each policy makes of it; no event of before is known any more. */
enum model_halt { MODEL_STOP, MODEL_KILL };
void model_engine_down(struct model *model, enum model_halt halt, bool live_restore);
void model_engine_up(struct model *model);
bool model_is_up(const struct model *model);
const char *model_version(const struct model *model);     /* "20.10.24" */
const char *model_api(const struct model *model);         /* "1.41" */
const char *model_api_minimum(const struct model *model); /* "1.12" */

#endif
