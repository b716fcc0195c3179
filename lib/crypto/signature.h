/*
 * signature -- is this body from somebody who holds the webhook's secret?
 *
 * Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 * (X-Hub-Signature-256: "sha256=" and 64 hexadecimal digits of HMAC-SHA-256
 * over the raw body).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SIGNATURE_H
#define JR_SIGNATURE_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define JR_SHA256_SIZE 32

/* Is the header well-formed? What is not need not be computed. */
bool jr_signature_is_wellformed(const char *header);

/* The webhook's secrets, made ready once for all requests of a process. */
struct jr_signer {
    void *contexts[2]; /* libcrypto's, one for each key; owned */
};

/*
 *   signer   out: all NULL unless JR_OK; released with jr_signer_close()
 *   key      never NULL nor empty; not needed afterwards
 *   old_key  NULL when no key is being rotated out
 * Returns JR_OK, or JR_EIO when libcrypto fails.
 */
enum jr_err jr_signer_open(struct jr_signer *signer, const char *key,
                           const char *old_key) JR_CHECKED;
void jr_signer_close(struct jr_signer *signer);

/*
 * Check the header against the body, in constant time, with both keys always.
 *   header   any string
 * Returns JR_OK, JR_EINVAL when it is not signed with either, JR_EIO when
 * libcrypto fails.
 */
enum jr_err jr_signature_check(const struct jr_signer *signer, const char *header,
                               const void *body, size_t length) JR_CHECKED;

/*
 * Check GitHub's own example. Also loads what libcrypto loads at first use, some
 * 15 ms, so that no request has to wait for it. JR_OK or JR_EIO.
 */
enum jr_err jr_signature_self_test(void) JR_CHECKED;

/* SHA-256 of some bytes. JR_OK or JR_EIO. */
enum jr_err jr_sha256(const void *bytes, size_t length,
                      unsigned char digest[JR_SHA256_SIZE]) JR_CHECKED;

/* Base64 as RFC 4648, 4, has it; base64 holds JR_BASE64_SIZE(size). Returns its length. */
#define JR_BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)
size_t jr_base64(const void *bytes, size_t size, char *base64);

/* Overwrite a secret so that no compiler leaves it out. */
void jr_wipe(void *secret, size_t length);

#endif
