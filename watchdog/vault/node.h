/* node.h: one entry of an archive as plain data, between the tree and the library that knows the format. */
#ifndef WATCHDOG_VAULT_NODE_H
#define WATCHDOG_VAULT_NODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <watchdog/error.h>

#include "archive.h"

enum wd_node_kind { WD_NODE_FILE, WD_NODE_DIRECTORY, WD_NODE_SYMLINK, WD_NODE_HARDLINK, WD_NODE_OTHER };

/* An extended attribute; ACLs are those that the kernel has them in, "system.posix_acl_access" and "…_default". */
struct wd_attribute {
	char *name;
	unsigned char *value;
	size_t length;
};

/* A part of a file that is no hole. */
struct wd_extent {
	uint64_t offset, length;
};

/* {0} is an empty one. */
struct wd_node {
	enum wd_node_kind kind;
	char *path; /* "./a/b" */
	char *link; /* of a symbolic link what it says, of a hard link the path of what it is the same as; else NULL */
	mode_t mode; /* the lower twelve bits */
	int64_t owner, group, seconds;
	uint32_t nanoseconds;
	uint64_t size;
	struct wd_attribute *attributes; size_t attribute_count;
	struct wd_extent *extents; size_t extent_count; /* of a file with holes */
	bool sparse;
};
void wd_node_done(struct wd_node *node); /* empty after it */
void wd_node_attribute(struct wd_node *node, const char *name, const void *value, size_t length); /* copies */
void wd_node_extent(struct wd_node *node, uint64_t offset, uint64_t length);

/* Fills in owner, mode and times. */
struct stat;
void wd_node_stat(struct wd_node *node, const struct stat *status);

/* The attributes of what is open, which may be an O_PATH descriptor; and putting them there. What a file system does not
 * have, or does not let us have, is a warning. */
bool wd_attributes_get(int descriptor, struct wd_node *node, const struct wd_archive_watch *watch, struct wd_error *error);
bool wd_attributes_set(int descriptor, const struct wd_node *node, const struct wd_archive_watch *watch,
		       struct wd_error *error);

#endif
