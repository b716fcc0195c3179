/*
 * limits -- what may be spent, and when one that waits goes on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/limits.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

/* Seven minutes past three in the afternoon. */
#define NOW_MS (START_MS + 15 * JR_HOUR_MS + 7 * JR_MINUTE_MS)
#define NEXT_HOUR_MS (START_MS + 16 * JR_HOUR_MS)
#define NEXT_DAY_MS (START_MS + JR_DAY_MS)

struct limit_row {
    const char *name, *policy;
    struct jr_spending repo, all;
    struct jr_minutes cost;
    enum jr_limits_verdict verdict;
    int64_t window_ms; /* what it waits for */
};

static void limit_answers(void **state)
{
    const struct limit_row *row = *state;
    struct jr_problems *problems = calloc(1, sizeof *problems);
    struct jr_policy_part part;
    struct jr_policy policy;
    char text[512];

    assert_non_null(problems);
    snprintf(text, sizeof text, "version: 1\notherwise: rerun\n%s", row->policy);
    assert_int_equal(jr_policy_read(&policy, text, strlen(text), problems), JR_OK);
    assert_int_equal(problems->count, 0);
    jr_policy_for(&policy, "octo/app", &part);
    for (uint64_t id = 1; id < 200; id++) {
        const struct jr_limits_facts facts = {
            .repo = &part.limits, .all = &policy.limits_all, .repo_spent = row->repo,
            .all_spent = row->all, .cost = row->cost, .run_id = id, .now_ms = NOW_MS,
        };
        struct jr_limits_answer answer = jr_limits_ask(&facts);

        assert_int_equal(answer.verdict, row->verdict);
        if (row->window_ms == 0)
            assert_int_equal(answer.until_ms, 0);
        else
            assert_in_range(answer.until_ms, row->window_ms, row->window_ms + JR_LIMITS_SPREAD_MS - 1);
    }
    jr_policy_release(&policy);
    free(problems);
}

#define PASSES JR_LIMITS_PASS, 0
#define FOR_HOUR JR_LIMITS_WAIT, NEXT_HOUR_MS
#define FOR_DAY JR_LIMITS_WAIT, NEXT_DAY_MS
#define NEVER JR_LIMITS_NEVER, 0
#define HOUR "limits: { reruns-per-hour: 2 }\n"
#define DAY "limits: { minutes-per-day: 60 }\n"
#define ALL "limits-all: { reruns-per-hour: 3, minutes-per-day: 100 }\n"

static const struct limit_row limits[] = {
    { "no limits", "", { UINT32_MAX, { { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX } } }, { UINT32_MAX, { { UINT32_MAX } } },
      { { UINT32_MAX } }, PASSES },
    { "nothing is spent", HOUR, { 0, { { 0 } } }, { 0, { { 0 } } }, { { 0 } }, PASSES },
    { "the last one of the hour", HOUR, { 1, { { 0 } } }, { 9, { { 0 } } }, { { 0 } }, PASSES },
    { "one more", HOUR, { 2, { { 0 } } }, { 0, { { 0 } } }, { { 0 } }, FOR_HOUR },
    { "the limit was higher", HOUR, { 50, { { 0 } } }, { 0, { { 0 } } }, { { 0 } }, FOR_HOUR },
    { "the day's last minute", DAY, { 0, { { 57 } } }, { 0, { { 0 } } }, { { 3 } }, PASSES },
    { "a minute more", DAY, { 0, { { 57 } } }, { 0, { { 0 } } }, { { 4 } }, FOR_DAY },
    { "Windows counts twice", DAY, { 0, { { 0, 28 } } }, { 0, { { 0 } } }, { { 0, 3 } }, FOR_DAY },
    { "macOS counts ten times", DAY, { 0, { { 0 } } }, { 0, { { 0 } } }, { { 0, 0, 6 } }, PASSES },
    { "... which is too much", DAY, { 0, { { 1 } } }, { 0, { { 0 } } }, { { 0, 0, 6 } }, FOR_DAY },
    { "one's own runners count nothing", DAY, { 0, { { 60, 0, 0, 900 } } }, { 0, { { 0 } } }, { { 0, 0, 0, 900 } }, PASSES },
    { "... unless the weights say so", "limits: { minutes-per-day: 60, os-weights: { self-hosted: 1 } }\n", { 0, { { 0, 0, 0, 60 } } },
      { 0, { { 0 } } }, { { 0, 0, 0, 1 } }, FOR_DAY },
    { "what costs nothing goes on", DAY, { 0, { { 90 } } }, { 0, { { 0 } } }, { { 0 } }, PASSES },
    { "more than a whole day's", DAY, { 0, { { 0 } } }, { 0, { { 0 } } }, { { 61 } }, NEVER },
    { "... of all", ALL, { 0, { { 0 } } }, { 0, { { 0 } } }, { { 101 } }, NEVER },
    { "... while the hour is used up", HOUR ALL, { 2, { { 0 } } }, { 0, { { 0 } } }, { { 101 } }, NEVER },
    { "a whole day's", DAY, { 0, { { 0 } } }, { 0, { { 0 } } }, { { 60 } }, PASSES },
    { "all together", ALL, { 0, { { 0 } } }, { 3, { { 0 } } }, { { 0 } }, FOR_HOUR },
    { "all together, by the day", ALL, { 0, { { 0 } } }, { 0, { { 99 } } }, { { 2 } }, FOR_DAY },
    { "the later of two windows", HOUR ALL, { 2, { { 0 } } }, { 0, { { 99 } } }, { { 2 } }, FOR_DAY },
    { "hour and day of one", "limits: { reruns-per-hour: 1, minutes-per-day: 60 }\n", { 1, { { 60 } } }, { 0, { { 0 } } }, { { 1 } }, FOR_DAY },
    { "a repository's own", "limits: { reruns-per-hour: 1 }\nrepositories: { octo/app: { limits: { reruns-per-hour: 3 } } }\n", { 2, { { 0 } } },
      { 0, { { 0 } } }, { { 0 } }, PASSES },
    { "no sum overflows", "limits: { minutes-per-day: 1000000, os-weights: { linux: 1000, windows: 1000, macos: 1000, self-hosted: 1000 } }\n",
      { 0, { { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX } } }, { 0, { { 0 } } }, { { 1 } }, FOR_DAY },
};

struct labels_row {
    const char *name, *labels;
    enum jr_system system;
};

static void labels_ask_for(void **state)
{
    const struct labels_row *row = *state;

    assert_int_equal(jr_labels_system(row->labels), row->system);
}

static const struct labels_row labels[] = {
    { "none", "", JR_SYSTEM_LINUX },
    { "Ubuntu", "ubuntu-24.04", JR_SYSTEM_LINUX },
    { "Windows", "windows-latest", JR_SYSTEM_WINDOWS },
    { "macOS", "macos-15-xlarge", JR_SYSTEM_MACOS },
    { "in another case", "Windows", JR_SYSTEM_WINDOWS },
    { "one's own", "X64,self-hosted,windows", JR_SYSTEM_SELF_HOSTED },
    { "one's own, the first", "Self-Hosted,macos", JR_SYSTEM_SELF_HOSTED },
    { "a name that only begins so", "windowsill", JR_SYSTEM_LINUX },
    { "made up", "big-and-fast", JR_SYSTEM_LINUX },
};

static void no_sum_overflows(void **state)
{
    struct jr_minutes sum = { { 5, 0, UINT32_MAX - 1 } };

    (void)state;
    jr_limits_add(&sum, JR_SYSTEM_LINUX, 3);
    jr_limits_add(&sum, JR_SYSTEM_MACOS, 3);
    assert_int_equal(sum.of[JR_SYSTEM_LINUX], 8);
    assert_int_equal(sum.of[JR_SYSTEM_MACOS], UINT32_MAX);
}

int main(void)
{
    TABLE(limits, limit_answers);
    TABLE(labels, labels_ask_for);
    TEST(no_sum_overflows);
    return run_program("limits");
}
