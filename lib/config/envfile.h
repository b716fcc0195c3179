/*
 * envfile -- a file of settings, as systemd's EnvironmentFile= has it.
 *
 * NAME=value, a line each; empty lines and those that begin with # or ; do not
 * count. A value may stand in single or double quotes, where blanks at its ends
 * count, too. A backslash takes the next character as it is (in double quotes
 * only one of "\`$), and at the end of a line it joins the next one; in single
 * quotes it is a character like any other. Nothing is expanded.
 * Source: systemd.exec(5), EnvironmentFile=.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ENVFILE_H
#define JR_ENVFILE_H

#include "lib/base/error.h"
#include "lib/config/sources.h"

#include <stddef.h>

/* No file of settings is larger. */
#define JR_ENVFILE_MAX ((size_t)256 * 1024)

/*
 * Set the variables of a file in a source, in the place of those of the same name. Each has
 * to be one that may be in a file (names.h). Of settings that stand twice the last one counts,
 * as for systemd.
 *   problems  out: NULL, or every line that is wrong, "FILE:LINE: what" with a line feed;
 *             owned by the caller, free(). No value is in it
 *   doubts    out: NULL, or each setting that stands twice with different values, "NAME: what"
 *             with a line feed; owned by the caller, free(). No value is in it
 * Returns JR_OK; JR_ENOENT when there is no such file; JR_EINVAL when a line is
 * no assignment or names what is no setting (all others are set); JR_ENOMEM; JR_EIO
 * when it cannot be read or is not a regular file. For JR_EINVAL error has the first problem.
 */
enum jr_err jr_envfile_load(const char *path, struct jr_source *source, char **problems,
                            char **doubts, struct jr_error *error) JR_CHECKED;

#endif
