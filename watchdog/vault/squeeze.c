#include <watchdog/memory.h>
#include <zstd.h>

#include "squeeze.h"

#define LEVEL_MAX 19        /* what comes after it wants windows that a reader does not have to grant */
#define WINDOW_LOG_MAX 23   /* the most that LEVEL_MAX takes */
#define JOB_BYTES (2 << 20) /* what a worker takes at once: its memory, and how far the workers may be behind */

struct wd_squeeze {
	struct wd_sink to;
	ZSTD_CCtx *context;
	void *out;
	size_t room;
};

struct wd_unsqueeze {
	struct wd_source from;
	ZSTD_DCtx *context;
	ZSTD_inBuffer in;
	void *out;
	size_t room;
	bool begun;  /* within a frame: the end of the input would be too early */
	bool filled; /* the last output was as large as there is room: there may be more of it */
};

static bool is_good(size_t code, const char *what, struct wd_error *error)
{
	return !ZSTD_isError(code) || wd_fail(error, WD_ERROR_FAILED, "%s: %s", what, ZSTD_getErrorName(code));
}

static bool set(struct wd_squeeze *squeeze, ZSTD_cParameter parameter, int value, struct wd_error *error)
{
	return is_good(ZSTD_CCtx_setParameter(squeeze->context, parameter, value), "zstd", error);
}

struct wd_squeeze *wd_squeeze_new(struct wd_sink to, int level, unsigned workers, struct wd_error *error)
{
	struct wd_squeeze *squeeze = wd_alloc(1, sizeof(*squeeze));

	squeeze->to = to;
	squeeze->context = wd_need(ZSTD_createCCtx());
	squeeze->room = ZSTD_CStreamOutSize();
	squeeze->out = wd_alloc(squeeze->room, 1);
	if ((level >= 1 && level <= LEVEL_MAX) ||
	    wd_fail(error, WD_ERROR_USAGE, "zstd has levels from 1 to %d, not %d", LEVEL_MAX, level))
		if (set(squeeze, ZSTD_c_compressionLevel, level, error) &&
		    set(squeeze, ZSTD_c_checksumFlag, 1, error) &&
		    (workers == 0 || (set(squeeze, ZSTD_c_nbWorkers, (int)workers, error) &&
				      set(squeeze, ZSTD_c_jobSize, JOB_BYTES, error))))
			return squeeze;
	return wd_squeeze_free(squeeze);
}

struct wd_squeeze *wd_squeeze_free(struct wd_squeeze *squeeze)
{
	if (!squeeze)
		return NULL;
	ZSTD_freeCCtx(squeeze->context);
	free(squeeze->out);
	free(squeeze);
	return NULL;
}

/* One turn; ret_left: what the library would still have to say. */
static bool turn(struct wd_squeeze *squeeze, ZSTD_inBuffer *in, ZSTD_EndDirective how, size_t *ret_left,
		 struct wd_error *error)
{
	ZSTD_outBuffer out = {.dst = squeeze->out, .size = squeeze->room};

	*ret_left = ZSTD_compressStream2(squeeze->context, &out, in, how);
	return is_good(*ret_left, "zstd", error) &&
	       (out.pos == 0 || squeeze->to.put(squeeze->to.data, squeeze->out, out.pos, error));
}

static bool put(void *data, const void *bytes, size_t length, struct wd_error *error)
{
	ZSTD_inBuffer in = {.src = bytes, .size = length};
	size_t left;

	while (in.pos < in.size)
		if (!turn(data, &in, ZSTD_e_continue, &left, error))
			return false;
	return true;
}

struct wd_sink wd_squeeze_sink(struct wd_squeeze *squeeze)
{
	return (struct wd_sink){.data = squeeze, .put = put};
}

bool wd_squeeze_end(struct wd_squeeze *squeeze, struct wd_error *error)
{
	ZSTD_inBuffer in = {0};
	size_t left;

	do
		if (!turn(squeeze, &in, ZSTD_e_end, &left, error))
			return false;
	while (left > 0);
	return true;
}

struct wd_unsqueeze *wd_unsqueeze_new(struct wd_source from, struct wd_error *error)
{
	struct wd_unsqueeze *unsqueeze = wd_alloc(1, sizeof(*unsqueeze));

	unsqueeze->from = from;
	unsqueeze->context = wd_need(ZSTD_createDCtx());
	unsqueeze->room = ZSTD_DStreamOutSize();
	unsqueeze->out = wd_alloc(unsqueeze->room, 1);
	if (is_good(ZSTD_DCtx_setParameter(unsqueeze->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX), "zstd", error))
		return unsqueeze;
	return wd_unsqueeze_free(unsqueeze);
}

struct wd_unsqueeze *wd_unsqueeze_free(struct wd_unsqueeze *unsqueeze)
{
	if (!unsqueeze)
		return NULL;
	ZSTD_freeDCtx(unsqueeze->context);
	free(unsqueeze->out);
	free(unsqueeze);
	return NULL;
}

/* 1: there is input; 0: it has ended where it may; -1: not. */
static int refill(struct wd_unsqueeze *unsqueeze, struct wd_error *error)
{
	const void *bytes = NULL;
	ssize_t got = unsqueeze->from.get(unsqueeze->from.data, &bytes, error);

	if (got < 0)
		return -1;
	unsqueeze->in = (ZSTD_inBuffer){.src = bytes, .size = (size_t)got};
	if (got == 0 && unsqueeze->begun)
		wd_fail(error, WD_ERROR_FAILED, "it ends in the middle: it was cut off");
	return got > 0 ? 1 : unsqueeze->begun ? -1 : 0;
}

static ssize_t get(void *data, const void **ret_bytes, struct wd_error *error)
{
	struct wd_unsqueeze *unsqueeze = data;
	ZSTD_outBuffer out = {.dst = unsqueeze->out, .size = unsqueeze->room};

	while (out.pos == 0) {
		int more = unsqueeze->filled || unsqueeze->in.pos < unsqueeze->in.size ? 1 : refill(unsqueeze, error);

		if (more <= 0)
			return more;
		size_t left = ZSTD_decompressStream(unsqueeze->context, &out, &unsqueeze->in);

		if (!is_good(left, "it is broken, or no zstd", error))
			return -1;
		unsqueeze->begun = left != 0;
		unsqueeze->filled = out.pos == out.size && left != 0;
	}
	*ret_bytes = unsqueeze->out;
	return (ssize_t)out.pos;
}

struct wd_source wd_unsqueeze_source(struct wd_unsqueeze *unsqueeze)
{
	return (struct wd_source){.data = unsqueeze, .get = get};
}
