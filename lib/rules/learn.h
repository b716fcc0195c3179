/*
 * learn -- what events and answers tell of a run as a whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LEARN_H
#define JR_LEARN_H

#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/bounds.h"

#include <stddef.h>

/* Put a text in the place of the one that is known, if it was told: it is not empty. */
void jr_learn_text(char *known, size_t size, const char *told);

/* The facts that hold for all attempts of a run. */
void jr_learn_run(const struct jr_bounds *bounds, const struct jr_event *event,
                  struct jr_run *run);

/* The same from an answer of GitHub's: what is empty afterwards, is empty there. */
void jr_learn_shown(const struct jr_bounds *bounds, const struct jr_event *seen,
                    struct jr_run *run);

/* The sender of the attempt's first event, whichever event comes first here. */
void jr_learn_sender(const struct jr_event *event, struct jr_run *run);

#endif
