/*
 * signature -- a header and, after a line feed, a body: it is taken only if it is
 * the body's HMAC, computed here in another way.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/crypto/signature.h"
#include "t/fuzz/fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <strings.h>

#define HEADER_SIZE (sizeof "sha256=" + 2 * JR_SHA256_SIZE)

static const char key[] = "the key", old_key[] = "the one before";

static void sign(const char *with, const char *body, size_t length, char header[HEADER_SIZE])
{
    unsigned char digest[JR_SHA256_SIZE];

    HOLDS(HMAC(EVP_sha256(), with, (int)strlen(with), (const unsigned char *)body, length, digest,
               NULL)
          != NULL);
    memcpy(header, "sha256=", 7);
    jr_text_to_hex(digest, sizeof digest, header + 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct jr_signer signer;
    struct input input = { bytes, size };
    char *header = take_until(&input, '\n', NULL), right[HEADER_SIZE], old[HEADER_SIZE];
    size_t length;
    char *body = take_rest(&input, &length);
    enum jr_err err;

    if (signer.contexts[0] == NULL)
        HOLDS(jr_signer_open(&signer, key, old_key) == JR_OK);
    sign(key, body, length, right);
    sign(old_key, body, length, old);
    err = jr_signature_check(&signer, header, body, length);
    HOLDS(err == JR_OK || err == JR_EINVAL);
    HOLDS((err == JR_OK)
          == (strncmp(header, "sha256=", 7) == 0
              && (strcasecmp(header, right) == 0 || strcasecmp(header, old) == 0)));
    HOLDS(err != JR_OK || jr_signature_is_wellformed(header));
    HOLDS(!jr_signature_is_wellformed(header) || strlen(header) == HEADER_SIZE - 1);

    HOLDS(jr_signature_check(&signer, right, body, length) == JR_OK);
    HOLDS(jr_signature_check(&signer, old, body, length) == JR_OK);
    right[7 + length % (2 * JR_SHA256_SIZE)] ^= 1;
    HOLDS(jr_signature_check(&signer, right, body, length) == JR_EINVAL);
    free(header);
    free(body);
    return 0;
}
