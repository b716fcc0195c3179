/*
 * tell -- what the dispatcher tells the log of its work.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/tell.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/service/counters.h"
#include "lib/service/process.h"
#include "lib/steps/control.h"
#include "lib/steps/ownfile.h"
#include "lib/store/journal.h"

#include <string.h>

/* Things done by hand that are told in the log at once. */
#define NEWS_MOST 16

static void log_pause(struct jr_line *line, const struct jr_act *act)
{
    char until[JR_TIMESTAMP_SIZE];

    jr_line_begin(line, JR_LOG_INFO, act->kind == JR_ACT_PAUSE ? "paused" : "resumed");
    jr_line_text(line, "repos", act->pause.pattern);
    jr_line_text(line, "by", act->who);
    if (act->kind == JR_ACT_PAUSE && act->pause.until_ms != 0)
        jr_line_text(line, "until", jr_timestamp_format(act->pause.until_ms, until));
    jr_line_text(line, "text", act->kind == JR_ACT_PAUSE ? act->pause.why
                               : act->who[0] == '\0'    ? "its time is over"
                                                        : "");
}

static void log_act(struct jr_line *line, const struct jr_act *act)
{
    if (act->kind == JR_ACT_PAUSE || act->kind == JR_ACT_RESUME) {
        log_pause(line, act);
        return;
    }
    if (act->kind == JR_ACT_LIFT) {
        jr_line_begin(line, JR_LOG_INFO, "outage-lifted");
        jr_line_text(line, "cause", jr_cause_name(act->cause));
    } else {
        jr_line_begin(line, JR_LOG_INFO, act->kind == JR_ACT_RERUN  ? "rerun-asked"
                                         : act->kind == JR_ACT_STOP ? "reruns-stopped"
                                                                    : "forgotten");
        jr_line_text(line, "repo", act->repo);
        jr_line_number(line, "run", act->run_id);
    }
    jr_line_text(line, "by", act->who);
}

void jr_tell_acts(struct jr_desk *desk)
{
    struct jr_act acts[NEWS_MOST];
    struct jr_error error;
    struct jr_line line;
    size_t count;
    enum jr_err err = jr_control_news(desk->store, acts, NEWS_MOST, &count, &error);

    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        log_act(&line, &acts[i]);
        jr_line_write(&line);
    }
}

void jr_tell_pauses(struct jr_desk *desk)
{
    struct jr_line line;

    (void)jr_desk_look_at_pauses(desk);
    for (size_t i = 0; i < desk->pauses.count; i++) {
        const struct jr_pause *pause = &desk->pauses.items[i];
        struct jr_act act = { .at_ms = pause->since_ms, .kind = JR_ACT_PAUSE, .pause = *pause };

        memcpy(act.who, pause->who, sizeof act.who);
        log_pause(&line, &act);
        jr_line_write(&line);
    }
}

static void log_outage(struct jr_line *line, enum jr_log_level level, const char *event,
                       const struct jr_causehold *hold)
{
    jr_line_begin(line, level, event);
    jr_line_text(line, "cause", jr_cause_name(hold->cause));
}

/* When a probe may go ahead. */
static void add_next_probe(struct jr_line *line, const struct jr_causehold *hold)
{
    char due[JR_TIMESTAMP_SIZE];

    jr_line_text(line, "due", jr_timestamp_format(hold->next_probe_ms, due));
}

/* The last probe, and how many there were. */
static void add_probes(struct jr_line *line, const struct jr_causehold *hold)
{
    if (hold->last_run_id != 0)
        jr_line_number(line, "run", hold->last_run_id);
    jr_line_number(line, "probes", hold->probes);
}

static void tell_begin(const struct jr_causehold *hold)
{
    struct jr_line line;

    log_outage(&line, JR_LOG_WARN, "outage-begins", hold);
    jr_line_number(&line, "runs", hold->runs);
    jr_line_number(&line, "workflows", hold->workflows);
    add_next_probe(&line, hold);
    jr_line_write(&line);
}

static void tell_probe(const struct jr_causehold *hold)
{
    struct jr_line line;

    log_outage(&line, JR_LOG_INFO, "outage-probe", hold);
    add_probes(&line, hold);
    jr_line_write(&line);
}

static void tell_holds_on(const struct jr_causehold *hold)
{
    struct jr_line line;

    log_outage(&line, JR_LOG_INFO, "outage-holds-on", hold);
    add_probes(&line, hold);
    add_next_probe(&line, hold);
    jr_line_write(&line);
}

static void tell_over(const struct jr_causehold *hold)
{
    struct jr_line line;

    log_outage(&line, JR_LOG_INFO, "outage-over", hold);
    add_probes(&line, hold);
    jr_line_number(&line, "seconds", (uint64_t)(hold->over_ms - hold->since_ms) / 1000);
    jr_line_text(&line, "by", hold->lifted_by);
    jr_line_text(&line, "text", jr_causehold_end_words(hold->end));
    jr_line_write(&line);
}

void jr_tell_outages(const struct jr_causeholds *news)
{
    for (size_t i = 0; i < news->count; i++) {
        const struct jr_causehold *hold = &news->items[i];
        bool begins = (hold->news & JR_CAUSEHOLD_BEGINS) != 0;

        if (begins)
            tell_begin(hold);
        if ((hold->news & JR_CAUSEHOLD_PROBES) != 0)
            tell_probe(hold);
        if ((hold->news & JR_CAUSEHOLD_HOLDS_ON) != 0)
            tell_holds_on(hold);
        /* What was over, and began anew before it was told, has no figures of its end. */
        if ((hold->news & JR_CAUSEHOLD_OVER) != 0
            && !(begins && hold->phase == JR_CAUSEHOLD_HELD))
            tell_over(hold);
    }
}

static void log_run(struct jr_line *line, enum jr_log_level level, const char *event,
                    const struct jr_run *run, uint32_t attempt)
{
    jr_line_begin(line, level, event);
    jr_line_text(line, "repo", run->repo);
    jr_line_number(line, "run", run->run_id);
    jr_line_number(line, "attempt", attempt);
}

static const char *verdict_name(const struct jr_verdict *verdict)
{
    switch (verdict->step) {
    case JR_STEP_WAIT:
        return "wait";
    case JR_STEP_RERUN_FAILED:
    case JR_STEP_RERUN_ALL:
        return "rerun";
    case JR_STEP_JUDGE:
        return "judge";
    case JR_STEP_NONE:
    case JR_STEP_ASK:
        break;
    }
    if (verdict->reason == JR_REASON_DRY_RUN || verdict->reason == JR_REASON_DRY_RUN_UNVERIFIED)
        return "dry-run";
    return verdict->reason == JR_REASON_CHANGED_MEANWHILE ? "overtaken" : "closed";
}

/* That a run waits, unasked, for whoever shuts us out is no news the second time. */
static bool is_repeated(const struct jr_run *run, const struct jr_call *call)
{
    return call != NULL && call->api == JR_API_NONE && run->tries > 1;
}

void jr_tell_decision(const struct jr_run *run, const struct jr_verdict *verdict,
                         const struct jr_call *call, int64_t duration_us)
{
    struct jr_line line;
    char due[JR_TIMESTAMP_SIZE];

    log_run(&line, is_repeated(run, call) ? JR_LOG_DEBUG : JR_LOG_INFO, "decision", run,
            verdict->attempt);
    jr_line_text(&line, "verdict", verdict_name(verdict));
    jr_line_text(&line, "reason", jr_reason_token(verdict->reason));
    if (run->complete)
        jr_line_text(&line, "conclusion", jr_conclusion_name(run->conclusion));
    if (verdict->reason == JR_REASON_SUPERSEDED)
        jr_line_number(&line, "newer", run->superseded_by);
    if (run->due_ms != 0 && verdict->step != JR_STEP_RERUN_FAILED
        && verdict->step != JR_STEP_RERUN_ALL)
        jr_line_text(&line, "due", jr_timestamp_format(run->due_ms, due));
    if (call != NULL) {
        jr_line_number(&line, "github", (uint64_t)call->status);
        jr_line_text(&line, "text", call->text);
    } else {
        jr_line_text(&line, "text", jr_reason_words(verdict->reason));
    }
    jr_line_ms(&line, "ms", duration_us);
    jr_line_write(&line);
}

void jr_tell_findings(const struct jr_run *run, const struct jr_verdict *verdict,
                      const struct jr_judging *findings)
{
    struct jr_line line;

    for (size_t i = 0; i < findings->count; i++) {
        const struct jr_failure *failure = &findings->items[i];

        log_run(&line, JR_LOG_INFO, "cause", run, verdict->attempt);
        jr_line_text(&line, "job", failure->name);
        jr_line_text(&line, "cause", jr_cause_name(failure->finding.cause));
        jr_line_text(&line, "signature", failure->finding.signature);
        jr_line_text(&line, "rule", failure->rule);
        if (failure->counts)
            jr_line_text(&line, "then", failure->reruns ? "rerun" : "leave");
        jr_line_text(&line, "text", failure->finding.line);
        jr_line_write(&line);
    }
}

void jr_tell_ownfile(const char *repo, const struct jr_ownpolicy *own)
{
    static const char *const results[] = {
        [JR_OWNPOLICY_UNKNOWN] = "refused", [JR_OWNPOLICY_NONE] = "none",
        [JR_OWNPOLICY_GOOD] = "good", [JR_OWNPOLICY_BROKEN] = "broken",
    };
    bool is_well = own->state == JR_OWNPOLICY_GOOD || own->state == JR_OWNPOLICY_NONE;
    char words[JR_OWNFILE_WORDS_SIZE];
    struct jr_line line;

    jr_line_begin(&line, is_well ? JR_LOG_INFO : JR_LOG_WARN, "repository-policy");
    jr_line_text(&line, "repo", repo);
    jr_line_text(&line, "result", results[own->state]);
    if (own->state == JR_OWNPOLICY_BROKEN)
        jr_line_text(&line, "counts", own->text == NULL ? "none" : "last-good");
    jr_line_text(&line, "text", jr_ownfile_words(own, words));
    jr_line_write(&line);
}

void jr_tell_said(const struct jr_desk *desk, const struct jr_tell_said *said)
{
    const struct jr_call *call = said->call;
    struct jr_line line;

    if (said->end == JR_REPORTING_UNCHANGED)
        return;
    if (desk->process != NULL)
        jr_count(&desk->process->counters.reports[said->end]);
    jr_line_begin(&line, said->end == JR_REPORTING_GIVEN_UP ? JR_LOG_INFO : JR_LOG_DEBUG,
                  "report");
    jr_line_text(&line, "repo", said->repo);
    if (said->run_id != 0)
        jr_line_number(&line, "run", said->run_id);
    jr_line_text(&line, "commit", said->commit);
    jr_line_text(&line, "in", said->in);
    jr_line_text(&line, "verdict", jr_reporting_end_name(said->end));
    if (call != NULL && call->outcome != JR_OUTCOME_DONE) {
        jr_line_text(&line, "reason", jr_reason_token(call->reason));
        jr_line_number(&line, "status", (uint64_t)call->status);
        jr_line_text(&line, "text", call->text);
    }
    jr_line_write(&line);
}

void jr_tell_outcome(const struct jr_run *run, const struct jr_verdict *verdict,
                        const struct jr_call *call)
{
    struct jr_line line;
    char due[JR_TIMESTAMP_SIZE];

    log_run(&line,
            call->outcome == JR_OUTCOME_DONE || call->reason == JR_REASON_SHUT_OUT ? JR_LOG_INFO
                                                                                   : JR_LOG_WARN,
            "rerun", run, verdict->attempt);
    jr_line_text(&line, "call", call->what);
    jr_line_text(&line, "reason",
                 jr_reason_token(verdict->ended_attempt != 0 ? verdict->ended_reason
                                                             : call->reason));
    if (run->due_ms != 0)
        jr_line_text(&line, "due", jr_timestamp_format(run->due_ms, due));
    jr_line_number(&line, "github", (uint64_t)call->status);
    jr_line_text(&line, "text", call->text);
    jr_line_ms(&line, "ms", call->duration_us);
    jr_line_write(&line);
}

void jr_tell_listed(const struct jr_event *seen, const struct jr_verdict *verdict,
                    const struct jr_call *call)
{
    struct jr_line line;

    if (verdict->reason == JR_REASON_NONE)
        return;
    jr_line_begin(&line, JR_LOG_INFO, "decision");
    jr_line_text(&line, "repo", seen->repo);
    jr_line_number(&line, "run", seen->run_id);
    jr_line_number(&line, "attempt", verdict->attempt);
    jr_line_text(&line, "verdict", verdict_name(verdict));
    jr_line_text(&line, "reason", jr_reason_token(verdict->reason));
    jr_line_text(&line, "conclusion", jr_conclusion_name(seen->conclusion));
    jr_line_number(&line, "github", (uint64_t)call->status);
    jr_line_text(&line, "text", jr_reason_words(verdict->reason));
    jr_line_ms(&line, "ms", call->duration_us);
    jr_line_write(&line);
}
