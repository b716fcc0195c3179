/*
 * surge -- which failures are one trouble, and which are an accident each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/rules/surge.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

#define TEN { .runs = 10, .within_ms = 10 * JR_MINUTE_MS, .hold_ms = 5 * JR_MINUTE_MS }
#define FOUR { .runs = 4, .within_ms = 10 * JR_MINUTE_MS, .hold_ms = 5 * JR_MINUTE_MS }
#define BIT(cause) (UINT64_C(1) << (cause))

/* So many failures, one every `every' seconds, in turn of so many runs, workflows and runners. */
struct group {
    unsigned count, every_s;
    unsigned runs, workflows, runners; /* 0 runners: none is known */
    enum jr_cause cause;
};

struct surge_row {
    const char *name;
    struct jr_outage_rule rule;
    struct group groups[3];
    jr_causes causes; /* 0: it is no surge */
};

static size_t add(struct jr_surge_sign *signs, size_t count, const struct group *group,
                  unsigned number)
{
    for (unsigned i = 0; i < group->count; i++)
        signs[count + i] = (struct jr_surge_sign){
            .at_ms = START_MS + (int64_t)i * group->every_s * JR_SECOND_MS,
            .run_id = 1000 * (number + 1) + i % group->runs,
            .workflow = 1 + i % group->workflows,
            .runner = group->runners == 0 ? 0 : 100 * (number + 1) + i % group->runners,
            .cause = group->cause,
        };
    return count + group->count;
}

static void surge_is_found(void **state)
{
    const struct surge_row *row = *state;
    struct jr_surge_sign signs[JR_SURGE_SIGNS_MAX];
    struct jr_surge surge;
    size_t count = 0;

    for (unsigned i = 0; i < COUNT(row->groups) && row->groups[i].count > 0; i++)
        count = add(signs, count, &row->groups[i], i);
    surge = jr_surge_find(&row->rule, signs, count);
    assert_int_equal(surge.causes, row->causes);
    assert_true(row->causes == 0 ? surge.runs == 0
                                 : surge.runs >= row->rule.runs && surge.workflows > 1);
    for (size_t i = 1; i < count; i++)
        assert_true(signs[i - 1].at_ms <= signs[i].at_ms);
}

#define REGISTRY JR_CAUSE_REGISTRY

static const struct surge_row surges[] = {
    { "a registry", TEN, { { 10, 5, 10, 3, 10, REGISTRY } }, BIT(REGISTRY) },
    { "on hosted runners", TEN, { { 10, 5, 10, 3, 0, REGISTRY } }, BIT(REGISTRY) },
    { "shown as two causes", TEN, { { 5, 5, 5, 2, 5, REGISTRY }, { 5, 5, 5, 2, 5, JR_CAUSE_NETWORK } },
      BIT(REGISTRY) | BIT(JR_CAUSE_NETWORK) },
    { "one too few", TEN, { { 9, 5, 9, 3, 9, REGISTRY } }, 0 },
    { "nothing", TEN, { { 0 } }, 0 },
    { "one workflow", TEN, { { 30, 5, 30, 1, 30, REGISTRY } }, 0 },
    { "many jobs of few runs", TEN, { { 40, 5, 9, 3, 40, REGISTRY } }, 0 },
    { "retries of a run count once", TEN, { { 9, 5, 9, 3, 9, REGISTRY }, { 20, 10, 1, 1, 20, REGISTRY } },
      BIT(REGISTRY) },
    { "the ends of the window", TEN, { { 2, 600, 2, 2, 2, REGISTRY }, { 8, 60, 8, 2, 8, REGISTRY } },
      BIT(REGISTRY) },
    { "a second too long", TEN, { { 2, 601, 2, 2, 2, REGISTRY }, { 8, 60, 8, 2, 8, REGISTRY } }, 0 },
    { "too seldom", TEN, { { 60, 67, 60, 3, 60, REGISTRY } }, 0 },
    { "often enough", TEN, { { 60, 66, 60, 3, 60, REGISTRY } }, BIT(REGISTRY) },
    { "one bad runner", TEN, { { 40, 5, 40, 4, 1, JR_CAUSE_RUNNER_LOST } }, 0 },
    { "and some accidents", TEN,
      { { 40, 5, 40, 4, 1, JR_CAUSE_RUNNER_LOST }, { 4, 5, 4, 2, 4, JR_CAUSE_RUNNER_LOST } }, 0 },
    { "a runner is half of it", TEN,
      { { 40, 5, 40, 4, 1, JR_CAUSE_RUNNER_LOST }, { 5, 5, 5, 2, 5, JR_CAUSE_RUNNER_LOST } },
      BIT(JR_CAUSE_RUNNER_LOST) },
    { "a fleet of two", TEN, { { 10, 5, 10, 3, 2, REGISTRY } }, BIT(REGISTRY) },
    { "a run on several runners", FOUR, { { 8, 5, 2, 2, 3, REGISTRY }, { 2, 5, 2, 2, 1, REGISTRY } },
      BIT(REGISTRY) },
    { "one run is enough", { .runs = 1, .within_ms = JR_MINUTE_MS }, { { 2, 5, 2, 2, 2, REGISTRY } },
      BIT(REGISTRY) },
    { "but not of one workflow", { .runs = 1, .within_ms = JR_MINUTE_MS }, { { 2, 5, 2, 1, 2, REGISTRY } }, 0 },
    { "no rule", { .runs = 0 }, { { 40, 5, 40, 3, 40, REGISTRY } }, 0 },
    { "as many as there can be", { .runs = JR_POLICY_OUTAGE_RUNS_MAX, .within_ms = JR_HOUR_MS },
      { { 1000, 1, 1000, 3, 1000, REGISTRY } }, BIT(REGISTRY) },
};

static void order_does_not_matter(void **state)
{
    const struct jr_outage_rule rule = TEN;
    const struct group group = { 30, 40, 30, 3, 30, REGISTRY };
    struct jr_surge_sign signs[30], mixed[30];
    struct jr_surge surge;

    (void)state;
    add(signs, 0, &group, 0);
    for (size_t i = 0; i < 30; i++)
        mixed[i] = signs[i * 7 % 30];
    surge = jr_surge_find(&rule, mixed, 30);
    assert_int_equal(surge.causes, BIT(REGISTRY));
    assert_int_equal(surge.runs, 16);
}

/* Each infrastructural cause has a family, with itself in it and all in it infrastructural. */
static void each_has_a_family(void **state)
{
    (void)state;
    for (unsigned cause = 0; cause < JR_CAUSES; cause++) {
        jr_causes family = jr_surge_family((enum jr_cause)cause);

        assert_int_equal(family != 0, jr_cause_is_infrastructural((enum jr_cause)cause));
        if (family == 0)
            continue;
        assert_true((family & BIT(cause)) != 0);
        for (unsigned other = 0; other < JR_CAUSES; other++)
            if ((family & BIT(other)) != 0)
                assert_int_equal(jr_surge_family((enum jr_cause)other), family);
    }
    assert_true((jr_surge_family(REGISTRY) & BIT(JR_CAUSE_NETWORK)) != 0);
    assert_true((jr_surge_family(REGISTRY) & BIT(JR_CAUSE_RUNNER_LOST)) == 0);
}

int main(void)
{
    TABLE(surges, surge_is_found);
    TEST(order_does_not_matter);
    TEST(each_has_a_family);
    return run_program("surge");
}
