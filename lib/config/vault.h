/*
 * vault -- where the master has the secrets, so that they are in the memory of
 * nobody but who works with them.
 *
 * Each kind of process has a sealed file without a name (memfd_create(2)). The
 * master only holds it open; a child reads its own and closes both. A master that
 * executes itself anew finds in it what nobody can read a second time: secrets
 * that came by the environment.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_VAULT_H
#define JR_VAULT_H

#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/config/sources.h"

#include <stdbool.h>

struct jr_vault {
    int fds[JR_SECRETS_KINDS]; /* closed on exec; -1: closed, or of no secret */
};

/*
 * Put all secrets in, and wipe them in settings.
 *   vault  out: owned by the caller; all -1 unless JR_OK
 * Returns JR_OK, or JR_EIO.
 */
enum jr_err jr_vault_fill(struct jr_vault *vault, struct jr_settings *settings,
                          struct jr_error *error) JR_CHECKED;

/* Take the secrets of one kind out into settings, and close the vault. JR_OK, JR_EIO, JR_ENOMEM. */
enum jr_err jr_vault_open(struct jr_vault *vault, enum jr_secrets kind,
                          struct jr_settings *settings, struct jr_error *error) JR_CHECKED;

/*
 * Let a program that is executed next have the vault, or no longer: its descriptors
 * stay open, and their numbers are in the environment.
 */
void jr_vault_hand_on(const struct jr_vault *vault, bool yes);

/*
 * Put what such a vault holds, if there is one, into the source that settings are loaded from:
 * secrets that neither a file nor a credential is there for. Closes it. Returns false when
 * there is none, or no memory: a start then misses a secret, and says so.
 */
bool jr_vault_take_over(struct jr_source *source);

#endif
