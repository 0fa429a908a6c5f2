#include "version.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int wd_api_parse(const char *text)
{
	unsigned major, minor;
	int end = 0;

	if (!text)
		return 0;
	text += *text == 'v';
	if (strlen(text) > 8 || text[strspn(text, "0123456789.")] != '\0')
		return 0;
	if (sscanf(text, "%3u.%3u%n", &major, &minor, &end) != 2 || text[end] != '\0')
		return 0;
	return (int)(major * 1000 + minor);
}

const char *wd_api_print(int api, char buffer[static WD_API_TEXT])
{
	snprintf(buffer, WD_API_TEXT, "%d.%d", api / 1000, api % 1000);
	return buffer;
}

static bool choose_fixed(const char *fixed, int oldest, int newest, int *ret_api, struct wd_error *error)
{
	int api = wd_api_parse(fixed);

	if (api == 0)
		return wd_fail(error, WD_ERROR_USAGE, "DOCKER_API_VERSION \"%.40s\" is no version such as 1.45", fixed);
	if (api < WD_API_OLDEST)
		return wd_fail(error, WD_ERROR_USAGE, "DOCKER_API_VERSION %.40s is too old: at least 1.41 is needed",
			       fixed);
	if ((newest && api > newest) || (oldest && api < oldest)) {
		char low[WD_API_TEXT], high[WD_API_TEXT];

		return wd_fail(error, WD_ERROR_UNREACHABLE,
			       "DOCKER_API_VERSION fixes API %.40s, but the Engine speaks %s to %s", fixed,
			       oldest ? wd_api_print(oldest, low) : "any", newest ? wd_api_print(newest, high) : "any");
	}
	*ret_api = api;
	return true;
}

bool wd_api_choose(const struct wd_api_offer *offer, int *ret_api, struct wd_error *error)
{
	int newest = wd_api_parse(offer->newest), oldest = wd_api_parse(offer->oldest);
	char text[WD_API_TEXT];

	if (offer->fixed)
		return choose_fixed(offer->fixed, oldest, newest, ret_api, error);
	if (newest == 0)
		return wd_fail(error, WD_ERROR_UNREACHABLE, "it names no API version: no Docker Engine answers there");
	if (newest < WD_API_OLDEST)
		return wd_fail(error, WD_ERROR_UNREACHABLE,
			       "the Engine speaks API %s at most; 1.41 (Docker 20.10) is needed at least",
			       wd_api_print(newest, text));
	if (oldest > WD_API_NEWEST)
		return wd_fail(
			error, WD_ERROR_UNREACHABLE,
			"the Engine speaks API %s at least; this seadog speaks 1.51 at most: a newer one is needed",
			wd_api_print(oldest, text));
	*ret_api = newest < WD_API_NEWEST ? newest : WD_API_NEWEST;
	return true;
}

bool wd_api_refused(const char *complaint)
{
	const char *words = strstr(complaint, "client version ");

	return words && (strstr(words, "too new") || strstr(words, "too old"));
}
