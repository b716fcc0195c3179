/*
 * upkeep -- rule 9: forget what is past its RETENTION, and more than that while the map fills up.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/upkeep.h"
#include "lib/base/log.h"
#include "lib/base/say.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/steps/batch.h"
#include "lib/store/askings.h"
#include "lib/store/budget.h"
#include "lib/store/days.h"
#include "lib/store/delivery.h"
#include "lib/store/ownpolicy.h"

#define UPKEEP_INTERVAL_MS JR_MINUTE_MS
/* Upkeep that has more to do goes on after this. */
#define UPKEEP_MORE_MS 100
#define PRUNE_RUNS 16
#define PRUNE_DELIVERIES 200
#define PRUNE_TIGHT_DELIVERIES 20
/* Runs that are looked at for one that may go. */
#define SQUEEZE_LOOKS 500
#define PRUNE_FLAKY 200
#define PRUNE_REPOS 200
#define LIST_RUNS 200
/* Rule 9: from here on, in hundredths of the map, the oldest history goes early; and when no
 * more is left than the copies of the pages may take that one batch of events changes. */
#define MAP_FILLING 90
#define MAP_LEAST_FREE_BYTES (256 * 1024)

/* See how full the map is, and show it. Returns whether it fills up. */
static bool measure(struct jr_upkeep *upkeep)
{
    struct jr_error error;
    uint64_t used_bytes, map_bytes;

    if (jr_store_usage(upkeep->desk->store, &used_bytes, &map_bytes, &error) != JR_OK) {
        jr_log(JR_LOG_WARN, "upkeep", "%s", error.text);
        return false;
    }
    upkeep->used_bytes = used_bytes;
    if (upkeep->desk->told != NULL) {
        upkeep->desk->told->map_used_bytes = (int64_t)used_bytes;
        upkeep->desk->told->map_size_bytes = (int64_t)map_bytes;
    }
    return used_bytes / (map_bytes / 100 + 1) >= MAP_FILLING
           || used_bytes + MAP_LEAST_FREE_BYTES > map_bytes;
}

/*
 * While the map fills up, ids of deliveries go when they take most of it (whoever has one
 * signed webhook can send it again under any number of ids), or when there is no closed
 * history left to go. What is known of open runs stays.
 */
static unsigned forget_deliveries(const struct jr_upkeep *upkeep, struct jr_txn *txn,
                                  bool no_history, unsigned most)
{
    if (!upkeep->filling
        || !(no_history
             || jr_delivery_count(txn) * JR_DELIVERY_BYTES > upkeep->used_bytes / 2))
        return 0;
    return jr_delivery_drop_oldest(txn, most);
}

/* From when on it goes by its age. */
static int64_t before_ms(const struct jr_upkeep *upkeep, int64_t now_ms)
{
    return upkeep->filling ? now_ms + JR_HOUR_MS
                           : now_ms - upkeep->desk->settings->retention_ms;
}

/* One transaction of rule 9. */
struct forgetting {
    const struct jr_upkeep *upkeep;
    int64_t now_ms;
    struct jr_prune prune;          /* out, as the next two: where to go on */
    struct jr_flaky_walk flaky_walk;
    struct jr_repo_place repo_place;
    uint64_t list_after;
    bool lists; /* out: there may be runs that are in no list */
    unsigned runs, deliveries;      /* out: how many are gone */
    unsigned damaged;               /* out: of what people have asked for, what cannot be read */
};

static void forget_some(struct jr_txn *txn, void *context)
{
    struct forgetting *gone = context;
    const struct jr_upkeep *upkeep = gone->upkeep;
    int64_t now_ms = gone->now_ms, latest_ms = before_ms(upkeep, now_ms);
    int64_t kept_ms = now_ms - upkeep->desk->settings->retention_ms;

    gone->prune = upkeep->prune;
    gone->flaky_walk = upkeep->flaky_walk;
    gone->repo_place = upkeep->repo_place;
    gone->list_after = upkeep->list_after;
    gone->deliveries = jr_delivery_prune(txn, now_ms, PRUNE_DELIVERIES);
    jr_repo_prune(txn, kept_ms, PRUNE_REPOS, &gone->repo_place);
    jr_batch_prune(txn, now_ms);
    gone->damaged = jr_askings_prune(txn, now_ms, PRUNE_REPOS);
    jr_ownpolicy_prune(txn, kept_ms, PRUNE_REPOS);
    jr_flaky_prune(txn, upkeep->filling ? now_ms - JR_DAY_MS : latest_ms, now_ms, PRUNE_FLAKY,
                   &gone->flaky_walk);
    jr_days_prune(txn, kept_ms, PRUNE_RUNS);
    jr_budget_prune(txn, kept_ms, PRUNE_RUNS);
    gone->runs = jr_ledger_prune(txn, latest_ms, upkeep->filling, PRUNE_RUNS, &gone->prune);
    gone->deliveries += forget_deliveries(upkeep, txn,
                                          gone->runs == 0 && gone->prune.key_length == 0,
                                          PRUNE_DELIVERIES);
    gone->lists = !upkeep->filling && jr_ledger_list(txn, LIST_RUNS, &gone->list_after);
    if (gone->runs == 0 && jr_desk_commits_fail(upkeep->desk))
        jr_txn_probe(txn);
    jr_test_point("in-upkeep");
}

/*
 *   more   out: is there more to be done?
 */
static enum jr_err forget(struct jr_upkeep *upkeep, int64_t now_ms, bool *more,
                          struct jr_error *error)
{
    struct forgetting gone = { .upkeep = upkeep, .now_ms = now_ms };
    enum jr_err err = jr_store_write(upkeep->desk->store, forget_some, &gone, error);

    if (err != JR_OK)
        return err;
    upkeep->prune = gone.prune;
    upkeep->flaky_walk = gone.flaky_walk;
    upkeep->repo_place = gone.repo_place;
    upkeep->list_after = gone.list_after;
    *more = gone.deliveries >= PRUNE_TIGHT_DELIVERIES || gone.prune.key_length != 0 || gone.lists;
    if (gone.damaged > 0)
        jr_log(JR_LOG_WARN, "upkeep", "%u %s what was asked for on a pull request cannot be read, "
               "and %s gone", gone.damaged, jr_say_plural(gone.damaged, "record of", "records of"),
               jr_say_plural(gone.damaged, "is", "are"));
    if (gone.runs > 0 || gone.deliveries > 0)
        jr_log(JR_LOG_DEBUG, "upkeep", "forgot %u %s and %u %s", gone.runs,
               jr_say_plural(gone.runs, "run", "runs"), gone.deliveries,
               jr_say_plural(gone.deliveries, "delivery", "deliveries"));
    return JR_OK;
}

/* Ids of deliveries that go where the map is tight. */
struct tight {
    const struct jr_upkeep *upkeep;
    bool no_history;     /* no run is left to go */
    bool no_run;         /* none has gone */
    unsigned deliveries; /* out: how many are gone */
};

static void forget_tight(struct jr_txn *txn, void *context)
{
    struct tight *tight = context;

    tight->deliveries = forget_deliveries(tight->upkeep, txn, tight->no_history,
                                          PRUNE_TIGHT_DELIVERIES);
    if (tight->deliveries == 0 && tight->no_run)
        jr_txn_probe(txn);
}

/*
 * The same where the map has no room for that: in many small transactions. Ids of deliveries
 * come first if they take most of the map, and where no closed run is left to go.
 */
static enum jr_err squeeze(struct jr_upkeep *upkeep, int64_t now_ms, bool *more,
                           struct jr_error *error)
{
    /* It may be the disk that is full, and not the map. */
    int64_t latest_ms = before_ms(upkeep, now_ms);
    struct tight tight = { .upkeep = upkeep };
    bool removed = true;
    unsigned runs = 0;
    enum jr_err err = JR_OK;

    while (err == JR_OK && removed && runs++ < PRUNE_RUNS)
        err = jr_ledger_squeeze(upkeep->desk->store, latest_ms, SQUEEZE_LOOKS, &upkeep->prune,
                                &removed, error);
    if (err != JR_OK && err != JR_EFULL)
        return err;
    tight.no_history = err != JR_OK || !removed;
    tight.no_run = runs <= 1;
    err = jr_store_write(upkeep->desk->store, forget_tight, &tight, error);
    *more = tight.deliveries > 0 || !tight.no_run;
    return err;
}

/*
 * Rule 9, a little at a time: forget what is past its RETENTION, and more than
 * that while the map fills up. The commit also shows, after a failed one,
 * whether there is room again.
 */
void jr_upkeep_now(struct jr_upkeep *upkeep)
{
    int64_t now_ms = jr_now_ms();
    bool filling = measure(upkeep), more = false;
    struct jr_error error;
    enum jr_err err;

    jr_store_clear_stale_readers(upkeep->desk->store);
    if (filling && !upkeep->filling)
        jr_log(JR_LOG_WARN, "map-filling", "the map is nearly full: the oldest history goes before "
               "its time; raise MAP_SIZE or lower RETENTION");
    if (filling != upkeep->filling)
        upkeep->prune.key_length = 0;
    upkeep->filling = filling;
    err = forget(upkeep, now_ms, &more, &error);
    if (err == JR_EFULL)
        err = squeeze(upkeep, now_ms, &more, &error);
    jr_process_note_commit(upkeep->desk->process, err == JR_OK);
    upkeep->desk->broken = err == JR_EFATAL;
    upkeep->desk->failing = err != JR_OK;
    if (err != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", error.text);
    upkeep->due_ms = jr_monotonic_ms()
                                + (err != JR_OK ? JR_DESK_STORE_WAIT_MS
                                   : more       ? UPKEEP_MORE_MS
                                                : UPKEEP_INTERVAL_MS);
}

int64_t jr_upkeep_work(struct jr_upkeep *upkeep)
{
    int64_t wait_ms = upkeep->due_ms - jr_monotonic_ms();

    if (wait_ms > 0)
        return wait_ms;
    jr_upkeep_now(upkeep);
    return 0;
}
