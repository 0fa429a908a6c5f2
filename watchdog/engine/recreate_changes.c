/* What the change of the image changes: the configuration as it is, beside what the Engine will make of the body. */
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

#define VALUE_MOST 120

static void add_name(struct wd_list *lines, const char *member, const char *sign, const char *name)
{
	WD_AUTO_TEXT struct wd_text line = {0};

	wd_text_print(&line, "%s: %s ", member, sign);
	wd_text_escape(&line, name, strlen(name), VALUE_MOST);
	wd_list_add(lines, wd_text_get(&line));
}

/* By name: "+" new, "-" gone, "~" another value. */
static void add_names(struct wd_list *lines, const char *member, const struct wd_map *was, const struct wd_map *is)
{
	for (struct wd_map_entry *entry = wd_map_first(was); entry; entry = wd_map_next(entry)) {
		const struct wd_json *now = wd_map_get(is, wd_map_key(entry));

		if (now == NULL)
			add_name(lines, member, "-", wd_map_key(entry));
		else if (!wd_tree_equal(now, wd_map_value(entry)))
			add_name(lines, member, "~", wd_map_key(entry));
	}
	for (struct wd_map_entry *entry = wd_map_first(is); entry; entry = wd_map_next(entry))
		if (wd_map_get(was, wd_map_key(entry)) == NULL)
			add_name(lines, member, "+", wd_map_key(entry));
}

static struct wd_map *variables(const struct wd_json *env)
{
	struct wd_map *map = wd_map_new();

	for (struct wd_json *entry = wd_json_first(env); entry; entry = wd_json_next(entry)) {
		const char *text = wd_json_string(entry, "");
		WD_AUTO_FREE char *name = wd_copy_part(text, strcspn(text, "="));

		wd_map_set(map, name, entry);
	}
	return map;
}

static void add_value(struct wd_list *lines, const char *member, const struct wd_json *was, const struct wd_json *is)
{
	WD_AUTO_FREE char *old = was ? wd_json_print(was) : wd_copy("null");
	WD_AUTO_FREE char *new = is ? wd_json_print(is) : wd_copy("null");
	WD_AUTO_TEXT struct wd_text line = {0};

	wd_text_print(&line, "%s: ", member);
	wd_text_escape(&line, new, strlen(new), VALUE_MOST);
	wd_text_add(&line, ", was ");
	wd_text_escape(&line, old, strlen(old), VALUE_MOST);
	wd_list_add(lines, wd_text_get(&line));
}

static void add_changes(const struct wd_json *was, const struct wd_json *is, struct wd_list *lines)
{
	static const char *const plain[] = {"Entrypoint", "Cmd", "User", "WorkingDir", "StopSignal", "Healthcheck"};
	static const char *const sets[] = {"Labels", "Volumes", "ExposedPorts"};
	struct wd_map *old = variables(wd_json_get(was, "Env")), *new = variables(wd_json_get(is, "Env"));

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!wd_tree_equal(wd_json_get(was, plain[i]), wd_json_get(is, plain[i])))
			add_value(lines, plain[i], wd_json_get(was, plain[i]), wd_json_get(is, plain[i]));
	add_names(lines, "Env", old, new);
	wd_map_free(old);
	wd_map_free(new);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		old = wd_tree_members(wd_json_get(was, sets[i]));
		new = wd_tree_members(wd_json_get(is, sets[i]));
		add_names(lines, sets[i], old, new);
		wd_map_free(old);
		wd_map_free(new);
	}
}

void wd_recreate_changes(const struct wd_recreate_source *source, const struct wd_recreate *recreate,
			 struct wd_list *ret_lines)
{
	struct wd_parts parts;
	WD_AUTO_JSON struct wd_json *body = wd_json_parse(recreate->body, strlen(recreate->body), NULL);

	if (wd_parts_open(&parts, source, NULL) && body) {
		WD_AUTO_JSON struct wd_json *merged = wd_recreate_merged(body, parts.target);

		add_changes(parts.config, merged, ret_lines);
	}
	wd_parts_done(&parts);
}
