/*
 * reporter -- says at GitHub what becomes of runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/reporter.h"
#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "fcgi/process/tell.h"
#include "lib/base/log.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/github/github.h"
#include "lib/steps/reporting.h"
#include "lib/store/reports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How soon it is looked again while calls, or those of one owner, are not all well. */
#define SOON_MS JR_SECOND_MS
#define UNWELL_MS (5 * JR_SECOND_MS)

/* So many repositories are remembered in which GitHub has refused it. */
#define REFUSALS_KEPT 64

/* More pages of comments are not looked through. */
#define PAGES_MOST 30

enum step {
    STEP_IDLE,
    STEP_WHO,   /* GitHub is asked who we are, for the sake of comments, */
    STEP_PULL,  /* for the run, */
    STEP_FIND,  /* whether it is there already, */
    STEP_WRITES /* and to take it */
};

struct reporter {
    struct jr_desk *desk;
    bool is_closing_all; /* nothing is said any more, and something may be open */
    enum step step;
    struct jr_reporting_work work;
    struct jr_question question;
    struct jr_github_user user; /* what questions hold */
    struct jr_github_app app;
    struct jr_event seen;
    struct jr_github_found found;
    uint64_t made;
    char login[JR_LOGIN_SIZE + 8]; /* ours; empty: not known yet */
    struct jr_ours ours;
    unsigned page;
    bool is_new;
    char *json; /* owned */
    int64_t write_due_ms; /* monotonic: not before */
    struct {
        char repo[JR_REPO_SIZE];
        int64_t until_ms; /* monotonic */
    } refusals[REFUSALS_KEPT];
    size_t refusal;
};

static void count_waiting(struct jr_txn *txn, void *context)
{
    *(unsigned *)context = jr_reports_waiting(txn, INT64_MAX, 1);
}

/* Check runs that were begun are completed, though no others are made any more. */
static void close_all(struct reporter *reporter)
{
    struct jr_desk *desk = reporter->desk;
    unsigned waiting = 0;
    struct jr_error error;
    enum jr_err err = jr_store_read(desk->store, count_waiting, &waiting, &error);

    reporter->is_closing_all = err == JR_OK && waiting > 0;
    if (!reporter->is_closing_all)
        return;
    desk->calls.turns.grants |= JR_GRANT_WRITE_CHECKS;
    err = jr_reporting_hasten(desk->store, jr_now_ms(), &error);
    if (err != JR_OK)
        jr_log(JR_LOG_WARN, "store-failed", "%s", error.text);
}

static enum jr_err set_up(void *state, struct jr_desk *desk, struct jr_error *error)
{
    struct reporter *reporter = state;

    (void)error;
    reporter->desk = desk;
    reporter->question.is_aside = true;
    if (!jr_settings_reports(desk->settings) || desk->settings->report != JR_REPORTING_CHECK)
        close_all(reporter);
    return JR_OK;
}

static void end(struct reporter *reporter)
{
    jr_calls_drop(&reporter->desk->calls, &reporter->question);
    reporter->question.is_over = false;
    free(reporter->json);
    reporter->json = NULL;
    jr_reporting_release(&reporter->work);
    reporter->step = STEP_IDLE;
}

static void put_down(void *state)
{
    end(state);
}

static bool is_refused(const struct reporter *reporter, const char *repo)
{
    for (size_t i = 0; i < REFUSALS_KEPT; i++)
        if (strcasecmp(reporter->refusals[i].repo, repo) == 0
            && reporter->refusals[i].until_ms > jr_monotonic_ms())
            return true;
    return false;
}

static void note_refusal(struct reporter *reporter, const char *repo)
{
    size_t at = reporter->refusal;

    if (is_refused(reporter, repo))
        return;
    reporter->refusal = (at + 1) % REFUSALS_KEPT;
    (void)jr_text_copy(reporter->refusals[at].repo, sizeof reporter->refusals[at].repo, repo);
    reporter->refusals[at].until_ms = jr_monotonic_ms() + JR_REPORTING_REFUSED_MS;
}

static void failed(struct reporter *reporter, enum jr_err err, const struct jr_error *error)
{
    jr_desk_store_failed(reporter->desk, err, error);
    end(reporter);
}

static void tell_end(const struct reporter *reporter, enum jr_reporting_end how,
                     const struct jr_call *call)
{
    const struct jr_reporting_work *work = &reporter->work;

    jr_tell_said(reporter->desk, &(struct jr_tell_said){
        .repo = work->run.repo, .run_id = work->run.run_id,
        .in = work->is_check ? "check-run" : "comment", .end = how, .call = call,
    });
}

static void settle(struct reporter *reporter, const struct jr_reporting_result *result)
{
    struct jr_desk *desk = reporter->desk;
    enum jr_reporting_end how;
    struct jr_error error;
    enum jr_err err = jr_reporting_settle(desk->store, desk->settings, &reporter->work, result,
                                          jr_now_ms(), &how, &error);

    if (err != JR_OK) {
        failed(reporter, err, &error);
        return;
    }
    jr_test_point("report-recorded");
    tell_end(reporter, how, result->call);
    end(reporter);
}

/* There is nothing to be written. */
static void settle_unwritten(struct reporter *reporter)
{
    const struct jr_reporting_result none = { .call = NULL };

    settle(reporter, &none);
}

static void postpone(struct reporter *reporter, int64_t wait_ms)
{
    struct jr_error error;
    enum jr_err err = jr_reporting_postpone(reporter->desk->store, &reporter->work,
                                            jr_now_ms() + wait_ms, &error);

    if (err != JR_OK)
        failed(reporter, err, &error);
    else
        end(reporter);
}

/* The last call did not do what it was to do. */
static void settle_failed(struct reporter *reporter, const struct jr_call *call)
{
    const struct jr_reporting_result result = {
        .call = call, .was_new = reporter->step == STEP_WRITES && reporter->is_new,
    };

    /* Anything else is about one pull request, commit or comment: locked, removed, not taken. */
    if (call->reason == JR_REASON_NO_PERMISSION)
        note_refusal(reporter, reporter->work.run.repo);
    settle(reporter, &result);
}

static void ask(struct reporter *reporter, enum step step, struct jr_ask what)
{
    reporter->step = step;
    reporter->question.about = reporter->work.run.run_id;
    reporter->question.turn.ask = what;
    jr_calls_ask(&reporter->desk->calls, &reporter->question);
}

static void find(struct reporter *reporter)
{
    const struct jr_reporting_work *work = &reporter->work;

    reporter->page++;
    reporter->ours = (struct jr_ours){
        .external_id = work->external_id, .app = reporter->desk->settings->github_app_id,
        .login = reporter->login, .begins = JR_REPORT_MARKER,
    };
    ask(reporter, STEP_FIND, (struct jr_ask){
        .api = work->is_check ? JR_API_LIST_CHECKS : JR_API_LIST_COMMENTS,
        .repo = work->run.repo, .id = work->report.pull_request, .sha = work->run.head_sha,
        .name = work->name, .ours = &reporter->ours, .page = reporter->page,
        .holds = &reporter->found,
    });
}

/* Who are we? An App's user is called after it. */
static void ask_who(struct reporter *reporter)
{
    bool is_app = reporter->desk->calls.turns.app != NULL;

    ask(reporter, STEP_WHO, (struct jr_ask){
        .api = is_app ? JR_API_GET_APP : JR_API_GET_USER,
        .holds = is_app ? (void *)&reporter->app : &reporter->user,
    });
}

static void look_for(struct reporter *reporter)
{
    reporter->page = 0;
    if (!reporter->work.is_check && reporter->login[0] == '\0')
        ask_who(reporter);
    else
        find(reporter);
}

static enum jr_api api_of(const struct reporter *reporter)
{
    if (reporter->work.is_check)
        return reporter->is_new ? JR_API_MAKE_CHECK : JR_API_SET_CHECK;
    return reporter->is_new ? JR_API_MAKE_COMMENT : JR_API_SET_COMMENT;
}

/* Write it. id: of what there is; 0: it is made. */
static void write_it(struct reporter *reporter, uint64_t id)
{
    struct jr_reporting_work *work = &reporter->work;
    struct jr_desk *desk = reporter->desk;
    int64_t wait_ms;
    struct jr_error error;
    enum jr_err err;

    reporter->is_new = id == 0;
    reporter->made = id;
    err = jr_reporting_begin(desk->store, work, reporter->is_new, jr_now_ms(), &wait_ms, &error);
    if (err == JR_EBUSY) {
        end(reporter);
        return;
    }
    if (err == JR_OK && wait_ms > 0) {
        reporter->write_due_ms = jr_monotonic_ms() + wait_ms;
        end(reporter);
        return;
    }
    if (err == JR_OK && (reporter->json = jr_reporting_json(work, reporter->is_new)) == NULL)
        err = jr_error_set(&error, JR_ENOMEM, "out of memory");
    if (err != JR_OK) {
        failed(reporter, err, &error);
        return;
    }
    jr_test_point("before-report");
    reporter->write_due_ms = jr_monotonic_ms() + jr_reports_interval_ms();
    if (reporter->is_new && !work->is_check)
        id = work->report.pull_request;
    ask(reporter, STEP_WRITES, (struct jr_ask){
        .api = api_of(reporter), .repo = work->run.repo, .id = id, .json = reporter->json,
        .holds = reporter->is_new ? &reporter->made : NULL,
    });
}

static void who_is_told(struct reporter *reporter, const struct jr_call *call)
{
    if (call->outcome != JR_OUTCOME_DONE) {
        settle_failed(reporter, call);
        return;
    }
    if (reporter->desk->calls.turns.app != NULL)
        snprintf(reporter->login, sizeof reporter->login, "%s[bot]", reporter->app.slug);
    else
        (void)jr_text_copy(reporter->login, sizeof reporter->login, reporter->user.login);
    find(reporter);
}

static void pull_is_told(struct reporter *reporter, const struct jr_call *call)
{
    struct jr_error error;
    enum jr_err err;

    if (call->outcome == JR_OUTCOME_LATER) {
        postpone(reporter, JR_MINUTE_MS);
        return;
    }
    err = jr_reporting_note_pull(reporter->desk->store, &reporter->work,
                                 reporter->seen.pull_count > 0 ? reporter->seen.pulls[0] : 0,
                                 jr_now_ms(), &error);
    if (err != JR_OK)
        failed(reporter, err, &error);
    else
        end(reporter);
}

static void list_is_told(struct reporter *reporter, const struct jr_call *call)
{
    const struct jr_reporting_result absent = { .is_absent = true };

    if (call->outcome != JR_OUTCOME_DONE)
        settle_failed(reporter, call);
    else if (reporter->found.id != 0)
        write_it(reporter, reporter->found.id);
    else if (reporter->found.shown >= JR_GITHUB_PAGE_FOUND && reporter->page < PAGES_MOST)
        find(reporter);
    else if (reporter->work.closing)
        settle(reporter, &absent);
    else
        write_it(reporter, 0);
}

static void it_is_written(struct reporter *reporter, const struct jr_call *call)
{
    const struct jr_reporting_result result = {
        .call = call, .id = reporter->made, .is_written = true,
    };

    jr_test_point("after-report");
    if (call->outcome == JR_OUTCOME_DONE)
        settle(reporter, &result);
    else
        settle_failed(reporter, call);
}

static void take_answer(struct reporter *reporter)
{
    struct jr_call call = reporter->question.turn.call;

    reporter->question.is_over = false;
    switch (reporter->step) {
    case STEP_WHO:
        who_is_told(reporter, &call);
        break;
    case STEP_PULL:
        pull_is_told(reporter, &call);
        break;
    case STEP_FIND:
        list_is_told(reporter, &call);
        break;
    case STEP_WRITES:
        it_is_written(reporter, &call);
        break;
    case STEP_IDLE:
        break;
    }
}

/* What was claimed is begun, if that may be now. */
static void begin(struct reporter *reporter)
{
    struct jr_reporting_work *work = &reporter->work;
    struct jr_desk *desk = reporter->desk;

    if (work->act == JR_REPORTING_REST)
        settle_unwritten(reporter);
    else if (work->is_check && desk->calls.turns.app == NULL)
        postpone(reporter, JR_REPORTING_REFUSED_MS); /* a token cannot change it */
    else if (is_refused(reporter, work->run.repo) && !jr_report_is_open(&work->report))
        settle_unwritten(reporter);
    else if (is_refused(reporter, work->run.repo) || jr_desk_is_paused(desk, &work->run))
        postpone(reporter, JR_MINUTE_MS);
    else if (!jr_calls_are_well(&desk->calls, work->run.repo))
        postpone(reporter, UNWELL_MS);
    else if (work->act == JR_REPORTING_ASK_PULL)
        ask(reporter, STEP_PULL, (struct jr_ask){
            .api = JR_API_GET_RUN, .repo = work->run.repo, .id = work->run.run_id,
            .holds = &reporter->seen,
        });
    else if (work->act == JR_REPORTING_MAKE)
        look_for(reporter);
    else
        write_it(reporter, work->is_check ? work->report.check_id : work->thread.comment_id);
}

static int64_t claim(struct reporter *reporter)
{
    struct jr_desk *desk = reporter->desk;
    int64_t due_ms, now_ms = jr_now_ms();
    struct jr_error error;
    enum jr_err err = jr_reporting_claim(desk->store, desk->settings, now_ms, &reporter->work,
                                         &due_ms, &error);

    if (err == JR_ENOENT) {
        /* Nothing is added while nothing is said. */
        reporter->is_closing_all = reporter->is_closing_all && due_ms != 0;
        return due_ms == 0 ? JR_CALLS_NEVER : due_ms > now_ms ? due_ms - now_ms : 0;
    }
    if (err == JR_EFORMAT)
        return 0;
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return SOON_MS;
    }
    begin(reporter);
    return 0;
}

static int64_t take_turn(void *state)
{
    struct reporter *reporter = state;
    struct jr_desk *desk = reporter->desk;
    int64_t wait_ms = reporter->write_due_ms - jr_monotonic_ms();

    if (reporter->question.is_over)
        take_answer(reporter);
    if (reporter->step != STEP_IDLE)
        return JR_CALLS_NEVER;
    if (desk->calls.http == NULL
        || (!jr_settings_reports(desk->settings) && !reporter->is_closing_all))
        return JR_CALLS_NEVER;
    if (wait_ms > 0)
        return wait_ms;
    return jr_calls_are_well(&desk->calls, "") ? claim(reporter) : SOON_MS;
}

static bool is_under_way(const void *state)
{
    const struct reporter *reporter = state;

    return reporter->step != STEP_IDLE;
}

const struct jr_duty jr_reporter_duty = {
    .turn = JR_DUTY_SAY,
    .size = sizeof(struct reporter),
    .open = set_up,
    .work = take_turn,
    .is_under_way = is_under_way,
    .close = put_down,
};
