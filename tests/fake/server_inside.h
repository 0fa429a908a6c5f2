/* server_inside.h: what the files of the fake share. server.c: the thread and its connections; server_http.c: requests,
 * answers and faults; server_stream.c: /events; server_control.c: /_fake. */
#ifndef TESTS_FAKE_SERVER_INSIDE_H
#define TESTS_FAKE_SERVER_INSIDE_H

#include <pthread.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "server.h"

enum fault_kind { FAULT_NONE, FAULT_STATUS, FAULT_LOSE, FAULT_REFUSE, FAULT_DELAY, FAULT_GARBAGE, FAULT_TRUNCATE };

struct fault {
	char *method, *path, *body;
	int skip, times, status;
	enum fault_kind kind;
	wd_time span;
	struct fault *next;
};

/* A connection. */
struct link {
	struct fake *fake;
	int fd;
	struct wd_text in, out;
	size_t sent;  /* of out */
	bool closing; /* when out is empty */
	bool dead;
	bool busy; /* a request is being answered */
	bool last; /* the client asked to close */
	bool head; /* HEAD: no body */
	char *method, *path;
	uint64_t ticket; /* of a call that waits in the model */
	enum fault_kind fault;
	wd_time span;       /* of FAULT_DELAY */
	wd_time held_until; /* out is not sent before; 0: at once */
	bool streaming;
	struct wd_json *filters;
	wd_stamp until;
	size_t cut_bytes, streamed_bytes;
	unsigned cut_events, streamed_events;
	struct link *next;
};

struct called {
	char *method, *path;
	int status;
	wd_time at;
};

struct fake {
	char *path;
	int listener, waker;
	pthread_t thread;
	pthread_mutex_t lock;
	bool ending;
	struct model *model;
	wd_time born; /* the model's moment 0 on our clock */
	struct link *links;
	struct fault *faults;
	struct called *calls;
	size_t call_count, call_room;
	size_t cut_bytes;
	unsigned cut_events;
	int cut_times;
};

/* server.c */
wd_time fake_now(const struct fake *fake);
void fake_keep_up(struct fake *fake); /* the model's time becomes ours */

/* server_http.c */
void link_read(struct link *link); /* takes whole requests out of `in` */
void link_answer(struct link *link, int status, const char *type, const char *body, size_t length);
void link_note(const struct link *link, int status);
void link_date(struct link *link); /* its header */ /* for /_fake/calls */
void fault_free(struct fault *fault);

/* server_stream.c */
void stream_open(struct link *link, const char *query);
void stream_event(void *data, const struct model_event *event); /* the model's listener; data is the fake */
void stream_send(struct link *link, const char *bytes, size_t length);
void stream_end(struct link *link);
void stream_end_late(struct fake *fake);

/* server_control.c */
int control(struct fake *fake, const char *method, const char *path, const char *body, struct wd_text *ret_answer);

#endif
