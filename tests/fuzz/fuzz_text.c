/* Texts of people and of strangers: the first byte says as what the rest is read. */
#include <fuzz/fuzz.h>
#include <stdio.h>
#include <string.h>

#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/time.h>

/* Nothing harmful comes out, and the same bytes once more come out the same but for their backslashes. */
static void escape(const char *bytes, size_t length)
{
	WD_AUTO_TEXT struct wd_text text = {0};

	wd_text_escape(&text, bytes, length, length / 2 + 8);
	assert(text.length == (text.data ? strlen(text.data) : 0));
	for (size_t i = 0; i < text.length;) {
		uint32_t rune = 0;
		size_t size = wd_rune_read(text.data + i, text.length - i, &rune);

		assert(size > 0 && !wd_rune_harms(rune));
		i += size;
	}
	assert(text.length <= (length / 2 + 8) * 8 + 3);
}

static void span(const char *text)
{
	char buffer[WD_TIME_TEXT];
	wd_time one = 0, two = 0;

	if (!wd_span_parse(text, &one, NULL))
		return;
	assert(one >= 0 && one <= 36525 * WD_DAY);
	assert(wd_span_parse(wd_span_print(one, buffer), &two, NULL) && one == two);
	assert(wd_span_parse(wd_span_print_short(one, buffer), &two, NULL));
	assert(one - two <= WD_HOUR / 2 && two - one <= WD_HOUR / 2);
}

static void stamp(const char *text)
{
	char buffer[WD_TIME_TEXT];
	wd_stamp one = 0, two = 0;

	if (!wd_stamp_parse(text, &one, NULL))
		return;
	assert(wd_stamp_parse(wd_stamp_print(one, buffer), &two, NULL) && one == two);
	wd_stamp_print_local(one, buffer);
}

static void size(const char *text)
{
	char buffer[WD_SIZE_TEXT];
	uint64_t bytes;

	if (wd_size_parse(text, &bytes, NULL))
		wd_size_print(bytes, buffer);
}

static void number(const char *text)
{
	char buffer[32];
	int64_t one = 0, two = 0;

	if (!wd_number_parse(text, INT64_MIN, INT64_MAX, &one, NULL))
		return;
	snprintf(buffer, sizeof(buffer), "%lld", (long long)one);
	assert(wd_number_parse(buffer, one, one, &two, NULL) && one == two);
	assert(one == INT64_MAX || !wd_number_parse(text, one + 1, INT64_MAX, &two, NULL));
}

/* Words come out of single quotes as they went in. */
static void words(const char *text)
{
	WD_AUTO_TEXT struct wd_text quoted = {0};
	struct wd_list list = {0}, again = {0};

	if (!wd_words_split(text, &list, NULL))
		return;
	for (size_t i = 0; i < list.count; i++) {
		wd_text_add(&quoted, " '");
		for (const char *at = list.items[i]; *at; at++)
			wd_text_add(&quoted, *at == '\'' ? "'\\''" : (char[]){*at, '\0'});
		wd_text_add(&quoted, "'");
	}
	assert(wd_words_split(wd_text_get(&quoted), &again, NULL) && again.count == list.count);
	for (size_t i = 0; i < list.count; i++)
		assert(strcmp(list.items[i], again.items[i]) == 0);
	wd_list_done(&list);
	wd_list_done(&again);
}

static void list(const char *text)
{
	static const char *const keys[] = {"restarts", "on_restarts", "flapping", "oom", "cpu"};
	struct wd_list parts = {0};

	wd_list_split(&parts, text, ',');
	for (size_t i = 0; i < parts.count; i++)
		assert(*parts.items[i] && !strchr(parts.items[i], ','));
	wd_list_done(&parts);
	wd_text_nearest(text, keys, sizeof(keys) / sizeof(*keys));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static void (*const readers[])(const char *) = {span, stamp, size, number, words, list};

	if (length == 0)
		return 0;
	WD_AUTO_FREE char *text = wd_copy_part((const char *)data + 1, length - 1);
	const unsigned which = data[0] % 8;

	if (which < sizeof(readers) / sizeof(*readers))
		readers[which](text);
	else
		escape((const char *)data + 1, length - 1);
	return 0;
}
