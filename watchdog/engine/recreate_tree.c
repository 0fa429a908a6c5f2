/* What the files of recreate ask of JSON trees. */
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

bool wd_tree_empty(const struct wd_json *json)
{
	if (json == NULL || wd_json_is_null(json))
		return true;
	if (wd_json_is_string(json))
		return *wd_json_string(json, "") == '\0';
	if (wd_json_is_array(json) || wd_json_is_object(json))
		return wd_json_first(json) == NULL;
	return wd_json_is_number(json) ? wd_json_double(json, 1) == 0 : !wd_json_bool(json, true);
}

static bool arrays_equal(const struct wd_json *one, const struct wd_json *two)
{
	const struct wd_json *left = wd_json_first(one), *right = wd_json_first(two);

	while (left && right && wd_tree_equal(left, right)) {
		left = wd_json_next(left);
		right = wd_json_next(right);
	}
	return left == NULL && right == NULL;
}

/* Whether all that the one has is in the other as well. A name with "" is more than no name: a tmpfs without options. */
static bool object_within(const struct wd_json *one, const struct wd_json *two)
{
	struct wd_map *members = wd_tree_members(two);
	bool within = true;

	for (const struct wd_json *member = wd_json_first(one); member && within; member = wd_json_next(member)) {
		const struct wd_json *other = wd_map_get(members, wd_json_name(member));

		within = (other || !wd_json_is_string(member)) && wd_tree_equal(member, other);
	}
	wd_map_free(members);
	return within;
}

bool wd_tree_equal(const struct wd_json *one, const struct wd_json *two)
{
	if (wd_tree_empty(one) || wd_tree_empty(two))
		return wd_tree_empty(one) && wd_tree_empty(two);
	if (wd_json_is_array(one))
		return wd_json_is_array(two) && arrays_equal(one, two);
	if (wd_json_is_object(one))
		return wd_json_is_object(two) && object_within(one, two) && object_within(two, one);
	WD_AUTO_FREE char *left = wd_json_print(one);
	WD_AUTO_FREE char *right = wd_json_print(two);
	return strcmp(left, right) == 0;
}

const char *wd_tree_string(const struct wd_json *object, const char *path)
{
	return wd_json_string(wd_json_path(object, path), "");
}

struct wd_map *wd_tree_members(const struct wd_json *object)
{
	struct wd_map *map = wd_map_new();

	if (wd_json_is_object(object))
		for (struct wd_json *member = wd_json_first(object); member; member = wd_json_next(member))
			if (wd_map_get(map, wd_json_name(member)) == NULL)
				wd_map_set(map, wd_json_name(member), member);
	return map;
}

struct wd_map *wd_tree_strings(const struct wd_json *array)
{
	struct wd_map *map = wd_map_new();

	for (struct wd_json *item = wd_json_first(array); item; item = wd_json_next(item))
		if (wd_json_is_string(item))
			wd_map_set(map, wd_json_string(item, ""), item);
	return map;
}

char *wd_tree_target(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return wd_copy_part(path, length);
}

bool wd_recreate_is(const struct wd_json *inspect, const char *reference)
{
	const char *id = wd_tree_string(inspect, "Id"), *name = wd_tree_string(inspect, "Name");

	if (*reference == '\0')
		return false;
	name += *name == '/';
	reference += *reference == '/';
	return strcmp(name, reference) == 0 || (strlen(reference) >= WD_SHORT_ID && wd_text_starts(id, reference));
}
