/* digest.h: checksums, and bytes as text (the only file that knows libsodium is digest.c). */
#ifndef WATCHDOG_DIGEST_H
#define WATCHDOG_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/* SHA-256 as `sha256sum` prints it: 64 lower-case digits and a NUL. */
#define WD_DIGEST_TEXT 65

/* Bytes as they come. After _get the digest is used up: only _free may follow. */
struct wd_digest;
struct wd_digest *wd_digest_new(void);
struct wd_digest *wd_digest_free(struct wd_digest *digest); /* returns NULL; takes NULL */
void wd_digest_put(struct wd_digest *digest, const void *bytes, size_t length);
void wd_digest_get(struct wd_digest *digest, char ret_hex[static WD_DIGEST_TEXT]);

/* The same of bytes that are there at once. */
void wd_digest_of(const void *bytes, size_t length, char ret_hex[static WD_DIGEST_TEXT]);

/* Equal texts; how long that takes tells nothing about where they differ. Two NULLs are not equal. */
bool wd_digest_equal(const char *one, const char *two);

/* Base64 with the letters of RFC 4648, section 4, or of section 5 where `url`; padded. The caller frees. Reading wants
 * section 4, skips blanks and line ends, and gives NULL for what is none; ret_length may be NULL, a NUL is added. */
char *wd_base64_print(const void *bytes, size_t length, bool url);
char *wd_base64_parse(const char *text, size_t *ret_length);

void wd_wipe(void *bytes, size_t length); /* overwrites a secret; the compiler does not leave it out */

#endif
