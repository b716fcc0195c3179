/*
 * github -- the calls of GitHub's REST API: a table.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/github.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/format/json.h"
#include "lib/github/answers.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIRECTS_MAX 3

/* "302 Found": so GitHub answers with the link to a log. */
#define LINKED 302

/* "304 Not Modified": what is there is known by its ETag. It counts against no rate limit:
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
#define UNCHANGED 304

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

void jr_github_web_url(const char *api_url, char *url, size_t size)
{
    static const char path[] = "/api/v3", host[] = "https://api.";
    bool fits;

    if (ends_with(api_url, path))
        fits = snprintf(url, size, "%.*s", (int)(strlen(api_url) - (sizeof path - 1)), api_url)
               < (int)size;
    else if (strcmp(api_url, "https://api.github.com") == 0
             || (strncmp(api_url, host, sizeof host - 1) == 0 && ends_with(api_url, ".ghe.com")))
        fits = snprintf(url, size, "https://%s", api_url + sizeof host - 1) < (int)size;
    else
        fits = jr_text_copy(url, size, api_url);
    if (!fits)
        url[0] = '\0';
}

bool jr_github_run_url(const char *api_url, const char *repo, uint64_t run_id,
                       char url[JR_URL_SIZE])
{
    char web[600];

    jr_github_web_url(api_url, web, sizeof web);
    url[0] = '\0';
    if (web[0] == '\0' || !jr_text_is_full_name(repo))
        return false;
    snprintf(url, JR_URL_SIZE, "%s/%s/actions/runs/%llu", web, repo, (unsigned long long)run_id);
    return true;
}

bool jr_github_job_url(const char *api_url, const char *repo, uint64_t run_id, uint64_t job_id,
                       char url[JR_URL_SIZE])
{
    size_t length;

    if (job_id == 0 || !jr_github_run_url(api_url, repo, run_id, url)) {
        url[0] = '\0';
        return false;
    }
    length = strlen(url);
    snprintf(url + length, JR_URL_SIZE - length, "/job/%llu", (unsigned long long)job_id);
    return true;
}

/* Is this an answer that names the place where the thing is now? */
static bool is_redirect(const struct jr_http_answer *answer)
{
    return (answer->status == 301 || answer->status == 302 || answer->status == 307
            || answer->status == 308)
           && answer->location[0] != '\0';
}

/* The length of "scheme://host:port" of a URL. */
static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host == NULL ? 0 : (size_t)(host + 3 - url) + strcspn(host + 3, "/?#");
}

/* The URL that a redirect leads to; false when it leads to another host. */
static bool follow(char url[JR_GITHUB_URL_SIZE], const char *api_url, const char *location)
{
    size_t origin = origin_length(api_url);

    if (location[0] == '/' && location[1] != '/')
        return snprintf(url, JR_GITHUB_URL_SIZE, "%.*s%s", (int)origin, api_url, location)
               < JR_GITHUB_URL_SIZE;
    if (origin_length(location) != origin || strncasecmp(location, api_url, origin) != 0)
        return false;
    return jr_text_copy(url, JR_GITHUB_URL_SIZE, location);
}

/* What a good answer should hold is not in it. */
static void is_bad(struct jr_call *call, enum jr_outcome outcome, const char *text)
{
    call->outcome = outcome;
    call->reason = JR_REASON_BAD_ANSWER;
    call->wait_ms = 0;
    jr_text_copy(call->text, sizeof call->text, text);
}

/* The object in a good answer; NULL: it is a bad one. Released by the caller. */
static json_object *read_object(const struct jr_http_answer *answer, struct jr_call *call)
{
    json_object *root = NULL;
    struct jr_error error = { .text = "not an object" };

    if (jr_json_parse(answer->body, answer->length, &root, &error) == JR_OK
        && json_object_is_type(root, json_type_object))
        return root;
    json_object_put(root);
    is_bad(call, JR_OUTCOME_LATER, error.text);
    return NULL;
}

/* The name that a member of an object holds; that there is none will not change. */
static void take_name(json_object *object, const char *key, char name[JR_NAME_SIZE],
                      struct jr_call *call)
{
    char text[64];

    if (jr_json_get_text(object, key, name, JR_NAME_SIZE) == JR_JSON_OK && name[0] != '\0')
        return;
    name[0] = '\0';
    snprintf(text, sizeof text, "no '%s' in it", key);
    is_bad(call, JR_OUTCOME_NEVER, text);
}

/* A copy of the token in an object; NULL: there is none that could stand in a header. */
static char *read_token(json_object *root, size_t size)
{
    char *token = malloc(size);
    bool good = token != NULL && jr_json_get_text(root, "token", token, size) == JR_JSON_OK
                && token[0] != '\0';

    for (const char *c = token; good && *c != '\0'; c++)
        good = *c > ' ' && *c < 0x7f;
    if (good)
        return token;
    free(token);
    return NULL;
}

/*
 * The readers of what a success holds, for the table. Each has checked the answer before it
 * fills in ask->holds; a bad one makes the call LATER, or NEVER where asking again is no use.
 */
typedef void reader(const struct jr_http_answer *answer, const struct jr_ask *ask,
                    struct jr_call *call);

/*
 * Is a pull request another repository's? A fork's run is shown with what its branch is for
 * upstream, too, whose numbers mean something else here.
 */
static bool is_pull_elsewhere(json_object *pull, uint64_t repo_id)
{
    json_object *base = NULL, *repo = NULL;
    uint64_t id;

    return jr_json_get_object(pull, "base", &base) == JR_JSON_OK
           && jr_json_get_object(base, "repo", &repo) == JR_JSON_OK
           && jr_json_get_id(repo, "id", &id) == JR_JSON_OK && repo_id != 0 && id != repo_id;
}

/* The pull requests that a run is shown with. */
static void take_pulls(json_object *root, struct jr_event *seen)
{
    json_object *array = NULL;

    if (jr_json_get_array(root, "pull_requests", &array) != JR_JSON_OK)
        return;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *item = json_object_array_get_idx(array, i);
        uint64_t number;

        if (!json_object_is_type(item, json_type_object)
            || jr_json_get_id(item, "number", &number) != JR_JSON_OK
            || is_pull_elsewhere(item, seen->repo_id))
            continue;
        if (seen->pull_count < JR_EVENT_PULLS)
            seen->pulls[seen->pull_count] = number;
        seen->pull_count++;
    }
}

static void read_run(const struct jr_http_answer *answer, const struct jr_ask *ask,
                     struct jr_call *call)
{
    struct jr_event *seen = ask->holds;
    json_object *root = NULL;
    struct jr_error error;
    enum jr_err err = jr_json_parse(answer->body, answer->length, &root, &error);

    if (err == JR_OK)
        err = jr_event_decode_run(root, seen, &error);
    if (err == JR_OK && seen->run_id != ask->id)
        err = jr_error_set(&error, JR_EINVAL, "the answer is about run %llu",
                           (unsigned long long)seen->run_id);
    if (err == JR_OK)
        take_pulls(root, seen);
    json_object_put(root);
    if (err != JR_OK)
        is_bad(call, JR_OUTCOME_LATER, error.text);
}

static void read_list(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_page *page = ask->holds;
    json_object *root = NULL, *array = NULL;
    struct jr_error error = { .text = "no 'workflow_runs' in it" };

    if (jr_json_parse(answer->body, answer->length, &root, &error) != JR_OK
        || jr_json_get_array(root, "workflow_runs", &array) != JR_JSON_OK) {
        is_bad(call, JR_OUTCOME_LATER, error.text);
    } else {
        page->shown = json_object_array_length(array);
        for (size_t i = 0; i < page->shown && page->count < JR_GITHUB_PAGE_RUNS; i++)
            if (jr_event_decode_run(json_object_array_get_idx(array, i),
                                    &page->runs[page->count], NULL) == JR_OK)
                page->count++;
    }
    json_object_put(root);
}

static void read_line(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_line *line = ask->holds;
    json_object *root = read_object(answer, call), *array = NULL;

    if (root == NULL)
        return;
    if (jr_json_get_array(root, "workflow_runs", &array) != JR_JSON_OK)
        is_bad(call, JR_OUTCOME_LATER, "no 'workflow_runs' in it");
    else
        for (size_t i = 0; i < json_object_array_length(array)
                           && line->count < JR_GITHUB_LINE_RUNS; i++)
            line->count += jr_event_decode_run(json_object_array_get_idx(array, i),
                                               &line->runs[line->count], NULL) == JR_OK;
    json_object_put(root);
}

/* The name of a group, if an address can hold it: "." and ".." are steps in a path. */
static bool take_group(json_object *group, char name[JR_GITHUB_GROUP_SIZE])
{
    return json_object_is_type(group, json_type_object)
           && jr_json_get_text(group, "group_name", name, JR_GITHUB_GROUP_SIZE) == JR_JSON_OK
           && strlen(name) < JR_GITHUB_GROUP_SIZE - 4 && *name != '\0'
           && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void read_groups(const struct jr_http_answer *answer, const struct jr_ask *ask,
                        struct jr_call *call)
{
    struct jr_github_groups *groups = ask->holds;
    json_object *root = read_object(answer, call), *array = NULL;
    size_t length;

    if (root == NULL)
        return;
    if (jr_json_get_array(root, "concurrency_groups", &array) != JR_JSON_OK) {
        is_bad(call, JR_OUTCOME_LATER, "no 'concurrency_groups' in it");
        json_object_put(root);
        return;
    }
    length = json_object_array_length(array);
    for (size_t i = 0; i < length && groups->count < JR_GITHUB_GROUPS; i++)
        groups->count += take_group(json_object_array_get_idx(array, i),
                                    groups->names[groups->count]);
    groups->more = groups->count < length;
    json_object_put(root);
}

/* Nobody is in it: 404. */
static void read_group(const struct jr_http_answer *answer, const struct jr_ask *ask,
                       struct jr_call *call)
{
    struct jr_github_group *group = ask->holds;
    json_object *root, *array = NULL;
    uint64_t run_id;

    if (answer->status == 404)
        return;
    root = read_object(answer, call);
    if (root != NULL && jr_json_get_array(root, "group_members", &array) != JR_JSON_OK)
        is_bad(call, JR_OUTCOME_LATER, "no 'group_members' in it");
    for (size_t i = 0; array != NULL && i < json_object_array_length(array); i++) {
        json_object *member = json_object_array_get_idx(array, i);

        group->held |= json_object_is_type(member, json_type_object)
                       && jr_json_get_id(member, "run_id", &run_id) == JR_JSON_OK
                       && run_id != ask->id;
    }
    json_object_put(root);
}

static bool is_closed(json_object *pull)
{
    char state[JR_WORD_SIZE] = "";

    return jr_json_get_text(pull, "state", state, sizeof state) == JR_JSON_OK
           && strcmp(state, "closed") == 0;
}

static void read_pull(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_pull *pull = ask->holds;
    json_object *root = read_object(answer, call), *head;

    if (root == NULL)
        return;
    pull->found = 1;
    pull->closed = is_closed(root);
    if (jr_json_get_object(root, "head", &head) == JR_JSON_OK)
        (void)jr_json_get_text(head, "sha", pull->sha, sizeof pull->sha);
    json_object_put(root);
}

/* The owner of the branch of a run. */
static void head_owner(const struct jr_ask *ask, char owner[JR_REPO_SIZE])
{
    jr_text_copy(owner, JR_REPO_SIZE,
                 *ask->run->head_repo != '\0' ? ask->run->head_repo : ask->repo);
    owner[strcspn(owner, "/")] = '\0';
}

/* Is a pull request of the run's branch and commit? */
static bool is_of_run(json_object *pull, const struct jr_ask *ask)
{
    char owner[JR_REPO_SIZE], text[JR_NAME_SIZE];
    json_object *head, *user;

    head_owner(ask, owner);
    return json_object_is_type(pull, json_type_object)
           && jr_json_get_object(pull, "head", &head) == JR_JSON_OK
           && jr_json_get_text(head, "ref", text, sizeof text) == JR_JSON_OK
           && strcmp(text, ask->run->branch) == 0
           && jr_json_get_text(head, "sha", text, sizeof text) == JR_JSON_OK
           && strcasecmp(text, ask->run->head_sha) == 0
           && jr_json_get_object(head, "user", &user) == JR_JSON_OK
           && jr_json_get_text(user, "login", text, sizeof text) == JR_JSON_OK
           && strcasecmp(text, owner) == 0;
}

static void read_pulls(const struct jr_http_answer *answer, const struct jr_ask *ask,
                       struct jr_call *call)
{
    struct jr_github_pull *pull = ask->holds;
    struct jr_error error = { .text = "not a list" };
    json_object *root = NULL;

    if (jr_json_parse(answer->body, answer->length, &root, &error) != JR_OK
        || !json_object_is_type(root, json_type_array))
        is_bad(call, JR_OUTCOME_LATER, error.text);
    else
        for (size_t i = 0; i < json_object_array_length(root); i++) {
            json_object *item = json_object_array_get_idx(root, i);

            if (!is_of_run(item, ask))
                continue;
            pull->found++;
            pull->closed = is_closed(item);
        }
    json_object_put(root);
}

/* A file that is too large, or a folder, has no content that can be read. */
static void read_file(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_file *file = ask->holds;
    bool known = ask->etag != NULL && *ask->etag != '\0';
    json_object *root;
    size_t size = answer->length + 1;
    char *base64, word[JR_WORD_SIZE] = "";

    file->unchanged = answer->status == UNCHANGED && known;
    jr_text_copy(file->etag, sizeof file->etag, file->unchanged ? ask->etag : answer->etag);
    if (file->unchanged)
        return;
    root = read_object(answer, call);
    base64 = malloc(size);
    if (root != NULL && base64 != NULL
        && jr_json_get_text(root, "encoding", word, sizeof word) == JR_JSON_OK
        && strcmp(word, "base64") == 0
        && jr_json_get_text(root, "content", base64, size) == JR_JSON_OK)
        file->text = jr_text_from_base64(base64, JR_GITHUB_FILE_MAX, &file->length);
    if (root != NULL && file->text == NULL)
        is_bad(call, JR_OUTCOME_NEVER, "no content in it that can be read");
    free(base64);
    json_object_put(root);
}

static void read_commit(const struct jr_http_answer *answer, const struct jr_ask *ask,
                        struct jr_call *call)
{
    struct jr_github_commit *commit = ask->holds;
    struct jr_error error = { .text = "not a list" };
    json_object *root = NULL, *first;

    if (jr_json_parse(answer->body, answer->length, &root, &error) != JR_OK
        || !json_object_is_type(root, json_type_array)) {
        is_bad(call, JR_OUTCOME_LATER, error.text);
    } else if (json_object_array_length(root) > 0) {
        first = json_object_array_get_idx(root, 0);
        if (!json_object_is_type(first, json_type_object)
            || jr_json_get_text(first, "sha", commit->sha, sizeof commit->sha) != JR_JSON_OK)
            is_bad(call, JR_OUTCOME_LATER, "no 'sha' in it");
    }
    json_object_put(root);
}

static void read_user(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_user *user = ask->holds;
    json_object *root = read_object(answer, call);

    if (root == NULL)
        return;
    jr_json_get_text(root, "login", user->login, sizeof user->login);
    json_object_put(root);
    user->classic = answer->scopes_told;
    jr_text_copy(user->scopes, sizeof user->scopes, answer->scopes);
}

static void read_repo(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_repo *repo = ask->holds;
    json_object *root = read_object(answer, call), *permissions;

    if (root == NULL)
        return;
    jr_json_get_text(root, "full_name", repo->name, sizeof repo->name);
    repo->archived = jr_json_is_true(root, "archived");
    repo->told = jr_json_get_object(root, "permissions", &permissions) == JR_JSON_OK;
    repo->write = repo->told && jr_json_is_true(permissions, "push");
    json_object_put(root);
}

/* "maintain" is shown as "write" here, "triage" as "read". */
static void read_permission(const struct jr_http_answer *answer, const struct jr_ask *ask,
                            struct jr_call *call)
{
    struct jr_github_permission *permission = ask->holds;
    json_object *root = read_object(answer, call), *user;
    char word[JR_WORD_SIZE];

    if (root == NULL)
        return;
    if (jr_json_get_object(root, "user", &user) == JR_JSON_OK)
        (void)jr_json_get_id(user, "id", &permission->user_id);
    if (jr_json_get_text(root, "permission", word, sizeof word) == JR_JSON_OK)
        permission->writes = strcmp(word, "admin") == 0 || strcmp(word, "write") == 0;
    else
        is_bad(call, JR_OUTCOME_LATER, "no 'permission' in it");
    json_object_put(root);
}

/* GitHub calls a workflow without a name by its path; so asking again would be of no use. */
static void read_workflow(const struct jr_http_answer *answer, const struct jr_ask *ask,
                          struct jr_call *call)
{
    struct jr_github_name *name = ask->holds;
    json_object *root = read_object(answer, call);

    if (root != NULL)
        take_name(root, "name", name->text, call);
    json_object_put(root);
}

static void read_jobs(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    struct jr_github_name *name = ask->holds;
    json_object *root = read_object(answer, call), *jobs = NULL;

    if (root == NULL)
        return;
    (void)jr_json_get_array(root, "jobs", &jobs);
    take_name(json_object_is_type(jobs, json_type_array) ? json_object_array_get_idx(jobs, 0)
                                                         : NULL,
              "workflow_name", name->text, call);
    json_object_put(root);
}

void jr_github_jobs_release(struct jr_github_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        jr_evidence_release(&jobs->jobs[i]);
    free(jobs->jobs);
    memset(jobs, 0, sizeof *jobs);
}

/* Take a job if it has ended badly. Returns false when nothing can be told from it. */
static bool take_job(struct jr_github_jobs *jobs, json_object *object)
{
    struct jr_evidence *job = &jobs->jobs[jobs->count];

    if (!json_object_is_type(object, json_type_object)
        || jr_evidence_take_job(job, object) != JR_OK) {
        jr_evidence_release(job);
        return false;
    }
    jobs->unfinished += job->status != JR_STATUS_COMPLETED;
    if (job->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(job->conclusion))
        jobs->count++;
    else
        jr_evidence_release(job);
    return true;
}

/* A job that cannot be read may be the one that failed: the whole page is none then. */
static void read_attempt_jobs(const struct jr_http_answer *answer, const struct jr_ask *ask,
                              struct jr_call *call)
{
    struct jr_github_jobs *jobs = ask->holds;
    json_object *root = read_object(answer, call), *array = NULL;
    bool good;

    if (root == NULL)
        return;
    good = jr_json_get_array(root, "jobs", &array) == JR_JSON_OK
           && json_object_array_length(array) <= JR_GITHUB_PAGE_JOBS
           && (jobs->jobs = calloc(JR_GITHUB_PAGE_JOBS, sizeof *jobs->jobs)) != NULL;
    for (size_t i = 0; good && i < json_object_array_length(array); i++)
        good = take_job(jobs, json_object_array_get_idx(array, i));
    if (good) {
        jobs->shown = json_object_array_length(array);
    } else {
        jr_github_jobs_release(jobs);
        is_bad(call, JR_OUTCOME_LATER, "no 'jobs' in it that can be read");
    }
    json_object_put(root);
}

static void read_annotations(const struct jr_http_answer *answer, const struct jr_ask *ask,
                             struct jr_call *call)
{
    struct jr_github_annotations *annotations = ask->holds;
    struct jr_error error = { .text = "not a list" };
    json_object *root = NULL;

    if (jr_json_parse(answer->body, answer->length, &root, &error) != JR_OK
        || !json_object_is_type(root, json_type_array)) {
        is_bad(call, JR_OUTCOME_LATER, error.text);
    } else if (jr_evidence_take_annotations(&annotations->evidence, root) != JR_OK) {
        jr_evidence_release(&annotations->evidence);
        is_bad(call, JR_OUTCOME_LATER, "out of memory");
    }
    json_object_put(root);
}

static void read_log(const struct jr_http_answer *answer, const struct jr_ask *ask,
                     struct jr_call *call)
{
    struct jr_github_log *log = ask->holds;
    size_t length = answer->length;

    if (ask->tail_bytes != 0 && length > ask->tail_bytes)
        length = ask->tail_bytes;
    log->text = malloc(length + 1);
    if (log->text == NULL) {
        is_bad(call, JR_OUTCOME_LATER, "out of memory");
        return;
    }
    memcpy(log->text, answer->body + answer->length - length, length);
    log->text[length] = '\0';
    log->length = length;
    log->cut = length < answer->length;
}

static void take_events(json_object *root, struct jr_github_app *app)
{
    char name[JR_WORD_SIZE];
    json_object *list;
    enum jr_json found;

    app->told = jr_json_get_array(root, "events", &list) == JR_JSON_OK;
    for (size_t i = 0;
         app->told && (found = jr_json_get_item_text(list, i, name, sizeof name)) != JR_JSON_ABSENT;
         i++) {
        app->comments |= found == JR_JSON_OK && strcmp(name, "issue_comment") == 0;
        app->checks |= found == JR_JSON_OK && strcmp(name, "check_run") == 0;
    }
}

static void read_app(const struct jr_http_answer *answer, const struct jr_ask *ask,
                     struct jr_call *call)
{
    struct jr_github_app *app = ask->holds;
    json_object *root = read_object(answer, call);

    if (root != NULL) {
        jr_json_get_text(root, "name", app->text, sizeof app->text);
        jr_json_get_text(root, "slug", app->slug, sizeof app->slug);
        take_events(root, app);
    }
    json_object_put(root);
}

/* The id of what an answer is about: of an installation, or of what was made. */
static void read_id(const struct jr_http_answer *answer, const struct jr_ask *ask,
                    struct jr_call *call)
{
    uint64_t *id = ask->holds;
    json_object *root = read_object(answer, call);

    if (root != NULL && jr_json_get_id(root, "id", id) != JR_JSON_OK)
        is_bad(call, JR_OUTCOME_LATER, "no 'id' in it");
    json_object_put(root);
}

/* Something was made, though the answer does not tell what. */
static void read_made(const struct jr_http_answer *answer, const struct jr_ask *ask,
                      struct jr_call *call)
{
    read_id(answer, ask, call);
    if (call->outcome != JR_OUTCOME_DONE)
        call->outcome = JR_OUTCOME_UNKNOWN;
}

static void read_checks(const struct jr_http_answer *answer, const struct jr_ask *ask,
                        struct jr_call *call)
{
    struct jr_github_found *found = ask->holds;
    json_object *root = read_object(answer, call), *list = NULL;

    if (root == NULL)
        return;
    if (jr_json_get_array(root, "check_runs", &list) == JR_JSON_OK) {
        found->shown = json_object_array_length(list);
        found->id = jr_check_run_find(list, ask->ours);
    } else {
        is_bad(call, JR_OUTCOME_LATER, "no 'check_runs' in it");
    }
    json_object_put(root);
}

static void read_comments(const struct jr_http_answer *answer, const struct jr_ask *ask,
                          struct jr_call *call)
{
    struct jr_github_found *found = ask->holds;
    struct jr_error error = { .text = "not a list" };
    json_object *root = NULL;

    if (jr_json_parse(answer->body, answer->length, &root, &error) == JR_OK
        && json_object_is_type(root, json_type_array)) {
        found->shown = json_object_array_length(root);
        found->id = jr_comment_find(root, ask->ours);
    } else {
        is_bad(call, JR_OUTCOME_LATER, error.text);
    }
    json_object_put(root);
}

/* GitHub says what a token may do: "permissions": {"checks": "read", ...}. */
static unsigned read_grants(json_object *root)
{
    static const struct {
        const char *name;
        unsigned grant, write;
    } known[] = {
        { "checks", JR_GRANT_CHECKS, JR_GRANT_WRITE_CHECKS },
        { "pull_requests", JR_GRANT_PULLS, JR_GRANT_WRITE_PULLS },
        { "contents", JR_GRANT_CONTENTS, 0 },
    };
    char word[JR_WORD_SIZE];
    json_object *permissions;
    unsigned grants = 0;

    if (jr_json_get_object(root, "permissions", &permissions) != JR_JSON_OK)
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (jr_json_get_text(permissions, known[i].name, word, sizeof word) == JR_JSON_OK)
            grants |= known[i].grant | (strcmp(word, "write") == 0 ? known[i].write : 0);
    return grants;
}

static void read_new_token(const struct jr_http_answer *answer, const struct jr_ask *ask,
                           struct jr_call *call)
{
    struct jr_github_token *made = ask->holds;
    json_object *root = read_object(answer, call);

    if (root == NULL)
        return;
    made->token = read_token(root, answer->length + 1);
    made->expires_ms = jr_json_get_time(root, "expires_at");
    made->grants = read_grants(root);
    if (made->token == NULL)
        is_bad(call, JR_OUTCOME_LATER, "no token in it");
    json_object_put(root);
    jr_wipe(answer->body, answer->length);
}

/*
 * Sorters: what a refusal means besides, for some calls. Those of an App as itself first:
 * GitHub may know no App of that id, so that nothing can be asked.
 */
typedef void sorter(struct jr_call *call);

static void sort_as_app(struct jr_call *call)
{
    if (call->reason == JR_REASON_BAD_TOKEN)
        call->reason = JR_REASON_BAD_APP;
    if (call->status == 404 && strcasestr(call->text, "integration not found") != NULL) {
        call->outcome = JR_OUTCOME_LATER;
        call->reason = JR_REASON_BAD_APP;
        call->stops_all = true;
    }
}

static void sort_installation(struct jr_call *call)
{
    sort_as_app(call);
    if (call->reason == JR_REASON_NOT_FOUND)
        call->reason = JR_REASON_NOT_INSTALLED;
}

/* A link is what was asked for. */
static void sort_log(struct jr_call *call)
{
    if (call->status != LINKED)
        return;
    call->outcome = JR_OUTCOME_DONE;
    call->reason = JR_REASON_NONE;
}

/* That it is known already is what was asked for. */
static void sort_file(struct jr_call *call)
{
    if (call->status != UNCHANGED)
        return;
    call->outcome = JR_OUTCOME_DONE;
    call->reason = JR_REASON_NONE;
    call->text[0] = '\0';
}

/* Nobody is in the group: so GitHub says that it is free. */
static void sort_group(struct jr_call *call)
{
    if (call->status != 404 || call->reason != JR_REASON_NOT_FOUND)
        return;
    call->outcome = JR_OUTCOME_DONE;
    call->reason = JR_REASON_NONE;
}

/* "The permissions requested are not granted to this installation" */
static void sort_new_token(struct jr_call *call)
{
    sort_installation(call);
    if (call->status == 422 && call->reason == JR_REASON_REFUSED)
        call->reason = JR_REASON_NO_PERMISSION;
}

enum method {
    GET,
    POST,       /* it asks for a rerun: it may have taken effect whenever it was sent */
    POST_NEW,   /* it makes something else, likewise */
    POST_AGAIN, /* it can be made again */
    PATCH       /* likewise */
};

/* The permissions of the calls that need one, and all that is asked for. */
#define READ_ACTIONS "Actions, \"Read\""
#define WRITE_ACTIONS "Actions, \"Read and write\""
#define READ_CHECKS "Checks, \"Read\""
#define READ_PULLS "Pull requests, \"Read\""
#define READ_CONTENTS "Contents, \"Read\""
#define WRITE_CHECKS "Checks, \"Read and write\""
#define WRITE_PULLS "Pull requests, \"Read and write\""

enum {
    AS_APP = 1,   /* jr_github_is_as_app() */
    OPTIONAL = 2, /* jr_github_is_optional() */
    LINKS = 4     /* a 302 is its answer, and is not followed */
};

#define RUN "/repos/{repo}/actions/runs/{id}"

/*
 * The calls. In a path, {repo}, {id}, {attempt}, {page}, {list}, {name} and {path} are those of
 * the question, {branch}, {event}, {head} and {ref} of its run.
 * Sources: https://docs.github.com/en/rest/actions/workflow-runs, .../workflows,
 * .../workflow-jobs, .../concurrency-groups, https://docs.github.com/en/rest/checks/runs,
 * https://docs.github.com/en/rest/pulls/pulls, https://docs.github.com/en/rest/repos/contents,
 * https://docs.github.com/en/rest/commits/commits,
 * https://docs.github.com/en/rest/apps/apps
 */
static const struct row {
    const char *what;    /* for people: history and log */
    const char *counted; /* for /metrics; NULL: only the tool makes it */
    enum method method;
    const char *path;
    reader *read; /* NULL: a success holds nothing */
    size_t size;  /* of what it holds: as much of ask->holds is zero at first */
    sorter *sort; /* NULL: a refusal is what any is */
    int kind; /* the sum of what it is, as above */
    const char *permission; /* NULL: none is needed */
} rows[JR_APIS] = {
    [JR_API_GET_RUN] = { "GET run", "get-run", GET, RUN, read_run,
                         sizeof(struct jr_event), NULL, 0, READ_ACTIONS },
    [JR_API_RERUN_FAILED] = { "POST rerun-failed-jobs", "rerun-failed-jobs", POST,
                              RUN "/rerun-failed-jobs", NULL, 0, NULL, 0,
                              WRITE_ACTIONS },
    [JR_API_RERUN_ALL] = { "POST rerun", "rerun", POST, RUN "/rerun", NULL, 0, NULL, 0,
                           WRITE_ACTIONS },
    [JR_API_LIST_RUNS] = { "GET runs", "list-runs", GET, "/repos/{repo}/actions/runs?{list}",
                           read_list, offsetof(struct jr_github_page, runs), NULL, 0,
                           READ_ACTIONS },
    [JR_API_RATE_LIMIT] = { "GET rate_limit", "rate-limit", GET, "/rate_limit", NULL, 0, NULL, 0,
                            NULL },
    [JR_API_GET_APP] = { "GET app", "get-app", GET, "/app", read_app,
                         sizeof(struct jr_github_app), sort_as_app, AS_APP, NULL },
    [JR_API_GET_INSTALLATION] = { "GET installation", "get-installation", GET,
                                  "/repos/{repo}/installation", read_id,
                                  sizeof(uint64_t), sort_installation, AS_APP, NULL },
    [JR_API_MAKE_TOKEN] = { "POST access_tokens", "make-token", POST_AGAIN,
                            "/app/installations/{id}/access_tokens", read_new_token,
                            sizeof(struct jr_github_token), sort_new_token, AS_APP, NULL },
    [JR_API_GET_WORKFLOW] = { "GET workflow", "get-workflow", GET,
                              "/repos/{repo}/actions/workflows/{id}", read_workflow,
                              sizeof(struct jr_github_name), NULL, 0, READ_ACTIONS },
    [JR_API_GET_JOBS] = { "GET jobs", "get-jobs", GET, RUN "/jobs?per_page=1", read_jobs,
                          sizeof(struct jr_github_name), NULL, 0, READ_ACTIONS },
    [JR_API_GET_ATTEMPT_JOBS] = { "GET jobs of an attempt", "get-attempt-jobs", GET,
                                  RUN "/attempts/{attempt}/jobs?per_page=100&page={page}",
                                  read_attempt_jobs, sizeof(struct jr_github_jobs), NULL, 0,
                                  READ_ACTIONS },
    [JR_API_GET_ANNOTATIONS] = { "GET annotations", "get-annotations", GET,
                                 "/repos/{repo}/check-runs/{id}/annotations?per_page=100",
                                 read_annotations, sizeof(struct jr_github_annotations), NULL,
                                 OPTIONAL, READ_CHECKS },
    [JR_API_GET_LOG] = { "GET log", "get-log", GET, "/repos/{repo}/actions/jobs/{id}/logs",
                         read_log, sizeof(struct jr_github_log), sort_log, OPTIONAL | LINKS,
                         READ_ACTIONS },
    [JR_API_LIST_LINE] = { "GET runs of a workflow", "list-line", GET,
                           "/repos/{repo}/actions/workflows/{id}/runs?branch={branch}"
                           "&event={event}&exclude_pull_requests=true&per_page=10",
                           read_line, sizeof(struct jr_github_line), NULL, OPTIONAL,
                           READ_ACTIONS },
    [JR_API_GET_GROUPS] = { "GET concurrency groups of a run", "get-groups", GET,
                            RUN "/concurrency_groups?per_page=100", read_groups,
                            sizeof(struct jr_github_groups), NULL, OPTIONAL, READ_ACTIONS },
    [JR_API_GET_GROUP] = { "GET concurrency group", "get-group", GET,
                           "/repos/{repo}/actions/concurrency_groups/{name}", read_group,
                           sizeof(struct jr_github_group), sort_group, OPTIONAL, READ_ACTIONS },
    [JR_API_GET_PULL] = { "GET pull request", "get-pull", GET, "/repos/{repo}/pulls/{id}",
                          read_pull, sizeof(struct jr_github_pull), NULL, OPTIONAL, READ_PULLS },
    [JR_API_FIND_PULL] = { "GET pull requests", "find-pull", GET,
                           "/repos/{repo}/pulls?head={head}&state=all&per_page=100", read_pulls,
                           sizeof(struct jr_github_pull), NULL, OPTIONAL, READ_PULLS },
    [JR_API_GET_FILE] = { "GET file", "get-file", GET, "/repos/{repo}/contents/{path}{ref}",
                          read_file, sizeof(struct jr_github_file), sort_file, OPTIONAL,
                          READ_CONTENTS },
    [JR_API_LIST_CHECKS] = { "GET check-runs", "list-check-runs", GET,
                             "/repos/{repo}/commits/{sha}/check-runs?check_name={name}&filter=all"
                             "&per_page=100&page={page}", read_checks,
                             sizeof(struct jr_github_found), NULL, OPTIONAL, READ_CHECKS },
    [JR_API_MAKE_CHECK] = { "POST check-runs", "make-check-run", POST_NEW,
                            "/repos/{repo}/check-runs", read_made, sizeof(uint64_t), NULL, OPTIONAL,
                            WRITE_CHECKS },
    [JR_API_SET_CHECK] = { "PATCH check-run", "set-check-run", PATCH,
                           "/repos/{repo}/check-runs/{id}", NULL, 0, NULL, OPTIONAL, WRITE_CHECKS },
    [JR_API_LIST_COMMENTS] = { "GET comments", "list-comments", GET,
                               "/repos/{repo}/issues/{id}/comments?per_page=100&page={page}",
                               read_comments, sizeof(struct jr_github_found), NULL, OPTIONAL,
                               WRITE_PULLS },
    [JR_API_MAKE_COMMENT] = { "POST comments", "make-comment", POST_NEW,
                              "/repos/{repo}/issues/{id}/comments", read_made, sizeof(uint64_t),
                              NULL, OPTIONAL, WRITE_PULLS },
    [JR_API_SET_COMMENT] = { "PATCH comment", "set-comment", PATCH,
                             "/repos/{repo}/issues/comments/{id}", NULL, 0, NULL, OPTIONAL,
                             WRITE_PULLS },
    [JR_API_GET_PERMISSION] = { "GET permission", "get-permission", GET,
                                "/repos/{repo}/collaborators/{name}/permission", read_permission,
                                sizeof(struct jr_github_permission), NULL, OPTIONAL, NULL },
    [JR_API_LIST_COMMIT] = { "GET runs of a commit", "list-commit", GET,
                             "/repos/{repo}/actions/runs?head_sha={sha}&exclude_pull_requests=true"
                             "&per_page=100", read_list, offsetof(struct jr_github_page, runs),
                             NULL, OPTIONAL, READ_ACTIONS },
    [JR_API_REACT] = { "POST reactions", "react", POST_AGAIN,
                       "/repos/{repo}/issues/comments/{id}/reactions", NULL, 0, NULL, OPTIONAL,
                       WRITE_PULLS },
    [JR_API_GET_USER] = { "GET user", "get-user", GET, "/user", read_user,
                          sizeof(struct jr_github_user), NULL, OPTIONAL, NULL },
    [JR_API_FIND_COMMIT] = { "GET commits", "find-commit", GET,
                             "/repos/{repo}/commits?path={name}&per_page=1", read_commit,
                             sizeof(struct jr_github_commit), NULL, OPTIONAL, READ_CONTENTS },
    [JR_API_GET_REPO] = { "GET repository", NULL, GET, "/repos/{repo}", read_repo,
                          sizeof(struct jr_github_repo), NULL, 0, NULL },
};

const char *jr_github_what(enum jr_api api)
{
    return rows[api].what;
}

const char *jr_github_counted(enum jr_api api)
{
    return rows[api].counted;
}

const char *jr_github_permission(enum jr_api api)
{
    return rows[api].permission;
}

bool jr_github_is_write(enum jr_api api)
{
    return rows[api].method == POST;
}

bool jr_github_is_optional(enum jr_api api)
{
    return api < JR_APIS && (rows[api].kind & OPTIONAL) != 0;
}

bool jr_github_is_as_app(enum jr_api api)
{
    return (rows[api].kind & AS_APP) != 0;
}

/* created=from..until or >=from, in whole seconds as GitHub's search has it. */
static void write_list(const struct jr_github_list *list, char *text, size_t size)
{
    char from[JR_TIMESTAMP_SIZE], until[JR_TIMESTAMP_SIZE], created[64];

    jr_timestamp_format(list->from_ms, from);
    if (list->until_ms == 0)
        snprintf(created, sizeof created, "%%3E%%3D%.19sZ", from);
    else
        snprintf(created, sizeof created, "%.19sZ..%.19sZ", from,
                 jr_timestamp_format(list->until_ms, until));
    snprintf(text, size, "status=%s&created=%s&exclude_pull_requests=true&per_page=%d&page=%u",
             list->conclusion, created, JR_GITHUB_PAGE_RUNS, list->page);
}

/* A text as part of an address: all but what is plain there becomes %XX. */
static void write_text(const char *from, const char *plain, char *text, size_t size)
{
    size_t length = 0;

    for (; *from != '\0' && length + 4 <= size; from++) {
        unsigned char c = (unsigned char)*from;

        if ((c < 0x80 && isalnum(c)) || strchr(plain, c) != NULL)
            text[length++] = (char)c;
        else
            length += (size_t)snprintf(text + length, size - length, "%%%02X", c);
    }
    text[length] = '\0';
}

#define PLAIN "-._~"

static void write_head(const struct jr_ask *ask, char *text, size_t size)
{
    char owner[JR_REPO_SIZE], branch[3 * JR_NAME_SIZE];

    head_owner(ask, owner);
    write_text(ask->run->branch, PLAIN, branch, sizeof branch);
    snprintf(text, size, "%s:%s", owner, branch);
}

static void write_ref(const struct jr_run *run, char *text, size_t size)
{
    char sha[3 * JR_SHA_SIZE];

    text[0] = '\0';
    if (run == NULL)
        return;
    write_text(run->head_sha, PLAIN, sha, sizeof sha);
    snprintf(text, size, "?ref=%s", sha);
}

/* What stands for a {word} of a path that names something of a run. */
static void write_name(const struct jr_ask *ask, const char *word, char *text, size_t size)
{
    if (strncmp(word, "{name}", 6) == 0)
        write_text(ask->name, PLAIN, text, size);
    else if (strncmp(word, "{sha}", 5) == 0)
        write_text(ask->sha, PLAIN, text, size);
    else if (strncmp(word, "{path}", 6) == 0)
        write_text(ask->name, PLAIN "/", text, size);
    else if (strncmp(word, "{branch}", 8) == 0)
        write_text(ask->run->branch, PLAIN, text, size);
    else if (strncmp(word, "{event}", 7) == 0)
        write_text(ask->run->trigger, PLAIN, text, size);
    else if (strncmp(word, "{head}", 6) == 0)
        write_head(ask, text, size);
    else
        write_ref(ask->run, text, size);
}

/* ... or anything else. */
static void write_word(const struct jr_ask *ask, const char *word, char *text, size_t size)
{
    if (strncmp(word, "{repo}", 6) == 0)
        jr_text_copy(text, size, ask->repo);
    else if (strncmp(word, "{list}", 6) == 0)
        write_list(ask->list, text, size);
    else if (strncmp(word, "{attempt}", 9) == 0)
        snprintf(text, size, "%u", ask->attempt);
    else if (strncmp(word, "{page}", 6) == 0)
        snprintf(text, size, "%u", ask->page);
    else if (strncmp(word, "{id}", 4) == 0)
        snprintf(text, size, "%llu", (unsigned long long)ask->id);
    else
        write_name(ask, word, text, size);
}

static void make_url(char url[JR_GITHUB_URL_SIZE], const char *api_url, const struct jr_ask *ask)
{
    const char *path = rows[ask->api].path;
    char word[3 * JR_GITHUB_GROUP_SIZE];

    jr_text_copy(url, JR_GITHUB_URL_SIZE, api_url);
    while (*path != '\0') {
        size_t length = strlen(url), plain = strcspn(path, "{");

        snprintf(url + length, JR_GITHUB_URL_SIZE - length, "%.*s", (int)plain, path);
        path += plain;
        if (*path == '\0')
            break;
        write_word(ask, path, word, sizeof word);
        length = strlen(url);
        snprintf(url + length, JR_GITHUB_URL_SIZE - length, "%s", word);
        path = strchr(path, '}') + 1;
    }
}

/* What a token is to do, by JR_GRANT_*; who writes may read, too. */
static const char *write_wish(unsigned grants, char *wish, size_t size)
{
    const char *checks = (grants & JR_GRANT_WRITE_CHECKS) != 0 ? ",\"checks\":\"write\""
                         : (grants & JR_GRANT_CHECKS) != 0     ? ",\"checks\":\"read\""
                                                               : "";
    const char *pulls = (grants & JR_GRANT_WRITE_PULLS) != 0 ? ",\"pull_requests\":\"write\""
                        : (grants & JR_GRANT_PULLS) != 0     ? ",\"pull_requests\":\"read\""
                                                             : "";

    snprintf(wish, size, "{\"permissions\":{\"actions\":\"write\"%s%s%s}}", checks, pulls,
             (grants & JR_GRANT_CONTENTS) != 0 ? ",\"contents\":\"read\"" : "");
    return wish;
}

/* What a POST says beside its address; NULL: nothing. */
static const char *body_of(struct jr_exchange *exchange)
{
    const struct jr_ask *ask = exchange->ask;

    if (ask->api == JR_API_MAKE_TOKEN)
        return write_wish(ask->grants, exchange->wish, sizeof exchange->wish);
    if (ask->debug && jr_github_is_write(ask->api))
        return "{\"enable_debug_logging\":true}";
    return ask->json;
}

static void begin_hop(struct jr_exchange *exchange)
{
    const struct row *row = &rows[exchange->ask->api];
    const struct jr_http_request request = {
        .url = exchange->url,
        .token = exchange->token,
        .posts = row->method != GET,
        .patches = row->method == PATCH,
        .json = body_of(exchange),
        .etag = exchange->ask->etag,
        .before_ms = exchange->ask->before_ms,
        .permit = exchange->ask->permit,
        .permits = exchange->ask->permits,
    };

    exchange->transfer = jr_http_begin(exchange->http, &request);
}

void jr_github_begin(struct jr_exchange *exchange, struct jr_http *http, const char *api_url,
                     const char *token, const struct jr_ask *ask)
{
    memset(exchange, 0, sizeof *exchange);
    exchange->http = http;
    exchange->api_url = api_url;
    exchange->ask = ask;
    exchange->token = token == NULL ? NULL : strdup(token);
    if (ask->holds != NULL)
        memset(ask->holds, 0, rows[ask->api].size);
    make_url(exchange->url, api_url, ask);
    if (token == NULL || exchange->token != NULL)
        begin_hop(exchange);
}

void jr_github_release(struct jr_exchange *exchange)
{
    jr_http_release(exchange->transfer);
    if (exchange->token != NULL)
        jr_wipe(exchange->token, strlen(exchange->token));
    free(exchange->token);
    memset(exchange, 0, sizeof *exchange);
}

/* An answer that has come: the last of this call? Else the next request is begun. */
static bool is_last(struct jr_exchange *exchange, const struct jr_http_answer *answer)
{
    if (exchange->begun_us == 0)
        exchange->begun_us = answer->begun_us;
    exchange->duration_us += answer->duration_us;
    if (exchange->hops >= REDIRECTS_MAX || !is_redirect(answer)
        || (answer->status == LINKED && (rows[exchange->ask->api].kind & LINKS) != 0)
        || !follow(exchange->url, exchange->api_url, answer->location))
        return true;
    exchange->hops++;
    jr_http_release(exchange->transfer);
    begin_hop(exchange);
    return false;
}

/* A link may begin with a path of the API's own host. */
static void take_link(const struct jr_exchange *exchange, const struct jr_http_answer *answer,
                      struct jr_call *call)
{
    struct jr_github_log *log = exchange->ask->holds;
    const char *location = answer->location;
    int origin = location[0] == '/' && location[1] != '/' ? (int)origin_length(exchange->api_url)
                                                          : 0;

    if ((origin != 0 || origin_length(location) != 0)
        && snprintf(log->link, sizeof log->link, "%.*s%s", origin, exchange->api_url, location)
               < (int)sizeof log->link)
        return;
    log->link[0] = '\0';
    is_bad(call, JR_OUTCOME_LATER, "no link in it that can be followed");
}

static void sort(const struct jr_exchange *exchange, const struct jr_http_answer *answer,
                 int64_t now_ms, struct jr_call *call)
{
    const struct row *row = &rows[exchange->ask->api];

    jr_answer_sort(answer, row->method == POST || row->method == POST_NEW, now_ms, call);
    if (row->method == POST_NEW && call->outcome == JR_OUTCOME_DONE)
        call->reason = JR_REASON_NONE;
    call->begun_us = exchange->begun_us;
    call->duration_us = exchange->duration_us;
    if (row->sort != NULL)
        row->sort(call);
    /* Not of a link, which is a secret. */
    if (call->reason == JR_REASON_MOVED && call->text[0] == '\0')
        snprintf(call->text, sizeof call->text, "to %.240s", answer->location);
    if (call->outcome == JR_OUTCOME_DONE && answer->status == LINKED)
        take_link(exchange, answer, call);
    else if (call->outcome == JR_OUTCOME_DONE && row->read != NULL)
        row->read(answer, exchange->ask, call);
}

bool jr_github_take(struct jr_exchange *exchange, int64_t now_ms, struct jr_call *call)
{
    const struct jr_http_answer none = { .text = "out of memory", .retry_after_s = -1,
                                         .ratelimit_limit = -1, .ratelimit_remaining = -1,
                                         .ratelimit_reset_s = -1 };
    const struct jr_http_answer *answer;

    do {
        answer = exchange->transfer == NULL ? &none : jr_http_answer(exchange->transfer);
        if (answer == NULL)
            return false;
    } while (!is_last(exchange, answer));
    memset(call, 0, sizeof *call);
    call->api = exchange->ask->api;
    call->what = rows[call->api].what;
    sort(exchange, answer, now_ms, call);
    return true;
}

void jr_github_ask(struct jr_http *http, const char *api_url, const char *token,
                   const struct jr_ask *ask, struct jr_call *call)
{
    struct jr_exchange exchange;

    jr_github_begin(&exchange, http, api_url, token, ask);
    while (!jr_github_take(&exchange, jr_now_ms(), call))
        (void)jr_http_await(exchange.transfer);
    jr_github_release(&exchange);
}
