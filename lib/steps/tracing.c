/*
 * tracing -- a rerun that nobody here has asked for: was it another host of ours, or a person?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/tracing.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/steps/step.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"

#include <string.h>

/* One transaction removes no more. */
#define DROPS_MOST 500

/* An entry that is looked for. */
struct finding {
    int64_t now_ms;
    struct jr_due *entry; /* out */
    bool found, due;      /* out */
};

/* With other entries alone the outbox is not walked. */
static void find(struct jr_txn *txn, void *context)
{
    struct finding *finding = context;
    int64_t latest_ms = finding->now_ms + JR_TRACING_AGAIN_MS;

    finding->found = jr_outbox_has(txn, JR_DUE_TRACE)
                     && jr_outbox_claim(txn, JR_DUE_TRACE, latest_ms, finding->entry);
    /* One that is due later than it can be was made before the clock was set back. */
    finding->due = finding->found
                   && (finding->entry->due_ms <= finding->now_ms
                       || finding->entry->due_ms > latest_ms);
}

enum jr_err jr_tracing_find(struct jr_store *store, int64_t now_ms, struct jr_due *entry,
                            int64_t *due_ms, struct jr_error *error)
{
    struct finding finding = { .now_ms = now_ms, .entry = entry };
    enum jr_err err = jr_store_read(store, find, &finding, error);

    *due_ms = err == JR_OK && finding.found ? entry->due_ms : 0;
    return err == JR_OK && !finding.due ? JR_ENOENT : err;
}

/* An entry that is settled. */
struct settling {
    const struct jr_settings *settings;
    const struct jr_due *entry;
    const struct jr_call *call;
    int64_t now_ms;
    struct jr_traced *traced; /* out */
};

/* By an answer that came later it may be known by now. */
static bool is_unknown(struct jr_txn *txn, const struct jr_run *run, uint32_t attempt)
{
    return run->known && run->attempt > attempt && !jr_failures_rerun_is_ours(txn, run, attempt);
}

static void settle(struct jr_txn *txn, void *context)
{
    const struct settling *settling = context;
    const struct jr_due *entry = settling->entry;
    const struct jr_input input = {
        .kind = JR_INPUT_POSTED, .now_ms = settling->now_ms, .attempt = entry->attempt,
        .outcome = JR_OUTCOME_DONE, .reason = JR_REASON_RERUN_ELSEWHERE,
    };
    const struct jr_origin source = { .call = settling->call };
    struct jr_bounds bounds = jr_step_bounds(settling->settings);
    struct jr_traced *traced = settling->traced;

    memset(&traced->verdict, 0, sizeof traced->verdict);
    if (!jr_outbox_settle(txn, entry, 0) || settling->call == NULL)
        return;
    if (jr_ledger_read_run(txn, entry->run_id, &traced->run)
        && is_unknown(txn, &traced->run, entry->attempt))
        jr_step_take(txn, &bounds, &input, &source, &traced->run, &traced->verdict);
}

enum jr_err jr_tracing_settle(struct jr_store *store, const struct jr_settings *settings,
                              const struct jr_due *entry, const struct jr_call *call,
                              int64_t now_ms, struct jr_traced *traced,
                              struct jr_error *error)
{
    struct settling settling = { settings, entry, call, now_ms, traced };

    return jr_store_write(store, settle, &settling, error);
}

/* When an entry is due next. */
struct postponing {
    const struct jr_due *entry;
    int64_t due_ms;
};

static void postpone(struct jr_txn *txn, void *context)
{
    const struct postponing *postponing = context;

    (void)jr_outbox_settle(txn, postponing->entry, postponing->due_ms);
}

enum jr_err jr_tracing_postpone(struct jr_store *store, const struct jr_due *entry,
                                int64_t now_ms, struct jr_error *error)
{
    bool ends = now_ms - entry->waiting_ms >= JR_TRACING_PATIENCE_MS;
    struct postponing postponing = {
        entry, ends ? 0 : now_ms + jr_test_shorter_ms(JR_TRACING_AGAIN_MS),
    };

    return jr_store_write(store, postpone, &postponing, error);
}

static void drop(struct jr_txn *txn, void *context)
{
    bool *goes_on = context;
    unsigned count = 0;
    struct jr_due entry = { .kind = 0 };

    while (count < DROPS_MOST && jr_outbox_has(txn, JR_DUE_TRACE)
           && jr_outbox_next(txn, JR_DUE_TRACE, &entry)) {
        jr_outbox_remove(txn, &entry);
        count++;
    }
    *goes_on = count == DROPS_MOST;
}

static void look(struct jr_txn *txn, void *context)
{
    *(bool *)context = jr_outbox_has(txn, JR_DUE_TRACE);
}

enum jr_err jr_tracing_drop(struct jr_store *store, struct jr_error *error)
{
    bool goes_on = false;
    enum jr_err err = jr_store_read(store, look, &goes_on, error);

    while (err == JR_OK && goes_on)
        err = jr_store_write(store, drop, &goes_on, error);
    return err;
}
