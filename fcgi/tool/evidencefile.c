/*
 * evidencefile -- a failed run as a JSON file tells of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/evidencefile.h"
#include "lib/base/text.h"
#include "lib/format/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RERUNS_MOST 1000

struct reader {
    const char *path;
    size_t log_tail_bytes;
    json_object *annotations, *logs;
    struct jr_error *error;
};

/* The last `most` bytes of a file, with a NUL behind; NULL: error says why. */
static char *read_tail(const char *path, size_t most, size_t *length, bool *cut,
                       struct jr_error *error)
{
    FILE *stream = fopen(path, "re");
    long size = -1;
    char *bytes = NULL;

    if (stream != NULL && fseek(stream, 0, SEEK_END) == 0)
        size = ftell(stream);
    if (size < 0) {
        (void)jr_error_set(error, errno == ENOENT ? JR_ENOENT : JR_EIO, "%s: %s", path,
                           strerror(errno));
    } else {
        *cut = (size_t)size > most;
        bytes = malloc((*cut ? most : (size_t)size) + 1);
        if (bytes == NULL) {
            (void)jr_error_set(error, JR_ENOMEM, "out of memory");
        } else {
            (void)fseek(stream, *cut ? size - (long)most : 0, SEEK_SET);
            *length = fread(bytes, 1, *cut ? most : (size_t)size, stream);
            bytes[*length] = '\0';
        }
    }
    if (stream != NULL)
        (void)fclose(stream);
    return bytes;
}

static enum jr_err wrong(const struct reader *reader, const char *what)
{
    return jr_error_set(reader->error, JR_EINVAL, "%s: %s", reader->path, what);
}

/* A path beside the file that names it. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char *joined = NULL;

    if (*name == '/' || slash == NULL)
        return strdup(name);
    if (asprintf(&joined, "%.*s/%s", (int)(slash - path), path, name) < 0)
        return NULL;
    return joined;
}

static enum jr_err read_log(const struct reader *reader, struct jr_evidence *job, const char *key)
{
    json_object *value = NULL;
    char *path;

    if (!json_object_object_get_ex(reader->logs, key, &value) || value == NULL
        || reader->log_tail_bytes == 0)
        return JR_OK;
    if (json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value)) {
        job->log_found = JR_ABSENT;
        return JR_OK;
    }
    if (!json_object_is_type(value, json_type_string))
        return wrong(reader, "a log is a path, false or null");
    path = beside(reader->path, json_object_get_string(value));
    if (path == NULL)
        return jr_error_set(reader->error, JR_ENOMEM, "out of memory");
    job->log = read_tail(path, reader->log_tail_bytes, &job->log_length, &job->log_cut,
                         reader->error);
    free(path);
    job->log_found = job->log == NULL ? JR_UNREADABLE : JR_FOUND;
    return job->log == NULL ? reader->error->code : JR_OK;
}

/* Is each item of a kind? NULL: there is none. */
static bool has_only(json_object *holder, enum json_type type)
{
    if (json_object_is_type(holder, json_type_array))
        for (size_t i = 0; i < json_object_array_length(holder); i++)
            if (!json_object_is_type(json_object_array_get_idx(holder, i), type))
                return false;
    if (json_object_is_type(holder, json_type_object)) {
        json_object_object_foreach(holder, key, value) {
            (void)key;
            if (value != NULL && !json_object_is_type(value, type))
                return false;
        }
    }
    return true;
}

static enum jr_err read_annotations(const struct reader *reader, struct jr_evidence *job,
                                    const char *key)
{
    json_object *value = NULL;

    if (!json_object_object_get_ex(reader->annotations, key, &value) || value == NULL)
        return JR_OK;
    if (json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value)) {
        job->annotations_found = JR_ABSENT;
        return JR_OK;
    }
    if (!json_object_is_type(value, json_type_array))
        return wrong(reader, "annotations of a job are a list, false or null");
    if (!has_only(value, json_type_object))
        return wrong(reader, "an annotation is an object, as the API shows it");
    return jr_evidence_take_annotations(job, value);
}

static enum jr_err read_job(const struct reader *reader, json_object *object,
                            struct jr_evidence *job)
{
    char key[JR_DIGITS_SIZE];
    enum jr_err err = jr_evidence_take_job(job, object);

    if (err == JR_EINVAL)
        return wrong(reader, "a job needs an id");
    if (err != JR_OK)
        return jr_error_set(reader->error, err, "out of memory");
    snprintf(key, sizeof key, "%llu", (unsigned long long)job->job_id);
    if (!jr_conclusion_is_bad(job->conclusion))
        return JR_OK;
    err = read_annotations(reader, job, key);
    return err != JR_OK ? err : read_log(reader, job, key);
}

static int by_id(const void *a, const void *b)
{
    const struct jr_evidence *left = a, *right = b;

    return (left->job_id > right->job_id) - (left->job_id < right->job_id);
}

static void keep_wanted(struct jr_evidencefile *file)
{
    file->count = jr_evidence_keep_failed(file->jobs, file->count, file->run.conclusion);
    qsort(file->jobs, file->count, sizeof *file->jobs, by_id);
}

static enum jr_err read_jobs(const struct reader *reader, json_object *root,
                             struct jr_evidencefile *file)
{
    json_object *array;
    size_t count;

    if (jr_json_get_array(root, "jobs", &array) != JR_JSON_OK)
        return wrong(reader, "needs a list 'jobs'");
    count = json_object_array_length(array);
    if (count > JR_EVIDENCEFILE_JOBS_MAX)
        return wrong(reader, "has more than 1000 jobs");
    file->jobs = calloc(count + 1, sizeof *file->jobs);
    if (file->jobs == NULL)
        return jr_error_set(reader->error, JR_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        enum jr_err err = read_job(reader, json_object_array_get_idx(array, i),
                                   &file->jobs[file->count++]);

        if (err != JR_OK)
            return err;
    }
    keep_wanted(file);
    return JR_OK;
}

/* The run as the API shows it; a run's `name` may be its title, so the path is asked first. */
static enum jr_err read_run(const struct reader *reader, json_object *root, struct jr_event *run)
{
    json_object *object, *repository, *head;
    uint64_t attempt = 1;
    char word[JR_WORD_SIZE];

    if (jr_json_get_object(root, "run", &object) != JR_JSON_OK)
        return wrong(reader, "needs an object 'run'");
    jr_json_get_id(object, "id", &run->run_id);
    jr_json_get_text(object, "name", run->workflow, sizeof run->workflow);
    jr_json_get_text(object, "path", run->workflow_path, sizeof run->workflow_path);
    jr_json_get_text(object, "head_branch", run->branch, sizeof run->branch);
    jr_json_get_text(object, "event", run->trigger, sizeof run->trigger);
    jr_json_get_text(object, "conclusion", word, sizeof word);
    run->conclusion = jr_conclusion_from(word);
    if (jr_json_get_id(object, "run_attempt", &attempt) != JR_JSON_OK || attempt > 1000)
        attempt = 1;
    run->attempt = (uint32_t)attempt;
    jr_json_get_object(object, "repository", &repository);
    jr_json_get_text(repository, "full_name", run->repo, sizeof run->repo);
    jr_json_get_object(object, "actor", &head);
    jr_json_get_text(head, "login", run->actor, sizeof run->actor);
    jr_json_get_object(object, "triggering_actor", &head);
    jr_json_get_text(head, "login", run->triggering_actor, sizeof run->triggering_actor);
    jr_json_get_object(object, "head_repository", &head);
    jr_json_get_text(head, "full_name", run->head_repo, sizeof run->head_repo);
    return JR_OK;
}

/*
 * What the guards ask for. The type of each is looked at, so that a slip is told here and not
 * taken for something that could not be read.
 */
static enum jr_err check_members(const struct reader *reader, json_object *root)
{
    static const struct {
        const char *key;
        enum json_type type;
        const char *what;
    } members[] = {
        { "annotations", json_type_object, "'annotations' is a map of job ids" },
        { "logs", json_type_object, "'logs' is a map of job ids" },
        { "reruns", json_type_int, "'reruns' is a number" },
        { "deployments", json_type_object, "'deployments' is a map of job names" },
        { "newer_run", json_type_object, "'newer_run' is a run" },
        { "pull_request", json_type_object, "'pull_request' is a pull request" },
        { "concurrency", json_type_array, "'concurrency' is a list of run ids" },
    };

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_object *value = NULL;

        if (json_object_object_get_ex(root, members[i].key, &value) && value != NULL
            && !json_object_is_type(value, members[i].type))
            return wrong(reader, members[i].what);
    }
    return JR_OK;
}

/* NULL: nothing is told. */
static enum jr_err check_reruns(const struct reader *reader, json_object *number)
{
    int64_t reruns = json_object_get_int64(number);

    return reruns < 0 || reruns > RERUNS_MOST ? wrong(reader, "'reruns' is a number from 0 to 1000")
                                               : JR_OK;
}

static enum jr_err check_root(const struct reader *reader, json_object *root)
{
    enum jr_err err;

    if (!json_object_is_type(root, json_type_object))
        return wrong(reader, "is not a JSON object");
    err = check_members(reader, root);
    if (err != JR_OK)
        return err;
    if (!has_only(json_object_object_get(root, "deployments"), json_type_string))
        return wrong(reader, "a deployment is the name of an environment");
    if (!has_only(json_object_object_get(root, "concurrency"), json_type_int))
        return wrong(reader, "'concurrency' is a list of run ids");
    return check_reruns(reader, json_object_object_get(root, "reruns"));
}

/* Is a member the same in two runs, as far as both have it? */
static bool is_same(json_object *one, json_object *other, const char *key)
{
    json_object *a = NULL, *b = NULL;

    return !json_object_object_get_ex(one, key, &a) || a == NULL
           || !json_object_object_get_ex(other, key, &b) || b == NULL || json_object_equal(a, b);
}

static bool has_same_head_repo(json_object *one, json_object *other)
{
    json_object *a = NULL, *b = NULL;

    return !json_object_object_get_ex(one, "head_repository", &a)
           || !json_object_object_get_ex(other, "head_repository", &b)
           || is_same(a, b, "full_name");
}

/* Does a run take the place of ours? See jr_run_supersedes(): here a member may be missing. */
static bool is_newer(const struct jr_event *run, json_object *ours, json_object *newer)
{
    uint64_t our_number = 0, its_number = 0;
    bool follow = (jr_trigger_traits(run->trigger) & JR_TRIGGER_LINE) != 0;

    jr_json_get_id(ours, "run_number", &our_number);
    jr_json_get_id(newer, "run_number", &its_number);
    return follow && its_number > our_number && is_same(ours, newer, "workflow_id")
           && is_same(ours, newer, "head_branch") && is_same(ours, newer, "event")
           && has_same_head_repo(ours, newer) && !is_same(ours, newer, "head_sha");
}

static bool is_closed(json_object *pull_request)
{
    char state[JR_WORD_SIZE];
    json_object *merged = NULL;

    jr_json_get_text(pull_request, "state", state, sizeof state);
    return strcmp(state, "closed") == 0
           || (json_object_object_get_ex(pull_request, "merged", &merged)
               && json_object_get_boolean(merged));
}

static bool is_held(const struct jr_event *run, json_object *ids)
{
    size_t count = json_object_is_type(ids, json_type_array) ? json_object_array_length(ids) : 0;

    for (size_t i = 0; i < count; i++)
        if ((uint64_t)json_object_get_int64(json_object_array_get_idx(ids, i)) != run->run_id)
            return true;
    return false;
}

/* Would a job run again, and has it an environment? */
static bool job_deploys(json_object *job, json_object *deployments)
{
    char name[JR_NAME_SIZE], word[JR_WORD_SIZE];
    json_object *environment = NULL;
    enum jr_conclusion conclusion;

    jr_json_get_text(job, "name", name, sizeof name);
    jr_json_get_text(job, "conclusion", word, sizeof word);
    conclusion = jr_conclusion_from(word);
    if (!jr_conclusion_is_bad(conclusion) && conclusion != JR_CONCLUSION_SKIPPED)
        return false;
    return json_object_object_get_ex(deployments, name, &environment) && environment != NULL;
}

static bool deploys(json_object *root)
{
    json_object *jobs = NULL, *deployments = NULL;

    jr_json_get_array(root, "jobs", &jobs);
    jr_json_get_object(root, "deployments", &deployments);
    for (size_t i = 0; jobs != NULL && i < json_object_array_length(jobs); i++)
        if (job_deploys(json_object_array_get_idx(jobs, i), deployments))
            return true;
    return false;
}

/* What the guards of a policy ask. What the file does not tell lets the run pass. */
static void read_surroundings(json_object *root, struct jr_evidencefile *file)
{
    json_object *run = NULL, *newer = NULL, *pull_request = NULL;

    jr_json_get_object(root, "run", &run);
    if (jr_json_get_object(root, "newer_run", &newer) == JR_JSON_OK)
        file->newer = is_newer(&file->run, run, newer);
    if (jr_json_get_object(root, "pull_request", &pull_request) == JR_JSON_OK)
        file->closed = is_closed(pull_request);
    file->held = is_held(&file->run, json_object_object_get(root, "concurrency"));
    file->deploys = deploys(root);
}

static enum jr_err read_root(struct reader *reader, json_object *root,
                             struct jr_evidencefile *file)
{
    uint64_t reruns;
    enum jr_err err = check_root(reader, root);

    if (err != JR_OK)
        return err;
    jr_json_get_object(root, "annotations", &reader->annotations);
    jr_json_get_object(root, "logs", &reader->logs);
    err = read_run(reader, root, &file->run);
    if (err != JR_OK)
        return err;
    if (jr_json_get_id(root, "reruns", &reruns) == JR_JSON_OK)
        file->reruns = (uint32_t)reruns;
    read_surroundings(root, file);
    return read_jobs(reader, root, file);
}

enum jr_err jr_evidencefile_read(struct jr_evidencefile *file, const char *path,
                                 size_t log_tail_bytes, struct jr_error *error)
{
    struct reader reader = { .path = path, .log_tail_bytes = log_tail_bytes, .error = error };
    struct jr_error why = { .text = "" };
    json_object *root = NULL;
    size_t length = 0;
    bool cut = false;
    char *bytes;
    enum jr_err err;

    memset(file, 0, sizeof *file);
    bytes = read_tail(path, JR_EVIDENCEFILE_MAX, &length, &cut, error);
    if (bytes == NULL)
        return error->code;
    if (cut) {
        free(bytes);
        return wrong(&reader, "is larger than 16 MB");
    }
    if (jr_json_parse(bytes, length, &root, &why) != JR_OK)
        err = jr_error_set(error, JR_EINVAL, "%s: %s", path, why.text);
    else
        err = read_root(&reader, root, file);
    json_object_put(root);
    free(bytes);
    if (err != JR_OK)
        jr_evidencefile_release(file);
    return err;
}

void jr_evidencefile_release(struct jr_evidencefile *file)
{
    for (size_t i = 0; i < file->count; i++)
        jr_evidence_release(&file->jobs[i]);
    free(file->jobs);
    memset(file, 0, sizeof *file);
}
