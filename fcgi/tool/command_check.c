/*
 * command_check -- the sub-command check: settings, store, and with --online the
 * token or the GitHub App.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/config/inforce.h"
#include "lib/config/load.h"
#include "lib/config/secrets.h"
#include "lib/github/app.h"
#include "lib/github/github.h"
#include "lib/github/turn.h"
#include "lib/service/lock.h"
#include "lib/steps/chosen.h"
#include "lib/store/listing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of the answer, and what to do about it. */
static void tell(const struct jr_command *command, struct jr_emit *emit, const char *what,
                 bool good, const char *text, const char *remedy)
{
    char clean[2048];

    if (command->json) {
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "what", what);
        jr_emit_bool(emit, "good", good);
        jr_emit_text(emit, "text", text);
        jr_emit_text(emit, "remedy", good ? NULL : remedy);
        jr_emit_close(emit);
        return;
    }
    jr_show_clean(clean, sizeof clean, text);
    printf("%-22s %s%s", what, good ? "" : "NO: ", clean);
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
static void tell_failure(const struct jr_command *command, struct jr_emit *emit, const char *what,
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
    tell(command, emit, what, false, text, remedy);
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
static void ask(struct jr_turns *turns, const struct jr_ask *question, struct jr_call *call)
{
    struct jr_turn turn = { .ask = *question };

    jr_turn_await(turns, &turn);
    *call = turn.call;
    jr_turn_end(turns, &turn);
}

static bool check_user(const struct jr_command *command, struct jr_emit *emit,
                       struct jr_turns *turns)
{
    struct jr_github_user user;
    const struct jr_ask question = { .api = JR_API_GET_USER, .holds = &user };
    struct jr_call call;
    char text[1024], when[JR_WHEN_SIZE];
    bool good;

    ask(turns, &question, &call);
    if (call.outcome == JR_OUTCOME_DONE) {
        snprintf(text, sizeof text, "works, as %s", user.login);
        if (call.token_expires_ms != 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "; it ends at %s",
                     jr_command_when(call.token_expires_ms, when));
        tell(command, emit, "token", true, text, NULL);
    } else if (call.status == 403 && call.outcome == JR_OUTCOME_NEVER) {
        tell(command, emit, "token", true, "works, but is no user's: a GitHub App's", NULL);
    } else {
        tell_failure(command, emit, "token", &call, NULL);
        return false;
    }
    if (!user.classic) {
        tell(command, emit, "scopes", true, "none are told: no classic token. What it may do, only "
             "trying shows; it needs Actions \"Read and write\"", NULL);
        return true;
    }
    snprintf(text, sizeof text, "%s", user.scopes[0] == '\0' ? "none" : user.scopes);
    good = has_scope(user.scopes, "repo") || has_scope(user.scopes, "public_repo");
    tell(command, emit, "scopes", good, text, "A classic token needs the scope `repo' to rerun");
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
static bool tell_installation(const struct jr_command *command, struct jr_emit *emit,
                              struct jr_turns *turns, const char *repo,
                              const struct jr_call *call)
{
    char text[128];

    if (call->api != JR_API_RATE_LIMIT) {
        tell_failure(command, emit, "installation", call, remedy_for_app(call));
        return false;
    }
    snprintf(text, sizeof text, "number %llu gives tokens that may write to Actions",
             (unsigned long long)jr_app_place(turns->app, repo));
    tell(command, emit, "installation", true, text, NULL);
    return true;
}

/* repo: whose installation it is that is asked about, of an App; else NULL */
static bool check_rate(const struct jr_command *command, struct jr_emit *emit,
                       struct jr_turns *turns, const char *repo)
{
    const struct jr_ask question = { .api = JR_API_RATE_LIMIT, .repo = repo };
    struct jr_call call;
    char text[256], when[JR_WHEN_SIZE];

    ask(turns, &question, &call);
    if (repo != NULL && !tell_installation(command, emit, turns, repo, &call))
        return false;
    /* A GitHub Enterprise Server without rate limits answers 404. */
    if (call.outcome != JR_OUTCOME_DONE && call.reason != JR_REASON_NOT_FOUND) {
        tell_failure(command, emit, "rate limit", &call, NULL);
        return false;
    }
    if (call.hourly_limit == 0)
        snprintf(text, sizeof text, "none is told");
    else
        snprintf(text, sizeof text, "%lld of %lld %s left, whole again at %s",
                 (long long)call.rate_remaining, (long long)call.hourly_limit,
                 jr_say_plural((uint64_t)call.hourly_limit, "call", "calls"),
                 jr_command_when(call.rate_reset_ms, when));
    tell(command, emit, "rate limit", true, text, NULL);
    return true;
}

/* May it read the runs? Its list of failed ones is what the dispatcher reads, too. */
static bool check_runs(const struct jr_command *command, struct jr_emit *emit,
                       struct jr_turns *turns, const char *repo)
{
    struct jr_github_list list = {
        .conclusion = "failure", .from_ms = jr_now_ms() - JR_HOUR_MS, .page = 1,
    };
    struct jr_github_page page = { .runs = calloc(JR_GITHUB_PAGE_RUNS, sizeof *page.runs) };
    const struct jr_ask question = { .api = JR_API_LIST_RUNS, .repo = repo, .list = &list,
                                     .holds = &page };
    struct jr_call call;

    if (page.runs == NULL) {
        jr_command_fail(JR_EXIT_FAILED, "out of memory");
        return false;
    }
    ask(turns, &question, &call);
    free(page.runs);
    if (call.outcome != JR_OUTCOME_DONE)
        tell_failure(command, emit, "its runs", &call,
                     "The token needs the permission Actions for this repository");
    else
        tell(command, emit, "its runs", true, "can be read", NULL);
    return call.outcome == JR_OUTCOME_DONE;
}

static bool check_repo(const struct jr_command *command, struct jr_emit *emit,
                       struct jr_turns *turns, const char *repo)
{
    struct jr_github_repo seen;
    const struct jr_ask question = { .api = JR_API_GET_REPO, .repo = repo, .holds = &seen };
    struct jr_call call;
    char text[512];
    bool good;

    ask(turns, &question, &call);
    if (call.outcome != JR_OUTCOME_DONE) {
        tell_failure(command, emit, "repository", &call,
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
    tell(command, emit, "repository", good || !seen.told, text,
         seen.archived ? "Take it out of the webhook's repositories"
                       : "Give the token's user write permission in the repository");
    return check_runs(command, emit, turns, seen.name) && (good || (!seen.told && !seen.archived));
}

static bool check_app(const struct jr_command *command, struct jr_emit *emit,
                      struct jr_turns *turns)
{
    struct jr_github_name name;
    const struct jr_ask question = { .api = JR_API_GET_APP, .holds = &name };
    int64_t skew_ms;
    struct jr_call call;
    char text[512];

    ask(turns, &question, &call);
    if (call.outcome != JR_OUTCOME_DONE) {
        tell_failure(command, emit, "app", &call, remedy_for_app(&call));
        return false;
    }
    snprintf(text, sizeof text, "works, as %.300s", name.text);
    skew_ms = jr_app_skew_ms(turns->app);
    if (skew_ms != 0)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "; this host's clock is wrong by %lld s", (long long)(skew_ms / 1000));
    tell(command, emit, "app", true, text, NULL);
    return true;
}

/* What GitHub says to the token, and with a repository, of that one. */
static bool ask_github(const struct jr_command *command, struct jr_emit *emit,
                       struct jr_turns *turns)
{
    const char *repo = command->args.count > 0 ? command->args.words[0] : NULL;
    bool is_app = turns->app != NULL;
    bool good = is_app ? check_app(command, emit, turns) : check_user(command, emit, turns);

    if (good && (!is_app || repo != NULL))
        good = check_rate(command, emit, turns, is_app ? repo : NULL);
    if (good && repo != NULL)
        good = is_app ? check_runs(command, emit, turns, repo)
                      : check_repo(command, emit, turns, repo);
    return good;
}

static int check_online(const struct jr_command *command, struct jr_emit *emit)
{
    const struct jr_settings *settings = &command->settings;
    struct jr_turns turns = { .settings = settings };
    struct jr_error error;
    bool good;

    if (!jr_settings_can_call(settings)) {
        tell(command, emit, "token", false, "there is none", "Set GITHUB_TOKEN, "
             "GITHUB_TOKEN_FILE, or the credential github_token, or a GitHub App");
        return JR_EXIT_FAILED;
    }
    if (jr_http_open(&turns.http, settings->github_ca_file, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    if (settings->github_token == NULL
        && jr_app_open(&turns.app, settings, NULL, &error) != JR_OK) {
        jr_http_close(turns.http);
        return jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    }
    fflush(stdout);
    /* libcurl writes to sockets that the other end may have closed. */
    (void)signal(SIGPIPE, SIG_IGN);
    good = ask_github(command, emit, &turns);
    jr_app_close(turns.app);
    jr_http_close(turns.http);
    return good ? JR_EXIT_OK : JR_EXIT_FAILED;
}

/* What is in the store; looked at before anything is printed. */
struct contents {
    bool there;
    struct jr_listing_counts counts;
    uint64_t used_bytes, map_bytes;
    bool dispatcher;
};

static int look_at_store(struct jr_command *command, struct contents *contents)
{
    struct jr_error error;
    int status;

    contents->there = jr_store_exists(command->settings.state_dir);
    if (!contents->there)
        return JR_EXIT_OK;
    status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    contents->dispatcher = jr_lock_is_held(command->settings.state_dir);
    if (jr_listing_count(command->store, &contents->counts, &error) != JR_OK
        || jr_store_usage(command->store, &contents->used_bytes, &contents->map_bytes, &error)
               != JR_OK)
        return jr_command_fail(JR_EXIT_STORE, "%s", error.text);
    return JR_EXIT_OK;
}

static void show_settings(const struct jr_command *command, struct jr_emit *emit)
{
    char value[1024];

    if (command->json)
        jr_emit_open(emit, "settings");
    for (size_t i = 0; i < jr_settings_count(); i++) {
        jr_settings_show(&command->settings, i, value, sizeof value);
        if (command->json)
            jr_emit_text(emit, jr_settings_name(i), value);
        else
            printf("%-22s %s\n", jr_settings_name(i), value);
    }
    if (command->json)
        jr_emit_close(emit);
    else
        printf("\n");
}

/* Where a warning goes. */
struct output {
    const struct jr_command *command;
    struct jr_emit *emit;
};

static void show_warning(void *context, const char *name, const char *text)
{
    const struct output *output = context;
    char clean[2048];

    if (output->command->json) {
        jr_emit_open(output->emit, NULL);
        jr_emit_text(output->emit, "what", name);
        jr_emit_text(output->emit, "text", text);
        jr_emit_close(output->emit);
    } else {
        jr_show_clean(clean, sizeof clean, text);
        printf("%-22s %s: %s\n", "warning", name, clean);
    }
}

static void show_warnings(const struct jr_command *command, struct jr_emit *emit)
{
    struct output output = { command, emit };

    if (command->json)
        jr_emit_open_array(emit, "warnings");
    jr_secrets_warn(&command->settings, command->file, show_warning, &output);
    if (command->json)
        jr_emit_close_array(emit);
}

static void show_store(const struct jr_command *command, struct jr_emit *emit,
                       const struct contents *contents)
{
    char folder[512];

    if (command->json && !contents->there) {
        jr_emit_null(emit, "store");
    } else if (command->json) {
        jr_emit_open(emit, "store");
        jr_emit_number(emit, "format", JR_STORE_FORMAT);
        jr_emit_number(emit, "runs", (int64_t)contents->counts.runs);
        jr_emit_number(emit, "waiting", (int64_t)contents->counts.waiting);
        jr_emit_number(emit, "used_bytes", (int64_t)contents->used_bytes);
        jr_emit_number(emit, "map_bytes", (int64_t)contents->map_bytes);
        jr_emit_bool(emit, "dispatcher_at_work", contents->dispatcher);
        jr_emit_close(emit);
    } else if (!contents->there) {
        jr_show_clean(folder, sizeof folder, command->settings.state_dir);
        printf("%-22s there is none yet in %s; the first start makes it\n", "store", folder);
    } else {
        printf("%-22s good (format %d), %llu %s, %llu waiting for a rerun\n", "store",
               JR_STORE_FORMAT, (unsigned long long)contents->counts.runs,
               jr_say_plural(contents->counts.runs, "run", "runs"), (unsigned long long)contents->counts.waiting);
        printf("%-22s %llu kB of %llu MB\n", "map",
               (unsigned long long)(contents->used_bytes / 1024),
               (unsigned long long)(contents->map_bytes / 1024 / 1024));
        printf("%-22s %s\n", "dispatcher", contents->dispatcher ? "at work" : "none is running");
    }
}

/* Below the settings as they are: what of them is doubtful, and what is not in force yet. */
static void tell_of_settings(struct jr_command *command, struct jr_emit *emit, bool store)
{
    jr_command_tell_doubts(command, emit);
    /* Without a store no service has begun. */
    if (store)
        jr_command_tell_restart(command, emit);
    else if (command->json) {
        jr_emit_open_array(emit, "restart");
        jr_emit_close_array(emit);
    }
}

/* The array `online' of the answer, or the lines of it. */
static int tell_online(const struct jr_command *command, struct jr_emit *emit)
{
    int status;

    if (command->json)
        jr_emit_open_array(emit, "online");
    else
        printf("\n");
    status = check_online(command, emit);
    if (command->json)
        jr_emit_close_array(emit);
    return status;
}

/* All that is wrong with the policy, a line each. */
static bool is_policy_good(struct jr_command *command)
{
    const char *head = getenv(JR_INFORCE_TRIAL) != NULL ? JR_CHOSEN_BROKEN : "POLICY: ";
    char *problems, *rest, *line;
    enum jr_err err = jr_chosen_load(&command->settings, &problems);

    if (err == JR_ENOMEM)
        fprintf(stderr, "%sout of memory\n", head);
    rest = problems;
    while ((line = strsep(&rest, "\n")) != NULL)
        fprintf(stderr, "%s%s\n", head, line);
    free(problems);
    return err == JR_OK;
}

/* Everything there is to look at; what is wrong first decides the exit status. */
static int tell_all(struct jr_command *command, struct jr_emit *emit, bool online)
{
    struct contents contents = { .there = false };
    struct jr_error error;
    int status, checked;

    show_settings(command, emit);
    show_warnings(command, emit);
    fflush(stdout);
    status = look_at_store(command, &contents);
    if (status == JR_EXIT_OK)
        show_store(command, emit, &contents);
    if (getenv(JR_INFORCE_TRIAL) != NULL)
        jr_command_compare_file(command);
    else if (status == JR_EXIT_OK)
        tell_of_settings(command, emit, contents.there);
    if (jr_load_check_files(&command->settings, &error) != JR_OK)
        status = jr_command_fail(JR_EXIT_CONFIG, "%s", error.text);
    if (!is_policy_good(command))
        status = JR_EXIT_CONFIG;
    checked = online ? tell_online(command, emit) : JR_EXIT_OK;
    return status == JR_EXIT_OK ? checked : status;
}

static int check_all(struct jr_command *command, bool online)
{
    struct jr_emit emit;
    int status = jr_command_load(command, true);

    if (status != JR_EXIT_OK)
        return status;
    jr_emit_init(&emit, stdout);
    if (command->json)
        jr_emit_open(&emit, NULL);
    status = tell_all(command, &emit, online);
    if (command->json) {
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    }
    return status;
}

int jr_command_check(struct jr_command *command)
{
    bool online = jr_command_value(command, "online") != NULL,
         in_force = jr_command_value(command, "in-force") != NULL,
         names = jr_command_value(command, "names") != NULL;

    if (command->args.count > 0 && !online)
        return jr_command_misused(command, "a repository is only looked at with --online");
    if (command->args.count > 0 && !jr_text_is_full_name(command->args.words[0]))
        return jr_command_misused(command, "'%.200s' is not OWNER/NAME", command->args.words[0]);
    if (online + in_force + names > 1)
        return jr_command_misused(command, "--in-force, --names and --online are each for "
                                  "themselves");
    return in_force ? jr_command_check_in_force(command)
           : names  ? jr_command_check_names(command)
                    : check_all(command, online);
}
