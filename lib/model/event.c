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

#include <string.h>
#include <strings.h>

static const char job_event[] = "workflow_job", run_event[] = "workflow_run";

bool jr_event_is_watched(const char *name)
{
    return strcmp(name, job_event) == 0 || strcmp(name, run_event) == 0;
}

static enum jr_err bad(struct jr_error *error, const char *where, const char *member)
{
    return jr_error_set(error, JR_EINVAL, "'%s%s' is missing or not what it has to be",
                        where, member);
}

/* The login of a member such as `sender` or `actor`; empty if there is none. */
static void read_login(json_object *object, const char *key, char login[JR_LOGIN_SIZE])
{
    json_object *user;

    jr_json_get_object(object, key, &user);
    jr_json_get_text(user, "login", login, JR_LOGIN_SIZE);
}

/* A name that does not fit is no name of GitHub's, and half of it is another name. */
static void read_whole(json_object *object, const char *key, char *name, size_t size)
{
    char text[1024];

    jr_json_get_text(object, key, text, sizeof text);
    if (!jr_text_copy(name, size, text))
        name[0] = '\0';
}

/* run_attempt: absent is allowed, anything but 1 to UINT32_MAX is not. */
static enum jr_err read_attempt(json_object *object, struct jr_event *event,
                                const char *where, struct jr_error *error)
{
    uint64_t attempt;

    if (jr_json_get_id(object, "run_attempt", &attempt) == JR_JSON_WRONG || attempt > UINT32_MAX)
        return bad(error, where, "run_attempt");
    event->attempt = (uint32_t)attempt;
    return JR_OK;
}

static enum jr_err read_repository(json_object *root, struct jr_event *event,
                                   struct jr_error *error)
{
    json_object *repository;
    char name[2 * JR_REPO_SIZE];

    jr_json_get_object(root, "repository", &repository);
    jr_json_get_text(repository, "full_name", name, sizeof name);
    if (!jr_text_is_full_name(name))
        return bad(error, "repository.", "full_name");
    jr_text_copy(event->repo, sizeof event->repo, name);
    if (jr_json_get_id(repository, "id", &event->repo_id) == JR_JSON_WRONG)
        return bad(error, "repository.", "id");
    return JR_OK;
}

/* Labels of a job that are looked at, and how much of each. */
#define LABELS_MAX 32
#define LABEL_SIZE 128

/* The set of labels as one text: the same for every order. */
static void read_labels(json_object *job, char labels[JR_LABELS_SIZE])
{
    char sorted[LABELS_MAX][LABEL_SIZE], label[LABEL_SIZE];
    json_object *array;
    enum jr_json found;
    size_t count = 0, length = 0;

    jr_json_get_array(job, "labels", &array);
    for (size_t i = 0; count < LABELS_MAX
                       && (found = jr_json_get_item_text(array, i, label, sizeof label))
                              != JR_JSON_ABSENT;
         i++) {
        size_t place = count;

        if (found != JR_JSON_OK || *label == '\0')
            continue;
        for (; place > 0 && strcmp(label, sorted[place - 1]) < 0; place--)
            memcpy(sorted[place], sorted[place - 1], LABEL_SIZE);
        memcpy(sorted[place], label, LABEL_SIZE);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(sorted[i]);

        if (length + size + 2 > JR_LABELS_SIZE)
            break;
        if (length > 0)
            labels[length++] = ',';
        memcpy(labels + length, sorted[i], size);
        length += size;
    }
    labels[length] = '\0';
}

static enum jr_err read_job(json_object *job, struct jr_event *event, struct jr_error *error)
{
    char word[JR_WORD_SIZE];
    enum jr_status by_action = jr_status_from(event->action);

    if (jr_json_get_id(job, "id", &event->job_id) != JR_JSON_OK)
        return bad(error, "workflow_job.", "id");
    if (jr_json_get_id(job, "run_id", &event->run_id) != JR_JSON_OK)
        return bad(error, "workflow_job.", "run_id");
    if (read_attempt(job, event, "workflow_job.", error) != JR_OK)
        return JR_EINVAL;
    jr_json_get_text(job, "status", word, sizeof word);
    event->status = jr_status_from(word);
    if (by_action > event->status)
        event->status = by_action;
    jr_json_get_text(job, "conclusion", word, sizeof word);
    if (event->status == JR_STATUS_COMPLETED)
        event->conclusion = jr_conclusion_from(word);
    read_whole(job, "head_branch", event->branch, sizeof event->branch);
    jr_json_get_text(job, "workflow_name", event->workflow, sizeof event->workflow);
    jr_json_get_text(job, "name", event->job_name, sizeof event->job_name);
    jr_json_get_text(job, "runner_name", event->runner, sizeof event->runner);
    read_labels(job, event->labels);
    event->created_ms = jr_json_get_time(job, "created_at");
    event->started_ms = jr_json_get_time(job, "started_at");
    event->completed_ms = jr_json_get_time(job, "completed_at");
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
static void read_identity(json_object *run, struct jr_event *event)
{
    jr_json_get_id(run, "workflow_id", &event->workflow_id);
    read_whole(run, "path", event->workflow_path, sizeof event->workflow_path);
    cut_ref(event->workflow_path);
    jr_json_get_id(run, "run_number", &event->run_number);
    read_whole(run, "head_sha", event->head_sha, sizeof event->head_sha);
}

/* A webhook about a run shows its workflow besides, with the workflow's own name. */
static void read_workflow(json_object *root, struct jr_event *event)
{
    json_object *workflow;
    char path[JR_NAME_SIZE];

    if (jr_json_get_object(root, "workflow", &workflow) != JR_JSON_OK)
        return;
    jr_json_get_text(workflow, "name", event->workflow, sizeof event->workflow);
    if (event->workflow_id == 0)
        jr_json_get_id(workflow, "id", &event->workflow_id);
    read_whole(workflow, "path", path, sizeof path);
    if (event->workflow_path[0] == '\0')
        jr_text_copy(event->workflow_path, sizeof event->workflow_path, path);
}

/* Read what a run object holds in a webhook and in an answer alike. */
static enum jr_err read_run(json_object *run, struct jr_event *event, const char *where,
                            struct jr_error *error)
{
    char word[JR_WORD_SIZE];
    json_object *head;

    event->kind = JR_EVENT_RUN;
    if (jr_json_get_id(run, "id", &event->run_id) != JR_JSON_OK)
        return bad(error, where, "id");
    if (read_attempt(run, event, where, error) != JR_OK)
        return JR_EINVAL;
    jr_json_get_text(run, "status", word, sizeof word);
    event->status = jr_status_from(word);
    jr_json_get_text(run, "conclusion", word, sizeof word);
    if (event->status == JR_STATUS_COMPLETED)
        event->conclusion = jr_conclusion_from(word);
    read_whole(run, "head_branch", event->branch, sizeof event->branch);
    read_identity(run, event);
    jr_json_get_text(run, "event", event->trigger, sizeof event->trigger);
    read_login(run, "actor", event->actor);
    read_login(run, "triggering_actor", event->triggering_actor);
    jr_json_get_object(run, "head_repository", &head);
    read_whole(head, "full_name", event->head_repo, sizeof event->head_repo);
    if (jr_json_is_null(run, "head_repository"))
        jr_text_copy(event->head_repo, sizeof event->head_repo, JR_REPO_DELETED);
    event->created_ms = jr_json_get_time(run, "created_at");
    event->started_ms = jr_json_get_time(run, "run_started_at");
    event->updated_ms = jr_json_get_time(run, "updated_at");
    return JR_OK;
}

/* What a payload is about; NULL: not there, or not wanted. */
struct subject {
    json_object *job, *run;
};

/* Find an object by its event's name, if this event is wanted. */
static enum jr_err find(const char *wanted, const char *event, json_object *root,
                        json_object **object, struct jr_error *error)
{
    *object = NULL;
    if (wanted != NULL && strcmp(wanted, event) != 0)
        return JR_OK;
    return jr_json_get_object(root, event, object) == JR_JSON_WRONG ? bad(error, "", event) : JR_OK;
}

static enum jr_err read_event(json_object *root, const struct subject *subject,
                              struct jr_event *event, struct jr_error *error)
{
    enum jr_err err;

    if (jr_json_get_text(root, "action", event->action, sizeof event->action) != JR_JSON_OK)
        return bad(error, "", "action");
    if (subject->job != NULL) {
        event->kind = JR_EVENT_JOB;
        err = read_job(subject->job, event, error);
    } else {
        err = read_run(subject->run, event, "workflow_run.", error);
        read_workflow(root, event);
    }
    if (err == JR_OK)
        err = read_repository(root, event, error);
    read_login(root, "sender", event->sender);
    return err;
}

static enum jr_payload decode(const char *name, json_object *root, struct jr_event *event,
                              struct jr_error *error)
{
    struct subject subject;

    memset(event, 0, sizeof *event);
    if (root == NULL)
        return JR_PAYLOAD_NOTHING;
    if (!json_object_is_type(root, json_type_object)) {
        jr_error_set(error, JR_EINVAL, "the payload is not an object");
        return JR_PAYLOAD_BAD;
    }
    if (find(name, job_event, root, &subject.job, error) != JR_OK
        || find(name, run_event, root, &subject.run, error) != JR_OK)
        return JR_PAYLOAD_BAD;
    if (subject.job == NULL && subject.run == NULL)
        return JR_PAYLOAD_NOTHING;
    return read_event(root, &subject, event, error) == JR_OK ? JR_PAYLOAD_EVENT : JR_PAYLOAD_BAD;
}

/* All that is read of a payload: a member that a reader above looks for stands here too. */
static const struct jr_wanted wanted_login[] = { { "login", NULL }, { NULL, NULL } };
static const struct jr_wanted wanted_repository[] = {
    { "id", NULL }, { "full_name", NULL }, { NULL, NULL },
};
static const struct jr_wanted wanted_job[] = {
    { "id", NULL }, { "run_id", NULL }, { "run_attempt", NULL }, { "status", NULL },
    { "conclusion", NULL }, { "head_branch", NULL }, { "workflow_name", NULL }, { "name", NULL },
    { "runner_name", NULL }, { "created_at", NULL }, { "started_at", NULL },
    { "completed_at", NULL }, { "labels", NULL }, { NULL, NULL },
};
static const struct jr_wanted wanted_run[] = {
    { "id", NULL }, { "run_attempt", NULL }, { "status", NULL }, { "conclusion", NULL },
    { "head_branch", NULL }, { "workflow_id", NULL }, { "path", NULL }, { "run_number", NULL },
    { "head_sha", NULL }, { "event", NULL }, { "actor", wanted_login },
    { "triggering_actor", wanted_login }, { "head_repository", wanted_repository },
    { "created_at", NULL }, { "run_started_at", NULL }, { "updated_at", NULL }, { NULL, NULL },
};
static const struct jr_wanted wanted_workflow[] = {
    { "id", NULL }, { "name", NULL }, { "path", NULL }, { NULL, NULL },
};
static const struct jr_wanted wanted_payload[] = {
    { "action", NULL }, { job_event, wanted_job }, { run_event, wanted_run },
    { "workflow", wanted_workflow }, { "repository", wanted_repository }, { "sender", wanted_login }, { NULL, NULL },
};

enum jr_payload jr_event_read(const char *name, char *text, size_t length,
                              struct jr_event *event, struct jr_error *error)
{
    json_object *root = NULL;
    enum jr_payload payload;
    enum jr_err err = jr_excerpt(text, &length, wanted_payload, error);

    if (err == JR_OK)
        err = jr_json_parse(text, length, &root, error);
    if (err != JR_OK)
        return err == JR_ENOMEM ? JR_PAYLOAD_NO_MEMORY : JR_PAYLOAD_NOT_JSON;
    payload = decode(name, root, event, error);
    json_object_put(root);
    return payload;
}

enum jr_err jr_event_decode_run(json_object *run, struct jr_event *event,
                                struct jr_error *error)
{
    memset(event, 0, sizeof *event);
    if (read_run(run, event, "", error) != JR_OK)
        return JR_EINVAL;
    return read_repository(run, event, error);
}
