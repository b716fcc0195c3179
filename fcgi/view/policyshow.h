/*
 * policyshow -- a policy as YAML, each value with where it comes from.
 *
 * What is written is a policy file again, and says the same: what the file or the preset
 * names, then what holds because it does not name it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_POLICYSHOW_H
#define JR_POLICYSHOW_H

#include "lib/base/error.h"
#include "lib/format/emit.h"
#include "lib/rules/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A policy that is good, by jr_policy_read(). */
struct jr_policyshow {
    const char *name;     /* of the preset, or the path of the file */
    bool preset;
    const char *text;     /* of `length` bytes */
    size_t length;
    int64_t run_attempts; /* a rule's attempts are no more than the setting's */
};

/* The policy in force for one repository, and what it is put together of. */
struct jr_policyshow_repo {
    const struct jr_policyshow *centre;
    const struct jr_policyshow *own; /* the repository's own; NULL: none counts */
    const struct jr_policy_force *force; /* of both, for `repo' */
    const char *repo;
};

/* Write it. Returns JR_OK or JR_ENOMEM; whether the writing went well, the stream knows. */
enum jr_err jr_policyshow_write(const struct jr_policyshow *show, FILE *stream) JR_CHECKED;

/*
 * Write it for one repository; of a value that the ceiling has cut it tells what the repository's
 * own file has. Returns as above.
 */
enum jr_err jr_policyshow_write_for(const struct jr_policyshow_repo *show,
                                    FILE *stream) JR_CHECKED;

/*
 * The same as an object: a map is an object, a list of maps an array, and any other value an object
 * of `value', a text or a list of texts, and `from'.
 */
enum jr_err jr_policyshow_emit(const struct jr_policyshow *show, struct jr_emit *emit,
                               const char *key) JR_CHECKED;
enum jr_err jr_policyshow_emit_for(const struct jr_policyshow_repo *show, struct jr_emit *emit,
                                   const char *key) JR_CHECKED;

#endif
