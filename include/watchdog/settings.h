/* settings.h: the whole configuration in force: what a file, drop-ins, the environment and the command line say,
 * checked as a whole, each value with its origin. A fresh one is loaded and swapped in; nothing changes one in place.
 */
#ifndef WATCHDOG_SETTINGS_H
#define WATCHDOG_SETTINGS_H

#include <watchdog/log.h>
#include <watchdog/policy.h>

struct wd_mass_rule { /* "5, or 50% but at least 3, within 10s; wait 60s" */
	unsigned count;
	double ratio;
	unsigned least;
	wd_time within;
	wd_time wait;
};

struct wd_settings {
	/* [engine] */
	char *host;       /* NULL: look for one */
	char *write_host; /* NULL: the same */
	char *tls_ca, *tls_cert, *tls_key;
	wd_time timeout;
	/* [seadog] */
	bool observe;
	bool watch_labelled;
	char *state_dir;
	char *control;
	wd_time sample_interval;
	enum wd_log_level log_level;
	enum wd_log_format log_format;
	wd_time keep_incidents;
	/* [safety] */
	struct wd_rate max_actions; /* count 0: no limit */
	struct wd_mass_rule mass_failure; /* count 0: off */
	wd_time grace;
	wd_time tilt; /* 0: off */
	wd_time tilt_wait;
	struct wd_list never; /* globs on names */
	/* [snapshots] */
	char *snapshot_dir; /* NULL: snapshots/ in the state directory */
	char *min_free;     /* "10%" or "512m" */
	/* everything with its origin, and the sections by name: known to config/ only */
	struct wd_config *config;
};

/* One fault or warning of a configuration. text is whole: "seadog.conf:12: restarts = 5/: …, write it like 5/60s". */
struct wd_finding {
	bool warning;
	char *text;
};
struct wd_findings {
	struct wd_finding *items;
	size_t count;
	size_t faults; /* how many of them are no warnings */
};
void wd_findings_done(struct wd_findings *findings);
void wd_findings_add(struct wd_findings *findings, bool warning, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Where a configuration comes from. `set` holds "section.key=value" of the command line ("engine.host=…"). */
struct wd_sources {
	const char *file; /* --config FILE, or NULL: the usual places */
	struct wd_list set;
	char *const *environment; /* as environ */
};

/* Loads and checks everything; finds all faults, not the first. Returns the settings, or NULL where there is any
 * fault; warnings alone leave it usable. Findings are added in order of place: files as they were read, line by line, then
 * the environment and the command line. findings may be NULL.
 *
 * A comment stands on a line of its own (; or #), or behind a value that is no free text (command, url, user, topic …):
 * white space, a semicolon, and white space or another semicolon. Whatever else inih would cut or bend is a fault with
 * its line; the list stands in config/config.h at wd_config_read(). */
struct wd_settings *wd_settings_load(const struct wd_sources *sources, struct wd_findings *findings);
/* For who only asks a watchdog that runs, and needs to know where: the same, but in spite of faults that can say nothing
 * about its control socket and its state directory. What is faulty is as if it were not there: nothing may be done by these settings. */
struct wd_settings *wd_settings_load_places(const struct wd_sources *sources, struct wd_findings *findings);
struct wd_settings *wd_settings_free(struct wd_settings *settings); /* returns NULL; takes NULL */

/* The policy that holds for a container: label > [container NAME] > [policy NAME] > [defaults] > built in. Labels that
 * are unknown, faulty or not allowed as labels are warnings ("web: label seadog.restart: unknown, did you mean
 * seadog.restarts"). Never NULL. */
struct wd_policy *wd_settings_policy(const struct wd_settings *settings, const struct wd_container *container,
                                     struct wd_findings *findings);

/* Every value in force with its origin, in the order of the option table, for `seadog config`: calls back with section
 * ("seadog", "policy web"), key, value as text, origin ("built in", "/etc/seadog/seadog.conf:12", "SEADOG_…",
 * "--host"). With a container: its policy keys only, labels included. */
typedef void wd_value_callback(void *data, const char *section, const char *key, const char *value, const char *origin);
void wd_settings_each(const struct wd_settings *settings, const struct wd_container *container,
                      wd_value_callback *callback, void *data);
/* What [hook NAME] runs, and for how long at the most; false: there is no such section. The list is the caller's, empty
 * before. */
bool wd_settings_hook(const struct wd_settings *settings, const char *name, struct wd_list *ret_command,
                      wd_time *ret_timeout);
char *wd_settings_snapshots(const struct wd_settings *settings); /* where snapshots are; the caller frees */
const char *wd_settings_file(const struct wd_settings *settings); /* the main file that was read, or NULL */

/* The option table for people: the example file, and the list for the man page (scdoc/mdoc writers live in face/). */
struct wd_option_help {
	const char *section; /* "engine", "policy" for policy keys, … */
	const char *key;
	const char *type;     /* "duration", "rates", … */
	const char *form;     /* how to write one: "90s, 5m, 1h30m, 7d; a bare number is seconds" */
	const char *fallback; /* default as text; NULL: none */
	const char *help;
	bool label;           /* may be a label */
	bool pending;         /* checked, but without effect in this version */
};
size_t wd_option_count(void);
struct wd_option_help wd_option_at(size_t index);

#endif
