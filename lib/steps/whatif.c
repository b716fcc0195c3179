/*
 * whatif -- what another policy, or other settings, would have done with a run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/whatif.h"
#include "lib/base/text.h"
#include "lib/rules/judge.h"
#include "lib/rules/rejudge.h"
#include "lib/rules/verdict.h"
#include "lib/steps/judging.h"
#include "lib/steps/replay.h"
#include "lib/store/failures.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"

#include <stdlib.h>
#include <string.h>

/* An attempt, as the history tells of it. */
struct attempt {
    struct jr_run run;     /* as it was at the attempt's end, or is now */
    int64_t decided_ms;    /* when it was decided, or left for the next one */
    struct jr_newer newer; /* what was known of newer runs then */
    bool by_hand, was;     /* somebody asked for its rerun; it was rerun by us */
};

/* Room that grows; items are `size' bytes each. */
struct heap {
    void *items;
    size_t size, count, room;
};

struct looking {
    const struct jr_whatif *whatif;
    struct jr_txn *txn;
    struct jr_run stored;
    struct heap attempts; /* struct attempt, by number */
    struct heap jobs;     /* struct jr_job, of all attempts */
    struct heap failures; /* struct jr_failure, of all attempts */
    struct jr_whatif_run *out;
};

/* What is judged of one attempt. */
struct judged {
    struct jr_policy_part part;
    struct heap jobs;     /* struct jr_policy_job */
    struct heap evidence; /* struct jr_evidence, in the same order; they own nothing */
};

/* Add an item that is all zero. NULL: there is no memory, which fails the transaction. */
static void *add(struct jr_txn *txn, struct heap *heap)
{
    char *items = heap->items;

    if (heap->count == heap->room) {
        size_t room = heap->room == 0 ? 8 : 2 * heap->room;

        items = realloc(items, room * heap->size);
        if (items == NULL) {
            jr_txn_fail(txn, JR_ENOMEM, "out of memory");
            return NULL;
        }
        heap->items = items;
        heap->room = room;
    }
    items += heap->count++ * heap->size;
    memset(items, 0, heap->size);
    return items;
}

static struct attempt *find_attempt(const struct looking *looking, uint32_t number)
{
    struct attempt *attempts = looking->attempts.items;

    for (size_t i = looking->attempts.count; i > 0; i--)
        if (attempts[i - 1].run.attempt == number)
            return &attempts[i - 1];
    return NULL;
}

/* The attempt that a run is at now. */
static struct attempt *note_attempt(struct looking *looking, const struct jr_run *run)
{
    struct attempt *attempt = find_attempt(looking, run->attempt);

    if (attempt == NULL)
        attempt = add(looking->txn, &looking->attempts);
    if (attempt != NULL)
        attempt->run = *run;
    return attempt;
}

/* GitHub has told the number of what was taken for another attempt. */
static void renumber(struct looking *looking, const struct jr_run *before,
                     const struct jr_run *run)
{
    struct attempt *attempt = find_attempt(looking, before->attempt);

    if (attempt != NULL && before->base_attempt != run->base_attempt)
        attempt->run.attempt = run->attempt;
}

/* What an entry tells of an attempt, besides what the rules make of it. */
static void note_entry(struct looking *looking, const struct jr_history *entry, uint32_t before)
{
    struct attempt *asked = find_attempt(looking, before);
    struct attempt *named = find_attempt(looking, entry->attempt);

    if (asked != NULL && (entry->input == JR_INPUT_SEEN || entry->input == JR_INPUT_UNSEEN))
        asked->newer = entry->found.newer;
    if (named != NULL && entry->input == JR_INPUT_HAND)
        named->by_hand = true;
    if (named != NULL && entry->kind == JR_HISTORY_OUTCOME)
        named->was = jr_reason_is_our_rerun(entry->reason);
}

static void take_entry(struct looking *looking, struct jr_replay *replay,
                       const struct jr_history *entry)
{
    struct jr_run before = { .attempt = replay->run.attempt,
                             .base_attempt = replay->run.base_attempt };
    struct attempt *attempt;
    bool closed;

    if (jr_replay_take(replay, looking->whatif->told, entry) != JR_OK) {
        jr_txn_fail(looking->txn, JR_ENOMEM, "out of memory");
        return;
    }
    renumber(looking, &before, &replay->run);
    attempt = find_attempt(looking, replay->run.attempt);
    closed = attempt != NULL && attempt->run.phase == JR_PHASE_CLOSED;
    attempt = note_attempt(looking, &replay->run);
    if (attempt != NULL && !closed)
        attempt->decided_ms = entry->at_ms;
    note_entry(looking, entry, before.attempt);
}

static void read_history(struct looking *looking)
{
    uint64_t run_id = looking->stored.run_id;
    struct jr_history entry;
    struct jr_replay replay;
    uint32_t number = 0;

    jr_replay_begin(&replay, run_id);
    while (jr_history_next(looking->txn, run_id, &number, &entry))
        take_entry(looking, &replay, &entry);
    jr_replay_release(&replay);
    /* Of the newest attempt the record tells all, also what the history had no room for. */
    (void)note_attempt(looking, &looking->stored);
}

static void read_jobs(struct looking *looking)
{
    struct jr_job job = { .job_id = 0 }, *kept;

    while (jr_ledger_next_job(looking->txn, looking->stored.run_id, job.job_id, &job)) {
        kept = add(looking->txn, &looking->jobs);
        if (kept == NULL)
            return;
        *kept = job;
    }
}

static void read_failures(struct looking *looking)
{
    struct jr_failure failure = { .job_id = 0 }, *kept;

    while (jr_failures_next(looking->txn, looking->stored.run_id, failure.job_id, &failure)) {
        kept = add(looking->txn, &looking->failures);
        if (kept == NULL)
            return;
        *kept = failure;
    }
}

static bool is_newest(const struct looking *looking, const struct attempt *attempt)
{
    return attempt->run.attempt == looking->stored.attempt;
}

/* How an attempt ended; NONE: it has not, or nobody told. */
static enum jr_conclusion conclusion_of(const struct looking *looking,
                                        const struct attempt *attempt)
{
    const struct jr_run *run = &attempt->run;
    enum jr_conclusion conclusion = jr_run_conclusion(run);

    if (is_newest(looking, attempt) && !run->complete && run->phase != JR_PHASE_CLOSED)
        return JR_CONCLUSION_NONE;
    if (conclusion == JR_CONCLUSION_NONE && run->jobs_failed > 0)
        return JR_CONCLUSION_FAILURE;
    return conclusion;
}

static int64_t ended_ms(const struct attempt *attempt)
{
    return attempt->run.updated_ms != 0 ? attempt->run.updated_ms : attempt->run.last_event_ms;
}

static bool is_of(const struct looking *looking, const struct jr_job *job, uint32_t attempt)
{
    return !job->carried_over && jr_run_attempt_of(&looking->stored, job) == attempt;
}

/* The minutes of the jobs of an attempt, all of them or those that failed. */
static int64_t minutes_of_jobs(const struct looking *looking, uint32_t attempt, bool all)
{
    const struct jr_job *jobs = looking->jobs.items;
    int64_t minutes = 0;

    for (size_t i = 0; i < looking->jobs.count; i++)
        if (is_of(looking, &jobs[i], attempt)
            && (all || jr_conclusion_is_bad(jobs[i].conclusion)))
            minutes += jr_job_minutes(&jobs[i]);
    return minutes;
}

/* Add a job that is judged, with room for what is known of it. NULL: there is no memory. */
static struct jr_policy_job *add_job(struct looking *looking, struct judged *judged,
                                     const char *name, enum jr_conclusion conclusion)
{
    struct jr_policy_job *job = add(looking->txn, &judged->jobs);
    struct jr_evidence *evidence = add(looking->txn, &judged->evidence);

    if (job == NULL || evidence == NULL)
        return NULL;
    jr_text_copy(evidence->name, sizeof evidence->name, name);
    evidence->status = JR_STATUS_COMPLETED;
    evidence->conclusion = conclusion;
    job->finding.cause = JR_CAUSE_UNKNOWN;
    return job;
}

static struct jr_evidence *last_evidence(struct judged *judged)
{
    return (struct jr_evidence *)judged->evidence.items + judged->evidence.count - 1;
}

static void set_place(struct judged *judged, const char *runner, const char *labels)
{
    struct jr_evidence *evidence = last_evidence(judged);

    jr_text_copy(evidence->runner, sizeof evidence->runner, runner);
    jr_text_copy(evidence->labels, sizeof evidence->labels, labels);
}

/* The worth of reruns of a job; what is recorded from before the first look at it is taken over. */
static struct jr_worth *find_worth(struct looking *looking, const struct attempt *attempt,
                                   const struct jr_failure *failure, enum jr_cause cause)
{
    const struct jr_failures_span span = { ended_ms(attempt), ended_ms(attempt), JR_WORTH_MOST };
    const struct jr_run *run = &looking->stored;
    unsigned char job[JR_FAILURE_JOB_SIZE];
    struct jr_worth *worth = NULL;
    uint32_t tried, rescued;
    size_t known = looking->whatif->worths->count;

    if (jr_failure_index_job(run->repo, run->workflow, failure->name, job))
        worth = jr_worths_find(looking->whatif->worths, job, cause);
    if (worth == NULL) {
        jr_txn_fail(looking->txn, JR_ENOMEM, "out of memory");
        return NULL;
    }
    if (looking->whatif->worths->count == known)
        return worth;
    jr_failures_worth(looking->txn, run, failure->name, cause, span, &tried, &rescued);
    for (uint32_t i = 0; i < tried; i++)
        jr_worth_add(worth, i >= tried - rescued);
    return worth;
}

/* What the last reruns were worth by then; then what came of this one. */
static void learn_worth(struct looking *looking, const struct attempt *attempt,
                        const struct jr_failure *failure, uint32_t of,
                        struct jr_policy_job *job)
{
    struct jr_worth *worth = find_worth(looking, attempt, failure, job->finding.cause);
    bool rescued;

    if (worth == NULL)
        return;
    jr_worth_tell(worth, of, &job->tried, &job->rescued);
    if (jr_failures_tells_worth(looking->txn, &looking->stored, failure, ended_ms(attempt),
                                &rescued))
        jr_worth_add(worth, rescued);
}

/* What is recorded of a failed job, by the signatures and the reruns that there were by then. */
static void judge_failure(struct looking *looking, struct judged *judged,
                          const struct attempt *attempt, const struct jr_failure *failure)
{
    const struct jr_whatif *whatif = looking->whatif;
    struct jr_policy_job *job = add_job(looking, judged, failure->name, failure->conclusion);
    uint32_t of = jr_policy_looks_back(&judged->part);

    if (job == NULL)
        return;
    set_place(judged, failure->runner, failure->labels);
    job->finding = failure->finding;
    if (job->finding.cause == JR_CAUSE_NONE)
        job->finding.cause = JR_CAUSE_UNKNOWN;
    jr_rejudge(&whatif->policy->signatures, whatif->builtin, failure->name, &job->finding);
    job->same_as_before = jr_failures_same_as_before(looking->txn, &looking->stored, failure, NULL);
    if (of > 0)
        learn_worth(looking, attempt, failure, of, job);
}

static bool is_recorded(const struct looking *looking, uint64_t job_id)
{
    const struct jr_failure *failures = looking->failures.items;

    for (size_t i = 0; i < looking->failures.count; i++)
        if (failures[i].job_id == job_id)
            return true;
    return false;
}

/*
 * Jobs of which nothing more was found out, as of those that did not matter any more. A
 * cancelled one is taken only where none has failed: it went along with those.
 */
static void judge_jobs(struct looking *looking, struct judged *judged,
                       const struct attempt *attempt, bool cancelled)
{
    const struct jr_job *jobs = looking->jobs.items;

    for (size_t i = 0; i < looking->jobs.count; i++) {
        struct jr_policy_job *job;

        if (!is_of(looking, &jobs[i], attempt->run.attempt)
            || !jr_conclusion_is_bad(jobs[i].conclusion)
            || (jobs[i].conclusion == JR_CONCLUSION_CANCELLED) != cancelled
            || is_recorded(looking, jobs[i].job_id))
            continue;
        job = add_job(looking, judged, jobs[i].name, jobs[i].conclusion);
        if (job == NULL)
            return;
        set_place(judged, jobs[i].runner, jobs[i].labels);
        job->finding.unreadable = true;
    }
}

/* Whatever is known of the failed jobs of an attempt: if nothing is, still that it failed. */
static void judge_all(struct looking *looking, struct judged *judged,
                      const struct attempt *attempt, enum jr_conclusion conclusion)
{
    const struct jr_failure *failures = looking->failures.items;
    struct jr_policy_job *jobs;

    for (size_t i = 0; i < looking->failures.count; i++)
        if (failures[i].attempt == attempt->run.attempt)
            judge_failure(looking, judged, attempt, &failures[i]);
    judge_jobs(looking, judged, attempt, false);
    if (judged->jobs.count == 0)
        judge_jobs(looking, judged, attempt, true);
    if (judged->jobs.count == 0 && add_job(looking, judged, "", conclusion) == NULL)
        return;
    jobs = judged->jobs.items;
    for (size_t i = 0; i < judged->jobs.count && i < judged->evidence.count; i++) {
        jobs[i].evidence = (struct jr_evidence *)judged->evidence.items + i;
        if (jr_judge_is_echo(jobs[i].evidence->name))
            jobs[i].finding.cause = JR_CAUSE_ECHO;
    }
}

/* The rule of the first job that goes the way of the run. */
static const struct jr_rule *rule_of(const struct judged *judged, bool reruns)
{
    const struct jr_policy_job *jobs = judged->jobs.items, *first = NULL;

    for (size_t i = 0; i < judged->jobs.count; i++) {
        if (!jobs[i].counts)
            continue;
        if (jobs[i].reruns == reruns)
            return jobs[i].rule;
        if (first == NULL)
            first = &jobs[i];
    }
    return first == NULL ? NULL : first->rule;
}

/* What the policy says, with what is known of the failed jobs. */
static void ask_policy(struct looking *looking, const struct attempt *attempt,
                       enum jr_conclusion conclusion, struct jr_whatif_case *found)
{
    const struct jr_bounds *bounds = looking->whatif->bounds;
    const struct jr_run *run = &attempt->run;
    struct judged judged = { .jobs = { .size = sizeof(struct jr_policy_job) },
                             .evidence = { .size = sizeof(struct jr_evidence) } };
    struct jr_policy_answer answer;
    const struct jr_policy_run asked = {
        .repo = run->repo, .workflow = run->workflow, .workflow_path = run->workflow_path,
        .branch = run->branch, .event = run->trigger,
        .fork = *run->head_repo != '\0',
        .attempt = run->attempt, .run_attempts = (uint32_t)bounds->run_attempts,
        .reruns = run->reruns, .conclusion = conclusion,
        .conclusion_retried = jr_bounds_retries(bounds, conclusion),
    };

    jr_policy_for(looking->whatif->policy, run->repo, &judged.part);
    judge_all(looking, &judged, attempt, conclusion);
    if (looking->txn->error.code == JR_OK) {
        jr_policy_decide(&judged.part, &asked, judged.jobs.items, judged.jobs.count, &answer);
        found->would = answer.verdict;
        found->reason = jr_judging_reason(answer.reason);
        found->by_setting = answer.reason == JR_POLICY_CONCLUSION;
        found->rule = found->by_setting ? NULL
                                        : rule_of(&judged, answer.verdict == JR_POLICY_RERUN);
    }
    free(judged.jobs.items);
    free(judged.evidence.items);
}

/* Would a setting leave it, or GitHub not rerun it, whatever a policy says? */
static enum jr_reason ask_settings(const struct looking *looking, const struct attempt *attempt,
                                   enum jr_conclusion conclusion)
{
    struct jr_bounds bounds = *looking->whatif->bounds;
    struct jr_run run = attempt->run;
    struct jr_event seen = { .kind = JR_EVENT_RUN, .conclusion = conclusion,
                             .created_ms = run.created_ms, .updated_ms = run.updated_ms };
    const struct jr_input input = {
        .kind = JR_INPUT_SEEN, .now_ms = attempt->decided_ms, .event = &seen,
        .attempt = run.attempt, .newer = attempt->newer,
    };

    bounds.dry_run = bounds.judges = bounds.judges_cancelled = bounds.judges_workflows = false;
    if (looking->whatif->policy->wants_evidence) /* it looks at the conclusion itself */
        bounds.retry_conclusions |= 1u << conclusion;
    run.by_hand = run.asked = false;
    run.conclusion = conclusion;
    return jr_verdict_refusal(&bounds, &run, &input);
}

static void decide(struct looking *looking, const struct attempt *attempt,
                   enum jr_conclusion conclusion, struct jr_whatif_case *found)
{
    enum jr_reason reason = ask_settings(looking, attempt, conclusion);

    found->would = reason == JR_REASON_NONE ? JR_POLICY_RERUN : JR_POLICY_LEAVE;
    found->reason = reason == JR_REASON_NONE ? JR_REASON_RUN_FAILED : reason;
    found->by_setting = reason != JR_REASON_NONE;
    if (reason == JR_REASON_NONE && looking->whatif->policy->wants_evidence)
        ask_policy(looking, attempt, conclusion, found);
}

/* What came of it in fact. */
static void look_at_rerun(const struct looking *looking, const struct attempt *attempt,
                          struct jr_whatif_case *found)
{
    uint32_t number = attempt->run.attempt;
    const struct attempt *next = find_attempt(looking, number + 1);

    found->was = attempt->was;
    if (attempt->was && next != NULL)
        found->came_to = is_newest(looking, next)
                             ? jr_run_result(&next->run)
                             : jr_conclusion_result(conclusion_of(looking, next));
    found->spent = attempt->was ? minutes_of_jobs(looking, number + 1, true) : 0;
    found->minutes = found->spent != 0 ? found->spent : minutes_of_jobs(looking, number, false);
}

/* Is the attempt there only because of a rerun that would not have been made? */
static const struct jr_whatif_case *unmade_before(const struct looking *looking, uint32_t attempt)
{
    const struct jr_whatif_run *out = looking->out;
    const struct jr_whatif_case *last = out->count == 0 ? NULL : &out->cases[out->count - 1];

    return last != NULL && last->attempt + 1 == attempt && last->was
                   && last->would != JR_POLICY_RERUN
               ? last
               : NULL;
}

static void look_at_attempt(struct looking *looking, const struct attempt *attempt)
{
    enum jr_conclusion conclusion = conclusion_of(looking, attempt);
    const struct jr_whatif_case *unmade = unmade_before(looking, attempt->run.attempt);
    struct jr_whatif_case found = { .attempt = attempt->run.attempt };

    if (!jr_conclusion_is_bad(conclusion) || (attempt->by_hand && attempt->was)
        || (is_newest(looking, attempt) && attempt->run.phase != JR_PHASE_CLOSED)
        || looking->out->count == JR_WHATIF_CASES_MAX)
        return;
    found.ended_ms = ended_ms(attempt);
    if (unmade == NULL) {
        decide(looking, attempt, conclusion, &found);
    } else {
        found.would = unmade->would;
        found.reason = unmade->reason;
        found.by_setting = unmade->by_setting;
        found.rule = unmade->rule;
    }
    look_at_rerun(looking, attempt, &found);
    looking->out->cases[looking->out->count++] = found;
}

/* A body. */
static void look(struct jr_txn *txn, void *context)
{
    struct looking *looking = context;
    const struct attempt *attempts;

    looking->txn = txn;
    jr_ledger_load_run(txn, looking->out->run_id, &looking->stored);
    if (!looking->stored.known)
        jr_txn_fail(txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)looking->out->run_id);
    if (txn->error.code != JR_OK)
        return;
    jr_text_copy(looking->out->repo, sizeof looking->out->repo, looking->stored.repo);
    read_history(looking);
    read_jobs(looking);
    read_failures(looking);
    attempts = looking->attempts.items;
    for (size_t i = 0; i < looking->attempts.count && txn->error.code == JR_OK; i++)
        look_at_attempt(looking, &attempts[i]);
}

enum jr_err jr_whatif_run(struct jr_store *store, const struct jr_whatif *whatif, uint64_t run_id,
                          struct jr_whatif_run *run, struct jr_error *error)
{
    struct looking looking = {
        .whatif = whatif, .out = run,
        .attempts = { .size = sizeof(struct attempt) },
        .jobs = { .size = sizeof(struct jr_job) },
        .failures = { .size = sizeof(struct jr_failure) },
    };
    enum jr_err err;

    run->run_id = run_id;
    run->count = 0;
    run->repo[0] = '\0';
    err = jr_store_read(store, look, &looking, error);
    free(looking.attempts.items);
    free(looking.jobs.items);
    free(looking.failures.items);
    return err;
}
