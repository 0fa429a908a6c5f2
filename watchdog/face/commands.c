/* commands.c: THE tables: every command and every flag once. Dispatch, help, completion and the manual read them. */
#include "face.h"

#include <string.h>

#define BIT(name) WD_FLAG_BIT(WD_FLAG_##name)
#define FOR_ALL                                                                                                        \
	(BIT(CONFIG) | BIT(HOST) | BIT(JSON) | BIT(COLOR) | BIT(NO_TRUNC) | BIT(QUIET) | BIT(VERBOSE) | BIT(HELP))

const struct wd_flag wd_flags[WD_FLAGS] = {
	[WD_FLAG_CONFIG] = {"config", 'c', "FILE", WD_OFFER_FILES, "read this configuration file"},
	[WD_FLAG_HOST] = {"host", 'H', "URL", WD_OFFER_NOTHING, "the Engine, such as unix:///var/run/docker.sock"},
	[WD_FLAG_JSON] = {"json", 0, NULL, WD_OFFER_NOTHING, "print JSON for scripts; errors too"},
	[WD_FLAG_COLOR] = {"color", 0, "WHEN", WD_OFFER_COLORS, "auto, always or never"},
	[WD_FLAG_NO_TRUNC] = {"no-trunc", 0, NULL, WD_OFFER_NOTHING, "do not cut lines to the terminal's width"},
	[WD_FLAG_QUIET] = {"quiet", 'q', NULL, WD_OFFER_NOTHING, "say nothing but data and errors"},
	[WD_FLAG_VERBOSE] = {"verbose", 'v', NULL, WD_OFFER_NOTHING, "say more about what is done"},
	[WD_FLAG_DRY_RUN] = {"dry-run", 'n', NULL, WD_OFFER_NOTHING, "say what would be done, and change nothing"},
	[WD_FLAG_YES] = {"yes", 'y', NULL, WD_OFFER_NOTHING, "do not ask"},
	[WD_FLAG_SINCE] = {"since", 0, "T", WD_OFFER_NOTHING, "from then on: 2h, 7d or 2026-01-02T03:04:05Z"},
	[WD_FLAG_FOLLOW] = {"follow", 'f', NULL, WD_OFFER_NOTHING, "go on with what happens next, until interrupted"},
	[WD_FLAG_RECORD] = {"record", 0, "FILE", WD_OFFER_FILES, "keep the Engine's own lines in a file"},
	[WD_FLAG_EXAMPLE] = {"example", 0, NULL, WD_OFFER_NOTHING, "print a commented example file instead"},
	[WD_FLAG_ALL] = {"all", 'a', NULL, WD_OFFER_NOTHING, "every service that is on hold"},
	[WD_FLAG_NO_START] = {"no-start", 0, NULL, WD_OFFER_NOTHING,
			      "give the restart policy back, but do not start it"},
	[WD_FLAG_FOR] = {"for", 0, "SPAN", WD_OFFER_NOTHING, "for this long, such as 30m (the default) or 2h"},
	[WD_FLAG_TO] = {"to", 0, "TARGET", WD_OFFER_NOTHING,
			"rollback: to that image, instead of the one that is pinned; snapshot restore: into that "
			"directory"},
	[WD_FLAG_PULL] = {"pull", 0, NULL, WD_OFFER_NOTHING, "pull the image where it is not on the host"},
	[WD_FLAG_HELP] = {"help", 'h', NULL, WD_OFFER_NOTHING, "print help"},
	[WD_FLAG_VERSION] = {"version", 'V', NULL, WD_OFFER_NOTHING, "print the version"},
};

const struct wd_command wd_commands[] = {
	{"run", "", 0, 0, WD_OFFER_NOTHING, BIT(DRY_RUN), "watch, in the foreground",
	 "Watches the containers of the Engine until it is told to end (SIGINT, SIGTERM). SIGHUP loads the "
	 "configuration "
	 "anew; a faulty one leaves the old in force. With --dry-run it observes: it says what it would do, "
	 "and does nothing by itself; what is asked for by hand is done.",
	 wd_run_run},
	{"check", "", 0, 0, WD_OFFER_NOTHING, 0, "say what works, what does not, and what that switches off",
	 "Looks at the configuration, the Engine and what it lets seadog do, the state directory and the control "
	 "socket. "
	 "Changes nothing. Exit code 2: the configuration is faulty; 6: the Engine cannot be reached.",
	 wd_run_check},
	{"config", "[NAME]", 0, 1, WD_OFFER_SERVICES, BIT(EXAMPLE),
	 "print the configuration in force and where each value is from",
	 "With NAME: what holds for that container, its labels included.", wd_run_config},
	{"status", "[NAME…]", 0, 1000, WD_OFFER_SERVICES, 0, "one row for each service",
	 "Asks the running watchdog; without one it reads the state directory. State unknown: remembered, and not seen "
	 "since "
	 "seadog was started.",
	 wd_run_status},
	{"top", "", 0, 0, WD_OFFER_NOTHING, 0, "the same, live, full screen",
	 "Windows that fill up, memory with its curve, CPU, pids and health; sort, filter, open a service, hold and "
	 "release it. ? lists the keys. Where the terminal has no screen, status is repeated.",
	 wd_run_top},
	{"incidents", "[NAME]", 0, 1, WD_OFFER_SERVICES, BIT(SINCE) | BIT(FOLLOW), "what happened and what was done",
	 "Newest first. With --follow each change of an incident is a line of its own.", wd_run_incidents},
	{"show", "ID", 1, 1, WD_OFFER_INCIDENTS, 0, "one incident: time line, steps, last log lines", NULL,
	 wd_run_show},
	{"explain", "NAME", 1, 1, WD_OFFER_SERVICES, 0, "which policy holds for a service and how near each trigger is",
	 NULL, wd_run_explain},
	{"hold", "NAME", 1, 1, WD_OFFER_SERVICES, BIT(DRY_RUN), "stop a service and keep it stopped",
	 "Its restart policy is remembered, and given back by `seadog release`.", wd_run_hold},
	{"release", "NAME|--all", 0, 1, WD_OFFER_SERVICES, BIT(ALL) | BIT(NO_START) | BIT(DRY_RUN) | BIT(YES),
	 "end a hold: give the restart policy back and start it",
	 "Works without a running watchdog too. Exit code 5: it is not on hold; 3: only some could be released.",
	 wd_run_release},
	{"rollback", "NAME", 1, 1, WD_OFFER_SERVICES, BIT(TO) | BIT(DRY_RUN) | BIT(YES),
	 "put a service back on its pinned image",
	 "The container is made again with the pinned image: the same name, labels, networks, addresses, volumes and "
	 "limits. It must then run without a crash for `verify`, and become healthy if it has a health check; else the "
	 "old container comes back. Waits for that end; interrupted, it leaves the rollback going. With --dry-run: the "
	 "steps, and what would be another value in the configuration. Exit code 1: it was taken back; 5: it was "
	 "refused, "
	 "and nothing was touched.",
	 wd_run_rollback},
	{"pin", "NAME [IMAGE]", 1, 2, WD_OFFER_SERVICES, BIT(PULL) | BIT(DRY_RUN),
	 "an image is known to be good for a service",
	 "Without IMAGE: the one that it runs. A rollback goes back to it. The image gets a tag of seadog's own, so "
	 "that "
	 "`image prune` leaves it.",
	 wd_run_pin},
	{"unpin", "NAME", 1, 1, WD_OFFER_SERVICES, BIT(DRY_RUN), "forget the images that are pinned for a service",
	 "What rollback_to names stays.", wd_run_unpin},
	{"pins", "[NAME]", 0, 1, WD_OFFER_SERVICES, 0, "images known to be good, and those that were rolled back from",
	 "Asks the running watchdog; without one it reads the state directory.", wd_run_pins},
	{"forgive", "NAME", 1, 1, WD_OFFER_SERVICES, BIT(DRY_RUN), "forget what a service was rolled back from",
	 "An image that was rolled back from is not learned again, and the same rollback is not done twice.",
	 wd_run_forgive},
	{"snapshot", "create|list|verify|restore|prune [NAME]", 1, 3, WD_OFFER_SNAPSHOT, BIT(TO) | BIT(DRY_RUN),
	 "snapshots of volumes: take, look, check, unpack, delete",
	 "create NAME: takes one now, of its volumes and of what snapshot_binds names. list [NAME]: what there is; "
	 "without a running watchdog as the state directory remembers it. verify [NAME]: "
	 "reads "
	 "each archive and holds it against its checksum; one that is damaged is marked, and never used. restore NAME "
	 "[SNAPSHOT] --to DIR: unpacks each volume into DIR, under its name, with owners, times and attributes; "
	 "without "
	 "SNAPSHOT the newest that is verified and was taken while the service was well. prune [NAME]: deletes what "
	 "snapshots_kept, keep_daily, keep_weekly and keep_monthly do not keep; never one that a held or broken "
	 "service "
	 "may need. NAME is a service, a container, or a snapshot. Exit code 1: it is damaged; 3: some are.",
	 wd_run_snapshot},
	{"mute", "[NAME]", 0, 1, WD_OFFER_SERVICES, BIT(FOR) | BIT(DRY_RUN), "maintenance: look, but do not act",
	 "Without NAME: every service.", wd_run_mute},
	{"unmute", "[NAME]", 0, 1, WD_OFFER_SERVICES, BIT(DRY_RUN), "end of maintenance",
	 "Without NAME: every service.", wd_run_unmute},
	{"events", "", 0, 0, WD_OFFER_NOTHING, BIT(FOLLOW) | BIT(SINCE) | BIT(RECORD),
	 "what the Engine tells, as seadog understands it",
	 "Asks the running watchdog; without one, or with --since or --record, the Engine itself.", wd_run_events},
	{"healthcheck", "", 0, 0, WD_OFFER_NOTHING, 0, "for a container's HEALTHCHECK",
	 "Exit code 0: the watchdog runs and hears the Engine; 1: it does not hear it; 7: it does not run.",
	 wd_run_healthcheck},
	{"completion", "bash|zsh|fish", 1, 1, WD_OFFER_SHELLS, 0, "print a completion script for a shell", NULL,
	 wd_run_completion},
	{"version", "", 0, 0, WD_OFFER_NOTHING, 0, "print the version", NULL, wd_run_version},
	{"help", "[COMMAND]", 0, 1, WD_OFFER_COMMANDS, 0, "print help", NULL, wd_run_help},
	{"vault", "", 0, 0, WD_OFFER_NOTHING, 0, NULL, NULL, wd_run_vault},
	{"__offer", "KIND", 1, 1, WD_OFFER_NOTHING, 0, NULL, NULL, wd_run_offer},
	{0},
};

const struct wd_command *wd_command_find(const char *name)
{
	for (const struct wd_command *command = wd_commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

const char *wd_command_nearest(const char *name)
{
	const char *names[sizeof wd_commands / sizeof *wd_commands];
	size_t count = 0;
	for (const struct wd_command *command = wd_commands; command->name; command++)
		if (command->help)
			names[count++] = command->name;
	return wd_text_nearest(name, names, count);
}

unsigned wd_command_flags(const struct wd_command *command)
{
	return command->flags | FOR_ALL;
}
