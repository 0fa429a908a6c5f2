/* Logs and complaints: whatever comes in, what goes out is text for a terminal and not too long. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#define LINES 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t line_max, bool newlines)
{
	size_t line = 0;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == 0x7f || (c < 0x20 && !(newlines && c == '\n')))
			abort();
		line = c == '\n' ? 0 : line + 1;
		if (line > line_max)
			abort();
	}
}

static void check_count(const char *text)
{
	unsigned newlines = 0;
	for (; *text; text++)
		newlines += *text == '\n';
	if (newlines >= LINES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WD_AUTO_FREE char *logs = wd_wire_logs((const char *)data, size, LINES);
	WD_AUTO_FREE char *complaint = wd_wire_complaint((const char *)data, size);
	check_text(logs, 500, true);
	check_count(logs);
	check_text(complaint, 300, false);
	return 0;
}
