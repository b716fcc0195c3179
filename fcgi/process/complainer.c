/*
 * complainer -- tells the authors of broken policy files at GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/complainer.h"
#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "fcgi/process/tell.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/github/github.h"
#include "lib/steps/complaining.h"
#include "lib/steps/ownfile.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* "Wait at least one second between each" (docs, "Best practices for using the REST API"). */
#define WRITE_INTERVAL_MS JR_SECOND_MS

/* The waits before the next look: while calls fail in general, while those about one owner fail,
 * and during a pause. */
#define SOON_MS JR_SECOND_MS
#define UNWELL_MS (5 * JR_SECOND_MS)
#define PAUSED_MS JR_MINUTE_MS

/* At most so many pages of check runs of one name are read. */
#define PAGES_MOST 3

enum step {
    STEP_IDLE,
    STEP_COMMIT, /* GitHub is asked which commit has changed the file last, */
    STEP_FILE,   /* how the file is there, */
    STEP_FIND,   /* whether the check run is there already, */
    STEP_WRITES  /* and to take it */
};

struct complainer {
    struct jr_desk *desk;
    enum step step;
    struct jr_complaining work;
    struct jr_question question;
    struct jr_github_commit commit; /* what questions hold */
    struct jr_github_file file;     /* its text is owned */
    struct jr_github_found found;
    uint64_t made;
    struct jr_run at; /* of the commit, for the question about the file */
    struct jr_ours ours;
    unsigned page;
    char *json;           /* owned */
    int64_t write_due_ms; /* monotonic: nothing is written before */
};

static enum jr_err set_up(void *state, struct jr_desk *desk, struct jr_error *error)
{
    struct complainer *complainer = state;

    (void)error;
    complainer->desk = desk;
    complainer->question.is_aside = true;
    return JR_OK;
}

/* Let go of the complaint: drop the question, free what it holds. */
static void lay_down(struct complainer *complainer)
{
    jr_calls_drop(&complainer->desk->calls, &complainer->question);
    complainer->question.is_over = false;
    free(complainer->json);
    complainer->json = NULL;
    free(complainer->file.text);
    complainer->file.text = NULL;
    memset(&complainer->work, 0, sizeof complainer->work);
    memset(&complainer->commit, 0, sizeof complainer->commit);
    complainer->step = STEP_IDLE;
}

static void put_down(void *state)
{
    lay_down(state);
}

static void failed(struct complainer *complainer, enum jr_err err,
                   const struct jr_error *error)
{
    jr_desk_store_failed(complainer->desk, err, error);
    lay_down(complainer);
}

/* Record what came of the complaint. call: the last one; NULL: there is nothing to write. */
static void settle(struct complainer *complainer, const struct jr_call *call)
{
    struct jr_desk *desk = complainer->desk;
    enum jr_reporting_end how;
    struct jr_error error;
    enum jr_err err = jr_complaining_settle(desk->store, desk->settings, &complainer->work, call,
                                            jr_now_ms(), &how, &error);

    if (err != JR_OK) {
        failed(complainer, err, &error);
        return;
    }
    jr_test_point("complaint-recorded");
    jr_tell_said(desk, &(struct jr_tell_said){
        .repo = complainer->work.complaint.repo, .commit = complainer->commit.sha, .in = "policy",
        .end = how, .call = call,
    });
    lay_down(complainer);
}

static void postpone(struct complainer *complainer, int64_t wait_ms)
{
    struct jr_error error;
    enum jr_err err = jr_complaining_postpone(complainer->desk->store, &complainer->work,
                                              jr_now_ms() + wait_ms, &error);

    if (err != JR_OK)
        failed(complainer, err, &error);
    else
        lay_down(complainer);
}

static void ask(struct complainer *complainer, enum step step,
                struct jr_ask what)
{
    complainer->step = step;
    what.repo = complainer->work.complaint.repo;
    complainer->question.turn.ask = what;
    jr_calls_ask(&complainer->desk->calls, &complainer->question);
}

static void find_commit(struct complainer *complainer)
{
    ask(complainer, STEP_COMMIT, (struct jr_ask){
        .api = JR_API_FIND_COMMIT, .name = JR_OWNFILE_PATH, .holds = &complainer->commit,
    });
}

/* Ask for the file in that commit: it may have been changed or repaired since it was read. */
static void get_file(struct complainer *complainer)
{
    const char *sha = complainer->commit.sha;

    if (*sha == '\0') {
        settle(complainer, NULL);
        return;
    }
    (void)jr_text_copy(complainer->at.head_sha, sizeof complainer->at.head_sha, sha);
    ask(complainer, STEP_FILE, (struct jr_ask){
        .api = JR_API_GET_FILE, .name = JR_OWNFILE_PATH, .run = &complainer->at,
        .holds = &complainer->file,
    });
}

static void find_check(struct complainer *complainer)
{
    complainer->ours = (struct jr_ours){
        .external_id = JR_COMPLAINING_ID, .app = complainer->desk->settings->github_app_id,
    };
    ask(complainer, STEP_FIND, (struct jr_ask){
        .api = JR_API_LIST_CHECKS, .sha = complainer->commit.sha, .name = JR_COMPLAINING_NAME,
        .ours = &complainer->ours, .page = ++complainer->page, .holds = &complainer->found,
    });
}

static void read_file(struct complainer *complainer, const struct jr_call *call)
{
    struct jr_desk *desk = complainer->desk;
    struct jr_error error;

    if (call->outcome == JR_OUTCOME_NEVER && call->reason == JR_REASON_NOT_FOUND) {
        settle(complainer, NULL); /* the file was removed */
        return;
    }
    /* A path that is no file, and a file that is far too large, are complained about, too. */
    if (call->outcome != JR_OUTCOME_DONE
        && (call->outcome != JR_OUTCOME_NEVER || call->reason != JR_REASON_BAD_ANSWER)) {
        settle(complainer, call);
        return;
    }
    if (jr_complaining_json(&complainer->work, desk->settings, complainer->commit.sha,
                            &complainer->file, &complainer->json) != JR_OK) {
        (void)jr_error_set(&error, JR_ENOMEM, "out of memory");
        failed(complainer, JR_ENOMEM, &error);
    } else if (complainer->json == NULL) {
        settle(complainer, NULL);
    } else {
        find_check(complainer);
    }
}

static void write_it(struct complainer *complainer)
{
    struct jr_desk *desk = complainer->desk;
    struct jr_error error;
    int64_t wait_ms;
    enum jr_err err = jr_complaining_begin(desk->store, jr_now_ms(), &wait_ms, &error);

    if (err != JR_OK) {
        failed(complainer, err, &error);
        return;
    }
    if (wait_ms > 0) {
        complainer->write_due_ms = jr_monotonic_ms() + wait_ms;
        lay_down(complainer);
        return;
    }
    jr_test_point("before-complaint");
    complainer->write_due_ms = jr_monotonic_ms() + WRITE_INTERVAL_MS;
    ask(complainer, STEP_WRITES, (struct jr_ask){
        .api = JR_API_MAKE_CHECK, .json = complainer->json, .holds = &complainer->made,
    });
}

static void list_is_told(struct complainer *complainer)
{
    if (complainer->found.id != 0)
        settle(complainer, NULL);
    else if (complainer->found.shown >= JR_GITHUB_PAGE_FOUND && complainer->page < PAGES_MOST)
        find_check(complainer);
    else
        write_it(complainer);
}

/* GitHub has answered well. */
static void take_good(struct complainer *complainer, const struct jr_call *call)
{
    switch (complainer->step) {
    case STEP_COMMIT:
        get_file(complainer);
        break;
    case STEP_FIND:
        list_is_told(complainer);
        break;
    case STEP_WRITES:
        settle(complainer, call);
        break;
    case STEP_FILE:
    case STEP_IDLE:
        break;
    }
}

static void take_answer(struct complainer *complainer)
{
    struct jr_call call = complainer->question.turn.call;

    complainer->question.is_over = false;
    if (complainer->step == STEP_WRITES)
        jr_test_point("after-complaint");
    if (complainer->step == STEP_FILE)
        read_file(complainer, &call);
    else if (call.outcome == JR_OUTCOME_DONE)
        take_good(complainer, &call);
    else
        settle(complainer, &call);
}

/* Begin with the complaint that was claimed, or put it off. */
static void begin(struct complainer *complainer)
{
    const char *repo = complainer->work.complaint.repo;
    struct jr_desk *desk = complainer->desk;

    complainer->page = 0;
    if (!jr_complaining_is_on(desk->settings))
        settle(complainer, NULL);
    else if (jr_desk_pause_wait_ms(desk, repo) > 0)
        postpone(complainer, PAUSED_MS);
    else if (!jr_calls_are_well(&desk->calls, repo))
        postpone(complainer, UNWELL_MS);
    else
        find_commit(complainer);
}

static int64_t claim(struct complainer *complainer)
{
    struct jr_desk *desk = complainer->desk;
    int64_t due_ms, now_ms = jr_now_ms();
    struct jr_error error;
    enum jr_err err = jr_complaining_claim(desk->store, now_ms, &complainer->work, &due_ms,
                                           &error);

    if (err == JR_ENOENT)
        return due_ms == 0 ? JR_CALLS_NEVER : due_ms > now_ms ? due_ms - now_ms : 0;
    if (err == JR_EFORMAT)
        return 0;
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return UNWELL_MS;
    }
    begin(complainer);
    return 0;
}

static int64_t take_turn(void *state)
{
    struct complainer *complainer = state;
    int64_t wait_ms = complainer->write_due_ms - jr_monotonic_ms();

    if (complainer->question.is_over)
        take_answer(complainer);
    if (complainer->step != STEP_IDLE || complainer->desk->calls.http == NULL)
        return JR_CALLS_NEVER;
    if (wait_ms > 0)
        return wait_ms;
    return jr_calls_are_well(&complainer->desk->calls, "") ? claim(complainer) : SOON_MS;
}

static bool is_under_way(const void *state)
{
    const struct complainer *complainer = state;

    return complainer->step != STEP_IDLE;
}

const struct jr_duty jr_complainer_duty = {
    .turn = JR_DUTY_SAY,
    .size = sizeof(struct complainer),
    .open = set_up,
    .work = take_turn,
    .is_under_way = is_under_way,
    .close = put_down,
};
