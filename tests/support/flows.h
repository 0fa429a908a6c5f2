/* flows.h: bytes from and into memory, as the vault passes them on. */
#ifndef SUPPORT_FLOWS_H
#define SUPPORT_FLOWS_H

#include <watchdog/text.h>

#include "../../watchdog/vault/flow.h"

struct wd_sink into_text(struct wd_text *text);
struct wd_sink into_nothing(void);
struct wd_sink into_full_disk(void); /* fails with "the disk is full" */
struct wd_sink into_file(int *descriptor);

/* Lends bytes in pieces of `step`. */
struct pieces {
	const char *bytes;
	size_t length, at, step;
};
struct wd_source from_pieces(struct pieces *pieces);

#endif
