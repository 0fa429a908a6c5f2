/* The bytes of /events as they come, in pieces: the first byte says how long those are. However they are cut, the same
 * lines come out; and an event, whatever its stamp, has happened by now, and is told once. */
#include <fuzz/fuzz.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/wire.h>

#include "../../watchdog/engine/lines.h"
#include "../../watchdog/engine/timeline.h"

#define NOW (1000 * WD_SECOND)
#define WALL ((wd_stamp)1767355800 * WD_STAMP_SECOND)

static void check_event(struct wd_timeline *timeline, struct wd_event *event)
{
	bool known = wd_timeline_knows(timeline, event);

	wd_timeline_place(timeline, NOW, WALL, event);
	assert(event->at <= NOW && event->from <= event->at);
	if (!known)
		wd_timeline_take(timeline, event, WALL);
	assert(event->stamp <= 0 || wd_timeline_knows(timeline, event));
	assert(timeline->newest <= WALL + 2 * WD_STAMP_SECOND);
	assert(wd_timeline_since(timeline, NOW + WD_SECOND, WALL + WD_STAMP_SECOND) >= 0);
}

static void take_lines(struct wd_lines *lines, struct wd_timeline *timeline, struct wd_text *together)
{
	const char *line;
	size_t length;

	while ((line = wd_lines_take(lines, &length))) {
		struct wd_event event;

		wd_text_put(together, line, length);
		wd_text_add(together, "\n");
		if (wd_wire_event(line, length, &event) == WD_WIRE_EVENT)
			check_event(timeline, &event);
	}
	wd_lines_trim(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wd_timeline *timeline = wd_alloc(1, sizeof(*timeline));
	struct wd_lines lines = {0};
	struct wd_text together = {0};
	size_t piece = size ? data[0] % 64 + 1u : 1, whole = 0;

	wd_timeline_start(timeline, WD_STAMP_NONE, NOW - 60 * WD_SECOND);
	wd_timeline_connected(timeline, NOW - 60 * WD_SECOND, WALL - 60 * WD_STAMP_SECOND);
	wd_timeline_lost(timeline, NOW - 10 * WD_SECOND);
	wd_timeline_connected(timeline, NOW, WALL);
	for (size_t at = 0; at < size; at += piece) {
		wd_lines_put(&lines, (const char *)data + at, size - at < piece ? size - at : piece);
		take_lines(&lines, timeline, &together);
	}
	for (size_t at = 0; at < size; at++)
		whole = data[at] == '\n' ? at + 1 : whole;
	assert(together.length == whole && (whole == 0 || memcmp(together.data, data, whole) == 0));
	wd_lines_done(&lines);
	wd_text_done(&together);
	free(timeline);
	return 0;
}
