/*
 * jwt -- the token that a GitHub App signs to say who it is: JWT, RS256.
 *
 * Sources: RFC 7515, RFC 7518 (3.3), RFC 7519;
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_JWT_H
#define JR_JWT_H

#include "lib/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Room for a JWT: the signature of the longest key, 8192 bits, has 1366 characters. */
#define JR_JWT_SIZE 2048

/* The longest issuer, without the NUL: a client id has 20 characters. */
#define JR_JWT_ISSUER_MAX 64

/* How long before `now` it is made valid, and after: GitHub takes 10 min at most. */
#define JR_JWT_BACK_S 60
#define JR_JWT_LIFE_S (9 * 60)

struct jr_jwt_key;

/*
 * Read a private key.
 *   key    out: owned by the caller, jr_jwt_key_close(); NULL unless JR_OK
 *   pem    PKCS#1 or PKCS#8, as text with line feeds; it is not kept
 *   error  what is wrong with it; holds nothing of the key
 * Returns JR_OK; JR_EINVAL: not an RSA key of 2048 to 8192 bits, or one with a
 * passphrase (nobody is ever asked for it).
 */
enum jr_err jr_jwt_key_open(struct jr_jwt_key **key, const char *pem,
                            struct jr_error *error) JR_CHECKED;
void jr_jwt_key_close(struct jr_jwt_key *key); /* NULL: nothing */

/*
 * Make a JWT.
 *   issuer  what stands in `iss`: letters, digits, '.', '_', '-', up to JR_JWT_ISSUER_MAX
 *   now_ms  the time by GitHub's clock
 *   jwt     out: empty unless JR_OK
 * Returns JR_OK, JR_EINVAL for another issuer, or JR_EIO when libcrypto fails.
 */
enum jr_err jr_jwt_make(const struct jr_jwt_key *key, const char *issuer, int64_t now_ms,
                        char jwt[JR_JWT_SIZE]) JR_CHECKED;

#endif
