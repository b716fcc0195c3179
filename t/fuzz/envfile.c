/*
 * envfile -- a file of settings of any bytes. What is read of it, written as a
 * file again, reads the same; what is no setting is not set.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/buffer.h"
#include "lib/config/envfile.h"
#include "lib/config/names.h"
#include "t/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define NAME_FIRST "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_NEXT  NAME_FIRST "0123456789"

/* What was set: "NAME=value" with a NUL after each. */
static struct jr_buffer set;

/*
 * In the place of the C library's: the environment is left alone, where glibc would keep
 * each value for ever.
 */
int setenv(const char *name, const char *value, int overwrite)
{
    HOLDS(overwrite);
    HOLDS(jr_names_may_be_in_file(name));
    HOLDS(strspn(name, NAME_FIRST) > 0 && strspn(name, NAME_NEXT) == strlen(name));
    jr_buffer_add(&set, name);
    jr_buffer_add(&set, "=");
    jr_buffer_add_bytes(&set, value, strlen(value) + 1);
    return 0;
}

static enum jr_err load(int fd, const void *bytes, size_t size, struct jr_error *error)
{
    char path[32], *problems, *doubts;
    enum jr_err err;

    HOLDS(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
    HOLDS(snprintf(path, sizeof path, "/proc/self/fd/%d", fd) < (int)sizeof path);
    jr_buffer_init(&set, 4 * JR_ENVFILE_MAX);
    err = jr_envfile_load(path, &problems, &doubts, error);
    HOLDS(problems == NULL || problems[strlen(problems) - 1] == '\n');
    HOLDS(doubts == NULL || doubts[strlen(doubts) - 1] == '\n');
    free(doubts);
    HOLDS((err == JR_OK) == (error->code == JR_OK));
    HOLDS(err == JR_OK ? problems == NULL : problems != NULL || strstr(error->text, "NUL") != NULL
                                                || strstr(error->text, "large") != NULL);
    free(problems);
    return err;
}

/* Write what was set as a file, each value in double quotes. */
static void write_again(const struct jr_buffer *were, struct jr_buffer *file)
{
    for (size_t i = 0; i < were->length; i++) {
        const char *name = were->bytes + i, *value = strchr(name, '=') + 1;

        jr_buffer_add_bytes(file, name, (size_t)(value - name));
        jr_buffer_add(file, "\"");
        for (; *value != '\0'; value++) {
            if (strchr("\"\\`$", *value) != NULL)
                jr_buffer_add(file, "\\");
            jr_buffer_add_bytes(file, value, 1);
        }
        jr_buffer_add(file, "\"\n");
        i = (size_t)(value - were->bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    struct jr_error error = { .code = JR_OK };
    struct jr_buffer were, file;
    enum jr_err err;

    if (fd < 0)
        fd = memfd_create("envfile", MFD_CLOEXEC);
    HOLDS(fd >= 0);
    err = load(fd, bytes, size, &error);
    HOLDS(err == JR_OK || err == JR_EINVAL);
    HOLDS(err == JR_OK || error.text[0] != '\0');
    HOLDS(set.ok && set.length <= size + 1);

    were = set;
    jr_buffer_init(&file, 4 * JR_ENVFILE_MAX);
    write_again(&were, &file);
    HOLDS(file.ok);
    if (file.length < JR_ENVFILE_MAX) {
        HOLDS(load(fd, file.bytes == NULL ? "" : file.bytes, file.length, &error) == JR_OK);
        HOLDS(set.length == were.length);
        HOLDS(set.length == 0 || memcmp(set.bytes, were.bytes, set.length) == 0);
        jr_buffer_release(&set);
    }
    jr_buffer_release(&were);
    jr_buffer_release(&file);
    return 0;
}
