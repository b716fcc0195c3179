/*
 * causehold -- from the first hold to the last of the release, whatever the clock does.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/causehold.h"
#include "t/unit/support.h"

#include <string.h>

static const struct jr_outage_rule rule = { 10, 10 * JR_MINUTE_MS, 5 * JR_MINUTE_MS };
static const struct jr_surge surge = { UINT64_C(1) << JR_CAUSE_REGISTRY, 12, 3 };

static struct jr_causehold begun(void)
{
    struct jr_causehold hold = { .cause = JR_CAUSE_REGISTRY };

    jr_causehold_begin(&hold, &rule, &surge, START_MS);
    return hold;
}

static struct jr_causehold probing(int64_t now_ms)
{
    struct jr_causehold hold = begun();

    assert_true(jr_causehold_passes(&hold, 7, 1, now_ms));
    jr_causehold_pass(&hold, 7, 1, now_ms);
    return hold;
}

static void nothing_is_held(void **state)
{
    struct jr_causehold hold = { .cause = JR_CAUSE_REGISTRY };

    (void)state;
    assert_true(jr_causehold_passes(&hold, 7, 1, START_MS));
    jr_causehold_pass(&hold, 7, 1, START_MS);
    jr_causehold_probe_is(&hold, JR_PROBE_FAILED, START_MS);
    jr_causehold_lift(&hold, JR_CAUSEHOLD_LIFTED, NULL, START_MS);
    jr_causehold_waiting(&hold, 0, START_MS);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_FREE);
    assert_int_equal(hold.news, 0);
}

static void one_is_the_probe(void **state)
{
    struct jr_causehold hold = begun();
    int64_t due_ms = START_MS + 5 * JR_MINUTE_MS;

    (void)state;
    assert_int_equal(hold.news, JR_CAUSEHOLD_BEGINS);
    assert_int_equal(hold.next_probe_ms, due_ms);
    assert_false(jr_causehold_passes(&hold, 7, 1, due_ms - 1));
    assert_int_equal(jr_causehold_room(&hold, due_ms), 1);
    hold = probing(due_ms);
    assert_int_equal(hold.news, JR_CAUSEHOLD_BEGINS | JR_CAUSEHOLD_PROBES);
    assert_int_equal(jr_causehold_room(&hold, due_ms), 0);
    assert_false(jr_causehold_passes(&hold, 8, 1, due_ms + JR_HOUR_MS));
    /* Its POST may be asked for again; in its next attempt it waits as any other. */
    assert_true(jr_causehold_passes(&hold, 7, 1, due_ms + 1));
    jr_causehold_pass(&hold, 7, 1, due_ms + 1);
    assert_int_equal(hold.probes, 1);
    assert_int_equal(hold.probe_ms, due_ms);
    assert_false(jr_causehold_passes(&hold, 7, 2, due_ms + 1));
}

static void failure_holds_on(void **state)
{
    static const int minutes[] = { 10, 20, 40, 60, 60 };
    int64_t now_ms = START_MS + 5 * JR_MINUTE_MS;
    struct jr_causehold hold = probing(now_ms);

    (void)state;
    for (size_t i = 0; i < COUNT(minutes); i++) {
        jr_causehold_probe_is(&hold, JR_PROBE_FAILED, now_ms);
        assert_int_equal(hold.hold_ms, minutes[i] * JR_MINUTE_MS);
        assert_true((hold.news & JR_CAUSEHOLD_HOLDS_ON) != 0);
        assert_false(jr_causehold_passes(&hold, 8, 1, now_ms + minutes[i] * JR_MINUTE_MS - 1));
        now_ms += minutes[i] * JR_MINUTE_MS;
        assert_true(jr_causehold_passes(&hold, 8 + i, 1, now_ms));
        jr_causehold_pass(&hold, 8 + i, 1, now_ms);
    }
    assert_int_equal(hold.probes, 6);
    assert_int_equal(hold.last_run_id, 12);
}

static void longer_hold_of_the_policy(void **state)
{
    const struct jr_outage_rule longer = { 10, JR_HOUR_MS, 2 * JR_HOUR_MS };
    struct jr_causehold hold = { .cause = JR_CAUSE_REGISTRY };

    (void)state;
    jr_causehold_begin(&hold, &longer, &surge, START_MS);
    jr_causehold_pass(&hold, 7, 1, START_MS + 2 * JR_HOUR_MS);
    jr_causehold_probe_is(&hold, JR_PROBE_FAILED, START_MS + 2 * JR_HOUR_MS);
    assert_int_equal(hold.hold_ms, 2 * JR_HOUR_MS);
    assert_int_equal(jr_causehold_step_ms(&hold), JR_MINUTE_MS);
}

/* With each step of a minute: 2, 6, 14 ... in all, so 300 are out with the eighth, after 7 min. */
static void success_releases_in_turn(void **state)
{
    static const uint32_t in_all[] = { 2, 6, 14, 30, 62, 126, 254, 510 };
    int64_t over_ms = START_MS + 6 * JR_MINUTE_MS;
    struct jr_causehold hold = probing(START_MS + 5 * JR_MINUTE_MS);
    uint32_t out = 0;

    (void)state;
    jr_causehold_probe_is(&hold, JR_PROBE_SUCCEEDED, over_ms);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_RELEASING);
    assert_true((hold.news & JR_CAUSEHOLD_OVER) != 0);
    assert_int_equal(jr_causehold_after_ms(&hold), over_ms);
    for (size_t step = 0; step < COUNT(in_all); step++) {
        int64_t now_ms = over_ms + (int64_t)step * JR_MINUTE_MS;

        for (; jr_causehold_passes(&hold, 100 + out, 1, now_ms); out++)
            jr_causehold_pass(&hold, 100 + out, 1, now_ms);
        assert_int_equal(out, in_all[step]);
        jr_causehold_waiting(&hold, 1, now_ms);
    }
    assert_true(out > 300);
    assert_int_equal(jr_causehold_room(&hold, over_ms + JR_CAUSEHOLD_STEPS * JR_MINUTE_MS), UINT32_MAX);
    jr_causehold_waiting(&hold, 0, over_ms + 8 * JR_MINUTE_MS);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_FREE);
    assert_int_equal(jr_causehold_after_ms(&hold), over_ms);
}

static void it_may_begin_anew(void **state)
{
    struct jr_causehold hold = probing(START_MS + 5 * JR_MINUTE_MS);

    (void)state;
    jr_causehold_probe_is(&hold, JR_PROBE_FAILED, START_MS + 5 * JR_MINUTE_MS);
    jr_causehold_begin(&hold, &rule, &surge, START_MS + 6 * JR_MINUTE_MS);
    assert_int_equal(hold.since_ms, START_MS); /* it goes on */
    jr_causehold_pass(&hold, 8, 1, START_MS + JR_HOUR_MS);
    jr_causehold_probe_is(&hold, JR_PROBE_SUCCEEDED, START_MS + JR_HOUR_MS);
    jr_causehold_begin(&hold, &rule, &surge, START_MS + 2 * JR_HOUR_MS);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_HELD);
    assert_int_equal(hold.since_ms, START_MS + 2 * JR_HOUR_MS);
    assert_int_equal(hold.hold_ms, 5 * JR_MINUTE_MS);
    assert_int_equal(hold.probes, 0);
}

static void probe_is_given_up(void **state)
{
    int64_t now_ms = START_MS + 5 * JR_MINUTE_MS;
    struct jr_causehold hold = probing(now_ms);

    (void)state;
    jr_causehold_probe_is(&hold, JR_PROBE_UNDER_WAY, now_ms + JR_CAUSEHOLD_PROBE_MS - 1);
    assert_int_equal(hold.probe_run_id, 7);
    jr_causehold_probe_is(&hold, JR_PROBE_UNDER_WAY, now_ms + JR_CAUSEHOLD_PROBE_MS);
    assert_int_equal(hold.probe_run_id, 0);
    assert_true(jr_causehold_passes(&hold, 8, 1, now_ms + JR_CAUSEHOLD_PROBE_MS));
    hold = probing(now_ms);
    jr_causehold_probe_is(&hold, JR_PROBE_LOST, now_ms + 1);
    assert_true(jr_causehold_passes(&hold, 8, 1, now_ms + 1));
    assert_int_equal(hold.hold_ms, 5 * JR_MINUTE_MS);
}

static void lifted_by_hand(void **state)
{
    struct jr_causehold hold = begun();

    (void)state;
    jr_causehold_lift(&hold, JR_CAUSEHOLD_LIFTED, "alice", START_MS + 1);
    assert_int_equal(jr_causehold_room(&hold, START_MS + 1), UINT32_MAX);
    assert_string_equal(hold.lifted_by, "alice");
    assert_string_equal(jr_causehold_end_words(hold.end), "lifted by hand");
    assert_int_equal(hold.news, JR_CAUSEHOLD_BEGINS | JR_CAUSEHOLD_OVER);
    /* Also what is released in turn. */
    hold = probing(START_MS + 5 * JR_MINUTE_MS);
    jr_causehold_probe_is(&hold, JR_PROBE_SUCCEEDED, START_MS + 6 * JR_MINUTE_MS);
    assert_int_equal(jr_causehold_room(&hold, START_MS + 6 * JR_MINUTE_MS), 2);
    jr_causehold_lift(&hold, JR_CAUSEHOLD_LIFTED, "bob", START_MS + 6 * JR_MINUTE_MS);
    assert_int_equal(jr_causehold_room(&hold, START_MS + 6 * JR_MINUTE_MS), UINT32_MAX);
}

static void nobody_waits(void **state)
{
    struct jr_causehold hold = begun();

    (void)state;
    jr_causehold_waiting(&hold, 0, START_MS + 1);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_HELD); /* others may come before the probe's time */
    jr_causehold_waiting(&hold, 1, START_MS + JR_HOUR_MS);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_HELD);
    jr_causehold_waiting(&hold, 0, START_MS + JR_HOUR_MS);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_FREE);
    assert_string_equal(jr_causehold_end_words(hold.end), "no run waits for it");
    hold = probing(START_MS + 5 * JR_MINUTE_MS);
    jr_causehold_waiting(&hold, 0, START_MS + JR_HOUR_MS);
    assert_int_equal(hold.phase, JR_CAUSEHOLD_HELD); /* the probe is awaited */
}

static void clock_is_set_back(void **state)
{
    int64_t before_ms = START_MS - JR_DAY_MS;
    struct jr_causehold hold = begun();

    (void)state;
    jr_causehold_keep_time(&hold, before_ms);
    assert_false(jr_causehold_passes(&hold, 7, 1, before_ms));
    assert_true(jr_causehold_passes(&hold, 7, 1, before_ms + 5 * JR_MINUTE_MS));
    hold = probing(START_MS + 5 * JR_MINUTE_MS);
    jr_causehold_keep_time(&hold, before_ms);
    jr_causehold_probe_is(&hold, JR_PROBE_UNDER_WAY, before_ms + JR_CAUSEHOLD_PROBE_MS);
    assert_int_equal(hold.probe_run_id, 0);
    jr_causehold_pass(&hold, 8, 1, START_MS);
    jr_causehold_probe_is(&hold, JR_PROBE_SUCCEEDED, START_MS);
    jr_causehold_keep_time(&hold, before_ms);
    assert_int_equal(jr_causehold_after_ms(&hold), before_ms);
    assert_int_equal(jr_causehold_room(&hold, before_ms), 2);
    assert_int_equal(jr_causehold_room(&hold, before_ms + JR_MINUTE_MS), 6);
}

int main(void)
{
    TEST(nothing_is_held);
    TEST(one_is_the_probe);
    TEST(failure_holds_on);
    TEST(longer_hold_of_the_policy);
    TEST(success_releases_in_turn);
    TEST(it_may_begin_anew);
    TEST(probe_is_given_up);
    TEST(lifted_by_hand);
    TEST(nobody_waits);
    TEST(clock_is_set_back);
    return run_program("causehold");
}
