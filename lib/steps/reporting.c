/*
 * reporting -- the steps by which it is said at GitHub what becomes of runs, each one transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/reporting.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/markdown.h"
#include "lib/rules/verdict.h"
#include "lib/steps/ownfile.h"
#include "lib/steps/step.h"
#include "lib/store/failures.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/reports.h"
#include "lib/store/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many failed jobs and attempts of a run are told at most. */
#define FAILURES_MOST 400
#define DECISIONS_MOST 64

/* What a comment says besides, and how much of a run's workflow. */
#define COMMENT_MOST (JR_REPORT_TEXT_MAX - 512)
#define WORKFLOW_SIZE 80

void jr_reporting_release(struct jr_reporting_work *work)
{
    jr_buffer_release(&work->text);
    memset(work, 0, sizeof *work);
}

/* What is known of a run, to be told. */
struct told {
    struct jr_failure *failures; /* owned */
    size_t failure_count;
    struct jr_report_decision decisions[DECISIONS_MOST];
    size_t decision_count;
};

static bool has_failure(const struct told *told, uint64_t job_id)
{
    for (size_t i = 0; i < told->failure_count; i++)
        if (told->failures[i].job_id == job_id)
            return true;
    return false;
}

/* Jobs that failed, whether anybody has looked why or not. */
static void add_failures(struct jr_txn *txn, const struct jr_run *run, struct told *told)
{
    struct jr_failure *at = told->failures;
    struct jr_job job = { .job_id = 0 };
    uint64_t after = 0;

    while (told->failure_count < FAILURES_MOST && jr_failures_next(txn, run->run_id, after, at)) {
        after = at->job_id;
        at = &told->failures[++told->failure_count];
    }
    while (told->failure_count < FAILURES_MOST
           && jr_ledger_next_job(txn, run->run_id, job.job_id, &job)) {
        if (job.carried_over || !jr_conclusion_is_bad(job.conclusion)
            || has_failure(told, job.job_id))
            continue;
        at = &told->failures[told->failure_count++];
        memset(at, 0, sizeof *at);
        at->job_id = job.job_id;
        at->attempt = jr_run_attempt_of(run, &job);
        at->conclusion = job.conclusion;
        (void)jr_text_copy(at->name, sizeof at->name, job.name);
    }
}

/* What was decided last about each attempt. */
static void add_decision(struct told *told, const struct jr_history *entry)
{
    size_t i = 0;

    if ((entry->kind != JR_HISTORY_DECISION && entry->kind != JR_HISTORY_OUTCOME)
        || entry->reason == JR_REASON_PAUSED)
        return;
    while (i < told->decision_count && told->decisions[i].attempt != entry->attempt)
        i++;
    if (i == DECISIONS_MOST) {
        memmove(told->decisions, told->decisions + 1, --i * sizeof *told->decisions);
        told->decision_count--;
    }
    if (i == told->decision_count)
        told->decision_count++;
    told->decisions[i] = (struct jr_report_decision){
        entry->attempt, entry->reason, entry->kind == JR_HISTORY_OUTCOME ? entry->next : 0,
    };
}

static void gather(struct jr_txn *txn, const struct jr_run *run, struct told *told)
{
    struct jr_history entry;
    uint32_t number = 0;

    memset(told, 0, sizeof *told);
    told->failures = calloc(FAILURES_MOST + 1, sizeof *told->failures);
    if (told->failures == NULL) {
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
        return;
    }
    add_failures(txn, run, told);
    while (jr_history_next(txn, run->run_id, &number, &entry))
        add_decision(told, &entry);
}

/* FNV-1a. */
static uint64_t hash_of(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* A claim on its way. */
struct claim {
    const struct jr_settings *settings;
    int64_t now_ms;
    int64_t due_ms; /* out */
    uint64_t run_id;
    enum jr_err result;
    struct jr_reporting_work *work;
    char web[600];
};

static struct jr_report_facts facts_of(const struct claim *claim, const struct jr_run *run,
                                       const struct told *told)
{
    return (struct jr_report_facts){
        .web = claim->web, .run = run,
        .failures = told->failures, .failure_count = told->failure_count,
        .decisions = told->decisions, .decision_count = told->decision_count,
    };
}

/* The text of a run, and the hash of what it says. */
static void write_run(struct jr_txn *txn, const struct claim *claim, const struct jr_run *run,
                      size_t most)
{
    struct jr_reporting_work *work = claim->work;
    struct jr_buffer timeless;
    char own[JR_OWNFILE_TOLD_SIZE] = "";
    struct jr_report_facts facts;
    struct told told;

    gather(txn, run, &told);
    if (claim->settings->own_files)
        jr_ownfile_tell(txn, run, own);
    facts = facts_of(claim, run, &told);
    facts.own = own;
    jr_buffer_init(&timeless, JR_REPORT_TEXT_MAX);
    if (told.failures != NULL) {
        jr_report_write(&facts, false, most, &timeless);
        jr_report_write(&facts, true, most, &work->text);
    }
    work->hash = hash_of(work->hash, timeless.bytes);
    if (!timeless.ok || !work->text.ok)
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
    jr_buffer_release(&timeless);
    free(told.failures);
}

static void write_heading(const struct jr_run *run, struct jr_buffer *buffer)
{
    jr_buffer_add(buffer, "\n### ");
    jr_markdown_code(buffer, *jr_run_workflow(run) == '\0' ? "workflow" : jr_run_workflow(run),
                     WORKFLOW_SIZE);
    jr_buffer_add(buffer, "\n\n");
}

void jr_reporting_tell(struct jr_txn *txn, const struct jr_settings *settings,
                       const struct jr_run *run, size_t most, struct jr_buffer *buffer)
{
    struct claim claim = { .settings = settings };
    struct jr_report_facts facts;
    struct told told;

    jr_github_web_url(settings->github_api_url, claim.web, sizeof claim.web);
    gather(txn, run, &told);
    facts = facts_of(&claim, run, &told);
    write_heading(run, buffer);
    if (told.failures != NULL)
        jr_report_write(&facts, true, most, buffer);
    free(told.failures);
}

static void name_check(struct jr_reporting_work *work)
{
    char workflow[WORKFLOW_SIZE];

    jr_show_clean(workflow, sizeof workflow, jr_run_workflow(&work->run));
    snprintf(work->name, sizeof work->name, "job-rerunner / %s",
             *workflow == '\0' ? "workflow" : workflow);
    snprintf(work->external_id, sizeof work->external_id, "%llu",
             (unsigned long long)work->run.run_id);
}

/* Nothing more is said of it; what was begun is completed all the same. */
static void close_check(struct jr_reporting_work *work)
{
    work->closing = true;
    work->standing.ended = true;
    work->standing.good = false;
    (void)jr_text_copy(work->standing.title, sizeof work->standing.title, "No longer followed");
    jr_buffer_add(&work->text, "job-rerunner says no more of this run.\n");
    work->hash = hash_of(UINT64_C(14695981039346656037), "closed");
}

/* Is there something that a person could ask for by a button? */
static bool has_offers(const struct jr_settings *settings, const struct jr_reporting_work *work)
{
    const struct jr_bounds bounds = jr_step_bounds(settings);
    const struct jr_run *run = &work->run;

    if (work->standing.good || work->standing.left)
        return false;
    return run->phase != JR_PHASE_CLOSED
           || jr_verdict_refusal_of_asked(&bounds, run) == JR_REASON_NONE;
}

static void choose_check(struct jr_txn *txn, struct claim *claim)
{
    struct jr_reporting_work *work = claim->work;
    const struct jr_settings *settings = claim->settings;
    const struct jr_report *report = &work->report;
    bool there = report->check_id != 0, open = jr_report_is_open(report);
    bool over = !jr_settings_reports(settings) || settings->report != JR_REPORTING_CHECK
                || work->run.last_event_ms < claim->now_ms - settings->retention_ms;

    work->is_check = true;
    name_check(work);
    (void)jr_github_run_url(settings->github_api_url, work->run.repo, work->run.run_id, work->url);
    jr_report_stands(&work->run, true, &work->standing);
    work->has_buttons = settings->commands && has_offers(settings, work);
    jr_buffer_init(&work->text, JR_REPORT_TEXT_MAX);
    if (over && open)
        close_check(work);
    else if (over || report->given_up || (!open && !there && !work->standing.for_check)
             || work->run.head_sha[0] == '\0')
        return;
    else
        write_run(txn, claim, &work->run, JR_REPORT_TEXT_MAX);
    if (!there)
        work->act = JR_REPORTING_MAKE;
    else if (report->hash != work->hash || report->completed != work->standing.ended)
        work->act = JR_REPORTING_SET;
}

/* Runs of the pull request's newest commit of which there is something to say. */
struct sections {
    struct jr_run runs[JR_THREAD_RUNS];
    size_t count;
    bool begins; /* enough for a comment that is not there yet */
};

static void find_sections(struct jr_txn *txn, const struct jr_thread *thread,
                          struct sections *sections)
{
    struct jr_report_standing standing;
    const struct jr_run *newest = NULL;
    struct jr_run run;
    size_t count = 0;

    sections->count = 0;
    sections->begins = false;
    for (size_t i = 0; i < thread->count; i++)
        if (jr_ledger_read_run(txn, thread->runs[i], &run) && run.known)
            sections->runs[sections->count++] = run;
    for (size_t i = 0; i < sections->count; i++)
        if (newest == NULL || sections->runs[i].created_ms > newest->created_ms
            || (sections->runs[i].created_ms == newest->created_ms
                && sections->runs[i].run_id > newest->run_id))
            newest = &sections->runs[i];
    if (newest == NULL)
        return;
    run = *newest;
    for (size_t i = 0; i < sections->count; i++) {
        jr_report_stands(&sections->runs[i], true, &standing);
        if (!standing.in_comment || strcmp(sections->runs[i].head_sha, run.head_sha) != 0)
            continue;
        sections->begins = sections->begins || standing.for_comment;
        sections->runs[count++] = sections->runs[i];
    }
    sections->count = count;
}

static void write_comment(struct jr_txn *txn, struct claim *claim, const struct sections *sections)
{
    struct jr_reporting_work *work = claim->work;
    size_t most = COMMENT_MOST / (sections->count + 1);

    jr_buffer_init(&work->text, JR_REPORT_TEXT_MAX);
    jr_buffer_add(&work->text, JR_REPORT_MARKER "\n");
    work->hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < sections->count; i++) {
        write_heading(&sections->runs[i], &work->text);
        write_run(txn, claim, &sections->runs[i], most);
    }
}

static void choose_comment(struct jr_txn *txn, struct claim *claim)
{
    struct jr_reporting_work *work = claim->work;
    struct jr_thread *thread = &work->thread;
    struct sections *sections;

    jr_report_stands(&work->run, true, &work->standing);
    if (work->report.given_up || !jr_run_is_of_pull_request(&work->run)
        || (!work->standing.for_comment && work->report.pull_request == 0))
        return;
    if (work->report.pull_request == 0) {
        work->act = JR_REPORTING_ASK_PULL;
        return;
    }
    jr_threads_load(txn, work->run.repo_id, work->report.pull_request, thread);
    sections = malloc(sizeof *sections);
    if (sections == NULL) {
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
        return;
    }
    find_sections(txn, thread, sections);
    if (sections->begins || (sections->count > 0 && (thread->comment_id != 0 || thread->intent))) {
        write_comment(txn, claim, sections);
        work->closing = !sections->begins;
        if (thread->comment_id == 0)
            work->act = JR_REPORTING_MAKE;
        else if (thread->hash != work->hash)
            work->act = JR_REPORTING_SET;
    }
    free(sections);
}

/* Is the entry due? One later than any is made was made before the clock was set back. */
static bool is_due(const struct claim *claim)
{
    return claim->due_ms <= claim->now_ms || claim->due_ms > claim->now_ms + JR_DAY_MS;
}

static void claim_first(struct jr_txn *txn, void *context)
{
    struct claim *claim = context;
    struct jr_reporting_work *work = claim->work;

    claim->result = JR_ENOENT;
    claim->due_ms = 0;
    claim->run_id = 0;
    if (!jr_reports_next(txn, &claim->due_ms, &claim->run_id)) {
        claim->due_ms = 0;
        return;
    }
    if (!is_due(claim))
        return;
    claim->result = JR_EFORMAT;
    if (!jr_ledger_read_run(txn, claim->run_id, &work->run) || !work->run.known)
        return;
    jr_reports_load(txn, claim->run_id, &work->report);
    if (work->report.due_ms != claim->due_ms)
        return;
    claim->result = JR_OK;
    if (claim->settings->report == JR_REPORTING_COMMENT && jr_settings_reports(claim->settings)
        && !jr_report_is_open(&work->report))
        choose_comment(txn, claim);
    else
        choose_check(txn, claim);
}

static void drop_entry(struct jr_txn *txn, void *context)
{
    const struct claim *claim = context;

    jr_reports_drop(txn, claim->due_ms, claim->run_id);
}

enum jr_err jr_reporting_claim(struct jr_store *store, const struct jr_settings *settings,
                               int64_t now_ms, struct jr_reporting_work *work, int64_t *due_ms,
                               struct jr_error *error)
{
    struct claim claim = { .settings = settings, .now_ms = now_ms, .work = work };
    enum jr_err err;

    memset(work, 0, sizeof *work);
    jr_github_web_url(settings->github_api_url, claim.web, sizeof claim.web);
    err = jr_store_read(store, claim_first, &claim, error);
    *due_ms = claim.due_ms;
    if (err == JR_OK && claim.result == JR_EFORMAT)
        err = jr_store_write(store, drop_entry, &claim, error);
    if (err == JR_OK)
        err = claim.result;
    if (err != JR_OK)
        jr_reporting_release(work);
    return err;
}

char *jr_reporting_json(const struct jr_reporting_work *work, bool is_new)
{
    const struct jr_check_run check = {
        .name = work->name, .sha = work->run.head_sha, .external_id = work->external_id,
        .url = work->url, .title = work->standing.title, .summary = work->text.bytes,
        .completed = work->standing.ended, .good = work->standing.good,
        .has_buttons = work->has_buttons && !work->closing,
        .attempt = work->run.attempt,
    };

    return work->is_check ? jr_check_run_json(&check, is_new) : jr_comment_json(work->text.bytes);
}

/* A change of what is recorded. */
struct change {
    const struct jr_settings *settings;
    const struct jr_reporting_work *work;
    const struct jr_reporting_result *result;
    bool is_new;
    uint64_t pull_request;
    int64_t now_ms, due_ms;
    int64_t wait_ms;           /* out, */
    bool has_changed;          /* likewise, */
    enum jr_reporting_end end; /* likewise */
};

static struct change change_of(const struct jr_reporting_work *work, int64_t now_ms)
{
    return (struct change){ .work = work, .now_ms = now_ms };
}

/* Load the report anew. False: the run is no longer there. */
static bool reload(struct jr_txn *txn, const struct change *change, struct jr_report *report)
{
    jr_reports_load(txn, change->work->run.run_id, report);
    return report->known;
}

static void begin(struct jr_txn *txn, void *context)
{
    struct change *change = context;
    struct jr_report report;
    struct jr_thread thread;

    change->has_changed = !reload(txn, change, &report) || report.news != change->work->report.news
                          || report.due_ms != change->work->report.due_ms;
    change->wait_ms = jr_reports_wait_ms(txn, change->now_ms);
    if (change->has_changed || change->wait_ms > 0)
        return;
    jr_reports_count(txn, change->now_ms);
    if (!change->is_new)
        return;
    if (change->work->is_check) {
        report.intent = true;
        jr_reports_save(txn, change->work->run.run_id, &report, report.due_ms);
    } else {
        jr_threads_load(txn, change->work->run.repo_id, report.pull_request, &thread);
        thread.intent = true;
        jr_threads_save(txn, &thread);
    }
}

enum jr_err jr_reporting_begin(struct jr_store *store, struct jr_reporting_work *work,
                               bool is_new, int64_t now_ms, int64_t *wait_ms,
                               struct jr_error *error)
{
    struct change change = change_of(work, now_ms);
    enum jr_err err;

    change.is_new = is_new;
    err = jr_store_write(store, begin, &change, error);
    *wait_ms = change.wait_ms;
    return err == JR_OK && change.has_changed
               ? jr_error_set(error, JR_EBUSY, "it has changed meanwhile") : err;
}

static void note_pull(struct jr_txn *txn, void *context)
{
    const struct change *change = context;
    struct jr_report report;
    struct jr_thread thread;

    if (!reload(txn, change, &report))
        return;
    report.pull_request = change->pull_request;
    report.given_up = change->pull_request == 0;
    jr_reports_save(txn, change->work->run.run_id, &report,
                    report.given_up ? 0 : report.due_ms);
    if (report.given_up)
        return;
    jr_threads_load(txn, change->work->run.repo_id, report.pull_request, &thread);
    if (jr_thread_add(&thread, change->work->run.run_id))
        jr_threads_save(txn, &thread);
}

enum jr_err jr_reporting_note_pull(struct jr_store *store, const struct jr_reporting_work *work,
                                   uint64_t pull_request, int64_t now_ms, struct jr_error *error)
{
    struct change change = change_of(work, now_ms);

    change.pull_request = pull_request;
    return jr_store_write(store, note_pull, &change, error);
}

const char *jr_reporting_end_name(enum jr_reporting_end end)
{
    static const char *const words[] = {
        [JR_REPORTING_WRITTEN] = "written",
        [JR_REPORTING_UNCHANGED] = "unchanged",
        [JR_REPORTING_PUT_OFF] = "put-off",
        [JR_REPORTING_GIVEN_UP] = "given-up",
    };

    return words[end];
}

int64_t jr_reporting_backoff_ms(const struct jr_settings *settings, uint32_t tries)
{
    int64_t wait_ms = settings->api_backoff_min_ms;

    while (tries-- > 1 && wait_ms < settings->api_backoff_max_ms)
        wait_ms *= 2;
    return wait_ms < settings->api_backoff_max_ms ? wait_ms : settings->api_backoff_max_ms;
}

/* What a check run and a comment have in common. */
struct fate {
    uint64_t *id;
    bool *intent, *given_up;
    uint64_t *hash;
    uint32_t *tries;
    int64_t *failing_ms;
};

static void was_written(const struct change *change, const struct fate *fate)
{
    *fate->hash = change->work->hash;
    *fate->tries = 0;
    *fate->failing_ms = 0;
}

/*
 * It was not written. Returns how long until it is tried again, in ms; 0: it is given up.
 * What does not count as a try is that nothing was asked, or that all calls were stopped.
 */
static int64_t was_refused(const struct change *change, const struct fate *fate)
{
    const struct jr_call *call = change->result->call;
    bool unasked = call->api == JR_API_NONE || call->stops_all;
    bool begun = *fate->id != 0 || *fate->intent;
    bool gone = call->outcome == JR_OUTCOME_NEVER
                && (call->status != 403 || !begun || !change->work->is_check);
    int64_t wait_ms;

    if (unasked)
        return JR_MINUTE_MS;
    if (*fate->failing_ms == 0)
        *fate->failing_ms = change->now_ms;
    wait_ms = call->outcome == JR_OUTCOME_NEVER
                  ? JR_REPORTING_REFUSED_MS
                  : jr_reporting_backoff_ms(change->settings, ++*fate->tries);
    if (!gone && (begun && change->work->is_check
                      ? change->now_ms - *fate->failing_ms < JR_REPORTING_LONGEST_MS
                      : *fate->tries < JR_REPORTING_TRIES))
        return wait_ms;
    *fate->given_up = true;
    *fate->intent = false;
    return 0;
}

/* Returns when it is looked at next; 0: when something changes. */
static int64_t settle_fate(struct change *change, const struct fate *fate, bool stays_open)
{
    const struct jr_reporting_result *result = change->result;
    int64_t wait_ms, look_ms = stays_open ? change->now_ms + JR_REPORTS_LOOK_MS : 0;

    change->end = JR_REPORTING_UNCHANGED;
    if (result->id != 0) {
        *fate->id = result->id;
        *fate->intent = false;
    } else if (result->is_absent) {
        *fate->intent = false;
    } else if (result->was_new && result->call != NULL
               && result->call->outcome != JR_OUTCOME_UNKNOWN) {
        *fate->intent = false;
    }
    if (result->call == NULL)
        return look_ms;
    if (result->is_written && result->call->outcome == JR_OUTCOME_DONE) {
        change->end = JR_REPORTING_WRITTEN;
        was_written(change, fate);
        return look_ms;
    }
    wait_ms = was_refused(change, fate);
    change->end = wait_ms > 0 ? JR_REPORTING_PUT_OFF : JR_REPORTING_GIVEN_UP;
    return wait_ms > 0 ? change->now_ms + wait_ms : 0;
}

static int64_t settle_check(struct change *change, struct jr_report *report)
{
    const struct fate fate = {
        &report->check_id, &report->intent, &report->given_up,
        &report->hash,     &report->tries,  &report->failing_ms,
    };
    const struct jr_reporting_work *work = change->work;
    bool open = jr_report_is_open(report);
    int64_t due_ms;

    if (change->result->call != NULL)
        open = !work->standing.ended;
    due_ms = settle_fate(change, &fate, open);
    if (change->end == JR_REPORTING_WRITTEN)
        report->completed = work->standing.ended;
    return due_ms;
}

static int64_t settle_comment(struct jr_txn *txn, struct change *change, struct jr_report *report)
{
    struct jr_thread thread;
    const struct fate fate = {
        &thread.comment_id, &thread.intent, &report->given_up,
        &thread.hash,       &thread.tries,  &thread.failing_ms,
    };
    int64_t due_ms;

    change->end = JR_REPORTING_UNCHANGED;
    if (report->pull_request == 0 || (change->result->call == NULL && !change->result->is_absent))
        return 0;
    jr_threads_load(txn, change->work->run.repo_id, report->pull_request, &thread);
    due_ms = settle_fate(change, &fate, false);
    if (report->given_up) {
        /* The next run of the pull request may have more luck. */
        thread.tries = 0;
        thread.failing_ms = 0;
    }
    jr_threads_save(txn, &thread);
    return due_ms;
}

static void settle(struct jr_txn *txn, void *context)
{
    struct change *change = context;
    struct jr_report report;
    int64_t due_ms;

    change->end = JR_REPORTING_UNCHANGED;
    if (!reload(txn, change, &report))
        return;
    due_ms = change->work->is_check ? settle_check(change, &report)
                                    : settle_comment(txn, change, &report);
    /* What has changed meanwhile is still to be said. */
    if (report.news != change->work->report.news && change->end != JR_REPORTING_PUT_OFF
        && !report.given_up)
        due_ms = change->now_ms + JR_REPORTS_SETTLE_MS;
    jr_reports_save(txn, change->work->run.run_id, &report, due_ms);
}

enum jr_err jr_reporting_settle(struct jr_store *store, const struct jr_settings *settings,
                                const struct jr_reporting_work *work,
                                const struct jr_reporting_result *result, int64_t now_ms,
                                enum jr_reporting_end *end, struct jr_error *error)
{
    struct change change = change_of(work, now_ms);
    enum jr_err err;

    change.settings = settings;
    change.result = result;
    err = jr_store_write(store, settle, &change, error);
    *end = change.end;
    return err;
}

static void postpone(struct jr_txn *txn, void *context)
{
    const struct change *change = context;
    struct jr_report report;

    if (reload(txn, change, &report) && report.due_ms == change->work->report.due_ms)
        jr_reports_save(txn, change->work->run.run_id, &report, change->due_ms);
}

enum jr_err jr_reporting_postpone(struct jr_store *store, const struct jr_reporting_work *work,
                                  int64_t due_ms, struct jr_error *error)
{
    struct change change = change_of(work, 0);

    change.due_ms = due_ms;
    return jr_store_write(store, postpone, &change, error);
}

/* How many entries one transaction moves. */
#define HASTEN_MOST 500

struct hastening {
    int64_t now_ms, due_ms;
    uint64_t run_id;
    bool more; /* out */
};

static void hasten(struct jr_txn *txn, void *context)
{
    struct hastening *hastening = context;
    struct jr_report report;
    unsigned looks = 0;

    while (looks++ < HASTEN_MOST
           && jr_reports_next(txn, &hastening->due_ms, &hastening->run_id)) {
        jr_reports_load(txn, hastening->run_id, &report);
        if (report.due_ms == hastening->due_ms && report.due_ms > hastening->now_ms
            && report.failing_ms == 0)
            jr_reports_save(txn, hastening->run_id, &report, hastening->now_ms);
    }
    hastening->more = looks > HASTEN_MOST;
}

enum jr_err jr_reporting_hasten(struct jr_store *store, int64_t now_ms, struct jr_error *error)
{
    struct hastening hastening = { .now_ms = now_ms }, next;
    enum jr_err err;

    do {
        next = hastening;
        err = jr_store_write(store, hasten, &next, error);
        hastening = next;
    } while (err == JR_OK && hastening.more);
    return err;
}
