/*
 * jwt -- what is signed, by which keys, checked with the public key.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/crypto/jwt.h"
#include "lib/format/json.h"
#include "t/unit/support.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum format { PKCS8, PKCS1, ENCRYPTED, PUBLIC };

/* A key in PEM; owned by the caller. */
static char *pem_of(EVP_PKEY *pkey, enum format format)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *pem;
    long length;

    assert_non_null(bio);
    if (format == PKCS8)
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    else if (format == PKCS1)
        assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    else if (format == ENCRYPTED)
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_256_cbc(), "pass", 4, NULL, NULL), 1);
    else
        assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    length = BIO_get_mem_data(bio, &bytes);
    pem = strndup(bytes, (size_t)length);
    BIO_free(bio);
    assert_non_null(pem);
    return pem;
}

/* One key for all tests: to make one takes a while. */
static EVP_PKEY *usual_key(void)
{
    static EVP_PKEY *pkey;

    if (pkey == NULL)
        pkey = EVP_RSA_gen(2048);
    assert_non_null(pkey);
    return pkey;
}

static struct jr_jwt_key *open_key(EVP_PKEY *pkey, enum format format)
{
    char *pem = pem_of(pkey, format);
    struct jr_jwt_key *key;
    struct jr_error error;

    if (jr_jwt_key_open(&key, pem, &error) != JR_OK)
        fail_msg("%s", error.text);
    free(pem);
    return key;
}

static size_t from_base64url(const char *text, size_t length, unsigned char *bytes)
{
    char padded[JR_JWT_SIZE + 4];
    size_t padding = (4 - length % 4) % 4;
    int size;

    assert_true(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") >= length);
    snprintf(padded, sizeof padded, "%.*s%.*s", (int)length, text, (int)padding, "===");
    for (char *c = padded; *c != '\0'; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    size = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(length + padding));
    assert_true(size >= 0);
    return (size_t)size - padding;
}

/* Is it signed with the key, and what are its claims? */
static json_object *claims_of(const char *jwt, EVP_PKEY *pkey)
{
    unsigned char bytes[JR_JWT_SIZE];
    const char *dot = strchr(jwt, '.'), *second = strchr(dot + 1, '.');
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    json_object *claims;
    struct jr_error error;
    size_t size;

    assert_non_null(second);
    assert_null(strchr(second + 1, '.'));
    size = from_base64url(jwt, (size_t)(dot - jwt), bytes);
    bytes[size] = '\0';
    assert_string_equal((char *)bytes, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    size = from_base64url(second + 1, strlen(second + 1), bytes);
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, pkey), 1);
    assert_int_equal(EVP_DigestVerify(context, bytes, size, (const unsigned char *)jwt, (size_t)(second - jwt)), 1);
    EVP_MD_CTX_free(context);
    size = from_base64url(dot + 1, (size_t)(second - dot - 1), bytes);
    bytes[size] = '\0';
    assert_int_equal(jr_json_parse((char *)bytes, size, &claims, &error), JR_OK);
    return claims;
}

struct issuer_row {
    const char *name, *issuer;
    int64_t now_ms;
};

static void is_signed(void **state)
{
    const struct issuer_row *row = *state;
    struct jr_jwt_key *key = open_key(usual_key(), PKCS8);
    char jwt[JR_JWT_SIZE], issuer[128];
    json_object *claims;
    uint64_t iat, exp;

    assert_int_equal(jr_jwt_make(key, row->issuer, row->now_ms, jwt), JR_OK);
    claims = claims_of(jwt, usual_key());
    assert_int_equal(jr_json_get_text(claims, "iss", issuer, sizeof issuer), JR_JSON_OK);
    assert_string_equal(issuer, row->issuer);
    assert_int_equal(jr_json_get_id(claims, "iat", &iat), JR_JSON_OK);
    assert_int_equal(jr_json_get_id(claims, "exp", &exp), JR_JSON_OK);
    assert_int_equal(iat, row->now_ms / 1000 - 60);
    assert_int_equal(exp, row->now_ms / 1000 + 540);
    json_object_put(claims);
    jr_jwt_key_close(key);
}

static const struct issuer_row issuers[] = {
    { "a number", "1", START_MS },
    { "a client id", "Iv23liAbCdEfGhIjKlMn", START_MS + 999 },
    { "a client id with a dot", "Iv1.8a61f9b3a7aba766", START_MS },
    { "as long as may be", "0123456789012345678901234567890123456789012345678901234567890123", START_MS },
    { "far ahead", "1", INT64_C(253402300799999) },
};

static void formats(void **state)
{
    static const enum format both[] = { PKCS1, PKCS8 };

    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        struct jr_jwt_key *key = open_key(usual_key(), both[i]);
        char jwt[JR_JWT_SIZE];

        assert_int_equal(jr_jwt_make(key, "1", START_MS, jwt), JR_OK);
        json_object_put(claims_of(jwt, usual_key()));
        jr_jwt_key_close(key);
    }
}

static void long_key(void **state)
{
    EVP_PKEY *pkey = EVP_RSA_gen(4096);
    struct jr_jwt_key *key = open_key(pkey, PKCS8);
    char jwt[JR_JWT_SIZE];

    (void)state;
    assert_int_equal(jr_jwt_make(key, issuers[3].issuer, START_MS, jwt), JR_OK);
    assert_in_range(strlen(jwt), 700, JR_JWT_SIZE - 1);
    json_object_put(claims_of(jwt, pkey));
    jr_jwt_key_close(key);
    EVP_PKEY_free(pkey);
}

static void issuers_that_are_none(void **state)
{
    static const char *const bad[] = {
        "", "a b", "a\"", "a\\", "\n", "\xc3\xa4",
        "01234567890123456789012345678901234567890123456789012345678901234",
    };
    struct jr_jwt_key *key = open_key(usual_key(), PKCS8);
    char jwt[JR_JWT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(jr_jwt_make(key, bad[i], START_MS, jwt), JR_EINVAL);
        assert_string_equal(jwt, "");
    }
    jr_jwt_key_close(key);
}

static void refuses(EVP_PKEY *pkey, enum format format, const char *says)
{
    char *pem = pem_of(pkey, format);
    struct jr_jwt_key *key;
    struct jr_error error;

    assert_int_equal(jr_jwt_key_open(&key, pem, &error), JR_EINVAL);
    assert_null(key);
    assert_contains(error.text, says);
    free(pem);
}

static void keys_that_are_none(void **state)
{
    EVP_PKEY *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");

    (void)state;
    refuses(usual_key(), ENCRYPTED, "passphrase");
    refuses(usual_key(), PUBLIC, "not a private key");
    refuses(small, PKCS8, "1024 bits");
    refuses(curve, PKCS8, "not an RSA key");
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
}

/* Cut anywhere it is an error, never a crash, and the text has nothing of the key. */
static void cut_keys(void **state)
{
    char *pem = pem_of(usual_key(), PKCS8);
    struct jr_jwt_key *key;
    struct jr_error error;
    char part[21];

    (void)state;
    snprintf(part, sizeof part, "%.20s", pem + 60);
    for (size_t length = 0; length + 30 < strlen(pem); length += 7) {
        char *cut = strndup(pem, length);

        assert_int_equal(jr_jwt_key_open(&key, cut, &error), JR_EINVAL);
        assert_null(key);
        assert_not_contains(error.text, part);
        free(cut);
    }
    jr_jwt_key_close(NULL);
    free(pem);
}

int main(void)
{
    TABLE(issuers, is_signed);
    TEST(formats);
    TEST(long_key);
    TEST(issuers_that_are_none);
    TEST(keys_that_are_none);
    TEST(cut_keys);
    return run_program("jwt");
}
