/*
 * signature -- is this body from somebody who holds the webhook's secret?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/signature.h"
#include "lib/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static const char prefix[] = "sha256=";

static bool parse(const char *header, unsigned char digest[JR_SHA256_SIZE])
{
    size_t length = sizeof prefix - 1;

    return strncmp(header, prefix, length) == 0
           && jr_text_from_hex(header + length, digest, JR_SHA256_SIZE);
}

bool jr_signature_is_wellformed(const char *header)
{
    unsigned char digest[JR_SHA256_SIZE];

    return parse(header, digest);
}

enum jr_err jr_signature_check(const char *header, const void *body, size_t length,
                               const char *key, const char *old_key)
{
    unsigned char sent[JR_SHA256_SIZE], computed[JR_SHA256_SIZE];
    const char *keys[] = { key, old_key };
    int matches = 0;

    if (!parse(header, sent))
        return JR_EINVAL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i] == NULL)
            continue;
        if (HMAC(EVP_sha256(), keys[i], (int)strlen(keys[i]), body, length, computed, NULL) == NULL)
            return JR_EIO;
        matches |= CRYPTO_memcmp(sent, computed, sizeof sent) == 0;
    }
    return matches ? JR_OK : JR_EINVAL;
}

enum jr_err jr_signature_self_test(void)
{
    static const char body[] = "Hello, World!";

    return jr_signature_check(
               "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", body,
               sizeof body - 1, "It's a Secret to Everybody", NULL)
                   == JR_OK
               ? JR_OK
               : JR_EIO;
}

enum jr_err jr_sha256(const void *bytes, size_t length, unsigned char digest[JR_SHA256_SIZE])
{
    return EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL) == 1 ? JR_OK : JR_EIO;
}

void jr_wipe(void *secret, size_t length)
{
    OPENSSL_cleanse(secret, length);
}
