/*
 * rerun -- the dispatcher's steps in the store, each one transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/rerun.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/decide.h"
#include "lib/rules/learn.h"
#include "lib/rules/limits.h"
#include "lib/rules/verdict.h"
#include "lib/rules/watch.h"
#include "lib/steps/guarding.h"
#include "lib/steps/holding.h"
#include "lib/steps/step.h"
#include "lib/store/askings.h"
#include "lib/store/budget.h"
#include "lib/store/history.h"
#include "lib/store/journal.h"
#include "lib/store/ledger.h"

#include <string.h>

static const char last_post_key[] = "last-post";

/* An entry is due when it is made or later; the process that makes it may have been slow. */
#define SETTLED_MS (10 * JR_SECOND_MS)

/* How often all that is held up is looked at again. */
#define WALK_ANEW_MS JR_MINUTE_MS

/* A step about a claimed run. */
struct step {
    struct jr_bounds bounds;
    struct jr_input input; /* but for what the store tells */
    struct jr_origin source;
    int64_t claimed_due_ms; /* when its entry was due as it was claimed */
    int64_t due_ms;         /* until when it is put off */
    const struct jr_policy *policy; /* whose guards are asked; NULL: of none */
    const struct jr_policy *own; /* the repository's, under that; NULL: it has none */
    bool asks_stops;          /* people may stop reruns (COMMANDS) */
    const struct jr_guard_news *news; /* what GitHub was asked for them; NULL: nothing */
    const struct jr_spending *repo_spent, *all_spent; /* of all hosts; NULL: see the store */
    jr_causes held_elsewhere;
    struct jr_run *run;         /* out, but for run_id */
    struct jr_verdict *verdict; /* out */
    bool is_held;               /* GitHub was not asked for guards, since it waits */
    bool paused;                /* out: nothing was decided */
};

/* Load the run anew, and note whether its entry was moved: events may have come since it was
 * claimed. */
static void reload(struct jr_txn *txn, const struct step *step, struct jr_input *input)
{
    struct jr_run *run = step->run;

    *input = step->input;
    jr_ledger_load_run(txn, run->run_id, run);
    if (!run->known)
        jr_txn_fail(txn, JR_ENOENT, "run %llu is no longer in the store",
                    (unsigned long long)run->run_id);
    input->moved = run->due_ms != step->claimed_due_ms;
}

/*
 * Look for the next entry that is not held up, up to last_ms.
 *   left  how many that are held up may be looked at
 */
static enum jr_err look_on(struct jr_txn *txn, struct jr_rerun_walk *walk, int64_t last_ms,
                           int64_t now_ms, unsigned *left)
{
    int64_t waiting_ms;
    struct jr_run run;

    for (; *left > 0; --*left) {
        if (!jr_ledger_next_due(txn, &walk->at.due_ms, &walk->at.run_id, &waiting_ms)
            || walk->at.due_ms > last_ms)
            return JR_ENOENT;
        if (!jr_ledger_read_run(txn, walk->at.run_id, &run) || !run.known)
            return JR_OK;
        if (walk->in_hand != NULL && walk->in_hand(walk->context, &run))
            continue;
        if (walk->wait == NULL || walk->wait(walk->context, run.repo) == 0)
            return JR_OK;
        if (walk->at.due_ms <= now_ms - SETTLED_MS)
            walk->held = walk->at;
    }
    return JR_EBUSY;
}

/*
 * Begin a search. What is held up and long due need not be looked at again; but for once in
 * a while, since its repository may have another name by now, and after the clock was set back.
 */
static void begin_walk(struct jr_rerun_walk *walk, int64_t latest_ms, int64_t now_ms)
{
    if (now_ms >= walk->begun_ms + WALK_ANEW_MS || now_ms < walk->begun_ms
        || walk->held.due_ms > now_ms - SETTLED_MS) {
        walk->held = (struct jr_rerun_place){ .due_ms = 0 };
        walk->begun_ms = now_ms;
    }
    walk->late = true;
    walk->at = (struct jr_rerun_place){ latest_ms, UINT64_MAX };
}

/* As jr_ledger_first_due(), but for what is held up; the rest as with jr_rerun_first(). */
static enum jr_err first_free(struct jr_txn *txn, int64_t latest_ms, int64_t now_ms,
                              struct jr_rerun_walk *walk, int64_t *due_ms, uint64_t *run_id)
{
    unsigned left = JR_RERUN_LOOKS;
    enum jr_err err = JR_ENOENT;

    if (!walk->going_on)
        begin_walk(walk, latest_ms, now_ms);
    if (walk->late) {
        err = look_on(txn, walk, INT64_MAX, now_ms, &left);
        if (err == JR_ENOENT) {
            walk->late = false;
            walk->at = walk->held;
        }
    }
    if (err == JR_ENOENT)
        err = look_on(txn, walk, latest_ms, now_ms, &left);
    *due_ms = err == JR_EBUSY && walk->late ? now_ms : walk->at.due_ms;
    *run_id = walk->at.run_id;
    /* Before the time of the last one comes nothing else is due: then the next search is enough. */
    walk->going_on = err == JR_EBUSY && *due_ms <= now_ms;
    return err;
}

/* The entry that is due first. */
struct first_due {
    int64_t latest_ms, now_ms;
    struct jr_rerun_walk *walk;
    int64_t *due_ms;
    struct jr_run *run;
    enum jr_err result; /* out: as with jr_rerun_first() */
};

static void find_first(struct jr_txn *txn, void *context)
{
    struct first_due *first = context;
    struct jr_rerun_walk *walk = first->walk;
    uint64_t run_id = 0;

    if (walk != NULL && (walk->wait != NULL || walk->in_hand != NULL))
        first->result = first_free(txn, first->latest_ms, first->now_ms, walk, first->due_ms,
                                   &run_id);
    else if (!jr_ledger_first_due(txn, first->latest_ms, first->due_ms, &run_id))
        first->result = JR_ENOENT;
    if (first->result == JR_OK)
        jr_ledger_load_run(txn, run_id, first->run);
    if (first->result == JR_OK && !first->run->known)
        jr_txn_fail(txn, JR_EFORMAT, "run %llu is in the outbox, but not in the store",
                    (unsigned long long)run_id);
    first->run->run_id = run_id;
}

enum jr_err jr_rerun_first(struct jr_store *store, int64_t latest_ms, int64_t now_ms,
                           struct jr_rerun_walk *walk, int64_t *due_ms, struct jr_run *run,
                           struct jr_error *error)
{
    struct first_due first = { latest_ms, now_ms, walk, due_ms, run, JR_OK };
    enum jr_err err;

    memset(run, 0, sizeof *run);
    err = jr_store_read(store, find_first, &first, error);
    return err == JR_OK ? first.result : err;
}

/* The watched run that is to be looked at first. */
struct quiet {
    struct jr_bounds bounds;
    int64_t now_ms;
    int64_t put_off_ms; /* until then it is put off when its repository has to wait */
    const struct jr_share *share;
    int64_t due_ms; /* when it is to be looked at; 0: none is watched */
    uint64_t run_id;
    struct jr_run *run;        /* out */
    struct jr_verdict verdict; /* out */
    bool sound;                /* out: its record can be read */
};

/* No further off than this: else the clock was set back. */
static int64_t latest_quiet_ms(const struct quiet *quiet)
{
    return quiet->now_ms + jr_watch_most_ms(&quiet->bounds);
}

static void find_quiet(struct jr_txn *txn, void *context)
{
    struct quiet *quiet = context;

    if (!jr_ledger_first_quiet(txn, latest_quiet_ms(quiet), &quiet->due_ms, &quiet->run_id))
        quiet->due_ms = 0;
}

static bool is_turn(const struct quiet *quiet)
{
    return quiet->due_ms != 0
           && (quiet->due_ms <= quiet->now_ms || quiet->due_ms > latest_quiet_ms(quiet));
}

static void take_quiet(struct jr_txn *txn, void *context)
{
    struct quiet *quiet = context;
    struct jr_run *run = quiet->run;
    struct jr_input input = { .kind = JR_INPUT_QUIET, .now_ms = quiet->now_ms };

    quiet->verdict = (struct jr_verdict){ .step = JR_STEP_WAIT };
    quiet->sound = jr_ledger_read_run(txn, quiet->run_id, run) && run->known;
    if (!quiet->sound) {
        jr_ledger_drop_quiet(txn, quiet->due_ms, quiet->run_id);
    } else if (jr_share_wait_ms(quiet->share, run->repo) > 0) {
        run->quiet_due_ms = quiet->put_off_ms;
        jr_ledger_save_run(txn, run);
    } else {
        jr_step_take(txn, &quiet->bounds, &input, NULL, run, &quiet->verdict);
    }
}

enum jr_err jr_rerun_quiet(struct jr_store *store, const struct jr_settings *settings,
                           int64_t now_ms, const struct jr_share *share, struct jr_run *run,
                           int64_t *due_ms, struct jr_error *error)
{
    struct quiet quiet = {
        .bounds = jr_step_bounds(settings), .now_ms = now_ms,
        .put_off_ms = now_ms + settings->reconcile_interval_ms, .share = share, .run = run,
    };
    enum jr_err err = jr_store_read(store, find_quiet, &quiet, error);

    *due_ms = quiet.due_ms;
    if (err != JR_OK)
        return err;
    if (!is_turn(&quiet))
        return JR_ENOENT;
    if (*due_ms > now_ms)
        *due_ms = now_ms;
    err = jr_store_write(store, take_quiet, &quiet, error);
    if (err == JR_OK && !quiet.sound)
        err = jr_error_set(error, JR_EFORMAT, "the record of run %llu is damaged or gone",
                           (unsigned long long)quiet.run_id);
    return err == JR_OK && quiet.verdict.step != JR_STEP_ASK ? JR_ENOENT : err;
}

static void drop(struct jr_txn *txn, void *context)
{
    const struct jr_rerun_place *place = context;

    jr_ledger_drop_due(txn, place->due_ms, place->run_id);
}

enum jr_err jr_rerun_drop(struct jr_store *store, int64_t due_ms, uint64_t run_id,
                          struct jr_error *error)
{
    struct jr_rerun_place place = { due_ms, run_id };

    return jr_store_write(store, drop, &place, error);
}

static void postpone(struct jr_txn *txn, void *context)
{
    const struct step *step = context;
    struct jr_input input;

    reload(txn, step, &input);
    if (!input.moved)
        step->run->due_ms = step->due_ms;
    jr_ledger_save_run(txn, step->run);
}

enum jr_err jr_rerun_postpone(struct jr_store *store, struct jr_run *run, int64_t due_ms,
                              struct jr_error *error)
{
    struct step step = { .claimed_due_ms = run->due_ms, .due_ms = due_ms, .run = run };

    return jr_store_write(store, postpone, &step, error);
}

static void save_time(struct jr_txn *txn, const char *key, int64_t time_ms)
{
    unsigned char record[8];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_time(&writer, time_ms);
    jr_txn_put(txn, JR_TABLE_META, key, strlen(key), record, sizeof record);
}

/* 0: it was never saved. */
static int64_t load_time(struct jr_txn *txn, const char *key)
{
    unsigned char record[8];
    struct jr_reader reader;
    size_t length;

    if (!jr_txn_get(txn, JR_TABLE_META, key, strlen(key), record, sizeof record, &length))
        return 0;
    jr_reader_init(&reader, record, length);
    return jr_read_time(&reader);
}

/* Has an administrator forbidden it by now, under the name it had or the one GitHub tells? */
static bool is_paused(struct jr_txn *txn, const struct jr_run *run, const struct jr_event *seen,
                      int64_t now_ms)
{
    struct jr_pauses pauses;

    jr_pauses_load(txn, now_ms, &pauses);
    return jr_pauses_find(&pauses, run->repo) != NULL
           || jr_pauses_find(&pauses, seen->repo) != NULL;
}

/* Nothing is decided. A new name is kept: by it the pause is found before the next call. */
static void stay_paused(struct jr_txn *txn, const struct step *step, struct jr_input *input)
{
    struct jr_verdict verdict;

    input->kind = JR_INPUT_NAMED;
    jr_step_take(txn, &step->bounds, input, &step->source, step->run, &verdict);
}

/* A run that is asked about for the first time: for which pauses that are over did it wait? */
static void tell_pauses(struct jr_txn *txn, struct jr_run *run, int64_t now_ms)
{
    struct jr_history entry = {
        .at_ms = now_ms,
        .attempt = run->attempt,
        .reason = JR_REASON_PAUSED,
    };
    uint64_t number = UINT64_MAX;
    struct jr_act act;

    if (run->tries > 0 || run->waiting_ms == 0)
        return;
    while (jr_journal_before(txn, &number, &act) && act.at_ms >= run->waiting_ms) {
        if (act.kind != JR_ACT_RESUME || !jr_pause_covers(&act.pause, run->repo))
            continue;
        entry.pause = act.pause;
        (void)jr_text_copy(entry.who, sizeof entry.who, act.who);
        entry.kind = act.who[0] == '\0' ? JR_HISTORY_DECISION : JR_HISTORY_REQUEST;
        jr_history_add(txn, run, &entry, NULL, NULL);
    }
}

/* Has somebody stopped the reruns of its commit? What GitHub shows of it may be news. */
static void ask_stops(struct jr_txn *txn, const struct step *step, struct jr_input *input)
{
    struct jr_run learned = *step->run;

    if (!step->asks_stops)
        return;
    jr_learn_shown(&step->bounds, input->event, &learned);
    if (jr_stops_hold(txn, &learned))
        input->guard = JR_REASON_STOPPED;
}

/* What the policy's guards say. */
static void ask_guards(struct jr_txn *txn, const struct step *step, struct jr_input *input)
{
    const struct jr_guarded_run about = {
        .policy = step->policy, .own = step->own, .run = step->run, .news = step->news,
    };

    if (step->policy != NULL && input->guard == JR_REASON_NONE)
        jr_guarding_ask(txn, &about, input);
}

/*
 * Are reruns for what it failed for held? If not, `passed' has the causes that it passes.
 */
static void ask_outage(struct jr_txn *txn, const struct step *step, struct jr_input *input,
                       jr_causes *passed)
{
    const char *repo = input->event->repo[0] != '\0' ? input->event->repo : step->run->repo;

    *passed = 0;
    if (step->policy != NULL && input->hold.reason == JR_REASON_NONE)
        input->hold = jr_holding_ask(txn, step->policy, step->run, repo, step->held_elsewhere,
                                     input->now_ms, passed);
}

/* What the policy's limits say. Nothing is read where there are none, or something else holds. */
static void ask_limits(struct jr_txn *txn, const struct step *step, struct jr_input *input)
{
    struct jr_limits_facts facts = { .now_ms = input->now_ms, .run_id = step->run->run_id };
    struct jr_run learned = *step->run;
    struct jr_limits_answer answer;
    struct jr_policy_force force;

    if (step->policy == NULL || step->run->by_hand || input->guard != JR_REASON_NONE
        || input->hold.reason != JR_REASON_NONE || !jr_conclusion_is_bad(input->event->conclusion))
        return;
    jr_learn_shown(&step->bounds, input->event, &learned);
    jr_policy_in_force(step->policy, step->own, learned.repo, &force);
    facts.repo = &force.part.limits;
    facts.all = &step->policy->limits_all;
    if (!jr_limits_are_set(facts.repo) && !jr_limits_are_set(facts.all))
        return;
    jr_budget_cost(txn, &learned, learned.rerun_all, &facts.cost);
    jr_budget_spent(txn, jr_budget_scope(&learned), &learned, input->now_ms, &facts.repo_spent);
    jr_budget_spent(txn, JR_BUDGET_ALL, &learned, input->now_ms, &facts.all_spent);
    if (step->repo_spent != NULL)
        facts.repo_spent = *step->repo_spent;
    if (step->all_spent != NULL)
        facts.all_spent = *step->all_spent;
    answer = jr_limits_ask(&facts);
    if (answer.verdict == JR_LIMITS_WAIT)
        input->hold = (struct jr_hold){ JR_REASON_BUDGET_USED_UP, answer.until_ms };
    else if (answer.verdict == JR_LIMITS_NEVER)
        input->guard = JR_REASON_BUDGET_USED_UP;
}

static bool keeps_back(const struct jr_input *input)
{
    return input->guard != JR_REASON_NONE || input->hold.reason != JR_REASON_NONE;
}

static void take_seen(struct jr_txn *txn, void *context)
{
    struct step *step = context;
    struct jr_verdict *verdict = step->verdict;
    int64_t now_ms = step->input.now_ms;
    struct jr_input input;
    jr_causes passed;

    reload(txn, step, &input);
    step->paused = txn->error.code == JR_OK && is_paused(txn, step->run, input.event, now_ms);
    if (step->paused) {
        stay_paused(txn, step, &input);
        return;
    }
    tell_pauses(txn, step->run, now_ms);
    jr_guarding_find_newer(txn, &step->bounds, step->run, &input);
    ask_stops(txn, step, &input);
    ask_guards(txn, step, &input);
    ask_outage(txn, step, &input, &passed);
    ask_limits(txn, step, &input);
    step->paused = step->is_held && !keeps_back(&input);
    if (step->paused) {
        stay_paused(txn, step, &input);
        return;
    }
    jr_step_take(txn, &step->bounds, &input, &step->source, step->run, verdict);
    if (verdict->step == JR_STEP_RERUN_FAILED || verdict->step == JR_STEP_RERUN_ALL) {
        save_time(txn, last_post_key, now_ms);
        jr_holding_pass(txn, step->run, passed, now_ms);
    }
}

enum jr_err jr_rerun_seen(struct jr_store *store, const struct jr_settings *settings,
                          const struct jr_rerun_answer *answer, struct jr_run *run,
                          int64_t now_ms, struct jr_verdict *verdict, struct jr_error *error)
{
    struct step step = {
        .bounds = jr_step_bounds(settings),
        .input = { .kind = JR_INPUT_SEEN, .now_ms = now_ms, .event = answer->seen },
        .source = { .call = answer->call },
        .claimed_due_ms = run->due_ms,
        .policy = settings->has_guards ? answer->policy : NULL,
        .own = answer->own,
        .asks_stops = settings->commands,
        .news = answer->news,
        .repo_spent = answer->repo_spent,
        .all_spent = answer->all_spent,
        .held_elsewhere = answer->held_elsewhere,
        .is_held = answer->is_held,
        .run = run,
        .verdict = verdict,
    };
    enum jr_err err = jr_store_write(store, take_seen, &step, error);

    return err == JR_OK && step.paused ? jr_error_set(error, JR_EBUSY, "the work is paused") : err;
}

static void take_unseen(struct jr_txn *txn, void *context)
{
    const struct step *step = context;
    struct jr_input input;

    reload(txn, step, &input);
    jr_guarding_find_newer(txn, &step->bounds, step->run, &input);
    jr_step_take(txn, &step->bounds, &input, NULL, step->run, step->verdict);
}

enum jr_err jr_rerun_unseen(struct jr_store *store, const struct jr_settings *settings,
                            struct jr_run *run, int64_t now_ms, struct jr_verdict *verdict,
                            struct jr_error *error)
{
    struct step step = {
        .bounds = jr_step_bounds(settings),
        .input = { .kind = JR_INPUT_UNSEEN, .now_ms = now_ms },
        .claimed_due_ms = run->due_ms,
        .run = run,
        .verdict = verdict,
    };

    return jr_store_write(store, take_unseen, &step, error);
}

static void take_outcome(struct jr_txn *txn, void *context)
{
    const struct step *step = context;
    struct jr_input input;

    reload(txn, step, &input);
    if (input.kind != JR_INPUT_POSTED)
        tell_pauses(txn, step->run, input.now_ms);
    jr_step_take(txn, &step->bounds, &input, &step->source, step->run, step->verdict);
}

enum jr_err jr_rerun_outcome(struct jr_store *store, const struct jr_settings *settings,
                             const struct jr_rerun_answer *answer, struct jr_run *run,
                             int64_t now_ms, struct jr_verdict *verdict, struct jr_error *error)
{
    const struct jr_call *call = answer->call;
    struct step step = {
        .bounds = jr_step_bounds(settings),
        .input = {
            .kind = answer->posted ? JR_INPUT_POSTED : JR_INPUT_FAILED,
            .now_ms = now_ms,
            .attempt = answer->attempt,
            .outcome = call->outcome,
            .reason = call->reason,
            .try_all = call->try_all,
        },
        .source = { .call = call },
        .claimed_due_ms = run->due_ms,
        .run = run,
        .verdict = verdict,
    };

    return jr_store_write(store, take_outcome, &step, error);
}

bool jr_rerun_wants_workflow(const struct jr_settings *settings, const struct jr_policy *own,
                             const struct jr_run *run, const struct jr_event *seen)
{
    struct jr_bounds bounds = jr_step_bounds(settings);

    bounds.judges_workflows |= own != NULL && jr_policy_names_workflows(own);
    return jr_verdict_wants_workflow(&bounds, run, seen);
}

bool jr_rerun_is_wanted(const struct jr_settings *settings, const struct jr_run *run,
                        const struct jr_event *seen, int64_t now_ms)
{
    struct jr_bounds bounds = jr_step_bounds(settings);
    const struct jr_input input = { .kind = JR_INPUT_SEEN, .now_ms = now_ms, .event = seen };
    struct jr_run judged = *run;
    struct jr_verdict verdict = { .changed = false };

    jr_decide(&bounds, &input, &judged, NULL, &verdict);
    return verdict.step == JR_STEP_RERUN_FAILED || verdict.step == JR_STEP_RERUN_ALL;
}

static void ask_held(struct jr_txn *txn, void *context)
{
    struct step *step = context;
    jr_causes passed;

    ask_outage(txn, step, &step->input, &passed);
    ask_limits(txn, step, &step->input);
}

enum jr_err jr_rerun_held(struct jr_store *store, const struct jr_settings *settings,
                          const struct jr_rerun_answer *answer, struct jr_run *run,
                          int64_t now_ms, struct jr_hold *hold, struct jr_error *error)
{
    const struct jr_event known = { .run_id = run->run_id, .conclusion = run->conclusion };
    struct step step = {
        .bounds = jr_step_bounds(settings),
        .input = { .kind = JR_INPUT_SEEN, .now_ms = now_ms,
                   .event = answer->seen != NULL ? answer->seen : &known },
        .policy = settings->has_guards ? answer->policy : NULL,
        .own = answer->own,
        .repo_spent = answer->repo_spent,
        .all_spent = answer->all_spent,
        .held_elsewhere = answer->held_elsewhere,
        .run = run,
    };
    enum jr_err err = JR_OK;

    if (step.policy != NULL && !run->by_hand)
        err = jr_store_read(store, ask_held, &step, error);
    *hold = step.input.hold;
    if (hold->until_ms != 0)
        hold->until_ms = jr_verdict_hold_ms(&step.bounds, hold->until_ms, run->updated_ms, now_ms);
    if (hold->reason == JR_REASON_NONE)
        hold->reason = step.input.guard;
    return err;
}

static void read_last_post(struct jr_txn *txn, void *context)
{
    int64_t *last_post_ms = context;

    *last_post_ms = load_time(txn, last_post_key);
}

enum jr_err jr_rerun_last_post(struct jr_store *store, int64_t *last_post_ms,
                               struct jr_error *error)
{
    return jr_store_read(store, read_last_post, last_post_ms, error);
}
