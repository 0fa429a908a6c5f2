/* files.h: a directory of its own for a test, which becomes the working directory, so that texts with file names in them
 * can be compared as they are. */
#ifndef TESTS_SUPPORT_FILES_H
#define TESTS_SUPPORT_FILES_H

#include <watchdog/settings.h>

int enter_directory(void **state); /* cmocka set-up */
int leave_directory(void **state); /* cmocka tear-down: removes it with all that is in it */
void write_bytes(const char *name, const char *bytes, size_t length); /* makes the directories on the way */
void write_file(const char *name, const char *text);

/* Compares with "fault: seadog.conf:1: …\nwarning: …\n" and releases the findings. */
void assert_findings(struct wd_findings *findings, const char *expected);

#endif
