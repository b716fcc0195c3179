/*
 * complaining -- the steps by which the author of a broken policy file is told of it at GitHub, by
 * a check run of the commit that broke it; each one transaction.
 *
 * For one complaint: claim, ask GitHub which commit has changed the file last and how the file is
 * there, look whether the check run is there already, begin (it is counted), write, settle. Each
 * time it is looked for before it is made, so that there is one for a commit, whoever dies between.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COMPLAINING_H
#define JR_COMPLAINING_H

#include "lib/config/settings.h"
#include "lib/github/github.h"
#include "lib/model/call.h"
#include "lib/steps/reporting.h"
#include "lib/store/complaints.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What the check run is called, and by which it is found again among those of its commit. */
#define JR_COMPLAINING_NAME "job-rerunner / policy"
#define JR_COMPLAINING_ID "policy"

/* One in hand. All zero: none. */
struct jr_complaining {
    uint64_t scope; /* the repository's number */
    struct jr_complaint complaint; /* as claimed */
    bool has_good; /* a version without a mistake counts meanwhile; else the centre's alone */
};

/* Are the authors of broken files to be told, by the settings? */
bool jr_complaining_is_on(const struct jr_settings *settings);

/*
 * Claim the one that is due first.
 *   due_ms  out, on JR_ENOENT: when the first is due; 0: there is none
 * Returns JR_OK; JR_ENOENT when none is due; JR_EFORMAT when it cannot be read: its entry is taken
 * out then; or what failed.
 */
enum jr_err jr_complaining_claim(struct jr_store *store, int64_t now_ms,
                                 struct jr_complaining *work, int64_t *due_ms,
                                 struct jr_error *error) JR_CHECKED;

/*
 * The body of the request that makes the check run of a commit. Owned by the caller, free().
 *   text  of the file there, NULL: it is no file that can be read
 *   json  out; NULL: there is nothing wrong with the file
 * Returns JR_OK or JR_ENOMEM.
 */
enum jr_err jr_complaining_json(const struct jr_complaining *work,
                                const struct jr_settings *settings, const char *sha,
                                const struct jr_github_file *file, char **json) JR_CHECKED;

/*
 * Begin to write at GitHub: it is counted among the reports (reports.h).
 *   wait_ms  out: how long nothing may be written; 0: go ahead
 */
enum jr_err jr_complaining_begin(struct jr_store *store, int64_t now_ms, int64_t *wait_ms,
                                 struct jr_error *error) JR_CHECKED;

/*
 * Settle it.
 *   call  the one that has failed, or that wrote it; NULL: nothing is to be written
 *   end   out: what came of it
 */
enum jr_err jr_complaining_settle(struct jr_store *store, const struct jr_settings *settings,
                                  const struct jr_complaining *work, const struct jr_call *call,
                                  int64_t now_ms, enum jr_reporting_end *end,
                                  struct jr_error *error) JR_CHECKED;

/* Put it off: nothing was asked. */
enum jr_err jr_complaining_postpone(struct jr_store *store, const struct jr_complaining *work,
                                    int64_t due_ms, struct jr_error *error) JR_CHECKED;

#endif
