#include <stdarg.h>
#include <stdio.h>

#include <watchdog/memory.h>
#include <watchdog/settings.h>

void wd_findings_done(struct wd_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->items[i].text);
	free(findings->items);
	*findings = (struct wd_findings){0};
}

void wd_findings_add(struct wd_findings *findings, bool warning, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	if (!findings)
		return;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	findings->items = wd_realloc(findings->items, findings->count + 1, sizeof(*findings->items));
	findings->items[findings->count++] = (struct wd_finding){
		.warning = warning,
		.text = wd_need(length < 0 ? NULL : text),
	};
	findings->faults += warning ? 0 : 1;
}
