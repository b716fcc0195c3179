/*
 * testpoint -- lets a test stop a process between two of its steps.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/testpoint.h"

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

bool jr_test_batch_is_off(void)
{
    const char *value = getenv("JR_TEST_BATCH");

    return value != NULL && strcmp(value, "off") == 0;
}
