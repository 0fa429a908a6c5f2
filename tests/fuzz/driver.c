/* Runs a fuzz target over files and directories of inputs where libFuzzer is not to be had: each input as it is, then
 * each of its beginnings, as a connection that breaks would leave it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <fuzz/fuzz.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define BEGINNINGS_MAX 2000

static unsigned inputs;

/* A block of its own for each, so that the sanitizer sees the first byte that is read too much. */
static void run(const char *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, length);
	LLVMFuzzerTestOneInput(copy, length);
	free(copy);
}

static bool run_file(const char *path)
{
	WD_AUTO_TEXT struct wd_text bytes = {0};
	char part[4096];
	size_t got;
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return false;
	}
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		wd_text_put(&bytes, part, got);
	fclose(file);
	run(wd_text_get(&bytes), bytes.length);
	for (size_t length = 0; length < bytes.length && length < BEGINNINGS_MAX; length++)
		run(bytes.data, length);
	inputs++;
	return true;
}

static bool run_path(const char *path)
{
	struct stat status;
	bool good = true;

	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return run_file(path);
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		WD_AUTO_FREE char *child = wd_format("%s/%s", path, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.')
			good = run_path(child) && good;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return good && count >= 0;
}

int main(int argc, char **argv)
{
	bool good = true;

	for (int i = 1; i < argc; i++)
		good = run_path(argv[i]) && good;
	printf("%u inputs\n", inputs);
	return good && inputs > 0 ? 0 : 1;
}
