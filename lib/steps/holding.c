/*
 * holding -- reruns that are held while many runs fail for the same kind of cause.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/holding.h"
#include "lib/base/say.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/surge.h"
#include "lib/store/failures.h"
#include "lib/store/flaky.h"
#include "lib/store/ledger.h"
#include "lib/store/notices.h"
#include "lib/store/pause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(cause) (UINT64_C(1) << (cause))

/* Failures that are looked at for a surge, and entries of the outbox for who waits. */
#define FAILURES_LOOKS 2000
#define OUTBOX_LOOKS 20000

/* So many are made due in one transaction. */
#define SENT_MOST 64

/* One that was made due, and is not rerun after so long, has lost its turn to another. */
#define TURN_MS (15 * JR_SECOND_MS)

/* A number for texts: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t add_text(uint64_t number, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        number = (number ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return (number ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t number_of(const char *one, size_t length, const char *other)
{
    return add_text(add_text(UINT64_C(0xcbf29ce484222325), one, length), other, strlen(other));
}

/* A hosted runner is a machine made for the job: it is not known by its name. */
static uint64_t runner_of(const struct jr_run *run, const struct jr_failure *failure)
{
    if (*failure->runner == '\0' || jr_flaky_is_hosted(failure->runner))
        return 0;
    return number_of(run->repo, strcspn(run->repo, "/"), failure->runner);
}

static int64_t failed_ms(const struct jr_failure *failure)
{
    return failure->completed_ms != 0 ? failure->completed_ms : failure->recorded_ms;
}

static bool has_outage(const struct jr_policy *policy, const char *repo,
                       struct jr_policy_part *part)
{
    jr_policy_for(policy, repo, part);
    return part->outage.runs > 0;
}

/* What a surge is looked for among. */
struct search {
    const struct jr_policy *policy;
    const struct jr_outage_rule *rule;
    const struct jr_causeholds *holds;
    jr_causes family;
    int64_t around_ms; /* when the failure happened that may be one too many */
    int64_t now_ms;
};

/* Does a failure tell something about the time around it that is not over yet? */
static bool is_sign(const struct search *search, const struct jr_failure *failure)
{
    const struct jr_causehold *hold = jr_causeholds_find(search->holds, failure->finding.cause);
    int64_t at_ms = failed_ms(failure), away_ms = at_ms - search->around_ms;

    return failure->counts && (search->family & BIT(failure->finding.cause)) != 0
           && away_ms <= search->rule->within_ms && -away_ms <= search->rule->within_ms
           && (hold == NULL || at_ms > jr_causehold_after_ms(hold));
}

/*
 * Gather the signs, the newest first: of so many failures that not all are looked at, these tell
 * what goes on. A failure is recorded after it has happened, but for a clock that was set back:
 * then before.
 */
static size_t gather(struct jr_txn *txn, const struct search *search, struct jr_surge_sign *signs)
{
    int64_t since_ms = jr_earlier_of(search->around_ms, search->now_ms) - search->rule->within_ms;
    struct jr_failures_place place = { .run_id = 0 };
    struct jr_policy_part part;
    struct jr_failure failure;
    struct jr_run run;
    size_t count = 0;
    uint64_t run_id;

    for (unsigned looks = 0; looks < FAILURES_LOOKS && count < JR_SURGE_SIGNS_MAX
                             && jr_failures_back_to(txn, since_ms, &place, &run_id, &failure);
         looks++) {
        if (!is_sign(search, &failure) || !jr_ledger_read_run(txn, run_id, &run)
            || !has_outage(search->policy, run.repo, &part))
            continue;
        signs[count++] = (struct jr_surge_sign){
            .at_ms = failed_ms(&failure),
            .run_id = run_id,
            .workflow = number_of(run.repo, strlen(run.repo), jr_run_workflow(&run)),
            .runner = runner_of(&run, &failure),
            .cause = failure.finding.cause,
        };
    }
    return count;
}

/* Hold reruns for the causes of a surge, if there is one. */
static void look_for_surge(struct jr_txn *txn, const struct search *search)
{
    struct jr_surge_sign *signs = calloc(JR_SURGE_SIGNS_MAX, sizeof *signs);
    struct jr_causehold hold;
    struct jr_surge surge;

    if (signs == NULL) {
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
        return;
    }
    surge = jr_surge_find(search->rule, signs, gather(txn, search, signs));
    free(signs);
    for (unsigned cause = 0; cause < JR_CAUSES; cause++) {
        if ((surge.causes & BIT(cause)) == 0)
            continue;
        jr_causehold_load(txn, (enum jr_cause)cause, search->now_ms, &hold);
        jr_causehold_begin(&hold, search->rule, &surge, search->now_ms);
        jr_causehold_save(txn, &hold);
    }
}

static bool is_held(const struct jr_causeholds *holds, enum jr_cause cause)
{
    const struct jr_causehold *hold = jr_causeholds_find(holds, cause);

    return hold != NULL && hold->phase == JR_CAUSEHOLD_HELD;
}

void jr_holding_note(struct jr_txn *txn, const struct jr_policy *policy, const struct jr_run *run,
                     uint32_t attempt, int64_t now_ms)
{
    struct jr_failure failure = { .job_id = 0 };
    struct jr_causeholds holds = { .count = 0 };
    struct jr_policy_part part;
    struct search search = { policy, &part.outage, &holds, 0, 0, now_ms };
    jr_causes looked = 0;

    if (!has_outage(policy, run->repo, &part))
        return;
    while (jr_failures_next(txn, run->run_id, failure.job_id, &failure)) {
        enum jr_cause cause = failure.finding.cause;

        if (failure.attempt != attempt || !failure.counts
            || !jr_cause_is_infrastructural(cause) || (looked & BIT(cause)) != 0)
            continue;
        looked |= BIT(cause);
        jr_causeholds_load(txn, now_ms, &holds);
        search.family = jr_surge_family(cause);
        search.around_ms = failed_ms(&failure);
        if (!is_held(&holds, cause))
            look_for_surge(txn, &search);
    }
}

struct jr_hold jr_holding_ask(struct jr_txn *txn, const struct jr_policy *policy,
                              const struct jr_run *run, const char *repo, jr_causes elsewhere,
                              int64_t now_ms, jr_causes *causes)
{
    const struct jr_hold nothing = { JR_REASON_NONE, 0 };
    struct jr_policy_part part;
    struct jr_causeholds holds;
    jr_causes asked, failed;

    *causes = 0;
    if (run->by_hand || run->judged_attempt != run->attempt || !has_outage(policy, repo, &part))
        return nothing;
    jr_causeholds_load(txn, now_ms, &holds);
    asked = jr_causeholds_in_force(&holds);
    failed = (asked | elsewhere) == 0 ? 0 : jr_failures_causes(txn, run->run_id, run->attempt);
    asked &= failed;
    if ((elsewhere & failed & ~asked) != 0)
        return (struct jr_hold){ JR_REASON_OUTAGE_HOLD,
                                 now_ms + jr_test_scaled_ms(JR_HOLDING_ELSEWHERE_MS) };
    for (size_t i = 0; i < holds.count; i++)
        if ((asked & BIT(holds.items[i].cause)) != 0
            && !jr_causehold_passes(&holds.items[i], run->run_id, run->attempt, now_ms))
            return (struct jr_hold){ JR_REASON_OUTAGE_HOLD, now_ms + JR_CAUSEHOLD_LOOK_MS };
    *causes = asked;
    return nothing;
}

/* Causes that are over, and when. */
struct released {
    jr_causes causes;
    int64_t now_ms;
};

static void release(struct jr_txn *txn, void *context)
{
    const struct released *released = context;
    struct jr_causehold hold;

    for (unsigned cause = 0; cause < JR_CAUSES; cause++) {
        if ((released->causes & BIT(cause)) == 0)
            continue;
        jr_causehold_load(txn, (enum jr_cause)cause, released->now_ms, &hold);
        if (hold.phase != JR_CAUSEHOLD_HELD)
            continue;
        jr_causehold_lift(&hold, JR_CAUSEHOLD_PROBED, NULL, released->now_ms);
        jr_causehold_save(txn, &hold);
    }
}

enum jr_err jr_holding_release(struct jr_store *store, jr_causes causes, int64_t now_ms,
                               struct jr_error *error)
{
    struct released released = { causes, now_ms };

    return jr_store_write(store, release, &released, error);
}

void jr_holding_pass(struct jr_txn *txn, const struct jr_run *run, jr_causes causes,
                     int64_t now_ms)
{
    struct jr_causehold hold;

    for (unsigned cause = 0; cause < JR_CAUSES; cause++) {
        if ((causes & BIT(cause)) == 0)
            continue;
        jr_causehold_load(txn, (enum jr_cause)cause, now_ms, &hold);
        jr_causehold_pass(&hold, run->run_id, run->attempt, now_ms);
        jr_causehold_save(txn, &hold);
    }
}

/*
 * What the jobs of a probe that had failed for the cause came to in its next attempt. Who began
 * that does not matter: its events may come before it is recorded that our POST did.
 */
static enum jr_aftermath look_at_jobs(struct jr_txn *txn, const struct jr_causehold *hold,
                                      const struct jr_run *run)
{
    enum jr_aftermath worst = JR_AFTER_RESCUED;
    struct jr_failure failure = { .job_id = 0 };

    while (jr_failures_next(txn, run->run_id, failure.job_id, &failure)) {
        enum jr_aftermath aftermath;

        if (failure.attempt != hold->probe_attempt || !failure.counts
            || failure.finding.cause != hold->cause)
            continue;
        aftermath = jr_failures_in_next(txn, run, &failure, NULL);
        if (aftermath == JR_AFTER_FAILED)
            return aftermath;
        if (aftermath == JR_AFTER_UNDER_WAY)
            worst = aftermath;
    }
    return worst;
}

/* Its next attempt failed, too: for a cause of the same family? */
static enum jr_causehold_outcome look_at_causes(struct jr_txn *txn,
                                                const struct jr_causehold *hold,
                                                const struct jr_run *run)
{
    uint32_t attempt = hold->probe_attempt + 1;
    jr_causes causes = jr_failures_causes(txn, run->run_id, attempt);

    if (causes != 0)
        return (causes & jr_surge_family(hold->cause)) != 0 ? JR_PROBE_FAILED
                                                            : JR_PROBE_SUCCEEDED;
    return run->attempt == attempt && run->phase != JR_PHASE_CLOSED ? JR_PROBE_UNDER_WAY
                                                                    : JR_PROBE_FAILED;
}

/* The run is at a later attempt than the one that was rerun as a probe. */
static enum jr_causehold_outcome look_at_next(struct jr_txn *txn, const struct jr_causehold *hold,
                                              const struct jr_run *run)
{
    bool is_next = run->attempt == hold->probe_attempt + 1;

    switch (look_at_jobs(txn, hold, run)) {
    case JR_AFTER_RESCUED:
        return JR_PROBE_SUCCEEDED;
    case JR_AFTER_FAILED:
        return look_at_causes(txn, hold, run);
    case JR_AFTER_UNDER_WAY:
        if (is_next && jr_run_result(run) == JR_RESULT_FAILED)
            return look_at_causes(txn, hold, run);
        return is_next && !run->complete ? JR_PROBE_UNDER_WAY : JR_PROBE_LOST;
    case JR_AFTER_NOT_RERUN:
        break;
    }
    return JR_PROBE_LOST;
}

static enum jr_causehold_outcome look_at_probe(struct jr_txn *txn, const struct jr_causehold *hold)
{
    struct jr_run run;

    if (!jr_ledger_read_run(txn, hold->probe_run_id, &run) || !run.known)
        return JR_PROBE_LOST;
    if (run.attempt > hold->probe_attempt)
        return look_at_next(txn, hold, &run);
    return run.attempt == hold->probe_attempt && run.phase == JR_PHASE_DUE ? JR_PROBE_UNDER_WAY
                                                                           : JR_PROBE_LOST;
}

/* An entry of the outbox. */
struct place {
    int64_t due_ms;
    uint64_t run_id;
};

/* Who waits, as the outbox is walked in due order, and who is to go ahead. */
struct walk {
    const struct jr_causeholds *holds;
    jr_causes in_force;
    struct jr_pauses pauses;
    int64_t now_ms;
    uint32_t room[JR_CAUSES];    /* how many more may go */
    uint64_t waiting[JR_CAUSES], runs;
    bool whole;                  /* all entries were looked at */
    struct place sent[SENT_MOST];
    size_t sent_count;
};

/* Is it on its way already? Then it takes up room. */
static bool is_in_turn(const struct walk *walk, const struct jr_run *run)
{
    return run->due_ms <= walk->now_ms && run->due_ms > walk->now_ms - TURN_MS;
}

static bool has_room(const struct walk *walk, jr_causes causes)
{
    for (unsigned cause = 0; cause < JR_CAUSES; cause++)
        if ((causes & BIT(cause)) != 0 && walk->room[cause] == 0)
            return false;
    return true;
}

static void take_room(struct walk *walk, jr_causes causes)
{
    for (unsigned cause = 0; cause < JR_CAUSES; cause++)
        if ((causes & BIT(cause)) != 0 && walk->room[cause] > 0 && walk->room[cause] < UINT32_MAX)
            walk->room[cause]--;
}

static void count_waiting(struct walk *walk, jr_causes causes)
{
    walk->runs += causes != 0;
    for (unsigned cause = 0; cause < JR_CAUSES; cause++)
        walk->waiting[cause] += (causes & BIT(cause)) != 0;
}

static void look_at_run(struct jr_txn *txn, struct walk *walk, const struct jr_run *run)
{
    bool held = run->reason == JR_REASON_OUTAGE_HOLD;
    jr_causes causes;

    if (run->phase != JR_PHASE_DUE || run->judged_attempt != run->attempt || run->by_hand)
        return;
    causes = walk->in_force & jr_failures_causes(txn, run->run_id, run->attempt);
    count_waiting(walk, causes);
    if (!held || jr_pauses_find(&walk->pauses, run->repo) != NULL)
        return;
    if (is_in_turn(walk, run)) {
        take_room(walk, causes);
    } else if (run->due_ms > walk->now_ms && walk->sent_count < SENT_MOST
               && has_room(walk, causes)) {
        take_room(walk, causes);
        walk->sent[walk->sent_count++] = (struct place){ run->due_ms, run->run_id };
    }
}

/* Walk the outbox. */
static void walk_outbox(struct jr_txn *txn, struct walk *walk)
{
    struct place place = { 0, 0 };
    struct jr_run run;
    int64_t waiting_ms;
    unsigned looks = 0;

    walk->in_force = jr_causeholds_in_force(walk->holds);
    jr_pauses_load(txn, walk->now_ms, &walk->pauses);
    for (size_t i = 0; i < walk->holds->count; i++)
        walk->room[walk->holds->items[i].cause] = jr_causehold_room(&walk->holds->items[i],
                                                                    walk->now_ms);
    while (looks++ < OUTBOX_LOOKS
           && jr_ledger_next_due(txn, &place.due_ms, &place.run_id, &waiting_ms))
        if (jr_ledger_read_run(txn, place.run_id, &run) && run.known)
            look_at_run(txn, walk, &run);
    walk->whole = looks <= OUTBOX_LOOKS;
}

/* The work on its way: what is seen in a transaction that reads is done in one that writes. */
struct working {
    bool wanted; /* a policy asks for it */
    unsigned notify_on;
    int64_t now_ms;
    struct jr_causeholds before, holds;
    struct walk walk;
    bool walked;
    struct jr_holding_work *work;
};

static bool needs_walk(const struct working *working)
{
    for (size_t i = 0; i < working->holds.count; i++) {
        const struct jr_causehold *hold = &working->holds.items[i];

        if (hold->phase != JR_CAUSEHOLD_FREE && jr_causehold_room(hold, working->now_ms) > 0)
            return true;
    }
    return false;
}

/* The state of each as it is by now, but for who waits. */
static void look_at_states(struct jr_txn *txn, struct working *working)
{
    jr_causeholds_load(txn, working->now_ms, &working->before);
    working->holds = working->before;
    for (size_t i = 0; i < working->holds.count; i++) {
        struct jr_causehold *hold = &working->holds.items[i];

        if (hold->phase != JR_CAUSEHOLD_FREE && !working->wanted)
            jr_causehold_lift(hold, JR_CAUSEHOLD_UNWANTED, NULL, working->now_ms);
        if (hold->phase == JR_CAUSEHOLD_HELD && hold->probe_run_id != 0)
            jr_causehold_probe_is(hold, look_at_probe(txn, hold), working->now_ms);
    }
}

static void see_who_waits(struct working *working)
{
    if (!working->walked || !working->walk.whole)
        return;
    for (size_t i = 0; i < working->holds.count; i++)
        jr_causehold_waiting(&working->holds.items[i],
                             working->walk.waiting[working->holds.items[i].cause],
                             working->now_ms);
}

static void plan(struct jr_txn *txn, void *context)
{
    struct working *working = context;

    look_at_states(txn, working);
    working->walked = needs_walk(working);
    memset(&working->walk, 0, sizeof working->walk);
    working->walk.holds = &working->holds;
    working->walk.now_ms = working->now_ms;
    if (working->walked)
        walk_outbox(txn, &working->walk);
    see_who_waits(working);
}

/* Make a run due, if it still waits as it was seen. */
static bool send_ahead(struct jr_txn *txn, const struct place *place, int64_t now_ms)
{
    struct jr_run run;

    if (!jr_ledger_read_run(txn, place->run_id, &run) || !run.known
        || run.due_ms != place->due_ms || run.reason != JR_REASON_OUTAGE_HOLD)
        return false;
    run.due_ms = now_ms;
    jr_ledger_save_run(txn, &run);
    return true;
}

/* Have it told, if it is news and wanted. */
static void notify(struct jr_txn *txn, const struct working *working,
                   const struct jr_causehold *hold, enum jr_causehold_news news,
                   enum jr_notice_kind kind)
{
    struct jr_notice notice = { .kind = kind, .at_ms = working->now_ms, .causes = BIT(hold->cause) };

    if ((hold->news & (unsigned)news) != 0 && (working->notify_on & 1u << kind) != 0)
        jr_notices_add(txn, &notice);
}

/*
 * What there is to tell is handed over, and counts as told: each turn of an outage passes here
 * once, in a transaction that writes.
 */
static void hand_over(struct jr_txn *txn, struct working *working)
{
    struct jr_holding_work *work = working->work;

    for (size_t i = 0; i < working->holds.count; i++) {
        struct jr_causehold *hold = &working->holds.items[i];

        if (hold->news != 0)
            work->news.items[work->news.count++] = *hold;
        notify(txn, working, hold, JR_CAUSEHOLD_BEGINS, JR_NOTICE_OUTAGE);
        notify(txn, working, hold, JR_CAUSEHOLD_OVER, JR_NOTICE_OUTAGE_OVER);
        hold->news = 0;
        if (memcmp(hold, &working->before.items[i], sizeof *hold) != 0)
            jr_causehold_save(txn, hold);
    }
}

static void act(struct jr_txn *txn, void *context)
{
    struct working *working = context;
    struct jr_holding_work *work = working->work;

    work->news.count = 0;
    work->sent = 0;
    look_at_states(txn, working);
    see_who_waits(working);
    hand_over(txn, working);
    for (size_t i = 0; i < working->walk.sent_count; i++)
        work->sent += send_ahead(txn, &working->walk.sent[i], working->now_ms);
    jr_test_point("in-outage");
}

/* Is there anything to write? */
static bool has_work(const struct working *working)
{
    if (working->walk.sent_count > 0)
        return true;
    for (size_t i = 0; i < working->holds.count; i++)
        if (working->holds.items[i].news != 0
            || memcmp(&working->holds.items[i], &working->before.items[i],
                      sizeof working->holds.items[i]) != 0)
            return true;
    return false;
}

enum jr_err jr_holding_work(struct jr_store *store, const struct jr_policy *policy,
                            unsigned notify_on, int64_t now_ms, struct jr_holding_work *work,
                            struct jr_error *error)
{
    struct working *working = calloc(1, sizeof *working);
    enum jr_err err;

    memset(work, 0, sizeof *work);
    if (working == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    working->wanted = jr_policy_has_outage(policy);
    working->notify_on = notify_on;
    working->now_ms = now_ms;
    working->work = work;
    err = jr_store_read(store, plan, working, error);
    if (err == JR_OK && has_work(working))
        err = jr_store_write(store, act, working, error);
    work->in_force = jr_causeholds_in_force(&working->holds);
    for (size_t i = 0; i < working->holds.count; i++)
        if (working->holds.items[i].phase == JR_CAUSEHOLD_HELD)
            work->held |= BIT(working->holds.items[i].cause);
    free(working);
    return err;
}

struct reading {
    int64_t now_ms;
    struct jr_holdings *holdings;
    struct walk walk;
};

static void read_all(struct jr_txn *txn, void *context)
{
    struct reading *reading = context;
    struct jr_holdings *holdings = reading->holdings;

    jr_causeholds_load(txn, reading->now_ms, &holdings->holds);
    if (jr_causeholds_in_force(&holdings->holds) == 0)
        return;
    memset(&reading->walk, 0, sizeof reading->walk);
    reading->walk.holds = &holdings->holds;
    reading->walk.now_ms = reading->now_ms;
    walk_outbox(txn, &reading->walk);
    memcpy(holdings->waiting, reading->walk.waiting, sizeof holdings->waiting);
    holdings->runs = reading->walk.runs;
}

enum jr_err jr_holding_read(struct jr_store *store, int64_t now_ms, struct jr_holdings *holdings,
                            struct jr_error *error)
{
    struct reading *reading = calloc(1, sizeof *reading);
    enum jr_err err;

    memset(holdings, 0, sizeof *holdings);
    if (reading == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    reading->now_ms = now_ms;
    reading->holdings = holdings;
    err = jr_store_read(store, read_all, reading, error);
    free(reading);
    return err;
}

struct asking {
    const struct jr_run *run;
    int64_t now_ms;
    struct jr_causeholds *holds;
    jr_causes causes;
};

static void read_of_run(struct jr_txn *txn, void *context)
{
    struct asking *asking = context;
    const struct jr_run *run = asking->run;

    jr_causeholds_load(txn, asking->now_ms, asking->holds);
    asking->causes = jr_causeholds_in_force(asking->holds);
    if (asking->causes != 0)
        asking->causes &= jr_failures_causes(txn, run->run_id, run->attempt);
}

enum jr_err jr_holding_of_run(struct jr_store *store, const struct jr_run *run, int64_t now_ms,
                              struct jr_causeholds *holds, jr_causes *causes,
                              struct jr_error *error)
{
    struct asking asking = { run, now_ms, holds, 0 };
    enum jr_err err = JR_OK;

    holds->count = 0;
    if (run->phase == JR_PHASE_DUE && run->judged_attempt == run->attempt && !run->by_hand)
        err = jr_store_read(store, read_of_run, &asking, error);
    *causes = err == JR_OK ? asking.causes : 0;
    return err;
}

static const char *when(int64_t time_ms, char text[32])
{
    char whole[JR_TIMESTAMP_SIZE];

    snprintf(text, 32, "%.19sZ", jr_timestamp_format(time_ms, whole));
    return text;
}

/* What comes next while it is held. */
static void say_probe(const struct jr_causehold *hold, char text[128])
{
    char time[32];

    if (hold->probe_run_id != 0)
        snprintf(text, 128, "run %llu probes since %s", (unsigned long long)hold->probe_run_id,
                 when(hold->probe_ms, time));
    else
        snprintf(text, 128, "next probe from %s on", when(hold->next_probe_ms, time));
}

char *jr_holding_words(const struct jr_causehold *hold, char buffer[JR_HOLDING_WORDS_SIZE])
{
    const char *cause = jr_cause_name(hold->cause);
    char since[32], probe[128];

    *buffer = '\0';
    if (hold->phase == JR_CAUSEHOLD_HELD) {
        say_probe(hold, probe);
        snprintf(buffer, JR_HOLDING_WORDS_SIZE,
                 "reruns for %s are held since %s, when %u runs of %u workflows had failed for it "
                 "or causes of its kind; %u %s so far, %s", cause, when(hold->since_ms, since),
                 hold->runs, hold->workflows, hold->probes,
                 jr_say_plural(hold->probes, "probe", "probes"), probe);
    } else if (hold->phase == JR_CAUSEHOLD_RELEASING) {
        snprintf(buffer, JR_HOLDING_WORDS_SIZE,
                 "reruns for %s are held no longer since %s (%s); %u went ahead, others follow in "
                 "turn", cause, when(hold->over_ms, since), jr_causehold_end_words(hold->end),
                 hold->released);
    }
    return buffer;
}
