/*
 * testpoint -- no switch is there: the program that is installed never looks for one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/testpoint.h"

void jr_test_point(const char *name)
{
    (void)name;
}

bool jr_test_batch_is_off(void)
{
    return false;
}

bool jr_test_runs_twice(void)
{
    return false;
}

bool jr_test_confine_is_off(void)
{
    return false;
}

bool jr_test_is_switch(const char *variable)
{
    (void)variable;
    return false;
}

int64_t jr_test_patience_ms(int64_t limit_ms)
{
    return limit_ms;
}

int64_t jr_test_hang_limit_ms(int64_t limit_ms)
{
    return limit_ms;
}

int64_t jr_test_match_limit_ms(int64_t limit_ms)
{
    return limit_ms;
}

int64_t jr_test_ownfile_ms(int64_t limit_ms)
{
    return limit_ms;
}

int64_t jr_test_own_patience_ms(int64_t limit_ms)
{
    return limit_ms;
}

int64_t jr_test_ahead_ms(void)
{
    return 0;
}

int64_t jr_test_scaled_ms(int64_t time_ms)
{
    return time_ms;
}

int64_t jr_test_shorter_ms(int64_t time_ms)
{
    return time_ms;
}

bool jr_test_deadline_is_off(void)
{
    return false;
}

int64_t jr_test_reports(int64_t most)
{
    return most;
}

const char *jr_test_env_file(const char *path)
{
    return path;
}
