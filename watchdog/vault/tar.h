/* tar.h: entries to a pax archive and back (tar.c is the only file that knows libarchive). Names are bytes: what is no
 * ASCII says so in its header (hdrcharset=BINARY). Neither side looks at a file system. */
#ifndef WATCHDOG_VAULT_TAR_H
#define WATCHDOG_VAULT_TAR_H

#include "flow.h"
#include "node.h"

struct wd_tar_writer;
struct wd_tar_writer *wd_tar_writer_new(struct wd_sink sink, struct wd_error *error); /* or NULL */
struct wd_tar_writer *wd_tar_writer_free(struct wd_tar_writer *writer); /* returns NULL; takes NULL; ends nothing */
bool wd_tar_writer_head(struct wd_tar_writer *writer, const struct wd_node *node, struct wd_error *error);
/* The content, from its beginning to its size; of what the extents leave out the bytes do not matter. */
bool wd_tar_writer_put(struct wd_tar_writer *writer, const void *bytes, size_t length, struct wd_error *error);
bool wd_tar_writer_end(struct wd_tar_writer *writer, struct wd_error *error);

/* Reads all that tar has been: v7, ustar, GNU, pax, with holes. At most `most` bytes of archive. */
struct wd_tar_reader;
struct wd_tar_reader *wd_tar_reader_new(struct wd_source source, uint64_t most, struct wd_error *error); /* or NULL */
struct wd_tar_reader *wd_tar_reader_free(struct wd_tar_reader *reader); /* returns NULL; takes NULL */
/* 1: the next entry is in *ret_node, which the caller empties; 0: the end, and all of the source was read; -1: failed. What is not quite
 * right, and was read nevertheless, is a warning. */
int wd_tar_reader_next(struct wd_tar_reader *reader, const struct wd_archive_watch *watch, struct wd_node *ret_node,
		       struct wd_error *error);
/* 1: a piece of the content, and where it belongs; 0: that was all; -1: failed. */
int wd_tar_reader_get(struct wd_tar_reader *reader, const void **ret_bytes, size_t *ret_length, uint64_t *ret_offset,
		      struct wd_error *error);

#endif
