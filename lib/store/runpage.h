/*
 * runpage -- runs for a page, by what somebody wants to see, and what needs a person.
 *
 * Runs are in the order of their ids, the greatest first: GitHub counts them as it makes them.
 * Ids never change. So whoever goes from page to page misses nothing and sees nothing twice,
 * whatever is written meanwhile; only a run that changes its part may be seen in two, or in none.
 *
 * A page reads JR_RUNPAGE_LOOKS runs at most, in short read transactions, and by the list that
 * is the shortest way: of a cause, of a repository, of a time that has few runs. Runs that an
 * older version has recorded come into these lists when they are saved, or when upkeep has come
 * by (jr_ledger_list()).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNPAGE_H
#define JR_RUNPAGE_H

#include "lib/model/cause.h"
#include "lib/model/finding.h"
#include "lib/model/run.h"
#include "lib/model/standing.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs that one page reads at most. */
#define JR_RUNPAGE_LOOKS 5000

#define JR_RUNPAGE_ANY (-1)
#define JR_RUNPAGE_SIZE_MAX 500

/* Which runs are wanted. */
struct jr_runpage_filter {
    char repo[JR_REPO_SIZE];       /* a pattern, see jr_text_match(); empty: all. One without a
                                    * wildcard is found by a list */
    char workflow[JR_NAME_SIZE];   /* likewise, of its name, path or file; empty: all */
    char branch[JR_NAME_SIZE];     /* likewise */
    int conclusion;                /* enum jr_conclusion, see jr_run_conclusion(); or ANY */
    int reason;                    /* enum jr_reason, see jr_standing_reason(); or ANY */
    char verdict[32];              /* the word of jr_standing_of(); empty: all */
    enum jr_cause cause;           /* one of its failures has it; NONE: all */
    char signature[JR_SIGNATURE_ID_SIZE]; /* ... and is known by this one; empty: all */
    int64_t since_ms;              /* with an event since then; 0: all */
    const struct jr_pauses *pauses; /* those in force, for `reason'; NULL: there are none */
    bool plain;                    /* all runs alike: none first */
};

/*
 * Where a page begins; all zero: at the start. In part 0 are runs that ended badly and need a
 * person, in part 1 those that ended badly and wait (jr_standing_need()), in part 2 the others.
 */
struct jr_runpage_place {
    unsigned part;   /* 0 to 2; 0 if the filter is plain */
    uint64_t run_id; /* behind this one; 0: at the start of the part */
};

struct jr_runpage_row {
    struct jr_run run; /* with its jobs_conclusion, see listing.h */
    enum jr_need need;
    enum jr_cause cause; /* of its newest failure that is recorded; NONE: there is none */
    uint64_t job_id;     /* of that */
};

struct jr_runpage {
    size_t count;                 /* rows that were found */
    struct jr_runpage_place next; /* where to go on */
    bool ended;                   /* nothing more comes */
    bool cut;                     /* more runs would have to be read than a page may */
    unsigned looks;               /* how many were */
};

/*
 * Read a page.
 *   place  where to begin
 *   rows   out: the caller's, room for `size' (1 to JR_RUNPAGE_SIZE_MAX)
 *   page   out: how many were found, and where the next one begins
 * Returns JR_OK; JR_EINVAL for a place that is none; JR_ENOMEM, or what failed.
 */
enum jr_err jr_runpage_read(struct jr_store *store, const struct jr_runpage_filter *filter,
                            const struct jr_runpage_place *place, struct jr_runpage_row *rows,
                            size_t size, struct jr_runpage *page,
                            struct jr_error *error) JR_CHECKED;

/* Runs that jr_needy_read() looks at: the newest of those that need a person. */
#define JR_NEEDY_LOOKS 200

#define JR_NEEDY_NEWEST 10

/* What needs a person. */
struct jr_needy {
    uint32_t counts[JR_NEEDS]; /* none waits */
    uint32_t all;              /* together */
    bool whole;                /* false: of JR_NEEDY_LOOKS runs, and there are more */
    struct jr_runpage_row newest[JR_NEEDY_NEWEST];
    size_t newest_count;
};

/* Read which runs need a person, of those whose history has an entry since then. */
enum jr_err jr_needy_read(struct jr_store *store, int64_t since_ms, struct jr_needy *needy,
                          struct jr_error *error) JR_CHECKED;

#endif
