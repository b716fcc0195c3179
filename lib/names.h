/*
 * names -- names of variables that are no setting, and which one was likely meant.
 *
 * A slip in the name of a setting is silent otherwise: NO_RETRY_REPO leaves nothing alone.
 * In a file of settings each name has to be one of ours, or of those that the program, its
 * libraries or systemd look at themselves (jr_names_is_foreign()). The environment holds
 * the names of many others; there only those are told that are near to one of ours.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NAMES_H
#define JR_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* A setting, NAME_FILE of a secret, or CREDENTIALS_DIRECTORY. The case counts, as in getenv(). */
bool jr_names_is_known(const char *name);

/*
 * A name of somebody else's that has a meaning for this program or what it is made of, or
 * that every environment has: proxies, TZ, LANG and LC_*, PATH, HOME, OpenSSL's and the
 * C library's, systemd's, the shell's, and what GitHub Actions sets.
 */
bool jr_names_is_foreign(const char *name);

/*
 * Say what is wrong with a name that is neither.
 *   text  out: "is no setting; ..." with the nearest one; no full stop. No value is in it
 */
#define JR_NAMES_SIZE 256
void jr_names_explain(const char *name, char text[JR_NAMES_SIZE]);

/*
 * Which names of the environment are near to one of ours?
 * Returns NULL: none; else a line for each, "NAME: what". Owned by the caller, free().
 */
char *jr_names_doubts(void);

#endif
