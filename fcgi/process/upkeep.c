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
#include "lib/store/days.h"
#include "lib/store/delivery.h"
#include "lib/work/batch.h"

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

/*
 * One transaction of rule 9.
 *   more   out: is there more to be done?
 */
static enum jr_err forget(struct jr_upkeep *upkeep, int64_t now_ms, bool *more,
                          struct jr_error *error)
{
    int64_t before_ms = upkeep->filling ? now_ms + JR_HOUR_MS
                                            : now_ms - upkeep->desk->settings->retention_ms;
    struct jr_prune prune = upkeep->prune;
    struct jr_flaky_walk flaky_walk = upkeep->flaky_walk;
    struct jr_repo_place repo_place = upkeep->repo_place;
    unsigned runs, deliveries;
    struct jr_txn txn;
    enum jr_err err;

    jr_txn_begin(&txn, upkeep->desk->store, true);
    deliveries = jr_delivery_prune(&txn, now_ms, PRUNE_DELIVERIES);
    jr_repo_prune(&txn, now_ms - upkeep->desk->settings->retention_ms, PRUNE_REPOS, &repo_place);
    jr_batch_prune(&txn, now_ms);
    jr_flaky_prune(&txn, upkeep->filling ? now_ms - JR_DAY_MS : before_ms, now_ms,
                   PRUNE_FLAKY, &flaky_walk);
    jr_days_prune(&txn, now_ms - upkeep->desk->settings->retention_ms, PRUNE_RUNS);
    runs = jr_ledger_prune(&txn, before_ms, upkeep->filling, PRUNE_RUNS, &prune);
    deliveries += forget_deliveries(upkeep, &txn, runs == 0 && prune.key_length == 0,
                                    PRUNE_DELIVERIES);
    if (runs == 0 && jr_desk_commits_fail(upkeep->desk))
        jr_txn_probe(&txn);
    jr_test_point("in-upkeep");
    err = jr_txn_commit(&txn);
    if (err != JR_OK) {
        *error = txn.error;
        return err;
    }
    upkeep->prune = prune;
    upkeep->flaky_walk = flaky_walk;
    upkeep->repo_place = repo_place;
    *more = deliveries >= PRUNE_TIGHT_DELIVERIES || prune.key_length != 0;
    if (runs > 0 || deliveries > 0)
        jr_log(JR_LOG_DEBUG, "upkeep", "forgot %u %s and %u %s", runs,
               jr_say_plural(runs, "run", "runs"), deliveries,
               jr_say_plural(deliveries, "delivery", "deliveries"));
    return JR_OK;
}

/*
 * The same where the map has no room for that: in many small transactions. Ids of deliveries
 * come first if they take most of the map, and where no closed run is left to go.
 */
static enum jr_err squeeze(struct jr_upkeep *upkeep, int64_t now_ms, bool *more,
                           struct jr_error *error)
{
    /* It may be the disk that is full, and not the map. */
    int64_t before_ms = upkeep->filling ? now_ms + JR_HOUR_MS
                                            : now_ms - upkeep->desk->settings->retention_ms;
    bool removed = true;
    unsigned deliveries, runs = 0;
    struct jr_txn txn;
    enum jr_err err = JR_OK;

    while (err == JR_OK && removed && runs++ < PRUNE_RUNS)
        err = jr_ledger_squeeze(upkeep->desk->store, before_ms, SQUEEZE_LOOKS, &upkeep->prune,
                                &removed, error);
    if (err != JR_OK && err != JR_EFULL)
        return err;
    jr_txn_begin(&txn, upkeep->desk->store, true);
    deliveries = forget_deliveries(upkeep, &txn, err != JR_OK || !removed,
                                   PRUNE_TIGHT_DELIVERIES);
    if (deliveries == 0 && runs <= 1)
        jr_txn_probe(&txn);
    *more = deliveries > 0 || runs > 1;
    err = jr_txn_commit(&txn);
    if (err != JR_OK)
        *error = txn.error;
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
