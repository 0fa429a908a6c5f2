/* fixtures.h: what real Engines were recorded to send, by names below tests/fixtures. A missing one fails the test. */
#ifndef TESTS_SUPPORT_FIXTURES_H
#define TESTS_SUPPORT_FIXTURES_H

#include <watchdog/json.h>

char *read_fixture(const char *name, size_t *ret_length); /* NUL-terminated; the caller frees */
struct wd_json *json_fixture(const char *name);           /* the caller frees */

#endif
