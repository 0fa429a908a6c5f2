#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "node.h"
#include "walk.h"

#define ATTRIBUTES_MAX ((size_t)512 << 10) /* readers of tar refuse a header of more than 1 MiB */
#define TRIES 5 /* they may grow between the question how many they are and the one for them */
#define LINK_TEXT 40

void wd_node_done(struct wd_node *node)
{
	for (size_t i = 0; i < node->attribute_count; i++) {
		free(node->attributes[i].name);
		free(node->attributes[i].value);
	}
	free(node->attributes);
	free(node->extents);
	free(node->path);
	free(node->link);
	*node = (struct wd_node){0};
}

void wd_node_attribute(struct wd_node *node, const char *name, const void *value, size_t length)
{
	node->attributes = wd_realloc(node->attributes, node->attribute_count + 1, sizeof(*node->attributes));
	struct wd_attribute *attribute = &node->attributes[node->attribute_count++];

	attribute->name = wd_copy(name);
	attribute->value = wd_alloc(length + 1, 1);
	if (length)
		memcpy(attribute->value, value, length);
	attribute->length = length;
}

void wd_node_extent(struct wd_node *node, uint64_t offset, uint64_t length)
{
	size_t count = node->extent_count;

	if ((count & (count - 1)) == 0) /* a power of two: it is full */
		node->extents = wd_realloc(node->extents, count ? 2 * count : 1, sizeof(*node->extents));
	node->extents[node->extent_count++] = (struct wd_extent){.offset = offset, .length = length};
}

void wd_node_stat(struct wd_node *node, const struct stat *status)
{
	node->mode = status->st_mode & 07777;
	node->owner = status->st_uid;
	node->group = status->st_gid;
	node->seconds = status->st_mtim.tv_sec;
	node->nanoseconds = (uint32_t)status->st_mtim.tv_nsec;
}

/* The one name that leads to what is open whatever it is, a symbolic link included, and to nothing else. */
static const char *name_of(int descriptor, char buffer[static LINK_TEXT])
{
	snprintf(buffer, LINK_TEXT, "/proc/self/fd/%d", descriptor);
	return buffer;
}

/* The names, each with its NUL; -1 with errno. */
static ssize_t list(const char *file, char **ret_names)
{
	for (int i = 0; i < TRIES; i++) {
		ssize_t length = listxattr(file, NULL, 0);

		if (length <= 0)
			return length;
		WD_AUTO_FREE char *names = wd_alloc((size_t)length + 1, 1);

		length = listxattr(file, names, (size_t)length);
		if (length < 0 && errno == ERANGE)
			continue;
		*ret_names = names;
		names = NULL;
		return length;
	}
	errno = EAGAIN;
	return -1;
}

static ssize_t value_of(const char *file, const char *name, unsigned char **ret_value)
{
	for (int i = 0; i < TRIES; i++) {
		ssize_t length = getxattr(file, name, NULL, 0);

		if (length < 0)
			return -1;
		WD_AUTO_FREE unsigned char *value = wd_alloc((size_t)length + 1, 1);

		length = getxattr(file, name, value, (size_t)length + 1);
		if (length < 0 && errno == ERANGE)
			continue;
		*ret_value = value;
		value = NULL;
		return length;
	}
	errno = EAGAIN;
	return -1;
}

static bool take_one(const char *file, const char *name, struct wd_node *node, size_t *bytes,
		     const struct wd_archive_watch *watch, struct wd_error *error)
{
	WD_AUTO_FREE unsigned char *value = NULL;
	ssize_t length = value_of(file, name, &value);

	if (length < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return true;
	if (length < 0)
		return wd_fail_path(error, node->path, name);
	*bytes += strlen(name) + (size_t)length;
	if (*bytes <= ATTRIBUTES_MAX)
		wd_node_attribute(node, name, value, (size_t)length);
	else
		wd_archive_warn(watch, node->path,
				"it has more than 512 KiB of extended attributes: some are left out");
	return true;
}

bool wd_attributes_get(int descriptor, struct wd_node *node, const struct wd_archive_watch *watch,
		       struct wd_error *error)
{
	char file[LINK_TEXT];
	WD_AUTO_FREE char *names = NULL;
	ssize_t length = list(name_of(descriptor, file), &names);
	size_t bytes = 0;

	if (length < 0 && errno == EOPNOTSUPP)
		return true;
	if (length < 0)
		return wd_fail_path(error, node->path, "cannot list its extended attributes");
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
		if (!take_one(file, names + at, node, &bytes, watch, error))
			return false;
	return true;
}

static void warn_of(const struct wd_archive_watch *watch, const struct wd_node *node, const char *name)
{
	WD_AUTO_TEXT struct wd_text shown = {0};

	wd_text_escape(&shown, name, strlen(name), 100);
	WD_AUTO_FREE char *what =
		wd_format("its %s cannot be given back: %s", wd_text_get(&shown),
			  errno == EPERM ? "not permitted" : "this file system does not have such attributes");

	wd_archive_warn(watch, node->path, what);
}

bool wd_attributes_set(int descriptor, const struct wd_node *node, const struct wd_archive_watch *watch,
		       struct wd_error *error)
{
	char file[LINK_TEXT];

	name_of(descriptor, file);
	for (size_t i = 0; i < node->attribute_count; i++) {
		const struct wd_attribute *attribute = &node->attributes[i];

		if (setxattr(file, attribute->name, attribute->value, attribute->length, 0) == 0)
			continue;
		if (errno != EOPNOTSUPP && errno != EPERM)
			return wd_fail_path(error, node->path, "cannot set its extended attributes");
		warn_of(watch, node, attribute->name);
	}
	return true;
}
