/*
 * jwt -- the token that a GitHub App signs to say who it is: JWT, RS256.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/crypto/jwt.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS_MIN 2048
#define BITS_MAX 8192

#define CLAIMS_SIZE (JR_JWT_ISSUER_MAX + 80)

/* As base64 has them, the dots, the padding and the NUL. */
_Static_assert((64 + CLAIMS_SIZE + BITS_MAX / 8) * 4 / 3 + 12 <= JR_JWT_SIZE, "room for each JWT");

struct jr_jwt_key {
    EVP_PKEY *pkey;
};

/* Without it libcrypto asks at the terminal. */
static int refuse_passphrase(char *buffer, int size, int writing, void *asked)
{
    (void)buffer, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static enum jr_err judge(EVP_PKEY *pkey, bool asked, struct jr_error *error)
{
    int bits;

    if (pkey == NULL && asked)
        return jr_error_set(error, JR_EINVAL, "is a key with a passphrase; GitHub's have none");
    if (pkey == NULL)
        return jr_error_set(error, JR_EINVAL, "is not a private key in PEM, as GitHub makes it "
                            "(-----BEGIN RSA PRIVATE KEY-----)");
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
        return jr_error_set(error, JR_EINVAL, "is a key, but not an RSA key");
    bits = EVP_PKEY_get_bits(pkey);
    if (bits < BITS_MIN || bits > BITS_MAX)
        return jr_error_set(error, JR_EINVAL, "is an RSA key of %d bits; allowed is %d to %d", bits,
                            BITS_MIN, BITS_MAX);
    return JR_OK;
}

enum jr_err jr_jwt_key_open(struct jr_jwt_key **key, const char *pem, struct jr_error *error)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    bool asked = false;
    EVP_PKEY *pkey = bio == NULL ? NULL
                                 : PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked);
    enum jr_err err = judge(pkey, asked, error);

    *key = err == JR_OK ? malloc(sizeof **key) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (*key == NULL) {
        EVP_PKEY_free(pkey);
        return err != JR_OK ? err : jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    (*key)->pkey = pkey;
    return JR_OK;
}

void jr_jwt_key_close(struct jr_jwt_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

/* Append base64url (RFC 4648, 5) without padding. Returns the new length. */
static size_t add_base64url(char jwt[JR_JWT_SIZE], size_t length, const unsigned char *bytes,
                            size_t size)
{
    size_t end = length + jr_base64(bytes, size, jwt + length);

    while (end > length && jwt[end - 1] == '=')
        end--;
    jwt[end] = '\0';
    for (char *c = jwt + length; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return end;
}

static bool is_issuer(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= JR_JWT_ISSUER_MAX
           && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
                  == length;
}

static bool sign(const struct jr_jwt_key *key, const char *text, size_t length,
                 unsigned char signature[BITS_MAX / 8], size_t *size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL
              && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey) == 1
              && EVP_DigestSign(context, signature, size, (const unsigned char *)text, length) == 1;

    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return ok;
}

enum jr_err jr_jwt_make(const struct jr_jwt_key *key, const char *issuer, int64_t now_ms,
                        char jwt[JR_JWT_SIZE])
{
    static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
    unsigned char signature[BITS_MAX / 8];
    char claims[CLAIMS_SIZE];
    long long now_s = now_ms / JR_SECOND_MS;
    size_t length, size = sizeof signature;

    jwt[0] = '\0';
    if (!is_issuer(issuer))
        return JR_EINVAL;
    snprintf(claims, sizeof claims, "{\"iat\":%lld,\"exp\":%lld,\"iss\":\"%s\"}",
             now_s - JR_JWT_BACK_S, now_s + JR_JWT_LIFE_S, issuer);
    length = add_base64url(jwt, 0, (const unsigned char *)header, sizeof header - 1);
    jwt[length++] = '.';
    length = add_base64url(jwt, length, (const unsigned char *)claims, strlen(claims));
    if (!sign(key, jwt, length, signature, &size)) {
        jwt[0] = '\0';
        return JR_EIO;
    }
    jwt[length++] = '.';
    add_base64url(jwt, length, signature, size);
    return JR_OK;
}
