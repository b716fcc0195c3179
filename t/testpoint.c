/*
 * testpoint -- the switches of t/job-rerunner and of the unit tests, by the environment.
 *
 * It takes the place of lib/base/testpoint.c, which the linker then leaves in its archive.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/testpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void jr_test_point(const char *name)
{
    const char *wanted = getenv("JR_TEST_STOP_AT");
    size_t length = strlen(name);
    int fd;

    if (wanted == NULL || strncmp(wanted, name, length) != 0 || wanted[length] != ':')
        return;
    fd = open(wanted + length + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    close(fd);
    (void)raise(SIGSTOP);
}

static bool is(const char *name, const char *wanted)
{
    const char *value = getenv(name);

    return value != NULL && strcmp(value, wanted) == 0;
}

bool jr_test_batch_is_off(void)
{
    return is("JR_TEST_BATCH", "off");
}

bool jr_test_runs_twice(void)
{
    return is("JR_TEST_TWICE", "on");
}

bool jr_test_confine_is_off(void)
{
    return is("JR_TEST_CONFINE", "off") || getenv("JR_TEST_STOP_AT") != NULL;
}

bool jr_test_is_switch(const char *variable)
{
    return strncmp(variable, "JR_TEST_", 8) == 0;
}

static int64_t number_in(const char *name, int64_t otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtoll(value, NULL, 10) : otherwise;
}

int64_t jr_test_patience_ms(int64_t limit_ms)
{
    return number_in("JR_TEST_PATIENCE", limit_ms);
}

int64_t jr_test_hang_limit_ms(int64_t limit_ms)
{
    return number_in("JR_TEST_HANG", limit_ms);
}

int64_t jr_test_match_limit_ms(int64_t limit_ms)
{
    return number_in("JR_TEST_MATCH_LIMIT", limit_ms);
}

int64_t jr_test_ownfile_ms(int64_t limit_ms)
{
    return number_in("JR_TEST_OWNFILE", limit_ms);
}

int64_t jr_test_own_patience_ms(int64_t limit_ms)
{
    return number_in("JR_TEST_OWN_PATIENCE", limit_ms);
}

int64_t jr_test_ahead_ms(void)
{
    return number_in("JR_TEST_AHEAD", 0);
}

int64_t jr_test_scaled_ms(int64_t time_ms)
{
    int64_t scaled_ms = time_ms / 100 * number_in("JR_TEST_MINUTE", 60000) / 600;

    return scaled_ms > 0 ? scaled_ms : 1;
}

int64_t jr_test_shorter_ms(int64_t time_ms)
{
    return time_ms / number_in("JR_TEST_SHORTER", 1);
}

bool jr_test_deadline_is_off(void)
{
    return is("JR_TEST_DEADLINE", "off");
}

int64_t jr_test_reports(int64_t most)
{
    return number_in("JR_TEST_REPORTS", most);
}

const char *jr_test_env_file(const char *path)
{
    const char *value = getenv("JR_TEST_ENV_FILE");

    return value != NULL ? value : path;
}
