/*
 * chosen -- the policy that POLICY chooses: a preset, or a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/chosen.h"
#include "lib/base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than that is said of no file: it has so many lines. */
#define PROBLEMS_MOST (1024 * 1024)

/* One byte more than a policy may have shows that it has too many. */
static char *read_file(const char *path, size_t *length)
{
    FILE *stream = fopen(path, "re");
    char *bytes = malloc(JR_POLICY_BYTES_MAX + 2);
    int saved = errno;

    if (stream != NULL && bytes != NULL) {
        *length = fread(bytes, 1, JR_POLICY_BYTES_MAX + 1, stream);
        bytes[*length] = '\0';
        saved = ferror(stream) ? errno : 0;
    }
    if (stream != NULL)
        (void)fclose(stream);
    if (stream == NULL || bytes == NULL || saved != 0) {
        free(bytes);
        errno = saved;
        return NULL;
    }
    return bytes;
}

static char *read_text(const char *name, size_t *length)
{
    const char *preset = jr_policy_preset(name);

    if (preset == NULL)
        return read_file(name, length);
    *length = strlen(preset);
    return strdup(preset);
}

static char *tell_problems(const char *name, const struct jr_problems *problems)
{
    struct jr_buffer lines;

    jr_buffer_init(&lines, PROBLEMS_MOST);
    for (size_t i = 0; i < problems->count; i++)
        jr_buffer_print(&lines, "%s%s:%u:%u: %s", i == 0 ? "" : "\n", name,
                        problems->items[i].line, problems->items[i].column,
                        problems->items[i].text);
    if (problems->more)
        jr_buffer_print(&lines, "\n%s: and more", name);
    return lines.bytes;
}

static char *tell_unreadable(const char *name, int saved)
{
    char *line = NULL;

    if (asprintf(&line, "%s: %s; a policy is everything, careful, infrastructure, or the path of "
                 "a file", name, strerror(saved)) < 0)
        return NULL;
    return line;
}

typedef enum jr_err read_fn(struct jr_policy *policy, const char *bytes, size_t length,
                            struct jr_problems *problems);

/* All that is wrong is in `problems'; it and the policy are of use only with JR_OK or JR_EINVAL. */
static enum jr_err parse_as(read_fn *read, const char *name, const char *text, size_t length,
                            struct jr_policy *policy, char **problems)
{
    struct jr_problems *found = calloc(1, sizeof *found);
    enum jr_err err = found == NULL ? JR_ENOMEM : read(policy, text, length, found);

    if (err == JR_OK && found->count > 0) {
        *problems = tell_problems(name, found);
        err = *problems == NULL ? JR_ENOMEM : JR_EINVAL;
    }
    if (err != JR_OK)
        jr_policy_release(policy);
    free(found);
    return err;
}

static enum jr_err parse(const char *name, const char *text, size_t length,
                         struct jr_policy *policy, char **problems)
{
    return parse_as(jr_policy_read, name, text, length, policy, problems);
}

enum jr_err jr_chosen_read_own(const char *path, struct jr_policy *policy, char **problems)
{
    size_t size = 0;
    char *bytes = read_file(path, &size);
    enum jr_err err = JR_ENOMEM;

    memset(policy, 0, sizeof *policy);
    *problems = NULL;
    if (bytes != NULL)
        err = parse_as(jr_policy_read_own, path, bytes, size, policy, problems);
    else if (errno != ENOMEM
             && asprintf(problems, "%s: %s", path, strerror(errno)) >= 0)
        err = JR_EINVAL;
    free(bytes);
    return err;
}

enum jr_err jr_chosen_read(const char *name, struct jr_policy *policy, char **text, size_t *length,
                           char **problems)
{
    size_t size = 0;
    char *bytes = read_text(name, &size);
    enum jr_err err;

    memset(policy, 0, sizeof *policy);
    *problems = NULL;
    if (text != NULL)
        *text = NULL;
    if (bytes == NULL) {
        *problems = errno == ENOMEM ? NULL : tell_unreadable(name, errno);
        return *problems == NULL ? JR_ENOMEM : JR_EINVAL;
    }
    err = parse(name, bytes, size, policy, problems);
    if (err == JR_OK && text != NULL) {
        *text = bytes;
        *length = size;
        return JR_OK;
    }
    free(bytes);
    return err;
}

enum jr_err jr_chosen_load(struct jr_settings *settings, char **problems)
{
    struct jr_policy policy;
    enum jr_err err;
    char *text;
    size_t length;

    err = jr_chosen_read(settings->policy, &policy, &text, &length, problems);
    if (err != JR_OK)
        return err;
    free(settings->policy_text);
    settings->policy_text = text;
    settings->policy_length = length;
    settings->own_files = policy.repository_files;
    settings->judges_only_own = policy.repository_files && !policy.wants_evidence
                                && settings->evidence != JR_LOOKING_ALWAYS;
    settings->judges = policy.wants_evidence || settings->evidence == JR_LOOKING_ALWAYS
                       || policy.repository_files;
    settings->judges_cancelled = settings->judges && jr_policy_reruns_cancelled(&policy);
    settings->judges_workflows = settings->judges && jr_policy_names_workflows(&policy);
    /* `everything' is what there was before policies: the setting alone guards. */
    settings->has_guards = strcmp(settings->policy, "everything") != 0;
    settings->guards_pulls = settings->has_guards && jr_policy_guards_pulls(&policy);
    settings->guards_files = settings->has_guards && jr_policy_guards_files(&policy);
    jr_policy_release(&policy);
    return JR_OK;
}

enum jr_err jr_chosen_policy(const struct jr_settings *settings, struct jr_policy *policy)
{
    char *problems = NULL;
    enum jr_err err;

    memset(policy, 0, sizeof *policy);
    err = parse(settings->policy, settings->policy_text, settings->policy_length, policy,
                &problems);
    free(problems);
    return err;
}
