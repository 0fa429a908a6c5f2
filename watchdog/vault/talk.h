/* talk.h: the vault's end of its socket: lines of JSON, and whether anybody still listens. */
#ifndef WATCHDOG_VAULT_TALK_H
#define WATCHDOG_VAULT_TALK_H

#include <watchdog/json.h>
#include <watchdog/text.h>
#include <watchdog/time.h>

struct wd_talk {
	int descriptor; /* lent; it blocks */
	struct wd_text heard;
	wd_time looked; /* when the other side was last looked after */
	bool gone;      /* nobody listens any more */
};
#define WD_TALK_LINE_MOST ((size_t)8 << 20)

void wd_talk_done(struct wd_talk *talk);

/* The next line, which the caller frees; NULL: there is none within `patience`, or it is none. */
struct wd_json *wd_talk_hear(struct wd_talk *talk, wd_time patience, struct wd_error *error);
bool wd_talk_say(struct wd_talk *talk, const struct wd_json *line);

/* To be called often: tells it ten times a second at the most, and never waits for who does not read. false: nobody
 * listens any more. */
bool wd_talk_progress(struct wd_talk *talk, uint64_t files, uint64_t bytes, uint64_t total_bytes);

#endif
