/*
 * surge -- do so many runs fail for causes of the same kind that it is no accident of each?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/surge.h"

#include <stdlib.h>
#include <string.h>

#define BIT(cause) (UINT64_C(1) << (cause))

static const jr_causes families[] = {
    BIT(JR_CAUSE_SETUP) | BIT(JR_CAUSE_SERVICE) | BIT(JR_CAUSE_NETWORK) | BIT(JR_CAUSE_REGISTRY)
        | BIT(JR_CAUSE_GIT) | BIT(JR_CAUSE_RATE_LIMITED),
    BIT(JR_CAUSE_RUNNER_LOST) | BIT(JR_CAUSE_RUNNER_SHUTDOWN) | BIT(JR_CAUSE_NOT_ACQUIRED)
        | BIT(JR_CAUSE_PROVISIONING) | BIT(JR_CAUSE_INTERNAL_ERROR),
    BIT(JR_CAUSE_DISK) | BIT(JR_CAUSE_MEMORY),
};

jr_causes jr_surge_family(enum jr_cause cause)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if ((families[i] & BIT(cause)) != 0)
            return families[i];
    return 0;
}

/* Numbers that stand for others, 0 upwards, in the order in which these are met. */
struct numbers {
    uint64_t of[JR_SURGE_SIGNS_MAX];
    size_t count;
};

static size_t number_of(struct numbers *numbers, uint64_t what)
{
    size_t i = 0;

    while (i < numbers->count && numbers->of[i] != what)
        i++;
    if (i == numbers->count)
        numbers->of[numbers->count++] = what;
    return i;
}

/* A run, and how many of its signs are in the window. */
struct run {
    size_t workflow, runner; /* by their numbers */
    bool on_one_runner;
    unsigned in_window;
};

/* A window that moves over the signs, and what is in it. */
struct window {
    struct numbers ids, workflow_ids, runner_ids;
    size_t run_of[JR_SURGE_SIGNS_MAX]; /* of each sign */
    struct run runs[JR_SURGE_SIGNS_MAX];
    unsigned of_workflow[JR_SURGE_SIGNS_MAX], of_runner[JR_SURGE_SIGNS_MAX];
    uint32_t most_of_runner;
    uint32_t weight; /* of the runs that count */
    uint32_t run_count, workflow_count;
};

static int by_time(const void *a, const void *b)
{
    const struct jr_surge_sign *one = a, *two = b;

    return (one->at_ms > two->at_ms) - (one->at_ms < two->at_ms);
}

static void know_runs(struct window *window, const struct jr_surge_sign *signs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t known = window->ids.count, at = number_of(&window->ids, signs[i].run_id);
        size_t runner = number_of(&window->runner_ids, signs[i].runner);
        struct run *run = &window->runs[at];

        window->run_of[i] = at;
        if (at == known)
            *run = (struct run){
                .workflow = number_of(&window->workflow_ids, signs[i].workflow),
                .runner = runner,
                .on_one_runner = signs[i].runner != 0,
            };
        run->on_one_runner = run->on_one_runner && run->runner == runner;
    }
}

static void enter(struct window *window, struct run *run)
{
    if (run->in_window++ > 0)
        return;
    window->run_count++;
    window->workflow_count += window->of_workflow[run->workflow]++ == 0;
    if (!run->on_one_runner || window->of_runner[run->runner]++ < window->most_of_runner)
        window->weight++;
}

static void leave(struct window *window, struct run *run)
{
    if (--run->in_window > 0)
        return;
    window->run_count--;
    window->workflow_count -= --window->of_workflow[run->workflow] == 0;
    if (!run->on_one_runner || --window->of_runner[run->runner] < window->most_of_runner)
        window->weight--;
}

/* Take what is in a window, from one sign up to another, to what was found. */
static void take(struct jr_surge *surge, const struct window *window,
                 const struct jr_surge_sign *signs, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++)
        surge->causes |= BIT(signs[i].cause);
    if (window->run_count <= surge->runs)
        return;
    surge->runs = window->run_count;
    surge->workflows = window->workflow_count;
}

static struct jr_surge slide(struct window *window, const struct jr_outage_rule *rule,
                             const struct jr_surge_sign *signs, size_t count)
{
    struct jr_surge surge = { .causes = 0 };
    size_t first = 0;

    for (size_t i = 0; i < count; i++) {
        enter(window, &window->runs[window->run_of[i]]);
        while (signs[i].at_ms - signs[first].at_ms > rule->within_ms)
            leave(window, &window->runs[window->run_of[first++]]);
        if (window->weight >= rule->runs && window->workflow_count > 1)
            take(&surge, window, signs, first, i);
    }
    return surge;
}

struct jr_surge jr_surge_find(const struct jr_outage_rule *rule, struct jr_surge_sign *signs,
                              size_t count)
{
    struct window *window = rule->runs == 0 ? NULL : calloc(1, sizeof *window);
    struct jr_surge surge = { .causes = 0 };

    if (window == NULL)
        return surge;
    window->most_of_runner = rule->runs > 1 ? rule->runs / 2 : 1;
    if (count > JR_SURGE_SIGNS_MAX)
        count = JR_SURGE_SIGNS_MAX;
    qsort(signs, count, sizeof *signs, by_time);
    know_runs(window, signs, count);
    surge = slide(window, rule, signs, count);
    free(window);
    return surge;
}
