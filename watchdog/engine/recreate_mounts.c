/* Volumes: what is mounted and has no name in the configuration is carried along by the name that the Engine gave it. */
#include <string.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

/* Set: path -> anything but NULL. */
static void add_target(struct wd_map *targets, const char *path)
{
	WD_AUTO_FREE char *target = wd_tree_target(path);

	wd_map_set(targets, target, targets);
}

static bool has_target(const struct wd_map *targets, const char *path)
{
	WD_AUTO_FREE char *target = wd_tree_target(path);

	return wd_map_get(targets, target) != NULL;
}

static struct wd_map *targets_of(const struct wd_json *object)
{
	struct wd_map *targets = wd_map_new();

	if (wd_json_is_object(object))
		for (const struct wd_json *member = wd_json_first(object); member; member = wd_json_next(member))
			add_target(targets, wd_json_name(member));
	return targets;
}

/* "SOURCE:TARGET[:OPTIONS]" or, for an anonymous volume, "TARGET". The caller frees. */
static char *bind_target(const char *bind)
{
	const char *colon = strchr(bind, ':');
	const char *target = colon ? colon + 1 : bind;

	return wd_copy_part(target, strcspn(target, ":"));
}

/* Everything that the configuration says is mounted. */
static struct wd_map *declared_targets(const struct wd_json *host)
{
	struct wd_map *targets = targets_of(wd_json_get(host, "Tmpfs"));
	const struct wd_json *binds = wd_json_get(host, "Binds"), *mounts = wd_json_get(host, "Mounts");

	for (const struct wd_json *bind = wd_json_first(binds); bind; bind = wd_json_next(bind)) {
		WD_AUTO_FREE char *target = bind_target(wd_json_string(bind, ""));

		add_target(targets, target);
	}
	for (const struct wd_json *mount = wd_json_first(mounts); mount; mount = wd_json_next(mount))
		add_target(targets, wd_tree_string(mount, "Target"));
	return targets;
}

/* ---- names of volumes ---- */

static bool is_volume(const struct wd_json *mount)
{
	return strcmp(wd_tree_string(mount, "Type"), "volume") == 0;
}

static bool is_confirmed(const struct wd_json *volumes, const char *name, const char *place)
{
	const struct wd_json *list = wd_json_get(volumes, "Volumes");

	if (volumes == NULL)
		return true;
	for (const struct wd_json *volume = wd_json_first(list); volume; volume = wd_json_next(volume))
		if (strcmp(wd_tree_string(volume, "Name"), name) == 0)
			return strcmp(wd_tree_string(volume, "Mountpoint"), place) == 0;
	return false;
}

char *wd_recreate_volume_name(const struct wd_json *mount, const struct wd_json *volumes)
{
	const char *shown = wd_tree_string(mount, "Name"), *place = wd_tree_string(mount, "Source");
	static const char end[] = "/_data";
	size_t length = strlen(place), tail = strlen(end);

	if (*shown)
		return wd_copy(shown);
	if (length <= tail || strcmp(place + length - tail, end) != 0)
		return NULL;
	WD_AUTO_FREE char *folder = wd_copy_part(place, length - tail);
	const char *slash = strrchr(folder, '/');

	if (slash == NULL || slash[1] == '\0' || !is_confirmed(volumes, slash + 1, place))
		return NULL;
	return wd_copy(slash + 1);
}

static const struct wd_json *find_mount(const struct wd_parts *parts, const char *path)
{
	WD_AUTO_FREE char *wanted = wd_tree_target(path);

	for (const struct wd_json *mount = wd_json_first(parts->mounts); mount; mount = wd_json_next(mount)) {
		WD_AUTO_FREE char *target = wd_tree_target(wd_tree_string(mount, "Destination"));

		if (strcmp(target, wanted) == 0)
			return mount;
	}
	return NULL;
}

static bool no_name(const char *path, struct wd_error *error)
{
	return wd_fail(error, WD_ERROR_REFUSED,
		       "what is in %s would be lost: the Engine does not tell the name of the volume there", path);
}

/* ---- what is given without a name ---- */

static char *named_bind(const struct wd_parts *parts, const char *target)
{
	const struct wd_json *mount = find_mount(parts, target);
	WD_AUTO_FREE char *name = is_volume(mount) ? wd_recreate_volume_name(mount, parts->source->volumes) : NULL;

	return name ? wd_format("%s:%s", name, target) : NULL;
}

/* The list of binds anew, and where the body's stands. */
static bool name_binds(struct wd_parts *parts, struct wd_error *error)
{
	const struct wd_json *binds = wd_json_get(parts->host, "Binds");

	if (wd_json_first(binds) == NULL)
		return true;
	struct wd_json *given = wd_json_set(parts->body_host, "Binds", wd_json_array());

	for (const struct wd_json *bind = wd_json_first(binds); bind; bind = wd_json_next(bind)) {
		const char *text = wd_json_string(bind, "");
		WD_AUTO_FREE char *named = strchr(text, ':') ? wd_copy(text) : named_bind(parts, text);

		if (named == NULL)
			return no_name(text, error);
		wd_json_add(given, wd_json_text(named));
	}
	return true;
}

/* Engines before 1.42 took options of another type than the mount's and stored them; later ones refuse them. */
static void drop_foreign_options(struct wd_json *mount)
{
	static const char *const options[][2] = {
		{"bind", "BindOptions"},   {"volume", "VolumeOptions"},   {"tmpfs", "TmpfsOptions"},
		{"image", "ImageOptions"}, {"cluster", "ClusterOptions"},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(wd_tree_string(mount, "Type"), options[i][0]) != 0)
			wd_json_remove(mount, options[i][1]);
}

static bool name_mounts(struct wd_parts *parts, struct wd_error *error)
{
	struct wd_json *mounts = wd_json_get(parts->body_host, "Mounts");

	for (struct wd_json *mount = wd_json_first(mounts); mount; mount = wd_json_next(mount)) {
		const char *target = wd_tree_string(mount, "Target");

		if (!wd_json_is_object(mount))
			continue;
		if (parts->api >= 1042)
			drop_foreign_options(mount);
		if (!is_volume(mount) || *wd_tree_string(mount, "Source"))
			continue;
		const struct wd_json *mounted = find_mount(parts, target);
		WD_AUTO_FREE char *name = wd_recreate_volume_name(mounted, parts->source->volumes);

		if (name == NULL)
			return no_name(target, error);
		wd_json_set_string(mount, "Source", name);
	}
	return true;
}

/* ---- volumes from other containers ---- */

static bool exists(const struct wd_json *others, const char *reference)
{
	for (const struct wd_json *other = wd_json_first(others); other; other = wd_json_next(other))
		if (wd_recreate_is(other, reference))
			return true;
	return false;
}

/* Whether one of those they came from is gone: its entry is dropped, and what it brought is given by name. */
static bool drop_gone_sources(struct wd_parts *parts)
{
	struct wd_json *sources = wd_json_get(parts->body_host, "VolumesFrom");
	bool gone = false;

	if (parts->source->others == NULL)
		return false;
	for (struct wd_json *source = wd_json_first(sources); source;) {
		const char *text = wd_json_string(source, "");
		WD_AUTO_FREE char *name = wd_copy_part(text, strcspn(text, ":"));

		if (exists(parts->source->others, name)) {
			source = wd_json_next(source);
			continue;
		}
		wd_parts_warn(parts, "%s, which it has volumes from, is gone: they are given by their names", name);
		source = wd_json_drop(sources, source);
		gone = true;
	}
	return gone;
}

/* ---- what is mounted, but not in the configuration ---- */

struct undeclared {
	struct wd_map *declared, *given, *broken, *target; /* targets */
	bool from_others;                                  /* HostConfig has VolumesFrom, and all of them are there */
};

static struct wd_json *get_binds(struct wd_parts *parts)
{
	struct wd_json *binds = wd_json_get(parts->body_host, "Binds");

	return wd_json_is_array(binds) ? binds : wd_json_set(parts->body_host, "Binds", wd_json_array());
}

static void carry(struct wd_parts *parts, const struct wd_json *mount, const char *source)
{
	const char *path = wd_tree_string(mount, "Destination");
	bool writes = wd_json_bool(wd_json_get(mount, "RW"), true);
	WD_AUTO_FREE char *bind = wd_format("%s:%s%s", source, path, writes ? "" : ":ro");

	wd_json_add(get_binds(parts), wd_json_text(bind));
}

static bool carry_volume(struct wd_parts *parts, const struct undeclared *known, const struct wd_json *mount,
			 struct wd_error *error)
{
	const char *path = wd_tree_string(mount, "Destination");
	bool images = has_target(known->broken, path);
	bool given = has_target(known->given, path) && !images;
	WD_AUTO_FREE char *name = wd_recreate_volume_name(mount, parts->source->volumes);

	if (!given && !images && known->from_others)
		return true;
	if (images && !has_target(known->target, path)) {
		/* the target image may have files of its own there, which it would hide */
		wd_list_add(&parts->result->left_behind, name ? name : wd_tree_string(mount, "Source"));
		return true;
	}
	if (name == NULL)
		return no_name(path, error);
	carry(parts, mount, name);
	return true;
}

static int by_target(const void *one, const void *two)
{
	const struct wd_json *const *left = one, *const *right = two;

	return strcmp(wd_tree_string(*left, "Destination"), wd_tree_string(*right, "Destination"));
}

/* The Engine shows them in another order each time; the body is the same each time. The caller frees. */
static const struct wd_json **sort_mounts(const struct wd_json *mounts, size_t *ret_count)
{
	size_t count = 0;
	const struct wd_json **sorted = wd_alloc(wd_json_count(mounts) + 1, sizeof(*sorted));

	for (const struct wd_json *mount = wd_json_first(mounts); mount; mount = wd_json_next(mount))
		sorted[count++] = mount;
	qsort(sorted, count, sizeof(struct wd_json *), by_target);
	*ret_count = count;
	return sorted;
}

static bool carry_all(struct wd_parts *parts, const struct undeclared *known, bool gone, struct wd_error *error)
{
	size_t count;
	WD_AUTO_FREE const struct wd_json **sorted = sort_mounts(parts->mounts, &count);

	for (size_t i = 0; i < count; i++) {
		const struct wd_json *mount = sorted[i];
		bool bind = strcmp(wd_tree_string(mount, "Type"), "bind") == 0;

		if (has_target(known->declared, wd_tree_string(mount, "Destination")))
			continue;
		if (is_volume(mount) && !carry_volume(parts, known, mount, error))
			return false;
		if (bind && gone)
			carry(parts, mount, wd_tree_string(mount, "Source"));
	}
	return true;
}

bool wd_recreate_mounts(struct wd_parts *parts, struct wd_error *error)
{
	if (!name_binds(parts, error) || !name_mounts(parts, error))
		return false;
	if (parts->source->podman)
		return true; /* its Binds already list all volumes */
	bool gone = drop_gone_sources(parts);
	struct undeclared known = {
		declared_targets(parts->host),
		targets_of(wd_json_get(parts->config, "Volumes")),
		targets_of(wd_json_get(parts->broken, "Volumes")),
		targets_of(wd_json_get(parts->target, "Volumes")),
		!gone && wd_json_first(wd_json_get(parts->host, "VolumesFrom")) != NULL,
	};
	bool carried = carry_all(parts, &known, gone, error);

	wd_map_free(known.declared);
	wd_map_free(known.given);
	wd_map_free(known.broken);
	wd_map_free(known.target);
	return carried;
}
