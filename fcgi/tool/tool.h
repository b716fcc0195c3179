/*
 * tool -- the sub-commands for the administrator.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TOOL_H
#define JR_TOOL_H

#include <stdio.h>

/* Run the sub-command that the arguments name. Returns the exit status. */
int jr_tool_main(char **argv);

/* Say how the program is used. */
void jr_tool_usage(FILE *out);

#endif
