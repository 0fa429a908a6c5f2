/* The docker client's config.json, a context's meta.json and a host, from foreign bytes to an address. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/endpoint.h>
#include <watchdog/memory.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void try_host(const char *host, bool tls)
{
	struct wd_endpoint endpoint = {0};
	struct wd_error error = {0};
	if (!wd_endpoint_parse(host, tls, &endpoint, &error)) {
		assert(error.kind == WD_ERROR_USAGE && error.text[0] && !endpoint.base_url && !endpoint.socket_path);
		return;
	}
	assert(endpoint.host && strncmp(endpoint.base_url, "http", 4) == 0);
	assert(!endpoint.base_url[strcspn(endpoint.base_url, " \t\r\n")]);
	assert(!endpoint.socket_path || endpoint.socket_path[0] == '/');
	/* What was found is found again from how it is shown. */
	struct wd_endpoint again = {0};
	assert(wd_endpoint_parse(endpoint.host, tls, &again, &error));
	assert(strcmp(again.base_url, endpoint.base_url) == 0 && strcmp(again.host, endpoint.host) == 0);
	wd_endpoint_done(&again);
	wd_endpoint_done(&endpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	WD_AUTO_FREE char *text = wd_copy_part((const char *)bytes, length);
	WD_AUTO_FREE char *name = NULL;
	WD_AUTO_FREE char *host = NULL;
	bool insecure = false;
	try_host(text, false);
	try_host(text, true);
	if (wd_context_current(text, length, &name, NULL) && name)
		assert(name[0] && !strchr(name, '/'));
	if (wd_context_read(text, length, &host, &insecure, NULL)) {
		assert(host[0]);
		try_host(host, insecure);
	}
	return 0;
}
