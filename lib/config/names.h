/*
 * names -- names of variables that are no setting, and which one was likely meant.
 *
 * A slip in the name of a setting is silent otherwise: NO_RETRY_REPO leaves nothing alone.
 * In a file of settings each name has to be one of ours, or of those that the libraries of
 * the program or systemd look at themselves (jr_names_may_be_in_file()). The environment
 * holds the names of many others (jr_names_is_foreign()); there only those are told that are
 * near to one of ours, or begin as ours do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NAMES_H
#define JR_NAMES_H

#include "lib/config/settings.h"

#include <stdbool.h>
#include <stddef.h>

/* A setting, NAME_FILE of a secret, or CREDENTIALS_DIRECTORY. The case counts, as in getenv(). */
bool jr_names_is_known(const char *name);

/* More names than are known. */
#define JR_NAMES_KNOWN_MOST (2 * JR_SETTINGS_MOST + 1)

/*
 * May a file of settings have this name? If it is known, or if what the program is made of
 * looks at it: proxies, TZ, LANG and LC_*, curl's, OpenSSL's, the C library's and loader's,
 * and systemd's own. Nobody sets for a service by a file what shells, web servers or GitHub
 * Actions set for those whom they start.
 */
bool jr_names_may_be_in_file(const char *name);

/*
 * A name of somebody else's that an environment may well have: those of a file, and PATH,
 * HOME, what systemd tells of a unit, the shell's, a web server's, and what GitHub Actions sets.
 */
bool jr_names_is_foreign(const char *name);

/* Letters, digits, _ and, by a slip, -: others are nobody's slip, and no line of a log. */
bool jr_names_is_plain(const char *name);

/*
 * Say what is wrong with a name that is none of these.
 *   text  out: "is no setting; ..." with the nearest one; no full stop. No value is in it
 */
#define JR_NAMES_SIZE 256
void jr_names_explain(const char *name, char text[JR_NAMES_SIZE]);

/*
 * Which names of the environment are near to one of ours, or begin with words that only ours
 * begin with (NO_RETRY_, REPO_, RERUN_, RUN_, RETRY_)?
 * Returns NULL: none; else a line for each, "NAME: what". Owned by the caller, free().
 */
char *jr_names_doubts(void);

#endif
