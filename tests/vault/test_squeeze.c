/* What zstd itself says of what is written here, and the other way round. */
#include "../../watchdog/vault/squeeze.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <support/files.h>
#include <support/flows.h>
#include <support/unit.h>
#include <support/vessel.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

/* Half of it compresses well, half does not. */
static void fill(struct wd_text *text, size_t length)
{
	unsigned seed = 7;

	while (text->length < length) {
		seed = seed * 1103515245u + 12345u;
		if (text->length / 4096 % 2)
			wd_text_put(text, &seed, sizeof(seed));
		else
			wd_text_add(text, "the same again, ");
	}
}

static void squeeze(const struct wd_text *plain, struct wd_text *packed, int level, unsigned workers, size_t step)
{
	struct wd_error error = {0};
	struct wd_squeeze *squeeze = wd_squeeze_new(into_text(packed), level, workers, &error);

	assert_non_null(squeeze);
	struct wd_sink sink = wd_squeeze_sink(squeeze);

	for (size_t at = 0; at < plain->length; at += step)
		assert_true(sink.put(sink.data, plain->data + at, plain->length - at < step ? plain->length - at : step,
				     &error));
	assert_true(wd_squeeze_end(squeeze, &error));
	assert_null(wd_squeeze_free(squeeze));
}

static bool unsqueeze(const struct wd_text *packed, struct wd_text *plain, size_t step, struct wd_error *error)
{
	struct pieces pieces = {.bytes = wd_text_get(packed), .length = packed->length, .step = step};
	struct wd_unsqueeze *unsqueeze = wd_unsqueeze_new(from_pieces(&pieces), error);
	struct wd_source source = wd_unsqueeze_source(unsqueeze);
	const void *bytes = NULL;
	ssize_t got;

	while ((got = source.get(source.data, &bytes, error)) > 0)
		wd_text_put(plain, bytes, (size_t)got);
	wd_unsqueeze_free(unsqueeze);
	return got == 0;
}

static void it_comes_back_as_it_was(void **state)
{
	static const size_t lengths[] = {0, 1, 4096, 131072, 9000000};

	(void)state;
	for (unsigned workers = 0; workers < 3; workers += 2)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
			WD_AUTO_TEXT struct wd_text plain = {0}, packed = {0}, again = {0};
			struct wd_error error = {0};

			fill(&plain, lengths[i]);
			squeeze(&plain, &packed, 3, workers, 70001);
			assert_true(unsqueeze(&packed, &again, 5003, &error));
			assert_int_equal(plain.length, again.length);
			assert_memory_equal(wd_text_get(&plain), wd_text_get(&again), plain.length);
			assert_true(packed.length < plain.length || plain.length < 4096);
		}
}

static void zstd_reads_it_and_is_read(void **state)
{
	WD_AUTO_TEXT struct wd_text plain = {0}, packed = {0}, again = {0}, theirs = {0};
	struct wd_error error = {0};

	(void)state;
	if (!have("zstd"))
		skip();
	fill(&plain, 3000000);
	squeeze(&plain, &packed, 3, 2, 1 << 20);
	write_bytes("plain", plain.data, plain.length);
	write_bytes("a.zst", packed.data, packed.length);
	shell("zstd -qt a.zst && zstd -qdc a.zst | cmp - plain && zstd -q -12 -o b.zst plain");
	read_file("b.zst", &theirs);
	assert_true(unsqueeze(&theirs, &again, 4096, &error));
	assert_int_equal(plain.length, again.length);
	assert_memory_equal(plain.data, again.data, plain.length);
}

static void what_is_cut_or_changed_is_an_error(void **state)
{
	WD_AUTO_TEXT struct wd_text plain = {0}, packed = {0};
	struct wd_error error = {0};

	(void)state;
	fill(&plain, 200000);
	squeeze(&plain, &packed, 3, 0, 4096);
	for (size_t cut = 1; cut < packed.length; cut += 997) {
		struct wd_text part = {.data = packed.data, .length = packed.length - cut};
		WD_AUTO_TEXT struct wd_text again = {0};

		assert_false(unsqueeze(&part, &again, 4096, &error));
		assert_string_equal(error.text, "it ends in the middle: it was cut off");
	}
	for (size_t at = 0; at < packed.length; at += 1009) {
		WD_AUTO_TEXT struct wd_text again = {0};

		packed.data[at] ^= 0x10;
		assert_false(unsqueeze(&packed, &again, 4096, &error));
		assert_int_equal(error.kind, WD_ERROR_FAILED);
		packed.data[at] ^= 0x10;
	}
	WD_AUTO_TEXT struct wd_text again = {0}, none = {0};

	wd_text_add(&none, "no zstd at all");
	assert_false(unsqueeze(&none, &again, 4096, &error));
	assert_non_null(strstr(error.text, "it is broken, or no zstd"));
	wd_text_add(&packed, "something behind it");
	assert_false(unsqueeze(&packed, &again, 4096, &error));
}

static void what_the_sink_says_is_said(void **state)
{
	struct wd_error error = {0};
	struct wd_squeeze *squeeze = wd_squeeze_new(into_full_disk(), 3, 2, &error);
	WD_AUTO_TEXT struct wd_text plain = {0};
	struct wd_sink sink = wd_squeeze_sink(squeeze);

	(void)state;
	fill(&plain, 20000000);
	assert_false(sink.put(sink.data, plain.data, plain.length, &error) && wd_squeeze_end(squeeze, &error));
	assert_string_equal(error.text, "the disk is full");
	wd_squeeze_free(squeeze);
	assert_null(wd_squeeze_new(into_full_disk(), 22, 2, &error));
	assert_string_equal(error.text, "zstd has levels from 1 to 19, not 22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was),
		cmocka_unit_test_setup_teardown(zstd_reads_it_and_is_read, enter_directory, leave_directory),
		cmocka_unit_test(what_is_cut_or_changed_is_an_error),
		cmocka_unit_test(what_the_sink_says_is_said),
	};

	return cmocka_run_group_tests_name("squeeze", tests, NULL, NULL);
}
