/*
 * reporting -- the steps by which it is said at GitHub what becomes of runs, each one transaction.
 *
 * For one due entry: claim, look whether what is to be changed is there already, begin (the
 * intent is on disk, and it is counted), write, settle. Who dies between finds the entry due, and
 * looks before something is made anew; so there is one check run for a run, and one comment for a
 * pull request.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPORTING_H
#define JR_REPORTING_H

#include "lib/config/settings.h"
#include "lib/github/checkrun.h"
#include "lib/github/github.h"
#include "lib/model/call.h"
#include "lib/model/report.h"
#include "lib/model/reporttext.h"
#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* After so many tries in vain nothing is begun any more; a check run that there is, is tried to
 * be completed for so long. */
#define JR_REPORTING_TRIES 8
#define JR_REPORTING_LONGEST_MS JR_DAY_MS

/* How long a refusal is believed. */
#define JR_REPORTING_REFUSED_MS JR_HOUR_MS

enum jr_reporting_act {
    JR_REPORTING_REST,     /* there is nothing to be written: it is to be settled */
    JR_REPORTING_ASK_PULL, /* GitHub is to be asked for the run: which pull request is it of? */
    JR_REPORTING_MAKE,     /* it is to be looked for, and made unless it is there */
    JR_REPORTING_SET       /* it is there, and to be changed */
};

/* One report in hand. All zero: none. */
struct jr_reporting_work {
    enum jr_reporting_act act;
    bool is_check; /* else it is a comment */
    bool closing;  /* what is there is changed for the last time; it is not made anew */
    bool has_buttons; /* people may ask for something by those of a check run */
    struct jr_run run;
    struct jr_report report; /* as claimed */
    struct jr_thread thread; /* of a comment, likewise */
    char name[JR_CHECK_NAME_SIZE];
    char external_id[24];
    char url[JR_URL_SIZE];
    struct jr_report_standing standing;
    struct jr_buffer text;
    uint64_t hash; /* of what it says, but for times */
};

void jr_reporting_release(struct jr_reporting_work *work);

/*
 * Claim the entry that is due first.
 *   due_ms  out, on JR_ENOENT: when the first is due; 0: there is none
 *   work    out: to be released
 * Returns JR_OK, JR_ENOENT when nothing is due, JR_EFORMAT when its run cannot be read: the entry
 * is taken out then; or what failed.
 */
enum jr_err jr_reporting_claim(struct jr_store *store, const struct jr_settings *settings,
                               int64_t now_ms, struct jr_reporting_work *work, int64_t *due_ms,
                               struct jr_error *error) JR_CHECKED;

/*
 * Have all that waits looked at now, but for what fails: once after the start, where check runs
 * are made no longer, so that those that are open are completed.
 */
enum jr_err jr_reporting_hasten(struct jr_store *store, int64_t now_ms,
                                struct jr_error *error) JR_CHECKED;

/* The body of the request. Owned by the caller, free(); NULL: no memory. */
char *jr_reporting_json(const struct jr_reporting_work *work, bool is_new);

/*
 * Begin to write it: it is counted, and of something new the intent is recorded.
 *   wait_ms  out: how long nothing may be written; 0: go ahead
 * Returns JR_EBUSY when it has changed since it was claimed.
 */
enum jr_err jr_reporting_begin(struct jr_store *store, struct jr_reporting_work *work,
                               bool is_new, int64_t now_ms, int64_t *wait_ms,
                               struct jr_error *error) JR_CHECKED;

/* Record which pull request the run is of, or (0) that it is of none here. It stays due. */
enum jr_err jr_reporting_note_pull(struct jr_store *store, const struct jr_reporting_work *work,
                                   uint64_t pull_request, int64_t now_ms,
                                   struct jr_error *error) JR_CHECKED;

/*
 * Add what is said of a run, for elsewhere: a heading with its workflow, and the text. Inside the
 * caller's transaction; what fails, fails it.
 *   most  bytes of the text, at least 2,000
 */
void jr_reporting_tell(struct jr_txn *txn, const struct jr_settings *settings,
                       const struct jr_run *run, size_t most, struct jr_buffer *buffer);

/* What came of writing it, in short. */
enum jr_reporting_end {
    JR_REPORTING_WRITTEN,
    JR_REPORTING_UNCHANGED, /* there was nothing to be written */
    JR_REPORTING_PUT_OFF,   /* it is tried again */
    JR_REPORTING_GIVEN_UP
};

/*
 * Settle it.
 *   call  what came of the last call; NULL: none was made, and nothing is to be written
 *   id    of what was made or found; 0: of none
 *   end   out
 */
struct jr_reporting_result {
    const struct jr_call *call;
    uint64_t id;
    bool is_written; /* the call was the one that writes it */
    bool is_absent;  /* it was looked for, and is not there */
    bool was_new;
};
enum jr_err jr_reporting_settle(struct jr_store *store, const struct jr_settings *settings,
                                const struct jr_reporting_work *work,
                                const struct jr_reporting_result *result, int64_t now_ms,
                                enum jr_reporting_end *end, struct jr_error *error) JR_CHECKED;

/* "written" ... */
const char *jr_reporting_end_name(enum jr_reporting_end end);

/* How long until the next try, after so many in vain, at least 1. */
int64_t jr_reporting_backoff_ms(const struct jr_settings *settings, uint32_t tries);

/* Put it off: nothing was asked. */
enum jr_err jr_reporting_postpone(struct jr_store *store, const struct jr_reporting_work *work,
                                  int64_t due_ms, struct jr_error *error) JR_CHECKED;

#endif
