/* swap.h: what a plan about a pair of containers knows: the old one, which the service had, and the new one, which is made
 * with another image. For act/ alone.
 *
 *   swap.c      the record, and as much of it as the journal keeps
 *   prepare.c   what is asked before anything is changed, and what the new one is made of
 *   kin.c       who depends on the old one
 *   inject.c    files that compose copied into the old one
 *   rollback.c  the tables: rollback, commit, take back
 */
#ifndef WATCHDOG_ACT_SWAP_H
#define WATCHDOG_ACT_SWAP_H

#include "plan.h"
#include <watchdog/recreate.h>

/* A file of the old one's own, on its way into the new one: a tar of one member. */
struct wd_swap_file {
	char *path;
	char *tar; /* NULL: yet to be fetched */
	size_t length;
	unsigned tries;
};

struct wd_swap {
	/* In the journal. */
	uint32_t token;
	char *name, *fresh, *parked; /* the service's; the new one's until it gets it; the old one's from then on */
	char *target, *reference;    /* the image: its ID, and what people call it */
	char *made;                  /* id of the new one; NULL: not known */
	char *body;                  /* what the new one is made of: enough for a person to make it by hand */
	bool ran;                    /* the old one was up */
	struct wd_list dependents;   /* ids of those that are made again when it is committed */
	struct wd_list perishing;    /* … and of those that were up and end when the old one is stopped */
	struct wd_list waiters;      /* … and of those that compose would restart then */
	char *spared;                /* ids of containers that are never touched, a space between them; or NULL */
	char *moved_from, *moved_to; /* it is one of those itself: whom it has joined, and whom it is to join; else NULL */
	bool stopping;               /* it was asked to stop: that may be under way still, whatever a look shows */

	/* What was ordered. */
	char *config; /* of the broken image, as remembered */
	char *digest; /* of the other one, by which it can be pulled again; or NULL */
	bool cascade;
	bool podman;
	char *api;

	/* What was read, while it is prepared. */
	struct wd_json *inspect, *broken, *image, *info, *networks, *libpod, *volumes, *others;
	bool pulled;
	struct wd_list ids; /* all containers, */
	size_t asked;       /* of which so many were asked about */
	struct wd_recreate *recreate;
	struct wd_swap_file *files;
	size_t file_count, fetched;

	/* How far it came. */
	struct wd_json *view; /* of the new one, by the last look; NULL: it is not there */
	size_t linked, injected;
	struct wd_list sharers; /* ids of those that are up, and lose what they share when the old one is stopped */
	size_t woken;
	bool waiters_seen; /* those of them that are down are no more among them */
	size_t roused;
	struct wd_list waiter_names;
	struct wd_text roused_text; /* what came of it, for people */
	bool compared;
	bool stopped_back; /* … and what takes it back has waited for that */
	bool started_back; /* the old one was started by what takes it back */
};

bool wd_image_is_id(const char *text); /* "sha256:…" and nothing else (errand.c) */
char *wd_image_keep_path(const char *id); /* what puts seadog's own tag on it; the caller frees */

struct wd_swap *wd_swap_new(const struct wd_order *order, uint32_t token);
struct wd_swap *wd_swap_free(struct wd_swap *swap); /* returns NULL; takes NULL */
void wd_swap_rename(struct wd_swap *swap, const char *name); /* the service's; before anything is made */
/* One that depends on a container that was made again: it is made again as well, with its own image. */
struct wd_swap *wd_swap_follow(const struct wd_swap *parent, const char *from, const char *to, uint32_t token);
/* For the journal. The caller frees. */
char *wd_swap_details(const struct wd_swap *swap);
/* NULL where it says too little to act by. */
struct wd_swap *wd_swap_recall(const char *name, const char *details);

/* --- the new one, by the last look --- */
bool wd_swap_is_there(const struct wd_run *run);
bool wd_swap_has_name(const struct wd_run *run); /* the service's */
bool wd_swap_was_started(const struct wd_run *run);
char *wd_swap_path(const struct wd_run *run, const char *verb); /* by its id, or by its first name; the caller frees */
enum wd_kept wd_swap_keep_view(struct wd_run *run, const struct wd_engine_answer *answer);

/* --- prepare.c: the rows' keep and path --- */
enum wd_kept wd_prepare_inspect(struct wd_run *run, const struct wd_engine_answer *answer);
char *wd_prepare_broken_path(const struct wd_run *run);
enum wd_kept wd_prepare_broken(struct wd_run *run, const struct wd_engine_answer *answer);
char *wd_prepare_target_path(const struct wd_run *run);
enum wd_kept wd_prepare_target(struct wd_run *run, const struct wd_engine_answer *answer);
bool wd_prepare_has_target(const struct wd_run *run);
char *wd_prepare_pull_path(const struct wd_run *run);
char *wd_prepare_pull_auth(const struct wd_run *run);
enum wd_kept wd_prepare_pulled(struct wd_run *run, const struct wd_engine_answer *answer);
bool wd_prepare_not_pulled(const struct wd_run *run);
char *wd_prepare_keep_path(const struct wd_run *run);
enum wd_kept wd_prepare_info(struct wd_run *run, const struct wd_engine_answer *answer);
enum wd_kept wd_prepare_networks(struct wd_run *run, const struct wd_engine_answer *answer);
enum wd_kept wd_prepare_list(struct wd_run *run, const struct wd_engine_answer *answer);
char *wd_prepare_other_path(const struct wd_run *run);
bool wd_prepare_no_other(const struct wd_run *run);
enum wd_kept wd_prepare_other(struct wd_run *run, const struct wd_engine_answer *answer);
bool wd_prepare_no_libpod(const struct wd_run *run); /* it is no Podman */
char *wd_prepare_libpod_path(const struct wd_run *run);
enum wd_kept wd_prepare_libpod(struct wd_run *run, const struct wd_engine_answer *answer);
enum wd_kept wd_prepare_volumes(struct wd_run *run, const struct wd_engine_answer *answer); /* the last: it is built */
enum wd_kept wd_prepare_compare(struct wd_run *run, const struct wd_engine_answer *answer);
void wd_prepare_tell(const struct wd_run *run, struct wd_text *text); /* of a rehearsal: what would change */
void wd_prepare_warn(const struct wd_run *run, struct wd_text *text); /* what people must know of what was done */

/* --- kin.c --- */
/* By the inspects of all. NULL, or why it must not be made again; the caller frees. */
char *wd_kin_note(struct wd_swap *swap);
void wd_kin_tell(const struct wd_swap *swap, struct wd_text *text); /* of a rehearsal */

/* --- inject.c --- */
bool wd_inject_none(const struct wd_run *run); /* it is none of compose's */
enum wd_kept wd_inject_changes(struct wd_run *run, const struct wd_engine_answer *answer);
bool wd_inject_all_fetched(const struct wd_run *run);
char *wd_inject_fetch_path(const struct wd_run *run);
enum wd_kept wd_inject_fetched(struct wd_run *run, const struct wd_engine_answer *answer);
bool wd_inject_all_put(const struct wd_run *run);
char *wd_inject_path(const struct wd_run *run);
char *wd_inject_body(const struct wd_run *run, size_t *ret_length);
enum wd_kept wd_inject_put(struct wd_run *run, const struct wd_engine_answer *answer);
void wd_inject_clear(struct wd_swap *swap);

#endif
