/*
 * control -- what an administrator does to the service by hand: pause and resume
 * it, have a run rerun, forget one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/work/control.h"
#include "lib/base/text.h"
#include "lib/store/delivery.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/work/step.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static enum jr_err finish(struct jr_txn *txn, struct jr_error *error)
{
    enum jr_err err = jr_txn_commit(txn);

    if (err != JR_OK)
        *error = txn->error;
    return err;
}

static void note(struct jr_txn *txn, enum jr_act_kind kind, const char *who, int64_t now_ms,
                 const struct jr_pause *pause)
{
    struct jr_act act = { .at_ms = now_ms, .kind = kind, .pause = *pause };

    (void)jr_text_copy(act.who, sizeof act.who, who);
    jr_journal_add(txn, &act);
}

static void note_run(struct jr_txn *txn, enum jr_act_kind kind, const char *who, int64_t now_ms,
                     const struct jr_run *run)
{
    struct jr_act act = { .at_ms = now_ms, .kind = kind, .run_id = run->run_id };

    (void)jr_text_copy(act.who, sizeof act.who, who);
    (void)jr_text_copy(act.repo, sizeof act.repo, run->repo);
    jr_journal_add(txn, &act);
}

static void end_over(struct jr_txn *txn, int64_t now_ms)
{
    struct jr_pause pause;

    while (jr_pause_over(txn, now_ms, &pause)) {
        jr_pause_remove(txn, &pause);
        note(txn, JR_ACT_RESUME, NULL, pause.until_ms, &pause);
    }
}

/* Begin one pause, or let one of the same pattern go on otherwise. */
static void pause_one(struct jr_txn *txn, const char *pattern, const struct jr_pause *wanted,
                      int64_t now_ms)
{
    struct jr_pause pause = *wanted;
    struct jr_pauses pauses;
    size_t same = 0;

    jr_pauses_load(txn, now_ms, &pauses);
    while (same < pauses.count && strcasecmp(pauses.items[same].pattern, pattern) != 0)
        same++;
    (void)jr_text_copy(pause.pattern, sizeof pause.pattern, pattern);
    pause.since_ms = now_ms;
    if (same < pauses.count) {
        pause.since_ms = pauses.items[same].since_ms;
        pause.slot = pauses.items[same].slot;
    } else if (!jr_pause_free_slot(txn, &pause.slot)) {
        jr_txn_fail(txn, JR_EBUSY, "there are %d pauses already; end one first: "
                    "job-rerunner resume --repo PATTERN", JR_PAUSES_MAX);
    }
    jr_pause_save(txn, &pause);
    note(txn, JR_ACT_PAUSE, pause.who, now_ms, &pause);
}

enum jr_err jr_control_pause(struct jr_store *store, const struct jr_list *patterns,
                             const struct jr_pause *wanted, int64_t now_ms,
                             struct jr_pauses *pauses, struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    end_over(&txn, now_ms);
    if (patterns->count == 0)
        pause_one(&txn, "", wanted, now_ms);
    for (size_t i = 0; i < patterns->count; i++)
        pause_one(&txn, patterns->items[i], wanted, now_ms);
    jr_pauses_load(&txn, now_ms, pauses);
    return finish(&txn, error);
}

static bool is_meant(const struct jr_list *patterns, const struct jr_pause *pause)
{
    if (patterns->count == 0)
        return pause->pattern[0] == '\0';
    return pause->pattern[0] != '\0' && jr_list_match(patterns, pause->pattern);
}

enum jr_err jr_control_resume(struct jr_store *store, const struct jr_list *patterns,
                              const char *who, int64_t now_ms, struct jr_pauses *ended,
                              struct jr_pauses *pauses, struct jr_error *error)
{
    struct jr_txn txn;

    ended->count = ended->over = 0;
    jr_txn_begin(&txn, store, true);
    end_over(&txn, now_ms);
    jr_pauses_load(&txn, now_ms, pauses);
    for (size_t i = 0; i < pauses->count; i++) {
        if (!is_meant(patterns, &pauses->items[i]))
            continue;
        jr_pause_remove(&txn, &pauses->items[i]);
        note(&txn, JR_ACT_RESUME, who, now_ms, &pauses->items[i]);
        ended->items[ended->count++] = pauses->items[i];
    }
    jr_pauses_load(&txn, now_ms, pauses);
    return finish(&txn, error);
}

enum jr_err jr_control_pauses(struct jr_store *store, int64_t now_ms, struct jr_pauses *pauses,
                              struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    jr_pauses_load(&txn, now_ms, pauses);
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK)
        *error = txn.error;
    return txn.error.code;
}

enum jr_err jr_control_end_pauses(struct jr_store *store, int64_t now_ms, struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    end_over(&txn, now_ms);
    return finish(&txn, error);
}

/* Read what is not told yet; number is then where to go on. */
static size_t read_news(struct jr_txn *txn, struct jr_act *acts, size_t size, uint64_t *number)
{
    size_t count = 0;

    *number = jr_journal_untold(txn);
    while (count < size && jr_journal_next(txn, number, &acts[count]))
        count++;
    return count;
}

enum jr_err jr_control_news(struct jr_store *store, struct jr_act *acts, size_t size,
                            size_t *count, struct jr_error *error)
{
    struct jr_txn txn;
    uint64_t number;

    /* Most often there are none, and nobody has to wait. */
    jr_txn_begin(&txn, store, false);
    *count = read_news(&txn, acts, size, &number);
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK)
        *error = txn.error;
    if (txn.error.code != JR_OK || *count == 0)
        return txn.error.code;
    jr_txn_begin(&txn, store, true);
    *count = read_news(&txn, acts, size, &number);
    jr_journal_tell(&txn, number);
    return finish(&txn, error);
}

enum jr_err jr_control_find_act(struct jr_store *store, enum jr_act_kind kind, uint64_t run_id,
                                struct jr_act *act, struct jr_error *error)
{
    struct jr_txn txn;
    uint64_t number = UINT64_MAX;
    bool found;

    jr_txn_begin(&txn, store, false);
    do
        found = jr_journal_before(&txn, &number, act);
    while (found && (act->kind != kind || act->run_id != run_id));
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK)
        *error = txn.error;
    return txn.error.code != JR_OK || found ? txn.error.code : JR_ENOENT;
}

enum jr_err jr_control_rerun(struct jr_store *store, const struct jr_settings *settings,
                             uint64_t run_id, const char *repo, const char *who, int64_t now_ms,
                             struct jr_run *run, enum jr_reason *reason, struct jr_error *error)
{
    struct jr_policy policy = jr_step_policy(settings);
    struct jr_input input = { .kind = JR_INPUT_HAND, .now_ms = now_ms, .repo = repo };
    struct jr_source source = { .who = who == NULL ? "" : who };
    struct jr_verdict verdict = { .changed = false };
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, run_id, run);
    if (txn.error.code == JR_OK && !run->known && (repo == NULL || !jr_text_is_full_name(repo)))
        jr_txn_fail(&txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)run_id);
    jr_step_take(&txn, &policy, &input, &source, run, &verdict);
    *reason = verdict.changed ? JR_REASON_NONE : verdict.reason;
    if (*reason != JR_REASON_NONE) {
        jr_txn_abort(&txn);
        return JR_OK;
    }
    note_run(&txn, JR_ACT_RERUN, who, now_ms, run);
    return finish(&txn, error);
}

enum jr_err jr_control_forget(struct jr_store *store, uint64_t run_id, const char *who,
                              int64_t now_ms, struct jr_forgotten *forgotten,
                              struct jr_error *error)
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
    if (txn.error.code == JR_OK) {
        jr_ledger_remove_run(&txn, &run);
        note_run(&txn, JR_ACT_FORGET, who, now_ms, &run);
    }
    return finish(&txn, error);
}
