/*
 * load -- all settings out of a source, with everything that is wrong with them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LOAD_H
#define JR_LOAD_H

#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/config/sources.h"

#include <stdbool.h>

/*
 * Read all settings: variables, the files that NAME_FILE names, and the systemd credentials in
 * the folder that CREDENTIALS_DIRECTORY names. An empty variable is as good as none.
 *   settings  out: owned by the caller, jr_settings_release()
 *   source    not needed afterwards
 *   problems  out: NULL, or every problem found, a line each, as findings.h has it; owned by
 *             the caller, free(). No secret is in it
 * Returns JR_OK; JR_EINVAL when there are problems; JR_ENOMEM. What could be
 * read is in settings in each case, and so are doubts. What can mean something, and
 * what cannot, is in sense.h.
 */
enum jr_err jr_load_settings(struct jr_settings *settings, const struct jr_source *source,
                             char **problems) JR_CHECKED;

/*
 * Read what etcd asks of who talks to it: CLUSTER_KEY and CLUSTER_PASSWORD, for the tool, which
 * needs no other secret. What is wrong with them, or may not be read, is left out.
 */
void jr_load_cluster_secrets(struct jr_settings *settings, const struct jr_source *source);

/*
 * The same for who only reads or changes the store: the secrets are neither read
 * nor missed, and are NULL.
 */
enum jr_err jr_load_public(struct jr_settings *settings, const struct jr_source *source,
                           char **problems) JR_CHECKED;

/* Can the user that the process is by now read the files that are named? JR_OK or JR_EINVAL. */
enum jr_err jr_load_check_files(const struct jr_settings *settings, struct jr_error *error)
    JR_CHECKED;

/*
 * Does a source look as if the settings of a service were in it? By what every service has:
 * STATE_DIR, or GITHUB_SIGN_KEY in one of its ways. (Others, such as GITHUB_TOKEN or PORT, other
 * programs have in the environment as well.)
 */
bool jr_load_finds_service(const struct jr_source *source);

#endif
