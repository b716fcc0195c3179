/*
 * runpage -- runs for a page, by what somebody wants to see, and what needs a person.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/runpage.h"
#include "lib/base/timestamp.h"
#include "lib/store/failure_index.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"
#include "lib/store/listing.h"
#include "lib/store/runindex.h"

#include <stdlib.h>
#include <string.h>

/* Runs that one transaction reads. */
#define LOOKS 500

enum { NEEDY, WAITING, OTHERS, PARTS };

/* The runs of a time, if they are few; the greatest id first. */
struct recent {
    uint64_t *ids; /* JR_RUNPAGE_LOOKS; owned */
    size_t count;
    bool gathered, used;
};

/* A page in the making. */
struct reading {
    const struct jr_runpage_filter *filter;
    uint64_t scope; /* of the one repository that is wanted; JR_RUNINDEX_ALL: not only one is */
    struct recent recent;
    struct jr_runpage_place place, last; /* of the run looked at last; of the last row */
    struct jr_runpage_row *rows;
    size_t size, count;
    bool full; /* one more is there than there is room for */
    struct jr_runpage *page;
};

static int by_id_down(const void *a, const void *b)
{
    const uint64_t *one = a, *two = b;

    return (*one < *two) - (*one > *two);
}

/* Gather the runs since a time; they are of use if they are not more than a page may read. */
static void gather(struct jr_txn *txn, int64_t since_ms, struct recent *recent)
{
    int64_t hour_ms = 0;
    uint64_t run_id = 0;

    recent->gathered = true;
    recent->used = false;
    while (jr_ledger_next_older(txn, &hour_ms, &run_id) && hour_ms + JR_HOUR_MS > since_ms) {
        if (recent->count == JR_RUNPAGE_LOOKS)
            return;
        recent->ids[recent->count++] = run_id;
    }
    recent->used = true;
    if (recent->count > 0)
        qsort(recent->ids, recent->count, sizeof *recent->ids, by_id_down);
}

static bool next_recent(const struct recent *recent, uint64_t *run_id)
{
    size_t low = 0, high = recent->count;

    while (*run_id != 0 && low < high) {
        size_t middle = (low + high) / 2;

        if (recent->ids[middle] >= *run_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == recent->count)
        return false;
    *run_id = recent->ids[low];
    return true;
}

/* Go to the next run that may be wanted, by the shortest way. */
static bool next_run(struct jr_txn *txn, const struct reading *reading, uint64_t *run_id)
{
    const struct jr_runpage_filter *filter = reading->filter;

    if (reading->recent.used)
        return next_recent(&reading->recent, run_id);
    if (filter->cause != JR_CAUSE_NONE)
        return jr_failure_index_run_before(txn, filter->cause, run_id);
    if (!filter->plain && reading->place.part != OTHERS)
        return jr_runindex_before(txn, reading->place.part == NEEDY ? JR_RUNINDEX_NEEDY
                                                                   : JR_RUNINDEX_WAITING,
                                  reading->scope, run_id);
    if (reading->scope != JR_RUNINDEX_ALL)
        return jr_runindex_before(txn, JR_RUNINDEX_REPO, reading->scope, run_id);
    return jr_ledger_previous_run(txn, run_id);
}

static bool has_cause(struct jr_txn *txn, uint64_t run_id, enum jr_cause cause)
{
    struct jr_failure_place place;
    struct jr_entry entry;

    for (uint64_t job_id = 0; jr_ledger_seek(txn, run_id, JR_PART_FAILURE, &job_id, &entry);
         job_id++)
        if (jr_failure_place_read(&place, entry.value, entry.value_length) && place.cause == cause)
            return true;
    return false;
}

/* The next failure of a run; a damaged one ends it: the page goes without it. */
static bool next_failure(struct jr_txn *txn, uint64_t run_id, uint64_t after,
                         struct jr_failure *failure)
{
    bool found = jr_failures_next(txn, run_id, after, failure);

    if (txn->error.code == JR_EFORMAT)
        txn->error.code = JR_OK;
    return found;
}

/* Has it a failure of the cause, known by the signature? */
static bool has_failure(struct jr_txn *txn, uint64_t run_id,
                        const struct jr_runpage_filter *filter)
{
    struct jr_failure failure;

    if (*filter->signature == '\0')
        return filter->cause == JR_CAUSE_NONE || has_cause(txn, run_id, filter->cause);
    for (uint64_t after = 0; next_failure(txn, run_id, after, &failure); after = failure.job_id)
        if ((filter->cause == JR_CAUSE_NONE || failure.finding.cause == filter->cause)
            && strcmp(failure.finding.signature, filter->signature) == 0)
            return true;
    return false;
}

/* Empty patterns match all. */
static bool matches(const char *pattern, const char *value)
{
    return *pattern == '\0' || jr_text_match(pattern, value);
}

static bool is_of_workflow(const struct jr_run *run, const char *pattern)
{
    char copy[JR_NAME_SIZE], *items[] = { copy };
    const struct jr_list list = { items, 1 };

    if (*pattern == '\0')
        return true;
    jr_text_copy(copy, sizeof copy, pattern);
    return jr_run_lists_workflow(&list, run->workflow, run->workflow_path);
}

/* Does it stand where it is to stand, for the reason that is wanted? */
static bool stands(const struct jr_runpage_filter *filter, const struct jr_run *run)
{
    struct jr_standing standing;
    bool paused = filter->pauses != NULL && jr_pauses_hold(filter->pauses, run) != NULL;

    if (filter->reason != JR_RUNPAGE_ANY
        && filter->reason != (int)jr_standing_reason(run, paused))
        return false;
    if (*filter->verdict == '\0')
        return true;
    jr_standing_of(run, &standing);
    return strcmp(standing.word, filter->verdict) == 0;
}

static unsigned part_of(const struct jr_run *run)
{
    switch (run->list) {
    case JR_RUN_LIST_NEEDY:
        return NEEDY;
    case JR_RUN_LIST_WAITING:
        return WAITING;
    default:
        return OTHERS;
    }
}

static bool is_wanted(struct jr_txn *txn, const struct reading *reading, const struct jr_run *run)
{
    const struct jr_runpage_filter *filter = reading->filter;

    return (filter->plain || part_of(run) == reading->place.part)
           && run->last_event_ms >= filter->since_ms && matches(filter->repo, run->repo)
           && matches(filter->branch, run->branch) && is_of_workflow(run, filter->workflow)
           && (filter->conclusion == JR_RUNPAGE_ANY
               || filter->conclusion == (int)jr_run_conclusion(run))
           && stands(filter, run)
           && has_failure(txn, run->run_id, filter);
}

/* Complete a row whose run is loaded. Of an attempt a failure that counts comes first. */
static void complete(struct jr_txn *txn, struct jr_runpage_row *row)
{
    struct jr_failure failure;
    uint32_t attempt = 0;
    bool counted = false;

    row->need = jr_standing_need(&row->run);
    row->cause = JR_CAUSE_NONE;
    row->job_id = 0;
    for (uint64_t after = 0; next_failure(txn, row->run.run_id, after, &failure);
         after = failure.job_id) {
        if (failure.attempt < attempt
            || (failure.attempt == attempt && (counted || !failure.counts)))
            continue;
        attempt = failure.attempt;
        counted = failure.counts;
        row->cause = failure.finding.cause;
        row->job_id = failure.job_id;
    }
}

/*
 * Do runs stand so only if they need a person? A run may be refused of which no failure is known:
 * one that went quiet, and that GitHub does not show any more.
 */
static bool is_reason_of_needy(enum jr_reason reason)
{
    enum jr_need need = jr_need_of(reason);

    return need != JR_NEED_NOTHING && need != JR_NEED_ACCESS
           && reason != JR_REASON_CANNOT_BE_RETRIED;
}

/* Is it a word for nothing but such reasons? */
static bool is_word_of_needy(const char *word)
{
    bool found = false;

    for (int reason = JR_REASON_NONE; reason < JR_REASONS; reason++) {
        if (strcmp(jr_standing_word_of((enum jr_reason)reason), word) != 0)
            continue;
        if (!is_reason_of_needy((enum jr_reason)reason))
            return false;
        found = true;
    }
    return found;
}

static bool is_word_of_waiting(const char *word)
{
    return strcmp(word, "waiting") == 0 || strcmp(word, "asked for") == 0;
}

/* Can none of the part be wanted? */
static bool is_needless(const struct jr_runpage_filter *filter, unsigned part)
{
    if (filter->plain)
        return false;
    if (part != OTHERS && filter->conclusion != JR_RUNPAGE_ANY
        && !jr_conclusion_is_bad((enum jr_conclusion)filter->conclusion))
        return true;
    if (part == NEEDY)
        return false;
    if (part == WAITING)
        return *filter->verdict != '\0' && !is_word_of_waiting(filter->verdict);
    return is_word_of_needy(filter->verdict)
           || (filter->reason != JR_RUNPAGE_ANY
               && is_reason_of_needy((enum jr_reason)filter->reason));
}

/* The part is at its end. */
static void end_part(struct reading *reading)
{
    reading->page->ended = reading->filter->plain || reading->place.part == OTHERS;
    if (!reading->page->ended)
        reading->place = (struct jr_runpage_place){ .part = reading->place.part + 1 };
}

/* Look at the next run; false when it is not to be looked at on this page. */
static bool look_at_next(struct jr_txn *txn, struct reading *reading)
{
    struct jr_runpage *page = reading->page;
    uint64_t run_id = reading->place.run_id;
    struct jr_run run;

    if (is_needless(reading->filter, reading->place.part) || !next_run(txn, reading, &run_id)) {
        end_part(reading);
        return !page->ended;
    }
    page->cut = page->looks == JR_RUNPAGE_LOOKS;
    if (page->cut)
        return false;
    page->looks++;
    reading->place.run_id = run_id;
    if (!jr_listing_load(txn, run_id, &run) || !is_wanted(txn, reading, &run))
        return true;
    reading->full = reading->count == reading->size;
    if (reading->full)
        return false;
    reading->rows[reading->count].run = run;
    complete(txn, &reading->rows[reading->count++]);
    reading->last = reading->place;
    return true;
}

static void read_some(struct jr_txn *txn, void *context)
{
    struct reading *reading = context;
    bool goes_on = true;

    if (reading->filter->since_ms > 0 && !reading->recent.gathered)
        gather(txn, reading->filter->since_ms, &reading->recent);
    for (unsigned looks = 0; looks < LOOKS && goes_on; looks++)
        goes_on = look_at_next(txn, reading);
}

/* Is it all of one repository's name? */
static bool is_one(const char *repo)
{
    return *repo != '\0' && repo[strcspn(repo, "*?")] == '\0';
}

static enum jr_err read_page(struct jr_store *store, struct reading *reading,
                             struct jr_error *error)
{
    const struct jr_runpage *page = reading->page;
    enum jr_err err = JR_OK;

    while (err == JR_OK && !page->ended && !page->cut && !reading->full)
        err = jr_store_read(store, read_some, reading, error);
    return err;
}

enum jr_err jr_runpage_read(struct jr_store *store, const struct jr_runpage_filter *filter,
                            const struct jr_runpage_place *place, struct jr_runpage_row *rows,
                            size_t size, struct jr_runpage *page,
                            struct jr_error *error)
{
    struct reading reading = {
        .filter = filter, .place = *place, .last = *place, .rows = rows, .size = size,
        .page = page, .scope = is_one(filter->repo) ? jr_runindex_scope(filter->repo)
                                                    : JR_RUNINDEX_ALL,
    };
    enum jr_err err;

    memset(page, 0, sizeof *page);
    if (reading.place.part >= PARTS || (filter->plain && reading.place.part != 0))
        return jr_error_set(error, JR_EINVAL, "there is no such page of runs");
    if (filter->since_ms > 0) {
        reading.recent.ids = malloc(JR_RUNPAGE_LOOKS * sizeof *reading.recent.ids);
        if (reading.recent.ids == NULL)
            return jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    err = read_page(store, &reading, error);
    free(reading.recent.ids);
    page->count = err == JR_OK ? reading.count : 0;
    page->next = reading.full ? reading.last : reading.place;
    return err;
}

/* A look for what needs a person. */
struct search {
    int64_t since_ms;
    struct jr_needy *needy;
    uint64_t run_id;
    unsigned looks;
};

static void look_for_needy(struct jr_txn *txn, void *context)
{
    struct search *search = context;
    struct jr_needy *needy = search->needy;
    struct jr_runpage_row row;

    do {
        needy->whole = !jr_runindex_before(txn, JR_RUNINDEX_NEEDY, JR_RUNINDEX_ALL,
                                           &search->run_id);
        if (needy->whole || !jr_listing_load(txn, search->run_id, &row.run)
            || row.run.told_ms < search->since_ms)
            continue;
        row.need = jr_standing_need(&row.run);
        /* Those that wait stand there too until upkeep has parted the list of an older version. */
        if (row.need == JR_NEED_NOTHING || row.need == JR_NEED_WAITS)
            continue;
        needy->counts[row.need]++;
        needy->all++;
        if (needy->newest_count == JR_NEEDY_NEWEST)
            continue;
        complete(txn, &row);
        needy->newest[needy->newest_count++] = row;
    } while (!needy->whole && ++search->looks < JR_NEEDY_LOOKS && search->looks % LOOKS != 0);
}

enum jr_err jr_needy_read(struct jr_store *store, int64_t since_ms, struct jr_needy *needy,
                          struct jr_error *error)
{
    struct search search = { .since_ms = since_ms, .needy = needy };
    enum jr_err err = JR_OK;

    memset(needy, 0, sizeof *needy);
    while (err == JR_OK && !needy->whole && search.looks < JR_NEEDY_LOOKS)
        err = jr_store_read(store, look_for_needy, &search, error);
    return err;
}
