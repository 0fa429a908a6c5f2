#include <sodium.h>
#include <string.h>

#include <watchdog/digest.h>
#include <watchdog/memory.h>

struct wd_digest {
	crypto_hash_sha256_state state;
};

struct wd_digest *wd_digest_new(void)
{
	struct wd_digest *digest = wd_alloc(1, sizeof(*digest));

	crypto_hash_sha256_init(&digest->state);
	return digest;
}

struct wd_digest *wd_digest_free(struct wd_digest *digest)
{
	free(digest);
	return NULL;
}

void wd_digest_put(struct wd_digest *digest, const void *bytes, size_t length)
{
	crypto_hash_sha256_update(&digest->state, bytes, length);
}

void wd_digest_get(struct wd_digest *digest, char ret_hex[static WD_DIGEST_TEXT])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(&digest->state, hash);
	sodium_bin2hex(ret_hex, WD_DIGEST_TEXT, hash, sizeof(hash));
}

void wd_digest_of(const void *bytes, size_t length, char ret_hex[static WD_DIGEST_TEXT])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, bytes, length);
	sodium_bin2hex(ret_hex, WD_DIGEST_TEXT, hash, sizeof(hash));
}

bool wd_digest_equal(const char *one, const char *two)
{
	size_t length = one ? strlen(one) : 0;

	return one && two && strlen(two) == length && sodium_memcmp(one, two, length) == 0;
}

char *wd_base64_print(const void *bytes, size_t length, bool url)
{
	int variant = url ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_ORIGINAL;
	size_t room = sodium_base64_encoded_len(length, variant);

	return sodium_bin2base64(wd_alloc(room, 1), room, bytes, length, variant);
}

char *wd_base64_parse(const char *text, size_t *ret_length)
{
	size_t room = strlen(text), length = 0;
	char *bytes = wd_alloc(room + 1, 1);

	if (sodium_base642bin((unsigned char *)bytes, room, text, room, " \r\n", &length, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0) {
		free(bytes);
		return NULL;
	}
	bytes[length] = '\0';
	if (ret_length)
		*ret_length = length;
	return bytes;
}

void wd_wipe(void *bytes, size_t length)
{
	sodium_memzero(bytes, length);
}
