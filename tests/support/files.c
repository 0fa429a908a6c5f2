#include "files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void must(bool good, const char *what)
{
	if (!good) {
		perror(what);
		abort();
	}
}

int enter_directory(void **state)
{
	char path[] = "/tmp/seadog-test-XXXXXX";
	must(mkdtemp(path) != NULL, "mkdtemp");
	must(chdir(path) == 0, "chdir");
	*state = strdup(path);
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

int leave_directory(void **state)
{
	must(chdir("/") == 0, "chdir");
	nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

void write_bytes(const char *name, const char *bytes, size_t length)
{
	char *path = strdup(name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	must(file != NULL, name);
	must(fwrite(bytes, 1, length, file) == length, name);
	must(fclose(file) == 0, name);
	free(path);
}

void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

void assert_findings(struct wd_findings *findings, const char *expected)
{
	struct wd_text text = {0};
	for (size_t i = 0; i < findings->count; i++)
		wd_text_print(&text, "%s: %s\n", findings->items[i].warning ? "warning" : "fault",
			      findings->items[i].text);
	wd_findings_done(findings);
	bool same = wd_text_equal(wd_text_get(&text), expected);
	if (!same)
		fprintf(stderr, "found:\n%sexpected:\n%s", wd_text_get(&text), expected);
	wd_text_done(&text);
	assert_true(same);
}
