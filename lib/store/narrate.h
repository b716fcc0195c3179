/*
 * narrate -- the sentences that tell an entry of the history, made of its facts when it is
 * read: so a better sentence reaches old runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NARRATE_H
#define JR_NARRATE_H

#include "lib/store/history.h"

#include <stddef.h>

/* Room for any of them. */
#define JR_NARRATE_SIZE 1024

/* What happened, or what it rests on: "workflow_job completed failure 'test' by octocat". May
 * be empty. Returns text. */
char *jr_narrate(const struct jr_history *entry, char text[JR_NARRATE_SIZE]);

/* The words of an entry's reason: those of jr_reason_words(), told of what is over. */
const char *jr_narrate_reason(const struct jr_history *entry);

#endif
