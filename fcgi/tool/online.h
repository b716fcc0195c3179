/*
 * online -- what GitHub says to the token or the App that there is, for the sub-command check.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ONLINE_H
#define JR_ONLINE_H

#include "fcgi/tool/command.h"

/*
 * Ask GitHub, about the repository among the arguments, too, and tell what it says, a line or
 * an entry of JSON each. Where the policy asks why a run failed (settings.judges), also what of
 * that can be had, permission by permission, tried on a run that failed; and what is not known
 * without it. Such lines are about what reruns can do without: they change no exit status.
 *   command  its settings are read; no store is open
 * Returns JR_EXIT_OK, or JR_EXIT_FAILED when nothing could be rerun.
 */
int jr_online_check(const struct jr_command *command, struct jr_emit *emit);

#endif
