/*
 * listing -- the store as somebody reads it: runs newest first, the outbox, and
 * the story of one run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/ledger.h"
#include "lib/listing.h"
#include "lib/text.h"
#include "lib/timestamp.h"

#include <stdlib.h>
#include <string.h>

/* End the transaction of a listing. */
static enum jr_err finish(struct jr_txn *txn, size_t *count, struct jr_error *error)
{
    jr_txn_abort(txn);
    if (txn->error.code == JR_OK)
        return JR_OK;
    *count = 0;
    *error = txn->error;
    return error->code;
}

/* Load a run; one that is damaged is as good as missing, and nothing is written here. */
static bool load(struct jr_txn *txn, uint64_t run_id, struct jr_run *run)
{
    jr_ledger_load_run(txn, run_id, run);
    if (txn->error.code == JR_EFORMAT) {
        txn->error.code = JR_OK;
        memset(run, 0, sizeof *run);
        run->run_id = run_id;
    }
    return txn->error.code == JR_OK && run->known;
}

static bool is_wanted(const struct jr_listing_filter *filter, const struct jr_run *run)
{
    return (filter->repo == NULL || jr_text_match(filter->repo, run->repo))
           && (filter->phase == JR_LISTING_ANY_PHASE || filter->phase == (int)run->phase)
           && run->last_event_ms >= filter->since_ms;
}

enum jr_err jr_listing_runs(struct jr_store *store, const struct jr_listing_filter *filter,
                            struct jr_listing *listing, struct jr_run *runs, size_t size,
                            size_t *count, struct jr_error *error)
{
    struct jr_txn txn;

    *count = 0;
    jr_txn_begin(&txn, store, false);
    for (unsigned looks = 0; !listing->ended && *count < size && looks < JR_LISTING_LOOKS;
         looks++) {
        if (!jr_ledger_next_older(&txn, &listing->time_ms, &listing->run_id)
            || listing->time_ms + JR_HOUR_MS <= filter->since_ms)
            listing->ended = true;
        else if (load(&txn, listing->run_id, &runs[*count]) && is_wanted(filter, &runs[*count]))
            (*count)++;
    }
    return finish(&txn, count, error);
}

enum jr_err jr_listing_next_run(struct jr_store *store, uint64_t *after, struct jr_run *run,
                                struct jr_error *error)
{
    struct jr_txn txn;
    size_t count = 0;
    bool found;

    jr_txn_begin(&txn, store, false);
    do
        found = jr_ledger_next_run(&txn, after);
    while (found && !load(&txn, *after, run));
    if (!found)
        jr_txn_fail(&txn, JR_ENOENT, "there is no run after %llu", (unsigned long long)*after);
    return finish(&txn, &count, error);
}

/* Runs of which something is told while we walk move on, so they are found, perhaps twice. */
static enum jr_err add_told(struct jr_store *store, int64_t since_ms, struct jr_listing *listing,
                            uint64_t *run_ids, size_t *count, struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    for (unsigned looks = 0; !listing->ended && looks < JR_LISTING_LOOKS; looks++) {
        if (jr_ledger_next_told(&txn, since_ms, &listing->time_ms, &listing->run_id))
            run_ids[(*count)++] = listing->run_id;
        else
            listing->ended = true;
    }
    return finish(&txn, count, error);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}

/* Sort, and leave each number once. Returns how many are left. */
static size_t sort_once(uint64_t *numbers, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || numbers[i] != numbers[i - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

enum jr_err jr_listing_told(struct jr_store *store, int64_t since_ms, uint64_t **run_ids,
                            size_t *count, struct jr_error *error)
{
    struct jr_listing listing = { .ended = false };
    uint64_t *found = NULL;
    size_t size = 0;
    enum jr_err err = JR_OK;

    *run_ids = NULL;
    *count = 0;
    while (err == JR_OK && !listing.ended) {
        if (size - *count < JR_LISTING_LOOKS) {
            size_t larger = 2 * size + JR_LISTING_LOOKS;
            uint64_t *more = realloc(found, larger * sizeof *more);

            if (more == NULL) {
                err = jr_error_set(error, JR_ENOMEM, "out of memory");
                break;
            }
            found = more;
            size = larger;
        }
        err = add_told(store, since_ms, &listing, found, count, error);
    }
    if (err != JR_OK) {
        free(found);
        *count = 0;
        return err;
    }
    *count = sort_once(found, *count);
    *run_ids = found;
    return JR_OK;
}

enum jr_err jr_listing_outbox(struct jr_store *store, struct jr_listing *listing,
                              struct jr_run *runs, size_t size, size_t *count,
                              struct jr_error *error)
{
    struct jr_txn txn;
    int64_t waiting_ms;

    *count = 0;
    jr_txn_begin(&txn, store, false);
    while (!listing->ended && *count < size) {
        if (!jr_ledger_next_due(&txn, &listing->time_ms, &listing->run_id, &waiting_ms)) {
            listing->ended = true;
            break;
        }
        (void)load(&txn, listing->run_id, &runs[*count]);
        runs[*count].due_ms = listing->time_ms;
        runs[(*count)++].waiting_ms = waiting_ms;
    }
    return finish(&txn, count, error);
}

enum jr_err jr_listing_run(struct jr_store *store, uint64_t run_id, struct jr_run *run,
                           struct jr_error *error)
{
    struct jr_txn txn;
    size_t count = 0;

    jr_txn_begin(&txn, store, false);
    jr_ledger_load_run(&txn, run_id, run);
    if (txn.error.code == JR_OK && !run->known)
        jr_txn_fail(&txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)run_id);
    return finish(&txn, &count, error);
}

enum jr_err jr_listing_jobs(struct jr_store *store, uint64_t run_id, uint64_t *after,
                            struct jr_job *jobs, size_t size, size_t *count,
                            struct jr_error *error)
{
    struct jr_txn txn;

    *count = 0;
    jr_txn_begin(&txn, store, false);
    while (*count < size && jr_ledger_next_job(&txn, run_id, *after, &jobs[*count]))
        *after = jobs[(*count)++].job_id;
    return finish(&txn, count, error);
}

enum jr_err jr_listing_history(struct jr_store *store, uint64_t run_id, uint32_t *number,
                               struct jr_history *entries, size_t size, size_t *count,
                               struct jr_error *error)
{
    struct jr_txn txn;

    *count = 0;
    jr_txn_begin(&txn, store, false);
    while (*count < size && jr_history_next(&txn, run_id, number, &entries[*count]))
        (*count)++;
    return finish(&txn, count, error);
}
