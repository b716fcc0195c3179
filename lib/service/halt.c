/*
 * halt -- what keeps the dispatcher from asking GitHub, whatever is due.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/halt.h"
#include "lib/github/throttle.h"
#include "lib/service/lock.h"

#include <string.h>

static void halt_is(struct jr_halt *halt, const char *word, const char *until)
{
    halt->word = word;
    halt->until = until;
}

static void recall_throttle(struct jr_txn *txn, void *context)
{
    jr_throttle_recall(txn, context);
}

enum jr_err jr_halt_read(struct jr_store *store, const struct jr_settings *settings,
                         int64_t now_ms, struct jr_halt *halt, struct jr_error *error)
{
    struct jr_throttle throttle;
    enum jr_err err = jr_store_read(store, recall_throttle, &throttle, error);

    memset(halt, 0, sizeof *halt);
    if (err != JR_OK)
        return err;
    if (!jr_lock_is_held(settings->state_dir)) {
        halt_is(halt, "no dispatcher", "a dispatcher is at work");
    } else if (throttle.rejected_ms != 0) {
        halt_is(halt, "token rejected", "there is a token that GitHub takes");
    } else if (throttle.stopped_until_ms > now_ms) {
        halt_is(halt, "rate limited", NULL);
        halt->until_ms = throttle.stopped_until_ms;
    }
    return JR_OK;
}

struct jr_halt jr_halt_with(const struct jr_halt *halt, const struct jr_pause *pause)
{
    struct jr_halt paused = { .word = "paused", .until = "`job-rerunner resume'" };

    if (pause == NULL)
        return *halt;
    if (pause->until_ms != 0) {
        paused.until = NULL;
        paused.until_ms = pause->until_ms;
    }
    return paused;
}

int64_t jr_halt_asked_ms(const struct jr_halt *halt, int64_t due_ms)
{
    if (halt->word == NULL)
        return due_ms;
    return halt->until_ms > due_ms || halt->until_ms == 0 ? halt->until_ms : due_ms;
}
