/*
 * counters -- what one process counts of its work, for /metrics and the tool.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/counters.h"
#include "lib/github/github.h"

#include <string.h>

_Static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t) && ATOMIC_LLONG_LOCK_FREE == 2,
               "processes share these numbers, so there must be no lock in them");
_Static_assert(sizeof(struct jr_counters) % sizeof(uint64_t) == 0, "numbers and nothing else");

/* A commit here takes half a millisecond, 5 to 20 ms where the disk flushes honestly; nginx
 * gives up after 8 s. */
static const int statuses[JR_COUNTED_STATUSES] = {
    200, 201, 202, 204, 400, 403, 404, 405, 411, 413, 415, 500, 503, 0,
};

static const char *const events[JR_COUNTED_EVENTS] = {
    [JR_COUNTED_WORKFLOW_JOB] = "workflow_job",
    [JR_COUNTED_WORKFLOW_RUN] = "workflow_run",
    [JR_COUNTED_PING] = "ping",
    [JR_COUNTED_OTHER] = "other",
    [JR_COUNTED_UNNAMED] = "unnamed",
};

/* Of more processes than there can be; all buckets of a histogram together still fit. */
#define SUM_MOST (JR_COUNT_MOST << 9)

static const char *const ends[JR_COUNTED_ENDS] = { "won", "lost", "unknown" };

static const char *const claims[JR_COUNTED_CLAIMS] = { "taken", "lost",     "posting",
                                                       "late",  "takeover", "done" };

const char *jr_counted_end_name(size_t end)
{
    return ends[end];
}

const char *jr_counted_claim_name(enum jr_counted_claim what)
{
    return claims[what];
}

static void add(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static enum jr_counted_event event_of(const char *word)
{
    enum jr_counted_event event = JR_COUNTED_WORKFLOW_JOB;

    if (word == NULL)
        return JR_COUNTED_UNNAMED;
    while (event < JR_COUNTED_OTHER && strcmp(word, events[event]) != 0)
        event++;
    return event;
}

static size_t status_of(int status)
{
    size_t index = 0;

    while (index < JR_COUNTED_STATUSES - 1 && statuses[index] != status)
        index++;
    return index;
}

static size_t reason_of(enum jr_reason reason)
{
    return (size_t)reason < JR_COUNTED_REASONS ? (size_t)reason : JR_REASON_NONE;
}

void jr_count_webhook(struct jr_counters *counters, const char *event, int status,
                      enum jr_reason reason, int64_t duration_us)
{
    if (counters == NULL)
        return;
    jr_count(&counters->webhooks[event_of(event)][status_of(status)]);
    jr_count(&counters->webhook_reasons[reason_of(reason)]);
    jr_histogram_note(&counters->webhook_us, duration_us);
}

void jr_count_verdict(struct jr_counters *counters, enum jr_reason reason)
{
    if (counters != NULL && reason != JR_REASON_NONE)
        jr_count(&counters->verdicts[reason_of(reason)]);
}

void jr_count_failed_job(struct jr_counters *counters, enum jr_cause cause)
{
    if (counters != NULL && (size_t)cause < JR_COUNTED_CAUSES)
        jr_count(&counters->failed_jobs[cause]);
}

void jr_count_causes(struct jr_counters *counters, uint64_t rerun, uint64_t rescued)
{
    for (size_t cause = 0; counters != NULL && cause < JR_COUNTED_CAUSES; cause++) {
        if ((rerun >> cause & 1) != 0)
            jr_count(&counters->rerun_causes[cause]);
        if ((rescued >> cause & 1) != 0)
            jr_count(&counters->rescued_causes[cause]);
    }
}

void jr_count_outage(struct jr_counters *counters, bool begun, bool over)
{
    if (counters != NULL && begun)
        jr_count(&counters->outages_begun);
    if (counters != NULL && over)
        jr_count(&counters->outages_over);
}

void jr_count_ownfile(struct jr_counters *counters, enum jr_counted_ownfile told)
{
    if (counters != NULL)
        jr_count(&counters->ownfiles[told]);
}

void jr_count_cluster_call(struct jr_counters *counters, unsigned end, int64_t duration_us)
{
    if (counters == NULL || end >= JR_COUNTED_ENDS)
        return;
    jr_count(&counters->cluster_calls[end]);
    jr_histogram_note(&counters->cluster_us, duration_us);
}

void jr_count_claim(struct jr_counters *counters, enum jr_counted_claim what)
{
    if (counters != NULL)
        jr_count(&counters->cluster_claims[what]);
}

void jr_count_call(struct jr_counters *counters, const struct jr_call *call)
{
    enum jr_reason result = call->outcome == JR_OUTCOME_DONE ? JR_REASON_NONE : call->reason;

    if (counters == NULL || call->api >= JR_COUNTED_CALLS)
        return;
    jr_count(&counters->calls[call->api][reason_of(result)]);
    if (jr_github_is_write(call->api) && (size_t)call->outcome < JR_COUNTED_OUTCOMES)
        jr_count(&counters->reruns[call->outcome]);
}

void jr_counters_add(struct jr_counters *sum, const struct jr_counters *counters)
{
    _Atomic uint64_t *to = (_Atomic uint64_t *)sum;
    const _Atomic uint64_t *from = (const _Atomic uint64_t *)counters;

    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
        uint64_t count = atomic_load_explicit(&from[i], memory_order_relaxed);

        add(&to[i], count < JR_COUNT_MOST ? count : JR_COUNT_MOST);
    }
}

void jr_counters_bound(struct jr_counters *sum)
{
    _Atomic uint64_t *counts = (_Atomic uint64_t *)sum;

    for (size_t i = 0; i < sizeof *sum / sizeof *counts; i++)
        if (counts[i] > SUM_MOST)
            counts[i] = SUM_MOST;
}

const char *jr_counted_event_name(enum jr_counted_event event)
{
    return events[event];
}

const char *jr_counted_call_name(enum jr_api api)
{
    return jr_github_counted(api);
}

const char *jr_counted_ownfile_name(enum jr_counted_ownfile told)
{
    static const char *const names[JR_COUNTED_OWNFILES] = {
        [JR_COUNTED_OWNFILE_GOOD] = "good",
        [JR_COUNTED_OWNFILE_BROKEN] = "broken",
        [JR_COUNTED_OWNFILE_NONE] = "none",
        [JR_COUNTED_OWNFILE_UNCHANGED] = "unchanged",
        [JR_COUNTED_OWNFILE_REFUSED] = "refused",
    };

    return names[told];
}

int jr_counted_status(size_t index)
{
    return statuses[index];
}
