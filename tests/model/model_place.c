/* What is around a container: networks, volumes, files in its writable layer (recreate.md 4.5, 4.7, 10.4). Addresses are
 * taken at a start, as in real Engines, so none are here. */
#include <stdio.h>
#include <string.h>

#include "model_inside.h"

#define TAR_BLOCK 512

/* --- networks --- */

void model_add_network(struct model *model, const char *name)
{
	if (model_has_network(model, name))
		return;
	char id[65];
	model_make_id(model, id);
	wd_list_add(&model->networks, name);
	wd_list_add(&model->network_ids, id);
}

/* By name or by id: its place in the lists, or -1. */
static int find_network(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->networks.count; i++)
		if (wd_text_equal(model->networks.items[i], name) || wd_text_equal(model->network_ids.items[i], name))
			return (int)i;
	return -1;
}

bool model_has_network(const struct model *model, const char *name)
{
	return find_network(model, name) >= 0;
}

static bool is_of_user(const char *network)
{
	return strcmp(network, "bridge") != 0 && strcmp(network, "host") != 0 && strcmp(network, "none") != 0;
}

static void put_member(struct wd_json *endpoint, const struct wd_json *given, const char *name)
{
	const struct wd_json *value = wd_json_get(given, name);
	wd_json_set(endpoint, name, value ? wd_json_clone(value) : wd_json_null());
}

/* Below 1.45 the short id is one of the aliases. */
static struct wd_json *aliases_of(const struct model_container *container, const char *network,
				  const struct wd_json *given)
{
	const struct wd_json *aliases = wd_json_get(given, "Aliases");
	bool adds = container->model->flavour == MODEL_DOCKER_20 && is_of_user(network);
	if (!adds)
		return wd_json_is_array(aliases) ? wd_json_clone(aliases) : wd_json_null();
	struct wd_json *list = wd_json_is_array(aliases) ? wd_json_clone(aliases) : wd_json_array();
	WD_AUTO_FREE char *own = wd_copy_part(container->id, 12);
	wd_json_add(list, wd_json_text(own));
	return list;
}

void model_connect(struct model_container *container, const char *name, const struct wd_json *given)
{
	struct model *model = container->model;
	int index = find_network(model, name);
	const char *network = index < 0 ? name : model->networks.items[index];
	struct wd_json *endpoint = wd_json_set(container->endpoints, network, wd_json_object());
	put_member(endpoint, given, "IPAMConfig");
	put_member(endpoint, given, "Links");
	wd_json_set(endpoint, "Aliases", aliases_of(container, network, given));
	put_member(endpoint, given, "DriverOpts");
	wd_json_set_string(endpoint, "NetworkID", index < 0 ? "" : model->network_ids.items[index]);
	wd_json_set_string(endpoint, "EndpointID", "");
	wd_json_set_string(endpoint, "IPAddress", "");
	wd_json_set_string(endpoint, "MacAddress", "");
}

bool model_disconnect(struct model_container *container, const char *name)
{
	int index = find_network(container->model, name);
	const char *network = index < 0 ? name : container->model->networks.items[index];
	if (!wd_json_get(container->endpoints, network))
		return false;
	wd_json_remove(container->endpoints, network);
	return true;
}

/* The endpoints of a body of create; where it has none, the one that NetworkMode names. */
void model_place_networks(struct model_container *container, const struct wd_json *body)
{
	const struct wd_json *given = wd_json_path(body, "NetworkingConfig.EndpointsConfig");
	WD_AUTO_FREE char *mode = wd_copy(wd_json_string(wd_json_get(container->host, "NetworkMode"), ""));
	if (!*mode || !strcmp(mode, "default"))
		wd_replace(&mode, "bridge");
	wd_json_set_string(container->host, "NetworkMode", strcmp(mode, "bridge") == 0 ? "default" : mode);
	if (!wd_text_starts(mode, "container:") && !wd_json_get(given, mode))
		model_connect(container, mode, NULL);
	for (const struct wd_json *endpoint = wd_json_first(given); endpoint; endpoint = wd_json_next(endpoint))
		model_connect(container, wd_json_name(endpoint), endpoint);
}

char *model_networks_json(const struct model *model)
{
	WD_AUTO_JSON struct wd_json *list = wd_json_array();
	for (size_t i = 0; i < model->networks.count; i++) {
		struct wd_json *network = wd_json_add(list, wd_json_object());
		const char *name = model->networks.items[i];
		wd_json_set_string(network, "Name", name);
		wd_json_set_string(network, "Id", model->network_ids.items[i]);
		wd_json_set_string(network, "Scope", "local");
		wd_json_set_string(network, "Driver",
				   is_of_user(name)       ? "bridge"
				   : strcmp(name, "none") ? name
							  : "null");
	}
	return wd_json_print(list);
}

/* --- volumes --- */

static void mount_volume(struct model_container *container, const char *name, const char *target, bool read_only)
{
	WD_AUTO_FREE char *source = wd_format("/var/lib/docker/volumes/%s/_data", name);
	struct wd_json *mount = wd_json_add(container->mounts, wd_json_object());
	wd_json_set_string(mount, "Type", "volume");
	wd_json_set_string(mount, "Name", name);
	wd_json_set_string(mount, "Source", source);
	wd_json_set_string(mount, "Destination", target);
	wd_json_set_string(mount, "Driver", "local");
	wd_json_set_string(mount, "Mode", read_only ? "ro" : "z");
	wd_json_set_bool(mount, "RW", !read_only);
	wd_json_set_string(mount, "Propagation", "");
	if (!wd_list_has(&container->model->volumes, name))
		wd_list_add(&container->model->volumes, name);
}

static bool is_mounted(const struct model_container *container, const char *target)
{
	for (struct wd_json *mount = wd_json_first(container->mounts); mount; mount = wd_json_next(mount))
		if (wd_text_equal(wd_json_string(wd_json_get(mount, "Destination"), ""), target))
			return true;
	return false;
}

static void mount_bind(struct model_container *container, const char *bind)
{
	struct wd_list parts = {0};
	wd_list_split(&parts, bind, ':');
	if (parts.count >= 2 && parts.items[0][0] != '/')
		mount_volume(container, parts.items[0], parts.items[1],
			     parts.count > 2 && strcmp(parts.items[2], "ro") == 0);
	wd_list_done(&parts);
}

/* A volume without a name gets one, and goes with its container if that is removed with v=1. */
static void mount_anonymous(struct model_container *container, const char *target)
{
	char name[65];
	if (is_mounted(container, target))
		return;
	model_make_id(container->model, name);
	mount_volume(container, name, target, false);
	wd_list_add(&container->own_volumes, name);
}

void model_place_volumes(struct model_container *container)
{
	container->mounts = wd_json_array();
	for (struct wd_json *bind = wd_json_first(wd_json_get(container->host, "Binds")); bind;
	     bind = wd_json_next(bind))
		mount_bind(container, wd_json_string(bind, ""));
	for (struct wd_json *volume = wd_json_first(wd_json_get(container->config, "Volumes")); volume;
	     volume = wd_json_next(volume))
		mount_anonymous(container, wd_json_name(volume));
}

static void drop_volume(struct model *model, const char *name)
{
	for (size_t i = 0; i < model->volumes.count; i++) {
		if (strcmp(model->volumes.items[i], name) != 0)
			continue;
		free(model->volumes.items[i]);
		model->volumes.items[i] = model->volumes.items[--model->volumes.count];
		return;
	}
}

void model_drop_volumes(struct model_container *container)
{
	for (size_t i = 0; i < container->own_volumes.count; i++)
		drop_volume(container->model, container->own_volumes.items[i]);
}

bool model_has_volume(const struct model *model, const char *name)
{
	return wd_list_has(&model->volumes, name);
}

size_t model_volume_count(const struct model *model)
{
	return model->volumes.count;
}

static struct wd_json *print_volume(const char *name)
{
	struct wd_json *volume = wd_json_object();
	WD_AUTO_FREE char *place = wd_format("/var/lib/docker/volumes/%s/_data", name);
	bool mounted = wd_text_starts(name, "nfs-"), foreign = wd_text_starts(name, "rexray-");
	wd_json_set_string(volume, "Name", name);
	wd_json_set_string(volume, "Driver", foreign ? "rexray" : "local");
	wd_json_set_string(volume, "Mountpoint", place);
	if (mounted)
		wd_json_set_string(wd_json_set(volume, "Options", wd_json_object()), "type", "nfs");
	else
		wd_json_set_null(volume, "Options");
	return volume;
}

char *model_volume_json(const struct model *model, const char *name)
{
	if (!wd_list_has(&model->volumes, name))
		return NULL;
	WD_AUTO_JSON struct wd_json *json = print_volume(name);
	return wd_json_print(json);
}

char *model_volumes_json(const struct model *model)
{
	WD_AUTO_JSON struct wd_json *json = wd_json_object();
	struct wd_json *list = wd_json_set(json, "Volumes", wd_json_array());
	for (size_t i = 0; i < model->volumes.count; i++)
		wd_json_add(list, print_volume(model->volumes.items[i]));
	wd_json_set_null(json, "Warnings");
	return wd_json_print(json);
}

/* --- files --- */

static struct model_file *find_file(const struct model_container *container, const char *path)
{
	for (size_t i = 0; i < container->file_count; i++)
		if (strcmp(container->files[i].path, path) == 0)
			return &container->files[i];
	return NULL;
}

static void keep_file(struct model_container *container, const char *path, const char *tar, size_t length)
{
	struct model_file *file = find_file(container, path);
	if (file == NULL) {
		container->files = wd_realloc(container->files, container->file_count + 1, sizeof(*container->files));
		file = &container->files[container->file_count++];
		*file = (struct model_file){.path = wd_copy(path)};
	}
	free(file->tar);
	file->tar = wd_copy_part(tar, length);
	file->length = length;
}

void model_drop_files(struct model_container *container)
{
	for (size_t i = 0; i < container->file_count; i++) {
		free(container->files[i].path);
		free(container->files[i].tar);
	}
	free(container->files);
}

static void put_octal(char *field, int width, unsigned long number)
{
	char text[32];
	snprintf(text, sizeof(text), "%0*lo", width, number);
	memcpy(field, text, (size_t)width + 1);
}

/* One member and the two blocks of nothing at the end, as Engines send it. */
void model_put_file(struct model *model, const char *name, const char *path, unsigned mode, wd_stamp changed,
		    const char *content)
{
	char tar[4 * TAR_BLOCK] = {0};
	struct model_container *container = model_find(model, name);
	unsigned long kind = model->flavour == MODEL_DOCKER_20 ? 0100000 : 0, sum = 0;
	snprintf(tar, 100, "%s", strrchr(path, '/') + 1);
	put_octal(tar + 100, 7, mode | kind);
	put_octal(tar + 108, 7, 1000);
	put_octal(tar + 116, 7, 1000);
	put_octal(tar + 124, 11, strlen(content));
	put_octal(tar + 136, 11, (unsigned long)(changed / 1000000000));
	memcpy(tar + 148, "        ", 8);
	tar[156] = '0';
	memcpy(tar + 257, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)tar[i];
	put_octal(tar + 148, 6, sum);
	snprintf(tar + TAR_BLOCK, TAR_BLOCK, "%s", content);
	keep_file(container, path, tar, sizeof(tar));
}

/* What a reader of tar finds in it. The caller frees; NULL: there is no such file. */
char *model_read_file(const struct model *model, const char *name, const char *path, unsigned *ret_mode)
{
	const struct model_container *container = model_find(model, name);
	const struct model_file *file = container ? find_file(container, path) : NULL;
	if (file == NULL)
		return NULL;
	*ret_mode = (unsigned)strtoul(file->tar + 100, NULL, 8);
	return wd_copy_part(file->tar + TAR_BLOCK, strtoul(file->tar + 124, NULL, 8));
}

bool model_get_archive(const struct model_container *container, const char *path, char **ret_tar, size_t *ret_length)
{
	const struct model_file *file = find_file(container, path);
	if (file == NULL)
		return false;
	*ret_tar = wd_copy_part(file->tar, file->length);
	*ret_length = file->length;
	return true;
}

/* False: the sum of the header is not right, or it is cut short. */
bool model_put_archive(struct model_container *container, const char *place, const char *tar, size_t length)
{
	unsigned long sum = 0;
	if (length < 2 * TAR_BLOCK)
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)tar[i];
	if (sum != strtoul(tar + 148, NULL, 8))
		return false;
	WD_AUTO_FREE char *prefix = wd_copy_part(tar + 345, strnlen(tar + 345, 155));
	WD_AUTO_FREE char *member = wd_copy_part(tar, strnlen(tar, 100));
	WD_AUTO_FREE char *path =
		wd_format("%s%s%s%s", strcmp(place, "/") ? place : "/", prefix, *prefix ? "/" : "", member);
	keep_file(container, path, tar, length);
	return true;
}

char *model_changes_json(const struct model_container *container)
{
	WD_AUTO_JSON struct wd_json *list = wd_json_array();
	for (size_t i = 0; i < container->file_count; i++) {
		struct wd_json *change = wd_json_add(list, wd_json_object());
		wd_json_set_string(change, "Path", container->files[i].path);
		wd_json_set_int(change, "Kind", 1);
	}
	return container->file_count ? wd_json_print(list) : wd_copy("null");
}
