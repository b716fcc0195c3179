/*
 * judge -- the cause of a failed job, by the evidence that there is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/judge.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/joblog.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What counts only as the last words of a step has to stand within so many lines of its end. */
#define LAST_WORDS 60

/* GitHub gives a job up when no runner took it for a quarter of an hour. */
#define NEVER_TAKEN_LEAST_MS (10 * JR_MINUTE_MS)
#define NEVER_TAKEN_MOST_MS (45 * JR_MINUTE_MS)

/* So soon after it, when no annotation could tell of a person who has refused a deployment. */
#define NEVER_TAKEN_UNTOLD_MS (20 * JR_MINUTE_MS)

/* Step times are whole seconds. */
#define STEP_SLACK_MS JR_SECOND_MS

/* How long after a round number of minutes a job that ran into its limit of time is over. */
#define ROUND_MS (5 * JR_MINUTE_MS)
#define ROUND_SLACK_MS (90 * JR_SECOND_MS)

/* The best match of one weight. */
struct best {
    const struct jr_signatures *set; /* NULL: none */
    size_t index;
    char line[JR_EVIDENCE_LINE_SIZE];
};

struct judge {
    struct jr_signature_sets sets;
    const struct jr_evidence *evidence;
    const struct jr_job_step *step; /* the one that failed, or was interrupted; NULL: none */
    bool in_tests;
    bool limited;
    struct best in_log[JR_WEIGHTS], in_annotations[JR_WEIGHTS];
    struct jr_finding *finding;
};

static const struct jr_signatures *builtin_of(const struct judge *judge)
{
    return judge->sets.items[judge->sets.count - 1];
}

/* The part of a log that a step has said. */
struct region {
    size_t first, last;       /* numbers of lines, from 0; both are in it */
    int64_t from_ms, to_ms;   /* besides, when they are not 0 */
};

static bool is_word_of(const char *text, const char *const *words)
{
    char word[JR_NAME_SIZE];

    for (const char *at = text; *at != '\0';) {
        size_t length = 0;

        while (*at != '\0' && !isalnum((unsigned char)*at))
            at++;
        while (length < sizeof word - 1 && isalnum((unsigned char)at[length]))
            length++;
        memcpy(word, at, length);
        word[length] = '\0';
        for (size_t i = 0; length > 0 && words[i] != NULL; i++)
            if (jr_text_match(words[i], word))
                return true;
        at += length;
    }
    return false;
}

bool jr_judge_runs_tests(const char *step)
{
    static const char *const words[] = {
        "test*", "spec", "specs", "e2e", "integration", "pytest", "ctest", "jest", "vitest",
        "mocha", "cypress", "playwright", "rspec", "phpunit", "tox", "nox", "verify", "unittest*",
        "*tests", "coverage", "maketest", "testrace", NULL
    };

    return is_word_of(step, words);
}

bool jr_judge_is_echo(const char *job)
{
    static const char *const names[] = {
        "all-green", "all green", "alls-green", "allgreen", "ci status", "ci-status", "ci ok",
        "ci-ok", "ci success", "ci-success", "ci result", "ci-result", "final results",
        "final result", "required checks", "required-checks", "status check", "status-check",
        "check status", "check-status", "all checks*", "all-checks*", "all jobs*", "all-jobs*",
        "tests passed", "tests-passed", "success", "ready", "gate", "conclusion", "ci gate",
        "ci-gate", "merge gate", "merge-gate", "results", "done", NULL
    };

    for (size_t i = 0; names[i] != NULL; i++)
        if (jr_text_match(names[i], job))
            return true;
    return false;
}

static bool begins(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Was the step made by the runner, and not by the workflow? Names can be the workflow's, too. */
static bool is_before_work(const struct jr_job_step *step)
{
    return begins(step->name, "Set up job") || begins(step->name, "Set up runner")
           || begins(step->name, "Initialize containers") || begins(step->name, "Pull ")
           || begins(step->name, "Pre ")
           || (begins(step->name, "Build ") && strchr(step->name, '@') != NULL);
}

static bool is_after_work(const struct jr_job_step *step)
{
    return begins(step->name, "Post ") || begins(step->name, "Stop containers")
           || begins(step->name, "Complete job") || begins(step->name, "Complete runner")
           || begins(step->name, "Wait for all background steps");
}

static bool failed(const struct jr_job_step *step)
{
    return step->conclusion == JR_CONCLUSION_FAILURE
           || step->conclusion == JR_CONCLUSION_TIMED_OUT;
}

/* The step to look at: the first of the job's own that failed, else any that failed. */
static const struct jr_job_step *find_failed(const struct jr_evidence *evidence)
{
    const struct jr_job_step *any = NULL;

    for (size_t i = 0; i < evidence->step_count; i++) {
        const struct jr_job_step *step = &evidence->steps[i];

        if (!failed(step))
            continue;
        if (!is_before_work(step) && !is_after_work(step))
            return step;
        if (any == NULL)
            any = step;
    }
    return any;
}

static const struct jr_job_step *find_interrupted(const struct jr_evidence *evidence)
{
    for (size_t i = 0; i < evidence->step_count; i++)
        if (evidence->steps[i].conclusion == JR_CONCLUSION_CANCELLED
            || evidence->steps[i].status == JR_STATUS_IN_PROGRESS)
            return &evidence->steps[i];
    return NULL;
}

static void note(struct best best[JR_WEIGHTS], const struct jr_signatures *set,
                 const struct jr_matches *matches, const char *line)
{
    for (size_t weight = 0; weight < JR_WEIGHTS; weight++) {
        if (matches->index[weight] == SIZE_MAX)
            continue;
        best[weight].set = set;
        best[weight].index = matches->index[weight];
        jr_text_copy(best[weight].line, sizeof best[weight].line, line);
    }
}

/*
 * A line says both that something is the code's fault and that a service failed: the second is
 * why, as when a test's summary names a 429.
 */
static void settle_line(struct jr_matches *matches)
{
    if (matches->index[JR_WEIGHT_TRANSIENT] != SIZE_MAX)
        matches->index[JR_WEIGHT_HARD] = SIZE_MAX;
}

/*
 * What was said long before the end of the step did not end it: a fault was overcome, and what
 * was refused could be done without. What the code did wrong may have been said long before.
 */
static void keep_lasting(const struct jr_signatures *set, struct jr_matches *matches)
{
    static const enum jr_weight refusals[] = { JR_WEIGHT_HARD, JR_WEIGHT_WEAK };

    matches->index[JR_WEIGHT_TRANSIENT] = SIZE_MAX;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        size_t *index = &matches->index[refusals[i]];

        if (*index != SIZE_MAX && jr_signature_cause(set, *index) == JR_CAUSE_ENVIRONMENT)
            *index = SIZE_MAX;
    }
}

/* Has a set before this one something of the weight? */
static bool stands(const struct judge *judge, const struct best *best, size_t set)
{
    for (size_t i = 0; i < set; i++)
        if (best->set == judge->sets.items[i] && best->set->count > 0)
            return true;
    return false;
}

/* Match a line by all sets; what an earlier one says of a weight stands. */
static void match_line(struct judge *judge, struct best best[JR_WEIGHTS], const char *text,
                       size_t length, unsigned place, bool late)
{
    for (size_t i = 0; i < judge->sets.count; i++) {
        const struct jr_signatures *set = judge->sets.items[i];
        struct jr_matches matches;

        jr_signatures_match(set, text, length, place, judge->evidence->name, judge->in_tests,
                            &matches);
        judge->limited |= matches.limited;
        settle_line(&matches);
        if (!late)
            keep_lasting(set, &matches);
        for (size_t weight = 0; weight < JR_WEIGHTS; weight++)
            if (stands(judge, &best[weight], i))
                matches.index[weight] = SIZE_MAX;
        note(best, set, &matches, text);
    }
}

static bool is_cleanup(const struct jr_joblog_line *line)
{
    return begins(line->text, "Post job cleanup.") || begins(line->text, "Cleaning up orphan");
}

/*
 * Where in the log the failed step speaks, by the headings of steps: each begins with its
 * script. It is the last one with an error before the runner cleans up, to its end: an action
 * may go on after its error.
 */
static void find_by_headings(const struct jr_evidence *evidence, struct region *region)
{
    struct jr_joblog log;
    struct jr_joblog_line line;
    size_t number = 0, begin = 0;
    bool error = false, any_error = false, was_script = false;

    region->first = 0;
    region->last = SIZE_MAX;
    jr_joblog_init(&log, evidence->log, evidence->log_length, evidence->log_cut);
    for (; jr_joblog_next(&log, &line); number++) {
        bool heading = line.mark == JR_MARK_GROUP && line.script && !was_script;

        was_script = line.script;
        if (is_cleanup(&line))
            break;
        if (heading) {
            begin = number;
            error = false;
        }
        if (line.mark == JR_MARK_ERROR) {
            error = any_error = true;
            region->first = begin;
        }
        if (error)
            region->last = number;
    }
    if (!any_error) {
        region->first = begin;
        region->last = number;
    }
}

/* By the step's times, when lines were written between them. */
static bool find_by_times(const struct judge *judge, struct region *region)
{
    const struct jr_evidence *evidence = judge->evidence;
    struct jr_joblog log;
    struct jr_joblog_line line;
    size_t number = 0;
    bool found = false;

    if (judge->step == NULL || judge->step->started_ms == 0 || judge->step->completed_ms == 0)
        return false;
    region->from_ms = judge->step->started_ms;
    region->to_ms = judge->step->completed_ms + STEP_SLACK_MS;
    jr_joblog_init(&log, evidence->log, evidence->log_length, evidence->log_cut);
    for (; jr_joblog_next(&log, &line); number++) {
        if (line.time_ms < region->from_ms || line.time_ms >= region->to_ms || line.script)
            continue;
        if (!found)
            region->first = number;
        region->last = number;
        found = true;
    }
    if (!found)
        region->from_ms = region->to_ms = 0;
    return found;
}

static bool is_exit_code(const char *text)
{
    return begins(text, "Process completed with exit code")
           || begins(text, "The process '");
}

/* Keep the first lines that tell of an error, for who has to find a signature for them. */
static void keep_error(struct jr_finding *finding, const struct jr_joblog_line *line)
{
    size_t length = strlen(finding->first_error);

    if (line->length == 0 || is_exit_code(line->text)
        || (line->mark != JR_MARK_ERROR && strcasestr(line->text, "error") == NULL
            && strcasestr(line->text, "fail") == NULL))
        return;
    if (length + line->length + 2 > sizeof finding->first_error) {
        if (length > 0)
            return;
    }
    if (length > 0)
        finding->first_error[length++] = '\n';
    jr_text_copy(finding->first_error + length, sizeof finding->first_error - length, line->text);
}

static void read_log(struct judge *judge)
{
    const struct jr_evidence *evidence = judge->evidence;
    struct region region = { .from_ms = 0 };
    struct jr_joblog log;
    struct jr_joblog_line line;

    if (evidence->log_found != JR_FOUND)
        return;
    if (!find_by_times(judge, &region))
        find_by_headings(evidence, &region);
    jr_joblog_init(&log, evidence->log, evidence->log_length, evidence->log_cut);
    for (size_t number = 0; number <= region.last && jr_joblog_next(&log, &line); number++) {
        if (number < region.first || line.script
            || jr_signatures_ignore(builtin_of(judge), line.text, line.length))
            continue;
        keep_error(judge->finding, &line);
        match_line(judge, judge->in_log, line.text, line.length, JR_IN_LOG,
                   region.last - number < LAST_WORDS);
    }
}

static void read_annotations(struct judge *judge)
{
    const struct jr_evidence *evidence = judge->evidence;
    char line[JR_JOBLOG_LINE_MAX + 1];

    for (size_t i = 0; i < evidence->annotation_count; i++) {
        const char *at = evidence->annotations[i].message;

        if (!evidence->annotations[i].failure)
            continue;
        while (*at != '\0') {
            size_t length = strcspn(at, "\n");
            size_t kept = length < sizeof line - 1 ? length : sizeof line - 1;

            memcpy(line, at, kept);
            line[kept] = '\0';
            match_line(judge, judge->in_annotations, line, kept, JR_IN_ANNOTATION, true);
            at += length + (at[length] == '\n');
        }
    }
}

static bool conclude(struct judge *judge, const struct best *best)
{
    struct jr_finding *finding = judge->finding;

    if (best->set == NULL)
        return false;
    finding->cause = jr_signature_cause(best->set, best->index);
    jr_text_copy(finding->signature, sizeof finding->signature,
                 jr_signature_id(best->set, best->index));
    jr_text_copy(finding->line, sizeof finding->line, best->line);
    return true;
}

static bool conclude_shape(struct judge *judge, bool seen, const char *shape)
{
    struct best best = { .set = builtin_of(judge) };

    if (!seen)
        return false;
    best.index = jr_signatures_shape(builtin_of(judge), shape);
    return best.index != SIZE_MAX && conclude(judge, &best);
}

/*
 * A job that was ended at its limit of time looks as one whose runner is lost, but for an
 * annotation. Where those cannot be read, a round number of minutes is taken for a limit.
 */
static bool may_be_timeout(const struct jr_evidence *evidence)
{
    int64_t ran_ms = evidence->completed_ms - evidence->started_ms;

    return evidence->annotations_found == JR_UNREADABLE
           && (evidence->started_ms == 0 || evidence->completed_ms == 0
               || (ran_ms >= ROUND_MS && ran_ms % ROUND_MS < ROUND_SLACK_MS));
}

static bool was_never_taken(const struct jr_evidence *evidence)
{
    int64_t waited_ms = evidence->completed_ms - evidence->created_ms;
    int64_t most_ms = evidence->annotations_found == JR_UNREADABLE ? NEVER_TAKEN_UNTOLD_MS
                                                                   : NEVER_TAKEN_MOST_MS;

    return evidence->runner_told && evidence->runner_id == 0 && *evidence->runner == '\0'
           && evidence->steps_found == JR_ABSENT && evidence->created_ms != 0
           && evidence->conclusion != JR_CONCLUSION_CANCELLED
           && waited_ms >= NEVER_TAKEN_LEAST_MS && waited_ms <= most_ms;
}

/* The shapes of a runner that is gone, or never came. */
static bool conclude_loss(struct judge *judge)
{
    const struct jr_evidence *evidence = judge->evidence;
    const struct jr_job_step *interrupted = find_interrupted(evidence);
    bool lost = evidence->conclusion != JR_CONCLUSION_CANCELLED && find_failed(evidence) == NULL
                && interrupted != NULL;

    if (conclude_shape(judge, was_never_taken(evidence), "never-taken"))
        return true;
    if (!lost)
        return false;
    if (may_be_timeout(evidence)
        || (evidence->annotations_found == JR_UNREADABLE && evidence->log_found != JR_ABSENT)) {
        judge->finding->unreadable = true;
        return false;
    }
    return conclude_shape(judge, interrupted->conclusion == JR_CONCLUSION_CANCELLED,
                          "cancelled-step")
           || conclude_shape(judge, true, "in-progress");
}

static bool only_failed(const struct jr_evidence *evidence,
                        bool (*kind)(const struct jr_job_step *step))
{
    bool any = false;

    for (size_t i = 0; i < evidence->step_count; i++) {
        if (failed(&evidence->steps[i]) && !kind(&evidence->steps[i]))
            return false;
        any |= failed(&evidence->steps[i]);
    }
    return any;
}

static bool is_container_step(const struct jr_job_step *step)
{
    return begins(step->name, "Initialize containers") || begins(step->name, "Pull ");
}

static bool all_succeeded(const struct jr_evidence *evidence)
{
    for (size_t i = 0; i < evidence->step_count; i++)
        if (evidence->steps[i].conclusion != JR_CONCLUSION_SUCCESS
            && evidence->steps[i].conclusion != JR_CONCLUSION_SKIPPED)
            return false;
    return evidence->step_count > 1;
}

/* The shapes of what the runner itself does. */
static bool conclude_runner_steps(struct judge *judge)
{
    const struct jr_evidence *evidence = judge->evidence;
    bool is_failure = evidence->conclusion == JR_CONCLUSION_FAILURE;

    return conclude_shape(judge, only_failed(evidence, is_container_step), "container")
           || conclude_shape(judge, only_failed(evidence, is_before_work), "setup")
           || conclude_shape(judge, only_failed(evidence, is_after_work), "after")
           || conclude_shape(judge, is_failure && evidence->log_found == JR_ABSENT
                                        && evidence->step_count > 0 && !may_be_timeout(evidence)
                                        && find_failed(evidence) == NULL, "no-log")
           || conclude_shape(judge, is_failure && all_succeeded(evidence), "no-work");
}

/* By the name of the failed step. */
static bool conclude_by_name(struct judge *judge)
{
    struct best best[JR_WEIGHTS];

    if (judge->step == NULL)
        return false;
    memset(best, 0, sizeof best);
    match_line(judge, best, judge->step->name, strlen(judge->step->name), JR_IN_STEP_NAME, true);
    for (size_t weight = 0; weight < JR_WEIGHTS; weight++)
        if (conclude(judge, &best[weight]))
            return true;
    return false;
}

static bool conclude_by_evidence(struct judge *judge)
{
    const struct best *log = judge->in_log, *said = judge->in_annotations;
    bool has_log = judge->evidence->log_found == JR_FOUND;

    return conclude(judge, &said[JR_WEIGHT_VETO]) || conclude(judge, &log[JR_WEIGHT_VETO])
           || conclude(judge, &said[JR_WEIGHT_TIMEOUT]) || conclude(judge, &log[JR_WEIGHT_TIMEOUT])
           || conclude(judge, &log[JR_WEIGHT_HARD])
           || (!has_log && conclude(judge, &said[JR_WEIGHT_HARD]))
           || conclude(judge, &said[JR_WEIGHT_SERVICE]) || conclude_loss(judge)
           || conclude(judge, &log[JR_WEIGHT_TRANSIENT])
           || conclude(judge, &said[JR_WEIGHT_TRANSIENT]) || conclude_runner_steps(judge)
           || conclude(judge, &log[JR_WEIGHT_WEAK]) || conclude(judge, &said[JR_WEIGHT_WEAK])
           || conclude_by_name(judge);
}

void jr_judge(const struct jr_signature_sets *sets, const struct jr_evidence *evidence,
              struct jr_finding *finding)
{
    struct judge judge = {
        .sets = *sets, .evidence = evidence, .finding = finding,
        .step = find_failed(evidence),
    };

    memset(finding, 0, sizeof *finding);
    if (judge.step == NULL)
        judge.step = find_interrupted(evidence);
    if (judge.step != NULL)
        jr_text_copy(finding->step, sizeof finding->step, judge.step->name);
    judge.in_tests = jr_judge_runs_tests(finding->step);
    read_annotations(&judge);
    read_log(&judge);
    if (conclude_by_evidence(&judge))
        return;
    finding->cause = JR_CAUSE_UNKNOWN;
    finding->unreadable |= judge.limited || evidence->log_found == JR_UNREADABLE
                           || evidence->annotations_found == JR_UNREADABLE;
}

/* Of the order in which evidence counts, the log comes third; and its hard text counts in a step
 * that failed. */
bool jr_judge_wants_log(const struct jr_evidence *evidence, const struct jr_finding *finding)
{
    bool never_ran = evidence->runner_told && evidence->runner_id == 0
                     && evidence->steps_found == JR_ABSENT;

    if (jr_cause_forbids(finding->cause) || finding->cause == JR_CAUSE_TIMEOUT
        || finding->cause == JR_CAUSE_ECHO || never_ran)
        return false;
    return !(jr_cause_is_infrastructural(finding->cause) && *finding->signature != '\0'
             && evidence->steps_found == JR_FOUND && find_failed(evidence) == NULL);
}
