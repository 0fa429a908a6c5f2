/* golden.h: texts held against the files in tests/golden. SEADOG_GOLDEN=write writes them anew: look at the difference
 * before it is committed. */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

/* `name` is the file's: "status.txt". Fails with both texts where they differ. */
void assert_golden(const char *name, const char *text);

#endif
