/*
 * storyview -- the story of one run as one record.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/storyview.h"
#include "fcgi/view/runview.h"
#include "lib/steps/holding.h"
#include "lib/steps/ownfile.h"
#include "lib/steps/spending.h"
#include "lib/store/listing.h"

/* Records read at once. */
#define BATCH 32

/* What is read of a run before anything is written. */
struct story {
    struct jr_run run;
    struct jr_causeholds holds;
    jr_causes held; /* for which of its causes reruns are held, or were until now */
    struct jr_reported reported;
    char own[JR_OWNFILE_TOLD_SIZE]; /* what is wrong with its repository's policy; empty: nothing */
    bool cost_known; /* what its rerun would cost, where it waits for that, or was left for it */
    uint64_t minutes;
};

/* Keep only the holds for causes that this run has. */
static void keep_own(struct story *story)
{
    size_t kept = 0;

    for (size_t i = 0; i < story->holds.count; i++)
        if ((story->held & (UINT64_C(1) << story->holds.items[i].cause)) != 0)
            story->holds.items[kept++] = story->holds.items[i];
    story->holds.count = kept;
}

static enum jr_err read_story(const struct jr_storyview *view, uint64_t run_id,
                              struct story *story, struct jr_error *error)
{
    enum jr_err err = jr_listing_run(view->store, run_id, &story->run, error);

    if (err == JR_OK)
        err = jr_holding_of_run(view->store, &story->run, view->now_ms, &story->holds,
                                &story->held, error);
    if (err == JR_OK)
        err = jr_listing_reported(view->store, &story->run, &story->reported, error);
    if (err == JR_OK && view->policy != NULL && view->policy->repository_files)
        err = jr_ownfile_of_run(view->store, &story->run, story->own, error);
    if (err == JR_OK && view->policy != NULL && story->run.reason == JR_REASON_BUDGET_USED_UP) {
        err = jr_spending_cost(view->store, view->policy, &story->run, &story->minutes, error);
        story->cost_known = err == JR_OK;
    }
    keep_own(story);
    return err;
}

static enum jr_err emit_jobs(const struct jr_storyview *view, const struct story *story,
                             struct jr_emit *emit, struct jr_error *error)
{
    struct jr_job jobs[BATCH];
    enum jr_err err = JR_OK;
    uint64_t after = 0;
    size_t count = BATCH;

    jr_emit_open_array(emit, "jobs");
    while (err == JR_OK && count == BATCH) {
        err = jr_listing_jobs(view->store, story->run.run_id, &after, jobs, BATCH, &count, error);
        for (size_t i = 0; i < count; i++)
            jr_runview_emit_job(emit, &story->run, &jobs[i]);
    }
    jr_emit_close_array(emit);
    return err;
}

static void emit_same(struct jr_emit *emit, const struct jr_failure *before)
{
    char line[JR_EVIDENCE_LINE_SIZE];

    if (before->job_id == 0) {
        jr_emit_null(emit, "same_as");
        return;
    }
    jr_failure_line(before, line, sizeof line);
    jr_emit_open(emit, "same_as");
    jr_emit_number(emit, "attempt", before->attempt);
    jr_emit_number(emit, "job_id", (int64_t)before->job_id);
    jr_emit_text(emit, "line", line);
    jr_emit_close(emit);
}

static enum jr_err emit_failure(const struct jr_storyview *view, const struct story *story,
                                const struct jr_failure *failure, struct jr_emit *emit,
                                struct jr_error *error)
{
    struct jr_failure before = { .job_id = 0 };
    enum jr_err err = JR_OK;

    if (failure->same_failure)
        err = jr_listing_same_failure(view->store, story->run.run_id, failure, &before, error);
    jr_emit_open(emit, NULL);
    jr_emit_time(emit, "at", failure->recorded_ms);
    jr_emit_number(emit, "attempt", failure->attempt);
    jr_runview_emit_failure(emit, failure);
    emit_same(emit, &before);
    jr_emit_close(emit);
    return err;
}

static enum jr_err emit_failures(const struct jr_storyview *view, const struct story *story,
                                 struct jr_emit *emit, struct jr_error *error)
{
    struct jr_failure failures[BATCH];
    enum jr_err err = JR_OK;
    uint64_t after = 0;
    size_t count = BATCH;

    jr_emit_open_array(emit, "failures");
    while (err == JR_OK && count == BATCH) {
        err = jr_listing_failures(view->store, story->run.run_id, &after, failures, BATCH, &count,
                                  error);
        for (size_t i = 0; i < count && err == JR_OK; i++)
            err = emit_failure(view, story, &failures[i], emit, error);
    }
    jr_emit_close_array(emit);
    return err;
}

static enum jr_err emit_history(const struct jr_storyview *view, const struct story *story,
                                struct jr_emit *emit, struct jr_error *error)
{
    struct jr_history entries[BATCH];
    enum jr_err err = JR_OK;
    uint32_t number = 0;
    size_t count = BATCH;

    jr_emit_open_array(emit, "history");
    while (err == JR_OK && count == BATCH) {
        err = jr_listing_history(view->store, story->run.run_id, &number, entries, BATCH, &count,
                                 error);
        for (size_t i = 0; i < count; i++) {
            jr_emit_open(emit, NULL);
            jr_runview_emit_entry(emit, &entries[i]);
            jr_emit_close(emit);
        }
    }
    jr_emit_close_array(emit);
    return err;
}

/* Which hosts have claimed its attempts, and what came of that. */
static void emit_claims(const struct jr_storyview *view, struct jr_emit *emit)
{
    if (view->claims == NULL) {
        jr_emit_null(emit, "claims");
        return;
    }
    jr_emit_open_array(emit, "claims");
    for (size_t i = 0; i < view->claim_count; i++) {
        const struct jr_claim *claim = &view->claims[i];

        jr_emit_open(emit, NULL);
        jr_emit_number(emit, "attempt", view->attempts[i]);
        jr_emit_text(emit, "state", jr_claim_state_name(claim->state));
        jr_emit_text(emit, "result",
                     claim->result == JR_CLAIM_OPEN ? NULL : jr_claim_result_name(claim->result));
        jr_emit_text(emit, "host", claim->name);
        jr_emit_number(emit, "posts", claim->posts);
        jr_emit_time(emit, "at", claim->at_ms);
        jr_emit_text(emit, "reason", *claim->reason == '\0' ? NULL : claim->reason);
        jr_emit_known(emit, "status", claim->status != 0, claim->status);
        jr_emit_close(emit);
    }
    jr_emit_close_array(emit);
}

enum jr_err jr_storyview_emit(const struct jr_storyview *view, uint64_t run_id,
                              struct jr_emit *emit, struct jr_error *error)
{
    struct story story = { .cost_known = false };
    enum jr_err err = read_story(view, run_id, &story, error);
    const struct jr_reported *reported = &story.reported;

    if (err != JR_OK)
        return err;
    jr_emit_open(emit, NULL);
    jr_runview_emit(emit, "run", view->settings, view->pauses, &story.run);
    jr_emit_known(emit, "rerun_minutes", story.cost_known, (int64_t)story.minutes);
    jr_emit_text(emit, "repository_policy", story.own);
    jr_emit_known(emit, "check_run_id", reported->report.check_id != 0,
                  (int64_t)reported->report.check_id);
    jr_emit_known(emit, "comment_id", reported->comment_id != 0, (int64_t)reported->comment_id);
    emit_claims(view, emit);
    err = emit_jobs(view, &story, emit, error);
    if (err == JR_OK)
        err = emit_failures(view, &story, emit, error);
    if (err == JR_OK)
        err = emit_history(view, &story, emit, error);
    jr_runview_emit_outages(emit, "outages", &story.holds, NULL);
    jr_emit_close(emit);
    return err;
}
