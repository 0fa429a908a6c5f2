#include <string.h>

#include <support/unit.h>
#include <watchdog/digest.h>
#include <watchdog/memory.h>

/* FIPS 180-4's examples, and what sha256sum says of a million letters. */
static void the_same_as_everybody_s(void **state)
{
	char hex[WD_DIGEST_TEXT];
	struct wd_digest *digest = wd_digest_new();
	char letters[1000];

	(void)state;
	wd_digest_of("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	wd_digest_of("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	memset(letters, 'a', sizeof(letters));
	for (int i = 0; i < 1000; i++)
		wd_digest_put(digest, letters, sizeof(letters));
	wd_digest_get(digest, hex);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_null(wd_digest_free(digest));
	assert_null(wd_digest_free(NULL));
}

static void pieces_make_the_whole(void **state)
{
	char bytes[300], whole[WD_DIGEST_TEXT], pieces[WD_DIGEST_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 31);
	wd_digest_of(bytes, sizeof(bytes), whole);
	for (size_t step = 1; step < sizeof(bytes); step += 7) {
		struct wd_digest *digest = wd_digest_new();

		for (size_t at = 0; at < sizeof(bytes); at += step)
			wd_digest_put(digest, bytes + at, sizeof(bytes) - at < step ? sizeof(bytes) - at : step);
		wd_digest_get(digest, pieces);
		assert_true(wd_digest_equal(whole, pieces));
		wd_digest_free(digest);
	}
}

static void equal_is_equal(void **state)
{
	(void)state;
	assert_true(wd_digest_equal("abc", "abc"));
	assert_false(wd_digest_equal("abc", "abd"));
	assert_false(wd_digest_equal("abc", "ab"));
	assert_false(wd_digest_equal("abc", NULL));
	assert_false(wd_digest_equal(NULL, NULL));
}

static void base64_goes_and_comes(void **state)
{
	size_t length = 0;
	WD_AUTO_FREE char *plain = wd_base64_parse("dXNlcjo/Pj8+\r\n", &length);
	WD_AUTO_FREE char *url = wd_base64_print("user:?>?>", 9, true), *raw = wd_base64_print("a\0b", 3, false);

	(void)state;
	assert_int_equal(length, 9);
	assert_string_equal(plain, "user:?>?>");
	assert_string_equal(url, "dXNlcjo_Pj8-");
	assert_string_equal(raw, "YQBi");
	assert_null(wd_base64_parse("dXNlcjo", NULL));
	assert_null(wd_base64_parse("dXNl!", NULL));
	assert_null(wd_base64_parse("dXNlcjo_Pj8-", NULL));
	wd_wipe(plain, length);
	assert_int_equal(plain[3], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_as_everybody_s),
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(equal_is_equal),
		cmocka_unit_test(base64_goes_and_comes),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
