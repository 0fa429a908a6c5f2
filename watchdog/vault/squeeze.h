/* squeeze.h: zstd, as `zstd` and `tar --zstd` read and write it (the only file that knows libzstd is squeeze.c). */
#ifndef WATCHDOG_VAULT_SQUEEZE_H
#define WATCHDOG_VAULT_SQUEEZE_H

#include "flow.h"

/* Compresses what is put into its sink, in `workers` threads beside the caller's (0: in the caller's own), and passes it
 * on to `to`, always in the caller's thread. With a checksum of zstd's own. The memory that it takes is bounded: some
 * 15 MiB for each worker at level 3. level: 1 to 19. */
struct wd_squeeze;
struct wd_squeeze *wd_squeeze_new(struct wd_sink to, int level, unsigned workers, struct wd_error *error); /* or NULL */
struct wd_squeeze *wd_squeeze_free(struct wd_squeeze *squeeze); /* returns NULL; takes NULL; ends nothing */
struct wd_sink wd_squeeze_sink(struct wd_squeeze *squeeze);
bool wd_squeeze_end(struct wd_squeeze *squeeze, struct wd_error *error); /* the last bytes; nothing may follow */

/* The other way. What is no zstd, was cut off, was changed, or wants more than 8 MiB of window is an error of the kind
 * FAILED. It may be freed at any time; `from` is the caller's. */
struct wd_unsqueeze;
struct wd_unsqueeze *wd_unsqueeze_new(struct wd_source from, struct wd_error *error); /* or NULL */
struct wd_unsqueeze *wd_unsqueeze_free(struct wd_unsqueeze *unsqueeze); /* returns NULL; takes NULL */
struct wd_source wd_unsqueeze_source(struct wd_unsqueeze *unsqueeze);

#endif
