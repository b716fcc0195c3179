/*
 * control -- what an administrator does to the service by hand: pause and resume
 * it, have a run rerun, forget one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/control.h"
#include "lib/decide.h"
#include "lib/delivery.h"
#include "lib/history.h"
#include "lib/ledger.h"
#include "lib/rerun.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

static enum jr_err finish(struct jr_txn *txn, struct jr_error *error)
{
    enum jr_err err = jr_txn_commit(txn);

    if (err != JR_OK)
        *error = txn->error;
    return err;
}

enum jr_err jr_control_pause(struct jr_store *store, int64_t now_ms, int64_t *since_ms,
                             struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    *since_ms = jr_rerun_load_paused(&txn);
    if (*since_ms == 0) {
        *since_ms = now_ms;
        jr_rerun_save_paused(&txn, now_ms);
    }
    return finish(&txn, error);
}

enum jr_err jr_control_resume(struct jr_store *store, int64_t *since_ms, struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    *since_ms = jr_rerun_load_paused(&txn);
    jr_rerun_save_paused(&txn, 0);
    return finish(&txn, error);
}

enum jr_err jr_control_paused(struct jr_store *store, int64_t *since_ms, struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    *since_ms = jr_rerun_load_paused(&txn);
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK)
        *error = txn.error;
    return txn.error.code;
}

static void tell_request(struct jr_txn *txn, struct jr_run *run, const char *who,
                         enum jr_reason reason, int64_t now_ms)
{
    struct jr_history entry = {
        .at_ms = now_ms,
        .kind = JR_HISTORY_REQUEST,
        .attempt = run->attempt,
        .reason = reason,
    };

    if (who != NULL && *who != '\0') {
        char name[JR_LOGIN_SIZE];

        jr_text_copy(name, sizeof name, who);
        snprintf(entry.detail, sizeof entry.detail, "by %s", name);
    }
    jr_history_add(txn, run, &entry);
}

enum jr_err jr_control_rerun(struct jr_store *store, const struct jr_settings *settings,
                             uint64_t run_id, const char *repo, const char *who, int64_t now_ms,
                             struct jr_run *run, enum jr_reason *reason, struct jr_error *error)
{
    struct jr_txn txn;

    *reason = JR_REASON_NONE;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, run_id, run);
    if (txn.error.code == JR_OK && !run->known && (repo == NULL || !jr_text_is_full_name(repo)))
        jr_txn_fail(&txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)run_id);
    if (txn.error.code == JR_OK)
        *reason = jr_decide_by_hand(settings, repo, run, now_ms);
    if (*reason != JR_REASON_NONE) {
        jr_txn_abort(&txn);
        return JR_OK;
    }
    tell_request(&txn, run, who, JR_REASON_BY_HAND, now_ms);
    jr_history_add_decision(&txn, run, run->reason, now_ms);
    jr_ledger_save_run(&txn, run);
    return finish(&txn, error);
}

enum jr_err jr_control_forget(struct jr_store *store, uint64_t run_id,
                              struct jr_forgotten *forgotten, struct jr_error *error)
{
    struct jr_txn txn;
    struct jr_run run;
    struct jr_job job = { .job_id = 0 };
    struct jr_history entry;
    uint32_t number = 0;

    memset(forgotten, 0, sizeof *forgotten);
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, run_id, &run);
    if (txn.error.code == JR_OK && !run.known)
        jr_txn_fail(&txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)run_id);
    if (txn.error.code == JR_OK && run.phase == JR_PHASE_DUE && run.intent_ms != 0)
        jr_txn_fail(&txn, JR_EBUSY,
                    "GitHub has been asked to rerun run %llu, and what came of it is "
                    "not known yet; forget it when it is",
                    (unsigned long long)run_id);
    while (jr_history_next(&txn, run_id, &number, &entry)) {
        forgotten->entries++;
        if (*entry.delivery != '\0')
            forgotten->deliveries += jr_delivery_forget(&txn, entry.delivery, entry.at_ms);
    }
    while (jr_ledger_next_job(&txn, run_id, job.job_id, &job))
        forgotten->jobs++;
    if (txn.error.code == JR_OK)
        jr_ledger_remove_run(&txn, &run);
    return finish(&txn, error);
}
