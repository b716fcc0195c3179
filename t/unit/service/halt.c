/*
 * halt -- what keeps GitHub from being asked, and until when.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/throttle.h"
#include "lib/service/halt.h"
#include "lib/service/lock.h"
#include "lib/store/pause.h"
#include "t/unit/support.h"

#include <unistd.h>

static const struct halt_row {
    const char *name;
    bool dispatcher, paused, rejected;
    int64_t stopped_ms; /* from now on */
    const char *word;   /* NULL: nothing does */
    int64_t due_ms, asked_ms; /* from now on; asked 0: nobody knows */
    int64_t paused_until_ms;  /* from now on */
} halts[] = {
    { "nothing", true, false, false, 0, NULL, 5, 5, 0 },
    { "paused", true, true, true, 9, "paused", 5, 0, 0 },
    { "paused until a time", true, true, true, 9, "paused", 5, 30, 30 },
    { "no dispatcher", false, false, true, 0, "no dispatcher", 5, 0, 0 },
    { "the token is rejected", true, false, true, 9, "token rejected", 5, 0, 0 },
    { "the rate limit is used up", true, false, false, 9, "rate limited", 5, 9, 0 },
    { "due after that", true, false, false, 9, "rate limited", 11, 11, 0 },
    { "a stop that is over", true, false, false, -1, NULL, 5, 5, 0 },
};

static void halted(void **state)
{
    const struct halt_row *row = *state;
    const char *folder = new_folder();
    struct jr_store *store = open_store(folder);
    struct jr_settings settings = { .state_dir = (char *)folder };
    struct jr_throttle throttle;
    struct jr_halt halt;
    struct jr_error error;
    struct jr_txn txn;
    struct child dispatcher;
    struct jr_pause pause = { .until_ms = row->paused_until_ms == 0 ? 0 : START_MS + row->paused_until_ms };
    int64_t asked_ms;

    jr_txn_begin(&txn, store, true);
    jr_throttle_load(&txn, &throttle, "a token", 0, START_MS);
    throttle.stopped_until_ms = row->stopped_ms == 0 ? 0 : START_MS + row->stopped_ms;
    throttle.stop_reason = JR_REASON_RATE_LIMITED;
    throttle.rejected_ms = row->rejected ? START_MS : 0;
    jr_throttle_save(&txn, &throttle);
    commit(&txn);
    if (row->dispatcher)
        start_child(&dispatcher, child_holds_lock, folder);
    assert_int_equal(jr_halt_read(store, &settings, START_MS, &halt, &error), JR_OK);
    halt = jr_halt_with(&halt, row->paused ? &pause : NULL);
    if (row->word == NULL)
        assert_null(halt.word);
    else
        assert_string_equal(halt.word, row->word);
    asked_ms = jr_halt_asked_ms(&halt, START_MS + row->due_ms);
    assert_true(asked_ms == (row->asked_ms == 0 ? 0 : START_MS + row->asked_ms));
    /* Who cannot name a time can say what is waited for. */
    assert_true(asked_ms != 0 || halt.until != NULL);
    if (row->dispatcher)
        let_child_go(&dispatcher);
    jr_store_close(store);
}

int main(void)
{
    TABLE(halts, halted);
    return run_program("halt");
}
