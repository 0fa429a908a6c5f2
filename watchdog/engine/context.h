/* context.h: the docker client's files: config.json and the store of contexts (docker/cli 28.5 cli/context/store). */
#ifndef WATCHDOG_ENGINE_CONTEXT_H
#define WATCHDOG_ENGINE_CONTEXT_H

#include <watchdog/endpoint.h>

struct wd_context {
	char *host;
	bool tls_insecure;
	char *tls_ca, *tls_cert, *tls_key; /* files that are there, or NULL */
};
void wd_context_done(struct wd_context *context);

/* The context that directory/config.json has in use; NULL for none or "default". That there is no such file is no error;
 * that it may not be read is one only if somebody named the directory (`must`): a home of another user, as services under
 * ProtectHome= have it, is nobody's choice. */
bool wd_context_in_use(const char *directory, bool must, char **ret_name, struct wd_error *error);

/* Loads directory/contexts/{meta,tls}/<sha256 of the name>. */
bool wd_context_load(const char *directory, const char *name, struct wd_context *ret_context, struct wd_error *error);

/* The X-Registry-Auth for the registry of an image, by `auths` of directory/config.json; NULL where it has none there, also
 * where a helper keeps it: no program of somebody else's is run. The caller frees. */
char *wd_context_credentials(const char *directory, const char *image);
/* The name of that helper, or NULL. The caller frees. */
char *wd_context_keeper(const char *directory, const char *image);

/* The path of a file of the directory if it is there, else NULL. The caller frees. */
char *wd_context_file(const char *directory, const char *name);

#endif
