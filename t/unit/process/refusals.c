/*
 * refusals -- what GitHub has refused, and where it was asked in vain.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/refusals.h"
#include "t/unit/support.h"

#include <stdlib.h>

static void refused_for_an_hour(void **state)
{
    struct jr_refusals *refusals = calloc(1, sizeof *refusals);

    (void)state;
    assert_non_null(refusals);
    jr_refusals_note(refusals, JR_API_GET_FILE, "octo/app", 7, START_MS);
    assert_true(jr_refusals_has(refusals, JR_API_GET_FILE, "Octo/App", 7, START_MS + 1));
    assert_false(jr_refusals_has(refusals, JR_API_GET_FILE, "octo/app", 8, START_MS + 1));
    assert_false(jr_refusals_has(refusals, JR_API_GET_FILE, "octo/lib", 7, START_MS + 1));
    assert_false(jr_refusals_has(refusals, JR_API_GET_PULL, "octo/app", 7, START_MS + 1));
    assert_false(jr_refusals_has(refusals, JR_API_GET_FILE, "octo/app", 7, START_MS + JR_HOUR_MS));
    jr_refusals_note(refusals, JR_API_GET_GROUPS, "", 0, START_MS);
    assert_true(jr_refusals_has(refusals, JR_API_GET_GROUPS, "octo/lib", 9, START_MS + 1));
    free(refusals);
}

/* Each attempt has tries of its own, however many others there are. */
static void vain_of_many(void **state)
{
    enum { RUNS = 5000, TURNS = 4 };
    struct jr_refusals *refusals = calloc(1, sizeof *refusals);

    (void)state;
    assert_non_null(refusals);
    for (uint32_t turn = 0; turn < TURNS; turn++)
        for (uint64_t run_id = 1; run_id <= RUNS; run_id++)
            assert_int_equal(jr_refusals_vain(refusals, run_id, 1), turn);
    assert_int_equal(jr_refusals_vain(refusals, 1, 2), 0);
    assert_int_equal(jr_refusals_vain(refusals, 1, 1), TURNS);
    free(refusals);
}

int main(void)
{
    TEST(refused_for_an_hour);
    TEST(vain_of_many);
    return run_program("refusals");
}
