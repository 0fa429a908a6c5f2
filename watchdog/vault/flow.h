/* flow.h: bytes on their way, from whom they come and to whom they go. Whoever is called fails with the error set. */
#ifndef WATCHDOG_VAULT_FLOW_H
#define WATCHDOG_VAULT_FLOW_H

#include <stdbool.h>
#include <sys/types.h>
#include <watchdog/error.h>

/* Takes all of the bytes or fails; they are lent for the call. */
struct wd_sink {
	void *data;
	bool (*put)(void *data, const void *bytes, size_t length, struct wd_error *error);
};

/* Lends the next bytes until the next call: how many, 0 at the end, -1 failed. */
struct wd_source {
	void *data;
	ssize_t (*get)(void *data, const void **ret_bytes, struct wd_error *error);
};

#endif
