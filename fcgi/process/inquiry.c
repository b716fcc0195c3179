/*
 * inquiry -- why an attempt failed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/inquiry.h"
#include "lib/base/log.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/judge.h"
#include "lib/steps/chosen.h"

#include <stdlib.h>
#include <string.h>

/* How often a piece that GitHub does not give is asked for again, with the run's backoff. */
#define TRIES 3

/* So long after a job ended its log may still be on its way to where logs are kept. */
#define LOG_COMES_MS (2 * JR_MINUTE_MS)

/* Rule 3: times of one payload differ by jitter. */
#define CARRIED_OVER_SLACK_MS (2 * JR_SECOND_MS)

/* After so long, what has not been found out yet is not looked for any more. */
#define LONGEST_MS (10 * JR_MINUTE_MS)

enum state {
    JOBS,  /* GitHub is asked for the attempt's jobs, */
    NOTES, /* for the annotations of one, */
    LINK,  /* for where its log is; */
    LOG,   /* that is read; */
    JUDGE, /* it is to be judged, */
    JUDGED_SOON, /* and is with the matcher; */
    ENDED
};

struct jr_inquiry {
    struct jr_inquirer *inquirer;
    struct jr_question *question;
    struct jr_run run;
    const struct jr_ownfile *own; /* NULL: there is none */
    int64_t began_ms;    /* the attempt, by GitHub's clock */
    int64_t asked_ms;    /* monotonic: since when it goes on */
    enum state state;
    enum jr_inquiry_end end;
    unsigned page;
    size_t shown, unfinished; /* jobs of the pages so far */
    struct jr_github_jobs listed;            /* what questions hold */
    struct jr_github_annotations annotations;
    struct jr_github_log log;
    struct jr_evidence *jobs; /* those that failed; owned */
    size_t count, at;
    struct jr_log_read *reading;
    bool has_looked_at_log;
    uint64_t number; /* at the matcher */
    bool is_judged;
    struct jr_finding finding;
    struct jr_judging judging;
    struct jr_call call;
    struct jr_inquiry *next;
};

enum jr_err jr_inquirer_open(struct jr_inquirer *inquirer, struct jr_desk *desk,
                             struct jr_error *error)
{
    const struct jr_settings *settings = desk->settings;
    enum jr_err err;

    memset(inquirer, 0, sizeof *inquirer);
    inquirer->desk = desk;
    if ((!settings->judges && !settings->has_guards) || !jr_settings_can_call(settings))
        return JR_OK;
    if (jr_chosen_policy(settings, &inquirer->policy) != JR_OK)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    if (!settings->judges)
        return JR_OK;
    err = jr_matcher_open(&desk->matcher, settings->policy_text, settings->policy_length, error);
    if (err == JR_OK && settings->log_tail_bytes > 0)
        err = jr_loghost_open(&desk->loghost, settings,
                              (size_t)settings->log_tail_bytes, error);
    return err;
}

void jr_inquirer_close(struct jr_inquirer *inquirer)
{
    jr_loghost_close(inquirer->desk->loghost);
    jr_matcher_close(inquirer->desk->matcher);
    inquirer->desk->loghost = NULL;
    inquirer->desk->matcher = NULL;
    jr_policy_release(&inquirer->policy);
}

static void end(struct jr_inquiry *inquiry, enum jr_inquiry_end how)
{
    inquiry->state = ENDED;
    inquiry->end = how;
}

static void take_findings(struct jr_inquirer *inquirer, bool *any)
{
    struct jr_finding finding;
    uint64_t number;

    while (jr_matcher_take(inquirer->desk->matcher, &number, &finding)) {
        if (jr_matcher_is_gone(inquirer->desk->matcher))
            continue; /* nobody has looked at it */
        for (struct jr_inquiry *inquiry = inquirer->first; inquiry; inquiry = inquiry->next) {
            if (inquiry->state != JUDGED_SOON || inquiry->number != number)
                continue;
            inquiry->finding = finding;
            inquiry->is_judged = true;
            *any = true;
        }
    }
}

/* The next matcher judges what this one has not. */
static void lay_down_unjudged(struct jr_inquirer *inquirer)
{
    for (struct jr_inquiry *inquiry = inquirer->first; inquiry; inquiry = inquiry->next)
        if (inquiry->state == JUDGE || (inquiry->state == JUDGED_SOON && !inquiry->is_judged))
            end(inquiry, JR_INQUIRY_LAID_DOWN);
}

bool jr_inquirer_work(struct jr_inquirer *inquirer)
{
    struct jr_desk *desk = inquirer->desk;
    bool any = false;

    if (desk->loghost != NULL)
        jr_loghost_work(desk->loghost);
    if (desk->matcher == NULL)
        return false;
    take_findings(inquirer, &any);
    if (jr_matcher_is_gone(desk->matcher)) {
        if (!desk->broken)
            jr_log(JR_LOG_ERROR, "matcher", "the process that matches logs has gone; the "
                   "dispatcher begins anew");
        desk->broken = true;
        lay_down_unjudged(inquirer);
    }
    return any;
}

static struct jr_evidence *job_of(const struct jr_inquiry *inquiry)
{
    return &inquiry->jobs[inquiry->at];
}

static void ask(struct jr_inquiry *inquiry, enum state state, struct jr_ask what)
{
    struct jr_desk *desk = inquiry->inquirer->desk;

    jr_test_point("inquiry");
    if (jr_calls_wait_ms(&desk->calls) > 0 || jr_desk_is_paused(desk, &inquiry->run)) {
        end(inquiry, JR_INQUIRY_LAID_DOWN);
        return;
    }
    what.repo = inquiry->run.repo;
    inquiry->state = state;
    inquiry->question->about = inquiry->run.run_id;
    inquiry->question->turn.ask = what;
    jr_calls_ask(&desk->calls, inquiry->question);
}

static void ask_for_jobs(struct jr_inquiry *inquiry)
{
    inquiry->page++;
    ask(inquiry, JOBS, (struct jr_ask){
        .api = JR_API_GET_ATTEMPT_JOBS, .id = inquiry->run.run_id,
        .attempt = inquiry->run.attempt, .page = inquiry->page, .holds = &inquiry->listed,
    });
}

/* May what GitHub did not give be asked for once more? */
static bool may_try_again(const struct jr_inquiry *inquiry)
{
    return inquiry->run.tries < TRIES;
}

/* GitHub did not give it now. Returns whether it is asked for again, later. */
static bool try_later(struct jr_inquiry *inquiry, const struct jr_call *call)
{
    if (call->outcome != JR_OUTCOME_LATER
        || (call->api != JR_API_NONE && !call->stops_all && !may_try_again(inquiry)))
        return false;
    inquiry->call = *call;
    end(inquiry, JR_INQUIRY_LATER);
    return true;
}

static bool is_carried_over(const struct jr_inquiry *inquiry, const struct jr_evidence *job)
{
    return inquiry->run.attempt > 1 && inquiry->began_ms != 0 && job->started_ms != 0
           && job->started_ms + CARRIED_OVER_SLACK_MS < inquiry->began_ms;
}

/*
 * The run is over, but the list of its jobs is not: some of them, or all, are shown as they were
 * before. Of those that are missing nobody could say that they have not failed.
 */
static bool is_list_behind(const struct jr_inquiry *inquiry)
{
    return inquiry->unfinished > 0 || (inquiry->shown == 0 && inquiry->run.jobs_known > 0);
}

/* Take over the jobs of a page. Returns false when there is no memory. */
static bool add_jobs(struct jr_inquiry *inquiry)
{
    struct jr_github_jobs *listed = &inquiry->listed;
    struct jr_evidence *jobs = realloc(inquiry->jobs, (inquiry->count + listed->count + 1)
                                                          * sizeof *jobs);

    if (jobs == NULL)
        return false;
    inquiry->jobs = jobs;
    inquiry->shown += listed->shown;
    inquiry->unfinished += listed->unfinished;
    for (size_t i = 0; i < listed->count; i++) {
        if (is_carried_over(inquiry, &listed->jobs[i]) || inquiry->count > JR_JUDGING_JOBS_MAX)
            continue;
        jobs[inquiry->count++] = listed->jobs[i];
        memset(&listed->jobs[i], 0, sizeof listed->jobs[i]);
    }
    return true;
}

/* Hand a job over to be judged, by what is known of it. */
static void judge(struct jr_inquiry *inquiry)
{
    const struct jr_ownfile *own = inquiry->own;
    struct jr_error error;

    inquiry->state = JUDGE;
    inquiry->is_judged = false;
    inquiry->number = jr_matcher_begin(inquiry->inquirer->desk->matcher, job_of(inquiry),
                                       own == NULL ? NULL : own->text,
                                       own == NULL ? 0 : own->length, &error);
    if (inquiry->number != 0) {
        inquiry->state = JUDGED_SOON;
    } else if (jr_matcher_is_gone(inquiry->inquirer->desk->matcher)) {
        end(inquiry, JR_INQUIRY_LAID_DOWN);
    } else if (error.code != JR_EBUSY) {
        jr_log(JR_LOG_ERROR, "matcher", "%s", error.text);
        inquiry->finding = (struct jr_finding){ .cause = JR_CAUSE_UNKNOWN, .unreadable = true };
        inquiry->is_judged = true;
        inquiry->state = JUDGED_SOON;
    }
}

/* Look into a job, cheapest first. */
static void begin_job(struct jr_inquiry *inquiry)
{
    const struct jr_settings *settings = inquiry->inquirer->desk->settings;

    inquiry->has_looked_at_log = false;
    if (settings->evidence == JR_LOOKING_NEVER
        || jr_monotonic_ms() - inquiry->asked_ms > LONGEST_MS
        || jr_refusals_has(&inquiry->inquirer->refusals, JR_API_GET_ANNOTATIONS,
                           inquiry->run.repo, 0, jr_monotonic_ms()))
        judge(inquiry);
    else
        ask(inquiry, NOTES, (struct jr_ask){ .api = JR_API_GET_ANNOTATIONS,
                                             .id = job_of(inquiry)->job_id,
                                             .holds = &inquiry->annotations });
}

/* What is found out about the job is recorded. Returns false when that fails. */
static bool keep(struct jr_inquiry *inquiry, const struct jr_finding *finding)
{
    struct jr_failure failure = jr_judging_failure(job_of(inquiry), inquiry->run.attempt, finding);
    struct jr_desk *desk = inquiry->inquirer->desk;
    struct jr_error error;
    enum jr_err err;

    err = jr_judging_save(desk->store, inquiry->run.run_id, &failure, jr_now_ms(), &error);
    if (err == JR_OK && jr_judging_add(&inquiry->judging, &failure) != JR_OK)
        err = jr_error_set(&error, JR_ENOMEM, "out of memory");
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        end(inquiry, JR_INQUIRY_LAID_DOWN);
        return false;
    }
    jr_process_note_commit(desk->process, true);
    jr_test_point("found-out");
    return true;
}

/* Is it decided by now what becomes of the run? */
static bool is_settled(const struct jr_inquiry *inquiry)
{
    const struct jr_inquirer *inquirer = inquiry->inquirer;
    const struct jr_settings *settings = inquirer->desk->settings;

    return settings->evidence != JR_LOOKING_ALWAYS
           && jr_judging_is_settled(&inquiry->judging, settings, &inquiry->run);
}

/* On to the next job of which nothing is known. */
static void go_on(struct jr_inquiry *inquiry)
{
    static const struct jr_finding echo = { .cause = JR_CAUSE_ECHO };
    static const struct jr_finding unread = { .cause = JR_CAUSE_UNKNOWN, .unreadable = true };

    for (; inquiry->at < inquiry->count; inquiry->at++) {
        if (jr_judging_find(&inquiry->judging, job_of(inquiry)->job_id) != NULL)
            continue;
        if (is_settled(inquiry))
            break;
        if (inquiry->at < JR_JUDGING_JOBS_MAX && !jr_judge_is_echo(job_of(inquiry)->name)) {
            begin_job(inquiry);
            return;
        }
        if (!keep(inquiry, inquiry->at < JR_JUDGING_JOBS_MAX ? &echo : &unread))
            return;
    }
    end(inquiry, JR_INQUIRY_DONE);
}

static int by_id(const void *a, const void *b)
{
    const struct jr_evidence *left = a, *right = b;

    return (left->job_id > right->job_id) - (left->job_id < right->job_id);
}

/* All jobs are known. */
static void begin_with_jobs(struct jr_inquiry *inquiry)
{
    if (inquiry->count > 0)
        qsort(inquiry->jobs, inquiry->count, sizeof *inquiry->jobs, by_id);
    inquiry->count = jr_evidence_keep_failed(inquiry->jobs, inquiry->count,
                                             inquiry->run.conclusion);
    inquiry->at = 0;
    go_on(inquiry);
}

/* GitHub is not asked for them, or does not list them: those that events have told of. */
static void take_jobs_from_store(struct jr_inquiry *inquiry)
{
    struct jr_desk *desk = inquiry->inquirer->desk;
    struct jr_error error;
    enum jr_err err = jr_judging_jobs(desk->store, &inquiry->run, &inquiry->jobs, &inquiry->count,
                                      &error);

    if (err == JR_OK) {
        begin_with_jobs(inquiry);
    } else {
        jr_desk_store_failed(desk, err, &error);
        end(inquiry, JR_INQUIRY_LAID_DOWN);
    }
}

static void drop_jobs(struct jr_inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->count; i++)
        jr_evidence_release(&inquiry->jobs[i]);
    free(inquiry->jobs);
    inquiry->jobs = NULL;
    inquiry->count = 0;
}

/* All pages have come. */
static void list_is_told(struct jr_inquiry *inquiry, const struct jr_call *call)
{
    struct jr_call later = *call;

    later.outcome = JR_OUTCOME_LATER;
    later.reason = JR_REASON_EVIDENCE_UNREADABLE;
    if (!is_list_behind(inquiry)) {
        begin_with_jobs(inquiry);
    } else if (!try_later(inquiry, &later)) {
        if (inquiry->shown == 0) {
            drop_jobs(inquiry);
            take_jobs_from_store(inquiry);
        } else {
            begin_with_jobs(inquiry);
        }
    }
}

static void jobs_are_told(struct jr_inquiry *inquiry, const struct jr_call *call)
{
    bool is_last = inquiry->listed.shown < JR_GITHUB_PAGE_JOBS || inquiry->page >= JR_GITHUB_PAGES;
    bool is_added = call->outcome == JR_OUTCOME_DONE && add_jobs(inquiry);

    jr_github_jobs_release(&inquiry->listed);
    if (is_added && is_last) {
        list_is_told(inquiry, call);
    } else if (is_added) {
        ask_for_jobs(inquiry);
    } else if (!try_later(inquiry, call)) {
        drop_jobs(inquiry);
        inquiry->judging.incomplete = true;
        take_jobs_from_store(inquiry);
    }
}

static void annotations_are_told(struct jr_inquiry *inquiry, const struct jr_call *call)
{
    struct jr_evidence *from = &inquiry->annotations.evidence, *job = job_of(inquiry);

    if (call->outcome == JR_OUTCOME_DONE) {
        job->annotations_found = from->annotations_found;
        job->annotations = from->annotations;
        job->annotation_count = from->annotation_count;
        memset(from, 0, sizeof *from);
    } else if (call->reason == JR_REASON_NO_PERMISSION) {
        jr_refusals_note(&inquiry->inquirer->refusals, JR_API_GET_ANNOTATIONS, inquiry->run.repo,
                         0, jr_monotonic_ms());
    } else if (try_later(inquiry, call)) {
        return;
    }
    judge(inquiry);
}

/*
 * The log was read, or could not be.
 *   may_pass  it is unreadable, which may be otherwise when it is asked for again
 */
static void log_is_known(struct jr_inquiry *inquiry, enum jr_presence found, bool may_pass)
{
    struct jr_evidence *job = job_of(inquiry);
    int64_t age_ms = jr_now_ms() - job->completed_ms;

    job->log_found = found;
    may_pass |= found == JR_ABSENT && job->completed_ms != 0 && age_ms < LOG_COMES_MS;
    if (may_pass && may_try_again(inquiry)) {
        inquiry->call = inquiry->question->turn.call;
        inquiry->call.outcome = JR_OUTCOME_LATER;
        inquiry->call.reason = JR_REASON_EVIDENCE_UNREADABLE;
        end(inquiry, JR_INQUIRY_LATER);
        return;
    }
    judge(inquiry);
}

static void link_is_told(struct jr_inquiry *inquiry, const struct jr_call *call)
{
    struct jr_github_log *log = &inquiry->log;
    struct jr_evidence *job = job_of(inquiry);

    if (call->outcome == JR_OUTCOME_DONE && log->text != NULL) {
        job->log = log->text;
        job->log_length = log->length;
        job->log_cut = log->cut;
        log->text = NULL;
        log_is_known(inquiry, JR_FOUND, false);
    } else if (call->outcome == JR_OUTCOME_DONE) {
        inquiry->reading = jr_loghost_begin(inquiry->inquirer->desk->loghost, log->link);
        inquiry->state = LOG;
    } else if (!try_later(inquiry, call)) {
        log_is_known(inquiry, call->status == 404 ? JR_ABSENT : JR_UNREADABLE, false);
    }
    memset(log->link, 0, sizeof log->link);
}

static void log_is_read(struct jr_inquiry *inquiry)
{
    struct jr_evidence *job = job_of(inquiry);
    enum jr_presence found;
    bool may_pass;
    char words[JR_LOG_WORDS_SIZE];

    found = jr_loghost_take(inquiry->reading, &job->log, &job->log_length, &job->log_cut, words);
    may_pass = found == JR_UNREADABLE && jr_loghost_may_pass(inquiry->reading);
    jr_loghost_release(inquiry->reading);
    inquiry->reading = NULL;
    if (found == JR_UNREADABLE)
        jr_log(JR_LOG_WARN, "log-unreadable", "run %llu, job %llu of %s: %s",
               (unsigned long long)inquiry->run.run_id, (unsigned long long)job->job_id,
               inquiry->run.repo, words);
    log_is_known(inquiry, found, may_pass);
}

/* It is judged: by all that can be known, or is there a log that may tell more? */
static void take_finding(struct jr_inquiry *inquiry)
{
    const struct jr_settings *settings = inquiry->inquirer->desk->settings;
    struct jr_evidence *job = job_of(inquiry);
    bool reads_logs = settings->evidence != JR_LOOKING_NEVER && settings->log_tail_bytes > 0
                      && jr_monotonic_ms() - inquiry->asked_ms <= LONGEST_MS;

    if (reads_logs && !inquiry->has_looked_at_log && jr_judge_wants_log(job, &inquiry->finding)) {
        inquiry->has_looked_at_log = true;
        ask(inquiry, LINK, (struct jr_ask){ .api = JR_API_GET_LOG, .id = job->job_id,
                                            .tail_bytes = (size_t)settings->log_tail_bytes,
                                            .holds = &inquiry->log });
        return;
    }
    if (!keep(inquiry, &inquiry->finding))
        return;
    jr_evidence_release(job);
    inquiry->at++;
    go_on(inquiry);
}

struct jr_inquiry *jr_inquiry_begin(struct jr_inquirer *inquirer, struct jr_question *question,
                                    const struct jr_run *run, int64_t began_ms,
                                    const struct jr_ownfile *own)
{
    struct jr_inquiry *inquiry = calloc(1, sizeof *inquiry);
    struct jr_desk *desk = inquirer->desk;
    struct jr_error error;
    enum jr_err err;

    if (inquiry == NULL)
        return NULL;
    inquiry->inquirer = inquirer;
    inquiry->question = question;
    inquiry->run = *run;
    inquiry->began_ms = began_ms;
    inquiry->asked_ms = jr_monotonic_ms();
    inquiry->own = own;
    inquiry->judging.policy = &inquirer->policy;
    inquiry->judging.own = own == NULL ? NULL : &own->policy;
    inquiry->next = inquirer->first;
    inquirer->first = inquiry;
    err = jr_judging_load(desk->store, run->run_id, run->attempt, &inquiry->judging, &error);
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        end(inquiry, JR_INQUIRY_LAID_DOWN);
    } else if (desk->settings->judges_only_own && own == NULL) {
        end(inquiry, JR_INQUIRY_DONE);
    } else if (desk->settings->evidence == JR_LOOKING_NEVER) {
        take_jobs_from_store(inquiry);
    } else {
        ask_for_jobs(inquiry);
    }
    return inquiry;
}

bool jr_inquiry_asks(const struct jr_inquiry *inquiry)
{
    return inquiry->state <= LINK;
}

/* Take one step. Returns false when it has to wait for something. */
static bool step(struct jr_inquiry *inquiry)
{
    if (inquiry->state <= LINK) {
        if (!inquiry->question->is_over)
            return false;
        inquiry->question->is_over = false;
    }
    switch (inquiry->state) {
    case JOBS:
        jobs_are_told(inquiry, &inquiry->question->turn.call);
        return true;
    case NOTES:
        annotations_are_told(inquiry, &inquiry->question->turn.call);
        return true;
    case LINK:
        link_is_told(inquiry, &inquiry->question->turn.call);
        return true;
    case LOG:
        if (!jr_loghost_is_over(inquiry->reading))
            return false;
        log_is_read(inquiry);
        return true;
    case JUDGE:
        judge(inquiry);
        return inquiry->state != JUDGE;
    case JUDGED_SOON:
        if (!inquiry->is_judged)
            return false;
        take_finding(inquiry);
        return true;
    case ENDED:
        break;
    }
    return false;
}

enum jr_inquiry_end jr_inquiry_work(struct jr_inquiry *inquiry)
{
    while (step(inquiry))
        continue;
    return inquiry->state == ENDED ? inquiry->end : JR_INQUIRY_GOES_ON;
}

const struct jr_call *jr_inquiry_call(const struct jr_inquiry *inquiry)
{
    return &inquiry->call;
}

struct jr_judging *jr_inquiry_findings(struct jr_inquiry *inquiry)
{
    return &inquiry->judging;
}

void jr_inquiry_end(struct jr_inquiry *inquiry)
{
    struct jr_inquiry **link;

    if (inquiry == NULL)
        return;
    link = &inquiry->inquirer->first;
    while (*link != inquiry)
        link = &(*link)->next;
    *link = inquiry->next;
    jr_calls_drop(&inquiry->inquirer->desk->calls, inquiry->question);
    jr_loghost_release(inquiry->reading);
    jr_github_jobs_release(&inquiry->listed);
    jr_evidence_release(&inquiry->annotations.evidence);
    free(inquiry->log.text);
    drop_jobs(inquiry);
    jr_judging_release(&inquiry->judging);
    free(inquiry);
}
