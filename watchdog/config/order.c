/* Findings in order of place: file by file as they were read, line by line, and what has no line last, as it came. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

struct placed {
	size_t file;
	unsigned long line;
	size_t index;
	struct wd_finding finding;
};

static struct placed place(const struct wd_list *files, const struct wd_finding *finding, size_t index)
{
	struct placed placed = {.file = files->count, .index = index, .finding = *finding};
	for (size_t i = 0; i < files->count; i++) {
		size_t length = strlen(files->items[i]);
		if (strncmp(finding->text, files->items[i], length) != 0 || finding->text[length] != ':')
			continue;
		placed.file = i;
		placed.line = strtoul(finding->text + length + 1, NULL, 10);
		break;
	}
	return placed;
}

static int compare(const void *one, const void *two)
{
	const struct placed *a = one, *b = two;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

void wd_findings_order(struct wd_findings *findings, const struct wd_list *files)
{
	struct placed *all = wd_alloc(findings->count + 1, sizeof(*all));
	for (size_t i = 0; i < findings->count; i++)
		all[i] = place(files, &findings->items[i], i);
	qsort(all, findings->count, sizeof(*all), compare);
	for (size_t i = 0; i < findings->count; i++)
		findings->items[i] = all[i].finding;
	free(all);
}
