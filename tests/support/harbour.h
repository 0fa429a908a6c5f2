/* harbour.h: the whole program as a child process, with an Engine of its own: the fake, in a thread of the test. Each
 * harbour has its folder, its Engine and its seadog; several may stand side by side. What goes wrong in here fails the
 * test, and shows what seadog said. */
#ifndef TESTS_SUPPORT_HARBOUR_H
#define TESTS_SUPPORT_HARBOUR_H

#include <fake/server.h>
#include <sys/types.h>

struct harbour {
	char directory[32]; /* with engine.sock, seadog.conf, state/, seadog.log */
	struct fake *fake;
	pid_t seadog;        /* 0: it does not run */
	bool plain;          /* the release build, where time and memory are measured; else the sanitized one */
	const char *preload; /* "slow_fsync", "stepped_clock", or NULL */
	unsigned seen;       /* how often seadog had looked at all containers before it was launched */
	unsigned number, step, before; /* the test's own */
	bool done, looked;
};

/* The Engine stands, seadog does not run yet. settings: more of the configuration file, or NULL. */
void harbour_open(struct harbour *harbour, const char *settings);
/* What still runs is asked to end, which it does with 0 and without a leak; then all is removed. */
void harbour_close(struct harbour *harbour);

void harbour_launch(struct harbour *harbour); /* and not waited for */
void harbour_start(struct harbour *harbour);  /* until it has looked at all containers */
bool harbour_has_looked(struct harbour *harbour); /* since harbour_launch() */
void harbour_signal(struct harbour *harbour, int signal);
void harbour_kill(struct harbour *harbour); /* -9 */
int harbour_end(struct harbour *harbour);   /* SIGTERM; returns its exit code */
int harbour_await_exit(struct harbour *harbour);
/* With "stepped_clock": seadog's wall clock is that far ahead from now on, or behind; and so is each later seadog's. */
void harbour_set_clock(struct harbour *harbour, wd_time ahead);

/* The Engine. */
void harbour_fake(struct harbour *harbour, const char *method, const char *path, const char *body);
struct wd_json *harbour_inspect(struct harbour *harbour, const char *container); /* the caller frees */
unsigned harbour_restarts(struct harbour *harbour, const char *container);       /* RestartCount */
/* In its memory, of that container and kind; NULL: of any. */
unsigned harbour_events(struct harbour *harbour, const char *container, const char *action);
bool harbour_is_held(struct harbour *harbour, const char *container);            /* down, and its policy is no */
wd_stamp harbour_event_stamp(struct harbour *harbour, const char *container, const char *action, unsigned nth); /* 1: the first */
wd_time harbour_event_at(struct harbour *harbour, const char *container, const char *action, unsigned nth); /* the Engine's time */
wd_time harbour_call_at(struct harbour *harbour, const char *glob);                  /* of the first such call */

/* seadog. */
struct wd_json *harbour_ask(struct harbour *harbour, const char *command); /* "status", with --json; the caller frees */
struct wd_json *harbour_ask_of(struct harbour *harbour, const char *command, const char *name); /* of one service; NULL: all */
char *harbour_verdict(struct harbour *harbour, const char *name); /* of status; "" if it is not known */
int harbour_count(struct harbour *harbour, const char *name);     /* of the `restarts` window; -1: not known */
char *harbour_incident(struct harbour *harbour, const char *member); /* of the newest one; a step's is "step.detail" */
bool harbour_said(struct harbour *harbour, const char *text);        /* in its log */
unsigned harbour_syncs(const struct harbour *harbour); /* how often it has looked at all containers */
long harbour_memory(const struct harbour *harbour);                  /* private, in KiB */
unsigned harbour_descriptors(const struct harbour *harbour);

/* Waits until done(harbour) for all of them, at most `span`; says what was awaited where it fails. */
typedef bool harbour_done(struct harbour *harbour);
void harbour_await(struct harbour *harbours, unsigned count, wd_time span, const char *what, harbour_done *done);
void harbour_pause(wd_time span);
void harbour_fail(struct harbour *harbour, const char *what) __attribute__((noreturn));
#define harbour_must(harbour, condition)                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			harbour_fail(harbour, #condition);                                                             \
	} while (0)

#endif
