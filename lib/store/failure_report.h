/*
 * failure_report -- what the failures of some time come to: by cause, by signature, and, of
 * those whose cause is not known, by the line that tells best what went wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FAILURE_REPORT_H
#define JR_FAILURE_REPORT_H

#include "lib/model/finding.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is counted of failures with something in common. */
struct jr_report_row {
    enum jr_cause cause;
    char signature[JR_SIGNATURE_ID_SIZE]; /* empty: known by none, or of all signatures */
    uint64_t jobs;    /* that failed */
    uint64_t reruns;  /* of these, how many were rerun here */
    uint64_t rescued; /* of the reruns: how many then succeeded */
    uint64_t again;   /* and how many failed again; the others have not come out */
    int64_t minutes;  /* that these jobs ran in those reruns; see jr_failures_aftermath() */
    uint64_t green;   /* runs of which the rerun is the newest attempt, and has succeeded */
    uint64_t last_green; /* the run that was counted last */
};

/* How many runs of a group are named: the newest. */
#define JR_REPORT_RUNS 20

/* Failures without a cause that have the same line. */
struct jr_report_group {
    char key[JR_LINE_KEY_SIZE];       /* jr_failure_key(); empty: they have no line */
    char line[JR_EVIDENCE_LINE_SIZE]; /* of the newest, as it was, cut */
    uint64_t jobs;
    int64_t last_ms;                  /* when the newest was recorded */
    uint64_t run_ids[JR_REPORT_RUNS]; /* each once, the newest first */
    size_t run_count;
};

/* More lines are not told apart. */
#define JR_REPORT_GROUPS_MAX 5000

/* All zero at first. In each list the most jobs stand first; of signatures, in each cause. */
struct jr_report {
    struct jr_report_row causes[JR_CAUSES];
    size_t cause_count;
    struct jr_report_row *signatures; /* those of a cause stand together; owned */
    size_t signature_count, signature_size;
    struct jr_report_group *groups; /* owned */
    size_t group_count, group_size;
    uint64_t ungrouped; /* failures whose lines are over JR_REPORT_GROUPS_MAX */
    int64_t from_ms; /* since when failures were read */
    bool whole;      /* those are all that were asked for */
};

/*
 * Read what was recorded since then, in a short read transaction for every 200 failures. A
 * failure that cannot be read, or whose run cannot, is passed over.
 * Returns JR_OK, JR_ENOMEM or what failed. report is the caller's to release in any case.
 */
enum jr_err jr_report_read(struct jr_store *store, int64_t since_ms, struct jr_report *report,
                           struct jr_error *error) JR_CHECKED;

/* Which failures are wanted. */
struct jr_report_filter {
    int64_t since_ms;
    const char *repo; /* of which repositories, a pattern, see jr_text_match(); NULL: of all */
    size_t most;      /* of all repositories, the newest; some more that were recorded in the same
                       * moment, or meanwhile. 0: all */
};

/* The same, of some: for who wants an answer soon. */
enum jr_err jr_report_read_some(struct jr_store *store, const struct jr_report_filter *filter,
                                struct jr_report *report, struct jr_error *error) JR_CHECKED;

void jr_report_release(struct jr_report *report);

#endif
