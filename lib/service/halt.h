/*
 * halt -- what keeps the dispatcher from asking GitHub, whatever is due: for people,
 * who are not to be told a time that will not be kept.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HALT_H
#define JR_HALT_H

#include "lib/config/settings.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdint.h>

struct jr_halt {
    const char *word;  /* static: "paused"; NULL: nothing does */
    const char *until; /* static: "a dispatcher is at work": until then; NULL: see until_ms */
    int64_t until_ms;  /* 0: nobody knows the time */
};

/*
 * Find out, in one short read transaction. What is paused (pause.h), and what stops the
 * calls of one installation of a GitHub App, is not looked at: others go on.
 * Returns JR_OK or what failed.
 */
enum jr_err jr_halt_read(struct jr_store *store, const struct jr_settings *settings,
                         int64_t now_ms, struct jr_halt *halt, struct jr_error *error) JR_CHECKED;

/* The same for a run that a pause holds up; NULL: none does. */
struct jr_halt jr_halt_with(const struct jr_halt *halt, const struct jr_pause *pause);

/* When GitHub is asked about what is due at due_ms; 0: nobody knows the time. */
int64_t jr_halt_asked_ms(const struct jr_halt *halt, int64_t due_ms);

#endif
