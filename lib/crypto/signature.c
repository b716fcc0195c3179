/*
 * signature -- is this body from somebody who holds the webhook's secret?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/crypto/signature.h"
#include "lib/base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
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

enum jr_err jr_signer_open(struct jr_signer *signer, const char *key, const char *old_key)
{
    const char *keys[] = { key, old_key };
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                      OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    bool ok = mac != NULL;

    memset(signer, 0, sizeof *signer);
    for (size_t i = 0; ok && i < sizeof keys / sizeof *keys; i++) {
        if (keys[i] == NULL)
            continue;
        signer->contexts[i] = EVP_MAC_CTX_new(mac);
        ok = signer->contexts[i] != NULL
             && EVP_MAC_init(signer->contexts[i], (const unsigned char *)keys[i], strlen(keys[i]),
                             parameters) == 1;
    }
    EVP_MAC_free(mac);
    if (!ok)
        jr_signer_close(signer);
    return ok ? JR_OK : JR_EIO;
}

void jr_signer_close(struct jr_signer *signer)
{
    for (size_t i = 0; i < sizeof signer->contexts / sizeof *signer->contexts; i++) {
        EVP_MAC_CTX_free(signer->contexts[i]);
        signer->contexts[i] = NULL;
    }
}

enum jr_err jr_signature_check(const struct jr_signer *signer, const char *header,
                               const void *body, size_t length)
{
    unsigned char sent[JR_SHA256_SIZE], computed[JR_SHA256_SIZE];
    int matches = 0;

    if (!parse(header, sent))
        return JR_EINVAL;
    for (size_t i = 0; i < sizeof signer->contexts / sizeof *signer->contexts; i++) {
        EVP_MAC_CTX *context = signer->contexts[i];
        size_t size;

        if (context == NULL)
            continue;
        /* Without a key it begins anew with the one that it has. */
        if (EVP_MAC_init(context, NULL, 0, NULL) != 1 || EVP_MAC_update(context, body, length) != 1
            || EVP_MAC_final(context, computed, &size, sizeof computed) != 1
            || size != sizeof computed)
            return JR_EIO;
        matches |= CRYPTO_memcmp(sent, computed, sizeof sent) == 0;
    }
    return matches ? JR_OK : JR_EINVAL;
}

enum jr_err jr_signature_self_test(void)
{
    static const char body[] = "Hello, World!";
    struct jr_signer signer;
    enum jr_err err = jr_signer_open(&signer, "It's a Secret to Everybody", NULL);

    if (err == JR_OK)
        err = jr_signature_check(
            &signer, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            body, sizeof body - 1);
    jr_signer_close(&signer);
    return err == JR_OK ? JR_OK : JR_EIO;
}

enum jr_err jr_sha256(const void *bytes, size_t length, unsigned char digest[JR_SHA256_SIZE])
{
    return EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL) == 1 ? JR_OK : JR_EIO;
}

size_t jr_base64(const void *bytes, size_t size, char *base64)
{
    return (size_t)EVP_EncodeBlock((unsigned char *)base64, bytes, (int)size);
}

void jr_wipe(void *secret, size_t length)
{
    OPENSSL_cleanse(secret, length);
}
