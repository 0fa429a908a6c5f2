#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "tar.h"
#include "walk.h"

#define BLOCK_BYTES (256 << 10)
#define END_BYTES 1024 /* a tar ends with two blocks of zeros; without them it was cut off */
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define ACL_VERSION 2
#define ACL_HEAD 4
#define ACL_ENTRY 8
#define ACL_USER_TAG 0x02
#define ACL_GROUP_TAG 0x08
#define ACL_MASK_TAG 0x10

struct wd_tar_writer {
	struct archive *archive;
	struct archive_entry *entry;
	struct wd_sink sink;
	struct wd_error error; /* of the sink: the library does not pass it on */
	locale_t plain;        /* the library translates names by the thread's locale; here bytes are bytes */
};

struct wd_tar_reader {
	struct archive *archive;
	struct wd_source source;
	struct wd_error error; /* of the source */
	uint64_t left;         /* how much may still come */
	uint64_t read;         /* how much came */
	uint64_t end;          /* where the last entry ends */
	bool entered;          /* there was an entry */
	size_t zeros;          /* how many bytes before where we are are zero; not counted beyond END_BYTES */
	locale_t plain;
};

/* --- ACLs: the kernel's form (linux/posix_acl_xattr.h), the library's --- */

struct acl_tag {
	uint16_t kernel;
	int theirs;
};

static const struct acl_tag acl_tags[] = {
	{0x01, ARCHIVE_ENTRY_ACL_USER_OBJ}, {0x02, ARCHIVE_ENTRY_ACL_USER},         {0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ},
	{0x08, ARCHIVE_ENTRY_ACL_GROUP},    {ACL_MASK_TAG, ARCHIVE_ENTRY_ACL_MASK}, {0x20, ARCHIVE_ENTRY_ACL_OTHER},
};

struct acl_row {
	uint16_t tag, rights;
	uint32_t id;
};

static const struct acl_tag *find_tag(int kernel, int theirs)
{
	for (size_t i = 0; i < sizeof(acl_tags) / sizeof(*acl_tags); i++)
		if (acl_tags[i].kernel == kernel || acl_tags[i].theirs == theirs)
			return &acl_tags[i];
	return NULL;
}

static struct acl_row row_at(const unsigned char *bytes)
{
	struct acl_row row;

	memcpy(&row, bytes, sizeof(row));
	return (struct acl_row){.tag = le16toh(row.tag), .rights = le16toh(row.rights), .id = le32toh(row.id)};
}

static bool is_acl(const struct wd_attribute *attribute)
{
	uint32_t version = 0;

	if (attribute->length < ACL_HEAD || (attribute->length - ACL_HEAD) % ACL_ENTRY != 0)
		return false;
	memcpy(&version, attribute->value, sizeof(version));
	return le32toh(version) == ACL_VERSION;
}

static bool is_named(const struct acl_row *row)
{
	return row->tag == ACL_USER_TAG || row->tag == ACL_GROUP_TAG;
}

/* The library has ids as int, and makes 0 of what is larger; as a name it goes through, and tar takes it for a number. */
static bool is_large(const struct acl_row *row)
{
	return is_named(row) && row->id > INT32_MAX;
}

static bool add_acl(struct archive_entry *entry, int type, const struct wd_attribute *attribute)
{
	if (!is_acl(attribute))
		return false;
	for (size_t at = ACL_HEAD; at < attribute->length; at += ACL_ENTRY) {
		struct acl_row row = row_at(attribute->value + at);
		const struct acl_tag *tag = find_tag(row.tag, -1);
		int id = is_named(&row) && !is_large(&row) ? (int)row.id : -1;
		char name[16];

		snprintf(name, sizeof(name), "%" PRIu32, row.id);
		if (!tag || archive_entry_acl_add_entry(entry, type, row.rights & 7, tag->theirs, id,
							is_large(&row) ? name : NULL) != ARCHIVE_OK)
			return false;
	}
	return true;
}

/* Such an ACL goes with the other attributes as well: the library could not read it back. */
static bool has_large(const struct wd_attribute *attribute)
{
	bool large = false;

	for (size_t at = ACL_HEAD; at + ACL_ENTRY <= attribute->length; at += ACL_ENTRY) {
		struct acl_row row = row_at(attribute->value + at);

		large = large || is_large(&row);
	}
	return large;
}

/* The kernel wants them in the order of their tags. */
static int compare_rows(const void *one, const void *two)
{
	const struct acl_row *a = one, *b = two;

	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	return a->id == b->id ? 0 : a->id < b->id ? -1 : 1;
}

static void put_rows(struct wd_node *node, const char *name, const struct acl_row *rows, size_t count)
{
	WD_AUTO_TEXT struct wd_text value = {0};
	uint32_t version = htole32(ACL_VERSION);

	wd_text_put(&value, &version, sizeof(version));
	for (size_t i = 0; i < count; i++) {
		struct acl_row row = {
			.tag = htole16(rows[i].tag), .rights = htole16(rows[i].rights), .id = htole32(rows[i].id)};

		wd_text_put(&value, &row, sizeof(row));
	}
	wd_node_attribute(node, name, value.data, value.length);
}

/* The header's mode has the rights of the group's row; with an ACL, the mode of a file has the mask there. */
static void take_mask(struct wd_node *node)
{
	for (size_t i = 0; i < node->attribute_count; i++) {
		const struct wd_attribute *attribute = &node->attributes[i];

		if (strcmp(attribute->name, ACL_ACCESS) != 0 || !is_acl(attribute))
			continue;
		for (size_t at = ACL_HEAD; at < attribute->length; at += ACL_ENTRY) {
			struct acl_row row = row_at(attribute->value + at);

			if (row.tag == ACL_MASK_TAG)
				node->mode = (node->mode & ~(mode_t)070) | (mode_t)((row.rights & 7) << 3);
		}
	}
}

static bool has_attribute(const struct wd_node *node, const char *name)
{
	for (size_t i = 0; i < node->attribute_count; i++)
		if (strcmp(node->attributes[i].name, name) == 0)
			return true;
	return false;
}

/* False for names instead of numbers: whose they are here, nobody knows. */
static bool take_acl(struct archive_entry *entry, int type, const char *attribute, struct wd_node *node)
{
	int count = archive_entry_acl_reset(entry, type), kind, rights, tag, id;
	size_t filled = 0;
	const char *name = NULL;
	bool good = true;

	if (count <= 0 || has_attribute(node, attribute))
		return true;
	WD_AUTO_FREE struct acl_row *rows = wd_alloc((size_t)count, sizeof(*rows));

	while (archive_entry_acl_next(entry, type, &kind, &rights, &tag, &id, &name) == ARCHIVE_OK &&
	       filled < (size_t)count) {
		const struct acl_tag *known = find_tag(-1, tag);
		bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

		good = good && known && (!named || id >= 0);
		rows[filled++] = (struct acl_row){.tag = known ? known->kernel : 0,
						  .rights = (uint16_t)(rights & 7),
						  .id = named ? (uint32_t)id : UINT32_MAX};
	}
	if (!good)
		return false;
	qsort(rows, filled, sizeof(*rows), compare_rows);
	put_rows(node, attribute, rows, filled);
	return true;
}

/* --- writing --- */

/* The library never hears of a failure, as it would not free all that it has then: the rest goes nowhere, and whoever
 * called it asks is_broken(). */
static la_ssize_t on_write(struct archive *archive, void *data, const void *bytes, size_t length)
{
	struct wd_tar_writer *writer = data;

	(void)archive;
	if (writer->error.kind == WD_ERROR_NONE)
		writer->sink.put(writer->sink.data, bytes, length, &writer->error);
	return (la_ssize_t)length;
}

static bool fail_of(struct archive *archive, struct wd_error *other, struct wd_error *error)
{
	if (other->kind != WD_ERROR_NONE)
		return wd_fail(error, other->kind, "%s", other->text);
	const char *text = archive_error_string(archive);

	return wd_fail(error, WD_ERROR_FAILED, "tar: %s", text ? text : "it failed without a word");
}

struct wd_tar_writer *wd_tar_writer_new(struct wd_sink sink, struct wd_error *error)
{
	struct wd_tar_writer *writer = wd_alloc(1, sizeof(*writer));

	writer->sink = sink;
	writer->archive = wd_need(archive_write_new());
	writer->entry = wd_need(archive_entry_new());
	writer->plain = wd_need(newlocale(LC_ALL_MASK, "C", NULL));
	if (archive_write_set_format_pax(writer->archive) == ARCHIVE_OK &&
	    archive_write_set_format_option(writer->archive, "pax", "xattrheader", "SCHILY") == ARCHIVE_OK &&
	    archive_write_set_bytes_per_block(writer->archive, BLOCK_BYTES) == ARCHIVE_OK &&
	    archive_write_set_bytes_in_last_block(writer->archive, 1) == ARCHIVE_OK &&
	    archive_write_open(writer->archive, writer, NULL, on_write, NULL) == ARCHIVE_OK)
		return writer;
	fail_of(writer->archive, &writer->error, error);
	return wd_tar_writer_free(writer);
}

struct wd_tar_writer *wd_tar_writer_free(struct wd_tar_writer *writer)
{
	if (!writer)
		return NULL;
	if (writer->error.kind == WD_ERROR_NONE) /* what it writes now, to end what is half done, goes nowhere */
		wd_fail(&writer->error, WD_ERROR_FAILED, "it is over");
	archive_write_free(writer->archive);
	archive_entry_free(writer->entry);
	freelocale(writer->plain);
	free(writer);
	return NULL;
}

static bool is_broken(const struct wd_tar_writer *writer)
{
	return writer->error.kind != WD_ERROR_NONE;
}

static const mode_t types[] = {
	[WD_NODE_FILE] = AE_IFREG,
	[WD_NODE_DIRECTORY] = AE_IFDIR,
	[WD_NODE_SYMLINK] = AE_IFLNK,
	[WD_NODE_HARDLINK] = AE_IFREG,
};

static bool fill_attributes(struct archive_entry *entry, const struct wd_node *node, struct wd_error *error)
{
	for (size_t i = 0; i < node->attribute_count; i++) {
		const struct wd_attribute *attribute = &node->attributes[i];
		bool access = strcmp(attribute->name, ACL_ACCESS) == 0,
		     inherited = strcmp(attribute->name, ACL_DEFAULT) == 0;
		int type = access ? ARCHIVE_ENTRY_ACL_TYPE_ACCESS : ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;

		if ((!access && !inherited) || has_large(attribute))
			archive_entry_xattr_add_entry(entry, attribute->name, attribute->value, attribute->length);
		if ((access || inherited) && !add_acl(entry, type, attribute))
			return wd_refuse_path(error, WD_ERROR_FAILED, node->path,
					      "its ACL is of a form that is not known");
	}
	return true;
}

static bool fill(struct archive_entry *entry, const struct wd_node *node, struct wd_error *error)
{
	archive_entry_clear(entry);
	archive_entry_copy_pathname(entry, node->path);
	archive_entry_set_mode(entry, types[node->kind] | node->mode);
	archive_entry_set_uid(entry, node->owner);
	archive_entry_set_gid(entry, node->group);
	archive_entry_set_mtime(entry, node->seconds, (long)node->nanoseconds);
	archive_entry_set_size(entry, node->kind == WD_NODE_FILE ? (la_int64_t)node->size : 0);
	if (node->kind == WD_NODE_SYMLINK)
		archive_entry_copy_symlink(entry, node->link);
	if (node->kind == WD_NODE_HARDLINK)
		archive_entry_copy_hardlink(entry, node->link);
	for (size_t i = 0; node->sparse && i < node->extent_count; i++)
		archive_entry_sparse_add_entry(entry, (la_int64_t)node->extents[i].offset,
					       (la_int64_t)node->extents[i].length);
	if (node->sparse && node->extent_count == 0) /* nothing but a hole */
		archive_entry_sparse_add_entry(entry, (la_int64_t)node->size, 0);
	return fill_attributes(entry, node, error);
}

bool wd_tar_writer_head(struct wd_tar_writer *writer, const struct wd_node *node, struct wd_error *error)
{
	locale_t before = uselocale(writer->plain);
	bool good = fill(writer->entry, node, error);

	if (good) {
		/* It warns of each name that is no ASCII, and writes it as it is. */
		int result = archive_write_header(writer->archive, writer->entry);

		good = result == ARCHIVE_OK || result == ARCHIVE_WARN ||
		       fail_of(writer->archive, &writer->error, error);
	}
	uselocale(before);
	return good;
}

bool wd_tar_writer_put(struct wd_tar_writer *writer, const void *bytes, size_t length, struct wd_error *error)
{
	la_ssize_t put = archive_write_data(writer->archive, bytes, length);

	if (put >= 0 && (size_t)put == length && !is_broken(writer))
		return true;
	return put < 0 || is_broken(writer) ? fail_of(writer->archive, &writer->error, error)
					    : wd_fail(error, WD_ERROR_FAILED, "tar: more content than the header says");
}

bool wd_tar_writer_end(struct wd_tar_writer *writer, struct wd_error *error)
{
	return (archive_write_close(writer->archive) == ARCHIVE_OK && !is_broken(writer)) ||
	       fail_of(writer->archive, &writer->error, error);
}

/* --- reading --- */

static size_t zeros_at_end(const unsigned char *bytes, size_t length)
{
	size_t count = 0;

	while (count < length && count < END_BYTES && bytes[length - 1 - count] == 0)
		count++;
	return count;
}

static la_ssize_t next_bytes(struct wd_tar_reader *reader, const void **ret_bytes)
{
	ssize_t got = reader->source.get(reader->source.data, ret_bytes, &reader->error);

	if (got <= 0)
		return got;
	if ((uint64_t)got > reader->left) {
		wd_fail(&reader->error, WD_ERROR_REFUSED, "there is more of it than there can be of such a tree");
		return -1;
	}
	size_t length = (size_t)got, zeros = zeros_at_end(*ret_bytes, length);

	reader->left -= length;
	reader->read += length;
	reader->zeros = zeros < length ? zeros : reader->zeros + zeros;
	return got;
}

static la_ssize_t on_read(struct archive *archive, void *data, const void **ret_bytes)
{
	struct wd_tar_reader *reader = data;
	la_ssize_t got = next_bytes(reader, ret_bytes);

	if (got < 0)
		archive_set_error(archive, EIO, "%s", reader->error.text);
	return got;
}

struct wd_tar_reader *wd_tar_reader_new(struct wd_source source, uint64_t most, struct wd_error *error)
{
	struct wd_tar_reader *reader = wd_alloc(1, sizeof(*reader));

	reader->source = source;
	reader->left = most;
	reader->archive = wd_need(archive_read_new());
	reader->plain = wd_need(newlocale(LC_ALL_MASK, "C", NULL));
	if (archive_read_support_format_tar(reader->archive) == ARCHIVE_OK &&
	    archive_read_open(reader->archive, reader, NULL, on_read, NULL) == ARCHIVE_OK)
		return reader;
	fail_of(reader->archive, &reader->error, error);
	return wd_tar_reader_free(reader);
}

struct wd_tar_reader *wd_tar_reader_free(struct wd_tar_reader *reader)
{
	if (!reader)
		return NULL;
	archive_read_free(reader->archive);
	freelocale(reader->plain);
	free(reader);
	return NULL;
}

static int nibble(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Names of attributes are written with %XX for what might not be let through. */
static char *decode(const char *name)
{
	char *text = wd_copy(name), *to = text;

	for (const char *from = name; *from; from++) {
		bool coded = from[0] == '%' && from[1] && nibble(from[1]) >= 0 && nibble(from[2]) >= 0;
		int value = coded ? nibble(from[1]) * 16 + nibble(from[2]) : 0;

		*to++ = value ? (char)value : *from;
		from += value ? 2 : 0;
	}
	*to = '\0';
	return text;
}

static void take_attributes(struct archive_entry *entry, struct wd_node *node)
{
	const char *name = NULL;
	const void *value = NULL;
	size_t length = 0;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &length) == ARCHIVE_OK) {
		WD_AUTO_FREE char *decoded = decode(name ? name : "");

		wd_node_attribute(node, decoded, value, length);
	}
}

static enum wd_node_kind kind_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return WD_NODE_HARDLINK;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return WD_NODE_FILE;
	case AE_IFDIR:
		return WD_NODE_DIRECTORY;
	case AE_IFLNK:
		return WD_NODE_SYMLINK;
	default:
		return WD_NODE_OTHER;
	}
}

static void take(struct archive_entry *entry, struct wd_node *node, const struct wd_archive_watch *watch)
{
	const char *path = archive_entry_pathname(entry);
	la_int64_t size = archive_entry_size(entry);

	node->path = wd_copy(path ? path : "");
	node->kind = kind_of(entry);
	if (node->kind == WD_NODE_HARDLINK)
		node->link = wd_copy(archive_entry_hardlink(entry));
	if (node->kind == WD_NODE_SYMLINK)
		node->link = wd_copy(archive_entry_symlink(entry));
	node->mode = archive_entry_perm(entry) & 07777;
	node->owner = archive_entry_uid(entry);
	node->group = archive_entry_gid(entry);
	node->seconds = archive_entry_mtime(entry);
	node->nanoseconds = (uint32_t)archive_entry_mtime_nsec(entry);
	node->size = node->kind == WD_NODE_FILE && size > 0 ? (uint64_t)size : 0;
	take_attributes(entry, node);
	bool numbers = take_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ACL_ACCESS, node);

	if (!take_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, ACL_DEFAULT, node) || !numbers)
		wd_archive_warn(watch, node->path, "its ACL names people instead of numbers: it is left out");
	take_mask(node);
}

/* The library stops at the first blocks of zeros. What comes behind them is read, so that the sum over the source is that
 * of the file, and so that we know that they are there. */
static bool read_out(struct wd_tar_reader *reader, struct wd_error *error)
{
	const void *bytes = NULL;
	la_ssize_t got;

	while ((got = next_bytes(reader, &bytes)) > 0)
		continue;
	if (got < 0)
		return wd_fail(error, reader->error.kind, "%s", reader->error.text);
	return (reader->zeros >= END_BYTES && reader->read - reader->end >= END_BYTES) ||
	       wd_fail(error, WD_ERROR_FAILED, "tar: it has no end: it was cut off");
}

int wd_tar_reader_next(struct wd_tar_reader *reader, const struct wd_archive_watch *watch, struct wd_node *ret_node,
		       struct wd_error *error)
{
	struct archive_entry *entry = NULL;
	locale_t before = uselocale(reader->plain);

	if (reader->entered && archive_read_data_skip(reader->archive) == ARCHIVE_OK)
		reader->end = (uint64_t)archive_filter_bytes(reader->archive, 0);
	reader->entered = true;
	int result = archive_read_next_header(reader->archive, &entry);

	if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
		take(entry, ret_node, watch);
	uselocale(before);
	if (result == ARCHIVE_WARN)
		wd_archive_warn(watch, ret_node->path, archive_error_string(reader->archive));
	if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
		return 1;
	if (result == ARCHIVE_EOF)
		return read_out(reader, error) ? 0 : -1;
	fail_of(reader->archive, &reader->error, error);
	return -1;
}

int wd_tar_reader_get(struct wd_tar_reader *reader, const void **ret_bytes, size_t *ret_length, uint64_t *ret_offset,
		      struct wd_error *error)
{
	la_int64_t offset = 0;
	int result = archive_read_data_block(reader->archive, ret_bytes, ret_length, &offset);

	*ret_offset = (uint64_t)offset;
	if (result == ARCHIVE_EOF)
		return 0;
	if ((result == ARCHIVE_OK || result == ARCHIVE_WARN) && offset >= 0)
		return 1;
	fail_of(reader->archive, &reader->error, error);
	return -1;
}
