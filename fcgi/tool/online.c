/*
 * online -- what GitHub says to the token or the App that there is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/online.h"
#include "fcgi/tool/clusterview.h"
#include "fcgi/tool/tint.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/github/app.h"
#include "lib/github/github.h"
#include "lib/github/loghost.h"
#include "lib/github/turn.h"
#include "lib/steps/ownfile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What tells why a run failed is tried on one that did so in so many days; of its log, so much. */
#define TRIED_DAYS 30
#define TRIED_BYTES ((size_t)64 * 1024)

/* What the lines are about. */
#define CHECKS "Checks: read"
#define LOGS "its logs"
#define PULLS "Pull requests: read"
#define CONTENTS "Contents: read"
#define GROUPS "Actions: read"

struct online {
    const struct jr_command *command;
    struct jr_emit *emit;
    struct jr_turns turns;
    const char *repo; /* NULL: none was named */
    char name[JR_REPO_SIZE];
    bool judges;      /* the policy asks why a run failed */
    enum { APP, CLASSIC, CLASSIC_PUBLIC, FINE_GRAINED } kind; /* of token */
    unsigned grants;   /* what an App's installation gives besides: JR_GRANT_* */
    struct jr_event failed; /* a run; run_id is 0: none is known */
};

/* One line of the answer, and what to do about it. */
static void tell(const struct online *online, const char *what, bool good, const char *text,
                 const char *remedy)
{
    struct jr_emit *emit = online->emit;
    char clean[2048];

    if (online->command->json) {
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "what", what);
        jr_emit_bool(emit, "good", good);
        jr_emit_text(emit, "text", text);
        jr_emit_text(emit, "remedy", good ? NULL : remedy);
        jr_emit_close(emit);
        return;
    }
    jr_show_clean(clean, sizeof clean, text);
    printf("%-22s ", what);
    if (!good)
        jr_tint_print(online->command->color, JR_MOOD_BAD, "NO:");
    printf("%s%s", good ? "" : " ", clean);
    if (!good && remedy != NULL)
        printf(". %s", remedy);
    putchar('\n');
}

/* Does something else than GitHub's API answer? */
static bool is_a_strangers(const struct jr_call *call)
{
    return call->reason == JR_REASON_NOT_GITHUB || call->reason == JR_REASON_BAD_ANSWER
           || call->reason == JR_REASON_MOVED;
}

/* What a call that failed means, and the way out. */
static void tell_failure(const struct online *online, const char *what,
                         const struct jr_call *call, const char *remedy)
{
    char text[1024];

    if (call->status == 0)
        snprintf(text, sizeof text, "%s: %s: %s", call->what, jr_reason_words(call->reason),
                 call->text);
    else
        snprintf(text, sizeof text, "%s: answer %d, %s%s%s", call->what, call->status,
                 call->reason == JR_REASON_NONE ? "" : jr_reason_words(call->reason),
                 call->text[0] == '\0' ? "" : ": ", call->text);
    if (call->status == 0)
        remedy =
            "Is GITHUB_API_URL right, and can this host reach it (https_proxy, GITHUB_CA_FILE)?";
    else if (call->reason == JR_REASON_BAD_TOKEN)
        remedy = "Make a new token and put it in the place of this one";
    else if (call->reason == JR_REASON_RATE_LIMITED)
        remedy = "Ask again later";
    else if (call->reason == JR_REASON_SHUT_OUT)
        remedy = "Put this host's address on the IP allow list, authorize the token for single "
                 "sign-on, or take the kind of token that the organization asks for: GitHub's "
                 "words say which";
    else if (is_a_strangers(call))
        remedy = "It is not GitHub's API that answers there: look at the proxy (https_proxy), at "
                 "the ingress or load balancer, and at GITHUB_API_URL; on a GitHub Enterprise "
                 "Server it ends in /api/v3";
    tell(online, what, false, text, remedy);
}

/* Is a word among those of "a, b"? */
static bool has_scope(const char *scopes, const char *word)
{
    struct jr_list list;
    bool found = false;

    if (jr_list_parse(&list, scopes) != JR_OK)
        return false;
    for (size_t i = 0; i < list.count; i++)
        found = found || strcmp(list.items[i], word) == 0;
    jr_list_release(&list);
    return found;
}

/* Ask, and wait for the answer. As an App, that is looked up and signed for first. */
static void ask(struct online *online, const struct jr_ask *question, struct jr_call *call)
{
    struct jr_turn turn = { .ask = *question };

    jr_turn_await(&online->turns, &turn);
    *call = turn.call;
    jr_turn_end(&online->turns, &turn);
}

static bool check_user(struct online *online)
{
    struct jr_github_user user = { .classic = false };
    const struct jr_ask question = { .api = JR_API_GET_USER, .holds = &user };
    struct jr_call call;
    char text[1024], when[JR_WHEN_SIZE];
    bool good;

    ask(online, &question, &call);
    if (call.outcome == JR_OUTCOME_DONE) {
        snprintf(text, sizeof text, "works, as %s", user.login);
        if (call.token_expires_ms != 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "; it ends at %s",
                     jr_command_when(call.token_expires_ms, when));
        tell(online, "token", true, text, NULL);
    } else if (call.status == 403 && call.outcome == JR_OUTCOME_NEVER) {
        tell(online, "token", true, "works, but is no user's: a GitHub App's", NULL);
    } else {
        tell_failure(online, "token", &call, NULL);
        return false;
    }
    if (!user.classic) {
        tell(online, "scopes", true, "none are told: no classic token. What it may do, only "
             "trying shows; it needs Actions \"Read and write\"", NULL);
        return true;
    }
    snprintf(text, sizeof text, "%s", user.scopes[0] == '\0' ? "none" : user.scopes);
    online->kind = has_scope(user.scopes, "repo") ? CLASSIC : CLASSIC_PUBLIC;
    good = online->kind == CLASSIC || has_scope(user.scopes, "public_repo");
    tell(online, "scopes", good, text, "A classic token needs the scope `repo' to rerun");
    return good;
}

/* What may be wrong with an App, and the way out. */
static const char *remedy_for_app(const struct jr_call *call)
{
    switch (call->reason) {
    case JR_REASON_BAD_APP:
        return "Compare GITHUB_APP_ID with the App's page on GitHub, and make a new private key there";
    case JR_REASON_NOT_INSTALLED:
        return "Install the App for the repository's owner, with this repository among those chosen";
    case JR_REASON_APP_SUSPENDED:
        return "The owner can lift that at Settings > Applications";
    case JR_REASON_NO_PERMISSION:
        return "Give the App the permission Actions, \"Read and write\"; the owner has to accept it";
    default:
        return NULL;
    }
}

/* Whether the App has an installation there shows when something is asked as that. */
static bool tell_installation(struct online *online, const struct jr_call *call)
{
    struct jr_app *app = online->turns.app;
    char text[128];
    uint64_t place;

    if (call->api != JR_API_RATE_LIMIT) {
        tell_failure(online, "installation", call, remedy_for_app(call));
        return false;
    }
    place = jr_app_place(app, online->repo);
    online->grants = jr_app_installation(app, place, jr_now_ms())->grants;
    snprintf(text, sizeof text, "number %llu gives tokens that may write to Actions%s%s%s",
             (unsigned long long)place,
             (online->grants & JR_GRANT_WRITE_CHECKS) != 0 ? " and Checks"
             : (online->grants & JR_GRANT_CHECKS) != 0     ? " and read Checks" : "",
             (online->grants & JR_GRANT_WRITE_PULLS) != 0 ? " and write to Pull requests"
             : (online->grants & JR_GRANT_PULLS) != 0     ? " and read Pull requests" : "",
             (online->grants & JR_GRANT_CONTENTS) != 0 ? " and read Contents" : "");
    tell(online, "installation", true, text, NULL);
    return true;
}

/* Of an App, that of the installation of the repository's owner. */
static bool check_rate(struct online *online)
{
    const char *repo = online->kind == APP ? online->repo : NULL;
    const struct jr_ask question = { .api = JR_API_RATE_LIMIT, .repo = repo };
    struct jr_call call;
    char text[256], when[JR_WHEN_SIZE];

    ask(online, &question, &call);
    if (repo != NULL && !tell_installation(online, &call))
        return false;
    /* A GitHub Enterprise Server without rate limits answers 404. */
    if (call.outcome != JR_OUTCOME_DONE && call.reason != JR_REASON_NOT_FOUND) {
        tell_failure(online, "rate limit", &call, NULL);
        return false;
    }
    if (call.hourly_limit == 0)
        snprintf(text, sizeof text, "none is told");
    else
        snprintf(text, sizeof text, "%lld of %lld %s left, whole again at %s",
                 (long long)call.rate_remaining, (long long)call.hourly_limit,
                 jr_say_plural((uint64_t)call.hourly_limit, "call", "calls"),
                 jr_command_when(call.rate_reset_ms, when));
    tell(online, "rate limit", true, text, NULL);
    return true;
}

/*
 * May it read the runs? Its list of failed ones is what the dispatcher reads, too. The newest
 * is kept, to try on it what tells why it failed.
 */
static bool check_runs(struct online *online)
{
    struct jr_github_list list = {
        .conclusion = "failure",
        .from_ms = jr_now_ms() - (online->judges || online->command->settings.has_guards
                                      ? TRIED_DAYS * JR_DAY_MS
                                      : JR_HOUR_MS),
        .page = 1,
    };
    struct jr_github_page page = { .runs = calloc(JR_GITHUB_PAGE_RUNS, sizeof *page.runs) };
    const struct jr_ask question = { .api = JR_API_LIST_RUNS, .repo = online->repo, .list = &list,
                                     .holds = &page };
    struct jr_call call;

    if (page.runs == NULL) {
        jr_command_fail(JR_EXIT_FAILED, "out of memory");
        return false;
    }
    ask(online, &question, &call);
    if (page.count > 0)
        online->failed = page.runs[0];
    if (online->failed.attempt == 0)
        online->failed.attempt = 1;
    free(page.runs);
    if (call.outcome != JR_OUTCOME_DONE)
        tell_failure(online, "its runs", &call,
                     "The token needs the permission Actions for this repository");
    else
        tell(online, "its runs", true, "can be read", NULL);
    return call.outcome == JR_OUTCOME_DONE;
}

static bool check_repo(struct online *online)
{
    struct jr_github_repo seen = { .write = false };
    const struct jr_ask question = { .api = JR_API_GET_REPO, .repo = online->repo, .holds = &seen };
    struct jr_call call;
    char text[512];
    bool good;

    ask(online, &question, &call);
    if (call.outcome != JR_OUTCOME_DONE) {
        tell_failure(online, "repository", &call,
                     "Is the name right? Add the repository to the token, and its user to the "
                     "repository");
        return false;
    }
    good = seen.write && !seen.archived;
    snprintf(text, sizeof text, "%s: %s", seen.name,
             seen.archived ? "is archived, nothing is rerun there"
             : seen.write  ? "its user may write, and so may rerun"
             : seen.told   ? "its user has no write permission, so it may not rerun"
                           : "GitHub does not tell what the token may do there");
    tell(online, "repository", good || !seen.told, text,
         seen.archived ? "Take it out of the webhook's repositories"
                       : "Give the token's user write permission in the repository");
    jr_text_copy(online->name, sizeof online->name, seen.name);
    online->repo = online->name;
    return check_runs(online) && (good || (!seen.told && !seen.archived));
}

/* Is the App told of what people ask for? */
static void tell_events(const struct online *online, const struct jr_github_app *app)
{
    const struct jr_settings *settings = &online->command->settings;
    bool buttons = settings->report == JR_REPORTING_CHECK;

    if (!settings->commands || !app->told)
        return;
    if (app->comments && (app->checks || !buttons))
        tell(online, "events", true, "the App is told of comments, for COMMANDS", NULL);
    else
        tell(online, "events", false,
             app->comments ? "the App is not told of check runs, so buttons do nothing"
                           : "the App is not told of comments, so COMMANDS does nothing",
             app->comments ? "Tick the event \"Check run\" of the App"
                           : "Tick the event \"Issue comment\" of the App");
}

static bool check_app(struct online *online)
{
    struct jr_github_app name;
    const struct jr_ask question = { .api = JR_API_GET_APP, .holds = &name };
    int64_t skew_ms;
    struct jr_call call;
    char text[512];

    ask(online, &question, &call);
    if (call.outcome != JR_OUTCOME_DONE) {
        tell_failure(online, "app", &call, remedy_for_app(&call));
        return false;
    }
    snprintf(text, sizeof text, "works, as %.300s", name.text);
    skew_ms = jr_app_skew_ms(online->turns.app);
    if (skew_ms != 0)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "; this host's clock is wrong by %lld s", (long long)(skew_ms / 1000));
    tell(online, "app", true, text, NULL);
    tell_events(online, &name);
    return true;
}

/* What cannot be told without annotations, in policies' words. */
#define NO_ANNOTATIONS "annotations cannot be read. Without them a timeout or a lost runner, billing, " \
                       "a policy of GitHub's and a person's cancel are often not told from other causes"
#define NO_LOGS "Without logs what failed in a step is not told: network, registry, memory, tests and the " \
                "like are all unknown"

static const char *remedy_for_checks(const struct online *online)
{
    switch (online->kind) {
    case APP:
        return "Give the App the permission Checks, \"Read-only\"; the owner has to accept it";
    case CLASSIC:
    case CLASSIC_PUBLIC:
        return "A classic token needs the scope `repo' for that";
    case FINE_GRAINED:
        break;
    }
    return "A fine-grained token cannot have the permission Checks: take a GitHub App, or a classic "
           "token with the scope `repo'";
}

/* By what is known without trying. */
static void tell_checks_untried(const struct online *online)
{
    if (online->kind == CLASSIC)
        tell(online, CHECKS, true, "there, by the scope `repo'", NULL);
    else if (online->kind == CLASSIC_PUBLIC)
        tell(online, CHECKS, true, "there for public repositories, by the scope `public_repo'", NULL);
    else if (online->kind == APP && (online->grants & JR_GRANT_CHECKS) != 0)
        tell(online, CHECKS, true, "there, by the installation", NULL);
    else
        tell(online, CHECKS, false, NO_ANNOTATIONS, remedy_for_checks(online));
}

static void try_annotations(struct online *online, uint64_t job_id)
{
    struct jr_github_annotations annotations;
    const struct jr_ask question = { .api = JR_API_GET_ANNOTATIONS, .repo = online->repo,
                                     .id = job_id, .holds = &annotations };
    struct jr_call call;
    char text[512];

    ask(online, &question, &call);
    jr_evidence_release(&annotations.evidence);
    if (call.outcome == JR_OUTCOME_DONE) {
        tell(online, CHECKS, true, "there: annotations can be read", NULL);
    } else if (call.outcome == JR_OUTCOME_NEVER) {
        snprintf(text, sizeof text, "%s (answer %d: %s)", NO_ANNOTATIONS, call.status, call.text);
        tell(online, CHECKS, false, text, remedy_for_checks(online));
    } else {
        tell_failure(online, CHECKS, &call, NULL);
    }
}

/* The log's host is another one than the API's, which this host may not reach. */
static void try_log_host(const struct online *online, const char *link)
{
    const char *name = strstr(link, "://") + 3;
    char words[JR_LOG_WORDS_SIZE], text[1024], *log = NULL;
    enum jr_presence found = JR_UNREADABLE;
    struct jr_loghost *host;
    struct jr_log_read *read;
    struct jr_error error;
    size_t length;
    bool cut;

    if (jr_loghost_open(&host, &online->command->settings, TRIED_BYTES, &error) == JR_OK) {
        read = jr_loghost_begin(host, link);
        jr_loghost_await(read);
        found = jr_loghost_take(read, &log, &length, &cut, words);
        jr_loghost_release(read);
        jr_loghost_close(host);
    } else {
        jr_text_copy(words, sizeof words, error.text);
    }
    free(log);
    if (found == JR_UNREADABLE)
        snprintf(text, sizeof text, "%s. " NO_LOGS, words);
    else
        snprintf(text, sizeof text, "%s %.*s", found == JR_FOUND ? "can be read, at"
                                                                 : "this one was never stored, at",
                 (int)strcspn(name, "/?#"), name);
    tell(online, LOGS, found != JR_UNREADABLE, text,
         "Let this host reach that one by https (https_proxy, GITHUB_CA_FILE), or set LOG_TAIL=0");
}

static void try_log(struct online *online, uint64_t job_id)
{
    struct jr_github_log log = { .link = "" };
    const struct jr_ask question = { .api = JR_API_GET_LOG, .repo = online->repo, .id = job_id,
                                     .tail_bytes = TRIED_BYTES, .holds = &log };
    struct jr_call call;

    ask(online, &question, &call);
    if (call.outcome == JR_OUTCOME_DONE && log.link[0] != '\0')
        try_log_host(online, log.link);
    else if (call.outcome == JR_OUTCOME_DONE)
        tell(online, LOGS, true, "can be read", NULL);
    else if (call.status == 404 || call.status == 410)
        tell(online, LOGS, true, "the one that was tried is not kept (any more)", NULL);
    else
        tell_failure(online, LOGS, &call, "The token needs the permission Actions for this "
                     "repository. " NO_LOGS);
    free(log.text);
}

/* A job of the run that failed last; 0: there is none to try anything on. */
static uint64_t find_job(struct online *online)
{
    struct jr_github_jobs jobs = { .count = 0 };
    const struct jr_ask question = { .api = JR_API_GET_ATTEMPT_JOBS, .repo = online->repo,
                                     .id = online->failed.run_id, .attempt = online->failed.attempt,
                                     .page = 1,
                                     .holds = &jobs };
    struct jr_call call;
    uint64_t job_id = 0;

    if (online->failed.run_id == 0)
        return 0;
    ask(online, &question, &call);
    for (size_t i = jobs.count; i > 0; i--)
        if (job_id == 0 || jobs.jobs[i - 1].conclusion == JR_CONCLUSION_FAILURE)
            job_id = jobs.jobs[i - 1].job_id;
    jr_github_jobs_release(&jobs);
    if (call.outcome != JR_OUTCOME_DONE)
        tell_failure(online, "its jobs", &call, "Without the jobs of a run no cause is known, and "
                     "the policy judges nothing");
    return job_id;
}

/* What tells why a run failed, permission by permission. */
static void tell_evidence(struct online *online)
{
    uint64_t job_id = find_job(online);

    tell(online, "Actions: write", true, online->kind == FINE_GRAINED
         ? "GitHub does not tell. Without it nothing is rerun"
         : "there. Without it nothing would be rerun, and no job or log be read", NULL);
    if (job_id != 0)
        try_annotations(online, job_id);
    else
        tell_checks_untried(online);
    if (online->command->settings.log_tail_bytes == 0)
        tell(online, LOGS, true, "are not read: LOG_TAIL is 0. " NO_LOGS, NULL);
    else if (job_id != 0)
        try_log(online, job_id);
    else
        tell(online, LOGS, true, online->repo == NULL
             ? "are tried with a repository: check --online OWNER/NAME"
             : "were not tried: no run has failed there of late", NULL);
}

/* A permission that a guard of the policy goes by, the call that needs it, and what is missed. */
struct guard_call {
    const char *what;
    unsigned grant; /* of an App; 0: it has that anyway */
    struct jr_ask ask;
    const char *good, *missed, *remedy;
};

static bool is_told(const struct jr_call *call)
{
    return call->outcome == JR_OUTCOME_DONE
           || (call->api == JR_API_GET_FILE && call->reason == JR_REASON_BAD_ANSWER);
}

static void tell_guard(const struct online *online, const struct guard_call *guard,
                       const struct jr_call *call)
{
    char text[512];

    if (is_told(call)) {
        tell(online, guard->what, true, guard->good, NULL);
    } else if (call->outcome == JR_OUTCOME_NEVER) {
        snprintf(text, sizeof text, "%s (answer %d: %s)", guard->missed, call->status, call->text);
        tell(online, guard->what, false, text, guard->remedy);
    } else {
        tell_failure(online, guard->what, call, NULL);
    }
}

static void try_guard(struct online *online, struct guard_call *guard)
{
    struct jr_call call;

    guard->ask.repo = online->repo;
    ask(online, &guard->ask, &call);
    tell_guard(online, guard, &call);
}

/* Where there is no run to try it on, an App's installation has told it. */
static void tell_guard_untried(const struct online *online, const struct guard_call *guard)
{
    if (online->kind == APP && guard->grant != 0)
        tell(online, guard->what, (online->grants & guard->grant) != 0,
             (online->grants & guard->grant) != 0 ? "there, by the installation" : guard->missed,
             guard->remedy);
    else
        tell(online, guard->what, true,
             online->repo == NULL ? "is tried with a repository: check --online OWNER/NAME"
                                  : "was not tried: no run has failed there of late", NULL);
}

#define GIVE(permission) \
    "Give the token or the App the permission " permission ", \"Read-only\"; an App's owner has to " \
    "accept it"

/* What the policy's guards go by, permission by permission. */
static void tell_guards(struct online *online)
{
    const struct jr_settings *settings = &online->command->settings;
    struct jr_run run = { .run_id = online->failed.run_id };
    struct jr_github_groups *groups = calloc(1, sizeof *groups);
    struct jr_github_file file = { .text = NULL };
    struct jr_github_pull pull;
    struct guard_call guards[] = {
        { GROUPS, 0, { .api = JR_API_GET_GROUPS, .id = run.run_id, .holds = groups },
          "there: concurrency groups can be read", "concurrency groups cannot be read: an old host "
          "has no such call. Without them a rerun may cancel what runs in its group",
          "Give the token the permission Actions; a GitHub Enterprise Server may have none" },
        { PULLS, JR_GRANT_PULLS, { .api = JR_API_FIND_PULL, .run = &run, .holds = &pull },
          "there: pull requests can be read", "pull requests cannot be read. Without them runs of "
          "closed ones are rerun, too", GIVE("Pull requests") },
        { CONTENTS, JR_GRANT_CONTENTS, { .api = JR_API_GET_FILE, .run = &run,
          .name = online->failed.workflow_path, .holds = &file },
          "there: workflow files can be read", "workflow files cannot be read. Without them, whether "
          "a rerun would deploy is told by events and by names alone", GIVE("Contents") },
    };
    const bool is_on[] = { settings->has_guards, settings->guards_pulls, settings->guards_files };

    jr_text_copy(run.branch, sizeof run.branch, online->failed.branch);
    jr_text_copy(run.head_sha, sizeof run.head_sha, online->failed.head_sha);
    for (size_t i = 0; groups != NULL && i < sizeof guards / sizeof *guards; i++) {
        if (is_on[i] && run.run_id != 0)
            try_guard(online, &guards[i]);
        else if (is_on[i])
            tell_guard_untried(online, &guards[i]);
    }
    free(groups);
    free(file.text);
}

/* Whether there is such a file or not: it is seen. */
static void tell_own(struct online *online)
{
    struct jr_github_file file = { .text = NULL };
    struct guard_call own = {
        CONTENTS, JR_GRANT_CONTENTS,
        { .api = JR_API_GET_FILE, .name = JR_OWNFILE_PATH, .repo = online->repo, .holds = &file },
        "there: the repository's own policy can be read", "the repository's own policy, "
        JR_OWNFILE_PATH ", cannot be read. Without it the central policy counts alone",
        GIVE("Contents"),
    };
    struct jr_call call;

    if (online->repo == NULL) {
        tell_guard_untried(online, &own);
        return;
    }
    ask(online, &own.ask, &call);
    free(file.text);
    if (call.status == 404)
        tell(online, own.what, true, "there: the repository has no policy of its own", NULL);
    else
        tell_guard(online, &own, &call);
}

/* Whether what becomes of runs can be said where REPORT says. Only trying shows what a fine-grained
 * token may do. */
static void tell_report(const struct online *online)
{
    bool in_checks = online->command->settings.report == JR_REPORTING_CHECK;
    const char *what = in_checks ? "Checks: write" : "Pull requests: write";
    bool good = online->kind != APP || (online->grants & (in_checks ? JR_GRANT_WRITE_CHECKS
                                                                     : JR_GRANT_WRITE_PULLS)) != 0;

    tell(online, what, good,
         !good                            ? "REPORT asks for it, and the installation does not give it"
         : online->kind == FINE_GRAINED   ? "GitHub does not tell. Without it nothing is said there"
         : online->kind == CLASSIC        ? "there, by the scope `repo'"
         : online->kind == CLASSIC_PUBLIC ? "there for public repositories, by `public_repo'"
                                          : "there, by the installation",
         in_checks ? "Give the App the permission Checks, \"Read and write\"; the owner has to accept "
                     "it"
                   : "Give the App the permission Pull requests, \"Read and write\"; the owner has "
                     "to accept it");
}

/* Whether people can be answered who ask on a pull request. */
static void tell_commands(const struct online *online)
{
    bool good = online->kind != APP || (online->grants & JR_GRANT_WRITE_PULLS) != 0;

    tell(online, "commands", good,
         !good ? "COMMANDS asks for Pull requests: write, and the installation does not give it"
         : online->kind == FINE_GRAINED
             ? "GitHub does not tell whether the token has Pull requests: write"
             : "can be answered on pull requests",
         "Give the App the permission Pull requests, \"Read and write\"; the owner has to accept "
         "it");
}

/* What the policy, REPORT and COMMANDS go by besides. */
static void tell_permissions(struct online *online)
{
    if (online->judges)
        tell_evidence(online);
    if (online->command->settings.has_guards)
        tell_guards(online);
    if (online->command->settings.own_files)
        tell_own(online);
    if (jr_settings_reports(&online->command->settings))
        tell_report(online);
    if (online->command->settings.commands)
        tell_commands(online);
}

/* What GitHub says to the token, and with a repository, of that one. */
static bool ask_github(struct online *online)
{
    bool is_app = online->kind == APP;
    bool good = is_app ? check_app(online) : check_user(online);

    if (good && (!is_app || online->repo != NULL))
        good = check_rate(online);
    if (good && online->repo != NULL)
        good = is_app ? check_runs(online) : check_repo(online);
    if (good && (!is_app || online->repo != NULL))
        tell_permissions(online);
    return good;
}

static void tell_of_etcd(const void *online, const char *what, bool good, const char *text,
                         const char *remedy)
{
    tell(online, what, good, text, remedy);
}

/* Where there are several hosts: can they agree? */
static bool ask_etcd(const struct online *online)
{
    struct jr_clusterview *view = malloc(sizeof *view);
    bool good = view != NULL && jr_clusterview_open(view, online->command)
                && jr_clusterview_check(view, tell_of_etcd, online);

    if (view != NULL)
        jr_clusterview_close(view);
    free(view);
    return good;
}

int jr_online_check(const struct jr_command *command, struct jr_emit *emit)
{
    const struct jr_settings *settings = &command->settings;
    struct online online = {
        .command = command,
        .emit = emit,
        .repo = command->args.count > 0 ? command->args.words[0] : NULL,
        .judges = settings->judges && settings->evidence != JR_LOOKING_NEVER,
        .kind = settings->github_token == NULL ? APP : FINE_GRAINED,
    };
    struct jr_turns *turns = &online.turns;
    struct jr_error error;
    bool good;

    if (!jr_settings_can_call(settings)) {
        tell(&online, "token", false, "there is none", "Set GITHUB_TOKEN, GITHUB_TOKEN_FILE, or "
             "the credential github_token, or a GitHub App");
        return JR_EXIT_FAILED;
    }
    turns->settings = settings;
    turns->grants = jr_turns_grants(settings);
    if (jr_http_open(&turns->http, settings->github_ca_file, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    if (online.kind == APP && jr_app_open(&turns->app, settings, NULL, &error) != JR_OK) {
        jr_http_close(turns->http);
        return jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    }
    fflush(stdout);
    /* libcurl writes to sockets that the other end may have closed. */
    (void)signal(SIGPIPE, SIG_IGN);
    good = ask_github(&online);
    good = ask_etcd(&online) && good;
    jr_app_close(turns->app);
    jr_http_close(turns->http);
    return good ? JR_EXIT_OK : JR_EXIT_FAILED;
}
