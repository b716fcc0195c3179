/*
 * control -- what an administrator does to the service by hand: pause and resume
 * it, have a run rerun, forget one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/control.h"
#include "lib/base/text.h"
#include "lib/steps/step.h"
#include "lib/store/delivery.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* What somebody asks for about pauses. */
struct pausing {
    const struct jr_list *patterns;
    const struct jr_pause *wanted; /* to begin one */
    const char *who;               /* to end some */
    int64_t now_ms;
    struct jr_pauses *ended;  /* out, to end some */
    struct jr_pauses *pauses; /* out: what is in force then */
};

static void begin_pauses(struct jr_txn *txn, void *context)
{
    const struct pausing *asked = context;

    end_over(txn, asked->now_ms);
    if (asked->patterns->count == 0)
        pause_one(txn, "", asked->wanted, asked->now_ms);
    for (size_t i = 0; i < asked->patterns->count; i++)
        pause_one(txn, asked->patterns->items[i], asked->wanted, asked->now_ms);
    jr_pauses_load(txn, asked->now_ms, asked->pauses);
}

enum jr_err jr_control_pause(struct jr_store *store, const struct jr_list *patterns,
                             const struct jr_pause *wanted, int64_t now_ms,
                             struct jr_pauses *pauses, struct jr_error *error)
{
    struct pausing asked = {
        .patterns = patterns, .wanted = wanted, .now_ms = now_ms, .pauses = pauses,
    };

    return jr_store_write(store, begin_pauses, &asked, error);
}

static bool is_meant(const struct jr_list *patterns, const struct jr_pause *pause)
{
    if (patterns->count == 0)
        return pause->pattern[0] == '\0';
    return pause->pattern[0] != '\0' && jr_list_match(patterns, pause->pattern);
}

static void end_pauses(struct jr_txn *txn, void *context)
{
    const struct pausing *asked = context;
    struct jr_pauses *pauses = asked->pauses;

    asked->ended->count = asked->ended->over = 0;
    end_over(txn, asked->now_ms);
    jr_pauses_load(txn, asked->now_ms, pauses);
    for (size_t i = 0; i < pauses->count; i++) {
        if (!is_meant(asked->patterns, &pauses->items[i]))
            continue;
        jr_pause_remove(txn, &pauses->items[i]);
        note(txn, JR_ACT_RESUME, asked->who, asked->now_ms, &pauses->items[i]);
        asked->ended->items[asked->ended->count++] = pauses->items[i];
    }
    jr_pauses_load(txn, asked->now_ms, pauses);
}

enum jr_err jr_control_resume(struct jr_store *store, const struct jr_list *patterns,
                              const char *who, int64_t now_ms, struct jr_pauses *ended,
                              struct jr_pauses *pauses, struct jr_error *error)
{
    struct pausing asked = {
        .patterns = patterns, .who = who, .now_ms = now_ms, .ended = ended, .pauses = pauses,
    };

    ended->count = ended->over = 0;
    return jr_store_write(store, end_pauses, &asked, error);
}

/* Somebody wants reruns held no longer. */
struct lifting {
    enum jr_cause cause;
    const char *who;
    int64_t now_ms;
    struct jr_causeholds *lifted; /* out */
};

static void lift(struct jr_txn *txn, void *context)
{
    const struct lifting *asked = context;
    struct jr_causeholds holds;

    asked->lifted->count = 0;
    jr_causeholds_load(txn, asked->now_ms, &holds);
    for (size_t i = 0; i < holds.count; i++) {
        struct jr_causehold *hold = &holds.items[i];
        struct jr_act act = { .at_ms = asked->now_ms, .kind = JR_ACT_LIFT, .cause = hold->cause };

        if (jr_causehold_room(hold, asked->now_ms) == UINT32_MAX
            || (asked->cause != JR_CAUSE_NONE && asked->cause != hold->cause))
            continue;
        jr_causehold_lift(hold, JR_CAUSEHOLD_LIFTED, asked->who, asked->now_ms);
        jr_causehold_save(txn, hold);
        (void)jr_text_copy(act.who, sizeof act.who, asked->who);
        jr_journal_add(txn, &act);
        asked->lifted->items[asked->lifted->count++] = *hold;
    }
}

enum jr_err jr_control_lift(struct jr_store *store, enum jr_cause cause, const char *who,
                            int64_t now_ms, struct jr_causeholds *lifted, struct jr_error *error)
{
    struct lifting asked = { cause, who, now_ms, lifted };

    lifted->count = 0;
    return jr_store_write(store, lift, &asked, error);
}

static void end_those_over(struct jr_txn *txn, void *context)
{
    const int64_t *now_ms = context;

    end_over(txn, *now_ms);
}

enum jr_err jr_control_end_pauses(struct jr_store *store, int64_t now_ms, struct jr_error *error)
{
    return jr_store_write(store, end_those_over, &now_ms, error);
}

/* Lines of the journal that the log has not told. */
struct news {
    struct jr_act *acts;
    size_t size, count;
};

/* Read what is not told yet, and in a transaction that writes note that it is. */
static void read_news(struct jr_txn *txn, void *context)
{
    struct news *news = context;
    uint64_t number = jr_journal_untold(txn);

    news->count = 0;
    while (news->count < news->size && jr_journal_next(txn, &number, &news->acts[news->count]))
        news->count++;
    if (txn->writes)
        jr_journal_tell(txn, number);
}

enum jr_err jr_control_news(struct jr_store *store, struct jr_act *acts, size_t size,
                            size_t *count, struct jr_error *error)
{
    struct news news = { acts, size, 0 };
    enum jr_err err = jr_store_read(store, read_news, &news, error);

    /* Most often there are none, and nobody has to wait. */
    if (err == JR_OK && news.count > 0)
        err = jr_store_write(store, read_news, &news, error);
    *count = news.count;
    return err;
}

/* The newest line of a kind about a run. */
struct sought {
    enum jr_act_kind kind;
    uint64_t run_id;
    struct jr_act *act;
};

static void find_act(struct jr_txn *txn, void *context)
{
    const struct sought *sought = context;
    uint64_t number = UINT64_MAX;
    bool found;

    do
        found = jr_journal_before(txn, &number, sought->act);
    while (found && (sought->act->kind != sought->kind || sought->act->run_id != sought->run_id));
    if (!found)
        jr_txn_fail(txn, JR_ENOENT, "nothing of that kind was done about run %llu",
                    (unsigned long long)sought->run_id);
}

enum jr_err jr_control_find_act(struct jr_store *store, enum jr_act_kind kind, uint64_t run_id,
                                struct jr_act *act, struct jr_error *error)
{
    struct sought sought = { kind, run_id, act };

    return jr_store_read(store, find_act, &sought, error);
}

/* A rerun by hand. */
struct asked_rerun {
    struct jr_bounds bounds;
    const struct jr_rerun_request *request;
    int64_t now_ms;
    struct jr_run *run;
    enum jr_reason *reason; /* out: why not */
};

static void rerun_by_hand(struct jr_txn *txn, void *context)
{
    const struct asked_rerun *asked = context;
    const struct jr_rerun_request *request = asked->request;
    struct jr_input input = {
        .kind = JR_INPUT_HAND, .now_ms = asked->now_ms, .repo = request->repo,
    };
    struct jr_origin source = { .who = request->who == NULL ? "" : request->who };
    struct jr_verdict verdict = { .changed = false };
    bool told = request->repo != NULL && jr_text_is_full_name(request->repo);

    *asked->reason = JR_REASON_NONE;
    jr_ledger_load_run(txn, request->run_id, asked->run);
    if (!asked->run->known && !told)
        jr_txn_fail(txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)request->run_id);
    if (txn->error.code != JR_OK)
        return;
    jr_step_take(txn, &asked->bounds, &input, &source, asked->run, &verdict);
    if (!verdict.changed)
        *asked->reason = verdict.reason;
    if (*asked->reason != JR_REASON_NONE)
        jr_txn_fail(txn, JR_EINVAL, "the run is not one to be rerun");
    note_run(txn, JR_ACT_RERUN, request->who, asked->now_ms, asked->run);
}

enum jr_err jr_control_rerun(struct jr_store *store, const struct jr_settings *settings,
                             const struct jr_rerun_request *request, int64_t now_ms,
                             struct jr_run *run, enum jr_reason *reason, struct jr_error *error)
{
    struct asked_rerun asked = { jr_step_bounds(settings), request, now_ms, run, reason };
    enum jr_err err;

    *reason = JR_REASON_NONE;
    err = jr_store_write(store, rerun_by_hand, &asked, error);
    return *reason != JR_REASON_NONE ? JR_OK : err;
}

/* A run that somebody wants forgotten. */
struct forgetting {
    uint64_t run_id;
    const char *who;
    int64_t now_ms;
    struct jr_forgotten *forgotten;
};

/* Count what goes with a run, and forget the deliveries that its history names. */
static void forget_parts(struct jr_txn *txn, uint64_t run_id, struct jr_forgotten *forgotten)
{
    struct jr_job job = { .job_id = 0 };
    struct jr_history entry;
    uint32_t number = 0;

    memset(forgotten, 0, sizeof *forgotten);
    while (jr_history_next(txn, run_id, &number, &entry)) {
        forgotten->entries++;
        if (*entry.delivery != '\0')
            forgotten->deliveries += jr_delivery_forget(txn, entry.delivery, entry.at_ms);
    }
    while (jr_ledger_next_job(txn, run_id, job.job_id, &job))
        forgotten->jobs++;
}

static void forget(struct jr_txn *txn, void *context)
{
    const struct forgetting *asked = context;
    struct jr_run run;

    jr_ledger_load_run(txn, asked->run_id, &run);
    if (!run.known)
        jr_txn_fail(txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)asked->run_id);
    if (run.phase == JR_PHASE_DUE && run.intent_ms != 0)
        jr_txn_fail(txn, JR_EBUSY,
                    "GitHub has been asked to rerun run %llu, and what came of it is "
                    "not known yet; forget it when it is",
                    (unsigned long long)asked->run_id);
    forget_parts(txn, asked->run_id, asked->forgotten);
    if (txn->error.code != JR_OK)
        return;
    jr_ledger_remove_run(txn, &run);
    note_run(txn, JR_ACT_FORGET, asked->who, asked->now_ms, &run);
}

enum jr_err jr_control_forget(struct jr_store *store, uint64_t run_id, const char *who,
                              int64_t now_ms, struct jr_forgotten *forgotten,
                              struct jr_error *error)
{
    struct forgetting asked = { run_id, who, now_ms, forgotten };

    memset(forgotten, 0, sizeof *forgotten);
    return jr_store_write(store, forget, &asked, error);
}
