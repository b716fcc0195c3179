/*
 * holding -- reruns that are held while many runs fail for the same kind of cause: when that
 * begins, who is the probe, what came of it, and who goes ahead in turn.
 *
 * The rules are lib/rules/surge.h and lib/rules/causehold.h; here each transition is part of a
 * transaction. A run that is held is due far ahead (JR_CAUSEHOLD_LOOK_MS), and jr_holding_work()
 * makes it due at once when its turn comes. It becomes the probe, or counts as released, in the
 * transaction that records the intent of its rerun, and not before: so nothing is counted that
 * does not happen, whenever a process dies.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HOLDING_H
#define JR_HOLDING_H

#include "lib/model/run.h"
#include "lib/rules/causehold.h"
#include "lib/rules/input.h"
#include "lib/rules/policy.h"
#include "lib/store/causeholds.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * An attempt was judged, and its failures are recorded in this transaction: is it one too many?
 * Then reruns for these causes are held from now on.
 *   policy   by which it was judged; nothing is looked at where it has no outage for the run
 *   attempt  that was judged
 */
void jr_holding_note(struct jr_txn *txn, const struct jr_policy *policy, const struct jr_run *run,
                     uint32_t attempt, int64_t now_ms);

/* What another host holds is looked at again after so long: nobody sends it ahead. */
#define JR_HOLDING_ELSEWHERE_MS JR_MINUTE_MS

/*
 * May a run that was judged go ahead, as far as this is concerned? One asked for by hand may.
 *   repo    its name, as it is by now
 *   elsewhere  the causes for which another host holds reruns, for all hosts; 0: there is none
 *   causes  out: the causes that are held or released, and let it pass: for jr_holding_pass()
 * Returns what holds it; no reason: nothing.
 */
struct jr_hold jr_holding_ask(struct jr_txn *txn, const struct jr_policy *policy,
                              const struct jr_run *run, const char *repo, jr_causes elsewhere,
                              int64_t now_ms, jr_causes *causes);

/* Another host has found that it is over for these causes: those that wait go ahead in turn. */
enum jr_err jr_holding_release(struct jr_store *store, jr_causes causes, int64_t now_ms,
                               struct jr_error *error) JR_CHECKED;

/* The intent of its rerun is recorded in this transaction. */
void jr_holding_pass(struct jr_txn *txn, const struct jr_run *run, jr_causes causes,
                     int64_t now_ms);

/* What jr_holding_work() has done. */
struct jr_holding_work {
    struct jr_causeholds news; /* those of which there is something to tell (causehold.h) */
    jr_causes held, in_force;  /* the causes that are held now; and those that are released, too */
    unsigned sent;             /* how many runs were made due */
};

/*
 * Go on with what is held: see what came of the probes, and make those due whose turn it is. What
 * there is to tell counts as told from now on. Nothing is written when there is nothing to do.
 *   policy     in force; without any outage, nothing is held any longer
 *   notify_on  bits of enum jr_notice_kind: of what there is to be a notice
 * Returns JR_OK or what failed.
 */
enum jr_err jr_holding_work(struct jr_store *store, const struct jr_policy *policy,
                            unsigned notify_on, int64_t now_ms, struct jr_holding_work *work,
                            struct jr_error *error) JR_CHECKED;

/* The whole of it, for who shows it. */
struct jr_holdings {
    struct jr_causeholds holds;
    uint64_t waiting[JR_CAUSES]; /* runs that were judged and wait, by each cause in force */
    uint64_t runs;               /* all of them together */
};

/* Read it. Returns JR_OK or what failed. */
enum jr_err jr_holding_read(struct jr_store *store, int64_t now_ms, struct jr_holdings *holdings,
                            struct jr_error *error) JR_CHECKED;

/*
 * The causes in force that a run is held for: bit n is enum jr_cause n. None for a run that
 * was not judged, or does not wait.
 * Returns JR_OK or what failed.
 */
enum jr_err jr_holding_of_run(struct jr_store *store, const struct jr_run *run, int64_t now_ms,
                              struct jr_causeholds *holds, jr_causes *causes,
                              struct jr_error *error) JR_CHECKED;

/*
 * How it goes, in words: "reruns for registry are held since ...: 12 runs of 3 workflows failed
 * for causes of its kind; next probe at ...". Empty for a free one. Returns the buffer.
 */
#define JR_HOLDING_WORDS_SIZE 512
char *jr_holding_words(const struct jr_causehold *hold, char buffer[JR_HOLDING_WORDS_SIZE]);

#endif
