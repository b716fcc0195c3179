/*
 * replay -- what a run's history tells, put through the rules once more.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/replay.h"
#include "lib/rules/decide.h"
#include "lib/rules/effect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jr_replay_begin(struct jr_replay *replay, uint64_t run_id)
{
    memset(replay, 0, sizeof *replay);
    replay->run.run_id = run_id;
}

void jr_replay_release(struct jr_replay *replay)
{
    free(replay->jobs);
    memset(replay, 0, sizeof *replay);
}

/* The history tells one thing, and the rules say another. */
static void differ(struct jr_replay *replay, const char *what, const char *told,
                   const char *decided)
{
    if (replay->differences++ == 0)
        snprintf(replay->first, sizeof replay->first, "input %u, attempt %u: %s: told %s, now %s",
                 replay->inputs, replay->run.attempt, what, told, decided);
}

/* Find a job, or make room for it. NULL: there is no memory. */
static struct jr_job *find_job(struct jr_replay *replay, uint64_t job_id)
{
    struct jr_job *jobs = replay->jobs;
    size_t size = replay->job_size;

    for (size_t i = 0; i < replay->job_count; i++)
        if (jobs[i].job_id == job_id)
            return &jobs[i];
    if (replay->job_count == size) {
        size = size == 0 ? 16 : 2 * size;
        jobs = realloc(jobs, size * sizeof *jobs);
        if (jobs == NULL)
            return NULL;
        replay->jobs = jobs;
        replay->job_size = size;
    }
    jobs += replay->job_count++;
    memset(jobs, 0, sizeof *jobs);
    jobs->run_id = replay->run.run_id;
    jobs->job_id = job_id;
    return jobs;
}

static const char nothing[] = "nothing";

/* What was decided, and never told. */
static void tell_rest(struct jr_replay *replay)
{
    for (; replay->next < replay->effects.count; replay->next++)
        differ(replay, "a decision", nothing,
               jr_reason_token(replay->effects.items[replay->next].reason));
}

/* The input that an entry tells of. Its event is the entry's. */
static struct jr_input input_of(const struct jr_history *entry)
{
    bool shown = entry->input == JR_INPUT_EVENT || entry->input == JR_INPUT_SEEN
                 || entry->input == JR_INPUT_LISTED || entry->input == JR_INPUT_NAMED;
    bool answered = entry->input == JR_INPUT_FAILED || entry->input == JR_INPUT_POSTED
                    || entry->input == JR_INPUT_JUDGED;

    return (struct jr_input){
        .kind = entry->input,
        .now_ms = entry->at_ms,
        .event = shown ? &entry->event : NULL,
        .anew = entry->found.anew,
        .newer = entry->found.newer,
        .guard = entry->found.guard,
        .guards = entry->found.guards,
        .hold = entry->found.hold,
        .moved = entry->found.moved,
        .attempt = answered ? entry->attempt : 0,
        .outcome = entry->call.outcome,
        .reason = answered ? entry->reason : JR_REASON_NONE,
        .try_all = entry->call.try_all,
        .judgement = entry->judgement,
        .repo = entry->input == JR_INPUT_HAND ? entry->repo : NULL,
        .asked = entry->found.asked,
        .all = entry->found.all,
    };
}

/* The run's entry in the outbox may have been put off since, and nothing tells of that. */
static void set_entry(struct jr_run *run, const struct jr_found *found)
{
    run->due_ms = found->due_ms;
    run->waiting_ms = found->due_ms;
    if (found->due_ms != 0)
        run->tries = found->tries;
}

/* What the entry of an input tells of its answer. Those of others tell it with the decision. */
static void compare_answer(struct jr_replay *replay, const struct jr_history *entry,
                           const struct jr_verdict *verdict)
{
    if (entry->kind == JR_HISTORY_DECISION || entry->kind == JR_HISTORY_OUTCOME)
        return;
    if (entry->attempt != verdict->attempt)
        differ(replay, "an attempt", jr_reason_token(entry->reason),
               jr_reason_token(verdict->reason));
    else if (entry->kind == JR_HISTORY_EVENT && entry->reply != verdict->reply)
        differ(replay, "an answer", jr_reason_token(entry->reason),
               jr_reason_token(verdict->reason));
    else if (entry->input != JR_INPUT_FAILED && entry->input != JR_INPUT_POSTED
             && entry->input != JR_INPUT_JUDGED && entry->reason != verdict->reason)
        differ(replay, "a reason", jr_reason_token(entry->reason),
               jr_reason_token(verdict->reason));
}

static enum jr_err take_input(struct jr_replay *replay, const struct jr_bounds *bounds,
                              const struct jr_history *told)
{
    struct jr_history entry = *told;
    struct jr_run before;
    struct jr_input input;
    struct jr_verdict verdict;
    struct jr_job *job = NULL;

    if (entry.input == JR_INPUT_EVENT && entry.event.kind == JR_EVENT_JOB) {
        job = find_job(replay, entry.event.job_id);
        if (job == NULL)
            return JR_ENOMEM;
    }
    replay->inputs++;
    set_entry(&replay->run, &entry.found);
    jr_history_recall(&entry, &replay->run, job);
    entry.event.run_id = replay->run.run_id;
    before = replay->run;
    input = input_of(&entry);
    jr_decide(bounds, &input, &replay->run, job, &verdict);
    jr_effects_of(&input, &before, &replay->run, &verdict, &replay->effects);
    replay->next = 0;
    if (!replay->effects.told)
        differ(replay, "an input", jr_reason_token(entry.reason), nothing);
    compare_answer(replay, &entry, &verdict);
    return JR_OK;
}

static bool is_same(const struct jr_effect *effect, const struct jr_history *entry)
{
    const struct jr_decided *one = &effect->decided, *two = &entry->decided;

    return effect->is_outcome == (entry->kind == JR_HISTORY_OUTCOME)
           && effect->attempt == entry->attempt && effect->reason == entry->reason
           && effect->next == entry->next && one->step == two->step && one->phase == two->phase
           && one->jobs_known == two->jobs_known && one->jobs_unfinished == two->jobs_unfinished
           && one->jobs_failed == two->jobs_failed && one->complete == two->complete
           && one->conclusion == two->conclusion && one->due_ms == two->due_ms
           && one->superseded_by == two->superseded_by;
}

static void compare_effect(struct jr_replay *replay, const struct jr_history *entry)
{
    const struct jr_effect *effect = &replay->effects.items[replay->next];

    if (replay->next == replay->effects.count) {
        differ(replay, "a decision", jr_reason_token(entry->reason), nothing);
        return;
    }
    replay->next++;
    if (is_same(effect, entry))
        replay->decisions++;
    else
        differ(replay, "a decision", jr_reason_token(entry->reason),
               jr_reason_token(effect->reason));
}

enum jr_err jr_replay_take(struct jr_replay *replay, const struct jr_bounds *bounds,
                           const struct jr_history *entry)
{
    bool is_effect = entry->kind == JR_HISTORY_DECISION || entry->kind == JR_HISTORY_OUTCOME;

    if (entry->input != 0) {
        tell_rest(replay);
        if (take_input(replay, bounds, entry) != JR_OK)
            return JR_ENOMEM;
    }
    /* That a pause is over was found, and not decided. */
    if (is_effect && entry->reason != JR_REASON_PAUSED)
        compare_effect(replay, entry);
    return JR_OK;
}

void jr_replay_end(struct jr_replay *replay)
{
    tell_rest(replay);
}
