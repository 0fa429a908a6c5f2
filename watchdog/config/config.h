/* config.h: what the files of config/ share. An option is a row of the table (options.c); its value is kept as text
 * with the place it came from, already known to be sound, and turned into a struct where somebody asks for one.
 */
#ifndef WATCHDOG_CONFIG_CONFIG_H
#define WATCHDOG_CONFIG_CONFIG_H

#include <watchdog/settings.h>

struct wd_option;

/* A type of value. parse() writes `size` bytes to ret_value, which done() releases; outputs are untouched on failure.
 * Errors name neither key nor value: the caller puts them in front. */
struct wd_kind {
	const char *name; /* for people: "duration" */
	const char *hint; /* the grammar in a few words, for the manual */
	size_t size;
	bool (*parse)(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error);
	void (*done)(void *value); /* NULL: nothing to release */
	bool free_text;            /* may hold " ;" in good faith, so that no comment can stand behind it */
	bool secret;               /* not repeated in findings */
};
#define WD_VALUE_MAX 512 /* no kind is larger */

enum wd_amount { WD_AMOUNT_NONE, WD_AMOUNT_SIZE, WD_AMOUNT_NUMBER };

struct wd_option {
	const char *section; /* "policy" for policy keys; they stand in [defaults], [policy X] and [container X] */
	const char *key;
	const struct wd_kind *kind;
	const char *fallback; /* as text; NULL: none */
	const char *help;
	size_t place;             /* where its value goes: 1 + offset; 0 where nothing uses it yet */
	size_t room;              /* bytes there */
	int64_t low, high;        /* spans in microseconds; numbers; for paths `high` is the longest */
	bool off;                 /* spans: may be off (0) */
	enum wd_amount amount;    /* levels: what may stand instead of a percentage */
	const char *const *words; /* choices, ended by NULL */
	bool no_label;            /* policy keys: paths and commands */
	bool pending;             /* checked, but without effect in this version */
};

/* options.c */
extern const struct wd_option wd_options[];
const struct wd_option *wd_option_find(const char *section, const char *key); /* NULL: none */
bool wd_option_check(const struct wd_option *option, const char *text, struct wd_error *error);
void wd_option_store(const struct wd_option *option, const char *text, void *ret_struct); /* the text is sound */
/* The hooks that a ladder or "hook:NAME" names; none for other kinds. */
void wd_option_hooks(const struct wd_option *option, const char *text, struct wd_list *ret_names);
/* The nearest key of a section, or NULL. */
const char *wd_option_nearest(const char *section, const char *key);
/* A rung, or NULL, that this version skips: "rollback". */
const char *wd_option_pending_rung(const struct wd_option *option, const char *text);

/* values.c, rules.c, schedule.c, match.c */
extern const struct wd_kind wd_kind_span, wd_kind_tilt, wd_kind_number, wd_kind_flag, wd_kind_choice, wd_kind_either,
	wd_kind_path, wd_kind_paths, wd_kind_host, wd_kind_listen, wd_kind_url, wd_kind_command, wd_kind_text,
	wd_kind_image, wd_kind_globs, wd_kind_names, wd_kind_moments, wd_kind_reserve;
extern const struct wd_kind wd_kind_rate, wd_kind_rates, wd_kind_codes, wd_kind_level, wd_kind_pressure, wd_kind_ladder,
	wd_kind_hook, wd_kind_mass;
extern const struct wd_kind wd_kind_schedule, wd_kind_match;
bool wd_percent_parse(const char *text, double *ret_ratio, struct wd_error *error); /* "97.5%": above 0, at most 1 */
bool wd_value_off(const char *text); /* "off" or "none" */
void wd_ladder_done(struct wd_ladder *ladder); /* frees what it holds, not itself */
bool wd_match_holds(const char *match, const struct wd_container *container);

/* notify.c: what a [notify NAME] of a type needs and knows. */
struct wd_section;
void wd_notify_check(const struct wd_section *section, struct wd_findings *findings);

/* A value that holds, and where it stands. */
struct wd_entry {
	const struct wd_option *option;
	char *value;
	char *origin; /* "seadog.conf:12", "SEADOG_ENGINE_HOST", "--host" */
};
struct wd_section {
	char *kind; /* "engine", "policy" */
	char *name; /* of [policy NAME]; NULL where there is none */
	char *origin;
	struct wd_entry *entries;
	size_t count;
	size_t faulty; /* so many faults are in it: what seems to be missing may be there */
	bool hides;    /* one of them may be about a key that cannot be told */
};
struct wd_config {
	struct wd_section *sections; /* in order of first appearance */
	size_t count;
	struct wd_section environment, command; /* policy keys that beat labels */
	char *file;                             /* the main file, or NULL */
	struct wd_list files;                   /* all, in order */
};

/* sections.c */
struct wd_config *wd_config_new(void);
struct wd_config *wd_config_free(struct wd_config *config);
struct wd_section *wd_config_section(const struct wd_config *config, const char *kind, const char *name); /* or NULL */
/* Finds or makes it. Lent until the next call. */
struct wd_section *wd_config_open(struct wd_config *config, const char *kind, const char *name, const char *origin);
const struct wd_entry *wd_section_get(const struct wd_section *section, const struct wd_option *option); /* or NULL */
void wd_section_set(struct wd_section *section, const struct wd_option *option, const char *value, const char *origin);
const char *wd_section_table(const char *kind); /* which rows may stand in it: "policy" for "container"; NULL: none */
bool wd_section_named(const char *kind);
bool wd_section_pending(const char *kind); /* nothing in it has an effect in this version */
char *wd_section_title(const struct wd_section *section); /* "policy web"; the caller frees */
/* Checks the value and puts it into its section; where it is faulty, says so and does not. */
void wd_config_put(struct wd_section *section, const struct wd_option *option, const char *value, const char *origin,
                   struct wd_findings *findings);
const char *wd_section_nearest(const char *kind); /* or NULL */

/* load.c: one INI text. `name` is put before line numbers. What inih would bend or cut in silence is a fault:
 *   - a line of more than 198 bytes, a section name of more than 48, NUL and other control bytes, a byte order mark;
 *   - an indented line (inih takes it for the continuation of the value above), a line without "=", a ":" for "=";
 *   - "[section" without "]", text behind "]", a key before the first section, a key twice in one file;
 *   - " ;" in a value, unless it begins a comment: white space before it and white space, another ";" or nothing behind
 *     it, in a value that is not free text (command, url, user, topic …: there any " ;" is a fault). */
#define WD_LINE_MAX 198
#define WD_SECTION_MAX 48
void wd_config_read(struct wd_config *config, const char *name, const char *text, size_t length,
                    struct wd_findings *findings);

/* places.c: the files. */
void wd_config_read_files(struct wd_config *config, const struct wd_sources *sources, struct wd_findings *findings);
/* Where state and control socket are if nobody said so: root's are the table's; else $STATE_DIRECTORY and
 * $RUNTIME_DIRECTORY (systemd.exec(5)), the XDG directories, $HOME/.local/state. */
void wd_config_default_places(struct wd_config *config, char *const *environment, bool root);
/* The bytes of a file of at most 1 MiB, NUL-terminated; NULL with the error. */
char *wd_file_read(const char *path, size_t *ret_length, struct wd_error *error);

/* environment.c: SEADOG_SECTION_KEY, and section.key=value of the command line. */
void wd_config_read_environment(struct wd_config *config, char *const *environment, struct wd_findings *findings);
void wd_config_read_command(struct wd_config *config, const struct wd_list *set, struct wd_findings *findings);
const char *wd_environment_get(char *const *environment, const char *name); /* NULL where unset or empty */

/* policy.c: which sections hold for somebody. Any may be NULL. */
struct wd_scope {
	const struct wd_config *config;
	const struct wd_section *policy, *section; /* [policy X], [container X] */
	const struct wd_container *container;      /* its labels */
};
struct wd_found {
	const char *value, *origin; /* origin NULL: the label of that key; value NULL: no default either */
	bool built_in;
};
struct wd_scope wd_scope_of(const struct wd_config *config, const struct wd_container *container);
struct wd_found wd_scope_find(const struct wd_scope *scope, const struct wd_option *option);
struct wd_policy *wd_scope_policy(const struct wd_scope *scope);

/* labels.c */
#define WD_LABEL_PREFIX "seadog."
const char *wd_label_value(const struct wd_container *container, const struct wd_option *option); /* sound, or NULL */
void wd_labels_check(const struct wd_config *config, const struct wd_container *container,
                     struct wd_findings *findings);
bool wd_labels_enabled(const struct wd_container *container, bool fallback);

/* crosscheck.c: what only shows when everything is read, such as hooks that are not defined. */
void wd_config_crosscheck(const struct wd_config *config, struct wd_findings *findings);

/* reach.c: rules that can never trip, or trip at any restart, of the configuration, and of a container's labels. */
void wd_config_reach(const struct wd_config *config, struct wd_findings *findings);
void wd_labels_reach(const struct wd_scope *scope, struct wd_findings *findings);

/* order.c */
void wd_findings_order(struct wd_findings *findings, const struct wd_list *files);

#endif
