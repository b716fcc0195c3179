/*
 * reports -- what was said about runs at GitHub, in the store; and how much was said of late.
 *
 * The report of a run stands with it, and goes with it. Its entry of the outbox (JR_DUE_REPORT)
 * is there exactly while due_ms is not 0: while there is something to be written, and for as long
 * as a check run is not completed.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPORTS_H
#define JR_REPORTS_H

#include "lib/base/timestamp.h"
#include "lib/model/report.h"
#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* So long after a change it is written, so that many changes are written once. */
#define JR_REPORTS_SETTLE_MS (3 * JR_SECOND_MS)

/* How often a check run that is not completed is looked at, though nothing has changed. */
#define JR_REPORTS_LOOK_MS JR_HOUR_MS

/*
 * How many are written at most. GitHub allows 80 "content-generating requests per minute" and 500
 * per hour.
 * Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
#define JR_REPORTS_A_MINUTE 60
#define JR_REPORTS_AN_HOUR 400

/* Load that of a run; all zero where there is none, or a damaged one. */
void jr_reports_load(struct jr_txn *txn, uint64_t run_id, struct jr_report *report);

/*
 * Save one, and keep its entry in step.
 *   due_ms  when it is looked at next; 0: when something changes
 */
void jr_reports_save(struct jr_txn *txn, uint64_t run_id, struct jr_report *report,
                     int64_t due_ms);

/* A step has changed a run, which is saved: is there something to be said of that soon? */
void jr_reports_note(struct jr_txn *txn, const struct jr_run *run, int64_t now_ms);

/*
 * Walk the entries in due order.
 *   due_ms, run_id  in: of the one before, 0 and 0 at first; out: of the next
 * Returns whether there is one.
 */
bool jr_reports_next(struct jr_txn *txn, int64_t *due_ms, uint64_t *run_id);

/* Take out an entry whose run or report cannot be read. */
void jr_reports_drop(struct jr_txn *txn, int64_t due_ms, uint64_t run_id);

/* How many entries are due by a time; no more than `most' are looked at. */
unsigned jr_reports_waiting(struct jr_txn *txn, int64_t by_ms, unsigned most);

/* How long to wait from one to the next: "Wait at least one second between each" (docs, "Best
 * practices for using the REST API"). */
int64_t jr_reports_interval_ms(void);

/* How long until one more may be written, in ms; 0: now. It is counted by the other. */
int64_t jr_reports_wait_ms(struct jr_txn *txn, int64_t now_ms);
void jr_reports_count(struct jr_txn *txn, int64_t now_ms);

#endif
