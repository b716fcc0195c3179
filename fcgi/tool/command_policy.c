/*
 * command_policy -- the sub-command policy: what a policy says, and what it would do with a
 * failed run, without a store and without GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "fcgi/tool/evidencefile.h"
#include "fcgi/view/policyshow.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/rules/bounds.h"
#include "lib/rules/guards.h"
#include "lib/rules/policy.h"
#include "lib/rules/signatures.h"
#include "lib/steps/judging.h"
#include "lib/steps/ownfile.h"
#include "lib/steps/step.h"
#include "lib/store/budget.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the policy asks for and does not get. */
static void warn(const struct jr_command *command, const char *name,
                 const struct jr_policy *policy)
{
    struct jr_problems *warnings = calloc(1, sizeof *warnings);
    char clean[1024];

    if (warnings == NULL)
        return;
    jr_policy_warn(policy, command->settings.run_attempts, warnings);
    jr_show_clean(clean, sizeof clean, name);
    for (size_t i = 0; i < warnings->count; i++)
        fprintf(stderr, "%s:%u:%u: warning: %s\n", clean, warnings->items[i].line,
                warnings->items[i].column, warnings->items[i].text);
    free(warnings);
}

static int check(struct jr_command *command, const char *name)
{
    bool own = jr_command_value(command, "own") != NULL;
    struct jr_policy policy;
    int status = jr_command_load_bounds(command);

    if (status == JR_EXIT_OK)
        status = own ? jr_command_read_own_policy(name, &policy)
                     : jr_command_read_policy(command, name, &policy, NULL, NULL);
    if (status != JR_EXIT_OK)
        return status;
    warn(command, name, &policy);
    printf("%s: good; %zu rules, %zu signatures of its own", name, policy.base.rule_count,
           policy.signatures.count);
    if (own)
        printf(", as a repository's own policy\n");
    else
        printf(", %zu repositories with deviations\n", policy.repo_count);
    jr_policy_release(&policy);
    return JR_EXIT_OK;
}

static int show(struct jr_command *command, const char *name)
{
    struct jr_policyshow policyshow;
    struct jr_policy policy;
    struct jr_emit emit;
    char *text, clean[1024];
    size_t length;
    enum jr_err err;
    int status = jr_command_load_bounds(command);

    if (status == JR_EXIT_OK)
        status = jr_command_read_policy(command, name, &policy, &text, &length);
    if (status != JR_EXIT_OK)
        return status;
    if (name == NULL)
        name = command->settings.policy;
    warn(command, name, &policy);
    policyshow = (struct jr_policyshow){
        .name = name, .preset = jr_policy_preset(name) != NULL, .text = text, .length = length,
        .run_attempts = command->settings.run_attempts,
    };
    if (command->json) {
        jr_emit_init(&emit, stdout);
        err = jr_policyshow_emit(&policyshow, &emit, NULL);
        jr_emit_end(&emit);
    } else {
        jr_show_clean(clean, sizeof clean, name);
        printf("# %s %s\n", policyshow.preset ? "the preset" : "the file", clean);
        err = jr_policyshow_write(&policyshow, stdout);
    }
    if (err != JR_OK)
        status = jr_command_fail(JR_EXIT_FAILED, "out of memory");
    jr_policy_release(&policy);
    free(text);
    return status;
}

/* Find the newest run of a repository. It may be none that events told of: JR_ENOENT. */
static enum jr_err find_run(struct jr_command *command, const char *repo, struct jr_run *run,
                            struct jr_error *error)
{
    char *pattern = strdup(repo);
    struct jr_listing_filter filter = { .phase = JR_LISTING_ANY_PHASE,
                                        .repos = { .items = &pattern, .count = 1 } };
    struct jr_listing *listing = calloc(1, sizeof *listing);
    enum jr_err err = pattern == NULL || listing == NULL
                          ? jr_error_set(error, JR_ENOMEM, "out of memory")
                          : JR_OK;
    size_t count = 0;

    while (listing != NULL && err == JR_OK && count == 0 && !listing->ended)
        err = jr_listing_runs(command->store, &filter, listing, run, 1, &count, error);
    free(listing);
    free(pattern);
    return err == JR_OK && count == 0 ? JR_ENOENT : err;
}

/* The policy that a repository has of its own, as it was read last. */
static int load_own(struct jr_command *command, const char *repo, struct jr_ownpolicy *own)
{
    struct jr_error error;
    struct jr_run run;
    enum jr_err err = find_run(command, repo, &run, &error);

    if (err == JR_OK)
        err = jr_ownfile_load(command->store, jr_budget_scope(&run), own, &error);
    return err == JR_OK || err == JR_ENOENT ? JR_EXIT_OK : jr_command_store_failed(&error);
}

static const char *say_own(const struct jr_policy *policy, const struct jr_ownpolicy *own)
{
    static const char *const states[] = {
        [JR_OWNPOLICY_UNKNOWN] = "its own was not read by now, or may not be",
        [JR_OWNPOLICY_NONE] = "it has none of its own",
        [JR_OWNPOLICY_GOOD] = "its own under that",
        [JR_OWNPOLICY_BROKEN] = "its own is broken",
    };

    return policy->repository_files ? states[own->state] : "the centre admits none of its own";
}

static enum jr_err print_for(const struct jr_command *command,
                             const struct jr_policyshow_repo *show)
{
    struct jr_emit emit;
    enum jr_err err;

    if (!command->json)
        return jr_policyshow_write_for(show, stdout);
    jr_emit_init(&emit, stdout);
    err = jr_policyshow_emit_for(show, &emit, NULL);
    jr_emit_end(&emit);
    return err;
}

/* What is in force for one repository. */
static int write_for(const struct jr_command *command, const char *name, const char *repo,
                     const struct jr_ownpolicy *own)
{
    struct jr_policyshow centre = { .run_attempts = command->settings.run_attempts };
    struct jr_policyshow ours = { .name = JR_OWNFILE_PATH, .text = own->text,
                                  .length = own->length, .run_attempts = centre.run_attempts };
    struct jr_policy policy, own_policy = { .repo_count = 0 };
    char *text, clean[1024], told[JR_OWNFILE_WORDS_SIZE];
    struct jr_policy_force force;
    bool counts;
    int status = jr_command_read_policy(command, name, &policy, &text, &centre.length);

    if (status != JR_EXIT_OK)
        return status;
    centre.name = name == NULL ? command->settings.policy : name;
    centre.preset = jr_policy_preset(centre.name) != NULL;
    centre.text = text;
    counts = policy.repository_files && jr_ownfile_policy(own, &own_policy) == JR_OK;
    jr_policy_in_force(&policy, counts ? &own_policy : NULL, repo, &force);
    if (!command->json) {
        jr_show_clean(clean, sizeof clean, centre.name);
        printf("# %s: %s %s; %s\n", repo, centre.preset ? "the preset" : "the file", clean,
               say_own(&policy, own));
        jr_show_clean(clean, sizeof clean, jr_ownfile_words(own, told));
        if (policy.repository_files && *clean != '\0')
            printf("# %s\n", clean);
    }
    if (print_for(command, &(struct jr_policyshow_repo){ &centre, counts ? &ours : NULL, &force,
                                                         repo }) != JR_OK)
        status = jr_command_fail(JR_EXIT_FAILED, "out of memory");
    jr_policy_release(&own_policy);
    jr_policy_release(&policy);
    free(text);
    return status;
}

static int show_for(struct jr_command *command, const char *name, const char *repo)
{
    struct jr_ownpolicy own = { .length = 0 };
    int status;

    if (!jr_text_is_full_name(repo))
        return jr_command_misused(command, "--repo is OWNER/NAME, and not '%.60s'", repo);
    status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status == JR_EXIT_OK)
        status = load_own(command, repo, &own);
    if (status == JR_EXIT_OK)
        status = write_for(command, name, repo, &own);
    jr_ownpolicy_release(&own);
    return status;
}

/* A trial: a run, its jobs, and what each of them comes to. */
struct trial {
    const struct jr_settings *settings;
    struct jr_policy policy;
    struct jr_signatures builtin;
    struct jr_evidencefile file;
    struct jr_policy_job *jobs;
    struct jr_policy_part part;
    struct jr_policy_answer answer;
    struct jr_guard_answer guard;
    enum jr_reason filter;
};

static enum jr_reason reason_of(const struct trial *trial)
{
    if (trial->filter != JR_REASON_NONE)
        return trial->filter;
    return trial->guard.reason != JR_REASON_NONE ? trial->guard.reason
                                                 : jr_judging_reason(trial->answer.reason);
}

static enum jr_guard_told told(bool holds)
{
    return holds ? JR_GUARD_HOLDS : JR_GUARD_NOT_TOLD;
}

/* What the guards say of a run that deserves a rerun. */
static void ask_guards(struct trial *trial)
{
    const struct jr_evidencefile *file = &trial->file;
    const struct jr_guard_facts facts = {
        .event = file->run.trigger,
        .event_named = jr_guards_event_is_named(&trial->part, file->run.trigger),
        .newer = told(file->newer),
        .held = told(file->held),
        .closed = told(file->closed),
        .deploys = told(file->deploys),
    };

    trial->guard.reason = JR_REASON_NONE;
    if (trial->answer.verdict != JR_POLICY_RERUN)
        return;
    trial->guard = jr_guards_ask(&trial->part.guards, &facts);
    trial->answer.verdict = trial->guard.verdict;
}

/* Would a setting leave the run alone, whatever a policy says? */
static enum jr_reason filter_run(const struct jr_bounds *bounds, const struct jr_event *event,
                                 bool fork)
{
    struct jr_run run = { .known = true, .shown = true, .attempt = event->attempt };

    jr_text_copy(run.repo, sizeof run.repo, event->repo);
    jr_text_copy(run.workflow, sizeof run.workflow, event->workflow);
    jr_text_copy(run.workflow_path, sizeof run.workflow_path, event->workflow_path);
    jr_text_copy(run.branch, sizeof run.branch, event->branch);
    jr_text_copy(run.actor, sizeof run.actor, event->actor);
    jr_text_copy(run.triggering_actor, sizeof run.triggering_actor, event->triggering_actor);
    if (fork)
        jr_text_copy(run.head_repo, sizeof run.head_repo, event->head_repo);
    return jr_bounds_filter_known(bounds, &run);
}

/* What the jobs came to. Evidence is looked at by `everything', too: who tries wants to know. */
static bool judge_jobs(struct trial *trial)
{
    const struct jr_signature_sets sets = {
        { &trial->policy.signatures, &trial->builtin }, 2,
    };

    trial->jobs = calloc(trial->file.count + 1, sizeof *trial->jobs);
    if (trial->jobs == NULL)
        return false;
    for (size_t i = 0; i < trial->file.count; i++) {
        struct jr_policy_job *job = &trial->jobs[i];

        job->evidence = &trial->file.jobs[i];
        jr_judge(&sets, job->evidence, &job->finding);
        if (jr_judge_is_echo(job->evidence->name))
            job->finding.cause = JR_CAUSE_ECHO;
    }
    return true;
}

static void decide(struct trial *trial)
{
    const struct jr_event *event = &trial->file.run;
    struct jr_bounds bounds = jr_step_bounds(trial->settings);
    struct jr_policy_run run = {
        .repo = event->repo, .workflow = event->workflow, .workflow_path = event->workflow_path,
        .branch = event->branch, .event = event->trigger,
        .fork = *event->head_repo != '\0' && strcasecmp(event->head_repo, event->repo) != 0,
        .attempt = event->attempt, .run_attempts = (uint32_t)bounds.run_attempts,
        .reruns = trial->file.reruns, .conclusion = event->conclusion,
        .conclusion_retried = jr_bounds_retries(&bounds, event->conclusion),
    };

    trial->filter = filter_run(&bounds, event, run.fork);
    jr_policy_for(&trial->policy, event->repo, &trial->part);
    jr_policy_decide(&trial->part, &run, trial->jobs, trial->file.count, &trial->answer);
    ask_guards(trial);
    if (trial->filter != JR_REASON_NONE)
        trial->answer.verdict = JR_POLICY_LEAVE;
    if (trial->answer.delay_ms < 0)
        trial->answer.delay_ms = trial->settings->rerun_delay_ms;
}

static const char *verdict_of(const struct trial *trial)
{
    static const char *const names[] = { "rerun", "leave", "wait" };

    return names[trial->answer.verdict];
}

/* NULL: it does not count. */
static const char *then_of(const struct jr_policy_job *job)
{
    if (!job->counts)
        return NULL;
    return job->reruns ? "rerun" : "leave";
}

static const char *rule_of(const struct jr_policy_job *job)
{
    return job->rule == NULL ? NULL : job->rule->name;
}

static int write_json(const struct trial *trial, const char *file)
{
    struct jr_emit emit;

    jr_emit_init(&emit, stdout);
    jr_emit_open(&emit, NULL);
    if (file != NULL)
        jr_emit_text(&emit, "file", file);
    jr_emit_text(&emit, "verdict", verdict_of(trial));
    jr_emit_text(&emit, "reason", jr_reason_token(reason_of(trial)));
    jr_emit_number(&emit, "delay_ms", trial->answer.delay_ms);
    jr_emit_open_array(&emit, "jobs");
    for (size_t i = 0; i < trial->file.count; i++) {
        const struct jr_policy_job *job = &trial->jobs[i];

        jr_emit_open(&emit, NULL);
        jr_emit_number(&emit, "id", (int64_t)job->evidence->job_id);
        jr_emit_text(&emit, "name", job->evidence->name);
        jr_emit_text(&emit, "cause", jr_cause_name(job->finding.cause));
        jr_emit_text(&emit, "signature", job->finding.signature);
        jr_emit_text(&emit, "evidence", job->finding.line);
        jr_emit_text(&emit, "rule", rule_of(job));
        jr_emit_text(&emit, "then", then_of(job));
        jr_emit_close(&emit);
    }
    jr_emit_close_array(&emit);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
    return JR_EXIT_OK;
}

static int write_table(const struct jr_command *command, const struct trial *trial,
                       const char *file)
{
    static const struct jr_column columns[] = {
        { "JOB", false, 30, 0 },  { "CAUSE", false, 0, 0 }, { "SIGNATURE", false, 0, 2 },
        { "RULE", false, 20, 3 }, { "THEN", false, 0, 0 },  { "EVIDENCE", false, 40, 1 },
    };
    struct jr_grid grid;
    char clean[1024];

    if (file != NULL) {
        jr_show_clean(clean, sizeof clean, file);
        printf("%s: ", clean);
    }
    printf("%s: %s", verdict_of(trial), jr_reason_token(reason_of(trial)));
    if (trial->answer.verdict == JR_POLICY_RERUN)
        printf(", after %lld s", (long long)(trial->answer.delay_ms / 1000));
    putchar('\n');
    jr_grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < trial->file.count; i++) {
        const struct jr_policy_job *job = &trial->jobs[i];
        const char *rule = rule_of(job), *then = then_of(job);

        jr_grid_add(&grid, job->evidence->name);
        jr_grid_add(&grid, jr_cause_name(job->finding.cause));
        jr_grid_add(&grid, job->finding.signature);
        jr_grid_add(&grid, rule == NULL ? "" : rule);
        jr_grid_add(&grid, then == NULL ? "" : then);
        jr_grid_add(&grid, job->finding.line);
    }
    return jr_command_show(command, &grid);
}

static void release_trial(struct trial *trial)
{
    jr_signatures_release(&trial->builtin);
    jr_policy_release(&trial->policy);
}

/* What all runs are judged by. */
static int prepare_trial(struct jr_command *command, struct trial *trial)
{
    struct jr_error error;
    int status = jr_command_load_bounds(command);

    trial->settings = &command->settings;
    if (status == JR_EXIT_OK)
        status = jr_command_read_policy(command, jr_command_value(command, "policy"),
                                        &trial->policy, NULL, NULL);
    if (status == JR_EXIT_OK && jr_signatures_builtin(&trial->builtin, &error) != JR_OK)
        status = jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    return status;
}

/* Judge the run of one file; `shown' is what it is called where there are others, or NULL. */
static int try_run(const struct jr_command *command, struct trial *trial, const char *path,
                   const char *shown)
{
    struct jr_error error;
    enum jr_err err = jr_evidencefile_read(&trial->file, path,
                                           (size_t)command->settings.log_tail_bytes, &error);
    int status;

    if (err != JR_OK) {
        status = jr_command_fail(err == JR_ENOMEM ? JR_EXIT_FAILED : JR_EXIT_DATA, "%s",
                                 error.text);
    } else if (!judge_jobs(trial)) {
        status = jr_command_fail(JR_EXIT_FAILED, "out of memory");
    } else {
        decide(trial);
        status = command->json ? write_json(trial, shown) : write_table(command, trial, shown);
    }
    free(trial->jobs);
    trial->jobs = NULL;
    jr_evidencefile_release(&trial->file);
    return status;
}

/* Each file is judged, whatever is wrong with those before; the first fault is the status. */
static int try_runs(const struct jr_command *command, struct trial *trial,
                    const char *const *paths, size_t count)
{
    int status = JR_EXIT_OK;

    for (size_t i = 0; i < count; i++) {
        int each = try_run(command, trial, paths[i], count > 1 ? paths[i] : NULL);

        if (status == JR_EXIT_OK)
            status = each;
    }
    return status;
}

static int test(struct jr_command *command, const char *const *paths, size_t count)
{
    struct trial *trial = calloc(1, sizeof *trial);
    int status;

    if (trial == NULL)
        return jr_command_fail(JR_EXIT_FAILED, "out of memory");
    status = prepare_trial(command, trial);
    if (status == JR_EXIT_OK)
        status = try_runs(command, trial, paths, count);
    release_trial(trial);
    free(trial);
    return status;
}

int jr_command_policy(struct jr_command *command)
{
    const struct jr_args *args = &command->args;
    const char *what = args->words[0], *repo = jr_command_value(command, "repo");
    const char *name = args->count > 1 ? args->words[1] : NULL;

    if (strcmp(what, "test") == 0 && name != NULL)
        return test(command, args->words + 1, args->count - 1);
    if (args->count > 2)
        return jr_command_misused(command, "one argument too many: '%.100s'", args->words[2]);
    if (strcmp(what, "show") == 0)
        return repo == NULL ? show(command, name) : show_for(command, name, repo);
    if (strcmp(what, "check") != 0 && strcmp(what, "test") != 0)
        return jr_command_misused(command, "policy show, policy check or policy test, and not "
                                  "'%.60s'", what);
    return name == NULL ? jr_command_misused(command, "policy %s needs a file", what)
                        : check(command, name);
}
