/*
 * runners -- runners of all owners by the labels that jobs ask for, and the worst of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/runners.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

/* Rows that are read at a time. */
#define BATCH 64

/* A list in the making. */
struct reading {
    struct jr_store *store;
    const struct jr_runners_filter *filter;
    struct jr_runners *runners;
    struct jr_flaky *batch; /* BATCH; owned */
    size_t pool_size;
};

static enum jr_err out_of_memory(struct jr_error *error)
{
    return jr_error_set(error, JR_ENOMEM, "out of memory");
}

static bool is_wanted(const struct jr_runners_filter *filter, const struct jr_flaky *row)
{
    const char *labels = *row->group == '\0' ? JR_RUNNERS_UNLABELLED : row->group;

    return *filter->labels == '\0' || strcmp(filter->labels, labels) == 0;
}

/* Add a pool of one owner. False without memory. */
static bool add_pool(struct reading *reading, const struct jr_flaky *row)
{
    struct jr_runners *runners = reading->runners;
    size_t larger = 2 * reading->pool_size + BATCH;
    struct jr_pool *pool, *more;

    if (runners->pool_count == reading->pool_size) {
        more = realloc(runners->pools, larger * sizeof *more);
        if (more == NULL)
            return false;
        runners->pools = more;
        reading->pool_size = larger;
    }
    pool = &runners->pools[runners->pool_count++];
    memset(pool, 0, sizeof *pool);
    jr_text_copy(pool->labels, sizeof pool->labels, row->group);
    pool->owners = 1;
    pool->executions = row->executions;
    pool->failures = row->failures;
    pool->blamed = row->blamed;
    pool->last_ms = row->last_ms;
    return true;
}

static int by_labels(const void *a, const void *b)
{
    return strcmp(((const struct jr_pool *)a)->labels, ((const struct jr_pool *)b)->labels);
}

static int by_executions(const void *a, const void *b)
{
    const struct jr_pool *one = a, *two = b;

    if (one->executions != two->executions)
        return one->executions < two->executions ? 1 : -1;
    return strcmp(one->labels, two->labels);
}

/* Make one pool of those with the same labels; they are in the order of labels then. */
static void merge_pools(struct jr_runners *runners)
{
    size_t kept = 0;

    if (runners->pool_count > 0)
        qsort(runners->pools, runners->pool_count, sizeof *runners->pools, by_labels);
    for (size_t i = 0; i < runners->pool_count; i++) {
        const struct jr_pool *pool = &runners->pools[i];
        struct jr_pool *sum = kept > 0 ? &runners->pools[kept - 1] : NULL;

        if (sum == NULL || by_labels(sum, pool) != 0) {
            runners->pools[kept++] = *pool;
            continue;
        }
        sum->owners++;
        sum->executions += pool->executions;
        sum->failures += pool->failures;
        sum->blamed += pool->blamed;
        if (pool->last_ms > sum->last_ms)
            sum->last_ms = pool->last_ms;
    }
    runners->pool_count = kept;
}

static void add_runner(struct reading *reading, const struct jr_flaky *row)
{
    struct jr_runners *runners = reading->runners;
    struct jr_pool wanted = { .runners = 0 }, *pool = NULL;

    runners->rows_known++;
    if (row->failures > 0)
        jr_flaky_place(row, runners->rows, reading->filter->most, &runners->row_count);
    jr_text_copy(wanted.labels, sizeof wanted.labels, row->group);
    if (runners->pool_count > 0)
        pool = bsearch(&wanted, runners->pools, runners->pool_count, sizeof *pool, by_labels);
    if (pool != NULL)
        pool->runners++;
}

/* Read the rows of a kind, up to JR_RUNNERS_LOOKS, and add those that are wanted. */
static enum jr_err read_kind(struct reading *reading, enum jr_flaky_kind kind,
                             struct jr_error *error)
{
    const struct jr_runners_filter *wanted = reading->filter;
    const struct jr_flaky_filter filter = {
        .kind = kind, .repo = *wanted->repo != '\0' ? wanted->repo : NULL,
        .since_ms = wanted->since_ms, .now_ms = wanted->now_ms,
    };
    struct jr_flaky_walk walk = { .ended = false };
    enum jr_err err = JR_OK;
    size_t count;

    while (err == JR_OK && !walk.ended && walk.looks < JR_RUNNERS_LOOKS) {
        err = jr_flaky_read(reading->store, &filter, &walk, reading->batch, BATCH, &count, error);
        for (size_t i = 0; err == JR_OK && i < count; i++) {
            if (!is_wanted(wanted, &reading->batch[i]))
                continue;
            if (kind == JR_FLAKY_RUNNER)
                add_runner(reading, &reading->batch[i]);
            else if (!add_pool(reading, &reading->batch[i]))
                err = out_of_memory(error);
        }
    }
    reading->runners->whole &= walk.ended;
    return err;
}

static enum jr_err read_all(struct reading *reading, struct jr_error *error)
{
    struct jr_runners *runners = reading->runners;
    enum jr_err err = read_kind(reading, JR_FLAKY_POOL, error);

    if (err != JR_OK)
        return err;
    merge_pools(runners);
    err = read_kind(reading, JR_FLAKY_RUNNER, error);
    if (runners->pool_count > 0)
        qsort(runners->pools, runners->pool_count, sizeof *runners->pools, by_executions);
    if (runners->pool_count > reading->filter->most)
        runners->pool_count = reading->filter->most;
    return err;
}

enum jr_err jr_runners_read(struct jr_store *store, const struct jr_runners_filter *filter,
                            struct jr_runners *runners, struct jr_error *error)
{
    struct reading reading = { .store = store, .filter = filter, .runners = runners };
    enum jr_err err;

    memset(runners, 0, sizeof *runners);
    runners->whole = true;
    runners->rows = calloc(filter->most, sizeof *runners->rows);
    reading.batch = calloc(BATCH, sizeof *reading.batch);
    err = runners->rows != NULL && reading.batch != NULL ? read_all(&reading, error)
                                                         : out_of_memory(error);
    free(reading.batch);
    return err;
}

void jr_runners_release(struct jr_runners *runners)
{
    free(runners->pools);
    free(runners->rows);
    memset(runners, 0, sizeof *runners);
}
