#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <watchdog/memory.h>

/* Without memory nothing can be decided soundly; what is durable is in the store, and whoever started us starts us
 * again. */
void *wd_need(void *block)
{
	if (!block) {
		fputs("seadog: out of memory\n", stderr);
		abort();
	}
	return block;
}

void *wd_alloc(size_t count, size_t size)
{
	return wd_need(calloc(count ? count : 1, size ? size : 1));
}

void *wd_realloc(void *block, size_t count, size_t size)
{
	return wd_need(reallocarray(block, count ? count : 1, size ? size : 1));
}

char *wd_copy(const char *text)
{
	return text ? wd_copy_part(text, strlen(text)) : NULL;
}

char *wd_copy_part(const char *text, size_t length)
{
	if (length == SIZE_MAX)
		return wd_need(NULL);
	char *copy = wd_need(malloc(length + 1));

	if (length)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *wd_format(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return wd_need(length < 0 ? NULL : text);
}

void wd_memory_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void wd_replace(char **slot, const char *text)
{
	char *copy = wd_copy(text); /* first: text may be a part of what is freed */

	free(*slot);
	*slot = copy;
}

void wd_auto_free(void *slot)
{
	void *block;

	memcpy(&block, slot, sizeof(block));
	free(block);
}
