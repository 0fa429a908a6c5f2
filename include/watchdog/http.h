/* http.h: the HTTP client on the loop (the only file that knows libcurl is http.c). Never blocks, never follows a
 * redirect, never takes a proxy from the environment, always verifies TLS where TLS is asked for. A request is on the
 * wire, where it can be, before wd_http_send() returns. Whatever is not GET or HEAD gets a connection of its own, as
 * curl would send it again by itself when a connection used before died on it.
 */
#ifndef WATCHDOG_HTTP_H
#define WATCHDOG_HTTP_H

#include <watchdog/loop.h>

struct wd_http;

/* Where requests go. The strings are copied by wd_http_send(). */
struct wd_http_target {
	const char *socket_path; /* a unix socket; NULL: tcp by base_url */
	const char *base_url;    /* "http://localhost", "https://host:2376"; the path is put behind it */
	const char *tls_ca;      /* PEM files, or NULL */
	const char *tls_cert;
	const char *tls_key;
	bool tls_insecure;       /* only for DOCKER_TLS without DOCKER_TLS_VERIFY, as the docker client has it */
};

/* How a call ended. What matters after a change is whether the other side may have seen it. */
enum wd_http_end {
	WD_HTTP_ANSWERED, /* a whole answer with a status */
	WD_HTTP_UNSENT,   /* never arrived: no connection, or none before the deadline; not a byte of it was sent */
	WD_HTTP_LOST,     /* may have arrived, no (whole) answer: look before you undo */
	WD_HTTP_LATE,     /* the deadline passed; may have arrived */
};

struct wd_http_answer {
	enum wd_http_end end;
	int status;        /* 0 unless all headers were read */
	const char *body;  /* lent, NUL-terminated; "" for a streamed call */
	size_t length;
	const char *why;   /* for people when end is not ANSWERED: "connect to /var/run/docker.sock: permission denied" */
};

typedef void wd_http_done(void *data, const struct wd_http_answer *answer);
typedef void wd_http_bytes(void *data, const char *bytes, size_t length);
typedef void wd_http_header(void *data, const char *name, const char *value);

struct wd_http_request {
	const char *method; /* "GET", "POST", "DELETE", "HEAD" */
	const char *path;   /* begins with "/"; query included, already escaped */
	const char *content_type; /* with a body */
	const char *body;
	size_t body_length;
	const char *more;   /* one more header, "X-Registry-Auth: …"; may be NULL */
	wd_time deadline; /* a span from now to the end of the answer; 0: none (streams) */
	size_t limit;     /* more body than that ends the call as LOST; 0: 64 MiB */
	wd_http_header *on_header; /* may be NULL */
	wd_http_bytes *on_bytes;   /* a streamed call: bytes as they come; NULL: the body is collected */
	wd_http_done *on_done;     /* exactly once, unless cancelled; never from within wd_http_send() */
	void *data;
};

/* Ignores SIGPIPE in this process unless somebody handles it (children inherit that: exec helpers set it back). */
struct wd_http *wd_http_new(struct wd_loop *loop, struct wd_error *error);
struct wd_http *wd_http_free(struct wd_http *http); /* cancels what is under way; also from within an on_done */

/* Starts a call; the handle is valid until on_done returns or it is cancelled. */
struct wd_http_call;
struct wd_http_call *wd_http_send(struct wd_http *http, const struct wd_http_target *target,
                                  const struct wd_http_request *request);
void wd_http_cancel(struct wd_http_call *call); /* promises silence; takes NULL */
/* A streamed call: what comes waits in the socket meanwhile, but for one read's worth, which is handed out from within
 * the call that ends the pause. May be called from on_bytes. */
void wd_http_pause(struct wd_http_call *call, bool paused);

/* Percent-encodes for a query value. The caller frees. */
char *wd_http_escape(const char *text);

#endif
