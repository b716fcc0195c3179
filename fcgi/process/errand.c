/*
 * errand -- the runs that the dispatcher has in hand, each at one of its steps.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/errand.h"
#include "fcgi/process/tell.h"
#include "lib/base/log.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/learn.h"
#include "lib/service/process.h"
#include "lib/steps/ownfile.h"
#include "lib/steps/step.h"
#include "lib/store/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When what was shown is to be asked for anew: the POST still has to connect. */
#define FRESH_MS (JR_CALLS_FRESH_MS - JR_SECOND_MS)

/* A question that has not been answered by then hangs, and nobody counts on it; nor does it keep
 * others, due later, from being rerun first, which this much of a wait is worth. */
#define SOON_MS (2 * JR_SECOND_MS)
#define ORDER_MS JR_SECOND_MS

#define POST_GRACE_MS 3000

/* So long a repository's policy file is waited for; then the one that is kept counts. */
#define OWN_PATIENCE_MS (3 * JR_SECOND_MS)

/* When another host has a run in hand, look again after so long; then at longer intervals. */
#define ELSEWHERE_MS (5 * JR_SECOND_MS)

/* A host keeps the claim of a run that it asks about again within this time. */
#define KEPT_MS JR_MINUTE_MS

/* Asked for anew: the run is no longer fresh. */
static void begin(struct jr_errands *errands, struct jr_errand *errand);

static bool is_asking(const struct jr_errand *errand)
{
    return errand->step != JR_ERRAND_NONE && errand->step < JR_ERRAND_WAITS;
}

static const struct jr_errand *find(const struct jr_errands *errands, uint64_t run_id)
{
    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        if (errands->items[i].step != JR_ERRAND_NONE && errands->items[i].run.run_id == run_id)
            return &errands->items[i];
    return NULL;
}

static size_t count_at(const struct jr_errands *errands, enum jr_errand_step step)
{
    size_t count = 0;

    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        count += errands->items[i].step == step;
    return count;
}

/* How many are at an inquiry that may ask GitHub in the next moment, but does not now. */
static size_t count_silent(const struct jr_errands *errands)
{
    size_t count = 0;

    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        count += errands->items[i].step == JR_ERRAND_INQUIRY
                 && !jr_inquiry_asks(errands->items[i].inquiry);
    return count;
}

bool jr_errands_may_read(const struct jr_errands *errands)
{
    size_t reads = jr_calls_reads(&errands->desk->calls) + count_at(errands, JR_ERRAND_NAME_WAITS)
                   + count_silent(errands);

    return reads < (size_t)errands->desk->settings->api_reads;
}

/*
 * A claim takes no turn of a question, but each that is won waits for one. A host that claims all
 * that is due keeps it from the others for longer than it can work on it.
 */
static bool may_claim(const struct jr_errands *errands)
{
    return count_at(errands, JR_ERRAND_CLAIM) < (size_t)errands->desk->settings->api_reads;
}

/* Free the place of an errand. */
static void end(struct jr_errands *errands, struct jr_errand *errand)
{
    jr_inquiry_end(errand->inquiry);
    errand->inquiry = NULL;
    jr_guardcalls_end(errand->guards);
    errand->guards = NULL;
    jr_calls_drop(&errands->desk->calls, &errand->question);
    free(errand->file.text);
    errand->file.text = NULL;
    jr_ownfile_end(errand->own);
    errand->own = NULL;
    jr_claimant_end(&errand->claimant);
    errand->step = JR_ERRAND_NONE;
    if (--errands->count == 0)
        jr_process_note_busy(errands->desk->process, 0);
}

/* ... though nothing was recorded: its entry stays where it is. */
static void lay_down(struct jr_errands *errands, struct jr_errand *errand)
{
    jr_claimant_give_back(&errand->claimant);
    end(errands, errand);
    memset(&errands->desk->walk, 0, sizeof errands->desk->walk);
}

static void failed(struct jr_errands *errands, struct jr_errand *errand, enum jr_err err,
                   const struct jr_error *error)
{
    jr_desk_store_failed(errands->desk, err, error);
    lay_down(errands, errand);
}

static void postpone(struct jr_desk *desk, struct jr_run *run, int64_t due_ms)
{
    struct jr_error error;
    enum jr_err err = jr_rerun_postpone(desk->store, run, due_ms, &error);

    if (err != JR_OK)
        jr_desk_store_failed(desk, err, &error);
}

/* All hosts together keep to the pace that is set. */
static int64_t write_interval_ms(const struct jr_errands *errands)
{
    return errands->desk->settings->api_write_interval_ms
           * jr_cluster_hosts(&errands->desk->cluster);
}

/*
 * How long until GitHub may be asked for a rerun: the last one may have been another process's.
 * A clock that is set back makes that no longer than the interval, from when it is first seen.
 */
static int64_t write_wait_ms(struct jr_errands *errands)
{
    int64_t last_post_ms, wait_ms, interval_ms = write_interval_ms(errands);
    struct jr_error error;

    if (jr_rerun_last_post(errands->desk->store, &last_post_ms, &error) != JR_OK)
        return 0;
    if (last_post_ms != errands->last_post_ms) {
        errands->last_post_ms = last_post_ms;
        wait_ms = last_post_ms + interval_ms - jr_now_ms();
        errands->write_due_ms = jr_monotonic_ms() + (wait_ms < interval_ms ? wait_ms : interval_ms);
    }
    wait_ms = errands->write_due_ms - jr_monotonic_ms();
    return wait_ms > 0 ? wait_ms : 0;
}

/* May a rerun be asked for at this moment? */
static bool may_write(struct jr_errands *errands)
{
    return count_at(errands, JR_ERRAND_POST) == 0 && write_wait_ms(errands) == 0;
}

static void count_claim(const struct jr_errands *errands, enum jr_counted_claim what)
{
    struct jr_process *process = errands->desk->process;

    jr_count_claim(process == NULL ? NULL : &process->counters, what);
}

/* The connection for the POST stands: is it to be sent (jr_http_permit)? */
static enum jr_reason permit(void *context)
{
    struct jr_errand *errand = context;

    return jr_claimant_permit(&errand->claimant, errand->asked_ms + JR_CALLS_FRESH_MS,
                              errand->claimant.spent.wanted ? &errand->cost : NULL);
}

/* What the rerun costs, as the store has just counted it, and what the policy's limits are. */
static void note_cost(const struct jr_errands *errands, struct jr_errand *errand)
{
    const struct jr_policy *policy = &errands->inquirer.policy;
    const struct jr_policy *own = errand->own == NULL ? NULL : &errand->own->policy;
    struct jr_policy_force force;

    if (!errand->claimant.spent.wanted)
        return;
    jr_policy_in_force(policy, own, errand->run.repo, &force);
    errand->cost = (struct jr_engine_cost){
        .scope = errand->run.spent.scope, .minutes = errand->run.spent.minutes,
        .repo = force.part.limits, .all = policy->limits_all,
    };
    /* Limits do not stop a rerun that is asked for by hand, but it counts as spent. */
    if (errand->run.by_hand) {
        errand->cost.repo = errand->cost.all = (struct jr_limits){ .reruns_per_hour = 0 };
    }
}

/* The POST, of which the intent is on disk. */
static void post(struct jr_errands *errands, struct jr_errand *errand)
{
    jr_desk_beat(errands->desk);
    jr_test_point("before-post");
    errand->step = JR_ERRAND_POST;
    errands->post_begun_ms = jr_monotonic_ms();
    errand->question.about = errand->run.run_id;
    errand->question.turn.ask = (struct jr_ask){
        .api = errand->verdict.step == JR_STEP_RERUN_ALL ? JR_API_RERUN_ALL : JR_API_RERUN_FAILED,
        .repo = errand->run.repo,
        .id = errand->run.run_id,
        .before_ms = errand->asked_ms + JR_CALLS_FRESH_MS,
        .debug = errand->run.debug,
    };
    if (jr_cluster_is_on(&errands->desk->cluster)) {
        note_cost(errands, errand);
        errand->question.turn.ask.permit = permit;
        errand->question.turn.ask.permits = errand;
    }
    jr_calls_ask(&errands->desk->calls, &errand->question);
}

static void finish_claim(struct jr_errands *errands, struct jr_errand *errand,
                         enum jr_claim_result result, enum jr_reason reason, int status)
{
    if (errand->claimant.engine == NULL)
        return;
    count_claim(errands, JR_COUNTED_CLAIM_DONE);
    jr_claimant_finish(&errand->claimant, result, reason, status);
}

/*
 * Tell the other hosts what came of the POST; the own store has it by now. If nobody knows, the
 * claim stays at posting: the host that takes it over then asks GitHub first.
 */
static void settle_post(struct jr_errands *errands, struct jr_errand *errand,
                        const struct jr_call *call)
{
    bool closed = errand->run.phase == JR_PHASE_CLOSED;

    if (errand->claimant.engine == NULL)
        return;
    jr_test_point("before-done");
    if (errand->claimant.permitted)
        count_claim(errands, call->reason == JR_REASON_CLAIM_LATE ? JR_COUNTED_CLAIM_LATE
                                                                  : JR_COUNTED_CLAIM_POSTING);
    else if (call->reason == JR_REASON_CLAIMED_ELSEWHERE)
        count_claim(errands, JR_COUNTED_CLAIM_LOST);
    if (call->outcome == JR_OUTCOME_DONE)
        finish_claim(errands, errand, JR_CLAIM_ACCEPTED, call->reason, call->status);
    else if (call->outcome == JR_OUTCOME_NEVER && closed)
        finish_claim(errands, errand, JR_CLAIM_REFUSED, call->reason, call->status);
    else if (call->outcome != JR_OUTCOME_UNKNOWN)
        jr_claimant_keep(&errand->claimant);
}

/* ... and what came of it. */
static void record_post(struct jr_errands *errands, struct jr_errand *errand,
                        const struct jr_call *call)
{
    const struct jr_rerun_answer answer = {
        .call = call, .posted = true, .attempt = errand->verdict.attempt,
    };
    struct jr_desk *desk = errands->desk;
    struct jr_verdict verdict;
    struct jr_error error;
    enum jr_err err;

    jr_test_point("after-post");
    err = jr_rerun_outcome(desk->store, desk->settings, &answer, &errand->run, jr_now_ms(),
                           &verdict, &error);
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
    } else {
        jr_tell_outcome(&errand->run, &verdict, call);
        jr_desk_count_rerun(desk, &verdict);
    }
    jr_test_point("recorded");
    settle_post(errands, errand, call);
    errands->asides = 0;
    errands->post_ms = jr_monotonic_ms() - errands->post_begun_ms;
    if (errands->post_ms > SOON_MS)
        errands->post_ms = SOON_MS;
    end(errands, errand);
    memset(&desk->walk, 0, sizeof desk->walk);
}

/* It is to be rerun after all, and it is another's turn: as one whose turn came too late. */
static void miss_turn(struct jr_errands *errands, struct jr_errand *errand)
{
    const struct jr_call call = {
        .api = JR_API_NONE, .what = JR_TURN_UNASKED, .outcome = JR_OUTCOME_LATER,
        .reason = JR_REASON_OUTDATED, .rate_remaining = -1,
    };

    record_post(errands, errand, &call);
}

/*
 * What GitHub has shown is recorded: tell the other hosts what follows from it. If GitHub is asked
 * again soon, the claim stays ours. If not, or if GitHub has shown nothing, it is given back:
 * another host may have a token that works, or may hear first that the run has ended.
 */
static void settle_seen(struct jr_errands *errands, struct jr_errand *errand, bool is_shown)
{
    bool is_newer = is_shown && errand->seen.attempt > errand->claimant.attempt;
    bool posted = errand->claimant.claim.state == JR_CLAIM_POSTING;

    if (errand->claimant.engine == NULL)
        return;
    if (is_newer)
        finish_claim(errands, errand, posted ? JR_CLAIM_ACCEPTED : JR_CLAIM_OTHERS,
                     posted ? JR_REASON_RERUN_WORKED : JR_REASON_RERUN_BY_OTHERS, 0);
    else if (errand->run.phase == JR_PHASE_CLOSED && is_shown)
        finish_claim(errands, errand, JR_CLAIM_CLOSED, errand->run.reason, errand->call.status);
    else if (!is_shown || errand->run.due_ms == 0 || errand->run.due_ms - jr_now_ms() > KEPT_MS)
        jr_claimant_give_back(&errand->claimant);
}

/* Find out why the run failed. */
static void inquire(struct jr_errands *errands, struct jr_errand *errand)
{
    errand->inquiry = jr_inquiry_begin(&errands->inquirer, &errand->question, &errand->run,
                                       errand->seen.started_ms, errand->own);
    if (errand->inquiry != NULL)
        errand->step = JR_ERRAND_INQUIRY;
    else
        lay_down(errands, errand);
}

static const struct jr_policy *own_policy(const struct jr_errand *errand)
{
    return errand->own == NULL ? NULL : &errand->own->policy;
}

/* Is what GitHub has told for the guards still good? */
static bool is_news_good(const struct jr_errand *errand)
{
    return errand->news_ms != 0 && jr_monotonic_ms() - errand->news_ms <= JR_GUARDCALLS_GOOD_MS;
}

static jr_causes held_elsewhere(const struct jr_errands *errands)
{
    return jr_cluster_held_elsewhere(&errands->desk->cluster);
}

/* What all hosts have spent, where that was seen with the claim, and is of this repository. */
static const struct jr_spending *repo_spent(const struct jr_errand *errand)
{
    const struct jr_spent_view *spent = &errand->claimant.spent;

    return jr_spent_is_of(spent, jr_budget_scope(&errand->run), jr_now_ms()) ? &spent->repo : NULL;
}

static const struct jr_spending *all_spent(const struct jr_errand *errand)
{
    return repo_spent(errand) == NULL ? NULL : &errand->claimant.spent.all;
}

/* Where there are several hosts, is it claimed for the attempt that is to be rerun? */
static bool has_claim(const struct jr_errands *errands, const struct jr_errand *errand)
{
    return !jr_cluster_is_on(&errands->desk->cluster)
           || (errand->claimant.engine != NULL
               && errand->claimant.attempt == errand->verdict.attempt);
}

/* Record what GitHub has shown, or that it has shown nothing, and do what follows. */
static void record(struct jr_errands *errands, struct jr_errand *errand)
{
    struct jr_desk *desk = errands->desk;
    const struct jr_call *call = &errand->call;
    bool is_shown = call->outcome == JR_OUTCOME_DONE;
    const struct jr_rerun_answer answer = {
        .call = call, .seen = is_shown ? &errand->seen : NULL, .attempt = errand->run.attempt,
        .policy = &errands->inquirer.policy, .own = own_policy(errand),
        .news = is_news_good(errand) ? &errand->news : NULL, .is_held = errand->is_held,
        .repo_spent = repo_spent(errand), .all_spent = all_spent(errand),
        .held_elsewhere = held_elsewhere(errands),
    };
    struct jr_verdict *verdict = &errand->verdict;
    bool may_post = may_write(errands);
    struct jr_error error;
    enum jr_err err;

    if (is_shown)
        err = jr_rerun_seen(desk->store, desk->settings, &answer, &errand->run, jr_now_ms(),
                            verdict, &error);
    else
        err = jr_rerun_outcome(desk->store, desk->settings, &answer, &errand->run, jr_now_ms(),
                               verdict, &error);
    if (err == JR_EBUSY) { /* paused meanwhile, or held no longer */
        lay_down(errands, errand);
        return;
    }
    if (err != JR_OK) {
        failed(errands, errand, err, &error);
        return;
    }
    jr_process_note_commit(desk->process, true);
    jr_tell_decision(&errand->run, verdict, call, call->duration_us);
    jr_desk_count(desk, verdict);
    if (verdict->step == JR_STEP_JUDGE) {
        inquire(errands, errand);
    } else if (verdict->step != JR_STEP_RERUN_FAILED && verdict->step != JR_STEP_RERUN_ALL) {
        settle_seen(errands, errand, is_shown);
        end(errands, errand);
    } else if (may_post && has_claim(errands, errand)) {
        post(errands, errand);
    } else {
        miss_turn(errands, errand);
    }
}

/* Does a POST hang? Then others are asked about all the same, and laid aside if need be. */
static bool post_hangs(const struct jr_errands *errands)
{
    return count_at(errands, JR_ERRAND_POST) > 0
           && jr_monotonic_ms() - errands->post_begun_ms > SOON_MS;
}

/* While a POST hangs, more than can be fresh at its end are not kept waiting. */
static void wait_for_turn(struct jr_errands *errands, struct jr_errand *errand)
{
    jr_test_point("waits");
    errand->step = JR_ERRAND_WAITS;
    if (!post_hangs(errands) || count_at(errands, JR_ERRAND_WAITS) <= JR_ERRANDS_WAITING)
        return;
    if (errands->asides < JR_ERRANDS_ASIDE)
        errands->aside[errands->asides++] = errand->run.run_id;
    lay_down(errands, errand);
}

/* Does a guard hold, by what GitHub has told? */
static bool is_held(const struct jr_guard_news *news)
{
    for (int i = 0; i < JR_GUARD_KINDS; i++)
        if (news->told[i] == JR_GUARD_HOLDS)
            return true;
    return false;
}

/* All is told that can be: the run is left or waits, or it is its turn soon, if it is fresh. */
static void guards_are_told(struct jr_errands *errands, struct jr_errand *errand)
{
    errand->news_ms = jr_monotonic_ms();
    if (is_held(&errand->news))
        record(errands, errand);
    else if (jr_boottime_ms() - errand->asked_ms <= FRESH_MS)
        wait_for_turn(errands, errand);
    else
        begin(errands, errand);
}

/* Does an outage or a limit hold it? Then it needs neither guards nor a turn. */
static bool is_kept_back(struct jr_errands *errands, struct jr_errand *errand)
{
    const struct jr_rerun_answer answer = { .policy = &errands->inquirer.policy,
                                            .own = own_policy(errand), .seen = &errand->seen,
                                            .repo_spent = repo_spent(errand),
                                            .all_spent = all_spent(errand),
                                            .held_elsewhere = held_elsewhere(errands) };
    struct jr_desk *desk = errands->desk;
    struct jr_hold hold;
    struct jr_error error;

    return jr_rerun_held(desk->store, desk->settings, &answer, &errand->run, jr_now_ms(), &hold,
                         &error) == JR_OK
           && hold.reason != JR_REASON_NONE;
}

/*
 * It is to be rerun, and GitHub is asked for the guards first, where there are any. What was told
 * a moment ago is good enough, so that with a slow API only the run is asked about anew.
 */
static void ask_guards(struct jr_errands *errands, struct jr_errand *errand)
{
    const struct jr_guarded_run about = {
        .policy = &errands->inquirer.policy, .own = own_policy(errand), .run = &errand->run,
        .seen = &errand->seen,
    };
    bool is_told = is_news_good(errand);

    errand->is_held = !is_told && is_kept_back(errands, errand);
    if (is_told) {
        wait_for_turn(errands, errand);
        return;
    }
    if (errand->is_held) {
        record(errands, errand);
        return;
    }
    errand->guards = jr_guardcalls_begin(errands->desk, &errands->inquirer.refusals,
                                         &errand->question, &about, &errand->news);
    if (errand->guards == NULL)
        guards_are_told(errands, errand);
    else
        errand->step = JR_ERRAND_GUARDS;
}

/* Take them on. Returns whether they have ended. */
static bool work_on_guards(struct jr_errands *errands, struct jr_errand *errand)
{
    enum jr_guardcalls_end how = jr_guardcalls_work(errand->guards);

    if (how == JR_GUARDCALLS_GO_ON)
        return false;
    if (how == JR_GUARDCALLS_LATER)
        errand->call = *jr_guardcalls_call(errand->guards);
    jr_guardcalls_end(errand->guards);
    errand->guards = NULL;
    if (how == JR_GUARDCALLS_DONE)
        guards_are_told(errands, errand);
    else if (how == JR_GUARDCALLS_LATER && !jr_process_stopping())
        record(errands, errand);
    else
        lay_down(errands, errand);
    return true;
}

/* It is found out why the run failed: the policy judges. */
static void judge(struct jr_errands *errands, struct jr_errand *errand)
{
    struct jr_desk *desk = errands->desk;
    struct jr_judging *findings = jr_inquiry_findings(errand->inquiry);
    struct jr_verdict *verdict = &errand->verdict;
    int64_t now_ms = jr_now_ms(), start_us = jr_monotonic_us();
    struct jr_error error;
    enum jr_err err = jr_judging_take(desk->store, desk->settings, findings, &errand->run, now_ms,
                                      verdict, &error);

    if (err != JR_OK) {
        failed(errands, errand, err, &error);
        return;
    }
    jr_test_point("judged");
    jr_process_note_commit(desk->process, true);
    jr_tell_findings(&errand->run, verdict, findings);
    jr_tell_decision(&errand->run, verdict, NULL, jr_monotonic_us() - start_us);
    jr_desk_count(desk, verdict);
    if (verdict->reason != JR_REASON_CHANGED_MEANWHILE) /* else they are counted by what follows */
        jr_desk_count_findings(desk, findings);
    jr_inquiry_end(errand->inquiry);
    errand->inquiry = NULL;
    if (verdict->step == JR_STEP_WAIT && errand->run.due_ms <= now_ms
        && jr_boottime_ms() - errand->asked_ms <= FRESH_MS) {
        ask_guards(errands, errand);
    } else {
        settle_seen(errands, errand, true);
        end(errands, errand);
    }
}

/* Take the inquiry of an errand on. Returns whether it has ended. */
static bool work_on_inquiry(struct jr_errands *errands, struct jr_errand *errand)
{
    switch (jr_inquiry_work(errand->inquiry)) {
    case JR_INQUIRY_GOES_ON:
        return false;
    case JR_INQUIRY_DONE:
        judge(errands, errand);
        break;
    case JR_INQUIRY_LATER:
        errand->call = *jr_inquiry_call(errand->inquiry);
        jr_inquiry_end(errand->inquiry);
        errand->inquiry = NULL;
        record(errands, errand);
        break;
    case JR_INQUIRY_LAID_DOWN:
        lay_down(errands, errand);
        break;
    }
    return true;
}

/* All that is to be asked before the run is judged has been. */
static void asked(struct jr_errands *errands, struct jr_errand *errand)
{
    struct jr_desk *desk = errands->desk;

    jr_test_point("after-get");
    if (errand->is_quiet)
        jr_calls_share_take(&desk->calls, errand->run.repo);
    if ((jr_process_stopping() && errand->call.status == 0) /* broken off by ourselves */
        || jr_desk_is_paused(desk, &errand->run))
        lay_down(errands, errand);
    else if (errand->call.outcome == JR_OUTCOME_DONE
             && jr_rerun_is_wanted(desk->settings, &errand->run, &errand->seen, jr_now_ms()))
        ask_guards(errands, errand);
    else
        record(errands, errand);
}

/* What was answered meanwhile, to others too, may be why no more is asked: it stays due. */
static void ask(struct jr_errands *errands, struct jr_errand *errand, enum jr_errand_step step)
{
    static const enum jr_api apis[] = {
        [JR_ERRAND_NAME] = JR_API_GET_WORKFLOW,
        [JR_ERRAND_JOB_NAME] = JR_API_GET_JOBS,
        [JR_ERRAND_RUN] = JR_API_GET_RUN,
    };
    struct jr_question *question = &errand->question;

    if (jr_calls_wait_ms(&errands->desk->calls) > 0) {
        lay_down(errands, errand);
        return;
    }
    errand->step = step;
    question->about = step == JR_ERRAND_NAME ? errand->workflow_id : errand->run.run_id;
    question->turn.ask = (struct jr_ask){
        .api = apis[step],
        .repo = errand->run.repo,
        .id = question->about,
        .holds = step == JR_ERRAND_RUN ? (void *)&errand->seen : &errand->name,
    };
    jr_calls_ask(&errands->desk->calls, question);
}

/* Does another errand ask for the name of the same workflow? */
static bool is_being_named(const struct jr_errands *errands, const struct jr_errand *errand)
{
    for (size_t i = 0; i < JR_ERRANDS_MAX; i++) {
        const struct jr_errand *other = &errands->items[i];

        if (other != errand && other->workflow_id == errand->workflow_id
            && (other->step == JR_ERRAND_NAME || other->step == JR_ERRAND_JOB_NAME))
            return true;
    }
    return false;
}

/*
 * Ask what a workflow is called: the workflow, and if that is not shown (it may be deleted,
 * or another repository's), a job of the run; then for the run. What is known of it before a
 * POST is then as new as it can be.
 */
static void ask_for_name(struct jr_errands *errands, struct jr_errand *errand)
{
    const char *known = jr_workflows_find(&errands->workflows, errand->workflow_id,
                                          jr_monotonic_ms());

    errand->naming = (struct jr_call){ .api = JR_API_GET_WORKFLOW,
                                       .what = jr_github_what(JR_API_GET_WORKFLOW),
                                       .outcome = JR_OUTCOME_DONE };
    if (known != NULL) {
        jr_text_copy(errand->name.text, sizeof errand->name.text, known);
        ask(errands, errand, JR_ERRAND_RUN);
    } else if (is_being_named(errands, errand)) {
        errand->step = JR_ERRAND_NAME_WAITS;
    } else {
        ask(errands, errand, JR_ERRAND_NAME);
    }
}

/* NEVER: GitHub does not tell the name; the run itself may be shown all the same. */
static void name_is_told(struct jr_errands *errands, struct jr_errand *errand)
{
    const struct jr_call *call = &errand->question.turn.call;

    errand->naming = *call;
    if (call->outcome == JR_OUTCOME_NEVER && errand->step == JR_ERRAND_NAME) {
        ask(errands, errand, JR_ERRAND_JOB_NAME);
    } else if (call->outcome == JR_OUTCOME_LATER) {
        errand->call = *call;
        asked(errands, errand);
    } else {
        if (call->outcome == JR_OUTCOME_DONE)
            jr_workflows_put(&errands->workflows, errand->workflow_id, errand->name.text,
                             jr_monotonic_ms());
        ask(errands, errand, JR_ERRAND_RUN);
    }
}

/*
 * Where a filter waits for the name of its workflow, that is asked for first. A run that nothing
 * has told the workflow of has to be seen first, and then once more.
 */
static void go_on_with_seen(struct jr_errands *errands, struct jr_errand *errand)
{
    if (errand->call.outcome == JR_OUTCOME_DONE) {
        if (jr_rerun_wants_workflow(errands->desk->settings, own_policy(errand), &errand->run,
                                    &errand->seen)) {
            if (errand->seen.workflow_id != 0 && errand->naming.outcome == JR_OUTCOME_DONE
                && !errand->was_named) {
                errand->was_named = true;
                errand->workflow_id = errand->seen.workflow_id;
                ask_for_name(errands, errand);
                return;
            }
            errand->call = errand->naming;
            errand->call.outcome = JR_OUTCOME_NEVER;
            errand->call.reason = JR_REASON_WORKFLOW_UNKNOWN;
        }
    }
    asked(errands, errand);
}

/* Does another errand ask for the policy file of the same repository? */
static bool is_file_asked_for(const struct jr_errands *errands, const struct jr_errand *errand)
{
    for (size_t i = 0; i < JR_ERRANDS_MAX; i++) {
        const struct jr_errand *other = &errands->items[i];

        if (other != errand && other->step == JR_ERRAND_OWN && other->scope == errand->scope)
            return true;
    }
    return false;
}

/* The policy file is as new as it can be. */
static void own_is_known(struct jr_errands *errands, struct jr_errand *errand)
{
    jr_ownfile_end(errand->own);
    errand->own = jr_ownfiles_use(&errands->ownfiles, errand->scope);
    go_on_with_seen(errands, errand);
}

/* While no call may be made, the one that is kept counts at once. */
static void ask_for_own(struct jr_errands *errands, struct jr_errand *errand)
{
    struct jr_question *question = &errand->question;

    if (is_file_asked_for(errands, errand)) {
        errand->step = JR_ERRAND_OWN_WAITS;
        return;
    }
    if (!jr_ownfiles_wants(&errands->ownfiles, errand->scope, errand->etag)
        || jr_calls_wait_ms(&errands->desk->calls) > 0) {
        own_is_known(errands, errand);
        return;
    }
    jr_test_point("before-ownfile");
    errand->step = JR_ERRAND_OWN;
    errand->own_ms = jr_monotonic_ms();
    question->about = errand->run.run_id;
    question->turn.ask = (struct jr_ask){
        .api = JR_API_GET_FILE, .repo = errand->run.repo, .name = JR_OWNFILE_PATH,
        .etag = errand->etag, .holds = &errand->file,
    };
    jr_calls_ask(&errands->desk->calls, question);
}

static void own_is_told(struct jr_errands *errands, struct jr_errand *errand,
                        const struct jr_call *call)
{
    jr_ownfiles_answer(&errands->ownfiles, errand->scope, errand->run.repo, call, &errand->file);
    free(errand->file.text);
    errand->file.text = NULL;
    own_is_known(errands, errand);
}

static int64_t own_patience_ms(const struct jr_errand *errand)
{
    int64_t end_ms = errand->own_ms + jr_test_own_patience_ms(OWN_PATIENCE_MS);
    int64_t left_ms = end_ms - jr_monotonic_ms();

    return left_ms > 0 ? left_ms : 0;
}

int64_t jr_errands_patience_ms(const struct jr_errands *errands)
{
    int64_t wait_ms = JR_CALLS_NEVER;

    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        if (errands->items[i].step == JR_ERRAND_OWN)
            wait_ms = jr_earlier_of(wait_ms, own_patience_ms(&errands->items[i]));
    return wait_ms;
}

/* It hangs: the one that is kept counts. Returns whether it does. */
static bool give_up_own(struct jr_errands *errands, struct jr_errand *errand)
{
    static const struct jr_call hangs = { .api = JR_API_GET_FILE, .outcome = JR_OUTCOME_LATER };

    if (errand->question.is_over || own_patience_ms(errand) > 0)
        return false;
    jr_calls_drop(&errands->desk->calls, &errand->question);
    own_is_told(errands, errand, &hangs);
    return true;
}

/* Is it to be decided about a failed run, which its repository's policy has a say in? */
static bool wants_own(const struct jr_errands *errands, const struct jr_errand *errand)
{
    return errands->desk->settings->own_files && errand->call.outcome == JR_OUTCOME_DONE
           && (!errand->run.by_hand || errand->run.asked)
           && errand->seen.status == JR_STATUS_COMPLETED
           && jr_conclusion_is_bad(errand->seen.conclusion);
}

/* GitHub shows a newer attempt than the one that is claimed, and only GitHub knows which it is. */
static bool is_claimed_wrongly(const struct jr_errand *errand)
{
    return errand->claimant.engine != NULL && errand->call.outcome == JR_OUTCOME_DONE
           && !errand->run.numbered && errand->seen.attempt > errand->claimant.attempt;
}

static void run_is_told(struct jr_errands *errands, struct jr_errand *errand)
{
    struct jr_bounds bounds = jr_step_bounds(errands->desk->settings);
    struct jr_run learned = errand->run;

    errand->call = errand->question.turn.call;
    errand->asked_ms = errand->question.turn.asked_ms;
    if (is_claimed_wrongly(errand)) {
        errand->shown_attempt = errand->seen.attempt;
        jr_claimant_give_back(&errand->claimant);
        begin(errands, errand);
        return;
    }
    if (errand->call.outcome == JR_OUTCOME_DONE)
        jr_text_copy(errand->seen.workflow, sizeof errand->seen.workflow, errand->name.text);
    if (!wants_own(errands, errand)) {
        go_on_with_seen(errands, errand);
        return;
    }
    jr_learn_shown(&bounds, &errand->seen, &learned);
    errand->scope = jr_budget_scope(&learned);
    ask_for_own(errands, errand);
}

/* Begin to ask GitHub. */
static void begin_to_ask(struct jr_errands *errands, struct jr_errand *errand)
{
    jr_test_point("before-get");
    errand->begun_ms = jr_monotonic_ms();
    errand->naming = (struct jr_call){ .api = JR_API_GET_WORKFLOW,
                                       .what = jr_github_what(JR_API_GET_WORKFLOW),
                                       .outcome = JR_OUTCOME_DONE };
    errand->name.text[0] = '\0';
    errand->was_named = false;
    errand->workflow_id = errand->run.workflow_id;
    if (errand->workflow_id != 0
        && jr_rerun_wants_workflow(errands->desk->settings, own_policy(errand), &errand->run,
                                   NULL))
        ask_for_name(errands, errand);
    else
        ask(errands, errand, JR_ERRAND_RUN);
}

/*
 * Begin with an errand, or begin anew when what was shown is no longer fresh. With several hosts
 * one of them is to have it in hand.
 */
static void begin(struct jr_errands *errands, struct jr_errand *errand)
{
    uint32_t attempt = errand->shown_attempt != 0 ? errand->shown_attempt : errand->run.attempt;

    if (!jr_cluster_is_on(&errands->desk->cluster)) {
        begin_to_ask(errands, errand);
        return;
    }
    jr_test_point("before-claim");
    errand->is_claimed = false;
    errand->step = JR_ERRAND_CLAIM;
    errand->begun_ms = jr_monotonic_ms();
    errand->claimant.run_id = errand->run.run_id;
    errand->claimant.attempt = attempt;
    errand->claimant.reopened = errand->run.by_hand || errand->run.reopened;
    errand->claimant.spent.wanted = errands->desk->settings->has_guards;
    errand->claimant.spent.scope = jr_budget_scope(&errand->run);
    jr_claimant_begin(errands->desk->cluster.engine, &errand->claimant);
}

/* Another host has it: that is told once, and it is looked at again before long. */
static void claimed_elsewhere(struct jr_errands *errands, struct jr_errand *errand)
{
    struct jr_call call = {
        .api = JR_API_NONE, .what = JR_TURN_UNASKED, .outcome = JR_OUTCOME_LATER,
        .reason = JR_REASON_CLAIMED_ELSEWHERE, .rate_remaining = -1,
    };
    struct jr_run run = errand->run;
    int64_t wait_ms = jr_test_shorter_ms(ELSEWHERE_MS);

    count_claim(errands, JR_COUNTED_CLAIM_LOST);
    (void)jr_text_copy(call.text, sizeof call.text, errand->claimant.claim.name);
    if (errand->is_quiet) {
        end(errands, errand);
        return;
    }
    if (run.reason != JR_REASON_CLAIMED_ELSEWHERE) {
        errand->call = call;
        record(errands, errand);
        return;
    }
    wait_ms = jr_earlier_of(jr_later_of(errand->claimant.unchanged_ms, wait_ms),
                            jr_test_shorter_ms(errands->desk->settings->cluster_takeover_ms) / 3);
    end(errands, errand);
    postpone(errands->desk, &run, jr_now_ms() + wait_ms);
}

/* Another host is done with it. */
static void done_elsewhere(struct jr_errands *errands, struct jr_errand *errand, bool accepted)
{
    const struct jr_claim *claim = &errand->claimant.claim;
    struct jr_call call = {
        .api = JR_API_NONE, .what = JR_TURN_UNASKED,
        .outcome = accepted ? JR_OUTCOME_DONE : JR_OUTCOME_NEVER,
        .reason = accepted ? JR_REASON_RERUN_ELSEWHERE : JR_REASON_DECIDED_ELSEWHERE,
        .rate_remaining = -1,
    };
    const struct jr_rerun_answer answer = { .call = &call, .posted = accepted,
                                            .attempt = errand->claimant.attempt };
    struct jr_desk *desk = errands->desk;
    struct jr_error error;
    enum jr_err err;

    snprintf(call.text, sizeof call.text, "%s%s%s", claim->name, accepted ? "" : ": ",
             accepted ? "" : claim->reason);
    err = jr_rerun_outcome(desk->store, desk->settings, &answer, &errand->run, jr_now_ms(),
                           &errand->verdict, &error);
    if (err != JR_OK) {
        failed(errands, errand, err, &error);
        return;
    }
    jr_process_note_commit(desk->process, true);
    jr_tell_decision(&errand->run, &errand->verdict, &call, 0);
    jr_desk_count(desk, &errand->verdict);
    end(errands, errand);
    memset(&desk->walk, 0, sizeof desk->walk);
}

/* See how the claim goes. Returns whether that is over. */
static bool work_on_claim(struct jr_errands *errands, struct jr_errand *errand)
{
    /* Only asking needs a turn: looking at the claims of other hosts does not. */
    if (errand->is_claimed) {
        if (!jr_errands_may_read(errands))
            return false;
        begin_to_ask(errands, errand);
        return true;
    }
    switch (jr_claimant_work(&errand->claimant)) {
    case JR_CLAIMED_NOT_YET:
        return false;
    case JR_CLAIMED:
        jr_test_point("claimed");
        count_claim(errands, errand->claimant.took_over ? JR_COUNTED_CLAIM_TAKEOVER
                                                        : JR_COUNTED_CLAIM_TAKEN);
        errand->is_claimed = true;
        break;
    case JR_CLAIMED_WAIT:
        claimed_elsewhere(errands, errand);
        break;
    case JR_CLAIMED_ACCEPT:
        done_elsewhere(errands, errand, true);
        break;
    case JR_CLAIMED_CLOSE:
        done_elsewhere(errands, errand, false);
        break;
    case JR_CLAIMED_HALT:
        jr_log(JR_LOG_DEBUG, "cluster-halts", "run %llu: %s",
               (unsigned long long)errand->run.run_id, errand->claimant.text);
        lay_down(errands, errand);
        break;
    }
    return true;
}

/* NULL: it is in hand already, or there is no room. */
static struct jr_errand *take_up(struct jr_errands *errands, const struct jr_run *run,
                                 bool is_quiet)
{
    struct jr_errand *errand = NULL;

    if (find(errands, run->run_id) != NULL)
        return NULL;
    for (size_t i = 0; i < JR_ERRANDS_MAX && errand == NULL; i++)
        if (errands->items[i].step == JR_ERRAND_NONE)
            errand = &errands->items[i];
    if (errand == NULL)
        return NULL;
    memset(errand, 0, sizeof *errand);
    errand->run = *run;
    errand->is_quiet = is_quiet;
    errand->number = ++errands->numbers;
    if (errands->count++ == 0)
        jr_process_note_busy(errands->desk->process, jr_now_ms());
    begin(errands, errand);
    return errand;
}

/* Take an errand on if its question is over. Returns whether it was. */
static bool work(struct jr_errands *errands, struct jr_errand *errand)
{
    if (errand->step == JR_ERRAND_CLAIM)
        return work_on_claim(errands, errand);
    if (errand->step == JR_ERRAND_NAME_WAITS && !is_being_named(errands, errand)) {
        ask_for_name(errands, errand);
        return true;
    }
    if (errand->step == JR_ERRAND_OWN_WAITS && !is_file_asked_for(errands, errand)) {
        ask_for_own(errands, errand);
        return true;
    }
    if (errand->step == JR_ERRAND_OWN && give_up_own(errands, errand))
        return true;
    if (errand->step == JR_ERRAND_INQUIRY)
        return work_on_inquiry(errands, errand);
    if (errand->step == JR_ERRAND_GUARDS)
        return work_on_guards(errands, errand);
    if (errand->step == JR_ERRAND_NONE || !errand->question.is_over)
        return false;
    errand->question.is_over = false;
    if (errand->step == JR_ERRAND_POST)
        record_post(errands, errand, &errand->question.turn.call);
    else if (errand->step == JR_ERRAND_RUN)
        run_is_told(errands, errand);
    else if (errand->step == JR_ERRAND_OWN)
        own_is_told(errands, errand, &errand->question.turn.call);
    else
        name_is_told(errands, errand);
    return true;
}

void jr_errands_work(struct jr_errands *errands)
{
    bool more = errands->count > 0;

    (void)jr_inquirer_work(&errands->inquirer);
    while (more) {
        more = false;
        for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
            more = work(errands, &errands->items[i]) || more;
    }
}

/*
 * The one that waits for longest.
 *   may_be_asked  ... of those whose repository may be asked about now
 */
static struct jr_errand *first_waiting(struct jr_errands *errands, bool may_be_asked)
{
    struct jr_errand *first = NULL;

    for (size_t i = 0; i < JR_ERRANDS_MAX; i++) {
        struct jr_errand *errand = &errands->items[i];

        if (errand->step == JR_ERRAND_WAITS && (first == NULL || errand->number < first->number)
            && (!may_be_asked
                || jr_calls_may_ask_about(&errands->desk->calls, errand->run.repo)))
            first = errand;
    }
    return first;
}

/* How long one that was due earlier, and is likely to be answered soon, is waited for. */
static int64_t order_wait_ms(const struct jr_errands *errands, const struct jr_errand *errand)
{
    int64_t now_ms = jr_monotonic_ms(), wait_ms = 0;

    for (size_t i = 0; i < JR_ERRANDS_MAX; i++) {
        const struct jr_errand *other = &errands->items[i];

        if (is_asking(other) && other->number < errand->number
            && other->begun_ms + ORDER_MS - now_ms > wait_ms)
            wait_ms = other->begun_ms + ORDER_MS - now_ms;
    }
    return wait_ms;
}

int64_t jr_errands_write(struct jr_errands *errands)
{
    struct jr_desk *desk = errands->desk;
    struct jr_errand *first;
    int64_t wait_ms;

    if (count_at(errands, JR_ERRAND_WAITS) == 0 || count_at(errands, JR_ERRAND_POST) > 0)
        return JR_CALLS_NEVER;
    if (jr_calls_wait_ms(&desk->calls) > 0 || !jr_cluster_may_work(&desk->cluster)) {
        jr_errands_lay_down(errands);
        return 0;
    }
    first = first_waiting(errands, true);
    if (first == NULL || !jr_calls_may_ask(&desk->calls))
        return JR_CALLS_NEVER;
    wait_ms = write_wait_ms(errands);
    if (wait_ms == 0)
        wait_ms = order_wait_ms(errands, first);
    if (wait_ms > 0)
        return wait_ms;
    if (jr_desk_is_paused(desk, &first->run))
        lay_down(errands, first);
    else if (jr_boottime_ms() - first->asked_ms <= FRESH_MS)
        record(errands, first);
    else if (jr_errands_may_read(errands))
        begin(errands, first);
    else
        return JR_CALLS_NEVER;
    return 0;
}

void jr_errands_lay_down(struct jr_errands *errands)
{
    struct jr_errand *errand;

    while ((errand = first_waiting(errands, false)) != NULL)
        lay_down(errands, errand);
}

void jr_errands_stop(struct jr_errands *errands)
{
    struct jr_desk *desk = errands->desk;
    int64_t end_ms = jr_monotonic_ms() + POST_GRACE_MS;

    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        if (errands->items[i].step != JR_ERRAND_NONE && errands->items[i].step != JR_ERRAND_POST)
            lay_down(errands, &errands->items[i]);
    (void)jr_calls_work(&desk->calls);
    jr_errands_work(errands);
    while (errands->count > 0 && jr_monotonic_ms() < end_ms) {
        jr_desk_rest_deaf(desk, end_ms - jr_monotonic_ms());
        jr_errands_work(errands);
    }
    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        if (errands->items[i].step == JR_ERRAND_POST)
            jr_calls_give_up(&desk->calls, &errands->items[i].question);
    jr_errands_work(errands);
}

/* Without a token, the events alone have to do. */
static void decide_unseen(struct jr_errands *errands, struct jr_run *run)
{
    struct jr_desk *desk = errands->desk;
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t start_us = jr_monotonic_us();
    enum jr_err err = jr_rerun_unseen(desk->store, desk->settings, run, jr_now_ms(), &verdict,
                                      &error);

    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return;
    }
    jr_tell_decision(run, &verdict, NULL, jr_monotonic_us() - start_us);
    jr_desk_count(desk, &verdict);
}

/*
 * Rule 6: a POST that was cut off, by the death of the one before or by a failing
 * store, is looked after no sooner than API_BACKOFF_MIN after that.
 */
static bool is_too_soon(const struct jr_desk *desk, const struct jr_run *run)
{
    return run->intent_ms != 0 && run->intent_ms <= desk->unsure_ms
           && jr_now_ms() - desk->unsure_ms < desk->settings->api_backoff_min_ms
           && jr_now_ms() >= desk->unsure_ms;
}

/* An entry that is due later than this was made before the clock was set back. */
static int64_t longest_wait_ms(const struct jr_settings *settings)
{
    /* A run that was judged before a reload waits as the policy of then has it. */
    int64_t longest_ms = settings->judges      ? JR_POLICY_DELAY_MOST_MS
                         : settings->has_guards ? JR_HOLD_MOST_MS
                                                : 0;

    if (longest_ms < settings->rerun_delay_ms)
        longest_ms = settings->rerun_delay_ms;
    if (longest_ms < settings->api_backoff_max_ms)
        longest_ms = settings->api_backoff_max_ms;
    return longest_ms + JR_SECOND_MS;
}

/*
 * Is a run to wait on for what it waits for already, as the store knows it? Thousands may, and
 * come due in the same minutes: no others are to wait for what GitHub would answer about these.
 * What waits for something else by now is looked at, and so is what CATCH_UP closes.
 */
static bool waits_on(struct jr_errands *errands, struct jr_run *run, struct jr_hold *hold)
{
    const struct jr_rerun_answer answer = { .policy = &errands->inquirer.policy,
                                            .held_elsewhere = held_elsewhere(errands) };
    struct jr_desk *desk = errands->desk;
    int64_t now_ms = jr_now_ms();
    struct jr_error error;

    if ((run->reason != JR_REASON_OUTAGE_HOLD && run->reason != JR_REASON_BUDGET_USED_UP)
        || now_ms - run->updated_ms > desk->settings->catch_up_ms)
        return false;
    return jr_rerun_held(desk->store, desk->settings, &answer, run, now_ms, hold, &error) == JR_OK
           && hold->reason == run->reason && hold->until_ms > now_ms;
}

/* Is a run in hand, laid aside, or not to be asked about before another is answered? */
static bool is_in_hand(void *context, const struct jr_run *run)
{
    struct jr_errands *errands = context;
    struct jr_calls *calls = &errands->desk->calls;

    for (size_t i = 0; i < errands->asides; i++)
        if (errands->aside[i] == run->run_id)
            return true;
    if (find(errands, run->run_id) != NULL)
        return true;
    if (calls->http == NULL || jr_calls_may_ask_about(calls, run->repo))
        return false;
    errands->passed_over = true;
    return true;
}

static int64_t pause_wait_ms(void *errands, const char *repo)
{
    const struct jr_errands *ours = errands;

    return jr_desk_pause_wait_ms(ours->desk, repo);
}

enum jr_err jr_errands_find(struct jr_errands *errands, struct jr_rerun_walk *walk,
                            int64_t latest_ms, int64_t now_ms, int64_t *due_ms,
                            struct jr_run *run, struct jr_error *error)
{
    enum jr_err err;

    walk->wait = errands->desk->pauses.count > 0 ? pause_wait_ms : NULL;
    walk->in_hand = is_in_hand;
    walk->context = errands;
    if (!walk->going_on)
        errands->passed_over = false;
    err = jr_rerun_first(errands->desk->store, latest_ms, now_ms, walk, due_ms, run, error);
    /* It may be the turn of those at any moment, and nobody tells; so all are looked at again. */
    if (errands->passed_over)
        walk->held = (struct jr_rerun_place){ .due_ms = 0 };
    return err;
}

/*
 * How long until the next run is to be asked about, so that its rerun can follow while what is
 * shown is fresh: as though all that are in hand were rerun before it.
 */
static int64_t lead_wait_ms(struct jr_errands *errands)
{
    int64_t now_ms = jr_monotonic_ms(), pace_ms = write_interval_ms(errands);
    int64_t wait_ms = write_wait_ms(errands);
    bool any = false;

    if (pace_ms < errands->post_ms)
        pace_ms = errands->post_ms;
    if (count_at(errands, JR_ERRAND_POST) > 0)
        wait_ms = pace_ms;
    for (size_t i = 0; i < JR_ERRANDS_MAX; i++) {
        const struct jr_errand *errand = &errands->items[i];

        if (errand->step == JR_ERRAND_WAITS
            || (is_asking(errand) && now_ms - errand->begun_ms < SOON_MS)) {
            wait_ms += pace_ms;
            any = true;
        }
    }
    wait_ms -= FRESH_MS - JR_SECOND_MS / 2;
    if (wait_ms <= 0)
        return 0;
    /* The end of a question may change that. */
    return any && wait_ms > SOON_MS / 4 ? SOON_MS / 4 : wait_ms;
}

/* How long until there may be room for one more, in ms; 0: there is. */
static int64_t room_wait_ms(struct jr_errands *errands)
{
    struct jr_calls *calls = &errands->desk->calls;
    int64_t wait_ms;

    if (calls->http == NULL)
        return 0;
    wait_ms = jr_calls_wait_ms(calls);
    if (wait_ms == 0 && !jr_cluster_may_work(&errands->desk->cluster))
        wait_ms = JR_SECOND_MS / 2;
    if (wait_ms > 0)
        return wait_ms;
    if (errands->count >= JR_ERRANDS_MAX || !jr_errands_may_read(errands)
        || !may_claim(errands) || !jr_calls_may_ask(calls))
        return JR_CALLS_NEVER;
    if (post_hangs(errands))
        return errands->asides < JR_ERRANDS_ASIDE ? 0 : JR_CALLS_NEVER;
    if (count_at(errands, JR_ERRAND_WAITS) >= JR_ERRANDS_WAITING)
        return count_at(errands, JR_ERRAND_POST) > 0 ? SOON_MS : JR_CALLS_NEVER;
    return lead_wait_ms(errands);
}

static void tell_work_waits(const struct jr_errands *errands, bool found)
{
    if (errands->desk->told != NULL)
        errands->desk->told->work_waits = found || errands->count > 0;
}

int64_t jr_errands_claim(struct jr_errands *errands)
{
    struct jr_desk *desk = errands->desk;
    struct jr_run run;
    struct jr_hold hold;
    struct jr_error error;
    int64_t due_ms, wait_ms, now_ms = jr_now_ms();
    int64_t latest_ms = now_ms + longest_wait_ms(desk->settings);
    enum jr_err err = jr_errands_find(errands, &desk->walk, latest_ms, now_ms, &due_ms, &run,
                                      &error);

    if (err == JR_EBUSY) /* all that was looked at is paused */
        return due_ms > now_ms ? due_ms - now_ms : 0;
    tell_work_waits(errands, err != JR_ENOENT);
    if (err == JR_ENOENT)
        return JR_CALLS_NEVER;
    if (err == JR_EFORMAT) {
        jr_log(JR_LOG_ERROR, "damaged", "%s; it is taken out of the outbox", error.text);
        err = jr_rerun_drop(desk->store, due_ms, run.run_id, &error);
        if (err == JR_OK)
            return 0;
    }
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return JR_CALLS_NEVER;
    }
    wait_ms = due_ms - jr_now_ms();
    if (wait_ms > 0 && due_ms <= latest_ms)
        return wait_ms;
    if (is_too_soon(desk, &run)) {
        postpone(desk, &run, desk->unsure_ms + desk->settings->api_backoff_min_ms);
        return 0;
    }
    if (desk->calls.http == NULL) {
        decide_unseen(errands, &run);
        return 0;
    }
    if (waits_on(errands, &run, &hold)) {
        postpone(desk, &run, hold.until_ms);
        return 0;
    }
    wait_ms = room_wait_ms(errands);
    if (wait_ms == 0 && take_up(errands, &run, false) != NULL)
        errands->claims++;
    return wait_ms;
}

bool jr_errands_take_quiet(struct jr_errands *errands, const struct jr_run *run)
{
    return jr_cluster_may_work(&errands->desk->cluster)
           && jr_calls_may_ask_about(&errands->desk->calls, run->repo)
           && take_up(errands, run, true) != NULL;
}

bool jr_errands_has_quiet(const struct jr_errands *errands)
{
    for (size_t i = 0; i < JR_ERRANDS_MAX; i++)
        if (errands->items[i].step != JR_ERRAND_NONE && errands->items[i].is_quiet)
            return true;
    return false;
}
