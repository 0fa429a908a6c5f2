#include <support/flows.h>

#include <unistd.h>

static bool put_text(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	(void)error;
	wd_text_put(data, bytes, length);
	return true;
}

static bool put_nothing(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	(void)data, (void)bytes, (void)length, (void)error;
	return true;
}

static bool put_full(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	(void)data, (void)bytes, (void)length;
	return wd_fail(error, WD_ERROR_FAILED, "the disk is full");
}

static bool put_file(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	const int *descriptor = data;

	for (const char *at = bytes; length > 0;) {
		ssize_t put = write(*descriptor, at, length);

		if (put < 0)
			return wd_fail_errno(error, WD_ERROR_FAILED, "write");
		at += put;
		length -= (size_t)put;
	}
	return true;
}

static ssize_t get_piece(void *data, const void **ret_bytes, struct wd_error *error)
{
	struct pieces *pieces = data;
	size_t left = pieces->length - pieces->at, length = left < pieces->step ? left : pieces->step;

	(void)error;
	*ret_bytes = pieces->bytes + pieces->at;
	pieces->at += length;
	return (ssize_t)length;
}

struct wd_sink into_text(struct wd_text *text)
{
	return (struct wd_sink){.data = text, .put = put_text};
}

struct wd_sink into_nothing(void)
{
	return (struct wd_sink){.put = put_nothing};
}

struct wd_sink into_full_disk(void)
{
	return (struct wd_sink){.put = put_full};
}

struct wd_sink into_file(int *descriptor)
{
	return (struct wd_sink){.data = descriptor, .put = put_file};
}

struct wd_source from_pieces(struct pieces *pieces)
{
	return (struct wd_source){.data = pieces, .get = get_piece};
}
