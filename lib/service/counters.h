/*
 * counters -- what one process counts of its work, for /metrics and the tool.
 *
 * Each process has counters of its own in memory that the others may read, and
 * nobody else writes to them: counting is a load and a store, without a lock and
 * without an atomic read-modify-write. Whoever wants to know adds up the counters
 * of all processes. What a scrape reads of two counters need not be of the same
 * moment.
 *
 * All that tells one counter from another is of a closed set: no name that comes
 * from outside is counted by.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COUNTERS_H
#define JR_COUNTERS_H

#include "lib/base/histogram.h"
#include "lib/model/asked.h"
#include "lib/model/call.h"
#include "lib/model/cause.h"
#include "lib/model/words.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What X-GitHub-Event says. */
enum jr_counted_event {
    JR_COUNTED_WORKFLOW_JOB,
    JR_COUNTED_WORKFLOW_RUN,
    JR_COUNTED_PING,
    JR_COUNTED_OTHER,   /* any other word */
    JR_COUNTED_UNNAMED, /* there is no such header */
    JR_COUNTED_EVENTS
};

/* What GitHub was asked: the rows of the table in lib/github/github.c that are counted. */
#define JR_COUNTED_CALLS JR_API_GET_REPO

/* Room for each enum jr_reason, enum jr_outcome and enum jr_cause. */
#define JR_COUNTED_REASONS 176
#define JR_COUNTED_OUTCOMES 4
#define JR_COUNTED_CAUSES 64
/* ... and each end that writing at GitHub what becomes of a run may have (reporting.h). */
#define JR_COUNTED_REPORTS 4

/* How many HTTP statuses a webhook may be answered with: jr_counted_status(). */
#define JR_COUNTED_STATUSES 14

/* What GitHub told of a repository's policy file. */
enum jr_counted_ownfile {
    JR_COUNTED_OWNFILE_GOOD,
    JR_COUNTED_OWNFILE_BROKEN,
    JR_COUNTED_OWNFILE_NONE,
    JR_COUNTED_OWNFILE_UNCHANGED,
    JR_COUNTED_OWNFILE_REFUSED, /* it may not be read */
    JR_COUNTED_OWNFILES
};

/* How a call of etcd may end. */
#define JR_COUNTED_ENDS 3

/* What became of claims, where there are several hosts. */
enum jr_counted_claim {
    JR_COUNTED_CLAIM_TAKEN,
    JR_COUNTED_CLAIM_LOST,     /* another host has it, or was quicker */
    JR_COUNTED_CLAIM_POSTING,  /* the right to a POST was won */
    JR_COUNTED_CLAIM_LATE,     /* ... and over before it could be used */
    JR_COUNTED_CLAIM_TAKEOVER, /* from a host that does nothing */
    JR_COUNTED_CLAIM_DONE,     /* it is over, by this host */
    JR_COUNTED_CLAIMS
};

/* Nothing but numbers that only grow, each an _Atomic uint64_t. All zero at first. */
struct jr_counters {
    _Atomic uint64_t webhooks[JR_COUNTED_EVENTS][JR_COUNTED_STATUSES];
    _Atomic uint64_t webhook_reasons[JR_COUNTED_REASONS]; /* why they were answered so */
    _Atomic uint64_t verdicts[JR_COUNTED_REASONS]; /* about runs: what was recorded, by reason */
    _Atomic uint64_t calls[JR_COUNTED_CALLS][JR_COUNTED_REASONS]; /* NONE: well answered */
    _Atomic uint64_t reruns[JR_COUNTED_OUTCOMES]; /* POSTs, by enum jr_outcome */
    _Atomic uint64_t outages_begun, outages_over; /* of a cause, for which reruns were held */
    _Atomic uint64_t reports[JR_COUNTED_REPORTS]; /* written at GitHub, by enum jr_reporting_end */
    _Atomic uint64_t commands[JR_VERBS][JR_ASKED_ENDS]; /* asked for by people */
    _Atomic uint64_t rescued_runs; /* ended in success after a rerun of ours */
    _Atomic uint64_t failed_jobs[JR_COUNTED_CAUSES]; /* that were judged, by their cause */
    _Atomic uint64_t rerun_causes[JR_COUNTED_CAUSES]; /* accepted reruns, by each cause in them */
    _Atomic uint64_t rescued_causes[JR_COUNTED_CAUSES]; /* of these: the run ended in success */
    _Atomic uint64_t ownfiles[JR_COUNTED_OWNFILES];
    _Atomic uint64_t cluster_calls[JR_COUNTED_ENDS];     /* of etcd, by enum jr_etcd_end */
    _Atomic uint64_t cluster_claims[JR_COUNTED_CLAIMS];
    struct jr_histogram cluster_us; /* a call of etcd, with all its tries */
    struct jr_histogram webhook_us; /* from a webhook's arrival to its answer */
    struct jr_histogram commit_us;  /* a transaction's commit, without the wait for the lock */
};

/*
 * Count an answered webhook. counters may be NULL, here and below: nothing is
 * counted then.
 *   event  as X-GitHub-Event has it; NULL: it is missing
 */
void jr_count_webhook(struct jr_counters *counters, const char *event, int status,
                      enum jr_reason reason, int64_t duration_us);

/* Count a verdict about a run, after it is on disk; NONE is none. */
void jr_count_verdict(struct jr_counters *counters, enum jr_reason reason);

/* Count a failed job that was judged, after that is on disk. */
void jr_count_failed_job(struct jr_counters *counters, enum jr_cause cause);

/*
 * Count a rerun that was accepted, and one that rescued its run, after that is on disk: once
 * for each cause that a failed job of it had.
 *   rerun, rescued  bit n is enum jr_cause n; 0: none, or there was no rerun
 */
void jr_count_causes(struct jr_counters *counters, uint64_t rerun, uint64_t rescued);

/* Count that reruns for a cause are held from now on, that they no longer are, or both. */
void jr_count_outage(struct jr_counters *counters, bool begun, bool over);

/* Count what GitHub told of a repository's policy file, after that is on disk. */
void jr_count_ownfile(struct jr_counters *counters, enum jr_counted_ownfile told);

/* Count a call of etcd: won, lost or unknown (enum jr_etcd_end); and what became of a claim. */
void jr_count_cluster_call(struct jr_counters *counters, unsigned end, int64_t duration_us);
void jr_count_claim(struct jr_counters *counters, enum jr_counted_claim what);

/* Count a call of GitHub's API, and what came of it if it asked for a rerun. */
void jr_count_call(struct jr_counters *counters, const struct jr_call *call);

/*
 * What one process can have counted at most, or waited in microseconds, in this
 * program's life: 35 years. What it says beyond that it was made to say.
 */
#define JR_COUNT_MOST (UINT64_C(1) << 50)

/* Add one process's counters to a sum, which is the caller's own; each as JR_COUNT_MOST at most. */
void jr_counters_add(struct jr_counters *sum, const struct jr_counters *counters);

/* Bring a sum that another process tells into its range: no addition of it overflows. */
void jr_counters_bound(struct jr_counters *sum);

/* The words of the closed sets, for label values; static. */
const char *jr_counted_event_name(enum jr_counted_event event);
const char *jr_counted_end_name(size_t end);
const char *jr_counted_claim_name(enum jr_counted_claim what);
const char *jr_counted_call_name(enum jr_api api);
const char *jr_counted_ownfile_name(enum jr_counted_ownfile told);

/* The HTTP status that stands at an index below JR_COUNTED_STATUSES; 0, at the last: any other. */
int jr_counted_status(size_t index);

#endif
