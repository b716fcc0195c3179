/*
 * decide -- one run's life in any order: events, what GitHub shows and answers,
 * what an administrator asks for, and a dispatcher that dies. The input is read a
 * few bytes for each thing that happens. After each, what the rules promise holds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/attempt.h"
#include "lib/rules/decide.h"
#include "lib/rules/watch.h"
#include "t/fuzz/fuzz.h"

#define RUN_ID   UINT64_C(12345678901)
#define BASE_MS  INT64_C(1795132800000) /* 2026-11-20T00:00:00Z */
#define JOBS     4
#define ATTEMPTS 64

/* No call takes longer: http.c. */
#define CALL_MS (30 * JR_SECOND_MS)

enum doing { NOTHING,
             ASKING,
             JUDGING,
             POSTING };

struct life {
    struct input input;
    struct jr_bounds bounds;
    int64_t now_ms;
    struct jr_run run;
    struct jr_job jobs[JOBS];

    /* the dispatcher */
    enum doing doing;
    int64_t claimed_due_ms;
    int64_t begun_ms;
    uint32_t attempt; /* that is posted about */

    /* by attempt */
    bool accepted[ATTEMPTS];       /* GitHub has accepted its rerun */
    int64_t in_doubt_ms[ATTEMPTS]; /* when a POST of unknown outcome was begun; 0: none was */
};

static const char *pick(struct life *life, const char *const *words, size_t count)
{
    return words[take_byte(&life->input) % count];
}

#define PICK(life, words)  pick(life, words, sizeof(words) / sizeof *(words))
#define COPY(member, text) HOLDS(snprintf(member, sizeof(member), "%s", text) < (int)sizeof(member))

static int64_t take_time(struct life *life)
{
    int byte = take_byte(&life->input);

    return byte == 0 ? 0 : BASE_MS + (byte - 64) * JR_SECOND_MS;
}

/* What people may set. */
static void take_policy(struct life *life)
{
    static char bot[] = "*[bot]", main_branch[] = "main", deploy[] = "Deploy*", app[] = "octo/app";
    static char *lists[] = { bot, main_branch, deploy, app };
    struct jr_bounds *bounds = &life->bounds;
    int bits = take_byte(&life->input);

    bounds->run_attempts = bits & 1 ? 2 : 4;
    bounds->no_retry_list = (struct jr_list){ &lists[0], bits & 2 ? 1 : 0 };
    bounds->repo_branches = (struct jr_list){ &lists[1], bits & 4 ? 1 : 0 };
    bounds->no_retry_workflows = (struct jr_list){ &lists[2], bits & 8 ? 1 : 0 };
    bounds->repos = (struct jr_list){ &lists[3], bits & 16 ? 1 : 0 };
    bounds->dry_run = (bits & 32) != 0;
    bounds->reconcile_interval_ms = bits & 64 ? 0 : 5 * JR_MINUTE_MS;
    bounds->rerun_delay_ms = bits & 128 ? 0 : 5 * JR_SECOND_MS;
    bounds->retry_conclusions = 1u << JR_CONCLUSION_FAILURE | 1u << JR_CONCLUSION_TIMED_OUT
                                  | 1u << JR_CONCLUSION_STARTUP_FAILURE;
    bounds->api_backoff_min_ms = 10 * JR_SECOND_MS;
    bounds->api_backoff_max_ms = 10 * JR_MINUTE_MS;
    bounds->catch_up_ms = JR_DAY_MS;
    bits = take_byte(&life->input);
    bounds->judges = (bits & 1) != 0;
    bounds->judges_cancelled = (bits & 3) == 3;
}

static void take_event(struct life *life, enum jr_event_kind kind, struct jr_event *event)
{
    static const char *const senders[] = { "octocat", "robot[bot]", "" };
    static const char *const branches[] = { "main", "dev", "" };
    static const char *const workflows[] = { "CI", "Deploy site", "" };
    static const char *const repos[] = { "octo/app", "octo/site" };
    int bits = take_byte(&life->input);

    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->run_id = RUN_ID;
    event->attempt = bits & 7;
    event->status = (enum jr_status)(bits >> 3 & 3);
    if (event->status == JR_STATUS_COMPLETED)
        event->conclusion = (enum jr_conclusion)(take_byte(&life->input) % (JR_CONCLUSION_OTHER + 1));
    if (kind == JR_EVENT_JOB)
        event->job_id = 1 + (bits >> 5) % JOBS;
    event->created_ms = take_time(life);
    event->completed_ms = event->updated_ms = take_time(life);
    COPY(event->repo, repos[0]);
    if ((bits & 128) == 0)
        return;
    event->started_ms = take_time(life);
    COPY(event->repo, PICK(life, repos));
    COPY(event->sender, PICK(life, senders));
    COPY(event->actor, PICK(life, senders));
    COPY(event->branch, PICK(life, branches));
    COPY(event->workflow, PICK(life, workflows));
    COPY(event->head_repo, PICK(life, repos));
}

/* The jobs of the newest attempt, counted. */
static void holds_counts(const struct life *life)
{
    const struct jr_run *run = &life->run;
    uint32_t known = 0, unfinished = 0, failed = 0;

    for (size_t i = 0; i < JOBS; i++) {
        const struct jr_job *job = &life->jobs[i];

        if (!job->known || jr_run_attempt_of(run, job) != run->attempt)
            continue;
        known++;
        unfinished += job->status != JR_STATUS_COMPLETED;
        failed += job->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(job->conclusion);
    }
    HOLDS(run->jobs_known == known);
    HOLDS(run->jobs_unfinished == unfinished);
    HOLDS(run->jobs_failed == failed);
}

/* The record holds all of it. */
static void holds_record(const struct jr_run *run)
{
    unsigned char bytes[JR_RECORD_SIZE], again[JR_RECORD_SIZE];
    struct jr_writer writer, second;
    struct jr_run decoded;

    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_run_encode(run, &writer);
    HOLDS(writer.ok);
    HOLDS(jr_run_decode(&decoded, bytes, writer.length));
    jr_writer_init(&second, again, sizeof again);
    jr_run_encode(&decoded, &second);
    HOLDS(second.length == writer.length && memcmp(bytes, again, writer.length) == 0);
}

/* How far ahead an entry may be put. */
static int64_t farthest_ms(const struct life *life)
{
    return jr_reason_class(life->run.reason) == JR_CLASS_HOLD ? JR_HOLD_MOST_MS
                                                              : life->bounds.api_backoff_max_ms;
}

static void holds_run(const struct life *life, const struct jr_run *before)
{
    const struct jr_run *run = &life->run;

    if (!run->known)
        return;
    HOLDS((run->due_ms != 0) == (run->phase == JR_PHASE_DUE));
    HOLDS(run->phase != JR_PHASE_CLOSED || run->reason != JR_REASON_NONE);
    HOLDS(run->attempt >= 1 && run->attempt >= before->attempt);
    /* Rule 6: an attempt whose rerun was accepted is never the newest again. */
    HOLDS(run->attempt > run->accepted_attempt);
    HOLDS(run->reruns <= run->accepted_attempt);
    HOLDS((run->waiting_ms != 0) == (run->due_ms != 0));
    HOLDS(before->due_ms == 0 || run->due_ms == 0 || run->attempt != before->attempt
          || run->waiting_ms == before->waiting_ms);
    HOLDS(run->quiet_due_ms == 0 || (run->phase == JR_PHASE_OPEN && !run->complete));
    HOLDS(run->quiet_due_ms == 0 || life->bounds.reconcile_interval_ms > 0);
    HOLDS(run->quiet_due_ms == before->quiet_due_ms
          || run->quiet_due_ms <= life->now_ms + jr_watch_most_ms(&life->bounds));
    HOLDS(run->due_ms == before->due_ms || run->due_ms == 0
          || (run->due_ms >= life->now_ms
              && run->due_ms <= life->now_ms + farthest_ms(life)));
    HOLDS(run->last_event_ms >= run->first_event_ms);
    holds_counts(life);
}

static void decide(struct life *life, const struct jr_input *input, struct jr_job *job,
                   struct jr_verdict *verdict)
{
    jr_decide(&life->bounds, input, &life->run, job, verdict);
}

static void hear(struct life *life, enum jr_event_kind kind)
{
    struct jr_event event;
    struct jr_input input = { .kind = JR_INPUT_EVENT, .now_ms = life->now_ms, .event = &event };
    struct jr_verdict decision;
    struct jr_job job, none = { .known = false };

    input.anew = (take_byte(&life->input) & 1) != 0;
    take_event(life, kind, &event);
    job = kind == JR_EVENT_JOB ? life->jobs[event.job_id - 1] : none;
    decide(life, &input, &job, &decision);
    if (kind == JR_EVENT_JOB && job.known) {
        HOLDS(job.run_id == RUN_ID && job.job_id == event.job_id);
        HOLDS(job.status >= life->jobs[event.job_id - 1].status);
        life->jobs[event.job_id - 1] = job;
    }
    HOLDS(life->run.known);
    HOLDS(decision.reason != JR_REASON_NONE);
    HOLDS((decision.ended_attempt != 0) == (decision.ended_reason != JR_REASON_NONE));
    switch (decision.reply) {
    case JR_REPLY_SCHEDULED:
        HOLDS(life->run.phase == JR_PHASE_DUE);
        break;
    case JR_REPLY_SETTLED:
    case JR_REPLY_RECORDED:
    case JR_REPLY_LEFT_ALONE:
        break;
    case JR_REPLY_UNKNOWN_RUN:
        HOLDS(decision.reason == JR_REASON_UNKNOWN_RUN);
        break;
    case JR_REPLY_NONE:
        HOLDS(!"a reply that no webhook is answered with");
    }
}

static void holds_verdict(const struct life *life, const struct jr_verdict *verdict)
{
    const struct jr_run *run = &life->run;

    HOLDS(verdict->reason != JR_REASON_NONE);
    HOLDS((verdict->ended_attempt != 0) == (verdict->ended_reason != JR_REASON_NONE));
    HOLDS(verdict->step != JR_STEP_WAIT || run->phase != JR_PHASE_CLOSED);
}

/* The dispatcher is about to post. */
static void begin_post(struct life *life, const struct jr_event *seen)
{
    const struct jr_run *run = &life->run;
    uint32_t attempt = run->attempt;

    HOLDS(!life->bounds.dry_run);
    HOLDS(seen->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(seen->conclusion));
    HOLDS(seen->attempt == 0 || seen->attempt == attempt);
    HOLDS(attempt > run->accepted_attempt && attempt < ATTEMPTS);
    HOLDS(!life->accepted[attempt]);
    HOLDS(life->in_doubt_ms[attempt] == 0
          || life->now_ms - life->in_doubt_ms[attempt] >= life->bounds.api_backoff_min_ms);
    HOLDS(run->by_hand || attempt < life->bounds.run_attempts);
    HOLDS(run->by_hand || !life->bounds.judges || run->judged_attempt == attempt);
    HOLDS(run->intent_ms == life->now_ms);
    HOLDS(run->due_ms == life->now_ms + life->bounds.api_backoff_min_ms);
    life->doing = POSTING;
    life->claimed_due_ms = run->due_ms;
    life->begun_ms = life->now_ms;
    life->attempt = attempt;
}

/* What keeps it from being rerun, or from being rerun now. */
static void take_guards(struct life *life, struct jr_input *input)
{
    static const enum jr_reason guards[] = {
        JR_REASON_NONE, JR_REASON_NONE, JR_REASON_DEPLOYMENT, JR_REASON_BUDGET_USED_UP,
    };
    static const enum jr_reason holds[] = {
        JR_REASON_NONE, JR_REASON_CONCURRENCY_BUSY, JR_REASON_BUDGET_USED_UP,
        JR_REASON_OUTAGE_HOLD,
    };
    int byte = take_byte(&life->input);

    input->guard = guards[byte & 3];
    input->hold.reason = holds[byte >> 2 & 3];
    if (input->hold.reason != JR_REASON_NONE)
        input->hold.until_ms = life->now_ms + ((byte >> 4) - 1) * JR_HOUR_MS;
}

/* ... and was it heeded? */
static void holds_guards(const struct life *life, const struct jr_input *input, uint32_t tries,
                         const struct jr_verdict *verdict)
{
    bool posts = verdict->step == JR_STEP_RERUN_FAILED || verdict->step == JR_STEP_RERUN_ALL;

    HOLDS(life->run.by_hand || !posts
          || (input->guard == JR_REASON_NONE && input->hold.reason == JR_REASON_NONE));
    if (verdict->step != JR_STEP_WAIT || jr_reason_class(verdict->reason) != JR_CLASS_HOLD)
        return;
    HOLDS(verdict->reason == input->hold.reason && life->run.reason == verdict->reason);
    HOLDS(!life->run.by_hand && life->run.intent_ms == 0 && life->run.tries == tries);
}

/* GitHub answers the question, or does not. */
static void end_question(struct life *life)
{
    int byte = take_byte(&life->input);
    struct jr_event seen;
    struct jr_input input = {
        .now_ms = life->now_ms, .event = &seen, .newer = { .run_id = 1 },
        .moved = life->run.due_ms != life->claimed_due_ms, .attempt = life->run.attempt,
    };
    uint32_t tries = life->run.tries;
    struct jr_verdict verdict;

    life->doing = NOTHING;
    if ((byte & 3) != 0) {
        take_event(life, JR_EVENT_RUN, &seen);
        input.kind = JR_INPUT_SEEN;
        input.newer.state = (enum jr_newer_state)((byte >> 3) % 3);
        if (life->bounds.judges)
            take_guards(life, &input);
        decide(life, &input, NULL, &verdict);
        holds_verdict(life, &verdict);
        holds_guards(life, &input, tries, &verdict);
        if (verdict.step == JR_STEP_RERUN_FAILED || verdict.step == JR_STEP_RERUN_ALL) {
            HOLDS(verdict.attempt == life->run.attempt);
            begin_post(life, &seen);
        }
        HOLDS(verdict.step != JR_STEP_JUDGE || (life->bounds.judges && !life->run.by_hand));
        if (verdict.step == JR_STEP_JUDGE) {
            life->doing = JUDGING;
            life->claimed_due_ms = life->run.due_ms;
            life->begun_ms = life->now_ms;
            life->attempt = verdict.attempt;
        }
        return;
    }
    if (life->bounds.dry_run && life->claimed_due_ms != 0) {
        input.kind = JR_INPUT_UNSEEN;
    } else {
        input.kind = JR_INPUT_FAILED;
        input.outcome = byte & 4 ? JR_OUTCOME_NEVER : JR_OUTCOME_LATER;
        input.reason = byte & 4 ? JR_REASON_NOT_FOUND : JR_REASON_SERVER_ERROR;
    }
    decide(life, &input, NULL, &verdict);
    holds_verdict(life, &verdict);
    HOLDS(verdict.step == JR_STEP_NONE || verdict.step == JR_STEP_WAIT);
}

/* The policy says what it thinks of the attempt. */
static void end_judging(struct life *life)
{
    int byte = take_byte(&life->input);
    struct jr_input input = {
        .kind = JR_INPUT_JUDGED, .now_ms = life->now_ms, .attempt = life->attempt,
        .moved = life->run.due_ms != life->claimed_due_ms,
        .reason = byte & 1 ? JR_REASON_LEFT_BY_RULE : JR_REASON_RUN_FAILED,
        .judgement = {
            .leaves = (byte & 1) != 0, .debug = (byte & 2) != 0, .jobs = 1,
            .delay_ms = byte & 4 ? -1 : (byte >> 3) * (JR_MINUTE_MS / 8),
        },
    };
    struct jr_verdict verdict;

    life->doing = NOTHING;
    decide(life, &input, NULL, &verdict);
    HOLDS(verdict.step == JR_STEP_NONE || verdict.step == JR_STEP_WAIT);
    HOLDS((verdict.ended_attempt != 0) == (verdict.ended_reason != JR_REASON_NONE));
}

static void end_post(struct life *life)
{
    static const struct {
        enum jr_outcome outcome;
        enum jr_reason reason;
    } answers[] = {
        { JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED },
        { JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING },
        { JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED },
        { JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN },
    };
    int byte = take_byte(&life->input);
    struct jr_input input = {
        .kind = JR_INPUT_POSTED, .now_ms = life->now_ms,
        .moved = life->run.due_ms != life->claimed_due_ms, .attempt = life->attempt,
        .outcome = answers[byte & 3].outcome, .reason = answers[byte & 3].reason,
        .try_all = (byte & 7) == 6,
    };
    struct jr_verdict verdict;
    uint32_t accepted_before = life->run.accepted_attempt;

    decide(life, &input, NULL, &verdict);
    holds_verdict(life, &verdict);
    HOLDS(verdict.step == JR_STEP_NONE || verdict.step == JR_STEP_WAIT);
    life->doing = NOTHING;
    life->in_doubt_ms[life->attempt] = 0;
    if (input.outcome == JR_OUTCOME_DONE) {
        life->accepted[life->attempt] = true;
        HOLDS(life->run.accepted_attempt == life->attempt);
        HOLDS(verdict.ended_attempt == life->attempt);
    } else if (input.outcome == JR_OUTCOME_UNKNOWN) {
        life->in_doubt_ms[life->attempt] = life->begun_ms;
        HOLDS(life->run.accepted_attempt >= accepted_before);
    } else {
        /* Only what was taken for accepted while the answer was out may be taken back. */
        HOLDS(life->run.accepted_attempt >= accepted_before || accepted_before == life->attempt);
    }
}

/* What the dispatcher has to do next. */
static void dispatch(struct life *life)
{
    struct jr_run *run = &life->run;
    struct jr_input input = { .kind = JR_INPUT_QUIET };
    struct jr_verdict verdict;

    if (life->doing == POSTING) {
        end_post(life);
    } else if (life->doing == JUDGING) {
        end_judging(life);
    } else if (life->doing == ASKING) {
        end_question(life);
    } else if (run->due_ms != 0) {
        if (run->due_ms > life->now_ms)
            life->now_ms = run->due_ms;
        life->doing = ASKING;
        life->claimed_due_ms = run->due_ms;
    } else if (run->quiet_due_ms != 0) {
        if (run->quiet_due_ms > life->now_ms)
            life->now_ms = run->quiet_due_ms;
        life->claimed_due_ms = 0;
        input.now_ms = life->now_ms;
        decide(life, &input, NULL, &verdict);
        if (verdict.step == JR_STEP_ASK)
            life->doing = ASKING;
        HOLDS(run->quiet_due_ms == 0 || run->quiet_due_ms > life->now_ms);
    }
    if (life->doing == ASKING)
        life->begun_ms = life->now_ms;
}

/* A list of failed runs shows it. */
static void list(struct life *life)
{
    struct jr_event seen;
    struct jr_input input = { .kind = JR_INPUT_LISTED, .now_ms = life->now_ms, .event = &seen };
    struct jr_verdict verdict;

    take_event(life, JR_EVENT_RUN, &seen);
    if (life->doing != NOTHING)
        return; /* one process does one thing */
    decide(life, &input, NULL, &verdict);
    if (verdict.changed) {
        holds_verdict(life, &verdict);
        HOLDS(verdict.step == JR_STEP_NONE || verdict.step == JR_STEP_WAIT);
    }
}

static void ask_by_hand(struct life *life)
{
    struct jr_run before = life->run;
    struct jr_input input = { .kind = JR_INPUT_HAND, .now_ms = life->now_ms, .repo = "octo/app" };
    struct jr_verdict verdict;

    input.asked = life->now_ms % 2 == 1;
    input.all = life->now_ms % 4 == 3;
    decide(life, &input, NULL, &verdict);
    if (verdict.changed)
        HOLDS(life->run.phase == JR_PHASE_DUE && life->run.by_hand
              && (input.asked || !life->run.asked));
    else
        HOLDS(memcmp(&before, &life->run, sizeof before) == 0);
}

static void pass_time(struct life *life)
{
    static const int64_t steps_ms[] = {
        1,
        JR_SECOND_MS,
        10 * JR_SECOND_MS,
        JR_MINUTE_MS,
        10 * JR_MINUTE_MS,
        JR_HOUR_MS,
        JR_DAY_MS,
        20 * JR_DAY_MS,
    };

    life->now_ms += steps_ms[take_byte(&life->input) % (sizeof steps_ms / sizeof *steps_ms)];
    if (life->doing != NOTHING && life->now_ms > life->begun_ms + CALL_MS)
        life->now_ms = life->begun_ms + CALL_MS;
}

static void die(struct life *life)
{
    if (life->doing == POSTING)
        life->in_doubt_ms[life->attempt] = life->begun_ms;
    life->doing = NOTHING;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct life life = { .input = { bytes, size }, .now_ms = BASE_MS };

    take_policy(&life);
    while (life.input.size > 0) {
        struct jr_run before = life.run;

        switch (take_byte(&life.input) % 10) {
        case 0:
        case 1:
        case 2:
            hear(&life, JR_EVENT_JOB);
            break;
        case 3:
            hear(&life, JR_EVENT_RUN);
            break;
        case 4:
        case 5:
            dispatch(&life);
            break;
        case 6:
            list(&life);
            break;
        case 7:
            ask_by_hand(&life);
            break;
        case 8:
            pass_time(&life);
            break;
        case 9:
            die(&life);
            break;
        }
        holds_run(&life, &before);
    }
    if (life.run.known)
        holds_record(&life.run);
    return 0;
}
