/*
 * chosen -- the policy that POLICY chooses: a preset, or a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CHOSEN_H
#define JR_CHOSEN_H

#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/rules/policy.h"

#include <stddef.h>

/*
 * Read a policy.
 *   name      of a preset, or the path of a file
 *   policy    out: owned by the caller, jr_policy_release(); all zero unless JR_OK
 *   text      out: what was read; owned by the caller, free(). NULL: nobody wants it
 *   length    out: of the text; not looked at without it
 *   problems  out: NULL, or all that is wrong, a line each, "FILE:LINE:COLUMN: what"; owned by
 *             the caller, free()
 * Returns JR_OK; JR_EINVAL when there are problems, also when the file cannot be read; JR_ENOMEM.
 */
enum jr_err jr_chosen_read(const char *name, struct jr_policy *policy, char **text, size_t *length,
                           char **problems) JR_CHECKED;

/*
 * Read a file as a repository's own policy (jr_policy_read_own()).
 *   path      of the file
 *   policy, problems, result  as above
 */
enum jr_err jr_chosen_read_own(const char *path, struct jr_policy *policy,
                               char **problems) JR_CHECKED;

/* What a trial before a reload says on standard error of a policy that is broken, at the head of
 * a line each. */
#define JR_CHOSEN_BROKEN "broken-policy: "

/*
 * Read the policy that the settings choose, and fill in what it comes to: policy_text, judges
 * and what stands with them. The file is read as the user that the process is by now.
 *   problems  as above
 * Returns as above; with JR_EINVAL the settings are as before.
 */
enum jr_err jr_chosen_load(struct jr_settings *settings, char **problems) JR_CHECKED;

/* Read once more what jr_chosen_load() has read. JR_OK or JR_ENOMEM. */
enum jr_err jr_chosen_policy(const struct jr_settings *settings,
                             struct jr_policy *policy) JR_CHECKED;

#endif
