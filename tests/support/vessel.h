/* vessel.h: trees of files into archives and back, in the working directory of a test. */
#ifndef SUPPORT_VESSEL_H
#define SUPPORT_VESSEL_H

#include <watchdog/text.h>

#include "../../watchdog/vault/archive.h"
#include "../../watchdog/vault/index.h"

#define ANY ((struct wd_tally){.files = 1000000, .bytes = (uint64_t)1 << 40})

/* What was said while an archive was made or read, a line each: "./a: a fifo is left out\n"; and what is to be done on the
 * way, by the number of entries that are done. */
struct witness {
	struct wd_text said;
	void (*at)(struct witness *witness, const struct wd_tally *tally); /* or NULL */
	unsigned cancel_at; /* entries; 0: never */
	unsigned calls;
	struct wd_archive_watch watch; /* set by witness() */
};
const struct wd_archive_watch *witness(struct witness *witness);

int open_tree(const char *name);
bool pack(const char *tree, struct wd_sink sink, struct witness *by, struct wd_index *ret_index, struct wd_tally *tally,
	  struct wd_error *error);
bool pack_text(const char *tree, struct wd_text *archive, struct witness *by, struct wd_tally *tally, struct wd_error *error);
bool check_text(const struct wd_text *archive, struct wd_tally most, struct wd_tally *tally, struct wd_error *error);
/* Into a new directory of that name. */
bool unpack_text(const struct wd_text *archive, const char *tree, struct wd_tally most, struct witness *by,
		 struct wd_tally *tally, struct wd_error *error);

/* Runs what the shell is told; the test fails where that fails. */
void shell(const char *command);
bool have(const char *program);
void read_file(const char *name, struct wd_text *text);

#endif
