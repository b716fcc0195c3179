/*
 * tool -- the sub-commands for the administrator.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TOOL_H
#define JR_TOOL_H

#include "lib/config/sources.h"

#include <stdio.h>

/*
 * Run the sub-command that the arguments name.
 *   source  where settings are, unless they are in a file; it stays the caller's
 * Returns the exit status.
 */
int jr_tool_main(char **argv, struct jr_source *source);

/* Say how the program is used. */
void jr_tool_usage(FILE *out);

#endif
