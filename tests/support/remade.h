/* remade.h: a container made again in a test, from the few members that a story is about. JSON is written with ' for ";
 * whatever a wish does not say is as plain as can be. */
#ifndef TESTS_SUPPORT_REMADE_H
#define TESTS_SUPPORT_REMADE_H

#include <watchdog/recreate.h>

#define REMADE_ID "8e4e0f2a1b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"
#define REMADE_NEW "1111111111113c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5"
#define REMADE_OTHER "2222222222223c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5"

struct wish {
	const char *config, *host, *networks, *mounts, *state; /* objects, mounts an array */
	const char *name, *more;                 /* "web"; further members of the inspect: "'Platform':'linux'" */
	const char *broken, *target;             /* Config of the images; target NULL: the same image again */
	const char *broken_more, *target_more;   /* further members of the images */
	const char *info, *others, *known_networks, *known_volumes, *earlier, *libpod;
	const char *api;                         /* "1.45" */
	bool podman, cascade, image_lost;
	const char *moved_to;                    /* from REMADE_OTHER */
};

/* What was made of it; everything is its own. */
struct remade {
	struct wd_json *documents[10];
	struct wd_recreate_source source;
	struct wd_recreate *recreate; /* NULL: refused */
	struct wd_json *body;
	struct wd_error error;
};
void remade_make(struct remade *made, const struct wish *wish);
void remade_done(struct remade *made);

char *remade_quoted(const char *text);            /* ' to "; the caller frees */
struct wd_json *remade_json(const char *text);    /* the same, read; NULL of NULL; the caller frees */
struct wd_json *remade_inspect(const struct wish *wish); /* the caller frees */

/* The body's member there is that; NULL: there is none. */
void expect_body(const struct wish *wish, const char *path, const char *wanted);
void expect_refused(const struct wish *wish, const char *part); /* what the reason says */
void expect_made(const struct wish *wish);
void expect_warning(const struct wish *wish, const char *part);    /* NULL: there is none at all */
void expect_left_behind(const struct wish *wish, const char *name); /* NULL: none at all */
/* The n-th link is that: "/networks/one/connect {'Container':…}"; NULL: there is none. */
void expect_link(const struct wish *wish, size_t n, const char *wanted);

#endif
