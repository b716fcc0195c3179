/*
 * secrets -- the files that secrets are read from: NAME_FILE, and systemd's credentials.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SECRETS_H
#define JR_SECRETS_H

#include "lib/base/error.h"
#include "lib/config/findings.h"
#include "lib/config/settings.h"
#include "lib/config/sources.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Open a file of settings or secrets for reading. It has to be a regular file: one of
 * another kind may make whoever opens or reads it wait for ever, and such files are read
 * more than once, when a pipe has nothing more to give.
 * Returns its descriptor, or -1; error then has JR_ENOENT or JR_EIO, and names the file.
 */
int jr_secrets_open_file(const char *path, struct jr_error *error) JR_CHECKED;

/*
 * Read a secret: the variable itself, or the file that NAME_FILE names, or the credential in
 * the folder that CREDENTIALS_DIRECTORY names, which is named as the setting in small letters
 * (systemd.exec(5), LoadCredential=). A line feed at the end of a file does not count. What is
 * wrong is a finding; nothing of the secret is in it.
 */
void jr_secrets_read(struct jr_settings *settings, size_t row, const struct jr_source *source,
                     struct jr_findings *findings);

/* Is there a NAME_FILE or a credential to read the secret NAME (or "NAME=value") from? */
bool jr_secrets_has_file(const struct jr_source *source, const char *name);

/* Is a secret given in any of the three ways? If it was not read then, that was told. */
bool jr_secrets_is_tried(const struct jr_source *source, const char *name);

/*
 * Read what GitHub is called with anew, from the file that it was read from: the token, or the
 * App's key. Returns whether there is another one in it; it has then taken the old one's place.
 * What cannot be read changes nothing.
 */
bool jr_secrets_reread_token(struct jr_settings *settings);

/*
 * Tell what is taken, but should not be so: secrets in files that everybody may read, and
 * http://.
 *   file  where settings without a file of their own come from; NULL: the environment
 *   warn  called for each: the setting, or "settings" for the file; and a sentence for people
 */
void jr_secrets_warn(const struct jr_settings *settings, const char *file,
                     void (*warn)(void *context, const char *name, const char *text),
                     void *context);

/*
 * Wipe the secrets in the environment block, which others of the same user could read in
 * /proc/PID/environ. After the settings were loaded.
 */
void jr_secrets_clear_environment(void);

#endif
