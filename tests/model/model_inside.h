/* model_inside.h: what the files of the model share. model.c: the clock, events, the Engine; model_container.c: the
 * life of a container; model_place.c: networks, volumes, files; model_request.c: calls; model_answer.c: the JSON they are answered with. */
#ifndef TESTS_MODEL_MODEL_INSIDE_H
#define TESTS_MODEL_MODEL_INSIDE_H

#include <watchdog/map.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "model.h"

#define MODEL_RING 256
#define MODEL_WAIT_FIRST (100 * WD_MILLISECOND)
#define MODEL_WAIT_LAST WD_MINUTE
#define MODEL_GOOD_RUN (10 * WD_SECOND)
#define MODEL_PODMAN_WAIT (400 * WD_MILLISECOND)

enum model_timer { TIMER_EXIT, TIMER_RESTART, TIMER_GRACE, TIMER_STOPPED, TIMER_HEALTHY, TIMER_UNHEALTHY, TIMERS };

/* What is under way because somebody asked for it; ends when the process has. */
enum model_wish { WISH_NONE, WISH_STOP, WISH_RESTART, WISH_KILL, WISH_REMOVE };

struct model_waiter {
	uint64_t ticket;
	model_done *done;
	void *data;
	struct model_waiter *next;
};

struct model_image {
	char id[72];
	struct wd_list names;
	char *digest;
	bool removed; /* not on the host: only a registry has it */
	struct wd_json *labels;
	struct wd_json *config; /* the rest of its Config */
	bool has_script;
	struct model_script script;
};

struct model_file {
	char *path, *tar;
	size_t length;
};

struct model_container {
	struct model *model;
	char id[65];
	char *name;
	struct model_image *image;
	struct wd_json *config, *host; /* Config and HostConfig as inspect shows them */
	char *image_name;
	struct wd_json *endpoints, *mounts;
	struct wd_list own_volumes;
	struct model_file *files;
	size_t file_count;
	enum wd_state state;
	struct wd_restart_policy policy; /* in memory: what the restart manager goes by; on disk is host's */
	bool canceled;                   /* the restart manager: no restart until the next start by hand */
	bool stopped_by_hand;
	wd_time wait;             /* the last wait before a restart; 0: none yet */
	unsigned restarts, tries; /* RestartCount; the restart manager's own count, for on-failure:N */
	unsigned starts;          /* runs so far */
	unsigned long pid;
	int exit_code;
	bool oom_killed;
	char *trouble;
	enum wd_health health;
	wd_stamp created, started, finished;
	wd_time run_since, paused_since;
	wd_time due[TIMERS];
	bool own_script;
	struct model_script script;
	struct wd_text output;
	enum model_wish wish;
	int stop_code;     /* exit code of the end that was asked for */
	bool silent_death; /* died while the Engine was down under live-restore */
	struct model_waiter *waiters;
};

struct model_kept {
	struct model_event event;
	char type[24], action[64], id[65], name[256];
	char *line;
};

struct model {
	enum model_flavour flavour;
	wd_stamp epoch, last_stamp;
	wd_time now;
	struct model_container **containers; /* in order of creation */
	size_t count, room;
	struct wd_map *by_id, *by_name;
	struct model_image **images;
	size_t image_count;
	struct wd_list networks, network_ids, volumes;
	uint64_t ids, tickets;
	unsigned long pids;
	struct model_kept ring[MODEL_RING];
	size_t ring_first, ring_count;
	model_listener *listener;
	void *listener_data;
	bool no_events, update_race, down, was_killed, live_restore, shutting_down;
};

/* model.c */
void model_make_id(struct model *model, char ret_id[static 65]);
void model_tell(struct model_container *container, const char *action, const char *key, const char *value);
bool model_is_podman(const struct model *model);

/* model_container.c */
struct model_container *model_find(const struct model *model, const char *name);
struct model_image *model_find_image(const struct model *model, const char *name);
struct model_container *model_container_new(struct model *model, const char *name);
void model_container_drop(struct model_container *container); /* out of all lists, and freed */
void model_container_free(struct model_container *container);
bool model_is_running(const struct model_container *container);    /* as inspect's Running: also paused, restarting */
bool model_start(struct model_container *container, bool by_hand); /* false: trouble says why */
void model_end(struct model_container *container, int exit_code, bool oom);
void model_stop(struct model_container *container, enum model_wish wish, wd_time grace);
void model_kill(struct model_container *container, int signal);
void model_unpause(struct model_container *container);
void model_run_timer(struct model_container *container, enum model_timer timer);
struct model_timer_due {
	struct model_container *container;
	enum model_timer timer;
	wd_time at;
};
struct model_timer_due model_next_timer(const struct model *model);
struct wd_restart_policy model_policy_on_disk(const struct model_container *container);
int model_stop_signal(const struct model_container *container);
void model_script_copy(struct model_script *slot, const struct model_script *script);
void model_script_done(struct model_script *script);
void model_reset_timers(struct model_container *container);
void model_finish(struct model_container *container, int exit_code);
bool model_wants_restart(struct model_container *container, int exit_code, wd_time lasted);

/* model_place.c */
void model_connect(struct model_container *container, const char *network, const struct wd_json *given);
bool model_disconnect(struct model_container *container, const char *network);
void model_place_networks(struct model_container *container, const struct wd_json *body);
void model_place_volumes(struct model_container *container);
void model_drop_volumes(struct model_container *container); /* those that it made itself */
void model_drop_files(struct model_container *container);
bool model_get_archive(const struct model_container *container, const char *path, char **ret_tar, size_t *ret_length);
bool model_put_archive(struct model_container *container, const char *place, const char *tar, size_t length);
char *model_networks_json(const struct model *model);
char *model_volumes_json(const struct model *model);
char *model_volume_json(const struct model *model, const char *name); /* NULL: there is none */
char *model_changes_json(const struct model_container *container);

/* model_answer.c */
char *model_inspect_json(const struct model_container *container);
char *model_list_json(const struct model *model, bool all);
char *model_image_json(const struct model *model, const struct model_image *image);
char *model_version_json(const struct model *model);
char *model_info_json(const struct model *model);
char *model_logs(const struct model_container *container, unsigned tail, size_t *ret_length);
struct wd_json *model_event_json(const struct model_container *container, const char *action, const char *key,
				 const char *value, wd_stamp stamp);

/* model_request.c */
void model_answer_waiters(struct model_container *container, int status, const char *message);

#endif
