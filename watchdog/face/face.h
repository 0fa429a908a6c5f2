/* face.h: what the files of the face share: one call of the program, the tables of commands and flags, what commands
 * have in common. Internal to watchdog/face.
 */
#ifndef WATCHDOG_FACE_FACE_H
#define WATCHDOG_FACE_FACE_H

#include <watchdog/endpoint.h>
#include <watchdog/json.h>
#include <watchdog/report.h>
#include <watchdog/settings.h>

enum wd_flag_id { WD_FLAG_CONFIG, WD_FLAG_HOST, WD_FLAG_JSON, WD_FLAG_COLOR, WD_FLAG_NO_TRUNC, WD_FLAG_QUIET,
	WD_FLAG_VERBOSE, WD_FLAG_DRY_RUN, WD_FLAG_YES, WD_FLAG_SINCE, WD_FLAG_FOLLOW, WD_FLAG_RECORD, WD_FLAG_EXAMPLE,
	WD_FLAG_ALL, WD_FLAG_NO_START, WD_FLAG_FOR, WD_FLAG_TO, WD_FLAG_PULL, WD_FLAG_HELP, WD_FLAG_VERSION, WD_FLAGS };

/* What the shell may offer for a word of a command or the argument of a flag. */
enum wd_offer { WD_OFFER_NOTHING, WD_OFFER_SERVICES, WD_OFFER_INCIDENTS, WD_OFFER_COMMANDS, WD_OFFER_SHELLS, WD_OFFER_SNAPSHOT,
	WD_OFFER_FILES, WD_OFFER_COLORS };

struct wd_flag {
	const char *name; /* without the dashes */
	char letter;      /* 0: none */
	const char *argument; /* "FILE"; NULL: takes none */
	enum wd_offer offer;
	const char *help;
};
extern const struct wd_flag wd_flags[WD_FLAGS];
#define WD_FLAG_BIT(id) (1u << (id))

/* One call of the program. A flag that was given has its argument, or "" where it takes none; else NULL. */
struct wd_command;
struct wd_call {
	const struct wd_command *command;
	const char *flags[WD_FLAGS];
	char *const *words; /* behind the command; NULL behind the last */
	size_t word_count;
	struct wd_style style; /* of standard output */
	struct wd_sources sources;
	struct wd_settings *settings; /* from wd_call_settings() on */
	const char *control;          /* as wd_call_control() found it */
};

/* What a command did not do is its error; its kind is the exit code. One whose text is empty was said already. */
typedef bool wd_command_run(struct wd_call *call, struct wd_error *error);
struct wd_command {
	const char *name;
	const char *words; /* "[NAME…]", for people */
	unsigned least, most; /* words that it takes */
	enum wd_offer offer;
	unsigned flags;    /* bits, beside those that every command takes */
	const char *help;  /* one line; NULL: not for people */
	const char *more;  /* paragraphs for `seadog help NAME`, or NULL */
	wd_command_run *run;
};
extern const struct wd_command wd_commands[]; /* ends with a name of NULL */
const struct wd_command *wd_command_find(const char *name); /* or NULL */
const char *wd_command_nearest(const char *name);            /* for "did you mean", or NULL */
unsigned wd_command_flags(const struct wd_command *command); /* with those that every command takes */

wd_command_run wd_run_run, wd_run_check, wd_run_config, wd_run_status, wd_run_top, wd_run_incidents, wd_run_show, wd_run_explain,
	wd_run_hold, wd_run_release, wd_run_pin, wd_run_unpin, wd_run_pins, wd_run_forgive, wd_run_rollback, wd_run_snapshot, wd_run_mute, wd_run_unmute, wd_run_events, wd_run_healthcheck, wd_run_completion,
	wd_run_version, wd_run_help, wd_run_offer, wd_run_vault;

/* The arguments of the program; argv is permuted. Wrong usage is WD_ERROR_USAGE. */
bool wd_call_read(struct wd_call *call, int argc, char **argv, struct wd_error *error);
void wd_call_done(struct wd_call *call);
/* Loads the configuration once. Its faults are said on standard error, each on a line, and are WD_ERROR_USAGE; only their
 * number is said, and no error, where the command asks a watchdog that runs and they do not hide where it listens. */
bool wd_call_settings(struct wd_call *call, struct wd_error *error);
/* The Engine that the configuration names: the wish with the text that it lends, the endpoint that is found, a client of
 * it that is not connected yet. */
struct wd_wish {
	char origin[256];
	struct wd_endpoint_wish endpoint;
};
void wd_call_wish(const struct wd_call *call, struct wd_wish *ret_wish);
bool wd_call_endpoint(const struct wd_call *call, struct wd_endpoint *ret_endpoint, struct wd_error *error);
struct wd_engine *wd_call_engine(const struct wd_call *call, struct wd_loop *loop, struct wd_http *http,
                                 const struct wd_engine_hooks *hooks, struct wd_error *error);
/* The control socket to ask. A user whose own watchdog does not run, and who has named no socket, asks the system's. */
const char *wd_call_control(struct wd_call *call);
bool wd_asked(const struct wd_call *call, enum wd_flag_id flag);

/* Words beside the data, on standard error, escaped: a note is silent with -q, a whisper is heard with -v only. */
void wd_note(const struct wd_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wd_whisper(const struct wd_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* At the end: the error, once, and with --json as one object alone. */
void wd_say_end(const struct wd_call *call, const struct wd_error *error);
/* A report as --json: indented where a person looks at it, else one line. */
void wd_put_json(const struct wd_json *report);
/* What was written goes out now; false with the error where it cannot (a full disk, a reader that left). */
bool wd_flush_output(struct wd_error *error);

void wd_snapshot_offer(void); /* the words behind `seadog snapshot`, a line each */
void wd_example_put(void); /* on standard output */
void wd_help_all(void);
void wd_help_usage(void); /* on standard error */
void wd_help_command(const struct wd_command *command);

/* The requests of the control socket that several commands make. */
struct wd_json *wd_request_new(const char *verb);
#define WD_ASK_PATIENCE (15 * WD_SECOND)
/* One data object, which the caller frees; NULL with the error. */
struct wd_json *wd_ask_once(struct wd_call *call, const struct wd_json *request, struct wd_error *error);

/* "2h" ago or an RFC 3339 moment. */
bool wd_since_parse(const char *text, wd_stamp now, wd_stamp *ret_since, struct wd_error *error);
/* "7" or "#7". */
bool wd_incident_parse(const char *text, int64_t *ret_id, struct wd_error *error);

/* The daemon (daemon.c): runs until a signal ends it. */
int wd_daemon_run(const struct wd_settings *settings, const struct wd_sources *sources,
                  const struct wd_endpoint_wish *wish);

#endif
