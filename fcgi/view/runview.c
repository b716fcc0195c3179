/*
 * runview -- what is said of a run, its jobs, its history, and of what holds it up.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/runview.h"
#include "fcgi/view/reply.h"
#include "lib/base/text.h"
#include "lib/github/github.h"
#include "lib/model/standing.h"
#include "lib/store/narrate.h"

#include <string.h>

/* null for NULL */
static void emit_pause(struct jr_emit *emit, const char *key, const struct jr_pause *pause)
{
    if (pause == NULL) {
        jr_emit_null(emit, key);
        return;
    }
    jr_emit_open(emit, key);
    jr_emit_text(emit, "repositories", pause->pattern);
    jr_emit_time(emit, "since", pause->since_ms);
    jr_emit_time(emit, "until", pause->until_ms);
    jr_emit_text(emit, "by", pause->who);
    jr_emit_text(emit, "text", pause->why);
    jr_emit_close(emit);
}

void jr_runview_emit_pauses(struct jr_emit *emit, const char *key, const struct jr_pauses *pauses)
{
    jr_emit_open_array(emit, key);
    for (size_t i = 0; i < pauses->count; i++)
        emit_pause(emit, NULL, &pauses->items[i]);
    jr_emit_close_array(emit);
}

static void emit_outage(struct jr_emit *emit, const struct jr_causehold *hold,
                        const uint64_t *waiting)
{
    bool held = hold->phase == JR_CAUSEHOLD_HELD;

    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "cause", jr_cause_name(hold->cause));
    jr_emit_bool(emit, "held", held);
    jr_emit_time(emit, "since", hold->since_ms);
    jr_emit_number(emit, "runs", hold->runs);
    jr_emit_number(emit, "workflows", hold->workflows);
    if (waiting != NULL)
        jr_emit_number(emit, "waiting", (int64_t)waiting[hold->cause]);
    jr_emit_number(emit, "probes", hold->probes);
    jr_emit_known(emit, "probe_run_id", held && hold->probe_run_id != 0,
                  (int64_t)hold->probe_run_id);
    jr_emit_time(emit, "next_probe_at",
                 held && hold->probe_run_id == 0 ? hold->next_probe_ms : 0);
    jr_emit_time(emit, "over_at", held ? 0 : hold->over_ms);
    jr_emit_close(emit);
}

void jr_runview_emit_outages(struct jr_emit *emit, const char *key,
                             const struct jr_causeholds *holds, const uint64_t *waiting)
{
    jr_emit_open_array(emit, key);
    for (size_t i = 0; i < holds->count; i++)
        if (holds->items[i].phase != JR_CAUSEHOLD_FREE)
            emit_outage(emit, &holds->items[i], waiting);
    jr_emit_close_array(emit);
}

/* null for NONE: the run or the job has not ended. */
static void emit_conclusion(struct jr_emit *emit, enum jr_conclusion conclusion)
{
    jr_emit_text(emit, "conclusion",
                 conclusion == JR_CONCLUSION_NONE ? NULL : jr_conclusion_name(conclusion));
}

void jr_runview_emit(struct jr_emit *emit, const char *key, const struct jr_settings *settings,
                     const struct jr_pauses *pauses, const struct jr_run *run)
{
    bool paused = jr_pauses_hold(pauses, run) != NULL;
    struct jr_standing standing;
    char url[JR_URL_SIZE];

    jr_standing_of(run, &standing);
    jr_emit_open(emit, key);
    jr_emit_number(emit, "run_id", (int64_t)run->run_id);
    (void)jr_github_run_url(settings->github_api_url, run->repo, run->run_id, url);
    jr_emit_text(emit, "url", url);
    jr_emit_text(emit, "repository", run->repo);
    jr_emit_text(emit, "workflow", jr_run_workflow(run));
    jr_emit_text(emit, "branch", run->branch);
    jr_emit_text(emit, "trigger", run->trigger);
    jr_emit_text(emit, "actor", run->actor);
    jr_emit_text(emit, "triggering_actor", run->triggering_actor);
    jr_emit_number(emit, "attempt", run->attempt);
    jr_emit_text(emit, "state", jr_phase_name(run->phase));
    jr_emit_text(emit, "verdict", standing.word);
    jr_emit_text(emit, "reason", jr_reason_token(jr_standing_reason(run, paused)));
    jr_emit_text(emit, "reason_text", standing.why);
    jr_emit_text(emit, "remedy", standing.remedy);
    jr_emit_known(emit, "superseded_by", run->superseded_by != 0,
                  (int64_t)run->superseded_by);
    emit_conclusion(emit, jr_run_conclusion(run));
    jr_emit_bool(emit, "completed", run->complete);
    jr_emit_number(emit, "jobs_known", run->jobs_known);
    jr_emit_number(emit, "jobs_unfinished", run->jobs_unfinished);
    jr_emit_number(emit, "jobs_failed", run->jobs_failed);
    jr_emit_time(emit, "due_at", run->due_ms);
    jr_emit_time(emit, "waiting_since", run->waiting_ms);
    jr_emit_number(emit, "tries", run->tries);
    jr_emit_bool(emit, "by_hand", run->by_hand);
    emit_pause(emit, "pause", jr_pauses_hold(pauses, run));
    jr_emit_number(emit, "reruns", run->reruns);
    jr_emit_time(emit, "created_at", run->created_ms);
    jr_emit_time(emit, "first_event_at", run->first_event_ms);
    jr_emit_time(emit, "last_event_at", run->last_event_ms);
    jr_emit_close(emit);
}

void jr_runview_emit_job(struct jr_emit *emit, const struct jr_run *run, const struct jr_job *job)
{
    jr_emit_open(emit, NULL);
    jr_emit_number(emit, "job_id", (int64_t)job->job_id);
    jr_emit_number(emit, "attempt", jr_run_attempt_of(run, job));
    jr_emit_text(emit, "name", job->name);
    jr_emit_text(emit, "status", jr_status_name(job->status));
    emit_conclusion(emit, job->conclusion);
    jr_emit_bool(emit, "carried_over", job->carried_over);
    jr_emit_text(emit, "runner", job->runner);
    jr_emit_text(emit, "labels", job->labels);
    jr_emit_text(emit, "environment", job->environment);
    jr_emit_time(emit, "created_at", job->created_ms);
    jr_emit_time(emit, "started_at", job->started_ms);
    jr_emit_time(emit, "completed_at", job->completed_ms);
    jr_emit_close(emit);
}

/* The first errors of the log, if the cause is not known; else an empty array. */
static void emit_errors(struct jr_emit *emit, const struct jr_finding *finding)
{
    char lines[JR_FIRST_ERROR_SIZE], *rest = lines, *line;

    jr_text_copy(lines, sizeof lines, finding->first_error);
    jr_emit_open_array(emit, "first_errors");
    while (finding->cause == JR_CAUSE_UNKNOWN && (line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0')
            jr_emit_text(emit, NULL, line);
    jr_emit_close_array(emit);
}

void jr_runview_emit_failure(struct jr_emit *emit, const struct jr_failure *failure)
{
    static const char *const found[] = {
        [JR_UNREADABLE] = "unreadable", [JR_ABSENT] = "absent", [JR_FOUND] = "found",
    };
    const struct jr_finding *finding = &failure->finding;

    jr_emit_number(emit, "job_id", (int64_t)failure->job_id);
    jr_emit_text(emit, "name", failure->name);
    jr_emit_text(emit, "cause", jr_cause_name(finding->cause));
    jr_emit_text(emit, "signature", finding->signature);
    jr_emit_text(emit, "evidence", finding->line);
    jr_emit_text(emit, "step", finding->step);
    emit_errors(emit, finding);
    jr_emit_text(emit, "rule", failure->rule);
    jr_emit_text(emit, "then", !failure->counts ? NULL : failure->reruns ? "rerun" : "leave");
    jr_emit_bool(emit, "not_worth_it", failure->not_worth_it);
    jr_emit_bool(emit, "same_failure", failure->same_failure);
    jr_emit_text(emit, "steps", found[failure->steps_found]);
    jr_emit_text(emit, "annotations", found[failure->annotations_found]);
    jr_emit_text(emit, "log", found[failure->log_found]);
    jr_emit_bool(emit, "unreadable", finding->unreadable);
}

/* The kinds of entries: `token' stands in JSON, `word' is for people. */
static const struct {
    const char *token, *word;
} kinds[] = {
    [0] = { "other", "other" },
    [JR_HISTORY_EVENT] = { "webhook", "webhook" },
    [JR_HISTORY_DECISION] = { "decision", "decision" },
    [JR_HISTORY_CALL] = { "call", "GitHub" },
    [JR_HISTORY_OUTCOME] = { "outcome", "outcome" },
    [JR_HISTORY_REQUEST] = { "request", "by hand" },
    [JR_HISTORY_JUDGEMENT] = { "judgement", "policy" },
};

static size_t kind_of(const struct jr_history *entry)
{
    return (size_t)entry->kind < sizeof kinds / sizeof *kinds ? (size_t)entry->kind : 0;
}

const char *jr_runview_kind(const struct jr_history *entry)
{
    return kinds[kind_of(entry)].word;
}

int jr_runview_status(const struct jr_history *entry)
{
    return entry->kind == JR_HISTORY_EVENT ? jr_reply_status(entry->reply) : entry->call.status;
}

/* What the guards were told; null: none was asked. */
static void emit_guards(struct jr_emit *emit, const struct jr_guards_told *guards)
{
    if (!guards->asked) {
        jr_emit_null(emit, "guards");
        return;
    }
    jr_emit_open(emit, "guards");
    for (int i = 0; i < JR_GUARD_KINDS; i++)
        jr_emit_text(emit, jr_guard_kind_name((enum jr_guard_kind)i),
                     jr_guard_told_name(guards->by[i]));
    jr_emit_close(emit);
}

void jr_runview_emit_entry(struct jr_emit *emit, const struct jr_history *entry)
{
    char text[JR_NARRATE_SIZE];
    int status = jr_runview_status(entry);

    jr_emit_time(emit, "at", entry->at_ms);
    jr_emit_text(emit, "kind", kinds[kind_of(entry)].token);
    jr_emit_number(emit, "attempt", entry->attempt);
    jr_emit_text(emit, "reason",
                 entry->reason == JR_REASON_NONE ? NULL : jr_reason_token(entry->reason));
    jr_emit_text(emit, "reason_text",
                 entry->reason == JR_REASON_NONE ? NULL : jr_narrate_reason(entry));
    jr_emit_known(emit, "status", status != 0, status);
    jr_emit_known(emit, "job_id", entry->event.job_id != 0, (int64_t)entry->event.job_id);
    jr_emit_text(emit, "delivery", entry->delivery);
    jr_emit_text(emit, "detail", jr_narrate(entry, text));
    emit_guards(emit, &entry->found.guards);
}
