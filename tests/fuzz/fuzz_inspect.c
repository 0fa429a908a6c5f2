/* Answers of inspect, of the list and of an image: one document is taken for each of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_container(const struct wd_container *container)
{
	if (strlen(container->id) != 64 || *container->name == '\0' || *container->service == '\0')
		abort();
	if (container->check_patience < 0 || container->check_patience > 15 * WD_MINUTE)
		abort();
	if (container->stop_timeout < 0 || container->stop_signal < 1 || container->stop_signal > 64 ||
	    container->pid < 0)
		abort();
	if (container->policy.kind != WD_RESTART_ON_FAILURE && container->policy.retries != 0)
		abort();
}

static void check_list(const struct wd_json *json)
{
	struct wd_list ids = {0};
	if (wd_wire_list(json, &ids, NULL) && ids.count != wd_json_count(json))
		abort();
	wd_list_done(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_parse((const char *)data, size, NULL);
	WD_AUTO_JSON struct wd_json *labels = wd_wire_image_labels(json);
	WD_AUTO_JSON struct wd_json *none = wd_json_object();
	struct wd_container *given = wd_wire_container(json, none, NULL);
	struct wd_container *inherited = wd_wire_container(json, labels, NULL);
	if (given)
		check_container(given);
	if (given && given->label_count > 0 && !wd_wire_needs_image(json))
		abort();
	if (inherited && inherited->label_count != 0)
		abort();
	const char *image = wd_wire_image_id(json);
	if (image && strpbrk(image, "/?#% "))
		abort();
	wd_container_free(given);
	wd_container_free(inherited);
	check_list(json);
	return 0;
}
