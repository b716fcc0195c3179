/*
 * narrate -- the sentences that tell an entry of the history.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/narrate.h"
#include "lib/base/timestamp.h"

#include <stdio.h>
#include <string.h>

const char *jr_narrate_reason(const struct jr_history *entry)
{
    return entry->reason == JR_REASON_PAUSED ? "it waited for the end of a pause"
                                             : jr_reason_words(entry->reason);
}

static void narrate_event(const struct jr_event *event, char text[JR_NARRATE_SIZE])
{
    bool is_job = event->kind == JR_EVENT_JOB, completed = event->status == JR_STATUS_COMPLETED;

    snprintf(text, JR_NARRATE_SIZE, "%s %s%s%s%s%s%s%s%s", is_job ? "workflow_job" : "workflow_run",
             event->action, completed ? " " : "",
             completed ? jr_conclusion_name(event->conclusion) : "", is_job ? " '" : "",
             event->job_name, is_job ? "'" : "", *event->sender == '\0' ? "" : " by ",
             event->sender);
}

/* What each guard was told that was asked. */
static void narrate_guards(const struct jr_guards_told *guards, char text[JR_NARRATE_SIZE])
{
    const char *before = "; guards: ";

    for (int i = 0; i < JR_GUARD_KINDS; i++) {
        size_t length = strlen(text);

        if (guards->by[i] == JR_GUARD_NOT_ASKED)
            continue;
        snprintf(text + length, JR_NARRATE_SIZE - length, "%s%s %s", before,
                 jr_guard_kind_name((enum jr_guard_kind)i), jr_guard_told_name(guards->by[i]));
        before = ", ";
    }
}

static void narrate_call(const struct jr_history *entry, char text[JR_NARRATE_SIZE])
{
    const struct jr_told_call *call = &entry->call;

    snprintf(text, JR_NARRATE_SIZE, "%s, %u ms%s%s", call->what, call->duration_ms,
             *call->text == '\0' ? "" : ": ", call->text);
    narrate_guards(&entry->found.guards, text);
}

static void narrate_pause(const struct jr_history *entry, char text[JR_NARRATE_SIZE])
{
    char words[JR_PAUSE_WORDS_SIZE];

    snprintf(text, JR_NARRATE_SIZE, "ended by %s: the pause of %s",
             *entry->who == '\0' ? "its time" : entry->who,
             jr_pause_words(&entry->pause, words));
}

/* What is done now, or where the attempt stands. */
static const char *words_of(const struct jr_decided *decided)
{
    switch (decided->step) {
    case JR_STEP_RERUN_FAILED:
        return "its failed jobs are rerun";
    case JR_STEP_RERUN_ALL:
        return "all its jobs are rerun";
    case JR_STEP_JUDGE:
        return "why it failed is looked for";
    default:
        return jr_phase_name(decided->phase);
    }
}

static void narrate_decision(const struct jr_decided *decided, char text[JR_NARRATE_SIZE])
{
    bool reruns = decided->step == JR_STEP_RERUN_FAILED || decided->step == JR_STEP_RERUN_ALL;
    char due[JR_TIMESTAMP_SIZE];
    int length = snprintf(text, JR_NARRATE_SIZE,
                          "%s; jobs known %u, unfinished %u, failed %u%s%s%s%s",
                          words_of(decided), decided->jobs_known, decided->jobs_unfinished,
                          decided->jobs_failed, decided->complete ? "; run completed " : "",
                          decided->complete ? jr_conclusion_name(decided->conclusion) : "",
                          decided->due_ms == 0 ? ""
                          : reruns             ? "; without an answer GitHub is asked at "
                                               : "; GitHub is asked at ",
                          decided->due_ms != 0 ? jr_timestamp_format(decided->due_ms, due) : "");

    if (decided->superseded_by != 0)
        snprintf(text + length, JR_NARRATE_SIZE - (size_t)length, "; by run %llu",
                 (unsigned long long)decided->superseded_by);
}

static void narrate_judgement(const struct jr_judgement *judgement, char text[JR_NARRATE_SIZE])
{
    int length = snprintf(text, JR_NARRATE_SIZE, "%s, by %u failed job%s",
                          judgement->leaves ? "it is left" : "it is worth a rerun",
                          judgement->jobs, judgement->jobs == 1 ? "" : "s");

    if (!judgement->leaves && judgement->delay_ms >= 0)
        length += snprintf(text + length, JR_NARRATE_SIZE - (size_t)length,
                           ", %lld s after it ended", (long long)judgement->delay_ms / 1000);
    if (!judgement->leaves && judgement->debug)
        snprintf(text + length, JR_NARRATE_SIZE - (size_t)length, ", with the debug log");
}

char *jr_narrate(const struct jr_history *entry, char text[JR_NARRATE_SIZE])
{
    bool paused = entry->reason == JR_REASON_PAUSED;

    text[0] = '\0';
    if (entry->kind == JR_HISTORY_EVENT)
        narrate_event(&entry->event, text);
    else if (entry->kind == JR_HISTORY_CALL)
        narrate_call(entry, text);
    else if (entry->kind == JR_HISTORY_JUDGEMENT)
        narrate_judgement(&entry->judgement, text);
    else if (paused)
        narrate_pause(entry, text);
    else if (entry->kind == JR_HISTORY_DECISION)
        narrate_decision(&entry->decided, text);
    else if (entry->kind == JR_HISTORY_OUTCOME)
        snprintf(text, JR_NARRATE_SIZE, "attempt %u is next", entry->next);
    else if (*entry->who != '\0')
        snprintf(text, JR_NARRATE_SIZE, "by %s%s", entry->who,
                 entry->found.asked ? ", on its pull request" : "");
    return text;
}
