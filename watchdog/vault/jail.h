/* jail.h: what the vault's process gives up before it touches a volume, for good. */
#ifndef WATCHDOG_VAULT_JAIL_H
#define WATCHDOG_VAULT_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <watchdog/error.h>

struct wd_jail_place {
	int descriptor; /* of a directory that is open; what is beneath it stays within reach */
	bool write;
};

/* No network and no new socket, no other program, no rights but those that reading and owning files takes, no core, and with
 * Landlock no file outside `places`. Fails where it would be left with a network. */
bool wd_jail_enter(const struct wd_jail_place *places, size_t count, struct wd_error *error);

/* The version of Landlock that is used; 0: the kernel has none, or the first, which would forbid hard links. */
int wd_jail_landlock(void);
bool wd_jail_has_filter(void); /* the kernel can forbid system calls */
bool wd_jail_owns_files(void); /* this process may read what is others', and give it back to them */

#endif
