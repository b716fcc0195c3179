/*
 * answering -- the steps by which it is done what people ask for on pull requests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/answering.h"
#include "lib/base/text.h"
#include "lib/model/reporttext.h"
#include "lib/steps/reporting.h"
#include "lib/steps/step.h"
#include "lib/store/askings.h"
#include "lib/store/history.h"
#include "lib/store/journal.h"
#include "lib/store/ledger.h"
#include "lib/store/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a run's part of a comment has at least. */
#define SECTION_LEAST 2000

/* A claim. */
struct claim {
    int64_t now_ms;
    struct jr_answering *work;
    int64_t *due_ms;
    bool found; /* out */
};

/* One that is due later than anything is put off was put off before the clock was set back. */
static bool is_due(const struct jr_asked *asked, int64_t now_ms)
{
    return asked->due_ms <= now_ms || asked->due_ms > now_ms + JR_ASKED_LIFE_MS;
}

static void claim_first(struct jr_txn *txn, void *context)
{
    struct claim *claim = context;
    struct jr_asked asked;
    uint64_t number = 0;

    claim->found = false;
    *claim->due_ms = 0;
    while (!claim->found && jr_askings_next(txn, &number, &asked)) {
        claim->found = is_due(&asked, claim->now_ms);
        if (claim->found)
            *claim->work = (struct jr_answering){
                .number = number, .asked = asked,
                .strange = !asked.insider && jr_askings_refused(txn, &asked, claim->now_ms)
                                                 >= JR_ANSWERING_REFUSALS,
            };
        else if (*claim->due_ms == 0 || asked.due_ms < *claim->due_ms)
            *claim->due_ms = asked.due_ms;
    }
}

enum jr_err jr_answering_claim(struct jr_store *store, int64_t now_ms, struct jr_answering *work,
                               int64_t *due_ms, struct jr_error *error)
{
    struct claim claim = { now_ms, work, due_ms, false };
    enum jr_err err = jr_store_read(store, claim_first, &claim, error);

    return err == JR_OK && !claim.found ? JR_ENOENT : err;
}

/* Is there one of its workflow and event before it in the list? */
static bool is_older(const struct jr_event *listed, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (listed[j].workflow_id == listed[i].workflow_id
            && strcmp(listed[j].trigger, listed[i].trigger) == 0)
            return true;
    return false;
}

void jr_answering_choose(struct jr_answering *work, const struct jr_event *listed, size_t count)
{
    struct jr_asked *asked = &work->asked;

    asked->count = 0;
    for (size_t i = 0; i < count && asked->count < JR_ASKED_RUNS; i++)
        if (!is_older(listed, i))
            asked->runs[asked->count++] = listed[i].run_id;
}

/* A run that is known, and of the repository that was named. */
static bool load_run(struct jr_txn *txn, const struct jr_asked *asked, uint64_t run_id,
                     struct jr_run *run)
{
    return jr_ledger_read_run(txn, run_id, run) && run->known
           && (run->repo_id == 0 ? strcasecmp(run->repo, asked->repo) == 0
                                 : run->repo_id == asked->repo_id);
}

/* A look at the run of a button. */
struct look {
    const struct jr_asked *asked;
    struct jr_run *run;
    bool found; /* out */
};

static void look(struct jr_txn *txn, void *context)
{
    struct look *look = context;

    look->found = load_run(txn, look->asked, look->asked->run_id, look->run);
}

enum jr_err jr_answering_look(struct jr_store *store, const struct jr_answering *work,
                              struct jr_run *run, struct jr_error *error)
{
    struct look looking = { &work->asked, run, false };
    enum jr_err err = jr_store_read(store, look, &looking, error);

    return err == JR_OK && !looking.found ? JR_ENOENT : err;
}

/* One asking that is worked on. */
struct act {
    struct jr_bounds bounds;
    const struct jr_settings *settings;
    struct jr_answering *work; /* not changed before the end: what comes of it is in `asked' */
    struct jr_asked asked;
    enum jr_asked_end end;
    int64_t now_ms, wait_ms;
    unsigned rerun;
};

static void note(struct jr_txn *txn, const struct act *act, enum jr_act_kind kind,
                 const struct jr_run *run)
{
    struct jr_act line = { .at_ms = act->now_ms, .kind = kind, .run_id = run->run_id };

    (void)jr_text_copy(line.who, sizeof line.who, act->asked.who);
    (void)jr_text_copy(line.repo, sizeof line.repo, run->repo);
    jr_journal_add(txn, &line);
}

/* Have a run rerun, as by hand of the tool. */
static void rerun(struct jr_txn *txn, struct act *act, struct jr_run *run)
{
    struct jr_input input = {
        .kind = JR_INPUT_HAND, .now_ms = act->now_ms, .asked = true,
        .all = act->asked.verb == JR_VERB_ALL,
    };
    struct jr_origin source = { .who = act->asked.who };
    struct jr_verdict verdict;

    jr_step_take(txn, &act->bounds, &input, &source, run, &verdict);
    if (!verdict.changed)
        return;
    act->rerun++;
    note(txn, act, JR_ACT_RERUN, run);
}

/* Nothing more of its commit is rerun: that stands with each run of it. */
static void tell_stop(struct jr_txn *txn, const struct act *act, struct jr_run *run)
{
    struct jr_history entry = {
        .at_ms = act->now_ms, .kind = JR_HISTORY_REQUEST, .attempt = run->attempt,
        .reason = JR_REASON_STOPPED,
    };

    (void)jr_text_copy(entry.who, sizeof entry.who, act->asked.who);
    jr_history_add(txn, run, &entry, NULL, NULL);
    jr_ledger_save_run(txn, run);
    note(txn, act, JR_ACT_STOP, run);
}

static void do_it(struct jr_txn *txn, struct act *act)
{
    struct jr_asked *asked = &act->asked;
    bool stops = asked->verb == JR_VERB_STOP;
    struct jr_run run;

    if (stops && *asked->sha != '\0')
        jr_stops_set(txn, asked->repo_id, asked->sha, act->now_ms);
    else if (*asked->sha != '\0')
        jr_stops_lift(txn, asked->repo_id, asked->sha);
    for (size_t i = 0; i < asked->count; i++) {
        if (!load_run(txn, asked, asked->runs[i], &run))
            continue;
        if (stops)
            tell_stop(txn, act, &run);
        else
            rerun(txn, act, &run);
    }
    asked->end = act->rerun > 0 || (stops && *asked->sha != '\0') ? JR_ASKED_DONE
                                                                  : JR_ASKED_NOTHING;
}

/*
 * A button is about one run, whose commit is the one that is meant. Returns whether it is stale: who
 * pressed it has not seen the newest attempt. Whoever wants no more of them means that one, too.
 */
static bool learn_button(struct jr_txn *txn, struct jr_asked *asked)
{
    struct jr_run run;

    asked->count = 0;
    if (!load_run(txn, asked, asked->run_id, &run))
        return false;
    asked->runs[asked->count++] = run.run_id;
    (void)jr_text_copy(asked->sha, sizeof asked->sha, run.head_sha);
    return asked->attempt != run.attempt && asked->verb != JR_VERB_STOP;
}

/* Is it in the store as it was claimed? Another may have got its number. */
static bool is_there(struct jr_txn *txn, uint64_t number, const struct jr_asked *asked,
                     struct jr_asked *there)
{
    return jr_askings_load(txn, number, there) && there->at_ms == asked->at_ms
           && there->repo_id == asked->repo_id && there->comment_id == asked->comment_id
           && there->run_id == asked->run_id && there->who_id == asked->who_id;
}

static void take_action(struct jr_txn *txn, void *context)
{
    struct act *act = context;
    struct jr_asked there;

    act->asked = act->work->asked;
    act->rerun = 0;
    if (!is_there(txn, act->work->number, &act->asked, &there) || there.state != JR_ASKED_NEW)
        return;
    act->asked.state = JR_ASKED_ACTED;
    act->asked.end = act->end;
    act->asked.acted_ms = act->asked.due_ms = act->now_ms;
    act->asked.tries = 0;
    if (act->asked.comment_id == 0 && learn_button(txn, &act->asked)
        && act->end == JR_ASKED_OPEN)
        act->asked.end = JR_ASKED_STALE;
    if (act->asked.end == JR_ASKED_OPEN)
        do_it(txn, act);
    if (act->end == JR_ASKED_NOT_ALLOWED && act->work->looked_up)
        jr_askings_refuse(txn, &act->asked, act->now_ms);
    if (act->end == JR_ASKED_NOT_ALLOWED)
        jr_askings_remove(txn, act->work->number);
    else
        jr_askings_save(txn, act->work->number, &act->asked);
}

enum jr_err jr_answering_act(struct jr_store *store, const struct jr_settings *settings,
                             struct jr_answering *work, enum jr_asked_end end, int64_t now_ms,
                             unsigned *rerun, struct jr_error *error)
{
    struct act acting = {
        .bounds = jr_step_bounds(settings), .settings = settings, .work = work, .end = end,
        .now_ms = now_ms,
    };
    enum jr_err err = jr_store_write(store, take_action, &acting, error);

    if (err == JR_OK)
        work->asked = acting.asked;
    *rerun = acting.rerun;
    return err;
}

static void begin(struct jr_txn *txn, void *context)
{
    struct act *act = context;
    struct jr_asked there;

    act->asked = act->work->asked;
    act->wait_ms = jr_reports_wait_ms(txn, act->now_ms);
    if (act->wait_ms > 0 || !is_there(txn, act->work->number, &act->asked, &there))
        return;
    jr_reports_count(txn, act->now_ms);
    if (act->asked.state == JR_ASKED_SAYS)
        act->asked.intent = true;
    jr_askings_save(txn, act->work->number, &act->asked);
}

enum jr_err jr_answering_begin(struct jr_store *store, struct jr_answering *work, int64_t now_ms,
                               int64_t *wait_ms, struct jr_error *error)
{
    struct act act = { .work = work, .now_ms = now_ms };
    enum jr_err err = jr_store_write(store, begin, &act, error);

    if (err == JR_OK)
        work->asked = act.asked;
    *wait_ms = act.wait_ms;
    return err;
}

/* What a comment is to say. */
struct telling {
    const struct jr_settings *settings;
    const struct jr_answering *work;
    struct jr_buffer *buffer;
};

static void tell(struct jr_txn *txn, void *context)
{
    const struct telling *telling = context;
    const struct jr_asked *asked = &telling->work->asked;
    size_t most = (JR_REPORT_TEXT_MAX - 512) / (asked->count + 1);
    struct jr_run run;
    size_t told = 0;

    jr_buffer_print(telling->buffer, JR_ANSWERING_MARKER "%llu -->\n",
                     (unsigned long long)asked->comment_id);
    if (most < SECTION_LEAST)
        most = SECTION_LEAST;
    for (size_t i = 0; i < asked->count && (told + 1) * most < JR_REPORT_TEXT_MAX - 512; i++) {
        if (!load_run(txn, asked, asked->runs[i], &run))
            continue;
        jr_reporting_tell(txn, telling->settings, &run, most, telling->buffer);
        told++;
    }
    if (told == 0)
        jr_buffer_add(telling->buffer, "Nothing is recorded of the runs of this commit.\n");
}

enum jr_err jr_answering_tell(struct jr_store *store, const struct jr_settings *settings,
                              const struct jr_answering *work, struct jr_buffer *buffer,
                              struct jr_error *error)
{
    struct telling telling = { settings, work, buffer };
    enum jr_err err = jr_store_read(store, tell, &telling, error);

    return err == JR_OK && !buffer->ok ? jr_error_set(error, JR_ENOMEM, "out of memory") : err;
}

/* A change of one that is in the store. */
struct change {
    uint64_t number;
    const struct jr_asked *asked;
    bool over;
};

static void change(struct jr_txn *txn, void *context)
{
    const struct change *change = context;
    struct jr_asked there;

    if (!is_there(txn, change->number, change->asked, &there))
        return;
    if (change->over)
        jr_askings_remove(txn, change->number);
    else
        jr_askings_save(txn, change->number, change->asked);
}

enum jr_err jr_answering_go_on(struct jr_store *store, struct jr_answering *work,
                               enum jr_asked_state state, bool over, int64_t now_ms,
                               struct jr_error *error)
{
    struct change next = { work->number, &work->asked, over };

    work->asked.state = state;
    work->asked.due_ms = now_ms;
    work->asked.tries = 0;
    return jr_store_write(store, change, &next, error);
}

enum jr_err jr_answering_put_off(struct jr_store *store, struct jr_answering *work,
                                 int64_t due_ms, bool in_vain, struct jr_error *error)
{
    struct change next = { work->number, &work->asked, false };

    work->asked.due_ms = due_ms;
    work->asked.tries += in_vain;
    return jr_store_write(store, change, &next, error);
}
