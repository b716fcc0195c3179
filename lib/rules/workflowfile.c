/*
 * workflowfile -- which jobs of a workflow would run again, and whether one of them deploys.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/workflowfile.h"
#include "lib/format/yaml.h"
#include "lib/rules/guards.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAX JR_WORKFLOWFILE_JOBS_MAX

struct graph {
    const struct jr_yaml *jobs; /* a map */
    size_t count;
    bool needs[JOBS_MAX][JOBS_MAX]; /* the first needs the second */
    bool again[JOBS_MAX];
};

/* How well a job fits a name. */
enum fit { FITS_NOT, FITS_BY_PREFIX, FITS_IN_PART, FITS };

static const char *id_of(const struct graph *graph, size_t job)
{
    return graph->jobs->items[2 * job]->text;
}

static const struct jr_yaml *body_of(const struct graph *graph, size_t job)
{
    return graph->jobs->items[2 * job + 1];
}

/* The text of a key; NULL: it has none. */
static const char *text_of(const struct jr_yaml *map, const char *key)
{
    const struct jr_yaml *value = jr_yaml_get(map, key);

    return value != NULL && value->kind == JR_YAML_SCALAR && *value->text != '\0' ? value->text
                                                                                  : NULL;
}

/* Note that a job needs another. Returns false when there is no such. */
static bool add_need(struct graph *graph, size_t job, const struct jr_yaml *need)
{
    if (need->kind != JR_YAML_SCALAR)
        return false;
    for (size_t i = 0; i < graph->count; i++) {
        if (strcasecmp(id_of(graph, i), need->text) != 0)
            continue;
        graph->needs[job][i] = true;
        return true;
    }
    return false;
}

static bool add_needs(struct graph *graph, size_t job)
{
    const struct jr_yaml *needs = jr_yaml_get(body_of(graph, job), "needs");

    if (needs == NULL)
        return true;
    if (needs->kind == JR_YAML_SCALAR)
        return add_need(graph, job, needs);
    if (needs->kind != JR_YAML_LIST || needs->count > JOBS_MAX)
        return false;
    for (size_t i = 0; i < needs->count; i++)
        if (!add_need(graph, job, needs->items[i]))
            return false;
    return true;
}

/* Read who needs whom. Returns false when the file is no workflow that can be read. */
static bool read_graph(struct graph *graph, const struct jr_yaml *root)
{
    graph->jobs = jr_yaml_get(root, "jobs");
    if (graph->jobs == NULL || graph->jobs->kind != JR_YAML_MAP)
        return false;
    graph->count = graph->jobs->count / 2;
    if (graph->count == 0 || graph->count > JOBS_MAX)
        return false;
    for (size_t i = 0; i < graph->count; i++)
        if (body_of(graph, i)->kind != JR_YAML_MAP || !add_needs(graph, i))
            return false;
    return true;
}

static enum fit fit_of(const struct graph *graph, size_t job, const char *name)
{
    const char *shown = text_of(body_of(graph, job), "name"), *expression, *rest;
    size_t length;

    if (shown == NULL)
        shown = id_of(graph, job);
    expression = strstr(shown, "${{");
    length = expression == NULL ? strlen(shown) : (size_t)(expression - shown);
    if (strncmp(name, shown, length) != 0)
        return FITS_NOT;
    rest = name + length;
    if (expression != NULL)
        return FITS_BY_PREFIX;
    if (*rest == '\0')
        return FITS;
    return strncmp(rest, " (", 2) == 0 || strncmp(rest, " / ", 3) == 0 ? FITS_IN_PART : FITS_NOT;
}

/* The jobs that fit a name best run again. Returns whether there is one. */
static bool run_again(struct graph *graph, const char *name)
{
    enum fit best = FITS_NOT;

    for (size_t i = 0; i < graph->count; i++)
        if (fit_of(graph, i, name) > best)
            best = fit_of(graph, i, name);
    for (size_t i = 0; i < graph->count && best != FITS_NOT; i++)
        graph->again[i] |= fit_of(graph, i, name) == best;
    return best != FITS_NOT;
}

/* And so do all that need one that does. */
static void run_dependents_again(struct graph *graph)
{
    bool more = true;

    while (more) {
        more = false;
        for (size_t i = 0; i < graph->count; i++)
            for (size_t j = 0; j < graph->count && !graph->again[i]; j++)
                if (graph->needs[i][j] && graph->again[j])
                    graph->again[i] = more = true;
    }
}

/* Whatever stands there: an expression may become a name. */
static bool has_environment(const struct jr_yaml *job)
{
    const struct jr_yaml *environment = jr_yaml_get(job, "environment");

    return environment != NULL
           && (environment->kind != JR_YAML_SCALAR || *environment->text != '\0');
}

static enum jr_guard_told told_by_job(const struct jr_yaml *job)
{
    const char *called = text_of(job, "uses");

    if (has_environment(job) || (called != NULL && jr_guards_name_deploys(called)))
        return JR_GUARD_HOLDS;
    return called != NULL ? JR_GUARD_NOT_TOLD : JR_GUARD_FREE;
}

static enum jr_guard_told told_by_graph(struct graph *graph, const struct jr_yaml *root,
                                        const char *const *failed, size_t count)
{
    bool all = failed == NULL;
    enum jr_guard_told told = count > 0 || all ? JR_GUARD_FREE : JR_GUARD_NOT_TOLD;

    if (!read_graph(graph, root))
        return JR_GUARD_NOT_TOLD;
    for (size_t i = 0; all && i < graph->count; i++)
        graph->again[i] = true;
    for (size_t i = 0; i < count; i++)
        if (!run_again(graph, failed[i]))
            told = JR_GUARD_NOT_TOLD;
    run_dependents_again(graph);
    for (size_t i = 0; i < graph->count; i++) {
        enum jr_guard_told by_job = told_by_job(body_of(graph, i));

        if (!graph->again[i] || by_job == JR_GUARD_FREE)
            continue;
        if (by_job == JR_GUARD_HOLDS)
            return JR_GUARD_HOLDS;
        told = JR_GUARD_NOT_TOLD;
    }
    return told;
}

enum jr_guard_told jr_workflowfile_deploys(const char *text, size_t length,
                                           const char *const *failed, size_t count)
{
    struct jr_problems *problems = calloc(1, sizeof *problems);
    struct graph *graph = calloc(1, sizeof *graph);
    enum jr_guard_told told = JR_GUARD_NOT_TOLD;
    struct jr_yaml *root = NULL;

    if (problems != NULL && graph != NULL
        && jr_yaml_parse(text, length, JR_WORKFLOWFILE_MAX, &root, problems) == JR_OK
        && problems->count == 0)
        told = told_by_graph(graph, root, failed, count);
    jr_yaml_free(root);
    free(graph);
    free(problems);
    return told;
}
