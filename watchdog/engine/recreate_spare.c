/* The names of containers that stand beside their service while it is made again. */
#include <stdlib.h>
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/recreate.h>

#define TOKEN_DIGITS 8

static const char *const marks[] = {[WD_SPARE_NEW] = ".rbnew-", [WD_SPARE_OLD] = ".rbold-"};

char *wd_spare_name(const char *name, enum wd_spare spare, uint32_t token)
{
	return wd_format("%s%s%08x", name + (*name == '/'), marks[spare], token);
}

enum wd_spare wd_spare_read(const char *name, char **ret_name, uint32_t *ret_token)
{
	name += *name == '/';
	size_t length = strlen(name), tail = strlen(marks[WD_SPARE_NEW]) + TOKEN_DIGITS;

	if (length <= tail)
		return WD_SPARE_NONE;
	const char *mark = name + length - tail, *digits = name + length - TOKEN_DIGITS;

	if (strspn(digits, "0123456789abcdef") != TOKEN_DIGITS)
		return WD_SPARE_NONE;
	for (enum wd_spare spare = WD_SPARE_NEW; spare <= WD_SPARE_OLD; spare++) {
		if (!wd_text_starts(mark, marks[spare]))
			continue;
		if (ret_name)
			*ret_name = wd_copy_part(name, (size_t)(mark - name));
		if (ret_token)
			*ret_token = (uint32_t)strtoul(digits, NULL, 16);
		return spare;
	}
	return WD_SPARE_NONE;
}
