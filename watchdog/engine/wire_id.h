/* wire_id.h: what an id is. Ids go into the paths of calls, so nothing else is ever taken for one. */
#ifndef WATCHDOG_ENGINE_WIRE_ID_H
#define WATCHDOG_ENGINE_WIRE_ID_H

#include <stdbool.h>
#include <string.h>

static inline bool wd_wire_is_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

#endif
