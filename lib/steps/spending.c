/*
 * spending -- what reruns have spent this hour and today, and what the policy's limits leave.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/spending.h"
#include "lib/base/say.h"
#include "lib/base/text.h"
#include "lib/rules/limits.h"
#include "lib/store/budget.h"
#include "lib/store/ledger.h"

#include <stdio.h>
#include <string.h>

/* From this share of a limit on a repository is named. */
#define NEAR_PERCENT 80
#define PERCENT_MOST 10000

bool jr_spending_is_limited(const struct jr_policy *policy)
{
    bool limited = jr_limits_are_set(&policy->base.limits)
                   || jr_limits_are_set(&policy->limits_all);

    for (size_t i = 0; i < policy->repo_count; i++)
        limited |= jr_limits_are_set(&policy->repos[i].part.limits);
    return limited;
}

static uint32_t percent_of(uint64_t spent, uint32_t limit)
{
    if (limit == 0)
        return 0;
    return spent > (uint64_t)limit * PERCENT_MOST / 100 ? PERCENT_MOST
                                                        : (uint32_t)(spent * 100 / limit);
}

static void fill_row(struct jr_spending_row *row, const struct jr_budget_day *day,
                     const struct jr_limits *limits, int64_t now_ms)
{
    uint32_t by_minutes;

    *row = (struct jr_spending_row){
        .reruns = day->reruns[jr_budget_hour(now_ms)],
        .reruns_limit = limits->reruns_per_hour,
        .minutes = jr_limits_weigh(limits, &day->minutes),
        .minutes_limit = limits->minutes_per_day,
    };
    jr_text_copy(row->repo, sizeof row->repo, day->repo);
    row->percent = percent_of(row->reruns, row->reruns_limit);
    by_minutes = percent_of(row->minutes, row->minutes_limit);
    if (by_minutes > row->percent)
        row->percent = by_minutes;
}

/* Put a row in its place, if there is one for it. */
static void add_row(struct jr_spending_view *view, const struct jr_spending_row *row)
{
    size_t place = view->count;

    if (row->percent < NEAR_PERCENT)
        return;
    if (row->percent >= 100)
        view->over++;
    else
        view->near++;
    while (place > 0 && view->rows[place - 1].percent < row->percent)
        place--;
    if (place == JR_SPENDING_ROWS_MAX)
        return;
    if (view->count < JR_SPENDING_ROWS_MAX)
        view->count++;
    memmove(view->rows + place + 1, view->rows + place,
            (view->count - 1 - place) * sizeof *view->rows);
    view->rows[place] = *row;
}

static void count_waiting(struct jr_txn *txn, struct jr_spending_view *view)
{
    int64_t due_ms = 0, waiting_ms;
    uint64_t run_id = 0;
    struct jr_run run;

    for (size_t looks = 0; looks < JR_SPENDING_LOOKS; looks++) {
        if (!jr_ledger_next_due(txn, &due_ms, &run_id, &waiting_ms)) {
            view->whole = true;
            return;
        }
        view->waiting += jr_ledger_read_run(txn, run_id, &run) && run.known
                         && run.reason == JR_REASON_BUDGET_USED_UP;
    }
}

struct look {
    const struct jr_policy *policy;
    int64_t now_ms;
    struct jr_spending_view *view;
    const struct jr_run *run;
    uint64_t minutes;
};

static void look_at_spent(struct jr_txn *txn, void *context)
{
    const struct look *look = context;
    struct jr_spending_view *view = look->view;
    struct jr_budget_day day = { .scope = JR_BUDGET_ALL };
    struct jr_spending_row row;
    struct jr_policy_part part;

    memset(view, 0, sizeof *view);
    view->limited = jr_spending_is_limited(look->policy);
    view->whole = !view->limited;
    jr_budget_load(txn, JR_BUDGET_ALL, look->now_ms, &day);
    fill_row(&view->all, &day, &look->policy->limits_all, look->now_ms);
    if (!view->limited)
        return;
    while (jr_budget_next(txn, look->now_ms, false, &day)) {
        jr_policy_for(look->policy, day.repo, &part);
        fill_row(&row, &day, &part.limits, look->now_ms);
        add_row(view, &row);
    }
    count_waiting(txn, view);
}

enum jr_err jr_spending_look(struct jr_store *store, const struct jr_policy *policy, int64_t now_ms,
                             struct jr_spending_view *view, struct jr_error *error)
{
    struct look look = { .policy = policy, .now_ms = now_ms, .view = view };

    return jr_store_read(store, look_at_spent, &look, error);
}

static void look_at_cost(struct jr_txn *txn, void *context)
{
    struct look *look = context;
    struct jr_policy_part part;
    struct jr_minutes cost;

    jr_policy_for(look->policy, look->run->repo, &part);
    jr_budget_cost(txn, look->run, look->run->rerun_all, &cost);
    look->minutes = jr_limits_weigh(&part.limits, &cost);
}

enum jr_err jr_spending_cost(struct jr_store *store, const struct jr_policy *policy,
                             const struct jr_run *run, uint64_t *minutes, struct jr_error *error)
{
    struct look look = { .policy = policy, .run = run };
    enum jr_err err = jr_store_read(store, look_at_cost, &look, error);

    *minutes = look.minutes;
    return err;
}

const char *jr_spending_words(const struct jr_spending_row *row,
                              char words[JR_SPENDING_WORDS_SIZE])
{
    uint64_t of_reruns = row->reruns_limit != 0 ? row->reruns_limit : row->reruns;
    uint64_t of_minutes = row->minutes_limit != 0 ? row->minutes_limit : row->minutes;
    char reruns[32] = "", minutes[32] = "";

    if (row->reruns_limit != 0)
        snprintf(reruns, sizeof reruns, " of %u", row->reruns_limit);
    if (row->minutes_limit != 0)
        snprintf(minutes, sizeof minutes, " of %u", row->minutes_limit);
    snprintf(words, JR_SPENDING_WORDS_SIZE, "%u%s %s this hour, %llu%s runner %s today",
             row->reruns, reruns, jr_say_plural(of_reruns, "rerun", "reruns"),
             (unsigned long long)row->minutes, minutes,
             jr_say_plural(of_minutes, "minute", "minutes"));
    return words;
}
