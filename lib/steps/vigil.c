/*
 * vigil -- what people are told that no single step of a run shows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/vigil.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <stdlib.h>
#include <string.h>

/* A look: what is found, and what is told of it. */
struct look {
    struct jr_store *store;
    int64_t now_ms;
    struct jr_notice items[JR_VIGIL_RUNNERS + JR_VIGIL_JOBS];
    size_t count;
    struct jr_flaky rows[JR_VIGIL_JOBS]; /* of the last JR_FLAKY_RECENT_DAYS days */
    size_t row_count;
    struct jr_flaky page[JR_VIGIL_JOBS]; /* of the last JR_VIGIL_DAYS */
};

bool jr_vigil_has_fallen(struct jr_notice_rate now, struct jr_notice_rate before)
{
    double low, high, before_low, before_high;

    if (now.of < JR_VIGIL_LEAST || before.of < JR_VIGIL_LEAST)
        return false;
    jr_wilson(now.some, now.of, &low, &high);
    jr_wilson(before.some, before.of, &before_low, &before_high);
    return high < before_low;
}

static struct jr_notice_rate rate_of(uint64_t some, uint64_t others)
{
    const uint64_t most = UINT32_MAX / 2;

    some = some < most ? some : most;
    others = others < most ? others : most;
    return (struct jr_notice_rate){ .some = (uint32_t)some, .of = (uint32_t)(some + others) };
}

static void add(struct look *look, enum jr_notice_kind kind, const struct jr_flaky *row,
                struct jr_notice_rate rate, struct jr_notice_rate before)
{
    struct jr_notice *notice = &look->items[look->count++];

    memset(notice, 0, sizeof *notice);
    notice->kind = kind;
    notice->at_ms = look->now_ms;
    notice->rate = rate;
    notice->rate_before = before;
    jr_text_copy(notice->repo, sizeof notice->repo, row->repo);
    jr_text_copy(notice->workflow, sizeof notice->workflow, row->group);
    jr_text_copy(notice->subject, sizeof notice->subject, row->name);
}

static enum jr_err find_runners(struct look *look, struct jr_error *error)
{
    size_t count;
    enum jr_err err = jr_flaky_recent(look->store, JR_FLAKY_RUNNER, look->now_ms, look->rows,
                                      JR_VIGIL_RUNNERS, &count, error);

    for (size_t i = 0; i < count; i++) {
        const struct jr_flaky *row = &look->rows[i];

        if (!row->suspect)
            continue;
        add(look, JR_NOTICE_RUNNER, row, rate_of(row->blamed, row->executions - row->blamed),
            (struct jr_notice_rate){ 0, 0 });
        look->items[look->count - 1].workflow[0] = '\0'; /* the labels */
    }
    return err;
}

/* What the last days of a job were, beside all that are looked at. */
static void compare(struct look *look, const struct jr_flaky *last)
{
    for (size_t i = 0; i < look->row_count; i++) {
        const struct jr_flaky *all = &look->rows[i];
        struct jr_notice_rate now, before;

        if (strcmp(all->repo, last->repo) != 0 || strcmp(all->group, last->group) != 0
            || strcmp(all->name, last->name) != 0 || last->rescued > all->rescued
            || last->not_rescued > all->not_rescued)
            continue;
        now = rate_of(last->rescued, last->not_rescued);
        before = rate_of(all->rescued - last->rescued, all->not_rescued - last->not_rescued);
        if (look->count < sizeof look->items / sizeof *look->items
            && jr_vigil_has_fallen(now, before))
            add(look, JR_NOTICE_RESCUE_RATE, last, now, before);
    }
}

static enum jr_err find_rates(struct look *look, struct jr_flaky_walk *walk,
                              struct jr_error *error)
{
    const struct jr_flaky_filter filter = {
        .kind = JR_FLAKY_JOB, .since_ms = look->now_ms - (JR_VIGIL_DAYS - 1) * JR_DAY_MS,
        .now_ms = look->now_ms,
    };
    enum jr_err err = jr_flaky_recent(look->store, JR_FLAKY_JOB, look->now_ms, look->rows,
                                      JR_VIGIL_JOBS, &look->row_count, error);

    if (walk->ended)
        memset(walk, 0, sizeof *walk);
    for (int reads = 0; err == JR_OK && reads < JR_VIGIL_READS && !walk->ended; reads++) {
        size_t count = 0;

        err = jr_flaky_read(look->store, &filter, walk, look->page, JR_VIGIL_JOBS, &count, error);
        for (size_t i = 0; err == JR_OK && i < count; i++)
            compare(look, &look->page[i]);
    }
    return err;
}

static void write_notices(struct jr_txn *txn, void *context)
{
    const struct look *look = context;

    for (size_t i = 0; i < look->count; i++)
        if (jr_notices_is_news(txn, &look->items[i], look->now_ms))
            jr_notices_add(txn, &look->items[i]);
    jr_notices_forget(txn, look->now_ms);
}

enum jr_err jr_vigil_look(struct jr_store *store, unsigned notify_on, int64_t now_ms,
                          struct jr_flaky_walk *walk, struct jr_error *error)
{
    struct look *look = calloc(1, sizeof *look);
    enum jr_err err = JR_OK;

    if (look == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    look->store = store;
    look->now_ms = now_ms;
    if (notify_on & 1u << JR_NOTICE_RUNNER)
        err = find_runners(look, error);
    if (err == JR_OK && (notify_on & 1u << JR_NOTICE_RESCUE_RATE))
        err = find_rates(look, walk, error);
    if (err == JR_OK)
        err = jr_store_write(store, write_notices, look, error);
    free(look);
    return err;
}
