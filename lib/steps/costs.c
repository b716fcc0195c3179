/*
 * costs -- what reruns have cost and saved, by repository.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/costs.h"
#include "lib/base/text.h"
#include "lib/steps/whatif.h"
#include "lib/store/listing.h"

#include <stdlib.h>
#include <string.h>

static void add_row(struct jr_cost_row *sum, const struct jr_cost_row *row)
{
    sum->runs += row->runs;
    sum->runs_rescued += row->runs_rescued;
    sum->reruns += row->reruns;
    sum->rescued += row->rescued;
    sum->again += row->again;
    sum->minutes += row->minutes;
}

/* What the reruns of one run come to. */
static struct jr_cost_row sum_up(const struct jr_whatif_run *run, int64_t since_ms)
{
    struct jr_cost_row row = { .runs = 0 };

    for (size_t i = 0; i < run->count; i++) {
        const struct jr_whatif_case *one = &run->cases[i];

        if (!one->was || one->ended_ms < since_ms)
            continue;
        row.reruns++;
        row.rescued += one->came_to == JR_RESULT_SUCCESS;
        row.again += one->came_to == JR_RESULT_FAILED;
        row.minutes += one->spent;
    }
    row.runs = row.reruns > 0;
    row.runs_rescued = row.rescued > 0;
    jr_text_copy(row.repo, sizeof row.repo, run->repo);
    return row;
}

static bool append(struct jr_costs *costs, const struct jr_cost_row *row)
{
    if (costs->count == costs->size) {
        size_t size = costs->size == 0 ? 64 : 2 * costs->size;
        struct jr_cost_row *rows = realloc(costs->rows, size * sizeof *rows);

        if (rows == NULL)
            return false;
        costs->rows = rows;
        costs->size = size;
    }
    costs->rows[costs->count++] = *row;
    return true;
}

static int by_repo(const void *a, const void *b)
{
    const struct jr_cost_row *one = a, *two = b;

    return strcmp(one->repo, two->repo);
}

static int by_minutes(const void *a, const void *b)
{
    const struct jr_cost_row *one = a, *two = b;

    if (one->minutes != two->minutes)
        return one->minutes < two->minutes ? 1 : -1;
    if (one->reruns != two->reruns)
        return one->reruns < two->reruns ? 1 : -1;
    return strcmp(one->repo, two->repo);
}

/* One row for each repository, in the place of one for each run. */
static void merge(struct jr_costs *costs)
{
    size_t count = 0;

    if (costs->count == 0)
        return;
    qsort(costs->rows, costs->count, sizeof *costs->rows, by_repo);
    for (size_t i = 0; i < costs->count; i++) {
        add_row(&costs->all, &costs->rows[i]);
        if (count > 0 && strcmp(costs->rows[count - 1].repo, costs->rows[i].repo) == 0)
            add_row(&costs->rows[count - 1], &costs->rows[i]);
        else
            costs->rows[count++] = costs->rows[i];
    }
    costs->count = count;
    qsort(costs->rows, costs->count, sizeof *costs->rows, by_minutes);
}

/* A run of which nothing can be read any more hides no other. */
static enum jr_err look_at(struct jr_store *store, const struct jr_whatif *whatif,
                           uint64_t run_id, struct jr_whatif_run *found, struct jr_error *error)
{
    struct jr_run run;
    enum jr_err err = jr_listing_run(store, run_id, &run, error);

    found->count = 0;
    if (err == JR_OK && run.reruns > 0)
        err = jr_whatif_run(store, whatif, run_id, found, error);
    return err == JR_ENOENT || err == JR_EFORMAT ? JR_OK : err;
}

enum jr_err jr_costs_read(struct jr_store *store, const struct jr_bounds *bounds,
                          int64_t since_ms, struct jr_costs *costs, struct jr_error *error)
{
    static const struct jr_policy everything; /* it asks for no evidence */
    const struct jr_whatif whatif = { .told = bounds, .bounds = bounds, .policy = &everything };
    struct jr_whatif_run *found = malloc(sizeof *found);
    uint64_t *run_ids = NULL;
    size_t many = 0;
    enum jr_err err;

    memset(costs, 0, sizeof *costs);
    if (found == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = jr_listing_told(store, since_ms, &run_ids, &many, error);
    for (size_t i = 0; i < many && err == JR_OK; i++) {
        struct jr_cost_row row;

        err = look_at(store, &whatif, run_ids[i], found, error);
        if (err != JR_OK || found->count == 0)
            continue;
        row = sum_up(found, since_ms);
        if (row.reruns > 0 && !append(costs, &row))
            err = jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    free(run_ids);
    free(found);
    if (err == JR_OK)
        merge(costs);
    return err;
}

void jr_costs_release(struct jr_costs *costs)
{
    free(costs->rows);
    memset(costs, 0, sizeof *costs);
}
