/* pull.c: an image is asked of its registry: the call, what the registry wants to know first, and what came of it. */
#include "plan.h"
#include <string.h>
#include <watchdog/memory.h>

enum { REFERENCE_MAX = 512 };

/* It goes into a path as it is. Where it comes from a label, anybody may have written it. */
bool wd_pull_is_reference(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
	size_t length = strlen(text);

	return length > 0 && length <= REFERENCE_MAX && strspn(text, allowed) == length && !strstr(text, "..") &&
	       !strstr(text, "//") && !strchr("./-:@", text[0]);
}

/* "acme/web@sha256:…" is that repository and that digest; a tag is a part of the name. */
static size_t split(const char *reference, const char **ret_tag)
{
	const char *at = strchr(reference, '@'), *slash = strrchr(reference, '/');
	const char *colon = strchr(slash ? slash : reference, ':');

	*ret_tag = at ? at + 1 : colon ? colon + 1 : "latest";
	return at ? (size_t)(at - reference) : colon ? (size_t)(colon - reference) : strlen(reference);
}

static char *repository_of(const char *reference)
{
	const char *tag;

	return wd_copy_part(reference, split(reference, &tag));
}

char *wd_pull_path(const char *reference)
{
	const char *tag;
	size_t length = split(reference, &tag);

	return wd_format("/images/create?fromImage=%.*s&tag=%s", (int)length, reference, tag);
}

char *wd_pull_auth(const struct wd_outside *outside, const char *reference)
{
	WD_AUTO_FREE char *repository = repository_of(reference);

	return outside->credentials ? outside->credentials(outside->data, repository) : NULL;
}

/* The answer is 200 before the pull begins: whether it went well, its lines tell. */
static char *find_complaint(const char *body)
{
	WD_AUTO_FREE char *copy = wd_copy(body);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\r\n"))) {
		WD_AUTO_JSON struct wd_json *json = *line ? wd_json_parse(line, strlen(line), NULL) : NULL;
		const char *why = wd_json_string(wd_json_get(json, "error"), NULL);
		if (why)
			return wd_copy(why);
	}
	return NULL;
}

char *wd_pull_complaint(const struct wd_outside *outside, const char *reference, const struct wd_engine_answer *answer)
{
	WD_AUTO_FREE char *repository = repository_of(reference);
	WD_AUTO_FREE char *helper = NULL, *why = NULL;

	if (answer->end != WD_HTTP_ANSWERED)
		return wd_copy(answer->why);
	if (answer->status < 200 || answer->status > 299)
		why = wd_format("engine said %d%s%s", answer->status, *answer->why ? ": " : "", answer->why);
	else
		why = find_complaint(answer->body);
	if (!why)
		return NULL;
	helper = outside->helper ? outside->helper(outside->data, repository) : NULL;
	return wd_format("%s%s%s%s", why,
			 helper ? " (what its registry wants to know is kept by docker-credential-" : "",
			 helper ? helper : "",
			 helper ? ", and seadog runs no such program: it reads `auths` in config.json alone)" : "");
}
