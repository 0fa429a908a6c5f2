/* version.h: which version of the API is spoken. Pure. No single fixed version covers Engine 20.10 (at most 1.41) and
 * 29 (at least 1.44): so it is the lower of the Engine's newest and ours (engine.md section 8).
 */
#ifndef WATCHDOG_ENGINE_VERSION_H
#define WATCHDOG_ENGINE_VERSION_H

#include <watchdog/error.h>

#define WD_API_NEWEST 1051 /* 1.51, the newest that was tested (Engine 28) */
#define WD_API_OLDEST 1041 /* 1.41: Engine 20.10 */
#define WD_API_TEXT 16

struct wd_api_offer {
	const char *newest; /* the Engine's ApiVersion, or NULL where it does not say */
	const char *oldest; /* its MinAPIVersion, or NULL */
	const char *fixed;  /* DOCKER_API_VERSION, or NULL */
};

/* "1.45" is 1045; a leading "v" is fine. 0 for what is no version. */
int wd_api_parse(const char *text);
const char *wd_api_print(int api, char buffer[static WD_API_TEXT]);

/* WD_ERROR_UNREACHABLE where there is no version that both speak; WD_ERROR_USAGE for a fixed one that is none. */
bool wd_api_choose(const struct wd_api_offer *offer, int *ret_api, struct wd_error *error);

/* Whether this complaint of a 400 says that the Engine does not speak the version of our path any more. */
bool wd_api_refused(const char *complaint);

#endif
