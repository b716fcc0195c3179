/*
 * event -- what a webhook, or an answer of the API, says about a run or a job.
 *
 * Identity is strict: an id, an attempt or a repository of the wrong type makes
 * the payload bad. All else is lenient: what is of another type is not said.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/event.h"
#include "lib/base/text.h"
#include "lib/format/excerpt.h"
#include "lib/format/json.h"
#include "lib/model/labels.h"

#include <string.h>
#include <strings.h>

static const char job_event[] = "workflow_job", run_event[] = "workflow_run";
static const char comment_event[] = "issue_comment", check_event[] = "check_run";

bool jr_event_is_watched(const char *name)
{
    return strcmp(name, job_event) == 0 || strcmp(name, run_event) == 0;
}

bool jr_event_is_asking(const char *name)
{
    return strcmp(name, comment_event) == 0 || strcmp(name, check_event) == 0;
}

static enum jr_err bad(struct jr_error *error, const char *where, const char *member)
{
    return jr_error_set(error, JR_EINVAL, "'%s%s' is missing or not what it has to be",
                        where, member);
}

/* All that is read of a payload, or of a run as the API shows it. */
enum place {
    PAYLOAD,
    ACTION,
    JOB,
    JOB_ID,
    JOB_RUN,
    JOB_ATTEMPT,
    JOB_STATUS,
    JOB_CONCLUSION,
    JOB_BRANCH,
    JOB_WORKFLOW,
    JOB_NAME,
    JOB_RUNNER,
    JOB_LABELS,
    JOB_STEPS,
    JOB_RUNNER_ID,
    JOB_CREATED,
    JOB_STARTED,
    JOB_COMPLETED,
    RUN,
    RUN_ID,
    RUN_ATTEMPT,
    RUN_STATUS,
    RUN_CONCLUSION,
    RUN_BRANCH,
    RUN_WORKFLOW,
    RUN_PATH,
    RUN_NUMBER,
    RUN_SHA,
    RUN_TRIGGER,
    RUN_ACTOR,
    RUN_ACTOR_LOGIN,
    RUN_BY,
    RUN_BY_LOGIN,
    RUN_HEAD,
    RUN_HEAD_NAME,
    RUN_CREATED,
    RUN_STARTED,
    RUN_UPDATED,
    DEPLOYMENT,
    DEPLOYMENT_ENVIRONMENT,
    WORKFLOW,
    WORKFLOW_ID,
    WORKFLOW_NAME,
    WORKFLOW_PATH,
    REPOSITORY,
    REPOSITORY_ID,
    REPOSITORY_NAME,
    SENDER,
    SENDER_LOGIN,
    SENDER_TYPE,
    SENDER_ID,
    COMMENT,
    COMMENT_ID,
    COMMENT_BODY,
    COMMENT_CREATED,
    COMMENT_ASSOCIATION,
    COMMENT_USER,
    COMMENT_LOGIN,
    COMMENT_TYPE,
    ISSUE,
    ISSUE_NUMBER,
    ISSUE_PULL,
    ISSUE_PULL_URL,
    CHECK,
    CHECK_EXTERNAL_ID,
    CHECK_APP,
    CHECK_APP_ID,
    CHECK_APP_CLIENT,
    BUTTON,
    BUTTON_IDENTIFIER,
    PLACES
};

#define END { NULL, 0, 0, NULL }

/* What is wanted of a job; its steps only where it may have failed, for they are most of it. */
#define JOB_MEMBERS \
    { JR_WANTED("id"), JOB_ID, NULL }, \
    { JR_WANTED("run_id"), JOB_RUN, NULL }, \
    { JR_WANTED("run_attempt"), JOB_ATTEMPT, NULL }, \
    { JR_WANTED("status"), JOB_STATUS, NULL }, \
    { JR_WANTED("conclusion"), JOB_CONCLUSION, NULL }, \
    { JR_WANTED("head_branch"), JOB_BRANCH, NULL }, \
    { JR_WANTED("workflow_name"), JOB_WORKFLOW, NULL }, \
    { JR_WANTED("name"), JOB_NAME, NULL }, \
    { JR_WANTED("runner_name"), JOB_RUNNER, NULL }, \
    { JR_WANTED("labels"), JOB_LABELS, NULL }, \
    { JR_WANTED("created_at"), JOB_CREATED, NULL }, \
    { JR_WANTED("started_at"), JOB_STARTED, NULL }, \
    { JR_WANTED("completed_at"), JOB_COMPLETED, NULL }

static const struct jr_wanted wanted_job[] = { JOB_MEMBERS, END };
static const struct jr_wanted wanted_failed_job[] = {
    JOB_MEMBERS,
    { JR_WANTED("steps"), JOB_STEPS, NULL },
    { JR_WANTED("runner_id"), JOB_RUNNER_ID, NULL },
    END,
};
static const struct jr_wanted wanted_actor[] = {
    { JR_WANTED("login"), RUN_ACTOR_LOGIN, NULL },
    END,
};
static const struct jr_wanted wanted_by[] = {
    { JR_WANTED("login"), RUN_BY_LOGIN, NULL },
    END,
};
static const struct jr_wanted wanted_head[] = {
    { JR_WANTED("full_name"), RUN_HEAD_NAME, NULL },
    END,
};
static const struct jr_wanted wanted_run[] = {
    { JR_WANTED("id"), RUN_ID, NULL },
    { JR_WANTED("run_attempt"), RUN_ATTEMPT, NULL },
    { JR_WANTED("status"), RUN_STATUS, NULL },
    { JR_WANTED("conclusion"), RUN_CONCLUSION, NULL },
    { JR_WANTED("head_branch"), RUN_BRANCH, NULL },
    { JR_WANTED("workflow_id"), RUN_WORKFLOW, NULL },
    { JR_WANTED("path"), RUN_PATH, NULL },
    { JR_WANTED("run_number"), RUN_NUMBER, NULL },
    { JR_WANTED("head_sha"), RUN_SHA, NULL },
    { JR_WANTED("event"), RUN_TRIGGER, NULL },
    { JR_WANTED("actor"), RUN_ACTOR, wanted_actor },
    { JR_WANTED("triggering_actor"), RUN_BY, wanted_by },
    { JR_WANTED("head_repository"), RUN_HEAD, wanted_head },
    { JR_WANTED("created_at"), RUN_CREATED, NULL },
    { JR_WANTED("run_started_at"), RUN_STARTED, NULL },
    { JR_WANTED("updated_at"), RUN_UPDATED, NULL },
    END,
};
static const struct jr_wanted wanted_workflow[] = {
    { JR_WANTED("id"), WORKFLOW_ID, NULL },
    { JR_WANTED("name"), WORKFLOW_NAME, NULL },
    { JR_WANTED("path"), WORKFLOW_PATH, NULL },
    END,
};
static const struct jr_wanted wanted_repository[] = {
    { JR_WANTED("id"), REPOSITORY_ID, NULL },
    { JR_WANTED("full_name"), REPOSITORY_NAME, NULL },
    END,
};
static const struct jr_wanted wanted_sender[] = {
    { JR_WANTED("login"), SENDER_LOGIN, NULL },
    END,
};
static const struct jr_wanted wanted_deployment[] = {
    { JR_WANTED("environment"), DEPLOYMENT_ENVIRONMENT, NULL },
    END,
};

#define PAYLOAD_MEMBERS(job) \
    { JR_WANTED("action"), ACTION, NULL }, \
    { JR_WANTED(job_event), JOB, (job) }, \
    { JR_WANTED(run_event), RUN, wanted_run }, \
    { JR_WANTED("deployment"), DEPLOYMENT, wanted_deployment }, \
    { JR_WANTED("workflow"), WORKFLOW, wanted_workflow }, \
    { JR_WANTED("repository"), REPOSITORY, wanted_repository }, \
    { JR_WANTED("sender"), SENDER, wanted_sender }

static const struct jr_wanted wanted_payload[] = { PAYLOAD_MEMBERS(wanted_job), END };
static const struct jr_wanted wanted_of_failed[] = { PAYLOAD_MEMBERS(wanted_failed_job), END };
static const struct jr_wanted wanted_text = { JR_WANTED(""), PAYLOAD, wanted_payload };
static const struct jr_wanted wanted_text_of_failed = { JR_WANTED(""), PAYLOAD, wanted_of_failed };
/* Of a comment, or of a button that was pressed. */
static const struct jr_wanted wanted_asker[] = {
    { JR_WANTED("login"), SENDER_LOGIN, NULL },
    { JR_WANTED("type"), SENDER_TYPE, NULL },
    { JR_WANTED("id"), SENDER_ID, NULL },
    END,
};
static const struct jr_wanted wanted_author[] = {
    { JR_WANTED("login"), COMMENT_LOGIN, NULL },
    { JR_WANTED("type"), COMMENT_TYPE, NULL },
    END,
};
static const struct jr_wanted wanted_comment[] = {
    { JR_WANTED("id"), COMMENT_ID, NULL },
    { JR_WANTED("body"), COMMENT_BODY, NULL },
    { JR_WANTED("created_at"), COMMENT_CREATED, NULL },
    { JR_WANTED("author_association"), COMMENT_ASSOCIATION, NULL },
    { JR_WANTED("user"), COMMENT_USER, wanted_author },
    END,
};
static const struct jr_wanted wanted_issue_pull[] = {
    { JR_WANTED("url"), ISSUE_PULL_URL, NULL },
    END,
};
static const struct jr_wanted wanted_issue[] = {
    { JR_WANTED("number"), ISSUE_NUMBER, NULL },
    { JR_WANTED("pull_request"), ISSUE_PULL, wanted_issue_pull },
    END,
};
static const struct jr_wanted wanted_app[] = {
    { JR_WANTED("id"), CHECK_APP_ID, NULL },
    { JR_WANTED("client_id"), CHECK_APP_CLIENT, NULL },
    END,
};
static const struct jr_wanted wanted_check[] = {
    { JR_WANTED("external_id"), CHECK_EXTERNAL_ID, NULL },
    { JR_WANTED("app"), CHECK_APP, wanted_app },
    END,
};
static const struct jr_wanted wanted_button[] = {
    { JR_WANTED("identifier"), BUTTON_IDENTIFIER, NULL },
    END,
};
static const struct jr_wanted wanted_asking[] = {
    { JR_WANTED("action"), ACTION, NULL },
    { JR_WANTED("comment"), COMMENT, wanted_comment },
    { JR_WANTED("issue"), ISSUE, wanted_issue },
    { JR_WANTED(check_event), CHECK, wanted_check },
    { JR_WANTED("requested_action"), BUTTON, wanted_button },
    { JR_WANTED("repository"), REPOSITORY, wanted_repository },
    { JR_WANTED("sender"), SENDER, wanted_asker },
    END,
};
static const struct jr_wanted wanted_text_of_asking = { JR_WANTED(""), PAYLOAD, wanted_asking };
/* Of the API's answer, besides what a payload's run has. */
static const struct jr_wanted wanted_beside[] = {
    { JR_WANTED("repository"), REPOSITORY, wanted_repository },
    END,
};

/* What was found, by its place: the values are borrowed, and NULL where there is null, nothing
 * or an object. */
struct source {
    uint32_t found[PLACES];
    json_object *values[PLACES];
};

static enum jr_json read_text(const struct source *source, enum place place, char *copy,
                              size_t size)
{
    return jr_json_text(source->values[place], copy, size);
}

/* A name that does not fit is no name of GitHub's, and half of it is another name. */
static void read_whole(const struct source *source, enum place place, char *name, size_t size)
{
    char text[1024];

    read_text(source, place, text, sizeof text);
    if (!jr_text_copy(name, size, text))
        name[0] = '\0';
}

/* run_attempt: absent is allowed, anything but 1 to UINT32_MAX is not. */
static enum jr_err read_attempt(const struct source *source, enum place place,
                                struct jr_event *event, const char *where, struct jr_error *error)
{
    uint64_t attempt;

    if (jr_json_id(source->values[place], &attempt) == JR_JSON_WRONG || attempt > UINT32_MAX)
        return bad(error, where, "run_attempt");
    event->attempt = (uint32_t)attempt;
    return JR_OK;
}

static enum jr_err read_repository(const struct source *source, struct jr_event *event,
                                   struct jr_error *error)
{
    char name[2 * JR_REPO_SIZE];

    read_text(source, REPOSITORY_NAME, name, sizeof name);
    if (!jr_text_is_full_name(name))
        return bad(error, "repository.", "full_name");
    jr_text_copy(event->repo, sizeof event->repo, name);
    if (jr_json_id(source->values[REPOSITORY_ID], &event->repo_id) == JR_JSON_WRONG)
        return bad(error, "repository.", "id");
    return JR_OK;
}


static enum jr_err read_job(const struct source *source, struct jr_event *event,
                            struct jr_error *error)
{
    char word[JR_WORD_SIZE];
    enum jr_status by_action = jr_status_from(event->action);

    if (jr_json_id(source->values[JOB_ID], &event->job_id) != JR_JSON_OK)
        return bad(error, "workflow_job.", "id");
    if (jr_json_id(source->values[JOB_RUN], &event->run_id) != JR_JSON_OK)
        return bad(error, "workflow_job.", "run_id");
    if (read_attempt(source, JOB_ATTEMPT, event, "workflow_job.", error) != JR_OK)
        return JR_EINVAL;
    read_text(source, JOB_STATUS, word, sizeof word);
    event->status = jr_status_from(word);
    if (by_action > event->status)
        event->status = by_action;
    read_text(source, JOB_CONCLUSION, word, sizeof word);
    if (event->status == JR_STATUS_COMPLETED)
        event->conclusion = jr_conclusion_from(word);
    read_whole(source, JOB_BRANCH, event->branch, sizeof event->branch);
    read_text(source, JOB_WORKFLOW, event->workflow, sizeof event->workflow);
    read_text(source, JOB_NAME, event->job_name, sizeof event->job_name);
    read_text(source, JOB_RUNNER, event->runner, sizeof event->runner);
    jr_labels_read(source->values[JOB_LABELS], event->labels);
    if (event->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(event->conclusion))
        jr_steptext_make(source->values[JOB_STEPS], source->values[JOB_RUNNER_ID], event->steps);
    read_whole(source, DEPLOYMENT_ENVIRONMENT, event->environment, sizeof event->environment);
    event->created_ms = jr_json_time(source->values[JOB_CREATED]);
    event->started_ms = jr_json_time(source->values[JOB_STARTED]);
    event->completed_ms = jr_json_time(source->values[JOB_COMPLETED]);
    return JR_OK;
}

/*
 * A workflow's path may carry the ref that it was taken from: "ci.yml@main",
 * "ci.yml@refs/pull/7/merge".
 */
static void cut_ref(char *path)
{
    for (char *at = strchr(path, '@'); at != NULL; at = strchr(at + 1, '@')) {
        if ((at - path >= 4 && strncasecmp(at - 4, ".yml", 4) == 0)
            || (at - path >= 5 && strncasecmp(at - 5, ".yaml", 5) == 0)) {
            *at = '\0';
            return;
        }
    }
}

/* `name` of a run is passed over: it is the run-name where the workflow has one. */
static void read_identity(const struct source *source, struct jr_event *event)
{
    jr_json_id(source->values[RUN_WORKFLOW], &event->workflow_id);
    read_whole(source, RUN_PATH, event->workflow_path, sizeof event->workflow_path);
    cut_ref(event->workflow_path);
    jr_json_id(source->values[RUN_NUMBER], &event->run_number);
    read_whole(source, RUN_SHA, event->head_sha, sizeof event->head_sha);
}

/* A webhook about a run shows its workflow besides, with the workflow's own name. */
static void read_workflow(const struct source *source, struct jr_event *event)
{
    char path[JR_NAME_SIZE];

    if (source->found[WORKFLOW] != JR_EXCERPT_OBJECT)
        return;
    read_text(source, WORKFLOW_NAME, event->workflow, sizeof event->workflow);
    if (event->workflow_id == 0)
        jr_json_id(source->values[WORKFLOW_ID], &event->workflow_id);
    read_whole(source, WORKFLOW_PATH, path, sizeof path);
    if (event->workflow_path[0] == '\0')
        jr_text_copy(event->workflow_path, sizeof event->workflow_path, path);
}

static bool is_null(const struct source *source, enum place place)
{
    return source->found[place] != JR_EXCERPT_ABSENT && source->found[place] != JR_EXCERPT_OBJECT
           && source->values[place] == NULL;
}

/* Read what a run object holds in a webhook and in an answer alike. */
static enum jr_err read_run(const struct source *source, struct jr_event *event,
                            const char *where, struct jr_error *error)
{
    char word[JR_WORD_SIZE];

    event->kind = JR_EVENT_RUN;
    if (jr_json_id(source->values[RUN_ID], &event->run_id) != JR_JSON_OK)
        return bad(error, where, "id");
    if (read_attempt(source, RUN_ATTEMPT, event, where, error) != JR_OK)
        return JR_EINVAL;
    read_text(source, RUN_STATUS, word, sizeof word);
    event->status = jr_status_from(word);
    read_text(source, RUN_CONCLUSION, word, sizeof word);
    if (event->status == JR_STATUS_COMPLETED)
        event->conclusion = jr_conclusion_from(word);
    read_whole(source, RUN_BRANCH, event->branch, sizeof event->branch);
    read_identity(source, event);
    read_text(source, RUN_TRIGGER, event->trigger, sizeof event->trigger);
    read_text(source, RUN_ACTOR_LOGIN, event->actor, sizeof event->actor);
    read_text(source, RUN_BY_LOGIN, event->triggering_actor, sizeof event->triggering_actor);
    read_whole(source, RUN_HEAD_NAME, event->head_repo, sizeof event->head_repo);
    if (is_null(source, RUN_HEAD))
        jr_text_copy(event->head_repo, sizeof event->head_repo, JR_REPO_DELETED);
    event->created_ms = jr_json_time(source->values[RUN_CREATED]);
    event->started_ms = jr_json_time(source->values[RUN_STARTED]);
    event->updated_ms = jr_json_time(source->values[RUN_UPDATED]);
    return JR_OK;
}

/* Is the member there, and neither null nor an object? */
static bool is_no_object(const struct source *source, enum place place)
{
    return source->values[place] != NULL;
}

/* Is an event of this name looked for? */
static bool is_sought(const char *name, const char *event)
{
    return name == NULL || strcmp(name, event) == 0;
}

static enum jr_payload decode(const char *name, const struct source *source,
                              struct jr_event *event, struct jr_error *error)
{
    bool want_job = is_sought(name, job_event), want_run = is_sought(name, run_event);
    bool has_job = want_job && source->found[JOB] == JR_EXCERPT_OBJECT;
    bool has_run = want_run && source->found[RUN] == JR_EXCERPT_OBJECT;
    enum jr_err err;

    if ((want_job && is_no_object(source, JOB)) || (want_run && is_no_object(source, RUN))) {
        bad(error, "", is_no_object(source, JOB) ? job_event : run_event);
        return JR_PAYLOAD_BAD;
    }
    if (!has_job && !has_run)
        return JR_PAYLOAD_NOTHING;
    if (read_text(source, ACTION, event->action, sizeof event->action) != JR_JSON_OK) {
        bad(error, "", "action");
        return JR_PAYLOAD_BAD;
    }
    if (has_job) {
        event->kind = JR_EVENT_JOB;
        err = read_job(source, event, error);
    } else {
        err = read_run(source, event, "workflow_run.", error);
        read_workflow(source, event);
    }
    if (err == JR_OK)
        err = read_repository(source, event, error);
    read_text(source, SENDER_LOGIN, event->sender, sizeof event->sender);
    return err == JR_OK ? JR_PAYLOAD_EVENT : JR_PAYLOAD_BAD;
}

static bool is_text(const struct source *source, enum place place, const char *want)
{
    char text[JR_WORD_SIZE];

    return read_text(source, place, text, sizeof text) == JR_JSON_OK && strcmp(text, want) == 0;
}

/* Is it a person's: no bot's, no organisation's? */
static bool is_of_person(const struct source *source)
{
    char login[JR_LOGIN_SIZE];

    read_whole(source, SENDER_LOGIN, login, sizeof login);
    return *login != '\0' && is_text(source, SENDER_TYPE, "User");
}

/* What a new comment on a pull request asks for, if its author has sent it. */
static enum jr_verb verb_of_comment(const struct source *source)
{
    json_object *body = source->values[COMMENT_BODY];
    char author[JR_LOGIN_SIZE], sender[JR_LOGIN_SIZE];

    read_whole(source, COMMENT_LOGIN, author, sizeof author);
    read_whole(source, SENDER_LOGIN, sender, sizeof sender);
    if (!is_text(source, ACTION, "created") || source->found[ISSUE_PULL] != JR_EXCERPT_OBJECT
        || strcmp(author, sender) != 0 || !is_text(source, COMMENT_TYPE, "User")
        || !json_object_is_type(body, json_type_string))
        return JR_VERB_NONE;
    return jr_verb_find(json_object_get_string(body), (size_t)json_object_get_string_len(body));
}

static enum jr_err read_comment(const struct source *source, struct jr_event *event,
                                struct jr_error *error)
{
    if (jr_json_id(source->values[COMMENT_ID], &event->comment_id) != JR_JSON_OK)
        return bad(error, "comment.", "id");
    if (jr_json_id(source->values[ISSUE_NUMBER], &event->pull_request) != JR_JSON_OK)
        return bad(error, "issue.", "number");
    event->insider = is_text(source, COMMENT_ASSOCIATION, "OWNER")
                     || is_text(source, COMMENT_ASSOCIATION, "MEMBER")
                     || is_text(source, COMMENT_ASSOCIATION, "COLLABORATOR");
    event->created_ms = jr_json_time(source->values[COMMENT_CREATED]);
    return event->created_ms != 0 ? JR_OK : bad(error, "comment.", "created_at");
}

/* What a button of a check run asks for; any App's, which the caller has to look at. */
static enum jr_verb verb_of_button(const struct source *source, uint32_t *attempt)
{
    char name[JR_WORD_SIZE];

    if (!is_text(source, ACTION, "requested_action"))
        return JR_VERB_NONE;
    read_text(source, BUTTON_IDENTIFIER, name, sizeof name);
    return jr_verb_of_button(name, attempt);
}

/* A number in decimal, as we write one; 0: it is none. */
static uint64_t number_of(const char *text)
{
    uint64_t number = 0;

    for (; *text >= '0' && *text <= '9' && number < INT64_MAX / 10; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return *text == '\0' ? number : 0;
}

static enum jr_err read_button(const struct source *source, struct jr_event *event,
                               struct jr_error *error)
{
    char text[24];

    if (read_text(source, CHECK_EXTERNAL_ID, text, sizeof text) != JR_JSON_OK
        || (event->run_id = number_of(text)) == 0)
        return bad(error, "check_run.", "external_id");
    jr_json_id(source->values[CHECK_APP_ID], &event->app_id);
    read_whole(source, CHECK_APP_CLIENT, event->app_client_id, sizeof event->app_client_id);
    return JR_OK;
}

/* Who asks, and where. */
static enum jr_err read_asker(const struct source *source, struct jr_event *event,
                              struct jr_error *error)
{
    if (read_repository(source, event, error) != JR_OK)
        return JR_EINVAL;
    if (event->repo_id == 0)
        return bad(error, "repository.", "id");
    if (jr_json_id(source->values[SENDER_ID], &event->sender_id) != JR_JSON_OK)
        return bad(error, "sender.", "id");
    read_text(source, SENDER_LOGIN, event->sender, sizeof event->sender);
    return JR_OK;
}

/* An event by which somebody may ask for something. Who asks for nothing is not looked at. */
static enum jr_payload decode_asking(const char *name, const struct source *source,
                                     struct jr_event *event, struct jr_error *error)
{
    bool is_comment = strcmp(name, comment_event) == 0;
    enum place place = is_comment ? COMMENT : CHECK;
    enum jr_err err;

    if (is_no_object(source, place)) {
        bad(error, "", is_comment ? "comment" : check_event);
        return JR_PAYLOAD_BAD;
    }
    if (source->found[place] != JR_EXCERPT_OBJECT)
        return JR_PAYLOAD_NOTHING;
    if (read_text(source, ACTION, event->action, sizeof event->action) != JR_JSON_OK) {
        bad(error, "", "action");
        return JR_PAYLOAD_BAD;
    }
    event->kind = JR_EVENT_ASKING;
    if (is_of_person(source))
        event->verb = is_comment ? verb_of_comment(source)
                                 : verb_of_button(source, &event->attempt);
    if (event->verb == JR_VERB_NONE)
        return JR_PAYLOAD_EVENT;
    err = is_comment ? read_comment(source, event, error) : read_button(source, event, error);
    if (err == JR_OK)
        err = read_asker(source, event, error);
    return err == JR_OK ? JR_PAYLOAD_EVENT : JR_PAYLOAD_BAD;
}

/* Find the values of an excerpt in the array that json-c has made of it. */
static void take_values(struct source *source, json_object *array)
{
    for (size_t i = 0; i < PLACES; i++)
        if (source->found[i] != JR_EXCERPT_ABSENT && source->found[i] != JR_EXCERPT_OBJECT)
            source->values[i] = json_object_array_get_idx(array, source->found[i] - 1);
}

/* Does a word stand in it by which a job may have failed? Of most payloads none does. */
static bool may_have_failed(const char *text, size_t length)
{
    static const char *const words[] = { "\"failure\"", "\"cancelled\"", "\"timed_out\"" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(text, length, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

enum jr_payload jr_event_read(const char *name, char *text, size_t length,
                              struct jr_event *event, struct jr_error *error)
{
    struct source source = { .found = { JR_EXCERPT_ABSENT } };
    json_object *values = NULL;
    enum jr_payload payload;
    bool asks = name != NULL && jr_event_is_asking(name);
    const struct jr_wanted *wanted = asks                            ? &wanted_text_of_asking
                                     : may_have_failed(text, length) ? &wanted_text_of_failed
                                                                     : &wanted_text;
    enum jr_err err = jr_excerpt(text, &length, wanted, source.found, error);

    memset(event, 0, sizeof *event);
    if (err == JR_OK)
        err = jr_json_parse(text, length, &values, error);
    if (err != JR_OK)
        return err == JR_ENOMEM ? JR_PAYLOAD_NO_MEMORY : JR_PAYLOAD_NOT_JSON;
    take_values(&source, values);
    if (source.found[PAYLOAD] == JR_EXCERPT_OBJECT) {
        payload = asks ? decode_asking(name, &source, event, error)
                       : decode(name, &source, event, error);
    } else if (values == NULL) {
        payload = JR_PAYLOAD_NOTHING;
    } else {
        jr_error_set(error, JR_EINVAL, "the payload is not an object");
        payload = JR_PAYLOAD_BAD;
    }
    json_object_put(values);
    return payload;
}

/* The same as jr_excerpt(), of what json-c has made of an object already. */
static void find_all(json_object *object, const struct jr_wanted *wanted, struct source *source)
{
    json_object *value;

    for (; wanted->name != NULL; wanted++) {
        if (!json_object_object_get_ex(object, wanted->name, &value))
            continue;
        if (wanted->members == NULL || !json_object_is_type(value, json_type_object)) {
            source->found[wanted->place] = 1;
            source->values[wanted->place] = value;
        } else {
            source->found[wanted->place] = JR_EXCERPT_OBJECT;
            find_all(value, wanted->members, source);
        }
    }
}

enum jr_err jr_event_decode_run(json_object *run, struct jr_event *event,
                                struct jr_error *error)
{
    struct source source = { .found = { JR_EXCERPT_ABSENT } };

    memset(event, 0, sizeof *event);
    if (json_object_is_type(run, json_type_object)) {
        find_all(run, wanted_run, &source);
        find_all(run, wanted_beside, &source);
    }
    if (read_run(&source, event, "", error) != JR_OK)
        return JR_EINVAL;
    return read_repository(&source, event, error);
}
