#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/digest.h>
#include <watchdog/json.h>
#include <watchdog/memory.h>

#include "context.h"

#define FILE_LIMIT ((size_t)1 << 20)

static bool read_all(int descriptor, struct wd_text *text)
{
	char block[4096];
	for (;;) {
		ssize_t got = read(descriptor, block, sizeof block);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		wd_text_put(text, block, (size_t)got);
		if (text->length > FILE_LIMIT) {
			errno = EFBIG;
			return false;
		}
	}
}

/* errno says why not. A file only: a pipe that somebody put there would block. */
static bool read_file(const char *path, struct wd_text *text)
{
	struct stat status;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (descriptor < 0)
		return false;
	bool good = fstat(descriptor, &status) == 0;
	if (good && !S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		good = false;
	}
	good = good && read_all(descriptor, text);
	int number = errno;
	close(descriptor);
	errno = number;
	return good;
}

static bool is_context_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
	return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

static bool check_name(const char *name, struct wd_error *error)
{
	if (is_context_name(name))
		return true;
	WD_AUTO_TEXT struct wd_text shown = {0};
	wd_text_escape(&shown, name, strlen(name), 100);
	return wd_fail(error, WD_ERROR_USAGE, "\"%s\" is no name of a docker context", wd_text_get(&shown));
}

/* A document that is broken is a wrong configuration here. */
static struct wd_json *parse(const char *text, size_t length, struct wd_error *error)
{
	struct wd_json *json = wd_json_parse(text, length, error);
	if (!json && error)
		error->kind = WD_ERROR_USAGE;
	return json;
}

bool wd_context_current(const char *text, size_t length, char **ret_name, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *config = parse(text, length, error);
	if (!config)
		return false;
	if (!wd_json_is_object(config))
		return wd_fail(error, WD_ERROR_USAGE, "not a JSON object");
	struct wd_json *current = wd_json_get(config, "currentContext");
	if (current && !wd_json_is_string(current) && !wd_json_is_null(current))
		return wd_fail(error, WD_ERROR_USAGE, "currentContext is not a string");
	const char *name = wd_json_string(current, "");
	bool is_default = name[0] == '\0' || strcmp(name, "default") == 0;
	if (!is_default && !check_name(name, error))
		return wd_fail_in(error, "currentContext");
	*ret_name = is_default ? NULL : wd_copy(name);
	return true;
}

bool wd_context_read(const char *text, size_t length, char **ret_host, bool *ret_insecure, struct wd_error *error)
{
	WD_AUTO_JSON struct wd_json *meta = parse(text, length, error);
	if (!meta)
		return false;
	const struct wd_json *docker = wd_json_path(meta, "Endpoints.docker");
	const char *host = wd_json_string(wd_json_get(docker, "Host"), "");
	if (!wd_json_is_object(docker))
		return wd_fail(error, WD_ERROR_USAGE, "it has no endpoint named \"docker\"");
	if (host[0] == '\0')
		return wd_fail(error, WD_ERROR_USAGE, "its endpoint \"docker\" names no host");
	*ret_host = wd_copy(host);
	*ret_insecure = wd_json_bool(wd_json_get(docker, "SkipTLSVerify"), false);
	return true;
}

void wd_context_done(struct wd_context *context)
{
	free(context->host);
	free(context->tls_ca);
	free(context->tls_cert);
	free(context->tls_key);
	*context = (struct wd_context){0};
}

bool wd_context_in_use(const char *directory, bool must, char **ret_name, struct wd_error *error)
{
	WD_AUTO_FREE char *path = wd_format("%s/config.json", directory);
	WD_AUTO_TEXT struct wd_text text = {0};
	if (!read_file(path, &text)) {
		if (errno != ENOENT && errno != ENOTDIR && (must || errno != EACCES))
			return wd_fail_errno(error, WD_ERROR_USAGE, "%s", path);
		*ret_name = NULL;
		return true;
	}
	if (!wd_context_current(wd_text_get(&text), text.length, ret_name, error))
		return wd_fail_in(error, "%s", path);
	return true;
}

char *wd_context_file(const char *directory, const char *name)
{
	char *path = wd_format("%s/%s", directory, name);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static void find_tls_files(const char *directory, const char *hash, struct wd_context *context)
{
	WD_AUTO_FREE char *store = wd_format("%s/contexts/tls/%s/docker", directory, hash);
	context->tls_ca = wd_context_file(store, "ca.pem");
	context->tls_cert = wd_context_file(store, "cert.pem");
	context->tls_key = wd_context_file(store, "key.pem");
}

bool wd_context_load(const char *directory, const char *name, struct wd_context *ret_context, struct wd_error *error)
{
	char hex[WD_DIGEST_TEXT];
	struct wd_context context = {0};
	WD_AUTO_TEXT struct wd_text text = {0};
	if (!check_name(name, error))
		return false;
	wd_digest_of(name, strlen(name), hex);
	WD_AUTO_FREE char *path = wd_format("%s/contexts/meta/%s/meta.json", directory, hex);
	if (!read_file(path, &text)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return wd_fail(error, WD_ERROR_USAGE,
				       "there is no such context in %s (docker context ls lists them)", directory);
		return wd_fail_errno(error, WD_ERROR_USAGE, "%s", path);
	}
	if (!wd_context_read(wd_text_get(&text), text.length, &context.host, &context.tls_insecure, error))
		return wd_fail_in(error, "%s", path);
	find_tls_files(directory, hex, &context);
	*ret_context = context;
	return true;
}

/* --- registries --- */

#define DOCKER_HUB "https://index.docker.io/v1/"

/* What stands before the first slash is a registry if it looks like a host, as the client has it. */
static char *registry_of(const char *image)
{
	size_t length = strcspn(image, "/");
	WD_AUTO_FREE char *first = wd_copy_part(image, length);
	bool host = image[length] == '/' && (strpbrk(first, ".:") || strcmp(first, "localhost") == 0);
	return wd_copy(host && strcmp(first, "docker.io") != 0 ? first : DOCKER_HUB);
}

/* "user:password" in base64, as `docker login` writes it where there is no helper. */
static bool take_login(const char *encoded, struct wd_json *login)
{
	size_t length = 0;
	WD_AUTO_FREE char *plain = wd_base64_parse(encoded, &length);
	char *colon = plain ? strchr(plain, ':') : NULL;
	if (!colon)
		return false;
	*colon = '\0';
	wd_json_set_string(login, "username", plain);
	wd_json_set_string(login, "password", colon + 1);
	wd_wipe(plain, length);
	return true;
}

static char *encode_login(const struct wd_json *login)
{
	WD_AUTO_FREE char *text = wd_json_print(login);
	return wd_base64_print(text, strlen(text), true);
}

char *wd_context_login(const char *text, size_t length, const char *image)
{
	WD_AUTO_JSON struct wd_json *config = wd_json_parse(text, length, NULL);
	WD_AUTO_JSON struct wd_json *login = wd_json_object();
	WD_AUTO_FREE char *registry = registry_of(image);
	WD_AUTO_FREE char *address = wd_format("https://%s", registry);
	const struct wd_json *auths = wd_json_get(config, "auths"), *found = wd_json_get(auths, registry);
	if (!found)
		found = wd_json_get(auths, address);
	const char *encoded = wd_json_string(wd_json_get(found, "auth"), "");
	const char *identity = wd_json_string(wd_json_get(found, "identitytoken"), "");
	wd_json_set_string(login, "serveraddress", registry);
	if (*identity)
		wd_json_set_string(login, "identitytoken", identity);
	else if (!*encoded || !take_login(encoded, login))
		return NULL;
	return encode_login(login);
}

/* `credHelpers` has one for each registry, `credsStore` one for the others. */
char *wd_context_helper(const char *text, size_t length, const char *image)
{
	WD_AUTO_JSON struct wd_json *config = wd_json_parse(text, length, NULL);
	WD_AUTO_FREE char *registry = registry_of(image);
	WD_AUTO_FREE char *login = wd_context_login(text, length, image);
	const char *own = wd_json_string(wd_json_get(wd_json_get(config, "credHelpers"), registry), "");
	const char *common = wd_json_string(wd_json_get(config, "credsStore"), "");
	if (login)
		return NULL;
	return *own ? wd_copy(own) : *common ? wd_copy(common) : NULL;
}

char *wd_context_keeper(const char *directory, const char *image)
{
	WD_AUTO_FREE char *path = wd_format("%s/config.json", directory);
	WD_AUTO_TEXT struct wd_text text = {0};
	return read_file(path, &text) ? wd_context_helper(wd_text_get(&text), text.length, image) : NULL;
}

char *wd_context_credentials(const char *directory, const char *image)
{
	WD_AUTO_FREE char *path = wd_format("%s/config.json", directory);
	WD_AUTO_TEXT struct wd_text text = {0};
	return read_file(path, &text) ? wd_context_login(wd_text_get(&text), text.length, image) : NULL;
}
