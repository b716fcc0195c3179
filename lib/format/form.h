/*
 * form -- form-encoded text: the one field of a webhook, and the values in an address.
 *
 * Source: GitHub sends "application/x-www-form-urlencoded" with one parameter
 * `payload`; the encoding is that of https://url.spec.whatwg.org/ section 5.1.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FORM_H
#define JR_FORM_H

#include "lib/base/error.h"

#include <stddef.h>

/*
 * Decode one value.
 *   decoded         room for length + 1 bytes; ends with NUL, may hold NULs
 *   decoded_length  out: in bytes
 * Returns JR_OK, or JR_EINVAL for a bad escape.
 */
enum jr_err jr_form_decode(const char *text, size_t length, char *decoded,
                           size_t *decoded_length) JR_CHECKED;

/*
 * Decode the value of `payload`. Other fields are passed over.
 *   value   out: owned by the caller, free(); NUL-terminated, may hold NULs
 *   length  out: its length in bytes
 * Returns JR_OK; JR_EINVAL when payload is not there, there twice, or has a bad
 * escape; JR_ENOMEM. value is NULL unless JR_OK.
 */
enum jr_err jr_form_payload(const char *body, size_t body_length, char **value,
                            size_t *length, struct jr_error *error) JR_CHECKED;

#endif
