/*
 * command_why -- the sub-command why: the story of one run, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/clusterview.h"
#include "fcgi/tool/command.h"
#include "fcgi/tool/tint.h"
#include "fcgi/view/storyview.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/github/github.h"
#include "lib/model/standing.h"
#include "lib/service/halt.h"
#include "lib/steps/chosen.h"
#include "lib/steps/control.h"
#include "lib/steps/holding.h"
#include "lib/steps/ownfile.h"
#include "lib/steps/spending.h"
#include "lib/store/listing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records read at once. */
#define BATCH 64

static void print_clean(const char *before, const char *text, const char *after)
{
    char clean[1024];

    jr_show_clean(clean, sizeof clean, text);
    printf("%s%s%s", before, clean, after);
}

static void tell_run(const struct jr_command *command, const struct jr_run *run)
{
    char url[JR_URL_SIZE];

    print_clean("", run->repo[0] == '\0' ? "(unknown repository)" : run->repo, "");
    printf(", run %llu", (unsigned long long)run->run_id);
    if (*jr_run_workflow(run) != '\0')
        print_clean(", workflow '", jr_run_workflow(run), "'");
    if (run->branch[0] != '\0')
        print_clean(", branch '", run->branch, "'");
    if (run->actor[0] != '\0')
        print_clean(", started by ", run->actor, "");
    if (run->trigger[0] != '\0')
        print_clean(" (", run->trigger, ")");
    (void)jr_github_run_url(command->settings.github_api_url, run->repo, run->run_id, url);
    print_clean("\n", url, "\n");
}

/* What is told, and how far it has come: attempt by attempt. */
struct story {
    struct jr_command *command;
    struct jr_run run;
    struct jr_halt halt;
    struct jr_causeholds holds;
    char own[JR_OWNFILE_TOLD_SIZE]; /* what is wrong with its repository's policy; empty: nothing */
    jr_causes held; /* for which of its causes reruns are held, or were until now */
    struct jr_reported reported;
    struct jr_grid grid; /* of the attempt's jobs */
    bool with_events;
    bool told;        /* the attempt has its title */
    uint32_t attempt; /* the one that is told */
    uint32_t next;    /* the one after it, as far as has been seen; 0: there is none */
    unsigned webhooks; /* of the attempt */
    struct jr_clusterview *cluster; /* who has claimed it; NULL: there is one host */
};

/* What somebody can do about it. */
static void tell_remedy(const struct story *story, const struct jr_standing *standing)
{
    if (*standing->remedy == '\0' && !standing->rerun_helps)
        return;
    printf("What to do: %s", standing->remedy);
    if (standing->rerun_helps)
        printf(" To have it rerun by hand: job-rerunner rerun %llu",
               (unsigned long long)story->run.run_id);
    printf("\n");
}

/* When GitHub is asked, if it is. */
static void tell_prospect(const struct story *story)
{
    const struct jr_run *run = &story->run;
    const struct jr_halt halt =
        jr_halt_with(&story->halt, jr_pauses_find(&story->command->pauses, run->repo));
    int64_t due_ms = run->due_ms != 0 ? run->due_ms : run->quiet_due_ms;
    int64_t asked_ms = jr_halt_asked_ms(&halt, due_ms);
    int64_t left_ms = asked_ms - story->command->now_ms;
    char when[JR_WHEN_SIZE], span[JR_SPAN_SIZE];

    if (due_ms == 0)
        return;
    printf("%sGitHub is ", run->due_ms != 0 ? "" : "If nothing is heard of it, ");
    if (asked_ms == 0)
        printf("asked once it goes on (%s): nothing is asked until %s.\n", halt.word,
               halt.until);
    else if (left_ms <= 0)
        printf("to be asked since %s.\n", jr_command_when(asked_ms, when));
    else
        printf("asked at %s, in %s.\n", jr_command_when(asked_ms, when),
               jr_say_span(left_ms, span));
}

/* A run that is due and not asked about all the same. */
static void tell_hold(const struct jr_command *command, const struct jr_run *run)
{
    const struct jr_pause *pause = jr_pauses_hold(&command->pauses, run);
    char words[JR_PAUSE_WORDS_SIZE];

    if (pause == NULL)
        return;
    printf("%c%s (%s): ", jr_reason_words(JR_REASON_PAUSED)[0] - 'a' + 'A',
           jr_reason_words(JR_REASON_PAUSED) + 1, jr_reason_token(JR_REASON_PAUSED));
    print_clean("", jr_pause_words(pause, words), ".\n");
}

/*
 * What its rerun would cost, if it waits for budget, or was left for want of it.
 * Returns false where it does not, or the policy cannot be read.
 */
static bool look_at_cost(const struct story *story, uint64_t *minutes)
{
    const struct jr_command *command = story->command;
    struct jr_policy policy;
    struct jr_error error;
    char *problems;
    bool known;

    if (story->run.reason != JR_REASON_BUDGET_USED_UP)
        return false;
    known = jr_chosen_read(command->settings.policy, &policy, NULL, NULL, &problems) == JR_OK;
    free(problems);
    if (!known)
        return false;
    known = jr_spending_cost(command->store, &policy, &story->run, minutes, &error) == JR_OK;
    jr_policy_release(&policy);
    return known;
}

/* Does the central policy admit those of repositories? If not, nobody goes by them. */
static bool admits_own(const struct jr_command *command)
{
    struct jr_policy policy;
    char *problems;
    bool admits = jr_chosen_read(command->settings.policy, &policy, NULL, NULL, &problems) == JR_OK
                  && policy.repository_files;

    free(problems);
    jr_policy_release(&policy);
    return admits;
}

static void tell_cost(const struct story *story)
{
    char when[JR_WHEN_SIZE];
    uint64_t minutes;

    if (!look_at_cost(story, &minutes))
        return;
    if (story->run.due_ms != 0)
        printf("It waits for budget until %s. ", jr_command_when(story->run.due_ms, when));
    printf("Its rerun would cost %llu runner %s, as its jobs ran last.\n",
           (unsigned long long)minutes, jr_say_plural(minutes, "minute", "minutes"));
}

/* The answer: where the newest attempt stands, why, and what can be done. */
/* What holds its reruns, and what comes next of that. */
static void tell_outages(const struct story *story)
{
    char words[JR_HOLDING_WORDS_SIZE];

    for (size_t i = 0; i < story->holds.count; i++) {
        const struct jr_causehold *hold = &story->holds.items[i];

        if ((story->held & (UINT64_C(1) << hold->cause)) != 0
            && *jr_holding_words(hold, words) != '\0')
            printf("%c%s.\n", toupper((unsigned char)*words), words + 1);
    }
}

static void tell_answer(const struct story *story)
{
    const struct jr_run *run = &story->run;
    enum jr_conclusion conclusion = jr_run_conclusion(run);
    bool color = story->command->color;
    struct jr_standing standing;

    jr_standing_of(run, &standing);
    printf("\n%s%c%s%s: %s (%s).\n", jr_tint_begin(color, standing.mood),
           toupper((unsigned char)*standing.word), standing.word + 1,
           jr_tint_end(color, standing.mood), standing.why, standing.token);
    tell_remedy(story, &standing);
    if (run->by_hand)
        printf("An administrator has asked for a rerun, which is under way.\n");
    if (jr_pauses_hold(&story->command->pauses, run) != NULL)
        tell_hold(story->command, run);
    else
        tell_prospect(story);
    tell_outages(story);
    tell_cost(story);
    if (*story->own != '\0')
        print_clean("The repository's policy is broken: ", story->own, ".\n");
    printf("It is at attempt %u, %s%s; of its jobs %u %s known, %u unfinished, %u failed.\n",
           run->attempt, jr_phase_name(run->phase), run->complete ? ", completed" : "",
           run->jobs_known, jr_say_plural(run->jobs_known, "is", "are"), run->jobs_unfinished,
           run->jobs_failed);
    if (conclusion != JR_CONCLUSION_NONE)
        printf("%s: %s.\n", run->complete ? "Its conclusion" : "What its jobs came to",
               jr_conclusion_name(conclusion));
    printf("GitHub has accepted %u %s from this service.\n", run->reruns,
           jr_say_plural(run->reruns, "rerun", "reruns"));
}

/* Where it is said at GitHub what becomes of it. */
static void tell_report(const struct story *story)
{
    const struct jr_run *run = &story->run;
    const struct jr_reported *reported = &story->reported;
    char web[600];

    jr_github_web_url(story->command->settings.github_api_url, web, sizeof web);
    if (*web == '\0' || !jr_text_is_full_name(run->repo))
        return;
    if (reported->report.check_id != 0)
        printf("Check run: %s/%s/runs/%llu\n", web, run->repo,
               (unsigned long long)reported->report.check_id);
    if (reported->comment_id != 0)
        printf("Comment: %s/%s/pull/%llu#issuecomment-%llu\n", web, run->repo,
               (unsigned long long)reported->report.pull_request,
               (unsigned long long)reported->comment_id);
}

/* Who has claimed an attempt, in a sentence. */
static void tell_claim(const struct jr_claim *claim, uint32_t attempt)
{
    char name[3 * JR_CLAIM_NAME_SIZE], when[JR_WHEN_SIZE];

    jr_show_clean(name, sizeof name, claim->name);
    printf("Attempt %u: ", attempt);
    if (claim->state == JR_CLAIM_HELD)
        printf("%s has it in hand", name);
    else if (claim->state == JR_CLAIM_POSTING)
        printf("%s has asked for its rerun, and nobody knows yet what came of it", name);
    else if (claim->result == JR_CLAIM_ACCEPTED)
        printf("%s has asked for its rerun, and GitHub accepted it", name);
    else
        printf("%s has ended it (%s)", name,
               *claim->reason == '\0' ? jr_claim_result_name(claim->result) : claim->reason);
    printf(", at %s by its clock", jr_command_when(claim->at_ms, when));
    if (claim->status != 0)
        printf(", answer %d", claim->status);
    printf(".\n");
}

static void tell_claims(const struct story *story)
{
    const struct jr_clusterview *view = story->cluster;

    if (view != NULL && *view->text != '\0')
        print_clean("What other hosts do is not known, since etcd does not answer: ", view->text,
                    "\n");
    for (size_t i = 0; view != NULL && i < view->count; i++)
        tell_claim(&view->claims[i], view->attempts[i]);
}

static const struct jr_column job_columns[] = {
    { "JOB", false, true, 0 },         { "STATUS", false, false, 0 },
    { "CONCLUSION", false, false, 0 }, { "TOOK", false, false, 2 },
    { "RUNNER", false, true, 0 },      { "JOB ID", true, false, 1 },
};

static void add_job(struct story *story, const struct jr_job *job)
{
    struct jr_grid *grid = &story->grid;
    char span[JR_SPAN_SIZE] = "";

    if (job->carried_over)
        snprintf(span, sizeof span, "carried over");
    else if (job->completed_ms > job->started_ms && job->started_ms != 0)
        jr_say_span(job->completed_ms - job->started_ms, span);
    jr_grid_add(grid, job->name);
    jr_grid_add(grid, jr_status_name(job->status));
    jr_grid_add(grid,
                 job->conclusion == JR_CONCLUSION_NONE ? "" : jr_conclusion_name(job->conclusion));
    jr_grid_tint(grid, jr_tint_conclusion(job->conclusion));
    jr_grid_add(grid, span);
    jr_grid_add(grid, job->runner);
    jr_grid_addf(grid, "%llu", (unsigned long long)job->job_id);
}

/* Is this of the attempt that is told? Takes note of the one after it. */
static bool is_of_attempt(struct story *story, uint32_t attempt)
{
    if (attempt > story->attempt && (story->next == 0 || attempt < story->next))
        story->next = attempt;
    return attempt == story->attempt;
}

static void tell_title(struct story *story)
{
    if (!story->told)
        printf("\nAttempt %u\n", story->attempt);
    story->told = true;
}

static int tell_jobs(struct story *story)
{
    struct jr_job jobs[BATCH];
    struct jr_error error;
    uint64_t after = 0;
    size_t count;

    do {
        if (jr_listing_jobs(story->command->store, story->run.run_id, &after, jobs, BATCH, &count,
                            &error) != JR_OK)
            return jr_command_store_failed(&error);
        for (size_t i = 0; i < count; i++) {
            if (is_of_attempt(story, jr_run_attempt_of(&story->run, &jobs[i])))
                add_job(story, &jobs[i]);
        }
    } while (count == BATCH);
    return JR_EXIT_OK;
}

/* What the log told of errors, of which nobody knows the cause. */
static void tell_errors(const struct jr_finding *finding)
{
    char lines[JR_FIRST_ERROR_SIZE], *rest = lines, *line;

    if (finding->cause != JR_CAUSE_UNKNOWN || *finding->first_error == '\0')
        return;
    jr_text_copy(lines, sizeof lines, finding->first_error);
    printf("  first errors:\n");
    while ((line = strsep(&rest, "\n")) != NULL)
        print_clean("    ", line, "\n");
}

/* What could not be read, or was not, since the decision needed no more. */
static void tell_unread(const struct jr_failure *failure)
{
    char unread[JR_FAILURE_UNREAD_SIZE];

    if (*jr_failure_unread(failure, unread) != '\0')
        printf("  not read: %s%s\n", unread,
               failure->finding.unreadable ? ", which might have told more" : "");
    else if (failure->finding.unreadable)
        printf("  a pattern reached its limit of work, which might have told more\n");
}

/* As which earlier one the failure was left, and by its line. */
static void tell_same(const struct jr_failure *before)
{
    char line[JR_EVIDENCE_LINE_SIZE];

    if (before->job_id == 0)
        return;
    jr_failure_line(before, line, sizeof line);
    printf("  as in attempt %u", before->attempt);
    print_clean(": ", line, "\n");
}

static void tell_failure(const struct jr_failure *failure, const struct jr_failure *before)
{
    const struct jr_finding *finding = &failure->finding;

    print_clean("Why ", failure->name, " failed: ");
    printf("%s", finding->cause == JR_CAUSE_NONE ? "not judged" : jr_cause_name(finding->cause));
    if (*finding->signature != '\0')
        print_clean(", by the signature ", finding->signature, "");
    if (*finding->step != '\0')
        print_clean(", in step '", finding->step, "'");
    printf("\n");
    if (*finding->line != '\0')
        print_clean("  line: ", finding->line, "\n");
    tell_errors(finding);
    tell_unread(failure);
    if (*failure->rule != '\0')
        print_clean("  by the rule ", failure->rule, ": ");
    else
        printf("  ");
    printf("%s\n", jr_failure_then(failure));
    tell_same(before);
}

static int tell_one(struct story *story, const struct jr_failure *failure)
{
    struct jr_failure before = { .job_id = 0 };
    struct jr_error error;

    if (!is_of_attempt(story, failure->attempt))
        return JR_EXIT_OK;
    if (failure->same_failure
        && jr_listing_same_failure(story->command->store, story->run.run_id, failure, &before,
                                   &error) != JR_OK)
        return jr_command_store_failed(&error);
    tell_title(story);
    tell_failure(failure, &before);
    return JR_EXIT_OK;
}

/* What was found out about the attempt's failed jobs. */
static int tell_failures(struct story *story)
{
    struct jr_failure failures[BATCH];
    struct jr_error error;
    uint64_t after = 0;
    size_t count;
    int status = JR_EXIT_OK;

    do {
        if (jr_listing_failures(story->command->store, story->run.run_id, &after, failures, BATCH,
                                &count, &error) != JR_OK)
            return jr_command_store_failed(&error);
        for (size_t i = 0; i < count && status == JR_EXIT_OK; i++)
            status = tell_one(story, &failures[i]);
    } while (count == BATCH && status == JR_EXIT_OK);
    return status;
}

/* In words, webhooks are only counted, unless they are asked for. */
static void tell_entry(struct story *story, const struct jr_history *entry)
{
    if (!is_of_attempt(story, entry->attempt))
        return;
    tell_title(story);
    story->webhooks += entry->kind == JR_HISTORY_EVENT;
    if (story->with_events || entry->kind != JR_HISTORY_EVENT)
        jr_command_tell_entry(entry);
}

static int tell_history(struct story *story)
{
    struct jr_history entries[BATCH];
    struct jr_error error;
    uint32_t number = 0;
    size_t count;

    do {
        if (jr_listing_history(story->command->store, story->run.run_id, &number, entries, BATCH,
                               &count, &error) != JR_OK)
            return jr_command_store_failed(&error);
        for (size_t i = 0; i < count; i++)
            tell_entry(story, &entries[i]);
    } while (count == BATCH);
    return JR_EXIT_OK;
}

/* An attempt, if anything is known of it: its jobs, why they failed, what was decided and asked. */
static int tell_attempt(struct story *story)
{
    int status;

    story->told = false;
    story->next = story->webhooks = 0;
    jr_grid_init(&story->grid, job_columns, sizeof job_columns / sizeof *job_columns);
    status = tell_jobs(story);
    if (story->grid.used > 0 && status == JR_EXIT_OK) {
        tell_title(story);
        status = jr_command_show(story->command, &story->grid);
    }
    jr_grid_release(&story->grid);
    if (status == JR_EXIT_OK)
        status = tell_failures(story);
    if (status == JR_EXIT_OK)
        status = tell_history(story);
    if (story->webhooks > 0 && !story->with_events)
        printf("%u %s: job-rerunner why --events %llu\n", story->webhooks,
               jr_say_plural(story->webhooks, "webhook", "webhooks"),
               (unsigned long long)story->run.run_id);
    return status;
}

static int tell_in_words(struct story *story)
{
    int status;

    tell_run(story->command, &story->run);
    tell_answer(story);
    tell_report(story);
    tell_claims(story);
    do {
        status = tell_attempt(story);
        story->attempt = story->next;
    } while (status == JR_EXIT_OK && story->next != 0);
    return status;
}

static int tell_as_json(const struct story *story)
{
    const struct jr_command *command = story->command;
    const struct jr_clusterview *hosts = story->cluster;
    struct jr_storyview view = { .store = command->store, .settings = &command->settings,
                                 .pauses = &command->pauses, .now_ms = command->now_ms };
    struct jr_policy policy;
    struct jr_error error;
    struct jr_emit emit;
    char *problems;
    enum jr_err err;

    if (jr_chosen_read(command->settings.policy, &policy, NULL, NULL, &problems) == JR_OK)
        view.policy = &policy;
    if (hosts != NULL && *hosts->text == '\0') {
        view.claims = hosts->claims;
        view.attempts = hosts->attempts;
        view.claim_count = hosts->count;
    }
    jr_emit_init(&emit, stdout);
    err = jr_storyview_emit(&view, story->run.run_id, &emit, &error);
    jr_emit_end(&emit);
    jr_policy_release(&policy);
    free(problems);
    return err == JR_OK ? JR_EXIT_OK : jr_command_store_failed(&error);
}

/* Was the run there, and somebody had it forgotten? */
static bool tell_who_forgot(const struct jr_command *command, uint64_t run_id)
{
    struct jr_error error;
    struct jr_act act;
    char when[JR_WHEN_SIZE];

    if (jr_control_find_act(command->store, JR_ACT_FORGET, run_id, &act, &error) != JR_OK)
        return false;
    jr_command_fail(JR_EXIT_FAILED, "nothing is recorded of run %llu of %s: it was forgotten by "
                    "%s at %s", (unsigned long long)run_id, act.repo,
                    *act.who == '\0' ? "somebody" : act.who, jr_command_when(act.at_ms, when));
    return true;
}

/* What stands around the run. */
static enum jr_err read_surroundings(const struct jr_command *command, struct story *story,
                                     struct jr_error *error)
{
    enum jr_err err = jr_halt_read(command->store, &command->settings, command->now_ms,
                                   &story->halt, error);

    if (err == JR_OK)
        err = jr_holding_of_run(command->store, &story->run, command->now_ms, &story->holds,
                                &story->held, error);
    if (err == JR_OK)
        err = jr_listing_reported(command->store, &story->run, &story->reported, error);
    if (err == JR_OK)
        err = jr_ownfile_of_run(command->store, &story->run, story->own, error);
    if (err == JR_OK && *story->own != '\0' && !admits_own(command))
        story->own[0] = '\0';
    return err;
}

/* Where there are several hosts, who has it. */
static void look_at_claims(struct story *story)
{
    if (!jr_settings_clusters(&story->command->settings))
        return;
    story->cluster = malloc(sizeof *story->cluster);
    if (story->cluster != NULL && jr_clusterview_open(story->cluster, story->command))
        (void)jr_clusterview_claims(story->cluster, story->run.run_id);
}

int jr_command_why(struct jr_command *command)
{
    struct story story = {
        .command = command,
        .with_events = jr_command_value(command, "events") != NULL,
    };
    struct jr_error error;
    char repo[JR_REPO_SIZE];
    uint64_t run_id;
    enum jr_err err;
    int status = jr_command_read_run(command, &run_id, repo);

    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    err = jr_listing_run(command->store, run_id, &story.run, &error);
    if (err == JR_ENOENT && tell_who_forgot(command, run_id))
        return JR_EXIT_FAILED;
    if (err == JR_ENOENT)
        return jr_command_fail(JR_EXIT_FAILED, "%s: no webhook told of it, or it is older than "
                               "RETENTION, or it was forgotten. Does the repository have the "
                               "webhook? GitHub's page of its deliveries shows what was sent",
                               error.text);
    if (err == JR_OK)
        err = read_surroundings(command, &story, &error);
    if (err != JR_OK)
        return jr_command_store_failed(&error);
    look_at_claims(&story);
    status = command->json ? tell_as_json(&story) : tell_in_words(&story);
    if (story.cluster != NULL)
        jr_clusterview_close(story.cluster);
    free(story.cluster);
    return status;
}
