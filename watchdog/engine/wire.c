#include <watchdog/memory.h>
#include <watchdog/wire.h>

#include "wire_id.h"

bool wd_wire_list(const struct wd_json *list, struct wd_list *ret_ids, struct wd_error *error)
{
	struct wd_list ids = {0};
	size_t index = 0;
	if (!wd_json_is_array(list))
		return wd_fail(error, WD_ERROR_FAILED, "list: no JSON array");
	for (struct wd_json *item = wd_json_first(list); item; item = wd_json_next(item), index++) {
		const char *id = wd_json_string(wd_json_get(item, "Id"), NULL);
		if (id == NULL || !wd_wire_is_id(id)) {
			wd_list_done(&ids);
			return wd_fail(error, WD_ERROR_FAILED, "list: [%zu].Id is %s", index,
				       id ? "not 64 hexadecimal digits" : "no string");
		}
		wd_list_add(&ids, id);
	}
	wd_list_done(ret_ids);
	*ret_ids = ids;
	return true;
}

/* %7B"type"%3A["container"]… with everything escaped that a URL may not hold. The list has "health_status", so the
 * Engine matches every word as a prefix: none of them begins like an exec's event. Podman has "remove" for "destroy". */
#define QUOTED(word) "%22" word "%22"
#define COMMA "%2C"
#define EVENT_WORDS                                                                                                    \
	QUOTED("create")                                                                                               \
	COMMA QUOTED("start") COMMA QUOTED("die") COMMA QUOTED("oom") COMMA QUOTED("kill") COMMA QUOTED("stop")        \
		COMMA QUOTED("restart") COMMA QUOTED("pause") COMMA QUOTED("unpause") COMMA QUOTED("update")           \
			COMMA QUOTED("rename") COMMA QUOTED("destroy") COMMA QUOTED("health_status")
#define FILTERS(words)                                                                                                 \
	"%7B" QUOTED("type") "%3A%5B" QUOTED("container") "%5D" COMMA QUOTED("event") "%3A%5B" words "%5D%7D"

const char *wd_wire_filters(bool podman)
{
	return podman ? FILTERS(EVENT_WORDS COMMA QUOTED("remove")) : FILTERS(EVENT_WORDS);
}

static void set_policy(struct wd_json *body, const struct wd_restart_policy *policy)
{
	struct wd_json *part = wd_json_set(body, "RestartPolicy", wd_json_object());

	wd_json_set_string(part, "Name", wd_restart_name(policy->kind));
	/* The Engine refuses a count beside any other policy, and keeps the old one where none is said. */
	wd_json_set_int(part, "MaximumRetryCount", policy->kind == WD_RESTART_ON_FAILURE ? policy->retries : 0);
}

/* A quota goes without its period: that stays as it is, and could not be taken back to nothing set. */
static void set_cpus(struct wd_json *body, const struct wd_cpus *cpus)
{
	if (cpus->nano > 0)
		wd_json_set_int(body, "NanoCpus", cpus->nano);
	else
		wd_json_set_int(body, "CpuQuota", cpus->quota > 0 ? cpus->quota : -1);
}

char *wd_wire_update(const struct wd_restart_policy *policy, const struct wd_cpus *cpus)
{
	WD_AUTO_JSON struct wd_json *body = wd_json_object();

	if (policy)
		set_policy(body, policy);
	if (cpus)
		set_cpus(body, cpus);
	return wd_json_print(body);
}
