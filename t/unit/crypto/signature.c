/*
 * signature -- GitHub's own example, and what is not signed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/crypto/signature.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

/* https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
#define KEY    "It's a Secret to Everybody"
#define BODY   "Hello, World!"
#define DIGITS "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
#define HEADER "sha256=" DIGITS

struct check_row {
    const char *name, *header, *body, *key, *old_key;
    enum jr_err want;
};

static void checked(void **state)
{
    const struct check_row *row = *state;
    struct jr_signer signer;
    size_t length = strlen(row->body);
    char *body = malloc(length + (length == 0));

    assert_non_null(body);
    memcpy(body, row->body, length);
    assert_int_equal(jr_signer_open(&signer, row->key, row->old_key), JR_OK);
    /* Twice: what one request leaves behind does not change the next. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(jr_signature_check(&signer, row->header, body, length), row->want);
    jr_signer_close(&signer);
    free(body);
}

static const struct check_row checks[] = {
    { "GitHub's example", HEADER, BODY, KEY, NULL, JR_OK },
    { "with the old key", HEADER, BODY, "new", KEY, JR_OK },
    { "with the new key while there is an old one", HEADER, BODY, KEY, "old", JR_OK },
    { "an empty body", "sha256=66a0c074deaa0f489ead6537e0d32f9a344b90bbeda705b6ed45ecd3b413fb40", "", KEY,
      NULL, JR_OK },
    { "another key", HEADER, BODY, "another", NULL, JR_EINVAL },
    { "two other keys", HEADER, BODY, "another", "and another", JR_EINVAL },
    { "a longer key", HEADER, BODY, KEY "!", NULL, JR_EINVAL },
    { "another body", HEADER, "Hello, World?", KEY, NULL, JR_EINVAL },
    { "a longer body", HEADER, BODY "\n", KEY, NULL, JR_EINVAL },
    { "the last digit", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e16", BODY, KEY,
      NULL, JR_EINVAL },
    { "the first digit", "sha256=657107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", BODY, KEY,
      NULL, JR_EINVAL },
    { "no prefix", DIGITS, BODY, KEY, NULL, JR_EINVAL },
    { "sha1", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59", BODY, KEY, NULL, JR_EINVAL },
    { "nothing", "", BODY, KEY, NULL, JR_EINVAL },
};

struct form_row {
    const char *name, *header;
    bool want;
};

static void wellformed(void **state)
{
    const struct form_row *row = *state;

    assert_int_equal(jr_signature_is_wellformed(row->header), row->want);
}

static const struct form_row headers[] = {
    { "good", HEADER, true },
    { "capital digits", "sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17", true },
    { "empty", "", false },
    { "only the prefix", "sha256=", false },
    { "no prefix", DIGITS, false },
    { "sha1", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59", false },
    { "another prefix", "sha512=" DIGITS, false },
    { "a digit too few", "sha256=57107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", false },
    { "a digit too many", HEADER "0", false },
    { "a blank before", " " HEADER, false },
    { "a blank after", HEADER " ", false },
    { "two in one", HEADER ", " HEADER, false },
    { "no digits", "sha256=zz7107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", false },
};

/* FIPS 180-2, appendix B.1 */
static void sha256_of_abc(void **state)
{
    static const unsigned char want[JR_SHA256_SIZE] = {
        0xba,
        0x78,
        0x16,
        0xbf,
        0x8f,
        0x01,
        0xcf,
        0xea,
        0x41,
        0x41,
        0x40,
        0xde,
        0x5d,
        0xae,
        0x22,
        0x23,
        0xb0,
        0x03,
        0x61,
        0xa3,
        0x96,
        0x17,
        0x7a,
        0x9c,
        0xb4,
        0x10,
        0xff,
        0x61,
        0xf2,
        0x00,
        0x15,
        0xad,
    };
    unsigned char digest[JR_SHA256_SIZE];

    (void)state;
    assert_int_equal(jr_sha256("abc", 3, digest), JR_OK);
    assert_memory_equal(digest, want, sizeof want);
}

struct base64_row {
    const char *name, *bytes, *want;
};

static void to_base64(void **state)
{
    const struct base64_row *row = *state;
    char text[32];

    assert_int_equal(jr_base64(row->bytes, strlen(row->bytes), text), strlen(row->want));
    assert_string_equal(text, row->want);
    assert_true(strlen(row->want) < JR_BASE64_SIZE(strlen(row->bytes)));
}

/* RFC 4648, 10, and the last two digits. */
static const struct base64_row base64[] = {
    { "nothing", "", "" },
    { "one byte", "f", "Zg==" },
    { "two", "fo", "Zm8=" },
    { "three", "foo", "Zm9v" },
    { "four", "foob", "Zm9vYg==" },
    { "five", "fooba", "Zm9vYmE=" },
    { "six", "foobar", "Zm9vYmFy" },
    { "the last digits", "\xfb\xff\xbf", "+/+/" },
};

static void wiped(void **state)
{
    char secret[8] = "secret!";

    (void)state;
    jr_wipe(secret, 6);
    assert_memory_equal(secret, "\0\0\0\0\0\0!", 8);
}

static void tests_itself(void **state)
{
    (void)state;
    assert_int_equal(jr_signature_self_test(), JR_OK);
}

int main(void)
{
    TABLE(checks, checked);
    TABLE(headers, wellformed);
    TEST(tests_itself);
    TEST(sha256_of_abc);
    TABLE(base64, to_base64);
    TEST(wiped);
    return run_program("signature");
}
